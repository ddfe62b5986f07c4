//! Cross product and join (tensor spec, section 5).

use crate::tensor::axis::Axis;
use crate::tensor::cell::Cell;
use crate::tensor::error::{Error, Result};
use crate::tensor::shape::{Axes, Sizes, checked_len};
use crate::tensor::value::Tensor;

use super::Alignment;

/// Each cell is the list of the inputs' cells, missing if any of them is.
///
/// # Errors
/// `no_references`, `shape_mismatch`, `too_large`.
pub fn cross_product(inputs: &[Tensor]) -> Result<Tensor> {
    let alignment = Alignment::new(inputs)?;
    let list = |c: super::Combination<'_>| if c.is_missing() { Cell::Skip } else { Cell::list(c.owned()) };
    alignment.build(alignment.combinations().map(list).collect())
}

/// Stacks tensors of the same axes along a new first axis; missing cells stay in place, `_none_axis` too.
///
/// # Errors
/// `no_references`; `duplicate_axis` when the new axis exists already; `axis_mismatch`, `shape_mismatch`, `too_large`.
pub fn join(inputs: &[Tensor], axis: &Axis) -> Result<Tensor> {
    let first = inputs.first().ok_or(Error::NoReferences)?;
    let mut turned = Vec::with_capacity(inputs.len());
    for input in inputs {
        let input = input.transpose(first.axes()).map_err(|_| Error::AxisMismatch {
            wanted: first.axes().to_vec(),
            found: input.axes().to_vec(),
        })?;
        for (name, (&one, &other)) in first.axes().iter().zip(first.shape().iter().zip(input.shape())) {
            if one != other {
                return Err(Error::ShapeMismatch { axis: name.clone(), one, other });
            }
        }
        turned.push(input);
    }
    if first.axes().contains(axis) {
        return Err(Error::DuplicateAxis { axis: axis.clone() });
    }
    let axes: Axes = std::iter::once(axis).chain(first.axes()).cloned().collect();
    let shape: Sizes = std::iter::once(inputs.len()).chain(first.shape().iter().copied()).collect();
    let mut cells = Vec::with_capacity(checked_len(&shape)?);
    for input in &turned {
        cells.extend(input.cells().cloned());
    }
    Ok(Tensor::packed_from(axes, shape, cells))
}
