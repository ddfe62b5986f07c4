//! Diagnostics: one data type for every stage, codes with pages, and the renderers.
//!
//! Knows nothing of who raises a diagnostic. To add a code: a row in `code`, a page in `codes/` and its name in
//! `pages`, a bad plan under `plans/invalid/` whose snapshot shows it.

mod code;
mod diagnostic;
mod mend;
mod pages;
mod render;
mod render_excerpt;
mod render_human;
mod render_sarif;

pub use code::{Code, Severity};
pub use diagnostic::{Diagnostic, Edit, Fix, Label};
pub use mend::{Mended, mend, mend_all};
pub use pages::page;
pub use render::{github, json, short};
pub use render_human::{Style, human};
pub use render_sarif::sarif;
