//! The vertical run: from a paradigm and one function cell to a function (semantics spec, sections 5 and 10.2).

use std::sync::Arc;

use super::document::{Condition, Paradigm, Param, Planned};
use super::ids::Ids;
use super::machine::Machine;
use super::slot::Slot;
use super::tools::{Callable, checked};
use super::vertical::Vertical;
use crate::base::Map;
use crate::run::event::StepFailure;
use crate::run::means::Means;

/// What a paradigm sees of the step it is prepared for.
#[derive(Debug, Clone, Default)]
pub struct States {
    /// The text of the function cell: a sign as it is printed, `%{prompt_location}1(p.md)`, else the text itself. What has
    /// the form of a sign is taken for one of the plan; a text that another step made must not get here with that form
    /// (semantics spec, section 2.3).
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
    /// Its name. For the function concept the function cell's text is taken in its place (section 5).
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
    pub(super) steps: Vec<Ready>,
    pub(super) model: Option<Arc<str>>,
    /// How often a reply that cannot be read is asked for again.
    pub(super) retries: u32,
    /// What paths of written files are joined to; none for relative paths.
    pub(super) base: Option<Arc<str>>,
}

/// A step of the plan with everything resolved that does not change between calls.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) output: Arc<str>,
    pub(super) what: Held,
    pub(super) condition: Option<Condition>,
    pub(super) literals: Vec<(Arc<str>, Slot)>,
    pub(super) params: Vec<(Arc<str>, Arc<str>)>,
}

/// What is stored under a key while a function is prepared.
#[derive(Debug, Clone)]
pub(super) enum Held {
    Value(Slot),
    Function(Callable),
}

impl Paradigm {
    /// Prepares the function of one function cell; prompt and script files are read now.
    ///
    /// # Errors
    /// What a step of the vertical run fails with; `paradigm_gives_no_function`.
    pub fn prepare(
        self: &Arc<Self>,
        states: &States,
        means: &dyn Means,
    ) -> Result<Arc<Function>, StepFailure> {
        let mut vertical = Vertical::new(self, states, means);
        for step in &self.setup {
            vertical.run(step)?;
        }
        let steps = self.plan.iter().map(|step| ready(step, &vertical)).collect::<Result<Vec<_>, _>>()?;
        if steps.is_empty() {
            let message = format!("the paradigm `{}` gives no function", self.name);
            return Err(StepFailure::new("paradigm_gives_no_function", message)
                .help("end it with a step `composition_tool.compose` whose plan has a step"));
        }
        Ok(Arc::new(Function {
            paradigm: Arc::clone(self),
            steps,
            model: states.model.clone(),
            retries: means.reply_retries(),
            base: means.absolute_paths().then(|| Arc::from(means.base_dir())),
        }))
    }
}

fn ready(step: &Planned, vertical: &Vertical<'_>) -> Result<Ready, StepFailure> {
    let mut literals = Vec::with_capacity(step.literals.len());
    for (name, param) in &step.literals {
        let slot = vertical.value(param, &step.output)?;
        // A schema that is none is found before the first call, not after it.
        if step.signature.is_some_and(|s| s.label == "llm.generate")
            && &**name == "schema"
            && !slot.is_nothing()
        {
            checked(&slot.value.to_json()).map_err(|trouble| vertical.failure(trouble, &step.output))?;
        }
        literals.push((alias(step, name), slot));
    }
    let what = match &step.function {
        Param::Key(key) => vertical.held(key),
        other => Held::Value(vertical.value(other, &step.output)?),
    };
    let params = step.params.iter().map(|(name, key)| (alias(step, name), Arc::clone(key))).collect();
    let (output, condition) = (Arc::clone(&step.output), step.condition.clone());
    Ok(Ready { output, what, condition, literals, params })
}

/// The argument a name stands for.
fn alias(step: &Planned, name: &Arc<str>) -> Arc<str> {
    match step.aliases.iter().find(|(alias, _)| alias == name) {
        Some((_, stands_for)) => Arc::from(*stands_for),
        None => Arc::clone(name),
    }
}

impl Function {
    /// A call with these inputs. `ids` numbers the signs it makes.
    pub fn call(self: &Arc<Self>, inputs: Map, ids: Ids) -> Machine {
        Machine::new(Arc::clone(self), inputs, ids)
    }
}
