//! What goes to a running program and comes from it, without waiting for any one of its streams alone: input, output,
//! and the word of the launcher about how it ended.

use std::io::{self, PipeWriter, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::process::{ChildStderr, ChildStdout};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionbio};

use crate::faculty::process::{Capture, Report};

/// How long a report may be.
const REPORT_LIMIT: usize = 4096;

/// The end of the program's input that is held here.
#[derive(Debug)]
pub(super) enum Input {
    /// To the launcher, which reports over the same socket; it closes when everything is to end.
    Launcher(UnixStream),
    /// To the program itself; it closes when all is sent.
    Program(PipeWriter),
    /// Closed.
    Closed,
}

impl Input {
    fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Launcher(socket) => Some(socket.as_fd()),
            Self::Program(pipe) => Some(pipe.as_fd()),
            Self::Closed => None,
        }
    }

    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match self {
            Self::Launcher(socket) => socket.write(data),
            Self::Program(pipe) => pipe.write(data),
            Self::Closed => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

/// The streams of one program.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) input: Input,
    data: Vec<u8>,
    sent: usize,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    pub(super) out: Capture,
    pub(super) err: Capture,
    incoming: Vec<u8>,
    /// What the launcher said.
    pub(super) report: Option<Report>,
}

impl Exchange {
    /// Streams that never make this process wait.
    pub(super) fn new(
        input: Input,
        data: Vec<u8>,
        (stdout, stderr): (Option<ChildStdout>, Option<ChildStderr>),
        output_limit: usize,
    ) -> io::Result<Self> {
        if let Some(fd) = input.as_fd() {
            ioctl_fionbio(fd, true)?;
        }
        stdout.as_ref().map_or(Ok(()), |stream| ioctl_fionbio(stream, true))?;
        stderr.as_ref().map_or(Ok(()), |stream| ioctl_fionbio(stream, true))?;
        let (out, err) = (Capture::with_limit(output_limit), Capture::default());
        Ok(Self { input, data, sent: 0, stdout, stderr, out, err, incoming: Vec::new(), report: None })
    }

    /// Waits until one of the streams is ready, or that long, and does what can be done.
    pub(super) fn turn(&mut self, timeout: Duration) {
        let unsent = self.sent < self.data.len();
        let wanted = match &self.input {
            Input::Launcher(_) if unsent => PollFlags::OUT | PollFlags::IN,
            Input::Launcher(_) => PollFlags::IN,
            Input::Program(_) => PollFlags::OUT,
            Input::Closed => PollFlags::empty(),
        };
        let streams = [
            self.input.as_fd().map(|fd| PollFd::from_borrowed_fd(fd, wanted)),
            self.stdout.as_ref().map(|s| PollFd::from_borrowed_fd(s.as_fd(), PollFlags::IN)),
            self.stderr.as_ref().map(|s| PollFd::from_borrowed_fd(s.as_fd(), PollFlags::IN)),
        ];
        let mut fds: Vec<PollFd<'_>> = streams.into_iter().flatten().collect();
        if fds.is_empty() {
            std::thread::sleep(timeout);
            return;
        }
        let timeout =
            Timespec { tv_sec: timeout.as_secs() as i64, tv_nsec: i64::from(timeout.subsec_nanos()) };
        // An interrupted wait is a wait that found nothing.
        if !poll(&mut fds, Some(&timeout)).is_ok_and(|ready| ready > 0) {
            return;
        }
        drop(fds);
        self.send();
        self.receive();
        self.drain();
    }

    /// Reads what was printed and is there.
    pub(super) fn drain(&mut self) {
        if self.stdout.as_ref().is_some_and(|stream| !self.out.drain(stream)) {
            self.stdout = None;
        }
        if self.stderr.as_ref().is_some_and(|stream| !self.err.drain(stream)) {
            self.stderr = None;
        }
    }

    fn send(&mut self) {
        while let Some(rest) = self.data.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match self.input.write(rest) {
                Ok(written) if written > 0 => self.sent += written,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // It does not want the rest.
                _ => self.sent = self.data.len(),
            }
        }
        if matches!(self.input, Input::Program(_)) {
            self.input = Input::Closed;
        }
        self.data = Vec::new();
        self.sent = 0;
    }

    /// Takes in what the launcher says.
    fn receive(&mut self) {
        let Input::Launcher(socket) = &self.input else { return };
        let mut buffer = [0; 512];
        loop {
            match rustix::io::read(socket, &mut buffer) {
                Ok(0) => break,
                Ok(read) => self.incoming.extend_from_slice(buffer.get(..read).unwrap_or(&[])),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return self.read_report(),
                Err(_) => break,
            }
            if self.incoming.len() > REPORT_LIMIT {
                break;
            }
        }
        self.read_report();
        self.input = Input::Closed;
    }

    fn read_report(&mut self) {
        if let Some(line) = self.incoming.strip_suffix(b"\n") {
            self.report = serde_json::from_slice(line).ok().or(self.report.take());
        }
    }
}
