//! `normc.toml` as a configuration. Reads a text; files and the environment are others' business.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::de::DeTable;

use super::super::request::Price;
use super::environment::checked_url;
use super::problem::ConfigProblem;
use super::settings::{
    Address, Config, JsonForm, KeySource, ModelConfig, Origin, ProviderConfig, ProviderKind, built_in,
};
use super::table::{Problems, Table};
use crate::base::{listed, nearest};

const PROVIDER: [&str; 16] = [
    "kind",
    "base_url",
    "api_key_env",
    "api_key_file",
    "api_key",
    "concurrency",
    "requests_per_minute",
    "tokens_per_minute",
    "connect_timeout",
    "timeout",
    "tries",
    "response_format",
    "body_limit",
    "proxy",
    "ca_file",
    "file",
];

const MODEL: [&str; 8] =
    ["provider", "model", "temperature", "max_tokens", "seed", "context", "price", "reply_retries"];

/// What to write instead of a key.
const NO_KEYS: &str = "write `api_key_env = \"NAME\"` and set that variable, or `api_key_file = \"path\"` with a file \
                       that only you can read (chmod 600)";

impl Config {
    /// Reads the text of a `normc.toml`. Relative paths in it stand relative to the folder of `file_name`.
    ///
    /// # Errors
    /// Everything that is wrong, each with its line; unknown settings are wrong.
    pub fn parse(text: &str, file_name: &str) -> Result<Self, Vec<ConfigProblem>> {
        let problems = Problems::new(text, file_name);
        let (document, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            for error in errors {
                let message = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
                problems.add(error.span().map(|span| span.start), format!("no TOML: {message}"), None);
            }
            return Err(problems.into_found());
        }
        let path = Path::new(file_name);
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        let mut config = Config { file: Some(path.to_path_buf()), ..Config::default() };
        {
            let root =
                Table { name: "the file".to_owned(), table: document.get_ref(), at: 0, problems: &problems };
            root.only(&["model", "providers", "models"]);
            for (name, table) in root.tables("providers") {
                config.providers.insert(name.clone(), provider(&name, &table, &folder, file_name));
            }
            for (name, table) in root.tables("models") {
                if let Some(found) = model(&name, &table, &config) {
                    config.models.insert(name, found);
                }
            }
            config.default = default(&root, &config, folder);
        }
        match problems.into_found() {
            none if none.is_empty() => Ok(config),
            found => Err(found),
        }
    }
}

fn default(root: &Table<'_>, config: &Config, folder: PathBuf) -> Option<(Arc<str>, Origin)> {
    let Some((name, span)) = root.text("model") else {
        // The only model there is needs no word to be the default.
        let only = config.models.keys().next().filter(|_| config.models.len() == 1)?;
        return Some((only.clone(), Origin::File(folder)));
    };
    // Also those with mistakes of their own, which are told elsewhere.
    let models = root.value("models").and_then(|models| models.get_ref().as_table());
    let names: Vec<&str> =
        models.iter().flat_map(|models| models.keys()).map(|key| key.get_ref().as_ref()).collect();
    if !names.contains(&name) && !built_in(name) {
        let help = match nearest(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if names.is_empty() => format!("write [models.{name}] and its provider"),
            None => format!("configured are {}", listed(&names)),
        };
        let message = format!("the default `model` is `{}`, which is not configured", name.escape_debug());
        root.problem(span, message, &help);
    }
    Some((Arc::from(name), Origin::File(folder)))
}

fn provider(name: &Arc<str>, table: &Table<'_>, folder: &Path, file: &str) -> ProviderConfig {
    table.only(&PROVIDER);
    let kinds = ProviderKind::ALL.map(ProviderKind::word);
    let kind = match table.value("kind") {
        Some(_) => table.word("kind", &kinds),
        None => Some(ProviderKind::OpenAi.word()),
    };
    let kind = ProviderKind::ALL.into_iter().find(|k| Some(k.word()) == kind).unwrap_or(ProviderKind::OpenAi);
    let mut found = ProviderConfig::new(name.clone(), kind, file);
    found.place.1 = table.problems.line(table.at);
    let needed = |key: &str, help: &str| {
        if table.value(key).is_none() {
            table.problem(table.at..table.at, format!("{} has no `{key}`", table.name), help);
        }
    };
    match kind {
        ProviderKind::OpenAi => {
            needed("base_url", "write where its server is: `base_url = \"http://127.0.0.1:8080/v1\"`")
        }
        ProviderKind::Script => needed("file", "write the file of its replies: `file = \"replies.toml\"`"),
        ProviderKind::Echo => {}
    }
    found.address = table.text("base_url").and_then(|(written, span)| {
        // What the environment fills in is looked at when it is known.
        let checked = if written.contains("${") { Ok(None) } else { checked_url(written).map(Some) };
        let written = Arc::from(written);
        match checked {
            Ok(filled) => Some(Address { written, filled }),
            Err((message, help)) => {
                table.problem(span, format!("`base_url` of {} {message}", table.name), help);
                None
            }
        }
    });
    if let Some(value) = table.value("api_key") {
        table.problem(value.span(), format!("{} holds a key itself", table.name), NO_KEYS);
    }
    let variable = table.text("api_key_env").map(|(name, _)| KeySource::Variable(Arc::from(name)));
    let key_file = table.text("api_key_file").map(|(path, _)| KeySource::File(beside(folder, path)));
    if let (Some(_), Some(_), Some(value)) = (&variable, &key_file, table.value("api_key_file")) {
        table.problem(
            value.span(),
            format!("{} takes its key from two places", table.name),
            "leave one of them out",
        );
    }
    found.key = variable.or(key_file);
    found.concurrency = table.whole_u32("concurrency", 1..4097).unwrap_or(found.concurrency);
    found.requests_per_minute = table.whole_u32("requests_per_minute", 1..u32::MAX);
    found.tokens_per_minute = table.whole_u32("tokens_per_minute", 1..u32::MAX);
    found.connect_timeout = table.seconds("connect_timeout").unwrap_or(found.connect_timeout);
    found.timeout = table.seconds("timeout").unwrap_or(found.timeout);
    found.tries = table.whole_u32("tries", 1..101).unwrap_or(found.tries);
    let form = table.word("response_format", &JsonForm::ALL.map(JsonForm::word));
    found.json = JsonForm::ALL.into_iter().find(|f| Some(f.word()) == form).unwrap_or_default();
    found.body_limit = table.bytes("body_limit").unwrap_or(found.body_limit);
    found.proxy = table.flag("proxy").unwrap_or(false);
    found.ca_file = table.text("ca_file").map(|(path, _)| beside(folder, path));
    found.file = table.text("file").map(|(path, _)| beside(folder, path));
    found
}

fn model(name: &Arc<str>, table: &Table<'_>, config: &Config) -> Option<ModelConfig> {
    table.only(&MODEL);
    if built_in(name) {
        let message = format!("the name `{name}` is taken by a model that is always there");
        table.problem(table.at..table.at, message, "give this model another name");
    }
    let names: Vec<&str> = config.providers.keys().map(|name| &**name).collect();
    let provider = match table.text("provider") {
        Some((provider, span)) => {
            if !config.providers.contains_key(provider) {
                let help = match nearest(provider, names.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("write [providers.{provider}] and its settings"),
                };
                let message =
                    format!("{} names the provider `{}`, which is not configured", table.name, provider);
                table.problem(span, message, &help);
            }
            Some(provider)
        }
        None if table.value("provider").is_some() => None,
        None => {
            let only = names.first().copied().filter(|_| names.len() == 1);
            if only.is_none() {
                let help = "write `provider = \"...\"`, the name of a [providers.NAME]";
                table.problem(table.at..table.at, format!("{} names no provider", table.name), help);
            }
            only
        }
    }?;
    let mut found = ModelConfig::new(name.clone(), provider);
    found.model = table.text("model").map_or(found.model, |(model, _)| Arc::from(model));
    found.temperature = table.float("temperature", 0.0..=10.0);
    found.max_tokens = table.whole_u32("max_tokens", 1..u32::MAX);
    found.seed = table.whole("seed", 0..1 << 63);
    found.context = table.whole("context", 1..1 << 40);
    found.reply_retries = table.whole_u32("reply_retries", 0..101).unwrap_or(found.reply_retries);
    found.price = table.table("price").map(|price| {
        price.only(&["input", "output"]);
        let part = |key: &str| {
            if price.value(key).is_none() {
                let help = "write `price = { input = 150000, output = 600000 }`: millionths of the unit for a million \
                            tokens";
                price.problem(price.at..price.at, format!("the price of {} has no `{key}`", table.name), help);
            }
            price.whole(key, 0..1 << 50).unwrap_or(0)
        };
        Price { input: part("input"), output: part("output") }
    });
    Some(found)
}

fn beside(folder: &Path, path: &str) -> PathBuf {
    // `~` stays: the environment says where it is.
    if path.starts_with("~/") { PathBuf::from(path) } else { folder.join(path) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const WHOLE: &str = r#"
model = "fast"

[providers.local]
base_url = "http://127.0.0.1:8080/v1/"
concurrency = 500
timeout = 1.5
body_limit = "1 MiB"
response_format = "schema"

[providers.hosted]
kind = "openai"
base_url = "https://${HOST}/v1"
api_key_env = "HOSTED_KEY"
requests_per_minute = 60

[models.fast]
provider = "local"
model = "small-8b"
temperature = 0
price = { input = 150_000, output = 600_000 }

[models.slow]
provider = "hosted"
"#;

    #[test]
    fn a_whole_file_is_read() {
        let config = Config::parse(WHOLE, "plans/normc.toml").unwrap();
        let local = &config.providers["local"];
        assert_eq!(local.address.as_ref().unwrap().filled.as_deref(), Some("http://127.0.0.1:8080/v1"));
        assert_eq!((local.concurrency, local.body_limit, local.tries), (500, 1 << 20, 5));
        assert_eq!((local.timeout, local.json), (Duration::from_millis(1500), JsonForm::Schema));
        assert_eq!(config.providers["hosted"].address.as_ref().unwrap().filled, None);
        let fast = &config.models["fast"];
        assert_eq!((&*fast.model, fast.temperature, fast.reply_retries), ("small-8b", Some(0.0), 1));
        assert_eq!(fast.price, Some(Price { input: 150_000, output: 600_000 }));
        assert_eq!(&*config.models["slow"].model, "slow");
        assert_eq!(config.default, Some((Arc::from("fast"), Origin::File(PathBuf::from("plans")))));
    }

    #[test]
    fn each_mistake_is_told_with_its_line_and_what_to_write() {
        let server = "[providers.p]\nbase_url = \"http://h/v1\"\n";
        let cases: [(&str, u32, &str, &str); 19] = [
            ("model = ", 1, "no TOML", ""),
            ("modle = \"x\"", 1, "no setting `modle`", "did you mean `model`?"),
            (
                "[providers.p]\nbase_url = \"http://h\"\nbase_urll = 1",
                3,
                "`base_urll`",
                "did you mean `base_url`?",
            ),
            ("[providers.p]", 1, "has no `base_url`", "base_url = "),
            ("[providers.p]\nkind = \"opnai\"\nbase_url=\"http://h\"", 2, "cannot be `opnai`", "`openai`"),
            ("[providers.p]\nkind = \"script\"", 1, "has no `file`", "file = "),
            ("[providers.p]\nbase_url = \"h:80\"", 2, "begins with neither", "http://"),
            ("[providers.p]\nbase_url = \"http://u:secret@h\"", 2, "holds a name or a key", "api_key_env"),
            ("[providers.p]\nbase_url = \"http://h?k=secret\"", 2, "ends with a query", "api_key_env"),
            (
                "[providers.p]\nbase_url = \"http://h\"\napi_key = \"secret\"",
                3,
                "holds a key itself",
                "api_key_env",
            ),
            ("[providers.p]\nbase_url = \"http://h\"\nconcurrency = 0", 3, "out of range", "from 1 to 4096"),
            (
                "[providers.p]\nbase_url = \"http://h\"\ntimeout = \"9\"",
                3,
                "must be a number",
                "timeout = 0.5",
            ),
            ("[providers.p]\nbase_url = \"http://h\"\nbody_limit = \"9 MB\"", 3, "is no size", "32 MiB"),
            ("[models.m]\nprovider = \"p\"", 2, "not configured", "[providers.p]"),
            ("[models.m]\nmodel = \"p\"", 1, "names no provider", "provider = "),
            ("model = \"mm\"\n[models.m]\n", 1, "not configured", "did you mean `m`?"),
            ("[models.echo]\n", 3, "always there", "another name"),
            ("[models.m]\nprice = { input = 3 }", 4, "no `output`", "output = 600000"),
            ("[models.m]\nseed = -1", 4, "out of range", "from 0"),
        ];
        for (text, line, message, help) in cases {
            let with_server = if text.starts_with("[models") && line > 2 { server } else { "" };
            let problems = Config::parse(&format!("{with_server}{text}"), "normc.toml").unwrap_err();
            let problem = problems.iter().find(|p| p.message.contains(message)).unwrap_or_else(|| {
                panic!("{text}: {problems:?}");
            });
            assert_eq!(problem.line, Some(line), "{text}: {problem:?}");
            assert!(problem.help.clone().unwrap_or_default().contains(help), "{text}: {problem:?}");
            assert!(!format!("{problems:?}").contains("secret"), "{text}");
        }
    }

    #[test]
    fn the_only_model_is_the_default() {
        let text = "[providers.p]\nkind = \"echo\"\n[models.m]\n";
        let config = Config::parse(text, "normc.toml").unwrap();
        assert_eq!(config.default.map(|d| d.0), Some(Arc::from("m")));
        assert!(Config::parse("", "normc.toml").unwrap().default.is_none());
        assert!(Config::parse("model = \"script:replies.toml\"", "normc.toml").is_ok());
    }
}
