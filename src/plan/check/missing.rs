//! Values that are used but never given: NC081 (language spec, section 13).

use rustc_hash::FxHashSet;

use crate::base::{Span, nearest};
use crate::diag::{Code, Diagnostic};
use crate::plan::model::{Concept, ConceptId};
use crate::syntax::Expr;

use super::Facts;

/// A suggestion costs a walk over all names, so only the first missing values get one.
const SUGGESTIONS: usize = 50;

/// Shorter names are one edit away from too many others.
const SHORT: usize = 4;

/// Gives the concepts that were suggested in place of missing ones: they are likely used under a wrong name.
pub(super) fn check(facts: &Facts<'_>, diagnostics: &mut Vec<Diagnostic>) -> FxHashSet<ConceptId> {
    let mut missing = 0;
    let mut suggested = FxHashSet::default();
    for (id, concept) in facts.values() {
        if facts.is_given(id, concept) || !concept.versions.is_empty() {
            continue;
        }
        let Some(span) = concept.mentions.first().map(|m| m.1).or_else(|| concept.first_span()) else {
            continue;
        };
        let message = format!("`{}` is used but nothing computes or gives it", concept.name);
        let mut diagnostic = Diagnostic::at(Code::NC081, span, message).about(&*concept.name);
        missing += 1;
        diagnostic = match (missing <= SUGGESTIONS).then(|| near(facts, concept)).flatten() {
            Some((id, other)) => {
                suggested.insert(id);
                let given = other.first_span().filter(|given| *given != span);
                let diagnostic = diagnostic.help(format!("did you mean `{}`?", other.name));
                given.map_or(diagnostic.clone(), |given| diagnostic.also(given, "nearly the same name"))
            }
            None => diagnostic.help(format!(
                "add a line `<- {}` with what computes it below, or without for an input",
                concept.name
            )),
        };
        diagnostics.push(match place(facts, concept, span) {
            Some(end) => diagnostic.also(end, "the values beside it end here"),
            None => diagnostic,
        });
    }
    suggested
}

/// The last line of those beside which a missing value would be given: the values of the inference it is used in; what
/// a gate asks may stand anywhere below the root. None when that is the line that uses it.
fn place(facts: &Facts<'_>, concept: &Concept, used: Span) -> Option<Span> {
    let flow = concept.mentions.first().map(|m| &m.0).or_else(|| concept.first_index())?;
    let (root, below) = flow.parts().split_first()?;
    let place = |ordinal: u32| (ordinal as usize).checked_sub(1);
    let root = *facts.tree.roots.get(place(*root)?)?;
    // The line that uses it is the last of the chain; its parent is the head.
    let (mut head, mut line) = (root, root);
    for ordinal in below {
        head = line;
        line = *facts.tree.node(line)?.children.get(place(*ordinal)?)?;
    }
    if matches!(facts.tree.node(line)?.concept.expr, Expr::Timing(_)) {
        head = root;
    }
    let last = facts.tree.last_below(head)?;
    let end = last.annotations.last().map_or(last.span, |a| a.span);
    let end = if end.start > last.span.start { end } else { last.span };
    (end.end < used.start || used.end < end.start).then_some(end)
}

/// Another concept of the plan with nearly that name, that has a value: one that differs in case or a plural `s`, else
/// one of the same kind a letter or two away.
fn near<'a>(facts: &Facts<'a>, concept: &Concept) -> Option<(ConceptId, &'a Concept)> {
    let wanted = concept.bare.to_lowercase();
    let close = |c: &Concept| {
        let bare = c.bare.to_lowercase();
        bare == wanted || bare.strip_suffix('s') == Some(&wanted) || wanted.strip_suffix('s') == Some(&bare)
    };
    let given = || facts.values().filter(|(id, c)| c.name != concept.name && facts.is_given(*id, c));
    if let Some(found) = given().find(|(_, c)| close(c)) {
        return Some(found);
    }
    if concept.bare.chars().count() < SHORT {
        return None;
    }
    // `{step 1}` is no slip of `{step 2}`.
    let digits = |c: &Concept| c.bare.chars().filter(char::is_ascii_digit).collect::<String>();
    let own = digits(concept);
    let alike: Vec<(ConceptId, &Concept)> = given()
        .filter(|(_, c)| c.kind == concept.kind && c.query == concept.query && digits(c) == own)
        .collect();
    let name = nearest(&concept.bare, alike.iter().map(|(_, c)| &*c.bare))?;
    alike.into_iter().find(|(_, c)| &*c.bare == name)
}
