//! One worker process: how it starts, how it is asked, how it ends. Knows no pool.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, PipeWriter};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustc_hash::FxHashSet;
use rustix::event::PollFlags;
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::capture::Capture;
use super::protocol::{Body, Line, ScriptCall, Sending, settle, write_request};
use super::streams::{End, Streams, Talk};
use crate::faculty::{Answer, Failure, FailureKind, Output};

/// What runs in the interpreter.
const WORKER: &str = include_str!("worker.py");

/// How long an interpreter may take to say hello.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a process may take to end once its socket is closed; the system closes it first, and may be busy.
const END_TIMEOUT: Duration = Duration::from_secs(3);

/// Scripts a worker keeps compiled.
const SCRIPTS: usize = 512;

/// What workers inherit of the environment (durability spec, section 7); all of `LC_*` besides.
const ENVIRONMENT: [&str; 16] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "VIRTUAL_ENV",
    "PYENV_ROOT",
    "PYENV_VERSION",
    "ASDF_DATA_DIR",
];

/// How workers are started.
#[derive(Debug, Clone)]
pub(super) struct Start {
    pub(super) interpreter: Option<PathBuf>,
    pub(super) base_dir: PathBuf,
    pub(super) environment: Vec<(OsString, OsString)>,
    pub(super) answer_limit: usize,
    pub(super) memory_limit: u64,
}

/// The process groups of all living workers, for whoever has to end them from outside.
///
/// INVARIANT: a process is awaited only after its group was taken out here, so no id in it can belong to another
/// process.
#[derive(Debug, Default)]
pub(super) struct Groups(Mutex<BTreeSet<i32>>);

impl Groups {
    fn with<T>(&self, act: impl FnOnce(&mut BTreeSet<i32>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Kills every group.
    pub(super) fn kill(&self) {
        self.with(|groups| groups.iter().copied().filter_map(Pid::from_raw).for_each(kill));
    }
}

fn kill(group: Pid) {
    // A group that is gone is as good as one that is killed.
    let _ = kill_process_group(group, Signal::KILL);
    // Its leader may have left it: for a moment when it begins its session, or because a script said so.
    let _ = kill_process(group, Signal::KILL);
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
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| inherited(name.to_str())))
            .env("PYTHONHASHSEED", "0")
            .envs(start.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&start.base_dir)
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let mut child = command.spawn()?;
        let group = Pid::from_child(&child);
        groups.with(|all| all.insert(group.as_raw_nonzero().get()));
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
        let (out, err) = talk.finish();
        outgoing.clear();
        if outgoing.capacity() <= 1 << 20 {
            self.outgoing = outgoing;
        }
        let output = Output { stdout: out.into_text(), stderr: err.into_text() };
        match talked {
            Ok(line) => {
                self.size = line.size.unwrap_or(self.size);
                Ok(settle(line, call, output, begun.elapsed()))
            }
            Err(end) => {
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
        self.groups.with(|all| {
            if all.remove(&self.group.as_raw_nonzero().get()) {
                kill(self.group);
            }
        });
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
                    .with_help("look for an endless loop, or allow the script more time")
                    .at(path, None)
            }
            End::Closed => {
                let ended = self.end_status();
                let message = format!("the Python worker {ended} while script `{path}` ran");
                Failure::new(FailureKind::WorkerLost, message).at(path, None)
            }
            End::Garbage(what) => {
                let message = format!("the Python worker {what} while script `{path}` ran");
                Failure::new(FailureKind::WorkerLost, message).at(path, None)
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
        match (status.code(), status.signal()) {
            (Some(code), _) => format!("ended with exit code {code}"),
            (None, Some(9)) => "was killed by signal 9 (by hand, or for lack of memory)".to_owned(),
            (None, Some(signal)) => format!("was ended by signal {signal}"),
            (None, None) => "ended".to_owned(),
        }
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

fn inherited(name: Option<&str>) -> bool {
    name.is_some_and(|name| ENVIRONMENT.contains(&name) || name.starts_with("LC_"))
}

fn no_python(interpreter: &Path, why: &str) -> Failure {
    let message = format!("cannot start Python as `{}`: {why}", interpreter.display());
    Failure::new(FailureKind::NoPython, message)
        .with_help("install Python 3.8 or later, or name the interpreter in NORMC_PYTHON")
}

fn seconds(duration: Duration) -> String {
    if duration.subsec_millis() == 0 {
        format!("{} s", duration.as_secs())
    } else {
        format!("{} ms", duration.as_millis())
    }
}
