//! The horizontal run: one call of a prepared function, stopped at every effect (semantics spec, section 10.3).

use std::sync::Arc;

use super::Function;
use crate::base::Map;
use crate::run::effect::{CallAnswer, Effect};
use crate::run::event::StepFailure;

/// Gives ids to the signs a step makes: a function of the step and its cell, not of the run (semantics spec, 2.2).
#[derive(Debug, Clone, Default)]
pub struct Ids {
    next: u64,
}

impl Ids {
    /// Ids that count from one: `001`, `002`.
    pub fn counting() -> Self {
        Self::default()
    }

    /// The next id, three hexadecimal digits at least.
    pub fn next_id(&mut self) -> String {
        self.next += 1;
        format!("{:03x}", self.next)
    }
}

/// One call of a function, as far as it has come.
#[derive(Debug, Clone)]
pub struct Machine {
    function: Arc<Function>,
}

/// What a call does next.
#[derive(Debug, Clone)]
pub enum Turn {
    /// It asks for something; go on with the answer.
    Effect(Effect),
    /// It is done.
    Done(CallAnswer),
}

impl Machine {
    pub(super) fn new(function: Arc<Function>, _inputs: Map, _ids: Ids) -> Self {
        Self { function }
    }

    /// Goes on to the next effect or to the end. `answer` is that of the effect it stopped at, none at the start.
    ///
    /// # Errors
    /// What the call fails with.
    pub fn advance(&mut self, _answer: Option<CallAnswer>) -> Result<Turn, StepFailure> {
        let name = &self.function.paradigm.name;
        Err(StepFailure::new("unsupported_affordance", format!("the paradigm `{name}` cannot be run")))
    }
}
