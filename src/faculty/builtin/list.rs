//! Built-ins on lists and maps.

use std::sync::Arc;

use num_traits::ToPrimitive;

use super::args::{Args, Flat};
use super::number::{Num, as_number};
use crate::base::nearest;
use crate::base::{Map, Value, text_of};
use crate::faculty::failure::shorten;
use crate::faculty::{Failure, FailureKind};

pub(super) fn pass(args: &Args<'_>) -> Result<Value, Failure> {
    match args.at_least(1)? {
        [value] => Ok(value.clone()),
        values => Ok(Value::list(values.iter().cloned())),
    }
}

pub(super) fn length(args: &Args<'_>) -> Result<Value, Failure> {
    let [value] = args.exactly::<1>()?;
    let length = match value {
        Value::Text(text) => text.chars().count(),
        Value::List(items) => items.len(),
        Value::Map(map) => map.len(),
        _ => return Err(args.wrong("a text, a list or a map", value)),
    };
    Ok(Value::Number(i64::try_from(length).unwrap_or(i64::MAX).into()))
}

pub(super) fn get(args: &Args<'_>) -> Result<Value, Failure> {
    let (container, key, default) = match args.all() {
        [container, key] => (container, key, None),
        [container, key, default] => (container, key, Some(default)),
        _ => return Err(args.wrong_count()),
    };
    match container {
        Value::Map(map) => {
            let key = args.text(key, "a text as key")?;
            map.get(key.as_ref()).or(default).cloned().ok_or_else(|| no_key(args, map, &key))
        }
        Value::List(items) => {
            let index = match as_number(key) {
                Some(Num::Small(index)) => index.to_isize(),
                Some(Num::Big(_)) => None,
                _ => return Err(args.wrong("an integer as index of a list", key)),
            };
            let at = index.and_then(|i| if i < 0 { items.len().checked_add_signed(i) } else { i.to_usize() });
            let item = at.and_then(|at| items.get(at));
            item.or(default).cloned().ok_or_else(|| {
                let (length, index) = (items.len(), shorten(&text_of(key)));
                let noun = if length == 1 { "item" } else { "items" };
                let message = format!("`{}` finds no item {index} in a list of {length} {noun}", args.name());
                Failure::new(FailureKind::BadArguments, message)
            })
        }
        _ => Err(args.wrong("a map or a list", container)),
    }
}

fn no_key(args: &Args<'_>, map: &Map, key: &str) -> Failure {
    let message = format!("`{}` finds no key `{}` in the map", args.name(), shorten(key));
    let failure = Failure::new(FailureKind::BadArguments, message);
    match nearest(key, map.keys().take(1000).map(|k| k.as_ref())) {
        Some(near) => failure.with_help(format!("did you mean `{}`?", shorten(near))),
        None => failure,
    }
}

pub(super) fn merge(args: &Args<'_>) -> Result<Value, Failure> {
    let mut merged = Map::new();
    for value in Flat::new(args.at_least(1)?) {
        let Value::Map(map) = value else { return Err(args.wrong("maps", value)) };
        merged.extend(map.iter().map(|(k, v)| (Arc::clone(k), v.clone())));
    }
    Ok(Value::Map(Arc::new(merged)))
}

#[cfg(test)]
mod tests {
    use crate::faculty::builtin::table::run;
    use serde_json::json;

    #[test]
    fn lists_and_maps() {
        let cases = [
            ("pass", json!([[1]]), "[1]"),
            ("pass", json!([1, "a"]), "[1, 'a']"),
            ("length", json!(["né"]), "2"),
            ("length", json!([[1, null]]), "2"),
            ("length", json!([{"a": 1}]), "1"),
            ("get", json!([{"a": [1]}, "a"]), "[1]"),
            ("get", json!([{"1": "x"}, 1]), "x"),
            ("get", json!([[1, 2], "-1"]), "2"),
            ("get", json!([[1, 2], 5, "none"]), "none"),
            ("get", json!([{"a": 1}, "b", null]), "None"),
            ("merge", json!([{"a": 1, "b": 1}, [{"b": 2}, {"c": 3}]]), "{'a': 1, 'b': 2, 'c': 3}"),
        ];
        for (name, args, wanted) in cases {
            assert_eq!(run(name, args.clone()).as_deref(), Ok(wanted), "{name} {args}");
        }
    }

    #[test]
    fn failures_name_what_is_missing() {
        let cases = [
            ("pass", json!([]), "`pass` expects VALUE..., got 0 arguments"),
            ("length", json!([5]), "`length` expects a text, a list or a map, got the number `5`"),
            ("get", json!([[1], 1]), "`get` finds no item 1 in a list of 1 item"),
            ("get", json!([[1], -2]), "`get` finds no item -2 in a list of 1 item"),
            ("get", json!([[1], "x"]), "`get` expects an integer as index of a list, got the text `x`"),
            ("get", json!([{"a": 1}, "b"]), "`get` finds no key `b` in the map"),
            ("get", json!(["text", 0]), "`get` expects a map or a list, got the text `text`"),
            ("merge", json!([{"a": 1}, 2]), "`merge` expects maps, got the number `2`"),
        ];
        for (name, args, wanted) in cases {
            assert_eq!(run(name, args), Err(wanted.to_owned()));
        }
    }
}
