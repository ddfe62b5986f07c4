//! All integration tests, in one binary.

mod diag;
mod rooms;
mod vectors;
