//! Paradigms: how a composition step gets from its function concept and its inputs to an answer, as data (semantics
//! spec, section 10). A paradigm is read and checked once ([`Paradigm::read`]); prepared for one function cell
//! ([`Paradigm::prepare`], the vertical run); and then run for each combination of inputs by a [`Machine`], which stops
//! at every [`Effect`](super::effect::Effect) and goes on with its answer. Pure: nothing here acts on the world.

mod builtin;
mod check;
mod code;
mod document;
mod function;
mod ids;
mod machine;
mod methods;
mod plan;
mod read;
pub mod reply;
mod slot;
mod steps;
#[cfg(test)]
mod tests;
mod tools;
mod vertical;

pub use code::{Argument, CallCode, Source};
pub use document::{CallSite, Condition, Operator, Paradigm, Problem, Uses};
pub use function::{Facts, Function, States};
pub use ids::Ids;
pub use machine::{Machine, Turn};
pub use methods::{Arg, METHODS, Method, Need, Touches};
pub use tools::collect_inputs;
