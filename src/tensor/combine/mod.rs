//! Combining tensors: inputs are aligned by axis names and read side by side (tensor spec, section 5).

mod action;
mod align;
mod product;

pub use action::{Acted, ActionError, Failure, OnError, cross_action, element_action};
pub use align::{Alignment, Combination, Combinations, Coordinates, Row};
pub use product::{cross_product, join};
