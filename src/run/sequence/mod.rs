//! What steps do: syntactic sequences as plain tensor work (`syntactic.rs`), semantic ones as cells whose effects
//! are answered by somebody who may touch the world (`semantic.rs`).
//!
//! A semantic step goes one way: its values are selected (`select.rs`), perceived (`perceive.rs`) and formatted
//! (`format.rs`), combined and numbered (`inputs.rs`); what it calls is found (`calling.rs`, `functions.rs`), one
//! [`Cell`] a combination; the answers become its value (`answer.rs`) and its verdict (`judge.rs`). Old sequences take
//! the same way with prompts (`prompts.rs`) and scripts (`writer.rs`) of their own.

mod answer;
mod calling;
mod cell;
mod format;
mod functions;
mod inputs;
mod judge;
mod perceive;
mod prompts;
mod select;
mod semantic;
mod site;
mod syntactic;
mod writer;

pub use cell::Cell;
pub use format::Style;
pub use judge::{assert, compare};
pub use perceive::{Perceived, is_instruction, is_query, joined, perceive, perceive_unread};
pub use select::{Picked, Selector};
pub use semantic::{SemanticTask, input_maps};
pub use site::{NamedValue, Site};
pub use syntactic::{Captured, SyntacticTask};
