//! Records of single calls: what a cell of a step asked of the world and what it was told, and the questions that are
//! open. They let a step go on where it was interrupted, and show an auditor what went out and what came back
//! (durability spec, sections 4 and 6; semantics spec, section 14.8).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map as JsonMap, Value as Json};

use crate::base::{Digest, Reader, WireError, Writer};

use super::super::effect::CallAnswer;
use super::super::event::{StepFailure, StepKey};
use super::super::watch::Spent;
use super::step::{Timing, part, read_failure, read_step, write_failure, write_step};
use super::tensor::write_part;
use super::{Fetch, Keep, RecordError};

/// One call that came back.
#[derive(Debug, Clone)]
pub struct Call {
    /// The step.
    pub step: StepKey,
    /// Its round.
    pub round: u32,
    /// Which of its cells, and which call of that cell.
    pub place: CallPlace,
    /// When it came back, in milliseconds since 1970.
    pub at: u64,
    /// How long it took, in microseconds.
    pub micros: u64,
    /// What it left the cell with.
    pub left: Left,
    /// What was asked, by its hash.
    pub effect: Digest,
    /// Of calls of models: who answered and what it cost.
    pub model: Option<ModelUse>,
    /// Tool and method, `llm.generate`.
    pub method: String,
    /// The arguments, complete.
    pub args: JsonMap<String, Json>,
    /// What came back.
    pub answer: Result<CallAnswer, StepFailure>,
}

/// What a call left its cell with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// The cell has more to do.
    Open,
    /// The cell is done.
    Done,
    /// The cell failed; a new try begins it anew.
    Failed,
}

/// Which call of a step: the number of the cell in row-major order, and the number of the call in it, both from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallPlace {
    /// The cell.
    pub cell: u32,
    /// The call.
    pub number: u32,
}

/// Who answered a call of a model, and what it cost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelUse {
    /// The model as it is configured.
    pub asked: String,
    /// The model as the server says it.
    pub answered: String,
    /// Tokens and money.
    pub spent: Spent,
    /// The answer was read from a recording.
    pub replayed: bool,
    /// The answer ended where its limit of tokens was.
    pub cut: bool,
}

/// A question that was put to people.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The step.
    pub step: StepKey,
    /// Its round.
    pub round: u32,
    /// Which of its calls.
    pub place: CallPlace,
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// What was asked, by its hash.
    pub effect: Digest,
    /// The cell, as axis names and positions.
    pub cell: Vec<(String, usize)>,
    /// The question in its JSON form.
    pub question: JsonMap<String, Json>,
}

/// How long people have for an answer, as a field beside the question.
const TIMEOUT: &str = "timeout";

impl Asked {
    /// The question as it is kept, with how many seconds people have for an answer, if that is limited.
    pub fn question(question: JsonMap<String, Json>, timeout: Option<f64>) -> JsonMap<String, Json> {
        let mut question = question;
        if let Some(seconds) = timeout {
            question.insert(TIMEOUT.to_owned(), Json::from(seconds));
        }
        question
    }

    /// How many seconds people have for an answer; none when they have all the time.
    pub fn timeout(&self) -> Option<f64> {
        self.question.get(TIMEOUT).and_then(Json::as_f64)
    }

    /// When it is too late for an answer, in milliseconds since 1970.
    pub fn deadline(&self) -> Option<u64> {
        self.timeout().and_then(|seconds| deadline(self.at, seconds))
    }
}

/// When it is too late for an answer to a question that was asked at a time: counted from the first time, so that a
/// restart gives nobody more (semantics spec, section 14.6). None when that is so far off that it is never.
pub fn deadline(asked_at: u64, seconds: f64) -> Option<u64> {
    const FAR: f64 = 1e14;
    let millis = (seconds * 1000.0).ceil();
    (0.0..FAR).contains(&millis).then(|| asked_at.saturating_add(millis as u64))
}

impl Call {
    /// The files it wrote, as they were named: the folder, if there was one, and the path.
    pub fn wrote(&self) -> Vec<(Option<Arc<str>>, Arc<str>)> {
        if self.answer.is_err() {
            return Vec::new();
        }
        let text = |name: &str| self.args.get(name).and_then(Json::as_str).map(Arc::<str>::from);
        match self.method.as_str() {
            "files.save" => text("path").map(|path| (None, path)).into_iter().collect(),
            "files.save_many" => {
                let files = self.args.get("files").and_then(Json::as_object);
                let names = files.into_iter().flat_map(|files| files.keys());
                names.map(|name| (text("folder"), Arc::from(name.as_str()))).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The hashes of the texts it wrote into files.
    pub fn written(&self) -> Vec<Digest> {
        let text = |value: &Json| value.as_str().map(|text| Digest::of(text.as_bytes()));
        match self.method.as_str() {
            "files.save" => self.args.get("content").and_then(text).into_iter().collect(),
            "files.save_many" => {
                let files = self.args.get("files").and_then(Json::as_object);
                files.into_iter().flat_map(|files| files.values()).filter_map(text).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// A call that need not be made again.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The call.
    pub call: Call,
    /// The number of the next call of its cell.
    pub next: u32,
}

/// Takes out what is known of one cell.
pub fn drop_cell<T>(known: &mut BTreeMap<CallPlace, T>, cell: u32) {
    let all = CallPlace { cell, number: 0 }..=CallPlace { cell, number: u32::MAX };
    let places: Vec<CallPlace> = known.range(all).map(|(place, _)| *place).collect();
    places.iter().for_each(|place| drop(known.remove(place)));
}

/// The answers a step's cells need not ask for again, by place: those of cells that have not failed since.
pub fn answered(calls: Vec<Call>) -> BTreeMap<CallPlace, Answered> {
    let mut found = BTreeMap::new();
    let mut highest: BTreeMap<u32, u32> = BTreeMap::new();
    for call in calls {
        let CallPlace { cell, number } = call.place;
        if call.left == Left::Failed {
            drop_cell(&mut found, cell);
            highest.remove(&cell);
            continue;
        }
        // What a script asks has higher numbers than its own call, and comes back before it. Where a place comes again, the
        // cell has taken another way from there on.
        let highest = highest.entry(cell).or_default();
        *highest = if found.contains_key(&call.place) { number } else { number.max(*highest) };
        let next = highest.saturating_add(1);
        if call.answer.is_ok() {
            found.insert(call.place, Answered { call, next });
        }
    }
    found
}

fn write_place(out: &mut Writer, place: CallPlace) {
    out.number(u64::from(place.cell));
    out.number(u64::from(place.number));
}

fn read_place(reader: &mut Reader<'_>) -> Result<CallPlace, WireError> {
    Ok(CallPlace { cell: reader.small()?, number: reader.small()? })
}

/// Writes the body of a call.
pub fn write_call(out: &mut Writer, call: &Call, keep: &mut dyn Keep) {
    write_step(out, &call.step);
    out.number(u64::from(call.round));
    write_place(out, call.place);
    out.number(call.at);
    out.number(call.micros);
    out.byte(match call.left {
        Left::Open => 0,
        Left::Done => 1,
        Left::Failed => 2,
    });
    out.byte(u8::from(call.model.is_some()));
    if let Some(model) = &call.model {
        out.text(&model.asked);
        out.text(&model.answered);
        let Spent { calls, tries, prompt_tokens, completion_tokens, estimated, micros } = model.spent;
        [calls, tries, prompt_tokens, completion_tokens, micros].into_iter().for_each(|n| out.number(n));
        out.byte(u8::from(estimated) | u8::from(model.replayed) << 1 | u8::from(model.cut) << 2);
    }
    out.digest(&call.effect);
    out.text(&call.method);
    write_part(out, keep, |out| out.text(&json_text(&call.args)));
    out.byte(u8::from(call.answer.is_err()));
    write_part(out, keep, |out| match &call.answer {
        Ok(answer) => {
            out.value(&answer.value);
            out.optional(answer.text.as_deref());
        }
        Err(failure) => write_failure(out, failure),
    });
}

fn json_text(args: &JsonMap<String, Json>) -> String {
    // A map of texts always has a JSON form.
    serde_json::to_string(args).unwrap_or_default()
}

fn read_json(reader: &mut Reader<'_>) -> Result<JsonMap<String, Json>, RecordError> {
    serde_json::from_str(reader.text()?)
        .map_err(|_| WireError::Bad("arguments that are no JSON object").into())
}

/// What stands before the parts that may be objects.
struct Head {
    step: StepKey,
    round: u32,
    place: CallPlace,
    at: u64,
    micros: u64,
    left: Left,
    model: Option<ModelUse>,
}

fn read_head(reader: &mut Reader<'_>) -> Result<Head, WireError> {
    let (step, round) = read_step(reader)?;
    let place = read_place(reader)?;
    let (at, micros) = (reader.number()?, reader.number()?);
    let left = match reader.byte()? {
        0 => Left::Open,
        1 => Left::Done,
        2 => Left::Failed,
        _ => return Err(WireError::Bad("an unknown end of a call")),
    };
    let model = match reader.truth()? {
        false => None,
        true => {
            let (asked, answered) = (reader.text()?.to_owned(), reader.text()?.to_owned());
            let mut number = || reader.number();
            let spent = Spent {
                calls: number()?,
                tries: number()?,
                prompt_tokens: number()?,
                completion_tokens: number()?,
                micros: number()?,
                estimated: false,
            };
            let flags = reader.byte()?;
            let spent = Spent { estimated: flags & 1 != 0, ..spent };
            Some(ModelUse { asked, answered, spent, replayed: flags & 2 != 0, cut: flags & 4 != 0 })
        }
    };
    Ok(Head { step, round, place, at, micros, left, model })
}

/// What a recorded call cost, read without the rest; none for calls of other faculties.
pub fn call_spent(body: &[u8]) -> Option<Spent> {
    read_head(&mut Reader::new(body)).ok()?.model.map(|m| m.spent)
}

/// When a recorded call came back and what it took, read without the rest. One that failed answered nothing.
pub(super) fn call_timing(body: &[u8]) -> Option<Timing> {
    let head = read_head(&mut Reader::new(body)).ok()?;
    Some(Timing { at: head.at, calls: u64::from(head.left != Left::Failed), micros: head.micros })
}

pub(super) fn read_call(reader: &mut Reader<'_>, fetch: &mut dyn Fetch) -> Result<Call, RecordError> {
    let Head { step, round, place, at, micros, left, model } = read_head(reader)?;
    let (effect, method) = (reader.digest()?, reader.text()?.to_owned());
    let args = part(reader, fetch, read_json)?;
    let failed = reader.truth()?;
    let answer = part(reader, fetch, |reader| {
        Ok(match failed {
            true => Err(read_failure(reader)?),
            false => {
                Ok(CallAnswer { value: reader.value()?, text: reader.optional()?.map(Arc::<str>::from) })
            }
        })
    })?;
    Ok(Call { step, round, place, at, micros, left, effect, model, method, args, answer })
}

/// Writes the body of a question.
pub fn write_asked(out: &mut Writer, asked: &Asked, keep: &mut dyn Keep) {
    write_step(out, &asked.step);
    out.number(u64::from(asked.round));
    write_place(out, asked.place);
    out.number(asked.at);
    out.digest(&asked.effect);
    out.number(asked.cell.len() as u64);
    for (axis, position) in &asked.cell {
        out.text(axis);
        out.number(*position as u64);
    }
    write_part(out, keep, |out| out.text(&json_text(&asked.question)));
}

pub(super) fn read_asked(reader: &mut Reader<'_>, fetch: &mut dyn Fetch) -> Result<Asked, RecordError> {
    let (step, round) = read_step(reader)?;
    let place = read_place(reader)?;
    let (at, effect) = (reader.number()?, reader.digest()?);
    let mut cell = Vec::new();
    for _ in 0..reader.count()? {
        cell.push((reader.text()?.to_owned(), reader.small()? as usize));
    }
    let question = part(reader, fetch, read_json)?;
    Ok(Asked { step, round, place, at, effect, cell, question })
}
