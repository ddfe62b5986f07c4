//! What of a run's results still holds when its plan, its data or its files have changed (runtime spec, section 15.3):
//! a step is *changed* when it is new or its definition, its start data or a file it names is another; it is *stale*
//! when it is changed or depends on anything that is. Works by content, never by names alone.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::base::{Digest, Value};
use crate::repo::{Assigning, ConceptId, Method, Work};
use crate::tensor::Tensor;

use super::definition::definition;
use super::graph::{Graph, ItemId, Role, ScopeId};
use super::record::{Mode, Setting};

/// A plan as it is run: its graph, its start data, and the hashes of the files it names.
#[derive(Debug, Clone, Copy)]
pub struct Version<'a> {
    /// The plan.
    pub graph: &'a Graph,
    /// The value of every concept before the first step.
    pub data: &'a [Option<Tensor>],
    /// Holds the hashes of files.
    pub setting: &'a Setting,
}

/// Why a step must run again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The earlier plan had no such inference.
    New,
    /// The inference is another one: function, values, order, flags, gates.
    Definition,
    /// A concept has other start data.
    Data(Arc<str>),
    /// A file has other bytes.
    File(Arc<str>),
    /// Its paradigm is another one.
    Paradigm(Arc<str>),
    /// It depends on a step that must run again: flow index and concept.
    After(String),
    /// It is part of a loop that must start over: flow index and concept.
    Loop(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New => f.write_str("it is new"),
            Self::Definition => f.write_str("its definition changed"),
            Self::Data(concept) => write!(f, "the data of `{concept}` changed"),
            Self::File(path) => write!(f, "the file `{path}` changed"),
            Self::Paradigm(name) => write!(f, "the paradigm `{name}` changed"),
            Self::After(step) => write!(f, "it depends on {step}"),
            Self::Loop(step) => write!(f, "the loop {step} starts over"),
        }
    }
}

/// How two versions of a plan compare.
#[derive(Debug, Clone, Default)]
pub struct Comparison {
    /// For each item of the version before: its number now; none when the plan does not have it any more.
    pub now: Vec<Option<ItemId>>,
    /// For each item of the version now: why what it gave does not hold; none when it does.
    pub stale: Vec<Option<Reason>>,
}

impl Comparison {
    /// Returns whether every item stands where it stood.
    pub fn is_in_place(&self) -> bool {
        self.now.len() == self.stale.len()
            && self.now.iter().enumerate().all(|(i, now)| *now == Some(ItemId(i as u32)))
    }
}

/// Compares two versions of a plan.
pub fn compare(before: Version<'_>, now: Version<'_>, mode: Mode) -> Comparison {
    let pairs = Pairs::new(before.graph, now.graph, mode);
    let mut spread =
        Spread { graph: now.graph, stale: vec![None; now.graph.items.len()], queue: VecDeque::new() };
    for (i, was) in pairs.before.iter().enumerate() {
        let item = ItemId(i as u32);
        match was {
            None => spread.mark(item, Reason::New),
            Some((_, false)) => spread.mark(item, Reason::Definition),
            Some((_, true)) => {
                let hash = |version: Version<'_>, name: &str| version.setting.paradigms.get(name).cloned();
                if let Some(name) = paradigm_of(now.graph, item)
                    && hash(before, name) != hash(now, name)
                {
                    spread.mark(item, Reason::Paradigm(Arc::clone(name)));
                }
            }
        }
    }
    let readers = Readers::new(now.graph);
    for (concept, reason) in changed_data(before, now) {
        for item in readers.of(concept) {
            spread.mark(*item, reason.clone());
        }
    }
    spread.run(&readers);
    Comparison { now: pairs.now, stale: spread.stale }
}

/// The paradigm an item names.
fn paradigm_of(graph: &Graph, item: ItemId) -> Option<&Arc<str>> {
    match &graph.inference(item).work {
        Work::Semantic(semantic) => match &semantic.method {
            Method::Composition { paradigm } => Some(paradigm),
            _ => None,
        },
        _ => None,
    }
}

/// The paradigms a plan names, sorted.
pub fn paradigms_named(graph: &Graph) -> Vec<Arc<str>> {
    let items = (0..graph.items.len() as u32).map(ItemId);
    let mut names: Vec<Arc<str>> = items.filter_map(|item| paradigm_of(graph, item).cloned()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Which item of the plan before is which one of the plan now.
struct Pairs {
    now: Vec<Option<ItemId>>,
    /// For each item now: the one before, and whether its definition is the same.
    before: Vec<Option<(ItemId, bool)>>,
}

impl Pairs {
    /// Items are the same when their definitions are, wherever they stand: those at one flow index first, the others in
    /// order. What is left is paired by flow index and concept: the same inference with another definition.
    fn new(before: &Graph, now: &Graph, mode: Mode) -> Self {
        let ids = |graph: &Graph| (0..graph.items.len() as u32).map(ItemId);
        let old: Vec<Digest> = ids(before).map(|i| definition(before, i)).collect();
        let new: Vec<Digest> = ids(now).map(|i| definition(now, i)).collect();
        let mut pairs = Self { now: vec![None; old.len()], before: vec![None; new.len()] };
        let at_flow: FxHashMap<_, ItemId> = ids(before).map(|i| (&before.inference(i).flow, i)).collect();
        for item in ids(now) {
            if let Some(was) = at_flow.get(&now.inference(item).flow)
                && old[was.at()] == new[item.at()]
            {
                pairs.join(*was, item, true);
            }
        }
        let mut unpaired: FxHashMap<Digest, VecDeque<ItemId>> = FxHashMap::default();
        for item in ids(before).filter(|i| pairs.now[i.at()].is_none()) {
            unpaired.entry(old[item.at()]).or_default().push_back(item);
        }
        for item in ids(now) {
            if pairs.before[item.at()].is_none()
                && let Some(was) = unpaired.get_mut(&new[item.at()]).and_then(VecDeque::pop_front)
            {
                pairs.join(was, item, true);
            }
        }
        for item in ids(now) {
            let inference = now.inference(item);
            if pairs.before[item.at()].is_none()
                && let Some(was) = at_flow.get(&inference.flow)
                && pairs.now[was.at()].is_none()
                && before.concept_name(before.inference(*was).target) == now.concept_name(inference.target)
            {
                // The other modes keep what the step gave under its old definition.
                pairs.join(*was, item, mode != Mode::Patch);
            }
        }
        pairs
    }

    fn join(&mut self, was: ItemId, now: ItemId, same: bool) {
        self.now[was.at()] = Some(now);
        self.before[now.at()] = Some((was, same));
    }
}

/// Concepts of the plan now whose start data are others, with the reason.
fn changed_data(before: Version<'_>, now: Version<'_>) -> Vec<(ConceptId, Reason)> {
    let mut known: FxHashMap<&str, Option<&Tensor>> = FxHashMap::default();
    for (concept, data) in before.graph.model.concepts.iter().zip(before.data) {
        known.insert(&concept.name, data.as_ref());
    }
    let mut changed = Vec::new();
    for (i, (concept, data)) in now.graph.model.concepts.iter().zip(now.data).enumerate() {
        let id = ConceptId(i as u32);
        if known.get(&*concept.name).copied().flatten() != data.as_ref() {
            changed.push((id, Reason::Data(Arc::clone(&concept.name))));
            continue;
        }
        let other = |path: &Arc<str>| before.setting.file(path) != now.setting.file(path);
        if let Some(path) = data.iter().flat_map(files_of).find(other) {
            changed.push((id, Reason::File(path)));
        }
    }
    changed
}

/// The files the start data of a plan name, sorted: scripts, prompts and whatever else a sign locates.
pub fn files_named(data: &[Option<Tensor>]) -> Vec<Arc<str>> {
    let mut files: Vec<Arc<str>> = data.iter().flatten().flat_map(files_of).collect();
    files.sort_unstable();
    files.dedup();
    files
}

/// The files a value names.
fn files_of(value: &Tensor) -> Vec<Arc<str>> {
    let mut files = Vec::new();
    let mut open: Vec<&Value> =
        value.cells().filter(|c| matches!(c, Value::Sign(_) | Value::List(_))).collect();
    while let Some(cell) = open.pop() {
        match cell {
            Value::Sign(sign)
                if sign.norm().is_some_and(|n| n.ends_with("location") && n != "command_location") =>
            {
                files.push(Arc::clone(sign.payload()));
            }
            Value::List(items) => open.extend(items.iter()),
            _ => {}
        }
    }
    files
}

/// Who reads or adds to each concept.
struct Readers<'a> {
    graph: &'a Graph,
    of: Vec<Vec<ItemId>>,
    /// Items that wait for an item, whatever for.
    waiting: Vec<Vec<ItemId>>,
}

impl<'a> Readers<'a> {
    fn new(graph: &'a Graph) -> Self {
        let mut of = vec![Vec::new(); graph.model.concepts.len()];
        let mut waiting = vec![Vec::new(); graph.items.len()];
        for (i, inference) in graph.model.inferences.iter().enumerate() {
            let item = ItemId(i as u32);
            let also = match &inference.work {
                Work::Timing(timing) => Some(timing.condition),
                // An append adds to what was there.
                Work::Assigning(Assigning::Continuation { destination, .. }) => Some(*destination),
                _ => None,
            };
            let read = inference.values.iter().chain(&inference.contexts).chain(&inference.function);
            for concept in read.chain(&also) {
                if let Some(readers) = of.get_mut(graph.canonical(*concept).0 as usize) {
                    readers.push(item);
                }
            }
            let info = graph.item(item);
            let candidates = info.candidates.iter().flat_map(|c| c.producers.iter().map(|(_, item)| *item));
            for other in info.waits.iter().map(|w| w.item).chain(info.gates.iter().copied()).chain(candidates)
            {
                waiting[other.at()].push(item);
            }
        }
        Self { graph, of, waiting }
    }

    fn of(&self, concept: ConceptId) -> &[ItemId] {
        self.of.get(self.graph.canonical(concept).0 as usize).map_or(&[], Vec::as_slice)
    }
}

/// Marks what depends on what is marked.
struct Spread<'a> {
    graph: &'a Graph,
    stale: Vec<Option<Reason>>,
    queue: VecDeque<ItemId>,
}

impl Spread<'_> {
    fn mark(&mut self, item: ItemId, reason: Reason) {
        if let Some(place) = self.stale.get_mut(item.at())
            && place.is_none()
        {
            *place = Some(reason);
            self.queue.push_back(item);
        }
    }

    fn run(&mut self, readers: &Readers<'_>) {
        while let Some(item) = self.queue.pop_front() {
            let graph = self.graph;
            let name = || format!("{} `{}`", graph.inference(item).flow, graph.item_name(item));
            let follows = readers.waiting[item.at()].iter().chain(readers.of(graph.inference(item).target));
            for follower in follows {
                if self.stale[follower.at()].is_none() {
                    self.mark(*follower, Reason::After(name()));
                }
            }
            // A loop with a stale step in its body starts over, and so does all of its body (runtime spec, 15.3).
            if let Role::Loop(body) = graph.item(item).role {
                self.mark_body(body, &name());
            }
            if let Some(of) = graph.scope(graph.item(item).scope).of {
                self.mark(of, Reason::After(name()));
            }
        }
    }

    fn mark_body(&mut self, body: ScopeId, of: &str) {
        for item in self.graph.scope(body).items.clone() {
            self.mark(item, Reason::Loop(of.to_owned()));
        }
    }
}
