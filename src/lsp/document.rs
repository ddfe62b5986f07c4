//! An open document: its text as the client has it, and what is known of it.

use lsp_types::{Position, Range, TextDocumentContentChangeEvent};

use crate::base::Span;
use crate::ide::Analysis;

use super::position::{Encoding, line_starts, offset_of, position_of, range_of};

/// The text of an open document.
#[derive(Debug)]
pub struct Document {
    /// The name shown to people: the end of its address.
    name: String,
    version: i32,
    text: String,
    starts: Vec<usize>,
    /// Of the present text; none while that has not been looked at.
    analysis: Option<Analysis>,
    encoding: Encoding,
}

impl Document {
    /// A document as it was opened.
    pub fn new(name: &str, version: i32, text: String, encoding: Encoding) -> Self {
        let starts = line_starts(&text);
        Self { name: name.to_owned(), version, text, starts, analysis: None, encoding }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The version the client gave the text.
    pub fn version(&self) -> i32 {
        self.version
    }

    /// Takes changes over, in their order: each speaks of the text after the one before it. A change without a range
    /// is the whole text.
    pub fn change(&mut self, version: i32, changes: Vec<TextDocumentContentChangeEvent>) {
        for change in changes {
            match change.range {
                None => self.text = change.text,
                Some(range) => {
                    let (start, end) = (self.offset(range.start), self.offset(range.end));
                    self.text.replace_range(start..end.max(start), &change.text);
                }
            }
            self.starts = line_starts(&self.text);
        }
        self.version = version;
        self.analysis = None;
    }

    /// The byte offset of a position.
    pub fn offset(&self, position: Position) -> usize {
        offset_of(&self.text, &self.starts, position, self.encoding)
    }

    /// The position of a byte offset.
    pub fn position(&self, offset: usize) -> Position {
        position_of(&self.text, &self.starts, offset, self.encoding)
    }

    /// The range of a span of this text.
    pub fn range(&self, span: Span) -> Range {
        range_of(&self.text, &self.starts, span, self.encoding)
    }

    /// Looks at the present text, once.
    pub fn analyse(&mut self) {
        if self.analysis.is_none() {
            self.analysis = Some(Analysis::of(&self.name, self.text.as_str()));
        }
    }

    /// What was found in the present text; none before [`Document::analyse`].
    pub fn analysis(&self) -> Option<&Analysis> {
        self.analysis.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn edit(document: &Document, start: usize, end: usize, text: &str) -> TextDocumentContentChangeEvent {
        let range = Range { start: document.position(start), end: document.position(end) };
        TextDocumentContentChangeEvent { range: Some(range), range_length: None, text: text.to_owned() }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Whatever is typed, both sides have the same text.
        #[test]
        fn the_text_stays_that_of_the_client(
            begin in "[a\t数😀\n]{0,20}",
            edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), "[b😀\n]{0,4}"), 0..8),
            wide in any::<bool>(),
        ) {
            let encoding = if wide { Encoding::Utf16 } else { Encoding::Utf8 };
            let mut document = Document::new("a.nc", 0, begin.clone(), encoding);
            let mut client = begin;
            for (version, (from, to, text)) in edits.into_iter().enumerate() {
                let places: Vec<usize> = client.char_indices().map(|(at, _)| at).chain([client.len()]).collect();
                let (from, to) = (*from.get(&places), *to.get(&places));
                let (start, end) = (from.min(to), from.max(to));
                let change = edit(&document, start, end, &text);
                document.change(version as i32 + 1, vec![change]);
                client.replace_range(start..end, &text);
                prop_assert_eq!(document.text(), client.as_str());
            }
        }
    }
}
