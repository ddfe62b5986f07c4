//! The driver: owns the state of a run, hands ready work to threads, turns what comes back into events.
//!
//! One loop owns all state; threads know a request and send back an answer over one channel. Knows nothing of how a
//! run is shown: a [`crate::run::Watch`] is told everything that happens.
#![allow(clippy::disallowed_methods, reason = "the driver starts threads and measures time")]

mod callback;
mod came;
mod cells;
mod claims;
mod dispatch;
mod driver;
mod flight;
mod home;
mod identity;
mod interrupt;
mod lanes;
mod message;
mod models;
mod past;
mod people;
mod plan;
mod questions;
mod recorder;
mod resume;
mod run_id;
mod session;
mod told;
mod tool_options;
mod tools;

pub use driver::{Options, run};
pub use interrupt::Interrupt;
pub use models::{ThinkError, ThinkOptions, Thinking};
pub use past::{Past, RunError};
pub use people::{Desk, OpenQuestion, question_id};
pub use plan::Plan;
pub use questions::StoredQuestion;
pub use resume::{Again, Found, Resumption, Wish};
pub use run_id::{made_at, new_run_id};
pub use session::{Closing, Ended, Keeping, Session, signal_name};
pub use told::Told;
pub use tool_options::ToolOptions;
pub use tools::{StepMeans, Tools};
