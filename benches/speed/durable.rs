//! W1 to W4 written down: what a run costs beyond the same run in memory and beyond the barest journal.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use normc::base::Clock;
use normc::engine::{Keeping, Options, Plan, Session, Tools};
use normc::run::{Graph, Outcome, Quiet, Status};
use normc::store::{Durability, RealDisk, Store};

use crate::disk::{self, CountingDisk, Counts};
use crate::measure::{Row, Series, forget_peak, in_turns, middle, peak, processor_time, show, timed};
use crate::{Bench, memory, python, workloads};

/// The time of day.
struct Wall;

impl Clock for Wall {
    fn now_millis(&self) -> u64 {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
    }
}

/// A run that was written down.
pub(crate) struct Written {
    /// From nothing to a run that can take its first step: its directory and its plan are on the disk.
    pub(crate) begin: Duration,
    /// From the first step to the moment everything is on the disk; what it shows may be relied on then.
    pub(crate) run: Duration,
    /// What processors spent on the run; not on the index, which a thread of its own keeps up to the end.
    pub(crate) processor: Duration,
    /// What the index needs beyond that.
    pub(crate) close: Duration,
    pub(crate) outcome: Outcome,
    pub(crate) id: String,
    pub(crate) path: PathBuf,
}

/// The records of a run.
pub(crate) struct Records {
    pub(crate) count: usize,
    /// Frames with their headers, and nothing else.
    pub(crate) bytes: u64,
}

/// Runs a plan and writes it down. Its scripts and the threads for them are started within the time of the run.
pub(crate) fn write_down(store: &Store, plan: &Plan, durability: Durability, jobs: usize) -> Written {
    let keeping = Keeping { durability, clock: Arc::new(Wall) };
    let tools = Arc::new(Tools::new(&plan.base, jobs, Arc::clone(&keeping.clock)).unwrap());
    let options = Options { jobs, ..Options::default() };
    let (begin, session) = timed(|| Session::begin(store, plan, None, &keeping).unwrap());
    let before = processor_time();
    let (run, ended) = timed(|| session.run(&tools, &options, &mut Quiet));
    let processor = processor_time().saturating_sub(before);
    let closing = ended.record.unwrap();
    let (close, closed) = timed(|| closing.finish());
    closed.unwrap();
    tools.shutdown();
    assert_eq!(ended.outcome.status, Status::Completed, "a workload does not run to its end");
    Written { begin, run, processor, close, outcome: ended.outcome, id: ended.run_id, path: ended.path }
}

/// The records in the journal of a run.
pub(crate) fn records(store: &Store, id: &str) -> Records {
    let mut records = Records { count: 0, bytes: 0 };
    let mut journal = store.open(id).unwrap().journal().unwrap();
    while let Some(frame) = journal.next().unwrap() {
        records.count += 1;
        records.bytes += frame.bytes.len() as u64;
    }
    records
}

/// A store in a folder of its own.
pub(crate) fn store_in(dir: &Path) -> Store {
    Store::new(dir.join("store"), Arc::new(RealDisk))
}

/// Removes a run that was measured.
pub(crate) fn remove(written: &Written) {
    std::fs::remove_dir_all(&written.path).unwrap();
}

/// A plan that was run once with everything counted.
struct Counted {
    records: Records,
    /// Syncs of the run, without those that begin it.
    syncs: u64,
    writes: u64,
    cycles: u32,
}

fn count(dir: &Path, plan: &Plan, durability: Durability) -> Counted {
    let disk = CountingDisk::default();
    let counts: Arc<Counts> = Arc::clone(&disk.counts);
    let store = Store::new(dir.join("counted"), Arc::new(disk));
    let keeping = Keeping { durability, clock: Arc::new(Wall) };
    let session = Session::begin(&store, plan, None, &keeping).unwrap();
    let (syncs, writes) = (counts.syncs(), counts.writes());
    let tools = Arc::new(Tools::new(&plan.base, 1, Arc::clone(&keeping.clock)).unwrap());
    let ended = session.run(&tools, &Options::default(), &mut Quiet);
    let closing = ended.record.unwrap();
    let (syncs, writes) = (counts.syncs() - syncs, counts.writes() - writes);
    closing.finish().unwrap();
    let cycles = ended.outcome.state.highest_round();
    let records = records(&store, &ended.run_id);
    store.remove(&ended.run_id).unwrap();
    Counted { records, syncs, writes, cycles }
}

/// Begin and index times of several runs.
#[derive(Default)]
struct Around {
    begin: Vec<Duration>,
    close: Vec<Duration>,
    processor: Vec<Duration>,
}

impl Around {
    fn run(&mut self, store: &Store, plan: &Plan, durability: Durability) -> Duration {
        let written = write_down(store, plan, durability, 1);
        remove(&written);
        self.begin.push(written.begin);
        self.close.push(written.close);
        self.processor.push(written.processor);
        written.run
    }

    fn show(&self) -> [String; 2] {
        [show(middle(self.begin.clone())), show(middle(self.close.clone()))]
    }
}

/// Everything that is written down, but for scripts.
pub(crate) fn all(bench: &Bench) {
    bench.strict();
    let append = "the same bytes in N records appended by group commit";
    bench.grouped("W1", "step", append, workloads::chain, |dir, _, n, counted| {
        disk::grouped(dir, n, counted.records.bytes)
    });
    let batch = "the same bytes in one write and one sync";
    bench.grouped("W2", "step", batch, workloads::fan, |dir, _, _, counted| {
        disk::batches(dir, counted.records.bytes, 1)
    });
    bench.grouped("W3", "round", append, workloads::summing_loop, |dir, _, n, counted| {
        disk::grouped(dir, n, counted.records.bytes)
    });
    let memory = "the run in memory, then the same bytes in as many synced writes as the run made syncs";
    bench.grouped("W4", "step", memory, workloads::wide, |dir, graph, _, counted| {
        let (time, outcome) = timed(|| memory::run_graph(graph, 1));
        drop(outcome);
        time + disk::batches(dir, counted.records.bytes, counted.syncs)
    });
}

impl Bench {
    /// W1 strict: every step is on the disk before the next one sees its result.
    fn strict(&self) {
        if !self.wants("W1") {
            return;
        }
        let ground = disk::ground();
        let (dir, store) = (ground.path(), store_in(ground.path()));
        let mut rows = Vec::new();
        let mut beyond = Vec::new();
        for n in [100, 1_000] {
            let plan = workloads::chain(n).to_run(dir);
            let counted = count(dir, &plan, Durability::Strict);
            let size = counted.records.bytes as usize / counted.records.count;
            forget_peak();
            let mut around = Around::default();
            let mut of_floor = Vec::new();
            let (floor, time) = in_turns(
                self.durable_effort(),
                || {
                    let before = processor_time();
                    let time = disk::one_by_one(dir, n, size);
                    of_floor.push(processor_time().saturating_sub(before));
                    time
                },
                || around.run(&store, &plan, Durability::Strict),
            );
            let each = |times: &[Duration]| middle(times.to_vec()).as_secs_f64() * 1e6 / n as f64;
            beyond.push((n, each(&of_floor), each(&around.processor)));
            let [begin, close] = around.show();
            let more = vec![counted.syncs.to_string(), begin, close];
            rows.push(Row { n, time, floor: Some(floor), peak: peak(), more });
        }
        Series {
            name: "W1 chain, strict: run".to_owned(),
            unit: "step",
            floor: "one record a step, written and synced, into space reserved before",
            more: &["syncs", "begin", "index"],
            rows,
        }
        .print();
        for (n, floor, runs) in beyond {
            println!(
                "processor time with {n} steps: {runs:.1} us a step, {floor:.1} us of them as the floor, {:.1} us beyond",
                runs - floor
            );
        }
        match python::sqlite(dir, 1_000) {
            Some(time) => println!("SQLite, 1000 transactions of one record (WAL, FULL): {}", show(time)),
            None => println!("SQLite: Python has none"),
        }
    }

    /// A workload with grouped durability; the floor is made from what the run wrote.
    fn grouped(
        &self,
        name: &str,
        unit: &'static str,
        floor: &'static str,
        workload: fn(usize) -> workloads::Plan,
        bare: impl Fn(&Path, &Arc<Graph>, usize, &Counted) -> Duration,
    ) {
        if !self.wants(name) {
            return;
        }
        let ground = disk::ground();
        let (dir, store) = (ground.path(), store_in(ground.path()));
        let mut rows = Vec::new();
        for &n in self.durable_sizes() {
            let plan = workload(n).to_run(dir);
            let counted = count(dir, &plan, Durability::Grouped);
            forget_peak();
            let mut around = Around::default();
            let (floor, time) = in_turns(
                self.durable_effort(),
                || bare(dir, &plan.graph, n, &counted),
                || around.run(&store, &plan, Durability::Grouped),
            );
            let [begin, close] = around.show();
            let framed = |_| disk::framed(dir, counted.records.count, counted.records.bytes);
            let framed = middle((0..self.durable_effort().runs).map(framed).collect());
            let more = vec![
                format!("{:.2} M", n as f64 / time.as_secs_f64() / 1e6),
                show(framed),
                counted.syncs.to_string(),
                counted.writes.to_string(),
                counted.cycles.to_string(),
                begin,
                close,
            ];
            rows.push(Row { n, time, floor: Some(floor), peak: peak(), more });
        }
        let name = format!("{name} written down, grouped: run");
        let more: &[&str] = &["a second", "as frames", "syncs", "writes", "cycles", "begin", "index"];
        Series { name, unit, floor, more, rows }.print();
    }
}
