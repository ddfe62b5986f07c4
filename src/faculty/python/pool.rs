//! The pool: at most N workers, started when they are needed, each call on one of them.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::nesting::{Leave, Nested};
use super::process::{Broken, Start, Worker};
use super::protocol::{Body, ScriptCall};
use crate::faculty::process::Groups;
use crate::faculty::{Answer, Failure, FailureKind};

/// How a pool is set up.
#[derive(Clone)]
pub struct PoolOptions {
    /// How many interpreters may run at once; at least one.
    pub workers: usize,
    /// The plan's base directory: current directory and first place of imports.
    pub base_dir: PathBuf,
    /// The interpreter; none takes `NORMC_PYTHON`, else `python3`.
    pub interpreter: Option<PathBuf>,
    /// How long a call may run that says nothing of its own; none is without limit.
    pub timeout: Option<Duration>,
    /// After how many calls a worker is replaced.
    pub calls_per_worker: u64,
    /// Beyond how many bytes of memory a worker is replaced after its call; 0 is without limit.
    pub recycle_above: u64,
    /// Address space a worker may take, in bytes; 0 is without limit.
    pub memory_limit: u64,
    /// How many bytes of JSON a result may take.
    pub answer_limit: usize,
    /// Variables workers get besides the allow list.
    pub environment: Vec<(OsString, OsString)>,
}

impl PoolOptions {
    /// The usual limits for scripts of a base directory: a worker a core, 30 s a call (semantics spec, sections 12
    /// and 14.2).
    pub fn new(base_dir: impl Into<PathBuf>) -> Self {
        Self {
            workers: std::thread::available_parallelism().map_or(1, |n| n.get()),
            base_dir: base_dir.into(),
            interpreter: None,
            timeout: Some(Duration::from_secs(30)),
            calls_per_worker: 100_000,
            recycle_above: 1 << 30,
            memory_limit: 0,
            answer_limit: 64 << 20,
            environment: Vec::new(),
        }
    }
}

/// Warm Python workers. Calls come from many threads; each blocks until its script has ended.
pub struct Pool {
    options: PoolOptions,
    start: Start,
    groups: Arc<Groups>,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Default)]
struct State {
    /// Workers without a call, the one used last at the end: it is the warmest.
    idle: Vec<Worker>,
    busy: usize,
    /// Callers that wait for a place; nobody is woken when there is none.
    waiting: usize,
    /// Why there are no more calls.
    closed: Option<Closed>,
}

/// Why a pool takes no more calls.
#[derive(Debug, Clone, Copy)]
enum Closed {
    ShutDown,
    Interrupted,
}

impl Closed {
    fn failure(self) -> Failure {
        match self {
            Self::ShutDown => Failure::new(FailureKind::WorkerLost, "the Python workers were shut down"),
            Self::Interrupted => Failure::new(FailureKind::Interrupted, "the call was interrupted"),
        }
    }
}

impl State {
    /// Takes a worker in; it leaves nothing over.
    fn keep(&mut self, worker: Worker) -> Option<Worker> {
        self.idle.push(worker);
        None
    }
}

impl Pool {
    /// A pool. Nothing is started before the first call.
    pub fn new(options: PoolOptions) -> Self {
        let start = Start {
            interpreter: options.interpreter.clone(),
            base_dir: options.base_dir.clone(),
            environment: options.environment.clone(),
            answer_limit: options.answer_limit,
            memory_limit: options.memory_limit,
        };
        Self { options, start, groups: Arc::default(), state: Mutex::default(), freed: Condvar::new() }
    }

    /// Starts interpreters ahead of the calls that will need them, up to `workers`, and does not wait for them. What
    /// goes wrong is told by the call.
    pub fn prepare(&self, workers: usize) {
        for _ in 0..workers.min(self.options.workers.max(1)) {
            {
                let state = self.lock();
                if state.closed.is_some() || state.idle.len() + state.busy >= workers {
                    return;
                }
            }
            let Ok(worker) = Worker::start(&self.start, &self.groups) else { return };
            let mut state = self.lock();
            if state.closed.is_some() {
                return;
            }
            state.idle.insert(0, worker);
        }
    }

    /// Runs a script on a free worker, waiting for one when all are busy.
    ///
    /// # Errors
    /// `no_python` when none starts; `script_failed`, `script_gave_no_result`, `script_exited`, `no_such_function`,
    /// `result_not_serialisable` from the script; `script_timeout`; `worker_lost` when the process dies; `bad_arguments`
    /// for inputs nested too deep (semantics spec, sections 11.2 and 14.2). The next call is not affected. `interrupted`
    /// and `worker_lost` when the pool was ended. What a tool of `body` ends the call with. A script that runs scripts
    /// through `body` may be nested some levels deep, else `not_allowed`.
    pub fn call(&self, call: &ScriptCall<'_>) -> Result<Answer, Failure> {
        let mut place = self.enter()?;
        let timeout = call.timeout.or(self.options.timeout);
        let nested = call.body.map(|body| Nested::new(body, self));
        let body = nested.as_ref().map(|nested| nested as &dyn Body);
        loop {
            let (mut worker, fresh) = match place.worker.take() {
                Some(worker) => (worker, false),
                None => (Worker::start(&self.start, &self.groups)?, true),
            };
            self.goes_on().map_err(|failure| failure.at(call.path, None))?;
            match worker.run(call, timeout, body) {
                Ok(result) => {
                    if self.keeps(&worker) {
                        place.worker = Some(worker);
                    }
                    return result;
                }
                // It died while it was idle. The call has not begun, so another worker may take it.
                Err(Broken::Stale) if !fresh => {}
                Err(Broken::Stale) => {
                    self.goes_on().map_err(|failure| failure.at(call.path, None))?;
                    let message = format!("the Python worker ended before script `{}` ran", call.path);
                    return Err(Failure::new(FailureKind::WorkerLost, message).at(call.path, None));
                }
                Err(Broken::Call(failure)) => {
                    // It died, or did not come to life, because it was killed here.
                    if matches!(failure.kind, FailureKind::WorkerLost | FailureKind::NoPython) {
                        let closed = self.goes_on().map_err(|closed| closed.at(call.path, None));
                        closed.map_err(|closed| Failure { output: failure.output.clone(), ..closed })?;
                    }
                    return Err(failure);
                }
            }
        }
    }

    fn goes_on(&self) -> Result<(), Failure> {
        self.lock().closed.map_or(Ok(()), |closed| Err(closed.failure()))
    }

    fn keeps(&self, worker: &Worker) -> bool {
        let limit = self.options.recycle_above;
        worker.is_usable()
            && worker.calls() < self.options.calls_per_worker
            && (limit == 0 || worker.size() <= limit)
    }

    /// Kills all workers and what their scripts have started. Calls in flight fail with `worker_lost`, and so does
    /// every later one.
    pub fn shutdown(&self) {
        let idle = {
            let mut state = self.lock();
            state.closed.get_or_insert(Closed::ShutDown);
            std::mem::take(&mut state.idle)
        };
        self.groups.kill();
        self.freed.notify_all();
        drop(idle);
    }

    /// Kills all workers and what their scripts have started, at once, and waits for nothing: calls in flight fail
    /// with `interrupted`, and so do those that wait for a worker and every later one. A call whose answer was already
    /// there keeps it. May be called from any thread and more than once (durability spec, section 7).
    ///
    /// A call that is just using a tool of `body` fails when the tool has answered.
    pub fn interrupt(&self) {
        self.lock().closed = Some(Closed::Interrupted);
        self.groups.kill();
        self.freed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one of the N places, with the warmest idle worker if there is one.
    fn enter(&self) -> Result<Busy<'_>, Failure> {
        let mut state = self.lock();
        while state.closed.is_none() && state.busy >= self.options.workers.max(1) {
            state.waiting += 1;
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
        if let Some(closed) = state.closed {
            return Err(closed.failure());
        }
        state.busy += 1;
        Ok(Busy { pool: self, worker: state.idle.pop() })
    }
}

impl Leave for Pool {
    fn leave(&self) {
        let mut state = self.lock();
        state.busy -= 1;
        if state.waiting > 0 {
            self.freed.notify_one();
        }
    }

    fn come_back(&self) {
        self.lock().busy += 1;
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("workers", &self.options.workers).finish_non_exhaustive()
    }
}

/// One of the N places, held during a call; gives its worker back to the pool.
struct Busy<'p> {
    pool: &'p Pool,
    worker: Option<Worker>,
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let worker = self.worker.take();
        let mut state = self.pool.lock();
        state.busy -= 1;
        // A worker that is let go is ended outside the lock: that waits for the process.
        // Calls that waited for a tool may have come to more workers than there are places.
        let full = state.closed.is_some() || state.idle.len() >= self.pool.options.workers.max(1);
        let left = if full { worker } else { worker.and_then(|w| state.keep(w)) };
        let waiting = state.waiting > 0;
        drop(state);
        if waiting {
            self.pool.freed.notify_one();
        }
        drop(left);
    }
}
