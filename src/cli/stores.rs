//! The store a command works on, and finding a run in it by what a user calls it.

use std::path::PathBuf;
use std::sync::Arc;

use crate::base::nearest;
use crate::engine::RunError;
use crate::run::record::{Kind, RunInfo};
use crate::run::replay::Survey;
use crate::store::{RealDisk, RunDir, Store, StoreError};

use super::Exit;
use super::output::complain;

/// Where the runs are kept.
#[derive(Debug, clap::Args)]
pub(super) struct StoreArgument {
    /// Where runs are kept
    #[arg(
        long,
        value_name = "DIR",
        env = "NORMC_STORE",
        hide_env_values = true,
        default_value = ".normc",
        global = true
    )]
    store: PathBuf,
}

impl StoreArgument {
    /// The store; it need not exist.
    pub(super) fn open(&self) -> Store {
        Store::new(&self.store, Arc::new(RealDisk))
    }

    /// The option as a user must repeat it, with a space before it; empty when it is not needed.
    pub(super) fn as_option(&self) -> String {
        let known = std::env::var_os("NORMC_STORE").is_some_and(|s| *s == *self.store);
        if known || self.store.as_os_str() == ".normc" {
            String::new()
        } else {
            format!(" --store {}", self.store.display())
        }
    }
}

/// Says what went wrong with a stored run; the exit code that goes with it.
pub(super) fn report_error(error: &RunError) -> Exit {
    complain(&error.to_string(), error.help().as_deref());
    match error {
        RunError::Store(error) => match error {
            StoreError::Io { .. } | StoreError::Full { .. } | StoreError::Poisoned => Exit::InputOutput,
            StoreError::Locked { .. } => Exit::Locked,
            StoreError::NotFound { .. } | StoreError::Ambiguous { .. } => Exit::NotFound,
            StoreError::Newer { .. } | StoreError::Refused { .. } | StoreError::Damaged(_) => Exit::BadData,
        },
        RunError::Empty { .. } => Exit::NotFound,
        RunError::Record { .. } | RunError::Replay { .. } | RunError::Plan { .. } => Exit::BadData,
    }
}

/// The first record of a run, as far as it can be read: the rest of the journal is not looked at.
pub(super) fn info(run: &RunDir) -> Option<RunInfo> {
    let mut reader = run.journal().ok()?;
    let frame = reader.next().ok()??;
    let mut survey = Survey::default();
    survey.see(frame.seq, frame.kind, frame.body).ok()?;
    survey.info.filter(|_| frame.kind == Kind::Run)
}

/// The runs of a store, as far as they can be opened.
pub(super) struct Known {
    /// Each with its first record, newest first.
    pub(super) runs: Vec<(String, RunInfo)>,
    /// Why the newest of the others cannot be opened.
    pub(super) problem: Option<StoreError>,
}

impl Known {
    /// What to say when a run is not among them: perhaps it is the one that cannot be opened.
    pub(super) fn without(self, what: String, near: Option<String>) -> StoreError {
        self.problem.unwrap_or(StoreError::NotFound { what, near })
    }
}

/// Looks at the first record of every run.
pub(super) fn known(store: &Store) -> Result<Known, StoreError> {
    let mut known = Known { runs: Vec::new(), problem: None };
    for id in store.ids()? {
        match store.open(&id) {
            Ok(run) => known.runs.extend(info(&run).map(|info| (id, info))),
            Err(problem) => drop(known.problem.get_or_insert(problem)),
        }
    }
    Ok(known)
}

/// Opens a run by its id, the beginning of it, its name, or `last`.
pub(super) fn find(store: &Store, wanted: &str) -> Result<RunDir, StoreError> {
    store.open(&find_id(store, wanted)?)
}

/// The id of a run by what a user calls it. The run itself may be damaged.
pub(super) fn find_id(store: &Store, wanted: &str) -> Result<String, StoreError> {
    let ids = store.ids()?;
    if wanted == "last" {
        let none = || StoreError::NotFound {
            what: format!("run in the store `{}`", store.root().display()),
            near: None,
        };
        return ids.first().cloned().ok_or_else(none);
    }
    if ids.iter().any(|id| id == wanted) {
        return Ok(wanted.to_owned());
    }
    let known = known(store)?;
    if let Some((id, _)) = known.runs.iter().find(|(_, info)| info.name.as_deref() == Some(wanted)) {
        return Ok(id.clone());
    }
    // Ids are printed in capitals, but nobody should have to type them.
    let upper = wanted.to_ascii_uppercase();
    let begin: Vec<String> =
        ids.iter().filter(|id| !upper.is_empty() && id.starts_with(&upper)).cloned().collect();
    match begin.as_slice() {
        [one] => Ok(one.clone()),
        [] => {
            let names = known.runs.iter().filter_map(|(_, info)| info.name.as_deref());
            let names = names.chain(ids.iter().map(String::as_str)).chain(["last"]);
            let near = nearest(wanted, names).map(str::to_owned);
            Err(known.without(format!("run `{wanted}` in the store `{}`", store.root().display()), near))
        }
        _ => Err(StoreError::Ambiguous { prefix: wanted.to_owned(), runs: begin }),
    }
}

/// A name may be given once.
pub(super) fn refuse_taken(store: &Store, name: &str) -> Result<(), Exit> {
    let known = known(store).map_err(|error| report_error(&error.into()))?;
    match known.runs.iter().find(|(id, info)| id == name || info.name.as_deref() == Some(name)) {
        None => Ok(()),
        Some((id, _)) => {
            complain(
                &format!("there already is a run `{name}`: {id}"),
                Some(&format!("choose another name, or go on with that one: normc exec --resume {name}")),
            );
            Err(Exit::Usage)
        }
    }
}
