//! Start data: NC107 axes that do not fit the data they go with (tensor spec, section 3).

use crate::base::Value;
use crate::diag::{Code, Diagnostic};
use crate::tensor::{Axis, Tensor};

use super::Facts;

pub(super) fn check(facts: &Facts<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for (_, concept) in facts.values() {
        let (Some(json), Some(names)) = (&concept.data, &concept.axes) else { continue };
        let data = match Value::from_plan_json(json) {
            list @ Value::List(_) => list,
            single => Value::list([single]),
        };
        let axes: Vec<Axis> = names.iter().map(|n| Axis::from(&**n)).collect();
        if let Err(error) = Tensor::from_data(&data, Some(&axes)) {
            let message = format!("the data of `{}` do not fit its axes: {error}", concept.name);
            let diagnostic = match concept.first_span() {
                Some(span) => Diagnostic::at(Code::NC107, span, message),
                None => Diagnostic::new(Code::NC107, message),
            };
            diagnostics.push(diagnostic.help("give one axis name a level of lists, outermost first"));
        }
    }
}
