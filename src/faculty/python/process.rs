//! One worker process: how it starts, how it is asked, how it ends. Knows no pool.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, PipeWriter, Write as _};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustc_hash::FxHashSet;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, FdFlags, fcntl_setfd, ioctl_fionbio};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::capture::Capture;
use super::protocol::{Body, Line, ScriptCall, Sending, write_callback_answer, write_request};
use crate::base::Value;
use crate::faculty::{Answer, Failure, FailureKind, Output};

/// What runs in the interpreter.
const WORKER: &str = include_str!("worker.py");

/// How long an interpreter may take to say hello.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// How often it is looked at whether the process still lives: a child that it forked may keep its socket open.
const LOOK: Duration = Duration::from_millis(250);

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
    socket: UnixStream,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    /// Closing it ends the worker; it closes with this process at the latest.
    _lifeline: PipeWriter,
    greeted: bool,
    interpreter: PathBuf,
    answer_limit: usize,
    scripts: FxHashSet<Arc<str>>,
    calls: u64,
    /// The largest size the worker has told, in KiB.
    size: u64,
    incoming: Vec<u8>,
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
        socket.set_nonblocking(true)?;
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
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let worker = Self {
            child,
            group,
            groups: Arc::clone(groups),
            socket,
            stdout,
            stderr,
            _lifeline: lifeline,
            greeted: false,
            interpreter: interpreter.to_owned(),
            answer_limit: start.answer_limit,
            scripts: FxHashSet::default(),
            calls: 0,
            size: 0,
            incoming: Vec::new(),
            outgoing: Vec::new(),
            broken: false,
        };
        if let Some(stdout) = &worker.stdout {
            ioctl_fionbio(stdout, true)?;
        }
        if let Some(stderr) = &worker.stderr {
            ioctl_fionbio(stderr, true)?;
        }
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
        !self.broken && self.incoming.is_empty() && self.stdout.is_some() && self.stderr.is_some()
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
        let mut talk = Talk {
            worker: self,
            out: Capture::default(),
            err: Capture::default(),
            deadline: timeout.and_then(|t| begun.checked_add(t)),
        };
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
        let mut talk = Talk {
            worker: self,
            out: Capture::default(),
            err: Capture::default(),
            deadline: Instant::now().checked_add(START_TIMEOUT),
        };
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
        let ready = self.wait(Some(Duration::ZERO), PollFlags::IN);
        if ready.printed {
            self.drain(&mut Capture::default(), &mut Capture::default());
        }
        if ready.socket { Err(Broken::Stale) } else { Ok(()) }
    }

    /// Waits until the socket is ready for `wanted` or something was printed.
    fn wait(&self, timeout: Option<Duration>, wanted: PollFlags) -> Ready {
        let timeout =
            timeout.map(|t| Timespec { tv_sec: t.as_secs() as i64, tv_nsec: i64::from(t.subsec_nanos()) });
        let out = self.stdout.as_ref().map(AsFd::as_fd);
        let err = self.stderr.as_ref().map(AsFd::as_fd);
        // In place of a stream that is closed stands the socket, with nothing to wait for.
        let nothing = PollFd::new(&self.socket, PollFlags::empty());
        let printed = |fd| PollFd::from_borrowed_fd(fd, PollFlags::IN);
        let mut fds = [
            PollFd::new(&self.socket, wanted),
            out.map_or(nothing.clone(), printed),
            err.map_or(nothing, printed),
        ];
        // An interrupted wait is a wait that found nothing.
        if poll(&mut fds, timeout.as_ref()).is_err() {
            return Ready { socket: false, printed: false };
        }
        let [socket, out_ready, err_ready] = fds.map(|fd| !fd.revents().is_empty());
        Ready { socket, printed: (out.is_some() && out_ready) || (err.is_some() && err_ready) }
    }

    /// Reads what was printed; a stream that nobody can write to any more is let go.
    fn drain(&mut self, out: &mut Capture, err: &mut Capture) {
        if self.stdout.as_ref().is_some_and(|stream| !out.drain(stream)) {
            self.stdout = None;
        }
        if self.stderr.as_ref().is_some_and(|stream| !err.drain(stream)) {
            self.stderr = None;
        }
    }

    /// Returns whether the process has ended; it is not awaited, so its id stays its own.
    fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        matches!(waitid(WaitId::Pid(self.group), options), Ok(Some(_)))
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
        let by_itself = (0..50).any(|i| {
            if i > 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
            self.has_ended()
        });
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

/// What [`Worker::wait`] found.
struct Ready {
    socket: bool,
    printed: bool,
}

/// Why there is no line.
enum End {
    TimedOut,
    Closed,
    Garbage(&'static str),
}

/// One request and what comes back.
struct Talk<'w> {
    worker: &'w mut Worker,
    out: Capture,
    err: Capture,
    deadline: Option<Instant>,
}

impl Talk<'_> {
    fn send(&mut self, mut data: &[u8]) -> Result<(), End> {
        while !data.is_empty() {
            match (&self.worker.socket).write(data) {
                Ok(0) => return Err(End::Closed),
                Ok(written) => data = data.get(written..).unwrap_or(&[]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait(PollFlags::OUT)?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(End::Closed),
            }
        }
        Ok(())
    }

    /// The line that answers the call; calls back are answered on the way.
    fn answer(&mut self, id: u64, call: &ScriptCall<'_>, body: Option<&dyn Body>) -> Result<Line, End> {
        loop {
            let line = self.line()?;
            let Some(number) = line.cb else {
                return if line.id == Some(id) && line.ok.is_some() {
                    Ok(line)
                } else {
                    Err(End::Garbage("answered another request"))
                };
            };
            let mut answer = Vec::new();
            write_callback_answer(&mut answer, number, call_back(&line, call, body));
            self.send(&answer)?;
        }
    }

    /// The next line from the worker.
    fn line(&mut self) -> Result<Line, End> {
        let limit = self.worker.answer_limit.saturating_mul(2).saturating_add(1 << 20);
        let mut searched = 0;
        loop {
            let found =
                self.worker.incoming.get(searched..).and_then(|new| new.iter().position(|b| *b == b'\n'));
            if let Some(at) = found {
                let rest = self.worker.incoming.split_off(searched + at + 1);
                let line = std::mem::replace(&mut self.worker.incoming, rest);
                return serde_json::from_slice(&line).map_err(|_| End::Garbage("broke the protocol"));
            }
            searched = self.worker.incoming.len();
            if searched > limit {
                return Err(End::Garbage("sent a line without end"));
            }
            self.fill()?;
        }
    }

    /// Takes in what has come, or waits for it.
    fn fill(&mut self) -> Result<(), End> {
        let start = self.worker.incoming.len();
        if start == 0 {
            self.wait(PollFlags::IN)?;
        }
        let incoming = &mut self.worker.incoming;
        // Grows with what has come, so that a large answer takes few reads and a small one little room.
        let room = start.clamp(4096, 1 << 20);
        incoming.resize(start + room, 0);
        let read =
            incoming.get_mut(start..).map_or(Ok(0), |room| rustix::io::read(&self.worker.socket, room));
        incoming.truncate(start + read.unwrap_or(0));
        match read {
            Ok(0) => Err(End::Closed),
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(Errno::AGAIN) => self.wait(PollFlags::IN),
            Err(_) => Err(End::Closed),
        }
    }

    /// Waits for the socket, reading meanwhile what is printed.
    fn wait(&mut self, wanted: PollFlags) -> Result<(), End> {
        loop {
            let left = match self.deadline {
                Some(deadline) => deadline.saturating_duration_since(Instant::now()),
                None => LOOK,
            };
            if left.is_zero() {
                return Err(End::TimedOut);
            }
            let ready = self.worker.wait(Some(left.min(LOOK)), wanted);
            if ready.printed {
                self.worker.drain(&mut self.out, &mut self.err);
            }
            if ready.socket {
                return Ok(());
            }
            if !ready.printed && self.worker.has_ended() {
                // What it sent before it ended is still to be read.
                return if self.worker.wait(Some(Duration::ZERO), wanted).socket {
                    Ok(())
                } else {
                    Err(End::Closed)
                };
            }
        }
    }

    /// What was printed until now: the worker wrote it before it wrote its answer.
    fn finish(mut self) -> (Capture, Capture) {
        if self.worker.wait(Some(Duration::ZERO), PollFlags::empty()).printed {
            self.worker.drain(&mut self.out, &mut self.err);
        }
        (self.out, self.err)
    }
}

fn call_back(line: &Line, call: &ScriptCall<'_>, body: Option<&dyn Body>) -> Result<Value, Failure> {
    let (tool, method) = (line.tool.as_deref().unwrap_or(""), line.method.as_deref().unwrap_or(""));
    let Some(body) = body else {
        let message =
            format!("script `{}` calls `body.{tool}.{method}`, which is not offered here", call.path);
        return Err(Failure::new(FailureKind::UnsupportedAffordance, message));
    };
    let args: Vec<Value> = line.args.iter().map(Value::from_data_json).collect();
    let named: Vec<_> = line
        .named
        .iter()
        .map(|(name, value)| (Arc::from(name.as_str()), Value::from_data_json(value)))
        .collect();
    body.call(tool, method, &args, &named)
}

/// The result of a call that was answered.
fn settle(line: Line, call: &ScriptCall<'_>, output: Output, duration: Duration) -> Result<Answer, Failure> {
    if line.ok == Some(true) {
        return Ok(Answer {
            value: Value::from_data_json(&line.value),
            text: line.text.map(Arc::from),
            output,
            duration,
        });
    }
    let path = call.path;
    let kind = line.kind.as_deref().and_then(FailureKind::from_word).unwrap_or(FailureKind::ScriptFailed);
    let said = line.message.unwrap_or_default();
    let raised = line.type_name.unwrap_or_default();
    let (message, help) = match kind {
        FailureKind::ScriptGaveNoResult => (
            format!("script `{path}` ended without setting `result`"),
            Some("set the global `result`, or define a function `main`"),
        ),
        FailureKind::NoSuchFunction => (
            format!("script `{path}`: {said}"),
            Some("define `def main(...)` with the step's inputs as parameters"),
        ),
        FailureKind::ScriptExited => (
            format!("script `{path}` called `sys.exit({said})`"),
            Some("let the script run to its end; raise an exception for a failure"),
        ),
        FailureKind::ResultNotSerialisable => (
            format!("the result of script `{path}` is no JSON: {said}"),
            Some("return texts, numbers, truth values, None, and lists and maps of them"),
        ),
        _ if said.is_empty() => (format!("script `{path}` raised {raised}"), None),
        _ => (format!("script `{path}` raised {raised}: {said}"), None),
    };
    let mut failure = Failure::new(kind, message).at(path, line.line);
    failure.help = help.map(Box::from);
    failure.trace = line.trace.map(String::into_boxed_str);
    failure.output = Some(Box::new(output));
    Err(failure)
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
