//! `$=`: two names, one concept (tensor spec, section 6). Knows names and whether they are complete, no tensors.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Which names mean the same concept.
#[derive(Debug, Clone, Default)]
pub struct Aliases {
    direct: BTreeMap<Arc<str>, Arc<str>>,
    class_of: BTreeMap<Arc<str>, usize>,
    classes: Vec<Class>,
}

#[derive(Debug, Clone)]
struct Class {
    canonical: Arc<str>,
    members: Vec<Arc<str>>,
}

/// What became of an identity that joined two concepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    /// The name that stays.
    pub canonical: Arc<str>,
    /// The name that now means the other.
    pub alias: Arc<str>,
    /// Either was complete, so the canonical concept is.
    pub complete: bool,
}

impl Aliases {
    /// No aliases.
    pub fn new() -> Self {
        Self::default()
    }

    /// The canonical name of a name.
    pub fn resolve<'a>(&'a self, name: &'a str) -> &'a str {
        self.class_of.get(name).map_or(name, |class| &self.classes[*class].canonical)
    }

    /// Makes two names one concept. The first stays canonical, unless only the second is complete. None when they
    /// were one already. `is_complete` is asked about canonical names.
    pub fn identify(&mut self, a: &str, b: &str, is_complete: impl Fn(&str) -> bool) -> Option<Identified> {
        let (a, b) = (Arc::<str>::from(self.resolve(a)), Arc::<str>::from(self.resolve(b)));
        if a == b {
            return None;
        }
        let (a_complete, b_complete) = (is_complete(&a), is_complete(&b));
        let (canonical, alias) = if b_complete && !a_complete { (b, a) } else { (a, b) };
        let (mut large, mut small) = (self.class(&canonical), self.class(&alias));
        if self.classes[large].members.len() < self.classes[small].members.len() {
            (large, small) = (small, large);
        }
        // Moving the smaller class keeps many identities cheap whichever name stays.
        let moved = std::mem::take(&mut self.classes[small].members);
        for name in &moved {
            self.class_of.insert(Arc::clone(name), large);
        }
        self.classes[large].members.extend(moved);
        self.classes[large].canonical = Arc::clone(&canonical);
        self.direct.insert(Arc::clone(&alias), Arc::clone(&canonical));
        Some(Identified { canonical, alias, complete: a_complete || b_complete })
    }

    /// The links as they were registered: alias and the name it was linked to.
    pub fn links(&self) -> impl Iterator<Item = (&str, &str)> {
        self.direct.iter().map(|(alias, canonical)| (alias.as_ref(), canonical.as_ref()))
    }

    fn class(&mut self, name: &Arc<str>) -> usize {
        if let Some(class) = self.class_of.get(name) {
            return *class;
        }
        self.classes.push(Class { canonical: Arc::clone(name), members: vec![Arc::clone(name)] });
        self.class_of.insert(Arc::clone(name), self.classes.len() - 1);
        self.classes.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_complete_one_stays() {
        let mut aliases = Aliases::new();
        aliases.identify("a", "b", |_| false);
        let met = aliases.identify("b", "c", |name| name == "c").unwrap();
        assert_eq!((met.canonical.as_ref(), met.alias.as_ref(), met.complete), ("c", "a", true));
        assert_eq!(aliases.resolve("b"), "c");
        assert_eq!(aliases.links().collect::<Vec<_>>(), [("a", "c"), ("b", "a")]);
        assert_eq!(aliases.identify("c", "a", |_| true), None);
        assert_eq!(aliases.resolve("unknown"), "unknown");
    }
}
