//! A request with the settings of its model filled in, from the configuration alone: a replay needs no key, no server
//! and no file of replies. Knows no recording.
//!
//! Where a server is and how it is told that a reply must be JSON are not part of what is the same call: a plan recorded
//! with one server is replayed with another that has the same model.

use std::sync::Arc;

use super::super::config::{Config, ProviderKind, built_in};
use super::super::request::ChatRequest;
use crate::base::nearest;
use crate::faculty::failure::shorten;
use crate::faculty::{Failure, FailureKind};

/// A request with the settings of its model filled in: what the provider would see.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// The kind of the provider, such as `openai`.
    pub provider: Arc<str>,
    /// The request; its model is the provider's name for it, its sampling is complete.
    pub request: ChatRequest,
}

/// Fills in the settings of models. They decide what is asked, so a recording made with others is another one.
pub trait Resolve: Send + Sync {
    /// The request as its provider would see it.
    ///
    /// # Errors
    /// `no_model_configured` when nobody knows the model.
    fn resolve(&self, request: &ChatRequest) -> Result<Resolved, Failure>;
}

impl<F: Fn(&ChatRequest) -> Result<Resolved, Failure> + Send + Sync> Resolve for F {
    fn resolve(&self, request: &ChatRequest) -> Result<Resolved, Failure> {
        self(request)
    }
}

/// Takes every request as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct AsAsked;

impl Resolve for AsAsked {
    fn resolve(&self, request: &ChatRequest) -> Result<Resolved, Failure> {
        Ok(Resolved { provider: Arc::from(""), request: request.clone() })
    }
}

impl Resolve for Config {
    fn resolve(&self, request: &ChatRequest) -> Result<Resolved, Failure> {
        let name = &*request.model;
        if let Some(model) = self.models.get(name) {
            let kind = self.providers.get(&model.provider).map_or("", |provider| provider.kind.word());
            let request = ChatRequest {
                model: Arc::clone(&model.model),
                temperature: request.temperature.or(model.temperature),
                max_tokens: request.max_tokens.or(model.max_tokens),
                seed: request.seed.or(model.seed),
                ..request.clone()
            };
            return Ok(Resolved { provider: Arc::from(kind), request });
        }
        if built_in(name) {
            let kind = if name == "echo" { ProviderKind::Echo } else { ProviderKind::Script };
            return Ok(Resolved { provider: Arc::from(kind.word()), request: request.clone() });
        }
        let message = format!("there is no model `{}`", shorten(name));
        let help = match nearest(name, self.models.keys().map(|name| &**name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "write [models.{}] in `normc.toml`: its settings are part of what is recorded",
                shorten(name)
            ),
        };
        Err(Failure::new(FailureKind::NoModelConfigured, message).with_help(help))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_filled_in_without_a_key() {
        let text = "[providers.p]\nbase_url = \"http://h/v1\"\napi_key_env = \"NORMC_TEST_NO_SUCH_KEY\"\n\
                    [models.fast]\nprovider = \"p\"\nmodel = \"small-8b\"\ntemperature = 0.5\nseed = 7\n";
        let config = Config::parse(text, "normc.toml").unwrap();
        let request = ChatRequest { seed: Some(1), ..ChatRequest::new("fast", "p") };
        let resolved = config.resolve(&request).unwrap();
        let expected =
            ChatRequest { temperature: Some(0.5), seed: Some(1), ..ChatRequest::new("small-8b", "p") };
        assert_eq!(resolved, Resolved { provider: "openai".into(), request: expected });
        let kind = |name: &str| config.resolve(&ChatRequest::new(name, "p")).map(|r| r.provider);
        assert_eq!((kind("echo").unwrap(), kind("script:a.json").unwrap()), ("echo".into(), "script".into()));
        let unknown = kind("fats").unwrap_err();
        assert_eq!(unknown.kind, FailureKind::NoModelConfigured);
        assert_eq!(unknown.help.as_deref(), Some("did you mean `fast`?"));
    }
}
