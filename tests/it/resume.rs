//! Going on with a run, through the program: what is done again and why, what is in doubt, what is refused.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::cli::run;
use crate::plans::normc;
use crate::support::{program, python_missing, snapshots, until};

/// Two steps in a row, each a script.
const CHAIN: &str = "\
:<:({price}) | 1. imperative
    <= ::(add the tax to {1}<$({net})%_>)
        | %{script_location}: tax.py
    <- {net}<:{1}> | 1.2. imperative
        <= ::(multiply {1}<$({count})%_> by {2}<$({each})%_>)
            | %{script_location}: net.py
        <- {count}<:{1}>
            | ref. 3
        <- {each}<:{2}>
            | ref. 5
";

/// A step with an effect, of which the process does not survive the first try.
const PAYS: &str = "\
:<:({receipt}) | 1. imperative
    <= ::(pay {1}<$({amount})%_>)
        | %{script_location}: pay.py
    <- {amount}<:{1}>
        | ref. 12
";

const PAY: &str = "\
import os, signal
open('paid', 'a').write(os.environ['NORMC_IDEMPOTENCY_KEY'] + '\\n')
if len(open('paid').readlines()) == 1:
    os.kill(os.getppid(), signal.SIGKILL)
    signal.pause()
result = 'paid ' + str(input_1)
";

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, text)| std::fs::write(folder.path().join(name), text).unwrap());
    folder
}

fn chain() -> tempfile::TempDir {
    folder(&[
        ("chain.nc", CHAIN),
        ("net.py", "result = int(input_1) * int(input_2)\n"),
        ("tax.py", "result = int(input_1) + 2\n"),
    ])
}

fn snapshot(name: &str, text: &str) {
    snapshots("resume").bind(|| insta::assert_snapshot!(name, text));
}

/// The journal of the only run.
fn journal(folder: &Path) -> PathBuf {
    let runs: Vec<_> =
        std::fs::read_dir(folder.join(".normc/runs")).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs[0].join("journal/00000001.ncj")
}

/// Where a record begins in the journal, counted from 1.
fn offset(journal: &[u8], record: usize) -> usize {
    let len = |at| normc::store::read_frame(&journal[at..]).unwrap().bytes.len();
    (1..record).fold(0, |at, _| at + len(at))
}

/// Writes a file and says so.
fn change(text: &mut String, folder: &Path, name: &str, body: &str) {
    std::fs::write(folder.join(name), body).unwrap();
    let _ = writeln!(text, "--- {name} is now\n{}", body.trim_end());
}

#[test]
fn only_what_changed_and_what_depends_on_it_runs_again() {
    if python_missing("a plan with scripts") {
        return;
    }
    let folder = chain();
    let folder = folder.path();
    let mut text = format!("--- chain.nc\n{CHAIN}");
    run(&mut text, folder, &["exec", "chain.nc"]);
    text.push_str("# Nothing changed.\n");
    run(&mut text, folder, &["exec", "chain.nc", "--resume"]);
    text.push_str("# Without the plan: the run has kept it.\n");
    run(&mut text, folder, &["exec", "--resume", "last", "-q"]);
    change(&mut text, folder, "tax.py", "result = int(input_1) + 3\n");
    run(&mut text, folder, &["exec", "chain.nc", "--resume", "--dry-run"]);
    run(&mut text, folder, &["exec", "chain.nc", "--resume"]);
    text.push_str("# Another start value.\n");
    run(&mut text, folder, &["exec", "chain.nc", "--set", "count=4", "--resume"]);
    text.push_str("# It is kept without saying it again.\n");
    run(&mut text, folder, &["exec", "chain.nc", "--resume"]);
    text.push_str("# A comment is no change of a step; another function is.\n");
    change(&mut text, folder, "chain.nc", &format!("# Prices.\n{CHAIN}"));
    run(&mut text, folder, &["exec", "chain.nc", "--resume", "-q"]);
    std::fs::write(folder.join("chain.nc"), CHAIN.replace("add the tax to", "add a tax to")).unwrap();
    run(&mut text, folder, &["exec", "chain.nc", "--resume"]);
    run(&mut text, folder, &["exec", "chain.nc", "--resume", "--from-cycle", "0"]);
    run(&mut text, folder, &["exec", "chain.nc", "--set", "count=7", "--resume", "--mode", "overwrite"]);
    run(&mut text, folder, &["exec", "chain.nc", "--set", "count=7", "--resume", "--mode", "fill-gaps"]);
    snapshot("changes", &text);
}

#[test]
fn a_failed_step_is_tried_again() {
    if python_missing("a plan with scripts") {
        return;
    }
    let folder = chain();
    let folder = folder.path();
    let mut text = String::new();
    change(&mut text, folder, "tax.py", "import os\nresult = open('rate').read()\n");
    run(&mut text, folder, &["exec", "chain.nc", "-q"]);
    change(&mut text, folder, "rate", "7 percent");
    run(&mut text, folder, &["exec", "chain.nc", "--resume"]);
    snapshot("failed", &text);
}

#[test]
fn an_interrupted_step_runs_again_under_the_same_key() {
    if python_missing("a plan with scripts") {
        return;
    }
    let folder = folder(&[("pay.nc", PAYS), ("pay.py", PAY)]);
    let folder = folder.path();
    let mut text = format!("--- pay.nc\n{PAYS}--- pay.py\n{PAY}");
    run(&mut text, folder, &["exec", "pay.nc"]);
    run(&mut text, folder, &["exec", "pay.nc", "--resume"]);
    snapshot("interrupted", &text);
    let paid = std::fs::read_to_string(folder.join("paid")).unwrap();
    let keys: Vec<&str> = paid.lines().collect();
    assert_eq!(keys.len(), 2, "{paid}");
    assert_eq!(keys[0], keys[1], "a second try of the same work has the same key");
}

#[test]
fn a_step_that_must_not_run_twice_asks() {
    if python_missing("a plan with scripts") {
        return;
    }
    let once = PAYS.replace("pay.py\n", "pay.py\n        | %{effect}: once\n");
    let mut text = format!("--- pay.nc\n{once}");
    let answers: [&[&str]; 3] = [&["--redo", "1"], &["--accept", "1=answer.json"], &["--skip", "1"]];
    for (i, answer) in answers.iter().enumerate() {
        let folder = folder(&[("pay.nc", &once), ("pay.py", PAY), ("answer.json", "\"paid by hand\"")]);
        let folder = folder.path();
        if i == 0 {
            run(&mut text, folder, &["exec", "pay.nc"]);
            run(&mut text, folder, &["exec", "pay.nc", "--resume"]);
            run(&mut text, folder, &["exec", "pay.nc", "--resume", "--redo", "1.1"]);
            run(&mut text, folder, &["exec", "pay.nc", "--resume", "--accept", "1"]);
        } else {
            assert_eq!(normc(folder, &["exec", "pay.nc"]).status.code(), None);
        }
        let command = [&["exec", "pay.nc", "--resume"], *answer].concat();
        run(&mut text, folder, &command);
        let paid = std::fs::read_to_string(folder.join("paid")).unwrap();
        assert_eq!(paid.lines().count(), if i == 0 { 2 } else { 1 });
    }
    snapshot("once", &text);
}

#[test]
fn what_cannot_be_gone_on_with_is_explained() {
    if python_missing("a plan with scripts") {
        return;
    }
    let folder = chain();
    let folder = folder.path();
    let mut text = String::new();
    run(&mut text, folder, &["exec", "chain.nc", "--resume"]);
    run(&mut text, folder, &["exec", "--resume"]);
    run(&mut text, folder, &["exec", "chain.nc", "-q", "--run-id", "monday"]);
    run(&mut text, folder, &["exec", "chain.nc", "-q", "--run-id", "monday"]);
    run(&mut text, folder, &["exec", "--resume", "munday"]);
    let path = journal(folder);
    let whole = std::fs::read(&path).unwrap();
    let run_dir = path.parent().and_then(Path::parent).unwrap().to_path_buf();
    text.push_str("# A byte in the middle of the journal is another one; the index has a copy.\n");
    let mut damaged = whole.clone();
    damaged[offset(&whole, 4) + normc::store::HEADER] ^= 1;
    std::fs::write(&path, &damaged).unwrap();
    run(&mut text, folder, &["exec", "chain.nc", "--resume"]);
    text.push_str("# The end of the journal is missing; the index has it.\n");
    std::fs::write(&path, &whole[..whole.len() - 10]).unwrap();
    run(&mut text, folder, &["exec", "chain.nc", "--resume"]);
    text.push_str("# The same without the index.\n");
    let index = run_dir.join("index");
    std::fs::write(&path, &damaged).unwrap();
    std::fs::remove_dir_all(&index).unwrap();
    run(&mut text, folder, &["exec", "chain.nc", "--resume"]);
    std::fs::write(&path, &whole[..whole.len() - 10]).unwrap();
    run(&mut text, folder, &["exec", "chain.nc", "--resume"]);
    text.push_str("# Of another version.\n");
    let format = run_dir.join("FORMAT");
    let known = std::fs::read(&format).unwrap();
    let newer = "normc-run 2";
    std::fs::write(&format, format!("{newer} {:08x}\n", crc32c::crc32c(newer.as_bytes()))).unwrap();
    run(&mut text, folder, &["exec", "chain.nc", "--resume", "monday"]);
    std::fs::write(&format, known).unwrap();
    text.push_str("# Others may write to it.\n");
    std::fs::set_permissions(&run_dir, std::fs::Permissions::from_mode(0o777)).unwrap();
    run(&mut text, folder, &["exec", "chain.nc", "--resume"]);
    // How long the first record is depends on the folder and the process.
    let mut text = text.replace(&*folder.to_string_lossy(), "FOLDER");
    for at in [offset(&whole, 4), offset(&whole, 8)] {
        text = text.replace(&format!("at byte {at}"), "at byte OFFSET");
    }
    snapshot("refused", &text);
}

/// A plan of four slow steps; each leaves a line when it starts and one when it ends.
fn slow() -> tempfile::TempDir {
    folder(&[
        (
            "slow.nc",
            "\
:<:({squares}) | 1. quantifying
    <= *every({number})%:[{number}]@(1) | 1.1. assigning
        <= $.({square})
        <- {square} | 1.1.2. imperative
            <= ::(square {1}<$({number})%_>)
                | %{script_location}: slow.py
            <- {number}*1<:{1}>
    <- {number} | ref. %(number)=[3, 5, 7, 9]
",
        ),
        (
            "slow.py",
            "\
import os, time
open('log', 'a').write('start\\n')
while not os.path.exists('go'):
    time.sleep(0.005)
open('log', 'a').write('end\\n')
result = int(input_1) ** 2
",
        ),
    ])
}

fn lines(folder: &Path, word: &str) -> usize {
    let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
    log.lines().filter(|line| *line == word).count()
}

fn start(folder: &Path, arguments: &[&str]) -> Child {
    let mut command = program(folder);
    command.args(["exec", "slow.nc", "--jobs", "2"]).args(arguments);
    let said = std::fs::File::create(folder.join("said")).unwrap();
    command.stdout(Stdio::null()).stderr(said).spawn().unwrap()
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), signal).unwrap();
}

/// What the program that was started last has said so far.
fn said(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("said")).unwrap()
}

fn ended(folder: &Path, mut child: Child) -> (Option<i32>, String) {
    let status = child.wait().unwrap();
    (status.code(), said(folder))
}

#[test]
fn the_first_signal_lets_running_steps_end() {
    if python_missing("a plan with scripts") {
        return;
    }
    for (number, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let folder = slow();
        let folder = folder.path();
        let child = start(folder, &[]);
        until("two steps run", || lines(folder, "start") == 2);
        signal(&child, number);
        until("the signal is heard", || said(folder).contains("nothing new starts"));
        // A second process finds the run in use, and is told by whom.
        let second = normc(folder, &["exec", "slow.nc", "--resume"]);
        assert_eq!(second.status.code(), Some(73));
        let words = String::from_utf8_lossy(&second.stderr).into_owned();
        assert!(words.contains(&format!("in use by process {}", child.id())), "{words}");
        std::fs::write(folder.join("go"), "").unwrap();
        let (exit, words) = ended(folder, child);
        assert_eq!(exit, Some(code), "{words}");
        assert!(words.contains("go on with: normc exec --resume "), "{words}");
        assert_eq!((lines(folder, "start"), lines(folder, "end")), (2, 2), "nothing new started");
        let (exit, words) = ended(folder, start(folder, &["--resume"]));
        assert_eq!(exit, Some(0), "{words}");
        assert!(!words.contains("re-run"), "{words}");
        assert_eq!((lines(folder, "start"), lines(folder, "end")), (4, 4), "nothing ran twice");
    }
}

#[test]
fn the_second_signal_and_the_end_of_the_grace_end_running_steps() {
    if python_missing("a plan with scripts") {
        return;
    }
    for grace in ["600", "0"] {
        let folder = slow();
        let folder = folder.path();
        let child = start(folder, &["--grace", grace]);
        until("two steps run", || lines(folder, "start") == 2);
        signal(&child, Signal::INT);
        if grace != "0" {
            // Two signals at once may be seen as one, so the second is repeated until it was heard.
            let mut child = child;
            until("the second signal is heard", || {
                signal(&child, Signal::INT);
                std::thread::sleep(std::time::Duration::from_millis(50));
                child.try_wait().unwrap().is_some()
            });
            assert!(matches!(ended(folder, child).0, Some(130) | None));
        } else {
            let (exit, words) = ended(folder, child);
            assert_eq!(exit, Some(130), "{words}");
        }
        assert_eq!(lines(folder, "end"), 0);
        std::fs::write(folder.join("go"), "").unwrap();
        let (exit, words) = ended(folder, start(folder, &["--resume"]));
        assert_eq!(exit, Some(0), "{words}");
        assert_eq!(words.matches("re-run after interruption, try 2").count(), 2, "{words}");
        assert_eq!((lines(folder, "start"), lines(folder, "end")), (6, 4));
    }
}
