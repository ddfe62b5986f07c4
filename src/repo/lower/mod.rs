//! A resolved plan into repositories (repositories spec, sections 7 and 9). The same plan always gives the same
//! entries. To add a generation: a [`Generation`], its words in `words.rs`, its records in `work.rs`.

mod concepts;
mod helpers;
mod inferences;
mod places;
mod slug;
mod words;
mod work;

use crate::base::SourceMap;
use crate::diag::Diagnostic;
use crate::plan::Plan;
use crate::syntax::IndexScheme;

use super::bundle::{Repositories, this_program};
use super::header::{PlanInfo, SourceFileInfo, SourceInfo, Unknown};
use super::json;
use super::required::required_inputs;
use helpers::Helpers;

/// How a plan is lowered.
#[derive(Debug, Clone, Default)]
pub struct LowerOptions {
    /// The plan's name; empty for the stem of its source.
    pub name: String,
    /// The generation to write; none for the one the plan's operators ask for.
    pub generation: Option<Generation>,
    /// Folder of the source, relative to the folder the bundle is written to; empty for `.`.
    pub base: String,
    /// The source's path as the bundle is to name it; empty for its name in the source map.
    pub path: String,
    /// Keep the source text in the bundle.
    pub keep_text: bool,
    /// What becomes of sentences.
    pub sentences: Sentences,
}

/// What becomes of the sentences of a draft or a reader's translation (language spec, sections 1 and 5.9).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sentences {
    /// A plan that holds them does not compile.
    #[default]
    Refused,
    /// Those of a draft are read as steps, which gives a skeleton.
    Steps,
    /// The same to look at, not to run: a translation, which has no steps, is then no error.
    Noted,
}

/// The two generations of repositories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Generation {
    /// English operators.
    One,
    /// Symbol operators, paradigms.
    Two,
}

impl Generation {
    /// The number in the bundle.
    pub fn number(self) -> u32 {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }
}

/// What lowering gives.
#[derive(Debug, Clone)]
pub struct Lowered {
    /// The repositories; when a diagnostic is an error, not fit to be run.
    pub repositories: Repositories,
    /// What the plan lacks for the generation asked for.
    pub diagnostics: Vec<Diagnostic>,
}

/// Lowers a plan. `sources` is the map it was read with, `diagnostics` what reading and resolving said; those that
/// are no errors go into the bundle.
pub fn lower(
    plan: &Plan,
    sources: &SourceMap,
    diagnostics: &[Diagnostic],
    options: &LowerOptions,
) -> Lowered {
    let generation =
        options.generation.unwrap_or(if plan.generation == 2 { Generation::Two } else { Generation::One });
    let mut problems = Vec::new();
    let helpers = Helpers::of(plan, generation);
    let concepts = concepts::entries(plan, generation, &helpers);
    let inferences = inferences::entries(plan, generation, &helpers, &mut problems);
    let file = sources.file(plan.file);
    let path = if options.path.is_empty() { file.map_or("", |f| f.name()) } else { &options.path };
    let path = path.replace('\\', "/");
    let name = if options.name.is_empty() { stem(&path).to_owned() } else { options.name.clone() };
    let source = file.map(|f| SourceInfo {
        files: vec![SourceFileInfo {
            id: 0,
            path: path.clone(),
            sha256: json::digest_bytes(f.text().as_bytes()),
            bytes: f.text().len() as u64,
            text: options.keep_text.then(|| f.text().as_ref().to_owned()),
            unknown: Unknown::new(),
        }],
        index_scheme: scheme(plan.index_scheme),
        unknown: Unknown::new(),
    });
    let info = PlanInfo {
        name,
        generation: generation.number(),
        dialect: Some(plan.dialect.as_str().to_owned()),
        base: if options.base.is_empty() { ".".to_owned() } else { options.base.replace('\\', "/") },
        roots: plan.roots.iter().map(|r| plan.name(*r).to_owned()).collect(),
        unknown: Unknown::new(),
    };
    let mut repositories = Repositories {
        generator: this_program(),
        plan: info,
        source,
        required_inputs: required_inputs(&concepts, &inferences),
        concepts,
        inferences,
        spans: places::spans(plan, sources),
        diagnostics: Vec::new(),
        ..Repositories::default()
    };
    repositories.diagnostics = diagnostics
        .iter()
        .chain(&problems)
        .filter(|d| !d.is_error())
        .map(|d| places::remark(d, sources))
        .collect();
    Lowered { repositories, diagnostics: problems }
}

/// The file's name without folders and extension.
fn stem(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    match file.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => file,
    }
}

fn scheme(scheme: IndexScheme) -> Option<String> {
    let word = match scheme {
        IndexScheme::Undeclared => return None,
        IndexScheme::A => "A",
        IndexScheme::B => "B",
        IndexScheme::C => "C",
        IndexScheme::D => "D",
        IndexScheme::Unknown => "unknown",
    };
    Some(word.to_owned())
}
