//! Runs on a simulated disk that fails, fills up or loses power at every call made to it: the run stops, and going on
//! from what is left on the disk ends as the whole run did, with no settled step settled again.

use std::path::Path;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender};
use normc::base::{FixedClock, SourceFile, SourceMap, Value};
use normc::engine::{
    Desk, Found, Interrupt, Keeping, OpenQuestion, Options, Plan, Resumption, RunError, Session, Tools, Wish,
};
use normc::faculty::human::Given;
use normc::run::{CallLog, Event, Graph, Watch};
use normc::store::{Durability, Fault, Recovery, SimDisk, Store, StoreError};
use normc::{plan, repo, syntax};
use serde_json::Value as Json;

/// Counts events.
#[derive(Default)]
struct Count(u64);

impl Watch for Count {
    fn event(&mut self, _: &Graph, _: &Event, _: Option<&CallLog>) {
        self.0 += 1;
    }
}

struct Stage {
    plan: Plan,
    durability: Durability,
}

/// How a run ended: its result, and how many events it took.
#[derive(Debug, Clone, PartialEq)]
struct Whole {
    result: Json,
    events: u64,
}

impl Stage {
    fn new(file: &str, durability: Durability) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans").join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        Self::of(&text, path.parent().unwrap(), durability)
    }

    fn of(text: &str, base: &Path, durability: Durability) -> Self {
        let mut sources = SourceMap::default();
        let source = sources.add(SourceFile::new("plan.nc", text));
        let (tree, mut diagnostics) = syntax::parse(source, text, None);
        let (resolved, more) = plan::resolve(&tree);
        diagnostics.extend(more);
        let bundle =
            repo::lower(&resolved, &sources, &diagnostics, &repo::LowerOptions::default()).repositories;
        let model = repo::load(&bundle).unwrap().model;
        let document = Arc::from(bundle.write());
        let plan = Plan::new(model, document, serde_json::Map::new(), "plan", "plan.nc", base).unwrap();
        Self { plan, durability }
    }

    fn keeping(&self) -> Keeping {
        Keeping { durability: self.durability, clock: Arc::new(FixedClock(0)) }
    }

    fn finish(&self, session: Session, before: u64) -> Result<Whole, RunError> {
        let tools = Arc::new(Tools::new(&self.plan.base, 1, Arc::new(FixedClock(0))).unwrap());
        let mut count = Count(before);
        let ended = session.run(&tools, &Options::default(), &mut count);
        ended.record?.finish().ok();
        Ok(Whole { result: ended.outcome.to_json("run"), events: count.0 })
    }

    fn run(&self, disk: &SimDisk) -> Result<Whole, RunError> {
        let store = Store::new("/store", Arc::new(disk.clone()));
        let session = Session::begin(&store, &self.plan, None, &self.keeping())?;
        self.finish(session, 0)
    }

    /// What a user does after a crash: go on, or begin when nothing had begun.
    fn go_on(&self, disk: &SimDisk) -> Result<Whole, RunError> {
        let store = Store::new("/store", Arc::new(disk.clone()));
        let Some(id) = store.ids()?.into_iter().next() else { return self.run(disk) };
        let found = match Found::take(store.open(&id)?) {
            Err(RunError::Empty { .. }) => return self.run(disk),
            found => found?,
        };
        assert!(
            !matches!(found.recovery, Recovery::Repaired { .. }),
            "nothing was damaged: {:?}",
            found.recovery
        );
        let resumption = Resumption::weigh(found, self.plan.clone(), &Wish::default())?;
        let kept = resumption.kept;
        if resumption.is_complete() {
            let outcome = resumption.into_outcome();
            return Ok(Whole { result: outcome.to_json("run"), events: kept });
        }
        self.finish(Session::go_on(resumption, &self.keeping())?, kept)
    }

    /// Fails at every `stride`th call; returns how many faults stopped the run.
    fn torture(&self, stride: usize, faults: &[Fault]) -> u64 {
        let disk = SimDisk::new();
        let whole = self.run(&disk).unwrap();
        assert!(whole.events > 4);
        let mut stopped = 0;
        for nth in (0..disk.calls()).step_by(stride) {
            for fault in faults {
                let disk = SimDisk::new();
                disk.fail(nth, *fault);
                let told = match self.run(&disk) {
                    Ok(got) => {
                        // The index alone was hit, or something that may fail.
                        assert_eq!(got, whole, "call {nth}, {fault:?}");
                        "it ended well".to_owned()
                    }
                    Err(error) => {
                        stopped += 1;
                        let store =
                            matches!(error, RunError::Store(StoreError::Io { .. } | StoreError::Full { .. }));
                        assert!(store, "call {nth}, {fault:?}: {error}");
                        error.to_string()
                    }
                };
                let mut ends = vec![("killed", disk.kill())];
                // Without syncs a loss of power may leave anything, and no more is promised.
                if self.durability != Durability::Kill {
                    ends.extend([("all lost", disk.crash(0)), ("some lost", disk.crash(nth + 2))]);
                }
                for (name, left) in ends {
                    match self.go_on(&left) {
                        Ok(got) => assert_eq!(got, whole, "call {nth}, {fault:?}, {name}; {told}"),
                        Err(error) => panic!("call {nth}, {fault:?}, {name}: {error}; {told}"),
                    }
                }
            }
        }
        stopped
    }
}

#[test]
fn every_call_to_the_disk_may_be_the_last() {
    let stage = Stage::new("running_total/running_total.nc", Durability::Strict);
    let stopped = stage.torture(1, &[Fault::Io, Fault::Full, Fault::Short]);
    println!("crash: {stopped} faults stopped a strict run");
    assert!(stopped > 100, "only {stopped}");
}

#[test]
fn so_it_is_when_writes_are_grouped_and_when_nothing_is_synced() {
    for durability in [Durability::Grouped, Durability::Kill] {
        let stage = Stage::new("addition/addition_builtin.nc", durability);
        let stopped = stage.torture(1, &[Fault::Io, Fault::Short]);
        println!("crash: {stopped} faults stopped a run of durability {durability:?}");
        assert!(stopped > 20, "only {stopped}");
    }
}

/// A question that cannot be written down is put to nobody, and the run ends.
#[test]
fn a_run_with_questions_ends_when_its_journal_cannot_be_written() {
    let text = "\
:<:({all})
    <= &in({one};{two};{three})
    <- {one}
        <= ::(ask for one)
            | %{ask}: \"One?\"
    <- {two}
        <= ::(ask for two)
            | %{ask}: \"Two?\"
    <- {three}
        <= ::(tell three)
            | %{paradigm}: say
";
    for durability in [Durability::Strict, Durability::Grouped] {
        let stage = Stage::of(text, Path::new("."), durability);
        let disk = SimDisk::new();
        stage.run(&disk).unwrap();
        let mut stopped = 0;
        for nth in 0..disk.calls() {
            let disk = SimDisk::new();
            disk.fail(nth, Fault::Io);
            stopped += u32::from(stage.run(&disk).is_err());
        }
        assert!(stopped > 10, "only {stopped}");
    }
}

/// Answers each question at once, and asks the run to stop.
struct Hasty {
    given: Sender<Given>,
    answers: Receiver<Given>,
    interrupt: Interrupt,
}

impl Desk for Hasty {
    fn open(&mut self, question: &OpenQuestion) {
        self.given.send((Arc::clone(&question.id), Value::text("Ada"))).unwrap();
        self.interrupt.ask(2);
    }

    fn withdraw(&mut self, _: &str) {}

    fn answers(&self) -> Receiver<Given> {
        self.answers.clone()
    }

    fn waits(&self) -> bool {
        true
    }
}

#[test]
fn an_answer_that_comes_with_the_end_of_the_run_is_kept() {
    let text = ":<:({name})\n    <= ::(ask for a name)\n        | %{ask}: \"Who?\"\n";
    let stage = Stage::of(text, Path::new("."), Durability::Grouped);
    // Which of the two is heard first is a matter of luck.
    for _ in 0..30 {
        let disk = SimDisk::new();
        let store = Store::new("/store", Arc::new(disk.clone()));
        let session = Session::begin(&store, &stage.plan, None, &stage.keeping()).unwrap();
        let (given, answers) = crossbeam_channel::unbounded();
        let options = Options::default();
        let desk = Hasty { given, answers, interrupt: options.interrupt.clone() };
        let tools = Arc::new(Tools::new(&stage.plan.base, 1, Arc::new(FixedClock(0))).unwrap());
        let ended = session.with_desk(Box::new(desk)).run(&tools, &options, &mut Count::default());
        assert_eq!(ended.questions.len(), 0);
        ended.record.unwrap().finish().ok();
        let id = store.ids().unwrap().remove(0);
        let resumption = Resumption::weigh(
            Found::take(store.open(&id).unwrap()).unwrap(),
            stage.plan.clone(),
            &Wish::default(),
        );
        assert!(resumption.unwrap().is_complete(), "the answer is lost");
    }
}

#[test]
fn large_values_are_there_when_their_records_are() {
    let numbers: Vec<String> = (0..7_000).map(|n| n.to_string()).collect();
    let mut text = String::from(":<:({c0})\n");
    for n in 0..4 {
        let (indent, value) = ("    ".repeat(n + 1), n + 1);
        text.push_str(&format!("{indent}<= $.({{c{value}}})\n{indent}<- {{c{value}}}\n"));
    }
    let indent = "    ".repeat(5);
    text.push_str(&format!(
        "{indent}<= $.({{numbers}})\n{indent}<- {{numbers}}\n{indent}    | ref. %(n)=[{}]\n",
        numbers.join(", ")
    ));
    for durability in [Durability::Strict, Durability::Grouped] {
        let stage = Stage::of(&text, Path::new("."), durability);
        let stopped = stage.torture(4, &[Fault::Io]);
        println!("crash: {stopped} faults stopped a run of large values, {durability:?}");
        assert!(stopped > 5, "only {stopped}");
    }
}

#[test]
fn a_full_disk_stops_the_run_and_space_lets_it_go_on() {
    let stage = Stage::new("addition/addition_builtin.nc", Durability::Strict);
    let disk = SimDisk::new();
    let whole = stage.run(&disk).unwrap();
    let mut stopped = 0;
    for kib in (0..64).map(|n| n * 2) {
        let disk = SimDisk::new();
        disk.set_capacity(Some(kib << 10));
        match stage.run(&disk) {
            Ok(got) => assert_eq!(got, whole),
            Err(error) => {
                stopped += 1;
                assert!(matches!(error, RunError::Store(StoreError::Full { .. })), "{kib} KiB: {error}");
                assert!(
                    error.help().is_some_and(|help| help.contains("free some space")),
                    "{:?}",
                    error.help()
                );
            }
        }
        disk.set_capacity(None);
        assert_eq!(stage.go_on(&disk.kill()).unwrap(), whole, "{kib} KiB");
    }
    assert!(stopped > 5, "only {stopped}");
}

#[test]
fn a_read_only_store_is_refused_before_anything_runs_and_still_read() {
    let stage = Stage::new("running_total/running_total.nc", Durability::Grouped);
    let disk = SimDisk::new();
    disk.set_read_only(true);
    let refused = stage.run(&disk).unwrap_err();
    assert!(matches!(refused, RunError::Store(StoreError::Io { .. })), "{refused}");
    assert!(refused.help().is_some_and(|help| help.contains("--store")), "{:?}", refused.help());
    disk.set_read_only(false);
    let whole = stage.run(&disk).unwrap();
    disk.set_read_only(true);
    assert_eq!(stage.go_on(&disk).unwrap(), whole, "the result of a finished run can be read");
}
