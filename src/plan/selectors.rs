//! `%{value_selectors}` on a functional line: which part of a value a step is given, and in what form (repositories
//! spec, section 3.1.1).

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::base::nearest;
use crate::diag::{Code, Diagnostic};
use crate::syntax::{Expr, Marker, Node, NodeId, read_concept};

use super::model::{ConceptId, Selector};
use super::order::Order;
use super::resolver::{Resolver, shown};

impl Resolver<'_> {
    /// Takes the selectors of a functional line in. A key that is no value is a part of the one it names, and takes the
    /// next number; the value itself is then not passed, unless it has a selector of its own.
    pub(super) fn written_selectors(
        &mut self,
        node: &Node,
        values: &[(NodeId, ConceptId)],
        order: &mut Order,
    ) {
        let Some(annotation) = node.referential("value_selectors") else { return };
        let span = if annotation.text().trim().is_empty() { annotation.span } else { annotation.value_span };
        let Ok(Json::Object(written)) = serde_json::from_str::<Json>(annotation.text()) else {
            self.report(
                Diagnostic::at(Code::NC019, span, "the selectors of the step are not understood")
                    .help("write a JSON object: `%{value_selectors}: {\"{x}\": {\"packed\": true}}`"),
            );
            return;
        };
        let mut parts: Vec<(Arc<str>, ConceptId, Map<String, Json>)> = Vec::new();
        for (key, fields) in written {
            let Json::Object(mut fields) = fields else {
                self.selector(span, format!("the selector `{}` is no object", shown(&key)), None);
                continue;
            };
            let named = fields.get("source_concept").and_then(Json::as_str).map(str::to_owned);
            let wanted = named.as_deref().unwrap_or(&key);
            let Some(source) = self.value_named(wanted, values) else {
                let near = nearest(wanted, values.iter().map(|(_, c)| self.table.name(*c)));
                let near = near.map(|n| format!("did you mean `{n}`?"));
                self.selector(span, format!("`{}` is no value of this step", shown(wanted)), near);
                continue;
            };
            fields.shift_remove("source_concept");
            let own = self.value_named(&key, values) == Some(source);
            if own {
                let key = Arc::from(self.table.name(source));
                order.selectors.retain(|s| s.number.is_some() || s.source != source);
                order.selectors.push(Selector { key, source, number: None, fields });
            } else {
                parts.push((Arc::from(key), source, fields));
            }
        }
        let own: Vec<ConceptId> =
            order.selectors.iter().filter(|s| s.number.is_none()).map(|s| s.source).collect();
        order.values.retain(|(c, _)| own.contains(c) || !parts.iter().any(|(_, source, _)| source == c));
        let numbers =
            order.values.iter().map(|(_, n)| *n).chain(order.selectors.iter().filter_map(|s| s.number));
        let last = numbers.max().unwrap_or(0);
        for ((key, source, fields), number) in parts.into_iter().zip(last.saturating_add(1)..) {
            order.selectors.push(Selector { key, source, number: Some(number), fields });
        }
    }

    fn selector(&mut self, span: crate::base::Span, message: String, help: Option<String>) {
        let help = help.unwrap_or_else(|| {
            "name a value of the step, or a part with its `source_concept` as the format has it".to_owned()
        });
        self.report(Diagnostic::at(Code::NC019, span, message).help(help));
    }

    /// The value beside a function line that a text names, in any of its spellings.
    fn value_named(&self, text: &str, values: &[(NodeId, ConceptId)]) -> Option<ConceptId> {
        let concept = read_concept(text.trim(), Marker::Value);
        let Expr::Value(value) = &concept.expr else { return None };
        self.lookup(value, None).filter(|id| values.iter().any(|(_, c)| c == id))
    }
}
