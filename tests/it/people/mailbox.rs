//! A folder as a front end: half-written answers, refused ones, links, other runs, and answers that come at the same time.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crossbeam_channel::Receiver;
use normc::base::{Question, QuestionKind as Kind};
use normc::faculty::human::{Desk, Given, Letterbox, Mailbox, MailboxError, Note, Posted, Reception};

use super::*;
use crate::support::until;

/// A mailbox of a run, and what comes out of it.
struct Box_ {
    folder: TempDir,
    desk: Option<Mailbox>,
    answers: Receiver<Given>,
    said: Arc<Mutex<Vec<String>>>,
}

fn open(folder: TempDir, run: &str) -> Result<Box_, MailboxError> {
    let (given, answers) = crossbeam_channel::unbounded();
    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&said);
    let note: Note = Arc::new(move |text: &str| heard.lock().unwrap().push(text.to_owned()));
    let desk = Mailbox::open(&folder.path().join("box"), run, folder.path(), given, note)?;
    Ok(Box_ { folder, desk: Some(desk), answers, said })
}

impl Box_ {
    fn new() -> Self {
        open(tempfile::tempdir().unwrap(), "run").unwrap()
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join("box").join(file)
    }

    fn ask(&mut self, id: &str, kind: Kind) {
        assert!(!self.desk.as_mut().unwrap().open(&Arc::new(question(id, kind))));
    }

    /// Puts an answer as it should be put: by renaming.
    fn put(&self, name: &str, content: &str) {
        let draft = self.path("answers/draft");
        fs::write(&draft, content).unwrap();
        fs::rename(draft, self.path(&format!("answers/{name}.json"))).unwrap();
    }

    fn waits(&self) -> bool {
        self.desk.as_ref().unwrap().waits()
    }

    /// Takes an answer, and withdraws its question as a run does.
    fn answer(&mut self) -> (String, Json) {
        let (id, value) = self.answers.recv_timeout(Duration::from_secs(60)).unwrap();
        self.desk.as_mut().unwrap().withdraw(&id);
        (id.to_string(), value.to_json())
    }

    fn until_there(&self, file: &str) {
        until(file, || self.path(file).exists());
    }

    fn until_gone(&self, file: &str) {
        until(file, || !self.path(file).exists());
    }

    fn read(&self, file: &str) -> Json {
        serde_json::from_str(&fs::read_to_string(self.path(file)).unwrap()).unwrap()
    }
}

fn question(id: &str, kind: Kind) -> Posted {
    Posted {
        id: Arc::from(id),
        step: Arc::from(id.split('#').next().unwrap()),
        concept: Arc::from("{answer}"),
        cell: vec![("row".to_owned(), 1)],
        asked_at: 1,
        deadline: None,
        asked: Question::of(kind, "Well?"),
    }
}

#[test]
fn requests_appear_and_answers_are_taken() {
    let mut mailbox = Box_::new();
    for (id, kind) in [("1.2[3]#2", Kind::Text), ("1.3", Kind::Confirm), ("1.4", Kind::Text)] {
        mailbox.ask(id, kind);
    }
    mailbox.ask("1.5", Kind::Say);
    mailbox.until_there("requests/1.2_3-2.json");
    mailbox.until_there("messages/000001-1.5.json");
    let request = mailbox.read("requests/1.2_3-2.json");
    assert_eq!(request["id"], "1.2[3]#2");
    assert_eq!(request["answer"], "answers/1.2_3-2.json");
    assert_eq!((&request["run"], &request["cell"]["row"]), (&Json::from("run"), &Json::from(1)));
    assert!(mailbox.waits());
    let mode = |file: &str| fs::metadata(mailbox.path(file)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(""), mode("requests"), mode("requests/1.3.json")), (0o700, 0o700, 0o600));

    mailbox.put("1.3", r#"{"text": "yes"}"#);
    assert_eq!(mailbox.answer(), ("1.3".to_owned(), Json::Bool(true)));
    mailbox.put("1.2_3-2", r#"{"value": "$input_1"}"#);
    assert_eq!(mailbox.answer(), ("1.2[3]#2".to_owned(), Json::from("$input_1")));
    mailbox.until_gone("requests/1.2_3-2.json");
    mailbox.until_gone("requests/1.3.json");
    assert!(!mailbox.path("answers/1.3.json").exists() && mailbox.path("taken/1.3.json").exists());
    assert!(mailbox.waits(), "1.4 is open");
    mailbox.desk.as_mut().unwrap().withdraw("1.4");
    assert!(!mailbox.waits());
    mailbox.until_gone("requests/1.4.json");
    // What nobody asked is left alone.
    mailbox.put("1.4", r#"{"text": "late"}"#);
    mailbox.ask("1.6", Kind::Text);
    mailbox.put("1.6", r#"{"text": "six"}"#);
    assert_eq!(mailbox.answer().0, "1.6");
    assert!(mailbox.path("answers/1.4.json").exists());
    mailbox.ask("1.7", Kind::Text);
    mailbox.until_there("requests/1.7.json");
    mailbox.desk = None;
    assert!(!mailbox.path("requests/1.7.json").exists(), "requests vanish with the run");
    assert!(mailbox.said.lock().unwrap().is_empty(), "{:?}", mailbox.said);
}

#[test]
fn what_is_half_written_is_waited_for_and_complained_of() {
    let mut mailbox = Box_::new();
    mailbox.ask("1", Kind::Text);
    mailbox.ask("2", Kind::Text);
    mailbox.until_there("requests/2.json");
    let file = mailbox.path("answers/1.json");
    fs::write(&file, r#"{"value": "a lon"#).unwrap();
    thread::sleep(Duration::from_millis(400));
    assert!(mailbox.answers.is_empty() && file.exists());
    mailbox.until_there("answers/1.error.txt");
    let complaint = fs::read_to_string(mailbox.path("answers/1.error.txt")).unwrap();
    assert!(complaint.contains("It is not JSON") && complaint.contains("answers/1.json"), "{complaint}");
    fs::write(&file, r#"{"value": "a long answer"}"#).unwrap();
    assert_eq!(mailbox.answer().1, Json::from("a long answer"));
    mailbox.until_gone("answers/1.error.txt");
    // Not everything that stands there is a file of the user.
    let far = mailbox.folder.path().join("far.json");
    fs::write(&far, r#"{"value": "far"}"#).unwrap();
    symlink(&far, mailbox.path("answers/2.json")).unwrap();
    mailbox.until_there("answers/2.error.txt");
    assert!(fs::read_to_string(mailbox.path("answers/2.error.txt")).unwrap().contains("link"));
    assert!(mailbox.answers.is_empty() && mailbox.waits());
    mailbox.put("2", r#"{"value": "near"}"#);
    assert_eq!(mailbox.answer().1, Json::from("near"));
    assert!(far.exists());
}

#[test]
fn refused_answers_have_their_reason_beside_them() {
    let mut mailbox = Box_::new();
    mailbox.ask("1", Kind::Choose(vec![Arc::from("red"), Arc::from("blue")]));
    for (content, part) in [
        (r#"{"value": "green"}"#, "none of the options"),
        (r#"{"value": "red", "default": true}"#, "no field `default`"),
        (r#"{"text": 1}"#, "must be a text"),
        ("\"red\"", "is a JSON object"),
    ] {
        mailbox.put("1", content);
        let reason = || {
            let text = fs::read_to_string(mailbox.path("answers/1.refused.json")).ok()?;
            let refusal: Json = serde_json::from_str(&text).unwrap();
            Some((refusal["reason"].as_str()?.to_owned(), refusal["given"].clone()))
        };
        until(part, || reason().is_some_and(|(reason, _)| reason.contains(part)));
        assert_eq!(reason().unwrap().1, serde_json::from_str::<Json>(content).unwrap());
        assert!(!mailbox.path("answers/1.json").exists() && mailbox.waits() && mailbox.answers.is_empty());
    }
    mailbox.put("1", r#"{"value": 2}"#);
    assert_eq!(mailbox.answer().1, Json::from("blue"));
    mailbox.until_gone("answers/1.refused.json");
}

#[test]
fn a_mailbox_belongs_to_one_run_of_one_user() {
    let mut mailbox = Box_::new();
    let path = mailbox.folder.path().join("box");
    let (given, _answers) = crossbeam_channel::unbounded();
    let silent: Note = Arc::new(|_: &str| {});
    let open_at = |path: &Path, run: &str| {
        Mailbox::open(path, run, path, given.clone(), Arc::clone(&silent))
            .map(drop)
            .map_err(|e| e.to_string())
    };
    assert!(open_at(&path, "other").unwrap_err().contains("run run uses the mailbox"));
    let letterbox = |run: &str| Letterbox::open(&path, run, &path);
    assert!(matches!(letterbox("other").err(), Some(MailboxError::Unused { .. })));
    mailbox.ask("1.2", Kind::Confirm);
    mailbox.until_there("requests/1.2.json");
    let client = letterbox("run").unwrap();
    let asked = client.open_questions().unwrap();
    assert_eq!(asked, [question("1.2", Kind::Confirm)]);
    assert!(matches!(client.put(&asked[0], &Json::from("so")), Err(MailboxError::Refused(_))));
    client.put(&asked[0], &Json::from("no")).unwrap();
    assert_eq!(mailbox.answer().1, Json::Bool(false));

    // What the run left behind counts for it alone.
    mailbox.put("1.3", r#"{"text": "early"}"#);
    let Box_ { folder, desk, .. } = mailbox;
    drop(desk);
    assert!(matches!(letterbox("run").err(), Some(MailboxError::Unused { .. })));
    let mut again = open(folder, "run").unwrap();
    again.ask("1.3", Kind::Text);
    assert_eq!(again.answer().1, Json::from("early"));
    again.put("1.4", r#"{"text": "stale"}"#);
    let Box_ { folder, desk, .. } = again;
    drop(desk);
    let mut other = open(folder, "other").unwrap();
    assert!(other.path("late/1.4.json").exists() && !other.path("answers/1.4.json").exists());
    assert_eq!(other.said.lock().unwrap().len(), 1);
    other.ask("1.4", Kind::Text);
    other.until_there("requests/1.4.json");
    other.put("1.4", r#"{"text": "fresh"}"#);
    assert_eq!(other.answer().1, Json::from("fresh"));

    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("open")).unwrap();
    fs::set_permissions(at("open"), fs::Permissions::from_mode(0o777)).unwrap();
    assert!(open_at(&at("open"), "r").unwrap_err().contains("chmod go-w"));
    fs::create_dir(at("real")).unwrap();
    symlink(at("real"), at("link")).unwrap();
    assert!(open_at(&at("link"), "r").unwrap_err().contains("is a link"));
    fs::write(at("file"), "").unwrap();
    assert!(open_at(&at("file"), "r").is_err());
}

/// A process was killed between taking an answer and writing it down: the next one of the run finds it again, a question
/// that is asked anew does not, and another run's question neither.
#[test]
fn a_taken_answer_counts_until_it_is_written_down() {
    let now = || {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        u64::try_from(since.as_millis()).unwrap()
    };
    let post = |mailbox: &mut Box_, asked_at: u64| {
        let question = Posted { asked_at, ..question("1.2", Kind::Text) };
        assert!(!mailbox.desk.as_mut().unwrap().open(&Arc::new(question)));
    };
    let asked_at = now();
    let mut mailbox = Box_::new();
    post(&mut mailbox, asked_at);
    mailbox.put("1.2", r#"{"text": "Ada"}"#);
    assert_eq!(mailbox.answer().1, Json::from("Ada"));
    for (run, is_anew, found) in [("run", false, true), ("run", true, false), ("other", false, false)] {
        let Box_ { folder, desk, .. } = mailbox;
        drop(desk);
        mailbox = open(folder, run).unwrap();
        post(&mut mailbox, if is_anew { now() } else { asked_at });
        mailbox.until_there("requests/1.2.json");
        if found {
            assert_eq!(mailbox.answer().1, Json::from("Ada"));
            continue;
        }
        assert!(!mailbox.path("answers/1.2.json").exists(), "{run}, asked anew: {is_anew}");
        mailbox.put("1.2", r#"{"text": "Grace"}"#);
        assert_eq!(mailbox.answer().1, Json::from("Grace"));
    }
    assert!(mailbox.path("earlier/1.2.json").exists());
}

/// However fast answers follow each other, none is given twice, and each one that is given was one of them.
#[test]
fn no_answer_file_is_taken_twice() {
    let mut mailbox = Box_::new();
    let over = Arc::new(AtomicBool::new(false));
    let (folder, stop) = (mailbox.path("answers"), Arc::clone(&over));
    fs::create_dir_all(&folder).unwrap();
    let writer = thread::spawn(move || {
        let mut number = 0_u64;
        while !stop.load(Ordering::Acquire) {
            number += 1;
            let draft = folder.join("draft");
            fs::write(&draft, format!("{{\"text\": \"{number}\"}}")).unwrap();
            fs::rename(&draft, folder.join(if number.is_multiple_of(2) { "1.json" } else { "2.json" }))
                .unwrap();
            thread::sleep(Duration::from_micros(number % 7 * 100));
        }
        number
    });
    let mut taken: Vec<u64> = Vec::new();
    for _ in 0..12 {
        mailbox.ask("1", Kind::Text);
        mailbox.ask("2", Kind::Text);
        for _ in 0..2 {
            taken.push(mailbox.answer().1.as_str().unwrap().parse().unwrap());
        }
        thread::sleep(Duration::from_millis(150));
        assert!(mailbox.answers.is_empty(), "a question is answered once");
    }
    over.store(true, Ordering::Release);
    let written = writer.join().unwrap();
    let distinct: std::collections::BTreeSet<u64> = taken.iter().copied().collect();
    assert_eq!(distinct.len(), taken.len(), "{taken:?}");
    assert!(taken.iter().all(|number| (1..=written).contains(number)));
}

/// A program that runs: its mailbox takes answers by `normc answer`, and what was answered while nobody worked on it.
#[test]
fn a_run_asks_through_its_mailbox_and_survives_a_kill() {
    let folder = folder(PLAN);
    let folder = folder.path();
    let requests = |count: usize| {
        let at = folder.join("box/requests");
        until("requests", || fs::read_dir(&at).is_ok_and(|d| d.filter(|e| e.is_ok()).count() == count));
    };
    let mut first = normc(folder, "exec plan.nc --run-id r -q --mailbox box").spawn().unwrap();
    requests(5);
    let listed = run(folder, "answer r --format json");
    assert_eq!(ids(&json(&listed)), ["1.2", "1.3", "1.4", "1.5.1.2[1]", "1.5.1.2[2]"]);
    assert_eq!(run(folder, "answer r 1.3 perhaps").status.code(), Some(65));
    let (code, _, said) = told(&run(folder, "answer r 1.3 y"));
    assert_eq!((code, said.as_str()), (Some(0), "1.3 is answered; 4 questions are still open\n"));
    requests(4);
    first.kill().unwrap();
    first.wait().unwrap();
    requests(4);
    // Nobody is at work now: what is answered in the folder waits for the run to go on.
    fs::write(folder.join("box/answers/1.2.json"), r#"{"text": "Ada"}"#).unwrap();
    assert_eq!(run(folder, "answer r 1.4 red").status.code(), Some(0));

    let second = normc(folder, "exec --resume r --json --mailbox box").spawn().unwrap();
    requests(2);
    for (id, mark) in [("1.5.1.2[2]", "y"), ("1.5.1.2[1]", "x")] {
        until(id, || run(folder, &format!("answer r {id} {mark}")).status.success());
    }
    let output = second.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let all = json(&output);
    for part in ["(Ada)", "true", "(red)", "(x)", "(y)"] {
        assert!(goal(&all).contains(part), "{part} is not in {}", goal(&all));
    }
    requests(0);
    let (code, _, said) = told(&run(folder, "exec plan.nc -q --mailbox plan.nc"));
    assert_eq!(code, Some(74), "{said}");
}

#[test]
fn what_is_answered_elsewhere_vanishes_here() {
    let mailbox = Box_::new();
    let Box_ { folder, desk, answers, .. } = mailbox;
    let mut reception = Reception::new(vec![Box::new(desk.unwrap())], answers);
    reception.open(question("1", Kind::Text));
    let request = folder.path().join("box/requests/1.json");
    until("the request", || request.exists());
    assert!(reception.waits());
    reception.withdraw("1");
    until("the withdrawal", || !request.exists());
    assert!(!reception.waits());
}
