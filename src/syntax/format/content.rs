//! What a formatted line says: its marker, text and annotations with the blanks between them. Knows one line at a time
//! and the brackets still open from those before it, not where the line stands.

use unicode_width::UnicodeWidthChar;

use crate::base::FileId;

use super::super::ast::{Annotation, AnnotationKind};
use super::super::brackets::Brackets;
use super::super::layout::trim;
use super::super::trailer::{self, End, Head, Source};

/// A physical line and what is known of its concept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Physical {
    /// Where it starts, blanks included.
    pub(super) line: usize,
    /// Where its content starts.
    pub(super) start: usize,
    /// Where its content ends.
    pub(super) end: usize,
    /// It was read as a value line: without a marker it gets one.
    pub(super) value: bool,
    /// Its text was understood. What was not keeps its blanks: they may be all the order there is.
    pub(super) understood: bool,
}

/// The column of a comment behind a text, before and after.
#[derive(Debug, Clone, Copy)]
pub(super) struct Aside {
    pub(super) from: usize,
    pub(super) to: usize,
}

/// Writes lines one after the other.
#[derive(Debug)]
pub(super) struct Content<'a> {
    file: FileId,
    text: &'a str,
    /// Open brackets of the concept at hand.
    brackets: Brackets,
    /// The comment that stands apart behind the text of the concept at hand: comments in lines of their own may go on
    /// below it.
    pub(super) aside: Option<Aside>,
}

impl<'a> Content<'a> {
    pub(super) fn new(file: FileId, text: &'a str) -> Self {
        Self { file, text, brackets: Brackets::default(), aside: None }
    }

    fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or("")
    }

    /// The first line of a concept.
    pub(super) fn concept(&mut self, line: Physical, out: &mut String) {
        self.brackets = Brackets::default();
        self.aside = None;
        let Physical { start, end, .. } = line;
        let content = self.slice(start, end);
        let len = match trailer::head(content) {
            // The form is what a program wrote, line by line; nothing in it is a matter of layout.
            Head::Flat(_) => return out.push_str(content),
            Head::Marker(_, len) | Head::Mistaken(_, len) | Head::Role(_, len, _) => len,
            Head::None => 0,
        };
        let marker = match content.get(..len).unwrap_or("") {
            "" if line.value => "<-",
            written => written,
        };
        out.push_str(marker);
        let (how, at) = trailer::text_end(self.text, start + len, end, &mut self.brackets);
        let (from, to) = trim(self.text, start + len, at);
        let piece = self.slice(from, to);
        if !piece.is_empty() {
            let tight = matches!(marker, ":<:" | ":>:") && piece.starts_with(['(', '{', '[', '<']);
            if trailer::starts_comment(piece) {
                // Behind a blank it would be a comment.
                out.push_str(self.slice(start + len, from));
            } else if !(marker.is_empty() || tight) {
                out.push(' ');
            }
            write_piece(piece, line.understood, out);
        }
        self.trailer(how, (to.max(start + len), at), line, out);
    }

    /// A further line of a concept.
    pub(super) fn continuation(&mut self, line: Physical, out: &mut String) {
        let (how, at) = trailer::text_end(self.text, line.start, line.end, &mut self.brackets);
        let (from, to) = trim(self.text, line.start, at);
        write_piece(self.slice(from, to), line.understood, out);
        self.trailer(how, (to, at), line, out);
    }

    /// What follows a text, from `gap` on: where the text ends, and where the first sign behind it stands.
    fn trailer(&mut self, how: End, gap: (usize, usize), line: Physical, out: &mut String) {
        let (from, at) = gap;
        match how {
            End::Line => {}
            End::Comment => {
                let apart = width(self.slice(line.line, at)) - width(self.slice(line.line, from));
                if apart > 1 {
                    self.set_apart(line, at, out);
                } else {
                    out.push(' ');
                }
                self.comment(at, line.end, out);
            }
            End::Pipe | End::ForcedPipe => {
                let list = trailer::annotations(self.source(), at + 1, line.end);
                let last = self.slice(line.start, from).rsplit([' ', '\t']).next().unwrap_or("");
                let sign = || {
                    let head = trailer::head(&format!("{last} "));
                    matches!(head, Head::Mistaken(..) | Head::Role(..)) || trailer::starts_comment(last)
                };
                if from == at && sign() {
                    // Before a blank it would be a marker, or the sign of a comment.
                    out.push_str(self.slice(from, at));
                } else {
                    out.push(' ');
                }
                if self.plainly_divided(&list, at, line.end) {
                    self.annotations(&list, out);
                } else {
                    out.push_str(self.slice(at, line.end));
                }
            }
        }
    }

    /// A comment that stands apart from its text keeps its column, so that a column of comments stays one.
    fn set_apart(&mut self, line: Physical, at: usize, out: &mut String) {
        let begun = out.rfind(['\n', '\r']).map_or(0, |end| end + 1);
        let written = width(out.get(begun..).unwrap_or(""));
        let from = width(self.slice(line.line, at));
        let to = from.max(written + 2);
        out.extend(std::iter::repeat_n(' ', to - written));
        self.aside = Some(Aside { from, to });
    }

    /// Where a comment line goes that stands below a comment behind the text.
    pub(super) fn below_aside(&self, line: Physical) -> Option<usize> {
        let at = width(self.slice(line.line, line.start));
        self.aside.filter(|a| a.from == at).map(|a| a.to)
    }

    /// A line of annotations; it begins with a pipe.
    pub(super) fn annotation_line(&self, start: usize, end: usize, list: &[Annotation], out: &mut String) {
        let content = self.slice(start, end);
        let rest = content.get(1..).unwrap_or("");
        if mere_text(list) {
            // It may be a line of a drawing or a table.
            let word = rest.starts_with(char::is_alphanumeric) && !rest.contains('|');
            out.push_str(if word { "| " } else { "|" });
            out.push_str(rest);
        } else if self.plainly_divided(list, start, end) {
            self.annotations(list, out);
        } else {
            out.push_str(content);
        }
    }

    /// The annotations of a line that begins with a pipe.
    pub(super) fn read_line(&self, start: usize, end: usize) -> Vec<Annotation> {
        trailer::annotations(self.source(), start + 1, end)
    }

    fn source(&self) -> Source<'a> {
        Source { file: self.file, text: self.text, line: 0, inline: false }
    }

    /// Returns whether nothing but one pipe and blanks stands before each annotation: wide blanks may hide the sign of
    /// a comment, and a pipe without a part is somebody's drawing.
    fn plainly_divided(&self, list: &[Annotation], start: usize, end: usize) -> bool {
        let mut at = start;
        for annotation in list {
            let gap = self.slice(at, annotation.span.start as usize);
            if gap.matches('|').count() != 1 || !gap.bytes().all(|b| matches!(b, b'|' | b' ' | b'\t')) {
                return false;
            }
            at = annotation.span.end as usize;
        }
        at == end && !list.is_empty()
    }

    fn annotations(&self, list: &[Annotation], out: &mut String) {
        for (n, annotation) in list.iter().enumerate() {
            out.push_str(if n == 0 { "| " } else { " | " });
            let (start, end) = (annotation.span.start as usize, annotation.span.end as usize);
            let sign = match annotation.kind {
                AnnotationKind::Syntactic => "?{",
                AnnotationKind::Referential => "%{",
                AnnotationKind::Description | AnnotationKind::Question | AnnotationKind::SourceText => {
                    self.comment(start, end, out);
                    continue;
                }
                _ => {
                    out.push_str(self.slice(start, end));
                    continue;
                }
            };
            let value = self.slice(annotation.value_span.start as usize, annotation.value_span.end as usize);
            out.push_str(sign);
            out.push_str(annotation.key.as_deref().unwrap_or(""));
            out.push_str("}:");
            if !value.is_empty() {
                out.push(' ');
                out.push_str(value);
            }
        }
    }

    /// A comment with its sign. What it says is kept as it is, but a sign of the language stands apart from it.
    pub(super) fn comment(&self, start: usize, end: usize, out: &mut String) {
        let content = self.slice(start, end);
        let sign = trailer::comment_sign(content);
        let Some((sign, rest)) = sign.and_then(|(kind, len)| {
            (kind != AnnotationKind::Comment).then(|| content.split_at_checked(len)).flatten()
        }) else {
            return out.push_str(content);
        };
        out.push_str(sign);
        if !(rest.is_empty() || rest.starts_with([' ', '\t'])) {
            out.push(' ');
        }
        out.push_str(rest);
    }
}

/// Returns whether a line of annotations holds nothing but text: its place and its blanks mean nothing.
pub(super) fn mere_text(list: &[Annotation]) -> bool {
    list.iter().all(|a| a.kind == AnnotationKind::Text)
}

/// One blank for each run of blanks, as in the text of a node (language spec, section 8, step 1).
fn write_piece(piece: &str, understood: bool, out: &mut String) {
    if !understood {
        return out.push_str(piece);
    }
    let words = piece.split([' ', '\t']).filter(|w| !w.is_empty());
    for (n, word) in words.enumerate() {
        if n > 0 {
            out.push(' ');
        }
        out.push_str(word);
    }
}

/// How wide a text is on a screen: tabs as for indentation, wide signs twice as wide as others.
fn width(text: &str) -> usize {
    text.chars().fold(0, |column, c| match c {
        '\t' => column + 4 - column % 4,
        c => column + c.width().unwrap_or(0),
    })
}
