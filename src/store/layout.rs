//! Where things are: the store, a directory a run, and who may touch it (durability spec, section 3). Knows nothing of
//! what the files of a run say, but for the version of their format.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::{Disk, DiskFile, EntryKind, Info, make_dirs};
use super::error::StoreError;
use super::journal::{Journal, JournalOptions};
use super::lock::{self, Holder, RunLock};
use super::reader::{JournalReader, Tail};
use super::segment::{LONGEST_SEGMENT, segment_path};
use super::{objects, plans};
use crate::base::{Digest, nearest};

/// What the format of a run is called, without its checksum.
const FORMAT: &str = "normc-run 1";
/// More than any FORMAT file.
const LONGEST_FORMAT: usize = 256;
/// What is kept free for the end of a run on a full disk.
const RESERVE: u64 = 8 << 20;
/// The longest run id that is looked for.
const LONGEST_ID: usize = 64;
/// The directories every run has.
const DIRS: [&str; 3] = ["journal", "objects", "plan"];

/// All runs below one directory.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
    disk: Arc<dyn Disk>,
}

impl Store {
    /// The store at a directory, which need not exist.
    pub fn new(root: impl Into<PathBuf>, disk: Arc<dyn Disk>) -> Self {
        Self { root: root.into(), disk }
    }

    /// Its directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// Makes the directory of a new run, locked by this process. It is there whole or not at all, also after a loss of
    /// power.
    ///
    /// # Errors
    /// When there is one already, the disk is full or cannot be written, or the store's directory cannot be trusted.
    pub fn create(&self, id: &str) -> Result<RunDir, StoreError> {
        let runs = self.runs();
        if !is_id(id) {
            return Err(StoreError::refused(
                &runs.join(id),
                "it is no run id: letters, digits, `-` and `_` are wanted",
            ));
        }
        make_dirs(self.disk.as_ref(), &runs).map_err(|e| StoreError::io("make", &runs, e))?;
        check_dir(self.disk.as_ref(), &runs)?;
        let path = runs.join(id);
        if self.disk.info(&path).is_ok() {
            return Err(StoreError::io("make", &path, io::ErrorKind::AlreadyExists.into()));
        }
        let fresh = runs.join(format!(".new-{id}"));
        let made = self.fill(&fresh, &path, id);
        if made.is_err() {
            let _ = self.disk.remove_tree(&fresh);
        }
        Ok(self.run_dir(id, Some(Arc::new(made?))))
    }

    /// The directory is filled under another name first: a run that can be seen has everything it needs.
    fn fill(&self, fresh: &Path, path: &Path, id: &str) -> Result<RunLock, StoreError> {
        let disk = self.disk.as_ref();
        match disk.make_dir(fresh) {
            // What is left of a creation that was interrupted.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => disk
                .remove_tree(fresh)
                .and_then(|()| disk.make_dir(fresh))
                .map_err(|e| StoreError::io("make", fresh, e))?,
            made => made.map_err(|e| StoreError::io("make", fresh, e))?,
        }
        let lock = RunLock::create(disk, fresh, id)?;
        for name in DIRS {
            let dir = fresh.join(name);
            disk.make_dir(&dir).map_err(|e| StoreError::io("make", &dir, e))?;
        }
        make_reserve(disk, fresh)?;
        let format = fresh.join("FORMAT");
        let text = format!("{FORMAT} {:08x}\n", crc32c::crc32c(FORMAT.as_bytes()));
        disk.create_new(&format)
            .and_then(|file| file.write_all_at(text.as_bytes(), 0).and_then(|()| file.sync_all()))
            .map_err(|e| StoreError::io("write", &format, e))?;
        disk.sync_dir(fresh)
            .and_then(|()| disk.rename(fresh, path))
            .and_then(|()| disk.sync_dir(&self.runs()))
            .map_err(|e| StoreError::io("make", path, e))?;
        Ok(lock)
    }

    fn run_dir(&self, id: &str, lock: Option<Arc<RunLock>>) -> RunDir {
        RunDir {
            id: id.to_owned(),
            path: self.runs().join(id),
            disk: Arc::clone(&self.disk),
            lock,
            segment_limit: LONGEST_SEGMENT,
        }
    }

    /// Opens the directory of a run by its exact id. Takes no lock and writes nothing.
    ///
    /// # Errors
    /// When there is no such run, its format is another one, or it cannot be trusted: a link, another owner, others
    /// may write to it.
    pub fn open(&self, id: &str) -> Result<RunDir, StoreError> {
        let run = self.find(id)?;
        check_format(self.disk.as_ref(), &run.path.join("FORMAT"))?;
        for name in DIRS {
            check_dir(self.disk.as_ref(), &run.path.join(name))?;
        }
        Ok(run)
    }

    /// The directory of a run, whatever is in it.
    fn find(&self, id: &str) -> Result<RunDir, StoreError> {
        let run = self.run_dir(id, None);
        let there = is_id(id)
            && match self.disk.info(&run.path) {
                Ok(_) => true,
                Err(error) if is_absent(&error) => false,
                Err(error) => return Err(StoreError::io("read", &run.path, error)),
            };
        if !there {
            let ids = self.ids().unwrap_or_default();
            let near = nearest(id, ids.iter().map(String::as_str)).map(str::to_owned);
            return Err(StoreError::not_found(id, near));
        }
        check_dir(self.disk.as_ref(), &self.runs())?;
        check_dir(self.disk.as_ref(), &run.path)?;
        Ok(run)
    }

    /// All run ids, newest first. A store that does not exist has none.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn ids(&self) -> Result<Vec<String>, StoreError> {
        let runs = self.runs();
        let entries = match self.disk.list(&runs) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => return Ok(Vec::new()),
            Err(error) => return Err(StoreError::io("read", &runs, error)),
        };
        let dirs = entries.into_iter().filter(|entry| entry.kind == EntryKind::Dir && is_id(&entry.name));
        let mut ids: Vec<String> = dirs.map(|entry| entry.name).collect();
        ids.sort_by(|a, b| b.cmp(a));
        Ok(ids)
    }

    /// Removes a run and everything it has, also a damaged one. It is gone at once; what takes time comes after.
    ///
    /// # Errors
    /// When it is in use, does not exist, or cannot be removed.
    pub fn remove(&self, id: &str) -> Result<(), StoreError> {
        let mut run = self.find(id)?;
        run.lock_quietly()?;
        let trash = self.runs().join(format!(".trash-{id}"));
        let failed = |e| StoreError::io("remove", &run.path, e);
        if self.disk.info(&trash).is_ok() {
            self.disk.remove_tree(&trash).map_err(failed)?;
        }
        self.disk.rename(&run.path, &trash).map_err(failed)?;
        self.disk.sync_dir(&self.runs()).map_err(failed)?;
        self.disk.remove_tree(&trash).map_err(failed)
    }
}

/// The directory of one run.
#[derive(Debug)]
pub struct RunDir {
    id: String,
    path: PathBuf,
    disk: Arc<dyn Disk>,
    lock: Option<Arc<RunLock>>,
    segment_limit: u64,
}

impl RunDir {
    /// The run id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file system it lies on.
    pub fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    /// Takes the lock of the run, held until this is dropped and the journal with it; says in LOCK who has it.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process has it; when the run was removed meanwhile.
    pub fn lock(&mut self) -> Result<(), StoreError> {
        if self.lock.is_none() {
            self.lock = Some(Arc::new(RunLock::acquire(self.disk.as_ref(), &self.path, &self.id)?));
        }
        Ok(())
    }

    /// Takes the lock without writing anything, for a look at a run, also on a read-only disk.
    ///
    /// # Errors
    /// As [`RunDir::lock`].
    pub fn lock_quietly(&mut self) -> Result<(), StoreError> {
        if self.lock.is_none() {
            self.lock = Some(Arc::new(RunLock::acquire_quietly(self.disk.as_ref(), &self.path, &self.id)?));
        }
        Ok(())
    }

    /// Who has the lock now, if anyone.
    pub fn holder(&self) -> Option<Holder> {
        match &self.lock {
            Some(lock) => Some(lock.holder().clone()),
            None => lock::holder(self.disk.as_ref(), &self.path),
        }
    }

    /// Keeps the compiled plan under its hash; one that is there already is left as it is. Survives a loss of power.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put_plan(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        plans::put(self.disk.as_ref(), &self.path.join("plan"), bytes)
    }

    /// The plan of a hash.
    ///
    /// # Errors
    /// When it is not there, cannot be read, or is not what it was.
    pub fn get_plan(&self, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        plans::get(self.disk.as_ref(), &self.path.join("plan"), digest)
    }

    /// Reads the journal from its beginning.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn journal(&self) -> Result<JournalReader, StoreError> {
        JournalReader::open(Arc::clone(&self.disk), &self.path)
    }

    /// The large value of a hash.
    ///
    /// # Errors
    /// When it is not there, cannot be read, or is not what it was.
    pub fn get_object(&self, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        objects::get(self.disk.as_ref(), &self.path.join("objects"), digest)
    }

    /// Checks that the large value of a hash is there and has that many bytes, without reading it.
    ///
    /// # Errors
    /// When it is not, or cannot be looked at.
    pub fn check_object(&self, digest: &Digest, size: u64) -> Result<(), StoreError> {
        objects::check(self.disk.as_ref(), &self.path.join("objects"), digest, size)
    }

    /// Begins the journal of a new run.
    ///
    /// # Errors
    /// When there is one already, the run is not locked by this process, or the journal cannot be made.
    pub fn start(&self, options: JournalOptions) -> Result<Journal, StoreError> {
        Journal::start(self, self.held()?, options)
    }

    /// Goes on with the journal behind a frame. INVARIANT: whatever lies behind `tail` is no part of the journal (a
    /// torn tail, or the zeros of a file that was made longer beforehand): it is cut.
    ///
    /// # Errors
    /// When the run is not locked by this process, or the journal cannot be written.
    pub fn go_on(&self, tail: &Tail, options: JournalOptions) -> Result<Journal, StoreError> {
        Journal::go_on(self, self.held()?, tail, options)
    }

    /// The file of a segment of the journal.
    pub fn segment(&self, number: u32) -> PathBuf {
        segment_path(&self.path.join("journal"), number)
    }

    fn held(&self) -> Result<Arc<RunLock>, StoreError> {
        self.lock
            .clone()
            .ok_or_else(|| StoreError::refused(&self.path, "this process has not locked the run"))
    }

    /// How many bytes the run takes on the disk.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn bytes(&self) -> Result<u64, StoreError> {
        let mut total = 0;
        let mut dirs = vec![self.path.clone()];
        while let Some(dir) = dirs.pop() {
            let entries = match self.disk.list(&dir) {
                Ok(entries) => entries,
                // Scratch directories of a run that goes on come and go.
                Err(error) if is_absent(&error) && dir != self.path => continue,
                Err(error) => return Err(StoreError::io("read", &dir, error)),
            };
            for entry in entries {
                let path = dir.join(&entry.name);
                match self.disk.info(&path) {
                    Ok(info) => total += info.space,
                    Err(error) if is_absent(&error) => continue,
                    Err(error) => return Err(StoreError::io("read", &path, error)),
                }
                if entry.kind == EntryKind::Dir {
                    dirs.push(path);
                }
            }
        }
        Ok(total)
    }

    /// How long a segment of its journal may get.
    pub(super) fn segment_limit(&self) -> u64 {
        self.segment_limit
    }

    /// Makes segments short, for tests.
    #[cfg(test)]
    pub(super) fn set_segment_limit(&mut self, limit: u64) {
        self.segment_limit = limit;
    }
}

/// The file that keeps space free for the end of a run on a full disk.
pub(super) fn reserve_path(run: &Path) -> PathBuf {
    run.join("RESERVE")
}

/// Reserves space for the end of a run. On a file system that cannot reserve, and on a full disk, the file is empty:
/// that it is there says that the journal was not closed.
pub(super) fn make_reserve(disk: &dyn Disk, run: &Path) -> Result<(), StoreError> {
    let path = reserve_path(run);
    let file = match disk.create_new(&path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => disk.open_write(&path),
        file => file,
    }
    .map_err(|e| StoreError::io("make", &path, e))?;
    match file.allocate(0, RESERVE).map_err(|e| StoreError::io("reserve space with", &path, e)) {
        Err(error @ StoreError::Full { .. }) => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Gives the reserved space back to a full disk.
pub(super) fn free_reserve(disk: &dyn Disk, reserve: &Path) {
    let _ = disk.open_write(reserve).and_then(|file| file.set_len(0));
}

/// A name that may be a run id: no path, no hidden file.
fn is_id(id: &str) -> bool {
    let plain = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
    !id.is_empty() && id.len() <= LONGEST_ID && id.bytes().all(plain)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn check_dir(disk: &dyn Disk, path: &Path) -> Result<(), StoreError> {
    match disk.info(path) {
        Ok(info) => check_owned(disk, path, &info, EntryKind::Dir),
        Err(error) if is_absent(&error) => Err(StoreError::damaged(path, "the directory is missing")),
        Err(error) => Err(StoreError::io("read", path, error)),
    }
}

/// Refuses what somebody else could have put there or can change.
fn check_owned(disk: &dyn Disk, path: &Path, info: &Info, kind: EntryKind) -> Result<(), StoreError> {
    if info.kind == EntryKind::Link {
        return Err(StoreError::refused(path, "it is a link, and the store follows none"));
    }
    if info.kind != kind {
        let wanted = if kind == EntryKind::Dir { "a directory" } else { "a file" };
        return Err(StoreError::refused(path, format!("it is not {wanted}")));
    }
    if info.owner != disk.user() {
        return Err(StoreError::refused(
            path,
            format!("it belongs to user {}, not to {}", info.owner, disk.user()),
        ));
    }
    if info.mode & 0o022 != 0 {
        return Err(StoreError::refused(path, format!("others can write to it (mode {:04o})", info.mode)));
    }
    Ok(())
}

/// Opens a file of a run for reading; none when there is no such file.
pub(super) fn open_file(disk: &dyn Disk, path: &Path) -> Result<Option<Box<dyn DiskFile>>, StoreError> {
    let file = match disk.open_read(path) {
        Ok(file) => file,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(StoreError::io("read", path, error)),
    };
    let info = file.info().map_err(|e| StoreError::io("read", path, e))?;
    check_owned(disk, path, &info, EntryKind::File)?;
    Ok(Some(file))
}

fn check_format(disk: &dyn Disk, path: &Path) -> Result<(), StoreError> {
    let file = open_file(disk, path)?.ok_or_else(|| StoreError::damaged(path, "the file is missing"))?;
    let mut bytes = [0; LONGEST_FORMAT];
    let len = file.read_full_at(&mut bytes, 0).map_err(|e| StoreError::io("read", path, e))?;
    let text = std::str::from_utf8(bytes.get(..len).unwrap_or_default()).unwrap_or_default();
    let checked = text.trim_end_matches('\n').rsplit_once(' ').filter(|(format, crc)| {
        u32::from_str_radix(crc, 16).is_ok_and(|crc| crc == crc32c::crc32c(format.as_bytes()))
            && crc.len() == 8
    });
    match checked {
        Some((FORMAT, _)) => Ok(()),
        Some((format, _)) => {
            Err(StoreError::Newer { path: path.to_owned(), found: format!("`{}`", format.escape_debug()) })
        }
        None => Err(StoreError::damaged(path, "it does not say what format the run has")),
    }
}
