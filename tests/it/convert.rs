//! Conversions: between the formal spellings, to sentences, from repositories back to source. The laws hold over every
//! plan of the project and of the corpus.

use std::path::{Path, PathBuf};

use normc::base::{FileId, SourceFile, SourceMap};
use normc::diag::{Code, Diagnostic};
use normc::repo::{self, Compiled, LowerOptions, Repositories};
use normc::syntax::convert::{self, Style, restyle};
use normc::syntax::{Dialect, parse};

use crate::plans::normc;
use crate::support::snapshots;

fn compile(name: &str, text: &str) -> Compiled {
    let mut sources = SourceMap::default();
    let file = sources.add(SourceFile::new(name, text));
    let hint = name.rsplit_once('.').and_then(|(_, e)| Dialect::from_extension(e));
    let shared = text.to_owned();
    repo::compile(file, &shared, hint, &sources, &LowerOptions::default())
}

/// Every plan of the project and of the corpus that compiles.
fn good_plans() -> Vec<(String, String, Compiled)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<PathBuf> = Vec::new();
    for folder in ["plans", "tests/corpus"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let Ok(inner) = std::fs::read_dir(entry.unwrap().path()) else { continue };
            files.extend(inner.map(|e| e.unwrap().path()));
        }
    }
    files.sort();
    let mut plans = Vec::new();
    for path in files {
        let source = ["nc", "ncd", "ncds", "ncdn"].iter().any(|e| path.extension().is_some_and(|x| x == *e));
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        if !source {
            continue;
        }
        let name = path.strip_prefix(root).unwrap().display().to_string();
        let compiled = compile(&name, &text);
        if compiled.model.is_some() && !compiled.repositories.inferences.is_empty() {
            plans.push((name, text, compiled));
        }
    }
    assert!(plans.len() > 60, "{} plans", plans.len());
    plans
}

fn restyled(name: &str, text: &str, style: Style) -> (String, Vec<Diagnostic>) {
    let hint = name.rsplit_once('.').and_then(|(_, e)| Dialect::from_extension(e));
    let (tree, _) = parse(FileId(0), text, hint);
    let converted = restyle(&tree, text, style);
    (converted.outline.print(), converted.diagnostics)
}

/// What must stay: index and sequence of every inference, how many values it has.
fn skeleton(compiled: &Compiled) -> Vec<String> {
    let one = |i: &repo::InferenceEntry| {
        let sequence = i.sequence().replace("quantifying", "looping");
        format!(
            "{} {sequence} {}",
            i.flow_index(),
            i.values().len().min(if sequence == "timing" { 0 } else { 99 })
        )
    };
    compiled.repositories.inferences.iter().map(one).collect()
}

#[test]
fn restyled_plans_compile_to_the_same_and_are_stable() {
    let mut wrong = Vec::new();
    let mut kept = 0;
    let plans = good_plans();
    for (name, text, compiled) in &plans {
        for style in [Style::Current, Style::Legacy] {
            let (once, diagnostics) = restyled(name, text, style);
            kept += diagnostics.len();
            assert!(diagnostics.iter().all(|d| d.code == Code::NC071));
            let holes = diagnostics.iter().any(|d| d.message.starts_with("the line is"));
            let again = compile(name, &once);
            let bad: Vec<String> =
                again.diagnostics.iter().filter(|d| d.is_error()).map(|d| d.message.clone()).collect();
            if !bad.is_empty() {
                wrong.push(format!("{name} {style:?}: {bad:?}"));
            }
            let (before, after) = (skeleton(compiled), skeleton(&again));
            if before != after && !holes {
                let differs: Vec<String> = before
                    .iter()
                    .filter(|l| !after.contains(l))
                    .map(|l| format!("-{l}"))
                    .chain(after.iter().filter(|l| !before.contains(l)).map(|l| format!("+{l}")))
                    .collect();
                wrong.push(format!("{name} {style:?}: {differs:?}"));
            }
            let (twice, _) = restyled(name, &once, style);
            if twice != once {
                let line = once.lines().zip(twice.lines()).find(|(a, b)| a != b);
                wrong.push(format!("{name} {style:?}: not stable: {line:?}"));
            }
        }
    }
    println!("{} plans in both spellings, {kept} lines kept", plans.len());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), plans.len() * 2, wrong.join("\n"));
}

/// An entry without what a conversion may change: ids are made from names.
fn raised_fields(repositories: &Repositories) -> (Vec<String>, Vec<String>) {
    let concepts = repositories.concepts.iter().map(|c| serde_json::Value::from(c.raw().clone()).to_string());
    let inferences =
        repositories.inferences.iter().map(|c| serde_json::Value::from(c.raw().clone()).to_string());
    (concepts.collect(), inferences.collect())
}

#[test]
fn raised_plans_compile_to_equal_repositories() {
    let mut wrong = Vec::new();
    let plans = good_plans();
    for (name, _, compiled) in &plans {
        let raised = repo::raise(&compiled.repositories);
        let text = raised.outline.print();
        let again = compile("plan.ncd", &text);
        let (before, after) = (raised_fields(&compiled.repositories), raised_fields(&again.repositories));
        let differs = |a: &[String], b: &[String]| {
            let gone = a.iter().filter(|l| !b.contains(l)).map(|l| format!("\n  -{l}"));
            let new = b.iter().filter(|l| !a.contains(l)).map(|l| format!("\n  +{l}"));
            gone.chain(new).take(6).collect::<String>()
        };
        if before != after {
            let (c, i) = (differs(&before.0, &after.0), differs(&before.1, &after.1));
            wrong.push(format!("{name}:{c}{i}"));
        } else if !raised.diagnostics.is_empty() {
            wrong.push(format!("{name}: {:?}", raised.diagnostics[0].message));
        }
        let twice = repo::raise(&again.repositories).outline.print();
        if twice != text {
            wrong.push(format!("{name}: not stable"));
        }
    }
    println!("{} plans, {} differ", plans.len(), wrong.len());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), plans.len(), wrong.join("\n"));
}

#[test]
fn repositories_made_elsewhere_keep_their_inferences() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repos");
    let mut shown = String::new();
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    for path in files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(stem) = name.strip_suffix(".concept.json") else { continue };
        let inferences = folder.join(format!("{stem}.inference.json"));
        let concepts = std::fs::read_to_string(&path).unwrap();
        let repositories =
            Repositories::from_two_files(&concepts, &std::fs::read_to_string(inferences).unwrap()).unwrap();
        let raised = repo::raise(&repositories);
        let text = raised.outline.print();
        shown.push_str(&format!("== {stem}\n"));
        for diagnostic in &raised.diagnostics {
            shown.push_str(&format!("{}\n", diagnostic.message));
        }
        // Nothing new is said of an inference, and none is lost.
        let again = compile("plan.ncd", &text);
        let errors: Vec<&str> =
            again.diagnostics.iter().filter(|d| d.is_error()).map(|d| d.message.as_str()).collect();
        shown.push_str(&format!(
            "{} of {} inferences; errors {errors:?}\n",
            again.repositories.inferences.len(),
            repositories.inferences.len()
        ));
    }
    snapshots("convert").bind(|| insta::assert_snapshot!("repositories", shown));
}

#[test]
fn other_forms_have_the_same_lines() {
    let mut wrong = Vec::new();
    for (name, text, compiled) in good_plans() {
        let tree = &compiled.tree;
        let shape = |tree: &normc::syntax::Tree| -> Vec<(String, normc::syntax::Marker)> {
            tree.nodes.iter().map(|n| (n.flow_index.to_string(), n.marker)).collect()
        };
        let forms = [
            ("ncn", convert::narrative(tree, &text).print()),
            ("ncds", convert::draft(tree, &text).print()),
            ("ncdn", convert::paired(tree, &text).print()),
            ("nc", convert::flat(tree, &text).0),
        ];
        for (form, written) in forms {
            let (again, _) = parse(FileId(0), &written, Dialect::from_extension(form));
            let plain = |list: Vec<(String, normc::syntax::Marker)>| -> Vec<String> {
                // A root needs no marker; forms without one give it theirs.
                list.into_iter().map(|(i, m)| if i.contains('.') { format!("{i} {m}") } else { i }).collect()
            };
            let (before, after) = (plain(shape(tree)), plain(shape(&again)));
            if before != after {
                let first = before.iter().zip(&after).find(|(a, b)| a != b);
                wrong.push(format!("{name} {form}: {first:?} {} {}", before.len(), after.len()));
            }
        }
        let (numbered, _) = convert::flat(tree, &text);
        if tree.dialect == Dialect::Legacy {
            let again = compile("flat.nc", &numbered);
            if skeleton(&again) != skeleton(&compiled) {
                let errors: Vec<_> =
                    again.diagnostics.iter().filter(|d| d.is_error()).map(|d| &d.message).collect();
                wrong.push(format!("{name} flat compiles to something else: {errors:?}"));
            }
        }
        let records = convert::groups(tree, &text);
        let heads = tree.iter().filter(|(id, _)| tree.function(*id).is_some()).count();
        assert_eq!(records.as_array().unwrap().len(), heads, "{name}");
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn sentences_of_plans() {
    for plan in ["addition/addition_builtin", "branches/branches", "grouping/records"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("plans/{plan}.nc"));
        let text = std::fs::read_to_string(path).unwrap();
        let (tree, _) = parse(FileId(0), &text, None);
        let shown = [
            convert::narrative(&tree, &text).print(),
            convert::draft(&tree, &text).print(),
            convert::paired(&tree, &text).print(),
            convert::flat(&tree, &text).0,
        ]
        .join("\n----\n");
        let name = plan.rsplit('/').next().unwrap();
        snapshots("convert").bind(|| insta::assert_snapshot!(format!("forms_{name}"), shown));
    }
}

/// The finals of a run of a plan, by name, and the skips.
fn run(folder: &Path, plan: &str, more: &[&str]) -> (serde_json::Value, serde_json::Value) {
    let mut arguments = vec!["exec", plan, "--json"];
    arguments.extend(more);
    let output = normc(folder, &arguments);
    let said: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{plan}: {e}\n{}", String::from_utf8_lossy(&output.stderr)));
    let finals = said["finals"].as_object().unwrap();
    let data = finals.iter().map(|(name, value)| (name.clone(), value["data"].clone())).collect();
    (serde_json::Value::Object(data), said["skipped"].clone())
}

#[test]
fn converted_plans_run_alike() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans");
    let mut ran = 0;
    for plan in [
        "addition/addition_builtin.nc",
        "branches/branches.nc",
        "chain/chain.nc",
        "running_total/running_total.nc",
        "running_total/every_other.nc",
        "table/table.nc",
        "fallback/fallback.nc",
        "grouping/grouping.nc",
        "grouping/records.nc",
    ] {
        let text = std::fs::read_to_string(root.join(plan)).unwrap();
        if text.contains("%{script_location}") {
            continue;
        }
        let (folder, name) = plan.split_once('/').unwrap();
        let work = tempfile::tempdir().unwrap();
        std::fs::write(work.path().join(name), &text).unwrap();
        let (current, _) = restyled(name, &text, Style::Current);
        let (back, _) = restyled("c.ncd", &current, Style::Legacy);
        let raised = repo::raise(&compile(name, &text).repositories).outline.print();
        let expected: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(root.join(folder).join("expected.json")).unwrap())
                .unwrap();
        let arguments = expected["runs"].as_array().unwrap().iter().find(|r| r["plan"] == name);
        let inputs = arguments.and_then(|r| r["inputs"].as_str()).map(|i| root.join(folder).join(i));
        let inputs = inputs.map(|i| i.display().to_string());
        let more: Vec<&str> = inputs.iter().flat_map(|i| ["--inputs", i.as_str()]).collect();
        let wanted = run(work.path(), name, &more);
        for (form, text) in [("current", current), ("back", back), ("raised", raised)] {
            let file = format!("{form}.ncd");
            std::fs::write(work.path().join(&file), text).unwrap();
            assert_eq!(run(work.path(), &file, &more), wanted, "{plan} {form}");
            ran += 1;
        }
    }
    assert!(ran >= 18, "{ran}");
    println!("{ran} converted plans ran alike");
}

#[test]
fn the_command_converts_files() {
    let work = tempfile::tempdir().unwrap();
    let text = include_str!("../../plans/branches/branches.nc");
    std::fs::write(work.path().join("branches.nc"), text).unwrap();
    let ok = |arguments: &[&str]| {
        let output = normc(work.path(), arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    ok(&["convert", "branches.nc", "-o", "branches.ncd"]);
    let there = std::fs::read_to_string(work.path().join("branches.ncd")).unwrap();
    assert_eq!(there, ok(&["convert", "--to", "ncd", "branches.nc"]));
    // A bundle gives its own source while that is at hand, else source made from it.
    ok(&["compile", "branches.nc", "-o", "plan.json"]);
    assert_eq!(ok(&["convert", "--to", "ncd", "plan.json"]), there);
    std::fs::remove_file(work.path().join("branches.nc")).unwrap();
    let made = ok(&["convert", "--to", "nc", "plan.json"]);
    assert!(made.contains("<= *every({number})%:[{number}]@(1)"), "{made}");
    ok(&["convert", "--to", "repos", "plan.json", "-o", "repos"]);
    ok(&["import", "repos/concept.json", "repos/inference.json", "-o", "again.nc"]);
    assert_eq!(std::fs::read_to_string(work.path().join("again.nc")).unwrap(), made);
    let records = ok(&["convert", "plan.json", "-o", "-", "--to", "nci"]);
    assert!(serde_json::from_str::<serde_json::Value>(&records).unwrap()[0]["function_concept"].is_object());
    for arguments in
        [&["convert", "plan.json", "-o", "x.txt"][..], &["convert", "--to", "repos", "plan.json"]]
    {
        assert_eq!(normc(work.path(), arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn the_addition_in_the_current_spelling() {
    let text = include_str!("../../plans/addition/addition_builtin.nc");
    let (converted, diagnostics) = restyled("addition.nc", text, Style::Current);
    let said: Vec<String> = diagnostics.iter().map(|d| d.message.clone()).collect();
    let shown = format!("{converted}\n{}\n", said.join("\n"));
    snapshots("convert").bind(|| insta::assert_snapshot!("addition_current", shown));
}
