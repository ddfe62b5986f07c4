//! From a tree and its text to the formatted text.

use super::super::ast::{LineClass, LineEnd, Tree};
use super::super::build::parse;
use super::super::kind::Marker;
use super::super::layout::trim;
use super::content::{Content, mere_text};
use super::place::{Cursor, Place, places};
use super::same::same;

/// Formats a plan; `text` is what `tree` was read from. Total: broken lines are kept as they are, and a text whose
/// layout cannot be changed without changing its tree is given back unchanged.
///
/// Formatting a formatted text changes nothing, and both give the same tree: the same nodes with the same
/// annotations and comments (language spec, sections 2 and 8, step 1). The module says what is canonical.
pub fn format(tree: &Tree, text: &str) -> String {
    let written = rewrite(tree, text);
    if written == text {
        return written;
    }
    let (read, _) = parse(tree.file, &written, Some(tree.dialect));
    if same(tree, &read) { written } else { text.to_owned() }
}

/// The canonical text, not compared with what it was made of.
fn rewrite(tree: &Tree, text: &str) -> String {
    let end = line_end(tree);
    let places = places(tree);
    let mut cursor = Cursor::new(tree, &places);
    let mut content = Content::new(tree.file, text);
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut blank = false;
    for (at, line) in tree.lines.iter().enumerate() {
        if line.class == LineClass::Blank {
            blank = !out.is_empty();
            continue;
        }
        if std::mem::take(&mut blank) {
            out.push_str(end);
        }
        let (start, stop) = trim(text, line.content as usize, line.span.end as usize);
        let list = match line.class {
            LineClass::Annotation => content.read_line(start, stop),
            _ => Vec::new(),
        };
        match cursor.place(at, line, mere_text(&list)) {
            Place::At(column) => out.extend(std::iter::repeat_n(' ', column as usize)),
            Place::Kept => out.push_str(text.get(line.span.start as usize..start).unwrap_or("")),
        }
        let node = line.node.and_then(|id| tree.node(id));
        match (line.class, node) {
            (LineClass::Concept, Some(node)) => {
                content.concept(start, stop, node.marker == Marker::Value, &mut out);
            }
            (LineClass::Continuation, Some(_)) => content.continuation(start, stop, &mut out),
            (LineClass::Annotation, Some(_)) => content.annotation_line(start, stop, &list, &mut out),
            (LineClass::Comment, _) => content.comment(start, stop, &mut out),
            _ => out.push_str(text.get(start..stop).unwrap_or("")),
        }
        out.push_str(end);
    }
    out
}

/// CRLF where more lines end in it than in LF, else LF.
fn line_end(tree: &Tree) -> &'static str {
    let count = |ending| tree.lines.iter().filter(|l| l.ending == ending).count();
    if count(LineEnd::CrLf) > count(LineEnd::Lf) { "\r\n" } else { "\n" }
}
