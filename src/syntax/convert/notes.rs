//! Declared indices, sequences and hints in the other spelling (language spec, sections 2.5 and 11).

use rustc_hash::{FxHashMap, FxHashSet};

use crate::syntax::{
    Annotation, AnnotationKind, Expr, Family, Kind, Marker, Node, NodeId, OutlineLine, Tree, data,
};

use super::names::Names;
use super::restyle::{Restyler, Style};

/// What becomes of the notes of a plan.
pub(super) struct Notes<'a, 't> {
    tree: &'t Tree,
    style: Style,
    names: &'a Names<'t>,
    /// The sequence word of each line in the new spelling.
    words: FxHashMap<NodeId, String>,
    /// Lines whose index or word has been written.
    written: FxHashSet<NodeId>,
}

impl<'a, 't> Notes<'a, 't> {
    /// Settles where each sequence word goes. `modes` are words of operations that their texts no longer say.
    pub(super) fn of(restyler: &'a Restyler<'t>, modes: &FxHashMap<NodeId, &'static str>) -> Self {
        let mut notes = Self {
            tree: restyler.tree,
            style: restyler.style,
            names: &restyler.names,
            words: FxHashMap::default(),
            written: FxHashSet::default(),
        };
        let moves: Vec<(NodeId, NodeId, String)> = notes
            .tree
            .iter()
            .filter_map(|(id, node)| {
                let word = word(node, notes.style)?;
                Some((id, notes.goes_to(id, node), word))
            })
            .collect();
        let leaving: FxHashSet<NodeId> =
            moves.iter().filter(|(from, to, _)| from != to).map(|m| m.0).collect();
        for (from, to, moved) in moves {
            // A word finds its new line taken by one that stays there.
            let staying = to != from && !leaving.contains(&to);
            match notes.tree.node(to).and_then(|n| word(n, notes.style)).filter(|_| staying) {
                Some(there) if there == moved => {}
                Some(_) => {
                    notes.words.insert(from, moved);
                }
                None => {
                    notes.words.insert(to, moved);
                }
            }
        }
        for (id, mode) in modes {
            let family = notes.tree.node(*id).map_or(Kind::Imperative, |n| n.kind);
            let family = if family == Kind::Judgement { "judgement" } else { "imperative" };
            notes.words.insert(*id, format!("{family}_{mode}"));
        }
        notes
    }

    /// A legacy word on a line is the sequence of the inference it heads, a current one that of its own operation.
    fn goes_to(&self, id: NodeId, node: &Node) -> NodeId {
        let own = |family: Option<Family>| family.is_some() && family == node.kind.family();
        let family = node.sequence.as_ref().and_then(|s| s.family);
        match self.style {
            Style::Current => {
                let Some(function) = self.names.function(id) else { return id };
                let below = self.tree.node(function);
                // The word decides against the text: it must stay where it decides.
                let decides = below.is_some_and(|f| match &f.concept.expr {
                    Expr::Semantic(s) => f.kind == Kind::Imperative && s.assertion.is_some(),
                    _ => false,
                });
                let fits = below.and_then(|f| f.kind.family()) == family || !own(family);
                let declared_so =
                    node.annotations.iter().any(|a| a.kind == AnnotationKind::LegacyIndex) || node.flat;
                if decides || !fits || !declared_so { id } else { function }
            }
            Style::Legacy => {
                let heads =
                    self.names.function(id).and_then(|f| self.tree.node(f)).and_then(|f| f.kind.family());
                let heads_it = heads.is_some() && heads == family;
                match node.parent {
                    Some(parent)
                        if node.marker == Marker::Function
                            && own(family)
                            && !heads_it
                            && self.names.function(parent) == Some(id)
                            && self.tree.node(parent).is_some_and(|p| p.sequence.is_none()) =>
                    {
                        parent
                    }
                    _ => id,
                }
            }
        }
    }

    /// The annotation as it is to be written; none leaves it out.
    pub(super) fn change(&mut self, id: NodeId, annotation: &Annotation, written: String) -> Option<String> {
        let node = self.tree.node(id)?;
        let key = annotation.base_key();
        match (annotation.kind, key, self.style) {
            (AnnotationKind::LegacyIndex, _, Style::Current)
            | (AnnotationKind::Syntactic, "flow_index", _) => {
                let Some((index, _)) = &node.declared_index else { return Some(written) };
                if !self.written.insert(id) {
                    return None;
                }
                Some(self.index(id, &index.to_string()))
            }
            (AnnotationKind::LegacyIndex, _, Style::Legacy) => {
                let Some((index, _)) = &node.declared_index else { return Some(written) };
                let index = index.to_string();
                self.written.insert(id).then(|| self.index(id, &index))
            }
            (AnnotationKind::Syntactic | AnnotationKind::Referential, "sequence", style) => {
                let same = node.sequence.as_ref().is_some_and(|s| s.span == annotation.value_span);
                if !same {
                    return Some(written);
                }
                let declares = node.declared_index.is_some();
                match self.words.get(&id) {
                    // Written with the index, or in its place.
                    Some(_) if style == Style::Legacy => {
                        let index = node.flow_index.to_string();
                        (!declares && self.written.insert(id)).then(|| self.index(id, &index))
                    }
                    Some(_) if declares && !self.written.contains(&id) => None,
                    Some(word) if !declares => {
                        let text = format!("?{{sequence}}: {word}");
                        self.written.insert(id).then_some(text)
                    }
                    _ => None,
                }
            }
            (AnnotationKind::Hint, "%." | "?.", Style::Current) => self.meaning(node, annotation, written),
            (AnnotationKind::Hint, "ref." | "%:", Style::Current) => {
                let value = annotation.text();
                Some(if data::read(value).is_ok() { format!("%{{literal}}: {value}") } else { written })
            }
            (AnnotationKind::Referential, "literal", Style::Legacy) => {
                let value = annotation.text();
                let plain = annotation.type_hint().is_none() && value != "(runtime provided)";
                let data = plain && !value.is_empty() && data::read(value).is_ok();
                Some(if data { format!("ref. {value}") } else { written })
            }
            _ => Some(written),
        }
    }

    /// What a `?` concept means is its first comment in the current spelling.
    fn meaning(&self, node: &Node, annotation: &Annotation, written: String) -> Option<String> {
        let query = node.concept.value().is_some_and(|v| v.is_query());
        let first = node
            .annotations
            .iter()
            .find(|a| a.kind == AnnotationKind::Description || matches!(a.key.as_deref(), Some("%." | "?.")));
        let inline_after = annotation.inline
            && node.annotations.iter().any(|a| a.inline && a.kind == AnnotationKind::Description);
        if !query || first.map(|a| a.span) != Some(annotation.span) || inline_after {
            return Some(written);
        }
        let text = annotation.text().trim();
        let text = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(text);
        Some(format!("/: {text}"))
    }

    fn index(&self, id: NodeId, index: &str) -> String {
        match (self.words.get(&id), self.style) {
            (Some(word), Style::Current) => format!("?{{flow_index}}: {index} | ?{{sequence}}: {word}"),
            (None, Style::Current) => format!("?{{flow_index}}: {index}"),
            (Some(word), Style::Legacy) => format!("{index}. {word}"),
            (None, Style::Legacy) => format!("{index}."),
        }
    }

    /// Writes what a line got from another one and has no place for yet.
    pub(super) fn finish(&mut self, id: NodeId, line: &mut OutlineLine) {
        if self.written.contains(&id) {
            return;
        }
        let (Some(word), Some(node)) = (self.words.get(&id), self.tree.node(id)) else { return };
        let text = match (&node.declared_index, self.style) {
            (Some((index, _)), _) => self.index(id, &index.to_string()),
            (None, Style::Current) => format!("?{{sequence}}: {word}"),
            (None, Style::Legacy) => self.index(id, &node.flow_index.to_string()),
        };
        line.inline.insert(0, text);
    }
}

/// The declared word under its name in the spelling; flat lines have theirs in the head.
fn word(node: &Node, style: Style) -> Option<String> {
    let sequence = node.sequence.as_ref()?;
    let written = sequence.written.as_ref();
    Some(
        match (written, style) {
            ("quantifying", Style::Current) => "looping",
            ("looping", Style::Legacy) => "quantifying",
            ("assignment", _) => "assigning",
            _ => written,
        }
        .to_owned(),
    )
}
