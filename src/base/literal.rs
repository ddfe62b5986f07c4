//! Reads Python literals: how the payload of a sign is turned back into a value (semantics spec, section 1.3).
//!
//! Whatever is no literal stays text; nothing is evaluated. Time is linear in the text, depth is bounded.

use std::borrow::Cow;
use std::sync::Arc;

use num_bigint::BigInt;

use super::{Map, Number, Value};

/// How deep brackets may be nested (durability spec, section 8, S6).
const DEPTH_LIMIT: usize = 128;

/// Digits an integer in another base than ten may have: turning it into decimal costs more than linear time.
const BASE_DIGITS: usize = 65_536;

/// Reads a whole text as one literal; none when it is anything else.
pub fn read_literal(text: &str) -> Option<Value> {
    if let Some(integer) = plain_integer(text) {
        return Some(Value::Number(integer.into()));
    }
    if text.contains('\0') {
        return None;
    }
    let text = if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    };
    let mut reader = Reader { rest: &text, depth: 0 };
    reader.skip(true)?;
    let first = reader.value(false)?;
    let value = reader.tuple_tail(first, false)?;
    reader.skip(true)?;
    reader.rest.is_empty().then_some(value)
}

/// An integer as most are written: its digits and nothing else. The reader would give the same.
fn plain_integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && (!digits.starts_with('0') || text == "0");
    if plain { text.parse().ok() } else { None }
}

/// A sign's payload as a value, or as text when it is no literal; every other value as it is
/// (semantics spec, section 2.4).
pub fn strip(value: &Value) -> Value {
    match value {
        Value::Sign(sign) => {
            read_literal(sign.payload()).unwrap_or_else(|| Value::Text(Arc::clone(sign.payload())))
        }
        other => other.clone(),
    }
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn take(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Splits off the first `bytes` bytes.
    fn cut(&mut self, bytes: usize) -> Option<&'a str> {
        let (head, tail) = self.rest.split_at_checked(bytes)?;
        self.rest = tail;
        Some(head)
    }

    /// Skips blanks, tabs, form feeds, joined lines and, where `lines` says that they mean nothing, line breaks.
    /// None when a backslash joins nothing.
    fn skip(&mut self, lines: bool) -> Option<()> {
        loop {
            match self.peek() {
                Some(' ' | '\t' | '\u{c}') => self.cut(1)?,
                Some('\n') if lines => self.cut(1)?,
                Some('#') => self.cut(self.rest.find('\n').unwrap_or(self.rest.len()))?,
                Some('\\') => {
                    let rest = self.rest.strip_prefix("\\\n").filter(|r| !r.is_empty())?;
                    self.rest = rest;
                    ""
                }
                _ => return Some(()),
            };
        }
    }

    /// One value; `inside` says that brackets are open around it, so that line breaks are blanks.
    fn value(&mut self, inside: bool) -> Option<Value> {
        match self.peek()? {
            sign @ ('+' | '-') => {
                self.cut(1)?;
                self.skip(inside)?;
                // Not another sign: one is all that is read.
                if matches!(self.peek(), Some('+' | '-')) {
                    return None;
                }
                let start = self.rest;
                let number = match self.value(inside)? {
                    Value::Number(number) => number,
                    _ => return None,
                };
                // `-(-1)`: the signed number stands behind brackets, which the value no longer shows.
                if is_signed(start) {
                    return None;
                }
                if sign == '+' { Some(Value::Number(number)) } else { negate(&number).map(Value::Number) }
            }
            '0'..='9' | '.' => self.number().map(Value::Number),
            '[' => self.bracketed(Self::list),
            '{' => self.bracketed(Self::map),
            '(' => self.bracketed(Self::parentheses),
            '\'' | '"' => self.strings(inside),
            'r' | 'R' | 'u' | 'U' if matches!(self.rest.as_bytes().get(1), Some(b'\'' | b'"')) => {
                self.strings(inside)
            }
            _ => self.name(),
        }
    }

    fn bracketed(&mut self, read: fn(&mut Self) -> Option<Value>) -> Option<Value> {
        if self.depth == DEPTH_LIMIT {
            return None;
        }
        self.depth += 1;
        self.cut(1)?;
        self.skip(true)?;
        let value = read(self)?;
        self.depth -= 1;
        Some(value)
    }

    fn list(&mut self) -> Option<Value> {
        let mut items = Vec::new();
        while !self.take("]") {
            items.push(self.value(true)?);
            self.item_end("]")?;
        }
        Some(Value::list(items))
    }

    /// Reads the comma behind an item, or looks at the closing bracket.
    fn item_end(&mut self, close: &str) -> Option<()> {
        self.skip(true)?;
        if self.take(",") {
            return self.skip(true);
        }
        self.rest.starts_with(close).then_some(())
    }

    fn map(&mut self) -> Option<Value> {
        let mut entries = Map::new();
        while !self.take("}") {
            let Value::Text(key) = self.value(true)? else { return None };
            self.skip(true)?;
            if !self.take(":") {
                return None;
            }
            self.skip(true)?;
            let value = self.value(true)?;
            entries.insert(key, value);
            self.item_end("}")?;
        }
        Some(Value::Map(Arc::new(entries)))
    }

    fn parentheses(&mut self) -> Option<Value> {
        if self.take(")") {
            return Some(Value::list([]));
        }
        let first = self.value(true)?;
        let value = self.tuple_tail(first, true)?;
        self.skip(true)?;
        self.take(")").then_some(value)
    }

    /// What follows a first value: a comma makes it a tuple, which is read as a list.
    fn tuple_tail(&mut self, first: Value, inside: bool) -> Option<Value> {
        self.skip(inside)?;
        if !self.rest.starts_with(',') {
            return Some(first);
        }
        let mut items = vec![first];
        while self.take(",") {
            self.skip(inside)?;
            if matches!(self.peek(), None | Some(')' | '\n')) {
                break;
            }
            items.push(self.value(inside)?);
            self.skip(inside)?;
        }
        Some(Value::list(items))
    }

    fn name(&mut self) -> Option<Value> {
        let end = self.rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(self.rest.len());
        match self.cut(end)? {
            "None" => Some(Value::Null),
            "True" => Some(Value::Bool(true)),
            "False" => Some(Value::Bool(false)),
            _ => None,
        }
    }

    fn number(&mut self) -> Option<Number> {
        let bytes = self.rest.as_bytes();
        let base = match (bytes.first(), bytes.get(1)) {
            (Some(b'0'), Some(b'x' | b'X')) => Some(16),
            (Some(b'0'), Some(b'o' | b'O')) => Some(8),
            (Some(b'0'), Some(b'b' | b'B')) => Some(2),
            _ => None,
        };
        let number = match base {
            Some(base) => {
                self.cut(2)?;
                self.take("_");
                let digits = self.digits(base)?;
                if digits.len() > BASE_DIGITS {
                    return None;
                }
                Number::from(&BigInt::parse_bytes(digits.as_bytes(), base)?)
            }
            None => self.decimal()?,
        };
        // `1j`, `1a`, `1_` and `1.2.3` are no numbers.
        match self.peek() {
            Some(c) if c.is_alphanumeric() || c == '_' || c == '.' => None,
            _ => Some(number),
        }
    }

    fn decimal(&mut self) -> Option<Number> {
        let whole = if self.rest.starts_with('.') { String::new() } else { self.digits(10)? };
        let point = self.take(".");
        let fraction = if point && self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.digits(10)?
        } else {
            String::new()
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let mut exponent = String::new();
        if matches!(self.peek(), Some('e' | 'E')) {
            self.cut(1)?;
            exponent.push('e');
            if self.take("-") {
                exponent.push('-');
            } else {
                self.take("+");
            }
            exponent.push_str(&self.digits(10)?);
        }
        if point || !exponent.is_empty() {
            let float: f64 = format!("{whole}.{fraction}{exponent}").parse().ok()?;
            return Number::from_f64(float);
        }
        let digits = whole.trim_start_matches('0');
        match digits {
            "" => Some(Number::from(0)),
            _ if digits.len() < whole.len() => None,
            _ => serde_json::from_str::<serde_json::Number>(digits).ok().map(Number::from),
        }
    }

    /// Digits with single `_` between them; none when there is no digit.
    fn digits(&mut self, base: u32) -> Option<String> {
        let mut digits = String::new();
        let mut bytes = 0;
        let mut after_digit = false;
        for c in self.rest.chars() {
            match c {
                '_' if after_digit => after_digit = false,
                c if c.is_digit(base) => {
                    digits.push(c);
                    after_digit = true;
                }
                _ => break,
            }
            bytes += 1;
        }
        self.cut(bytes)?;
        after_digit.then_some(digits)
    }

    /// Neighbouring strings, which are one text.
    fn strings(&mut self, inside: bool) -> Option<Value> {
        let mut text = String::new();
        loop {
            let raw = match self.peek() {
                Some('r' | 'R') => {
                    self.cut(1)?;
                    true
                }
                Some('u' | 'U') => {
                    self.cut(1)?;
                    false
                }
                _ => false,
            };
            self.string(raw, &mut text)?;
            self.skip(inside)?;
            let bytes = self.rest.as_bytes();
            let another = match bytes.first() {
                Some(b'\'' | b'"') => true,
                Some(b'r' | b'R' | b'u' | b'U') => matches!(bytes.get(1), Some(b'\'' | b'"')),
                _ => false,
            };
            if !another {
                return Some(Value::text(text));
            }
        }
    }

    fn string(&mut self, raw: bool, out: &mut String) -> Option<()> {
        let quote = ["'''", "\"\"\"", "'", "\""].into_iter().find(|q| self.rest.starts_with(q))?;
        self.cut(quote.len())?;
        loop {
            let plain = self.rest.find(['\\', '\n', '\'', '"'])?;
            out.push_str(self.cut(plain)?);
            if self.take(quote) {
                return Some(());
            }
            match self.peek()? {
                '\\' if raw => {
                    self.cut(1)?;
                    out.push('\\');
                    let next = self.peek()?;
                    self.cut(next.len_utf8())?;
                    out.push(next);
                }
                '\\' => self.escape(out)?,
                '\n' if quote.len() == 1 => return None,
                other => {
                    self.cut(1)?;
                    out.push(other);
                }
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> Option<()> {
        self.cut(1)?;
        let c = self.peek()?;
        if let '0'..='7' = c {
            let length = self.rest.bytes().take(3).take_while(|b| (b'0'..=b'7').contains(b)).count();
            let code = u32::from_str_radix(self.cut(length)?, 8).ok()?;
            out.push(char::from_u32(code)?);
            return Some(());
        }
        self.cut(c.len_utf8())?;
        let read = match c {
            '\n' => return Some(()),
            '\\' | '\'' | '"' => c,
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'x' => self.code_point(2)?,
            'u' => self.code_point(4)?,
            'U' => self.code_point(8)?,
            'N' => return None,
            other => {
                out.push('\\');
                other
            }
        };
        out.push(read);
        Some(())
    }

    /// A character by its hexadecimal number. A lone surrogate is no character: the payload then stays text.
    fn code_point(&mut self, digits: usize) -> Option<char> {
        let hex = self.cut(digits)?;
        if !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        char::from_u32(u32::from_str_radix(hex, 16).ok()?)
    }
}

/// Returns whether what was read as a number begins, behind opening brackets, with another sign.
fn is_signed(text: &str) -> bool {
    let mut reader = Reader { rest: text, depth: 0 };
    while reader.take("(") {
        if reader.skip(true).is_none() {
            return false;
        }
    }
    matches!(reader.peek(), Some('+' | '-'))
}

fn negate(number: &Number) -> Option<Number> {
    if !number.is_integer() {
        return Number::from_f64(-number.to_f64());
    }
    let text = number.as_str();
    if text == "0" {
        return Some(number.clone());
    }
    serde_json::from_str::<serde_json::Number>(&format!("-{text}")).ok().map(Number::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Sign, text_of};
    use proptest::prelude::*;

    #[test]
    fn literals_are_read_as_python_reads_them() {
        let cases = [
            ("1", "1"),
            (" \t1 \n ", "1"),
            (" \n# c\n1 # d", "1"),
            ("- 1", "-1"),
            ("-((1))", "-1"),
            ("-0", "0"),
            ("-0.0", "-0.0"),
            ("007.5", "7.5"),
            ("007e1", "70.0"),
            ("0_0", "0"),
            ("0x_Ff", "255"),
            ("0B1_1", "3"),
            ("1.e5", "100000.0"),
            (".5", "0.5"),
            ("1e-400", "0.0"),
            ("1,2,", "[1, 2]"),
            ("(1\n,)", "[1]"),
            ("(\n(1))", "1"),
            ("[1,\\\n2]", "[1, 2]"),
            ("'a' \\\n'b'", "ab"),
            ("('a'\n'b')", "ab"),
            ("'a' u'b'\"c\"r'\\n'", "abc\\n"),
            ("''''''", ""),
            ("'''a\r\nb'c'''", "a\nb'c"),
            ("'a\\\nb'", "ab"),
            ("'\\400\\08\\q\\v'", "Ā\u{0}8\\q\u{b}"),
            ("{'a': 1, 'b': 2, 'a': 3}", "{'a': 3, 'b': 2}"),
            ("{('k'): [{}]}", "{'k': [{}]}"),
            ("[None, True, False,]", "[None, True, False]"),
        ];
        for (text, wanted) in cases {
            assert_eq!(read_literal(text).map(|v| text_of(&v)).as_deref(), Some(wanted), "{text}");
        }
    }

    #[test]
    fn everything_else_stays_text() {
        let cases = [
            "",
            " ",
            "#",
            "nan",
            "true",
            "Truex",
            "x",
            "1a",
            "1j",
            "1_",
            "1__0",
            "_1",
            "0x",
            "0xg",
            "0b2",
            "0o8",
            "01",
            "1e",
            "1e400",
            "1.2.3",
            ".",
            "..",
            "...",
            "--1",
            "-(-1)",
            "-( (+1))",
            "-True",
            "-'a'",
            "1 1",
            "1;",
            "1 + 1",
            "[1 2]",
            "[,]",
            "[1,,]",
            "(,)",
            "[1",
            "(1",
            "]",
            "1]",
            "{1}",
            "{1: 2}",
            "{'a'}",
            "{'a' 1}",
            "{**{}}",
            "[*[1]]",
            "b'x'",
            "f'x'",
            "rb'x'",
            "ur'x'",
            "'a",
            "'a\nb'",
            "''' a",
            "r'\\'",
            "'\\N{BULLET}'",
            "'\\xg0'",
            "'\\x+1'",
            "'\\ud800'",
            "'\\U00110000'",
            "'a'\n'b'",
            "1,\n2",
            "-\n1",
            "1\\\n",
            "1\\",
            "\u{a0}1",
            "１",
            "'a'.x",
            "[1][0]",
            "'\0'",
            "set()",
            "(1)(2)",
            "\u{feff}1",
        ];
        for text in cases {
            assert_eq!(read_literal(text).map(|v| text_of(&v)), None, "{text:?}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(read_literal(&nested(DEPTH_LIMIT)).is_some());
        assert!(read_literal(&nested(DEPTH_LIMIT + 1)).is_none());
        for open in ["[", "(", "{'a':", "-(", "[-("] {
            assert!(read_literal(&open.repeat(500_000)).is_none());
        }
    }

    #[test]
    fn long_texts_cost_linear_time() {
        let million = 1_000_000;
        assert!(read_literal(&"9".repeat(million)).is_some());
        assert!(read_literal(&format!("0x{}", "f".repeat(million))).is_none());
        assert!(read_literal(&"'a'".repeat(million / 3)).is_some());
        assert!(read_literal(&format!("[{}]", "-1,".repeat(million / 3))).is_some());
        assert!(read_literal(&format!("'{}", "\\'".repeat(million / 2))).is_none());
    }

    #[test]
    fn strip_reads_payloads_of_signs_only() {
        let sign = |payload: &str| Value::Sign(Arc::new(Sign::plain(payload)));
        assert_eq!(strip(&sign("[1, 'a']")), Value::list([Value::Number(1.into()), Value::text("a")]));
        assert_eq!(strip(&sign("%y2(3)")), Value::text("%y2(3)"));
        assert_eq!(strip(&Value::text("1")), Value::text("1"));
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(|n| Value::Number(n.into())),
            any::<f64>().prop_filter_map("finite", |f| Number::from_f64(f).map(Value::Number)),
            any::<String>().prop_map(Value::text),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::list),
                prop::collection::vec((any::<String>(), inner), 0..5).prop_map(|entries| {
                    Value::Map(Arc::new(entries.into_iter().map(|(k, v)| (Arc::from(k), v)).collect()))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_inside_a_list_reads_back(value in values()) {
            let list = Value::list([value]);
            prop_assert_eq!(read_literal(&text_of(&list)), Some(list));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "[-+0-9.eExX_'\"\\\\\\[\\](){},: \nTrueNonab#]{0,40}") {
            let _ = read_literal(&text);
        }
    }
}
