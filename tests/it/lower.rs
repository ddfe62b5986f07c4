//! From source to repositories: the addition entry by entry, the known pairs, every plan of the corpus.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test reads its fixtures and fails by panicking"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use normc::base::{SourceFile, SourceMap};
use normc::diag::Diagnostic;
use normc::plan::{Plan, resolve};
use normc::repo::{Generation, LowerOptions, Repositories, load, lower};
use normc::syntax::{Dialect, parse};
use serde_json::Value as Json;

struct Compiled {
    sources: SourceMap,
    plan: Plan,
    repositories: Repositories,
    diagnostics: Vec<Diagnostic>,
}

fn compile_as(name: &str, text: &str, generation: Option<Generation>) -> Compiled {
    let mut sources = SourceMap::default();
    let file = sources.add(SourceFile::new(name, text));
    let hint = name.rsplit_once('.').and_then(|(_, e)| Dialect::from_extension(e));
    let (tree, mut diagnostics) = parse(file, text, hint);
    let (plan, found) = resolve(&tree);
    diagnostics.extend(found);
    let options = LowerOptions { generation, ..LowerOptions::default() };
    let lowered = lower(&plan, &sources, &diagnostics, &options);
    diagnostics.extend(lowered.diagnostics);
    Compiled { sources, plan, repositories: lowered.repositories, diagnostics }
}

fn compile(name: &str, text: &str) -> Compiled {
    compile_as(name, text, None)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn texts(json: &Json) -> String {
    json.as_array().unwrap().iter().map(|t| t.as_str().unwrap().to_owned()).collect::<Vec<_>>().join(", ")
}

/// The short form: one line an inference, one a concept.
fn table(repositories: &Repositories) -> String {
    let mut out = String::new();
    for i in &repositories.inferences {
        let raw = i.raw();
        write!(out, "{} {} {}", i.flow_index(), i.sequence(), i.target()).unwrap();
        write!(out, " <= {} <- {}", i.function().unwrap_or("-"), texts(&raw["value_concepts"])).unwrap();
        let contexts = texts(&raw["context_concepts"]);
        if !contexts.is_empty() {
            write!(out, " / {contexts}").unwrap();
        }
        writeln!(out, "\n    {}", raw["working_interpretation"]).unwrap();
    }
    out.push('\n');
    for c in &repositories.concepts {
        let mut flags = String::new();
        for (flag, set) in
            [(" ground", c.is_ground()), (" final", c.is_final()), (" invariant", c.is_invariant())]
        {
            if set {
                flags.push_str(flag);
            }
        }
        write!(out, "{} {}{flags}", c.type_name(), c.name()).unwrap();
        if let Some(data) = c.data() {
            write!(out, " = {data}").unwrap();
        }
        let axes = &c.raw()["reference_axis_names"];
        if !axes.is_null() {
            write!(out, " {axes}").unwrap();
        }
        writeln!(out, " @ {}", c.flow_indices().join(" ")).unwrap();
    }
    for input in &repositories.required_inputs {
        writeln!(out, "required ({}): {}", input.why, input.concept).unwrap();
    }
    out
}

fn shown(compiled: &Compiled) -> String {
    let mut out = String::new();
    for d in &compiled.diagnostics {
        let place = d.primary.as_ref().and_then(|l| compiled.sources.resolve(l.span));
        let place = place.map_or_else(String::new, |(_, at, _)| format!("{}:{}: ", at.line, at.column));
        writeln!(out, "{place}{} {}: {}", d.severity.word(), d.code, d.message).unwrap();
    }
    out
}

fn snapshot(folder: &str, name: &str, value: &str) {
    insta::with_settings!({
        snapshot_path => format!("../../snapshots/{folder}"), prepend_module_to_snapshot => false, omit_expression => true,
    }, {
        insta::assert_snapshot!(name, value);
    });
}

#[test]
fn addition() {
    let compiled = compile("addition.nc", &read(root().join("tests/repos/addition.nc")));
    assert_eq!(shown(&compiled), "");
    snapshot("repo", "addition", &table(&compiled.repositories));
    assert_eq!(compiled.repositories.concepts.len(), 45);
    assert_eq!(compiled.repositories.inferences.len(), 22);
    assert!(compiled.repositories.required_inputs.is_empty());
    load(&compiled.repositories).unwrap();
}

/// Every plan of a folder, with what is said about it.
fn folder(name: &str) -> Vec<(String, String)> {
    let path = root().join("tests/corpus").join(name);
    let mut files: Vec<PathBuf> = fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|p| (p.file_name().unwrap().to_str().unwrap().to_owned(), read(&p))).collect()
}

#[test]
fn corpus_compiles_or_says_why() {
    let mut out = String::new();
    for group in ["legacy", "flat", "current", "paired", "edge", "draft", "natural"] {
        for (name, text) in folder(group) {
            let compiled = compile(&name, &text);
            let errors = compiled.diagnostics.iter().filter(|d| d.is_error()).count();
            let repositories = &compiled.repositories;
            writeln!(
                out,
                "== {group}/{name}: {} concepts, {} inferences, {errors} errors",
                repositories.concepts.len(),
                repositories.inferences.len()
            )
            .unwrap();
            if matches!(group, "legacy" | "flat" | "edge") || errors == 0 {
                out.push_str(&shown(&compiled));
            }
            if errors == 0 {
                if let Err(problems) = load(repositories) {
                    for p in problems.iter().filter(|p| p.is_error()) {
                        writeln!(out, "LOAD {}: {}", p.code, p.message).unwrap();
                    }
                }
            }
        }
    }
    fs::write("/tmp/corpus.txt", &out).unwrap();
}

#[test]
fn bench() {
    for w in 1..=7 {
        let text = read(format!("/tmp/bW{w}/plan.nc"));
        let compiled = compile("plan.nc", &text);
        println!("W{w}\n{}", shown(&compiled).lines().take(6).collect::<Vec<_>>().join("\n"));
        println!("{} {}", compiled.repositories.concepts.len(), compiled.repositories.inferences.len());
        load(&compiled.repositories).unwrap();
    }
}
