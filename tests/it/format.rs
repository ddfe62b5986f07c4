//! Formatting: what holds for every plan of the corpus and of the project, how formatted plans look, and the command.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use normc::base::{FileId, SourceFile, SourceMap};
use normc::diag::{Code, Diagnostic};
use normc::repo::{self, Compiled, LowerOptions};
use normc::syntax::{self, Dialect, Tree};
use proptest::prelude::*;

use crate::measure::{alone, assert_linear};
use crate::plans::normc;
use crate::support::{extra_folders, snapshots};

/// The extensions of source text.
const SOURCES: [&str; 5] = ["nc", "ncd", "ncds", "ncn", "ncdn"];

/// All plans as source text in a folder and the folders in it, in order.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().and_then(|e| e.to_str()).is_some_and(|e| SOURCES.contains(&e)) {
            found.push(path);
        }
    }
    found
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn format(text: &str, hint: Option<Dialect>) -> (Tree, Vec<Diagnostic>, String) {
    let (tree, diagnostics) = syntax::parse(FileId(0), text, hint);
    let written = syntax::format(&tree, text);
    (tree, diagnostics, written)
}

fn compile(text: &str, hint: Option<Dialect>) -> Compiled {
    let mut map = SourceMap::default();
    let file = map.add(SourceFile::new("plan.nc", text.to_owned()));
    repo::compile(file, text, hint, &map, &LowerOptions::default())
}

/// What a plan says, line by line, without where it says it.
fn told(tree: &Tree) -> Vec<String> {
    let list = |annotations: &[syntax::Annotation]| {
        annotations.iter().map(|a| format!("{:?} {:?} {:?}", a.kind, a.key, a.value)).collect::<Vec<_>>()
    };
    let node = |n: &syntax::Node| {
        let (own, before) = (list(&n.annotations), list(&n.leading));
        format!(
            "{} {} {:?} {:?} {:?} {:?} {own:?} {before:?}",
            n.flow_index, n.depth, n.marker, n.kind, n.text, n.source
        )
    };
    tree.nodes.iter().map(node).chain(list(&tree.trailing)).collect()
}

fn counts(diagnostics: &[Diagnostic]) -> BTreeMap<Code, usize> {
    let mut counts = BTreeMap::new();
    diagnostics.iter().for_each(|d| *counts.entry(d.code).or_insert(0) += 1);
    counts
}

/// All signs that are no blanks, but for a mark at the start.
fn signs(text: &str) -> String {
    let text = text.trim_start_matches('\u{feff}');
    text.chars().filter(|c| !matches!(c, ' ' | '\t' | '\u{a0}' | '\u{3000}' | '\n' | '\r')).collect()
}

/// What must hold for a plan and its formatted text.
fn laws(text: &str, hint: Option<Dialect>) -> Result<(), String> {
    let (tree, said, written) = format(text, hint);
    let (after, says, again) = format(&written, hint);
    if again != written {
        return Err(format!("formatted again it changes:\n{written}\n---\n{again}"));
    }
    let (one, other) = (told(&tree), told(&after));
    if let Some((one, other)) = one.iter().zip(&other).find(|(a, b)| a != b) {
        return Err(format!("reads otherwise: {one}\n{other}"));
    }
    if one.len() != other.len() {
        return Err("other lines".to_owned());
    }
    let step = if tree.nodes.iter().any(|n| n.depth > 32) { 2 } else { 4 };
    for node in after.nodes.iter().filter(|n| !n.flat) {
        let line = after.lines[node.line as usize - 1];
        if line.column != node.depth * step || line.content - line.span.start != line.column {
            return Err(format!("line {} stands at column {}", node.line, line.column));
        }
    }
    let (said, says) = (counts(&said), counts(&says));
    for (code, n) in &says {
        let layout = matches!(code, Code::NC010 | Code::NC011 | Code::NC014 | Code::NC016);
        if layout || said.get(code).is_none_or(|before| before < n) {
            return Err(format!("{n} {code}"));
        }
    }
    let inserted = 2 * said.get(&Code::NC016).copied().unwrap_or(0);
    let (old, new) = (signs(text), signs(&written));
    if old.len() + inserted != new.len() || inserted == 0 && old != new {
        return Err("signs are lost or added".to_owned());
    }
    let (one, other) = (compile(text, hint).repositories, compile(&written, hint).repositories);
    if one.concepts != other.concepts || one.inferences != other.inferences {
        return Err("compiles to something else".to_owned());
    }
    Ok(())
}

fn all_hold(folder: &Path) -> (usize, Vec<String>) {
    let mut wrong = Vec::new();
    let mut read = 0;
    for path in sources(folder) {
        let Ok(text) = String::from_utf8(fs::read(&path).unwrap()) else { continue };
        read += 1;
        let hint = path.extension().and_then(|e| e.to_str()).and_then(Dialect::from_extension);
        if let Err(error) = laws(&text, hint) {
            wrong.push(format!("{}: {error}", path.display()));
        }
    }
    (read, wrong)
}

#[test]
fn formatting_keeps_every_plan_of_the_corpus() {
    for folder in extra_folders("tests/corpus", "NORMC_CORPUS") {
        let (read, wrong) = all_hold(&folder);
        assert!(read > 10, "{}: {read}", folder.display());
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[test]
fn formatting_keeps_every_plan_of_the_project() {
    let (read, wrong) = all_hold(&project().join("plans"));
    assert!(read > 60, "{read}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_plans_of_the_project_are_formatted() {
    let bad = project().join("plans/invalid");
    for path in sources(&project().join("plans")).into_iter().filter(|p| !p.starts_with(&bad)) {
        let text = fs::read_to_string(&path).unwrap();
        let hint = path.extension().and_then(|e| e.to_str()).and_then(Dialect::from_extension);
        assert_eq!(format(&text, hint).2, text, "run `normc fmt {}`", path.display());
    }
}

/// How a plan is laid out by somebody in a hurry.
#[derive(Debug, Clone)]
struct Hurry {
    unit: &'static str,
    end: &'static str,
    lines: Vec<(usize, u8, u8)>,
}

fn hurry() -> impl Strategy<Value = Hurry> {
    let unit = prop::sample::select(vec!["  ", "   ", "    ", "\t", "\u{3000}\u{3000}", "      "]);
    let end = prop::sample::select(vec!["\n", "\r\n", "\r"]);
    let lines = prop::collection::vec((0usize..5, any::<u8>(), any::<u8>()), 1..40);
    (unit, end, lines).prop_map(|(unit, end, lines)| Hurry { unit, end, lines })
}

/// A plan in which each line is a child of the last one of its depth, with all there is around lines.
fn hurried(hurry: &Hurry) -> String {
    let mut text = String::new();
    let mut above = 0;
    for (n, (depth, what, around)) in hurry.lines.iter().enumerate() {
        let depth = if n == 0 { 0 } else { (*depth).clamp(1, above + 1) };
        let blanks = hurry.unit.repeat(depth);
        let deeper = hurry.unit.repeat(depth + 1);
        let end = hurry.end;
        for (bit, before) in [
            (1, format!("{end}{end}")),
            (2, format!("{blanks}/: before {n}{end}")),
            (4, format!("# at the margin {n}{end}")),
        ] {
            if around & bit > 0 && n > 0 {
                text.push_str(&before);
            }
        }
        let line = match what % 8 {
            0 => format!("<- {{value  {n}}}"),
            1 => format!("<=::(do {{1}} \t to {n})"),
            2 => format!("<- [all {{x}} of {n}]|?{{flow_index}}:1.{n}|%{{ref_axes}}: [a]"),
            3 => format!("<* {{context {n}}} | 1.{n}. imperative"),
            4 => format!("<= ::(open {{1}} and{end}{deeper}  {{2}} of {n})"),
            5 => format!("<- {{x {n}}}     /: aside{end}{deeper}      /: below"),
            6 => format!("{{bare {n}}}"),
            _ => format!("<- <x {n} is   done>\t"),
        };
        let root = if n == 0 { ":<: {goal}".to_owned() } else { line };
        text.push_str(&format!("{blanks}{root}{end}"));
        for (bit, after) in [
            (8, format!("{blanks}/:after {n}{end}")),
            (16, format!("{deeper}# deeper {n}{end}")),
            (32, format!("{deeper}|%{{prompt_location}}:a/{n}.md | text{end}")),
            (64, format!("|%{{ref_shape}}: (1){end}")),
            (128, format!("{deeper}{end}")),
        ] {
            if around & bit > 0 {
                text.push_str(&after);
            }
        }
        above = depth;
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn formatting_keeps_hurried_plans(hurry in hurry()) {
        let text = hurried(&hurry);
        prop_assert_eq!(laws(&text, None), Ok(()), "{}", text);
    }
}

#[test]
fn formatted_plans_look_like_this() {
    let folder = project().join("tests/corpus");
    for (name, file) in [
        ("wrapped", "edge/E01_wrapped.nc"),
        ("tabs", "edge/E03_tabs.nc"),
        ("two_blanks", "edge/E04_two_space.nc"),
    ] {
        let text = fs::read_to_string(folder.join(file)).unwrap();
        snapshots("format").bind(|| insta::assert_snapshot!(name, format(&text, None).2));
    }
    for (name, text) in CASES {
        let shown = format!("{text}\n---\n{}", format(text, None).2);
        snapshots("format").bind(|| insta::assert_snapshot!(*name, shown));
    }
}

/// What the corpus does not show.
const CASES: &[(&str, &str)] = &[
    (
        "comments",
        "# of the file\n\n\n:<:   ({x})\n# leads the function, less deep than nothing\n  <= $.({y})\n  /: of the function\n      # of it, \
         deeper\n  <- {y}     /: aside\n             /: goes on below\n      <- {z} // beside\n/: leads b\n  <- {b}\n\n\n",
    ),
    (
        "annotations",
        "{x}|1. assigning\n  <= $.({y})\n     |%{a}:b|?{flow_index} :1.1\n|%{less}: deep\n  <- {y}\n    |  +---+\n    |  | a \
         |\n    |  +---+\n    |word\n    | said | twice\n",
    ),
    (
        "broken",
        "Some prose.\n  It goes on.\n\n<-{x}\n   <=$.({y})\n    {y}\n      stray   words\n   <- ->{z}\n\ndata%=[\n   1,\n     2\n]\n",
    ),
    ("flat", "\n1.output|:<:({x})  \n1.1.assigning|<=  $.({y})\n    1.2.object| {y}\n"),
    ("roles", "(OUTPUT)  the sum\n  (ACTION) is  added\n\t(VALUE)   a number\n"),
    ("indented_root", "    :<:({x})\n# not of the root\n        <= $.({y})\n        <- {y}\n"),
];

#[test]
fn the_line_ends_of_most_lines_are_kept() {
    let (.., written) = format("\u{feff}{x}\r\n  <= $.({y})\r\n  <- {y}\n", None);
    assert_eq!(written, "{x}\r\n    <= $.({y})\r\n    <- {y}\r\n");
    let (.., written) = format("{x}\r\n  <= $.({y})\n  <- {y}", None);
    assert_eq!(written, "{x}\n    <= $.({y})\n    <- {y}\n");
    assert_eq!(format("{x}\r  <= $.({y})\r", None).2, "{x}\n    <= $.({y})\n");
    assert_eq!(format("\u{feff} \n\n", None).2, "");
}

#[test]
fn deep_plans_are_indented_by_two() {
    let plan = |depth: usize, unit: usize| -> String {
        (0..depth).map(|n| format!("{}<- {{x {n}}}\n", " ".repeat(n * unit))).collect()
    };
    assert_eq!(format(&plan(33, 2), None).2, plan(33, 4));
    assert_eq!(format(&plan(34, 4), None).2, plan(34, 2));
    assert_eq!(format(&plan(2_000, 2), None).2, plan(2_000, 2));
}

#[test]
fn formatting_takes_linear_time() {
    if !alone("format::formatting_takes_linear_time") {
        return;
    }
    let run = |text: &String| {
        format(text, None);
    };
    let lines = |n| -> String {
        (0..n).map(|n| format!("  <- {{x {n}}}   /: a\n      /: b\n# c\n|%{{k}}: v|w\n")).collect()
    };
    assert_linear("lines, formatted", 2_000, lines, run);
    assert_linear(
        "one line, formatted",
        100_000,
        |n| format!("<- {{x}}{}", "  | a /: b".repeat(n / 10)),
        run,
    );
    assert_linear("an open line, formatted", 2_000, |n| format!("<= ::(a\n{}", "    b  {c\n".repeat(n)), run);
}

fn copy(name: &str, text: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    (folder, path)
}

fn outcome(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = normc(folder, arguments);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

const UGLY: &str = "{x}\n  <= $.({y})   \n  <-{y}\n";
const NEAT: &str = "{x}\n    <= $.({y})\n    <- {y}\n";

#[test]
fn fmt_writes_in_place() {
    let (folder, path) = copy("a.nc", UGLY.as_bytes());
    fs::write(folder.path().join("b.nc"), NEAT).unwrap();
    let (exit, out, err) = outcome(folder.path(), &["fmt", "a.nc", "b.nc"]);
    assert_eq!((exit, out.as_str()), (Some(0), ""));
    assert_eq!(err, "formatted a.nc\n1 file formatted, 1 file right already\n");
    assert_eq!(fs::read_to_string(&path).unwrap(), NEAT);
    let (exit, _, err) = outcome(folder.path(), &["fmt", "a.nc"]);
    assert_eq!((exit, err.as_str()), (Some(0), "1 file right already\n"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left beside");
}

#[test]
fn fmt_looks_without_writing() {
    let (folder, path) = copy("a.nc", UGLY.as_bytes());
    fs::write(folder.path().join("b.nc"), NEAT).unwrap();
    let (exit, out, err) = outcome(folder.path(), &["fmt", "--check", "a.nc", "b.nc"]);
    assert_eq!((exit, out.as_str()), (Some(1), "a.nc\n"));
    assert_eq!(err, "1 file not in canonical layout, 1 file right already\n");
    let (exit, out, _) = outcome(folder.path(), &["fmt", "--diff", "a.nc", "b.nc"]);
    assert_eq!(exit, Some(1));
    assert_eq!(
        out,
        "--- a.nc\n+++ a.nc\n@@ -1,3 +1,3 @@\n {x}\n-  <= $.({y})   \n-  <-{y}\n+    <= $.({y})\n+    <- {y}\n"
    );
    let (exit, out, _) = outcome(folder.path(), &["fmt", "--check", "--format", "json", "a.nc", "b.nc"]);
    assert_eq!(exit, Some(1));
    let list: serde_json::Value = serde_json::from_str(&out).unwrap();
    let expected = serde_json::json!({"files": [{"file": "a.nc", "status": "differs"}, {"file": "b.nc", "status": "right"}]});
    assert_eq!(list, expected);
    assert_eq!(fs::read_to_string(&path).unwrap(), UGLY);
    assert_eq!(outcome(folder.path(), &["fmt", "--check", "b.nc"]).0, Some(0));
}

#[test]
fn fmt_reads_standard_input() {
    use std::io::Write;
    use std::process::Stdio;
    let folder = tempfile::tempdir().unwrap();
    for (arguments, exit, expected) in
        [(&["fmt", "-"][..], 0, NEAT), (&["fmt", "--check", "-"][..], 1, "<stdin>\n")]
    {
        let mut child = crate::support::program(folder.path())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(UGLY.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(exit));
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    }
}

#[test]
fn fmt_leaves_what_it_cannot_read() {
    let (folder, path) = copy("bad.nc", b"{x}\n  <= \xff\n");
    fs::write(folder.path().join("a.nc"), UGLY).unwrap();
    fs::write(folder.path().join("plan.json"), "{}").unwrap();
    let (exit, _, err) = outcome(folder.path(), &["fmt", "bad.nc", "a.nc"]);
    assert_eq!(exit, Some(1));
    assert!(err.contains("NC001") && err.contains("1 file formatted, 1 file failed"), "{err}");
    assert_eq!(fs::read(&path).unwrap(), b"{x}\n  <= \xff\n");
    assert_eq!(fs::read_to_string(folder.path().join("a.nc")).unwrap(), NEAT);
    assert_eq!(outcome(folder.path(), &["fmt", "none.nc"]).0, Some(66));
    assert_eq!(outcome(folder.path(), &["fmt", "plan.json"]).0, Some(65));
    assert_eq!(outcome(folder.path(), &["fmt"]).0, Some(2));
}

#[cfg(unix)]
#[test]
fn fmt_keeps_permissions_and_links() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let (folder, path) = copy("a.nc", UGLY.as_bytes());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&path, folder.path().join("link.nc")).unwrap();
    assert_eq!(outcome(folder.path(), &["fmt", "link.nc"]).0, Some(0));
    assert!(fs::symlink_metadata(folder.path().join("link.nc")).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&path).unwrap(), NEAT);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    fs::write(&path, UGLY).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).unwrap();
    let (exit, _, err) = outcome(folder.path(), &["fmt", "a.nc"]);
    assert_eq!(exit, Some(74), "{err}");
    assert_eq!(fs::read_to_string(&path).unwrap(), UGLY);
}

/// A control character takes a blank in one round and a pipe behind it one in the next.
#[test]
fn signs_that_are_no_characters_settle() {
    for text in ["->\0|", "<-\0|\0|", "->\u{1}| a"] {
        let parsed = |text: &str| normc::syntax::parse(normc::base::FileId(0), text, None).0;
        let once = normc::syntax::format(&parsed(text), text);
        assert_eq!(normc::syntax::format(&parsed(&once), &once), once, "{text:?}");
    }
}
