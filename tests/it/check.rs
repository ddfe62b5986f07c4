//! One mistake gives one diagnostic: good plans with one plausible mistake, and how much is said of it. And the
//! command line of `check`: formats, what is allowed and denied, resources.

use std::collections::BTreeMap;

use normc::diag::{Diagnostic, Severity, short};

use crate::cli::run;
use crate::fix::{all_plans, compiled};
use crate::support::snapshots;

/// A plausible mistake: its name and the changed text, for the `n`th place it can be made at.
type Mistake = (&'static str, fn(&[&str], usize) -> Option<Vec<String>>);

const MISTAKES: [Mistake; 12] = [
    ("name misspelt", |lines, n| change(lines, n, |l| marked(l, "<-"), insert_in_name)),
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
const PLACES: usize = 2;

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
                if new.is_empty() && std::env::var_os("NORMC_SILENT").is_some() {
                    let place = lines.iter().zip(changed.split('\n')).position(|(a, b)| *a != b).unwrap_or(0);
                    println!(
                        "silent {name}: {}:{} {}",
                        path.display(),
                        place + 1,
                        changed.split('\n').nth(place).unwrap_or("")
                    );
                }
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
    let several: usize = all.iter().filter(|(n, _)| **n > 1).map(|(_, count)| count).sum();
    let made: usize = all.values().sum();
    // What is left has two causes to the eye as well: a line left out moves the indices written on others, say.
    assert!(several * 20 < made, "{several} of {made} mistakes give more than one diagnostic");
}

/// The files, then each command with all it prints.
fn transcript(files: &[(&str, &str)], commands: &[&[&str]]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::new();
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        text.push_str(&format!("--- {name}\n{}\n", content.trim_end_matches('\n')));
    }
    for command in commands {
        run(&mut text, folder.path(), command);
    }
    text
}

/// Characters that are wide, a continued line, a fix with two edits, a second place, a note.
const WIDE: &str = "# 数字\n:<:({总和})\n    <= ::(add {1}<$({第一})%_> and\n        {2}<$({第二})%_>) # 整数\n    <- \
                    {第二}<:{1}>\n    <- {第一}<:{2}>\n    <- {数}<注><:{3}>\n";

#[test]
fn every_format() {
    let mut text = transcript(
        &[("计 划.nc", WIDE)],
        &[
            &["check", "计 划.nc"],
            &["check", "--format", "short", "计 划.nc"],
            &["check", "--format", "github", "计 划.nc"],
            &["check", "--format", "json", "计 划.nc"],
            &["check", "--format", "sarif", "计 划.nc"],
        ],
    );
    // One line of JSON is read by programs; a reader wants lines.
    text = text
        .lines()
        .map(|line| match serde_json::from_str::<serde_json::Value>(line) {
            Ok(mut json) if json.is_object() => {
                for rule in json
                    .pointer_mut("/runs/0/tool/driver/rules")
                    .and_then(|r| r.as_array_mut())
                    .into_iter()
                    .flatten()
                {
                    rule["help"] = serde_json::Value::from("(the page)");
                }
                format!("{json:#}\n")
            }
            _ => format!("{line}\n"),
        })
        .collect();
    snapshots("cli").bind(|| insta::assert_snapshot!("check_formats", text));
}

const SEVERAL: &str = "# normc: allow NC035, NC081\n:<:({bill})\n    <= ::(bill {1}<$({order})%_>)\n        <= \
                       @if(<order>)\n    <- {order}<:{1}> # one\n    <- <order>\n        <= \
                       ::<{1}<$({stock})%_> covers it><ALL True>\n        <- {stock}<:{1}>\n";

#[test]
fn what_is_allowed_and_denied() {
    let text = transcript(
        &[("plan.nc", SEVERAL), ("other.nc", &SEVERAL.replace("# normc: allow NC035, NC081\n", ""))],
        &[
            &["check", "--format", "short", "plan.nc"],
            &["check", "--format", "short", "other.nc"],
            &["check", "--format", "short", "--allow", "NC035,nc041", "other.nc"],
            &["check", "--format", "short", "--deny", "NC035", "--deny", "warnings", "other.nc"],
            &["check", "--format", "short", "--deny", "warnings", "plan.nc"],
            &["check", "--allow", "NC081", "plan.nc"],
            &["check", "--deny", "NC999", "plan.nc"],
        ],
    );
    snapshots("cli").bind(|| insta::assert_snapshot!("check_allow", text));
}

const NAMES: &str = ":<:({report})\n    <= ::(report {1} and {2})\n        | %{script_location}: \
                     scripts/reprot.py\n    <- {text}<:{1}>\n        <= ::(write about {1})\n            | \
                     %{prompt_location}: prompts/写.md\n        <- {notes}<:{1}>\n            | \
                     %{file_location}: ../notes.txt\n    <- {table}<:{2}> | %{file_location}: data/[a]*.csv\n";

#[test]
fn what_a_plan_names() {
    let text = transcript(
        &[
            ("plan/plan.nc", NAMES),
            ("plan/scripts/report.py", "result = input_1\n"),
            ("plan/prompts/写.md", "Write about $input_2.\n"),
            ("notes.txt", "notes\n"),
            ("alone/plan.nc", NAMES),
        ],
        &[
            &["check", "plan/plan.nc"],
            &["check", "--resources", "plan/plan.nc"],
            &["check", "--resources", "--format", "json", "plan/plan.nc"],
            &["check", "alone/plan.nc"],
            &["check", "--resources", "--format", "short", "alone/plan.nc"],
            &["check", "--resources", "--base-dir", "plan", "--format", "short", "alone/plan.nc"],
        ],
    );
    snapshots("cli").bind(|| insta::assert_snapshot!("check_resources", text));
}
