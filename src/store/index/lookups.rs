//! Which frames of a block are about an item, about a concept, in a cycle (durability spec, section 5). Knows what a
//! frame is about only by the function it is given.
//!
//! ```text
//! s/<item >> 8: u24>/<first seq: u64>      count, then (item & 255, seq since the one before) for each frame
//! v/<concept >> 8: u24>/<first seq: u64>   the same for concepts
//! c/<first seq: u64>                       lowest cycle, highest cycle, count, then (cycle since the one before,
//!                                          seq since the one before) for each frame with a new highest cycle
//! ```
//!
//! Numbers in keys are big endian, so that blocks come in their order; numbers in values are varints.

use std::sync::Arc;

use super::table::IndexError;
use crate::base::{Reader, WireError, Writer};
use crate::run::record::Kind;

/// What a frame is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lookup {
    /// The number of the item.
    pub item: u32,
    /// The number of the concept.
    pub concept: u32,
    /// The cycle.
    pub cycle: u32,
}

/// Says what a frame with this kind and body is about, if it is about one item.
pub type LookUp = Arc<dyn Fn(Kind, &[u8]) -> Option<Lookup> + Send + Sync>;

/// What look-ups are by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// The number of an item.
    Item,
    /// The number of a concept.
    Concept,
}

impl By {
    /// The length of the keys.
    pub(super) const KEY: usize = 14;

    /// What the keys of all blocks begin with for a number.
    pub(super) fn prefix(self, number: u32) -> [u8; 6] {
        let letter = match self {
            Self::Item => b's',
            Self::Concept => b'v',
        };
        let [_, a, b, c] = (number >> 8).to_be_bytes();
        [letter, b'/', a, b, c, b'/']
    }

    fn number(self, lookup: &Lookup) -> u32 {
        match self {
            Self::Item => lookup.item,
            Self::Concept => lookup.concept,
        }
    }
}

/// What the keys of the cycles begin with.
pub(super) const CYCLES: &[u8; 2] = b"c/";
/// The length of the keys of the cycles.
pub(super) const CYCLES_KEY: usize = 10;

/// Takes a key and its value.
pub(super) type Put<'a> = dyn FnMut(&[u8], &[u8]) -> Result<(), IndexError> + 'a;

/// The look-ups of one block while it is gathered.
#[derive(Debug, Default)]
pub(super) struct Lookups {
    /// What frames are about, with their distance from the first frame.
    all: Vec<(u32, Lookup)>,
}

impl Lookups {
    /// Adds the frame that stands so far from the first one.
    pub(super) fn push(&mut self, distance: u32, lookup: Lookup) {
        self.all.push((distance, lookup));
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.all.clear();
    }

    /// Hands over the keys and values of the block that begins with `first`.
    ///
    /// # Errors
    /// What `put` answers.
    pub(super) fn write(&self, first: u64, put: &mut Put<'_>) -> Result<(), IndexError> {
        for by in [By::Item, By::Concept] {
            let mut sorted: Vec<(u32, u32)> =
                self.all.iter().map(|(distance, lookup)| (by.number(lookup), *distance)).collect();
            sorted.sort_unstable_by_key(|(number, distance)| (number >> 8, *distance));
            for group in sorted.chunk_by(|a, b| a.0 >> 8 == b.0 >> 8) {
                let Some((number, _)) = group.first() else { continue };
                let mut key = by.prefix(*number).to_vec();
                key.extend_from_slice(&first.to_be_bytes());
                put(&key, &list(group))?;
            }
        }
        match self.cycles() {
            Some(value) => put(&cycles_key(first), &value),
            None => Ok(()),
        }
    }

    fn cycles(&self) -> Option<Vec<u8>> {
        let lowest = self.all.iter().map(|(_, lookup)| lookup.cycle).min()?;
        let highest = self.all.iter().map(|(_, lookup)| lookup.cycle).max()?;
        let mut news: Vec<(u32, u32)> = Vec::new();
        for (distance, lookup) in &self.all {
            if news.last().is_none_or(|(highest, _)| lookup.cycle > *highest) {
                news.push((lookup.cycle, *distance));
            }
        }
        let mut writer = Writer::default();
        writer.number(lowest.into());
        writer.number(highest.into());
        writer.number(news.len() as u64);
        let mut before = (0, 0);
        for (cycle, distance) in news {
            writer.number((cycle - before.0).into());
            writer.number((distance - before.1).into());
            before = (cycle, distance);
        }
        Some(writer.bytes)
    }
}

fn list(group: &[(u32, u32)]) -> Vec<u8> {
    let mut writer = Writer { bytes: Vec::with_capacity(3 + 3 * group.len()) };
    writer.number(group.len() as u64);
    let mut before = 0;
    for (number, distance) in group {
        writer.byte((number & 255) as u8);
        writer.number((distance - before).into());
        before = *distance;
    }
    writer.bytes
}

/// The key of the cycles of the block that begins with `first`.
pub(super) fn cycles_key(first: u64) -> [u8; CYCLES_KEY] {
    let mut key = [0; CYCLES_KEY];
    let (letter, number) = key.split_at_mut(2);
    letter.copy_from_slice(CYCLES);
    number.copy_from_slice(&first.to_be_bytes());
    key
}

/// The first frame of the block that a key is of: its last eight bytes.
pub(super) fn first_of(key: &[u8]) -> Option<u64> {
    key.last_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

/// Adds the frames about a number from the list of one block.
///
/// # Errors
/// When the list is damaged.
pub(super) fn read_list(
    first: u64,
    value: &[u8],
    number: u32,
    found: &mut Vec<u64>,
) -> Result<(), WireError> {
    let mut reader = Reader::new(value);
    let mut seq = first;
    for _ in 0..reader.count()? {
        let low = reader.byte()?;
        seq = seq.checked_add(reader.number()?).ok_or(WireError::Bad("a number is too large"))?;
        if u32::from(low) == number & 255 {
            found.push(seq);
        }
    }
    reader.end()
}

/// The cycles of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cycles {
    /// The lowest one.
    pub(super) lowest: u32,
    /// The highest one.
    pub(super) highest: u32,
    /// Each new highest cycle, with the number of the frame it first appears in.
    pub(super) news: Vec<(u32, u64)>,
}

/// Reads the cycles of the block that begins with `first`.
///
/// # Errors
/// When they are damaged.
pub(super) fn read_cycles(first: u64, value: &[u8]) -> Result<Cycles, WireError> {
    const BAD: WireError = WireError::Bad("a number is too large");
    let mut reader = Reader::new(value);
    let (lowest, highest) = (reader.small()?, reader.small()?);
    let mut news = Vec::new();
    let (mut cycle, mut seq) = (0_u32, first);
    for _ in 0..reader.count()? {
        cycle = cycle.checked_add(reader.small()?).ok_or(BAD)?;
        seq = seq.checked_add(reader.number()?).ok_or(BAD)?;
        news.push((cycle, seq));
    }
    reader.end()?;
    Ok(Cycles { lowest, highest, news })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]
        #[test]
        fn lists_answer_as_the_frames_do(
            frames in proptest::collection::vec(
                proptest::option::of((0_u32..700, 0_u32..600, 0_u32..9)), 1..200
            ),
            first in 1_u64..1_000_000
        ) {
            let mut lookups = Lookups::default();
            for (distance, frame) in frames.iter().enumerate() {
                if let Some((item, concept, cycle)) = *frame {
                    lookups.push(distance as u32, Lookup { item, concept, cycle });
                }
            }
            let mut kept = BTreeMap::new();
            lookups.write(first, &mut |key, value| {
                assert!(kept.insert(key.to_vec(), value.to_vec()).is_none());
                Ok(())
            }).unwrap();
            for (by, number) in (0..700).map(|n| (By::Item, n)).chain((0..600).map(|n| (By::Concept, n))) {
                let mut key = by.prefix(number).to_vec();
                key.extend_from_slice(&first.to_be_bytes());
                assert_eq!(key.len(), By::KEY);
                let mut found = Vec::new();
                if let Some(value) = kept.get(&key) {
                    read_list(first_of(&key).unwrap(), value, number, &mut found).unwrap();
                    for cut in 0..value.len() {
                        assert!(read_list(first, &value[..cut], number, &mut Vec::new()).is_err());
                    }
                }
                let truth: Vec<u64> = frames.iter().zip(first..).filter_map(|(frame, seq)| {
                    let (item, concept, _) = (*frame)?;
                    (number == if by == By::Item { item } else { concept }).then_some(seq)
                }).collect();
                proptest::prop_assert_eq!(found, truth);
            }
            let cycles: Vec<(u32, u64)> =
                frames.iter().zip(first..).filter_map(|(frame, seq)| Some((frame.as_ref()?.2, seq))).collect();
            match kept.get(&cycles_key(first)[..]) {
                None => proptest::prop_assert!(cycles.is_empty()),
                Some(value) => {
                    let read = read_cycles(first, value).unwrap();
                    proptest::prop_assert_eq!(Some(read.lowest), cycles.iter().map(|c| c.0).min());
                    proptest::prop_assert_eq!(Some(read.highest), cycles.iter().map(|c| c.0).max());
                    for (cycle, seq) in &read.news {
                        proptest::prop_assert!(cycles.contains(&(*cycle, *seq)));
                        proptest::prop_assert!(cycles.iter().all(|c| c.1 >= *seq || c.0 < *cycle));
                    }
                    proptest::prop_assert_eq!(read.news.last().map(|n| n.0), Some(read.highest));
                }
            }
        }
    }
}
