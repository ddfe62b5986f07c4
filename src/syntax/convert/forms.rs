//! The forms that are not formal plans: sentences for readers, plans with sentences, drafts, and flat lines (language
//! spec, sections 1 and 2.7).

use crate::diag::Diagnostic;
use crate::syntax::{AnnotationKind, Kind, Marker, Node, NodeId, Note, Outline, OutlineLine, Tree};

use super::sentences::{drafted, told};

fn is_bare_root(node: &Node) -> bool {
    node.parent.is_none() && node.marker == Marker::None
}

/// The plan as sentences for readers (`.ncn`): the same lines, each saying in words what it says.
pub fn narrative(tree: &Tree, text: &str) -> Outline {
    let written = Outline::of(tree, text);
    let line = |((id, node), old): ((NodeId, &Node), OutlineLine)| {
        let marker = if is_bare_root(node) { Marker::Output } else { old.marker };
        let mut line = OutlineLine::new(old.depth, marker, told(tree, id, node));
        line.gap = old.gap;
        line
    };
    Outline { lines: tree.iter().zip(written.lines).map(line).collect(), trailing: Vec::new() }
}

/// The plan with the sentence of each line below it (`.ncdn`). Sentences that are there stay.
pub fn paired(tree: &Tree, text: &str) -> Outline {
    let mut outline = Outline::of(tree, text);
    for ((id, node), line) in tree.iter().zip(&mut outline.lines) {
        let has = |key| node.annotated(AnnotationKind::Syntactic, key).next().is_some();
        if has("natural language") || has("natural_language") {
            continue;
        }
        let marker = if is_bare_root(node) { Marker::Output } else { line.marker };
        let sentence = format!("?{{natural language}}: {marker} {}", told(tree, id, node));
        line.below.insert(0, Note::annotation(sentence));
    }
    outline
}

/// The plan as a draft (`.ncds`): names without brackets, operations in words, comments kept.
pub fn draft(tree: &Tree, text: &str) -> Outline {
    let mut outline = Outline::of(tree, text);
    for ((id, node), line) in tree.iter().zip(&mut outline.lines) {
        let comment = |a: &str| ["/:", "?:", "...:", "#", "//"].iter().any(|sign| a.starts_with(sign));
        let sentence = drafted(tree, id, node);
        if sentence != line.text {
            line.text = sentence;
        }
        if is_bare_root(node) {
            line.marker = Marker::Output;
        }
        // A draft has comments only: what configures a step comes with the formal plan.
        line.inline.retain(|a| comment(a));
        line.below.retain(|n| comment(&n.text));
    }
    outline
}

/// The plan as numbered lines, with what the form cannot say.
pub fn flat(tree: &Tree, text: &str) -> (String, Vec<Diagnostic>) {
    let mut outline = Outline::of(tree, text);
    for ((id, node), line) in tree.iter().zip(&mut outline.lines) {
        let word = flat_word(tree, id, node);
        let marker = line.marker.as_str();
        let blank = if marker.is_empty() || line.text.is_empty() { "" } else { " " };
        let text = if line.marker == Marker::Output && line.text.starts_with('(') {
            format!("{marker}{}", line.text)
        } else {
            format!("{marker}{blank}{}", line.text)
        };
        *line = OutlineLine {
            depth: 0,
            marker: Marker::None,
            gap: false,
            text: format!("{}.{word}|{text}", node.flow_index),
            ..line.clone()
        };
        for note in &mut line.below {
            (note.beside, note.gap) = (false, false);
        }
        // A comment before a numbered line would belong to the one above; a plain one says nothing of it.
        for note in &mut line.leading {
            note.gap = false;
            if !note.text.starts_with('#') && id.index() > 0 {
                note.text = format!("# {}", note.text);
            }
        }
    }
    (outline.print(), Vec::new())
}

/// The word of a numbered line: what makes it, else what it is. Declared words with a variant stand as annotations.
fn flat_word(tree: &Tree, id: NodeId, node: &Node) -> &'static str {
    let declared = node.sequence.as_ref().filter(|s| !node.flat || s.variant.is_some());
    if node.parent.is_none() && node.marker != Marker::Value {
        return "output";
    }
    let family =
        tree.function(id).and_then(|(_, f)| f.kind.family()).filter(|_| node.marker != Marker::Function);
    let family = family.or(node.kind.family()).filter(|_| declared.is_none());
    match family {
        Some(crate::syntax::Family::Method) | None => match node.kind {
            Kind::Relation => "relation",
            Kind::Proposition => "proposition",
            Kind::Subject => "subject",
            _ => "object",
        },
        Some(family) => family.as_str(),
    }
}
