//! Copies of consecutive frames in little space: what can be recomputed is left out, the rest is compressed
//! (durability spec, section 5).
//!
//! ```text
//! version 1 | prev of the first frame [32] | count varint | crc32c u32 little endian of each frame |
//!     length varint and bytes, lz4: kind of each frame, flags of each frame since those of the one before varint,
//!                                   length of each body varint, the bodies
//! ```
//!
//! A frame that comes out is made again with its number and the hash of the one before, and counts only if its
//! checksum, which covers all of that, is the one that was kept: damage loses frames, it never changes one.

use crate::base::{Digest, Reader, Writer};
use crate::run::record::Kind;
use crate::store::frame::encode_frame_behind;
use crate::store::{Frame, HEADER, LONGEST_BODY};

/// The most frames in a block.
pub(super) const MOST_FRAMES: usize = 1024;
/// A block ends before the frame that would bring its frames over so many bytes.
pub(super) const MOST_BYTES: usize = 128 << 10;
/// The version of the format.
const VERSION: u8 = 1;
/// The most bytes that a block may say it has when it is decompressed. A block of one frame is as long as that.
const LONGEST: usize = MOST_BYTES + LONGEST_BODY + 16 * MOST_FRAMES;

/// What the keys of blocks begin with.
pub(super) const BLOCKS: &[u8; 2] = b"f/";

/// The key of the block that begins with frame `first`.
pub(super) fn block_key(first: u64) -> [u8; 10] {
    let mut key = [0; 10];
    let (letter, number) = key.split_at_mut(2);
    letter.copy_from_slice(BLOCKS);
    number.copy_from_slice(&first.to_be_bytes());
    key
}

/// A block while its frames are gathered.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// The number of the first frame.
    pub(super) first: u64,
    prev: Digest,
    /// Of the last frame: kind, flags, what it says is the hash of the one before, length of the body.
    last: Option<(Kind, u16, Digest, usize)>,
    frames: usize,
    bytes: usize,
    sums: Vec<u8>,
    kinds: Vec<u8>,
    flags: Writer,
    lengths: Writer,
    bodies: Vec<u8>,
}

impl Gathered {
    /// How many frames it has.
    pub(super) fn len(&self) -> usize {
        self.frames
    }

    /// Says whether a frame of so many bytes belongs to the next block. A function of the frames alone, so that the
    /// same journal always has the same blocks.
    pub(super) fn is_full_for(&self, frame: usize) -> bool {
        self.frames > 0 && (self.frames >= MOST_FRAMES || self.bytes + frame > MOST_BYTES)
    }

    /// Adds a frame.
    ///
    /// INVARIANT: it is the next one, and [`Gathered::is_full_for`] says no.
    pub(super) fn push(&mut self, frame: &Frame<'_>) {
        if self.frames == 0 {
            self.first = frame.seq;
            self.prev = frame.prev;
        }
        let before = self.last.map_or(0, |(_, flags, ..)| flags);
        let flags = frame.bytes.get(22..24).map_or(0, |flags| u16::from_le_bytes([flags[0], flags[1]]));
        self.flags.number(flags.wrapping_sub(before).into());
        self.last = Some((frame.kind, flags, frame.prev, frame.body.len()));
        self.frames += 1;
        self.bytes += frame.bytes.len();
        self.sums.extend_from_slice(frame.bytes.get(8..12).unwrap_or_default());
        self.kinds.push(frame.kind as u8);
        self.lengths.number(frame.body.len() as u64);
        self.bodies.extend_from_slice(frame.body);
    }

    /// The number and the hash of the last frame.
    pub(super) fn head(&self) -> Option<(u64, Digest)> {
        let (kind, flags, prev, len) = self.last?;
        let seq = self.first + self.frames as u64 - 1;
        let body = self.bodies.len().checked_sub(len).and_then(|start| self.bodies.get(start..))?;
        let mut frame = Vec::with_capacity(HEADER + len);
        Some((seq, encode_frame_behind(seq, kind, flags.into(), &prev, body, &mut frame)))
    }

    /// How many bytes the last frame has.
    pub(super) fn last_len(&self) -> usize {
        self.last.map_or(0, |(.., len)| HEADER + len)
    }

    /// The block as it is kept.
    pub(super) fn encode(&self) -> Vec<u8> {
        let columns = self.kinds.len() + self.flags.bytes.len() + self.lengths.bytes.len();
        let mut raw = Vec::with_capacity(columns + self.bodies.len());
        raw.extend_from_slice(&self.kinds);
        raw.extend_from_slice(&self.flags.bytes);
        raw.extend_from_slice(&self.lengths.bytes);
        raw.extend_from_slice(&self.bodies);
        let packed = lz4_flex::block::compress(&raw);
        let mut writer = Writer { bytes: Vec::with_capacity(64 + self.sums.len() + packed.len()) };
        writer.byte(VERSION);
        writer.digest(&self.prev);
        writer.number(self.frames as u64);
        writer.bytes.extend_from_slice(&self.sums);
        writer.number(raw.len() as u64);
        writer.bytes.extend_from_slice(&packed);
        writer.bytes
    }

    /// Begins the next block.
    pub(super) fn clear(&mut self) {
        self.frames = 0;
        self.bytes = 0;
        self.last = None;
        self.sums.clear();
        self.kinds.clear();
        self.flags.bytes.clear();
        self.lengths.bytes.clear();
        self.bodies.clear();
    }
}

/// A block that was read: what its frames seem to be.
#[derive(Debug)]
pub(super) struct Block {
    /// The number of the first frame.
    pub(super) first: u64,
    /// What the first frame says is the hash of the one before.
    pub(super) prev: Digest,
    frames: Vec<Copy>,
    raw: Vec<u8>,
}

/// What was kept of a frame.
#[derive(Debug)]
struct Copy {
    kind: u8,
    flags: u16,
    sum: [u8; 4],
    start: usize,
    len: usize,
}

impl Block {
    /// Reads as much of a block as can be read; none if that is nothing.
    pub(super) fn decode(first: u64, kept: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(kept);
        if reader.byte().ok()? != VERSION {
            return None;
        }
        let prev = reader.digest().ok()?;
        let count = usize::try_from(reader.number().ok()?).ok().filter(|count| *count <= MOST_FRAMES)?;
        let sums = reader.take(4 * count).ok()?;
        let len = usize::try_from(reader.number().ok()?).ok().filter(|len| *len <= LONGEST)?;
        let mut raw = vec![0; len];
        if lz4_flex::block::decompress_into(reader.rest(), &mut raw).is_err() {
            // What was decompressed before the error stands in the buffer and is judged frame by frame. The bytes
            // added are for an end that is missing: bytes kept as they are count up to there.
            let mut longer = reader.rest().to_vec();
            longer.resize(longer.len() + len + 64, 0);
            let _ = lz4_flex::block::decompress_into(&longer, &mut raw);
        }
        let mut columns = Reader::new(&raw);
        let kinds = columns.take(count).ok()?;
        let mut frames = Vec::with_capacity(count);
        let mut flags = 0_u16;
        for (kind, sum) in kinds.iter().zip(sums.as_chunks().0) {
            flags = flags.wrapping_add(columns.number().ok()? as u16);
            frames.push(Copy { kind: *kind, flags, sum: *sum, start: 0, len: 0 });
        }
        for frame in &mut frames {
            frame.len = usize::try_from(columns.number().ok()?).ok()?;
        }
        let mut start = raw.len() - columns.rest().len();
        for frame in &mut frames {
            frame.start = start;
            start = start.saturating_add(frame.len);
        }
        Some(Self { first, prev, frames, raw })
    }

    /// How many frames it has, good or not.
    pub(super) fn len(&self) -> usize {
        self.frames.len()
    }

    /// Says whether a frame has its place here.
    pub(super) fn has(&self, seq: u64) -> bool {
        seq.checked_sub(self.first).is_some_and(|at| at < self.len() as u64)
    }

    /// Makes a frame again, into `out`, whose predecessor has the hash `prev`, and returns its hash.
    pub(super) fn frame(&self, seq: u64, prev: &Digest, out: &mut Vec<u8>) -> Option<Digest> {
        let at = usize::try_from(seq.checked_sub(self.first)?).ok()?;
        let copy = self.frames.get(at)?;
        let body = self.raw.get(copy.start..copy.start.checked_add(copy.len)?)?;
        let kind = Kind::from_byte(copy.kind)?;
        if body.len() > LONGEST_BODY {
            return None;
        }
        let start = out.len();
        let digest = encode_frame_behind(seq, kind, copy.flags.into(), prev, body, out);
        if out.get(start + 8..start + 12) == Some(&copy.sum[..]) {
            Some(digest)
        } else {
            out.truncate(start);
            None
        }
    }

    /// Makes all frames again, one after the other, from the first, as far as they are good; `each` gets their bytes
    /// and their hashes until it answers `false`. Returns how many were good.
    pub(super) fn frames(&self, each: &mut dyn FnMut(&[u8], Digest) -> bool) -> usize {
        let mut prev = self.prev;
        let mut bytes = Vec::new();
        for (count, seq) in (0..self.len()).zip(self.first..) {
            bytes.clear();
            match self.frame(seq, &prev, &mut bytes) {
                Some(digest) if each(&bytes, digest) => prev = digest,
                Some(_) => return count + 1,
                None => return count,
            }
        }
        self.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::read_frame;
    use proptest::prelude::*;

    /// Frames with these bodies, one after the other, and the hashes of them all.
    fn chain(first: u64, prev: Digest, bodies: &[(Kind, Vec<u8>)]) -> (Vec<Vec<u8>>, Vec<Digest>) {
        let (mut frames, mut digests) = (Vec::new(), vec![prev]);
        for ((kind, body), seq) in bodies.iter().zip(first..) {
            let mut bytes = Vec::new();
            let behind = seq % 7 * (seq % 3) * 9000;
            let digest =
                encode_frame_behind(seq, *kind, behind, &digests[digests.len() - 1], body, &mut bytes);
            frames.push(bytes);
            digests.push(digest);
        }
        (frames, digests)
    }

    fn gather(frames: &[Vec<u8>]) -> Gathered {
        let mut gathered = Gathered::default();
        for bytes in frames {
            assert!(!gathered.is_full_for(bytes.len()));
            gathered.push(&read_frame(bytes).unwrap());
        }
        gathered
    }

    fn all(block: &Block) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        block.frames(&mut |bytes, _| {
            frames.push(bytes.to_vec());
            true
        });
        frames
    }

    fn bodies() -> impl Strategy<Value = Vec<(Kind, Vec<u8>)>> {
        let kind = proptest::sample::select(Kind::ALL.to_vec());
        let body = prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..40),
            proptest::collection::vec(0_u8..3, 0..900),
        ];
        proptest::collection::vec((kind, body), 1..60)
    }

    proptest! {
        #[test]
        fn frames_come_back_as_they_were(bodies in bodies(), first in 1_u64..u64::MAX / 2, prev: [u8; 32]) {
            let (frames, digests) = chain(first, Digest(prev), &bodies);
            let gathered = gather(&frames);
            prop_assert_eq!(gathered.head(), Some((first + frames.len() as u64 - 1, digests[frames.len()])));
            let block = Block::decode(first, &gathered.encode()).unwrap();
            prop_assert_eq!(block.len(), frames.len());
            prop_assert_eq!(all(&block), frames);
            // In another place or another chain they are nothing.
            let moved = Block::decode(first + 1, &gathered.encode()).unwrap();
            prop_assert!(all(&moved).is_empty());
            prop_assert_eq!(block.frame(first, &Digest::of(b"other"), &mut Vec::new()), None);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut bytes = bytes;
            if let Some(first) = bytes.first_mut() {
                *first = VERSION;
            }
            if let Some(block) = Block::decode(1, &bytes) {
                all(&block);
            }
        }
    }

    #[test]
    fn a_changed_bit_loses_frames_and_changes_none() {
        let bodies: Vec<(Kind, Vec<u8>)> = (0..16_u8)
            .map(|n| {
                (Kind::Result, format!("{n} step {} took {} ms", n % 7, n.wrapping_mul(37)).into_bytes())
            })
            .collect();
        let (frames, digests) = chain(100, Digest::of(b"before"), &bodies);
        let kept = gather(&frames).encode();
        let sums = 1 + 32 + 1..1 + 32 + 1 + 4 * frames.len();
        let mut lost = 0;
        for bit in 0..kept.len() * 8 {
            let mut damaged = kept.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let Some(block) = Block::decode(100, &damaged) else {
                lost += frames.len();
                continue;
            };
            let mut good = 0;
            for (at, frame) in frames.iter().enumerate() {
                // The hash of the frame before is known from elsewhere, as it is when a hole is filled.
                let mut out = Vec::new();
                if block.frame(100 + at as u64, &digests[at], &mut out).is_some() {
                    assert_eq!(&out, frame, "bit {bit}");
                    good += 1;
                }
            }
            if sums.contains(&(bit / 8)) {
                assert_eq!(good, frames.len() - 1, "bit {bit}: a checksum is of one frame");
            }
            lost += frames.len() - good;
        }
        assert!(lost < kept.len() * 8 * frames.len() / 2, "on average a bit loses less than half of a block");
    }

    #[test]
    fn the_beginning_of_a_block_gives_its_first_frames() {
        let bodies: Vec<(Kind, Vec<u8>)> =
            (0..200_u32).map(|n| (Kind::Log, Digest::of(&n.to_le_bytes()).0.to_vec())).collect();
        let (frames, _) = chain(1, Digest::default(), &bodies);
        let kept = gather(&frames).encode();
        let some = all(&Block::decode(1, &kept[..kept.len() * 3 / 4]).unwrap());
        assert!(some.len() > 80 && some.len() < 200, "{}", some.len());
        assert_eq!(some, frames[..some.len()]);
    }

    #[test]
    fn a_block_ends_by_its_frames_alone() {
        let small = chain(1, Digest::default(), &vec![(Kind::Log, vec![1]); MOST_FRAMES]).0;
        assert!(gather(&small).is_full_for(57));
        let (large, _) = chain(1, Digest::default(), &[(Kind::Log, vec![1; LONGEST_BODY])]);
        let gathered = gather(&large);
        assert!(gathered.is_full_for(57) && !Gathered::default().is_full_for(LONGEST_BODY + HEADER));
        assert_eq!(all(&Block::decode(1, &gathered.encode()).unwrap()), large);
    }
}
