//! The run: graph, events, state, and what each step does. **Pure**: a function of the plan and the events so far.
//!
//! [`Graph::new`] turns the model into a graph; [`State`] is the fold of [`Event`]s over it and tells what can start;
//! [`decide`](decide::decide) says what a ready item does; [`sequence`] does the tensor work and prepares what
//! semantic steps ask of the world, their [effects](effect::Effect);
//! [`stuck`] explains a state in which nothing can move.
//!
//! To add a kind of event: a variant of [`Happening`], its arm in [`State::apply`], and whoever reports it. Nothing
//! else may change the state.

pub mod decide;
pub mod definition;
pub mod dryrun;
pub mod effect;
mod event;
pub mod flow;
mod frame;
pub mod graph;
mod loops;
mod means;
mod outcome;
pub mod paradigm;
pub mod paradigm_check;
pub mod provenance;
mod readiness;
pub mod record;
pub mod replay;
pub mod sequence;
pub mod stale;
pub mod state;
pub mod stuck;
mod values;
mod watch;

pub use event::{Event, Happening, Produced, ScriptPlace, SkipCause, StepFailure, StepKey};
pub use graph::{Graph, ItemId};
pub use means::{Means, NoFiles};
pub use outcome::{FinalValue, Outcome, Status, StepTime, Stop, spent_json, tensor_json, waits_for};
pub use state::State;
pub use values::{BadData, initial_values};
pub use watch::{CallLog, Printed, Quiet, Spent, Watch};
