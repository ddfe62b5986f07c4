//! Values that are used but never given: NC081 (language spec, section 13).

use crate::diag::{Code, Diagnostic};
use crate::plan::model::Concept;

use super::Facts;

/// A suggestion costs a walk over all names, so only the first missing values get one.
const SUGGESTIONS: usize = 50;

pub(super) fn check(facts: &Facts<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let mut missing = 0;
    for (id, concept) in facts.values() {
        if facts.is_given(id, concept) || !concept.versions.is_empty() {
            continue;
        }
        let Some(span) = concept.mentions.first().map(|m| m.1).or_else(|| concept.first_span()) else {
            continue;
        };
        let message = format!("`{}` is used but nothing computes or gives it", concept.name);
        let mut diagnostic = Diagnostic::at(Code::NC081, span, message);
        missing += 1;
        diagnostic = match (missing <= SUGGESTIONS).then(|| near(facts, concept)).flatten() {
            Some(other) => diagnostic.help(format!("did you mean `{}`?", other.name)),
            None => diagnostic.help(format!(
                "add a line `<- {}` with what computes it below, or without for an input",
                concept.name
            )),
        };
        diagnostics.push(diagnostic);
    }
}

/// Another concept of the plan with nearly that name, that has a value.
fn near<'a>(facts: &Facts<'a>, concept: &Concept) -> Option<&'a Concept> {
    let wanted = concept.bare.to_lowercase();
    let close = |c: &Concept| {
        let bare = c.bare.to_lowercase();
        bare == wanted || bare.strip_suffix('s') == Some(&wanted) || wanted.strip_suffix('s') == Some(&bare)
    };
    facts
        .values()
        .find(|(id, c)| c.name != concept.name && close(c) && facts.is_given(*id, c))
        .map(|(_, c)| c)
}
