//! Source text to repositories in one call: reading, resolving, lowering, and the loader's word on the result.

use crate::base::{FileId, SourceMap};
use crate::diag::Diagnostic;
use crate::plan::{self, Plan};
use crate::syntax::{self, Dialect, Tree};

use super::allow::{self, Allowed};
use super::bundle::Repositories;
use super::load::load;
use super::lower::{LowerOptions, Sentences, lower};
use super::model::Model;

/// A source text with everything that was made of it.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// The text as a tree.
    pub tree: Tree,
    /// The resolved plan.
    pub plan: Plan,
    /// The repositories; not fit to be run when a diagnostic is an error.
    pub repositories: Repositories,
    /// The same as a run takes it; none when a diagnostic is an error.
    pub model: Option<Model>,
    /// What there is to say, in the order of the text; what the plan allows is left out.
    pub diagnostics: Vec<Diagnostic>,
    /// What the plan allows.
    pub allowed: Allowed,
}

/// Compiles the text of `file`, which is in `sources`. Total: what is wrong is in the diagnostics. `hint` is the
/// dialect that the file's extension tells, [`Dialect::from_extension`].
pub fn compile(
    file: FileId,
    text: &str,
    hint: Option<Dialect>,
    sources: &SourceMap,
    options: &LowerOptions,
) -> Compiled {
    let (tree, mut diagnostics) = syntax::parse(file, text, hint);
    plan::add_mends(&tree, &mut diagnostics);
    let (plan, resolved) = match (options.sentences, hint) {
        (Sentences::Steps, _) if tree.dialect != Dialect::Natural => plan::resolve_draft(&tree),
        (Sentences::Noted, Some(Dialect::Draft)) => plan::resolve_draft(&tree),
        // A translation has no operations; that it cannot run is no fault of it.
        (Sentences::Noted, Some(Dialect::Natural)) => (plan::resolve(&tree).0, Vec::new()),
        _ => plan::resolve(&tree),
    };
    diagnostics.extend(resolved);
    let allowed = allow::read(&tree, &mut diagnostics);
    diagnostics.retain(|d| !allowed.silences(d));
    let lowered = lower(&plan, sources, &diagnostics, options);
    diagnostics.extend(lowered.diagnostics.into_iter().filter(|d| !allowed.silences(d)));
    diagnostics.sort_by_key(|d| d.primary.as_ref().map(|p| (p.span.start, p.span.end)));
    let mut model = None;
    if !diagnostics.iter().any(Diagnostic::is_error) {
        // What the loader refuses in a plan that compiled without errors is still a fault of the plan.
        match load(&lowered.repositories) {
            Ok(loaded) => model = Some(loaded.model),
            Err(refused) => diagnostics.extend(refused.into_iter().filter(Diagnostic::is_error)),
        }
    }
    Compiled { tree, plan, repositories: lowered.repositories, model, diagnostics, allowed }
}
