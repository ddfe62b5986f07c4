//! The static picture of a run: items with what they wait for, scopes (loop bodies) with their slots. Built once
//! from the model by [`Graph::new`], then only read.
//!
//! Building goes in three steps: which loop each inference belongs to (`scopes.rs`), where each concept is kept
//! (`slots.rs`), what each inference waits for (`waits.rs`).

mod names;
mod scopes;
mod slots;
mod waits;

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::repo::{ConceptId, Model};

use super::event::StepKey;
use names::Names;

/// The number of an item: its place in the order of flow indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemId(pub u32);

/// The number of a scope; [`ScopeId::ROOT`] is everything outside any loop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeId(pub u32);

impl ScopeId {
    /// What is outside any loop.
    pub const ROOT: ScopeId = ScopeId(0);
}

impl ItemId {
    /// As an index into [`Graph::items`].
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

/// A plan ready to run. Item `i` is inference `i` of the model.
#[derive(Debug)]
pub struct Graph {
    /// The plan it was built from.
    pub model: Arc<Model>,
    /// One an inference, in order.
    pub items: Vec<Item>,
    /// The scopes; a parent stands before its children.
    pub scopes: Vec<Scope>,
    /// The concept that stands for each concept; another one only where `$=` made two names one.
    pub stands_for: Vec<ConceptId>,
    /// What a person should know before the run (position-only order, and so on).
    pub notes: Vec<Note>,
}

/// A remark on the plan that only the graph shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The item it is about.
    pub item: ItemId,
    /// The remark.
    pub text: String,
}

/// One inference within its scope.
#[derive(Debug, Clone)]
pub struct Item {
    /// Where it runs.
    pub scope: ScopeId,
    /// Its place in [`Scope::items`].
    pub local: u32,
    /// What kind of part it plays.
    pub role: Role,
    /// What it waits for.
    pub waits: Vec<Wait>,
    /// Concepts nothing gives: it can never start.
    pub never: Vec<ConceptId>,
    /// The gates that guard it, in order.
    pub gates: Vec<ItemId>,
    /// Where its result goes.
    pub target: SlotRef,
    /// Where each of its values is read, in the order of the inference's values.
    pub values: Vec<SlotRef>,
    /// Where each of its contexts is read.
    pub contexts: Vec<SlotRef>,
    /// Where its function is read.
    pub function: Option<SlotRef>,
    /// The candidates of a `$.` with a list, each with the items that could still give it.
    pub candidates: Vec<Candidate>,
    /// Its target is kept over a loop's reset: the step runs again only when its inputs changed.
    pub invariant: bool,
    /// Its target is ground or carried: a skip leaves the value as it is.
    pub keeps_on_skip: bool,
}

/// One source of a `$.` with a list (runtime spec, section 5, settling rule).
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The concept.
    pub concept: ConceptId,
    /// Where it is read.
    pub slot: SlotRef,
    /// Who can give it: producers that do not themselves depend on this item.
    pub producers: Vec<(u16, ItemId)>,
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A step with a result.
    Step,
    /// A gate that guards the item; none when no entry stands above it.
    Gate(Option<ItemId>),
    /// A loop whose body is the scope.
    Loop(ScopeId),
}

/// One thing an item waits for: that another item is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wait {
    /// How many scopes further out the other item stands; 0 is the same scope.
    pub up: u16,
    /// The other item.
    pub item: ItemId,
    /// Why.
    pub why: Why,
    /// A loop begins without it, and waits for it before it ends.
    pub late: bool,
}

/// Why one item waits for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// The other gives a concept this one needs.
    Concept(ConceptId),
    /// The other stands below this one.
    Support,
    /// The other is a gate that guards this one.
    Gate,
    /// Both touch a concept, and the other stands first (runtime spec, section 7.1, E2).
    Position(ConceptId),
}

/// Where a concept's value is kept, seen from a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotRef {
    /// How many scopes further out.
    pub up: u16,
    /// Which slot of that scope's frames.
    pub slot: u32,
}

/// The body of a loop, or the whole plan: what one frame of it holds.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The scope around; none for the root.
    pub parent: Option<ScopeId>,
    /// The loop whose body this is; none for the root.
    pub of: Option<ItemId>,
    /// Its items, in order, nested bodies not included.
    pub items: Vec<ItemId>,
    /// The loops among them: an item's place in here is its place in a frame's loop list.
    pub loops: Vec<ItemId>,
    /// The concepts kept here, by slot.
    pub slots: Vec<ConceptId>,
    /// The way back from a concept.
    pub slot_of: FxHashMap<ConceptId, u32>,
    /// How many things each item waits for within a fresh frame, waits outside not counted; by local place.
    pub initial: Vec<u32>,
    /// Who waits for each item, in the same scope: local places; by local place.
    pub followers: Vec<Vec<u32>>,
    /// Loops that cannot end before an item is settled, as local places; by local place.
    pub late: Vec<Vec<u32>>,
    /// Items (local places) that must look again when an item settles: `$.` with candidates; by local place.
    pub listeners: Vec<Vec<u32>>,
    /// Local places of items that wait for something outside the scope.
    pub outer: Vec<u32>,
    /// For a loop body: the machine's fixed parts.
    pub machine: Option<LoopPlan>,
}

/// The fixed parts of a loop (runtime spec, section 11.4). Slots named `*_in` are of the body's frames.
#[derive(Debug, Clone)]
pub struct LoopPlan {
    /// The base, read from the loop's own scope.
    pub base: SlotRef,
    /// The base concept.
    pub base_concept: ConceptId,
    /// The element, in the body.
    pub element_in: Option<u32>,
    /// What is handed from iteration to iteration.
    pub carried: Vec<CarryPlan>,
    /// What one iteration gives, in the body; none when no item of the body gives the loop's function.
    pub result_in: Option<u32>,
    /// Values that outlive the last iteration: slot in the body, slot seen from the loop's scope.
    pub exports: Vec<(u32, SlotRef)>,
    /// Iterations share nothing and may run at once (E6).
    pub independent: bool,
    /// The body appends to the base, so elements must not share its memory.
    pub grows: bool,
}

/// One carried value.
#[derive(Debug, Clone, Copy)]
pub struct CarryPlan {
    /// The concept.
    pub concept: ConceptId,
    /// Its slot in the body.
    pub slot_in: u32,
    /// Where it comes from and goes to outside the loop.
    pub outside: SlotRef,
    /// How many iterations back, at least 1.
    pub lag: u32,
}

impl Graph {
    /// Builds the graph of a checked model. Never fails: what cannot run is found when nothing can move.
    pub fn new(model: Arc<Model>) -> Self {
        let names = Names::new(&model);
        let layout = scopes::lay_out(&names);
        let (scopes, items) = slots::place(&names, &layout);
        waits::connect(&names, &layout, scopes, items)
    }

    /// The item with its inference.
    pub fn item(&self, id: ItemId) -> &Item {
        &self.items[id.at()]
    }

    /// The inference of an item.
    pub fn inference(&self, id: ItemId) -> &crate::repo::Inference {
        &self.model.inferences[id.at()]
    }

    /// The scope.
    pub fn scope(&self, id: ScopeId) -> &Scope {
        &self.scopes[id.0 as usize]
    }

    /// The name of a concept.
    pub fn concept_name(&self, id: ConceptId) -> &Arc<str> {
        &self.model.concepts[id.0 as usize].name
    }

    /// What an item is known by: the concept it gives, for a gate what it asks.
    pub fn item_name(&self, id: ItemId) -> &Arc<str> {
        let inference = self.inference(id);
        let asked = inference.function.filter(|_| matches!(self.item(id).role, Role::Gate(_)));
        self.concept_name(asked.unwrap_or(inference.target))
    }

    /// The concept that stands for a concept.
    pub fn canonical(&self, id: ConceptId) -> ConceptId {
        self.stands_for.get(id.0 as usize).copied().unwrap_or(id)
    }

    /// A step as printed: `1.1.2[3,1]`.
    pub fn step_name(&self, step: &StepKey) -> String {
        format!("{}{}", self.inference(step.item).flow, step.path)
    }

    /// The slot of a concept seen from a scope, none when no frame around keeps it.
    pub fn resolve(&self, scope: ScopeId, concept: ConceptId) -> Option<SlotRef> {
        let mut at = scope;
        let mut up = 0;
        loop {
            let here = self.scope(at);
            if let Some(slot) = here.slot_of.get(&concept) {
                return Some(SlotRef { up, slot: *slot });
            }
            at = here.parent?;
            up += 1;
        }
    }
}
