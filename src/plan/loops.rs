//! Loops: base, element, axis, carried values (language spec, section 5.1; repositories spec, section 7.5).

use std::sync::Arc;

use crate::base::Span;
use crate::diag::{Code, Diagnostic};
use crate::syntax::{Looping, NodeId, Part, Spelling, Value};

use super::identity::Indices;
use super::model::{Carry, ConceptId, Loop, Work};
use super::resolver::{Children, Resolver};

/// The work of an inference with its values and contexts.
pub(super) type Made = Option<(Work, Vec<ConceptId>, Vec<ConceptId>)>;

impl Resolver<'_> {
    pub(super) fn looping(
        &mut self,
        head: NodeId,
        target: ConceptId,
        line: NodeId,
        looping: &Looping,
    ) -> Made {
        let tree = self.tree;
        let span = tree.node(line)?.span;
        let number = tree.loop_number(line)?.number;
        let outer = self.current(line);
        let children = self.children(head);
        let Some(base_value) = looping.bases.first() else {
            self.report(
                Diagnostic::at(Code::NC084, span, "the loop does not say what it walks")
                    .severity(crate::diag::Severity::Error)
                    .help("write its base: `*every({items})`"),
            );
            return None;
        };
        if let Some(second) = looping.bases.get(1) {
            let at = tree.node(line)?.span_of(second.part);
            self.report(
                Diagnostic::at(Code::NC060, at, "a loop over two collections is not supported")
                    .help("group them with `&in` and walk the result"),
            );
        }
        let base = self.mention(line, base_value, outer);
        let element = self.element(line, base_value, number, outer, &children);
        let axis = self.loop_axis(line, looping, base, base_value);
        let carries = self.carries(line, looping, number, &children);
        let result = match looping.results.first() {
            Some(value) if self.lookup(value, outer) != Some(target) && self.written_line(value, outer) => {
                self.mention(line, value, outer)
            }
            _ => target,
        };
        let mut contexts = vec![element];
        contexts.extend(carries.iter().map(|c| c.concept));
        contexts.extend(children.contexts.iter().map(|(_, c)| *c).filter(|c| *c != base));
        let work = Work::Loop(Loop { number, line, base, element, axis, carries, result });
        Some((work, vec![base], contexts))
    }

    /// `%:` when the base has an axis of that name or declares none, else the base's first axis.
    fn loop_axis(&mut self, line: NodeId, looping: &Looping, base: ConceptId, value: &Value) -> Arc<str> {
        let written = looping.axes.first();
        let wanted = written.map_or_else(|| value.name.clone(), |a| a.name.clone());
        let concept = self.table.concept(base).filter(|c| c.axes_declared);
        let Some(first) =
            concept.and_then(|c| c.axes.as_ref()).filter(|a| !a.contains(&wanted)).and_then(|a| a.first())
        else {
            return wanted;
        };
        let first = first.clone();
        if let (Some(axis), Some(node)) = (written, self.tree.node(line)) {
            let message = format!(
                "`{}` is no axis of `{}`; its axis `{first}` is walked",
                axis.name,
                self.table.name(base)
            );
            let mut diagnostic =
                Diagnostic::at(Code::NC084, node.span_of(axis.part), message).about(self.table.name(base));
            if let Some(place) = self.names_axis(base, &first) {
                diagnostic = diagnostic.also(place, format!("axis `{first}` is declared here"));
            }
            self.report(diagnostic.help(format!("write `{{{first}}}`, or declare the axis on the base")));
        }
        first
    }

    /// The annotation of a concept that names an axis.
    fn names_axis(&self, concept: ConceptId, axis: &str) -> Option<Span> {
        let lines = &self.table.concept(concept)?.lines;
        let annotations =
            lines.iter().filter_map(|line| self.tree.node(line.node)).flat_map(|n| &n.annotations);
        let label = format!("%({axis})");
        let mut named = annotations.filter(|annotation| match annotation.base_key() {
            "ref_axes" => annotation.text().contains(axis),
            _ => annotation.text().contains(&label),
        });
        named.next().map(|annotation| annotation.value_span)
    }

    /// The concept of an occurrence when the plan has it; nothing is taken in.
    pub(super) fn lookup(&self, value: &Value, current: Option<u32>) -> Option<ConceptId> {
        self.table.get(&Indices::name(&self.key(value, current)))
    }

    fn written_line(&self, value: &Value, current: Option<u32>) -> bool {
        self.lookup(value, current).and_then(|id| self.table.concept(id)).is_some_and(|c| !c.lines.is_empty())
    }

    /// Legacy: `base*N`. Current: the `<*` line marked as element of the base, else `base*N`.
    fn element(
        &mut self,
        line: NodeId,
        base: &Value,
        number: u32,
        outer: Option<u32>,
        children: &Children,
    ) -> ConceptId {
        let marked = children.contexts.iter().find(|(node, _)| {
            self.tree.node(*node).and_then(|n| n.concept.value()).is_some_and(|v| {
                v.carried().is_none() && v.element_of().is_some_and(|of| of.name() == &*base.name)
            })
        });
        if let Some((_, concept)) = marked {
            return *concept;
        }
        let key = self.key(base, outer).in_loop(number);
        let id = self.table.value(&key, base);
        self.mention_at(id, line, base.part);
        id
    }

    fn carries(&mut self, line: NodeId, looping: &Looping, number: u32, children: &Children) -> Vec<Carry> {
        let mut carries: Vec<Carry> = Vec::new();
        for carry in &looping.carries {
            let key = self.key(&carry.value, Some(number));
            let names_version = !key.versions.is_empty() || carry.value.carried().is_some();
            // Legacy `{c}` carried in loop N is `{c}*N`; current plans keep the plain name.
            let key = match looping.spelling {
                Spelling::Current => key,
                _ if names_version => key,
                _ => key.in_loop(number),
            };
            let concept = self.table.value(&key, &carry.value);
            self.mention_at(concept, line, carry.value.part);
            self.carry(&mut carries, concept, carry.lag, line, carry.value.part);
        }
        for (node, concept) in &children.contexts {
            let Some(value) = self.tree.node(*node).and_then(|n| n.concept.value()) else { continue };
            if let Some(lag) = value.carried() {
                self.carry(&mut carries, *concept, lag, *node, value.part);
            }
        }
        carries
    }

    fn carry(&self, carries: &mut Vec<Carry>, concept: ConceptId, lag: u32, node: NodeId, part: Part) {
        if carries.iter().any(|c| c.concept == concept) {
            return;
        }
        if let Some(line) = self.tree.node(node) {
            carries.push(Carry { concept, lag, span: line.span_of(part) });
        }
    }
}

/// The names of axes as written in `%:`.
pub(super) fn axis_names(axes: &[crate::syntax::Axis]) -> Vec<Arc<str>> {
    axes.iter().map(|a| a.name.clone()).collect()
}
