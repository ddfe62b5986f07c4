//! What an index says: blocks of frames, their look-ups, and the head, written in one batch a block (durability spec,
//! section 5). What it holds is a function of the journal alone: a book that was closed and opened again goes on with
//! its last block, so it ends with the same keys and bytes as one that was made in one go.

use super::block::{BLOCKS, Block, Gathered, block_key};
use super::lookups::{By, CYCLES, CYCLES_KEY, LookUp, Lookups, first_of, read_cycles, read_list};
use super::table::{self, Batch, Index, IndexError};
use crate::base::{Digest, Reader, Writer};
use crate::store::{Frame, read_frame};

/// The key of the number and the hash of the last frame.
const HEAD: &[u8] = b"head";

/// An index with the block that is gathered.
pub(super) struct Book {
    index: Box<dyn Index>,
    look_up: LookUp,
    block: Gathered,
    lookups: Lookups,
    /// The number of the next frame.
    next: u64,
    /// The block was there when the book was opened: what it leaves behind must be removed.
    reopened: bool,
    /// The block has frames that are not in the index.
    dirty: bool,
}

impl std::fmt::Debug for Book {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Book").field("index", &self.index).field("next", &self.next).finish_non_exhaustive()
    }
}

impl Book {
    /// A book with an empty index.
    pub(super) fn new(index: Box<dyn Index>, look_up: LookUp) -> Self {
        let (block, lookups) = (Gathered::default(), Lookups::default());
        Self { index, look_up, block, lookups, next: 1, reopened: false, dirty: false }
    }

    /// Opens the book of an index whose head must be the one given.
    ///
    /// # Errors
    /// When the index cannot be read, has another head, or its last block does not end with it.
    pub(super) fn open(
        index: Box<dyn Index>,
        look_up: LookUp,
        wanted: (u64, Digest),
    ) -> Result<Self, IndexError> {
        let mut book = Self::new(index, look_up);
        if head(book.index.as_ref())? != Some(wanted) {
            return Err(IndexError::new("the index does not end where the journal ends"));
        }
        let last = block_of(book.index.as_ref(), wanted.0)?;
        let block = last.ok_or_else(|| IndexError::new("the index has no block of its last frame"))?;
        book.next = block.first;
        let mut fits = Ok(());
        block.frames(&mut |bytes, _| {
            fits = read_frame(bytes)
                .map_err(|error| IndexError::new(format!("a frame of the index is damaged: {error}")))
                .and_then(|frame| book.push(&frame));
            fits.is_ok()
        });
        fits?;
        if book.block.head() != Some(wanted) {
            return Err(IndexError::new("the last block of the index does not end where the journal ends"));
        }
        book.reopened = true;
        book.dirty = false;
        Ok(book)
    }

    /// The number of the frame that comes next.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Adds a frame; writes the block before it when that is full.
    ///
    /// # Errors
    /// When it is not the next frame, or the index cannot be written.
    pub(super) fn push(&mut self, frame: &Frame<'_>) -> Result<(), IndexError> {
        if frame.seq != self.next {
            let (next, seq) = (self.next, frame.seq);
            return Err(IndexError::new(format!("frame {seq} came to the index where {next} was wanted")));
        }
        if self.block.is_full_for(frame.bytes.len()) {
            self.commit()?;
            self.block.clear();
            self.lookups.clear();
        }
        if let Some(lookup) = (self.look_up)(frame.kind, frame.body) {
            self.lookups.push(self.block.len() as u32, lookup);
        }
        self.block.push(frame);
        self.next += 1;
        self.dirty = true;
        Ok(())
    }

    /// Writes the block that is gathered.
    fn commit(&mut self) -> Result<(), IndexError> {
        let Some((seq, digest)) = self.block.head().filter(|_| self.dirty) else { return Ok(()) };
        let mut batch = Batch::default();
        let first = self.block.first;
        let old = self.reopened.then_some(self.index.as_ref());
        let mut put = |key: &[u8], value: &[u8]| match old {
            Some(old) => batch.replace(old, key, value),
            None => batch.put(key, value),
        };
        put(&block_key(first), &self.block.encode())?;
        self.lookups.write(first, &mut put)?;
        let mut writer = Writer::default();
        writer.number(seq);
        writer.digest(&digest);
        batch.put(HEAD, &writer.bytes)?;
        self.index.apply(batch)?;
        self.reopened = false;
        self.dirty = false;
        Ok(())
    }

    /// How many bytes the last frame has.
    pub(super) fn last_len(&self) -> usize {
        self.block.last_len()
    }

    /// Writes what is left and closes the index; returns the head it has now.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub(super) fn close(mut self) -> Result<Option<(u64, Digest)>, IndexError> {
        self.commit()?;
        let head = self.block.head();
        self.index.close()?;
        Ok(head)
    }

    /// What the index holds as it is written now.
    pub(super) fn index(&self) -> &dyn Index {
        self.index.as_ref()
    }
}

/// The number and the hash of the last frame of an index.
///
/// # Errors
/// When the index cannot be read, or they are damaged.
pub(super) fn head(index: &dyn Index) -> Result<Option<(u64, Digest)>, IndexError> {
    let Some(value) = index.get(HEAD)? else { return Ok(None) };
    let mut reader = Reader::new(&value);
    let read = |reader: &mut Reader<'_>| {
        let head = (reader.number()?, reader.digest()?);
        reader.end().map(|()| head)
    };
    read(&mut reader)
        .map(Some)
        .map_err(|error| IndexError::new(format!("the head of the index is damaged: {error}")))
}

/// The block that has a frame, or would have it if there is a gap.
///
/// # Errors
/// When the index cannot be read.
pub(super) fn block_of(index: &dyn Index, seq: u64) -> Result<Option<Block>, IndexError> {
    let Some(key) = table::floor(index, BLOCKS, &block_key(seq))? else { return Ok(None) };
    let Some(value) = table::get(index, &key)? else { return Ok(None) };
    Ok(first_of(&key).and_then(|first| Block::decode(first, &value)))
}

/// The frames about an item or a concept, ascending.
///
/// # Errors
/// When the index cannot be read, or a list is damaged.
pub(super) fn frames_by(index: &dyn Index, by: By, number: u32) -> Result<Vec<u64>, IndexError> {
    let mut found = Vec::new();
    let mut trouble = Ok(());
    table::scan(index, &by.prefix(number), By::KEY, &mut |key, value| {
        let Some(first) = first_of(key) else { return true };
        trouble = read_list(first, value, number, &mut found);
        trouble.is_ok()
    })?;
    trouble.map_err(|error| IndexError::new(format!("a list of the index is damaged: {error}")))?;
    Ok(found)
}

/// The frames of a cycle, ascending.
///
/// # Errors
/// When the index cannot be read, or is damaged.
pub(super) fn frames_of_cycle(
    index: &dyn Index,
    look_up: &LookUp,
    cycle: u32,
) -> Result<Vec<u64>, IndexError> {
    let mut blocks = Vec::new();
    let mut trouble = Ok(());
    table::scan(index, CYCLES, CYCLES_KEY, &mut |key, value| {
        let Some(first) = first_of(key) else { return true };
        match read_cycles(first, value) {
            Ok(cycles) => {
                // Before the first frame with a new highest cycle at or above this one there is none of it.
                let from = cycles.news.iter().find(|(new, _)| *new >= cycle).map(|(_, seq)| *seq);
                if let Some(from) = from.filter(|_| (cycles.lowest..=cycles.highest).contains(&cycle)) {
                    blocks.push((first, from));
                }
                true
            }
            Err(error) => {
                trouble = Err(IndexError::new(format!("the cycles of the index are damaged: {error}")));
                false
            }
        }
    })?;
    trouble?;
    let mut found = Vec::new();
    for (first, from) in blocks {
        let damaged = || IndexError::new("a block of the index is damaged");
        let block = block_of(index, first)?.filter(|block| block.first == first).ok_or_else(damaged)?;
        let good = block.frames(&mut |bytes, _| {
            let frame = read_frame(bytes).ok().filter(|frame| frame.seq >= from);
            let is_it = |frame: &Frame<'_>| {
                (look_up)(frame.kind, frame.body).is_some_and(|lookup| lookup.cycle == cycle)
            };
            found.extend(frame.filter(is_it).map(|frame| frame.seq));
            true
        });
        if good < block.len() {
            return Err(damaged());
        }
    }
    Ok(found)
}

/// All that an index holds.
#[cfg(test)]
pub(super) fn keys_of(index: &dyn Index) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut all = Vec::new();
    index
        .scan(b"", &mut |key, value| {
            all.push((key.to_vec(), value.to_vec()));
            true
        })
        .unwrap();
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::index::memory::Memory;
    use crate::store::index::sled::Sled;
    use crate::store::index::testing::{Chain, look_up};

    #[test]
    #[ignore = "a measurement, for release builds"]
    fn measure_the_time_and_space_of_a_million_frames() {
        let mut chain = Chain::default();
        for n in 0..1_000_000_u32 {
            chain.step(n);
        }
        println!("{} bytes of frames", chain.bytes.len());
        for round in 0..2 {
            let dir = tempfile::tempdir().unwrap();
            let start = std::time::Instant::now();
            let index: Box<dyn Index> = if round == 0 {
                Box::new(Memory::default())
            } else {
                Box::new(Sled::open(dir.path()).unwrap())
            };
            let mut book = Book::new(index, look_up());
            let mut rest = &chain.bytes[..];
            while let Ok(frame) = read_frame(rest) {
                book.push(&frame).unwrap();
                rest = &rest[frame.bytes.len()..];
            }
            book.commit().unwrap();
            let pushed = start.elapsed();
            let raw: usize = keys_of(book.index()).iter().map(|(k, v)| k.len() + v.len()).sum();
            book.close().unwrap();
            println!(
                "{round}: pushed {pushed:?}, closed {:?}, {raw} bytes in keys and values",
                start.elapsed()
            );
            for entry in std::fs::read_dir(dir.path()).unwrap() {
                let entry = entry.unwrap();
                println!("  {:?} {}", entry.file_name(), entry.metadata().unwrap().len());
            }
        }
    }
}
