//! Keys and values of an index: the trait of its two implementations, and the wrapper that cuts long values into
//! pieces (durability spec, section 5). Knows nothing of frames.
//!
//! A value of more than [`LONGEST_VALUE`] bytes is kept as `<key> 00 <u16 big endian>`, one piece a number. All keys
//! with the same prefix have the same length, so a piece is known by its key being three bytes longer.

use std::fmt::Debug;

/// The longest value that is kept whole, and the longest piece of a longer one.
///
/// A leaf of sled holds 16 values of any size, and a page of more than 128 KiB goes to a file of its own that is
/// never synced: 16 values of this size are far below.
pub(super) const LONGEST_VALUE: usize = 3072;
/// The longest key, its piece number included.
pub(super) const LONGEST_KEY: usize = 256;
/// What a piece's key has more than the key.
const PIECE_SUFFIX: usize = 3;

/// An index that cannot be used, and why. Never the end of a run: the journal answers instead, and the index is made
/// again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct IndexError(pub(super) String);

impl IndexError {
    /// An error with its reason.
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// Called with keys and values in order until it answers `false`.
pub(super) type Each<'a> = dyn FnMut(&[u8], &[u8]) -> bool + 'a;

/// Keys and values in the order of the keys' bytes.
pub trait Index: Debug + Send {
    /// The value of a key.
    ///
    /// # Errors
    /// When the index cannot be read.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError>;

    /// The greatest key that is not greater than `key`.
    ///
    /// # Errors
    /// When the index cannot be read.
    fn floor(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError>;

    /// Goes through all keys with a prefix, ascending.
    ///
    /// # Errors
    /// When the index cannot be read.
    fn scan(&self, prefix: &[u8], each: &mut Each<'_>) -> Result<(), IndexError>;

    /// Applies all changes of a batch, or none.
    ///
    /// # Errors
    /// When the index cannot be written.
    fn apply(&mut self, batch: Batch) -> Result<(), IndexError>;

    /// Ends the use of the index with everything on disk.
    ///
    /// # Errors
    /// When the index cannot be written.
    fn close(self: Box<Self>) -> Result<(), IndexError>;
}

/// Changes that belong together.
#[derive(Debug, Default)]
pub struct Batch {
    /// Keys with their new values, none to remove the key.
    pub(super) changes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Batch {
    /// Sets a value, in pieces if it is long.
    ///
    /// # Errors
    /// When the key is longer than [`LONGEST_KEY`] allows, or the value than 65536 pieces.
    pub(super) fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), IndexError> {
        if key.len() + PIECE_SUFFIX > LONGEST_KEY {
            return Err(IndexError::new(format!("a key of {} bytes is too long for the index", key.len())));
        }
        if value.len() <= LONGEST_VALUE {
            self.changes.push((key.to_vec(), Some(value.to_vec())));
            return Ok(());
        }
        for (number, piece) in value.chunks(LONGEST_VALUE).enumerate() {
            let number = u16::try_from(number).map_err(|_| {
                IndexError::new(format!("a value of {} bytes is too long for the index", value.len()))
            })?;
            self.changes.push((piece_key(key, number), Some(piece.to_vec())));
        }
        Ok(())
    }

    /// Sets a value that may stand there already in another form: what would be left of the old one is removed.
    ///
    /// # Errors
    /// As [`Batch::put`], and when the index cannot be read.
    pub(super) fn replace(&mut self, old: &dyn Index, key: &[u8], value: &[u8]) -> Result<(), IndexError> {
        self.put(key, value)?;
        let pieces = if value.len() <= LONGEST_VALUE { 0 } else { value.len().div_ceil(LONGEST_VALUE) };
        if pieces > 0 && old.get(key)?.is_some() {
            self.changes.push((key.to_vec(), None));
        }
        let numbers = u16::try_from(pieces).map_or(u16::MAX..=u16::MAX, |first| first..=u16::MAX);
        for number in numbers {
            let key = piece_key(key, number);
            if old.get(&key)?.is_none() {
                break;
            }
            self.changes.push((key, None));
        }
        Ok(())
    }

    /// Says whether all keys and values are short enough to be kept.
    ///
    /// # Errors
    /// When one is not.
    pub(super) fn check(&self) -> Result<(), IndexError> {
        for (key, value) in &self.changes {
            let len = value.as_ref().map_or(0, Vec::len);
            if key.len() > LONGEST_KEY || len > LONGEST_VALUE {
                return Err(IndexError::new(format!(
                    "a key of {} bytes with a value of {len} bytes is too long for the index",
                    key.len()
                )));
            }
        }
        Ok(())
    }
}

fn piece_key(key: &[u8], number: u16) -> Vec<u8> {
    let mut long = Vec::with_capacity(key.len() + PIECE_SUFFIX);
    long.extend_from_slice(key);
    long.push(0);
    long.extend_from_slice(&number.to_be_bytes());
    long
}

/// The key and piece number of a key as it is kept; `len` is the length of all keys with its prefix.
fn split_key(kept: &[u8], len: usize) -> Option<(&[u8], Option<u16>)> {
    let (key, suffix) = kept.split_at_checked(len)?;
    match suffix {
        [] => Some((key, None)),
        [0, high, low] => Some((key, Some(u16::from_be_bytes([*high, *low])))),
        _ => None,
    }
}

/// The value of a key, its pieces joined. Pieces after a missing one are not looked for: who reads the value finds it
/// too short.
///
/// # Errors
/// When the index cannot be read.
pub(super) fn get(index: &dyn Index, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
    if let Some(value) = index.get(key)? {
        return Ok(Some(value));
    }
    let mut joined: Option<Vec<u8>> = None;
    for number in 0..=u16::MAX {
        let Some(piece) = index.get(&piece_key(key, number))? else { break };
        joined.get_or_insert_default().extend_from_slice(&piece);
    }
    Ok(joined)
}

/// Goes through all values with a prefix, their pieces joined; `len` is the length of the keys. What fits no key of
/// that length is passed over, and of a value with a missing piece what stands before it counts.
///
/// # Errors
/// When the index cannot be read.
pub(super) fn scan(
    index: &dyn Index,
    prefix: &[u8],
    len: usize,
    each: &mut Each<'_>,
) -> Result<(), IndexError> {
    let mut open: Option<(Vec<u8>, Vec<u8>, u32)> = None;
    let mut more = true;
    index.scan(prefix, &mut |kept, value| {
        let Some((key, piece)) = split_key(kept, len) else { return true };
        match (&mut open, piece) {
            (Some((of, joined, next)), Some(piece)) if of == key => {
                if *next == u32::from(piece) {
                    joined.extend_from_slice(value);
                    *next += 1;
                }
                return true;
            }
            _ => {}
        }
        if let Some((key, joined, _)) = open.take() {
            more = each(&key, &joined);
        }
        if more {
            match piece {
                None => more = each(key, value),
                Some(0) => open = Some((key.to_vec(), value.to_vec(), 1)),
                Some(_) => {}
            }
        }
        more
    })?;
    if let Some((key, joined, _)) = open.filter(|_| more) {
        each(&key, &joined);
    }
    Ok(())
}

/// The greatest key with a prefix that is not greater than `key`, without its piece number.
///
/// # Errors
/// When the index cannot be read.
pub(super) fn floor(index: &dyn Index, prefix: &[u8], key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
    // The pieces of a key come after it.
    let found = index.floor(&piece_key(key, u16::MAX))?;
    Ok(found.filter(|found| found.starts_with(prefix)).map(|mut found| {
        found.truncate(key.len());
        found
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::index::memory::Memory;

    fn index(entries: &[(&[u8], usize)]) -> Memory {
        let mut index = Memory::default();
        let mut batch = Batch::default();
        for (key, len) in entries {
            batch.put(key, &vec![key[2]; *len]).unwrap();
        }
        index.apply(batch).unwrap();
        index
    }

    #[test]
    fn long_values_are_cut_and_joined() {
        let lengths = [0, 1, 3072, 3073, 6144, 6145, 100_000];
        for len in lengths {
            let index = index(&[(b"f/b", len), (b"f/a", 2 * 3072 + 1), (b"g/a", 3073)]);
            assert_eq!(get(&index, b"f/b").unwrap(), Some(vec![b'b'; len]), "{len}");
            let mut seen = Vec::new();
            scan(&index, b"f/", 3, &mut |key, value| {
                seen.push((key.to_vec(), value.len()));
                true
            })
            .unwrap();
            assert_eq!(seen, [(b"f/a".to_vec(), 6145), (b"f/b".to_vec(), len)], "{len}");
            assert_eq!(floor(&index, b"f/", b"f/b").unwrap(), Some(b"f/b".to_vec()), "{len}");
            assert_eq!(floor(&index, b"f/", b"f/z").unwrap(), Some(b"f/b".to_vec()), "{len}");
            assert_eq!(floor(&index, b"g/", b"g/0").unwrap(), None, "{len}");
        }
    }

    #[test]
    fn a_scan_ends_where_it_is_told_to() {
        let index = index(&[(b"f/a", 4000), (b"f/b", 1), (b"f/c", 4000), (b"f/d", 4000)]);
        for stop in 1..=4 {
            let mut seen = 0;
            scan(&index, b"f/", 3, &mut |_, _| {
                seen += 1;
                seen < stop
            })
            .unwrap();
            assert_eq!(seen, stop);
        }
    }

    #[test]
    fn a_replaced_value_leaves_nothing_behind() {
        for (before, after) in [(10_000, 4_000), (10_000, 10), (10, 10_000), (4_000, 10_000), (3073, 3072)] {
            let mut index = index(&[(b"f/a", before)]);
            let mut batch = Batch::default();
            batch.replace(&index, b"f/a", &vec![7; after]).unwrap();
            index.apply(batch).unwrap();
            let mut fresh = Memory::default();
            let mut batch = Batch::default();
            batch.put(b"f/a", &vec![7; after]).unwrap();
            fresh.apply(batch).unwrap();
            assert_eq!(index.entries(), fresh.entries(), "{before} to {after}");
        }
    }

    #[test]
    fn what_is_too_long_is_refused() {
        let mut batch = Batch::default();
        assert!(batch.put(&[1; 254], b"").is_err());
        assert!(batch.put(b"k", &vec![0; 65_537 * 3072]).is_err());
        let long = Batch { changes: vec![(b"k".to_vec(), Some(vec![0; 3073]))] };
        assert!(Memory::default().apply(long).is_err());
    }
}
