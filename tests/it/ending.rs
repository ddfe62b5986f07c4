//! How Python workers end: at a deadline, by accident, by an interruption, with normc itself; and that nothing is left.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use normc::base::{Value, text_of};
use normc::faculty::python::{Body, Mode};
use normc::faculty::{Failure, FailureKind};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::json;

use crate::faculty::{Bench, bench, bench_with};
use crate::support::until;

/// A deadline no machine reaches, however busy: the other end of the test comes first.
const NEVER: Option<Duration> = Some(Duration::from_secs(1000));

/// Puts a text into a file in one go: who sees the file sees all of it.
const TELL: &str = "import os, subprocess, time\ndef tell(name, text=''):\n    \
                    with open(name + '.new', 'w') as f: f.write(text)\n    os.rename(name + '.new', name)\n";

/// Whether a thread of a process lives: the first may be gone before the others, which then still hold its sockets.
pub(crate) fn is_alive(pid: i64) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("stat")).ok()).any(|stat| {
        // A zombie is dead; only its parent has not looked yet.
        !stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with(['Z', 'X']))
    })
}

pub(crate) fn dies(pid: i64) {
    until(&format!("the end of process {pid}"), || !is_alive(pid));
}

fn pid_of(number: i64) -> Pid {
    Pid::from_raw(i32::try_from(number).unwrap()).unwrap()
}

pub(crate) fn told(file: &Path) -> Vec<i64> {
    until(&format!("{}", file.display()), || file.exists());
    let text = std::fs::read_to_string(file).unwrap();
    text.split_whitespace().map(|p| p.parse().unwrap()).collect()
}

impl Bench {
    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs what would never end by itself.
    fn endless(&self, code: &str) -> Failure {
        self.run(Mode::Execute, &format!("{TELL}{code}"), json!({}), NEVER).unwrap_err()
    }
}

#[test]
fn an_endless_script_is_stopped_alone() {
    let Some(b) = bench_with(|o| o.workers = 1) else { return };
    let pid = b.pid();
    let limit = Some(Duration::from_millis(200));
    let code = "import subprocess\nsubprocess.Popen(['sleep', '1000'])\nwhile True:\n    pass";
    let begun = Instant::now();
    let failure = b.run(Mode::Execute, code, json!({}), limit).unwrap_err();
    assert_eq!(failure.kind, FailureKind::ScriptTimeout);
    assert!(failure.message.contains("200 ms"), "{failure}");
    assert!(begun.elapsed() >= Duration::from_millis(200));
    dies(pid);
    assert_ne!(b.pid(), pid);
}

#[test]
fn what_was_printed_before_the_deadline_is_kept() {
    let Some(b) = bench_with(|o| o.workers = 1) else { return };
    b.pid();
    // However late the script begins, one of these deadlines lets it come so far.
    let printed = (0..12).any(|power| {
        let limit = Some(Duration::from_millis(50 << power));
        let failure = b.run(Mode::Execute, "print('begun')\nwhile True: pass", json!({}), limit).unwrap_err();
        assert_eq!(failure.kind, FailureKind::ScriptTimeout);
        let printed = failure.output.unwrap().stdout;
        assert!(printed.is_empty() || printed == "begun\n", "{printed}");
        !printed.is_empty()
    });
    assert!(printed);
}

#[test]
fn a_dying_worker_fails_only_its_call() {
    let Some(b) = bench_with(|o| o.workers = 1) else { return };
    let garbage = "import os\nfor fd in range(3, 20):\n    try: os.write(fd, b'garbage\\n')\n    except OSError: pass\nresult = 1";
    let closed = "import os\nos.closerange(3, 50)\nresult = 1";
    let cases = [
        ("import os\nprint('last words', flush=True)\nos._exit(7)", "ended with exit code 7"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", "ended by signal 11 (SIGSEGV)"),
        (
            "import os\nif os.fork() == 0:\n    import time\n    time.sleep(1000)\nos._exit(3)",
            "ended with exit code 3",
        ),
        (garbage, "broke the protocol"),
        (closed, "while script `s.py` ran"),
    ];
    for (code, words) in cases {
        let failure = b.execute(code).expect_err(code);
        assert_eq!(failure.kind, FailureKind::WorkerLost, "{failure}");
        assert!(failure.retryable());
        assert!(failure.message.contains(words), "{failure}");
        assert_eq!(b.text("result = 1"), "1", "the pool goes on");
    }
    let failure = b.execute("import os\nos.write(1, b'raw')\nos._exit(7)").unwrap_err();
    assert_eq!(failure.output.unwrap().stdout, "raw");
}

#[test]
fn a_worker_that_dies_between_calls_is_replaced_without_a_failure() {
    let Some(b) = bench_with(|o| o.workers = 1) else { return };
    // It is killed from outside, once it has answered: a script that ends its own worker may do so during the call.
    let pid = b.pid();
    kill_process(pid_of(pid), Signal::KILL).unwrap();
    dies(pid);
    assert_ne!(b.pid(), pid);
}

#[test]
fn shutting_down_ends_everything() {
    let Some(b) = bench() else { return };
    let child: i64 =
        b.text("import subprocess\nresult = subprocess.Popen(['sleep', '1000']).pid").parse().unwrap();
    let pid = b.pid();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| b.endless("tell('begun')\ntime.sleep(1000)"));
        told(&b.file("begun"));
        b.pool.shutdown();
        let failure = waiting.join().unwrap();
        assert_eq!(failure.kind, FailureKind::WorkerLost);
        assert!(failure.message.contains("shut down"), "{failure}");
    });
    dies(pid);
    dies(child);
    assert!(b.execute("result = 1").unwrap_err().message.contains("shut down"));
}

#[test]
fn an_interruption_ends_all_calls_and_takes_no_more() {
    let Some(b) = bench_with(|o| o.workers = 4) else { return };
    b.pool.prepare(4);
    let asleep = "print('before')\ntell('asleep', str(os.getpid()))\ntime.sleep(1000)";
    let busy = "tell('busy', str(os.getpid()))\nimport re\nre.match('(a+)+$', 'a' * 90 + 'b')";
    let outside =
        "p = subprocess.Popen(['sleep', '1000'])\ntell('outside', '%d %d' % (os.getpid(), p.pid))\np.wait()";
    std::thread::scope(|scope| {
        let calls = [asleep, busy, outside].map(|code| scope.spawn(|| b.endless(code)));
        let mut pids: Vec<i64> =
            ["asleep", "busy", "outside"].iter().flat_map(|name| told(&b.file(name))).collect();
        // One worker is idle; it may have something running as well.
        let code = "import os, subprocess\nresult = '%d %d' % (os.getpid(), subprocess.Popen(['sleep', '1000']).pid)";
        pids.extend(b.text(code).split(' ').map(|p| p.parse::<i64>().unwrap()));
        assert!(pids.len() == 6 && pids.iter().all(|p| is_alive(*p)), "{pids:?}");
        b.pool.interrupt();
        for call in calls {
            let failure = call.join().unwrap();
            assert_eq!(failure.kind, FailureKind::Interrupted, "{failure}");
            assert!(!failure.retryable());
            assert!(failure.message.contains("interrupted"), "{failure}");
            assert_eq!(failure.place.as_ref().map(|p| p.path.as_ref()), Some("s.py"));
        }
        pids.into_iter().for_each(dies);
    });
    b.pool.interrupt();
    assert_eq!(b.execute("result = 1").unwrap_err().kind, FailureKind::Interrupted);
    b.pool.prepare(4);
    b.pool.shutdown();
    assert_eq!(b.execute("result = 1").unwrap_err().kind, FailureKind::Interrupted);
}

#[test]
fn an_interrupted_call_keeps_what_it_has_printed() {
    let Some(b) = bench() else { return };
    std::thread::scope(|scope| {
        let call = scope.spawn(|| b.endless("print('before')\ntell('begun')\ntime.sleep(1000)"));
        told(&b.file("begun"));
        b.pool.interrupt();
        assert_eq!(call.join().unwrap().output.unwrap().stdout, "before\n");
    });
}

#[test]
fn an_interruption_reaches_calls_that_wait_for_a_worker_and_workers_that_start() {
    let Some(b) = bench_with(|o| o.workers = 1) else { return };
    std::thread::scope(|scope| {
        let first = scope.spawn(|| b.endless("tell('begun')\ntime.sleep(1000)"));
        told(&b.file("begun"));
        // Whether they wait already or not: there is no place for them.
        let waiting = [(); 5].map(|()| scope.spawn(|| b.execute("result = 1").unwrap_err()));
        b.pool.interrupt();
        for call in waiting.into_iter().chain([first]) {
            assert_eq!(call.join().unwrap().kind, FailureKind::Interrupted);
        }
    });
    // An interpreter that never says that it is there.
    let folder = tempfile::tempdir().unwrap();
    let interpreter = folder.path().join("python");
    let (new, pid) = (folder.path().join("new"), folder.path().join("pid"));
    let script = format!(
        "#!/bin/sh\necho $$ > '{}'\nmv '{}' '{}'\nexec sleep 1000\n",
        new.display(),
        new.display(),
        pid.display()
    );
    std::fs::write(&interpreter, script).unwrap();
    std::fs::set_permissions(&interpreter, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let Some(b) = bench_with(|o| o.interpreter = Some(interpreter)) else { return };
    std::thread::scope(|scope| {
        let starting = scope.spawn(|| b.execute("result = 1").unwrap_err());
        let pids = told(&pid);
        b.pool.interrupt();
        assert_eq!(starting.join().unwrap().kind, FailureKind::Interrupted);
        pids.into_iter().for_each(dies);
    });
}

/// A tool that says when it is used, and answers when it may.
struct Slow(Mutex<(Sender<()>, Receiver<()>)>);

impl Body for Slow {
    fn call(&self, _: &str, _: &str, _: &[Value], _: &[(Arc<str>, Value)]) -> Result<Value, Failure> {
        let ends = self.0.lock().unwrap();
        ends.0.send(()).unwrap();
        ends.1.recv().unwrap();
        Ok(Value::Null)
    }
}

#[test]
fn an_interruption_waits_for_no_call() {
    let (used, in_use) = channel();
    let (go_on, may) = channel();
    let slow = Slow(Mutex::new((used, may)));
    let Some(b) = bench() else { return };
    let b = b.with_body(slow);
    std::thread::scope(|scope| {
        let call = scope.spawn(|| b.call("def main(body):\n    return body.a.b()", json!({})).unwrap_err());
        in_use.recv().unwrap();
        b.pool.interrupt();
        go_on.send(()).unwrap();
        assert_eq!(call.join().unwrap().kind, FailureKind::Interrupted);
    });
}

#[test]
fn a_worker_has_a_session_of_its_own() {
    let Some(b) = bench_with(|o| o.workers = 1) else { return };
    let code = "import os\ntry: tty = bool(os.open('/dev/tty', os.O_RDWR))\nexcept OSError: tty = False\n\
                result = [os.getsid(0) == os.getpgrp() == os.getpid(), os.getsid(os.getppid()) != os.getsid(0), tty]";
    assert_eq!(b.text(code), "[True, True, False]");
    // It hears what this process hears: whoever started the tests may have had some signals ignored.
    let mask = |process: i64| {
        let bits = [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TSTP].map(|s| 1 << (s.as_raw() - 1));
        signals(process, "SigIgn") & bits.iter().sum::<u64>()
    };
    assert_eq!(mask(b.pid()), mask(i64::from(std::process::id())));
}

/// Run by the tests below in a process of its own: runs one script to its end, and says what it gave, once it has heard
/// a SIGINT.
#[test]
fn child_with_a_worker() {
    let Some(folder) = std::env::var_os("NORMC_TEST_FOLDER") else { return };
    let code = std::env::var("NORMC_TEST_SCRIPT").unwrap();
    let heard = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&heard)).unwrap();
    let Some(b) = bench() else { return };
    let code = format!("{TELL}os.chdir(folder)\n{code}");
    let answer = b.run(Mode::Execute, &code, json!({"folder": folder.to_string_lossy()}), NEVER);
    let given = answer.map_or_else(|f| format!("{}: {f}", f.kind), |a| text_of(&a.value));
    // Any thread may be the one to hear it, and that one may be late.
    until("the signal", || heard.load(Ordering::SeqCst));
    std::fs::write(Path::new(&folder).join("given"), given).unwrap();
}

/// The process that runs [`child_with_a_worker`], in a group of its own.
fn child(folder: &Path, script: &str) -> Child {
    use std::os::unix::process::CommandExt;
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "ending::child_with_a_worker", "--nocapture"])
        .env("NORMC_TEST_FOLDER", folder)
        .env("NORMC_TEST_SCRIPT", script)
        .stdout(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap()
}

#[test]
fn no_worker_outlives_a_killed_parent() {
    if bench().is_none() {
        return;
    }
    let scripts = [
        // A loop that lets no other thread of the interpreter run.
        "p = subprocess.Popen(['sleep', '1000'])\ntell('pids', '%d %d' % (os.getpid(), p.pid))\n\
         import re\nre.match('(a+)+$', 'a' * 90 + 'b')",
        "tell('pids', str(os.getpid()))\ntime.sleep(1000)",
        "subprocess.run(['sh', '-c', 'echo $$ $PPID > new; mv new pids; sleep 1000; true'])",
        // A child that was forked, and what it has started.
        "if os.fork() == 0:\n    p = subprocess.Popen(['sleep', '1000'])\n    \
         tell('pids', '%d %d %d' % (os.getppid(), os.getpid(), p.pid))\n    time.sleep(1000)\ntime.sleep(1000)",
    ];
    for script in scripts {
        let folder = tempfile::tempdir().unwrap();
        let mut child = child(folder.path(), script);
        let pids = told(&folder.path().join("pids"));
        assert!(pids.iter().all(|p| is_alive(*p)), "{script}");
        child.kill().unwrap();
        child.wait().unwrap();
        pids.into_iter().for_each(dies);
    }
}

#[test]
fn a_key_pressed_at_the_terminal_reaches_no_worker() {
    if bench().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = "p = subprocess.Popen(['sh', '-c', 'read line; echo $line'], stdin=-1, stdout=-1)\ntell('begun')\n\
                  while not os.path.exists('go'): time.sleep(0.01)\n\
                  result = p.communicate(b'alive')[0].decode().strip()";
    let mut child = child(folder.path(), script);
    told(&folder.path().join("begun"));
    kill_process_group(Pid::from_child(&child), Signal::INT).unwrap();
    std::fs::write(folder.path().join("go"), "").unwrap();
    assert!(child.wait().unwrap().success());
    let given = std::fs::read_to_string(folder.path().join("given")).unwrap();
    assert_eq!(given, "alive");
}

#[test]
fn a_key_pressed_while_workers_start_reaches_none() {
    if bench().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut child = child(folder.path(), "tell('begun')\nresult = 'alive'");
    // Again and again, from before the first worker is there until it answers. A process that has not yet said what it
    // does with the signal dies of it, so that is awaited.
    let group = Pid::from_child(&child);
    until("a handler in the child", || signals(i64::from(child.id()), "SigCgt") & 2 != 0);
    let end = Instant::now() + Duration::from_secs(120);
    while child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < end, "the child does not end");
        // In quick succession: a worker that begins its session could hear it for microseconds only.
        for _ in 0..1000 {
            let _ = kill_process_group(group, Signal::INT);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let given = std::fs::read_to_string(folder.path().join("given")).unwrap();
    assert_eq!(given, "alive");
}

/// A set of signals that the system tells of a process.
fn signals(process: i64, which: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(which)).unwrap();
    u64::from_str_radix(line.trim_start_matches(':').trim(), 16).unwrap()
}
