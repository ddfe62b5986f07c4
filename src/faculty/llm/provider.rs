//! One try: what every kind of provider is asked and answers. Waiting, budgets and trying again are not known here.

use std::time::Duration;

use super::config::ModelConfig;
use super::request::{Caller, ChatRequest, Usage};
use crate::faculty::Failure;

/// One try. Settings of the model are already in the request.
pub(super) struct Asked<'a> {
    pub(super) request: &'a ChatRequest,
    pub(super) model: &'a ModelConfig,
    pub(super) caller: &'a Caller,
    /// At most so many tokens of reply.
    pub(super) max_tokens: Option<u32>,
    /// At most so long.
    pub(super) time: Duration,
}

/// A reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) text: String,
    pub(super) finish_reason: Option<String>,
    /// The model as the server names it.
    pub(super) model: Option<String>,
    /// As the server says; none when it does not.
    pub(super) usage: Option<Usage>,
    pub(super) status: Option<u16>,
}

/// No reply.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    pub(super) failure: Box<Failure>,
    pub(super) status: Option<u16>,
    pub(super) again: Again,
    /// What was answered all the same must be paid.
    pub(super) usage: Option<Usage>,
}

/// Whether the same try may succeed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// It will not.
    No,
    /// It may.
    Soon,
    /// It may, after the time that the server asks for.
    After(Duration),
}

impl Refused {
    /// A failure that is the same each time.
    pub(super) fn always(failure: Failure) -> Self {
        Self { failure: Box::new(failure), status: None, again: Again::No, usage: None }
    }
}

/// Something that has models.
pub(super) trait Provider: Send + Sync {
    /// Makes one try.
    fn ask(&self, asked: &Asked<'_>) -> Result<Said, Refused>;

    /// Ends all tries now.
    fn shut(&self) {}
}
