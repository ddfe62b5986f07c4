//! The driver loop.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use rustc_hash::FxHashMap;

use crate::faculty::Answer;
use crate::run::decide::{Action, decide};
use crate::run::sequence::{Call, CallAnswer, CallKind, SemanticTask, SyntacticTask};
use crate::run::state::{ApplyError, Ready};
use crate::run::{
    CallLog, Event, Graph, Happening, Outcome, Printed, State, StepFailure, StepKey, StepTime, Watch,
};

use super::calls::{Done, Job, Tools, work};

/// Work on fewer cells than this is done by the driver itself: handing it over would cost more.
const SMALL: usize = 4096;

/// How often a watcher is told that time passes.
const TICK: Duration = Duration::from_millis(100);

/// How a run is driven.
#[derive(Debug, Clone)]
pub struct Options {
    /// Calls at once, and threads for tensor work.
    pub jobs: usize,
    /// Nothing of a higher round starts.
    pub max_cycles: Option<u32>,
    /// Nothing new starts once a step has failed.
    pub fail_fast: bool,
}

/// What threads send to the driver.
pub(super) enum Message {
    /// A call is done.
    Call(Done),
    /// A step's work is done as a whole.
    Work(u64, Box<Result<Happening, StepFailure>>, CallLog),
}

/// A step whose work is under way.
struct Flight {
    ready: Ready,
    step: StepKey,
    kind: FlightKind,
}

enum FlightKind {
    /// Another thread does all of it.
    Whole,
    /// Calls are out; answers by index.
    Calls {
        task: Box<SemanticTask>,
        answers: Vec<Option<Answer>>,
        open: usize,
        failure: Option<(usize, StepFailure)>,
    },
}

/// Runs a plan from a state to its end: a fresh one, or one folded from the events of an earlier run.
pub fn run(state: State, tools: &Arc<Tools>, options: &Options, watch: &mut dyn Watch) -> Outcome {
    let begun = Instant::now();
    let graph = Arc::clone(state.graph());
    watch.begins(&graph);
    let (message_in, messages) = crossbeam_channel::unbounded();
    let (job_in, jobs) = crossbeam_channel::unbounded();
    let times = vec![StepTime::default(); graph.items.len()];
    let mut driver = Driver {
        state,
        graph,
        tools: Arc::clone(tools),
        options: options.clone(),
        watch,
        flights: FxHashMap::default(),
        next_flight: 0,
        message_in,
        messages,
        job_in,
        jobs,
        threads: Vec::new(),
        rayon: None,
        times,
        parked: false,
        last_tick: begun,
    };
    driver.drive();
    driver.finish(begun)
}

struct Driver<'w> {
    state: State,
    graph: Arc<Graph>,
    tools: Arc<Tools>,
    options: Options,
    watch: &'w mut dyn Watch,
    flights: FxHashMap<u64, Flight>,
    next_flight: u64,
    message_in: Sender<Message>,
    messages: Receiver<Message>,
    job_in: Sender<Job>,
    jobs: Receiver<Job>,
    threads: Vec<std::thread::JoinHandle<()>>,
    rayon: Option<rayon::ThreadPool>,
    times: Vec<StepTime>,
    /// Something was ready and not started, because of a limit.
    parked: bool,
    last_tick: Instant,
}

impl Driver<'_> {
    fn drive(&mut self) {
        loop {
            let mut steps = 0_u32;
            while let Some(ready) = self.state.next_ready() {
                self.start(ready);
                // Answers are looked at in between, so that the threads never run dry behind a long line of small work.
                steps += 1;
                if steps.is_multiple_of(64) {
                    self.take_messages();
                }
            }
            if self.flights.is_empty() {
                return;
            }
            match self.messages.recv_timeout(TICK) {
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.take_messages();
            self.tick();
        }
    }

    fn take_messages(&mut self) {
        while let Ok(message) = self.messages.try_recv() {
            self.take(message);
        }
    }

    fn tick(&mut self) {
        if self.last_tick.elapsed() >= TICK {
            self.last_tick = Instant::now();
            self.watch.tick(&self.graph, &mut self.flights.values().map(|f| f.step.item));
        }
    }

    fn start(&mut self, ready: Ready) {
        let beyond = self.options.max_cycles.is_some_and(|most| ready.round > most);
        let stopped = self.options.fail_fast && !self.state.failures().is_empty();
        if beyond || stopped {
            self.parked |= beyond;
            return;
        }
        match decide(&self.state, ready) {
            Action::Settle(what, round) => self.commit(ready, round, what, None),
            Action::Syntactic(task) if task.size() < SMALL => {
                let done = task.run(&self.graph.model, self.graph.inference(ready.item));
                self.commit(ready, ready.round, happening(done), None);
            }
            Action::Syntactic(task) => self.spawn_syntactic(ready, task),
            Action::Semantic(task) => self.start_semantic(ready, task),
        }
    }

    fn start_semantic(&mut self, ready: Ready, task: Box<SemanticTask>) {
        let builtin = task.calls.iter().all(|c| matches!(c.kind, CallKind::Builtin(_)));
        if builtin && task.calls.len() < SMALL / 16 {
            let (done, log) = call_all(&self.tools, &task);
            self.count(ready, &log);
            self.commit(ready, ready.round, happening(done), None);
        } else if builtin {
            self.spawn_builtin(ready, task);
        } else {
            self.send_calls(ready, task);
        }
    }

    fn enter(&mut self, ready: Ready, kind: FlightKind) -> u64 {
        let step = self.state.step(ready);
        self.watch.started(&self.graph, &step);
        self.next_flight += 1;
        self.flights.insert(self.next_flight, Flight { ready, step, kind });
        self.next_flight
    }

    /// The threads for tensor work; none when they cannot be had, then the driver does the work itself.
    fn spawn(
        &mut self,
        flight: u64,
        job: impl FnOnce() -> (Result<Happening, StepFailure>, CallLog) + Send + 'static,
    ) {
        if self.rayon.is_none() {
            let threads = rayon::ThreadPoolBuilder::new().num_threads(self.options.jobs.max(1));
            self.rayon = threads.thread_name(|i| format!("tensor {i}")).build().ok();
        }
        let answer = self.message_in.clone();
        let run = move || {
            let (done, log) = job();
            // The driver is gone only when the run is over; then nobody wants the answer.
            let _ = answer.send(Message::Work(flight, Box::new(done), log));
        };
        match &self.rayon {
            Some(pool) => pool.spawn(run),
            None => run(),
        }
    }

    fn spawn_syntactic(&mut self, ready: Ready, task: SyntacticTask) {
        let flight = self.enter(ready, FlightKind::Whole);
        let graph = Arc::clone(&self.graph);
        self.spawn(flight, move || (task.run(&graph.model, graph.inference(ready.item)), CallLog::default()));
    }

    fn spawn_builtin(&mut self, ready: Ready, task: Box<SemanticTask>) {
        let flight = self.enter(ready, FlightKind::Whole);
        let tools = Arc::clone(&self.tools);
        self.spawn(flight, move || call_all_parallel(&tools, &task));
    }

    fn send_calls(&mut self, ready: Ready, mut task: Box<SemanticTask>) {
        let calls = std::mem::take(&mut task.calls);
        let timeout = task.timeout;
        let count = calls.len();
        let kind = FlightKind::Calls { task, answers: vec![None; count], open: count, failure: None };
        let flight = self.enter(ready, kind);
        if count == 0 {
            self.land(flight);
            return;
        }
        while self.threads.len() < self.options.jobs.max(1) && self.threads.len() < self.jobs.len() + count {
            let (tools, jobs, done) = (Arc::clone(&self.tools), self.jobs.clone(), self.message_in.clone());
            let name = format!("call {}", self.threads.len());
            match std::thread::Builder::new().name(name).spawn(move || work(&tools, &jobs, &done)) {
                Ok(thread) => self.threads.push(thread),
                Err(_) => break,
            }
        }
        for (index, call) in calls.into_iter().enumerate() {
            let job = Job { flight, index, call, timeout };
            if self.threads.is_empty() {
                let answer = self.tools.call(&job.call, job.timeout);
                self.take(Message::Call(Done { flight, index, answer }));
            } else {
                let _ = self.job_in.send(job);
            }
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Work(flight, done, log) => {
                if let Some(Flight { ready, .. }) = self.flights.remove(&flight) {
                    self.count(ready, &log);
                    self.commit(ready, ready.round, happening(*done), Some(&log));
                }
            }
            Message::Call(done) => {
                let Some(flight) = self.flights.get_mut(&done.flight) else { return };
                let FlightKind::Calls { answers, open, failure, .. } = &mut flight.kind else { return };
                *open -= 1;
                match done.answer {
                    Ok(answer) => {
                        if let Some(place) = answers.get_mut(done.index) {
                            *place = Some(answer);
                        }
                    }
                    // The first failing cell in row-major order is the one that is reported.
                    Err(error) if failure.as_ref().is_none_or(|(at, _)| done.index < *at) => {
                        *failure = Some((done.index, error));
                    }
                    Err(_) => {}
                }
                if *open == 0 {
                    self.land(done.flight);
                }
            }
        }
    }

    /// All calls of a step are back.
    fn land(&mut self, flight: u64) {
        let Some(Flight { ready, kind: FlightKind::Calls { task, answers, failure, .. }, .. }) =
            self.flights.remove(&flight)
        else {
            return;
        };
        let mut log = CallLog::default();
        let mut values = Vec::with_capacity(answers.len());
        for answer in answers.into_iter().flatten() {
            log.calls += 1;
            log.time += answer.duration;
            if !answer.output.is_empty() {
                log.outputs.push(Printed { stdout: answer.output.stdout, stderr: answer.output.stderr });
            }
            values.push(CallAnswer { value: answer.value, text: answer.text });
        }
        self.count(ready, &log);
        let done = match failure {
            Some((_, failure)) => Err(failure),
            None => task.finish(values).map(Happening::Gave),
        };
        self.commit(ready, ready.round, happening(done), Some(&log));
    }

    fn count(&mut self, ready: Ready, log: &CallLog) {
        if let Some(times) = self.times.get_mut(ready.item.at()) {
            times.calls += log.calls as u64;
            times.time += log.time;
        }
    }

    /// Applies an event and tells the watcher.
    fn commit(&mut self, ready: Ready, round: u32, what: Happening, log: Option<&CallLog>) {
        let mut event = Event { step: self.state.step(ready), round, what };
        if let Err(ApplyError::Append(error)) = self.state.apply_to(ready, &event) {
            let failure = StepFailure::new(error.kind(), format!("what is appended does not fit: {error}"));
            event.what = Happening::Failed(Arc::new(failure));
            let _ = self.state.apply_to(ready, &event);
        }
        self.watch.event(&self.graph, &event, log);
        for news in self.state.take_news() {
            self.watch.news(&self.graph, &news);
        }
    }

    fn finish(self, begun: Instant) -> Outcome {
        drop(self.job_in);
        for thread in self.threads {
            let _ = thread.join();
        }
        Outcome::of(self.state, self.parked, self.times, begun.elapsed())
    }
}

fn happening(done: Result<Happening, StepFailure>) -> Happening {
    done.unwrap_or_else(|failure| Happening::Failed(Arc::new(failure)))
}

fn call_all(tools: &Tools, task: &SemanticTask) -> (Result<Happening, StepFailure>, CallLog) {
    finish_calls(task, task.calls.iter().map(|call| tools.call(call, task.timeout)).collect())
}

fn call_all_parallel(tools: &Tools, task: &SemanticTask) -> (Result<Happening, StepFailure>, CallLog) {
    use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
    let one = |call: &Call| tools.call(call, task.timeout);
    finish_calls(task, task.calls.par_iter().map(one).collect())
}

fn finish_calls(
    task: &SemanticTask,
    answers: Vec<Result<Answer, StepFailure>>,
) -> (Result<Happening, StepFailure>, CallLog) {
    let log = CallLog { calls: answers.len(), ..CallLog::default() };
    let answers: Result<Vec<CallAnswer>, StepFailure> =
        answers.into_iter().map(|a| a.map(|a| CallAnswer { value: a.value, text: a.text })).collect();
    (answers.and_then(|answers| task.finish(answers)).map(Happening::Gave), log)
}
