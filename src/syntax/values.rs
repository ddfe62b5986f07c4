//! Lowers values, their suffixes, and lists of operands (language spec, section 4).

use std::sync::Arc;

use crate::diag::Code;

use super::expr::{Literal, Part, Pick, Reference, SlotKey, Suffix, SuffixKind, Value, ValueKind};
use super::grammar::Rule;
use super::operation::{Axis, Operand, OperandKind};
use super::reader::{Piece, Reader, shorten, value_kind};

/// Operands before and after the dividing colon of a list.
pub(super) type Operands = (Vec<Operand>, Vec<Operand>);

impl<'a> Reader<'a> {
    /// A pair with a head and suffixes: `value`, `value_arg`, `mention`, `member_value`, `over`.
    pub(super) fn value(&mut self, piece: &Piece<'a>) -> Value {
        let mut value = Value {
            kind: ValueKind::Object,
            name: Arc::from(""),
            literal: None,
            plus: false,
            members: Vec::new(),
            suffixes: Vec::new(),
            head: piece.part(),
            part: piece.part(),
        };
        for child in piece.children() {
            match value_kind(child.rule()) {
                Some(kind) => self.head(&mut value, kind, &child),
                None => value.suffixes.extend(self.suffix(&child)),
            }
        }
        value
    }

    fn head(&mut self, value: &mut Value, kind: ValueKind, piece: &Piece<'a>) {
        value.kind = kind;
        value.head = piece.part();
        value.plus = piece.find(Rule::plus).is_some();
        let inner = piece.children().find(|c| c.rule() != Rule::plus).map_or(piece.part(), |c| c.part());
        value.name = self.name(inner);
        match kind {
            ValueKind::Object => value.literal = literal(&value.name),
            ValueKind::Relation => value.members = self.quietly(|r| r.members(inner)),
            _ => {}
        }
    }

    fn members(&mut self, inner: Part) -> Vec<Value> {
        if let Some((before, after)) = self.operands(inner) {
            let values = before.into_iter().chain(after).filter_map(|o| match o.kind {
                OperandKind::Value(v) | OperandKind::Member { value: v, .. } => Some(v),
                _ => None,
            });
            return values.collect();
        }
        let found = self.read(Rule::members, inner).unwrap_or_default();
        found.iter().filter(|p| p.rule() == Rule::member_value).map(|p| self.value(p)).collect()
    }

    /// One suffix pair; none for pairs that are none.
    pub(super) fn suffix(&mut self, piece: &Piece<'a>) -> Option<Suffix> {
        let part = piece.part();
        let kind = match piece.rule() {
            Rule::query => SuffixKind::Query,
            Rule::star_number => self.star_number(piece)?,
            Rule::star => {
                let help = "write the number of the loop, as in `*1`".to_owned();
                self.problem(Code::NC043, part, "loop version `*` without a number".to_owned(), Some(help));
                SuffixKind::CurrentVersion
            }
            Rule::plan_input => SuffixKind::PlanInput(self.number(piece.child()?.part())?),
            Rule::open_element => {
                let of = self.reference(piece.child()?.child()?.part());
                self.open_element(part, "*>");
                SuffixKind::LoopElement { of, back: None, complete: false }
            }
            Rule::identity => SuffixKind::Identity(self.number(piece.child()?.part())?),
            Rule::any_identity => SuffixKind::AnyIdentity,
            Rule::named_identity => SuffixKind::NamedIdentity(self.name(piece.child()?.part())),
            Rule::subject_identity => SuffixKind::NamedIdentity(self.name(piece.child()?.part())),
            Rule::identification => {
                SuffixKind::Identification(self.reference(piece.child()?.child()?.part()))
            }
            Rule::instance => SuffixKind::Instance(self.reference(piece.child()?.child()?.part())),
            Rule::element => self.element(piece)?,
            Rule::shared => SuffixKind::Shared,
            Rule::protect => {
                let name = self.slice(piece.child()?.part());
                let bare = name.strip_prefix('{').and_then(|n| n.strip_suffix('}')).unwrap_or(name);
                SuffixKind::Protect(Arc::from(bare.trim_matches(' ')))
            }
            Rule::pick => match piece.child()? {
                c if c.rule() == Rule::hash => SuffixKind::Pick(Pick::All),
                c => SuffixKind::Pick(Pick::Index(self.slice(c.part()).parse().ok()?)),
            },
            Rule::data_form => {
                let text = self.slice(piece.child()?.part());
                SuffixKind::DataForm(Arc::from(text.strip_prefix('=').unwrap_or(text)))
            }
            Rule::placement => SuffixKind::Placement(self.slot_key(&piece.child()?)?),
            Rule::member_place => {
                let mut children = piece.children();
                let alternative = self.number(children.next()?.part())?;
                SuffixKind::Member { alternative, slot: self.slot_key(&children.next()?)? }
            }
            Rule::lag => {
                let steps: i64 = self.slice(piece.child()?.part()).parse().ok()?;
                SuffixKind::Lag(u32::try_from(steps.unsigned_abs()).ok()?)
            }
            Rule::derived => SuffixKind::DerivedFrom,
            Rule::unpack => self.unpack(piece)?,
            Rule::unknown_clause => {
                let shown = shorten(self.slice(part));
                let help =
                    "clauses are `<$={1}>`, `<$({x})%>`, `<$({x})*>`, `<:{1}>` and their like".to_owned();
                self.problem(
                    Code::NC019,
                    part,
                    format!("the clause `{shown}` is not understood"),
                    Some(help),
                );
                SuffixKind::Clausal(self.name(piece.child()?.part()))
            }
            Rule::clausal => {
                let shown = shorten(self.slice(part));
                let help = "write it behind `| /:`".to_owned();
                self.problem(
                    Code::NC045,
                    part,
                    format!("remark `{shown}` in the place of a clause"),
                    Some(help),
                );
                SuffixKind::Clausal(self.name(piece.child()?.part()))
            }
            _ => return None,
        };
        Some(Suffix { kind, part })
    }

    fn star_number(&mut self, piece: &Piece<'a>) -> Option<SuffixKind> {
        let steps: i64 = self.slice(piece.child()?.part()).parse().ok()?;
        let steps_back = u32::try_from(steps.unsigned_abs()).ok()?;
        Some(if steps > 0 { SuffixKind::Version(steps_back) } else { SuffixKind::Carried(steps_back) })
    }

    fn element(&mut self, piece: &Piece<'a>) -> Option<SuffixKind> {
        let of = self.reference(piece.find(Rule::paren)?.child()?.part());
        let complete = piece.find(Rule::element_star).is_some();
        let back = match piece.find(Rule::sint) {
            Some(number) => {
                let steps: i64 = self.slice(number.part()).parse().ok()?;
                Some(u32::try_from(steps.unsigned_abs()).ok()?)
            }
            None => None,
        };
        if !complete {
            self.open_element(piece.part(), "*");
        }
        Some(SuffixKind::LoopElement { of, back, complete })
    }

    fn open_element(&mut self, part: Part, missing: &str) {
        let written = self.slice(part).trim_end_matches('>').to_owned();
        self.misspelt(
            Code::NC044,
            part,
            format!("loop element mark without its `{missing}`"),
            &format!("{written}*>"),
        );
    }

    fn unpack(&mut self, piece: &Piece<'a>) -> Option<SuffixKind> {
        let inner = piece.child()?.child()?.part();
        let Some(items) = self.read(Rule::unpack_items, inner) else {
            self.unread_arguments(inner, "pairs of name and slot: `<[{a}:{1}, {b}:{2+}]>`");
            return Some(SuffixKind::Unpack(Vec::new()));
        };
        let mut pairs = Vec::new();
        for item in items.iter().filter(|i| i.rule() == Rule::unpack_item) {
            let value = item.find(Rule::value_arg).map(|v| self.value(&v));
            let slot = item.find(Rule::slot_key).and_then(|s| self.slot_key(&s));
            if let (Some(value), Some(slot)) = (value, slot) {
                pairs.push((Reference::Value(Box::new(value)), slot));
            }
        }
        Some(SuffixKind::Unpack(pairs))
    }

    /// A name in a clause: a value, else words.
    pub(super) fn reference(&mut self, part: Part) -> Reference {
        let pieces = self.read(Rule::value_only, part);
        match pieces.as_ref().and_then(|p| p.first()) {
            Some(piece) if piece.rule() == Rule::value => Reference::Value(Box::new(self.value(piece))),
            _ => Reference::Words(self.name(part)),
        }
    }

    /// `slot_key` and `body_key` pairs.
    pub(super) fn slot_key(&mut self, piece: &Piece<'a>) -> Option<SlotKey> {
        let child = piece.child()?;
        match child.rule() {
            Rule::slot_from => Some(SlotKey::From(self.number(child.child()?.part())?)),
            Rule::int => Some(SlotKey::Number(self.number(child.part())?)),
            Rule::hash => Some(SlotKey::Any),
            _ => Some(SlotKey::Name(self.name(child.part()))),
        }
    }

    /// The operands between brackets; none when they fit nothing.
    pub(super) fn operands(&mut self, inner: Part) -> Option<Operands> {
        let pieces = self.read(Rule::items, inner)?;
        let mut before = Vec::new();
        let mut after = Vec::new();
        let mut divided = false;
        for piece in &pieces {
            match piece.rule() {
                Rule::colon => divided = true,
                Rule::item => {
                    let operand = self.operand(piece)?;
                    if divided { after.push(operand) } else { before.push(operand) }
                }
                _ => {}
            }
        }
        Some((before, after))
    }

    fn operand(&mut self, piece: &Piece<'a>) -> Option<Operand> {
        let child = piece.child()?;
        let part = child.part();
        let kind = match child.rule() {
            Rule::member => OperandKind::Member {
                value: self.value(&child.find(Rule::value_arg)?),
                key: self.name(child.find(Rule::member_key)?.part()),
            },
            Rule::value_arg => OperandKind::Value(self.value(&child)),
            Rule::nested => {
                let inner = child.child()?.child()?.part();
                match self.reference(inner) {
                    Reference::Value(value) => OperandKind::Value(*value),
                    Reference::Words(words) => OperandKind::Word(words),
                }
            }
            Rule::sint => match self.slice(part).parse() {
                Ok(number) => OperandKind::Number(number),
                Err(_) => OperandKind::Word(self.name(part)),
            },
            Rule::sign | Rule::quoted => OperandKind::Literal(self.name(part)),
            Rule::item_word => OperandKind::Word(self.name(part)),
            _ => OperandKind::Clause(self.suffix(&child)?),
        };
        Some(Operand { kind, part })
    }

    /// The operands between brackets; one unread operand, and a problem, when they fit nothing. `expected` says what
    /// to write.
    pub(super) fn arguments(&mut self, inner: Part, expected: &str) -> Operands {
        if let Some(operands) = self.operands(inner) {
            return operands;
        }
        let place = self.trimmed(inner);
        self.unread_arguments(place, expected);
        (vec![Operand { kind: OperandKind::Unread(self.name(place)), part: place }], Vec::new())
    }

    /// Like [`Reader::arguments`], for places where only values make sense.
    pub(super) fn value_arguments(&mut self, inner: Part, expected: &str) -> Operands {
        let operands = self.arguments(inner, expected);
        for operand in operands.0.iter().chain(&operands.1) {
            if operand.value().is_none() && !matches!(operand.kind, OperandKind::Unread(_)) {
                self.unread_arguments(operand.part, expected);
            }
        }
        operands
    }

    /// The axes of `%:[..]` and `%:(..)`.
    pub(super) fn axes(&mut self, piece: &Piece<'a>) -> Vec<Axis> {
        let Some(inner) = piece.child().and_then(|g| g.child()) else { return Vec::new() };
        let (before, after) = self.arguments(inner.part(), "axis names: `%:[{axis}]`");
        before.iter().chain(&after).filter_map(Operand::axis).collect()
    }
}

/// The parts of `key: "text"`.
fn literal(name: &str) -> Option<Literal> {
    let (key, value) = name.split_once(':')?;
    let value = value.trim_matches(' ');
    let quote = value.chars().next().filter(|q| matches!(q, '"' | '\''))?;
    let text = value.strip_prefix(quote)?.strip_suffix(quote)?;
    let key = key.trim_matches(' ');
    (!key.is_empty()).then(|| Literal { key: Arc::from(key), value: Arc::from(text) })
}
