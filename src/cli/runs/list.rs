//! `normc runs`: one line a run, newest first.

use std::fmt::Write;
use std::time::Duration;

use rayon::prelude::*;
use serde_json::Value as Json;

use crate::base::Clock;
use crate::report::{ago, duration, moment, plain_line};

use super::super::Exit;
use super::super::clock::WallClock;
use super::super::output::{Form, print};
use super::super::stores::{StoreArgument, report_error};
use super::status::{Look, Standing, look};

/// Ids are shown as far as they differ, but at least so much of them.
const SHORTEST_ID: usize = 10;
/// Beyond that the whole id is shown.
const LONGEST_ID: usize = 18;

pub(super) fn run(store: &StoreArgument, form: Form) -> Result<Exit, Exit> {
    let store = store.open();
    let ids = store.ids().map_err(|error| report_error(&error.into()))?;
    let runs: Vec<Look> = ids.par_iter().map(|id| look(&store, id)).collect();
    if form == Form::Json {
        let runs: Vec<Json> = runs.iter().map(|run| Json::Object(run.to_json())).collect();
        print(&format!("{}\n", Json::Array(runs)))?;
        return Ok(Exit::Done);
    }
    if runs.is_empty() {
        print(&format!("no runs in the store `{}`\n", store.root().display()))?;
        return Ok(Exit::Done);
    }
    print(&table(&runs, WallClock.now_millis()))?;
    Ok(Exit::Done)
}

fn table(runs: &[Look], now: u64) -> String {
    let shown = id_length(runs);
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["id", "name", "plan", "status", "started", "took", "steps", "cycles"]);
    for run in runs {
        let started = match run.started {
            0 => String::new(),
            then => format!("{} ({})", moment(then), ago(then, now)),
        };
        let counts = |n: String| if run.survey.info.is_some() { n } else { String::new() };
        // Of a run without calls that was killed nothing says how long it was at work.
        let unknown = run.active == Duration::ZERO && matches!(run.standing, Standing::Interrupted);
        table.add_row([
            run.id.chars().take(shown).collect(),
            run.name().map(|name| plain_line(name).into_owned()).unwrap_or_default(),
            plain_line(run.plan()).into_owned(),
            run.standing.text(),
            started,
            counts(if unknown { String::new() } else { duration(run.active) }),
            counts(run.steps.to_string()),
            counts(run.cycles.to_string()),
        ]);
    }
    let mut out = String::new();
    for line in table.lines() {
        // The style puts a blank before the first column.
        let _ = writeln!(out, "{}", line.strip_prefix(' ').unwrap_or(&line).trim_end());
    }
    for run in runs {
        if let Standing::Unreadable(error) = &run.standing {
            let _ = writeln!(out, "{}: {}", run.id, plain_line(&error.to_string()));
        }
    }
    out
}

/// How much of the ids is needed to tell them apart.
fn id_length(runs: &[Look]) -> usize {
    let mut ids: Vec<&str> = runs.iter().map(|run| run.id.as_str()).collect();
    ids.sort_unstable();
    let same = |pair: &[&str]| match pair {
        [a, b] => a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count(),
        _ => 0,
    };
    let needed = ids.windows(2).map(same).max().unwrap_or(0) + 1;
    if needed > LONGEST_ID { usize::MAX } else { needed.max(SHORTEST_ID) }
}
