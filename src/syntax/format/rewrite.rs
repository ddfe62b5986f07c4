//! From a tree and its text to the formatted text.

use super::super::ast::{LineClass, LineEnd, Tree};
use super::super::build::parse;
use super::super::kind::{Kind, Marker};
use super::super::layout::trim;
use super::content::{Content, Physical, mere_text};
use super::place::{Cursor, Place, places};
use super::same::same;

/// The byte order mark.
const MARK: char = '\u{feff}';
/// Rounds after which a text that is still moving is given back unchanged. Where a blank is put beside a sign that is
/// no character of a plan, a second round may be needed; more are not known.
const MOST_ROUNDS: usize = 4;

/// Formats a plan; `text` is what `tree` was read from. Total: broken lines are kept as they are, and a text whose
/// layout cannot be changed without changing its tree is given back unchanged.
///
/// Formatting a formatted text changes nothing, and both give the same tree: the same nodes with the same
/// annotations and comments (language spec, sections 2 and 8, step 1). The module says what is canonical.
pub fn format(tree: &Tree, text: &str) -> String {
    let mut written = rewrite(tree, text);
    for _ in 0..MOST_ROUNDS {
        if written == text {
            return written;
        }
        let (read, _) = parse(tree.file, &written, Some(tree.dialect));
        if !same(tree, &read) {
            break;
        }
        let again = rewrite(&read, &written);
        if again == written {
            return written;
        }
        written = again;
    }
    text.to_owned()
}

/// The canonical text, not compared with what it was made of.
pub(super) fn rewrite(tree: &Tree, text: &str) -> String {
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
        let node = line.node.and_then(|id| tree.node(id));
        let physical = Physical {
            line: line.span.start as usize,
            start,
            end: stop,
            value: node.is_some_and(|n| n.marker == Marker::Value),
            understood: node.is_some_and(|n| n.kind != Kind::Informal && n.concept.problems.is_empty()),
        };
        let place = cursor.place(at, line, mere_text(&list));
        let below = (line.class == LineClass::Comment && node.is_some())
            .then(|| content.below_aside(physical))
            .flatten();
        match (place, below) {
            (_, Some(column)) => out.extend(std::iter::repeat_n(' ', column)),
            (Place::At(column), None) => out.extend(std::iter::repeat_n(' ', column as usize)),
            (Place::Kept, None) => out.push_str(text.get(line.span.start as usize..start).unwrap_or("")),
        }
        match (line.class, node) {
            (LineClass::Concept, Some(_)) => content.concept(physical, &mut out),
            (LineClass::Continuation, Some(_)) => content.continuation(physical, &mut out),
            (LineClass::Annotation, Some(_)) => content.annotation_line(start, stop, &list, &mut out),
            (LineClass::Comment, _) => content.comment(start, stop, &mut out),
            _ => out.push_str(text.get(start..stop).unwrap_or("")),
        }
        out.push_str(end);
    }
    if out.starts_with(MARK) {
        // A sign of the text, which is read as such only behind a mark.
        out.insert(0, MARK);
    }
    out
}

/// CRLF where more lines end in it than in LF, else LF.
fn line_end(tree: &Tree) -> &'static str {
    let count = |ending| tree.lines.iter().filter(|l| l.ending == ending).count();
    if count(LineEnd::CrLf) > count(LineEnd::Lf) { "\r\n" } else { "\n" }
}
