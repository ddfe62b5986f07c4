//! Writing files: whole or not at all, also when the machine stops in between (semantics spec, section 14.4).
//!
//! The content goes to a file without a name, is synced, and then gets the name in one step. Only where the file system
//! knows no files without a name, or where the name is taken, there is for a moment a second name, `.normc-HASH~`; it
//! is the same for the same file, so that the next writer removes what a crash has left.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::failed::{bad_path, escapes, system, too_large};
use super::names::check_chosen;
use super::root::{Access, Root, Target};
use crate::base::Digest;
use crate::faculty::Failure;

/// How often a name is tried that another process takes at the same moment.
const TRIES: usize = 16;

/// A file of that kind, as it is made: whoever may do what is left to the process's own mask.
const MODE: Mode = Mode::from_raw_mode(0o666);

impl Root {
    /// Writes a file; folders are made where they are missing. Whoever reads it meanwhile sees the old content or the
    /// new one, and so does whoever looks after a crash. Returns its path as results name it: relative to the base
    /// directory, unless it is elsewhere or absolute paths are asked for.
    ///
    /// # Errors
    /// `path_escapes_base`, `bad_path` (empty, a folder, a link), `file_too_large`, `io_error`.
    pub fn save(&self, path: &str, content: &[u8]) -> Result<Arc<str>, Failure> {
        let target = self.target(path, Access::Write)?;
        self.put(path, &target, content)?;
        Ok(target.shown)
    }

    /// Writes several files below a folder. All names and sizes are checked before the first is written: whoever chose
    /// them, they are names of files below the folder, and none occurs twice. Returns the paths.
    ///
    /// # Errors
    /// As [`Root::save`]; those of names show the name.
    pub fn save_many(&self, folder: &str, files: &[(Arc<str>, Arc<str>)]) -> Result<Vec<Arc<str>>, Failure> {
        self.target_or_base(folder, Access::Write)?;
        let mut checked: Vec<(String, Target<'_>, &[u8])> = Vec::with_capacity(files.len());
        let mut taken: BTreeSet<PathBuf> = BTreeSet::new();
        for (name, content) in files {
            check_chosen(name)?;
            let path = format!("{}/{name}", folder.trim_end_matches('/'));
            let target = self.target(&path, Access::Write)?;
            self.check_target(&path, &target)?;
            self.check_size(&path, content.as_bytes())?;
            if taken.contains(&target.relative) {
                return Err(bad_path(name, "is given twice"));
            }
            // No path stands below another one, so a folder of this one would come right before it.
            let before = taken.range(..target.relative.clone()).next_back();
            let behind = taken.range(target.relative.clone()..).next();
            if before.is_some_and(|before| target.relative.starts_with(before))
                || behind.is_some_and(|behind| behind.starts_with(&target.relative))
            {
                return Err(bad_path(name, "is a file and a folder"));
            }
            taken.insert(target.relative.clone());
            checked.push((path, target, content.as_bytes()));
        }
        let put = |(path, target, content): (String, Target<'_>, &[u8])| {
            self.put(&path, &target, content)?;
            Ok(target.shown)
        };
        checked.into_iter().map(put).collect()
    }

    /// The path of a file that would be written there, as results name it: the same for all ways to say it.
    ///
    /// # Errors
    /// `path_escapes_base`, `bad_path`.
    pub fn written_path(&self, path: &str) -> Result<Arc<str>, Failure> {
        self.target(path, Access::Write).map(|target| target.shown)
    }

    /// The paths [`Root::save_many`] would write, its names checked.
    ///
    /// # Errors
    /// As there.
    pub fn written_paths(
        &self,
        folder: &str,
        files: &[(Arc<str>, Arc<str>)],
    ) -> Result<Vec<Arc<str>>, Failure> {
        files.iter().map(|(name, _)| self.written_path_in(folder, name)).collect()
    }

    /// The path of one of the files [`Root::save_many`] would write, its name checked.
    ///
    /// # Errors
    /// As there.
    pub fn written_path_in(&self, folder: &str, name: &str) -> Result<Arc<str>, Failure> {
        check_chosen(name)?;
        self.written_path(&format!("{}/{name}", folder.trim_end_matches('/')))
    }

    /// The folder of a file that is to be written, made when it is missing, for a lock.
    pub(in crate::faculty) fn folder_of(&self, path: &str) -> Result<OwnedFd, Failure> {
        let target = self.target(path, Access::Write)?;
        let opened = target.place.folder_for(&target.relative);
        opened.map(|(folder, _)| folder).map_err(|error| self.not_written(path, &target, error))
    }

    fn check_size(&self, path: &str, content: &[u8]) -> Result<(), Failure> {
        let limit = self.limit();
        if content.len() as u64 > limit {
            return Err(too_large("what is to be written to", path, limit));
        }
        Ok(())
    }

    /// Refuses what stands there already and is no file. A folder that is not there yet is no reason.
    fn check_target(&self, path: &str, target: &Target<'_>) -> Result<(), Failure> {
        let folder = target.relative.parent().unwrap_or(Path::new(""));
        let folder = match target.place.open_folder(folder) {
            Ok(folder) => folder,
            Err(Errno::NOENT) => return Ok(()),
            Err(error) => return Err(self.not_written(path, target, error)),
        };
        let Some(name) = target.relative.file_name() else { return Err(bad_path(path, "is a directory")) };
        self.replaced(path, target, &folder, name).map(|_| ())
    }

    /// What stands at the name: none, or the rights of a file that is replaced.
    fn replaced(
        &self,
        path: &str,
        target: &Target<'_>,
        folder: &OwnedFd,
        name: &OsStr,
    ) -> Result<Option<Mode>, Failure> {
        let stat = match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(self.not_written(path, target, error)),
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Ok(Some(Mode::from_raw_mode(stat.st_mode & 0o777))),
            FileType::Directory => Err(bad_path(path, "is a directory")),
            FileType::Symlink => match target.place.open_file(&target.relative) {
                Err(Errno::XDEV) => Err(self.not_written(path, target, Errno::XDEV)),
                _ => Err(bad_path(path, "is a link")
                    .with_help("write to the file it leads to, or remove the link")),
            },
            _ => Err(bad_path(path, "is no file")),
        }
    }

    fn put(&self, path: &str, target: &Target<'_>, content: &[u8]) -> Result<(), Failure> {
        self.check_size(path, content)?;
        let (folder, name) = target
            .place
            .folder_for(&target.relative)
            .map_err(|error| self.not_written(path, target, error))?;
        let mode = self.replaced(path, target, &folder, &name)?;
        let _naming = self.naming.lock().unwrap_or_else(PoisonError::into_inner);
        put(&folder, &name, content, mode)
            // The name is to last as long as the content.
            .and_then(|()| Ok(rustix::fs::fsync(&folder)?))
            .map_err(|error| system("write", path, &error))
    }

    fn not_written(&self, path: &str, target: &Target<'_>, error: Errno) -> Failure {
        match error {
            Errno::XDEV => escapes(path, "a link in it leads out of the base directory", "--allow-write"),
            Errno::NOTDIR => bad_path(path, "has a file where a folder must be"),
            Errno::NOENT | Errno::NAMETOOLONG | Errno::LOOP | Errno::ISDIR => {
                self.not_opened(path, target, error)
            }
            error => system("write", path, &error.into()),
        }
    }
}

fn put(folder: &OwnedFd, name: &OsStr, content: &[u8], mode: Option<Mode>) -> io::Result<()> {
    let second = second_name(name);
    // What a crash has left under the second name is nobody's.
    let remove = || match rustix::fs::unlinkat(folder, &second, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error),
    };
    let fill = |file: OwnedFd| {
        if let Some(mode) = mode {
            rustix::fs::fchmod(&file, mode)?;
        }
        let mut file = File::from(file);
        file.write_all(content)?;
        file.sync_all()?;
        Ok::<_, io::Error>(file)
    };
    remove()?;
    if let Some(file) = nameless(folder)? {
        let file = fill(file)?;
        let from = format!("/proc/self/fd/{}", file.as_raw_fd());
        let link = |to: &OsStr| rustix::fs::linkat(CWD, from.as_str(), folder, to, AtFlags::SYMLINK_FOLLOW);
        for _ in 0..TRIES {
            match link(name) {
                Ok(()) => return Ok(()),
                Err(Errno::EXIST) => {}
                // Without `/proc` there is no way to name it.
                Err(_) => break,
            }
            match link(&second) {
                // Another process is just here; either of us may be the last.
                Err(Errno::EXIST) => remove()?,
                Err(_) => break,
                Ok(()) => match rustix::fs::renameat(folder, &second, folder, name) {
                    Err(Errno::NOENT) => {}
                    renamed => return Ok(renamed?),
                },
            }
        }
        remove()?;
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(folder, &second, flags, MODE)?;
    let written = fill(file).and_then(|_| Ok(rustix::fs::renameat(folder, &second, folder, name)?));
    if written.is_err() {
        let _ = remove();
    }
    written
}

/// A file without a name in a folder; none where there is no such thing.
fn nameless(folder: &OwnedFd) -> io::Result<Option<OwnedFd>> {
    #[cfg(target_os = "linux")]
    {
        let flags = OFlags::WRONLY | OFlags::TMPFILE | OFlags::CLOEXEC;
        match rustix::fs::openat(folder, ".", flags, MODE) {
            Ok(file) => return Ok(Some(file)),
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL | Errno::NOENT | Errno::NOSYS) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let _ = folder;
    Ok(None)
}

fn second_name(name: &OsStr) -> OsString {
    let hash = Digest::of(name.as_encoded_bytes()).to_string();
    OsString::from(format!(".normc-{}~", hash.get(..16).unwrap_or(&hash)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faculty::FailureKind::{self, BadPath, FileTooLarge, PathEscapesBase};
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn base() -> (tempfile::TempDir, Root) {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().join("base");
        fs::create_dir_all(base.join("data")).unwrap();
        fs::create_dir_all(folder.path().join("outside")).unwrap();
        fs::write(base.join("data/old.txt"), "old").unwrap();
        symlink("../../outside", base.join("data/out")).unwrap();
        symlink("../../outside/x", base.join("data/out.txt")).unwrap();
        symlink("old.txt", base.join("data/link.txt")).unwrap();
        let root = Root::open(&base).unwrap();
        (folder, root)
    }

    /// All names below a folder, hidden ones included.
    fn tree(folder: &Path) -> Vec<String> {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            names.push(path.file_name().unwrap().to_string_lossy().into_owned());
            if path.is_dir() && !path.is_symlink() {
                names.extend(tree(&path));
            }
        }
        names
    }

    #[test]
    fn files_are_written_where_they_are_meant() {
        let (_folder, root) = base();
        let absolute = root.path().join("data/b.txt").to_string_lossy().into_owned();
        for (path, wanted) in [
            ("o/deep/er/a.txt", "o/deep/er/a.txt"),
            ("data/old.txt", "data/old.txt"),
            ("./data//c.txt", "data/c.txt"),
            ("data/../d.txt", "d.txt"),
            (&absolute, "data/b.txt"),
        ] {
            assert_eq!(root.save(path, b"new").as_deref(), Ok(wanted), "{path}");
            assert_eq!(root.written_path(path).as_deref(), Ok(wanted));
            assert_eq!(fs::read_to_string(root.path().join(wanted)).unwrap(), "new");
        }
        assert!(!tree(root.path()).iter().any(|name| name.starts_with(".normc")));
        let absolute = Root::open(root.path()).unwrap().with_absolute_paths(true);
        let path = absolute.save("o/x", b"").unwrap();
        assert!(Path::new(path.as_ref()).is_absolute() && path.ends_with("/base/o/x"), "{path}");
    }

    #[test]
    fn nothing_is_written_anywhere_else() {
        let (folder, root) = base();
        let outside = folder.path().join("outside/a").to_string_lossy().into_owned();
        let long = "n".repeat(300);
        let cases = [
            ("", BadPath),
            (".", BadPath),
            ("data", BadPath),
            ("data/..", BadPath),
            ("a\nb", BadPath),
            ("data/old.txt/x", BadPath),
            ("data/link.txt", BadPath),
            (&long, BadPath),
            ("../outside/a", PathEscapesBase),
            ("/tmp/normc-is-not-to-write-this", PathEscapesBase),
            (&outside, PathEscapesBase),
            ("data/out/a", PathEscapesBase),
            ("data/out/new/a", PathEscapesBase),
            ("data/out.txt", PathEscapesBase),
            ("~/a", PathEscapesBase),
        ];
        for (path, kind) in cases {
            let failure = root.save(path, b"x").unwrap_err();
            assert_eq!(failure.kind, kind, "{path}: {failure}");
        }
        assert_eq!(tree(&folder.path().join("outside")), Vec::<String>::new());
        assert_eq!(fs::read_to_string(root.path().join("data/old.txt")).unwrap(), "old");
        let small = Root::open(root.path()).unwrap().with_limit(3);
        assert_eq!(small.save("data/old.txt", b"four").unwrap_err().kind, FileTooLarge);
        assert!(small.save("data/old.txt", b"333").is_ok());
    }

    #[test]
    fn what_was_allowed_is_written() {
        let (folder, plain) = base();
        let outside = folder.path().join("outside");
        let root = Root::open_with(plain.path(), &[], std::slice::from_ref(&outside)).unwrap();
        let path = outside.join("new/a.txt").to_string_lossy().into_owned();
        assert_eq!(root.save(&path, b"x").as_deref(), Ok(path.as_str()));
        assert_eq!(
            root.save("../outside/b.txt", b"y").unwrap().as_ref(),
            outside.join("b.txt").to_str().unwrap()
        );
        // Writing is not reading.
        assert_eq!(root.read(&path).unwrap_err().kind, PathEscapesBase);
        assert_eq!(root.save("../other", b"x").unwrap_err().kind, PathEscapesBase);
    }

    #[test]
    fn what_a_crash_has_left_goes_with_the_next_writer() {
        let (_folder, root) = base();
        let left = root.path().join("data").join(second_name(OsStr::new("old.txt")));
        fs::write(&left, "half of the n").unwrap();
        assert!(root.save("data/old.txt", b"new").is_ok());
        assert!(!left.exists());
        // Where there are no files without a name, the second name is used.
        let folder = rustix::fs::openat(
            CWD,
            root.path().join("data"),
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .unwrap();
        fs::write(&left, "half").unwrap();
        put(&folder, OsStr::new("old.txt"), b"newer", None).unwrap();
        assert!(!left.exists());
        assert_eq!(fs::read_to_string(root.path().join("data/old.txt")).unwrap(), "newer");
    }

    #[test]
    fn the_rights_of_a_replaced_file_stay() {
        let (_folder, root) = base();
        let file = root.path().join("data/old.txt");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        root.save("data/old.txt", b"new").unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn many_files_are_checked_before_the_first_is_written() {
        let (_folder, root) = base();
        let files = |names: &[&str]| -> Vec<(Arc<str>, Arc<str>)> {
            names.iter().map(|name| (Arc::from(*name), Arc::from("x"))).collect()
        };
        let kind = |names: &[&str]| root.save_many("o", &files(names)).unwrap_err().kind;
        assert_eq!(kind(&["a.txt", "../b.txt"]), PathEscapesBase);
        assert_eq!(kind(&["a.txt", ".hidden"]), BadPath);
        assert_eq!(kind(&["a.txt", "a.txt"]), BadPath);
        assert_eq!(kind(&["a", "a/b"]), BadPath);
        assert_eq!(kind(&["a/b", "a"]), BadPath);
        assert_eq!(kind(&["a-b", "a", "b", "a/c"]), BadPath);
        assert!(!root.path().join("o").exists());
        fs::create_dir_all(root.path().join("o/taken")).unwrap();
        assert_eq!(kind(&["a.txt", "taken"]), FailureKind::BadPath);
        assert!(!root.path().join("o/a.txt").exists());
        let paths = root.save_many("./o/", &files(&["a.txt", "p/b.txt"])).unwrap();
        assert_eq!(paths.iter().map(AsRef::as_ref).collect::<Vec<_>>(), ["o/a.txt", "o/p/b.txt"]);
        assert_eq!(root.written_paths("o", &files(&["p/b.txt"])).unwrap(), [Arc::from("o/p/b.txt")]);
        assert_eq!(root.save_many("../o", &files(&["a"])).unwrap_err().kind, PathEscapesBase);
        assert_eq!(root.save_many("o", &[]).unwrap(), Vec::<Arc<str>>::new());
    }

    #[test]
    fn a_reader_never_sees_half_a_file() {
        let (_folder, root) = base();
        let contents = [vec![b'a'; 300_000], vec![b'b'; 200_000]];
        root.save("data/old.txt", &contents[0]).unwrap();
        std::thread::scope(|scope| {
            for content in &contents {
                scope.spawn(|| (0..30).for_each(|_| drop(root.save("data/old.txt", content).unwrap())));
            }
            for _ in 0..60 {
                let read = root.read("data/old.txt").unwrap();
                assert!(contents.contains(&read), "{} bytes", read.len());
            }
        });
    }
}
