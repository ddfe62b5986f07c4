//! What holds for every text: formatting twice is formatting once, the tree stays, no sign is lost.

use std::collections::BTreeMap;
use std::fmt::Write;

use proptest::prelude::*;

use super::rewrite::{format, rewrite};
use super::same::same;
use crate::base::FileId;
use crate::diag::{Code, Diagnostic};
use crate::syntax::{Line, LineClass, Tree, parse};

fn read(text: &str) -> (Tree, Vec<Diagnostic>) {
    parse(FileId(0), text, None)
}

/// The text without blanks, line ends and the mark at its start.
fn signs(text: &str) -> String {
    let blank = |c| matches!(c, ' ' | '\t' | '\u{a0}' | '\u{3000}' | '\n' | '\r');
    let signs: String = text.chars().filter(|c| !blank(*c)).collect();
    signs.trim_start_matches('\u{feff}').to_owned()
}

fn counts(diagnostics: &[Diagnostic]) -> BTreeMap<Code, usize> {
    let mut counts = BTreeMap::new();
    diagnostics.iter().for_each(|d| *counts.entry(d.code).or_insert(0) += 1);
    counts
}

/// What holds for a text and what it was formatted to.
fn laws(text: &str, written: &str) -> Result<(), String> {
    let (before, said) = read(text);
    let (after, says) = read(written);
    if !same(&before, &after) {
        return Err(format!("another tree:\n{text}\n---\n{written}"));
    }
    let again = format(&after, written);
    if again != written {
        return Err(format!("not settled:\n{text}\n---\n{written}\n---\n{again}"));
    }
    let (said, says) = (counts(&said), counts(&says));
    for (code, n) in &says {
        let layout = matches!(code, Code::NC010 | Code::NC011 | Code::NC014 | Code::NC016);
        if layout || said.get(code).is_none_or(|m| m < n) {
            return Err(format!("{n} {code}:\n{text}\n---\n{written}"));
        }
    }
    let inserted = said.get(&Code::NC016).copied().unwrap_or(0);
    let (old, new) = (signs(text), signs(written));
    if inserted == 0 && old != new || old.len() + 2 * inserted != new.len() {
        return Err(format!("signs differ:\n{text}\n---\n{written}"));
    }
    Ok(())
}

/// Prose between a line and its child: which of the two lines above the child belongs to is told by one column, and
/// there is no canonical column that would tell it too.
fn prose_above_a_child(tree: &Tree) -> bool {
    let heads: Vec<_> =
        tree.lines.iter().filter(|l| matches!(l.class, LineClass::Concept | LineClass::Prose)).collect();
    heads.windows(2).any(|pair| {
        let child =
            |l: &Line| l.node.and_then(|id| tree.node(id)).is_some_and(|n| !n.flat && n.parent.is_some());
        matches!(pair, [prose, line] if prose.class == LineClass::Prose && child(line))
    })
}

/// The laws, also without the way out of leaving a text as it is.
fn check(text: &str) {
    let (tree, _) = read(text);
    let written = format(&tree, text);
    assert_eq!(format(&read(&written).0, &written), written, "not settled: {text:?}");
    if prose_above_a_child(&tree) {
        return assert!(same(&tree, &read(&written).0));
    }
    assert_eq!(rewrite(&tree, text), written, "{text:?}");
    if let Err(broken) = laws(text, &written) {
        panic!("{broken}");
    }
    let ends = written.is_empty() || written.ends_with('\n') && !written.ends_with("\n\n");
    assert!(ends && !written.starts_with('\n'), "{written:?}");
    assert!(!written.lines().any(|l| l.ends_with([' ', '\t'])), "{written:?}");
}

const HEADS: &[&str] = &[
    "<- {a}",
    "<= ::(do {1})",
    "<-{b}",
    "<=$.({a})",
    "<* {c}*1",
    ":<:({goal})",
    ":<: {goal}",
    "{root}",
    "<= @if(<x>)",
    "<-\t[all  {x}]",
    "<- <x is {y}>",
    "<= *every({a})%:[{a}]@(1)",
    "<- a sentence  of words",
    "<= ::<the {1} is",
    "<= ::(open ({1}",
    "<-",
    "<=",
    "-> {a}",
    "(ACTION) it is done",
    "(INPUT 1) x",
    "[1.2] (VALUE) y",
    "[{a}, {b}]",
    "$.({a})",
    "1.2.object|<- {a}",
    "1.output|:<:({x})",
    "1.1.assigning|  <= $.({x})",
    "some prose here",
    "x, y)",
    "{b} | c)",
    "| x",
    "|%{ref_axes}: [a]",
    "| ?{flow_index}:1.2 |%{ref_shape} : (1)",
    "|---|--|",
    "|  +--+ x",
    "| text",
    "/: a comment",
    "/:tight",
    "# plain",
    "#tight",
    "// other",
    "?: why",
    "...:source",
    "?:",
    "/:",
    "|",
    "||",
    "<- {a} | 1.2. imperative",
    "<-# x",
    "<- # x",
    "<- {a}   # aside",
    "<- {a} /: said",
    "<- {long name}  // b",
    "({x})  1. assignment",
    "<- ({x}) 1.2. timing",
    "<= ::(a {1} |  %{k}: v",
    "\u{c}",
    "\u{feff}x",
    "<=: $.({a})",
    "%d9f(:<:(x))",
    "} ] )",
    "| \u{a0}/: x | y",
    "<-\u{3000}{a}",
    "<==x",
    ":< {a}",
    "名字 {数}",
    "<- {数}    /: 注释",
    "<- {a} | | 1.1.",
    "data%=[",
    "1, 2",
    "]",
    "",
    "",
    "  ",
];

fn blanks() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => (0usize..6).prop_map(|n| "    ".repeat(n)),
        3 => (0usize..14).prop_map(|n| " ".repeat(n)),
        1 => (0usize..4).prop_map(|n| "\t".repeat(n)),
        1 => Just("\u{3000} ".to_owned()),
        1 => Just(" \t\u{a0}".to_owned()),
    ]
}

fn ends() -> impl Strategy<Value = &'static str> {
    prop_oneof![12 => Just("\n"), 2 => Just("\r\n"), 1 => Just("\r"), 1 => Just("  \n")]
}

/// Lines in no order at all.
fn soup() -> impl Strategy<Value = String> {
    let line = (blanks(), prop::sample::select(HEADS), ends());
    prop::collection::vec(line, 0..14).prop_map(|lines| {
        lines.iter().fold(String::new(), |mut text, (blanks, head, end)| {
            let _ = write!(text, "{blanks}{head}{end}");
            text
        })
    })
}

/// Texts of the signs the language is made of.
fn noise() -> impl Strategy<Value = String> {
    "[ \t\u{a0}\n\r|/:#?<=*^{}()\\[\\]%$.1a>-]{0,80}"
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_lines(text in soup()) {
        check(&text);
    }

    #[test]
    fn any_signs(text in noise()) {
        check(&text);
    }
}
