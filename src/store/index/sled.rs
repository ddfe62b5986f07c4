//! The index on disk, kept by sled (durability spec, section 5). The only file that names it.
//!
//! sled may panic on damaged files, when it opens them or at any later read: every call is guarded, and a panic is
//! an error like any other.

use std::fs::{self, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::table::{Batch, Each, Index, IndexError};

/// How much of the index sled keeps in memory.
const CACHE: u64 = 16 << 20;
/// Keys of values from this size on get their places first. A leaf that becomes too full is written again whole, both
/// halves of it: better while it is still empty. It saves a quarter of the file.
const LARGE: usize = 1000;
/// How long to wait until sled has let go of its file: its threads end a little after the last handle is dropped.
const RELEASE: Duration = Duration::from_secs(10);

/// A store of sled with its one tree.
pub(super) struct Sled {
    db: sled::Db,
    folder: PathBuf,
}

impl std::fmt::Debug for Sled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sled").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// Runs what calls sled. A panic and an error are the same: the index cannot be used.
fn guarded<T>(doing: &str, call: impl FnOnce() -> Result<T, sled::Error>) -> Result<T, IndexError> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(IndexError::new(format!("{doing} the index failed: {error}"))),
        Err(panic) => {
            // What was thrown may hold anything; only words are used.
            let words = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("a panic");
            let line = words.lines().next().unwrap_or_default();
            Err(IndexError::new(format!("{doing} the index failed: {line}")))
        }
    }
}

impl Sled {
    /// Opens the store of a folder, or makes it.
    ///
    /// # Errors
    /// When sled cannot, or panics.
    pub(super) fn open(folder: &Path) -> Result<Self, IndexError> {
        wait_until_released(folder)?;
        let config = sled::Config::new()
            .path(folder)
            .cache_capacity(CACHE)
            .flush_every_ms(None)
            .mode(sled::Mode::LowSpace)
            .print_profile_on_drop(false);
        let db = guarded("opening", || config.open())?;
        let index = Self { db, folder: folder.to_path_buf() };
        index.no_blobs()?;
        index.close_to_others()?;
        Ok(index)
    }

    /// sled makes its files with the rights the user's settings give; a run's files are for its owner alone.
    fn close_to_others(&self) -> Result<(), IndexError> {
        let set = || {
            for entry in fs::read_dir(&self.folder)? {
                let entry = entry?;
                let mode = if entry.file_type()?.is_dir() { 0o700 } else { 0o600 };
                fs::set_permissions(entry.path(), Permissions::from_mode(mode))?;
            }
            Ok(())
        };
        set().map_err(|error: io::Error| {
            IndexError::new(format!("cannot set the rights of `{}`: {error}", self.folder.display()))
        })
    }

    /// Says that no value was so large that sled put it into a file of its own, which it would never sync.
    fn no_blobs(&self) -> Result<(), IndexError> {
        let blobs = self.folder.join("blobs");
        let some = fs::read_dir(&blobs).ok().and_then(|mut entries| entries.next());
        match some {
            None => Ok(()),
            Some(_) => Err(IndexError::new(format!("there are files in {}", blobs.display()))),
        }
    }
}

/// Waits until no one has the store open. sled holds a lock on its file until its last thread ended.
fn wait_until_released(folder: &Path) -> Result<(), IndexError> {
    let file = folder.join("db");
    if !file.exists() {
        return Ok(());
    }
    let trouble = |error: io::Error| IndexError::new(format!("{} cannot be read: {error}", file.display()));
    let handle = File::open(&file).map_err(trouble)?;
    let end = Instant::now() + RELEASE;
    loop {
        match handle.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(trouble(error)),
            Err(TryLockError::WouldBlock) if Instant::now() > end => {
                return Err(IndexError::new(format!("{} is held open", file.display())));
            }
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(1)),
        }
    }
}

impl Index for Sled {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        guarded("reading", || Ok(self.db.get(key)?.map(|value| value.to_vec())))
    }

    fn floor(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        guarded("reading", || {
            let found = self.db.range::<&[u8], _>(..=key).next_back().transpose()?;
            Ok(found.map(|(key, _)| key.to_vec()))
        })
    }

    fn scan(&self, prefix: &[u8], each: &mut Each<'_>) -> Result<(), IndexError> {
        guarded("reading", || {
            for entry in self.db.scan_prefix(prefix) {
                let (key, value) = entry?;
                if !each(&key, &value) {
                    break;
                }
            }
            Ok(())
        })
    }

    fn apply(&mut self, batch: Batch) -> Result<(), IndexError> {
        batch.check()?;
        let mut places = sled::Batch::default();
        for (key, value) in &batch.changes {
            if value.as_ref().is_some_and(|value| value.len() > LARGE) {
                places.insert(key.as_slice(), &[]);
            }
        }
        guarded("writing", || self.db.apply_batch(places))?;
        let mut changes = sled::Batch::default();
        for (key, value) in batch.changes {
            match value {
                Some(value) => changes.insert(key, value),
                None => changes.remove(key),
            }
        }
        guarded("writing", || self.db.apply_batch(changes))
    }

    fn close(self: Box<Self>) -> Result<(), IndexError> {
        guarded("flushing", || self.db.flush())?;
        self.no_blobs()?;
        self.close_to_others()?;
        let Self { db, folder } = *self;
        guarded("closing", || {
            drop(db);
            Ok(())
        })?;
        wait_until_released(&folder)
    }
}
