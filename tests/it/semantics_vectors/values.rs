//! `values.jsonl`: what a step is given.

use serde_json::Value as Json;

use super::Answer;

pub(super) fn run(_op: &str, _case: &Json) -> Answer {
    None
}
