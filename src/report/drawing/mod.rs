//! The plan as a picture: what is inferred from what, loops as boxes around what runs inside them.
//!
//! [`Picture::new`] makes nodes, boxes and edges of a run's graph, so that every form of a plan is drawn alike;
//! [`Picture::keep`] leaves a part of it. The writers ([`svg`], [`dot`], [`mermaid`]) turn it into text and know
//! nothing of plans. The layout (`layout/`) knows boxes and edges only, not what they stand for. The same picture
//! gives the same text, to the byte.
//!
//! To add a kind of edge: a variant of [`EdgeKind`], its word, its colours in `svg_style.rs`, its strokes in
//! `dot.rs` and `mermaid.rs`.

mod build;
mod dot;
mod layout;
mod mermaid;
mod picture;
mod svg;
mod svg_style;
mod text;
mod words;

pub use dot::dot;
pub use layout::Direction;
pub use mermaid::mermaid;
pub use picture::{Edge, EdgeKind, Family, Frame, Node, Picture, Shape, View};
pub use svg::svg;
pub use words::operation;
