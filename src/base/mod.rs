//! What every room shares: source positions, flow indices, values and their text, questions to people, clock and id
//! traits.
//!
//! Knows nothing of plans. Nothing here touches a file, a clock or a thread.

mod calendar;
mod clock;
mod digest;
mod file_act;
mod flow;
mod listed;
mod literal;
mod nearest;
mod plain;
mod pretty;
mod question;
mod reply_format;
mod sign;
mod span;
mod template;
mod text;
mod value;
mod wire;

pub use calendar::{date, iso, time_of_day};
pub use clock::{Clock, FixedClock};
pub use digest::Digest;
pub use file_act::FileAct;
pub use flow::{FlowIndex, FlowIndexError, LoopPath};
pub use listed::listed;
pub use literal::{read_literal, strip};
pub use nearest::nearest;
pub use plain::{plain_line, plain_text};
pub use pretty::{JsonLayout, Numbers, json_text};
pub use question::{Question, QuestionKind, Validation};
pub use reply_format::ReplyFormat;
pub use sign::{Sign, SignError};
pub use span::{FileId, LineColumn, SourceFile, SourceMap, Span};
pub use template::{placeholders, smart_substitute, substitute};
pub use text::{float_text, text_of, write_text};
pub use value::{Map, Number, SKIP_MARKER, Value};
pub use wire::{Reader, WireError, Writer};
