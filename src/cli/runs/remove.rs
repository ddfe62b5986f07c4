//! `normc runs rm` and `normc runs gc`: runs are removed, and what they took is free. A run at work is never removed.

use std::str::FromStr;

use serde_json::json;

use crate::base::Clock;
use crate::report::{ago, size};
use crate::store::{Store, StoreError};

use super::super::Exit;
use super::super::clock::WallClock;
use super::super::output::{Form, count, print};
use super::super::stores::{StoreArgument, find_id, report_error};
use super::status::{Look, Standing, look, space_of};

/// Remove runs with everything they kept
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  normc runs rm last\n  normc runs rm 01K2A 01K2B monthly\n\nA run at work is not \
                        removed (exit code 73)."
)]
pub(super) struct RemoveArguments {
    /// The runs: ids, beginnings of ids, names, or `last`
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<String>,
}

/// Remove old runs
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  normc runs gc --keep 20\n  normc runs gc --older 30d --dry-run\n  normc runs gc \
                        --keep 5 --older 12h     only what both allow\n\nRuns at work are kept, and do not count."
)]
pub(super) struct GcArguments {
    /// Keep the newest runs, so many
    #[arg(long, value_name = "N", required_unless_present = "older")]
    keep: Option<usize>,
    /// Keep what did anything within this time: 30d, 12h, 90m, 45s
    #[arg(long, value_name = "TIME")]
    older: Option<Age>,
    /// Say what would be removed; remove nothing
    #[arg(long)]
    dry_run: bool,
}

/// A time span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Age {
    millis: u64,
}

impl FromStr for Age {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no time: write a number and d, h, m or s, like 30d");
        let unit = match text.chars().last() {
            Some('w') => 7 * 86_400,
            Some('d') => 86_400,
            Some('h') => 3600,
            Some('m') => 60,
            Some('s') => 1,
            _ => return Err(wrong()),
        };
        let number: u64 = text.get(..text.len() - 1).and_then(|n| n.parse().ok()).ok_or_else(wrong)?;
        let millis = number.checked_mul(unit * 1000).ok_or_else(wrong)?;
        Ok(Self { millis })
    }
}

pub(super) fn rm(arguments: &RemoveArguments, store: &StoreArgument, form: Form) -> Result<Exit, Exit> {
    let store = store.open();
    // Names are looked up first: a wrong one must not leave half of the work done.
    let mut ids: Vec<String> = Vec::new();
    for wanted in &arguments.runs {
        let id = find_id(&store, wanted).map_err(|error| report_error(&error.into()))?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let mut worst = Exit::Done;
    let mut removed = Vec::new();
    for id in ids {
        match remove(&store, &id) {
            Ok(freed) => removed.push((id, freed)),
            Err(error) => worst = report_error(&error.into()),
        }
    }
    said(&removed, worst != Exit::Done, false, form)?;
    Ok(worst)
}

pub(super) fn gc(arguments: &GcArguments, store: &StoreArgument, form: Form) -> Result<Exit, Exit> {
    let store = store.open();
    let ids = store.ids().map_err(|error| report_error(&error.into()))?;
    let now = WallClock.now_millis();
    let at_work = |run: &Look| matches!(run.standing, Standing::Running(_));
    let runs: Vec<Look> = ids.iter().map(|id| look(&store, id)).filter(|run| !at_work(run)).collect();
    let old = runs.into_iter().enumerate().filter(|(place, run)| {
        let beyond = arguments.keep.is_none_or(|keep| *place >= keep);
        beyond && arguments.older.is_none_or(|age| run.last.saturating_add(age.millis) < now)
    });
    let (mut worst, mut removed) = (Exit::Done, Vec::new());
    for (_, run) in old {
        let what = format!("{} ({}, {})", run.id, run.standing.word(), ago(run.last, now));
        if arguments.dry_run {
            removed.push((what, space_of(&store.root().join("runs").join(&run.id))));
            continue;
        }
        match remove(&store, &run.id) {
            Ok(freed) => removed.push((what, freed)),
            // It came to life meanwhile, or another process was faster.
            Err(StoreError::Locked { .. } | StoreError::NotFound { .. }) => {}
            Err(error) => worst = report_error(&error.into()),
        }
    }
    said(&removed, worst != Exit::Done, arguments.dry_run, form)?;
    Ok(worst)
}

fn remove(store: &Store, id: &str) -> Result<u64, StoreError> {
    let freed = space_of(&store.root().join("runs").join(id));
    store.remove(id)?;
    Ok(freed)
}

fn said(removed: &[(String, u64)], refused: bool, dry: bool, form: Form) -> Result<(), Exit> {
    if removed.is_empty() && refused && form == Form::Human {
        return Ok(());
    }
    let total: u64 = removed.iter().map(|(_, freed)| freed).sum();
    if form == Form::Json {
        let runs: Vec<_> = removed
            .iter()
            .map(|(what, freed)| json!({"run_id": what.split(' ').next(), "bytes": freed}))
            .collect();
        return print(&format!("{}\n", json!({"removed": runs, "bytes": total, "dry_run": dry})));
    }
    let mut text = String::new();
    for (what, freed) in removed {
        let verb = if dry { "would remove" } else { "removed" };
        text.push_str(&format!("{verb} {what}: {}\n", size(*freed)));
    }
    if removed.len() != 1 {
        let verb = if dry { "would free" } else { "freed" };
        text.push_str(&format!("{}, {verb} {}\n", count(removed.len(), "run"), size(total)));
    }
    print(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_a_number_and_a_unit() {
        let age = |text: &str| text.parse::<Age>().map(|age| age.millis);
        assert_eq!(age("30d"), Ok(30 * 86_400_000));
        assert_eq!(
            [age("2w"), age("12h"), age("90m"), age("0s")].map(Result::unwrap),
            [1_209_600_000, 43_200_000, 5_400_000, 0]
        );
        for bad in ["", "d", "30", "-1d", "1.5h", "3y", "99999999999999999999d", "3é"] {
            assert!(age(bad).is_err(), "{bad}");
        }
    }
}
