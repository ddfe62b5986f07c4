//! JSON text in and out: a strict reader (no repeated keys), the canonical form for digests, the printed form of
//! repositories and bundles. Knows nothing of what the JSON means.

use std::fmt;
use std::io::{self, Write};

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map as JsonMap, Number, Value as Json};
use sha2::{Digest, Sha256};

/// The key under which `serde_json` hands over a number of any spelling.
const NUMBER_KEY: &str = "$serde_json::private::Number";

/// Lists of scalars no longer than this are printed on one line.
const INLINE_WIDTH: usize = 100;

/// Why a text is not JSON of the right form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} (line {line}, column {column})")]
pub struct JsonError {
    /// What is wrong, lower case, no full stop.
    pub message: String,
    /// Line of the place, from 1.
    pub line: usize,
    /// Column of the place in bytes, from 1; 0 at the end of a text.
    pub column: usize,
}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let full = error.to_string();
        let message = full.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&full);
        // The parser's word for a text that begins like `true`, `false` or `null` and goes on otherwise.
        let message = if message == "expected ident" { "expected value" } else { message };
        Self { message: message.to_owned(), line, column }
    }
}

/// Reads one JSON value. Key order and the spelling of numbers are kept; a byte order mark is skipped.
///
/// # Errors
/// When the text is not JSON, nests deeper than 127 levels, or an object has a key twice.
pub fn read(text: &str) -> Result<Json, JsonError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Ok(serde_json::from_str::<Strict>(text)?.0)
}

/// Reads a list item by item and gives each to `take`, so that there is never a tree of all of them. What was taken
/// before an error was found has been taken.
///
/// # Errors
/// As [`read`]; a value that is no list is given back instead.
pub fn read_items(text: &str, take: impl FnMut(Json)) -> Result<Result<(), Json>, JsonError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !text.trim_start().starts_with('[') {
        return Ok(Err(read(text)?));
    }
    let mut from = serde_json::Deserializer::from_str(text);
    from.deserialize_seq(Items(take))?;
    from.end()?;
    Ok(Ok(()))
}

struct Items<F>(F);

impl<'de, F: FnMut(Json)> Visitor<'de> for Items<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        while let Some(Strict(item)) = seq.next_element()? {
            (self.0)(item);
        }
        Ok(())
    }
}

/// A value whose objects have every key once.
struct Strict(Json);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(Strict(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut entries = JsonMap::new();
        while let Some(key) = map.next_key::<String>()? {
            if key == NUMBER_KEY && entries.is_empty() {
                let spelling: String = map.next_value()?;
                let number = spelling.parse::<Number>().map_err(A::Error::custom)?;
                return Ok(Json::Number(number));
            }
            match entries.entry(key) {
                Entry::Vacant(place) => {
                    let Strict(value) = map.next_value()?;
                    place.insert(value);
                }
                Entry::Occupied(place) => {
                    let message = format!("key `{}` is given twice in one object", place.key());
                    return Err(A::Error::custom(message));
                }
            }
        }
        Ok(Json::Object(entries))
    }
}

/// SHA-256 in lower-case hex of the canonical form: keys sorted, no blanks, numbers as written
/// (repositories spec, section 9).
pub fn digest<'a>(items: impl IntoIterator<Item = &'a JsonMap<String, Json>>) -> String {
    let mut hash = Hashing(Sha256::new());
    // INVARIANT: writing into a hash never fails.
    let _ = canonical_list(&mut hash, items);
    hex(&hash.0.finalize())
}

/// SHA-256 in lower-case hex of bytes.
pub fn digest_bytes(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The canonical text of one value.
pub fn canonical(value: &Json) -> String {
    let mut out = Vec::new();
    // INVARIANT: writing into memory never fails, and JSON text is UTF-8.
    let _ = write_canonical(&mut out, value);
    String::from_utf8(out).unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
        text
    })
}

struct Hashing(Sha256);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn canonical_list<'a>(
    out: &mut impl Write,
    items: impl IntoIterator<Item = &'a JsonMap<String, Json>>,
) -> io::Result<()> {
    out.write_all(b"[")?;
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.write_all(b",")?;
        }
        canonical_map(out, item)?;
    }
    out.write_all(b"]")
}

fn canonical_map(out: &mut impl Write, map: &JsonMap<String, Json>) -> io::Result<()> {
    let mut entries: Vec<(&String, &Json)> = map.iter().collect();
    entries.sort_unstable_by_key(|(key, _)| *key);
    out.write_all(b"{")?;
    for (i, (key, value)) in entries.into_iter().enumerate() {
        if i > 0 {
            out.write_all(b",")?;
        }
        serde_json::to_writer(&mut *out, key)?;
        out.write_all(b":")?;
        write_canonical(out, value)?;
    }
    out.write_all(b"}")
}

fn write_canonical(out: &mut impl Write, value: &Json) -> io::Result<()> {
    match value {
        Json::Object(map) => canonical_map(out, map),
        Json::Array(items) => {
            out.write_all(b"[")?;
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.write_all(b",")?;
                }
                write_canonical(out, item)?;
            }
            out.write_all(b"]")
        }
        scalar => serde_json::to_writer(out, scalar).map_err(io::Error::from),
    }
}

/// The printed form: two blanks a level, LF at the end, short lists of scalars on one line
/// (repositories spec, section 9).
pub fn print(value: &Json) -> String {
    let mut out = String::new();
    print_value(&mut out, value, 0);
    out.push('\n');
    out
}

fn print_value(out: &mut String, value: &Json, depth: usize) {
    match value {
        Json::Array(items) if !items.is_empty() => {
            if let Some(line) = inline(items) {
                out.push_str(&line);
                return;
            }
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                separate(out, i, depth + 1);
                print_value(out, item, depth + 1);
            }
            separate(out, 0, depth);
            out.push(']');
        }
        Json::Object(map) if !map.is_empty() => {
            out.push('{');
            for (i, (key, item)) in map.iter().enumerate() {
                separate(out, i, depth + 1);
                print_scalar(out, &Json::String(key.clone()));
                out.push_str(": ");
                print_value(out, item, depth + 1);
            }
            separate(out, 0, depth);
            out.push('}');
        }
        other => print_scalar(out, other),
    }
}

fn inline(items: &[Json]) -> Option<String> {
    let mut line = String::from("[");
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            line.push_str(", ");
        }
        match item {
            Json::Array(inner) if !inner.is_empty() => return None,
            Json::Object(inner) if !inner.is_empty() => return None,
            scalar => print_scalar(&mut line, scalar),
        }
        if line.len() > INLINE_WIDTH {
            return None;
        }
    }
    line.push(']');
    Some(line)
}

fn separate(out: &mut String, before: usize, depth: usize) {
    if before > 0 {
        out.push(',');
    }
    out.push('\n');
    for _ in 0..depth {
        out.push_str("  ");
    }
}

fn print_scalar(out: &mut String, value: &Json) {
    out.push_str(&value.to_string());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keeps_order_and_spelling() {
        let text = r#"{"b": 1.50, "a": [1.0, 123456789012345678901234567890, -0]}"#;
        assert_eq!(
            read(text).unwrap().to_string(),
            r#"{"b":1.50,"a":[1.0,123456789012345678901234567890,-0]}"#
        );
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        for (text, message) in [
            ("{\"a\": 1,\n \"a\": 2}", "key `a` is given twice in one object (line 2, column 4)"),
            ("[1,]", "trailing comma (line 1, column 4)"),
            ("", "EOF while parsing a value (line 1, column 0)"),
            ("{} x", "trailing characters (line 1, column 4)"),
            ("[NaN]", "expected value (line 1, column 2)"),
        ] {
            assert_eq!(read(text).unwrap_err().to_string(), message, "{text}");
        }
        assert!(read(&"[".repeat(100_000)).unwrap_err().message.contains("recursion limit"));
    }

    #[test]
    fn items_are_read_as_the_whole_is() {
        for text in
            ["[]", " [1, {\"a\": [2]}, null]\n", "[1,]", "[1] x", "[{\"a\": 1, \"a\": 2}]", "{}", "", "7"]
        {
            let mut items = Vec::new();
            let by_item = match read_items(text, |item| items.push(item)) {
                Ok(Ok(())) => Ok(Json::Array(items)),
                Ok(Err(other)) => Ok(other),
                Err(error) => Err(error),
            };
            assert_eq!(by_item, read(text), "{text}");
        }
    }

    #[test]
    fn canonical_form_does_not_depend_on_layout() {
        let (a, b) =
            (read(r#"{ "b": [1, 2.0], "a": {"é": null} }"#), read(r#"{"a":{"é":null},"b":[1,2.0]}"#));
        assert_eq!(canonical(&a.unwrap()), r#"{"a":{"é":null},"b":[1,2.0]}"#);
        assert_eq!(canonical(&b.unwrap()), r#"{"a":{"é":null},"b":[1,2.0]}"#);
        assert_eq!(digest([]), "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945");
    }

    #[test]
    fn prints_with_two_blanks_and_short_lists_inline() {
        let value = read(r#"{"a": [0, 22, 12], "b": [[1], []], "c": {}, "d": {"e": null}}"#).unwrap();
        let text = "{\n  \"a\": [0, 22, 12],\n  \"b\": [\n    [1],\n    []\n  ],\n  \"c\": {},\n  \"d\": {\n    \"e\": null\n  }\n}\n";
        assert_eq!(print(&value), text);
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::Bool),
            any::<i64>().prop_map(Json::from),
            any::<f64>().prop_map(Json::from),
            ".*".prop_map(Json::String),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Json::Array),
                prop::collection::vec((".*", inner), 0..5)
                    .prop_map(|e| Json::Object(e.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn printing_and_reading_gives_the_value_back(value in any_json()) {
            prop_assert_eq!(&read(&print(&value)).unwrap(), &value);
            prop_assert_eq!(&read(&canonical(&value)).unwrap(), &value);
        }
    }
}
