//! One worker process: how it starts, how it is asked, how it ends. Knows no pool.

use std::ffi::OsString;
use std::io::{self, PipeWriter};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustc_hash::FxHashSet;
use rustix::event::PollFlags;
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::Pid;

use super::protocol::{Body, Line, ScriptCall, Sending, settle, write_request};
use super::streams::{End, Streams, Talk};
use crate::faculty::process::{Capture, Ended, Groups, inherited_variables, seconds};
use crate::faculty::{Answer, Failure, FailureKind, Output};

/// What runs in the interpreter.
const WORKER: &str = include_str!("worker.py");

/// What it runs when a script first asks for its body.
const BODY: &str = include_str!("body.py");

/// How long an interpreter may take to say hello.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a process may take to end once its socket is closed; the system closes it first, and may be busy.
const END_TIMEOUT: Duration = Duration::from_secs(3);

/// Scripts a worker keeps compiled.
const SCRIPTS: usize = 512;

/// How workers are started.
#[derive(Debug, Clone)]
pub(super) struct Start {
    pub(super) interpreter: Option<PathBuf>,
    pub(super) base_dir: PathBuf,
    pub(super) environment: Vec<(OsString, OsString)>,
    pub(super) answer_limit: usize,
    pub(super) memory_limit: u64,
}

/// Why a worker could not go on.
pub(super) enum Broken {
    /// It was dead before it was asked: the call has not begun.
    Stale,
    /// This call fails, and the worker is of no further use.
    Call(Failure),
}

/// A living worker.
pub(super) struct Worker {
    child: Child,
    group: Pid,
    groups: Arc<Groups>,
    streams: Streams,
    /// Closing it ends the worker; it closes with this process at the latest.
    _lifeline: PipeWriter,
    greeted: bool,
    interpreter: PathBuf,
    scripts: FxHashSet<Arc<str>>,
    calls: u64,
    /// The largest size the worker has told, in KiB.
    size: u64,
    outgoing: Vec<u8>,
    broken: bool,
}

impl Worker {
    /// Starts an interpreter and does not wait for it.
    pub(super) fn start(start: &Start, groups: &Arc<Groups>) -> Result<Self, Failure> {
        let interpreter = interpreter(start);
        let started = Self::spawn(start, &interpreter, groups);
        started.map_err(|error| {
            if !start.base_dir.is_dir() {
                let message = format!("the base directory `{}` is no directory", start.base_dir.display());
                return Failure::new(FailureKind::BadPath, message);
            }
            no_python(&interpreter, &error.to_string())
        })
    }

    fn spawn(start: &Start, interpreter: &Path, groups: &Arc<Groups>) -> io::Result<Self> {
        let (socket, theirs) = UnixStream::pair()?;
        let (lifeline_end, lifeline) = io::pipe()?;
        // Inherited by number. Should a process that is started at this moment inherit it as well, that does no harm:
        // only the other end keeps a worker alive.
        fcntl_setfd(&lifeline_end, FdFlags::empty())?;
        let mut command = Command::new(interpreter);
        command
            .args(["-u", "-s", "-S", "-c", WORKER])
            .arg(lifeline_end.as_raw_fd().to_string())
            .arg(start.answer_limit.to_string())
            .arg(start.memory_limit.to_string())
            .arg(BODY)
            .env_clear()
            .envs(inherited_variables())
            .env("PYTHONHASHSEED", "0")
            .envs(start.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&start.base_dir)
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let mut child = command.spawn()?;
        let group = Pid::from_child(&child);
        groups.add(group);
        let streams =
            Streams::new(socket, child.stdout.take(), child.stderr.take(), group, start.answer_limit);
        let worker = Self {
            child,
            group,
            groups: Arc::clone(groups),
            streams,
            _lifeline: lifeline,
            greeted: false,
            interpreter: interpreter.to_owned(),
            scripts: FxHashSet::default(),
            calls: 0,
            size: 0,
            outgoing: Vec::new(),
            broken: false,
        };
        worker.streams.set_nonblocking()?;
        Ok(worker)
    }

    /// How many calls it has answered.
    pub(super) fn calls(&self) -> u64 {
        self.calls
    }

    /// The size it last told, in bytes.
    pub(super) fn size(&self) -> u64 {
        // Linux tells KiB, macOS bytes.
        if cfg!(target_os = "macos") { self.size } else { self.size.saturating_mul(1024) }
    }

    /// Returns whether it can take another call.
    pub(super) fn is_usable(&self) -> bool {
        !self.broken && self.streams.are_whole()
    }

    /// Runs one call.
    pub(super) fn run(
        &mut self,
        call: &ScriptCall<'_>,
        timeout: Option<Duration>,
        body: Option<&dyn Body>,
    ) -> Result<Result<Answer, Failure>, Broken> {
        if !self.greeted {
            self.greet().map_err(Broken::Call)?;
        }
        self.look_before()?;
        self.outgoing.clear();
        let reset = self.scripts.len() >= SCRIPTS && !self.scripts.contains(call.hash);
        let sending = Sending { code: reset || !self.scripts.contains(call.hash), reset };
        let id = self.calls + 1;
        let mut outgoing = std::mem::take(&mut self.outgoing);
        if let Err(failure) = write_request(&mut outgoing, id, call, &sending) {
            return Ok(Err(failure));
        }
        if reset {
            self.scripts.clear();
        }
        if sending.code {
            self.scripts.insert(Arc::clone(call.hash));
        }
        self.calls += 1;

        let begun = Instant::now();
        let mut talk = Talk::new(&mut self.streams, timeout.and_then(|t| begun.checked_add(t)));
        let talked = talk.send(&outgoing).and_then(|()| talk.answer(id, call, body));
        let (ending, (out, err)) = (talk.ending(), talk.finish());
        outgoing.clear();
        if outgoing.capacity() <= 1 << 20 {
            self.outgoing = outgoing;
        }
        let output = Output { stdout: out.into_text(), stderr: err.into_text() };
        // Once a tool has ended the call, nothing the script does can change what becomes of it.
        let ending = ending.map(|mut failure| {
            failure.output = Some(Box::new(output.clone()));
            if failure.place.is_some() { failure } else { failure.at(call.path, None) }
        });
        match (talked, ending) {
            (Ok(_), Some(failure)) => Ok(Err(failure)),
            (Ok(line), None) => {
                self.size = line.size.unwrap_or(self.size);
                Ok(settle(line, call, output, begun.elapsed()))
            }
            (Err(_), Some(failure)) => {
                self.broken = true;
                Err(Broken::Call(failure))
            }
            (Err(end), None) => {
                self.broken = true;
                let mut failure = self.explain(end, call, timeout);
                failure.output = Some(Box::new(output));
                Err(Broken::Call(failure))
            }
        }
    }

    /// Waits for the interpreter to say that it is there.
    fn greet(&mut self) -> Result<(), Failure> {
        let mut talk = Talk::new(&mut self.streams, Instant::now().checked_add(START_TIMEOUT));
        let line = talk.line();
        let (_, err) = talk.finish();
        match line {
            Ok(Line { hello: Some(1), python: Some(_), .. }) => {
                self.greeted = true;
                Ok(())
            }
            Err(End::TimedOut) => {
                let seconds = START_TIMEOUT.as_secs();
                Err(no_python(&self.interpreter, &format!("it did not start within {seconds} s")))
            }
            Ok(_) | Err(_) => {
                let said = err.into_text();
                let last = said.lines().rev().find(|l| !l.trim().is_empty()).unwrap_or("");
                let last: String = last.chars().take(200).collect();
                Err(no_python(&self.interpreter, if last.is_empty() { "it ended at once" } else { &last }))
            }
        }
    }

    /// Throws away what was printed between the calls, and finds out whether the worker still lives.
    fn look_before(&mut self) -> Result<(), Broken> {
        let ready = self.streams.wait(Some(Duration::ZERO), PollFlags::IN);
        if ready.printed {
            self.streams.drain(&mut Capture::default(), &mut Capture::default());
        }
        if ready.socket { Err(Broken::Stale) } else { Ok(()) }
    }

    /// Kills the group and awaits the process.
    fn end(&mut self) -> Option<std::process::ExitStatus> {
        self.groups.end(self.group);
        self.child.wait().ok()
    }

    /// The failure of a call that the worker did not answer.
    fn explain(&mut self, end: End, call: &ScriptCall<'_>, timeout: Option<Duration>) -> Failure {
        let path = call.path;
        match end {
            End::TimedOut => {
                let limit = seconds(timeout.unwrap_or_default());
                let message = format!("script `{path}` ran longer than {limit} and was stopped");
                Failure::new(FailureKind::ScriptTimeout, message)
                    .with_help(
                        "look for an endless loop, or give the step more time: `| %{timeout}: SECONDS`",
                    )
                    .at(path, None)
            }
            End::Closed => {
                let ended = self.end_status();
                let message = format!("the Python worker {ended} while script `{path}` ran");
                Failure::new(FailureKind::WorkerLost, message)
                    .with_help("let the script come to its end by itself; raise an exception for a failure")
                    .at(path, None)
            }
            End::Garbage(what) => {
                let message = format!("the Python worker {what} while script `{path}` ran");
                Failure::new(FailureKind::WorkerLost, message)
                    .with_help("let the script leave file descriptors alone that it has not opened")
                    .at(path, None)
            }
        }
    }

    /// How the process ended, once its socket is closed. One that only closed its socket is killed.
    fn end_status(&mut self) -> String {
        let begun = Instant::now();
        let by_itself = loop {
            if self.streams.has_ended() {
                break true;
            }
            if begun.elapsed() >= END_TIMEOUT {
                break false;
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        let Some(status) = self.end().filter(|_| by_itself) else {
            return "closed its connection".to_owned();
        };
        Ended::from(status).to_string()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.end();
    }
}

/// The program to start: as configured, else `NORMC_PYTHON`, else `python3` of the path.
fn interpreter(start: &Start) -> PathBuf {
    let chosen = start
        .interpreter
        .clone()
        .or_else(|| std::env::var_os("NORMC_PYTHON").filter(|p| !p.is_empty()).map(PathBuf::from))
        .unwrap_or_else(|| PathBuf::from("python3"));
    // A relative path is meant from here, not from the base directory.
    if chosen.components().count() > 1 { std::path::absolute(&chosen).unwrap_or(chosen) } else { chosen }
}

fn no_python(interpreter: &Path, why: &str) -> Failure {
    let message = format!("cannot start Python as `{}`: {why}", interpreter.display());
    Failure::new(FailureKind::NoPython, message)
        .with_help("install Python 3.8 or later, or name the interpreter in NORMC_PYTHON")
}
