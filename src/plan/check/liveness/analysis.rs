//! Liveness: for each inference, under each outcome of the conditions, it becomes ready or is skipped, or a diagnostic
//! says why not (language spec, section 13). What waits for itself is NC080 and NC088, a `$.` that ends with nothing
//! NC087.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::diag::{Code, Diagnostic, Severity};
use crate::plan::model::{ConceptId, FunctionKind, Inference, Work};

use super::cycles;
use super::logic::Formula;
use super::net::{Net, Why};
use super::skips::Skips;
use crate::plan::check::Facts;

/// So many choices that can end with nothing are followed to what they spoil.
const FOLLOWED: usize = 200;

/// Conditions told of an outcome.
const TOLD: usize = 3;

/// What the analysis found, for the checks that build on it.
pub(in crate::plan::check) struct Liveness<'a> {
    pub(super) net: Net<'a>,
    pub(super) skips: Skips,
}

impl Liveness<'_> {
    /// Returns whether an inference runs in the body of a loop; loops are counted from 1.
    pub(in crate::plan::check) fn runs_in(&self, item: usize, body: usize) -> bool {
        self.net.scoping.runs_in(item, body)
    }

    /// When an inference is skipped.
    pub(in crate::plan::check) fn skipped(&self, item: usize) -> Formula {
        self.skips.skipped(item)
    }
}

/// Looks at a plan; none for one that is too tangled, about which nothing is said.
pub(in crate::plan::check) fn of<'a>(facts: &Facts<'a>) -> Option<Liveness<'a>> {
    let mut net = Net::of(facts)?;
    let skips = Skips::of(&mut net);
    Some(Liveness { net, skips })
}

pub(in crate::plan::check) fn check(
    facts: &Facts<'_>,
    found: &mut Liveness<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    cycles::check(facts, found, diagnostics);
    choices(facts, found, diagnostics);
}

/// `$.` whose candidates can all be skipped, where that spoils a result of the plan or of a loop's step.
fn choices(facts: &Facts<'_>, found: &mut Liveness<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let Liveness { net, skips } = found;
    let mut readers: Option<Vec<Vec<usize>>> = None;
    // What an earlier report explains already, and when.
    let mut explained: FxHashMap<usize, Vec<Formula>> = FxHashMap::default();
    let mut followed = 0;
    for item in net.order.clone() {
        let Some(inference) = facts.plan.inferences.get(item) else { continue };
        let Work::Specification { sources, .. } = &inference.work else { continue };
        if sources.len() < 2 {
            continue;
        }
        let mut when = skips.nothing(net, item, sources);
        for earlier in explained.get(&item).cloned().unwrap_or_default() {
            when = skips.logic.without(when, earlier);
        }
        if !when.can_hold() || followed == FOLLOWED {
            continue;
        }
        followed += 1;
        let readers = readers.get_or_insert_with(|| readers_of(net));
        let reached = skips.reached(net, readers, item, when);
        if !reached.iter().any(|i| is_wanted(facts, net, *i, skips, when)) {
            continue;
        }
        for other in reached {
            explained.entry(other).or_default().push(when);
        }
        diagnostics.push(nothing(facts, net, skips, inference, sources, when));
    }
}

/// Who waits for each inference because it reads it, or because a gate does that guards it.
fn readers_of(net: &Net<'_>) -> Vec<Vec<usize>> {
    let mut readers = vec![Vec::new(); net.count];
    for item in 0..net.count {
        for edge in net.edges.get(net.entrance(item)).into_iter().flatten() {
            let reads = matches!(edge.why, Why::Value(_) | Why::Candidate(_) | Why::Condition(_) | Why::Gate);
            if let Some(list) = readers.get_mut(edge.to).filter(|_| reads) {
                list.push(item);
            }
        }
    }
    readers
}

/// An inference whose skip leaves the plan without a result, or a loop's step without one.
fn is_wanted(facts: &Facts<'_>, net: &Net<'_>, item: usize, skips: &mut Skips, when: Formula) -> bool {
    let Some(inference) = facts.plan.inferences.get(item) else { return false };
    if matches!(inference.work, Work::Gate { .. }) {
        return false;
    }
    let is_final = facts.plan.concept(inference.target).is_some_and(|c| c.is_final && c.ground.is_none());
    let around = net.scoping.loop_of(net.scoping.scope_of(item));
    let is_step =
        around.and_then(|l| facts.plan.inferences.get(l)).is_some_and(|l| l.function == inference.target);
    let skipped = skips.skipped(item);
    (is_final || is_step) && skips.logic.and(skipped, when).can_hold()
}

fn nothing(
    facts: &Facts<'_>,
    net: &Net<'_>,
    skips: &Skips,
    inference: &Inference,
    sources: &[ConceptId],
    when: Formula,
) -> Diagnostic {
    let outcome = skips.outcome(when);
    let target = facts.plan.name(target_of(facts, inference));
    let names: Vec<String> = sources.iter().map(|s| format!("`{}`", facts.plan.name(*s))).collect();
    let which = match names.as_slice() {
        [one, two] => format!("{one} and {two} are both skipped"),
        [one, two, three] => format!("{one}, {two} and {three} are all skipped"),
        all => format!("all its {} candidates are skipped", all.len()),
    };
    let message = format!("`{target}` gets nothing{}: {which}", told(facts, &outcome));
    let mut diagnostic = Diagnostic::at(Code::NC087, inference.function_span, message).about(target);
    diagnostic.about.extend(sources.iter().take(3).map(|s| facts.plan.name(*s).to_owned()));
    let mut gated: Vec<ConceptId> = Vec::new();
    for source in sources {
        let Some(giver) = net.names.producers(*source).first().copied() else { continue };
        let gate = net.gates.get(giver).into_iter().flatten().find_map(|g| {
            let gate = facts.plan.inferences.get(*g)?;
            let Work::Gate { kind: FunctionKind::If | FunctionKind::IfNot, condition } = gate.work else {
                return None;
            };
            gated.push(condition);
            Some(gate.function_span)
        });
        let name = facts.plan.name(*source);
        match (gate, facts.plan.inferences.get(giver)) {
            (Some(gate), _) => diagnostic = diagnostic.also(gate, format!("guards `{name}`")),
            (None, Some(giver)) => {
                diagnostic = diagnostic.also(giver.target_span, "skipped with what it is made from");
            }
            _ => {}
        }
    }
    for (condition, value) in outcome.iter().filter(|(c, _)| !gated.contains(c)) {
        let asked = facts.plan.inferences.iter().find(|i| {
            matches!(&i.work, Work::Gate { kind: FunctionKind::If | FunctionKind::IfNot, condition: c }
                if c == condition)
        });
        if let Some(gate) = asked {
            let name = facts.plan.name(*condition);
            diagnostic = diagnostic.also(gate.function_span, format!("`{name}` is {value} then"));
        }
    }
    // One condition a candidate: that some of them always hold is for a person to judge.
    let each_its_own = gated.iter().collect::<FxHashSet<_>>().len() == sources.len();
    if each_its_own && outcome.len() == sources.len() && outcome.iter().all(|(c, _)| gated.contains(c)) {
        diagnostic = diagnostic.severity(Severity::Info);
    }
    let help = match outcome.as_slice() {
        [(condition, value)] if gated.contains(condition) => {
            let gate = spelled(facts, !value, facts.plan.name(*condition));
            format!("gate one of them by the opposite, `{gate}`, or add a candidate that is always there")
        }
        _ => "add a candidate that is always there".to_owned(),
    };
    diagnostic.help(help)
}

/// For what gives a loop's step the loop's result, which has a name of its own; else the target.
fn target_of(facts: &Facts<'_>, inference: &Inference) -> ConceptId {
    let looping = facts.loops.iter().filter_map(|(i, _)| facts.plan.inferences.get(*i));
    let mut looping = looping.filter(|l| l.function == inference.target);
    looping.next().map_or(inference.target, |l| l.target)
}

/// ` when `<c>` is false and `<d>` is true`; empty for what holds always.
pub(super) fn told(facts: &Facts<'_>, outcome: &[(ConceptId, bool)]) -> String {
    if outcome.is_empty() {
        return String::new();
    }
    let mut parts: Vec<String> = outcome
        .iter()
        .take(TOLD)
        .map(|(condition, value)| format!("`{}` is {value}", facts.plan.name(*condition)))
        .collect();
    if outcome.len() > TOLD {
        parts.push(format!("{} more conditions fall so", outcome.len() - TOLD));
    }
    let last = parts.pop().unwrap_or_default();
    match parts.is_empty() {
        true => format!(" when {last}"),
        false => format!(" when {} and {last}", parts.join(", ")),
    }
}

/// A gate as the plan's dialect writes it.
fn spelled(facts: &Facts<'_>, negated: bool, condition: &str) -> String {
    let operator = match (facts.plan.generation, negated) {
        (2, false) => "@:'",
        (2, true) => "@:!",
        (_, false) => "@if",
        (_, true) => "@if!",
    };
    format!("{operator}({condition})")
}
