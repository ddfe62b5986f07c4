//! Paradigms as a whole: read with their problems, prepared, and run against answers from a list.

mod problems;
mod runs;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Ids, Machine, Paradigm, States, Turn};
use crate::base::{Map, Value};
use crate::run::effect::{CallAnswer, Effect};
use crate::run::event::StepFailure;
use crate::run::means::Means;

/// Files that are only texts.
#[derive(Default)]
struct Files {
    texts: BTreeMap<&'static str, &'static str>,
    retries: u32,
}

impl Means for Files {
    fn paradigm(&self, name: &str) -> Result<Arc<Paradigm>, StepFailure> {
        Paradigm::builtin(name).ok_or_else(|| StepFailure::new("unknown_paradigm", name))
    }

    fn pinned(&self, path: &str) -> Result<Arc<str>, StepFailure> {
        self.text(path)
    }

    fn text(&self, path: &str) -> Result<Arc<str>, StepFailure> {
        let missing = || StepFailure::new("file_not_found", format!("there is no file `{path}`"));
        self.texts.get(path).map(|text| Arc::from(*text)).ok_or_else(missing)
    }

    fn base_dir(&self) -> &str {
        "/base"
    }

    fn reply_retries(&self) -> u32 {
        self.retries
    }
}

/// A call that is answered from a list, and what it asked.
struct Played {
    outcome: Result<Value, StepFailure>,
    effects: Vec<Effect>,
}

fn states(vertical: &str) -> States {
    States { vertical: Arc::from(vertical), ..States::default() }
}

fn inputs(entries: &[(&str, Value)]) -> Map {
    entries.iter().map(|(name, value)| (Arc::from(*name), value.clone())).collect()
}

fn text(text: &str) -> Value {
    Value::text(text)
}

/// Runs a call to its end, with these answers in order.
fn play(mut machine: Machine, answers: &[Value]) -> Played {
    let mut answers = answers.iter();
    let mut effects = Vec::new();
    let mut answer = None;
    let outcome = loop {
        match machine.advance(answer.take()) {
            Err(failure) => break Err(failure),
            Ok(Turn::Done(done)) => break Ok(done.value),
            Ok(Turn::Effect(effect)) => {
                effects.push(effect);
                answer = Some(CallAnswer::of(answers.next().expect("it is asked too often").clone()));
            }
        }
    };
    assert!(answers.next().is_none(), "it asked too little");
    Played { outcome, effects }
}

/// Prepares a built-in paradigm and runs it.
fn builtin(name: &str, states: &States, files: &Files, given: &[(&str, Value)], answers: &[Value]) -> Played {
    let paradigm = Paradigm::builtin(name).expect(name);
    match paradigm.prepare(states, files) {
        Ok(function) => play(function.call(inputs(given), Ids::counting()), answers),
        Err(failure) => Played { outcome: Err(failure), effects: Vec::new() },
    }
}

impl Played {
    fn value(&self) -> String {
        match &self.outcome {
            Ok(value) => value.to_json().to_string(),
            Err(failure) => panic!("{}: {failure}", failure.kind),
        }
    }

    fn failure(&self) -> &StepFailure {
        self.outcome.as_ref().expect_err("the call fails")
    }

    fn prompts(&self) -> Vec<&str> {
        self.effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Generate(generate) => Some(&*generate.prompt),
                Effect::Ask(question) => Some(&*question.prompt),
                _ => None,
            })
            .collect()
    }
}
