//! What does what an effect asks, and how a failure of a faculty becomes a failure of the step.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::base::{Clock, Value};
use crate::faculty::files::Root;
use crate::faculty::python::{Pool, PoolOptions};
use crate::faculty::{self, Action, Answer, CallIdentity, Faculty, Failure, Request, Script};
use crate::run::effect::{CallAnswer, Contract, Effect, ScriptCode, ScriptRun};
use crate::run::paradigm::Paradigm;
use crate::run::record::{CallPlace, ModelUse};
use crate::run::{Means, ScriptPlace, StepFailure};

use super::callback::Callback;

/// Scripts by path, as they were read the first time.
type Scripts = FxHashMap<Arc<str>, Result<Arc<Script>, Failure>>;

/// What a call is made with.
pub(super) struct Context<'a> {
    /// Seconds it may take.
    pub(super) timeout: Option<f64>,
    /// Which call it is, for whoever is called.
    pub(super) identity: Option<Arc<CallIdentity>>,
    /// The step, as people write it.
    pub(super) step: &'a str,
    /// Which of its calls.
    pub(super) place: CallPlace,
    /// Where a script can ask for more.
    pub(super) callback: Option<&'a Callback>,
}

/// What came back.
pub(super) struct Came {
    pub(super) answer: CallAnswer,
    pub(super) output: faculty::Output,
    pub(super) duration: Duration,
    pub(super) model: Option<ModelUse>,
}

impl Came {
    /// An answer that took no time.
    pub(super) fn at_once(answer: CallAnswer) -> Self {
        Self { answer, output: faculty::Output::default(), duration: Duration::ZERO, model: None }
    }
}

impl From<Answer> for Came {
    fn from(answer: Answer) -> Self {
        let Answer { value, text, output, duration } = answer;
        Self { answer: CallAnswer { value, text }, output, duration, model: None }
    }
}

fn not_offered(effect: &Effect) -> Failure {
    let (method, _) = effect.described();
    Failure::new(faculty::FailureKind::UnsupportedAffordance, format!("`{method}` is not offered"))
}

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

    /// Does what an effect asks, and takes the time it takes.
    ///
    /// # Errors
    /// The faculty's failure, as a failure of the step.
    pub(super) fn call(&self, effect: &Effect, context: &Context<'_>) -> Result<Came, StepFailure> {
        if effect.is_quick() {
            return self.quick(effect).map(Came::at_once);
        }
        self.ask(effect, context).map_err(|failure| step_failure(&failure))
    }

    /// Does what can be done at once.
    ///
    /// # Errors
    /// The faculty's failure, as a failure of the step.
    pub(super) fn quick(&self, effect: &Effect) -> Result<CallAnswer, StepFailure> {
        let answer = match effect {
            Effect::Builtin { name, inputs } => {
                let inputs: SmallVec<[Value; 4]> = inputs.iter().map(|(_, value)| value.clone()).collect();
                faculty::builtin::call(name, &inputs, self.clock.as_ref())
            }
            other => Err(not_offered(other)),
        };
        answer.map(CallAnswer::of).map_err(|failure| step_failure(&failure))
    }

    fn ask(&self, effect: &Effect, context: &Context<'_>) -> Result<Came, Failure> {
        let timeout = context.timeout.and_then(|s| Duration::try_from_secs_f64(s).ok());
        match effect {
            Effect::Script(ScriptRun { code: ScriptCode::File(path), contract, inputs }) => {
                let script = self.script(path)?;
                let action = match contract {
                    Contract::Globals => Action::Execute(script),
                    Contract::Function(name) => Action::Call { script, function: Arc::clone(name) },
                };
                let identity = context.identity.clone();
                let request = Request { timeout, identity, ..Request::new(action, inputs.clone()) };
                Faculty::call(&self.python, &request).map(Came::from)
            }
            other => Err(not_offered(other)),
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

    /// How many calls of models may be out at once.
    pub(super) fn models_at_once(&self) -> usize {
        1
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
