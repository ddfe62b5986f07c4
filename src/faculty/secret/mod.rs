//! Secrets: keys of providers, where they are read from, and the hand that takes them out of every text that leaves
//! the process (semantics spec, section 16; durability spec, section 8, S5).
//!
//! A [`Secret`] cannot be printed, compared or written; only who needs its text asks for it. A [`Redactor`] knows all
//! secrets of a run and nothing of what the texts are: whoever writes a journal, a cassette, a log or a message gives
//! it the text first.
//!
//! To add a way a secret can be disguised: a form in `forms.rs`, a line in the table of [`Redactor`], and an encoding
//! in the canary test there.

mod forms;
mod key;
mod redactor;
mod shapes;

pub use key::{Secret, read_key};
pub use redactor::Redactor;
pub use shapes::REDACTED;
