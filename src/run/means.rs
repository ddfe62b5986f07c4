//! What preparing a step needs besides its values: paradigms by name, and files that are read on the way in. Whoever
//! drives the run provides it; nothing here touches a file.

use std::sync::Arc;

use super::event::StepFailure;
use super::paradigm::Paradigm;

/// Provides what the preparation of a step reads (semantics spec, sections 2.4 and 5).
pub trait Means {
    /// A paradigm by its name, checked.
    ///
    /// # Errors
    /// `unknown_paradigm`, or what is wrong with its file.
    fn paradigm(&self, name: &str) -> Result<Arc<Paradigm>, StepFailure>;

    /// The text of a file of the base directory, pinned: the same text for the whole run.
    ///
    /// # Errors
    /// `file_not_found`, `bad_path`, `path_escapes_base`, `not_text`.
    fn pinned(&self, path: &str) -> Result<Arc<str>, StepFailure>;

    /// The text of a file of the base directory as it is now: data that steps write and read.
    ///
    /// # Errors
    /// As [`Means::pinned`].
    fn text(&self, path: &str) -> Result<Arc<str>, StepFailure>;

    /// The base directory, absolute.
    fn base_dir(&self) -> &str;

    /// Whether answers name written files by absolute paths; relative to the base directory otherwise (semantics spec,
    /// section 14.4).
    fn absolute_paths(&self) -> bool {
        false
    }

    /// How often a reply that cannot be read is asked for again (semantics spec, section 14.1).
    fn reply_retries(&self) -> u32 {
        1
    }
}

/// Provides the built-in paradigms and no files.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFiles;

impl NoFiles {
    fn refused<T>(path: &str) -> Result<T, StepFailure> {
        Err(StepFailure::new("file_not_found", format!("there is no file `{path}` here")))
    }
}

impl Means for NoFiles {
    fn paradigm(&self, name: &str) -> Result<Arc<Paradigm>, StepFailure> {
        Paradigm::builtin(name).ok_or_else(|| {
            StepFailure::new("unknown_paradigm", format!("there is no built-in paradigm `{name}`"))
        })
    }

    fn pinned(&self, path: &str) -> Result<Arc<str>, StepFailure> {
        Self::refused(path)
    }

    fn text(&self, path: &str) -> Result<Arc<str>, StepFailure> {
        Self::refused(path)
    }

    fn base_dir(&self) -> &str {
        "."
    }
}
