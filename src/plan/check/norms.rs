//! What a step declares of its inputs, `%{v_input_norm}` and `%{h_input_norm}`, against the cells they are: NC065
//! (semantics spec, section 2.6). The runner reads neither: the cell alone decides what happens.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::base::Sign;
use crate::diag::{Code, Diagnostic};
use crate::plan::doers::Resources;
use crate::plan::model::{Concept, ConceptId, Semantic, Work};

use super::Facts;

/// Norms that a function cell may have.
const VERTICAL: [&str; 6] =
    ["prompt_location", "script_location", "file_location", "command_location", "prompt", "builtin"];

pub(super) fn check(facts: &Facts<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for inference in &facts.plan.inferences {
        let Work::Semantic(step) = &inference.work else { continue };
        diagnostics.extend(vertical(&step.resources));
        diagnostics.extend(horizontal(facts, step, inference.places.as_slice()));
    }
}

/// The norm of the sign that lowering makes of what the line names.
fn norm_of(resources: &Resources) -> Option<&'static str> {
    let path = |path: &str| match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("md") => "prompt_location",
        Some("py") => "script_location",
        _ => "file_location",
    };
    if resources.command.is_some() {
        return Some("command_location");
    }
    let text = resources.prompt_text.is_some() || resources.ask.as_ref().is_some_and(|a| a.text.is_some());
    if text {
        return Some("prompt");
    }
    let provision = resources.provision.as_ref().filter(|(text, _)| !text.contains(char::is_whitespace));
    if let Some((text, _)) = provision {
        return Some(path(text));
    }
    if resources.provision.is_some() {
        return None;
    }
    resources.prompt.as_ref().map(|_| "prompt_location")
}

/// The function cell is a sign of another norm than the declared ones.
fn vertical(resources: &Resources) -> Option<Diagnostic> {
    let (written, span) = resources.vertical_norm.as_ref()?;
    let declared: Vec<&str> = words(written).into_iter().filter(|w| VERTICAL.contains(w)).collect();
    let norm = norm_of(resources)?;
    // A prompt text is as good as a prompt file to who reads prompts.
    let same = |d: &&str| *d == norm || (d.starts_with("prompt") && norm.starts_with("prompt"));
    // A file without one of the two extensions may hold either.
    if declared.is_empty() || declared.iter().any(same) || norm == "file_location" {
        return None;
    }
    let message =
        format!("`{}` is declared, but what the step is given is a `{norm}`", declared.join("`, `"));
    let given = resources
        .provision
        .as_ref()
        .or(resources.prompt.as_ref())
        .or(resources.prompt_text.as_ref())
        .map(|(_, span)| *span)
        .or(resources.command.as_ref().map(|c| c.span));
    let diagnostic = Diagnostic::at(Code::NC065, *span, message)
        .help(format!("the cell decides: write `%{{v_input_norm}}: {norm}`, or name another file"));
    Some(match given {
        Some(given) => diagnostic.also(given, "given here"),
        None => diagnostic,
    })
}

/// A value whose cells are read as files where a path is declared, or the other way round.
fn horizontal(
    facts: &Facts<'_>,
    step: &Semantic,
    places: &[(ConceptId, crate::base::Span)],
) -> Option<Diagnostic> {
    let (written, span) = step.resources.horizontal_norm.as_ref()?;
    let parts = parts(written);
    let mut order = step.order.clone();
    order.sort_by_key(|(_, number)| *number);
    // One word for several values says nothing of any single one.
    if parts.len() != order.len() {
        return None;
    }
    for ((id, _), part) in order.iter().zip(parts) {
        let Some(concept) = facts.plan.concept(*id) else { continue };
        let Some(norm) = cell_norm(concept) else { continue };
        let read = norm == Some("file_location");
        let words = words(part);
        let (message, help) = if words.contains(&"LiteralPath") && read {
            (
                format!(
                    "`{}` is declared as a path, but its cell is a `file_location`, which is read",
                    concept.name
                ),
                "write the path as `%{literal}: PATH`, which is passed as it stands",
            )
        } else if words.contains(&"file_location") && norm.is_none() && is_text(concept) {
            (
                format!(
                    "`{}` is declared as a file that is read, but its cell is passed as it stands",
                    concept.name
                ),
                "write `%{file_location}: PATH` on its line",
            )
        } else {
            continue;
        };
        let mut diagnostic = Diagnostic::at(Code::NC065, *span, message).help(help);
        if let Some((_, place)) = places.iter().find(|(c, _)| c == id) {
            diagnostic = diagnostic.also(*place, "this value");
        }
        return Some(diagnostic);
    }
    None
}

/// The norm of the first cell of a value whose data are written in the plan; `Some(None)` for plain data.
fn cell_norm(concept: &Concept) -> Option<Option<&'static str>> {
    let mut cell = concept.data.as_ref()?;
    while let Json::Array(items) = cell {
        cell = items.first()?;
    }
    let sign = cell.as_str().and_then(Sign::parse);
    Some(sign.and_then(|s| VERTICAL.iter().copied().find(|v| s.norm() == Some(v))))
}

fn is_text(concept: &Concept) -> bool {
    let mut cell = concept.data.as_ref();
    while let Some(Json::Array(items)) = cell {
        cell = items.first();
    }
    cell.is_some_and(Json::is_string)
}

/// The parts of a declaration, one a value, remarks in parentheses left out.
fn parts(written: &Arc<str>) -> Vec<&str> {
    let plain = written.split('(').next().unwrap_or_default();
    plain.split(',').map(str::trim).filter(|p| !p.is_empty()).collect()
}

/// The words of a declaration.
fn words(written: &str) -> Vec<&str> {
    let ends = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
    written.split(ends).filter(|w| !w.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use crate::base::FileId;
    use crate::diag::Code;
    use crate::{plan, syntax};

    #[test]
    fn declarations_and_cells() {
        for (notes, value, expected) in [
            ("%{v_input_norm}: script_location | %{v_input_provision}: a.py", "", None),
            (
                "%{v_input_norm}: script_location | %{v_input_provision}: a.md",
                "",
                Some("`script_location` is declared, but what the step is given is a `prompt_location`"),
            ),
            ("%{v_input_norm}: {prompt_location}, {script_location} | %{v_input_provision}: a.py", "", None),
            ("%{v_input_norm}: in-memory | %{v_input_provision}: a.py", "", None),
            ("%{v_input_norm}: prompt_location | %{prompt}: do", "", None),
            (
                "%{v_input_norm}: script_location | %{command}: [date]",
                "",
                Some("`script_location` is declared, but what the step is given is a `command_location`"),
            ),
            ("%{h_input_norm}: LiteralPath", "%{literal}: a.txt", None),
            (
                "%{h_input_norm}: LiteralPath",
                "%{file_location}: a.txt",
                Some("`{b}` is declared as a path, but its cell is a `file_location`, which is read"),
            ),
            (
                "%{h_input_norm}: {file_location} → file_system.read()",
                "%{literal}: a.txt",
                Some("`{b}` is declared as a file that is read, but its cell is passed as it stands"),
            ),
            ("%{h_input_norm}: Literal, LiteralPath", "%{file_location}: a.txt", None),
        ] {
            let notes: String = notes.split(" | ").map(|n| format!("        | {n}\n")).collect();
            let value = if value.is_empty() { String::new() } else { format!("        | {value}\n") };
            let text = format!(":<:({{a}})\n    <= ::(do {{1}})\n{notes}    <- {{b}}<:{{1}}>\n{value}");
            let (tree, _) = syntax::parse(FileId(0), &text, None);
            let (_, diagnostics) = plan::resolve(&tree);
            let said: Vec<&str> =
                diagnostics.iter().filter(|d| d.code == Code::NC065).map(|d| d.message.as_str()).collect();
            assert_eq!(said, Vec::from_iter(expected), "{text}");
        }
    }
}
