//! Flow indices (`1.1.2`) and loop paths (`[3,1]`): where a step stands and in which iteration it runs.

use std::fmt;
use std::str::FromStr;

use smallvec::SmallVec;

/// The position of an inference in its plan: integers joined by dots, compared as a tuple of integers, so that
/// `1 < 1.1 < 1.1.2 < 1.2 < 1.10 < 2` (runtime spec, section 3).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowIndex(SmallVec<[u32; 8]>);

/// A text that is no flow index.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no flow index: write integers joined by dots, like `1.2.3`")]
pub struct FlowIndexError(pub String);

impl FlowIndex {
    /// The index of the `ordinal`-th root, counted from 1.
    pub fn root(ordinal: u32) -> Self {
        Self(SmallVec::from_slice(&[ordinal]))
    }

    /// The index of the `ordinal`-th child, counted from 1.
    pub fn child(&self, ordinal: u32) -> Self {
        let mut parts = self.0.clone();
        parts.push(ordinal);
        Self(parts)
    }

    /// The index one level up, none for a root.
    pub fn parent(&self) -> Option<Self> {
        let (_, up) = self.0.split_last()?;
        (!up.is_empty()).then(|| Self(SmallVec::from_slice(up)))
    }

    /// Returns whether `self` stands somewhere below `other` (a proper extension of it).
    pub fn is_below(&self, other: &FlowIndex) -> bool {
        self.0.len() > other.0.len() && self.0.starts_with(&other.0)
    }

    /// The integers, outermost first; never empty.
    pub fn parts(&self) -> &[u32] {
        &self.0
    }
}

impl fmt::Display for FlowIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, part) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(".")?;
            }
            write!(f, "{part}")?;
        }
        Ok(())
    }
}

impl FromStr for FlowIndex {
    type Err = FlowIndexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let part = |p: &str| {
            let digits = !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| p.parse().ok()).flatten()
        };
        text.split('.')
            .map(part)
            .collect::<Option<SmallVec<[u32; 8]>>>()
            .map(Self)
            .ok_or_else(|| FlowIndexError(text.to_owned()))
    }
}

/// Positions in the enclosing loops, outermost first, counted from 1; empty outside any loop. Printed `[3,1]`, and
/// as nothing at all when empty (runtime spec, section 1).
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LoopPath(pub SmallVec<[u32; 4]>);

impl fmt::Display for LoopPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        f.write_str("[")?;
        for (i, position) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            write!(f, "{position}")?;
        }
        f.write_str("]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_by_integers() {
        let texts = ["1", "1.1", "1.1.2", "1.2", "1.10", "2"];
        let parsed: Vec<FlowIndex> = texts.iter().map(|t| t.parse().unwrap()).collect();
        let mut sorted = parsed.clone();
        sorted.sort();
        assert_eq!(parsed, sorted);
        assert_eq!(parsed.iter().map(ToString::to_string).collect::<Vec<_>>(), texts);
    }

    #[test]
    fn rejects_what_is_no_index() {
        for text in ["", "1.", ".1", "1..2", "a", "1.a", "-1", "+1", "99999999999"] {
            assert!(text.parse::<FlowIndex>().is_err(), "{text}");
        }
    }

    #[test]
    fn below_is_a_proper_extension_by_whole_parts() {
        let at = |t: &str| t.parse::<FlowIndex>().unwrap();
        assert!(at("1.1.2").is_below(&at("1.1")));
        assert!(!at("1.1").is_below(&at("1.1")));
        assert!(!at("1.10").is_below(&at("1.1")));
        assert_eq!(at("1.1.2").parent(), Some(at("1.1")));
        assert_eq!(at("1").parent(), None);
    }

    #[test]
    fn loop_paths_print_as_in_step_keys() {
        assert_eq!(LoopPath(SmallVec::from_slice(&[3, 1])).to_string(), "[3,1]");
        assert_eq!(LoopPath::default().to_string(), "");
    }
}
