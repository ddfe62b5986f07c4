//! Large values as files, named by their hash and never changed (durability spec, sections 3 and 4). Knows
//! nothing of what they say.

use std::io;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashSet;

use super::disk::{Disk, DiskFile};
use super::error::StoreError;
use super::flusher::Pending;
use super::layout::open_file;
use crate::base::Digest;

/// What files are called while they are written.
pub(super) const TEMPORARY: &str = "tmp-";

/// The file of an object, and the directory it stands in.
fn place(objects: &Path, digest: &Digest) -> (PathBuf, PathBuf) {
    let name = digest.to_string();
    let shard = objects.join(name.get(..2).unwrap_or_default());
    let path = shard.join(name);
    (shard, path)
}

/// Reads an object and checks that it is what its name says.
pub(super) fn get(disk: &dyn Disk, objects: &Path, digest: &Digest) -> Result<Vec<u8>, StoreError> {
    read_checked(disk, &place(objects, digest).1, digest)
}

/// Looks whether an object is there and has so many bytes.
pub(super) fn check(disk: &dyn Disk, objects: &Path, digest: &Digest, size: u64) -> Result<(), StoreError> {
    let path = place(objects, digest).1;
    let file = open_file(disk, &path)?.ok_or_else(|| missing(&path))?;
    let len = file.info().map_err(|e| StoreError::io("read", &path, e))?.len;
    if len == size {
        Ok(())
    } else {
        Err(StoreError::damaged(&path, format!("it should have {size} bytes and has {len}")))
    }
}

fn missing(path: &Path) -> StoreError {
    StoreError::damaged(path, "the file is missing")
}

/// Reads a file and checks that its contents have a hash.
pub(super) fn read_checked(disk: &dyn Disk, path: &Path, digest: &Digest) -> Result<Vec<u8>, StoreError> {
    let bytes = read_whole(disk, path)?;
    if Digest::of(&bytes) == *digest {
        Ok(bytes)
    } else {
        Err(StoreError::damaged(path, "its contents are not those its name is the hash of"))
    }
}

/// Reads all of a file.
pub(super) fn read_whole(disk: &dyn Disk, path: &Path) -> Result<Vec<u8>, StoreError> {
    let file = open_file(disk, path)?.ok_or_else(|| missing(path))?;
    let failed = |e| StoreError::io("read", path, e);
    let len = file.info().map_err(failed)?.len;
    let mut bytes = Vec::new();
    let len = usize::try_from(len).map_err(|_| failed(io::ErrorKind::OutOfMemory.into()))?;
    bytes.try_reserve_exact(len).map_err(|_| failed(io::ErrorKind::OutOfMemory.into()))?;
    bytes.resize(len, 0);
    let read = file.read_full_at(&mut bytes, 0).map_err(failed)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// Says whether a file is there and whole. One that is not is written again.
pub(super) fn holds(disk: &dyn Disk, path: &Path, digest: &Digest) -> bool {
    disk.info(path).is_ok() && read_checked(disk, path, digest).is_ok()
}

/// Writes a file under another name and gives it its own when it is whole.
pub(super) fn write_new(
    disk: &dyn Disk,
    temporary: &Path,
    path: &Path,
    bytes: &[u8],
) -> Result<Box<dyn DiskFile>, StoreError> {
    let made = match disk.create_new(temporary) {
        // What is left of a process that was killed; this one alone writes to the run.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            disk.remove_file(temporary).and_then(|()| disk.create_new(temporary))
        }
        made => made,
    };
    let written = made.and_then(|file| {
        file.write_all_at(bytes, 0)?;
        disk.rename(temporary, path)?;
        Ok(file)
    });
    if written.is_err() {
        let _ = disk.remove_file(temporary);
    }
    written.map_err(|e| StoreError::io("write", path, e))
}

/// Puts objects into a run, for its journal.
#[derive(Debug)]
pub(super) struct ObjectWriter {
    dir: PathBuf,
    /// What was put since the journal was opened.
    known: FxHashSet<Digest>,
    count: u64,
}

impl ObjectWriter {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self { dir, known: FxHashSet::default(), count: 0 }
    }

    /// Removes what a killed process left half written.
    pub(super) fn clean(&self, disk: &dyn Disk) {
        for entry in disk.list(&self.dir).unwrap_or_default() {
            if entry.name.starts_with(TEMPORARY) {
                let _ = disk.remove_file(&self.dir.join(entry.name));
            }
        }
    }

    /// Writes an object that is not there yet, and adds to `pending` what must be synced for it.
    pub(super) fn put(
        &mut self,
        disk: &dyn Disk,
        digest: &Digest,
        bytes: &[u8],
        pending: &mut Pending,
    ) -> Result<(), StoreError> {
        if self.known.contains(digest) {
            return Ok(());
        }
        let (shard, path) = place(&self.dir, digest);
        if holds(disk, &path, digest) {
            // Perhaps the process that put it there was killed before it could sync it.
            pending.object(path, None, shard);
            pending.dir(self.dir.clone());
        } else {
            match disk.make_dir(&shard) {
                Ok(()) => pending.dir(self.dir.clone()),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(StoreError::io("make", &shard, error)),
            }
            self.count += 1;
            let temporary = self.dir.join(format!("{TEMPORARY}{}", self.count));
            let file = write_new(disk, &temporary, &path, bytes)?;
            pending.object(path, Some(file), shard);
        }
        self.known.insert(*digest);
        Ok(())
    }
}
