//! What survives: run directories with their journal, objects and index (durability spec, sections 3 to 5).
//!
//! Knows what a frame is and that it must not be lost, not what it says.
#![allow(clippy::disallowed_methods, reason = "the store reads and writes files and has threads of its own")]

mod frame;

pub use frame::{Frame, FrameError, HEADER, LONGEST_BODY, encode_frame, read_frame};
