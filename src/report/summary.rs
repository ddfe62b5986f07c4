//! The summary of a run: how it ended, counts of steps, skips and iterations, where the time went.

use std::fmt::Write;
use std::time::Duration;

use indexmap::IndexMap;

use crate::base::plain_line;
use crate::repo::Work;
use crate::run::{ItemId, Outcome, Spent, Status, StepKey, Stop};

use super::story::step_text;

/// Inferences whose time is shown.
const SLOWEST: usize = 5;

/// Warnings that are shown; `--json` has all of them.
const MOST_WARNINGS: usize = 5;

/// A duration for people.
pub(super) fn time(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        s if s < 0.001 => format!("{:.0} µs", s * 1e6),
        s if s < 1.0 => format!("{:.0} ms", s * 1e3),
        s if s < 60.0 => format!("{s:.1} s"),
        s => format!("{:.0} min {:.0} s", (s / 60.0).floor(), s % 60.0),
    }
}

fn count(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// What models cost, in a few words: `2 calls, 120 tokens in, 34 out, cost 0.000310`.
pub fn spent_text(spent: &Spent) -> String {
    let calls = count(spent.calls, "call", "calls");
    let tries = if spent.tries > spent.calls { format!(" in {} tries", spent.tries) } else { String::new() };
    format!("{calls}{tries}, {}", tokens_text(spent))
}

/// The tokens of calls and what they cost: `120 tokens in, 34 out, cost 0.000310`.
pub(super) fn tokens_text(spent: &Spent) -> String {
    let about = if spent.estimated { "about " } else { "" };
    let mut text = format!("{about}{} tokens in, {} out", spent.prompt_tokens, spent.completion_tokens);
    if spent.micros > 0 {
        let _ = write!(text, ", cost {}", money_text(spent.micros));
    }
    text
}

/// Millionths of the unit of money for people: `0.000310`.
pub fn money_text(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// The summary as lines, each ended. `details` adds the inferences that took longest.
pub fn summary(outcome: &Outcome, details: bool) -> String {
    let graph = outcome.graph();
    let (mut steps, mut skips, mut gates) = (0, 0, 0);
    for (inference, tally) in graph.model.inferences.iter().zip(outcome.state.tally()) {
        skips += tally.skipped;
        match inference.work {
            Work::Timing(_) => gates += tally.completed,
            _ => steps += tally.completed,
        }
    }
    let calls: u64 = outcome.times.iter().map(|t| t.calls).sum();
    let mut out = String::new();
    warnings(&mut out, outcome);
    let mut parts = vec![count(steps, "step", "steps")];
    if calls > 0 {
        parts.push(count(calls, "call", "calls"));
    }
    if gates > 0 {
        parts.push(count(gates, "gate", "gates"));
    }
    if skips > 0 {
        parts.push(format!("{skips} skipped"));
    }
    if !outcome.failures.is_empty() {
        parts.push(format!("{} failed", outcome.failures.len()));
    }
    let word = match outcome.status {
        Status::Completed => "completed",
        Status::Stuck => "stuck: nothing can move",
        Status::Failed => "failed",
        Status::Interrupted => match outcome.stop {
            Some(Stop::Signal(_)) => "stopped",
            Some(Stop::Questions) => "waiting for answers",
            Some(Stop::Budget(_)) => "stopped at the budget",
            Some(Stop::Limit) | None => "stopped at the cycle limit",
        },
    };
    let cycles = count(u64::from(outcome.state.highest_round()), "cycle", "cycles");
    let _ = writeln!(out, "{word} in {}: {}, {cycles}", time(outcome.elapsed), parts.join(", "));
    if !outcome.spent.is_nothing() {
        let _ = writeln!(out, "models: {}", spent_text(&outcome.spent));
    }
    if details {
        slowest(&mut out, outcome);
    }
    out
}

/// What was odd about what steps were given: one line an inference and kind of oddity.
fn warnings(out: &mut String, outcome: &Outcome) {
    let graph = outcome.graph();
    let mut said: IndexMap<(ItemId, &str), (&StepKey, usize)> = IndexMap::new();
    for (step, text) in &outcome.warnings {
        said.entry((step.item, text)).or_insert((step, 0)).1 += 1;
    }
    for ((_, text), (step, times)) in said.iter().take(MOST_WARNINGS) {
        let more = match times - 1 {
            0 => String::new(),
            more => {
                format!(" (and in {more} other {} of its loops)", if more == 1 { "round" } else { "rounds" })
            }
        };
        let _ = writeln!(out, "warning: step {}: {}{more}", step_text(graph, step), plain_line(text));
    }
    if said.len() > MOST_WARNINGS {
        let _ = writeln!(out, "warning: {} more (`--json` has all)", said.len() - MOST_WARNINGS);
    }
}

fn slowest(out: &mut String, outcome: &Outcome) {
    let graph = outcome.graph();
    let mut timed: Vec<_> = outcome.times.iter().enumerate().filter(|(_, t)| !t.time.is_zero()).collect();
    timed.sort_by_key(|(_, t)| std::cmp::Reverse(t.time));
    for (item, spent) in timed.into_iter().take(SLOWEST) {
        let Some(inference) = graph.model.inferences.get(item) else { continue };
        let target = graph.concept_name(inference.target);
        let calls = count(spent.calls, "call", "calls");
        let models = match spent.spent.is_nothing() {
            true => String::new(),
            false => format!("; {}", spent_text(&spent.spent)),
        };
        let _ = writeln!(out, "  {:>8}  {} {target} ({calls}{models})", time(spent.time), inference.flow);
    }
}
