//! Questions that wait for people. A question holds no thread: the driver keeps it here, and a [`Desk`] shows it
//! (semantics spec, section 14.6).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

use crate::faculty::human::Given;
use crate::run::effect::{Effect, Question};
use crate::run::record::CallPlace;
use crate::run::{Graph, StepKey};

use super::message::Reply;

/// A question as it is put to people.
#[derive(Debug, Clone)]
pub struct OpenQuestion {
    /// What people call it: the step, and which of its questions when it has several: `1.2.3[4]#2`.
    pub id: Arc<str>,
    /// The step.
    pub step: StepKey,
    /// The concept it infers.
    pub concept: Arc<str>,
    /// Which cell, as axis names and positions from 0.
    pub cell: Vec<(String, usize)>,
    /// When it was asked, in milliseconds since 1970.
    pub asked_at: u64,
    /// When it is too late for an answer, in milliseconds since 1970; none when there is time.
    pub deadline: Option<u64>,
    /// The question.
    pub question: Question,
}

/// Where people are asked.
pub trait Desk: Send {
    /// A question appears. Messages (`say`, `close`) are only shown.
    fn open(&mut self, question: &OpenQuestion);

    /// A question is answered elsewhere, or the run stops.
    fn withdraw(&mut self, id: &str);

    /// Where answers come from. It may be closed when nobody can answer.
    fn answers(&self) -> Receiver<Given>;

    /// Returns whether an answer may still come while nothing else moves; else the run is suspended.
    fn waits(&self) -> bool;
}

/// A question and who waits for its answer.
pub(super) struct Waiting {
    pub(super) flight: u64,
    pub(super) place: CallPlace,
    pub(super) effect: Effect,
    pub(super) reply: Option<Reply>,
    pub(super) asked: OpenQuestion,
    /// When its deadline is, by the clock that is never set.
    pub(super) until: Option<Instant>,
}

/// All open questions of a run, by id.
#[derive(Default)]
pub(super) struct People {
    pub(super) desk: Option<Box<dyn Desk>>,
    pub(super) open: BTreeMap<Arc<str>, Waiting>,
    /// The deadlines of open questions, the next one first.
    due: BTreeSet<(Instant, Arc<str>)>,
    /// How many scripts are held up by a question.
    pub(super) scripts: usize,
}

impl People {
    pub(super) fn new(desk: Option<Box<dyn Desk>>) -> Self {
        Self { desk, open: BTreeMap::new(), due: BTreeSet::new(), scripts: 0 }
    }

    /// Shows a question.
    pub(super) fn show(&mut self, waiting: Waiting) {
        if let Some(desk) = &mut self.desk {
            desk.open(&waiting.asked);
        }
        self.scripts += usize::from(waiting.reply.is_some());
        self.due.extend(waiting.until.map(|until| (until, Arc::clone(&waiting.asked.id))));
        self.open.insert(Arc::clone(&waiting.asked.id), waiting);
    }

    /// Shows a message that wants no answer.
    pub(super) fn say(&mut self, message: &OpenQuestion) {
        if let Some(desk) = &mut self.desk {
            desk.open(message);
        }
    }

    /// The question an answer is for; none when it is not open any more.
    pub(super) fn close(&mut self, id: &str) -> Option<Waiting> {
        let waiting = self.open.remove(id)?;
        self.scripts -= usize::from(waiting.reply.is_some());
        if let Some(until) = waiting.until {
            self.due.remove(&(until, Arc::clone(&waiting.asked.id)));
        }
        if let Some(desk) = &mut self.desk {
            desk.withdraw(id);
        }
        Some(waiting)
    }

    /// A question whose deadline is over; it stays open until it is closed.
    pub(super) fn overdue(&self) -> Option<Arc<str>> {
        let (until, id) = self.due.first()?;
        (*until <= Instant::now()).then(|| Arc::clone(id))
    }

    /// Returns whether answers may still come.
    pub(super) fn waits(&self) -> bool {
        self.desk.as_ref().is_some_and(|d| d.waits())
    }

    pub(super) fn answers(&self) -> Receiver<Given> {
        self.desk.as_ref().map_or_else(crossbeam_channel::never, |d| d.answers())
    }
}

/// How long it is until a deadline. Wall clocks may have been set since the question was asked: nobody has longer than
/// the step says (durability spec, section 7).
pub(super) fn until(deadline: u64, now: u64, seconds: f64) -> Option<Instant> {
    let left = Duration::from_millis(deadline.saturating_sub(now));
    let most = Duration::try_from_secs_f64(seconds).ok()?;
    Instant::now().checked_add(left.min(most))
}

/// What people call a question.
pub fn question_id(graph: &Graph, step: &StepKey, place: CallPlace) -> Arc<str> {
    let name = graph.step_name(step);
    match (place.cell, place.number) {
        (0, 0) => Arc::from(name),
        (cell, 0) => Arc::from(format!("{name}#{}", cell + 1)),
        (cell, number) => Arc::from(format!("{name}#{}.{}", cell + 1, number + 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_back_gives_nobody_more_time() {
        let left = |now: u64| {
            until(10_000, now, 5.0).map(|until| until.saturating_duration_since(Instant::now()).as_millis())
        };
        assert!(left(0).is_some_and(|millis| (4_000..=5_000).contains(&millis)), "{:?}", left(0));
        assert!(left(9_000).is_some_and(|millis| millis <= 1_000));
        assert_eq!(left(10_000), Some(0));
        assert_eq!(left(99_000), Some(0));
        assert_eq!(until(u64::MAX, 0, f64::INFINITY), None);
    }
}
