//! Physical lines: where they start and end, how far they are indented. Knows nothing of what they say.

use crate::base::{FileId, Span};

use super::ast::{Line, LineClass, LineEnd};

/// A tab goes to the next multiple of this (language spec, section 2.2).
const TAB: u32 = 4;

/// Splits a text at LF, CRLF and lone CR, and nowhere else. A byte order mark belongs to no line.
pub(super) fn lines(file: FileId, text: &str) -> Vec<Line> {
    let bytes = text.as_bytes();
    let mut lines = Vec::new();
    let mut start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        let (ending, width) = match (byte, bytes.get(at + 1)) {
            (b'\n', _) => (LineEnd::Lf, 1),
            (b'\r', Some(b'\n')) => (LineEnd::CrLf, 2),
            (b'\r', _) => (LineEnd::Cr, 1),
            _ => {
                at += 1;
                continue;
            }
        };
        lines.push(line(file, text, start, at, ending));
        at += width;
        start = at;
    }
    if start < bytes.len() {
        lines.push(line(file, text, start, bytes.len(), LineEnd::Eof));
    }
    lines
}

fn line(file: FileId, text: &str, start: usize, end: usize, ending: LineEnd) -> Line {
    let mut column = 0;
    let mut content = start;
    for c in text.get(start..end).unwrap_or("").chars() {
        match c {
            '\t' => column += TAB - column % TAB,
            c if is_blank(c) => column += 1,
            _ => break,
        }
        content += c.len_utf8();
    }
    let class = if content == end { LineClass::Blank } else { LineClass::Concept };
    let span = Span::new(file, start, end);
    Line { span, content: Span::new(file, content, end).start, ending, column, class, node: None }
}

/// The characters that count as indentation.
pub(super) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{a0}' | '\u{3000}')
}

/// The range `start..end` of the text without blanks at its ends.
pub(super) fn trim(text: &str, start: usize, end: usize) -> (usize, usize) {
    let piece = text.get(start..end).unwrap_or("");
    let left = piece.trim_start_matches(is_blank);
    let start = start + (piece.len() - left.len());
    (start, start + left.trim_end_matches(is_blank).len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_tile_the_text() {
        let text = "\u{feff}a\r\n\tb\r\r   \u{3000}c\u{0c}\u{2028}d\n\n  ";
        let found = lines(FileId(0), text);
        let shown: Vec<_> = found
            .iter()
            .map(|l| {
                (
                    &text[l.content as usize..l.span.end as usize],
                    l.column,
                    l.ending,
                    l.class == LineClass::Blank,
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("a", 0, LineEnd::CrLf, false),
                ("b", 4, LineEnd::Cr, false),
                ("", 0, LineEnd::Cr, true),
                ("c\u{0c}\u{2028}d", 4, LineEnd::Lf, false),
                ("", 0, LineEnd::Lf, true),
                ("", 2, LineEnd::Eof, true),
            ]
        );
    }
}
