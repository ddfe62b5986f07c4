//! Ids of concept entries, made from their names (repositories spec, section 9).

use rustc_hash::FxHashSet;

/// Longest slug, in characters.
const LENGTH: usize = 48;

/// Gives every name an id nobody else has.
#[derive(Debug, Default)]
pub(super) struct Ids {
    taken: FxHashSet<String>,
    /// For each id that was wanted again, the number tried last.
    last: rustc_hash::FxHashMap<String, u32>,
}

impl Ids {
    /// `c-..` for a value, `fc-..` for a function; a taken one gets `-2`, `-3`.
    pub(super) fn id(&mut self, name: &str, function: bool) -> String {
        let wanted = format!("{}-{}", if function { "fc" } else { "c" }, slug(name));
        if self.taken.insert(wanted.clone()) {
            return wanted;
        }
        loop {
            let number = self.last.entry(wanted.clone()).or_insert(1);
            *number += 1;
            let id = format!("{wanted}-{number}");
            if self.taken.insert(id.clone()) {
                return id;
            }
        }
    }
}

/// Letters and digits of any script, ASCII in lower case; everything between them is one `-`.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    let mut length = 0;
    let mut gap = false;
    for c in name.chars() {
        if !c.is_alphanumeric() {
            gap = length > 0;
            continue;
        }
        let needed = 1 + usize::from(gap);
        if length + needed > LENGTH {
            break;
        }
        if gap {
            slug.push('-');
        }
        slug.push(c.to_ascii_lowercase());
        length += needed;
        gap = false;
    }
    slug
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids() {
        let mut ids = Ids::default();
        for (name, function, id) in [
            ("{number pair}", false, "c-number-pair"),
            ("[number pair]", false, "c-number-pair-2"),
            ("<Number  pair!>", false, "c-number-pair-3"),
            ("{number pair}*1", false, "c-number-pair-1"),
            ("::(sum {1} of {2})", true, "fc-sum-1-of-2"),
            ("{数字 和}", false, "c-数字-和"),
            ("{!}", false, "c-"),
            ("{?}", false, "c--2"),
            (
                "{aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}",
                false,
                "c-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            ),
        ] {
            assert_eq!(ids.id(name, function), id, "{name}");
        }
    }
}
