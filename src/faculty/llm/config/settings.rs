//! The configuration as data: providers, models, which model is the default. Reads nothing itself.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::super::request::Price;

/// How many calls of one provider are made at once unless it says otherwise.
pub(super) const CONCURRENCY: u32 = 16;

/// A model name that is there without being configured: `echo`, or canned replies from a file.
pub(crate) fn built_in(name: &str) -> bool {
    name == "echo" || name.strip_prefix("script:").is_some_and(|file| !file.is_empty())
}

/// How a provider is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderKind {
    /// `openai`: chat completions as OpenAI, llama.cpp, Ollama, vLLM and many hosts offer them.
    OpenAi,
    /// `echo`: the reply is the prompt.
    Echo,
    /// `script`: canned replies from a file.
    Script,
}

impl ProviderKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::OpenAi, Self::Echo, Self::Script];

    /// The word in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Echo => "echo",
            Self::Script => "script",
        }
    }
}

/// How a server is told that the reply must be JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum JsonForm {
    /// `json_object`: `{"type": "json_object"}`, also when there is a schema.
    #[default]
    Object,
    /// `json_schema`: `{"type": "json_schema", "json_schema": {"name", "schema"}}`.
    JsonSchema,
    /// `schema`: `{"type": "json_object", "schema"}`, as local servers have it.
    Schema,
    /// `none`: it is not told; only the prompt says so.
    Nothing,
}

impl JsonForm {
    /// Every form.
    pub const ALL: [Self; 4] = [Self::Object, Self::JsonSchema, Self::Schema, Self::Nothing];

    /// The word in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Object => "json_object",
            Self::JsonSchema => "json_schema",
            Self::Schema => "schema",
            Self::Nothing => "none",
        }
    }
}

/// Where the key of a provider comes from. Shown, it never shows the key.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// A variable of the environment.
    Variable(Arc<str>),
    /// A file that only its owner can read.
    File(PathBuf),
    /// Given in an agent file, which is warned about.
    Given(SecretString),
}

/// The address of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// As it was written, with `${NAME}` unfilled: what messages show.
    pub written: Arc<str>,
    /// What is used, without a slash at its end; none until the environment is known.
    pub filled: Option<Arc<str>>,
}

/// One provider.
#[derive(Debug, Clone)]
pub struct ProviderConfig {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// How it is spoken to.
    pub kind: ProviderKind,
    /// Where its server is; none for the kinds that have none.
    pub address: Option<Address>,
    /// Where its key comes from, none when it takes no key.
    pub key: Option<KeySource>,
    /// The key, when it comes from a variable that is set or was given.
    pub secret: Option<SecretString>,
    /// At most so many calls at once.
    pub concurrency: u32,
    /// At most so many tries a minute.
    pub requests_per_minute: Option<u32>,
    /// At most so many tokens a minute.
    pub tokens_per_minute: Option<u32>,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long one try may take as a whole.
    pub timeout: Duration,
    /// At most so many tries.
    pub tries: u32,
    /// How its server is told that the reply must be JSON.
    pub json: JsonForm,
    /// At most so many bytes of a reply are read.
    pub body_limit: u64,
    /// Connections go through the proxy that the environment names.
    pub proxy: bool,
    /// The certificates its server is trusted by; none for the well-known ones.
    pub ca_file: Option<PathBuf>,
    /// The file of canned replies.
    pub file: Option<PathBuf>,
    /// The file that defines it, and the line there.
    pub place: (Arc<str>, Option<u32>),
}

impl ProviderConfig {
    /// A provider with every setting at its default (semantics spec, section 14.1).
    pub fn new(name: impl Into<Arc<str>>, kind: ProviderKind, file: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            kind,
            address: None,
            key: None,
            secret: None,
            concurrency: CONCURRENCY,
            requests_per_minute: None,
            tokens_per_minute: None,
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(120),
            tries: 5,
            json: JsonForm::default(),
            body_limit: 32 << 20,
            proxy: false,
            ca_file: None,
            file: None,
            place: (file.into(), None),
        }
    }
}

/// One model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelConfig {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// The provider that has it.
    pub provider: Arc<str>,
    /// Its name at the provider.
    pub model: Arc<str>,
    /// Sampling temperature; none leaves it to the server.
    pub temperature: Option<f64>,
    /// At most so many tokens of reply; none leaves it to the server.
    pub max_tokens: Option<u32>,
    /// Sampling seed.
    pub seed: Option<u64>,
    /// How many tokens it takes, messages and reply together.
    pub context: Option<u64>,
    /// What it costs.
    pub price: Option<Price>,
    /// How often a reply that cannot be used is asked for again (semantics spec, section 14.1).
    pub reply_retries: u32,
}

impl ModelConfig {
    /// A model of a provider with every setting at its default.
    pub fn new(name: impl Into<Arc<str>>, provider: impl Into<Arc<str>>) -> Self {
        let name = name.into();
        Self {
            model: name.clone(),
            name,
            provider: provider.into(),
            temperature: None,
            max_tokens: None,
            seed: None,
            context: None,
            price: None,
            reply_retries: 1,
        }
    }
}

/// Who named a model or a file, which says where relative paths stand and what may be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A configuration file in this folder.
    File(PathBuf),
    /// The environment or the command line: relative to the current directory.
    User,
    /// A plan: beneath its base directory.
    Plan,
}

/// Providers, models and the default among them.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The model of steps that name none, and who says so.
    pub default: Option<(Arc<str>, Origin)>,
    /// The providers by name.
    pub providers: BTreeMap<Arc<str>, ProviderConfig>,
    /// The models by name.
    pub models: BTreeMap<Arc<str>, ModelConfig>,
    /// The file it was read from.
    pub file: Option<PathBuf>,
}

impl Config {
    /// Makes a model the default, as `--model` on the command line does.
    pub fn use_model(&mut self, name: impl Into<Arc<str>>) {
        self.default = Some((name.into(), Origin::User));
    }

    /// The keys that are known so far, for whoever must keep them out of what is written.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretString> {
        self.providers.values().filter_map(|provider| provider.secret.as_ref())
    }
}
