//! Programs: the words of a command, some of them filled with inputs (semantics spec, section 14.3). No shell is
//! between, and an input is always one whole argument.

use std::sync::Arc;

use super::super::slot::{Trouble, fails, missing_input};
use super::answer::{After, Done};
use super::bound::Bound;
use crate::base::{Map, Value, text_of};
use crate::run::effect::{Command, Effect};

const HOW: &str = "write the program and its arguments, each input as an argument of its own: `wc -c {input_1}`, or as \
                   a JSON list: `[\"wc\", \"-c\", \"{input_1}\"]`";

/// The words of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Words {
    words: Vec<Word>,
    json: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    Plain(Arc<str>),
    /// An input by its name.
    Input(Arc<str>),
}

impl Words {
    /// Reads a command: words between blanks, quotes keep blanks together; or a JSON list of texts.
    pub(super) fn read(mut args: Bound) -> Result<Self, Trouble> {
        let text = args.take(0).as_text();
        let json = args.optional(1).is_some_and(|slot| slot.is_true());
        let words = match split(&text) {
            Ok(words) => words,
            Err(what) => return fails("bad_arguments", format!("the command {what}"), HOW),
        };
        let words: Vec<Word> = match words.into_iter().map(word).collect::<Result<_, String>>() {
            Ok(words) => words,
            Err(what) => return fails("bad_arguments", format!("the command {what}"), HOW),
        };
        match words.first() {
            Some(Word::Plain(program)) if !program.is_empty() => Ok(Self { words, json }),
            Some(_) => fails("bad_arguments", "the command's first word, the program, is no input", HOW),
            None => fails("bad_arguments", "the command is empty", HOW),
        }
    }
}

/// The words of a text.
fn split(text: &str) -> Result<Vec<String>, String> {
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(text).map_err(|e| format!("is not a JSON list of texts: {e}"));
    }
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    for c in text.chars() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err("has a quote that is not closed".to_owned());
    }
    words.extend(word.take());
    Ok(words)
}

fn word(text: String) -> Result<Word, String> {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    if let Some(name) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'))
        && is_name(name)
    {
        return Ok(Word::Input(Arc::from(name)));
    }
    if text.contains("{input_") {
        return Err(format!(
            "has an input inside the word `{text}`, and an input fills a whole argument only"
        ));
    }
    if text.contains('\0') {
        return Err("has a zero character".to_owned());
    }
    Ok(Word::Plain(Arc::from(text)))
}

pub(super) fn run(words: &Words, vars: &Map) -> Result<Done, Trouble> {
    let mut argv = Vec::with_capacity(words.words.len());
    for word in &words.words {
        argv.push(match word {
            Word::Plain(text) => Arc::clone(text),
            Word::Input(name) => match vars.get(name) {
                Some(Value::Text(text)) => Arc::clone(text),
                Some(other) => Arc::from(text_of(other)),
                None => return Err(missing_input(name).into()),
            },
        });
    }
    let inputs = vars.iter().map(|(name, value)| (Arc::clone(name), value.clone())).collect();
    Ok(Done::asks(Effect::Command(Command { argv, inputs, json: words.json }), After::Plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Result<Vec<Word>, String> {
        split(text)?.into_iter().map(word).collect()
    }

    #[test]
    fn inputs_are_whole_arguments() {
        let plain = |t: &str| Word::Plain(Arc::from(t));
        let input = |t: &str| Word::Input(Arc::from(t));
        assert_eq!(words("wc -c {input_1}"), Ok(vec![plain("wc"), plain("-c"), input("input_1")]));
        assert_eq!(
            words("a 'b c' \"\" d'e f'"),
            Ok(vec![plain("a"), plain("b c"), plain(""), plain("de f")])
        );
        assert_eq!(words("[\"a b\", \"{input_2}\"]"), Ok(vec![plain("a b"), input("input_2")]));
        assert_eq!(words("awk '{print $1}'"), Ok(vec![plain("awk"), plain("{print $1}")]));
        for bad in ["a --x={input_1}", "a 'b", "[1]", "[\"a\""] {
            assert!(words(bad).is_err(), "{bad}");
        }
    }
}
