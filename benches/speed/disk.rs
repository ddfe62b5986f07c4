//! Where stores are made, what the barest program does with a disk there, and a disk that counts.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use normc::base::Digest;
use normc::run::record::Kind;
use normc::store::{Disk, DiskFile, Entry, HEADER, Info, RealDisk, encode_frame};
use rustix::fs::{FallocateFlags, fallocate};

/// What is written at once.
const PIECE: usize = 64 << 10;
/// How far the disk may be behind.
const BEHIND: Duration = Duration::from_millis(10);

/// A folder on the disk the project is on, which goes when this is dropped.
pub(crate) fn ground() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// The file system of a path, with the device behind it; Linux only.
pub(crate) fn file_system(path: &Path) -> Option<String> {
    let path = path.canonicalize().ok()?;
    let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
    let fields = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let above = fields.filter(|f| f.len() > 2 && path.starts_with(f[1]));
    above.max_by_key(|f| f[1].len()).map(|f| format!("{} on {}", f[2], f[0]))
}

/// A file with space for so many bytes that survives a loss of power.
fn reserved(dir: &Path, bytes: u64) -> File {
    let path = dir.join("floor");
    let file = OpenOptions::new().write(true).create(true).truncate(true).open(path).unwrap();
    // Where the file system cannot, each write makes the file longer, as the journal's do.
    let _ = fallocate(&file, FallocateFlags::empty(), 0, bytes.max(1));
    file.sync_all().unwrap();
    File::open(dir).unwrap().sync_all().unwrap();
    file
}

/// So many records, each written and synced before the next one, into space that was reserved.
pub(crate) fn one_by_one(dir: &Path, records: usize, size: usize) -> Duration {
    let file = reserved(dir, (records * size) as u64);
    let record = vec![b'r'; size];
    let start = Instant::now();
    for i in 0..records {
        file.write_all_at(&record, (i * size) as u64).unwrap();
        file.sync_data().unwrap();
    }
    start.elapsed()
}

/// Appends records by group commit with one thread: pieces of 64 KiB are written, and synced when the last sync is
/// 10 ms ago; all of it is synced in the end.
pub(crate) fn grouped(dir: &Path, records: usize, bytes: u64) -> Duration {
    let record = vec![b'r'; (bytes as usize).div_ceil(records)];
    group_commit(dir, records, bytes, |buffer| buffer.extend_from_slice(&record))
}

/// The same with the records made into frames, each with its checksum and the hash of the one before.
pub(crate) fn framed(dir: &Path, records: usize, bytes: u64) -> Duration {
    let body = vec![b'r'; (bytes as usize / records).saturating_sub(HEADER)];
    let (mut number, mut digest) = (0, Digest::default());
    group_commit(dir, records, bytes, |buffer| {
        number += 1;
        digest = encode_frame(number, Kind::Result, &digest, &body, buffer);
    })
}

fn group_commit(dir: &Path, records: usize, bytes: u64, mut append: impl FnMut(&mut Vec<u8>)) -> Duration {
    let file = reserved(dir, bytes);
    let start = Instant::now();
    let (mut buffer, mut end, mut synced) = (Vec::with_capacity(2 * PIECE), 0, start);
    for i in 0..records {
        append(&mut buffer);
        if buffer.len() >= PIECE || i + 1 == records {
            file.write_all_at(&buffer, end).unwrap();
            end += buffer.len() as u64;
            buffer.clear();
            if synced.elapsed() >= BEHIND {
                file.sync_data().unwrap();
                synced = Instant::now();
            }
        }
    }
    file.sync_data().unwrap();
    start.elapsed()
}

/// So many bytes in so many writes, each synced.
pub(crate) fn batches(dir: &Path, bytes: u64, writes: u64) -> Duration {
    let file = reserved(dir, bytes);
    let batch = vec![b'r'; bytes.div_ceil(writes.max(1)) as usize];
    let start = Instant::now();
    for i in 0..writes {
        file.write_all_at(&batch, i * batch.len() as u64).unwrap();
        file.sync_data().unwrap();
    }
    start.elapsed()
}

/// Opens the files of a folder and reads them from front to back.
pub(crate) fn read_all(dir: &Path) -> Duration {
    let start = Instant::now();
    let mut piece = vec![0; 1 << 20];
    for entry in std::fs::read_dir(dir).unwrap() {
        let mut file = File::open(entry.unwrap().path()).unwrap();
        while file.read(&mut piece).unwrap() > 0 {
            std::hint::black_box(&piece);
        }
    }
    start.elapsed()
}

/// Every file below a folder: its path, its length, the bytes it takes on the disk, and when it was changed.
pub(crate) fn files(dir: &Path) -> Vec<(PathBuf, u64, u64, i128)> {
    use std::os::unix::fs::MetadataExt;
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let info = entry.metadata().unwrap();
            let changed = i128::from(info.mtime()) * 1_000_000_000 + i128::from(info.mtime_nsec());
            found.push((entry.path(), info.len(), info.blocks() * 512, changed));
            if info.is_dir() {
                dirs.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

/// What was done with a [`CountingDisk`].
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Syncs of files and directories.
    pub(crate) syncs: AtomicU64,
    /// Writes to files.
    pub(crate) writes: AtomicU64,
}

impl Counts {
    pub(crate) fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::Relaxed)
    }

    pub(crate) fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }
}

/// The system's disk, counting what is asked of it. What the index does by itself is not seen.
#[derive(Debug, Default)]
pub(crate) struct CountingDisk {
    pub(crate) counts: Arc<Counts>,
}

#[derive(Debug)]
struct CountingFile {
    file: Box<dyn DiskFile>,
    counts: Arc<Counts>,
}

impl CountingDisk {
    fn sync<T>(&self, done: T) -> T {
        self.counts.syncs.fetch_add(1, Ordering::Relaxed);
        done
    }

    fn file(&self, file: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        Box::new(CountingFile { file, counts: Arc::clone(&self.counts) })
    }
}

impl Disk for CountingDisk {
    fn make_dir(&self, path: &Path) -> std::io::Result<()> {
        RealDisk.make_dir(path)
    }
    fn create_new(&self, path: &Path) -> std::io::Result<Box<dyn DiskFile>> {
        RealDisk.create_new(path).map(|file| self.file(file))
    }
    fn open_write(&self, path: &Path) -> std::io::Result<Box<dyn DiskFile>> {
        RealDisk.open_write(path).map(|file| self.file(file))
    }
    fn open_read(&self, path: &Path) -> std::io::Result<Box<dyn DiskFile>> {
        RealDisk.open_read(path).map(|file| self.file(file))
    }
    fn rename(&self, from: &Path, to: &Path) -> std::io::Result<()> {
        RealDisk.rename(from, to)
    }
    fn remove_file(&self, path: &Path) -> std::io::Result<()> {
        RealDisk.remove_file(path)
    }
    fn remove_tree(&self, path: &Path) -> std::io::Result<()> {
        RealDisk.remove_tree(path)
    }
    fn sync_dir(&self, path: &Path) -> std::io::Result<()> {
        self.sync(RealDisk.sync_dir(path))
    }
    fn sync_tree(&self, path: &Path) -> std::io::Result<()> {
        self.sync(RealDisk.sync_tree(path))
    }
    fn list(&self, path: &Path) -> std::io::Result<Vec<Entry>> {
        RealDisk.list(path)
    }
    fn info(&self, path: &Path) -> std::io::Result<Info> {
        RealDisk.info(path)
    }
    fn user(&self) -> u32 {
        RealDisk.user()
    }
    fn is_of_system(&self) -> bool {
        RealDisk.is_of_system()
    }
}

impl DiskFile for CountingFile {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> std::io::Result<usize> {
        self.file.read_at(bytes, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> std::io::Result<usize> {
        self.counts.writes.fetch_add(1, Ordering::Relaxed);
        self.file.write_at(bytes, offset)
    }
    fn info(&self) -> std::io::Result<Info> {
        self.file.info()
    }
    fn set_len(&self, len: u64) -> std::io::Result<()> {
        self.file.set_len(len)
    }
    fn allocate(&self, offset: u64, len: u64) -> std::io::Result<()> {
        self.file.allocate(offset, len)
    }
    fn sync_data(&self) -> std::io::Result<()> {
        self.counts.syncs.fetch_add(1, Ordering::Relaxed);
        self.file.sync_data()
    }
    fn sync_all(&self) -> std::io::Result<()> {
        self.counts.syncs.fetch_add(1, Ordering::Relaxed);
        self.file.sync_all()
    }
    fn try_lock(&self, exclusive: bool) -> std::io::Result<bool> {
        self.file.try_lock(exclusive)
    }
}
