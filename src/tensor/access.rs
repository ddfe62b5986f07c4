//! Reading and writing by position (tensor spec, section 3).

use super::axis::Axis;
use super::cell::{Cell, hole};
use super::error::{Error, Result};
use super::shape::{Sizes, Walk, check_distinct};
use super::value::Tensor;

impl Tensor {
    /// The part at the given positions, a view over the axes not listed; rank 0 when all are. Negative positions
    /// count from the end; out of range on either side is missing (tensor spec, section 3).
    ///
    /// # Errors
    /// `unknown_axis`; `duplicate_axis` when an axis is listed twice.
    pub fn get(&self, index: &[(Axis, i64)]) -> Result<Self> {
        let mut view = self.clone();
        let mut inside = true;
        for (place, axis, position) in self.places(index)? {
            let found = self.shape()[place];
            let place = view.position(axis).ok_or_else(|| Error::unknown(axis, self.axes()))?;
            match from_end(position, found).filter(|p| *p < found) {
                Some(position) => view = view.fix(place, position),
                None => {
                    inside = false;
                    let rest: Sizes = (0..view.rank()).filter(|p| *p != place).collect();
                    view = view.pick_axes(&rest);
                }
            }
        }
        if inside { Ok(view) } else { Self::new(view.axes(), view.shape(), Cell::Skip) }
    }

    /// Writes a value to the given positions; axes not listed mean every position. A position at or beyond the size
    /// makes that axis longer for the whole tensor (tensor spec, section 3).
    ///
    /// # Errors
    /// `unknown_axis`, `duplicate_axis`; `index_out_of_range` for a negative index before the first position;
    /// `too_large`. The tensor is unchanged then.
    pub fn set(&mut self, index: &[(Axis, i64)], value: Cell) -> Result<()> {
        let mut shape: Sizes = self.shape().into();
        let mut fixed: Vec<(usize, usize)> = Vec::with_capacity(index.len());
        for (place, axis, given) in self.places(index)? {
            let size = shape[place];
            let position = from_end(given, size).ok_or_else(|| Error::IndexOutOfRange {
                axis: axis.clone(),
                index: given,
                size,
            })?;
            shape[place] = size.max(position.saturating_add(1));
            fixed.push((place, position));
        }
        self.grow(&shape)?;
        self.own();
        let (mut strides, mut offset) = self.head();
        for (place, position) in fixed {
            offset += position * strides[place];
            strides[place] = 0;
            shape[place] = shape[place].min(1);
        }
        self.fill(Walk::new(&shape, [(strides, offset)]), &hole(value));
        Ok(())
    }

    fn places<'i>(&self, index: &'i [(Axis, i64)]) -> Result<Vec<(usize, &'i Axis, i64)>> {
        let names: Vec<Axis> = index.iter().map(|(axis, _)| axis.clone()).collect();
        check_distinct(&names)?;
        let place = |axis: &Axis| self.position(axis).ok_or_else(|| Error::unknown(axis, self.axes()));
        index.iter().map(|(axis, position)| Ok((place(axis)?, axis, *position))).collect()
    }
}

/// A position from an index that may count from the end; none before the first position.
pub(super) fn from_end(index: i64, size: usize) -> Option<usize> {
    if index >= 0 {
        return Some(usize::try_from(index).unwrap_or(usize::MAX));
    }
    size.checked_sub(usize::try_from(index.unsigned_abs()).ok()?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tensor() -> Tensor {
        Tensor::from_json(&json!({"axes": ["r", "c"], "shape": [2, 2], "data": [[1, 2], [3, 4]]})).unwrap()
    }

    fn at(pairs: &[(&str, i64)]) -> Vec<(Axis, i64)> {
        pairs.iter().map(|(a, i)| (Axis::from(*a), *i)).collect()
    }

    #[test]
    fn writing_leaves_other_holders_alone() {
        let first = tensor();
        let mut second = first.clone();
        second.set(&at(&[("r", 0), ("c", -1)]), Cell::text("new")).unwrap();
        assert_eq!(first, tensor());
        assert_eq!(second.to_nested().to_json(), json!([[1, "new"], [3, 4]]));
    }

    #[test]
    fn writing_through_a_view_changes_the_view_only() {
        let whole = tensor();
        let mut turned = whole.transpose(&["c".into(), "r".into()]).unwrap();
        turned.set(&at(&[("c", 1)]), Cell::Null).unwrap();
        assert_eq!(turned.to_nested().to_json(), json!([[1, 3], ["@#SKIP#@", "@#SKIP#@"]]));
        let mut row = whole.get(&at(&[("r", 1)])).unwrap();
        row.set(&at(&[("c", 3)]), Cell::text("x")).unwrap();
        assert_eq!(row.to_nested().to_json(), json!([3, 4, "@#SKIP#@", "x"]));
        assert_eq!(whole, tensor());
    }

    #[test]
    fn hostile_positions_are_errors() {
        let kind = |pairs: &[(&str, i64)]| tensor().set(&at(pairs), Cell::Skip).unwrap_err().kind();
        assert_eq!(kind(&[("r", i64::MAX)]), "too_large");
        assert_eq!(kind(&[("r", i64::MIN)]), "index_out_of_range");
        assert_eq!(kind(&[("z", 0)]), "unknown_axis");
        assert_eq!(kind(&[("r", 0), ("r", 1)]), "duplicate_axis");
        let far = tensor().get(&at(&[("r", i64::MIN)])).unwrap();
        assert_eq!(far.to_nested().to_json(), json!(["@#SKIP#@", "@#SKIP#@"]));
        assert!(tensor().get(&at(&[("r", i64::MAX), ("c", 0)])).unwrap().is_missing());
    }
}
