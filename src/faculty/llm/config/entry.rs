//! Providers of an agent file: the entries of `llm_providers` (semantics spec, section 12).

use std::sync::Arc;

use secrecy::SecretString;
use serde_json::Value as Json;

use super::environment::{checked_url, expanded, fill};
use super::problem::ConfigProblem;
use super::settings::{Address, Config, KeySource, ModelConfig, ProviderConfig, ProviderKind};
use crate::base::{listed, nearest};

const KNOWN: [&str; 12] = [
    "provider_name",
    "provider_id",
    "id",
    "name",
    "provider_type",
    "base_url",
    "api_key",
    "model",
    "temperature",
    "max_tokens",
    "enabled",
    "description",
];

/// What is spoken to as OpenAI is.
const SPOKEN: [&str; 12] = [
    "openai",
    "openai_compatible",
    "openai-compatible",
    "custom",
    "local",
    "llama.cpp",
    "llamacpp",
    "ollama",
    "vllm",
    "dashscope",
    "deepseek",
    "openrouter",
];

impl Config {
    /// Adds a provider of an agent file, and the model of its name. What `normc.toml` or the environment already says
    /// under that name stays.
    ///
    /// Returns warnings: settings that are not known, a key that stands in the file itself.
    ///
    /// # Errors
    /// What is wrong with the entry; then nothing is added.
    pub fn add_provider_entry(
        &mut self,
        entry: &Json,
        file: &str,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Vec<ConfigProblem>, Vec<ConfigProblem>> {
        let mut problems = Vec::new();
        let mut warnings = Vec::new();
        let say = |message: String, help: &str| ConfigProblem::new(file, message).with_help(help);
        let Some(map) = entry.as_object() else {
            return Err(vec![say(
                "an entry of `llm_providers` is no map".to_owned(),
                "write `{\"provider_name\": ..}`",
            )]);
        };
        let text =
            |key: &str| map.get(key).and_then(Json::as_str).map(str::trim).filter(|text| !text.is_empty());
        let Some(name) = ["provider_name", "provider_id", "name", "id"].into_iter().find_map(text) else {
            let message = "an entry of `llm_providers` has no name".to_owned();
            return Err(vec![say(message, "write `\"provider_name\": \"...\"`")]);
        };
        let what = format!("the provider `{}`", name.escape_debug());
        for key in map.keys().filter(|key| !KNOWN.contains(&key.as_str())) {
            let help = match nearest(key, KNOWN) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known are {}", listed(KNOWN)),
            };
            warnings.push(say(format!("{what} has no setting `{}`", key.escape_debug()), &help));
        }
        let kind = text("provider_type").unwrap_or("openai").to_ascii_lowercase();
        let mut provider = ProviderConfig::new(name, ProviderKind::OpenAi, file);
        if matches!(kind.as_str(), "echo" | "mock" | "demo") {
            provider.kind = ProviderKind::Echo;
        } else if !SPOKEN.contains(&kind.as_str()) {
            let message =
                format!("{what} is of the type `{}`, which is not spoken here", kind.escape_debug());
            let help = "give it the type `openai` and the `base_url` of its OpenAI-compatible interface";
            problems.push(say(message, help));
        }
        let written = text("base_url").or((kind == "openai").then_some("https://api.openai.com/v1"));
        match written {
            Some(written) if provider.kind == ProviderKind::OpenAi => {
                let filled = match written.contains("${") {
                    true => Ok(None),
                    false => checked_url(written).map(Some),
                };
                match filled {
                    Ok(filled) => provider.address = Some(Address { written: Arc::from(written), filled }),
                    Err((message, help)) => {
                        problems.push(say(format!("`base_url` of {what} {message}"), help))
                    }
                }
            }
            None if provider.kind == ProviderKind::OpenAi => {
                let help = "write where its server is: `\"base_url\": \"http://127.0.0.1:8080/v1\"`";
                problems.push(say(format!("{what} has no `base_url`"), help));
            }
            _ => {}
        }
        let set =
            |name: &str| env(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        if let Some(key) = text("api_key") {
            match key.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
                Some(variable) => provider.key = Some(KeySource::Variable(Arc::from(variable))),
                None => {
                    let message = format!("{what} holds its key in the file itself");
                    warnings.push(say(message, "write `\"api_key\": \"${NAME}\"` and set that variable"));
                    let key = SecretString::from(expanded(key, &set).unwrap_or_else(|_| key.to_owned()));
                    provider.secret = Some(key.clone());
                    provider.key = Some(KeySource::Given(key));
                }
            }
        }
        let mut model = ModelConfig::new(name, name);
        model.model = text("model").map_or(model.model, Arc::from);
        match map.get("temperature") {
            None | Some(Json::Null) => {}
            Some(value) => match value.as_f64().filter(|t| (0.0..=10.0).contains(t)) {
                Some(temperature) => model.temperature = Some(temperature),
                None => problems
                    .push(say(format!("`temperature` of {what} is no number from 0 to 10"), "write 0")),
            },
        }
        match map.get("max_tokens") {
            None | Some(Json::Null) => {}
            Some(value) => match value.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0) {
                Some(limit) => model.max_tokens = Some(limit),
                None => problems
                    .push(say(format!("`max_tokens` of {what} is no whole number above 0"), "write 2000")),
            },
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        fill(&mut provider, &set);
        self.providers.entry(provider.name.clone()).or_insert(provider);
        self.models.entry(model.name.clone()).or_insert(model);
        Ok(warnings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn add(entry: &Json) -> (Config, Result<Vec<ConfigProblem>, Vec<ConfigProblem>>) {
        let mut config = Config::default();
        let env = |name: &str| Some("canary".to_owned()).filter(|_| name == "KEY");
        let found = config.add_provider_entry(entry, "a.agent.json", &env);
        (config, found)
    }

    #[test]
    fn entries_become_a_provider_and_a_model() {
        let entry = json!({"provider_name": "qwen", "provider_type": "openai", "base_url": "http://h/v1",
            "api_key": "${KEY}", "model": "qwen-plus", "temperature": 0, "max_tokens": 100});
        let (config, warnings) = add(&entry);
        assert_eq!(warnings, Ok(Vec::new()));
        assert_eq!(
            (&*config.models["qwen"].model, config.models["qwen"].max_tokens),
            ("qwen-plus", Some(100))
        );
        assert!(config.providers["qwen"].secret.is_some());
        let literal = json!({"provider_id": "o", "api_key": "sk-canary", "modle": "x"});
        let (config, warnings) = add(&literal);
        let warnings = warnings.unwrap();
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert_eq!(&*config.providers["o"].address.as_ref().unwrap().written, "https://api.openai.com/v1");
        assert!(!format!("{warnings:?}{config:?}").contains("canary"));
    }

    #[test]
    fn entries_that_cannot_be_used_add_nothing() {
        for entry in [
            json!([]),
            json!({"model": "x"}),
            json!({"name": "a", "provider_type": "telegraph", "base_url": "http://h"}),
            json!({"name": "a", "provider_type": "ollama"}),
            json!({"name": "a", "base_url": "http://u:p@h"}),
            json!({"name": "a", "temperature": "hot"}),
            json!({"name": "a", "max_tokens": 0}),
        ] {
            let (config, found) = add(&entry);
            let problems = found.unwrap_err();
            assert!(problems.iter().all(|p| p.help.is_some()), "{entry}");
            assert!(config.providers.is_empty() && config.models.is_empty(), "{entry}");
        }
    }
}
