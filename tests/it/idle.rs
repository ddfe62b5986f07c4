//! A run that waits, for a server or for a person, leaves the processor to others.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::llm_server::{Act, Stub};
use crate::support::{program, until};

/// Asks a model and a person, neither of whom answers.
const PLAN: &str = "\
:<:({both})
    <= ::(join {1}<$({summary})%> and {2}<$({opinion})%>)
        | %{builtin}: concat
    <- {summary}<:{1}>
        <= ::(sum up {1}<$({text})%>)
            | %{prompt}: Sum up: $input_1
        <- {text}<:{1}>
    <- {opinion}<:{2}>
        <= :>:({opinion})
            | %{ask}: What do you think?
";

/// The clock ticks a process has had of the processor, all its threads together; a hundred are a second.
fn ticks(process: &Child) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.id())).unwrap();
    // User and system time are the 14th and 15th field; the second is a name in parentheses.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    [11, 12].iter().map(|&field: &usize| fields[field].parse::<u64>().unwrap()).sum()
}

/// A second of waiting takes less than a quarter of it of the processor.
fn waits_quietly(mut run: Child) {
    let before = ticks(&run);
    std::thread::sleep(Duration::from_secs(1));
    let used = ticks(&run) - before;
    run.kill().unwrap();
    run.wait().unwrap();
    assert!(used < 25, "{used} ticks of the processor for a second of waiting");
}

fn start(folder: &Path, server: &Stub, more: &[&str]) -> Child {
    std::fs::write(folder.join("plan.ncd"), PLAN).unwrap();
    let mut command = program(folder);
    command.args(["exec", "plan.ncd", "-q", "--set", "text=\"a text\""]).args(more);
    command.env_remove("NORMC_MODEL").env("NORMC_BASE_URL", server.url()).env("NORMC_API_KEY", "sk-nobody");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn waiting_for_a_model() {
    let folder = tempfile::tempdir().unwrap();
    let server = Stub::new(|_, _| Act::Hang);
    let run = start(folder.path(), &server, &[]);
    until("the request", || !server.seen().is_empty());
    waits_quietly(run);
}

#[test]
fn waiting_for_a_person() {
    let folder = tempfile::tempdir().unwrap();
    let server = Stub::replying(|_| "short".to_owned());
    let run = start(folder.path(), &server, &["--mailbox", "box"]);
    let requests = folder.path().join("box/requests");
    until("the question", || std::fs::read_dir(&requests).is_ok_and(|d| d.count() > 0));
    until("the reply", || !server.seen().is_empty());
    waits_quietly(run);
}
