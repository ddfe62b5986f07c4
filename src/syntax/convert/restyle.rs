//! A plan in the other formal spelling (language spec, section 11): line by line, names and notes with it. What has no
//! equal there is kept as written, and reported.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::diag::{Code, Diagnostic};
use crate::syntax::expr::Part;
use crate::syntax::reader::{Class, concept};
use crate::syntax::{
    Dialect, Expr, Input, Marker, Node, NodeId, Outline, OutlineLine, SlotKey, Suffix, Tree,
};

use super::names::Names;
use super::notes::Notes;

/// The two formal spellings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Style {
    /// `*every(..)`, `@if(..)`, `| 1.1. assigning`.
    Legacy,
    /// `*. %>(..)`, `@:'(..)`, `| ?{flow_index}: 1.1`.
    Current,
}

impl Style {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Current => "current",
        }
    }
}

/// A plan in another form, with what was kept as it was.
#[derive(Debug, Clone)]
pub struct Converted {
    /// The plan.
    pub outline: Outline,
    /// What has no equal in the form (`NC071`), in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// The text of a line in the other spelling, with annotations that now say what the text said.
#[derive(Debug, Default)]
pub(super) struct Rewritten {
    pub(super) text: String,
    pub(super) added: Vec<String>,
    /// A word of the sequence that the text no longer implies: `direct`.
    pub(super) mode: Option<&'static str>,
}

impl From<String> for Rewritten {
    fn from(text: String) -> Self {
        Self { text, ..Self::default() }
    }
}

/// Why a line keeps its text.
pub(super) type Kept = (Part, String);

pub(super) struct Restyler<'t> {
    pub(super) tree: &'t Tree,
    pub(super) style: Style,
    pub(super) names: Names<'t>,
    /// Values that must say their slot now.
    slots: FxHashMap<NodeId, u32>,
    /// Axes the plan declares, by concept.
    pub(super) axes: FxHashMap<String, Vec<String>>,
}

/// A plan in the other spelling. `text` is the text the tree was read from. Total, and stable: what is in the spelling
/// already comes back as it is.
pub fn restyle(tree: &Tree, text: &str, style: Style) -> Converted {
    let names = Names::of(tree, style);
    let axes = names.declared_axes();
    let mut restyler = Restyler { tree, style, names, slots: FxHashMap::default(), axes };
    restyler.slots = restyler.free_slots();
    let mut diagnostics = Vec::new();
    let mut modes = FxHashMap::default();
    let mut rewritten: Vec<Option<Rewritten>> = Vec::with_capacity(tree.nodes.len());
    for (id, node) in tree.iter() {
        let made = match restyler.line(id, node) {
            Ok(made) => made,
            Err((part, why)) => {
                diagnostics.push(kept(style, node, part, &why));
                // The names in it change all the same, so that it still speaks of the same concepts.
                Some(restyler.renamed_only(id, node).into())
            }
        };
        if let Some(mode) = made.as_ref().and_then(|m| m.mode) {
            modes.insert(id, mode);
        }
        rewritten.push(made);
    }
    restyler.flat_holes(&mut diagnostics);
    let mut notes = Notes::of(&restyler, &modes);
    let mut outline =
        Outline::with(tree, text, &mut |id, annotation, written| notes.change(id, annotation, written));
    for ((id, line), made) in tree.iter().map(|(id, _)| id).zip(&mut outline.lines).zip(rewritten) {
        notes.finish(id, line);
        if let Some(made) = made {
            line.text = made.text;
            line.below.splice(0..0, made.added.into_iter().map(crate::syntax::Note::annotation));
        }
    }
    outline.lines = restyler.contexts(outline.lines);
    let all = diagnostics.is_empty() && tree.nodes.iter().all(|n| !n.concept.has_unread());
    restyler.settle_dialect(&mut outline, all);
    Converted { outline, diagnostics }
}

fn kept(style: Style, node: &Node, part: Part, why: &str) -> Diagnostic {
    let text = crate::syntax::reader::shorten(node.text_of(part));
    let message = format!("`{text}` has no equal in the {} form: {why}", style.word());
    Diagnostic::at(Code::NC071, node.span_of(part), message)
        .help("it is kept as it is written; both spellings may stand in one plan")
}

pub(super) fn whole(node: &Node) -> Part {
    Part::new(0, node.source.len())
}

impl Restyler<'_> {
    /// The new text of a line; none when it stays.
    fn line(&self, id: NodeId, node: &Node) -> Result<Option<Rewritten>, Kept> {
        if node.concept.has_unread() {
            return Ok(None);
        }
        if node.marker != Marker::Function {
            return Ok(self.value_line(id, node).map(Rewritten::from));
        }
        let first = node.parent.is_none_or(|p| self.names.function(p) == Some(id));
        if !first && !matches!(node.concept.expr, Expr::Timing(_)) {
            // A second function is a mistake; only its names follow.
            return Ok(Some(self.renamed_only(id, node).into()));
        }
        let made = match &node.concept.expr {
            Expr::Looping(l) => self.looping(id, node, l)?,
            Expr::Assigning(a) => self.assigning(id, node, a)?,
            Expr::Grouping(g) => self.grouping(id, node, g)?,
            Expr::Timing(t) => self.timing(id, node, t)?,
            Expr::Semantic(s) => self.semantic(id, node, s)?,
            Expr::Input(i) => Some(self.input(id, node, i).into()),
            _ => None,
        };
        let Some(made) = made else { return Ok(None) };
        // An imperative or judgement has been read again already.
        if made.text == *node.source || matches!(node.concept.expr, Expr::Semantic(_)) {
            return Ok(Some(made));
        }
        // A text that reads as something else is none: names may hold signs that mean more in the other spelling.
        let read = concept(&made.text, Class::Function);
        let alike = std::mem::discriminant(&read.expr) == std::mem::discriminant(&node.concept.expr);
        if !alike || read.has_unread() || read.tail.is_some() {
            return Err((whole(node), "a name in it would be read in another way".to_owned()));
        }
        Ok(Some(made))
    }

    fn renamed_only(&self, id: NodeId, node: &Node) -> String {
        let values = super::names::written_values(&node.concept);
        let mut edits: Vec<(Part, String)> =
            values.map(|v| (v.part, self.names.value(id, node, v))).collect();
        if let Expr::Semantic(semantic) = &node.concept.expr {
            edits.extend(self.body_edits(id, node, &semantic.body));
        }
        apply(&node.source, edits)
    }

    fn value_line(&self, id: NodeId, node: &Node) -> Option<String> {
        let value = node.concept.value()?;
        let mut edits = vec![(value.part, self.names.value(id, node, value))];
        edits.extend(self.suffixes(id, node, &node.concept.suffixes));
        let mut text = apply(&node.source, edits);
        if let Some(number) = self.slots.get(&id) {
            text.push_str(&format!("<:{{{number}}}>"));
        }
        Some(text)
    }

    pub(super) fn suffixes(&self, id: NodeId, node: &Node, suffixes: &[Suffix]) -> Vec<(Part, String)> {
        let current = self.names.current(id);
        let edits =
            suffixes.iter().filter_map(|s| Some((s.part, self.names.suffix(id, node, &s.kind, current)?)));
        edits.collect()
    }

    fn input(&self, id: NodeId, node: &Node, input: &Input) -> String {
        let mut edits = self.body_edits(id, node, &input.body);
        edits.extend(input.asked.iter().map(|v| (v.part, self.names.value(id, node, v))));
        apply(&node.source, edits)
    }

    /// In legacy plans a value without a slot takes the lowest free one; in current plans that must be said when
    /// others have theirs (language spec, section 9).
    fn free_slots(&self) -> FxHashMap<NodeId, u32> {
        let mut free = FxHashMap::default();
        if self.style != Style::Current || !matches!(self.tree.dialect, Dialect::Legacy | Dialect::Flat) {
            return free;
        }
        for (head, _) in self.tree.iter() {
            let function = self.names.function(head).and_then(|f| self.tree.node(f));
            let body = match function.map(|f| &f.concept.expr) {
                Some(Expr::Semantic(s)) => &s.body,
                Some(Expr::Input(i)) => &i.body,
                _ => continue,
            };
            if !body.slots.is_empty() {
                self.free_slots_of(head, &mut free);
            }
        }
        free
    }

    fn free_slots_of(&self, head: NodeId, found: &mut FxHashMap<NodeId, u32>) {
        let mut taken = BTreeSet::new();
        let mut seen = FxHashSet::default();
        let mut free = Vec::new();
        let mut bound = false;
        for (child, line) in self.tree.values(head) {
            let Some(value) = line.concept.value() else { continue };
            if !seen.insert(super::names::exact(value, self.names.current(child))) {
                continue;
            }
            bound |= value.placement().is_some();
            match value.placement() {
                Some(SlotKey::Number(n) | SlotKey::From(n)) => {
                    taken.insert(*n);
                }
                Some(SlotKey::Name(_)) => {}
                Some(SlotKey::Any) | None => free.push((child, value.placement().is_none())),
            }
        }
        if bound {
            let numbers = (1..).filter(|n| !taken.contains(n));
            found.extend(
                free.into_iter().zip(numbers).filter(|((_, open), _)| *open).map(|((c, _), n)| (c, n)),
            );
        }
    }

    /// Adds and leaves out the `<*` lines of loops.
    fn contexts(&self, lines: Vec<OutlineLine>) -> Vec<OutlineLine> {
        if self.names.added.is_empty() && self.names.removed.is_empty() {
            return lines;
        }
        let mut out: Vec<OutlineLine> = Vec::with_capacity(lines.len());
        // Lines that still get children: depth and id, innermost last.
        let mut open: Vec<(u32, NodeId)> = Vec::new();
        let close = |open: &mut Vec<(u32, NodeId)>, out: &mut Vec<OutlineLine>, depth: u32| {
            while let Some((above, id)) = open.pop_if(|(above, _)| *above >= depth) {
                for text in self.names.added.get(&id).into_iter().flatten() {
                    out.push(OutlineLine::new(above + 1, Marker::Context, text));
                }
            }
        };
        for ((id, _), line) in self.tree.iter().zip(lines) {
            close(&mut open, &mut out, line.depth);
            if self.names.removed.contains(&id) {
                continue;
            }
            if self.names.added.contains_key(&id) {
                open.push((line.depth, id));
            }
            out.push(line);
        }
        close(&mut open, &mut out, 0);
        out
    }

    /// A plan that nothing tells apart gets a mark of its spelling: what it compiles to depends on it.
    fn settle_dialect(&self, outline: &mut Outline, all: bool) {
        let signs: &[&str] = match self.style {
            Style::Current => &["*. %", "$. %", "$+ %", "$= %", "&[", "@:", "@.("],
            Style::Legacy => &["*every", "$.(", "$+(", "$=(", "&in", "&across", "@if", "@after"],
        };
        // One operator of the current spelling settles it; the legacy one must have no other beside it.
        let sure = self.style == Style::Current || all;
        let says =
            |l: &OutlineLine| l.marker == Marker::Function && signs.iter().any(|s| l.text.starts_with(s));
        if sure && outline.lines.iter().any(says) {
            return;
        }
        let text = outline.print();
        let (tree, _) = crate::syntax::parse(self.tree.file, &text, None);
        let fits = match self.style {
            Style::Current => matches!(tree.dialect, Dialect::Current | Dialect::Paired | Dialect::Draft),
            Style::Legacy => matches!(tree.dialect, Dialect::Legacy | Dialect::Paired | Dialect::Draft),
        };
        let mixed = tree.nodes.iter().any(|n| n.concept.has_unread());
        if fits || mixed || tree.nodes.first().is_none_or(|n| n.declared_index.is_some()) {
            return;
        }
        if let Some(root) = outline.lines.first_mut() {
            root.inline.insert(
                0,
                match self.style {
                    Style::Current => "?{flow_index}: 1".to_owned(),
                    Style::Legacy => "1.".to_owned(),
                },
            );
        }
    }

    /// A flat plan may number its lines with holes; indented lines cannot.
    fn flat_holes(&self, diagnostics: &mut Vec<Diagnostic>) {
        let mut indices: Vec<crate::base::FlowIndex> = Vec::with_capacity(self.tree.nodes.len());
        let mut counts = vec![0u32; self.tree.nodes.len()];
        let mut roots = 0;
        let mut said = false;
        if !self.tree.nodes.iter().any(|n| n.flat) {
            return;
        }
        for node in &self.tree.nodes {
            let above = node.parent.and_then(|p| Some((counts.get_mut(p.index())?, indices.get(p.index())?)));
            let index = match above {
                Some((count, above)) => {
                    *count += 1;
                    above.child(*count)
                }
                None => {
                    roots += 1;
                    crate::base::FlowIndex::root(roots)
                }
            };
            if index != node.flow_index && !std::mem::replace(&mut said, true) {
                let message =
                    format!("the line is `{}` now, and `{index}` as an indented line", node.flow_index);
                diagnostics.push(
                    Diagnostic::at(Code::NC071, node.span, message)
                        .help("number the lines without holes: every child counts"),
                );
            }
            indices.push(index);
        }
    }
}

/// A text with parts of it replaced. Parts that overlap an earlier one are left.
pub(super) fn apply(source: &str, mut edits: Vec<(Part, String)>) -> String {
    edits.sort_by_key(|(part, _)| (part.start, std::cmp::Reverse(part.end)));
    let mut out = String::new();
    let mut at = 0;
    for (part, text) in edits {
        if (part.start as usize) < at {
            continue;
        }
        out.push_str(source.get(at..part.start as usize).unwrap_or(""));
        out.push_str(&text);
        at = part.end as usize;
    }
    out.push_str(source.get(at..).unwrap_or(""));
    out
}
