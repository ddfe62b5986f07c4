//! What form the reply of a language model must have, as plain data (semantics spec, section 14.1). Knows no model.

use std::sync::Arc;

use serde_json::Value as Json;

/// What form a reply must have.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum ReplyFormat {
    /// Any text.
    #[default]
    Text,
    /// A JSON object.
    Json,
    /// JSON that fits a schema.
    Schema(Arc<Json>),
}

impl ReplyFormat {
    /// Returns whether the reply must be JSON.
    pub fn is_json(&self) -> bool {
        !matches!(self, Self::Text)
    }
}
