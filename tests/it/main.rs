//! All integration tests, in one binary.

mod corpus;
mod parse_vectors;
mod zz_dump;
