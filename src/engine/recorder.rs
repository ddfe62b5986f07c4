//! Writes down what happens, before anything outside can depend on it (durability spec, section 4). Knows the order of
//! writes, not how they reach the disk.
//!
//! What is recorded goes to the journal's buffer at once. Three levels of what must be on its way before what:
//!
//! | durability | before a script starts | before a result counts |
//! |---|---|---|
//! | grouped, kill | its intent is written | pure steps: nothing, for a kill takes them together with all that saw them; scripts: written |
//! | strict | its intent is synced | synced |
//! | grouped, step with calls of models, people or programs | its intent and its calls so far are synced | synced |
//! | any, step of class once | its intent is synced | synced |

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use crate::base::{Clock, Digest, Writer};
use crate::run::record::{
    Asked, Call, Intent, Keep, Kind, Record, Redo, Redone, write_asked, write_call, write_event,
    write_intent, write_log,
};
use crate::run::{CallLog, Event, StepKey};
use crate::store::{Durability, Journal, StoreError};

use super::cells::Made;

/// The buffer is written when it holds this much,
const FULL: usize = 64 << 10;
/// or when its oldest record has waited this long.
const OLD: Duration = Duration::from_millis(5);

impl Keep for Journal {
    fn keep(&mut self, bytes: Vec<u8>) -> Digest {
        self.object(bytes)
    }
}

/// The journal of a run, as the driver sees it.
pub(super) struct Recorder {
    journal: Journal,
    run: Arc<str>,
    durability: Durability,
    clock: Arc<dyn Clock>,
    scratch: Writer,
    /// Tries of steps that were started before and did not end.
    tried: FxHashMap<StepKey, Intent>,
    waiting_since: Option<Instant>,
    /// How often it was asked to keep up.
    asked: u32,
    need: Need,
}

/// How far the calls of a step reach, and so what their records must have reached before anything else starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// Scripts and files.
    Script,
    /// Models, people, programs: somebody else has seen them.
    Outside,
    /// Must never happen twice.
    Once,
}

/// What the records so far must reach before anything else starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    Nothing,
    Written,
    Synced,
}

impl Recorder {
    /// Records to a journal. `tried` holds the intents of steps that were interrupted.
    pub(super) fn new(
        journal: Journal,
        run: &str,
        durability: Durability,
        clock: Arc<dyn Clock>,
        tried: FxHashMap<StepKey, Intent>,
    ) -> Self {
        Self {
            journal,
            run: Arc::from(run),
            durability,
            clock,
            scratch: Writer::default(),
            tried,
            waiting_since: None,
            asked: 0,
            need: Need::Nothing,
        }
    }

    /// The run's id.
    pub(super) fn run(&self) -> &Arc<str> {
        &self.run
    }

    fn append(&mut self, kind: Kind) {
        self.journal.append(kind, &self.scratch.bytes);
        self.scratch.bytes.clear();
        if self.durability == Durability::Strict {
            self.need = Need::Synced;
        }
        if self.waiting_since.is_none() {
            self.waiting_since = Some(Instant::now());
        }
    }

    /// What was recorded so far must have come as far as calls of this reach need.
    pub(super) fn require(&mut self, reach: Reach) {
        let need = match reach {
            Reach::Once => Need::Synced,
            Reach::Outside if self.durability != Durability::Kill => Need::Synced,
            Reach::Outside | Reach::Script => Need::Written,
        };
        self.need = self.need.max(need);
    }

    /// A step's calls are about to be made; they may be once [`Recorder::settle`] has returned.
    pub(super) fn intent(&mut self, step: &StepKey, round: u32, key: Digest, reach: Reach) {
        let attempt = self.tried.get(step).map_or(1, |tried| tried.attempt.saturating_add(1));
        let intent = Intent {
            step: step.clone(),
            round,
            at: self.clock.now_millis(),
            attempt,
            key,
            once: reach == Reach::Once,
        };
        write_intent(&mut self.scratch, &intent);
        self.append(Kind::Intent);
        self.require(reach);
    }

    /// A step that was announced does not come to its end in this process; what its cells were told stays.
    pub(super) fn take_back(&mut self, step: StepKey, reason: &str) {
        let reason = reason.to_owned();
        self.life(&Record::Redo(vec![Redo { what: Redone::Retry(step), reason }]));
    }

    /// A call of a step came back.
    pub(super) fn call(&mut self, step: &StepKey, round: u32, made: Made) {
        let Made { place, effect, answer, time, model, left } = made;
        let (method, args) = effect.described();
        let call = Call {
            step: step.clone(),
            round,
            place,
            at: self.clock.now_millis(),
            micros: u64::try_from(time.as_micros()).unwrap_or(u64::MAX),
            left,
            effect: effect.digest(),
            model: model.map(|model| *model),
            method: method.to_owned(),
            args,
            answer,
        };
        write_call(&mut self.scratch, &call, &mut self.journal);
        self.append(Kind::Call);
        self.require(if effect.is_outside() { Reach::Outside } else { Reach::Script });
    }

    /// A person is about to be asked.
    pub(super) fn asked(&mut self, asked: &Asked) {
        write_asked(&mut self.scratch, asked, &mut self.journal);
        self.append(Kind::Question);
        self.require(Reach::Outside);
    }

    /// The time of day.
    pub(super) fn now(&self) -> u64 {
        self.clock.now_millis()
    }

    /// An event was applied. `called` says that calls were made, and how far they reach.
    pub(super) fn event(&mut self, event: &Event, log: Option<&CallLog>, called: Option<Reach>) {
        if let Some(log) =
            log.filter(|log| !log.outputs.is_empty() || !log.warnings.is_empty() || called.is_some())
        {
            let now = self.clock.now_millis();
            write_log(&mut self.scratch, &event.step, event.round, now, log, &mut self.journal);
            self.append(Kind::Log);
        }
        let kind = write_event(&mut self.scratch, event, &mut self.journal);
        self.append(kind);
        if let Some(reach) = called {
            self.require(reach);
        }
    }

    /// A record about the run itself.
    pub(super) fn life(&mut self, record: &Record) {
        if let Some((kind, body)) = record.life_body() {
            self.scratch.bytes = body;
            self.append(kind);
        }
    }

    /// Brings the records so far to the level that what comes next needs.
    ///
    /// # Errors
    /// When that cannot be done. Nothing more is written then.
    pub(super) fn settle(&mut self) -> Result<(), StoreError> {
        match std::mem::replace(&mut self.need, Need::Nothing) {
            Need::Nothing => Ok(()),
            Need::Written => self.write(),
            Need::Synced => self.sync(),
        }
    }

    /// Writes when there is much to write, or when it has waited for long. Called often.
    ///
    /// # Errors
    /// As [`Recorder::settle`].
    pub(super) fn keep_up(&mut self) -> Result<(), StoreError> {
        self.asked = self.asked.wrapping_add(1);
        // A look at the clock costs as much as a small step.
        let old =
            || self.asked.is_multiple_of(64) && self.waiting_since.is_some_and(|since| since.elapsed() > OLD);
        if self.journal.unwritten() >= FULL || old() { self.write() } else { Ok(()) }
    }

    /// Writes everything so far, as before a wait for scripts. The journal's own thread syncs it, at once or with what
    /// comes within its few milliseconds; a sync for every wait would cost more than a small script.
    ///
    /// # Errors
    /// As [`Recorder::settle`].
    pub(super) fn write(&mut self) -> Result<(), StoreError> {
        self.waiting_since = None;
        self.journal.write()?;
        // The thread that syncs may have failed in the meantime.
        self.journal.failure().map_or(Ok(()), Err)
    }

    /// Everything so far is on the disk.
    ///
    /// # Errors
    /// As [`Recorder::settle`].
    pub(super) fn sync(&mut self) -> Result<(), StoreError> {
        self.waiting_since = None;
        self.journal.sync()
    }

    /// Ends the recording: everything is on the disk. Returns the number and the hash of the last frame.
    ///
    /// # Errors
    /// As [`Recorder::settle`].
    pub(super) fn close(self) -> Result<(u64, Digest), StoreError> {
        self.journal.close()
    }
}
