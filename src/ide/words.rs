//! The words in which an editor speaks of operators, annotation keys and kinds of concepts.

use crate::plan::{ConceptKind, FunctionKind, Ground};
use crate::syntax::Kind;

/// What an operation does, in a sentence.
pub(super) fn operation(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::LoopingEvery => {
            "Does what stands below it for each element of the base, and collects the results."
        }
        Kind::Specification => "Takes the first of its candidates that has data.",
        Kind::Continuation => "Appends the item to the destination, along an axis.",
        Kind::Identity => "Says that two names are one concept.",
        Kind::Abstraction => "Makes data of a literal.",
        Kind::Selection => "Picks one element by its place or key, or unpacks.",
        Kind::GroupingIn => "Bundles its values into records, keyed by the names of the concepts.",
        Kind::GroupingAcross => "Puts all cells of its values into one list.",
        Kind::TimingIf => "A gate: the line above runs only if the condition is true.",
        Kind::TimingIfNot => "A gate: the line above runs only if the condition is false.",
        Kind::TimingAfter => "A gate: the line above runs once the concept is complete.",
        Kind::Imperative => "A step: does what the words say with the values in its slots.",
        Kind::Judgement => "A judgement: whether what the words say of the values is true.",
        Kind::Input => "Asks for a value from outside.",
        _ => return None,
    })
}

/// What an annotation key means.
pub(super) fn annotation(key: &str) -> Option<&'static str> {
    KEYS.iter().find(|(known, _)| *known == key).map(|(_, meaning)| *meaning)
}

/// The keys of `%{key}: value` with their meanings.
pub(super) const KEYS: &[(&str, &str)] = &[
    ("body_faculty", "Which faculty does the body of the step."),
    ("builtin", "The built-in function that does the step."),
    ("effect", "`once`: the step acts on the world and must not be done twice."),
    ("file_location", "The file whose content is the value."),
    ("literal", "The value itself, as JSON or text."),
    ("norm_input", "The paradigm that composes the step."),
    ("paradigm", "The paradigm that composes the step."),
    ("prompt_location", "The file with the prompt of the step."),
    ("ref_axes", "The names of the value's axes, outermost first."),
    ("ref_element", "What one cell of the value holds."),
    ("ref_shape", "The lengths of the axes."),
    ("script_location", "The Python script that does the step."),
    ("timeout", "How many seconds the step may take."),
    ("v_input_provision", "The prompt or script given to the paradigm."),
    ("value_order", "The order in which values go into the slots."),
    ("value_selectors", "Which part of a value a slot gets."),
];

/// What kind of thing a concept is.
pub(super) fn kind(kind: ConceptKind, query: bool) -> &'static str {
    match kind {
        _ if query => "question about a concept",
        ConceptKind::Object => "object",
        ConceptKind::Relation => "relation",
        ConceptKind::Proposition => "proposition",
        ConceptKind::Function(function) => match function {
            FunctionKind::Loop => "loop",
            FunctionKind::Specification => "specification",
            FunctionKind::Continuation => "append",
            FunctionKind::Identity => "identity",
            FunctionKind::Abstraction => "literal",
            FunctionKind::Selection => "selection",
            FunctionKind::GroupIn | FunctionKind::GroupAcross => "grouping",
            FunctionKind::If | FunctionKind::IfNot | FunctionKind::After => "gate",
            FunctionKind::Imperative => "imperative",
            FunctionKind::Judgement => "judgement",
            FunctionKind::Input => "input step",
        },
    }
}

/// Why a value is there before the run.
pub(super) fn ground(ground: Ground) -> &'static str {
    match ground {
        Ground::Given => "its data are written in the plan",
        Ground::Itself => "it is its own data",
        Ground::Leaf => "an input: it is given when the plan is run",
        Ground::Carry => "its value before the first step is given",
        Ground::Function => "an operation",
    }
}

/// The operators of both spellings, with what is typed behind them.
pub(super) const OPERATORS: &[(&str, &str)] = &[
    ("$.({x})", "the first candidate that has data"),
    ("$+({item}:{list})", "append"),
    ("$% %>(literal)", "a literal"),
    ("$- %>({x}) %^(<$*0>)", "pick one"),
    ("&across({x})", "one flat list"),
    ("&in({a};{b})", "a record"),
    ("*every({xs})%:[{x}]@(1)", "a loop"),
    ("@if(<c>)", "only if"),
    ("@if!(<c>)", "only if not"),
    ("@after({x})", "only after"),
    ("::(do {1})", "a step in words"),
    ("::({1} is so)<ALL True>", "a judgement"),
    ("*. %>([xs]) %<({result}) %:({x}) %@(1)", "a loop, current spelling"),
    ("$. %>({x})", "the first candidate, current spelling"),
    ("$+ %>([list]) %<({item})", "append, current spelling"),
    ("&[#] %>[{a}, {b}] %+(axis)", "one flat list, current spelling"),
    ("&[{}] %>[{a}, {b}] %+(axis)", "a record, current spelling"),
    ("@:'(<c>)", "only if, current spelling"),
    ("@:!(<c>)", "only if not, current spelling"),
    ("@.({x})", "only after, current spelling"),
];
