//! What every room shares: source positions, flow indices, values and their text, clock and id traits.
//!
//! Knows nothing of plans. Nothing here touches a file, a clock or a thread.

mod clock;
mod flow;
mod sign;
mod span;
mod value;

pub use clock::{Clock, FixedClock};
pub use flow::{FlowIndex, FlowIndexError, LoopPath};
pub use sign::{Sign, SignError};
pub use span::{FileId, LineColumn, SourceFile, SourceMap, Span};
pub use value::{Map, Number, SKIP_MARKER, Value};
