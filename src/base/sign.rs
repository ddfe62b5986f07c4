//! Perceptual signs: texts such as `%{script_location}(sum.py)` as a type of their own (semantics spec, section 2).
//!
//! INVARIANT: a sign comes only from plan text, inputs and paradigm outputs. What a model, script, file or person
//! returns is never given to [`Sign::parse`].

use std::fmt;
use std::sync::Arc;

/// A perceptual sign `%{norm}id(payload)`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sign {
    norm: Option<Arc<str>>,
    /// None when it is empty, as it is for nearly all.
    id: Option<Arc<str>>,
    payload: Arc<str>,
}

/// Why a sign cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no norm of a sign: use letters, digits and underscores only")]
pub struct SignError(pub String);

impl Sign {
    /// A sign around `payload`, without an id. The norm `literal` means no norm (semantics spec, section 2.2).
    ///
    /// # Errors
    /// When the norm has other characters than letters, digits and underscores.
    pub fn new(norm: Option<&str>, payload: impl Into<Arc<str>>) -> Result<Self, SignError> {
        let norm = norm.filter(|n| *n != "literal");
        if let Some(bad) = norm.filter(|n| !is_norm(n)) {
            return Err(SignError(bad.to_owned()));
        }
        Ok(Self { norm: norm.map(Arc::from), id: None, payload: payload.into() })
    }

    /// A sign without norm and id: how old sequences wrap what a script answers.
    pub fn plain(payload: impl Into<Arc<str>>) -> Self {
        Self { norm: None, id: None, payload: payload.into() }
    }

    /// The same sign under another id.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<Arc<str>>) -> Self {
        self.id = Some(id.into()).filter(|id| !id.is_empty());
        self
    }

    /// Reads a whole text as a sign; none when it is only text (semantics spec, section 2.1).
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('%')?;
        let (norm, rest) = match rest.strip_prefix('{') {
            Some(inner) => {
                let (norm, rest) = inner.split_once('}')?;
                (Some(is_norm(norm).then_some(norm)?), rest)
            }
            None => (None, rest),
        };
        let (id, rest) = rest.split_once('(')?;
        if !id.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return None;
        }
        let payload = rest.strip_suffix(')')?;
        let id = Some(id).filter(|id| !id.is_empty()).map(Arc::from);
        Some(Self { norm: norm.map(Arc::from), id, payload: Arc::from(payload) })
    }

    /// The norm, none for a literal sign.
    pub fn norm(&self) -> Option<&str> {
        self.norm.as_deref()
    }

    /// The id, empty when the sign has none.
    pub fn id(&self) -> &str {
        self.id.as_deref().unwrap_or_default()
    }

    /// The text between the parentheses.
    pub fn payload(&self) -> &Arc<str> {
        &self.payload
    }
}

fn is_norm(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("%")?;
        if let Some(norm) = &self.norm {
            write!(f, "{{{norm}}}")?;
        }
        write!(f, "{}({})", self.id(), self.payload)
    }
}
