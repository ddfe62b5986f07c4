//! Which file a program is: by its path, or by its name in the folders of `PATH`.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::base::nearest;
use crate::faculty::failure::shorten;
use crate::faculty::{Failure, FailureKind};

/// How many names of a folder are looked at for a hint.
const NAMES: usize = 20_000;

/// The file of a program. A path with a `/` stands relative to `folder`.
pub(super) fn find(name: &str, folder: &Path, path: Option<&OsStr>) -> Result<PathBuf, Failure> {
    if name.contains('/') {
        let file = folder.join(name);
        return match why_not(&file) {
            None => Ok(file),
            Some(why) => Err(by_path(name, &file, why)),
        };
    }
    let folders: Vec<PathBuf> =
        std::env::split_paths(path.unwrap_or(OsStr::new(""))).filter(|f| f.is_absolute()).collect();
    let found = folders.iter().map(|folder| folder.join(name)).find(|file| why_not(file).is_none());
    found.ok_or_else(|| {
        let there = folders.iter().map(|folder| folder.join(name)).find(|file| file.is_file());
        if let Some(file) = there {
            return by_path(&file.to_string_lossy(), &file, "is not executable");
        }
        let message = format!("there is no program `{}` in PATH", shorten(name));
        let failure = Failure::new(FailureKind::CommandNotFound, message);
        let names: Vec<String> = folders.iter().flat_map(|folder| names(folder)).collect();
        if why_not(&folder.join(name)).is_none() {
            return failure.with_help(format!("write `./{name}` for the file of the base directory"));
        }
        // One argument is one argument: nothing is split.
        let first = name.split_whitespace().next().filter(|first| *first != name);
        if let Some(first) = first {
            let help = format!("write each argument as an item of its own: [\"{}\", ...]", shorten(first));
            return failure.with_help(help);
        }
        match nearest(name, names.iter().map(String::as_str)) {
            Some(near) => failure.with_help(format!("did you mean `{near}`?")),
            None => failure.with_help("install it, or write the path of its file"),
        }
    })
}

fn by_path(name: &str, file: &Path, why: &str) -> Failure {
    let failure = Failure::new(FailureKind::CommandNotFound, format!("program `{}` {why}", shorten(name)))
        .at(name, None);
    if file.is_file() {
        return failure.with_help(format!("make it executable: chmod +x {}", shorten(name)));
    }
    let near = || {
        let (names, own) = (names(file.parent()?), file.file_name()?.to_str()?);
        let near = nearest(own, names.iter().map(String::as_str).filter(|name| *name != own))?;
        Some(Path::new(name).with_file_name(near).to_string_lossy().into_owned())
    };
    match near() {
        Some(near) => failure.with_help(format!("did you mean `{near}`?")),
        None => failure.with_help("paths of programs stand relative to the base directory"),
    }
}

/// Why a file is no program; none when it is one.
fn why_not(file: &Path) -> Option<&'static str> {
    match std::fs::metadata(file) {
        Err(_) => Some("does not exist"),
        Ok(metadata) if !metadata.is_file() => Some("is no file"),
        Ok(metadata) if metadata.permissions().mode() & 0o111 == 0 => Some("is not executable"),
        Ok(_) => None,
    }
}

/// The names of a folder; none when it cannot be read.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).take(NAMES);
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn programs_are_found_or_it_is_said_what_to_write() {
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path().join("bin");
        fs::create_dir_all(bin.join("folder")).unwrap();
        for (name, mode) in [("sortit", 0o755), ("plain", 0o644)] {
            fs::write(bin.join(name), "#!/bin/sh\n").unwrap();
            fs::set_permissions(bin.join(name), fs::Permissions::from_mode(mode)).unwrap();
        }
        let path = bin.as_os_str();
        let find = |name: &str| find(name, folder.path(), Some(path));
        assert_eq!(find("sortit").unwrap(), bin.join("sortit"));
        assert_eq!(find("bin/sortit").unwrap(), bin.join("sortit"));
        assert_eq!(find(bin.join("sortit").to_str().unwrap()).unwrap(), bin.join("sortit"));
        let cases = [
            ("sortti", "there is no program `sortti` in PATH", "did you mean `sortit`?"),
            ("plain", "bin/plain` is not executable", "chmod +x"),
            ("frobnicate", "no program `frobnicate`", "install it"),
            ("sortit -r", "no program `sortit -r`", "[\"sortit\", ...]"),
            ("bin/plain", "`bin/plain` is not executable", "chmod +x bin/plain"),
            ("bin/folder", "is no file", "relative to the base directory"),
            ("bin/sorti", "does not exist", "did you mean `bin/sortit`?"),
            ("./nothing", "does not exist", "relative to the base directory"),
        ];
        for (name, words, help) in cases {
            let failure = find(name).unwrap_err();
            assert_eq!(failure.kind, FailureKind::CommandNotFound);
            assert!(failure.message.contains(words), "{failure}");
            assert!(failure.help.as_deref().unwrap_or("").contains(help), "{failure:?}");
        }
    }
}
