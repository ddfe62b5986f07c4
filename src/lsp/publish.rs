//! Diagnostics in the shape of the protocol.

use lsp_types::{
    CodeDescription, Diagnostic as Shown, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag,
    Location, NumberOrString, PublishDiagnosticsParams, Range, Uri,
};

use crate::diag::{Code, Diagnostic, Severity};

use super::document::Document;
use super::pages::Pages;

/// More diagnostics than anyone reads are not sent: a text that is no plan has one a line.
const MOST: usize = 1_000;

/// Everything to say of a document; its text has been looked at.
pub(super) fn diagnostics(uri: &Uri, document: &Document, pages: &mut Pages) -> PublishDiagnosticsParams {
    let found = document.analysis().map_or(&[][..], |a| a.diagnostics());
    let diagnostics = found.iter().take(MOST).map(|d| shown(uri, document, d, pages)).collect();
    PublishDiagnosticsParams { uri: uri.clone(), diagnostics, version: Some(document.version()) }
}

/// One diagnostic: headline and help are its message, further labels its related places.
pub(super) fn shown(uri: &Uri, document: &Document, diagnostic: &Diagnostic, pages: &mut Pages) -> Shown {
    let range = diagnostic.primary.as_ref().map_or(Range::default(), |label| document.range(label.span));
    let mut message = diagnostic.message.clone();
    let label = diagnostic.primary.as_ref().map_or("", |label| &label.text);
    for more in [label, diagnostic.help.as_deref().unwrap_or_default()] {
        if !more.is_empty() {
            message.push('\n');
            message.push_str(more);
        }
    }
    let related: Vec<DiagnosticRelatedInformation> = diagnostic
        .secondary
        .iter()
        .map(|label| DiagnosticRelatedInformation {
            location: Location { uri: uri.clone(), range: document.range(label.span) },
            message: if label.text.is_empty() { "here".to_owned() } else { label.text.clone() },
        })
        .collect();
    Shown {
        range,
        severity: Some(match diagnostic.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
            Severity::Info => DiagnosticSeverity::INFORMATION,
        }),
        code: Some(NumberOrString::String(diagnostic.code.to_string())),
        code_description: pages.of(diagnostic.code).map(|href| CodeDescription { href }),
        source: Some("normc".to_owned()),
        message,
        related_information: (!related.is_empty()).then_some(related),
        // A step whose result nobody uses is shown faded.
        tags: (diagnostic.code == Code::NC082).then(|| vec![DiagnosticTag::UNNECESSARY]),
        data: None,
    }
}
