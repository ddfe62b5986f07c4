//! Repositories into a [`Model`]: every check of the format in one pass, and the defaults (repositories spec,
//! sections 1 to 4 and 10).

mod concepts;
mod inferences;
mod problems;
mod semantic;
mod whole;
mod work;

use crate::diag::Diagnostic;

use super::bundle::Repositories;
use super::model::Model;
use problems::{Names, Problems};

pub(super) use concepts::{axes_problem, bare_name, wrapped};

/// A plan that passed all checks.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The plan.
    pub model: Model,
    /// What is worth a look.
    pub warnings: Vec<Diagnostic>,
}

/// Checks repositories and makes the model a run is built from.
///
/// # Errors
/// All problems found, warnings among them, when at least one is an error (`NC101` to `NC108`).
pub fn load(repositories: &Repositories) -> Result<Loaded, Vec<Diagnostic>> {
    let mut problems = Problems::default();
    let mut names = Names::default();
    let concepts = concepts::concepts(&repositories.concepts, &mut names, &mut problems);
    let inferences = inferences::inferences(&repositories.inferences, &mut names, &mut problems);
    let model = Model { concepts, inferences };
    whole::check(&model, &mut problems);
    if problems.found.iter().any(Diagnostic::is_error) {
        Err(problems.found)
    } else {
        Ok(Loaded { model, warnings: problems.found })
    }
}
