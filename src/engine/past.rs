//! A stored run, read: what its journal says as a whole, the plans it went with, and its state at any frame. Writes
//! nothing, and works from the journal and the objects alone.

use std::path::Path;
use std::sync::Arc;

use crate::base::Digest;
use crate::diag::Diagnostic;
use crate::repo::{Inputs, ReadBack, read_document};
use crate::run::record::{Epoch, Fetch, RecordError, RunInfo, Setting};
use crate::run::replay::{Replay, ReplayError, Survey, Validity};
use crate::run::{BadData, State};
use crate::store::{Frame, RunDir, StoreError, Visitor};

use super::plan::Plan;

/// Why a stored run cannot be read, continued or written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RunError {
    /// The store's own troubles.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A frame that is sound but says nonsense.
    #[error("run `{run}` cannot be read: frame {seq}: {problem}")]
    Record {
        /// The run.
        run: String,
        /// The frame.
        seq: u64,
        /// What is wrong.
        problem: RecordError,
    },
    /// The records do not follow from each other under the plan.
    #[error("run `{run}` cannot be put together again: {problem}")]
    Replay {
        /// The run.
        run: String,
        /// What does not fit.
        problem: ReplayError,
    },
    /// The journal has no first record: the run was stopped before it began.
    #[error("run `{run}` was stopped before its first step was written down")]
    Empty {
        /// The run.
        run: String,
    },
    /// What the run kept of its plan cannot be read.
    #[error("the plan that run `{run}` kept cannot be read: {problem}")]
    Plan {
        /// The run.
        run: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl RunError {
    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.help(),
            Self::Empty { run } => Some(format!(
                "there is nothing to go on from: start the plan again, and remove the rest with `normc runs rm {run}`"
            )),
            Self::Record { .. } | Self::Replay { .. } | Self::Plan { .. } => Some(
                "`normc runs verify` says what is damaged; a copy of the run directory may be whole"
                    .to_owned(),
            ),
        }
    }
}

/// A stored run, as far as its journal was read.
#[derive(Debug)]
pub struct Past {
    /// Where it stands.
    pub run: RunDir,
    /// What its journal says as a whole.
    pub survey: Survey,
}

impl Fetch for &RunDir {
    fn fetch(&mut self, digest: &Digest) -> Result<Vec<u8>, String> {
        self.get_object(digest).map_err(|error| error.to_string())
    }
}

/// Builds a survey from frames as they come.
#[derive(Default)]
pub(super) struct Surveyor {
    pub(super) survey: Survey,
    pub(super) failure: Option<(u64, RecordError)>,
}

impl Visitor for Surveyor {
    fn frame(&mut self, frame: &Frame<'_>) {
        if self.failure.is_none()
            && let Err(problem) = self.survey.see(frame.seq, frame.kind, frame.body)
        {
            self.failure = Some((frame.seq, problem));
        }
    }

    fn restart(&mut self) {
        *self = Self::default();
    }
}

impl Surveyor {
    pub(super) fn past(self, run: RunDir) -> Result<Past, RunError> {
        if let Some((seq, problem)) = self.failure {
            return Err(RunError::Record { run: run.id().to_owned(), seq, problem });
        }
        Ok(Past { run, survey: self.survey })
    }
}

impl Past {
    /// Reads a run, whether anybody works on it or not.
    ///
    /// # Errors
    /// When its journal is damaged or cannot be read.
    pub fn read(run: RunDir) -> Result<Self, RunError> {
        let mut surveyor = Surveyor::default();
        let mut reader = run.journal()?;
        while let Some(frame) = reader.next()? {
            surveyor.frame(&frame);
        }
        surveyor.past(run)
    }

    /// The first record.
    ///
    /// # Errors
    /// When the journal has none.
    pub fn info(&self) -> Result<&RunInfo, RunError> {
        self.survey.info.as_ref().ok_or_else(|| RunError::Empty { run: self.run.id().to_owned() })
    }

    /// With what the run last went.
    ///
    /// # Errors
    /// When the journal has no first record.
    pub fn epoch(&self) -> Result<&Epoch, RunError> {
        self.survey.epoch().ok_or_else(|| RunError::Empty { run: self.run.id().to_owned() })
    }

    /// What an epoch was run with.
    ///
    /// # Errors
    /// When it is not there any more, or no setting.
    pub fn setting(&self, epoch: &Epoch) -> Result<Setting, RunError> {
        let bytes = self.run.get_plan(&epoch.setting)?;
        Setting::from_bytes(&bytes).map_err(|error| self.bad_plan(error.to_string()))
    }

    fn bad_plan(&self, problem: String) -> RunError {
        RunError::Plan { run: self.run.id().to_owned(), problem }
    }

    /// The plan of an epoch as the run kept it, without start data from outside; with its text.
    ///
    /// # Errors
    /// When it cannot be read back.
    pub fn document(&self, epoch: &Epoch) -> Result<(ReadBack, Arc<str>), RunError> {
        let text = String::from_utf8(self.run.get_plan(&epoch.plan)?)
            .map_err(|_| self.bad_plan("it is not UTF-8".to_owned()))?;
        let read = read_document(&text).map_err(|found| self.not_a_plan(&found))?;
        Ok((read, Arc::from(text)))
    }

    fn not_a_plan(&self, found: &[Diagnostic]) -> RunError {
        self.bad_plan(found.first().map_or_else(String::new, |d| d.message.clone()))
    }

    /// The plan of an epoch with its start data, as it was run.
    ///
    /// # Errors
    /// When it cannot be read back.
    pub fn plan(&self, epoch: &Epoch) -> Result<Plan, RunError> {
        let setting = self.setting(epoch)?;
        let (read, text) = self.document(epoch)?;
        let mut model = read.loaded.model;
        let mut inputs = Inputs::default();
        let given = Arc::unwrap_or_clone(setting.inputs);
        inputs.add_entries(given.clone()).map_err(|found| self.not_a_plan(&found))?;
        inputs.apply(&mut model).map_err(|found| self.not_a_plan(&found))?;
        let bad_data =
            |bad: Vec<BadData>| self.bad_plan(bad.first().map(ToString::to_string).unwrap_or_default());
        let base = Path::new(&epoch.base);
        Plan::new(model, text, given, &epoch.name, &epoch.source, base).map_err(bad_data)
    }

    /// Which of its records count.
    ///
    /// # Errors
    /// When a setting cannot be read.
    pub fn validity(&self) -> Result<Validity, RunError> {
        Ok(Validity::new(&self.survey, &self.settings()?))
    }

    /// What each resumption was run with, in order.
    pub(super) fn settings(&self) -> Result<Vec<Setting>, RunError> {
        self.survey.resumed.iter().map(|(_, epoch)| self.setting(epoch)).collect()
    }

    /// Folds the frames before one of a number; `before` is told each frame first.
    ///
    /// # Errors
    /// When the journal is damaged, or its records do not fit the plan.
    pub fn fold(
        &self,
        mut replay: Replay,
        until: u64,
        before: &mut dyn FnMut(&Replay, &Frame<'_>),
    ) -> Result<Replay, RunError> {
        let mut reader = self.run.journal()?;
        while let Some(frame) = reader.next()? {
            if frame.seq >= until {
                break;
            }
            before(&replay, &frame);
            let folded = replay.fold(frame.seq, frame.kind, frame.body, &mut &self.run);
            folded.map_err(|problem| RunError::Replay { run: self.run.id().to_owned(), problem })?;
        }
        Ok(replay)
    }

    /// The state of the run as its journal has it.
    ///
    /// # Errors
    /// As [`Past::fold`].
    pub fn state(&self) -> Result<Replay, RunError> {
        let plan = self.plan(self.epoch()?)?;
        let fresh = State::new(Arc::clone(&plan.graph), plan.data.clone());
        self.fold(Replay::new(fresh, self.validity()?), u64::MAX, &mut |_, _| {})
    }
}
