//! What a bundle says about a plan beside its entries: names, sources, inputs, spans. Unknown keys of every object
//! are kept (repositories spec, section 9).

use indexmap::IndexMap;
use serde_json::{Map as JsonMap, Value as Json};

/// Keys this version does not know, in the order read.
pub type Unknown = JsonMap<String, Json>;

/// Which program wrote the bundle.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Generator {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Unknown keys.
    pub unknown: Unknown,
}

/// What is known of the plan as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlanInfo {
    /// Its name: the stem of its first source.
    pub name: String,
    /// The repository generation, 1 or 2.
    pub generation: u32,
    /// The dialect of its source; none for imported repositories.
    pub dialect: Option<String>,
    /// Folder of the first source, relative to the bundle's.
    pub base: String,
    /// Names of the final concepts.
    pub roots: Vec<String>,
    /// Unknown keys.
    pub unknown: Unknown,
}

/// The sources a bundle was compiled from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceInfo {
    /// The files; a place names them by their `id`.
    pub files: Vec<SourceFileInfo>,
    /// The numbering scheme of the flow indices declared in the source (language spec, section 7.2).
    pub index_scheme: Option<String>,
    /// Unknown keys.
    pub unknown: Unknown,
}

/// One source file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceFileInfo {
    /// Its number in places.
    pub id: u32,
    /// Its name, `/` between folders.
    pub path: String,
    /// Hash of its bytes.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
    /// Its text, when embedded.
    pub text: Option<String>,
    /// Unknown keys.
    pub unknown: Unknown,
}

/// A value that must be given before a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequiredInput {
    /// The concept.
    pub concept: String,
    /// Its declared axes.
    pub axes: Option<Vec<String>>,
    /// `leaf`, or `carry` for the initial value of a carried concept.
    pub why: String,
    /// Unknown keys.
    pub unknown: Unknown,
}

/// A place in source text: file, first line, first column, last line, last column. Lines from 1, columns from 0 in
/// Unicode scalar values, end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(pub [u32; 5]);

/// Where the parts of a plan stand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Spans {
    /// The lines of each concept.
    pub concepts: IndexMap<String, Vec<Place>>,
    /// The parts of each inference, by flow index.
    pub inferences: IndexMap<String, InferenceSpans>,
    /// Unknown keys.
    pub unknown: Unknown,
}

/// Where the parts of an inference stand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InferenceSpans {
    /// The concept to infer.
    pub target: Option<Place>,
    /// The function concept.
    pub function: Option<Place>,
    /// Value and context concepts that have a line of their own below the target.
    pub values: IndexMap<String, Place>,
    /// The flow index written in the source when it differs.
    pub declared_index: Option<String>,
    /// Unknown keys.
    pub unknown: Unknown,
}

/// A diagnostic of the compilation, for who has only the bundle.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Remark {
    /// Its code, `NC046`.
    pub code: String,
    /// `info` or `warning`.
    pub level: String,
    /// Where.
    pub span: Option<Place>,
    /// Its headline.
    pub message: String,
    /// Unknown keys.
    pub unknown: Unknown,
}
