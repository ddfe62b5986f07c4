//! From source to repositories: the addition entry by entry, the known pairs, every plan of the corpus.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test reads its fixtures and fails by panicking"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use normc::base::{SourceFile, SourceMap};
use normc::diag::Diagnostic;
use normc::plan::{Plan, resolve};
use normc::repo::{Generation, LowerOptions, Repositories, Work, load, load_two_files, lower};
use normc::syntax::{Dialect, parse};
use proptest::prelude::*;
use serde_json::Value as Json;

use crate::measure::{alone, assert_linear, of_thread};
use crate::pairs::{helper, plain};
use crate::support::snapshots;

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
    snapshots(folder).bind(|| insta::assert_snapshot!(name, value));
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

/// Every plan of the corpus: whatever it is, it gives repositories or says why not, and what compiles loads.
#[test]
fn corpus() {
    let mut out = String::new();
    let (mut compiled_count, mut total) = (0, 0);
    for group in ["legacy", "flat", "edge", "current", "paired", "draft", "natural"] {
        for (name, text) in folder(group) {
            total += 1;
            let compiled = compile(&name, &text);
            let errors = compiled.diagnostics.iter().filter(|d| d.is_error()).count();
            let repositories = &compiled.repositories;
            let (concepts, inferences) = (repositories.concepts.len(), repositories.inferences.len());
            writeln!(out, "== {group}/{name}: {concepts} concepts, {inferences} inferences, {errors} errors")
                .unwrap();
            for line in shown(&compiled).lines().filter(|l| of_plan(l)) {
                writeln!(out, "{line}").unwrap();
            }
            if errors > 0 {
                continue;
            }
            compiled_count += 1;
            if let Err(problems) = load(repositories) {
                let problems: Vec<_> = problems.iter().filter(|p| p.is_error()).map(|p| &p.message).collect();
                panic!("{group}/{name} compiles but does not load: {problems:?}");
            }
            let written = repositories.write();
            assert_eq!(&Repositories::read(&written).unwrap(), repositories, "{group}/{name}");
            for generation in [Generation::One, Generation::Two] {
                let lowered = compile_as(&name, &text, Some(generation));
                if !lowered.diagnostics.iter().any(Diagnostic::is_error)
                    && let Err(problems) = load(&lowered.repositories)
                {
                    panic!("{group}/{name} does not load in {generation:?}: {problems:?}");
                }
            }
        }
    }
    println!("corpus: {compiled_count} of {total} plans compile");
    snapshot("plan", "corpus", &out);
}

/// What reading says has its own snapshots.
fn of_plan(line: &str) -> bool {
    let number =
        line.split_once(" NC").and_then(|(_, rest)| rest.get(..3)).and_then(|n| n.parse::<u32>().ok());
    number.is_some_and(|n| matches!(n, 33..=38 | 50..=59 | 61..=63 | 80..=106 | 60))
        && !line.contains("is not supported")
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

/// Small plans with their table: source beside outcome.
#[test]
fn small_plans() {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(root().join("tests/repos/plans")).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        let name = path.file_name().unwrap().to_str().unwrap();
        let text = read(&path);
        let compiled = compile(name, &text);
        let mut out = text.trim_end().to_owned();
        write!(out, "\n\n{}\n{}", diagnostics(&compiled), table(&compiled.repositories)).unwrap();
        snapshot("plan", path.file_stem().unwrap().to_str().unwrap(), &out);
        if !compiled.diagnostics.iter().any(Diagnostic::is_error) {
            load(&compiled.repositories).unwrap_or_else(|p| panic!("{name}: {p:?}"));
        }
    }
}

/// With the underlined text and the help.
fn diagnostics(compiled: &Compiled) -> String {
    let mut out = String::new();
    for d in &compiled.diagnostics {
        let span = d.primary.as_ref().unwrap().span;
        let (_, at, _) = compiled.sources.resolve(span).unwrap();
        let text = compiled.sources.text(span).unwrap();
        writeln!(out, "{}:{} {} {}: {}", at.line, at.column, d.severity.word(), d.code, d.message).unwrap();
        writeln!(out, "    under `{text}`").unwrap();
        if let Some(help) = &d.help {
            writeln!(out, "    {help}").unwrap();
        }
    }
    out
}

#[test]
fn bundle_of_a_plan() {
    let text = read(root().join("tests/repos/addition.nc"));
    let compiled = compile("plans/addition.nc", &text);
    let written = compiled.repositories.write();
    assert_eq!(
        compile("plans/addition.nc", &text).repositories.write(),
        written,
        "the same bytes every time"
    );
    let bundle: Json = serde_json::from_str(&written).unwrap();
    let keys: Vec<&String> = bundle.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "normc_bundle",
            "generator",
            "plan",
            "source",
            "required_inputs",
            "concepts",
            "inferences",
            "spans",
            "diagnostics",
            "digests",
            "extra"
        ]
    );
    assert_eq!(bundle["plan"]["name"], "addition");
    assert_eq!(bundle["plan"]["generation"], 1);
    assert_eq!(bundle["plan"]["dialect"], "legacy");
    assert_eq!(bundle["plan"]["base"], ".");
    assert_eq!(bundle["plan"]["roots"], serde_json::json!(["{new number pair}"]));
    assert_eq!(bundle["source"]["files"][0]["path"], "plans/addition.nc");
    assert_eq!(bundle["source"]["files"][0]["bytes"], text.len());
    assert_eq!(bundle["source"]["index_scheme"], "A");
    assert!(bundle["source"]["files"][0]["text"].is_null());
    let line = |n: usize| text.split('\n').nth(n - 1).unwrap();
    let target = &bundle["spans"]["inferences"]["1.1.3"]["target"];
    let [row, from, to] = [1, 2, 4].map(|i| target[i].as_u64().unwrap() as usize);
    assert_eq!(&line(row)[from..to], "{number pair}<$={1}>");
    let value = &bundle["spans"]["inferences"]["1.1.3"]["values"]["{number pair to append}"];
    let [row, from, to] = [1, 2, 4].map(|i| value[i].as_u64().unwrap() as usize);
    assert_eq!(&line(row)[from..to], "{number pair to append}<$={1}>");
    let embedded = lower(
        &compiled.plan,
        &compiled.sources,
        &[],
        &LowerOptions {
            keep_text: true,
            base: "..\\up".into(),
            name: "sum".into(),
            ..LowerOptions::default()
        },
    );
    let info = embedded.repositories.plan;
    assert_eq!((info.name.as_str(), info.base.as_str()), ("sum", "../up"));
    assert_eq!(embedded.repositories.source.unwrap().files[0].text.as_deref(), Some(text.as_str()));
}

/// `%{effect}: once` of scripts and built-ins, in both generations, through the bundle and through the two files.
#[test]
fn an_effect_is_kept_from_the_source_to_the_loaded_plan() {
    let text = read(root().join("tests/repos/plans/effects.nc"));
    for generation in [Generation::One, Generation::Two] {
        let compiled = compile_as("effects.nc", &text, Some(generation));
        let read_back = Repositories::read(&compiled.repositories.write()).unwrap();
        let files = compiled.repositories.split();
        let loaded = [
            load(&compiled.repositories).unwrap(),
            load(&read_back).unwrap(),
            load_two_files(&files.concepts, &files.inferences).unwrap(),
        ];
        for loaded in loaded {
            let once: Vec<(String, bool)> = loaded
                .model
                .inferences
                .iter()
                .filter_map(|i| match &i.work {
                    Work::Semantic(s) => {
                        Some((loaded.model.concepts[i.target.0 as usize].name.to_string(), s.once))
                    }
                    _ => None,
                })
                .collect();
            let wanted = [
                ("{receipt}", true),
                ("{bill}", true),
                ("<due>", true),
                ("{other}", false),
                ("{last}", false),
            ]
            .map(|(name, once)| (name.to_owned(), once));
            assert_eq!(once, wanted, "{generation:?}");
        }
    }
}

/// The two ways to give the carry its first value differ in `required_inputs` and data only.
#[test]
fn an_initial_value_from_outside() {
    let text = read(root().join("tests/repos/addition.nc"));
    let without: String = text.lines().filter(|l| l.trim() != "| ref. 0").map(|l| format!("{l}\n")).collect();
    let [with, without] = [text, without].map(|t| compile("a.nc", &t));
    assert_eq!(
        shown(&without),
        "3:51: warning NC038: `{carry-over number}*1` has no value before the first step\n"
    );
    let required = &without.repositories.required_inputs;
    assert_eq!(required.len(), 1);
    assert_eq!((required[0].concept.as_str(), required[0].why.as_str()), ("{carry-over number}*1", "carry"));
    assert_eq!(with.repositories.inferences, without.repositories.inferences);
}

/// Both generations of one plan load.
#[test]
fn generations() {
    for (name, text) in folder("legacy").into_iter().chain(folder("current")) {
        for generation in [Generation::One, Generation::Two] {
            let compiled = compile_as(&name, &text, Some(generation));
            if compiled.diagnostics.iter().any(Diagnostic::is_error) {
                continue;
            }
            load(&compiled.repositories).unwrap_or_else(|p| panic!("{name} {generation:?}: {p:?}"));
        }
    }
}

/// A chain of `n` steps, and as many loops below one root.
fn long(n: usize) -> String {
    let mut text = format!("{{all}}\n    <= $.({{s {n}}})\n");
    for i in 1..=n {
        writeln!(text, "    <- {{s {i}}}\n        <= $.({{s {}}})\n        <- {{s {}}}", i - 1, i - 1)
            .unwrap();
        writeln!(
            text,
            "    <- {{out {i}}}\n        <= *every({{in {i}}})%:[{{in {i}}}]@({i})^[{{acc {i}}}<*1>]"
        )
        .unwrap();
        writeln!(text, "            <= $.({{sum {i}}})\n            <- {{sum {i}}}").unwrap();
        writeln!(
            text,
            "                <= ::(add {{1}} to {{2}} in {i})\n                    | %{{builtin}}: add"
        )
        .unwrap();
        writeln!(
            text,
            "                <- {{in {i}}}*{i}<:{{1}}>\n                <- {{acc {i}}}*{i}<:{{2}}>"
        )
        .unwrap();
        writeln!(text, "            <- {{acc {i}}}*{i}\n                <= $.({{sum {i}}})\n                <- {{sum {i}}}").unwrap();
        writeln!(text, "        <- {{in {i}}}").unwrap();
    }
    text.push_str("    <- {s 0}\n");
    text
}

#[test]
fn time_grows_with_the_lines() {
    if !alone("lower::time_grows_with_the_lines") {
        return;
    }
    let read = |n: usize| {
        let text = long(n);
        let mut sources = SourceMap::default();
        let file = sources.add(SourceFile::new("long.nc", text.as_str()));
        (n, parse(file, &text, None).0, sources)
    };
    assert_linear("loops, lowered", 250, read, |(n, tree, sources)| {
        let (plan, found) = resolve(tree);
        assert!(!found.iter().any(Diagnostic::is_error));
        let lowered = lower(&plan, sources, &found, &LowerOptions::default());
        assert_eq!(load(&lowered.repositories).unwrap().model.inferences.len(), 1 + 5 * n);
    });
}

#[test]
fn hostile_plans_end() {
    let deep: String = (0..2_000).map(|i| format!("{}<= *every({{a}}*1)@(1)\n", " ".repeat(i * 2))).collect();
    let gates: String = (0..2_000).map(|i| format!("{}<= @if(<a>)\n", " ".repeat(i * 2))).collect();
    let contexts = format!("{{a}}\n{}", "    <* {b}\n".repeat(20_000));
    let wide =
        format!("{{a}}\n    <= $.\n{}", "    <- {a}\n        <= $.({a})\n        <- {a}\n".repeat(3_000));
    let long =
        format!("{{a}}\n    <= ::({})\n    <- {{{}}}<:{{1}}>\n", "{1} ".repeat(100_000), "x".repeat(500_000));
    let names = format!(
        "{{a}}\n    <= $.\n{}",
        (0..1_500).map(|i| format!("    <- {{remainder{}}}\n", "q".repeat(i % 50))).collect::<String>()
    );
    for text in [deep, gates, contexts, wide, long, names] {
        let start = of_thread();
        let compiled = compile("a.nc", &text);
        let _ = load(&compiled.repositories);
        compiled.repositories.write();
        let took = of_thread().saturating_sub(start);
        println!("{took:?}");
        assert!(took < Duration::from_secs(60), "{} took {took:?}", &text[..20]);
    }
}

/// Lines that fit together in odd ways.
fn any_plan() -> impl Strategy<Value = String> {
    let texts = vec![
        "{a}",
        "{a}*1",
        "{b}",
        "[b]",
        "<c>",
        "{a}<$={1}>",
        "{a}<$={2}>",
        "{b}?",
        "{k: \"v\"}",
        "{a}<:{1}>",
        "{b}<:{prompt}>",
        "{x}*1*2",
        "*every({a})@(1)^[{b}<*1>]",
        "*every({a}*1)%:[{a}]@(2)",
        "*. %>([b]) %<({a}) %:({x}) %@(1)",
        "{x}<$([b])*>",
        "{b}*-1",
        "$.({a})",
        "$.",
        "$.([{a}, {b}])",
        "$.({a}<$={#}>)",
        "$+({a}:{b})%:[{b}]",
        "$% %>([1])",
        "$- %>([b]) %^(<$*0>)",
        "$=({a})",
        "&across({a}:{b})",
        "&across({a}*1:{a}*1<--<!_>>)",
        "&in({a};{b})",
        "&[#] %>[{a}, {b}] %+(x)",
        "@if(<c>)",
        "@if!(<c>)",
        "@after({b})",
        "@:'",
        "::(do {1} with {2})",
        "::<{1} is 0>",
        "::(q {prompt})<ALL True>",
        ":>:({a})",
        "words only",
        ":_:{m}({a})",
        "",
    ];
    let notes = vec![
        "",
        "",
        "",
        " | ref. [1]",
        " | ref. 0",
        " | 1.1. judgement",
        " | %{script_location}: s.py",
        " | %{norm_input}: p",
        " | %{ref_axes}: [x, y]",
    ];
    let line = (
        0..6_usize,
        prop::sample::select(vec!["<-", "<=", "<*", ":<:", ""]),
        prop::sample::select(texts),
        prop::sample::select(notes),
    );
    prop::collection::vec(line, 1..25).prop_map(|lines| {
        lines.into_iter().fold(String::new(), |mut text, (depth, marker, concept, note)| {
            writeln!(text, "{}{marker} {concept}{note}", "    ".repeat(depth)).unwrap();
            text
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the lines, there is a plan; without errors it loads, in both generations, and the bundle reads back.
    #[test]
    fn any_plan_compiles_or_says_why(text in any_plan()) {
        for generation in [Generation::One, Generation::Two] {
            let compiled = compile_as("a.nc", &text, Some(generation));
            let errors = compiled.diagnostics.iter().any(Diagnostic::is_error);
            let loaded = load(&compiled.repositories);
            prop_assert!(errors || loaded.is_ok(), "{}\n{:?}", text, loaded.err());
            let read = Repositories::read(&compiled.repositories.write()).unwrap();
            prop_assert_eq!(&read, &compiled.repositories);
        }
    }
}

#[test]
fn axes_that_do_not_fit_the_data_are_reported_at_their_line() {
    let compiled =
        compile_as("a.nc", "{r}\n    <= $.({a})\n    <- {a} | %{ref_axes}: [x, y] | ref. [1]\n", None);
    let found: Vec<_> = compiled.diagnostics.iter().filter(|d| d.is_error()).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].code.as_str(), found[0].primary.is_some()), ("NC107", true));
}

/// The selectors of a step: parts of a record, an alternative, a norm, and what `%{value_selectors}` says.
#[test]
fn selectors() {
    let of = |values: &str, annotation: &str| {
        let text =
            format!("{{out}}\n    <= ::(work on {{1}})\n        | %{{paradigm}}: p{annotation}\n{values}");
        let compiled = compile("plan.ncd", &text);
        let work = compiled.repositories.inferences[0].raw()["working_interpretation"].clone();
        let said = compiled.diagnostics.iter().filter(|d| d.code != normc::diag::Code::NC090);
        let said: Vec<&str> = said
            .filter(|d| d.is_error() || d.code == normc::diag::Code::NC019)
            .map(|d| d.message.as_str())
            .collect();
        format!(
            "{} {} {}",
            work["value_order"],
            work.get("value_selectors").unwrap_or(&Json::Null),
            said.join("; ")
        )
    };
    for (values, annotation, expected) in [
        ("    <- {a}<:{1}>\n", "", r#"{"{a}":1} null "#),
        (
            "    <- {files}<[{prompt}:{1}, {others}:{2+}]>\n    <- {b}<:{3}>\n",
            "",
            r#"{"prompt":1,"others":2,"{b}":3} {"prompt":{"source_concept":"{files}","index":0,"key":"{prompt}"},"others":{"source_concept":"{files}","index":0,"key":"{others}","unpack":true}} "#,
        ),
        (
            "    <- [{a}<*1>/{b}<*2>]<{*2}:{1}>\n",
            "",
            r#"{"[{a}<*1>/{b}<*2>]":1} {"[{a}<*1>/{b}<*2>]":{"source_concept":"[{a}<*1>/{b}<*2>]","index":1}} "#,
        ),
        (
            "    <- {a}<$%={file location}><:{1}>\n",
            "",
            r#"{"{a}":1} {"{a}":{"source_concept":"{a}","new_wrapper":"file_location"}} "#,
        ),
        (
            "    <- {a}<:{1}>\n",
            "\n        | %{value_selectors}: {\"{a}\": {\"packed\": true}}",
            r#"{"{a}":1} {"{a}":{"packed":true}} "#,
        ),
        (
            "    <- {a}<:{1}>\n    <- {b}<:{2}>\n",
            "\n        | %{value_selectors}: {\"first\": {\"source_concept\": \"{b}\", \"index\": 0}}",
            r#"{"{a}":1,"first":2} {"first":{"source_concept":"{b}","index":0}} "#,
        ),
        (
            "    <- {alpha}<:{1}>\n",
            "\n        | %{value_selectors}: {\"{alpa}\": {\"packed\": true}}",
            r#"{"{alpha}":1} null `{alpa}` is no value of this step"#,
        ),
        (
            "    <- {a}<:{1}>\n",
            "\n        | %{value_selectors}: packed",
            r#"{"{a}":1} null the selectors of the step are not understood"#,
        ),
    ] {
        assert_eq!(of(values, annotation), expected, "{values}{annotation}");
    }
}
