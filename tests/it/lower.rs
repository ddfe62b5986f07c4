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

/// A name without its placement and its identity index, as section 8 compares them.
fn plain(name: &str) -> String {
    let mut name = name.to_owned();
    for open in ["<:{", "<$={"] {
        while let Some(at) = name.find(open) {
            let Some(end) = name[at..].find("}>") else { break };
            name.replace_range(at..at + end + 2, "");
        }
    }
    name
}

fn helper(name: &str) -> bool {
    name.starts_with("nominalized_action_") || name.starts_with("prompt_location_")
}

fn set(json: &Json) -> Vec<String> {
    let mut names: Vec<String> = json
        .as_array()
        .into_iter()
        .flatten()
        .map(|n| n.as_str().unwrap())
        .filter(|n| !helper(n))
        .map(plain)
        .collect();
    names.sort();
    names
}

/// The bare addition plan against the hand-made repository: every disagreement, and nothing else.
#[test]
fn addition_pair() {
    let ours =
        compile("009.nc", &read(root().join("tests/corpus/legacy/009_addition_system.nc"))).repositories;
    let theirs = Repositories::from_two_files(
        &read(root().join("tests/repos/211_saved_add.concept.json")),
        &read(root().join("tests/repos/211_saved_add.inference.json")),
    )
    .unwrap();
    let mut out = String::new();
    let mut differ = |index: &str, what: &str, a: String, b: String| {
        if a != b {
            writeln!(out, "{index} {what}\n    source:     {a}\n    repository: {b}").unwrap();
        }
    };
    let mut indices = [Vec::new(), Vec::new()];
    for (list, repositories) in indices.iter_mut().zip([&ours, &theirs]) {
        list.extend(repositories.inferences.iter().map(|i| i.flow_index().to_owned()));
        list.sort();
    }
    assert_eq!(indices[0], indices[1]);
    for a in &ours.inferences {
        let index = a.flow_index();
        let b = theirs.inferences.iter().find(|b| b.flow_index() == index).unwrap();
        differ(index, "sequence", a.sequence().into(), b.sequence().into());
        differ(index, "function", plain(a.function().unwrap()), plain(b.function().unwrap()));
        differ(index, "target", plain(a.target()), plain(b.target()));
        for list in ["value_concepts", "context_concepts"] {
            differ(index, list, set(&a.raw()[list]).join(", "), set(&b.raw()[list]).join(", "));
        }
        let work = |i: &normc::repo::InferenceEntry| {
            let mut work = i.raw()["working_interpretation"].clone();
            let fields = work.as_object_mut().unwrap();
            fields.shift_remove("with_thinking");
            fields.shift_remove("is_relation_output");
            if let Some(order) = fields.get_mut("value_order").and_then(Json::as_object_mut) {
                order.retain(|name, _| !helper(name));
                order.sort_keys();
            }
            work.to_string()
        };
        differ(index, "working interpretation", work(a), work(b));
    }
    let names = |r: &Repositories| {
        r.concepts.iter().map(|c| c.name().to_owned()).collect::<std::collections::BTreeSet<_>>()
    };
    let (mine, known) = (names(&ours), names(&theirs));
    let only = |a: &std::collections::BTreeSet<String>, b: &std::collections::BTreeSet<String>| {
        a.difference(b).cloned().collect::<Vec<_>>().join("\n    ")
    };
    writeln!(out, "concepts only in the source\n    {}", only(&mine, &known)).unwrap();
    writeln!(out, "concepts only in the repository\n    {}", only(&known, &mine)).unwrap();
    for a in &ours.concepts {
        let Some(b) = theirs.concepts.iter().find(|b| b.name() == a.name()) else { continue };
        for field in ["type", "is_ground_concept", "is_final_concept", "is_invariant"] {
            let (x, y) = (&a.raw()[field], &b.raw()[field]);
            if x != y {
                writeln!(out, "{} {field}: source {x}, repository {y}", a.name()).unwrap();
            }
        }
    }
    snapshot("repo", "addition_pair", &out);
}

/// Source and repository pairs of the second generation: how many entries agree, as section 8 counts.
#[test]
fn other_pairs() {
    let mut out = String::new();
    for (source, stem) in [
        ("081_gold_example_syntax_coherence.ncd", "214_gold_gold_en"),
        ("084_iteration_8_derivation.pf.ncd", "215_iteration_8"),
        ("087_iteration_10_formalization.pf.ncd", "226_iteration_10"),
        ("088_canvas_assistant_compiler_pf.ncd", "228_canvas_assistant_chat"),
    ] {
        let ours = compile(source, &read(root().join("tests/corpus/current").join(source))).repositories;
        let theirs = Repositories::from_two_files(
            &read(root().join(format!("tests/repos/{stem}.concept.json"))),
            &read(root().join(format!("tests/repos/{stem}.inference.json"))),
        )
        .unwrap();
        let mut counts = [0; 6];
        let mut details = String::new();
        for a in &ours.inferences {
            let index = a.flow_index();
            let Some(b) = theirs.inferences.iter().find(|b| b.flow_index() == index) else {
                writeln!(details, "    {index} only in the source").unwrap();
                continue;
            };
            let same = [
                true,
                a.sequence() == b.sequence(),
                plain(a.function().unwrap()) == plain(b.function().unwrap()),
                plain(a.target()) == plain(b.target()),
                set(&a.raw()["value_concepts"]) == set(&b.raw()["value_concepts"]),
                set(&a.raw()["context_concepts"]) == set(&b.raw()["context_concepts"]),
            ];
            for (count, same) in counts.iter_mut().zip(same) {
                *count += usize::from(same);
            }
            let pairs = [
                ("sequence", same[1], a.sequence().to_owned(), b.sequence().to_owned()),
                ("function", same[2], a.function().unwrap().to_owned(), b.function().unwrap().to_owned()),
                ("target", same[3], a.target().to_owned(), b.target().to_owned()),
                (
                    "values",
                    same[4],
                    set(&a.raw()["value_concepts"]).join(", "),
                    set(&b.raw()["value_concepts"]).join(", "),
                ),
                (
                    "contexts",
                    same[5],
                    set(&a.raw()["context_concepts"]).join(", "),
                    set(&b.raw()["context_concepts"]).join(", "),
                ),
            ];
            for (what, _, x, y) in pairs.into_iter().filter(|p| !p.1) {
                writeln!(details, "    {index} {what}: {x}\n        repository: {y}").unwrap();
            }
        }
        let [indices, sequences, functions, targets, values, contexts] = counts;
        writeln!(
            out,
            "{source}: {} heads, {} entries; equal: indices {indices}, sequences {sequences}, functions {functions}, targets {targets}, values {values}, contexts {contexts}\n{details}",
            ours.inferences.len(),
            theirs.inferences.len(),
        )
        .unwrap();
    }
    snapshot("repo", "other_pairs", &out);
}

#[test]
fn perf() {
    for w in ["W1", "W2", "W4", "W5", "W6"] {
        for n in [5000, 20000] {
            let text = read(format!("/tmp/p/{w}-{n}/plan.nc"));
            let t = std::time::Instant::now();
            let mut sources = SourceMap::default();
            let file = sources.add(SourceFile::new("plan.nc", text.as_str()));
            let (tree, diagnostics) = parse(file, &text, None);
            let a = t.elapsed();
            let (plan, found) = resolve(&tree);
            let b = t.elapsed();
            let lowered = lower(&plan, &sources, &diagnostics, &LowerOptions::default());
            let c = t.elapsed();
            let text = lowered.repositories.write();
            let d = t.elapsed();
            let r = Repositories::read(&text).unwrap();
            let e = t.elapsed();
            load(&r).unwrap();
            println!(
                "{w} {n}: lines {} parse {a:?} resolve {:?} lower {:?} write {:?} read {:?} load {:?} errors {}",
                tree.lines.len(),
                b - a,
                c - b,
                d - c,
                e - d,
                t.elapsed() - e,
                found.iter().filter(|d| d.is_error()).count()
            );
        }
    }
}

#[test]
fn dump2() {
    for (source, stem) in [
        ("081_gold_example_syntax_coherence.ncd", "214_gold_gold_en"),
        ("084_iteration_8_derivation.pf.ncd", "215_iteration_8"),
        ("087_iteration_10_formalization.pf.ncd", "226_iteration_10"),
        ("088_canvas_assistant_compiler_pf.ncd", "228_canvas_assistant_chat"),
    ] {
        let c = compile(source, &read(root().join("tests/corpus/current").join(source)));
        let theirs = Repositories::from_two_files(
            &read(root().join(format!("tests/repos/{stem}.concept.json"))),
            &read(root().join(format!("tests/repos/{stem}.inference.json"))),
        )
        .unwrap();
        println!("== {source}\n{}", shown(&c));
        if let Err(p) = load(&c.repositories) {
            println!("LOAD {p:?}");
        }
        for a in &c.repositories.inferences {
            let Some(b) = theirs.inferences.iter().find(|b| b.flow_index() == a.flow_index()) else {
                continue;
            };
            let (x, y) = (&a.raw()["working_interpretation"], &b.raw()["working_interpretation"]);
            let mut y = y.clone();
            for k in ["workspace", "flow_info", "blackboard"] {
                y.as_object_mut().unwrap().shift_remove(k);
            }
            if *x != y {
                println!("{} {}\n   {}\n   {}", a.flow_index(), a.sequence(), x, y);
            }
        }
        for a in &c.repositories.concepts {
            let Some(b) = theirs.concepts.iter().find(|b| b.name() == a.name()) else {
                println!("only ours {}", a.name());
                continue;
            };
            for f in [
                "type",
                "is_ground_concept",
                "is_final_concept",
                "reference_data",
                "reference_axis_names",
                "axis_name",
            ] {
                let (x, y) = (&a.raw()[f], b.raw().get(f).unwrap_or(&Json::Null));
                let falsy = |j: &Json| j.is_null() || *j == Json::Bool(false);
                if x != y && !(falsy(x) && falsy(y)) {
                    println!("C {} {f}: {x} | {y}", a.name());
                }
            }
        }
    }
}
