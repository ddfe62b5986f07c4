//! Lowers imperatives, judgements, inputs and method calls, the slots of their bodies, and truth assertions
//! (language spec, sections 5.5 to 5.7).

use std::sync::Arc;

use super::expr::{Part, Reference, SlotKey, Suffix, SuffixKind};
use super::grammar::Rule;
use super::operation::{
    Assertion, Body, Input, InputForm, Method, Quantifier, QuantifierWord, Semantic, Slot, SlotInstance,
    Subject,
};
use super::reader::{Piece, Reader, value_kind};

/// The words that make `:%(..):` or a norm an assertion: nothing but truth, quantified or not.
const TRUTH: [(&str, bool); 4] = [("True", true), ("true", true), ("False", false), ("false", false)];

impl<'a> Reader<'a> {
    /// An operation with a subject, or parentheses with an assertion.
    pub(super) fn semantic(&mut self, piece: &Piece<'a>) -> Semantic {
        let mut semantic = Semantic {
            subject: Subject::Unwritten,
            norm: None,
            norm_part: None,
            body: self.body(Part { start: piece.part().end, end: piece.part().end }, false),
            assertion: None,
        };
        let mut subject_part = piece.part();
        for child in piece.children() {
            match child.rule() {
                Rule::subject => {
                    semantic.subject = self.subject(&child);
                    subject_part = child.part();
                }
                Rule::norm => {
                    semantic.norm = child.child().map(|n| self.name(n.part()));
                    semantic.norm_part = Some(child.part());
                }
                Rule::paren => semantic.body = self.body_of(&child, false),
                Rule::angle_body => semantic.body = self.body_of(&child, true),
                Rule::assertion => semantic.assertion = Some(self.assertion(&child)),
                _ => {}
            }
        }
        if semantic.assertion.is_none() {
            semantic.assertion = self.implied_assertion(&semantic, subject_part);
        }
        semantic
    }

    /// `<{..}>` and `({..})` of the current form: the braces belong to the brackets.
    pub(super) fn bare_semantic(&mut self, piece: &Piece<'a>) -> Semantic {
        let angle = piece.rule() == Rule::bare_judgement;
        let object = piece.find(Rule::object);
        let assertion = piece.find(Rule::assertion).map(|a| self.assertion(&a));
        let at = Part { start: piece.part().end, end: piece.part().end };
        let body = match object.and_then(|o| o.child()) {
            Some(inner) => self.body(inner.part(), angle),
            None => self.body(at, angle),
        };
        Semantic { subject: Subject::Unwritten, norm: None, norm_part: None, body, assertion }
    }

    fn subject(&mut self, piece: &Piece<'a>) -> Subject {
        let Some(child) = piece.child() else { return Subject::Default };
        let inside = child.child().map(|c| c.part());
        match (child.rule(), inside) {
            (Rule::sign_subject, Some(_)) => {
                let inner = child.child().and_then(|p| p.child()).map(|i| i.part());
                Subject::Sign(inner.map_or_else(|| Arc::from(""), |i| self.name(i)))
            }
            (Rule::named_subject, Some(name)) => Subject::Named(self.name(name)),
            _ => Subject::Default,
        }
    }

    /// The assertion that `:%(True):`, `{%(all True)}` and `{ALL(true)}` stand for.
    fn implied_assertion(&mut self, semantic: &Semantic, subject: Part) -> Option<Assertion> {
        if let Subject::Sign(sign) = &semantic.subject
            && let Some((_, truth)) = TRUTH.iter().find(|(word, _)| *word == sign.as_ref())
        {
            let all = Quantifier { word: QuantifierWord::All, over: None };
            return Some(Assertion {
                quantifiers: vec![all],
                truth: *truth,
                text: None,
                understood: true,
                part: subject,
            });
        }
        let norm = semantic.norm_part?;
        let inside = Part { start: norm.start + 1, end: norm.end.saturating_sub(1) };
        let inside = self.trimmed(inside);
        let inside = match self.slice(inside).strip_prefix("%(").and_then(|t| t.strip_suffix(')')) {
            Some(_) => Part { start: inside.start + 2, end: inside.end - 1 },
            None => inside,
        };
        let (quantifiers, truth) = self.quantified(inside)?;
        Some(Assertion { quantifiers, truth, text: None, understood: true, part: norm })
    }

    fn assertion(&mut self, piece: &Piece<'a>) -> Assertion {
        let text =
            piece.children().find(|c| matches!(c.rule(), Rule::braced_assertion | Rule::plain_assertion));
        let inner = self.trimmed(text.map_or(piece.part(), |t| t.part()));
        let read = self.quantified(inner);
        let understood = read.is_some();
        let (quantifiers, truth) = read.unwrap_or_else(|| {
            let false_last = self.slice(inner).to_lowercase().ends_with("false");
            (vec![Quantifier { word: QuantifierWord::All, over: None }], !false_last)
        });
        Assertion { quantifiers, truth, text: Some(self.name(inner)), understood, part: piece.part() }
    }

    fn quantified(&mut self, part: Part) -> Option<(Vec<Quantifier>, bool)> {
        let pieces = self.read(Rule::quantified, part)?;
        let mut quantifiers: Vec<Quantifier> = Vec::new();
        let mut truth = true;
        for piece in &pieces {
            match piece.rule() {
                Rule::quantifier => {
                    let word = match piece.child().map(|c| c.rule()) {
                        Some(Rule::some) => QuantifierWord::Some,
                        Some(Rule::none) => QuantifierWord::None,
                        Some(Rule::exists) => QuantifierWord::Exists,
                        Some(Rule::for_each) => QuantifierWord::ForEach,
                        _ => QuantifierWord::All,
                    };
                    quantifiers.push(Quantifier { word, over: None });
                }
                Rule::over => {
                    let over = self.over(piece);
                    if let Some(last) = quantifiers.last_mut() {
                        last.over = Some(over);
                    }
                }
                Rule::truth => truth = piece.find(Rule::true_word).is_some(),
                _ => {}
            }
        }
        Some((quantifiers, truth))
    }

    fn over(&mut self, piece: &Piece<'a>) -> Reference {
        let is_value = piece.child().is_some_and(|c| value_kind(c.rule()).is_some());
        if is_value {
            Reference::Value(Box::new(self.value(piece)))
        } else {
            Reference::Words(self.name(piece.part()))
        }
    }

    /// `:>:` and its relatives.
    pub(super) fn input(&mut self, piece: &Piece<'a>) -> Input {
        let nothing = Part { start: piece.part().end, end: piece.part().end };
        let mut input =
            Input { form: InputForm::Plain, norm: None, asked: None, body: self.body(nothing, false) };
        let Some(form) = piece.child() else { return input };
        let mut parens: Vec<Piece<'a>> = Vec::new();
        let mut call = None;
        for child in form.children() {
            match child.rule() {
                Rule::paren => parens.push(child),
                Rule::port => {
                    let name = child.child().map_or_else(|| Arc::from(""), |n| self.name(n.part()));
                    input.form = InputForm::Port(name);
                }
                Rule::int => call = self.number(child.part()),
                Rule::norm => input.norm = child.child().map(|n| self.name(n.part())),
                Rule::asked => input.asked = Some(self.value(&child)),
                Rule::input_text => input.body = self.body(child.part(), false),
                _ => {}
            }
        }
        let inner = |p: &Piece<'a>| p.child().map_or(p.part(), |i| i.part());
        match form.rule() {
            Rule::input_argument => input.form = InputForm::Argument(call),
            Rule::input_mode => {
                if let Some(mode) = parens.first() {
                    input.form = InputForm::Mode(self.name(inner(mode)));
                }
            }
            // The channel's parentheses stand before the colon.
            _ => {
                let text = self.slice(form.part());
                if let Some(channel) = parens.first().filter(|_| text.starts_with(":>(")) {
                    input.form = InputForm::Channel(self.name(inner(channel)));
                }
            }
        }
        let skip = usize::from(matches!(input.form, InputForm::Mode(_) | InputForm::Channel(_)));
        if let Some(body) = parens.get(skip) {
            input.body = self.body_of(body, false);
        }
        input
    }

    /// `:_:{method}(args)`.
    pub(super) fn method(&mut self, piece: &Piece<'a>) -> Method {
        let name = piece.find(Rule::norm).and_then(|n| n.child()).map(|n| self.name(n.part()));
        let body = match piece.find(Rule::paren) {
            Some(paren) => self.body_of(&paren, false),
            None => self.body(piece.part(), false),
        };
        Method { name: name.unwrap_or_else(|| Arc::from("")), body }
    }

    fn body_of(&mut self, group: &Piece<'a>, angle: bool) -> Body {
        let inner = group.child().map_or(group.part(), |i| i.part());
        self.body(inner, angle)
    }

    fn body(&mut self, inner: Part, angle: bool) -> Body {
        let part = self.trimmed(inner);
        let mut body = Body { text: self.name(part), part, angle, slots: Vec::new(), mentions: Vec::new() };
        for piece in self.read(Rule::body, part).unwrap_or_default() {
            match piece.rule() {
                Rule::slot => body.slots.extend(self.slot(&piece)),
                Rule::mention => {
                    let mention = self.value(&piece);
                    body.mentions.push(mention);
                }
                _ => {}
            }
        }
        body
    }

    fn slot(&mut self, piece: &Piece<'a>) -> Option<Slot> {
        let mut key = None;
        let mut query = false;
        let mut instance = None;
        for child in piece.children() {
            match child.rule() {
                Rule::body_key => key = self.slot_key(&child),
                Rule::slot_name => key = Some(SlotKey::Name(self.name(child.part()))),
                Rule::query => query = true,
                _ => {
                    if let Some(suffix) = self.suffix(&child) {
                        instance = instance.or(slot_instance(suffix, child.rule()));
                    }
                }
            }
        }
        Some(Slot { key: key?, query, instance, part: piece.part() })
    }
}

fn slot_instance(suffix: Suffix, rule: Rule) -> Option<SlotInstance> {
    match suffix.kind {
        SuffixKind::Instance(of) => Some(SlotInstance::Abstraction(of)),
        SuffixKind::Identity(n) => Some(SlotInstance::Literal(Arc::from(n.to_string()))),
        SuffixKind::NamedIdentity(name) if rule == Rule::subject_identity => {
            Some(SlotInstance::Subject(name))
        }
        SuffixKind::NamedIdentity(text) => Some(SlotInstance::Literal(text)),
        SuffixKind::DataForm(form) => Some(SlotInstance::DataForm(form)),
        SuffixKind::Placement(slot) => Some(SlotInstance::Placement(slot)),
        _ => None,
    }
}
