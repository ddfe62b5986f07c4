//! One directory that is held open, and what is opened beneath it: nothing leaves it, also through links (durability
//! spec, section 8, S2).

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// How many names of a folder are looked at for a hint.
const NAMES: usize = 10_000;

/// A directory with everything beneath it; or a single file, where only that was allowed.
#[derive(Debug)]
pub(super) struct Place {
    /// As it was named.
    pub(super) path: PathBuf,
    /// Absolute, as named and with links followed: what absolute paths are compared with.
    roots: Vec<PathBuf>,
    directory: OwnedFd,
    /// The one name in it that may be used.
    only: Option<OsString>,
}

impl Place {
    /// Opens a directory.
    pub(super) fn open(path: PathBuf) -> Result<Self, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::openat(CWD, &path, flags, Mode::empty())?;
        let mut roots: Vec<PathBuf> =
            std::path::absolute(&path).ok().map(|p| normal(&p)).into_iter().collect();
        roots.extend(fs::canonicalize(&path).ok().filter(|real| !roots.contains(real)));
        Ok(Self { path, roots, directory, only: None })
    }

    /// Opens a directory, or the one of a file for that file alone.
    pub(super) fn open_any(path: PathBuf) -> Result<Self, Errno> {
        match (Self::open(path.clone()), path.parent(), path.file_name()) {
            (Err(Errno::NOTDIR), Some(parent), Some(name)) => {
                let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
                Ok(Self { only: Some(name.to_owned()), ..Self::open(parent.to_owned())? })
            }
            (opened, _, _) => opened,
        }
    }

    /// The path from here to an absolute, normal path, if it is beneath.
    pub(super) fn relative(&self, absolute: &Path) -> Option<PathBuf> {
        let relative = self.roots.iter().find_map(|root| absolute.strip_prefix(root).ok())?;
        match &self.only {
            Some(only) if relative != Path::new(only) => None,
            _ => Some(relative.to_owned()),
        }
    }

    /// The absolute path of something beneath.
    pub(super) fn absolute(&self, relative: &Path) -> PathBuf {
        self.roots.first().unwrap_or(&self.path).join(relative)
    }

    /// Opens without waiting, so that a pipe without a writer does not hold up the run.
    pub(super) fn open_file(&self, relative: &Path) -> Result<OwnedFd, Errno> {
        self.open_beneath(relative, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)
    }

    /// Opens a folder beneath; an empty path is the directory itself.
    pub(super) fn open_folder(&self, relative: &Path) -> Result<OwnedFd, Errno> {
        let relative = if relative.as_os_str().is_empty() { Path::new(".") } else { relative };
        self.open_beneath(relative, OFlags::RDONLY | OFlags::DIRECTORY)
    }

    fn open_beneath(&self, relative: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
        let flags = flags | OFlags::CLOEXEC;
        #[cfg(target_os = "linux")]
        for _ in 0..8 {
            let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
            match rustix::fs::openat2(&self.directory, relative, flags, Mode::empty(), resolve) {
                // The tree was changed meanwhile.
                Err(Errno::AGAIN | Errno::INTR) => {}
                // Kernels before 5.6, and sandboxes that know no such call.
                Err(Errno::NOSYS | Errno::PERM) => break,
                done => return done,
            }
        }
        self.open_checked(relative, flags)
    }

    /// Where the kernel cannot keep a path beneath a directory: what it leads to is looked at first.
    pub(super) fn open_checked(&self, relative: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
        let errno = |error: io::Error| Errno::from_io_error(&error).unwrap_or(Errno::IO);
        let base = fs::canonicalize(&self.path).map_err(errno)?;
        let real = fs::canonicalize(base.join(relative)).map_err(errno)?;
        let inside = real.strip_prefix(&base).map_err(|_| Errno::XDEV)?;
        let inside = if inside.as_os_str().is_empty() { Path::new(".") } else { inside };
        rustix::fs::openat(&self.directory, inside, flags | OFlags::NOFOLLOW, Mode::empty())
    }

    /// The folder of a path, made with those above it where they are missing, and the name in it.
    pub(super) fn folder_for(&self, relative: &Path) -> Result<(OwnedFd, OsString), Errno> {
        let name = relative.file_name().ok_or(Errno::ISDIR)?.to_owned();
        let folder = relative.parent().unwrap_or(Path::new(""));
        match self.open_folder(folder) {
            Err(Errno::NOENT) => {}
            opened => return Ok((opened?, name)),
        }
        let mut above = self.open_folder(Path::new(""))?;
        let mut here = PathBuf::new();
        for component in folder.components() {
            let Component::Normal(part) = component else { continue };
            here.push(part);
            match rustix::fs::mkdirat(&above, part, Mode::from_raw_mode(0o777)) {
                // Whoever made it, what is opened now is beneath.
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error),
            }
            above = self.open_folder(&here)?;
        }
        Ok((above, name))
    }

    /// The names of a folder with what kind of thing each is, unsorted; links as what they lead to.
    pub(super) fn entries(&self, folder: &Path) -> Result<Vec<(OsString, FileType)>, Errno> {
        use std::os::unix::ffi::OsStrExt as _;
        let directory = self.open_folder(folder)?;
        let mut entries = Vec::new();
        for entry in rustix::fs::Dir::read_from(&directory)? {
            let entry = entry?;
            let name = std::ffi::OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            let kind = match entry.file_type() {
                FileType::Unknown => {
                    let stat = rustix::fs::statat(&directory, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW)?;
                    FileType::from_raw_mode(stat.st_mode)
                }
                kind => kind,
            };
            entries.push((name.to_owned(), kind));
        }
        Ok(entries)
    }

    /// Names of a folder for a hint; none when it cannot be read.
    pub(super) fn names(&self, folder: &Path) -> Option<Vec<String>> {
        let names = self.entries(folder).ok()?.into_iter().filter_map(|(name, _)| name.into_string().ok());
        Some(names.take(NAMES).collect())
    }
}

/// An absolute path without `.` and `..`, by its text alone.
pub(super) fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => drop(out.pop()),
            other => out.push(other),
        }
    }
    out
}
