//! The file of a paradigm: read, checked, typed (semantics spec, section 10.1).

use std::sync::Arc;

/// A paradigm, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paradigm {
    /// Its name: that of its file.
    pub name: Arc<str>,
}

/// What is wrong with a paradigm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Stable word, `unsupported_call_code` (semantics spec, section 15).
    pub kind: &'static str,
    /// What is wrong, naming step and key.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl Paradigm {
    /// Reads the text of a paradigm file.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(name: &str, _text: &str) -> Result<Self, Vec<Problem>> {
        Ok(Self { name: Arc::from(name) })
    }

    /// A paradigm that is always there; none when there is none of that name.
    pub fn builtin(_name: &str) -> Option<Arc<Self>> {
        None
    }
}
