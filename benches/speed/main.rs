//! How fast plans load and run, beside the barest programs that do the same work.
//!
//! ```text
//! cargo bench -- --quick          small sizes, about a minute: try this first
//! cargo bench                     all workloads, several minutes
//! cargo bench -- --large W4       sizes up to a million, minutes and gigabytes
//! cargo bench -- W3 W4            only these
//! ```
//!
//! # How to read the table
//!
//! One block a workload, one line a size. *time* is the median of several runs of what the block's title says, *ns a
//! unit* is that by N. *floor* is the time of the barest program for the same work, measured in the same process and,
//! where a disk or another process is involved, in turns with the runs; *ratio* is time by floor: it says what plans,
//! values, records and diagnostics cost, and does not depend on the machine much. *growth* is the exponent of time over
//! N, fitted over the lines from 10 000 on; 1.00 is linear, and anything above 1.1 over three decades means that
//! something is quadratic. *peak* is the highest memory of the whole process during the block's line, what the workload
//! itself takes included; it is there on Linux only.
//!
//! | block | what is seen |
//! |---|---|
//! | W1 to W4 load, build, run | in memory, one thread, steps that are pure and tiny: the runner alone |
//! | W1 strict | each step is on the disk before the next one; one sync a step is all it may cost |
//! | W1 to W4 written down, grouped | the default of `normc exec`: records are synced in groups. *begin* makes the run's directory and keeps the plan, *index* is what the index needs when everything else is on the disk; both are beside the time. *as frames* is the time for appending as many frames of that size by group commit, each with checksum and hash: what the format costs. *syncs* and *writes* are those of the run, *cycles* its rounds |
//! | W5 | scripts that need nothing of each other, workers started within the time |
//! | W6 | source text to a plan, in memory |
//! | W7 | scripts that wait for each other, one worker started within the time; and the same with built-ins, in memory |
//! | W8 | bytes a finished chain takes on the disk |
//! | W9 | how fast a finished chain is seen to be finished: *take* reads and verifies the journal, *weigh* folds it to the state and compares the plan (of which hashing it is the part in brackets); *writes* says whether a file of the run changed |
//! | W10 | the start of the program |
//!
//! Stores stand in a folder under `target`, so that the disk is a real one; the first lines say which, and how long a
//! sync takes. Scripts run with `NORMC_PYTHON`, else `python3`, in normc and in the floors alike.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark measures time and prints it, and has nobody to report a broken plan to but its own panic"
)]

mod disk;
mod durable;
mod floors;
mod measure;
mod memory;
mod python;
mod scripts;
mod stored;
mod workloads;

use std::time::Duration;

use measure::{Effort, middle, show};

/// What is asked for.
struct Bench {
    quick: bool,
    large: bool,
    only: Vec<String>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let bench = Bench {
        quick: arguments.iter().any(|a| a == "--quick"),
        large: arguments.iter().any(|a| a == "--large"),
        only: arguments.into_iter().filter(|a| !a.starts_with('-')).collect(),
    };
    say_machine();
    memory::all(&bench);
    durable::all(&bench);
    bench.scripts();
    bench.addition_with_scripts();
    bench.stored();
    stored::starting(&bench);
}

/// What the numbers depend on.
fn say_machine() {
    let ground = disk::ground();
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let system = disk::file_system(ground.path()).unwrap_or_else(|| "an unknown file system".to_owned());
    let syncs = (0..5).map(|_| disk::one_by_one(ground.path(), 50, 100) / 50).collect();
    println!("{processors} processors; stores on {system}, {} a sync", show(middle(syncs)));
    if system.starts_with("tmpfs") {
        println!("this is no disk: what is written down costs less here than it should");
    }
}

impl Bench {
    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|o| o == name)
    }

    fn effort(&self) -> Effort {
        if self.quick {
            Effort { runs: 3, enough: Duration::from_millis(200) }
        } else {
            Effort { runs: 7, enough: Duration::from_secs(2) }
        }
    }

    /// For what depends on a disk or another process, which are less steady.
    fn durable_effort(&self) -> Effort {
        if self.quick {
            Effort { runs: 3, enough: Duration::from_secs(1) }
        } else {
            Effort { runs: 9, enough: Duration::from_secs(6) }
        }
    }

    fn sizes(&self) -> &'static [usize] {
        match (self.quick, self.large) {
            (true, _) => &[1_000, 10_000],
            (_, false) => &[1_000, 10_000, 100_000],
            (_, true) => &[1_000, 10_000, 100_000, 1_000_000],
        }
    }

    /// Of what is written down.
    fn durable_sizes(&self) -> &'static [usize] {
        match (self.quick, self.large) {
            (true, _) => &[1_000, 10_000],
            (_, false) => &[10_000, 100_000],
            (_, true) => &[10_000, 100_000, 1_000_000],
        }
    }
}
