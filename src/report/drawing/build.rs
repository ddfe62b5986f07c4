//! From a run's graph to the picture: which node stands in which box, and what goes where.
//!
//! Every concept is one node, in the box where its value is kept. A loop is a box with its own step at the top; what
//! the rounds give goes straight from the body to the loop's concept. Gates are nodes between their condition and
//! what they guard. Scripts, prompts and built-ins are notes of the steps that use them.

use std::collections::BTreeSet;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::Digest;
use crate::repo::{Assigning, Concept, ConceptId, Method, Model, Work};
use crate::run::graph::{Role, ScopeId};
use crate::run::provenance::{Part, reads};
use crate::run::{Graph, ItemId};

use super::picture::{Edge, EdgeKind, Family, Frame, Node, Picture, Shape, View};
use super::text::shown;
use super::words;

/// Longer names are replaced by their beginning and a digest in ids.
const LONGEST_ID: usize = 60;

impl Picture {
    /// The picture of a plan.
    pub fn new(graph: &Graph, title: &str, view: &View) -> Self {
        let mut builder = Builder::new(graph, view);
        builder.frames();
        builder.steps();
        builder.values();
        builder.edges();
        let mut picture = builder.picture;
        turn_back(&mut picture, &builder.carried);
        title.clone_into(&mut picture.title);
        let (inferences, concepts) = (graph.items.len(), graph.model.concepts.len());
        let s = |n: usize| if n == 1 { "" } else { "s" };
        picture.subtitle =
            format!("{inferences} inference{}, {concepts} concept{}", s(inferences), s(concepts));
        picture
    }

    /// The node of a concept; what it was folded into, or none when it is not drawn.
    pub fn node_of(&self, graph: &Graph, concept: ConceptId) -> Option<usize> {
        let concept = graph.canonical(concept);
        let id = format!("value-{}", slug(&graph.model.concepts.get(concept.0 as usize)?.name));
        self.nodes.iter().position(|n| n.id == id)
    }
}

struct Builder<'a> {
    graph: &'a Graph,
    view: &'a View,
    picture: Picture,
    /// Of each scope: the box that is drawn for it.
    frame_of: Vec<Option<usize>>,
    /// Of each scope: the loop it is folded into.
    folded_into: Vec<Option<ItemId>>,
    depth_of: Vec<usize>,
    node_of_item: Vec<usize>,
    node_of_concept: FxHashMap<ConceptId, usize>,
    /// Who gives each concept, gates and `$=` left out.
    producers: Vec<Vec<ItemId>>,
    /// The values that some loop hands on, by node.
    carried: FxHashSet<usize>,
    known: BTreeSet<(usize, usize, EdgeKind)>,
    /// The elements of loops.
    elements: FxHashSet<ConceptId>,
    /// The loop bodies that hand out each element or carried value; the first of several.
    owners: FxHashMap<ConceptId, ScopeId>,
    /// The innermost scope around all that read a concept.
    readers: FxHashMap<ConceptId, ScopeId>,
    /// The other names of concepts, as notes.
    aliases: FxHashMap<ConceptId, Vec<String>>,
}

impl<'a> Builder<'a> {
    fn new(graph: &'a Graph, view: &'a View) -> Self {
        let mut producers = vec![Vec::new(); graph.model.concepts.len()];
        for (item, inference) in items(graph).zip(&graph.model.inferences) {
            let identity = matches!(inference.work, Work::Assigning(Assigning::Identity { .. }));
            if !matches!(graph.item(item).role, Role::Gate(_)) && !identity {
                producers[graph.canonical(inference.target).0 as usize].push(item);
            }
        }
        let (mut elements, mut owners) = (FxHashSet::default(), FxHashMap::default());
        for (at, scope) in (0u32..).zip(&graph.scopes) {
            let Some(machine) = &scope.machine else { continue };
            let element = machine.element_in.and_then(|e| scope.slots.get(e as usize).copied());
            elements.extend(element);
            for concept in element.into_iter().chain(machine.carried.iter().map(|c| c.concept)) {
                owners.entry(concept).or_insert(ScopeId(at));
            }
        }
        let mut aliases: FxHashMap<ConceptId, Vec<String>> = FxHashMap::default();
        for (alias, of) in (0u32..).map(ConceptId).zip(&graph.stands_for).filter(|(alias, of)| alias != *of) {
            aliases.entry(*of).or_default().push(format!("= {}", words::name(&graph.model, alias)));
        }
        Self {
            readers: readers(graph),
            elements,
            owners,
            aliases,
            graph,
            view,
            picture: Picture::default(),
            frame_of: vec![None; graph.scopes.len()],
            folded_into: vec![None; graph.scopes.len()],
            depth_of: vec![0; graph.scopes.len()],
            node_of_item: vec![0; graph.items.len()],
            node_of_concept: FxHashMap::default(),
            producers,
            carried: FxHashSet::default(),
            known: BTreeSet::new(),
        }
    }

    fn model(&self) -> &'a Model {
        &self.graph.model
    }

    /// A parent stands before its children among the scopes.
    fn frames(&mut self) {
        for (at, scope) in self.graph.scopes.iter().enumerate().skip(1) {
            let (Some(parent), Some(of)) = (scope.parent, scope.of) else { continue };
            let parent = parent.0 as usize;
            self.depth_of[at] = self.depth_of[parent] + 1;
            if self.depth_of[at] > self.view.depth {
                self.folded_into[at] = self.folded_into[parent].or(Some(of));
                continue;
            }
            let inference = self.graph.inference(of);
            self.frame_of[at] = Some(self.picture.frames.len());
            let title = words::operation(self.model(), inference);
            self.picture.frames.push(Frame {
                id: format!("loop-{}", dashed(&inference.flow.to_string())),
                title: format!("↻ {} once for every {}", inference.flow, self.element(of)),
                tip: format!(
                    "{} {}\n{title}\nWhat is inside runs once for every element.",
                    inference.flow, inference.sequence
                ),
                parent: self.frame_of[parent],
            });
        }
    }

    /// What a loop hands out.
    fn element(&self, of: ItemId) -> &'a str {
        match &self.graph.inference(of).work {
            Work::Looping(l) => words::name(self.model(), l.element),
            _ => "",
        }
    }

    fn steps(&mut self) {
        let mut inside: FxHashMap<ItemId, usize> = FxHashMap::default();
        for item in items(self.graph) {
            let info = self.graph.item(item);
            if let Some(folded) = self.folded_into[info.scope.0 as usize] {
                *inside.entry(folded).or_default() += 1;
                // The loop stands before what is inside it.
                self.node_of_item[item.at()] = self.node_of_item[folded.at()];
                continue;
            }
            let node = self.step(item);
            self.node_of_item[item.at()] = self.picture.nodes.len();
            self.picture.nodes.push(node);
        }
        for (loop_item, count) in inside {
            let s = if count == 1 { "" } else { "s" };
            if let Some(node) = self.picture.nodes.get_mut(self.node_of_item[loop_item.at()]) {
                node.notes.push(format!("{count} inference{s} inside"));
            }
        }
    }

    fn step(&self, item: ItemId) -> Node {
        let (info, inference) = (self.graph.item(item), self.graph.inference(item));
        let flow = inference.flow.to_string();
        let text = words::operation(self.model(), inference);
        let mut tip = format!("{flow} {}: {text}", inference.sequence);
        if let Some(function) = inference.function {
            let whole = words::name(self.model(), function);
            if whole != text {
                tip = format!("{tip}\n{whole}");
            }
        }
        tip.push_str(&format!("\ngives {}", words::name(self.model(), inference.target)));
        let mut frame = self.frame_of[info.scope.0 as usize];
        let (shape, heading) = match (&inference.work, info.role) {
            (Work::Timing(timing), _) => {
                (Shape::Gate(timing.marker), words::gate_word(timing.marker).to_owned())
            }
            (_, Role::Loop(body)) => match self.frame_of[body.0 as usize] {
                Some(open) => {
                    frame = Some(open);
                    (Shape::Step(Family::Looping), format!("{flow} {}", inference.sequence))
                }
                None => (Shape::Step(Family::Folded), format!("{flow} {}", inference.sequence)),
            },
            _ => (Shape::Step(words::family(inference)), heading(&flow, &inference.sequence)),
        };
        let mut notes: Vec<String> =
            inference.values.iter().filter_map(|v| self.note(*v)).map(|n| shown(&n)).collect();
        if let Work::Semantic(semantic) = &inference.work {
            if let Method::Composition { paradigm } = &semantic.method {
                notes.push(format!("paradigm {}", shown(paradigm)));
            }
            if semantic.once {
                notes.push("once".to_owned());
            }
        }
        for note in &notes {
            tip.push_str(&format!("\n{note}"));
        }
        Node { id: format!("step-{}", dashed(&flow)), shape, heading, text, notes, tip, frame }
    }

    /// The note that stands for a value which is only a script, prompt or built-in.
    fn note(&self, concept: ConceptId) -> Option<String> {
        let concept = self.graph.canonical(concept);
        let info = self.model().concepts.get(concept.0 as usize)?;
        let plain = self.producers[concept.0 as usize].is_empty() && !info.is_final;
        plain.then(|| words::helper(self.model(), concept)).flatten()
    }

    fn values(&mut self) {
        let graph = self.graph;
        let mut used: BTreeSet<ConceptId> = BTreeSet::new();
        for item in items(graph) {
            let inference = graph.inference(item);
            used.extend(reads(graph, item).iter().map(|r| graph.canonical(r.concept)));
            if let Work::Looping(l) = &inference.work {
                used.extend(inference.values.iter().map(|c| graph.canonical(*c)));
                used.insert(graph.canonical(l.element));
            }
            if !matches!(graph.item(item).role, Role::Gate(_)) {
                used.insert(graph.canonical(inference.target));
            }
        }
        let finals = (0..self.model().concepts.len() as u32).map(ConceptId);
        used.extend(
            finals.filter(|c| self.model().concepts[c.0 as usize].is_final).map(|c| graph.canonical(c)),
        );
        for concept in used {
            let info = &self.model().concepts[concept.0 as usize];
            if !info.kind.is_value() || self.note(concept).is_some() {
                continue;
            }
            let scope = self.home(concept);
            if let Some(folded) = self.folded_into[scope.0 as usize] {
                self.node_of_concept.insert(concept, self.node_of_item[folded.at()]);
                continue;
            }
            let node = self.value(concept, info, self.frame_of[scope.0 as usize]);
            self.node_of_concept.insert(concept, self.picture.nodes.len());
            self.picture.nodes.push(node);
        }
    }

    fn value(&self, concept: ConceptId, info: &Concept, frame: Option<usize>) -> Node {
        let given = !self.producers[concept.0 as usize].is_empty();
        let (ground, last) = (info.data.is_some(), info.is_final);
        let input = info.data.is_none() && !given && !self.elements.contains(&concept);
        let aliases = self.aliases.get(&concept).cloned().unwrap_or_default();
        let mut heading = Vec::new();
        for (word, applies) in [("output", last), ("input", input), ("given", ground)] {
            if applies {
                heading.push(word);
            }
        }
        let mut tip = info.name.to_string();
        if let Some(data) = &info.data {
            let text: String = data.to_string().chars().take(200).collect();
            tip.push_str(&format!("\nbegins with {text}"));
        }
        if let Some(axes) = info.axes.as_ref().filter(|a| !a.iter().all(|a| &**a == "_none_axis")) {
            tip.push_str(&format!("\naxes: {}", axes.join(", ")));
        }
        Node {
            id: format!("value-{}", slug(&info.name)),
            shape: Shape::Value { ground, input, last },
            heading: heading.join(", "),
            text: info.name.to_string(),
            notes: aliases,
            tip,
            frame,
        }
    }

    /// The scope a value is shown in: where the loop hands it out, where it is given, else the whole plan.
    fn home(&self, concept: ConceptId) -> ScopeId {
        let places = self.producers[concept.0 as usize].iter().map(|item| {
            let info = self.graph.item(*item);
            let mut at = info.scope;
            for _ in 0..info.target.up {
                at = self.graph.scope(at).parent.unwrap_or(ScopeId::ROOT);
            }
            at
        });
        // A value that is given in the plan and in a loop that carries it has several; the outermost is seen by all.
        let given = places.min_by_key(|s| self.depth_of[s.0 as usize]);
        let owner = || self.owners.get(&concept).copied();
        given.or_else(owner).or_else(|| self.constant_home(concept)).unwrap_or(ScopeId::ROOT)
    }

    /// A constant of the plan stands with those who read it.
    fn constant_home(&self, concept: ConceptId) -> Option<ScopeId> {
        let info = self.model().concepts.get(concept.0 as usize)?;
        if info.data.is_none() || info.is_final {
            return None;
        }
        self.readers.get(&concept).copied()
    }

    fn edge(&mut self, from: usize, to: usize, kind: EdgeKind) {
        if from != to && self.known.insert((from, to, kind)) {
            self.picture.edges.push(Edge { from, to, kind, back: false });
        }
    }

    fn edges(&mut self) {
        let graph = self.graph;
        for item in items(graph) {
            let (info, inference) = (graph.item(item), graph.inference(item));
            let node = self.node_of_item[item.at()];
            let target = graph.canonical(inference.target);
            let append = matches!(inference.work, Work::Assigning(Assigning::Continuation { destination, .. })
                if graph.canonical(destination) == target);
            for read in reads(graph, item) {
                let kind = match read.part {
                    // The arrow of the append says it.
                    _ if append && graph.canonical(read.concept) == target => continue,
                    Part::Initial => {
                        let carried = graph.canonical(read.concept);
                        self.carried.extend(self.node_of_concept.get(&carried));
                        continue;
                    }
                    Part::Value | Part::Destination | Part::Function => EdgeKind::Data,
                    Part::Waited => EdgeKind::Waited,
                    Part::Context => EdgeKind::Context,
                    Part::Condition => EdgeKind::Gate,
                    Part::Base => EdgeKind::Loop,
                };
                self.read(node, graph.canonical(read.concept), kind);
            }
            match info.role {
                Role::Gate(guarded) => {
                    if let Some(guarded) = guarded {
                        self.edge(node, self.node_of_item[guarded.at()], EdgeKind::Gate);
                    }
                    continue;
                }
                Role::Loop(body) => self.loop_edges(item, body, target),
                Role::Step => {}
            }
            if !matches!(info.role, Role::Loop(_)) {
                let kind = if append { EdgeKind::Append } else { EdgeKind::Data };
                if let Some(value) = self.node_of_concept.get(&target) {
                    self.edge(node, *value, kind);
                }
            }
        }
    }

    /// From a concept to a node; a concept that is no value of the plan is what a step makes for another one.
    fn read(&mut self, node: usize, concept: ConceptId, kind: EdgeKind) {
        match self.node_of_concept.get(&concept) {
            Some(value) => self.edge(*value, node, kind),
            None => {
                for maker in self.producers[concept.0 as usize].clone() {
                    self.edge(self.node_of_item[maker.at()], node, kind);
                }
            }
        }
    }

    fn loop_edges(&mut self, item: ItemId, body: ScopeId, target: ConceptId) {
        let graph = self.graph;
        let node = self.node_of_item[item.at()];
        let Work::Looping(l) = &graph.inference(item).work else { return };
        if let Some(element) = self.node_of_concept.get(&graph.canonical(l.element)) {
            self.edge(node, *element, EdgeKind::Loop);
        }
        for value in &graph.inference(item).values {
            if graph.canonical(*value) != graph.canonical(l.base) {
                self.read(node, graph.canonical(*value), EdgeKind::Waited);
            }
        }
        let Some(value) = self.node_of_concept.get(&target).copied() else { return };
        let function = graph.inference(item).function.map(|f| graph.canonical(f));
        let makers: Vec<usize> = function
            .into_iter()
            .flat_map(|f| &self.producers[f.0 as usize])
            .filter(|m| graph.item(**m).scope == body)
            .map(|m| self.node_of_item[m.at()])
            .collect();
        // What the rounds gave does not pass by the loop's own step, which stands at the top.
        for maker in if makers.is_empty() { vec![node] } else { makers } {
            self.edge(maker, value, EdgeKind::Loop);
        }
    }
}

/// The innermost scope around all that read each concept.
fn readers(graph: &Graph) -> FxHashMap<ConceptId, ScopeId> {
    let depths =
        graph.scopes.iter().fold(Vec::with_capacity(graph.scopes.len()), |mut depths: Vec<usize>, scope| {
            depths.push(scope.parent.and_then(|p| depths.get(p.0 as usize)).map_or(0, |d| d + 1));
            depths
        });
    let common = |mut a: ScopeId, mut b: ScopeId| {
        while a != b {
            let (deep_a, deep_b) = (depths[a.0 as usize], depths[b.0 as usize]);
            let up = |s: ScopeId| graph.scope(s).parent.unwrap_or(ScopeId::ROOT);
            (a, b) = (if deep_a >= deep_b { up(a) } else { a }, if deep_b >= deep_a { up(b) } else { b });
        }
        a
    };
    let mut found: FxHashMap<ConceptId, ScopeId> = FxHashMap::default();
    for item in items(graph) {
        let scope = graph.item(item).scope;
        let waited = match &graph.inference(item).work {
            Work::Looping(_) => graph.inference(item).values.as_slice(),
            _ => &[],
        };
        for concept in reads(graph, item).iter().map(|r| r.concept).chain(waited.iter().copied()) {
            let known = found.entry(graph.canonical(concept)).or_insert(scope);
            *known = common(*known, scope);
        }
    }
    found
}

/// Marks what goes to the next round: in a circle, reading a carried value, and appending.
fn turn_back(picture: &mut Picture, carried: &FxHashSet<usize>) {
    for round in [EdgeKind::Carry, EdgeKind::Append] {
        let circle = circles(picture);
        for edge in picture.edges.iter_mut().filter(|e| !e.back && circle[e.from] == circle[e.to]) {
            match round {
                EdgeKind::Carry if carried.contains(&edge.from) => {
                    edge.back = true;
                    edge.kind = EdgeKind::Carry;
                }
                EdgeKind::Append if edge.kind == EdgeKind::Append => edge.back = true,
                _ => {}
            }
        }
    }
}

/// The number of the circle each node is in.
fn circles(picture: &Picture) -> Vec<usize> {
    let mut graph: DiGraph<(), ()> = DiGraph::with_capacity(picture.nodes.len(), picture.edges.len());
    let nodes: Vec<NodeIndex> = picture.nodes.iter().map(|_| graph.add_node(())).collect();
    for edge in picture.edges.iter().filter(|e| !e.back) {
        graph.add_edge(nodes[edge.from], nodes[edge.to], ());
    }
    let mut circle = vec![0; nodes.len()];
    for (number, members) in kosaraju_scc(&graph).iter().enumerate() {
        members.iter().for_each(|m| circle[m.index()] = number);
    }
    circle
}

fn items(graph: &Graph) -> impl Iterator<Item = ItemId> + use<> {
    (0..graph.items.len() as u32).map(ItemId)
}

fn heading(flow: &str, sequence: &str) -> String {
    let short = sequence.strip_suffix("_in_composition").unwrap_or(sequence);
    format!("{flow} {}", short.replace('_', " "))
}

fn dashed(flow: &str) -> String {
    flow.replace('.', "-")
}

/// A name as an id: letters and digits stay, everything else is its number, so that no two names meet.
fn slug(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            c if c.is_ascii_alphanumeric() => out.push(c),
            ' ' => out.push('-'),
            '{' => out.push_str("_l"),
            '}' => out.push_str("_r"),
            c => out.push_str(&format!("_{:x}_", u32::from(c))),
        }
    }
    if out.len() <= LONGEST_ID {
        return out;
    }
    let digest = Digest::of(name.as_bytes()).short();
    format!("{}-{digest}", out.get(..LONGEST_ID / 2).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_tell_names_apart() {
        let names = ["{a}", "[a]", "<a>", "{a b}", "{a-b}", "{a_b}", "{数}", "{a}*1", "a", "{a", "a}"];
        let slugs: BTreeSet<String> = names.iter().map(|n| slug(n)).collect();
        assert_eq!(slugs.len(), names.len(), "{slugs:?}");
        let safe = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        assert!(slugs.iter().all(|s| s.chars().all(safe)), "{slugs:?}");
        let long: Vec<String> = ["x", "y"].map(|end| slug(&("数".repeat(100) + end))).into();
        assert!(long[0] != long[1] && long[0].len() <= LONGEST_ID, "{long:?}");
    }
}
