//! Reading plans: layout of lines in Rust, one pest grammar per logical line, a tree with typed views.
//!
//! Total: [`parse`] always gives a tree, and every diagnostic in one pass; a line that does not read is a sentence
//! ([`Expr::Informal`]) with its reason. Knows spelling only: nothing of what a plan means.
//!
//! The way of a text: `layout` (physical lines) -> `logical`, `trailer` (logical lines, annotations) -> `reader` and
//! the grammar (typed concepts) -> `build` (the tree) -> `declared`, `dialect`, `checks`. To add a construct, see the
//! notes beside the grammar file.

mod ast;
mod brackets;
mod build;
mod checks;
pub mod convert;
pub mod data;
mod declared;
mod decode;
mod dialect;
mod expr;
mod format;
mod grammar;
pub mod identity;
mod kind;
mod layout;
mod logical;
mod operation;
mod operators;
mod outline;
mod reader;
mod reread;
mod semantic;
mod spanmap;
mod trailer;
mod values;

pub use ast::*;
pub use build::parse;
pub use checks::Append;
pub use decode::decode;
pub use expr::*;
pub use format::format;
pub use kind::*;
pub use operation::*;
pub use outline::{Note, Outline, OutlineLine, one_line};
pub use reread::{read_concept, reread};
pub use spanmap::SpanMap;
