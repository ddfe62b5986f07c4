//! Checks over a whole plan, one file a family (language spec, sections 8 and 13). To add one: a function here that
//! takes the plan and gives diagnostics.

use rustc_hash::FxHashSet;

use crate::diag::Diagnostic;
use crate::syntax::Tree;

use super::model::{ConceptId, Plan};

/// Runs all checks. Nothing is said about `broken` concepts: their inference has an error already.
pub(super) fn check(
    _tree: &Tree,
    _plan: &Plan,
    _broken: &FxHashSet<ConceptId>,
    _diagnostics: &mut Vec<Diagnostic>,
) {
}
