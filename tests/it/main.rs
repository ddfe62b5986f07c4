//! All integration tests, in one binary.

mod faculty;
mod semantics_vectors;
