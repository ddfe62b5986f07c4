//! Whether two trees say the same: all of a plan but where it stands in its file.

use super::super::ast::{Annotation, Node, Tree};

/// Returns whether two plans were read alike: nodes, annotations, comments and what they belong to.
pub(super) fn same(one: &Tree, other: &Tree) -> bool {
    one.nodes.len() == other.nodes.len()
        && one.roots == other.roots
        && one.dialect == other.dialect
        && one.index_scheme == other.index_scheme
        && one.loops == other.loops
        && annotations(&one.trailing, &other.trailing)
        && one.nodes.iter().zip(&other.nodes).all(|(a, b)| node(a, b))
}

fn node(one: &Node, other: &Node) -> bool {
    let index = |n: &Node| n.declared_index.as_ref().map(|(index, _)| index.clone());
    let sequence = |n: &Node| n.sequence.as_ref().map(|s| s.written.clone());
    one.marker == other.marker
        && one.kind == other.kind
        && one.depth == other.depth
        && one.parent == other.parent
        && one.flat == other.flat
        && one.source == other.source
        && one.text == other.text
        && one.flow_index == other.flow_index
        && index(one) == index(other)
        && sequence(one) == sequence(other)
        && annotations(&one.annotations, &other.annotations)
        && annotations(&one.leading, &other.leading)
}

fn annotations(one: &[Annotation], other: &[Annotation]) -> bool {
    let same = |a: &Annotation, b: &Annotation| {
        (a.kind, &a.key, &a.value, a.inline) == (b.kind, &b.key, &b.value, b.inline)
    };
    one.len() == other.len() && one.iter().zip(other).all(|(a, b)| same(a, b))
}
