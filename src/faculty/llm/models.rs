//! All models of a run: which there are, what they are set to, and one call to one of them (semantics spec, sections
//! 12 and 14.1).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use secrecy::SecretString;

use super::config::{Config, ModelConfig, Origin, ProviderConfig, ProviderKind, first_variable};
use super::echo::Echo;
use super::gate::Gate;
use super::key::key_of;
use super::meter::{Meter, NoLimit, Observer};
use super::openai::OpenAi;
use super::pace::Pace;
use super::provider::Provider;
use super::request::{Caller, Chat, ChatReply, ChatRequest, Price};
use super::retry::{Hooks, Line};
use super::script::Script;
use super::stop::{Stop, interrupted};
use crate::base::{listed, nearest};
use crate::faculty::failure::shorten;
use crate::faculty::files::Root;
use crate::faculty::{Failure, FailureKind};

/// A file of replies is not longer.
const REPLIES: u64 = 16 << 20;

/// What models are given besides their configuration.
#[derive(Default)]
pub struct ModelOptions {
    /// Ends waiting and running calls.
    pub stop: Stop,
    /// Asked before and told after every try; none sets no limit.
    pub meter: Option<Arc<dyn Meter>>,
    /// Hears of every try.
    pub observer: Option<Arc<dyn Observer>>,
    /// The base directory of the plan, where a file of replies that a plan names must stand.
    pub base_dir: Option<PathBuf>,
}

/// What is known of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelInfo {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// The provider that has it.
    pub provider: Arc<str>,
    /// How the provider is spoken to: `openai`, `echo`, `script`.
    pub kind: ProviderKind,
    /// Its name at the provider.
    pub model: Arc<str>,
    /// Where its server is, as the configuration writes it: without keys.
    pub address: Option<Arc<str>>,
    /// How the server is told that the reply must be JSON.
    pub json: super::config::JsonForm,
    /// Sampling temperature of a request that gives none.
    pub temperature: Option<f64>,
    /// Limit of a request that gives none.
    pub max_tokens: Option<u32>,
    /// Seed of a request that gives none.
    pub seed: Option<u64>,
    /// How many tokens it takes.
    pub context: Option<u64>,
    /// What it costs.
    pub price: Option<Price>,
    /// How often a reply that cannot be used is asked for again.
    pub reply_retries: u32,
}

impl ModelInfo {
    /// The request as the model gets it: with the settings of the model where it has none. Doing it twice is doing it
    /// once.
    pub fn settle(&self, request: &ChatRequest) -> ChatRequest {
        ChatRequest {
            model: self.name.clone(),
            temperature: request.temperature.or(self.temperature),
            max_tokens: request.max_tokens.or(self.max_tokens),
            seed: request.seed.or(self.seed),
            ..request.clone()
        }
    }
}

/// A provider that is ready, or why it is not: that is told when somebody wants it.
type Ready = Result<Arc<Line>, Failure>;

/// All models of a run. Calls come from many threads and block.
pub struct Models {
    config: Config,
    lines: BTreeMap<Arc<str>, Ready>,
    /// Files of replies that were named as `script:FILE`.
    scripts: Mutex<BTreeMap<Arc<str>, Ready>>,
    echo: Arc<Line>,
    secrets: Vec<SecretString>,
    base_dir: Option<PathBuf>,
    hooks: Hooks,
}

/// A model and the line to its provider.
struct Found {
    model: ModelConfig,
    line: Arc<Line>,
    info: ModelInfo,
}

impl Models {
    /// Models by a configuration. Nothing is connected to; keys are read now.
    ///
    /// # Errors
    /// None of its own: a provider that cannot be used, for want of a key or an address, is told when a step wants it.
    pub fn new(config: Config, options: ModelOptions) -> Result<Self, Failure> {
        let mut secrets: Vec<SecretString> = config.secrets().cloned().collect();
        let mut lines = BTreeMap::new();
        for (name, provider) in &config.providers {
            lines.insert(name.clone(), ready(provider, &mut secrets).map(Arc::new));
        }
        let models = Self {
            echo: Arc::new(line(&ProviderConfig::new("echo", ProviderKind::Echo, "echo"), Box::new(Echo))),
            scripts: Mutex::default(),
            lines,
            config,
            secrets,
            base_dir: options.base_dir,
            hooks: Hooks {
                stop: options.stop,
                hold: Stop::default(),
                meter: options.meter.unwrap_or_else(|| Arc::new(NoLimit)),
                observer: options.observer,
            },
        };
        for line in models.lines.values().flatten().chain([&models.echo]) {
            models.ends_with_run(line);
        }
        let hold = models.hooks.hold.clone();
        models.hooks.stop.on_stop(move || hold.stop());
        Ok(models)
    }

    fn ends_with_run(&self, line: &Arc<Line>) {
        let line = Arc::downgrade(line);
        let held = line.clone();
        self.hooks.hold.on_stop(move || {
            if let Some(line) = held.upgrade() {
                line.hold();
            }
        });
        self.hooks.stop.on_stop(move || {
            if let Some(line) = line.upgrade() {
                line.shut();
            }
        });
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The keys of all providers, for whoever must keep them out of what is written.
    pub fn secrets(&self) -> &[SecretString] {
        &self.secrets
    }

    /// How many calls can be under way at once: so many threads are of use.
    pub fn most_at_once(&self) -> usize {
        let places = |provider: &ProviderConfig| provider.concurrency as usize;
        let own = ProviderConfig::new("", ProviderKind::Echo, "").concurrency as usize;
        self.config.providers.values().map(places).sum::<usize>() + own
    }

    /// The model of that name, or the default one; ready to be called.
    ///
    /// # Errors
    /// `no_model_configured`, with the nearest name; `bad_configuration` when its provider cannot be used; for a
    /// `script:FILE` also what is wrong with the file.
    pub fn resolve(&self, name: Option<&str>) -> Result<ModelInfo, Failure> {
        Ok(self.find(name)?.info)
    }

    /// Asks a model: one call, which may be several tries.
    ///
    /// # Errors
    /// Those of [`Models::resolve`], `empty_prompt`, `context_overflow`, `budget_spent`, `model_unreachable`,
    /// `model_refused`, `unsupported_response_format`, `reply_too_large`, `reply_malformed`, `reply_cut`, `interrupted`
    /// (semantics spec, section 14.8).
    pub fn chat(&self, request: &ChatRequest, caller: &Caller) -> Result<ChatReply, Failure> {
        if self.hooks.stop.stopped() {
            return Err(interrupted());
        }
        let Found { model, line, info } = self.find(Some(&request.model))?;
        if request.prompt.trim().is_empty() {
            let message = format!("the prompt for the model `{}` is empty", info.name);
            let help = "the step has a prompt without text: write what is to be done, or pass the values it is made of";
            return Err(Failure::new(FailureKind::EmptyPrompt, message).with_help(help));
        }
        let request = info.settle(request);
        if let Some(context) = info.context {
            let about = request.prompt_tokens();
            // An estimate may be too high; what is only a little over is for the server to say.
            if about - about / 4 > context {
                let message = format!(
                    "the prompt is longer than the model `{}` takes: about {about} tokens, its context has {context}",
                    info.name
                );
                let help = format!(
                    "pass less to the step, split its input with a loop, or correct `context` of [models.{}]",
                    info.name
                );
                return Err(Failure::new(FailureKind::ContextOverflow, message).with_help(help));
            }
        }
        line.chat(&request, &model, caller, &self.hooks)
    }

    /// Sends no more calls: those that wait, for their turn or for another try, end as `interrupted`; those that were
    /// sent go on.
    pub fn hold(&self) {
        self.hooks.hold.stop();
    }

    /// Ends waiting and running calls, which give `interrupted`, and takes no more.
    pub fn interrupt(&self) {
        self.hooks.stop.stop();
    }

    fn find(&self, name: Option<&str>) -> Result<Found, Failure> {
        let default = self.config.default.as_ref();
        let (name, origin) = match (name, default) {
            (None, None) => return Err(self.none()),
            (None, Some((name, origin))) => (&**name, origin.clone()),
            // The user may name any file as the default; a plan that names the same one reaches nothing more.
            (Some(name), Some((default, origin))) if *name == **default => (name, origin.clone()),
            (Some(name), _) => (name, Origin::Plan),
        };
        if let Some(model) = self.config.models.get(name) {
            let (Some(provider), Some(ready)) =
                (self.config.providers.get(&model.provider), self.lines.get(&model.provider))
            else {
                let message = format!(
                    "the model `{name}` names the provider `{}`, which is not configured",
                    model.provider
                );
                return Err(Failure::new(FailureKind::BadConfiguration, message)
                    .with_help(format!("write [providers.{}] and its settings", model.provider)));
            };
            let line = ready.clone()?;
            return Ok(Found { info: info(model, provider), model: model.clone(), line });
        }
        let (kind, line) = match name.strip_prefix("script:") {
            _ if name == "echo" => (ProviderKind::Echo, self.echo.clone()),
            Some(file) if !file.is_empty() => (ProviderKind::Script, self.script(file, &origin)?),
            _ => return Err(self.unknown(name)),
        };
        let model = ModelConfig::new(name, kind.word());
        let provider = ProviderConfig::new(kind.word(), kind, name);
        Ok(Found { info: info(&model, &provider), model, line })
    }

    fn script(&self, file: &str, origin: &Origin) -> Ready {
        let key: Arc<str> = Arc::from(format!("{origin:?} {file}"));
        let mut scripts = self.scripts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ready) = scripts.get(&key) {
            return ready.clone();
        }
        let text = match origin {
            Origin::File(folder) => replies(&folder.join(file)),
            Origin::User => replies(Path::new(file)),
            Origin::Plan => match &self.base_dir {
                Some(base) => {
                    Root::open(base.clone()).and_then(|root| root.with_limit(REPLIES).read_text(file))
                }
                None => replies(Path::new(file)),
            },
        };
        let built = text.and_then(|text| Script::parse(&text, file)).map(|script| {
            let provider = ProviderConfig::new(format!("script:{file}"), ProviderKind::Script, file);
            Arc::new(line(&provider, Box::new(script)))
        });
        if let Ok(line) = &built {
            self.ends_with_run(line);
        }
        scripts.insert(key, built.clone());
        built
    }

    fn none(&self) -> Failure {
        let names: Vec<&str> = self.config.models.keys().map(|name| &**name).collect();
        let help = match names[..] {
            [] => "set NORMC_BASE_URL to where a server is, such as http://127.0.0.1:8080/v1, or write a `normc.toml`; \
                   the model `echo` needs neither"
                .to_owned(),
            _ => format!("write `model = \"{}\"` at the top of `normc.toml`, or set NORMC_MODEL", names[0]),
        };
        Failure::new(FailureKind::NoModelConfigured, "no language model is configured").with_help(help)
    }

    fn unknown(&self, name: &str) -> Failure {
        let names: Vec<&str> = self.config.models.keys().map(|name| &**name).chain(["echo"]).collect();
        let help = match nearest(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if name == "script" || name == "script:" => "write `script:FILE`".to_owned(),
            None if names.len() > 20 => format!("write [models.{name}] in `normc.toml`"),
            None => format!("there are {}; write [models.{}] in `normc.toml`", listed(&names), shorten(name)),
        };
        let message = format!("there is no model `{}`", shorten(name));
        Failure::new(FailureKind::NoModelConfigured, message).with_help(help)
    }
}

impl Chat for Models {
    fn chat(&self, request: &ChatRequest, caller: &Caller) -> Result<ChatReply, Failure> {
        Models::chat(self, request, caller)
    }
}

fn info(model: &ModelConfig, provider: &ProviderConfig) -> ModelInfo {
    ModelInfo {
        name: model.name.clone(),
        provider: model.provider.clone(),
        kind: provider.kind,
        model: model.model.clone(),
        address: provider.address.as_ref().map(|address| address.written.clone()),
        json: provider.json,
        temperature: model.temperature,
        max_tokens: model.max_tokens,
        seed: model.seed,
        context: model.context,
        // Models that need no server cost nothing.
        price: model.price.or((provider.kind != ProviderKind::OpenAi).then(Price::default)),
        reply_retries: model.reply_retries,
    }
}

fn line(config: &ProviderConfig, provider: Box<dyn Provider>) -> Line {
    Line {
        provider,
        name: config.name.clone(),
        gate: Gate::new(config.concurrency as usize),
        pace: Pace::new(config.requests_per_minute, config.tokens_per_minute),
        tries: config.tries.max(1),
        timeout: config.timeout,
    }
}

/// A provider as it is configured, with its key.
fn ready(config: &ProviderConfig, secrets: &mut Vec<SecretString>) -> Result<Line, Failure> {
    let provider: Box<dyn Provider> = match config.kind {
        ProviderKind::Echo => Box::new(Echo),
        ProviderKind::Script => {
            let file = config.file.as_deref().unwrap_or(Path::new(""));
            Box::new(Script::parse(&replies(file)?, &file.display().to_string())?)
        }
        ProviderKind::OpenAi => {
            // The key first: it must be known as a secret whatever else is wrong.
            let key = key_of(config);
            if let Ok(Some(key)) = &key
                && config.secret.is_none()
            {
                secrets.push(key.clone());
            }
            Box::new(OpenAi::new(config, address(config)?, key?)?)
        }
    };
    Ok(line(config, provider))
}

fn address(config: &ProviderConfig) -> Result<&str, Failure> {
    if let Some(filled) = config.address.as_ref().and_then(|address| address.filled.as_deref()) {
        return Ok(filled);
    }
    let variable = config.address.as_ref().and_then(|address| first_variable(&address.written));
    let (message, help) = match variable {
        Some(name) => (
            format!("the address of the provider `{}` cannot be filled in from `{name}`", config.name),
            format!(
                "set it, so that `base_url` becomes an address such as http://127.0.0.1:8080/v1: `export {name}=...`"
            ),
        ),
        None => (
            format!("the provider `{}` has no `base_url`", config.name),
            "write where its server is: `base_url = \"http://127.0.0.1:8080/v1\"`".to_owned(),
        ),
    };
    let (file, line) = config.place.clone();
    Err(Failure::new(FailureKind::BadConfiguration, message).with_help(help).at(file, line))
}

/// The text of a file of replies that the user named.
fn replies(path: &Path) -> Result<Arc<str>, Failure> {
    let shown = path.display().to_string();
    let failed = |kind, what: String| {
        Failure::new(kind, format!("the file of replies `{}` {what}", shorten(&shown)))
            .with_help("a model `script:FILE` takes its replies from FILE: TOML with [[rule]], or JSON with one rule a line")
            .at(shown.clone(), None)
    };
    let io = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => failed(FailureKind::FileNotFound, "does not exist".to_owned()),
        _ => failed(FailureKind::IoError, format!("cannot be read: {error}")),
    };
    let file = File::open(path).map_err(io)?;
    if !file.metadata().map_err(io)?.is_file() {
        return Err(failed(FailureKind::BadPath, "is no file".to_owned()));
    }
    let mut bytes = Vec::new();
    file.take(REPLIES + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > REPLIES {
        return Err(failed(FailureKind::FileTooLarge, "is longer than 16 MiB".to_owned()));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Arc::from(text)),
        Err(_) => Err(failed(FailureKind::NotText, "is no UTF-8 text".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn models(text: &str, base: Option<&Path>) -> Models {
        let config = Config::parse(text, "normc.toml").unwrap().with_environment(&|_| None).unwrap();
        let options = ModelOptions { base_dir: base.map(Path::to_path_buf), ..ModelOptions::default() };
        Models::new(config, options).unwrap()
    }

    #[test]
    fn names_are_found_or_told() {
        let text = "[providers.p]\nbase_url = \"http://127.0.0.1:1\"\nconcurrency = 500\n[providers.k]\n\
                    base_url = \"http://127.0.0.1:1\"\napi_key_env = \"NOT_SET\"\n[providers.v]\n\
                    base_url = \"http://${NOT_SET}/v1\"\n[models.fast]\nprovider = \"p\"\nmax_tokens = 5\n\
                    [models.keyed]\nprovider = \"k\"\n[models.where]\nprovider = \"v\"\n";
        let models = models(text, None);
        assert_eq!(models.most_at_once(), 500 + 16 * 3);
        let info = models.resolve(Some("fast")).unwrap();
        assert_eq!((info.kind, info.max_tokens, info.reply_retries), (ProviderKind::OpenAi, Some(5), 1));
        let settled = info.settle(&ChatRequest::new("fast", "x"));
        assert_eq!((settled.max_tokens, info.settle(&settled)), (Some(5), settled.clone()));
        assert_eq!(models.resolve(Some("echo")).unwrap().kind, ProviderKind::Echo);
        let told = |name| {
            let failure = models.resolve(name).unwrap_err();
            (failure.kind, failure.message.clone(), failure.help.map(String::from).unwrap_or_default())
        };
        use FailureKind::{BadConfiguration, NoModelConfigured};
        let (kind, message, help) = told(Some("fsat"));
        assert_eq!(
            (kind, &*message, &*help),
            (NoModelConfigured, "there is no model `fsat`", "did you mean `fast`?")
        );
        assert!(told(Some("gpt-large")).2.contains("`fast`, `keyed`, `where`, `echo`"));
        let (kind, _, help) = told(None);
        assert_eq!(kind, NoModelConfigured);
        assert!(help.contains("model = \"fast\""), "{help}");
        let (kind, message, help) = told(Some("keyed"));
        assert_eq!((kind, &*help), (BadConfiguration, "set it: `export NOT_SET=...`"));
        assert!(message.contains("`NOT_SET`, which is not set"));
        assert!(told(Some("where")).1.contains("cannot be filled in from `NOT_SET`"));
        let nothing = Models::new(Config::default(), ModelOptions::default()).unwrap();
        assert!(nothing.resolve(None).unwrap_err().help.unwrap().contains("NORMC_BASE_URL"));
    }

    #[test]
    fn echo_and_scripts_reply_and_stay_within_bounds() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().join("plan");
        std::fs::create_dir(&base).unwrap();
        let rule = "[[rule]]\ncontains = \"hello\"\nreply = \"hi\"\n";
        std::fs::write(base.join("r.toml"), rule).unwrap();
        std::fs::write(folder.path().join("outside.toml"), rule).unwrap();
        let models = models("[providers.p]\nkind = \"echo\"\n[models.small]\ncontext = 10\n", Some(&base));
        let ask =
            |model: &str, prompt: &str| models.chat(&ChatRequest::new(model, prompt), &Caller::default());
        let echo = ask("echo", "%{script_location}(evil.py)").unwrap();
        assert_eq!(
            (&*echo.text, echo.usage.estimated, echo.tries.len()),
            ("%{script_location}(evil.py)", true, 1)
        );
        assert_eq!(&*ask("script:r.toml", "hello").unwrap().text, "hi");
        let outside = folder.path().join("outside.toml").display().to_string();
        for (model, prompt, kind) in [
            ("echo", " \n", FailureKind::EmptyPrompt),
            ("small", &"many words ".repeat(100), FailureKind::ContextOverflow),
            ("script:none.toml", "hello", FailureKind::FileNotFound),
            ("script:../outside.toml", "hello", FailureKind::PathEscapesBase),
            (&format!("script:{outside}"), "hello", FailureKind::PathEscapesBase),
            ("script:", "hello", FailureKind::NoModelConfigured),
        ] {
            let failure = ask(model, prompt).unwrap_err();
            assert_eq!(failure.kind, kind, "{model}: {failure}");
            assert!(failure.help.is_some(), "{model}");
        }
        // What the user makes the default may stand anywhere.
        let mut config = Config::default();
        config.use_model(format!("script:{outside}"));
        let trusting =
            Models::new(config, ModelOptions { base_dir: Some(base), ..ModelOptions::default() }).unwrap();
        let info = trusting.resolve(None).unwrap();
        assert!(trusting.chat(&ChatRequest::new(info.name, "hello"), &Caller::default()).is_ok());
        models.interrupt();
        assert_eq!(ask("echo", "x").unwrap_err().kind, FailureKind::Interrupted);
    }
}
