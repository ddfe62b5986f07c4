//! Where everything of a drawing stands: a layered drawing in which boxes hold boxes.
//!
//! Each box is laid out by itself, from the innermost out, and is one big node of the box around it. An edge that
//! crosses a border has a mark on it, a node of no size in the first or last layer, so that it is drawn in pieces, none
//! of which runs under a box. Knows nothing of what the boxes stand for. Depth and size cost no stack.

mod coordinates;
mod layers;
mod levels;
mod order;

pub(super) use levels::{Boxed, Diagram, LaidOut, Line, Rect, lay_out};

/// A place in the drawing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// Which way a drawing goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Direction {
    /// From the inputs at the top down to the outputs.
    #[default]
    Down,
    /// From the inputs on the left to the outputs on the right.
    Right,
}
