//! Times that do not depend on what else the machine does: processor time, not time on the wall.

use std::process::Command;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// How many times as large the larger work is.
const TIMES: usize = 4;
/// The highest ratio of time for it. What is linear has a ratio near 4, a little more where memory is slower than the
/// caches; what is quadratic has one near 16.
const LIMIT: f64 = 8.0;
/// Measurements that are always made, and those that are made at most.
const ATTEMPTS: (usize, usize) = (3, 15);
/// Which test a process was started for.
const ALONE: &str = "NORMC_TEST_ALONE";

fn read(clock: ClockId) -> Duration {
    let now = clock_gettime(clock);
    Duration::new(u64::try_from(now.tv_sec).unwrap(), u32::try_from(now.tv_nsec).unwrap())
}

/// What this thread has used.
pub(crate) fn of_thread() -> Duration {
    read(ClockId::ThreadCPUTime)
}

/// What all threads of this process have used.
fn of_process() -> Duration {
    read(ClockId::ProcessCPUTime)
}

/// Returns whether this process runs the named test alone. If not, it has been run in such a process, and has passed.
pub(crate) fn alone(test: &str) -> bool {
    if std::env::var_os(ALONE).is_some_and(|name| name == test) {
        return true;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(ALONE, test)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{complained}");
    print!("{said}");
    false
}

/// Fails when four times the work takes much more than four times the time. To be used in a process that does nothing else
/// ([`alone`]), as all its threads count.
///
/// Both sizes are timed in turn, the best time of each counts, and a ratio that is too high is measured again a number
/// of times before it is believed.
pub(crate) fn assert_linear<T>(what: &str, n: usize, prepare: impl Fn(usize) -> T, work: impl Fn(&T)) {
    let prepared = [prepare(n), prepare(TIMES * n)];
    let mut best = [Duration::MAX; 2];
    let mut ratio = f64::INFINITY;
    for attempt in 1..=ATTEMPTS.1 {
        for (best, prepared) in best.iter_mut().zip(&prepared) {
            let begun = of_process();
            work(prepared);
            *best = of_process().saturating_sub(begun).min(*best);
        }
        ratio = best[1].as_secs_f64() / best[0].as_secs_f64();
        if attempt >= ATTEMPTS.0 && ratio < LIMIT {
            println!(
                "{what}: {n} take {:?}, {} take {:?}, {ratio:.2} times as long",
                best[0],
                TIMES * n,
                best[1]
            );
            return;
        }
    }
    panic!("{what}: {n} take {:?}, {} take {:?}, {ratio:.2} times as long", best[0], TIMES * n, best[1]);
}

#[test]
fn quadratic_work_is_noticed() {
    if !alone("measure::quadratic_work_is_noticed") {
        return;
    }
    let pairs = |n: &usize| {
        (0..n * n).for_each(|pair| {
            std::hint::black_box(pair);
        });
    };
    let noticed = std::panic::catch_unwind(|| assert_linear("pairs", 500, |n| n, pairs)).unwrap_err();
    let message = noticed.downcast_ref::<String>().unwrap();
    assert!(message.contains("times as long"), "{message}");
}

/// The work of other threads counts, and what this process waits for does not.
#[test]
fn the_work_of_all_threads_is_measured() {
    if !alone("measure::the_work_of_all_threads_is_measured") {
        return;
    }
    let threads = |n: &usize| {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                (0..n * n).for_each(|pair| {
                    std::hint::black_box(pair);
                });
            });
        });
    };
    assert!(std::panic::catch_unwind(|| assert_linear("pairs", 500, |n| n, threads)).is_err());
    let waits = |n: &usize| {
        std::thread::sleep(Duration::from_micros((n * n / 100) as u64));
        (0..n * 1_000).for_each(|pair| {
            std::hint::black_box(pair);
        });
    };
    assert_linear("waits", 500, |n| n, waits);
}
