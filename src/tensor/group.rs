//! The grouping operators `&in` and `&across` (tensor spec, section 7).

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::base::{Map, Value};

use super::axis::Axis;
use super::cell::{Cell, leaves_into};
use super::combine::{cross_product, join};
use super::error::{Error, Result};
use super::shape::{Axes, checked_len};
use super::value::Tensor;

/// The forms of `by_axes`. Which one is written selects the mode: a flat list collapses the same axes of what the
/// sources share, a list of lists those of each source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ByAxes {
    /// Not given; an empty list means the same.
    #[default]
    Absent,
    /// One list for all sources.
    Flat(Vec<Axis>),
    /// One list a source.
    PerSource(Vec<Vec<Axis>>),
}

impl ByAxes {
    fn is_absent(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::Flat(axes) => axes.is_empty(),
            Self::PerSource(lists) => lists.is_empty(),
        }
    }
}

/// How values are grouped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupSpec {
    /// Axes to collapse.
    pub by_axes: ByAxes,
    /// Name of the new axis.
    pub create_axis: Option<Axis>,
    /// Axes that are never collapsed, also when `by_axes` names them.
    pub protect_axes: Vec<Axis>,
}

impl GroupSpec {
    fn is_per_source(&self) -> bool {
        self.create_axis.is_some()
            || (matches!(self.by_axes, ByAxes::PerSource(_)) && !self.by_axes.is_absent())
    }

    /// Axes to collapse in shared mode.
    fn shared_axes(&self) -> Vec<&Axis> {
        match &self.by_axes {
            ByAxes::Flat(axes) => axes.iter().filter(|a| !self.protect_axes.contains(a)).collect(),
            _ => Vec::new(),
        }
    }

    /// Axes of a source that go, in per-source mode.
    fn gone(&self, source: &Tensor, number: usize) -> Vec<Axis> {
        let listed = match &self.by_axes {
            _ if self.by_axes.is_absent() => None,
            ByAxes::Flat(axes) => Some(axes),
            ByAxes::PerSource(lists) => lists.get(number),
            ByAxes::Absent => None,
        };
        let goes = |a: &&Axis| listed.is_none_or(|l| l.contains(a)) && !self.protect_axes.contains(a);
        source.axes().iter().filter(goes).cloned().collect()
    }
}

/// `&in`: records from label to value.
///
/// # Errors
/// `label_count`; `duplicate_label` in shared mode; `shape_mismatch`, `too_large`; with a new axis also
/// `mixed_grouping`, `axis_mismatch`, `duplicate_axis`.
pub fn group_in(sources: &[Tensor], labels: &[Arc<str>], spec: &GroupSpec) -> Result<Tensor> {
    if sources.is_empty() {
        return Ok(nothing(spec));
    }
    if labels.len() != sources.len() {
        return Err(Error::LabelCount { labels: labels.len(), sources: sources.len() });
    }
    if spec.is_per_source() {
        return per_source(sources, Some(labels), spec);
    }
    let mut seen = BTreeSet::new();
    for label in labels {
        if !seen.insert(label.as_ref()) {
            return Err(Error::DuplicateLabel { label: label.to_string() });
        }
    }
    let records = shared(sources)?.map_cells(|cell| record(cell, labels));
    collapse_by(&records, &spec.shared_axes())
}

/// `&across`: flat lists of what the values hold.
///
/// # Errors
/// As [`group_in`] without those of labels.
pub fn group_across(sources: &[Tensor], spec: &GroupSpec) -> Result<Tensor> {
    if sources.is_empty() {
        return Ok(nothing(spec));
    }
    if spec.is_per_source() {
        return per_source(sources, None, spec);
    }
    let lists = collapse_by(&shared(sources)?, &spec.shared_axes())?;
    Ok(lists.map_cells(|cell| if cell.is_skip() { Cell::Skip } else { Cell::list(leaves_of(cell)) }))
}

fn nothing(spec: &GroupSpec) -> Tensor {
    Tensor::zero(spec.create_axis.clone().unwrap_or(Axis::NONE))
}

/// Shared mode: the sources over the axes all of them have, side by side in one list a cell.
fn shared(sources: &[Tensor]) -> Result<Tensor> {
    let common = |axis: &&Axis| sources.iter().all(|s| s.extent(axis).is_some());
    let keep: Axes = sources.iter().take(1).flat_map(Tensor::axes).filter(common).cloned().collect();
    let kept = sources.iter().map(|s| s.collapse(&keep)).collect::<Result<Vec<_>>>()?;
    cross_product(&kept)
}

fn collapse_by(tensor: &Tensor, gone: &[&Axis]) -> Result<Tensor> {
    let keep: Vec<Axis> = tensor.axes().iter().filter(|a| !gone.contains(a)).cloned().collect();
    // Without this, a single value would be put on `_none_axis`.
    if keep.len() == tensor.rank() { Ok(tensor.clone()) } else { tensor.collapse(&keep) }
}

/// A list of cells as a record; a list of one list counts as that list.
fn record(cell: &Cell, labels: &[Arc<str>]) -> Cell {
    let Value::List(values) = cell else {
        return Cell::Skip;
    };
    let value = |value: &Value| match value {
        Value::List(items) => match items.as_ref() {
            [Value::List(inner)] => Value::List(Arc::clone(inner)),
            _ => value.clone(),
        },
        _ => value.clone(),
    };
    let entries: Map = labels.iter().cloned().zip(values.iter().map(value)).collect();
    Value::Map(Arc::new(entries))
}

fn labelled(label: Option<&Arc<str>>, item: Value) -> Value {
    match label {
        Some(label) => Value::Map(Arc::new(Map::from_iter([(Arc::clone(label), item)]))),
        None => item,
    }
}

fn leaves_of(cell: &Cell) -> Vec<Cell> {
    let mut leaves = Vec::new();
    leaves_into(cell, &mut leaves);
    leaves
}

/// Per-source mode: each source is stacked whole or collapsed to its leaves.
fn per_source(sources: &[Tensor], labels: Option<&[Arc<str>]>, spec: &GroupSpec) -> Result<Tensor> {
    let label = |number: usize| labels.and_then(|l| l.get(number));
    let gone: Vec<Vec<Axis>> = sources.iter().enumerate().map(|(n, s)| spec.gone(s, n)).collect();
    let is_stacked = |(source, gone): &(&Tensor, &Vec<Axis>)| source.rank() > 0 && gone.is_empty();
    let stacked = sources.iter().zip(&gone).filter(is_stacked).count();
    if let Some(axis) = &spec.create_axis
        && stacked > 0
    {
        if stacked < sources.len() {
            return Err(Error::MixedGrouping { stacked, sources: sources.len() });
        }
        let wrap = |(n, source): (usize, &Tensor)| match label(n) {
            Some(label) => source.map_cells(|cell| match cell {
                Cell::Skip => Cell::Skip,
                present => labelled(Some(label), present.clone()),
            }),
            None => source.clone(),
        };
        return join(&sources.iter().enumerate().map(wrap).collect::<Vec<_>>(), axis);
    }
    let mut items = Vec::new();
    for (n, pair) in sources.iter().zip(&gone).enumerate() {
        let (source, gone) = pair;
        if is_stacked(&pair) {
            items.push(labelled(label(n), source.to_nested()));
            continue;
        }
        let (last, first): (Vec<_>, Vec<_>) = source.axes().iter().cloned().partition(|a| gone.contains(a));
        let order: Vec<Axis> = first.into_iter().chain(last).collect();
        let leaves = source.transpose(&order)?.leaves();
        items.extend(leaves.into_iter().map(|leaf| labelled(label(n), leaf)));
    }
    match &spec.create_axis {
        None => Ok(Tensor::singleton(Cell::list(items))),
        Some(axis) => {
            let shape = [items.len()];
            checked_len(&shape)?;
            Tensor::from_cells(std::slice::from_ref(axis), &shape, items)
        }
    }
}

/// Which of the two operators a grouping step runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    /// `&in`.
    In,
    /// `&across`.
    Across,
}

/// A grouping step as it is written (tensor spec, section 7, step level).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupStep {
    /// The operator.
    pub marker: Marker,
    /// What is written of axes.
    pub spec: GroupSpec,
    /// Context concepts whose axes are collapsed; empty means all contexts.
    pub by_axis_concepts: Vec<Arc<str>>,
}

/// A concept's name and value, if it has one.
pub type Named<'a> = (Arc<str>, Option<&'a Tensor>);

/// Runs a grouping step: values without a tensor are left out with their labels and their lists of axes, and in shared mode without explicit
/// axes those of the context tensors are collapsed, except protected ones.
///
/// # Errors
/// As [`group_in`].
pub fn group_step(values: &[Named<'_>], context: &[Named<'_>], step: &GroupStep) -> Result<Tensor> {
    let present = values.iter().filter_map(|(name, tensor)| tensor.map(|t| (Arc::clone(name), t.clone())));
    let (labels, sources): (Vec<Arc<str>>, Vec<Tensor>) = present.unzip();
    let mut spec = step.spec.clone();
    if let ByAxes::PerSource(lists) = &mut spec.by_axes {
        // The lists are written one a value, so those of values left out go too.
        let mut written = values.iter();
        lists.retain(|_| written.next().is_none_or(|(_, tensor)| tensor.is_some()));
        // No list left is not the same as none written, which would be shared mode.
        lists.extend(sources.first().filter(|_| lists.is_empty()).map(|s| s.axes().to_vec()));
    }
    if !spec.is_per_source() && spec.by_axes.is_absent() {
        let named =
            |name: &Arc<str>| step.by_axis_concepts.is_empty() || step.by_axis_concepts.contains(name);
        let contexts = context.iter().filter(|(name, _)| named(name)).filter_map(|(_, tensor)| *tensor);
        let mut axes: Vec<Axis> = Vec::new();
        for axis in contexts.flat_map(Tensor::axes) {
            if !axes.contains(axis) {
                axes.push(axis.clone());
            }
        }
        spec.by_axes = ByAxes::Flat(axes);
    }
    match step.marker {
        Marker::In => group_in(&sources, &labels, &spec),
        Marker::Across => group_across(&sources, &spec),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn tensor(axes: Json, shape: Json, data: Json) -> Tensor {
        Tensor::from_json(&json!({"axes": axes, "shape": shape, "data": data})).unwrap()
    }

    fn labels(names: &[&str]) -> Vec<Arc<str>> {
        names.iter().map(|n| Arc::from(*n)).collect()
    }

    #[test]
    fn labels_are_paired_with_sources() {
        let x = tensor(json!(["x"]), json!([1]), json!([1]));
        let spec = GroupSpec::default();
        let both = [x.clone(), x];
        assert_eq!(group_in(&both, &labels(&["a"]), &spec).unwrap_err().kind(), "label_count");
        assert_eq!(group_in(&both, &labels(&["a", "a"]), &spec).unwrap_err().kind(), "duplicate_label");
    }

    #[test]
    fn protection_holds_in_both_modes() {
        let x = tensor(json!(["x", "y"]), json!([1, 2]), json!([[1, 2]]));
        let mut spec = GroupSpec {
            by_axes: ByAxes::Flat(vec!["x".into(), "y".into()]),
            create_axis: None,
            protect_axes: vec!["x".into()],
        };
        let shared = group_across(std::slice::from_ref(&x), &spec).unwrap();
        assert_eq!(shared.axes(), ["x"]);
        assert_eq!(shared.to_nested().to_json(), json!([[1, 2]]));
        spec.protect_axes.push("y".into());
        spec.create_axis = Some("k".into());
        assert_eq!(group_across(&[x.clone(), x], &spec).unwrap().axes(), ["k", "x", "y"]);
    }

    #[test]
    fn values_without_a_tensor_take_their_axes_along() {
        let x = tensor(json!(["x", "y"]), json!([1, 2]), json!([[1, 2]]));
        let by_axes = ByAxes::PerSource(vec![vec!["x".into(), "y".into()], vec!["zz".into()]]);
        let spec = GroupSpec { by_axes, ..GroupSpec::default() };
        let step = GroupStep { marker: Marker::In, spec, by_axis_concepts: Vec::new() };
        let values = [("absent".into(), None), ("x".into(), Some(&x))];
        let grouped = group_step(&values, &[], &step).unwrap();
        assert_eq!(grouped.to_json()["data"], json!([[{"x": [[1, 2]]}]]));
        let spec = GroupSpec { by_axes: ByAxes::PerSource(vec![vec!["zz".into()]]), ..GroupSpec::default() };
        let step = GroupStep { spec, ..step };
        let grouped = group_step(&values, &[], &step).unwrap();
        assert_eq!(grouped.to_json()["data"], json!([[{"x": 1}, {"x": 2}]]));
    }

    #[test]
    fn single_values_group_like_cells_without_axes() {
        let one = Tensor::rank0(Cell::text("a"));
        let spec = GroupSpec::default();
        let grouped = group_in(std::slice::from_ref(&one), &labels(&["l"]), &spec).unwrap();
        assert_eq!(grouped.to_json()["data"], json!([{"l": "a"}]));
        let spec = GroupSpec { create_axis: Some("k".into()), ..spec };
        assert_eq!(group_across(&[one.clone(), one], &spec).unwrap().to_json()["data"], json!(["a", "a"]));
    }
}
