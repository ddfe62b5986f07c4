//! Semantic steps: from captured values to the work of their cells, and from the answers of the cells to the step's
//! value and verdict (semantics spec, sections 3 to 9). What the cells ask of the world is done elsewhere.

use std::sync::{Arc, LazyLock};

use serde_json::Value as Json;
use smallvec::SmallVec;

use crate::base::{Sign, Value, strip};
use crate::repo::{Concept, Method, Semantic};
use crate::tensor::{self, Axis, Tensor, combine, mask};

use super::super::effect::{Arguments, CallAnswer, Contract, Effect, ScriptCode, ScriptRun};
use super::super::event::{Produced, StepFailure};
use super::super::means::Means;
use super::cell::Cell;
use super::perceive::{Perceived, flatten, input_text, is_query, joined, perceive};

/// A semantic step with its inputs captured: the work of its cells and how to put the answers together.
#[derive(Debug, Clone)]
pub struct SemanticTask {
    /// One a combination of input cells that are all there, in row-major order.
    pub cells: Vec<Cell>,
    /// Seconds one call may take.
    pub timeout: Option<f64>,
    /// The axes and sizes of the step's value, all cells missing.
    frame: Tensor,
    /// Place of each combination among the cells of the value.
    places: SmallVec<[usize; 1]>,
    /// How answers become the step's value.
    work: Arc<Semantic>,
    composed: bool,
    /// The name of the axis a list result makes.
    axis: Arc<str>,
}

/// What a step knows of the concepts it is about.
pub struct Site<'a> {
    /// The concept it infers.
    pub target: &'a Concept,
    /// Its function concept.
    pub function: Option<&'a Concept>,
    /// The value of the function concept, if it has one.
    pub cells: Option<&'a Tensor>,
}

/// A value of the step, by the name it is ordered under.
pub struct NamedValue<'a> {
    /// The concept's name.
    pub name: &'a str,
    /// Its value, filters applied.
    pub value: &'a Tensor,
}

impl SemanticTask {
    /// Returns whether the step must never run twice (durability spec, section 6).
    pub fn is_once(&self) -> bool {
        self.work.once
    }

    /// Prepares the calls of a step from its ordered values.
    ///
    /// # Errors
    /// When the step has nothing to call, or its values do not fit together.
    pub fn prepare(
        work: &Arc<Semantic>,
        site: &Site<'_>,
        values: &[NamedValue<'_>],
        _means: &dyn Means,
    ) -> Result<Self, StepFailure> {
        let composed = composed(work)?;
        let mut instruction = None;
        let mut inputs: SmallVec<[&NamedValue<'_>; 4]> = SmallVec::new();
        for value in values {
            match instruction_of(value.value)? {
                Some(Perceived::PromptLocation(_)) => {}
                Some(found) => instruction = Some(found),
                None => inputs.push(value),
            }
        }
        let effect: Box<dyn Fn(Arguments) -> Effect> = match &instruction {
            Some(Perceived::Script(path)) => Box::new(move |inputs| {
                let contract =
                    if composed { Contract::Function(Arc::from("main")) } else { Contract::Globals };
                Effect::Script(ScriptRun { code: ScriptCode::File(Arc::clone(path)), contract, inputs })
            }),
            Some(Perceived::Builtin(name)) => {
                Box::new(move |inputs| Effect::Builtin { name: Arc::clone(name), inputs })
            }
            _ => return Err(nothing_to_call(work)),
        };
        let builtin = matches!(instruction, Some(Perceived::Builtin(_)));
        if builtin {
            inputs.retain(|v| !is_query(v.name));
        }
        let format = |cell: &Value| match cell {
            Value::Skip => Value::Skip,
            cell => format_cell(cell, builtin, composed),
        };
        let combined = match one_cell(&inputs) {
            Some(frame) => {
                let cells: Vec<Value> = inputs.iter().flat_map(|v| v.value.cells()).map(format).collect();
                let there = !cells.iter().any(Value::is_skip);
                // A copy, since holding an input would keep it from being appended to in place.
                let frame = frame.map_cells(|_| Value::Skip);
                Combined { frame, cells: there.then_some((0, cells)).into_iter().collect() }
            }
            None => {
                let formatted: SmallVec<[Tensor; 4]> =
                    inputs.iter().map(|v| v.value.map_cells(format)).collect();
                combine(&formatted)?
            }
        };
        let single = combined.frame.len() == 1;
        let mut cells = Vec::with_capacity(combined.cells.len());
        let mut places = SmallVec::with_capacity(combined.cells.len());
        for (place, cell) in combined.cells {
            places.push(place);
            let at = if single { Vec::new() } else { coordinates(&combined.frame, place) };
            cells.push(Cell::direct(effect(number(cell, builtin, composed)), at));
        }
        Ok(Self {
            cells,
            timeout: work.timeout,
            frame: combined.frame,
            places,
            axis: Arc::clone(work.output_axis_name.as_ref().unwrap_or(&site.target.axis_name)),
            work: Arc::clone(work),
            composed,
        })
    }

    /// Puts the answers, one a cell in the same order, together.
    ///
    /// # Errors
    /// When the answers do not fit together, or an assertion is not understood.
    pub fn finish(&self, answers: Vec<CallAnswer>) -> Result<Produced, StepFailure> {
        let mut answered =
            self.places.iter().copied().zip(answers.into_iter().map(|a| self.wrap(a))).peekable();
        let mut place = 0;
        let value = self.frame.map_cells(|_| {
            let here = answered.next_if(|(at, _)| *at == place);
            place += 1;
            here.map_or(Value::Skip, |(_, cell)| cell)
        });
        let lists = self.lists_make_an_axis() && value.cells().any(|c| matches!(c, Value::List(_)));
        self.judge(if lists { self.spread(&value)? } else { value })
    }

    fn lists_make_an_axis(&self) -> bool {
        self.work.relation_output || (self.composed && self.work.create_axis_on_list_output)
    }

    /// Every answer becomes a sign without norm. A list makes an axis where the step says so; else it is one list
    /// cell of signs, so that nothing of it is lost, and a list of one is its item.
    fn wrap(&self, answer: CallAnswer) -> Value {
        let sign = |value: &Value, text: Option<Arc<str>>| match value {
            Value::Skip | Value::Null => Value::Skip,
            value => Value::Sign(Arc::new(Sign::plain(text.unwrap_or_else(|| input_text(value))))),
        };
        match &answer.value {
            Value::List(items) => match &**items {
                [only] if !self.lists_make_an_axis() => sign(only, None),
                items => Value::list(items.iter().map(|item| sign(item, None))),
            },
            value => sign(value, answer.text),
        }
    }

    /// Lists become cells along a new axis, the longest one gives its size (semantics spec, section 7).
    fn spread(&self, value: &Tensor) -> Result<Tensor, StepFailure> {
        let rows: Vec<Vec<Value>> = value
            .cells()
            .map(|cell| match cell {
                Value::List(items) => items.to_vec(),
                Value::Skip => Vec::new(),
                other => vec![other.clone()],
            })
            .collect();
        let size = rows.iter().map(Vec::len).max().unwrap_or(0);
        let (mut axes, mut shape) = (value.axes().to_vec(), value.shape().to_vec());
        let mut flat = Vec::with_capacity(rows.len() * size);
        for mut row in rows {
            row.resize(size, Value::Skip);
            flat.append(&mut row);
        }
        if size != 1 {
            axes.push(Axis::new(Arc::clone(&self.axis)));
            shape.push(size);
        }
        let value = Tensor::from_cells(&axes, &shape, flat).map_err(refused)?;
        Ok(value.drop_none_axis())
    }

    fn judge(&self, value: Tensor) -> Result<Produced, StepFailure> {
        if !self.work.judgement {
            return Ok(Produced { value, met: None, mask: None });
        }
        if let Some(assertion) = &self.work.assertion {
            let condition = Value::from_data_json(&assertion.condition);
            let quantifiers = assertion
                .quantifiers
                .iter()
                .filter(|(axis, _)| &**axis != "concept")
                .map(|(axis, word)| match mask::Quantifier::parse(word) {
                    Some(quantifier) => Ok((Axis::from(&**axis), quantifier)),
                    None => Err(StepFailure::new("unknown_quantifier", format!("`{word}` is no quantifier"))
                        .help("write `all`, `some`, `none`, `exists` or `for-each`")),
                })
                .collect::<Result<Vec<_>, _>>()?;
            let judged = mask::truth_mask(&value, &quantifiers, &condition);
            let produced = Produced { value: judged.tensor.clone(), met: Some(judged.met), mask: None };
            let filters = judged.filter_axis.is_some();
            return Ok(Produced { mask: filters.then(|| Arc::new(judged)), ..produced });
        }
        let Some(condition) = &self.work.condition else {
            return Ok(Produced { value, met: None, mask: None });
        };
        let condition = Value::from_data_json(condition);
        let met = value.cells().filter(|c| !c.is_skip()).all(|cell| mask::matches(cell, &condition));
        Ok(Produced { value: Tensor::singleton(mask::marker(met)), met: Some(met), mask: None })
    }
}

/// Returns whether the step is a composition that runs a script, as far as it can be run.
fn composed(work: &Semantic) -> Result<bool, StepFailure> {
    match &work.method {
        Method::Python => Ok(false),
        Method::Composition { paradigm }
            if paradigm.starts_with("h_PromptTemplate_ScriptLocation-c_Retrieve_or_") =>
        {
            Ok(true)
        }
        Method::Composition { paradigm } => Err(StepFailure::new(
            "unsupported_affordance",
            format!("the paradigm `{paradigm}` cannot be run"),
        )
        .help("name a script on the step's function: `| %{script_location}: scripts/step.py`")),
        Method::Plain | Method::Direct | Method::Input | Method::PythonIndirect => Err(nothing_to_call(work)),
    }
}

fn nothing_to_call(work: &Semantic) -> StepFailure {
    let (kind, message) = match work.method {
        Method::Input => ("no_answer_in_time", "the step asks a person, and nobody can be asked"),
        Method::Python | Method::Composition { .. } => {
            ("missing_input", "no script and no built-in is among the step's values")
        }
        _ => ("no_model_configured", "the step needs a language model, and none is configured"),
    };
    StepFailure::new(kind, message).help(
        "say what does the step below its function: `| %{script_location}: scripts/step.py` or `| %{builtin}: add`",
    )
}

/// The instruction a value holds: a single sign whose norm tells the step what to do.
fn instruction_of(value: &Tensor) -> Result<Option<Perceived>, StepFailure> {
    if value.len() != 1 {
        return Ok(None);
    }
    match value.cells().next() {
        Some(cell @ Value::Sign(_)) => match perceive(cell)? {
            Perceived::Input(_) => Ok(None),
            instruction => Ok(Some(instruction)),
        },
        _ => Ok(None),
    }
}

/// One cell as an input: built-ins get values, scripts get texts, compositions get several items as several inputs.
fn format_cell(cell: &Value, builtin: bool, composed: bool) -> Value {
    if builtin {
        return stripped(cell);
    }
    if composed {
        if matches!(cell, Value::Map(_)) {
            return stripped(cell);
        }
        let items = flatten(cell);
        return match items.as_slice() {
            [] => Value::text(""),
            [only] => Value::Text(input_text(only)),
            several => Value::list(several.iter().map(stripped)),
        };
    }
    let texts: Vec<Arc<str>> = flatten(cell).iter().map(input_text).collect();
    Value::text(joined(&texts))
}

/// A value with every sign replaced by what its payload says.
fn stripped(value: &Value) -> Value {
    match value {
        Value::Sign(_) => strip(value),
        Value::Text(_) => Value::Text(input_text(value)),
        Value::List(items) => Value::list(items.iter().map(stripped)),
        Value::Map(map) => {
            Value::Map(Arc::new(map.iter().map(|(k, v)| (Arc::clone(k), stripped(v))).collect()))
        }
        other => other.clone(),
    }
}

/// The combinations of input cells a step is called for.
struct Combined {
    /// Their axes and sizes, all cells missing.
    frame: Tensor,
    /// The combinations in which no cell is missing, each with its place.
    cells: SmallVec<[(usize, Vec<Value>); 1]>,
}

/// Where every input is one cell, as in most steps of a loop, their combination is one: an input that has its axes.
/// None when the inputs must be aligned.
fn one_cell<'a>(inputs: &[&NamedValue<'a>]) -> Option<&'a Tensor> {
    let mut frame: Option<&Tensor> = None;
    for value in inputs.iter().map(|v| v.value) {
        let without_plurality = |t: &Tensor| matches!(t.axes(), [axis] if axis.is_none());
        let unmixed = without_plurality(value) || !value.axes().iter().any(Axis::is_none);
        if value.len() != 1 || value.rank() == 0 || !unmixed {
            return None;
        }
        frame = match frame {
            None => Some(value),
            Some(known) if without_plurality(known) => Some(value),
            Some(known) if without_plurality(value) || known.axes() == value.axes() => Some(known),
            Some(_) => return None,
        };
    }
    frame
}

/// The cross product of the inputs (tensor spec, section 5); without inputs one combination of nothing.
fn combine(formatted: &[Tensor]) -> Result<Combined, StepFailure> {
    if formatted.is_empty() {
        let frame = Tensor::singleton(Value::Skip);
        return Ok(Combined { frame, cells: SmallVec::from_iter([(0, Vec::new())]) });
    }
    let not_together = |error| {
        StepFailure::new("axis_size_mismatch", format!("the step's values do not fit together: {error}"))
    };
    let alignment = combine::Alignment::new(formatted).map_err(not_together)?;
    let frame = Tensor::new(alignment.axes(), alignment.shape(), Value::Skip).map_err(not_together)?;
    let there = alignment.combinations().filter(|c| !c.is_missing());
    Ok(Combined { cells: there.map(|c| (c.flat, c.owned())).collect(), frame: frame.drop_none_axis() })
}

/// The inputs by the names they have in a call.
fn number(cells: Vec<Value>, builtin: bool, composed: bool) -> Vec<(Arc<str>, Value)> {
    let mut inputs = Vec::with_capacity(cells.len());
    let mut push = |value: Value| inputs.push((input_name(inputs.len()), value));
    for cell in cells {
        match cell {
            Value::List(items) if composed && !builtin => items.iter().for_each(|i| push(from_json_text(i))),
            other if composed && !builtin => push(from_json_text(&other)),
            other => push(other),
        }
    }
    inputs
}

/// `input_1` for the first input, and so on. The first few, which nearly all steps make do with, are made once.
fn input_name(before: usize) -> Arc<str> {
    static FIRST: LazyLock<[Arc<str>; 8]> = LazyLock::new(|| std::array::from_fn(numbered));
    FIRST.get(before).map_or_else(|| numbered(before), Arc::clone)
}

fn numbered(before: usize) -> Arc<str> {
    Arc::from(format!("input_{}", before + 1))
}

/// A text that is JSON is passed as what it says (`collect_script_inputs`, semantics spec, section 10.4).
fn from_json_text(value: &Value) -> Value {
    let Value::Text(t) = value else { return value.clone() };
    match serde_json::from_str::<Json>(t) {
        Ok(json) => Value::from_data_json(&json),
        Err(_) => value.clone(),
    }
}

fn coordinates(tensor: &Tensor, place: usize) -> Vec<(String, usize)> {
    let mut rest = place;
    let mut found: Vec<(String, usize)> = Vec::with_capacity(tensor.rank());
    for (axis, size) in tensor.axes().iter().zip(tensor.shape()).rev() {
        if *size > 0 {
            found.push((axis.to_string(), rest % size));
            rest /= size;
        }
    }
    found.reverse();
    found
}

fn refused(error: tensor::Error) -> StepFailure {
    StepFailure::new(error.kind(), error.to_string())
}
