//! Imperatives and judgements in the other spelling: modes, truth assertions, instances (language spec, sections 5.5
//! and 11).

use crate::syntax::expr::Part;
use crate::syntax::reader::{Class, concept};
use crate::syntax::{
    Assertion, Body, Expr, Kind, Node, NodeId, QuantifierWord, Semantic, SlotInstance, Subject, Variant,
};

use super::names::instance_sign;
use super::restyle::{Kept, Restyler, Rewritten, Style, apply, whole};

impl Restyler<'_> {
    /// The names and instances in a body.
    pub(super) fn body_edits(&self, id: NodeId, node: &Node, body: &Body) -> Vec<(Part, String)> {
        let slots = body.slots.iter().filter_map(|slot| {
            let SlotInstance::Abstraction(of) = slot.instance.as_ref()? else { return None };
            let written = node.text_of(slot.part);
            let head = written.split_once('<').map_or(written, |(head, _)| head);
            let text =
                format!("{head}<$({}){}>", self.names.reference(id, node, of), instance_sign(self.style));
            Some((slot.part, text))
        });
        let mentions = body.mentions.iter().map(|v| (v.part, self.names.value(id, node, v)));
        slots.chain(mentions).collect()
    }

    pub(super) fn semantic(
        &self,
        id: NodeId,
        node: &Node,
        semantic: &Semantic,
    ) -> Result<Option<Rewritten>, Kept> {
        let edits = self.body_edits(id, node, &semantic.body);
        let plain =
            || Ok(Some(Rewritten::from(apply(&node.source, self.body_edits(id, node, &semantic.body)))));
        let within = |part: Part| {
            let (start, end) = (semantic.body.part.start, semantic.body.part.end);
            (part.start >= start && part.end <= end)
                .then(|| Part { start: part.start - start, end: part.end - start })
        };
        let written = node.text_of(semantic.body.part);
        let body = apply(written, edits.into_iter().filter_map(|(p, t)| Some((within(p)?, t))).collect());
        let body = body.trim();
        let made = match self.style {
            Style::Current => self.semantic_to_current(id, node, semantic, body)?,
            Style::Legacy => self.semantic_to_legacy(node, semantic, body),
        };
        let Some(made) = made else { return plain() };
        // The text must say the same in its new brackets.
        let read = concept(&made.text, Class::Function);
        let alike = match &read.expr {
            Expr::Semantic(new) => {
                let says = |a: &Option<Assertion>| a.as_ref().map(|a| (a.truth, a.quantifiers.len()));
                &*new.body.text == body
                    && (node.kind != Kind::Judgement || says(&new.assertion).is_some())
                    && (semantic.assertion.is_none() || says(&new.assertion) == says(&semantic.assertion))
            }
            _ => false,
        };
        if alike { Ok(Some(made)) } else { Err((whole(node), "a sign in its text would end it".to_owned())) }
    }

    fn semantic_to_current(
        &self,
        id: NodeId,
        node: &Node,
        semantic: &Semantic,
        body: &str,
    ) -> Result<Option<Rewritten>, Kept> {
        let implied = semantic.assertion.as_ref().is_some_and(|a| a.text.is_none());
        let judged = node.kind == Kind::Judgement;
        let lacks = judged && semantic.assertion.is_none() && semantic.subject != Subject::Unwritten;
        let sign = matches!(semantic.subject, Subject::Sign(_));
        let angle = semantic.body.angle && semantic.subject == Subject::Default;
        let says_more = implied || lacks || sign || angle || semantic.norm.is_some();
        if !says_more {
            return Ok(None);
        }
        if semantic.subject == Subject::Unwritten || matches!(semantic.subject, Subject::Named(_)) {
            return Ok(None);
        }
        // Judged by a word of its own: the text alone would make it a judgement.
        if !judged && semantic.assertion.is_some() {
            return Ok(None);
        }
        let mut made = Rewritten::default();
        let truth_norm = semantic.norm.as_deref().is_some_and(is_truth_norm);
        let truth_sign = matches!(&semantic.subject, Subject::Sign(s) if implied && !is_mode(s));
        let norm = semantic.norm.as_deref().filter(|_| !truth_norm);
        let mode = match (&semantic.subject, norm) {
            (Subject::Sign(s), None | Some("paradigm")) if is_mode(s) => semantic.variant(),
            (Subject::Sign(_), None) if truth_sign => None,
            (Subject::Default, Some(n))
                if is_mode(n.trim_start_matches("%(").trim_end_matches(')')) || n == "paradigm" =>
            {
                semantic.variant()
            }
            (Subject::Default, None) => None,
            _ => {
                return Err((
                    semantic.norm_part.unwrap_or(whole(node)),
                    "a norm of its own stands only in the operation".to_owned(),
                ));
            }
        };
        match mode {
            Some(Variant::Composition) => {
                if !self.has_paradigm(id, node) {
                    let at = semantic.norm_part.unwrap_or(whole(node));
                    return Err((
                        at,
                        "the paradigm is not named; write `| %{norm_input}: NAME` below it".to_owned(),
                    ));
                }
            }
            Some(Variant::Direct) => made.mode = Some("direct"),
            Some(Variant::Python) => made.mode = Some("python"),
            Some(Variant::PythonIndirect) => made.mode = Some("python_indirect"),
            Some(Variant::Input) | None => {}
        }
        let assertion = match &semantic.assertion {
            Some(Assertion { text: Some(text), .. }) => format!("<{text}>"),
            Some(assertion) => format!("<ALL {}>", if assertion.truth { "True" } else { "False" }),
            None if judged => "<ALL True>".to_owned(),
            None => String::new(),
        };
        made.text = format!("::({body}){assertion}");
        Ok(Some(made))
    }

    fn semantic_to_legacy(&self, node: &Node, semantic: &Semantic, body: &str) -> Option<Rewritten> {
        let plain =
            matches!(semantic.subject, Subject::Default | Subject::Unwritten) && semantic.norm.is_none();
        if !plain {
            return None;
        }
        let composed =
            (named_paradigm(node) || prompted(node)) && semantic.variant().is_none() && !acts(node);
        let simple = semantic.assertion.as_ref().is_none_or(|a| {
            let all = a.quantifiers.iter().all(|q| q.word == QuantifierWord::All && q.over.is_none());
            a.understood && all && a.quantifiers.len() <= 1
        });
        let word = match &semantic.assertion {
            Some(Assertion { text: Some(text), .. }) => format!("<{text}>"),
            _ => String::new(),
        };
        let text = match (composed, semantic.assertion.as_ref().filter(|_| simple)) {
            (true, _) => format!("::{{%(composition)}}({body}){word}"),
            (false, Some(assertion)) if assertion.truth => format!(":%(True):<{body}>"),
            (false, None) if semantic.subject == Subject::Unwritten && node.kind == Kind::Judgement => {
                format!("::<{body}>")
            }
            (false, _) if semantic.subject == Subject::Unwritten => format!("::({body}){word}"),
            _ => return None,
        };
        let read = concept(&text, Class::Function);
        // Where angle brackets would end early the present form is as good: it is read in legacy plans too.
        let fits = matches!(&read.expr, Expr::Semantic(s) if &*s.body.text == body);
        fits.then(|| Rewritten::from(text))
    }

    /// The line or a gate below it names a paradigm, or what a paradigm follows from.
    fn has_paradigm(&self, id: NodeId, node: &Node) -> bool {
        let has = |n: &Node| named_paradigm(n) || prompted(n);
        has(node) || self.tree.children(id).any(|(_, n)| has(n))
    }
}

/// A prompt, a command or a question says how the step is done.
fn prompted(node: &Node) -> bool {
    ["prompt", "prompt_location", "v_input_provision", "command", "command_location", "ask"]
        .iter()
        .any(|k| node.referential(k).is_some_and(|a| !a.text().trim().is_empty()))
}

fn named_paradigm(node: &Node) -> bool {
    ["norm_input", "paradigm"]
        .iter()
        .any(|k| node.referential(k).is_some_and(|a| !a.text().trim().is_empty()))
}

/// A script or built-in does the step, whatever its norm says.
fn acts(node: &Node) -> bool {
    ["script_location", "builtin"].iter().any(|k| node.referential(k).is_some())
}

fn is_mode(word: &str) -> bool {
    matches!(word, "direct" | "python" | "python_indirect" | "composition" | "Composition")
}

fn is_truth_norm(norm: &str) -> bool {
    let bare: String = norm.chars().filter(|c| c.is_ascii_alphabetic()).collect();
    matches!(bare.to_ascii_lowercase().as_str(), "alltrue" | "allfalse")
}
