//! `normc logs`: what happened, in order, also while it happens.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use super::*;
use crate::support::until;

/// A person is asked, and a model.
const THANKS: &str = "\
:<:({thanks})
    <= ::(thank {1}<$({name})%>)
        | %{prompt}: Thank $input_1
        | %{model}: echo
    <- {name}<:{1}>
        <= ::(ask for a name)
            | %{ask}: Who are you?
";

/// The lines of a log without the column of times, which depend on how fast the machine is.
fn without_times(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", line.get(14..).unwrap_or(line).trim_end())).collect()
}

#[test]
fn what_happened_is_told_in_order() {
    let shelf = Shelf::new();
    let (total, fallback) =
        (shelf.plan("running_total/running_total.nc"), shelf.plan("fallback/fallback.nc"));
    shelf.exec(&total, "totals", &["--max-cycles", "5"]);
    shelf.says(&["exec", "--resume", "totals", "-q"], 0);
    let mut text = without_times(&shelf.says(&["logs", "totals"], 0));
    for step in ["1.1.2", "1.1.2[3]"] {
        let said = shelf.says(&["logs", "totals", "--step", step], 0);
        let _ = write!(text, "\n--- --step {step}\n{}", without_times(&said));
    }
    shelf.exec(&fallback, "branch", &[]);
    let _ = write!(
        text,
        "\n--- a branch that is not taken\n{}",
        without_times(&shelf.says(&["logs", "branch"], 0))
    );
    shelf.write("failing.nc", FAILING);
    shelf.exec("failing.nc", "bad", &[]);
    let _ = write!(text, "\n--- a failure\n{}", without_times(&shelf.says(&["logs", "bad"], 0)));
    shelf.write("thanks.ncd", THANKS);
    shelf.exec("thanks.ncd", "thanks", &[]);
    shelf.says(&["answer", "thanks", "1.2", "Ada"], 0);
    shelf.says(&["exec", "--resume", "thanks", "-q"], 0);
    let told = without_times(&shelf.says(&["logs", "thanks"], 0));
    let _ = write!(text, "\n--- a person and a model\n{told}");
    snapshot("logs", &shelf.masked(&text));
    let json = shelf.normc(&["logs", "totals", "--step", "1.1.2.2[2]", "--format", "json"]).stdout;
    let lines: Vec<Json> =
        String::from_utf8(json).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let step: Vec<&Json> = lines.iter().filter(|l| l["step"] == "1.1.2.2[2]").collect();
    assert_eq!(step.len(), 1);
    assert_eq!(step[0]["what"], "gave");
    assert_eq!(step[0]["value"]["data"][0], "%(8)");
    let told: Vec<&str> = lines.iter().filter_map(|l| l["what"].as_str()).collect();
    assert_eq!(told, ["begins", "gave", "suspended", "resumed", "ended"]);
}

#[test]
fn a_run_at_work_is_followed_to_its_end() {
    let shelf = Shelf::new();
    let plan = shelf.plan("running_total/running_total.nc");
    for (name, ends) in [("ends", true), ("dies", false)] {
        shelf.exec(&plan, name, &[]);
        let run = shelf.run(name);
        let last = cut_last_frame(&run);
        let mut held = shelf.store().open(run.file_name().unwrap().to_str().unwrap()).unwrap();
        held.lock().unwrap();
        let mut following = shelf
            .command(&["logs", name, "--follow"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("1.1[4]")), "what was there is told at once");
        assert!(following.try_wait().unwrap().is_none(), "somebody works on the run");
        if ends {
            let mut file = std::fs::OpenOptions::new().append(true).open(journal(&run)).unwrap();
            std::io::Write::write_all(&mut file, &last).unwrap();
            assert!(lines.any(|line| line.unwrap().contains("ended: completed")));
        } else {
            drop(held);
        }
        let rest: Vec<String> = lines.map(Result::unwrap).collect();
        assert_eq!(rest, Vec::<String>::new());
        until("the end of the follower", || following.try_wait().unwrap().is_some());
        let mut said = String::new();
        following.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(said.contains("nobody works on the run any more"), !ends, "{said}");
        assert_eq!(following.wait().unwrap().code(), Some(0));
    }
    // One that ended is told and done with.
    assert!(shelf.says(&["logs", "ends", "-f"], 0).contains("ended: completed"));
}

#[test]
fn what_scripts_print_is_told_and_moves_no_cursor() {
    if python_missing("a script that prints") {
        return;
    }
    let shelf = Shelf::new();
    shelf.write(
        "plan.nc",
        ":<:({answer}) | 1. imperative
    <= ::(work on {1}<$({number})%_>)
        | %{script_location}: work.py
    <- {number}<:{1}>
        | ref. 4
",
    );
    let script =
        "import sys\nprint('one\\x1b[31m\\rtwo')\nprint('three', file=sys.stderr)\nresult = 'an\\x1bswer'\n";
    shelf.write("work.py", script);
    shelf.exec("plan.nc", "prints", &[]);
    for command in [&["logs", "prints"][..], &["why", "prints", "1"], &["runs", "show", "prints"], &["runs"]]
    {
        let said = shelf.says(command, 0);
        assert!(!said.chars().any(|c| c.is_control() && c != '\n'), "{said:?}");
    }
    let said = shelf.says(&["logs", "prints"], 0);
    let printed: Vec<&str> = said.lines().filter(|line| line.contains(" | ")).map(str::trim).collect();
    assert_eq!(printed, ["stdout | one\\u{1b}[31m\\rtwo", "stderr | three"]);
    assert!(said.contains("cycle 1      1 {answer}: started"), "{said}");
    let told = shelf.json(&["why", "prints", "1"]);
    let hash = normc::base::Digest::of(script.as_bytes()).to_string();
    assert_eq!(told["calls"][0]["script_hash"], hash);
    assert_eq!(told["printed"][0]["stderr"], "three\n");
    assert_eq!(told["tries"].as_array().unwrap().len(), 1);
    // Another script is another step: what it did before is told, and why it was done again.
    shelf.write("work.py", "result = 5\n");
    shelf.says(&["exec", "--resume", "prints", "-q"], 0);
    let told = shelf.json(&["why", "prints", "1"]);
    assert_eq!(told["tries"].as_array().unwrap().len(), 2);
    assert_eq!(told["tries"][0]["counts"], false);
    assert_eq!(told["redone"][0]["reason"], "the file `work.py` changed");
    assert!(told["before"][0]["what"].as_str().unwrap().starts_with("gave an"));
    assert_ne!(told["calls"][0]["script_hash"], hash);
    assert!(shelf.says(&["logs", "prints"], 0).contains("again: 1 {answer}: the file `work.py` changed"));
    let shown = shelf.json(&["runs", "show", "prints"]);
    assert_eq!(shown["resumptions"][0]["after"], "it had ended: completed");
    assert_eq!(shown["inferences"][0]["calls"], 1, "calls of what no longer counts are not counted");
}
