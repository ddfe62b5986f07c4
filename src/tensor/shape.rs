//! Shapes, strides and the odometer that walks them. Knows nothing of cells.

use smallvec::SmallVec;

use super::{Axis, Error, error::Result};

/// The most cells one tensor may have. Cross products of unshared axes multiply, so every shape is checked
/// against it before anything is allocated (tensor spec, section 12).
pub const MAX_CELLS: usize = 1 << 25;

/// Axis names, few of them.
pub(super) type Axes = SmallVec<[Axis; 2]>;
/// Sizes, strides or positions, one an axis.
pub(super) type Sizes = SmallVec<[usize; 2]>;

/// Returns how many cells a shape has.
///
/// Empty axes count as one against the limit: the nested form of shape (10^18, 0) is as large as that of (10^18, 1).
pub(super) fn checked_len(shape: &[usize]) -> Result<usize> {
    let too_large = Error::TooLarge { limit: MAX_CELLS };
    let mut extent = 1usize;
    for &size in shape {
        extent =
            extent.checked_mul(size.max(1)).filter(|e| *e <= MAX_CELLS).ok_or_else(|| too_large.clone())?;
    }
    Ok(if shape.contains(&0) { 0 } else { extent })
}

/// Returns the first name that occurs twice.
pub(super) fn duplicate(axes: &[Axis]) -> Option<&Axis> {
    if axes.len() < 2 {
        return None;
    }
    let mut sorted: SmallVec<[&Axis; 8]> = axes.iter().collect();
    sorted.sort_unstable();
    sorted.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}

/// Fails on two axes of one name.
pub(super) fn check_distinct(axes: &[Axis]) -> Result<()> {
    match duplicate(axes) {
        Some(axis) => Err(Error::DuplicateAxis { axis: axis.clone() }),
        None => Ok(()),
    }
}

/// Returns the strides of a packed tensor: the last axis is fastest.
pub(super) fn row_major(shape: &[usize]) -> Sizes {
    let mut strides = Sizes::from_elem(1, shape.len());
    for i in (1..shape.len()).rev() {
        strides[i - 1] = strides[i] * shape[i].max(1);
    }
    strides
}

/// Returns whether the cells lie side by side in row-major order.
pub(super) fn is_packed(shape: &[usize], strides: &[usize]) -> bool {
    let mut expected = 1;
    for (&size, &stride) in shape.iter().zip(strides).rev() {
        if size == 0 {
            return true;
        }
        if size != 1 && stride != expected {
            return shape.contains(&0);
        }
        expected *= size;
    }
    true
}

/// An odometer over a shape that keeps one running offset a walked buffer (tensor spec, section 12).
#[derive(Debug, Clone)]
pub(super) struct Walk {
    shape: Sizes,
    index: Sizes,
    left: usize,
    started: bool,
    heads: SmallVec<[Head; 2]>,
}

#[derive(Debug, Clone)]
struct Head {
    strides: Sizes,
    offset: usize,
}

impl Walk {
    /// A walk over `shape`, with strides and start of each buffer. It stands before the first position.
    pub(super) fn new(shape: &[usize], heads: impl IntoIterator<Item = (Sizes, usize)>) -> Self {
        Self {
            shape: shape.into(),
            index: Sizes::from_elem(0, shape.len()),
            left: if shape.contains(&0) { 0 } else { shape.iter().product() },
            started: false,
            heads: heads.into_iter().map(|(strides, offset)| Head { strides, offset }).collect(),
        }
    }

    /// Goes to the next position; false when there is none.
    pub(super) fn step(&mut self) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        if !self.started {
            self.started = true;
            return true;
        }
        for d in (0..self.shape.len()).rev() {
            self.index[d] += 1;
            if self.index[d] < self.shape[d] {
                for head in &mut self.heads {
                    head.offset += head.strides[d];
                }
                return true;
            }
            self.index[d] = 0;
            for head in &mut self.heads {
                head.offset -= head.strides[d] * (self.shape[d] - 1);
            }
        }
        true
    }

    /// How many positions are still ahead.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// The present offset into a buffer.
    pub(super) fn offset(&self, head: usize) -> usize {
        self.heads[head].offset
    }

    /// The present offsets, buffer by buffer.
    pub(super) fn offsets(&self) -> impl Iterator<Item = usize> + '_ {
        self.heads.iter().map(|h| h.offset)
    }

    /// The present position, axis by axis.
    pub(super) fn index(&self) -> &[usize] {
        &self.index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_counts_empty_axes_as_one() {
        assert_eq!(checked_len(&[]).unwrap(), 1);
        assert_eq!(checked_len(&[3, 0]).unwrap(), 0);
        for shape in [[usize::MAX, usize::MAX].as_slice(), &[MAX_CELLS + 1], &[0, usize::MAX]] {
            assert_eq!(checked_len(shape).unwrap_err().kind(), "too_large");
        }
    }

    #[test]
    fn a_walk_visits_each_position_once() {
        let mut walk = Walk::new(&[2, 3], [(Sizes::from_slice(&[1, 2]), 0), (Sizes::from_slice(&[0, 1]), 7)]);
        let mut seen = Vec::new();
        while walk.step() {
            seen.push((walk.offset(0), walk.offset(1), walk.index().to_vec()));
        }
        assert_eq!(seen.iter().map(|s| s.0).collect::<Vec<_>>(), [0, 2, 4, 1, 3, 5]);
        assert_eq!(seen.iter().map(|s| s.1).collect::<Vec<_>>(), [7, 8, 9, 7, 8, 9]);
        assert_eq!(seen[5].2, [1, 2]);
        assert!(!Walk::new(&[2, 0], [(Sizes::from_slice(&[0, 1]), 0)]).step());
    }

    #[test]
    fn packed_means_side_by_side() {
        assert!(is_packed(&[2, 3], &[3, 1]));
        assert!(is_packed(&[1, 3], &[99, 1]));
        assert!(!is_packed(&[2, 3], &[1, 2]));
        assert!(!is_packed(&[2, 2], &[0, 0]));
        assert!(is_packed(&[], &[]));
    }
}
