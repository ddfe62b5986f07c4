//! What loading collects and reads with: the list of diagnostics, the names of the concepts, typed reading of the
//! fields of one object. Knows nothing of single fields.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::{Map as JsonMap, Value as Json};

use crate::base::nearest;
use crate::diag::{Code, Diagnostic};
use crate::repo::bundle::kind;
use crate::repo::model::ConceptId;

/// Suggestions cost a walk over all names, so only the first unknown names get one.
const SUGGESTIONS: usize = 50;

/// Everything found so far.
#[derive(Debug, Default)]
pub(super) struct Problems {
    pub(super) found: Vec<Diagnostic>,
}

impl Problems {
    pub(super) fn add(&mut self, code: Code, message: impl Into<String>) {
        self.found.push(Diagnostic::new(code, message));
    }

    pub(super) fn add_with_help(&mut self, code: Code, message: impl Into<String>, help: impl Into<String>) {
        self.found.push(Diagnostic::new(code, message).help(help));
    }
}

/// The concepts by name.
#[derive(Debug, Default)]
pub(super) struct Names {
    ids: FxHashMap<Arc<str>, ConceptId>,
    list: Vec<Arc<str>>,
    unknown: FxHashSet<String>,
}

impl Names {
    /// Takes a name in; false when it is there already.
    pub(super) fn add(&mut self, name: &Arc<str>) -> bool {
        let id = ConceptId(u32::try_from(self.list.len()).unwrap_or(u32::MAX));
        let new = !self.ids.contains_key(name);
        if new {
            self.ids.insert(name.clone(), id);
            self.list.push(name.clone());
        }
        new
    }

    pub(super) fn get(&self, name: &str) -> Option<ConceptId> {
        self.ids.get(name).copied()
    }

    pub(super) fn name(&self, id: ConceptId) -> &str {
        self.list.get(id.0 as usize).map_or("", |n| n)
    }

    /// The concept of a name; an unknown one is reported once, with its user.
    pub(super) fn resolve(&mut self, name: &str, user: &str, problems: &mut Problems) -> Option<ConceptId> {
        let found = self.get(name);
        if found.is_none() && self.unknown.insert(name.to_owned()) {
            let near = if self.unknown.len() <= SUGGESTIONS {
                nearest(name, self.list.iter().map(|n| n.as_ref()))
            } else {
                None
            };
            let help = near.map_or_else(
                || format!("add an entry with \"concept_name\": \"{name}\" to the concept repository"),
                |near| format!("did you mean `{near}`?"),
            );
            let message = format!("{user} uses `{name}`, which is not in the concept repository");
            problems.add_with_help(Code::NC103, message, help);
        }
        found
    }
}

/// Typed reading of one object; `what` names it in messages.
pub(super) struct Fields<'a> {
    map: &'a JsonMap<String, Json>,
    pub(super) what: &'a str,
    /// The code of a field that is missing or of a wrong type.
    code: Code,
}

impl<'a> Fields<'a> {
    pub(super) fn new(map: &'a JsonMap<String, Json>, what: &'a str, code: Code) -> Self {
        Self { map, what, code }
    }

    pub(super) fn raw(&self) -> &'a JsonMap<String, Json> {
        self.map
    }

    /// A field that is neither absent nor null.
    pub(super) fn present(&self, field: &str) -> Option<&'a Json> {
        self.map.get(field).filter(|v| !v.is_null())
    }

    pub(super) fn wrong(&self, field: &str, expected: &str, found: &Json, problems: &mut Problems) {
        let message = format!("`{field}` of {} must be {expected}, not {}", self.what, kind(found));
        problems.add(self.code, message);
    }

    pub(super) fn missing(&self, field: &str, help: &str, problems: &mut Problems) {
        problems.add_with_help(self.code, format!("{} has no `{field}`", self.what), help);
    }

    pub(super) fn text(&self, field: &str, problems: &mut Problems) -> Option<&'a str> {
        match self.present(field)? {
            Json::String(text) => Some(text),
            other => {
                self.wrong(field, "a text", other, problems);
                None
            }
        }
    }

    pub(super) fn flag(&self, field: &str, default: bool, problems: &mut Problems) -> bool {
        match self.present(field) {
            None => default,
            Some(Json::Bool(flag)) => *flag,
            Some(other) => {
                self.wrong(field, "true or false", other, problems);
                default
            }
        }
    }

    pub(super) fn object(&self, field: &str, problems: &mut Problems) -> Option<&'a JsonMap<String, Json>> {
        match self.present(field)? {
            Json::Object(map) => Some(map),
            other => {
                self.wrong(field, "an object", other, problems);
                None
            }
        }
    }

    /// A list of texts; none when the field is absent. One text counts as a list of one, with a warning.
    pub(super) fn texts(&self, field: &str, problems: &mut Problems) -> Option<Vec<&'a str>> {
        match self.present(field)? {
            Json::String(text) => {
                let message = format!("`{field}` of {} is one text where a list belongs", self.what);
                problems.add_with_help(Code::NC121, message, format!("write \"{field}\": [\"{text}\"]"));
                Some(vec![text])
            }
            Json::Array(items) => {
                let mut texts = Vec::with_capacity(items.len());
                for item in items {
                    match item {
                        Json::String(text) => texts.push(text.as_str()),
                        other => {
                            self.wrong(field, "a list of texts", other, problems);
                            return None;
                        }
                    }
                }
                Some(texts)
            }
            other => {
                self.wrong(field, "a list of texts", other, problems);
                None
            }
        }
    }

    pub(super) fn axis_names(&self, field: &str, problems: &mut Problems) -> Option<Vec<Arc<str>>> {
        self.texts(field, problems).map(|names| names.into_iter().map(Arc::from).collect())
    }
}
