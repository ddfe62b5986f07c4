//! The files of a journal: their names, their order, and the one that is written to (durability spec, section 4).
//! Space is reserved ahead of what is written, because to sync a file that does not grow is cheaper. Knows nothing of
//! frames.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::{Disk, DiskFile, EntryKind};
use super::error::StoreError;

/// The longest a segment gets.
pub(super) const LONGEST_SEGMENT: u64 = 64 << 20;
/// How much space is reserved at first, and at most.
const FIRST_STEP: u64 = 64 << 10;
const LAST_STEP: u64 = 4 << 20;

/// The file of a segment.
pub(super) fn segment_path(journal: &Path, number: u32) -> PathBuf {
    journal.join(format!("{number:08}.ncj"))
}

/// The numbers of the segments that are there, in order.
pub(super) fn segments(disk: &dyn Disk, journal: &Path) -> Result<Vec<u32>, StoreError> {
    let entries = disk.list(journal).map_err(|e| StoreError::io("read", journal, e))?;
    let number = |name: &str| {
        let digits =
            name.strip_suffix(".ncj").filter(|d| d.len() == 8 && d.bytes().all(|b| b.is_ascii_digit()))?;
        digits.parse().ok().filter(|number| *number > 0)
    };
    // A link under such a name is listed too, so that opening it refuses it.
    let mut numbers: Vec<u32> =
        entries.iter().filter(|e| e.kind != EntryKind::Dir).filter_map(|e| number(&e.name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// The segment that is written to.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) number: u32,
    pub(super) path: PathBuf,
    pub(super) file: Arc<dyn DiskFile>,
    /// Where the next frame goes.
    pub(super) end: u64,
    /// How far space is reserved.
    reserved: u64,
    /// How much is reserved next; none when that is not wanted or not possible.
    step: Option<u64>,
}

impl Segment {
    /// Makes a new segment.
    pub(super) fn create(
        disk: &dyn Disk,
        journal: &Path,
        number: u32,
        reserve: bool,
    ) -> Result<Self, StoreError> {
        let path = segment_path(journal, number);
        let file = disk.create_new(&path).map_err(|e| StoreError::io("make", &path, e))?;
        Ok(Self { number, path, file: file.into(), end: 0, reserved: 0, step: reserve.then_some(FIRST_STEP) })
    }

    /// Opens a segment to write behind its last frame.
    pub(super) fn open(
        disk: &dyn Disk,
        journal: &Path,
        number: u32,
        end: u64,
        reserve: bool,
    ) -> Result<Self, StoreError> {
        let path = segment_path(journal, number);
        let file = disk.open_write(&path).map_err(|e| StoreError::io("open", &path, e))?;
        let len = file.info().map_err(|e| StoreError::io("read", &path, e))?.len;
        if len < end {
            return Err(StoreError::damaged(
                &path,
                format!("it had {end} bytes when it was read, and has {len} now"),
            ));
        }
        if len > end {
            // What is written here next must never stand beside remains of what was cut.
            file.set_len(end).and_then(|()| file.sync_all()).map_err(|e| StoreError::io("cut", &path, e))?;
        }
        Ok(Self { number, path, file: file.into(), end, reserved: end, step: reserve.then_some(FIRST_STEP) })
    }

    /// Writes frames at the end.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.reserve(bytes.len() as u64)?;
        self.file.write_all_at(bytes, self.end).map_err(|e| StoreError::io("write to", &self.path, e))?;
        self.end += bytes.len() as u64;
        Ok(())
    }

    fn reserve(&mut self, more: u64) -> Result<(), StoreError> {
        let Some(step) = self.step else { return Ok(()) };
        let wanted = self.end + more;
        if wanted <= self.reserved {
            return Ok(());
        }
        // INVARIANT: `reserved` is at most 64 MiB and a buffer, far from overflow.
        let least = (wanted - self.reserved).next_multiple_of(FIRST_STEP);
        let mut result = self.file.allocate(self.reserved, least.max(step));
        let mut got = least.max(step);
        if matches!(&result, Err(e) if is_full(e)) && got > least {
            got = least;
            result = self.file.allocate(self.reserved, least);
        }
        match result {
            Ok(()) => {
                self.reserved += got;
                self.step = Some((step * 2).min(LAST_STEP));
                Ok(())
            }
            Err(error) if is_full(&error) => Err(StoreError::io("write to", &self.path, error)),
            // Not every file system can; then each write makes the file longer.
            Err(_) => {
                self.step = None;
                Ok(())
            }
        }
    }

    /// Gives back the space behind the last frame. Readers do not need it cut, so a failure does not matter.
    pub(super) fn trim(&self) {
        if self.reserved > self.end {
            let _ = self.file.set_len(self.end);
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
