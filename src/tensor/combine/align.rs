//! The common coordinates of several tensors, and results built over them. Runs no action, so that the caller may run
//! them in any order and in parallel.

use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::base::{Map, Number, Value};
use crate::tensor::axis::Axis;
use crate::tensor::cell::{Cell, hole};
use crate::tensor::error::{Error, Place, Result};
use crate::tensor::shape::{Axes, Sizes, Walk, checked_len};
use crate::tensor::value::Tensor;

/// Several tensors over their combined axes: the order of first occurrence, each shared axis of one size, each input
/// read at the coordinates of its own axes (tensor spec, section 5).
#[derive(Debug, Clone)]
pub struct Alignment {
    axes: Axes,
    shape: Sizes,
    len: usize,
    inputs: SmallVec<[Tensor; 2]>,
    /// Strides of each input over the combined axes, 0 where it lacks one.
    heads: SmallVec<[(Sizes, usize); 2]>,
}

impl Alignment {
    /// Aligns tensors.
    ///
    /// # Errors
    /// `no_references` when there are none; `shape_mismatch` when a shared axis has two sizes; `too_large`.
    pub fn new(inputs: &[Tensor]) -> Result<Self> {
        if inputs.is_empty() {
            return Err(Error::NoReferences);
        }
        let mut axes = Axes::new();
        let mut shape = Sizes::new();
        for input in inputs {
            for (axis, &size) in input.axes().iter().zip(input.shape()) {
                match axes.iter().position(|a| a == axis) {
                    None => {
                        axes.push(axis.clone());
                        shape.push(size);
                    }
                    Some(place) if shape[place] == size => {}
                    Some(place) => {
                        let one = shape[place];
                        return Err(Error::ShapeMismatch { axis: axis.clone(), one, other: size });
                    }
                }
            }
        }
        let len = checked_len(&shape)?;
        let heads = inputs.iter().map(|input| {
            let stride = |axis| input.position(axis).map_or(0, |place| input.stride(place));
            (axes.iter().map(stride).collect(), input.head().1)
        });
        let heads = heads.collect();
        Ok(Self { axes, shape, len, inputs: inputs.iter().cloned().collect(), heads })
    }

    /// The combined axes.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// The sizes of the combined axes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// How many combinations there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there are no combinations.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The combinations in row-major order.
    pub fn combinations(&self) -> Combinations<'_> {
        Combinations { alignment: self, walk: Walk::new(&self.shape, self.heads.iter().cloned()), flat: 0 }
    }

    /// The combination at a place in row-major order, none past the end.
    pub fn at(&self, flat: usize) -> Option<Combination<'_>> {
        if flat >= self.len {
            return None;
        }
        let mut index = Sizes::from_elem(0, self.shape.len());
        let mut rest = flat;
        for (position, &size) in index.iter_mut().zip(&self.shape).rev() {
            *position = rest % size;
            rest /= size;
        }
        let offset = |(strides, start): &(Sizes, usize)| {
            start + index.iter().zip(strides).map(|(position, stride)| position * stride).sum::<usize>()
        };
        let cells =
            self.inputs.iter().zip(&self.heads).map(|(input, head)| &input.raw()[offset(head)]).collect();
        Some(Combination { flat, cells, coordinates: Coordinates { axes: &self.axes, index } })
    }

    /// The result of one cell a combination, in row-major order; null is missing, and `_none_axis` is dropped when
    /// other axes are present.
    ///
    /// # Errors
    /// `malformed` when there is not one cell a combination.
    pub fn build(&self, cells: Vec<Cell>) -> Result<Tensor> {
        Ok(Tensor::from_cells(&self.axes, &self.shape, cells)?.drop_none_axis())
    }

    /// The result of one row a combination along a new last axis, as long as the longest row, the others padded. No
    /// row at all gives length 1, no combination length 0 (tensor spec, section 5, cross_action).
    ///
    /// # Errors
    /// `duplicate_axis` when the axis exists already; `too_large`; `malformed` when there is not one row a combination.
    pub fn build_rows(&self, rows: Vec<Row>, axis: &Axis) -> Result<Tensor> {
        self.check_new_axis(axis)?;
        if rows.len() != self.len {
            let problem = format!("{} rows for {} combinations", rows.len(), self.len);
            return Err(Error::Malformed { problem });
        }
        let longest = rows.iter().flatten().map(Vec::len).max();
        let size = longest.unwrap_or(usize::from(!rows.is_empty()));
        let mut axes = self.axes.clone();
        axes.push(axis.clone());
        let mut shape = self.shape.clone();
        shape.push(size);
        let mut cells = Vec::with_capacity(checked_len(&shape)?);
        for row in rows {
            let end = cells.len() + size;
            cells.extend(row.into_iter().flatten());
            cells.resize(end, Cell::Skip);
        }
        Ok(Tensor::from_cells(&axes, &shape, cells)?.drop_none_axis())
    }

    /// Fails when the axis is one of the combined axes already.
    pub(super) fn check_new_axis(&self, axis: &Axis) -> Result<()> {
        if self.axes.contains(axis) { Err(Error::DuplicateAxis { axis: axis.clone() }) } else { Ok(()) }
    }
}

/// What a call gives for [`Alignment::build_rows`]: a list, or nothing.
pub type Row = Option<Vec<Cell>>;

/// One combination of an [`Alignment`].
#[derive(Debug, Clone)]
pub struct Combination<'a> {
    /// Its place in row-major order.
    pub flat: usize,
    /// The inputs' cells in input order.
    pub cells: SmallVec<[&'a Cell; 4]>,
    /// Where it is.
    pub coordinates: Coordinates<'a>,
}

impl Combination<'_> {
    /// Returns whether any input is missing here.
    pub fn is_missing(&self) -> bool {
        self.cells.iter().any(|c| c.is_skip())
    }

    /// The inputs' cells, copied.
    pub fn owned(&self) -> Vec<Cell> {
        self.cells.iter().map(|c| (*c).clone()).collect()
    }
}

/// The combinations of an [`Alignment`] in row-major order.
#[derive(Debug, Clone)]
pub struct Combinations<'a> {
    alignment: &'a Alignment,
    walk: Walk,
    flat: usize,
}

impl<'a> Iterator for Combinations<'a> {
    type Item = Combination<'a>;

    fn next(&mut self) -> Option<Combination<'a>> {
        if !self.walk.step() {
            return None;
        }
        let Alignment { axes, inputs, .. } = self.alignment;
        let cells =
            inputs.iter().zip(self.walk.offsets()).map(|(input, offset)| &input.raw()[offset]).collect();
        let flat = self.flat;
        self.flat += 1;
        Some(Combination { flat, cells, coordinates: Coordinates { axes, index: self.walk.index().into() } })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.walk.left(), Some(self.walk.left()))
    }
}

impl ExactSizeIterator for Combinations<'_> {}

/// Where a combination is: a position on each combined axis, `_none_axis` included.
#[derive(Debug, Clone)]
pub struct Coordinates<'a> {
    axes: &'a [Axis],
    index: Sizes,
}

impl Coordinates<'_> {
    /// The axes.
    pub fn axes(&self) -> &[Axis] {
        self.axes
    }

    /// The positions, one an axis.
    pub fn index(&self) -> &[usize] {
        &self.index
    }

    /// The position on one axis.
    pub fn get(&self, axis: &Axis) -> Option<usize> {
        self.axes.iter().position(|a| a == axis).map(|place| self.index[place])
    }

    /// Axis by axis, the position.
    pub fn iter(&self) -> impl Iterator<Item = (&Axis, usize)> {
        self.axes.iter().zip(self.index.iter().copied())
    }

    /// A record from axis name to position, as index-aware actions get it.
    pub fn to_value(&self) -> Value {
        let number = |position| Value::Number(Number::from(i64::try_from(position).unwrap_or(i64::MAX)));
        let entries: Map = self.iter().map(|(axis, position)| (axis.to_shared(), number(position))).collect();
        Value::Map(Arc::new(entries))
    }
}

impl fmt::Display for Coordinates<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Place::from(self).fmt(f)
    }
}

/// A list result as a row: a list with a missing entry yields nothing, as an explicit skip (tensor spec, section 5);
/// a null entry is a missing cell. None when the result is no list.
pub(super) fn row_of(result: Cell) -> Option<Row> {
    match result {
        Cell::Skip => Some(None),
        Cell::List(items) if items.iter().any(Cell::is_skip) => Some(None),
        Cell::List(items) => Some(Some(items.iter().cloned().map(hole).collect())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn combinations_can_be_shared_among_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<Alignment>();
        shared::<Combination<'_>>();
    }

    #[test]
    fn rows_are_padded_to_the_longest() {
        let x = Tensor::new(&["x".into()], &[3], Cell::text("v")).unwrap();
        let alignment = Alignment::new(&[x, Tensor::singleton(Cell::text("w"))]).unwrap();
        let rows = |lists: [serde_json::Value; 3]| {
            let row = |list| row_of(Value::from_data_json(&list)).unwrap();
            let rows = lists.into_iter().map(row).collect();
            alignment.build_rows(rows, &"r".into()).unwrap().to_json()
        };
        let skip = "@#SKIP#@";
        assert_eq!(
            rows([json!([1, null]), json!([2, skip]), json!(skip)]),
            json!({"axes": ["x", "r"], "shape": [3, 2], "data": [[1, skip], [skip, skip], [skip, skip]]})
        );
        assert_eq!(rows([json!([skip]), json!(skip), json!(skip)])["shape"], json!([3, 1]));
        assert_eq!(rows([json!([]), json!(skip), json!(skip)])["shape"], json!([3, 0]));
        assert!(row_of(Value::text("no list")).is_none());
    }

    #[test]
    fn results_must_fill_the_combinations() {
        let alignment = Alignment::new(&[Tensor::singleton(Cell::Skip)]).unwrap();
        assert_eq!(alignment.build(Vec::new()).unwrap_err().kind(), "malformed");
        assert_eq!(alignment.build_rows(Vec::new(), &"r".into()).unwrap_err().kind(), "malformed");
        let wide = |axis: &str| Tensor::new(&[axis.into()], &[1 << 20], Cell::Skip).unwrap();
        assert_eq!(Alignment::new(&[wide("a"), wide("b")]).unwrap_err().kind(), "too_large");
    }
}
