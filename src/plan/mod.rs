//! The resolved plan: what the lines of a tree mean together.
//!
//! [`resolve`] is total: it gives a plan with what could be resolved, and every diagnostic in one pass. Knows nothing
//! of files, JSON repositories or runs. To add an operation: its work in `model.rs`, its reading in the file of its
//! family, its lowering in `repo`; to add a check: a file under `check/`.

mod assigning;
mod axes;
mod check;
mod data;
mod doers;
mod draft;
mod gates;
mod ground;
mod grouping;
mod identity;
mod loops;
mod mends;
mod model;
mod operands;
mod options;
mod order;
mod resolver;
mod resources;
mod scope;
mod selectors;
mod semantic;
mod table;

pub use axes::{Axes, AxisOf, Collapsed, Known, Origin, Reason, Unknown, axes, collapsed};
pub use check::check_prompts;
pub use doers::{Ask, AskKind, Command, Resources, Written, paradigms};
pub use draft::resolve_draft;
pub use mends::add_mends;
pub use model::*;
pub use resolver::resolve;
pub use resources::{Resource, ResourceKind, WRITE_FILE, resources, signs};
