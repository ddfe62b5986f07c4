//! People: where questions of a run are shown, and how their answers come back (semantics spec, section 14.6).
//!
//! A question with its step is plain data ([`Posted`]); whoever runs the plan keeps it, no thread waits for it. A front end ([`Desk`])
//! shows it: an answer file ([`Written`]), a folder ([`Mailbox`]), a terminal ([`Terminal`]). A [`Reception`] makes one
//! of several. Every answer has been compared with its question ([`validate`]) before it leaves this room, and what a
//! question offers as its default is taken only when a person says so.
//!
//! To add a front end: an `impl Desk` whose answers go into the channel of the reception.

mod answers;
mod mailbox;
mod posted;
mod reception;
mod terminal;
mod validate;

pub use answers::{AnswerFile, Written};
pub use mailbox::{Letterbox, Mailbox, MailboxError};
pub use posted::{Given, Posted};
pub use reception::{Desk, Note, Reception};
pub use terminal::{Asked, Console, Edited, Line, Stage, Terminal, Tty, ask, is_editing};
pub use validate::validate;
