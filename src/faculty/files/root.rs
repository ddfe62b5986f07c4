//! The files a plan may use: its base directory, and what else was allowed. Where a path leads, and reading.

use std::fs::File;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex};

use rustix::io::Errno;

use super::failed::{bad_path, escapes, failed, system, too_large};
use super::place::{Place, normal};
use crate::base::nearest;
use crate::faculty::failure::shorten;
use crate::faculty::{Failure, FailureKind};

/// How large a file may be.
pub const SIZE_LIMIT: u64 = 16 << 20;

/// A base directory, held open, with what else may be read and written.
#[derive(Debug)]
pub struct Root {
    base: Place,
    readable: Vec<Place>,
    writable: Vec<Place>,
    limit: u64,
    absolute: bool,
    /// Held while a written file gets its name: two writers of one file must not meet there.
    pub(super) naming: Mutex<()>,
}

/// What is done with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

impl Access {
    fn option(self) -> &'static str {
        match self {
            Self::Read => "--allow-read",
            Self::Write => "--allow-write",
        }
    }
}

/// Where a path leads.
#[derive(Debug)]
pub(super) struct Target<'r> {
    /// The directory that is held open.
    pub(super) place: &'r Place,
    /// The path from there.
    pub(super) relative: PathBuf,
    /// How results name it: relative to the base directory, absolute when it is elsewhere.
    pub(super) shown: Arc<str>,
    /// What is done with it.
    pub(super) access: Access,
}

impl Root {
    /// Opens a base directory.
    ///
    /// # Errors
    /// `file_not_found`, `bad_path` when it is no directory, `io_error`.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Failure> {
        Self::open_with(path, &[], &[])
    }

    /// Opens a base directory, and what else may be read and written: folders with everything beneath, or single
    /// files. A folder that may only be written is not read, and the other way round (durability spec, section 8, S2).
    ///
    /// # Errors
    /// As [`Root::open`], for the base directory and for each of the others.
    pub fn open_with(
        base: impl Into<PathBuf>,
        allow_read: &[PathBuf],
        allow_write: &[PathBuf],
    ) -> Result<Self, Failure> {
        let base = base.into();
        let shown = |path: &Path| path.to_string_lossy().into_owned();
        let opened = Place::open(base.clone());
        let base = opened.map_err(|error| failed("base directory", &shown(&base), error))?;
        let open_all = |paths: &[PathBuf], access: Access| {
            let open = |path: &PathBuf| {
                let what = format!("path given with {}", access.option());
                Place::open_any(path.clone()).map_err(|error| failed(&what, &shown(path), error))
            };
            paths.iter().map(open).collect::<Result<Vec<_>, Failure>>()
        };
        Ok(Self {
            base,
            readable: open_all(allow_read, Access::Read)?,
            writable: open_all(allow_write, Access::Write)?,
            limit: SIZE_LIMIT,
            absolute: false,
            naming: Mutex::new(()),
        })
    }

    /// The same directory with another limit for the size of a file.
    #[must_use]
    pub fn with_limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    /// The same directory; the paths of files that were written are told as absolute ones.
    #[must_use]
    pub fn with_absolute_paths(mut self, absolute: bool) -> Self {
        self.absolute = absolute;
        self
    }

    /// The directory as it was named.
    pub fn path(&self) -> &Path {
        &self.base.path
    }

    /// How large a file may be.
    pub(super) fn limit(&self) -> u64 {
        self.limit
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
                    .at(path, None))
            }
        }
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// `path_escapes_base`, `bad_path` (empty, a directory, no file), `file_not_found` with the nearest name,
    /// `file_too_large`, `io_error`.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, Failure> {
        let target = self.target(path, Access::Read)?;
        let file = File::from(self.open_target(path, &target)?);
        let unreadable = |error: std::io::Error| system("read", path, &error);
        let metadata = file.metadata().map_err(unreadable)?;
        if metadata.is_dir() {
            return Err(bad_path(path, "is a directory"));
        }
        if !metadata.is_file() {
            return Err(bad_path(path, "is no file"));
        }
        // A file may grow while it is read: the limit is what is read, not what was promised.
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len().min(self.limit)).unwrap_or(0));
        file.take(self.limit.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > self.limit {
            return Err(too_large("file", path, self.limit));
        }
        Ok(bytes)
    }

    /// Returns whether there is anything of that name, a folder included.
    ///
    /// # Errors
    /// `path_escapes_base`, `bad_path`, `io_error`; what is missing is no failure.
    pub fn exists(&self, path: &str) -> Result<bool, Failure> {
        let target = self.target_or_base(path, Access::Read)?;
        if target.relative.as_os_str().is_empty() {
            return Ok(true);
        }
        match target.place.open_file(&target.relative) {
            // What cannot be opened, but is there: a socket, or a file one must not read.
            Ok(_) | Err(Errno::NXIO | Errno::ACCESS) => Ok(true),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(false),
            Err(error) => Err(self.not_opened(path, &target, error)),
        }
    }

    pub(super) fn open_target(
        &self,
        path: &str,
        target: &Target<'_>,
    ) -> Result<std::os::fd::OwnedFd, Failure> {
        target.place.open_file(&target.relative).map_err(|error| self.not_opened(path, target, error))
    }

    /// The failure for something that cannot be opened.
    pub(super) fn not_opened(&self, path: &str, target: &Target<'_>, error: Errno) -> Failure {
        match error {
            Errno::NOENT | Errno::NOTDIR if target.access == Access::Read => self.not_found(path, target),
            Errno::XDEV => {
                escapes(path, "a link in it leads out of the base directory", target.access.option())
            }
            error => failed("file", path, error),
        }
    }

    /// Where a path leads; the base directory itself is no file.
    pub(super) fn target(&self, path: &str, access: Access) -> Result<Target<'_>, Failure> {
        let target = self.target_or_base(path, access)?;
        if target.relative.as_os_str().is_empty() || target.relative == Path::new(".") {
            return Err(bad_path(path, "is a directory"));
        }
        Ok(target)
    }

    /// Where a path leads.
    pub(super) fn target_or_base(&self, path: &str, access: Access) -> Result<Target<'_>, Failure> {
        if path.trim().is_empty() {
            let failure = Failure::new(FailureKind::BadPath, "the path of a file is empty");
            return Err(failure.with_help("write the path of a file"));
        }
        if path.chars().any(char::is_control) {
            return Err(bad_path(path, "holds control characters"));
        }
        let bytes = path.as_bytes();
        let drive = matches!(bytes, [letter, b':', ..] if letter.is_ascii_alphabetic());
        if path.starts_with("\\\\") || drive && matches!(bytes.get(2), None | Some(b'/' | b'\\')) {
            return Err(escapes(path, "it names a drive or a host", access.option()));
        }
        if path == "~" || path.starts_with("~/") {
            return Err(escapes(path, "`~` is not the base directory", access.option()));
        }
        let given = Path::new(path);
        if given.is_absolute() {
            let absolute = normal(given);
            if let Some(relative) = self.base.relative(&absolute) {
                return Ok(self.in_base(relative, access));
            }
            return self.allowed(&absolute, access).ok_or_else(|| {
                let sideways = self.base.relative(given).is_some();
                let why = if sideways { "`..` leads out of it" } else { "it is absolute" };
                escapes(path, why, access.option())
            });
        }
        // `a/..` is only ever the base directory's own matter when the names before it are: a link there is caught
        // when the file is opened.
        let mut relative = PathBuf::new();
        let mut depth = 0_usize;
        for component in given.components() {
            match component {
                Component::Normal(_) => depth += 1,
                Component::ParentDir if depth == 0 => {
                    let absolute = normal(&self.base.absolute(given));
                    return self
                        .allowed(&absolute, access)
                        .ok_or_else(|| escapes(path, "`..` leads out of it", access.option()));
                }
                Component::ParentDir => depth -= 1,
                Component::CurDir => continue,
                Component::RootDir | Component::Prefix(_) => {
                    return Err(escapes(path, "it is absolute", access.option()));
                }
            }
            relative.push(component);
        }
        Ok(self.in_base(relative, access))
    }

    fn in_base(&self, relative: PathBuf, access: Access) -> Target<'_> {
        let normal = normal(&relative);
        // What is read goes the way that was written, through links where there are some. What is written is where
        // its name says.
        let relative = if access == Access::Write { normal.clone() } else { relative };
        let shown = if self.absolute { self.base.absolute(&normal) } else { normal };
        Target { place: &self.base, relative, shown: Arc::from(shown.to_string_lossy()), access }
    }

    fn allowed(&self, absolute: &Path, access: Access) -> Option<Target<'_>> {
        let places = if access == Access::Read { &self.readable } else { &self.writable };
        let (place, relative) = places.iter().find_map(|place| Some((place, place.relative(absolute)?)))?;
        Some(Target { place, relative, shown: Arc::from(absolute.to_string_lossy()), access })
    }

    fn not_found(&self, path: &str, target: &Target<'_>) -> Failure {
        let message = format!("file `{}` does not exist", shorten(path));
        let failure = Failure::new(FailureKind::FileNotFound, message).at(path, None);
        match hint(target) {
            Some(hint) => failure.with_help(hint),
            None => failure.with_help(relative_to(target)),
        }
    }
}

fn relative_to(target: &Target<'_>) -> String {
    format!("paths stand relative to `{}`", shorten(&target.place.path.to_string_lossy()))
}

/// The nearest name at the first part of the path that does not exist.
fn hint(target: &Target<'_>) -> Option<String> {
    let mut folder = PathBuf::new();
    let mut components = target.relative.components().peekable();
    while let Some(component) = components.next() {
        let name = component.as_os_str();
        let here = folder.join(name);
        let names = target.place.names(&folder)?;
        let missing =
            component != Component::ParentDir && !names.iter().any(|n| Some(n.as_str()) == name.to_str());
        if missing {
            let shown = |p: &Path| shorten(&p.to_string_lossy());
            return match nearest(name.to_str()?, names.iter().map(String::as_str)) {
                Some(near) => Some(format!("did you mean `{}`?", shown(&folder.join(near)))),
                None if components.peek().is_some() => Some(format!("there is no folder `{}`", shown(&here))),
                None => Some(relative_to(target)),
            };
        }
        folder = here;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{CWD, Mode, OFlags};
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn every_failure_says_what_to_write_instead() {
        let (folder, root) = folder();
        let at = |name: &str| folder.path().join("base").join(name);
        fs::create_dir(at("d")).unwrap();
        rustix::fs::mkfifoat(CWD, at("pipe"), Mode::RWXU).unwrap();
        fs::write(at("binary"), b"\n\xff").unwrap();
        fs::write(at("large"), "12345678901").unwrap();
        let root = root.with_limit(10);
        let long = "x".repeat(300);
        for path in
            ["", "d", ".", "pipe", "loop", "binary", "large", "a\u{7}", &long, "binary/x", "../x", "gone"]
        {
            let failure = root.read_text(path).unwrap_err();
            assert!(failure.help.is_some(), "{path}: {failure:?}");
        }
        for path in ["", "d", "pipe", "binary/x", "../x", "a\u{7}"] {
            let failure = root.save(path, b"x").unwrap_err();
            assert!(failure.help.is_some(), "{path}: {failure:?}");
        }
        assert!(root.save("new", b"12345678901").unwrap_err().help.is_some());
    }

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
        assert!(root.base.open_checked(Path::new("data/in"), flags).is_ok());
        assert_eq!(root.base.open_checked(Path::new("data/out"), flags).unwrap_err(), Errno::XDEV);
        assert_eq!(root.base.open_checked(Path::new("data/up/secret.txt"), flags).unwrap_err(), Errno::XDEV);
        assert_eq!(root.base.open_checked(Path::new("nothing"), flags).unwrap_err(), Errno::NOENT);
    }

    #[test]
    fn what_was_allowed_is_read_and_nothing_beside_it() {
        let (folder, plain) = folder();
        let outside = folder.path().join("outside");
        fs::create_dir_all(outside.join("deep")).unwrap();
        fs::write(outside.join("deep/a.txt"), "allowed").unwrap();
        let file = folder.path().join("secret.txt");
        let root = Root::open_with(plain.path(), &[outside.clone(), file], &[]).unwrap();
        let text = |path: &Path| root.read_text(&path.to_string_lossy()).map(|t| t.to_string());
        assert_eq!(text(&outside.join("deep/a.txt")).as_deref(), Ok("allowed"));
        assert_eq!(text(&outside.join("deep/../deep/a.txt")).as_deref(), Ok("allowed"));
        assert_eq!(text(Path::new("../outside/deep/a.txt")).as_deref(), Ok("allowed"));
        assert_eq!(text(Path::new("../secret.txt")).as_deref(), Ok("secret"));
        assert_eq!(root.exists("../secret.txt"), Ok(true));
        for path in ["../secret.txt.bak", "../outside/../other", "/etc/passwd"] {
            let failure = text(Path::new(path)).unwrap_err();
            assert_eq!(failure.kind, FailureKind::PathEscapesBase, "{path}: {failure}");
            assert!(failure.help.unwrap().contains("--allow-read"));
        }
        assert_eq!(root.exists("../secret.txt.bak").unwrap_err().kind, FailureKind::PathEscapesBase);
        let missing = Root::open_with(plain.path(), &[folder.path().join("nothing")], &[]).unwrap_err();
        assert!(missing.message.contains("--allow-read"), "{missing}");
    }

    #[test]
    fn what_exists_is_known_without_reading_it() {
        let (_folder, root) = folder();
        for (path, wanted) in
            [("data/a.txt", true), ("data", true), (".", true), ("data/b", false), ("x/y", false)]
        {
            assert_eq!(root.exists(path), Ok(wanted), "{path}");
        }
        assert_eq!(root.exists("data/a.txt/x"), Ok(false));
        assert_eq!(root.exists("data/out").unwrap_err().kind, FailureKind::PathEscapesBase);
        assert_eq!(root.exists("").unwrap_err().kind, FailureKind::BadPath);
    }
}
