//! Small accidents in good plans: a line or character that is deleted, doubled, swapped or cut off. Whatever happens,
//! the compiler ends, and when the plan became invalid, something is said within two lines of the accident.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use normc::base::{SourceFile, SourceMap};
use normc::diag::Diagnostic;
use normc::repo::{self, LowerOptions};
use normc::syntax::Dialect;

use crate::corpus;

/// Accidents that are tried.
const ACCIDENTS: usize = 1_000;
/// How far from the accident a diagnostic may stand, in lines.
const NEAR: usize = 2;

/// A small generator of numbers, the same on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 11) % n.max(1) as u64).unwrap()
    }
}

/// What was found in a text: codes with the lines of all their labels, and which of them are errors.
struct Found {
    lines: Vec<(String, RangeInclusive<usize>, bool)>,
}

impl Found {
    fn in_text(text: &str, extension: &str) -> Self {
        let mut sources = SourceMap::default();
        let file = sources.add(SourceFile::new("plan", text));
        let hint = Dialect::from_extension(extension);
        let compiled = repo::compile(file, text, hint, &sources, &LowerOptions::default());
        let at = |offset: u32| sources.file(file).unwrap().place(offset).line as usize;
        let line = |d: &Diagnostic| {
            let labels = d.primary.iter().chain(&d.secondary);
            labels
                .map(|l| (d.code.to_string(), at(l.span.start)..=at(l.span.end), d.is_error()))
                .collect::<Vec<_>>()
        };
        Self { lines: compiled.diagnostics.iter().flat_map(line).collect() }
    }

    fn errors(&self) -> usize {
        self.lines.iter().filter(|(_, _, error)| *error).count()
    }
}

/// A text with one accident, what happened, and its line in the new text (from 1).
fn accident(text: &str, dice: &mut Dice) -> (String, String, usize) {
    let lines: Vec<&str> = text.split('\n').collect();
    let filled: Vec<usize> = (0..lines.len()).filter(|i| !lines[*i].trim().is_empty()).collect();
    let at = filled[dice.below(filled.len())];
    let mut new: Vec<String> = lines.iter().map(|l| (*l).to_owned()).collect();
    let chars: Vec<char> = lines[at].chars().collect();
    let place = dice.below(chars.len());
    let piece = |range: &[char]| range.iter().collect::<String>();
    let what = match dice.below(8) {
        0 => {
            new.remove(at);
            "line deleted"
        }
        1 => {
            new.insert(at, lines[at].to_owned());
            "line doubled"
        }
        2 if at + 1 < new.len() => {
            new.swap(at, at + 1);
            "lines swapped"
        }
        3 => {
            new[at] = piece(&chars[..place]);
            "line cut off"
        }
        4 => {
            new[at] = piece(&chars[..place]) + &piece(&chars[place + 1..]);
            "character deleted"
        }
        5 => {
            new[at] = piece(&chars[..=place]) + &piece(&chars[place..]);
            "character doubled"
        }
        6 if place + 1 < chars.len() => {
            let mut swapped = chars.clone();
            swapped.swap(place, place + 1);
            new[at] = piece(&swapped);
            "characters swapped"
        }
        _ => {
            new.truncate(at + 1);
            new[at] = piece(&chars[..place]);
            "text cut off"
        }
    };
    (new.join("\n"), format!("{what} at line {}: `{}`", at + 1, lines[at]), at + 1)
}

/// Plans without an error: the project's own, and the corpus'.
fn good_plans() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<PathBuf> = corpus::plans(&corpus::own_folder()).into_iter().map(|p| p.path).collect();
    for folder in std::fs::read_dir(root.join("plans")).unwrap() {
        let folder = folder.unwrap().path();
        if folder.ends_with("invalid") {
            continue;
        }
        let inside = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path());
        files.extend(inside.filter(|f| f.extension().is_some_and(|e| e == "nc" || e == "ncd")));
    }
    files.sort();
    let mut plans = Vec::new();
    for file in files {
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let extension = file.extension().unwrap().to_string_lossy().into_owned();
        if !text.trim().is_empty() && Found::in_text(&text, &extension).errors() == 0 {
            plans.push((file, text));
        }
    }
    assert!(plans.len() > 20, "{} good plans", plans.len());
    plans
}

#[test]
fn an_accident_is_reported_where_it_happened() {
    let plans = good_plans();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let (mut invalid, mut far) = (0, Vec::new());
    for _ in 0..ACCIDENTS {
        let (file, text) = &plans[dice.below(plans.len())];
        let extension = file.extension().unwrap().to_string_lossy();
        let (new, what, line) = accident(text, &mut dice);
        let found = Found::in_text(&new, &extension);
        if found.errors() == 0 {
            continue;
        }
        invalid += 1;
        let near = found
            .lines
            .iter()
            .any(|(_, lines, _)| *lines.start() <= line + NEAR && line <= *lines.end() + NEAR);
        if !near {
            let said: BTreeSet<String> =
                found.lines.iter().map(|(code, lines, _)| format!("{code} at {}", lines.start())).collect();
            let name = file.file_name().unwrap().to_string_lossy();
            far.push(format!(
                "{name}: {what}\n    {}",
                said.into_iter().take(6).collect::<Vec<_>>().join(", ")
            ));
        }
    }
    println!("{ACCIDENTS} accidents, {invalid} made a plan invalid, {} reported elsewhere only", far.len());
    assert!(far.is_empty(), "{}", far.join("\n"));
    assert!(invalid > ACCIDENTS / 10, "too few accidents that matter: {invalid}");
}
