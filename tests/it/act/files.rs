//! Files that are written while the process is killed: they are whole, and nothing else is left.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use normc::faculty::files::Root;

use crate::support::until;

/// What is written in turns: two contents that no mixture of them equals.
fn content(letter: char) -> String {
    letter.to_string().repeat(300_000)
}

/// Run by the test below in a process of its own, until it is killed.
#[test]
fn child_that_writes() {
    let Some(folder) = std::env::var_os("NORMC_TEST_WRITES") else { return };
    let root = Root::open(folder).unwrap();
    loop {
        for letter in ['a', 'b'] {
            root.save("out/file.txt", content(letter).as_bytes()).unwrap();
        }
    }
}

/// The names in the folder that is written to.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder.join("out")).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn a_kill_leaves_the_old_file_or_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..8 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "act::files::child_that_writes", "--nocapture"])
            .env("NORMC_TEST_WRITES", folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        until("the first file", || names(folder.path()).contains(&"file.txt".to_owned()));
        std::thread::sleep(Duration::from_millis(7 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let text = std::fs::read_to_string(folder.path().join("out/file.txt")).unwrap();
        assert!(text == content('a') || text == content('b'), "{} bytes", text.len());
    }
    // At most the second name of the file; it goes with the next writer, and no list shows it.
    assert!(names(folder.path()).len() <= 2, "{:?}", names(folder.path()));
    let root = Root::open(folder.path()).unwrap();
    assert_eq!(root.list(".").unwrap().len(), 1);
    root.save("out/file.txt", b"new").unwrap();
    assert_eq!(names(folder.path()), ["file.txt"]);
}

/// Two steps write one file in one cycle: the second fails, also when another process goes on with the run. The plan
/// has a legacy operator beside the paradigms it names.
#[test]
fn two_writers_of_one_file_conflict_also_after_a_resume() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let plan = "\
:<:({all})
    <= &in({a};{b})
    <- {a}
        <= ::(write {2}<$({one})%_> to {1}<$({path})%_>)
            | %{paradigm}: write-file
        <- {one}<:{1}>
        <- {path}<:{2}>
    <- {b}
        <= ::(write {2}<$({two})%_> to {1}<$({path})%_>)
            | %{paradigm}: write-file
        <- {two}<:{1}>
        <- {path}<:{2}>
";
    std::fs::write(folder.join("plan.nc"), plan).unwrap();
    let run = |arguments: &str| {
        let output = crate::support::program(folder).args(arguments.split(' ')).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = run(
        "exec plan.nc -q --run-id r --jobs 1 --set path=\"%{save_path}(o.txt)\" --set one=\"x\" --set two=\"y\"",
    );
    let written = std::fs::read_to_string(folder.join("o.txt")).unwrap();
    for (code, said) in [(code, said), run("exec --resume r -q")] {
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("write_conflict") && said.contains("`o.txt`"), "{said}");
        assert_eq!(std::fs::read_to_string(folder.join("o.txt")).unwrap(), written);
    }
}
