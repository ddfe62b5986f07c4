//! From a tree to other forms of the same plan: the other formal spelling, sentences, drafts, flat lines, interchange
//! records (language spec, sections 1, 2.7 and 11). Knows spelling only: what a plan means is not asked here.
//!
//! To add a row of the table of section 11: its rule in `operators.rs` or `notes.rs`, for both directions.

mod forms;
mod names;
mod notes;
mod operators;
mod records;
mod restyle;
mod semantics;
mod sentences;

pub use forms::{draft, flat, narrative, paired};
pub use records::{groups, lines};
pub use restyle::{Converted, Style, restyle};
