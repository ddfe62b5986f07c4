//! What the methods of a paradigm do: some at once, some by asking the world (semantics spec, section 10.4). One call
//! here; nothing is known of plans.

mod answer;
mod bound;
mod callable;
mod command;
mod files;
mod format;
mod model;
mod people;
mod schema;
mod scripts;
mod template;

pub(super) use answer::{After, Done, read_answer};
pub(super) use bound::{Bound, bind};
pub(super) use callable::{Callable, Env, call, make};
pub use format::collect_inputs;
pub(super) use format::look_up;
pub(super) use schema::checked;
