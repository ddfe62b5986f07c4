//! W8 and W9: what a finished chain takes on the disk, and how fast normc sees that nothing is left to do.

use std::path::Path;
use std::time::Duration;

use normc::engine::{Found, Resumption, Wish};
use normc::store::Durability;

use crate::disk::{self, files};
use crate::durable::{records, store_in, write_down};
use crate::measure::{Row, Series, exponent, forget_peak, in_turns, middle, peak, show, timed};
use crate::{Bench, workloads};

/// The bytes of one store on the disk, by part.
struct Space {
    n: usize,
    records: u64,
    journal: u64,
    index: u64,
    objects: u64,
    plan: u64,
    rest: u64,
}

impl Space {
    fn of(n: usize, run: &Path, records: u64) -> Self {
        let mut space = Self { n, records, journal: 0, index: 0, objects: 0, plan: 0, rest: 0 };
        for (path, _, taken, _) in files(run) {
            let part = path.strip_prefix(run).unwrap().iter().next().and_then(|p| p.to_str()).unwrap_or("");
            *match part {
                "journal" => &mut space.journal,
                "index" | "index.clean" => &mut space.index,
                "objects" => &mut space.objects,
                "plan" => &mut space.plan,
                _ => &mut space.rest,
            } += taken;
        }
        space
    }

    /// Everything but the plan, which is no record of the run.
    fn without_plan(&self) -> u64 {
        self.journal + self.index + self.objects + self.rest
    }
}

impl Bench {
    /// W8 and W9, of the same runs.
    pub(crate) fn stored(&self) {
        if !self.wants("W8") && !self.wants("W9") {
            return;
        }
        let (mut spaces, mut rows) = (Vec::new(), Vec::new());
        for &n in self.durable_sizes() {
            let ground = disk::ground();
            let store = store_in(ground.path());
            let plan = workloads::chain(n).to_run(ground.path());
            let written = write_down(&store, &plan, Durability::Grouped, 1);
            let (id, path) = (written.id, written.path);
            drop(written.outcome);
            spaces.push(Space::of(n, &path, records(&store, &id).bytes));
            let before = files(&path);
            forget_peak();
            let (mut takes, mut weighs) = (Vec::new(), Vec::new());
            let (floor, time) = in_turns(
                self.durable_effort(),
                || disk::read_all(&path.join("journal")),
                || {
                    let plan = plan.clone();
                    let (take, found) = timed(|| Found::take(store.open(&id).unwrap()).unwrap());
                    let (weigh, resumption) = timed(|| {
                        let resumption = Resumption::weigh(found, plan, &Wish::default()).unwrap();
                        assert!(resumption.is_complete(), "something is left to do");
                        resumption
                    });
                    drop(resumption);
                    takes.push(take);
                    weighs.push(weigh);
                    take + weigh
                },
            );
            let (digest, _) = timed(|| plan.digest());
            let written = if files(&path) == before { "no" } else { "YES" };
            let more = vec![show(middle(takes)), show(middle(weighs)), show(digest), written.to_owned()];
            rows.push(Row { n, time, floor: Some(floor), peak: peak(), more });
        }
        if self.wants("W8") {
            print_space(&spaces);
        }
        if self.wants("W9") {
            Series {
                name: "W9 resume of a finished chain, the plan being loaded".to_owned(),
                unit: "step",
                floor: "the journal opened and read",
                more: &["take", "weigh", "(plan hash)", "writes"],
                rows,
            }
            .print();
        }
    }
}

fn print_space(spaces: &[Space]) {
    println!("\nW8 bytes on the disk after a chain (floor: the records' own bytes)");
    println!(
        "{:>10} {:>12} {:>12} {:>12} {:>12} {:>12} {:>12} {:>8} {:>14}",
        "steps", "records", "journal", "index", "objects", "the rest", "plan", "ratio", "bytes/step"
    );
    for space in spaces {
        let all = space.without_plan() as f64;
        println!(
            "{:>10} {:>12} {:>12} {:>12} {:>12} {:>12} {:>12} {:>8.2} {:>14.1}",
            space.n,
            space.records,
            space.journal,
            space.index,
            space.objects,
            space.rest,
            space.plan,
            all / space.records as f64,
            all / space.n as f64
        );
    }
    println!("ratio: everything but the plan by the records");
    let of = |part: fn(&Space) -> u64| {
        let points: Vec<(usize, f64)> = spaces.iter().map(|s| (s.n, part(s).max(1) as f64)).collect();
        exponent(&points).map_or("-".to_owned(), |e| format!("{e:.2}"))
    };
    println!(
        "growth: all ~ N^{}, journal ~ N^{}, index ~ N^{}",
        of(Space::without_plan),
        of(|s| s.journal),
        of(|s| s.index)
    );
}

/// W10 beside the barest program there is.
pub(crate) fn starting(bench: &Bench) {
    if !bench.wants("W10") {
        return;
    }
    let start = |program: &str, arguments: &[&str]| -> Duration {
        let mut command = std::process::Command::new(program);
        command.args(arguments).stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null());
        let (time, status) = timed(|| command.status().unwrap());
        assert!(status.success(), "{program} does not start");
        time
    };
    let normc = env!("CARGO_BIN_EXE_normc");
    let effort = crate::measure::Effort { runs: 200, enough: Duration::from_secs(5) };
    let (floor, time) = in_turns(effort, || start("/bin/true", &[]), || start(normc, &["--version"]));
    let rows = vec![Row { n: 1, time, floor: Some(floor), peak: None, more: Vec::new() }];
    let name = "W10 normc --version".to_owned();
    Series { name, unit: "start", floor: "/bin/true", more: &[], rows }.print();
}
