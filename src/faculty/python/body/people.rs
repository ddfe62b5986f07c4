//! `body.user_input`: the questions of a script as data (semantics spec, section 10.4).

use std::sync::Arc;

use super::args::{Args, Given};
use super::deed::{Deed, World};
use crate::base::{Map, Question, QuestionKind, Validation, Value, nearest, text_of};
use crate::faculty::{Failure, FailureKind};

/// The words for kinds of questions, and the stable words of the kinds.
const KINDS: [(&str, &str); 11] = [
    ("simple_text", "text"),
    ("text_input", "text"),
    ("text", "text"),
    ("validated_text", "text"),
    ("confirm", "confirm"),
    ("text_editor", "edit"),
    ("edit", "edit"),
    ("select", "choose"),
    ("choose", "choose"),
    ("multi_file_input", "files"),
    ("files", "files"),
];

const PARAMETERS: &[&str] = &[
    "interaction_type",
    "prompt_text",
    "initial_text",
    "default",
    "non_interactive_default",
    "initial_directory",
    "validation",
    "options",
];

/// Asks a person what `body.user_input` was asked for.
pub(super) fn call(world: &dyn World, (args, named): Given<'_>) -> Result<Value, Failure> {
    // Whatever else a script hands along is context of the question; it is shown below it.
    let (known, context): (Vec<_>, Vec<_>) =
        named.iter().cloned().partition(|(name, _)| PARAMETERS.contains(&name.as_ref()));
    let args = Args::bind("user_input", "interact", PARAMETERS, 1, (args, &known))?;
    let word = args.text("interaction_type")?;
    let Some((_, kind)) = KINDS.iter().find(|(known, _)| *known == word.as_ref()) else {
        let failure =
            args.failure(FailureKind::BadArguments, &format!("does not know the interaction `{word}`"));
        return Err(match nearest(&word, KINDS.iter().map(|(known, _)| *known)) {
            Some(near) => failure.with_help(format!("did you mean `{near}`?")),
            None => failure.with_help(
                "write one of simple_text, validated_text, confirm, select, text_editor, multi_file_input",
            ),
        });
    };
    let mut prompt = args.optional_text("prompt_text")?.unwrap_or_else(|| Arc::from("Enter input:"));
    if !context.is_empty() {
        let lines: Vec<_> =
            context.iter().map(|(name, value)| format!("{name}: {}", text_of(value))).collect();
        prompt = Arc::from(format!("{prompt}\n\n{}", lines.join("\n")));
    }
    let options = options(&args)?;
    let kind = match *kind {
        "confirm" => QuestionKind::Confirm,
        "edit" => QuestionKind::Edit,
        "choose" if options.is_empty() => {
            let message = "has nothing to choose from: `options` is empty";
            return Err(args.failure(FailureKind::BadArguments, message));
        }
        "choose" => QuestionKind::Choose(options),
        "files" => QuestionKind::Files,
        _ => QuestionKind::Text,
    };
    let default = args.get("default").filter(|value| !matches!(value, Value::Null | Value::Skip)).cloned();
    let initial = args.optional_text("initial_text")?;
    let validation = validation(&args)?;
    world.act(Deed::Ask(Question { kind, prompt, initial, default, validation }))
}

fn options(args: &Args<'_>) -> Result<Vec<Arc<str>>, Failure> {
    match args.value("options") {
        Value::Null | Value::Skip => Ok(Vec::new()),
        Value::List(items) => Ok(items.iter().map(|item| Arc::from(text_of(item))).collect()),
        other => Err(args.wrong("options", "a list", other)),
    }
}

/// `{"type": "file_exists", "error_message": ..}` and its like.
fn validation(args: &Args<'_>) -> Result<Option<Validation>, Failure> {
    let wrong = |got: &Value| {
        args.wrong("validation", "a map with the `type` file_exists, not_empty or pattern", got)
    };
    let map: &Map = match args.value("validation") {
        Value::Null | Value::Skip => return Ok(None),
        Value::Map(map) => map,
        other => return Err(wrong(other)),
    };
    let text = |name: &str| match map.get(name) {
        Some(Value::Text(text)) => Some(Arc::clone(text)),
        _ => None,
    };
    match (text("type").as_deref(), text("pattern")) {
        (Some("file_exists"), _) => Ok(Some(Validation::FileExists(text("error_message")))),
        (Some("not_empty"), _) => Ok(Some(Validation::NotEmpty)),
        (Some("pattern" | "regex"), Some(pattern)) => Ok(Some(Validation::Pattern(pattern))),
        _ => Err(wrong(args.value("validation"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faculty::python::body::Reading;
    use serde_json::{Value as Json, json};
    use std::sync::Mutex;

    struct Person(Mutex<Option<Question>>);

    impl World for Person {
        fn act(&self, deed: Deed) -> Result<Value, Failure> {
            let Deed::Ask(asking) = deed else { panic!("a question") };
            *self.0.lock().unwrap() = Some(asking);
            Ok(Value::Null)
        }

        fn read_reply(&self, _: Reading, reply: &Value) -> Result<Value, Failure> {
            Ok(reply.clone())
        }
    }

    fn ask(named: Json) -> Result<Question, Failure> {
        let person = Person(Mutex::new(None));
        let named: Vec<_> = named
            .as_object()
            .unwrap()
            .iter()
            .map(|(k, v)| (Arc::from(k.as_str()), Value::from_data_json(v)))
            .collect();
        call(&person, (&[], &named))?;
        Ok(person.0.into_inner().unwrap().unwrap())
    }

    #[test]
    fn questions_are_understood() {
        let plain = ask(json!({"interaction_type": "simple_text", "prompt_text": "Who?"})).unwrap();
        assert_eq!((plain.kind, plain.prompt.as_ref(), plain.validation), (QuestionKind::Text, "Who?", None));
        let choice =
            json!({"interaction_type": "select", "prompt_text": "?", "options": ["a", 2], "default": "a"});
        let choice = ask(choice).unwrap();
        let options = vec![Arc::from("a"), Arc::from("2")];
        assert_eq!((choice.kind, choice.default), (QuestionKind::Choose(options), Some(Value::text("a"))));
        let checked = json!({"interaction_type": "validated_text", "validation":
            {"type": "file_exists", "error_message": "no such file"}});
        let wanted = Some(Validation::FileExists(Some(Arc::from("no such file"))));
        assert_eq!(ask(checked).unwrap().validation, wanted);
        let context = ask(json!({"interaction_type": "confirm", "prompt_text": "Go?", "context_1": [1]}));
        assert_eq!(context.unwrap().prompt.as_ref(), "Go?\n\ncontext_1: [1]");
    }

    #[test]
    fn questions_that_make_no_sense_are_refused() {
        let cases = [
            (json!({"interaction_type": "selekt"}), "does not know the interaction `selekt`"),
            (json!({"interaction_type": "select"}), "nothing to choose from"),
            (json!({"interaction_type": "select", "options": "a"}), "a list as `options`"),
            (json!({"interaction_type": "text", "validation": {"type": "age"}}), "file_exists"),
        ];
        for (named, words) in cases {
            let failure = ask(named).unwrap_err();
            assert_eq!(failure.kind, FailureKind::BadArguments);
            assert!(failure.message.contains(words), "{failure}");
        }
    }
}
