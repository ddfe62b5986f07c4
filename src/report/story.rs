//! What happened to steps, in words: for lists of events and for explanations.

use serde_json::{Value as Json, json};

use crate::base::plain_line;
use crate::run::state::describe_skip;
use crate::run::{Event, Graph, Happening, SkipCause, StepFailure, StepKey, tensor_json};
use crate::tensor::Tensor;

use super::table::cell_text;

/// Values in lines are cut at this many characters.
const LONGEST_VALUE: usize = 60;
/// Cells of a value that a line shows at most.
const MOST_CELLS: usize = 12;

/// A value in one line, cut where it is long.
pub fn preview(value: &Tensor) -> String {
    let core = value.core();
    let cell = |cell| plain_line(&cut(&cell_text(cell))).into_owned();
    match core.shape() {
        [] => core.cells().next().map(cell).unwrap_or_default(),
        _ => {
            let cells: Vec<String> = core.cells().take(MOST_CELLS).map(cell).collect();
            let more = if core.len() > MOST_CELLS { ", …" } else { "" };
            cut(&format!("[{}{more}]", cells.join(", ")))
        }
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_VALUE) {
        None => text.to_owned(),
        Some(_) => text.chars().take(LONGEST_VALUE - 1).chain(['…']).collect(),
    }
}

/// A step as printed, with its concept: `1.1.2[3] {sum}`.
pub fn step_text(graph: &Graph, step: &StepKey) -> String {
    if step.item.at() >= graph.items.len() {
        return format!("inference number {}{}", step.item.0, step.path);
    }
    format!("{} {}", graph.step_name(step), plain_line(graph.item_name(step.item)))
}

/// What a skip is due to. The records of a damaged run may name what the plan does not have.
pub fn skip_text(graph: &Graph, cause: &SkipCause) -> String {
    match cause {
        SkipCause::Gate(gate) if gate.at() >= graph.items.len() => "a gate".to_owned(),
        SkipCause::Input(concept) if concept.0 as usize >= graph.model.concepts.len() => {
            "an input".to_owned()
        }
        cause => plain_line(&describe_skip(graph, cause)).into_owned(),
    }
}

/// What happened to a step, in a few words.
pub fn happening_text(graph: &Graph, event: &Event) -> String {
    match &event.what {
        Happening::Gave(produced) => {
            let met = match produced.met {
                None => "",
                Some(true) => ", condition met",
                Some(false) => ", condition not met",
            };
            format!("gave {}{met}", preview(&produced.value))
        }
        Happening::Appended { item, .. } => format!("appended {}", preview(item)),
        Happening::Passed => "done".to_owned(),
        Happening::Kept => "kept its value: its inputs are the same".to_owned(),
        Happening::Gate { open: true } => "gate open".to_owned(),
        Happening::Gate { open: false } => "gate closed".to_owned(),
        Happening::Skipped(cause) => format!("skipped: {}", skip_text(graph, cause)),
        Happening::Failed(failure) => format!("failed: {}", plain_line(&failure.message)),
    }
}

/// One word for what happened to a step.
pub fn happening_word(what: &Happening) -> &'static str {
    match what {
        Happening::Gave(_) => "gave",
        Happening::Appended { .. } => "appended",
        Happening::Passed => "passed",
        Happening::Kept => "kept",
        Happening::Gate { .. } => "gate",
        Happening::Skipped(_) => "skipped",
        Happening::Failed(_) => "failed",
    }
}

/// What happened to a step, as the fields of a JSON object.
pub fn happening_json(graph: &Graph, what: &Happening) -> serde_json::Map<String, Json> {
    let mut fields = serde_json::Map::new();
    let mut put = |name: &str, value: Json| drop(fields.insert(name.to_owned(), value));
    put("what", happening_word(what).into());
    match what {
        Happening::Gave(produced) => {
            put("value", tensor_json(&produced.value));
            if let Some(met) = produced.met {
                put("met", met.into());
            }
            if let Some(mask) = &produced.mask {
                put("mask", tensor_json(&mask.tensor));
            }
        }
        Happening::Appended { item, axis } => {
            put("value", tensor_json(item));
            put("axis", axis.as_ref().map(ToString::to_string).into());
        }
        Happening::Gate { open } => put("open", (*open).into()),
        Happening::Skipped(cause) => put("because", skip_text(graph, cause).into()),
        Happening::Failed(failure) => put("failure", failure_json(failure)),
        Happening::Passed | Happening::Kept => {}
    }
    fields
}

fn failure_json(failure: &StepFailure) -> Json {
    let cell: serde_json::Map<String, Json> =
        failure.cell.iter().map(|(axis, at)| (axis.clone(), json!(at))).collect();
    json!({
        "kind": failure.kind,
        "message": failure.message,
        "help": failure.help,
        "cell": cell,
        "script": failure.script.as_ref().map(|s| json!({"path": s.path, "line": s.line})),
        "detail": failure.detail,
    })
}
