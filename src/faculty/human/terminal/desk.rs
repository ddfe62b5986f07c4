//! The terminal of a run: the thread that asks one question after the other.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, TryRecvError};

use super::super::posted::{Given, Posted};
use super::super::reception::{Desk, Waiting};
use super::dialogue::{Asked, Console, ask};
use crate::base::plain_text;

/// Told that the terminal is wanted for a question (true), and that it is free again (false): whatever else writes there
/// makes room.
pub type Stage = Arc<dyn Fn(bool) + Send + Sync>;

/// The terminal of a run.
pub struct Terminal {
    waiting: Waiting,
    /// What the thread will need; none once it has begun.
    talk: Option<Talk>,
    questions: Option<Sender<Arc<Posted>>>,
    thread: Option<JoinHandle<()>>,
    shows_messages: bool,
}

impl Terminal {
    /// A front end at a console. Relative paths in answers stand relative to `base`. `shows_messages` also shows what
    /// steps say and nobody has to answer.
    pub fn new(
        console: Box<dyn Console>,
        base: &Path,
        given: Sender<Given>,
        stage: Stage,
        shows_messages: bool,
    ) -> Self {
        let waiting = Waiting::default();
        let (questions, coming) = crossbeam_channel::unbounded();
        let queue = Queue { coming, questions: VecDeque::new(), is_over: false };
        let (base, waits) = (base.to_path_buf(), waiting.clone());
        let talk = Talk { console, base, given, stage, waiting: waits, queue };
        Self { waiting, talk: Some(talk), questions: Some(questions), thread: None, shows_messages }
    }

    /// Hands a question to the thread, which begins with the first one.
    fn tell(&mut self, question: Arc<Posted>) {
        if let Some(mut talk) = self.talk.take() {
            let thread = std::thread::Builder::new().name("terminal".to_owned());
            self.thread = thread.spawn(move || talk.run()).ok();
        }
        let told = self.questions.as_ref().is_some_and(|questions| questions.send(question).is_ok());
        if !told || self.thread.is_none() {
            self.waiting.close();
        }
    }
}

impl Desk for Terminal {
    fn open(&mut self, question: &Arc<Posted>) -> bool {
        let wanted = match question.asked.kind.is_message() {
            true => self.shows_messages && !question.asked.prompt.is_empty(),
            false => self.waiting.add(&question.id),
        };
        if wanted {
            self.tell(Arc::clone(question));
        }
        false
    }

    fn withdraw(&mut self, id: &str) {
        self.waiting.remove(id);
    }

    fn waits(&self) -> bool {
        self.waiting.any()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // The thread leaves when nobody can tell it anything any more.
        self.questions = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What the thread has.
struct Talk {
    console: Box<dyn Console>,
    base: PathBuf,
    given: Sender<Given>,
    stage: Stage,
    waiting: Waiting,
    queue: Queue,
}

/// Questions to come.
struct Queue {
    coming: Receiver<Arc<Posted>>,
    questions: VecDeque<Arc<Posted>>,
    /// Nobody can open a question any more.
    is_over: bool,
}

impl Queue {
    /// Takes in what has come.
    fn fill(&mut self) {
        loop {
            match self.coming.try_recv() {
                Ok(question) => self.questions.push_back(question),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => {
                    self.is_over = true;
                    return;
                }
            }
        }
    }
}

impl Talk {
    fn run(&mut self) {
        while let Ok(first) = self.queue.coming.recv() {
            self.queue.questions.push_back(first);
            (self.stage)(true);
            let mut is_there = true;
            while let Some(question) = self.queue.questions.pop_front()
                && is_there
                && !self.queue.is_over
            {
                is_there = self.talk(&question);
                self.queue.fill();
            }
            (self.stage)(false);
            if !is_there || self.queue.is_over {
                break;
            }
        }
        self.waiting.close();
    }

    /// Puts one question; false when the terminal is gone.
    fn talk(&mut self, question: &Arc<Posted>) -> bool {
        let Self { console, base, given, waiting, queue, .. } = self;
        if question.asked.kind.is_message() {
            let text = format!("{}: {}\n", question.place(), question.asked.prompt);
            console.show(&plain_text(&text));
            return true;
        }
        if !waiting.has(&question.id) {
            return true;
        }
        queue.fill();
        let others = queue.questions.iter().filter(|q| waiting.has(&q.id)).count();
        let asked = ask(console.as_mut(), question, others, base, &mut || {
            queue.fill();
            queue.is_over || !waiting.has(&question.id)
        });
        match asked {
            // Whoever takes the answer withdraws the question.
            Asked::Answered(value) => drop(given.send((Arc::clone(&question.id), value))),
            Asked::Later => {
                console.show(&format!("\n  ({} stays open)\n", question.id));
                waiting.remove(&question.id);
            }
            Asked::Left => console.show(&format!("\n  ({} is not asked any more)\n", question.id)),
            Asked::Gone => return false,
        }
        true
    }
}
