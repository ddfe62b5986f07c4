//! The threads that make calls, a lane for each kind of work with its own limit: a slow model holds up no script, and
//! hundreds of calls of models wait at once without a thread of the scripts.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender};

use crate::run::StepFailure;

use super::callback::Callback;
use super::came::{Came, Refused};
use super::message::{Done, Job, Lane, Message};
use super::tools::{Context, Tools};

/// So many calls a thread may be handed out beyond the one it makes, so that it never waits for the next one.
const AHEAD: usize = 4;

/// Stacks of threads that only wait for a server, so that hundreds of them cost little.
const SMALL_STACK: usize = 256 << 10;

/// All lanes.
pub(super) const LANES: [Lane; 3] = [Lane::Work, Lane::Model, Lane::Side];

/// The threads of all lanes.
pub(super) struct Lanes {
    lanes: [Threads; 3],
}

struct Threads {
    limit: usize,
    /// Jobs that were handed out and have not come back.
    out: usize,
    job_in: Sender<Job>,
    jobs: Receiver<Job>,
    threads: Vec<JoinHandle<()>>,
}

impl Threads {
    fn new(limit: usize) -> Self {
        let (job_in, jobs) = crossbeam_channel::unbounded();
        Self { limit: limit.max(1), out: 0, job_in, jobs, threads: Vec::new() }
    }
}

impl Lanes {
    /// Lanes with at most `jobs` scripts and `models` calls of models at once. No thread is started before it is needed.
    pub(super) fn new(jobs: usize, models: usize) -> Self {
        // Every script may ask for one thing at a time.
        Self { lanes: [Threads::new(jobs), Threads::new(models), Threads::new(jobs)] }
    }

    fn lane(&mut self, lane: Lane) -> &mut Threads {
        &mut self.lanes[lane as usize]
    }

    /// Returns whether any job can come to its end, `held` scripts waiting for people. Jobs that wait for the threads of
    /// those scripts wait for people, too.
    pub(super) fn can_move(&self, held: usize) -> bool {
        let [work, model, side] = &self.lanes;
        work.out.min(work.threads.len()) > held || model.out > 0 || side.out > 0
    }

    /// Returns whether more may be handed out. What must not run twice is not even announced before it can start.
    pub(super) fn has_room(&self, lane: Lane, once: bool) -> bool {
        let lane = &self.lanes[lane as usize];
        lane.out < if once { lane.limit } else { lane.limit * (1 + AHEAD) }
    }

    /// Counts a job that will be sent soon.
    pub(super) fn reserve(&mut self, lane: Lane) {
        self.lane(lane).out += 1;
    }

    /// A job has come back, or will not be sent.
    pub(super) fn release(&mut self, lane: Lane) {
        let lane = self.lane(lane);
        lane.out = lane.out.saturating_sub(1);
    }

    /// Sends a job that was counted. Where no thread can be had, the job comes back.
    pub(super) fn send(
        &mut self,
        lane: Lane,
        job: Job,
        tools: &Arc<Tools>,
        done: &Sender<Message>,
    ) -> Option<Job> {
        let threads = self.lane(lane);
        if threads.threads.len() < threads.limit && threads.threads.len() < threads.out {
            let (tools, queue, done) = (Arc::clone(tools), threads.jobs.clone(), done.clone());
            let name = format!("{lane:?} {}", threads.threads.len()).to_lowercase();
            let mut thread = std::thread::Builder::new().name(name);
            if lane == Lane::Model {
                thread = thread.stack_size(SMALL_STACK);
            }
            if let Ok(thread) = thread.spawn(move || work(lane, &tools, &queue, &done)) {
                threads.threads.push(thread);
            }
        }
        if threads.threads.is_empty() {
            return Some(job);
        }
        threads.job_in.send(job).err().map(|refused| refused.0)
    }

    /// Takes back all jobs that no thread has begun.
    pub(super) fn withdraw(&mut self) -> Vec<(Lane, Job)> {
        let take = |lane: Lane| self.lanes[lane as usize].jobs.try_iter().map(move |job| (lane, job));
        LANES.into_iter().flat_map(take).collect()
    }

    /// Ends all threads, once they have done what they are at.
    pub(super) fn join(self) {
        for Threads { job_in, threads, .. } in self.lanes {
            drop(job_in);
            for thread in threads {
                let _ = thread.join();
            }
        }
    }
}

/// Takes jobs until there are no more.
fn work(lane: Lane, tools: &Tools, jobs: &Receiver<Job>, done: &Sender<Message>) {
    for job in jobs {
        let came = caught(&job.step_name, || make(tools, &job, done));
        if done.send(Message::Call(Box::new(Done { lane, job, came }))).is_err() {
            return;
        }
    }
}

/// Makes a call whose fault ends neither its thread nor the run: a call that never came back would be waited for.
fn caught(step: &str, call: impl FnOnce() -> Result<Came, Refused>) -> Result<Came, Refused> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| {
        let failure =
            StepFailure::new("internal", format!("the call of step {step} ended in a fault of normc"));
        Err(Refused::from(failure.help("please report it, with the lines about it on standard error")))
    })
}

/// Makes one call.
pub(super) fn make(tools: &Tools, job: &Job, done: &Sender<Message>) -> Result<Came, Refused> {
    let callback = Callback::new(done.clone(), job.flight, job.place.cell);
    let context = Context {
        timeout: job.timeout,
        identity: job.identity.clone(),
        step: &job.step_name,
        item: job.item,
        round: job.round,
        place: job.place,
        // What a script asks for may not itself be a script that asks.
        callback: job.reply.is_none().then_some(&callback),
    };
    tools.call(&job.effect, &context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_a_failure_of_its_step() {
        let failure = match caught("1.2", || panic!("on purpose")) {
            Err(refused) => refused.failure,
            Ok(_) => panic!("it gave something"),
        };
        assert_eq!(failure.kind, "internal");
        assert!(failure.message.contains("step 1.2"), "{}", failure.message);
    }
}
