//! The concepts found so far, by canonical name.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::base::{FlowIndex, Span};
use crate::syntax::{Value, ValueKind};

use super::identity::{Indices, Key};
use super::model::{Concept, ConceptId, ConceptKind, FunctionKind, Ground, Line};

/// Concepts by name. INVARIANT: `ids` holds every name of `list` and nothing else.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) list: Vec<Concept>,
    ids: FxHashMap<Arc<str>, ConceptId>,
}

impl Table {
    pub(super) fn get(&self, name: &str) -> Option<ConceptId> {
        self.ids.get(name).copied()
    }

    pub(super) fn concept(&self, id: ConceptId) -> Option<&Concept> {
        self.list.get(id.index())
    }

    pub(super) fn name(&self, id: ConceptId) -> &str {
        self.concept(id).map_or("", |c| &c.name)
    }

    pub(super) fn kind(&self, id: ConceptId) -> Option<ConceptKind> {
        self.concept(id).map(|c| c.kind)
    }

    pub(super) fn change(&mut self, id: ConceptId, change: impl FnOnce(&mut Concept)) {
        if let Some(concept) = self.list.get_mut(id.index()) {
            change(concept);
        }
    }

    /// The concept of a settled key; new ones are taken in.
    pub(super) fn value(&mut self, key: &Key, value: &Value) -> ConceptId {
        self.named(&Indices::name(key), key, value)
    }

    /// The same under a name of its own, for roots that keep their wrapper.
    pub(super) fn named(&mut self, name: &str, key: &Key, value: &Value) -> ConceptId {
        if let Some(id) = self.get(name) {
            return id;
        }
        let kind = match value.kind {
            ValueKind::Relation => ConceptKind::Relation,
            ValueKind::Proposition => ConceptKind::Proposition,
            ValueKind::Object | ValueKind::Subject => ConceptKind::Object,
        };
        let mut concept = empty(name, kind);
        concept.bare = value.name.clone();
        concept.versions.clone_from(&key.versions);
        concept.query = value.is_query();
        self.add(concept)
    }

    /// The function concept of an operation text; the first line with a text settles its kind.
    pub(super) fn function(&mut self, text: &str, kind: FunctionKind) -> ConceptId {
        if let Some(id) = self.get(text) {
            return id;
        }
        let mut concept = empty(text, ConceptKind::Function(kind));
        concept.ground = Some(Ground::Function);
        concept.invariant = true;
        self.add(concept)
    }

    fn add(&mut self, concept: Concept) -> ConceptId {
        let id = ConceptId(u32::try_from(self.list.len()).unwrap_or(u32::MAX));
        self.ids.insert(concept.name.clone(), id);
        self.list.push(concept);
        id
    }

    pub(super) fn line(&mut self, id: ConceptId, line: Line) {
        self.change(id, |c| c.lines.push(line));
    }

    pub(super) fn mention(&mut self, id: ConceptId, flow: &FlowIndex, span: Span) {
        self.change(id, |c| c.mentions.push((flow.clone(), span)));
    }
}

fn empty(name: &str, kind: ConceptKind) -> Concept {
    let name: Arc<str> = Arc::from(name);
    Concept {
        bare: name.clone(),
        name,
        kind,
        versions: Vec::new(),
        query: false,
        lines: Vec::new(),
        mentions: Vec::new(),
        is_final: false,
        ground: None,
        invariant: false,
        data: None,
        axes: None,
        axes_declared: false,
        element_type: None,
        natural_name: None,
        description: None,
    }
}
