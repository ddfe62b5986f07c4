//! Which call is which: the same work tried again has the same key (durability spec, section 6), so that whoever is
//! called can tell a second try from a second order.

use std::sync::Arc;

use crate::base::{Digest, Writer};
use crate::faculty::CallIdentity;
use crate::run::effect::{Effect, ScriptCode, ScriptRun};
use crate::run::record::CallPlace;

use super::tools::Tools;

/// The key of a step: its run, its name with the loop position, and what its cells ask for first, with the bytes of
/// their scripts.
pub(super) fn step_key(run: &str, step: &str, firsts: &[(CallPlace, Effect)], tools: &Tools) -> Digest {
    let mut text = Writer::default();
    text.text(run);
    text.text(step);
    for (_, effect) in firsts {
        match effect {
            Effect::Script(ScriptRun { code: ScriptCode::File(path), inputs, .. }) => {
                text.text(path);
                text.optional(tools.script_hash(path).as_deref());
                text.number(inputs.len() as u64);
                for (name, value) in inputs {
                    text.text(name);
                    text.value(value);
                }
            }
            other => text.digest(&other.digest()),
        }
    }
    Digest::of(&text.bytes)
}

/// The identity of one call of a step.
pub(super) fn call_identity(
    run: &Arc<str>,
    step: &Arc<str>,
    key: &Digest,
    place: CallPlace,
) -> Arc<CallIdentity> {
    let key = match (place.cell, place.number) {
        (0, 0) => *key,
        (cell, number) => {
            let mut text = Writer::default();
            text.digest(key);
            text.number(u64::from(cell));
            text.number(u64::from(number));
            Digest::of(&text.bytes)
        }
    };
    Arc::new(CallIdentity {
        key: Some(Arc::from(key.to_string())),
        run: Some(Arc::clone(run)),
        step: Some(Arc::clone(step)),
    })
}
