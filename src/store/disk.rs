//! The file system as the store sees it: few calls, each with the guarantees the store builds on. [`RealDisk`] is the
//! system's own; tests put a simulated one in its place. Knows nothing of runs, frames or objects.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{FlockOperation, OFlags};

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link.
    Link,
    /// A pipe, a socket, a device.
    Other,
}

/// A name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name; one that is not UTF-8 is not of the store's making and is shown with replacements.
    pub name: String,
    /// What it stands for; links are not followed.
    pub kind: EntryKind,
}

/// What the system knows of a file or directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Info {
    /// What it is.
    pub kind: EntryKind,
    /// How many bytes it has.
    pub len: u64,
    /// How many bytes it takes on the disk.
    pub space: u64,
    /// The permission bits.
    pub mode: u32,
    /// The user it belongs to.
    pub owner: u32,
    /// Tells it apart from all others.
    pub id: (u64, u64),
}

/// An open file. All reads and writes say where.
pub trait DiskFile: Send + Sync + fmt::Debug {
    /// Reads up to so many bytes; fewer at the end of the file.
    ///
    /// # Errors
    /// What the system says.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes, and returns how many bytes were taken.
    ///
    /// # Errors
    /// What the system says.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;

    /// What the system knows of the file now.
    ///
    /// # Errors
    /// What the system says.
    fn info(&self) -> io::Result<Info>;

    /// Cuts the file, or makes it longer by zeros.
    ///
    /// # Errors
    /// What the system says.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Reserves space for `len` bytes at `offset`; the file grows to there, with zeros.
    ///
    /// # Errors
    /// What the system says; `Unsupported` where the file system cannot.
    fn allocate(&self, offset: u64, len: u64) -> io::Result<()>;

    /// Makes the contents survive a loss of power.
    ///
    /// # Errors
    /// What the system says; the contents may be lost then, and asking again proves nothing.
    fn sync_data(&self) -> io::Result<()>;

    /// Makes the contents and everything the system knows of the file survive a loss of power.
    ///
    /// # Errors
    /// As [`DiskFile::sync_data`].
    fn sync_all(&self) -> io::Result<()>;

    /// Takes the lock of the file, for this handle alone or shared with others, until the handle is dropped.
    /// Returns false at once when somebody else has it.
    ///
    /// # Errors
    /// What the system says.
    fn try_lock(&self, exclusive: bool) -> io::Result<bool>;

    /// Reads from `offset` on until the slice is full or the file ends.
    ///
    /// # Errors
    /// What the system says.
    fn read_full_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut done = 0;
        while done < bytes.len() {
            match self.read_at(&mut bytes[done..], offset + done as u64) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    /// Writes everything; one call where the system takes it at once.
    ///
    /// # Errors
    /// What the system says; some of the bytes may be written then.
    fn write_all_at(&self, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write_at(bytes, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    bytes = bytes.get(count..).unwrap_or_default();
                    offset += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// A file system. The last part of a path is never followed when it is a link.
pub trait Disk: Send + Sync + fmt::Debug {
    /// Makes a directory that only its owner can use (mode 0700).
    ///
    /// # Errors
    /// What the system says; `AlreadyExists` for a name that is taken.
    fn make_dir(&self, path: &Path) -> io::Result<()>;

    /// Makes a file that only its owner can use (mode 0600), and opens it for reading and writing.
    ///
    /// # Errors
    /// What the system says; `AlreadyExists` for a name that is taken, also by a link.
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Opens a file for reading and writing.
    ///
    /// # Errors
    /// What the system says; `ELOOP` for a link.
    fn open_write(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Opens a file for reading.
    ///
    /// # Errors
    /// As [`Disk::open_write`].
    fn open_read(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Gives a file or directory another name; a file of that name is replaced.
    ///
    /// # Errors
    /// What the system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// What the system says.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes a directory and everything below it, following no link.
    ///
    /// # Errors
    /// What the system says.
    fn remove_tree(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a directory survive a loss of power.
    ///
    /// # Errors
    /// As [`DiskFile::sync_data`].
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// Makes everything below a directory survive a loss of power, itself included.
    ///
    /// # Errors
    /// As [`DiskFile::sync_data`].
    fn sync_tree(&self, path: &Path) -> io::Result<()>;

    /// The names in a directory, sorted.
    ///
    /// # Errors
    /// What the system says.
    fn list(&self, path: &Path) -> io::Result<Vec<Entry>>;

    /// What the system knows of a name; a link is not followed.
    ///
    /// # Errors
    /// What the system says.
    fn info(&self, path: &Path) -> io::Result<Info>;

    /// The user this process acts as.
    fn user(&self) -> u32;

    /// Says whether its paths mean the same to the system, so that a library that knows no [`Disk`] can use them.
    fn is_of_system(&self) -> bool {
        false
    }
}

/// The file system of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

#[derive(Debug)]
struct RealFile(File);

impl RealDisk {
    fn open(path: &Path, write: bool) -> io::Result<Box<dyn DiskFile>> {
        // A pipe under the name would hold up the opening without NONBLOCK; for files it changes nothing.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let file = OpenOptions::new().read(true).write(write).custom_flags(flags.bits() as i32).open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
        }
        Ok(Box::new(RealFile(file)))
    }
}

impl Disk for RealDisk {
    fn make_dir(&self, path: &Path) -> io::Result<()> {
        DirBuilder::new().mode(0o700).create(path)
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .custom_flags(OFlags::NOFOLLOW.bits() as i32)
            .open(path)?;
        Ok(Box::new(RealFile(file)))
    }

    fn open_write(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Self::open(path, true)
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Self::open(path, false)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_tree(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn sync_tree(&self, path: &Path) -> io::Result<()> {
        // One call for the whole file system: a run may have more objects than there is time to sync one by one.
        #[cfg(target_os = "linux")]
        {
            Ok(rustix::fs::syncfs(File::open(path)?)?)
        }
        #[cfg(not(target_os = "linux"))]
        {
            let mut dirs = vec![path.to_owned()];
            while let Some(dir) = dirs.pop() {
                for entry in self.list(&dir)? {
                    match entry.kind {
                        EntryKind::Dir => dirs.push(dir.join(entry.name)),
                        EntryKind::File => File::open(dir.join(entry.name))?.sync_all()?,
                        EntryKind::Link | EntryKind::Other => {}
                    }
                }
                self.sync_dir(&dir)?;
            }
            Ok(())
        }
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let kind = kind_of(entry.file_type()?);
            entries.push(Entry { name: entry.file_name().to_string_lossy().into_owned(), kind });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn info(&self, path: &Path) -> io::Result<Info> {
        Ok(info_of(&fs::symlink_metadata(path)?))
    }

    fn is_of_system(&self) -> bool {
        true
    }

    fn user(&self) -> u32 {
        rustix::process::geteuid().as_raw()
    }
}

impl DiskFile for RealFile {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(bytes, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.0.write_at(bytes, offset)
    }

    fn info(&self) -> io::Result<Info> {
        Ok(info_of(&self.0.metadata()?))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn allocate(&self, offset: u64, len: u64) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        {
            let flags = rustix::fs::FallocateFlags::empty();
            Ok(rustix::io::retry_on_intr(|| rustix::fs::fallocate(&self.0, flags, offset, len))?)
        }
        #[cfg(not(target_os = "linux"))]
        {
            let _ = (offset, len);
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn sync_all(&self) -> io::Result<()> {
        self.0.sync_all()
    }

    fn try_lock(&self, exclusive: bool) -> io::Result<bool> {
        let operation = if exclusive {
            FlockOperation::NonBlockingLockExclusive
        } else {
            FlockOperation::NonBlockingLockShared
        };
        match rustix::io::retry_on_intr(|| rustix::fs::flock(&self.0, operation)) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

fn kind_of(kind: fs::FileType) -> EntryKind {
    if kind.is_file() {
        EntryKind::File
    } else if kind.is_dir() {
        EntryKind::Dir
    } else if kind.is_symlink() {
        EntryKind::Link
    } else {
        EntryKind::Other
    }
}

fn info_of(data: &fs::Metadata) -> Info {
    Info {
        kind: kind_of(data.file_type()),
        len: data.len(),
        space: data.blocks() * 512,
        mode: Permissions::mode(&data.permissions()) & 0o7777,
        owner: data.uid(),
        id: (data.dev(), data.ino()),
    }
}

/// Makes a directory and those above it that are missing, each with its name made to survive a loss of power.
///
/// # Errors
/// What the system says.
pub(super) fn make_dirs(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    let mut missing = Vec::new();
    for dir in path.ancestors() {
        if dir.as_os_str().is_empty() {
            break;
        }
        match disk.info(dir) {
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::NotFound => missing.push(dir),
            Err(error) => return Err(error),
        }
    }
    for dir in missing.into_iter().rev() {
        match disk.make_dir(dir) {
            Ok(()) => disk.sync_dir(parent(dir))?,
            // Another process was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The directory a name stands in.
pub(super) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_made_for_their_owner_alone_and_links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        let made = RealDisk.create_new(&file).unwrap();
        made.write_all_at(b"abc", 2).unwrap();
        let mut bytes = [9; 8];
        assert_eq!(made.read_full_at(&mut bytes, 0).unwrap(), 5);
        assert_eq!(&bytes[..5], b"\0\0abc");
        assert_eq!(made.info().unwrap().mode, 0o600);
        assert_eq!(RealDisk.create_new(&file).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(
            RealDisk.open_read(&link).unwrap_err().raw_os_error(),
            Some(rustix::io::Errno::LOOP.raw_os_error())
        );
        assert_eq!(RealDisk.create_new(&link).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(RealDisk.info(&link).unwrap().kind, EntryKind::Link);
        assert_eq!(RealDisk.open_read(dir.path()).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        make_dirs(&RealDisk, &dir.path().join("a/b/c")).unwrap();
        assert_eq!(RealDisk.info(&dir.path().join("a/b")).unwrap().mode, 0o700);
    }

    #[test]
    fn a_lock_holds_until_its_handle_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("LOCK");
        let first = RealDisk.create_new(&path).unwrap();
        assert!(first.try_lock(true).unwrap());
        let second = RealDisk.open_read(&path).unwrap();
        assert!(!second.try_lock(false).unwrap());
        drop(first);
        assert!(second.try_lock(true).unwrap());
    }
}
