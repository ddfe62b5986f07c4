//! The values written inside operators, each with its role. Knows nothing of what they resolve to.

use crate::syntax::{AssignOp, Concept, Expr, ModifierKind, Operand, Value};

/// The values an operator names as concepts: bases, sources, items, conditions. Axis names and what stands in the
/// body of an imperative are not among them (language spec, sections 5.1 to 5.4).
pub(super) fn operands(concept: &Concept) -> Vec<&Value> {
    match &concept.expr {
        Expr::Looping(l) => {
            l.bases.iter().chain(&l.results).chain(l.carries.iter().map(|c| &c.value)).collect()
        }
        Expr::Assigning(a) if a.op == AssignOp::Abstraction => Vec::new(),
        Expr::Assigning(a) => {
            let modifiers =
                a.modifiers.iter().filter(|m| is_concept_modifier(m.kind)).flat_map(|m| &m.operands);
            a.args.iter().chain(&a.after_colon).chain(modifiers).filter_map(Operand::value).collect()
        }
        Expr::Grouping(g) => {
            let modifiers =
                g.modifiers.iter().filter(|m| is_concept_modifier(m.kind)).flat_map(|m| &m.operands);
            g.args.iter().chain(&g.after_colon).chain(modifiers).filter_map(Operand::value).collect()
        }
        Expr::Timing(t) => t.condition.iter().collect(),
        _ => Vec::new(),
    }
}

fn is_concept_modifier(kind: ModifierKind) -> bool {
    matches!(kind, ModifierKind::Source | ModifierKind::Result)
}
