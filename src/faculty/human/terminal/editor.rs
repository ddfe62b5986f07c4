//! A text in the editor of the person: a file only the user can read, the editor, and what was saved.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::dialogue::Edited;

const PERIOD: Duration = Duration::from_millis(100);
/// An editor may take so long to leave.
const GRACE: Duration = Duration::from_secs(2);
/// More than this is no text of a person.
const LONGEST: u64 = 16 << 20;

static EDITING: AtomicBool = AtomicBool::new(false);

/// Returns whether an editor has the terminal: a Ctrl-C is for it then.
pub fn is_editing() -> bool {
    EDITING.load(Ordering::Acquire)
}

/// The editor that is configured: `VISUAL`, else `EDITOR`.
pub(super) fn configured() -> Option<String> {
    ["VISUAL", "EDITOR"].into_iter().find_map(|name| {
        let value = std::env::var(name).ok()?;
        (!value.trim().is_empty()).then_some(value)
    })
}

/// Lets a text be edited. `editor` is a command of the shell, as everywhere.
pub(super) fn edit(editor: &str, text: &str, leave: &mut dyn FnMut() -> bool) -> Edited {
    let scratch = match Scratch::with(text) {
        Ok(scratch) => scratch,
        Err(error) => return Edited::Failed(format!("There is no place for a file to edit: {error}.")),
    };
    // The terminal is the editor's now.
    EDITING.store(true, Ordering::Release);
    let ended = run(editor, &scratch.file, leave);
    EDITING.store(false, Ordering::Release);
    match ended {
        Ok(None) => return Edited::Left,
        Ok(Some(true)) => {}
        Ok(Some(false)) => return Edited::Failed(format!("`{editor}` did not end well; nothing was taken.")),
        Err(error) => return Edited::Failed(format!("`{editor}` cannot be started: {error}.")),
    }
    match scratch.read() {
        // Editors end the last line, which is no change of the text.
        Ok(saved) if !text.ends_with('\n') => {
            Edited::Saved(saved.strip_suffix('\n').map(str::to_owned).unwrap_or(saved))
        }
        Ok(saved) => Edited::Saved(saved),
        Err(error) => Edited::Failed(format!("What was saved cannot be read: {error}.")),
    }
}

/// Runs the editor; whether it ended well, none when it was left before.
fn run(editor: &str, file: &Path, leave: &mut dyn FnMut() -> bool) -> io::Result<Option<bool>> {
    let mut child =
        Command::new("sh").arg("-c").arg(format!("{editor} \"$1\"")).arg("sh").arg(file).spawn()?;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status.success()));
        }
        if leave() {
            stop(&mut child)?;
            return Ok(None);
        }
        std::thread::sleep(PERIOD);
    }
}

/// Asks an editor to leave, so that it puts the terminal in order, and ends it if it does not.
fn stop(child: &mut Child) -> io::Result<()> {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::TERM);
    }
    let asked = Instant::now();
    while asked.elapsed() < GRACE {
        if child.try_wait()?.is_some() {
            return Ok(());
        }
        std::thread::sleep(PERIOD / 4);
    }
    child.kill()?;
    child.wait().map(drop)
}

/// A folder of its own with the file, removed in the end: editors leave copies beside it.
struct Scratch {
    folder: PathBuf,
    file: PathBuf,
}

impl Scratch {
    fn with(text: &str) -> io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let begun = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("normc-edit-{}-{number}-{}", std::process::id(), begun.subsec_nanos());
        let folder = std::env::temp_dir().join(name);
        // Made new, so that nobody else has laid it out.
        DirBuilder::new().mode(0o700).create(&folder)?;
        let scratch = Self { file: folder.join("answer.txt"), folder };
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&scratch.file)?;
        file.write_all(text.as_bytes())?;
        Ok(scratch)
    }

    fn read(&self) -> io::Result<String> {
        if fs::metadata(&self.file)?.len() > LONGEST {
            return Err(io::Error::other(format!("it has more than {LONGEST} bytes")));
        }
        fs::read_to_string(&self.file)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(editor: &str, text: &str) -> Edited {
        edit(editor, text, &mut || false)
    }

    #[test]
    fn what_was_saved_is_taken() {
        let saved = |text: &str| Edited::Saved(text.to_owned());
        assert_eq!(edited("true", "as it was"), saved("as it was"));
        assert_eq!(edited("f() { printf ' more\\n' >> \"$1\"; }; f", "text"), saved("text more"));
        assert_eq!(edited("f() { printf 'x\\n' > \"$1\"; }; f", "a\n"), saved("x\n"));
        assert_eq!(edited("f() { stat -c %a \"$1\" > \"$1\"; }; f", ""), saved("600"));
        assert!(matches!(edited("false", "x"), Edited::Failed(_)));
        assert!(matches!(edited("rm", "x"), Edited::Failed(_)));
        assert!(matches!(edited("no-such-editor-here", "x"), Edited::Failed(_)));
        assert!(matches!(edited("f() { printf '\\377' > \"$1\"; }; f", "x"), Edited::Failed(_)));
    }

    #[test]
    fn an_editor_can_be_left() {
        let begun = Instant::now();
        assert_eq!(edit("f() { exec sleep 60; }; f", "x", &mut || begun.elapsed() > PERIOD), Edited::Left);
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
}
