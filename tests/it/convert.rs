//! Conversions: between the formal spellings, to sentences, from repositories back to source. The laws hold over every
//! plan of the project and of the corpus.

use std::path::{Path, PathBuf};

use normc::base::{FileId, SourceFile, SourceMap};
use normc::diag::{Code, Diagnostic};
use normc::repo::{self, Compiled, LowerOptions};
use normc::syntax::convert::{Style, restyle};
use normc::syntax::{Dialect, parse};

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
        format!("{} {sequence} {}", i.flow_index(), i.values().len().min(if sequence == "timing" { 0 } else { 99 }))
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

#[test]
fn the_addition_in_the_current_spelling() {
    let text = include_str!("../../plans/addition/addition_builtin.nc");
    let (converted, diagnostics) = restyled("addition.nc", text, Style::Current);
    let said: Vec<String> = diagnostics.iter().map(|d| d.message.clone()).collect();
    let shown = format!("{converted}\n{}\n", said.join("\n"));
    snapshots("convert").bind(|| insta::assert_snapshot!("addition_current", shown));
}
