//! The journal as it is written: frames are put together in one buffer, written by one call, and made to survive a
//! loss of power in groups (durability spec, section 4). Knows nothing of what frames say.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::disk::Disk;
use super::error::StoreError;
use super::flusher::{Flusher, OnSynced, Pending, Shared};
use super::frame::{LONGEST_BODY, encode_frame_behind, frame_len};
use super::layout::{RunDir, make_reserve, reserve_path};
use super::lock::RunLock;
use super::objects::ObjectWriter;
use super::reader::Tail;
use super::segment::{Segment, segment_path, segments};
use crate::base::Digest;
use crate::run::record::Kind;

/// A buffer that grew beyond this is given back once it is written.
const KEPT_BUFFER: usize = 4 << 20;

/// When frames are made to survive a loss of power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// On request, which the driver makes before anything depends on a frame; objects before the frames that need them.
    Strict,
    /// By themselves: at once when idle, at most 10 ms behind under load; and on request.
    #[default]
    Grouped,
    /// On request and at the end only: a kill of the process loses nothing, a loss of power may.
    Kill,
}

/// What gets whole frames, right after they were written.
type OnWritten = Box<dyn FnMut(&[u8]) + Send>;

/// How a journal is written.
#[derive(Default)]
pub struct JournalOptions {
    /// When frames are made to survive a loss of power.
    pub durability: Durability,
    /// What the first frame of the run has as the hash of the one before it.
    pub first_prev: Digest,
    /// Gets whole frames, right after they were written.
    pub on_written: Option<OnWritten>,
    /// Called by the flusher's thread when more frames survive a loss of power, or none will any more.
    pub on_synced: Option<OnSynced>,
}

/// The journal of a run that this process writes. A journal that is dropped without [`Journal::close`] is left as a
/// kill of the process would leave it.
pub struct Journal {
    disk: Arc<dyn Disk>,
    run: PathBuf,
    durability: Durability,
    segment_limit: u64,
    segment: Segment,
    /// The segment's name is not known to survive a loss of power yet.
    fresh: bool,
    buffer: Vec<u8>,
    objects: Vec<(Digest, Vec<u8>)>,
    object_writer: ObjectWriter,
    seq: u64,
    digest: Digest,
    written: u64,
    on_written: Option<OnWritten>,
    shared: Arc<Shared>,
    _flusher: Flusher,
    /// The failure was returned once.
    told: bool,
    _lock: Arc<RunLock>,
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("run", &self.run).field("seq", &self.seq).finish_non_exhaustive()
    }
}

impl Journal {
    pub(super) fn start(
        run: &RunDir,
        lock: Arc<RunLock>,
        options: JournalOptions,
    ) -> Result<Self, StoreError> {
        let journal = run.path().join("journal");
        if let Some(number) = segments(run.disk().as_ref(), &journal)?.first() {
            let path = segment_path(&journal, *number);
            return Err(StoreError::io("begin the journal with", &path, io::ErrorKind::AlreadyExists.into()));
        }
        let reserve = options.durability != Durability::Kill;
        let segment = Segment::create(run.disk().as_ref(), &journal, 1, reserve)?;
        Self::new(run, lock, segment, false, (0, options.first_prev), options)
    }

    pub(super) fn go_on(
        run: &RunDir,
        lock: Arc<RunLock>,
        tail: &Tail,
        options: JournalOptions,
    ) -> Result<Self, StoreError> {
        let disk = run.disk().as_ref();
        let journal = run.path().join("journal");
        let numbers = segments(disk, &journal)?;
        // The last ones first: a reader in between sees a journal that ends earlier, never one with a gap.
        let later: Vec<u32> = numbers.iter().rev().copied().filter(|number| *number > tail.segment).collect();
        for number in &later {
            let path = segment_path(&journal, *number);
            disk.remove_file(&path).map_err(|e| StoreError::io("remove", &path, e))?;
        }
        if !later.is_empty() {
            disk.sync_dir(&journal).map_err(|e| StoreError::io("sync", &journal, e))?;
        }
        let reserve = options.durability != Durability::Kill;
        let segment = if !numbers.contains(&tail.segment) && tail.offset == 0 {
            Segment::create(disk, &journal, tail.segment, reserve)?
        } else {
            Segment::open(disk, &journal, tail.segment, tail.offset, reserve)?
        };
        match make_reserve(disk, run.path()) {
            // On a nearly full disk the run may still come to its end.
            Ok(()) | Err(StoreError::Full { .. }) => {}
            Err(error) => return Err(error),
        }
        disk.sync_dir(run.path()).map_err(|e| StoreError::io("sync", run.path(), e))?;
        let head = if tail.seq == 0 { (0, options.first_prev) } else { (tail.seq, tail.digest) };
        let journal = Self::new(run, lock, segment, true, head, options)?;
        journal.object_writer.clean(run.disk().as_ref());
        Ok(journal)
    }

    fn new(
        run: &RunDir,
        lock: Arc<RunLock>,
        segment: Segment,
        earlier: bool,
        (seq, digest): (u64, Digest),
        options: JournalOptions,
    ) -> Result<Self, StoreError> {
        // An earlier process may not have synced what it wrote: frames, objects, names.
        let mut pending = Pending::default();
        pending.tree = earlier.then(|| run.path().to_owned());
        let disk = Arc::clone(run.disk());
        let grouped = options.durability == Durability::Grouped;
        let shared =
            Arc::new(Shared::new(Arc::clone(&disk), reserve_path(run.path()), grouped, seq, pending));
        let flusher = Flusher::start(&shared, options.on_synced)
            .map_err(|e| StoreError::io("start the thread that syncs", run.path(), e))?;
        Ok(Self {
            disk,
            run: run.path().to_owned(),
            durability: options.durability,
            segment_limit: run.segment_limit(),
            segment,
            fresh: !earlier,
            buffer: Vec::new(),
            objects: Vec::new(),
            object_writer: ObjectWriter::new(run.path().join("objects")),
            seq,
            digest,
            written: seq,
            on_written: options.on_written,
            shared,
            _flusher: flusher,
            told: false,
            _lock: lock,
        })
    }

    /// Puts a frame into the buffer and returns its number. After a failure frames are only counted.
    ///
    /// INVARIANT: the body has at most [`LONGEST_BODY`] bytes; longer values are objects.
    pub fn append(&mut self, kind: Kind, body: &[u8]) -> u64 {
        debug_assert!(body.len() <= LONGEST_BODY, "a body of {} bytes", body.len());
        self.seq += 1;
        if body.len() > LONGEST_BODY {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "a record is longer than any may be");
            self.shared.fail(StoreError::io("append to", &self.segment.path, error));
        }
        if self.shared.has_failed() {
            return self.seq;
        }
        let behind = match self.durability {
            Durability::Kill => 0,
            Durability::Strict | Durability::Grouped => self.seq - 1 - self.shared.synced(),
        };
        self.digest = encode_frame_behind(self.seq, kind, behind, &self.digest, body, &mut self.buffer);
        self.seq
    }

    /// Takes a large value, to be on the disk before the frames appended after it, and returns its hash.
    pub fn object(&mut self, bytes: Vec<u8>) -> Digest {
        let digest = Digest::of(&bytes);
        if !self.shared.has_failed() {
            self.objects.push((digest, bytes));
        }
        digest
    }

    /// How many bytes of frames and objects wait to be written.
    pub fn unwritten(&self) -> usize {
        self.buffer.len() + self.objects.iter().map(|(_, bytes)| bytes.len()).sum::<usize>()
    }

    /// Writes all that was appended: objects first, then all frames by one call. It survives a kill of the process when
    /// this returns.
    ///
    /// # Errors
    /// When writing fails now or syncing failed since; nothing more is written then.
    pub fn write(&mut self) -> Result<(), StoreError> {
        self.check()?;
        if self.buffer.is_empty() && self.objects.is_empty() {
            return Ok(());
        }
        self.write_out().map_err(|error| self.poison(error))
    }

    fn write_out(&mut self) -> Result<(), StoreError> {
        let mut pending = Pending::default();
        for (digest, bytes) in self.objects.drain(..) {
            self.object_writer.put(self.disk.as_ref(), &digest, &bytes, &mut pending)?;
        }
        if self.durability == Durability::Strict {
            std::mem::take(&mut pending).sync(self.disk.as_ref())?;
        }
        let mut from = 0;
        while from < self.buffer.len() {
            let room = self.segment_limit.saturating_sub(self.segment.end);
            let mut upto = fitting(&self.buffer, from, room);
            if upto == from {
                if self.segment.end > 0 {
                    self.next_segment(&mut pending)?;
                    continue;
                }
                // A frame that fits into no segment has one of its own.
                upto = from + frame_len(self.buffer.get(from..).unwrap_or_default());
            }
            let frames = self.buffer.get(from..upto).unwrap_or_default();
            self.segment.write(frames)?;
            pending.segment(&self.segment.path, &self.segment.file, self.fresh);
            self.fresh = false;
            if let Some(tell) = &mut self.on_written {
                tell(frames);
            }
            from = upto;
        }
        self.written = self.seq;
        self.buffer.clear();
        self.buffer.shrink_to(KEPT_BUFFER);
        self.shared.publish(self.written, pending);
        Ok(())
    }

    /// Ends a segment and begins the next one.
    fn next_segment(&mut self, pending: &mut Pending) -> Result<(), StoreError> {
        if self.durability != Durability::Kill {
            // A segment that is not the last one is whole, whatever happens.
            std::mem::take(pending).sync(self.disk.as_ref())?;
            self.shared.sync()?;
            self.segment.trim();
        }
        let (number, reserve) = (self.segment.number + 1, self.durability != Durability::Kill);
        self.segment = Segment::create(self.disk.as_ref(), &self.run.join("journal"), number, reserve)?;
        self.fresh = true;
        Ok(())
    }

    /// Writes all that was appended and makes it survive a loss of power.
    ///
    /// # Errors
    /// As [`Journal::write`].
    pub fn sync(&mut self) -> Result<(), StoreError> {
        self.write()?;
        self.shared.sync().map_err(|error| self.poison(error))
    }

    /// Asks the flusher's thread to sync what is written, without delay.
    pub fn sync_soon(&self) {
        self.shared.soon();
    }

    /// The number of the last frame that survives a kill of the process.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// The number of the last frame that survives a loss of power. What an earlier process wrote counts from the first
    /// sync on.
    pub fn synced(&self) -> u64 {
        self.shared.synced()
    }

    /// The write or sync that failed, also in the background. Nothing more is written after it.
    pub fn failure(&self) -> Option<StoreError> {
        self.shared.failure()
    }

    /// The number and the hash of the last frame appended.
    pub fn head(&self) -> (u64, Digest) {
        (self.seq, self.digest)
    }

    /// Writes and syncs everything, gives back the space that was reserved, and ends.
    ///
    /// # Errors
    /// As [`Journal::write`].
    pub fn close(mut self) -> Result<(u64, Digest), StoreError> {
        self.sync()?;
        // INVARIANT: in this order. A journal that ends exactly with a frame and has no reserve was synced to its end.
        self.segment.trim();
        let _ = self.disk.remove_file(&reserve_path(&self.run));
        Ok(self.head())
    }

    /// The failure itself, once; then that there was one.
    fn check(&mut self) -> Result<(), StoreError> {
        match self.shared.failure() {
            None => Ok(()),
            Some(_) if self.told => Err(StoreError::Poisoned),
            Some(failure) => {
                self.told = true;
                Err(failure)
            }
        }
    }

    fn poison(&mut self, error: StoreError) -> StoreError {
        self.told = true;
        self.shared.fail(error.clone());
        self.buffer = Vec::new();
        self.objects = Vec::new();
        error
    }
}

/// The end of the frames from `from` on that together have at most `room` bytes.
fn fitting(buffer: &[u8], from: usize, room: u64) -> usize {
    let rest = (buffer.len() - from) as u64;
    if rest <= room {
        return buffer.len();
    }
    let mut upto = from;
    loop {
        let len = frame_len(buffer.get(upto..).unwrap_or_default());
        if len == 0 || (upto + len - from) as u64 > room {
            return upto;
        }
        upto += len;
    }
}
