//! A folder as a front end: a request appears as a file, an answer is taken from one (semantics spec, section 14.6).
//!
//! ```text
//! DIR/requests/<name>.json          a question; vanishes when it is answered or withdrawn
//! DIR/answers/<name>.json           put here by whoever answers, best by renaming: {"value": ...} or {"text": "..."}
//! DIR/answers/<name>.refused.json   why an answer was refused; another one may follow
//! DIR/answers/<name>.error.txt      why a file is not even read
//! DIR/taken/<name>.json             the answer that counts
//! DIR/messages/<n>-<name>.json      what a step says and nobody has to answer
//! DIR/late/                         answers found here that were meant for another run
//! DIR/LOCK                          held by the run that uses the folder; holds its id
//! ```
//!
//! One thread looks for answers while questions are open, and sleeps else. Before an answer is read it is moved away, so
//! that no file is ever taken twice.

mod client;
mod desk;
mod folder;
mod letters;
mod names;
mod watch;

pub use client::Letterbox;
pub use desk::{Mailbox, MailboxError};
