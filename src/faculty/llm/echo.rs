//! The model `echo`: its reply is the prompt. For tests and demonstrations, without network (semantics spec, 14.1).

use super::provider::{Asked, Provider, Refused, Said};

/// Replies with what it is asked.
pub(super) struct Echo;

impl Provider for Echo {
    fn ask(&self, asked: &Asked<'_>) -> Result<Said, Refused> {
        Ok(Said {
            text: asked.request.prompt.to_string(),
            finish_reason: Some("stop".to_owned()),
            model: Some("echo".to_owned()),
            usage: None,
            status: None,
        })
    }
}
