//! What every inference waits for, as the runtime weaves it (runtime spec, sections 5, 9 and 11.4), and what of that
//! can never come.
//!
//! The law the analysis rests on: a gate settles whichever way its condition falls, and a skipped inference settles
//! too. So an inference becomes ready or is skipped under every outcome unless it waits for itself, over however many
//! others. A `$.` with several candidates only waits for those that do not wait for it.

use rustc_hash::FxHashSet;

use crate::plan::model::{ConceptId, FunctionKind, Work};

use super::names::{Kind, Names};
use super::scopes::{ROOT, Scoping};
use crate::plan::check::Facts;

/// Steps of the analysis; a plan that needs more is not looked at.
const FUEL: usize = 2_000_000;

/// Why one node waits for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// It reads what the other gives.
    Value(ConceptId),
    /// It is a candidate of its `$.`.
    Candidate(ConceptId),
    /// A gate asks it.
    Condition(ConceptId),
    /// The other is a gate that guards it.
    Gate,
    /// The other stands below it.
    Below,
    /// A loop ends after its steps.
    Step,
    /// It runs in the loop that begins there; also a loop and its own beginning.
    Inside,
}

/// That one node waits for another. Node `i` is inference `i`; after those come the beginnings of the loops.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge {
    pub(super) to: usize,
    pub(super) why: Why,
}

/// A value that several may give: an inference waits for the first that can, or for the candidates of its `$.`.
struct Group {
    node: usize,
    item: usize,
    why: Why,
    /// Who can give it.
    givers: Vec<usize>,
}

/// An inference that nothing can make ready: all who could give what it needs wait for it.
pub(super) struct Own {
    pub(super) item: usize,
    pub(super) why: Why,
    /// Who would give it.
    pub(super) giver: usize,
}

/// Nodes and edges. INVARIANT: without [`Net::tangled`] and [`Net::own`] every node settles under every outcome.
pub(super) struct Net<'a> {
    pub(super) names: Names<'a>,
    pub(super) scoping: Scoping,
    /// How many inferences there are.
    pub(super) count: usize,
    pub(super) edges: Vec<Vec<Edge>>,
    /// The gates of each inference.
    pub(super) gates: Vec<Vec<usize>>,
    /// All nodes; what a node waits for stands before it, unless they wait for each other.
    pub(super) order: Vec<usize>,
    /// Nodes that wait for each other.
    pub(super) tangled: Vec<Vec<usize>>,
    pub(super) own: Vec<Own>,
}

impl<'a> Net<'a> {
    /// Builds the net; none for a plan that is too tangled to be looked at.
    pub(super) fn of(facts: &Facts<'a>) -> Option<Self> {
        let names = Names::of(facts);
        let count = facts.plan.inferences.len();
        let scoping = Scoping::of(facts, &names, FUEL);
        let mut net = Self {
            names,
            scoping,
            count,
            edges: vec![Vec::new(); count + facts.loops.len()],
            gates: vec![Vec::new(); count],
            order: Vec::new(),
            tangled: Vec::new(),
            own: Vec::new(),
        };
        let mut groups = Vec::new();
        for item in 0..count {
            net.structure(item);
            net.needs(item, &mut groups);
            if net.scoping.fuel == 0 {
                return None;
            }
        }
        net.bodies();
        net.choose(groups)?;
        let (order, mut tangled) = components(&net.edges);
        net.order = order;
        tangled.retain(|c| is_cycle(&net.edges, c));
        net.tangled = tangled;
        Some(net)
    }

    fn edge(&mut self, from: usize, to: usize, why: Why) {
        if let Some(edges) = self.edges.get_mut(from) {
            edges.push(Edge { to, why });
        }
    }

    /// Where an inference begins to wait: a loop does before its first step.
    pub(super) fn entrance(&self, item: usize) -> usize {
        match self.names.kind(item) {
            Kind::Loop(k) => self.count + k,
            _ => item,
        }
    }

    /// The loop a node is the beginning of, or the inference itself.
    pub(super) fn item_of(&self, facts: &Facts<'_>, node: usize) -> usize {
        node.checked_sub(self.count).and_then(|k| facts.loops.get(k)).map_or(node, |(item, _)| *item)
    }

    /// Gates, what stands below, the loop around.
    fn structure(&mut self, item: usize) {
        let entrance = self.entrance(item);
        if entrance != item {
            self.edge(item, entrance, Why::Inside);
        }
        let scope = self.scoping.scope_of(item);
        if scope != ROOT {
            self.edge(entrance, self.count + scope - 1, Why::Inside);
        }
        if let Kind::Gate(Some(guarded)) = self.names.kind(item) {
            if let Some(gates) = self.gates.get_mut(guarded) {
                gates.push(item);
            }
            self.edge(self.entrance(guarded), item, Why::Gate);
        }
        // What is deeper down is waited for by what stands between.
        let Some(above) = self.names.above(item) else { return };
        let body = self.entrance(above).checked_sub(self.count).map(|k| k + 1);
        if body.is_some_and(|b| self.scoping.is_within(scope, b)) {
            return;
        }
        let from = self.scoping.scope_of(above);
        let lifted = self.scoping.lift(from, item);
        let gate = matches!(self.names.kind(item), Kind::Gate(Some(g)) if g == above);
        if lifted != above && !gate {
            self.edge(above, lifted, Why::Below);
        }
    }

    /// A loop ends after all its steps.
    fn bodies(&mut self) {
        for item in 0..self.count {
            let scope = self.scoping.scope_of(item);
            if let Some(of) = (scope != ROOT).then(|| self.scoping.loop_of(scope)).flatten() {
                self.edge(of, item, Why::Step);
            }
        }
    }

    fn needs(&mut self, item: usize, groups: &mut Vec<Group>) {
        let plan = self.names.plan;
        let Some(inference) = plan.inferences.get(item) else { return };
        let mut needs: Vec<Why> = Vec::new();
        let mut candidates: &[ConceptId] = &[];
        match &inference.work {
            Work::Loop(looping) => {
                needs.push(Why::Value(looping.base));
            }
            Work::Gate { condition, .. } => needs.push(Why::Condition(*condition)),
            work => {
                if let Work::Specification { sources, .. } = work
                    && sources.len() > 1
                {
                    candidates = sources;
                }
                let function = Some(inference.function).filter(|f| !self.names.producers(*f).is_empty());
                let values = inference.values.iter().copied().filter(|v| !candidates.contains(v));
                needs.extend(function.into_iter().chain(values).map(Why::Value));
            }
        }
        needs.extend(candidates.iter().copied().map(Why::Candidate));
        let node = self.entrance(item);
        for why in needs {
            let (Why::Value(concept) | Why::Condition(concept) | Why::Candidate(concept)) = why else {
                continue;
            };
            if self.is_there(item, concept) {
                continue;
            }
            let candidate = matches!(why, Why::Candidate(_));
            let producers = self.names.producers(concept).to_vec();
            let scope = self.scoping.scope_of(item);
            if let ([only], false) = (producers.as_slice(), candidate) {
                match self.scoping.lift(scope, *only) {
                    lifted if lifted == item => self.own.push(Own { item, why, giver: *only }),
                    lifted => self.edge(node, lifted, why),
                }
                continue;
            }
            let loops = self.names.element_of(concept).to_vec();
            let loops = loops.into_iter().filter_map(|k| self.scoping.loop_of(k + 1));
            let mut givers: Vec<usize> = producers.into_iter().chain(loops).collect();
            // What is above waits for this.
            givers.retain(|g| *g != item && !self.names.is_below(item, *g));
            let givers = givers.into_iter().map(|g| self.scoping.lift(scope, g)).filter(|g| *g != item);
            groups.push(Group { node, item, why, givers: givers.collect() });
        }
    }

    /// There as soon as the inference's surroundings are: data, a carried value, the element of a loop around.
    pub(super) fn is_there(&mut self, item: usize, concept: ConceptId) -> bool {
        if self.names.is_there(concept) {
            return true;
        }
        let loops = self.names.element_of(concept).to_vec();
        let scope = self.scoping.scope_of(item);
        loops.iter().any(|k| self.scoping.is_within(scope, k + 1))
            || (loops.is_empty() && self.names.producers(concept).is_empty())
    }

    /// Settles who is waited for where several could give a value: whoever does not wait for the reader. None when
    /// that would take too long.
    fn choose(&mut self, groups: Vec<Group>) -> Option<()> {
        if groups.is_empty() {
            return Some(());
        }
        // Only within one knot of all that could be waited for can a giver wait for the reader.
        let mut all = self.edges.clone();
        for group in &groups {
            if let Some(edges) = all.get_mut(group.node) {
                edges.extend(group.givers.iter().map(|g| Edge { to: *g, why: group.why }));
            }
        }
        let (_, knots) = components(&all);
        let mut knot = vec![0; all.len()];
        for (number, members) in knots.iter().enumerate() {
            for member in members {
                if let Some(place) = knot.get_mut(*member) {
                    *place = number;
                }
            }
        }
        // Candidates come last: they are chosen by who waits for whom already.
        let (candidates, needs): (Vec<Group>, Vec<Group>) =
            groups.into_iter().partition(|g| matches!(g.why, Why::Candidate(_)));
        for group in needs {
            let mut waited = false;
            for giver in &group.givers {
                if self.waits_for(*giver, group.item, &knot)? {
                    continue;
                }
                self.edge(group.node, *giver, group.why);
                waited = true;
                if !self.can_close(*giver) {
                    break;
                }
            }
            if let (false, Some(giver)) = (waited, group.givers.first()) {
                self.own.push(Own { item: group.item, why: group.why, giver: *giver });
            }
        }
        let mut open = candidates.into_iter().peekable();
        while let Some(first) = open.next() {
            let item = first.item;
            let mut dropped = None;
            let mut waited = false;
            let mut group = Some(first);
            let mut count = 0;
            while let Some(this) = group {
                for giver in &this.givers {
                    if self.waits_for(*giver, item, &knot)? {
                        dropped = Some(Own { item, why: this.why, giver: *giver });
                    } else {
                        self.edge(this.node, *giver, this.why);
                        waited = true;
                    }
                }
                count += 1;
                group = open.next_if(|next| next.item == item);
            }
            let sources = match self.names.plan.inferences.get(item).map(|i| &i.work) {
                Some(Work::Specification { sources, .. }) => sources.len(),
                _ => 0,
            };
            // A candidate that is there from the start is in no group.
            if !waited && count == sources {
                self.own.extend(dropped);
            }
        }
        Some(())
    }

    /// Returns whether a node can only settle after another has; none when that takes too long to find out.
    fn waits_for(&mut self, node: usize, other: usize, knot: &[usize]) -> Option<bool> {
        let within = knot.get(other);
        let mut open = vec![node];
        let mut seen: FxHashSet<usize> = FxHashSet::default();
        while let Some(here) = open.pop() {
            if here == other {
                return Some(true);
            }
            if knot.get(here) != within || !seen.insert(here) {
                continue;
            }
            self.scoping.fuel = self.scoping.fuel.checked_sub(1)?;
            open.extend(self.edges.get(here).into_iter().flatten().map(|e| e.to));
        }
        Some(false)
    }

    /// A gate that asks for a truth value guards it.
    fn can_close(&self, item: usize) -> bool {
        let gates = self.gates.get(item).map_or(&[][..], Vec::as_slice);
        gates.iter().any(|g| {
            let gate = self.names.plan.inferences.get(*g).map(|g| &g.work);
            matches!(gate, Some(Work::Gate { kind: FunctionKind::If | FunctionKind::IfNot, .. }))
        })
    }
}

fn is_cycle(edges: &[Vec<Edge>], members: &[usize]) -> bool {
    match members {
        [only] => edges.get(*only).is_some_and(|all| all.iter().any(|e| e.to == *only)),
        _ => true,
    }
}

/// The strongly connected components, each after all it leads to, and the nodes in that order (Tarjan, without
/// recursion). The members of a component are sorted.
pub(super) fn components(edges: &[Vec<Edge>]) -> (Vec<usize>, Vec<Vec<usize>>) {
    const NEW: usize = usize::MAX;
    let mut index = vec![NEW; edges.len()];
    let mut low = vec![0; edges.len()];
    let mut open = vec![false; edges.len()];
    let mut stack: Vec<usize> = Vec::new();
    let mut found = Vec::new();
    let mut order = Vec::with_capacity(edges.len());
    let mut next = 0;
    for root in 0..edges.len() {
        if index[root] != NEW {
            continue;
        }
        let mut work: Vec<(usize, usize)> = vec![(root, 0)];
        while let Some((node, edge)) = work.pop() {
            if edge == 0 {
                index[node] = next;
                low[node] = next;
                next += 1;
                stack.push(node);
                open[node] = true;
            }
            if let Some(target) = edges[node].get(edge).map(|e| e.to) {
                work.push((node, edge + 1));
                if index[target] == NEW {
                    work.push((target, 0));
                } else if open[target] {
                    low[node] = low[node].min(index[target]);
                }
                continue;
            }
            if low[node] == index[node] {
                let mut component = Vec::new();
                while let Some(member) = stack.pop() {
                    open[member] = false;
                    component.push(member);
                    if member == node {
                        break;
                    }
                }
                component.sort_unstable();
                order.extend(&component);
                found.push(component);
            }
            if let Some((parent, _)) = work.last() {
                low[*parent] = low[*parent].min(low[node]);
            }
        }
    }
    (order, found)
}
