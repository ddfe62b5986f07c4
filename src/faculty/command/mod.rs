//! Programs that a plan runs (semantics spec, section 14.3; durability spec, section 7).
//!
//! A program gets its arguments whole, the inputs as JSON on standard input, and an environment of a few variables; no
//! shell is between. It runs in a session of its own under normc's launcher ([`crate::faculty::process::LAUNCH`]), so
//! that nothing it starts is left when it has ended, was stopped, or normc is gone. Where the launcher is not to be
//! had, as in a library, it has a process group of its own, and what leaves that group is not found.

mod exchange;
mod find;
mod run;

pub use run::{CommandCall, CommandOptions, Commands};
