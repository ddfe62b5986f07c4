//! Who does a step, and what one run of it asks of the world.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::base::{Sign, Value};
use crate::repo::{ConceptId, Inference, Method, Model, Semantic};
use crate::tensor::Tensor;

use super::count::{Bound, Count};

/// What is asked of the world, by who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallKind {
    /// A language model.
    Model,
    /// A person.
    Person,
    /// A Python script.
    Script,
    /// A built-in function.
    Builtin,
    /// A program.
    Command,
    /// A file is read.
    Read,
    /// A file is written.
    Write,
    /// A tool that only a configuration provides.
    Tool,
}

impl CallKind {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Person => "person",
            Self::Script => "script",
            Self::Builtin => "built-in",
            Self::Command => "command",
            Self::Read => "file read",
            Self::Write => "file written",
            Self::Tool => "tool",
        }
    }
}

/// What a paradigm asks of the world in one call of its function.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParadigmCalls {
    /// It is always there; else a file of the plan's agent.
    pub is_builtin: bool,
    /// Its calls in order; true for one that a condition may leave out.
    pub calls: Vec<(CallKind, bool)>,
}

/// Who does a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doer {
    /// A paradigm.
    Paradigm {
        /// Its name.
        name: Arc<str>,
        /// It is a built-in one.
        is_builtin: bool,
        /// There is none of that name.
        is_missing: bool,
        /// The prompt, script or command it is given.
        with: Option<Arc<str>>,
    },
    /// A script, by its path.
    Script(Arc<str>),
    /// A built-in, by its name.
    Builtin(Arc<str>),
    /// The model makes an instruction of the operation's own words and follows it.
    Plain,
    /// The model is given a prompt that is among the values.
    Direct,
    /// The model writes a script, which is run.
    Indirect,
    /// A person is asked.
    Person,
    /// A loop over a concept.
    Loop {
        /// What it walks.
        base: Arc<str>,
        /// Along which axis.
        axis: Option<Arc<str>>,
    },
}

/// The signs among the values and in the function of a step.
pub(super) struct Signs {
    pub(super) function: Option<Sign>,
    values: Vec<Sign>,
}

impl Signs {
    pub(super) fn of(inference: &Inference, model: &Model, data: &[Option<Tensor>]) -> Self {
        let first = |id: ConceptId| {
            let tensor = data.get(id.0 as usize)?.as_ref()?;
            match tensor.cells().next()? {
                Value::Sign(sign) => Some((**sign).clone()),
                _ => None,
            }
        };
        // The data of a function are not among the values of a run.
        let cell = inference.function.and_then(|f| {
            let mut json = model.concepts.get(f.0 as usize)?.data.as_ref()?;
            while let Json::Array(items) = json {
                json = items.first()?;
            }
            Sign::parse(json.as_str()?)
        });
        let function = cell.or_else(|| inference.function.and_then(first));
        Self { function, values: inference.values.iter().filter_map(|v| first(*v)).collect() }
    }

    fn value(&self, norms: &[&str]) -> Option<&Sign> {
        self.values.iter().find(|s| s.norm().is_some_and(|n| norms.contains(&n)))
    }
}

/// Who does a step, and the calls one run of it makes over so many cells.
pub(super) fn doer(
    step: &Semantic,
    signs: &Signs,
    paradigm: &dyn Fn(&str) -> Option<ParadigmCalls>,
    cells: &Count,
) -> (Doer, Vec<(CallKind, Count)>) {
    let each = |kind: CallKind| vec![(kind, cells.clone())];
    let and_first = |kind: CallKind| {
        let mut count = cells.clone();
        count.add(&Count::number(1));
        (kind, count)
    };
    match &step.method {
        Method::Composition { paradigm: name } => {
            let found = paradigm(name);
            let with =
                signs.function.as_ref().filter(|s| s.norm().is_some()).map(|s| Arc::clone(s.payload()));
            let doer = Doer::Paradigm {
                name: Arc::clone(name),
                is_builtin: found.as_ref().is_some_and(|p| p.is_builtin),
                is_missing: found.is_none(),
                with,
            };
            let mut calls: Vec<(CallKind, Count)> = Vec::new();
            for (kind, conditional) in found.into_iter().flat_map(|p| p.calls) {
                let count = if conditional { cells.clone().bounded(Bound::AtMost) } else { cells.clone() };
                add(&mut calls, kind, &count);
            }
            (doer, calls)
        }
        Method::Python => {
            let script = signs.value(&["script_location", "generated_script_path"]);
            if let Some(sign) = script {
                let mut calls = each(CallKind::Script);
                // A script that is not there yet is written by the model, once.
                if signs.value(&["prompt_location", "prompt", "prompt_template"]).is_some() {
                    calls.push((CallKind::Model, Count::number(1).bounded(Bound::AtMost)));
                }
                return (Doer::Script(Arc::clone(sign.payload())), calls);
            }
            match signs.value(&["builtin"]) {
                Some(sign) => (Doer::Builtin(Arc::clone(sign.payload())), each(CallKind::Builtin)),
                None => (Doer::Indirect, vec![(CallKind::Script, cells.clone())]),
            }
        }
        Method::PythonIndirect => {
            (Doer::Indirect, vec![(CallKind::Model, Count::number(2)), (CallKind::Script, cells.clone())])
        }
        Method::Plain => (Doer::Plain, vec![and_first(CallKind::Model)]),
        Method::Direct => (Doer::Direct, each(CallKind::Model)),
        Method::Input => (Doer::Person, each(CallKind::Person)),
    }
}

/// Adds a count to those of its kind.
pub(super) fn add(calls: &mut Vec<(CallKind, Count)>, kind: CallKind, count: &Count) {
    match calls.iter_mut().find(|(k, _)| *k == kind) {
        Some((_, sum)) => sum.add(count),
        None => calls.push((kind, count.clone())),
    }
}
