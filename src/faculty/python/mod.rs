//! Python scripts in warm worker processes (semantics spec, sections 11 and 14.2).
//!
//! A [`Pool`] keeps up to N interpreters. Each runs one script after the other, each call in a fresh namespace;
//! modules that scripts import stay loaded. Requests and answers go over a socket of their own, one JSON object a
//! line, so nothing a script prints can be taken for an answer. What a call prints, also through subprocesses, is
//! read by the thread that waits for the answer: no byte is given to another call.
//!
//! INVARIANT: no worker outlives normc. Each holds a pipe whose other end closes with this process, and then kills its
//! own process group, whatever it is doing.
//!
//! A worker is in a session of its own: what is typed at the terminal, such as Ctrl-C, reaches normc alone, which
//! decides what becomes of the scripts ([`Pool::interrupt`]).
//!
//! A script reaches the tools of a run through `body` (section 11.3): each use is a call back over the same socket,
//! answered by the [`Body`] of that call. [`PureBody`] checks the arguments, answers what needs no world, and hands the
//! rest as [`Deed`]s to a [`World`]. Meanwhile the script's time stands still and its place in the pool is free.
//!
//! The interpreter is started with `-s -S` and a cleaned environment rather than `-I`: that ignores the same
//! variables and directories, but `-I` would also ignore `PYTHONHASHSEED`, and the order of a set would change from run
//! to run. Site packages are added at the first import that needs them.

mod body;
mod nesting;
mod pool;
mod process;
mod protocol;
mod streams;

pub use body::{Deed, PureBody, Reading, World};
pub use pool::{Pool, PoolOptions};
pub use protocol::{Body, Mode, ScriptCall};
