//! What a step is told beside its operation, as annotations of its line: prompt, command, question, model (language
//! spec, section 2.5). The inverse of what lowering makes of them.

use serde_json::{Map as JsonMap, Value as Json};

use crate::base::Sign;
use crate::plan::{AskKind, paradigms};

/// The fields of a step's entry, and the sign its function holds.
pub(super) struct Told<'a> {
    pub(super) work: &'a JsonMap<String, Json>,
    pub(super) sign: Option<&'a Sign>,
    pub(super) judgement: bool,
}

/// What the paradigm of a step asks for in a plan.
enum Means {
    Prompt,
    Command,
    Ask(AskKind),
}

impl Told<'_> {
    fn text(&self, field: &str) -> Option<&str> {
        self.work.get(field).and_then(Json::as_str).filter(|t| !t.is_empty())
    }

    /// What a person may choose from: a constant of the step.
    fn options(&self) -> Option<&Json> {
        let list = self.work.get("values")?.get("options")?;
        list.as_array().is_some_and(|o| !o.is_empty()).then_some(list)
    }

    /// How the function's sign is written when lowering would make the same paradigm and sign of it.
    fn means(&self) -> Option<(Means, &Sign)> {
        let (paradigm, sign) = (self.text("paradigm")?, self.sign?);
        let plain = sign.id().is_empty();
        let sign = Some(sign).filter(|_| plain)?;
        match (paradigm, sign.norm()?) {
            (paradigms::RUN_COMMAND | paradigms::RUN_COMMAND_JSON, "command_location") => {
                let argv: Json = serde_json::from_str(sign.payload()).ok()?;
                // Lowering writes the list in one way only; what is spelled otherwise is not made of it.
                let written = argv.to_string();
                let same = argv.is_array() && written.as_str() == &**sign.payload();
                same.then_some((Means::Command, sign))
            }
            (paradigm, "prompt" | "prompt_location") => {
                if let Some(kind) = AskKind::of_paradigm(paradigm) {
                    return Some((Means::Ask(kind), sign));
                }
                let default = match (self.judgement, self.work.contains_key("schema")) {
                    (true, _) => paradigms::JUDGE,
                    (false, true) => paradigms::GENERATE_JSON,
                    (false, false) => paradigms::GENERATE_TEXT,
                };
                let by_file = sign.norm() == Some("prompt_location");
                let path = sign.payload();
                let readable = !by_file
                    || (path.trim() == &**path && !path.is_empty() && !path.contains(['|', '\n', '"']));
                (paradigm == default && readable).then_some((Means::Prompt, sign))
            }
            _ => None,
        }
    }

    /// The prompt or script of the function is among [`Told::notes`].
    pub(super) fn says_prompt(&self) -> bool {
        self.means().is_some() || self.sign.is_some_and(|s| s.norm() == Some("prompt"))
    }

    /// The annotations. Legacy plans name the paradigm too: a prompt file alone says nothing of it there.
    pub(super) fn notes(&self, legacy: bool) -> Vec<String> {
        let mut notes = Vec::new();
        let means = self.means();
        let says = |key: &str, sign: &Sign| match sign.norm() {
            Some("prompt_location") => format!("%{{prompt_location}}: {}", sign.payload()),
            _ => format!("%{{{key}}}: {}", line(sign.payload())),
        };
        match &means {
            Some((Means::Prompt, sign)) => {
                notes.push(says("prompt", sign));
                let by_file = sign.norm() == Some("prompt_location");
                if legacy && by_file {
                    notes.extend(self.text("paradigm").map(|p| format!("%{{norm_input}}: {p}")));
                }
            }
            Some((Means::Command, sign)) => {
                notes.push(format!("%{{command}}: {}", sign.payload()));
                if self.text("paradigm") == Some(paradigms::RUN_COMMAND_JSON) {
                    notes.push("%{command_output}: json".to_owned());
                }
            }
            Some((Means::Ask(kind), sign)) => {
                notes.push(says("ask", sign));
                let options = self.options().is_some();
                let by_file = sign.norm() == Some("prompt_location");
                if *kind != AskKind::unsaid(options, self.judgement) || (by_file && !options) {
                    notes.push(format!("%{{ask_kind}}: {}", kind.word()));
                }
            }
            None => {
                notes.extend(self.text("paradigm").map(|p| format!("%{{norm_input}}: {p}")));
                let inline = self.sign.filter(|s| s.norm() == Some("prompt"));
                notes.extend(inline.map(|sign| says("prompt", sign)));
            }
        }
        for key in ["model", "agent"] {
            notes.extend(self.text(key).map(|t| format!("%{{{key}}}: {t}")));
        }
        match self.work.get("schema") {
            Some(Json::String(path)) if !path.is_empty() => notes.push(format!("%{{schema}}: {path}")),
            Some(schema @ Json::Object(_)) => notes.push(format!("%{{schema}}: {}", escaped(schema))),
            _ => {}
        }
        notes.extend(self.options().map(|o| format!("%{{options}}: {}", escaped(o))));
        let retries = self.work.get("reply_retries").filter(|n| n.is_number());
        notes.extend(retries.map(|n| format!("%{{reply_retries}}: {n}")));
        notes
    }
}

/// A text on one line: as it stands, or in quotes where it would be read otherwise.
fn line(text: &str) -> String {
    let quoted = text.starts_with('"') && text.ends_with('"');
    let marks = text.contains(['|', '\n', '\r', '{', '}', '[', ']', '(', ')'])
        || ["/:", "?:", "...:"].iter().any(|s| text.contains(s));
    let plain = text.trim() == text && !text.is_empty() && !quoted && !marks;
    if plain { text.to_owned() } else { escaped(&Json::from(text)) }
}

/// JSON without a pipe in it, which would end the annotation.
fn escaped(json: &Json) -> String {
    json.to_string().replace('|', "\\u007c")
}

#[cfg(test)]
mod tests {
    use crate::base::{SourceFile, SourceMap};
    use crate::repo::{LowerOptions, compile, raise};

    /// A step with these annotations, compiled, raised and compiled again.
    #[test]
    fn what_a_step_is_told_survives() {
        for (operation, notes) in [
            ("::(do {1})", &["%{prompt}: Sum $input_1"][..]),
            ("::(do {1})", &["%{prompt}: \"a | b\\n(c\""]),
            ("::(do {1})", &["%{prompt_location}: p/a.md", "%{model}: small", "%{agent}: writer"]),
            ("::(do {1})", &["%{prompt}: p", "%{schema}: {\"type\": \"object\"}", "%{reply_retries}: 2"]),
            ("::(do {1})", &["%{prompt}: p", "%{schema}: a.json"]),
            ("::(is {1})<ALL True>", &["%{prompt}: Is $input_1?"]),
            ("::(is {1})<ALL True>", &["%{ask}: Is $input_1?"]),
            ("::(do {1})", &["%{ask}: which?", "%{options}: [\"a|b\", \"c\"]"]),
            ("::(do {1})", &["%{ask}: mend it", "%{ask_kind}: edit"]),
            ("::(do {1})", &["%{prompt_location}: q.md", "%{ask_kind}: text"]),
            ("::(do {1})", &["%{command}: [\"sort\", \"-r\", \"{input_1}\"]", "%{command_output}: json"]),
            ("::(do {1})", &["%{paradigm}: mine", "%{prompt}: p"]),
            ("::(do {1})", &["%{v_input_provision}: s.py"]),
            (":>:({a})", &["%{ask}: what?"]),
        ] {
            for extra in ["", "    <- {c}\n        <= $. %>({b})\n", "    <- {c}\n        <= $.({b})\n"] {
                let lines: String = notes.iter().map(|n| format!("        | {n}\n")).collect();
                let text = format!(":<:({{a}})\n    <= {operation}\n{lines}    <- {{b}}<:{{1}}>\n{extra}");
                let made = |text: &str| {
                    let mut sources = SourceMap::default();
                    let file = sources.add(SourceFile::new("plan.ncd", text));
                    compile(file, text, None, &sources, &LowerOptions::default())
                };
                let first = made(&text);
                assert!(!first.diagnostics.iter().any(|d| d.is_error()), "{text}\n{:?}", first.diagnostics);
                let raised = raise(&first.repositories);
                assert_eq!(raised.diagnostics, [], "{text}\n{}", raised.outline.print());
                let again = made(&raised.outline.print());
                let work = |c: &crate::repo::Compiled| {
                    let step = c.repositories.inferences.iter().find(|i| i.flow_index() == "1");
                    step.and_then(|s| s.interpretation().cloned())
                };
                assert_eq!(work(&first), work(&again), "{text}\n{}", raised.outline.print());
                let cell = |c: &crate::repo::Compiled| {
                    let of = c.repositories.concepts.iter().find(|c| c.name() == operation);
                    of.and_then(|c| c.data().cloned())
                };
                assert_eq!(cell(&first), cell(&again), "{text}\n{}", raised.outline.print());
            }
        }
    }
}
