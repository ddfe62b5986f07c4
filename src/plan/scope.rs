//! Which loops a line stands in, and which function line heads what (language spec, sections 5.1, 6 and 8).

use crate::syntax::{Expr, Marker, NodeId, Tree};

/// For every line its first `<=` child and the innermost loop line around it.
#[derive(Debug)]
pub(super) struct Scopes {
    functions: Vec<Option<NodeId>>,
    inner: Vec<Option<NodeId>>,
}

impl Scopes {
    pub(super) fn of(tree: &Tree) -> Self {
        let mut functions: Vec<Option<NodeId>> = vec![None; tree.nodes.len()];
        for (id, node) in tree.iter().filter(|(_, n)| n.marker == Marker::Function) {
            if let Some(slot) = node.parent.and_then(|p| functions.get_mut(p.index())) {
                slot.get_or_insert(id);
            }
        }
        let mut inner: Vec<Option<NodeId>> = Vec::with_capacity(tree.nodes.len());
        // Parents stand before their children, so one pass is enough.
        for node in &tree.nodes {
            let scope = node.parent.and_then(|parent| {
                if is_loop_line(tree, parent) {
                    return Some(parent);
                }
                // `<*` lines beside a loop line speak of its element and carried values.
                let beside = matches!(node.marker, Marker::Context | Marker::Carry)
                    .then(|| functions.get(parent.index()).copied().flatten())
                    .flatten()
                    .filter(|f| is_loop_line(tree, *f));
                beside.or_else(|| inner.get(parent.index()).copied().flatten())
            });
            inner.push(scope);
        }
        Self { functions, inner }
    }

    /// The first `<=` child of a line.
    pub(super) fn function(&self, node: NodeId) -> Option<NodeId> {
        self.functions.get(node.index()).copied().flatten()
    }

    /// The innermost loop line around a line; a loop line stands in the loop around it.
    pub(super) fn around(&self, node: NodeId) -> Option<NodeId> {
        self.inner.get(node.index()).copied().flatten()
    }

    /// The number of that loop.
    pub(super) fn number(&self, tree: &Tree, node: NodeId) -> Option<u32> {
        tree.loop_number(self.around(node)?).map(|l| l.number)
    }
}

/// Returns whether a line is a loop line.
pub(super) fn is_loop_line(tree: &Tree, node: NodeId) -> bool {
    tree.node(node).is_some_and(|n| matches!(n.concept.expr, Expr::Looping(_)))
}
