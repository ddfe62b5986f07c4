//! Built-ins that order values: numbers by value (also as text), texts by code point.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use num_bigint::BigInt;
use num_traits::FromPrimitive;

use super::args::{Args, Flat};
use super::number::{Num, as_number};
use crate::base::{Value, text_of};
use crate::faculty::{Failure, FailureKind};

/// What a value is ordered by.
enum Key {
    Number(Num),
    Text(String),
}

impl Key {
    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.order(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
        }
    }
}

/// The keys of all values: numbers when every one reads as a number, else texts when every one is a text.
fn keys<'v>(args: &Args<'_>, values: impl Iterator<Item = &'v Value>) -> Result<Vec<Key>, Failure> {
    let values: Vec<&Value> = values.collect();
    let numbers: Option<Vec<_>> = values.iter().map(|v| as_number(v).map(Key::Number)).collect();
    if let Some(numbers) = numbers {
        return Ok(numbers);
    }
    values
        .into_iter()
        .map(|value| match value {
            Value::Text(text) => Ok(Key::Text(text.as_ref().to_owned())),
            _ => Err(args.wrong("only numbers or only texts", value)),
        })
        .collect()
}

fn extreme(args: &Args<'_>, wanted: Ordering) -> Result<Value, Failure> {
    let values = args.at_least(1)?;
    let mut best: Option<Key> = None;
    for key in keys(args, Flat::new(values))? {
        if best.as_ref().is_none_or(|b| key.order(b) == wanted) {
            best = Some(key);
        }
    }
    match best {
        Some(Key::Number(number)) => number.value().ok_or_else(|| args.too_large("a float can be")),
        Some(Key::Text(text)) => Ok(Value::text(text)),
        None => Err(Failure::new(
            FailureKind::BadArguments,
            format!("`{}` expects at least one value, got none", args.name()),
        )),
    }
}

pub(super) fn min(args: &Args<'_>) -> Result<Value, Failure> {
    extreme(args, Ordering::Less)
}

pub(super) fn max(args: &Args<'_>) -> Result<Value, Failure> {
    extreme(args, Ordering::Greater)
}

/// Whether the relation holds between two values. The relation may also stand between them.
pub(super) fn compare(args: &Args<'_>) -> Result<Value, Failure> {
    let (left, right, relation) = match args.all() {
        [left, right] => (left, right, "=="),
        [left, second, third] => match (relation(third), relation(second)) {
            (Some(relation), _) => (left, second, relation),
            (None, Some(relation)) => (left, third, relation),
            (None, None) => {
                return Err(args.wrong("one of `==`, `!=`, `<`, `<=`, `>`, `>=` as relation", third));
            }
        },
        _ => return Err(args.wrong_count()),
    };
    let order = match (as_number(left), as_number(right), left, right) {
        (Some(a), Some(b), _, _) => Some(a.order(&b)),
        (_, _, Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        _ => None,
    };
    let holds = match (relation, order) {
        ("==", None) => left == right,
        ("!=", None) => left != right,
        ("==", Some(order)) => order.is_eq(),
        ("!=", Some(order)) => order.is_ne(),
        ("<", Some(order)) => order.is_lt(),
        ("<=", Some(order)) => order.is_le(),
        (">", Some(order)) => order.is_gt(),
        (">=", Some(order)) => order.is_ge(),
        (_, _) => {
            let odd = if as_number(left).is_none() && !matches!(left, Value::Text(_)) { left } else { right };
            return Err(args.wrong("two numbers or two texts to order", odd));
        }
    };
    Ok(Value::Bool(holds))
}

fn relation(value: &Value) -> Option<&'static str> {
    let Value::Text(text) = value else { return None };
    ["==", "!=", "<", "<=", ">", ">="].into_iter().find(|r| *r == text.trim())
}

pub(super) fn sort(args: &Args<'_>) -> Result<Value, Failure> {
    let (items, descending) = match args.at_least(1)? {
        [Value::List(items), Value::Text(word)] if word.as_ref() == "descending" => (items.as_ref(), true),
        [Value::List(items), Value::Text(word)] if word.as_ref() == "ascending" => (items.as_ref(), false),
        [Value::List(items)] => (items.as_ref(), false),
        [Value::List(_), other] => return Err(args.wrong("`ascending` or `descending`", other)),
        values => (values, false),
    };
    let present = || items.iter().filter(|v| !v.is_skip());
    let keys = keys(args, present())?;
    let mut sorted: Vec<(Key, &Value)> = keys.into_iter().zip(present()).collect();
    sorted.sort_by(|(a, _), (b, _)| if descending { b.order(a) } else { a.order(b) });
    Ok(Value::list(sorted.into_iter().map(|(_, value)| value.clone())))
}

pub(super) fn unique(args: &Args<'_>) -> Result<Value, Failure> {
    let mut seen = BTreeSet::new();
    let items = args.items()?;
    Ok(Value::list(items.iter().filter(|v| !v.is_skip() && seen.insert(canonical(v))).cloned()))
}

/// A text that is the same for equal values: `1` and `1.0`, records in any order.
fn canonical(value: &Value) -> String {
    match value {
        Value::Number(number) => match as_number(value) {
            Some(Num::Float(float)) if float.fract() == 0.0 => {
                BigInt::from_f64(float).map_or_else(|| text_of(value), |n| n.to_string())
            }
            _ => number.to_integer().map_or_else(|| text_of(value), |n| n.to_string()),
        },
        Value::List(items) => {
            let items: Vec<_> = items.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        Value::Map(map) => {
            let mut entries: Vec<_> = map.iter().map(|(k, v)| format!("{k:?}:{}", canonical(v))).collect();
            entries.sort();
            format!("{{{}}}", entries.join(","))
        }
        Value::Text(text) => format!("{text:?}"),
        _ => text_of(value),
    }
}

#[cfg(test)]
mod tests {
    use crate::faculty::builtin::table::run;
    use serde_json::json;

    #[test]
    fn values_are_ordered_by_number_or_by_text() {
        let cases = [
            ("min", json!([[3, "2", 10]]), "2"),
            ("max", json!([3, "12", 10]), "12"),
            ("max", json!(["b", "a"]), "b"),
            ("min", json!([1.5, 1]), "1"),
            ("max", json!(["9007199254740993", 9007199254740992.0]), "9007199254740993"),
            ("compare", json!([1, 1.0]), "True"),
            ("compare", json!(["5", 5]), "True"),
            ("compare", json!(["a", "b"]), "False"),
            ("compare", json!([[1], [1.0]]), "True"),
            ("compare", json!([true, 1]), "False"),
            ("compare", json!([2, 10, "<"]), "True"),
            ("compare", json!(["2", "10", "<"]), "True"),
            ("compare", json!([2, ">=", 10]), "False"),
            ("compare", json!(["b", "a", ">"]), "True"),
            ("compare", json!([[1], [2], "!="]), "True"),
            ("sort", json!([[10, "9", 1.5]]), "[1.5, '9', 10]"),
            ("sort", json!([["b", "a", "10", "9"]]), "['10', '9', 'a', 'b']"),
            ("sort", json!([[1, 3, 2], "descending"]), "[3, 2, 1]"),
            ("sort", json!([3, 1, 2]), "[1, 2, 3]"),
            ("sort", json!([[]]), "[]"),
            (
                "unique",
                json!([[1, "1", 1.0, {"a": 1, "b": 2}, {"b": 2, "a": 1}, [1], [1], null, null]]),
                "[1, '1', {'a': 1, 'b': 2}, [1], None]",
            ),
        ];
        for (name, args, wanted) in cases {
            assert_eq!(run(name, args.clone()).as_deref(), Ok(wanted), "{name} {args}");
        }
    }

    #[test]
    fn what_has_no_order_is_refused() {
        let cases = [
            ("min", json!([[]]), "`min` expects at least one value, got none"),
            ("sort", json!([[1, "a"]]), "`sort` expects only numbers or only texts, got the number `1`"),
            ("sort", json!([[1], "up"]), "`sort` expects `ascending` or `descending`, got the text `up`"),
            (
                "compare",
                json!([[1], 2, "<"]),
                "`compare` expects two numbers or two texts to order, got the list `[1]`",
            ),
            (
                "compare",
                json!([1, 2, "=>"]),
                "`compare` expects one of `==`, `!=`, `<`, `<=`, `>`, `>=` as relation, got the text `=>`",
            ),
            ("compare", json!([1]), "`compare` expects LEFT RIGHT [RELATION], got 1 argument"),
        ];
        for (name, args, wanted) in cases {
            assert_eq!(run(name, args), Err(wanted.to_owned()));
        }
    }
}
