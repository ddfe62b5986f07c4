//! What a user says of a step that was interrupted and must not run twice (durability spec, section 6).

use crate::base::Value;
use crate::run::decide::{Action, decide};
use crate::run::effect::CallAnswer;
use crate::run::record::Intent;
use crate::run::state::Ready;
use crate::run::{Event, Happening, Means, Produced, SkipCause, State, StepFailure};

/// What is to become of a step in doubt.
#[derive(Debug, Clone)]
pub enum Told {
    /// It is to be done again.
    Redo,
    /// It gave this.
    Accept(Value),
    /// It is passed over.
    Skip,
}

impl Told {
    /// The event that settles the step; none when it is to run again.
    ///
    /// # Errors
    /// When the step cannot have given such a value.
    pub fn event(
        &self,
        state: &State,
        intent: &Intent,
        means: &dyn Means,
    ) -> Result<Option<Event>, StepFailure> {
        let what = match self {
            Self::Redo => return Ok(None),
            Self::Skip => Happening::Skipped(SkipCause::Told),
            Self::Accept(value) => Happening::Gave(produced(state, intent, value, means)?),
        };
        Ok(Some(Event { step: intent.step.clone(), round: intent.round, what }))
    }
}

/// What a step gives when its script answers with a value; a step of several calls takes a list, one answer a call.
fn produced(
    state: &State,
    intent: &Intent,
    value: &Value,
    means: &dyn Means,
) -> Result<Produced, StepFailure> {
    let (step, round) = (&intent.step, intent.round);
    let not_open = || StepFailure::new("step_not_open", "the step is not open any more");
    let frame = state.locate(step).ok_or_else(not_open)?;
    let Action::Semantic(task) = decide(state, Ready { frame, item: step.item, round }, means) else {
        return Err(not_open());
    };
    let answer = |value: &Value| CallAnswer::of(value.clone());
    let answers = match (task.cells.len(), value) {
        (1, one) => vec![answer(one)],
        (calls, Value::List(items)) if items.len() == calls => items.iter().map(answer).collect(),
        (calls, _) => {
            let message = format!("the step makes {calls} calls, so a list of {calls} answers is wanted");
            return Err(StepFailure::new("bad_answer", message));
        }
    };
    task.finish(answers)
}
