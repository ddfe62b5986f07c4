//! Which call is which: the same work tried again has the same key (durability spec, section 6), so that whoever is
//! called can tell a second try from a second order.

use std::sync::Arc;

use crate::base::{Digest, Writer};
use crate::faculty::CallIdentity;
use crate::run::effect::{Effect, ScriptCode, ScriptRun};
use crate::run::sequence::Cell;

use super::calls::Tools;

/// The identities of the calls of one step.
pub(super) struct Identities {
    /// The key of the step: its run, its name with the loop position, its inputs and the bytes of its scripts.
    pub(super) step_key: Digest,
    /// One a call, in order.
    pub(super) calls: Vec<Arc<CallIdentity>>,
}

impl Identities {
    pub(super) fn new(run: &Arc<str>, step: &Arc<str>, cells: &[Cell], tools: &Tools) -> Self {
        let mut text = Writer::default();
        text.text(run);
        text.text(step);
        for effect in cells.iter().filter_map(Cell::single_effect) {
            if let Effect::Script(ScriptRun { code: ScriptCode::File(path), inputs, .. }) = effect {
                text.text(path);
                text.optional(tools.script_hash(path).as_deref());
                text.number(inputs.len() as u64);
                for (name, value) in inputs {
                    text.text(name);
                    text.value(value);
                }
            }
        }
        let step_key = Digest::of(&text.bytes);
        let of_call = |index: usize| {
            let mut text = Writer::default();
            text.digest(&step_key);
            text.number(index as u64);
            Digest::of(&text.bytes)
        };
        let identity = |key: Digest| {
            Arc::new(CallIdentity {
                key: Some(Arc::from(key.to_string())),
                run: Some(Arc::clone(run)),
                step: Some(Arc::clone(step)),
            })
        };
        let calls = match cells.len() {
            1 => vec![identity(step_key)],
            several => (0..several).map(|index| identity(of_call(index))).collect(),
        };
        Self { step_key, calls }
    }
}
