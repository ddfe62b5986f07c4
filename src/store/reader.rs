//! The journal as it is read: frame after frame, segment after segment, each verified (durability spec, sections 4 and
//! 6). Reads while another process writes, and on a disk that cannot be written. Knows nothing of what frames say.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::{Disk, DiskFile};
use super::error::{Damage, StoreError};
use super::frame::{Frame, FrameError, HEADER, LONGEST_BODY, frame_len, read_frame};
use super::layout::{open_file, reserve_path};
use super::scan::Scan;
use super::segment::{LONGEST_SEGMENT, segment_path, segments};
use crate::base::Digest;
use crate::run::record::Kind;

/// How much is read at once.
const PIECE: usize = 1 << 20;
/// More frames than a segment can hold.
const MOST_FRAMES: u64 = (LONGEST_SEGMENT + LONGEST_BODY as u64) / HEADER as u64 + 1;

/// Where the last good frame of a journal ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tail {
    /// Its number; 0 when there is none.
    pub seq: u64,
    /// Its hash.
    pub digest: Digest,
    /// The number of the segment it stands in, from 1.
    pub segment: u32,
    /// Where the next frame begins in that segment.
    pub offset: u64,
}

/// Bytes at the end of a journal that are no frame: what a write leaves that was interrupted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torn {
    /// The segment.
    pub file: PathBuf,
    /// Where the bytes begin.
    pub offset: u64,
    /// How many there are, zeros at the end not counted.
    pub bytes: u64,
}

/// Reads a journal. When it stands at the end it may be asked again later: it goes on if more was written.
#[derive(Debug)]
pub struct JournalReader {
    disk: Arc<dyn Disk>,
    run: PathBuf,
    journal: PathBuf,
    /// The segment of the tail; none before it was opened.
    file: Option<Box<dyn DiskFile>>,
    /// INVARIANT: the bytes `from..upto` are those of the file at the tail.
    buffer: Vec<u8>,
    from: usize,
    upto: usize,
    tail: Tail,
    safe: u64,
}

/// What stands behind the last good frame.
enum Look {
    /// The next frame.
    Frame { kind: Kind, seq: u64, prev: Digest, len: usize },
    /// None, and why.
    Nothing(Absent),
}

/// Why there is no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Absent {
    /// The segment does not exist.
    Segment,
    /// The file ends.
    End,
    /// Zeros stand there.
    Zeros,
    /// Something else stands there.
    Bad(FrameError),
}

/// What the rest of a journal is when no frame follows.
enum Rest {
    End(Option<Torn>),
    Damaged(Box<Damage>),
}

impl JournalReader {
    pub(super) fn open(disk: Arc<dyn Disk>, run: &Path) -> Result<Self, StoreError> {
        let tail = Tail { seq: 0, digest: Digest::default(), segment: 1, offset: 0 };
        let journal = run.join("journal");
        let (run, buffer) = (run.to_owned(), Vec::new());
        let mut reader = Self { disk, run, journal, file: None, buffer, from: 0, upto: 0, tail, safe: 0 };
        reader.open_segment()?;
        Ok(reader)
    }

    /// The next frame, verified: its checksum, its number, its place in the chain. None at the end, be that the end of
    /// the file, zeros, or a torn tail; asked again later, it goes on if more was written.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when good frames follow a bad place and what stood there was safe from a loss of power,
    /// or a frame is not the one that belongs there; [`StoreError::Newer`] for a frame of another version of normc.
    #[allow(clippy::should_implement_trait, reason = "frames are borrowed from the reader")]
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, StoreError> {
        let Some((kind, seq, prev, len)) = self.advance()? else { return Ok(None) };
        let bytes = self.buffer.get(self.from - len..self.from).unwrap_or_default();
        Ok(Some(Frame { seq, kind, prev, body: bytes.get(HEADER..).unwrap_or_default(), bytes }))
    }

    fn advance(&mut self) -> Result<Option<(Kind, u64, Digest, usize)>, StoreError> {
        // What was read before the call may be older than what is there now.
        let (mut fresh, mut confirmed) = (self.upto == 0, false);
        loop {
            let absent = match self.look()? {
                Look::Frame { kind, seq, prev, len } => {
                    let bytes = self.buffer.get(self.from..self.from + len).unwrap_or_default();
                    let frame = Frame { seq, kind, prev, body: &[], bytes };
                    self.safe = self.safe.max(frame.safe());
                    self.tail.digest = frame.digest();
                    self.tail.seq = seq;
                    self.tail.offset += len as u64;
                    self.from += len;
                    return Ok(Some((kind, seq, prev, len)));
                }
                Look::Nothing(absent) => absent,
            };
            self.forget();
            if !fresh {
                fresh = true;
                continue;
            }
            if self.enter_next()? {
                (fresh, confirmed) = (true, false);
                continue;
            }
            match self.judge(absent)? {
                Rest::End(_) => return Ok(None),
                // A writer may have been busy between the two looks: what is damage stays damage.
                Rest::Damaged(_) if !confirmed => (fresh, confirmed) = (true, true),
                Rest::Damaged(damage) => return Err(StoreError::Damaged(damage)),
            }
        }
    }

    /// Where the last good frame ended.
    pub fn tail(&self) -> Tail {
        self.tail
    }

    /// The number of the last frame that the frames read so far say was safe from a loss of power. An object that a
    /// frame up to this one refers to cannot be missing by one; a frame behind it whose object is missing or is not
    /// what its name says was written right before the power went, and the journal ends before it.
    pub fn safe(&self) -> u64 {
        self.safe
    }

    /// At the end: what lies behind the last good frame and is neither a frame nor zeros. Under the lock of the run it
    /// is what an interrupted write left; [`super::RunDir::go_on`] cuts it.
    ///
    /// # Errors
    /// As [`JournalReader::next`].
    pub fn torn(&mut self) -> Result<Option<Torn>, StoreError> {
        self.forget();
        match self.look()? {
            Look::Frame { .. } => Ok(None),
            Look::Nothing(absent) => match self.judge(absent)? {
                Rest::End(torn) => Ok(torn),
                Rest::Damaged(damage) => Err(StoreError::Damaged(damage)),
            },
        }
    }

    fn path(&self) -> PathBuf {
        segment_path(&self.journal, self.tail.segment)
    }

    fn open_segment(&mut self) -> Result<(), StoreError> {
        if self.file.is_none() {
            self.file = open_file(self.disk.as_ref(), &self.path())?;
        }
        Ok(())
    }

    /// What was read is read again.
    fn forget(&mut self) {
        (self.from, self.upto) = (0, 0);
    }

    /// Looks at what stands behind the last good frame.
    fn look(&mut self) -> Result<Look, StoreError> {
        self.open_segment()?;
        if self.file.is_none() {
            return Ok(Look::Nothing(Absent::Segment));
        }
        loop {
            let rest = self.buffer.get(self.from..self.upto).unwrap_or_default();
            let absent = match read_frame(rest) {
                Ok(frame) => {
                    let (kind, seq, prev, len) = (frame.kind, frame.seq, frame.prev, frame.bytes.len());
                    self.check(seq, &prev)?;
                    return Ok(Look::Frame { kind, seq, prev, len });
                }
                Err(FrameError::Unknown) => return Err(self.newer(&self.path(), self.tail.offset)),
                Err(FrameError::Short) if rest.is_empty() => Absent::End,
                Err(FrameError::Magic) if rest.iter().take(HEADER).all(|byte| *byte == 0) => Absent::Zeros,
                Err(error) => Absent::Bad(error),
            };
            let short = matches!(absent, Absent::End | Absent::Bad(FrameError::Short));
            if !(short && self.fill()?) {
                return Ok(Look::Nothing(absent));
            }
        }
    }

    /// Reads more; false when there is no more.
    fn fill(&mut self) -> Result<bool, StoreError> {
        let Some(file) = &self.file else { return Ok(false) };
        let kept = self.upto - self.from;
        if self.buffer.len() < kept + PIECE {
            // Fresh memory that is zero already, not memory set to zero.
            let old = std::mem::replace(&mut self.buffer, vec![0; kept + PIECE]);
            self.buffer[..kept].copy_from_slice(&old[self.from..self.upto]);
        } else {
            self.buffer.copy_within(self.from..self.upto, 0);
        }
        (self.from, self.upto) = (0, kept);
        let room = self.buffer.get_mut(kept..kept + PIECE).unwrap_or_default();
        let path = segment_path(&self.journal, self.tail.segment);
        let read = file
            .read_full_at(room, self.tail.offset + kept as u64)
            .map_err(|e| StoreError::io("read", &path, e))?;
        self.upto += read;
        Ok(read > 0)
    }

    /// A good frame must be the next one of the chain. What the first one has before it is the caller's to check.
    fn check(&self, seq: u64, prev: &Digest) -> Result<(), StoreError> {
        let wanted = self.tail.seq + 1;
        if seq != wanted {
            return Err(self.broken(&self.path(), self.tail.offset, &misplaced(seq, wanted), seq));
        }
        if self.tail.seq > 0 && *prev != self.tail.digest {
            return Err(self.broken(&self.path(), self.tail.offset, &foreign(seq), seq));
        }
        Ok(())
    }

    fn broken(&self, file: &Path, offset: u64, problem: &str, next: u64) -> StoreError {
        let next_good = (next > self.tail.seq).then_some(next);
        let (file, problem) = (file.to_owned(), problem.to_owned());
        StoreError::Damaged(Box::new(Damage { file, offset, problem, last_good: self.tail.seq, next_good }))
    }

    fn newer(&self, file: &Path, offset: u64) -> StoreError {
        let found = format!("a record of a kind or version this one does not know, at byte {offset}");
        StoreError::Newer { path: file.to_owned(), found }
    }

    /// Goes on in the next segment when the next frame stands there.
    fn enter_next(&mut self) -> Result<bool, StoreError> {
        let Some(number) = self.tail.segment.checked_add(1) else { return Ok(false) };
        let path = segment_path(&self.journal, number);
        let Some(file) = open_file(self.disk.as_ref(), &path)? else { return Ok(false) };
        let mut bytes = vec![0; HEADER];
        let failed = |e| StoreError::io("read", &path, e);
        let mut read = file.read_full_at(&mut bytes, 0).map_err(failed)?;
        let len = frame_len(&bytes);
        if read == HEADER && len <= HEADER + LONGEST_BODY {
            bytes.resize(len.max(HEADER), 0);
            read += file
                .read_full_at(bytes.get_mut(HEADER..).unwrap_or_default(), HEADER as u64)
                .map_err(failed)?;
        }
        let wanted = self.tail.seq + 1;
        match read_frame(bytes.get(..read).unwrap_or_default()) {
            Ok(frame) if frame.seq < wanted => {
                Err(self.broken(&path, 0, &misplaced(frame.seq, wanted), frame.seq))
            }
            Ok(frame) if frame.seq == wanted && (wanted == 1 || frame.prev != self.tail.digest) => {
                Err(self.broken(&path, 0, &foreign(frame.seq), frame.seq))
            }
            Ok(frame) if frame.seq == wanted => {
                self.file = Some(file);
                self.forget();
                self.tail.segment = number;
                self.tail.offset = 0;
                Ok(true)
            }
            Err(FrameError::Unknown) => Err(self.newer(&path, 0)),
            Ok(_) | Err(_) => Ok(false),
        }
    }

    /// Tells the end of the journal, a torn tail and damage apart.
    ///
    /// A frame that was safe from a loss of power cannot be missing by one. What a good frame behind the place says was
    /// safe when it was made, was; and all of a journal that was closed.
    fn judge(&self, absent: Absent) -> Result<Rest, StoreError> {
        let numbers = segments(self.disk.as_ref(), &self.journal)?;
        let mut scan = Scan::default();
        let mut next_begins_well = false;
        let low = self.tail.seq;
        for number in numbers.into_iter().filter(|number| *number >= self.tail.segment) {
            let path = segment_path(&self.journal, number);
            let Some(file) = open_file(self.disk.as_ref(), &path)? else { continue };
            let (offset, apart) = if number == self.tail.segment {
                (self.tail.offset, 0)
            } else {
                (0, number - self.tail.segment)
            };
            let high = low.saturating_add(MOST_FRAMES.saturating_mul(u64::from(apart) + 1));
            let first = scan.next.is_none();
            scan.file(file.as_ref(), offset, low, high).map_err(|e| StoreError::io("read", &path, e))?;
            next_begins_well |= apart == 1 && first && scan.next_at_start;
            if scan.next.is_some() && scan.safe > low && apart > 0 {
                break;
            }
        }
        let (file, offset) = (self.path(), self.tail.offset);
        // Only closing removes the reserve; a full disk leaves an empty one.
        let closed = scan.ends_with_frame && self.disk.info(&reserve_path(&self.run)).is_err();
        if let Some(next) = scan.next
            && (scan.safe > low || closed)
        {
            let (file, offset, problem) = self.place(absent, next_begins_well)?;
            return Ok(Rest::Damaged(Box::new(Damage {
                file,
                offset,
                problem,
                last_good: low,
                next_good: Some(next),
            })));
        }
        Ok(Rest::End((scan.bytes > 0).then_some(Torn { file, offset, bytes: scan.bytes })))
    }

    /// Where the damage is, and what it is: at the tail, or in the next segment when this one seems to end there.
    fn place(&self, absent: Absent, next_begins_well: bool) -> Result<(PathBuf, u64, String), StoreError> {
        let wanted = self.tail.seq + 1;
        let here = (self.path(), self.tail.offset, absent.problem(wanted));
        if !matches!(absent, Absent::End | Absent::Zeros) || self.tail.offset == 0 {
            return Ok(here);
        }
        let Some(number) = self.tail.segment.checked_add(1) else { return Ok(here) };
        let path = segment_path(&self.journal, number);
        let Some(file) = open_file(self.disk.as_ref(), &path)? else {
            return Ok((path, 0, Absent::Segment.problem(wanted)));
        };
        if next_begins_well {
            return Ok(here);
        }
        let mut bytes = [0; HEADER];
        let read = file.read_full_at(&mut bytes, 0).map_err(|e| StoreError::io("read", &path, e))?;
        let bytes = bytes.get(..read).unwrap_or_default();
        let absent = match read_frame(bytes) {
            _ if bytes.is_empty() => Absent::End,
            Err(FrameError::Magic) if bytes.iter().all(|byte| *byte == 0) => Absent::Zeros,
            // The header alone is always cut off: what follows it is what is wrong.
            Err(FrameError::Short) if read == HEADER => Absent::Bad(FrameError::Checksum),
            Err(error) => Absent::Bad(error),
            Ok(_) => return Ok(here),
        };
        Ok((path, 0, absent.problem(wanted)))
    }
}

impl Absent {
    fn problem(self, seq: u64) -> String {
        match self {
            Self::Segment => format!("the file is missing, and with it record {seq} and those after it"),
            Self::End => format!("the file ends where record {seq} should begin"),
            Self::Zeros => format!("zeros stand where record {seq} should begin"),
            Self::Bad(FrameError::Magic) => format!("record {seq} should begin there, and does not"),
            Self::Bad(FrameError::Short) => format!("record {seq} is cut off"),
            Self::Bad(FrameError::TooLong) => format!("record {seq} says it is longer than any may be"),
            Self::Bad(FrameError::Checksum | FrameError::Unknown) => {
                format!("the checksum of record {seq} does not fit")
            }
        }
    }
}

fn misplaced(seq: u64, wanted: u64) -> String {
    format!("record {seq} stands where record {wanted} should")
}

fn foreign(seq: u64) -> String {
    format!("record {seq} does not belong there: the hash it holds is not that of the record before it")
}
