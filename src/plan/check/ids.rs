//! Names that differ in nothing an id keeps: NC096 (language spec, section 13; repositories spec, section 9).
//!
//! An id keeps letters and digits of any script, so names in Chinese have ids as good as any. Two names are reported
//! only when nothing but blanks and punctuation tells them apart: `{a > b}` and `{a < b}` differ in what they say, and
//! a name and the question about it, or two long names that are cut, are no mistake; their ids get a number.

use rustc_hash::FxHashMap;

use crate::diag::{Code, Diagnostic};
use crate::plan::model::{Concept, ConceptKind};

use super::Facts;

/// Signs that say something in a name.
const SAYING: &str = "<>=+*%^&|~$€£¥@#→←°";

pub(super) fn check(facts: &Facts<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let mut first: FxHashMap<(ConceptKind, String), &Concept> = FxHashMap::default();
    for (id, concept) in facts.values() {
        // A version of a concept is named as it is.
        if !concept.versions.is_empty() || concept.query || !plain(concept) {
            continue;
        }
        let other = *first.entry((concept.kind, kept(&concept.bare))).or_insert(concept);
        if !same_id(other, concept) || facts.broken.contains(&id) {
            continue;
        }
        let (Some(span), Some(at)) = (concept.first_span(), other.first_span()) else { continue };
        let message = format!(
            "`{}` and `{}` have the same letters, so their ids differ in a number only",
            concept.name, other.name
        );
        diagnostics.push(
            Diagnostic::at(Code::NC096, span, message)
                .also(at, "the other name")
                .help("write one of the two names everywhere, or names that differ in a letter"),
        );
    }
}

/// Returns whether two concepts of one kind differ in nothing an id keeps, and in more than case and blanks, which
/// are slips of one name.
pub(super) fn same_id(one: &Concept, other: &Concept) -> bool {
    let words = |c: &Concept| c.bare.split_whitespace().map(str::to_lowercase).collect::<String>();
    one.kind == other.kind
        && one.bare != other.bare
        && plain(one)
        && plain(other)
        && kept(&one.bare) == kept(&other.bare)
        && words(one) != words(other)
}

/// Without an index of its identity.
fn plain(concept: &Concept) -> bool {
    !concept.name.contains("<$={")
}

/// The words of a name as an id has them, with the signs that say something.
fn kept(name: &str) -> String {
    let mut kept = String::with_capacity(name.len());
    let mut gap = false;
    for c in name.chars() {
        if !c.is_alphanumeric() && !SAYING.contains(c) {
            gap = !kept.is_empty();
            continue;
        }
        if gap {
            kept.push('-');
        }
        gap = false;
        kept.push(c.to_ascii_lowercase());
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_id_keeps() {
        for (a, b, same) in [
            ("unit price", "unit-price", true),
            ("unit price", "unit_price", true),
            ("price (unit)", "price unit", true),
            ("!", "?", true),
            ("unit price", "unitprice", false),
            ("a > 5", "a < 5", false),
            ("a+b", "a b", false),
            ("数字", "数 字", false),
            ("数字", "和", false),
            ("file.md", "file md", true),
        ] {
            assert_eq!(kept(a) == kept(b), same, "{a} {b}");
        }
    }
}
