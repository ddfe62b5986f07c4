//! One record of the journal as bytes (durability spec, section 4), little endian:
//!
//! ```text
//! magic "NCJ1" | len u32 | crc32c u32 | seq u64 | kind u8 | version u8 | flags u16 | prev [32] | body [len]
//! ```
//!
//! The checksum covers everything after itself and `len`; `prev` is the hash of the previous frame, whole. `flags` says
//! how many frames right before this one were not known to survive a loss of power when it was made (65535: any
//! number): so a reader can tell a group that was torn by a loss of power from damage to what was safe. Knows neither
//! files nor what a body says.

use crate::base::Digest;
use crate::run::record::Kind;

/// The first four bytes of every frame.
pub(super) const MAGIC: [u8; 4] = *b"NCJ1";
/// Bytes before the body.
pub const HEADER: usize = 56;
/// The longest body; longer values are objects.
pub const LONGEST_BODY: usize = 1 << 20;
/// The version of the frame.
const VERSION: u8 = 1;
/// The flags of a frame that says nothing about those before it.
const ANY: u16 = u16::MAX;
/// What the checksum covers begins here; `len` is covered too, before it.
const COVERED: usize = 12;

/// A frame, read and verified, but for its place in the chain.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// Its number, from 1 without gaps.
    pub seq: u64,
    /// What its body is.
    pub kind: Kind,
    /// The hash of the frame before it.
    pub prev: Digest,
    /// What it says.
    pub body: &'a [u8],
    /// All of it.
    pub bytes: &'a [u8],
}

impl Frame<'_> {
    /// The hash of the frame, which the next one holds.
    pub fn digest(&self) -> Digest {
        Digest::of(self.bytes)
    }

    /// The number of the last frame that was known to survive a loss of power when this one was made; 0 for none.
    pub fn safe(&self) -> u64 {
        let behind = self.bytes.get(22..24).map_or(ANY, |flags| u16::from_le_bytes(array(flags)));
        if behind == ANY { 0 } else { self.seq.saturating_sub(1 + u64::from(behind)) }
    }
}

/// Why bytes are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// They do not begin as a frame does.
    #[error("no frame begins here")]
    Magic,
    /// There are fewer bytes than the frame says it has.
    #[error("the frame is cut off")]
    Short,
    /// The length is beyond the limit.
    #[error("the frame says it is longer than any may be")]
    TooLong,
    /// The checksum is another one.
    #[error("the checksum does not fit")]
    Checksum,
    /// Written by a newer normc.
    #[error("the frame is of a kind or version this normc does not know")]
    Unknown,
}

/// Appends a frame to `out`, all before it being safe, and returns its hash.
///
/// INVARIANT: the body has at most [`LONGEST_BODY`] bytes.
pub fn encode_frame(seq: u64, kind: Kind, prev: &Digest, body: &[u8], out: &mut Vec<u8>) -> Digest {
    encode_frame_behind(seq, kind, 0, prev, body, out)
}

/// Appends a frame to `out` and returns its hash. So many frames right before it may not survive a loss of power.
pub(super) fn encode_frame_behind(
    seq: u64,
    kind: Kind,
    behind: u64,
    prev: &Digest,
    body: &[u8],
    out: &mut Vec<u8>,
) -> Digest {
    debug_assert!(body.len() <= LONGEST_BODY);
    let start = out.len();
    let len = (body.len() as u32).to_le_bytes();
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&len);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&seq.to_le_bytes());
    out.extend_from_slice(&[kind as u8, VERSION]);
    out.extend_from_slice(&u16::try_from(behind).unwrap_or(ANY).to_le_bytes());
    out.extend_from_slice(&prev.0);
    out.extend_from_slice(body);
    let crc = checksum(&out[start..]);
    out[start + 8..start + COVERED].copy_from_slice(&crc.to_le_bytes());
    Digest::of(&out[start..])
}

fn checksum(frame: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&frame[4..8]), &frame[COVERED..])
}

/// How long the frame at the beginning of some bytes says it is; 0 when not even that is there.
pub(super) fn frame_len(bytes: &[u8]) -> usize {
    bytes.get(4..8).map_or(0, |len| HEADER + u32::from_le_bytes(array(len)) as usize)
}

/// The number that the frame at the beginning of some bytes has, if it is one.
pub(super) fn read_seq(bytes: &[u8]) -> Option<u64> {
    bytes.get(COVERED..COVERED + 8).map(|seq| u64::from_le_bytes(array(seq)))
}

/// Reads the frame at the beginning of some bytes.
///
/// # Errors
/// When no whole, undamaged frame stands there.
pub fn read_frame(bytes: &[u8]) -> Result<Frame<'_>, FrameError> {
    let magic = bytes.len().min(MAGIC.len());
    if bytes[..magic] != MAGIC[..magic] {
        return Err(FrameError::Magic);
    }
    let header = bytes.get(..HEADER).ok_or(FrameError::Short)?;
    let len = u32::from_le_bytes(array(&header[4..8])) as usize;
    if len > LONGEST_BODY {
        return Err(FrameError::TooLong);
    }
    let whole = bytes.get(..HEADER + len).ok_or(FrameError::Short)?;
    if checksum(whole) != u32::from_le_bytes(array(&header[8..COVERED])) {
        return Err(FrameError::Checksum);
    }
    let kind = Kind::from_byte(header[20]).ok_or(FrameError::Unknown)?;
    if header[21] != VERSION {
        return Err(FrameError::Unknown);
    }
    Ok(Frame {
        seq: u64::from_le_bytes(array(&header[12..20])),
        kind,
        prev: Digest(array(&header[24..HEADER])),
        body: &whole[HEADER..],
        bytes: whole,
    })
}

/// The bytes of a slice of known length.
fn array<const N: usize>(slice: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(slice);
    array
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_comes_back_and_every_changed_bit_is_seen() {
        let mut bytes = Vec::new();
        let prev = Digest::of(b"before");
        let digest = encode_frame(7, Kind::Result, &prev, b"body", &mut bytes);
        assert_eq!(bytes.len(), HEADER + 4);
        let frame = read_frame(&bytes).unwrap();
        assert_eq!((frame.seq, frame.kind, frame.prev, frame.body), (7, Kind::Result, prev, &b"body"[..]));
        assert_eq!(frame.digest(), digest);
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(read_frame(&damaged).is_err(), "bit {bit}");
        }
        for cut in 0..bytes.len() {
            assert_eq!(read_frame(&bytes[..cut]).unwrap_err(), FrameError::Short, "cut at {cut}");
        }
    }

    #[test]
    fn a_length_is_checked_before_anything_is_read() {
        let mut bytes = vec![0; 100];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(read_frame(&bytes).unwrap_err(), FrameError::TooLong);
        assert_eq!(read_frame(&[0; 100]).unwrap_err(), FrameError::Magic);
    }
}
