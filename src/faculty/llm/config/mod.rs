//! Providers and models: what `normc.toml` and the environment say about them (semantics spec, sections 12 and 14.1).
//!
//! Keys are named here, by a variable or a file, and are never part of a message.

mod entry;
mod environment;
mod find;
mod problem;
mod read;
mod settings;
mod table;

pub(super) use environment::first_variable;
pub use problem::ConfigProblem;
pub(super) use settings::built_in;
pub use settings::{Address, Config, JsonForm, KeySource, ModelConfig, Origin, ProviderConfig, ProviderKind};
