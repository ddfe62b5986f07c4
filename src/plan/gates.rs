//! Timings: gates over operations and over gates (language spec, section 5.4).

use crate::base::FlowIndex;
use crate::diag::{Code, Diagnostic, Severity};
use crate::syntax::{Expr, Node, NodeId};

use super::model::{ConceptId, ConceptKind, FunctionKind, Work};
use super::resolver::{Parts, Resolver, Role, is_timing, shown};

/// A gate that does not have the index of the line it gates. Gates over it must follow it.
#[derive(Debug, Clone)]
pub(super) enum Moved {
    /// It has the index of its own line, because the operation it gates is not written (`NC051`).
    Own,
    /// It has this index, because an earlier gate of the same line has that of the line.
    Below(FlowIndex),
}

impl Resolver<'_> {
    /// The gates below a function line. The first has the index of that line, as every inference has the index of
    /// the line it computes; further ones take the free indices after the line's siblings.
    pub(super) fn gates(&mut self, head: NodeId, node: &Node, target: ConceptId) {
        let moved = self.moved.get(&head).cloned();
        let parent = node.parent.and_then(|p| self.tree.node(p));
        let siblings = parent.map_or(0, |p| p.children.len());
        for (i, (line, own)) in self.timings(head).into_iter().enumerate() {
            let place = |ordinal: usize| u32::try_from(ordinal).unwrap_or(u32::MAX);
            let flow = match (&moved, parent) {
                (Some(Moved::Own), _) => {
                    self.moved.insert(line, Moved::Own);
                    own
                }
                (Some(Moved::Below(above)), _) => {
                    let flow = above.child(place(i + 1));
                    self.moved.insert(line, Moved::Below(flow.clone()));
                    flow
                }
                (None, Some(parent)) if i > 0 => {
                    let flow = parent.flow_index.child(place(siblings + i));
                    self.moved.insert(line, Moved::Below(flow.clone()));
                    flow
                }
                (None, _) => node.flow_index.clone(),
            };
            self.gate(head, target, line, flow);
        }
    }

    fn timings(&self, head: NodeId) -> Vec<(NodeId, FlowIndex)> {
        let lines = self
            .tree
            .children(head)
            .filter(|(id, n)| is_timing(n.kind) && matches!(self.role(*id), Role::Function(_)));
        lines.map(|(id, n)| (id, n.flow_index.clone())).collect()
    }

    fn gate(&mut self, head: NodeId, target: ConceptId, line: NodeId, flow: FlowIndex) {
        let Role::Function(concept) = self.role(line) else { return };
        let Some(ConceptKind::Function(kind)) = self.table.kind(concept) else { return };
        let Some(condition) = self.condition(line, kind) else { return };
        let (values, contexts) = match kind {
            FunctionKind::After => (vec![condition], Vec::new()),
            _ => (Vec::new(), vec![condition]),
        };
        let work = Work::Gate { kind, condition };
        self.push(Parts { head, flow, target, function: line, concept, work, values, contexts });
    }

    /// A timing that is the only function of a value: read as `$.` of the values beside it, gated.
    pub(super) fn gate_alone(&mut self, head: NodeId, node: &Node, target: ConceptId, line: NodeId) {
        let Some(timing) = self.tree.node(line) else { return };
        let children = self.children(head);
        if children.values.is_empty() {
            let nested = self.scopes.function(line).is_some();
            let diagnostic = Diagnostic::at(
                Code::NC061,
                timing.span,
                format!("`{}` has no operation to gate", shown(&timing.text)),
            );
            self.report(diagnostic.help(if nested {
                "write the operation on this line and the timing below it"
            } else {
                "write the operation above it: `<= $.({x})`, with the timing one level deeper"
            }));
            return;
        }
        let Some(sources) = self.candidates(head, target, line, &[], false, &children) else { return };
        let names: Vec<&str> = sources.iter().map(|s| self.table.name(*s)).collect();
        let text = format!("$.({})", names.join("; "));
        self.report(
            Diagnostic::at(
                Code::NC051,
                timing.span,
                format!("the timing is the only function; read as `{text}` behind it"),
            )
            .help(format!("write `<= {text}`, and the timing below that line")),
        );
        let function = self.table.function(&text, FunctionKind::Specification);
        self.table.mention(function, &node.flow_index, timing.span);
        let values = children.values.iter().map(|(_, c)| *c).collect();
        let contexts = children.contexts.iter().map(|(_, c)| *c).collect();
        let work = Work::Specification { sources, in_loop: false };
        let flow = node.flow_index.clone();
        self.push(Parts { head, flow, target, function: line, concept: function, work, values, contexts });
        for (timing, flow) in self.timings(head) {
            self.moved.insert(timing, Moved::Own);
            self.gate(head, function, timing, flow);
        }
    }

    /// What a timing asks: written in it, or as its child.
    fn condition(&mut self, line: NodeId, kind: FunctionKind) -> Option<ConceptId> {
        let node = self.tree.node(line)?;
        let Expr::Timing(timing) = &node.concept.expr else { return None };
        let condition = match &timing.condition {
            Some(value) => self.mention(line, value, self.current(line)),
            None => {
                let children = self.children(line);
                let child = children.values.first().or(children.contexts.first());
                let Some((_, concept)) = child else {
                    let (what, help) = match kind {
                        FunctionKind::After => {
                            ("waits for nothing", "write what it waits for: `@after({x})`")
                        }
                        _ => ("asks nothing", "write what it asks: `@if(<c>)`"),
                    };
                    if !super::resolver::has_error(node) {
                        let message = format!("`{}` {what}", node.text);
                        self.report(
                            Diagnostic::at(Code::NC052, node.span, message)
                                .severity(Severity::Error)
                                .help(help),
                        );
                    }
                    return None;
                };
                *concept
            }
        };
        if kind != FunctionKind::After && self.table.kind(condition) != Some(ConceptKind::Proposition) {
            let name = self.table.name(condition).to_owned();
            let span = timing.condition.as_ref().map_or(node.span, |v| node.span_of(v.part));
            self.report(
                Diagnostic::at(
                    Code::NC052,
                    span,
                    format!("`{name}` holds data, a gate asks for a truth value"),
                )
                .help("judge it first: a line `<- <c>` with a judgement below it, and `@if(<c>)` here"),
            );
        }
        Some(condition)
    }
}
