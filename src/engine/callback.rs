//! What a script asks for while it runs goes back to the driver, so that the journal, the budget and the limits hold
//! there too (semantics spec, section 11.3).

use std::sync::Arc;

use crossbeam_channel::Sender;

use crate::base::{Value, text_of};
use crate::faculty::python::{Deed, Reading, World};
use crate::faculty::{Failure, FailureKind};
use crate::run::StepFailure;
use crate::run::effect::{CallAnswer, Contract, Effect, FileAct, Generate, ScriptCode, ScriptRun};
use crate::run::paradigm::reply;

use super::message::{Asking, Message};

/// Lets the script of one cell ask.
pub(super) struct Callback {
    driver: Sender<Message>,
    flight: u64,
    cell: u32,
}

impl Callback {
    pub(super) fn new(driver: Sender<Message>, flight: u64, cell: u32) -> Self {
        Self { driver, flight, cell }
    }

    /// Asks for an effect and waits for its answer.
    ///
    /// # Errors
    /// The failure of what was asked; `interrupted` when the run ends before there is an answer.
    pub(super) fn ask(&self, effect: Effect) -> Result<CallAnswer, StepFailure> {
        let over = || StepFailure::new("interrupted", "the run ended before there was an answer");
        let (reply, answer) = crossbeam_channel::bounded(1);
        let asking = Asking { flight: self.flight, cell: self.cell, effect, reply };
        self.driver.send(Message::Asking(Box::new(asking))).map_err(|_| over())?;
        answer.recv().unwrap_or_else(|_| Err(over()))
    }
}

impl World for Callback {
    fn act(&self, deed: Deed) -> Result<Value, Failure> {
        let answer = self.ask(effect_of(deed)).map_err(failure_of)?;
        Ok(answer.value)
    }

    fn read_reply(&self, how: Reading, reply: &Value) -> Result<Value, Failure> {
        let text = |of: &Value| match of {
            Value::Text(text) => Arc::clone(text),
            other => Arc::from(text_of(other)),
        };
        let read = match (how, reply) {
            (Reading::Map, Value::Map(_)) => Ok(reply.clone()),
            (Reading::Map, other) => reply::read_object(&text(other)).map(Value::Map),
            (Reading::Code, other) => Ok(Value::text(reply::code_block(&text(other)))),
            (Reading::Truth, other) => reply::read_truth(other).map(Value::Bool),
        };
        read.map_err(|complaint| {
            let kind = FailureKind::from_word(complaint.kind).unwrap_or(FailureKind::ReplyIsNotJson);
            Failure::new(kind, complaint.message).with_help(complaint.wanted)
        })
    }
}

/// A failure on its way back into a script.
fn failure_of(failure: StepFailure) -> Failure {
    let kind = FailureKind::from_word(&failure.kind).unwrap_or(FailureKind::BadArguments);
    let told = Failure::new(kind, failure.message);
    match failure.help {
        Some(help) => told.with_help(help),
        None => told,
    }
}

fn effect_of(deed: Deed) -> Effect {
    let code = |code| ScriptCode::Text { path: None, code };
    match deed {
        Deed::File(act) => Effect::File(act),
        Deed::ReadPrompt { path } => Effect::File(FileAct::Read { path }),
        Deed::Generate { prompt, system, format } => {
            Effect::Generate(Generate { prompt, system, format, model: None })
        }
        Deed::Ask(question) => Effect::Ask(question),
        Deed::Execute { code: text, inputs } => {
            Effect::Script(ScriptRun { code: code(text), contract: Contract::Globals, inputs })
        }
        Deed::Call { code: text, function, inputs } => {
            Effect::Script(ScriptRun { code: code(text), contract: Contract::Function(function), inputs })
        }
        Deed::Tool { tool, method, args, named } => {
            let numbered = args.into_iter().enumerate().map(|(i, value)| (Arc::from(i.to_string()), value));
            Effect::Tool { tool, method, args: numbered.chain(named).collect() }
        }
    }
}
