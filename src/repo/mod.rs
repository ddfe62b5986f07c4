//! Concept and inference repositories: both JSON forms, the bundle, and the typed model a run is built from.
//!
//! [`Repositories`] keeps entries exactly as written; [`load`] checks them all and makes the [`Model`], the only place
//! where defaults are filled in. Knows nothing of source syntax beyond the resolved plan it lowers, and touches no
//! file. To add a field: its accessor in `entry.rs` if several rooms read it, its check in `load/`, its place in the
//! model.

pub mod agents;
mod allow;
mod bundle;
mod compile;
mod document;
mod entry;
mod header;
mod inputs;
pub mod json;
mod load;
mod lower;
mod model;
mod names;
mod raise;
mod required;
mod types;

pub use allow::Allowed;
pub use bundle::{BUNDLE_VERSION, Repositories, TwoFiles, this_program};
pub use compile::{Compiled, compile};
pub use document::{ReadBack, read_document, two_file_document};
pub use entry::{ConceptEntry, InferenceEntry};
pub use header::{
    Generator, InferenceSpans, Place, PlanInfo, Remark, RequiredInput, SourceFileInfo, SourceInfo, Spans,
    Unknown,
};
pub use inputs::{Inputs, find_concept};
pub use load::{Loaded, load, load_two_files};
pub use lower::{Generation, LowerOptions, Lowered, Sentences, lower};
pub use model::*;
pub use raise::{Raised, raise};
pub use required::{MissingInput, missing_inputs};
