//! `thinking.jsonl`: what is taken out of a reply.

use serde_json::Value as Json;

use super::Answer;

pub(super) fn run(_op: &str, _case: &Json) -> Answer {
    None
}
