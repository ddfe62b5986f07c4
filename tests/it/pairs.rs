//! Sources beside the repositories that were made of them (repositories spec, section 8): every inference compared by
//! its index, and every difference accounted for.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test reads its fixtures and fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use normc::base::{SourceFile, SourceMap};
use normc::repo::{InferenceEntry, LowerOptions, Repositories, compile};
use normc::syntax::Dialect;
use serde_json::{Map, Value as Json};

use crate::plans::normc;
use crate::support::snapshots;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(path);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn compiled(path: &str) -> Repositories {
    let text = read(&format!("corpus/{path}"));
    let mut sources = SourceMap::default();
    let file = sources.add(SourceFile::new(path, text.as_str()));
    let hint = path.rsplit_once('.').and_then(|(_, e)| Dialect::from_extension(e));
    let compiled = compile(file, &text, hint, &sources, &LowerOptions::default());
    assert!(compiled.model.is_some(), "{path}: {:?}", compiled.diagnostics);
    compiled.repositories
}

fn known(stem: &str) -> Repositories {
    Repositories::from_two_files(
        &read(&format!("repos/{stem}.concept.json")),
        &read(&format!("repos/{stem}.inference.json")),
    )
    .unwrap()
}

/// A pair with what is known of it: entries of both sides, and how many are equal.
struct Pair {
    name: &'static str,
    source: &'static str,
    stem: &'static str,
    heads: usize,
    entries: usize,
    /// Indices on both sides, then of those equal functions, targets, values as sets.
    equal: [usize; 4],
    /// Why a difference of functions, targets, values is one: text of ours, text of theirs.
    because: fn(&str, &str, &str, &str) -> bool,
}

const PAIRS: &[Pair] = &[
    Pair {
        name: "addition",
        source: "legacy/009_addition_system.nc",
        stem: "211_saved_add",
        heads: 22,
        entries: 22,
        equal: [22, 21, 21, 22],
        // The repository drops `%:[axis]` from the name of an append, and so from the target of its timing.
        because: |_, what, ours, theirs| {
            what != "values" && ours.strip_suffix("%:[{number pair}]") == Some(theirs)
        },
    },
    Pair {
        name: "chat",
        source: "current/088_canvas_assistant_compiler_pf.ncd",
        stem: "228_canvas_assistant_chat",
        heads: 14,
        entries: 13,
        equal: [12, 10, 10, 11],
        // Append and judgement stand in the other order.
        because: |index, _, _, _| matches!(index, "1.3.1.3" | "1.3.1.4"),
    },
    Pair {
        name: "derivation",
        source: "current/084_iteration_8_derivation.pf.ncd",
        stem: "215_iteration_8",
        heads: 70,
        entries: 70,
        equal: [70, 64, 70, 69],
        // Judgements in an older spelling; a value more, in a repository that is newer than the source.
        because: |index, what, ours, theirs| match what {
            "function" => older_judgement(ours) == theirs,
            _ => {
                index == "1.14.3.4"
                    && theirs.strip_prefix(ours).is_some_and(|r| r == ", {refined instruction content}")
            }
        },
    },
    Pair {
        name: "formalisation",
        source: "current/087_iteration_10_formalization.pf.ncd",
        stem: "226_iteration_10",
        heads: 38,
        entries: 38,
        equal: [38, 29, 38, 38],
        // The repository is older than the source: `<ALL True>` where that says `<{ALL True}>`.
        because: |_, what, ours, theirs| {
            what == "function" && ours.replace("<{ALL True}>", "<ALL True>") == theirs
        },
    },
    Pair {
        name: "gold",
        source: "current/081_gold_example_syntax_coherence.ncd",
        stem: "214_gold_gold_en",
        heads: 20,
        entries: 20,
        equal: [20, 18, 20, 20],
        // The repository names the axis of two groupings, the source does not.
        because: |_, what, ours, theirs| {
            what == "function" && theirs.strip_prefix(ours).is_some_and(|rest| rest.starts_with(" %+("))
        },
    },
];

/// `::<{q}><ALL True>` for `::(q)<{ALL True}>`.
fn older_judgement(text: &str) -> String {
    text.replace("::(", "::<{").replace(")<{ALL True}>", "}><ALL True>")
}

/// A name without its placement and its identity index, as section 8 compares them.
pub(crate) fn plain(name: &str) -> String {
    let mut name = name.to_owned();
    for open in ["<:{", "<$={"] {
        while let Some(at) = name.find(open) {
            let Some(end) = name[at..].find("}>") else { break };
            name.replace_range(at..at + end + 2, "");
        }
    }
    name
}

/// Helpers were made by a step that the bare source knows nothing of.
pub(crate) fn helper(name: &str) -> bool {
    name.starts_with("nominalized_action_") || name.starts_with("prompt_location_")
}

fn set(names: &[&str]) -> String {
    let names: BTreeSet<String> = names.iter().filter(|n| !helper(n)).map(|n| plain(n)).collect();
    names.into_iter().collect::<Vec<_>>().join(", ")
}

fn by_index(repositories: &Repositories) -> BTreeMap<&str, &InferenceEntry> {
    repositories.inferences.iter().map(|i| (i.flow_index(), i)).collect()
}

/// Indices, functions, targets and values: just the known differences, and no others.
#[test]
fn pairs() {
    let mut wrong = String::new();
    for pair in PAIRS {
        let (ours, theirs) = (compiled(pair.source), known(pair.stem));
        let (a, b) = (by_index(&ours), by_index(&theirs));
        let mut equal = [0; 4];
        for (index, mine) in &a {
            let Some(other) = b.get(index) else { continue };
            equal[0] += 1;
            let rows = [
                ("function", plain(mine.function().unwrap()), plain(other.function().unwrap())),
                ("target", plain(mine.target()), plain(other.target())),
                ("values", set(&mine.values()), set(&other.values())),
            ];
            for (place, (what, x, y)) in rows.into_iter().enumerate() {
                if x == y {
                    equal[place + 1] += 1;
                } else if !(pair.because)(index, what, &x, &y) {
                    writeln!(wrong, "{} {index} {what}:\n    source     {x}\n    repository {y}", pair.name)
                        .unwrap();
                }
            }
        }
        let [indices, functions, targets, values] = equal;
        println!(
            "{}: {} heads, {} entries; equal: indices {indices}, functions {functions}, targets {targets}, values {values}",
            pair.name,
            a.len(),
            b.len()
        );
        if (a.len(), b.len(), equal) != (pair.heads, pair.entries, pair.equal) {
            writeln!(wrong, "{}: {} and {} entries, equal {equal:?}", pair.name, a.len(), b.len()).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// What runs read and the two generations only spell differently, or what no program reads.
const NOT_COMPARED: [&str; 3] = ["workspace", "flow_info", "blackboard"];

fn fields(entry: &InferenceEntry) -> BTreeMap<String, Json> {
    let mut found = BTreeMap::new();
    let empty = Map::new();
    for (key, value) in entry.interpretation().unwrap_or(&empty) {
        match value {
            _ if NOT_COMPARED.contains(&key.as_str()) => {}
            Json::Object(syntax) if key == "syntax" => {
                found.extend(syntax.iter().map(|(k, v)| (format!("syntax.{k}"), v.clone())))
            }
            Json::Object(map) => {
                let kept = map.iter().filter(|(name, _)| !helper(name));
                let kept: BTreeMap<&String, &Json> = kept.collect();
                if !kept.is_empty() {
                    found.insert(key.clone(), serde_json::to_value(kept).unwrap());
                }
            }
            _ => {
                found.insert(key.clone(), value.clone());
            }
        }
    }
    found
}

/// Every field of the working interpretation beside that of the repository: what differs, to be read.
#[test]
fn working_interpretations() {
    let mut out = String::new();
    for pair in PAIRS {
        let (ours, theirs) = (compiled(pair.source), known(pair.stem));
        let (a, b) = (by_index(&ours), by_index(&theirs));
        let (mut same, mut lines) = (0, String::new());
        for (index, mine) in &a {
            let Some(other) = b.get(index).filter(|o| plain(o.target()) == plain(mine.target())) else {
                continue;
            };
            let (x, y) = (fields(mine), fields(other));
            let keys: BTreeSet<&String> = x.keys().chain(y.keys()).collect();
            for key in keys {
                let (x, y) = (x.get(key), y.get(key));
                if x == y {
                    same += 1;
                    continue;
                }
                let shown = |v: Option<&Json>| v.map_or_else(|| "-".to_owned(), Json::to_string);
                writeln!(lines, "{index} {key}\n    source     {}\n    repository {}", shown(x), shown(y))
                    .unwrap();
            }
        }
        writeln!(out, "== {}: {same} fields are equal\n{lines}", pair.name).unwrap();
    }
    snapshots("repo").bind(|| insta::assert_snapshot!("working_interpretations", out));
}

/// A plan runs the same in both generations of repositories.
#[test]
fn both_generations_run_alike() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans");
    let (mut total, mut wrong) = (0, Vec::new());
    let mut folders: Vec<_> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    folders.sort();
    for folder in folders {
        let Ok(expected) = fs::read_to_string(folder.join("expected.json")) else { continue };
        let expected: Json = serde_json::from_str(&expected).unwrap();
        let mut seen = BTreeSet::new();
        for run in expected["runs"].as_array().unwrap() {
            let plan = run["plan"].as_str().unwrap();
            let source = fs::read_to_string(folder.join(plan)).unwrap();
            // One run a plan; those with scripts are run elsewhere. A prompt file alone is another thing in each of them:
            // a value of the step in the first generation, its prompt in the second.
            let differs = ["%{script_location}", "%{prompt_location}"].iter().any(|key| source.contains(key));
            if differs || !seen.insert(plan.to_owned()) {
                continue;
            }
            let results: Vec<(Option<i32>, Json)> = ["1", "2"]
                .iter()
                .map(|generation| {
                    let output = normc(&folder, &["compile", plan, "--generation", generation, "-o", "-"]);
                    let scratch = tempfile::tempdir().unwrap();
                    let bundle = scratch.path().join("plan.json");
                    fs::write(&bundle, &output.stdout).unwrap();
                    let (bundle, base) = (bundle.to_str().unwrap(), folder.to_str().unwrap());
                    let mut arguments = vec!["exec", bundle, "--json", "--quiet", "--base-dir", base];
                    arguments.extend(run["inputs"].as_str().iter().flat_map(|i| ["--inputs", i]));
                    let output = normc(&folder, &arguments);
                    let mut result: Json = serde_json::from_slice(&output.stdout).unwrap_or(Json::Null);
                    if let Some(result) = result.as_object_mut() {
                        result.shift_remove("run_id");
                    }
                    (output.status.code(), result)
                })
                .collect();
            total += 1;
            if results[0] != results[1] {
                wrong.push(format!("{}/{plan}: {results:?}", folder.display()));
            }
        }
    }
    println!("{total} plans run in both generations");
    assert!(total >= 10 && wrong.is_empty(), "{}", wrong.join("\n"));
}
