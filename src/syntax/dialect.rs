//! Which dialect a plan is written in (language spec, section 1).

use crate::diag::{Code, Diagnostic};

use super::ast::{AnnotationKind, Node, Tree};
use super::expr::Expr;
use super::kind::{Dialect, Kind};
use super::operation::{AssignOp, Spelling};

/// Detects the dialect. The extensions of drafts and reader texts settle it beforehand.
pub(super) fn detect(tree: &Tree) -> Dialect {
    let mut features = Features::default();
    for node in &tree.nodes {
        features.take(node);
    }
    if features.flat {
        return Dialect::Flat;
    }
    if features.paired * 2 > tree.nodes.len() && !tree.nodes.is_empty() {
        return Dialect::Paired;
    }
    match (features.current, features.legacy, features.annotated) {
        (true, _, _) => Dialect::Current,
        // Legacy plans carry `%{prompt_location}` and the like; annotations alone do not make a plan current.
        (false, true, _) => Dialect::Legacy,
        (false, false, true) => Dialect::Current,
        // Nothing tells the two formal spellings apart, but these are no sentences.
        (false, false, false) if features.formal > features.sentences => Dialect::Legacy,
        (false, false, false) => Dialect::Draft,
    }
}

#[derive(Debug, Default)]
struct Features {
    flat: bool,
    current: bool,
    legacy: bool,
    annotated: bool,
    formal: usize,
    sentences: usize,
    paired: usize,
}

impl Features {
    fn take(&mut self, node: &Node) {
        match spelling(node) {
            Spelling::Current => self.current = true,
            Spelling::Legacy => self.legacy = true,
            Spelling::Either => {}
        }
        self.flat |= node.flat;
        match node.kind {
            Kind::Informal => self.sentences += 1,
            Kind::Empty => {}
            _ => self.formal += 1,
        }
        let mut sentence = false;
        for annotation in &node.annotations {
            match annotation.kind {
                AnnotationKind::Syntactic => {
                    self.annotated = true;
                    sentence |= matches!(annotation.base_key(), "natural language" | "natural_language");
                }
                AnnotationKind::Referential => self.annotated = true,
                AnnotationKind::LegacyIndex => self.legacy = true,
                _ => {}
            }
        }
        self.paired += usize::from(sentence);
    }
}

/// In which spelling the operation of a line is written.
fn spelling(node: &Node) -> Spelling {
    match &node.concept.expr {
        Expr::Looping(looping) => looping.spelling,
        Expr::Assigning(a) if a.op == AssignOp::Nominalization => Spelling::Either,
        Expr::Assigning(assigning) => assigning.spelling,
        Expr::Grouping(grouping) => grouping.spelling,
        Expr::Timing(timing) => timing.spelling,
        _ => Spelling::Either,
    }
}

/// Notes once that a file mixes both spellings (NC040).
pub(super) fn check(tree: &Tree, diagnostics: &mut Vec<Diagnostic>) {
    let mut spelled = tree.nodes.iter().map(|n| (n, spelling(n))).filter(|(_, s)| *s != Spelling::Either);
    let Some((first, spelling)) = spelled.next() else { return };
    let Some((other, _)) = spelled.find(|(_, s)| *s != spelling) else { return };
    let (now, before) = match spelling {
        Spelling::Legacy => ("current", "legacy"),
        _ => ("legacy", "current"),
    };
    let message = format!("{now} operator in a plan that begins with {before} ones");
    diagnostics.push(
        Diagnostic::at(Code::NC040, other.span, message)
            .also(first.span, format!("{before} spelling here"))
            .help("write all operators in one spelling"),
    );
}
