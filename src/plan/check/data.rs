//! Start data: NC107 axes that do not fit the data they go with (tensor spec, section 3).

use crate::diag::{Code, Diagnostic};
use crate::tensor::Tensor;

use super::Facts;

pub(super) fn check(facts: &Facts<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for (_, concept) in facts.values() {
        let (Some(json), Some(names)) = (&concept.data, &concept.axes) else { continue };
        if let Err(error) = Tensor::from_start_data(json, Some(names)) {
            let message = format!("the data of `{}` do not fit its axes: {error}", concept.name);
            let diagnostic = match concept.first_span() {
                Some(span) => Diagnostic::at(Code::NC107, span, message),
                None => Diagnostic::new(Code::NC107, message),
            };
            diagnostics.push(diagnostic.help("give one axis name a level of lists, outermost first"));
        }
    }
}
