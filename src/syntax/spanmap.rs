//! From the joined text of a logical line back to its pieces in the file.

use smallvec::SmallVec;

use crate::base::{FileId, Span};

use super::expr::Part;

/// Where each stretch of a joined text came from: blanks were collapsed and lines joined, so equal distances in the
/// text are equal distances in the file only within one stretch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanMap {
    file: FileId,
    /// Start in the text, start in the file; sorted, the first starts at 0.
    stretches: SmallVec<[(u32, u32); 1]>,
    /// The text is not that of the file: all of it lies here.
    whole: Option<Span>,
}

impl SpanMap {
    /// An empty map; an empty text lies at `start`.
    pub(super) fn new(file: FileId, start: usize) -> Self {
        let mut map = Self { file, stretches: SmallVec::new(), whole: None };
        map.stretch(0, start);
        map
    }

    /// The map of a text that stands for what lies at `span`: every part of it lies there.
    pub(super) fn whole(span: Span) -> Self {
        Self { whole: Some(span), ..Self::new(span.file, span.start as usize) }
    }

    /// From `text` on, the text continues at `source` in the file. Calls come in text order.
    pub(super) fn stretch(&mut self, text: usize, source: usize) {
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (text, source) = (narrow(text), narrow(source));
        match self.stretches.last_mut() {
            Some(last) if last.0 == text => last.1 = source,
            Some(last) if source.wrapping_sub(last.1) == text - last.0 => {}
            _ => self.stretches.push((text, source)),
        }
    }

    /// The same map behind a text of `len` bytes that lies at `at`.
    pub(super) fn behind(&self, len: usize, at: usize) -> Self {
        let mut map = Self::new(self.file, at);
        for (text, source) in &self.stretches {
            map.stretch(*text as usize + len, *source as usize);
        }
        map
    }

    /// The place in the file of one byte of the text.
    pub fn offset(&self, text: u32) -> u32 {
        if let Some(whole) = self.whole {
            return whole.start;
        }
        let at = self.stretches.partition_point(|s| s.0 <= text).saturating_sub(1);
        self.stretches.get(at).map_or(0, |s| s.1.saturating_add(text - s.0))
    }

    /// The place in the file of a part of the text; the end follows its last byte, so that a part never runs over
    /// into the next piece.
    pub fn span(&self, part: Part) -> Span {
        if let Some(whole) = self.whole {
            return whole;
        }
        let start = self.offset(part.start);
        let end = if part.end > part.start { self.offset(part.end - 1).saturating_add(1) } else { start };
        Span { file: self.file, start, end: end.max(start) }
    }
}
