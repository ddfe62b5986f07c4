//! One cell of a semantic step: the work that gives one combination of inputs its answer.

use crate::run::effect::{CallAnswer, Effect};
use crate::run::event::StepFailure;
use crate::run::paradigm::{Machine, Turn};

use super::writer::Writer;

/// The work for one combination of inputs, as far as it has come.
#[derive(Debug, Clone)]
pub struct Cell {
    /// Which cell it makes, as axis names and positions; empty when there is only one.
    pub at: Vec<(String, usize)>,
    work: Work,
}

#[derive(Debug, Clone)]
enum Work {
    /// One effect whose answer is the cell's.
    Direct(Effect),
    /// The plan of a paradigm.
    Composed(Box<Machine>),
    /// A script that a model writes.
    Written(Box<Writer>),
}

impl Cell {
    /// A cell whose answer is that of one effect.
    pub fn direct(effect: Effect, at: Vec<(String, usize)>) -> Self {
        Self { at, work: Work::Direct(effect) }
    }

    /// A cell whose answer a paradigm makes.
    pub fn composed(machine: Machine, at: Vec<(String, usize)>) -> Self {
        Self { at, work: Work::Composed(Box::new(machine)) }
    }

    /// A cell whose answer is that of a script that may have to be written first.
    pub(super) fn written(writer: Writer, at: Vec<(String, usize)>) -> Self {
        Self { at, work: Work::Written(Box::new(writer)) }
    }

    /// The one effect of a cell that needs no more.
    pub fn single_effect(&self) -> Option<&Effect> {
        match &self.work {
            Work::Direct(effect) => Some(effect),
            Work::Composed(_) | Work::Written(_) => None,
        }
    }

    /// Goes on to the next effect or to the end. `answer` is that of the effect it stopped at, none at the start.
    ///
    /// # Errors
    /// What the cell fails with, with its place.
    pub fn advance(&mut self, answer: Option<CallAnswer>) -> Result<Turn, StepFailure> {
        let turn = match &mut self.work {
            Work::Direct(effect) => Ok(match answer {
                None => Turn::Effect(effect.clone()),
                Some(answer) => Turn::Done(answer),
            }),
            Work::Composed(machine) => machine.advance(answer),
            Work::Written(writer) => writer.advance(answer),
        };
        turn.map_err(|failure| self.blame(failure))
    }

    /// A failure of this cell, also one of an effect it asked for, with the cell's place.
    #[must_use]
    pub fn blame(&self, failure: StepFailure) -> StepFailure {
        StepFailure { cell: self.at.clone(), ..failure }
    }
}
