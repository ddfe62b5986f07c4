//! How a cell of a value is given to a step, by the kind of the step (semantics spec, sections 6.3 and 9.2).
//!
//! A formatted cell is missing, one value, or a list: the items of a list are spread over several inputs. Instructions
//! stay signs, and nothing else is one.

use std::sync::Arc;

use crate::base::Value;
use crate::repo::Method;
use crate::run::event::StepFailure;
use crate::run::means::Means;
use crate::tensor::is_missing;

use super::perceive::{
    Perceived, flatten, input_text, is_instruction, joined, perceive, perceive_unread, stripped,
};
use super::select::{Picked, Selector};

/// How a kind of step takes its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Values, spread where they are several.
    Composition,
    /// Texts; signs are replaced by what they hold, nothing is read.
    Plain,
    /// As plain; prompts are read.
    Question,
    /// Texts, perceived.
    Direct,
    /// Texts, perceived without reading.
    Script,
    /// Values without their signs.
    Bare,
}

impl Style {
    /// The style of a method; what calls a built-in or a program takes its values bare.
    pub fn of(method: &Method) -> Self {
        match method {
            Method::Composition { .. } => Self::Composition,
            Method::Plain => Self::Plain,
            Method::Input => Self::Question,
            Method::Direct => Self::Direct,
            Method::Python | Method::PythonIndirect => Self::Script,
        }
    }

    /// Returns whether a cell tells a step of this kind what to do.
    pub fn instructs(self, cell: &Value) -> bool {
        let Value::Sign(sign) = cell else { return false };
        match self {
            Self::Plain => matches!(sign.norm(), Some("builtin" | "command_location")),
            Self::Question => matches!(sign.norm(), Some("builtin" | "command_location")),
            Self::Script => is_instruction(cell) || sign.norm() == Some("prompt_template"),
            Self::Composition | Self::Direct | Self::Bare => is_instruction(cell),
        }
    }

    /// What an item of a value is to a step of this kind.
    ///
    /// # Errors
    /// Those of [`perceive`].
    pub fn perceive(self, item: &Value, means: &dyn Means) -> Result<Perceived, StepFailure> {
        let prompt = || matches!(item, Value::Sign(sign) if sign.norm() == Some("prompt"));
        match self {
            Self::Composition | Self::Direct => perceive(item, means),
            Self::Script | Self::Bare => perceive_unread(item),
            Self::Plain | Self::Question if self.instructs(item) => perceive_unread(item),
            Self::Question if prompt() => Ok(match perceive(item, means)? {
                Perceived::PromptTemplate(text) => Perceived::Input(Value::Text(text)),
                other => other,
            }),
            Self::Plain | Self::Question => Ok(Perceived::Input(Value::Text(input_text(item)))),
        }
    }

    /// A cell as a step of this kind takes it.
    ///
    /// # Errors
    /// What selecting and perceiving fail with.
    pub fn format(
        self,
        cell: &Value,
        selector: Option<&Selector>,
        means: &dyn Means,
    ) -> Result<Value, StepFailure> {
        if is_missing(cell) {
            return Ok(Value::Skip);
        }
        let Some(selector) = selector else { return self.whole(cell, means) };
        let picked = match self {
            // These look only at what signs hold.
            Self::Plain | Self::Question | Self::Bare => selector.select(&stripped(cell)),
            _ => selector.select(cell),
        };
        let changed = |value: &Value| match selector.transforms() {
            true => selector.transform(value, means),
            false => Ok(value.clone()),
        };
        let formatted = match picked {
            Picked::One(value) if is_missing(&value) => return Ok(Value::Skip),
            Picked::Spread(items) if !items.is_empty() && items.iter().all(is_missing) => {
                return Ok(Value::Skip);
            }
            Picked::One(value) => self.whole(&changed(&value)?, means)?,
            Picked::Spread(items) => {
                let items = items.iter().map(changed).collect::<Result<Vec<_>, _>>()?;
                self.whole(&Value::list(items), means)?
            }
        };
        Ok(if selector.packed { packed(formatted) } else { formatted })
    }

    fn whole(self, cell: &Value, means: &dyn Means) -> Result<Value, StepFailure> {
        match self {
            Self::Bare if self.instructs(cell) => Ok(cell.clone()),
            Self::Bare => Ok(stripped(cell)),
            Self::Composition if is_kept(cell) => Ok(cell.clone()),
            Self::Composition => {
                let mut items = self.items(cell, means)?;
                Ok(match items.as_slice() {
                    [] => Value::text(""),
                    [Value::Sign(_) | Value::Map(_)] => items.remove(0),
                    [only] => Value::Text(input_text(only)),
                    _ => Value::list(items),
                })
            }
            Self::Plain | Self::Question | Self::Direct | Self::Script => {
                let items = self.items(cell, means)?;
                if items.iter().any(|item| matches!(item, Value::Sign(_))) {
                    return Ok(Value::list(items));
                }
                let texts: Vec<Arc<str>> = items.iter().map(input_text).collect();
                Ok(Value::text(joined(&texts)))
            }
        }
    }

    /// The items of a cell: inputs perceived, instructions as they are.
    fn items(self, cell: &Value, means: &dyn Means) -> Result<Vec<Value>, StepFailure> {
        let one = |item: Value| match self.instructs(&item) {
            true => Ok(item),
            false => Ok(match self.perceive(&item, means)? {
                Perceived::Input(value) => value,
                _ => item,
            }),
        };
        flatten(cell).into_iter().map(one).collect()
    }
}

/// Records without signs are passed as they are, also several of them; so is nothing at all.
fn is_kept(cell: &Value) -> bool {
    let record = |value: &Value| match value {
        Value::Map(map) => !map.values().any(|v| matches!(v, Value::Sign(_))),
        _ => false,
    };
    match cell {
        Value::List(items) => items.iter().all(record),
        Value::Map(map) => !map.is_empty() && record(cell),
        _ => false,
    }
}

/// A list as one input. Instructions are none.
fn packed(formatted: Value) -> Value {
    match formatted {
        Value::List(items) => {
            let (signs, values): (Vec<Value>, Vec<Value>) =
                items.iter().cloned().partition(|item| matches!(item, Value::Sign(_)));
            Value::list([Value::list(values)].into_iter().chain(signs))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::run::means::NoFiles;

    fn format(style: Style, cell: Json) -> Json {
        style.format(&Value::from_plan_json(&cell), None, &NoFiles).unwrap().to_json()
    }

    #[test]
    fn composition_spreads_and_never_joins() {
        for (cell, wanted) in [
            (json!(5), json!("5")),
            (json!("%x1(5)"), json!("5")),
            (json!("%{truth value}(true)"), json!("True")),
            (json!([["x"], [1, {"a": "y"}]]), json!(["x", 1, "y"])),
            (json!([{"k": 1}, {}]), json!([{"k": 1}, {}])),
            (json!({}), json!("")),
            (json!({"k": "%x1(1)"}), json!("1")),
            (json!({"k": {"l": "%x1(1)"}}), json!({"k": {"l": "%x1(1)"}})),
            (json!([]), json!([])),
        ] {
            assert_eq!(format(Style::Composition, cell.clone()), wanted, "{cell}");
        }
    }

    #[test]
    fn old_steps_get_one_text() {
        let cell = json!(["%x1(1)", {"a": "%{save_path}2(b)"}, true]);
        assert_eq!(format(Style::Plain, cell.clone()), json!("1, b, and True"));
        assert_eq!(format(Style::Direct, cell), json!(["1", "%{save_path}2(b)", true]));
        assert_eq!(format(Style::Script, json!("%{file_location}(a.txt)")), json!("a.txt"));
        assert_eq!(format(Style::Plain, json!("%{script_location}(a.py)")), json!("a.py"));
    }

    #[test]
    fn values_without_signs_are_what_built_ins_take() {
        assert_eq!(format(Style::Bare, json!(["%x1(1)", "2", {"k": "%x2(a)"}])), json!([1, "2", {"k": "a"}]));
    }

    #[test]
    fn a_packed_list_is_one_input() {
        let packed = Selector::read(json!({"packed": true}).as_object().unwrap()).unwrap();
        let cell = Value::from_plan_json(&json!(["a", "b"]));
        let formatted = Style::Composition.format(&cell, Some(&packed), &NoFiles).unwrap();
        assert_eq!(formatted.to_json(), json!([["a", "b"]]));
    }
}
