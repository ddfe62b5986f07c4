//! The values concepts have before the first step.

use crate::repo::{ConceptId, Model};
use crate::tensor::{self, Tensor};

/// Data of a concept that makes no tensor.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("the data of `{name}` do not fit its axes: {error}")]
pub struct BadData {
    /// The concept.
    pub concept: ConceptId,
    /// Its name.
    pub name: String,
    /// What the algebra says.
    pub error: tensor::Error,
}

/// Builds the value of every concept that has data. Texts of the form of a sign are signs: the author wrote them.
///
/// # Errors
/// One entry a concept whose data and axes contradict each other.
pub fn initial_values(model: &Model) -> Result<Vec<Option<Tensor>>, Vec<BadData>> {
    let mut bad = Vec::new();
    let mut values = Vec::with_capacity(model.concepts.len());
    for (i, concept) in model.concepts.iter().enumerate() {
        let data = concept.data.as_ref();
        let value = data.map(|data| Tensor::from_start_data(data, concept.axes.as_deref()));
        match value.transpose() {
            Ok(value) => values.push(value),
            Err(error) => {
                bad.push(BadData { concept: ConceptId(i as u32), name: concept.name.to_string(), error });
                values.push(None);
            }
        }
    }
    if bad.is_empty() { Ok(values) } else { Err(bad) }
}
