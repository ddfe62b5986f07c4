//! What steps do: syntactic sequences as plain tensor work (`syntactic.rs`), semantic ones as cells whose effects
//! are answered by somebody who may touch the world (`semantic.rs`).

mod cell;
mod perceive;
mod semantic;
mod syntactic;

pub use cell::Cell;
pub use perceive::{Perceived, is_query, joined, perceive};
pub use semantic::{NamedValue, SemanticTask, Site};
pub use syntactic::{Captured, SyntacticTask};
