//! The canonical form of a concept name a user writes outside a plan (language spec, section 8, steps 1 to 4 as far
//! as they concern a single name).

/// A name in canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Canonical {
    /// Blanks collapsed, marks that are no part of a name removed.
    pub(super) name: String,
    /// The same without its identity index `<$={N}>`, when it has one.
    pub(super) without_identity: Option<String>,
}

/// Trims, collapses runs of blanks, removes the blanks just inside the outer bracket, and drops a trailing value
/// placement `<:{..}>`.
pub(super) fn canonical_name(written: &str) -> Canonical {
    let mut name =
        written.split([' ', '\t', '\n', '\r']).filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ");
    if let Some(at) = name.find("<:{").filter(|at| *at > 0 && name.ends_with('>')) {
        name.truncate(at);
    }
    let identity =
        name.find("<$={").or_else(|| name.find("<$({")).filter(|at| *at > 0 && name.ends_with('>'));
    let bare = identity.map(|at| name.get(..at).unwrap_or_default().to_owned());
    Canonical { name: tight(name), without_identity: bare.map(tight) }
}

fn tight(mut name: String) -> String {
    let close = match name.chars().next() {
        Some('{') => '}',
        Some('[') => ']',
        Some('<') => '>',
        _ => return name,
    };
    if let Some(end) = name.rfind(close).filter(|end| name.get(..*end).is_some_and(|n| n.ends_with(' '))) {
        name.remove(end - 1);
    }
    if name.chars().nth(1) == Some(' ') {
        name.remove(1);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_names() {
        for (written, name, bare) in [
            (" {number  pair} ", "{number pair}", None),
            ("{ a }", "{a}", None),
            ("{a}<:{1}>", "{a}", None),
            ("{a}<$={1}>", "{a}<$={1}>", Some("{a}")),
            ("{a}*1", "{a}*1", None),
            ("< a is 1 >", "<a is 1>", None),
            ("a", "a", None),
            ("", "", None),
            ("{", "{", None),
            ("{ }", "{}", None),
        ] {
            let canonical = canonical_name(written);
            assert_eq!(
                (canonical.name.as_str(), canonical.without_identity.as_deref()),
                (name, bare),
                "{written}"
            );
        }
    }
}
