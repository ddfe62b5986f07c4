//! A file of canned replies: TOML with `[[rule]]` tables, or JSON with one rule a line. Says what is wrong in it, and
//! where.

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value as Json};
use toml::de::{DeTable, DeValue};

use super::request::Usage;
use crate::base::{listed, nearest};
use crate::faculty::failure::shorten;
use crate::faculty::{Failure, FailureKind};

const KNOWN: [&str; 11] = [
    "match",
    "contains",
    "system",
    "model",
    "reply",
    "replies",
    "usage",
    "finish_reason",
    "says",
    "error",
    "message",
];

/// One rule.
#[derive(Debug)]
pub(super) struct Rule {
    /// Its line in the file.
    pub(super) line: u32,
    regex: Option<Regex>,
    contains: Vec<String>,
    system: Option<Regex>,
    model: Option<String>,
    /// By occurrence; the last one stands for all later ones. Never empty.
    replies: Vec<Reply>,
    pub(super) usage: Option<Usage>,
    pub(super) finish_reason: String,
    /// The model that it says it is.
    pub(super) says: Option<String>,
}

/// What a rule gives.
#[derive(Debug)]
pub(super) enum Reply {
    /// A text; `$1` and `${name}` are what the pattern captured, where the rule has one.
    Text(String),
    /// A value as JSON, taken as it is.
    Literal(String),
    /// A failure, for tests.
    Failure(FailureKind, Option<String>),
}

impl Rule {
    pub(super) fn fits(&self, prompt: &str, system: &str, models: &[&str]) -> bool {
        self.model.as_deref().is_none_or(|model| models.contains(&model))
            && self.contains.iter().all(|text| prompt.contains(text.as_str()))
            && self.system.as_ref().is_none_or(|regex| regex.is_match(system))
            && self.regex.as_ref().is_none_or(|regex| regex.is_match(prompt))
    }

    pub(super) fn reply(&self, occurrence: u32) -> &Reply {
        const NOTHING: &Reply = &Reply::Text(String::new());
        self.replies.get(occurrence as usize).or(self.replies.last()).unwrap_or(NOTHING)
    }

    /// A reply with what the pattern captured.
    pub(super) fn filled(&self, template: &str, prompt: &str) -> String {
        let mut out = String::new();
        match self.regex.as_ref().and_then(|regex| regex.captures(prompt)) {
            Some(captures) => captures.expand(template, &mut out),
            None => out.push_str(template),
        }
        out
    }

    /// What it looks for, as people read it.
    pub(super) fn pattern(&self) -> String {
        let parts = self.regex.iter().map(Regex::as_str).chain(self.contains.iter().map(String::as_str));
        parts.chain(self.system.iter().map(Regex::as_str)).collect::<Vec<_>>().join(" ")
    }
}

/// A rule as it stands in the file, with its line.
type Raw = (u32, Map<String, Json>);

/// A rule that is being read, with where it stands.
struct At<'a> {
    file: &'a str,
    line: u32,
}

impl At<'_> {
    fn failed(&self, message: impl Into<String>, help: impl Into<String>) -> Failure {
        Failure::new(FailureKind::BadConfiguration, message).with_help(help).at(self.file, Some(self.line))
    }
}

/// The rules of a file, in order.
pub(super) fn rules(text: &str, file: &str) -> Result<Vec<Rule>, Failure> {
    let lines = text.trim_start().starts_with('{') || file.ends_with(".jsonl");
    let found = if lines { json_lines(text, file)? } else { tables(text, file)? };
    found.into_iter().map(|(line, map)| rule(&map, &At { file, line })).collect()
}

fn json_lines(text: &str, file: &str) -> Result<Vec<Raw>, Failure> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let at = At { file, line: u32::try_from(number + 1).unwrap_or(u32::MAX) };
        match serde_json::from_str(line) {
            Ok(Json::Object(map)) => found.push((at.line, map)),
            Ok(_) => return Err(at.failed("a line of the replies is no map", "write `{\"reply\": \"...\"}`")),
            Err(error) => {
                let message = format!("a line of the replies is no JSON: {error}");
                return Err(at.failed(message, "write one rule a line, or TOML with [[rule]]"));
            }
        }
    }
    Ok(found)
}

fn tables(text: &str, file: &str) -> Result<Vec<Raw>, Failure> {
    let line = |at: usize| {
        let before = text.get(..at).unwrap_or(text);
        u32::try_from(before.bytes().filter(|b| *b == b'\n').count() + 1).unwrap_or(u32::MAX)
    };
    let root = DeTable::parse(text).map_err(|error| {
        let at = At { file, line: line(error.span().map_or(0, |span| span.start)) };
        let message = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
        at.failed(
            format!("the replies are no TOML: {message}"),
            "write [[rule]] tables, or JSON with one rule a line",
        )
    })?;
    let mut found = Vec::new();
    for (key, value) in root.get_ref().iter() {
        let at = At { file, line: line(key.span().start) };
        if key.get_ref() != "rule" {
            let message = format!("the replies have no setting `{}`", shorten(key.get_ref()));
            return Err(at.failed(message, "write [[rule]] above it"));
        }
        let Some(list) = value.get_ref().as_array() else {
            return Err(at.failed("`rule` is no list of tables", "write [[rule]] with two brackets"));
        };
        // Positions rise, so lines are counted on from the rule before.
        let (mut from, mut number) = (0, 1);
        for rule in list.iter() {
            let start = rule.span().start;
            number += text.get(from..start).unwrap_or("").bytes().filter(|b| *b == b'\n').count();
            from = from.max(start);
            let line = u32::try_from(number).unwrap_or(u32::MAX);
            match json(rule.get_ref(), 0) {
                Some(Json::Object(map)) => found.push((line, map)),
                _ => {
                    return Err(
                        At { file, line }.failed("a rule is no table of plain values", "write [[rule]]")
                    );
                }
            }
        }
    }
    Ok(found)
}

/// A TOML value as JSON; none for dates and for more depth than a reply has.
fn json(value: &DeValue<'_>, depth: usize) -> Option<Json> {
    if depth > 64 {
        return None;
    }
    Some(match value {
        DeValue::String(text) => Json::from(text.as_ref()),
        DeValue::Integer(number) => Json::from(i64::from_str_radix(number.as_str(), number.radix()).ok()?),
        DeValue::Float(number) => Json::from(number.as_str().parse::<f64>().ok()?),
        DeValue::Boolean(flag) => Json::from(*flag),
        DeValue::Datetime(_) => return None,
        DeValue::Array(list) => {
            list.iter().map(|v| json(v.get_ref(), depth + 1)).collect::<Option<Vec<_>>>()?.into()
        }
        DeValue::Table(table) => {
            let entries =
                table.iter().map(|(k, v)| Some((k.get_ref().to_string(), json(v.get_ref(), depth + 1)?)));
            Json::Object(entries.collect::<Option<Map<_, _>>>()?)
        }
    })
}

fn rule(map: &Map<String, Json>, at: &At<'_>) -> Result<Rule, Failure> {
    if let Some(key) = map.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        let help = match nearest(key, KNOWN) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known are {}", listed(KNOWN)),
        };
        return Err(at.failed(format!("a rule has no setting `{}`", shorten(key)), help));
    }
    let text = |key: &str| match map.get(key) {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text.clone())),
        Some(_) => {
            Err(at.failed(format!("`{key}` of a rule is no text"), format!("write `{key} = \"...\"`")))
        }
    };
    let regex = |key: &str| {
        let built = text(key)?.map(|pattern| RegexBuilder::new(&pattern).size_limit(1 << 22).build());
        built.transpose().map_err(|error| {
            let said = error.to_string().lines().last().unwrap_or("").replace("error: ", "");
            at.failed(
                format!("`{key}` of a rule is no pattern: {}", shorten(&said)),
                "write a regular expression",
            )
        })
    };
    let contains = match map.get("contains") {
        None => Vec::new(),
        Some(Json::String(text)) => vec![text.clone()],
        Some(Json::Array(list)) if list.iter().all(Json::is_string) => {
            list.iter().filter_map(Json::as_str).map(str::to_owned).collect()
        }
        Some(_) => return Err(at.failed("`contains` of a rule is no text", "write `contains = \"...\"`")),
    };
    let own = map.contains_key("error").then(|| failure(map, at)).transpose()?;
    let replies = match (map.get("reply"), map.get("replies"), own) {
        (Some(one), None, None) => vec![reply(one, at)?],
        (None, Some(Json::Array(list)), None) if !list.is_empty() => {
            list.iter().map(|one| reply(one, at)).collect::<Result<_, _>>()?
        }
        (None, None, Some(failure)) => vec![failure],
        _ => {
            return Err(at.failed(
                "a rule gives not exactly one of `reply`, `replies` and `error`",
                "write `reply = \"...\"`, or `replies = [\"first\", \"then\"]`",
            ));
        }
    };
    let usage = match map.get("usage") {
        None => None,
        Some(usage) => {
            let count = |key: &str| usage.get(key).and_then(Json::as_u64);
            let only = usage.as_object().is_some_and(|map| map.len() == 2);
            match (count("prompt"), count("completion"), only) {
                (Some(prompt_tokens), Some(completion_tokens), true) => {
                    Some(Usage { prompt_tokens, completion_tokens, estimated: false })
                }
                _ => {
                    let help = "write `usage = { prompt = 10, completion = 5 }`";
                    return Err(at.failed("`usage` of a rule cannot be read", help));
                }
            }
        }
    };
    Ok(Rule {
        line: at.line,
        regex: regex("match")?,
        contains,
        system: regex("system")?,
        model: text("model")?,
        replies,
        usage,
        finish_reason: text("finish_reason")?.unwrap_or_else(|| "stop".to_owned()),
        says: text("says")?,
    })
}

/// One reply: a text, a failure, or any other value as JSON.
fn reply(value: &Json, at: &At<'_>) -> Result<Reply, Failure> {
    match value {
        Json::String(text) => Ok(Reply::Text(text.clone())),
        Json::Object(map)
            if map.contains_key("error") && map.keys().all(|k| k == "error" || k == "message") =>
        {
            failure(map, at)
        }
        other => Ok(Reply::Literal(other.to_string())),
    }
}

fn failure(map: &Map<String, Json>, at: &At<'_>) -> Result<Reply, Failure> {
    let word = map.get("error").and_then(Json::as_str).unwrap_or("");
    let Some(kind) = FailureKind::from_word(word) else {
        let help = match nearest(word, FailureKind::ALL.map(FailureKind::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write a kind such as `model_unreachable`".to_owned(),
        };
        return Err(at.failed(format!("there is no failure `{}`", shorten(word)), help));
    };
    Ok(Reply::Failure(kind, map.get("message").and_then(Json::as_str).map(str::to_owned)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_say_the_same() {
        let toml = "\n[[rule]]\ncontains = \"a\"\nreply = \"b\"\n\n[[rule]]\nerror = \"model_unreachable\"\n";
        let json = "\n{\"contains\": \"a\", \"reply\": \"b\"}\n\n\n\n{\"error\": \"model_unreachable\"}\n";
        let read =
            |text| rules(text, "f").unwrap().iter().map(|rule| format!("{rule:?}")).collect::<Vec<_>>();
        assert_eq!(read(toml), read(json));
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        let cases = [
            ("[[rule]]\nrepy = \"a\"", "no setting `repy`", "did you mean `reply`?"),
            ("[[rule]]\n", "not exactly one", "reply"),
            ("[[rule]]\nreply = 1\nreplies = []", "not exactly one", "reply"),
            ("[[rule]]\nmatch = \"(\"\nreply = \"a\"", "is no pattern", "regular expression"),
            ("[[rule]]\ncontains = 3\nreply = \"a\"", "`contains`", "contains = "),
            ("[[rule]]\nusage = 3\nreply = \"a\"", "`usage`", "prompt = 10"),
            ("[[rule]]\nerror = \"model_unreachabel\"", "no failure", "did you mean `model_unreachable`?"),
            ("[rule]\nreply = \"a\"", "no list of tables", "two brackets"),
            ("reply = \"a\"", "no setting `reply`", "[[rule]]"),
            ("[[rule]]\nreply = ", "no TOML", "[[rule]]"),
            ("{\"reply\": 1", "no JSON", "one rule a line"),
        ];
        for (text, message, help) in cases {
            let failure = rules(&format!("\n{text}"), "f").unwrap_err();
            assert_eq!(failure.kind, FailureKind::BadConfiguration, "{text}");
            assert!(failure.message.contains(message), "{text}: {failure}");
            assert!(failure.help.as_deref().unwrap().contains(help), "{text}: {failure:?}");
            assert!(
                failure.line().is_some_and(|line| (2..=3).contains(&line)),
                "{text}: {:?}",
                failure.line()
            );
        }
    }
}
