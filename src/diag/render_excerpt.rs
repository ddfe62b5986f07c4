//! The lines of a source file that a picture shows, with every span moved into them.
//!
//! miette would split lines at other places than NormCode does, count columns in bytes and print a line of a
//! megabyte as it is; here lines are those of the [`SourceFile`], control characters are visible signs, and long
//! lines are cut around what is underlined. Knows nothing of diagnostics.

use std::collections::BTreeMap;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::base::{LineColumn, SourceFile, Span};

use super::render::{one_line, visible};

/// A line with more characters than this is cut.
const LONGEST_LINE: usize = 240;
/// Characters kept before the first underlined one of a cut line.
const LEAD: usize = 40;
/// A span over more lines than this is drawn on its first line only.
const MOST_LINES: u32 = 6;

/// A piece of a source file to be drawn.
pub(super) struct Excerpt {
    /// The spans asked for, as byte ranges of the excerpt, in the order given.
    pub(super) spans: Vec<(usize, usize)>,
    name: String,
    text: String,
    rows: Vec<Row>,
}

/// One line of the excerpt; rows stand in the order of their numbers, which may have gaps.
struct Row {
    /// Line number in the file, from 1.
    number: u32,
    /// Where its text begins in the excerpt.
    start: usize,
    /// Where its text ends; a line end follows.
    end: usize,
    /// Characters of the file's line left out before the text.
    skipped: usize,
    /// Characters of the mark for what was left out.
    mark: usize,
}

/// The characters of one line that are underlined: first and one past the last, over all spans.
type Extent = Option<(usize, usize)>;

impl Excerpt {
    pub(super) fn new(file: &SourceFile, spans: &[Span], ascii: bool) -> Self {
        let places: Vec<(LineColumn, LineColumn)> = spans.iter().map(|span| clip(file, *span)).collect();
        let mut extents: BTreeMap<u32, Extent> = BTreeMap::new();
        for (start, end) in &places {
            for number in start.line.saturating_sub(1).max(1)..=end.line + 1 {
                if file.line(number).is_some() {
                    extents.entry(number).or_default();
                }
            }
            widen(&mut extents, start.line, start.column as usize);
            widen(&mut extents, end.line, end.column as usize);
        }
        let mut excerpt = Self {
            spans: Vec::new(),
            name: one_line(file.name(), ascii),
            text: String::new(),
            rows: Vec::new(),
        };
        for (number, extent) in extents {
            let line = file.line(number).unwrap_or_default();
            // What follows the last line end is a line only when something points there.
            if extent.is_some() || !line.is_empty() || file.line(number + 1).is_some() {
                excerpt.push_row(number, line, extent, ascii);
            }
        }
        excerpt.spans = places
            .iter()
            .map(|(start, end)| {
                let from = excerpt.offset(*start);
                (from, excerpt.offset(*end).max(from))
            })
            .collect();
        excerpt
    }

    fn push_row(&mut self, number: u32, line: &str, extent: Extent, ascii: bool) {
        let start = self.text.len();
        let mark = if ascii { "..." } else { "…" };
        let whole = line.chars().nth(LONGEST_LINE).is_none();
        let skipped = match extent {
            Some((first, _)) if !whole => first.saturating_sub(LEAD),
            _ => 0,
        };
        let before = if skipped > 0 { mark } else { "" };
        self.text.push_str(before);
        let keep = if whole { usize::MAX } else { LONGEST_LINE };
        let mut rest = line.chars().skip(skipped);
        self.text.extend(rest.by_ref().take(keep).map(|c| visible(c, ascii)));
        if rest.next().is_some() {
            self.text.push_str(mark);
        }
        let end = self.text.len();
        self.text.push('\n');
        self.rows.push(Row { number, start, end, skipped, mark: before.chars().count() });
    }

    /// The byte of the excerpt that shows a place; the nearest one when the place was cut away.
    fn offset(&self, place: LineColumn) -> usize {
        let Some(row) = self.rows.iter().find(|row| row.number == place.line) else {
            return self.text.len();
        };
        let characters = row.mark + (place.column as usize).saturating_sub(row.skipped);
        let text = self.text.get(row.start..row.end).unwrap_or_default();
        row.start + text.char_indices().nth(characters).map_or(text.len(), |(at, _)| at)
    }

    /// The index of the row that holds a byte of the excerpt.
    fn row_at(&self, offset: usize) -> usize {
        self.rows.partition_point(|row| row.start <= offset).saturating_sub(1)
    }

    /// Returns whether the row and the one before it are neighbours in the file.
    fn follows(&self, index: usize) -> bool {
        match (index.checked_sub(1).and_then(|before| self.rows.get(before)), self.rows.get(index)) {
            (Some(before), Some(row)) => before.number + 1 == row.number,
            _ => false,
        }
    }
}

/// Notes that a character of a line is underlined.
fn widen(extents: &mut BTreeMap<u32, Extent>, line: u32, column: usize) {
    let extent = extents.entry(line).or_default();
    *extent = Some(extent.map_or((column, column), |(first, last)| (first.min(column), last.max(column))));
}

/// Both ends of a span, made fit to be drawn.
fn clip(file: &SourceFile, span: Span) -> (LineColumn, LineColumn) {
    let length = |line: u32| file.line(line).map_or(0, |text| text.chars().count() as u32);
    let inside = |at: LineColumn| LineColumn { column: at.column.min(length(at.line)), ..at };
    let start = inside(file.place(span.start));
    let mut end = inside(file.place(span.end.max(span.start)));
    // A span that takes in its line's end does not reach into the next line.
    if end.line > start.line && end.column == 0 {
        end = LineColumn { line: end.line - 1, column: length(end.line - 1) };
    }
    if end.line - start.line >= MOST_LINES {
        end = LineColumn { line: start.line, column: length(start.line) };
    }
    (start, end)
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let (mut first, mut last) = (self.row_at(span.offset()), self.row_at(span.offset() + span.len()));
        if (first + 1..=last).any(|index| !self.follows(index)) {
            return Err(MietteError::OutOfBounds);
        }
        let column = self.rows.get(first).map_or(0, |row| {
            let text = self.text.get(row.start..span.offset()).unwrap_or_default();
            row.skipped + text.chars().count().saturating_sub(row.mark)
        });
        for _ in 0..before {
            if self.follows(first) {
                first -= 1;
            }
        }
        for _ in 0..after {
            if self.follows(last + 1) {
                last += 1;
            }
        }
        let (Some(top), Some(bottom)) = (self.rows.get(first), self.rows.get(last)) else {
            return Err(MietteError::OutOfBounds);
        };
        let bytes = top.start..bottom.end + 1;
        let data = self.text.as_bytes().get(bytes.clone()).ok_or(MietteError::OutOfBounds)?;
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            data,
            (bytes.start, bytes.len()).into(),
            top.number as usize - 1,
            if before == 0 { column } else { 0 },
            last - first + 1,
        )))
    }
}
