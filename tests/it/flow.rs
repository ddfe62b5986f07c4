//! `normc flow`: what it says of plans, and the law that it misses nothing: where a changed value changes another,
//! there is a way between them.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use normc::base::{FixedClock, SourceFile, SourceMap};
use normc::engine::{self, Options, Tools};
use normc::repo::{self, LowerOptions, Model};
use normc::run::flow::{Flow, Influence};
use normc::run::{self, Graph, Quiet, State};
use normc::syntax::Dialect;

use crate::support::{program, snapshots};

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Standard output, standard error and exit code of `normc flow`.
fn flow(arguments: &[&str]) -> (String, String, i32) {
    let output = program(folder()).arg("flow").args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr), output.status.code().unwrap())
}

#[test]
fn answers_are_as_pinned() {
    let cases: [(&str, &str, &str, &[&str]); 9] = [
        ("element", "number", "results", &["plans/branches/branches.nc"]),
        ("element_all", "number", "results", &["--all", "plans/branches/branches.nc"]),
        ("constant", "{two: \"2\"}", "{triple}", &["plans/branches/branches.nc"]),
        ("condition", "{two: \"2\"}", "{triple}", &["--control", "plans/branches/branches.nc"]),
        ("carry", "{number}", "{running totals}", &["plans/running_total/running_total.nc"]),
        ("append", "{digit sum}", "{number pair}", &["--control", "plans/addition/addition.nc"]),
        ("no_control", "{digit sum}", "{number pair}", &["plans/addition/addition.nc"]),
        ("grouping", "price", "summary", &["plans/grouping/grouping.nc"]),
        ("json", "price", "summary", &["--format", "json", "plans/grouping/grouping.nc"]),
    ];
    for (name, from, to, rest) in cases {
        let mut arguments = vec!["--from", from, "--to", to];
        arguments.extend(rest);
        let (out, err, code) = flow(&arguments);
        snapshots("flow").bind(|| {
            insta::assert_snapshot!(
                name,
                format!("normc flow {}\n\n{out}{err}exit {code}\n", arguments.join(" "))
            );
        });
    }
}

#[test]
fn exit_codes_are_those_of_a_check() {
    let plan = "plans/branches/branches.nc";
    for (arguments, code) in [
        (vec!["--from", "number", "--to", "results", plan], 0),
        (vec!["--from", "results", "--to", "number", plan], 1),
        (vec!["--forbid", "--from", "number", "--to", "results", plan], 1),
        (vec!["--forbid", "--from", "results", "--to", "number", plan], 0),
        (vec!["--from", "numbr", "--to", "results", plan], 66),
        (vec!["--from", "number", plan], 2),
        (vec!["--from", "number", "--to", "results", "plans/none.nc"], 66),
        (vec!["--from", "a", "--to", "b", "plans/invalid/NC001.nc"], 1),
    ] {
        let (_, err, got) = flow(&arguments);
        assert_eq!(got, code, "{arguments:?}: {err}");
    }
    let (_, err, _) = flow(&["--from", "numbr", "--to", "results", plan]);
    assert!(err.contains("did you mean `{number}`?"), "{err}");
}

#[test]
fn every_form_of_a_plan_gives_the_same_answer() {
    let there = tempfile::tempdir().unwrap();
    let (bundle, split) = (there.path().join("plan.json"), there.path().join("two"));
    let (bundle, split) = (bundle.to_str().unwrap(), split.to_str().unwrap());
    let status = program(folder())
        .args(["compile", "plans/addition/addition.nc", "-o", bundle, "--split", split])
        .status()
        .unwrap();
    assert!(status.success());
    let ends = ["--all", "--control", "--from", "{number pair}", "--to", "{new number pair}"];
    let ask = |rest: &[&str]| flow(&[&ends, rest].concat());
    let (source, _, code) = ask(&["plans/addition/addition.nc"]);
    assert_eq!(code, 0);
    assert_eq!(ask(&[bundle]).0, source);
    let (concepts, inferences) =
        (format!("{split}/addition.concept.json"), format!("{split}/addition.inference.json"));
    assert_eq!(ask(&["--concepts", &concepts, "--inferences", &inferences]).0, source);
}

/// Compiles a text; none when it has errors.
fn model(text: &str) -> Result<Model, String> {
    let mut sources = SourceMap::default();
    let file = sources.add(SourceFile::new("plan.nc", text.to_owned()));
    let compiled =
        repo::compile(file, text, Dialect::from_extension("nc"), &sources, &LowerOptions::default());
    compiled.model.ok_or_else(|| format!("{:?}\n{text}", compiled.diagnostics))
}

/// The final values of a run, as text; none when it did not end well.
fn finals(model: Model) -> Option<Vec<String>> {
    let model = Arc::new(model);
    let data = run::initial_values(&model).ok()?;
    let graph = Arc::new(Graph::new(model));
    let tools = Arc::new(Tools::new(".".as_ref(), 1, Arc::new(FixedClock(0))).unwrap());
    let outcome = engine::run(State::new(graph, data), &tools, &Options::default(), &mut Quiet);
    let value = |v: &run::FinalValue| v.value.as_ref().map(|v| format!("{:?}", v.to_nested().to_json()));
    outcome.finals.iter().map(value).collect()
}

/// What one value of a generated plan is made of; numbers choose among the values before it.
#[derive(Debug, Clone)]
enum Made {
    Add(usize, usize),
    Choice(usize, usize, usize),
    Each(usize, usize),
    Total(usize, usize),
    Counted(usize, usize),
}

const INPUTS: usize = 3;
const LISTS: usize = 2;

fn made() -> impl Strategy<Value = Made> {
    let n = || 0usize..1000;
    prop_oneof![
        (n(), n()).prop_map(|(a, b)| Made::Add(a, b)),
        (n(), n(), n()).prop_map(|(a, b, c)| Made::Choice(a, b, c)),
        (n(), n()).prop_map(|(a, b)| Made::Each(a, b)),
        (n(), n()).prop_map(|(a, b)| Made::Total(a, b)),
        (n(), n()).prop_map(|(a, b)| Made::Counted(a, b)),
    ]
}

/// The data of a generated plan.
#[derive(Debug, Clone)]
struct Data {
    inputs: [u8; INPUTS],
    lists: [Vec<u8>; LISTS],
}

/// Writes a plan: a value is made where it is first used, and only named after that.
struct Writer<'a> {
    plan: &'a [Made],
    data: &'a Data,
    text: String,
    known: Vec<bool>,
    given: [bool; INPUTS],
    listed: [bool; LISTS],
}

impl Writer<'_> {
    fn line(&mut self, depth: usize, text: &str) {
        let _ = writeln!(self.text, "{}{text}", " ".repeat(depth * 4));
    }

    /// The name of the `pick`-th of what a value may use.
    fn name(at: usize, pick: usize) -> (usize, String) {
        let which = pick % (INPUTS + at);
        (which, if which < INPUTS { format!("{{i{which}}}") } else { format!("{{v{}}}", which - INPUTS) })
    }

    /// A line that uses a value in a slot.
    fn read(&mut self, depth: usize, at: usize, pick: usize, slot: usize) {
        let (which, name) = Self::name(at, pick);
        self.line(depth, &format!("<- {name}<:{{{slot}}}>"));
        if which < INPUTS {
            if !std::mem::replace(&mut self.given[which], true) {
                let value = self.data.inputs[which];
                self.line(depth + 1, &format!("| ref. {value}"));
            }
        } else if !std::mem::replace(&mut self.known[which - INPUTS], true) {
            self.make(depth + 1, which - INPUTS);
        }
    }

    fn base(&mut self, depth: usize, list: usize) {
        let data = (!std::mem::replace(&mut self.listed[list], true))
            .then(|| format!(" | ref. %(list{list})={:?}", self.data.lists[list]));
        self.line(depth, &format!("<- {{list{list}}}{}", data.unwrap_or_default()));
    }

    fn make(&mut self, d: usize, at: usize) {
        let n = at + 1;
        match self.plan[at].clone() {
            Made::Add(a, b) => {
                let (na, nb) = (Self::name(at, a).1, Self::name(at, b).1);
                self.line(d, &format!("<= ::(add {{1}}<$({na})%_> and {{2}}<$({nb})%_> at {n})"));
                self.line(d + 1, "| %{builtin}: add");
                self.read(d, at, a, 1);
                self.read(d, at, b, 2);
            }
            Made::Choice(a, b, c) => {
                let asked = Self::name(at, a).1;
                self.line(d, &format!("<= $.({{yes{n}}};{{no{n}}})"));
                self.line(d, &format!("<- <c{n}>"));
                self.line(d + 1, &format!("<= :%(True):<{{1}}<$({asked})%_> is 0 at {n}>"));
                self.line(d + 2, "| %{builtin}: is_zero");
                self.read(d + 1, at, a, 1);
                for (word, gate, pick) in [("yes", "@if", b), ("no", "@if!", c)] {
                    let name = Self::name(at, pick).1;
                    self.line(d, &format!("<- {{{word}{n}}}"));
                    self.line(d + 1, &format!("<= ::({word} {{1}}<$({name})%_> twice at {n})"));
                    self.line(d + 2, "| %{builtin}: add");
                    self.line(d + 2, &format!("<= {gate}(<c{n}>)"));
                    self.read(d + 1, at, pick, 1);
                    self.line(d + 1, &format!("<- {{two{n}: \"2\"}}<:{{2}}>"));
                }
            }
            Made::Each(l, a) => {
                let (list, outer) = (l % LISTS, Self::name(at, a).1);
                self.sum(d, n);
                self.line(d + 2, &format!("<= *every({{list{list}}})%:[{{list{list}}}]@({n})"));
                self.line(d + 3, &format!("<= $.({{one{n}}})"));
                self.line(d + 3, &format!("<- {{one{n}}}"));
                self.line(
                    d + 4,
                    &format!("<= ::(add {{1}}<$({{list{list}}})%_> to {{2}}<$({outer})%_> at {n})"),
                );
                self.line(d + 5, "| %{builtin}: add");
                self.line(d + 4, &format!("<- {{list{list}}}*{n}<:{{1}}>"));
                self.read(d + 4, at, a, 2);
                self.base(d + 2, list);
            }
            Made::Total(l, a) => {
                let (list, outer) = (l % LISTS, Self::name(at, a).1);
                self.sum(d, n);
                self.line(
                    d + 2,
                    &format!("<= *every({{list{list}}})%:[{{list{list}}}]@({n})^[{{total{n}}}<*1>]"),
                );
                self.line(d + 3, &format!("<= $.({{total{n}}}*{n})"));
                self.line(d + 3, &format!("<- {{total{n}}}*{n}"));
                self.line(d + 4, &format!("<= $.({{new{n}}})"));
                self.line(d + 4, &format!("<- {{new{n}}}"));
                self.line(
                    d + 5,
                    &format!("<= ::(add {{1}}<$({outer})%_> to {{2}}<$({{total{n}}})%_> at {n})"),
                );
                self.line(d + 6, "| %{builtin}: add");
                self.read(d + 5, at, a, 1);
                self.line(d + 5, &format!("<- {{total{n}}}*{n}<:{{2}}>"));
                self.line(d + 6, "| ref. 0");
                self.base(d + 2, list);
            }
            // Every round gives the same: only how many there are comes from the base.
            Made::Counted(l, a) => {
                let (list, outer) = (l % LISTS, Self::name(at, a).1);
                self.line(
                    d,
                    &format!("<= ::(count {{1}}<$({{size{n}}})%_> plus {{2}}<$({outer})%_> at {n})"),
                );
                self.line(d + 1, "| %{builtin}: add");
                self.line(d, &format!("<- {{size{n}}}<:{{1}}>"));
                self.line(d + 1, &format!("<= ::(sum up {{1}}<$([all{n}])%_>)"));
                self.line(d + 2, "| %{builtin}: sum");
                self.line(d + 1, &format!("<- [all{n}]<:{{1}}>"));
                self.line(d + 2, &format!("<= &across({{items{n}}}:{{items{n}}})"));
                self.line(d + 2, &format!("<- {{items{n}}}"));
                self.line(d + 3, &format!("<= *every({{list{list}}})%:[{{list{list}}}]@({n})"));
                self.line(d + 4, &format!("<= $.({{unit{n}}})"));
                self.line(d + 4, &format!("<- {{unit{n}}}"));
                self.line(
                    d + 5,
                    &format!("<= ::(take {{1}}<$({{one{n}}})%_> and {{2}}<$({{zero{n}}})%_> at {n})"),
                );
                self.line(d + 6, "| %{builtin}: add");
                self.line(d + 5, &format!("<- {{one{n}: \"1\"}}<:{{1}}>"));
                self.line(d + 5, &format!("<- {{zero{n}: \"0\"}}<:{{2}}>"));
                self.base(d + 3, list);
                self.read(d, at, a, 2);
            }
        }
    }

    /// The sum of what a loop gives, the lines of the loop to follow.
    fn sum(&mut self, d: usize, n: usize) {
        self.line(d, &format!("<= ::(sum up {{1}}<$([all{n}])%_>)"));
        self.line(d + 1, "| %{builtin}: sum");
        self.line(d, &format!("<- [all{n}]<:{{1}}>"));
        self.line(d + 1, &format!("<= &across({{items{n}}}:{{items{n}}})"));
        self.line(d + 1, &format!("<- {{items{n}}}"));
    }
}

fn text(plan: &[Made], data: &Data) -> String {
    let mut writer = Writer {
        plan,
        data,
        text: String::new(),
        known: vec![false; plan.len()],
        given: [false; INPUTS],
        listed: [false; LISTS],
    };
    writer.line(0, &format!(":<:({{v{}}})", plan.len() - 1));
    writer.make(1, plan.len() - 1);
    writer.text
}

fn data() -> impl Strategy<Value = Data> {
    let list = || prop::collection::vec(0u8..4, 1..4);
    (prop::array::uniform3(0u8..3), list(), list()).prop_map(|(inputs, a, b)| Data { inputs, lists: [a, b] })
}

#[test]
fn what_changes_a_value_flows_to_it() {
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(64));
    let counts = std::cell::Cell::new([0u32; 5]);
    let count = |at: usize| {
        let mut c = counts.get();
        c[at] += 1;
        counts.set(c);
    };
    let plans = (prop::collection::vec(made(), 1..7), data(), data());
    let law = |(plan, first, second): (Vec<Made>, Data, Data)| {
        let before = text(&plan, &first);
        let base = model(&before).map_err(TestCaseError::fail)?;
        count(0);
        let Some(given) = finals(base.clone()) else { return Ok(()) };
        count(1);
        let graph = Graph::new(Arc::new(base));
        let flow = Flow::new(&graph);
        let to = repo::find_concept(&graph.model, &format!("{{v{}}}", plan.len() - 1)).unwrap();
        for which in 0..INPUTS + LISTS {
            let mut changed = first.clone();
            let name = if which < INPUTS {
                changed.inputs[which] = second.inputs[which];
                format!("{{i{which}}}")
            } else {
                changed.lists[which - INPUTS].clone_from(&second.lists[which - INPUTS]);
                format!("{{list{}}}", which - INPUTS)
            };
            let Ok(from) = repo::find_concept(&graph.model, &name) else { continue };
            let Some(other) = finals(model(&text(&plan, &changed)).map_err(TestCaseError::fail)?) else {
                continue;
            };
            let way = flow.shortest(from, to, Influence::Control);
            count(if way.is_some() { 2 } else { 3 });
            if other != given {
                count(4);
                prop_assert!(way.is_some(), "{name} changes the result, and no way is known\n{before}");
                if !plan.iter().any(|m| matches!(m, Made::Choice(..))) {
                    let data = flow.shortest(from, to, Influence::Count);
                    prop_assert!(data.is_some(), "{name} changes the result without a gate\n{before}");
                }
            }
        }
        Ok(())
    };
    runner.run(&plans, law).unwrap();
    let [plans, ran, yes, no, changed] = counts.get();
    println!("{plans} plans, {ran} ran; {yes} ways, {no} without; {changed} changed");
    assert!(ran * 2 > plans && changed > 20, "{ran} of {plans} ran, {changed} changed");
}

/// Data that differ in every leaf.
fn other(data: &serde_json::Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match data {
        Json::Array(items) => Json::Array(items.iter().map(other).collect()),
        Json::Number(n) => Json::from(n.as_i64().unwrap_or(0) + 1),
        Json::String(text) => {
            let next = |c: char| if ('0'..='8').contains(&c) { char::from(c as u8 + 1) } else { c };
            Json::String(text.chars().map(next).collect())
        }
        plain => plain.clone(),
    }
}

#[test]
fn the_plans_of_the_project_keep_the_law() {
    let (mut changed, mut silent) = (0, 0);
    for plan in [
        "addition/addition_builtin.nc",
        "branches/branches.nc",
        "chain/chain.nc",
        "fallback/fallback.nc",
        "grouping/grouping.nc",
        "running_total/every_other.nc",
        "running_total/running_total.nc",
        "table/table.nc",
    ] {
        let text = std::fs::read_to_string(folder().join("plans").join(plan)).unwrap();
        let base = model(&text).unwrap();
        let Some(given) = finals(base.clone()) else { continue };
        let graph = Graph::new(Arc::new(base.clone()));
        let flow = Flow::new(&graph);
        let ends: Vec<_> = (0u32..).zip(&base.concepts).filter(|(_, c)| c.is_final).collect();
        for (at, concept) in (0u32..).zip(&base.concepts) {
            let Some(data) = concept.data.as_ref().filter(|_| concept.kind.is_value()) else { continue };
            let from = repo::ConceptId(at);
            let mut variants = vec![other(data)];
            if let Some((_, rest)) =
                data.as_array().and_then(|a| a.split_first()).filter(|(_, r)| !r.is_empty())
            {
                variants.push(rest.to_vec().into());
            }
            for variant in variants {
                let mut model = base.clone();
                model.concepts[at as usize].data = Some(variant);
                let Some(now) = finals(model) else { continue };
                for (place, (end, last)) in ends.iter().enumerate() {
                    if now.get(place) == given.get(place) {
                        silent += 1;
                        continue;
                    }
                    changed += 1;
                    let way = flow.shortest(from, repo::ConceptId(*end), Influence::Control);
                    assert!(way.is_some(), "{plan}: {} changes {}", concept.name, last.name);
                }
            }
        }
    }
    println!("{changed} changed, {silent} did not");
    assert!(changed > 8, "{changed}");
}
