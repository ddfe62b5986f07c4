//! What acts on the world for a step: built-in functions, Python scripts, commands, files below the base directory,
//! language models, people.
//!
//! Each faculty has a call of its own ([`python::ScriptCall`], [`command::CommandCall`], [`llm::ChatRequest`]) and gives
//! its answer as data or a typed [`Failure`]. It knows no plans, no steps and no store; what it returns is never read as
//! a sign (semantics spec, sections 2.3 and 14).
//!
//! To add a faculty: a file or folder here, the kinds of its failures in [`FailureKind`], and in the engine the effects
//! that it answers.
#![allow(clippy::disallowed_methods, reason = "faculties act on the world: files, processes, time")]

pub mod builtin;
pub mod command;
mod failure;
pub mod files;
pub mod human;
pub mod llm;
pub mod memory;
pub mod permit;
pub mod process;
pub mod python;
mod request;
pub mod secret;

pub use failure::{Failure, FailureKind, Place};
pub use request::{Answer, CallIdentity, Output, Script};
pub use secret::{Redactor, Secret, read_key};
