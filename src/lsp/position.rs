//! Positions of the protocol and byte offsets. A position counts lines from 0, and in its line code units of the
//! encoding that client and server agreed on.

use lsp_types::{Position, PositionEncodingKind, Range};

use crate::base::Span;

/// What a column of a position counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// UTF-16 code units, what every client knows.
    #[default]
    Utf16,
}

impl Encoding {
    /// The encoding to use with a client that offers these; UTF-8 where it can, as nothing has to be counted.
    pub fn choose(offered: &[PositionEncodingKind]) -> Self {
        if offered.contains(&PositionEncodingKind::UTF8) { Self::Utf8 } else { Self::Utf16 }
    }

    /// Its name in the protocol.
    pub fn kind(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
        }
    }

    fn width(self, c: char) -> u32 {
        let width = match self {
            Self::Utf8 => c.len_utf8(),
            Self::Utf16 => c.len_utf16(),
        };
        u32::try_from(width).unwrap_or(1)
    }
}

/// The byte offsets at which the lines of a text begin; a line ends at LF, CRLF or a lone CR, as in plans.
pub(super) fn line_starts(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let ends = |(i, byte): (usize, &u8)| {
        let ends = *byte == b'\n' || (*byte == b'\r' && bytes.get(i + 1) != Some(&b'\n'));
        ends.then_some(i + 1)
    };
    std::iter::once(0).chain(bytes.iter().enumerate().filter_map(ends)).collect()
}

/// The byte offset of a position: beyond a line its end, beyond the text the end of that, inside a character its
/// beginning.
pub fn offset_of(text: &str, starts: &[usize], position: Position, encoding: Encoding) -> usize {
    let number = usize::try_from(position.line).unwrap_or(usize::MAX);
    let Some(start) = starts.get(number).copied() else { return text.len() };
    let end = starts.get(number.saturating_add(1)).copied().unwrap_or(text.len());
    let line = text.get(start..end).unwrap_or_default().trim_end_matches(['\n', '\r']);
    let mut column = 0;
    for (at, c) in line.char_indices() {
        let next = column + encoding.width(c);
        if next > position.character {
            return start + at;
        }
        column = next;
    }
    start + line.len()
}

/// The position of a byte offset.
pub fn position_of(text: &str, starts: &[usize], offset: usize, encoding: Encoding) -> Position {
    let offset = offset.min(text.len());
    let line = starts.partition_point(|start| *start <= offset).saturating_sub(1);
    let start = starts.get(line).copied().unwrap_or(0);
    let before = text.get(start..offset).unwrap_or_default();
    let character = before.chars().map(|c| encoding.width(c)).sum();
    Position { line: u32::try_from(line).unwrap_or(u32::MAX), character }
}

/// The range of a span.
pub(super) fn range_of(text: &str, starts: &[usize], span: Span, encoding: Encoding) -> Range {
    let at = |offset: u32| position_of(text, starts, offset as usize, encoding);
    Range { start: at(span.start), end: at(span.end) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn position(line: u32, character: u32) -> Position {
        Position { line, character }
    }

    #[test]
    fn columns_count_code_units() {
        let text = "\t数😀b\r\nc\rd";
        let starts = line_starts(text);
        let utf16 = |line, character| offset_of(text, &starts, position(line, character), Encoding::Utf16);
        assert_eq!((utf16(0, 1), utf16(0, 2), utf16(0, 4), utf16(0, 5)), (1, 4, 8, 9));
        assert_eq!(utf16(0, 3), 4, "inside a surrogate pair");
        assert_eq!((utf16(0, 99), utf16(1, 0), utf16(2, 0), utf16(9, 0)), (9, 11, 13, 14));
        assert_eq!(position_of(text, &starts, 8, Encoding::Utf16), position(0, 4));
        assert_eq!(position_of(text, &starts, 8, Encoding::Utf8), position(0, 8));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn there_and_back(text in "[a\t数😀é\r\n]{0,20}", wide in any::<bool>()) {
            let encoding = if wide { Encoding::Utf16 } else { Encoding::Utf8 };
            let starts = line_starts(&text);
            for (at, _) in text.char_indices() {
                // Between CR and LF there is no position.
                if text[..at].ends_with('\r') && text[at..].starts_with('\n') {
                    continue;
                }
                let position = position_of(&text, &starts, at, encoding);
                prop_assert_eq!(offset_of(&text, &starts, position, encoding), at);
            }
        }
    }
}
