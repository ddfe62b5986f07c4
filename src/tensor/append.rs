//! Appending one tensor to another along an axis (tensor spec, section 4).
//!
//! INVARIANT: the destination changes only when everything has been checked.

use super::axis::Axis;
use super::cell::{Cell, open_into};
use super::error::{Error, Result};
use super::shape::{Sizes, Walk, checked_len};
use super::value::Tensor;

/// How an append went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The axis that was appended along.
    pub axis: Axis,
    /// There was present data and no place for it, because another axis of the destination has no positions: worth a
    /// diagnostic.
    pub lost: bool,
}

/// What is appended: for each position of the leading axes a block of new cells.
struct Addition {
    /// New positions of the axis.
    positions: usize,
    /// Blocks of `positions` * (cells of one position), one after the other.
    cells: Vec<Cell>,
    /// For each leading axis of the destination, how many cells further its next position finds its block; 0 where
    /// all positions get the same.
    strides: Sizes,
}

impl Tensor {
    /// This tensor with `other` appended along `by`, or along the axis inferred from the names
    /// (tensor spec, section 4). Along the outermost axis it costs O(appended) when this buffer is not shared.
    ///
    /// # Errors
    /// `no_axes`, `unknown_axis`, `zero_slice`, `shape_mismatch`, `too_large`.
    pub fn append(mut self, other: &Self, by: Option<&Axis>) -> Result<Self> {
        self.append_from(other, by)?;
        Ok(self)
    }

    /// [`Tensor::append`] in place; the tensor is unchanged on error.
    ///
    /// # Errors
    /// As [`Tensor::append`].
    pub fn append_from(&mut self, other: &Self, by: Option<&Axis>) -> Result<Appended> {
        let axis = self.append_axis(other, by)?;
        let place = self.position(&axis).ok_or_else(|| Error::unknown(&axis, self.axes()))?;
        let opened = other.has_lists() && !self.has_lists();
        let addition = if place + 1 < self.rank() {
            self.new_positions(other, place, opened)?
        } else if place > 0 && self.axes()[..place].iter().all(|a| other.position(a).is_some()) {
            self.new_columns(other, place, opened)?
        } else {
            same_for_all(other, place, opened)
        };
        let lost = addition.cells.iter().any(|c| !c.is_skip()) && self.shape()[..place].contains(&0);
        self.add(place, addition)?;
        Ok(Appended { axis, lost })
    }

    /// Step 1: the axis to append along.
    fn append_axis(&self, other: &Self, by: Option<&Axis>) -> Result<Axis> {
        if let Some(axis) = by {
            return Ok(axis.clone());
        }
        let last = self.axes().last().ok_or(Error::NoAxes)?;
        let own: Vec<&Axis> = self.axes().iter().filter(|a| other.position(a).is_none()).collect();
        let theirs = other.axes().iter().filter(|a| self.position(a).is_none()).count();
        Ok(match own.as_slice() {
            [only] => (*only).clone(),
            _ if 0 < theirs && theirs < own.len() => own[own.len() - theirs].clone(),
            _ => last.clone(),
        })
    }

    /// Step 3: the axis has other axes inside it, so each run of their size is a new position.
    fn new_positions(&self, other: &Self, place: usize, opened: bool) -> Result<Addition> {
        let axis = &self.axes()[place];
        let block: usize = self.shape()[place + 1..].iter().product();
        if block == 0 {
            return match other.is_missing() || (opened && other.leaves().is_empty()) {
                true => Ok(Addition::nothing(place)),
                false => Err(Error::ZeroSlice { axis: axis.clone() }),
            };
        }
        let trailing = &self.axes()[place + 1..];
        let sizes = &self.shape()[place + 1..];
        let aligned = !opened && trailing.iter().zip(sizes).all(|(a, size)| other.extent(a) == Some(*size));
        if aligned {
            return Ok(self.aligned_positions(other, place, block));
        }
        let mut units = units(other, opened);
        if !units.len().is_multiple_of(block) {
            units.retain(|c| !c.is_skip());
        }
        if !units.len().is_multiple_of(block) {
            return Err(Error::Indivisible { axis: axis.clone(), cells: units.len(), block });
        }
        let positions = drop_missing_runs(&mut units, 1, block);
        Ok(Addition { positions, cells: units, strides: Sizes::from_elem(0, place) })
    }

    /// Step 3, aligned: the other tensor names all trailing axes, so it is read by name.
    fn aligned_positions(&self, other: &Self, place: usize, block: usize) -> Addition {
        let shared: Vec<bool> = self.axes()[..place]
            .iter()
            .zip(self.shape())
            .map(|(axis, size)| other.extent(axis) == Some(*size))
            .collect();
        let leading = self.axes()[..place].iter().zip(&shared).filter(|(_, s)| **s).map(|(a, _)| a);
        let mut order: Sizes = leading.filter_map(|a| other.position(a)).collect();
        let matched: usize = order.iter().map(|p| other.shape()[*p]).product();
        let last: Sizes = self.axes()[place + 1..].iter().filter_map(|a| other.position(a)).collect();
        let rest: Sizes = (0..other.rank()).filter(|p| !order.contains(p) && !last.contains(p)).collect();
        order.extend(rest);
        order.extend(last);
        let mut cells: Vec<Cell> = other.pick_axes(&order).cells().cloned().collect();
        let positions = drop_missing_runs(&mut cells, matched, block);
        Addition { positions, cells, strides: self.block_strides(&shared, positions * block) }
    }

    /// Step 4: the last axis, and the other tensor names all axes around it, so each row gets its own units.
    fn new_columns(&self, other: &Self, place: usize, opened: bool) -> Result<Addition> {
        let mut order = Sizes::new();
        for (axis, &one) in self.axes()[..place].iter().zip(self.shape()) {
            let found = other.position(axis).ok_or_else(|| Error::unknown(axis, other.axes()))?;
            let size = other.shape()[found];
            if size != one {
                return Err(Error::ShapeMismatch { axis: axis.clone(), one, other: size });
            }
            order.push(found);
        }
        order.extend((0..other.rank()).filter(|p| !self.axes()[..place].contains(&other.axes()[*p])));
        let turned = other.pick_axes(&order);
        let rows: usize = self.shape()[..place].iter().product();
        let width: usize = turned.shape()[place..].iter().product();
        let mut cells = turned.cells();
        let row = |_| {
            let mut units = Vec::with_capacity(width);
            for cell in cells.by_ref().take(width) {
                if opened { open_into(cell, &mut units) } else { units.push(cell.clone()) }
            }
            units
        };
        let mut rows: Vec<Vec<Cell>> = (0..rows).map(row).collect();
        let longest = rows.iter().map(Vec::len).max().unwrap_or(0);
        checked_len(&[rows.len(), longest])?;
        let mut cells = Vec::with_capacity(rows.len() * longest);
        for row in &mut rows {
            row.resize(longest, Cell::Skip);
            cells.append(row);
        }
        let positions = drop_missing_runs(&mut cells, rows.len(), 1);
        let shared = vec![true; place];
        Ok(Addition { positions, cells, strides: self.block_strides(&shared, positions) })
    }

    /// How far apart the blocks of the leading axes are that have blocks of their own.
    fn block_strides(&self, shared: &[bool], block: usize) -> Sizes {
        let mut strides = Sizes::from_elem(0, shared.len());
        let mut stride = block;
        for place in (0..shared.len()).rev() {
            if shared[place] {
                strides[place] = stride;
                stride *= self.shape()[place];
            }
        }
        strides
    }

    fn add(&mut self, place: usize, addition: Addition) -> Result<()> {
        let Addition { positions, cells: added, strides } = addition;
        if positions == 0 {
            return Ok(());
        }
        if place == 0 {
            return self.extend_outermost(positions, added);
        }
        let mut shape: Sizes = self.shape().into();
        let inner: usize = shape[place + 1..].iter().product();
        let old = shape[place] * inner;
        shape[place] = shape[place].saturating_add(positions);
        let mut cells = Vec::with_capacity(checked_len(&shape)?);
        let mut own = self.cells();
        let mut walk = Walk::new(&shape[..place], [(strides, 0)]);
        while walk.step() {
            cells.extend(own.by_ref().take(old).cloned());
            let from = walk.offset(0);
            cells.extend_from_slice(&added[from..from + positions * inner]);
        }
        *self = Self::packed_from(self.axes().into(), shape, cells);
        Ok(())
    }
}

impl Addition {
    fn nothing(place: usize) -> Self {
        Self { positions: 0, cells: Vec::new(), strides: Sizes::from_elem(0, place) }
    }
}

/// Step 5: present units go to every row alike.
fn same_for_all(other: &Tensor, place: usize, opened: bool) -> Addition {
    let mut cells = units(other, opened);
    cells.retain(|c| !c.is_skip());
    Addition { positions: cells.len(), cells, strides: Sizes::from_elem(0, place) }
}

/// Step 2: the cells in row-major order, list cells opened if the destination holds none.
fn units(other: &Tensor, opened: bool) -> Vec<Cell> {
    let mut units = Vec::with_capacity(other.len());
    for cell in other.cells() {
        if opened { open_into(cell, &mut units) } else { units.push(cell.clone()) }
    }
    units
}

/// Removes the runs of `block` cells that are missing in every group, and returns how many runs a group has left.
fn drop_missing_runs(cells: &mut Vec<Cell>, groups: usize, block: usize) -> usize {
    if groups == 0 || block == 0 {
        return 0;
    }
    let runs = cells.len() / groups / block;
    let mut present = vec![false; runs];
    for (i, cell) in cells.iter().enumerate() {
        present[i / block % runs] |= !cell.is_skip();
    }
    let mut i = 0;
    cells.retain(|_| {
        let kept = present[i / block % runs];
        i += 1;
        kept
    });
    present.iter().filter(|p| **p).count()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn tensor(axes: Json, shape: Json, data: Json) -> Tensor {
        Tensor::from_json(&json!({"axes": axes, "shape": shape, "data": data})).unwrap()
    }

    fn nested(tensor: &Tensor) -> Json {
        tensor.to_nested().to_json()
    }

    #[test]
    fn a_failed_append_leaves_the_destination() {
        let mut rows = tensor(json!(["r", "c"]), json!([1, 2]), json!([[1, 2]]));
        let before = rows.clone();
        let other = tensor(json!(["x"]), json!([3]), json!([1, 2, 3]));
        assert_eq!(rows.append_from(&other, Some(&"r".into())).unwrap_err().kind(), "shape_mismatch");
        assert_eq!(rows, before);
    }

    #[test]
    fn holders_of_the_old_value_do_not_see_the_new() {
        let old = tensor(json!(["x"]), json!([2]), json!([1, 2]));
        let new = old.clone().append(&Tensor::singleton(Cell::text("a")), None).unwrap();
        let newer = new.clone().append(&Tensor::singleton(Cell::text("b")), None).unwrap();
        assert_eq!(nested(&old), json!([1, 2]));
        assert_eq!(nested(&new), json!([1, 2, "a"]));
        assert_eq!(nested(&newer), json!([1, 2, "a", "b"]));
    }

    #[test]
    fn views_are_appended_to_as_their_content() {
        let whole = tensor(json!(["r", "c"]), json!([2, 2]), json!([[1, 2], [3, 4]]));
        let turned = whole.transpose(&["c".into(), "r".into()]).unwrap();
        let row = tensor(json!(["r"]), json!([2]), json!([8, 9]));
        assert_eq!(nested(&turned.append(&row, None).unwrap()), json!([[1, 3], [2, 4], [8, 9]]));
        let first = whole.at(&"r".into(), 0).unwrap();
        assert_eq!(nested(&first.append(&row, None).unwrap()), json!([1, 2, 8, 9]));
    }

    #[test]
    fn zero_rows_keep_nothing_and_say_so() {
        let mut none = tensor(json!(["r", "c"]), json!([0, 1]), json!([]));
        let other = tensor(json!(["x"]), json!([2]), json!([1, 2]));
        let report = none.append_from(&other, Some(&"c".into())).unwrap();
        assert!(report.lost);
        assert_eq!(none.shape(), [0, 3]);
        let mut some = tensor(json!(["r", "c"]), json!([1, 1]), json!([[1]]));
        assert!(!some.append_from(&other, Some(&"c".into())).unwrap().lost);
    }

    #[test]
    fn leading_axes_align_by_name_or_broadcast() {
        let target =
            tensor(json!(["d", "e", "b", "a"]), json!([2, 2, 1, 1]), json!([[[[1]], [[2]]], [[[3]], [[4]]]]));
        let other = tensor(json!(["a", "n", "e"]), json!([1, 2, 2]), json!([[[5, 6], [7, "@#SKIP#@"]]]));
        let sum = target.append(&other, Some(&"b".into())).unwrap();
        let skip = "@#SKIP#@";
        assert_eq!(
            nested(&sum),
            json!([[[[1], [5], [7]], [[2], [6], [skip]]], [[[3], [5], [7]], [[4], [6], [skip]]]])
        );
    }

    #[test]
    fn list_cells_are_opened_row_by_row() {
        let target = tensor(json!(["r", "c"]), json!([2, 1]), json!([[1], [2]]));
        let other = tensor(json!(["r"]), json!([2]), json!([[3, ["@#SKIP#@", 4]], 5]));
        assert_eq!(nested(&target.append(&other, None).unwrap()), json!([[1, 3, 4], [2, 5, "@#SKIP#@"]]));
    }
}
