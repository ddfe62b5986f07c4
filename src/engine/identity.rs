//! Which call is which: the same work tried again has the same key (durability spec, section 6), so that whoever is
//! called can tell a second try from a second order.

use std::sync::Arc;

use crate::base::{Digest, Writer};
use crate::faculty::CallIdentity;
use crate::run::ItemId;
use crate::run::effect::{Effect, ScriptCode, ScriptRun};
use crate::run::record::CallPlace;

use super::tools::Tools;

/// The key of a step: its run, its name with the loop position, and what its cells ask for first, with the bytes of
/// their scripts.
pub(super) fn step_key(
    run: &str,
    step: &str,
    item: ItemId,
    firsts: &[(CallPlace, Effect)],
    tools: &Tools,
) -> Digest {
    let mut text = Writer::default();
    text.text(run);
    text.text(step);
    firsts.iter().for_each(|(_, effect)| write_effect(&mut text, effect, item, tools));
    Digest::of(&text.bytes)
}

fn write_effect(text: &mut Writer, effect: &Effect, item: ItemId, tools: &Tools) {
    match effect {
        Effect::Script(ScriptRun { code: ScriptCode::File(path), inputs, .. }) => {
            text.text(path);
            text.optional(tools.script_hash(item, path).as_deref());
            text.number(inputs.len() as u64);
            for (name, value) in inputs {
                text.text(name);
                text.value(value);
            }
        }
        other => text.digest(&other.digest()),
    }
}

/// The identity of one call of a step. Its key depends on nothing but the call: after an interruption other cells of the
/// step may have their answers, and the calls that are made again must have the keys they had.
pub(super) fn call_identity(
    run: &Arc<str>,
    step: &Arc<str>,
    place: CallPlace,
    effect: &Effect,
    item: ItemId,
    tools: &Tools,
) -> Arc<CallIdentity> {
    let mut text = Writer::default();
    text.text(run);
    text.text(step);
    write_effect(&mut text, effect, item, tools);
    // The first call of a step with one cell has the key of the step.
    if (place.cell, place.number) != (0, 0) {
        text.number(u64::from(place.cell));
        text.number(u64::from(place.number));
    }
    let key = Digest::of(&text.bytes);
    Arc::new(CallIdentity {
        key: Some(Arc::from(key.to_string())),
        run: Some(Arc::clone(run)),
        step: Some(Arc::clone(step)),
    })
}
