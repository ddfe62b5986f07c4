//! What stands at a place, explained: a concept with its axes, where it comes from and who reads it; an operator; an
//! annotation.

use std::fmt::Write;

use crate::base::Span;
use crate::plan::{Concept, ConceptId, ConceptKind, Inference, Work};
use crate::syntax::{AnnotationKind, Node};

use super::analysis::{Analysis, Occurrence, Role};
use super::words;

/// Readers that are named.
const MOST_READERS: usize = 8;

/// An explanation of what stands at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hover {
    /// What it is about.
    pub span: Span,
    /// The explanation, as Markdown.
    pub text: String,
}

impl Analysis {
    /// Explains what stands at a place; none where nothing does.
    pub fn hover(&self, offset: u32) -> Option<Hover> {
        if let Some(hover) = self.annotation_hover(offset) {
            return Some(hover);
        }
        let occurrence = self.concept_at(offset)?;
        let concept = self.concept(occurrence.concept)?;
        let text = match concept.kind {
            ConceptKind::Function(_) => self.function_text(occurrence, concept)?,
            _ => self.value_text(occurrence.concept, concept, self.node_of(occurrence)),
        };
        Some(Hover { span: occurrence.span, text })
    }

    fn node_of(&self, occurrence: &Occurrence) -> Option<&Node> {
        match occurrence.role {
            Role::Line(node) => self.tree().node(node),
            Role::Mention => None,
        }
    }

    fn annotation_hover(&self, offset: u32) -> Option<Hover> {
        let (_, node) = self.node_at(offset)?;
        let within = |span: Span| span.start <= offset && offset <= span.end;
        let annotation = node.annotations.iter().find(|a| within(a.span))?;
        let text = match annotation.kind {
            AnnotationKind::Referential => {
                let key = annotation.base_key();
                let meaning =
                    words::annotation(key).unwrap_or("A key of the writer's own; it has no effect.");
                format!("`%{{{key}}}`: {meaning}")
            }
            AnnotationKind::LegacyIndex => {
                format!(
                    "Flow index {} and sequence, as declared; the index counted here is {}.",
                    annotation.key.as_deref().unwrap_or_default(),
                    node.flow_index
                )
            }
            AnnotationKind::Hint => "Start data of the concept, or a note on what it means.".to_owned(),
            _ => return None,
        };
        Some(Hover { span: annotation.span, text })
    }

    fn function_text(&self, occurrence: &Occurrence, concept: &Concept) -> Option<String> {
        let node = self.node_of(occurrence)?;
        let mut text = format!("**{}** `{}`", words::kind(concept.kind, false), node.flow_index);
        if let Some(meaning) = words::operation(node.kind) {
            let _ = write!(text, "\n\n{meaning}");
        }
        let inference = self.inference_of(node)?;
        let names = |list: &[ConceptId]| {
            list.iter().map(|id| code(self.plan().name(*id))).collect::<Vec<_>>().join(", ")
        };
        let _ = write!(text, "\n\ngives {}", code(self.plan().name(inference.target)));
        if let Work::Semantic(semantic) = &inference.work {
            for (concept, slot) in &semantic.order {
                let _ = write!(text, "\n- slot {slot}: {}", code(self.plan().name(*concept)));
            }
        } else if !inference.values.is_empty() {
            let _ = write!(text, " from {}", names(&inference.values));
        }
        if let Work::Loop(looping) = &inference.work {
            let _ = write!(
                text,
                "\n\nloop {} walks the axis `{}` of {}; one element is {}",
                looping.number,
                looping.axis,
                code(self.plan().name(looping.base)),
                code(self.plan().name(looping.element))
            );
            let carried: Vec<ConceptId> =
                looping.carries.iter().filter(|c| c.lag > 0).map(|c| c.concept).collect();
            if !carried.is_empty() {
                let _ = write!(text, "; carried from step to step: {}", names(&carried));
            }
        }
        Some(text)
    }

    fn value_text(&self, id: ConceptId, concept: &Concept, node: Option<&Node>) -> String {
        let mut text = format!("{} {}", code(&concept.name), words::kind(concept.kind, concept.query));
        if let Some(node) = node {
            let _ = write!(text, " · flow index {}", node.flow_index);
        }
        if concept.is_final {
            text.push_str(" · a goal of the plan");
        }
        if let Some(name) = &concept.natural_name {
            let _ = write!(text, "\n\n{name}");
        }
        if let Some(description) = &concept.description {
            let _ = write!(text, "\n\n{description}");
        }
        let known = self.axes().of(id);
        let _ = write!(text, "\n\n{}", known.describe(self.plan()));
        if known.names().is_some() {
            for axis in known.lists().iter().flat_map(|list| list.iter()).filter(|axis| !axis.is_none()) {
                let _ = write!(text, "\n- {}", axis.describe(self.plan()));
            }
        }
        text.push_str("\n\n");
        text.push_str(&self.origin(id, concept));
        let readers: Vec<&Inference> = self.readers(id).collect();
        if readers.is_empty() {
            text.push_str(if concept.is_final { "" } else { "\n\nread by nothing" });
        } else {
            let shown: Vec<String> = readers.iter().take(MOST_READERS).map(|i| self.step(i)).collect();
            let more = if readers.len() > MOST_READERS { ", .." } else { "" };
            let _ = write!(text, "\n\nread by {}{more}", shown.join(", "));
        }
        text
    }

    /// Where the value comes from.
    fn origin(&self, id: ConceptId, concept: &Concept) -> String {
        let mut parts = Vec::new();
        for inference in self.plan().inferences.iter() {
            if let Work::Loop(looping) = &inference.work {
                if looping.element == id {
                    parts.push(format!(
                        "the present element of {} in loop {}",
                        code(self.plan().name(looping.base)),
                        looping.number
                    ));
                }
                for carry in looping.carries.iter().filter(|c| c.concept == id && c.lag > 0) {
                    let steps =
                        if carry.lag == 1 { "the step".to_owned() } else { format!("{} steps", carry.lag) };
                    parts.push(format!("carried through loop {} from {steps} before", looping.number));
                }
            }
        }
        parts.extend(self.givers(id).map(|inference| {
            format!("given by {} {}", self.step(inference), code(self.plan().name(inference.function)))
        }));
        if let Some(ground) = concept.ground {
            parts.push(words::ground(ground).to_owned());
        }
        if parts.is_empty() { "nothing gives it a value".to_owned() } else { parts.join("\n\n") }
    }

    fn step(&self, inference: &Inference) -> String {
        format!("{} (line {})", inference.flow, self.line_of(inference.target_span.start))
    }
}

/// A name as code: with as many backticks as it needs.
fn code(name: &str) -> String {
    if name.contains('`') { format!("`` {name} ``") } else { format!("`{name}`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = "{totals}\n    <= *every({numbers})%:[{number}]@(1)^[{sum}<*1>]\n        <= $.({new})\n        \
                        <- {new}\n            <= ::(add {1} to {2})\n                | %{builtin}: add\n            \
                        <- {numbers}*1<:{1}>\n            <- {sum}*1<:{2}>\n        <- {sum}*1\n            \
                        <= $.({new})\n            <- {new}\n    <- {numbers} | ref. %(number)=[1, 2]\n    \
                        <- {sum}*1 | ref. 0\n";

    fn hover(of: &str) -> String {
        let at = PLAN.find(of).unwrap_or_else(|| panic!("no {of}"));
        Analysis::of("a.nc", PLAN).hover(at as u32).map_or_else(String::new, |h| h.text)
    }

    #[test]
    fn a_value_says_what_it_is_where_it_comes_from_and_who_reads_it() {
        let text = hover("{new}\n            <= ::");
        for part in ["`{new}` object · flow index 1.1.2", "given by 1.1.2 (line 4)", "read by"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        let element = hover("{numbers}*1");
        assert!(element.contains("the present element of `{numbers}` in loop 1"), "{element}");
        let carried = hover("{sum}*1<:");
        assert!(carried.contains("carried through loop 1 from the step before"), "{carried}");
    }

    #[test]
    fn operators_and_annotations_are_explained() {
        let text = hover("*every");
        assert!(text.contains("walks the axis `number` of `{numbers}`"), "{text}");
        assert!(hover("::(add").contains("slot 1: `{numbers}*1`"));
        assert!(hover("%{builtin}").contains("built-in function"));
    }
}
