//! One question at a terminal: what is shown, what is read, and that an answer which does not fit is asked again. Knows
//! no threads and no file descriptors: a [`Console`] reads and writes.

use std::path::Path;

use serde_json::Value as Json;

use super::super::posted::Posted;
use super::super::validate::validate;
use crate::base::{QuestionKind as Kind, Validation, Value, plain_line, plain_text, text_of};

/// A line that begins a text of several lines.
const BEGIN: &str = "<<";
/// A line that ends one.
const END: &str = ".";

/// Where a person reads and writes.
pub trait Console: Send {
    /// Shows a text.
    fn show(&mut self, text: &str);

    /// Reads one line, without its end. `leave` is asked now and then whether to give up.
    fn line(&mut self, leave: &mut dyn FnMut() -> bool) -> Line;

    /// Lets a text be edited in an editor. None when there is no editor to be had.
    fn edit(&mut self, text: &str, leave: &mut dyn FnMut() -> bool) -> Option<Edited>;
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A line.
    Text(String),
    /// What is no text.
    Garbage,
    /// The person ended the input: Ctrl-D.
    End,
    /// The question is not open any more.
    Left,
    /// The terminal is gone.
    Gone,
}

/// What came of an editor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edited {
    /// What was saved.
    Saved(String),
    /// It failed, and why.
    Failed(String),
    /// The question is not open any more.
    Left,
}

/// How a question at a terminal ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    /// With an answer that fits.
    Answered(Value),
    /// The person leaves it open.
    Later,
    /// It was answered elsewhere, or the run stops.
    Left,
    /// The terminal is gone.
    Gone,
}

/// What was given, before it is compared with the question.
enum Reply {
    Answer(Json),
    /// Nothing yet: what to say before asking again.
    Again(String),
    Over(Asked),
}

/// Asks a question until there is an answer that fits. `others` is how many more wait; relative paths stand relative to
/// `base`; `leave` is asked now and then whether to give up.
pub fn ask(
    console: &mut dyn Console,
    question: &Posted,
    others: usize,
    base: &Path,
    leave: &mut dyn FnMut() -> bool,
) -> Asked {
    console.show(&head(question, others));
    let mut may_edit = true;
    loop {
        let reply = match question.asked.kind {
            Kind::Edit if may_edit => edited(console, question, &mut may_edit, leave),
            Kind::Files => paths(console, question, leave),
            Kind::Edit => edited_by_line(console, question, leave),
            _ => one(console, question, leave),
        };
        match reply {
            Reply::Answer(answer) => match validate(question, &answer, base) {
                Ok(value) => return Asked::Answered(value),
                Err(reason) => console.show(&format!("  {}\n", plain_line(&reason))),
            },
            Reply::Again(why) => console.show(&format!("  {}\n", plain_line(&why))),
            Reply::Over(how) => return how,
        }
    }
}

/// The question as it is shown.
fn head(question: &Posted, others: usize) -> String {
    let mut text = format!("\n? {}", plain_line(&question.place()));
    match others {
        0 => {}
        1 => text.push_str(" (1 more question waits)"),
        more => text.push_str(&format!(" ({more} more questions wait)")),
    }
    text.push('\n');
    for line in plain_text(&question.asked.prompt).lines() {
        text.push_str(&format!("  {line}\n"));
    }
    for (at, option) in question.options().iter().enumerate() {
        text.push_str(&format!("    {}) {}\n", at + 1, plain_line(option)));
    }
    if let Some(initial) = question.asked.initial.as_deref().filter(|_| question.asked.kind != Kind::Edit) {
        for line in plain_text(initial).lines() {
            text.push_str(&format!("  | {line}\n"));
        }
    }
    if let Some(until) = question.until() {
        text.push_str(&format!("  (until {until})\n"));
    }
    if question.asked.kind != Kind::Edit {
        text.push_str(&format!("  ({})\n", hint(question)));
    }
    text
}

/// How to answer, in a few words.
fn hint(question: &Posted) -> String {
    let enter = |what: String| match default_of(question) {
        Some(_) => format!("{what}; Enter takes {}", default_text(question)),
        None => what,
    };
    let how = match &question.asked.kind {
        Kind::Confirm => enter("y or n".to_owned()),
        Kind::Choose(options) => enter(format!("1 to {}, or the text", options.len())),
        Kind::Files => enter("one path a line, an empty line ends the list".to_owned()),
        _ if matches!(question.asked.validation, Some(Validation::FileExists(_))) => {
            enter("the path of a file".to_owned())
        }
        _ => enter(format!("one line; several between a line {BEGIN} and a line {END}")),
    };
    format!("{how}; Ctrl-D leaves it open")
}

/// What Enter takes, as an answer.
fn default_of(question: &Posted) -> Option<Json> {
    let default = question.asked.default.as_ref().filter(|d| !matches!(d, Value::Null | Value::Skip))?;
    Some(match question.asked.kind {
        Kind::Text | Kind::Edit | Kind::Chat => Json::String(text_of(default).to_string()),
        _ => default.to_json(),
    })
}

fn default_text(question: &Posted) -> String {
    match (default_of(question), &question.asked.kind) {
        (Some(Json::Bool(truth)), _) => if truth { "y" } else { "n" }.to_owned(),
        (Some(Json::String(text)), _) => format!("`{}`", plain_line(&text)),
        (Some(other), _) => plain_line(&other.to_string()).into_owned(),
        (None, _) => String::new(),
    }
}

/// What a line that is none comes to.
fn no_line(line: Line) -> Reply {
    match line {
        Line::Garbage => Reply::Again("That was not UTF-8; please again.".to_owned()),
        Line::End => Reply::Over(Asked::Later),
        Line::Left => Reply::Over(Asked::Left),
        Line::Gone | Line::Text(_) => Reply::Over(Asked::Gone),
    }
}

/// An answer of one line, or of several between two marks where a text is wanted.
fn one(console: &mut dyn Console, question: &Posted, leave: &mut dyn FnMut() -> bool) -> Reply {
    console.show("> ");
    let line = match console.line(leave) {
        Line::Text(line) => line,
        other => return no_line(other),
    };
    let is_text = matches!(question.asked.kind, Kind::Text | Kind::Chat);
    if is_text && line.trim_end() == BEGIN {
        return match lines(console, leave) {
            Ok(text) => Reply::Answer(Json::String(text)),
            Err(other) => other,
        };
    }
    if !line.trim().is_empty() {
        return Reply::Answer(Json::String(line));
    }
    match default_of(question) {
        Some(default) => Reply::Answer(default),
        None if is_text => Reply::Again(format!(
            "An empty line is no answer (an empty text is {BEGIN} and then {END}; Ctrl-D leaves the question open)."
        )),
        None => Reply::Again("An answer is wanted (Ctrl-D leaves the question open).".to_owned()),
    }
}

/// Lines up to the one that ends them.
fn lines(console: &mut dyn Console, leave: &mut dyn FnMut() -> bool) -> Result<String, Reply> {
    let mut all: Vec<String> = Vec::new();
    loop {
        match console.line(leave) {
            Line::Text(line) if line == END => return Ok(all.join("\n")),
            Line::Text(line) => all.push(line),
            other => return Err(no_line(other)),
        }
    }
}

/// Paths, one a line, up to an empty line.
fn paths(console: &mut dyn Console, question: &Posted, leave: &mut dyn FnMut() -> bool) -> Reply {
    let mut all: Vec<Json> = Vec::new();
    loop {
        console.show("> ");
        match console.line(leave) {
            Line::Text(line) if !line.trim().is_empty() => all.push(Json::from(line.trim())),
            Line::Text(_) => break,
            other => return no_line(other),
        }
    }
    match default_of(question) {
        Some(default) if all.is_empty() => Reply::Answer(default),
        _ => Reply::Answer(Json::Array(all)),
    }
}

/// A text changed in an editor; without one the lines are read here from the next time on.
fn edited(
    console: &mut dyn Console,
    question: &Posted,
    may_edit: &mut bool,
    leave: &mut dyn FnMut() -> bool,
) -> Reply {
    let initial = question.asked.initial.as_deref().unwrap_or_default();
    match console.edit(initial, leave) {
        Some(Edited::Saved(text)) => Reply::Answer(Json::String(text)),
        Some(Edited::Left) => Reply::Over(Asked::Left),
        Some(Edited::Failed(why)) => {
            *may_edit = false;
            Reply::Again(why)
        }
        None => {
            *may_edit = false;
            Reply::Again("There is no editor: set VISUAL or EDITOR to have one.".to_owned())
        }
    }
}

/// A text typed anew; nothing but the end keeps what there was.
fn edited_by_line(console: &mut dyn Console, question: &Posted, leave: &mut dyn FnMut() -> bool) -> Reply {
    let initial = question.asked.initial.as_deref().unwrap_or_default();
    let mut text = String::new();
    for line in plain_text(initial).lines() {
        text.push_str(&format!("  | {line}\n"));
    }
    text.push_str(&format!(
        "  (the new text, ended by a line {END}; {END} at once keeps it as it is; Ctrl-D leaves it open)\n"
    ));
    console.show(&text);
    match lines(console, leave) {
        Ok(text) if text.is_empty() => Reply::Answer(Json::from(initial)),
        Ok(text) => Reply::Answer(Json::String(text)),
        Err(other) => other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::posted::tests::question;
    use super::*;
    use crate::base::Question;
    use std::collections::VecDeque;
    use std::sync::Arc;

    /// A console with lines that were written beforehand.
    struct Script {
        lines: VecDeque<Line>,
        editor: Option<Edited>,
        shown: String,
    }

    impl Console for Script {
        fn show(&mut self, text: &str) {
            self.shown.push_str(text);
        }

        fn line(&mut self, _leave: &mut dyn FnMut() -> bool) -> Line {
            self.lines.pop_front().unwrap_or(Line::Gone)
        }

        fn edit(&mut self, text: &str, _leave: &mut dyn FnMut() -> bool) -> Option<Edited> {
            self.shown.push_str(&format!("[edit {text}]\n"));
            self.editor.clone()
        }
    }

    /// Asks with lines typed; `^D` ends the input.
    fn typed(question: &Posted, editor: Option<Edited>, lines: &[&str]) -> (Asked, String) {
        let line = |text: &&str| if *text == "^D" { Line::End } else { Line::Text((*text).to_owned()) };
        let mut console = Script { lines: lines.iter().map(line).collect(), editor, shown: String::new() };
        let asked = ask(&mut console, question, 2, Path::new("."), &mut || false);
        assert!(console.lines.is_empty(), "not read: {:?}", console.lines);
        (asked, console.shown)
    }

    fn text(value: &str) -> Asked {
        Asked::Answered(Value::text(value))
    }

    #[test]
    fn texts() {
        let asked = question("1.2[3]", Kind::Text);
        let (answer, shown) = typed(&asked, None, &["", "hello there"]);
        assert_eq!(answer, text("hello there"));
        let wanted = "\n? 1.2[3] {answer} (2 more questions wait)\n  well?\n  (one line; several between a line << \
                      and a line .; Ctrl-D leaves it open)\n> ";
        assert!(shown.starts_with(wanted), "{shown}");
        assert!(shown.contains("An empty line is no answer"), "{shown}");
        assert_eq!(typed(&asked, None, &["<<", "a", "", "..", "."]).0, text("a\n\n.."));
        assert_eq!(typed(&asked, None, &["<<", "."]).0, text(""));
        assert_eq!(typed(&asked, None, &["<<", "a", "^D"]).0, Asked::Later);
        assert_eq!(typed(&asked, None, &["^D"]).0, Asked::Later);
        assert_eq!(typed(&asked, None, &[]).0, Asked::Gone);
    }

    fn with(kind: Kind, more: impl FnOnce(&mut Question)) -> Posted {
        let mut posted = question("1", kind);
        more(&mut posted.asked);
        posted
    }

    #[test]
    fn a_default_is_taken_by_a_person_only() {
        let asked = with(Kind::Text, |q| q.default = Some(Value::text("blue")));
        let (answer, shown) = typed(&asked, None, &[" "]);
        assert_eq!(answer, text("blue"));
        assert!(shown.contains("; Enter takes `blue`;"), "{shown}");
        assert_eq!(typed(&asked, None, &["^D"]).0, Asked::Later);
        let sure = with(Kind::Confirm, |q| q.default = Some(Value::Bool(false)));
        let (answer, shown) = typed(&sure, None, &[""]);
        assert_eq!(answer, Asked::Answered(Value::Bool(false)));
        assert!(shown.contains("(y or n; Enter takes n;"), "{shown}");
    }

    #[test]
    fn what_does_not_fit_is_asked_again() {
        let (answer, shown) = typed(&question("1", Kind::Confirm), None, &["perhaps", "", "Y"]);
        assert_eq!(answer, Asked::Answered(Value::Bool(true)));
        assert!(shown.contains("  `perhaps` is neither yes nor no: answer y or n.\n> "), "{shown}");
        let colours = Kind::Choose(vec![Arc::from("red"), Arc::from("dark\u{1b}blue")]);
        let (answer, shown) = typed(&question("1", colours), None, &["3", "2"]);
        assert_eq!(answer, text("dark\u{1b}blue"));
        assert!(shown.contains("    1) red\n    2) dark\\u{1b}blue\n  (1 to 2, or the text;"), "{shown}");
    }

    #[test]
    fn paths_end_at_an_empty_line() {
        let (answer, _) = typed(&question("1", Kind::Files), None, &["a.txt", " b.txt ", ""]);
        assert_eq!(answer, Asked::Answered(Value::list([Value::text("a.txt"), Value::text("b.txt")])));
        assert_eq!(typed(&question("1", Kind::Files), None, &[""]).0, Asked::Answered(Value::list([])));
    }

    #[test]
    fn texts_are_edited_in_an_editor_or_by_line() {
        let asked = with(Kind::Edit, |q| q.initial = Some(Arc::from("old\ntext")));
        let saved = Edited::Saved("new".to_owned());
        let (answer, shown) = typed(&asked, Some(saved), &[]);
        assert_eq!(answer, text("new"));
        assert!(shown.contains("[edit old\ntext]"), "{shown}");
        let (answer, shown) = typed(&asked, None, &["brand", "new", "."]);
        assert_eq!(answer, text("brand\nnew"));
        assert!(shown.contains("set VISUAL or EDITOR") && shown.contains("  | old\n  | text\n"), "{shown}");
        assert_eq!(typed(&asked, None, &["."]).0, text("old\ntext"));
        let failed = Some(Edited::Failed("The editor ended badly.".to_owned()));
        assert_eq!(typed(&asked, failed, &["^D"]).0, Asked::Later);
        assert_eq!(typed(&asked, Some(Edited::Left), &[]).0, Asked::Left);
    }
}
