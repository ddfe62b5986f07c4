//! The fields of a JSON object, taken out one by one, with words for what is missing, wrong or too much. Knows no
//! recording.

use std::sync::Arc;

use serde_json::{Map as JsonMap, Value as Json};

use crate::base::nearest;
use crate::faculty::failure::shorten;

/// What is wrong with a line, in words.
pub(super) type Problem = String;

/// The fields of an object, taken out one by one; what is left in the end should not be there.
pub(super) struct Fields {
    /// What it is, for messages.
    name: &'static str,
    map: JsonMap<String, Json>,
}

impl Fields {
    pub(super) fn new(name: &'static str, map: JsonMap<String, Json>) -> Self {
        Self { name, map }
    }

    pub(super) fn any(&mut self, name: &'static str) -> Result<Json, Problem> {
        self.map.shift_remove(name).ok_or_else(|| {
            let found = nearest(name, self.map.keys().map(String::as_str));
            let instead = found.map_or(String::new(), |found| format!(" but `{}`", shorten(found)));
            format!("{} has no `{name}`{instead}", self.name)
        })
    }

    pub(super) fn optional<T>(
        &mut self,
        name: &'static str,
        wanted: &str,
        read: impl FnOnce(&Json) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        match self.map.shift_remove(name) {
            None => Ok(None),
            Some(value) => match read(&value) {
                Some(value) => Ok(Some(value)),
                None => Err(format!("`{name}` must be {wanted}, this is `{}`", shorten(&value.to_string()))),
            },
        }
    }

    pub(super) fn optional_text(&mut self, name: &'static str) -> Result<Option<Arc<str>>, Problem> {
        self.optional(name, "a text", |value| value.as_str().map(Arc::from))
    }

    pub(super) fn text(&mut self, name: &'static str) -> Result<Arc<str>, Problem> {
        match self.optional_text(name)? {
            Some(text) => Ok(text),
            None => Err(self.any(name).err().unwrap_or_default()),
        }
    }

    pub(super) fn number(&mut self, name: &'static str) -> Result<u64, Problem> {
        match self.optional(name, "a whole number", Json::as_u64)? {
            Some(number) => Ok(number),
            None => Err(self.any(name).err().unwrap_or_default()),
        }
    }

    pub(super) fn object(&mut self, name: &'static str) -> Result<Self, Problem> {
        match self.any(name)? {
            Json::Object(map) => Ok(Self { name: whose(name), map }),
            other => Err(format!("`{name}` must be an object, this is `{}`", shorten(&other.to_string()))),
        }
    }

    pub(super) fn end(self) -> Result<(), Problem> {
        match self.map.keys().next() {
            None => Ok(()),
            Some(name) => Err(format!("{} has the unknown field `{}`", self.name, shorten(name))),
        }
    }
}

/// An object within a recording, in words.
fn whose(name: &str) -> &'static str {
    match name {
        "request" => "its request",
        "reply" => "its reply",
        "usage" => "its usage",
        _ => "an object of it",
    }
}
