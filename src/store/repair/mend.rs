//! A damaged journal put together again from its own frames and the copies in the index (durability spec, sections 5
//! and 6). Nothing of the journal changes until the result is applied.
//!
//! Every segment is read whole. Frames that continue the chain are taken; where they do not, frames are looked for that
//! can be reached with copies from the index, so that the chain holds on both sides.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::Digest;
use crate::store::frame::frame_len;
use crate::store::index::{Copies, Place};
use crate::store::segment::{Segment, segment_path, segments};
use crate::store::{Disk, Frame, HEADER, LONGEST_BODY, RunDir, StoreError, read_frame};

/// The first bytes of a frame, by which frames are looked for.
const MAGIC: &[u8; 4] = b"NCJ1";
/// How many bytes may be read for each byte of a segment in which frames are looked for: text that is full of beginnings
/// of frames must not take for ever.
const EFFORT: u64 = 64;

/// Puts a journal together.
pub(super) struct Mender {
    disk: Arc<dyn Disk>,
    journal: PathBuf,
    limit: usize,
    copies: Copies,
    digest: Option<Digest>,
    /// What was put together for the segment at hand.
    out: Vec<u8>,
    result: Mended,
}

/// A journal put together, not yet in its place.
#[derive(Debug)]
pub(super) struct Mended {
    disk: Arc<dyn Disk>,
    journal: PathBuf,
    /// For each segment that changes, what becomes of it, in order.
    changes: Vec<(u32, Change)>,
    /// The segments there are, and where the frames of the last one end.
    last: Option<(u32, u64)>,
    /// The hash of every frame, in order.
    digests: Vec<Digest>,
    /// From which frame to which the index had to help.
    filled: Vec<(u64, u64)>,
    conflict: Option<u64>,
    beyond: Option<u64>,
}

/// What becomes of a segment.
#[derive(Debug)]
enum Change {
    /// It is replaced by a file that stands beside it.
    Replace(PathBuf),
    /// It is removed.
    Remove,
}

impl Mender {
    /// A mender of the journal of a run, with the copies in all its indexes.
    pub(super) fn new(run: &RunDir, place: &Place) -> Result<Self, StoreError> {
        let (disk, journal) = (Arc::clone(run.disk()), run.path().join("journal"));
        let result = Mended {
            disk: Arc::clone(&disk),
            journal: journal.clone(),
            changes: Vec::new(),
            last: None,
            digests: Vec::new(),
            filled: Vec::new(),
            conflict: None,
            beyond: None,
        };
        let limit = usize::try_from(run.segment_limit()).unwrap_or(usize::MAX);
        Ok(Self { disk, journal, limit, copies: Copies::open(place), digest: None, out: Vec::new(), result })
    }

    /// Puts the journal together.
    ///
    /// # Errors
    /// When it cannot be read, or the new segments cannot be written beside the old ones.
    pub(super) fn mend(mut self) -> Result<Mended, StoreError> {
        let done = self.mend_all();
        match done {
            Ok(()) => Ok(self.result),
            Err(error) => {
                self.result.discard();
                Err(error)
            }
        }
    }

    fn seq(&self) -> u64 {
        self.result.digests.len() as u64
    }

    fn mend_all(&mut self) -> Result<(), StoreError> {
        let numbers = segments(self.disk.as_ref(), &self.journal)?;
        let highest = numbers.last().copied().unwrap_or(0);
        // A gap is a segment that is missing; so many of them are no journal.
        if highest as usize > numbers.len() + 1000 {
            let path = segment_path(&self.journal, highest);
            return Err(StoreError::damaged(&path, "the segments before it are missing"));
        }
        for number in 1..=highest {
            let bytes = if numbers.contains(&number) { self.read(number)? } else { Vec::new() };
            self.segment(number, &bytes, &numbers)?;
            let end = bytes.len() - trailing_zeros(&bytes);
            let same = self.out.len() == end && bytes.starts_with(&self.out);
            if number == highest {
                // A segment that is whole is left as it is, and what the index has more begins a new one.
                if same && end > 0 {
                    self.result.last = Some((number, end as u64));
                    self.out.clear();
                } else {
                    self.fill(None);
                    self.put(number)?;
                }
            } else if same {
                self.out.clear();
            } else {
                self.put(number)?;
            }
        }
        let mut number = highest;
        loop {
            if self.out.len() < self.limit {
                self.fill(None);
            }
            if self.out.is_empty() {
                return Ok(());
            }
            number += 1;
            self.put(number)?;
        }
    }

    /// Takes what is good of a segment, and fills the holes in it.
    fn segment(&mut self, number: u32, bytes: &[u8], numbers: &[u32]) -> Result<(), StoreError> {
        let mut at = 0;
        while at < bytes.len() {
            let rest = bytes.get(at..).unwrap_or_default();
            match read_frame(rest) {
                Ok(frame) if frame.seq == self.seq() + 1 && self.digest.is_none_or(|d| d == frame.prev) => {
                    at += frame.bytes.len();
                    self.accept(frame.bytes, frame.digest());
                }
                _ if trailing_zeros(rest) == rest.len() => break,
                _ => match self.join(rest) {
                    Some(skipped) => at += skipped,
                    None => break,
                },
            }
        }
        let whole = at > 0 && trailing_zeros(bytes.get(at..).unwrap_or_default()) == bytes.len() - at;
        let later = numbers.iter().filter(|later| **later > number);
        for later in later.copied() {
            // What is missing at the end of this segment ends where the next one goes on.
            if let Some(seq) = self.first_seq(later)?.filter(|seq| *seq > self.seq()) {
                self.fill(Some(seq));
                return Ok(());
            }
        }
        if !whole && number < numbers.last().copied().unwrap_or(0) {
            self.fill(None);
        }
        Ok(())
    }

    /// Looks for a frame that continues the chain, if need be behind copies from the index, and takes those copies.
    /// Returns how many bytes stand before it.
    fn join(&mut self, rest: &[u8]) -> Option<usize> {
        let mut effort = EFFORT * rest.len() as u64;
        let mut fill = Fill::new(self.seq(), self.digest);
        let mut at = 0;
        while let Some(found) = find(rest.get(at..)?, MAGIC) {
            at += found;
            let here = rest.get(at..)?;
            let Some(left) = effort.checked_sub(cost(here)) else {
                // What was not looked at may hold frames.
                self.result.beyond = Some(u64::MAX);
                return None;
            };
            effort = left;
            let Ok(frame) = read_frame(here) else {
                at += 1;
                continue;
            };
            if frame.seq > self.seq() {
                if fill.reaches(&frame, &mut self.copies, 2 * self.limit) {
                    self.take(fill, frame.seq);
                    return Some(at);
                }
                self.result.beyond = self.result.beyond.max(Some(frame.seq));
                at += 1;
            } else {
                // The same frame a second time does no harm; another one with its number does.
                if self.result.digest_of(frame.seq) != Some(frame.digest()) {
                    self.result.conflict = Some(frame.seq);
                }
                at += frame.bytes.len();
            }
        }
        None
    }

    /// Takes copies as long as they continue the chain, up to before a frame.
    fn fill(&mut self, upto: Option<u64>) {
        let mut fill = Fill::new(self.seq(), self.digest);
        while upto.is_none_or(|upto| fill.seq + 1 < upto)
            && fill.bytes.len() < 2 * self.limit
            && fill.more(&mut self.copies)
        {}
        let end = fill.seq + 1;
        self.take(fill, end);
    }

    /// Takes the copies before a frame.
    fn take(&mut self, fill: Fill, before: u64) {
        let (from, mut start) = (self.seq() + 1, 0);
        for (end, digest) in fill.frames {
            if self.seq() + 1 >= before {
                break;
            }
            self.accept(fill.bytes.get(start..end).unwrap_or_default(), digest);
            start = end;
        }
        if self.seq() >= from {
            self.result.filled.push((from, self.seq()));
        }
    }

    fn accept(&mut self, frame: &[u8], digest: Digest) {
        self.result.digests.push(digest);
        self.out.extend_from_slice(frame);
        self.digest = Some(digest);
    }

    /// Writes what was put together beside the segment, and keeps for the next one what is too much.
    fn put(&mut self, number: u32) -> Result<(), StoreError> {
        let mut end = 0;
        while let Ok(frame) = read_frame(self.out.get(end..).unwrap_or_default()) {
            if end > 0 && end + frame.bytes.len() > self.limit {
                break;
            }
            end += frame.bytes.len();
        }
        let rest = self.out.split_off(end.min(self.out.len()));
        let frames = std::mem::replace(&mut self.out, rest);
        if frames.is_empty() {
            self.result.changes.push((number, Change::Remove));
            return Ok(());
        }
        let path = self.journal.join(format!("{number:08}.ncj.tmp"));
        write_new(self.disk.as_ref(), &path, &frames)?;
        self.result.changes.push((number, Change::Replace(path)));
        Ok(())
    }

    fn read(&self, number: u32) -> Result<Vec<u8>, StoreError> {
        let path = segment_path(&self.journal, number);
        read_all(self.disk.as_ref(), &path, 2 * self.limit as u64 + 2 * LONGEST_BODY as u64)
    }

    /// The number of the first good frame in a segment.
    fn first_seq(&self, number: u32) -> Result<Option<u64>, StoreError> {
        let bytes = self.read(number)?;
        let mut at = 0;
        let mut effort = EFFORT * bytes.len() as u64;
        while let Some(found) = bytes.get(at..).and_then(|rest| find(rest, MAGIC)) {
            at += found;
            let here = bytes.get(at..).unwrap_or_default();
            let Some(left) = effort.checked_sub(cost(here)) else { break };
            effort = left;
            if let Ok(frame) = read_frame(here) {
                return Ok(Some(frame.seq));
            }
            at += 1;
        }
        Ok(None)
    }
}

/// Copies that continue the chain.
struct Fill {
    seq: u64,
    digest: Option<Digest>,
    bytes: Vec<u8>,
    /// Where each ends, and its hash.
    frames: Vec<(usize, Digest)>,
    start: (u64, Option<Digest>),
}

impl Fill {
    fn new(seq: u64, digest: Option<Digest>) -> Self {
        Self { seq, digest, bytes: Vec::new(), frames: Vec::new(), start: (seq, digest) }
    }

    fn more(&mut self, copies: &mut Copies) -> bool {
        let found = copies.frame(self.seq + 1, self.digest.as_ref(), &mut self.bytes);
        if let Some(digest) = found {
            self.seq += 1;
            self.digest = Some(digest);
            self.frames.push((self.bytes.len(), digest));
        }
        found.is_some()
    }

    /// Says whether a frame continues the chain behind as many copies as are missing before it.
    fn reaches(&mut self, frame: &Frame<'_>, copies: &mut Copies, most: usize) -> bool {
        while self.seq + 1 < frame.seq && self.bytes.len() < most {
            if !self.more(copies) {
                return false;
            }
        }
        let missing = usize::try_from(frame.seq - self.start.0 - 1).unwrap_or(usize::MAX);
        match missing.checked_sub(1) {
            // A first frame is preceded by nothing that is known here.
            None => self.start.1.is_none_or(|digest| digest == frame.prev),
            Some(last) => self.frames.get(last).is_some_and(|(_, digest)| *digest == frame.prev),
        }
    }
}

impl Mended {
    /// Whether every good frame of the journal is in it, and none twice.
    pub(super) fn is_whole(&self) -> bool {
        self.conflict.is_none() && self.beyond.is_none_or(|seq| seq <= self.digests.len() as u64)
    }

    /// How many frames the index had to give.
    pub(super) fn filled(&self) -> u64 {
        self.filled.iter().map(|(from, to)| to - from + 1).sum()
    }

    /// The number of a frame of which there are two different ones.
    pub(super) fn conflict(&self) -> Option<u64> {
        self.conflict
    }

    /// The hash of a frame.
    pub(super) fn digest_of(&self, seq: u64) -> Option<Digest> {
        let at = usize::try_from(seq.checked_sub(1)?).ok()?;
        self.digests.get(at).copied()
    }

    /// What is done, for people.
    pub(super) fn note(&self) -> String {
        let span = |(from, to): &(u64, u64)| {
            if from == to { format!("record {from}") } else { format!("records {from} to {to}") }
        };
        let spans: Vec<String> = self.filled.iter().take(5).map(span).collect();
        let more = if self.filled.len() > spans.len() { " and others" } else { "" };
        let what = match spans.len() {
            0 => "bytes that were no records were taken out of the journal".to_owned(),
            _ => format!("{}{more} of the journal came back from the index", spans.join(", ")),
        };
        let kept = if self.changes.iter().any(|(number, _)| self.last.is_none_or(|(last, _)| *number <= last))
        {
            "; the damaged files are kept as `journal/*.bad-*`"
        } else {
            ""
        };
        what + kept
    }

    /// Puts the new segments in the place of the old ones, which are kept under other names.
    ///
    /// # Errors
    /// When the disk cannot be written. What was done until then is a journal that can be repaired again.
    pub(super) fn apply(self) -> Result<(), StoreError> {
        let disk = self.disk.as_ref();
        let failed = |path: &Path, error| StoreError::io("repair", path, error);
        if let Some((number, end)) = self.last.filter(|_| !self.changes.is_empty()) {
            // It is followed by other segments now: the space reserved behind its last frame is cut.
            Segment::open(disk, &self.journal, number, end, false)?;
        }
        // Segments without frames go first, the last one before the others: so there is never a gap.
        for (number, change) in self.changes.iter().rev() {
            let path = segment_path(&self.journal, *number);
            if matches!(change, Change::Remove) && disk.info(&path).is_ok() {
                let kept = self.kept_name(*number);
                disk.rename(&path, &kept).map_err(|error| failed(&path, error))?;
            }
        }
        for (number, change) in &self.changes {
            let Change::Replace(new) = change else { continue };
            let path = segment_path(&self.journal, *number);
            if disk.info(&path).is_ok() {
                let old = read_all(disk, &path, u64::MAX)?;
                write_new(disk, &self.kept_name(*number), &old)?;
            }
            disk.rename(new, &path).map_err(|error| failed(&path, error))?;
        }
        disk.sync_dir(&self.journal).map_err(|error| failed(&self.journal, error))
    }

    /// A name for a damaged segment that is not taken.
    fn kept_name(&self, number: u32) -> PathBuf {
        let name = |n: u32| self.journal.join(format!("{number:08}.ncj.bad-{n}"));
        (1..u32::MAX).map(name).find(|path| self.disk.info(path).is_err()).unwrap_or_else(|| name(0))
    }

    /// Removes what was written.
    pub(super) fn discard(self) {
        for (_, change) in &self.changes {
            if let Change::Replace(path) = change {
                let _ = self.disk.remove_file(path);
            }
        }
    }
}

/// How many bytes are read to see whether a frame begins here: none where it would end behind the end.
fn cost(bytes: &[u8]) -> u64 {
    let len = HEADER.max(frame_len(bytes));
    if len > bytes.len().min(HEADER + LONGEST_BODY) { 1 } else { len as u64 }
}

/// Where a pattern begins.
fn find(bytes: &[u8], pattern: &[u8; 4]) -> Option<usize> {
    bytes.windows(pattern.len()).position(|window| window == pattern)
}

fn trailing_zeros(bytes: &[u8]) -> usize {
    bytes.iter().rev().take_while(|byte| **byte == 0).count()
}

fn read_all(disk: &dyn Disk, path: &Path, most: u64) -> Result<Vec<u8>, StoreError> {
    let failed = |error| StoreError::io("read", path, error);
    let file = disk.open_read(path).map_err(failed)?;
    let len = file.info().map_err(failed)?.len;
    if len > most {
        return Err(StoreError::damaged(path, format!("it has {len} bytes, more than a segment may have")));
    }
    let mut bytes = vec![0; usize::try_from(len).map_err(|_| failed(io::ErrorKind::OutOfMemory.into()))?];
    let read = file.read_full_at(&mut bytes, 0).map_err(failed)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// Writes a file that survives a loss of power, in the place of one that an interrupted repair left.
fn write_new(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let failed = |error| StoreError::io("write", path, error);
    match disk.remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let file = disk.create_new(path).map_err(failed)?;
    file.write_all_at(bytes, 0).and_then(|()| file.sync_all()).map_err(failed)
}
