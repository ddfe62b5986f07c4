//! Inferences that wait for themselves: NC080 dependency cycles, NC088 gates that can never open (language spec,
//! section 13). Such a plan still runs, so that the run can say what is stuck: the diagnostics are warnings.

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::Span;
use crate::diag::{Code, Diagnostic, Severity};
use crate::plan::model::{ConceptId, FunctionKind, Work};

use super::analysis::{Liveness, told};
use super::logic::Formula;
use super::names::Kind;
use super::net::{Edge, Net, Own, Why, components};
use crate::plan::check::Facts;

/// The longest cycle that is told step by step.
const TOLD: usize = 6;

pub(super) fn check(facts: &Facts<'_>, found: &mut Liveness<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let mut said: FxHashSet<usize> = FxHashSet::default();
    for component in &found.net.tangled {
        said.extend(component);
        if let Some(steps) = cycle(facts, &found.net, component) {
            diagnostics.extend(report(facts, found, &steps));
        }
    }
    for own in &found.net.own {
        let own_node = found.net.entrance(own.item);
        if !said.contains(&own_node) && said.insert(own.item) {
            diagnostics.extend(report_own(facts, found, own));
        }
    }
}

/// One step of a cycle: a node, and why it waits for the next.
#[derive(Clone, Copy)]
struct Step {
    node: usize,
    why: Why,
}

/// A short cycle within nodes that wait for each other. One without gates comes first: such a cycle holds whatever is
/// done about the gates.
fn cycle(facts: &Facts<'_>, net: &Net<'_>, component: &[usize]) -> Option<Vec<Step>> {
    let is_gate = |node: usize| matches!(net.names.kind(net.item_of(facts, node)), Kind::Gate(_));
    let plain: Vec<usize> = component.iter().copied().filter(|n| !is_gate(*n)).collect();
    if plain.len() < component.len() {
        let number: FxHashMap<usize, usize> = plain.iter().enumerate().map(|(i, n)| (*n, i)).collect();
        let inner: Vec<Vec<Edge>> = plain
            .iter()
            .map(|n| {
                let edges = net.edges.get(*n).into_iter().flatten();
                edges.filter_map(|e| Some(Edge { to: *number.get(&e.to)?, why: e.why })).collect()
            })
            .collect();
        let (_, all) = components(&inner);
        let knots = all.into_iter().filter(|c| c.len() > 1);
        let mut knots: Vec<Vec<usize>> =
            knots.map(|c| c.iter().filter_map(|i| plain.get(*i).copied()).collect()).collect();
        knots.sort();
        return match knots.first() {
            Some(knot) => shortest(net, knot, *knot.first()?),
            None => shortest(net, component, *component.iter().find(|n| is_gate(**n))?),
        };
    }
    shortest(net, component, *component.first()?)
}

/// A shortest way from a node back to itself.
fn shortest(net: &Net<'_>, component: &[usize], start: usize) -> Option<Vec<Step>> {
    let mut from: FxHashMap<usize, Step> = FxHashMap::default();
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for edge in net.edges.get(node)? {
            let step = Step { node, why: edge.why };
            if edge.to == start {
                let mut path = vec![step];
                while let Some(before) =
                    path.last().filter(|s| s.node != start).and_then(|s| from.get(&s.node))
                {
                    path.push(*before);
                }
                path.reverse();
                return Some(path);
            }
            if component.binary_search(&edge.to).is_ok() && !from.contains_key(&edge.to) {
                from.insert(edge.to, step);
                queue.push_back(edge.to);
            }
        }
    }
    None
}

/// What a node is called: the concept it gives, for a gate its text.
fn name<'a>(facts: &Facts<'a>, net: &Net<'_>, node: usize) -> &'a str {
    let item = net.item_of(facts, node);
    let Some(inference) = facts.plan.inferences.get(item) else { return "" };
    match (&inference.work, facts.plan.concept(inference.target)) {
        (Work::Gate { .. }, _) => facts.plan.name(inference.function),
        // What one step of a loop gives is written at the loop's line.
        (_, Some(target)) if !target.kind.is_value() => facts.plan.name(step_of(facts, inference.target)),
        _ => facts.plan.name(inference.target),
    }
}

/// The result of the loop whose step gives a function concept; the concept itself for all others.
fn step_of(facts: &Facts<'_>, function: ConceptId) -> ConceptId {
    let mut loops = facts.loops.iter().filter_map(|(i, _)| facts.plan.inferences.get(*i));
    loops.find(|l| l.function == function).map_or(function, |l| l.target)
}

/// Where an inference says that it waits, and what it says there.
fn place(facts: &Facts<'_>, net: &Net<'_>, step: Step, next: usize) -> Option<(Span, String)> {
    let item = net.item_of(facts, step.node);
    let inference = facts.plan.inferences.get(item)?;
    let other = facts.plan.inferences.get(net.item_of(facts, next))?;
    let (this, that) = (name(facts, net, step.node), name(facts, net, next));
    let written = |concept: ConceptId| {
        let place = inference.places.iter().find(|(c, _)| *c == concept).map(|(_, span)| *span);
        place.unwrap_or(inference.function_span)
    };
    Some(match step.why {
        Why::Value(concept) if matches!(inference.work, Work::Loop(_)) => {
            (written(concept), format!("the loop walks `{}`", facts.plan.name(concept)))
        }
        Why::Value(concept) | Why::Candidate(concept) => {
            (written(concept), format!("`{this}` needs `{}`", facts.plan.name(concept)))
        }
        Why::Condition(concept) => {
            (inference.function_span, format!("the gate waits for `{}`", facts.plan.name(concept)))
        }
        Why::Gate => (other.function_span, format!("`{this}` waits for this gate")),
        Why::Below => (other.target_span, format!("`{that}` stands below `{this}`, so it comes first")),
        Why::Step => (other.target_span, format!("the loop of `{this}` ends after `{that}`")),
        Why::Inside => (other.function_span, format!("`{this}` is made inside this loop")),
    })
}

fn report(facts: &Facts<'_>, found: &Liveness<'_>, steps: &[Step]) -> Option<Diagnostic> {
    let net = &found.net;
    let first = steps.first()?;
    // A loop and its beginning are one to the reader.
    let mut names: Vec<&str> = steps.iter().map(|s| name(facts, net, s.node)).collect();
    names.dedup();
    if names.len() > 1 && names.first() == names.last() {
        names.pop();
    }
    let chain: Vec<String> = names.iter().skip(1).take(TOLD).map(|n| format!("`{n}`")).collect();
    let more = if names.len() > TOLD + 1 { ", and so on," } else { "," };
    let item = net.item_of(facts, first.node);
    let inference = facts.plan.inferences.get(item)?;
    let outcome = outcome(facts, found, item);
    let mut diagnostic = if let Work::Gate { kind, condition } = inference.work {
        let waits = chain.join(", which waits for ");
        let message = format!("`{}` can never open: {waits} waits for it", names.first()?);
        let message = match chain.len() {
            0 | 1 => message,
            _ => format!(
                "`{}` can never open: it waits for {waits}{more} which waits for the gate",
                names.first()?
            ),
        };
        let help = match kind {
            FunctionKind::After => {
                "leave the timing out, or let it wait for something that is made before".to_owned()
            }
            _ => format!(
                "let `{}` ask about what goes into the step, not about what comes out of it",
                facts.plan.name(condition)
            ),
        };
        Diagnostic::at(Code::NC088, inference.function_span, message).help(help)
    } else {
        let message = match chain.as_slice() {
            [] => format!("`{}` waits for itself", names.first()?),
            chain => format!(
                "`{0}` waits for {1}{more} which waits for `{0}`",
                names.first()?,
                chain.join(", which waits for ")
            ),
        };
        names.iter().take(TOLD + 1).fold(
            Diagnostic::at(Code::NC080, inference.target_span, message)
                .help("break the cycle: give one of them data, or carry it from step to step of a loop"),
            |diagnostic, name| diagnostic.about(*name),
        )
    };
    diagnostic = diagnostic.severity(Severity::Warning).label(format!("a run stops here{outcome}"));
    let nodes: Vec<usize> = steps.iter().map(|s| s.node).collect();
    for (i, step) in steps.iter().enumerate().take(TOLD + 1) {
        let next = nodes.get(i + 1).or(nodes.first()).copied()?;
        let same = net.item_of(facts, step.node) == net.item_of(facts, next);
        let Some((span, text)) = place(facts, net, *step, next).filter(|_| !same) else { continue };
        let known = diagnostic.primary.iter().chain(&diagnostic.secondary).any(|l| l.span == span);
        if !known {
            diagnostic = diagnostic.also(span, text);
        }
    }
    Some(diagnostic)
}

/// Something that waits for what waits for it, with nobody else to give it.
fn report_own(facts: &Facts<'_>, found: &Liveness<'_>, own: &Own) -> Option<Diagnostic> {
    let net = &found.net;
    let inference = facts.plan.inferences.get(own.item)?;
    let giver = facts.plan.inferences.get(own.giver)?;
    let (Why::Value(concept) | Why::Candidate(concept) | Why::Condition(concept)) = own.why else {
        return None;
    };
    let (this, needed) = (name(facts, net, own.item), facts.plan.name(concept));
    let outcome = outcome(facts, found, own.item);
    let label = format!("a run stops here{outcome}");
    let diagnostic = if let Work::Gate { .. } = inference.work {
        let message = format!("`{this}` can never open: what gives `{needed}` waits for it");
        Diagnostic::at(Code::NC088, inference.function_span, message)
            .help("ask about something that is made before")
    } else if own.giver == own.item {
        Diagnostic::at(Code::NC080, inference.target_span, format!("`{this}` waits for itself"))
            .about(this)
            .help("give it data, take another value, or carry it from step to step of a loop")
    } else if matches!(inference.work, Work::Loop(_)) {
        let message = format!("the loop of `{this}` walks `{needed}`, which its own steps make");
        Diagnostic::at(Code::NC080, inference.function_span, message)
            .about(this)
            .about(needed)
            .help(format!("make `{needed}` beside the loop line, not below it, or give it data"))
    } else {
        let message = match own.why {
            Why::Candidate(_) => format!("all that `{this}` could take waits for `{this}`"),
            _ => format!("`{this}` waits for `{needed}`, which waits for `{this}`"),
        };
        Diagnostic::at(Code::NC080, inference.target_span, message)
            .about(this)
            .about(needed)
            .help("break the cycle: give one of them data, or add a candidate that is made another way")
    };
    let mut diagnostic = diagnostic.severity(Severity::Warning).label(label);
    let step = Step { node: own.item, why: own.why };
    if let Some((span, text)) = place(facts, net, step, own.giver)
        && diagnostic.primary.as_ref().is_none_or(|p| p.span != span)
    {
        diagnostic = diagnostic.also(span, text);
    }
    if own.giver != own.item {
        diagnostic =
            diagnostic.also(giver.target_span, format!("`{}` is made here", facts.plan.name(giver.target)));
    }
    Some(diagnostic)
}

/// Under which outcome a run comes to an inference at all: the loops around it are skipped under all others.
fn outcome(facts: &Facts<'_>, found: &Liveness<'_>, item: usize) -> String {
    let net = &found.net;
    let mut scope = net.scoping.scope_of(item);
    while let Some(around) = net.scoping.loop_of(scope) {
        let skipped = found.skips.skipped(around);
        if skipped != Formula::NEVER && skipped.can_hold() {
            return told(facts, &found.skips.escape(skipped));
        }
        scope = net.scoping.scope_of(around);
    }
    String::new()
}
