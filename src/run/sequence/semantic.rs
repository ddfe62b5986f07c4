//! Semantic steps: from captured values to the work of their cells, and from the answers of the cells to the step's
//! value and verdict (semantics spec, sections 3 to 9). What the cells ask of the world is done elsewhere.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::base::{Map, Value};
use crate::repo::{Method, Semantic};
use crate::run::effect::CallAnswer;
use crate::run::event::{Produced, StepFailure};
use crate::run::means::Means;
use crate::tensor::Tensor;

use super::answer::Answers;
use super::calling::{Calling, Step};
use super::cell::Cell;
use super::format::Style;
use super::inputs::{Values, coordinates, number};
use super::judge::judge;
use super::site::{NamedValue, Site};

/// A semantic step with its inputs captured: the work of its cells and how to put the answers together.
#[derive(Debug, Clone)]
pub struct SemanticTask {
    /// One a combination of input cells that are all there, in row-major order.
    pub cells: Vec<Cell>,
    /// Seconds one call may take.
    pub timeout: Option<f64>,
    /// What is odd about the inputs, though it fails nothing (semantics spec, section 6.4).
    pub warnings: Vec<String>,
    /// The axes and sizes of the step's value, all cells missing.
    frame: Tensor,
    /// Place of each combination among the cells of the value.
    places: SmallVec<[usize; 1]>,
    /// How answers become the step's value.
    work: Arc<Semantic>,
    answers: Answers,
}

impl SemanticTask {
    /// Returns whether the step must never run twice (durability spec, section 6).
    pub fn is_once(&self) -> bool {
        self.work.once
    }

    /// Prepares the calls of a step. `values` are those of the concepts of `work.order`, in that order.
    ///
    /// # Errors
    /// When a value cannot be perceived, the values do not fit together, or the step has nothing to call.
    pub fn prepare(
        work: &Arc<Semantic>,
        site: &Site<'_>,
        values: &[NamedValue<'_>],
        means: &dyn Means,
    ) -> Result<Self, StepFailure> {
        let mut given = Values::new(work, values, Style::of(&work.method))?;
        let calling = Calling::choose(work, site, &given, means)?;
        let style = calling.style(work);
        if style == Style::Bare {
            given.leave_out_queries();
        }
        let combined = given.combined(calling.function_cells(), style, means)?;
        let step = Step { work, site, constants: given.constants(), style, means };
        let single = combined.frame.len() == 1;
        let mut cells = Vec::with_capacity(combined.cells.len());
        let mut places = SmallVec::with_capacity(combined.cells.len());
        let mut sizes: Option<(usize, usize)> = None;
        for (place, combination) in combined.cells {
            let at = || if single { Vec::new() } else { coordinates(&combined.frame, place) };
            let made = calling.cell(&step, (place, combination), at());
            let (cell, inputs) = made.map_err(|failure| StepFailure { cell: at(), ..failure })?;
            let (fewest, most) = sizes.unwrap_or((inputs, inputs));
            sizes = Some((fewest.min(inputs), most.max(inputs)));
            places.push(place);
            cells.push(cell);
        }
        let mut warnings = given.unpicked();
        if let Some((fewest, most)) = sizes.filter(|(fewest, most)| fewest != most) {
            warnings.push(format!(
                "the calls of the step get between {fewest} and {most} inputs, because lists of several lengths are \
                 spread over them: `packed` in a selector passes a list as one"
            ));
        }
        Ok(Self {
            cells,
            timeout: work.timeout,
            warnings,
            frame: combined.frame,
            places,
            answers: Answers {
                wrapped: calling.is_wrapped(),
                axis: lists_make_an_axis(work)
                    .then(|| Arc::clone(work.output_axis_name.as_ref().unwrap_or(&site.target.axis_name))),
            },
            work: Arc::clone(work),
        })
    }

    /// Puts the answers, one a cell in the same order, together.
    ///
    /// # Errors
    /// When the answers do not fit together, or an assertion is not understood.
    pub fn finish(&self, answers: Vec<CallAnswer>) -> Result<Produced, StepFailure> {
        let cells = answers.into_iter().map(|answer| self.answers.cell(answer));
        let mut answered = self.places.iter().copied().zip(cells).peekable();
        let mut place = 0;
        let value = self.frame.map_cells(|_| {
            let here = answered.next_if(|(at, _)| *at == place);
            place += 1;
            here.map_or(Value::Skip, |(_, cell)| cell)
        });
        judge(&self.work, self.answers.place(value)?)
    }
}

fn lists_make_an_axis(work: &Semantic) -> bool {
    let composed = matches!(work.method, Method::Composition { .. });
    work.relation_output || (composed && work.create_axis_on_list_output)
}

/// What a step of this kind is given, as one map a combination of input cells (semantics spec, section 6): the numbered
/// inputs, the instructions under their keys, the constants.
///
/// # Errors
/// Those of selection and perception, with the concept; `axis_size_mismatch`.
pub fn input_maps(
    work: &Semantic,
    values: &[NamedValue<'_>],
    means: &dyn Means,
) -> Result<Tensor, StepFailure> {
    let style = Style::of(&work.method);
    let given = Values::new(work, values, style)?;
    let special = given.special(style, means, &|_| true)?;
    let combined = given.combined(None, style, means)?;
    let mut maps = Vec::with_capacity(combined.cells.len());
    for (place, cells) in combined.cells {
        let map: Map = number(cells, work, style, means)?.into_map(&special, given.constants());
        maps.push((place, map));
    }
    let mut maps = maps.into_iter().peekable();
    let mut place = 0;
    Ok(combined.frame.map_cells(|_| {
        let here = maps.next_if(|(at, _)| *at == place);
        place += 1;
        here.map_or(Value::Skip, |(_, map)| Value::Map(Arc::new(map)))
    }))
}
