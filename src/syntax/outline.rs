//! The writing end of syntax: lines of a plan with their notes, printed as source text in canonical layout.
//!
//! An outline is flat: lines in document order with their depths, so a deep plan needs no recursion. Knows layout
//! only: what a line says is the business of whoever made it.

use rustc_hash::FxHashMap;

use crate::base::Span;

use super::ast::{Annotation, AnnotationKind, LineClass, Node, NodeId, Tree};
use super::kind::Marker;

/// What becomes of an annotation: the line, the annotation, its text as written.
pub(super) type Change<'a> = &'a mut dyn FnMut(NodeId, &Annotation, String) -> Option<String>;

/// Columns a level is indented by.
const STEP: usize = 4;

/// A plan as it is to be written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outline {
    /// The concept lines, in document order.
    pub lines: Vec<OutlineLine>,
    /// Comments after the last line, at the left edge.
    pub trailing: Vec<String>,
}

/// A concept line as it is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutlineLine {
    /// 0 for a root; at most one more than the line before.
    pub depth: u32,
    /// The marker; [`Marker::None`] prints nothing.
    pub marker: Marker,
    /// The concept text, on one line.
    pub text: String,
    /// Annotations on the line itself, without their pipes. One that takes the rest of the line (`/: ..`) is printed
    /// last.
    pub inline: Vec<String>,
    /// Annotations and comments on lines of their own below it.
    pub below: Vec<Note>,
    /// Comments before it.
    pub leading: Vec<Note>,
    /// An empty line stands before it and its leading comments.
    pub gap: bool,
}

/// An annotation or comment on a line of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The whole text, with its pipe or sign: `| %{builtin}: add`, `/: the total`.
    pub text: String,
    /// At the column of its concept line; else one level deeper. Annotations are always deeper.
    pub beside: bool,
    /// An empty line stands before it.
    pub gap: bool,
}

impl Note {
    /// An annotation on a line of its own: `text` without the pipe.
    pub fn annotation(text: impl AsRef<str>) -> Self {
        Self { text: format!("| {}", one_line(text.as_ref())), beside: false, gap: false }
    }

    /// A comment on a line of its own: `text` with its sign.
    pub fn comment(text: impl AsRef<str>) -> Self {
        Self { text: one_line(text.as_ref()), beside: false, gap: false }
    }
}

impl OutlineLine {
    /// A line without notes.
    pub fn new(depth: u32, marker: Marker, text: impl AsRef<str>) -> Self {
        Self {
            depth,
            marker,
            text: one_line(text.as_ref()),
            inline: Vec::new(),
            below: Vec::new(),
            leading: Vec::new(),
            gap: false,
        }
    }
}

impl Outline {
    /// The outline of a tree as it is: `text` is the text it was read from. Prose outside the plan becomes comments.
    pub fn of(tree: &Tree, text: &str) -> Self {
        Self::with(tree, text, &mut |_, _, written| Some(written))
    }

    /// The same with every annotation and comment of a concept line as `change` wants it; none leaves it out.
    pub(super) fn with(tree: &Tree, text: &str, change: Change<'_>) -> Self {
        let mut lines: Vec<OutlineLine> =
            tree.iter().map(|(id, node)| line(tree, text, id, node, change)).collect();
        let mut prose = Prose::of(tree, text);
        for (node, line) in tree.nodes.iter().zip(&mut lines) {
            let before = prose.before(node.line);
            line.leading.splice(0..0, before);
        }
        let rest = prose.before(u32::MAX).into_iter().map(|n| n.text);
        let trailing = tree.trailing.iter().filter_map(|a| raw(text, a.span)).map(|t| one_line(&t));
        Self { lines, trailing: trailing.chain(rest).collect() }
    }

    /// The source text, ending with a line end; empty for an empty outline.
    pub fn print(&self) -> String {
        let mut out = String::new();
        let mut above = None;
        for line in &self.lines {
            if line.gap && !out.is_empty() {
                out.push('\n');
            }
            // A comment at or right of the line above would belong to that line.
            let column = above.map_or(line.depth, |above: u32| line.depth.min(above.saturating_sub(1)));
            for note in &line.leading {
                put(&mut out, note, column);
            }
            indent(&mut out, line.depth);
            let marker = line.marker.as_str();
            out.push_str(marker);
            // The goal is written close to its marker, as plans do.
            let close = line.marker == Marker::Output && line.text.starts_with('(');
            if !marker.is_empty() && !line.text.is_empty() && !close {
                out.push(' ');
            }
            out.push_str(&line.text);
            let (last, first): (Vec<_>, Vec<_>) = line.inline.iter().partition(|a| takes_rest(a));
            let spill = last.get(1..).unwrap_or_default();
            for part in first.into_iter().chain(last.first().copied()) {
                out.push_str(" | ");
                out.push_str(part);
            }
            out.push('\n');
            for part in spill {
                put(&mut out, &Note::comment(part), line.depth + 1);
            }
            for note in &line.below {
                put(&mut out, note, if note.beside { line.depth } else { line.depth + 1 });
            }
            above = Some(line.depth);
        }
        for text in &self.trailing {
            out.push_str(text);
            out.push('\n');
        }
        out
    }
}

fn put(out: &mut String, note: &Note, depth: u32) {
    if note.gap && !out.is_empty() {
        out.push('\n');
    }
    indent(out, depth);
    out.push_str(&note.text);
    out.push('\n');
}

fn indent(out: &mut String, depth: u32) {
    out.extend(std::iter::repeat_n(' ', depth as usize * STEP));
}

/// Returns whether an inline part takes the rest of its line, pipes included.
fn takes_rest(part: &str) -> bool {
    ["/:", "?:", "...:", "#", "//"].iter().any(|sign| part.starts_with(sign))
}

/// A text without line ends: what stood on several lines is joined by one blank.
pub fn one_line(text: &str) -> String {
    if !text.contains(['\n', '\r']) {
        return text.trim_matches([' ', '\t']).to_owned();
    }
    text.split(['\n', '\r']).map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().join(" ")
}

fn line(tree: &Tree, text: &str, id: NodeId, node: &Node, change: Change<'_>) -> OutlineLine {
    let marker =
        if node.parent.is_some() && node.marker == Marker::None { Marker::Value } else { node.marker };
    let mut line = OutlineLine::new(node.depth, marker, &*node.source);
    let column = physical(tree, node.line).map_or(0, |l| l.column);
    let mut of_line: FxHashMap<u32, usize> = FxHashMap::default();
    for annotation in &node.annotations {
        if annotation.kind == AnnotationKind::FlatQualifier {
            continue;
        }
        let Some(written) = raw(text, annotation.span).map(|w| one_line(&w)) else { continue };
        let Some(written) = change(id, annotation, written) else { continue };
        if annotation.inline {
            line.inline.push(written);
            continue;
        }
        // Several annotations on one physical line stay on one.
        if let Some(note) = of_line.get(&annotation.line).and_then(|at| line.below.get_mut(*at)) {
            note.text.push_str(" | ");
            note.text.push_str(&written);
            continue;
        }
        of_line.insert(annotation.line, line.below.len());
        let mut note = own_note(tree, annotation, &written);
        note.beside &= physical(tree, annotation.line).is_some_and(|l| l.column <= column.saturating_add(1));
        line.below.push(note);
    }
    for comment in &node.leading {
        if let Some(written) = raw(text, comment.span) {
            line.leading.push(own_note(tree, comment, &one_line(&written)));
        }
    }
    line.gap = match line.leading.first_mut() {
        Some(first) => std::mem::take(&mut first.gap),
        None => is_blank_before(tree, node.line),
    };
    line
}

/// A note as it stood: with its pipe if it had one.
fn own_note(tree: &Tree, annotation: &Annotation, written: &str) -> Note {
    let class = physical(tree, annotation.line).map(|l| l.class);
    let comment = class == Some(LineClass::Comment);
    let mut note = if comment { Note::comment(written) } else { Note::annotation(written) };
    note.beside = comment;
    note.gap = is_blank_before(tree, annotation.line);
    note
}

fn physical(tree: &Tree, line: u32) -> Option<&super::ast::Line> {
    tree.lines.get((line as usize).checked_sub(1)?)
}

fn is_blank_before(tree: &Tree, line: u32) -> bool {
    let above = line.checked_sub(1).and_then(|above| physical(tree, above));
    above.is_some_and(|l| l.class == LineClass::Blank)
}

fn raw(text: &str, span: Span) -> Option<String> {
    text.get(span.start as usize..span.end as usize).map(str::to_owned).filter(|t| !t.is_empty())
}

/// Lines that are no part of the plan, to be kept as comments.
struct Prose {
    lines: std::iter::Peekable<std::vec::IntoIter<(u32, Note)>>,
}

impl Prose {
    fn of(tree: &Tree, text: &str) -> Self {
        let mut lines = Vec::new();
        for (number, line) in (1..).zip(&tree.lines).filter(|(_, l)| l.class == LineClass::Prose) {
            let Some(written) = text.get(line.content as usize..line.span.end as usize) else { continue };
            let mut note = Note::comment(format!("# {}", written.trim_end()));
            note.beside = true;
            lines.push((number, note));
        }
        Self { lines: lines.into_iter().peekable() }
    }

    /// What stands before a physical line and was not taken yet.
    fn before(&mut self, line: u32) -> Vec<Note> {
        std::iter::from_fn(|| self.lines.next_if(|(number, _)| *number < line).map(|(_, note)| note))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::FileId;
    use crate::syntax::parse;

    fn again(text: &str) -> String {
        let (tree, _) = parse(FileId(0), text, None);
        Outline::of(&tree, text).print()
    }

    #[test]
    fn canonical_layout() {
        for (text, expected) in [
            (
                ":<:({a})|1. assigning\n  <=   $.({b})\n  <-{b}",
                ":<:({a}) | 1. assigning\n    <= $.({b})\n    <- {b}\n",
            ),
            ("{a} | x | /: y | z", "{a} | x | /: y | z\n"),
            (
                "# top\n\n{a}\n\t<= ::(b\n\t\t c)\n\t\t| %{builtin}: add | %{timeout}: 3",
                "# top\n{a}\n    <= ::(b c)\n        | %{builtin}: add | %{timeout}: 3\n",
            ),
            ("{a}\n    <- {b}\n# about c\n    <- {c}\n", "{a}\n    <- {b}\n# about c\n    <- {c}\n"),
            ("{a}\n    <- {b}\n    /: of b\n\n    <- {c}", "{a}\n    <- {b}\n    /: of b\n\n    <- {c}\n"),
            ("words before\n\n{a}\n    <- {b}", "# words before\n{a}\n    <- {b}\n"),
            ("", ""),
        ] {
            assert_eq!(again(text), expected, "{text}");
            assert_eq!(again(expected), expected, "{text} twice");
        }
    }

    #[test]
    fn flat_lines_are_put_under_their_parents() {
        let text = "1.output|:<:({a})\n1.1.imperative|<= ::(b)\n1.2.object_%{file_location}:c.md|<- {c}\n";
        assert_eq!(again(text), ":<:({a})\n    <= ::(b)\n    <- {c} | %{file_location}:c.md\n");
    }
}
