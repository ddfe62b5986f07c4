//! Tensors from nested data and back: padding of irregular lists, the nested form, the JSON form
//! (tensor spec, sections 1 and 3).

use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::base::{SKIP_MARKER, Value};

use super::axis::Axis;
use super::cell::{Cell, hole, is_missing, leaves_into, prune};
use super::error::{Error, Result};
use super::shape::{Axes, Sizes, check_distinct, checked_len};
use super::value::Tensor;

impl Tensor {
    /// A tensor from nested lists, irregular ones padded with missing cells (tensor spec, section 3). Without names
    /// the rank is the number of levels above the shallowest plain value, and the names are `axis_0`, `axis_1`, ...
    ///
    /// # Errors
    /// `not_a_list`, `too_many_axes`, `duplicate_axis`, `mixed_depth`, `too_large`.
    pub fn from_data(data: &Value, names: Option<&[Axis]>) -> Result<Self> {
        let Value::List(items) = data else {
            return Err(Error::NotAList);
        };
        let levels = Levels::of(items);
        let depth = levels.sizes.len();
        let shallowest = levels.shallowest.unwrap_or(depth);
        let axes: Axes = match names {
            None => (0..depth.min(shallowest)).map(Axis::numbered).collect(),
            Some(names) => {
                if names.len() > depth {
                    return Err(Error::TooManyAxes { names: names.len(), levels: depth });
                }
                check_distinct(names)?;
                if shallowest < names.len() {
                    return Err(Error::MixedDepth { depth: shallowest, names: names.len() });
                }
                names.into()
            }
        };
        let shape = levels.sizes[..axes.len()].into();
        Self::padded(axes, shape, data)
    }

    /// Keeps the axes and takes shape and cells from nested data (tensor spec, section 3).
    ///
    /// # Errors
    /// `not_a_list`; `rank_mismatch` when a present value is not exactly as deep as the rank; `too_large`. The tensor
    /// is unchanged then.
    pub fn set_tensor(&mut self, data: &Value) -> Result<()> {
        let Value::List(items) = data else {
            return Err(Error::NotAList);
        };
        let levels = Levels::of(items);
        let found = levels.sizes.len();
        let shallowest = levels.shallowest.unwrap_or(found);
        if found != self.rank() || shallowest != self.rank() {
            let found = if found == self.rank() { shallowest } else { found };
            return Err(Error::RankMismatch { axes: self.rank(), found });
        }
        *self = Self::padded(self.axes().into(), levels.sizes, data)?;
        Ok(())
    }

    /// INVARIANT: no plain value stands above the last axis.
    fn padded(axes: Axes, shape: Sizes, data: &Value) -> Result<Self> {
        let mut cells = Vec::with_capacity(checked_len(&shape)?);
        pad(data, &shape, &mut cells);
        Ok(Self::packed_from(axes, shape, cells))
    }

    /// The nested form: lists as deep as the rank, all full; rank 0: the cell (tensor spec, section 1).
    pub fn to_nested(&self) -> Value {
        nest(self.shape(), &mut self.cells())
    }

    /// The nested form without missing entries and without lists left empty by that (tensor spec, section 3).
    pub fn prune(&self) -> Value {
        prune(&self.to_nested())
    }

    /// The present contents of all cells, list cells opened, in row-major order (tensor spec, section 3).
    pub fn leaves(&self) -> Vec<Cell> {
        let mut leaves = Vec::new();
        for cell in self.cells() {
            leaves_into(cell, &mut leaves);
        }
        leaves
    }

    /// Returns whether a present text equals the marker of missing cells, so that it would read back from JSON as
    /// missing: worth a warning where values leave the program (tensor spec, section 12).
    pub fn has_marker_text(&self) -> bool {
        fn marked(value: &Value) -> bool {
            match value {
                Value::Text(text) => text.as_ref() == SKIP_MARKER,
                Value::List(items) => items.iter().any(marked),
                _ => false,
            }
        }
        self.cells().any(marked)
    }

    /// The JSON form `{"axes", "shape", "data"}` (tensor spec, section 1).
    pub fn to_json(&self) -> Json {
        let axes: Vec<&str> = self.axes().iter().map(Axis::as_str).collect();
        json!({ "axes": axes, "shape": self.shape(), "data": self.to_nested().to_json() })
    }

    /// The start value of a concept from what the plan's author wrote: a single value is a list of one, texts of the
    /// form of a sign become signs (repositories spec, section 1).
    ///
    /// # Errors
    /// As [`Tensor::from_data`].
    pub fn from_start_data(json: &Json, names: Option<&[Arc<str>]>) -> Result<Self> {
        let data = match Value::from_plan_json(json) {
            list @ Value::List(_) => list,
            single => Value::list([single]),
        };
        let axes: Option<Vec<Axis>> = names.map(|names| names.iter().map(|n| Axis::from(&**n)).collect());
        Self::from_data(&data, axes.as_deref())
    }

    /// Reads the JSON form of data: texts that look like signs stay texts.
    ///
    /// # Errors
    /// `malformed` when it is not the JSON form of a tensor; `rank_mismatch`, `duplicate_axis`, `too_large`.
    pub fn from_json(json: &Json) -> Result<Self> {
        Self::read_json(json, Value::from_data_json)
    }

    /// Reads the JSON form of what the plan's author wrote: texts of the form of a sign become signs.
    ///
    /// # Errors
    /// As [`Tensor::from_json`].
    pub fn from_plan_json(json: &Json) -> Result<Self> {
        Self::read_json(json, Value::from_plan_json)
    }

    fn read_json(json: &Json, read: fn(&Json) -> Value) -> Result<Self> {
        let malformed = |problem: &str| Error::Malformed { problem: problem.to_owned() };
        let list = |key: &str| json.get(key).and_then(Json::as_array);
        let axes = list("axes")
            .and_then(|names| names.iter().map(|n| n.as_str().map(Axis::from)).collect::<Option<Axes>>())
            .ok_or_else(|| malformed("`axes` must be a list of names"))?;
        let shape = list("shape")
            .and_then(|sizes| {
                sizes.iter().map(|s| usize::try_from(s.as_u64()?).ok()).collect::<Option<Sizes>>()
            })
            .ok_or_else(|| malformed("`shape` must be a list of sizes"))?;
        if axes.len() != shape.len() {
            return Err(Error::RankMismatch { axes: axes.len(), found: shape.len() });
        }
        check_distinct(&axes)?;
        let data = json.get("data").ok_or_else(|| malformed("`data` is not there"))?;
        // Every cell is written out, so the allocation is bounded by the text that was read.
        checked_len(&shape)?;
        let mut cells = Vec::new();
        read_full(data, &shape, read, &mut cells)
            .ok_or_else(|| malformed("`data` must be lists as deep and long as `shape` says"))?;
        Ok(Self::packed_from(axes, shape, cells))
    }
}

/// What can be seen of nested lists without deciding on a rank.
struct Levels {
    /// Greatest length met at each level.
    sizes: Sizes,
    /// In how many lists the shallowest present plain value stands.
    shallowest: Option<usize>,
}

impl Levels {
    fn of(items: &[Value]) -> Self {
        let mut levels = Self { sizes: Sizes::new(), shallowest: None };
        levels.visit(items, 0);
        levels
    }

    fn visit(&mut self, items: &[Value], depth: usize) {
        match self.sizes.get_mut(depth) {
            Some(size) => *size = items.len().max(*size),
            None => self.sizes.push(items.len()),
        }
        for item in items {
            match item {
                Value::List(inner) => self.visit(inner, depth + 1),
                plain if is_missing(plain) => {}
                _ => self.shallowest = Some(self.shallowest.map_or(depth + 1, |s| s.min(depth + 1))),
            }
        }
    }
}

/// A missing entry above the last axis stands for a whole missing block.
fn pad(data: &Value, shape: &[usize], cells: &mut Vec<Cell>) {
    let end = cells.len() + shape.iter().product::<usize>();
    match (shape, data) {
        ([], cell) => cells.push(hole(cell.clone())),
        ([_, inner @ ..], Value::List(items)) => items.iter().for_each(|item| pad(item, inner, cells)),
        _ => {}
    }
    cells.resize(end, Cell::Skip);
}

/// The nested form of the next `product(shape)` cells.
pub(super) fn nest<'a>(shape: &[usize], cells: &mut impl Iterator<Item = &'a Cell>) -> Value {
    match shape {
        [] => cells.next().cloned().unwrap_or(Cell::Skip),
        [size] => Value::list(cells.by_ref().take(*size).cloned()),
        [size, inner @ ..] => Value::list((0..*size).map(|_| nest(inner, cells))),
    }
}

fn read_full(data: &Json, shape: &[usize], read: fn(&Json) -> Value, cells: &mut Vec<Cell>) -> Option<()> {
    let [size, inner @ ..] = shape else {
        cells.push(hole(read(data)));
        return Some(());
    };
    let items = data.as_array().filter(|items| items.len() == *size)?;
    items.iter().try_for_each(|item| read_full(item, inner, read, cells))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(data: Json, names: Option<&[&str]>) -> Result<Json> {
        let names: Option<Vec<Axis>> = names.map(|n| n.iter().map(|n| Axis::from(*n)).collect());
        Ok(Tensor::from_data(&Value::from_data_json(&data), names.as_deref())?.to_json())
    }

    #[test]
    fn irregular_data_is_padded() {
        let cases = [
            (json!([]), json!({"axes": ["axis_0"], "shape": [0], "data": []})),
            (json!([[], []]), json!({"axes": ["axis_0", "axis_1"], "shape": [2, 0], "data": [[], []]})),
            (json!([1, []]), json!({"axes": ["axis_0"], "shape": [2], "data": [1, []]})),
            (
                json!([[[1, 2]], null, []]),
                json!({"axes": ["axis_0", "axis_1", "axis_2"], "shape": [3, 1, 2],
                       "data": [[[1, 2]], [["@#SKIP#@", "@#SKIP#@"]], [["@#SKIP#@", "@#SKIP#@"]]]}),
            ),
        ];
        for (data, wanted) in cases {
            assert_eq!(from(data, None).unwrap(), wanted);
        }
        assert_eq!(
            from(json!([7, [null, 8]]), Some(&[])).unwrap(),
            json!({"axes": [], "shape": [], "data": [7, [null, 8]]})
        );
    }

    #[test]
    fn the_checks_have_an_order() {
        let kind = |data: Json, names: &[&str]| from(data, Some(names)).unwrap_err().kind();
        assert_eq!(kind(json!(5), &["a", "a"]), "not_a_list");
        assert_eq!(kind(json!([1]), &["a", "a"]), "too_many_axes");
        assert_eq!(kind(json!([1, [2]]), &["a", "a"]), "duplicate_axis");
        assert_eq!(kind(json!([1, [2]]), &["a", "b"]), "mixed_depth");
    }

    #[test]
    fn a_text_like_the_marker_is_noticed() {
        let text = Value::text(SKIP_MARKER);
        assert!(Tensor::singleton(Value::list([text.clone()])).has_marker_text());
        assert!(!Tensor::singleton(text.clone()).cells().any(Value::is_skip));
        assert!(!Tensor::empty_sentinel().has_marker_text());
    }

    #[test]
    fn padding_cannot_exhaust_memory() {
        let wide = |n: usize| Value::list(vec![Value::list([]); n]);
        let long = Value::list(vec![Value::Bool(true); 5000]);
        let data = Value::list([wide(5000), Value::list([Value::list([long])])]);
        let data = Value::list(std::iter::once(data).chain(vec![Value::list([]); 5000]));
        assert_eq!(Tensor::from_data(&data, None).unwrap_err().kind(), "too_large");
    }

    #[test]
    fn json_that_is_no_tensor_is_refused() {
        let cases = [
            (json!(1), "malformed"),
            (json!({"axes": ["x"], "shape": [2], "data": [1]}), "malformed"),
            (json!({"axes": ["x"], "shape": [-1], "data": []}), "malformed"),
            (json!({"axes": ["x"], "shape": [], "data": 1}), "rank_mismatch"),
            (json!({"axes": ["x", "x"], "shape": [1, 1], "data": [[1]]}), "duplicate_axis"),
            (json!({"axes": ["x", "y"], "shape": [0, 18446744073709551615u64], "data": []}), "too_large"),
        ];
        for (json, kind) in cases {
            assert_eq!(Tensor::from_json(&json).unwrap_err().kind(), kind, "{json}");
        }
    }
}
