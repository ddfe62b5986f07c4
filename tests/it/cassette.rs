//! Cassettes and budgets as a run uses them: a model that counts its calls stands behind a cassette in a real folder.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use normc::base::ReplyFormat;
use normc::faculty::llm::cassette::{Mode, Played, Resolved};
use normc::faculty::llm::{
    Admitted, Budget, Caller, Cassette, CassetteError, Chat, ChatReply, ChatRequest, Estimate, Limits, Meter,
    Money, Price, Try, Usage, Used,
};
use normc::faculty::{Failure, FailureKind, Redactor, Secret};

const PRICE: Price = Price { input: 1_000_000, output: 2_000_000 };

/// A model that answers `reply N to PROMPT`, each time another one; told so, it fails or panics.
#[derive(Default)]
struct Model {
    calls: AtomicUsize,
    pause: Duration,
    broken: AtomicBool,
    budget: Option<Budget>,
}

impl Chat for Model {
    fn chat(&self, request: &ChatRequest, _: &Caller) -> Result<ChatReply, Failure> {
        let estimate = Estimate { prompt_tokens: 10, completion_limit: Some(10), price: Some(PRICE) };
        let admitted = match &self.budget {
            Some(budget) => Some(Admitted::ask(budget, request, &estimate)?),
            None => None,
        };
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        thread::sleep(self.pause);
        assert!(!request.prompt.contains("panic"), "as the prompt says");
        if self.broken.load(Ordering::SeqCst) {
            return Err(Failure::new(FailureKind::ModelUnreachable, "nobody is there"));
        }
        let usage = Usage { prompt_tokens: 10, completion_tokens: 5, estimated: false };
        if let Some(admitted) = admitted {
            admitted.settle(Some(usage));
        }
        Ok(ChatReply {
            text: format!("reply {number} to {}", request.prompt).into(),
            finish_reason: Some("stop".into()),
            model: "small-8b".into(),
            usage,
            tries: vec![Try {
                outcome: "ok".into(),
                status: Some(200),
                millis: number as u64,
                waited_millis: 3,
                prompt_tokens: 10,
                completion_tokens: 5,
            }],
            millis: number as u64,
            replayed: false,
        })
    }
}

impl Model {
    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

fn caller(step: &str, cell: u32) -> Caller {
    Caller { step: step.into(), cell, ..Caller::default() }
}

fn ask(cassette: &Cassette, step: &str, prompt: &str) -> Result<ChatReply, Failure> {
    cassette.chat(&ChatRequest::new("small", prompt), &caller(step, 0))
}

fn open(path: &Path, mode: Mode, model: &Arc<Model>) -> Cassette {
    Cassette::open(path, mode).unwrap().before(Arc::<Model>::clone(model))
}

/// A folder, the cassette in it, and a model.
fn scene() -> (tempfile::TempDir, PathBuf, Arc<Model>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.cassette.jsonl");
    (folder, path, Arc::default())
}

fn names(folder: &tempfile::TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_was_recorded_is_replayed_byte_for_byte() {
    let (folder, path, model) = scene();
    let prompts = ["one", "two\nlines \u{1b}[1m", "drei: äöü 日本 %{script_location}(evil.py)", ""];
    let recording = open(&path, Mode::Record, &model);
    let fresh: Vec<ChatReply> = prompts.iter().map(|p| ask(&recording, "1.1", p).unwrap()).collect();
    assert_eq!(recording.finish().unwrap(), Played { recordings: 4, recorded: 4, unused: 0 });
    assert_eq!(names(&folder), ["plan.cassette.jsonl"]);

    let replaying = Cassette::open(&path, Mode::Replay).unwrap();
    for (prompt, fresh) in prompts.iter().zip(&fresh) {
        let replayed = ask(&replaying, "1.1", prompt).unwrap();
        assert!(replayed.replayed && !fresh.replayed);
        assert_eq!(replayed, ChatReply { tries: Vec::new(), millis: 0, replayed: true, ..fresh.clone() });
        assert_eq!(Used::of_reply(&replayed, Some(PRICE)).micros(), 0);
    }
    assert_eq!(model.calls(), 4);
    assert_eq!(names(&folder), ["plan.cassette.jsonl"], "replaying leaves nothing behind");
}

#[test]
fn recording_again_changes_nothing() {
    let (_folder, path, model) = scene();
    let run = |order: &[&str]| {
        let cassette = open(&path, Mode::Record, &model);
        for step in order {
            ask(&cassette, step, &format!("prompt of {}", step.len())).unwrap();
        }
        cassette.finish().unwrap();
        fs::read(&path).unwrap()
    };
    let first = run(&["1.20", "1.3", "1.10", "2"]);
    assert_eq!(model.calls(), 3, "the same prompt of two steps goes out once");
    assert_eq!(run(&["2", "1.10", "1.3", "1.20"]), first);
    assert_eq!(model.calls(), 3);
    let keys: Vec<&str> = std::str::from_utf8(&first).unwrap().lines().map(|l| &l[20..84]).collect();
    assert!(keys.is_sorted() && keys.len() == 3, "{keys:?}");
    assert!(
        String::from_utf8(first).unwrap().contains(r#""step":"1.10""#),
        "the first step, not the first in time"
    );
}

#[test]
fn the_same_calls_in_another_order_make_the_same_file() {
    let record = |order: &[usize]| {
        let (_folder, path, _) = scene();
        let cassette = open(&path, Mode::Auto, &Arc::new(Model::default()));
        for number in order {
            let request = ChatRequest::new("small", "the same");
            let cell = caller(&format!("1.{number}"), *number as u32 % 2);
            cassette.chat(&request, &cell).unwrap();
        }
        cassette.finish().unwrap();
        fs::read_to_string(&path).unwrap()
    };
    assert_eq!(record(&[1, 2, 3, 4]), record(&[4, 2, 3, 1]));
}

#[test]
fn each_call_of_a_cell_has_its_own_recording() {
    let (_folder, path, model) = scene();
    let recording = open(&path, Mode::Record, &model);
    let request = ChatRequest::new("small", "again");
    let nth = |cassette: &Cassette, occurrence| {
        let caller = Caller { occurrence, ..caller("1", 0) };
        cassette.chat(&request, &caller).map(|reply| reply.text)
    };
    let (first, second) = (nth(&recording, 0).unwrap(), nth(&recording, 1).unwrap());
    assert_ne!(first, second);
    recording.finish().unwrap();
    let replaying = Cassette::open(&path, Mode::Replay).unwrap();
    assert_eq!([nth(&replaying, 1).unwrap(), nth(&replaying, 0).unwrap()], [second, first]);
    let miss = nth(&replaying, 2).unwrap_err();
    assert!(miss.trace.unwrap().contains("-occurrence: "), "only the number differs");
}

#[test]
fn a_miss_shows_the_nearest_recording() {
    let (_folder, path, model) = scene();
    let recording = open(&path, Mode::Record, &model);
    ask(&recording, "1.2", "Sort this list:\npear\napple\nfig\n").unwrap();
    ask(&recording, "1.3", "Name a capital.").unwrap();
    recording.finish().unwrap();

    let replaying = Cassette::open(&path, Mode::Replay).unwrap();
    let request = ChatRequest {
        temperature: Some(0.7),
        ..ChatRequest::new("small", "Sort this list:\npear\nplum\nfig\n")
    };
    let miss = replaying.chat(&request, &caller("1.4[2]", 3)).unwrap_err();
    assert_eq!(miss.kind, FailureKind::CassetteMiss);
    assert_eq!(
        miss.message,
        format!("the cassette `{}` has no recording of the call of step 1.4[2], cell 4", path.display())
    );
    assert!(miss.help.unwrap().contains("`--cassette auto`"));
    assert_eq!(
        miss.trace.as_deref(),
        Some(
            "--- recorded: step 1.2, cell 1\n+++ asked:    step 1.4[2], cell 4\n-temperature: none\n\
             +temperature: 0.7\n@@ prompt @@\n Sort this list:\n pear\n-apple\n+plum\n fig\n"
        )
    );
    assert_eq!(replaying.played().unused, 2);
    assert_eq!(model.calls(), 2);
}

#[test]
fn auto_touches_the_file_only_to_record() {
    let (folder, path, model) = scene();
    let auto = open(&path, Mode::Auto, &model);
    assert_eq!(names(&folder), Vec::<String>::new());
    auto.finish().unwrap();
    assert_eq!(names(&folder), Vec::<String>::new(), "no call, no cassette");
    ask(&auto, "1", "one").unwrap();
    auto.finish().unwrap();
    let first = fs::read(&path).unwrap();

    // Two runs that only replay do not stand in each other's way, even beside one that records.
    let recording = open(&path, Mode::Record, &model);
    let others = [open(&path, Mode::Auto, &model), open(&path, Mode::Auto, &model)];
    for other in &others {
        assert!(ask(other, "1", "one").unwrap().replayed);
        let refused = ask(other, "1", "another").unwrap_err();
        assert!(refused.message.contains("another run is recording"), "{refused}");
    }
    assert_eq!(model.calls(), 1, "nothing is paid that cannot be kept");
    drop(recording);
    assert_eq!(fs::read(&path).unwrap(), first);

    // What one has recorded meanwhile, the other finds when it begins to record.
    ask(&others[0], "1", "another").unwrap();
    others[0].finish().unwrap();
    assert!(ask(&others[1], "1", "another").unwrap().replayed);
    ask(&others[1], "1", "third").unwrap();
    others[1].finish().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 3);
    assert_eq!(model.calls(), 3);
}

#[test]
fn two_runs_do_not_record_into_one_file() {
    let (folder, path, model) = scene();
    let first = open(&path, Mode::Record, &model);
    let refused = Cassette::open(&path, Mode::Record).unwrap_err();
    assert_eq!(refused, CassetteError::Locked { path: path.clone() });
    assert!(refused.help().contains("another cassette"));
    ask(&first, "1", "one").unwrap();
    first.finish().unwrap();
    let second = open(&path, Mode::Record, &model);
    assert!(ask(&second, "1", "one").unwrap().replayed);
    second.finish().unwrap();
    assert_eq!(names(&folder), ["plan.cassette.jsonl"]);
}

#[test]
fn a_run_that_does_not_end_loses_nothing() {
    let (folder, path, model) = scene();
    let crashed = open(&path, Mode::Record, &model);
    let one = ask(&crashed, "1", "one").unwrap();
    ask(&crashed, "1", "two").unwrap();
    drop(crashed);
    assert_eq!(names(&folder), ["plan.cassette.jsonl.part"]);
    // The process was killed in the middle of a line.
    let part = folder.path().join("plan.cassette.jsonl.part");
    let whole = fs::read(&part).unwrap();
    for cut in [whole.len(), whole.len() - 1, whole.len() - 40] {
        fs::write(&part, &whole[..cut]).unwrap();
        let replaying = Cassette::open(&path, Mode::Replay).unwrap();
        assert_eq!(ask(&replaying, "1", "one").unwrap().text, one.text);
        assert_eq!(ask(&replaying, "1", "two").is_ok(), cut == whole.len());
    }
    // Going on replaces the half line, and puts all of it in its place.
    let again = open(&path, Mode::Auto, &model);
    assert!(ask(&again, "1", "one").unwrap().replayed);
    assert!(!ask(&again, "1", "two").unwrap().replayed);
    again.finish().unwrap();
    assert_eq!(names(&folder), ["plan.cassette.jsonl"]);
    assert_eq!(Cassette::open(&path, Mode::Replay).unwrap().played().unused, 2);

    let part_only = open(&path, Mode::Record, &model);
    ask(&part_only, "1", "three").unwrap();
    drop(part_only);
    let merged = open(&path, Mode::Record, &model);
    merged.finish().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 3, "also when no call was made");
}

/// The child of the next test; by itself it does nothing.
#[test]
fn records_until_it_is_killed() {
    let Some(path) = env::var_os("NORMC_TEST_CASSETTE") else { return };
    let cassette = open(Path::new(&path), Mode::Record, &Arc::default());
    // Nobody kills it when its parent was killed first.
    let end = Instant::now() + Duration::from_secs(120);
    for number in (0..).take_while(|_| Instant::now() < end) {
        ask(&cassette, "1", &format!("prompt {number} {}", "x".repeat(number % 977))).unwrap();
    }
}

#[test]
fn a_killed_process_leaves_whole_recordings() {
    let (folder, path, _) = scene();
    let part = folder.path().join("plan.cassette.jsonl.part");
    let mut least = 0;
    for round in 0..3 {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "cassette::records_until_it_is_killed", "--nocapture"])
            .env("NORMC_TEST_CASSETTE", &path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let size = || fs::metadata(&part).map_or(0, |info| info.len());
        let (before, began) = (size(), Instant::now());
        while size() <= before + 2000 && began.elapsed() < Duration::from_secs(60) {
            thread::sleep(Duration::from_millis(5));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let found = Cassette::open(&path, Mode::Replay).unwrap();
        let recordings = found.played().recordings;
        assert!(recordings > least, "round {round}: {recordings} after {least}");
        for number in 0..recordings {
            let reply = ask(&found, "1", &format!("prompt {number} {}", "x".repeat(number % 977))).unwrap();
            assert!(reply.text.contains(&format!("prompt {number} ")));
        }
        least = recordings;
    }
    let last = Cassette::open(&path, Mode::Record).expect("the lock ends with the process");
    assert_eq!(last.finish().unwrap().recordings, least);
}

#[test]
fn failures_and_panics_are_not_recorded_and_hold_up_nobody() {
    let (_folder, path, model) = scene();
    let cassette = open(&path, Mode::Record, &model);
    model.broken.store(true, Ordering::SeqCst);
    assert_eq!(ask(&cassette, "1", "one").unwrap_err().kind, FailureKind::ModelUnreachable);
    model.broken.store(false, Ordering::SeqCst);
    thread::scope(|scope| {
        let panicking = scope.spawn(|| ask(&cassette, "1", "panic"));
        assert!(panicking.join().is_err());
    });
    assert!(!ask(&cassette, "1", "one").unwrap().replayed);
    assert_eq!(cassette.finish().unwrap().recordings, 1);
}

#[test]
fn many_at_once_and_the_same_goes_out_once() {
    let (_folder, path, _) = scene();
    let model = Arc::new(Model { pause: Duration::from_millis(100), ..Model::default() });
    let cassette = open(&path, Mode::Record, &model);
    let began = Instant::now();
    thread::scope(|scope| {
        for number in 0..200 {
            let cassette = &cassette;
            scope.spawn(move || {
                let prompt = format!("prompt {}", number % 50);
                let reply = ask(cassette, &format!("1.{number}"), &prompt).unwrap();
                assert!(reply.text.ends_with(&prompt));
            });
        }
    });
    assert_eq!(model.calls(), 50);
    // One after the other they would take 5 s.
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!(cassette.finish().unwrap(), Played { recordings: 50, recorded: 50, unused: 0 });
    let replaying = Cassette::open(&path, Mode::Replay).unwrap();
    for number in 0..50 {
        ask(&replaying, "1", &format!("prompt {number}")).unwrap();
    }
    assert_eq!(replaying.played().unused, 0);
}

#[test]
fn who_waits_for_the_same_call_waits_no_longer_than_it_may() {
    let (_folder, path, _) = scene();
    let model = Arc::new(Model { pause: Duration::from_millis(300), ..Model::default() });
    let cassette = open(&path, Mode::Record, &model);
    thread::scope(|scope| {
        let slow = scope.spawn(|| ask(&cassette, "1", "same"));
        while model.calls() == 0 {
            thread::sleep(Duration::from_millis(1));
        }
        let deadline = Some(Instant::now() + Duration::from_millis(20));
        let caller = Caller { deadline, ..caller("2", 0) };
        let late = cassette.chat(&ChatRequest::new("small", "same"), &caller).unwrap_err();
        assert_eq!(late.kind, FailureKind::ModelUnreachable);
        assert!(slow.join().unwrap().is_ok());
    });
}

#[test]
fn a_damaged_cassette_names_the_line() {
    let (folder, path, model) = scene();
    let cassette = open(&path, Mode::Record, &model);
    for prompt in ["one", "two", "three"] {
        ask(&cassette, "1", prompt).unwrap();
    }
    cassette.finish().unwrap();
    let good = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = good.lines().collect();
    let refused = |text: &[u8]| {
        fs::write(&path, text).unwrap();
        let error = Cassette::open(&path, Mode::Replay).unwrap_err();
        for mode in [Mode::Auto, Mode::Record] {
            assert_eq!(Cassette::open(&path, mode).unwrap_err(), error);
        }
        assert_eq!(names(&folder), ["plan.cassette.jsonl"], "what cannot be read is not touched");
        assert!(!error.help().is_empty());
        error.to_string().replace(&folder.path().display().to_string(), "F")
    };
    let name = "F/plan.cassette.jsonl";
    let cut = &good[..good.len() - 10];
    assert!(refused(cut.as_bytes()).starts_with(&format!("{name}:3 is no recording: no JSON, EOF")));
    let merge = format!("{}\n<<<<<<< HEAD\n{}\n", lines[0], lines[1]);
    assert_eq!(refused(merge.as_bytes()), format!("{name}:2 is no recording: a merge left its mark"));
    let newer = good.replace("{\"cassette\":1,", "{\"cassette\":2,");
    assert_eq!(
        refused(newer.as_bytes()),
        format!("{name}:1 has the version 2, newer than what this normc reads")
    );
    let other = format!("{good}{}\n", lines[0].replace("reply ", "no reply "));
    assert!(
        refused(other.as_bytes())
            .contains(":4 is no recording: line 1 records the same call with another reply")
    );
    let edited = good.replace("\"prompt\":\"two\"", "\"prompt\":\"too\"");
    assert!(refused(edited.as_bytes()).contains("its key is not that of its request"));
    assert!(refused(b"\xff\xfe\n").contains(":1 is no recording: it is no UTF-8 text"));
    assert!(refused("[".repeat(1 << 20).as_bytes()).contains("recursion limit"));

    // What does no harm: blank lines, another order, Windows line ends, a missing last one.
    let odd = format!("\u{feff}\r\n{}\r\n\r\n{}\r\n{}", lines[2], lines[0], lines[1]);
    fs::write(&path, odd).unwrap();
    let cassette = open(&path, Mode::Record, &model);
    assert!(ask(&cassette, "0", "two").unwrap().replayed);
    cassette.finish().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 3);
}

#[test]
fn files_that_are_no_cassette_are_refused() {
    let (folder, path, model) = scene();
    assert_eq!(
        Cassette::open(&path, Mode::Replay).unwrap_err(),
        CassetteError::Missing { path: path.clone() }
    );
    for mode in [Mode::Record, Mode::Replay, Mode::Auto] {
        assert!(Cassette::open(folder.path(), mode).is_err());
    }
    assert!(matches!(
        Cassette::open(Path::new("/dev/null"), Mode::Replay),
        Err(CassetteError::Unfit { what: "is no file", .. })
    ));
    assert!(Cassette::open(Path::new("/proc/none/x"), Mode::Record).is_err());
    // Folders are made, links stay links, and a link in place of the part leads nowhere.
    let deep = folder.path().join("a/b/c.jsonl");
    let cassette = open(&deep, Mode::Record, &model);
    ask(&cassette, "1", "one").unwrap();
    cassette.finish().unwrap();
    symlink("a/b/c.jsonl", &path).unwrap();
    let linked = open(&path, Mode::Record, &model);
    ask(&linked, "1", "two").unwrap();
    linked.finish().unwrap();
    assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&deep).unwrap().lines().count(), 2);
    let part = folder.path().join("plan.cassette.jsonl.part");
    symlink("elsewhere", &part).unwrap();
    assert!(Cassette::open(&path, Mode::Record).is_err());
    assert!(!folder.path().join("elsewhere").exists());
}

#[test]
fn other_settings_of_a_model_are_another_call() {
    let (_folder, path, model) = scene();
    let with = |mode: Mode, temperature: f64| {
        let resolve = move |request: &ChatRequest| {
            let request = ChatRequest { temperature: Some(temperature), ..request.clone() };
            Ok(Resolved { provider: "openai".into(), request })
        };
        open(&path, mode, &model).resolving(Arc::new(resolve))
    };
    let recording = with(Mode::Record, 0.0);
    ask(&recording, "1", "one").unwrap();
    recording.finish().unwrap();
    assert!(ask(&with(Mode::Replay, 0.0), "1", "one").is_ok());
    let miss = ask(&with(Mode::Replay, 1.0), "1", "one").unwrap_err();
    let shown = miss.trace.unwrap();
    assert!(shown.ends_with("-temperature: 0\n+temperature: 1\n"), "{shown}");
    assert!(fs::read_to_string(&path).unwrap().contains(r#""provider":"openai""#));
}

#[test]
fn no_secret_comes_into_a_cassette_or_out_of_it() {
    let (folder, path, model) = scene();
    let key = "sk-canary-0123456789";
    let redactor = Arc::new(Redactor::new([Secret::new(key, &"a test").ok().unwrap()]).unwrap());
    let recording = open(&path, Mode::Record, &model).without_secrets(Arc::clone(&redactor));
    let request = ChatRequest {
        system: Some(format!("the key is {key}").into()),
        format: ReplyFormat::Json,
        ..ChatRequest::new("small", format!("say {key} and %73k-canary-0123456789"))
    };
    let fresh = recording.chat(&request, &caller("1", 0)).unwrap();
    assert_eq!(&*fresh.text, "reply 0 to say [redacted] and [redacted]");
    let part = fs::read_to_string(folder.path().join("plan.cassette.jsonl.part")).unwrap();
    recording.finish().unwrap();
    let file = fs::read_to_string(&path).unwrap();
    assert!(!part.contains("canary") && !file.contains("canary"), "{file}");
    let replaying = open(&path, Mode::Replay, &model).without_secrets(redactor);
    assert_eq!(replaying.chat(&request, &caller("1", 0)).unwrap().text, fresh.text);
    let miss = ask(&replaying, "1", &format!("say {key} twice")).unwrap_err();
    assert!(!format!("{miss:?}").contains("canary"));
}

/// So many millionths may be paid.
fn paid(micros: u64) -> Limits {
    Limits { max_cost: Some(Money::from_micros(micros)), ..Limits::default() }
}

#[test]
fn a_budget_stops_before_the_call_and_replays_cost_nothing() {
    let (_folder, path, _) = scene();
    // A call may cost 10 + 2 * 10 millionths and does cost 10 + 2 * 5.
    let budget = Budget::new(paid(75), Used::default());
    let model = Arc::new(Model { budget: Some(budget), ..Model::default() });
    let recording = open(&path, Mode::Record, &model);
    let mut spent = Used::default();
    for prompt in ["one", "two", "three"] {
        spent += Used::of_reply(&ask(&recording, "1", prompt).unwrap(), Some(PRICE));
    }
    let refused = ask(&recording, "1", "four").unwrap_err();
    assert_eq!(refused.kind, FailureKind::BudgetSpent);
    assert_eq!(
        refused.message,
        "the budget of 0.000075 is spent: 0.00006 used, the next call may need 0.00003"
    );
    assert_eq!(model.calls(), 3, "it was not made");
    for prompt in ["one", "two", "three"] {
        spent += Used::of_reply(&ask(&recording, "1", prompt).unwrap(), Some(PRICE));
    }
    assert_eq!(recording.finish().unwrap().recordings, 3);
    let kept = model.budget.as_ref().unwrap().spent();
    assert_eq!((kept.cost, kept.tokens(), kept.tries), (spent.cost, spent.tokens(), spent.tries));
    assert_eq!((spent.calls, spent.replayed, spent.tokens(), spent.micros()), (6, 3, 45, 60));

    // Going on with a higher limit counts what was spent before.
    let raised = Budget::new(paid(90), kept);
    let estimate = Estimate { prompt_tokens: 10, completion_limit: Some(10), price: Some(PRICE) };
    let request = ChatRequest::new("small", "four");
    assert!(raised.admit(&request, &estimate).is_ok());
    assert!(raised.admit(&request, &estimate).is_err());
}

/// A cassette of a tiny plan, as it is kept beside plans; its bytes are what this version would write.
#[test]
fn the_cassette_of_a_tiny_plan_is_replayed() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cassettes/greeting.jsonl");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("greeting.jsonl");
    fs::copy(&kept, &path).unwrap();
    let resolve = |request: &ChatRequest| {
        let request = ChatRequest { temperature: Some(0.0), ..request.clone() };
        Ok(Resolved { provider: "openai".into(), request })
    };
    let cassette = Cassette::open(&path, Mode::Record).unwrap().resolving(Arc::new(resolve));
    let greeting = ask(&cassette, "1.1", "Write a greeting for Ada in at most five words.").unwrap();
    assert_eq!(&*greeting.text, "Good morning, Ada, and welcome!");
    let request = ChatRequest {
        format: ReplyFormat::Json,
        ..ChatRequest::new(
            "small",
            "Is this polite? Answer as {\"answer\": true or false}.\n\nGood morning, Ada, and welcome!",
        )
    };
    let polite = cassette.chat(&request, &caller("1.2", 0)).unwrap();
    assert_eq!(&*polite.text, "{\"answer\": true}");
    assert_eq!(cassette.finish().unwrap(), Played { recordings: 2, recorded: 0, unused: 0 });
    assert_eq!(fs::read(&path).unwrap(), fs::read(&kept).unwrap());
}
