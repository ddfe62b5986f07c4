//! Reading a journal back: the survey finds what says that earlier records no longer count, the replay folds those that
//! do (durability spec, section 6). Pure; who holds the frames hands them over one by one.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::base::Digest;

use super::event::{Event, Happening, SkipCause, StepKey};
use super::graph::ItemId;
use super::record::{
    Asked, Call, CallPlace, Decoder, Ending, Epoch, Fetch, Intent, Kind, Left, Record, RecordError, Redone,
    RunInfo, Setting, Suspension, call_spent, drop_cell,
};
use super::state::{ApplyError, State};
use super::watch::Spent;

/// What a journal says about its records as a whole. Built by handing it every frame in order.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// The first record.
    pub info: Option<RunInfo>,
    /// The resumptions, each with the number of its frame.
    pub resumed: Vec<(u64, Epoch)>,
    /// What does not count any more, each with the number of the frame that says so.
    pub redone: Vec<(u64, Redone)>,
    /// The last end, when nothing came after it but remarks.
    pub ending: Option<Ending>,
    /// The last suspension, when nothing came after it.
    pub suspension: Option<Suspension>,
    /// When anything was last written down with a time.
    pub last_time: u64,
    /// How many frames there are.
    pub frames: u64,
}

/// Gives no object: records about the run itself name none.
struct NoObjects;

impl Fetch for NoObjects {
    fn fetch(&mut self, _: &crate::base::Digest) -> Result<Vec<u8>, String> {
        Err("records about the run have no objects".to_owned())
    }
}

impl Survey {
    /// Looks at a frame.
    ///
    /// # Errors
    /// When a record about the run cannot be read.
    pub fn see(&mut self, seq: u64, kind: Kind, body: &[u8]) -> Result<(), RecordError> {
        self.frames += 1;
        if kind.is_of_step() {
            return Ok(());
        }
        match Decoder::default().read(kind, body, &mut NoObjects)? {
            Record::Run(info) => {
                self.last_time = info.epoch.at;
                self.info = Some(info);
            }
            Record::Resumed(epoch) => {
                (self.ending, self.suspension) = (None, None);
                self.last_time = epoch.at;
                self.resumed.push((seq, epoch));
            }
            Record::Redo(entries) => self.redone.extend(entries.into_iter().map(|entry| (seq, entry.what))),
            Record::End(ending) => {
                self.last_time = ending.at;
                self.ending = Some(ending);
            }
            Record::Suspended(suspension) => {
                self.last_time = suspension.at;
                self.suspension = Some(suspension);
            }
            _ => {}
        }
        Ok(())
    }

    /// With what the run last went.
    pub fn epoch(&self) -> Option<&Epoch> {
        self.resumed.last().map(|(_, epoch)| epoch).or(self.info.as_ref().map(|info| &info.epoch))
    }

    /// All epochs, in order.
    pub fn epochs(&self) -> impl Iterator<Item = &Epoch> {
        self.info.iter().map(|info| &info.epoch).chain(self.resumed.iter().map(|(_, epoch)| epoch))
    }
}

/// Which records of a journal count, and under which number their items stand now.
#[derive(Debug, Default)]
pub struct Validity {
    /// One an epoch.
    epochs: Vec<EpochCuts>,
    rounds: Vec<(u64, u32)>,
    /// Everything counts and nothing moved.
    plain: bool,
}

#[derive(Debug, Default)]
struct EpochCuts {
    /// The number of the frame that begins the next epoch.
    until: u64,
    /// How the items of this epoch are numbered in the next one.
    next: Setting,
    items: FxHashMap<ItemId, u64>,
    steps: FxHashMap<StepKey, u64>,
    /// Steps whose failures do not count, while their calls do.
    retries: FxHashMap<StepKey, u64>,
}

impl Validity {
    /// From what a journal says; `settings` are those of the resumptions, in order.
    pub fn new(survey: &Survey, settings: &[Setting]) -> Self {
        let mut epochs: Vec<EpochCuts> = survey
            .resumed
            .iter()
            .zip(settings)
            .map(|((seq, _), next)| {
                // Of a setting only the places of items are kept; start data may be large.
                let next = Setting { moved: next.moved.clone(), ..Setting::default() };
                EpochCuts { until: *seq, next, ..EpochCuts::default() }
            })
            .collect();
        epochs.push(EpochCuts { until: u64::MAX, ..EpochCuts::default() });
        let mut rounds = Vec::new();
        for (seq, what) in &survey.redone {
            let at = epochs.partition_point(|e| e.until <= *seq);
            let Some(cuts) = epochs.get_mut(at) else { continue };
            match what {
                Redone::Item(item) => drop(cuts.items.insert(*item, *seq)),
                Redone::Step(step) => drop(cuts.steps.insert(step.clone(), *seq)),
                Redone::Retry(step) => drop(cuts.retries.insert(step.clone(), *seq)),
                Redone::Above(round) => rounds.push((*seq, *round)),
            }
        }
        let plain = survey.redone.is_empty() && epochs.iter().all(|e| e.next.moved.is_none());
        Self { epochs, rounds, plain }
    }

    /// The item a record about a step counts for now; none when it does not count any more.
    pub fn now(&self, seq: u64, step: &StepKey, round: u32) -> Option<ItemId> {
        self.find(seq, step, round, true)
    }

    /// The item a call of a step, or a question, counts for now: those of a step that failed still do.
    pub fn call_now(&self, seq: u64, step: &StepKey, round: u32) -> Option<ItemId> {
        self.find(seq, step, round, false)
    }

    /// The item that stands now for the one of that number then, whether its records still count or not.
    fn item_now(&self, seq: u64, item: ItemId) -> Option<ItemId> {
        let later = self.epochs.iter().skip(self.epochs.partition_point(|e| e.until <= seq));
        later.into_iter().try_fold(item, |item, epoch| epoch.next.now(item))
    }

    fn find(&self, seq: u64, step: &StepKey, round: u32, as_result: bool) -> Option<ItemId> {
        if self.plain {
            return Some(step.item);
        }
        if self.rounds.iter().any(|(cut, above)| seq < *cut && round > *above) {
            return None;
        }
        let mut step = step.clone();
        for epoch in self.epochs.iter().skip(self.epochs.partition_point(|e| e.until <= seq)) {
            let retry = epoch.retries.get(&step).filter(|_| as_result);
            let cut = epoch.items.get(&step.item).max(epoch.steps.get(&step)).max(retry);
            if cut.is_some_and(|cut| seq < *cut) {
                return None;
            }
            step.item = epoch.next.now(step.item)?;
        }
        Some(step.item)
    }
}

/// Folds the records of a journal into a state.
#[derive(Debug)]
pub struct Replay {
    /// The state so far.
    pub state: State,
    /// Steps that were started and have not ended, by step; what a crash leaves in doubt.
    pub in_doubt: FxHashMap<StepKey, Intent>,
    /// Calls of steps that have not ended, in order: what their cells need not ask again.
    pub calls: FxHashMap<StepKey, Vec<Call>>,
    /// Questions of steps that have not ended; some of them may be answered by a call.
    pub asked: FxHashMap<StepKey, BTreeMap<CallPlace, Asked>>,
    /// Hashes of the texts that steps have written into files.
    pub written: Vec<Digest>,
    /// Files that steps have written, in order.
    pub wrote: Vec<Wrote>,
    /// What models cost so far, with calls that no longer count.
    pub spent: Spent,
    /// The same by item, as the items are numbered now.
    pub spent_by: BTreeMap<ItemId, Spent>,
    /// Events that were folded.
    pub applied: u64,
    /// Events that no longer count, or no longer fit.
    pub dropped: u64,
    /// Failures that were left out, for their steps are to be tried again.
    pub failed: Vec<StepKey>,
    retry: bool,
    validity: Validity,
    decoder: Decoder,
}

/// A file that a cell of a step has written.
#[derive(Debug, Clone)]
pub struct Wrote {
    /// The step.
    pub step: StepKey,
    /// Its cell.
    pub cell: u32,
    /// Its round.
    pub round: u32,
    /// The folder that several files were written to.
    pub folder: Option<Arc<str>>,
    /// The file, as it was named.
    pub path: Arc<str>,
}

/// Why a journal cannot be folded.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReplayError {
    /// A record that is none.
    #[error("frame {0}: {1}")]
    Record(u64, RecordError),
    /// An event that does not follow from what came before it.
    #[error("frame {0}: {1}")]
    Apply(u64, ApplyError),
    /// An item the plan does not have.
    #[error("frame {0}: the plan has no inference of that number")]
    Item(u64),
}

impl Replay {
    /// Begins with the state before the first step.
    pub fn new(state: State, validity: Validity) -> Self {
        Self {
            state,
            in_doubt: FxHashMap::default(),
            calls: FxHashMap::default(),
            asked: FxHashMap::default(),
            written: Vec::new(),
            wrote: Vec::new(),
            spent: Spent::default(),
            spent_by: BTreeMap::new(),
            applied: 0,
            dropped: 0,
            failed: Vec::new(),
            retry: false,
            validity,
            decoder: Decoder::default(),
        }
    }

    /// Leaves failures out, so that their steps can start again (runtime spec, section 12).
    #[must_use]
    pub fn retrying(mut self) -> Self {
        self.retry = true;
        self
    }

    /// Folds one frame, in the order of the journal.
    ///
    /// # Errors
    /// When the frame is no record, or does not follow from those before it.
    pub fn fold(
        &mut self,
        seq: u64,
        kind: Kind,
        body: &[u8],
        fetch: &mut dyn Fetch,
    ) -> Result<(), ReplayError> {
        let is_event = match kind {
            Kind::Result | Kind::Failed | Kind::Skipped => true,
            Kind::Intent | Kind::Question => false,
            Kind::Call => {
                if let Some(spent) = call_spent(body) {
                    self.spent.add(&spent);
                    let found = super::record::peek(kind, body);
                    if let Some(item) = found.and_then(|found| self.validity.item_now(seq, found.step.item)) {
                        self.spent_by.entry(item).or_default().add(&spent);
                    }
                }
                false
            }
            _ => return Ok(()),
        };
        if !self.validity.plain {
            // What does not count is not read: its objects may be gone.
            let Some(found) = super::record::peek(kind, body) else { return Ok(()) };
            let of_call = matches!(kind, Kind::Call | Kind::Question);
            if self.validity.find(seq, &found.step, found.round, !of_call).is_none() {
                self.dropped += u64::from(is_event);
                return Ok(());
            }
        }
        let read = self.decoder.read(kind, body, fetch);
        match read.map_err(|error| ReplayError::Record(seq, error))? {
            Record::Intent(mut intent) => {
                self.translate(seq, &mut intent.step, intent.round)?;
                self.in_doubt.insert(intent.step.clone(), intent);
            }
            Record::Step(mut event) => {
                self.translate(seq, &mut event.step, event.round)?;
                if !self.validity.plain {
                    self.translate_cause(seq, &mut event);
                }
                if !self.in_doubt.is_empty() {
                    self.in_doubt.remove(&event.step);
                }
                let again = self.retry && kind == Kind::Failed;
                let has_calls = !self.calls.is_empty() || !self.asked.is_empty();
                if has_calls && !again {
                    self.calls.remove(&event.step);
                    self.asked.remove(&event.step);
                }
                if again {
                    self.failed.push(event.step);
                    return Ok(());
                }
                match self.state.apply(&event) {
                    Ok(()) => self.applied += 1,
                    // Where records were taken out, some that are left may have lost what they stood on.
                    Err(_) if !self.validity.plain => self.dropped += 1,
                    Err(error) => return Err(ReplayError::Apply(seq, error)),
                }
                drop(self.state.take_news());
            }
            Record::Call(mut call) => {
                self.translate_call(seq, &mut call.step, call.round)?;
                self.written.extend(call.written());
                let (step, round, cell) = (&call.step, call.round, call.place.cell);
                self.wrote.extend(call.wrote().into_iter().map(|(folder, path)| Wrote {
                    step: step.clone(),
                    cell,
                    round,
                    folder,
                    path,
                }));
                if call.left == Left::Failed
                    && let Some(asked) = self.asked.get_mut(&call.step)
                {
                    // A new try begins the cell anew, and asks its questions anew: their time begins again, too.
                    drop_cell(asked, call.place.cell);
                }
                self.calls.entry(call.step.clone()).or_default().push(*call);
            }
            Record::Question(mut asked) => {
                self.translate_call(seq, &mut asked.step, asked.round)?;
                self.asked.entry(asked.step.clone()).or_default().insert(asked.place, *asked);
            }
            _ => {}
        }
        Ok(())
    }

    /// The item a gate counts for now.
    fn translate_cause(&self, seq: u64, event: &mut Event) {
        let Happening::Skipped(cause) = &mut event.what else { return };
        match cause {
            SkipCause::Gate(gate) => {
                let step = StepKey { item: *gate, path: event.step.path.clone() };
                *gate = self.validity.now(seq, &step, event.round).unwrap_or(event.step.item);
            }
            // Concepts have other numbers in another plan; the step's own value stands for the one that was skipped.
            SkipCause::Input(concept) => {
                *concept = self.state.graph().inference(event.step.item).target;
            }
            SkipCause::Told => {}
        }
    }

    fn translate_call(&self, seq: u64, step: &mut StepKey, round: u32) -> Result<(), ReplayError> {
        step.item = self.validity.call_now(seq, step, round).unwrap_or(step.item);
        let known = step.item.at() < self.state.graph().items.len();
        known.then_some(()).ok_or(ReplayError::Item(seq))
    }

    fn translate(&self, seq: u64, step: &mut StepKey, round: u32) -> Result<(), ReplayError> {
        step.item = self.validity.now(seq, step, round).unwrap_or(step.item);
        let known = step.item.at() < self.state.graph().items.len();
        known.then_some(()).ok_or(ReplayError::Item(seq))
    }
}
