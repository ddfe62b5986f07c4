//! The driver loop. What is ready is started a generation at a time; between two generations the recorder brings what
//! was recorded to the level the next one needs, so that one write or one sync serves all of a generation.
//!
//! What the cells of steps ask for is the subject of `dispatch.rs`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, select};
use rustc_hash::FxHashMap;

use crate::run::decide::{Action, decide};
use crate::run::effect::{CallAnswer, Effect};
use crate::run::sequence::{Cell, SemanticTask, SyntacticTask};
use crate::run::state::{ApplyError, Ready};
use crate::run::{
    CallLog, Event, Graph, Happening, ItemId, Outcome, Spent, State, StepFailure, StepKey, StepTime, Stop,
    Watch,
};
use crate::store::StoreError;

use super::claims::Claims;
use super::flight::{Flight, FlightKind, Post, Prepared};
use super::interrupt::Interrupt;
use super::lanes::Lanes;
use super::message::{Job, Lane, Message, Reply};
use super::people::{Desk, OpenQuestion, People};
use super::recorder::{Reach, Recorder};
use super::resume::Unfinished;
use super::tools::Tools;

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

/// Runs a plan from a state to its end: a fresh one, or one folded from the events of an earlier run. Nothing is
/// written down, and no person is asked.
pub fn run(state: State, tools: &Arc<Tools>, options: &Options, watch: &mut dyn Watch) -> Outcome {
    drive(state, tools, options, watch, None, None, Unfinished::default()).outcome
}

/// Runs a plan and writes down what happens.
pub(super) fn run_recorded(
    state: State,
    tools: &Arc<Tools>,
    options: &Options,
    watch: &mut dyn Watch,
    recorder: &mut Recorder,
    desk: Option<Box<dyn Desk>>,
    unfinished: Unfinished,
) -> Driven {
    drive(state, tools, options, watch, Some(recorder), desk, unfinished)
}

fn drive(
    state: State,
    tools: &Arc<Tools>,
    options: &Options,
    watch: &mut dyn Watch,
    recorder: Option<&mut Recorder>,
    desk: Option<Box<dyn Desk>>,
    unfinished: Unfinished,
) -> Driven {
    let begun = Instant::now();
    let graph = Arc::clone(state.graph());
    watch.begins(&graph);
    unfinished.written.iter().for_each(|digest| tools.note_written(*digest));
    unfinished.wrote.iter().for_each(|wrote| tools.note_writer(wrote, &graph.step_name(&wrote.step)));
    let (message_in, messages) = crossbeam_channel::unbounded();
    let mut times = vec![StepTime::default(); graph.items.len()];
    for (item, spent) in &unfinished.spent_by {
        if let Some(times) = times.get_mut(item.at()) {
            times.spent = *spent;
        }
    }
    let mut driver = Driver {
        state,
        graph,
        tools: Arc::clone(tools),
        options: options.clone(),
        watch,
        recorder,
        flights: FxHashMap::default(),
        next_flight: 0,
        whole: 0,
        waiting: Default::default(),
        lanes: Lanes::new(options.jobs, tools.models_at_once()),
        outbox: Vec::new(),
        claims: Claims::default(),
        replies: Vec::new(),
        posts: Vec::new(),
        people: People::new(desk),
        open_questions: Vec::new(),
        warnings: Vec::new(),
        spent: unfinished.spent,
        unfinished,
        message_in,
        messages,
        rayon: None,
        times,
        parked: false,
        budget: None,
        stopping: None,
        killed: false,
        failure: None,
        last_tick: begun,
    };
    driver.drive();
    driver.finish(begun)
}

pub(super) struct Driver<'w> {
    pub(super) state: State,
    pub(super) graph: Arc<Graph>,
    pub(super) tools: Arc<Tools>,
    pub(super) options: Options,
    pub(super) watch: &'w mut dyn Watch,
    pub(super) recorder: Option<&'w mut Recorder>,
    pub(super) flights: FxHashMap<u64, Flight>,
    pub(super) next_flight: u64,
    /// Flights that another thread does as a whole.
    pub(super) whole: usize,
    /// Steps for which no thread is free, by the lane of their first call. Nothing of them is recorded yet, so that what
    /// a crash leaves in doubt is only what was about to start.
    pub(super) waiting: [VecDeque<Prepared>; 3],
    pub(super) lanes: Lanes,
    /// Calls whose intent is not written yet.
    pub(super) outbox: Vec<(Lane, Job)>,
    /// Who may be about to write which files.
    pub(super) claims: Claims,
    /// Answers to scripts that are not written yet.
    pub(super) replies: Vec<(Reply, Result<CallAnswer, StepFailure>)>,
    /// Questions that are not written yet.
    pub(super) posts: Vec<Post>,
    pub(super) people: People,
    /// Questions that nobody answered while the run went on.
    pub(super) open_questions: Vec<OpenQuestion>,
    /// What was odd about what steps were given.
    warnings: Vec<(StepKey, String)>,
    /// What models have cost.
    pub(super) spent: Spent,
    pub(super) unfinished: Unfinished,
    pub(super) message_in: Sender<Message>,
    messages: Receiver<Message>,
    rayon: Option<rayon::ThreadPool>,
    pub(super) times: Vec<StepTime>,
    /// Something was ready and not started, because of a limit.
    parked: bool,
    /// Why no more calls of models are made, if the budget is spent.
    pub(super) budget: Option<StepFailure>,
    /// When the run was asked to stop.
    stopping: Option<Instant>,
    /// Running calls were ended.
    pub(super) killed: bool,
    /// Why nothing can be written down any more.
    pub(super) failure: Option<StoreError>,
    last_tick: Instant,
}

impl Driver<'_> {
    fn drive(&mut self) {
        let mut answers = self.people.answers();
        loop {
            self.look_for_interrupt();
            self.look_for_deadlines(&answers);
            let mut generation = if self.is_stopping() { 0 } else { self.state.ready_len() };
            let mut steps = 0_u32;
            while !self.is_stopping()
                && let Some(ready) = self.state.next_ready(&mut generation)
            {
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
            if !self.has_work() {
                return;
            }
            if self.only_people() && (self.is_stopping() || !self.people.waits()) {
                self.suspend(&answers);
                continue;
            }
            self.record(Recorder::write);
            let message = select! {
                recv(self.messages) -> message => message.ok(),
                recv(answers) -> given => {
                    match given {
                        Ok((id, value)) => self.given(&id, value),
                        // Nobody is left to answer. A closed channel is always ready: the driver would never rest.
                        Err(_) => answers = crossbeam_channel::never(),
                    }
                    None
                }
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

    fn has_work(&self) -> bool {
        !self.flights.is_empty() || self.waiting.iter().any(|w| !w.is_empty())
    }

    /// Returns whether nothing can move before a person answers.
    fn only_people(&self) -> bool {
        !self.lanes.can_move(self.people.scripts)
            && self.whole == 0
            && self.is_sent()
            && self.messages.is_empty()
            && self.waiting.iter().all(VecDeque::is_empty)
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.is_some() || self.failure.is_some()
    }

    /// Asked once, nothing new starts; asked twice, or when the grace is over, what runs is ended.
    pub(super) fn look_for_interrupt(&mut self) {
        let times = self.options.interrupt.times();
        if times == 0 && self.failure.is_none() {
            return;
        }
        if self.stopping.is_none() {
            self.withdraw();
            self.tools.hold();
        }
        let since = *self.stopping.get_or_insert_with(Instant::now);
        // What can no longer be written down need not be waited for either.
        let over = times > 1 || self.failure.is_some() || since.elapsed() >= self.options.grace;
        if !self.killed && over {
            self.killed = true;
            self.tools.interrupt();
        }
    }

    /// Does something with the recorder, if there is one; when that fails, the run stops.
    pub(super) fn record<T>(
        &mut self,
        act: impl FnOnce(&mut Recorder) -> Result<T, StoreError>,
    ) -> Option<T> {
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

    pub(super) fn take_messages(&mut self) {
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
        match decide(&self.state, ready, &self.tools.means(ready.item)) {
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
            // Such steps leave nothing but their value, unless there is something to say of them.
            let log = Some(&log).filter(|log| !log.warnings.is_empty());
            self.commit(ready, ready.round, happening(done), log, None);
        } else if builtin {
            self.spawn_builtin(ready, task);
        } else {
            self.prepare(ready, task);
        }
    }

    pub(super) fn fails_fast(&self) -> bool {
        self.options.fail_fast && !self.state.failures().is_empty()
    }

    pub(super) fn enter(
        &mut self,
        ready: Ready,
        step: StepKey,
        kind: FlightKind,
        reach: Option<Reach>,
    ) -> u64 {
        self.watch.started(&self.graph, &step);
        self.next_flight += 1;
        self.whole += usize::from(matches!(kind, FlightKind::Whole));
        self.flights.insert(self.next_flight, Flight { ready, step, kind, reach });
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

    fn take(&mut self, message: Message) {
        match message {
            Message::Work(flight, done, log) => {
                if let Some(Flight { ready, reach, .. }) = self.flights.remove(&flight) {
                    self.whole -= 1;
                    self.count(ready, &log);
                    self.commit(ready, ready.round, happening(*done), Some(&log), reach);
                }
            }
            Message::Call(done) => self.came_back(*done),
            Message::Asking(asking) => self.asking(*asking),
        }
    }

    pub(super) fn count(&mut self, ready: Ready, log: &CallLog) {
        if let Some(times) = self.times.get_mut(ready.item.at()) {
            times.calls += log.calls as u64;
            times.time += log.time;
        }
    }

    /// Applies an event, records it and tells the watcher. Nothing that follows from it is started before the recorder
    /// has settled.
    pub(super) fn commit(
        &mut self,
        ready: Ready,
        round: u32,
        what: Happening,
        log: Option<&CallLog>,
        reach: Option<Reach>,
    ) {
        let mut event = Event { step: self.state.step(ready), round, what };
        for warning in log.into_iter().flat_map(|log| &log.warnings) {
            self.warnings.push((event.step.clone(), warning.clone()));
        }
        if let Err(ApplyError::Append(error)) = self.state.apply_to(ready, &event) {
            let failure = StepFailure::new(error.kind(), format!("what is appended does not fit: {error}"));
            event.what = Happening::Failed(Arc::new(failure));
            let _ = self.state.apply_to(ready, &event);
        }
        if let Some(recorder) = self.recorder.as_deref_mut().filter(|_| self.failure.is_none()) {
            recorder.event(&event, log, reach);
        }
        self.watch.event(&self.graph, &event, log);
        for news in self.state.take_news() {
            self.watch.news(&self.graph, &news);
        }
    }

    fn finish(self, begun: Instant) -> Driven {
        self.lanes.join();
        let stop = match (self.options.interrupt.signal(), self.budget, self.parked) {
            (Some(signal), ..) => Some(Stop::Signal(signal)),
            (None, Some(failure), _) => Some(Stop::Budget(Arc::new(failure))),
            _ if !self.open_questions.is_empty() => Some(Stop::Questions),
            (None, None, true) => Some(Stop::Limit),
            (None, None, false) => None,
        };
        let mut outcome = Outcome::of(self.state, stop, self.times, begun.elapsed());
        outcome.spent = self.spent;
        outcome.warnings = self.warnings;
        Driven { outcome, questions: self.open_questions, failure: self.failure }
    }
}

/// How a drive ended.
pub(super) struct Driven {
    pub(super) outcome: Outcome,
    /// Questions that are still open.
    pub(super) questions: Vec<OpenQuestion>,
    /// Why the recording failed, if it did; the run was stopped then, and its outcome must not be relied on.
    pub(super) failure: Option<StoreError>,
}

pub(super) fn happening(done: Result<Happening, StepFailure>) -> Happening {
    done.unwrap_or_else(|failure| Happening::Failed(Arc::new(failure)))
}

fn call_all(tools: &Tools, task: &SemanticTask) -> (Result<Happening, StepFailure>, CallLog) {
    let mut log = CallLog { warnings: task.warnings.clone(), ..CallLog::default() };
    let mut answers = Vec::with_capacity(task.cells.len());
    for cell in &task.cells {
        log.calls += 1;
        match one_builtin(tools, cell) {
            Ok(answer) => answers.push(answer),
            Err(failure) => return (Err(failure), log),
        }
    }
    (task.finish(answers).map(Happening::Gave), log)
}

fn call_all_parallel(tools: &Tools, task: &SemanticTask) -> (Result<Happening, StepFailure>, CallLog) {
    use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
    let answers: Vec<Result<CallAnswer, StepFailure>> =
        task.cells.par_iter().map(|cell| one_builtin(tools, cell)).collect();
    let log = CallLog { calls: answers.len(), warnings: task.warnings.clone(), ..CallLog::default() };
    let answers: Result<Vec<CallAnswer>, StepFailure> = answers.into_iter().collect();
    (answers.and_then(|answers| task.finish(answers)).map(Happening::Gave), log)
}

/// The answer of a cell that only calls a built-in.
fn one_builtin(tools: &Tools, cell: &Cell) -> Result<CallAnswer, StepFailure> {
    let Some(effect) = cell.single_effect() else {
        return Err(StepFailure::new("unsupported_affordance", "the cell calls more than a built-in"));
    };
    // A built-in is nobody's: agents have no say in it.
    tools.quick(effect, ItemId(0)).map_err(|failure| StepFailure { cell: cell.at.clone(), ..failure })
}
