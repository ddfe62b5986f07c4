//! A folder whose files are read and written by handle: links are not followed, and neither folders nor files of other
//! users are trusted. Knows no questions.

use std::ffi::OsStr;
use std::fs::{DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

/// A file may be so long.
pub(super) const LONGEST: u64 = 16 << 20;

/// Names of files that are being written begin so.
const UNFINISHED: &str = ".tmp-";

/// A folder that belongs to the user.
#[derive(Debug)]
pub(super) struct Folder {
    handle: OwnedFd,
    path: PathBuf,
}

/// What a file is.
#[derive(Debug)]
pub(super) enum Found {
    /// There is none.
    Missing,
    /// It is not taken, and why.
    Unfit(String),
    /// Its bytes.
    Bytes(Vec<u8>),
}

impl Folder {
    /// Opens a folder, and makes it if it is not there.
    pub(super) fn make(path: &Path) -> Result<Self, String> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|error| format!("{} cannot be made: {error}", path.display()))?;
        Self::open(path)
    }

    /// Opens a folder that is there.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        // A slash at the end would follow a link.
        let path: PathBuf = path.components().collect();
        let handle = rustix::fs::openat(CWD, &path, flags() | OFlags::DIRECTORY, Mode::empty())
            .map_err(|error| refused(&path, error))?;
        Self { handle, path }.trusted()
    }

    /// A folder in it, made if it is not there.
    pub(super) fn sub(&self, name: &str) -> Result<Self, String> {
        let path = self.path.join(name);
        match rustix::fs::mkdirat(&self.handle, name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(format!("{} cannot be made: {error}", path.display())),
        }
        let handle = rustix::fs::openat(&self.handle, name, flags() | OFlags::DIRECTORY, Mode::empty())
            .map_err(|error| refused(&path, error))?;
        Self { handle, path }.trusted()
    }

    fn trusted(self) -> Result<Self, String> {
        let shown = self.path.display();
        let stat =
            rustix::fs::fstat(&self.handle).map_err(|error| format!("{shown} cannot be read: {error}"))?;
        if stat.st_uid != rustix::process::geteuid().as_raw() {
            return Err(format!("{shown} belongs to another user"));
        }
        if stat.st_mode & 0o022 != 0 {
            return Err(format!("others may write into {shown}: take that away with chmod go-w {shown}"));
        }
        Ok(self)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The names in it that are text; what is being written is left out.
    pub(super) fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.handle)? {
            let entry = entry?;
            if let Ok(name) = entry.file_name().to_str()
                && name != "."
                && name != ".."
                && !name.starts_with(UNFINISHED)
            {
                names.push(name.to_owned());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Reads a file, if it is one that may be taken.
    pub(super) fn read(&self, name: &str) -> Found {
        let handle = match rustix::fs::openat(&self.handle, name, flags() | OFlags::NONBLOCK, Mode::empty()) {
            Ok(handle) => handle,
            Err(Errno::NOENT) => return Found::Missing,
            Err(Errno::LOOP) => return Found::Unfit("It is a link; put the file itself here.".to_owned()),
            Err(error) => return Found::Unfit(format!("It cannot be opened: {error}.")),
        };
        let stat = match rustix::fs::fstat(&handle) {
            Ok(stat) => stat,
            Err(error) => return Found::Unfit(format!("It cannot be read: {error}.")),
        };
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Found::Unfit("It is no file.".to_owned());
        }
        if stat.st_uid != rustix::process::geteuid().as_raw() {
            return Found::Unfit("It belongs to another user.".to_owned());
        }
        if stat.st_nlink > 1 {
            return Found::Unfit("It has another name elsewhere; put a file of its own here.".to_owned());
        }
        let mut bytes = Vec::new();
        match File::from(handle).take(LONGEST + 1).read_to_end(&mut bytes) {
            Ok(_) if bytes.len() as u64 > LONGEST => {
                Found::Unfit(format!("It has more than {LONGEST} bytes."))
            }
            Ok(_) => Found::Bytes(bytes),
            Err(error) => Found::Unfit(format!("It cannot be read: {error}.")),
        }
    }

    /// When a file was last written or moved, in milliseconds since 1970; none when there is none.
    pub(super) fn changed(&self, name: &str) -> Option<u64> {
        let stat = rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        let (seconds, nanos) = (u64::try_from(stat.st_ctime).ok()?, stat.st_ctime_nsec as u64);
        Some(seconds.saturating_mul(1000).saturating_add(nanos / 1_000_000))
    }

    /// Writes a file so that nobody sees a part of it.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let draft = format!("{UNFINISHED}{}-{name}", std::process::id());
        let make = flags() | OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        let open = || rustix::fs::openat(&self.handle, draft.as_str(), make, Mode::RUSR | Mode::WUSR);
        let handle = match open() {
            // A process with this id left it behind.
            Err(Errno::EXIST) => {
                self.remove(&draft)?;
                open()?
            }
            made => made?,
        };
        let written = File::from(handle).write_all(bytes);
        let renamed = written
            .and_then(|()| Ok(rustix::fs::renameat(&self.handle, draft.as_str(), &self.handle, name)?));
        if renamed.is_err() {
            let _ = self.remove(&draft);
        }
        renamed
    }

    /// Removes a file; one that is not there is gone already.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        match rustix::fs::unlinkat(&self.handle, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Moves a file into another folder, in place of one of that name.
    pub(super) fn move_to(&self, name: &str, other: &Self) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.handle, name, &other.handle, name)?)
    }

    /// The same, unless there is one of that name; false then.
    pub(super) fn move_if_free(&self, name: &str, other: &Self) -> io::Result<bool> {
        match rustix::fs::renameat_with(&self.handle, name, &other.handle, name, RenameFlags::NOREPLACE) {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a file to be locked, and makes it when that is wished.
    pub(super) fn lock_file(&self, name: &str, make: bool) -> io::Result<File> {
        let how = if make { OFlags::RDWR | OFlags::CREATE } else { OFlags::empty() };
        Ok(File::from(rustix::fs::openat(&self.handle, name, flags() | how, Mode::RUSR | Mode::WUSR)?))
    }
}

/// To read without following links.
fn flags() -> OFlags {
    OFlags::NOFOLLOW | OFlags::CLOEXEC
}

fn refused(path: &Path, error: Errno) -> String {
    let shown = path.display();
    match error {
        // A link that should have been a folder is told as one or the other.
        Errno::LOOP | Errno::NOTDIR => match path.symlink_metadata() {
            Ok(there) if there.file_type().is_symlink() => {
                format!("{shown} is a link: name the folder itself")
            }
            _ => format!("{shown} is no folder"),
        },
        Errno::NOENT => format!("there is no folder {shown}"),
        error => format!("{shown} cannot be opened: {error}"),
    }
}

/// The stem of a name with an ending.
pub(super) fn stem<'a>(name: &'a str, ending: &str) -> Option<&'a str> {
    name.strip_suffix(ending).filter(|stem| !stem.is_empty() && OsStr::new(stem) != OsStr::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn read(folder: &Folder, name: &str) -> Result<Vec<u8>, String> {
        match folder.read(name) {
            Found::Bytes(bytes) => Ok(bytes),
            Found::Missing => Err("missing".to_owned()),
            Found::Unfit(why) => Err(why),
        }
    }

    #[test]
    fn only_own_files_are_read() {
        let outside = tempfile::tempdir().unwrap();
        let folder = Folder::make(&outside.path().join("a/b")).unwrap();
        let at = |name: &str| folder.path().join(name);
        folder.write("x", b"1").unwrap();
        folder.write("x", b"22").unwrap();
        assert_eq!(read(&folder, "x"), Ok(b"22".to_vec()));
        assert_eq!(at("x").metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read(&folder, "y"), Err("missing".to_owned()));
        symlink(at("x"), at("link")).unwrap();
        assert!(read(&folder, "link").unwrap_err().contains("link"));
        std::fs::create_dir(at("dir")).unwrap();
        assert!(read(&folder, "dir").unwrap_err().contains("no file"));
        std::fs::write(outside.path().join("far"), "x").unwrap();
        std::fs::hard_link(outside.path().join("far"), at("hard")).unwrap();
        assert!(read(&folder, "hard").unwrap_err().contains("another name"));
        std::fs::File::create(at("large")).unwrap().set_len(LONGEST + 1).unwrap();
        assert!(read(&folder, "large").unwrap_err().contains("more than"));
        assert_eq!(folder.names().unwrap(), ["dir", "hard", "large", "link", "x"]);
    }

    #[test]
    fn only_own_folders_are_used() {
        let outside = tempfile::tempdir().unwrap();
        let real = outside.path().join("real");
        Folder::make(&real).unwrap();
        symlink(&real, outside.path().join("link")).unwrap();
        for path in ["link", "link/"] {
            let refused = Folder::make(&outside.path().join(path)).unwrap_err();
            assert!(refused.contains("is a link"), "{refused}");
        }
        let folder = Folder::open(&real).unwrap();
        symlink(outside.path(), real.join("sub")).unwrap();
        assert!(folder.sub("sub").unwrap_err().contains("is a link"));
        std::fs::write(real.join("file"), "").unwrap();
        assert!(Folder::open(&real.join("file")).unwrap_err().contains("no folder"));
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(Folder::open(&real).unwrap_err().contains("chmod go-w"));
        assert!(Folder::open(&outside.path().join("none")).unwrap_err().contains("no folder"));
    }
}
