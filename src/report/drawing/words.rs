//! What the nodes of a drawing say: the operation of an inference in few words, without the marks a reader of the
//! picture does not need. The whole text stands in the tip.

use crate::base::Sign;
use crate::repo::{Assigning, ConceptId, GateMarker, GroupMarker, Inference, Model, Work};

use super::picture::Family;

/// More names than this are counted, not listed.
const NAMES: usize = 4;

/// The name of a concept.
pub(super) fn name(model: &Model, concept: ConceptId) -> &str {
    model.concepts.get(concept.0 as usize).map_or("", |c| &*c.name)
}

fn names(model: &Model, concepts: &[ConceptId]) -> String {
    let mut all: Vec<String> = concepts.iter().take(NAMES).map(|c| name(model, *c).to_owned()).collect();
    if concepts.len() > NAMES {
        all.push(format!("{} more", concepts.len() - NAMES));
    }
    all.join(", ")
}

/// The family of an inference.
pub(super) fn family(inference: &Inference) -> Family {
    match &inference.work {
        Work::Looping(_) => Family::Looping,
        Work::Grouping(_) => Family::Grouping,
        Work::Assigning(_) | Work::Simple | Work::Timing(_) => Family::Assigning,
        Work::Semantic(s) if s.judgement => Family::Judgement,
        Work::Semantic(_) if inference.sequence.ends_with("input") => Family::Input,
        Work::Semantic(_) => Family::Imperative,
    }
}

/// What a gate says.
pub(super) fn gate_word(marker: GateMarker) -> &'static str {
    match marker {
        GateMarker::If => "if",
        GateMarker::IfNot => "if not",
        GateMarker::After => "after",
    }
}

/// What an inference does, in few words.
pub fn operation(model: &Model, inference: &Inference) -> String {
    match &inference.work {
        Work::Looping(l) => {
            format!("for every {} of {}", name(model, l.element), name(model, l.base))
        }
        Work::Timing(t) => format!("{} {}", gate_word(t.marker), name(model, t.condition)),
        Work::Grouping(g) => {
            let word = match g.marker {
                GroupMarker::In => "record of",
                GroupMarker::Across => "list of",
            };
            format!("{word} {}", names(model, &inference.values))
        }
        Work::Assigning(Assigning::Specification { sources, any, .. }) => match (sources.as_slice(), any) {
            ([], _) => "take".to_owned(),
            ([one], _) => format!("take {}", name(model, *one)),
            (several, _) => format!("first of {}", names(model, several)),
        },
        Work::Assigning(Assigning::Continuation { source, destination, .. }) => {
            let item = source.map_or("", |s| name(model, s));
            format!("append {item} to {}", name(model, *destination))
        }
        Work::Assigning(Assigning::Abstraction { face, .. }) => format!("take {face}"),
        Work::Assigning(Assigning::Selection { source, selector }) => {
            let how = selector
                .iter()
                .filter(|(key, _)| *key != "source_concept")
                .map(|(key, value)| format!("{key} {value}"));
            format!("pick from {}: {}", name(model, *source), how.collect::<Vec<_>>().join(", "))
        }
        Work::Assigning(Assigning::Identity { canonical, alias }) => {
            format!("{} is {}", name(model, *alias), name(model, *canonical))
        }
        Work::Simple => "pass on".to_owned(),
        Work::Semantic(_) => inference.function.map_or_else(String::new, |f| plain(name(model, f))),
    }
}

/// The sentence of a semantic operation: the marks around it gone, each slot replaced by the name it stands for.
fn plain(text: &str) -> String {
    let mut body = text.trim();
    body = body.strip_prefix("::").unwrap_or(body).trim_start();
    if let Some(rest) = body.strip_prefix(":%(") {
        body = rest.find("):").and_then(|at| rest.get(at + 2..)).unwrap_or(body);
    }
    if let Some(rest) = body.strip_prefix("{%(").or_else(|| body.strip_prefix("{ALL("))
        && let Some(at) = rest.find(['(', '<']).filter(|_| rest.contains('}'))
    {
        body = rest.get(at..).unwrap_or(body);
    }
    // A norm before the brackets: `{paradigm}(..)`.
    if let Some((norm, rest)) = body.strip_prefix('{').and_then(|b| b.split_once('}'))
        && rest.starts_with(['(', '<'])
        && norm.chars().all(|c| c.is_alphanumeric() || c == '_')
        && !rest.starts_with("<$(")
    {
        body = rest;
    }
    let inner = body.strip_prefix('<').and_then(|b| b.strip_suffix('>'));
    // What stands behind the round brackets is the assertion.
    let asserted = body.strip_prefix('(').and_then(|b| b.rsplit_once(')')).filter(|(_, rest)| {
        let rest = rest.trim();
        rest.is_empty() || (rest.starts_with('<') && rest.ends_with('>'))
    });
    let joined;
    if let Some((inner, rest)) = asserted {
        joined = format!("{inner} {}", rest.trim());
        body = joined.trim_end();
    } else if let Some(inner) = inner {
        body = inner;
    }
    let plain = slots(body);
    if plain.trim().is_empty() { text.to_owned() } else { plain }
}

/// `{2}?<$({x})%_>` as `{x}`; a slot without an instance stays as it is.
fn slots(body: &str) -> String {
    let mut out = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.find("<$(") {
        let (before, from) = rest.split_at(at);
        let end = from.find(")%").and_then(|end| {
            let close = from.get(end..)?.find('>')?;
            Some((end, end + close + 1))
        });
        let Some((end, close)) = end else { break };
        let kept = before.strip_suffix('?').unwrap_or(before);
        // The slot is the brace group right before the clause.
        let slot = kept.rfind('{').filter(|_| kept.ends_with('}'));
        out.push_str(slot.and_then(|open| kept.get(..open)).unwrap_or(before));
        out.push_str(from.get("<$(".len()..end).unwrap_or_default());
        rest = from.get(close..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// The script, prompt or built-in that a concept names, for a step's note; none when it is a value like others.
pub(super) fn helper(model: &Model, concept: ConceptId) -> Option<String> {
    let concept = model.concepts.get(concept.0 as usize)?;
    let mut data = concept.data.as_ref()?;
    while let Some(list) = data.as_array() {
        let [one] = list.as_slice() else { return None };
        data = one;
    }
    let sign = Sign::parse(data.as_str()?)?;
    let word = match sign.norm()? {
        "script_location" => "script",
        "prompt_location" => "prompt",
        "builtin" => "built-in",
        _ => return None,
    };
    Some(format!("{word} {}", sign.payload()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_lose_their_marks() {
        for (text, wanted) in [
            (
                "::(sum {1}<$([all {unit place value} of numbers])%_> to get {3}?<$({sum})%_>)",
                "sum [all {unit place value} of numbers] to get {sum}",
            ),
            (":%(True):<{1}<$({number})%_> is 0>", "{number} is 0"),
            ("::{%(direct)}({prompt}<$({ask})%_>: {1})", "{ask}: {1}"),
            ("::(计算 {1}<$({数})%_>)", "计算 {数}"),
            ("::(a <$( b)", "a <$( b"),
            ("::()", "::()"),
            ("", ""),
            ("::(x) <ALL True>", "x <ALL True>"),
            (":%(Composition):{paradigm}(read {1}<$({file})%_>)", "read {file}"),
            ("::{%(python)}<{1}<$({n})%_> is 0>", "{n} is 0"),
            ("::({a} (b))", "{a} (b)"),
        ] {
            assert_eq!(plain(text), wanted, "{text}");
        }
    }
}
