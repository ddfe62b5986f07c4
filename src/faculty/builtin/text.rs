//! Built-ins on texts.

use std::sync::Arc;

use super::args::{Args, TEXT_LIMIT};
use crate::base::{Value, text_of, write_text};
use crate::faculty::failure::shorten;
use crate::faculty::{Failure, FailureKind};

/// Characters a pattern of `match` may have.
const PATTERN_LIMIT: usize = 1000;

pub(super) fn concat(args: &Args<'_>) -> Result<Value, Failure> {
    let values = args.at_least(1)?;
    let lists: Option<Vec<_>> =
        values.iter().map(|v| if let Value::List(items) = v { Some(items.iter()) } else { None }).collect();
    if let Some(lists) = lists {
        return Ok(Value::list(lists.into_iter().flatten().cloned()));
    }
    joined(args, values, "")
}

pub(super) fn join(args: &Args<'_>) -> Result<Value, Failure> {
    let (first, separator) = args.one_or_two()?;
    let separator = separator.map(|s| args.text(s, "a text as separator")).transpose()?;
    let items = match first {
        Value::List(items) => items.as_ref(),
        Value::Text(_) | Value::Number(_) | Value::Bool(_) => std::slice::from_ref(first),
        _ => return Err(args.wrong("a list", first)),
    };
    joined(args, items, separator.as_deref().unwrap_or(", "))
}

fn joined(args: &Args<'_>, items: &[Value], separator: &str) -> Result<Value, Failure> {
    let mut text = String::new();
    for (i, item) in items.iter().filter(|v| !v.is_skip()).enumerate() {
        if i > 0 {
            text.push_str(separator);
        }
        write_text(item, &mut text);
        args.check_size(text.len())?;
    }
    Ok(Value::text(text))
}

pub(super) fn split(args: &Args<'_>) -> Result<Value, Failure> {
    let (first, separator) = args.one_or_two()?;
    let text = args.text(first, "a text")?;
    let Some(separator) = separator else {
        return Ok(Value::list(text.split_whitespace().map(Value::text)));
    };
    let separator = args.text(separator, "a text as separator")?;
    if separator.is_empty() {
        return Err(empty(args, "separator"));
    }
    Ok(Value::list(text.split(separator.as_ref()).map(Value::text)))
}

pub(super) fn lines(args: &Args<'_>) -> Result<Value, Failure> {
    let [value] = args.exactly::<1>()?;
    let text = args.text(value, "a text")?;
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    Ok(Value::list(text.lines().map(Value::text)))
}

pub(super) fn to_json(args: &Args<'_>) -> Result<Value, Failure> {
    let [value] = args.exactly::<1>()?;
    let text = value.to_json().to_string();
    args.check_size(text.len())?;
    Ok(Value::text(text))
}

pub(super) fn from_json(args: &Args<'_>) -> Result<Value, Failure> {
    let [value] = args.exactly::<1>()?;
    let text = args.text(value, "a JSON text")?;
    match serde_json::from_str(&text) {
        Ok(json) => Ok(Value::from_data_json(&json)),
        Err(error) => {
            let message = format!("`{}` expects a JSON text, got `{}`: {error}", args.name(), shorten(&text));
            Err(Failure::new(FailureKind::BadArguments, message))
        }
    }
}

pub(super) fn upper(args: &Args<'_>) -> Result<Value, Failure> {
    each(args, &|text| text.to_uppercase().into())
}

pub(super) fn lower(args: &Args<'_>) -> Result<Value, Failure> {
    each(args, &|text| text.to_lowercase().into())
}

pub(super) fn trim(args: &Args<'_>) -> Result<Value, Failure> {
    each(args, &|text| text.trim().into())
}

/// The change made to a text, or to each item of a list.
fn each(args: &Args<'_>, change: &dyn Fn(&str) -> Arc<str>) -> Result<Value, Failure> {
    let [value] = args.exactly::<1>()?;
    let one = |value: &Value| match value {
        Value::Skip => Ok(Value::Skip),
        value => Ok(Value::Text(change(&args.text(value, "a text or a list of texts")?))),
    };
    match value {
        Value::List(items) => Ok(Value::List(items.iter().map(one).collect::<Result<_, Failure>>()?)),
        value => one(value),
    }
}

pub(super) fn replace(args: &Args<'_>) -> Result<Value, Failure> {
    let [text, old, new] = args.exactly::<3>()?;
    let text = args.text(text, "a text")?;
    let old = args.text(old, "a text to replace")?;
    let new = args.text(new, "a text to put in")?;
    if old.is_empty() {
        return Err(empty(args, "text to replace"));
    }
    if new.len() > old.len() {
        let growth = text.matches(old.as_ref()).count().checked_mul(new.len() - old.len());
        let size = growth.and_then(|g| g.checked_add(text.len())).unwrap_or(TEXT_LIMIT + 1);
        args.check_size(size)?;
    }
    Ok(Value::text(text.replace(old.as_ref(), &new)))
}

fn empty(args: &Args<'_>, what: &str) -> Failure {
    Failure::new(FailureKind::BadArguments, format!("`{}` got an empty text as {what}", args.name()))
}

pub(super) fn matches(args: &Args<'_>) -> Result<Value, Failure> {
    let [value, pattern] = args.exactly::<2>()?;
    let text = match value {
        Value::Text(text) => text.as_ref().to_owned(),
        _ => text_of(value),
    };
    let pattern = read_pattern(&args.text(pattern, "a text as pattern")?);
    if pattern.len() > PATTERN_LIMIT {
        let message = format!("`{}` got a pattern of more than {PATTERN_LIMIT} characters", args.name());
        return Err(Failure::new(FailureKind::BadArguments, message));
    }
    Ok(Value::Bool(fits(&text.chars().collect::<Vec<_>>(), &pattern)))
}

#[derive(PartialEq)]
enum Part {
    Run,
    One,
    Exactly(char),
}

fn read_pattern(pattern: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        let part = match c {
            '*' => Part::Run,
            '?' => Part::One,
            '\\' => match chars.next_if(|c| matches!(c, '*' | '?' | '\\')) {
                Some(escaped) => Part::Exactly(escaped),
                None => Part::Exactly('\\'),
            },
            c => Part::Exactly(c),
        };
        // Neighbouring runs are one run.
        if part != Part::Run || parts.last() != Some(&Part::Run) {
            parts.push(part);
        }
    }
    parts
}

/// Whether the whole text fits. Only the last run is ever reconsidered, so the cost is at most the product of the
/// lengths.
fn fits(text: &[char], pattern: &[Part]) -> bool {
    let (mut t, mut p) = (0, 0);
    let mut run: Option<(usize, usize)> = None;
    while let Some(c) = text.get(t) {
        match pattern.get(p) {
            Some(Part::Run) => {
                run = Some((t, p));
                p += 1;
                continue;
            }
            Some(Part::One) => {}
            Some(Part::Exactly(e)) if e == c => {}
            _ => match &mut run {
                Some((from, at)) => {
                    *from += 1;
                    t = *from;
                    p = *at + 1;
                    continue;
                }
                None => return false,
            },
        }
        t += 1;
        p += 1;
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|part| *part == Part::Run))
}

#[cfg(test)]
mod tests {
    use crate::faculty::builtin::table::run;
    use serde_json::json;

    #[test]
    fn texts() {
        let cases = [
            ("concat", json!(["a", 1, [true]]), "a1[True]"),
            ("concat", json!([[1], [2, [3]]]), "[1, 2, [3]]"),
            ("join", json!([["a", 1, 2.0]]), "a, 1, 2.0"),
            ("join", json!([["a", "b"], "\n"]), "a\nb"),
            ("join", json!([[], "-"]), ""),
            ("split", json!([" a  b "]), "['a', 'b']"),
            ("split", json!(["a,,b", ","]), "['a', '', 'b']"),
            ("lines", json!(["a\r\nb\r\n\nc"]), "['a', 'b', '', 'c']"),
            ("lines", json!([""]), "[]"),
            ("to_json", json!([{"a": [1, null, "é"]}]), r#"{"a":[1,null,"é"]}"#),
            ("from_json", json!([r#"{"a": [1, 1.50]}"#]), "{'a': [1, 1.5]}"),
            ("from_json", json!(["\"%{file_location}(x)\""]), "%{file_location}(x)"),
            ("upper", json!(["straße"]), "STRASSE"),
            ("lower", json!([["A", "B"]]), "['a', 'b']"),
            ("trim", json!(["\n a "]), "a"),
            ("replace", json!(["aXbX", "X", "--"]), "a--b--"),
            ("match", json!(["report.txt", "*.txt"]), "True"),
            ("match", json!(["report.txt", "report"]), "False"),
            ("match", json!(["report", "report"]), "True"),
            ("match", json!(["what?", "what\\?"]), "True"),
            ("match", json!(["whatx", "what\\?"]), "False"),
            ("match", json!(["", "**"]), "True"),
            ("match", json!(["", "?"]), "False"),
            ("match", json!(["né!", "n??"]), "True"),
            ("match", json!(["mississippi", "m*iss*ip*"]), "True"),
            ("match", json!(["mississippi", "m*iss*ipx*"]), "False"),
        ];
        for (name, args, wanted) in cases {
            assert_eq!(run(name, args.clone()).as_deref(), Ok(wanted), "{name} {args}");
        }
    }

    #[test]
    fn failures() {
        let cases = [
            ("split", json!(["a", ""]), "`split` got an empty text as separator"),
            ("replace", json!(["a", "", "b"]), "`replace` got an empty text as text to replace"),
            ("replace", json!(["a"]), "`replace` expects TEXT OLD NEW, got 1 argument"),
            ("lines", json!([[1]]), "`lines` expects a text, got the list `[1]`"),
            ("join", json!([{"a": 1}]), "`join` expects a list, got the map `{'a': 1}`"),
            (
                "from_json",
                json!(["{"]),
                "`from_json` expects a JSON text, got `{`: EOF while parsing an object at line 1 column 1",
            ),
            ("upper", json!([[[1]]]), "`upper` expects a text or a list of texts, got the list `[1]`"),
        ];
        for (name, args, wanted) in cases {
            assert_eq!(run(name, args), Err(wanted.to_owned()));
        }
        let failure = run("from_json", json!(["[".repeat(10_000)])).unwrap_err();
        assert!(failure.contains("recursion limit"), "{failure}");
        let long = "a".repeat(100_000);
        assert!(run("replace", json!([long, "a", long])).unwrap_err().contains("64 MiB"));
    }

    #[test]
    fn patterns_do_not_blow_up() {
        let text = "a".repeat(100_000);
        let pattern = "*a".repeat(400) + "b";
        assert_eq!(run("match", json!([text, pattern])).as_deref(), Ok("False"));
        assert!(run("match", json!([text, "a?".repeat(600)])).unwrap_err().contains("1000 characters"));
    }
}
