//! Going on with a stored run (durability spec, section 6; runtime spec, section 15.3): what still holds, what must be
//! done again and why, what is in doubt. Everything is weighed before anything is written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::base::Digest;
use crate::repo::{ConceptId, Model};
use crate::run::record::{
    Asked, Call, CallPlace, Epoch, Intent, Mode, RecordError, Redo, Redone, Setting, peek,
};
use crate::run::replay::{Replay, ReplayError, Validity, Wrote};
use crate::run::stale::{Comparison, compare};
use crate::run::{ItemId, Outcome, Spent, State, StepKey, StepTime, initial_values};
use crate::store::{Recovery, RunDir, Tail, Torn, Visitor, recover};

use super::past::{Past, RunError, Surveyor};
use super::plan::Plan;

/// What an earlier process left of steps that have not ended.
#[derive(Debug, Default)]
pub(super) struct Unfinished {
    /// Calls that came back.
    pub(super) calls: FxHashMap<StepKey, Vec<Call>>,
    /// Questions that were put to people.
    pub(super) asked: FxHashMap<StepKey, BTreeMap<CallPlace, Asked>>,
    /// Hashes of texts that steps have written into files.
    pub(super) written: Vec<Digest>,
    /// Files that steps have written, in order.
    pub(super) wrote: Vec<Wrote>,
    /// What models have cost.
    pub(super) spent: Spent,
    /// The same by item.
    pub(super) spent_by: BTreeMap<ItemId, Spent>,
}

/// A stored run that this process has to itself, whole or made whole again.
#[derive(Debug)]
pub struct Found {
    /// The run.
    pub past: Past,
    /// Where its journal ends.
    pub tail: Tail,
    /// What had to be done to its journal.
    pub recovery: Recovery,
}

impl Found {
    /// Takes a run: locks it, reads and verifies its journal, and repairs what can be repaired.
    ///
    /// # Errors
    /// When another process works on it, or it is damaged beyond repair.
    pub fn take(mut run: RunDir) -> Result<Self, RunError> {
        run.lock_quietly()?;
        let mut surveyor = Surveyor::default();
        let (tail, recovery) = recover(&run, &mut surveyor)?;
        let past = surveyor.past(run)?;
        past.info()?;
        Ok(Self { past, tail, recovery })
    }

    /// A loss of power may keep a record and lose the object it names, as long as neither was safe: then the journal
    /// ends before that record.
    fn without_lost_objects(self, error: RunError) -> Result<Self, RunError> {
        let lost = match &error {
            RunError::Replay { problem: ReplayError::Record(seq, RecordError::Object(..)), .. } => *seq,
            _ => return Err(error),
        };
        let Self { past: Past { run, .. }, .. } = self;
        let mut reader = run.journal()?;
        while reader.next()?.is_some() {}
        let (safe, whole) = (reader.safe(), reader.tail());
        if lost <= safe {
            return Err(error);
        }
        let mut surveyor = Surveyor::default();
        let mut reader = run.journal()?;
        let mut tail = reader.tail();
        while let Some(frame) = reader.next()? {
            if frame.seq >= lost {
                break;
            }
            surveyor.frame(&frame);
            tail = reader.tail();
        }
        let file = run.segment(tail.segment);
        let bytes = if whole.segment == tail.segment { whole.offset - tail.offset } else { 0 };
        let recovery = Recovery::Cut(Torn { file, offset: tail.offset, bytes });
        Ok(Self { past: surveyor.past(run)?, tail, recovery })
    }
}

/// How a run is to be gone on with.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// What happens to results under a changed plan.
    pub mode: Mode,
    /// Everything of a round above this one is done again.
    pub from_cycle: Option<u32>,
}

/// What going on with a run means, before it is done.
#[derive(Debug)]
pub struct Resumption {
    pub(super) found: Found,
    pub(super) plan: Plan,
    pub(super) setting: Setting,
    pub(super) mode: Mode,
    /// What will be written about records that no longer count.
    pub(super) redo: Vec<Redo>,
    /// The state to go on from.
    pub(super) state: State,
    /// Steps that were started and whose end is not known.
    pub(super) in_doubt: FxHashMap<StepKey, Intent>,
    /// What the cells of unfinished steps have done so far.
    pub(super) unfinished: Unfinished,
    /// What a person should know, in plain words.
    pub reasons: Vec<Again>,
    /// Results that were kept although what they were made from has changed.
    pub outdated: Vec<String>,
    /// Events that are kept.
    pub kept: u64,
}

/// An inference whose steps run again, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Again {
    /// Flow index and concept, or a step.
    pub what: String,
    /// Why.
    pub reason: String,
}

impl Resumption {
    /// Weighs what going on with a run under a plan means. Writes nothing.
    ///
    /// # Errors
    /// When what the run kept cannot be read or does not fit together.
    pub fn weigh(mut found: Found, plan: Plan, wish: &Wish) -> Result<Self, RunError> {
        loop {
            match Weighed::of(&found, plan.clone(), wish) {
                Ok(weighed) => return Ok(weighed.with(found, wish.mode)),
                Err(error) => found = found.without_lost_objects(error)?,
            }
        }
    }

    /// What models have cost so far.
    pub fn spent(&self) -> Spent {
        self.unfinished.spent
    }

    /// The run.
    pub fn run_id(&self) -> &str {
        self.found.past.run.id()
    }

    /// What had to be done to the journal.
    pub fn recovery(&self) -> &Recovery {
        &self.found.recovery
    }

    /// The plan as it will be run.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Returns whether nothing is left to do: the result is there.
    pub fn is_complete(&self) -> bool {
        self.state.is_complete() && self.redo.is_empty()
    }

    /// The state to go on from.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// A run with nothing left to do, as it ended: with what models have cost, and no time of this process.
    pub fn into_outcome(self) -> Outcome {
        let Unfinished { spent, spent_by, .. } = self.unfinished;
        let times = vec![StepTime::default(); self.state.graph().items.len()];
        let mut outcome = Outcome::of(self.state, None, times, Duration::ZERO);
        outcome.spent = spent;
        for (item, spent) in spent_by {
            if let Some(times) = outcome.times.get_mut(item.at()) {
                times.spent = spent;
            }
        }
        outcome
    }

    /// Steps that were interrupted, in the order of the plan, with what is known of them.
    pub fn interrupted(&self) -> Vec<&Intent> {
        let mut intents: Vec<&Intent> = self.in_doubt.values().collect();
        intents.sort_by(|a, b| a.step.cmp(&b.step));
        intents
    }

    /// A step as printed, with its concept.
    pub fn name(&self, step: &StepKey) -> String {
        named(&self.plan, step)
    }
}

/// What there is to know about going on with a run.
struct Weighed {
    plan: Plan,
    setting: Setting,
    redo: Vec<Redo>,
    reasons: Vec<Again>,
    outdated: Vec<String>,
    replay: Replay,
}

impl Weighed {
    fn of(found: &Found, mut plan: Plan, wish: &Wish) -> Result<Self, RunError> {
        let past = &found.past;
        let epoch = past.epoch()?.clone();
        let mut setting = plan.setting();
        let (mut redo, mut reasons, mut outdated) = (Vec::new(), Vec::new(), Vec::new());
        let before_setting = past.setting(&epoch)?;
        let same = epoch.plan == plan.digest()
            && before_setting.inputs == setting.inputs
            && before_setting.files == setting.files
            && before_setting.paradigms == setting.paradigms;
        if same {
            // Start data may be large, and one copy of them is enough while the journal is read.
            drop(before_setting);
        } else {
            let before = past.plan(&epoch)?;
            keep_data(&mut plan, &before, wish.mode)
                .map_err(|problem| RunError::Plan { run: past.run.id().to_owned(), problem })?;
            setting.inputs = Arc::clone(&plan.inputs);
            let comparison = compare(before.version(&before_setting), plan.version(&setting), wish.mode);
            if !comparison.is_in_place() {
                setting.set_moved(&comparison.now);
            }
            if wish.mode == Mode::Patch {
                let ran = items_that_ran(past)?;
                (redo, reasons) = redo_of(&comparison, &before, &plan, &ran);
            } else {
                outdated = outdated_of(&comparison, &plan);
                redo = gone_of(&comparison);
            }
        }
        if let Some(round) = wish.from_cycle {
            let reason = format!("to go on from cycle {round}");
            reasons.push(Again { what: format!("everything after cycle {round}"), reason: reason.clone() });
            redo.push(Redo { what: Redone::Above(round), reason });
        }
        let validity = validity_with(past, &found.tail, &redo, &setting, &epoch)?;
        let fresh = State::new(Arc::clone(&plan.graph), plan.data.clone());
        let replay =
            past.fold(Replay::new(fresh, validity).retrying(), found.tail.seq + 1, &mut |_, _| {})?;
        for step in &replay.failed {
            let reason = "it failed before".to_owned();
            reasons.push(Again { what: named(&plan, step), reason: reason.clone() });
            // Records that no longer count are named by the numbers of the epoch they end.
            if let Some(item) = setting.before(step.item) {
                let step = StepKey { item, path: step.path.clone() };
                redo.push(Redo { what: Redone::Retry(step), reason });
            }
        }
        Ok(Self { plan, setting, redo, reasons, outdated, replay })
    }

    fn with(self, found: Found, mode: Mode) -> Resumption {
        let Self { plan, setting, redo, reasons, outdated, replay } = self;
        let Replay { state, in_doubt, calls, asked, written, wrote, spent, spent_by, applied: kept, .. } =
            replay;
        let unfinished = Unfinished { calls, asked, written, wrote, spent, spent_by };
        Resumption { found, plan, setting, mode, redo, state, in_doubt, unfinished, reasons, outdated, kept }
    }
}

fn named(plan: &Plan, step: &StepKey) -> String {
    format!("{} `{}`", plan.graph.step_name(step), plan.graph.item_name(step.item))
}

/// The validity of the records as it will be once the redo records and the new epoch are written.
fn validity_with(
    past: &Past,
    tail: &Tail,
    redo: &[Redo],
    setting: &Setting,
    epoch: &Epoch,
) -> Result<Validity, RunError> {
    let mut survey = past.survey.clone();
    let mut settings = past.settings()?;
    survey.redone.extend(redo.iter().map(|entry| (tail.seq + 1, entry.what.clone())));
    survey.resumed.push((tail.seq + 2, epoch.clone()));
    settings.push(setting.clone());
    Ok(Validity::new(&survey, &settings))
}

/// Which items of the last epoch have records that count.
fn items_that_ran(past: &Past) -> Result<BTreeSet<ItemId>, RunError> {
    let validity = past.validity()?;
    let mut ran = BTreeSet::new();
    let mut reader = past.run.journal()?;
    while let Some(frame) = reader.next()? {
        if let Some(found) = peek(frame.kind, frame.body) {
            ran.extend(validity.now(frame.seq, &found.step, found.round));
        }
    }
    Ok(ran)
}

/// Old data that win over new ones, by mode (runtime spec, section 15.3).
fn keep_data(plan: &mut Plan, before: &Plan, mode: Mode) -> Result<(), String> {
    if mode == Mode::Patch {
        return Ok(());
    }
    let mut model: Model = (*plan.graph.model).clone();
    let old: FxHashMap<&str, ConceptId> = before
        .graph
        .model
        .concepts
        .iter()
        .enumerate()
        .map(|(i, c)| (&*c.name, ConceptId(i as u32)))
        .collect();
    let mut changed = false;
    for concept in &mut model.concepts {
        let Some(was) = old.get(&*concept.name).and_then(|id| before.graph.model.concepts.get(id.0 as usize))
        else {
            continue;
        };
        let keeps = mode == Mode::Overwrite || concept.data.is_none();
        if keeps && (&concept.data, &concept.axes) != (&was.data, &was.axes) {
            changed = true;
            concept.data.clone_from(&was.data);
            concept.axes.clone_from(&was.axes);
            Arc::make_mut(&mut plan.inputs).extend(concept.as_input());
        }
    }
    if changed {
        plan.data =
            initial_values(&model).map_err(|bad| bad.first().map(ToString::to_string).unwrap_or_default())?;
        plan.graph = Arc::new(crate::run::Graph::new(Arc::new(model)));
    }
    Ok(())
}

/// The redo records of a changed plan, and what to say about them: only of inferences that ran.
fn redo_of(
    comparison: &Comparison,
    before: &Plan,
    now: &Plan,
    ran: &BTreeSet<ItemId>,
) -> (Vec<Redo>, Vec<Again>) {
    let (mut redo, mut again) = (Vec::new(), Vec::new());
    for (i, place) in comparison.now.iter().enumerate() {
        let was = ItemId(i as u32);
        let reason = match place {
            None => Some("it is not in the plan any more".to_owned()),
            Some(now) => comparison.stale.get(now.at()).and_then(Option::as_ref).map(ToString::to_string),
        };
        let Some(reason) = reason.filter(|_| ran.contains(&was)) else { continue };
        let (plan, item) = place.map_or((before, was), |item| (now, item));
        let inference = plan.graph.inference(item);
        again.push(Again {
            what: format!("{} `{}`", inference.flow, plan.graph.item_name(item)),
            reason: reason.clone(),
        });
        redo.push(Redo { what: Redone::Item(was), reason });
    }
    (redo, again)
}

/// Only what the plan does not have any more.
fn gone_of(comparison: &Comparison) -> Vec<Redo> {
    let gone = comparison.now.iter().enumerate().filter(|(_, now)| now.is_none());
    gone.map(|(i, _)| Redo {
        what: Redone::Item(ItemId(i as u32)),
        reason: "it is not in the plan any more".to_owned(),
    })
    .collect()
}

/// What is kept although a comparison by content would do it again.
fn outdated_of(comparison: &Comparison, plan: &Plan) -> Vec<String> {
    let kept: BTreeSet<ItemId> = comparison.now.iter().flatten().copied().collect();
    let stale = comparison.stale.iter().enumerate();
    stale
        .filter_map(|(i, reason)| Some((ItemId(i as u32), reason.as_ref()?)))
        .filter(|(item, _)| kept.contains(item))
        .map(|(item, reason)| {
            format!("{} `{}`: {reason}", plan.graph.inference(item).flow, plan.graph.item_name(item))
        })
        .collect()
}
