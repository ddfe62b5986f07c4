//! Tests of the store as a whole.

mod corrupt;
mod faults;
mod laws;
mod real;
mod speed;
mod support;
mod syncs;
