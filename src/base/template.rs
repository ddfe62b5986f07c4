//! Prompt templates: `$name` and `${name}`, filled in one pass (semantics spec, section 1.4).
//!
//! What is filled in is never looked at again, so data cannot bring placeholders of its own.

use std::collections::BTreeSet;

use super::{Map, Value, text_of};

/// Fills the placeholders of a template. Names that `lookup` does not know, and what is no placeholder, stay as they
/// stand; `$$` is a dollar sign.
pub fn substitute(template: &str, lookup: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
            continue;
        }
        let (braced, inner) = rest.strip_prefix('{').map_or((false, rest), |inner| (true, inner));
        let (name, after) = inner.split_at(name_length(inner));
        let after = if braced { after.strip_prefix('}') } else { Some(after) };
        match after.filter(|_| !name.is_empty()).and_then(|after| Some((lookup(name)?, after))) {
            Some((text, after)) => {
                out.push_str(&text);
                rest = after;
            }
            None => out.push('$'),
        }
    }
    out.push_str(rest);
    out
}

/// The names of the placeholders of a template, in the order of their first appearance.
pub fn placeholders(template: &str) -> Vec<String> {
    let names = std::cell::RefCell::new(indexmap::IndexSet::new());
    substitute(template, &|name| {
        names.borrow_mut().insert(name.to_owned());
        Some(String::new())
    });
    names.into_inner().into_iter().collect()
}

/// Fills a template with the inputs, those it does not name bundled into one variable.
///
/// Bundled are the inputs `input_...` that do not occur as `$input_N` or `${input_N}`, by number, then by name; each as
/// `<file_k>` with its text. Of a map, the entry `content`, `data`, `text` or `body` is the text (the last of several)
/// and the other entries are attributes.
pub fn smart_substitute(template: &str, inputs: &Map, bundle: &str) -> String {
    let named = numbered(template);
    let mut rest: Vec<(u64, &str, &Value)> = inputs
        .iter()
        .filter(|(name, _)| name.starts_with("input_") && !named.contains(name.as_ref()))
        .map(|(name, value)| (number(name), name.as_ref(), value))
        .collect();
    rest.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
    let files: Vec<String> = rest.iter().enumerate().map(|(i, (_, _, value))| file(i + 1, value)).collect();
    let files = files.join("\n\n");
    substitute(template, &|name| {
        if name == bundle { Some(files.clone()) } else { inputs.get(name).map(text_of) }
    })
}

fn name_length(text: &str) -> usize {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    if starts { end } else { 0 }
}

/// The names `input_N` that a template mentions behind a dollar sign.
fn numbered(template: &str) -> BTreeSet<&str> {
    template
        .split('$')
        .skip(1)
        .filter_map(|part| {
            let part = part.strip_prefix('{').unwrap_or(part);
            let digits = part.strip_prefix("input_")?;
            let length = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
            if length == 0 { None } else { part.get(.."input_".len() + length) }
        })
        .collect()
}

/// The number of `input_N`; names without one come last.
fn number(name: &str) -> u64 {
    name.strip_prefix("input_").and_then(|digits| digits.parse().ok()).unwrap_or(u64::MAX)
}

fn file(number: usize, value: &Value) -> String {
    let Value::Map(map) = value else {
        return format!("<file_{number}>\n{}\n</file_{number}>", text_of(value));
    };
    let mut attributes = String::new();
    let mut inner = None;
    for (key, entry) in map.iter() {
        if matches!(key.as_ref(), "content" | "data" | "text" | "body") {
            inner = Some(text_of(entry));
        } else {
            attributes.push_str(&format!(" {key}=\"{}\"", text_of(entry)));
        }
    }
    match inner {
        Some(text) => format!("<file_{number}{attributes}>\n{text}\n</file_{number}>"),
        None => format!("<file_{number}{attributes} />"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn placeholders_are_filled_once() {
        let lookup = |name: &str| match name {
            "a" => Some("A".to_owned()),
            "b_1" => Some("$a".to_owned()),
            _ => None,
        };
        let cases = [
            ("$a${a}$a.", "AAA."),
            ("$b_1", "$a"),
            ("$$a $$$a", "$a $A"),
            ("$ab ${a $ ${} ${ a} $1 $", "$ab ${a $ ${} ${ a} $1 $"),
            ("${$a}", "${A}"),
            ("$aé", "Aé"),
        ];
        for (template, wanted) in cases {
            assert_eq!(substitute(template, &lookup), wanted, "{template}");
        }
        assert_eq!(placeholders("$b $a ${b} $$c ${d"), ["b", "a"]);
    }

    #[test]
    fn bundles_are_ordered_by_number() {
        let inputs: Map =
            (1..=11).map(|n| (Arc::from(format!("input_{n}")), Value::Number(n.into()))).collect();
        let text = smart_substitute("$input_1 ${input_11} $input_other", &inputs, "input_other");
        assert!(text.starts_with("1 11 <file_1>\n2\n</file_1>\n\n<file_2>\n3\n"));
        assert!(text.ends_with("<file_9>\n10\n</file_9>"));
    }
}
