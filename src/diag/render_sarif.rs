//! Diagnostics as a SARIF 2.1.0 log, the form code scanners exchange.
//!
//! Knows nothing of repositories on disk: file names are taken from the [`SourceMap`] as they are.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::base::{SourceMap, Span};

use super::{Code, Diagnostic, Fix, Severity};

/// One log with one run; the rules are the codes that occur, each with its title and page.
pub fn sarif(diagnostics: &[Diagnostic], sources: &SourceMap) -> Value {
    let codes: BTreeSet<Code> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    let rules: Vec<Value> = codes
        .iter()
        .map(|code| {
            json!({
                "id": code.as_str(),
                "shortDescription": {"text": code.title()},
                "help": {"text": super::page(*code), "markdown": super::page(*code)},
                "defaultConfiguration": {"level": level(code.severity())},
            })
        })
        .collect();
    let results: Vec<Value> = diagnostics
        .iter()
        .map(|diagnostic| {
            let mut result = result(diagnostic, sources);
            let rule = codes.iter().position(|code| *code == diagnostic.code);
            if let (Some(object), Some(rule)) = (result.as_object_mut(), rule) {
                object.insert("ruleIndex".to_owned(), json!(rule));
            }
            result
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "normc", "version": env!("CARGO_PKG_VERSION"), "rules": rules}},
            // Columns of the source map count Unicode scalar values.
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn result(diagnostic: &Diagnostic, sources: &SourceMap) -> Value {
    let mut text = diagnostic.message.clone();
    if let Some(help) = &diagnostic.help {
        text.push_str("\nhelp: ");
        text.push_str(help);
    }
    let locations: Vec<Value> =
        diagnostic.primary.iter().filter_map(|label| location(label.span, &label.text, sources)).collect();
    let related: Vec<Value> =
        diagnostic.secondary.iter().filter_map(|label| location(label.span, &label.text, sources)).collect();
    let mut result = json!({
        "ruleId": diagnostic.code.as_str(),
        "level": level(diagnostic.severity),
        "message": {"text": text},
        "locations": locations,
        "relatedLocations": related,
    });
    let fix = diagnostic.fix.as_ref().and_then(|fix| fix_json(fix, sources));
    if let (Some(fix), Some(object)) = (fix, result.as_object_mut()) {
        object.insert("fixes".to_owned(), json!([fix]));
    }
    result
}

/// One fix: the replacements of each file it edits; none when a place is not in the map.
fn fix_json(fix: &Fix, sources: &SourceMap) -> Option<Value> {
    let mut files: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for edit in &fix.edits {
        let (file, ..) = sources.resolve(edit.span)?;
        let replacement =
            json!({"deletedRegion": region(edit.span, sources)?, "insertedContent": {"text": edit.text}});
        files.entry(file).or_default().push(replacement);
    }
    let changes: Vec<Value> = files
        .into_iter()
        .map(|(file, replacements)| {
            json!({"artifactLocation": {"uri": uri(file)}, "replacements": replacements})
        })
        .collect();
    Some(json!({"description": {"text": fix.title}, "artifactChanges": changes}))
}

fn region(span: Span, sources: &SourceMap) -> Option<Value> {
    let (_, start, end) = sources.resolve(span)?;
    Some(json!({
        "startLine": start.line, "startColumn": start.column + 1,
        "endLine": end.line, "endColumn": end.column + 1,
    }))
}

fn location(span: Span, text: &str, sources: &SourceMap) -> Option<Value> {
    let (file, ..) = sources.resolve(span)?;
    let mut location = json!({
        "physicalLocation": {"artifactLocation": {"uri": uri(file)}, "region": region(span, sources)?},
    });
    if let (false, Some(object)) = (text.is_empty(), location.as_object_mut()) {
        object.insert("message".into(), json!({"text": text}));
    }
    Some(location)
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// A path as a relative URI reference: what a URI may not hold is percent-encoded.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(byte as char)
            }
            b'\\' => uri.push('/'),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SourceFile;

    #[test]
    fn fixes_are_replacements_by_file() {
        let mut sources = SourceMap::default();
        let id = sources.add(SourceFile::new("a.nc", "{数}\n<= across\n"));
        let diagnostic = Diagnostic::at(Code::NC049, Span::new(id, 9, 15), "misspelt")
            .fix("write `&across`", vec![crate::diag::Edit { span: Span::new(id, 9, 9), text: "&".into() }]);
        let log = sarif(&[diagnostic], &sources);
        assert_eq!(
            log["runs"][0]["results"][0]["fixes"],
            json!([{
                "description": {"text": "write `&across`"},
                "artifactChanges": [{
                    "artifactLocation": {"uri": "a.nc"},
                    "replacements": [{
                        "deletedRegion": {"startLine": 2, "startColumn": 4, "endLine": 2, "endColumn": 4},
                        "insertedContent": {"text": "&"},
                    }],
                }],
            }])
        );
        assert_eq!(log["runs"][0]["results"][0]["ruleIndex"], 0);
    }

    #[test]
    fn a_log_has_rules_results_and_regions() {
        let mut sources = SourceMap::default();
        let id = sources.add(SourceFile::new("plans/数 1.nc", "{数}\n<= x\n"));
        let diagnostics = [
            Diagnostic::at(Code::NC061, Span::new(id, 6, 10), "empty operation")
                .also(Span::new(id, 0, 5), "here")
                .help("write one"),
            Diagnostic::new(Code::NC124, "no final concept"),
        ];
        let log = sarif(&diagnostics, &sources);
        let run = &log["runs"][0];
        let ids: Vec<&str> = run["tool"]["driver"]["rules"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r["id"].as_str().unwrap())
            .collect();
        assert_eq!(ids, ["NC061", "NC124"]);
        assert_eq!(
            run["results"][0]["locations"][0]["physicalLocation"],
            json!({
                "artifactLocation": {"uri": "plans/%E6%95%B0%201.nc"},
                "region": {"startLine": 2, "startColumn": 1, "endLine": 2, "endColumn": 5},
            })
        );
        assert_eq!(run["results"][0]["relatedLocations"][0]["message"]["text"], "here");
        assert_eq!(run["results"][0]["message"]["text"], "empty operation\nhelp: write one");
        assert_eq!(run["results"][1]["locations"], json!([]));
        assert_eq!(run["results"][1]["level"], "warning");
    }
}
