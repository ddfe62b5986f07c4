//! Lowers the syntactic operations: loops, `$`, `&` and `@` operators (language spec, sections 5.1 to 5.4).

use std::sync::Arc;

use crate::diag::Code;

use super::expr::{Expr, Part, SuffixKind, Value, ValueKind};
use super::grammar::Rule;
use super::operation::{
    AssignOp, Assigning, Carry, GroupOp, Grouping, Looping, Modifier, ModifierKind, Operand, OperandKind,
    Spelling, Timing, TimingOp,
};
use super::reader::{Piece, Reader};

/// The heads a `<=` line can begin with, for suggestions.
const OPERATORS: &[&str] = &[
    "*every", "$.", "$+", "$=", "$%", "$-", "&in", "&across", "@if", "@if!", "@after", "@by", "*.", "@:'",
    "@:!", "@.",
];

/// The one operator near a misspelt one; none when several are, or none is.
pub(super) fn nearest(written: &str) -> Option<&'static str> {
    let lower = written.to_lowercase();
    let limit = if lower.chars().count() <= 4 { 1 } else { 2 };
    // Signs of two or three characters are all near each other; a suggestion among them would be a guess.
    let near = OPERATORS.iter().filter(|o| o.len() > 3 && distance(o, &lower) <= limit);
    match near.collect::<Vec<_>>().as_slice() {
        [one] => Some(**one),
        _ => None,
    }
}

/// The number of single-character edits from one short text to another.
fn distance(a: &str, b: &str) -> usize {
    const LONG: usize = 16;
    let b: Vec<char> = b.chars().take(LONG).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(&b) {
            let here = (corner + usize::from(x != *y)).min(left + 1).min(*cell + 1);
            corner = std::mem::replace(cell, here);
            left = here;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(LONG)
}

impl<'a> Reader<'a> {
    /// `operation`, `bare_judgement` and `bare_imperative` pairs.
    pub(super) fn operation(&mut self, piece: &Piece<'a>) -> Expr {
        if piece.rule() != Rule::operation {
            return Expr::Semantic(self.bare_semantic(piece));
        }
        let Some(child) = piece.child() else { return Expr::Informal };
        match child.rule() {
            Rule::looping => Expr::Looping(self.looping(&child)),
            Rule::assigning => Expr::Assigning(self.assigning(&child)),
            Rule::grouping => Expr::Grouping(self.grouping(&child)),
            Rule::timing => Expr::Timing(self.timing(&child)),
            Rule::input => Expr::Input(self.input(&child)),
            Rule::method => Expr::Method(self.method(&child)),
            Rule::semantic => Expr::Semantic(self.semantic(&child)),
            _ => Expr::Informal,
        }
    }

    fn looping(&mut self, piece: &Piece<'a>) -> Looping {
        let mut looping = Looping {
            spelling: Spelling::Legacy,
            bases: Vec::new(),
            axes: Vec::new(),
            results: Vec::new(),
            number: None,
            carries: Vec::new(),
            modifiers: Vec::new(),
        };
        for child in piece.children() {
            match child.rule() {
                Rule::every => {
                    if let Some(inner) = child.child().and_then(|g| g.child()) {
                        looping.bases =
                            self.only_values(inner.part(), "the collection: `*every({collection})`");
                    }
                }
                Rule::by_axes => looping.axes.extend(self.axes(&child)),
                Rule::every_result => {
                    if let Some(inner) = child.child().and_then(|g| g.child()) {
                        looping.results = self.only_values(inner.part(), "the result: `.[{result}]`");
                    }
                }
                Rule::every_number => self.every_number(&mut looping, &child),
                Rule::every_carry => {
                    if let Some(inner) = child.child().and_then(|g| g.child()) {
                        let values = self.only_values(inner.part(), "carried values: `^[{carried}<*1>]`");
                        looping.carries.extend(values.into_iter().map(carry));
                    }
                }
                Rule::dot_loop => looping.spelling = Spelling::Current,
                Rule::modifier => looping.modifiers.extend(self.modifier(&child)),
                _ => {}
            }
        }
        let of = |kind| looping.modifiers.iter().filter(move |m: &&Modifier| m.kind == kind);
        let values = |kind| of(kind).flat_map(Modifier::values).cloned().collect::<Vec<_>>();
        if looping.spelling == Spelling::Current {
            looping.bases = values(ModifierKind::Source);
            looping.results = values(ModifierKind::Result);
            looping.axes = of(ModifierKind::By).flat_map(Modifier::axes).collect();
            looping.number = of(ModifierKind::Number).find_map(Modifier::number);
            looping.carries = values(ModifierKind::Carry).into_iter().map(carry).collect();
        }
        looping
    }

    fn every_number(&mut self, looping: &mut Looping, piece: &Piece<'a>) {
        let Some(child) = piece.child() else { return };
        if child.rule() == Rule::int {
            looping.number = self.number(child.part());
            return;
        }
        // `@[{index}^1]`: a carry in the place of the number.
        let Some(inner) = child.child() else { return };
        let read = self.read(Rule::carry_number, inner.part()).unwrap_or_default();
        let value = read.iter().find(|p| p.rule() == Rule::value_arg).map(|v| self.value(v));
        let lag = read.iter().find(|p| p.rule() == Rule::int).and_then(|n| self.number(n.part()));
        match (value, lag) {
            (Some(value), Some(lag)) => looping.carries.push(Carry { value, lag }),
            _ => self.unread_arguments(inner.part(), "the number of the loop: `@(1)`"),
        }
    }

    fn only_values(&mut self, inner: Part, expected: &str) -> Vec<Value> {
        let (before, after) = self.value_arguments(inner, expected);
        before.iter().chain(&after).filter_map(Operand::value).cloned().collect()
    }

    fn assigning(&mut self, piece: &Piece<'a>) -> Assigning {
        let mut assigning = Assigning {
            op: AssignOp::Specification,
            spelling: Spelling::Either,
            args: Vec::new(),
            after_colon: Vec::new(),
            by_axes: Vec::new(),
            modifiers: Vec::new(),
        };
        for child in piece.children() {
            match child.rule() {
                Rule::assign_op => assigning.op = self.assign_op(&child),
                Rule::paren => {
                    assigning.spelling = Spelling::Legacy;
                    if let Some(inner) = child.child() {
                        let literal = assigning.op == AssignOp::Abstraction;
                        let expected = "values: `({x})`, `({a};{b})` or `({item}:{collection})`";
                        let read = if literal {
                            self.arguments(inner.part(), expected)
                        } else {
                            self.value_arguments(inner.part(), expected)
                        };
                        (assigning.args, assigning.after_colon) = read;
                    }
                }
                Rule::value_arg => {
                    assigning.spelling = Spelling::Legacy;
                    let part = child.part();
                    let value = self.value(&child);
                    assigning.args.push(Operand { kind: OperandKind::Value(value), part });
                }
                Rule::by_axes => assigning.by_axes = self.axes(&child),
                Rule::modifier => {
                    assigning.spelling = Spelling::Current;
                    assigning.modifiers.extend(self.modifier(&child));
                }
                _ => {}
            }
        }
        self.check_specification(&assigning);
        assigning
    }

    /// `$.` with `%<` in place of `%>` (NC047).
    fn check_specification(&mut self, assigning: &Assigning) {
        let of = |kind| assigning.modifiers.iter().find(|m| m.kind == kind);
        if assigning.op != AssignOp::Specification || of(ModifierKind::Source).is_some() {
            return;
        }
        if let Some(modifier) = of(ModifierKind::Result) {
            let part = Part { start: modifier.part.start, end: modifier.part.start + 2 };
            let message = "the sources of `$.` are written with `%<`".to_owned();
            self.misspelt(Code::NC047, part, message, "%>");
        }
    }

    fn assign_op(&mut self, piece: &Piece<'a>) -> AssignOp {
        match piece.child().map(|c| c.rule()) {
            Some(Rule::nominalization) => AssignOp::Nominalization,
            Some(Rule::continuation) => AssignOp::Continuation,
            Some(Rule::identity_op) => AssignOp::Identity,
            Some(Rule::abstraction) => AssignOp::Abstraction,
            Some(Rule::selection) => AssignOp::Selection,
            Some(Rule::misspelt_specification) => {
                self.misspelt(Code::NC049, piece.part(), "misspelt operator `$:.`".to_owned(), "$.");
                AssignOp::Specification
            }
            _ => AssignOp::Specification,
        }
    }

    fn grouping(&mut self, piece: &Piece<'a>) -> Grouping {
        let mut grouping = Grouping {
            op: GroupOp::In,
            spelling: Spelling::Legacy,
            plus: false,
            args: Vec::new(),
            after_colon: Vec::new(),
            by_axes: Vec::new(),
            modifiers: Vec::new(),
        };
        for child in piece.children() {
            match child.rule() {
                Rule::group_op => (grouping.op, grouping.spelling) = self.group_op(&child),
                Rule::plus => grouping.plus = true,
                Rule::paren | Rule::square => {
                    if let Some(inner) = child.child() {
                        let expected = "values: `({a};{b})` or `({x}:{by})`";
                        (grouping.args, grouping.after_colon) = self.value_arguments(inner.part(), expected);
                    }
                }
                Rule::by_axes => grouping.by_axes = self.axes(&child),
                Rule::modifier => {
                    grouping.spelling = Spelling::Current;
                    grouping.modifiers.extend(self.modifier(&child));
                }
                _ => {}
            }
        }
        grouping
    }

    fn group_op(&mut self, piece: &Piece<'a>) -> (GroupOp, Spelling) {
        match piece.child().map(|c| c.rule()) {
            Some(Rule::in_current) => (GroupOp::In, Spelling::Current),
            Some(Rule::across_current) => (GroupOp::Across, Spelling::Current),
            Some(Rule::across_legacy) => (GroupOp::Across, Spelling::Legacy),
            Some(Rule::misspelt_across) => {
                let message = format!("misspelt operator `{}`", self.slice(piece.part()));
                self.misspelt(Code::NC049, piece.part(), message, "&across");
                (GroupOp::Across, Spelling::Legacy)
            }
            _ => (GroupOp::In, Spelling::Legacy),
        }
    }

    fn timing(&mut self, piece: &Piece<'a>) -> Timing {
        let mut timing = Timing {
            op: TimingOp::If,
            spelling: Spelling::Legacy,
            condition: None,
            argument: Arc::from(""),
            argument_part: None,
            call: None,
        };
        for child in piece.children() {
            match child.rule() {
                Rule::timing_op => (timing.op, timing.spelling) = self.timing_op(&child),
                Rule::timing_by => self.timing_by(&mut timing, &child),
                Rule::timing_sequence => {
                    timing.op = TimingOp::Sequence;
                    timing.spelling = Spelling::Either;
                    self.timing_argument(&mut timing, child.child());
                }
                Rule::condition => self.condition(&mut timing, &child),
                Rule::modifier => {
                    if let Some(modifier) = self.modifier(&child) {
                        timing.argument = Arc::clone(&modifier.inner);
                        timing.argument_part = Some(modifier.part);
                        let values = modifier.values();
                        timing.condition = timing.condition.or(values.first().map(|v| (*v).clone()));
                    }
                }
                _ => {}
            }
        }
        timing
    }

    fn timing_op(&mut self, piece: &Piece<'a>) -> (TimingOp, Spelling) {
        let spelling = match self.slice(piece.part()).chars().nth(1) {
            Some(c) if c.is_alphabetic() => Spelling::Legacy,
            _ => Spelling::Current,
        };
        let op = match piece.child().map(|c| c.rule()) {
            Some(Rule::if_not) => TimingOp::IfNot,
            Some(Rule::after) => TimingOp::After,
            Some(Rule::action) => TimingOp::Action,
            _ => TimingOp::If,
        };
        (op, spelling)
    }

    fn timing_argument(&mut self, timing: &mut Timing, group: Option<Piece<'a>>) -> Option<Part> {
        let group = group?;
        let inner = self.trimmed(group.child()?.part());
        timing.argument = self.name(inner);
        timing.argument_part = Some(group.part());
        Some(inner)
    }

    fn timing_by(&mut self, timing: &mut Timing, piece: &Piece<'a>) {
        timing.op = TimingOp::By;
        if let Some(inner) = self.timing_argument(timing, piece.find(Rule::paren)) {
            timing.call = self.number(inner);
        }
        let value = piece.find(Rule::by_value).and_then(|v| v.child()?.child());
        if let Some(inner) = value {
            let values = self.only_values(inner.part(), "the result of the method: `@by(1):({result})`");
            timing.condition = values.into_iter().next();
        }
    }

    fn condition(&mut self, timing: &mut Timing, piece: &Piece<'a>) {
        let mut negated = piece.find(Rule::bang).is_some();
        let Some(group) = piece.child() else { return };
        if group.rule() == Rule::angle_condition {
            let Some(inner) = self.timing_argument(timing, Some(group.clone())) else { return };
            timing.condition = Some(Value {
                kind: ValueKind::Proposition,
                name: self.name(inner),
                literal: None,
                plus: false,
                members: Vec::new(),
                suffixes: Vec::new(),
                head: group.part(),
                part: group.part(),
            });
        } else if let Some(inner) = self.timing_argument(timing, Some(group)) {
            let read = self.read(Rule::condition_text, inner).unwrap_or_default();
            timing.condition = read.iter().find(|p| p.rule() == Rule::value_arg).map(|v| self.value(v));
            negated |= read.iter().any(|p| p.rule() == Rule::bang);
            if timing.condition.is_none() && inner.start < inner.end {
                self.unread_arguments(inner, "one condition: `(<condition>)`");
            }
        }
        if negated {
            timing.op = match timing.op {
                TimingOp::If => TimingOp::IfNot,
                TimingOp::IfNot => TimingOp::If,
                other => other,
            };
        }
    }

    fn modifier(&mut self, piece: &Piece<'a>) -> Option<Modifier> {
        let mut children = piece.children();
        let kind = match self.slice(children.next()?.part()) {
            ">" => ModifierKind::Source,
            "<" => ModifierKind::Result,
            ":" => ModifierKind::By,
            "^" => ModifierKind::Carry,
            "@" => ModifierKind::Number,
            "+" => ModifierKind::Create,
            _ => ModifierKind::PerSource,
        };
        let group = children.next()?;
        let part = piece.part();
        if !matches!(group.rule(), Rule::paren | Rule::square) {
            let inner = self.name(group.part());
            let place = group.part();
            let operand = Operand { kind: OperandKind::Clause(self.suffix(&group)?), part: place };
            return Some(Modifier { kind, operands: vec![operand], square: false, inner, part });
        }
        let inner = self.trimmed(group.child()?.part());
        let expected = format!("values or names: `%{}({{x}})`", kind.sign());
        let (mut operands, after) = self.arguments(inner, &expected);
        if let Some(first) = after.first() {
            self.unread_arguments(first.part, &expected);
        }
        operands.extend(after);
        Some(Modifier { kind, operands, square: group.rule() == Rule::square, inner: self.name(inner), part })
    }
}

/// A carried value: the lag is a suffix of it, in either spelling.
fn carry(value: Value) -> Carry {
    let lag = value.suffixes.iter().find_map(|s| match &s.kind {
        SuffixKind::Lag(n) | SuffixKind::Carried(n) => Some(*n),
        SuffixKind::LoopElement { back, .. } => *back,
        _ => None,
    });
    Carry { value, lag: lag.unwrap_or(1) }
}
