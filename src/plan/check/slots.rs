//! What the text of an operation says of its slots, against the values that go there: NC090 (language spec, section
//! 9). Slots that are claimed twice, empty or beyond the text are NC058, found where values are numbered.

use rustc_hash::FxHashSet;

use crate::base::Span;
use crate::diag::{Code, Diagnostic};
use crate::plan::model::{Concept, ConceptId, ConceptKind, Inference, Semantic, Work};
use crate::plan::order;
use crate::syntax::{Body, Node, Reference, Slot, SlotInstance, SlotKey, Value, ValueKind};

use super::Facts;

pub(super) fn check(facts: &Facts<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let reported: FxHashSet<Span> = diagnostics
        .iter()
        .filter(|d| matches!(d.code, Code::NC057 | Code::NC058))
        .filter_map(|d| d.primary.as_ref().map(|p| p.span))
        .collect();
    let mut found = Vec::new();
    for inference in &facts.plan.inferences {
        let Work::Semantic(step) = &inference.work else { continue };
        let Some(node) = facts.scopes.function(inference.head).and_then(|f| facts.tree.node(f)) else {
            continue;
        };
        let Some(body) = order::body(&node.concept.expr) else { continue };
        let inside = |span: &Span| node.span.start <= span.start && span.end <= node.span.end;
        let said = body.slots.iter().any(|s| reported.contains(&node.span_of(s.part)))
            || inference.places.iter().any(|(_, place)| reported.contains(place))
            || reported.contains(&node.span);
        // Values bound by name move the numbers of the others.
        let values = facts.tree.values(inference.head).filter_map(|(_, n)| n.concept.value());
        let by_name = values.into_iter().any(|v| v.placement().is_some_and(is_name))
            || body.slots.iter().any(|s| is_name(&s.key));
        if said || by_name || body.slots.is_empty() || !inside(&node.span_of(body.part)) {
            continue;
        }
        found.extend(exchanged(facts, inference, step, node, body));
        found.extend(unreached(facts, inference, step, node, body));
    }
    diagnostics.extend(found);
}

/// The text says that a slot is for one value, another is bound to it, and the one it speaks of is bound elsewhere.
fn exchanged(
    facts: &Facts<'_>,
    inference: &Inference,
    step: &Semantic,
    node: &Node,
    body: &Body,
) -> Option<Diagnostic> {
    let named: Vec<(u32, &Slot, &Value)> = body.slots.iter().filter_map(named).collect();
    let bound = |number: u32| {
        let (id, _) = step.order.iter().find(|(_, n)| *n == number)?;
        Some((*id, facts.plan.concept(*id)?))
    };
    for (number, slot, value) in &named {
        let Some((id, here)) = bound(*number).filter(|(_, c)| !c.query) else { continue };
        // A slot that stands in the text again may be spoken of in other words there.
        let also = named.iter().any(|(n, _, v)| n == number && is(v, here));
        let elsewhere = named.iter().any(|(n, _, v)| n != number && v.name == value.name);
        if also || elsewhere {
            continue;
        }
        let meant = step.order.iter().find_map(|(other, n)| {
            let concept = facts.plan.concept(*other)?;
            let rightly = named.iter().any(|(m, _, v)| m == n && is(v, concept));
            (*other != id && is(value, concept) && !rightly).then_some((*other, concept, *n))
        });
        let Some((meant_id, meant, n)) = meant else { continue };
        let message = format!("slot `{{{number}}}` is for `{}`, but `{}` goes there", meant.name, here.name);
        let mut diagnostic = Diagnostic::at(Code::NC090, node.span_of(slot.part), message)
            .help(format!("write `{}<:{{{number}}}>`, or change the text", meant.name));
        if let Some(span) = place(inference, id) {
            diagnostic = diagnostic.also(span, format!("goes to slot {{{number}}}"));
        }
        if let Some(span) = place(inference, meant_id) {
            diagnostic = diagnostic.also(span, format!("goes to slot {{{n}}}"));
        }
        return Some(diagnostic);
    }
    None
}

/// A value without a slot of its own, that gets a number behind the last slot of the text. One that is named elsewhere
/// may stand here for what waits for it.
fn unreached(
    facts: &Facts<'_>,
    inference: &Inference,
    step: &Semantic,
    node: &Node,
    body: &Body,
) -> Option<Diagnostic> {
    // What is done is said elsewhere, and the text only names it; truth values are asked, not read.
    let done_elsewhere = step.resources.names_a_doer();
    if done_elsewhere || step.variant.is_some() {
        return None;
    }
    let mut last = 0;
    for slot in &body.slots {
        match &slot.key {
            SlotKey::Number(n) => last = last.max(*n),
            // The rest of the values go to such a slot, or somewhere only the prompt knows.
            SlotKey::From(_) | SlotKey::Any | SlotKey::Name(_) => return None,
        }
    }
    let mentioned = |concept: &Concept| {
        body.mentions.iter().any(|m| is(m, concept)) || body.text.contains(&*concept.bare)
    };
    let (id, concept) = step.order.iter().find_map(|(id, n)| {
        let concept = facts.plan.concept(*id)?;
        let only_here = concept.lines.len() == 1
            && concept.mentions.is_empty()
            && concept.kind != ConceptKind::Proposition;
        (*n > last && !concept.query && only_here && !mentioned(concept)).then_some((*id, concept))
    })?;
    let text = node.span_of(body.part);
    let span = place(inference, id)?;
    let message = format!("`{}` reaches no slot: the text has slots up to `{{{last}}}`", concept.name);
    Some(
        Diagnostic::at(Code::NC090, span, message)
            .also(text, "the text of the step")
            .help(format!("write `{{{}}}` in the text, or remove the line", last + 1)),
    )
}

fn is_name(key: &SlotKey) -> bool {
    matches!(key, SlotKey::Name(_))
}

/// The number and name of a slot such as `{1}<$({price})%_>`.
fn named(slot: &Slot) -> Option<(u32, &Slot, &Value)> {
    match (&slot.key, &slot.instance) {
        (SlotKey::Number(n), Some(SlotInstance::Abstraction(Reference::Value(value)))) if !slot.query => {
            Some((*n, slot, value))
        }
        _ => None,
    }
}

fn place(inference: &Inference, id: ConceptId) -> Option<Span> {
    inference.places.iter().find(|(c, _)| *c == id).map(|(_, span)| *span)
}

/// Returns whether a value written in a text names a concept, whichever of its versions.
fn is(value: &Value, concept: &Concept) -> bool {
    let kind = match value.kind {
        ValueKind::Object => ConceptKind::Object,
        ValueKind::Relation => ConceptKind::Relation,
        ValueKind::Proposition => ConceptKind::Proposition,
        ValueKind::Subject => return false,
    };
    concept.kind == kind && concept.bare == value.name
}

#[cfg(test)]
mod tests {
    use crate::base::FileId;
    use crate::diag::Code;
    use crate::{plan, syntax};

    /// What is said of slots in a step with this text and these value lines.
    fn said(text: &str, values: &[&str]) -> Vec<String> {
        let lines: String = values.iter().map(|v| format!("    <- {v}\n")).collect();
        let source = format!(":<:({{sum}})\n    <= {text}\n{lines}");
        let (tree, _) = syntax::parse(FileId(0), &source, None);
        let (_, diagnostics) = plan::resolve(&tree);
        let of_slots = diagnostics.into_iter().filter(|d| matches!(d.code, Code::NC058 | Code::NC090));
        of_slots.map(|d| format!("{} {}", d.code, d.message)).collect()
    }

    #[test]
    fn one_mistake_is_one_of_the_two_codes() {
        const ADD: &str = "::(add {1}<$({a})%_> to {2}<$({b})%_>)";
        for (text, values, expected) in [
            (ADD, &["{a}<:{1}>", "{b}<:{2}>"][..], None),
            (ADD, &["{b}<:{2}>", "{a}<:{1}>"], None),
            (ADD, &["{a}", "{b}"], None),
            (ADD, &["{c}<:{1}>", "{d}<:{2}>"], None),
            (ADD, &["{a}?<:{1}>", "{b}<:{2}>"], None),
            (ADD, &["{b}<:{1}>", "{a}<:{2}>"], Some("NC090 slot `{1}` is for `{a}`, but `{b}` goes there")),
            (ADD, &["{b}", "{a}"], Some("NC090 slot `{1}` is for `{a}`, but `{b}` goes there")),
            (ADD, &["{b}<:{1}>"], Some("NC058 no value is given for slot `{2}`")),
            (ADD, &["{a}<:{1}>", "{b}<:{1}>"], Some("NC058 two values on slot `{1}`")),
            (
                ADD,
                &["{a}<:{1}>", "{b}<:{2}>", "{c}<:{3}>"],
                Some("NC058 `{c}<:{3}>` goes to slot `{3}`, the text has slots up to `{2}`"),
            ),
            (
                ADD,
                &["{a}<:{1}>", "{b}<:{2}>", "{c}"],
                Some("NC090 `{c}` reaches no slot: the text has slots up to `{2}`"),
            ),
            ("::(add {1} to {rate})", &["{a}<:{1}>", "{rate}"], None),
            ("::(add it all up)", &["{a}", "{b}"], None),
            ("::(ask {prompt}: {1})", &["{p}<:{prompt}>", "{a}<:{1}>", "{b}"], None),
            ("::(add {1+})", &["{a}<:{1}>", "{b}", "{c}"], None),
        ] {
            let found = said(text, values);
            let first = found.first().map(String::as_str);
            assert_eq!(first, expected, "{text} {values:?}");
            assert!(found.len() < 2 || found.iter().all(|f| f.starts_with("NC058")), "{found:?}");
        }
    }
}
