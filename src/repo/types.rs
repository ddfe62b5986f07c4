//! The words of the format: known `type` values and sequences (repositories spec, sections 1.1 and 2.1). Knows
//! nothing of entries.

use super::model::ConceptKind;

/// Every known `type` of a concept that is not a value.
const FUNCTION_TYPES: &[&str] = &[
    "::({})",
    "<{}>",
    "({})",
    "$.",
    "$+",
    "$=",
    "$%",
    "$-",
    "$::",
    "&in",
    "&across",
    "&[{}]",
    "&[#]",
    "&set",
    "&pair",
    "*every",
    "*.",
    "*some",
    "*count",
    "@if",
    "@if!",
    "@after",
    "@by",
    "@:'",
    "@:!",
    "@.",
    "@before",
    "@with",
    "@while",
    "@until",
    "@onlyIf",
    "@ifOnlyIf",
    "@afterstep",
    ":>:",
    "::",
    "<:_>",
    ":S:",
];

/// Every known sequence.
pub(super) const SEQUENCES: &[&str] = &[
    "simple",
    "imperative",
    "imperative_direct",
    "imperative_input",
    "imperative_python",
    "imperative_python_indirect",
    "imperative_in_composition",
    "judgement",
    "judgement_direct",
    "judgement_python",
    "judgement_python_indirect",
    "judgement_in_composition",
    "assigning",
    "grouping",
    "timing",
    "quantifying",
    "looping",
];

/// The kind behind a `type`, none when the type is not known. `:<:` is a root kept under its own name, so it holds
/// a value.
pub(super) fn kind_of(type_name: &str) -> Option<ConceptKind> {
    match type_name {
        "{}" | "{}?" | ":<:" => Some(ConceptKind::Object),
        "[]" => Some(ConceptKind::Relation),
        "<>" => Some(ConceptKind::Proposition),
        other => FUNCTION_TYPES.contains(&other).then_some(ConceptKind::Function),
    }
}

/// Every known type, for suggestions.
pub(super) fn known_types() -> impl Iterator<Item = &'static str> {
    ["{}", "[]", "<>", "{}?", ":<:"].into_iter().chain(FUNCTION_TYPES.iter().copied())
}
