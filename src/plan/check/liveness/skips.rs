//! Under which outcomes of the conditions each inference is skipped (runtime spec, sections 9.1, 9.3 and 9.4). Within
//! a loop an outcome is that of one iteration.

use rustc_hash::FxHashMap;

use crate::plan::model::{ConceptId, FunctionKind, Work};

use super::logic::{Formula, Logic};
use super::names::Kind;
use super::net::{Net, Why};

/// When everything is skipped, as far as that could be written down.
pub(super) struct Skips {
    pub(super) logic: Logic,
    /// When each inference is skipped.
    skipped: Vec<Formula>,
    /// When some gate of each inference closes.
    closed: Vec<Formula>,
    /// The conditions, by variable.
    conditions: Vec<ConceptId>,
    variables: FxHashMap<ConceptId, u32>,
}

impl Skips {
    pub(super) fn of(net: &mut Net<'_>) -> Self {
        let mut skips = Self {
            logic: Logic::default(),
            skipped: vec![Formula::UNKNOWN; net.count],
            closed: vec![Formula::UNKNOWN; net.count],
            conditions: Vec::new(),
            variables: FxHashMap::default(),
        };
        // What waits for itself settles under no outcome, so nothing is said about it.
        let mut stuck = vec![false; net.count];
        let tangled = net.tangled.iter().flatten().copied().chain(net.own.iter().map(|o| o.item));
        for node in tangled {
            if let Some(place) = stuck.get_mut(node) {
                *place = true;
            }
        }
        let order = std::mem::take(&mut net.order);
        for item in order.iter().copied() {
            if stuck.get(item) == Some(&false) {
                skips.settle(net, item);
            }
        }
        net.order = order;
        skips
    }

    /// When an inference is skipped.
    pub(super) fn skipped(&self, item: usize) -> Formula {
        self.skipped.get(item).copied().unwrap_or(Formula::UNKNOWN)
    }

    /// When none of the values a `$.` takes from is there, though no gate keeps it from looking.
    pub(super) fn nothing(&mut self, net: &mut Net<'_>, item: usize, sources: &[ConceptId]) -> Formula {
        let all = self.all_missing(net, item, sources);
        let closed = self.closed.get(item).copied().unwrap_or(Formula::UNKNOWN);
        self.logic.without(all, closed)
    }

    /// An outcome under which a formula holds, by condition.
    pub(super) fn outcome(&self, formula: Formula) -> Vec<(ConceptId, bool)> {
        self.named(self.logic.outcome_of(formula, Formula::ALWAYS))
    }

    /// An outcome under which a formula does not hold.
    pub(super) fn escape(&self, formula: Formula) -> Vec<(ConceptId, bool)> {
        self.named(self.logic.outcome_of(formula, Formula::NEVER))
    }

    fn named(&self, told: Vec<(u32, bool)>) -> Vec<(ConceptId, bool)> {
        told.into_iter().filter_map(|(v, value)| Some((*self.conditions.get(v as usize)?, value))).collect()
    }

    fn settle(&mut self, net: &mut Net<'_>, item: usize) {
        let mut closed = Formula::NEVER;
        for gate in net.gates.get(item).cloned().unwrap_or_default() {
            let this = self.closes(net, gate);
            closed = self.logic.or(closed, this);
        }
        if let Some(place) = self.closed.get_mut(item) {
            *place = closed;
        }
        let by_input = self.by_input(net, item);
        let skipped = self.logic.or(closed, by_input);
        if let Some(place) = self.skipped.get_mut(item) {
            *place = skipped;
        }
    }

    /// When a gate keeps what it guards from running. One that is skipped itself does not.
    fn closes(&mut self, net: &mut Net<'_>, gate: usize) -> Formula {
        let Some(Work::Gate { kind, condition }) = net.names.plan.inferences.get(gate).map(|g| &g.work)
        else {
            return Formula::UNKNOWN;
        };
        if *kind == FunctionKind::After {
            return Formula::NEVER;
        }
        if net.names.is_reported(*condition) {
            return Formula::UNKNOWN;
        }
        let variable = self.variable(net.names.canonical(*condition));
        let holds = self.logic.is_true(variable);
        let against = if *kind == FunctionKind::IfNot { holds } else { self.logic.not(holds) };
        let missing = self.missing(net, gate, *condition);
        let asked = self.logic.or(against, missing);
        let skipped = self.closed.get(gate).copied().unwrap_or(Formula::UNKNOWN);
        self.logic.without(asked, skipped)
    }

    fn variable(&mut self, condition: ConceptId) -> u32 {
        let next = u32::try_from(self.conditions.len()).unwrap_or(u32::MAX);
        *self.variables.entry(condition).or_insert_with(|| {
            self.conditions.push(condition);
            next
        })
    }

    /// The table of runtime section 9.4.
    fn by_input(&mut self, net: &mut Net<'_>, item: usize) -> Formula {
        let plan = net.names.plan;
        let Some(inference) = plan.inferences.get(item) else { return Formula::UNKNOWN };
        match &inference.work {
            Work::Gate { .. }
            | Work::Continuation { .. }
            | Work::Identity { .. }
            | Work::Abstraction { .. } => Formula::NEVER,
            Work::Specification { sources, .. } => self.all_missing(net, item, sources),
            Work::Grouping(_) => self.all_missing(net, item, &inference.values),
            Work::Loop(looping) => self.missing(net, item, looping.base),
            Work::Selection { .. } | Work::Semantic(_) => {
                let mut any = Formula::NEVER;
                for value in &inference.values {
                    let this = self.missing(net, item, *value);
                    any = self.logic.or(any, this);
                }
                any
            }
        }
    }

    fn all_missing(&mut self, net: &mut Net<'_>, item: usize, concepts: &[ConceptId]) -> Formula {
        let mut all = if concepts.is_empty() { Formula::NEVER } else { Formula::ALWAYS };
        for concept in concepts {
            let this = self.missing(net, item, *concept);
            all = self.logic.and(all, this);
        }
        all
    }

    /// When a reader finds a concept skipped, or never given by anybody it waited for.
    fn missing(&mut self, net: &mut Net<'_>, reader: usize, concept: ConceptId) -> Formula {
        let kept = net.names.plan.concept(concept).is_none_or(|c| c.invariant && c.kind.is_value());
        if net.is_there(reader, concept) {
            return Formula::NEVER;
        }
        if kept {
            return Formula::UNKNOWN;
        }
        let scope = net.scoping.scope_of(reader);
        let waited: Vec<usize> = {
            let edges = net.edges.get(net.entrance(reader)).map_or(&[][..], Vec::as_slice);
            let of = edges.iter().filter(|e| match e.why {
                Why::Value(c) | Why::Candidate(c) | Why::Condition(c) => c == concept,
                _ => false,
            });
            of.map(|e| e.to).collect()
        };
        let mut all = Formula::ALWAYS;
        for giver in net.names.producers(concept).to_vec() {
            // Whoever waits for the reader gives nothing in time.
            let lifted = net.scoping.lift(scope, giver);
            if !waited.contains(&lifted) {
                continue;
            }
            let mut this = self.skipped(giver);
            for around in net.scoping.left(scope, giver) {
                let body = self.skipped(around);
                this = self.logic.or(this, body);
            }
            all = self.logic.and(all, this);
        }
        // The element that a loop hands out to a reader outside.
        for k in net.names.element_of(concept) {
            if net.scoping.loop_of(k + 1).is_some_and(|l| waited.contains(&l)) {
                return Formula::UNKNOWN;
            }
        }
        all
    }

    /// Who is skipped because an inference is, under some outcome of `when`, as far as plain reading goes.
    pub(super) fn reached(
        &mut self,
        net: &Net<'_>,
        readers: &[Vec<usize>],
        from: usize,
        when: Formula,
    ) -> Vec<usize> {
        let mut found = vec![from];
        let mut seen = rustc_hash::FxHashSet::default();
        seen.insert(from);
        let mut next = 0;
        while let Some(here) = found.get(next).copied() {
            next += 1;
            for reader in readers.get(here).into_iter().flatten().copied() {
                if seen.contains(&reader) {
                    continue;
                }
                // A gate settles whatever its condition is; what it guards is skipped.
                let gate = matches!(net.names.kind(reader), Kind::Gate(_));
                let both = if gate { when } else { self.logic.and(self.skipped(reader), when) };
                if both.can_hold() {
                    seen.insert(reader);
                    found.push(reader);
                }
            }
        }
        found
    }
}
