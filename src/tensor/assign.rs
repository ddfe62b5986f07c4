//! The assigning operators `$%`, `$.`, `$+`, `$-` (tensor spec, section 6); `$=` is in `alias`.

use std::sync::Arc;

use crate::base::{Sign, Value};

use super::access::from_end;
use super::append::Appended;
use super::axis::Axis;
use super::cell::{Cell, hole, is_missing, survives_prune};
use super::error::{Error, Result};
use super::value::Tensor;

pub use super::alias::{Aliases, Identified};

/// `$%`: makes a reference of a literal of the plan. A text is trimmed; one that begins with `[` and is strict JSON is
/// structured, other texts are one value, a sign if they have the form of one. A list is structured, anything else
/// one value.
///
/// # Errors
/// Those of [`Tensor::from_data`], for structured literals.
pub fn abstraction(face: &Value, axes: Option<&[Axis]>) -> Result<Tensor> {
    let axes = axes.filter(|names| !names.is_empty());
    let text = match face {
        Value::Text(text) => trim(text),
        Value::List(_) => return Tensor::from_data(face, axes),
        other => return Ok(Tensor::singleton(hole(other.clone()))),
    };
    if text.starts_with('[')
        && let Ok(json) = serde_json::from_str(text)
    {
        return Tensor::from_data(&Value::from_plan_json(&json), axes);
    }
    Ok(Tensor::singleton(match Sign::parse(text) {
        Some(sign) => Value::Sign(Arc::new(sign)),
        None => Value::from_data_json(&serde_json::Value::from(text)),
    }))
}

/// What plans take for blanks: Unicode's, and the four separators of ASCII.
fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c))
}

/// `$.`: the first source that is present and has data; else the destination; else an empty axis `result`.
pub fn specification(sources: &[Option<&Tensor>], destination: Option<&Tensor>) -> Tensor {
    let valid = sources.iter().flatten().find(|t| has_data(t)).copied();
    valid.or(destination).cloned().unwrap_or_else(|| Tensor::zero(Axis::RESULT))
}

/// Returns whether a tensor is valid for [`specification`]: anything is left of it after pruning; a single value is
/// valid unless missing.
pub fn has_data(tensor: &Tensor) -> bool {
    if tensor.rank() == 0 { !tensor.is_missing() } else { tensor.cells().any(survives_prune) }
}

/// What `$+` gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Continued {
    /// The result.
    pub tensor: Tensor,
    /// The axis that was asked for, when the destination lacks it and its first axis was taken: worth a diagnostic.
    pub fell_back_from: Option<Axis>,
    /// Present data found no place, see [`Appended::lost`].
    pub lost: bool,
}

impl Continued {
    fn whole(tensor: Tensor) -> Self {
        Self { tensor, fell_back_from: None, lost: false }
    }
}

/// `$+`: appends the source to the destination along the first of `by_axes`, or along the destination's first axis.
/// The destination is taken by value, so that a buffer nobody else holds grows in place.
///
/// # Errors
/// `no_axes` when the destination is a present single value; those of [`Tensor::append`] but `zero_slice`, which
/// yields the source.
pub fn continuation(
    source: Option<&Tensor>,
    destination: Option<Tensor>,
    by_axes: Option<&[Axis]>,
) -> Result<Continued> {
    let (source, mut destination) = match (source, destination) {
        (Some(source), Some(destination)) => (source, destination),
        (Some(source), None) => return Ok(Continued::whole(source.clone())),
        (None, Some(destination)) => return Ok(Continued::whole(destination)),
        (None, None) => return Ok(Continued::whole(Tensor::zero(Axis::numbered(0)))),
    };
    let asked = by_axes.and_then(<[Axis]>::first);
    let onto = continue_onto(&mut destination, source, asked)?;
    Ok(Continued { tensor: destination, fell_back_from: onto.fell_back_from, lost: onto.lost })
}

/// How [`continue_onto`] went; the fields are those of [`Continued`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Onto {
    /// See [`Continued::fell_back_from`].
    pub fell_back_from: Option<Axis>,
    /// See [`Continued::lost`].
    pub lost: bool,
}

/// [`continuation`] in place, onto a destination that is there; it is unchanged on error.
///
/// # Errors
/// As [`continuation`].
pub fn continue_onto(destination: &mut Tensor, source: &Tensor, asked: Option<&Axis>) -> Result<Onto> {
    let Some(first) = destination.axes().first().cloned() else {
        if !destination.is_missing() {
            return Err(Error::NoAxes);
        }
        *destination = source.clone();
        return Ok(Onto::default());
    };
    let fell_back_from = asked.filter(|a| destination.position(a).is_none()).cloned();
    let axis = asked.filter(|_| fell_back_from.is_none()).unwrap_or(&first);
    match destination.append_from(source, Some(axis)) {
        Ok(Appended { lost, .. }) => Ok(Onto { fell_back_from, lost }),
        Err(Error::ZeroSlice { .. }) => {
            *destination = source.clone();
            Ok(Onto { fell_back_from, lost: false })
        }
        Err(error) => Err(error),
    }
}

/// What `$-` picks from each cell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selector {
    /// The item of a list cell; negative counts from the end.
    pub index: Option<i64>,
    /// The entry of a record.
    pub key: Option<Arc<str>>,
    /// A list that was picked is spread over an axis.
    pub unpack: bool,
    /// A list cell is spread first, and `key` is taken from each item.
    pub unpack_before_selection: bool,
}

/// `$-`: picks from each cell. On one axis, cells that were unpacked are spread over a new axis `axis_0`; the caller
/// renames it to the target concept's axis.
///
/// # Errors
/// `too_large`, when unpacked lists are irregular on a large scale.
pub fn selection(source: &Tensor, selector: &Selector) -> Result<Tensor> {
    let mut spread = false;
    let mut picked = Vec::with_capacity(source.len());
    for cell in source.cells() {
        let pick = pick(cell, selector);
        spread |= pick.unpacked;
        picked.push(pick);
    }
    let whole = |pick: &Pick| pick.cell.clone();
    let shape = Tensor::from_cells(source.axes(), source.shape(), picked.iter().map(whole).collect())?;
    let shape = shape.drop_none_axis();
    if shape.rank() != 1 || !spread {
        return Ok(shape);
    }
    let mut items = Vec::new();
    for pick in picked {
        match pick.cell {
            Value::List(list) if pick.unpacked => items.extend(list.iter().cloned()),
            other => items.push(other),
        }
    }
    Tensor::from_data(&Value::list(items), None)
}

struct Pick {
    cell: Cell,
    unpacked: bool,
}

fn pick(cell: &Cell, selector: &Selector) -> Pick {
    let mut picked = cell.clone();
    if let (true, Value::List(items)) = (selector.unpack_before_selection, &picked) {
        let items = items.iter().map(|item| entry(item, selector.key.as_deref()));
        return Pick { cell: Value::list(items), unpacked: true };
    }
    if let (Some(index), Value::List(items)) = (selector.index, &picked) {
        let item = from_end(index, items.len()).and_then(|i| items.get(i));
        picked = item.map_or(Cell::Skip, |item| hole(item.clone()));
    }
    picked = entry(&picked, selector.key.as_deref());
    let unpacked = selector.unpack && matches!(picked, Value::List(_));
    Pick { cell: picked, unpacked }
}

/// The entry of a record, missing when absent or null; any other value as it is.
fn entry(value: &Value, key: Option<&str>) -> Value {
    match (value, key) {
        (Value::Map(map), Some(key)) => match map.get(key) {
            Some(entry) if !is_missing(entry) => entry.clone(),
            _ => Value::Skip,
        },
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_literal_of_the_plan_can_be_a_sign() {
        let one = abstraction(&Value::text(" %{file_location}a(x.txt)\n"), None).unwrap();
        assert!(matches!(one.cell_at(0), Some(Value::Sign(_))));
        let list = abstraction(&Value::text("[\"%{prompt}(p)\", \"plain\"]"), None).unwrap();
        assert!(matches!(list.cell_at(0), Some(Value::Sign(_))));
        assert_eq!(list.axes(), [Axis::numbered(0)]);
        let text = abstraction(&Value::text("[not json"), Some(&["x".into()])).unwrap();
        assert_eq!(text, Tensor::singleton(Value::text("[not json")));
    }

    #[test]
    fn continuing_reports_the_axis_it_fell_back_from() {
        let base = Tensor::from_json(&json!({"axes": ["z"], "shape": [1], "data": [9]})).unwrap();
        let item = Tensor::singleton(Value::text("a"));
        let done = continuation(Some(&item), Some(base.clone()), Some(&["nope".into()])).unwrap();
        assert_eq!(done.fell_back_from, Some("nope".into()));
        assert_eq!(done.tensor.shape(), [2]);
        assert_eq!(continuation(Some(&item), Some(base), None).unwrap().fell_back_from, None);
    }

    #[test]
    fn nothing_is_selected_beyond_either_end() {
        let lists = Tensor::singleton(Value::from_data_json(&json!([1, null])));
        for index in [2, -3, i64::MAX, i64::MIN, 1] {
            let selector = Selector { index: Some(index), ..Selector::default() };
            assert!(selection(&lists, &selector).unwrap().is_missing(), "{index}");
        }
    }
}
