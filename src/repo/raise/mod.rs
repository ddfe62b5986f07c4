//! Repositories back into source text: the inverse of lowering (repositories spec, sections 7 and 9). What source text
//! cannot say is named, never lost in silence: the text is compiled again, and what differs is reported.

mod compare;
mod notes;
mod place;
mod steps;
mod told;

use crate::base::{SourceFile, SourceMap};
use crate::diag::Diagnostic;
use crate::syntax::Outline;

use super::bundle::Repositories;
use super::compile::{Compiled, compile};
use super::lower::{Generation, LowerOptions};

/// Source text made from repositories.
#[derive(Debug, Clone)]
pub struct Raised {
    /// The plan.
    pub outline: Outline,
    /// The generation its text compiles to: 1 is written with English operators, 2 with symbols.
    pub generation: u32,
    /// What the text does not say of the repositories (`NC126`), one for each kind of thing.
    pub diagnostics: Vec<Diagnostic>,
}

/// Writes repositories as source text whose compilation gives them back. Indices stay: where an entry has no parent,
/// or siblings are missing, helper lines stand.
pub fn raise(repositories: &Repositories) -> Raised {
    let lines = place::lines(repositories);
    let outline = steps::outline(repositories, lines);
    let generation = generation(repositories);
    let mut outline = outline;
    let mut compiled = again(&outline, None);
    if compiled.plan.generation != generation
        && let Some(root) = outline.lines.first_mut()
    {
        // Nothing in the operations tells the generation: a declared index in its spelling does.
        root.inline.push(if generation == 1 { "1.".to_owned() } else { "?{flow_index}: 1".to_owned() });
        compiled = again(&outline, Some(generation));
    }
    let diagnostics = compare::differences(repositories, &compiled.repositories);
    Raised { outline, generation, diagnostics }
}

fn again(outline: &Outline, generation: Option<u32>) -> Compiled {
    let text = outline.print();
    let mut sources = SourceMap::default();
    let file = sources.add(SourceFile::new("plan.ncd", text.as_str()));
    let generation = generation.map(|g| if g == 1 { Generation::One } else { Generation::Two });
    compile(file, &text, None, &sources, &LowerOptions { generation, ..LowerOptions::default() })
}

/// The generation of entries: as the bundle says, else by their sequences and types.
fn generation(repositories: &Repositories) -> u32 {
    if matches!(repositories.plan.generation, 1 | 2) && repositories.plan.dialect.is_some() {
        return repositories.plan.generation;
    }
    let second = repositories
        .inferences
        .iter()
        .any(|i| i.sequence() == "looping" || i.sequence().ends_with("in_composition"))
        || repositories
            .concepts
            .iter()
            .any(|c| matches!(c.type_name(), "*." | "&[{}]" | "&[#]" | "@:'" | "@:!" | "@." | "({})"));
    if second { 2 } else { 1 }
}
