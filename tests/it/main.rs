//! All integration tests, in one binary.

mod corpus;
mod parse_vectors;
