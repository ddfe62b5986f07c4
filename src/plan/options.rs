//! The annotations of functional lines: what does the step, and how (language spec, section 2.5).
//!
//! INVARIANT: what is reported here is reported once; a step that names two ways to be done is one mistake.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::base::{Span, listed, nearest};
use crate::diag::{Code, Diagnostic, Severity};
use crate::syntax::{Annotation, AnnotationKind, Node, NodeId};

use super::data;
use super::doers::{Ask, AskKind, Command, Resources, Written};
use super::model::FunctionKind;
use super::resolver::{Resolver, is_timing, shown};

/// More than this many tries cannot be meant.
const MOST_RETRIES: u32 = 100;

/// What a question says, as far as it has been read.
#[derive(Debug, Default)]
struct Question {
    text: Option<Written>,
    kind: Option<AskKind>,
    options: Vec<Arc<str>>,
    first: Option<Span>,
}

impl Resolver<'_> {
    /// Resources and options of a functional line. A gate below it can use none of them, so what is written there is
    /// meant for the operation.
    pub(super) fn resources(&mut self, line: NodeId, node: &Node) -> Resources {
        let mut resources = Resources::default();
        let mut question = Question::default();
        let mut output = None;
        let gates = self.tree.children(line).map(|(_, n)| n).filter(|n| is_timing(n.kind));
        let annotations: Vec<&Annotation> =
            std::iter::once(node).chain(gates).flat_map(|n| &n.annotations).collect();
        for annotation in annotations.iter().filter(|a| a.kind == AnnotationKind::Referential) {
            let text = annotation.text().trim();
            let key = annotation.base_key();
            if text.is_empty() {
                // A key without a value says nothing; those that are to be understood must have one.
                if STRICT.contains(&key) {
                    self.option(annotation, "", help(key));
                }
                if key == "command" {
                    resources.command.get_or_insert_with(|| none(annotation));
                }
                continue;
            }
            let behind = annotations.iter().find(|other| {
                other.kind == AnnotationKind::Text
                    && other.line == annotation.line
                    && other.span.start > annotation.span.start
            });
            if let Some(behind) = behind.filter(|_| ["command", "prompt", "ask"].contains(&key)) {
                self.cut_off(annotation, behind);
            }
            let put = |slot: &mut Option<Written>| {
                slot.get_or_insert_with(|| (Arc::from(text), annotation.value_span));
            };
            match key {
                "script_location" => put(&mut resources.script),
                "builtin" => put(&mut resources.builtin),
                "prompt_location" => put(&mut resources.prompt),
                "prompt" => {
                    resources.prompt_text.get_or_insert_with(|| (unquoted(text), annotation.value_span));
                }
                "v_input_provision" => put(&mut resources.provision),
                "norm_input" | "paradigm" => put(&mut resources.paradigm),
                "body_faculty" => put(&mut resources.body_faculty),
                "v_input_norm" => put(&mut resources.vertical_norm),
                "h_input_norm" => put(&mut resources.horizontal_norm),
                "model" => put(&mut resources.model),
                "agent" => put(&mut resources.agent),
                "command" | "command_location" => self.command(annotation, &mut resources.command),
                "command_output" => match text {
                    "json" | "text" => output = Some((text == "json", annotation.value_span)),
                    _ => self.option(annotation, "what a command writes", help(key)),
                },
                "ask" => {
                    question.first.get_or_insert(annotation.value_span);
                    question.text.get_or_insert_with(|| (unquoted(text), annotation.value_span));
                }
                "ask_kind" => match AskKind::parse(text) {
                    Some(kind) => {
                        question.first.get_or_insert(annotation.value_span);
                        question.kind.get_or_insert(kind);
                    }
                    None => self.ask_kind(annotation),
                },
                "options" => match texts(text) {
                    Some(options) if !options.is_empty() => {
                        question.first.get_or_insert(annotation.value_span);
                        question.options = options;
                    }
                    _ => self.option(annotation, "a list of options", help(key)),
                },
                "schema" => self.schema(annotation, &mut resources.schema),
                "reply_retries" => match text.parse::<u32>().ok().filter(|n| *n <= MOST_RETRIES) {
                    Some(number) => resources.reply_retries = Some(number),
                    None => self.option(annotation, "a number of tries", help(key)),
                },
                "effect" if text == "once" => resources.once = true,
                "effect" => self.option(annotation, "an effect", help(key)),
                "timeout" => match data::seconds(text) {
                    Some(seconds) => resources.timeout = Some(seconds),
                    None => self.option(annotation, "a time", help(key)),
                },
                _ => {}
            }
        }
        match (&mut resources.command, output) {
            (Some(command), Some((json, _))) => command.json = json,
            (None, Some((_, span))) => self.idle(
                span,
                "command_output",
                "the step runs no command",
                "write `%{command}: [\"PROGRAM\", ..]` beside it, or remove the line",
            ),
            _ => {}
        }
        self.question(question, &mut resources);
        resources
    }

    /// Puts a question together with the prompt that says it.
    fn question(&mut self, question: Question, resources: &mut Resources) {
        let Some(span) = question.first else { return };
        let mut text = question.text;
        if text.is_none() {
            // Its kind or its options make a prompt a question.
            text = resources.prompt_text.take();
        }
        if text.is_none() && resources.prompt_file().is_none() && resources.paradigm.is_none() {
            let key = if question.kind.is_some() { "ask_kind" } else { "options" };
            self.idle(span, key, "the step asks nothing", "write `%{ask}: what to ask` beside it");
            return;
        }
        if question.kind == Some(AskKind::Choose)
            && question.options.is_empty()
            && resources.paradigm.is_none()
        {
            self.report(
                Diagnostic::at(Code::NC019, span, "there is nothing to choose from")
                    .help("write what there is: `%{options}: [\"accept\", \"reject\"]`"),
            );
        }
        let wrong = question.kind.filter(|k| *k != AskKind::Choose && !question.options.is_empty());
        if let Some(kind) = wrong {
            let message = format!("a question of the kind `{}` has no options", kind.word());
            self.report(
                Diagnostic::at(Code::NC019, span, message)
                    .help("write `%{ask_kind}: choose`, or remove the options"),
            );
        }
        resources.ask = Some(Ask { text, kind: question.kind, options: question.options, span });
    }

    /// Looks at the whole of what a step is told: two ways to be done are one mistake (NC064), and options that the one
    /// way cannot use are NC019.
    pub(super) fn settle_doers(&mut self, kind: FunctionKind, resources: &mut Resources) {
        if kind == FunctionKind::Input
            && resources.ask.is_none()
            && let Some(text) = resources.prompt_text.take()
        {
            // What an input step prompts for is asked of a person.
            let span = text.1;
            resources.ask = Some(Ask { text: Some(text), kind: None, options: Vec::new(), span });
        }
        let ways = ways(resources);
        if let [(first, first_span), .., (_, last_span)] = ways.as_slice() {
            let names: Vec<&str> = ways.iter().map(|(name, _)| *name).collect();
            let (last, most) = (names.last().copied().unwrap_or_default(), names.get(..names.len() - 1));
            let message =
                format!("the step is to be done by {} and by {last}", most.unwrap_or_default().join(", by "));
            let help = if resources.paradigm.is_some() && *first != "a prompt" {
                "keep one of the lines; the script of a paradigm is `%{v_input_provision}: PATH`".to_owned()
            } else {
                "keep one of the lines; what another one does is a step of its own".to_owned()
            };
            self.report(
                Diagnostic::at(Code::NC064, *last_span, message)
                    .also(*first_span, format!("{first} here"))
                    .help(help),
            );
            return;
        }
        self.idle_options(kind, resources);
    }

    /// Options that what does the step cannot use.
    fn idle_options(&mut self, kind: FunctionKind, resources: &Resources) {
        let acts = [(resources.script.as_ref(), "a script"), (resources.builtin.as_ref(), "a built-in")];
        let act = acts.into_iter().find_map(|(a, word)| a.map(|_| word));
        let act = act.or(resources.command.as_ref().map(|_| "a command"));
        let who = act.or(resources.ask.as_ref().map(|_| "a person"));
        let Some(who) = who else {
            if let Some((_, span)) = &resources.schema {
                if kind == FunctionKind::Judgement && resources.paradigm.is_none() {
                    let why = "a judgement gives a truth value";
                    self.idle(*span, "schema", why, "leave it out, or write an imperative");
                } else if resources.prompt_text.is_none()
                    && resources.prompt_file().is_none()
                    && resources.paradigm.is_none()
                {
                    let help = "write `%{prompt}: ..` or `%{prompt_location}: PATH` beside it";
                    self.idle(*span, "schema", "the step has no prompt", help);
                }
            }
            return;
        };
        let why = format!("{who} does the step");
        // A script may ask a model through its body, so the agent is left to it.
        if let Some((_, span)) = &resources.schema {
            self.idle(*span, "schema", &why, "leave it out, or write a prompt in its place");
        }
        if let Some((_, span)) = resources.model.as_ref().filter(|_| act != Some("a script")) {
            self.idle(*span, "model", &why, "leave it out, or write a prompt in its place");
        }
    }

    fn idle(&mut self, span: Span, key: &str, why: &str, help: &str) {
        let message = format!("`%{{{key}}}` has no effect: {why}");
        self.report(Diagnostic::at(Code::NC019, span, message).help(help));
    }

    /// A text that goes on behind a `|` ends there, and the rest is a remark.
    fn cut_off(&mut self, annotation: &Annotation, rest: &Annotation) {
        let key = annotation.base_key();
        let message = format!("`| {}` is a remark, and no part of `%{{{key}}}`", shown(rest.text().trim()));
        let whole = format!("{} | {}", annotation.text().trim(), rest.text().trim());
        let help = match key {
            "command" => {
                format!(
                    "no shell reads a command; one that is to write: `[\"sh\", \"-c\", {}]`",
                    Json::from(whole)
                )
            }
            _ => "put the whole text in double quotes, or the remark on a line of its own".to_owned(),
        };
        self.report(Diagnostic::at(Code::NC019, rest.span, message).help(help));
    }

    /// A program with its arguments: a list, or one word.
    fn command(&mut self, annotation: &Annotation, slot: &mut Option<Command>) {
        let text = annotation.text().trim();
        let argv = if text.starts_with('[') {
            texts(text)
        } else if text.contains([' ', '\t']) {
            None
        } else {
            Some(vec![unquoted(text)])
        };
        match argv {
            Some(argv) if argv.first().is_some_and(|program| !program.trim().is_empty()) => {
                slot.get_or_insert(Command { argv, json: false, span: annotation.value_span });
            }
            Some(_) => {
                slot.get_or_insert_with(|| none(annotation));
                self.option(annotation, "a command", help("command"));
            }
            None => {
                slot.get_or_insert_with(|| none(annotation));
                // What a shell would make of the words is its own affair.
                let words: Vec<String> = text.split_whitespace().map(|w| Json::from(w).to_string()).collect();
                let plain = !text.starts_with('[')
                    && !text.contains(['"', '\'', '|', '>', '<', '&', ';', '*', '$', '`']);
                let help = if plain {
                    format!("write the program and each argument for itself: `[{}]`", words.join(", "))
                } else {
                    help("command").to_owned()
                };
                self.option(annotation, "a command", &help);
            }
        }
    }

    fn ask_kind(&mut self, annotation: &Annotation) {
        let words = AskKind::ALL.map(AskKind::word);
        let help = match nearest(annotation.text().trim(), words) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write one of {}", listed(words)),
        };
        self.option(annotation, "a kind of question", &help);
    }

    /// A schema is written out as an object, or named by the path of its file.
    fn schema(&mut self, annotation: &Annotation, slot: &mut Option<(Json, Span)>) {
        let text = annotation.text().trim();
        let read = match text.starts_with(['{', '[']) {
            true => serde_json::from_str::<Json>(text).ok().filter(Json::is_object),
            false => Some(Json::from(&*unquoted(text))),
        };
        match read {
            Some(schema) => {
                slot.get_or_insert((schema, annotation.value_span));
            }
            None => self.option(annotation, "a schema", help("schema")),
        }
    }

    fn option(&mut self, annotation: &Annotation, what: &str, help: &str) {
        let found = match annotation.text().trim() {
            "" => {
                let message = format!("`%{{{}}}` has no value", annotation.base_key());
                Diagnostic::at(Code::NC019, annotation.span, message)
            }
            // Without it the step would be done in another way than is written: twice, or with no schema.
            text => {
                let message = format!("`{}` is not understood as {what}", shown(text));
                Diagnostic::at(Code::NC019, annotation.value_span, message).severity(Severity::Error)
            }
        };
        self.report(found.help(help));
    }
}

/// Returns whether only a functional line can say it of its step.
pub(super) fn is_option(key: &str) -> bool {
    key == "agent" || STRICT.contains(&key)
}

/// A command that is not understood. The step stays one that a program does: it fails when it is run, and no model is
/// asked in its place.
fn none(annotation: &Annotation) -> Command {
    Command { argv: Vec::new(), json: false, span: annotation.value_span }
}

/// Keys that must have a value.
const STRICT: [&str; 11] = [
    "ask",
    "ask_kind",
    "command",
    "command_output",
    "effect",
    "model",
    "options",
    "prompt",
    "reply_retries",
    "schema",
    "timeout",
];

/// What to write for a key.
fn help(key: &str) -> &'static str {
    match key {
        "ask" => "write the question: `%{ask}: Is $input_1 right?`",
        "ask_kind" => "write `text`, `confirm`, `choose`, `edit` or `files`",
        "command" => "write the program and its arguments as a list: `[\"sort\", \"-r\", \"{input_1}\"]`",
        "command_output" => "write `json`, or leave the line out for text",
        "effect" => "write `once`, or leave the line out",
        "model" => "write the name of a model, or leave the line out",
        "options" => "write a list: `%{options}: [\"accept\", \"reject\"]`",
        "prompt" => "write the prompt: `%{prompt}: Summarise $input_1`",
        "reply_retries" => "write a whole number up to 100; 0 asks once",
        "schema" => "write a JSON schema, `{\"type\": \"object\", ..}`, or the path of its file",
        _ => "write a number of seconds above 0, like `30`",
    }
}

/// The ways a step is told to be done, with where.
fn ways(resources: &Resources) -> Vec<(&'static str, Span)> {
    let mut ways: Vec<(&'static str, Span)> = Vec::new();
    let at = |written: &Option<Written>| written.as_ref().map(|(_, span)| *span);
    let (script, builtin) = (at(&resources.script), at(&resources.builtin));
    ways.extend(script.map(|s| ("a script", s)));
    ways.extend(builtin.map(|s| ("a built-in", s)));
    ways.extend(resources.command.as_ref().map(|c| ("a command", c.span)));
    ways.extend(resources.ask.as_ref().map(|a| ("a person", a.text.as_ref().map_or(a.span, |(_, s)| *s))));
    let asks_by_file = resources.ask.as_ref().is_some_and(|a| a.text.is_none());
    // A prompt file beside a script is what a model writes the script from when there is none.
    let file = at(&resources.prompt).filter(|_| !asks_by_file && script.is_none());
    let text = at(&resources.prompt_text);
    let prompt = match (text, file) {
        (Some(text), Some(file)) => {
            ways.push(("a prompt", file));
            ways.push(("another prompt", text));
            None
        }
        (text, file) => text.or(file),
    };
    ways.extend(prompt.map(|s| ("a prompt", s)));
    // A paradigm does what it does with the prompt, the command or the question beside it.
    if script.is_some() || builtin.is_some() {
        ways.extend(at(&resources.paradigm).map(|s| ("a paradigm", s)));
    }
    ways
}

/// A text that stands in double quotes is read as JSON: `\n` in it is a line break.
fn unquoted(text: &str) -> Arc<str> {
    let quoted = text.len() > 1 && text.starts_with('"') && text.ends_with('"');
    let read = if quoted { serde_json::from_str::<String>(text).ok() } else { None };
    read.map_or_else(|| Arc::from(text), Arc::from)
}

/// A list of texts: JSON, or words without quotes.
fn texts(text: &str) -> Option<Vec<Arc<str>>> {
    let json = match serde_json::from_str::<Json>(text) {
        Ok(json) => json,
        Err(_) => data::list(text)?,
    };
    let items = json.as_array()?;
    items
        .iter()
        .map(|item| match item {
            Json::String(text) => Some(Arc::from(text.as_str())),
            Json::Number(_) | Json::Bool(_) => Some(Arc::from(item.to_string())),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::FileId;
    use crate::plan::{self, Semantic, Work};
    use crate::syntax;

    fn step(operation: &str, lines: &[&str]) -> (Semantic, Vec<String>) {
        let notes: String = lines.iter().map(|l| format!("        | {l}\n")).collect();
        let text = format!(":<:({{a}})\n    <= {operation}\n{notes}    <- {{b}}<:{{1}}>\n");
        let (tree, _) = syntax::parse(FileId(0), &text, None);
        let (plan, diagnostics) = plan::resolve(&tree);
        let said = diagnostics.iter().filter(|d| matches!(d.code, Code::NC019 | Code::NC064));
        let said = said.map(|d| format!("{} {}", d.code, d.message)).collect();
        let Work::Semantic(step) = &plan.inferences[0].work else { panic!("{text}") };
        ((**step).clone(), said)
    }

    #[test]
    fn a_value_that_is_not_understood_stops_the_plan() {
        let errors = |line: &str| {
            let text = format!(":<:({{a}})\n    <= ::(do {{1}})\n        | {line}\n    <- {{b}}<:{{1}}>\n");
            let (tree, _) = syntax::parse(FileId(0), &text, None);
            plan::resolve(&tree)
                .1
                .iter()
                .filter(|d| d.code == Code::NC019)
                .map(Diagnostic::is_error)
                .collect()
        };
        for line in [
            "%{effect}: onec",
            "%{timeout}: soon",
            "%{schema}: {\"type\"",
            "%{command}: sort -r",
            "%{command}: []",
            "%{command_output}: xml",
            "%{ask_kind}: chose",
            "%{options}: []",
            "%{reply_retries}: often",
        ] {
            let found: Vec<bool> = errors(line);
            assert!(found.contains(&true), "{line}: {found:?}");
        }
        let found: Vec<bool> = errors("%{effect}:");
        assert_eq!(found, [false], "what is still to be filled in");
    }

    #[test]
    fn what_a_line_says_of_its_step() {
        let (s, said) =
            step("::(do {1})", &["%{prompt}: Sum $input_1", "%{model}: small", "%{agent}: writer"]);
        assert_eq!(said, [""; 0]);
        assert_eq!(s.resources.prompt_text.as_ref().map(|(t, _)| &**t), Some("Sum $input_1"));
        assert_eq!(s.resources.model.as_ref().map(|(t, _)| &**t), Some("small"));
        assert_eq!(s.resources.agent.as_ref().map(|(t, _)| &**t), Some("writer"));
        let (s, _) = step("::(do {1})", &["%{prompt}: \"two\\nlines\""]);
        assert_eq!(s.resources.prompt_text.as_ref().map(|(t, _)| &**t), Some("two\nlines"));
        for written in ["[\"sort\", \"-r\", \"{input_1}\"]", "[sort, -r, {input_1}]"] {
            let (s, said) =
                step("::(do {1})", &[&format!("%{{command}}: {written}"), "%{command_output}: json"]);
            let command = s.resources.command.unwrap_or_else(|| panic!("{written}: {said:?}"));
            assert_eq!(command.argv.iter().map(|a| &**a).collect::<Vec<_>>(), ["sort", "-r", "{input_1}"]);
            assert!(command.json);
        }
        let (s, _) =
            step("::(do {1})", &["%{ask}: which of $input_1?", "%{options}: [yes, no, \"not sure\"]"]);
        let ask = s.resources.ask.unwrap();
        assert_eq!(ask.options.iter().map(|a| &**a).collect::<Vec<_>>(), ["yes", "no", "not sure"]);
        let (s, _) = step("::(do {1})", &["%{prompt}: p", "%{schema}: {\"type\": \"object\"}"]);
        assert_eq!(s.resources.schema.map(|(s, _)| s), Some(serde_json::json!({"type": "object"})));
        let (s, _) =
            step("::(do {1})", &["%{prompt}: p", "%{schema}: schemas/a.json", "%{reply_retries}: 0"]);
        assert_eq!(s.resources.schema.map(|(s, _)| s), Some(Json::from("schemas/a.json")));
        assert_eq!(s.resources.reply_retries, Some(0));
    }

    #[test]
    fn the_paradigm_that_follows() {
        const JUDGED: &str = "::(is {1} right)<ALL True>";
        const MADE: &str = "::(do {1})";
        for (operation, lines, expected) in [
            (MADE, &["%{prompt}: p"][..], Some("generate-text")),
            (MADE, &["%{prompt_location}: p.md"], Some("generate-text")),
            (MADE, &["%{v_input_provision}: p.md"], Some("generate-text")),
            (MADE, &["%{v_input_provision}: p.py"], Some("run-script")),
            (MADE, &["%{prompt}: p", "%{schema}: s.json"], Some("generate-json")),
            (JUDGED, &["%{prompt}: p"], Some("judge")),
            (MADE, &["%{command}: date"], Some("run-command")),
            (MADE, &["%{ask}: what?"], Some("ask")),
            (JUDGED, &["%{ask}: right?"], Some("confirm")),
            (MADE, &["%{ask}: which?", "%{options}: [a, b]"], Some("choose")),
            (MADE, &["%{ask}: mend $input_1", "%{ask_kind}: edit"], Some("edit")),
            (MADE, &["%{prompt_location}: q.md", "%{ask_kind}: confirm"], Some("confirm")),
            (":>:({a})", &["%{ask}: what?"], Some("ask")),
            (":>:({a})", &["%{prompt}: what?"], Some("ask")),
            (":>:({a})", &["%{prompt_location}: p.md"], None),
            (MADE, &["%{script_location}: s.py"], None),
            (MADE, &["%{builtin}: add"], None),
            (MADE, &["%{norm_input}: mine", "%{prompt}: p"], None),
            ("::{%(direct)}({1})", &["%{prompt_location}: p.md"], None),
            (MADE, &["%{my_key}: x"], None),
        ] {
            let (s, said) = step(operation, lines);
            assert_eq!(s.default_paradigm(2), expected, "{operation} {lines:?}");
            assert_eq!(said, [""; 0], "{operation} {lines:?}");
            let composed = expected.is_some() || lines.iter().any(|l| l.contains("norm_input"));
            assert_eq!(s.is_composed(2), composed, "{operation} {lines:?}");
        }
        let (s, _) = step(MADE, &["%{prompt_location}: p.md"]);
        assert_eq!(s.default_paradigm(1), None);
        let (s, _) = step(MADE, &["%{prompt}: p"]);
        assert_eq!(s.default_paradigm(1), Some("generate-text"));
        let (s, _) = step(MADE, &["%{paradigm}: write-file"]);
        assert!(s.is_composed(1), "legacy operators elsewhere in the plan do not take the paradigm away");
    }

    #[test]
    fn one_mistake_is_said_once() {
        const MADE: &str = "::(do {1})";
        for (lines, expected) in [
            (
                &["%{script_location}: s.py", "%{builtin}: add", "%{prompt}: p"][..],
                "NC064 the step is to be done by a script, by a built-in and by a prompt",
            ),
            (&["%{prompt}: p", "%{ask}: what?"], "NC064 the step is to be done by a person and by a prompt"),
            (
                &["%{prompt}: p", "%{prompt_location}: p.md"],
                "NC064 the step is to be done by a prompt and by another prompt",
            ),
            (
                &["%{paradigm}: x", "%{builtin}: add"],
                "NC064 the step is to be done by a built-in and by a paradigm",
            ),
            (&["%{command}: sort -r"], "NC019 `sort -r` is not understood as a command"),
            (&["%{command}: []"], "NC019 `[]` is not understood as a command"),
            (
                &["%{ask}: what?", "%{ask_kind}: chose"],
                "NC019 `chose` is not understood as a kind of question",
            ),
            (&["%{ask}: what?", "%{ask_kind}: choose"], "NC019 there is nothing to choose from"),
            (&["%{options}: [a]"], "NC019 `%{options}` has no effect: the step asks nothing"),
            (&["%{prompt}: p", "%{schema}: {\"type\""], "NC019 `{\"type\"` is not understood as a schema"),
            (&["%{schema}: s.json"], "NC019 `%{schema}` has no effect: the step has no prompt"),
            (&["%{builtin}: add", "%{model}: m"], "NC019 `%{model}` has no effect: a built-in does the step"),
            (
                &["%{prompt}: p", "%{reply_retries}: often"],
                "NC019 `often` is not understood as a number of tries",
            ),
            (&["%{prompt}:"], "NC019 `%{prompt}` has no value"),
        ] {
            assert_eq!(step(MADE, lines).1, [expected], "{lines:?}");
        }
        for line in ["%{command}: sort -r", "%{command}: []", "%{command}:", "%{command}: ls | wc -l"] {
            let (s, said) = step(MADE, &[line]);
            assert_eq!(said.len(), 1, "{line}: {said:?}");
            assert_eq!(
                s.default_paradigm(2),
                Some("run-command"),
                "{line}: a program, and no model in its place"
            );
        }
        for (line, remark) in [
            ("%{command}: ls | wc -l", "NC019 `| wc -l` is a remark, and no part of `%{command}`"),
            ("%{prompt}: Say yes | no", "NC019 `| no` is a remark, and no part of `%{prompt}`"),
            ("%{ask}: \"yes | no\" | twice", "NC019 `| twice` is a remark, and no part of `%{ask}`"),
        ] {
            assert_eq!(step(MADE, &[line]).1, [remark], "{line}");
        }
        assert_eq!(step(MADE, &["%{ask}: \"yes | no\"", "a remark"]).1, [""; 0]);
        let (_, said) = step(MADE, &["%{script_location}: s.py", "%{prompt_location}: p.md"]);
        assert_eq!(said, [""; 0], "a prompt file beside a script is what the script is written from");
    }
}
