//! What a language model is asked, who asks, and what comes back. Plain data: knows no provider, no file and no clock
//! (semantics spec, section 14.1).

use std::sync::Arc;
use std::time::Instant;

use crate::base::ReplyFormat;
use crate::faculty::Failure;

/// One question to a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatRequest {
    /// The model's name in the configuration, not the name its provider has for it.
    pub model: Arc<str>,
    /// The system message, if one is given.
    pub system: Option<Arc<str>>,
    /// The whole prompt.
    pub prompt: Arc<str>,
    /// Sampling temperature; none takes what the model is configured with.
    pub temperature: Option<f64>,
    /// At most so many tokens of reply; none takes what the model is configured with.
    pub max_tokens: Option<u32>,
    /// Sampling seed; none takes what the model is configured with.
    pub seed: Option<u64>,
    /// What form the reply must have.
    pub format: ReplyFormat,
}

impl ChatRequest {
    /// A request for any text, with the settings of the model.
    pub fn new(model: impl Into<Arc<str>>, prompt: impl Into<Arc<str>>) -> Self {
        Self {
            model: model.into(),
            system: None,
            prompt: prompt.into(),
            temperature: None,
            max_tokens: None,
            seed: None,
            format: ReplyFormat::Text,
        }
    }

    /// About how many tokens the messages are.
    pub fn prompt_tokens(&self) -> u64 {
        // A few tokens of frame around each message.
        let system = self.system.as_deref().map_or(0, |system| 4 + estimated_tokens(system));
        4 + estimated_tokens(&self.prompt) + system
    }
}

/// Which call this is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// The step with its loop position, such as `1.2.3[4]`.
    pub step: Arc<str>,
    /// The number of the cell within the step.
    pub cell: u32,
    /// How many calls of this cell came before this one.
    pub occurrence: u32,
    /// The key a provider may use to know a repeated call, the same for every try (durability spec, section 7).
    pub idempotency_key: Option<Arc<str>>,
    /// When the call must be over, all tries and waiting included.
    pub deadline: Option<Instant>,
}

/// Tokens of one call or of one try.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the messages.
    pub prompt_tokens: u64,
    /// Tokens of the reply.
    pub completion_tokens: u64,
    /// The server did not say; the numbers are an estimate.
    pub estimated: bool,
}

/// What a model costs, in millionths of the currency unit for a million tokens, or, which is the same, in
/// 10^-12 units a token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Price {
    /// For a million tokens of messages.
    pub input: u64,
    /// For a million tokens of reply.
    pub output: u64,
}

/// One try of a call; every try counts and is paid (semantics spec, section 14.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Try {
    /// How it ended: `ok`, or the stable word of a failure.
    pub outcome: Arc<str>,
    /// The HTTP status, if an answer came.
    pub status: Option<u16>,
    /// How long it took.
    pub millis: u64,
    /// How long was waited before it: for a free place, for the provider's rate, for the time to try again.
    pub waited_millis: u64,
    /// Tokens of the messages, as the server says, else estimated; zero when nothing was answered.
    pub prompt_tokens: u64,
    /// Tokens of the reply, as the server says, else estimated.
    pub completion_tokens: u64,
}

/// What a model replied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatReply {
    /// The text. It is data: never read as a sign, a template or a path (semantics spec, section 2.3).
    pub text: Arc<str>,
    /// Why the reply ends, in the server's word: `stop`, `length`.
    pub finish_reason: Option<Arc<str>>,
    /// The model that answered, as the server says, else the one that was asked.
    pub model: Arc<str>,
    /// Tokens of the try that gave the reply.
    pub usage: Usage,
    /// All tries, the last one gave the reply.
    pub tries: Vec<Try>,
    /// How long it took, waiting included.
    pub millis: u64,
    /// The reply was recorded before; no server was asked.
    pub replayed: bool,
}

/// Something that can be asked: a model, or a recording of one.
pub trait Chat: Send + Sync {
    /// Asks once, which may be several tries until one of them gives a reply.
    ///
    /// # Errors
    /// A typed failure (semantics spec, section 14.8).
    fn chat(&self, request: &ChatRequest, caller: &Caller) -> Result<ChatReply, Failure>;
}

/// About how many tokens a text is: one for four ASCII characters, one for each other character.
pub fn estimated_tokens(text: &str) -> u64 {
    let ascii = text.bytes().filter(u8::is_ascii).count() as u64;
    let other = text.chars().filter(|c| !c.is_ascii()).count() as u64;
    ascii.div_ceil(4) + other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_estimated_by_characters() {
        assert_eq!(estimated_tokens(""), 0);
        assert_eq!(estimated_tokens("abcde"), 2);
        assert_eq!(estimated_tokens("日本語"), 3);
        let request = ChatRequest { system: Some("abcd".into()), ..ChatRequest::new("m", "abcd") };
        assert_eq!(request.prompt_tokens(), 10);
    }
}
