//! Checks over a whole plan, one file a family (language spec, sections 8 and 13).
//!
//! To add one: a function in the file of its family that takes [`Facts`] and gives diagnostics, and its call here.

mod axes;
mod conditions;
mod data;
mod dead;
mod ids;
mod keys;
mod liveness;
mod loops;
mod missing;
mod names;
mod norms;
mod one;
mod options;
mod producers;
mod prompts;
mod slots;

pub use prompts::check_prompts;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::diag::Diagnostic;
use crate::syntax::{NodeId, Tree};

use super::model::{Concept, ConceptId, Loop, Plan, Work};
use super::scope::Scopes;

/// A plan with what the checks ask of it again and again.
pub(super) struct Facts<'a> {
    tree: &'a Tree,
    scopes: &'a Scopes,
    plan: &'a Plan,
    /// The inferences of each concept, by their place in the plan.
    producers: Vec<Vec<usize>>,
    /// The loops with the place of their inference.
    loops: Vec<(usize, &'a Loop)>,
    /// The loop of each element concept, by its place in `loops`; the first of several.
    elements: FxHashMap<ConceptId, usize>,
    /// Concepts that loops walk.
    bases: FxHashSet<ConceptId>,
    /// Concepts that collect what a loop gives.
    results: FxHashSet<ConceptId>,
    /// Concepts carried by some loop.
    carried: FxHashSet<ConceptId>,
    /// Concepts whose inference has an error already.
    broken: &'a FxHashSet<ConceptId>,
}

impl<'a> Facts<'a> {
    fn of(tree: &'a Tree, scopes: &'a Scopes, plan: &'a Plan, broken: &'a FxHashSet<ConceptId>) -> Self {
        let mut producers = vec![Vec::new(); plan.concepts.len()];
        let mut loops = Vec::new();
        let mut elements = FxHashMap::default();
        let mut carried = FxHashSet::default();
        let mut results = FxHashSet::default();
        let mut bases = FxHashSet::default();
        for (i, inference) in plan.inferences.iter().enumerate() {
            if let Some(list) = producers.get_mut(inference.target.index()) {
                list.push(i);
            }
            if let Work::Loop(looping) = &inference.work {
                elements.entry(looping.element).or_insert(loops.len());
                carried.extend(looping.carries.iter().filter(|c| c.lag > 0).map(|c| c.concept));
                bases.insert(looping.base);
                results.insert(looping.result);
                loops.push((i, looping));
            }
        }
        Self { tree, scopes, plan, producers, loops, elements, bases, results, carried, broken }
    }

    fn producers(&self, id: ConceptId) -> &[usize] {
        self.producers.get(id.index()).map_or(&[], Vec::as_slice)
    }

    /// Every value concept with its id.
    fn values(&self) -> impl Iterator<Item = (ConceptId, &'a Concept)> {
        let all = self.plan.concepts.iter().enumerate().filter(|(_, c)| c.kind.is_value());
        all.map(|(i, c)| (ConceptId(u32::try_from(i).unwrap_or(u32::MAX)), c))
    }

    /// Something gives the concept a value: its data, an inference, a loop.
    fn is_given(&self, id: ConceptId, concept: &Concept) -> bool {
        concept.ground.is_some()
            || concept.data.is_some()
            || !self.producers(id).is_empty()
            || self.elements.contains_key(&id)
            || self.carried.contains(&id)
            || self.results.contains(&id)
            || self.broken.contains(&id)
    }

    fn loop_line_number(&self, line: NodeId) -> Option<u32> {
        self.tree.loop_number(line).map(|l| l.number)
    }
}

/// Runs all checks. Nothing is said about `broken` concepts: their inference has an error already.
pub(super) fn check(
    tree: &Tree,
    scopes: &Scopes,
    plan: &Plan,
    broken: &FxHashSet<ConceptId>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let facts = Facts::of(tree, scopes, plan, broken);
    names::check(&facts, diagnostics);
    data::check(&facts, diagnostics);
    let mut found = liveness::of(&facts);
    producers::check(&facts, found.as_ref(), diagnostics);
    let suggested = missing::check(&facts, diagnostics);
    loops::check(&facts, found.as_ref(), diagnostics);
    conditions::check(&facts, diagnostics);
    dead::check(&facts, &suggested, diagnostics);
    if let Some(found) = &mut found {
        liveness::check(&facts, found, diagnostics);
    }
    options::check(&facts, diagnostics);
    keys::check(&facts, diagnostics);
    norms::check(&facts, diagnostics);
    ids::check(&facts, diagnostics);
    slots::check(&facts, diagnostics);
    axes::check(&facts, diagnostics);
    one::settle(&facts, diagnostics);
}
