//! The copies of frames in whatever indexes a run has, for repair (durability spec, section 5). No index is trusted
//! here: a copy counts only if it fits where it is wanted, by its own checksum and the chain.

use super::block::Block;
use super::book::block_of;
use super::place::Place;
use super::table::Index;
use crate::base::Digest;

/// The copies in the indexes of a run.
#[derive(Debug)]
pub(in crate::store) struct Copies {
    indexes: Vec<(Box<dyn Index>, Option<Block>)>,
}

impl Copies {
    /// Opens whatever can be opened.
    pub(in crate::store) fn open(place: &Place) -> Self {
        Self { indexes: place.open_for_copies().into_iter().map(|index| (index, None)).collect() }
    }

    /// Makes a frame again, into `out`, and returns its hash; none if no copy fits behind a frame with the hash `prev`.
    /// For the first frame, where no hash is known, any that is whole fits.
    pub(in crate::store) fn frame(
        &mut self,
        seq: u64,
        prev: Option<&Digest>,
        out: &mut Vec<u8>,
    ) -> Option<Digest> {
        self.indexes.iter_mut().find_map(|(index, block)| {
            if !block.as_ref().is_some_and(|block| block.has(seq)) {
                *block = block_of(index.as_ref(), seq).ok().flatten();
            }
            let block = block.as_ref().filter(|block| block.has(seq))?;
            let prev = prev.or((seq == block.first).then_some(&block.prev))?;
            block.frame(seq, prev, out)
        })
    }
}
