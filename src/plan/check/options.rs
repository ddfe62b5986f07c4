//! Options of a step that stand where no step is: NC019 (language spec, section 2.5).

use crate::diag::{Code, Diagnostic};
use crate::plan::options::is_option;
use crate::syntax::{AnnotationKind, Expr};

use super::Facts;

pub(super) fn check(facts: &Facts<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for (_, node) in facts.tree.iter() {
        // A gate speaks of the operation above it; what is no concept at all has been reported.
        let what = match &node.concept.expr {
            Expr::Value(_) => "a line that names a value",
            Expr::Looping(_) | Expr::Assigning(_) | Expr::Grouping(_) => {
                "an operation that only moves values"
            }
            _ => continue,
        };
        let mine = node.annotations.iter().filter(|a| a.kind == AnnotationKind::Referential);
        for annotation in mine.filter(|a| is_option(a.base_key())) {
            let key = annotation.base_key();
            let message = format!("`%{{{key}}}` has no meaning on {what}");
            diagnostics.push(
                Diagnostic::at(Code::NC019, annotation.span, message)
                    .help("write it below the functional line of the step, `<= ::(..)`"),
            );
        }
    }
}
