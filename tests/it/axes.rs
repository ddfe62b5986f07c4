//! Axis inference against runs: whenever the analysis says which axes a value has, every value a run makes has them.
//! Golden runs, the runnable plans, and generated plans; then what the checks say, and what they keep silent about.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use normc::base::{FileId, FixedClock, SourceFile, SourceMap};
use normc::diag::Code;
use normc::engine::{self, Options, Tools};
use normc::plan::{
    self, Assertion, Axes, Carry, ConceptOrWords, FunctionKind, Ground, Grouping, Known, Loop, Pick, Plan,
    Resources, Semantic, Work,
};
use normc::repo::{self, Assigning, ByAxes, Compiled, GateMarker, GroupMarker, Inputs, LowerOptions, Model};
use normc::run::{CallLog, Event, Graph, Happening, Outcome, State, Watch, initial_values};
use normc::syntax::{Dialect, IndexScheme, NodeId, Variant};
use normc::tensor::Tensor;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value as Json;

use crate::corpus;
use crate::golden::{Stage, model_of};
use crate::support::{extra_folders, python_missing};

/// Every value a run gave, by concept.
#[derive(Default)]
struct Values(Vec<(repo::ConceptId, Tensor)>);

impl Watch for Values {
    fn event(&mut self, graph: &Graph, event: &Event, _: Option<&CallLog>) {
        if let Happening::Gave(produced) = &event.what {
            self.0.push((graph.inference(event.step.item).target, produced.value.clone()));
        }
    }
}

/// How often the analysis was asked, and how often it knew.
#[derive(Default, Debug)]
struct Count {
    asked: usize,
    one: usize,
    several: usize,
}

/// Compares what a run made with what is said of it.
fn compare(plan: &Plan, axes: &Axes, values: Values, outcome: &Outcome, count: &mut Count) -> Vec<String> {
    let graph = outcome.graph();
    let ids: BTreeMap<&str, plan::ConceptId> =
        plan.concepts.iter().enumerate().map(|(i, c)| (&*c.name, plan::ConceptId(i as u32))).collect();
    let concepts = (0..graph.model.concepts.len()).map(|i| repo::ConceptId(i as u32));
    let last = concepts.filter_map(|c| Some((c, outcome.state.root_value(c).value()?.clone())));
    let mut wrong = Vec::new();
    for (concept, value) in values.0.into_iter().chain(last) {
        let name = graph.concept_name(concept);
        // Of a value without any present cell nothing is said.
        let Some(id) = ids.get(&**name).filter(|_| !value.cells().all(|c| c.is_skip())) else { continue };
        let is_function = !plan.concepts[id.index()].kind.is_value();
        let is_text = graph.model.concepts[concept.0 as usize].data.is_some();
        if is_function && is_text {
            // A function's own text is no value of the plan.
            continue;
        }
        count.asked += 1;
        let known = axes.of(*id);
        match &known {
            Known::Unknown(_) => continue,
            Known::Axes(_) => count.one += 1,
            Known::OneOf(_) => count.several += 1,
        }
        let real: Vec<&str> = value.axes().iter().map(|a| a.as_str()).collect();
        let said = known.lists().iter().any(|l| l.iter().map(|a| &*a.name).eq(real.iter().copied()));
        if !said {
            wrong.push(format!("{name} has {real:?}, said: {}", known.describe(plan)));
        }
    }
    wrong.sort();
    wrong.dedup();
    wrong
}

/// A loaded plan as a resolved one: what its source would have said.
fn raised(model: &Model) -> Plan {
    let id = |c: repo::ConceptId| plan::ConceptId(c.0);
    let concepts = model.concepts.iter().map(|c| plan::Concept {
        name: Arc::clone(&c.name),
        kind: match c.kind {
            repo::ConceptKind::Object => plan::ConceptKind::Object,
            repo::ConceptKind::Relation => plan::ConceptKind::Relation,
            repo::ConceptKind::Proposition => plan::ConceptKind::Proposition,
            repo::ConceptKind::Function => plan::ConceptKind::Function(FunctionKind::Imperative),
        },
        bare: Arc::clone(&c.axis_name),
        versions: Vec::new(),
        query: normc::run::sequence::is_query(&c.name),
        lines: Vec::new(),
        mentions: Vec::new(),
        is_final: c.is_final,
        ground: c.ground.then_some(Ground::Given),
        invariant: c.invariant,
        data: c.data.clone(),
        axes: c.axes.clone(),
        axes_declared: c.axes.is_some(),
        element_type: None,
        natural_name: None,
        description: None,
    });
    let span = normc::base::Span::new(FileId(0), 0, 0);
    let inferences = model.inferences.iter().map(|i| plan::Inference {
        flow: i.flow.clone(),
        head: NodeId(0),
        target_span: span,
        function_span: span,
        declared: None,
        target: id(i.target),
        function: id(i.function.unwrap_or(i.target)),
        values: i.values.iter().copied().map(id).collect(),
        contexts: i.contexts.iter().copied().map(id).collect(),
        places: Vec::new(),
        work: work(i),
    });
    Plan {
        file: FileId(0),
        dialect: Dialect::Legacy,
        generation: 1,
        index_scheme: IndexScheme::Undeclared,
        concepts: concepts.collect(),
        inferences: inferences.collect(),
        roots: Vec::new(),
    }
}

fn work(inference: &repo::Inference) -> Work {
    let id = |c: repo::ConceptId| plan::ConceptId(c.0);
    match &inference.work {
        repo::Work::Simple => Work::Specification {
            sources: inference.values.iter().copied().map(id).collect(),
            in_loop: false,
        },
        repo::Work::Timing(timing) => Work::Gate {
            kind: match timing.marker {
                GateMarker::After => FunctionKind::After,
                GateMarker::If => FunctionKind::If,
                GateMarker::IfNot => FunctionKind::IfNot,
            },
            condition: id(timing.condition),
        },
        repo::Work::Looping(l) => Work::Loop(Loop {
            number: l.number,
            line: NodeId(0),
            base: id(l.base),
            element: id(l.element),
            axis: l.group_base.clone().unwrap_or_else(|| Arc::from("")),
            carries: l
                .carried
                .iter()
                .map(|c| Carry {
                    concept: id(c.concept),
                    lag: c.lag,
                    span: normc::base::Span::new(FileId(0), 0, 0),
                })
                .collect(),
            result: id(l.result),
        }),
        repo::Work::Grouping(g) => Work::Grouping(Grouping {
            records: g.marker == GroupMarker::In,
            sources: inference.values.iter().copied().map(id).collect(),
            by_concepts: g.by_axis_concepts.iter().copied().map(id).collect(),
            by_axes: match &g.by_axes {
                ByAxes::Flat(axes) => axes.clone(),
                _ => Vec::new(),
            },
            per_source: match &g.by_axes {
                ByAxes::PerSource(lists) => Some(lists.clone()),
                _ => None,
            },
            protect: g.protect_axes.clone(),
            create_axis: g.create_axis.clone(),
            current: false,
        }),
        repo::Work::Assigning(a) => assigning(inference, a),
        repo::Work::Semantic(s) => Work::Semantic(Box::new(Semantic {
            kind: match (s.judgement, &s.method) {
                (true, _) => FunctionKind::Judgement,
                (_, repo::Method::Input) => FunctionKind::Input,
                _ => FunctionKind::Imperative,
            },
            variant: match s.method {
                repo::Method::Composition { .. } => Some(Variant::Composition),
                _ => Some(Variant::Python),
            },
            order: s.order.iter().zip(1..).map(|(c, n)| (id(*c), n)).collect(),
            selectors: Vec::new(),
            body: Arc::from(""),
            assertion: Assertion {
                quantifiers: s
                    .assertion
                    .iter()
                    .flat_map(|a| &a.quantifiers)
                    .map(|(axis, word)| {
                        let words = ["all", "some", "none", "exists", "for-each"];
                        let word = words.into_iter().find(|w| **w == **word).unwrap();
                        (Some(ConceptOrWords { concept: None, name: Arc::clone(axis) }), word)
                    })
                    .collect(),
                truth: true,
            },
            relation: s.relation_output,
            resources: Resources::default(),
        })),
    }
}

fn assigning(inference: &repo::Inference, work: &Assigning) -> Work {
    let id = |c: repo::ConceptId| plan::ConceptId(c.0);
    match work {
        Assigning::Specification { sources, destination, .. } => {
            let last = destination.filter(|d| inference.values.contains(d));
            Work::Specification {
                sources: sources.iter().copied().chain(last).map(id).collect(),
                in_loop: false,
            }
        }
        Assigning::Continuation { source, destination, by_axes } => Work::Continuation {
            item: source.map(id),
            destination: id(*destination),
            by_axes: by_axes.clone(),
        },
        Assigning::Abstraction { face, axes } => Work::Abstraction { face: face.clone(), axes: axes.clone() },
        Assigning::Selection { source, selector } => Work::Selection {
            source: id(*source),
            pick: match (selector.get("index").and_then(Json::as_i64), selector.get("unpack")) {
                (Some(index), None) => Pick::Index(index),
                _ => Pick::All,
            },
        },
        Assigning::Identity { canonical, .. } => Work::Identity { canonical: id(*canonical) },
    }
}

#[test]
fn golden_values_have_the_axes_that_are_said() {
    if python_missing("golden runs") {
        return;
    }
    let mut wrong = Vec::new();
    let mut count = Count::default();
    for folder in extra_folders("tests/golden", "NORMC_GOLDEN") {
        let (mut files, mut passed): (Vec<PathBuf>, usize) = (json_files(&folder), 0);
        files.sort();
        for file in &files {
            let scenario: Json = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
            let before = wrong.len();
            for (label, plan) in scenario["plans"].as_object().unwrap() {
                // What lacks an input or does not load is another test's matter.
                let Ok(stage) = Stage::new(&folder, &scenario, plan) else { continue };
                let mut model = model_of(plan).unwrap();
                let mut inputs = Inputs::default();
                inputs.add_file(&plan["inputs"].to_string()).unwrap();
                inputs.apply(&mut model).unwrap();
                let raised = raised(&model);
                let mut values = Values::default();
                let outcome = stage.run(stage.fresh(), &mut values);
                let axes = plan::axes(&raised);
                let name = format!("{} {label}", file.file_stem().unwrap().to_string_lossy());
                let found = compare(&raised, &axes, values, &outcome, &mut count);
                wrong.extend(found.into_iter().map(|w| format!("{name}: {w}")));
            }
            passed += usize::from(wrong.len() == before);
        }
        println!("axes {}: {passed}/{}", folder.display(), files.len());
    }
    println!("{count:?}");
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count.one * 2 > count.asked, "the analysis must know most values: {count:?}");
}

fn json_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    entries.filter(|p| p.extension().is_some_and(|e| e == "json")).collect()
}

fn compile(name: &str, text: &str) -> (Compiled, SourceMap) {
    let mut sources = SourceMap::default();
    let file = sources.add(SourceFile::new(name, text));
    let extension = name.rsplit('.').next().unwrap();
    let compiled =
        repo::compile(file, text, Dialect::from_extension(extension), &sources, &LowerOptions::default());
    (compiled, sources)
}

/// Runs a compiled plan and compares; none when it cannot be run.
fn run(
    compiled: &Compiled,
    inputs: Option<&str>,
    tools: &Arc<Tools>,
    count: &mut Count,
) -> Option<Vec<String>> {
    let mut model = compiled.model.clone()?;
    let mut given = Inputs::default();
    if let Some(text) = inputs {
        given.add_file(text).unwrap();
    }
    given.apply(&mut model).ok()?;
    if !repo::missing_inputs(&model).is_empty() {
        return None;
    }
    let model = Arc::new(model);
    let data = initial_values(&model).ok()?;
    let state = State::new(Arc::new(Graph::new(model)), data);
    let mut values = Values::default();
    let options = Options { jobs: 2, max_cycles: Some(2000), ..Options::default() };
    let outcome = engine::run(state, tools, &options, &mut values);
    Some(compare(&compiled.plan, &plan::axes(&compiled.plan), values, &outcome, count))
}

fn plans() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("plans")
}

#[test]
fn plans_have_the_axes_that_are_said() {
    if python_missing("the plans with scripts") {
        return;
    }
    let (mut wrong, mut count, mut ran) = (Vec::new(), Count::default(), 0);
    for entry in std::fs::read_dir(plans()).unwrap() {
        let folder = entry.unwrap().path();
        let Ok(expected) = std::fs::read_to_string(folder.join("expected.json")) else { continue };
        let expected: Json = serde_json::from_str(&expected).unwrap();
        let tools = Arc::new(Tools::new(&folder, 2, Arc::new(FixedClock(0))).unwrap());
        for case in expected["runs"].as_array().unwrap() {
            let plan = case["plan"].as_str().unwrap();
            let text = std::fs::read_to_string(folder.join(plan)).unwrap();
            let inputs = case["inputs"].as_str().map(|i| std::fs::read_to_string(folder.join(i)).unwrap());
            let (compiled, _) = compile(plan, &text);
            let Some(found) = run(&compiled, inputs.as_deref(), &tools, &mut count) else { continue };
            ran += 1;
            wrong.extend(found.into_iter().map(|w| format!("{plan}: {w}")));
        }
        tools.shutdown();
    }
    println!("axes plans: {ran} runs, {count:?}");
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
    assert!(ran > 10 && count.one * 2 > count.asked, "{ran} runs, {count:?}");
}

/// Writes plans from numbers: every number decides one thing, and when there are no more it is 0.
struct Writer<'a> {
    choices: std::slice::Iter<'a, u32>,
    text: String,
    values: u32,
    loops: u32,
    /// Conditions that are computed beside the root.
    conditions: Vec<(String, u32)>,
}

const DATA: [&str; 10] = [
    "5",
    "%(a)=[1, 2]",
    "%(b)=[3, 4]",
    "%(a)=[%(b)=[1, 2], [3, 4]]",
    "%(b)=[%(a)=[1, 2], [3, 4]]",
    "%(c)=[7]",
    "%(c)=[%(a)=[5, 6]]",
    "[8, 9]",
    "%(a)=[[1, 2], [3]]",
    "%(_none_axis)=[1, 2]",
];
const AXES: [&str; 5] = ["a", "b", "c", "d", "value"];
const BUILTINS: [&str; 5] = ["pass", "concat", "to_json", "length", "sum"];

impl Writer<'_> {
    fn plan(choices: &[u32]) -> String {
        let mut writer = Writer {
            choices: choices.iter(),
            text: String::new(),
            values: 0,
            loops: 0,
            conditions: Vec::new(),
        };
        writer.line(0, ":<:({root})");
        writer.line(1, "<= &across");
        writer.value(1, 4, "");
        for (name, number) in std::mem::take(&mut writer.conditions) {
            writer.line(1, &format!("<- {name}"));
            writer.line(2, "<= ::(judge {1})<ALL True>");
            writer.line(3, "| %{builtin}: is_zero");
            writer.line(2, &format!("<- {{n{number}}}<:{{1}}> | ref. {}", number % 2));
        }
        writer.text
    }

    fn choose(&mut self, of: usize) -> usize {
        self.choices.next().map_or(0, |c| *c as usize % of)
    }

    fn line(&mut self, depth: usize, text: &str) {
        let _ = writeln!(self.text, "{}{text}", "    ".repeat(depth));
    }

    /// A value line with what computes it; gives its name.
    fn value(&mut self, depth: usize, room: usize, suffix: &str) -> String {
        self.values += 1;
        let name = format!("{{v{}}}", self.values);
        if room == 0 {
            self.ground(depth, &name, suffix);
            return name;
        }
        match self.choose(12) {
            0 => self.ground(depth, &name, suffix),
            1 | 2 => self.step(depth, room, &name, suffix, None),
            3 | 4 => self.looping(depth, room, &name, suffix),
            5 | 6 => self.grouping(depth, room, &name, suffix),
            7 => self.new_axis(depth, room, &name, suffix),
            8 => self.append(depth, room, &name, suffix),
            9 => self.first_of(depth, room, &name, suffix),
            10 => self.selection(depth, room, &name, suffix),
            _ => {
                let (face, axis) = ([("[1, 2]", "a"), ("[[1, 2], [3, 4]]", "c"), ("x", "a")])[self.choose(3)];
                let axes = if self.choose(2) == 0 { String::new() } else { format!(" %:([{axis}])") };
                self.line(depth, &format!("<- {name}{suffix}"));
                self.line(depth + 1, &format!("<= $% %>({face}){axes}"));
            }
        }
        name
    }

    fn ground(&mut self, depth: usize, name: &str, suffix: &str) {
        let data = DATA[self.choose(DATA.len())];
        self.line(depth, &format!("<- {name}{suffix} | ref. {data}"));
    }

    /// A step over some values; in a loop the first is its element.
    fn step(&mut self, depth: usize, room: usize, name: &str, suffix: &str, element: Option<&str>) {
        let builtin = BUILTINS[self.choose(BUILTINS.len())];
        let norm = if self.choose(3) == 0 { "{%(relation)}" } else { "" };
        let more = self.choose(3) + usize::from(element.is_none());
        let slots: Vec<String> =
            (1..=more + usize::from(element.is_some())).map(|n| format!("{{{n}}}")).collect();
        self.line(depth, &format!("<- {name}{suffix}"));
        self.line(depth + 1, &format!("<= ::{norm}(work {} on {})", self.values, slots.join(" with ")));
        self.line(depth + 2, &format!("| %{{builtin}}: {builtin}"));
        if self.choose(4) == 0 {
            self.gate(depth + 2);
        }
        let mut slot = 1;
        if let Some(element) = element {
            self.line(depth + 1, &format!("<- {element}<:{{1}}>"));
            slot = 2;
        }
        for n in slot..slot + more {
            self.value(depth + 1, room - 1, &format!("<:{{{n}}}>"));
        }
    }

    fn gate(&mut self, depth: usize) {
        self.values += 1;
        let number = self.values * 2 + self.choose(2) as u32;
        let name = format!("<c{}>", self.values);
        let operator = if self.choose(2) == 0 { "@if" } else { "@if!" };
        self.line(depth, &format!("<= {operator}({name})"));
        self.conditions.push((name, number));
    }

    fn looping(&mut self, depth: usize, room: usize, name: &str, suffix: &str) {
        self.loops += 1;
        let number = self.loops;
        self.values += 1;
        let base = format!("{{v{}}}", self.values);
        let axis = AXES[self.choose(AXES.len())];
        self.line(depth, &format!("<- {name}{suffix}"));
        self.line(depth + 1, &format!("<= *every({base})%:[{{{axis}}}]@({number})"));
        self.values += 1;
        let result = format!("{{v{}}}", self.values);
        self.line(depth + 2, &format!("<= $.({result})"));
        self.step(depth + 2, room, &result, "", Some(&format!("{base}*{number}")));
        self.named(depth + 1, room - 1, &base);
    }

    /// A value of a given name.
    fn named(&mut self, depth: usize, room: usize, name: &str) {
        if room == 0 || self.choose(2) == 0 {
            self.ground(depth, name, "");
        } else {
            match self.choose(4) {
                0 => self.step(depth, room, name, "", None),
                1 => self.looping(depth, room, name, ""),
                2 => self.new_axis(depth, room, name, ""),
                _ => self.grouping(depth, room, name, ""),
            }
        }
    }

    fn grouping(&mut self, depth: usize, room: usize, name: &str, suffix: &str) {
        let operator = ["&across", "&in"][self.choose(2)];
        let by = match self.choose(3) {
            0 => String::new(),
            1 => format!("({{v{}}}:{{v{}}})", self.values + 1, self.values + 1),
            _ => format!("%:[{{{}}}]", AXES[self.choose(AXES.len())]),
        };
        self.line(depth, &format!("<- {name}{suffix}"));
        self.line(depth + 1, &format!("<= {operator}{by}"));
        for _ in 0..=self.choose(2) {
            self.value(depth + 1, room - 1, "");
        }
    }

    fn new_axis(&mut self, depth: usize, room: usize, name: &str, suffix: &str) {
        let operator = ["&[#]", "&[{}]"][self.choose(2)];
        let axis = AXES[self.choose(AXES.len())];
        let gone = match self.choose(3) {
            0 => String::new(),
            1 => format!(" %:({})", AXES[self.choose(AXES.len())]),
            _ => format!(" %-[[{}], []]", AXES[self.choose(AXES.len())]),
        };
        self.line(depth, &format!("<- {name}{suffix}"));
        self.line(depth + 1, &format!("<= {operator}{gone} %+({axis})"));
        for _ in 0..=self.choose(2) {
            self.value(depth + 1, room - 1, "");
        }
    }

    fn append(&mut self, depth: usize, room: usize, name: &str, suffix: &str) {
        let axis = AXES[self.choose(AXES.len())];
        self.values += 2;
        let (item, onto) = (format!("{{v{}}}", self.values - 1), format!("{{v{}}}", self.values));
        self.line(depth, &format!("<- {name}{suffix}"));
        self.line(depth + 1, &format!("<= $+({item}:{onto})%:[{{{axis}}}]"));
        self.named(depth + 1, room - 1, &item);
        self.named(depth + 1, room - 1, &onto);
    }

    fn first_of(&mut self, depth: usize, room: usize, name: &str, suffix: &str) {
        self.values += 2;
        let (first, second) = (format!("{{v{}}}", self.values - 1), format!("{{v{}}}", self.values));
        self.line(depth, &format!("<- {name}{suffix}"));
        self.line(depth + 1, &format!("<= $.({first}; {second})"));
        self.named(depth + 1, room - 1, &first);
        self.named(depth + 1, room - 1, &second);
    }

    fn selection(&mut self, depth: usize, room: usize, name: &str, suffix: &str) {
        self.values += 1;
        let source = format!("{{v{}}}", self.values);
        let pick = ["<$*0>", "<$*#>"][self.choose(2)];
        self.line(depth, &format!("<- {name}{suffix}"));
        self.line(depth + 1, &format!("<= $- %>({source}) %^({pick})"));
        self.named(depth + 1, room - 1, &source);
    }
}

#[test]
fn generated_plans_have_the_axes_that_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let tools = Arc::new(Tools::new(folder.path(), 2, Arc::new(FixedClock(0))).unwrap());
    let count = RefCell::new(Count::default());
    let (ran, cases) = (Cell::new(0), Cell::new(0));
    // More than the usual number when it is asked for by the name that proptest knows.
    let wanted = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(64);
    let mut runner =
        TestRunner::new(Config { cases: wanted, failure_persistence: None, ..Config::default() });
    let strategy = proptest::collection::vec(0u32..1000, 0..120);
    let result = runner.run(&strategy, |choices| {
        let text = Writer::plan(&choices);
        let (compiled, _) = compile("generated.nc", &text);
        cases.set(cases.get() + 1);
        let Some(wrong) = run(&compiled, None, &tools, &mut count.borrow_mut()) else { return Ok(()) };
        ran.set(ran.get() + 1);
        proptest::prop_assert!(wrong.is_empty(), "{}\n{text}", wrong.join("\n"));
        Ok(())
    });
    tools.shutdown();
    if let Err(error) = result {
        panic!("{error}");
    }
    let (count, ran, cases) = (count.into_inner(), ran.get(), cases.get());
    println!("generated: {ran} of {cases} ran, {count:?}");
    assert!(ran * 2 > cases, "most plans must run: {ran} of {cases}");
    assert!(count.one * 2 > count.asked, "the analysis must know most values: {count:?}");
}

/// What the checks say of a plan, with what they underline.
fn said(name: &str, text: &str) -> Vec<String> {
    let (compiled, sources) = compile(name, text);
    let mine = [Code::NC084, Code::NC091, Code::NC092, Code::NC093, Code::NC094, Code::NC097];
    let found = compiled.diagnostics.iter().filter(|d| mine.contains(&d.code));
    let shown = |d: &normc::diag::Diagnostic| {
        let at = |span| sources.text(span).unwrap_or("").to_owned();
        let first = d.primary.as_ref().map_or(String::new(), |p| at(p.span));
        let also: Vec<String> = d.secondary.iter().map(|l| format!("{} ({})", at(l.span), l.text)).collect();
        format!("{} `{first}` {} [{}]", d.code, d.message, also.join("; "))
    };
    found.map(shown).collect()
}

#[test]
fn checks_name_both_places() {
    for (name, text, expected) in [
        (
            "append.ncd",
            ":<:([all])\n    <= $+ %>([all]) %<({new}) %:(page)\n    <- {new} | ref. 1\n    <- [all] | ref. %(line)=[1, 2]\n",
            "NC091 `page` `[all]` has no axis `page` to append along",
        ),
        (
            "grouped.ncd",
            ":<:({r})\n    <= &[#] %>[{a}, {b}] %+(x)\n    <- {a} | ref. %(x)=[1, 2]\n    <- {b} | ref. %(y)=[1, 2]\n",
            "NC092 `x` the new axis `x` has the name of an axis of `{a}`",
        ),
        (
            "protected.ncd",
            ":<:({r})\n    <= &[#] %>[{a}] %:({x}) %^<$!={z}>\n    <- {a} | ref. %(x)=[%(y)=[1]]\n",
            "NC092 `<$!={z}>` the protected axis `z` is no axis of what is grouped",
        ),
        (
            "loop.nc",
            ":<:({r})\n    <= *every({a})%:[{page}]@(1)\n        <= $.({s})\n        <- {s}\n            <= ::(use {1})\n            <- {a}*1<:{1}>\n    <- {a}\n        <= ::(make {1})\n        <- {b}<:{1}> | ref. %(line)=[1, 2]\n",
            "NC084 `{page}` `page` is no axis of `{a}`; its axis `line` is walked",
        ),
        (
            "one.nc",
            ":<:({r})\n    <= *every({a})%:[{a}]@(1)\n        <= $.({s})\n        <- {s}\n            <= ::(use {1})\n            <- {a}*1<:{1}>\n    <- {a} | ref. 5\n",
            "NC084 `{a}` the loop walks `{a}`, which is one value and no collection",
        ),
        (
            "declared.nc",
            ":<:({r})\n    <= ::(use {1} and {2})\n    <- {s}<:{1}>\n        | %{ref_axes}: [_none_axis]\n        <= ::(make {1})\n        <- {b}<:{1}> | ref. %(line)=[1, 2]\n    <- {b}<:{2}>\n",
            "NC093 `[_none_axis]` `{s}` is declared without axes, but has the axis `line`",
        ),
        (
            "each.ncd",
            ":<:({r})\n    <= $. %>({a})\n        <= @:'(<c>)\n    <- {a} | ref. %(line)=[1, 2]\n    <- <c>\n        <= ::(is {1} good)<For Each {page} True>\n        <- {a}<:{1}>\n",
            "NC093 `::(is {1} good)<For Each {page} True>` `For Each` speaks of the axis `page`, which nothing that is judged has",
        ),
    ] {
        let found = said(name, text);
        assert_eq!(found.len(), 1, "{name}: {found:#?}");
        assert!(found[0].starts_with(expected), "{name}: {found:#?}");
        assert!(!found[0].ends_with("[]"), "{name} names one place only: {found:#?}");
    }
}

#[test]
fn checks_keep_silent_where_nothing_is_certain() {
    for (name, text) in [
        // The destination's own name means its first axis.
        (
            "own.nc",
            ":<:([word])\n    <= $+({new}:[word])%:[{word}]\n    <- {new} | ref. 1\n    <- [word] | ref. %(line)=[1]\n",
        ),
        // Nobody knows the axes of an input.
        ("input.nc", ":<:([all])\n    <= $+({new}:[all])%:[{page}]\n    <- {new}\n    <- [all]\n"),
        // Axes of literals have no names to keep to.
        (
            "literal.nc",
            ":<:([all])\n    <= $+({new}:[all])%:[{page}]\n    <- {new} | ref. 1\n    <- [all] | ref. [1, 2]\n",
        ),
        // The axis `value` that a run adds need not be declared.
        (
            "value.nc",
            ":<:({r})\n    | %{ref_axes}: [a]\n    <= *every({a})%:[{a}]@(1)\n        <= $.({s})\n        <- {s}\n            <= ::(use {1})\n            <- {a}*1<:{1}>\n    <- {a} | ref. %(a)=[1, 2]\n",
        ),
        // One value may be a list, and its axis named for what it holds.
        (
            "list.ncd",
            ":<:({r})\n    | %{ref_axes}: [entry]\n    <= &[{}] %>[{a}, {b}]\n    <- {a} | ref. 1\n    <- {b} | ref. 2\n",
        ),
        // Walked again.
        ("again.ncd", ":<:({r})\n    <= &[#] %>[{a}] %+(x)\n    <- {a} | ref. %(x)=[1, 2]\n"),
    ] {
        assert_eq!(said(name, text), Vec::<String>::new(), "{name}");
    }
}

/// Every warning of these checks in the corpus and the project's plans was read and is deserved.
#[test]
fn good_plans_are_not_complained_about() {
    const DESERVED: [(&str, &str); 5] = [
        ("087_iteration_10_formalization.pf.ncd", "NC084"),
        ("012_ex_add_complete_code_with_checkpoint_meta_L102.nc", "NC092"),
        ("019_ex_orchest_add_L99.nc", "NC084"),
        ("022_ex_mixed_count_number_v1_L31.nc", "NC092"),
        ("026_example_quantifier_L562.nc", "NC084"),
    ];
    let corpus = corpus::own_folder();
    let mut files: Vec<PathBuf> = corpus::plans(&corpus).into_iter().map(|p| p.path).collect();
    for entry in std::fs::read_dir(plans()).unwrap() {
        let folder = entry.unwrap().path();
        if folder.is_dir() && !folder.ends_with("invalid") {
            let sources = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path());
            files.extend(sources.filter(|p| p.extension().is_some_and(|e| e == "nc" || e == "ncd")));
        }
    }
    let mut found = Vec::new();
    for file in files {
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let remarks = said(&name, &text).into_iter();
        found.extend(remarks.filter(|s| !s.starts_with("NC094")).map(|s| (name.clone(), s)));
    }
    let known = |(name, said): &(String, String)| {
        DESERVED.iter().any(|(file, code)| name == file && said.starts_with(code))
    };
    let new: Vec<_> = found.iter().filter(|f| !known(f)).collect();
    assert!(new.is_empty(), "{new:#?}");
}

/// Loops, steps and groupings by the ten thousand, each upon the one before: time in proportion to the plan.
#[test]
fn ten_thousand_inferences_take_a_moment() {
    let mut text = String::from(":<:({v0})\n    <= &across\n    <- {v1}\n");
    for n in 1..10_000 {
        let next = n + 1;
        let operation = match n % 4 {
            0 => format!("&across({{v{next}}})"),
            1 => format!("::(work {n} on {{1}})"),
            2 => format!("$.({{v{next}}})"),
            _ => format!("&[#] %>[{{v{next}}}] %+(x)"),
        };
        let _ = write!(text, "    <- {{v{n}}}\n        <= {operation}\n        <- {{v{next}}}\n");
    }
    text.push_str("    <- {v10000} | ref. %(a)=[1, 2]\n");
    let (compiled, _) = compile("many.nc", &text);
    assert!(compiled.plan.inferences.len() >= 10_000, "{}", compiled.plan.inferences.len());
    let began = Instant::now();
    let axes = plan::axes(&compiled.plan);
    let took = began.elapsed();
    println!("{} inferences: {took:?}", compiled.plan.inferences.len());
    let first = compiled.plan.concepts.iter().position(|c| &*c.name == "{v1}").unwrap();
    assert!(axes.of(plan::ConceptId(first as u32)).names().is_some());
    // Unoptimised, on a busy machine.
    assert!(took < Duration::from_secs(5), "{took:?}");
}
