//! The models of a run, as steps reach them: the configured models behind the budget and the cassette, and what every
//! call of them cost.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::ExposeSecret;

use crate::base::Value;
use crate::faculty::llm::cassette::{Mode, Played};
use crate::faculty::llm::{
    Budget, Caller, Cassette, CassetteError, Chat, ChatReply, ChatRequest, Config, Limits, ModelInfo,
    ModelOptions, Models, Observer, Price, Stop, Try, Used,
};
use crate::faculty::{CallIdentity, Failure, Output, Redactor, Secret};
use crate::run::Spent;
use crate::run::effect::{CallAnswer, Generate};
use crate::run::record::{CallPlace, ModelUse};

use super::came::{Came, Refused, step_failure};

/// What people give to servers that want a key and look at none. Taking these words out of replies would only harm them.
const PLACEHOLDERS: [&str; 12] = [
    "anything",
    "default",
    "llama.cpp",
    "lm-studio",
    "localhost",
    "no-key",
    "not-needed",
    "nothing",
    "ollama",
    "placeholder",
    "unused",
    "whatever",
];

thread_local! {
    /// The tries of the call that this thread makes.
    static TRIES: RefCell<Vec<Try>> = const { RefCell::new(Vec::new()) };
}

/// Keeps the tries of the calling thread, so that also a call that fails is paid.
struct Tries;

impl Observer for Tries {
    fn tried(&self, _: &ChatRequest, _: &Caller, made: &Try) {
        TRIES.with_borrow_mut(|tries| tries.push(made.clone()));
    }
}

/// How the models of a run are set up.
pub struct ThinkOptions {
    /// Providers and models.
    pub config: Config,
    /// The base directory of the plan.
    pub base: PathBuf,
    /// A recording before the models.
    pub cassette: Option<(PathBuf, Mode)>,
    /// What may be spent, all processes of the run together.
    pub limits: Limits,
    /// What earlier processes of the run have spent.
    pub spent: Spent,
}

/// The models of a run.
pub struct Thinking {
    models: Arc<Models>,
    chat: Arc<dyn Chat>,
    cassette: Option<Arc<Cassette>>,
    budget: Arc<Budget>,
    redactor: Arc<Redactor>,
}

/// Which call of which step asks.
pub(super) struct Asker<'a> {
    pub(super) step: &'a str,
    pub(super) place: CallPlace,
    pub(super) identity: Option<&'a CallIdentity>,
    pub(super) timeout: Option<Duration>,
    /// What the agent of the step sets for every call.
    pub(super) temperature: Option<f64>,
    pub(super) max_tokens: Option<u32>,
}

/// Why the models of a run cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum ThinkError {
    /// The configuration does not fit together.
    #[error("{0}")]
    Config(Failure),
    /// The cassette cannot be used.
    #[error("{0}")]
    Cassette(CassetteError),
}

impl Thinking {
    /// Models by their configuration; nothing is connected to.
    ///
    /// # Errors
    /// A configuration or a cassette that cannot be used.
    pub fn new(options: ThinkOptions) -> Result<Self, ThinkError> {
        let ThinkOptions { config, base, cassette, limits, spent } = options;
        let already = Used {
            calls: spent.calls,
            tries: spent.tries,
            prompt_tokens: spent.prompt_tokens,
            completion_tokens: spent.completion_tokens,
            cost: crate::faculty::llm::Money::from_micros(spent.micros),
            ..Used::default()
        };
        let budget = Arc::new(Budget::new(limits, already));
        let meter: Arc<Budget> = Arc::clone(&budget);
        let observed = ModelOptions {
            stop: Stop::default(),
            meter: Some(meter),
            observer: Some(Arc::new(Tries)),
            base_dir: Some(base),
        };
        let models = Arc::new(Models::new(config, observed).map_err(ThinkError::Config)?);
        // What cannot be a key is refused by its provider, and sent nowhere.
        let keys = models.secrets().iter().map(ExposeSecret::expose_secret);
        let keys = keys.filter(|key| !PLACEHOLDERS.iter().any(|word| key.eq_ignore_ascii_case(word)));
        let secrets = keys.filter_map(|key| Secret::new(key, &"a provider's key").ok());
        let redactor = Arc::new(Redactor::new(secrets).map_err(ThinkError::Config)?);
        let cassette = match cassette {
            Some((path, mode)) if mode != Mode::Off => {
                let cassette = Cassette::open(&path, mode).map_err(ThinkError::Cassette)?;
                let behind: Arc<dyn Chat> = Arc::clone(&models) as Arc<dyn Chat>;
                let cassette = cassette.before(behind).resolving(Arc::new(models.config().clone()));
                Some(Arc::new(cassette.without_secrets(Arc::clone(&redactor))))
            }
            _ => None,
        };
        let chat: Arc<dyn Chat> = match &cassette {
            Some(cassette) => Arc::clone(cassette) as Arc<dyn Chat>,
            None => Arc::clone(&models) as Arc<dyn Chat>,
        };
        Ok(Self { models, chat, cassette, budget, redactor })
    }

    /// What is known of a model, none taking the default one.
    ///
    /// # Errors
    /// `no_model_configured`, `bad_configuration`.
    pub fn model(&self, name: Option<&str>) -> Result<ModelInfo, Failure> {
        self.models.resolve(name)
    }

    /// Takes the keys of providers out of texts.
    pub fn redactor(&self) -> &Arc<Redactor> {
        &self.redactor
    }

    /// Returns whether nothing but what was recorded is answered.
    pub(super) fn replays(&self) -> bool {
        self.cassette.as_ref().is_some_and(|cassette| cassette.mode() == Mode::Replay)
    }

    /// How many calls can be out at once.
    pub(super) fn most_at_once(&self) -> usize {
        self.models.most_at_once()
    }

    /// Sends no more calls; those that were sent go on.
    pub(super) fn hold(&self) {
        self.budget.close();
        self.models.hold();
    }

    /// Ends waiting and running calls.
    pub(super) fn interrupt(&self) {
        self.budget.close();
        self.models.interrupt();
    }

    /// Puts what was recorded in its place; none without a cassette.
    ///
    /// # Errors
    /// When the cassette cannot be written.
    pub fn finish(&self) -> Option<Result<Played, CassetteError>> {
        self.cassette.as_ref().map(|cassette| cassette.finish())
    }

    /// Asks a model, the default one when no name is given.
    pub(super) fn generate(
        &self,
        generate: &Generate,
        name: Option<&str>,
        asker: &Asker<'_>,
    ) -> Result<Came, Refused> {
        let (name, price) = self.named(name).map_err(|f| self.refused(f, None))?;
        let request = ChatRequest {
            system: generate.system.clone(),
            temperature: asker.temperature,
            max_tokens: asker.max_tokens,
            format: generate.format.clone(),
            ..ChatRequest::new(Arc::clone(&name), Arc::clone(&generate.prompt))
        };
        let caller = Caller {
            step: Arc::from(asker.step),
            cell: asker.place.cell,
            occurrence: asker.place.number,
            idempotency_key: asker.identity.and_then(|i| i.key.clone()),
            deadline: asker.timeout.and_then(|t| Instant::now().checked_add(t)),
        };
        TRIES.with_borrow_mut(Vec::clear);
        let asked = self.chat.chat(&request, &caller);
        let tries = TRIES.take();
        match asked {
            Ok(reply) => {
                let used = Used::of_reply(&reply, price);
                let ChatReply { text, model, millis, replayed, finish_reason, .. } = reply;
                let used = ModelUse {
                    asked: name.to_string(),
                    answered: model.to_string(),
                    spent: spent(&used),
                    replayed,
                    cut: matches!(finish_reason.as_deref(), Some("length" | "max_tokens")),
                };
                Ok(Came {
                    answer: CallAnswer::of(Value::Text(text)),
                    output: Output::default(),
                    duration: Duration::from_millis(millis),
                    model: Some(Box::new(used)),
                })
            }
            Err(failure) => {
                let mut used: Used = tries.iter().map(|made| Used::of_try(made, price)).sum();
                used.calls = 1;
                let used = ModelUse { asked: name.to_string(), spent: spent(&used), ..ModelUse::default() };
                Err(self.refused(failure, (!tries.is_empty()).then_some(used)))
            }
        }
    }

    /// The name of a model, none taking the default one, and its price. A replay needs no provider that is ready.
    fn named(&self, name: Option<&str>) -> Result<(Arc<str>, Option<Price>), Failure> {
        match self.models.resolve(name) {
            Ok(info) => Ok((info.name, info.price)),
            Err(failure) => {
                let default = self.models.config().default.as_ref().map(|(name, _)| Arc::clone(name));
                let known = name.map(Arc::from).or(default).filter(|_| self.replays());
                known.map(|name| (name, None)).ok_or(failure)
            }
        }
    }

    fn refused(&self, failure: Failure, model: Option<ModelUse>) -> Refused {
        let failure = step_failure(&self.redactor.redact_failure(failure));
        Refused { failure: Box::new(failure), model: model.map(Box::new) }
    }
}

fn spent(used: &Used) -> Spent {
    Spent {
        calls: used.calls,
        tries: used.tries,
        prompt_tokens: used.prompt_tokens,
        completion_tokens: used.completion_tokens,
        estimated: used.estimated > 0,
        micros: used.micros(),
    }
}
