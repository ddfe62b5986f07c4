//! From the cells of a function concept to functions (semantics spec, section 5).

use std::sync::Arc;

use serde_json::Value as Json;

use crate::base::{Sign, Value};
use crate::repo::{Concept, ConceptKind, Semantic};
use crate::run::event::StepFailure;
use crate::run::means::Means;
use crate::run::paradigm::{Facts, Function, Paradigm, States};
use crate::tensor::Tensor;

use super::inputs::coordinates;
use super::site::Site;

/// The prepared functions of a step.
pub(super) struct Functions {
    /// One a different cell.
    found: Vec<(Value, Arc<Function>)>,
    /// The function cells, where there is not just one: they are crossed with the values.
    pub(super) cells: Option<Tensor>,
}

impl Functions {
    /// Prepares a function of each text cell.
    ///
    /// # Errors
    /// `bad_function_cell`; what the vertical run fails with.
    pub(super) fn new(
        work: &Semantic,
        site: &Site<'_>,
        paradigm: &Arc<Paradigm>,
        means: &dyn Means,
    ) -> Result<Self, StepFailure> {
        let mut functions = Self { found: Vec::new(), cells: None };
        let Some(cells) = site.cells else {
            functions.add(
                &Value::Text(own_text(site)),
                states(work, site, &own_text(site)),
                work,
                paradigm,
                means,
            )?;
            return Ok(functions);
        };
        let single = cells.len() == 1 && !cells.is_missing();
        for (place, cell) in cells.cells().enumerate().filter(|(_, cell)| !cell.is_skip()) {
            let prepared =
                seen(cell, work, site).and_then(|states| functions.add(cell, states, work, paradigm, means));
            let at = || if single { Vec::new() } else { coordinates(cells, place) };
            prepared.map_err(|failure| StepFailure { cell: at(), ..failure })?;
        }
        functions.cells = (!single).then(|| cells.clone());
        Ok(functions)
    }

    fn add(
        &mut self,
        cell: &Value,
        states: States,
        work: &Semantic,
        paradigm: &Arc<Paradigm>,
        means: &dyn Means,
    ) -> Result<(), StepFailure> {
        if self.found.iter().all(|(known, _)| known != cell) {
            self.found.push((cell.clone(), prepare(paradigm, states, work, means)?));
        }
        Ok(())
    }

    /// The function of a combination, of which the function's cell is taken.
    pub(super) fn of(&self, cells: &mut Vec<Value>) -> Option<&Arc<Function>> {
        if self.cells.is_none() {
            return self.found.first().map(|(_, function)| function);
        }
        let cell = (!cells.is_empty()).then(|| cells.remove(0))?;
        self.found.iter().find(|(known, _)| *known == cell).map(|(_, function)| function)
    }
}

/// The means of a run with what a step says otherwise.
struct OfStep<'a> {
    means: &'a dyn Means,
    retries: Option<u32>,
}

impl Means for OfStep<'_> {
    fn paradigm(&self, name: &str) -> Result<Arc<Paradigm>, StepFailure> {
        self.means.paradigm(name)
    }

    fn pinned(&self, path: &str) -> Result<Arc<str>, StepFailure> {
        self.means.pinned(path)
    }

    fn text(&self, path: &str) -> Result<Arc<str>, StepFailure> {
        self.means.text(path)
    }

    fn base_dir(&self) -> &str {
        self.means.base_dir()
    }

    fn absolute_paths(&self) -> bool {
        self.means.absolute_paths()
    }

    fn reply_retries(&self) -> u32 {
        self.retries.unwrap_or_else(|| self.means.reply_retries())
    }
}

/// Prepares a paradigm for a step: its schema is read where it is in a file, and a reply is asked for again as often as
/// the step says.
///
/// # Errors
/// What the vertical run fails with; `file_is_not_json` for a schema that is none.
pub(super) fn prepare(
    paradigm: &Arc<Paradigm>,
    states: States,
    work: &Semantic,
    means: &dyn Means,
) -> Result<Arc<Function>, StepFailure> {
    let means = OfStep { means, retries: work.reply_retries };
    let schema = schema(work, &means)?;
    paradigm.prepare(&States { schema, ..states }, &means)
}

/// The schema a reply must fit: written out in the plan, or in a file of it.
fn schema(work: &Semantic, means: &dyn Means) -> Result<Option<Arc<Json>>, StepFailure> {
    const HELP: &str = "write a JSON schema, {\"type\": \"object\", ..}";
    let Some(Json::String(path)) = work.schema.as_deref() else { return Ok(work.schema.clone()) };
    let message = match serde_json::from_str::<Json>(&means.pinned(path)?) {
        Ok(schema @ Json::Object(_)) => return Ok(Some(Arc::new(schema))),
        Ok(_) => format!("the schema `{path}` is no JSON object"),
        Err(error) => format!("the schema `{path}` is not JSON: {error}"),
    };
    Err(StepFailure::new("file_is_not_json", message).help(HELP))
}

/// What a paradigm sees of a step.
pub(super) fn states(work: &Semantic, site: &Site<'_>, text: &Arc<str>) -> States {
    let mut function = site.function.map(facts).unwrap_or_default();
    function.name = Arc::clone(text);
    States {
        vertical: Arc::clone(text),
        function,
        inference: facts(site.target),
        model: work.model.clone(),
        schema: work.schema.clone(),
    }
}

/// The text of a function concept that has no value.
pub(super) fn own_text(site: &Site<'_>) -> Arc<str> {
    site.function.map_or_else(|| Arc::from(""), |function| Arc::clone(&function.name))
}

/// The sign that is all the function concept says.
pub(super) fn only_sign<'a>(site: &Site<'a>) -> Option<&'a Sign> {
    match site.cells.filter(|cells| cells.len() == 1)?.cells().next()? {
        Value::Sign(sign) => Some(sign),
        _ => None,
    }
}

/// What a paradigm sees of a function cell. Only a sign of the plan is one: a text of a step that has the form of a sign
/// is refused, since a paradigm could not tell the two apart (semantics spec, section 2.3).
fn seen(cell: &Value, work: &Semantic, site: &Site<'_>) -> Result<States, StepFailure> {
    let bad = |message: String, help: &str| Err(StepFailure::new("bad_function_cell", message).help(help));
    let name = site.function.map_or("", |function| &function.name);
    match cell {
        Value::Sign(sign) => Ok(states(work, site, &Arc::from(sign.to_string()))),
        Value::Text(text) if Sign::parse(text).is_none() => Ok(states(work, site, text)),
        Value::Text(text) => bad(
            format!(
                "the function `{name}` got the text `{text}` from a step, which is never taken for a sign"
            ),
            "write the sign in the plan itself",
        ),
        other => bad(
            format!("the function `{name}` holds `{}`, which is no text", other.to_json()),
            "a function is a text: a sign such as `%{prompt_location}(p.md)`, or what is to be done",
        ),
    }
}

fn facts(concept: &Concept) -> Facts {
    let kind = match concept.kind {
        ConceptKind::Object => "{}",
        ConceptKind::Relation => "[]",
        ConceptKind::Proposition => "<>",
        ConceptKind::Function => "({})",
    };
    let natural = concept.name.trim_matches(['{', '}', '[', ']', '<', '>']);
    Facts {
        id: Arc::from(""),
        name: Arc::clone(&concept.name),
        kind: Arc::from(kind),
        context: Arc::from(""),
        axis_name: Arc::clone(&concept.axis_name),
        natural_name: Arc::from(natural),
    }
}
