//! Diagnostics of a run that went wrong, with the places of the plan they are about (codes NC201 to NC204).

use std::fmt::Write;

use indexmap::IndexMap;
use rustc_hash::FxHashMap;

use crate::base::Span;
use crate::diag::{Code, Diagnostic, Label};
use crate::repo::ConceptId;
use crate::run::graph::Why;
use crate::run::stuck::{Blocker, Root, StuckItem};
use crate::run::{Graph, ItemId, Outcome, ScriptPlace, StepFailure, StepKey, waits_for};

/// Inferences whose failure is shown; the others are counted.
const MOST_FAILED: usize = 10;
/// Stuck items that are pointed at one by one; the others are counted.
const MOST_STUCK: usize = 10;

/// Where the parts of a plan stand in its source; empty for plans without source text.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// The line of the concept to infer, by item.
    pub targets: FxHashMap<ItemId, Span>,
    /// The functional line, by item.
    pub functions: FxHashMap<ItemId, Span>,
    /// The line of each value, by item and concept.
    pub values: FxHashMap<(ItemId, ConceptId), Span>,
}

impl Places {
    fn target(&self, item: ItemId) -> Option<Span> {
        self.targets.get(&item).or_else(|| self.functions.get(&item)).copied()
    }

    /// Where an item names a concept it waits for: its value line, else its function (a gate's condition).
    fn mention(&self, item: ItemId, concept: ConceptId) -> Option<Span> {
        self.values.get(&(item, concept)).copied().or_else(|| self.functions.get(&item).copied())
    }
}

/// What a person must know about how a run ended; empty when all is well.
pub fn diagnose(outcome: &Outcome, places: &Places) -> Vec<Diagnostic> {
    let graph = outcome.graph();
    let mut found = failures(outcome, places);
    for root in &outcome.deadlock.roots {
        match root {
            Root::Failed(_) => {}
            Root::NoSource(item, concept) => found.push(no_source(graph, places, *item, *concept)),
            Root::Cycle(items) => found.push(cycle(outcome, places, items)),
            Root::NoCandidate(item) => found.push(no_candidate(graph, places, *item)),
        }
    }
    if let Some(first) = found.iter_mut().find(|d| d.code == Code::NC201) {
        point_at_stuck(outcome, places, first);
    }
    for value in outcome.finals.iter().filter(|f| f.skipped) {
        let message = format!("the final concept `{}` was skipped, so it has no value", value.name);
        found.push(
            Diagnostic::new(Code::NC204, message)
                .help("give it a second candidate: `$.` over both branches, the other one gated by `@if!`"),
        );
    }
    found
}

/// What failed: an inference that failed in the same way in many iterations is shown once, with their number.
fn failures(outcome: &Outcome, places: &Places) -> Vec<Diagnostic> {
    let graph = outcome.graph();
    let mut groups: IndexMap<(ItemId, &str), (&StepKey, &StepFailure, usize)> = IndexMap::new();
    for (step, failure) in &outcome.failures {
        groups.entry((step.item, &failure.kind)).or_insert((step, failure, 0)).2 += 1;
    }
    let shown = groups.values().take(MOST_FAILED).map(|(step, failure, times)| {
        let mut diagnostic = failed(graph, places, step, failure);
        match times {
            1 => {}
            2 => diagnostic.message.push_str(", and once more"),
            _ => {
                let _ = write!(diagnostic.message, ", and {} more times", times - 1);
            }
        }
        diagnostic
    });
    let mut found: Vec<Diagnostic> = shown.collect();
    if groups.len() > MOST_FAILED {
        let message = format!("{} more inferences failed", groups.len() - MOST_FAILED);
        found.push(Diagnostic::new(Code::NC203, message).help("`--json` lists all of them"));
    }
    found
}

/// Puts a diagnostic at a place if there is one.
fn at(code: Code, span: Option<Span>, message: String, label: String) -> Diagnostic {
    match span {
        Some(span) => Diagnostic::at(code, span, message).label(label),
        None => Diagnostic::new(code, message),
    }
}

fn failed(graph: &Graph, places: &Places, step: &StepKey, failure: &StepFailure) -> Diagnostic {
    let inference = graph.inference(step.item);
    let target = graph.concept_name(inference.target);
    // The message of a script names it already.
    let place = match failure.script.as_deref() {
        Some(ScriptPlace { path, line: Some(line) }) if failure.message.contains(path.as_str()) => {
            format!(", line {line}")
        }
        Some(ScriptPlace { path, line: Some(line) }) => format!(" ({path}, line {line})"),
        Some(ScriptPlace { path, line: None }) if !failure.message.contains(path.as_str()) => {
            format!(" ({path})")
        }
        _ => String::new(),
    };
    let cell: Vec<String> = failure.cell.iter().map(|(axis, i)| format!("{axis} {}", i + 1)).collect();
    let cell = if cell.is_empty() { String::new() } else { format!(" at {}", cell.join(", ")) };
    let message =
        format!("step {} `{target}` failed{cell}: {}{place}", graph.step_name(step), failure.message);
    let mut diagnostic = at(Code::NC203, places.target(step.item), message, format!("`{}`", failure.kind));
    if let Some(function) = places.functions.get(&step.item) {
        diagnostic = diagnostic.also(*function, "what the step does");
    }
    match &failure.help {
        Some(help) => diagnostic.help(&**help),
        None => diagnostic,
    }
}

fn no_source(graph: &Graph, places: &Places, item: ItemId, concept: ConceptId) -> Diagnostic {
    let inference = graph.inference(item);
    let name = graph.concept_name(concept);
    let message = format!("{} waits for `{name}`, which has no data and which no step gives", inference.flow);
    at(Code::NC201, places.mention(item, concept), message, "nothing gives this".to_owned()).help(format!(
        "infer `{name}` in the plan, or give it data: `--set '{name}=...'`, an inputs file, or `| ref. ...` on its line"
    ))
}

fn no_candidate(graph: &Graph, places: &Places, item: ItemId) -> Diagnostic {
    let inference = graph.inference(item);
    let message = format!("{} has no candidate left: none of its sources has a value", inference.flow);
    at(Code::NC201, places.target(item), message, "chooses among nothing".to_owned())
        .help("add a source that always has a value")
}

/// `x ← y ← x`: each waits for the next.
fn cycle(outcome: &Outcome, places: &Places, items: &[ItemId]) -> Diagnostic {
    let graph = outcome.graph();
    let name = |item: &ItemId| graph.item_name(*item).to_string();
    let flows: Vec<String> = items.iter().map(|i| graph.inference(*i).flow.to_string()).collect();
    let mut round: Vec<String> = items.iter().map(name).collect();
    round.extend(items.first().map(name));
    let message = match flows.as_slice() {
        [one] => format!("{one} waits for its own result"),
        [most @ .., last] => format!("{} and {last} wait for each other", most.join(", ")),
        [] => String::new(),
    };
    let mut diagnostic: Option<Diagnostic> = None;
    for (i, item) in items.iter().enumerate() {
        let next = items[(i + 1) % items.len()];
        let why = reason(outcome, *item, next);
        let span = match why.1 {
            Some(concept) => places.mention(*item, concept),
            None => places.target(*item),
        };
        let label = format!("{} waits for {}: {}", flows[i], graph.inference(next).flow, why.0);
        diagnostic = Some(match (diagnostic, span) {
            (None, span) => at(Code::NC201, span, message.clone(), label),
            (Some(d), Some(span)) => d.also(span, label),
            (Some(d), None) => d,
        });
    }
    let help = format!("{}; let one of them do without the other, or start it from data", round.join(" ← "));
    diagnostic.unwrap_or_else(|| Diagnostic::new(Code::NC201, message)).help(help)
}

/// Shows the stuck inferences that no label of a deadlock is about yet, each at its place.
fn point_at_stuck(outcome: &Outcome, places: &Places, deadlock: &mut Diagnostic) {
    let known: Vec<ItemId> = outcome
        .deadlock
        .roots
        .iter()
        .flat_map(|root| match root {
            Root::NoSource(item, _) | Root::Failed(item) | Root::NoCandidate(item) => vec![*item],
            Root::Cycle(items) => items.clone(),
        })
        .collect();
    let others = outcome.deadlock.stuck.iter().filter(|s| !known.contains(&s.item));
    for stuck in others.take(MOST_STUCK) {
        if let Some(span) = places.target(stuck.item) {
            let flow = &outcome.graph().inference(stuck.item).flow;
            let text = format!("{flow} waits for {}", waits_of(outcome.graph(), stuck));
            deadlock.secondary.push(Label { span, text });
        }
    }
}

/// What a stuck item waits for, the first few things by name.
fn waits_of(graph: &Graph, stuck: &StuckItem) -> String {
    let waits: Vec<String> = stuck.blockers.iter().take(4).map(|b| waits_for(graph, *b)).collect();
    let rest = stuck.blockers.len().saturating_sub(4);
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    format!("{}{more}", waits.join(", "))
}

/// Why one stuck item waits for another, in a few words.
fn reason(outcome: &Outcome, item: ItemId, next: ItemId) -> (String, Option<ConceptId>) {
    let graph = outcome.graph();
    let stuck = outcome.deadlock.stuck.iter().find(|s| s.item == item);
    let blocker = stuck.and_then(|s| s.blockers.iter().find(|b| b.item() == Some(next)));
    match blocker {
        Some(Blocker::Item(_, Why::Concept(c)) | Blocker::Candidate(_, c)) => {
            (format!("it needs `{}`", graph.concept_name(*c)), Some(*c))
        }
        Some(Blocker::Item(_, Why::Position(c))) => {
            (format!("it comes after it and both touch `{}`", graph.concept_name(*c)), Some(*c))
        }
        Some(Blocker::Item(_, Why::Gate)) => ("its gate is not decided".to_owned(), None),
        Some(Blocker::Loop(_)) => ("its loop does not begin".to_owned(), None),
        Some(Blocker::Body(_)) => ("it is part of the loop's body".to_owned(), None),
        _ => ("it stands below it".to_owned(), None),
    }
}

/// The stuck items as lines of text: what each waits for. Empty when nothing is stuck.
pub fn stuck_list(outcome: &Outcome) -> String {
    let graph = outcome.graph();
    let stuck: Vec<&StuckItem> = outcome.deadlock.stuck.iter().filter(|s| !s.failed).collect();
    let mut out = String::new();
    if stuck.is_empty() {
        return out;
    }
    let inferences = if stuck.len() == 1 { "inference" } else { "inferences" };
    let _ = writeln!(out, "{} {inferences} cannot go on:", stuck.len());
    for one in stuck.iter().take(MOST_STUCK) {
        let inference = graph.inference(one.item);
        let path = one.path.as_ref().map(ToString::to_string).unwrap_or_default();
        let name = graph.item_name(one.item);
        let _ = writeln!(out, "  {}{path} {name} waits for {}", inference.flow, waits_of(graph, one));
    }
    if stuck.len() > MOST_STUCK {
        let _ = writeln!(out, "  ... and {} more (`--json` lists all)", stuck.len() - MOST_STUCK);
    }
    out
}

/// Remarks on a plan that only its graph shows: where the order of two steps is given by position alone (`NC125`).
pub fn notes(graph: &Graph, places: &Places) -> Vec<Diagnostic> {
    let notes = graph.notes.iter();
    notes
        .map(|note| {
            at(Code::NC125, places.target(note.item), note.text.clone(), "the later one".to_owned())
                .help("make one of them wait: name what the other gives as a value, or gate it with `@after`")
        })
        .collect()
}
