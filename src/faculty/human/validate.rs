//! Whether an answer fits its question, and what it is as data (semantics spec, section 14.6). Reasons are sentences for
//! the person who answered.

use std::path::Path;
use std::sync::Arc;

use regex::Regex;
use serde_json::Value as Json;

use super::posted::Posted;
use crate::base::{QuestionKind as Kind, Validation, Value, nearest};

/// Reasons show so many characters of an answer.
const SHOWN: usize = 60;

/// What an answer is as data. Relative paths stand relative to `base`.
///
/// A text answer stays text, whatever it looks like; `confirm` takes a truth value or one of the words yes, no, y, n,
/// true and false; `choose` takes an option or its number; `files` takes a list of paths, or a text with a path on
/// each line.
///
/// # Errors
/// Why the answer does not fit, in a sentence.
pub fn validate(question: &Posted, answer: &Json, base: &Path) -> Result<Value, String> {
    match &question.asked.kind {
        Kind::Say | Kind::Close => Err("A message wants no answer.".to_owned()),
        Kind::Text | Kind::Edit | Kind::Chat => {
            let Json::String(text) = answer else {
                return Err(format!("A text is wanted, not {}: put it in quotes.", described(answer)));
            };
            Ok(Value::text(fulfilling(question, text, base)?))
        }
        Kind::Confirm => truth(answer).map(Value::Bool),
        Kind::Choose(options) => chosen(options, answer).map(Value::Text),
        Kind::Files => files(question, answer, base),
    }
}

fn truth(answer: &Json) -> Result<bool, String> {
    let word = match answer {
        Json::Bool(truth) => return Ok(*truth),
        Json::String(word) => word.trim().to_lowercase(),
        other => return Err(format!("Yes or no is wanted, not {}.", described(other))),
    };
    match word.as_str() {
        "y" | "yes" | "true" => Ok(true),
        "n" | "no" | "false" => Ok(false),
        _ => Err(format!("`{}` is neither yes nor no: answer y or n.", shown(&word))),
    }
}

/// An option by its text, by its number from 1, or by its text in other capitals when only one reads so.
fn chosen(options: &[Arc<str>], answer: &Json) -> Result<Arc<str>, String> {
    let text = match answer {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        other => {
            return Err(format!("One of the options is wanted, or its number, not {}.", described(other)));
        }
    };
    let exact =
        options.iter().find(|o| ***o == *text).or_else(|| options.iter().find(|o| ***o == *text.trim()));
    if let Some(option) = exact {
        return Ok(Arc::clone(option));
    }
    let text = text.trim();
    let number = text.parse::<usize>().ok().filter(|n| *n > 0);
    if let Some(option) = number.and_then(|n| options.get(n - 1)) {
        return Ok(Arc::clone(option));
    }
    let folded = text.to_lowercase();
    let mut alike = options.iter().filter(|o| o.trim().to_lowercase() == folded);
    if let (Some(option), None) = (alike.next(), alike.next()) {
        return Ok(Arc::clone(option));
    }
    let near = nearest(text, options.iter().map(|o| &**o));
    let near =
        near.map(|near| format!("; did you mean `{}`?", shown(near))).unwrap_or_else(|| ".".to_owned());
    let range = match options.len() {
        1 => "the number 1".to_owned(),
        many => format!("a number from 1 to {many}"),
    };
    Err(format!("`{}` is none of the options (or {range}){near}", shown(text)))
}

fn files(question: &Posted, answer: &Json, base: &Path) -> Result<Value, String> {
    let paths: Vec<&str> = match answer {
        Json::String(text) => text.lines().map(str::trim).filter(|line| !line.is_empty()).collect(),
        Json::Array(items) => items.iter().map(path_of).collect::<Result<_, _>>()?,
        other => return Err(format!("A list of paths is wanted, not {}.", described(other))),
    };
    if paths.is_empty() && question.asked.validation == Some(Validation::NotEmpty) {
        return Err("At least one path is wanted.".to_owned());
    }
    let mut fitting = Vec::with_capacity(paths.len());
    for path in paths {
        if path.trim().is_empty() {
            return Err("A path may not be empty.".to_owned());
        }
        if path.contains('\0') {
            return Err("A path may not hold a NUL character.".to_owned());
        }
        fitting.push(Value::text(fulfilling(question, path, base)?));
    }
    Ok(Value::list(fitting))
}

fn path_of(item: &Json) -> Result<&str, String> {
    match item {
        Json::String(path) => Ok(path),
        other => Err(format!("A list of paths is wanted, and {} is none.", described(other))),
    }
}

/// A text that fulfils what the question asks of it; the path of a file without blanks around it.
fn fulfilling<'t>(question: &Posted, text: &'t str, base: &Path) -> Result<&'t str, String> {
    match &question.asked.validation {
        None => Ok(text),
        Some(Validation::NotEmpty) if text.trim().is_empty() => {
            Err("The answer may not be empty.".to_owned())
        }
        Some(Validation::NotEmpty) => Ok(text),
        Some(Validation::FileExists(words)) => {
            let path = text.trim();
            let is_there = !path.is_empty() && !path.contains('\0') && base.join(path).is_file();
            if is_there {
                return Ok(path);
            }
            let plain = || match path {
                "" => "The path of a file is wanted.".to_owned(),
                path => format!("There is no file `{}`.", shown(path)),
            };
            Err(words.as_deref().map_or_else(plain, str::to_owned))
        }
        Some(Validation::Pattern(pattern)) => match anchored(pattern) {
            Ok(regex) if regex.is_match(text) => Ok(text),
            Ok(_) => Err(format!("The answer must look like `{}`.", shown(pattern))),
            Err(why) => {
                Err(format!("The question's own pattern cannot be read ({why}): the plan must be mended."))
            }
        },
    }
}

/// A pattern that must match from the beginning to the end.
fn anchored(pattern: &str) -> Result<Regex, String> {
    let compile = |text: &str| Regex::new(text);
    // A pattern in verbose mode may end in a comment, which must not hide the end of the group.
    compile(&format!(r"\A(?:{pattern})\z")).or_else(|_| compile(&format!("\\A(?:{pattern}\n)\\z"))).map_err(
        |error| match compile(pattern) {
            Err(own) => own.to_string().lines().last().unwrap_or_default().trim().to_owned(),
            Ok(_) => error.to_string().lines().last().unwrap_or_default().trim().to_owned(),
        },
    )
}

/// A JSON value in a few words.
fn described(json: &Json) -> String {
    match json {
        Json::Null => "null".to_owned(),
        Json::Bool(truth) => format!("the truth value {truth}"),
        Json::Number(number) => format!("the number {}", shown(&number.to_string())),
        Json::String(text) => format!("the text `{}`", shown(text)),
        Json::Array(_) => "a list".to_owned(),
        Json::Object(_) => "an object".to_owned(),
    }
}

/// The beginning of a text.
pub(super) fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::posted::tests::question;
    use super::*;
    use serde_json::json;

    fn options(texts: &[&str]) -> Kind {
        Kind::Choose(texts.iter().map(|t| Arc::from(*t)).collect())
    }

    #[test]
    fn answers_by_kind() {
        let folder = tempfile::tempdir().unwrap();
        let colours = || options(&["red", "blue", "3", "Red"]);
        let table: Vec<(Kind, Json, Result<Json, &str>)> = vec![
            (Kind::Text, json!("x"), Ok(json!("x"))),
            (Kind::Text, json!(""), Ok(json!(""))),
            (Kind::Text, json!("%{file_location}(x)"), Ok(json!("%{file_location}(x)"))),
            (Kind::Text, json!(5), Err("not the number 5")),
            (Kind::Text, json!(null), Err("not null")),
            (Kind::Text, json!({"a": 1}), Err("not an object")),
            (Kind::Chat, json!("hello"), Ok(json!("hello"))),
            (Kind::Edit, json!("a\nb\n"), Ok(json!("a\nb\n"))),
            (Kind::Confirm, json!(true), Ok(json!(true))),
            (Kind::Confirm, json!(" YES "), Ok(json!(true))),
            (Kind::Confirm, json!("n"), Ok(json!(false))),
            (Kind::Confirm, json!("False"), Ok(json!(false))),
            (Kind::Confirm, json!("maybe"), Err("`maybe` is neither yes nor no")),
            (Kind::Confirm, json!(""), Err("neither yes nor no")),
            (Kind::Confirm, json!(1), Err("not the number 1")),
            (colours(), json!("blue"), Ok(json!("blue"))),
            (colours(), json!("1"), Ok(json!("red"))),
            (colours(), json!(2), Ok(json!("blue"))),
            (colours(), json!("3"), Ok(json!("3"))),
            (colours(), json!("4"), Ok(json!("Red"))),
            (colours(), json!(" BLUE "), Ok(json!("blue"))),
            (colours(), json!("RED"), Err("none of the options")),
            (colours(), json!(0), Err("a number from 1 to 4")),
            (colours(), json!(5), Err("none of the options")),
            (colours(), json!("blu"), Err("did you mean `blue`?")),
            (colours(), json!(["red"]), Err("not a list")),
            (Kind::Files, json!(["a.txt", "b c"]), Ok(json!(["a.txt", "b c"]))),
            (Kind::Files, json!("a.txt\n\n b.txt \n"), Ok(json!(["a.txt", "b.txt"]))),
            (Kind::Files, json!([]), Ok(json!([]))),
            (Kind::Files, json!(["a", 1]), Err("the number 1 is none")),
            (Kind::Files, json!([" "]), Err("may not be empty")),
            (Kind::Files, json!(["a\0b"]), Err("NUL")),
            (Kind::Files, json!(true), Err("A list of paths is wanted")),
            (Kind::Say, json!("x"), Err("no answer")),
        ];
        for (kind, answer, wanted) in table {
            let shown = format!("{kind:?} {answer}");
            let got = validate(&question("1", kind), &answer, folder.path());
            match (got, wanted) {
                (Ok(value), Ok(wanted)) => assert_eq!(value.to_json(), wanted, "{shown}"),
                (Err(reason), Err(part)) => {
                    assert!(reason.contains(part), "{shown}: {reason}");
                    assert!(reason.ends_with(['.', '?']), "{shown}: {reason}");
                }
                (got, _) => panic!("{shown}: {got:?}"),
            }
        }
    }

    #[test]
    fn answers_by_validation() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("there.txt"), "x").unwrap();
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        let exists = |words: Option<&str>| Validation::FileExists(words.map(Arc::from));
        let pattern = |p: &str| Validation::Pattern(Arc::from(p));
        let table: Vec<(Kind, Validation, Json, Result<(), &str>)> = vec![
            (Kind::Text, Validation::NotEmpty, json!(" \n"), Err("may not be empty")),
            (Kind::Text, Validation::NotEmpty, json!("x"), Ok(())),
            (Kind::Files, Validation::NotEmpty, json!([]), Err("At least one path")),
            (Kind::Text, exists(None), json!("there.txt"), Ok(())),
            (Kind::Text, exists(None), json!("sub/../there.txt"), Ok(())),
            (Kind::Text, exists(None), json!(" there.txt\n"), Ok(())),
            (Kind::Text, exists(None), json!("sub"), Err("There is no file `sub`.")),
            (Kind::Text, exists(None), json!(""), Err("The path of a file is wanted.")),
            (Kind::Text, exists(None), json!("a\0"), Err("There is no file")),
            (Kind::Text, exists(Some("Bring a file!")), json!("gone"), Err("Bring a file!")),
            (Kind::Files, exists(None), json!(["there.txt", "gone"]), Err("`gone`")),
            (Kind::Files, exists(None), json!(["there.txt"]), Ok(())),
            (Kind::Text, pattern("[0-9]{3}"), json!("123"), Ok(())),
            (Kind::Text, pattern("[0-9]{3}"), json!("1234"), Err("must look like `[0-9]{3}`")),
            (Kind::Text, pattern("a|ab"), json!("ab"), Ok(())),
            (Kind::Text, pattern("a|ab"), json!("ab\n"), Err("must look like")),
            (Kind::Text, pattern("(?x) a # the letter"), json!("a"), Ok(())),
            (Kind::Text, pattern("(?x) a # the letter"), json!("b"), Err("must look like")),
            (Kind::Text, pattern("("), json!("("), Err("cannot be read")),
        ];
        for (kind, validation, answer, wanted) in table {
            let shown = format!("{kind:?} {validation:?} {answer}");
            let mut asked = question("1", kind);
            asked.asked.validation = Some(validation);
            match (validate(&asked, &answer, folder.path()), wanted) {
                (Ok(value), Ok(())) => assert!(!value.to_json().to_string().contains(" there"), "{shown}"),
                (Err(reason), Err(part)) => assert!(reason.contains(part), "{shown}: {reason}"),
                (got, _) => panic!("{shown}: {got:?}"),
            }
        }
    }
}
