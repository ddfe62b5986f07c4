//! The files below a folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::FileType;
use rustix::io::Errno;

use super::failed::failed;
use super::root::{Access, Root, Target};
use crate::faculty::failure::shorten;
use crate::faculty::{Failure, FailureKind};

/// How many files a list may have.
const FILES: usize = 100_000;

/// How many folders may be one in the other.
const DEPTH: usize = 64;

impl Root {
    /// The files below a folder, those of folders in it included, in the order of their names; `.` is the base
    /// directory. Paths are relative to the base directory, absolute when the folder is elsewhere. Left out is what is
    /// hidden, what is no file, and links to folders (semantics spec, section 14.4).
    ///
    /// # Errors
    /// `file_not_found`, `bad_path`, `path_escapes_base`, `file_too_large` for more than 100 000 files, `io_error`.
    pub fn list(&self, path: &str) -> Result<Vec<Arc<str>>, Failure> {
        let target = self.target_or_base(path, Access::Read)?;
        let mut files = Vec::new();
        let mut folders = vec![(target.relative.clone(), 0)];
        while let Some((folder, depth)) = folders.pop() {
            let mut entries = match target.place.entries(&folder) {
                Ok(entries) => entries,
                Err(Errno::NOTDIR) if depth == 0 => return Err(failed("folder", path, Errno::NOTDIR)),
                Err(error) if depth == 0 => return Err(self.not_opened(path, &target, error)),
                // It was there a moment ago.
                Err(_) => continue,
            };
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            for (name, kind) in entries {
                if name.as_encoded_bytes().first() == Some(&b'.') {
                    continue;
                }
                let here = folder.join(&name);
                match kind {
                    FileType::Directory if depth < DEPTH => folders.push((here, depth + 1)),
                    FileType::RegularFile => files.push(here),
                    FileType::Symlink if leads_to_a_file(&target, &here) => files.push(here),
                    _ => {}
                }
            }
            if files.len() > FILES {
                let message = format!("folder `{}` has more than {FILES} files", shorten(path));
                return Err(Failure::new(FailureKind::FileTooLarge, message).at(path, None));
            }
        }
        files.sort();
        let shown = Path::new(target.shown.as_ref());
        let name = |file: &PathBuf| {
            let below = file.strip_prefix(&target.relative).unwrap_or(file);
            Arc::from(shown.join(below).to_string_lossy())
        };
        Ok(files.iter().map(name).collect())
    }
}

fn leads_to_a_file(target: &Target<'_>, link: &Path) -> bool {
    target.place.open_file(link).is_ok_and(|file| {
        rustix::fs::fstat(&file)
            .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn files_in_order_and_nothing_hidden() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path();
        fs::create_dir_all(base.join("d/e/f")).unwrap();
        fs::create_dir_all(base.join("d/.git")).unwrap();
        for file in ["d/b.txt", "d/a.txt", "d/e/f/c.txt", "d/.git/config", "d/.hidden", "x.txt"] {
            fs::write(base.join(file), "").unwrap();
        }
        symlink("..", base.join("d/up")).unwrap();
        symlink("../x.txt", base.join("d/link.txt")).unwrap();
        symlink("/etc/passwd", base.join("d/out")).unwrap();
        let root = Root::open(base).unwrap();
        let list = |path: &str| root.list(path).map(|l| l.join(" ")).map_err(|f| f.kind);
        assert_eq!(list("d").as_deref(), Ok("d/a.txt d/b.txt d/e/f/c.txt d/link.txt"));
        assert_eq!(list("./d/e/").as_deref(), Ok("d/e/f/c.txt"));
        assert_eq!(list(".").as_deref(), Ok("d/a.txt d/b.txt d/e/f/c.txt d/link.txt x.txt"));
        assert_eq!(list("nothing"), Err(FailureKind::FileNotFound));
        assert_eq!(list(".."), Err(FailureKind::PathEscapesBase));
        assert_eq!(list("x.txt"), Err(FailureKind::BadPath));
    }
}
