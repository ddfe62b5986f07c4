//! Fuzz targets: whatever text comes, it is read, resolved, checked, lowered and laid out without a panic, every
//! diagnostic stands inside the text, and what has no error loads.
//!
//! `cargo test --test fuzz` tries a second's worth of each; `BOLERO_RANDOM_TEST_TIME_MS=3600000 cargo test --release
//! --test fuzz` an hour's; `cargo bolero test --test fuzz any_lines` searches with coverage.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use bolero::{TypeGenerator, check};
use normc::base::{SourceFile, SourceMap};
use normc::diag::{self, Diagnostic};
use normc::repo::{self, LowerOptions, Repositories};
use normc::syntax::{self, Dialect};

/// Longer texts are cut: the time goes into many small ones.
const LONGEST: usize = 4_000;

fn cut(text: &str) -> &str {
    let end = (0..=LONGEST.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    &text[..end]
}

/// Everything that must hold for every text.
fn holds(text: &str, hint: Option<Dialect>) {
    let mut sources = SourceMap::default();
    let file = sources.add(SourceFile::new("plan.nc", text));
    let compiled = repo::compile(file, text, hint, &sources, &LowerOptions::default());
    for diagnostic in &compiled.diagnostics {
        for label in diagnostic.primary.iter().chain(&diagnostic.secondary) {
            let (start, end) = (label.span.start as usize, label.span.end as usize);
            assert!(text.get(start..end).is_some(), "{}: {start}..{end} of {}", diagnostic.code, text.len());
        }
        for edit in diagnostic.fix.iter().flat_map(|fix| &fix.edits) {
            let (start, end) = (edit.span.start as usize, edit.span.end as usize);
            assert!(text.get(start..end).is_some(), "fix of {}: {start}..{end}", diagnostic.code);
        }
        diag::short(diagnostic, &sources);
    }
    assert_eq!(compiled.model.is_none(), compiled.diagnostics.iter().any(Diagnostic::is_error));
    let formatted = syntax::format(&compiled.tree, text);
    let (again, _) = syntax::parse(file, &formatted, hint);
    assert_eq!(syntax::format(&again, &formatted), formatted, "formatted twice: {text:?}");
    let kinds = |tree: &syntax::Tree| {
        tree.nodes.iter().map(|n| (n.kind, n.depth, n.source.clone())).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&again), kinds(&compiled.tree), "formatted: {text:?}");
    let read = Repositories::read(&compiled.repositories.write()).expect("a written bundle reads");
    assert_eq!(read, compiled.repositories);
}

/// One line of a plan, put together from pieces that belong to plans.
#[derive(Debug, TypeGenerator)]
struct Line {
    indent: u8,
    marker: u8,
    text: u8,
    suffix: u8,
    note: u8,
    cut: u8,
}

const INDENTS: [&str; 10] =
    ["", "    ", "        ", "            ", "                ", "\t", "\t\t", "  ", " ", "\u{3000}"];
const MARKERS: [&str; 9] = ["<- ", "<= ", "<= ", "<- ", "<* ", ":<: ", "", "<^ ", "<-"];
const TEXTS: [&str; 48] = [
    "{a}",
    "{b}",
    "[b]",
    "<c>",
    "{数 值}",
    "{k: \"v\"}",
    "[{a}, {b}]",
    "{a}*1",
    "{x}*1*2",
    "{c}*-1",
    "*every({a})%:[{a}]@(1)^[{c}<*1>]",
    "*every({a}*1)@(2)",
    "*. %>([b]) %<({a}) %:({x}) %@(1)",
    "{x}<$([b])*>",
    "$.({a})",
    "$.",
    "$.([{a}, {b}])",
    "$.({a}<$={#}>)",
    "$. %>({a})",
    "$+({a}:{b})%:[{b}]",
    "$+ %>([b]) %<({a})",
    "$% %>([1, \"x\"]) %:([n])",
    "$- %>([b]) %^(<$*0>)",
    "$=({a})",
    "&across({a}:{b})",
    "&in({a};{b})",
    "&[#] %>[{a}] %+(n)",
    "&[{}] %>[{a}, {b}]",
    "@if(<c>)",
    "@if!(<c>)",
    "@after({b})",
    "@:'(<c>)",
    "@:!(<c>)",
    "@.({a})",
    "::(do {1} with {2}<$({b})%>)",
    "::<{1} is 0>",
    "::(q)<ALL True>",
    "::(q)<For Each {x} where ALL {y} False>",
    ":%(True):<{1} is 0>",
    "::{%(composition)}({prompt}: {1})",
    ":>:({a})",
    ":_:{m}({a})",
    "@by(1):({a})",
    "1.2.1.assigning|<= $.({a})",
    "words only",
    "(OUTPUT) the sum",
    "/: a remark",
    "| %{ref_axes}: [x, y]",
];
const SUFFIXES: [&str; 14] = [
    "",
    "",
    "",
    "",
    "<:{1}>",
    "<:{2}>",
    "<:{prompt}>",
    "<$={1}>",
    "<$={2}>",
    "?",
    "*",
    "<$({a})*>",
    "@1",
    ">",
];
const NOTES: [&str; 18] = [
    "",
    "",
    "",
    "",
    " | ref. [1, 2]",
    " | ref. %(n)=[[1], [2]]",
    " | 1.1. judgement",
    " | ?{flow_index}: 1.2",
    " | ?{sequence}: looping",
    " | %{script_location}: s.py",
    " | %{norm_input}: p",
    " | %{ref_axes}: [n]",
    " | %{literal}: 5",
    " # remark",
    " /: Ground: x",
    " | %{builtin}: add",
    "\r",
    " | %{effect}: once",
];

fn piece<'p>(pieces: &[&'p str], at: u8) -> &'p str {
    pieces[usize::from(at) % pieces.len()]
}

impl Line {
    fn write(&self, text: &mut String) {
        let start = text.len();
        text.push_str(piece(&INDENTS, self.indent));
        text.push_str(piece(&MARKERS, self.marker));
        text.push_str(piece(&TEXTS, self.text));
        text.push_str(piece(&SUFFIXES, self.suffix));
        text.push_str(piece(&NOTES, self.note));
        // Some lines lose their end.
        if self.cut < 24 {
            let keep = (text.len() - start) * usize::from(self.cut) / 24;
            let at = (0..=start + keep).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(start);
            text.truncate(at);
        }
        text.push('\n');
    }
}

#[test]
fn any_text() {
    check!().for_each(|bytes: &[u8]| holds(cut(&String::from_utf8_lossy(bytes)), None));
}

#[test]
fn any_lines() {
    check!().with_type::<(u8, Vec<Line>)>().for_each(|(dialect, lines)| {
        let mut text = String::new();
        lines.iter().for_each(|line| line.write(&mut text));
        let hints = [None, None, None, Some(Dialect::Draft), Some(Dialect::Natural), Some(Dialect::Paired)];
        holds(cut(&text), hints[usize::from(*dialect) % hints.len()]);
    });
}
