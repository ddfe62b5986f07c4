//! What a semantic step is given: the concepts it is about, and its values.

use crate::repo::Concept;
use crate::tensor::Tensor;

/// What a step knows of the concepts it is about.
pub struct Site<'a> {
    /// The concept it infers.
    pub target: &'a Concept,
    /// Its function concept.
    pub function: Option<&'a Concept>,
    /// The value of the function concept, if it has one.
    pub cells: Option<&'a Tensor>,
    /// The step's name with its place in loops; asked for only where signs are numbered.
    pub step: &'a dyn Fn() -> String,
}

/// A value of the step, by the name it is ordered under.
pub struct NamedValue<'a> {
    /// The concept's name.
    pub name: &'a str,
    /// Its value, filters applied.
    pub value: &'a Tensor,
}
