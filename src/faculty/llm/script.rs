//! The model `script:FILE`: canned replies by pattern, for tests and demonstrations, without network (semantics spec,
//! section 14.1). A reply is a function of the request and its occurrence: nothing is remembered between calls.

use std::sync::Arc;

use similar::TextDiff;

use super::provider::{Asked, Provider, Refused, Said};
use super::script_file::{Reply, Rule, rules};
use crate::faculty::failure::shorten;
use crate::faculty::{Failure, FailureKind};

/// How much of a prompt is compared to find the nearest rule.
const COMPARED: usize = 200;

/// The rules of one file.
pub(super) struct Script {
    file: Arc<str>,
    rules: Vec<Rule>,
}

impl Script {
    /// Reads the text of a file of replies.
    ///
    /// # Errors
    /// `bad_configuration` with the line.
    pub(super) fn parse(text: &str, file: &str) -> Result<Self, Failure> {
        Ok(Self { file: Arc::from(file), rules: rules(text, file)? })
    }

    fn no_rule(&self, asked: &Asked<'_>) -> Failure {
        let line = asked.request.prompt.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
        let message =
            format!("no rule of `{}` fits the prompt `{}`", shorten(&self.file), shorten(line.trim()));
        let prompt: String = asked.request.prompt.chars().take(COMPARED).collect();
        let near = |rule: &Rule| {
            let pattern: String = rule.pattern().chars().take(COMPARED).collect();
            let ratio = TextDiff::from_chars(&*pattern, &*prompt).ratio();
            (ratio * 1e6) as u64
        };
        // Files are small; only the first rules of a large one are compared.
        let nearest = self.rules.iter().take(200).max_by_key(|rule| near(rule));
        let help = match nearest {
            Some(rule) => format!("the nearest is line {}: `{}`", rule.line, shorten(&rule.pattern())),
            None => "write a rule: `[[rule]]` with `contains = \"...\"` and `reply = \"...\"`".to_owned(),
        };
        Failure::new(FailureKind::ModelRefused, message)
            .with_help(help)
            .at(self.file.clone(), nearest.map(|r| r.line))
    }
}

impl Provider for Script {
    fn ask(&self, asked: &Asked<'_>) -> Result<Said, Refused> {
        let request = asked.request;
        let system = request.system.as_deref().unwrap_or("");
        let names = [&*request.model, &*asked.model.model];
        let Some(rule) = self.rules.iter().find(|rule| rule.fits(&request.prompt, system, &names)) else {
            return Err(Refused::always(self.no_rule(asked)));
        };
        let text = match rule.reply(asked.caller.occurrence) {
            Reply::Text(template) => rule.filled(template, &request.prompt),
            Reply::Literal(text) => text.clone(),
            Reply::Failure(kind, message) => {
                let message = message
                    .clone()
                    .unwrap_or_else(|| format!("line {} of `{}` says so", rule.line, self.file));
                return Err(Refused::always(Failure::new(*kind, message)));
            }
        };
        Ok(Said {
            text,
            finish_reason: Some(rule.finish_reason.clone()),
            model: Some(rule.says.clone().unwrap_or_else(|| asked.model.model.to_string())),
            usage: rule.usage,
            status: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faculty::llm::config::ModelConfig;
    use crate::faculty::llm::request::{Caller, ChatRequest};
    use std::time::Duration;

    const RULES: &str = r#"
[[rule]]
match = '(?s)sum of (\d+) and (?<second>\d+)'
reply = "$1 plus ${second} is $$5"
usage = { prompt = 11, completion = 3 }

[[rule]]
contains = ["colour", "sky"]
replies = ["blue", "grey", { error = "reply_malformed", message = "out of colours" }]
finish_reason = "length"

[[rule]]
system = "judge"
reply = { answer = true }

[[rule]]
contains = "price: $5"
reply = "$1 stays"
"#;

    fn ask(script: &Script, prompt: &str, system: Option<&str>, occurrence: u32) -> Result<Said, Refused> {
        let request = ChatRequest { system: system.map(Arc::from), ..ChatRequest::new("m", prompt) };
        let (model, caller) = (ModelConfig::new("m", "p"), Caller { occurrence, ..Caller::default() });
        let time = Duration::from_secs(1);
        script.ask(&Asked { request: &request, model: &model, caller: &caller, max_tokens: None, time })
    }

    #[test]
    fn the_first_rule_that_fits_replies() {
        let script = Script::parse(RULES, "replies.toml").unwrap();
        let sum = ask(&script, "what is the\nsum of 2 and 3?", None, 7).unwrap();
        assert_eq!((sum.text.as_str(), sum.usage.map(|u| u.prompt_tokens)), ("2 plus 3 is $5", Some(11)));
        let colour = |n| ask(&script, "the colour of the sky?", None, n);
        assert_eq!(colour(0).unwrap().text, "blue");
        assert_eq!(colour(0).unwrap().text, "blue", "nothing is remembered");
        assert_eq!(colour(1).unwrap().finish_reason.as_deref(), Some("length"));
        for late in [2, 3, 99] {
            let failure = colour(late).unwrap_err().failure;
            assert_eq!(
                (failure.kind, failure.message.as_str()),
                (FailureKind::ReplyMalformed, "out of colours")
            );
        }
        assert_eq!(ask(&script, "x", Some("you are a judge"), 0).unwrap().text, r#"{"answer":true}"#);
        assert_eq!(ask(&script, "price: $5", None, 0).unwrap().text, "$1 stays");
    }

    #[test]
    fn what_was_captured_is_not_read_as_a_template() {
        let script = Script::parse("[[rule]]\nmatch = \"(.*)\"\nreply = \"<$1>\"", "r.toml").unwrap();
        assert_eq!(ask(&script, "$1 ${1} %{file}", None, 0).unwrap().text, "<$1 ${1} %{file}>");
    }

    #[test]
    fn a_prompt_that_no_rule_fits_is_told_with_the_nearest() {
        let script = Script::parse(RULES, "replies.toml").unwrap();
        let failure = ask(&script, "\n  price: $6 \nmore", None, 0).unwrap_err().failure;
        assert_eq!(failure.kind, FailureKind::ModelRefused);
        assert_eq!(failure.message, "no rule of `replies.toml` fits the prompt `price: $6`");
        assert_eq!(failure.help.as_deref(), Some("the nearest is line 16: `price: $5`"));
        let empty = Script::parse("", "r.toml").unwrap();
        assert!(ask(&empty, "x", None, 0).unwrap_err().failure.help.unwrap().contains("[[rule]]"));
    }
}
