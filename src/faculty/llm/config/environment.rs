//! What the environment adds to a configuration: addresses filled in, keys, and a provider of its own. The environment
//! is a function that the caller gives; nothing is read here.

use std::path::PathBuf;
use std::sync::Arc;

use secrecy::SecretString;
use ureq::http::Uri;

use super::problem::ConfigProblem;
use super::settings::{Address, Config, KeySource, ModelConfig, ProviderConfig, ProviderKind, built_in};

/// The provider and the model that `NORMC_BASE_URL` makes.
const ENV: &str = "env";

/// Looks up a variable.
type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

impl Config {
    /// Fills in what the environment says: `${NAME}` in addresses, keys, `~`, and `NORMC_BASE_URL`, `NORMC_API_KEY`,
    /// `NORMC_MODEL`, which go before the file.
    ///
    /// `NORMC_BASE_URL` makes a provider `env`; its model is the default unless `NORMC_MODEL` names one of the file.
    /// A variable that a provider needs and that is not set is no error here: the provider may be of no use to this
    /// run.
    ///
    /// # Errors
    /// `NORMC_BASE_URL` that is no address; `NORMC_MODEL` that names no model.
    pub fn with_environment(mut self, env: Environment<'_>) -> Result<Self, Vec<ConfigProblem>> {
        let set =
            |name: &str| env(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        for provider in self.providers.values_mut() {
            fill(provider, &set);
        }
        let mut problems = Vec::new();
        let model = set("NORMC_MODEL");
        if let Some(url) = set("NORMC_BASE_URL") {
            match checked_url(&url) {
                Ok(filled) => self.add_environment(&url, filled, model.as_deref(), &set),
                Err((message, help)) => problems.push(
                    ConfigProblem::new("NORMC_BASE_URL", format!("the address {message}")).with_help(help),
                ),
            }
        } else if let Some(name) = model {
            let known = self.models.contains_key(&*name) || built_in(&name);
            if known || !self.models.is_empty() {
                // A name that is not known is told where it is used, with the nearest one.
                self.use_model(name);
            } else {
                let message = format!("there is no model `{}`", name.escape_debug());
                problems.push(ConfigProblem::new("NORMC_MODEL", message).with_help(
                    "set NORMC_BASE_URL to where its server is, such as http://127.0.0.1:8080/v1, or write a `normc.toml`",
                ));
            }
        }
        if problems.is_empty() { Ok(self) } else { Err(problems) }
    }

    fn add_environment(
        &mut self,
        written: &str,
        filled: Arc<str>,
        model: Option<&str>,
        set: &dyn Fn(&str) -> Option<String>,
    ) {
        let mut provider = ProviderConfig::new(ENV, ProviderKind::OpenAi, "NORMC_BASE_URL");
        provider.address = Some(Address { written: Arc::from(written), filled: Some(filled) });
        provider.secret = set("NORMC_API_KEY").map(SecretString::from);
        provider.key = provider.secret.as_ref().map(|_| KeySource::Variable(Arc::from("NORMC_API_KEY")));
        self.providers.insert(provider.name.clone(), provider);
        let name = match model {
            Some(name) if self.models.contains_key(name) || built_in(name) => return self.use_model(name),
            // Servers that run one model take any name for it.
            None => "default",
            Some(name) => name,
        };
        let model = ModelConfig { model: Arc::from(name), ..ModelConfig::new(ENV, ENV) };
        self.models.insert(model.name.clone(), model.clone());
        if name != "default" {
            self.models.insert(Arc::from(name), ModelConfig { name: Arc::from(name), ..model });
        }
        self.use_model(if name == "default" { ENV } else { name });
    }
}

/// Fills one provider from the environment.
pub(super) fn fill(provider: &mut ProviderConfig, set: &dyn Fn(&str) -> Option<String>) {
    if let Some(address) = provider.address.as_mut().filter(|address| address.filled.is_none()) {
        address.filled = expanded(&address.written, set).ok().and_then(|url| checked_url(&url).ok());
    }
    if let Some(KeySource::Variable(name)) = &provider.key {
        provider.secret = set(name).map(SecretString::from);
    }
    let home = |path: &mut PathBuf| {
        if let (Ok(rest), Some(home)) = (path.strip_prefix("~"), set("HOME")) {
            *path = PathBuf::from(home).join(rest);
        }
    };
    if let Some(path) = &mut provider.ca_file {
        home(path);
    }
    if let Some(KeySource::File(path)) = &mut provider.key {
        home(path);
    }
    if let Some(path) = &mut provider.file {
        home(path);
    }
}

/// A text with its `${NAME}` filled; the name that is not set otherwise.
pub(super) fn expanded(text: &str, set: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            return Err(after.to_owned());
        };
        out.push_str(&set(name).ok_or_else(|| name.to_owned())?);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// The first `${NAME}` of a text, for messages about one that is not set.
pub(crate) fn first_variable(text: &str) -> Option<&str> {
    let (_, after) = text.split_once("${")?;
    after.split_once('}').map(|(name, _)| name)
}

/// An address that can be used, without what stands after the version: `/chat/completions` and slashes.
///
/// # Errors
/// What is wrong with it, and what to write. Never shows the address, which may hold a key.
pub(super) fn checked_url(url: &str) -> Result<Arc<str>, (&'static str, &'static str)> {
    let url = url.trim();
    let scheme = url.get(..8).unwrap_or(url).to_ascii_lowercase();
    if !scheme.starts_with("http://") && !scheme.starts_with("https://") {
        return Err(("begins with neither `http://` nor `https://`", "write `http://127.0.0.1:8080/v1`"));
    }
    if url.contains(['?', '#']) {
        return Err(("ends with a query or a fragment", "write a key with `api_key_env` or `api_key_file`"));
    }
    let Ok(uri) = url.parse::<Uri>() else {
        return Err(("is no address", "write `http://HOST:PORT/v1`"));
    };
    let Some(authority) = uri.authority().filter(|authority| !authority.host().is_empty()) else {
        return Err(("names no host", "write `http://HOST:PORT/v1`"));
    };
    if authority.as_str().contains('@') {
        let help = "write the key with `api_key_env` or `api_key_file`";
        return Err(("holds a name or a key before its host", help));
    }
    let base = url.trim_end_matches('/');
    Ok(Arc::from(base.strip_suffix("/chat/completions").unwrap_or(base).trim_end_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faculty::llm::config::Origin;
    use secrecy::ExposeSecret;

    fn with(config: Config, variables: &[(&str, &str)]) -> Result<Config, Vec<ConfigProblem>> {
        config.with_environment(&|name| {
            variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_server_is_used_by_its_address_only() {
        let config = with(Config::default(), &[("NORMC_BASE_URL", "http://127.0.0.1:8080/v1/")]).unwrap();
        assert_eq!(config.default, Some((Arc::from("env"), Origin::User)));
        assert_eq!(&*config.models["env"].model, "default");
        assert!(config.providers["env"].key.is_none());

        let variables =
            [("NORMC_BASE_URL", "http://h/v1"), ("NORMC_MODEL", "qwen"), ("NORMC_API_KEY", "canary")];
        let config = with(Config::default(), &variables).unwrap();
        assert_eq!(config.default.as_ref().map(|d| &*d.0), Some("qwen"));
        assert_eq!(&*config.models["qwen"].model, "qwen");
        assert_eq!(config.secrets().map(|s| s.expose_secret()).collect::<Vec<_>>(), ["canary"]);
        assert!(!format!("{config:?}").contains("canary"));
    }

    #[test]
    fn the_environment_goes_before_the_file() {
        let file = "model = \"a\"\n[providers.p]\nbase_url = \"http://${HOST}/v1\"\napi_key_env = \"K\"\n\
                    [models.a]\n[models.b]\n";
        let read = || Config::parse(file, "normc.toml").unwrap();
        let config = with(read(), &[("NORMC_MODEL", "b"), ("HOST", "h:1"), ("K", " k ")]).unwrap();
        assert_eq!(config.default.as_ref().map(|d| &*d.0), Some("b"));
        let provider = &config.providers["p"];
        assert_eq!(provider.address.as_ref().unwrap().filled.as_deref(), Some("http://h:1/v1"));
        assert_eq!(provider.secret.as_ref().unwrap().expose_secret(), "k");
        // Not set, a host with a key in it, empty: nothing is used, and the message shows what was written.
        for host in ["", "user:canary@h"] {
            let config = with(read(), &[("HOST", host)]).unwrap();
            let address = config.providers["p"].address.clone().unwrap();
            assert_eq!((&*address.written, address.filled), ("http://${HOST}/v1", None));
        }
        let both = with(read(), &[("NORMC_BASE_URL", "http://h"), ("NORMC_MODEL", "b")]).unwrap();
        assert_eq!(both.default.as_ref().map(|d| &*d.0), Some("b"));
    }

    #[test]
    fn what_cannot_be_used_is_told() {
        let problems = with(Config::default(), &[("NORMC_BASE_URL", "localhost:8080")]).unwrap_err();
        assert_eq!(
            problems[0].to_string(),
            "NORMC_BASE_URL: the address begins with neither `http://` nor `https://`"
        );
        let problems = with(Config::default(), &[("NORMC_MODEL", "gpt")]).unwrap_err();
        assert!(problems[0].help.as_deref().unwrap().contains("NORMC_BASE_URL"));
        assert!(with(Config::default(), &[("NORMC_MODEL", "echo")]).is_ok());
    }
}
