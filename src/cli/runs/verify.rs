//! `normc runs verify` and `normc runs repair`: is what a run kept whole, and how to save what is. Verifying writes
//! nothing.

mod journal;

use std::collections::BTreeSet;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use serde_json::{Value as Json, json};

use crate::base::Digest;
use crate::engine::{Past, RunError};
use crate::report::plain_line;
use crate::report::say;
use crate::run::record::{Decoder, Epoch, Fetch, Kind, Record, RecordError, Setting};
use crate::run::replay::Survey;
use crate::store::{EntryKind, RunDir, Store, StoreError, salvage};

use super::super::Exit;
use super::super::output::{Form, count, print};
use super::super::stores::{StoreArgument, find, find_id, report_error};

/// Check everything a run kept: every record, every value, its plan
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  normc runs verify last\n  normc runs verify --all\n\nEvery record is checked by its \
                        checksum and its place in the chain, every value and plan by its hash; then the run is put \
                        together from them. Exit code 65 when something is damaged."
)]
pub(super) struct Arguments {
    /// The run: an id, the beginning of one, a name, or `last`
    #[arg(required_unless_present = "all")]
    run: Option<String>,
    /// All runs of the store
    #[arg(long, conflicts_with = "run")]
    all: bool,
}

/// Copy everything before the damage to a new place
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  normc runs repair 01K2 --to saved/runs/01K2\n  normc exec --resume 01K2 --store \
                        saved\n\nThe run itself is not changed."
)]
pub(super) struct RepairArguments {
    /// The run: an id, the beginning of one, a name, or `last`
    run: String,
    /// The directory of the copy; it must not exist. In `DIR/runs/ID` the copy is a run of the store `DIR`
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

/// Something that is not as it was written.
#[derive(Debug)]
pub(super) struct Problem {
    /// The file, below the run's directory.
    pub(super) file: String,
    pub(super) offset: Option<u64>,
    /// What is wrong.
    pub(super) what: String,
    /// What it means and what to do.
    pub(super) means: String,
}

/// What the verification of a run found.
#[derive(Debug, Default)]
struct Verified {
    id: String,
    path: PathBuf,
    frames: u64,
    objects: BTreeSet<Digest>,
    problems: Vec<Problem>,
    /// What is no damage, but worth knowing.
    notes: Vec<String>,
}

pub(super) fn run(arguments: &Arguments, store: &StoreArgument, form: Form) -> Result<Exit, Exit> {
    let store = store.open();
    let failed = |error: StoreError| report_error(&error.into());
    let ids = match &arguments.run {
        Some(wanted) => vec![find_id(&store, wanted).map_err(failed)?],
        None => store.ids().map_err(failed)?,
    };
    let (mut all, mut worst) = (Vec::new(), Exit::Done);
    for id in ids {
        let verified = verify(&store, &id);
        if !verified.problems.is_empty() {
            worst = Exit::BadData;
        }
        match form {
            Form::Human => print(&verified.text())?,
            Form::Json => all.push(verified.to_json()),
        }
    }
    match form {
        Form::Json if arguments.all => print(&format!("{}\n", Json::Array(all)))?,
        Form::Json => print(&all.iter().map(|one| format!("{one}\n")).collect::<String>())?,
        Form::Human => {}
    }
    Ok(worst)
}

pub(super) fn repair(arguments: &RepairArguments, store: &StoreArgument) -> Result<Exit, Exit> {
    let run = find(&store.open(), &arguments.run).map_err(|error| report_error(&error.into()))?;
    // The store makes the directory itself, but not those above it.
    if let Some(parent) = arguments.to.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(parent);
        made.map_err(|error| report_error(&StoreError::io("make", parent, error).into()))?;
    }
    let saved = salvage(&run, &arguments.to).map_err(|error| report_error(&error.into()))?;
    let to = arguments.to.display();
    let objects = count(usize::try_from(saved.objects).unwrap_or(usize::MAX), "object");
    print(&format!("copied {} records and {objects} of run {} to {to}\n", saved.tail.seq, run.id()))?;
    for left_out in &saved.left_out {
        say!("left out, for its contents are not what they were: {}", plain_line(left_out));
    }
    if let Some(damage) = &saved.damage {
        say!("the copy ends before the damage: {}", plain_line(&damage.to_string()));
    }
    let parent = arguments.to.parent().filter(|runs| runs.file_name().is_some_and(|name| name == "runs"));
    if let Some(root) = parent.and_then(|runs| runs.parent()) {
        let id = arguments.to.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        say!("go on with: normc exec --resume {id} --store {}", root.display());
    } else {
        say!("to go on from there, copy it into a store: --to NEWSTORE/runs/{}", run.id());
    }
    Ok(Exit::Done)
}

fn verify(store: &Store, id: &str) -> Verified {
    let mut verified =
        Verified { id: id.to_owned(), path: store.root().join("runs").join(id), ..Verified::default() };
    match store.open(id) {
        Ok(run) => verified.run(run),
        Err(error) => verified.store_problem("", &error),
    }
    verified
}

/// Reads objects, and remembers which and what was wrong with them.
struct Objects<'a> {
    run: &'a RunDir,
    seen: &'a mut BTreeSet<Digest>,
    problems: &'a mut Vec<Problem>,
    bad: BTreeSet<Digest>,
}

impl Fetch for Objects<'_> {
    fn fetch(&mut self, digest: &Digest) -> Result<Vec<u8>, String> {
        self.seen.insert(*digest);
        self.run.get_object(digest).map_err(|error| {
            let text = error.to_string();
            if self.bad.insert(*digest) {
                self.problems.push(Problem {
                    file: object_name(digest),
                    offset: None,
                    what: text.clone(),
                    means: "the steps that gave or read this value cannot be shown or relied on; a copy of the file \
                            from a backup would do, for its name is its hash"
                        .to_owned(),
                });
            }
            text
        })
    }
}

fn object_name(digest: &Digest) -> String {
    let name = digest.to_string();
    format!("objects/{}/{name}", name.get(..2).unwrap_or_default())
}

impl Verified {
    fn store_problem(&mut self, file: &str, error: &StoreError) {
        let (file, offset) = match error {
            StoreError::Damaged(damage) => {
                let file = damage.file.strip_prefix(&self.path).unwrap_or(&damage.file);
                (file.display().to_string(), Some(damage.offset).filter(|offset| *offset > 0))
            }
            _ => (file.to_owned(), None),
        };
        let means = error.help().unwrap_or_default();
        self.problems.push(Problem { file, offset, what: error.to_string(), means });
    }

    fn run(&mut self, run: RunDir) {
        let alive = run.holder();
        let (survey, sound) = self.frames(&run);
        self.stray(&run);
        for epoch in survey.epochs() {
            self.documents(&run, epoch);
        }
        let begun = survey.info.is_some();
        if self.problems.is_empty() && begun {
            // Only records that are whole can be put together.
            if let Err(error) = (Past { run, survey }).state()
                && !matches!(&error, RunError::Store(StoreError::Damaged(_)) if !sound)
            {
                self.problems.push(Problem {
                    file: "journal".to_owned(),
                    offset: None,
                    what: error.to_string(),
                    means: "the records are whole, but do not follow from each other under the plan that was kept; \
                            this is a fault of the program that wrote them: please report it"
                        .to_owned(),
                });
            }
        }
        if let Some(holder) = alive {
            self.notes.push(format!(
                "process {} is at work on it; what it writes now was not looked at",
                holder.pid
            ));
        } else if !begun && self.problems.is_empty() {
            self.notes.push("it was stopped before its first step was written down".to_owned());
        }
    }

    /// Every frame of the journal; where the reader stops at damage, what lies behind it is looked at as well.
    fn frames(&mut self, run: &RunDir) -> (Survey, bool) {
        let (mut survey, mut decoder, mut sound) = (Survey::default(), Decoder::default(), true);
        let mut reader = match run.journal() {
            Ok(reader) => reader,
            Err(error) => {
                self.store_problem("journal", &error);
                return (survey, false);
            }
        };
        let mut objects =
            Objects { run, seen: &mut self.objects, problems: &mut self.problems, bad: BTreeSet::new() };
        let mut records = Vec::new();
        let failure = loop {
            match reader.next() {
                Ok(Some(frame)) => {
                    self.frames += 1;
                    let read = decoder.read(frame.kind, frame.body, &mut objects);
                    if let Some(problem) = first_problem(run.id(), frame.seq, frame.prev, &read) {
                        records.push(problem);
                    }
                    match read {
                        Err(RecordError::Object(..)) => {}
                        Err(error) => records.push(record_problem(frame.seq, frame.kind, &error)),
                        Ok(_) => {}
                    }
                    // What it says of the run as a whole; unreadable ones were told of.
                    let _ = survey.see(frame.seq, frame.kind, frame.body);
                }
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        let tail = reader.tail();
        match failure {
            None => match reader.torn() {
                Ok(Some(torn)) => self.notes.push(format!(
                    "the last {} bytes of {} were written only in part: they are no record, and are cut when the run \
                     goes on",
                    torn.bytes,
                    torn.file.file_name().map(|name| name.to_string_lossy()).unwrap_or_default()
                )),
                Ok(None) => {}
                Err(error) => {
                    sound = false;
                    self.store_problem("journal", &error);
                }
            },
            Some(error) => {
                sound = false;
                match journal::behind(run, &tail) {
                    Ok(found) if !found.is_empty() => self.problems.extend(found),
                    _ => self.store_problem("journal", &error),
                }
            }
        }
        self.problems.extend(records);
        (survey, sound)
    }

    /// Objects that no record names: what a killed process had written ahead. They are checked all the same.
    fn stray(&mut self, run: &RunDir) {
        let (disk, dir) = (run.disk(), run.path().join("objects"));
        let shards = disk.list(&dir).unwrap_or_default();
        let mut stray = 0;
        for shard in shards.into_iter().filter(|entry| entry.kind == EntryKind::Dir) {
            for entry in disk.list(&dir.join(&shard.name)).unwrap_or_default() {
                let file = format!("objects/{}/{}", shard.name, entry.name);
                match entry.name.parse::<Digest>() {
                    Ok(digest) if self.objects.contains(&digest) => {}
                    Ok(digest) => match run.get_object(&digest) {
                        Ok(_) => stray += 1,
                        Err(error) => {
                            self.notes.push(format!("{file} is named by no record and not whole: {error}"))
                        }
                    },
                    Err(_) => self.notes.push(format!("{file} is no object")),
                }
            }
        }
        if stray > 0 {
            self.notes.push(format!("{} that no record names", count(stray, "object")));
        }
    }

    fn documents(&mut self, run: &RunDir, epoch: &Epoch) {
        let means = "the run cannot be shown or gone on with until the file is back; its name is its hash, so a copy \
                     from any run of the same plan will do";
        let setting = run.get_plan(&epoch.setting).map_err(|e| e.to_string());
        let setting = setting.and_then(|bytes| Setting::from_bytes(&bytes).map_err(|e| e.to_string()));
        let plan = run.get_plan(&epoch.plan).map_err(|e| e.to_string());
        let read = plan.and_then(|bytes| {
            let text = String::from_utf8(bytes).map_err(|e| e.to_string())?;
            crate::repo::read_document(&text)
                .map_err(|found| found.first().map_or_else(String::new, |d| d.message.clone()))
        });
        for (digest, what) in [(epoch.setting, setting.err()), (epoch.plan, read.err())] {
            // Long ones are kept packed.
            let packed = format!("plan/{digest}.json.lz4");
            let is_packed = run.disk().info(&run.path().join(&packed)).is_ok();
            let file = if is_packed { packed } else { format!("plan/{digest}.json") };
            if let Some(what) = what.filter(|_| !self.problems.iter().any(|p| p.file == file)) {
                self.problems.push(Problem { file, offset: None, what, means: means.to_owned() });
            }
        }
    }

    fn text(&self) -> String {
        let mut out = String::new();
        let (frames, objects) = (
            count(usize::try_from(self.frames).unwrap_or(usize::MAX), "frame"),
            count(self.objects.len(), "object"),
        );
        let whole = match self.problems.len() {
            0 => "whole".to_owned(),
            n => count(n, "problem"),
        };
        out.push_str(&format!("{}: {frames}, {objects}, {whole}\n", self.id));
        for problem in &self.problems {
            let offset = problem.offset.map(|offset| format!(", byte {offset}")).unwrap_or_default();
            let file = if problem.file.is_empty() { "the run" } else { &problem.file };
            out.push_str(&format!("  {}{offset}: {}\n", plain_line(file), plain_line(&problem.what)));
            if !problem.means.is_empty() {
                out.push_str(&format!("    {}\n", plain_line(&problem.means)));
            }
        }
        for note in &self.notes {
            out.push_str(&format!("  note: {}\n", plain_line(note)));
        }
        out
    }

    fn to_json(&self) -> Json {
        let problems: Vec<Json> = self
            .problems
            .iter()
            .map(|p| json!({"file": p.file, "offset": p.offset, "problem": p.what, "help": p.means}))
            .collect();
        json!({
            "run_id": self.id,
            "frames": self.frames,
            "objects": self.objects.len(),
            "whole": self.problems.is_empty(),
            "problems": problems,
            "notes": self.notes,
        })
    }
}

fn record_problem(seq: u64, kind: Kind, error: &RecordError) -> Problem {
    Problem {
        file: "journal".to_owned(),
        offset: None,
        what: format!("record {seq} ({}) makes no sense: {error}", kind.word()),
        means: "its checksum fits, so this is what was written: a fault of the program that wrote it; please report it"
            .to_owned(),
    }
}

/// The first frame carries the run and its plan in the chain, so that journals cannot be exchanged.
fn first_problem(id: &str, seq: u64, prev: Digest, read: &Result<Record, RecordError>) -> Option<Problem> {
    if seq != 1 {
        return None;
    }
    let (what, means) = match read {
        Ok(Record::Run(info)) => {
            let wanted = Digest::of(format!("{}\n{}", info.id, info.epoch.plan).as_bytes());
            if prev != wanted {
                (
                    "the first record does not begin the chain of its run and plan".to_owned(),
                    "the journal was changed",
                )
            } else if info.id != id {
                (
                    format!("it is the journal of run {}", info.id),
                    "the directory was renamed, or the journal exchanged",
                )
            } else {
                return None;
            }
        }
        Ok(_) => ("the first record does not say which run it is".to_owned(), "the journal was changed"),
        Err(_) => return None,
    };
    Some(Problem { file: "journal/00000001.ncj".to_owned(), offset: Some(0), what, means: means.to_owned() })
}
