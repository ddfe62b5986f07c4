//! What all child processes have in common, Python workers and commands alike (durability spec, section 7): process
//! groups that can be ended from outside, the environment they inherit, what they print, how they ended.
//!
//! Knows neither scripts nor commands.

mod capture;
mod environment;
mod groups;
mod launch;
mod status;

pub(in crate::faculty) use capture::Capture;
pub(in crate::faculty) use environment::inherited_variables;
pub(in crate::faculty) use groups::Groups;
pub use launch::{LAUNCH, Limits, launch};
pub(in crate::faculty) use launch::{ORDER_LIMIT, Order, Report, hang_up};
pub(in crate::faculty) use status::{Ended, seconds};
