//! The driver: owns the state of a run, hands ready work to threads, turns what comes back into events.
//!
//! One loop owns all state; threads know a request and send back an answer over one channel. Knows nothing of how a
//! run is shown: a [`crate::run::Watch`] is told everything that happens.
#![allow(clippy::disallowed_methods, reason = "the driver starts threads and measures time")]

mod calls;
mod driver;
mod run_id;

pub use calls::Tools;
pub use driver::{Options, run};
pub use run_id::new_run_id;
