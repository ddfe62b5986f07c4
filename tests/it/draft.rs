//! Drafts as skeletons: what every kind of sentence is read as, every draft of the corpus, and what the program says.

use std::fmt::Write as _;
use std::path::Path;

use normc::base::{SourceFile, SourceMap};
use normc::diag::Code;
use normc::repo::{Compiled, LowerOptions, Sentences, compile};
use normc::syntax::Dialect;
use proptest::prelude::*;

use crate::measure::{alone, assert_linear};
use crate::plans::normc;
use crate::support::snapshots;

fn skeleton(text: &str) -> (Compiled, SourceMap) {
    let mut sources = SourceMap::default();
    let file = sources.add(SourceFile::new("draft.ncds", text));
    let options = LowerOptions { sentences: Sentences::Steps, ..LowerOptions::default() };
    (compile(file, text, Some(Dialect::Draft), &sources, &options), sources)
}

/// What each sentence is read as, and what is an error.
fn readings(text: &str) -> String {
    let (compiled, sources) = skeleton(text);
    let mut out = String::new();
    for d in compiled.diagnostics.iter().filter(|d| d.code == Code::NC070 || d.is_error()) {
        let span = d.primary.as_ref().unwrap().span;
        let what = d.message.split_once("read as ").map_or(d.message.as_str(), |(_, formal)| formal);
        writeln!(out, "{}  ->  {what}", sources.text(span).unwrap()).unwrap();
    }
    out
}

#[test]
fn sentences() {
    let table = [
        // Names.
        ("<- total\n    <= add them\n    <- numbers\n    <- is it enough?\n", "a plural, a question"),
        ("<- total | relation\n    <= add them\n    <- data | object\n", "declared kinds"),
        ("<- total\n    <= add (them\n    <- the {x number\n", "brackets without a partner"),
        ("<- {total}\n    <= add them\n    <- total\n    <- {number}   ← what is added\n", "written names"),
        // Loops.
        (
            "<- bills\n    <= for every order\n        <= return the bill\n        <- bill\n            <= write a bill\n            <- current order\n    <- orders\n",
            "a loop without a context line",
        ),
        (
            "<- bills\n    <= for each order in the list\n        <= return the bill\n        <- bill\n            <= write a bill\n            <- this one\n    <- orders\n    <* this one from orders\n    <^ debt with previous value\n",
            "a loop with context lines",
        ),
        ("<- bills\n    <= for every order, write a bill\n    <- orders\n", "one instruction"),
        (
            "<- bills\n    <= for every order\n        <= return the bill\n        <- bill\n            <= write a bill\n            <- order\n",
            "a base without a line",
        ),
        // Choices.
        (
            "<- answer\n    <= select the long answer if there is one, otherwise the answer in short\n    <- answer in short\n        <= guess\n    <- long answer\n        <= think\n",
            "candidates in the order of the sentence",
        ),
        (
            "<- result\n    <= return it\n    <- a\n        <= do it\n    <- b\n        <= do more\n        <- a\n",
            "no candidate is named",
        ),
        // Groupings and appends.
        ("<- both\n    <= bundle the two\n    <- a\n    <- b\n", "in"),
        ("<- both\n    <= collect a and b together\n    <- a\n    <- b\n", "across"),
        ("<- both\n    <= collect what there is\n    <- a\n", "collecting as an instruction"),
        ("<- history\n    <= append the line to the history\n    <- line\n", "append"),
        ("<- total\n    <= add 3 to it\n    <- number\n", "not every addition is an append"),
        // Timings.
        (
            "<- answer\n    <= think\n        <= if the question is hard\n    <- the question is hard?\n        <= judge if it is hard\n        <- question\n",
            "a condition of the plan",
        ),
        (
            "<- answer\n    <= think\n        <= if the question is NOT hard\n    <- the question is hard?\n        <= judge if it is hard\n        <- question\n",
            "its opposite",
        ),
        (
            "<- answer\n    <= think\n        <= when it did NOT work\n        <* it worked?\n    <- question\n",
            "a condition beside it",
        ),
        ("<- answer\n    <= think\n        <= when there is time\n    <- question\n", "words alone"),
        ("<- answer\n    <= think\n        <= after the break\n    <- break\n", "after"),
        ("<- answer\n    <= if it is hard\n    <- question\n", "no timing without an operation"),
        // Judgements and inputs.
        ("<- it is good\n    <= check if it is good\n    <- work\n", "a judgement makes a proposition"),
        ("<- name\n    <= read user input (blocks)\n", "input"),
        ("<- x\n    <= one\n    <= two\n    <- y\n", "two operations"),
    ];
    let mut out = String::new();
    for (text, what) in table {
        writeln!(out, "== {what}\n{text}--\n{}", readings(text)).unwrap();
    }
    snapshots("plan").bind(|| insta::assert_snapshot!("sentences", out));
}

/// Every draft of the corpus becomes a skeleton, or an error says why not; every sentence is spoken of.
#[test]
fn corpus_drafts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/draft");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let (mut made, mut out) = (0, String::new());
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        let (compiled, _) = skeleton(&text);
        writeln!(out, "== {}", file.file_name().unwrap().to_str().unwrap()).unwrap();
        let errors: Vec<&str> =
            compiled.diagnostics.iter().filter(|d| d.is_error()).map(|d| d.message.as_str()).collect();
        for d in compiled.diagnostics.iter().filter(|d| d.code == Code::NC070) {
            writeln!(out, "{}", d.message.split_once("read as ").unwrap().1).unwrap();
            let fix = d.fix.iter().flat_map(|f| &f.edits);
            fix.for_each(|e| writeln!(out, "    its comment: {}", e.text).unwrap());
        }
        match compiled.model {
            Some(_) => made += 1,
            None => {
                assert!(!errors.is_empty());
                writeln!(out, "error: {}", errors.join("\nerror: ")).unwrap();
            }
        }
    }
    println!("drafts: {made} of {} are skeletons", files.len());
    snapshots("plan").bind(|| insta::assert_snapshot!("drafts", out));
    assert!(made * 10 >= files.len() * 8);
}

#[test]
fn what_the_program_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/draft");
    let plan = "164_doc-examples_L92.ncds";
    let told = |arguments: &[&str]| {
        let output = normc(&folder, arguments);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (exit, said) = told(&["compile", "--draft", plan, "-o", "-"]);
    assert_eq!(exit, Some(0), "{said}");
    assert!(said.contains("steps without a faculty: 1.2, 1.3\ninputs required: {draft output}\n"), "{said}");
    for command in [&["compile", plan, "-o", "-"][..], &["exec", plan]] {
        let (exit, said) = told(command);
        assert_eq!(exit, Some(1), "{said}");
        assert!(said.contains("normc compile --draft"), "{said}");
    }
    let (exit, said) = told(&["check", plan]);
    assert_eq!(exit, Some(0), "{said}");
    assert!(said.contains("[NC070]"), "{said}");
    // A translation is looked at as well, and never made into steps.
    let natural = "../natural/153_doc-ncn_translation_L127.ncn";
    assert_eq!(told(&["check", natural]).0, Some(0));
    let (exit, said) = told(&["compile", "--draft", natural, "-o", "-"]);
    assert_eq!(exit, Some(1));
    assert!(said.contains("a reader's translation cannot be compiled"), "{said}");
}

#[test]
fn long_drafts() {
    if !alone("draft::long_drafts") {
        return;
    }
    let prepare = |lines| {
        let mut text = String::from("<- results\n    <= select the results of all\n");
        for i in 0..lines {
            writeln!(text, "    <- result {i}\n        <= if asked, work on it\n            <= when case {i} is NOT so\n        <- order {i}").unwrap();
        }
        text
    };
    assert_linear("drafts", 1_000, prepare, |text| drop(skeleton(text)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever the lines say: a skeleton that loads, or errors; and the same again.
    #[test]
    fn any_sentences(lines in prop::collection::vec((0usize..5, 0usize..5, "[a-z{}()<>?* ]{0,24}"), 0..24), first in 0usize..12) {
        let beginnings = ["for every x in", "return", "select the", "append x to", "bundle", "collect together",
            "if it is NOT", "when", "after", "judge if", "read user input", ""];
        let mut text = String::new();
        for (i, (depth, marker, words)) in lines.iter().enumerate() {
            let marker = ["<-", "<=", "<=", "<*", "<^"][*marker];
            let start = beginnings[(first + i) % beginnings.len()];
            writeln!(text, "{}{marker} {start} {words}", "    ".repeat(*depth)).unwrap();
        }
        let (compiled, _) = skeleton(&text);
        prop_assert!(compiled.model.is_some() || compiled.diagnostics.iter().any(|d| d.is_error()), "{text}");
        let (again, _) = skeleton(&text);
        prop_assert_eq!(compiled.diagnostics, again.diagnostics);
    }
}
