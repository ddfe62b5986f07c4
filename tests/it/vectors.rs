//! Conformance vectors: tables of operation, input and outcome. Reads the project's own folder `tests/vectors` and
//! every folder in the variable `NORMC_VECTORS` (separated by colons); each may hold one folder for each kind.
#![expect(clippy::disallowed_methods, reason = "fixtures are read from files named by the environment")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use normc::base::Value;

mod tensor;

/// The kinds of vectors there are: the folder's name, and what runs one case.
#[test]
fn vectors_tensor() {
    run("tensor", tensor::run);
}

/// What became of a case: JSON to compare with `expected`, or an error's contract word.
type Outcome = Result<Json, String>;

/// Runs every case of a kind and fails once, naming all that went wrong.
fn run(kind: &str, case: fn(&str, &Json) -> Option<Outcome>) {
    let mut report = Report::default();
    for folder in folders() {
        let label = folder.display().to_string();
        for file in files(&folder.join(kind), "json") {
            let text = fs::read_to_string(&file).unwrap();
            let cases: Vec<Json> =
                serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            for vector in &cases {
                let op = vector["op"].as_str().unwrap_or("(no op)");
                let problem = check(vector, || case(op, &vector["input"]));
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

/// The files of a folder with this extension, by name; none when there is no such folder.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = paths.filter(|p| p.extension().is_some_and(|e| e == extension)).collect();
    files.sort();
    files
}

/// What is wrong with a case, none when it passes.
fn check(vector: &Json, outcome: impl FnOnce() -> Option<Outcome>) -> Option<String> {
    let wanted = match (vector.get("expected"), vector.get("error_kind").and_then(Json::as_str)) {
        (Some(expected), None) => Ok(expected.clone()),
        (None, Some(kind)) => Err(kind.to_owned()),
        _ => return Some("a case has either `expected` or `error_kind`".to_owned()),
    };
    let got = match catch_unwind(AssertUnwindSafe(outcome)) {
        Ok(Some(got)) => got,
        Ok(None) => return Some("unknown op".to_owned()),
        Err(_) => return Some("panicked".to_owned()),
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
