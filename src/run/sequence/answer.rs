//! From the answers of a step's cells to its value (semantics spec, section 7).

use std::sync::Arc;

use crate::base::{SKIP_MARKER, Sign, Value};
use crate::run::effect::CallAnswer;
use crate::run::event::StepFailure;
use crate::tensor::{self, Axis, Tensor};

use super::perceive::input_text;

/// What becomes of the answers.
#[derive(Debug, Clone)]
pub(super) struct Answers {
    /// Answers are data that get a sign around them; else they are cells as they are.
    pub(super) wrapped: bool,
    /// Lists make an axis of this name; else they are cells.
    pub(super) axis: Option<Arc<str>>,
}

impl Answers {
    /// The cell an answer is.
    pub(super) fn cell(&self, answer: CallAnswer) -> Value {
        if self.wrapped { self.wrap(answer) } else { hole(answer.value) }
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
                [only] if self.axis.is_none() => sign(only, None),
                items => Value::list(items.iter().map(|item| sign(item, None))),
            },
            value => sign(value, answer.text),
        }
    }

    /// The value of a step: the cells in their places, lists as cells along a new axis.
    ///
    /// # Errors
    /// `duplicate_axis` when the new axis is there already, `too_large`.
    pub(super) fn place(&self, value: Tensor) -> Result<Tensor, StepFailure> {
        match &self.axis {
            Some(axis) if value.cells().any(|c| matches!(c, Value::List(_))) => spread(&value, axis),
            _ => Ok(value),
        }
    }
}

/// Lists become cells along a new axis; the longest one gives its size. An axis of one element is none.
fn spread(value: &Tensor, axis: &Arc<str>) -> Result<Tensor, StepFailure> {
    let rows: Vec<Vec<Value>> = value
        .cells()
        .map(|cell| match cell {
            Value::List(items) => items.iter().cloned().map(hole).collect(),
            Value::Skip => Vec::new(),
            other => vec![other.clone()],
        })
        .collect();
    let size = rows.iter().map(Vec::len).max().unwrap_or(0);
    let (mut axes, mut shape) = (value.axes().to_vec(), value.shape().to_vec());
    if rows.len().saturating_mul(size) > tensor::MAX_CELLS {
        let message = format!("the lists of the result make more than {} cells", tensor::MAX_CELLS);
        return Err(StepFailure::new("too_large", message));
    }
    let mut flat = Vec::with_capacity(rows.len() * size);
    for mut row in rows {
        row.resize(size, Value::Skip);
        flat.append(&mut row);
    }
    if size != 1 {
        axes.push(Axis::new(Arc::clone(axis)));
        shape.push(size);
    }
    let value = Tensor::from_cells(&axes, &shape, flat)
        .map_err(|error| StepFailure::new(error.kind(), error.to_string()).help(DUPLICATE))?;
    Ok(value.drop_none_axis())
}

const DUPLICATE: &str = "give the list's axis a name of its own with `output_axis_name`";

/// A null and the marker of what is missing are holes where they are a whole cell.
fn hole(value: Value) -> Value {
    match value {
        Value::Null => Value::Skip,
        Value::Text(text) if &*text == SKIP_MARKER => Value::Skip,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn placed(wrapped: bool, axis: Option<&str>, cells: Json) -> Json {
        let answers = Answers { wrapped, axis: axis.map(Arc::from) };
        let cells: Vec<Value> = match Value::from_data_json(&cells) {
            Value::List(items) => items.iter().map(|v| answers.cell(CallAnswer::of(v.clone()))).collect(),
            _ => Vec::new(),
        };
        let (axes, shape): (Vec<Axis>, Vec<usize>) = match cells.len() {
            1 => (vec![Axis::none()], vec![1]),
            n => (vec![Axis::from("i")], vec![n]),
        };
        let value = Tensor::from_cells(&axes, &shape, cells).unwrap();
        answers.place(value).unwrap().to_json()
    }

    #[test]
    fn lists_make_an_axis_as_long_as_the_longest() {
        for (cells, wanted) in [
            (
                json!([["a"], ["b", "c"]]),
                json!({"axes": ["i", "part"], "shape": [2, 2], "data": [["a", "@#SKIP#@"], ["b", "c"]]}),
            ),
            (json!([["a"], ["b"]]), json!({"axes": ["i"], "shape": [2], "data": ["a", "b"]})),
            (
                json!([null, ["b", "c"]]),
                json!({"axes": ["i", "part"], "shape": [2, 2], "data": [["@#SKIP#@", "@#SKIP#@"], ["b", "c"]]}),
            ),
            (
                json!(["x", ["b", "c"]]),
                json!({"axes": ["i", "part"], "shape": [2, 2], "data": [["x", "@#SKIP#@"], ["b", "c"]]}),
            ),
            (json!([["a", "b"]]), json!({"axes": ["part"], "shape": [2], "data": ["a", "b"]})),
            (json!([[]]), json!({"axes": ["part"], "shape": [0], "data": []})),
            (json!([[], []]), json!({"axes": ["i", "part"], "shape": [2, 0], "data": [[], []]})),
            (json!(["x", "y"]), json!({"axes": ["i"], "shape": [2], "data": ["x", "y"]})),
        ] {
            assert_eq!(placed(false, Some("part"), cells.clone()), wanted, "{cells}");
        }
    }

    #[test]
    fn without_an_axis_lists_are_cells() {
        assert_eq!(placed(false, None, json!([["a"]]))["data"], json!([["a"]]));
        assert_eq!(placed(true, None, json!([["a"]]))["data"], json!(["%(a)"]));
        assert_eq!(placed(true, None, json!([["a", 1]]))["data"], json!([["%(a)", "%(1)"]]));
        assert_eq!(placed(false, None, json!(["@#SKIP#@"]))["data"], json!(["@#SKIP#@"]));
    }
}
