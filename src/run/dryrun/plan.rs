//! The steps of a dry run, in order, with their counts.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::repo::{ConceptId, GateMarker, Inference, Work};
use crate::run::graph::{Graph, ItemId, Role, ScopeId};
use crate::tensor::Tensor;

use super::calls::{CallKind, Doer, ParadigmCalls, Signs, add, doer};
use super::count::{Bound, Count, Size};
use super::sizes::Sizes;

/// What a dry run asks of its caller.
pub struct Given<'a> {
    /// The initial values of the concepts, by number.
    pub data: &'a [Option<Tensor>],
    /// What the paradigm of a step asks of the world; none when there is none of that name.
    pub paradigm: &'a dyn Fn(&Inference, &str) -> Option<ParadigmCalls>,
    /// The model that does a step which asks one; none when none is configured.
    pub model: &'a dyn Fn(&Inference) -> Option<Arc<str>>,
}

/// What a run would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DryRun {
    /// The steps that ask something of the world, and the loops, in the order of the plan.
    pub steps: Vec<DryStep>,
    /// All calls of the run, by kind.
    pub totals: Vec<(CallKind, Count)>,
    /// What only the run will know, in sentences without a full stop.
    pub notes: Vec<String>,
}

/// One step of a dry run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DryStep {
    /// Its item.
    pub item: ItemId,
    /// Its flow index.
    pub flow: String,
    /// The concept it gives.
    pub concept: Arc<str>,
    /// Who does it.
    pub by: Doer,
    /// The model that is asked, when one is.
    pub model: Option<Arc<str>>,
    /// How often it runs; for a loop, how many rounds it makes in all.
    pub runs: Count,
    /// What one run asks of the world.
    pub calls: Vec<(CallKind, Count)>,
    /// The same over all its runs.
    pub all: Vec<(CallKind, Count)>,
    /// The condition that decides whether it runs.
    pub condition: Option<Arc<str>>,
    /// How often a reply that cannot be read is asked for again, when the step says it.
    pub retries: Option<u32>,
}

/// Says what a run of a plan would do.
pub fn dry_run(graph: &Graph, given: &Given<'_>) -> DryRun {
    let sizes = Sizes::of(graph, given.data);
    let mut rounds: FxHashMap<ScopeId, Count> = FxHashMap::default();
    let maybe = uncertain(graph);
    let mut run = DryRun { steps: Vec::new(), totals: Vec::new(), notes: Vec::new() };
    // Parents stand before their children, so the counts of the loops around are there.
    rounds.insert(ScopeId::ROOT, Count::number(1));
    for (number, scope) in graph.scopes.iter().enumerate() {
        let (Some(of), Some(parent)) = (scope.of, scope.parent) else { continue };
        let Work::Looping(looping) = &graph.inference(of).work else { continue };
        let (_, size) = sizes.rounds(of.at(), looping);
        let around = rounds.get(&parent).cloned().unwrap_or_else(|| Count::number(1));
        let mut all = around.times(&Count::product([size]));
        all = all.bounded(maybe.get(of.at()).copied().unwrap_or_default());
        if sizes.grows(of.at()) {
            all = all.bounded(Bound::Open);
        }
        rounds.insert(ScopeId(u32::try_from(number).unwrap_or(u32::MAX)), all);
    }
    for (i, inference) in graph.model.inferences.iter().enumerate() {
        let Some(item) = graph.items.get(i) else { continue };
        let id = ItemId(u32::try_from(i).unwrap_or(u32::MAX));
        let bound = maybe.get(i).copied().unwrap_or_default();
        let step = match &inference.work {
            Work::Semantic(semantic) => {
                let shape = sizes.crossed(semantic);
                let cells = Count::product(shape.axes.iter().map(|(_, size)| size.clone()));
                let cells = if shape.holes { cells.bounded(Bound::AtMost) } else { cells };
                let signs = Signs::of(inference, &graph.model, given.data);
                let paradigm = |name: &str| (given.paradigm)(inference, name);
                let (by, calls) = doer(semantic, &signs, &paradigm, &cells);
                let around = rounds.get(&item.scope).cloned().unwrap_or_else(|| Count::number(1));
                let runs = around.bounded(bound);
                let all: Vec<(CallKind, Count)> = calls.iter().map(|(k, c)| (*k, runs.times(c))).collect();
                for (kind, count) in &all {
                    add(&mut run.totals, *kind, count);
                }
                let asks = calls.iter().any(|(kind, _)| *kind == CallKind::Model);
                let model = || semantic.model.clone().or_else(|| (given.model)(inference));
                let retries = semantic.reply_retries.filter(|_| asks);
                Some((by, if asks { model() } else { None }, runs, calls, all, retries))
            }
            Work::Looping(looping) => {
                let Role::Loop(body) = item.role else { continue };
                let (axis, _) = sizes.rounds(i, looping);
                let base = Arc::clone(graph.concept_name(looping.base));
                let runs = rounds.get(&body).cloned().unwrap_or_default();
                Some((Doer::Loop { base, axis }, None, runs, Vec::new(), Vec::new(), None))
            }
            _ => None,
        };
        let Some((by, model, runs, calls, all, retries)) = step else { continue };
        run.steps.push(DryStep {
            item: id,
            flow: inference.flow.to_string(),
            concept: Arc::clone(graph.item_name(id)),
            by,
            model,
            runs,
            calls,
            all,
            condition: condition(graph, id),
            retries,
        });
    }
    run.totals.sort_by_key(|(kind, _)| *kind);
    run.notes = notes(graph, &sizes, &run);
    run
}

/// The condition of the first gate that may keep a step from running.
fn condition(graph: &Graph, item: ItemId) -> Option<Arc<str>> {
    graph.item(item).gates.iter().find_map(|gate| match &graph.inference(*gate).work {
        Work::Timing(timing) if timing.marker != GateMarker::After => {
            let name = graph.concept_name(timing.condition);
            Some(if timing.marker == GateMarker::IfNot {
                Arc::from(format!("not {name}"))
            } else {
                Arc::clone(name)
            })
        }
        _ => None,
    })
}

/// Items that a condition may keep from running: gated ones, and those that need what only such items give. A `$.` with
/// candidates takes another one, and what exists before the run is there anyway.
fn uncertain(graph: &Graph) -> Vec<Bound> {
    let model = &graph.model;
    let concept = |id: ConceptId| graph.canonical(id).0 as usize;
    let mut given: Vec<Vec<usize>> = vec![Vec::new(); model.concepts.len()];
    let mut needed: Vec<Vec<usize>> = vec![Vec::new(); model.concepts.len()];
    for (i, inference) in model.inferences.iter().enumerate() {
        if matches!(inference.work, Work::Timing(_)) {
            continue;
        }
        if let Some(list) = given.get_mut(concept(inference.target)) {
            list.push(i);
        }
        for value in needs(inference) {
            if let Some(list) = needed.get_mut(concept(*value)) {
                list.push(i);
            }
        }
    }
    let mut sure: Vec<usize> = given.iter().map(Vec::len).collect();
    let mut bounds = vec![Bound::Exact; model.inferences.len()];
    let ids = (0..).map(ItemId).take(model.inferences.len());
    let mut open: Vec<usize> = ids.filter(|i| condition(graph, *i).is_some()).map(ItemId::at).collect();
    while let Some(item) = open.pop() {
        match bounds.get_mut(item) {
            Some(bound @ Bound::Exact) => *bound = Bound::AtMost,
            _ => continue,
        }
        let Some(inference) = model.inferences.get(item) else { continue };
        let target = concept(inference.target);
        let kept = model.concepts.get(target).is_some_and(|c| c.ground);
        let Some(left) = sure.get_mut(target).filter(|_| !kept) else { continue };
        *left = left.saturating_sub(1);
        if *left == 0 {
            open.extend(needed.get(target).into_iter().flatten());
        }
    }
    bounds
}

/// The values without which a step is skipped.
fn needs(inference: &Inference) -> &[ConceptId] {
    use crate::repo::Assigning;
    match &inference.work {
        Work::Assigning(Assigning::Specification { any: true, .. }) | Work::Grouping(_) => &[],
        Work::Semantic(step) => &step.order,
        _ => &inference.values,
    }
}

fn notes(graph: &Graph, sizes: &Sizes<'_>, run: &DryRun) -> Vec<String> {
    let mut notes = Vec::new();
    for step in &run.steps {
        if matches!(step.by, Doer::Loop { .. }) && sizes.grows(step.item.at()) {
            notes.push(format!(
                "the loop {} appends to what it walks, so only the data say how many rounds it makes",
                step.flow
            ));
        }
        if let Doer::Paradigm { name, is_missing: true, .. } = &step.by {
            notes.push(format!(
                "there is no paradigm `{name}`, so the calls of {} are not counted",
                step.flow
            ));
        }
    }
    let mut named: Vec<&Size> = Vec::new();
    for size in run
        .steps
        .iter()
        .flat_map(|s| s.runs.unknown())
        .chain(run.totals.iter().flat_map(|(_, c)| c.unknown()))
    {
        if !named.contains(&size) && size.name.starts_with('|') {
            named.push(size);
        }
    }
    for size in named {
        let inside = size.name.trim_matches('|');
        let of = graph
            .model
            .concepts
            .iter()
            .find(|c| *c.name == *inside || inside.starts_with(&format!("{}, ", c.name)));
        let why = match of {
            Some(concept) if concept.ground && concept.data.is_none() => "is not given yet",
            _ => "is known once the run has it",
        };
        notes.push(format!("{} {why}", size.name));
    }
    let conditions = run.steps.iter().any(|s| s.runs.bound == Bound::AtMost && s.condition.is_some());
    if conditions {
        notes.push("what stands under a condition is counted as if it held".to_owned());
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{SourceFile, SourceMap};
    use crate::repo::{Inputs, LowerOptions, compile};
    use crate::run::initial_values;

    /// One line a step, then the totals.
    fn told(text: &str, inputs: &str) -> Vec<String> {
        let mut sources = SourceMap::default();
        let file = sources.add(SourceFile::new("plan.ncd", text));
        let compiled = compile(file, text, None, &sources, &LowerOptions::default());
        let mut model = compiled.model.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
        let mut given = Inputs::default();
        given.add_file(inputs).unwrap();
        given.apply(&mut model).unwrap();
        let data = initial_values(&model).unwrap();
        let graph = Graph::new(Arc::new(model));
        let paradigm = |_: &Inference, name: &str| {
            let calls = match name {
                "generate-text" | "judge" => vec![(CallKind::Model, false)],
                "confirm" => vec![(CallKind::Person, false)],
                "retry" => vec![(CallKind::Model, false), (CallKind::Model, true)],
                _ => return None,
            };
            Some(ParadigmCalls { is_builtin: name != "retry", calls })
        };
        let model = |_: &Inference| Some(Arc::from("small"));
        let run = dry_run(&graph, &Given { data: &data, paradigm: &paradigm, model: &model });
        let steps = run.steps.iter().map(|s| {
            let calls: Vec<String> = s.calls.iter().map(|(k, c)| format!("{} {c}", k.word())).collect();
            format!("{}: {}; {}", s.flow, s.runs, calls.join(", "))
        });
        let totals = run.totals.iter().map(|(k, c)| format!("all {}: {c}", k.word()));
        steps.chain(totals).chain(run.notes.iter().cloned()).collect()
    }

    const LOOPED: &str = "
:<:({report})
    <= ::(sum it up {1}<$([findings])%>)
        | %{prompt}: Sum up $input_1
    <- [findings]<:{1}>
        <= *. %>([sections]) %<([findings]) %:([sections]) %@(1)
            <= $. %>({finding})
            <- {finding}
                <= ::(look at {1}<$({section})%>)
                    | %{prompt}: Look at $input_1
                <- {section}*1<:{1}>
        <- [sections]
        <* {section}<$([sections])*>
";

    #[test]
    fn loops_multiply() {
        assert_eq!(
            told(LOOPED, "{\"[sections]\": [\"a\", \"b\", \"c\"]}"),
            [
                "1: 1; model |[sections]| = 3",
                "1.2: |[sections]| = 3; ",
                "1.2.1.2: |[sections]| = 3; model 1",
                "all model: 2 × |[sections]| = 6",
            ]
        );
        let unknown = told(LOOPED, "{}");
        assert_eq!(unknown[2], "1.2.1.2: |[sections]|; model 1");
        assert_eq!(unknown.last().map(String::as_str), Some("|[sections]| is not given yet"));
    }

    #[test]
    fn crosses_conditions_and_people() {
        let text = "
:<:({answer})
    <= $. %>[{plain}, {checked}]
    <- <it is right>
        <= ::(is {1} right)<ALL True>
            | %{ask}: Is $input_1 right?
        <- {pairs}<:{1}>
            <= ::(join {1} {2})
                | %{paradigm}: retry
            <- [a]<:{1}>
                | %{literal}: %(a)=[1, 2, 3]
            <- [b]<:{2}>
                | %{literal}: %(b)=[1, 2]
    <- {plain}
        <= ::(take {1})
            | %{prompt}: Take $input_1
            <= @:'(<it is right>)
        <- {pairs}<:{1}>
    <- {checked}
        <= ::(mend {1})
            | %{paradigm}: nowhere
            <= @:!(<it is right>)
        <- {pairs}<:{1}>
";
        assert_eq!(
            told(text, "{}"),
            [
                "1.2: 1; person |[a]| × |[b]| = 6",
                "1.2.2: 1; model at most 2 × |[a]| × |[b]| = 12",
                "1.3: at most 1; model |[a]| × |[b]| = 6",
                "1.4: at most 1; ",
                "all model: at most 3 × |[a]| × |[b]| = 18",
                "all person: |[a]| × |[b]| = 6",
                "there is no paradigm `nowhere`, so the calls of 1.4 are not counted",
                "what stands under a condition is counted as if it held",
            ]
        );
    }

    #[test]
    fn loops_that_grow_are_open() {
        let text = include_str!("../../../plans/addition/addition_builtin.nc");
        let said = told(text, "{}");
        assert!(said.iter().any(|l| l.contains("rounds of 1")), "{said:#?}");
        assert!(said.iter().any(|l| l.contains("appends to what it walks")), "{said:#?}");
        assert!(said.iter().any(|l| l.starts_with("all built-in: ")), "{said:#?}");
    }
}
