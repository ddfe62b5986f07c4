//! Slicing: some axes stay, the others go into list cells (tensor spec, sections 4 and 7).

use super::axis::Axis;
use super::cell::{Cell, prune};
use super::data::nest;
use super::error::{Error, Result};
use super::shape::{Sizes, check_distinct};
use super::value::Tensor;

impl Tensor {
    /// Keeps these axes, in this order; each cell is the nested list over the others (tensor spec, section 4).
    /// A list whose entries are all missing becomes a missing cell; other missing entries stay in place. Keeping none
    /// gives one cell on `_none_axis` with the nested form of all.
    ///
    /// # Errors
    /// `unknown_axis`, `duplicate_axis`.
    pub fn slice(&self, keep: &[Axis]) -> Result<Self> {
        if keep.is_empty() {
            return Ok(Self::singleton(self.to_nested()));
        }
        self.lists_over(keep, |block, shape| {
            let gone = !block.is_empty() && block.iter().all(|c| c.is_skip());
            if gone { Cell::Skip } else { nest(shape, &mut block.iter().copied()) }
        })
    }

    /// [`Tensor::slice`], with no axes meaning all (tensor spec, section 4).
    ///
    /// # Errors
    /// As [`Tensor::slice`].
    pub fn shape_view(&self, keep: &[Axis]) -> Result<Self> {
        if keep.is_empty() { Ok(self.clone()) } else { self.slice(keep) }
    }

    /// As [`Tensor::slice`], but missing entries are pruned from the lists; nothing left is a missing cell
    /// (tensor spec, section 7).
    ///
    /// # Errors
    /// `unknown_axis`, `duplicate_axis`.
    pub fn collapse(&self, keep: &[Axis]) -> Result<Self> {
        Ok(self
            .lists_over(keep, |block, shape| pruned(nest(shape, &mut block.iter().copied())))?
            .on_none_axis())
    }

    /// Keeps these axes and makes one cell of each block over the others.
    fn lists_over(&self, keep: &[Axis], mut list: impl FnMut(&[&Cell], &[usize]) -> Cell) -> Result<Self> {
        check_distinct(keep)?;
        let place = |axis| self.position(axis).ok_or_else(|| Error::unknown(axis, self.axes()));
        let mut places = keep.iter().map(place).collect::<Result<Sizes>>()?;
        let kept = self.pick_axes(&places);
        places.extend((0..self.rank()).filter(|p| !keep.contains(&self.axes()[*p])));
        if places.len() == keep.len() {
            return Ok(kept);
        }
        let turned = self.pick_axes(&places);
        let shape = &turned.shape()[keep.len()..];
        let size: usize = shape.iter().product();
        let mut cells = turned.cells();
        let mut block = Vec::with_capacity(size);
        let lists = (0..kept.len()).map(|_| {
            block.clear();
            block.extend(cells.by_ref().take(size));
            list(&block, shape)
        });
        Ok(Self::packed_from(kept.axes().into(), kept.shape().into(), lists.collect::<Vec<Cell>>()))
    }
}

fn pruned(nested: Cell) -> Cell {
    match prune(&nested) {
        Cell::List(items) if items.is_empty() => Cell::Skip,
        kept => kept,
    }
}
