//! Calls of faculties in words: which call of which cell it was, who answered, what it cost.

use serde_json::{Value as Json, json};

use crate::base::plain_line;
use crate::run::record::{Call, CallPlace, ModelUse};

use super::summary::tokens_text;

/// Which cell and which of its calls, counted from 1: `cell 2, call 1`.
pub fn place_text(place: CallPlace) -> String {
    format!("cell {}, call {}", place.cell + 1, place.number + 1)
}

/// What was called: `command.run`, `llm.generate of model fast, 2 tries, 120 tokens in, 34 out`.
pub fn call_text(call: &Call) -> String {
    let method = plain_line(&call.method);
    let Some(used) = &call.model else { return method.into_owned() };
    // Nobody answers a call that fails.
    let answered = match used.answered.is_empty() || used.asked == used.answered {
        true => String::new(),
        false => format!(", answered by {}", plain_line(&used.answered)),
    };
    let from = if used.replayed { ", from a recording" } else { "" };
    let cut = if used.cut { ", cut at its limit of tokens" } else { "" };
    let tries = if used.spent.tries > 1 { format!(", {} tries", used.spent.tries) } else { String::new() };
    let tokens = tokens_text(&used.spent);
    format!("{method} of model {}{answered}{from}{tries}, {tokens}{cut}", plain_line(&used.asked))
}

/// Who answered a call of a model and what it cost, as JSON. Costs are millionths of the unit of prices.
pub fn model_json(used: &ModelUse) -> Json {
    let spent = &used.spent;
    json!({
        "asked": used.asked,
        "answered": used.answered,
        "replayed": used.replayed,
        "cut": used.cut,
        "tries": spent.tries,
        "prompt_tokens": spent.prompt_tokens,
        "completion_tokens": spent.completion_tokens,
        "estimated": spent.estimated,
        "cost_micros": spent.micros,
    })
}
