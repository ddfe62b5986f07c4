//! Axis names. Knows nothing of tensors.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ptr;
use std::sync::Arc;

/// The name of an axis: any text, compared byte for byte (tensor spec, section 1). Cloning is cheap.
#[derive(Clone)]
pub struct Axis(Name);

/// Reserved names live in the program, so that the many single values of a run share no counter.
#[derive(Clone)]
enum Name {
    Fixed(&'static str),
    Shared(Arc<str>),
}

impl Axis {
    /// `_none_axis`: the axis of a value with no plurality (tensor spec, section 1).
    pub const NONE: Self = Self(Name::Fixed("_none_axis"));
    /// `value`: the new name of `_none_axis` in the results of a loop (tensor spec, section 8).
    pub const VALUE: Self = Self(Name::Fixed("value"));
    /// `result`: the axis of an empty specification (tensor spec, section 6).
    pub const RESULT: Self = Self(Name::Fixed("result"));
    /// `assertion_result`: the axis of a truth mask with everything folded (tensor spec, section 9).
    pub const ASSERTION: Self = Self(Name::Fixed("assertion_result"));

    /// An axis of this name.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(Name::Shared(name.into()))
    }

    /// `_none_axis`, see [`Axis::NONE`].
    pub fn none() -> Self {
        Self::NONE
    }

    /// `axis_0`, `axis_1`, ...: the names of axes nobody named (tensor spec, section 3).
    pub fn numbered(number: usize) -> Self {
        match number {
            0 => Self(Name::Fixed("axis_0")),
            1 => Self(Name::Fixed("axis_1")),
            _ => Self::new(format!("axis_{number}")),
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Name::Fixed(name) => name,
            Name::Shared(name) => name,
        }
    }

    /// The name as shared text.
    pub fn to_shared(&self) -> Arc<str> {
        match &self.0 {
            Name::Fixed(name) => Arc::from(*name),
            Name::Shared(name) => Arc::clone(name),
        }
    }

    /// Returns whether this is `_none_axis`.
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }
}

impl PartialEq for Axis {
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (self.as_str(), other.as_str());
        ptr::eq(a, b) || a == b
    }
}

impl Eq for Axis {}

impl PartialEq<str> for Axis {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Axis {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialOrd for Axis {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Axis {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

// INVARIANT: hashes as its text does, because of `Borrow<str>`.
impl Hash for Axis {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Borrow<str> for Axis {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Axis {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl From<&str> for Axis {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<String> for Axis {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

impl From<Arc<str>> for Axis {
    fn from(name: Arc<str>) -> Self {
        Self::new(name)
    }
}

impl From<&Arc<str>> for Axis {
    fn from(name: &Arc<str>) -> Self {
        Self::new(Arc::clone(name))
    }
}

impl fmt::Display for Axis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Axis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_wherever_it_lives() {
        assert_eq!(Axis::new("_none_axis"), Axis::NONE);
        assert!(Axis::from("_none_axis").is_none());
        assert_eq!(Axis::numbered(1), Axis::from("axis_1"));
        assert_eq!(Axis::numbered(7).to_string(), "axis_7");
        assert_ne!(Axis::from("é"), Axis::from("e\u{301}"));
    }
}
