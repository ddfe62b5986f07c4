//! Writes the formal text of every sentence of a draft.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::syntax::{Expr, Looping, Marker, Node, NodeId, Tree, ValueKind};

use super::acts::{self, Act};
use super::names::{Name, Names, Reason, in_brackets};
use super::words::{self, after};

/// A loop as far as its body needs it.
#[derive(Debug)]
struct Loop {
    number: u32,
    /// The base as written formally.
    base: String,
    /// The noun after `for every`.
    noun: String,
    /// A context line beside it names the element.
    named: bool,
}

/// What the formal texts are made of.
pub(super) struct Writer<'t> {
    tree: &'t Tree,
    acts: Vec<Option<Act>>,
    names: Names,
    loops: FxHashMap<NodeId, Loop>,
    /// For each line the first one after everything below it.
    ends: Vec<NodeId>,
}

impl<'t> Writer<'t> {
    pub(super) fn new(tree: &'t Tree) -> Self {
        let names = Names::of(tree);
        let ends = ends(tree);
        let mut writer = Self { tree, acts: acts::of(tree), names, loops: FxHashMap::default(), ends };
        writer.kinds();
        writer.names.settle();
        writer.loops();
        writer.elements();
        writer
    }

    /// The formal text of every sentence.
    pub(super) fn write(&self) -> Vec<(NodeId, String)> {
        let mut texts = Vec::new();
        for (id, node) in self.tree.iter() {
            if let Some(name) = self.names.get(id).filter(|n| n.sentence) {
                texts.push((id, name.formal.clone()));
            } else if let Some(act) = self.act(id) {
                texts.push((id, self.operation(id, node, act)));
            }
        }
        texts
    }

    fn act(&self, id: NodeId) -> Option<Act> {
        self.acts.get(id.index()).copied().flatten()
    }

    /// What the operations say about the kinds of names.
    fn kinds(&mut self) {
        for at in 0..self.acts.len() {
            let id = NodeId(u32::try_from(at).unwrap_or(u32::MAX));
            let Some(head) = self.tree.node(id).and_then(|n| n.parent) else { continue };
            let first = self.tree.function(head).is_some_and(|(f, _)| f == id);
            match self.act(id) {
                Some(Act::Judgement) if first => {
                    self.names.note_line(head, Reason::Judged, ValueKind::Proposition)
                }
                Some(Act::Loop) => {
                    self.names.note_line(head, Reason::Loop, ValueKind::Relation);
                    if let Some(base) = self.base(id, head) {
                        self.names.note_line(base, Reason::Loop, ValueKind::Relation);
                    }
                }
                _ => {}
            }
        }
    }

    /// The noun after `for every`: up to the first word that goes on with something else.
    fn noun(&self, line: NodeId) -> String {
        const END: [&str; 13] =
            ["in", "of", "from", "with", "return", "per", "on", "do", "until", "and", "as", "within", "at"];
        let text = self.tree.node(line).map_or("", acts::text);
        let rest = after(text, &acts::LOOP).unwrap_or("");
        let rest = rest.split([',', ':', ';', '(']).next().unwrap_or("");
        let noun: Vec<&str> =
            rest.split_whitespace().take(words::MAX_WORDS).take_while(|w| !END.contains(w)).collect();
        noun.join(" ")
    }

    /// The line of what a loop walks: beside it the one with its noun, anywhere one of that name, the first beside it.
    fn base(&self, line: NodeId, head: NodeId) -> Option<NodeId> {
        let noun = words::words(&self.noun(line));
        let values = || self.tree.values(head).filter_map(|(id, _)| Some((id, self.names.get(id)?)));
        let exact = values().find(|(_, n)| n.words == noun);
        // What the loop itself computes is not what it walks.
        let outside = |id: NodeId| id < head || self.ends.get(line.index()).is_some_and(|end| id >= *end);
        let last = noun.last();
        let near = || values().find(|(_, n)| last.is_some_and(|l| n.words.contains(l)));
        exact
            .or_else(near)
            .map(|(id, _)| id)
            .or_else(|| self.names.find(&noun.join(" ")).map(|(id, _)| id).filter(|id| outside(*id)))
            .or_else(|| values().find(|(_, n)| n.kind != ValueKind::Proposition).map(|(id, _)| id))
    }

    /// The loops, with their numbers in document order after those that are written.
    fn loops(&mut self) {
        let written = self.tree.nodes.iter().filter_map(|n| match &n.concept.expr {
            Expr::Looping(Looping { number, .. }) => *number,
            _ => None,
        });
        let used: FxHashSet<u32> = written.collect();
        let mut free = (1..).filter(|n| !used.contains(n));
        for (id, node) in self.tree.iter() {
            let (Some(Act::Loop), Some(head)) = (self.act(id), node.parent) else { continue };
            let Some(number) = free.next() else { break };
            let noun = self.noun(id);
            let base = match self.base(id, head).and_then(|b| self.names.get(b)) {
                Some(name) => name.formal.clone(),
                None => in_brackets(&words::balanced(&words::plural(&noun)), ValueKind::Relation),
            };
            let named = self.context(head, &noun, &base);
            self.loops.insert(id, Loop { number, base, noun, named });
        }
    }

    /// Marks the `<*` line beside a loop that names its element, and the carried ones; whether there is an element.
    fn context(&mut self, head: NodeId, noun: &str, base: &str) -> bool {
        let contexts: Vec<(NodeId, Marker)> = self
            .tree
            .contexts(head)
            .map(|(id, n)| (id, n.marker))
            .filter(|(id, _)| self.is_sentence(*id))
            .collect();
        for (id, _) in contexts.iter().filter(|(_, m)| *m == Marker::Carry) {
            if let Some(name) = self.names.get_mut(*id) {
                name.formal.push_str("*-1");
            }
        }
        let plain =
            |names: &Names, id: NodeId| names.get(id).is_some_and(|n| n.kind != ValueKind::Proposition);
        let elements: Vec<NodeId> = contexts
            .iter()
            .filter(|(id, m)| *m == Marker::Context && plain(&self.names, *id))
            .map(|(id, _)| *id)
            .collect();
        let says = |name: &Name| name.from.is_some() || is_element(&name.words, noun);
        let element = elements
            .iter()
            .find(|id| self.names.get(**id).is_some_and(says))
            .or_else(|| elements.first().filter(|_| elements.len() == 1))
            .copied();
        if let Some(name) = element.and_then(|id| self.names.get_mut(id)) {
            name.formal.push_str(&format!("<$({base})*>"));
        }
        let formal = |(_, n): (NodeId, &Node)| n.concept.value().is_some_and(|v| v.element_of().is_some());
        element.is_some() || self.tree.contexts(head).any(formal)
    }

    fn is_sentence(&self, id: NodeId) -> bool {
        self.names.get(id).is_some_and(|n| n.sentence)
    }

    /// Where no context line names the element, the leaves of a loop that speak of it are it: `base*N`.
    fn elements(&mut self) {
        let heads: Vec<bool> = self.tree.iter().map(|(id, _)| self.tree.function(id).is_some()).collect();
        let is_head = |id: NodeId| heads.get(id.index()).copied().unwrap_or(false);
        let computed: FxHashSet<&str> = self
            .tree
            .iter()
            .filter(|(id, _)| is_head(*id))
            .filter_map(|(id, _)| Some(&*self.names.get(id)?.bare))
            .collect();
        // The loops around the line at hand, outermost first.
        let mut around: Vec<(u32, NodeId)> = Vec::new();
        let mut found = Vec::new();
        for (id, node) in self.tree.iter() {
            while around.last().is_some_and(|(depth, _)| *depth >= node.depth) {
                around.pop();
            }
            if self.loops.contains_key(&id) {
                around.push((node.depth, id));
            }
            let Some(name) = self.names.get(id).filter(|n| n.sentence && !is_head(id)) else { continue };
            if computed.contains(&*name.bare) || name.kind == ValueKind::Proposition {
                continue;
            }
            let speaks = |l: &&Loop| !l.named && is_element(&name.words, &l.noun);
            let innermost =
                around.iter().rev().take(MAX_AROUND).filter_map(|(_, l)| self.loops.get(l)).find(speaks);
            if let Some(looping) = innermost {
                found.push((id, format!("{}*{}", looping.base, looping.number)));
            }
        }
        for (id, formal) in found {
            if let Some(name) = self.names.get_mut(id) {
                name.formal = formal;
            }
        }
    }

    fn operation(&self, id: NodeId, node: &Node, act: Act) -> String {
        let text = acts::text(node);
        let written = match act {
            Act::Loop => self.loops.get(&id).map(|l| format!("*every({})@({})", l.base, l.number)),
            Act::Specification => self.specification(node, text),
            Act::Continuation => self.continuation(node, text),
            Act::GroupIn => Some("&in".to_owned()),
            Act::GroupAcross => Some("&across".to_owned()),
            Act::If => Some(self.condition(id, after(text, &acts::IF).unwrap_or(""))),
            Act::After => Some(self.awaited(id, after(text, &acts::AFTER).unwrap_or(""))),
            Act::Input => Some(format!(":>:({})", words::balanced(text))),
            Act::Judgement | Act::Imperative => None,
        };
        written.unwrap_or_else(|| {
            let head = node.parent.and_then(|p| self.names.get(p));
            let judged = head.map_or(act == Act::Judgement, |n| n.kind == ValueKind::Proposition);
            let assertion = if judged { "<ALL True>" } else { "" };
            format!("::({}){assertion}", words::balanced(text))
        })
    }

    /// The values beside a function line that are no propositions, in order, each once.
    fn beside(&self, node: &Node) -> Vec<(NodeId, &Name)> {
        let Some(head) = node.parent else { return Vec::new() };
        let mut seen = FxHashSet::default();
        let values = self.tree.values(head).filter_map(|(id, _)| Some((id, self.names.get(id)?)));
        values.filter(|(_, n)| n.kind != ValueKind::Proposition && seen.insert(&*n.formal)).collect()
    }

    /// The values a sentence names, in the order it names them; longer names first take their words.
    fn named<'n>(&self, text: &str, mut names: Vec<&'n Name>) -> Vec<&'n Name> {
        let sentence = words::words(text);
        let mut taken = vec![false; sentence.len()];
        names.sort_by_key(|n| std::cmp::Reverse(n.words.len()));
        let mut found: Vec<(usize, &Name)> = Vec::new();
        for name in names {
            let Some(at) = words::find(&sentence, &name.words, &taken) else { continue };
            taken.iter_mut().skip(at).take(name.words.len()).for_each(|t| *t = true);
            found.push((at, name));
        }
        found.sort_by_key(|(at, _)| *at);
        found.into_iter().map(|(_, n)| n).collect()
    }

    /// The candidates a sentence names, else the values beside it that none of the others is made from.
    fn specification(&self, node: &Node, text: &str) -> Option<String> {
        let beside = self.beside(node);
        let mut chosen = self.named(text, beside.iter().map(|(_, n)| *n).collect());
        if chosen.is_empty() {
            let values = beside.iter().flat_map(|(id, _)| self.tree.values(*id));
            let needed: FxHashSet<&str> =
                values.filter_map(|(id, _)| Some(&*self.names.get(id)?.formal)).collect();
            chosen = beside.iter().map(|(_, n)| *n).filter(|n| !needed.contains(&*n.formal)).collect();
        }
        if chosen.is_empty() {
            chosen = beside.iter().map(|(_, n)| *n).collect();
        }
        let list: Vec<&str> = chosen.iter().map(|n| &*n.formal).collect();
        (!list.is_empty()).then(|| format!("$.({})", list.join("; ")))
    }

    /// `append X to Y`, where both are the target or stand beside the line.
    fn continuation(&self, node: &Node, text: &str) -> Option<String> {
        let (item, destination) = text.rsplit_once(" to ")?;
        let target = node.parent.and_then(|p| self.names.get(p));
        let known = |text: &str| {
            let beside = self.beside(node).into_iter().map(|(_, n)| n);
            self.named(text, beside.chain(target).collect()).first().map(|n| n.formal.clone())
        };
        let (item, destination) = (known(item)?, known(destination)?);
        (item != destination).then(|| format!("$+({item}:{destination})"))
    }

    /// The names below a timing, then those of the context lines beside it.
    fn told(&self, timing: NodeId) -> impl Iterator<Item = &Name> {
        let beside = self.tree.node(timing).and_then(|n| n.parent);
        let beside = beside.into_iter().flat_map(|p| self.tree.children(p).take(MAX_BESIDE));
        let contexts = beside.filter(|(_, n)| n.marker == Marker::Context);
        self.tree.children(timing).chain(contexts).filter_map(|(id, _)| self.names.get(id))
    }

    /// A condition: the proposition that stands below the line, one of that name anywhere, else the words.
    fn condition(&self, id: NodeId, text: &str) -> String {
        let text = text.trim().trim_end_matches('?');
        let below = || self.told(id).find(|n| n.kind == ValueKind::Proposition);
        let proposition = |key: &str| {
            let found = self.names.find(key).map(|(_, n)| n);
            found.filter(|n| n.kind == ValueKind::Proposition).map(|n| n.formal.clone())
        };
        if let Some(known) = proposition(&words::key(text)) {
            return format!("@if({known})");
        }
        let positive = without_not(text);
        if let Some(known) = positive.as_ref().and_then(|p| proposition(&words::key(p))) {
            return format!("@if!({known})");
        }
        let emphatic = text.split_whitespace().any(|w| w == "NOT");
        match below() {
            Some(name) if positive.is_some() && !is_negated(&name.bare) => format!("@if!({})", name.formal),
            Some(name) => format!("@if({})", name.formal),
            None => {
                let (operator, words) = match positive.filter(|_| emphatic) {
                    Some(positive) => ("@if!", positive),
                    None => ("@if", text.to_owned()),
                };
                format!("{operator}({})", in_brackets(&words::balanced(&words), ValueKind::Proposition))
            }
        }
    }

    /// What `after ..` waits for: a name of the plan, what stands below the line, else the words.
    fn awaited(&self, id: NodeId, text: &str) -> String {
        let known = self.names.find(&words::key(text)).map(|(_, n)| n.formal.clone());
        let below = || self.told(id).next().map(|n| n.formal.clone());
        let name = known.or_else(below);
        let name = name.unwrap_or_else(|| in_brackets(&words::balanced(text), ValueKind::Object));
        format!("@after({name})")
    }
}

/// For each line the first one after everything below it. Children stand behind their parents.
fn ends(tree: &Tree) -> Vec<NodeId> {
    let mut ends: Vec<NodeId> =
        (1..=tree.nodes.len()).map(|n| NodeId(u32::try_from(n).unwrap_or(u32::MAX))).collect();
    for (at, node) in tree.nodes.iter().enumerate().rev() {
        let Some(end) = ends.get(at).copied() else { continue };
        if let Some(above) = node.parent.and_then(|p| ends.get_mut(p.index())) {
            *above = (*above).max(end);
        }
    }
    ends
}

/// Loops around a leaf that are asked whether it is their element.
const MAX_AROUND: usize = 16;

/// Lines beside a timing that are asked for its condition.
const MAX_BESIDE: usize = 64;

/// `document` and `current document` in a loop over documents.
fn is_element(name: &[String], noun: &str) -> bool {
    let noun = words::words(noun);
    let rest = match name.split_first() {
        Some((first, rest)) if matches!(first.as_str(), "current" | "thi" | "this" | "each" | "every") => {
            rest
        }
        _ => name,
    };
    !noun.is_empty()
        && (rest == noun || (rest.len() < name.len() && noun.ends_with(rest) && !rest.is_empty()))
}

/// A condition without its `not`; none when there is none.
fn without_not(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let at = words.iter().position(|w| w.eq_ignore_ascii_case("not"))?;
    let kept = words.iter().enumerate().filter(|(i, w)| *i != at && !(*i + 1 == at && is_auxiliary(w)));
    Some(kept.map(|(_, w)| *w).collect::<Vec<_>>().join(" "))
}

/// `did NOT meet`: the word before `not` that goes with it.
fn is_auxiliary(word: &str) -> bool {
    ["did", "does", "do"].iter().any(|a| word.eq_ignore_ascii_case(a))
}

fn is_negated(name: &str) -> bool {
    name.split_whitespace().any(|w| w.eq_ignore_ascii_case("not"))
}
