//! Files of one base directory: scripts, prompts, data (semantics spec, sections 14.4 and 16; durability spec, section
//! 8, S2).
//!
//! A path is relative to the base directory and stays beneath it, also through links. An absolute path, or one that
//! leads out of the base directory, is used when it names something beneath it or beneath a folder that was allowed.
//! What is written is complete or not there at all. Knows nothing of signs and of what a file is for.

mod failed;
mod list;
mod log;
mod names;
mod place;
mod root;
mod write;

pub use log::WriteLog;
pub use root::{Root, SIZE_LIMIT};
