//! The index of a run: what the journal says, arranged for look-ups, with a copy of every frame (durability spec,
//! section 5). Never the truth: it can be thrown away at any time and made again from the journal, and an index that
//! was not closed cleanly is.
//!
//! | file | holds |
//! |---|---|
//! | `table.rs` | keys and values: the trait [`Index`], batches, long values in pieces |
//! | `memory.rs`, `sled.rs` | the two implementations; no other file names sled |
//! | `block.rs` | copies of consecutive frames, compressed |
//! | `lookups.rs` | which frames of a block are about an item, a concept, a cycle |
//! | `book.rs` | what an index says: blocks, look-ups and the head, one batch a block |
//! | `place.rs` | an index on disk: clean close, open, rebuild |
//! | `indexer.rs` | the thread that keeps the index while the journal is written |
//! | `copies.rs` | the copies of frames, for repair |
//! | `query.rs` | questions, answered by the index or by reading the journal |

mod block;
mod book;
mod copies;
mod indexer;
mod lookups;
mod memory;
mod place;
mod query;
mod sled;
mod table;
#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;

pub use indexer::{Indexer, Sink};
pub use lookups::{LookUp, Lookup};
pub use query::{Find, frames_of, frames_of_concept, frames_of_cycle, frames_of_item};
pub use table::{Index, IndexError};

pub(super) use copies::Copies;
#[cfg(test)]
pub(super) use place::Backend;
pub(super) use place::Place;
