//! From one place to another: where a name gets its value, everywhere it is written, slots and what is in them.

use std::sync::Arc;

use crate::base::Span;
use crate::plan::{ConceptId, Work};
use crate::syntax::{AnnotationKind, Expr, Marker, Node, NodeId, SlotKey, SuffixKind};

use super::analysis::{Analysis, Occurrence, Role};

/// Keys whose value is a path.
const PATHS: [&str; 4] = ["script_location", "prompt_location", "file_location", "v_input_provision"];

/// Where a jump leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A place in the same text.
    Place(Span),
    /// A file, relative to the plan's folder.
    File(Arc<str>),
}

impl Analysis {
    /// Where what stands at a place is defined: the line that infers a concept, the loop of an element, the value in a
    /// slot (and the slot of a value), the file of a path.
    pub fn definition(&self, offset: u32) -> Vec<Target> {
        if let Some(path) = self.path_at(offset) {
            return vec![Target::File(path)];
        }
        if let Some(place) = self.slot_at(offset) {
            return vec![Target::Place(place)];
        }
        let Some(occurrence) = self.concept_at(offset) else { return Vec::new() };
        self.definitions(occurrence.concept).into_iter().map(Target::Place).collect()
    }

    fn definitions(&self, id: ConceptId) -> Vec<Span> {
        let mut places = Vec::new();
        for inference in &self.plan().inferences {
            if matches!(&inference.work, Work::Loop(looping) if looping.element == id) {
                places.push(inference.function_span);
            }
        }
        places.extend(self.givers(id).map(|inference| inference.target_span));
        if places.is_empty() {
            let lines = self.concept(id).map_or(&[][..], |c| &c.lines);
            // A line with data says more than a mention before it.
            let with_data = |node: &Node| {
                node.annotations
                    .iter()
                    .any(|a| matches!(a.kind, AnnotationKind::Hint) || a.kind == AnnotationKind::Referential)
            };
            let best =
                lines.iter().find(|l| self.tree().node(l.node).is_some_and(with_data)).or(lines.first());
            places.extend(best.map(|line| line.span));
        }
        places
    }

    /// Everywhere the concept at a place is written, in the order of the text.
    pub fn references(&self, offset: u32) -> Vec<Occurrence> {
        let Some(at) = self.concept_at(offset) else { return Vec::new() };
        self.occurrences().iter().filter(|o| o.concept == at.concept).copied().collect()
    }

    /// Returns whether an occurrence is the line of an inference that gives the concept.
    pub fn is_definition(&self, occurrence: &Occurrence) -> bool {
        match occurrence.role {
            Role::Line(node) => self.givers(occurrence.concept).any(|inference| inference.head == node),
            Role::Mention => false,
        }
    }

    fn path_at(&self, offset: u32) -> Option<Arc<str>> {
        let (_, node) = self.node_at(offset)?;
        let annotation = node.annotations.iter().find(|a| holds(a.value_span, offset))?;
        let is_path =
            annotation.kind == AnnotationKind::Referential && PATHS.contains(&annotation.base_key());
        if is_path { annotation.value.clone() } else { None }
    }

    /// From a slot in an operation to the value in it, and from a value's placement to the slot.
    fn slot_at(&self, offset: u32) -> Option<Span> {
        let (id, node) = self.node_at(offset)?;
        if let Expr::Semantic(semantic) = &node.concept.expr {
            let slot = semantic.body.slots.iter().find(|slot| holds(node.span_of(slot.part), offset))?;
            // On the name that the slot stands for, the name is meant.
            if self.concept_at(offset).is_some_and(|o| o.role == Role::Mention) {
                return None;
            }
            return self.value_of(node, &slot.key);
        }
        let value = node.concept.value()?;
        let placed = value.suffixes.iter().find_map(|suffix| match &suffix.kind {
            SuffixKind::Placement(key) if holds(node.span_of(suffix.part), offset) => Some(key),
            _ => None,
        })?;
        let function = self.function_beside(id)?;
        let Expr::Semantic(semantic) = &function.concept.expr else { return None };
        let slot = semantic.body.slots.iter().find(|slot| slot.key == *placed)?;
        Some(function.span_of(slot.part))
    }

    /// The value in a slot of the operation on a line.
    fn value_of(&self, function: &Node, key: &SlotKey) -> Option<Span> {
        let head = function.parent?;
        let placed = self
            .tree()
            .children(head)
            .find(|(_, child)| child.concept.value().and_then(|value| value.placement()) == Some(key));
        if let Some((_, child)) = placed {
            return Some(child.span);
        }
        // A value without a placement fills the lowest free slot.
        let (SlotKey::Number(number), inference) = (key, self.inference_of(function)?) else { return None };
        let Work::Semantic(semantic) = &inference.work else { return None };
        let (concept, _) = semantic.order.iter().find(|(_, slot)| slot == number)?;
        inference.places.iter().find(|(id, _)| id == concept).map(|(_, span)| *span)
    }

    fn function_beside(&self, node: NodeId) -> Option<&Node> {
        let parent = self.tree().node(node)?.parent?;
        self.tree().children(parent).map(|(_, child)| child).find(|child| child.marker == Marker::Function)
    }
}

fn holds(span: Span, offset: u32) -> bool {
    span.start <= offset && offset <= span.end && !span.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = "{sum}\n    <= ::(add {1} and {2})\n        | %{script_location}: scripts/add.py\n    \
                        <- {a}<:{1}>\n    <- {b}\n        <= $.({a})\n        <- {a}\n";

    fn goes(from: &str, within: usize) -> Vec<Target> {
        let at = PLAN.find(from).unwrap_or_else(|| panic!("no {from}")) + within;
        Analysis::of("a.nc", PLAN).definition(at as u32)
    }

    fn place(of: &str) -> Target {
        let start = PLAN.find(of).unwrap_or_else(|| panic!("no {of}"));
        Target::Place(Span::new(crate::base::FileId(0), start, start + of.len()))
    }

    #[test]
    fn names_slots_and_paths_lead_somewhere() {
        assert_eq!(goes("{b}", 1), [place("{b}")]);
        assert_eq!(goes("{1} and", 1), [place("{a}<:{1}>")]);
        assert_eq!(goes("{2})", 1), [place("{b}")]);
        assert_eq!(goes("<:{1}>", 3), [place("{1}")]);
        assert_eq!(goes("scripts/", 2), [Target::File("scripts/add.py".into())]);
    }

    #[test]
    fn all_places_of_a_name_are_found() {
        let analysis = Analysis::of("a.nc", PLAN);
        let found = analysis.references(PLAN.find("{a}").unwrap() as u32);
        assert_eq!(found.len(), PLAN.matches("{a}").count());
        assert!(found.iter().all(|o| !analysis.is_definition(o)));
        let b = analysis.references(PLAN.find("{b}").unwrap() as u32);
        assert!(b.iter().any(|o| analysis.is_definition(o)));
    }
}
