//! Makes what was written survive a loss of power, while the driver goes on (durability spec, section 4: group commit).
//!
//! One sync at a time, by the flusher's thread or by the driver's own; each takes everything written before it.
//! INVARIANT: no lock is held during a sync that appending or writing needs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::disk::{Disk, DiskFile, parent};
use super::error::StoreError;
use super::layout::free_reserve;

/// How far the disk may be behind under load.
const BEHIND: Duration = Duration::from_millis(10);
/// How many objects are kept open until they are synced; further ones are opened again.
const OPEN_OBJECTS: usize = 64;

/// What must be synced, in this order.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// The directory of a run whose files may not all be synced: what an earlier process wrote.
    pub(super) tree: Option<PathBuf>,
    objects: Vec<(PathBuf, Option<Box<dyn DiskFile>>)>,
    dirs: BTreeSet<PathBuf>,
    segments: Vec<Dirty>,
}

#[derive(Debug)]
struct Dirty {
    path: PathBuf,
    file: Arc<dyn DiskFile>,
    /// Its name is not synced yet.
    fresh: bool,
}

impl Pending {
    /// An object, and the directory its name is in.
    pub(super) fn object(&mut self, path: PathBuf, file: Option<Box<dyn DiskFile>>, dir: PathBuf) {
        let file = file.filter(|_| self.objects.len() < OPEN_OBJECTS);
        self.objects.push((path, file));
        self.dirs.insert(dir);
    }

    /// A directory with new names.
    pub(super) fn dir(&mut self, dir: PathBuf) {
        self.dirs.insert(dir);
    }

    /// A segment with new frames, and whether it is new itself.
    pub(super) fn segment(&mut self, path: &Path, file: &Arc<dyn DiskFile>, fresh: bool) {
        if !self.segments.last().is_some_and(|dirty| Arc::ptr_eq(&dirty.file, file)) {
            self.segments.push(Dirty { path: path.to_owned(), file: Arc::clone(file), fresh });
        }
    }

    fn is_empty(&self) -> bool {
        self.tree.is_none() && self.objects.is_empty() && self.dirs.is_empty() && self.segments.is_empty()
    }

    /// Takes in what came after.
    fn extend(&mut self, later: Self) {
        self.tree = self.tree.take().or(later.tree);
        for (path, file) in later.objects {
            let file = file.filter(|_| self.objects.len() < OPEN_OBJECTS);
            self.objects.push((path, file));
        }
        self.dirs.extend(later.dirs);
        for dirty in later.segments {
            self.segment(&dirty.path, &dirty.file, dirty.fresh);
        }
    }

    /// Syncs it all: what frames refer to before the frames.
    pub(super) fn sync(self, disk: &dyn Disk) -> Result<(), StoreError> {
        if let Some(tree) = &self.tree {
            disk.sync_tree(tree).map_err(|e| StoreError::io("sync", tree, e))?;
        }
        for (path, file) in &self.objects {
            let synced = match file {
                Some(file) => file.sync_all(),
                None => disk.open_read(path).and_then(|file| file.sync_all()),
            };
            synced.map_err(|e| StoreError::io("sync", path, e))?;
        }
        for dir in &self.dirs {
            disk.sync_dir(dir).map_err(|e| StoreError::io("sync", dir, e))?;
        }
        let mut journal = None;
        for dirty in &self.segments {
            let synced = if dirty.fresh { dirty.file.sync_all() } else { dirty.file.sync_data() };
            synced.map_err(|e| StoreError::io("sync", &dirty.path, e))?;
            if dirty.fresh {
                journal = Some(parent(&dirty.path));
            }
        }
        if let Some(journal) = journal {
            disk.sync_dir(journal).map_err(|e| StoreError::io("sync", journal, e))?;
        }
        Ok(())
    }
}

/// What the flusher's thread is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    /// Something, or about to look for it.
    Busy,
    /// It sleeps until it is woken.
    Idle,
    /// It sleeps until the next sync is due.
    Due,
}

#[derive(Debug)]
struct State {
    written: u64,
    pending: Pending,
    syncing: bool,
    soon: bool,
    stop: bool,
    doing: Doing,
    /// When the last sync began.
    last: Option<Instant>,
    failure: Option<StoreError>,
}

/// What the driver and the flusher's thread share.
#[derive(Debug)]
pub(super) struct Shared {
    disk: Arc<dyn Disk>,
    /// Given back when the disk is full.
    reserve: PathBuf,
    /// Sync by itself, not only on request.
    grouped: bool,
    synced: AtomicU64,
    failed: AtomicBool,
    state: Mutex<State>,
    work: Condvar,
    done: Condvar,
}

impl Shared {
    /// Frames up to `written` are there; what must be synced for them is in `pending`.
    pub(super) fn new(
        disk: Arc<dyn Disk>,
        reserve: PathBuf,
        grouped: bool,
        written: u64,
        pending: Pending,
    ) -> Self {
        let state = State {
            written,
            pending,
            syncing: false,
            soon: false,
            stop: false,
            doing: Doing::Busy,
            last: None,
            failure: None,
        };
        Self {
            disk,
            reserve,
            grouped,
            synced: AtomicU64::new(0),
            failed: AtomicBool::new(false),
            state: Mutex::new(state),
            work: Condvar::new(),
            done: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of the last frame that survives a loss of power.
    pub(super) fn synced(&self) -> u64 {
        self.synced.load(Ordering::Acquire)
    }

    /// Whether a write or sync failed.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// The first failure.
    pub(super) fn failure(&self) -> Option<StoreError> {
        if self.has_failed() { self.state().failure.clone() } else { None }
    }

    /// Nothing more is written or synced from now on.
    pub(super) fn fail(&self, error: StoreError) {
        if matches!(error, StoreError::Full { .. }) {
            free_reserve(self.disk.as_ref(), &self.reserve);
        }
        self.state().failure.get_or_insert(error);
        self.failed.store(true, Ordering::Release);
    }

    /// Frames up to `written` were written.
    pub(super) fn publish(&self, written: u64, pending: Pending) {
        let mut state = self.state();
        state.written = written;
        state.pending.extend(pending);
        if self.grouped && state.doing == Doing::Idle {
            state.doing = Doing::Busy;
            self.work.notify_one();
        }
    }

    /// Asks the flusher's thread for a sync without delay.
    pub(super) fn soon(&self) {
        let mut state = self.state();
        if state.pending.is_empty() || state.failure.is_some() {
            return;
        }
        state.soon = true;
        if state.doing != Doing::Busy {
            state.doing = Doing::Busy;
            self.work.notify_one();
        }
    }

    /// Syncs everything written so far, here and now; nothing when that is done already. Fails with the first failure.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        let mut state = self.state();
        while state.syncing {
            state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if let Some(failure) = &state.failure {
            return Err(failure.clone());
        }
        if state.pending.is_empty() {
            return Ok(());
        }
        let (written, pending) = (state.written, std::mem::take(&mut state.pending));
        state.syncing = true;
        state.soon = false;
        state.last = Some(Instant::now());
        drop(state);
        let result = pending.sync(self.disk.as_ref());
        match &result {
            Ok(()) => self.synced.store(written, Ordering::Release),
            Err(error) => self.fail(error.clone()),
        }
        self.state().syncing = false;
        self.done.notify_all();
        result
    }

    /// Waits until a sync is due; false when the thread shall end.
    fn wait(&self) -> bool {
        let mut state = self.state();
        loop {
            if state.stop {
                return false;
            }
            let due = if state.pending.is_empty() || state.failure.is_some() {
                None
            } else if state.soon {
                Some(Duration::ZERO)
            } else if self.grouped {
                Some(state.last.map_or(Duration::ZERO, |last| BEHIND.saturating_sub(last.elapsed())))
            } else {
                None
            };
            match due {
                Some(Duration::ZERO) => {
                    state.doing = Doing::Busy;
                    return true;
                }
                Some(pause) => {
                    state.doing = Doing::Due;
                    state = self.work.wait_timeout(state, pause).unwrap_or_else(PoisonError::into_inner).0;
                }
                None => {
                    state.doing = Doing::Idle;
                    state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    fn stop(&self) {
        self.state().stop = true;
        self.work.notify_one();
    }
}

/// What is told when more survives a loss of power, or nothing will any more.
pub(super) type OnSynced = Box<dyn Fn() + Send + Sync>;

/// The flusher's thread. It ends when this is dropped, without a last sync.
#[derive(Debug)]
pub(super) struct Flusher {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Flusher {
    /// Starts the thread.
    pub(super) fn start(shared: &Arc<Shared>, on_synced: Option<OnSynced>) -> std::io::Result<Self> {
        let ours = Arc::clone(shared);
        let work = move || {
            while ours.wait() {
                // The failure is kept; whoever writes or asks next is told.
                let _ = ours.sync();
                if let Some(tell) = &on_synced {
                    tell();
                }
            }
        };
        let thread = thread::Builder::new().name("normc-flusher".to_owned()).spawn(work)?;
        Ok(Self { shared: Arc::clone(shared), thread: Some(thread) })
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.shared.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
