//! Looks for good frames behind a place where none stands, to tell what an interrupted write left from damage
//! (durability spec, section 6). Time and memory are bounded, whatever the bytes are.

use std::io;

use super::disk::DiskFile;
use super::frame::{FrameError, HEADER, LONGEST_BODY, MAGIC, read_frame, read_seq};
use super::segment::LONGEST_SEGMENT;

/// How much is read at once.
const PIECE: usize = 1 << 20;
/// The longest a frame can be.
const FRAME: usize = HEADER + LONGEST_BODY;
/// No frame ends behind this place of a file.
const FARTHEST: u64 = 2 * LONGEST_SEGMENT;
/// How many bytes are checked at most; only a file made to look like frames everywhere needs more.
const MOST_CHECKED: u64 = 1 << 28;

/// What was found behind the place.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// The first good frame.
    pub(super) next: Option<u64>,
    /// It stands at the beginning of its file.
    pub(super) next_at_start: bool,
    /// Frames up to here were known to survive a loss of power when some good frame was made.
    pub(super) safe: u64,
    /// How many bytes there are, zeros at the end not counted.
    pub(super) bytes: u64,
    /// The last file ends exactly with a good frame.
    pub(super) ends_with_frame: bool,
    checked: u64,
}

impl Scan {
    /// Looks through a file from `offset` on for frames of numbers above `low` and up to `high`.
    pub(super) fn file(&mut self, file: &dyn DiskFile, offset: u64, low: u64, high: u64) -> io::Result<()> {
        let mut window = vec![0; FRAME + PIECE];
        // INVARIANT: `filled` bytes of the window are those at `base` in the file; `at` is the next one to look at.
        let (mut filled, mut base, mut at, mut at_end) = (0, offset, 0, false);
        let mut last = offset;
        self.ends_with_frame = false;
        loop {
            if !at_end && filled - at < FRAME {
                window.copy_within(at..filled, 0);
                base += at as u64;
                let old = filled - at;
                at = 0;
                let read = file.read_full_at(&mut window[old..old + PIECE], base + old as u64)?;
                filled = old + read;
                at_end = read < PIECE || base > FARTHEST;
                if let Some(nonzero) = last_nonzero(&window[old..filled]) {
                    last = base + (old + nonzero + 1) as u64;
                }
                continue;
            }
            let bytes = &window[..filled];
            let Some(found) = find_magic(bytes, at, (last.saturating_sub(base)) as usize) else {
                if at_end {
                    break;
                }
                // The window may end within the mark of a frame.
                at = filled.saturating_sub(MAGIC.len() - 1).max(at);
                continue;
            };
            at = found;
            if !at_end && filled - at < FRAME {
                continue;
            }
            let first = self.next.is_none();
            match self.frame(&bytes[at..], low, high) {
                Some(len) => {
                    self.next_at_start |= first && base + at as u64 == 0;
                    at += len;
                    self.ends_with_frame = at_end && at == filled;
                }
                None => {
                    at += 1;
                    self.ends_with_frame = false;
                }
            }
        }
        self.bytes += last - offset;
        Ok(())
    }

    /// The length of the frame at the beginning of some bytes, if it is a good one.
    fn frame(&mut self, bytes: &[u8], low: u64, high: u64) -> Option<usize> {
        let seq = read_seq(bytes).filter(|seq| *seq > low && *seq <= high)?;
        if self.checked > MOST_CHECKED {
            // INVARIANT: in doubt it is damage, never something to be cut.
            self.next.get_or_insert(seq);
            self.safe = u64::MAX;
            return None;
        }
        match read_frame(bytes) {
            Ok(frame) => {
                self.next.get_or_insert(seq);
                self.safe = self.safe.max(frame.safe());
                self.checked += frame.bytes.len() as u64;
                Some(frame.bytes.len())
            }
            Err(error) => {
                self.checked += (bytes.len().min(FRAME)) as u64;
                if error == FrameError::Unknown {
                    self.next.get_or_insert(seq);
                    self.safe = u64::MAX;
                }
                None
            }
        }
    }
}

fn find_magic(window: &[u8], from: usize, upto: usize) -> Option<usize> {
    let upto = (upto + MAGIC.len()).min(window.len());
    let part = window.get(from..upto)?;
    part.windows(MAGIC.len()).position(|bytes| bytes == MAGIC).map(|at| from + at)
}

fn last_nonzero(bytes: &[u8]) -> Option<usize> {
    const ZEROS: [u8; 4096] = [0; 4096];
    let mut end = bytes.len();
    for chunk in bytes.rchunks(ZEROS.len()) {
        if *chunk != ZEROS[..chunk.len()] {
            break;
        }
        end -= chunk.len();
    }
    bytes[..end].iter().rposition(|byte| *byte != 0)
}
