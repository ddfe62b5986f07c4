//! The words of each generation: types of function concepts, sequences (repositories spec, sections 1.1, 2.1 and
//! 7.2).

use crate::plan::{Concept, ConceptKind, FunctionKind, Resources, Semantic};
use crate::syntax::Variant;

use super::Generation;

/// The `type` of a concept.
pub(super) fn type_of(concept: &Concept, generation: Generation) -> &'static str {
    match concept.kind {
        ConceptKind::Object | ConceptKind::Relation | ConceptKind::Proposition
            if concept.name.starts_with(":<:") =>
        {
            ":<:"
        }
        ConceptKind::Object => "{}",
        ConceptKind::Relation => "[]",
        ConceptKind::Proposition => "<>",
        ConceptKind::Function(kind) => function_type(kind, generation),
    }
}

fn function_type(kind: FunctionKind, generation: Generation) -> &'static str {
    let (one, two) = match kind {
        FunctionKind::Loop => ("*every", "*."),
        FunctionKind::Specification => ("$.", "$."),
        FunctionKind::Continuation => ("$+", "$+"),
        FunctionKind::Identity => ("$=", "$="),
        FunctionKind::Abstraction => ("$%", "$%"),
        FunctionKind::Selection => ("$-", "$-"),
        FunctionKind::GroupIn => ("&in", "&[{}]"),
        FunctionKind::GroupAcross => ("&across", "&[#]"),
        FunctionKind::If => ("@if", "@:'"),
        FunctionKind::IfNot => ("@if!", "@:!"),
        FunctionKind::After => ("@after", "@."),
        FunctionKind::Imperative => ("::({})", "({})"),
        FunctionKind::Judgement => ("<{}>", "<{}>"),
        FunctionKind::Input => (":>:", ":>:"),
    };
    match generation {
        Generation::One => one,
        Generation::Two => two,
    }
}

/// How a semantic step is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Plain,
    Direct,
    Input,
    Python,
    PythonIndirect,
    Composition,
}

/// A script or a built-in makes a step `python`; a paradigm that is named, or follows from a prompt, a command or a
/// question, a composition; else the form the plan asks for.
pub(super) fn form(semantic: &Semantic, generation: Generation) -> Form {
    let Resources { script, builtin, .. } = &semantic.resources;
    if script.is_some() || builtin.is_some() {
        return Form::Python;
    }
    if semantic.is_composed(generation.number()) {
        return Form::Composition;
    }
    match semantic.variant {
        Some(Variant::Direct) => Form::Direct,
        Some(Variant::Python) => Form::Python,
        Some(Variant::PythonIndirect) => Form::PythonIndirect,
        Some(Variant::Input) if semantic.kind != FunctionKind::Judgement => Form::Input,
        _ if semantic.kind == FunctionKind::Input => Form::Input,
        _ => Form::Plain,
    }
}

/// The sequence of a semantic step.
pub(super) fn semantic_sequence(semantic: &Semantic, form: Form) -> String {
    let family = if semantic.kind == FunctionKind::Judgement { "judgement" } else { "imperative" };
    let suffix = match form {
        Form::Plain => "",
        Form::Direct => "_direct",
        Form::Input => "_input",
        Form::Python => "_python",
        Form::PythonIndirect => "_python_indirect",
        Form::Composition => "_in_composition",
    };
    format!("{family}{suffix}")
}
