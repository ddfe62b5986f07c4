//! The text a run keeps its plan as: a bundle, or, for repositories made elsewhere, their two files one after the other,
//! as they were. Knows nothing of where it is kept.

use serde::de::IgnoredAny;

use crate::diag::{Code, Diagnostic};

use super::{Loaded, Repositories, Spans, load, load_two_files};

/// A plan read back from what a run kept.
#[derive(Debug, Clone)]
pub struct ReadBack {
    /// The plan.
    pub loaded: Loaded,
    /// Its repositories with their places in the source; none of both for two files.
    pub repositories: Option<Repositories>,
}

impl ReadBack {
    /// Where things stand in the source, as far as that is known.
    pub fn spans(&self) -> Spans {
        self.repositories.as_ref().map(|r| r.spans.clone()).unwrap_or_default()
    }
}

/// The document of a plan that came as two files.
pub fn two_file_document(concepts: &str, inferences: &str) -> String {
    [concepts.trim_end(), "\n", inferences].concat()
}

/// Reads a document.
///
/// # Errors
/// Those of [`Repositories::read`] and [`load`], or of [`load_two_files`].
pub fn read_document(text: &str) -> Result<ReadBack, Vec<Diagnostic>> {
    if text.trim_start().starts_with('{') {
        let repositories = Repositories::read(text).map_err(|d| vec![*d])?;
        return Ok(ReadBack { loaded: load(&repositories)?, repositories: Some(repositories) });
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    let first =
        values.next().and_then(Result::ok).and_then(|IgnoredAny| text.split_at_checked(values.byte_offset()));
    let (concepts, inferences) = first.ok_or_else(|| {
        vec![Diagnostic::new(Code::NC100, "the plan that was kept is neither a bundle nor two repositories")]
    })?;
    Ok(ReadBack { loaded: load_two_files(concepts, inferences)?, repositories: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_files_come_back_as_they_were() {
        let concepts = r#"[{"id": "c1", "concept_name": "{a}", "type": "{}", "is_ground_concept": true, "is_final_concept": true, "reference_data": ["]["], "reference_axis_names": ["a"]}]"#;
        let text = two_file_document(concepts, "[]\n");
        let read = read_document(&text).unwrap();
        assert_eq!(read.loaded.model.concepts.len(), 1);
        assert!(read.repositories.is_none());
        assert!(read_document("").is_err());
        assert!(read_document("[").is_err());
    }
}
