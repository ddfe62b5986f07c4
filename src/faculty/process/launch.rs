//! The process between normc and a command: it begins a session, sets limits, starts the program, and ends everything
//! the program has left behind, also when normc is gone (durability spec, section 7).
//!
//! It is normc's own binary, started with [`LAUNCH`] as its only argument. Its standard input is a socket: an
//! [`Order`] as one JSON line, the program's input, and later, when it closes, the word to end everything. Back comes
//! a [`Report`]. Knows nothing of plans and of what a program is for.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rustix::process::{
    Pid, Resource, Rlimit, Signal, getpgid, getpgrp, getpid, getppid, getrlimit, kill_current_process_group,
    kill_process, setpgid, setrlimit, setsid,
};
use serde::{Deserialize, Serialize};

use super::status::Ended;

/// The argument that makes normc the launcher of a command.
pub const LAUNCH: &str = "__launch";

/// How long an order may be: as long as the arguments of a program.
pub(in crate::faculty) const ORDER_LIMIT: usize = 16 << 20;

/// How often it is looked for processes that are left; each round ends a generation of them.
const ROUNDS: usize = 200;

/// What a program may take; 0 is without limit. It never leaves a core file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Address space of each process, in bytes.
    pub memory: u64,
    /// Seconds of processor time of each process.
    pub cpu_seconds: u64,
    /// Files each process may have open.
    pub open_files: u64,
}

impl Limits {
    fn each(self) -> impl Iterator<Item = (Resource, u64)> {
        let given = [
            (Resource::As, self.memory),
            (Resource::Cpu, self.cpu_seconds),
            (Resource::Nofile, self.open_files),
        ];
        let given = given.into_iter().filter(|(_, limit)| *limit > 0);
        std::iter::once((Resource::Core, 0)).chain(given)
    }
}

/// What is to be started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::faculty) struct Order {
    /// The file of the program.
    pub(in crate::faculty) program: String,
    /// All arguments, the program's name first.
    pub(in crate::faculty) argv: Vec<String>,
    /// What it may take.
    pub(in crate::faculty) limits: Limits,
    /// How many bytes of input follow.
    pub(in crate::faculty) input: u64,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(in crate::faculty) enum Report {
    /// It ended with this code.
    Code(i32),
    /// It was ended by this signal.
    Signal(i32),
    /// It ended, and the system does not tell how.
    Ended,
    /// It could not be started: the system's number of the error.
    NotStarted(i32),
}

impl From<Ended> for Report {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Code(code) => Self::Code(code),
            Ended::Signal(signal) => Self::Signal(signal),
            Ended::Unknown => Self::Ended,
        }
    }
}

/// Does what this file says, in a process that was started for it. Returns the exit code of that process.
pub fn launch() -> u8 {
    match launched() {
        Ok(()) => 0,
        Err(error) => {
            // Standard error is the program's; whoever started this reads it.
            let _ = writeln!(io::stderr(), "normc: cannot launch a command: {error}");
            70
        }
    }
}

fn launched() -> io::Result<()> {
    // What ends a program must not end this process before it has told how.
    for signal in [1, 2, 3, 15] {
        signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))?;
    }
    let control = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut reader = BufReader::new(control.try_clone()?);
    let mut line = Vec::new();
    reader.by_ref().take(ORDER_LIMIT as u64).read_until(b'\n', &mut line)?;
    let order: Order = serde_json::from_slice(&line)?;
    let mut input = Vec::new();
    reader.by_ref().take(order.input).read_to_end(&mut input)?;

    detach();
    become_reaper();
    let mut child = match start(&order) {
        Ok(child) => child,
        Err(error) => {
            report(&control, &Report::NotStarted(error.raw_os_error().unwrap_or(0)));
            return Ok(());
        }
    };
    if let Some(mut stdin) = child.stdin.take() {
        // A program that does not read its input is none of our concern.
        std::thread::spawn(move || drop(stdin.write_all(&input)));
    }
    std::thread::spawn(move || {
        // Nothing more is ever sent: what comes is the end.
        let _ = io::copy(&mut reader, &mut io::sink());
        end_all();
    });
    let ended = child.wait().map_or(Ended::Unknown, Ended::from);
    report(&control, &Report::from(ended));
    end_all();
    Ok(())
}

fn report(control: &UnixStream, report: &Report) {
    let Ok(mut line) = serde_json::to_vec(report) else { return };
    line.push(b'\n');
    let mut control = control;
    // Where nobody listens any more, everything is being ended.
    let _ = control.write_all(&line);
}

/// Gives this process a session of its own: what is typed at the terminal is for normc. It was started as the leader
/// of a group, and a leader cannot begin a session: it goes back into normc's group for the moment.
fn detach() {
    if getpgrp() == getpid() {
        let Some(parent) = getppid() else { return };
        if getpgid(Some(parent)).and_then(|group| setpgid(None, Some(group))).is_err() {
            return;
        }
    }
    if setsid().is_err() {
        // Without a session, at least a group of its own: that is what is killed.
        let _ = setpgid(None, None);
    }
}

/// What loses its parent becomes a child of this process, so that nothing can get away.
fn become_reaper() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_child_subreaper(Some(getpid()));
}

fn start(order: &Order) -> io::Result<Child> {
    let mut command = Command::new(&order.program);
    if let Some((name, rest)) = order.argv.split_first() {
        command.arg0(name).args(rest);
    }
    command.stdin(Stdio::piped());
    // The program inherits the limits; this process must not run into them, so they are fixed for the program alone, once
    // it has begun and before its input comes.
    let mut before = Vec::new();
    for (resource, limit) in order.limits.each() {
        let own = getrlimit(resource);
        let limit = own.maximum.map_or(limit, |most| most.min(limit));
        if setrlimit(resource, Rlimit { current: Some(limit), maximum: own.maximum }).is_ok() {
            before.push((resource, own, limit));
        }
    }
    let child = command.spawn();
    for (resource, own, limit) in before {
        let _ = setrlimit(resource, own);
        #[cfg(target_os = "linux")]
        if let Ok(child) = &child {
            let fixed = Rlimit { current: Some(limit), maximum: Some(limit) };
            let _ = rustix::process::prlimit(Some(Pid::from_child(child)), resource, fixed);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = limit;
    }
    child
}

/// Ends whatever the program has started and left, and this process with its group.
fn end_all() {
    for _ in 0..ROUNDS {
        let left = children();
        if left.is_empty() {
            break;
        }
        for pid in left {
            let _ = kill_process(pid, Signal::KILL);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    // Never the group of whoever started this process.
    if getpgrp() == getpid() {
        let _ = kill_current_process_group(Signal::KILL);
    }
}

/// The living children of this process, those that became so when their parent ended included.
fn children() -> Vec<Pid> {
    let own = getpid().as_raw_nonzero().get();
    let entries = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    numbers
        .filter(|pid| {
            fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| is_living_child(&stat, own))
        })
        .filter_map(Pid::from_raw)
        .collect()
}

/// Reads a line of `/proc/PID/stat`; the name in it may hold anything, so what counts stands behind its last bracket.
fn is_living_child(stat: &str, parent: i32) -> bool {
    let Some((_, rest)) = stat.rsplit_once(')') else { return false };
    let mut fields = rest.split_whitespace();
    let state = fields.next();
    !matches!(state, None | Some("Z" | "X")) && fields.next().and_then(|f| f.parse().ok()) == Some(parent)
}

/// Ends everything a launcher has started, by closing its socket.
pub(in crate::faculty) fn hang_up(control: &UnixStream) {
    // Closed already is as good.
    let _ = control.shutdown(Shutdown::Both);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_processes_is_read() {
        assert!(is_living_child("12 (a ) b) S 7 12 12 0 -1", 7));
        assert!(!is_living_child("12 (a) Z 7 12 12", 7));
        assert!(!is_living_child("12 (7) S 8 12", 7));
        assert!(!is_living_child("", 7));
    }

    #[test]
    fn orders_and_reports_come_over() {
        let order = Order {
            program: "/bin/true".into(),
            argv: vec!["true".into(), "a\nb".into()],
            limits: Limits { memory: 1, ..Limits::default() },
            input: 3,
        };
        let text = serde_json::to_string(&order).unwrap();
        assert!(!text.contains('\n'));
        assert_eq!(serde_json::from_str::<Order>(&text).unwrap(), order);
        for ended in [Ended::Code(3), Ended::Signal(9), Ended::Unknown] {
            let text = serde_json::to_string(&Report::from(ended)).unwrap();
            assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), Report::from(ended));
        }
        assert!(serde_json::from_str::<Report>("{\"sudo\":1}").is_err());
    }
}
