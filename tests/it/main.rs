//! All integration tests, in one binary.

mod repo;
mod corpus;
mod parse_vectors;
