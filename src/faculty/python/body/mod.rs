//! What scripts reach through `body` (semantics spec, sections 10.4 and 11.3): the arguments of its methods, the answers
//! in the forms scripts expect, and the pure ones among them.
//!
//! Knows nothing of how things are done: a [`World`] does them.

mod args;
mod deed;
mod files;
mod people;
mod pure;
mod tools;

pub use deed::{Deed, Reading, World};
pub use pure::PureBody;
