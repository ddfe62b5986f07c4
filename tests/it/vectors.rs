//! Conformance vectors: tables of operation, input and outcome. Reads the project's own folder `tests/vectors` and
//! every folder in the variable `NORMC_VECTORS` (separated by colons); each may hold one folder for each kind.
#![allow(clippy::disallowed_methods, reason = "fixtures are read from files named by the environment")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bad fixture fails the test")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use normc::base::Value;

mod tensor;

#[test]
fn vectors_tensor() {
    run("tensor", tensor::case);
}

/// What became of a case: JSON to compare with `expected`, or an error's contract word.
type Outcome = Result<Json, String>;

/// Runs every case of a kind and fails once, naming all that went wrong. `case` says what is wrong with one, none when
/// it passes.
fn run(kind: &str, case: fn(&Json) -> Option<String>) {
    let mut report = Report::default();
    for folder in folders() {
        let label = folder.display().to_string();
        for file in files(&folder.join(kind)) {
            let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            for vector in cases(&file) {
                let op = vector["op"].as_str().unwrap_or(&stem);
                let problem = catch_unwind(AssertUnwindSafe(|| case(&vector)));
                let problem = problem.unwrap_or_else(|_| Some("panicked".to_owned()));
                report.add(&label, op, vector["id"].as_str().unwrap_or("(no id)"), problem);
            }
        }
    }
    report.finish(kind);
}

fn folders() -> Vec<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let more = std::env::var("NORMC_VECTORS").unwrap_or_default();
    let more = more.split(':').filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let folders: Vec<PathBuf> = std::iter::once(own).chain(more).collect();
    for folder in &folders {
        assert!(folder.is_dir(), "there is no folder {}", folder.display());
    }
    folders
}

/// The vector files of a folder by name; none when there is no such folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        paths.filter(|p| p.extension().is_some_and(|e| e == "json" || e == "jsonl")).collect();
    files.sort();
    files
}

/// The cases of a file: a list, or one a line.
fn cases(file: &Path) -> Vec<Json> {
    let text = fs::read_to_string(file).unwrap();
    let read = |text: &str| -> Json {
        serde_json::from_str(text).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
    };
    if file.extension().is_some_and(|e| e == "jsonl") {
        return text.lines().filter(|line| !line.trim().is_empty()).map(read).collect();
    }
    match read(&text) {
        Json::Array(cases) => cases,
        other => vec![other],
    }
}

/// Compares the outcome of a case with its `expected` or `error_kind`; no outcome means that its operation is unknown.
fn check(vector: &Json, outcome: Option<Outcome>) -> Option<String> {
    let wanted = match (vector.get("expected"), vector.get("error_kind").and_then(Json::as_str)) {
        (Some(expected), None) => Ok(expected.clone()),
        (None, Some(kind)) => Err(kind.to_owned()),
        _ => return Some("a case has either `expected` or `error_kind`".to_owned()),
    };
    let Some(got) = outcome else {
        return Some("unknown op".to_owned());
    };
    let same = match (&wanted, &got) {
        // Numbers compare by value, records without order.
        (Ok(wanted), Ok(got)) => Value::from_data_json(wanted) == Value::from_data_json(got),
        (wanted, got) => wanted == got,
    };
    let show = |outcome: &Outcome| match outcome {
        Ok(json) => json.to_string(),
        Err(kind) => json!({ "error_kind": kind }).to_string(),
    };
    (!same).then(|| format!("\n  got    {}\n  wanted {}", show(&got), show(&wanted)))
}

#[derive(Default)]
struct Report {
    /// Passed and total, by folder and operation.
    counts: BTreeMap<String, BTreeMap<String, (usize, usize)>>,
    failures: Vec<String>,
}

impl Report {
    fn add(&mut self, folder: &str, op: &str, id: &str, problem: Option<String>) {
        let count = self.counts.entry(folder.to_owned()).or_default().entry(op.to_owned()).or_default();
        count.1 += 1;
        match problem {
            None => count.0 += 1,
            Some(problem) => self.failures.push(format!("{folder}: {id}: {problem}")),
        }
    }

    fn finish(self, kind: &str) {
        let mut total = 0;
        let mut table = String::new();
        for (folder, ops) in &self.counts {
            let sum = |pick: fn(&(usize, usize)) -> usize| ops.values().map(pick).sum::<usize>();
            table += &format!("{folder}/{kind}: {}/{}\n", sum(|c| c.0), sum(|c| c.1));
            for (op, (passed, of)) in ops {
                table += &format!("  {op}: {passed}/{of}\n");
            }
            total += sum(|c| c.1);
        }
        // Past the capture of the test harness, so that the counts are seen when all pass.
        io::stderr().write_all(table.as_bytes()).unwrap();
        assert!(total > 0, "there are no {kind} vectors");
        let failing = self.failures.len();
        assert!(failing == 0, "{failing} {kind} vectors fail\n{}", self.failures.join("\n"));
    }
}
