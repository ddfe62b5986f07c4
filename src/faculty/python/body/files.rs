//! `body.file_system`: arguments in, answers in the forms scripts expect (semantics spec, section 10.4). A failure is an
//! exception, not an answer with a status.

use std::sync::Arc;

use super::args::{Args, Given};
use super::deed::{Deed, World};
use super::tools::unknown;
use crate::base::{FileAct, JsonLayout, Map, Numbers, Value, json_text, text_of};
use crate::faculty::memory;
use crate::faculty::{Failure, FailureKind};

/// Numbers come from the script, as Python writes them.
const LAYOUT: JsonLayout = JsonLayout { indent: 2, ascii: false, numbers: Numbers::AsRead };

pub(super) fn call(world: &dyn World, method: &str, given: Given<'_>) -> Result<Value, Failure> {
    let bind = |parameters, required| Args::bind("file_system", method, parameters, required, given);
    let act = |act| world.act(Deed::File(act));
    match method {
        "read" => {
            let path = bind(&["location"], 1)?.text("location")?;
            Ok(success([("content", act(FileAct::Read { path })?)]))
        }
        "exists" => act(FileAct::Exists { path: bind(&["location"], 1)?.text("location")? }),
        "save" => save(world, &bind(&["content", "location"], 2)?, "location"),
        "write" => save(world, &bind(&["path", "content"], 2)?, "path"),
        "save_from_dict" => {
            let args = bind(&["content_dict", "directory"], 2)?;
            let contents = args.map("content_dict")?;
            let files: Vec<_> =
                contents.iter().map(|(name, content)| (Arc::clone(name), entry_text(content))).collect();
            let saved = act(FileAct::SaveMany { folder: args.text("directory")?, files })?;
            let first = match &saved {
                Value::List(paths) => paths.first().cloned().unwrap_or(Value::Null),
                _ => Value::Null,
            };
            Ok(success([("saved_locations", saved), ("saved_location", first)]))
        }
        "read_memorized_value" => {
            let (key, file) = memory::read_key(&bind(&["content"], 1)?.text("content")?);
            Ok(success([("content", act(FileAct::Recall { key, file })?)]))
        }
        "save_memorized_value" => {
            let args = bind(&["content"], 1)?;
            let (key, value, file) = memorized(&args)?;
            let message = format!("saved key '{key}'");
            act(FileAct::Memorize { key, value, file })?;
            Ok(success([("message", Value::text(message))]))
        }
        _ => Err(unknown("file_system", method)),
    }
}

fn success<const N: usize>(entries: [(&str, Value); N]) -> Value {
    let status = (Arc::from("status"), Value::text("success"));
    let entries = entries.into_iter().map(|(name, value)| (Arc::from(name), value));
    Value::Map(Arc::new(std::iter::once(status).chain(entries).collect::<Map>()))
}

fn save(world: &dyn World, args: &Args<'_>, path: &str) -> Result<Value, Failure> {
    let content = match args.value("content") {
        Value::Null | Value::Skip => {
            let what = "got nothing to write as `content`";
            return Err(args.failure(FailureKind::NothingToSave, what));
        }
        Value::Text(text) => Arc::clone(text),
        value @ (Value::List(_) | Value::Map(_)) => Arc::from(json_text(value, LAYOUT)),
        other => Arc::from(text_of(other)),
    };
    let location = world.act(Deed::File(FileAct::Save { path: args.text(path)?, content }))?;
    Ok(success([("location", location)]))
}

fn entry_text(content: &Value) -> Arc<str> {
    match content {
        Value::Text(text) => Arc::clone(text),
        other => Arc::from(json_text(other, JsonLayout { ascii: true, ..LAYOUT })),
    }
}

type Memorized = (Arc<str>, Value, Option<Arc<str>>);

/// `{"key", "value", "location"}`, as a map or as its JSON text.
fn memorized(args: &Args<'_>) -> Result<Memorized, Failure> {
    let given = args.value("content");
    let read = match given {
        Value::Text(text) => serde_json::from_str(text).ok().map(|json| Value::from_data_json(&json)),
        other => Some(other.clone()),
    };
    let wrong = || args.wrong("content", "a JSON object with `key` and `value`", given);
    let Some(Value::Map(map)) = &read else { return Err(wrong()) };
    let text = |name: &str| match map.get(name) {
        Some(Value::Text(text)) => Some(Arc::clone(text)),
        _ => None,
    };
    let (Some(key), Some(value)) = (text("key"), map.get("value")) else { return Err(wrong()) };
    match (map.get("location"), text("location")) {
        (Some(_), None) => Err(wrong()),
        (_, file) => Ok((key, value.clone(), file)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faculty::python::body::Reading;
    use serde_json::{Value as Json, json};
    use std::sync::Mutex;

    /// Writes down what it is asked.
    #[derive(Default)]
    struct Notes(Mutex<Vec<Deed>>);

    impl World for Notes {
        fn act(&self, deed: Deed) -> Result<Value, Failure> {
            let answer = match &deed {
                Deed::File(FileAct::SaveMany { folder, files }) => {
                    Value::list(files.iter().map(|(name, _)| Value::text(format!("{folder}/{name}"))))
                }
                Deed::File(FileAct::Save { path, .. }) => Value::Text(Arc::clone(path)),
                Deed::File(FileAct::Exists { .. }) => Value::Bool(false),
                _ => Value::text("text"),
            };
            self.0.lock().unwrap().push(deed);
            Ok(answer)
        }

        fn read_reply(&self, _: Reading, reply: &Value) -> Result<Value, Failure> {
            Ok(reply.clone())
        }
    }

    fn ask(method: &str, args: Json) -> (Result<Json, Failure>, Option<Deed>) {
        let notes = Notes::default();
        let args: Vec<_> = args.as_array().unwrap().iter().map(Value::from_data_json).collect();
        let answer = call(&notes, method, (&args, &[])).map(|v| v.to_json());
        (answer, notes.0.into_inner().unwrap().pop())
    }

    #[test]
    fn answers_have_the_forms_scripts_expect() {
        let cases = [
            ("read", json!(["a"]), json!({"status": "success", "content": "text"})),
            ("exists", json!(["a"]), json!(false)),
            ("save", json!(["x", "o/a"]), json!({"status": "success", "location": "o/a"})),
            ("write", json!(["o/a", "x"]), json!({"status": "success", "location": "o/a"})),
            (
                "save_from_dict",
                json!([{"a": "1", "b": 2}, "o"]),
                json!({"status": "success", "saved_locations": ["o/a", "o/b"], "saved_location": "o/a"}),
            ),
            (
                "save_from_dict",
                json!([{}, "o"]),
                json!({"status": "success", "saved_locations": [], "saved_location": null}),
            ),
            ("read_memorized_value", json!(["k"]), json!({"status": "success", "content": "text"})),
            (
                "save_memorized_value",
                json!(["{\"key\": \"k\", \"value\": 1}"]),
                json!({"status": "success", "message": "saved key 'k'"}),
            ),
        ];
        for (method, args, wanted) in cases {
            assert_eq!(ask(method, args).0, Ok(wanted), "{method}");
        }
    }

    #[test]
    fn contents_become_texts() {
        let saved = |content: Json| match ask("save", json!([content, "p"])) {
            (Ok(_), Some(Deed::File(FileAct::Save { content, .. }))) => content.to_string(),
            (other, _) => format!("{other:?}"),
        };
        assert_eq!(saved(json!("text")), "text");
        assert_eq!(saved(json!({"a": [1, "é"]})), "{\n  \"a\": [\n    1,\n    \"é\"\n  ]\n}");
        assert_eq!(saved(json!(5)), "5");
        assert_eq!(saved(json!(true)), "True");
        assert!(saved(json!(null)).contains("NothingToSave"));
        let Some(Deed::File(FileAct::SaveMany { files, .. })) =
            ask("save_from_dict", json!([{"a": ["é"]}, "o"])).1
        else {
            panic!("several files")
        };
        assert_eq!(files, [(Arc::from("a"), Arc::from("[\n  \"\\u00e9\"\n]"))]);
    }

    #[test]
    fn memory_takes_a_key_or_a_json_object() {
        let text = |text: &str| Arc::<str>::from(text);
        let deed = |method: &str, args: Json| ask(method, args).1;
        let recall = |key: &str, file: Option<&str>| {
            Deed::File(FileAct::Recall { key: text(key), file: file.map(text) })
        };
        assert_eq!(deed("read_memorized_value", json!(["k"])), Some(recall("k", None)));
        let other = json!([r#"{"key": "k", "location": "m.json"}"#]);
        assert_eq!(deed("read_memorized_value", other), Some(recall("k", Some("m.json"))));
        let set = json!([{"key": "k", "value": [1], "location": "m.json"}]);
        let wanted = Deed::File(FileAct::Memorize {
            key: text("k"),
            value: Value::list([Value::Number(1.into())]),
            file: Some(text("m.json")),
        });
        assert_eq!(deed("save_memorized_value", set), Some(wanted));
        for bad in [json!(["k"]), json!([{"key": "k"}]), json!([{"key": 1, "value": 1}]), json!(["[1]"])] {
            let failure = ask("save_memorized_value", bad).0.unwrap_err();
            assert_eq!(failure.kind, FailureKind::BadArguments);
            assert!(failure.message.contains("`key` and `value`"), "{failure}");
        }
    }
}
