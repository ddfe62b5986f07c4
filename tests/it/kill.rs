//! Runs that are killed at random moments, by SIGKILL from outside, and gone on with until they are done: the result is
//! that of a run nobody killed, and nothing that was finished was done twice. What scripts do is counted in a file that
//! normc knows nothing of.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use normc::run::record::{Kind, peek};
use normc::store::{RealDisk, Store};

use crate::support::{program, python_missing};

/// Moments at which each plan is killed.
const POINTS: u64 = 50;

/// A loop whose iterations run at once, below a loop that carries a total; both leave a mark in a file.
const PLAN: &str = "\
:<:({report}) | 1. grouping
    <= &in({running totals}, {squares})
    <- {running totals} | 1.2. quantifying
        <= *every({number})%:[{number}]@(1)^[{total}<*1>] | 1.2.1. assigning
            <= $.({total}*1)
            <- {total}*1 | 1.2.1.2. assigning
                <= $.({new total})
                <- {new total} | 1.2.1.2.2. imperative
                    <= ::(add {1}<$({number})%_> to {2}<$({total})%_>)
                        | %{script_location}: add.py
                    <- {number}*1<:{1}>
                    <- {total}*1<:{2}>
                        | ref. 0
        <- {number} | ref. %(number)=[3, 5, 7, 9, 11, 13]
    <- {squares} | 1.3. quantifying
        <= *every({number})%:[{number}]@(2) | 1.3.1. assigning
            <= $.({square})
            <- {square} | 1.3.1.2. imperative
                <= ::(square {1}<$({number})%_>)
                    | %{script_location}: square.py
                <- {number}*2<:{1}>
        <- {number}
";

const MARK: &str = "\
import os
with open('effects.log', 'a') as log:
    log.write(os.environ['NORMC_STEP'] + ' ' + os.environ['NORMC_IDEMPOTENCY_KEY'] + '\\n')
";

/// A small generator, so that the moments are the same in every run of the tests.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound.max(1)
    }
}

fn command(folder: &Path, store: &Path, arguments: &[&str]) -> Command {
    let mut command = program(folder);
    command.arg("exec").args(arguments).args(["--json", "-q", "--jobs", "2"]).arg("--store").arg(store);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What a run printed, without its id.
fn result(stdout: &[u8]) -> serde_json::Value {
    let mut json: serde_json::Value = serde_json::from_slice(stdout).unwrap();
    json.as_object_mut().unwrap().remove("run_id");
    json
}

/// Runs to the end, with a kill after `delay`, and again after it for every resume until one gets through.
fn survive(
    folder: &Path,
    arguments: &[&str],
    random: &mut Random,
    most: Duration,
) -> (PathBuf, serde_json::Value, u32) {
    let store = folder.join(".normc");
    let _ = std::fs::remove_dir_all(&store);
    let _ = std::fs::remove_file(folder.join("effects.log"));
    let mut kills = 0;
    let mut begun = false;
    loop {
        let mut arguments = arguments.to_vec();
        if begun {
            arguments.push("--resume");
        }
        let mut child = command(folder, &store, &arguments).spawn().unwrap();
        if kills < 3 {
            let delay = Duration::from_micros(random.below(most.as_micros() as u64));
            let end = Instant::now() + delay;
            while Instant::now() < end && child.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_micros(500));
            }
            if child.try_wait().unwrap().is_none() {
                child.kill().unwrap();
                kills += 1;
            }
        }
        let output = child.wait_with_output().unwrap();
        // Before the first record there is nothing to go on with, and a user starts again.
        begun = Store::new(&store, Arc::new(RealDisk)).ids().unwrap().iter().any(|id| has_begun(&store, id));
        if output.status.success() {
            return (store, result(&output.stdout), kills);
        }
        let problem = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code().is_none() || !begun, "a resume failed: {:?} {problem}", output.status);
    }
}

fn has_begun(store: &Path, id: &str) -> bool {
    let Ok(run) = Store::new(store, Arc::new(RealDisk)).open(id) else { return false };
    run.journal().is_ok_and(|mut reader| reader.next().unwrap().is_some())
}

/// No step starts after its result was written; as many starts as intents, at most.
fn check_journal(folder: &Path, store: &Path, point: u64) {
    let effects = std::fs::read_to_string(folder.join("effects.log")).unwrap_or_default();
    let store = Store::new(store, Arc::new(RealDisk));
    let (mut intents, mut results): (BTreeMap<_, u64>, BTreeMap<_, u64>) = (BTreeMap::new(), BTreeMap::new());
    for id in store.ids().unwrap() {
        let run = store.open(&id).unwrap();
        let mut reader = run.journal().unwrap();
        while let Some(frame) = reader.next().unwrap() {
            let Some(found) = peek(frame.kind, frame.body) else { continue };
            match frame.kind {
                Kind::Intent => {
                    assert!(!results.contains_key(&found.step), "point {point}: {:?} ran again", found.step);
                    *intents.entry(found.step).or_default() += 1;
                }
                Kind::Result => *results.entry(found.step).or_default() += 1,
                _ => {}
            }
        }
    }
    for (step, count) in &results {
        assert_eq!(*count, 1, "point {point}: {step:?} was settled {count} times");
    }
    let started: u64 = intents.values().sum();
    let done = effects.lines().count() as u64;
    assert!(done <= started, "point {point}: {done} effects of {started} starts");
    // The same step has the same key, however often it was tried.
    let mut keys: BTreeMap<&str, &str> = BTreeMap::new();
    for (step, key) in effects.lines().filter_map(|line| line.split_once(' ')) {
        assert_eq!(*keys.entry(step).or_insert(key), key, "point {point}: {step}");
    }
}

/// Kills a plan at many moments; returns how often it was killed.
fn torture(folder: &Path, arguments: &[&str], points: u64, effects: Option<usize>) -> u32 {
    let begun = Instant::now();
    let store = folder.join(".normc");
    let whole = command(folder, &store, arguments).output().unwrap();
    let most = begun.elapsed();
    assert!(whole.status.success(), "{}", String::from_utf8_lossy(&whole.stderr));
    let expected = result(&whole.stdout);
    if let Some(effects) = effects {
        let log = std::fs::read_to_string(folder.join("effects.log")).unwrap();
        assert_eq!(log.lines().count(), effects, "a run nobody kills does everything once");
    }
    let mut random = Random(4711);
    let mut kills = 0;
    for point in 0..points {
        let (store, got, killed) = survive(folder, arguments, &mut random, most);
        assert_eq!(got, expected, "point {point}");
        check_journal(folder, &store, point);
        kills += killed;
    }
    kills
}

#[test]
fn a_loop_with_effects_survives_kills() {
    if python_missing("a plan with scripts") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("plan.nc", PLAN);
    write("add.py", &format!("{MARK}result = str(int(input_1) + int(input_2))\n"));
    write("square.py", &format!("{MARK}result = str(int(input_1) ** 2)\n"));
    let kills = torture(folder.path(), &["plan.nc"], POINTS, Some(12));
    println!("kill: {kills} kills at {POINTS} points of a loop");
    assert!(u64::from(kills) >= POINTS / 2, "only {kills} kills met a running process");
}

#[test]
fn the_addition_survives_kills() {
    if python_missing("the addition") {
        return;
    }
    let plans = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/addition");
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("scripts")).unwrap();
    for entry in std::fs::read_dir(plans.join("scripts")).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            let to = folder.path().join("scripts").join(entry.file_name());
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
    for file in ["addition.nc", "inputs_3.json"] {
        std::fs::copy(plans.join(file), folder.path().join(file)).unwrap();
    }
    let kills = torture(folder.path(), &["addition.nc", "--inputs", "inputs_3.json"], POINTS, None);
    println!("kill: {kills} kills at {POINTS} points of the addition");
    assert!(u64::from(kills) >= POINTS / 2, "only {kills} kills met a running process");
}
