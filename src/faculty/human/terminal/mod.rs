//! A terminal as a front end: questions one after the other, in lines or in the editor of the person (semantics spec,
//! section 14.6).
//!
//! `dialogue.rs` leads one question to its answer, `tty.rs` reads lines, `editor.rs` lets texts be edited; `desk.rs` has
//! the thread. It reads only while a question is open, and leaves within a moment when that is withdrawn.

mod desk;
mod dialogue;
mod editor;
mod tty;

pub use desk::{Stage, Terminal};
pub use dialogue::{Asked, Console, Edited, Line, ask};
pub use editor::is_editing;
pub use tty::Tty;
