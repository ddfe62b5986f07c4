//! The methods of the body by name: those that need no world are answered here, the others become deeds.

use std::sync::Arc;

use super::args::{Args, Given};
use super::deed::{Deed, Reading, World};
use super::tools::{is_known, unknown};
use super::{files, people};
use crate::base::{Map, ReplyFormat, Sign, Value, smart_substitute, strip, substitute, text_of};
use crate::faculty::python::protocol::Body;
use crate::faculty::{Failure, FailureKind};

/// The body of a script (semantics spec, section 11.3): arguments are checked, pure methods answered, everything else
/// is done by a world. What comes back is data for the script, whatever it looks like.
pub struct PureBody<'w> {
    world: &'w dyn World,
}

impl<'w> PureBody<'w> {
    /// A body over a world.
    pub fn new(world: &'w dyn World) -> Self {
        Self { world }
    }

    fn generate(&self, given: Given<'_>) -> Result<Value, Failure> {
        let parameters = &["prompt", "system_message", "response_format"];
        let args = Args::bind("llm", "generate", parameters, 1, given)?;
        let format = match args.value("response_format") {
            Value::Null | Value::Skip => ReplyFormat::Text,
            other => form_of(other).ok_or_else(|| {
                args.wrong("response_format", "a map such as {'type': 'json_object'}", other)
            })?,
        };
        let (prompt, system) = (args.text("prompt")?, args.optional_text("system_message")?);
        self.world.act(Deed::Generate { prompt, system, format })
    }

    fn prompt(&self, method: &str, given: Given<'_>) -> Result<Value, Failure> {
        match method {
            "read" => {
                let args = Args::bind("prompt_tool", "read", &["template_name"], 1, given)?;
                self.world.act(Deed::ReadPrompt { path: args.text("template_name")? })
            }
            "render" => {
                let args = Args::bind("prompt_tool", "render", &["template_name", "variables"], 1, given)?;
                let variables = match args.get("variables") {
                    Some(_) => args.map("variables")?,
                    None => &Map::new(),
                };
                let template = self.world.act(Deed::ReadPrompt { path: args.text("template_name")? })?;
                Ok(filled(&text_of(&template), variables))
            }
            _ => Err(unknown("prompt_tool", method)),
        }
    }

    fn interpreter(&self, method: &str, given: Given<'_>) -> Result<Value, Failure> {
        let tool = "python_interpreter";
        match method {
            "execute" => {
                let args = Args::bind(tool, method, &["script_code", "inputs"], 1, given)?;
                let (code, inputs) = (args.text("script_code")?, args.inputs("inputs")?);
                self.world.act(Deed::Execute { code, inputs })
            }
            "function_execute" => {
                let parameters = &["script_code", "function_name", "function_params"];
                let args = Args::bind(tool, method, parameters, 2, given)?;
                let (code, function) = (args.text("script_code")?, args.text("function_name")?);
                self.world.act(Deed::Call { code, function, inputs: args.inputs("function_params")? })
            }
            _ => Err(unknown(tool, method)),
        }
    }

    fn format(&self, method: &str, given: Given<'_>) -> Result<Value, Failure> {
        let bind = |parameters, required| Args::bind("formatter_tool", method, parameters, required, given);
        let reply = |how| {
            let args = bind(&["raw_response"], 1)?;
            self.world.read_reply(how, args.value("raw_response"))
        };
        match method {
            "get" => {
                let args = bind(&["dictionary", "key", "default"], 2)?;
                let Value::Map(map) = args.value("dictionary") else {
                    let got = args.value("dictionary");
                    return Err(args.wrong_as(FailureKind::NotADictionary, "dictionary", "a map", got));
                };
                let found = map.get(&args.text("key")?);
                Ok(found.unwrap_or(args.value("default")).clone())
            }
            "wrap" => {
                let args = bind(&["data", "type"], 1)?;
                wrapped(&args, args.value("data"))
            }
            "wrap_list" => {
                let args = bind(&["data_list", "type"], 1)?;
                let Value::List(items) = args.value("data_list") else {
                    let got = args.value("data_list");
                    return Err(args.wrong_as(FailureKind::NotAList, "data_list", "a list", got));
                };
                Ok(Value::List(items.iter().map(|item| wrapped(&args, item)).collect::<Result<_, _>>()?))
            }
            "parse" => reply(Reading::Map),
            "parse_boolean" => reply(Reading::Truth),
            "clean_code" => {
                let args = bind(&["raw_code"], 1)?;
                self.world.read_reply(Reading::Code, args.value("raw_code"))
            }
            "collect_script_inputs" => {
                let args = bind(&["all_inputs"], 1)?;
                Ok(collected(args.map("all_inputs")?))
            }
            "fill" => {
                let args = bind(&["template", "variables"], 2)?;
                Ok(filled(&args.text("template")?, args.map("variables")?))
            }
            "substitute" => {
                let args = bind(&["template_key", "variables"], 2)?;
                let (template, rest) = template_of(&args)?;
                Ok(filled(&template, &rest))
            }
            "smart_substitute" => {
                let args = bind(&["template_key", "combine_to_key", "variables"], 3)?;
                let (template, rest) = template_of(&args)?;
                Ok(Value::text(smart_substitute(&template, &rest, &args.text("combine_to_key")?)))
            }
            _ => Err(unknown("formatter_tool", method)),
        }
    }
}

impl Body for PureBody<'_> {
    fn call(
        &self,
        tool: &str,
        method: &str,
        args: &[Value],
        named: &[(Arc<str>, Value)],
    ) -> Result<Value, Failure> {
        let given = (args, named);
        match tool {
            "file_system" => files::call(self.world, method, given),
            "llm" if method == "generate" => self.generate(given),
            "prompt_tool" => self.prompt(method, given),
            "python_interpreter" => self.interpreter(method, given),
            "formatter_tool" => self.format(method, given),
            "perception_router" if method == "strip_sign" => {
                let args = Args::bind(tool, method, &["token"], 1, given)?;
                Ok(stripped(args.value("token")))
            }
            "user_input" if method == "interact" => people::call(self.world, given),
            _ if is_known(tool) => Err(unknown(tool, method)),
            _ => self.world.act(Deed::Tool {
                tool: Arc::from(tool),
                method: Arc::from(method),
                args: args.to_vec(),
                named: named.to_vec(),
            }),
        }
    }
}

/// `{"type": "json_object"}`, or `json_schema` with the schema in either of its usual places.
fn form_of(value: &Value) -> Option<ReplyFormat> {
    let Value::Map(map) = value else { return None };
    let Value::Text(kind) = map.get("type")? else { return None };
    match kind.as_ref() {
        "text" => Some(ReplyFormat::Text),
        "json_object" => Some(match map.get("schema") {
            Some(schema @ Value::Map(_)) => ReplyFormat::Schema(Arc::new(schema.to_json())),
            _ => ReplyFormat::Json,
        }),
        "json_schema" => {
            let outer = map.get("json_schema").or_else(|| map.get("schema"))?;
            let Value::Map(entries) = outer else { return None };
            let schema = entries.get("schema").filter(|s| matches!(s, Value::Map(_))).unwrap_or(outer);
            Some(ReplyFormat::Schema(Arc::new(schema.to_json())))
        }
        _ => None,
    }
}

fn filled(template: &str, variables: &Map) -> Value {
    Value::text(substitute(template, &|name| variables.get(name).map(text_of)))
}

/// The template among the variables, and the other variables.
fn template_of(args: &Args<'_>) -> Result<(Arc<str>, Map), Failure> {
    let (key, mut variables) = (args.text("template_key")?, args.map("variables")?.clone());
    match variables.shift_remove(&key) {
        Some(Value::Text(template)) => Ok((template, variables)),
        Some(other) => Ok((Arc::from(text_of(&other)), variables)),
        None => {
            let what = format!("finds no template: the variables have no `{key}`");
            Err(args.failure(FailureKind::MissingTemplate, &what))
        }
    }
}

/// The text of a sign around the text of a value. For the script it is a text like any other.
fn wrapped(args: &Args<'_>, data: &Value) -> Result<Value, Failure> {
    let norm = args.optional_text("type")?;
    match Sign::new(norm.as_deref(), text_of(data)) {
        Ok(sign) => Ok(Value::text(sign.to_string())),
        Err(error) => Err(Failure::new(FailureKind::InvalidNorm, error.to_string())),
    }
}

/// What is inside a text of the form of a sign; any other value itself. The sign itself is gone at once: what the
/// script gets is data.
fn stripped(token: &Value) -> Value {
    match token {
        Value::Text(text) => {
            Sign::parse(text).map_or_else(|| token.clone(), |sign| strip(&Value::Sign(Arc::new(sign))))
        }
        other => strip(other),
    }
}

/// The inputs of a script among all inputs, texts that are JSON read.
fn collected(inputs: &Map) -> Value {
    let read = |value: &Value| match value {
        Value::Text(text) => match serde_json::from_str(text) {
            Ok(json) => Value::from_data_json(&json),
            Err(_) => value.clone(),
        },
        other => other.clone(),
    };
    let entries = inputs.iter().filter(|(name, _)| name.starts_with("input_"));
    Value::Map(Arc::new(entries.map(|(name, value)| (Arc::clone(name), read(value))).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::FileAct;
    use serde_json::{Value as Json, json};
    use std::sync::Mutex;

    /// Writes down what it is asked, and answers with its name.
    #[derive(Default)]
    struct Notes(Mutex<Vec<Deed>>);

    impl World for Notes {
        fn act(&self, deed: Deed) -> Result<Value, Failure> {
            let answer = match &deed {
                Deed::ReadPrompt { .. } => Value::text("Dear $name, $$5"),
                Deed::File(FileAct::SaveMany { files, .. }) => {
                    Value::list(files.iter().map(|(name, _)| Value::Text(name.clone())))
                }
                Deed::File(FileAct::Exists { .. }) => Value::Bool(true),
                _ => Value::text("%{answer}(1)"),
            };
            self.0.lock().unwrap().push(deed);
            Ok(answer)
        }

        fn read_reply(&self, how: Reading, reply: &Value) -> Result<Value, Failure> {
            Ok(Value::text(format!("{how:?} {}", text_of(reply))))
        }
    }

    fn ask(world: &Notes, tool: &str, method: &str, args: Json, named: Json) -> Result<Json, Failure> {
        let args: Vec<_> = args.as_array().unwrap().iter().map(Value::from_data_json).collect();
        let named: Vec<_> = named
            .as_object()
            .unwrap()
            .iter()
            .map(|(k, v)| (Arc::from(k.as_str()), Value::from_data_json(v)))
            .collect();
        PureBody::new(world).call(tool, method, &args, &named).map(|value| value.to_json())
    }

    #[test]
    fn pure_methods() {
        let notes = Notes::default();
        let cases = [
            ("formatter_tool", "get", json!([{"a": 1}, "a"]), json!({}), json!(1)),
            ("formatter_tool", "get", json!([{"a": 1}, "b"]), json!({"default": 2}), json!(2)),
            ("formatter_tool", "get", json!([{"a": 1}, "b"]), json!({}), json!(null)),
            ("formatter_tool", "wrap", json!([{"a": [1, "x"]}]), json!({}), json!("%({'a': [1, 'x']})")),
            ("formatter_tool", "wrap", json!(["p", "save_path"]), json!({}), json!("%{save_path}(p)")),
            ("formatter_tool", "wrap", json!(["p"]), json!({"type": "literal"}), json!("%(p)")),
            (
                "formatter_tool",
                "wrap_list",
                json!([["a", 1]]),
                json!({"type": "t"}),
                json!(["%{t}(a)", "%{t}(1)"]),
            ),
            ("formatter_tool", "parse", json!(["{}"]), json!({}), json!("Map {}")),
            ("formatter_tool", "clean_code", json!([]), json!({"raw_code": "x"}), json!("Code x")),
            ("formatter_tool", "parse_boolean", json!([true]), json!({}), json!("Truth True")),
            (
                "formatter_tool",
                "collect_script_inputs",
                json!([{"input_1": "5", "input_2": "007", "save_path": "x", "input_3": ["5"]}]),
                json!({}),
                json!({"input_1": 5, "input_2": "007", "input_3": ["5"]}),
            ),
            (
                "formatter_tool",
                "fill",
                json!(["$a ${b} $c", {"a": "$b", "b": 1}]),
                json!({}),
                json!("$b 1 $c"),
            ),
            ("formatter_tool", "substitute", json!(["t", {"t": "$a $t", "a": 1}]), json!({}), json!("1 $t")),
            (
                "formatter_tool",
                "smart_substitute",
                json!(["t", "rest", {"t": "$input_1 $rest", "input_1": "a", "input_2": "b"}]),
                json!({}),
                json!("a <file_1>\nb\n</file_1>"),
            ),
            ("prompt_tool", "render", json!(["p.md", {"name": "%(x)"}]), json!({}), json!("Dear %(x), $5")),
            ("prompt_tool", "read", json!([]), json!({"template_name": "p.md"}), json!("Dear $name, $$5")),
            (
                "perception_router",
                "strip_sign",
                json!(["%{file_location}1(a.txt)"]),
                json!({}),
                json!("a.txt"),
            ),
            ("perception_router", "strip_sign", json!(["%([1, 'a'])"]), json!({}), json!([1, "a"])),
            ("perception_router", "strip_sign", json!([["%(1)"]]), json!({}), json!(["%(1)"])),
        ];
        for (tool, method, args, named, wanted) in cases {
            let got = ask(&notes, tool, method, args.clone(), named);
            assert_eq!(got, Ok(wanted), "{tool}.{method}{args}");
        }
    }

    #[test]
    fn what_needs_the_world_is_handed_on() {
        let notes = Notes::default();
        let text = |text: &str| Arc::<str>::from(text);
        let none = json!({});
        let reply =
            ask(&notes, "llm", "generate", json!(["p"]), json!({"response_format": {"type": "json_object"}}));
        // Whatever it looks like, it is a text for the script.
        assert_eq!(reply, Ok(json!("%{answer}(1)")));
        ask(&notes, "python_interpreter", "execute", json!(["result = a", {"a": 1}]), none.clone()).unwrap();
        ask(&notes, "python_interpreter", "function_execute", json!(["c", "main"]), none.clone()).unwrap();
        ask(&notes, "canvas", "draw", json!([1]), json!({"x": 2})).unwrap();
        let one = Value::Number(1.into());
        let wanted = vec![
            Deed::Generate { prompt: text("p"), system: None, format: ReplyFormat::Json },
            Deed::Execute { code: text("result = a"), inputs: vec![(text("a"), one.clone())] },
            Deed::Call { code: text("c"), function: text("main"), inputs: Vec::new() },
            Deed::Tool {
                tool: text("canvas"),
                method: text("draw"),
                args: vec![one],
                named: vec![(text("x"), Value::Number(2.into()))],
            },
        ];
        assert_eq!(*notes.0.lock().unwrap(), wanted);
    }

    #[test]
    fn what_cannot_be_asked_is_said() {
        use FailureKind::{
            BadArguments, InvalidNorm, MissingTemplate, NotADictionary, NotAList, UnsupportedAffordance,
        };
        let notes = Notes::default();
        let cases = [
            (
                "formatter_tool",
                "get",
                json!([[1], "a"]),
                NotADictionary,
                "expects a map as `dictionary`, got the list",
            ),
            ("formatter_tool", "wrap_list", json!(["a"]), NotAList, "a list as `data_list`"),
            ("formatter_tool", "wrap", json!(["a", "no norm"]), InvalidNorm, "no norm"),
            ("formatter_tool", "substitute", json!(["t", {}]), MissingTemplate, "no `t`"),
            ("formatter_tool", "gte", json!([]), UnsupportedAffordance, "no method `gte`"),
            ("llm", "generate", json!([]), BadArguments, "lacks the argument `prompt`"),
            ("llm", "generate", json!([["a"]]), BadArguments, "a text as `prompt`"),
            ("llm", "generate", json!(["a", null, "json"]), BadArguments, "'json_object'"),
            ("llm", "stream", json!([]), UnsupportedAffordance, "no method `stream`"),
            ("user_input", "ask", json!([]), UnsupportedAffordance, "no method `ask`"),
        ];
        for (tool, method, args, kind, words) in cases {
            let failure = ask(&notes, tool, method, args.clone(), json!({})).unwrap_err();
            assert_eq!(failure.kind, kind, "{failure}");
            assert!(failure.message.contains(words), "{failure}");
        }
        assert!(notes.0.lock().unwrap().is_empty());
        let failure = ask(&notes, "formatter_tool", "gte", json!([]), json!({})).unwrap_err();
        assert_eq!(failure.help.as_deref(), Some("did you mean `get`?"));
    }

    #[test]
    fn forms_of_replies() {
        let form = |json: Json| form_of(&Value::from_data_json(&json));
        let schema = json!({"type": "object"});
        let wanted = Some(ReplyFormat::Schema(Arc::new(schema.clone())));
        assert_eq!(
            form(json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema}})),
            wanted
        );
        assert_eq!(form(json!({"type": "json_object", "schema": schema})), wanted);
        assert_eq!(form(json!({"type": "json_object"})), Some(ReplyFormat::Json));
        assert_eq!(form(json!({"type": "text"})), Some(ReplyFormat::Text));
        assert_eq!(form(json!({"type": "xml"})), None);
    }
}
