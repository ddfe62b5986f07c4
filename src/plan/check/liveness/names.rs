//! The look-ups that the liveness analysis rests on: who gives what, what stands below what, what guards what, what is
//! there before anything runs. Speaks of inferences by their place in the plan.

use rustc_hash::FxHashMap;

use crate::plan::model::{ConceptId, Inference, Plan, Work};

use crate::plan::check::Facts;

/// What an inference is to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A step with a result.
    Step,
    /// A gate, with what it guards.
    Gate(Option<usize>),
    /// A loop, by its place in [`Facts::loops`].
    Loop(usize),
}

/// The plan with the look-ups of the analysis.
pub(super) struct Names<'a> {
    pub(super) plan: &'a Plan,
    kinds: Vec<Kind>,
    above: Vec<Option<usize>>,
    /// One past the last inference below each.
    end: Vec<usize>,
    /// `$=`: the concept that stands for a concept.
    stands_for: Vec<ConceptId>,
    /// The inferences that give each concept a value, gates and `$=` left out.
    producers: Vec<Vec<usize>>,
    /// The loops each concept is an element of.
    elements: FxHashMap<ConceptId, Vec<usize>>,
    /// Nothing has to happen for it to be there, or nothing more can be said of it.
    there: Vec<bool>,
    /// A mistake is reported that leaves open how it comes about.
    reported: Vec<bool>,
}

impl<'a> Names<'a> {
    pub(super) fn of(facts: &Facts<'a>) -> Self {
        let plan = facts.plan;
        let (above, end) = nesting(&plan.inferences);
        let stands_for = merge(plan);
        let canonical = |c: ConceptId| stands_for.get(c.index()).copied().unwrap_or(c);
        let mut kinds = Vec::with_capacity(plan.inferences.len());
        let mut producers = vec![Vec::new(); plan.concepts.len()];
        let mut loops = 0..;
        for (i, inference) in plan.inferences.iter().enumerate() {
            let kind = match &inference.work {
                Work::Loop(_) => loops.next().map_or(Kind::Step, Kind::Loop),
                Work::Gate { .. } => Kind::Gate(above.get(i).copied().flatten().filter(|up| {
                    plan.inferences.get(*up).is_some_and(|up| {
                        up.function == inference.target && inference.flow.parent().as_ref() == Some(&up.flow)
                    })
                })),
                _ => Kind::Step,
            };
            kinds.push(kind);
            let gives = !matches!(inference.work, Work::Gate { .. } | Work::Identity { .. });
            if let Some(list) = producers.get_mut(canonical(inference.target).index()).filter(|_| gives) {
                list.push(i);
            }
        }
        let mut elements: FxHashMap<ConceptId, Vec<usize>> = FxHashMap::default();
        for (k, (_, looping)) in facts.loops.iter().enumerate() {
            elements.entry(canonical(looping.element)).or_default().push(k);
        }
        let mut there = vec![false; plan.concepts.len()];
        let mut reported = vec![false; plan.concepts.len()];
        for (i, concept) in plan.concepts.iter().enumerate().filter(|(_, c)| c.kind.is_value()) {
            let id = ConceptId(u32::try_from(i).unwrap_or(u32::MAX));
            let spoilt = facts.broken.contains(&id) || !facts.is_given(id, concept);
            if let Some(place) = reported.get_mut(canonical(id).index()).filter(|_| spoilt) {
                *place = true;
            }
            let given = concept.ground.is_some() || concept.data.is_some() || spoilt;
            if let Some(place) = there.get_mut(canonical(id).index()).filter(|_| given) {
                *place = true;
            }
        }
        Self { plan, kinds, above, end, stands_for, producers, elements, there, reported }
    }

    pub(super) fn canonical(&self, concept: ConceptId) -> ConceptId {
        self.stands_for.get(concept.index()).copied().unwrap_or(concept)
    }

    pub(super) fn producers(&self, concept: ConceptId) -> &[usize] {
        self.producers.get(self.canonical(concept).index()).map_or(&[], Vec::as_slice)
    }

    /// The loops a concept is an element of.
    pub(super) fn element_of(&self, concept: ConceptId) -> &[usize] {
        self.elements.get(&self.canonical(concept)).map_or(&[], Vec::as_slice)
    }

    /// Data, an input, a carried value, or something that is reported already.
    pub(super) fn is_there(&self, concept: ConceptId) -> bool {
        self.there.get(self.canonical(concept).index()).copied().unwrap_or(true)
    }

    /// A mistake is reported that leaves open how it comes about.
    pub(super) fn is_reported(&self, concept: ConceptId) -> bool {
        self.reported.get(self.canonical(concept).index()).copied().unwrap_or(true)
    }

    pub(super) fn kind(&self, item: usize) -> Kind {
        self.kinds.get(item).copied().unwrap_or(Kind::Step)
    }

    pub(super) fn above(&self, item: usize) -> Option<usize> {
        self.above.get(item).copied().flatten()
    }

    pub(super) fn end_of(&self, item: usize) -> usize {
        self.end.get(item).copied().unwrap_or(item)
    }

    pub(super) fn is_below(&self, item: usize, of: usize) -> bool {
        item > of && item < self.end_of(of)
    }

    /// Everything an inference reads, by canonical concept, the element and the carried values of a loop left out.
    pub(super) fn reads(&self, item: usize) -> Vec<ConceptId> {
        let Some(inference) = self.plan.inferences.get(item) else { return Vec::new() };
        let mut reads = inference.values.clone();
        match &inference.work {
            Work::Loop(l) => {
                reads.push(l.base);
                reads.extend(l.carries.iter().map(|c| c.concept));
            }
            Work::Gate { condition, .. } => reads.push(*condition),
            _ => {
                reads.extend(&inference.contexts);
                reads.extend(Some(inference.function).filter(|f| !self.producers(*f).is_empty()));
            }
        }
        for concept in &mut reads {
            *concept = self.canonical(*concept);
        }
        reads.sort_unstable();
        reads.dedup();
        reads
    }
}

/// The nearest inference above each, and the end of the run of inferences below it: flow indices are sorted, so in
/// depth-first order.
fn nesting(inferences: &[Inference]) -> (Vec<Option<usize>>, Vec<usize>) {
    let mut above = Vec::with_capacity(inferences.len());
    let mut end = vec![inferences.len(); inferences.len()];
    let mut open: Vec<(usize, &Inference)> = Vec::new();
    for (i, inference) in inferences.iter().enumerate() {
        while let Some((top, _)) = open.pop_if(|(_, top)| !inference.flow.is_below(&top.flow)) {
            if let Some(place) = end.get_mut(top) {
                *place = i;
            }
        }
        above.push(open.last().map(|(top, _)| *top));
        open.push((i, inference));
    }
    (above, end)
}

/// `$=` makes two names one.
fn merge(plan: &Plan) -> Vec<ConceptId> {
    let ids = 0..u32::try_from(plan.concepts.len()).unwrap_or(u32::MAX);
    let mut stands_for: Vec<ConceptId> = ids.map(ConceptId).collect();
    let find = |all: &[ConceptId], mut id: ConceptId| {
        while let Some(next) = all.get(id.index()).copied().filter(|n| *n != id) {
            id = next;
        }
        id
    };
    let mut merged = false;
    for inference in &plan.inferences {
        let Work::Identity { canonical } = inference.work else { continue };
        let (keep, fold) = (find(&stands_for, canonical), find(&stands_for, inference.target));
        if keep != fold
            && let Some(place) = stands_for.get_mut(fold.index())
        {
            *place = keep;
            merged = true;
        }
    }
    if merged {
        for i in 0..stands_for.len() {
            let settled = stands_for.get(i).map(|id| find(&stands_for, *id));
            if let (Some(place), Some(settled)) = (stands_for.get_mut(i), settled) {
                *place = settled;
            }
        }
    }
    stands_for
}
