//! Diagnostics: one data type for every stage, codes with pages, and the renderers.
//!
//! Knows nothing of who raises a diagnostic. To add a code: a variant in [`Code`], a page in `codes/`, a bad plan
//! under `plans/invalid/` whose snapshot shows it.

mod code;
mod diagnostic;
mod render;

pub use code::{Code, Severity};
pub use diagnostic::{Diagnostic, Edit, Fix, Label};
pub use render::{human, json, short};
