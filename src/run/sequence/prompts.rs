//! The prompts of the old sequences: what a model is told when the plan has no prompt of its own (semantics spec,
//! section 9.1). The texts are normc's own.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::base::{Map, Value};
use crate::repo::Semantic;
use crate::tensor::mask;

/// How the reply of a model is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    /// The reply is the answer.
    Text,
    /// `answer` of a JSON object.
    Answer,
    /// `answer` of a JSON object, which is a list.
    List,
    /// Yes or no, in words.
    Truth,
    /// `answer` of a JSON object, yes or no.
    TruthAnswer,
}

impl Reply {
    /// How a plain step's reply is read.
    pub(super) fn of(work: &Semantic) -> Self {
        let judges = work.judgement
            && work.condition.as_ref().is_some_and(|c| mask::truth(&Value::from_data_json(c)).is_some());
        match (judges, work.relation_output, work.with_thinking) {
            (true, _, false) => Self::Truth,
            (true, _, true) => Self::TruthAnswer,
            (false, true, _) => Self::List,
            (false, false, true) => Self::Answer,
            (false, false, false) => Self::Text,
        }
    }
}

/// The prompt of a plain step, a template for these inputs.
pub(super) fn step(work: &Semantic, function: &str, target: &str, inputs: &Map) -> Arc<str> {
    let mut prompt = String::from("You carry out one step of a larger plan.\n\n");
    let _ = writeln!(prompt, "Step: {}", plain(function));
    let _ = writeln!(prompt, "Wanted: {}\n", plain(target));
    prompt.push_str(&given(inputs));
    prompt.push_str("Use only what is given here, and do nothing beyond the step. ");
    let thinking = match work.with_thinking {
        true => "\"analysis\": your thoughts on the way, ",
        false => "",
    };
    let _ = match Reply::of(work) {
        Reply::Text => writeln!(prompt, "Reply with the result alone: no introduction, no explanation."),
        Reply::Truth => {
            writeln!(prompt, "Judge whether it holds. Reply with one word: True or False.")
        }
        Reply::TruthAnswer => {
            writeln!(
                prompt,
                "Judge whether it holds. Reply with one JSON object: {{{thinking}\"answer\": true or false}}."
            )
        }
        Reply::Answer => {
            writeln!(prompt, "Reply with one JSON object: {{{thinking}\"answer\": the result}}.")
        }
        Reply::List => writeln!(
            prompt,
            "The result is a list. Reply with one JSON object: {{{thinking}\"answer\": [the elements, one after the \
             other, each a JSON object or a text]}}."
        ),
    };
    Arc::from(prompt)
}

/// The prompt that asks for the prompt of a script.
pub(super) fn prompt_of_script(work: &Semantic, function: &str, target: &str, inputs: &Map) -> Arc<str> {
    let mut prompt = String::from(
        "Write the prompt for a model that writes a Python script. The script does one step of a larger plan.\n\n",
    );
    let _ = writeln!(prompt, "Step: {}", plain(function));
    let _ = writeln!(prompt, "Wanted: {}\n", plain(target));
    prompt.push_str("The script finds its inputs as global variables, each a text:\n");
    for name in inputs.keys().filter(|name| name.starts_with("input_")) {
        let _ = writeln!(prompt, "- `{name}`, for instance: ${{{name}}}");
    }
    let result = match work.relation_output {
        true => "It sets the global variable `result` to the answer, a list.",
        false => "It sets the global variable `result` to the answer, a text or a number.",
    };
    let form = match work.with_thinking {
        true => {
            "Your prompt asks for one JSON object: {\"thinking\": thoughts on the way, \"code\": the script}."
        }
        false => "Your prompt asks for one Python code block and nothing else.",
    };
    let _ = writeln!(prompt, "{result} It reads no other input, prints nothing and asks nobody.\n{form}");
    prompt.push_str("Reply with the prompt alone.\n");
    Arc::from(prompt)
}

/// A template of the plan's own, with the sentence that a JSON reply needs where it does not speak of JSON itself.
pub(super) fn asking_for_json(template: &Arc<str>) -> Arc<str> {
    if template.to_ascii_lowercase().contains("json") {
        return Arc::clone(template);
    }
    Arc::from(format!("{template}\n\nReply with one JSON object.\n"))
}

/// The inputs of a step, each in a tag of its name.
fn given(inputs: &Map) -> String {
    let mut text = String::new();
    for name in inputs.keys().filter(|name| name.starts_with("input_")) {
        let _ = writeln!(text, "<{name}>\n${{{name}}}\n</{name}>");
    }
    if !text.is_empty() {
        text.insert_str(0, "Inputs:\n");
        text.push('\n');
    }
    text
}

/// A text of the plan inside a template: `{1}` means the first input, and nothing else is filled in.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['{', '$']) {
        let (before, from) = rest.split_at(at);
        plain.push_str(before);
        let slot = from.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        rest = match slot.filter(|(n, _)| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit())) {
            Some((number, after)) => {
                let _ = write!(plain, "input_{number}");
                after
            }
            None => {
                plain.push_str(if from.starts_with('$') { "$$" } else { "{" });
                from.get(1..).unwrap_or("")
            }
        };
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::substitute;

    #[test]
    fn only_inputs_are_filled_in() {
        assert_eq!(plain("add {1} to {12} for $5 in {a} {"), "add input_1 to input_12 for $$5 in {a} {");
        let inputs: Map = [("input_1", "$input_2"), ("input_2", "b"), ("save_path", "s")]
            .map(|(k, v)| (Arc::from(k), Value::text(v)))
            .into_iter()
            .collect();
        let filled = substitute(&given(&inputs), &|name| inputs.get(name).map(crate::base::text_of));
        assert_eq!(filled, "Inputs:\n<input_1>\n$input_2\n</input_1>\n<input_2>\nb\n</input_2>\n\n");
    }

    #[test]
    fn json_is_asked_for_once() {
        let own: Arc<str> = Arc::from("Give Json.");
        assert_eq!(asking_for_json(&own), own);
        assert!(asking_for_json(&Arc::from("Say it.")).ends_with("one JSON object.\n"));
    }
}
