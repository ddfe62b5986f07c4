//! The threads that make calls, and how a failure of a faculty becomes a failure of the step.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::base::{Clock, Value};
use crate::faculty::files::Root;
use crate::faculty::python::{Pool, PoolOptions};
use crate::faculty::{self, Action, Answer, CallIdentity, Faculty, Failure, Request, Script};
use crate::run::effect::{Contract, Effect, ScriptCode, ScriptRun};
use crate::run::paradigm::Paradigm;
use crate::run::{Means, ScriptPlace, StepFailure};

/// Scripts by path, as they were read the first time.
type Scripts = FxHashMap<Arc<str>, Result<Arc<Script>, Failure>>;

/// The faculties of one run.
pub struct Tools {
    root: Root,
    python: Pool,
    clock: Arc<dyn Clock>,
    scripts: Mutex<Scripts>,
}

impl Tools {
    /// Faculties for scripts that stand under `base`, with at most `jobs` scripts at once. No process is started
    /// before it is needed.
    ///
    /// # Errors
    /// When there is no such folder.
    pub fn new(base: &Path, jobs: usize, clock: Arc<dyn Clock>) -> Result<Self, Failure> {
        Ok(Self {
            root: Root::open(base)?,
            python: Pool::new(PoolOptions { workers: jobs, ..PoolOptions::new(base) }),
            clock,
            scripts: Mutex::new(Scripts::default()),
        })
    }

    /// Does what an effect asks; a script is told which call it is.
    ///
    /// # Errors
    /// The faculty's failure, as a failure of the step.
    pub fn call(
        &self,
        effect: &Effect,
        timeout: Option<f64>,
        identity: Option<Arc<CallIdentity>>,
    ) -> Result<Answer, StepFailure> {
        self.ask(effect, timeout, identity).map_err(|failure| step_failure(&failure))
    }

    fn ask(
        &self,
        effect: &Effect,
        timeout: Option<f64>,
        identity: Option<Arc<CallIdentity>>,
    ) -> Result<Answer, Failure> {
        let timeout = timeout.and_then(|s| Duration::try_from_secs_f64(s).ok());
        match effect {
            Effect::Builtin { name, inputs } => {
                let inputs: SmallVec<[Value; 4]> = inputs.iter().map(|(_, value)| value.clone()).collect();
                faculty::builtin::call(name, &inputs, self.clock.as_ref()).map(Answer::pure)
            }
            Effect::Script(ScriptRun { code: ScriptCode::File(path), contract, inputs }) => {
                let script = self.script(path)?;
                let action = match contract {
                    Contract::Globals => Action::Execute(script),
                    Contract::Function(_) => Action::CallMain(script),
                };
                let request = Request { timeout, identity, ..Request::new(action, inputs.clone()) };
                Faculty::call(&self.python, &request)
            }
            other => {
                let (method, _) = other.described();
                Err(Failure::new(
                    faculty::FailureKind::UnsupportedAffordance,
                    format!("`{method}` is not offered"),
                ))
            }
        }
    }

    /// A script by its path, read once a run, so that all steps run the same bytes.
    fn script(&self, path: &Arc<str>) -> Result<Arc<Script>, Failure> {
        let mut scripts = self.scripts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(known) = scripts.get(path) {
            return known.clone();
        }
        let read = self.root.read_text(path).map(|code| {
            let hash = format!("{:x}", <sha2::Sha256 as sha2::Digest>::digest(code.as_bytes()));
            Arc::new(Script { path: Arc::clone(path), code, hash: Arc::from(hash) })
        });
        scripts.insert(Arc::clone(path), read.clone());
        read
    }

    /// The hash of a script's bytes as they are run, none when it cannot be read.
    pub(super) fn script_hash(&self, path: &Arc<str>) -> Option<Arc<str>> {
        self.script(path).ok().map(|script| Arc::clone(&script.hash))
    }

    /// Ends all scripts that run, and refuses all later ones. Waits for nothing.
    pub fn interrupt(&self) {
        self.python.interrupt();
    }

    /// Ends all workers.
    pub fn shutdown(&self) {
        self.python.shutdown();
    }
}

impl Means for Tools {
    fn paradigm(&self, name: &str) -> Result<Arc<Paradigm>, StepFailure> {
        crate::run::NoFiles.paradigm(name)
    }

    fn pinned(&self, path: &str) -> Result<Arc<str>, StepFailure> {
        self.script(&Arc::from(path)).map(|s| Arc::clone(&s.code)).map_err(|f| step_failure(&f))
    }

    fn text(&self, path: &str) -> Result<Arc<str>, StepFailure> {
        self.root.read_text(path).map_err(|f| step_failure(&f))
    }

    fn base_dir(&self) -> &str {
        "."
    }
}

pub(super) fn step_failure(failure: &Failure) -> StepFailure {
    let mut detail = String::new();
    if let Some(trace) = &failure.trace {
        detail.push_str(trace.trim_end());
    }
    let printed = failure.stderr_tail().trim_end();
    if !printed.is_empty() {
        if !detail.is_empty() {
            detail.push_str("\n\n");
        }
        detail.push_str("stderr:\n");
        detail.push_str(printed);
    }
    StepFailure {
        kind: failure.kind.as_str().to_owned(),
        message: failure.message.clone(),
        help: failure.help.clone(),
        cell: Vec::new(),
        script: failure
            .place
            .as_ref()
            .map(|p| Box::new(ScriptPlace { path: p.path.to_string(), line: p.line })),
        detail: (!detail.is_empty()).then(|| detail.into()),
    }
}

/// One call on its way to a thread.
pub(super) struct Job {
    pub(super) flight: u64,
    pub(super) index: usize,
    pub(super) effect: Effect,
    pub(super) timeout: Option<f64>,
    pub(super) identity: Option<Arc<CallIdentity>>,
}

/// What came back.
pub(super) struct Done {
    pub(super) flight: u64,
    pub(super) index: usize,
    pub(super) answer: Result<Answer, StepFailure>,
}

/// Takes jobs until there are no more.
pub(super) fn work(tools: &Tools, jobs: &Receiver<Job>, done: &Sender<super::driver::Message>) {
    for job in jobs {
        let answer = tools.call(&job.effect, job.timeout, job.identity);
        let message = super::driver::Message::Call(Done { flight: job.flight, index: job.index, answer });
        if done.send(message).is_err() {
            return;
        }
    }
}
