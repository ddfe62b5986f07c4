//! Two steps that write one file at one time (semantics spec, section 14.4): found before the run where both paths are
//! written in the plan.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;
use serde_json::Value as Json;

use crate::base::{Sign, Span};
use crate::diag::{Code, Diagnostic};
use crate::repo::{ConceptId, GateMarker, Inference, Method, Model, Semantic, Work};
use crate::run::graph::{Graph, ItemId};
use crate::run::paradigm::Uses;

/// Pairs of steps that write one path and of which neither waits for the other (NC115). `uses` says what a paradigm
/// touches, `place` where the function of an inference is written.
pub fn check_writes(
    graph: &Graph,
    uses: &dyn Fn(&Inference, &str) -> Option<Uses>,
    place: &dyn Fn(ItemId) -> Option<Span>,
) -> Vec<Diagnostic> {
    let mut writers: BTreeMap<String, Vec<ItemId>> = BTreeMap::new();
    for (number, inference) in (0..).zip(&graph.model.inferences) {
        let Work::Semantic(step) = &inference.work else { continue };
        let Method::Composition { paradigm } = &step.method else { continue };
        if !uses(inference, paradigm).is_some_and(|u| u.writes) {
            continue;
        }
        if let Some(path) = path(&graph.model, inference, step, paradigm) {
            writers.entry(path).or_default().push(ItemId(number));
        }
    }
    let mut found = Vec::new();
    for (path, items) in writers.into_iter().filter(|(_, items)| items.len() > 1) {
        let Some((first, rest)) = items.split_first() else { continue };
        let before: FxHashSet<ItemId> = earlier(graph, *first);
        let clash = rest.iter().find(|item| {
            !before.contains(item)
                && !earlier(graph, **item).contains(first)
                && !exclude(graph, *first, **item)
        });
        let Some(second) = clash else { continue };
        let (a, b) = (&graph.inference(*first).flow, &graph.inference(*second).flow);
        let message = format!("the steps {a} and {b} both write `{path}`, and neither waits for the other");
        let mut diagnostic = match place(*second) {
            Some(span) => Diagnostic::at(Code::NC115, span, message),
            None => Diagnostic::new(Code::NC115, message),
        };
        if let Some(span) = place(*first) {
            diagnostic = diagnostic.also(span, "the other one");
        }
        let wait = graph.concept_name(graph.inference(*first).target);
        found.push(
            diagnostic.help(format!("write to another path, or let the second one wait: `@after({wait})`")),
        );
    }
    found
}

/// The path a step writes, where the plan says it: in the sign of its function, as a save path among its values, or as
/// the plain first value of a paradigm that is given a path.
fn path(model: &Model, inference: &Inference, step: &Semantic, paradigm: &str) -> Option<String> {
    let sign = |id: ConceptId| text(model, id).and_then(Sign::parse);
    let function = inference.function.and_then(sign);
    let named = function.filter(|s| matches!(s.norm(), Some("file_location" | "save_path")));
    let saved = || step.order.iter().filter_map(|id| sign(*id)).find(|s| s.norm() == Some("save_path"));
    if let Some(sign) = named.or_else(saved) {
        return Some(normal(sign.payload()));
    }
    let first = step.order.first().filter(|_| paradigm.starts_with("h_LiteralPath-"))?;
    let plain = text(model, *first)?;
    match Sign::parse(plain) {
        Some(sign) if sign.norm().is_none() => Some(normal(sign.payload())),
        Some(_) => None,
        None => Some(normal(plain)),
    }
}

/// The only cell of a concept whose data are written in the plan, when it is a text.
fn text(model: &Model, id: ConceptId) -> Option<&str> {
    let mut cell = model.concepts.get(id.0 as usize)?.data.as_ref()?;
    while let Json::Array(items) = cell {
        match items.as_slice() {
            [only] => cell = only,
            _ => return None,
        }
    }
    cell.as_str()
}

/// One spelling of a path: without `.` and doubled slashes.
fn normal(path: &str) -> String {
    let root = if path.starts_with('/') { "/" } else { "" };
    let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty() && *p != ".").collect();
    format!("{root}{}", parts.join("/"))
}

/// Everything that is settled before an item starts.
fn earlier(graph: &Graph, item: ItemId) -> FxHashSet<ItemId> {
    let mut found = FxHashSet::default();
    let mut open = vec![item];
    while let Some(at) = open.pop() {
        let Some(item) = graph.items.get(at.at()) else { continue };
        let waits = item.waits.iter().map(|w| w.item).chain(item.gates.iter().copied());
        open.extend(waits.filter(|w| found.insert(*w)));
    }
    found
}

/// One runs when a condition holds, the other when it does not.
fn exclude(graph: &Graph, first: ItemId, second: ItemId) -> bool {
    let gates = |item: ItemId| {
        graph.items.get(item.at()).into_iter().flat_map(|i| &i.gates).filter_map(|gate| {
            match &graph.inference(*gate).work {
                Work::Timing(timing) => Some((timing.marker, timing.condition)),
                _ => None,
            }
        })
    };
    gates(first).any(|(a, condition)| {
        gates(second).any(|(b, other)| {
            let opposite =
                matches!((a, b), (GateMarker::If, GateMarker::IfNot) | (GateMarker::IfNot, GateMarker::If));
            opposite && condition == other
        })
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::{SourceFile, SourceMap};
    use crate::repo::{LowerOptions, compile};
    use crate::run::paradigm::Paradigm;

    fn said(first: &str, second: &str, gates: [&str; 2], between: &str) -> Vec<String> {
        let gate = |g: &str| if g.is_empty() { String::new() } else { format!("            <= {g}\n") };
        let text = format!(
            ":<:({{done}})\n    <= &[{{}}] %>[{{a}}, {{b}}]\n    <- {{a}}\n        <= ::(save {{1}})\n            | \
             %{{paradigm}}: write-file\n            | %{{v_input_provision}}: {first}\n{}        <- {{x}}<:{{1}}>\n    \
             <- {{b}}\n        <= ::(save the other {{1}})\n            | %{{paradigm}}: write-file\n            | \
             %{{v_input_provision}}: {second}\n{}        <- {between}<:{{1}}>\n    <- <c>\n        <= ::(is \
             {{1}})<ALL True>\n            | %{{prompt}}: p\n        <- {{x}}<:{{1}}>\n",
            gate(gates[0]),
            gate(gates[1])
        );
        let mut sources = SourceMap::default();
        let file = sources.add(SourceFile::new("plan.ncd", text.as_str()));
        let compiled = compile(file, &text, None, &sources, &LowerOptions::default());
        let model = compiled.model.unwrap_or_else(|| panic!("{:?}\n{text}", compiled.diagnostics));
        let graph = Graph::new(Arc::new(model));
        let uses = |_: &Inference, name: &str| Paradigm::builtin(name).map(|p| p.uses());
        check_writes(&graph, &uses, &|_| None).into_iter().map(|d| d.message).collect()
    }

    #[test]
    fn one_file_at_one_time() {
        let clash = "the steps 1.2 and 1.3 both write `out.txt`, and neither waits for the other";
        assert_eq!(said("out.txt", "./out.txt", ["", ""], "{y}"), [clash]);
        assert_eq!(said("out.txt", "other.txt", ["", ""], "{y}"), [""; 0]);
        assert_eq!(said("out.txt", "out.txt", ["", ""], "{a}"), [""; 0]);
        assert_eq!(said("out.txt", "out.txt", ["@:'(<c>)", "@:!(<c>)"], "{y}"), [""; 0]);
        assert_eq!(said("out.txt", "out.txt", ["@:'(<c>)", "@:'(<c>)"], "{y}"), [clash]);
        assert_eq!(said("out.txt", "out.txt", ["", "@.({a})"], "{y}"), [""; 0]);
    }
}
