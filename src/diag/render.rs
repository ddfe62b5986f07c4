//! The renderers of diagnostics.

use crate::base::SourceMap;

use super::Diagnostic;

/// For people: source, underline and help, drawn by miette.
pub fn human(_diagnostic: &Diagnostic, _sources: &SourceMap, _color: bool) -> String {
    String::new()
}

/// One line: `file:line:column: severity[CODE]: message`.
pub fn short(_diagnostic: &Diagnostic, _sources: &SourceMap) -> String {
    String::new()
}

/// For machines.
pub fn json(_diagnostic: &Diagnostic, _sources: &SourceMap) -> serde_json::Value {
    serde_json::Value::Null
}
