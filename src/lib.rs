//! normc: compiler and runner for NormCode plans.

pub mod base;
pub mod cli;
pub mod diag;
pub mod engine;
pub mod faculty;
pub mod plan;
pub mod repo;
pub mod report;
pub mod run;
pub mod syntax;
pub mod tensor;
