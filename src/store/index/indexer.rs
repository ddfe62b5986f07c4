//! The thread that keeps a run's index while its journal is written (durability spec, section 5). Whatever goes wrong
//! makes the index stale and never the run fail: what is written is thrown away then, and the next process makes the
//! index anew.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::book::Book;
use super::lookups::LookUp;
use super::place::Place;
use super::table::IndexError;
use crate::base::Digest;
use crate::store::{JournalReader, RunDir, StoreError, Tail, read_frame};

/// How many bytes may wait to be indexed; the journal is held up beyond that.
const MOST_WAITING: usize = 16 << 20;
/// How many bytes are worth waking the thread for.
const WORTH_WAKING: usize = 64 << 10;

/// What takes the frames that were written to a journal.
pub type Sink = Box<dyn FnMut(&[u8]) + Send>;

/// A thread that keeps a run's index. Dropped without [`Indexer::close`] it leaves an index that will be made again.
#[derive(Debug)]
pub struct Indexer {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<Result<(), IndexError>>>,
    /// Why there is no thread.
    reason: Option<String>,
}

impl Indexer {
    /// Starts the thread for a journal that ends at `head` now (number 0 for a new run). An index that does not end
    /// there, or was not closed cleanly, is made again from the journal first, by the thread. Troubles are told by
    /// [`Indexer::close`].
    pub fn start(run: &RunDir, head: Tail, look_up: LookUp) -> Self {
        Self::start_at(Place::of(run), run.journal(), head, look_up)
    }

    pub(super) fn start_at(
        place: Place,
        journal: Result<JournalReader, StoreError>,
        head: Tail,
        look_up: LookUp,
    ) -> Self {
        let queue = Arc::new(Queue::default());
        let of_thread = Arc::clone(&queue);
        let keep = move || {
            let kept = catch_unwind(AssertUnwindSafe(|| keep(&place, journal, &head, look_up, &of_thread)));
            // Whoever waits for room must not wait for ever, whatever happened here.
            of_thread.give_up();
            kept.unwrap_or_else(|_| Err(IndexError::new("indexing panicked")))
        };
        match thread::Builder::new().name("index".to_owned()).spawn(keep) {
            Ok(thread) => Self { queue, thread: Some(thread), reason: None },
            Err(error) => {
                queue.give_up();
                Self { queue, thread: None, reason: Some(format!("the index has no thread: {error}")) }
            }
        }
    }

    /// What takes the frames that were written to the journal, for
    /// [`JournalOptions::on_written`](crate::store::JournalOptions::on_written). Waits when the index is far behind.
    pub fn sink(&self) -> Sink {
        let queue = Arc::clone(&self.queue);
        Box::new(move |frames| queue.push(frames))
    }

    /// Waits until all frames are in the index, and closes it cleanly; `head` is that of the closed journal.
    ///
    /// # Errors
    /// Why the index is stale: worth a note, never a failed run.
    pub fn close(mut self, head: (u64, Digest)) -> Result<(), String> {
        self.queue.close(head);
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(kept)) => kept.map_err(|error| error.to_string()),
            Some(Err(_)) => Err("indexing panicked".to_owned()),
            None => Err(self.reason.take().unwrap_or_default()),
        }
    }
}

impl Drop for Indexer {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.queue.abandon();
            let _ = thread.join();
        }
    }
}

/// Keeps the index of a run until the queue is closed.
fn keep(
    place: &Place,
    journal: Result<JournalReader, StoreError>,
    head: &Tail,
    look_up: LookUp,
    queue: &Queue,
) -> Result<(), IndexError> {
    let mut book = match place.open(Arc::clone(&look_up), (head.seq, head.digest)) {
        Ok(book) => book,
        Err(_) => rebuild(place, journal, head.seq, look_up, queue)?,
    };
    let mut frames = Vec::new();
    let end = loop {
        let end = queue.take(&mut frames);
        let mut rest = frames.as_slice();
        while !rest.is_empty() {
            let frame = read_frame(rest)
                .map_err(|error| IndexError::new(format!("what was written is no frame: {error}")))?;
            book.push(&frame)?;
            rest = rest.get(frame.bytes.len()..).unwrap_or_default();
        }
        match end {
            Some(End::Closed(head)) => break head,
            Some(End::Abandoned) => return Err(abandoned()),
            None => {}
        }
    };
    place.close(book, end)
}

/// Makes an index from the first `upto` frames of the journal.
pub(super) fn rebuild(
    place: &Place,
    journal: Result<JournalReader, StoreError>,
    upto: u64,
    look_up: LookUp,
    queue: &Queue,
) -> Result<Book, IndexError> {
    let unread =
        |error: StoreError| IndexError::new(format!("the journal cannot be read for the index: {error}"));
    let mut book = place.fresh(look_up)?;
    if upto == 0 {
        return Ok(book);
    }
    let mut journal = journal.map_err(unread)?;
    while book.next() <= upto {
        let frame = journal.next().map_err(unread)?;
        let frame = frame.ok_or_else(|| IndexError::new("the journal ends earlier than it did"))?;
        book.push(&frame)?;
        if queue.abandoned.load(Ordering::Relaxed) {
            return Err(abandoned());
        }
    }
    Ok(book)
}

fn abandoned() -> IndexError {
    IndexError::new("the run ended without closing the index")
}

/// Frames on their way from the journal to the index.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    more: Condvar,
    room: Condvar,
    abandoned: AtomicBool,
}

#[derive(Debug, Default)]
struct Waiting {
    frames: Vec<u8>,
    end: Option<End>,
    /// Nobody takes frames any more.
    given_up: bool,
}

/// How a queue ends.
#[derive(Debug, Clone, Copy)]
enum End {
    /// The journal was closed with this head.
    Closed((u64, Digest)),
    /// Nobody wants the index any more.
    Abandoned,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, frames: &[u8]) {
        let mut waiting = self.lock();
        while !waiting.given_up
            && !waiting.frames.is_empty()
            && waiting.frames.len() + frames.len() > MOST_WAITING
        {
            waiting = self.room.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        if waiting.given_up || waiting.end.is_some() {
            return;
        }
        let before = waiting.frames.len();
        waiting.frames.extend_from_slice(frames);
        if before < WORTH_WAKING && waiting.frames.len() >= WORTH_WAKING {
            self.more.notify_one();
        }
    }

    /// Exchanges what waits for the buffer given, and says whether that was all.
    fn take(&self, into: &mut Vec<u8>) -> Option<End> {
        into.clear();
        let mut waiting = self.lock();
        while waiting.frames.len() < WORTH_WAKING && waiting.end.is_none() {
            waiting = self.more.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::swap(&mut waiting.frames, into);
        self.room.notify_all();
        waiting.end
    }

    fn end(&self, end: End) {
        self.lock().end = Some(end);
        self.more.notify_all();
        self.room.notify_all();
    }

    fn close(&self, head: (u64, Digest)) {
        self.end(End::Closed(head));
    }

    fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
        self.end(End::Abandoned);
    }

    fn give_up(&self) {
        let mut waiting = self.lock();
        waiting.given_up = true;
        waiting.frames = Vec::new();
        self.room.notify_all();
    }
}
