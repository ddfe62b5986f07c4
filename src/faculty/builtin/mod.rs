//! Pure built-in functions, callable where a script is: `%{builtin}(add)` (semantics spec, section 14.7).
//!
//! Each is a total function of its arguments (`now` also of the clock it is given): the same arguments give the same
//! value or the same failure. Knows nothing of files, processes and threads.
//!
//! To add one: a function `fn(&Args) -> Result<Value, Failure>` in the file of its subject, and its row in [`ALL`].

mod args;
mod compare;
mod list;
mod number;
mod table;
mod text;
mod time;

pub use table::{ALL, Builtin, call, lookup};
