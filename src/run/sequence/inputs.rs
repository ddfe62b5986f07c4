//! From the values of a step to the inputs of its calls: instructions apart, cells formatted, combined by axis, and
//! numbered (semantics spec, section 6).

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use smallvec::SmallVec;

use crate::base::{Map, Value};
use crate::repo::{Method, Semantic, Source};
use crate::run::effect::Arguments;
use crate::run::event::StepFailure;
use crate::run::means::Means;
use crate::tensor::{Axis, Tensor, combine, is_missing};

use super::format::Style;
use super::perceive::{Perceived, is_query};
use super::select::{Picked, Selector};
use super::site::NamedValue;

/// A value in the order the step wants it.
struct Given<'a> {
    name: &'a str,
    value: Cow<'a, Tensor>,
    selector: Option<Box<Selector>>,
}

/// Instructions with the name they have among the inputs.
pub(super) type Special = SmallVec<[(&'static str, Arc<str>); 2]>;

/// What a step is given, instructions apart.
pub(super) struct Values<'a> {
    given: SmallVec<[Given<'a>; 4]>,
    /// Instructions of values that hold nothing else, unread, each with the concept it stands in.
    instructions: SmallVec<[(&'a str, Value); 2]>,
    /// Constants that have no number, by their own names.
    constants: Vec<(Arc<str>, Value)>,
}

/// The combinations of input cells a step is called for.
pub(super) struct Combined {
    /// Their axes and sizes, all cells missing.
    pub(super) frame: Tensor,
    /// The combinations in which no cell is missing, each with its place.
    pub(super) cells: SmallVec<[(usize, Vec<Value>); 1]>,
}

/// The inputs of one call.
pub(super) struct Inputs {
    /// The numbered inputs.
    pub(super) numbered: Arguments,
    /// The instructions that stand in this combination only.
    pub(super) special: Special,
}

impl<'a> Values<'a> {
    /// Puts the values in order. `values` holds those of the concepts that are passed, in that order.
    ///
    /// # Errors
    /// `bad_selector`, `unknown_value`.
    pub(super) fn new(
        work: &'a Semantic,
        values: &'a [NamedValue<'a>],
        style: Style,
    ) -> Result<Self, StepFailure> {
        let mut rest = values.iter();
        let mut found = Self { given: SmallVec::new(), instructions: SmallVec::new(), constants: Vec::new() };
        for passed in &work.passed {
            let selector = passed.selector.as_ref().map(|s| Selector::read(s).map(Box::new)).transpose();
            let selector = selector.map_err(|f| blamed(f, &passed.key, None))?;
            let (name, value) = match &passed.source {
                Source::Concept(_) => match rest.next() {
                    Some(value) => (value.name, Cow::Borrowed(value.value)),
                    None => return Err(unknown(&passed.key, &passed.key)),
                },
                Source::Unknown(name) => return Err(unknown(&passed.key, name)),
                Source::Constant(name) => {
                    let constant = work.constants.iter().find(|(n, _)| n == name);
                    let value = constant.map_or(Value::Skip, |(_, json)| Value::from_plan_json(json));
                    (&**name, Cow::Owned(Tensor::singleton(value)))
                }
            };
            match selector {
                None if let Some(cell) = only_cell(&value).filter(|cell| style.instructs(cell)) => {
                    found.instructions.push((name, cell.clone()));
                }
                selector => found.given.push(Given { name, value, selector }),
            }
        }
        let numbered =
            |name: &str| work.passed.iter().any(|p| matches!(&p.source, Source::Constant(n) if **n == *name));
        for (name, json) in work.constants.iter().filter(|(name, _)| !numbered(name)) {
            found.constants.push((Arc::clone(name), Value::from_plan_json(json)));
        }
        Ok(found)
    }

    /// The payload of the last instruction of a norm, of those that need no reading.
    pub(super) fn instruction(&self, norms: &[&str]) -> Option<&Arc<str>> {
        self.instructions.iter().rev().find_map(|(_, cell)| match cell {
            Value::Sign(sign) if sign.norm().is_some_and(|norm| norms.contains(&norm)) => {
                Some(sign.payload())
            }
            _ => None,
        })
    }

    /// The constants without a number.
    pub(super) fn constants(&self) -> &[(Arc<str>, Value)] {
        &self.constants
    }

    /// What selectors find nothing of in cells that are there: such a cell is missing (semantics spec, section 6.2).
    pub(super) fn unpicked(&self) -> Vec<String> {
        let said = |given: &Given<'_>| {
            let selector = given.selector.as_deref()?;
            let nothing =
                |cell: &Value| !is_missing(cell) && selector.select(cell) == Picked::One(Value::Skip);
            let (all, without) =
                (given.value.len(), given.value.cells().filter(|cell| nothing(cell)).count());
            (without > 0).then(|| {
                let of = if all > 1 {
                    format!("{without} of {all} cells of `{}`", given.name)
                } else {
                    format!("`{}`", given.name)
                };
                format!(
                    "{of} {} nothing at {}, so there is no call for {}",
                    if without > 1 { "have" } else { "has" },
                    selector.place(),
                    if without > 1 { "them" } else { "it" }
                )
            })
        };
        self.given.iter().filter_map(said).collect()
    }

    /// Leaves out questions about concepts, `{sum}?`: built-ins do not take them.
    pub(super) fn leave_out_queries(&mut self) {
        self.given.retain(|given| !is_query(given.name));
    }

    /// The instructions, perceived. `is_needed` says whether one whose file is not there is missed.
    ///
    /// # Errors
    /// Those of perception.
    pub(super) fn special(
        &self,
        style: Style,
        means: &dyn Means,
        is_needed: &dyn Fn(&Value) -> bool,
    ) -> Result<Special, StepFailure> {
        let mut special = Special::new();
        for (name, cell) in &self.instructions {
            match style.perceive(cell, means) {
                Ok(perceived) => put(&mut special, &perceived),
                Err(failure) if failure.kind == "file_not_found" && !is_needed(cell) => {}
                Err(failure) => return Err(blamed(failure, name, None)),
            }
        }
        Ok(special)
    }

    /// Formats the cells and combines them by axis; `first` is crossed before them (semantics spec, section 6.4).
    ///
    /// # Errors
    /// Those of selection and perception, with the concept; `axis_size_mismatch`.
    pub(super) fn combined(
        &self,
        first: Option<&Tensor>,
        style: Style,
        means: &dyn Means,
    ) -> Result<Combined, StepFailure> {
        let one = if first.is_none() { one_cell(&self.given) } else { None };
        if let Some(frame) = one {
            let mut cells = Vec::with_capacity(self.given.len());
            for given in &self.given {
                for cell in given.value.cells() {
                    cells.push(given.format(cell, style, means).map_err(|f| blamed(f, given.name, None))?);
                }
            }
            let there = !cells.iter().any(Value::is_skip);
            // A copy, since holding an input would keep it from being appended to in place.
            let frame = frame.map_cells(|_| Value::Skip);
            return Ok(Combined { frame, cells: there.then_some((0, cells)).into_iter().collect() });
        }
        let mut formatted: SmallVec<[Tensor; 4]> = first.cloned().into_iter().collect();
        for given in &self.given {
            formatted.push(given.formatted(style, means)?);
        }
        combine(&formatted).map_err(|failure| self.with_sizes(failure))
    }

    /// A failure of the combination, with the sizes of what is combined.
    fn with_sizes(&self, mut failure: StepFailure) -> StepFailure {
        let sizes = |given: &Given<'_>| {
            let axes = given.value.axes().iter().zip(given.value.shape());
            let axes: Vec<String> = axes.map(|(axis, size)| format!("{axis}: {size}")).collect();
            format!("`{}` has ({})", given.name, axes.join(", "))
        };
        let plural = self.given.iter().filter(|given| given.value.len() != 1).map(sizes);
        failure.message.push_str(&format!("; {}", plural.collect::<Vec<_>>().join(", ")));
        failure
    }
}

impl Given<'_> {
    fn format(&self, cell: &Value, style: Style, means: &dyn Means) -> Result<Value, StepFailure> {
        style.format(cell, self.selector.as_deref(), means)
    }

    fn formatted(&self, style: Style, means: &dyn Means) -> Result<Tensor, StepFailure> {
        let mut failure = None;
        let mut place = 0;
        let formatted = self.value.map_cells(|cell| {
            let here = place;
            place += 1;
            if failure.is_some() {
                return Value::Skip;
            }
            self.format(cell, style, means).unwrap_or_else(|error| {
                failure = Some((error, here));
                Value::Skip
            })
        });
        match failure {
            None => Ok(formatted),
            Some((error, at)) => Err(blamed(error, self.name, Some((&self.value, at)))),
        }
    }
}

/// A failure with the input concept it came from, and the cell of it.
fn blamed(failure: StepFailure, name: &str, at: Option<(&Tensor, usize)>) -> StepFailure {
    let cell = match at {
        Some((tensor, place)) if tensor.len() > 1 => coordinates(tensor, place),
        _ => failure.cell,
    };
    StepFailure { message: format!("{}, for the value `{name}`", failure.message), cell, ..failure }
}

fn unknown(key: &str, name: &str) -> StepFailure {
    let message = match key == name {
        true => format!("`value_order` numbers `{name}`, which is no value of the step"),
        false => format!("`value_order` numbers `{key}`, and its source `{name}` is no value of the step"),
    };
    StepFailure::new("unknown_value", message)
        .help(format!("add \"{name}\" to the step's `value_concepts`, or remove the number"))
}

fn only_cell(value: &Tensor) -> Option<&Value> {
    (value.len() == 1).then(|| value.cells().next()).flatten()
}

fn put(special: &mut Special, perceived: &Perceived) {
    let Some((key, text)) = perceived.instruction() else { return };
    match special.iter_mut().find(|(known, _)| *known == key) {
        Some(entry) => entry.1 = Arc::clone(text),
        None => special.push((key, Arc::clone(text))),
    }
}

/// Where every input is one cell, as in most steps of a loop, their combination is one: an input that has its axes.
/// None when the inputs must be aligned.
fn one_cell<'a>(inputs: &'a [Given<'_>]) -> Option<&'a Tensor> {
    let mut frame: Option<&Tensor> = None;
    for value in inputs.iter().map(|given| &*given.value) {
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
            .help("values that share an axis must have the same number of elements along it")
    };
    let alignment = combine::Alignment::new(formatted).map_err(not_together)?;
    let frame = Tensor::new(alignment.axes(), alignment.shape(), Value::Skip).map_err(not_together)?;
    let there = alignment.combinations().filter(|c| !c.is_missing());
    Ok(Combined { cells: there.map(|c| (c.flat, c.owned())).collect(), frame: frame.drop_none_axis() })
}

/// Numbers the cells of one combination: lists are opened in place, instructions go under their own names.
///
/// # Errors
/// Those of perception.
pub(super) fn number(
    cells: Vec<Value>,
    work: &Semantic,
    style: Style,
    means: &dyn Means,
) -> Result<Inputs, StepFailure> {
    let mut inputs = Inputs { numbered: Vec::with_capacity(cells.len()), special: Special::new() };
    if style == Style::Bare {
        let named = cells.into_iter().enumerate().map(|(before, cell)| (input_name(before), cell));
        inputs.numbered.extend(named.filter(|(_, cell)| !style.instructs(cell)));
        return Ok(inputs);
    }
    for cell in cells {
        match cell {
            Value::List(items) => {
                for item in items.iter() {
                    inputs.take(item.clone(), style, means)?;
                }
            }
            other => inputs.take(other, style, means)?,
        }
    }
    let only = inputs.numbered.len() == 1;
    for (before, (name, _)) in inputs.numbered.iter_mut().enumerate() {
        match &work.method {
            Method::Direct if only && !work.judgement => *name = Arc::from("input"),
            Method::Input if before == 0 => *name = Arc::clone(&work.keys.prompt),
            Method::Input => *name = Arc::from(format!("context_{before}")),
            _ => {}
        }
    }
    Ok(inputs)
}

impl Inputs {
    fn take(&mut self, item: Value, style: Style, means: &dyn Means) -> Result<(), StepFailure> {
        if matches!(item, Value::Sign(_)) {
            put(&mut self.special, &style.perceive(&item, means)?);
        } else {
            self.numbered.push((input_name(self.numbered.len()), item));
        }
        Ok(())
    }

    /// All of it as one map: instructions of the step and of the combination, numbered inputs, constants.
    pub(super) fn into_map(self, special: &Special, constants: &[(Arc<str>, Value)]) -> Map {
        let mut map = Map::with_capacity(self.numbered.len() + special.len() + constants.len());
        for (key, text) in special.iter().chain(&self.special) {
            map.insert(Arc::from(*key), Value::Text(Arc::clone(text)));
        }
        map.extend(self.numbered);
        for (name, value) in constants {
            map.entry(Arc::clone(name)).or_insert_with(|| super::perceive::stripped(value));
        }
        map
    }
}

/// `input_1` for the first input, and so on. The first few, which nearly all steps make do with, are made once.
fn input_name(before: usize) -> Arc<str> {
    static FIRST: LazyLock<[Arc<str>; 8]> = LazyLock::new(|| std::array::from_fn(numbered));
    FIRST.get(before).map_or_else(|| numbered(before), Arc::clone)
}

fn numbered(before: usize) -> Arc<str> {
    Arc::from(format!("input_{}", before + 1))
}

/// Where a cell is, as axis names and positions.
pub(super) fn coordinates(tensor: &Tensor, place: usize) -> Vec<(String, usize)> {
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
