//! What is said about a plan before it runs holds when it runs: whatever can be stuck, or can lose a result, is
//! reported, and nothing else is. Generated plans are run under every outcome of their conditions.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use normc::base::{FixedClock, SourceFile, SourceMap};
use normc::diag::{Code, Diagnostic};
use normc::engine::{self, Options, Tools};
use normc::repo::{self, Compiled, Inputs, LowerOptions};
use normc::run::{Graph, Outcome, Quiet, State, Status, initial_values};
use normc::{plan, syntax};
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use crate::measure::{alone, assert_linear};
use crate::plans::normc;
use crate::support::snapshots;

const CODES: [Code; 3] = [Code::NC080, Code::NC087, Code::NC088];

fn compile(source: &str) -> Compiled {
    let mut sources = SourceMap::default();
    let file = sources.add(SourceFile::new("plan.nc", source.to_owned()));
    repo::compile(file, source, None, &sources, &LowerOptions::default())
}

fn liveness(compiled: &Compiled) -> Vec<Code> {
    let codes = compiled.diagnostics.iter().map(|d| d.code).filter(|c| CODES.contains(c));
    let mut codes: Vec<Code> = codes.collect();
    codes.sort();
    codes.dedup();
    codes
}

/// A timing below an operation.
#[derive(Debug, Clone, Copy)]
enum Gate {
    If(usize),
    IfNot(usize),
    After(usize),
}

/// A step that adds two values, or takes the first of two.
#[derive(Debug, Clone)]
struct Step {
    choice: bool,
    reads: (usize, usize),
    gates: Gates,
}

/// Timings side by side, each with one over it perhaps.
type Gates = Vec<(Gate, Option<Gate>)>;

/// A plan of steps and conditions below one root.
#[derive(Debug, Clone)]
struct Sketch {
    conditions: Vec<Gates>,
    steps: Vec<Step>,
    /// 0 adds, 1 takes the first, 2 groups.
    root: u8,
    in_loop: bool,
    /// The loop may have nothing to walk.
    gated_loop: bool,
}

const INPUTS: usize = 2;

fn value(at: usize) -> String {
    match at.checked_sub(INPUTS) {
        None => format!("{{given {at}}}"),
        Some(step) => format!("{{step {step}}}"),
    }
}

impl Sketch {
    fn gate(&self, gate: Gate) -> String {
        match gate {
            Gate::If(c) => format!("@if(<condition {}>)", c % self.conditions.len()),
            Gate::IfNot(c) => format!("@if!(<condition {}>)", c % self.conditions.len()),
            Gate::After(s) => format!("@after({{step {}}})", s % self.steps.len()),
        }
    }

    fn gates(&self, gates: &Gates, indent: &str, text: &mut String) {
        for (gate, over) in gates {
            writeln!(text, "{indent}        <= {}", self.gate(*gate)).unwrap();
            if let Some(over) = over {
                writeln!(text, "{indent}            <= {}", self.gate(*over)).unwrap();
            }
        }
    }

    fn combined(
        &self,
        what: &str,
        name: usize,
        reads: (usize, usize),
        gates: &Gates,
        indent: &str,
    ) -> String {
        let (a, b) = (value(reads.0), value(reads.1));
        let mut text = String::new();
        match what {
            "choice" => writeln!(text, "{indent}    <= $.({a};{b})").unwrap(),
            "group" => writeln!(text, "{indent}    <= &across({a};{b})").unwrap(),
            _ => {
                writeln!(text, "{indent}    <= ::(for {name} add {{1}}<$({a})%_> and {{2}}<$({b})%_>)")
                    .unwrap();
                writeln!(text, "{indent}        | %{{builtin}}: add").unwrap();
            }
        }
        self.gates(gates, indent, &mut text);
        let slots = what == "add";
        for (n, v) in [(1, &a), (2, &b)] {
            let slot = if slots { format!("<:{{{n}}}>") } else { String::new() };
            writeln!(text, "{indent}    <- {v}{slot}").unwrap();
        }
        text
    }

    fn source(&self) -> String {
        let mut text = String::from(":<:({result})\n");
        let indent = if self.in_loop {
            text.push_str("    <= *every({row})%:[{row}]@(1)\n");
            "    "
        } else {
            ""
        };
        writeln!(text, "{indent}    <= $.({{top}})\n{indent}    <- {{top}}").unwrap();
        let what = ["add", "choice", "group"][self.root as usize];
        let last = self.steps.len() + INPUTS - 1;
        text.push_str(&self.combined(what, 99, (last - 1, last), &Vec::new(), &format!("{indent}    ")));
        for (i, gates) in self.conditions.iter().enumerate() {
            writeln!(text, "{indent}    <- <condition {i}>").unwrap();
            writeln!(text, "{indent}        <= :%(True):<{{1}}<$({{number {i}}})%_> is 0>").unwrap();
            writeln!(text, "{indent}            | %{{builtin}}: is_zero").unwrap();
            self.gates(gates, &format!("{indent}    "), &mut text);
            writeln!(text, "{indent}        <- {{number {i}}}<:{{1}}>").unwrap();
        }
        for (i, step) in self.steps.iter().enumerate() {
            writeln!(text, "{indent}    <- {{step {i}}}").unwrap();
            let what = if step.choice { "choice" } else { "add" };
            text.push_str(&self.combined(what, i, step.reads, &step.gates, &format!("{indent}    ")));
        }
        match (self.in_loop, self.gated_loop) {
            (true, false) => text.push_str("    <- {row} | ref. %(row)=[1, 2]\n"),
            (true, true) => {
                let number = self.conditions.len();
                writeln!(
                    text,
                    "    <- {{row}}
        <= $.({{all rows}})
            <= @if(<there are rows>)
        <- {{all rows}} | ref. %(row)=[1, 2]
    <- <there are rows>
        <= :%(True):<{{1}}<$({{number {number}}})%_> is 0>
            | %{{builtin}}: is_zero
        <- {{number {number}}}<:{{1}}>"
                )
                .unwrap();
            }
            (false, _) => {}
        }
        text
    }
}

fn gate() -> impl Strategy<Value = Gate> {
    prop_oneof![
        4 => (0_usize..3).prop_map(Gate::If),
        4 => (0_usize..3).prop_map(Gate::IfNot),
        1 => (0_usize..5).prop_map(Gate::After),
    ]
}

/// None `often` times of ten, else one or two.
fn gates(often: u32) -> impl Strategy<Value = Gates> {
    let over = prop_oneof![5 => Just(None), 1 => gate().prop_map(Some)];
    let some = proptest::collection::vec((gate(), over), 1..3);
    prop_oneof![often => Just(Vec::new()), 10 - often => some]
}

fn sketch() -> impl Strategy<Value = Sketch> {
    let steps =
        proptest::collection::vec((any::<bool>(), 0_usize..64, 0_usize..64, 0_u8..16, gates(4)), 2..6);
    let conditions = proptest::collection::vec(gates(8), 1..4);
    (conditions, steps, 0_u8..3, prop::bool::weighted(0.25), any::<bool>()).prop_map(
        |(conditions, raw, root, in_loop, gated_loop)| {
            let count = raw.len();
            let steps = raw
                .into_iter()
                .enumerate()
                .map(|(i, (choice, a, b, forward, gates))| {
                    // Most read what stands before them; some read anything, themselves too.
                    let limit = if forward == 0 { INPUTS + count } else { INPUTS + i };
                    let a = a % limit;
                    let b = b % limit;
                    let b = if a == b { (b + 1) % limit } else { b };
                    Step { choice, reads: (a, b), gates }
                })
                .collect();
            Sketch { conditions, steps, root, in_loop, gated_loop }
        },
    )
}

fn run(compiled: &Compiled, tools: &Arc<Tools>, outcome: usize) -> Outcome {
    let mut model = compiled.model.clone().unwrap();
    let mut given: Map<String, Json> =
        (0..INPUTS).map(|i| (format!("{{given {i}}}"), json!(i + 1))).collect();
    for i in 0..4 {
        given.insert(format!("{{number {i}}}"), json!(usize::from(outcome >> i & 1 == 0)));
    }
    let known: Vec<String> = model.concepts.iter().map(|c| c.name.to_string()).collect();
    given.retain(|name, _| known.contains(name));
    let mut inputs = Inputs::default();
    inputs.add_file(&Json::Object(given).to_string()).unwrap();
    inputs.apply(&mut model).unwrap();
    let model = Arc::new(model);
    let state = State::new(Arc::new(Graph::new(Arc::clone(&model))), initial_values(&model).unwrap());
    engine::run(state, tools, &Options::default(), &mut Quiet)
}

/// A final that is not there, or in which an iteration left a hole.
fn lost(outcome: &Outcome) -> bool {
    outcome.finals.iter().any(|f| {
        f.value.as_ref().is_none_or(|v| v.to_nested().to_json().to_string().to_lowercase().contains("skip"))
    })
}

/// Compares the verdict with what the engine does under every outcome.
fn judge(sketch: &Sketch, tools: &Arc<Tools>) -> Result<(), String> {
    let source = sketch.source();
    let compiled = compile(&source);
    if compiled.model.is_none() {
        return Err(format!("does not compile: {:?}\n{source}", compiled.diagnostics));
    }
    let codes = liveness(&compiled);
    let stuck_said = codes.contains(&Code::NC080) || codes.contains(&Code::NC088);
    let lost_said = codes.contains(&Code::NC087);
    let (mut stuck, mut losses) = (0, 0);
    let whole_loop = sketch.in_loop && sketch.gated_loop;
    let count = 1_usize << (sketch.conditions.len() + usize::from(whole_loop));
    for outcome in 0..count {
        let ended = run(&compiled, tools, outcome);
        match ended.status {
            Status::Completed => {}
            Status::Stuck => stuck += 1,
            other => return Err(format!("{other:?} under {outcome:b}: {:?}\n{source}", ended.failures)),
        }
        losses += usize::from(ended.status == Status::Completed && lost(&ended));
    }
    let told: Vec<&Diagnostic> = compiled.diagnostics.iter().filter(|d| CODES.contains(&d.code)).collect();
    let wrong =
        |what: &str| Err(format!("{what}: {stuck} stuck, {losses} lost of {count}; {told:?}\n{source}"));
    if stuck_said != (stuck > 0) {
        return wrong("stuck is not what was said");
    }
    if lost_said && losses + stuck == 0 {
        return wrong("nothing is lost");
    }
    if !lost_said && !stuck_said && sketch.root == 1 && !whole_loop && losses > 0 {
        return wrong("a choice ends with nothing, and nobody said so");
    }
    Ok(())
}

#[test]
fn what_is_said_of_generated_plans_is_what_happens() {
    let tools = Arc::new(Tools::new(Path::new("."), 1, Arc::new(FixedClock(0))).unwrap());
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(96));
    let end = runner.run(&sketch(), |sketch| judge(&sketch, &tools).map_err(TestCaseError::fail));
    tools.shutdown();
    if let Err(failure) = end {
        panic!("{failure}");
    }
}

#[test]
fn plans_that_end_well_are_live_and_those_that_do_not_are_not() {
    let plans = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans");
    let mut wrong = Vec::new();
    let mut total = 0;
    for folder in std::fs::read_dir(plans).unwrap().map(|e| e.unwrap().path()) {
        let Ok(expected) = std::fs::read_to_string(folder.join("expected.json")) else { continue };
        let expected: Json = serde_json::from_str(&expected).unwrap();
        for run in expected["runs"].as_array().unwrap() {
            let plan = run["plan"].as_str().unwrap();
            let compiled = compile(&std::fs::read_to_string(folder.join(plan)).unwrap());
            let said: Vec<&str> = liveness(&compiled).iter().map(|c| c.as_str()).collect();
            let want: Vec<&str> =
                run["check"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
            total += 1;
            if said != want {
                wrong.push(format!("{plan}: said {said:?}, want {want:?}"));
            }
            if (run["status"] == "stuck") == said.is_empty() {
                wrong.push(format!("{plan}: {} and {said:?}", run["status"]));
            }
        }
    }
    assert!(total >= 20 && wrong.is_empty(), "{total} runs:\n{}", wrong.join("\n"));
}

/// Plans with one mistake, and the one code that is said about them.
const MISTAKES: &[(&str, Code, &str)] = &[
    (
        "a candidate is made from something gated",
        Code::NC087,
        ":<:({answer})
    <= $.({half};{third})
    <- <even>
        <= :%(True):<{1}<$({number})%_> is even>
        <- {number}<:{1}>
    <- <large>
        <= :%(True):<{1}<$({number})%_> is large>
        <- {number}<:{1}>
    <- {half}
        <= ::(halve {1}<$({rounded})%_>)
            <= @if(<even>)
        <- {rounded}<:{1}>
            <= ::(round {1}<$({number})%_>)
                <= @if(<large>)
            <- {number}<:{1}>
    <- {third}
        <= ::(divide {1}<$({number})%_> by three)
            <= @if!(<even>)
        <- {number}<:{1}>
",
    ),
    (
        "the condition itself can be skipped",
        Code::NC087,
        ":<:({answer})
    <= $.({half};{third})
    <- <large>
        <= :%(True):<{1}<$({number})%_> is large>
        <- {number}<:{1}>
    <- <even>
        <= :%(True):<{1}<$({number})%_> is even>
            <= @if(<large>)
        <- {number}<:{1}>
    <- {half}
        <= ::(halve {1}<$({number})%_>)
            <= @if(<even>)
        <- {number}<:{1}>
    <- {third}
        <= ::(divide {1}<$({number})%_> by three)
            <= @if!(<even>)
        <- {number}<:{1}>
",
    ),
    (
        "each candidate has a condition of its own",
        Code::NC087,
        ":<:({advice})
    <= $.({buy};{sell})
    <- {buy}
        <= ::(say how much of {1}<$({stock})%_> to buy)
            <= @if(<the price is low>)
        <- {stock}<:{1}>
    <- {sell}
        <= ::(say how much of {1}<$({stock})%_> to sell)
            <= @if(<the price is high>)
        <- {stock}<:{1}>
    <- <the price is low>
        <= :%(True):<{1}<$({stock})%_> is cheap>
        <- {stock}<:{1}>
    <- <the price is high>
        <= :%(True):<{1}<$({stock})%_> is dear>
        <- {stock}<:{1}>
",
    ),
    (
        "a loop walks what its own steps make",
        Code::NC080,
        ":<:({doubles})
    <= *every({number})%:[{number}]@(1)
        <= $.({double})
        <- {double}
            <= ::(double {1}<$({number})%_>)
            <- {number}*1<:{1}>
        <- {number}
            <= ::(list what follows {1}<$({double})%_>)
            <- {double}<:{1}>
    <- {number}
",
    ),
    (
        "a step of a loop that may not run waits for itself",
        Code::NC080,
        ":<:({sums})
    <= *every({number})%:[{number}]@(1)
        <= $.({sum})
        <- {sum}
            <= ::(add {1}<$({number})%_> and {2}<$({next sum})%_>)
            <- {number}*1<:{1}>
            <- {next sum}<:{2}>
                <= ::(add one to {1}<$({sum})%_>)
                <- {sum}<:{1}>
    <- {number}
        <= ::(read the numbers of {1}<$({page})%_>)
            <= @if(<the page has numbers>)
        <- {page}<:{1}>
    <- <the page has numbers>
        <= :%(True):<{1}<$({page})%_> has numbers>
        <- {page}<:{1}>
",
    ),
    (
        "a timing waits for what is made from the step",
        Code::NC088,
        ":<:({report})
    <= ::(report {1}<$({draft})%_> and {2}<$({review})%_>)
    <- {draft}<:{1}>
        <= ::(write about {1}<$({topic})%_>)
            <= @after({review})
        <- {topic}<:{1}>
    <- {review}<:{2}>
        <= ::(review {1}<$({draft})%_>)
        <- {draft}<:{1}>
",
    ),
    (
        "all candidates are made from the choice",
        Code::NC080,
        ":<:({report})
    <= ::(report {1}<$({pick})%_>)
    <- {pick}<:{1}>
        <= $.({long};{short})
        <- {long}
        <- {short}
    <- {long}
        <= ::(lengthen {1}<$({pick})%_>)
        <- {pick}<:{1}>
    <- {short}
        <= ::(shorten {1}<$({pick})%_>)
        <- {pick}<:{1}>
",
    ),
    (
        "two gates open together",
        Code::NC037,
        ":<:({report})
    <= ::(report {1}<$({rate})%_> and {2}<$({share})%_>)
    <- <the table is new>
        <= :%(True):<{1}<$({table})%_> is new>
        <- {table}<:{1}>
    <- {rate}<:{1}>
        <= ::(read the rate from {1}<$({table})%_>)
            <= @if(<the table is new>)
        <- {table}<:{1}>
    <- {share}<:{2}>
        <= ::(split {1}<$({rate})%_>)
        <- {rate}<:{1}>
            <= ::(guess the rate from {1}<$({table})%_>)
                <= @if(<the table is new>)
            <- {table}<:{1}>
",
    ),
    (
        "the gate of an append asks what never changes",
        Code::NC086,
        ":<:({seen})
    <= *every({number})%:[{number}]@(1)
        <= $.({next})
        <- {next}
            <= ::(add one to {1}<$({number})%_>)
            <- {number}*1<:{1}>
        <- {number}
            <= $+({next}:{number})%:[{number}]
                <= @if(<counting goes on>)
            <- {next}
    <- {number} | ref. %(number)=[1]
    <- <counting goes on>
        <= :%(True):<{1}<$({wish})%_> is to count>
        <- {wish}<:{1}>
",
    ),
    (
        "a condition with a letter left out",
        Code::NC081,
        ":<:({answer})
    <= $.({half};{third})
    <- <the number is even>
        <= :%(True):<{1}<$({number})%_> is even>
        <- {number}<:{1}>
    <- {half}
        <= ::(halve {1}<$({number})%_>)
            <= @if(<the number is even>)
        <- {number}<:{1}>
    <- {third}
        <= ::(divide {1}<$({number})%_> by three)
            <= @if!(<the number is evn>)
        <- {number}<:{1}>
",
    ),
    (
        "a step beside a choice that nothing takes",
        Code::NC082,
        ":<:({answer})
    <= $.({half})
    <- {half}
        <= ::(halve {1}<$({number})%_>)
        <- {number}<:{1}>
    <- {third}
        <= ::(divide {1}<$({number})%_> by three)
        <- {number}<:{1}>
",
    ),
];

#[test]
fn one_mistake_gives_one_diagnostic() {
    let folder = tempfile::tempdir().unwrap();
    let mut shown = String::new();
    for (what, code, source) in MISTAKES {
        let said: Vec<Code> = compile(source).diagnostics.iter().map(|d| d.code).collect();
        assert_eq!(said, [*code], "{what}");
        let text = format!("# {what}\n{source}");
        std::fs::write(folder.path().join("plan.nc"), &text).unwrap();
        let output = normc(folder.path(), &["check", "plan.nc"]);
        writeln!(shown, "{text}---\n{}", String::from_utf8_lossy(&output.stderr)).unwrap();
    }
    snapshots("invalid").bind(|| insta::assert_snapshot!("liveness", shown));
}

/// Plans without a mistake that look a little like one.
const GOOD: &[&str] = &[
    // What the inner choice leaves open the outer one covers.
    ":<:({answer})
    <= $.({quick answer};{slow answer})
    <- {quick answer}
        <= $.({remembered};{looked up})
        <- {remembered}
            <= ::(remember {1}<$({question})%_>)
                <= @if(<the question is old>)
            <- {question}<:{1}>
        <- {looked up}
            <= ::(look up {1}<$({question})%_>)
                <= @if(<the question is old>)
            <- {question}<:{1}>
    <- {slow answer}
        <= ::(think about {1}<$({question})%_>)
        <- {question}<:{1}>
    <- <the question is old>
        <= :%(True):<{1}<$({question})%_> is old>
        <- {question}<:{1}>
",
    // The cached result, and behind it the one made from the candidate's own outcome.
    ":<:({page})
    <= $.({kept page};{new page})
    <- <the page is kept>
        <= :%(True):<{1}<$({name})%_> is kept>
        <- {name}<:{1}>
    <- {kept page}
        <= ::(read {1}<$({name})%_>)
            <= @if(<the page is kept>)
        <- {name}<:{1}>
    <- {new page}
        <= ::(write {1}<$({draft})%_>)
            <= @if!(<the page is kept>)
        <- {draft}<:{1}>
            <= ::(sketch {1}<$({name})%_>)
                <= @if!(<the page is kept>)
            <- {name}<:{1}>
",
    // Skips are left out of a grouping.
    ":<:({findings})
    <= &across({one};{two})
    <- {one}
        <= ::(find one in {1}<$({text})%_>)
            <= @if(<the text is long>)
        <- {text}<:{1}>
    <- {two}
        <= ::(find two in {1}<$({text})%_>)
            <= @if(<the text is long>)
        <- {text}<:{1}>
    <- <the text is long>
        <= :%(True):<{1}<$({text})%_> is long>
        <- {text}<:{1}>
",
];

#[test]
fn good_plans_get_no_diagnostic() {
    for source in GOOD {
        let said = compile(source).diagnostics;
        assert!(said.is_empty(), "{said:?}\n{source}");
    }
}

#[test]
fn large_plans_are_looked_at_in_time_that_grows_as_they_do() {
    if !alone("liveness::large_plans_are_looked_at_in_time_that_grows_as_they_do") {
        return;
    }
    // A chain of gated steps, each under a condition of its own.
    let chain = |n: usize| {
        let mut text = String::from(":<:({result})\n    <= $.({step 0};{spare})\n    <- {spare}\n");
        for i in 0..n {
            let next = if i + 1 == n { "{number}".to_owned() } else { format!("{{step {}}}", i + 1) };
            write!(
                text,
                "    <- {{step {i}}}\n        <= ::(make {i} of {{1}})\n            <= @if(<c {i}>)\n        <- {next}<:{{1}}>\n    <- <c {i}>\n        <= :%(True):<{{1}} is {i}>\n        <- {{number}}<:{{1}}>\n"
            )
            .unwrap();
        }
        text
    };
    assert!(liveness(&compile(&chain(50))).is_empty());
    let parse = |n: usize| {
        let source = chain(n);
        let mut sources = SourceMap::default();
        let file = sources.add(SourceFile::new("plan.nc", source.clone()));
        syntax::parse(file, &source, None).0
    };
    assert_linear("liveness of steps", 400, parse, |tree| {
        plan::resolve(tree);
    });
}
