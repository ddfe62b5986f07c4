//! Which loop body each inference belongs to (runtime spec, section 11.4, *Body*).

use rustc_hash::{FxHashMap, FxHashSet};

use crate::repo::{ConceptId, Looping, Work};

use super::names::{Kind, Names};
use super::{ItemId, ScopeId};

/// The scopes as a tree, and each item's place in it.
pub(super) struct Layout {
    /// The scope of each item.
    pub(super) scope: Vec<ScopeId>,
    /// The scopes.
    pub(super) scopes: Vec<Body>,
    /// The scope of each loop's body.
    pub(super) body_of: FxHashMap<ItemId, ScopeId>,
}

/// One scope: the root, or the body of a loop.
pub(super) struct Body {
    pub(super) parent: Option<ScopeId>,
    pub(super) of: Option<ItemId>,
    pub(super) depth: u16,
}

impl Layout {
    /// The innermost scope around both.
    pub(super) fn common(&self, a: ScopeId, b: ScopeId) -> ScopeId {
        let (mut a, mut b) = (a, b);
        while a != b {
            let (deep_a, deep_b) = (self.depth(a), self.depth(b));
            if deep_a >= deep_b {
                a = self.scopes[a.0 as usize].parent.unwrap_or(ScopeId::ROOT);
            }
            if deep_b >= deep_a {
                b = self.scopes[b.0 as usize].parent.unwrap_or(ScopeId::ROOT);
            }
        }
        a
    }

    pub(super) fn depth(&self, scope: ScopeId) -> u16 {
        self.scopes[scope.0 as usize].depth
    }

    /// The item that stands for `other` in the innermost scope it shares with `item`, and how far out that is:
    /// `other` itself, or the loop around it. None when that loop is `item`.
    pub(super) fn lift(&self, item: ItemId, other: ItemId) -> Option<(u16, ItemId)> {
        let (from, to) = (self.scope[item.at()], self.scope[other.at()]);
        let shared = self.common(from, to);
        let up = self.depth(from) - self.depth(shared);
        let mut lifted = other;
        let mut at = to;
        while at != shared {
            let body = &self.scopes[at.0 as usize];
            lifted = body.of?;
            at = body.parent.unwrap_or(ScopeId::ROOT);
        }
        (lifted != item).then_some((up, lifted))
    }
}

/// Finds the body of every loop and with it the scope of every item.
pub(super) fn lay_out(names: &Names) -> Layout {
    let mut layout = Layout {
        scope: vec![ScopeId::ROOT; names.model.inferences.len()],
        scopes: vec![Body { parent: None, of: None, depth: 0 }],
        body_of: FxHashMap::default(),
    };
    let loops: Vec<ItemId> = names.items().filter(|i| names.roles[i.at()] == Kind::Loop).collect();
    if loops.is_empty() {
        return layout;
    }
    let readers = readers(names);
    for item in loops {
        let Work::Looping(spec) = &names.inference(item).work else { continue };
        let body = body(names, &readers, item, spec);
        let around = layout.scope[item.at()];
        let scope = ScopeId(layout.scopes.len() as u32);
        let depth = layout.depth(around) + 1;
        layout.scopes.push(Body { parent: Some(around), of: Some(item), depth });
        layout.body_of.insert(item, scope);
        // Loops come in order, so an inner loop claims its items after the outer one did.
        for inside in body {
            layout.scope[inside.at()] = scope;
        }
    }
    layout
}

/// Who reads each concept, in order.
fn readers(names: &Names) -> Vec<Vec<ItemId>> {
    let mut readers = vec![Vec::new(); names.model.concepts.len()];
    for item in names.items() {
        for concept in names.reads(item) {
            readers[concept.0 as usize].push(item);
        }
    }
    readers
}

fn body(names: &Names, readers: &[Vec<ItemId>], of: ItemId, spec: &Looping) -> Vec<ItemId> {
    let mut inside = FxHashSet::default();
    let mut concepts: Vec<ConceptId> = vec![names.canonical(spec.element)];
    concepts.extend(spec.carried.iter().filter(|c| c.lag > 0).map(|c| names.canonical(c.concept)));
    let mut seen: FxHashSet<ConceptId> = concepts.iter().copied().collect();
    let mut found: Vec<ItemId> = Vec::new();
    let guards_loop = |item: ItemId| names.roles[item.at()] == Kind::Gate(Some(of));

    let mut makers: Vec<ItemId> = match names.inference(of).function {
        Some(function) => names.producers(function).to_vec(),
        None => Vec::new(),
    };
    makers.retain(|m| *m != of);
    if makers.iter().any(|m| names.is_below(*m, of)) {
        makers.retain(|m| names.is_below(*m, of));
    }
    for maker in makers {
        for item in std::iter::once(maker).chain(names.below(maker)) {
            if item != of && inside.insert(item) {
                found.push(item);
            }
        }
    }
    // What depends on the element, a carried value or the body, transitively, and stands below the loop.
    let mut next = 0;
    loop {
        while let Some(item) = found.get(next).copied() {
            next += 1;
            let gives = names.canonical(names.inference(item).target);
            let is_gate = matches!(names.roles[item.at()], Kind::Gate(_));
            if !is_gate && seen.insert(gives) {
                concepts.push(gives);
            }
            let mut up = names.above[item.at()];
            while let Some(above) = up.filter(|a| names.is_below(*a, of)) {
                if inside.insert(above) {
                    found.push(above);
                }
                up = names.above[above.at()];
            }
            if let Kind::Gate(Some(guarded)) = names.roles[item.at()]
                && guarded != of
                && inside.insert(guarded)
            {
                found.push(guarded);
            }
        }
        let Some(concept) = concepts.pop() else { break };
        let all = &readers[concept.0 as usize];
        let first = all.partition_point(|r| r.0 <= of.0);
        for reader in &all[first..] {
            if !names.is_below(*reader, of) {
                break;
            }
            if !guards_loop(*reader) && inside.insert(*reader) {
                found.push(*reader);
            }
        }
    }
    found.sort_unstable();
    found
}
