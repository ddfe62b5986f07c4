//! The paradigms of a plan, looked at before it runs: whether they are there and can be run, whether their names and
//! what the plan says of them fit what they do, and whether two steps write one file (semantics spec, sections 10.5, 12
//! and 14.4). Where paradigms come from is the caller's affair.

mod look;
mod writes;

pub use look::{Asked, Found, check_paradigms, needs};
pub use writes::check_writes;
