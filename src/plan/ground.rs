//! What exists before a run, and what is kept in loops (language spec, section 10); the notes on value lines that
//! describe a concept.

use std::sync::Arc;

use rustc_hash::FxHashSet;
use serde_json::Value as Json;

use crate::diag::{Code, Diagnostic};
use crate::syntax::{AnnotationKind, Node, NodeId};

use super::data;
use super::model::{Concept, ConceptId, Ground, Work};
use super::resolver::{Resolver, join};

/// Takes over what a value line says of its concept.
pub(super) fn annotate(resolver: &mut Resolver<'_>, id: ConceptId, node: &Node) {
    if node.annotations.is_empty() && node.concept.value().is_none_or(|v| v.literal.is_none()) {
        return;
    }
    let of_node = data::of_node(node);
    let axes = data::ref_axes(node);
    let element = node.referential("ref_element").map(|a| a.text().trim()).filter(|t| !t.is_empty());
    let natural = natural_name(node);
    let descriptions = node.annotations.iter().filter(|a| a.kind == AnnotationKind::Description);
    let descriptions = descriptions.map(|a| a.text().trim()).filter(|t| !t.is_empty());
    let description = descriptions.fold(None, |all: Option<Arc<str>>, text| Some(join(all.as_ref(), text)));
    let literal = node
        .concept
        .value()
        .and_then(|v| v.literal.as_ref())
        .map(|l| Json::String(l.value.as_ref().to_owned()));
    let note = data::note(node);
    resolver.table.change(id, |concept| {
        if of_node.ground {
            concept.ground.get_or_insert(Ground::Given);
        }
        if let Some(data) = of_node.data
            && concept.data.is_none()
        {
            concept.data = Some(data.json);
            if !concept.axes_declared {
                concept.axes = data.axes;
                concept.axes_declared = data.labelled;
            }
        }
        if let Some(axes) = axes
            && !concept.axes_declared
        {
            concept.axes = Some(axes);
            concept.axes_declared = true;
        }
        if let Some(text) = literal {
            give_itself(concept, text);
        } else if concept.query
            && let Some(note) = note
        {
            give_itself(concept, Json::String(note));
        }
        if concept.element_type.is_none() {
            concept.element_type = element.map(Arc::from);
        }
        if concept.natural_name.is_none() {
            concept.natural_name = natural;
        }
        if concept.description.is_none() {
            concept.description = description;
        }
    });
}

/// The sentence of `?{natural_language}` and of a paired line; the marker it may repeat is no part of it.
pub(super) fn natural_name(node: &Node) -> Option<Arc<str>> {
    const MARKERS: [&str; 6] = [":<:", ":>:", "<=", "<-", "<*", "<^"];
    let keys = ["natural_language", "natural language"];
    let written = keys.iter().find_map(|key| node.annotated(AnnotationKind::Syntactic, key).next())?;
    let text = written.text().trim();
    let text = MARKERS.iter().find_map(|m| text.strip_prefix(m)).unwrap_or(text).trim();
    (!text.is_empty()).then(|| Arc::from(text))
}

/// A concept that is its own data: one text.
fn give_itself(concept: &mut Concept, text: Json) {
    concept.ground.get_or_insert(Ground::Itself);
    if concept.data.is_none() {
        concept.data = Some(Json::Array(vec![text]));
        concept.axes.get_or_insert_with(|| vec![Arc::from("_none_axis")]);
    }
}

/// Decides what is ground once all inferences are known.
pub(super) fn settle(resolver: &mut Resolver<'_>) {
    // An append to itself needs something to append to, so it computes nothing from nothing.
    let computing = resolver.inferences.iter().filter(|i| !i.appends_to_itself());
    let mut computed: FxHashSet<ConceptId> = computing.map(|i| i.target).collect();
    computed.extend(&resolver.broken);
    let mut elements: FxHashSet<ConceptId> = FxHashSet::default();
    let mut carries = Vec::new();
    let mut kept: Vec<ConceptId> = Vec::new();
    for inference in &resolver.inferences {
        let Work::Loop(looping) = &inference.work else { continue };
        elements.insert(looping.element);
        computed.insert(looping.result);
        carries.extend(looping.carries.iter().copied().filter(|c| c.lag > 0));
    }
    let bases: FxHashSet<ConceptId> = resolver
        .inferences
        .iter()
        .filter_map(|i| if let Work::Loop(l) = &i.work { Some(l.base) } else { None })
        .collect();
    for inference in &resolver.inferences {
        if let Work::Continuation { destination, .. } = &inference.work
            && bases.contains(destination)
        {
            kept.push(*destination);
        }
    }
    for carry in &carries {
        resolver.table.change(carry.concept, |c| {
            c.ground = Some(c.ground.filter(|g| *g == Ground::Given).unwrap_or(Ground::Carry));
        });
    }
    let mut reported: FxHashSet<ConceptId> = FxHashSet::default();
    for carry in carries {
        let Some(concept) = resolver.table.concept(carry.concept).filter(|c| c.data.is_none()) else {
            continue;
        };
        if !reported.insert(carry.concept) {
            continue;
        }
        let message = format!("`{}` has no value before the first step", concept.name);
        let help = "write it on one of its lines, like `| ref. 0`, or give it as an input of the run";
        resolver.report(Diagnostic::at(Code::NC038, carry.span, message).about(&*concept.name).help(help));
    }
    let heads: FxHashSet<NodeId> = resolver.inferences.iter().map(|i| i.head).collect();
    let lines = resolver
        .table
        .list
        .iter()
        .enumerate()
        .filter(|(_, c)| c.lines.iter().any(|l| !heads.contains(&l.node)));
    let leaves: FxHashSet<ConceptId> =
        lines.map(|(i, _)| ConceptId(u32::try_from(i).unwrap_or(u32::MAX))).collect();
    let drafted = resolver.drafted;
    for (i, concept) in resolver.table.list.iter_mut().enumerate().filter(|(_, c)| c.kind.is_value()) {
        let id = ConceptId(u32::try_from(i).unwrap_or(u32::MAX));
        if concept.query && concept.data.is_none() {
            let text = Json::String(concept.bare.as_ref().to_owned());
            give_itself(concept, text);
        }
        // A draft speaks of things that have no line; they are given to it.
        let stands = leaves.contains(&id) || (drafted && concept.lines.is_empty());
        let leaf = !computed.contains(&id) && !elements.contains(&id) && stands;
        if concept.ground.is_none() && leaf && concept.versions.is_empty() {
            concept.ground = Some(Ground::Leaf);
        }
    }
    for id in kept {
        // Ground concepts are kept without being told.
        resolver.table.change(id, |c| c.invariant = c.ground.is_none());
    }
}
