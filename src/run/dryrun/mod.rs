//! What a run would do, without doing any of it: the steps in order, who does each, how often, and what it asks of the
//! world, counted as formulas of the inputs (semantics spec, section 14; design, section 4). Pure: data, models and
//! paradigms come from the caller.
//!
//! Counts follow the sizes of the values through the plan (`sizes.rs`). What only the data of a run decide, a condition,
//! a list that a model gives, a loop that grows while it goes, is a bound or a size without a number, and is said so.

mod calls;
mod count;
mod plan;
mod sizes;

pub use calls::{CallKind, Doer, ParadigmCalls};
pub use count::{Bound, Count, Size};
pub use plan::{DryRun, DryStep, Given, dry_run};
