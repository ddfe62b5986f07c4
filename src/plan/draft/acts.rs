//! What the sentence of a function line asks for, by its first words and by what stands around it (language spec,
//! section 5.9). Knows nothing of how it is written formally.

use crate::syntax::{Expr, Kind, Marker, Node, NodeId, Tree};

use super::words::{self, after};

/// What a sentence asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// A loop.
    Loop,
    /// `$.`.
    Specification,
    /// `$+`.
    Continuation,
    /// `&in`.
    GroupIn,
    /// `&across`.
    GroupAcross,
    /// `@if`, `@if!`.
    If,
    /// `@after`.
    After,
    /// A judgement.
    Judgement,
    /// Something is asked of the user.
    Input,
    /// Anything else.
    Imperative,
}

/// Words a loop begins with.
pub(super) const LOOP: [&str; 2] = ["for every", "for each"];
/// Words a condition begins with.
pub(super) const IF: [&str; 2] = ["if", "when"];
/// Words of what waits.
pub(super) const AFTER: [&str; 1] = ["after"];

/// The acts of all function lines; none for lines that are no sentence of a function.
pub(super) fn of(tree: &Tree) -> Vec<Option<Act>> {
    let mut acts: Vec<Option<Act>> = Vec::with_capacity(tree.nodes.len());
    for (id, node) in tree.iter() {
        let sentence = node.marker == Marker::Function && matches!(node.concept.expr, Expr::Informal);
        let act = sentence.then(|| act(tree, id, node, &acts));
        acts.push(act);
    }
    acts
}

fn act(tree: &Tree, id: NodeId, node: &Node, above: &[Option<Act>]) -> Act {
    let text = text(node);
    let under_operation = node.parent.is_some_and(|p| {
        let function = tree.node(p).is_some_and(|n| n.marker == Marker::Function);
        function && !is_loop(tree, p, above)
    });
    if under_operation && after(text, &IF).is_some() {
        return Act::If;
    }
    if under_operation && after(text, &AFTER).is_some() {
        return Act::After;
    }
    // A second function of one line is an error, whatever it says.
    let first = node.parent.is_none_or(|p| tree.function(p).is_some_and(|(f, _)| f == id));
    if !first {
        return Act::Imperative;
    }
    // A loop says below its line what one step gives; without that the sentence is one instruction.
    if after(text, &LOOP).is_some() && tree.function(id).is_some() {
        return Act::Loop;
    }
    let beside = node.parent.is_some_and(|p| tree.values(p).next().is_some());
    let together = || words::words(text).iter().any(|w| w == "together");
    let append =
        after(text, &["append"]).is_some() || (after(text, &["add"]).is_some() && text.contains(" to "));
    if after(text, &["judge", "check if", "check whether", "determine if", "determine whether"]).is_some() {
        Act::Judgement
    } else if after(text, &["read user input"]).is_some() {
        Act::Input
    } else if !beside {
        Act::Imperative
    } else if after(text, &["return", "select"]).is_some() {
        Act::Specification
    } else if after(text, &["bundle"]).is_some() {
        Act::GroupIn
    } else if after(text, &["collect", "gather", "group"]).is_some() && together() {
        Act::GroupAcross
    } else if append {
        Act::Continuation
    } else {
        Act::Imperative
    }
}

/// Returns whether a line is a loop line, by its sentence or formally.
fn is_loop(tree: &Tree, id: NodeId, acts: &[Option<Act>]) -> bool {
    let formal = tree.node(id).is_some_and(|n| n.kind == Kind::LoopingEvery);
    formal || acts.get(id.index()).copied().flatten() == Some(Act::Loop)
}

/// The sentence of a line; `::` before it says only that it is one, and what follows an arrow is a remark.
pub(super) fn text(node: &Node) -> &str {
    let text = without_remark(&node.source);
    text.strip_prefix("::").unwrap_or(text).trim()
}

/// A text up to ` ←`.
pub(super) fn without_remark(text: &str) -> &str {
    text.split_once(" ←").map_or(text, |(text, _)| text).trim()
}
