//! All integration tests, in one binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests read files and fail by panicking; helpers outside `#[test]` functions do too"
)]

mod act;
mod axes;
mod cassette;
mod check;
mod cli;
mod constructs;
mod convert;
mod corpus;
mod crash;
mod diag;
mod draft;
mod ending;
mod faculty;
mod fix;
mod flow;
mod fold;
mod format;
mod golden;
mod grammar;
mod graph;
mod growth;
mod idle;
mod invalid;
mod kill;
mod liveness;
mod llm;
mod llm_server;
mod lower;
mod lsp;
mod measure;
mod mutations;
mod neovim;
mod pairs;
mod paradigms;
mod parse_vectors;
mod past;
mod people;
mod plans;
mod prototype;
mod readme;
mod repo;
mod resume;
mod rooms;
mod runs;
mod semantics_vectors;
mod support;
mod survey;
mod think;
mod think_hard;
mod tls;
mod vectors;
