//! Cassettes: calls of models recorded in a file, and replayed from it without a model (semantics spec, section 14.1).
//!
//! A [`Cassette`] stands before whatever is asked and is a [`super::Chat`] itself. Who asks cannot tell a replayed
//! reply from a fresh one but by [`super::ChatReply::replayed`].
//!
//! | mode | a recorded call | another call |
//! |---|---|---|
//! | `off` | goes out | goes out |
//! | `record` | is replayed | goes out and is recorded; the file must be free and writable from the start |
//! | `replay` | is replayed | fails with `cassette_miss`, which shows the nearest recording |
//! | `auto` | is replayed | goes out and is recorded; the file is not touched before that |
//!
//! # What is the same call
//!
//! A recording is found by the hash of what the provider would see, with the settings of the model filled in (kind of
//! provider, model, messages, sampling, form of the reply, schema), and of how many calls of the same cell came before.
//! Not by the step: the same prompt in two steps is one recording, and goes out once. Nor by where the server is.
//!
//! # The file
//!
//! JSON lines, sorted by hash, so that recording the same run twice gives the same bytes and two branches of a
//! repository can be merged line by line. There are no headers, no keys, no times in it. All texts pass the redactor
//! before they are hashed, recorded or given on, so a replay gives what the recording run was given.
//!
//! While a run records, its replies are in `FILE.part` as soon as they come; [`Cassette::finish`] puts them in their
//! place at once (a new file, synced, renamed). A process that is killed leaves `FILE.part` behind, and the next one
//! reads both. The lock of `FILE.part` keeps a second run from recording into the same file.
//!
//! To record more of a call: a field in `record.rs`, optional when read; to change what is the same call: a new
//! `VERSION` there.

mod deck;
mod error;
mod fields;
mod miss;
mod mode;
mod record;
mod settings;
mod tape;

pub use deck::{Cassette, Played};
pub use error::CassetteError;
pub use mode::Mode;
pub use settings::{AsAsked, Resolve, Resolved};
