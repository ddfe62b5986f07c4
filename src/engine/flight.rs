//! Steps on their way: prepared and waiting for a thread, at work, asking people.

use crate::run::StepKey;
use crate::run::effect::Effect;
use crate::run::record::CallPlace;
use crate::run::state::Ready;

use super::cells::{CellFlight, Made};
use super::message::Reply;
use super::people::{OpenQuestion, Waiting};
use super::recorder::Reach;

/// A step whose cells have gone as far as they can without the world, and what each asks for first.
pub(super) struct Prepared {
    pub(super) ready: Ready,
    pub(super) step: StepKey,
    pub(super) cells: Box<CellFlight>,
    pub(super) firsts: Vec<(CallPlace, Effect)>,
    pub(super) made: Vec<Made>,
}

/// A step whose work is under way.
pub(super) struct Flight {
    pub(super) ready: Ready,
    pub(super) step: StepKey,
    pub(super) kind: FlightKind,
    /// Calls are made, and how far they reach; none for work of this process alone.
    pub(super) reach: Option<Reach>,
}

pub(super) enum FlightKind {
    /// Another thread does all of it.
    Whole,
    /// Its cells are at work.
    Cells(Box<CellFlight>),
}

/// A question or message on its way to people, once what it depends on is written down.
pub(super) enum Post {
    Question(Waiting),
    /// A message, and where the word that it was shown goes.
    Message(OpenQuestion, u64, CallPlace, Effect, Option<Reply>),
}
