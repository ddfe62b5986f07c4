//! Which concepts a run can leave without a value: behind gates, and inside loops that never begin (runtime spec,
//! sections 8, 9 and 11). Says too much rather than too little.

use rustc_hash::FxHashMap;

use crate::base::FlowIndex;
use crate::plan::model::{ConceptId, FunctionKind, Plan, Work};

use super::infer::Order;

/// Of a concept that more inferences give than this, nothing certain is said.
const PRODUCERS: usize = 64;

/// What may be absent when it is read.
pub(super) struct Absent {
    /// May be left without a value by everything that gives it one.
    concepts: Vec<bool>,
    /// The innermost loop around each inference.
    around: Vec<Option<usize>>,
    /// The inferences of each concept.
    producers: Vec<Vec<usize>>,
    /// Concepts that are there before the steps that read them: start data, elements, carried values.
    given: Vec<bool>,
}

impl Absent {
    pub(super) fn of(plan: &Plan, order: &Order) -> Self {
        let count = plan.concepts.len();
        let mut producers: Vec<Vec<usize>> = vec![Vec::new(); count];
        let mut given: Vec<bool> = plan
            .concepts
            .iter()
            .map(|c| c.kind.is_value() && (c.ground.is_some() || c.data.is_some()))
            .collect();
        let mut give = |id: ConceptId| {
            if let Some(given) = given.get_mut(id.index()) {
                *given = true;
            }
        };
        for (at, inference) in plan.inferences.iter().enumerate() {
            if !matches!(inference.work, Work::Gate { .. })
                && let Some(list) = producers.get_mut(inference.target.index())
            {
                list.push(at);
            }
            if let Work::Loop(looping) = &inference.work {
                give(looping.element);
                looping.carries.iter().filter(|c| c.lag > 0).for_each(|c| give(c.concept));
            }
        }
        let mut absent = Self { concepts: vec![false; count], around: around(plan), producers, given };
        let gated = gated(plan);
        order.settle(|at| {
            let Some(inference) = plan.inferences.get(at) else { return Vec::new() };
            let lacks = gated.get(at).copied().unwrap_or(false) || absent.may_give_nothing(plan, at);
            let target = inference.target;
            match absent.concepts.get_mut(target.index()) {
                Some(known)
                    if lacks && !*known && !absent.given.get(target.index()).copied().unwrap_or(false) =>
                {
                    *known = true;
                    vec![target]
                }
                _ => Vec::new(),
            }
        });
        absent
    }

    fn is_absent(&self, id: ConceptId) -> bool {
        self.concepts.get(id.index()).copied().unwrap_or(true)
    }

    /// The step ends without a value, or is skipped for its inputs.
    fn may_give_nothing(&self, plan: &Plan, at: usize) -> bool {
        let Some(inference) = plan.inferences.get(at) else { return true };
        let lacks = |id: &ConceptId| self.is_absent(*id);
        match &inference.work {
            Work::Loop(looping) => lacks(&looping.base),
            Work::Specification { sources, .. } => sources.iter().all(lacks),
            Work::Continuation { item, destination, .. } => {
                let nothing_there = lacks(destination) || *destination == inference.target;
                nothing_there && item.as_ref().is_none_or(lacks)
            }
            Work::Selection { source, .. } => lacks(source),
            Work::Identity { canonical } => lacks(canonical),
            Work::Grouping(_) => inference.values.iter().all(lacks),
            Work::Semantic(_) => inference.values.iter().any(lacks),
            Work::Abstraction { .. } | Work::Gate { .. } => false,
        }
    }

    /// A value may be missing when an inference reads it.
    pub(super) fn may_lack(&self, plan: &Plan, reader: usize, id: ConceptId) -> bool {
        let at = id.index();
        if self.given.get(at).copied().unwrap_or(false) {
            return false;
        }
        self.is_absent(id)
            || !plan.concept(id).is_some_and(|c| c.kind.is_value())
            || self.is_elsewhere(plan, reader, at)
    }

    /// A context is not waited for, so it is certain only where the step waits for what gives it anyway.
    pub(super) fn context_may_lack(&self, plan: &Plan, reader: usize, id: ConceptId) -> bool {
        let at = id.index();
        if self.given.get(at).copied().unwrap_or(false) {
            return false;
        }
        let below = |p: &usize| match (plan.inferences.get(*p), plan.inferences.get(reader)) {
            (Some(producer), Some(reader)) => producer.flow.is_below(&reader.flow),
            _ => false,
        };
        self.may_lack(plan, reader, id)
            || !self.producers.get(at).is_some_and(|p| p.iter().take(PRODUCERS).any(below))
    }

    /// Something gives it inside a loop that is not around the reader, and the loop may have no iterations.
    fn is_elsewhere(&self, plan: &Plan, reader: usize, concept: usize) -> bool {
        let Some(reader) = plan.inferences.get(reader) else { return true };
        let outside = |p: &usize| {
            let around = self.around.get(*p).copied().flatten().and_then(|l| plan.inferences.get(l));
            around.is_some_and(|l| !reader.flow.is_below(&l.flow))
        };
        self.producers.get(concept).is_none_or(|p| p.len() > PRODUCERS || p.iter().any(outside))
    }
}

/// The inferences whose operation a gate can skip.
fn gated(plan: &Plan) -> Vec<bool> {
    let mut gated = vec![false; plan.inferences.len()];
    let places: FxHashMap<&FlowIndex, usize> =
        plan.inferences.iter().enumerate().map(|(at, i)| (&i.flow, at)).collect();
    for inference in &plan.inferences {
        let Work::Gate { kind: FunctionKind::If | FunctionKind::IfNot, .. } = inference.work else {
            continue;
        };
        let parent = inference.flow.parent();
        if let Some(gated) = parent.and_then(|p| places.get(&p)).and_then(|at| gated.get_mut(*at)) {
            *gated = true;
        }
    }
    gated
}

/// The innermost loop around each inference, by its place. Inferences are sorted, so a stack of open loops does.
fn around(plan: &Plan) -> Vec<Option<usize>> {
    let mut open: Vec<usize> = Vec::new();
    let mut around = Vec::with_capacity(plan.inferences.len());
    for (at, inference) in plan.inferences.iter().enumerate() {
        let inside = |l: &usize| plan.inferences.get(*l).is_some_and(|l| inference.flow.is_below(&l.flow));
        while open.last().is_some_and(|l| !inside(l)) {
            open.pop();
        }
        around.push(open.last().copied());
        if matches!(inference.work, Work::Loop(_)) {
            open.push(at);
        }
    }
    around
}
