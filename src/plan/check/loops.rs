//! Loops: NC083 versions outside their loop, NC084 carried values nobody updates, NC085 numbers used twice, NC086
//! loops that never end (language spec, section 13).

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::Span;
use crate::diag::{Code, Diagnostic, Severity};
use crate::plan::model::{ConceptId, FunctionKind, Work};
use crate::plan::operands::operands;
use crate::syntax::{Expr, NodeId, Value};

use super::Facts;
use super::liveness::{Formula, Liveness};

pub(super) fn check(facts: &Facts<'_>, found: Option<&Liveness<'_>>, diagnostics: &mut Vec<Diagnostic>) {
    let said = outside(facts, diagnostics);
    no_element(facts, &said, diagnostics);
    numbers(facts, diagnostics);
    carried(facts, found, diagnostics);
    endless(facts, found, diagnostics);
}

/// The loop lines around the line that is looked at, outermost first, with the numbers in force.
#[derive(Default)]
struct Around {
    chain: Vec<NodeId>,
    places: FxHashMap<NodeId, usize>,
    numbers: FxHashMap<u32, usize>,
}

impl Around {
    /// Moves to the lines inside `scope`. Lines come in document order, so the loop around `scope` is in the chain.
    fn enter(&mut self, facts: &Facts<'_>, scope: Option<NodeId>) {
        let Some(scope) = scope else { return self.truncate(facts, 0) };
        if let Some(at) = self.places.get(&scope).copied() {
            return self.truncate(facts, at + 1);
        }
        let outer = facts.scopes.around(scope).and_then(|o| self.places.get(&o)).map_or(0, |at| at + 1);
        self.truncate(facts, outer);
        self.places.insert(scope, self.chain.len());
        self.chain.push(scope);
        if let Some(number) = facts.loop_line_number(scope) {
            *self.numbers.entry(number).or_default() += 1;
        }
    }

    fn truncate(&mut self, facts: &Facts<'_>, length: usize) {
        while self.chain.len() > length {
            let Some(line) = self.chain.pop() else { return };
            self.places.remove(&line);
            if let Some(count) = facts.loop_line_number(line).and_then(|n| self.numbers.get_mut(&n)) {
                *count -= 1;
            }
        }
    }

    fn has(&self, number: u32) -> bool {
        self.numbers.get(&number).is_some_and(|count| *count > 0)
    }
}

/// `{x}*N` where loop N is not around; gives the names and numbers that were reported.
fn outside(facts: &Facts<'_>, diagnostics: &mut Vec<Diagnostic>) -> FxHashSet<(Arc<str>, u32)> {
    let known: FxHashSet<u32> = facts.tree.loops.iter().map(|l| l.number).collect();
    let mut said: FxHashSet<(Arc<str>, u32)> = FxHashSet::default();
    let mut around = Around::default();
    for (id, node) in facts.tree.iter() {
        around.enter(facts, facts.scopes.around(id));
        let written: Vec<&Value> = match (&node.concept.expr, node.concept.value()) {
            (_, Some(value)) => vec![value],
            // What a loop carries is written in the loop's own terms.
            (Expr::Looping(looping), None) => looping.bases.iter().collect(),
            _ => operands(&node.concept),
        };
        for value in written {
            let Some(number) = value.versions().find(|n| !around.has(*n)) else { continue };
            let text = node.text_of(value.head);
            if !said.insert((value.name.clone(), number)) {
                continue;
            }
            let span = node.span_of(value.part);
            let name = format!("{text}*{number}");
            let diagnostic = if known.contains(&number) {
                Diagnostic::at(Code::NC083, span, format!("`{name}` is used outside loop {number}"))
                    .about(name)
                    .help(format!("move the line below the loop line, or write `{text}` without `*{number}`"))
            } else {
                Diagnostic::at(
                    Code::NC083,
                    span,
                    format!("`{name}` speaks of loop {number}, which the plan does not have"),
                )
                .about(name)
                .missing_loop(number)
                .help(format!("write the number of a loop around the line, or `{text}` without `*{number}`"))
            };
            diagnostics.push(diagnostic);
        }
    }
    said
}

/// A version that is no element of its loop, not carried, and not computed.
fn no_element(facts: &Facts<'_>, said: &FxHashSet<(Arc<str>, u32)>, diagnostics: &mut Vec<Diagnostic>) {
    let numbers: FxHashSet<u32> = facts.tree.loops.iter().map(|l| l.number).collect();
    for (id, concept) in facts.values() {
        let Some(last) = concept.versions.last() else { continue };
        // A loop the plan does not have is reported where it is named.
        if facts.is_given(id, concept) || !concept.versions.iter().all(|n| numbers.contains(n)) {
            continue;
        }
        if concept.versions.iter().any(|n| said.contains(&(concept.bare.clone(), *n))) {
            continue;
        }
        let Some(span) = concept.first_span() else { continue };
        let message = format!(
            "`{}` is not the element of loop {last}, not carried by it, and not computed",
            concept.name
        );
        let element =
            facts.loops.iter().find(|(_, l)| l.number == *last).map(|(_, l)| facts.plan.name(l.element));
        let help = match element {
            Some(element) => format!("the element of loop {last} is `{element}`"),
            None => "write the base of the loop with its number".to_owned(),
        };
        diagnostics.push(Diagnostic::at(Code::NC083, span, message).about(&*concept.name).help(help));
    }
}

/// Two loops with one number: an error when a name could then mean either, a warning a number otherwise.
fn numbers(facts: &Facts<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let mut first: FxHashMap<u32, Span> = FxHashMap::default();
    let mut said: FxHashSet<u32> = FxHashSet::default();
    let mut names = FxHashMap::default();
    let mut around = Around::default();
    for (i, looping) in &facts.loops {
        let Some(inference) = facts.plan.inferences.get(*i) else { continue };
        let span = inference.function_span;
        around.enter(facts, facts.scopes.around(looping.line));
        let nested = around.has(looping.number);
        let shared = std::iter::once(looping.element)
            .chain(looping.carries.iter().map(|c| c.concept))
            .filter_map(|concept| names.insert(concept, span))
            .next();
        let Some(other) = first.get(&looping.number).copied() else {
            first.insert(looping.number, span);
            continue;
        };
        let number = looping.number;
        if nested || shared.is_some() {
            diagnostics.push(
                Diagnostic::at(
                    Code::NC085,
                    span,
                    format!("loop number {number} is used twice for the same names"),
                )
                .also(shared.unwrap_or(other), "here too")
                .help("give each loop a number of its own, like `@(2)`"),
            );
        } else if said.insert(number) {
            diagnostics.push(
                Diagnostic::at(Code::NC085, span, format!("loop number {number} is used for several loops"))
                    .severity(Severity::Warning)
                    .also(other, "here too")
                    .help("give each loop a number of its own, like `@(2)`"),
            );
        }
    }
}

/// Returns whether an inference runs inside a loop, by the loop's place in [`Facts::loops`].
fn runs_inside(facts: &Facts<'_>, found: Option<&Liveness<'_>>, item: usize, k: usize) -> bool {
    match found {
        Some(found) => found.runs_in(item, k + 1),
        // Too tangled to tell: below the loop's own line is as good a guess.
        None => {
            let flow = |i: usize| facts.plan.inferences.get(i).map(|i| &i.flow);
            let around = facts.loops.get(k).and_then(|(l, _)| flow(*l));
            flow(item).zip(around).is_some_and(|(item, around)| item.is_below(around))
        }
    }
}

/// A carried value that nothing in the loop updates.
fn carried(facts: &Facts<'_>, found: Option<&Liveness<'_>>, diagnostics: &mut Vec<Diagnostic>) {
    for (k, (_, looping)) in facts.loops.iter().enumerate() {
        for carry in looping.carries.iter().filter(|c| c.lag > 0) {
            let producers = facts.producers(carry.concept);
            let outside =
                producers.first().and_then(|p| facts.plan.inferences.get(*p)).map(|p| p.target_span);
            let inside = producers.iter().any(|p| runs_inside(facts, found, *p, k));
            if inside || facts.broken.contains(&carry.concept) {
                continue;
            }
            let name = facts.plan.name(carry.concept);
            let mut diagnostic = Diagnostic::at(
                Code::NC084,
                carry.span,
                format!("nothing gives `{name}` a new value, so every step sees the first one"),
            )
            .about(name)
            .help(format!("add a line `<- {name}` below the loop line with what computes it"));
            if let Some(outside) = outside {
                diagnostic = diagnostic.also(outside, "made outside the loop, once");
            }
            diagnostics.push(diagnostic);
        }
    }
}

/// An append to the loop's own base that no gate can ever hold back: none stands there, or what it asks stays the
/// same in all steps.
fn endless(facts: &Facts<'_>, found: Option<&Liveness<'_>>, diagnostics: &mut Vec<Diagnostic>) {
    for (k, (i, looping)) in facts.loops.iter().enumerate() {
        let Some(loop_flow) = facts.plan.inferences.get(*i).map(|l| &l.flow) else { continue };
        for at in facts.producers(looping.base) {
            let Some(append) = facts.plan.inferences.get(*at).filter(|a| a.flow.is_below(loop_flow)) else {
                continue;
            };
            let Work::Continuation { item, destination, .. } = append.work else { continue };
            if destination != looping.base {
                continue;
            }
            // A skipped item appends nothing.
            let skipped = |item: &ConceptId| {
                let made = facts.producers(*item).iter();
                found.is_none_or(|f| made.clone().any(|p| f.skipped(*p) != Formula::NEVER))
            };
            if item.as_ref().is_some_and(skipped) {
                continue;
            }
            let rest = facts.plan.inferences.get(at + 1..).unwrap_or_default();
            let gates = rest
                .iter()
                .take_while(|g| g.flow.is_below(&append.flow))
                .filter(|g| g.flow.parent().as_ref() == Some(&append.flow))
                .filter_map(|g| match g.work {
                    Work::Gate { kind: FunctionKind::If | FunctionKind::IfNot, condition } => {
                        Some((g, condition))
                    }
                    _ => None,
                });
            let mut constant = None;
            let mut closes = false;
            for (gate, condition) in gates {
                // What is not given at all has been reported.
                let given = facts.plan.concept(condition).is_some_and(|c| facts.is_given(condition, c));
                let made = facts.producers(condition).iter().any(|p| runs_inside(facts, found, *p, k));
                if !given || made {
                    closes = true;
                } else {
                    constant.get_or_insert((gate, condition));
                }
            }
            if closes {
                continue;
            }
            let name = facts.plan.name(looping.base);
            let span = append.function_span;
            diagnostics.push(match constant {
                None => Diagnostic::at(
                    Code::NC086,
                    span,
                    format!("every step appends to `{name}`, which the loop walks, so it never ends"),
                )
                .help("write a timing below the append: `<= @if!(<done>)`"),
                Some((gate, condition)) => {
                    let condition = facts.plan.name(condition);
                    Diagnostic::at(
                        Code::NC086,
                        span,
                        format!(
                            "once a step appends to `{name}`, which the loop walks, all do, so it never ends"
                        ),
                    )
                    .also(gate.function_span, format!("`{condition}` is the same in every step"))
                    .help(format!("judge `{condition}` below the loop line, about what the step has made"))
                }
            });
        }
    }
}
