//! What acts on the world for a step: built-in functions, Python scripts, commands, files of the plan's base directory.
//!
//! A faculty gets a [`Request`] and gives an [`Answer`] or a typed [`Failure`]. It knows no plans, no steps and no
//! store; what it returns is data and is never read as a sign (semantics spec, sections 2.3 and 14).
//!
//! To add a faculty: a file or folder here, a variant of [`Action`] for what it is asked, the kinds of its failures
//! in [`FailureKind`], and an `impl Faculty`.
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
pub use request::{Action, Answer, CallIdentity, Faculty, Output, Request, Script};
pub use secret::{KeySource, Redactor, Secret, read_key};
