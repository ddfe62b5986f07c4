//! The proof that a plan cannot get stuck, and what is said where it fails (language spec, section 13).
//!
//! `names` and `scopes` look a plan up as the runtime lays it out; `net` is what every inference waits for, and what of
//! that can never come; `skips` says under which outcomes of the conditions each inference is skipped, in the formulas of
//! `logic`. `analysis` puts them together; `cycles` tells what waits for itself.

mod analysis;
mod cycles;
mod logic;
mod names;
mod net;
mod scopes;
mod skips;

pub(super) use analysis::{Liveness, check, of};
pub(super) use logic::Formula;
