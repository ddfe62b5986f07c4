//! The value model: JSON's, with exact numbers, ordered maps, signs, and a variant for what is missing
//! (semantics spec, section 1.1; tensor spec, section 1).

use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use num_bigint::BigInt;
use serde_json::Value as Json;

use super::Sign;

/// How a missing cell is written in JSON. In memory it is [`Value::Skip`], never this text.
pub const SKIP_MARKER: &str = "@#SKIP#@";

/// A map with text keys in insertion order.
pub type Map = IndexMap<Arc<str>, Value>;

/// One value: what a cell of a reference holds. Copying is O(1): texts and containers are shared.
#[derive(Clone, Debug)]
pub enum Value {
    /// Nothing is here. A cell, or an entry of a list cell, never an entry of a map.
    Skip,
    /// A null inside a list or a map; as a whole cell it counts as [`Value::Skip`].
    Null,
    /// A truth value.
    Bool(bool),
    /// An exact number.
    Number(Number),
    /// A text, whatever it looks like.
    Text(Arc<str>),
    /// A perceptual sign.
    Sign(Arc<Sign>),
    /// A list that is content, not an axis.
    List(Arc<[Value]>),
    /// A record.
    Map(Arc<Map>),
}

impl Value {
    /// A text.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// A list.
    pub fn list(items: impl IntoIterator<Item = Value>) -> Self {
        Self::List(items.into_iter().collect())
    }

    /// Returns whether nothing is here.
    pub fn is_skip(&self) -> bool {
        matches!(self, Self::Skip)
    }

    /// Reads data from outside a plan: texts stay texts, also those that look like signs. The skip marker becomes
    /// [`Value::Skip`] where a cell can be missing: at the top and inside lists.
    pub fn from_data_json(json: &Json) -> Self {
        Self::read(json, &|text| Value::text(text), true)
    }

    /// Reads data the plan's author wrote (ground references, inputs): texts of the form of a sign become signs.
    pub fn from_plan_json(json: &Json) -> Self {
        Self::read(
            json,
            &|text| Sign::parse(text).map_or_else(|| Value::text(text), |s| Value::Sign(Arc::new(s))),
            true,
        )
    }

    fn read(json: &Json, text: &impl Fn(&str) -> Value, cell: bool) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(b) => Self::Bool(*b),
            Json::Number(n) => Self::Number(Number(n.clone())),
            Json::String(s) if cell && s == SKIP_MARKER => Self::Skip,
            Json::String(s) => text(s),
            Json::Array(items) => Self::list(items.iter().map(|i| Self::read(i, text, cell))),
            Json::Object(entries) => Self::Map(Arc::new(
                entries.iter().map(|(k, v)| (Arc::from(k.as_str()), Self::read(v, text, false))).collect(),
            )),
        }
    }

    /// The JSON form: signs as their text, missing as the skip marker.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Skip => Json::String(SKIP_MARKER.to_owned()),
            Self::Null => Json::Null,
            Self::Bool(b) => Json::Bool(*b),
            Self::Number(n) => Json::Number(n.0.clone()),
            Self::Text(t) => Json::String(t.as_ref().to_owned()),
            Self::Sign(s) => Json::String(s.to_string()),
            Self::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Self::Map(map) => {
                Json::Object(map.iter().map(|(k, v)| (k.as_ref().to_owned(), v.to_json())).collect())
            }
        }
    }
}

/// Equality of contents: records are unordered, `1` equals `1.0`, truth values never equal numbers
/// (tensor spec, section 1).
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Skip, Self::Skip) | (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Number(a), Self::Number(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Sign(a), Self::Sign(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Map(a), Self::Map(b)) => a == b,
            _ => false,
        }
    }
}

/// A number in the form it was written in: an integer of any size, or a finite float.
#[derive(Clone)]
pub struct Number(serde_json::Number);

impl Number {
    /// The number as written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns whether it was written as an integer: `1` is one, `1.0` and `1e3` are floats.
    pub fn is_integer(&self) -> bool {
        !self.as_str().contains(['.', 'e', 'E'])
    }

    /// The exact integer, none for floats.
    pub fn to_integer(&self) -> Option<BigInt> {
        if self.is_integer() { self.as_str().parse().ok() } else { None }
    }

    /// The nearest float.
    pub fn to_f64(&self) -> f64 {
        self.as_str().parse().unwrap_or(f64::NAN)
    }

    /// A float; none for NaN and the infinities, which are no values.
    pub fn from_f64(number: f64) -> Option<Self> {
        serde_json::Number::from_f64(number).map(Self)
    }
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        Self(number.into())
    }
}

impl From<&BigInt> for Number {
    fn from(number: &BigInt) -> Self {
        Self(serde_json::Number::from_string_unchecked(number.to_string()))
    }
}

impl From<serde_json::Number> for Number {
    fn from(number: serde_json::Number) -> Self {
        Self(number)
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        if self.as_str() == other.as_str() {
            return true;
        }
        match (self.to_integer(), other.to_integer()) {
            (Some(a), Some(b)) => a == b,
            _ => self.to_f64() == other.to_f64(),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Value {
        Value::from_data_json(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn numbers_are_equal_by_value_and_keep_their_form() {
        assert_eq!(read("1"), read("1.0"));
        assert_ne!(read("1"), read("true"));
        assert_ne!(read("100000000000000000001"), read("100000000000000000002"));
        assert_eq!(read("1.50").to_json().to_string(), "1.50");
        assert_eq!(
            read("123456789012345678901234567890").to_json().to_string(),
            "123456789012345678901234567890"
        );
    }

    #[test]
    fn records_are_unordered() {
        assert_eq!(read(r#"{"a": 1, "b": [2]}"#), read(r#"{"b": [2], "a": 1}"#));
        assert_ne!(read("[1, 2]"), read("[2, 1]"));
    }

    #[test]
    fn the_marker_is_missing_in_cells_and_lists_but_text_in_records() {
        assert!(read(r#""@#SKIP#@""#).is_skip());
        assert_eq!(read(r#"["@#SKIP#@"]"#), Value::list([Value::Skip]));
        assert_eq!(read(r#"{"a": "@#SKIP#@"}"#).to_json(), serde_json::json!({"a": "@#SKIP#@"}));
    }

    #[test]
    fn only_plan_text_makes_signs() {
        let json = serde_json::json!("%{file_location}1(a.txt)");
        assert!(matches!(Value::from_data_json(&json), Value::Text(_)));
        assert!(matches!(Value::from_plan_json(&json), Value::Sign(_)));
        assert_eq!(Value::from_plan_json(&json).to_json(), json);
    }
}
