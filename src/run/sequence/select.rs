//! Selectors: which part of a cell is passed, and as what (semantics spec, sections 2.5 and 6.2).

use std::sync::Arc;

use serde_json::{Map as JsonMap, Value as Json};

use crate::base::{Map, Sign, Value, strip, text_of};
use crate::run::event::StepFailure;
use crate::run::means::Means;
use crate::tensor::is_missing;

use super::perceive::{Perceived, perceive};

/// A selector, typed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Selector {
    index: Option<i64>,
    key: Option<Arc<str>>,
    unpack: bool,
    unpack_before: bool,
    strip: bool,
    wrapper: Option<Arc<str>>,
    /// Labels with the norm of their part; none for the value itself.
    branch: Option<Branch>,
    /// The value is one input, even if it is a list.
    pub packed: bool,
}

/// Labels, each with the norm of its part, none for the value itself.
type Branch = Vec<(Arc<str>, Option<Arc<str>>)>;

/// What a selector picks of a cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Picked {
    /// One value, missing where there was nothing to pick.
    One(Value),
    /// The items of a list, each passed by itself.
    Spread(Vec<Value>),
}

impl Selector {
    /// Reads a selector as a plan has it.
    ///
    /// # Errors
    /// `bad_selector` for a field of another kind, `invalid_norm`.
    pub fn read(fields: &JsonMap<String, Json>) -> Result<Self, StepFailure> {
        let wrong = |field: &str, wanted: &str| {
            let message = format!("`{field}` of a selector must be {wanted}");
            StepFailure::new("bad_selector", message)
        };
        let present = |field: &str| fields.get(field).filter(|v| !v.is_null());
        let flag = |field: &str| match present(field) {
            None => Ok(false),
            Some(value) => value.as_bool().ok_or_else(|| wrong(field, "true or false")),
        };
        let text = |field: &str| match present(field) {
            None => Ok(None),
            Some(value) => {
                value.as_str().map(|t| Some(Arc::<str>::from(t))).ok_or_else(|| wrong(field, "a text"))
            }
        };
        let index = match present("index") {
            None => None,
            Some(value) => Some(value.as_i64().ok_or_else(|| wrong("index", "a whole number"))?),
        };
        let branch = match present("branch") {
            None => None,
            Some(Json::Object(labels)) => Some(
                labels
                    .iter()
                    .map(|(label, norm)| match norm.as_str() {
                        Some("NULL") => Ok((Arc::from(label.as_str()), None)),
                        Some(norm) => Ok((Arc::from(label.as_str()), Some(checked(norm)?))),
                        None => Err(wrong("branch", "a map from labels to norms")),
                    })
                    .collect::<Result<Vec<_>, StepFailure>>()?,
            ),
            Some(_) => {
                return Err(wrong("branch", "a map from labels to norms")
                    .help("write `\"branch\": {\"path\": \"NULL\", \"content\": \"file_location\"}`"));
            }
        };
        let wrapper = text("new_wrapper")?.map(|norm| checked(&norm)).transpose()?;
        Ok(Self {
            index,
            key: text("key")?,
            unpack: flag("unpack")?,
            unpack_before: flag("unpack_before_selection")?,
            strip: flag("strip_wrapper")?,
            wrapper,
            branch,
            packed: flag("packed")?,
        })
    }

    /// Picks a part of a cell. What is not there is missing (tensor spec, ruling R16).
    pub fn select(&self, cell: &Value) -> Picked {
        if let (true, Value::List(items)) = (self.unpack_before, cell) {
            return Picked::Spread(items.iter().map(|item| self.entry(item.clone())).collect());
        }
        let value = match (self.index, cell) {
            (Some(index), Value::List(items)) => {
                let from_end =
                    || usize::try_from(index.unsigned_abs()).ok().and_then(|n| items.len().checked_sub(n));
                let place = if index < 0 { from_end() } else { usize::try_from(index).ok() };
                place.and_then(|p| items.get(p)).cloned().unwrap_or(Value::Skip)
            }
            _ => cell.clone(),
        };
        match self.entry(value) {
            Value::List(items) if self.unpack => Picked::Spread(items.to_vec()),
            value => Picked::One(value),
        }
    }

    /// What it picks, for messages: `index 2, key `x``.
    pub fn place(&self) -> String {
        let index = self.index.map(|index| format!("index {index}"));
        let key = self.key.as_ref().map(|key| format!("key `{key}`"));
        index.into_iter().chain(key).collect::<Vec<_>>().join(", ")
    }

    fn entry(&self, value: Value) -> Value {
        match (&self.key, &value) {
            (Some(key), Value::Map(map)) => {
                map.get(key).filter(|v| !is_missing(v)).cloned().unwrap_or(Value::Skip)
            }
            _ => value,
        }
    }

    /// Returns whether picked values are changed at all.
    pub fn transforms(&self) -> bool {
        self.strip || self.wrapper.is_some() || self.branch.is_some()
    }

    /// Changes a picked value (section 2.5). A sign that is put around a value keeps the text of its payload.
    ///
    /// # Errors
    /// What a branch is perceived with.
    pub fn transform(&self, value: &Value, means: &dyn Means) -> Result<Value, StepFailure> {
        if is_missing(value) {
            return Ok(value.clone());
        }
        let text = || match value {
            Value::Sign(sign) => Arc::clone(sign.payload()),
            other => Arc::from(text_of(other)),
        };
        if let Some(branch) = &self.branch {
            let part = |norm: &Option<Arc<str>>| match norm {
                None => Ok(strip(value)),
                Some(norm) => {
                    let perceived = perceive(&Value::Sign(Arc::new(sign(norm, text())?)), means)?;
                    Ok(match perceived {
                        Perceived::Input(value) => value,
                        // Beside other parts it is no instruction to the step: it is told apart by its mark.
                        instruction => Value::Text(marked(&instruction)),
                    })
                }
            };
            let parts = branch.iter().map(|(label, norm)| Ok((Arc::clone(label), part(norm)?)));
            return Ok(Value::Map(Arc::new(parts.collect::<Result<Map, StepFailure>>()?)));
        }
        if let Some(norm) = &self.wrapper {
            return Ok(Value::Sign(Arc::new(sign(norm, text())?)));
        }
        Ok(if self.strip { strip(value) } else { value.clone() })
    }
}

fn checked(norm: &str) -> Result<Arc<str>, StepFailure> {
    sign(norm, Arc::from("")).map(|_| Arc::from(norm))
}

/// A sign of that very norm; the word `literal` is kept.
fn sign(norm: &str, payload: Arc<str>) -> Result<Sign, StepFailure> {
    if norm == "literal"
        && let Some(sign) = Sign::parse(&format!("%{{literal}}({payload})"))
    {
        return Ok(sign);
    }
    Sign::new(Some(norm), payload).map_err(|error| StepFailure::new("invalid_norm", error.to_string()))
}

fn marked(instruction: &Perceived) -> Arc<str> {
    match instruction.instruction() {
        Some((norm, text)) => Arc::from(format!("{{%{{{norm}}}: {text}}}")),
        None => Arc::from(""),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::run::means::NoFiles;

    fn selector(fields: Json) -> Selector {
        Selector::read(fields.as_object().unwrap()).unwrap()
    }

    fn one(json: Json) -> Picked {
        Picked::One(Value::from_plan_json(&json))
    }

    #[test]
    fn the_index_comes_before_the_key() {
        let people = Value::from_plan_json(&json!([{"name": "Ann", "tags": ["x", "y"]}, {"name": "Bo"}]));
        for (fields, wanted) in [
            (json!({"index": 0, "key": "name"}), one(json!("Ann"))),
            (json!({"index": -1, "key": "name"}), one(json!("Bo"))),
            (json!({"index": -3}), Picked::One(Value::Skip)),
            (json!({"index": 2}), Picked::One(Value::Skip)),
            (json!({"index": 1, "key": "tags"}), Picked::One(Value::Skip)),
            (json!({"index": 0, "key": "tags"}), one(json!(["x", "y"]))),
            (
                json!({"index": 0, "key": "tags", "unpack": true}),
                Picked::Spread(vec![Value::text("x"), Value::text("y")]),
            ),
            (
                json!({"unpack_before_selection": true, "key": "tags"}),
                Picked::Spread(vec![Value::from_plan_json(&json!(["x", "y"])), Value::Skip]),
            ),
        ] {
            assert_eq!(selector(fields.clone()).select(&people), wanted, "{fields}");
        }
        assert_eq!(selector(json!({"index": 1, "key": "k"})).select(&Value::text("t")), one(json!("t")));
    }

    #[test]
    fn a_new_sign_keeps_the_text_of_the_old_one() {
        let cell = Value::from_plan_json(&json!("%x1(1e3)"));
        let changed = selector(json!({"new_wrapper": "save_path"})).transform(&cell, &NoFiles).unwrap();
        assert_eq!(changed.to_json(), json!("%{save_path}(1e3)"));
        let stripped = selector(json!({"strip_wrapper": true})).transform(&cell, &NoFiles).unwrap();
        assert_eq!(stripped, Value::from_plan_json(&json!(1000)));
    }

    #[test]
    fn what_is_no_selector_says_so() {
        for (fields, kind) in [
            (json!({"branch": "file_location"}), "bad_selector"),
            (json!({"branch": {"a": 1}}), "bad_selector"),
            (json!({"index": "0"}), "bad_selector"),
            (json!({"new_wrapper": "no norm"}), "invalid_norm"),
        ] {
            assert_eq!(Selector::read(fields.as_object().unwrap()).unwrap_err().kind, kind, "{fields}");
        }
    }
}
