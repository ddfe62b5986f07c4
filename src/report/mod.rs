//! Shows runs: progress while they go, final values, a summary, and diagnostics of what went wrong.
//!
//! Consumers of what a run tells ([`crate::run::Watch`]) and of its outcome. Knows nothing of who drives the run.
#![allow(clippy::disallowed_methods, reason = "progress shows the time that has passed")]

mod calls;
mod diagnose;
pub mod drawing;
mod dryrun;
mod live;
mod moment;
mod progress;
mod questions;
mod say;
mod story;
mod summary;
mod table;

pub use crate::base::{plain_line, plain_text};
pub use calls::{call_text, model_json, place_text};
pub use diagnose::{Places, diagnose, notes, stuck_list};
pub use dryrun::{dry_run_json, dry_run_text};
pub use moment::{ago, duration, moment, size};
pub use progress::{Mode, Progress};
pub use questions::{Origin, questions_json, questions_text};
pub(crate) use say::{say, say_line, say_text};
pub use story::{happening_json, happening_text, happening_word, preview, skip_text, step_text};
pub use summary::{money_text, spent_text, summary};
pub use table::{cell_text, value_text};
