//! What a look at a stored run tells: how it stands, when it ran, how far it came. A run that cannot be read is told of
//! like any other.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::base::{Clock, iso};
use crate::engine::{RunError, made_at};
use crate::report::plain_line;
use crate::run::record::{Kind, Record, peek, timing};
use crate::run::replay::Survey;
use crate::store::{Disk, EntryKind, RealDisk, RunDir, Store, StoreError};

use super::super::clock::WallClock;
use super::super::output::count;

/// How a run stands.
#[derive(Debug, Clone)]
pub(super) enum Standing {
    /// A process is at work on it; 0 where it is not known which.
    Running(u32),
    /// It ended: `completed`, `stuck`, `failed`.
    Ended(String),
    /// It was stopped, and why.
    Suspended(String),
    /// It was killed.
    Interrupted,
    /// It was stopped before its first step was written down.
    Empty,
    /// It cannot be read, and why.
    Unreadable(Box<RunError>),
}

impl Standing {
    /// The status in a word.
    pub(super) fn word(&self) -> &str {
        match self {
            Self::Running(_) => "running",
            Self::Ended(status) => status,
            Self::Suspended(_) => "suspended",
            Self::Interrupted => "interrupted",
            Self::Empty => "empty",
            Self::Unreadable(error) => match &**error {
                RunError::Store(StoreError::Newer { .. }) => "newer",
                RunError::Store(StoreError::Refused { .. }) => "refused",
                RunError::Store(StoreError::Io { .. }) => "unreadable",
                RunError::Empty { .. } => "empty",
                _ => "damaged",
            },
        }
    }

    /// The status with what goes with it, for people.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Running(0) => "running".to_owned(),
            Self::Running(pid) => format!("running (process {pid})"),
            Self::Suspended(reason) => format!("suspended ({})", plain_line(reason)),
            _ => plain_line(self.word()).into_owned(),
        }
    }
}

/// What a look at a run tells.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) id: String,
    pub(super) standing: Standing,
    /// What its journal says as a whole, as far as it can be read.
    pub(super) survey: Survey,
    /// Steps that ended by running, and that were skipped.
    pub(super) steps: u64,
    pub(super) skipped: u64,
    pub(super) cycles: u32,
    /// When it began and when it last did anything, in milliseconds since 1970.
    pub(super) started: u64,
    pub(super) last: u64,
    /// How long it was at work, pauses between a stop and a resumption left out.
    pub(super) active: Duration,
}

/// Looks at a run. Reads its whole journal, for the status is at its end.
pub(super) fn look(store: &Store, id: &str) -> Look {
    match store.open(id) {
        Ok(run) => look_at(&run),
        Err(error) => Scan { failure: Some(error.into()), ..Scan::default() }.look(id, None),
    }
}

/// Looks at a run whose directory is open.
pub(super) fn look_at(run: &RunDir) -> Look {
    // Asked first: a run that ends meanwhile is not taken for one that was killed.
    let holder = run.holder();
    let mut scan = Scan::default();
    if let Err(error) = scan.read(run) {
        scan.failure = Some(error);
    }
    let alive = holder.filter(|_| run.holder().is_some());
    scan.look(run.id(), alive.map(|holder| holder.pid))
}

/// Adds up what the frames of a journal say.
#[derive(Debug, Default)]
struct Scan {
    survey: Survey,
    steps: u64,
    skipped: u64,
    cycles: u32,
    begun: u64,
    last: u64,
    active: u64,
    failure: Option<RunError>,
}

impl Scan {
    fn read(&mut self, run: &RunDir) -> Result<(), RunError> {
        let mut reader = run.journal()?;
        while let Some(frame) = reader.next()? {
            let resumed = self.survey.resumed.len();
            self.survey.see(frame.seq, frame.kind, frame.body).map_err(|problem| RunError::Record {
                run: run.id().to_owned(),
                seq: frame.seq,
                problem,
            })?;
            if self.survey.resumed.len() > resumed || frame.seq == 1 {
                self.active += self.last.saturating_sub(self.begun);
                self.begun = self.survey.last_time;
            }
            self.last = self.last.max(self.survey.last_time);
            if let Some(timing) = timing(frame.kind, frame.body) {
                self.last = self.last.max(timing.at);
            }
            match frame.kind {
                Kind::Result => self.steps += 1,
                Kind::Skipped => self.skipped += 1,
                _ => {}
            }
            if matches!(frame.kind, Kind::Result | Kind::Skipped)
                && let Some(found) = peek(frame.kind, frame.body)
            {
                self.cycles = self.cycles.max(found.round);
            }
        }
        Ok(())
    }

    fn look(self, id: &str, alive: Option<u32>) -> Look {
        let Self { survey, mut steps, mut skipped, mut cycles, begun, last, active, failure } = self;
        let standing = match (failure, alive, &survey) {
            (Some(error), ..) => Standing::Unreadable(Box::new(error)),
            (None, Some(pid), _) => Standing::Running(pid),
            (None, None, Survey { ending: Some(ending), .. }) => Standing::Ended(ending.status.clone()),
            (None, None, Survey { suspension: Some(stop), .. }) => Standing::Suspended(stop.reason.clone()),
            (None, None, Survey { info: Some(_), .. }) => Standing::Interrupted,
            _ => Standing::Empty,
        };
        if let Some(ending) = &survey.ending {
            (steps, skipped, cycles) = (ending.completed, ending.skipped, ending.cycles);
        }
        let until = match standing {
            Standing::Running(_) => WallClock.now_millis(),
            _ => last,
        };
        let started = survey.info.as_ref().map(|info| info.epoch.at).or_else(|| made_at(id)).unwrap_or(0);
        let active = Duration::from_millis(active + until.saturating_sub(begun));
        let last = last.max(started);
        Look { id: id.to_owned(), standing, survey, steps, skipped, cycles, started, last, active }
    }
}

impl Look {
    /// The name the user gave it.
    pub(super) fn name(&self) -> Option<&str> {
        self.survey.info.as_ref()?.name.as_deref()
    }

    /// The plan's name.
    pub(super) fn plan(&self) -> &str {
        self.survey.epoch().map_or("", |epoch| &epoch.name)
    }

    /// The fields every JSON form of a run has.
    pub(super) fn to_json(&self) -> serde_json::Map<String, Json> {
        let epoch = self.survey.epoch();
        let ended = !matches!(self.standing, Standing::Running(_)) && self.last > 0;
        let (reason, pid, problem) = match &self.standing {
            Standing::Suspended(reason) => (Some(reason.clone()), None, None),
            Standing::Running(pid) => (None, Some(*pid).filter(|pid| *pid > 0), None),
            Standing::Unreadable(error) => (None, None, Some(error.to_string())),
            _ => (None, None, None),
        };
        let json = json!({
            "run_id": self.id,
            "name": self.name(),
            "plan": epoch.map(|e| &e.name),
            "source": epoch.map(|e| &e.source),
            "base": epoch.map(|e| &e.base),
            "status": self.standing.word(),
            "reason": reason,
            "pid": pid,
            "problem": problem,
            "started": (self.started > 0).then(|| iso(self.started)),
            "ended": ended.then(|| iso(self.last)),
            "duration_ms": u64::try_from(self.active.as_millis()).unwrap_or(u64::MAX),
            "steps": self.steps,
            "skipped": self.skipped,
            "cycles": self.cycles,
            "resumed": self.survey.resumed.len(),
        });
        match json {
            Json::Object(fields) => fields,
            _ => serde_json::Map::new(),
        }
    }
}

/// The space a directory takes, links not followed; what cannot be looked at is not counted.
pub(super) fn space_of(path: &Path) -> u64 {
    let mut total = 0;
    let mut dirs = vec![path.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in RealDisk.list(&dir).unwrap_or_default() {
            let path = dir.join(&entry.name);
            total += RealDisk.info(&path).map_or(0, |info| info.space);
            if entry.kind == EntryKind::Dir {
                dirs.push(path);
            }
        }
    }
    total
}

fn counted(n: u64, one: &str) -> String {
    count(usize::try_from(n).unwrap_or(usize::MAX), one)
}

/// A record about the run itself, as a sentence for lists of events.
pub(in super::super) fn life_text(record: &Record) -> Option<String> {
    Some(match record {
        Record::Run(info) => {
            let name = info.name.as_ref().map(|name| format!(" `{}`", plain_line(name))).unwrap_or_default();
            let plan = plain_line(&info.epoch.name);
            format!("run {}{name} begins: plan {plan}, normc {}", info.id, info.epoch.version)
        }
        Record::Resumed(epoch) => {
            format!("goes on: process {}, mode {}, normc {}", epoch.pid, epoch.mode.word(), epoch.version)
        }
        Record::Suspended(stop) => format!("suspended: {}", plain_line(&stop.reason)),
        Record::Repaired(what) => format!("repaired: {}", plain_line(what)),
        Record::End(ending) => format!(
            "ended: {}, {}, {} skipped, {}",
            plain_line(&ending.status),
            counted(ending.completed, "step"),
            ending.skipped,
            counted(u64::from(ending.cycles), "cycle")
        ),
        _ => return None,
    })
}
