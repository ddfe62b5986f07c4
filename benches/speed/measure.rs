//! Timing and the table: medians, ratios to a floor, the exponent of growth. Knows nothing of plans.

use std::time::{Duration, Instant};

/// Growth is fitted from this size on: below it what a run costs once weighs too much.
const LARGE: usize = 10_000;

/// How often the driver repeats what it times, at most; and how long it goes on, roughly.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    /// Runs of one measurement, at most.
    pub(crate) runs: usize,
    /// No further run is begun after this time.
    pub(crate) enough: Duration,
}

/// Runs `work` on a fresh result of `prepare` several times and gives the median time of `work` alone. What `work`
/// returns is dropped after the clock has stopped.
pub(crate) fn median<T, R>(
    effort: Effort,
    mut prepare: impl FnMut() -> T,
    mut work: impl FnMut(T) -> R,
) -> Duration {
    let begun = Instant::now();
    let mut times = Vec::with_capacity(effort.runs);
    while times.len() < effort.runs.max(1) && (times.is_empty() || begun.elapsed() < effort.enough) {
        let prepared = prepare();
        let start = Instant::now();
        let result = std::hint::black_box(work(prepared));
        times.push(start.elapsed());
        drop(result);
    }
    middle(times)
}

/// The middle of several times.
pub(crate) fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Times a floor and the work in turns, so that a busy moment of the machine meets both, and gives the median of each.
/// Both say themselves how long they took.
pub(crate) fn in_turns(
    effort: Effort,
    mut floor: impl FnMut() -> Duration,
    mut work: impl FnMut() -> Duration,
) -> (Duration, Duration) {
    let begun = Instant::now();
    let (mut floors, mut times) = (Vec::new(), Vec::new());
    while times.len() < effort.runs.max(1) && (times.is_empty() || begun.elapsed() < effort.enough) {
        floors.push(floor());
        times.push(work());
    }
    (middle(floors), middle(times))
}

/// How long something took, and what came of it.
pub(crate) fn timed<R>(work: impl FnOnce() -> R) -> (Duration, R) {
    let start = Instant::now();
    let result = std::hint::black_box(work());
    (start.elapsed(), result)
}

/// The time the threads of this process have spent on processors; those that ended are not counted. Zero where the
/// system does not tell.
pub(crate) fn processor_time() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let spent = |task: std::fs::DirEntry| -> Option<u64> {
        let stat = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        stat.split(' ').next()?.parse().ok()
    };
    Duration::from_nanos(tasks.filter_map(spent).sum())
}

/// One line of the table.
pub(crate) struct Row {
    pub(crate) n: usize,
    pub(crate) time: Duration,
    /// What the barest program takes for the same work, where there is one.
    pub(crate) floor: Option<Duration>,
    /// Highest memory of the process while it ran, where the system tells.
    pub(crate) peak: Option<usize>,
    /// What else there is to say, under the headings of the series.
    pub(crate) more: Vec<String>,
}

/// The measurements of one workload over several sizes.
pub(crate) struct Series {
    pub(crate) name: String,
    /// What is counted: `step`, `line`.
    pub(crate) unit: &'static str,
    /// What the floor is.
    pub(crate) floor: &'static str,
    /// Headings of further columns.
    pub(crate) more: &'static [&'static str],
    pub(crate) rows: Vec<Row>,
}

impl Series {
    /// Prints the lines of the series, and below them the exponent of its growth.
    pub(crate) fn print(&self) {
        println!("\n{} (floor: {})", self.name, self.floor);
        println!(
            "{:>10} {:>12} {:>14} {:>12} {:>8} {:>9}{}",
            self.unit_heading(),
            "time",
            format!("ns/{}", self.unit),
            "floor",
            "ratio",
            "peak MB",
            columns(self.more)
        );
        for row in &self.rows {
            let each = row.time.as_nanos() as f64 / row.n as f64;
            let floor = row.floor.map_or("-".to_owned(), show);
            let ratio = row
                .floor
                .map_or("-".to_owned(), |f| format!("{:.2}", row.time.as_secs_f64() / f.as_secs_f64()));
            let peak = row.peak.map_or("-".to_owned(), |bytes| (bytes >> 20).to_string());
            println!(
                "{:>10} {:>12} {each:>14.1} {floor:>12} {ratio:>8} {peak:>9}{}",
                row.n,
                show(row.time),
                columns(&row.more)
            );
        }
        let times: Vec<(usize, f64)> = self.rows.iter().map(|r| (r.n, r.time.as_secs_f64())).collect();
        if let Some(exponent) = exponent(&times) {
            println!("growth: time ~ N^{exponent:.2}");
        }
    }

    fn unit_heading(&self) -> String {
        format!("{}s", self.unit)
    }
}

fn columns<S: AsRef<str>>(texts: &[S]) -> String {
    texts.iter().map(|text| format!(" {:>12}", text.as_ref())).collect()
}

/// The slope of the logarithm of something over that of N by least squares, from [`LARGE`] on; of all sizes when fewer
/// than two are that large, and none when there are fewer than two.
pub(crate) fn exponent(points: &[(usize, f64)]) -> Option<f64> {
    let large = || points.iter().filter(|(n, _)| *n >= LARGE);
    let least = if large().count() > 1 { LARGE } else { 0 };
    let points: Vec<(f64, f64)> =
        points.iter().filter(|(n, _)| *n >= least).map(|(n, y)| ((*n as f64).ln(), y.ln())).collect();
    let count = points.len() as f64;
    let mean_x = points.iter().map(|p| p.0).sum::<f64>() / count;
    let mean_y = points.iter().map(|p| p.1).sum::<f64>() / count;
    let spread: f64 = points.iter().map(|p| (p.0 - mean_x).powi(2)).sum();
    let along: f64 = points.iter().map(|p| (p.0 - mean_x) * (p.1 - mean_y)).sum();
    (points.len() > 1 && spread > 0.0).then(|| along / spread)
}

/// A time as people read it.
pub(crate) fn show(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 1e-3 => format!("{:.2} ms", s * 1e3),
        s => format!("{:.1} us", s * 1e6),
    }
}

/// Highest memory of the process since [`forget_peak`]; Linux only.
pub(crate) fn peak() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}

/// Starts the record of the highest memory anew; where the system does not know how, the record goes on.
pub(crate) fn forget_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}
