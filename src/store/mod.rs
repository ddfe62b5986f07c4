//! What survives: run directories with their journal, objects and index (durability spec, sections 3 to 5).
//!
//! Knows what a frame is and that it must not be lost, not what it says.
//!
//! INVARIANT: everything done to the file system goes through [`Disk`], so that [`SimDisk`] can make any call fail and
//! take the power away at any moment.
#![allow(clippy::disallowed_methods, reason = "the store reads and writes files and has threads of its own")]

mod disk;
mod error;
mod flusher;
mod frame;
pub mod index;
mod journal;
mod layout;
mod lock;
mod objects;
mod plans;
mod reader;
mod repair;
mod scan;
mod segment;
mod sim;
#[cfg(test)]
mod tests;

pub use disk::{Disk, DiskFile, Entry, EntryKind, Info, RealDisk};
pub use error::{Damage, StoreError};
pub use frame::{Frame, FrameError, HEADER, LONGEST_BODY, encode_frame, read_frame};
pub use journal::{Durability, Journal, JournalOptions};
pub use layout::{RunDir, Store};
pub use lock::Holder;
pub use reader::{JournalReader, Tail, Torn};
pub use repair::{Recovery, Salvage, Visitor, recover, salvage};
pub use sim::{Call, Fault, SimDisk};
