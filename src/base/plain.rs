//! Text from outside, made harmless for a terminal (durability spec, section 8, S7): control characters, and those that
//! turn the direction of writing, are shown as their escapes.

use std::borrow::Cow;
use std::fmt::Write;

/// A text for one line: ends of lines are escaped too.
pub fn plain_line(text: &str) -> Cow<'_, str> {
    escape(text, |c| is_control(c) || c == '\n' || c == '\t' || is_separator(c))
}

/// A text of several lines: their ends and tabs stay.
pub fn plain_text(text: &str) -> Cow<'_, str> {
    escape(text, |c| (is_control(c) && c != '\n' && c != '\t') || is_separator(c))
}

fn is_control(c: char) -> bool {
    // The marks and the embeddings that turn the direction, and the invisible characters that hide text. The two joiners
    // (U+200C, U+200D) stay: words of many scripts and emoji are written with them.
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
        || matches!(c, '\u{61c}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn is_separator(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

fn escape(text: &str, hides: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&hides) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if !hides(c) => out.push(c),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => {
                let _ = write!(out, "\\u{{{:x}}}", c as u32);
            }
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_move_the_cursor_is_shown() {
        assert_eq!(plain_line("a\u{1b}[2Jb\r\n\tc\u{7f}\u{9b}"), "a\\u{1b}[2Jb\\r\\n\\tc\\u{7f}\\u{9b}");
        assert_eq!(plain_text("a\r\n\tb"), "a\\r\n\tb");
        assert_eq!(plain_line("\u{202e}abc\u{2066}\u{2028}"), "\\u{202e}abc\\u{2066}\\u{2028}");
        assert!(matches!(plain_line("数字 é – 🙂"), Cow::Borrowed(_)));
        assert!(matches!(plain_line("👩\u{200d}👧 می\u{200c}خواهم"), Cow::Borrowed(_)));
        assert_eq!(plain_line("a\u{200b}b\u{200f}c"), "a\\u{200b}b\\u{200f}c");
    }
}
