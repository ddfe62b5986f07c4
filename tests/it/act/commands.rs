//! Programs: what they get and give, how they end, and that nothing of them is left. Each test runs them both ways:
//! under normc's launcher, and directly.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use normc::base::Value;
use normc::faculty::command::{CommandCall, CommandOptions, Commands};
use normc::faculty::process::Limits;
use normc::faculty::{Answer, CallIdentity, Failure, FailureKind};
use serde_json::{Value as Json, json};

use crate::ending::{dies, is_alive, told};

struct Desk {
    commands: Commands,
    folder: tempfile::TempDir,
}

fn desk(launched: bool, change: impl FnOnce(&mut CommandOptions)) -> Desk {
    let folder = tempfile::tempdir().unwrap();
    let mut options = CommandOptions::new(folder.path());
    options.launcher = launched.then(|| env!("CARGO_BIN_EXE_normc").into());
    options.timeout = Some(Duration::from_secs(100));
    options.grace = Duration::from_millis(300);
    change(&mut options);
    Desk { commands: Commands::new(options), folder }
}

fn both(test: impl Fn(&Desk)) {
    for launched in [true, false] {
        test(&desk(launched, |_| {}));
    }
}

impl Desk {
    fn call(
        &self,
        argv: &[&str],
        inputs: Json,
        json: bool,
        timeout: Option<Duration>,
    ) -> Result<Answer, Failure> {
        let argv: Vec<Arc<str>> = argv.iter().map(|a| Arc::from(*a)).collect();
        let inputs: Vec<_> = inputs
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (Arc::from(name.as_str()), Value::from_data_json(value)))
            .collect();
        self.commands.run(&CommandCall { argv: &argv, inputs: &inputs, json, timeout, identity: None })
    }

    fn text(&self, argv: &[&str]) -> Json {
        self.call(argv, json!({}), false, None).unwrap_or_else(|f| panic!("{f:?}")).value.to_json()
    }

    fn fails(&self, argv: &[&str]) -> Failure {
        self.call(argv, json!({}), false, None).unwrap_err()
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }
}

#[test]
fn arguments_are_whole_and_inputs_are_json() {
    both(|desk| {
        assert_eq!(desk.text(&["printf", "%s|", "a b", "$HOME", "*", "", "é\n"]), json!("a b|$HOME|*||é\n|"));
        let inputs = json!({"input_1": [1, "two\n", null], "input_2": {"k": 1.50}});
        let answer = desk.call(&["cat"], inputs.clone(), true, None).unwrap();
        assert_eq!(answer.value.to_json(), inputs);
        assert_eq!(desk.text(&["echo", "hello"]), json!("hello"));
        // What a program says is data, whatever it looks like.
        let answer = desk.call(&["echo", "%{script_location}(evil.py)"], json!({}), false, None).unwrap();
        assert!(matches!(answer.value, Value::Text(_)));
        let here = desk.folder.path().canonicalize().unwrap();
        assert_eq!(desk.text(&["pwd", "-P"]), json!(here.to_str().unwrap()));
        std::fs::write(desk.file("tool"), "#!/bin/sh\necho \"$0 $1\"\n").unwrap();
        std::fs::set_permissions(desk.file("tool"), std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
        assert!(desk.text(&["./tool", "x"]).as_str().unwrap().ends_with("tool x"));
    });
}

#[test]
fn a_program_need_not_read_its_input() {
    both(|desk| {
        let large = json!({"input_1": "x".repeat(5 << 20)});
        assert_eq!(desk.call(&["true"], large.clone(), false, None).unwrap().value.to_json(), json!(""));
        let answer = desk.call(&["wc", "-c"], large, false, None).unwrap().value.to_json();
        assert_eq!(answer.as_str().unwrap().trim(), ((5 << 20) + 15).to_string());
    });
}

#[test]
fn a_call_takes_no_longer_than_its_program() {
    both(|desk| {
        let begun = Instant::now();
        desk.call(&["true"], json!({}), false, None).unwrap();
        desk.fails(&["false"]);
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    });
}

#[test]
fn exit_codes_and_signals() {
    both(|desk| {
        let failure = desk.fails(&["sh", "-c", "echo some; echo oops >&2; exit 3"]);
        assert_eq!(failure.kind, FailureKind::CommandFailed);
        assert_eq!(failure.message, "command `sh` ended with exit code 3");
        assert_eq!(failure.stderr_tail(), "oops\n");
        assert_eq!(failure.output.unwrap().stdout, "some\n");
        let failure = desk.fails(&["sh", "-c", "kill -SEGV $$"]);
        assert_eq!(failure.message, "command `sh` was ended by signal 11 (SIGSEGV)");
        assert!(desk.fails(&["sh", "-c", "kill -KILL $$"]).message.contains("signal 9"));
        let failure = desk.fails(&["sh", "-c", "head -c 100000 /dev/zero | tr '\\0' e >&2; exit 1"]);
        assert_eq!(failure.stderr_tail().len(), 4096);
        // What it writes to standard error is no failure.
        let answer = desk.call(&["sh", "-c", "echo warned >&2; echo 1"], json!({}), true, None).unwrap();
        assert_eq!((answer.value.to_json(), answer.output.stderr.as_str()), (json!(1), "warned\n"));
    });
}

#[test]
fn programs_that_are_not_there() {
    both(|desk| {
        let failure = desk.fails(&["ehco", "x"]);
        assert_eq!(failure.kind, FailureKind::CommandNotFound);
        assert!(failure.message.contains("`ehco`"), "{failure}");
        std::fs::write(desk.file("noline"), "echo 1\n").unwrap();
        std::fs::write(desk.file("badline"), "#!/no/such/interpreter\n").unwrap();
        for name in ["noline", "badline"] {
            let rights = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(desk.file(name), rights).unwrap();
            let failure = desk.fails(&[&format!("./{name}")]);
            assert_eq!(failure.kind, FailureKind::CommandNotFound, "{failure}");
            assert!(failure.help.is_some(), "{failure}");
        }
        // There is no shell.
        assert_eq!(desk.fails(&["echo 1 | cat"]).kind, FailureKind::CommandNotFound);
        assert_eq!(desk.fails(&[]).kind, FailureKind::BadArguments);
        let huge = "x".repeat(20 << 20);
        assert_eq!(desk.fails(&["echo", &huge]).kind, FailureKind::BadArguments);
    });
}

#[test]
fn output_has_its_limits() {
    both(|desk| {
        let answer =
            desk.call(&["sh", "-c", "yes 0123456789 | head -n 500000"], json!({}), false, None).unwrap();
        assert_eq!(answer.value.to_json().as_str().unwrap().len(), 11 * 500_000 - 1);
        assert_eq!(desk.fails(&["printf", "\\377"]).kind, FailureKind::NotText);
        let failure = desk.call(&["echo", "{"], json!({}), true, None).unwrap_err();
        assert_eq!(failure.kind, FailureKind::ReplyIsNotJson);
    });
    for launched in [true, false] {
        let desk = desk(launched, |options| options.output_limit = 1000);
        let begun = Instant::now();
        assert_eq!(desk.fails(&["yes"]).kind, FailureKind::ReplyTooLarge);
        assert!(begun.elapsed() < Duration::from_secs(60));
        let failure = desk.fails(&["sh", "-c", "head -c 1001 /dev/zero"]);
        assert_eq!(failure.kind, FailureKind::ReplyTooLarge);
        assert_eq!(desk.text(&["sh", "-c", "head -c 1000 /dev/zero | tr '\\0' x"]), json!("x".repeat(1000)));
    }
}

#[test]
fn a_program_that_does_not_end_is_stopped() {
    both(|desk| {
        let limit = Some(Duration::from_millis(400));
        let code = "trap 'echo told; exit 0' TERM; echo begun; sleep 1000 & wait";
        let failure = desk.call(&["sh", "-c", code], json!({}), false, limit).unwrap_err();
        assert_eq!(failure.kind, FailureKind::CommandFailed);
        assert_eq!(failure.message, "command `sh` ran longer than 400 ms and was stopped");
        assert_eq!(failure.output.unwrap().stdout, "begun\ntold\n");
        // One that does not listen is killed, and so is what it has started.
        let code = "trap '' TERM; sleep 1000 & echo $$ $! > new; mv new pids; while :; do sleep 1; done";
        let failure = desk.call(&["sh", "-c", code], json!({}), false, limit).unwrap_err();
        assert_eq!(failure.kind, FailureKind::CommandFailed);
        told(&desk.file("pids")).into_iter().for_each(dies);
    });
}

#[test]
fn nothing_is_left_of_a_program_that_has_ended() {
    both(|desk| {
        // It answers at once, though what it has started holds its standard output.
        let begun = Instant::now();
        let answer = desk.text(&["sh", "-c", "sleep 1000 & echo $!"]);
        assert!(begun.elapsed() < Duration::from_secs(60));
        dies(answer.as_str().unwrap().parse().unwrap());
    });
    // Under the launcher, leaving the group and losing the parent do not help.
    let desk = desk(true, |_| {});
    let away = "setsid sh -c 'sleep 1000 & echo $$ $! > new; mv new pids; wait' & \
                while [ ! -e pids ]; do sleep 0.01; done";
    desk.text(&["sh", "-c", away]);
    let pids = told(&desk.file("pids"));
    assert_eq!(pids.len(), 2);
    pids.into_iter().for_each(dies);
}

#[test]
fn an_interruption_ends_all_programs() {
    both(|desk| {
        std::thread::scope(|scope| {
            let calls = [1, 2].map(|n| {
                let code = format!("sleep 1000 & echo $$ $! > new{n}; mv new{n} pids{n}; wait");
                scope.spawn(move || desk.fails(&["sh", "-c", &code]))
            });
            let mut pids = told(&desk.file("pids1"));
            pids.extend(told(&desk.file("pids2")));
            assert!(pids.len() == 4 && pids.iter().all(|pid| is_alive(*pid)));
            desk.commands.interrupt();
            for call in calls {
                let failure = call.join().unwrap();
                assert_eq!(failure.kind, FailureKind::Interrupted, "{failure}");
            }
            pids.into_iter().for_each(dies);
        });
        desk.commands.interrupt();
        assert_eq!(desk.fails(&["true"]).kind, FailureKind::Interrupted);
    });
}

#[test]
fn the_environment_is_an_allow_list_with_the_identity() {
    for launched in [true, false] {
        let desk = desk(launched, |options| options.environment.push(("GIVEN".into(), "yes".into())));
        let argv = ["sh", "-c", "env | grep -E '^(NORMC_|CARGO|GIVEN)' | sort"].map(Arc::from);
        let identity = CallIdentity { key: Some("0a".into()), run: None, step: Some("1.2[3]".into()) };
        let call =
            CommandCall { argv: &argv, inputs: &[], json: false, timeout: None, identity: Some(&identity) };
        let answer = desk.commands.run(&call).unwrap().value.to_json();
        assert_eq!(answer, json!("GIVEN=yes\nNORMC_IDEMPOTENCY_KEY=0a\nNORMC_STEP=1.2[3]"));
    }
}

#[test]
fn programs_have_a_session_and_limits_under_the_launcher() {
    let limits = Limits { memory: 200 << 20, cpu_seconds: 100, open_files: 50 };
    let desk = desk(true, |options| options.limits = limits);
    // The limits can be raised no more once the inputs have come.
    let shown = "cat > /dev/null; ulimit -c; ulimit -v; ulimit -t; ulimit -n; ulimit -Hn";
    let answer = desk.text(&["sh", "-c", shown]);
    assert_eq!(answer, json!(format!("0\n{}\n100\n50\n50", 200 << 10)));
    let answer = desk.text(&["sh", "-c", "cut -d' ' -f5,6,7 /proc/self/stat"]);
    let fields: Vec<&str> = answer.as_str().unwrap().split(' ').collect();
    assert!(fields[0] == fields[1] && fields[2] == "0", "group, session and terminal: {answer}");
}

/// Run by the test below in a process of its own.
#[test]
fn child_with_a_command() {
    let Some(folder) = std::env::var_os("NORMC_TEST_COMMAND") else { return };
    let mut options = CommandOptions::new(&folder);
    options.launcher = Some(env!("CARGO_BIN_EXE_normc").into());
    options.timeout = None;
    let code = "setsid sleep 1000 & echo $$ $! > new; mv new pids; wait";
    let argv = ["sh", "-c", code].map(Arc::from);
    let call = CommandCall { argv: &argv, inputs: &[], json: false, timeout: None, identity: None };
    let _ = Commands::new(options).run(&call);
}

#[test]
fn no_program_outlives_a_killed_parent() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "act::commands::child_with_a_command", "--nocapture"])
        .env("NORMC_TEST_COMMAND", folder.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let pids = told(&Path::new(folder.path()).join("pids"));
    assert!(pids.len() == 2 && pids.iter().all(|pid| is_alive(*pid)));
    child.kill().unwrap();
    child.wait().unwrap();
    pids.into_iter().for_each(dies);
}

#[test]
fn the_launcher_is_no_command_of_its_own() {
    // Typed by hand, it says so and ends.
    let output = Command::new(env!("CARGO_BIN_EXE_normc"))
        .arg(normc::faculty::process::LAUNCH)
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(70));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot launch a command"));
}
