//! Reading an agents file: both shapes, every problem in one pass (semantics spec, section 12).

use std::sync::Arc;

use regex::RegexBuilder;
use serde_json::{Map as JsonMap, Value as Json};

use crate::base::nearest;
use crate::diag::{Code, Diagnostic};

use super::file::{Agent, AgentFile, CustomTool, InputMode, Mapping, MatchType, PYTHON_TIMEOUT, Provider};

/// A pattern that needs more than this many bytes once compiled is nobody's.
const LARGEST_PATTERN: usize = 1 << 20;

const MATCH_TYPES: [(&str, MatchType); 3] = [
    ("flow_index", MatchType::FlowIndex),
    ("concept_name", MatchType::ConceptName),
    ("sequence_type", MatchType::SequenceType),
];

const MODES: [(&str, InputMode); 3] =
    [("blocking", InputMode::Blocking), ("async", InputMode::Async), ("disabled", InputMode::Disabled)];

impl AgentFile {
    /// Reads an agents file; `name` is how messages call it.
    ///
    /// # Errors
    /// All that is not as the format has it (NC116).
    pub fn parse(text: &str, name: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut reader = Reader { name, problems: Vec::new() };
        let json: Json = match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
            Ok(json) => json,
            Err(error) => {
                let message = format!("{name} is no JSON: {error}");
                return Err(vec![
                    Diagnostic::new(Code::NC116, message).help("an agents file is one JSON object"),
                ]);
            }
        };
        let Json::Object(whole) = json else {
            let message = format!("{name} holds no JSON object");
            return Err(vec![
                Diagnostic::new(Code::NC116, message)
                    .help("write {\"agents\": [{\"id\": \"default\", \"tools\": {}}]}"),
            ]);
        };
        let file = reader.whole(&whole);
        if reader.problems.is_empty() { Ok(file) } else { Err(reader.problems) }
    }
}

struct Reader<'a> {
    name: &'a str,
    problems: Vec<Diagnostic>,
}

/// An object of the file, and how messages call it.
#[derive(Clone, Copy)]
struct Part<'a> {
    map: &'a JsonMap<String, Json>,
    place: &'a str,
}

impl Reader<'_> {
    fn problem(&mut self, message: String, help: impl Into<String>) {
        let message = format!("{}: {message}", self.name);
        self.problems.push(Diagnostic::new(Code::NC116, message).help(help));
    }

    fn wrong(&mut self, part: Part<'_>, field: &str, wanted: &str, got: &Json) {
        let mut got = got.to_string();
        if got.chars().count() > 60 {
            got = got.chars().take(60).chain(['…']).collect();
        }
        self.problem(format!("`{}{field}` is {got}", part.place), format!("write {wanted}"));
    }

    fn text(&mut self, part: Part<'_>, field: &str) -> Option<Arc<str>> {
        match part.map.get(field)? {
            Json::Null => None,
            Json::String(text) => Some(text.trim()).filter(|t| !t.is_empty()).map(Arc::from),
            other => {
                self.wrong(part, field, "a text", other);
                None
            }
        }
    }

    fn flag(&mut self, part: Part<'_>, field: &str, default: bool) -> bool {
        match part.map.get(field) {
            None | Some(Json::Null) => default,
            Some(Json::Bool(flag)) => *flag,
            Some(other) => {
                self.wrong(part, field, "true or false", other);
                default
            }
        }
    }

    fn number(&mut self, part: Part<'_>, field: &str, least: f64, wanted: &str) -> Option<f64> {
        match part.map.get(field)? {
            Json::Null => None,
            written => {
                let number = written.as_f64().filter(|n| n.is_finite() && *n >= least);
                if number.is_none() {
                    self.wrong(part, field, wanted, written);
                }
                number
            }
        }
    }

    fn tokens(&mut self, part: Part<'_>, field: &str) -> Option<u32> {
        let written = part.map.get(field).filter(|w| !w.is_null())?;
        let number = written.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
        if number.is_none() {
            self.wrong(part, field, "a whole number above 0", written);
        }
        number
    }

    fn object<'j>(&mut self, part: Part<'j>, field: &str) -> Option<&'j JsonMap<String, Json>> {
        match part.map.get(field)? {
            Json::Null => None,
            Json::Object(map) => Some(map),
            other => {
                self.wrong(part, field, "an object", other);
                None
            }
        }
    }

    fn list<'j>(&mut self, part: Part<'j>, field: &str) -> Vec<(String, &'j JsonMap<String, Json>)> {
        let items = match part.map.get(field) {
            None | Some(Json::Null) => return Vec::new(),
            Some(Json::Array(items)) => items,
            Some(other) => {
                self.wrong(part, field, "a list", other);
                return Vec::new();
            }
        };
        let mut objects = Vec::new();
        for (i, item) in items.iter().enumerate() {
            let place = format!("{field}[{i}]");
            match item {
                Json::Object(map) => objects.push((format!("{place}."), map)),
                other => self.wrong(part, &place, "an object", other),
            }
        }
        objects
    }

    fn whole(&mut self, map: &JsonMap<String, Json>) -> AgentFile {
        let part = Part { map, place: "" };
        let mut file = AgentFile { name: Arc::from(self.name), ..AgentFile::default() };
        file.default_agent = self.text(part, "default_agent");
        for (place, map) in self.list(part, "agents") {
            let agent = self.agent(Part { map, place: &place });
            if file.agents.iter().any(|a| a.id == agent.id) {
                self.problem(
                    format!("two agents have the id `{}`", agent.id),
                    "give each agent an id of its own",
                );
            }
            let llm = map.get("tools").and_then(|tools| tools.get("llm")).and_then(Json::as_object);
            if [Some(map), llm].into_iter().flatten().any(holds_key) {
                let message = format!("{}: a key is written at the agent `{}`", self.name, agent.id);
                file.warnings.push(Diagnostic::new(Code::NC117, message).help(
                    "it is not used here: take it out, and name a variable with `api_key_env` of a provider in `normc.toml`",
                ));
            }
            file.agents.push(Arc::new(agent));
        }
        // An old file may be one agent.
        if file.agents.is_empty() && FLAT.iter().chain(&["tools"]).any(|f| map.contains_key(*f)) {
            let mut agent = self.agent_tools(part, Agent::default());
            if let Some(id) = self.text(part, "id") {
                agent.id = id;
            }
            file.agents.push(Arc::new(agent));
        }
        for (place, map) in self.list(part, "mappings") {
            file.mappings.extend(self.mapping(Part { map, place: &place }));
        }
        file.mappings.sort_by(|a, b| b.priority.total_cmp(&a.priority));
        for (place, map) in self.list(part, "llm_providers") {
            file.providers.extend(self.provider(Part { map, place: &place }, &mut file.warnings));
        }
        let named = file.default_agent.iter().map(|id| ("`default_agent`".to_owned(), id));
        let mapped = file.mappings.iter().map(|m| ("a mapping".to_owned(), &m.agent));
        let unknown: Vec<(String, Arc<str>)> = named
            .chain(mapped)
            .filter(|(_, id)| file.agent(id).is_none())
            .map(|(what, id)| (what, Arc::clone(id)))
            .collect();
        for (what, id) in unknown {
            let near = nearest(&id, file.agents.iter().map(|a| &*a.id));
            let help =
                near.map_or_else(|| "add an agent of that id".to_owned(), |n| format!("did you mean `{n}`?"));
            self.problem(format!("{what} names the agent `{id}`, which the file does not have"), help);
        }
        file
    }

    fn agent(&mut self, part: Part<'_>) -> Agent {
        let id = self.text(part, "id").or_else(|| self.text(part, "agent_id"));
        if id.is_none() {
            self.problem(format!("`{}id` is missing", part.place), "give each agent an id");
        }
        let agent = Agent::named(id.as_deref().unwrap_or("default"));
        self.agent_tools(part, agent)
    }

    /// Flat fields of old files first, then `tools`.
    fn agent_tools(&mut self, part: Part<'_>, mut agent: Agent) -> Agent {
        const SECONDS: &str = "a number of seconds above 0";
        agent.name = self.text(part, "name");
        agent.description = self.text(part, "description");
        agent.model = self.text(part, "llm_model");
        agent.paradigm_dir = self.text(part, "paradigm_dir");
        agent.file_system.enabled = self.flag(part, "file_system_enabled", true);
        agent.file_system.base_dir = self.text(part, "file_system_base_dir");
        agent.python.enabled = self.flag(part, "python_interpreter_enabled", true);
        let timeout = self.number(part, "python_interpreter_timeout", f64::MIN_POSITIVE, SECONDS);
        agent.python.timeout = timeout.unwrap_or(PYTHON_TIMEOUT);
        agent.user_input.enabled = self.flag(part, "user_input_enabled", true);
        agent.user_input.mode = self.mode(part, "user_input_mode").unwrap_or_default();
        let Some(tools) = self.object(part, "tools") else { return without_demo(agent) };
        let place = format!("{}tools.", part.place);
        let tools = Part { map: tools, place: &place };
        let inside = |tool: &str| format!("{place}{tool}.");
        let (llm, paradigm, files) = (inside("llm"), inside("paradigm"), inside("file_system"));
        let (python, person, custom) = (inside("python_interpreter"), inside("user_input"), inside("custom"));
        if let Some(map) = self.object(tools, "llm") {
            let part = Part { map, place: &llm };
            agent.model = self.text(part, "model").or(agent.model);
            agent.temperature = self.number(part, "temperature", 0.0, "a number from 0 on");
            agent.max_tokens = self.tokens(part, "max_tokens");
        }
        if let Some(map) = self.object(tools, "paradigm") {
            agent.paradigm_dir = self.text(Part { map, place: &paradigm }, "dir").or(agent.paradigm_dir);
        }
        if let Some(map) = self.object(tools, "file_system") {
            let part = Part { map, place: &files };
            agent.file_system.enabled = self.flag(part, "enabled", agent.file_system.enabled);
            agent.file_system.base_dir = self.text(part, "base_dir").or(agent.file_system.base_dir);
        }
        if let Some(map) = self.object(tools, "python_interpreter") {
            let part = Part { map, place: &python };
            agent.python.enabled = self.flag(part, "enabled", agent.python.enabled);
            let timeout = self.number(part, "timeout", f64::MIN_POSITIVE, SECONDS);
            agent.python.timeout = timeout.unwrap_or(agent.python.timeout);
        }
        if let Some(map) = self.object(tools, "user_input") {
            let part = Part { map, place: &person };
            agent.user_input.enabled = self.flag(part, "enabled", agent.user_input.enabled);
            agent.user_input.mode = self.mode(part, "mode").unwrap_or(agent.user_input.mode);
        }
        if let Some(map) = self.object(tools, "custom") {
            let part = Part { map, place: &custom };
            for name in map.keys() {
                let Some(tool) = self.object(part, name) else { continue };
                let place = format!("{custom}{name}.");
                let of = Part { map: tool, place: &place };
                let tool = CustomTool {
                    name: Arc::from(name.as_str()),
                    type_id: self.text(of, "type_id"),
                    enabled: self.flag(of, "enabled", true),
                    settings: tool.get("settings").cloned().unwrap_or(Json::Null),
                };
                self.custom_settings(&tool, &place);
                agent.custom.push(tool);
            }
        }
        without_demo(agent)
    }

    /// A tool of another kind is a program; what else its settings say is its own affair.
    fn custom_settings(&mut self, tool: &CustomTool, place: &str) {
        let Json::Object(settings) = &tool.settings else {
            if !tool.settings.is_null() {
                let part = JsonMap::new();
                self.wrong(Part { map: &part, place }, "settings", "an object", &tool.settings);
            }
            return;
        };
        let place = format!("{place}settings.");
        let part = Part { map: settings, place: &place };
        if let Some(command) = settings.get("command").filter(|_| tool.command().is_none()) {
            let wanted = "the program and its arguments, each a text: [\"draw\", \"{method}\"]";
            self.wrong(part, "command", wanted, command);
        }
        if let Some(output) = settings.get("output").filter(|o| !matches!(o.as_str(), Some("json" | "text")))
        {
            self.wrong(part, "output", "\"text\" or \"json\"", output);
        }
    }

    fn mode(&mut self, part: Part<'_>, field: &str) -> Option<InputMode> {
        let word = self.text(part, field)?;
        let found = MODES.iter().find(|(w, _)| **w == *word).map(|(_, mode)| *mode);
        if found.is_none() {
            self.wrong(part, field, "\"blocking\", \"async\" or \"disabled\"", &Json::from(&*word));
        }
        found
    }

    fn mapping(&mut self, part: Part<'_>) -> Option<Mapping> {
        let (by, pattern) = (self.text(part, "match_type"), self.text(part, "pattern"));
        let agent = self.text(part, "agent_id");
        let priority = self.number(part, "priority", f64::MIN, "a number");
        for (field, missing) in
            [("match_type", by.is_none()), ("pattern", pattern.is_none()), ("agent_id", agent.is_none())]
        {
            if missing && part.map.get(field).is_none_or(|v| v.is_null() || v.as_str() == Some("")) {
                self.problem(
                    format!("`{}{field}` is missing", part.place),
                    "a mapping has match_type, pattern and agent_id",
                );
            }
        }
        let word = by?;
        let by = MATCH_TYPES.iter().find(|(w, _)| **w == *word).map(|(_, by)| *by);
        if by.is_none() {
            let wanted = "\"flow_index\", \"concept_name\" or \"sequence_type\"";
            self.wrong(part, "match_type", wanted, &Json::from(&*word));
        }
        let pattern = pattern?;
        let regex = RegexBuilder::new(&format!(r"\A(?:{pattern})")).size_limit(LARGEST_PATTERN).build();
        let regex = match regex {
            Ok(regex) => regex,
            Err(error) => {
                let last = error.to_string().lines().last().unwrap_or_default().trim().to_owned();
                let why = last.strip_prefix("error: ").unwrap_or(&last);
                self.problem(
                    format!("`{}pattern` is no regular expression: {why}", part.place),
                    "write one, anchored at its start already: `1\\.2` fits 1.2 and all below it",
                );
                return None;
            }
        };
        Some(Mapping { by: by?, pattern: regex, agent: agent?, priority: priority.unwrap_or(0.0) })
    }

    fn key_in_file(&self, of: &str) -> Diagnostic {
        let message = format!("{}: the key of `{of}` is written in the file", self.name);
        let variable = variable_name(of);
        Diagnostic::new(Code::NC117, message)
            .help(format!("write \"${{{variable}}}\" and put the key into that environment variable"))
    }

    fn provider(&mut self, part: Part<'_>, warnings: &mut Vec<Diagnostic>) -> Option<Provider> {
        let name = self.text(part, "provider_name").or_else(|| self.text(part, "provider_id"));
        if name.is_none() {
            self.problem(format!("`{}provider_name` is missing", part.place), "give each provider a name");
        }
        let _ = self.text(part, "api_key");
        if holds_key(part.map) {
            warnings.push(self.key_in_file(name.as_deref().unwrap_or_default()));
        }
        let base_url = self.text(part, "base_url");
        Some(Provider { name: name?, base_url, entry: Json::Object(part.map.clone()) })
    }
}

/// Returns whether there is a key itself, not the name of a variable that holds it.
fn holds_key(map: &JsonMap<String, Json>) -> bool {
    let variable = |key: &str| {
        let inside = key.strip_prefix("${").and_then(|k| k.strip_suffix('}'));
        inside.is_some_and(|v| !v.trim().is_empty())
    };
    map.get("api_key").and_then(Json::as_str).is_some_and(|key| !variable(key))
}

/// Fields of old flat agents.
const FLAT: [&str; 8] = [
    "llm_model",
    "paradigm_dir",
    "file_system_enabled",
    "file_system_base_dir",
    "python_interpreter_enabled",
    "python_interpreter_timeout",
    "user_input_enabled",
    "user_input_mode",
];

/// The model `demo` is no model.
fn without_demo(mut agent: Agent) -> Agent {
    agent.model = agent.model.filter(|m| &**m != "demo");
    agent
}

fn variable_name(provider: &str) -> String {
    let letters =
        provider.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' });
    format!("{}_API_KEY", letters.collect::<String>().trim_matches('_'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{SourceFile, SourceMap};
    use crate::repo::agents::Needs;
    use crate::repo::{LowerOptions, Model, compile};

    const FILE: &str = r#"{
        "default_agent": "writer",
        "agents": [
            {"id": "writer", "tools": {"llm": {"model": "big", "temperature": 0.5, "max_tokens": 100}}},
            {"id": "critic", "tools": {"llm": {"model": "demo"}, "paradigm": {"dir": "mine"},
                "file_system": {"enabled": false}, "python_interpreter": {"timeout": 5},
                "user_input": {"mode": "disabled"}, "custom": {"canvas": {"type_id": "x", "settings": {"a": 1}}}}},
            {"id": "old", "llm_model": "small", "paradigm_dir": "p", "file_system_base_dir": "files",
                "python_interpreter_enabled": false, "python_interpreter_timeout": 2.5, "user_input_mode": "async"}
        ],
        "mappings": [
            {"match_type": "concept_name", "pattern": "draft", "agent_id": "old", "priority": 1},
            {"match_type": "flow_index", "pattern": "1\\.2", "agent_id": "critic", "priority": 5},
            {"match_type": "sequence_type", "pattern": "judgement", "agent_id": "critic"}
        ],
        "llm_providers": [
            {"provider_name": "big", "base_url": "http://127.0.0.1:1/v1", "api_key": "sk-very-secret", "model": "m"},
            {"provider_id": "small", "api_key": "${SMALL_KEY}"}
        ]
    }"#;

    fn model(agent: &str) -> Model {
        let note = if agent.is_empty() { String::new() } else { format!("        | %{{agent}}: {agent}\n") };
        let text = format!(
            ":<:({{text}})\n    <= ::(do {{1}} {{2}})\n        | %{{prompt}}: p\n{note}    <- {{draft one}}<:{{1}}>\n        \
             <= ::(draft it)\n            | %{{prompt}}: p\n    <- {{x}}<:{{2}}>\n        <= ::(other)\n            | \
             %{{prompt}}: p\n"
        );
        let mut sources = SourceMap::default();
        let file = sources.add(SourceFile::new("plan.ncd", text.as_str()));
        let compiled = compile(file, &text, None, &sources, &LowerOptions::default());
        compiled.model.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics))
    }

    #[test]
    fn who_does_what() {
        let file = AgentFile::parse(FILE, "a.agent.json").unwrap();
        let who = |model: &Model| -> Vec<String> {
            model.inferences.iter().map(|i| format!("{} {}", i.flow, file.resolve(i, model).id)).collect()
        };
        assert_eq!(who(&model("")), ["1 writer", "1.2 critic", "1.3 writer"]);
        assert_eq!(who(&model("old")), ["1 old", "1.2 critic", "1.3 writer"]);
        assert_eq!(file.check(&model("old")), []);
        let wrong = file.check(&model("crtic"));
        assert_eq!(wrong.len(), 1);
        assert_eq!(wrong[0].help.as_deref(), Some("did you mean `critic`?"));
    }

    #[test]
    fn both_shapes_and_their_defaults() {
        let file = AgentFile::parse(FILE, "a.agent.json").unwrap();
        let [writer, critic, old] = file.agents.as_slice() else { panic!() };
        assert_eq!(
            (writer.model.as_deref(), writer.temperature, writer.max_tokens),
            (Some("big"), Some(0.5), Some(100))
        );
        assert!(writer.python.enabled && writer.python.timeout == 30.0 && writer.file_system.enabled);
        assert_eq!((critic.model.as_deref(), critic.paradigm_dir.as_deref()), (None, Some("mine")));
        assert_eq!(
            critic.lacks(Needs { files: true, python: true, person: true }),
            ["file_system", "user_input"]
        );
        assert_eq!(critic.custom.first().map(|c| (&*c.name, c.enabled)), Some(("canvas", true)));
        assert_eq!((old.model.as_deref(), old.paradigm_dir.as_deref()), (Some("small"), Some("p")));
        assert_eq!(old.lacks(Needs { files: true, python: true, person: true }), ["python_interpreter"]);
        assert_eq!((old.file_system.base_dir.as_deref(), old.python.timeout), (Some("files"), 2.5));
        assert_eq!(old.user_input.mode, InputMode::Async);
        let single = AgentFile::parse(r#"{"llm_model": "m"}"#, "a").unwrap();
        let model = model("");
        assert_eq!(single.resolve(&model.inferences[0], &model).model.as_deref(), Some("m"));
        let none = AgentFile::default();
        assert_eq!(*none.resolve(&model.inferences[0], &model), Agent::default());
        let lacking = file.lacking(&model.inferences[1], &model, Needs { files: true, ..Needs::default() });
        let message = lacking.map(|d| d.message).unwrap_or_default();
        assert_eq!(
            message,
            "step 1.2 of `{draft one}` needs `file_system`, switched off for its agent `critic`"
        );
    }

    #[test]
    fn keys_are_shown_to_nobody() {
        let file = AgentFile::parse(FILE, "a.agent.json").unwrap();
        assert_eq!(file.warnings.len(), 1);
        assert_eq!(file.warnings[0].code, Code::NC117);
        assert!(file.warnings[0].help.as_deref().is_some_and(|h| h.contains("${BIG_API_KEY}")));
        let shown = format!("{file:?}");
        assert!(!shown.contains("sk-very-secret") && shown.contains("http://127.0.0.1:1/v1"), "{shown}");
    }

    #[test]
    fn a_key_at_an_agent_is_warned_of_too() {
        let parse = |agent: &str| {
            let text = format!(r#"{{"agents": [{{"id": "a", {agent}}}]}}"#);
            AgentFile::parse(&text, "a.agent.json").unwrap()
        };
        for agent in [r#""api_key": "sk-very-secret""#, r#""tools": {"llm": {"api_key": "sk-very-secret"}}"#]
        {
            let file = parse(agent);
            assert_eq!(file.warnings.len(), 1, "{agent}");
            assert_eq!(file.warnings[0].code, Code::NC117);
            assert!(!format!("{file:?}").contains("sk-very-secret"));
        }
        assert!(parse(r#""tools": {"llm": {"api_key": "${KEY}"}}"#).warnings.is_empty());
    }

    #[test]
    fn every_problem_at_once() {
        let text = r#"{"default_agent": "writr", "agents": [{"id": "writer", "tools": {"llm": "big",
            "python_interpreter": {"enabled": "no", "timeout": 0}, "user_input": {"mode": "later"}}}, 3],
            "mappings": [{"match_type": "flow", "pattern": "(", "agent_id": "writer"}, {"pattern": "a"}]}"#;
        let problems = AgentFile::parse(text, "a.json").unwrap_err();
        let said: Vec<&str> = problems.iter().map(|d| d.message.as_str()).collect();
        for (part, help) in [
            ("`agents[1]` is 3", "an object"),
            ("`agents[0].tools.llm` is \"big\"", "an object"),
            ("`agents[0].tools.python_interpreter.enabled` is \"no\"", "true or false"),
            ("`agents[0].tools.python_interpreter.timeout` is 0", "seconds"),
            ("`agents[0].tools.user_input.mode` is \"later\"", "blocking"),
            ("`mappings[0].match_type` is \"flow\"", "flow_index"),
            ("`mappings[0].pattern` is no regular expression", "anchored"),
            ("`mappings[1].match_type` is missing", "match_type"),
            ("`mappings[1].agent_id` is missing", "agent_id"),
            ("`default_agent` names the agent `writr`", "did you mean `writer`?"),
        ] {
            let found = problems.iter().find(|d| d.message.contains(part));
            let helps = found.and_then(|d| d.help.as_deref()).is_some_and(|h| h.contains(help));
            assert!(helps, "{part}: {said:?}");
        }
        assert_eq!(problems.len(), 10, "{said:?}");
        for text in ["", "[]", "nonsense", "{\"agents\": {}}"] {
            assert!(AgentFile::parse(text, "a.json").is_err(), "{text}");
        }
        assert!(AgentFile::parse("{}", "a.json").is_ok());
    }
}
