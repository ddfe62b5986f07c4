//! One mistake gives one diagnostic: good plans with one plausible mistake, and how much is said of it. And the
//! command line of `check`: formats, what is allowed and denied, resources.

use std::collections::BTreeMap;
use std::path::Path;

use normc::diag::{Diagnostic, Severity, short};

use crate::fix::{all_plans, compiled};

/// A plausible mistake: its name and the changed text, for the `n`th place it can be made at.
type Mistake = (&'static str, fn(&[&str], usize) -> Option<Vec<String>>);

const MISTAKES: [Mistake; 12] = [
    ("name misspelt", |lines, n| change(lines, n, |l| marked(l, "<-"), |l| insert_in_name(l))),
    ("bracket missing", |lines, n| change(lines, n, |l| l.contains('}'), |l| remove_last(l, '}'))),
    ("parenthesis missing", |lines, n| {
        change(lines, n, |l| l.contains("<=") && l.contains(')'), |l| remove_last(l, ')'))
    }),
    ("function line deleted", |lines, n| delete(lines, n, |l| marked(l, "<="))),
    ("value line deleted", |lines, n| delete(lines, n, |l| marked(l, "<-"))),
    ("loop number changed", |lines, n| {
        change(lines, n, |l| l.contains("@(1)"), |l| Some(l.replace("@(1)", "@(8)")))
    }),
    ("version changed", |lines, n| {
        change(lines, n, |l| marked(l, "<-") && l.contains("}*1"), |l| Some(l.replacen("}*1", "}*8", 1)))
    }),
    ("operator misspelt", |lines, n| change(lines, n, |l| marked(l, "<="), misspell)),
    ("marker missing", |lines, n| change(lines, n, |l| marked(l, "<-"), |l| Some(l.replacen("<- ", "", 1)))),
    ("slot changed", |lines, n| {
        change(lines, n, |l| l.contains("<:{1}>"), |l| Some(l.replacen("<:{1}>", "<:{7}>", 1)))
    }),
    ("indented by one more", |lines, n| change(lines, n, |l| marked(l, "<-"), |l| Some(format!(" {l}")))),
    ("condition misspelt", |lines, n| {
        change(
            lines,
            n,
            |l| l.contains("@if") && l.contains('<'),
            |l| l.rfind('>').map(|at| format!("{}x{}", &l[..at], &l[at..])),
        )
    }),
];

fn marked(line: &str, marker: &str) -> bool {
    line.trim_start().starts_with(marker)
}

/// The places of a mistake are spread over the plan: at most this many of each kind are tried.
const PLACES: usize = 4;

fn places(lines: &[&str], fits: impl Fn(&str) -> bool) -> Vec<usize> {
    let all: Vec<usize> = (0..lines.len()).filter(|i| fits(lines[*i])).collect();
    let step = all.len().div_ceil(PLACES).max(1);
    all.into_iter().step_by(step).collect()
}

fn change(
    lines: &[&str],
    n: usize,
    fits: fn(&str) -> bool,
    to: impl Fn(&str) -> Option<String>,
) -> Option<Vec<String>> {
    let at = *places(lines, fits).get(n)?;
    let mut changed: Vec<String> = lines.iter().map(|l| (*l).to_owned()).collect();
    changed[at] = to(lines[at])?;
    Some(changed)
}

fn delete(lines: &[&str], n: usize, fits: fn(&str) -> bool) -> Option<Vec<String>> {
    let at = *places(lines, fits).get(n)?;
    // The line with all that stands below it.
    let column = |l: &str| l.len() - l.trim_start().len();
    let below =
        lines[at + 1..].iter().take_while(|l| l.trim().is_empty() || column(l) > column(lines[at])).count();
    let kept = lines[..at].iter().chain(&lines[at + 1 + below..]);
    Some(kept.map(|l| (*l).to_owned()).collect())
}

fn insert_in_name(line: &str) -> Option<String> {
    let at = line.find(['{', '[']).filter(|at| line[*at..].len() > 4)? + 2;
    let at = (at..line.len()).find(|i| line.is_char_boundary(*i))?;
    Some(format!("{}q{}", &line[..at], &line[at..]))
}

fn remove_last(line: &str, c: char) -> Option<String> {
    let at = line.rfind(c)?;
    Some(format!("{}{}", &line[..at], &line[at + 1..]))
}

fn misspell(line: &str) -> Option<String> {
    for (right, wrong) in [
        ("*every", "*evry"),
        ("&across", "&acros"),
        ("&in", "&inn"),
        ("@if(", "@fi("),
        ("@after", "@aftr"),
        ("$.", "$,"),
        ("$+", "$*"),
        ("::(", ":;("),
    ] {
        if line.contains(right) {
            return Some(line.replacen(right, wrong, 1));
        }
    }
    None
}

fn worth_saying(diagnostics: &[Diagnostic]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for d in diagnostics.iter().filter(|d| d.severity > Severity::Info) {
        *counts.entry(format!("{} {}", d.code, d.message)).or_default() += 1;
    }
    counts
}

#[test]
fn one_mistake_gives_one_diagnostic() {
    let mut distribution: BTreeMap<&str, BTreeMap<usize, usize>> = BTreeMap::new();
    let mut worst = Vec::new();
    for (path, text) in all_plans() {
        let (before, _) = compiled(&path, &text);
        // Only what is good to begin with says something about one mistake.
        if path.components().any(|c| c.as_os_str() == "invalid")
            || before.model.is_none()
            || before.plan.inferences.is_empty()
        {
            continue;
        }
        let known = worth_saying(&before.diagnostics);
        let lines: Vec<&str> = text.split('\n').collect();
        for (name, make) in MISTAKES {
            for n in 0..PLACES {
                let Some(changed) = make(&lines, n) else { continue };
                let changed = changed.join("\n");
                if changed == text {
                    continue;
                }
                let (after, map) = compiled(&path, &changed);
                let mut left = known.clone();
                let new: Vec<&Diagnostic> = after
                    .diagnostics
                    .iter()
                    .filter(|d| d.severity > Severity::Info)
                    .filter(|d| match left.get_mut(&format!("{} {}", d.code, d.message)) {
                        Some(count) if *count > 0 => {
                            *count -= 1;
                            false
                        }
                        _ => true,
                    })
                    .collect();
                *distribution.entry(name).or_default().entry(new.len()).or_default() += 1;
                if new.len() > 1 {
                    let shown: Vec<String> = new.iter().map(|d| format!("    {}", short(d, &map))).collect();
                    let place = lines.iter().zip(changed.split('\n')).position(|(a, b)| *a != b).unwrap_or(0);
                    worst.push((
                        new.len(),
                        format!(
                            "{}:{} {name}: `{}`\n{}",
                            path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().display(),
                            place + 1,
                            changed.split('\n').nth(place).unwrap_or("").trim(),
                            shown.join("\n")
                        ),
                    ));
                }
            }
        }
    }
    worst.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
    if std::env::var_os("NORMC_CASCADES").is_some() {
        for (_, text) in &worst {
            println!("{text}");
        }
    }
    let mut all: BTreeMap<usize, usize> = BTreeMap::new();
    for (name, counts) in &distribution {
        println!("{name:24} {counts:?}");
        for (n, count) in counts {
            *all.entry(*n).or_default() += count;
        }
    }
    println!("{all:?}");
}
