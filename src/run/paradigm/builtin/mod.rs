//! The paradigms that are always there, in a short form that is written out to the one of files and read like any other
//! (semantics spec, section 10.7). Short names for new plans are a file each; the long names of existing plans are put
//! together from a few ways to prepare and a few plans.
//!
//! The short form: `about`; `setup`, what is prepared, `{"key": {"call": "tool.method", "argument": value}}`; `plan`,
//! steps `{"key": "tool.method or prepared key", "argument": "key of the context", "argument=": value}`, perhaps with
//! `if` or `unless` and a key of the context. A value `$key` is something prepared, or a state of the step. The last
//! step is the answer.

mod long;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use indexmap::IndexMap;
use serde_json::{Map as JsonMap, Value as Json, json};

use super::document::Paradigm;

/// The short names.
const SHORT: [(&str, &str); 17] = [
    ("ask", include_str!("ask.json")),
    ("ask-files", include_str!("ask-files.json")),
    ("chat-read", include_str!("chat-read.json")),
    ("chat-write", include_str!("chat-write.json")),
    ("choose", include_str!("choose.json")),
    ("confirm", include_str!("confirm.json")),
    ("edit", include_str!("edit.json")),
    ("generate-json", include_str!("generate-json.json")),
    ("generate-text", include_str!("generate-text.json")),
    ("judge", include_str!("judge.json")),
    ("pass-through", include_str!("pass-through.json")),
    ("read-file", include_str!("read-file.json")),
    ("run-command", include_str!("run-command.json")),
    ("run-command-json", include_str!("run-command-json.json")),
    ("run-script", include_str!("run-script.json")),
    ("say", include_str!("say.json")),
    ("write-file", include_str!("write-file.json")),
];

/// What the old sequences with a model are lowered to (section 9); no names for plans.
const OLD: [(&str, &str); 8] = [
    ("old_answer", include_str!("old_answer.json")),
    ("old_answer_or_all", include_str!("old_answer_or_all.json")),
    ("old_code", include_str!("old_code.json")),
    ("old_code_answer", include_str!("old_code_answer.json")),
    ("old_list", include_str!("old_list.json")),
    ("old_text", include_str!("old_text.json")),
    ("old_truth", include_str!("old_truth.json")),
    ("old_truth_answer", include_str!("old_truth_answer.json")),
];

/// All of them. INVARIANT: every text here is a paradigm without problems; a test reads them all.
static ALL: LazyLock<BTreeMap<&'static str, Arc<Paradigm>>> = LazyLock::new(|| {
    let read = |(name, short): (&'static str, Option<Json>)| {
        let full = written_out(&short?)?;
        Some((name, Arc::new(Paradigm::read(name, &full.to_string()).ok()?)))
    };
    documents().filter_map(read).collect()
});

fn documents() -> impl Iterator<Item = (&'static str, Option<Json>)> {
    let short = SHORT.into_iter().chain(OLD).map(|(name, text)| (name, serde_json::from_str(text).ok()));
    short.chain(long::documents())
}

impl Paradigm {
    /// A paradigm that is always there; none when there is none of that name.
    pub fn builtin(name: &str) -> Option<Arc<Self>> {
        ALL.get(name).map(Arc::clone)
    }

    /// The names of the paradigms that are always there and that a plan may name, in order.
    pub fn builtin_names() -> impl Iterator<Item = &'static str> {
        ALL.keys().copied().filter(|name| !OLD.iter().any(|(old, _)| old == name))
    }
}

/// The form of files of a paradigm in the short form; none when it is no such form.
fn written_out(short: &Json) -> Option<Json> {
    let no_setup = JsonMap::new();
    let setup = short.get("setup").map_or(Some(&no_setup), Json::as_object)?;
    let mut document = Document::default();
    for (key, call) in setup {
        let call = call.as_object()?;
        let label = call.get("call")?.as_str()?;
        let params: JsonMap<String, Json> =
            call.iter().filter(|(name, _)| *name != "call").map(|(n, v)| (n.clone(), value(v))).collect();
        document.step(label, true, params, key)?;
    }
    let mut plan: Vec<Json> = Vec::new();
    let mut last = None;
    for step in short.get("plan")?.as_array()? {
        let mut entries = step.as_object()?.iter();
        let (output, function) = entries.next()?;
        let function = function.as_str()?;
        if !setup.contains_key(function) && !document.results.contains_key(function) {
            document.step(function, false, JsonMap::new(), function)?;
        }
        plan.push(planned(output, function, entries)?);
        last = Some(output);
    }
    let params = json!({"plan": plan, "return_key": last?});
    document.step("composition_tool.compose", true, params.as_object()?.clone(), "instruction_fn")?;
    Some(document.finish(short.get("about")?))
}

fn planned<'j>(
    output: &str,
    function: &str,
    entries: impl Iterator<Item = (&'j String, &'j Json)>,
) -> Option<Json> {
    let (mut params, mut literals, mut condition) = (JsonMap::new(), JsonMap::new(), Json::Null);
    for (name, given) in entries {
        match name.as_str() {
            "if" => condition = json!({"key": given, "operator": "is_true"}),
            "unless" => condition = json!({"key": given, "operator": "is_false"}),
            other => match other.strip_suffix('=') {
                Some(name) => drop(literals.insert(name.to_owned(), value(given))),
                None => drop(params.insert(other.to_owned(), given.clone())),
            },
        }
    }
    Some(json!({
        "output_key": output,
        "function": {"__type__": "MetaValue", "key": function},
        "params": params,
        "literal_params": literals,
        "condition": condition,
    }))
}

fn value(given: &Json) -> Json {
    match given.as_str().and_then(|text| text.strip_prefix('$')) {
        Some(key) => json!({"__type__": "MetaValue", "key": key}),
        None => given.clone(),
    }
}

#[derive(Default)]
struct Document {
    tools: IndexMap<String, IndexMap<String, String>>,
    steps: Vec<Json>,
    results: IndexMap<String, ()>,
}

impl Document {
    fn step(&mut self, label: &str, now: bool, params: JsonMap<String, Json>, result: &str) -> Option<()> {
        let (tool, affordance, code) = match label {
            "identity" => ("formatter_tool", "identity".to_owned(), "result = lambda x: x".to_owned()),
            "json.loads" => {
                ("formatter_tool", "parse_json".to_owned(), "import json\nresult = json.loads".to_owned())
            }
            other => {
                let (tool, method) = other.split_once('.')?;
                match now {
                    true => (tool, format!("{method}_now"), format!("result = tool.{method}(**params)")),
                    false => (tool, method.to_owned(), format!("result = tool.{method}")),
                }
            }
        };
        self.steps.push(json!({
            "step_index": self.steps.len() + 1,
            "affordance": format!("{tool}.{affordance}"),
            "params": params,
            "result_key": result,
        }));
        self.tools.entry(tool.to_owned()).or_default().insert(affordance, code);
        self.results.insert(result.to_owned(), ());
        Some(())
    }

    fn finish(self, about: &Json) -> Json {
        let affordances = |codes: IndexMap<String, String>| -> Vec<Json> {
            codes
                .into_iter()
                .map(|(name, code)| json!({"affordance_name": name, "call_code": code}))
                .collect()
        };
        let tools: Vec<Json> = self
            .tools
            .into_iter()
            .map(|(tool, codes)| json!({"tool_name": tool, "affordances": affordances(codes)}))
            .collect();
        json!({
            "metadata": {"description": about},
            "env_spec": {"tools": tools},
            "sequence_spec": {"steps": self.steps},
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_paradigm_is_read_without_remarks() {
        let mut count = 0;
        for (name, short) in documents() {
            let full = written_out(&short.expect(name)).expect(name);
            let read = Paradigm::read(name, &full.to_string()).unwrap_or_else(|p| panic!("{name}: {p:#?}"));
            assert_eq!(read.remarks(), [], "{name}");
            assert!(!read.description.is_empty(), "{name}");
            count += 1;
        }
        assert_eq!(Paradigm::builtin_names().count() + OLD.len(), count);
        assert!(Paradigm::builtin("nonsense").is_none());
    }

    #[test]
    fn what_they_touch_is_known() {
        let uses = |name: &str| Paradigm::builtin(name).unwrap().uses();
        assert!(uses("generate-text").model && !uses("generate-text").writes);
        assert!(uses("confirm").person && !uses("confirm").model);
        assert!(uses("run-command").commands && uses("run-script").scripts && uses("write-file").writes);
        assert_eq!(uses("h_Command-c_CanvasExecute-o_Status").tools, ["canvas"]);
        let name =
            "h_PromptTemplate_ScriptLocation-c_Retrieve_or_GenerateThinkJson_ExtractPy_Execute-o_Normal";
        let calls = Paradigm::builtin(name).unwrap().calls();
        let model = calls.iter().find(|c| c.method == "llm.generate").unwrap();
        assert_eq!(model.condition.as_ref().unwrap().to_string(), "`there` is false");
        assert_eq!(calls.len(), 5);
    }
}
