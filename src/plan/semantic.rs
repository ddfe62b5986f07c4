//! Imperatives, judgements and inputs (language spec, sections 5.5 and 5.6).

use crate::diag::{Code, Diagnostic, Edit};
use crate::syntax::{Expr, Family, Input, InputForm, Node, NodeId, Reference, Semantic as Written, Variant};

use super::identity::Indices;
use super::loops::Made;
use super::model::{Assertion, ConceptId, ConceptKind, ConceptOrWords, FunctionKind, Semantic, Work};
use super::order::{self, Order};
use super::resolver::{Resolver, shown};

impl Resolver<'_> {
    pub(super) fn semantic(
        &mut self,
        head: NodeId,
        target: ConceptId,
        line: NodeId,
        function: ConceptId,
    ) -> Made {
        let tree = self.tree;
        let (above, node) = (tree.node(head)?, tree.node(line)?);
        let body = order::body(&node.concept.expr)?;
        let children = self.children(head);
        let mut order = self.value_order(line, &children.values, body);
        self.written_selectors(node, &children.values, &mut order);
        let mut resources = self.resources(line, node);
        let declared = above.sequence.as_ref();
        let (kind, variant, assertion, relation) = match &node.concept.expr {
            Expr::Semantic(written) => {
                let kind = self.kind(above, node, target, written);
                let variant = written.variant().or_else(|| own_word(above, node));
                let assertion = self.assertion(node, kind, written, line);
                (kind, variant, assertion, written.gives_relation())
            }
            Expr::Input(input) => (FunctionKind::Input, input_variant(input), met(), false),
            _ => return None,
        };
        let variant = variant.or_else(|| declared.and_then(|s| s.variant));
        self.settle_doers(kind, &mut resources);
        if self.settled.insert(function) {
            self.table.change(function, |c| c.kind = ConceptKind::Function(kind));
        }
        let Order { values: order, selectors } = order;
        let semantic = Semantic {
            kind,
            variant,
            order,
            selectors,
            body: body.text.clone(),
            assertion,
            relation,
            resources,
        };
        let values = children.values.iter().map(|(_, c)| *c).collect();
        let contexts = children.contexts.iter().map(|(_, c)| *c).collect();
        Some((Work::Semantic(Box::new(semantic)), values, contexts))
    }

    /// Judgement or imperative: the declared word, else an assertion, else angle brackets over a proposition.
    fn kind(&mut self, above: &Node, node: &Node, target: ConceptId, written: &Written) -> FunctionKind {
        let proposition = self.table.kind(target) == Some(ConceptKind::Proposition);
        match above.sequence.as_ref().and_then(|s| s.family) {
            Some(Family::Judgement) => return FunctionKind::Judgement,
            Some(Family::Imperative) => return FunctionKind::Imperative,
            _ => {}
        }
        if written.assertion.is_some() {
            return FunctionKind::Judgement;
        }
        if written.body.angle {
            if proposition {
                return FunctionKind::Judgement;
            }
            let name = self.table.name(target).to_owned();
            self.report(
                Diagnostic::at(
                    Code::NC053,
                    node.span,
                    format!("a judgement for `{name}`, which is no truth value; read as an imperative"),
                )
                .help("write the text in `( )`, or judge a `<proposition>`"),
            );
        } else if proposition {
            let name = self.table.name(target).to_owned();
            self.report(
                Diagnostic::at(
                    Code::NC054,
                    node.span,
                    format!("an imperative gives data, `{name}` holds a truth value"),
                )
                .help(format!("write a judgement: `::({})<ALL True>`", shown(&written.body.text))),
            );
        }
        FunctionKind::Imperative
    }

    fn assertion(&mut self, node: &Node, kind: FunctionKind, written: &Written, line: NodeId) -> Assertion {
        if kind != FunctionKind::Judgement {
            return met();
        }
        let Some(assertion) = &written.assertion else {
            let mut diagnostic = Diagnostic::at(
                Code::NC056,
                node.span,
                "the judgement does not say what must be true; taken as all of it",
            )
            .help("write `<ALL True>` after it");
            if node.concept.tail.is_none() && node.concept.suffixes.is_empty() {
                let span = crate::base::Span { start: node.span.end, ..node.span };
                diagnostic =
                    diagnostic.fix("write `<ALL True>`", vec![Edit { span, text: "<ALL True>".to_owned() }]);
            }
            self.report(diagnostic);
            return met();
        };
        if !assertion.understood && !node.concept.problems.iter().any(|p| p.code == Code::NC055) {
            let text = assertion.text.as_deref().unwrap_or_default();
            self.report(
                Diagnostic::at(
                    Code::NC055,
                    node.span_of(assertion.part),
                    format!("`<{}>` is not understood as an assertion", shown(text)),
                )
                .help("write `<ALL True>`, or `<For Each {x} True>`"),
            );
        }
        let current = self.current(line);
        let over = |reference: &Reference| match reference {
            Reference::Value(value) => ConceptOrWords {
                concept: self.table.get(&Indices::name(&self.key(value, current))),
                name: value.name.clone(),
            },
            Reference::Words(words) => ConceptOrWords { concept: None, name: words.clone() },
        };
        let quantifiers =
            assertion.quantifiers.iter().map(|q| (q.over.as_ref().map(over), q.word.as_str())).collect();
        Assertion { quantifiers, truth: assertion.truth }
    }
}

fn met() -> Assertion {
    Assertion { quantifiers: vec![(None, "all")], truth: true }
}

/// The working form a function line declares for its own operation, as current plans do; in legacy plans the word
/// there speaks of the gate that computes the line.
fn own_word(above: &Node, node: &Node) -> Option<Variant> {
    let word = node
        .sequence
        .as_ref()
        .filter(|s| matches!(s.family, Some(Family::Imperative | Family::Judgement)))?;
    above.sequence.is_none().then_some(word.variant).flatten()
}

fn input_variant(input: &Input) -> Option<Variant> {
    match &input.form {
        InputForm::Mode(_) => Some(Variant::Composition),
        _ => input.norm.as_deref().filter(|n| !n.starts_with("%(")).map(|_| Variant::Composition),
    }
}
