//! What an agents file says, typed, defaults applied.

use std::sync::Arc;

use regex::Regex;
use serde_json::Value as Json;

use crate::diag::Diagnostic;

/// Seconds a script may take when the file does not say.
pub(super) const PYTHON_TIMEOUT: f64 = 30.0;

/// An agents file.
#[derive(Debug, Clone, Default)]
pub struct AgentFile {
    /// How messages call the file.
    pub name: Arc<str>,
    /// The agent of steps that no mapping fits.
    pub default_agent: Option<Arc<str>>,
    /// The agents, in file order.
    pub agents: Vec<Arc<Agent>>,
    /// Which steps they do; highest priority first, then in file order.
    pub(super) mappings: Vec<Mapping>,
    /// Model providers that the file brings along.
    pub providers: Vec<Provider>,
    /// What should be mended and does no harm (NC117).
    pub warnings: Vec<Diagnostic>,
}

/// An agent: what its steps may use.
#[derive(Debug, Clone, PartialEq)]
pub struct Agent {
    /// Its id; `default` when no file says anything.
    pub id: Arc<str>,
    /// A name for readers.
    pub name: Option<Arc<str>>,
    /// What it is there for.
    pub description: Option<Arc<str>>,
    /// The model its steps ask; none takes the one of the run.
    pub model: Option<Arc<str>>,
    /// How freely the model answers.
    pub temperature: Option<f64>,
    /// How long a reply may be.
    pub max_tokens: Option<u32>,
    /// Its own paradigms, relative to the base directory; they come before the built-in ones.
    pub paradigm_dir: Option<Arc<str>>,
    /// Files.
    pub file_system: FileSystem,
    /// Scripts.
    pub python: Python,
    /// Questions to a person.
    pub user_input: UserInput,
    /// Tools of other kinds, by name.
    pub custom: Vec<CustomTool>,
}

/// Whether and where an agent reads and writes files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSystem {
    /// It may.
    pub enabled: bool,
    /// The folder its paths are relative to; none for the base directory of the run.
    pub base_dir: Option<Arc<str>>,
}

/// Whether an agent runs scripts, and for how long.
#[derive(Debug, Clone, PartialEq)]
pub struct Python {
    /// It may.
    pub enabled: bool,
    /// Seconds one script may take.
    pub timeout: f64,
}

/// Whether and how an agent asks a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserInput {
    /// It may.
    pub enabled: bool,
    /// How.
    pub mode: InputMode,
}

/// How a person is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InputMode {
    /// `blocking`: at the terminal while the run waits.
    #[default]
    Blocking,
    /// `async`: the run goes on, and the answer comes when it comes.
    Async,
    /// `disabled`: never.
    Disabled,
}

/// A tool of another kind.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomTool {
    /// Its name.
    pub name: Arc<str>,
    /// Its kind.
    pub type_id: Option<Arc<str>>,
    /// It may be used.
    pub enabled: bool,
    /// What it is told.
    pub settings: Json,
}

/// A model provider of an agents file, as it is written there. Shows its name and address only: the entry may hold a key.
#[derive(Clone)]
pub struct Provider {
    /// Its name.
    pub name: Arc<str>,
    /// Its address, when the entry says one.
    pub base_url: Option<Arc<str>>,
    /// The whole entry, for whoever makes a provider of it.
    pub entry: Json,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Provider");
        shown.field("name", &self.name).field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

/// Which steps an agent does.
#[derive(Debug, Clone)]
pub(super) struct Mapping {
    pub(super) by: MatchType,
    pub(super) pattern: Regex,
    pub(super) agent: Arc<str>,
    pub(super) priority: f64,
}

/// What a pattern is matched with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MatchType {
    FlowIndex,
    ConceptName,
    SequenceType,
}

/// The tools a step needs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// It reads or writes files.
    pub files: bool,
    /// It runs a script.
    pub python: bool,
    /// It asks a person.
    pub person: bool,
}

/// The program that stands for a tool of another kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCommand {
    /// The program and its arguments; `{name}` as a whole argument is filled.
    pub argv: Vec<Arc<str>>,
    /// Its output is JSON; else text.
    pub json: bool,
}

impl CustomTool {
    /// The program that its settings name; none when they name none that can be run. Reading the file has said why.
    pub fn command(&self) -> Option<ToolCommand> {
        let words = self.settings.get("command")?.as_array()?;
        let argv: Vec<Arc<str>> = words.iter().map(|w| w.as_str().map(Arc::from)).collect::<Option<_>>()?;
        let json = self.settings.get("output").and_then(Json::as_str) == Some("json");
        argv.first().is_some_and(|program| !program.is_empty() && !program.starts_with('{')).then_some(())?;
        Some(ToolCommand { argv, json })
    }
}

impl Agent {
    /// The program that stands for a tool, where the agent has one and may use it.
    pub fn tool(&self, name: &str) -> Option<ToolCommand> {
        self.custom.iter().find(|tool| &*tool.name == name && tool.enabled)?.command()
    }

    /// An agent of which only the id is said.
    pub fn named(id: &str) -> Self {
        Self {
            id: Arc::from(id),
            name: None,
            description: None,
            model: None,
            temperature: None,
            max_tokens: None,
            paradigm_dir: None,
            file_system: FileSystem { enabled: true, base_dir: None },
            python: Python { enabled: true, timeout: PYTHON_TIMEOUT },
            user_input: UserInput { enabled: true, mode: InputMode::default() },
            custom: Vec::new(),
        }
    }

    /// The tools that are needed and switched off, by their field in the file.
    pub fn lacks(&self, needs: Needs) -> Vec<&'static str> {
        let person = self.user_input.enabled && self.user_input.mode != InputMode::Disabled;
        [
            (needs.files && !self.file_system.enabled, "file_system"),
            (needs.python && !self.python.enabled, "python_interpreter"),
            (needs.person && !person, "user_input"),
        ]
        .into_iter()
        .filter_map(|(lacks, tool)| lacks.then_some(tool))
        .collect()
    }
}

impl Default for Agent {
    fn default() -> Self {
        Self::named("default")
    }
}
