//! Which loop each inference runs in, as the runtime lays it out (runtime spec, section 11.4, *Body*).

use rustc_hash::{FxHashMap, FxHashSet};

use crate::plan::model::{ConceptId, Work};

use super::names::{Kind, Names};
use crate::plan::check::Facts;

/// The scope of everything outside loops; the body of loop `k` is scope `k + 1`.
pub(super) const ROOT: usize = 0;

/// The scopes as a tree, and each inference's place in it.
pub(super) struct Scoping {
    /// The scope of each inference.
    scope: Vec<usize>,
    /// For each scope the one around it and the inference of its loop; the root is its own parent.
    around: Vec<(usize, Option<usize>)>,
    depth: Vec<usize>,
    /// So many steps may still be made; then the plan is too tangled to be looked at.
    pub(super) fuel: usize,
}

impl Scoping {
    pub(super) fn of(facts: &Facts<'_>, names: &Names<'_>, fuel: usize) -> Self {
        let mut scoping = Self {
            scope: vec![ROOT; facts.plan.inferences.len()],
            around: vec![(ROOT, None)],
            depth: vec![0],
            fuel,
        };
        // Loops come in order, so an inner loop claims its inferences after the outer one did.
        for (item, _) in &facts.loops {
            let outer = scoping.scope_of(*item);
            let scope = scoping.around.len();
            let depth = scoping.depth_of(outer) + 1;
            scoping.around.push((outer, Some(*item)));
            scoping.depth.push(depth);
            scoping.claim(names, *item, scope);
        }
        scoping
    }

    pub(super) fn scope_of(&self, item: usize) -> usize {
        self.scope.get(item).copied().unwrap_or(ROOT)
    }

    /// The loop whose body a scope is.
    pub(super) fn loop_of(&self, scope: usize) -> Option<usize> {
        self.outward(scope).1
    }

    fn depth_of(&self, scope: usize) -> usize {
        self.depth.get(scope).copied().unwrap_or(0)
    }

    fn outward(&self, scope: usize) -> (usize, Option<usize>) {
        self.around.get(scope).copied().unwrap_or((ROOT, None))
    }

    /// Returns whether a scope is another one or inside it.
    pub(super) fn is_within(&mut self, scope: usize, outer: usize) -> bool {
        let mut at = scope;
        while self.depth_of(at) > self.depth_of(outer) {
            self.fuel = self.fuel.saturating_sub(1);
            at = self.outward(at).0;
        }
        at == outer
    }

    /// Returns whether an inference runs in a scope or in a loop inside it.
    pub(super) fn runs_in(&self, item: usize, outer: usize) -> bool {
        let mut at = self.scope_of(item);
        while self.depth_of(at) > self.depth_of(outer) {
            at = self.outward(at).0;
        }
        at == outer
    }

    /// The inference that stands for `other` in the innermost scope it shares with a place in `from`: `other`
    /// itself, or the loop around it.
    pub(super) fn lift(&mut self, from: usize, other: usize) -> usize {
        let (mut a, mut b, mut lifted) = (from, self.scope_of(other), other);
        while a != b {
            self.fuel = self.fuel.saturating_sub(1);
            let (deep_a, deep_b) = (self.depth_of(a), self.depth_of(b));
            if deep_b >= deep_a {
                let (outer, of) = self.outward(b);
                lifted = of.unwrap_or(lifted);
                b = outer;
            }
            if deep_a >= deep_b {
                a = self.outward(a).0;
            }
        }
        lifted
    }

    /// The loops that are left on the way from an inference out to the scope it shares with a place in `from`.
    pub(super) fn left(&mut self, from: usize, other: usize) -> Vec<usize> {
        let mut left = Vec::new();
        let mut at = self.scope_of(other);
        while at != ROOT && !self.is_within(from, at) {
            let (outer, of) = self.outward(at);
            left.extend(of);
            at = outer;
        }
        left
    }

    /// Gives a loop its body: what makes the step, all below that, and what else stands below the loop and depends
    /// on the element, a carried value or the body.
    fn claim(&mut self, names: &Names<'_>, of: usize, scope: usize) {
        let Some(inference) = names.plan.inferences.get(of) else { return };
        let Work::Loop(looping) = &inference.work else { return };
        let below = |item: &usize| *item > of && *item < names.end_of(of);
        let all = names.producers(inference.function);
        let mut makers: Vec<usize> = all.iter().copied().filter(|m| below(m)).collect();
        if makers.is_empty() {
            makers = all.iter().copied().filter(|m| *m != of).collect();
        }
        let mut inside: FxHashSet<usize> = FxHashSet::default();
        let mut region: Vec<usize> = Vec::new();
        let mut next = of + 1;
        for maker in &makers {
            for item in *maker..names.end_of(*maker) {
                self.put(item, scope);
            }
            region.extend(next..(*maker).max(next));
            next = next.max(names.end_of(*maker));
        }
        region.extend(next..names.end_of(of).max(next));
        if makers.iter().any(|m| !below(m)) || region.is_empty() {
            return;
        }
        self.fuel = self.fuel.saturating_sub(region.len());
        let made_inside = |item: usize| makers.iter().any(|m| item >= *m && item < names.end_of(*m));
        let own: FxHashSet<ConceptId> = std::iter::once(looping.element)
            .chain(looping.carries.iter().filter(|c| c.lag > 0).map(|c| c.concept))
            .map(|c| names.canonical(c))
            .collect();
        let mut readers: FxHashMap<ConceptId, Vec<usize>> = FxHashMap::default();
        let mut open: Vec<usize> = Vec::new();
        for item in region.iter().copied().filter(|i| names.kind(*i) != Kind::Gate(Some(of))) {
            for concept in names.reads(item) {
                if own.contains(&concept) || names.producers(concept).iter().any(|p| made_inside(*p)) {
                    open.push(item);
                }
                readers.entry(concept).or_default().push(item);
            }
        }
        while let Some(item) = open.pop() {
            if !below(&item) || made_inside(item) || !inside.insert(item) {
                continue;
            }
            self.put(item, scope);
            open.extend(names.above(item));
            match names.kind(item) {
                Kind::Gate(guarded) => open.extend(guarded),
                _ => {
                    let gives = names.plan.inferences.get(item).map(|i| names.canonical(i.target));
                    open.extend(gives.and_then(|c| readers.get(&c)).into_iter().flatten());
                }
            }
        }
    }

    fn put(&mut self, item: usize, scope: usize) {
        self.fuel = self.fuel.saturating_sub(1);
        if let Some(place) = self.scope.get_mut(item) {
            *place = scope;
        }
    }
}
