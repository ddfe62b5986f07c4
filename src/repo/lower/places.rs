//! Spans of a plan as places of the bundle (repositories spec, section 9).

use crate::base::{SourceMap, Span};
use crate::diag::Diagnostic;
use crate::plan::Plan;
use crate::repo::header::{InferenceSpans, Place, Remark, Spans, Unknown};

/// A span as a place; none when it does not fit the map.
pub(super) fn place(span: Span, sources: &SourceMap) -> Option<Place> {
    let (_, start, end) = sources.resolve(span)?;
    // A bundle numbers its own files; a plan has one.
    Some(Place([0, start.line, start.column, end.line, end.column]))
}

/// Where concepts and inferences stand.
pub(super) fn spans(plan: &Plan, sources: &SourceMap) -> Spans {
    let mut spans = Spans::default();
    for concept in &plan.concepts {
        let lines = concept.lines.iter().map(|l| l.span);
        let mentions = concept.mentions.iter().take(usize::from(concept.lines.is_empty())).map(|m| m.1);
        let places: Vec<Place> = lines.chain(mentions).filter_map(|s| place(s, sources)).collect();
        spans.concepts.insert(concept.name.as_ref().to_owned(), places);
    }
    for inference in &plan.inferences {
        let mut parts = InferenceSpans {
            target: place(inference.target_span, sources),
            function: place(inference.function_span, sources),
            declared_index: inference.declared.as_ref().map(ToString::to_string),
            ..InferenceSpans::default()
        };
        for (concept, span) in &inference.places {
            if let Some(place) = place(*span, sources) {
                parts.values.entry(plan.name(*concept).to_owned()).or_insert(place);
            }
        }
        spans.inferences.insert(inference.flow.to_string(), parts);
    }
    spans
}

/// A diagnostic as the bundle keeps it.
pub(super) fn remark(diagnostic: &Diagnostic, sources: &SourceMap) -> Remark {
    Remark {
        code: diagnostic.code.to_string(),
        level: diagnostic.severity.word().to_owned(),
        span: diagnostic.primary.as_ref().and_then(|l| place(l.span, sources)),
        message: diagnostic.message.clone(),
        unknown: Unknown::new(),
    }
}
