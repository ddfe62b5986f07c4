//! From the cells of a function concept to functions (semantics spec, section 5).

use std::sync::Arc;

use crate::base::{Sign, Value};
use crate::repo::{Concept, ConceptKind, Semantic};
use crate::run::event::StepFailure;
use crate::run::means::Means;
use crate::run::paradigm::{Facts, Function, Paradigm, States};
use crate::tensor::Tensor;

use super::inputs::coordinates;
use super::semantic::Site;

/// The prepared functions of a step.
pub(super) struct Functions {
    /// One a different text.
    found: Vec<(Arc<str>, Arc<Function>)>,
    /// The texts by place, where there is not just one cell: they are crossed with the values.
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
            let text = own_text(site);
            functions.add(&text, work, site, paradigm, means)?;
            return Ok(functions);
        };
        let single = cells.len() == 1 && !cells.is_missing();
        let mut texts = Vec::with_capacity(cells.len());
        for (place, cell) in cells.cells().enumerate() {
            let at = || if single { Vec::new() } else { coordinates(cells, place) };
            let here = |failure: StepFailure| StepFailure { cell: at(), ..failure };
            if cell.is_skip() {
                texts.push(Value::Skip);
                continue;
            }
            let text = text_of_cell(cell, site).map_err(here)?;
            functions.add(&text, work, site, paradigm, means).map_err(here)?;
            texts.push(Value::Text(text));
        }
        if !single {
            let mut texts = texts.into_iter();
            functions.cells = Some(cells.map_cells(|_| texts.next().unwrap_or(Value::Skip)));
        }
        Ok(functions)
    }

    fn add(
        &mut self,
        text: &Arc<str>,
        work: &Semantic,
        site: &Site<'_>,
        paradigm: &Arc<Paradigm>,
        means: &dyn Means,
    ) -> Result<(), StepFailure> {
        if self.found.iter().all(|(known, _)| known != text) {
            let function = paradigm.prepare(&states(work, site, text), means)?;
            self.found.push((Arc::clone(text), function));
        }
        Ok(())
    }

    /// The function of a combination, and the inputs without the function's cell.
    pub(super) fn of(&self, cells: &mut Vec<Value>) -> Option<&Arc<Function>> {
        if self.cells.is_none() {
            return self.found.first().map(|(_, function)| function);
        }
        if cells.is_empty() {
            return None;
        }
        match cells.remove(0) {
            Value::Text(text) => self.found.iter().find(|(known, _)| *known == text).map(|(_, f)| f),
            _ => None,
        }
    }
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

/// Only what the plan's author wrote may stand as a sign in a function cell: a text that merely looks like one is data.
fn text_of_cell(cell: &Value, site: &Site<'_>) -> Result<Arc<str>, StepFailure> {
    let name = site.function.map_or("", |function| &function.name);
    let help = "a function is a text: a sign such as `%{prompt_location}(p.md)`, or what is to be done";
    match cell {
        Value::Sign(sign) => Ok(Arc::from(sign.to_string())),
        Value::Text(text) if Sign::parse(text).is_none() => Ok(Arc::clone(text)),
        Value::Text(text) => {
            let message = format!(
                "the function `{name}` got the text `{text}` from a step, which is never taken for a sign"
            );
            Err(StepFailure::new("bad_function_cell", message).help("write the sign in the plan itself"))
        }
        other => {
            let message = format!("the function `{name}` holds `{}`, which is no text", other.to_json());
            Err(StepFailure::new("bad_function_cell", message).help(help))
        }
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
