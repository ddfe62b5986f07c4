//! What Python does at least for the same work: one warm worker that runs a script a line, one process a step, and
//! SQLite as others use it.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// Runs the script of its first argument once a line and prints the result.
const WORKER: &str = "
import sys
code = compile(open(sys.argv[1]).read(), sys.argv[1], 'exec')
write = sys.stdout.write
for line in sys.stdin:
    names = {'input_1': line[:-1]}
    exec(code, names)
    write('%s\\n' % names['result'])
";

const SQLITE: &str = "
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute('pragma journal_mode=wal')
db.execute('pragma synchronous=full')
db.execute('create table steps (step integer primary key, record blob)')
start = time.perf_counter()
for step in range(int(sys.argv[2])):
    db.execute('begin')
    db.execute('insert into steps values (?, ?)', (step, b'r' * 100))
    db.execute('commit')
print(time.perf_counter() - start)
";

/// The interpreter normc would take.
pub(crate) fn interpreter() -> PathBuf {
    std::env::var_os("NORMC_PYTHON").map_or_else(|| PathBuf::from("python3"), PathBuf::from)
}

/// A bare worker.
pub(crate) struct Worker {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts a worker and does not wait for it.
    pub(crate) fn start(script: &Path) -> Self {
        let mut child = Command::new(interpreter())
            .args(["-u", "-s", "-S", "-c", WORKER])
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, input, output }
    }

    fn answer(&mut self) {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "the worker ended");
    }

    /// Asks one question and waits for the answer.
    pub(crate) fn ask(&mut self, question: usize) {
        self.input.as_mut().unwrap().write_all(format!("{question}\n").as_bytes()).unwrap();
        self.answer();
    }

    /// Asks many questions without waiting for the answers in between.
    pub(crate) fn ask_all(&mut self, questions: usize) {
        let mut input = self.input.take().unwrap();
        let asking = std::thread::spawn(move || {
            let lines: String = (1..=questions).map(|i| format!("{}\n", i * 37)).collect();
            input.write_all(lines.as_bytes()).unwrap();
        });
        (0..questions).for_each(|_| self.answer());
        asking.join().unwrap();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// The time from nothing to the last answer of a worker that is asked without waiting.
pub(crate) fn pipelined(script: &Path, questions: usize) -> Duration {
    let start = Instant::now();
    let mut worker = Worker::start(script);
    worker.ask_all(questions);
    start.elapsed()
}

/// One process for one step.
pub(crate) fn one_process(script: &Path) -> Duration {
    let start = Instant::now();
    let mut child = Command::new(interpreter())
        .args(["-c", WORKER])
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"37\n").unwrap();
    assert!(child.wait().unwrap().success(), "the interpreter failed");
    start.elapsed()
}

/// So many records in SQLite, one transaction each; none when Python has no SQLite.
pub(crate) fn sqlite(dir: &Path, records: usize) -> Option<Duration> {
    let mut command = Command::new(interpreter());
    command.args(["-c", SQLITE]).arg(dir.join("floor.db")).arg(records.to_string());
    let done = command.stderr(Stdio::null()).output().ok()?;
    String::from_utf8(done.stdout).ok()?.trim().parse().ok().map(Duration::from_secs_f64)
}
