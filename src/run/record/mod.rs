//! Records: what the journal of a run says, one record a frame (durability spec, sections 4 and 6). Pure: a record is
//! bytes in, bytes out; where they are kept is not known here.
//!
//! | file | holds |
//! |---|---|
//! | `kind.rs` | the kinds and their numbers |
//! | `step.rs` | what happened to steps: events, intents, logs |
//! | `call.rs` | single calls of a step and their answers, questions to people |
//! | `life.rs` | the life of the run: begin, suspension, resumption, what is to be done again, end |
//! | `setting.rs` | what the plan was started with: start data from outside, hashes of files |
//! | `tensor.rs` | tensors, and large values kept as objects |
//!
//! To add a kind of record: its number in [`Kind`], a variant of [`Record`], how it is written and read.

mod call;
mod kind;
mod life;
mod setting;
mod step;
mod tensor;
#[cfg(test)]
mod tests;

pub use call::{
    Answered, Asked, Call, CallPlace, Left, ModelUse, answered, call_spent, deadline, drop_cell, write_asked,
    write_call,
};
pub use kind::Kind;
pub use life::{Ending, Epoch, Mode, Redo, Redone, RunInfo, Suspension};
pub use setting::{Moved, Setting};
pub use step::{Intent, Lookup, Output, StepLog, Timing, peek, timing, write_event, write_intent, write_log};
pub use tensor::{Fetch, Keep, LARGEST_INLINE};

use crate::base::{Digest, Reader, WireError};

use super::event::Event;

/// What one frame of the journal says.
#[derive(Debug, Clone)]
pub enum Record {
    /// The run begins.
    Run(RunInfo),
    /// A step's calls are about to be made.
    Intent(Intent),
    /// Something happened to a step: kinds result, failed and skipped.
    Step(Event),
    /// What a step's calls printed and how long they took.
    Log(StepLog),
    /// A call of a step came back.
    Call(Box<Call>),
    /// A person was asked.
    Question(Box<Asked>),
    /// The run was stopped.
    Suspended(Suspension),
    /// The run goes on.
    Resumed(Epoch),
    /// Earlier records that no longer count.
    Redo(Vec<Redo>),
    /// The journal was repaired: what was done, in a sentence.
    Repaired(String),
    /// The run ended.
    End(Ending),
}

/// Why a frame's body is no record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The bytes make no sense.
    #[error("the record cannot be read: {0}")]
    Wire(#[from] WireError),
    /// A tensor that contradicts itself.
    #[error("the record holds a tensor that is none: {0}")]
    Tensor(String),
    /// A large value that is not there, or not what it was.
    #[error("the object {0} cannot be used: {1}")]
    Object(Digest, String),
}

/// Reads records one after the other; what repeats is made once.
#[derive(Debug, Default)]
pub struct Decoder {
    axes: tensor::Axes,
}

impl Decoder {
    /// Reads a frame's body.
    ///
    /// # Errors
    /// When it is no record of that kind, or an object it names cannot be had.
    pub fn read(&mut self, kind: Kind, body: &[u8], fetch: &mut dyn Fetch) -> Result<Record, RecordError> {
        let mut reader = Reader::new(body);
        let record = match kind {
            Kind::Run => Record::Run(life::read_run(&mut reader)?),
            Kind::Intent => Record::Intent(step::read_intent(&mut reader)?),
            Kind::Result | Kind::Failed | Kind::Skipped => {
                Record::Step(self.read_event(kind, &mut reader, fetch)?)
            }
            Kind::Log => Record::Log(step::read_log(&mut reader, fetch)?),
            Kind::Call => Record::Call(Box::new(call::read_call(&mut reader, fetch)?)),
            Kind::Question => Record::Question(Box::new(call::read_asked(&mut reader, fetch)?)),
            Kind::Suspended => Record::Suspended(life::read_suspension(&mut reader)?),
            Kind::Resumed => Record::Resumed(life::read_epoch(&mut reader)?),
            Kind::Redo => Record::Redo(life::read_redo(&mut reader)?),
            Kind::Repaired => Record::Repaired(reader.text()?.to_owned()),
            Kind::End => Record::End(life::read_ending(&mut reader)?),
        };
        reader.end()?;
        Ok(record)
    }
}

impl Record {
    /// The body of a record about the run's life; none for those about steps, which are written as they happen
    /// ([`write_event`], [`write_intent`], [`write_log`]).
    pub fn life_body(&self) -> Option<(Kind, Vec<u8>)> {
        life::write(self)
    }
}
