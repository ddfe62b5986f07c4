//! Reads the file of a paradigm: JSON of the form of the semantics spec, section 10.1, with every problem it has. Its
//! steps, its plan, and what the plan does with its keys are looked at elsewhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map as JsonMap, Value as Json};

use super::check;
use super::code::CallCode;
use super::document::{Paradigm, Param, Planned, Problem, StatePath};
use super::methods::Signature;
use crate::base::{Value, listed, nearest};
use crate::repo::json;

/// How large the file of a paradigm may be.
const SIZE_LIMIT: usize = 1 << 20;

/// How many problems get a suggestion.
const SUGGESTIONS: usize = 20;

/// Where the function of a paradigm is stored.
pub(super) const FUNCTION: &str = "instruction_fn";

const CALL_CODES: &str = "write `result = tool.METHOD`, `result = tool.METHOD(name=params['key'])`, \
                          `result = params['a']['b']`, `result = params['a'].get(params['b'])`, \
                          `result = lambda x: x`, or `import json` and `result = json.loads`";

const STATES: &str = "the states are `states.vertical`, `states.schema`, `states.body.base_dir`, and \
                      `states.function.concept.` or `states.inference.concept.` with `id`, `name`, `type`, `context`, \
                      `axis_name` or `natural_name`";

impl Paradigm {
    /// Reads the text of a paradigm file (semantics spec, sections 10.1 to 10.3).
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(name: &str, text: &str) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader { name, ..Reader::default() };
        let read = reader.document(text);
        match read {
            Some(mut paradigm) if reader.problems.is_empty() => {
                check::check(&paradigm, &mut reader);
                paradigm.remarks = std::mem::take(&mut reader.remarks);
                if reader.problems.is_empty() { Ok(paradigm) } else { Err(reader.problems) }
            }
            _ => Err(reader.problems),
        }
    }
}

/// What is stored under a key while the function is prepared.
#[derive(Debug, Clone)]
pub(super) enum Stored {
    Value,
    /// Something that can be called.
    Function(Signature, Vec<(Arc<str>, &'static str)>),
    /// The plan of the paradigm.
    Plan,
}

#[derive(Default)]
pub(super) struct Reader<'a> {
    name: &'a str,
    pub(super) problems: Vec<Problem>,
    pub(super) remarks: Vec<Problem>,
    pub(super) stored: BTreeMap<Arc<str>, Stored>,
}

/// An affordance as it is declared.
pub(super) struct Affordance {
    pub(super) tool: Arc<str>,
    pub(super) code: Option<CallCode>,
}

/// A step as it is declared.
pub(super) struct Step<'j> {
    pub(super) index: f64,
    pub(super) affordance: &'j str,
    pub(super) params: &'j JsonMap<String, Json>,
    pub(super) result: &'j str,
}

impl<'a> Reader<'a> {
    pub(super) fn problem(
        &mut self,
        kind: &'static str,
        place: &str,
        what: impl AsRef<str>,
        help: impl Into<String>,
    ) {
        let problem = self.worded(kind, place, what.as_ref(), help.into());
        self.problems.push(problem);
    }

    pub(super) fn remark(
        &mut self,
        kind: &'static str,
        place: &str,
        what: impl AsRef<str>,
        help: impl Into<String>,
    ) {
        let problem = self.worded(kind, place, what.as_ref(), help.into());
        self.remarks.push(problem);
    }

    fn worded(&self, kind: &'static str, place: &str, what: &str, help: String) -> Problem {
        let comma = if place.is_empty() { "" } else { ", " };
        let message = format!("paradigm `{}`{comma}{place}: {what}", self.name);
        Problem { kind, message, help: Some(help).filter(|h| !h.is_empty()) }
    }

    /// A name to suggest. Only the first problems get one: each suggestion looks at all names.
    pub(super) fn near<'n>(&self, name: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
        if self.problems.len() < SUGGESTIONS { nearest(name, names) } else { None }
    }

    pub(super) fn malformed(&mut self, place: &str, what: impl AsRef<str>, help: &str) {
        self.problem("bad_paradigm", place, what, help);
    }

    fn document(&mut self, text: &str) -> Option<Paradigm> {
        if text.len() > SIZE_LIMIT {
            self.malformed("", format!("the file is larger than {SIZE_LIMIT} bytes"), "write a shorter one");
            return None;
        }
        let root = match json::read(text) {
            Ok(root) => root,
            Err(error) => {
                self.malformed("", format!("the file is not JSON of a paradigm: {error}"), "");
                return None;
            }
        };
        let root = self.object("", "the file", &root, &["metadata", "env_spec", "sequence_spec"])?;
        let description = match root.get("metadata") {
            Some(Json::Object(metadata)) => {
                metadata.get("description").and_then(Json::as_str).map_or_else(|| Arc::from(""), Arc::from)
            }
            Some(_) => {
                self.malformed("", "`metadata` is not an object", "write `{\"description\": ...}`");
                Arc::from("")
            }
            None => {
                self.malformed("", "`metadata` is missing", "write `\"metadata\": {\"description\": ...}`");
                Arc::from("")
            }
        };
        let affordances = self.affordances(root);
        let steps = self.steps(root)?;
        let mut paradigm = Paradigm {
            name: Arc::from(self.name),
            description,
            setup: Vec::new(),
            plan: Vec::new(),
            return_key: None,
            remarks: Vec::new(),
        };
        for step in &steps {
            self.step(step, &affordances, &mut paradigm);
        }
        self.function(&mut paradigm);
        Some(paradigm)
    }

    /// The object a value is, with remarks for keys that nobody reads.
    pub(super) fn object<'j>(
        &mut self,
        place: &str,
        what: &str,
        json: &'j Json,
        keys: &[&str],
    ) -> Option<&'j JsonMap<String, Json>> {
        let Json::Object(map) = json else {
            self.malformed(
                place,
                format!("{what} is not an object"),
                &format!("write an object with {}", listed(keys)),
            );
            return None;
        };
        for key in map.keys().filter(|k| !keys.contains(&k.as_str())) {
            let help = match nearest(key, keys.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the keys that are read are {}", listed(keys)),
            };
            self.remark("unread_key", place, format!("nobody reads the key `{key}` of {what}"), help);
        }
        Some(map)
    }

    fn list<'j>(&mut self, place: &str, what: &str, json: Option<&'j Json>) -> &'j [Json] {
        match json {
            Some(Json::Array(items)) => items,
            Some(_) => {
                self.malformed(place, format!("`{what}` is not a list"), "write a list");
                &[]
            }
            None => {
                self.malformed(place, format!("`{what}` is missing"), &format!("write `\"{what}\": [...]`"));
                &[]
            }
        }
    }

    pub(super) fn text<'j>(
        &mut self,
        place: &str,
        key: &str,
        map: &'j JsonMap<String, Json>,
    ) -> Option<&'j str> {
        match map.get(key) {
            Some(Json::String(text)) => Some(text),
            Some(_) => {
                self.malformed(place, format!("`{key}` is not a text"), "write a text");
                None
            }
            None => {
                self.malformed(place, format!("`{key}` is missing"), &format!("write `\"{key}\": \"...\"`"));
                None
            }
        }
    }

    fn affordances(&mut self, root: &JsonMap<String, Json>) -> BTreeMap<String, Affordance> {
        let mut found = BTreeMap::new();
        let Some(spec) = root.get("env_spec") else {
            self.malformed("", "`env_spec` is missing", "write `\"env_spec\": {\"tools\": [...]}`");
            return found;
        };
        let Some(spec) = self.object("", "`env_spec`", spec, &["tools"]) else { return found };
        for (i, tool) in self.list("", "tools", spec.get("tools")).iter().enumerate() {
            let place = format!("tool {}", i + 1);
            let Some(tool) = self.object(&place, "the tool", tool, &["tool_name", "affordances"]) else {
                continue;
            };
            let Some(name) = self.text(&place, "tool_name", tool) else { continue };
            let place = format!("tool `{name}`");
            for affordance in self.list(&place, "affordances", tool.get("affordances")) {
                let keys = ["affordance_name", "call_code"];
                let Some(given) = self.object(&place, "an affordance", affordance, &keys) else { continue };
                let Some(short) = self.text(&place, "affordance_name", given) else { continue };
                let full = format!("{name}.{short}");
                let place = format!("affordance `{full}`");
                let Some(code) = self.text(&place, "call_code", given) else { continue };
                let read = CallCode::parse(code);
                if read.is_none() {
                    let shown: String =
                        code.chars().take(200).map(|c| if c == '\n' { ' ' } else { c }).collect();
                    let what = format!("the code `{shown}` is not one that can be read");
                    self.problem("unsupported_call_code", &place, what, CALL_CODES);
                }
                let affordance = Affordance { tool: Arc::from(name), code: read };
                if found.insert(full, affordance).is_some() {
                    self.malformed(&place, "it is declared twice", "give each affordance its own name");
                }
            }
        }
        found
    }

    fn steps<'j>(&mut self, root: &'j JsonMap<String, Json>) -> Option<Vec<Step<'j>>> {
        static NO_PARAMS: std::sync::LazyLock<JsonMap<String, Json>> = std::sync::LazyLock::new(JsonMap::new);
        let Some(spec) = root.get("sequence_spec") else {
            self.malformed("", "`sequence_spec` is missing", "write `\"sequence_spec\": {\"steps\": [...]}`");
            return None;
        };
        let spec = self.object("", "`sequence_spec`", spec, &["steps"])?;
        let mut steps = Vec::new();
        for (i, step) in self.list("", "steps", spec.get("steps")).iter().enumerate() {
            let place = format!("step {} of the list", i + 1);
            let keys = ["step_index", "affordance", "params", "result_key"];
            let Some(step) = self.object(&place, "the step", step, &keys) else { continue };
            let index = match step.get("step_index").map(Json::as_f64) {
                Some(Some(index)) => index,
                _ => {
                    self.malformed(&place, "`step_index` is not a number", "number the steps from 1");
                    continue;
                }
            };
            let params = match step.get("params") {
                Some(Json::Object(params)) => params,
                None | Some(Json::Null) => &*NO_PARAMS,
                Some(_) => {
                    self.malformed(&place, "`params` is not an object", "write `\"params\": {}`");
                    continue;
                }
            };
            let (affordance, result) =
                (self.text(&place, "affordance", step), self.text(&place, "result_key", step));
            if let (Some(affordance), Some(result)) = (affordance, result) {
                steps.push(Step { index, affordance, params, result });
            }
        }
        steps.sort_by(|a, b| a.index.total_cmp(&b.index));
        Some(steps)
    }

    /// The function of the paradigm: its plan, or one function that is called with the inputs.
    fn function(&mut self, paradigm: &mut Paradigm) {
        match self.stored.get(FUNCTION) {
            Some(Stored::Plan) => {}
            Some(Stored::Function(signature, aliases)) => {
                paradigm.plan = vec![Planned {
                    output: Arc::from("result"),
                    function: Param::Key(Arc::from(FUNCTION)),
                    signature: Some(*signature),
                    aliases: aliases.clone(),
                    condition: None,
                    literals: Vec::new(),
                    params: vec![(
                        Arc::from(super::document::POSITIONAL),
                        Arc::from(super::document::INPUTS),
                    )],
                }];
            }
            Some(Stored::Value) if !self.problems.is_empty() => {}
            _ => {
                let what = format!("no step stores a function under `{FUNCTION}`");
                let help = format!(
                    "end with a step `composition_tool.compose` with `\"result_key\": \"{FUNCTION}\"`"
                );
                self.problem("paradigm_gives_no_function", "", what, help);
            }
        }
    }

    /// A parameter, with its references resolved as far as they can be. Depth is bounded by the reader of JSON.
    pub(super) fn param(&mut self, place: &str, json: &Json) -> Param {
        match json {
            Json::Object(map) if map.get("__type__").and_then(Json::as_str) == Some("MetaValue") => {
                self.reference(place, map)
            }
            Json::Object(map) => {
                let read =
                    |(name, inner): (&String, &Json)| (Arc::from(name.as_str()), self.param(place, inner));
                let entries: Vec<(Arc<str>, Param)> = map.iter().map(read).collect();
                match entries.iter().all(|(_, p)| matches!(p, Param::Value(_))) {
                    true => Param::Value(Value::from_data_json(json)),
                    false => Param::Map(entries),
                }
            }
            Json::Array(items) => {
                let entries: Vec<Param> = items.iter().map(|i| self.param(place, i)).collect();
                match entries.iter().all(|p| matches!(p, Param::Value(_))) {
                    true => Param::Value(Value::from_data_json(json)),
                    false => Param::List(entries),
                }
            }
            other => Param::Value(Value::from_data_json(other)),
        }
    }

    fn reference(&mut self, place: &str, map: &JsonMap<String, Json>) -> Param {
        let nothing = Param::Value(Value::Null);
        let Some(Json::String(key)) = map.get("key") else {
            self.problem("unknown_meta_key", place, "a `MetaValue` has no `key`", "write `\"key\": \"...\"`");
            return nothing;
        };
        if let Some(path) = key.strip_prefix("states.") {
            return match StatePath::parse(path) {
                Some(path) => Param::State(path),
                None => {
                    self.problem("unknown_meta_key", place, format!("there is no state `{key}`"), STATES);
                    nothing
                }
            };
        }
        if !self.stored.contains_key(key.as_str()) {
            let help = match self.near(key, self.stored.keys().map(|k| &**k)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("add a step before it with `\"result_key\": \"{key}\"`"),
            };
            self.problem("unknown_meta_key", place, format!("no earlier step stores `{key}`"), help);
            return nothing;
        }
        Param::Key(Arc::from(key.as_str()))
    }
}
