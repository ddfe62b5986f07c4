//! What several tests share.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// The project's own folder and those an environment variable names, separated by colons.
pub(crate) fn extra_folders(own: &str, variable: &str) -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(own)];
    if let Some(more) = std::env::var_os(variable) {
        folders.extend(std::env::split_paths(&more).filter(|p| !p.as_os_str().is_empty()));
    }
    folders
}

/// The program, run in a folder. Its store stands there too, unless the folder is the project's own.
pub(crate) fn program(folder: &Path) -> Command {
    static STORE: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());
    let mut command = Command::new(env!("CARGO_BIN_EXE_normc"));
    command.current_dir(folder).env_remove("NORMC_PYTHON").env_remove("NORMC_STORE");
    if folder.starts_with(env!("CARGO_MANIFEST_DIR")) {
        command.env("NORMC_STORE", STORE.path());
    }
    command
}

/// Says so when there is no Python, so that a test that needs it can stop.
pub(crate) fn python_missing(what: &str) -> bool {
    let python = std::env::var("NORMC_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let found = Command::new(python).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let missing = !found.is_ok_and(|status| status.success());
    if missing {
        println!("skipped: no python3 on this machine, so {what} cannot be run");
    }
    missing
}

/// Snapshots of a folder under `snapshots/`, named by what they show alone.
pub(crate) fn snapshots(folder: &str) -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("snapshots").join(folder));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}

/// Waits for something that is sure to come: long enough for the busiest machine, and not a moment longer than needed.
pub(crate) fn until(what: &str, mut come: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(120);
    while !come() {
        assert!(Instant::now() < end, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The output of a program that ends by itself; one that goes on for ever is ended.
pub(crate) fn ends(mut command: Command) -> Output {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > end {
            child.kill().unwrap();
            panic!("it goes on for ever: {:?}", child.wait_with_output().unwrap());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.wait_with_output().unwrap()
}
