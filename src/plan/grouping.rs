//! `&in` and `&across` (language spec, section 5.3; repositories spec, section 7.2).

use std::sync::Arc;

use crate::diag::{Code, Diagnostic};
use crate::syntax::{Axis, GroupOp, Grouping as Written, NodeId, Operand, Spelling, SuffixKind, Value};

use super::loops::Made;
use super::model::{ConceptId, Grouping, Work};
use super::resolver::Resolver;

impl Resolver<'_> {
    pub(super) fn grouping(
        &mut self,
        head: NodeId,
        target: ConceptId,
        line: NodeId,
        written: &Written,
    ) -> Made {
        let tree = self.tree;
        let current = self.current(line);
        let children = self.children(head);
        let values: Vec<ConceptId> = children.values.iter().map(|(_, c)| *c).collect();
        let contexts: Vec<ConceptId> = children.contexts.iter().map(|(_, c)| *c).collect();
        let named: Vec<ConceptId> =
            written.sources().into_iter().filter_map(|v| self.source(line, v, written.spelling)).collect();
        let sources = match written.spelling {
            Spelling::Current if !named.is_empty() => named.clone(),
            // Legacy names what is collected loosely; what stands beside it is what is grouped.
            _ if !values.is_empty() => values.clone(),
            _ => named.iter().copied().filter(|n| *n != target).collect(),
        };
        let mut grouping = Grouping {
            records: written.op == GroupOp::In,
            sources: sources.clone(),
            by_concepts: Vec::new(),
            by_axes: Vec::new(),
            per_source: written.axes_per_source(),
            protect: written.protected(),
            create_axis: written.create_axis().map(|a| a.name),
            current: written.spelling == Spelling::Current,
        };
        let (mut ordered, mut all_contexts) = (sources, contexts);
        if let Some(by) = derived_from(written) {
            // Everything `by` was computed from, except `by` itself.
            let by_id = self.mention(line, by, current);
            let Some(origin) = self.origin(head, by_id) else {
                let node = tree.node(line)?;
                let message = format!("`{}` is not computed beside the grouping", node.text_of(by.head));
                self.report(
                    Diagnostic::at(Code::NC092, node.span_of(by.part), message)
                        .about(node.text_of(by.head))
                        .help(
                            "`<--<!_>>` means what the value beside it was computed from; add its operation",
                        ),
                );
                return Some((Work::Grouping(grouping), ordered, all_contexts));
            };
            if let Some(first) = named.first() {
                ordered = vec![*first];
                grouping.sources.clone_from(&ordered);
            }
            grouping.protect = vec![self.protected_axis(by_id)];
            grouping.by_concepts.clone_from(&origin);
            all_contexts = origin.into_iter().chain(all_contexts).collect();
        } else {
            // `{#}` stands for a slot, not for a concept.
            for value in written.by().into_iter().filter(|v| &*v.name != "#") {
                let id = self.mention(line, value, current);
                grouping.by_concepts.push(id);
            }
            let by_context = grouping.by_concepts.iter().copied();
            all_contexts = by_context.chain(all_contexts).collect();
            self.collapsed(line, written, &mut grouping, current);
        }
        if ordered.is_empty() {
            let node = tree.node(line)?;
            self.report(
                Diagnostic::at(Code::NC061, node.span, "the grouping has nothing to group")
                    .help("add `<-` lines beside it"),
            );
            return None;
        }
        Some((Work::Grouping(grouping), ordered, all_contexts))
    }

    /// A source as written; what legacy plans name loosely is no concept unless a line is it.
    fn source(&mut self, line: NodeId, value: &Value, spelling: Spelling) -> Option<ConceptId> {
        let current = self.current(line);
        if spelling == Spelling::Current {
            return Some(self.mention(line, value, current));
        }
        let id = self.lookup(value, current)?;
        self.mention_at(id, line, value.part);
        Some(id)
    }

    /// `%:`: in legacy plans the axes of a concept of that name, or an axis.
    fn collapsed(&mut self, line: NodeId, written: &Written, grouping: &mut Grouping, current: Option<u32>) {
        for axis in written.axes() {
            let concept = match (&axis, written.spelling) {
                (Axis { value: Some(value), .. }, Spelling::Legacy) => self.lookup(value, current),
                _ => None,
            };
            match concept.filter(|c| self.table.concept(*c).is_some_and(|c| !c.lines.is_empty())) {
                Some(id) => {
                    self.mention_at(id, line, axis.part);
                    grouping.by_concepts.push(id);
                }
                None => grouping.by_axes.push(axis.name),
            }
        }
    }

    /// Function and values of the inference below a line that computes a concept, in slot order.
    fn origin(&self, head: NodeId, by: ConceptId) -> Option<Vec<ConceptId>> {
        let (child, _) = self
            .children(head)
            .values
            .into_iter()
            .find(|(node, c)| *c == by && self.scopes.function(*node).is_some())?;
        let function = match self.role(self.scopes.function(child)?) {
            super::resolver::Role::Function(f) => f,
            _ => return None,
        };
        let values = self.children(child).values;
        let slots = super::order::slots(self, child, &values);
        Some(std::iter::once(function).chain(slots).collect())
    }

    /// The declared axis of a concept, else its bare name.
    fn protected_axis(&self, id: ConceptId) -> Arc<str> {
        let Some(concept) = self.table.concept(id) else { return Arc::from("") };
        let declared = concept.axes.as_ref().filter(|_| concept.axes_declared);
        declared.and_then(|a| a.first()).cloned().unwrap_or_else(|| concept.bare.clone())
    }
}

/// The value after the colon when `<--<!_>>` follows it.
fn derived_from(written: &Written) -> Option<&Value> {
    let values = written.after_colon.iter().filter_map(Operand::value);
    values.into_iter().find(|v| v.suffixes.iter().any(|s| s.kind == SuffixKind::DerivedFrom))
}
