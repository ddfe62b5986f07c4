//! Files of one base directory, read only: scripts, prompts, data (semantics spec, sections 14.4 and 16; durability
//! spec, section 8, S2).
//!
//! A path is relative to the base directory and stays beneath it, also through links; an absolute path is read when
//! it names a file beneath the base directory. Knows nothing of signs and of what a file is for.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::failure::shorten;
use super::{Action, Answer, Faculty, Failure, FailureKind, Request};
use crate::base::Value;
use crate::base::nearest;

/// How large a file may be.
pub const SIZE_LIMIT: u64 = 16 << 20;

/// How many names of a folder are looked at for a hint.
const NAMES: usize = 10_000;

/// A base directory, held open.
#[derive(Debug)]
pub struct Root {
    path: PathBuf,
    directory: OwnedFd,
    limit: u64,
}

impl Root {
    /// Opens a base directory.
    ///
    /// # Errors
    /// `file_not_found`, `bad_path` when it is no directory, `io_error`.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Failure> {
        let path = path.into();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match rustix::fs::openat(CWD, &path, flags, Mode::empty()) {
            Ok(directory) => Ok(Self { path, directory, limit: SIZE_LIMIT }),
            Err(error) => Err(failed("base directory", &path.to_string_lossy(), error)),
        }
    }

    /// The same directory with another limit for the size of a file.
    #[must_use]
    pub fn with_limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    /// The directory as it was named.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The text of a file.
    ///
    /// # Errors
    /// `not_text` when it is not UTF-8, and all of [`Root::read`].
    pub fn read_text(&self, path: &str) -> Result<Arc<str>, Failure> {
        match String::from_utf8(self.read(path)?) {
            Ok(text) => Ok(Arc::from(text)),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let bytes = error.as_bytes().get(..at).unwrap_or(&[]);
                let line = bytes.iter().filter(|b| **b == b'\n').count() + 1;
                let message = format!("file `{}` is not UTF-8 text: byte {at} on line {line}", shorten(path));
                Err(Failure::new(FailureKind::NotText, message)
                    .with_help("save the file as UTF-8")
                    .at(path, u32::try_from(line).ok()))
            }
        }
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// `path_escapes_base`, `bad_path` (empty, a directory, no file), `file_not_found` with the nearest name,
    /// `file_too_large`, `io_error`.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, Failure> {
        let relative = self.beneath(path)?;
        let file = self.open_beneath(&relative).map_err(|error| match error {
            Errno::NOENT | Errno::NOTDIR => self.not_found(path, &relative),
            Errno::XDEV => escapes(path, "a link in it leads out of the base directory"),
            error => failed("file", path, error),
        })?;
        let file = File::from(file);
        let metadata = file.metadata().map_err(|error| unreadable(path, &error))?;
        if metadata.is_dir() {
            return Err(bad_path(path, "is a directory"));
        }
        if !metadata.is_file() {
            return Err(bad_path(path, "is no file"));
        }
        // A file may grow while it is read: the limit is what is read, not what was promised.
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len().min(self.limit)).unwrap_or(0));
        file.take(self.limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| unreadable(path, &error))?;
        if bytes.len() as u64 > self.limit {
            let message = format!("file `{}` is larger than {} bytes", shorten(path), self.limit);
            return Err(Failure::new(FailureKind::FileTooLarge, message).at(path, None));
        }
        Ok(bytes)
    }

    /// The path from the base directory, when the text names something beneath it.
    fn beneath(&self, path: &str) -> Result<PathBuf, Failure> {
        if path.trim().is_empty() {
            return Err(Failure::new(FailureKind::BadPath, "the path of a file is empty"));
        }
        if path.chars().any(char::is_control) {
            return Err(bad_path(path, "holds control characters"));
        }
        let bytes = path.as_bytes();
        let drive = matches!(bytes, [letter, b':', ..] if letter.is_ascii_alphabetic());
        if path.starts_with("\\\\") || drive && matches!(bytes.get(2), None | Some(b'/' | b'\\')) {
            return Err(escapes(path, "it names a drive or a host"));
        }
        if path == "~" || path.starts_with("~/") {
            return Err(escapes(path, "`~` is not the base directory"));
        }
        let mut relative = PathBuf::new();
        let given = Path::new(path);
        let given = if given.is_absolute() {
            self.strip_base(given).ok_or_else(|| escapes(path, "it is absolute"))?
        } else {
            given.to_owned()
        };
        // `a/..` is only ever the base directory's own matter when the names before it are: a link there is caught
        // when the file is opened.
        let mut depth = 0_usize;
        for component in given.components() {
            match component {
                Component::Normal(_) => depth += 1,
                Component::ParentDir => {
                    depth = depth.checked_sub(1).ok_or_else(|| escapes(path, "`..` leads out of it"))?;
                }
                Component::CurDir => continue,
                Component::RootDir | Component::Prefix(_) => return Err(escapes(path, "it is absolute")),
            }
            relative.push(component);
        }
        if relative.as_os_str().is_empty() {
            return Err(bad_path(path, "is a directory"));
        }
        Ok(relative)
    }

    fn strip_base(&self, path: &Path) -> Option<PathBuf> {
        let base = std::path::absolute(&self.path).ok()?;
        let real = || fs::canonicalize(&self.path).ok();
        path.strip_prefix(&base)
            .map(Path::to_owned)
            .ok()
            .or_else(|| path.strip_prefix(real()?).map(Path::to_owned).ok())
    }

    /// Opens without waiting, so that a pipe without a writer does not hold up the run.
    fn open_beneath(&self, relative: &Path) -> Result<OwnedFd, Errno> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
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
    fn open_checked(&self, relative: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
        let errno = |error: io::Error| Errno::from_io_error(&error).unwrap_or(Errno::IO);
        let base = fs::canonicalize(&self.path).map_err(errno)?;
        let real = fs::canonicalize(base.join(relative)).map_err(errno)?;
        let inside = real.strip_prefix(&base).map_err(|_| Errno::XDEV)?;
        rustix::fs::openat(&self.directory, inside, flags | OFlags::NOFOLLOW, Mode::empty())
    }

    fn not_found(&self, path: &str, relative: &Path) -> Failure {
        let message = format!("file `{}` does not exist", shorten(path));
        let failure = Failure::new(FailureKind::FileNotFound, message).at(path, None);
        match self.hint(relative) {
            Some(hint) => failure.with_help(hint),
            None => failure,
        }
    }

    /// The nearest name at the first part of the path that does not exist.
    fn hint(&self, relative: &Path) -> Option<String> {
        let mut folder = PathBuf::new();
        let mut components = relative.components().peekable();
        while let Some(component) = components.next() {
            let name = component.as_os_str();
            let here = folder.join(name);
            let names = self.names(if folder.as_os_str().is_empty() { Path::new(".") } else { &folder })?;
            let missing =
                component != Component::ParentDir && !names.iter().any(|n| Some(n.as_str()) == name.to_str());
            if missing {
                let shown = |p: &Path| shorten(&p.to_string_lossy());
                return match nearest(name.to_str()?, names.iter().map(String::as_str)) {
                    Some(near) => Some(format!("did you mean `{}`?", shown(&folder.join(near)))),
                    None if components.peek().is_some() => {
                        Some(format!("there is no folder `{}`", shown(&here)))
                    }
                    None => Some(format!("paths stand relative to `{}`", shown(&self.path))),
                };
            }
            folder = here;
        }
        None
    }

    fn names(&self, folder: &Path) -> Option<Vec<String>> {
        let directory = self.open_beneath(folder).ok()?;
        let entries = rustix::fs::Dir::read_from(&directory).ok()?;
        let names =
            entries.filter_map(Result::ok).filter_map(|e| e.file_name().to_str().ok().map(str::to_owned));
        Some(names.filter(|n| n != "." && n != "..").take(NAMES).collect())
    }
}

impl Faculty for Root {
    fn call(&self, request: &Request) -> Result<Answer, Failure> {
        let Action::ReadFile { path } = &request.action else {
            return Err(Failure::new(FailureKind::UnsupportedAffordance, "files are only read here"));
        };
        self.read_text(path).map(|text| Answer::pure(Value::Text(text)))
    }
}

fn escapes(path: &str, why: &str) -> Failure {
    let message = format!("path `{}` leaves the base directory: {why}", shorten(path));
    Failure::new(FailureKind::PathEscapesBase, message)
        .with_help("write a path beneath the base directory, relative to it")
        .at(path, None)
}

fn bad_path(path: &str, what: &str) -> Failure {
    Failure::new(FailureKind::BadPath, format!("path `{}` {what}", shorten(path))).at(path, None)
}

fn failed(what: &str, path: &str, error: Errno) -> Failure {
    let shown = shorten(path);
    let failure = match error {
        Errno::NOENT => Failure::new(FailureKind::FileNotFound, format!("{what} `{shown}` does not exist")),
        Errno::NOTDIR => Failure::new(FailureKind::BadPath, format!("{what} `{shown}` is no directory")),
        Errno::LOOP => {
            Failure::new(FailureKind::BadPath, format!("{what} `{shown}` is a link that leads to itself"))
        }
        Errno::NAMETOOLONG => {
            Failure::new(FailureKind::BadPath, format!("{what} `{shown}` has too long a name"))
        }
        Errno::NXIO => Failure::new(FailureKind::BadPath, format!("{what} `{shown}` is no file")),
        error => return unreadable(path, &error.into()),
    };
    failure.at(path, None)
}

fn unreadable(path: &str, error: &io::Error) -> Failure {
    let message = format!("cannot read `{}`: {error}", shorten(path));
    Failure::new(FailureKind::IoError, message).at(path, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn folder() -> (tempfile::TempDir, Root) {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().join("base");
        fs::create_dir_all(base.join("data/deep")).unwrap();
        fs::write(base.join("data/a.txt"), "hello\nworld").unwrap();
        fs::write(base.join("script.py"), "result = 1").unwrap();
        fs::write(base.join("latin.txt"), b"one\ntw\xf6").unwrap();
        fs::write(folder.path().join("secret.txt"), "secret").unwrap();
        symlink("../../secret.txt", base.join("data/out")).unwrap();
        symlink("../..", base.join("data/up")).unwrap();
        symlink("a.txt", base.join("data/in")).unwrap();
        symlink("loop", base.join("loop")).unwrap();
        let root = Root::open(&base).unwrap();
        (folder, root)
    }

    #[test]
    fn paths_beneath_the_base_are_read() {
        let (_folder, root) = folder();
        let absolute = root.path().join("data/a.txt").to_string_lossy().into_owned();
        for path in
            ["data/a.txt", "./data//a.txt", "data/../data/a.txt", "data/in", "data/deep/../a.txt", &absolute]
        {
            assert_eq!(
                root.read_text(path).as_deref().map_err(|f| f.message.clone()),
                Ok("hello\nworld"),
                "{path}"
            );
        }
    }

    #[test]
    fn everything_else_is_refused_by_its_kind() {
        use FailureKind::{BadPath, FileNotFound, NotText, PathEscapesBase};
        let (folder, root) = folder();
        let outside = folder.path().join("secret.txt").to_string_lossy().into_owned();
        let sideways = root.path().join("../secret.txt").to_string_lossy().into_owned();
        let long = "n".repeat(300);
        let cases = [
            ("", BadPath, "is empty"),
            (" ", BadPath, "is empty"),
            (".", BadPath, "is a directory"),
            ("data", BadPath, "is a directory"),
            ("a\0b", BadPath, "control characters"),
            ("loop", BadPath, "leads to itself"),
            (&long, BadPath, "too long"),
            ("../secret.txt", PathEscapesBase, "`..`"),
            ("data/../../secret.txt", PathEscapesBase, "`..`"),
            ("/etc/passwd", PathEscapesBase, "absolute"),
            (&outside, PathEscapesBase, "absolute"),
            (&sideways, PathEscapesBase, "`..`"),
            ("~/secret.txt", PathEscapesBase, "`~`"),
            ("C:\\secret.txt", PathEscapesBase, "drive"),
            ("\\\\host\\secret.txt", PathEscapesBase, "host"),
            ("data/out", PathEscapesBase, "link"),
            ("data/up/secret.txt", PathEscapesBase, "link"),
            ("data/missing.txt", FileNotFound, "does not exist"),
            ("data/a.txt/b", FileNotFound, "does not exist"),
            ("latin.txt", NotText, "byte 6 on line 2"),
        ];
        for (path, kind, words) in cases {
            let failure = root.read_text(path).unwrap_err();
            assert_eq!(failure.kind, kind, "{path}: {failure}");
            assert!(failure.message.contains(words), "{path}: {failure}");
        }
    }

    #[test]
    fn a_missing_file_offers_the_nearest_name() {
        let (_folder, root) = folder();
        let help = |path: &str| root.read_text(path).unwrap_err().help.map(String::from).unwrap_or_default();
        assert_eq!(help("scirpt.py"), "did you mean `script.py`?");
        assert_eq!(help("daat/a.txt"), "did you mean `data`?");
        assert_eq!(help("data/b.txt"), "did you mean `data/a.txt`?");
        assert_eq!(help("prompts/x.md"), "there is no folder `prompts`");
        assert!(help("frobnicate.py").starts_with("paths stand relative to"));
    }

    #[test]
    fn size_and_devices() {
        let (_folder, root) = folder();
        let root = root.with_limit(5);
        assert_eq!(root.read_text("data/a.txt").unwrap_err().kind, FailureKind::FileTooLarge);
        rustix::fs::mknodat(CWD, root.path().join("pipe"), rustix::fs::FileType::Fifo, Mode::RWXU, 0)
            .unwrap();
        assert_eq!(root.read_text("pipe").unwrap_err().kind, FailureKind::BadPath);
        let missing = Root::open(root.path().join("nothing")).unwrap_err();
        assert_eq!(missing.kind, FailureKind::FileNotFound);
        assert_eq!(Root::open(root.path().join("script.py")).unwrap_err().kind, FailureKind::BadPath);
    }

    #[test]
    fn the_check_by_hand_agrees_with_the_kernel() {
        let (_folder, root) = folder();
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        assert!(root.open_checked(Path::new("data/in"), flags).is_ok());
        assert_eq!(root.open_checked(Path::new("data/out"), flags).unwrap_err(), Errno::XDEV);
        assert_eq!(root.open_checked(Path::new("data/up/secret.txt"), flags).unwrap_err(), Errno::XDEV);
        assert_eq!(root.open_checked(Path::new("nothing"), flags).unwrap_err(), Errno::NOENT);
    }
}
