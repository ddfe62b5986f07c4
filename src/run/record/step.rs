//! Records about steps. The body of each begins with the step: item, loop path, round.

use std::sync::Arc;

use crate::base::{Digest, LoopPath, Reader, WireError, Writer};
use crate::repo::ConceptId;

use super::super::event::{Event, Happening, Produced, ScriptPlace, SkipCause, StepFailure, StepKey};
use super::super::graph::ItemId;
use super::super::watch::CallLog;
use super::call::call_timing;
use super::tensor::{self, Fetch, Keep, read_object, write_part};
use super::{Decoder, Kind, RecordError};
use crate::tensor::Axis;

/// A step with calls is about to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// The step.
    pub step: StepKey,
    /// Its round.
    pub round: u32,
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// Which try it is, from 1.
    pub attempt: u32,
    /// What tells two tries of the same work from two works (durability spec, section 6).
    pub key: Digest,
    /// It must never run twice.
    pub once: bool,
}

/// What the calls of a step printed and how long they took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepLog {
    /// The step.
    pub step: StepKey,
    /// Its round.
    pub round: u32,
    /// When it ended, in milliseconds since 1970.
    pub at: u64,
    /// How many calls were made.
    pub calls: u64,
    /// Their time, summed, in microseconds.
    pub micros: u64,
    /// What they printed, silent calls left out.
    pub outputs: Vec<Output>,
    /// What is odd about what the step was given.
    pub warnings: Vec<String>,
}

/// What one call printed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// To its standard output.
    pub stdout: String,
    /// To its standard error.
    pub stderr: String,
}

/// What a record about a step is about, as far as it is needed to find it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// The step.
    pub step: StepKey,
    /// Its round.
    pub round: u32,
}

/// The step a frame is about, read without the rest; none for records about the run itself.
pub fn peek(kind: Kind, body: &[u8]) -> Option<Lookup> {
    if !kind.is_of_step() {
        return None;
    }
    let (step, round) = read_step(&mut Reader::new(body)).ok()?;
    Some(Lookup { step, round })
}

/// When a step's calls began or ended, or one of them did, and what they took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// When the record was made, in milliseconds since 1970.
    pub at: u64,
    /// How many calls were answered; 0 before they were.
    pub calls: u64,
    /// Their time, summed, in microseconds.
    pub micros: u64,
}

/// The times a record about a step holds, read without the rest; none for records without.
pub fn timing(kind: Kind, body: &[u8]) -> Option<Timing> {
    let mut reader = Reader::new(body);
    match kind {
        Kind::Intent => {
            read_step(&mut reader).ok()?;
            Some(Timing { at: reader.number().ok()?, calls: 0, micros: 0 })
        }
        Kind::Log => {
            read_step(&mut reader).ok()?;
            let mut number = || reader.number().ok();
            Some(Timing { at: number()?, calls: number()?, micros: number()? })
        }
        Kind::Call => call_timing(body),
        _ => None,
    }
}

pub(super) fn write_step(out: &mut Writer, step: &StepKey) {
    out.number(u64::from(step.item.0));
    out.number(step.path.0.len() as u64);
    step.path.0.iter().for_each(|position| out.number(u64::from(*position)));
}

pub(super) fn read_step_key(reader: &mut Reader<'_>) -> Result<StepKey, WireError> {
    let item = ItemId(reader.small()?);
    let mut path = LoopPath::default();
    for _ in 0..reader.count()? {
        path.0.push(reader.small()?);
    }
    Ok(StepKey { item, path })
}

pub(super) fn read_step(reader: &mut Reader<'_>) -> Result<(StepKey, u32), WireError> {
    Ok((read_step_key(reader)?, reader.small()?))
}

/// How a happening is numbered.
mod tag {
    pub(super) const GAVE: u8 = 0;
    pub(super) const APPENDED: u8 = 1;
    pub(super) const PASSED: u8 = 2;
    pub(super) const KEPT: u8 = 3;
    pub(super) const CLOSED: u8 = 4;
    pub(super) const OPEN: u8 = 5;
    pub(super) const BY_GATE: u8 = 6;
    pub(super) const BY_INPUT: u8 = 7;
    pub(super) const TOLD: u8 = 8;
}

/// Writes the body of an event and returns its kind.
pub fn write_event(out: &mut Writer, event: &Event, keep: &mut dyn Keep) -> Kind {
    write_step(out, &event.step);
    out.number(u64::from(event.round));
    match &event.what {
        Happening::Gave(produced) => {
            out.byte(tag::GAVE);
            out.byte(match produced.met {
                None => 0,
                Some(false) => 1,
                Some(true) => 2,
            });
            write_part(out, keep, |out| tensor::write_tensor(out, &produced.value));
            out.byte(u8::from(produced.mask.is_some()));
            if let Some(mask) = &produced.mask {
                write_part(out, keep, |out| tensor::write_mask(out, mask));
            }
        }
        Happening::Appended { item, axis } => {
            out.byte(tag::APPENDED);
            out.optional(axis.as_ref().map(Axis::as_str));
            write_part(out, keep, |out| tensor::write_tensor(out, item));
        }
        Happening::Passed => out.byte(tag::PASSED),
        Happening::Kept => out.byte(tag::KEPT),
        Happening::Gate { open } => out.byte(if *open { tag::OPEN } else { tag::CLOSED }),
        Happening::Skipped(SkipCause::Gate(gate)) => {
            out.byte(tag::BY_GATE);
            out.number(u64::from(gate.0));
            return Kind::Skipped;
        }
        Happening::Skipped(SkipCause::Input(concept)) => {
            out.byte(tag::BY_INPUT);
            out.number(u64::from(concept.0));
            return Kind::Skipped;
        }
        Happening::Skipped(SkipCause::Told) => {
            out.byte(tag::TOLD);
            return Kind::Skipped;
        }
        Happening::Failed(failure) => {
            write_part(out, keep, |out| write_failure(out, failure));
            return Kind::Failed;
        }
    }
    Kind::Result
}

impl Decoder {
    pub(super) fn read_event(
        &mut self,
        kind: Kind,
        reader: &mut Reader<'_>,
        fetch: &mut dyn Fetch,
    ) -> Result<Event, RecordError> {
        let (step, round) = read_step(reader)?;
        if kind == Kind::Failed {
            let failure = part(reader, fetch, read_failure)?;
            return Ok(Event { step, round, what: Happening::Failed(Arc::new(failure)) });
        }
        let what = match (reader.byte()?, kind) {
            (tag::GAVE, Kind::Result) => {
                let met = match reader.byte()? {
                    0 => None,
                    1 => Some(false),
                    2 => Some(true),
                    _ => return Err(WireError::Bad("a verdict is none").into()),
                };
                let value = part(reader, fetch, |r| self.axes.tensor(r))?;
                let mask = match reader.truth()? {
                    true => Some(part(reader, fetch, |r| self.axes.mask(r))?),
                    false => None,
                };
                Happening::Gave(Produced { value, met, mask })
            }
            (tag::APPENDED, Kind::Result) => {
                let axis = reader.optional()?.map(Axis::from);
                Happening::Appended { item: part(reader, fetch, |r| self.axes.tensor(r))?, axis }
            }
            (tag::PASSED, Kind::Result) => Happening::Passed,
            (tag::KEPT, Kind::Result) => Happening::Kept,
            (tag::OPEN, Kind::Result) => Happening::Gate { open: true },
            (tag::CLOSED, Kind::Result) => Happening::Gate { open: false },
            (tag::BY_GATE, Kind::Skipped) => Happening::Skipped(SkipCause::Gate(ItemId(reader.small()?))),
            (tag::BY_INPUT, Kind::Skipped) => {
                Happening::Skipped(SkipCause::Input(ConceptId(reader.small()?)))
            }
            (tag::TOLD, Kind::Skipped) => Happening::Skipped(SkipCause::Told),
            _ => return Err(WireError::Bad("an event of an unknown kind").into()),
        };
        Ok(Event { step, round, what })
    }
}

/// Reads a part where it stands, or the object it names.
pub(super) fn part<T>(
    reader: &mut Reader<'_>,
    fetch: &mut dyn Fetch,
    read: impl FnOnce(&mut Reader<'_>) -> Result<T, RecordError>,
) -> Result<T, RecordError> {
    let Some((digest, size)) = read_object(reader)? else { return read(reader) };
    let bytes = fetch.fetch(&digest).map_err(|problem| RecordError::Object(digest, problem))?;
    if bytes.len() as u64 != size {
        let problem = format!("it has {} bytes where {size} are wanted", bytes.len());
        return Err(RecordError::Object(digest, problem));
    }
    let mut inner = Reader::new(&bytes);
    let value = read(&mut inner)?;
    inner.end()?;
    Ok(value)
}

pub(super) fn write_failure(out: &mut Writer, failure: &StepFailure) {
    out.text(&failure.kind);
    out.text(&failure.message);
    out.optional(failure.help.as_deref());
    out.number(failure.cell.len() as u64);
    for (axis, position) in &failure.cell {
        out.text(axis);
        out.number(*position as u64);
    }
    out.optional(failure.script.as_ref().map(|place| place.path.as_str()));
    if let Some(place) = &failure.script {
        out.number(place.line.map_or(0, u64::from));
    }
    out.optional(failure.detail.as_deref());
}

pub(super) fn read_failure(reader: &mut Reader<'_>) -> Result<StepFailure, RecordError> {
    let (kind, message) = (reader.text()?.to_owned(), reader.text()?.to_owned());
    let help = reader.optional()?.map(Box::from);
    let mut cell = Vec::new();
    for _ in 0..reader.count()? {
        cell.push((reader.text()?.to_owned(), reader.small()? as usize));
    }
    let script = match reader.optional()? {
        Some(path) => {
            let line = Some(reader.small()?).filter(|line| *line > 0);
            Some(Box::new(ScriptPlace { path: path.to_owned(), line }))
        }
        None => None,
    };
    let detail = reader.optional()?.map(Box::from);
    Ok(StepFailure { kind, message, help, cell, script, detail })
}

/// Writes the body of an intent.
pub fn write_intent(out: &mut Writer, intent: &Intent) {
    write_step(out, &intent.step);
    out.number(u64::from(intent.round));
    out.number(intent.at);
    out.number(u64::from(intent.attempt));
    out.digest(&intent.key);
    out.byte(u8::from(intent.once));
}

pub(super) fn read_intent(reader: &mut Reader<'_>) -> Result<Intent, WireError> {
    let (step, round) = read_step(reader)?;
    Ok(Intent {
        step,
        round,
        at: reader.number()?,
        attempt: reader.small()?,
        key: reader.digest()?,
        once: reader.truth()?,
    })
}

/// Writes the body of a step's log.
pub fn write_log(out: &mut Writer, step: &StepKey, round: u32, at: u64, log: &CallLog, keep: &mut dyn Keep) {
    write_step(out, step);
    out.number(u64::from(round));
    out.number(at);
    out.number(log.calls as u64);
    out.number(u64::try_from(log.time.as_micros()).unwrap_or(u64::MAX));
    write_part(out, keep, |out| {
        out.number(log.outputs.len() as u64);
        for output in &log.outputs {
            out.text(&output.stdout);
            out.text(&output.stderr);
        }
    });
    // Nothing stands here when there are none, as in journals that know of none.
    if !log.warnings.is_empty() {
        out.number(log.warnings.len() as u64);
        log.warnings.iter().for_each(|warning| out.text(warning));
    }
}

pub(super) fn read_log(reader: &mut Reader<'_>, fetch: &mut dyn Fetch) -> Result<StepLog, RecordError> {
    let (step, round) = read_step(reader)?;
    let (at, calls, micros) = (reader.number()?, reader.number()?, reader.number()?);
    let outputs = part(reader, fetch, |reader| {
        let mut outputs = Vec::new();
        for _ in 0..reader.count()? {
            outputs.push(Output { stdout: reader.text()?.to_owned(), stderr: reader.text()?.to_owned() });
        }
        Ok(outputs)
    })?;
    let mut warnings = Vec::new();
    if !reader.rest().is_empty() {
        for _ in 0..reader.count()? {
            warnings.push(reader.text()?.to_owned());
        }
    }
    Ok(StepLog { step, round, at, calls, micros, outputs, warnings })
}
