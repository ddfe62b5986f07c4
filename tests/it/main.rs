//! All integration tests, in one binary.

mod corpus;
mod grammar;
mod parse_vectors;
