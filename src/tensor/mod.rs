//! The algebra of tensors with named axes (tensor spec). Knows cells, not plans or runs.
//!
//! [`Tensor`] is a cheap view of a shared buffer. Its own operations are methods; what takes several tensors or a rule
//! of its own lies in [`combine`], [`assign`], [`group`], [`looping`] and [`mask`].

mod access;
mod alias;
mod append;
mod axis;
mod cell;
mod data;
mod error;
mod gate;
mod shape;
mod slice;
mod value;

pub mod assign;
pub mod combine;
pub mod group;
pub mod looping;
pub mod mask;

#[cfg(test)]
mod laws;

pub use append::Appended;
pub use axis::Axis;
pub use cell::{Cell, hole, is_missing, open, prune};
pub use combine::Coordinates;
pub use error::{Error, Place, Result};
pub use shape::MAX_CELLS;
pub use value::{Cells, Tensor};
