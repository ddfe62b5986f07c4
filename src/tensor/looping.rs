//! Loops over a tensor: the axis, the elements, the results, carried values (tensor spec, section 8). Knows nothing of
//! when an iteration runs.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::axis::Axis;
use super::cell::{Cell, open};
use super::error::{Error, Result};
use super::shape::{Axes, Sizes, Walk, checked_len, duplicate, row_major};
use super::value::Tensor;

/// The axis a loop walks, and the axis its results are named after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoopAxis {
    /// The axis that is split; when the base lacks it, nothing is split.
    pub axis: Option<Axis>,
    /// What the axis of the results takes its name from.
    pub naming: Option<Axis>,
    /// Whether the base has the axis: if not, the loop runs once over everything, which is worth a diagnostic.
    pub found: bool,
}

impl LoopAxis {
    /// `group_base` if it is an axis of the base; else, if it is the base concept's name, that concept's axis; else
    /// the first axis of the base.
    pub fn resolve(base: &Tensor, concept: &str, concept_axis: &Axis, group_base: Option<&str>) -> Self {
        let first = base.axes().first();
        let axis = match group_base {
            Some(name) if base.axes().iter().any(|a| a == name) => Some(Axis::from(name)),
            Some(name) if name == concept => Some(concept_axis.clone()),
            _ => first.cloned(),
        };
        let found = axis.as_ref().is_some_and(|a| base.position(a).is_some());
        let naming = if found { axis.clone() } else { first.cloned() };
        Self { axis, naming, found }
    }
}

/// The positions of a loop. Without list cells an element is a view of the base and costs O(rank).
#[derive(Debug, Clone)]
pub struct Elements {
    axis: LoopAxis,
    base: Tensor,
    parts: Parts,
}

#[derive(Debug, Clone)]
enum Parts {
    /// Position k is the element at position 0, so many cells further on. The view is built once, not once an element.
    Views { first: Tensor, stride: usize, len: usize },
    /// Nothing is split and nothing opened.
    Whole { len: usize },
    /// Per combination of the kept axes the opened list; so many positions of the axis have been opened, none when the
    /// base lacks the axis.
    Opened { axes: Axes, shape: Sizes, lists: Vec<Vec<Cell>>, seen: Option<usize> },
}

impl Elements {
    /// The elements of a base, along the axis that [`LoopAxis::resolve`] finds.
    pub fn new(base: &Tensor, concept: &str, concept_axis: &Axis, group_base: Option<&str>) -> Self {
        Self::along(base, LoopAxis::resolve(base, concept, concept_axis, group_base))
    }

    /// The elements of a base along a known axis.
    pub fn along(base: &Tensor, axis: LoopAxis) -> Self {
        let base = base.clone().drop_none_axis();
        let place = axis.axis.as_ref().and_then(|a| base.position(a));
        let parts = match place {
            _ if base.has_lists() => Parts::opened(&base, place),
            Some(_) if base.is_empty() => Parts::Whole { len: 0 },
            Some(place) => Parts::Views {
                first: base.fix(place, 0).on_none_axis(),
                stride: base.stride(place),
                len: base.shape()[place],
            },
            None => Parts::Whole { len: usize::from(!base.is_empty()) },
        };
        Self { axis, base, parts }
    }

    /// The elements of a base that has grown along the loop axis since; visited positions must not have changed.
    /// O(rank) without list cells, else O(new cells).
    pub fn grow(&mut self, base: &Tensor) {
        let base = base.clone().drop_none_axis();
        let place = self.axis.axis.as_ref().and_then(|a| base.position(a));
        if let (Parts::Opened { axes, shape, lists, seen: Some(seen) }, Some(place)) =
            (&mut self.parts, place)
        {
            let kept: Sizes = (0..base.rank()).filter(|p| *p != place).collect();
            let same = kept.iter().map(|p| &base.axes()[*p]).eq(axes.iter())
                && kept.iter().map(|p| base.shape()[*p]).eq(shape.iter().copied());
            let now = base.shape()[place];
            if same && now >= *seen {
                open_positions(&base, place, *seen..now, lists);
                *seen = now;
                self.base = base;
                return;
            }
        }
        *self = Self::along(&base, self.axis.clone());
    }

    /// Lets go of the base, so that it can grow in place; until [`Elements::grow`] only the axis is known and there
    /// are no elements, except where list cells were opened.
    pub fn release(&mut self) {
        self.base = Tensor::empty_sentinel();
        if !matches!(self.parts, Parts::Opened { .. }) {
            self.parts = Parts::Whole { len: 0 };
        }
    }

    /// The axis that is walked.
    pub fn axis(&self) -> &LoopAxis {
        &self.axis
    }

    /// How many positions there are, missing ones included.
    pub fn len(&self) -> usize {
        match &self.parts {
            Parts::Views { len, .. } | Parts::Whole { len } => *len,
            Parts::Opened { lists, .. } => lists.iter().map(Vec::len).max().unwrap_or(0),
        }
    }

    /// Returns whether there are no positions.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether a position is missing everywhere and thus passed over; so is every position past the end.
    pub fn is_missing(&self, position: usize) -> bool {
        match &self.parts {
            Parts::Opened { lists, .. } => {
                !lists.iter().any(|list| list.get(position).is_some_and(|c| !c.is_skip()))
            }
            _ => self.element(position).is_none_or(|e| e.is_missing()),
        }
    }

    /// The element at a position: over the axes other than the loop axis, or on `_none_axis` if there are none. None
    /// past the end. A view keeps the base alive; [`Tensor::packed`] lets go of it.
    pub fn element(&self, position: usize) -> Option<Tensor> {
        if position >= self.len() {
            return None;
        }
        Some(match &self.parts {
            Parts::Views { first, stride, .. } => first.further(position * stride),
            Parts::Whole { .. } => self.base.clone().on_none_axis(),
            Parts::Opened { axes, shape, lists, .. } => {
                let cell = |list: &Vec<Cell>| list.get(position).cloned().unwrap_or(Cell::Skip);
                let cells: Vec<Cell> = lists.iter().map(cell).collect();
                Tensor::packed_from(axes.clone(), shape.clone(), cells).on_none_axis()
            }
        })
    }

    /// The positions to visit, in order, from one on.
    pub fn visits(&self, from: usize) -> impl Iterator<Item = usize> + '_ {
        (from..self.len()).filter(|position| !self.is_missing(*position))
    }
}

impl Parts {
    fn opened(base: &Tensor, place: Option<usize>) -> Self {
        let kept: Sizes = (0..base.rank()).filter(|p| Some(*p) != place).collect();
        let view = base.pick_axes(&kept);
        let (axes, shape) = (view.axes().into(), view.shape().into());
        let (lists, seen) = match place {
            None => (base.cells().map(open).collect(), None),
            Some(place) => {
                let mut lists = vec![Vec::new(); view.len()];
                open_positions(base, place, 0..base.shape()[place], &mut lists);
                (lists, Some(base.shape()[place]))
            }
        };
        Self::Opened { axes, shape, lists, seen }
    }
}

/// Appends the opened cells at these positions of the axis to the list of each combination of the other axes.
fn open_positions(base: &Tensor, place: usize, positions: std::ops::Range<usize>, lists: &mut [Vec<Cell>]) {
    for position in positions {
        for (list, cell) in lists.iter_mut().zip(base.fix(place, position).cells()) {
            super::cell::open_into(cell, list);
        }
    }
}

/// Stacks the results of a loop by position: the axis sets must agree, the axes are brought to the order of the first
/// result, shorter results are padded. `results` has one entry a position of the loop; passed-over positions and
/// those without a result are none. None when nothing is present at all.
///
/// The first axis is named after `infer`; then, unless the loop axis is `_none_axis`, it takes the loop axis's name and
/// `_none_axis` becomes `value`, provided the names stay distinct.
///
/// # Errors
/// `axis_mismatch`; `duplicate_axis` when neither naming keeps the axes apart; `too_large`.
pub fn combine_results<'r>(
    axis: &LoopAxis,
    infer: &Axis,
    results: &'r [Option<Tensor>],
) -> Result<Option<Tensor>> {
    let Some(first) = results.iter().flatten().next() else {
        return Ok(None);
    };
    if results.iter().flatten().all(Tensor::is_missing) {
        return Ok(None);
    }
    let turn = |result: &'r Option<Tensor>| match result {
        None => Ok(None),
        Some(result) if result.axes() == first.axes() => Ok(Some(Cow::Borrowed(result))),
        Some(result) => match result.transpose(first.axes()) {
            Ok(turned) => Ok(Some(Cow::Owned(turned))),
            Err(_) => {
                Err(Error::AxisMismatch { wanted: first.axes().to_vec(), found: result.axes().to_vec() })
            }
        },
    };
    let turned = results.iter().map(turn).collect::<Result<Vec<_>>>()?;
    let mut inner = Sizes::from_elem(0, first.rank());
    for result in turned.iter().flatten() {
        for (size, &found) in inner.iter_mut().zip(result.shape()) {
            *size = found.max(*size);
        }
    }
    let axes = result_axes(axis, infer, first.axes());
    if let Some(axis) = duplicate(&axes) {
        return Err(Error::DuplicateAxis { axis: axis.clone() });
    }
    let shape: Sizes = std::iter::once(results.len()).chain(inner.iter().copied()).collect();
    let mut cells = Vec::with_capacity(checked_len(&shape)?);
    for result in &turned {
        let end = cells.len() + inner.iter().product::<usize>();
        match result {
            Some(result) if result.shape() == inner.as_slice() => cells.extend(result.cells().cloned()),
            Some(result) => {
                let start = cells.len();
                cells.resize(end, Cell::Skip);
                let mut walk = Walk::new(result.shape(), [result.head(), (row_major(&inner), start)]);
                while walk.step() {
                    cells[walk.offset(1)] = result.raw()[walk.offset(0)].clone();
                }
            }
            None => cells.resize(end, Cell::Skip),
        }
    }
    Ok(Some(Tensor::packed_from(axes, shape, cells)))
}

fn result_axes(axis: &LoopAxis, infer: &Axis, inner: &[Axis]) -> Axes {
    let plain = std::iter::once(infer).chain(inner).cloned().collect();
    let Some(name) = axis.naming.as_ref().filter(|n| !n.is_none()) else {
        return plain;
    };
    let inner = inner.iter().map(|a| if a.is_none() { Axis::VALUE } else { a.clone() });
    let named: Axes = std::iter::once(name.clone()).chain(inner).collect();
    if duplicate(&named).is_none() { named } else { plain }
}

/// A value carried through a loop: iteration k reads what iteration k - lag left, before that the initial value. With
/// lag 0 it is not carried: it starts every iteration missing (tensor spec, section 8).
#[derive(Debug, Clone)]
pub struct Carry<T> {
    lag: usize,
    /// What the next iterations read, the oldest first: at most `lag` values.
    ahead: VecDeque<T>,
    initial: T,
}

impl<T: Clone> Carry<T> {
    /// A carried value before the first iteration.
    pub fn new(initial: T, lag: usize) -> Self {
        Self { lag, ahead: VecDeque::new(), initial }
    }

    /// What the next iteration reads; none when it starts missing.
    pub fn read(&self) -> Option<&T> {
        match self.lag {
            0 => None,
            lag if self.ahead.len() < lag => Some(&self.initial),
            _ => self.ahead.front(),
        }
    }

    /// Notes what an iteration left; the next one is ahead then.
    pub fn leave(&mut self, value: T) {
        if self.lag == 0 {
            return;
        }
        self.ahead.push_back(value);
        if self.ahead.len() > self.lag {
            self.ahead.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn tensor(axes: Json, shape: Json, data: Json) -> Tensor {
        Tensor::from_json(&json!({"axes": axes, "shape": shape, "data": data})).unwrap()
    }

    fn elements(base: &Tensor) -> Elements {
        Elements::new(base, "{b}", &"d".into(), Some("{b}"))
    }

    fn all(elements: &Elements) -> Vec<Json> {
        elements.visits(0).map(|p| elements.element(p).unwrap().to_nested().to_json()).collect()
    }

    #[test]
    fn a_grown_base_shows_its_new_positions() {
        for data in [json!([[1], [2]]), json!([[[1, 2]], [["@#SKIP#@", 3]]])] {
            let base = tensor(json!(["d", "e"]), json!([2, 1]), data);
            let mut walked = elements(&base);
            walked.release();
            let other = tensor(json!(["e"]), json!([1]), json!([4]));
            let grown = base.append(&other, Some(&"d".into())).unwrap();
            walked.grow(&grown);
            assert_eq!(all(&walked), all(&elements(&grown)));
            assert_eq!(all(&walked).last(), Some(&json!([4])));
        }
    }

    #[test]
    fn a_loop_over_no_axis_of_the_base_runs_once() {
        let base = tensor(json!(["e"]), json!([2]), json!([1, 2]));
        let walked = elements(&base);
        assert!(!walked.axis().found);
        assert_eq!(all(&walked), [json!([1, 2])]);
        assert_eq!(walked.element(1), None);
        assert!(elements(&Tensor::empty_sentinel()).visits(0).next().is_none());
    }

    #[test]
    fn results_keep_their_position() {
        let base = tensor(json!(["d"]), json!([3]), json!([1, "@#SKIP#@", 3]));
        let axis = elements(&base).axis().clone();
        let results = [Some(Tensor::singleton(Cell::text("a"))), None, None];
        let combined = combine_results(&axis, &"{r}".into(), &results).unwrap().unwrap();
        assert_eq!(
            combined.to_json(),
            json!({"axes": ["d", "value"], "shape": [3, 1], "data": [["a"], ["@#SKIP#@"], ["@#SKIP#@"]]})
        );
        assert_eq!(combine_results(&axis, &"{r}".into(), &[None, None]).unwrap(), None);
        let d = |size: usize| Some(Tensor::new(&["d".into()], &[size], Cell::text("x")).unwrap());
        let clash = combine_results(&axis, &"d".into(), &[d(1), d(2)]).unwrap_err();
        assert_eq!(clash.kind(), "duplicate_axis");
    }

    #[test]
    fn a_value_that_is_not_carried_starts_missing() {
        let mut carry = Carry::new(1, 0);
        carry.leave(2);
        assert_eq!(carry.read(), None);
    }
}
