//! Takes secrets out of texts (semantics spec, section 16; durability spec, section 8, S5). Knows nothing of what the
//! texts are for.

use std::borrow::Cow;
use std::fmt;
use std::mem;
use std::ops::Range;
use std::sync::Arc;

use regex::{Regex, RegexBuilder};
use serde_json::Value as Json;

use super::forms::pattern_of;
use super::key::Secret;
use super::shapes::{REDACTED, without_credentials};
use crate::base::Value;
use crate::faculty::{Failure, FailureKind, Place};

/// How much memory the compiled patterns may take; many long keys stay far below.
const PROGRAM_LIMIT: usize = 256 << 20;

/// A piece of a secret at the end of a text that was cut is taken out when it has so many characters.
const SHORTEST_PIECE: usize = 10;

/// Knows the secrets of a run and takes them out of texts. One scan in linear time; without secrets, nothing is
/// done.
///
/// What is found of a key `k`:
///
/// | form | |
/// |---|---|
/// | `k` as it is | anywhere, also inside of other words |
/// | escaped in JSON or a program's text | `\/`, `\"`, `\u0041`, with any number of backslashes: JSON in JSON |
/// | encoded in a URL | `%2F`, `%2f`, and encoded again: `%252F`; every character may be encoded or not |
/// | as a page has it | `&quot;`, `&#34;`, `&#x22;`, and escaped again: `&amp;quot;` |
/// | base64, both alphabets | of `k`, of `:k`, of `user:k` and of any other text with `k` in it |
/// | hexadecimal | in either case |
/// | a piece of it | at the beginning or end of a text that was cut there, 10 characters or more |
///
/// Not found: a key that is split into several texts, base64 that is broken into lines, anything encrypted or
/// compressed. Texts are to be redacted whole, before they are shortened or put into lines.
///
/// A text that is JSON stays JSON.
#[derive(Clone, Default)]
pub struct Redactor {
    secrets: Vec<Secret>,
    pattern: Option<Regex>,
}

/// The secrets are not shown: not even how long they are.
impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redactor({})", self.secrets.len())
    }
}

impl Redactor {
    /// A redactor for these secrets; words of fewer than 6 characters are none.
    ///
    /// # Errors
    /// `bad_configuration` when there are so many of them that no scan could be made.
    pub fn new(secrets: impl IntoIterator<Item = Secret>) -> Result<Self, Failure> {
        let mut secrets: Vec<Secret> = secrets.into_iter().filter(Secret::is_secret).collect();
        // The longer one first: where one secret is the beginning of another, the whole of it goes.
        secrets.sort_by(|a, b| (b.expose().len(), a.expose()).cmp(&(a.expose().len(), b.expose())));
        secrets.dedup_by(|a, b| a.expose() == b.expose());
        if secrets.is_empty() {
            return Ok(Self::default());
        }
        let forms: Vec<String> = secrets.iter().map(|secret| pattern_of(secret.expose())).collect();
        // The error of the library would show the pattern, so nothing of it is passed on.
        let pattern =
            RegexBuilder::new(&forms.join("|")).unicode(false).size_limit(PROGRAM_LIMIT).build().map_err(
                |_| {
                    let message = format!("{} keys are too many to keep out of all texts", secrets.len());
                    Failure::new(FailureKind::BadConfiguration, message)
                        .with_help("configure only the providers that the plan uses")
                },
            )?;
        Ok(Self { secrets, pattern: Some(pattern) })
    }

    /// Returns whether there is nothing to take out.
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// The text without the secrets; borrowed when there were none in it.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let Some(pattern) = &self.pattern else { return Cow::Borrowed(text) };
        let mut ranges: Vec<Range<usize>> = Vec::new();
        ranges.extend(self.piece_at_start(text));
        for found in pattern.find_iter(text) {
            let done = ranges.last().map_or(0, |range| range.end);
            if found.end() > done {
                ranges.push(escape_start(text, found.start()).max(done)..found.end());
            }
        }
        if let Some(piece) = self.piece_at_end(text) {
            let done = ranges.last().map_or(0, |range| range.end);
            if piece.end > done {
                ranges.push(piece.start.max(done)..piece.end);
            }
        }
        if ranges.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut clean = String::with_capacity(text.len());
        let mut done = 0;
        for range in ranges {
            clean.push_str(text.get(done..range.start).unwrap_or(""));
            clean.push_str(REDACTED);
            done = range.end;
        }
        clean.push_str(text.get(done..).unwrap_or(""));
        Cow::Owned(clean)
    }

    /// A text that another program wrote, such as a server's message, also without what looks like a key of someone
    /// else: `Authorization: Bearer ...`, `api_key=...`, `https://user:password@host`. Works without secrets too.
    pub fn redact_foreign<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.redact(text) {
            Cow::Borrowed(text) => without_credentials(text),
            Cow::Owned(text) => Cow::Owned(without_credentials(&text).into_owned()),
        }
    }

    /// Takes the secrets out of all texts and names of a JSON value.
    pub fn redact_json(&self, value: &mut Json) {
        if self.is_empty() {
            return;
        }
        // A stack of its own: how deep the value is, its maker decided.
        let mut todo = vec![value];
        while let Some(value) = todo.pop() {
            match value {
                Json::String(text) => {
                    if let Cow::Owned(clean) = self.redact(text) {
                        *text = clean;
                    }
                }
                Json::Array(items) => todo.extend(items),
                Json::Object(map) => {
                    if map.keys().any(|name| matches!(self.redact(name), Cow::Owned(_))) {
                        let entries = mem::take(map).into_iter();
                        *map =
                            entries.map(|(name, value)| (self.redact(&name).into_owned(), value)).collect();
                    }
                    todo.extend(map.values_mut());
                }
                Json::Null | Json::Bool(_) | Json::Number(_) => {}
            }
        }
    }

    /// A value whose texts and names are all without secrets. How deep it is was limited when it was read.
    #[must_use]
    pub fn redact_value(&self, value: Value) -> Value {
        match self.clean_value(&value) {
            Some(clean) => clean,
            None => value,
        }
    }

    /// None when there is nothing to take out.
    fn clean_value(&self, value: &Value) -> Option<Value> {
        if self.is_empty() {
            return None;
        }
        match value {
            Value::Text(text) => match self.redact(text) {
                Cow::Borrowed(_) => None,
                Cow::Owned(clean) => Some(Value::text(clean)),
            },
            Value::List(items) => {
                let clean: Vec<Option<Value>> = items.iter().map(|item| self.clean_value(item)).collect();
                clean.iter().any(Option::is_some).then(|| {
                    let items = clean.into_iter().zip(items.iter());
                    Value::list(items.map(|(clean, item)| clean.unwrap_or_else(|| item.clone())))
                })
            }
            Value::Map(map) => {
                let clean: Vec<(Cow<'_, str>, Option<Value>)> =
                    map.iter().map(|(name, value)| (self.redact(name), self.clean_value(value))).collect();
                let dirty =
                    clean.iter().any(|(name, value)| matches!(name, Cow::Owned(_)) || value.is_some());
                dirty.then(|| {
                    let entries = clean.into_iter().zip(map.values());
                    let entries = entries.map(|((name, clean), value)| {
                        (Arc::from(name), clean.unwrap_or_else(|| value.clone()))
                    });
                    Value::Map(Arc::new(entries.collect()))
                })
            }
            Value::Skip | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Sign(_) => None,
        }
    }

    /// A failure whose texts are all without secrets.
    #[must_use]
    pub fn redact_failure(&self, mut failure: Failure) -> Failure {
        if self.is_empty() {
            return failure;
        }
        let boxed = |text: Option<Box<str>>| text.map(|t| self.redact(&t).into_owned().into_boxed_str());
        failure.message = self.redact(&failure.message).into_owned();
        failure.help = boxed(failure.help);
        failure.trace = boxed(failure.trace);
        failure.place =
            failure.place.map(|place| Place { path: self.redact(&place.path).into(), line: place.line });
        if let Some(output) = &mut failure.output {
            output.stdout = self.redact(&output.stdout).into_owned();
            output.stderr = self.redact(&output.stderr).into_owned();
        }
        failure
    }

    /// The last part of a secret with which a text begins.
    fn piece_at_start(&self, text: &str) -> Option<Range<usize>> {
        let marks = text.len() - text.trim_start_matches(['…', '.']).len();
        let text = text.get(marks..)?;
        let longest = |secret: &Secret| {
            let secret = secret.expose();
            (SHORTEST_PIECE..secret.len())
                .rev()
                .find(|n| secret.get(secret.len() - n..).is_some_and(|piece| text.starts_with(piece)))
        };
        self.secrets.iter().filter_map(longest).max().map(|length| marks..marks + length)
    }

    /// The first part of a secret with which a text ends, before a mark that it was cut.
    fn piece_at_end(&self, text: &str) -> Option<Range<usize>> {
        let text = text.trim_end_matches(['…', '.']);
        let longest = |secret: &Secret| {
            let secret = secret.expose();
            (SHORTEST_PIECE..secret.len())
                .rev()
                .find(|n| secret.get(..*n).is_some_and(|piece| text.ends_with(piece)))
        };
        self.secrets.iter().filter_map(longest).max().map(|length| text.len() - length..text.len())
    }
}

/// The place from which a text can be cut out without breaking an escape: where `start` stands inside of `\n` or
/// `\u00e9`, the backslash before it.
fn escape_start(text: &str, start: usize) -> usize {
    let before = text.as_bytes().get(..start).unwrap_or_default();
    let digits = before.iter().rev().take(3).take_while(|b| b.is_ascii_hexdigit()).count();
    let escapes = |end: usize| {
        let slashes = before.get(..end).unwrap_or_default().iter().rev().take_while(|b| **b == b'\\').count();
        slashes % 2 == 1
    };
    for back in 0..=digits {
        if let Some(u) = before.len().checked_sub(back + 1)
            && before.get(u) == Some(&b'u')
            && escapes(u)
        {
            return u - 1;
        }
    }
    if escapes(before.len()) { start - 1 } else { start }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::faculty::Output;

    fn secret(text: &str) -> Secret {
        Secret::new(text, &"a test").ok().unwrap()
    }

    fn redactor(keys: &[&str]) -> Redactor {
        Redactor::new(keys.iter().map(|key| secret(key))).unwrap()
    }

    /// Base64 as RFC 4648 has it, with the bit twiddling of a textbook: not the code that is tested.
    fn base64(bytes: &[u8], url: bool) -> String {
        let plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let alphabet: Vec<char> = plain.chars().chain(if url { ['-', '_'] } else { ['+', '/'] }).collect();
        let mut text = String::new();
        for three in bytes.chunks(3) {
            let byte = |at: usize| three.get(at).copied().map_or(0, usize::from);
            let all = byte(0) << 16 | byte(1) << 8 | byte(2);
            for digit in 0..4 {
                text.push(if digit <= three.len() { alphabet[all >> (18 - 6 * digit) & 63] } else { '=' });
            }
        }
        text
    }

    fn percent(text: &str, also_letters: bool) -> String {
        let safe = |b: u8| !also_letters && (b.is_ascii_alphanumeric() || b"-_.~".contains(&b));
        text.bytes().map(|b| if safe(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
    }

    /// All the disguises; those that a test undoes again stand beside their undoing.
    fn disguised(key: &str, way: usize) -> String {
        let json = |text: &str| Json::from(text).to_string();
        match way {
            0 => key.to_owned(),
            1 => json(key),
            2 => json(&json(key)),
            3 => json(&json(&json(key))),
            4 => percent(key, false),
            5 => percent(key, true),
            6 => percent(&percent(key, true), false),
            7 => percent(key, true).to_lowercase(),
            8 => key.bytes().map(|b| format!("\\u{b:04x}")).collect(),
            9 => json(&key.bytes().map(|b| format!("\\u{b:04X}")).collect::<String>()),
            10 => key.replace('/', "\\/"),
            11 => base64(key.as_bytes(), false),
            12 => base64(format!(":{key}").as_bytes(), false),
            13 => base64(format!("user:{key}@x").as_bytes(), true),
            14 => base64(format!("ab{key}").as_bytes(), false),
            15 => json(&base64(key.as_bytes(), false).replace('/', "\\/")),
            16 => percent(&base64(format!("u:{key}").as_bytes(), false), false),
            17 => key.bytes().map(|b| format!("{b:02x}")).collect(),
            18 => key.bytes().map(|b| format!("{b:02X}")).collect(),
            19 => format!("Authorization: Bearer {key}"),
            20 => key.bytes().map(|b| format!("&#{b};")).collect(),
            21 => {
                key.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('\'', "&#39;")
            }
            _ => format!("https://host/?key={}&x=1", percent(key, false)),
        }
    }
    const WAYS: usize = 23;

    #[test]
    fn every_disguise_is_seen_through() {
        let key = "sk-A/b+c\"d\\e=f%g:h~i&'<j";
        let redactor = redactor(&[key]);
        for way in 0..WAYS {
            let text = disguised(key, way);
            for around in ["", "xyz", "…", "\\", "n ", "\"", "é"] {
                let clean = redactor.redact(&format!("{around}{text}{around}")).into_owned();
                assert!(clean.contains(REDACTED), "{way}: {text} became {clean}");
                let pieces: String = clean.replace(REDACTED, "").replace(around, "");
                assert!(pieces.len() <= 24, "{way}: {clean}");
                assert!(!clean.contains(&text), "{way}: {clean}");
            }
        }
    }

    #[test]
    fn texts_without_secrets_are_not_touched() {
        let redactor = redactor(&["sk-123456", "other-key"]);
        for text in ["", "sk-12345", "sk-123457 and sk_123456", "[redacted]", "%73k", "\\\\\\", "日本語"] {
            assert!(matches!(redactor.redact(text), Cow::Borrowed(_)), "{text}");
        }
        let nothing = Redactor::default();
        assert!(nothing.is_empty());
        assert!(matches!(nothing.redact("sk-123456"), Cow::Borrowed(_)));
        assert_eq!(
            nothing.redact_foreign("Authorization: Bearer abcdef012"),
            "Authorization: Bearer [redacted]"
        );
    }

    #[test]
    fn a_word_that_is_no_secret_stays() {
        let both = redactor(&["none", "sk-abc"]);
        assert_eq!(both.redact("none has sk-abc"), "none has [redacted]");
        assert!(redactor(&["EMPTY"]).is_empty());
    }

    #[test]
    fn each_of_several_secrets_goes_whole() {
        let redactor = redactor(&["abcdef", "abcdefghij", "zzzzzz", "zzzzzz"]);
        assert_eq!(redactor.redact("1 abcdefghij 2 abcdefgh 3 zzzzzzzzzzzz"), {
            "1 [redacted] 2 [redacted]gh 3 [redacted][redacted]"
        });
        assert_eq!(format!("{redactor:?}"), "Redactor(3)");
    }

    #[test]
    fn a_key_that_was_cut_goes_too() {
        let redactor = redactor(&["sk-proj-0123456789abcdef"]);
        assert_eq!(redactor.redact("wrong key sk-proj-012345"), "wrong key [redacted]");
        assert_eq!(redactor.redact("wrong key sk-proj-012345…"), "wrong key [redacted]…");
        assert_eq!(redactor.redact("…56789abcdef was wrong"), "…[redacted] was wrong");
        assert_eq!(redactor.redact("keys begin with sk-proj"), "keys begin with sk-proj");
        assert_eq!(redactor.redact("sk-proj-0123456789abcdef"), REDACTED);
    }

    #[test]
    fn escapes_are_not_broken() {
        let redactor = redactor(&["nabcdef", "e9abcd", "00e9abx"]);
        for (text, expected) in [
            ("{\"a\":\"\\nabcdef\"}", "{\"a\":\"[redacted]\"}"),
            ("{\"a\":\"\\\\nabcdef\"}", "{\"a\":\"\\\\[redacted]\"}"),
            ("{\"a\":\"\\u00e9abcd\"}", "{\"a\":\"[redacted]\"}"),
            ("{\"a\":\"\\u00e9abx\"}", "{\"a\":\"[redacted]\"}"),
        ] {
            assert_eq!(redactor.redact(text), expected);
            assert!(serde_json::from_str::<Json>(expected).is_ok());
        }
    }

    #[test]
    fn failures_and_values_are_cleaned_everywhere() {
        let redactor = redactor(&["sk-123456"]);
        let mut failure = Failure::new(FailureKind::ModelRefused, "no sk-123456")
            .with_help("not sk-123456")
            .at("sk-123456.py", Some(1));
        failure.trace = Some("at sk-123456".into());
        failure.output = Some(Box::new(Output { stdout: "sk-123456".into(), stderr: "sk-123456".into() }));
        let clean = redactor.redact_failure(failure);
        assert_eq!(clean.message, "no [redacted]");
        assert!(!format!("{clean:?}").contains("sk-1"));

        let mut value: Json =
            serde_json::from_str(r#"{"a":["sk-123456",1],"sk-123456":{"b":"%73k-123456"}}"#).unwrap();
        redactor.redact_json(&mut value);
        assert_eq!(value.to_string(), r#"{"a":["[redacted]",1],"[redacted]":{"b":"[redacted]"}}"#);
    }

    #[test]
    fn values_are_cleaned_to_their_depths() {
        let redactor = redactor(&["sk-123456"]);
        let read = |json: Json| Value::from_data_json(&json);
        let told = read(json!({"a": ["my sk-123456", {"sk-123456": 1, "b": null}], "c": 2}));
        let clean = read(json!({"a": ["my [redacted]", {"[redacted]": 1, "b": null}], "c": 2}));
        assert_eq!(redactor.redact_value(told.clone()).to_json(), clean.to_json());
        assert_eq!(redactor.redact_value(clean.clone()).to_json(), clean.to_json());
        assert_eq!(Redactor::default().redact_value(told.clone()).to_json(), told.to_json());
        let deep = (0..100).fold(read(json!("sk-123456")), |inner, _| Value::list([inner]));
        assert!(!redactor.redact_value(deep).to_json().to_string().contains("sk-123456"));
    }

    #[test]
    fn hostile_texts_take_linear_time() {
        let redactor = redactor(&["aaaaaaaaaaaaaaaaaaaz", "\\\\\\\\\\\\x"]);
        for piece in ["a", "\\", "%25", "\\u0061", "%61", "YWFh"] {
            // The end is none of a secret, so that no piece of one is cut off there.
            let text = piece.repeat(100_000) + "|";
            assert!(matches!(redactor.redact(&text), Cow::Borrowed(_)), "{piece}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// The canary: however a key stands in a text, it does not leave.
        #[test]
        fn no_key_leaves(
            key in "[!-~]{6,40}",
            texts in prop::collection::vec((".{0,12}", 0..WAYS), 1..8),
            last in ".{0,8}",
        ) {
            prop_assume!(!REDACTED.contains(&key));
            let redactor = redactor(&[&key]);
            let mut text = String::new();
            for (before, way) in &texts {
                text.push_str(before);
                text.push_str(&disguised(&key, *way));
            }
            text.push_str(&last);
            let clean = redactor.redact(&text);
            for way in 0..=10 {
                prop_assert!(!clean.contains(&disguised(&key, way)), "{} in {}", way, clean);
            }
            prop_assert!(!clean.to_lowercase().contains(&disguised(&key, 17)));
            for (front, length) in [(0, 0), (1, 2), (2, 3)] {
                let around = [vec![0; front], key.as_bytes().to_vec()].concat();
                let whole = &base64(&around, false)[length..around.len() * 8 / 6];
                prop_assert!(!clean.contains(whole));
                prop_assert!(!clean.contains(&whole.replace('+', "-").replace('/', "_")));
            }
        }

        /// JSON stays JSON, and what is not a key stays as it is.
        #[test]
        fn json_stays_json(
            key in "[a-zA-Z0-9_-]{6,12}",
            texts in prop::collection::vec((".{0,6}[\\\\\"\n\u{e9}]?", 0..WAYS), 0..5),
        ) {
            let redactor = redactor(&[&key]);
            let list: Vec<Json> = texts.iter().map(|(t, way)| Json::from(format!("{t}{}", disguised(&key, *way)))).collect();
            let text = Json::from(list.clone()).to_string();
            let clean = redactor.redact(&text).into_owned();
            let read: Result<Json, _> = serde_json::from_str(&clean);
            prop_assert!(read.is_ok(), "{}", clean);
            let mut value = Json::from(list);
            redactor.redact_json(&mut value);
            prop_assert!(!value.to_string().contains(&key));
        }
    }
}
