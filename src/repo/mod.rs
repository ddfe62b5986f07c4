//! Concept and inference repositories: both JSON forms, the bundle, and the typed model a run is built from.

mod model;

pub use model::*;
