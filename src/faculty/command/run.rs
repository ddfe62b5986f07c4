//! One program from its start to its end.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::exchange::{Exchange, Input};
use super::find::find;
use crate::base::{Map, Value};
use crate::faculty::failure::shorten;
use crate::faculty::process::{
    Ended, Groups, LAUNCH, Limits, ORDER_LIMIT, Order, Report, hang_up, inherited_variables, seconds,
};
use crate::faculty::{Answer, CallIdentity, Failure, FailureKind, Output};

/// How often it is looked whether a program has ended or is to end.
const LOOK: Duration = Duration::from_millis(20);

/// How long the launcher may take to end everything.
const HANG_UP: Duration = Duration::from_secs(2);

/// How programs are run.
#[derive(Debug, Clone)]
pub struct CommandOptions {
    /// Their current directory, and what the paths of programs are relative to.
    pub folder: PathBuf,
    /// Variables they get besides the allow list and those of the call.
    pub environment: Vec<(OsString, OsString)>,
    /// How long a call may take that says nothing of its own; none is without limit.
    pub timeout: Option<Duration>,
    /// How long a program may go on after it was told to end (SIGTERM), before it is killed.
    pub grace: Duration,
    /// What a program may take.
    pub limits: Limits,
    /// How many bytes of standard output it may write.
    pub output_limit: usize,
    /// normc's own binary, which launches programs; none runs them without it.
    pub launcher: Option<PathBuf>,
}

impl CommandOptions {
    /// The usual limits for programs that run in a folder: 30 s, 5 s to end, 16 MiB of output.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            environment: Vec::new(),
            timeout: Some(Duration::from_secs(30)),
            grace: Duration::from_secs(5),
            limits: Limits::default(),
            output_limit: 16 << 20,
            launcher: None,
        }
    }
}

/// One call of a program.
#[derive(Debug, Clone)]
pub struct CommandCall<'a> {
    /// The program and its arguments, each whole.
    pub argv: &'a [Arc<str>],
    /// The inputs by name, given as a JSON object on standard input.
    pub inputs: &'a [(Arc<str>, Value)],
    /// Standard output is JSON; else text.
    pub json: bool,
    /// How long it may take; none takes the usual limit.
    pub timeout: Option<Duration>,
    /// Which call this is; the program sees it in its environment.
    pub identity: Option<&'a CallIdentity>,
}

/// Runs programs. Calls come from many threads; each blocks until its program has ended.
pub struct Commands {
    options: CommandOptions,
    groups: Groups,
    closed: AtomicBool,
}

/// How a program's time was over.
enum Over {
    Ended(Ended),
    NotStarted(io::Error),
    TimedOut,
    TooMuch,
    Interrupted,
    Lost,
}

impl Commands {
    /// Nothing is started before the first call.
    pub fn new(options: CommandOptions) -> Self {
        Self { options, groups: Groups::default(), closed: AtomicBool::new(false) }
    }

    /// Runs a program and waits for its end. Its answer is what it printed: as JSON when that is declared, else as text
    /// without the end of its last line. What processes it has started and left is ended with it.
    ///
    /// # Errors
    /// `bad_arguments` for arguments no program can get; `command_not_found` with the nearest name; `command_failed`
    /// for an exit code other than 0, a signal, or the time limit, with the end of standard error;
    /// `reply_too_large`, `not_text`, `reply_is_not_json` for its output; `interrupted`; `io_error`.
    pub fn run(&self, call: &CommandCall<'_>) -> Result<Answer, Failure> {
        let name = program_name(call.argv)?;
        self.goes_on(name)?;
        let environment = self.environment(call.identity)?;
        let path =
            environment.iter().rev().find(|(key, _)| key == "PATH").map(|(_, value)| value.as_os_str());
        let program = find(name, &self.options.folder, path)?;
        let input = input_of(call.inputs);
        let timeout = call.timeout.or(self.options.timeout);
        let begun = Instant::now();
        let mut running = self
            .start(&program, call.argv, &environment, input)
            .map_err(|error| not_started(name, &self.options.folder, &error))?;
        let over = running.wait(timeout.and_then(|limit| begun.checked_add(limit)));
        let (stdout, output) = running.finish();
        let duration = begun.elapsed();
        let fail = |kind: FailureKind, words: String| Failure {
            output: Some(Box::new(output.clone())),
            ..Failure::new(kind, format!("command `{name}` {words}"))
        };
        match over {
            Over::Ended(Ended::Code(0)) => {
                let value = read_output(name, &stdout, call.json)
                    .map_err(|failure| Failure { output: Some(Box::new(output.clone())), ..failure })?;
                Ok(Answer { value, text: None, output, duration })
            }
            Over::Ended(ended) => Err(fail(FailureKind::CommandFailed, ended.to_string())),
            Over::NotStarted(error) => Err(not_started(name, &self.options.folder, &error)),
            Over::TimedOut => {
                let limit = seconds(timeout.unwrap_or_default());
                Err(fail(FailureKind::CommandFailed, format!("ran longer than {limit} and was stopped"))
                    .with_help(
                        "look why it does not end, or give the step more time: `| %{timeout}: SECONDS`",
                    ))
            }
            Over::TooMuch => {
                let limit = self.options.output_limit;
                Err(fail(
                    FailureKind::ReplyTooLarge,
                    format!("wrote more than {limit} bytes to standard output"),
                )
                .with_help("let it write the data to a file, and print the path"))
            }
            Over::Interrupted => Err(fail(FailureKind::Interrupted, "was interrupted".to_owned())),
            Over::Lost => Err(fail(FailureKind::WorkerLost, "was lost: its launcher ended".to_owned())),
        }
    }

    /// Ends all programs and what they have started, at once, and takes no more calls. Waits for nothing; may be called
    /// from any thread and more than once.
    pub fn interrupt(&self) {
        self.closed.store(true, Ordering::SeqCst);
        if self.options.launcher.is_none() {
            self.groups.kill();
        }
    }

    fn goes_on(&self, name: &str) -> Result<(), Failure> {
        if self.closed.load(Ordering::SeqCst) {
            let message = format!("command `{}` was interrupted", shorten(name));
            return Err(Failure::new(FailureKind::Interrupted, message));
        }
        Ok(())
    }

    fn environment(&self, identity: Option<&CallIdentity>) -> Result<Vec<(OsString, OsString)>, Failure> {
        let mut variables: Vec<(OsString, OsString)> = inherited_variables().collect();
        variables.extend(self.options.environment.iter().cloned());
        for (name, value) in identity.map(CallIdentity::variables).into_iter().flatten() {
            match value {
                Some(value) if value.contains('\0') => {
                    let message = format!("the environment variable `{name}` holds a NUL character");
                    return Err(Failure::new(FailureKind::BadArguments, message));
                }
                Some(value) => variables.push((name.into(), value.into())),
                None => {}
            }
        }
        Ok(variables)
    }

    fn start(
        &self,
        program: &Path,
        argv: &[Arc<str>],
        environment: &[(OsString, OsString)],
        input: Vec<u8>,
    ) -> io::Result<Running<'_>> {
        let (mut command, stdin, end, data) = match &self.options.launcher {
            Some(launcher) => {
                let (socket, theirs) = UnixStream::pair()?;
                let order = Order {
                    program: program.to_str().ok_or(io::ErrorKind::InvalidFilename)?.to_owned(),
                    argv: argv.iter().map(|argument| argument.to_string()).collect(),
                    limits: self.options.limits,
                    input: input.len() as u64,
                };
                let mut data = serde_json::to_vec(&order)?;
                if data.len() >= ORDER_LIMIT {
                    return Err(io::ErrorKind::ArgumentListTooLong.into());
                }
                data.push(b'\n');
                data.extend_from_slice(&input);
                let mut command = Command::new(launcher);
                command.arg(LAUNCH);
                (command, Stdio::from(OwnedFd::from(theirs)), Input::Launcher(socket), data)
            }
            None => {
                let (reader, writer) = io::pipe()?;
                let mut command = Command::new(program);
                if let Some((name, rest)) = argv.split_first() {
                    command.arg0(OsStr::new(name.as_ref())).args(rest.iter().map(AsRef::as_ref));
                }
                (command, Stdio::from(reader), Input::Program(writer), input)
            }
        };
        let mut child = command
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.options.folder)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        // The command holds their end of the streams.
        drop(command);
        let group = Pid::from_child(&child);
        self.groups.add(group);
        let streams = (child.stdout.take(), child.stderr.take());
        let exchange = Exchange::new(end, data, streams, self.options.output_limit);
        match exchange {
            Ok(exchange) => Ok(Running {
                commands: self,
                child,
                group,
                exchange,
                launched: self.options.launcher.is_some(),
                gone: false,
            }),
            Err(error) => {
                self.groups.end(group);
                let _ = child.wait();
                Err(error)
            }
        }
    }
}

impl Drop for Commands {
    fn drop(&mut self) {
        self.groups.kill();
    }
}

impl fmt::Debug for Commands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Commands").field("options", &self.options).finish_non_exhaustive()
    }
}

/// A program that was started; ended at the latest when this is dropped.
struct Running<'c> {
    commands: &'c Commands,
    child: Child,
    group: Pid,
    exchange: Exchange,
    launched: bool,
    /// It was awaited: its id may be that of another process by now.
    gone: bool,
}

impl Running<'_> {
    fn wait(&mut self, deadline: Option<Instant>) -> Over {
        let over = loop {
            self.exchange.turn(self.time_to(deadline));
            if let Some(over) = self.is_over() {
                break over;
            }
            if self.exchange.out.is_cut() {
                break Over::TooMuch;
            }
            if self.commands.closed.load(Ordering::SeqCst) {
                break Over::Interrupted;
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                break self.stop();
            }
        };
        self.exchange.drain();
        // A program that prints too much and ends at once has still printed too much.
        match over {
            Over::Ended(_) if self.exchange.out.is_cut() => Over::TooMuch,
            // It was killed here. One that has ended by itself just before keeps its answer.
            Over::Ended(Ended::Signal(9)) if self.commands.closed.load(Ordering::SeqCst) => Over::Interrupted,
            over => over,
        }
    }

    fn time_to(&self, deadline: Option<Instant>) -> Duration {
        deadline.map_or(LOOK, |deadline| deadline.saturating_duration_since(Instant::now()).min(LOOK))
    }

    /// How it ended; none while it runs.
    fn is_over(&mut self) -> Option<Over> {
        if self.launched {
            return match self.exchange.report.take() {
                Some(Report::Code(code)) => Some(Over::Ended(Ended::Code(code))),
                Some(Report::Signal(signal)) => Some(Over::Ended(Ended::Signal(signal))),
                Some(Report::Ended) => Some(Over::Ended(Ended::Unknown)),
                Some(Report::NotStarted(error)) => {
                    Some(Over::NotStarted(io::Error::from_raw_os_error(error)))
                }
                None => matches!(self.exchange.input, Input::Closed).then_some(Over::Lost),
            };
        }
        self.has_ended().then(|| {
            // It is not awaited yet: what is left of its group is ended first.
            self.exchange.drain();
            self.commands.groups.end(self.group);
            Over::Ended(self.child.wait().map_or(Ended::Unknown, Ended::from))
        })
    }

    /// Whether the process has ended; it is not awaited, so its id stays its own.
    fn has_ended(&self) -> bool {
        use rustix::process::{WaitId, WaitIdOptions, waitid};
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        matches!(waitid(WaitId::Pid(self.group), options), Ok(Some(_)))
    }

    /// Asks it to end, and gives it the time for that.
    fn stop(&mut self) -> Over {
        self.commands.groups.signal(self.group, Signal::TERM);
        let last = Instant::now().checked_add(self.commands.options.grace);
        while last.is_some_and(|last| Instant::now() < last) {
            self.exchange.turn(LOOK);
            if self.commands.closed.load(Ordering::SeqCst) {
                return Over::Interrupted;
            }
            if self.is_over().is_some() {
                break;
            }
        }
        Over::TimedOut
    }

    /// Ends whatever is left; what was printed.
    fn finish(mut self) -> (Vec<u8>, Output) {
        self.end();
        self.exchange.drain();
        let out = std::mem::take(&mut self.exchange.out);
        let err = std::mem::take(&mut self.exchange.err);
        let bytes = out.bytes().to_vec();
        (bytes, Output { stdout: out.into_text(), stderr: err.into_text() })
    }

    fn end(&mut self) {
        if std::mem::replace(&mut self.gone, true) {
            return;
        }
        if let Input::Launcher(socket) = &self.exchange.input {
            // Only the launcher finds what has left the group.
            hang_up(socket);
        }
        if self.launched {
            let begun = Instant::now();
            while !self.has_ended() && begun.elapsed() < HANG_UP {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        self.exchange.input = Input::Closed;
        self.commands.groups.end(self.group);
        let _ = self.child.wait();
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.end();
    }
}

fn program_name(argv: &[Arc<str>]) -> Result<&str, Failure> {
    let bad = |message: String| {
        Err(Failure::new(FailureKind::BadArguments, message)
            .with_help("write the program and its arguments as a list: [\"sort\", \"-r\"]"))
    };
    match argv.first() {
        None => bad("a command without a program".to_owned()),
        Some(name) if name.trim().is_empty() => bad("the program of a command is empty".to_owned()),
        Some(name) => match argv.iter().position(|argument| argument.contains('\0')) {
            Some(at) => bad(format!("argument {at} of command `{}` holds a NUL character", shorten(name))),
            None => Ok(name),
        },
    }
}

/// The inputs as one JSON object and a line end.
fn input_of(inputs: &[(Arc<str>, Value)]) -> Vec<u8> {
    let map: Map = inputs.iter().cloned().collect();
    let mut text = Value::Map(Arc::new(map)).to_json().to_string();
    text.push('\n');
    text.into_bytes()
}

fn not_started(name: &str, folder: &Path, error: &io::Error) -> Failure {
    let name = shorten(name);
    if !folder.is_dir() {
        let message = format!("the folder `{}` of command `{name}` is no directory", folder.display());
        return Failure::new(FailureKind::BadPath, message);
    }
    let message = format!("command `{name}` cannot be started: {error}");
    match error.kind() {
        io::ErrorKind::ArgumentListTooLong => Failure::new(FailureKind::BadArguments, message)
            .with_help("take large inputs from standard input: it holds all of them as JSON"),
        io::ErrorKind::NotFound => Failure::new(FailureKind::CommandNotFound, message)
            .with_help("a script names its interpreter in its first line; look whether that exists"),
        io::ErrorKind::PermissionDenied => Failure::new(FailureKind::CommandNotFound, message),
        // ENOEXEC: no program, and no script with a first line that says what runs it.
        _ if error.raw_os_error() == Some(8) => Failure::new(FailureKind::CommandNotFound, message)
            .with_help("begin a script with a line such as `#!/bin/sh`"),
        _ => Failure::new(FailureKind::IoError, message),
    }
}

fn read_output(name: &str, bytes: &[u8], json: bool) -> Result<Value, Failure> {
    let name = shorten(name);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let message = format!("the output of command `{name}` is not UTF-8 text: byte {at}");
        Failure::new(FailureKind::NotText, message)
            .with_help("let it write bytes to a file, and print the path")
    })?;
    if !json {
        let text = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
        return Ok(Value::text(text));
    }
    serde_json::from_str(text).map(|json| Value::from_data_json(&json)).map_err(|error| {
        let message = format!("the output of command `{name}` is no JSON: {error}, got `{}`", shorten(text));
        Failure::new(FailureKind::ReplyIsNotJson, message)
            .with_help("let it print one JSON value and nothing else, or declare its output as text")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn outputs_are_read() {
        let text = |bytes: &[u8]| read_output("c", bytes, false).map(|v| v.to_json());
        assert_eq!(text(b"a\n"), Ok(json!("a")));
        assert_eq!(text(b"a\r\n"), Ok(json!("a")));
        assert_eq!(text(b"\na\n\n"), Ok(json!("\na\n")));
        assert_eq!(text(b""), Ok(json!("")));
        assert_eq!(text(b"%{file_location}(x)\n"), Ok(json!("%{file_location}(x)")));
        assert_eq!(text(b"a\xff").unwrap_err().kind, FailureKind::NotText);
        let json = |bytes: &[u8]| read_output("c", bytes, true).map(|v| v.to_json().to_string());
        assert_eq!(json(b" {\"a\": 1.50}\n").as_deref(), Ok("{\"a\":1.50}"));
        let failure = json(b"hello\n").unwrap_err();
        assert_eq!(failure.kind, FailureKind::ReplyIsNotJson);
        assert!(failure.message.contains("got `hello"), "{failure}");
    }

    #[test]
    fn arguments_no_program_can_get() {
        let argv = |arguments: &[&str]| arguments.iter().map(|a| Arc::from(*a)).collect::<Vec<Arc<str>>>();
        let kind = |arguments: &[&str]| program_name(&argv(arguments)).unwrap_err().kind;
        assert_eq!(kind(&[]), FailureKind::BadArguments);
        assert_eq!(kind(&[" "]), FailureKind::BadArguments);
        assert_eq!(kind(&["echo", "a\0b"]), FailureKind::BadArguments);
        assert_eq!(program_name(&argv(&["echo", ""])), Ok("echo"));
    }
}
