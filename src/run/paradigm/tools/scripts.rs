//! The methods of `python_interpreter` (semantics spec, sections 10.4 and 11).

use std::sync::Arc;

use super::super::slot::Trouble;
use super::answer::{After, Done};
use super::bound::Bound;
use crate::base::{Map, Value};
use crate::run::effect::{Arguments, Contract, Effect, ScriptCode, ScriptRun};

/// The code of a script, with the file of the plan whose whole text it is.
#[derive(Debug, Clone)]
pub(in super::super) struct Code {
    text: Arc<str>,
    path: Option<Arc<str>>,
}

/// An argument that is the code of a script.
pub(super) fn code(args: &mut Bound, place: usize) -> Result<Code, Trouble> {
    let slot = args.take(place);
    match &slot.value {
        Value::Text(text) => Ok(Code { text: Arc::clone(text), path: slot.origin.file.clone() }),
        other => args.wrong(place, "the code of a script, a text", other),
    }
}

/// Calls a function of a script, or runs the script where none is named.
pub(super) fn call(code: Code, function: Option<Arc<str>>, inputs: &Map) -> Done {
    let inputs: Arguments = inputs.iter().map(|(name, value)| (Arc::clone(name), value.clone())).collect();
    let contract = function.map_or(Contract::Globals, Contract::Function);
    let code = ScriptCode::Text { path: code.path, code: code.text };
    Done::asks(Effect::Script(ScriptRun { code, contract, inputs }), After::Script)
}
