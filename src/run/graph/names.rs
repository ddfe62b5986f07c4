//! The look-ups that every part of building the graph needs: who gives what, what stands below what, what an item
//! reads, which names are one (`$=`).

use std::sync::Arc;

use crate::repo::{Assigning, ConceptId, Inference, Model, Work};

use super::{ItemId, Role, ScopeId};

/// The model with the look-ups every part of the build needs.
pub(super) struct Names {
    pub(super) model: Arc<Model>,
    /// `$=`: the concept that stands for a concept, itself for most.
    pub(super) stands_for: Vec<ConceptId>,
    /// Items that give a value to each concept (by canonical concept), gates and `$=` left out, in order.
    producers: Vec<Vec<ItemId>>,
    /// One past the last item below each item: what is below an item is a run right after it.
    pub(super) below_end: Vec<u32>,
    /// The nearest item above each item.
    pub(super) above: Vec<Option<ItemId>>,
    pub(super) roles: Vec<Kind>,
}

/// What an item is, before scopes exist.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Step,
    Gate(Option<ItemId>),
    Loop,
}

impl Names {
    pub(super) fn new(model: &Arc<Model>) -> Self {
        let inferences = &model.inferences;
        let (above, below_end) = nesting(inferences);
        let stands_for = merge_identities(model);
        let roles: Vec<Kind> = inferences
            .iter()
            .enumerate()
            .map(|(i, inference)| match &inference.work {
                Work::Looping(_) => Kind::Loop,
                Work::Timing(_) => {
                    let guarded = above[i].filter(|up| {
                        let up = &inferences[up.at()];
                        up.function == Some(inference.target)
                            && inference.flow.parent().as_ref() == Some(&up.flow)
                    });
                    Kind::Gate(guarded)
                }
                _ => Kind::Step,
            })
            .collect();
        let mut producers = vec![Vec::new(); model.concepts.len()];
        for (i, inference) in inferences.iter().enumerate() {
            let identity = matches!(inference.work, Work::Assigning(Assigning::Identity { .. }));
            if !matches!(roles[i], Kind::Gate(_)) && !identity {
                producers[stands_for[inference.target.0 as usize].0 as usize].push(ItemId(i as u32));
            }
        }
        Self { model: Arc::clone(model), stands_for, producers, below_end, above, roles }
    }

    pub(super) fn canonical(&self, concept: ConceptId) -> ConceptId {
        self.stands_for[concept.0 as usize]
    }

    pub(super) fn producers(&self, concept: ConceptId) -> &[ItemId] {
        &self.producers[self.canonical(concept).0 as usize]
    }

    pub(super) fn inference(&self, item: ItemId) -> &Inference {
        &self.model.inferences[item.at()]
    }

    pub(super) fn items(&self) -> impl Iterator<Item = ItemId> + use<> {
        (0..self.model.inferences.len() as u32).map(ItemId)
    }

    /// The items below an item, at any depth.
    pub(super) fn below(&self, item: ItemId) -> impl DoubleEndedIterator<Item = ItemId> + use<> {
        (item.0 + 1..self.below_end[item.at()]).map(ItemId)
    }

    pub(super) fn is_below(&self, item: ItemId, of: ItemId) -> bool {
        item.0 > of.0 && item.0 < self.below_end[of.at()]
    }

    /// Whether a concept has its value before the run starts. Function concepts carry themselves
    /// (runtime spec, section 4.1).
    pub(super) fn has_data(&self, concept: ConceptId) -> bool {
        self.model.concepts[self.canonical(concept).0 as usize].data.is_some()
    }

    /// Values that a loop's reset leaves alone.
    pub(super) fn survives_reset(&self, concept: ConceptId) -> bool {
        let c = &self.model.concepts[self.canonical(concept).0 as usize];
        c.kind.is_value() && (c.ground || c.invariant || c.data.is_some())
    }

    /// What an item reads, the element and the carried values of a loop left out: they are the loop's own.
    pub(super) fn reads(&self, item: ItemId) -> Vec<ConceptId> {
        let inference = self.inference(item);
        let mut reads: Vec<ConceptId> = inference.values.clone();
        match &inference.work {
            Work::Looping(l) => {
                reads.push(l.base);
                reads.extend(l.carried.iter().map(|c| c.concept));
            }
            Work::Timing(t) => reads.push(t.condition),
            _ => {
                reads.extend(inference.contexts.iter().copied());
                reads.extend(inference.function.filter(|f| !self.producers(*f).is_empty()));
            }
        }
        for concept in &mut reads {
            *concept = self.canonical(*concept);
        }
        reads.sort_unstable();
        reads.dedup();
        reads
    }

    pub(super) fn role(&self, item: ItemId, body: impl FnOnce() -> ScopeId) -> Role {
        match self.roles[item.at()] {
            Kind::Step => Role::Step,
            Kind::Gate(guarded) => Role::Gate(guarded),
            Kind::Loop => Role::Loop(body()),
        }
    }
}

/// The nearest item above each item, and the end of the run of items below it. Sorted flow indices are in
/// depth-first order, so one pass with a stack does.
fn nesting(inferences: &[Inference]) -> (Vec<Option<ItemId>>, Vec<u32>) {
    let mut above = vec![None; inferences.len()];
    let mut end = vec![inferences.len() as u32; inferences.len()];
    let mut open: Vec<u32> = Vec::new();
    for (i, inference) in inferences.iter().enumerate() {
        while let Some(top) = open.last().copied() {
            if inference.flow.is_below(&inferences[top as usize].flow) {
                break;
            }
            end[top as usize] = i as u32;
            open.pop();
        }
        above[i] = open.last().map(|top| ItemId(*top));
        open.push(i as u32);
    }
    (above, end)
}

/// `$=` makes two names one cell before anything is scheduled (tensor spec, section 6).
fn merge_identities(model: &Model) -> Vec<ConceptId> {
    let mut stands_for: Vec<ConceptId> = (0..model.concepts.len() as u32).map(ConceptId).collect();
    let find = |stands_for: &[ConceptId], mut c: ConceptId| {
        while stands_for[c.0 as usize] != c {
            c = stands_for[c.0 as usize];
        }
        c
    };
    let mut merged = false;
    for inference in &model.inferences {
        if let Work::Assigning(Assigning::Identity { canonical, alias }) = inference.work {
            let (a, b) = (find(&stands_for, canonical), find(&stands_for, alias));
            if a != b {
                // The one that has data stays canonical, else the first (tensor spec, section 6).
                let has = |c: ConceptId| model.concepts[c.0 as usize].data.is_some();
                let (keep, fold) = if has(b) && !has(a) { (b, a) } else { (a, b) };
                stands_for[fold.0 as usize] = keep;
                merged = true;
            }
        }
    }
    if merged {
        for c in 0..stands_for.len() {
            stands_for[c] = find(&stands_for, ConceptId(c as u32));
        }
    }
    stands_for
}
