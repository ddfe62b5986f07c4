//! One rule an operation: from what its inputs can be to what it gives (tensor spec, sections 5, 6, 8 and 9). Groupings
//! are in `grouping.rs`. Knows nothing of the order in which the rules are asked.

use std::sync::Arc;

use crate::base::{Sign, Value};
use crate::plan::model::{
    Concept, ConceptId, ConceptKind, FunctionKind, Inference, Loop, Pick, Plan, Semantic, Work,
};
use crate::tensor::{Axis, assign};

use super::known::{AxisOf, Origin, Reason, Unknown};
use super::possible::{Alternative, Hollow, List, NONE, Possible, dropped, none, of_single, or_none};

/// More combinations of lists than this are not gone through.
pub(super) const COMBINATIONS: usize = 64;

/// The inference a rule is asked for, with what its inputs can be.
pub(super) struct Asked<'a> {
    pub(super) plan: &'a Plan,
    pub(super) inference: &'a Inference,
    /// What every concept can be, as far as is known.
    pub(super) whole: &'a [Possible],
}

impl<'a> Asked<'a> {
    pub(super) fn of(&self, id: ConceptId) -> &'a Possible {
        const NOTHING: &Possible = &Possible::Of { lists: Vec::new(), hollow: None };
        self.whole.get(id.index()).unwrap_or(NOTHING)
    }

    pub(super) fn target(&self) -> ConceptId {
        self.inference.target
    }

    pub(super) fn many(&self) -> Unknown {
        Unknown::Many(self.target())
    }

    pub(super) fn origin(&self, reason: Reason) -> Origin {
        Origin { reason, place: Some(self.inference.function_span) }
    }

    /// The name of the axis the target's own result makes.
    fn own_axis(&self) -> Arc<str> {
        self.plan.concept(self.target()).map_or_else(|| Arc::from(""), |c| Arc::from(c.axis_name()))
    }

    /// `$.`: what any of its sources is; with data in none of them an empty axis `result`.
    pub(super) fn specification(&self, sources: &[ConceptId]) -> Possible {
        let mut found = Possible::default();
        for source in sources {
            let source = self.of(*source);
            match source {
                Possible::Any(_) => return source.clone(),
                Possible::Of { lists, .. } => {
                    for list in lists {
                        found.add(list.clone(), self.many());
                    }
                }
            }
        }
        if sources.iter().any(|s| !self.of(*s).is_nothing()) {
            let name = Arc::from(Axis::RESULT.as_str());
            let result = AxisOf { name, origin: self.origin(Reason::Single(self.target())) };
            found.add_hollow(Hollow::List([result].into()));
        }
        found
    }

    /// `$+`: the destination's axes; those of the item where there is no destination yet.
    pub(super) fn continuation(
        &self,
        item: Option<ConceptId>,
        destination: ConceptId,
        by: Option<&str>,
        destination_may_lack: bool,
    ) -> Possible {
        let onto = self.of(destination);
        let Possible::Of { lists, hollow } = onto else { return onto.clone() };
        let mut found = Possible::default();
        let along_none = |list: &Alternative| {
            let first = list.axes.first().is_some_and(AxisOf::is_none);
            by.filter(|b| list.has(b)).map_or(first, |b| b == NONE)
        };
        for list in lists {
            let wide = list.wide || (item.is_some() && along_none(list));
            found.add(Alternative { axes: Arc::clone(&list.axes), wide }, self.many());
        }
        match hollow {
            // Appended to, it is no longer missing.
            Some(Hollow::List(list)) => {
                found.add(Alternative::new(Arc::clone(list)), self.many());
            }
            Some(Hollow::Any) => return Possible::Any(Unknown::Content(destination)),
            None => {}
        }
        if let Some(item) = item.filter(|_| destination_may_lack) {
            found.join(self.of(item), self.many());
        }
        found
    }

    /// `$%`: the literal itself says.
    pub(super) fn abstraction(&self, face: &serde_json::Value, axes: Option<&[Arc<str>]>) -> Possible {
        let names: Option<Vec<Axis>> = axes.map(|a| a.iter().map(|n| Axis::from(&**n)).collect());
        let none_axis = [Axis::NONE];
        let names = match names.as_deref() {
            Some([]) => Some(none_axis.as_slice()),
            None if !face.is_array() => Some(none_axis.as_slice()),
            names => names,
        };
        // A literal that does not fit its axes fails the step: there is no value to speak of.
        let Ok(tensor) = assign::abstraction(&Value::from_plan_json(face), names) else {
            return Possible::default();
        };
        let origin = self.origin(Reason::Literal(self.target()));
        Possible::one(of_tensor(&tensor, origin))
    }

    /// `$-`: the axes stay; where lists are unpacked along one axis, what they hold decides.
    pub(super) fn selection(&self, source: ConceptId, pick: &Pick, flat: bool) -> Possible {
        let from = self.of(source);
        let Possible::Of { lists, hollow } = from else { return from.clone() };
        let mut found = Possible::default();
        for list in lists {
            let Some(axes) = dropped(list) else { return Possible::Any(Unknown::Content(source)) };
            if *pick != Pick::All || axes.len() > 1 {
                found.add(Alternative { axes, wide: list.wide }, self.many());
            } else if flat {
                found.add(Alternative::new([self.unpacked(&axes)]), self.many());
            } else {
                return Possible::Any(Unknown::Content(source));
            }
        }
        if hollow.is_some() {
            found.add_hollow(Hollow::Any);
        }
        found
    }

    /// The one axis of unpacked flat lists: named after the target, unless that would rename an axis of the source.
    fn unpacked(&self, source: &[AxisOf]) -> AxisOf {
        let unnamed = Axis::numbered(0);
        let own = !source.iter().any(|a| *a.name == *unnamed.as_str());
        let name = if own { self.own_axis() } else { unnamed.to_shared() };
        AxisOf { name, origin: self.origin(Reason::Answer(self.target())) }
    }

    /// The element of a loop: the base without the axis that is walked.
    pub(super) fn element(&self, looping: &Loop) -> Possible {
        let base = self.of(looping.base);
        let Possible::Of { lists, .. } = base else { return base.clone() };
        let mut found = Possible::default();
        for list in lists {
            let Some(walked) = self.walked(looping, list) else {
                return Possible::Any(Unknown::Content(looping.base));
            };
            let axes = list.axes.iter().enumerate().filter(|(i, _)| *i != walked);
            let axes = axes.map(|(_, a)| a.clone()).collect();
            found.add(Alternative::new(or_none(axes, of_single(looping.element))), self.many());
        }
        found
    }

    /// The place of the axis that is walked; none where it hangs on the size of `_none_axis`.
    fn walked(&self, looping: &Loop, base: &Alternative) -> Option<usize> {
        if base.axes.is_empty() || (base.axes.len() > 1 && base.has(NONE)) {
            return None;
        }
        if let Some(place) = base.names().position(|n| n == &*looping.axis) {
            return Some(place);
        }
        // A base concept named as axis stands for its own axis, which the base then need not have.
        if *looping.axis == *self.plan.name(looping.base) {
            let own = self.plan.concept(looping.base).map(Concept::axis_name)?;
            return base.names().position(|n| n == own);
        }
        Some(0)
    }

    /// The results of a loop, stacked along the axis that is walked.
    pub(super) fn collected(&self, looping: &Loop) -> Possible {
        let base = self.of(looping.base);
        let (Possible::Of { lists: bases, .. }, Possible::Of { lists: results, .. }) =
            (base, self.of(self.inference.function))
        else {
            return if matches!(base, Possible::Any(_)) { base } else { self.of(self.inference.function) }
                .clone();
        };
        let along = self.origin(Reason::Loop { number: looping.number, base: looping.base });
        let own = AxisOf { name: self.own_axis(), origin: along };
        let mut found = Possible::default();
        for base in bases {
            let Some(axis) = self.walked(looping, base).and_then(|at| base.axes.get(at)) else {
                return Possible::Any(Unknown::Content(looping.base));
            };
            let named = AxisOf { name: Arc::clone(&axis.name), origin: along };
            let naming = Some(&named).filter(|a| !a.is_none());
            for result in results {
                if let Some(axes) = stacked(naming, &own, result, looping.number) {
                    found.add(Alternative { axes, wide: result.wide }, self.many());
                }
            }
            let alone = naming.unwrap_or(&own).clone();
            found.add_hollow(Hollow::List([alone].into()));
        }
        found
    }

    /// A semantic step: the union of the axes of its inputs, in order.
    pub(super) fn semantic(&self, work: &Semantic) -> Possible {
        if work.kind == FunctionKind::Input {
            return Possible::Any(Unknown::Content(self.target()));
        }
        let composed = is_composed(work, self.plan.generation);
        // What of a value reaches the step is cut out of its cells.
        let combined = || match work.selectors.is_empty() {
            true => self.answered(work, composed),
            false => Possible::Any(Unknown::Content(self.target())),
        };
        if work.kind != FunctionKind::Judgement {
            return combined();
        }
        if !composed {
            return Possible::single(self.origin(Reason::Judged(self.target())));
        }
        self.judged(work, &combined())
    }

    fn answered(&self, work: &Semantic, composed: bool) -> Possible {
        let asks = |id: &ConceptId| {
            let concept = self.plan.concept(*id);
            let query = work.resources.builtin.is_some() && concept.is_some_and(|c| c.query);
            !query && !concept.is_some_and(is_instruction)
        };
        let inputs: Vec<&Possible> =
            work.order.iter().map(|(id, _)| id).filter(|id| asks(id)).map(|id| self.of(*id)).collect();
        let united = self.united(&inputs);
        if !(composed || work.relation) {
            return united;
        }
        // A list of one or none adds no axis, a longer one does.
        let Possible::Of { lists, .. } = &united else { return united };
        let mut more = united.clone();
        let own = AxisOf { name: self.own_axis(), origin: self.origin(Reason::Answer(self.target())) };
        for list in lists.iter().filter(|l| !l.has(&own.name)) {
            let axes: Vec<AxisOf> = list.axes.iter().cloned().chain([own.clone()]).collect();
            let Some(axes) = dropped(&Alternative { axes: axes.into(), wide: list.wide }) else {
                return Possible::Any(Unknown::Content(self.target()));
            };
            more.add(Alternative::new(axes), self.many());
        }
        more
    }

    /// The union of axes in the order of their first occurrence, for every combination of the inputs' lists.
    fn united(&self, inputs: &[&Possible]) -> Possible {
        if let Some(any) = inputs.iter().find(|p| matches!(p, Possible::Any(_))) {
            return (*any).clone();
        }
        if inputs.iter().any(|p| p.is_nothing()) {
            return Possible::default();
        }
        let origin = self.origin(Reason::Single(self.target()));
        let mut found = Possible::default();
        let Some(combinations) = combinations(inputs) else { return Possible::Any(self.many()) };
        for combination in combinations {
            let mut axes: Vec<AxisOf> = Vec::new();
            let mut wide = false;
            for list in &combination {
                wide |= list.wide;
                for axis in list.axes.iter() {
                    if !axes.iter().any(|a| a.name == axis.name) {
                        axes.push(axis.clone());
                    }
                }
                if axes.len() > COMBINATIONS {
                    return Possible::Any(self.many());
                }
            }
            let list = Alternative { axes: or_none(axes, origin), wide };
            let Some(axes) = dropped(&list) else { return Possible::Any(Unknown::Content(self.target())) };
            found.add(Alternative { wide: wide && axes.iter().any(AxisOf::is_none), axes }, self.many());
        }
        if inputs.iter().any(|p| p.hollow().is_some()) {
            found.add_hollow(Hollow::Any);
        }
        found
    }

    /// A truth mask over what the step answers (tensor spec, section 9).
    fn judged(&self, work: &Semantic, answers: &Possible) -> Possible {
        let quantifiers = self.quantifiers(work);
        let folds = |word: &str| word != "for-each";
        let only_folds = !quantifiers.is_empty() && quantifiers.iter().all(|(_, w)| folds(w));
        let origin = self.origin(Reason::Judged(self.target()));
        let verdict = AxisOf { name: Arc::from(Axis::ASSERTION.as_str()), origin };
        if only_folds {
            return Possible::one(Alternative::new([verdict]));
        }
        let Possible::Of { lists, hollow } = answers else { return answers.clone() };
        let mixed = quantifiers.iter().any(|(_, w)| folds(w));
        if mixed && hollow.is_some() {
            return Possible::Any(Unknown::Content(self.target()));
        }
        let mut found = Possible::default();
        for list in lists {
            found.add(Alternative { axes: mask(list, &quantifiers, &verdict), wide: list.wide }, self.many());
        }
        if hollow.is_some() {
            found.add_hollow(Hollow::Any);
        }
        found
    }

    /// Quantifiers by axis name, as they are written for a run (repositories spec, section 7.3).
    fn quantifiers(&self, work: &Semantic) -> Vec<(Arc<str>, &'static str)> {
        let mut found: Vec<(Arc<str>, &'static str)> = Vec::new();
        for (over, word) in &work.assertion.quantifiers {
            let axis = match over {
                None => Arc::from("axis"),
                Some(over) => {
                    let concept = over.concept.and_then(|c| self.plan.concept(c)).filter(|c| c.axes_declared);
                    match concept.and_then(|c| c.axes.as_deref()) {
                        Some([single]) => Arc::clone(single),
                        _ => Arc::clone(&over.name),
                    }
                }
            };
            // Under one name the last word counts; `concept` is no axis.
            match found.iter_mut().find(|(a, _)| *a == axis) {
                Some(known) => known.1 = word,
                None if &*axis != "concept" => found.push((axis, word)),
                None => {}
            }
        }
        found
    }
}

/// The axes of the mask over one list.
fn mask(list: &Alternative, quantifiers: &[(Arc<str>, &'static str)], verdict: &AxisOf) -> List {
    let folding = || quantifiers.iter().filter(|(_, w)| *w != "for-each");
    let listed = |axis: &AxisOf| quantifiers.iter().find(|(a, _)| *a == axis.name).map(|(_, w)| *w);
    let about_all = folding().next().is_some() && !folding().any(|(a, _)| list.has(a));
    let each = |axis: &AxisOf| listed(axis) == Some("for-each");
    let fold = about_all || list.axes.iter().any(|a| listed(a).is_some_and(|w| w != "for-each"));
    if !fold {
        return Arc::clone(&list.axes);
    }
    let filter = list.axes.iter().position(each);
    let keeps = |(place, axis): (usize, &AxisOf)| {
        each(axis) || (filter.is_some_and(|f| place < f) && listed(axis).is_none() && !about_all)
    };
    let kept = list.axes.iter().enumerate().filter(|(i, a)| keeps((*i, a))).map(|(_, a)| a.clone());
    kept.chain(filter.is_none().then(|| verdict.clone())).collect()
}

/// The axes of stacked results; none where neither name keeps them apart, which fails the loop.
fn stacked(naming: Option<&AxisOf>, own: &AxisOf, result: &Alternative, number: u32) -> Option<List> {
    let distinct = |axes: &[AxisOf]| {
        axes.iter().enumerate().all(|(i, a)| !axes.iter().skip(i + 1).any(|b| b.name == a.name))
    };
    if let Some(naming) = naming {
        let value = |a: &AxisOf| match a.is_none() {
            true => AxisOf {
                name: Arc::from(Axis::VALUE.as_str()),
                origin: Origin { reason: Reason::Value(number), place: naming.origin.place },
            },
            false => a.clone(),
        };
        let named: Vec<AxisOf> =
            std::iter::once(naming.clone()).chain(result.axes.iter().map(value)).collect();
        if distinct(&named) {
            return Some(named.into());
        }
    }
    let plain: Vec<AxisOf> = std::iter::once(own.clone()).chain(result.axes.iter().cloned()).collect();
    distinct(&plain).then(|| plain.into())
}

/// All combinations of one list of each; none when there are too many.
pub(super) fn combinations<'a>(inputs: &[&'a Possible]) -> Option<Vec<Vec<&'a Alternative>>> {
    let mut all: Vec<Vec<&Alternative>> = vec![Vec::with_capacity(inputs.len())];
    for input in inputs {
        match input.lists() {
            [only] => all.iter_mut().for_each(|c| c.push(only)),
            lists => {
                if all.len().saturating_mul(lists.len()) > COMBINATIONS {
                    return None;
                }
                all = all
                    .iter()
                    .flat_map(|c| lists.iter().map(move |l| c.iter().copied().chain([l]).collect()))
                    .collect();
            }
        }
    }
    Some(all)
}

/// What a tensor has for axes.
pub(super) fn of_tensor(tensor: &crate::tensor::Tensor, origin: Origin) -> Alternative {
    let axes: Vec<AxisOf> = tensor.axes().iter().map(|a| AxisOf { name: a.to_shared(), origin }).collect();
    let wide = tensor.axes().iter().zip(tensor.shape()).any(|(a, size)| a.is_none() && *size != 1);
    Alternative { axes: if axes.is_empty() { [none(origin)].into() } else { axes.into() }, wide }
}

/// How lowering reads a step with a paradigm: its list answers make an axis, and its assertion a mask (repositories
/// spec, sections 3.1 and 3.2).
pub(in crate::plan) fn is_composed(work: &Semantic, generation: u32) -> bool {
    work.is_composed(generation)
}

/// A value that tells the step what to do instead of being an input (semantics spec, section 9).
fn is_instruction(concept: &Concept) -> bool {
    const NORMS: [&str; 6] = [
        "script_location",
        "generated_script_path",
        "builtin",
        "prompt_location",
        "prompt",
        "prompt_template",
    ];
    if concept.kind != ConceptKind::Object {
        return false;
    }
    let text = match &concept.data {
        Some(serde_json::Value::String(text)) => text,
        Some(serde_json::Value::Array(items)) => match items.as_slice() {
            [serde_json::Value::String(text)] => text,
            _ => return false,
        },
        _ => return false,
    };
    Sign::parse(text).is_some_and(|s| s.norm().is_some_and(|n| NORMS.contains(&n)))
}

/// The concepts whose axes decide those an inference gives.
pub(super) fn reads(inference: &Inference) -> Vec<ConceptId> {
    match &inference.work {
        Work::Loop(looping) => vec![looping.base, inference.function],
        Work::Specification { sources, .. } => sources.clone(),
        Work::Continuation { item, destination, .. } => item.iter().copied().chain([*destination]).collect(),
        Work::Selection { source, .. } => vec![*source],
        Work::Identity { canonical } => vec![*canonical, inference.target],
        Work::Grouping(_) => inference.values.iter().chain(&inference.contexts).copied().collect(),
        Work::Semantic(work) => work.order.iter().map(|(id, _)| *id).collect(),
        Work::Abstraction { .. } | Work::Gate { .. } => Vec::new(),
    }
}
