//! The tensor itself: a view with named axes of a shared, flat, row-major buffer (tensor spec, sections 1 and 12).
//!
//! INVARIANT: no cell is `Value::Null`; a null that fills a whole cell is missing.

use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

use super::axis::Axis;
use super::cell::{Cell, hole, is_list};
use super::error::{Error, Result};
use super::shape::{Axes, Sizes, Walk, check_distinct, checked_len, is_packed, row_major};

/// An n-dimensional array of cells with named axes. Cloning and views are O(rank); no operation changes its inputs.
#[derive(Clone)]
pub struct Tensor {
    layout: Arc<Layout>,
    offset: usize,
    buffer: Arc<Buffer>,
}

/// How a view reads its buffer. Shared by the many tensors of one shape a run makes, so that a tensor is three words
/// and cloning one copies no names.
#[derive(Clone, PartialEq)]
struct Layout {
    axes: Axes,
    shape: Sizes,
    strides: Sizes,
}

impl Layout {
    /// INVARIANT: one size an axis.
    fn row_major(axes: Axes, shape: Sizes) -> Self {
        let strides = row_major(&shape);
        Self { axes, shape, strides }
    }
}

/// The cells, and how many of them are list cells: appending asks for that each time and must not search for it.
#[derive(Clone, Default)]
pub(super) struct Buffer {
    cells: Store,
    lists: usize,
}

/// Cells side by side. Most values of a run are one cell, which needs no memory of its own.
type Store = SmallVec<[Cell; 1]>;

impl Buffer {
    fn new(mut cells: Store) -> Self {
        let mut lists = 0;
        for cell in &mut cells {
            if matches!(cell, Cell::Null) {
                *cell = Cell::Skip;
            }
            lists += usize::from(is_list(cell));
        }
        Self { cells, lists }
    }

    fn extend(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let from = self.cells.len();
        self.cells.extend(cells.into_iter().map(hole));
        self.lists += self.cells[from..].iter().filter(|c| is_list(c)).count();
    }

    fn put(&mut self, offset: usize, cell: Cell) {
        self.lists += usize::from(is_list(&cell));
        self.lists -= usize::from(is_list(&self.cells[offset]));
        self.cells[offset] = cell;
    }
}

impl Tensor {
    /// A tensor with every cell equal to `initial` (tensor spec, section 3).
    ///
    /// # Errors
    /// `rank_mismatch`, `duplicate_axis`, `too_large`.
    pub fn new(axes: &[Axis], shape: &[usize], initial: Cell) -> Result<Self> {
        check_names(axes, shape)?;
        checked_len(shape)?;
        let strides = Sizes::from_elem(0, shape.len());
        Ok(Self {
            layout: Arc::new(Layout { axes: axes.into(), shape: shape.into(), strides }),
            offset: 0,
            buffer: Arc::new(Buffer::new(Store::from_iter([initial]))),
        })
    }

    /// A tensor from its cells in row-major order.
    ///
    /// # Errors
    /// `rank_mismatch`, `duplicate_axis`, `too_large`; `malformed` when the cells do not fill the shape.
    pub fn from_cells(axes: &[Axis], shape: &[usize], cells: Vec<Cell>) -> Result<Self> {
        check_names(axes, shape)?;
        let len = checked_len(shape)?;
        if len != cells.len() {
            let problem = format!("{} cells for a shape of {len}", cells.len());
            return Err(Error::Malformed { problem });
        }
        Ok(Self::packed_from(axes.into(), shape.into(), cells))
    }

    /// One cell on `_none_axis`.
    pub fn singleton(cell: Cell) -> Self {
        Self::packed_from(
            [Axis::NONE].into_iter().collect(),
            Sizes::from_slice(&[1]),
            Store::from_iter([cell]),
        )
    }

    /// One cell without axes.
    pub fn rank0(cell: Cell) -> Self {
        Self::packed_from(Axes::new(), Sizes::new(), Store::from_iter([cell]))
    }

    /// Rank 0 with a missing cell: "no value" (tensor spec, section 1).
    pub fn empty_sentinel() -> Self {
        Self::rank0(Cell::Skip)
    }

    /// One axis without positions.
    pub fn zero(axis: Axis) -> Self {
        Self::packed_from([axis].into_iter().collect(), Sizes::from_slice(&[0]), Store::new())
    }

    /// INVARIANT: the names are distinct and the cells fill the shape.
    pub(super) fn packed_from(axes: Axes, shape: Sizes, cells: impl Into<Store>) -> Self {
        let cells = cells.into();
        debug_assert_eq!(axes.len(), shape.len());
        debug_assert!(super::shape::duplicate(&axes).is_none());
        debug_assert_eq!(shape.iter().product::<usize>(), cells.len());
        let layout = Arc::new(Layout::row_major(axes, shape));
        Self { layout, offset: 0, buffer: Arc::new(Buffer::new(cells)) }
    }

    /// The axis names, outermost first.
    pub fn axes(&self) -> &[Axis] {
        &self.layout.axes
    }

    /// The sizes of the axes.
    pub fn shape(&self) -> &[usize] {
        &self.layout.shape
    }

    /// How many axes there are.
    pub fn rank(&self) -> usize {
        self.layout.axes.len()
    }

    /// How many cells there are.
    pub fn len(&self) -> usize {
        if self.layout.shape.contains(&0) { 0 } else { self.layout.shape.iter().product() }
    }

    /// Returns whether there are no cells; a tensor of missing cells is not empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether no cell is present.
    pub fn is_missing(&self) -> bool {
        self.cells().all(Cell::is_skip)
    }

    /// The size of an axis, none if the tensor lacks it.
    pub fn extent(&self, axis: &Axis) -> Option<usize> {
        self.position(axis).map(|p| self.layout.shape[p])
    }

    /// The place of an axis in the order of axes.
    pub(super) fn position(&self, axis: &Axis) -> Option<usize> {
        self.layout.axes.iter().position(|a| a == axis)
    }

    /// The cells in row-major order.
    pub fn cells(&self) -> Cells<'_> {
        let cells = &self.buffer.cells;
        match self.side_by_side() {
            Some(slice) => Cells(Inner::Packed(slice.iter())),
            None => Cells(Inner::Strided { cells, walk: Walk::new(&self.layout.shape, [self.head()]) }),
        }
    }

    /// The cell at a place in row-major order, none past the end.
    pub fn cell_at(&self, flat: usize) -> Option<&Cell> {
        if flat >= self.len() {
            return None;
        }
        let (mut rest, mut offset) = (flat, self.offset);
        for (&size, &stride) in self.layout.shape.iter().zip(&self.layout.strides).rev() {
            offset += rest % size * stride;
            rest /= size;
        }
        self.buffer.cells.get(offset)
    }

    /// The whole buffer, for walks over several tensors at once.
    pub(super) fn raw(&self) -> &[Cell] {
        &self.buffer.cells
    }

    /// Strides and start of the view.
    pub(super) fn head(&self) -> (Sizes, usize) {
        (self.layout.strides.clone(), self.offset)
    }

    /// The stride of an axis by its place.
    pub(super) fn stride(&self, place: usize) -> usize {
        self.layout.strides[place]
    }

    /// The cells as one slice if they lie side by side.
    fn side_by_side(&self) -> Option<&[Cell]> {
        if !is_packed(&self.layout.shape, &self.layout.strides) {
            return None;
        }
        self.buffer.cells.get(self.offset..self.offset + self.len())
    }

    /// Returns whether any cell is a list cell. O(1) unless a part of a buffer with list cells is viewed.
    pub(super) fn has_lists(&self) -> bool {
        let buffer = &self.buffer;
        if buffer.lists == 0 {
            return false;
        }
        let whole = self.side_by_side().is_some_and(|s| s.len() == buffer.cells.len());
        whole || self.cells().any(is_list)
    }

    /// The same axes in another order; a view (tensor spec, section 4).
    ///
    /// # Errors
    /// `axis_mismatch` when the axis sets differ.
    pub fn transpose(&self, order: &[Axis]) -> Result<Self> {
        let mismatch = || Error::AxisMismatch { wanted: self.layout.axes.to_vec(), found: order.to_vec() };
        if order.len() != self.rank() || super::shape::duplicate(order).is_some() {
            return Err(mismatch());
        }
        let places =
            order.iter().map(|a| self.position(a)).collect::<Option<Sizes>>().ok_or_else(mismatch)?;
        Ok(self.pick_axes(&places))
    }

    /// A view with the axes at these places, in this order; the others are read at their first position.
    pub(super) fn pick_axes(&self, places: &[usize]) -> Self {
        let Layout { axes, shape, strides } = &*self.layout;
        let layout = Arc::new(Layout {
            axes: places.iter().map(|&p| axes[p].clone()).collect(),
            shape: places.iter().map(|&p| shape[p]).collect(),
            strides: places.iter().map(|&p| strides[p]).collect(),
        });
        Self { layout, offset: self.offset, buffer: Arc::clone(&self.buffer) }
    }

    /// A view with one axis fixed; INVARIANT: the position exists.
    pub(super) fn fix(&self, place: usize, position: usize) -> Self {
        debug_assert!(position < self.layout.shape[place]);
        let mut layout = Layout::clone(&self.layout);
        layout.axes.remove(place);
        layout.shape.remove(place);
        let offset = self.offset + position * layout.strides.remove(place);
        Self { layout: Arc::new(layout), offset, buffer: Arc::clone(&self.buffer) }
    }

    /// The same view that many cells further on in the buffer; INVARIANT: it ends inside the buffer.
    pub(super) fn further(&self, cells: usize) -> Self {
        Self { offset: self.offset + cells, ..self.clone() }
    }

    /// The part at one position of an axis, a view without that axis; none without the axis or the position.
    pub fn at(&self, axis: &Axis, position: usize) -> Option<Self> {
        let place = self.position(axis)?;
        (position < self.layout.shape[place]).then(|| self.fix(place, position))
    }

    /// Removes `_none_axis` when other axes are present and its size is exactly 1 (tensor spec, section 1).
    #[must_use]
    pub fn drop_none_axis(self) -> Self {
        match self.position(&Axis::NONE) {
            Some(place) if self.rank() > 1 && self.layout.shape[place] == 1 => self.fix(place, 0),
            _ => self,
        }
    }

    /// The tensor without its axes of length one; a view. For comparing results whose degenerate axes differ.
    #[must_use]
    pub fn core(&self) -> Self {
        let places: Sizes = (0..self.rank()).filter(|&p| self.layout.shape[p] != 1).collect();
        self.pick_axes(&places)
    }

    /// A view of a tensor without axes, put on `_none_axis`; other tensors stay.
    #[must_use]
    pub(super) fn on_none_axis(mut self) -> Self {
        if self.layout.axes.is_empty() {
            let layout = Arc::make_mut(&mut self.layout);
            layout.axes.push(Axis::NONE);
            layout.shape.push(1);
            layout.strides.push(1);
        }
        self
    }

    /// The tensor with one axis under another name.
    ///
    /// # Errors
    /// `unknown_axis`; `duplicate_axis` when the new name is taken.
    pub fn rename_axis(mut self, from: &Axis, to: Axis) -> Result<Self> {
        let place = self.position(from).ok_or_else(|| Error::unknown(from, &self.layout.axes))?;
        if self.position(&to).is_some_and(|p| p != place) {
            return Err(Error::DuplicateAxis { axis: to });
        }
        Arc::make_mut(&mut self.layout).axes[place] = to;
        Ok(self)
    }

    /// A tensor of the same axes with each cell replaced.
    #[must_use]
    pub fn map_cells(&self, change: impl FnMut(&Cell) -> Cell) -> Self {
        let cells: Store = self.cells().map(change).collect();
        let Layout { axes, shape, strides } = &*self.layout;
        let layout = match *strides == row_major(shape) {
            true => Arc::clone(&self.layout),
            false => Arc::new(Layout::row_major(axes.clone(), shape.clone())),
        };
        Self { layout, offset: 0, buffer: Arc::new(Buffer::new(cells)) }
    }

    /// The same content in a buffer of its own.
    #[must_use]
    pub fn packed(&self) -> Self {
        self.map_cells(Cell::clone)
    }

    /// The same content, copied only when it is a small part of its buffer: for values that outlive what they view
    /// (tensor spec, section 12).
    #[must_use]
    pub fn compact(self) -> Self {
        if self.buffer.cells.len() / 2 > self.len() { self.packed() } else { self }
    }

    /// Writes one cell to every position of a walk over the whole buffer; call [`Tensor::own`] first.
    pub(super) fn fill(&mut self, mut walk: Walk, value: &Cell) {
        let buffer = Arc::make_mut(&mut self.buffer);
        while walk.step() {
            buffer.put(walk.offset(0), value.clone());
        }
    }

    /// Gives every axis at least this many positions; the new cells are missing (tensor spec, section 3).
    pub(super) fn grow(&mut self, shape: &[usize]) -> Result<()> {
        if self.layout.shape.as_slice() == shape {
            return Ok(());
        }
        let len = checked_len(shape)?;
        if self.layout.shape[1..] == shape[1..] {
            let new = len - self.len();
            return self
                .extend_outermost(shape[0] - self.layout.shape[0], std::iter::repeat_n(Cell::Skip, new));
        }
        let mut cells = vec![Cell::Skip; len];
        let mut walk = Walk::new(&self.layout.shape, [self.head(), (row_major(shape), 0)]);
        while walk.step() {
            cells[walk.offset(1)] = self.buffer.cells[walk.offset(0)].clone();
        }
        *self = Self::packed_from(self.layout.axes.clone(), shape.into(), cells);
        Ok(())
    }

    /// Adds positions to the outermost axis, in place when the buffer is not shared.
    ///
    /// INVARIANT: `cells` fills the new positions.
    pub(super) fn extend_outermost(
        &mut self,
        positions: usize,
        cells: impl IntoIterator<Item = Cell>,
    ) -> Result<()> {
        let mut shape = self.layout.shape.clone();
        shape[0] = shape[0].saturating_add(positions);
        checked_len(&shape)?;
        let end = self.offset + self.len();
        let in_place = is_packed(&self.layout.shape, &self.layout.strides) && self.buffer.cells.len() == end;
        match Arc::get_mut(&mut self.buffer).filter(|_| in_place) {
            Some(buffer) => buffer.extend(cells),
            None => {
                let mut buffer = Buffer::new(self.cells().cloned().collect());
                buffer.extend(cells);
                self.buffer = Arc::new(buffer);
                self.offset = 0;
            }
        }
        let strides = row_major(&shape);
        let layout = Arc::make_mut(&mut self.layout);
        (layout.shape, layout.strides) = (shape, strides);
        debug_assert_eq!(self.offset + self.len(), self.buffer.cells.len());
        Ok(())
    }

    /// Makes the view the whole buffer, packed.
    pub(super) fn own(&mut self) {
        let whole = self.side_by_side().is_some_and(|s| s.len() == self.buffer.cells.len());
        if !whole {
            *self = self.packed();
        }
        let strides = row_major(&self.layout.shape);
        if strides != self.layout.strides {
            Arc::make_mut(&mut self.layout).strides = strides;
        }
    }
}

fn check_names(axes: &[Axis], shape: &[usize]) -> Result<()> {
    if axes.len() != shape.len() {
        return Err(Error::RankMismatch { axes: axes.len(), found: shape.len() });
    }
    check_distinct(axes)
}

/// Equality of axes, shape and cells, whatever the layout.
impl PartialEq for Tensor {
    fn eq(&self, other: &Self) -> bool {
        let (own, its) = (&*self.layout, &*other.layout);
        let same_view = || {
            Arc::ptr_eq(&self.buffer, &other.buffer)
                && self.offset == other.offset
                && own.strides == its.strides
        };
        own.axes == its.axes && own.shape == its.shape && (same_view() || self.cells().eq(other.cells()))
    }
}

impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_json())
    }
}

/// The cells of a tensor in row-major order, see [`Tensor::cells`].
pub struct Cells<'a>(Inner<'a>);

enum Inner<'a> {
    Packed(std::slice::Iter<'a, Cell>),
    Strided { cells: &'a [Cell], walk: Walk },
}

impl<'a> Iterator for Cells<'a> {
    type Item = &'a Cell;

    fn next(&mut self) -> Option<&'a Cell> {
        match &mut self.0 {
            Inner::Packed(cells) => cells.next(),
            Inner::Strided { cells, walk } => {
                let cells: &'a [Cell] = cells;
                if walk.step() { cells.get(walk.offset(0)) } else { None }
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = match &self.0 {
            Inner::Packed(cells) => cells.len(),
            Inner::Strided { walk, .. } => walk.left(),
        };
        (left, Some(left))
    }
}

impl ExactSizeIterator for Cells<'_> {}
