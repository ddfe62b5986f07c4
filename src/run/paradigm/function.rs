//! The vertical run: from a paradigm and one function cell to a function (semantics spec, sections 5 and 10.2).

use std::sync::Arc;

use super::{Ids, Machine, Paradigm};
use crate::base::Map;
use crate::run::event::StepFailure;
use crate::run::means::Means;

/// What a paradigm sees of the step it is prepared for.
#[derive(Debug, Clone, Default)]
pub struct States {
    /// The text of the function cell, perceived: a prompt, the path of a script, or the concept's own text.
    pub vertical: Arc<str>,
    /// The function concept.
    pub function: Facts,
    /// The target concept.
    pub inference: Facts,
    /// The model the step names.
    pub model: Option<Arc<str>>,
    /// The JSON schema its reply must fit: `states.schema`.
    pub schema: Option<Arc<serde_json::Value>>,
}

/// What a paradigm sees of a concept.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Its id; empty when it has none.
    pub id: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Its type.
    pub kind: Arc<str>,
    /// Its context.
    pub context: Arc<str>,
    /// The name of its axis.
    pub axis_name: Arc<str>,
    /// Its name for readers.
    pub natural_name: Arc<str>,
}

/// A prepared function: called once a combination of inputs.
#[derive(Debug)]
pub struct Function {
    /// The paradigm it was made from.
    pub paradigm: Arc<Paradigm>,
}

impl Paradigm {
    /// Prepares the function of one function cell; prompt and script files are read now.
    ///
    /// # Errors
    /// What a step of the vertical run fails with; `paradigm_gives_no_function`.
    pub fn prepare(
        self: &Arc<Self>,
        _states: &States,
        _means: &dyn Means,
    ) -> Result<Arc<Function>, StepFailure> {
        Ok(Arc::new(Function { paradigm: Arc::clone(self) }))
    }
}

impl Function {
    /// A call with these inputs. `ids` numbers the signs it makes.
    pub fn call(self: &Arc<Self>, inputs: Map, ids: Ids) -> Machine {
        Machine::new(Arc::clone(self), inputs, ids)
    }
}
