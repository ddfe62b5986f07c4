//! Questions of a run that nobody works on: which are open, and an answer that is written down for the next resume
//! (semantics spec, section 14.6; durability spec, section 6).

use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::base::{Digest, Value};
use crate::run::effect::{CallAnswer, Effect, Question};
use crate::run::record::{Asked, CallPlace, Left, Record, answered};
use crate::run::replay::Replay;
use crate::run::{Graph, State};
use crate::store::Recovery;
use crate::store::index::Indexer;

use super::cells::Made;
use super::past::{Past, RunError};
use super::people::{OpenQuestion, question_id};
use super::recorder::Recorder;
use super::resume::Found;
use super::session::{Keeping, journal_options, look_up};

/// A question in the journal of a run.
#[derive(Debug, Clone)]
pub struct StoredQuestion {
    /// The question, as people see it.
    pub open: OpenQuestion,
    round: u32,
    place: CallPlace,
}

impl Past {
    /// The questions of the run that are not answered, in the order of the plan.
    ///
    /// # Errors
    /// When its journal cannot be read.
    pub fn questions(&self) -> Result<Vec<StoredQuestion>, RunError> {
        let plan = self.plan(self.epoch()?)?;
        let fresh = State::new(Arc::clone(&plan.graph), plan.data.clone());
        let replay = self.fold(Replay::new(fresh, self.validity()?).retrying(), u64::MAX, &mut |_, _| {})?;
        let Replay { asked, mut calls, .. } = replay;
        let mut found: Vec<StoredQuestion> = Vec::new();
        for (step, questions) in asked {
            let told = answered(calls.remove(&step).unwrap_or_default());
            let open =
                |asked: &Asked| told.get(&asked.place).is_none_or(|known| known.call.effect != asked.effect);
            found.extend(questions.into_values().filter(open).filter_map(|asked| stored(&plan.graph, asked)));
        }
        found.sort_by(|a, b| (&a.open.step, a.place).cmp(&(&b.open.step, b.place)));
        Ok(found)
    }
}

fn stored(graph: &Graph, asked: Asked) -> Option<StoredQuestion> {
    let deadline = asked.deadline();
    let Asked { step, round, place, at, cell, question, .. } = asked;
    let target = graph.inference(step.item).target;
    let open = OpenQuestion {
        id: question_id(graph, &step, place),
        concept: Arc::clone(graph.concept_name(target)),
        step,
        cell,
        asked_at: at,
        deadline,
        question: Question::from_json(&question)?,
    };
    Some(StoredQuestion { open, round, place })
}

impl Found {
    /// Writes down the answer to a question; a resume gives it to the step. On the disk when this returns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn answer(self, question: &StoredQuestion, value: Value, keeping: &Keeping) -> Result<(), RunError> {
        let plan = self.past.plan(self.past.epoch()?)?;
        let Self { past: Past { mut run, .. }, tail, recovery } = self;
        run.lock()?;
        let indexer = Indexer::start(&run, tail, look_up(&plan.graph));
        let journal = run.go_on(&tail, journal_options(keeping, Digest::default(), &indexer))?;
        let clock = Arc::clone(&keeping.clock);
        let mut recorder = Recorder::new(journal, run.id(), keeping.durability, clock, FxHashMap::default());
        if let Recovery::Repaired { note, .. } = &recovery {
            recorder.life(&Record::Repaired(note.clone()));
        }
        let made = Made {
            place: question.place,
            effect: Effect::Ask(question.open.question.clone()),
            answer: Ok(CallAnswer::of(value)),
            time: Duration::ZERO,
            model: None,
            left: Left::Open,
        };
        recorder.call(&question.open.step, question.round, made);
        let head = recorder.close()?;
        // An index that is out of date is made anew when it is needed.
        let _ = indexer.close(head);
        Ok(())
    }
}
