//! The explanation of a step, for people.

use std::fmt::Write;
use std::time::Duration;

use crate::base::{date, text_of, time_of_day};
use crate::repo::ConceptId;
use crate::report::{
    cell_text, duration, happening_text, moment, plain_line, plain_text, preview, skip_text, step_text,
    value_text,
};
use crate::run::graph::Why;
use crate::run::provenance::{Origin, Part, Seen};
use crate::run::state::Status;
use crate::run::{Happening, SkipCause, waits_for};

use super::asked::asked;
use super::find::{Exchange, Try};
use super::gather::{Explained, Gate, Input, Waited, called, inputs_of};
use super::tree::{Node, Source, is_instruction};

/// Calls of one step that are shown; the others are counted.
const MOST_CALLS: usize = 8;
/// Loop positions that are listed.
const MOST_POSITIONS: usize = 40;
/// Things a step waited for that are listed.
const MOST_WAITED: usize = 30;
/// Inputs of a call are cut at this many characters.
const LONGEST_INPUT: usize = 200;

/// The explanation as lines.
pub(super) fn text(explained: &Explained) -> String {
    let mut out = String::new();
    header(&mut out, explained);
    if explained.found.step.is_none() {
        only_data(&mut out, explained);
        return out;
    }
    why(&mut out, explained);
    saw(&mut out, explained);
    for warning in explained.records().log.iter().flat_map(|log| &log.warnings) {
        let _ = writeln!(out, "\nwarning: {}", plain_line(warning));
    }
    calls(&mut out, explained);
    asked(&mut out, &explained.records().calls);
    gave(&mut out, explained);
    tries(&mut out, explained);
    if !explained.tree.is_empty() {
        out.push_str("\ncame from\n");
        for node in &explained.tree {
            tell(&mut out, explained, node, 1);
        }
        if explained.tree.iter().any(has_more) {
            let _ = writeln!(out, "  (… goes further back: --depth {})", explained.depth + 3);
        }
    }
    out
}

fn name(explained: &Explained, concept: ConceptId) -> String {
    let known = explained.graph.model.concepts.get(concept.0 as usize);
    known.map(|c| plain_line(&c.name).into_owned()).unwrap_or_default()
}

fn header(out: &mut String, explained: &Explained) {
    let (graph, found) = (&explained.graph, &explained.found);
    let Some(step) = &found.step else { return };
    let inference = graph.inference(step.item);
    let place = match &explained.source {
        Some((file, line, _)) => format!("  {}:{line}", plain_line(file)),
        None => String::new(),
    };
    let sequence = plain_line(&inference.sequence);
    let _ = writeln!(out, "{}  {sequence}{place}", step_text(graph, step));
    if let Some((.., Some(line))) = &explained.source {
        let _ = writeln!(out, "  {}", plain_line(line));
    }
    if let Some(function) = inference.function {
        let _ = writeln!(out, "  <= {}", name(explained, function));
    }
    if !found.others.is_empty() {
        let others: Vec<String> =
            found.others.iter().map(|item| graph.inference(*item).flow.to_string()).collect();
        let concept = found.concept.map(|c| name(explained, c)).unwrap_or_default();
        let _ = writeln!(out, "  {concept} is also given by {}", others.join(", "));
    }
    if !found.named && found.positions.len() > 1 {
        let shown: Vec<String> =
            found.positions.iter().take(MOST_POSITIONS).map(ToString::to_string).collect();
        let more = found.positions.len().saturating_sub(MOST_POSITIONS);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let _ = writeln!(out, "  ran at {}{more}; this is the last one", shown.join(" "));
    }
}

/// A concept that no step gives.
fn only_data(out: &mut String, explained: &Explained) {
    let Some(concept) = explained.found.concept else { return };
    let name = name(explained, concept);
    match explained.data.get(concept.0 as usize).and_then(Option::as_ref) {
        Some(value) => {
            let _ = writeln!(out, "no step gives {name}: it is {}", start(explained, concept));
            out.push_str(&plain_text(&value_text(&name, value)));
        }
        None => drop(out.write_str(&format!("no step gives {name}, and it has no data\n"))),
    }
}

fn start(explained: &Explained, concept: ConceptId) -> &'static str {
    if explained.is_given(concept) {
        "start data given with --inputs or --set"
    } else {
        "start data of the plan"
    }
}

/// When something happened, as far as that is known.
fn when(explained: &Explained, seq: u64) -> String {
    let at = explained.told.get(&seq).and_then(|told| told.at);
    at.map(|at| format!(", {} {} UTC", date(at), time_of_day(at))).unwrap_or_default()
}

fn why(out: &mut String, explained: &Explained) {
    out.push('\n');
    match &explained.records().event {
        Some((seq, event)) => {
            let cycle = event.round;
            let when = when(explained, *seq);
            match &event.what {
                Happening::Skipped(cause) => {
                    let _ = writeln!(out, "was skipped in cycle {cycle} (record {seq}{when})");
                    let _ = writeln!(out, "  because {}", skip_text(&explained.graph, cause));
                    skipped_by(out, explained, cause);
                }
                Happening::Failed(_) => drop(writeln!(out, "failed in cycle {cycle} (record {seq}{when})")),
                _ => drop(writeln!(out, "ran in cycle {cycle} (record {seq}{when})")),
            }
        }
        None => not_settled(out, explained),
    }
    let ran = explained.records().event.is_some()
        || open_try(explained).is_some()
        || explained.the_loop.as_ref().is_some_and(|l| l.done);
    for gate in &explained.gates {
        gate_line(out, explained, gate);
    }
    for waited in explained.waited.iter().filter(|w| w.why != Why::Gate).take(MOST_WAITED) {
        waited_line(out, explained, waited, ran);
    }
    if explained.waited.len() > MOST_WAITED {
        let _ = writeln!(out, "  and {} more", explained.waited.len() - MOST_WAITED);
    }
    if explained.waited.is_empty() && ran {
        out.push_str("  it had nothing to wait for\n");
    }
}

/// The try that was begun and has no end.
fn open_try(explained: &Explained) -> Option<&Try> {
    let records = explained.records();
    records.tries.last().filter(|t| t.ended.is_none() && records.event.is_none())
}

fn not_settled(out: &mut String, explained: &Explained) {
    let records = explained.records();
    if let Some(the_loop) = &explained.the_loop
        && (the_loop.done || the_loop.iterations > 0)
    {
        let iterations = the_loop.iterations;
        let word = if the_loop.done { "ended" } else { "is under way" };
        let _ = writeln!(out, "the loop {word}; {iterations} iterations gave a result");
        return;
    }
    match open_try(explained) {
        Some(open) => {
            let at = moment(open.intent.at);
            let asks = records.calls.iter().any(|c| c.counts && matches!(c.what, Exchange::Open(_)));
            let text = if explained.alive {
                format!("is at work since {at} UTC")
            } else if asks {
                format!("waits for an answer: begun {at} UTC; `normc answer` gives one")
            } else {
                format!("was interrupted: begun {at} UTC, and no end of it was written down")
            };
            let _ = writeln!(out, "{text}");
            return;
        }
        None if records.before.is_empty() => out.push_str("did not run\n"),
        None => out.push_str("did not run again since its earlier results were taken back\n"),
    }
    if let Some(absent) = &explained.absent {
        let _ = writeln!(out, "  {absent}");
    } else if let Some(stuck) = &explained.stuck {
        let waits: Vec<String> = stuck
            .blockers
            .iter()
            .map(|b| plain_line(&waits_for(&explained.graph, *b)).into_owned())
            .collect();
        if !waits.is_empty() {
            let _ = writeln!(out, "  it waits for {}", waits.join(", "));
        } else if explained.alive {
            out.push_str("  it can start\n");
        } else if !stuck.failed {
            out.push_str("  nothing held it up: the run was stopped before it could start\n");
        }
    }
}

/// Who is behind a skip.
fn skipped_by(out: &mut String, explained: &Explained, cause: &SkipCause) {
    let SkipCause::Input(concept) = cause else { return };
    let input = explained.inputs.iter().find(|i| i.seen.read.concept == *concept);
    if let Some(Input { origin: Origin::Event(_), .. }) = input {
        out.push_str("  who skipped that stands below\n");
    }
}

fn gate_line(out: &mut String, explained: &Explained, gate: &Gate) {
    let graph = &explained.graph;
    let state = match gate.status {
        Status::Open => "let it run",
        Status::Closed => "is closed",
        Status::Skipped => "was skipped itself, so it does not hold",
        Status::Failed => "failed",
        _ => "is not decided",
    };
    let _ = writeln!(out, "  gate {} {state}", step_text(graph, &gate.step));
    for seen in &gate.asked {
        let _ = writeln!(out, "    {}", condition(explained, seen, gate.status));
    }
}

fn condition(explained: &Explained, seen: &Seen, gate: Status) -> String {
    let name = name(explained, seen.read.concept);
    match (seen.skipped, seen.met, &seen.value) {
        (true, ..) => format!("{name} was skipped"),
        (_, Some(true), _) => format!("{name} is met"),
        (_, Some(false), _) => format!("{name} is not met"),
        (.., Some(value)) => format!("{name} = {}", preview(value)),
        _ if gate.is_settled() => format!("{name} is settled"),
        _ => format!("{name} is not settled"),
    }
}

fn waited_line(out: &mut String, explained: &Explained, waited: &Waited, ran: bool) {
    let graph = &explained.graph;
    let why = match waited.why {
        Why::Concept(concept) => format!("for {}", name(explained, concept)),
        Why::Support => "which stands below it".to_owned(),
        Why::Gate => "its gate".to_owned(),
        Why::Position(concept) => format!("which comes first, for both touch {}", name(explained, concept)),
    };
    let state = match (waited.status, waited.round) {
        (Status::Skipped, Some(round)) => format!("skipped in cycle {round}"),
        (Status::Failed, _) => "failed".to_owned(),
        (status, Some(round)) if status.is_settled() => format!("settled in cycle {round}"),
        (status, None) if status.is_settled() => "settled".to_owned(),
        (Status::Running, _) => "is under way".to_owned(),
        _ => "is not settled".to_owned(),
    };
    let when = waited.seq.map(|seq| format!(" (record {seq}{})", when(explained, seq))).unwrap_or_default();
    let verb = if ran { "waited for" } else { "waits for" };
    let _ = writeln!(out, "  {verb} {}, {why}: {state}{when}", step_text(graph, &waited.step));
}

fn indented(out: &mut String, text: &str, by: usize) {
    for line in text.lines() {
        let _ = writeln!(out, "{:by$}{line}", "");
    }
}

fn saw(out: &mut String, explained: &Explained) {
    let event = explained.records().event.as_ref().map(|(_, event)| &event.what);
    let heading = match event {
        Some(Happening::Skipped(_)) => "\nwould have seen\n",
        None if explained.the_loop.is_none() && open_try(explained).is_none() => {
            "\nwould see, as things stand\n"
        }
        _ => "\nsaw\n",
    };
    let (passed, waited): (Vec<&Input>, Vec<&Input>) =
        explained.inputs.iter().partition(|i| !matches!(i.seen.read.part, Part::Waited | Part::Function));
    if !passed.is_empty() {
        out.push_str(heading);
    }
    // Who does the step is told with its calls.
    let told = !explained.calls.is_empty();
    for input in passed.into_iter().filter(|i| !(told && i.seen.value.as_ref().is_some_and(is_instruction))) {
        let seen = &input.seen;
        let name = name(explained, seen.read.concept);
        match (&seen.value, &seen.problem) {
            (_, Some(problem)) => drop(writeln!(out, "  {name}: {}", plain_line(problem))),
            (Some(value), None) => indented(out, &plain_text(&value_text(&name, value)), 2),
            (None, None) if seen.skipped => drop(writeln!(out, "  {name} was skipped: no value")),
            (None, None) => drop(writeln!(out, "  {name} has no value")),
        }
        let note = match seen.read.part {
            Part::Destination => "    (what is appended to)\n",
            Part::Base => "    (what the loop walks)\n",
            Part::Initial => "    (what its first iteration gets)\n",
            _ if seen.filtered => "    (what its gate let through; · was filtered out)\n",
            _ => "",
        };
        out.push_str(note);
    }
    if !waited.is_empty() {
        let names: Vec<String> = waited.iter().map(|i| name(explained, i.seen.read.concept)).collect();
        let _ = writeln!(out, "  waited for, and did not see: {}", names.join(", "));
    }
}

fn calls(out: &mut String, explained: &Explained) {
    let calls = &explained.calls;
    let Some(first) = calls.first() else { return };
    let times = if calls.len() > 1 { format!(", {} times", calls.len()) } else { String::new() };
    let _ = writeln!(out, "\ncalled {}{times}", plain_line(&called(explained, first)));
    for call in calls.iter().take(MOST_CALLS) {
        if !call.at.is_empty() {
            let cell: Vec<String> =
                call.at.iter().map(|(axis, at)| format!("{} {}", plain_line(axis), at + 1)).collect();
            let _ = writeln!(out, "  at {}", cell.join(", "));
        }
        for (name, value) in inputs_of(call) {
            let text = text_of(value);
            let mut text = plain_line(&text).into_owned();
            if text.chars().count() > LONGEST_INPUT {
                text = text.chars().take(LONGEST_INPUT - 1).chain(['…']).collect();
            }
            let _ = writeln!(out, "  {name} = {text}");
        }
    }
    if calls.len() > MOST_CALLS {
        let _ = writeln!(out, "  and {} more (`--format json` has all)", calls.len() - MOST_CALLS);
    }
}

fn gave(out: &mut String, explained: &Explained) {
    let target = explained.found.step.as_ref().map(|step| explained.graph.inference(step.item).target);
    let target = target.map(|concept| name(explained, concept)).unwrap_or_default();
    if let Some(result) = explained.the_loop.as_ref().and_then(|l| l.result.as_ref()) {
        out.push_str("\ngave\n");
        indented(out, &plain_text(&value_text(&target, result)), 2);
    }
    let Some((_, event)) = &explained.records().event else { return };
    match &event.what {
        Happening::Gave(produced) => {
            out.push_str("\ngave\n");
            indented(out, &plain_text(&value_text(&target, &produced.value)), 2);
            match produced.met {
                Some(true) => out.push_str("  the condition is met\n"),
                Some(false) => out.push_str("  the condition is not met\n"),
                None => {}
            }
            if let Some(mask) = &produced.mask {
                let cells: Vec<String> = mask.tensor.cells().take(40).map(cell_text).collect();
                let _ = writeln!(out, "  element by element: {}", plain_line(&cells.join(" ")));
            }
        }
        Happening::Appended { item, .. } => {
            out.push_str("\nappended\n");
            indented(out, &plain_text(&value_text(&target, item)), 2);
        }
        Happening::Failed(failure) => {
            let _ = writeln!(out, "\nfailed\n  {}", plain_line(&failure.message));
            if let Some(help) = &failure.help {
                let _ = writeln!(out, "  help: {}", plain_line(help));
            }
            for line in failure.detail.iter().flat_map(|detail| detail.lines()) {
                let _ = writeln!(out, "  | {}", plain_line(line));
            }
        }
        Happening::Skipped(_) => {}
        _ => drop(writeln!(out, "\n{}", happening_text(&explained.graph, event))),
    }
    if let Some(log) = &explained.records().log
        && log.calls > 0
    {
        let calls = if log.calls == 1 { "1 call".to_owned() } else { format!("{} calls", log.calls) };
        let _ = writeln!(out, "  took {} in {calls}", duration(Duration::from_micros(log.micros)));
    }
    let outputs = explained.records().log.iter().flat_map(|log| &log.outputs);
    for (place, output) in outputs.enumerate() {
        if place == 0 {
            out.push_str("\nprinted\n");
        }
        for (mark, text) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            for line in text.lines() {
                let _ = writeln!(out, "  {mark} | {}", plain_line(line));
            }
        }
    }
}

fn tries(out: &mut String, explained: &Explained) {
    let records = explained.records();
    let plain = records.tries.len() == 1 && records.tries.iter().all(|t| t.ended.is_some() && t.counts);
    if (!records.tries.is_empty() && !plain) || !records.before.is_empty() || !records.redone.is_empty() {
        out.push_str("\ntries\n");
        for one in &records.tries {
            let end = match (one.ended, one.counts) {
                (Some(seq), true) => format!("ended in record {seq}"),
                (Some(seq), false) => format!("ended in record {seq}, and was taken back"),
                (None, _) if explained.alive && records.tries.last().is_some_and(|t| t.seq == one.seq) => {
                    "is under way".to_owned()
                }
                (None, _) => "was interrupted".to_owned(),
            };
            let at = moment(one.intent.at);
            let _ = writeln!(out, "  try {} (record {}), begun {at} UTC, {end}", one.intent.attempt, one.seq);
        }
        for (seq, event) in &records.before {
            let text = happening_text(&explained.graph, event);
            let _ = writeln!(out, "  record {seq} no longer counts: {text}");
        }
        for (seq, reason) in &records.redone {
            let _ = writeln!(out, "  again since record {seq}: {}", plain_line(reason));
        }
    }
}

fn tell(out: &mut String, explained: &Explained, node: &Node, depth: usize) {
    let graph = &explained.graph;
    let indent = depth * 2;
    let concept = name(explained, node.concept);
    let mark = match (node.again, node.more) {
        (true, _) => "  (told above)",
        (_, true) => "  …",
        _ => "",
    };
    let line = match &node.from {
        Source::Start => {
            let data = explained.data.get(node.concept.0 as usize).and_then(Option::as_ref);
            let value = data.map(|value| format!(" = {}", preview(value))).unwrap_or_default();
            format!("{concept}{value}: {}", start(explained, node.concept))
        }
        Source::Step { seq, step, round, .. } => {
            let what =
                explained.told.get(seq).map(|told| happening_text(graph, &told.event)).unwrap_or_default();
            format!("{concept} ← {} {what} (cycle {round})", graph.step_name(step))
        }
        Source::Loop(step) => format!("{concept} ← loop {}", graph.step_name(step)),
        Source::Element { position, base } => {
            let base_name = name(explained, *base);
            let whole =
                if node.inputs.is_empty() { format!(", {}", start(explained, *base)) } else { String::new() };
            format!("{concept} is element {position} of {base_name}{whole}")
        }
    };
    let _ = writeln!(out, "{:indent$}{line}{mark}", "");
    for input in &node.inputs {
        tell(out, explained, input, depth + 1);
    }
    if node.left_out > 0 {
        let indent = indent + 2;
        let _ = writeln!(out, "{:indent$}and {} more iterations", "", node.left_out);
    }
}

fn has_more(node: &Node) -> bool {
    node.more || node.inputs.iter().any(has_more)
}
