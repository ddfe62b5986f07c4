//! All integration tests, in one binary.

mod corpus;
mod grammar;
mod lower;
mod parse_vectors;
mod repo;
