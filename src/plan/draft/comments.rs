//! Formal lines in the comments of a draft: they are offered, never used (language spec, section 5.9).

use crate::syntax::{AnnotationKind, Expr, Marker, Node, read_concept};

/// Comment lines that one formal line may take.
const MAX_LINES: usize = 8;
/// Comments of a line that are looked at.
const MAX_STARTS: usize = 32;

/// The formal text that a comment of this line holds for it.
pub(super) fn formal(node: &Node) -> Option<String> {
    let comments: Vec<&str> = node
        .annotations
        .iter()
        .filter(|a| a.kind == AnnotationKind::Description)
        .map(|a| a.text().trim())
        .collect();
    (0..comments.len().min(MAX_STARTS)).find_map(|start| {
        let mut text = String::new();
        for line in comments.iter().skip(start).take(MAX_LINES) {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(line);
            if !text.starts_with(['*', '$', '&', '@', ':', '{', '[', '<', '+']) {
                return None;
            }
            if fits(&text, node.marker) {
                return Some(text);
            }
        }
        None
    })
}

/// An operation for a function line, a value for any other; all of it is understood.
fn fits(text: &str, marker: Marker) -> bool {
    let concept = read_concept(text, marker);
    if concept.tail.is_some() || !concept.problems.is_empty() {
        return false;
    }
    match &concept.expr {
        Expr::Value(_) => marker != Marker::Function,
        Expr::Informal | Expr::Empty | Expr::Method(_) => false,
        _ => marker == Marker::Function,
    }
}
