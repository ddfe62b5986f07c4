//! The failures of files, each in one form: they name the path as it was asked for, and what to write instead.

use std::io;

use rustix::io::Errno;

use crate::faculty::failure::shorten;
use crate::faculty::{Failure, FailureKind};

/// A path that leads out of the base directory and is not allowed.
pub(super) fn escapes(path: &str, why: &str, option: &str) -> Failure {
    let message = format!("path `{}` leaves the base directory: {why}", shorten(path));
    Failure::new(FailureKind::PathEscapesBase, message)
        .with_help(format!(
            "write a path beneath the base directory, relative to it, or allow its folder with {option} DIR"
        ))
        .at(path, None)
}

/// A path that can be no file.
pub(super) fn bad_path(path: &str, what: &str) -> Failure {
    let help = match what {
        "is a file and a folder" => "give each file a name that no other is below",
        "is given twice" => "give each file a name of its own",
        "has a file where a folder must be" => "write another folder, or remove that file",
        "holds control characters" => "write a path without them",
        _ => "write the path of a file",
    };
    let message = format!("path `{}` {what}", shorten(path));
    Failure::new(FailureKind::BadPath, message).with_help(help).at(path, None)
}

/// An error of the system while something was opened.
pub(super) fn failed(what: &str, path: &str, error: Errno) -> Failure {
    let shown = shorten(path);
    let failure = match error {
        Errno::NOENT => Failure::new(FailureKind::FileNotFound, format!("{what} `{shown}` does not exist")),
        Errno::NOTDIR => Failure::new(FailureKind::BadPath, format!("{what} `{shown}` is no directory")),
        Errno::ISDIR => Failure::new(FailureKind::BadPath, format!("path `{shown}` is a directory")),
        Errno::LOOP => {
            Failure::new(FailureKind::BadPath, format!("{what} `{shown}` is a link that leads to itself"))
        }
        Errno::NAMETOOLONG => {
            Failure::new(FailureKind::BadPath, format!("{what} `{shown}` has too long a name"))
        }
        Errno::NXIO => Failure::new(FailureKind::BadPath, format!("{what} `{shown}` is no file")),
        error => return system("read", path, &error.into()),
    };
    let failure = match failure.kind {
        FailureKind::BadPath if failure.help.is_none() => failure.with_help("write the path of a file"),
        _ => failure,
    };
    failure.at(path, None)
}

/// Another error of the system: no rights, a broken disk, no space.
pub(super) fn system(verb: &str, path: &str, error: &io::Error) -> Failure {
    let message = format!("cannot {verb} `{}`: {error}", shorten(path));
    let failure = Failure::new(FailureKind::IoError, message).at(path, None);
    match Errno::from_io_error(error) {
        Some(Errno::NOSPC | Errno::DQUOT) => failure.with_help("make room on the disk, then resume the run"),
        Some(Errno::ACCESS | Errno::PERM) => {
            failure.with_help("look at the rights of the file and its folder")
        }
        _ => failure,
    }
}

/// A file beyond the limit.
pub(super) fn too_large(what: &str, path: &str, limit: u64) -> Failure {
    let message = format!("{what} `{}` is larger than {limit} bytes", shorten(path));
    Failure::new(FailureKind::FileTooLarge, message)
        .with_help("divide it into smaller files, or let a script or a command work on it as a file")
        .at(path, None)
}
