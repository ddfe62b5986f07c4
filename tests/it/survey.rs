//! What the compiler makes of every plan there is, one snapshot a plan: the tree, the inferences, the diagnostics. A
//! change of the grammar shows as a difference here, over all plans at once.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use normc::base::{SourceFile, SourceMap};
use normc::repo::{self, LowerOptions};
use normc::syntax::Dialect;

use crate::support::snapshots;
use crate::{corpus, grammar};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Everything a plan becomes, in lines that compare well.
pub(crate) fn outcome(text: &str, extension: &str) -> String {
    let mut out = String::new();
    let hint = Dialect::from_extension(extension);
    grammar::tree(&mut out, text, hint);
    let mut sources = SourceMap::default();
    let file = sources.add(SourceFile::new("plan", text));
    let compiled = repo::compile(file, text, hint, &sources, &LowerOptions::default());
    for entry in &compiled.repositories.inferences {
        let raw = entry.raw();
        let list = |field: &str| {
            let names = raw[field].as_array().map(Vec::as_slice).unwrap_or_default();
            names.iter().map(|name| name.as_str().unwrap_or("?")).collect::<Vec<_>>().join(", ")
        };
        let (function, values) = (entry.function().unwrap_or("-"), list("value_concepts"));
        write!(out, "{} {} {} <= {function}", entry.flow_index(), entry.sequence(), entry.target()).unwrap();
        for (sign, names) in [("<-", values), ("<*", list("context_concepts"))] {
            if !names.is_empty() {
                write!(out, " {sign} {names}").unwrap();
            }
        }
        writeln!(out, "\n    {}", raw["working_interpretation"]).unwrap();
    }
    for input in &compiled.repositories.required_inputs {
        writeln!(out, "input {} ({})", input.concept, input.why).unwrap();
    }
    grammar::problems(&mut out, text, &compiled.diagnostics);
    out
}

/// The plans: of the corpus, and the project's own.
fn all() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        corpus::plans(&corpus::own_folder()).into_iter().map(|plan| plan.path).collect();
    for folder in std::fs::read_dir(root().join("plans")).unwrap() {
        let folder = folder.unwrap().path();
        // Each of the bad plans has a snapshot of its own.
        if !folder.ends_with("invalid") {
            files.extend(std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()));
        }
    }
    let plan = |file: &PathBuf| file.extension().is_some_and(|e| e.to_string_lossy().starts_with("nc"));
    files.retain(plan);
    files.sort();
    files
}

#[test]
fn every_plan() {
    let mut differ = Vec::new();
    for file in all() {
        let text = std::fs::read_to_string(&file).unwrap();
        let folder = file.parent().and_then(Path::file_name).unwrap().to_string_lossy().into_owned();
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let outcome = outcome(&text, &file.extension().unwrap().to_string_lossy());
        let pinned = std::panic::catch_unwind(|| {
            snapshots(&format!("survey/{folder}")).bind(|| insta::assert_snapshot!(name.clone(), outcome));
        });
        if pinned.is_err() {
            differ.push(format!("{folder}/{name}"));
        }
    }
    assert!(differ.is_empty(), "{} plans read differently: {}", differ.len(), differ.join(", "));
}

/// The examples of the guide to the grammar: plans give the outcome beside them, pieces of code are in the files they
/// are from, commands exist.
#[test]
fn the_guide_is_true() {
    let guide = std::fs::read_to_string(root().join("grammar/README.md")).unwrap();
    let tests = std::fs::read_to_string(root().join("tests/it/main.rs")).unwrap();
    let mut plan = None;
    let mut counts = [0; 3];
    for block in guide.split("```").skip(1).step_by(2) {
        let (head, body) = block.split_once('\n').unwrap();
        match head.split_once(' ').unwrap_or((head, "")) {
            ("nc", _) => plan = Some(body),
            ("outcome", _) => {
                let outcome = outcome(plan.take().expect("a plan before its outcome"), "nc");
                assert_eq!(outcome, body, "{outcome}");
                counts[0] += 1;
            }
            ("pest" | "rust", file) => {
                let source = std::fs::read_to_string(root().join(file)).unwrap();
                let source: Vec<&str> = source.lines().map(str::trim).collect();
                for line in body.lines().map(str::trim).filter(|line| !line.is_empty()) {
                    assert!(source.contains(&line), "{file} has no line `{line}`");
                }
                counts[1] += 1;
            }
            ("sh", _) => {
                for command in body.lines().filter(|line| !line.trim().is_empty()) {
                    let words: Vec<&str> = command.split_whitespace().collect();
                    match words.as_slice() {
                        [script] => assert!(root().join(script).exists(), "no {script}"),
                        ["cargo", "test", "--test", "it", module] => {
                            assert!(tests.contains(&format!("mod {module};")), "no test module {module}");
                        }
                        _ => panic!("a command that is not looked after: {command}"),
                    }
                    counts[2] += 1;
                }
            }
            (other, _) => panic!("a block of an unknown kind: {other}"),
        }
    }
    assert!(plan.is_none(), "a plan without an outcome");
    assert!(counts.iter().all(|count| *count > 0), "outcomes, code, commands: {counts:?}");
}
