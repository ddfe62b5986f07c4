//! The longest valid beginning of a run, copied to a new place (durability spec, section 6.7). The run itself is not
//! changed.

use std::io;
use std::path::Path;

use crate::base::Digest;
use crate::store::plans;
use crate::store::segment::segment_path;
use crate::store::{Disk, EntryKind, RunDir, StoreError, Tail};

/// What was copied.
#[derive(Debug)]
pub struct Salvage {
    /// Where the journal ends now.
    pub tail: Tail,
    /// What stood behind that; none when the whole journal was copied.
    pub damage: Option<StoreError>,
    /// How many objects were copied.
    pub objects: u64,
    /// The objects and plans whose contents are not what their names say: they were left out.
    pub left_out: Vec<String>,
}

/// Copies the longest valid beginning of a run's journal, with its format, its plans and its objects, to a directory
/// that does not exist yet. Works from the journal and the objects alone. Objects that only later frames refer to are
/// copied as well, since it is not known here what a frame says.
///
/// # Errors
/// When the directory exists, or something cannot be read or written. What was written until then has no FORMAT and
/// is no run.
pub fn salvage(run: &RunDir, to: &Path) -> Result<Salvage, StoreError> {
    let disk = run.disk().as_ref();
    let mut journal = run.journal()?;
    let damage = loop {
        match journal.next() {
            Ok(Some(_)) => {}
            Ok(None) => break journal.torn().err(),
            Err(error) => break Some(error),
        }
    };
    let tail = journal.tail();
    let mut result = Salvage { tail, damage, objects: 0, left_out: Vec::new() };
    make(disk, to)?;
    let segments = to.join("journal");
    make(disk, &segments)?;
    for number in 1..=tail.segment {
        let path = segment_path(&run.path().join("journal"), number);
        let upto = (number == tail.segment).then_some(tail.offset);
        if upto != Some(0) {
            let bytes = read(disk, &path, upto)?;
            write(disk, &segment_path(&segments, number), &bytes)?;
        }
    }
    let (plans, objects) = (to.join("plan"), to.join("objects"));
    make(disk, &plans)?;
    make(disk, &objects)?;
    copy_named(disk, &run.path().join("plan"), &plans, &mut result)?;
    for entry in list(disk, &run.path().join("objects"))? {
        if entry.0 == EntryKind::Dir {
            let shard = objects.join(&entry.1);
            make(disk, &shard)?;
            result.objects +=
                copy_named(disk, &run.path().join("objects").join(&entry.1), &shard, &mut result)?;
            disk.sync_dir(&shard).map_err(|error| StoreError::io("sync", &shard, error))?;
        }
    }
    for dir in [&segments, &plans, &objects] {
        disk.sync_dir(dir).map_err(|error| StoreError::io("sync", dir, error))?;
    }
    // Last, because a directory without it is no run.
    let format = read(disk, &run.path().join("FORMAT"), None)?;
    write(disk, &to.join("FORMAT"), &format)?;
    disk.sync_dir(to).map_err(|error| StoreError::io("sync", to, error))?;
    Ok(result)
}

/// Copies the files that are named by the hash of their contents.
fn copy_named(disk: &dyn Disk, from: &Path, to: &Path, result: &mut Salvage) -> Result<u64, StoreError> {
    let mut copied = 0;
    for (kind, name) in list(disk, from)? {
        let (EntryKind::File, Some(digest)) = (kind, plans::digest_of(&name).or_else(|| name.parse().ok()))
        else {
            continue;
        };
        let is_plan = plans::digest_of(&name).is_some();
        let whole = |bytes: &[u8]| match is_plan {
            true => plans::get(disk, from, &digest).is_ok(),
            false => Digest::of(bytes) == digest,
        };
        match read(disk, &from.join(&name), None) {
            Ok(bytes) if whole(&bytes) => {
                write(disk, &to.join(&name), &bytes)?;
                copied += 1;
            }
            _ => result.left_out.push(name),
        }
    }
    Ok(copied)
}

fn make(disk: &dyn Disk, path: &Path) -> Result<(), StoreError> {
    disk.make_dir(path).map_err(|error| StoreError::io("make", path, error))
}

/// The names in a directory; one that is missing has none.
fn list(disk: &dyn Disk, path: &Path) -> Result<Vec<(EntryKind, String)>, StoreError> {
    match disk.list(path) {
        Ok(entries) => Ok(entries.into_iter().map(|entry| (entry.kind, entry.name)).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(StoreError::io("read", path, error)),
    }
}

fn read(disk: &dyn Disk, path: &Path, upto: Option<u64>) -> Result<Vec<u8>, StoreError> {
    let failed = |error| StoreError::io("read", path, error);
    let file = disk.open_read(path).map_err(failed)?;
    let len = file.info().map_err(failed)?.len.min(upto.unwrap_or(u64::MAX));
    let mut bytes = vec![0; usize::try_from(len).map_err(|_| failed(io::ErrorKind::OutOfMemory.into()))?];
    let read = file.read_full_at(&mut bytes, 0).map_err(failed)?;
    bytes.truncate(read);
    Ok(bytes)
}

fn write(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    disk.create_new(path)
        .and_then(|file| file.write_all_at(bytes, 0).and_then(|()| file.sync_all()))
        .map_err(|error| StoreError::io("write", path, error))
}
