//! Names that are easily taken for one another: NC033, NC035, NC036 (language spec, section 8).

use rustc_hash::{FxHashMap, FxHashSet};

use crate::diag::{Code, Diagnostic};
use crate::plan::model::{Concept, ConceptId, ConceptKind, Ground};

use super::{Facts, ids};

/// Plans with more names than this are not searched for typing mistakes.
const SEARCHED: usize = 2_000;

/// Longer names are not searched either.
const LENGTH: usize = 64;

pub(super) fn check(facts: &Facts<'_>, diagnostics: &mut Vec<Diagnostic>) {
    unmarked(facts, diagnostics);
    two_kinds(facts, diagnostics);
    near(facts, diagnostics);
}

/// `{x}` beside `{x}<$={1}>` and `{x}<$={2}>`, as an input nothing computes.
fn unmarked(facts: &Facts<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let mut numbered: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
    for (_, concept) in facts.values() {
        if let Some((base, _)) = concept.name.split_once("<$={") {
            numbered.entry(base).or_default().push(&concept.name);
        }
    }
    for (_, concept) in facts.values().filter(|(_, c)| c.ground == Some(Ground::Leaf)) {
        let (Some(names), Some(span)) = (numbered.get(&*concept.name), concept.first_span()) else {
            continue;
        };
        let message = format!("`{}` may mean {}", concept.name, one_of(names));
        diagnostics.push(
            Diagnostic::at(Code::NC033, span, message)
                .about(&*concept.name)
                .help("write which one, with its `<$={N}>`"),
        );
    }
}

fn one_of(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(3).map(|n| format!("`{n}`")).collect();
    format!("{}{}", shown.join(" or "), if names.len() > 3 { " or others" } else { "" })
}

/// `{status}` and `<status>`.
fn two_kinds(facts: &Facts<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let mut first: FxHashMap<&str, &Concept> = FxHashMap::default();
    let mut said: FxHashSet<&str> = FxHashSet::default();
    for (_, concept) in facts.values() {
        let other = *first.entry(&concept.bare).or_insert(concept);
        if other.kind == concept.kind || !said.insert(&concept.bare) {
            continue;
        }
        let (Some(span), Some(at)) = (concept.first_span(), other.first_span()) else { continue };
        let message = format!("`{}` and `{}` are two concepts", concept.name, other.name);
        diagnostics.push(
            Diagnostic::at(Code::NC035, span, message)
                .also(at, "the other one")
                .help("write the same brackets everywhere if they are meant to be one"),
        );
    }
}

/// Names that differ in case, blanks, a plural `s`, or one letter of a longer word.
fn near(facts: &Facts<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let mut names: Vec<(ConceptKind, &str, ConceptId)> = Vec::new();
    let mut seen: FxHashSet<(ConceptKind, &str)> = FxHashSet::default();
    for (id, concept) in facts.values() {
        // `{item}` beside `{items}` is how a loop's element is named.
        let of_loop =
            facts.elements.contains_key(&id) || facts.results.contains(&id) || facts.bases.contains(&id);
        if !of_loop && seen.insert((concept.kind, &concept.bare)) {
            names.push((concept.kind, &concept.bare, id));
        }
    }
    let mut said: FxHashSet<ConceptId> = FxHashSet::default();
    let mut report = |one: ConceptId, two: ConceptId, diagnostics: &mut Vec<Diagnostic>| {
        if !said.insert(two) {
            return;
        }
        let (Some(first), Some(second)) = (facts.plan.concept(one), facts.plan.concept(two)) else { return };
        // Names with one id are spoken of as such.
        if ids::same_id(first, second) {
            return;
        }
        let (Some(at), Some(span)) = (first.first_span(), second.first_span()) else { return };
        let message = format!("`{}` is nearly `{}`, but another concept", second.name, first.name);
        diagnostics.push(
            Diagnostic::at(Code::NC036, span, message)
                .about(&*second.name)
                .about(&*first.name)
                .also(at, "the other name")
                .help("write one of the two names everywhere, or names that differ more"),
        );
    };
    let mut plain: FxHashMap<(ConceptKind, String), ConceptId> = FxHashMap::default();
    for (kind, name, id) in &names {
        match plain.entry((*kind, simplified(name))) {
            std::collections::hash_map::Entry::Occupied(first) => report(*first.get(), *id, diagnostics),
            std::collections::hash_map::Entry::Vacant(slot) => {
                slot.insert(*id);
            }
        }
    }
    if names.len() > SEARCHED {
        return;
    }
    let mut shortened: FxHashMap<(ConceptKind, String), Vec<(&str, ConceptId)>> = FxHashMap::default();
    for (kind, name, id) in names.iter().filter(|(_, n, _)| n.chars().count() <= LENGTH) {
        for key in keys(name) {
            let bucket = shortened.entry((*kind, key)).or_default();
            for (other, one) in bucket.iter() {
                if is_slip(other, name) {
                    report(*one, *id, diagnostics);
                }
            }
            bucket.push((name, *id));
        }
    }
}

/// Lower case, without blanks and signs between words, without a plural `s`.
fn simplified(name: &str) -> String {
    let lower: String =
        name.chars().filter(|c| !matches!(c, ' ' | '_' | '-')).flat_map(char::to_lowercase).collect();
    match lower.strip_suffix('s') {
        Some(one) if one.len() > 2 => one.to_owned(),
        _ => lower,
    }
}

/// The name itself and all names with one letter less: two names one edit apart share one of them.
fn keys(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    let without =
        |i: usize| chars.iter().enumerate().filter(|(k, _)| *k != i).map(|(_, c)| *c).collect::<String>();
    let mut keys: Vec<String> = (0..chars.len()).map(without).collect();
    keys.push(name.to_owned());
    keys.sort();
    keys.dedup();
    keys
}

/// One letter replaced, added or left out in a word of at least five letters; digits are never a slip.
fn is_slip(a: &str, b: &str) -> bool {
    let (one, two): (Vec<&str>, Vec<&str>) = (a.split(' ').collect(), b.split(' ').collect());
    if a == b || one.len() != two.len() {
        return false;
    }
    let mut different = one.iter().zip(&two).filter(|(x, y)| x != y);
    let (Some((x, y)), None) = (different.next(), different.next()) else { return false };
    let long = |w: &str| w.chars().count() >= 5 && w.chars().all(|c| c.is_alphabetic());
    long(x) && long(y) && one_edit(x, y)
}

fn one_edit(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (short, long) = if a.len() <= b.len() { (&a, &b) } else { (&b, &a) };
    let same = short.iter().zip(long).take_while(|(x, y)| x == y).count();
    let tail = |list: &[char], from: usize| list.get(from..).map(<[char]>::to_vec).unwrap_or_default();
    match long.len() - short.len() {
        0 => tail(short, same + 1) == tail(long, same + 1),
        1 => tail(short, same) == tail(long, same + 1),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips() {
        for (a, b, slip) in [
            ("digit sum", "diggit sum", true),
            ("remainder", "remaindar", true),
            ("number a", "number b", false),
            ("step 1", "step 2", false),
            ("option", "options", true),
            ("total", "total", false),
            ("value one", "value two", false),
            ("pairs0", "pairs1", false),
        ] {
            assert_eq!(is_slip(a, b), slip, "{a} {b}");
            let shared = keys(a).iter().any(|k| keys(b).contains(k));
            assert!(!slip || shared, "{a} {b}");
        }
        assert_eq!(simplified("Number  Pairs"), simplified("number_pair"));
        assert_ne!(simplified("is"), simplified("i"));
    }
}
