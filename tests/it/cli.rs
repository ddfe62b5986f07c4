//! The program as a user meets it: what it prints and how it exits, for good and bad input. Snapshots show the files
//! beside the outcome; times and run ids are masked.

use std::fmt::Write;
use std::path::Path;
use std::process::Stdio;

use crate::plans::normc;
use crate::support::{program, python_missing, snapshots};

/// A folder with these files; bytes, so that a file need not be text.
fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    folder
}

/// The files, the command, and all it printed.
fn transcript(files: &[(&str, &[u8])], commands: &[&[&str]]) -> String {
    let folder = folder(files);
    let mut text = String::new();
    for (name, bytes) in files {
        let shown = String::from_utf8_lossy(bytes);
        let _ = writeln!(text, "--- {name}\n{}", shown.trim_end_matches('\n'));
    }
    for command in commands {
        run(&mut text, folder.path(), command);
    }
    text
}

/// Runs a command and adds it with all it printed.
pub(crate) fn run(text: &mut String, folder: &Path, command: &[&str]) {
    let output = normc(folder, command);
    let quoted: Vec<String> = command
        .iter()
        .map(|word| if word.contains([' ', '{', '*']) { format!("'{word}'") } else { (*word).to_owned() })
        .collect();
    let _ = writeln!(text, "$ normc {}", quoted.join(" "));
    for (stream, bytes) in [("", &output.stdout), ("stderr: ", &output.stderr)] {
        for line in String::from_utf8_lossy(bytes).lines() {
            let _ = writeln!(text, "{stream}{}", mask(line));
        }
    }
    let _ = writeln!(text, "exit {}", output.status.code().map_or("by signal".to_owned(), |c| c.to_string()));
}

/// The run ids a line names: 26 characters of Crockford's base 32.
fn run_ids(line: &str) -> Vec<String> {
    let words = line.split(|c: char| !c.is_ascii_alphanumeric());
    let is_id = |w: &&str| {
        w.len() == 26 && w.starts_with('0') && w.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
    };
    words.filter(is_id).map(str::to_owned).collect()
}

/// Times and run ids differ from run to run.
pub(crate) fn mask(line: &str) -> String {
    let mut line = line.to_owned();
    let ends = ["completed", "failed", "stuck: nothing can move", "stopped", "stopped at the cycle limit"];
    if let Some((head, tail)) = line.split_once(" in ")
        && let Some((_, rest)) = tail.split_once(": ")
        && ends.contains(&head)
    {
        line = format!("{head} in TIME: {rest}");
    }
    for word in run_ids(&line) {
        line = line.replace(&word, "RUN");
    }
    line
}

fn snapshot(name: &str, text: &str) {
    snapshots("cli").bind(|| insta::assert_snapshot!(name, text));
}

const DOUBLE: &[u8] = b":<:({double}) | 1. imperative
    <= ::(multiply {1}<$({number})%_> by {2}<$({two})%_>)
        | %{builtin}: mul
    <- {number}<:{1}>
    <- {two: \"2\"}<:{2}>
";

const SCRIPTED: &[u8] = b":<:({answer}) | 1. imperative
    <= ::(work on {1}<$({number})%_>)
        | %{script_location}: scripts/work.py
    <- {number}<:{1}>
        | ref. 4
";

#[test]
fn a_plan_runs_with_values_from_the_command_line_and_from_a_file() {
    let files: &[(&str, &[u8])] = &[
        ("double.nc", DOUBLE),
        ("five.json", br#"{"{number}": 5}"#),
        ("list.json", br#"{"number": {"data": [1, 2, 3], "axes": ["n"]}}"#),
    ];
    snapshot(
        "values",
        &transcript(
            files,
            &[
                &["exec", "double.nc", "--set", "{number}=4"],
                &["exec", "double.nc", "--inputs", "five.json"],
                &["exec", "double.nc", "--inputs", "list.json"],
                &["exec", "double.nc", "--inputs", "five.json", "--set", "number=6", "--quiet"],
                &["exec", "double.nc", "--set", "{number}=4", "--json", "--quiet"],
                &["exec", "double.nc", "--set", "{number}=4", "--verbose"],
                &["exec", "double.nc", "--set", "{number}=4", "--max-cycles", "0"],
            ],
        ),
    );
}

#[test]
fn inputs_that_do_not_fit_are_explained() {
    let files: &[(&str, &[u8])] = &[
        ("double.nc", DOUBLE),
        ("axes.json", br#"{"{number}": {"data": [1, 2], "axes": ["a", "b"]}}"#),
        ("unknown.json", br#"{"{numbr}": 1}"#),
        ("broken.json", br#"{"{number}": 1"#),
        ("list.json", br#"[1]"#),
    ];
    snapshot(
        "bad_inputs",
        &transcript(
            files,
            &[
                &["exec", "double.nc"],
                &["exec", "double.nc", "--inputs", "axes.json"],
                &["exec", "double.nc", "--inputs", "unknown.json"],
                &["exec", "double.nc", "--inputs", "broken.json"],
                &["exec", "double.nc", "--inputs", "list.json"],
                &["exec", "double.nc", "--inputs", "missing.json"],
                &["exec", "double.nc", "--set", "{number}"],
                &["exec", "double.nc", "--set", "{number}=four"],
                &["exec", "double.nc", "--set", "{number}=\"four\""],
            ],
        ),
    );
}

#[test]
fn source_that_cannot_be_read_is_explained() {
    let files: &[(&str, &[u8])] = &[
        ("latin.nc", b"{caf\xe9}\n    <= $.({x})\n    <- {x}\n"),
        ("empty.nc", b""),
        ("mixed.nc", b":<:({x}) | 1. assigning\n\t<= $.({a})\n     <- {a}\n    \t<- {b}\n"),
        ("words.nc", b":<:({x})\n    <= $.({a})\n    <- {a} and then some\n    <- {a}\n"),
        ("operator.nc", b":<:({x})\n    <= @before({a})\n    <- {a}\n"),
        ("prose.nc", b"This is no plan at all.\nIt only says so.\n"),
    ];
    snapshot(
        "bad_source",
        &transcript(
            files,
            &[
                &["check", "latin.nc"],
                &["check", "empty.nc"],
                &["exec", "empty.nc"],
                &["check", "mixed.nc"],
                &["check", "words.nc"],
                &["exec", "words.nc"],
                &["check", "operator.nc"],
                &["compile", "operator.nc", "-o", "plan.json"],
                &["check", "prose.nc"],
                &["check", "no_such.nc"],
                &["check", "words.nc", "operator.nc", "--format", "short"],
            ],
        ),
    );
}

#[test]
fn scripts_that_fail_are_shown_with_step_and_line() {
    if python_missing("scripts that fail") {
        return;
    }
    let raising =
        b"def helper(x):\n    raise ValueError('no ' + x)\n\n\nprint('at work')\nresult = helper(input_1)\n";
    for (name, script) in [
        ("raises", Some(&raising[..])),
        ("missing", None),
        ("no_result", Some(&b"answer = input_1\n"[..])),
        ("syntax", Some(&b"result = = 1\n"[..])),
        ("exits", Some(&b"import sys\nsys.exit(3)\n"[..])),
    ] {
        let mut files = vec![("plan.nc", SCRIPTED)];
        files.extend(script.map(|s| ("scripts/work.py", s)));
        snapshot(&format!("script_{name}"), &transcript(&files, &[&["exec", "plan.nc"]]));
    }
}

#[test]
fn a_deadlock_names_who_waits_for_what() {
    let circle = b":<:({total})
    <= ::(add {1}<$({left})%_> and {2}<$({right})%_>)
        | %{builtin}: add
    <- {left}<:{1}>
        <= ::(add one to {1}<$({right})%_>)
            | %{builtin}: add
        <- {right}<:{1}>
    <- {right}<:{2}>
        <= ::(add two to {1}<$({left})%_>)
            | %{builtin}: add
        <- {left}<:{1}>
";
    snapshot(
        "deadlock",
        &transcript(
            &[("circle.nc", circle)],
            &[&["exec", "circle.nc"], &["exec", "circle.nc", "--json", "-q"]],
        ),
    );
}

#[test]
fn a_bundle_is_written_read_and_guarded() {
    let folder = folder(&[("double.nc", DOUBLE)]);
    let mut text = String::new();
    run(&mut text, folder.path(), &["compile", "double.nc", "-o", "plan.json"]);
    run(&mut text, folder.path(), &["exec", "plan.json", "--set", "{number}=4"]);
    run(&mut text, folder.path(), &["compile", "plan.json", "--split", "repos"]);
    let repositories =
        ["import", "repos/double.concept.json", "repos/double.inference.json", "-o", "again.json"];
    run(&mut text, folder.path(), &repositories);
    run(
        &mut text,
        folder.path(),
        &[
            "exec",
            "--concepts",
            "repos/double.concept.json",
            "--inferences",
            "repos/double.inference.json",
            "--set",
            "{number}=4",
        ],
    );
    let bundle = std::fs::read_to_string(folder.path().join("plan.json")).unwrap();
    std::fs::write(
        folder.path().join("newer.json"),
        bundle.replace("\"normc_bundle\": 1", "\"normc_bundle\": 2"),
    )
    .unwrap();
    std::fs::write(folder.path().join("tampered.json"), bundle.replace("multiply", "add up")).unwrap();
    std::fs::write(folder.path().join("cut.json"), &bundle[..bundle.len() / 2]).unwrap();
    std::fs::write(folder.path().join("other.json"), "{\"a\": 1}").unwrap();
    for name in ["newer.json", "tampered.json", "cut.json", "other.json"] {
        run(&mut text, folder.path(), &["exec", name, "--set", "{number}=4"]);
    }
    snapshot("bundle", &text);
}

#[test]
fn compiling_twice_gives_the_same_bytes_and_so_does_another_folder() {
    let folder = folder(&[("double.nc", DOUBLE)]);
    let compile = |output: &str| {
        assert!(normc(folder.path(), &["compile", "double.nc", "-o", output]).status.success());
        std::fs::read(folder.path().join(output)).unwrap()
    };
    assert_eq!(compile("a.json"), compile("b.json"));
}

#[test]
fn help_and_codes_teach() {
    snapshot(
        "help",
        &transcript(
            &[],
            &[
                &["--help"],
                &["exec", "--help"],
                &["explain", "NC201"],
                &["explain", "NC999"],
                &["exec"],
                &["run", "plan.nc"],
            ],
        ),
    );
    let listed = normc(Path::new("."), &["explain"]);
    assert!(String::from_utf8_lossy(&listed.stdout).lines().count() > 80);
    let script = normc(Path::new("."), &["completions", "bash"]);
    assert!(String::from_utf8_lossy(&script.stdout).contains("_normc"));
}

#[test]
fn many_failures_of_one_step_are_one_diagnostic() {
    let plan = b":<:({results})
    <= *every({number})%:[{number}]@(1)
        <= $.({share})
        <- {share}
            <= ::(divide {1} by {2})
                | %{builtin}: quotient
            <- {ten: \"10\"}<:{1}>
            <- {number}*1<:{2}>
    <- {number}
";
    let numbers = r#"number={"data": [0, 5, 0, 0], "axes": ["number"]}"#;
    snapshot(
        "many_failures",
        &transcript(&[("shares.nc", plan)], &[&["exec", "shares.nc", "--set", numbers]]),
    );
}

/// What is said on standard error is for people. When they are gone, a command does what it does all the same.
#[test]
fn nobody_reads_standard_error() {
    let plan = "{a} | 1. imperative\n    <= ::(add {1})\n        | %{builtin}: add\n    <- {b}<:{1}>\n";
    let stuck = include_str!("../../plans/deadlock/gate.nc");
    let folder = folder(&[("plan.nc", plan.as_bytes()), ("stuck.nc", stuck.as_bytes()), ("empty.nc", b"")]);
    let commands: &[&[&str]] = &[
        &["check", "empty.nc"],
        &["check", "missing.nc"],
        &["compile", "plan.nc", "-o", "plan.json"],
        &["exec", "plan.nc", "--set", "b=1", "--verbose"],
        &["exec", "plan.nc", "--set", "b=1", "--max-cycles", "0"],
        &["exec", "--resume", "r"],
        &["exec", "plan.nc"],
        &["exec", "stuck.nc"],
        &["fmt", "--check", "plan.nc", "empty.nc"],
        &["runs", "verify", "r"],
        &["answer", "r"],
        &["answer", "nobody", "1", "x"],
        &["why", "r", "9"],
        &["nonsense"],
    ];
    assert!(normc(folder.path(), &["exec", "plan.nc", "--set", "b=1", "--run-id", "r"]).status.success());
    for arguments in commands {
        let mut command = program(folder.path());
        let command = command.args(*arguments).stdin(Stdio::null()).stdout(Stdio::null());
        let read = command.stderr(Stdio::piped()).output().unwrap();
        assert!(!read.stderr.is_empty() || arguments[0] != "check", "{arguments:?}");
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let unread = command.stderr(writer).status().unwrap();
        assert_eq!(unread.code(), read.status.code(), "{arguments:?}");
    }
}
