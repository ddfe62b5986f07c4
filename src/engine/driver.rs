//! The driver loop. What is ready is started a generation at a time; between two generations the recorder brings what
//! was recorded to the level the next one needs, so that one write or one sync serves all of a generation.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, select};
use rustc_hash::FxHashMap;

use crate::faculty::{Answer, CallIdentity, FailureKind};
use crate::run::decide::{Action, decide};
use crate::run::effect::{CallAnswer, Effect};
use crate::run::sequence::{Cell, SemanticTask, SyntacticTask};
use crate::run::state::{ApplyError, Ready};
use crate::run::{
    CallLog, Event, Graph, Happening, Outcome, Printed, State, StepFailure, StepKey, StepTime, Stop, Watch,
};
use crate::store::StoreError;

use super::calls::{Done, Job, Tools, work};
use super::identity::Identities;
use super::interrupt::Interrupt;
use super::recorder::Recorder;

/// Work on fewer cells than this is done by the driver itself: handing it over would cost more.
const SMALL: usize = 4096;

/// So many calls a thread may be handed out beyond the one it makes, so that it never waits for the next one.
const AHEAD: usize = 4;

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
    /// Asks the run to stop.
    pub interrupt: Interrupt,
    /// How long running steps may go on once the run was asked to stop.
    pub grace: Duration,
}

impl Default for Options {
    /// One job, no limits, ten seconds of grace.
    fn default() -> Self {
        Self {
            jobs: 1,
            max_cycles: None,
            fail_fast: false,
            interrupt: Interrupt::default(),
            grace: Duration::from_secs(10),
        }
    }
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
    /// Scripts are at work; whether the step must never run twice.
    script: Option<bool>,
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

/// Runs a plan from a state to its end: a fresh one, or one folded from the events of an earlier run. Nothing is
/// written down.
pub fn run(state: State, tools: &Arc<Tools>, options: &Options, watch: &mut dyn Watch) -> Outcome {
    drive(state, tools, options, watch, None).0
}

/// Runs a plan and writes down what happens. The second part is why the recording failed, if it did; the run was
/// stopped then, and its outcome must not be relied on.
pub(super) fn run_recorded(
    state: State,
    tools: &Arc<Tools>,
    options: &Options,
    watch: &mut dyn Watch,
    recorder: &mut Recorder,
) -> (Outcome, Option<StoreError>) {
    drive(state, tools, options, watch, Some(recorder))
}

fn drive(
    state: State,
    tools: &Arc<Tools>,
    options: &Options,
    watch: &mut dyn Watch,
    recorder: Option<&mut Recorder>,
) -> (Outcome, Option<StoreError>) {
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
        recorder,
        flights: FxHashMap::default(),
        next_flight: 0,
        waiting: VecDeque::new(),
        calls_out: 0,
        outbox: Vec::new(),
        message_in,
        messages,
        job_in,
        jobs,
        threads: Vec::new(),
        rayon: None,
        times,
        parked: false,
        stopping: None,
        killed: false,
        failure: None,
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
    recorder: Option<&'w mut Recorder>,
    flights: FxHashMap<u64, Flight>,
    next_flight: u64,
    /// Steps with scripts for which no thread is free. Nothing of them is recorded yet, so that what a crash leaves in
    /// doubt is only what was about to start.
    waiting: VecDeque<(Ready, Box<SemanticTask>)>,
    /// Calls that were handed out and have not come back.
    calls_out: usize,
    /// Calls of scripts whose intent is not written yet.
    outbox: Vec<Job>,
    message_in: Sender<Message>,
    messages: Receiver<Message>,
    job_in: Sender<Job>,
    jobs: Receiver<Job>,
    threads: Vec<std::thread::JoinHandle<()>>,
    rayon: Option<rayon::ThreadPool>,
    times: Vec<StepTime>,
    /// Something was ready and not started, because of a limit.
    parked: bool,
    /// When the run was asked to stop.
    stopping: Option<Instant>,
    /// Running scripts were ended.
    killed: bool,
    /// Why nothing can be written down any more.
    failure: Option<StoreError>,
    last_tick: Instant,
}

impl Driver<'_> {
    fn drive(&mut self) {
        loop {
            self.look_for_interrupt();
            let mut generation = if self.is_stopping() { 0 } else { self.state.ready_len() };
            let mut steps = 0_u32;
            while let Some(ready) = self.state.next_ready(&mut generation) {
                self.start(ready);
                steps += 1;
                // Answers are looked at in between, so that the threads never run dry behind a long line of small work.
                if steps.is_multiple_of(64) {
                    self.send_out();
                    self.take_messages();
                    self.keep_up();
                }
            }
            self.take_messages();
            self.send_out();
            if !self.is_stopping() && self.state.ready_len() > 0 {
                self.keep_up();
                continue;
            }
            if self.flights.is_empty() {
                return;
            }
            self.record(Recorder::write);
            let message = select! {
                recv(self.messages) -> message => message.ok(),
                recv(self.options.interrupt.woken()) -> _ => None,
                default(TICK) => None,
            };
            self.look_for_interrupt();
            message.into_iter().for_each(|message| self.take(message));
            self.take_messages();
            self.record(Recorder::settle);
            self.tick();
        }
    }

    fn is_stopping(&self) -> bool {
        self.stopping.is_some() || self.failure.is_some()
    }

    /// Asked once, nothing new starts; asked twice, or when the grace is over, what runs is ended.
    fn look_for_interrupt(&mut self) {
        let times = self.options.interrupt.times();
        if times == 0 && self.failure.is_none() {
            return;
        }
        if self.stopping.is_none() {
            self.withdraw();
        }
        let since = *self.stopping.get_or_insert_with(Instant::now);
        // What can no longer be written down need not be waited for either.
        let over = times > 1 || self.failure.is_some() || since.elapsed() >= self.options.grace;
        if !self.killed && over {
            self.killed = true;
            self.tools.interrupt();
        }
    }

    /// Takes back the steps of which no call has started yet, and records that they have not.
    fn withdraw(&mut self) {
        let mut queued: FxHashMap<u64, Vec<Job>> = FxHashMap::default();
        for job in self.jobs.try_iter().chain(self.outbox.drain(..)) {
            queued.entry(job.flight).or_default().push(job);
        }
        let mut flights: Vec<(u64, Vec<Job>)> = queued.into_iter().collect();
        flights.sort_unstable_by_key(|(flight, _)| *flight);
        for (flight, jobs) in flights {
            let begun = match self.flights.get(&flight).map(|f| &f.kind) {
                Some(FlightKind::Calls { answers, .. }) => jobs.len() < answers.len(),
                _ => false,
            };
            if begun {
                jobs.into_iter().for_each(|job| drop(self.job_in.send(job)));
                continue;
            }
            self.calls_out -= jobs.len();
            if let Some(Flight { step, .. }) = self.flights.remove(&flight)
                && let Some(recorder) = self.recorder.as_deref_mut()
            {
                recorder.take_back(step);
            }
        }
    }

    /// Does something with the recorder, if there is one; when that fails, the run stops.
    fn record<T>(&mut self, act: impl FnOnce(&mut Recorder) -> Result<T, StoreError>) -> Option<T> {
        match act(self.recorder.as_deref_mut().filter(|_| self.failure.is_none())?) {
            Ok(done) => Some(done),
            Err(failure) => {
                self.failure = Some(failure);
                None
            }
        }
    }

    fn keep_up(&mut self) {
        self.record(Recorder::keep_up);
        self.look_for_interrupt();
    }

    /// Brings what was recorded to its level, then lets the scripts start that wait for that.
    fn send_out(&mut self) {
        self.hand_out();
        self.record(Recorder::settle);
        if self.outbox.is_empty() {
            return;
        }
        if self.failure.is_some() {
            // What could not be written down does not start.
            for job in std::mem::take(&mut self.outbox) {
                self.calls_out -= 1;
                self.flights.remove(&job.flight);
            }
            return;
        }
        let jobs = std::mem::take(&mut self.outbox);
        while self.threads.len() < self.options.jobs.max(1)
            && self.threads.len() < self.jobs.len() + jobs.len()
        {
            let (tools, queue, done) = (Arc::clone(&self.tools), self.jobs.clone(), self.message_in.clone());
            let name = format!("call {}", self.threads.len());
            match std::thread::Builder::new().name(name).spawn(move || work(&tools, &queue, &done)) {
                Ok(thread) => self.threads.push(thread),
                Err(_) => break,
            }
        }
        for job in jobs {
            if self.threads.is_empty() {
                let answer = self.tools.call(&job.effect, job.timeout, job.identity);
                self.take(Message::Call(Done { flight: job.flight, index: job.index, answer }));
            } else {
                let _ = self.job_in.send(job);
            }
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
        if beyond || self.fails_fast() {
            self.parked |= beyond;
            return;
        }
        match decide(&self.state, ready, &*self.tools) {
            Action::Settle(what, round) => self.commit(ready, round, what, None, None),
            Action::Syntactic(task) if task.size() < SMALL => {
                let done = task.run(&self.graph.model, self.graph.inference(ready.item));
                self.commit(ready, ready.round, happening(done), None, None);
            }
            Action::Syntactic(task) => self.spawn_syntactic(ready, task),
            Action::Semantic(task) => self.start_semantic(ready, task),
        }
    }

    fn start_semantic(&mut self, ready: Ready, task: Box<SemanticTask>) {
        let builtin = task.cells.iter().all(|c| c.single_effect().is_some_and(Effect::is_pure));
        if builtin && task.cells.len() < SMALL / 16 {
            let (done, log) = call_all(&self.tools, &task);
            self.count(ready, &log);
            self.commit(ready, ready.round, happening(done), None, None);
        } else if builtin {
            self.spawn_builtin(ready, task);
        } else {
            self.waiting.push_back((ready, task));
            self.hand_out();
        }
    }

    /// Hands out the calls of waiting steps, as far as there are threads for them.
    fn hand_out(&mut self) {
        if self.is_stopping() || self.fails_fast() {
            self.waiting.clear();
        }
        let jobs = self.options.jobs.max(1);
        while let Some((_, task)) = self.waiting.front() {
            // A step that must not run twice is not even announced before it can start.
            let most = if task.is_once() { jobs } else { jobs * (1 + AHEAD) };
            if self.calls_out >= most {
                return;
            }
            if let Some((ready, task)) = self.waiting.pop_front() {
                self.send_calls(ready, task);
            }
        }
    }

    fn fails_fast(&self) -> bool {
        self.options.fail_fast && !self.state.failures().is_empty()
    }

    fn enter(&mut self, ready: Ready, step: StepKey, kind: FlightKind, script: Option<bool>) -> u64 {
        self.watch.started(&self.graph, &step);
        self.next_flight += 1;
        self.flights.insert(self.next_flight, Flight { ready, step, kind, script });
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
        let flight = self.enter(ready, self.state.step(ready), FlightKind::Whole, None);
        let graph = Arc::clone(&self.graph);
        self.spawn(flight, move || (task.run(&graph.model, graph.inference(ready.item)), CallLog::default()));
    }

    fn spawn_builtin(&mut self, ready: Ready, task: Box<SemanticTask>) {
        let flight = self.enter(ready, self.state.step(ready), FlightKind::Whole, None);
        let tools = Arc::clone(&self.tools);
        self.spawn(flight, move || call_all_parallel(&tools, &task));
    }

    /// Records that scripts are about to be called, and puts the calls into the outbox.
    fn send_calls(&mut self, ready: Ready, mut task: Box<SemanticTask>) {
        let cells = std::mem::take(&mut task.cells);
        let (timeout, once, count) = (task.timeout, task.is_once(), cells.len());
        let step = self.state.step(ready);
        let identities = self.announce(ready, &step, &cells, once);
        let kind = FlightKind::Calls { task, answers: vec![None; count], open: count, failure: None };
        let flight = self.enter(ready, step, kind, Some(once));
        self.calls_out += count;
        if count == 0 {
            self.land(flight);
            return;
        }
        let mut identities = identities.into_iter();
        for (index, cell) in cells.into_iter().enumerate() {
            let Some(effect) = cell.single_effect().cloned() else { continue };
            self.outbox.push(Job { flight, index, effect, timeout, identity: identities.next() });
        }
    }

    /// Records the intent of a step, and makes the identities of its calls.
    fn announce(
        &mut self,
        ready: Ready,
        step: &StepKey,
        cells: &[Cell],
        once: bool,
    ) -> Vec<Arc<CallIdentity>> {
        let Some(recorder) = self.recorder.as_deref_mut().filter(|_| self.failure.is_none()) else {
            return Vec::new();
        };
        let name: Arc<str> = Arc::from(self.graph.step_name(step));
        let identities = Identities::new(recorder.run(), &name, cells, &self.tools);
        recorder.intent(step, ready.round, identities.step_key, once);
        identities.calls
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Work(flight, done, log) => {
                if let Some(Flight { ready, script, .. }) = self.flights.remove(&flight) {
                    self.count(ready, &log);
                    self.commit(ready, ready.round, happening(*done), Some(&log), script);
                }
            }
            Message::Call(done) => {
                self.calls_out -= 1;
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
        let Some(Flight { ready, script, kind: FlightKind::Calls { task, answers, failure, .. }, .. }) =
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
            // What was ended by the user has neither failed nor given anything: it is open, and runs again on a resume.
            Some((_, failure)) if self.killed && failure.kind == FailureKind::Interrupted.as_str() => return,
            Some((_, failure)) => Err(failure),
            None => task.finish(values).map(Happening::Gave),
        };
        self.commit(ready, ready.round, happening(done), Some(&log), script);
    }

    fn count(&mut self, ready: Ready, log: &CallLog) {
        if let Some(times) = self.times.get_mut(ready.item.at()) {
            times.calls += log.calls as u64;
            times.time += log.time;
        }
    }

    /// Applies an event, records it and tells the watcher. Nothing that follows from it is started before the recorder
    /// has settled.
    fn commit(
        &mut self,
        ready: Ready,
        round: u32,
        what: Happening,
        log: Option<&CallLog>,
        script: Option<bool>,
    ) {
        let mut event = Event { step: self.state.step(ready), round, what };
        if let Err(ApplyError::Append(error)) = self.state.apply_to(ready, &event) {
            let failure = StepFailure::new(error.kind(), format!("what is appended does not fit: {error}"));
            event.what = Happening::Failed(Arc::new(failure));
            let _ = self.state.apply_to(ready, &event);
        }
        if let Some(recorder) = self.recorder.as_deref_mut().filter(|_| self.failure.is_none()) {
            recorder.event(&event, log, script);
        }
        self.watch.event(&self.graph, &event, log);
        for news in self.state.take_news() {
            self.watch.news(&self.graph, &news);
        }
    }

    fn finish(self, begun: Instant) -> (Outcome, Option<StoreError>) {
        drop(self.job_in);
        for thread in self.threads {
            let _ = thread.join();
        }
        let stop = match (self.options.interrupt.signal(), self.parked) {
            (Some(signal), _) => Some(Stop::Signal(signal)),
            (None, true) => Some(Stop::Limit),
            (None, false) => None,
        };
        (Outcome::of(self.state, stop, self.times, begun.elapsed()), self.failure)
    }
}

fn happening(done: Result<Happening, StepFailure>) -> Happening {
    done.unwrap_or_else(|failure| Happening::Failed(Arc::new(failure)))
}

fn call_all(tools: &Tools, task: &SemanticTask) -> (Result<Happening, StepFailure>, CallLog) {
    let mut log = CallLog::default();
    let mut answers = Vec::with_capacity(task.cells.len());
    for effect in task.cells.iter().filter_map(Cell::single_effect) {
        log.calls += 1;
        match tools.call(effect, task.timeout, None) {
            Ok(answer) => answers.push(CallAnswer { value: answer.value, text: answer.text }),
            Err(failure) => return (Err(failure), log),
        }
    }
    (task.finish(answers).map(Happening::Gave), log)
}

fn call_all_parallel(tools: &Tools, task: &SemanticTask) -> (Result<Happening, StepFailure>, CallLog) {
    use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
    let one = |cell: &Cell| cell.single_effect().map(|effect| tools.call(effect, task.timeout, None));
    let answers: Vec<Result<Answer, StepFailure>> = task.cells.par_iter().filter_map(one).collect();
    let log = CallLog { calls: answers.len(), ..CallLog::default() };
    let answers: Result<Vec<CallAnswer>, StepFailure> =
        answers.into_iter().map(|a| a.map(|a| CallAnswer { value: a.value, text: a.text })).collect();
    (answers.and_then(|answers| task.finish(answers)).map(Happening::Gave), log)
}
