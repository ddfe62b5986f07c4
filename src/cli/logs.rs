//! `normc logs RUN`: what happened, in order; also while it happens.

use std::io::{BufWriter, IsTerminal, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map as JsonMap, Value as Json, json};

use crate::base::{FlowIndex, LoopPath, date, iso, nearest, time_of_day};
use crate::engine::{Past, RunError};
use crate::report::say;
use crate::report::{
    call_text, duration, happening_json, happening_text, model_json, place_text, plain_line, step_text,
};
use crate::run::record::{Decoder, Epoch, Kind, Record, Redone, peek};
use crate::run::replay::Survey;
use crate::run::{Graph, StepKey};
use crate::store::Frame;

use super::Exit;
use super::output::{Form, complain};
use super::runs::{life_text, redone_text};
use super::stores::{StoreArgument, find, report_error};

/// How often a run at work is looked at.
const PAUSE: Duration = Duration::from_millis(100);
/// How often it is asked whether anybody still works on it.
const ASK: Duration = Duration::from_millis(500);

/// Tell what happened in a run, step by step
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  normc logs last\n  normc logs 01K2 --step 1.2        all loop positions of an \
                        inference\n  normc logs 01K2 --step '1.2[3]'   one of them\n  normc logs last -f                while \
                        it happens, until the run ends\n\nTimes are UTC; a line without one is of a step without calls, \
                        which takes next to none. What scripts printed stands indented below their step. A run \
                        that another process is at work on can be read like any other."
)]
pub(super) struct Arguments {
    /// The run: an id, the beginning of one, a name, or `last`
    run: String,
    /// Only this inference (1.2), or this step (1.2[3])
    #[arg(long, value_name = "STEP")]
    step: Option<String>,
    /// Go on until the run ends
    #[arg(short, long)]
    follow: bool,
    #[command(flatten)]
    store: StoreArgument,
    /// How to print; json is one object a line
    #[arg(long, value_enum, default_value_t)]
    format: Form,
}

pub(super) fn run(arguments: &Arguments) -> Exit {
    tell(arguments).unwrap_or_else(|exit| exit)
}

/// The steps a user asks for.
#[derive(Debug)]
struct Wanted {
    flow: FlowIndex,
    path: Option<LoopPath>,
}

/// A step as the user writes it: a flow index, with a loop position or without.
pub(super) fn parse_step(text: &str) -> Option<(FlowIndex, Option<LoopPath>)> {
    let text = text.trim();
    match text.split_once('[') {
        None => Some((text.parse().ok()?, None)),
        Some((flow, rest)) => {
            let positions = rest.strip_suffix(']')?.split(',');
            let path: Option<_> = positions.map(|p| p.trim().parse().ok().filter(|p| *p > 0)).collect();
            Some((flow.trim().parse().ok()?, Some(LoopPath(path?))))
        }
    }
}

/// Says that the plan has no such step, with those that it has.
pub(super) fn unknown_step(graph: &Graph, wanted: &str) -> Exit {
    let flows: Vec<String> = graph.model.inferences.iter().map(|i| i.flow.to_string()).collect();
    let bare = wanted.split('[').next().unwrap_or(wanted).trim();
    let names = graph.model.inferences.iter().map(|i| &**graph.concept_name(i.target));
    let near = match bare.parse::<FlowIndex>() {
        // Of flow indices the nearest in the tree, not in letters.
        Ok(flow) => flow.parent().map(|p| p.to_string()).filter(|p| flows.contains(p)),
        Err(_) => nearest(bare, names).map(str::to_owned),
    };
    let mut help = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    help.push_str("the plan has ");
    const MOST: usize = 24;
    help.push_str(&flows.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join(", "));
    if flows.len() > MOST {
        let last = flows.last().map_or("", String::as_str);
        help.push_str(&format!(", ... {last} ({} in all; `normc runs show` lists them)", flows.len()));
    }
    complain(&format!("there is no step `{}` in the plan of the run", plain_line(wanted)), Some(&help));
    Exit::NotFound
}

fn tell(arguments: &Arguments) -> Result<Exit, Exit> {
    let failed = |error: RunError| report_error(&error);
    let run = find(&arguments.store.open(), &arguments.run).map_err(|error| failed(error.into()))?;
    let wanted = match &arguments.step {
        None => None,
        Some(step) => {
            let (flow, path) = parse_step(step).ok_or_else(|| {
                let help = "write a flow index like 1.2, with a loop position or without: 1.2[3]";
                complain(&format!("`{}` is no step", plain_line(step)), Some(help));
                Exit::Usage
            })?;
            Some(Wanted { flow, path })
        }
    };
    let mut reader = run.journal().map_err(|error| failed(error.into()))?;
    let past = Past { run, survey: Survey::default() };
    let out = std::io::stdout().lock();
    let mut teller = Teller {
        past: &past,
        graph: None,
        decoder: Decoder::default(),
        wanted,
        asked: arguments.step.as_deref().unwrap_or_default(),
        form: arguments.format,
        at: 0,
        day: String::new(),
        shown: String::new(),
        pending: None,
        over: false,
        out: BufWriter::with_capacity(1 << 16, out),
    };
    let mut asked = Instant::now();
    let mut alone = false;
    loop {
        while let Some(frame) = reader.next().map_err(|error| {
            let _ = teller.out.flush();
            failed(error.into())
        })? {
            teller.frame(&frame)?;
        }
        let live = !teller.over;
        if !arguments.follow || teller.over || alone {
            teller.flush()?;
            return Ok(teller.last_words(live, alone));
        }
        teller.flush()?;
        std::thread::sleep(PAUSE);
        if asked.elapsed() >= ASK {
            asked = Instant::now();
            // Once more from the journal: it may have ended between the two looks.
            alone = past.run.holder().is_none();
        }
    }
}

/// Turns frames into lines.
struct Teller<'a> {
    past: &'a Past,
    /// The plan of the epoch.
    graph: Option<Arc<Graph>>,
    decoder: Decoder,
    wanted: Option<Wanted>,
    asked: &'a str,
    form: Form,
    /// The last time that was written down.
    at: u64,
    day: String,
    /// The last time that was printed.
    shown: String,
    /// What a step printed, until its event comes.
    pending: Option<crate::run::record::StepLog>,
    /// The last record says that the run ended or was stopped.
    over: bool,
    out: BufWriter<std::io::StdoutLock<'a>>,
}

impl Teller<'_> {
    fn frame(&mut self, frame: &Frame<'_>) -> Result<(), Exit> {
        self.over = matches!(frame.kind, Kind::End | Kind::Suspended);
        if self.wanted.is_some()
            && let Some(found) = peek(frame.kind, frame.body)
            && !self.is_wanted(&found.step)
        {
            return Ok(());
        }
        let read = self.decoder.read(frame.kind, frame.body, &mut &self.past.run);
        let record = match read {
            Ok(record) => record,
            Err(problem) => {
                let run = self.past.run.id().to_owned();
                let _ = self.out.flush();
                return Err(report_error(&RunError::Record { run, seq: frame.seq, problem }));
            }
        };
        match &record {
            Record::Run(info) => self.enter(&info.epoch)?,
            Record::Resumed(epoch) => self.enter(epoch)?,
            Record::Suspended(stop) => self.at = stop.at,
            Record::End(end) => self.at = end.at,
            Record::Intent(intent) => self.at = intent.at,
            Record::Log(log) => self.at = log.at,
            Record::Call(call) => self.at = call.at,
            Record::Question(asked) => self.at = asked.at.max(self.at),
            _ => {}
        }
        if let Record::Log(log) = record {
            // It stands right before the event it belongs to, and is told with it.
            self.pending = Some(log);
            return Ok(());
        }
        match self.form {
            Form::Human => self.human(&record),
            Form::Json => self.json(frame.seq, &record),
        }
    }

    /// A new epoch has its own plan, by which its steps are named.
    fn enter(&mut self, epoch: &Epoch) -> Result<(), Exit> {
        self.at = epoch.at;
        let plan = self.past.plan(epoch).map_err(|error| report_error(&error))?;
        let graph = plan.graph;
        if let Some(wanted) = &self.wanted
            && !graph.model.inferences.iter().any(|i| i.flow == wanted.flow)
            && self.graph.is_none()
        {
            return Err(unknown_step(&graph, self.asked));
        }
        self.graph = Some(graph);
        Ok(())
    }

    fn is_wanted(&self, step: &StepKey) -> bool {
        let (Some(wanted), Some(graph)) = (&self.wanted, &self.graph) else { return true };
        let known = graph.model.inferences.get(step.item.at()).is_some_and(|i| i.flow == wanted.flow);
        known && wanted.path.as_ref().is_none_or(|path| *path == step.path)
    }

    fn human(&mut self, record: &Record) -> Result<(), Exit> {
        let Some(graph) = self.graph.clone() else { return Ok(()) };
        match record {
            Record::Intent(intent) => {
                let again =
                    if intent.attempt > 1 { format!(", try {}", intent.attempt) } else { String::new() };
                let once = if intent.once { ", must not run twice" } else { "" };
                let step = step_text(&graph, &intent.step);
                self.line(true, Some(intent.round), &format!("{step}: started{again}{once}"))
            }
            Record::Call(call) => {
                let took = duration(Duration::from_micros(call.micros));
                let end = match &call.answer {
                    Ok(_) => String::new(),
                    Err(failure) => format!(", failed: {}", plain_line(&failure.message)),
                };
                let (place, what) = (place_text(call.place), call_text(call));
                let text = format!("{}: {place}: {what} ({took}){end}", step_text(&graph, &call.step));
                self.line(true, Some(call.round), &text)
            }
            Record::Question(asked) => {
                let until = asked.deadline().map(|d| format!(", until {}", iso(d))).unwrap_or_default();
                let text = format!(
                    "{}: {}: a person is asked{until}",
                    step_text(&graph, &asked.step),
                    place_text(asked.place)
                );
                self.line(true, Some(asked.round), &text)
            }
            Record::Step(event) => {
                let log = self.pending.take().filter(|log| log.step == event.step);
                let took = match &log {
                    Some(log) if log.calls > 0 => {
                        format!(" ({})", duration(Duration::from_micros(log.micros)))
                    }
                    _ => String::new(),
                };
                let step = step_text(&graph, &event.step);
                let text = format!("{step}: {}{took}", happening_text(&graph, event));
                self.line(log.is_some(), Some(event.round), &text)?;
                for output in log.iter().flat_map(|log| &log.outputs) {
                    for (mark, text) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
                        for line in text.lines() {
                            self.write(&format!("{:31}{mark} | {}\n", "", plain_line(line)))?;
                        }
                    }
                }
                if let crate::run::Happening::Failed(failure) = &event.what {
                    for line in failure.detail.iter().flat_map(|detail| detail.lines()) {
                        self.write(&format!("{:31}trace  | {}\n", "", plain_line(line)))?;
                    }
                }
                Ok(())
            }
            Record::Redo(entries) => {
                for entry in entries {
                    let text =
                        format!("again: {}: {}", redone_text(&graph, &entry.what), plain_line(&entry.reason));
                    self.line(false, None, &text)?;
                }
                Ok(())
            }
            record => match life_text(record) {
                Some(text) => self.line(true, None, &text),
                None => Ok(()),
            },
        }
    }

    /// `timed`: the record has a time of its own.
    fn line(&mut self, timed: bool, cycle: Option<u32>, text: &str) -> Result<(), Exit> {
        let day = date(self.at);
        if day != self.day {
            self.write(&format!("{day} UTC\n"))?;
            self.day = day;
        }
        let time = if timed { time_of_day(self.at) } else { String::new() };
        // A time that was just printed says nothing new.
        let time = if time == self.shown { String::new() } else { time };
        if !time.is_empty() {
            self.shown.clone_from(&time);
        }
        let cycle = cycle.map(|cycle| format!("cycle {cycle}")).unwrap_or_default();
        self.write(&format!("{time:12}  {cycle:<11}  {text}\n"))
    }

    fn json(&mut self, seq: u64, record: &Record) -> Result<(), Exit> {
        let Some(graph) = self.graph.clone() else { return Ok(()) };
        let mut fields = JsonMap::new();
        let mut put = |name: &str, value: Json| drop(fields.insert(name.to_owned(), value));
        put("record", seq.into());
        let step = |put: &mut dyn FnMut(&str, Json), step: &StepKey, round: u32| {
            put("step", graph.step_name(step).into());
            put("concept", (**graph.item_name(step.item)).into());
            put("cycle", round.into());
        };
        let known = |step: &StepKey| step.item.at() < graph.items.len();
        match record {
            Record::Intent(intent) if known(&intent.step) => {
                put("at", iso(intent.at).into());
                put("what", "started".into());
                step(&mut put, &intent.step, intent.round);
                put("attempt", intent.attempt.into());
                put("once", intent.once.into());
                put("key", intent.key.to_string().into());
            }
            Record::Call(call) if known(&call.step) => {
                put("at", iso(call.at).into());
                put("what", "call".into());
                step(&mut put, &call.step, call.round);
                put("cell", call.place.cell.into());
                put("call", call.place.number.into());
                put("method", call.method.clone().into());
                put("call_us", call.micros.into());
                if let Some(used) = &call.model {
                    put("model", model_json(used));
                }
                if let Err(failure) = &call.answer {
                    put("failed", json!({"kind": failure.kind, "message": failure.message}));
                }
            }
            Record::Question(asked) if known(&asked.step) => {
                put("at", iso(asked.at).into());
                put("what", "question".into());
                step(&mut put, &asked.step, asked.round);
                put("cell", asked.place.cell.into());
                put("call", asked.place.number.into());
                put("deadline", asked.deadline().map(iso).into());
            }
            Record::Step(event) if known(&event.step) => {
                let log = self.pending.take().filter(|log| log.step == event.step);
                put("at", log.as_ref().map(|log| iso(log.at)).into());
                step(&mut put, &event.step, event.round);
                for (name, value) in happening_json(&graph, &event.what) {
                    put(&name, value);
                }
                if let Some(log) = log {
                    put("calls", log.calls.into());
                    put("call_us", log.micros.into());
                    let outputs = log.outputs.iter();
                    let outputs = outputs.map(|o| json!({"stdout": o.stdout, "stderr": o.stderr}));
                    put("printed", outputs.collect());
                }
            }
            Record::Run(info) => {
                put("at", iso(info.epoch.at).into());
                put("what", "begins".into());
                put("run_id", info.id.clone().into());
                put("name", info.name.clone().into());
                put("plan", info.epoch.name.clone().into());
                put("version", info.epoch.version.clone().into());
                put("pid", info.epoch.pid.into());
            }
            Record::Resumed(epoch) => {
                put("at", iso(epoch.at).into());
                put("what", "resumed".into());
                put("mode", epoch.mode.word().into());
                put("plan", epoch.name.clone().into());
                put("version", epoch.version.clone().into());
                put("pid", epoch.pid.into());
            }
            Record::Suspended(stop) => {
                put("at", iso(stop.at).into());
                put("what", "suspended".into());
                put("reason", stop.reason.clone().into());
            }
            Record::Redo(entries) => {
                put("what", "redo".into());
                let again = entries.iter().map(|entry| {
                    let rounds = match entry.what {
                        Redone::Above(round) => Json::from(round),
                        _ => Json::Null,
                    };
                    json!({"what": redone_text(&graph, &entry.what), "above": rounds, "reason": entry.reason})
                });
                put("again", again.collect());
            }
            Record::Repaired(what) => {
                put("what", "repaired".into());
                put("note", what.clone().into());
            }
            Record::End(ending) => {
                put("at", iso(ending.at).into());
                put("what", "ended".into());
                put("status", ending.status.clone().into());
                put("cycles", ending.cycles.into());
                put("steps", ending.completed.into());
                put("skipped", ending.skipped.into());
            }
            _ => return Ok(()),
        }
        let line = Json::Object(fields).to_string();
        self.write(&line)?;
        self.write("\n")
    }

    fn write(&mut self, text: &str) -> Result<(), Exit> {
        let written = self.out.write_all(text.as_bytes());
        broken(written)
    }

    fn flush(&mut self) -> Result<(), Exit> {
        let flushed = self.out.flush();
        broken(flushed)
    }

    /// Says how things stand when nothing more comes.
    fn last_words(&self, live: bool, alone: bool) -> Exit {
        if self.graph.is_none() {
            say!("run {} was stopped before its first step was written down", self.past.run.id());
        } else if alone {
            say!("nobody works on the run any more: its process ended without a last record");
        } else if live && let Some(holder) = self.past.run.holder() {
            let follow = if std::io::stderr().is_terminal() { "; -f shows what comes" } else { "" };
            say!("process {} is at work on the run{follow}", holder.pid);
        }
        Exit::Done
    }
}

/// A reader that closed the pipe has seen enough.
fn broken(written: std::io::Result<()>) -> Result<(), Exit> {
    written.map_err(|error| {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Exit::Done;
        }
        complain(&format!("cannot write to standard output: {error}"), None);
        Exit::InputOutput
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_as_they_are_printed() {
        let step =
            |text: &str| parse_step(text).map(|(flow, path)| (flow.to_string(), path.map(|p| p.to_string())));
        assert_eq!(step("1.2"), Some(("1.2".into(), None)));
        assert_eq!(step(" 1.2[3, 1]"), Some(("1.2".into(), Some("[3,1]".into()))));
        for bad in ["", "1.", "1.2[", "1.2[]", "1.2[0]", "1.2[a]", "{x}", "1.2]", "1.2[3]x"] {
            assert_eq!(step(bad), None, "{bad}");
        }
    }
}
