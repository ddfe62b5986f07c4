//! What the cells of steps ask for: prepared, announced, sent to threads or to people, and given back.
//!
//! The order is always the same: what is about to happen is written down, then it happens, then its answer is written
//! down, and only then does the cell go on to something others can see (durability spec, section 4).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

use crate::base::Value;
use crate::faculty::FailureKind;
use crate::faculty::human::Given;
use crate::run::StepFailure;
use crate::run::effect::{CallAnswer, Effect, Question, QuestionKind};
use crate::run::record::{Asked, CallPlace, Left, ModelUse, answered, deadline};
use crate::run::sequence::SemanticTask;
use crate::run::state::Ready;

use super::came::{Came, Refused};
use super::cells::{CellFlight, Made, Next, sought};
use super::claims::Looker;
use super::driver::{Driver, happening};
use super::flight::{Flight, FlightKind, Post, Prepared};
use super::identity::{call_identity, step_key};
use super::lanes::{LANES, make};
use super::message::{Asking, Done, Job, Lane, Reply};
use super::people::{OpenQuestion, Waiting, question_id, until};
use super::recorder::Reach;

/// The lane of an effect; none for what people are asked.
fn lane_of(effect: &Effect) -> Option<Lane> {
    match effect {
        Effect::Ask(_) => None,
        Effect::Generate(_) => Some(Lane::Model),
        _ => Some(Lane::Work),
    }
}

impl Driver<'_> {
    /// Lets the cells of a step go as far as they can alone.
    pub(super) fn prepare(&mut self, ready: Ready, task: Box<SemanticTask>) {
        let step = self.state.step(ready);
        let name: Arc<str> = Arc::from(self.graph.step_name(&step));
        let (mut recorded, mut asked) = (Vec::new(), BTreeMap::new());
        if !self.unfinished.calls.is_empty() || !self.unfinished.asked.is_empty() {
            recorded = self.unfinished.calls.remove(&step).unwrap_or_default();
            asked = self.unfinished.asked.remove(&step).unwrap_or_default();
        }
        let mut cells = Box::new(CellFlight::new(
            task,
            name,
            answered(recorded),
            asked,
            (self.claims.step(), ready.item),
        ));
        let (mut firsts, mut made) = (Vec::new(), Vec::new());
        for cell in 0..cells.len() as u32 {
            let next = cells.begin(cell, &self.tools, &mut self.claims);
            made.extend(next.made);
            firsts.extend(next.ask);
            // The step has failed; nobody need be asked for its other cells.
            if cells.has_failed() {
                firsts.clear();
                break;
            }
        }
        let prepared = Prepared { ready, step, cells, firsts, made };
        match prepared.firsts.iter().find_map(|(_, effect)| lane_of(effect)) {
            Some(lane) => {
                self.waiting[lane as usize].push_back(prepared);
                self.hand_out();
            }
            None => self.announce(prepared),
        }
    }

    /// Hands out the calls of waiting steps, as far as there are threads for them.
    pub(super) fn hand_out(&mut self) {
        if self.is_stopping() || self.fails_fast() {
            self.waiting.iter_mut().for_each(std::collections::VecDeque::clear);
        }
        if self.budget.is_some() {
            self.waiting[Lane::Model as usize].clear();
        }
        for lane in LANES {
            while let Some(next) = self.waiting[lane as usize].front() {
                if !self.lanes.has_room(lane, next.cells.is_once()) {
                    break;
                }
                if let Some(prepared) = self.waiting[lane as usize].pop_front() {
                    self.announce(prepared);
                }
            }
        }
    }

    /// Writes down that a step is about to ask, and lets its cells ask.
    fn announce(&mut self, prepared: Prepared) {
        let Prepared { ready, step, mut cells, firsts, made } = prepared;
        let outside = firsts.iter().any(|(_, effect)| effect.is_outside());
        let reach = match (cells.is_once(), outside) {
            (true, _) => Reach::Once,
            (false, true) => Reach::Outside,
            (false, false) => Reach::Script,
        };
        if let Some(recorder) = self.recorder.as_deref_mut().filter(|_| self.failure.is_none())
            && !firsts.is_empty()
        {
            let key = step_key(recorder.run(), &cells.name, ready.item, &firsts, &self.tools);
            cells.key = Some(key);
            recorder.intent(&step, ready.round, key, reach);
        }
        let over = cells.is_over() || cells.has_failed();
        let flight = self.enter(ready, step, FlightKind::Cells(cells), Some(reach));
        self.write_calls(flight, made);
        if over {
            self.land(flight);
        }
        for (place, effect) in firsts {
            self.dispatch(flight, place, effect, None);
        }
    }

    /// Sends what a cell, or a script of it, asks for on its way.
    fn dispatch(&mut self, flight: u64, place: CallPlace, effect: Effect, reply: Option<Reply>) {
        if self.is_stopping() {
            self.not_now(flight, reply);
            return;
        }
        if let Effect::Ask(question) = &effect {
            let item = self.flights.get(&flight).map(|f| f.ready.item);
            if let Some(Err(failure)) = item.map(|item| self.tools.may(item, &effect)) {
                self.arrived(flight, place, effect, Err(Refused::from(failure)), reply);
                return;
            }
            let question = question.clone();
            self.post(flight, place, &effect, question, reply);
            return;
        }
        if let (Some(path), None) = (sought(&effect), &reply) {
            let Some(Flight { ready, .. }) = self.flights.get(&flight) else { return };
            let path = self.tools.file_key(ready.item, path);
            self.claims.wait(&path, Looker { flight, place, effect });
            return;
        }
        let lane = match (lane_of(&effect), &reply) {
            (Some(Lane::Model), _) => Lane::Model,
            (_, Some(_)) => Lane::Side,
            (_, None) => Lane::Work,
        };
        if lane == Lane::Model && self.budget.is_some() {
            self.not_now(flight, reply);
            return;
        }
        let Some(Flight { ready, kind: FlightKind::Cells(cells), reach, .. }) = self.flights.get_mut(&flight)
        else {
            return;
        };
        if effect.is_outside() {
            *reach = (*reach).max(Some(Reach::Outside));
            // It may come after what only had to be written.
            if let Some(recorder) = self.recorder.as_deref_mut().filter(|_| self.failure.is_none()) {
                recorder.require(Reach::Outside);
            }
        }
        let run = self.recorder.as_deref().filter(|_| cells.key.is_some()).map(|r| Arc::clone(r.run()));
        let identity =
            run.map(|run| call_identity(&run, &cells.name, place, &effect, ready.item, &self.tools));
        let job = Job {
            flight,
            step_name: Arc::clone(&cells.name),
            item: ready.item,
            round: ready.round,
            place,
            effect,
            timeout: cells.timeout(),
            identity,
            reply,
        };
        self.lanes.reserve(lane);
        self.outbox.push((lane, job));
    }

    /// Puts a question to people, or shows them a message.
    fn post(
        &mut self,
        flight: u64,
        place: CallPlace,
        effect: &Effect,
        question: Question,
        reply: Option<Reply>,
    ) {
        let Some(Flight { ready, step, kind: FlightKind::Cells(cells), reach }) =
            self.flights.get_mut(&flight)
        else {
            return;
        };
        *reach = (*reach).max(Some(Reach::Outside));
        let digest = effect.digest();
        let before = cells.asked_before(place, &digest).map(|asked| (asked.at, asked.timeout()));
        // A script has the time a person takes for nothing, so its limit says nothing about people.
        let timeout = cells.timeout().filter(|_| reply.is_none());
        let cell = cells.at(place.cell).to_vec();
        let now = self.recorder.as_deref().map_or(0, super::recorder::Recorder::now);
        let target = self.graph.inference(step.item).target;
        let asked_at = before.map_or(now, |(at, _)| at);
        let deadline = timeout.and_then(|seconds| deadline(asked_at, seconds));
        let open = OpenQuestion {
            id: question_id(&self.graph, step, place),
            step: step.clone(),
            concept: Arc::clone(&self.graph.model.concepts[target.0 as usize].name),
            cell: cell.clone(),
            asked_at,
            deadline,
            question,
        };
        if open.question.kind.is_message() {
            self.posts.push(Post::Message(open, flight, place, effect.clone(), reply));
            return;
        }
        // Who changes the time there is has it written down anew.
        if before != Some((asked_at, timeout)) {
            let asked = Asked {
                step: step.clone(),
                round: ready.round,
                place,
                at: asked_at,
                effect: digest,
                cell,
                question: Asked::question(open.question.to_json(), timeout),
            };
            if let Some(recorder) = self.recorder.as_deref_mut().filter(|_| self.failure.is_none()) {
                recorder.asked(&asked);
            }
        }
        self.posts.push(Post::Question(Waiting {
            flight,
            place,
            effect: effect.clone(),
            reply,
            until: deadline.zip(timeout).and_then(|(deadline, seconds)| until(deadline, now, seconds)),
            asked: open,
        }));
    }

    /// Lets cells look for files that others have written meanwhile, or have given up to write.
    fn look_again(&mut self) {
        if self.is_stopping() || self.budget.is_some() || self.fails_fast() {
            for looker in self.claims.give_up() {
                self.not_now(looker.flight, None);
            }
        }
        while let Some(Looker { flight, place, effect }) = self.claims.next() {
            let Some(Flight { kind: FlightKind::Cells(cells), .. }) = self.flights.get_mut(&flight) else {
                continue;
            };
            let next = cells.look(place, effect, &self.tools, &mut self.claims);
            self.went_on(flight, next);
        }
    }

    /// A cell has gone on: to its next call, or to its end.
    fn went_on(&mut self, flight: u64, next: Next) {
        self.write_calls(flight, next.made);
        match next.ask {
            Some((place, effect)) => self.dispatch(flight, place, effect, None),
            None => self.land_if_over(flight),
        }
    }

    /// Brings what was recorded to its level, then lets happen what waits for that; and so on, as long as what happens at
    /// once leads to more.
    pub(super) fn send_out(&mut self) {
        loop {
            self.look_again();
            self.hand_out();
            self.record(super::recorder::Recorder::settle);
            if self.failure.is_some() {
                self.hold_back();
                return;
            }
            self.let_happen();
            if self.is_sent() {
                return;
            }
            self.look_for_interrupt();
        }
    }

    /// Returns whether nothing waits for records.
    pub(super) fn is_sent(&self) -> bool {
        self.replies.is_empty() && self.posts.is_empty() && self.outbox.is_empty() && !self.claims.has_woken()
    }

    /// What could not be written down does not happen.
    fn hold_back(&mut self) {
        self.replies.clear();
        for post in std::mem::take(&mut self.posts) {
            match post {
                Post::Question(Waiting { flight, reply, .. }) | Post::Message(_, flight, _, _, reply) => {
                    self.not_now(flight, reply);
                }
            }
        }
        for (lane, job) in std::mem::take(&mut self.outbox) {
            self.lanes.release(lane);
            self.not_now(job.flight, job.reply);
        }
    }

    /// Lets happen what waited for records. What comes of it at once waits for its own.
    fn let_happen(&mut self) {
        let outbox = std::mem::take(&mut self.outbox);
        for (reply, answer) in std::mem::take(&mut self.replies) {
            // The script may have been ended in the meantime.
            let _ = reply.send(answer);
        }
        for post in std::mem::take(&mut self.posts) {
            match post {
                // It was asked in an earlier process, and its time is over.
                Post::Question(waiting) if waiting.until.is_some_and(|until| until <= Instant::now()) => {
                    self.too_late(waiting);
                }
                Post::Question(waiting) => {
                    self.watch.asked(&self.graph, &waiting.asked.step, &waiting.asked.question);
                    self.people.show(waiting);
                }
                Post::Message(message, flight, place, effect, reply) => {
                    self.watch.asked(&self.graph, &message.step, &message.question);
                    self.people.say(&message);
                    let answer = said(&message);
                    self.arrived(flight, place, effect, Ok(Came::at_once(CallAnswer::of(answer))), reply);
                }
            }
        }
        for (lane, job) in outbox {
            if let Some(job) = self.lanes.send(lane, job, &self.tools, &self.message_in) {
                let came = make(&self.tools, &job, &self.message_in);
                self.came_back(Done { lane, job, came });
            }
        }
    }

    /// A call came back from its thread.
    pub(super) fn came_back(&mut self, done: Done) {
        let Done { lane, job, came } = done;
        self.lanes.release(lane);
        match came {
            // What was ended by the user has neither failed nor given anything: it is open, and runs again on a resume.
            Err(refused) if refused.failure.kind == FailureKind::Interrupted.as_str() => {
                // A call of a model that cost nothing was never sent; one that was sent is paid for.
                let begun = lane != Lane::Model || refused.model.is_some();
                if refused.model.is_some() {
                    self.pay(job.flight, refused.model.as_deref());
                    let Refused { failure, model } = refused;
                    let (time, answer, left) = (Duration::ZERO, Err(*failure), Left::Open);
                    let Job { place, effect, .. } = job;
                    self.write_calls(job.flight, vec![Made { place, effect, answer, time, model, left }]);
                }
                self.end_of(job.flight, job.reply, begun);
            }
            Err(refused) if refused.failure.kind == FailureKind::BudgetSpent.as_str() => {
                if self.budget.is_none() {
                    self.budget = Some(*refused.failure);
                    // Calls that still wait for their turn would only find the same, one by one.
                    self.tools.hold();
                }
                self.not_now(job.flight, job.reply);
            }
            came => self.arrived(job.flight, job.place, job.effect, came, job.reply),
        }
    }

    /// Adds what a call of a step cost to what the run has cost.
    fn pay(&mut self, flight: u64, model: Option<&ModelUse>) {
        let Some(ModelUse { spent, .. }) = model else { return };
        self.spent.add(spent);
        let item = self.flights.get(&flight).map(|flight| flight.ready.item);
        if let Some(times) = item.and_then(|item| self.times.get_mut(item.at())) {
            times.spent.add(spent);
        }
    }

    /// There is an answer, or a failure, for a cell or for a script of it.
    fn arrived(
        &mut self,
        flight: u64,
        place: CallPlace,
        effect: Effect,
        came: Result<Came, Refused>,
        reply: Option<Reply>,
    ) {
        let (Ok(Came { model, .. }) | Err(Refused { model, .. })) = &came;
        self.pay(flight, model.as_deref());
        let Some(Flight { kind: FlightKind::Cells(cells), .. }) = self.flights.get_mut(&flight) else {
            return;
        };
        if let Some(reply) = reply {
            let (time, model, answer) = match came {
                Ok(came) => (came.duration, came.model, Ok(came.answer)),
                Err(refused) => (Duration::ZERO, refused.model, Err(*refused.failure)),
            };
            cells.add_use(place, model.as_deref());
            let made = Made { place, effect, answer: answer.clone(), time, model, left: Left::Open };
            self.write_calls(flight, vec![made]);
            self.replies.push((reply, answer));
            return;
        }
        let next = cells.answer(place, effect, came, &self.tools, &mut self.claims);
        self.went_on(flight, next);
    }

    /// A script asks for something while it runs.
    pub(super) fn asking(&mut self, asking: Asking) {
        let Asking { flight, cell, effect, reply } = asking;
        let Some(Flight { ready, kind: FlightKind::Cells(cells), .. }) = self.flights.get_mut(&flight) else {
            return;
        };
        let place = cells.next_place(cell);
        if let Some(answer) = cells.recorded(place, &effect) {
            let _ = reply.send(Ok(answer));
            return;
        }
        if effect.is_quick() {
            let came = self.tools.quick(&effect, ready.item).map(Came::at_once).map_err(Refused::from);
            self.arrived(flight, place, effect, came, Some(reply));
            return;
        }
        self.dispatch(flight, place, effect, Some(reply));
    }

    /// A person answered.
    pub(super) fn given(&mut self, id: &str, value: Value) {
        let Some(Waiting { flight, place, effect, reply, .. }) = self.people.close(id) else { return };
        let answer = self.tools.given(value);
        self.arrived(flight, place, effect, Ok(Came::at_once(answer)), reply);
    }

    /// Closes the questions whose deadline is over. What has been answered in time counts.
    pub(super) fn look_for_deadlines(&mut self, answers: &Receiver<Given>) {
        if self.is_stopping() || self.people.overdue().is_none() {
            return;
        }
        self.take_answers(answers);
        while let Some(id) = self.people.overdue() {
            let Some(waiting) = self.people.close(&id) else { return };
            self.too_late(waiting);
        }
    }

    /// Nobody has answered in time, and the cell fails (semantics spec, section 14.8).
    fn too_late(&mut self, waiting: Waiting) {
        let Waiting { flight, place, effect, reply, asked, .. } = waiting;
        let until = asked.deadline.map(crate::base::iso).unwrap_or_default();
        let message = format!("nobody answered the question {} until {until}", asked.id);
        let failure = StepFailure::new(FailureKind::NoAnswerInTime.as_str(), message).help(
            "go on with the run to ask again; `| %{timeout}: SECONDS` on the step says how long there is, and \
             without that line there is no limit",
        );
        self.arrived(flight, place, effect, Err(Refused::from(failure)), reply);
    }

    /// What was asked for has not begun, and will not in this process.
    fn not_now(&mut self, flight: u64, reply: Option<Reply>) {
        self.end_of(flight, reply, false);
    }

    /// What was asked for will not be answered in this process.
    fn end_of(&mut self, flight: u64, reply: Option<Reply>, in_doubt: bool) {
        if let Some(reply) = reply {
            // The script is ended with this, and its own call comes back as interrupted.
            let over = StepFailure::new(
                FailureKind::Interrupted.as_str(),
                "the run stops before there is an answer",
            );
            let _ = reply.send(Err(over));
            return;
        }
        if let Some(Flight { kind: FlightKind::Cells(cells), .. }) = self.flights.get_mut(&flight) {
            cells.give_up(in_doubt);
            cells.release(&mut self.claims);
        }
        self.land_if_over(flight);
    }

    /// Takes what people have answered.
    fn take_answers(&mut self, answers: &Receiver<Given>) {
        while let Ok((id, value)) = answers.try_recv() {
            self.given(&id, value);
        }
    }

    /// Nothing can move before a person answers, and nobody can: the steps that wait stay open. What was answered already
    /// is kept.
    pub(super) fn suspend(&mut self, answers: &Receiver<Given>) {
        self.take_answers(answers);
        let ids: Vec<Arc<str>> = self.people.open.keys().cloned().collect();
        for id in ids {
            if let Some(Waiting { flight, reply, asked, .. }) = self.people.close(&id) {
                self.open_questions.push(asked);
                self.not_now(flight, reply);
            }
        }
    }

    /// Takes back what no thread has begun.
    pub(super) fn withdraw(&mut self) {
        self.waiting.iter_mut().for_each(std::collections::VecDeque::clear);
        let queued: Vec<(Lane, Job)> =
            self.lanes.withdraw().into_iter().chain(self.outbox.drain(..)).collect();
        for (lane, job) in queued {
            self.lanes.release(lane);
            self.not_now(job.flight, job.reply);
        }
    }

    fn write_calls(&mut self, flight: u64, made: Vec<Made>) {
        let Some(Flight { ready, step, .. }) = self.flights.get(&flight) else { return };
        for made in made {
            if let Some(recorder) = self.recorder.as_deref_mut().filter(|_| self.failure.is_none()) {
                recorder.call(step, ready.round, made);
            }
        }
    }

    fn land_if_over(&mut self, flight: u64) {
        let over = match self.flights.get(&flight) {
            Some(Flight { kind: FlightKind::Cells(cells), .. }) => cells.is_over(),
            _ => false,
        };
        if over {
            self.land(flight);
        }
    }

    /// All cells of a step are over.
    fn land(&mut self, flight: u64) {
        let Some(Flight { ready, step, kind: FlightKind::Cells(cells), reach }) =
            self.flights.remove(&flight)
        else {
            return;
        };
        cells.release(&mut self.claims);
        if cells.is_broken() && !cells.has_failed() {
            // It has neither failed nor given anything: it goes on from here with a resume.
            if !cells.is_in_doubt()
                && let Some(recorder) = self.recorder.as_deref_mut().filter(|_| self.failure.is_none())
            {
                recorder.take_back(step, "it had not come to its end");
            }
            return;
        }
        let (done, log) = cells.land();
        self.count(ready, &log);
        self.commit(ready, ready.round, happening(done), Some(&log), reach);
    }
}

/// What a step is told that showed a message.
fn said(message: &OpenQuestion) -> Value {
    let fields = match message.question.kind {
        QuestionKind::Close => serde_json::json!({"status": "closed"}),
        _ => serde_json::json!({"sent": true, "timestamp": crate::base::iso(message.asked_at)}),
    };
    Value::from_data_json(&fields)
}
