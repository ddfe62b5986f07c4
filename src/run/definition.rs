//! What a step *is*, as a hash: everything that decides what it does, by names and never by numbers, and nothing that
//! depends on where it stands (runtime spec, section 15.3).

use serde_json::Value as Json;

use crate::base::{Digest, Writer};
use crate::repo::{Assigning, ByAxes, ConceptId, GateMarker, GroupMarker, Method, Semantic, Source, Work};

use super::graph::{Graph, ItemId};

/// The hash of an item's definition: its sequence, its concepts by name and order, its working interpretation, its
/// start flags, the gates that guard it and the loops it stands in.
pub fn definition(graph: &Graph, item: ItemId) -> Digest {
    let mut text = Definition { graph, out: Writer::default() };
    text.item(item);
    Digest::of(&text.out.bytes)
}

struct Definition<'a> {
    graph: &'a Graph,
    out: Writer,
}

impl Definition<'_> {
    fn item(&mut self, item: ItemId) {
        let graph = self.graph;
        let inference = graph.inference(item);
        self.out.text(&inference.sequence);
        self.concept(inference.target);
        self.target(inference.target);
        self.concepts(inference.function.as_slice());
        self.concepts(&inference.values);
        self.concepts(&inference.contexts);
        let start = inference.start;
        for flag in [
            start.without_value,
            start.without_value_once,
            start.without_function,
            start.without_function_once,
            start.with_support_only,
            start.without_support_once,
        ] {
            self.out.byte(u8::from(flag));
        }
        self.work(&inference.work);
        let gates = &graph.item(item).gates;
        self.out.number(gates.len() as u64);
        for gate in gates {
            self.work(&graph.inference(*gate).work);
        }
        // The loops around it, innermost first: a loop path means something only within them.
        let mut scope = graph.scope(graph.item(item).scope);
        while let (Some(of), Some(parent)) = (scope.of, scope.parent) {
            let around = graph.inference(of);
            self.concept(around.target);
            self.work(&around.work);
            scope = graph.scope(parent);
        }
    }

    fn concept(&mut self, concept: ConceptId) {
        self.out.text(self.graph.concept_name(concept));
    }

    fn concepts(&mut self, concepts: &[ConceptId]) {
        self.out.number(concepts.len() as u64);
        concepts.iter().for_each(|c| self.concept(*c));
    }

    /// What the target's entry adds to what a step does with it.
    fn target(&mut self, concept: ConceptId) {
        let concept = &self.graph.model.concepts[concept.0 as usize];
        self.out.text(&concept.axis_name);
        self.out.byte(u8::from(concept.ground) | u8::from(concept.invariant) << 1);
    }

    fn texts<T: AsRef<str>>(&mut self, texts: &[T]) {
        self.out.number(texts.len() as u64);
        texts.iter().for_each(|t| self.out.text(t.as_ref()));
    }

    fn optional_texts<T: AsRef<str>>(&mut self, texts: Option<&[T]>) {
        self.out.byte(u8::from(texts.is_some()));
        self.texts(texts.unwrap_or_default());
    }

    fn json(&mut self, json: &Json) {
        self.out.text(&json.to_string());
    }

    fn work(&mut self, work: &Work) {
        match work {
            Work::Assigning(assigning) => self.assigning(assigning),
            Work::Grouping(grouping) => {
                self.out.byte(match grouping.marker {
                    GroupMarker::In => 10,
                    GroupMarker::Across => 11,
                });
                self.concepts(&grouping.by_axis_concepts);
                self.texts(&grouping.protect_axes);
                match &grouping.by_axes {
                    ByAxes::Absent => self.out.byte(0),
                    ByAxes::Flat(axes) => {
                        self.out.byte(1);
                        self.texts(axes);
                    }
                    ByAxes::PerSource(sources) => {
                        self.out.byte(2);
                        self.out.number(sources.len() as u64);
                        sources.iter().for_each(|axes| self.texts(axes));
                    }
                }
                self.out.optional(grouping.create_axis.as_deref());
            }
            Work::Timing(timing) => {
                self.out.byte(match timing.marker {
                    GateMarker::If => 20,
                    GateMarker::IfNot => 21,
                    GateMarker::After => 22,
                });
                self.concept(timing.condition);
            }
            Work::Looping(looping) => {
                self.out.byte(30);
                self.concepts(&[looping.base, looping.element, looping.result]);
                self.out.optional(looping.group_base.as_deref());
                self.out.number(looping.carried.len() as u64);
                for carried in &looping.carried {
                    self.concept(carried.concept);
                    self.out.number(u64::from(carried.lag));
                }
            }
            Work::Semantic(semantic) => self.semantic(semantic),
            Work::Simple => self.out.byte(50),
        }
    }

    fn assigning(&mut self, assigning: &Assigning) {
        match assigning {
            Assigning::Specification { sources, any, destination } => {
                self.out.byte(if *any { 1 } else { 0 });
                self.concepts(sources);
                self.concepts(destination.as_slice());
            }
            Assigning::Continuation { source, destination, by_axes } => {
                self.out.byte(2);
                self.concepts(source.as_slice());
                self.concept(*destination);
                self.texts(by_axes);
            }
            Assigning::Abstraction { face, axes } => {
                self.out.byte(3);
                self.json(face);
                self.optional_texts(axes.as_deref());
            }
            Assigning::Selection { source, selector } => {
                self.out.byte(4);
                self.concept(*source);
                self.json(&Json::Object(selector.clone()));
            }
            Assigning::Identity { canonical, alias } => {
                self.out.byte(5);
                self.concepts(&[*canonical, *alias]);
            }
        }
    }

    fn semantic(&mut self, semantic: &Semantic) {
        self.out.byte(40);
        self.out.byte(u8::from(semantic.judgement));
        match &semantic.method {
            Method::Plain => self.out.byte(0),
            Method::Direct => self.out.byte(1),
            Method::Input => self.out.byte(2),
            Method::Python => self.out.byte(3),
            Method::PythonIndirect => self.out.byte(4),
            Method::Composition { paradigm } => {
                self.out.byte(5);
                self.out.text(paradigm);
            }
        }
        self.concepts(&semantic.order);
        self.out.number(semantic.passed.len() as u64);
        for passed in &semantic.passed {
            self.out.text(&passed.key);
            match &passed.source {
                Source::Concept(concept) => self.concept(*concept),
                Source::Constant(name) | Source::Unknown(name) => self.out.text(name),
            }
            self.json(&passed.selector.clone().map_or(Json::Null, Json::Object));
        }
        self.json(semantic.condition.as_ref().unwrap_or(&Json::Null));
        if let Some(assertion) = &semantic.assertion {
            self.json(&assertion.condition);
            for (axis, quantifier) in &assertion.quantifiers {
                self.texts(&[axis, quantifier]);
            }
        }
        self.out.byte(u8::from(semantic.relation_output));
        self.out.byte(u8::from(semantic.create_axis_on_list_output));
        self.out.optional(semantic.output_axis_name.as_deref());
        self.out.byte(u8::from(semantic.once));
        self.out.optional(semantic.agent.as_deref());
        self.out.optional(semantic.model.as_deref());
        self.json(&semantic.schema.as_deref().cloned().unwrap_or(Json::Null));
        for (name, value) in &semantic.constants {
            self.out.text(name);
            self.json(value);
        }
        self.out.byte(u8::from(semantic.with_thinking));
        self.texts(&[&semantic.keys.template, &semantic.keys.prompt, &semantic.keys.script]);
        // A longer time to wait changes no result, so a timeout is no part of the definition.
    }
}
