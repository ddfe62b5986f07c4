//! Where each concept's value is kept: in the frames of which scope, in which slot.
//!
//! A loop's element and its carried values have a slot in every frame of the body. What the plan holds before the
//! run, ground and invariant values live in the root, so that no reset touches them. Everything else lives with
//! the items that give it, and moves outward at the end of a loop when somebody outside reads it.

use rustc_hash::FxHashMap;
use serde_json::Value as Json;

use crate::base::Sign;
use crate::repo::{Assigning, ConceptId, Method, Work};
use crate::run::paradigm::Paradigm;

use super::names::{Kind, Names};
use super::scopes::Layout;
use super::{CarryPlan, Item, ItemId, LoopPlan, Scope, ScopeId, SlotRef};

/// Gives every concept its slots and every item its references to them.
pub(super) fn place(names: &Names, layout: &Layout) -> (Vec<Scope>, Vec<Item>) {
    let mut placer = Placer {
        names,
        layout,
        scopes: empty_scopes(names, layout),
        home: vec![None; names.model.concepts.len()],
    };
    placer.place_loop_values();
    placer.place_homes();
    placer.place_outside_readers();
    placer.finish_loops();
    let items = names.items().map(|item| placer.item(item)).collect();
    (placer.scopes, items)
}

struct Placer<'a> {
    names: &'a Names,
    layout: &'a Layout,
    scopes: Vec<Scope>,
    /// A scope that keeps each concept: the first that was given a slot for it.
    home: Vec<Option<ScopeId>>,
}

fn empty_scopes(names: &Names, layout: &Layout) -> Vec<Scope> {
    let mut scopes: Vec<Scope> = layout
        .scopes
        .iter()
        .map(|body| Scope {
            parent: body.parent,
            of: body.of,
            items: Vec::new(),
            loops: Vec::new(),
            slots: Vec::new(),
            slot_of: FxHashMap::default(),
            initial: Vec::new(),
            followers: Vec::new(),
            listeners: Vec::new(),
            late: Vec::new(),
            outer: Vec::new(),
            machine: None,
        })
        .collect();
    for item in names.items() {
        let scope = &mut scopes[layout.scope[item.at()].0 as usize];
        scope.items.push(item);
        if layout.body_of.contains_key(&item) {
            scope.loops.push(item);
        }
    }
    scopes
}

impl Placer<'_> {
    fn add(&mut self, scope: ScopeId, concept: ConceptId) -> u32 {
        self.home[concept.0 as usize].get_or_insert(scope);
        let scope = &mut self.scopes[scope.0 as usize];
        if let Some(slot) = scope.slot_of.get(&concept) {
            return *slot;
        }
        let slot = scope.slots.len() as u32;
        scope.slots.push(concept);
        scope.slot_of.insert(concept, slot);
        slot
    }

    fn find(&self, scope: ScopeId, concept: ConceptId) -> Option<SlotRef> {
        let (mut at, mut up) = (scope, 0);
        loop {
            let here = &self.scopes[at.0 as usize];
            if let Some(slot) = here.slot_of.get(&concept) {
                return Some(SlotRef { up, slot: *slot });
            }
            at = here.parent?;
            up += 1;
        }
    }

    /// The slot of a concept; one that nothing gives gets an empty slot in the root.
    fn slot(&mut self, scope: ScopeId, concept: ConceptId) -> SlotRef {
        let concept = self.names.canonical(concept);
        match self.find(scope, concept) {
            Some(found) => found,
            None => SlotRef { up: self.layout.depth(scope), slot: self.add(ScopeId::ROOT, concept) },
        }
    }

    fn loops(&self) -> Vec<(ItemId, ScopeId)> {
        self.names.items().filter_map(|i| self.layout.body_of.get(&i).map(|body| (i, *body))).collect()
    }

    fn place_loop_values(&mut self) {
        for (item, body) in self.loops() {
            let Work::Looping(spec) = &self.names.inference(item).work else { continue };
            let element = self.names.canonical(spec.element);
            let carried: Vec<ConceptId> =
                spec.carried.iter().filter(|c| c.lag > 0).map(|c| self.names.canonical(c.concept)).collect();
            self.add(body, element);
            for concept in carried {
                self.add(body, concept);
            }
        }
    }

    /// The home of everything that is not a loop's own: root for what survives a reset, else where it is given.
    fn place_homes(&mut self) {
        for c in 0..self.names.model.concepts.len() as u32 {
            let concept = ConceptId(c);
            if self.names.canonical(concept) != concept {
                continue;
            }
            if self.names.survives_reset(concept) {
                self.add(ScopeId::ROOT, concept);
                continue;
            }
            // A producer inside a loop that carries the concept writes the loop's own slot.
            let givers = self.names.producers(concept);
            let outside = givers
                .iter()
                .map(|p| self.layout.scope[p.at()])
                .filter(|scope| self.find(*scope, concept).is_none())
                .reduce(|a, b| self.layout.common(a, b));
            if let Some(home) = outside {
                self.add(home, concept);
            }
        }
    }

    /// Makes every read possible: a value given inside a loop and read outside it gets a slot in each scope on the
    /// way out, and the loop hands it on when it ends.
    fn place_outside_readers(&mut self) {
        for item in self.names.items() {
            let scope = self.layout.scope[item.at()];
            let mut wanted = self.names.reads(item);
            wanted.push(self.names.canonical(self.names.inference(item).target));
            for concept in wanted {
                self.reach(scope, concept);
            }
        }
        for c in 0..self.names.model.concepts.len() as u32 {
            if self.names.model.concepts[c as usize].is_final {
                self.reach(ScopeId::ROOT, self.names.canonical(ConceptId(c)));
            }
        }
    }

    fn reach(&mut self, scope: ScopeId, concept: ConceptId) {
        if self.find(scope, concept).is_some() {
            return;
        }
        // Given in some body deeper in: climb from there to the scope both share.
        let Some(mut at) = self.home[concept.0 as usize] else { return };
        let shared = self.layout.common(scope, at);
        while at != shared {
            at = self.layout.scopes[at.0 as usize].parent.unwrap_or(ScopeId::ROOT);
            self.add(at, concept);
        }
    }

    fn finish_loops(&mut self) {
        for (item, body) in self.loops() {
            let Work::Looping(spec) = self.names.inference(item).work.clone() else { continue };
            let around = self.layout.scope[item.at()];
            let base = self.slot(around, spec.base);
            let carried: Vec<CarryPlan> = spec
                .carried
                .iter()
                .filter(|c| c.lag > 0)
                .map(|c| {
                    let concept = self.names.canonical(c.concept);
                    let slot_in = self.add(body, concept);
                    CarryPlan { concept, slot_in, outside: self.slot(around, concept), lag: c.lag }
                })
                .collect();
            let function = self.names.inference(item).function.map(|f| self.names.canonical(f));
            let result_in = function.and_then(|f| self.scopes[body.0 as usize].slot_of.get(&f).copied());
            let base_concept = self.names.canonical(spec.base);
            let element = self.names.canonical(spec.element);
            let element_in = self.scopes[body.0 as usize].slot_of.get(&element).copied();
            let inner: Vec<(u32, ConceptId)> = self.scopes[body.0 as usize]
                .slots
                .iter()
                .enumerate()
                .filter(|(_, c)| !carried.iter().any(|k| k.concept == **c) && Some(**c) != function)
                .map(|(slot, c)| (slot as u32, *c))
                .collect();
            let exports =
                inner.into_iter().filter_map(|(slot, c)| Some((slot, self.find(around, c)?))).collect();
            let grows = self.writes_in(body, base_concept);
            let independent = carried.is_empty() && !self.writes_outward(body) && !self.writes_one_file(body);
            self.scopes[body.0 as usize].machine = Some(LoopPlan {
                base,
                base_concept,
                element_in,
                carried,
                result_in,
                exports,
                independent,
                grows,
            });
        }
    }

    /// All items of a scope, nested bodies included.
    fn all_items(&self, scope: ScopeId) -> Vec<ItemId> {
        let mut found = Vec::new();
        let mut open = vec![scope];
        while let Some(at) = open.pop() {
            let here = &self.scopes[at.0 as usize];
            found.extend(here.items.iter().copied());
            open.extend(here.loops.iter().filter_map(|l| self.layout.body_of.get(l)));
        }
        found
    }

    fn writes_in(&self, body: ScopeId, concept: ConceptId) -> bool {
        self.all_items(body).iter().any(|i| {
            !matches!(self.names.roles[i.at()], Kind::Gate(_))
                && self.names.canonical(self.names.inference(*i).target) == concept
        })
    }

    /// Whether an item of the body, at any depth, writes a value that lives outside the body: then its iterations
    /// are not independent (E6).
    fn writes_outward(&self, body: ScopeId) -> bool {
        let inside = self.layout.depth(body);
        self.all_items(body).iter().any(|i| {
            if matches!(self.names.roles[i.at()], Kind::Gate(_)) {
                return false;
            }
            let scope = self.layout.scope[i.at()];
            let target = self.names.canonical(self.names.inference(*i).target);
            let mut written = vec![target];
            if let Work::Looping(l) = &self.names.inference(*i).work {
                written
                    .extend(l.carried.iter().filter(|c| c.lag > 0).map(|c| self.names.canonical(c.concept)));
            }
            written.iter().any(|concept| {
                self.find(scope, *concept).is_some_and(|slot| self.layout.depth(scope) - slot.up < inside)
            })
        })
    }

    /// Whether a step of the body, at any depth, writes a file whose path comes from outside the body: then every
    /// iteration writes that file, and may read what the one before has written. Plans do so to append to a file, line
    /// by line.
    fn writes_one_file(&self, body: ScopeId) -> bool {
        let inside = self.layout.depth(body);
        self.all_items(body).iter().any(|i| {
            let inference = self.names.inference(*i);
            let Work::Semantic(step) = &inference.work else { return false };
            let Method::Composition { paradigm } = &step.method else { return false };
            if !Paradigm::builtin(paradigm).is_some_and(|p| p.uses().writes) {
                return false;
            }
            let scope = self.layout.scope[i.at()];
            let is_outside = |concept: ConceptId| {
                let slot = self.find(scope, self.names.canonical(concept));
                slot.is_none_or(|slot| self.layout.depth(scope) - slot.up < inside)
            };
            let names = |concept: ConceptId, norms: &[&str]| {
                let data = self.names.model.concepts.get(concept.0 as usize).and_then(|c| c.data.as_ref());
                let sign = data.and_then(only_text).and_then(Sign::parse);
                is_outside(concept)
                    && sign.is_some_and(|s| s.norm().is_some_and(|norm| norms.contains(&norm)))
            };
            inference.function.is_some_and(|f| names(f, &["file_location", "save_path"]))
                || step.order.iter().any(|value| names(*value, &["save_path"]))
                || (paradigm.starts_with("h_LiteralPath-")
                    && step.order.first().is_some_and(|path| is_outside(*path)))
        })
    }

    fn item(&mut self, id: ItemId) -> Item {
        let names = self.names;
        let scope = self.layout.scope[id.at()];
        let inference = names.inference(id);
        let target_concept = names.canonical(inference.target);
        let local = self.scopes[scope.0 as usize].items.partition_point(|i| i.0 < id.0) as u32;
        let mut each = |list: &[ConceptId]| list.iter().map(|c| self.slot(scope, *c)).collect::<Vec<_>>();
        let values = each(&inference.values);
        let contexts = each(&inference.contexts);
        let target = self.slot(scope, inference.target);
        let made = inference.function.filter(|f| !names.producers(*f).is_empty());
        let function = made.map(|f| self.slot(scope, f));
        let invariant_concept = &names.model.concepts[target_concept.0 as usize];
        let in_loop = scope != ScopeId::ROOT;
        let append = matches!(inference.work, Work::Assigning(Assigning::Continuation { .. }));
        let is_gate = matches!(names.roles[id.at()], Kind::Gate(_));
        let carried_here = self.is_carried(scope, target_concept);
        Item {
            scope,
            local,
            role: names.role(id, || self.layout.body_of.get(&id).copied().unwrap_or(ScopeId::ROOT)),
            waits: Vec::new(),
            never: Vec::new(),
            gates: Vec::new(),
            target,
            values,
            contexts,
            function,
            candidates: Vec::new(),
            invariant: in_loop
                && invariant_concept.invariant
                && invariant_concept.kind.is_value()
                && !append
                && !is_gate,
            keeps_on_skip: names.survives_reset(target_concept) || carried_here,
        }
    }

    fn is_carried(&self, scope: ScopeId, concept: ConceptId) -> bool {
        let mut at = Some(scope);
        while let Some(here) = at {
            let scope = &self.scopes[here.0 as usize];
            if let Some(machine) = &scope.machine
                && machine.carried.iter().any(|c| c.concept == concept)
            {
                return true;
            }
            at = scope.parent;
        }
        false
    }
}
/// The only cell of start data, when it is a text.
fn only_text(mut data: &Json) -> Option<&str> {
    while let Json::Array(items) = data {
        match items.as_slice() {
            [only] => data = only,
            _ => return None,
        }
    }
    data.as_str()
}
