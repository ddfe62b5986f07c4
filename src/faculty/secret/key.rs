//! One secret, and the file it may come from, which only its owner reads (durability spec, section 8, S5). Knows nothing
//! of providers.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use secrecy::{ExposeSecret, SecretString};

use crate::faculty::{Failure, FailureKind};

/// A shorter one is no secret but a word for servers that want any, such as `none`: taking every occurrence of it out of
/// all texts would destroy them.
const SHORTEST: usize = 6;

/// No key is longer; a file that is, is another file.
const LONGEST: usize = 4096;

/// The permissions of a file: those of the owner, of the group, of all others.
const PERMISSIONS: u32 = 0o7777;

/// A key. It has no text form: not for people, not for debugging, not in any file. Its memory is wiped when it is
/// dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// A secret from a text, without the line break a file or a shell may have put at its end.
    ///
    /// # Errors
    /// `bad_configuration` when it is empty, longer than 4096 characters, or more than one word of
    /// visible ASCII: it could not stand in a request's header. The message has `origin` in it and nothing of the
    /// text.
    pub fn new(text: &str, origin: &dyn fmt::Display) -> Result<Self, Failure> {
        let bad = |message: String, help: &str| {
            Err(Failure::new(FailureKind::BadConfiguration, message).with_help(help))
        };
        let key = text.strip_suffix('\n').map_or(text, |rest| rest.strip_suffix('\r').unwrap_or(rest));
        if key.is_empty() {
            return bad(format!("the key in {origin} is empty"), "put the provider's key there, on one line");
        }
        if let Some(position) = key.chars().position(|c| !c.is_ascii_graphic()) {
            let what = match key.chars().nth(position) {
                Some('\n' | '\r') => "a line break",
                Some(' ' | '\t') => "a blank",
                Some(c) if c.is_control() => "a control character",
                _ => "a character outside ASCII",
            };
            return bad(
                format!("the key in {origin} has {what} after {}", characters(position)),
                "put the key there alone: one word, no quotes, no name before it",
            );
        }
        if key.len() > LONGEST {
            return bad(format!("the key in {origin} is longer than {LONGEST} characters"), "that is no key");
        }
        Ok(Self(SecretString::from(key)))
    }

    /// Returns whether it is long enough to be a secret, with 6 characters or more.
    pub(super) fn is_secret(&self) -> bool {
        self.expose().len() >= SHORTEST
    }

    /// The text itself, for the header of a request and for nothing else.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

fn characters(count: usize) -> String {
    if count == 1 { "1 character".to_owned() } else { format!("{count} characters") }
}

/// Reads a key from a file that only its owner reads (durability spec, section 8, S5).
///
/// # Errors
/// `bad_configuration` when the file is missing, is no regular file, belongs to someone else or can be read by others, and
/// as [`Secret::new`].
pub fn read_key(path: &Path) -> Result<Secret, Failure> {
    let source = format!("the file `{}`", path.display());
    let refused = |what: &str, help: String| {
        Failure::new(FailureKind::BadConfiguration, format!("{source} with a key {what}")).with_help(help)
    };
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => refused(
            "does not exist",
            "write the key into that file and `chmod 600` it, or name another file".to_owned(),
        ),
        _ => refused(&format!("cannot be read: {error}"), "make it a file that you can read".to_owned()),
    };
    let file = open(path).map_err(unreadable)?;
    // What is open is looked at, not what stands at the path: that could be exchanged in between.
    let info = file.metadata().map_err(unreadable)?;
    if !info.is_file() {
        return Err(refused(
            "is no regular file",
            "name a file that holds the key and nothing else".to_owned(),
        ));
    }
    if info.uid() != rustix::process::geteuid().as_raw() {
        let help =
            format!("copy it to a file of your own and `chmod 600` that: it belongs to user {}", info.uid());
        return Err(refused("belongs to someone else", help));
    }
    let mode = info.mode() & PERMISSIONS;
    if !matches!(mode, 0o600 | 0o400) {
        let what = if mode & 0o077 == 0 {
            format!("has the mode {mode:04o}, not 0600")
        } else {
            format!("can be used by others than its owner (mode {mode:04o})")
        };
        return Err(refused(&what, format!("`chmod 600 {}`", path.display())));
    }
    let mut text = String::new();
    match file.take(LONGEST as u64 + 3).read_to_string(&mut text) {
        Ok(_) => Secret::new(&text, &source),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(refused("is no text", "name a file that holds the key and nothing else".to_owned()))
        }
        Err(error) => Err(unreadable(error)),
    }
}

/// Opens for reading; a pipe in its place does not make it wait, a terminal does not become this process's own.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(path)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use std::path::PathBuf;

    use super::*;

    fn file(folder: &Path, content: &[u8], mode: u32) -> PathBuf {
        let path = folder.join("key");
        let _ = fs::remove_file(&path);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn refusal(path: &Path) -> (String, String) {
        let failure = read_key(path).err().expect("it is refused");
        assert_eq!(failure.kind, FailureKind::BadConfiguration);
        (failure.message, failure.help.unwrap_or_default().into())
    }

    #[test]
    fn a_file_only_its_owner_reads_gives_its_key() {
        let folder = tempfile::tempdir().unwrap();
        for (content, mode) in
            [("sk-abc123", 0o600), ("sk-abc123\n", 0o400), ("sk-abc123\r\n", 0o600), ("sk-abc123\n", 0o600)]
        {
            let key = read_key(&file(folder.path(), content.as_bytes(), mode)).ok().unwrap();
            assert_eq!(key.expose(), "sk-abc123");
        }
        let link = folder.path().join("link");
        symlink(folder.path().join("key"), &link).unwrap();
        assert!(read_key(&link).is_ok(), "what counts is the file itself");
    }

    #[test]
    fn a_file_others_can_use_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for mode in [0o644, 0o640, 0o660, 0o604, 0o700, 0o601, 0o200] {
            let (message, help) = refusal(&file(folder.path(), b"sk-abc123", mode));
            assert!(message.contains(&format!("{mode:04o}")) || mode == 0o200, "{message}");
            assert!(help.starts_with("`chmod 600 ") || mode == 0o200, "{help}");
            assert!(!message.contains("sk-abc"));
        }
    }

    #[test]
    fn what_is_no_key_is_refused_without_showing_it() {
        let folder = tempfile::tempdir().unwrap();
        let long = "k".repeat(LONGEST + 1);
        for (content, expected) in [
            (&b""[..], "is empty"),
            (b"\n", "is empty"),
            (b"sk-abc 123", "has a blank after 6 characters"),
            (b"sk-abc123\nsk-def", "has a line break after 9 characters"),
            (b"sk-abc123\n\n", "has a line break after 9 characters"),
            ("sk-äbc123".as_bytes(), "has a character outside ASCII after 3 characters"),
            (b"\xff\xfe\x00\x01abc", "is no text"),
            (long.as_bytes(), "is longer than 4096 characters"),
        ] {
            let (message, _) = refusal(&file(folder.path(), content, 0o600));
            assert!(message.contains(expected), "{message}");
            assert!(!message.contains("sk-") && !message.contains("abcde"), "{message}");
        }
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(refusal(folder.path()).0.contains("is no regular file"));
        assert!(refusal(&folder.path().join("none")).0.contains("does not exist"));
        assert!(refusal(Path::new("/dev/null")).0.contains("is no regular file"));
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        assert!(refusal(&pipe).0.contains("is no regular file"), "and nobody waits for it");
    }
}
