//! Questions that wait for people, as a list with the commands that answer them, and as JSON (semantics spec, section
//! 14.6). Knows no journal and no front end.

use std::fmt::Write;

use serde_json::Value as Json;

use crate::base::{QuestionKind as Kind, plain_line, plain_text};
use crate::faculty::human::Posted;

/// Questions that are listed.
const MOST: usize = 20;
/// Lines of a prompt that are shown, and characters of each.
const LINES: usize = 4;
const WIDTH: usize = 160;
/// Options that are shown.
const OPTIONS: usize = 12;

/// Where questions come from, as commands name it.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The run.
    pub run: &'a str,
    /// The option that says where runs are kept, with a space before it; empty when it is not needed.
    pub store: &'a str,
    /// It is said how the run goes on: nobody is at work on it, and nothing else says so.
    pub resumes: bool,
}

/// The list of open questions for people, each with the command that answers it; empty when there is none.
pub fn questions_text(questions: &[Posted], origin: &Origin<'_>) -> String {
    let mut out = String::new();
    match questions.len() {
        0 => return out,
        1 => out.push_str("1 question waits for an answer:\n"),
        many => drop(writeln!(out, "{many} questions wait for an answer:")),
    }
    for question in questions.iter().take(MOST) {
        let _ = writeln!(out, "  {}", plain_line(&question.place()));
        prompt(&mut out, question);
        if let Some(until) = question.until() {
            let _ = writeln!(out, "    to be answered until {until}");
        }
        let _ = writeln!(out, "    {}", command(question, origin));
    }
    let Origin { run, store, resumes } = origin;
    if questions.len() > MOST {
        let _ = writeln!(out, "  and {} more: normc answer {run}{store} lists them", questions.len() - MOST);
    }
    if *resumes {
        let _ = writeln!(out, "then go on with: normc exec --resume {run}{store}");
    }
    out
}

/// The same for programs: a list of objects.
pub fn questions_json(questions: &[Posted]) -> Json {
    questions.iter().map(|question| Json::Object(question.to_json())).collect()
}

fn prompt(out: &mut String, question: &Posted) {
    let text = plain_text(question.asked.prompt.trim());
    let mut lines = text.lines();
    for line in lines.by_ref().take(LINES) {
        let _ = writeln!(out, "    {}", short(line));
    }
    if lines.next().is_some() {
        out.push_str("    ...\n");
    }
    let options = question.options();
    for (at, option) in options.iter().enumerate().take(OPTIONS) {
        let _ = writeln!(out, "      {}) {}", at + 1, short(&plain_line(option)));
    }
    if options.len() > OPTIONS {
        let _ = writeln!(out, "      and {} more", options.len() - OPTIONS);
    }
}

fn short(line: &str) -> String {
    match line.char_indices().nth(WIDTH) {
        None => line.to_owned(),
        Some((end, _)) => format!("{}...", line.get(..end).unwrap_or_default()),
    }
}

/// The command that answers a question.
fn command(question: &Posted, origin: &Origin<'_>) -> String {
    let value = match &question.asked.kind {
        Kind::Confirm => "y|n".to_owned(),
        Kind::Choose(options) => format!("1..{}", options.len()),
        Kind::Files => "PATH...".to_owned(),
        Kind::Edit => "--file FILE".to_owned(),
        Kind::Text | Kind::Chat | Kind::Say | Kind::Close => "TEXT".to_owned(),
    };
    format!("normc answer {}{} {} {value}", origin.run, origin.store, quoted(&question.id))
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    if word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.') {
        word.to_owned()
    } else {
        format!("'{word}'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn question(json: Json) -> Posted {
        Posted::from_json(json.as_object().unwrap()).unwrap()
    }

    #[test]
    fn every_question_has_its_command() {
        let base = json!({"id": "1.2", "step": "1.2", "concept": "{name}", "cell": {}, "asked_at": 5});
        let with = |more: Json| {
            let mut all = base.clone();
            all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            question(all)
        };
        let questions = [
            with(
                json!({"kind": "text", "deadline": 951_782_399_999_u64, "prompt": "What is\n your \u{1b}name?\n\n1\n2\n3\n"}),
            ),
            with(json!({"id": "1.3[2]#2", "kind": "choose", "prompt": "Which?", "options": ["a", "b"],
                "cell": {"row": 1}})),
            with(json!({"id": "1.4", "kind": "confirm", "prompt": "x".repeat(200)})),
            with(json!({"id": "1.5", "kind": "edit", "prompt": ""})),
        ];
        let origin = Origin { run: "01K2", store: " --store s", resumes: true };
        let wanted = format!(
            "4 questions wait for an answer:\n  1.2 {{name}}\n    What is\n     your \\u{{1b}}name?\n    \n    1\n    \
             ...\n    to be answered until 2000-02-28 23:59:59 UTC\n    normc answer 01K2 --store s 1.2 TEXT\n  1.3[2]#2 {{name}} at row 2\n    Which?\n      1) a\n      \
             2) b\n    normc answer 01K2 --store s '1.3[2]#2' 1..2\n  1.4 {{name}}\n    {}...\n    normc answer 01K2 \
             --store s 1.4 y|n\n  1.5 {{name}}\n    normc answer 01K2 --store s 1.5 --file FILE\nthen go on with: normc \
             exec --resume 01K2 --store s\n",
            "x".repeat(160)
        );
        assert_eq!(questions_text(&questions, &origin), wanted);
        assert_eq!(questions_json(&questions)[1]["options"], json!(["a", "b"]));
        assert_eq!(questions_text(&[], &origin), "");
        let many = vec![questions[2].clone(); 30];
        let live = questions_text(&many, &Origin { run: "r", store: "", resumes: false });
        assert!(live.ends_with("  and 10 more: normc answer r lists them\n"), "{live}");
    }
}
