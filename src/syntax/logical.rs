//! From physical to logical lines: continuation, comments, annotations, stray text (language spec, sections 2.3 to
//! 2.6). Knows columns, not the tree.

use std::sync::Arc;

use crate::base::{FileId, Span};
use crate::diag::{Code, Diagnostic};

use super::ast::{Annotation, AnnotationKind, Line, LineClass, NodeId};
use super::brackets::Brackets;
use super::expr::{Expr, Part};
use super::kind::Marker;
use super::layout::trim;
use super::reader::{Class, concept, shorten};
use super::spanmap::SpanMap;
use super::trailer::{self, End, Flat, Head, Source};

/// A logical line before it has a place in the tree.
#[derive(Debug)]
pub(super) struct Draft {
    /// Number of the first physical line in the list of lines.
    pub(super) line: usize,
    pub(super) column: u32,
    pub(super) marker: Marker,
    /// A line without a marker that would be a root: prose unless it is a concept or has children.
    pub(super) doubtful: bool,
    /// An index before a role word.
    pub(super) index: Option<(Arc<str>, Span)>,
    /// The head of a flat line: index, word, qualifier.
    pub(super) flat: Option<FlatHead>,
    pub(super) text: Joined,
    pub(super) annotations: Vec<Annotation>,
    pub(super) leading: Vec<Annotation>,
    /// Further lines: physical line and class.
    pub(super) parts: Vec<(usize, LineClass)>,
}

/// The head of a flat line with texts.
#[derive(Debug)]
pub(super) struct FlatHead {
    pub(super) index: Arc<str>,
    pub(super) index_span: Span,
    pub(super) word: Arc<str>,
    pub(super) word_span: Span,
    /// A qualifier that belongs in front of the text, with its offset.
    pub(super) prefix: Option<(Arc<str>, usize)>,
}

/// The text of a logical line: blanks collapsed, pieces joined by one blank.
#[derive(Debug)]
pub(super) struct Joined {
    pub(super) text: String,
    pub(super) map: SpanMap,
    pub(super) span: Span,
}

impl Joined {
    pub(super) fn new(file: FileId, at: usize) -> Self {
        Self { text: String::new(), map: SpanMap::new(file, at), span: Span::new(file, at, at) }
    }

    /// Takes `start..end` of the source in.
    pub(super) fn push(&mut self, source: &str, start: usize, end: usize) {
        let (start, end) = trim(source, start, end);
        let piece = source.get(start..end).unwrap_or("");
        if piece.is_empty() {
            return;
        }
        if !self.text.is_empty() {
            // The joining blank stands for the end of the line before: one byte, whatever the indentation is made of.
            let before = source.get(..start).and_then(|s| s.rfind(['\n', '\r']));
            self.map.stretch(self.text.len(), before.unwrap_or(start));
            self.text.push(' ');
        }
        let mut rest = start;
        self.map.stretch(self.text.len(), rest);
        for word in piece.split([' ', '\t']) {
            if word.is_empty() {
                rest += 1;
                continue;
            }
            if rest > start {
                self.text.push(' ');
                self.map.stretch(self.text.len(), rest);
            }
            self.text.push_str(word);
            rest += word.len() + 1;
        }
        let span = Span::new(self.span.file, start, end);
        self.span = if self.span.is_empty() { span } else { self.span.to(span) };
    }
}

/// All logical lines of a text with what was wrong with their layout.
#[derive(Debug)]
pub(super) struct Logical {
    pub(super) drafts: Vec<Draft>,
    /// Comments after the last line that belong to none.
    pub(super) trailing: Vec<Annotation>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// What the text of the last draft still waits for.
#[derive(Debug, Default)]
struct Open {
    brackets: Brackets,
    /// An operation with a body in angle brackets, which has to end in `>`.
    angle: bool,
    /// Annotations have begun.
    ended: bool,
}

struct Assembler<'a> {
    file: FileId,
    source: &'a str,
    lines: &'a mut [Line],
    /// The number of the line at hand.
    at: usize,
    drafts: Vec<Draft>,
    open: Open,
    /// Columns of the lines above the present one, as in the tree.
    columns: Vec<u32>,
    pending: Vec<Annotation>,
    diagnostics: Vec<Diagnostic>,
}

/// Assembles the logical lines.
pub(super) fn assemble(file: FileId, source: &str, lines: &mut [Line]) -> Logical {
    let mut assembler = Assembler {
        file,
        source,
        lines,
        at: 0,
        drafts: Vec::new(),
        open: Open::default(),
        columns: Vec::new(),
        pending: Vec::new(),
        diagnostics: Vec::new(),
    };
    for at in 0..assembler.lines.len() {
        assembler.at = at;
        assembler.line();
    }
    Logical { drafts: assembler.drafts, trailing: assembler.pending, diagnostics: assembler.diagnostics }
}

impl Assembler<'_> {
    fn line(&mut self) {
        let Some(line) = self.lines.get(self.at).copied() else { return };
        if line.class == LineClass::Blank {
            return;
        }
        let (start, end) = trim(self.source, line.content as usize, line.span.end as usize);
        let content = self.source.get(start..end).unwrap_or("");
        let head = trailer::head(content);
        if let Head::Flat(flat) = head {
            return self.flat(start, end, &flat);
        }
        if content.starts_with('|') {
            return self.annotation_line(line, start, end);
        }
        if trailer::comment_sign(content).is_some() {
            return self.comment_line(line, start, end);
        }
        if let Head::Marker(marker, len) = head {
            return self.concept(line.column, marker, start + len, end);
        }
        if self.continues(line.column) {
            self.classify(LineClass::Continuation);
            return self.text(start, end);
        }
        match head {
            Head::Mistaken(marker, len) => {
                self.mistaken(marker, start, start + len);
                self.concept(line.column, marker, start + len, end);
            }
            Head::Role(marker, len, index) => {
                let deeper = marker == Marker::None && !self.would_be_root(line.column);
                let marker = if deeper { Marker::Value } else { marker };
                self.concept(line.column, marker, start + len, end);
                if let (Some(draft), Some((from, to))) = (self.drafts.last_mut(), index) {
                    let text = self.source.get(start + from..start + to).unwrap_or("");
                    draft.index = Some((Arc::from(text), Span::new(self.file, start + from, start + to)));
                }
            }
            _ => self.markerless(line.column, start, end),
        }
    }

    /// The source of annotations on the line at hand.
    fn here(&self, inline: bool) -> Source<'_> {
        Source { file: self.file, text: self.source, line: line_number(self.at), inline }
    }

    fn classify(&mut self, class: LineClass) {
        if let Some(line) = self.lines.get_mut(self.at) {
            line.class = class;
        }
        if let Some(draft) = self.drafts.last_mut().filter(|_| class != LineClass::Concept) {
            draft.parts.push((self.at, class));
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn would_be_root(&self, column: u32) -> bool {
        // The columns ascend, so the first decides.
        self.columns.first().is_none_or(|c| c.saturating_add(1) >= column)
    }

    fn continues(&self, column: u32) -> bool {
        let Some(last) = self.drafts.last().filter(|_| !self.open.ended) else { return false };
        let waits = self.open.angle && !last.text.text.ends_with('>');
        column > last.column && (waits || !self.open.brackets.closed())
    }

    fn concept(&mut self, column: u32, marker: Marker, start: usize, end: usize) {
        while self.columns.last().is_some_and(|c| c.saturating_add(1) >= column) {
            self.columns.pop();
        }
        self.columns.push(column);
        self.begin(column, marker, None, start, end);
    }

    fn begin(&mut self, column: u32, marker: Marker, flat: Option<FlatHead>, start: usize, end: usize) {
        self.classify(LineClass::Concept);
        let leading = std::mem::take(&mut self.pending);
        let (text_start, _) = trim(self.source, start, end);
        self.drafts.push(Draft {
            line: self.at,
            column,
            marker,
            doubtful: false,
            index: None,
            flat,
            text: Joined::new(self.file, text_start),
            annotations: Vec::new(),
            leading,
            parts: Vec::new(),
        });
        self.open = Open::default();
        self.text(start, end);
        let text = self.drafts.last().map_or("", |d| d.text.text.as_str());
        self.open.angle = has_angle_body(text);
    }

    /// Takes a piece of concept text in, with what follows it on its line.
    fn text(&mut self, start: usize, end: usize) {
        let (how, at) = trailer::text_end(self.source, start, end, &mut self.open.brackets);
        if let Some(draft) = self.drafts.last_mut() {
            draft.text.push(self.source, start, at);
        }
        let annotations = match how {
            End::Line => return,
            End::Pipe | End::ForcedPipe => trailer::annotations(self.here(true), at + 1, end),
            End::Comment => trailer::comment(self.here(true), at, end).into_iter().collect(),
        };
        self.open.ended = true;
        let signed = annotations.first().filter(|a| how == End::Comment && a.kind == AnnotationKind::Comment);
        if let Some(comment) = signed {
            let sign = self.source.get(at..at + 2).unwrap_or("#").trim_end();
            let diagnostic =
                Diagnostic::at(Code::NC041, comment.span, format!("inline comment with `{sign}`"));
            let place = Span::new(self.file, at, at + sign.len());
            let edit = crate::diag::Edit { span: place, text: "| /:".to_owned() };
            let diagnostic = diagnostic.help("write comments behind `| /:`");
            self.report(diagnostic.fix("write `| /:`", vec![edit]));
        }
        if let Some(draft) = self.drafts.last_mut() {
            draft.annotations.extend(annotations);
        }
    }

    fn flat(&mut self, start: usize, end: usize, flat: &Flat) {
        let text = |range: (usize, usize)| {
            Arc::<str>::from(self.source.get(start + range.0..start + range.1).unwrap_or(""))
        };
        let span = |range: (usize, usize)| Span::new(self.file, start + range.0, start + range.1);
        let mut head = FlatHead {
            index: text(flat.index),
            index_span: span(flat.index),
            word: text(flat.word),
            word_span: span(flat.word),
            prefix: None,
        };
        let mut annotations = Vec::new();
        if let Some(range) = flat.qualifier {
            let (from, to) = trim(self.source, start + range.0, start + range.1);
            let qualifier = self.source.get(from..to).unwrap_or("");
            if qualifier.starts_with("%{") || qualifier.starts_with("?{") {
                annotations.push(trailer::annotation(self.here(true), from, to));
            } else if !qualifier.is_empty() {
                let kind = AnnotationKind::FlatQualifier;
                annotations.push(trailer::plain(self.here(true), kind, from, from, to));
                head.prefix = Some((Arc::from(qualifier), from));
            }
        }
        self.begin(0, flat.marker, Some(head), start + flat.len, end);
        if let Some(draft) = self.drafts.last_mut() {
            annotations.append(&mut draft.annotations);
            draft.annotations = annotations;
        }
    }

    fn mistaken(&mut self, marker: Marker, start: usize, end: usize) {
        let written = self.source.get(start..end).unwrap_or("").to_owned();
        let span = Span::new(self.file, start, end);
        let edit = crate::diag::Edit { span, text: marker.as_str().to_owned() };
        let diagnostic = Diagnostic::at(Code::NC049, span, format!("`{written}` is no marker"))
            .help(format!("write `{marker}`"))
            .fix(format!("write `{marker}`"), vec![edit]);
        self.report(diagnostic);
    }

    fn annotation_line(&mut self, line: Line, start: usize, end: usize) {
        let annotations = trailer::annotations(self.here(false), start + 1, end);
        self.classify(LineClass::Annotation);
        let Some(draft) = self.drafts.last_mut() else {
            self.pending.extend(annotations);
            return;
        };
        self.open.ended = true;
        let column = draft.column;
        let text = annotations.iter().all(|a| a.kind == AnnotationKind::Text);
        draft.annotations.extend(annotations);
        if line.column < column && !text {
            let span = Span::new(self.file, start, end);
            let message = "the annotation is less indented than the concept line it belongs to";
            let diagnostic = Diagnostic::at(Code::NC014, span, message)
                .help("indent it deeper than the concept line above");
            self.report(match self.indent_below(line) {
                Some(edit) => diagnostic.fix("indent it deeper than its concept", vec![edit]),
                None => diagnostic,
            });
        }
    }

    /// Puts a line one step deeper than the last concept line, with the same blanks.
    fn indent_below(&self, line: Line) -> Option<crate::diag::Edit> {
        let concept = self.lines.get(self.drafts.last()?.line)?;
        let blanks = self.source.get(concept.span.start as usize..concept.content as usize)?;
        let step = if blanks.ends_with('\t') { "\t" } else { "    " };
        Some(crate::diag::Edit {
            span: Span { end: line.content, ..line.span },
            text: format!("{blanks}{step}"),
        })
    }

    fn comment_line(&mut self, line: Line, start: usize, end: usize) {
        let Some(comment) = trailer::comment(self.here(false), start, end) else { return };
        let belongs = self.drafts.last().is_some_and(|d| line.column >= d.column);
        if belongs {
            self.classify(LineClass::Comment);
            if let Some(draft) = self.drafts.last_mut() {
                draft.annotations.push(comment);
            }
            return;
        }
        if let Some(line) = self.lines.get_mut(self.at) {
            line.class = LineClass::Comment;
        }
        self.pending.push(comment);
    }

    fn markerless(&mut self, column: u32, start: usize, end: usize) {
        let content = self.source.get(start..end).unwrap_or("");
        if self.would_be_root(column) {
            self.concept(column, Marker::None, start, end);
            if let Some(draft) = self.drafts.last_mut() {
                draft.doubtful = true;
            }
            return;
        }
        let span = Span::new(self.file, start, end);
        if looks_like_concept(content) {
            let message = "a concept line without a marker is read as a value";
            let insert =
                crate::diag::Edit { span: Span::new(self.file, start, start), text: "<- ".to_owned() };
            self.report(
                Diagnostic::at(Code::NC016, span, message)
                    .help("write `<-` before it")
                    .fix("write `<-` before it", vec![insert]),
            );
            return self.concept(column, Marker::Value, start, end);
        }
        let message = format!("stray text `{}`", shorten(content));
        self.report(
            Diagnostic::at(Code::NC012, span, message)
                .help("write `<-` or `<=` before it, or `/:` if it is a comment"),
        );
        let text = trailer::plain(self.here(false), AnnotationKind::Text, start, start, end);
        self.classify(LineClass::Stray);
        if let Some(draft) = self.drafts.last_mut() {
            draft.annotations.push(text);
        }
    }
}

/// The number of a line, from 1.
pub(super) fn line_number(at: usize) -> u32 {
    u32::try_from(at + 1).unwrap_or(u32::MAX)
}

/// Brackets open a concept; other signs only if all of the text reads as one.
fn looks_like_concept(content: &str) -> bool {
    let (start, _) = trim(content, 0, content.len());
    match content.get(start..).and_then(|c| c.chars().next()) {
        Some('{' | '[' | '<') => true,
        Some('(' | '*' | '@' | '&' | '$' | ':' | '+') => {
            !matches!(concept(content, Class::Value).expr, Expr::Informal | Expr::Empty)
        }
        _ => false,
    }
}

/// Returns whether the text is an operation whose body is in angle brackets: `::<`, `:%(True):<`, `::{norm}<`.
fn has_angle_body(text: &str) -> bool {
    let skip =
        |text: &str, close: char| text.find(close).and_then(|at| text.get(at + 1..)).map(str::to_owned);
    let rest = match text.strip_prefix(":%(") {
        Some(rest) => skip(rest, ')').and_then(|r| r.strip_prefix(':').map(str::to_owned)),
        None => text.strip_prefix("::").map(str::to_owned),
    };
    let Some(rest) = rest else { return false };
    let rest = match rest.strip_prefix('{') {
        Some(inner) => skip(inner, '}').unwrap_or_default(),
        None => rest,
    };
    rest.trim_start_matches(' ').starts_with('<')
}

/// Marks the physical lines of a draft as prose, or ties them to a node.
pub(super) fn settle(lines: &mut [Line], draft: &Draft, node: Option<NodeId>) {
    let own = std::iter::once((draft.line, LineClass::Concept));
    for (at, _) in own.chain(draft.parts.iter().copied()) {
        let Some(line) = lines.get_mut(at) else { continue };
        line.node = node;
        let text = matches!(line.class, LineClass::Concept | LineClass::Continuation);
        if node.is_none() && text {
            line.class = LineClass::Prose;
        }
    }
}

/// Takes a legacy annotation off the end of a text that has no pipe before it: `({x}) 1. assignment` (NC042). Gives
/// the length of the text before it.
pub(super) fn annotation_without_pipe(text: &str) -> Option<(usize, Part)> {
    let (before, word) = text.rsplit_once(' ')?;
    let lower = |c: char| c.is_ascii_lowercase() || c == '_';
    if word.is_empty() || !word.chars().all(lower) {
        return None;
    }
    let (concept, index) = before.rsplit_once(' ')?;
    let digits = index.strip_suffix('.')?;
    let dotted = digits.split('.').all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()));
    (dotted && concept.ends_with([')', ']', '}', '>']))
        .then(|| (concept.len(), Part::new(concept.len() + 1, text.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_text_maps_back_to_the_file() {
        let source = "x\t \ty  z\n   \u{3000}w\t";
        let mut joined = Joined::new(FileId(0), 0);
        joined.push(source, 0, 8);
        joined.push(source, 9, source.len());
        assert_eq!(joined.text, "x y z w");
        let words = [(0, "x"), (2, "y"), (4, "z"), (6, "w")];
        for (at, word) in words {
            let span = joined.map.span(Part::new(at, at + 1));
            assert_eq!(&source[span.start as usize..span.end as usize], word);
        }
        let span = joined.map.span(Part::new(2, 7));
        assert_eq!(&source[span.start as usize..span.end as usize], "y  z\n   \u{3000}w");
        let joint = joined.map.span(Part::new(5, 6));
        assert_eq!(&source[joint.start as usize..joint.end as usize], "\n");
    }

    #[test]
    fn an_annotation_without_a_pipe_needs_a_closed_concept() {
        let found = |text: &'static str| annotation_without_pipe(text).map(|(len, _)| &text[..len]);
        assert_eq!(found("({normcode draft}) 1. assignment"), Some("({normcode draft})"));
        assert_eq!(found("{a} 1.2. imperative_input"), Some("{a}"));
        for text in
            ["take 1. step", "{a} 1.2 step", "{a} 1.2. Step", "{a} .1. step", "1. step", "{a} 1. step 2"]
        {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn bodies_in_angle_brackets() {
        for text in ["::<a", "::{%(direct)}<a", ":%(True):<a", ":: <a"] {
            assert!(has_angle_body(text), "{text}");
        }
        for text in ["::(a", ":%(True", "::{a", "<a", "{a}<$={1}"] {
            assert!(!has_angle_body(text), "{text}");
        }
    }
}
