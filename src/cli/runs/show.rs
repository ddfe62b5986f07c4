//! `normc runs show RUN`: one run as a whole.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map as JsonMap, Value as Json, json};

use crate::base::{Clock, iso, time_of_day};
use crate::engine::{Past, Plan};
use crate::report::{
    ago, duration, moment, money_text, plain_line, plain_text, size, spent_text, stuck_list, value_text,
};
use crate::run::record::{Decoder, Fetch, Intent, Kind, Lookup, Record, Redo, Redone, Timing, peek, timing};
use crate::run::replay::{Replay, Validity};
use crate::run::{Graph, Outcome, State, StepKey, StepTime, spent_json, tensor_json};

use super::super::Exit;
use super::super::clock::WallClock;
use super::super::output::{Form, count, print};
use super::super::stores::{StoreArgument, find, report_error};
use super::status::{Look, Standing, look_at, space_of};

/// Cycles that are shown one by one.
const MOST_CYCLES: usize = 30;
/// Reasons of a resumption that are shown one by one.
const MOST_REASONS: usize = 10;
/// Names in tables are cut at this many characters.
const LONGEST_NAME: usize = 44;
/// Lines of a failure's trace that are shown.
const MOST_DETAIL: usize = 12;

/// Show a run: how it went, inference by inference, and what it gave
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  normc runs show last\n  normc runs show 01K2 --format json\n\n`normc logs RUN` \
                        tells what happened step by step, `normc why RUN STEP` explains one step."
)]
pub(super) struct Arguments {
    /// The run: an id, the beginning of one, a name, or `last`
    run: String,
}

/// What the records of a run add up to, beside its state.
#[derive(Debug, Default)]
struct Sums {
    /// By cycle: steps settled, and when something of it was last written.
    cycles: BTreeMap<u32, (u64, Option<u64>)>,
    times: Vec<StepTime>,
    /// Calls of the process at work that no sum of their step holds yet: how many, and their time.
    loose: BTreeMap<StepKey, (usize, StepTime)>,
    /// What was to be done again, by the frame that says so.
    redo: Vec<(u64, Vec<Redo>)>,
    /// Suspensions and ends, by frame.
    stops: Vec<(u64, String)>,
}

/// Gives nothing: what is decoded here names no objects.
struct NoObjects;

impl Fetch for NoObjects {
    fn fetch(&mut self, _: &crate::base::Digest) -> Result<Vec<u8>, String> {
        Err("no objects are wanted".to_owned())
    }
}

impl Sums {
    fn see(&mut self, validity: &Validity, seq: u64, kind: Kind, body: &[u8]) {
        if let Some(found) = peek(kind, body) {
            self.see_step(validity, seq, kind, body, found);
            return;
        }
        match Decoder::default().read(kind, body, &mut NoObjects) {
            Ok(Record::Resumed(_)) => self.add_loose(),
            Ok(Record::Redo(redo)) => self.redo.push((seq, redo)),
            Ok(Record::Suspended(stop)) => self.stops.push((seq, stop.reason)),
            Ok(Record::End(end)) => self.stops.push((seq, format!("it had ended: {}", end.status))),
            _ => {}
        }
    }
}

impl Sums {
    fn see_step(&mut self, validity: &Validity, seq: u64, kind: Kind, body: &[u8], found: Lookup) {
        let Lookup { step, round } = found;
        let timing = timing(kind, body);
        if kind == Kind::Call {
            if let (Some(item), Some(timing)) = (validity.call_now(seq, &step, round), timing) {
                let (at, sum) = self.loose.entry(step).or_default();
                *at = item.at();
                add(sum, timing);
                let cycle = self.cycles.entry(round).or_default();
                cycle.1 = cycle.1.max(Some(timing.at));
            }
            return;
        }
        // Of a step that failed and was tried again only its calls count.
        let Some(item) = validity.now(seq, &step, round) else { return };
        if kind == Kind::Log {
            // It counts every call that the same process has made for the step.
            self.loose.remove(&step);
        }
        let cycle = self.cycles.entry(round).or_default();
        cycle.0 += u64::from(matches!(kind, Kind::Result | Kind::Failed | Kind::Skipped));
        if let Some(timing) = timing {
            cycle.1 = cycle.1.max(Some(timing.at));
            if let Some(sum) = self.times.get_mut(item.at()) {
                add(sum, timing);
            }
        }
    }

    /// The calls of a process that ended, or is still at work, before it could sum them.
    fn add_loose(&mut self) {
        for (at, loose) in std::mem::take(&mut self.loose).into_values() {
            if let Some(sum) = self.times.get_mut(at) {
                sum.calls += loose.calls;
                sum.time += loose.time;
            }
        }
    }
}

fn add(sum: &mut StepTime, timing: Timing) {
    sum.calls += timing.calls;
    sum.time += Duration::from_micros(timing.micros);
}

/// One resumption, for people and for JSON.
struct Resumption {
    at: u64,
    mode: &'static str,
    after: String,
    again: Vec<(String, String)>,
}

struct Shown {
    look: Look,
    outcome: Outcome,
    sums: Sums,
    in_doubt: Vec<Intent>,
    resumptions: Vec<Resumption>,
    path: String,
    space: u64,
}

pub(super) fn run(arguments: &Arguments, store: &StoreArgument, form: Form) -> Result<Exit, Exit> {
    let run = find(&store.open(), &arguments.run).map_err(|error| report_error(&error.into()))?;
    let look = look_at(&run);
    let (path, space) = (run.path().display().to_string(), space_of(run.path()));
    let past = Past::read(run).map_err(|error| report_error(&error))?;
    let shown = gather(past, look, path, space)?;
    match form {
        Form::Json => print(&format!("{}\n", shown.to_json()))?,
        Form::Human => print(&shown.text())?,
    }
    Ok(Exit::Done)
}

fn gather(past: Past, look: Look, path: String, space: u64) -> Result<Shown, Exit> {
    let failed = |error| report_error(&error);
    let plan = past.epoch().and_then(|epoch| past.plan(epoch)).map_err(failed)?;
    let validity = past.validity().map_err(failed)?;
    let mut sums = Sums { times: vec![StepTime::default(); plan.graph.items.len()], ..Sums::default() };
    let fresh = State::new(Arc::clone(&plan.graph), plan.data.clone());
    let replay = past
        .fold(Replay::new(fresh, past.validity().map_err(failed)?), u64::MAX, &mut |_, frame| {
            sums.see(&validity, frame.seq, frame.kind, frame.body);
        })
        .map_err(failed)?;
    sums.add_loose();
    let resumptions = resumptions(&past, &sums, &plan);
    let mut in_doubt: Vec<Intent> = replay.in_doubt.into_values().collect();
    in_doubt.sort_by(|a, b| a.step.cmp(&b.step));
    for (item, spent) in &replay.spent_by {
        if let Some(times) = sums.times.get_mut(item.at()) {
            times.spent = *spent;
        }
    }
    let mut outcome = Outcome::of(replay.state, None, sums.times.clone(), look.active);
    outcome.spent = replay.spent;
    Ok(Shown { look, outcome, sums, in_doubt, resumptions, path, space })
}

fn resumptions(past: &Past, sums: &Sums, last: &Plan) -> Vec<Resumption> {
    let mut found = Vec::new();
    let mut before = 0;
    // Items of a redo record are those of the epoch before.
    let mut plan = past.info().ok().and_then(|info| past.plan(&info.epoch).ok()).map(|plan| plan.graph);
    for (seq, epoch) in &past.survey.resumed {
        let within = |at: u64| before < at && at < *seq;
        let stop = sums.stops.iter().rev().find(|(at, _)| within(*at)).map(|(_, reason)| reason.clone());
        let graph = plan.as_deref().unwrap_or(&last.graph);
        let again = sums.redo.iter().filter(|(at, _)| within(*at)).flat_map(|(_, redo)| redo);
        found.push(Resumption {
            at: epoch.at,
            mode: epoch.mode.word(),
            after: stop.unwrap_or_else(|| "it was killed".to_owned()),
            again: again.map(|redo| (redone_text(graph, &redo.what), redo.reason.clone())).collect(),
        });
        plan = past.plan(epoch).ok().map(|plan| plan.graph);
        before = *seq;
    }
    found
}

/// What is done again, in words.
pub(in super::super) fn redone_text(graph: &Graph, what: &Redone) -> String {
    let known = |item: crate::run::ItemId| item.at() < graph.items.len();
    match what {
        Redone::Item(item) if known(*item) => {
            format!("{} {}", graph.inference(*item).flow, plain_line(graph.item_name(*item)))
        }
        Redone::Step(step) | Redone::Retry(step) if known(step.item) => crate::report::step_text(graph, step),
        Redone::Above(round) => format!("everything after cycle {round}"),
        Redone::Item(item) => format!("inference number {}", item.0),
        Redone::Step(step) | Redone::Retry(step) => format!("inference number {}{}", step.item.0, step.path),
    }
}

impl Shown {
    fn is_live(&self) -> bool {
        matches!(self.look.standing, Standing::Running(_))
    }

    fn text(&self) -> String {
        let mut out = String::new();
        self.header(&mut out);
        self.inferences(&mut out);
        self.cycles(&mut out);
        self.troubles(&mut out);
        out.push('\n');
        for value in &self.outcome.finals {
            match &value.value {
                Some(tensor) => out.push_str(&plain_text(&value_text(&value.name, tensor))),
                None => {
                    let why = if value.skipped { "was skipped" } else { "has no value yet" };
                    let _ = writeln!(out, "{} {why}", plain_line(&value.name));
                }
            }
        }
        out
    }

    fn header(&self, out: &mut String) {
        let (look, now) = (&self.look, WallClock.now_millis());
        let name = look.name().map(|name| format!(" `{}`", plain_line(name))).unwrap_or_default();
        let _ = writeln!(out, "run {}{name}", look.id);
        let mut line = |what: &str, text: &str| {
            let _ = writeln!(out, "  {what:<9}{}", plain_line(text));
        };
        if let Some(epoch) = look.survey.epoch() {
            line("plan", &format!("{}, from {}, hash {}", epoch.name, epoch.source, epoch.plan.short()));
            line("base", &epoch.base);
            line("normc", &epoch.version);
        }
        line("status", &look.standing.text());
        line("started", &format!("{} UTC ({})", moment(look.started), ago(look.started, now)));
        if !self.is_live() {
            line("ended", &format!("{} UTC ({})", moment(look.last), ago(look.last, now)));
        }
        line("took", &duration(look.active));
        let cycles = count(self.outcome.state.highest_round() as usize, "cycle");
        line("did", &format!("{}, {} skipped, {cycles}", count(look.steps as usize, "step"), look.skipped));
        if !self.outcome.spent.is_nothing() {
            line("models", &spent_text(&self.outcome.spent));
        }
        line("space", &format!("{} in {}", size(self.space), self.path));
        for resumption in &self.resumptions {
            let Resumption { at, mode, after, again } = resumption;
            line("resumed", &format!("{} UTC, mode {mode}, after: {after}", moment(*at)));
            for (what, reason) in again.iter().take(MOST_REASONS) {
                line("", &format!("  again {what}: {reason}"));
            }
            if again.len() > MOST_REASONS {
                line("", &format!("  and {} more", again.len() - MOST_REASONS));
            }
        }
    }

    fn inferences(&self, out: &mut String) {
        let graph = self.outcome.graph();
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        // Columns about models stand only where there is something in them.
        let all = &self.outcome.spent;
        let (models, paid) = (!all.is_nothing(), all.micros > 0);
        let mut header = vec!["flow", "concept", "sequence", "done", "skipped", "failed", "calls", "time"];
        header.extend(models.then_some("tokens"));
        header.extend(paid.then_some("cost"));
        table.set_header(header);
        let number = |n: u64| if n == 0 { "·".to_owned() } else { n.to_string() };
        for (item, inference) in graph.model.inferences.iter().enumerate() {
            let tally = self.outcome.state.tally().get(item).copied().unwrap_or_default();
            let spent = self.sums.times.get(item).copied().unwrap_or_default();
            let failed = self.outcome.failures.iter().filter(|(step, _)| step.item.at() == item).count();
            let mut row = vec![
                inference.flow.to_string(),
                short(&plain_line(graph.item_name(crate::run::ItemId(item as u32)))),
                plain_line(&inference.sequence).into_owned(),
                number(tally.completed),
                number(tally.skipped),
                number(failed as u64),
                number(spent.calls),
                if spent.time.is_zero() { "·".to_owned() } else { duration(spent.time) },
            ];
            row.extend(models.then(|| number(spent.spent.tokens())));
            row.extend(paid.then(|| match spent.spent.micros {
                0 => number(0),
                micros => money_text(micros),
            }));
            table.add_row(row);
        }
        lines(out, &table);
    }

    fn cycles(&self, out: &mut String) {
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_header(["cycle", "steps", "until"]);
        for (cycle, (steps, at)) in self.sums.cycles.iter().take(MOST_CYCLES) {
            let until = at.map(time_of_day).unwrap_or_default();
            table.add_row([cycle.to_string(), steps.to_string(), until]);
        }
        lines(out, &table);
        if self.sums.cycles.len() > MOST_CYCLES {
            let more = self.sums.cycles.len() - MOST_CYCLES;
            let _ = writeln!(out, "  ... and {more} more (`--format json` has all)");
        }
    }

    fn troubles(&self, out: &mut String) {
        let graph = self.outcome.graph();
        if !self.outcome.failures.is_empty() {
            let _ = writeln!(out, "\nfailed:");
        }
        for (step, failure) in &self.outcome.failures {
            let _ = writeln!(
                out,
                "  {}: {}",
                crate::report::step_text(graph, step),
                plain_line(&failure.message)
            );
            let detail = failure.detail.iter().flat_map(|d| d.lines());
            for line in detail.take(MOST_DETAIL) {
                let _ = writeln!(out, "    | {}", plain_line(line));
            }
        }
        if !self.in_doubt.is_empty() {
            let what = if self.is_live() {
                "at work:"
            } else {
                "interrupted, so that nobody here knows whether they took effect:"
            };
            let _ = writeln!(out, "\n{what}");
        }
        for intent in &self.in_doubt {
            let once = if intent.once { ", must not run twice" } else { "" };
            let step = crate::report::step_text(graph, &intent.step);
            let _ = writeln!(out, "  {step}: try {}, begun {} UTC{once}", intent.attempt, moment(intent.at));
        }
        if matches!(&self.look.standing, Standing::Ended(status) if status != "completed") {
            let stuck = stuck_list(&self.outcome);
            if !stuck.is_empty() {
                let _ = write!(out, "\n{}", plain_text(&stuck));
            }
        }
    }

    fn to_json(&self) -> Json {
        let graph = self.outcome.graph();
        let mut all = self.look.to_json();
        let mut put = |name: &str, value: Json| drop(all.insert(name.to_owned(), value));
        let epoch = self.look.survey.epoch();
        put("plan_hash", epoch.map(|e| e.plan.to_string()).into());
        put("version", epoch.map(|e| e.version.clone()).into());
        put("path", self.path.clone().into());
        put("bytes", self.space.into());
        if !self.outcome.spent.is_nothing() {
            put("models", spent_json(&self.outcome.spent));
        }
        let resumptions = self.resumptions.iter().map(|r| {
            let again: Vec<Json> =
                r.again.iter().map(|(what, reason)| json!({"what": what, "reason": reason})).collect();
            json!({"at": iso(r.at), "mode": r.mode, "after": r.after, "again": again})
        });
        put("resumptions", resumptions.collect());
        let cycles = self.sums.cycles.iter();
        let cycles =
            cycles.map(|(cycle, (steps, at))| json!({"cycle": cycle, "steps": steps, "until": at.map(iso)}));
        put("cycles_list", cycles.collect());
        let inferences = graph.model.inferences.iter().enumerate().map(|(item, inference)| {
            let tally = self.outcome.state.tally().get(item).copied().unwrap_or_default();
            let spent = self.sums.times.get(item).copied().unwrap_or_default();
            let failed = self.outcome.failures.iter().filter(|(step, _)| step.item.at() == item).count();
            json!({
                "flow_index": inference.flow.to_string(),
                "concept": &**graph.concept_name(inference.target),
                "sequence": &*inference.sequence,
                "completed": tally.completed,
                "skipped": tally.skipped,
                "failed": failed,
                "calls": spent.calls,
                "call_us": u64::try_from(spent.time.as_micros()).unwrap_or(u64::MAX),
                "models": if spent.spent.is_nothing() { Json::Null } else { spent_json(&spent.spent) },
            })
        });
        put("inferences", inferences.collect());
        let in_doubt = self.in_doubt.iter().map(|intent| {
            json!({
                "step": graph.step_name(&intent.step),
                "concept": &**graph.item_name(intent.step.item),
                "attempt": intent.attempt,
                "begun": iso(intent.at),
                "once": intent.once,
                "key": intent.key.to_string(),
            })
        });
        put("in_doubt", in_doubt.collect());
        let outcome = self.outcome.to_json(&self.look.id);
        put("failed", outcome.get("failed").cloned().unwrap_or_else(|| json!([])));
        put("stuck", outcome.get("stuck").cloned().unwrap_or_else(|| json!([])));
        let finals: JsonMap<String, Json> = self
            .outcome
            .finals
            .iter()
            .map(|f| (f.name.to_string(), f.value.as_ref().map_or(Json::Null, tensor_json)))
            .collect();
        put("finals", Json::Object(finals));
        Json::Object(all)
    }
}

/// A name for a table.
fn short(name: &str) -> String {
    if name.chars().count() <= LONGEST_NAME {
        return name.to_owned();
    }
    name.chars().take(LONGEST_NAME - 1).chain(['…']).collect()
}

fn lines(out: &mut String, table: &comfy_table::Table) {
    out.push('\n');
    for line in table.lines() {
        let _ = writeln!(out, " {}", line.trim_end());
    }
}
