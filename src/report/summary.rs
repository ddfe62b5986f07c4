//! The summary of a run: how it ended, counts of steps, skips and iterations, where the time went.

use std::fmt::Write;
use std::time::Duration;

use crate::repo::Work;
use crate::run::{Outcome, Status, Stop};

/// Inferences whose time is shown.
const SLOWEST: usize = 5;

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
        Status::Interrupted if matches!(outcome.stop, Some(Stop::Signal(_))) => "stopped",
        Status::Interrupted => "stopped at the cycle limit",
    };
    let cycles = count(u64::from(outcome.state.highest_round()), "cycle", "cycles");
    let _ = writeln!(out, "{word} in {}: {}, {cycles}", time(outcome.elapsed), parts.join(", "));
    if details {
        slowest(&mut out, outcome);
    }
    out
}

fn slowest(out: &mut String, outcome: &Outcome) {
    let graph = outcome.graph();
    let mut timed: Vec<_> = outcome.times.iter().enumerate().filter(|(_, t)| !t.time.is_zero()).collect();
    timed.sort_by_key(|(_, t)| std::cmp::Reverse(t.time));
    for (item, spent) in timed.into_iter().take(SLOWEST) {
        let Some(inference) = graph.model.inferences.get(item) else { continue };
        let target = graph.concept_name(inference.target);
        let calls = count(spent.calls, "call", "calls");
        let _ = writeln!(out, "  {:>8}  {} {target} ({calls})", time(spent.time), inference.flow);
    }
}
