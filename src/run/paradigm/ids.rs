//! The ids of the signs that a step makes (semantics spec, section 2.2).

use std::sync::Arc;

use crate::base::Digest;

/// Gives ids to the signs a step makes: a function of the step and its cell, not of the run (semantics spec, 2.2).
#[derive(Debug, Clone, Default)]
pub struct Ids {
    seed: Option<Arc<str>>,
    next: u64,
}

impl Ids {
    /// Ids that count from one: `001`, `002`.
    pub fn counting() -> Self {
        Self::default()
    }

    /// Ids for one cell of a step: the same in every run. `step` names the step with its place in loops, `cell` is the
    /// number of the cell in row-major order.
    pub fn of_cell(step: &str, cell: usize) -> Self {
        Self { seed: Some(Arc::from(format!("{step}\n{cell}"))), next: 0 }
    }

    /// The next id: hexadecimal digits, three at least.
    pub fn next_id(&mut self) -> String {
        self.next += 1;
        match &self.seed {
            None => format!("{:03x}", self.next),
            Some(seed) => {
                let digest = Digest::of(format!("{seed}\n{}", self.next).as_bytes()).to_string();
                digest.get(..6).unwrap_or(&digest).to_owned()
            }
        }
    }
}
