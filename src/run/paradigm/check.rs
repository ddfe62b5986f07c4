//! Checks what a plan does with its keys and arguments, and whether the name of a paradigm says what it does (semantics
//! spec, sections 10.3 and 10.5).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::document::{Condition, INPUTS, Operator, POSITIONAL, Paradigm, Param, Planned};
use super::plan::place_of;
use super::read::Reader;
use crate::base::Value;

/// What a word among the inputs of a name promises: the input the steps take.
const PROMISES: [(&str, &str); 4] = [
    ("PromptTemplate", "prompt_template"),
    ("SavePath", "save_path"),
    ("SaveDir", "save_dir"),
    ("ScriptLocation", "script_location"),
];

pub(super) fn check(paradigm: &Paradigm, reader: &mut Reader<'_>) {
    let mut keys = Keys::default();
    keys.set(INPUTS, None);
    for (number, step) in paradigm.plan.iter().enumerate() {
        let place = place_of(number, &step.output);
        let now = step.condition.as_ref().and_then(|c| condition(reader, &place, &keys, c));
        for (name, key) in &step.params {
            let what = || format!("its argument `{name}` is the key `{key}`");
            used(reader, &keys, now.as_ref(), Use { kind: "missing_context_key", place: &place, key }, what);
        }
        arguments(reader, &place, step);
        keys.set(&step.output, now);
    }
    if let Some(key) = &paradigm.return_key {
        let at = Use { kind: "missing_return_key", place: "", key };
        used(reader, &keys, None, at, || format!("its answer is the key `{key}`"));
    }
    name(paradigm, reader);
}

/// On which ways a key is set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    key: Arc<str>,
    /// Which setting of that key is looked at.
    version: usize,
    operator: Operator,
}

#[derive(Default)]
struct Keys {
    /// The ways on which each key is set; none for always.
    ways: BTreeMap<Arc<str>, BTreeSet<Way>>,
    versions: BTreeMap<Arc<str>, usize>,
}

impl Keys {
    fn set(&mut self, key: &str, way: Option<Way>) {
        *self.versions.entry(Arc::from(key)).or_default() += 1;
        let Some(way) = way else {
            self.ways.insert(Arc::from(key), BTreeSet::new());
            return;
        };
        match self.ways.get_mut(key) {
            None => drop(self.ways.insert(Arc::from(key), BTreeSet::from([way]))),
            Some(ways) if ways.is_empty() => {}
            // Set on one way and on the opposite one: always.
            Some(ways) if ways.contains(&Way { operator: way.operator.opposite(), ..way.clone() }) => {
                ways.clear()
            }
            Some(ways) => drop(ways.insert(way)),
        }
    }

    /// Whether a key is set for sure where `now` holds; none when it never is.
    fn surely(&self, key: &str, now: Option<&Way>) -> Option<bool> {
        let ways = self.ways.get(key)?;
        Some(ways.is_empty() || now.is_some_and(|now| ways.contains(now)))
    }
}

/// A use of a key.
struct Use<'a> {
    kind: &'static str,
    place: &'a str,
    key: &'a str,
}

fn used(reader: &mut Reader<'_>, keys: &Keys, now: Option<&Way>, at: Use<'_>, what: impl Fn() -> String) {
    match keys.surely(at.key, now) {
        Some(true) => {}
        Some(false) => {
            let what = format!("{}, which is not set on every way", what());
            reader.remark(
                at.kind,
                at.place,
                what,
                "set it on the other way too, or use it under the same condition",
            );
        }
        None => {
            let help = match reader.near(at.key, keys.ways.keys().map(|k| &**k)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("add a step with `\"output_key\": \"{}\"`", at.key),
            };
            reader.problem(at.kind, at.place, format!("{}, which no step sets", what()), help);
        }
    }
}

fn condition(reader: &mut Reader<'_>, place: &str, keys: &Keys, condition: &Condition) -> Option<Way> {
    let key = &condition.key;
    let at = Use { kind: "bad_condition", place, key };
    used(reader, keys, None, at, || format!("its condition looks at the key `{key}`"));
    let version = keys.versions.get(key).copied().unwrap_or_default();
    Some(Way { key: Arc::clone(key), version, operator: condition.operator })
}

fn arguments(reader: &mut Reader<'_>, place: &str, step: &Planned) {
    let Some(signature) = step.signature else { return };
    let given: Vec<&str> =
        step.params.iter().map(|(n, _)| &**n).chain(step.literals.iter().map(|(n, _)| &**n)).collect();
    let positional = usize::from(given.contains(&POSITIONAL));
    // A literal may be overridden by a key of the context: each name counts once.
    let names: BTreeSet<&str> = given
        .into_iter()
        .filter(|name| *name != POSITIONAL)
        .map(|name| step.aliases.iter().find(|(alias, _)| &**alias == name).map_or(name, |(_, name)| name))
        .collect();
    let names: Vec<&str> = names.into_iter().collect();
    if let Err(what) = signature.fits(positional, &names) {
        reader.problem("bad_arguments", place, what, signature.arguments());
    }
}

fn name(paradigm: &Paradigm, reader: &mut Reader<'_>) {
    let parts = || paradigm.name.split('-');
    let kind = "name_and_content";
    if parts().any(|p| p.starts_with("v_")) && !paradigm.reads_function_cell() {
        let what = "its name has a part `v_`, and no step reads `states.vertical`";
        reader.remark(kind, "", what, "read the function cell, or name the inputs `h_...`");
    }
    for (word, key) in PROMISES {
        let promised =
            parts().filter_map(|p| p.strip_prefix("h_")).any(|p| p.split('_').any(|w| w.starts_with(word)));
        if promised && !mentions(paradigm, key) {
            let what = format!("its name has the input `{word}`, and no step takes `{key}`");
            reader.remark(
                kind,
                "",
                what,
                format!("take `{key}` from the inputs, or leave `{word}` out of the name"),
            );
        }
    }
}

/// Whether a step is given this text as a value.
fn mentions(paradigm: &Paradigm, text: &str) -> bool {
    let params =
        paradigm.setup.iter().flat_map(|s| &s.params).chain(paradigm.plan.iter().flat_map(|s| &s.literals));
    params.into_iter().any(|(_, param)| matches!(param, Param::Value(Value::Text(t)) if &**t == text))
}
