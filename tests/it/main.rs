//! All integration tests, in one binary.

mod corpus;
mod lower;
mod parse_vectors;
mod repo;
