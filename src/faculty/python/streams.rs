//! The streams of a worker, and one talk over them: a request, calls back, the answer, and what is printed meanwhile.
//!
//! Knows nothing of how a worker is started and ended.

use std::io::{self, Write as _};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::{ChildStderr, ChildStdout};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionbio};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use super::protocol::{Body, Line, ScriptCall, write_callback_answer, write_callback_end};
use crate::base::Value;
use crate::faculty::process::Capture;
use crate::faculty::{Failure, FailureKind};

/// How often it is looked at whether the process still lives: a child that it forked may keep its socket open.
const LOOK: Duration = Duration::from_millis(250);

/// How long a script may tidy up when its call has ended.
const TIDY: Duration = Duration::from_secs(2);

/// The worker's end of everything that goes to it and comes from it.
pub(super) struct Streams {
    socket: UnixStream,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    process: Pid,
    answer_limit: usize,
    incoming: Vec<u8>,
}

impl Streams {
    /// The streams of a process that was just started.
    pub(super) fn new(
        socket: UnixStream,
        stdout: Option<ChildStdout>,
        stderr: Option<ChildStderr>,
        process: Pid,
        answer_limit: usize,
    ) -> Self {
        Self { socket, stdout, stderr, process, answer_limit, incoming: Vec::new() }
    }

    /// Makes this end of each stream one that never waits; the worker's ends are its own.
    pub(super) fn set_nonblocking(&self) -> io::Result<()> {
        ioctl_fionbio(&self.socket, true)?;
        self.stdout.as_ref().map_or(Ok(()), |stream| ioctl_fionbio(stream, true))?;
        self.stderr.as_ref().map_or(Ok(()), |stream| ioctl_fionbio(stream, true))?;
        Ok(())
    }

    /// Returns whether nothing is closed and nothing has come that was not asked for.
    pub(super) fn are_whole(&self) -> bool {
        self.incoming.is_empty() && self.stdout.is_some() && self.stderr.is_some()
    }

    /// Waits until the socket is ready for `wanted` or something was printed.
    pub(super) fn wait(&self, timeout: Option<Duration>, wanted: PollFlags) -> Ready {
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
    pub(super) fn drain(&mut self, out: &mut Capture, err: &mut Capture) {
        if self.stdout.as_ref().is_some_and(|stream| !out.drain(stream)) {
            self.stdout = None;
        }
        if self.stderr.as_ref().is_some_and(|stream| !err.drain(stream)) {
            self.stderr = None;
        }
    }

    /// Returns whether the process has ended; it is not awaited, so its id stays its own.
    pub(super) fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        matches!(waitid(WaitId::Pid(self.process), options), Ok(Some(_)))
    }
}

/// What [`Streams::wait`] found.
pub(super) struct Ready {
    pub(super) socket: bool,
    pub(super) printed: bool,
}

/// Why there is no line.
pub(super) enum End {
    TimedOut,
    Closed,
    Garbage(&'static str),
}

/// One request and what comes back.
pub(super) struct Talk<'s> {
    streams: &'s mut Streams,
    out: Capture,
    err: Capture,
    deadline: Option<Instant>,
    ending: Option<Failure>,
    tidying: bool,
}

impl<'s> Talk<'s> {
    /// A talk that ends at the deadline.
    pub(super) fn new(streams: &'s mut Streams, deadline: Option<Instant>) -> Self {
        Self {
            streams,
            out: Capture::default(),
            err: Capture::default(),
            deadline,
            ending: None,
            tidying: false,
        }
    }

    /// Sends bytes, reading meanwhile what is printed.
    pub(super) fn send(&mut self, mut data: &[u8]) -> Result<(), End> {
        while !data.is_empty() {
            match (&self.streams.socket).write(data) {
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
    pub(super) fn answer(
        &mut self,
        id: u64,
        call: &ScriptCall<'_>,
        body: Option<&dyn Body>,
    ) -> Result<Line, End> {
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
            if self.ending.is_none() {
                let asked = Instant::now();
                let called = call_back(&line, call, body);
                // What a tool takes is not the script's time.
                self.deadline = self.deadline.and_then(|deadline| deadline.checked_add(asked.elapsed()));
                match called {
                    Err(failure) if failure.kind.ends_call() => self.ending = Some(failure),
                    called => {
                        write_callback_answer(&mut answer, number, called, self.streams.answer_limit);
                    }
                }
            }
            if self.ending.is_some() {
                write_callback_end(&mut answer, number);
                let last = Instant::now().checked_add(TIDY);
                self.deadline = if self.tidying { self.deadline } else { last };
                self.tidying = true;
            }
            self.send(&answer)?;
        }
    }

    /// The failure with which a tool has ended the call.
    pub(super) fn ending(&mut self) -> Option<Failure> {
        self.ending.take()
    }

    /// The next line from the worker.
    pub(super) fn line(&mut self) -> Result<Line, End> {
        let limit = self.streams.answer_limit.saturating_mul(2).saturating_add(1 << 20);
        let mut searched = 0;
        loop {
            let found =
                self.streams.incoming.get(searched..).and_then(|new| new.iter().position(|b| *b == b'\n'));
            if let Some(at) = found {
                let rest = self.streams.incoming.split_off(searched + at + 1);
                let line = std::mem::replace(&mut self.streams.incoming, rest);
                return serde_json::from_slice(&line).map_err(|_| End::Garbage("broke the protocol"));
            }
            searched = self.streams.incoming.len();
            if searched > limit {
                return Err(End::Garbage("sent a line without end"));
            }
            self.fill()?;
        }
    }

    /// Takes in what has come, or waits for it.
    fn fill(&mut self) -> Result<(), End> {
        let start = self.streams.incoming.len();
        if start == 0 {
            self.wait(PollFlags::IN)?;
        }
        let incoming = &mut self.streams.incoming;
        // Grows with what has come, so that a large answer takes few reads and a small one little room.
        let room = start.clamp(4096, 1 << 20);
        incoming.resize(start + room, 0);
        let read =
            incoming.get_mut(start..).map_or(Ok(0), |room| rustix::io::read(&self.streams.socket, room));
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
            let ready = self.streams.wait(Some(left.min(LOOK)), wanted);
            if ready.printed {
                self.streams.drain(&mut self.out, &mut self.err);
            }
            if ready.socket {
                return Ok(());
            }
            if !ready.printed && self.streams.has_ended() {
                // What it sent before it ended is still to be read.
                return if self.streams.wait(Some(Duration::ZERO), wanted).socket {
                    Ok(())
                } else {
                    Err(End::Closed)
                };
            }
        }
    }

    /// What was printed until now: the worker wrote it before it wrote its answer.
    pub(super) fn finish(mut self) -> (Capture, Capture) {
        if self.streams.wait(Some(Duration::ZERO), PollFlags::empty()).printed {
            self.streams.drain(&mut self.out, &mut self.err);
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
