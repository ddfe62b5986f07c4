//! A run that is written down, from its first record to its last.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::base::{Clock, Digest};
use crate::repo::ConceptId;
use crate::run::record::{
    Ending, Epoch, Intent, Kind, Mode, Record, Redo, RunInfo, Setting, Suspension, peek,
};
use crate::run::state::ApplyError;
use crate::run::{Event, Graph, Outcome, State, Status, StepKey, Stop, Watch};
use crate::store::index::{Indexer, LookUp, Lookup};
use crate::store::{Durability, Journal, JournalOptions, Recovery, RunDir, Store, StoreError, Tail};

use super::driver::{Driven, Options, run_recorded};
use super::past::RunError;
use super::people::{Desk, OpenQuestion};
use super::plan::Plan;
use super::recorder::{Reach, Recorder};
use super::resume::{Resumption, Unfinished};
use super::run_id::new_run_id;
use super::tools::Tools;

/// So many entries stand in one redo record.
const REDO_ENTRIES: usize = 256;
/// Reasons are cut at this many bytes, so that a record of them stays small.
const LONGEST_REASON: usize = 2000;

/// A run that goes on and is written down.
pub struct Session {
    run: RunDir,
    state: State,
    recorder: Recorder,
    indexer: Indexer,
    clock: Arc<dyn Clock>,
    unfinished: Unfinished,
    desk: Option<Box<dyn Desk>>,
}

/// A run after its last step.
pub struct Ended {
    /// How it ended.
    pub outcome: Outcome,
    /// Questions nobody has answered yet.
    pub questions: Vec<OpenQuestion>,
    /// The run's id.
    pub run_id: String,
    /// Where it is kept.
    pub path: PathBuf,
    /// Everything is on the disk; or why it is not, and then the outcome must not be relied on.
    pub record: Result<Closing, StoreError>,
}

/// What is left to do when everything is on the disk: the index.
pub struct Closing {
    indexer: Indexer,
    head: (u64, Digest),
    // The lock is held until the index is closed.
    _run: RunDir,
}

impl Closing {
    /// Closes the index.
    ///
    /// # Errors
    /// Why it is out of date; it will be made anew when it is needed.
    pub fn finish(self) -> Result<(), String> {
        self.indexer.close(self.head)
    }
}

/// How a run is written down.
#[derive(Clone)]
pub struct Keeping {
    /// What must have reached the disk before what.
    pub durability: Durability,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
}

impl Session {
    /// Begins a run: its directory, its plan, its first record.
    ///
    /// # Errors
    /// When the store refuses.
    pub fn begin(
        store: &Store,
        plan: &Plan,
        name: Option<&str>,
        keeping: &Keeping,
    ) -> Result<Self, RunError> {
        let run = store.create(&new_run_id())?;
        let setting = plan.setting();
        let epoch = keep_plan(&run, plan, &setting, Mode::Patch, keeping)?;
        let info = RunInfo { id: run.id().to_owned(), name: name.map(str::to_owned), epoch };
        // The first frame carries the run and the plan in its chain, so that journals cannot be exchanged.
        let first = Digest::of(format!("{}\n{}", info.id, info.epoch.plan).as_bytes());
        let indexer = Indexer::start(
            &run,
            Tail { seq: 0, digest: Digest::default(), segment: 1, offset: 0 },
            look_up(&plan.graph),
        );
        let journal = run.start(journal_options(keeping, first, &indexer))?;
        let state = State::new(Arc::clone(&plan.graph), plan.data.clone());
        let mut session =
            Self::with(run, state, journal, indexer, keeping, FxHashMap::default(), Unfinished::default());
        session.recorder.life(&Record::Run(info));
        // Nothing may depend on a run that a crash could take away.
        if keeping.durability != Durability::Kill {
            session.recorder.sync()?;
        }
        Ok(session)
    }

    /// Goes on with a run.
    ///
    /// # Errors
    /// When the store refuses.
    pub fn go_on(resumption: Resumption, keeping: &Keeping) -> Result<Self, RunError> {
        let Resumption { found, plan, setting, mode, redo, state, in_doubt, unfinished, .. } = resumption;
        let mut run = found.past.run;
        run.lock()?;
        let epoch = keep_plan(&run, &plan, &setting, mode, keeping)?;
        let indexer = Indexer::start(&run, found.tail, look_up(&plan.graph));
        let journal = run.go_on(&found.tail, journal_options(keeping, Digest::default(), &indexer))?;
        let mut session = Self::with(run, state, journal, indexer, keeping, in_doubt, unfinished);
        if let Recovery::Repaired { note, .. } = &found.recovery {
            session.recorder.life(&Record::Repaired(note.clone()));
        }
        for part in redo.chunks(REDO_ENTRIES) {
            let part = part.iter().map(|entry| Redo { reason: cut(&entry.reason), ..entry.clone() });
            session.recorder.life(&Record::Redo(part.collect()));
        }
        session.recorder.life(&Record::Resumed(epoch));
        if keeping.durability != Durability::Kill {
            session.recorder.sync()?;
        }
        Ok(session)
    }

    fn with(
        run: RunDir,
        state: State,
        journal: Journal,
        indexer: Indexer,
        keeping: &Keeping,
        tried: FxHashMap<StepKey, Intent>,
        unfinished: Unfinished,
    ) -> Self {
        let clock = Arc::clone(&keeping.clock);
        let recorder = Recorder::new(journal, run.id(), keeping.durability, Arc::clone(&clock), tried);
        Self { run, state, recorder, indexer, clock, unfinished, desk: None }
    }

    /// The run's id.
    pub fn run_id(&self) -> &str {
        self.run.id()
    }

    /// Where the run is kept.
    pub fn path(&self) -> &Path {
        self.run.path()
    }

    /// Settles a step by what a user said of it, before the run goes on.
    ///
    /// # Errors
    /// When the step is not open.
    pub fn tell(&mut self, event: &Event) -> Result<(), ApplyError> {
        self.state.apply(event)?;
        self.recorder.event(event, None, Some(Reach::Once));
        Ok(())
    }

    /// Puts the questions of steps to people; without a desk the run is suspended when nothing else can move.
    #[must_use]
    pub fn with_desk(mut self, desk: Box<dyn Desk>) -> Self {
        self.desk = Some(desk);
        self
    }

    /// Runs to the end, or until it is stopped; what happened is on the disk then.
    pub fn run(mut self, tools: &Arc<Tools>, options: &Options, watch: &mut dyn Watch) -> Ended {
        let Driven { outcome, questions, failure } =
            run_recorded(self.state, tools, options, watch, &mut self.recorder, self.desk, self.unfinished);
        let (run_id, path) = (self.run.id().to_owned(), self.run.path().to_path_buf());
        let record = match failure {
            Some(failure) => Err(failure),
            None => {
                self.recorder.life(&last_record(&outcome, self.clock.now_millis()));
                let (indexer, run) = (self.indexer, self.run);
                self.recorder.close().map(|head| Closing { indexer, head, _run: run })
            }
        };
        Ended { outcome, questions, run_id, path, record }
    }
}

/// The last record of a run, or of a part of it.
fn last_record(outcome: &Outcome, at: u64) -> Record {
    if outcome.status == Status::Interrupted {
        let reason = match &outcome.stop {
            Some(Stop::Signal(signal)) => signal_name(*signal),
            Some(Stop::Questions) => "questions".to_owned(),
            Some(Stop::Budget(_)) => "budget".to_owned(),
            Some(Stop::Limit) | None => "limit".to_owned(),
        };
        return Record::Suspended(Suspension { at, reason });
    }
    let tally = outcome.state.tally();
    Record::End(Ending {
        at,
        status: outcome.status.word().to_owned(),
        cycles: outcome.state.highest_round(),
        completed: tally.iter().map(|t| t.completed).sum(),
        skipped: tally.iter().map(|t| t.skipped).sum(),
    })
}

/// A signal as people know it.
pub fn signal_name(signal: i32) -> String {
    match signal {
        1 => "SIGHUP".to_owned(),
        2 => "SIGINT".to_owned(),
        15 => "SIGTERM".to_owned(),
        other => format!("signal {other}"),
    }
}

fn cut(reason: &str) -> String {
    let mut end = reason.len().min(LONGEST_REASON);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    reason[..end].to_owned()
}

/// Keeps the plan and what it is run with, and says so in an epoch.
fn keep_plan(
    run: &RunDir,
    plan: &Plan,
    setting: &Setting,
    mode: Mode,
    keeping: &Keeping,
) -> Result<Epoch, RunError> {
    Ok(Epoch {
        at: keeping.clock.now_millis(),
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        plan: run.put_plan(plan.document.as_bytes())?,
        setting: run.put_plan(&setting.to_bytes())?,
        name: plan.name.clone(),
        source: plan.source.clone(),
        base: plan.base.to_string_lossy().into_owned(),
        mode,
    })
}

pub(super) fn journal_options(keeping: &Keeping, first_prev: Digest, indexer: &Indexer) -> JournalOptions {
    JournalOptions {
        durability: keeping.durability,
        first_prev,
        on_written: Some(indexer.sink()),
        on_synced: None,
    }
}

/// What a frame is about, for the index.
pub(super) fn look_up(graph: &Graph) -> LookUp {
    let concepts: Vec<ConceptId> = graph.model.inferences.iter().map(|i| i.target).collect();
    Arc::new(move |kind: Kind, body: &[u8]| {
        let found = peek(kind, body)?;
        let concept = concepts.get(found.step.item.at()).copied().unwrap_or(ConceptId(u32::MAX));
        Some(Lookup { item: found.step.item.0, concept: concept.0, cycle: found.round })
    })
}
