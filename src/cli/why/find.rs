//! Which step is meant, and what the journal has of it: its events, tries and output, also those that no longer count.

use std::collections::BTreeMap;

use crate::base::LoopPath;
use crate::engine::{Past, RunError};
use crate::repo::ConceptId;
use crate::run::graph::Role;
use crate::run::record::{
    Asked as Question, Call, CallPlace, Decoder, Intent, Kind, Record, Redone, StepLog, peek,
};
use crate::run::{Event, Graph, ItemId, StepKey};

use super::super::Exit;
use super::super::logs::{parse_step, unknown_step};

/// What the user asks for.
#[derive(Debug)]
pub(super) struct Target {
    /// The inferences that are meant; none for a concept that nothing infers.
    pub(super) items: Vec<ItemId>,
    pub(super) path: Option<LoopPath>,
    /// The concept that was named.
    pub(super) concept: Option<ConceptId>,
}

/// Finds what is meant by a flow index, a step or a concept.
pub(super) fn target(graph: &Graph, wanted: &str) -> Result<Target, Exit> {
    if let Some((flow, path)) = parse_step(wanted) {
        let item = graph.model.inferences.iter().position(|i| i.flow == flow);
        let item = ItemId(item.ok_or_else(|| unknown_step(graph, wanted))? as u32);
        return Ok(Target { items: vec![item], path, concept: None });
    }
    let concepts = || graph.model.concepts.iter().enumerate();
    let bare = |name: &str| name.trim_matches(|c| "{}[]<>".contains(c)).to_owned();
    let exact = concepts().find(|(_, c)| *c.name == *wanted);
    let mut loose = concepts().filter(|(_, c)| c.kind.is_value() && bare(&c.name) == wanted);
    let found = exact.or_else(|| loose.next().filter(|_| loose.next().is_none()));
    let concept = ConceptId(found.ok_or_else(|| unknown_step(graph, wanted))?.0 as u32);
    let gives = |item: &ItemId| {
        let gate = matches!(graph.item(*item).role, Role::Gate(_));
        !gate && graph.canonical(graph.inference(*item).target) == graph.canonical(concept)
    };
    let items = (0..graph.items.len() as u32).map(ItemId).filter(gives).collect();
    Ok(Target { items, path: None, concept: Some(concept) })
}

/// One try of a step.
#[derive(Debug)]
pub(super) struct Try {
    pub(super) seq: u64,
    pub(super) intent: Intent,
    /// How it ended: the record of its event; none when it was interrupted or is under way.
    pub(super) ended: Option<u64>,
    /// It counts; else it was to be done again.
    pub(super) counts: bool,
}

/// A call of a cell; or a question that is still open.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) seq: u64,
    pub(super) what: Exchange,
    /// It counts; else it was made for an earlier try.
    pub(super) counts: bool,
}

/// What was exchanged with the world.
#[derive(Debug)]
pub(super) enum Exchange {
    Call(Box<Call>),
    Open(Box<Question>),
}

impl Asked {
    pub(super) fn place(&self) -> CallPlace {
        match &self.what {
            Exchange::Call(call) => call.place,
            Exchange::Open(question) => question.place,
        }
    }
}

/// What the journal has of one step.
#[derive(Debug, Default)]
pub(super) struct Records {
    /// The event that counts.
    pub(super) event: Option<(u64, Event)>,
    /// Events that no longer count.
    pub(super) before: Vec<(u64, Event)>,
    pub(super) tries: Vec<Try>,
    pub(super) log: Option<StepLog>,
    /// What its cells asked the world for, and were told.
    pub(super) calls: Vec<Asked>,
    /// Why it was done again, each by the frame that says so.
    pub(super) redone: Vec<(u64, String)>,
}

/// The step that is meant, and all there is of it.
#[derive(Debug)]
pub(super) struct Found {
    /// None for a concept that nothing infers.
    pub(super) step: Option<StepKey>,
    pub(super) concept: Option<ConceptId>,
    /// The loop position was named, not chosen.
    pub(super) named: bool,
    /// All loop positions of the inference.
    pub(super) positions: Vec<LoopPath>,
    /// Other inferences that give the concept.
    pub(super) others: Vec<ItemId>,
    pub(super) records: Records,
}

/// A numbering of the items of an earlier epoch by those of the last.
struct Numbers<'a> {
    epochs: Vec<(u64, Option<crate::run::record::Setting>)>,
    past: &'a Past,
}

impl<'a> Numbers<'a> {
    fn new(past: &'a Past) -> Result<Self, RunError> {
        let resumed = past.survey.resumed.iter();
        let epochs = resumed
            .map(|(seq, epoch)| Ok((*seq, Some(past.setting(epoch)?))))
            .collect::<Result<_, RunError>>()?;
        Ok(Self { epochs, past })
    }

    /// The number an item of a record has now, whether the record counts or not.
    fn now(&self, seq: u64, mut item: ItemId) -> Option<ItemId> {
        debug_assert_eq!(self.epochs.len(), self.past.survey.resumed.len());
        for (_, setting) in self.epochs.iter().filter(|(from, _)| seq < *from) {
            item = setting.as_ref()?.now(item)?;
        }
        Some(item)
    }
}

/// Reads the journal for what is meant.
pub(super) fn found(past: &Past, graph: &Graph, target: &Target) -> Result<Found, RunError> {
    let validity = past.validity()?;
    let numbers = Numbers::new(past)?;
    // By step the last frame that is about it, and whether its event counts.
    let mut steps: BTreeMap<StepKey, (bool, u64)> = BTreeMap::new();
    let mut reader = past.run.journal()?;
    while let Some(frame) = reader.next()? {
        let Some(found) = peek(frame.kind, frame.body) else { continue };
        let Some(item) = numbers.now(frame.seq, found.step.item) else { continue };
        let key = match enclosing(graph, &target.items, item, &found.step.path) {
            Some(key) => key,
            None => continue,
        };
        let counts = matches!(frame.kind, Kind::Result | Kind::Failed | Kind::Skipped)
            && validity.now(frame.seq, &found.step, found.round).is_some();
        let known = steps.entry(key).or_default();
        *known = (*known).max((counts, frame.seq));
    }
    let step = match &target.path {
        Some(path) => target.items.first().map(|item| StepKey { item: *item, path: path.clone() }),
        None => {
            let last = steps.iter().max_by_key(|(_, known)| **known).map(|(step, _)| step.clone());
            last.or_else(|| Some(StepKey { item: *target.items.first()?, path: LoopPath::default() }))
        }
    };
    let of_step = |at: &&StepKey| step.as_ref().is_some_and(|step| step.item == at.item);
    let positions: Vec<LoopPath> = steps
        .keys()
        .filter(of_step)
        .map(|step| step.path.clone())
        .filter(|path| !path.0.is_empty())
        .collect();
    let others = target.items.iter().copied().filter(|item| step.as_ref().is_some_and(|s| s.item != *item));
    let others = others.collect();
    let records = match &step {
        Some(step) => records(past, &validity, &numbers, step)?,
        None => Records::default(),
    };
    let named = target.path.is_some();
    Ok(Found { step, concept: target.concept, named, positions, others, records })
}

/// The step of the wanted ones that a record is about: its own, or the loop around it.
fn enclosing(graph: &Graph, wanted: &[ItemId], item: ItemId, path: &LoopPath) -> Option<StepKey> {
    if wanted.contains(&item) {
        return Some(StepKey { item, path: path.clone() });
    }
    let mut scope = graph.items.get(item.at())?.scope;
    let mut path = path.clone();
    while let Some(of) = graph.scope(scope).of {
        path.0.pop();
        if wanted.contains(&of) {
            return Some(StepKey { item: of, path });
        }
        scope = graph.scope(scope).parent?;
    }
    None
}

fn records(
    past: &Past,
    validity: &crate::run::replay::Validity,
    numbers: &Numbers<'_>,
    step: &StepKey,
) -> Result<Records, RunError> {
    let (mut found, mut decoder) = (Records::default(), Decoder::default());
    let failed = |seq, problem| RunError::Record { run: past.run.id().to_owned(), seq, problem };
    let mut reader = past.run.journal()?;
    let mut log = None;
    let mut open: BTreeMap<CallPlace, (u64, bool, Box<Question>)> = BTreeMap::new();
    while let Some(frame) = reader.next()? {
        if frame.kind == Kind::Redo {
            let record = decoder.read(frame.kind, frame.body, &mut &past.run);
            if let Record::Redo(entries) = record.map_err(|p| failed(frame.seq, p))? {
                let about = |what: &Redone| match what {
                    Redone::Item(item) => numbers.now(frame.seq, *item) == Some(step.item),
                    Redone::Step(one) | Redone::Retry(one) => {
                        one.path == step.path && numbers.now(frame.seq, one.item) == Some(step.item)
                    }
                    // Only what had come so far.
                    Redone::Above(round) => {
                        found.event.as_ref().is_some_and(|(_, e)| e.round > *round)
                            || found.before.last().is_some_and(|(_, e)| e.round > *round)
                    }
                };
                let seq = frame.seq;
                let reasons = entries.iter().filter(|e| about(&e.what)).map(|e| (seq, e.reason.clone()));
                let reasons: Vec<_> = reasons.collect();
                found.redone.extend(reasons);
            }
            continue;
        }
        let Some(about) = peek(frame.kind, frame.body) else { continue };
        if about.step.path != step.path || numbers.now(frame.seq, about.step.item) != Some(step.item) {
            continue;
        }
        let counts = validity.now(frame.seq, &about.step, about.round).is_some();
        let record = decoder.read(frame.kind, frame.body, &mut &past.run);
        match record.map_err(|problem| failed(frame.seq, problem))? {
            Record::Intent(intent) => found.tries.push(Try { seq: frame.seq, intent, ended: None, counts }),
            Record::Log(said) => log = Some(said),
            Record::Call(call) => {
                let counts = validity.call_now(frame.seq, &about.step, about.round).is_some();
                if open.get(&call.place).is_some_and(|(_, _, question)| question.effect == call.effect) {
                    open.remove(&call.place);
                }
                found.calls.push(Asked { seq: frame.seq, what: Exchange::Call(call), counts });
            }
            Record::Question(question) => {
                let counts = validity.call_now(frame.seq, &about.step, about.round).is_some();
                open.insert(question.place, (frame.seq, counts, question));
            }
            Record::Step(mut event) => {
                event.step.item = step.item;
                if let Some(last) = found.tries.last_mut() {
                    last.ended.get_or_insert(frame.seq);
                }
                if counts {
                    found.log = log.take();
                    found.event = Some((frame.seq, event));
                } else {
                    found.before.push((frame.seq, event));
                }
            }
            _ => {}
        }
    }
    if found.event.is_none() {
        found.log = log;
    }
    let open = open.into_values();
    found.calls.extend(open.map(|(seq, counts, asked)| Asked { seq, what: Exchange::Open(asked), counts }));
    found.calls.sort_by_key(|asked| asked.seq);
    Ok(found)
}
