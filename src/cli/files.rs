//! Writing files whole: whoever reads one sees the old text or the new one, never a part.

use std::io;
use std::path::Path;

use super::Exit;
use super::output::{complain, print};

/// Writes a result to a file, or to standard output for `-`. What goes wrong has been said.
pub(super) fn deliver(output: &Path, text: &str) -> Result<(), Exit> {
    if output == Path::new("-") {
        return print(text);
    }
    write(output, text).map_err(|error| {
        complain(&format!("cannot write {}: {error}", output.display()), None);
        Exit::InputOutput
    })
}

/// Writes a whole file, or leaves what is there: the text goes to a file beside it that then takes its name. The file
/// behind a link is replaced, not the link, and keeps its permissions. What is no file, as a device or a pipe, is
/// written to.
///
/// # Errors
/// When the file is read-only, or the disk says no.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    let known = match std::fs::metadata(path) {
        Ok(known) if !known.is_file() => return std::fs::write(path, text),
        Ok(known) => Some(known.permissions()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if known.as_ref().is_some_and(std::fs::Permissions::readonly) {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the file is read-only"));
    }
    let path = if known.is_some() { std::fs::canonicalize(path)? } else { path.to_path_buf() };
    let name = path.file_name().map(|n| n.to_string_lossy()).unwrap_or_default();
    let beside = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let done = std::fs::write(&beside, text)
        .and_then(|()| known.map_or(Ok(()), |known| std::fs::set_permissions(&beside, known)))
        .and_then(|()| std::fs::rename(&beside, &path));
    done.inspect_err(|_| {
        let _ = std::fs::remove_file(&beside);
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};

    #[test]
    fn files_are_replaced_and_devices_are_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link, pipe) = (folder.path().join("a"), folder.path().join("b"), folder.path().join("c"));
        write(&file, "one").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        write(&link, "two").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "two");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());

        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || std::fs::read_to_string(pipe).unwrap()
        });
        write(&pipe, "three").unwrap();
        assert_eq!(reader.join().unwrap(), "three");
        assert!(std::fs::metadata(&pipe).unwrap().file_type().is_fifo());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3, "nothing is left beside");
    }
}
