//! The `$` operators (language spec, section 5.2).

use std::sync::Arc;

use rustc_hash::FxHashSet;
use serde_json::Value as Json;

use crate::diag::{Code, Diagnostic};
use crate::syntax::{AssignOp, Assigning, NodeId, Pick as WrittenPick, Reference, Value};

use super::data;
use super::loops::{Made, axis_names};
use super::model::{ConceptId, ConceptKind, Pick, Work};
use super::resolver::{Children, Resolver, shown};
use super::scope::is_loop_line;

impl Resolver<'_> {
    pub(super) fn assigning(
        &mut self,
        head: NodeId,
        target: ConceptId,
        line: NodeId,
        written: &Assigning,
    ) -> Made {
        let children = self.children(head);
        let values: Vec<ConceptId> = children.values.iter().map(|(_, c)| *c).collect();
        let contexts: Vec<ConceptId> = children.contexts.iter().map(|(_, c)| *c).collect();
        match written.op {
            AssignOp::Specification => {
                let sources =
                    self.candidates(head, target, line, &written.sources(), is_bare(written), &children)?;
                let in_loop = is_loop_line(self.tree, head);
                let missing: Vec<ConceptId> =
                    sources.iter().copied().filter(|s| !values.contains(s)).collect();
                let ordered = if in_loop || !missing.is_empty() {
                    sources.iter().copied().chain(values).collect()
                } else {
                    values
                };
                Some((Work::Specification { sources, in_loop }, ordered, contexts))
            }
            AssignOp::Continuation => self.continuation(target, line, written, values, contexts),
            AssignOp::Abstraction => self.abstraction(head, line, written, contexts),
            AssignOp::Selection => self.selection(line, written, values, contexts),
            AssignOp::Identity => {
                let named = written.sources().first().copied();
                let current = self.current(line);
                let canonical = match (named, written.after_colon.first().and_then(|o| o.value())) {
                    // `$=({a}:{b})`: of the two the one that is not the target.
                    (Some(a), Some(b)) if self.lookup(a, current) == Some(target) => {
                        Some(self.mention(line, b, current))
                    }
                    (Some(a), _) => Some(self.mention(line, a, current)),
                    (None, _) => values.first().copied(),
                };
                let Some(canonical) = canonical else {
                    self.nothing_to(line, "`$=` names no other concept", "write `$=({the other name})`");
                    return None;
                };
                let values = with_first(canonical, values);
                Some((Work::Identity { canonical }, values, contexts))
            }
            AssignOp::Nominalization => None,
        }
    }

    fn nothing_to(&mut self, line: NodeId, message: &str, help: &str) {
        if let Some(node) = self.tree.node(line) {
            self.report(Diagnostic::at(Code::NC061, node.span, message).help(help));
        }
    }

    /// The candidates of a `$.` in order: those it names, else the values beside it (language spec, section 5.2).
    pub(super) fn candidates(
        &mut self,
        head: NodeId,
        target: ConceptId,
        line: NodeId,
        named: &[&Value],
        bare: bool,
        children: &Children,
    ) -> Option<Vec<ConceptId>> {
        let values: Vec<ConceptId> = children.values.iter().map(|(_, c)| *c).collect();
        let current = self.current(line);
        let mut sources = Vec::new();
        let mut elsewhere: Vec<&Value> = Vec::new();
        for value in named {
            if value.any_identity() {
                sources.extend(self.numbered(value, current, &values));
                continue;
            }
            match self.lookup(value, current) {
                Some(id) if values.contains(&id) => sources.push(id),
                // One relation of that name, or a list of its members: what stands beside it decides.
                _ if !value.members.is_empty() => {
                    for member in &value.members {
                        match self.lookup(member, current) {
                            Some(id) if values.contains(&id) => sources.push(id),
                            _ => elsewhere.push(member),
                        }
                    }
                }
                _ => elsewhere.push(value),
            }
        }
        for id in &sources {
            let part = named.first().map(|v| v.part);
            if let Some(part) = part {
                self.mention_at(*id, line, part);
            }
        }
        elsewhere.retain(|v| self.lookup(v, current) != Some(target));
        if sources.is_empty() {
            let mut fallback = self.beside(head, line, &values);
            if bare {
                fallback.truncate(1);
            }
            if fallback.is_empty()
                && let Some(first) = elsewhere.first()
            {
                fallback = vec![self.mention(line, first, current)];
            }
            sources = fallback;
        }
        if let (Some(first), Some(node)) = (elsewhere.first(), self.tree.node(line)) {
            let name = node.text_of(first.part);
            let mut diagnostic = Diagnostic::at(
                Code::NC050,
                node.span_of(first.part),
                format!("`{}` is neither a value beside the `$.` nor its target", shown(name)),
            )
            .about(name);
            diagnostic =
                diagnostic.help(format!("add a line `<- {name}` beside it, or name one of the values there"));
            if let Some(last) = self.tree.last_below(head) {
                diagnostic = diagnostic.also(last.span, "the values beside it end here");
            }
            self.report(diagnostic);
        }
        if sources.is_empty() {
            self.nothing_to(line, "`$.` has nothing to take", "add a `<-` line beside it");
            return None;
        }
        let mut seen = FxHashSet::default();
        sources.retain(|s| seen.insert(*s));
        Some(sources)
    }

    /// `{x}<$={#}>`: all values beside it of that name, last first.
    fn numbered(&self, value: &Value, current: Option<u32>, values: &[ConceptId]) -> Vec<ConceptId> {
        let key = self.key(value, current);
        let of_name = |id: &&ConceptId| {
            self.table.concept(**id).is_some_and(|c| {
                c.versions == key.versions
                    && c.name
                        .strip_prefix(&*key.base)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['<', '*']))
            })
        };
        values.iter().rev().filter(of_name).copied().collect()
    }

    /// The values beside a `$.` that can be candidates: no propositions, no questions, and none that another of them
    /// is made from.
    fn beside(&mut self, head: NodeId, line: NodeId, values: &[ConceptId]) -> Vec<ConceptId> {
        let mut candidates: Vec<ConceptId> = Vec::new();
        let mut seen = FxHashSet::default();
        for id in values {
            let fits =
                self.table.concept(*id).is_some_and(|c| c.kind != ConceptKind::Proposition && !c.query);
            if fits && seen.insert(*id) {
                candidates.push(*id);
            }
        }
        if candidates.len() < 2 {
            return candidates;
        }
        let mut needed: FxHashSet<ConceptId> = FxHashSet::default();
        for (node, child) in self.children(head).values {
            needed.extend(self.children(node).values.iter().map(|(_, c)| *c).filter(|c| *c != child));
        }
        let (out, kept): (Vec<ConceptId>, Vec<ConceptId>) =
            candidates.iter().partition(|c| needed.contains(c));
        if kept.is_empty() {
            return candidates;
        }
        for id in out {
            if let Some(node) = self.tree.node(line) {
                let name = self.table.name(id).to_owned();
                let message =
                    format!("`{name}` is no candidate of the `$.`: another value beside it is made from it");
                self.report(
                    Diagnostic::at(Code::NC059, node.span, message)
                        .help("name the candidates: `$.({a}; {b})`"),
                );
            }
        }
        kept
    }

    fn continuation(
        &mut self,
        target: ConceptId,
        line: NodeId,
        written: &Assigning,
        values: Vec<ConceptId>,
        contexts: Vec<ConceptId>,
    ) -> Made {
        let tree = self.tree;
        let current = self.current(line);
        let append = tree.append(line);
        let item = append.map(|a| a.item).or_else(|| written.item());
        let destination = append.map(|a| a.destination).or_else(|| written.destination());
        let destination = destination.map_or(target, |d| self.mention(line, d, current));
        let item = match item {
            Some(item) => Some(self.mention(line, item, current)),
            None => values.iter().copied().find(|v| {
                *v != destination && self.table.kind(*v).is_some_and(|k| k != ConceptKind::Proposition)
            }),
        };
        let Some(item) = item else {
            self.nothing_to(line, "`$+` does not say what it appends", "write `$+({item}:{collection})`");
            return None;
        };
        let by_axes = axis_names(&written.axes());
        let ordered = [item, destination].into_iter().chain(values).collect();
        Some((Work::Continuation { item: Some(item), destination, by_axes }, ordered, contexts))
    }

    fn abstraction(
        &mut self,
        head: NodeId,
        line: NodeId,
        written: &Assigning,
        contexts: Vec<ConceptId>,
    ) -> Made {
        let tree = self.tree;
        let node = tree.node(line)?;
        let declared = axis_names(&written.axes());
        let axes = (!declared.is_empty()).then_some(declared);
        if let Some(literal) = written.literal() {
            let face = data::literal(literal);
            let axes = axes.or_else(|| self.declared_axes(head));
            return Some((Work::Abstraction { face, axes }, Vec::new(), contexts));
        }
        // Legacy: the literal stands on the value line beside it.
        let beside = tree.children(head).find_map(|(_, n)| {
            let value = n.concept.value()?;
            value
                .literal
                .as_ref()
                .map(|l| Json::String(l.value.as_ref().to_owned()))
                .or_else(|| data::of_node(n).data.map(|d| d.json))
        });
        match beside {
            Some(face) => Some((Work::Abstraction { face, axes }, Vec::new(), contexts)),
            None => {
                self.report(
                    Diagnostic::at(Code::NC061, node.span, "`$%` has no literal")
                        .help("write `$% %>(\"text\")`"),
                );
                None
            }
        }
    }

    fn declared_axes(&self, head: NodeId) -> Option<Vec<Arc<str>>> {
        data::ref_axes(self.tree.node(head)?)
    }

    fn selection(
        &mut self,
        line: NodeId,
        written: &Assigning,
        values: Vec<ConceptId>,
        contexts: Vec<ConceptId>,
    ) -> Made {
        let current = self.current(line);
        let source = match written.sources().first() {
            Some(value) => Some(self.mention(line, value, current)),
            None => values.first().copied(),
        };
        let Some(source) = source else {
            self.nothing_to(
                line,
                "`$-` does not say what it picks from",
                "write `$- %>({collection}) %^(<$*0>)`",
            );
            return None;
        };
        let pick = match (written.pick(), written.pick_key()) {
            (Some(WrittenPick::Index(n)), _) => Pick::Index(n),
            (Some(WrittenPick::All), _) => Pick::All,
            (None, Some(key)) => Pick::Key(Arc::from(match key {
                Reference::Value(v) => &v.name,
                Reference::Words(w) => w,
            } as &str)),
            (None, None) => {
                self.nothing_to(
                    line,
                    "`$-` does not say what it picks",
                    "write `%^(<$*0>)` for the first one",
                );
                return None;
            }
        };
        Some((Work::Selection { source, pick }, with_first(source, values), contexts))
    }
}

fn with_first(first: ConceptId, rest: Vec<ConceptId>) -> Vec<ConceptId> {
    if rest.contains(&first) { rest } else { std::iter::once(first).chain(rest).collect() }
}

/// Nothing is written but the operator.
fn is_bare(written: &Assigning) -> bool {
    written.args.is_empty() && written.after_colon.is_empty() && written.modifiers.is_empty()
}
