//! Which value goes to which slot (language spec, section 9).

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashSet;
use serde_json::{Map, Value as Json};

use crate::base::Span;
use crate::diag::{Code, Diagnostic, Edit, Severity};
use crate::syntax::{Body, Dialect, Expr, NodeId, Reference, SlotKey, SuffixKind, Value};

use super::identity::Indices;
use super::model::{ConceptId, Selector};
use super::resolver::{Resolver, shown};

/// One value, or a part of it, with what its line binds it to.
#[derive(Debug, Clone)]
struct Bound {
    node: NodeId,
    concept: ConceptId,
    slot: Option<SlotKey>,
    /// The part of a value that an unpack map names.
    part: Option<Arc<str>>,
}

/// The values of a step with their numbers, and how those are passed that are not passed as they are.
#[derive(Debug, Default)]
pub(super) struct Order {
    pub(super) values: Vec<(ConceptId, u32)>,
    pub(super) selectors: Vec<Selector>,
}

/// A numbered value, or part of one.
type Numbered = (ConceptId, Option<Arc<str>>, u32);

/// The values of the inference headed by `head` in slot order.
pub(super) fn slots(resolver: &Resolver<'_>, head: NodeId, values: &[(NodeId, ConceptId)]) -> Vec<ConceptId> {
    let body = resolver
        .scopes
        .function(head)
        .and_then(|f| resolver.tree.node(f))
        .and_then(|n| body(&n.concept.expr));
    let mut seen = FxHashSet::default();
    let numbered = number(&bind(resolver, values), body).into_iter().map(|(concept, ..)| concept);
    numbered.filter(|c| seen.insert(*c)).collect()
}

pub(super) fn body(expr: &Expr) -> Option<&Body> {
    match expr {
        Expr::Semantic(semantic) => Some(&semantic.body),
        Expr::Input(input) => Some(&input.body),
        _ => None,
    }
}

fn bind(resolver: &Resolver<'_>, values: &[(NodeId, ConceptId)]) -> Vec<Bound> {
    let mut seen = FxHashSet::default();
    let mut bound = Vec::with_capacity(values.len());
    for (node, concept) in values.iter().copied().filter(|(_, c)| seen.insert(*c)) {
        let value = resolver.tree.node(node).and_then(|n| n.concept.value());
        let suffixes = value.map_or(&[][..], |v| v.suffixes.as_slice());
        let parts: Vec<Bound> = suffixes
            .iter()
            .filter_map(|s| if let SuffixKind::Unpack(parts) = &s.kind { Some(parts) } else { None })
            .flatten()
            .map(|(part, slot)| Bound {
                node,
                concept,
                slot: Some(slot.clone()),
                part: Some(Arc::from(match part {
                    Reference::Value(value) => resolver.canonical(value),
                    Reference::Words(words) => words.to_string(),
                })),
            })
            .collect();
        if !parts.is_empty() {
            bound.extend(parts);
            continue;
        }
        let member = suffixes.iter().find_map(|s| match &s.kind {
            SuffixKind::Member { slot, .. } => Some(slot),
            _ => None,
        });
        let slot = value.and_then(Value::placement).or(member).cloned();
        bound.push(Bound { node, concept, slot, part: None });
    }
    bound
}

/// How a value line says its value is passed: an alternative of it, or under a norm.
fn own_selector(value: &Value) -> Map<String, Json> {
    let mut fields = Map::new();
    for suffix in &value.suffixes {
        match &suffix.kind {
            SuffixKind::Member { alternative, .. } => {
                fields.insert("index".to_owned(), Json::from(alternative.saturating_sub(1)));
            }
            SuffixKind::DataForm(norm) if !norm.contains(['[', ',', '<', '(']) => {
                let norm = norm.trim_matches(['{', '}', ' ']).replace(' ', "_");
                fields.insert("new_wrapper".to_owned(), Json::from(norm));
            }
            _ => {}
        }
    }
    fields
}

/// Numbers from 1: bound values keep theirs, the others fill the lowest free numbers in document order. A value
/// bound by name takes the place of its slot in the text; without such a slot it follows the numbered ones.
fn number(bound: &[Bound], body: Option<&Body>) -> Vec<Numbered> {
    let mut numbered: BTreeMap<u32, Vec<&Bound>> = BTreeMap::new();
    let mut named: Vec<(u32, &Bound)> = Vec::new();
    let mut free: Vec<&Bound> = Vec::new();
    for b in bound {
        match &b.slot {
            Some(SlotKey::Number(n) | SlotKey::From(n)) => numbered.entry(*n).or_default().push(b),
            Some(SlotKey::Name(name)) => named.push((before(name, body), b)),
            Some(SlotKey::Any) | None => free.push(b),
        }
    }
    let mut next = 1;
    for concept in free {
        while numbered.contains_key(&next) {
            next += 1;
        }
        numbered.insert(next, vec![concept]);
    }
    let keep = named.is_empty() && numbered.values().all(|v| v.len() == 1);
    let mut order: Vec<Numbered> = Vec::new();
    let mut count = 0;
    let mut put = |bound: &Bound, number: u32, order: &mut Vec<Numbered>| {
        count += 1;
        order.push((bound.concept, bound.part.clone(), if keep { number } else { count }));
    };
    for (n, concepts) in numbered {
        named.retain(|(at, concept)| {
            let here = *at <= n;
            if here {
                put(concept, n, &mut order);
            }
            !here
        });
        concepts.into_iter().for_each(|c| put(c, n, &mut order));
    }
    named.into_iter().for_each(|(_, c)| put(c, 0, &mut order));
    order
}

/// The first numbered slot after a named one in the text.
fn before(name: &str, body: Option<&Body>) -> u32 {
    let slots = body.map_or(&[][..], |b| b.slots.as_slice());
    let at = slots.iter().position(|s| matches!(&s.key, SlotKey::Name(n) if **n == *name));
    let after = at.map_or(&[][..], |at| slots.get(at + 1..).unwrap_or_default());
    let number = |key: &SlotKey| match key {
        SlotKey::Number(n) | SlotKey::From(n) => Some(*n),
        _ => None,
    };
    after.iter().find_map(|s| number(&s.key)).unwrap_or(u32::MAX)
}

impl Resolver<'_> {
    /// The canonical name of an occurrence.
    fn canonical(&self, value: &Value) -> String {
        Indices::name(&self.key(value, None))
    }

    /// The numbers of an inference's values, with what does not fit reported.
    pub(super) fn value_order(&mut self, line: NodeId, values: &[(NodeId, ConceptId)], body: &Body) -> Order {
        let mut bound = bind(self, values);
        self.clashes(&bound);
        if self.tree.dialect != Dialect::Legacy
            && self.tree.dialect != Dialect::Flat
            && !body.slots.is_empty()
        {
            self.not_bound(&mut bound);
        }
        let numbered = number(&bound, Some(body));
        self.unfilled(line, &bound, &numbered, body);
        let mut order = Order::default();
        for (concept, part, number) in numbered {
            let Some(part) = part else {
                order.values.push((concept, number));
                continue;
            };
            let rest = bound.iter().any(|b| {
                b.concept == concept
                    && b.part.as_ref() == Some(&part)
                    && matches!(b.slot, Some(SlotKey::From(_)))
            });
            let mut fields = Map::new();
            // The record may stand in a list of one.
            fields.insert("index".to_owned(), Json::from(0));
            fields.insert("key".to_owned(), Json::from(part.as_ref()));
            if rest {
                fields.insert("unpack".to_owned(), Json::from(true));
            }
            let key = part.trim_matches(['{', '}', '[', ']', '<', '>']);
            let key = Arc::from(key);
            order.selectors.push(Selector { key, source: concept, number: Some(number), fields });
        }
        for b in bound.iter().filter(|b| b.part.is_none()) {
            let value = self.tree.node(b.node).and_then(|n| n.concept.value());
            let fields = value.map(own_selector).unwrap_or_default();
            if !fields.is_empty() {
                let key = Arc::from(self.table.name(b.concept));
                order.selectors.push(Selector { key, source: b.concept, number: None, fields });
            }
        }
        order
    }

    /// Two values on one slot.
    fn clashes(&mut self, bound: &[Bound]) {
        let mut seen: BTreeMap<&SlotKey, &Bound> = BTreeMap::new();
        for b in bound {
            let Some(slot) = b.slot.as_ref().filter(|s| !matches!(s, SlotKey::Any | SlotKey::From(_))) else {
                continue;
            };
            let Some(first) = seen.insert(slot, b) else { continue };
            let (Some(one), Some(two)) = (self.tree.node(first.node), self.tree.node(b.node)) else {
                continue;
            };
            let slot = shown_slot(slot);
            let diagnostic = Diagnostic::at(Code::NC058, two.span, format!("two values on slot `{slot}`"))
                .severity(Severity::Error)
                .also(one.span, "the first one")
                .help("give each value a slot of its own, like `<:{2}>`");
            self.report(diagnostic);
        }
    }

    /// In current plans a value without a slot that is computed for others is only waited for.
    fn not_bound(&mut self, bound: &mut Vec<Bound>) {
        let any = bound.iter().any(|b| b.slot.is_some());
        if !any {
            return;
        }
        let mut dropped = Vec::new();
        bound.retain(|b| {
            let lines = self.table.concept(b.concept).map_or(0, |c| c.lines.len());
            let waits = b.slot.is_none() && self.scopes.function(b.node).is_some() && lines > 1;
            if b.slot.is_none() && !waits {
                dropped.push((b.node, b.concept));
            }
            !waits
        });
        let order = number(bound, None);
        // Beside named slots the numbers of the others follow from the text.
        let plain = !bound.iter().any(|b| matches!(b.slot, Some(SlotKey::Name(_))));
        for (node, concept) in dropped {
            let Some(line) = self.tree.node(node) else { continue };
            let message = format!("`{}` has no slot; it takes the lowest free one", shown(&line.text));
            let mut diagnostic =
                Diagnostic::at(Code::NC057, line.span, message).help("write its slot, like `<:{1}>`");
            let taken = order.iter().find(|(c, ..)| *c == concept).filter(|_| plain);
            if let (Some((.., slot)), Some(value)) = (taken, line.concept.value()) {
                let end = line.span_of(value.part).end;
                let insert =
                    Edit { span: Span { start: end, end, ..line.span }, text: format!("<:{{{slot}}}>") };
                diagnostic = diagnostic.fix(format!("write `<:{{{slot}}}>`"), vec![insert]);
            }
            self.report(diagnostic);
        }
    }

    /// Slots without a value, and numbers beyond the text's slots.
    fn unfilled(&mut self, line: NodeId, bound: &[Bound], order: &[Numbered], body: &Body) {
        let Some(node) = self.tree.node(line) else { return };
        let mut last = 0;
        let mut missing = Vec::new();
        for slot in &body.slots {
            match &slot.key {
                SlotKey::Number(n) => {
                    last = last.max(*n);
                    if !slot.query && !order.iter().any(|(.., k)| k == n) && order.len() < *n as usize {
                        missing.push((node.span_of(slot.part), n.to_string()));
                    }
                }
                SlotKey::From(_) | SlotKey::Any => last = u32::MAX,
                SlotKey::Name(name) => {
                    let filled = bound.iter().any(|b| matches!(&b.slot, Some(SlotKey::Name(n)) if n == name));
                    if !slot.query && !filled && !is_output(name) {
                        missing.push((node.span_of(slot.part), name.to_string()));
                    }
                }
            }
        }
        for (span, slot) in missing {
            let message = format!("no value is given for slot `{{{slot}}}`");
            self.report(
                Diagnostic::at(Code::NC058, span, message)
                    .help(format!("add a line `<- {{x}}<:{{{slot}}}>` below the concept")),
            );
        }
        if last == 0 {
            return;
        }
        for b in bound {
            let Some(SlotKey::Number(n)) = &b.slot else { continue };
            let Some(value) = self.tree.node(b.node).filter(|_| *n > last) else { continue };
            let message = format!(
                "`{}` goes to slot `{{{n}}}`, the text has slots up to `{{{last}}}`",
                shown(&value.text)
            );
            self.report(
                Diagnostic::at(Code::NC058, value.span, message)
                    .also(node.span_of(body.part), "the text of the step")
                    .help("add the slot to the text, or change the number"),
            );
        }
    }
}

/// Slots that say where a result goes, not what is read.
fn is_output(name: &str) -> bool {
    matches!(name, "output" | "outputs")
}

fn shown_slot(slot: &SlotKey) -> String {
    match slot {
        SlotKey::Number(n) => format!("{{{n}}}"),
        SlotKey::From(n) => format!("{{{n}+}}"),
        SlotKey::Any => "{#}".to_owned(),
        SlotKey::Name(name) => format!("{{{name}}}"),
    }
}
