//! Reading plans: layout of lines in Rust, one pest grammar per logical line, a tree with typed views.
//!
//! Total: [`parse`] always gives a tree, and every diagnostic in one pass. Knows nothing of what a plan means.

mod ast;
mod expr;
mod spanmap;

pub use ast::*;
pub use expr::*;
pub use spanmap::SpanMap;
