//! Stored runs, looked at with the program itself: listed, shown, told, explained, verified, exported, removed.

mod explained;
mod kept;
mod listed;
mod mask;
mod told;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use normc::store::{RealDisk, Store, read_frame};
use serde_json::Value as Json;

use crate::support::{python_missing, snapshots};

/// A folder with plans and a store of its own.
struct Shelf {
    folder: tempfile::TempDir,
}

impl Shelf {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts one of the project's plans into the folder.
    fn plan(&self, place: &str) -> String {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans").join(place);
        let name = from.file_name().unwrap().to_str().unwrap().to_owned();
        std::fs::copy(&from, self.path(&name)).unwrap();
        name
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_normc"));
        command.args(arguments).current_dir(self.folder.path()).env("NORMC_STORE", self.path("store"));
        command
    }

    fn normc(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What a command prints, which must end with an exit code.
    fn says(&self, arguments: &[&str], exit: i32) -> String {
        let output = self.normc(arguments);
        let (stdout, stderr) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(exit), "normc {}\n{stdout}{stderr}", arguments.join(" "));
        format!("{stdout}{stderr}")
    }

    fn json(&self, arguments: &[&str]) -> Json {
        let output = self.normc(&[arguments, &["--format", "json"]].concat());
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!("normc {}: {error}\n{}", arguments.join(" "), String::from_utf8_lossy(&output.stderr))
        })
    }

    /// Runs a plan under a name; however it ends.
    fn exec(&self, plan: &str, name: &str, more: &[&str]) {
        self.normc(&[&["exec", plan, "-q", "--run-id", name], more].concat());
    }

    fn store(&self) -> Store {
        Store::new(self.path("store"), Arc::new(RealDisk))
    }

    /// The directory of a run by its name.
    fn run(&self, name: &str) -> PathBuf {
        let id = self.json(&["runs", "show", name])["run_id"].as_str().unwrap().to_owned();
        self.path("store").join("runs").join(id)
    }

    /// The parts of commands that are the same whenever and wherever they run.
    fn masked(&self, text: &str) -> String {
        mask::mask(&text.replace(self.folder.path().canonicalize().unwrap().to_str().unwrap(), "FOLDER"))
    }
}

fn journal(run: &Path) -> PathBuf {
    run.join("journal").join("00000001.ncj")
}

/// Takes the last frame from a closed journal, and returns its bytes.
fn cut_last_frame(run: &Path) -> Vec<u8> {
    let bytes = std::fs::read(journal(run)).unwrap();
    let mut at = 0;
    let mut last = 0;
    while let Ok(frame) = read_frame(&bytes[at..]) {
        last = at;
        at += frame.bytes.len();
    }
    assert_eq!(at, bytes.len(), "a closed journal ends with a frame");
    let tail = bytes[last..].to_vec();
    std::fs::write(journal(run), &bytes[..last]).unwrap();
    // The file that a journal has as long as it is open.
    std::fs::write(run.join("RESERVE"), "").unwrap();
    tail
}

fn snapshot(name: &str, text: &str) {
    snapshots("runs").bind(|| insta::assert_snapshot!(name, text));
}

/// A plan that fails in its second step.
const FAILING: &str = ":<:({answer}) | 1. imperative
    <= ::(what {1}<$({double})%_> leaves when divided by {2}<$({divisor})%_>)
        | %{builtin}: remainder
    <- {double}<:{1}> | 1.2. imperative
        <= ::(multiply {1}<$({number})%_> by {2}<$({two: \"2\"})%_>)
            | %{builtin}: mul
        <- {number}<:{1}>
            | ref. 4
        <- {two: \"2\"}<:{2}>
    <- {divisor}<:{2}>
        | ref. 0
";
