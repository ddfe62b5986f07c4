//! What each item waits for: the declared edges (E1: supports, function, values, gates) and the edges that only
//! position gives (E2), runtime spec sections 5 and 7.1.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::repo::{Assigning, ConceptId, GateMarker, Work};

use super::names::{Kind, Names};
use super::scopes::Layout;
use super::{Candidate, Graph, Item, ItemId, Note, Role, Scope, ScopeId, Wait, Why};

/// Adds all edges and turns the parts into the graph.
pub(super) fn connect(names: &Names, layout: &Layout, scopes: Vec<Scope>, items: Vec<Item>) -> Graph {
    let owners = owners(&scopes);
    let mut w =
        Weaver { names, layout, scopes, items, notes: Vec::new(), edges: FxHashMap::default(), owners };
    for item in names.items() {
        w.supports(item);
        w.gates(item);
    }
    let mut shared = Vec::new();
    for item in names.items() {
        for concept in w.needs(item) {
            if w.single_giver(item, concept) { w.need(item, concept) } else { shared.push((item, concept)) }
        }
    }
    // With several givers the choice depends on who already waits for whom, so these come last.
    for (item, concept) in shared {
        w.need(item, concept);
    }
    for item in names.items() {
        w.candidates(item);
    }
    w.positions();
    w.into_graph()
}

/// So many waits of an item are looked through; beyond that they are listed.
const FEW: usize = 8;

struct Weaver<'a> {
    names: &'a Names,
    layout: &'a Layout,
    scopes: Vec<Scope>,
    items: Vec<Item>,
    notes: Vec<Note>,
    /// The edges of items that have many, with their place among the waits of the item, so that none is added twice.
    edges: FxHashMap<(ItemId, ItemId), usize>,
    /// The loops that hand out each concept as their element or a carried value.
    owners: FxHashMap<ConceptId, Vec<ItemId>>,
}

/// The loops that own a concept as their element or a carried value.
fn owners(scopes: &[Scope]) -> FxHashMap<ConceptId, Vec<ItemId>> {
    let mut owners: FxHashMap<ConceptId, Vec<ItemId>> = FxHashMap::default();
    for scope in scopes {
        let (Some(machine), Some(of)) = (&scope.machine, scope.of) else { continue };
        let element = machine.element_in.and_then(|e| scope.slots.get(e as usize).copied());
        for concept in element.into_iter().chain(machine.carried.iter().map(|c| c.concept)) {
            owners.entry(concept).or_default().push(of);
        }
    }
    owners
}

impl Weaver<'_> {
    fn wait(&mut self, item: ItemId, other: ItemId, why: Why) {
        let Some((up, lifted)) = self.layout.lift(item, other) else { return };
        // A loop may begin before what stands below it is settled, but not end (runtime spec, section 11.4).
        let start = self.names.inference(item).start;
        let late = why == Why::Support
            && up == 0
            && self.names.roles[item.at()] == Kind::Loop
            && (start.without_support_once || start.with_support_only);
        let waits = &mut self.items[item.at()].waits;
        let place = match waits.len() {
            few if few <= FEW => waits.iter().position(|w| w.item == lifted),
            _ => self.edges.get(&(item, lifted)).copied(),
        };
        match place.and_then(|place| waits.get_mut(place)) {
            // A need is the better reason, and one that a loop cannot put off.
            Some(known) if known.why == Why::Support => (known.why, known.late) = (why, late),
            Some(_) => {}
            None => {
                waits.push(Wait { up, item: lifted, why, late });
                let unlisted = match waits.len() - 1 {
                    FEW => 0,
                    before => before,
                };
                if waits.len() > FEW {
                    let added = waits.iter().enumerate().skip(unlisted);
                    self.edges.extend(added.map(|(place, w)| ((item, w.item), place)));
                }
            }
        }
    }

    /// Supports: everything below. What is below a support is waited for by the support itself, unless its flags
    /// free it from that. A loop does not wait for its body.
    fn supports(&mut self, item: ItemId) {
        let start = self.names.inference(item).start;
        let is_loop = self.names.roles[item.at()] == Kind::Loop;
        if !is_loop && (start.with_support_only || start.without_support_once) {
            return;
        }
        let body = self.layout.body_of.get(&item).copied();
        let mut below = self.names.below(item).peekable();
        let mut seen = FxHashSet::default();
        while let Some(support) = below.next() {
            if body.is_some_and(|b| self.layout.common(self.layout.scope[support.at()], b) == b) {
                continue;
            }
            // Lifting sends all of a nested body to one loop: look at each loop once.
            if let Some((_, lifted)) = self.layout.lift(item, support)
                && (lifted == support || seen.insert(lifted))
            {
                self.wait(item, support, Why::Support);
            }
            let flags = self.names.inference(support).start;
            let free = flags.with_support_only || flags.without_support_once;
            if self.names.roles[support.at()] != Kind::Loop && !free {
                let end = self.names.below_end[support.at()];
                while below.peek().is_some_and(|next| next.0 < end) {
                    below.next();
                }
            }
        }
    }

    fn gates(&mut self, item: ItemId) {
        if let Kind::Gate(Some(guarded)) = self.names.roles[item.at()] {
            self.items[guarded.at()].gates.push(item);
            self.wait(guarded, item, Why::Gate);
        }
    }

    /// The concepts an item cannot start without (runtime spec, section 5, tests 2 and 3).
    fn needs(&self, item: ItemId) -> Vec<ConceptId> {
        let inference = self.names.inference(item);
        let start = inference.start;
        let mut needs = Vec::new();
        match &inference.work {
            Work::Looping(spec) => {
                needs.push(spec.base);
                let body = self.layout.body_of.get(&item).copied().unwrap_or(ScopeId::ROOT);
                let outside = |c: ConceptId| {
                    let givers = self.names.producers(c);
                    givers.iter().any(|g| self.layout.common(self.layout.scope[g.at()], body) != body)
                };
                needs.extend(spec.carried.iter().map(|c| c.concept).filter(|c| outside(*c)));
                needs.extend(
                    inference.values.iter().copied().filter(|c| outside(*c) || self.names.has_data(*c)),
                );
            }
            Work::Timing(timing) => needs.push(timing.condition),
            work => {
                if !start.without_function && !start.without_function_once {
                    needs.extend(inference.function.filter(|f| !self.names.producers(*f).is_empty()));
                }
                if !start.without_value && !start.without_value_once {
                    let listed: &[ConceptId] = match work {
                        Work::Assigning(Assigning::Specification { sources, any: true, .. }) => sources,
                        _ => &[],
                    };
                    needs.extend(inference.values.iter().copied().filter(|v| !listed.contains(v)));
                }
            }
        }
        for concept in &mut needs {
            *concept = self.names.canonical(*concept);
        }
        needs.sort_unstable();
        needs.dedup();
        needs
    }

    /// Returns whether a concept is there as soon as an item's frame is: data, or a loop's own value.
    fn there_from_start(&self, item: ItemId, concept: ConceptId) -> bool {
        if self.names.has_data(concept) {
            return true;
        }
        let mut at = Some(self.layout.scope[item.at()]);
        while let Some(scope) = at {
            let here = &self.scopes[scope.0 as usize];
            if let Some(slot) = here.slot_of.get(&concept) {
                return here.machine.as_ref().is_some_and(|m| {
                    m.element_in == Some(*slot) || m.carried.iter().any(|c| c.slot_in == *slot)
                });
            }
            at = here.parent;
        }
        false
    }

    /// Who gives a concept, as far as an item may wait for it: not itself, and nobody above it, since those wait
    /// for it. Loops give their element and carried values to what reads them from outside.
    fn givers(&self, item: ItemId, concept: ConceptId) -> Vec<ItemId> {
        let mut givers: Vec<ItemId> = self.names.producers(concept).to_vec();
        if let Some(loops) = self.owners.get(&concept) {
            givers.extend(loops);
        }
        givers.retain(|g| *g != item && !self.names.is_below(item, *g));
        givers
    }

    fn single_giver(&self, item: ItemId, concept: ConceptId) -> bool {
        self.there_from_start(item, concept) || self.names.producers(concept).len() == 1
    }

    fn need(&mut self, item: ItemId, concept: ConceptId) {
        if self.there_from_start(item, concept) {
            return;
        }
        if let [only] = self.names.producers(concept) {
            // A plan may ask a step for its own result: it waits for ever, and the report says so.
            if self.layout.lift(item, *only).is_none() {
                self.items[item.at()].never.push(concept);
            } else {
                self.wait(item, *only, Why::Concept(concept));
            }
            return;
        }
        let givers = self.givers(item, concept);
        let mut waited = false;
        for giver in givers {
            let Some((_, lifted)) = self.layout.lift(item, giver) else { continue };
            if self.settles_after(lifted, item) {
                continue;
            }
            self.wait(item, giver, Why::Concept(concept));
            waited = true;
            // The first giver completes the concept; only where a gate can close it is the next one needed too.
            if !self.can_be_skipped(giver) {
                break;
            }
        }
        if !waited {
            self.items[item.at()].never.push(concept);
        }
    }

    fn can_be_skipped(&self, item: ItemId) -> bool {
        self.items[item.at()].gates.iter().any(|gate| {
            matches!(&self.names.inference(*gate).work,
                Work::Timing(t) if t.marker != GateMarker::After)
        })
    }

    fn candidates(&mut self, item: ItemId) {
        let Work::Assigning(Assigning::Specification { sources, any: true, .. }) =
            &self.names.inference(item).work
        else {
            return;
        };
        let mut found = Vec::new();
        for source in sources.clone() {
            let concept = self.names.canonical(source);
            let place = self.names.inference(item).values.iter().position(|v| *v == source);
            let Some(slot) = place.and_then(|p| self.items[item.at()].values.get(p).copied()) else {
                continue;
            };
            let mut producers = Vec::new();
            if !self.there_from_start(item, concept) {
                for giver in self.givers(item, concept) {
                    if let Some((up, lifted)) = self.layout.lift(item, giver)
                        && !self.settles_after(lifted, item)
                    {
                        producers.push((up, lifted));
                    }
                }
            }
            found.push(Candidate { concept, slot, producers });
        }
        self.items[item.at()].candidates = found;
    }

    /// Whether `item` can only settle after `other` has. Follows waits, loops to their bodies, and what is inside a
    /// loop to what the loop waits for.
    fn settles_after(&self, item: ItemId, other: ItemId) -> bool {
        let n = self.items.len() as u32;
        let mut open = vec![item.0];
        let mut seen = FxHashSet::default();
        while let Some(node) = open.pop() {
            if node == other.0 {
                return true;
            }
            if !seen.insert(node) {
                continue;
            }
            let (at, begins) = if node >= n { (node - n, true) } else { (node, false) };
            let here = &self.items[at as usize];
            open.extend(here.waits.iter().map(|w| w.item.0));
            open.extend(here.candidates.iter().flat_map(|c| c.producers.iter().map(|(_, p)| p.0)));
            if let (Role::Loop(body), false) = (here.role, begins) {
                open.extend(self.scopes[body.0 as usize].items.iter().map(|i| i.0));
            }
            if let Some(around) = self.scopes[here.scope.0 as usize].of {
                open.push(n + around.0);
            }
        }
        false
    }

    /// E2: where two items touch one concept, one of them writing, and neither waits for the other, the one that
    /// stands first goes first.
    fn positions(&mut self) {
        for (concept, touches) in self.touches() {
            for (i, (later, later_writes)) in touches.iter().enumerate() {
                for (earlier, earlier_writes) in &touches[..i] {
                    if !later_writes && !earlier_writes {
                        continue;
                    }
                    let (Some((_, first)), Some((_, second))) =
                        (self.layout.lift(*later, *earlier), self.layout.lift(*earlier, *later))
                    else {
                        continue;
                    };
                    if first == second
                        || self.settles_after(*later, first)
                        || self.settles_after(first, *later)
                    {
                        continue;
                    }
                    if self.settles_after(second, *earlier) || self.settles_after(*earlier, second) {
                        continue;
                    }
                    self.wait(*later, *earlier, Why::Position(concept));
                    let text = format!(
                        "the order of {} and {} is given only by position: both touch `{}`",
                        self.names.inference(*earlier).flow,
                        self.names.inference(*later).flow,
                        self.names.model.concepts[concept.0 as usize].name,
                    );
                    self.notes.push(Note { item: *later, text });
                }
            }
        }
    }

    /// Who touches the concepts that can race, in order, and whether by writing.
    fn touches(&self) -> Vec<(ConceptId, Vec<(ItemId, bool)>)> {
        let model = &self.names.model;
        let mut racing = vec![false; model.concepts.len()];
        for (c, racing) in racing.iter_mut().enumerate() {
            let concept = ConceptId(c as u32);
            let givers = self.names.producers(concept).len();
            *racing = givers > 1 || (givers == 1 && (self.names.has_data(concept)));
        }
        for item in self.names.items() {
            let inference = self.names.inference(item);
            match &inference.work {
                Work::Looping(l) => {
                    for carried in &l.carried {
                        racing[self.names.canonical(carried.concept).0 as usize] = true;
                    }
                }
                Work::Timing(_) => {}
                _ => {
                    for context in &inference.contexts {
                        let context = self.names.canonical(*context);
                        racing[context.0 as usize] |= !self.names.producers(context).is_empty();
                    }
                }
            }
        }
        let mut touches: FxHashMap<ConceptId, Vec<(ItemId, bool)>> = FxHashMap::default();
        for item in self.names.items() {
            let is_gate = matches!(self.names.roles[item.at()], Kind::Gate(_));
            let mut writes = vec![self.names.canonical(self.names.inference(item).target)];
            if let Work::Looping(l) = &self.names.inference(item).work {
                writes
                    .extend(l.carried.iter().filter(|c| c.lag > 0).map(|c| self.names.canonical(c.concept)));
            }
            if is_gate {
                writes.clear();
            }
            for concept in self.names.reads(item) {
                if racing[concept.0 as usize] && !writes.contains(&concept) {
                    touches.entry(concept).or_default().push((item, false));
                }
            }
            for concept in writes {
                if racing[concept.0 as usize] {
                    touches.entry(concept).or_default().push((item, true));
                }
            }
        }
        let mut touches: Vec<_> = touches.into_iter().collect();
        touches.sort_unstable_by_key(|(c, _)| *c);
        touches
    }

    fn into_graph(mut self) -> Graph {
        for scope in &mut self.scopes {
            let n = scope.items.len();
            scope.initial = vec![0; n];
            scope.followers = vec![Vec::new(); n];
            scope.listeners = vec![Vec::new(); n];
            scope.late = vec![Vec::new(); n];
        }
        for i in 0..self.items.len() {
            let item = &self.items[i];
            let (scope, local) = (item.scope.0 as usize, item.local);
            let mut initial = item.never.len() as u32;
            let mut outer = false;
            for wait in &item.waits {
                if wait.up == 0 {
                    let other = self.items[wait.item.at()].local as usize;
                    if wait.late {
                        self.scopes[scope].late[other].push(local);
                    } else {
                        initial += 1;
                        self.scopes[scope].followers[other].push(local);
                    }
                } else {
                    outer = true;
                }
            }
            for (up, producer) in item.candidates.iter().flat_map(|c| &c.producers) {
                let other = &self.items[producer.at()];
                if *up == 0 {
                    let listeners = &mut self.scopes[scope].listeners[other.local as usize];
                    if !listeners.contains(&local) {
                        listeners.push(local);
                    }
                } else {
                    outer = true;
                }
            }
            self.scopes[scope].initial[local as usize] = initial;
            if outer {
                self.scopes[scope].outer.push(local);
            }
        }
        Graph {
            model: std::sync::Arc::clone(&self.names.model),
            items: self.items,
            scopes: self.scopes,
            stands_for: self.names.stands_for.clone(),
            notes: self.notes,
        }
    }
}
