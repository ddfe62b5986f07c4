//! Prompts and scripts against the values their step passes: NC090 (semantics spec, section 1.4). The texts come from
//! the caller; nothing is read here.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use crate::base::{Sign, Span, placeholders};
use crate::diag::{Code, Diagnostic};
use crate::plan::doers::Command;
use crate::plan::model::{ConceptId, ConceptKind, Inference, Plan, Semantic, Work};
use crate::plan::order;
use crate::plan::scope::Scopes;
use crate::syntax::{SlotKey, SuffixKind, Tree};

/// Checks the prompts and scripts of a plan; `text_of` gives the text of a path, none where there is none.
pub fn check_prompts(tree: &Tree, plan: &Plan, text_of: &dyn Fn(&str) -> Option<String>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut opened: FxHashSet<ConceptId> = FxHashSet::default();
    for inference in &plan.inferences {
        let several = match &inference.work {
            Work::Grouping(_) => true,
            Work::Semantic(step) => step.relation,
            _ => false,
        };
        if several {
            opened.insert(inference.target);
        }
    }
    let scopes = Scopes::of(tree);
    for inference in &plan.inferences {
        let Work::Semantic(step) = &inference.work else { continue };
        let resources = &step.resources;
        let named = [&resources.prompt, &resources.provision, &resources.script];
        let asked = resources.ask.as_ref().and_then(|a| a.text.as_ref());
        let written = [resources.prompt_text.as_ref(), asked];
        let says = named.iter().any(|r| r.is_some())
            || written.iter().any(Option::is_some)
            || resources.command.is_some();
        if !says || !is_counted(tree, &scopes, plan, inference, step, &opened) {
            continue;
        }
        for (path, span) in named.into_iter().flatten() {
            let Some(text) = text_of(path) else { continue };
            if path.ends_with(".py") {
                found.extend(script(step, path, *span, &text));
            } else {
                found.extend(prompt(
                    plan,
                    inference,
                    step,
                    &Prompt { path: Some(path), span: *span, text: &text },
                ));
            }
        }
        for (text, span) in written.into_iter().flatten() {
            found.extend(prompt(plan, inference, step, &Prompt { path: None, span: *span, text }));
        }
        if let Some(command) = &resources.command {
            found.extend(arguments(step, command));
        }
    }
    found
}

/// Returns whether the plan alone says how many inputs the step gets: collections and opened are opened to their
/// items when it runs, and instructions to the step are no inputs.
fn is_counted(
    tree: &Tree,
    scopes: &Scopes,
    plan: &Plan,
    inference: &Inference,
    step: &Semantic,
    opened: &FxHashSet<ConceptId>,
) -> bool {
    // A paradigm of the plan's own may do anything with a sign; the built-in ones read a file as one input.
    let composed = step.is_composed(plan.generation) && step.default_paradigm(plan.generation).is_none();
    let plain = |id: &ConceptId| {
        let Some(concept) = plan.concept(*id) else { return false };
        let sign = concept.data.as_ref().is_some_and(|data| holds_sign(data, composed));
        concept.kind != ConceptKind::Relation && !opened.contains(id) && !sign
    };
    let spreads = |key: &SlotKey| !matches!(key, SlotKey::Number(_));
    let placed = tree.values(inference.head).filter_map(|(_, n)| n.concept.value()).any(|v| {
        v.placement().is_some_and(spreads)
            || v.suffixes.iter().any(|s| {
                matches!(s.kind, SuffixKind::Unpack(_) | SuffixKind::Member { .. } | SuffixKind::DataForm(_))
            })
    });
    let body =
        scopes.function(inference.head).and_then(|f| tree.node(f)).and_then(|n| order::body(&n.concept.expr));
    let written = body.is_some_and(|b| b.slots.iter().any(|s| spreads(&s.key)));
    !placed && !written && step.order.iter().all(|(id, _)| plain(id))
}

/// Data that hold a sign may be instructions to the step, and no input; a file may hold a list.
fn holds_sign(data: &serde_json::Value, composed: bool) -> bool {
    let instructs = |sign: Sign| composed || sign.norm() != Some("file_location");
    let mut open = vec![data];
    while let Some(next) = open.pop() {
        match next {
            serde_json::Value::Array(items) => open.extend(items),
            serde_json::Value::Object(_) => return true,
            serde_json::Value::String(text) if Sign::parse(text).is_some_and(instructs) => return true,
            _ => {}
        }
    }
    false
}

/// The text of a prompt and where the plan says it: in a file, or itself.
struct Prompt<'a> {
    path: Option<&'a str>,
    span: Span,
    text: &'a str,
}

impl Prompt<'_> {
    fn shown(&self) -> String {
        self.path.map_or_else(|| "the prompt".to_owned(), |path| format!("the prompt `{path}`"))
    }
}

/// The arguments of a command: a slot beyond the values, and one that is only a part of an argument.
fn arguments(step: &Semantic, command: &Command) -> Option<Diagnostic> {
    let passed = step.order.len();
    for argument in &command.argv {
        let Some((before, rest)) = argument.split_once("{input_") else { continue };
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let (Ok(number), Some(after)) = (number.parse::<usize>(), after.strip_prefix('}')) else { continue };
        if !before.is_empty() || !after.is_empty() {
            let message = format!("`{argument}` is passed as it stands: a slot fills a whole argument");
            let parts: Vec<String> = [before, &format!("{{input_{number}}}"), after]
                .iter()
                .filter(|p| !p.is_empty())
                .map(|p| format!("\"{}\"", p.trim_end_matches('=')))
                .collect();
            return Some(
                Diagnostic::at(Code::NC090, command.span, message)
                    .help(format!("write `{}`, or let a script make the argument", parts.join(", "))),
            );
        }
        if number == 0 || number > passed {
            let message =
                format!("the command names `{{input_{number}}}`, but the step passes {}", values(passed));
            return Some(Diagnostic::at(Code::NC090, command.span, message).help(format!(
                "the last one is `{{input_{passed}}}`: correct the command, or add a line `<- {{x}}<:{{{number}}}>`"
            )));
        }
    }
    None
}

fn prompt(plan: &Plan, inference: &Inference, step: &Semantic, prompt: &Prompt<'_>) -> Option<Diagnostic> {
    let (span, text, shown) = (prompt.span, prompt.text, prompt.shown());
    let names = placeholders(text);
    let numbers: Vec<usize> = names.iter().filter_map(|n| n.strip_prefix("input_")?.parse().ok()).collect();
    let passed = step.order.len();
    if let Some(beyond) = numbers.iter().find(|n| **n > passed || **n == 0) {
        let message = format!("{shown} names `$input_{beyond}`, but the step passes {}", values(passed));
        let sign = format!("input_{beyond}");
        let mut diagnostic = Diagnostic::at(Code::NC090, span, message);
        if prompt.path.is_some() {
            diagnostic = diagnostic.label(format!("line {} of it", line_of(text, &sign)));
        }
        return Some(diagnostic.help(format!(
            "the last one is `$input_{passed}`: correct the prompt, or add a line `<- {{x}}<:{{{beyond}}}>`"
        )));
    }
    // A prompt that names none says nothing of its inputs; some other names take all that are left over.
    // So do the paradigms that follow from a prompt.
    let all = names.iter().any(|n| n == "input" || n == "input_other" || n == "inputs");
    if numbers.is_empty() || all || step.default_paradigm(plan.generation).is_some() {
        return None;
    }
    let (id, number) =
        step.order.iter().enumerate().map(|(i, (id, _))| (*id, i + 1)).find(|(_, n)| !numbers.contains(n))?;
    let name = plan.name(id);
    let message = format!("`{name}` is passed as `$input_{number}`, which {shown} does not name");
    let mut diagnostic = Diagnostic::at(Code::NC090, span, message)
        .help(format!("write `$input_{number}` in the prompt, or remove the value"));
    if let Some((_, place)) = inference.places.iter().find(|(c, _)| *c == id) {
        diagnostic = diagnostic.also(*place, "passed here");
    }
    Some(diagnostic)
}

/// A script that reads an input which is never there fails; one that reads less is in its right.
fn script(step: &Semantic, path: &str, span: Span, text: &str) -> Option<Diagnostic> {
    let passed = step.order.len();
    // Scripts that ask what there is, or are ready to do without, are left alone.
    if ["globals", "locals", "NameError", "except:", "except Exception", "exec(", "eval("]
        .iter()
        .any(|w| text.contains(w))
    {
        return None;
    }
    let words = input_words(text);
    let assigned = |n: usize| words.iter().any(|w| w.number == n && w.assigned);
    let beyond = words.iter().find(|w| w.number > passed && !assigned(w.number))?;
    let message = format!(
        "the script `{path}` reads `input_{}`, but the step passes {}",
        beyond.number,
        values(passed)
    );
    Some(
        Diagnostic::at(Code::NC090, span, message)
            .label(format!("line {} of it", beyond.line))
            .help(format!("the last one is `input_{passed}`: correct the script, or add the value")),
    )
}

/// A name `input_N` in Python text.
struct InputWord {
    number: usize,
    line: usize,
    assigned: bool,
}

/// The names `input_N` outside of comments and strings.
fn input_words(text: &str) -> Vec<InputWord> {
    let mut found = Vec::new();
    let mut names: BTreeMap<usize, bool> = BTreeMap::new();
    let mut line = 1;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|q| rest.starts_with(q));
        let length = if c == '#' {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(quote) = quote {
            string_length(rest, quote)
        } else if c.is_alphabetic() || c == '_' {
            let length = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
            let (word, after) = rest.split_at(length);
            let digits = word.strip_prefix("input_").filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
            if let Some(number) = digits.and_then(|d| d.parse().ok()) {
                let after = after.trim_start_matches([' ', '\t']);
                let equals = after.starts_with('=') && !after.starts_with("==");
                let own = *names.entry(number).or_insert_with(|| is_own(text, word));
                found.push(InputWord { number, line, assigned: equals || after.starts_with(',') || own });
            }
            length
        } else {
            c.len_utf8()
        };
        let (piece, after) = rest.split_at(length);
        line += piece.matches('\n').count();
        rest = after;
    }
    found
}

/// `for input_3 in ..`, `as input_3`, `def f(input_3)`: a name that the script makes itself.
fn is_own(text: &str, word: &str) -> bool {
    let defines = |l: &str| l.trim_start().starts_with("def ") || l.contains("lambda");
    text.contains(&format!("for {word}"))
        || text.contains(&format!("as {word}"))
        || text.lines().any(|l| defines(l) && l.contains(word))
}

/// The length of a string at the beginning of a text, quotes included.
fn string_length(text: &str, quote: &str) -> usize {
    let mut at = quote.len();
    while let Some(rest) = text.get(at..).filter(|r| !r.is_empty()) {
        if rest.starts_with(quote) {
            return at + quote.len();
        }
        if quote.len() == 1 && rest.starts_with('\n') {
            return at;
        }
        let mut chars = rest.chars();
        let first = chars.next().map_or(1, char::len_utf8);
        let escaped = if rest.starts_with('\\') { chars.next().map_or(0, char::len_utf8) } else { 0 };
        at += first + escaped;
    }
    text.len()
}

fn line_of(text: &str, name: &str) -> usize {
    let at = text.find(&format!("${name}")).or_else(|| text.find(&format!("${{{name}}}"))).unwrap_or(0);
    text.get(..at).map_or(1, |before| before.matches('\n').count() + 1)
}

fn values(n: usize) -> String {
    if n == 1 { "1 value".to_owned() } else { format!("{n} values") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::FileId;
    use crate::{plan, syntax};

    fn said(lines: &str, path: &str, content: &str) -> Vec<String> {
        let key = if path.ends_with(".py") { "script_location" } else { "prompt_location" };
        // A paradigm that follows from a prompt appends what the prompt does not name; this form does not.
        let form = if key == "prompt_location" { "{%(direct)}" } else { "" };
        let text = format!(":<:({{a}})\n    <= ::{form}(do {{1}})\n        | %{{{key}}}: {path}\n{lines}");
        let (tree, _) = syntax::parse(FileId(0), &text, None);
        let (plan, _) = plan::resolve(&tree);
        check_prompts(&tree, &plan, &|_| Some(content.to_owned())).into_iter().map(|d| d.message).collect()
    }

    #[test]
    fn prompts_and_the_values_passed() {
        const TWO: &str = "    <- {b}<:{1}>\n    <- {c}<:{2}>\n";
        for (lines, content, expected) in [
            (TWO, "$input_1 and ${input_2}", None),
            (TWO, "no inputs at all, $5", None),
            (TWO, "$input_1 and $input_other", None),
            (TWO, "costs $$input_3 $input_1 $input_2", None),
            (
                TWO,
                "$input_1\n$input_3",
                Some("the prompt `p.md` names `$input_3`, but the step passes 2 values"),
            ),
            (TWO, "$input_2", Some("`{b}` is passed as `$input_1`, which the prompt `p.md` does not name")),
            (
                "    <- {b}<:{1}>\n",
                "${input_2}",
                Some("the prompt `p.md` names `$input_2`, but the step passes 1 value"),
            ),
            ("    <- [b]<:{1}>\n", "$input_2", None),
            ("    <- {b}<:{1}>\n    <- {k} | %{script_location}: k.py\n", "$input_3", None),
            (
                "    <- {b}<:{1}>\n    <- {k} | %{file_location}: k.md\n",
                "$input_3",
                Some("the prompt `p.md` names `$input_3`, but the step passes 2 values"),
            ),
        ] {
            assert_eq!(said(lines, "p.md", content), Vec::from_iter(expected), "{content}");
        }
    }

    #[test]
    fn prompts_commands_and_questions_in_the_plan() {
        const TWO: &str = "    <- {b}<:{1}>\n    <- {c}<:{2}>\n";
        let three = Some("the prompt names `$input_3`, but the step passes 2 values");
        for (note, expected) in [
            ("%{prompt}: of $input_1 and $input_2", None),
            ("%{prompt}: of $input_1 only", None),
            ("%{prompt}: of $input_3", three),
            ("%{ask}: what of $input_3?", three),
            ("%{ask}: what of $input_2?", None),
            (
                "%{paradigm}: mine | %{prompt}: of $input_2",
                Some("`{b}` is passed as `$input_1`, which the prompt does not name"),
            ),
            ("%{command}: [sort, \"{input_2}\"]", None),
            (
                "%{command}: [sort, \"{input_3}\"]",
                Some("the command names `{input_3}`, but the step passes 2 values"),
            ),
            (
                "%{command}: [sort, \"--by={input_1}\"]",
                Some("`--by={input_1}` is passed as it stands: a slot fills a whole argument"),
            ),
        ] {
            let text = format!(":<:({{a}})\n    <= ::(do {{1}} {{2}})\n        | {note}\n{TWO}");
            let (tree, _) = syntax::parse(FileId(0), &text, None);
            let (plan, _) = plan::resolve(&tree);
            let said: Vec<String> =
                check_prompts(&tree, &plan, &|_| None).into_iter().map(|d| d.message).collect();
            assert_eq!(said, Vec::from_iter(expected), "{note}");
        }
    }

    #[test]
    fn scripts_and_the_values_passed() {
        const ONE: &str = "    <- {b}<:{1}>\n";
        let bad = |n| Some(format!("the script `s.py` reads `input_{n}`, but the step passes 1 value"));
        for (content, expected) in [
            ("result = input_1", None),
            ("result = input_1 + input_2", bad(2)),
            ("# input_2\nresult = input_1", None),
            ("'''input_2\n''' + \"input_2\\\" input_2\"", None),
            ("input_2 = 3\nresult = input_2", None),
            ("result = globals().get('input_2', input_2)", None),
            ("for input_2 in input_1: pass", None),
            ("def f(input_1, input_2): return input_2", None),
            ("my_input_2 = input_1", None),
            ("result = f(数, input_12)", bad(12)),
        ] {
            assert_eq!(said(ONE, "s.py", content), Vec::from_iter(expected), "{content}");
        }
    }
}
