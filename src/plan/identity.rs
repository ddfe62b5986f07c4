//! Which occurrences of a value are one concept: canonical names (language spec, section 8). Knows nothing of
//! inferences.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::syntax::{SuffixKind, Value, ValueKind};

/// The identity of an occurrence before it is known whether its index is needed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// Brackets, name and `?`.
    pub(super) base: Arc<str>,
    /// The identity index as written, `1` of `<$={1}>`.
    pub(super) index: Option<Arc<str>>,
    /// The loop numbers of its version.
    pub(super) versions: Vec<u32>,
}

impl Key {
    /// The key of an occurrence; `current` is the number of the innermost enclosing loop, for `*` without one.
    pub(super) fn of(value: &Value, current: Option<u32>) -> Self {
        let (open, close) = value.kind.brackets();
        let query = if value.is_query() { "?" } else { "" };
        let mut index = None;
        let mut versions = Vec::new();
        for suffix in &value.suffixes {
            match &suffix.kind {
                SuffixKind::Version(n) => versions.push(*n),
                SuffixKind::CurrentVersion => versions.extend(current),
                SuffixKind::Identity(n) => index = Some(Arc::from(n.to_string())),
                SuffixKind::NamedIdentity(words) => index = Some(words.clone()),
                _ => {}
            }
        }
        Self { base: Arc::from(format!("{open}{}{close}{query}", value.name)), index, versions }
    }

    /// The same in one more loop.
    pub(super) fn in_loop(&self, number: u32) -> Self {
        let mut key = self.clone();
        key.versions.push(number);
        key
    }
}

/// Which identity indices a plan uses. With at most one distinct index of a name it says nothing and is dropped
/// everywhere; with two or more, each is a concept of its own.
#[derive(Debug, Default)]
pub(super) struct Indices {
    used: FxHashMap<Arc<str>, BTreeSet<Arc<str>>>,
}

impl Indices {
    /// Takes note of an occurrence.
    pub(super) fn note(&mut self, key: &Key) {
        if let Some(index) = &key.index {
            match self.used.get_mut(&key.base) {
                Some(indices) => {
                    indices.insert(index.clone());
                }
                None => {
                    self.used.insert(key.base.clone(), BTreeSet::from([index.clone()]));
                }
            }
        }
    }

    /// The indices that tell concepts of this name apart; empty when they do not.
    pub(super) fn distinct(&self, base: &str) -> impl Iterator<Item = &Arc<str>> {
        self.used.get(base).filter(|i| i.len() > 1).into_iter().flatten()
    }

    /// The key with its index dropped where it is not needed.
    pub(super) fn settle(&self, mut key: Key) -> Key {
        if key.index.is_some() && self.distinct(&key.base).next().is_none() {
            key.index = None;
        }
        key
    }

    /// The canonical name of a settled key.
    pub(super) fn name(key: &Key) -> String {
        let mut name = key.base.to_string();
        if let Some(index) = &key.index {
            // INVARIANT: writing into a text never fails.
            let _ = write!(name, "<$={{{index}}}>");
        }
        for version in &key.versions {
            let _ = write!(name, "*{version}");
        }
        name
    }
}

/// Returns whether the line of this value is an occurrence of a concept at all: subjects are not stored.
pub(super) fn is_concept(value: &Value) -> bool {
    value.kind != ValueKind::Subject
}
