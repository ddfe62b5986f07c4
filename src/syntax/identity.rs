//! Canonical texts of values and functions: the part of concept identity that is spelling (language spec, section 8,
//! steps 1 to 3). Which identity index is needed, and which loop a bare `*` means, is decided where the whole plan is
//! known.

use std::sync::Arc;

use super::expr::{SuffixKind, Value, ValueKind};

/// The key of an occurrence: brackets, name, `?` and `*N`; placements, marks, data forms, unpack maps and remarks
/// are gone. Identity index and identification are left out too: see [`Key`].
pub fn base_key(value: &Value) -> String {
    let mut key = head(value);
    for suffix in &value.suffixes {
        match suffix.kind {
            SuffixKind::Query => key.push('?'),
            SuffixKind::Version(n) => key.push_str(&format!("*{n}")),
            SuffixKind::CurrentVersion => key.push('*'),
            _ => {}
        }
    }
    key
}

/// Brackets and name alone.
pub fn head(value: &Value) -> String {
    let (open, close) = value.kind.brackets();
    format!("{open}{}{close}", canonical_name(&value.name))
}

/// A name with runs of blanks collapsed, and without blanks just inside the brackets.
pub fn canonical_name(name: &str) -> String {
    let words = name.split([' ', '\t']).filter(|w| !w.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// The text of a function concept: blanks collapsed, all clauses kept.
pub fn function_text(text: &str) -> String {
    canonical_name(text)
}

/// All that a value's spelling says about its identity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Its kind.
    pub kind: ValueKind,
    /// Brackets and name.
    pub head: Arc<str>,
    /// The question about the concept.
    pub query: bool,
    /// The loop numbers of `*N`, in order; none stands for a bare `*`.
    pub versions: Vec<Option<u32>>,
    /// The number of `<$={N}>`.
    pub identity: Option<u32>,
    /// `<$={#}>`: stands for all the numbered things.
    pub any_identity: bool,
    /// The name of an identification `<$(..)=>`.
    pub identification: Option<Arc<str>>,
    /// Steps back of a carried version; the key without it is the base.
    pub carried: Option<u32>,
}

impl Key {
    /// The key of an occurrence.
    pub fn of(value: &Value) -> Self {
        let mut versions = Vec::new();
        let mut identification = None;
        for suffix in &value.suffixes {
            match &suffix.kind {
                SuffixKind::Version(n) => versions.push(Some(*n)),
                SuffixKind::CurrentVersion => versions.push(None),
                SuffixKind::Identification(of) => identification = Some(Arc::from(of.name())),
                _ => {}
            }
        }
        Self {
            kind: value.kind,
            head: Arc::from(head(value)),
            query: value.is_query(),
            versions,
            identity: value.identity(),
            any_identity: value.any_identity(),
            identification,
            carried: value.carried(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::reader::{Class, concept};

    fn value(text: &str) -> Value {
        concept(text, Class::Value).value().cloned().unwrap()
    }

    #[test]
    fn keys_keep_what_names_a_concept() {
        for (text, expected) in [
            ("{ sum }?<:{3}>", "{sum}?"),
            ("{number pair}*1*2", "{number pair}*1*2"),
            ("{number pair}<$={1}><:{1}>", "{number pair}"),
            ("{item}<$([items])*>", "{item}"),
            ("{carry}*-1", "{carry}"),
            ("[all {x}]<$(<done>)=>", "[all {x}]"),
            ("<all done><:{2}>", "<all done>"),
            ("{a.json}<$%={file_location}>", "{a.json}"),
            ("{a}<just a remark>*1", "{a}*1"),
        ] {
            assert_eq!(base_key(&value(text)), expected, "{text}");
        }
    }

    #[test]
    fn a_key_tells_index_label_and_lag_apart() {
        let key = Key::of(&value("{a}*1*<$={2}><$({b})=>"));
        assert_eq!((key.versions.as_slice(), key.identity), (&[Some(1), None][..], Some(2)));
        assert_eq!(key.identification.as_deref(), Some("b"));
        assert_eq!(Key::of(&value("{a}*-2")).carried, Some(2));
    }
}
