//! What steps do: syntactic sequences as plain tensor work (`syntactic.rs`), semantic ones as calls to be made by
//! somebody who may touch the world (`semantic.rs`).

mod perceive;
mod semantic;
mod syntactic;

pub use perceive::{Perceived, is_query, joined, perceive};
pub use semantic::{Call, CallAnswer, CallKind, Contract, NamedValue, SemanticTask};
pub use syntactic::{Captured, SyntacticTask};
