//! Axis inference: which axes the value of every concept has, computed from the plan alone (tensor spec, sections 5 to
//! 9; runtime spec, section 11). Knows nothing of sizes and cells, so of a value it says only what holds for every run.
//!
//! A concept's value is followed through everything that gives it one: start data, steps, loops that hand out its
//! elements, appends, identities. All lists of axes it can have are kept, up to a small number; beyond that, and where
//! the lists hang on what is not in the plan, they are unknown. The set of a concept only grows, so the walk ends.
//!
//! To add an operation: its rule in `rules.rs` (groupings: `grouping.rs`), and when it can leave its concept without a
//! value, its line in `absent.rs`.

mod absent;
mod grouping;
mod infer;
mod known;
mod possible;
mod rules;

pub use grouping::{Collapsed, collapsed};
pub use infer::axes;
pub use known::{Axes, AxisOf, Known, Origin, Reason, Unknown};
pub(super) use rules::is_composed;
