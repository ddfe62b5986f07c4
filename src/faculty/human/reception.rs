//! Several front ends as one: a question is shown at all of them, the first answer wins. Knows nothing of how any of them
//! asks (semantics spec, section 14.6).

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::Receiver;

use super::posted::{Given, Posted};

/// Told what a front end has to say while nobody asks it; from any thread.
pub type Note = Arc<dyn Fn(&str) + Send + Sync>;

/// A front end: a place where people see questions. Answers go into the channel it was made with, and fit their
/// question; whoever takes one from there withdraws its question.
pub trait Desk: Send {
    /// A question appears, or a message that wants no answer. Returns whether the answer has been given at once, so that
    /// nobody else need be asked.
    fn open(&mut self, question: &Arc<Posted>) -> bool;

    /// A question is answered elsewhere, or the run stops.
    fn withdraw(&mut self, id: &str);

    /// Returns whether an answer to a question shown here may still come.
    fn waits(&self) -> bool;
}

/// All front ends of a run, in the order in which they are asked. No default is ever taken by itself.
pub struct Reception {
    desks: Vec<Box<dyn Desk>>,
    answers: Receiver<Given>,
}

impl Reception {
    /// The front ends, and the other end of the channel all of them were made with.
    pub fn new(desks: Vec<Box<dyn Desk>>, answers: Receiver<Given>) -> Self {
        Self { desks, answers }
    }

    /// Shows a question or a message.
    pub fn open(&mut self, question: Posted) {
        let question = Arc::new(question);
        for desk in &mut self.desks {
            if desk.open(&question) {
                return;
            }
        }
    }

    /// A question is answered, or the run stops.
    pub fn withdraw(&mut self, id: &str) {
        self.desks.iter_mut().for_each(|desk| desk.withdraw(id));
    }

    /// Where answers come from. A question may be answered twice when two people are quick: the first one counts.
    pub fn answers(&self) -> Receiver<Given> {
        self.answers.clone()
    }

    /// Returns whether an answer may still come while nothing else moves.
    pub fn waits(&self) -> bool {
        // What was answered at once lies there, though no front end waits.
        self.desks.iter().any(|desk| desk.waits()) || !self.answers.is_empty()
    }
}

/// The questions a front end waits for, shared with its thread.
#[derive(Debug, Clone, Default)]
pub(super) struct Waiting(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    ids: BTreeSet<Arc<str>>,
    /// Nobody is there any more.
    closed: bool,
}

impl Waiting {
    fn with<T>(&self, act: impl FnOnce(&mut Held) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes a question; false when nobody is there any more.
    pub(super) fn add(&self, id: &Arc<str>) -> bool {
        self.with(|held| {
            if !held.closed {
                held.ids.insert(Arc::clone(id));
            }
            !held.closed
        })
    }

    /// No answer comes to this one from here.
    pub(super) fn remove(&self, id: &str) {
        self.with(|held| held.ids.remove(id));
    }

    /// Returns whether an answer to this one may come.
    pub(super) fn has(&self, id: &str) -> bool {
        self.with(|held| held.ids.contains(id))
    }

    /// No answer comes from here any more.
    pub(super) fn close(&self) {
        self.with(|held| {
            held.closed = true;
            held.ids.clear();
        });
    }

    /// Returns whether there is one an answer may come to.
    pub(super) fn any(&self) -> bool {
        self.with(|held| !held.ids.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::super::posted::tests::question;
    use super::*;
    use crate::base::{QuestionKind as Kind, Value};

    /// Notes what happens, and answers what it knows.
    struct Fake {
        name: &'static str,
        knows: Option<&'static str>,
        seen: Arc<Mutex<Vec<String>>>,
        given: crossbeam_channel::Sender<Given>,
    }

    impl Desk for Fake {
        fn open(&mut self, question: &Arc<Posted>) -> bool {
            self.seen.lock().unwrap().push(format!("{} opens {}", self.name, question.id));
            let answers = self.knows == Some(&*question.id);
            if answers {
                self.given.send((Arc::clone(&question.id), Value::text(self.name))).unwrap();
            }
            answers
        }

        fn withdraw(&mut self, id: &str) {
            self.seen.lock().unwrap().push(format!("{} withdraws {id}", self.name));
        }

        fn waits(&self) -> bool {
            false
        }
    }

    #[test]
    fn whoever_answers_at_once_spares_the_others() {
        let (given, answers) = crossbeam_channel::unbounded();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let fake = |name, knows| -> Box<dyn Desk> {
            Box::new(Fake { name, knows, seen: Arc::clone(&seen), given: given.clone() })
        };
        let mut reception = Reception::new(vec![fake("file", Some("1")), fake("people", None)], answers);
        reception.open(question("2", Kind::Text));
        assert!(!reception.waits());
        reception.open(question("1", Kind::Text));
        assert!(reception.waits(), "an answer lies there, though nobody waits");
        assert_eq!(&*reception.answers().recv().unwrap().0, "1");
        assert!(!reception.waits());
        reception.withdraw("1");
        let wanted =
            ["file opens 2", "people opens 2", "file opens 1", "file withdraws 1", "people withdraws 1"];
        assert_eq!(*seen.lock().unwrap(), wanted);
    }

    #[test]
    fn nobody_waits_behind_a_closed_door() {
        let waiting = Waiting::default();
        let id: Arc<str> = Arc::from("1");
        assert!(waiting.add(&id) && waiting.any());
        waiting.remove("1");
        assert!(!waiting.any());
        assert!(waiting.add(&id));
        waiting.close();
        assert!(!waiting.any() && !waiting.add(&id) && !waiting.any());
    }
}
