//! Places in source text: byte spans, and the map from them to lines and columns.

use std::sync::Arc;

/// A source file by its number in the [`SourceMap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A range of bytes of one file, end exclusive; both ends lie on character boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The span of bytes `start..end`.
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { file, start: narrow(start), end: narrow(end.max(start)) }
    }

    /// The smallest span that holds both; `self` when they lie in two files.
    #[must_use]
    pub fn to(self, other: Span) -> Span {
        if self.file != other.file {
            return self;
        }
        Span { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// Length in bytes.
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Returns whether the span covers nothing.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// A place for people: line from 1, column from 0 in Unicode scalar values (repositories spec, section 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineColumn {
    /// Line, from 1. A line ends at LF, CRLF or a lone CR and nowhere else (language spec, section 2.1).
    pub line: u32,
    /// Unicode scalar values before the place on its line.
    pub column: u32,
}

/// One source text with the offsets of its lines.
#[derive(Debug, Clone)]
pub struct SourceFile {
    name: Arc<str>,
    text: Arc<str>,
    line_starts: Vec<u32>,
}

impl SourceFile {
    /// A file called `name`, as it is to be shown to people.
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        let text: Arc<str> = text.into();
        let bytes = text.as_bytes();
        // A byte order mark belongs to no line: no editor counts it as a column.
        let mut line_starts =
            vec![if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() as u32 } else { 0 }];
        for (i, byte) in bytes.iter().enumerate() {
            let ends = *byte == b'\n' || (*byte == b'\r' && bytes.get(i + 1) != Some(&b'\n'));
            if ends {
                line_starts.push(u32::try_from(i + 1).unwrap_or(u32::MAX));
            }
        }
        Self { name: name.into(), text, line_starts }
    }

    /// The name shown to people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Line and column of a byte offset; an offset beyond the end, or within the end of a line, counts as that end.
    pub fn place(&self, offset: u32) -> LineColumn {
        let offset = (offset as usize).min(self.text.len());
        let line = self.line_starts.partition_point(|s| *s as usize <= offset).max(1);
        let start = self.line_starts[line - 1] as usize;
        let offset = offset.min(start + self.line(line as u32).map_or(0, str::len));
        let column = self.text.get(start..offset).map_or(0, |t| t.chars().count());
        LineColumn { line: line as u32, column: column as u32 }
    }

    /// The byte offset of a place; a place beyond its line or the text is the end of that.
    pub fn offset(&self, place: LineColumn) -> u32 {
        let Some(start) = self.line_starts.get((place.line as usize).saturating_sub(1)) else {
            return self.text.len() as u32;
        };
        let line = self.line(place.line.max(1)).unwrap_or_default();
        let within = line.char_indices().nth(place.column as usize).map_or(line.len(), |(at, _)| at);
        start + within as u32
    }

    /// The text of a line counted from 1, without its end; none when there is no such line.
    pub fn line(&self, number: u32) -> Option<&str> {
        let start = *self.line_starts.get((number as usize).checked_sub(1)?)? as usize;
        let end = self.line_starts.get(number as usize).map_or(self.text.len(), |e| *e as usize);
        self.text.get(start..end).map(|t| t.trim_end_matches(['\n', '\r']))
    }
}

/// All source files of one command; spans mean nothing without it.
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    /// Takes a file in and gives its id.
    pub fn add(&mut self, file: SourceFile) -> FileId {
        self.files.push(file);
        FileId((self.files.len() - 1) as u32)
    }

    /// The file of an id, none for an id of another map.
    pub fn file(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// The text under a span, none when the span does not fit the map.
    pub fn text(&self, span: Span) -> Option<&str> {
        self.file(span.file)?.text.get(span.start as usize..span.end as usize)
    }

    /// Name of the file, first place and end place of a span.
    pub fn resolve(&self, span: Span) -> Option<(&str, LineColumn, LineColumn)> {
        let file = self.file(span.file)?;
        Some((file.name(), file.place(span.start), file.place(span.end)))
    }

    /// The files in the order they were added.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lf_crlf_and_cr_end_a_line() {
        let file = SourceFile::new("a.nc", "a\r\nb\rc\u{0c}d\u{2028}e\nf");
        let lines: Vec<_> = (1..=4).map(|n| file.line(n).unwrap()).collect();
        assert_eq!(lines, ["a", "b", "c\u{0c}d\u{2028}e", "f"]);
        assert_eq!(file.line(5), None);
    }

    #[test]
    fn a_place_within_a_line_end_is_the_end_of_the_line() {
        let file = SourceFile::new("a.nc", "ab\r\n\rc");
        assert_eq!(file.place(2), LineColumn { line: 1, column: 2 });
        assert_eq!(file.place(3), LineColumn { line: 1, column: 2 });
        assert_eq!(file.place(4), LineColumn { line: 2, column: 0 });
    }

    #[test]
    fn a_byte_order_mark_is_no_column() {
        let file = SourceFile::new("a.nc", "\u{feff}{a}\nb");
        assert_eq!(file.place(3), LineColumn { line: 1, column: 0 });
        assert_eq!(file.place(0), LineColumn { line: 1, column: 0 });
        assert_eq!(file.place(4), LineColumn { line: 1, column: 1 });
        assert_eq!(file.offset(LineColumn { line: 1, column: 1 }), 4);
        assert_eq!(file.line(1), Some("{a}"));
    }

    #[test]
    fn columns_count_characters() {
        let file = SourceFile::new("a.nc", "{数}\n  x");
        assert_eq!(file.place(4), LineColumn { line: 1, column: 2 });
        assert_eq!(file.place(8), LineColumn { line: 2, column: 2 });
        assert_eq!(file.place(99), LineColumn { line: 2, column: 3 });
        for offset in [0, 1, 4, 5, 8, 9] {
            assert_eq!(file.offset(file.place(offset)), offset);
        }
        assert_eq!(file.offset(LineColumn { line: 1, column: 99 }), 5);
        assert_eq!(file.offset(LineColumn { line: 9, column: 0 }), 9);
    }
}
