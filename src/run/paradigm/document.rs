//! A paradigm as it was read: the steps that prepare its function, and the plan of the function (semantics spec,
//! sections 10.1 to 10.3). Knows nothing of JSON and runs nothing.

use std::fmt;
use std::sync::Arc;

use super::code::CallCode;
use super::methods::{Method, Signature, Touches};
use crate::base::Value;

/// A paradigm, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Paradigm {
    /// Its name: that of its file.
    pub name: Arc<str>,
    /// What it does, in the words of its file.
    pub description: Arc<str>,
    pub(super) setup: Vec<Setup>,
    pub(super) plan: Vec<Planned>,
    pub(super) return_key: Option<Arc<str>>,
    pub(super) remarks: Vec<Problem>,
}

/// What is wrong with a paradigm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Stable word, `unsupported_call_code` (semantics spec, section 15).
    pub kind: &'static str,
    /// What is wrong, naming step and key.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// A step of the vertical run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Setup {
    /// How messages call it.
    pub(super) place: Arc<str>,
    pub(super) does: Does,
    pub(super) params: Vec<(Arc<str>, Param)>,
    pub(super) result: Arc<str>,
}

/// What a step of the vertical run does.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Does {
    /// Hands out a method, for the plan to call.
    Handle(&'static Method),
    /// Calls a method with arguments made from the parameters.
    Call(&'static Method, CallCode),
    /// Takes something out of the parameters.
    Take(CallCode),
}

/// A parameter as it stands in the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Param {
    Value(Value),
    /// The result of an earlier step.
    Key(Arc<str>),
    /// Something of the step the paradigm is prepared for.
    State(StatePath),
    List(Vec<Param>),
    Map(Vec<(Arc<str>, Param)>),
}

/// What a paradigm can ask of the step it is prepared for (semantics spec, section 10.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StatePath {
    Vertical,
    Schema,
    BaseDir,
    /// Of the function concept, or else of the target.
    Concept {
        function: bool,
        field: Field,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Id,
    Name,
    Kind,
    Context,
    AxisName,
    NaturalName,
}

/// A step of the plan.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Planned {
    pub(super) output: Arc<str>,
    pub(super) function: Param,
    /// What is called; none when the function is a plain value.
    pub(super) signature: Option<Signature>,
    /// Names that stand for others: a question names its own arguments.
    pub(super) aliases: Vec<(Arc<str>, &'static str)>,
    pub(super) condition: Option<Condition>,
    pub(super) literals: Vec<(Arc<str>, Param)>,
    /// Argument names and the keys of the context they come from.
    pub(super) params: Vec<(Arc<str>, Arc<str>)>,
}

/// The name of the argument that is given without a name.
pub(super) const POSITIONAL: &str = "__positional__";

/// The key of the inputs in the context.
pub(super) const INPUTS: &str = "__initial_input__";

/// When a step of the plan is run (semantics spec, section 10.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The key of the context that is looked at.
    pub key: Arc<str>,
    /// What must hold for its value.
    pub operator: Operator,
}

/// What must hold for the value a condition looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operator {
    /// It is true, as Python sees it: not empty, not zero, not nothing.
    IsTrue,
    /// The opposite.
    IsFalse,
    /// It is something.
    Exists,
    /// It is nothing.
    NotExists,
}

impl Operator {
    pub(super) const ALL: [Self; 4] = [Self::IsTrue, Self::IsFalse, Self::Exists, Self::NotExists];

    /// The word in the file.
    pub fn word(self) -> &'static str {
        match self {
            Self::IsTrue => "is_true",
            Self::IsFalse => "is_false",
            Self::Exists => "exists",
            Self::NotExists => "not_exists",
        }
    }

    pub(super) fn opposite(self) -> Self {
        match self {
            Self::IsTrue => Self::IsFalse,
            Self::IsFalse => Self::IsTrue,
            Self::Exists => Self::NotExists,
            Self::NotExists => Self::Exists,
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self.operator {
            Operator::IsTrue => "is true",
            Operator::IsFalse => "is false",
            Operator::Exists => "is there",
            Operator::NotExists => "is not there",
        };
        write!(f, "`{}` {words}", self.key)
    }
}

/// A call of the outside world that a paradigm makes, at most once a cell (replies that cannot be read aside).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallSite {
    /// Tool and method, `llm.generate`.
    pub method: &'static str,
    /// What it touches.
    pub touches: Touches,
    /// The step of the plan it is in.
    pub step: Arc<str>,
    /// When it is made; none for always.
    pub condition: Option<Condition>,
}

/// What a paradigm touches outside of the step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uses {
    /// It asks a language model.
    pub model: bool,
    /// It asks or tells a person something.
    pub person: bool,
    /// It runs scripts.
    pub scripts: bool,
    /// It reads files while it runs.
    pub reads: bool,
    /// It reads files, prompts or scripts, that the function concept names, while it is prepared.
    pub reads_first: bool,
    /// It writes files.
    pub writes: bool,
    /// It runs programs.
    pub commands: bool,
    /// Tools that only a configuration can provide.
    pub tools: Vec<&'static str>,
}

impl Paradigm {
    /// What looks wrong and does no harm: a name that promises what the steps do not do, keys that are set on some ways
    /// only (semantics spec, sections 10.3 and 10.5).
    pub fn remarks(&self) -> &[Problem] {
        &self.remarks
    }

    /// What it touches outside of the step.
    pub fn uses(&self) -> Uses {
        let mut uses = Uses::default();
        for call in self.calls() {
            match call.touches {
                Touches::Model => uses.model = true,
                Touches::Person => uses.person = true,
                Touches::Script => uses.scripts = true,
                Touches::Reads => uses.reads = true,
                Touches::Writes => uses.writes = true,
                Touches::Command => uses.commands = true,
                Touches::Tool => {
                    let tool = call.method.split('.').next().unwrap_or_default();
                    if !uses.tools.contains(&tool) {
                        uses.tools.push(tool);
                    }
                }
            }
        }
        uses.reads_first = self.setup.iter().any(|step| match &step.does {
            Does::Call(method, _) => method.signature().touches.is_some() || method.reads_a_sign(),
            _ => false,
        });
        uses
    }

    /// The calls of the outside world that one call of its function makes, in order.
    pub fn calls(&self) -> Vec<CallSite> {
        let site = |step: &Planned| {
            let signature = step.signature?;
            let (method, touches) = (signature.label, signature.touches?);
            Some(CallSite {
                method,
                touches,
                step: Arc::clone(&step.output),
                condition: step.condition.clone(),
            })
        };
        self.plan.iter().filter_map(site).collect()
    }

    /// Returns whether it looks at the function cell, or at the function concept's name, at all.
    pub fn reads_function_cell(&self) -> bool {
        let params =
            self.setup.iter().flat_map(|s| &s.params).chain(self.plan.iter().flat_map(|s| &s.literals));
        params.into_iter().any(|(_, param)| param.is_of_function())
    }
}

impl Param {
    fn is_of_function(&self) -> bool {
        match self {
            Self::State(StatePath::Vertical) => true,
            Self::State(StatePath::Concept { function, field }) => *function && *field == Field::Name,
            Self::List(items) => items.iter().any(Self::is_of_function),
            Self::Map(entries) => entries.iter().any(|(_, p)| p.is_of_function()),
            _ => false,
        }
    }
}

impl StatePath {
    /// Reads `states.vertical` and its like, without `states.`.
    pub(super) fn parse(path: &str) -> Option<Self> {
        let concept = |rest: &str, function: bool| {
            let field = match rest {
                "id" => Field::Id,
                "name" => Field::Name,
                "type" => Field::Kind,
                "context" => Field::Context,
                "axis_name" => Field::AxisName,
                "natural_name" => Field::NaturalName,
                _ => return None,
            };
            Some(Self::Concept { function, field })
        };
        match path {
            "vertical" => Some(Self::Vertical),
            "schema" => Some(Self::Schema),
            "body.base_dir" => Some(Self::BaseDir),
            other => match other.strip_prefix("function.concept.") {
                Some(field) => concept(field, true),
                None => concept(other.strip_prefix("inference.concept.")?, false),
            },
        }
    }
}
