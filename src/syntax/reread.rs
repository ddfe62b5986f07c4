//! A tree with other texts on some of its lines: how sentences are read as the formal lines they stand for (language
//! spec, section 5.9). Knows nothing of which texts those are.

use std::sync::Arc;

use super::ast::{NodeId, Tree};
use super::expr::Concept;
use super::kind::Marker;
use super::reader::{Class, concept};
use super::spanmap::SpanMap;
use super::{build, checks};

/// Reads a concept text by itself, as on a line with this marker. Total: what does not read is a sentence, and the
/// reasons are among its problems (language spec, section 3).
pub fn read_concept(text: &str, marker: Marker) -> Concept {
    concept(text, if marker == Marker::Function { Class::Function } else { Class::Value })
}

/// The same tree with these lines read from other texts. Every place in such a text is the whole line's text in the
/// file; what is wrong with the texts is not reported. Loops get their numbers, and operations their kinds, anew.
pub fn reread(tree: &Tree, texts: impl IntoIterator<Item = (NodeId, String)>) -> Tree {
    let mut tree = tree.clone();
    for (id, text) in texts {
        let Some(node) = tree.nodes.get_mut(id.index()) else { continue };
        let read = read_concept(&text, node.marker);
        node.kind = build::expr_kind(&read.expr);
        node.concept = Arc::new(read);
        node.text = Arc::from(text.as_str());
        node.source = Arc::clone(&node.text);
        node.map = SpanMap::whole(node.span);
    }
    build::settle_kinds(&mut tree);
    checks::loops(&mut tree, &mut Vec::new());
    tree
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::FileId;
    use crate::syntax::{Dialect, Kind, Part};

    #[test]
    fn a_line_is_read_from_another_text() {
        let text = "<- bills\n    <= for every order, write a bill\n        <= return it\n    <- orders\n";
        let (tree, _) = crate::syntax::parse(FileId(0), text, Some(Dialect::Draft));
        let formal = [(1, "*every([orders])"), (2, "$."), (3, "[orders]")];
        let read = reread(&tree, formal.map(|(n, text)| (NodeId(n), text.to_owned())));
        let kinds: Vec<Kind> = read.nodes.iter().map(|n| n.kind).collect();
        assert_eq!(kinds, [Kind::Informal, Kind::LoopingEvery, Kind::Specification, Kind::Relation]);
        assert_eq!(read.loops.len(), 1);
        let node = read.node(NodeId(1)).unwrap();
        assert_eq!(node.span_of(Part::new(7, 10)), node.span);
        assert_eq!(node.flow_index, tree.node(NodeId(1)).unwrap().flow_index);
    }
}
