//! From logical lines to the tree: parents, indices, kinds (language spec, sections 2.2, 2.7, 6 and 7.1).

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::base::{FileId, FlowIndex, Span};
use crate::diag::{Code, Diagnostic, Edit, Severity};

use super::ast::{Line, LineClass, Node, NodeId, Tree};
use super::expr::{Concept, Expr, Part, Problem, ValueKind};
use super::kind::{Dialect, IndexScheme, Kind, Marker};
use super::logical::{self, Draft, FlatHead, Joined, line_number};
use super::operation::{AssignOp, GroupOp, Semantic, TimingOp};
use super::reader::{Class, concept, shorten};
use super::{checks, declared, dialect, layout};

/// A flat index with more parts is not looked up: finding its parent takes time by the square of them.
const MAX_FLAT_PARTS: usize = 256;

/// A file whose fixes would move more lines than this gets the others once these are done.
const MOST_SHIFTS: usize = 20_000;

/// Reads a plan. Total: whatever the text, there is a tree, and everything wrong with it is reported in one pass,
/// sorted by place.
///
/// `hint` is the dialect where the file's name settles it ([`Dialect::from_extension`]); it is never needed to read
/// a line, only to say what the file is (language spec, section 1).
pub fn parse(file: FileId, text: &str, hint: Option<Dialect>) -> (Tree, Vec<Diagnostic>) {
    let mut lines = layout::lines(file, text);
    let assembled = logical::assemble(file, text, &mut lines);
    let mut builder = Builder {
        text,
        shifts: MOST_SHIFTS,
        tree: Tree {
            file,
            dialect: Dialect::Draft,
            nodes: Vec::with_capacity(assembled.drafts.len()),
            roots: Vec::new(),
            index_scheme: IndexScheme::Undeclared,
            lines,
            trailing: Vec::new(),
            loops: Vec::new(),
        },
        diagnostics: assembled.diagnostics,
        cache: FxHashMap::default(),
        stack: Vec::new(),
        flat: FxHashMap::default(),
    };
    let mut carried = Vec::new();
    let mut drafts = assembled.drafts.into_iter().peekable();
    while let Some(mut draft) = drafts.next() {
        let next = drafts.peek().filter(|n| n.flat.is_none()).map(|n| n.column);
        if draft.doubtful && builder.is_prose(&draft, next) {
            builder.prose(&draft);
            carried.append(&mut draft.leading);
            carried.append(&mut draft.annotations);
            continue;
        }
        if !carried.is_empty() {
            carried.append(&mut draft.leading);
            draft.leading = std::mem::take(&mut carried);
        }
        builder.node(draft);
    }
    carried.extend(assembled.trailing);
    builder.tree.trailing = carried;
    builder.finish(text, hint)
}

struct Builder<'t> {
    text: &'t str,
    /// Lines that fixes of an indentation may still move.
    shifts: usize,
    tree: Tree,
    diagnostics: Vec<Diagnostic>,
    /// Each distinct text is read once.
    cache: FxHashMap<(Class, Arc<str>), Arc<Concept>>,
    /// Columns and nodes from the root to the last line.
    stack: Vec<(u32, NodeId)>,
    /// Flat lines by the parts of their index.
    flat: FxHashMap<Box<[u32]>, NodeId>,
}

/// A plan wrapped in a perceptual sign: `%d9f(..` (NC017).
fn is_wrapped_in_sign(text: &str) -> bool {
    text.strip_prefix('%')
        .map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric()))
        .is_some_and(|rest| rest.starts_with('('))
}

impl Builder<'_> {
    fn read(&mut self, text: &Arc<str>, class: Class) -> Arc<Concept> {
        let key = (class, Arc::clone(text));
        Arc::clone(self.cache.entry(key).or_insert_with(|| Arc::new(concept(text, class))))
    }

    /// A markerless line where a root would stand: a concept, or a line with children, is one (section 2.6).
    fn is_prose(&mut self, draft: &Draft, next: Option<u32>) -> bool {
        let has_children = next.is_some_and(|n| n >= draft.column.saturating_add(2));
        if has_children || is_wrapped_in_sign(&draft.text.text) {
            return false;
        }
        let read = self.read(&Arc::from(draft.text.text.as_str()), Class::Value);
        matches!(read.expr, Expr::Informal | Expr::Empty)
            && !read.problems.iter().any(|p| p.code == Code::NC018)
    }

    fn prose(&mut self, draft: &Draft) {
        logical::settle(&mut self.tree.lines, draft, None);
        let message = format!("prose outside the plan is ignored: `{}`", shorten(&draft.text.text));
        self.diagnostics.push(
            Diagnostic::at(Code::NC015, draft.text.span, message)
                .help("write `/:` before it if it is a comment, or a marker if it is a concept"),
        );
    }

    fn node(&mut self, mut draft: Draft) {
        let id = NodeId::new(self.tree.nodes.len());
        logical::settle(&mut self.tree.lines, &draft, Some(id));
        self.annotation_without_pipe(&mut draft);
        let Joined { text, map, span } = std::mem::replace(&mut draft.text, Joined::new(self.tree.file, 0));
        let text: Arc<str> = Arc::from(text);
        let (source, map) = match draft.flat.as_ref().and_then(|f| f.prefix.as_ref()) {
            Some((prefix, at)) => (Arc::from(format!("{prefix}{text}")), map.behind(prefix.len(), *at)),
            None => (Arc::clone(&text), map),
        };
        let marker = match &draft.flat {
            Some(flat) if draft.marker == Marker::None => self.flat_marker(flat, &source),
            _ => draft.marker,
        };
        let class = if marker == Marker::Function { Class::Function } else { Class::Value };
        let read = self.read(&source, class);
        let wrapped_in_sign = draft.doubtful && is_wrapped_in_sign(&source);
        let span = if span.is_empty() { Span { end: span.start, ..span } } else { span };
        let mut node = Node {
            line: line_number(draft.line),
            depth: 0,
            marker,
            text,
            source,
            map,
            span,
            kind: if wrapped_in_sign { Kind::Informal } else { expr_kind(&read.expr) },
            concept: read,
            flow_index: FlowIndex::root(1),
            flat: draft.flat.is_some(),
            declared_index: None,
            sequence: None,
            heads: None,
            annotations: std::mem::take(&mut draft.annotations),
            leading: std::mem::take(&mut draft.leading),
            parent: None,
            children: Vec::new(),
        };
        // Inline parts come first, also when a wrapped line has its annotations after a line of its own.
        node.annotations.sort_by_key(|a| !a.inline);
        declared::read(&mut node, &mut draft, &mut self.diagnostics);
        if wrapped_in_sign {
            let message = format!("the plan is wrapped in a perceptual sign: `{}`", shorten(&node.text));
            self.diagnostics.push(
                Diagnostic::at(Code::NC017, node.span, message).help("write the goal alone: `:<:({goal})`"),
            );
        }
        match &draft.flat {
            Some(flat) => self.place_flat(&mut node, id, flat),
            None => self.place(&mut node, id, draft.column),
        }
        self.tree.nodes.push(node);
    }

    /// `({x}) 1. assignment` (NC042).
    fn annotation_without_pipe(&mut self, draft: &mut Draft) {
        let Some((len, rest)) = logical::annotation_without_pipe(&draft.text.text) else { return };
        let place = draft.text.map.span(rest);
        let line = draft.line;
        let text = draft.text.text.get(rest.start as usize..).unwrap_or("").to_owned();
        let (index, word) = text.split_once(' ').unwrap_or((text.as_str(), ""));
        let word_start = place.end.saturating_sub(u32::try_from(word.len()).unwrap_or(0));
        draft.annotations.insert(
            0,
            super::ast::Annotation {
                kind: super::ast::AnnotationKind::LegacyIndex,
                key: Some(Arc::from(index.trim_end_matches('.'))),
                key_span: Span {
                    end: place.start + u32::try_from(index.trim_end_matches('.').len()).unwrap_or(0),
                    ..place
                },
                value: Some(Arc::from(word)),
                span: place,
                value_span: Span { start: word_start, ..place },
                line: line_number(line),
                inline: true,
            },
        );
        draft.text.text.truncate(len);
        draft.text.span.end = draft.text.map.span(Part::new(0, len)).end;
        let insert = Edit { span: Span { end: place.start, ..place }, text: "| ".to_owned() };
        self.diagnostics.push(
            Diagnostic::at(Code::NC042, place, format!("annotation `{text}` without a pipe"))
                .help("write `|` before it")
                .fix("write `|` before it", vec![insert]),
        );
    }

    /// The marker of a flat line without one (section 2.7).
    fn flat_marker(&mut self, flat: &FlatHead, text: &Arc<str>) -> Marker {
        let read = self.read(text, Class::Function);
        let operation = expr_kind(&read.expr).family().is_some();
        if declared::is_sequence(&flat.word) && operation { Marker::Function } else { Marker::Value }
    }

    /// By columns: a child is at least two columns deeper than its parent (section 2.2).
    fn place(&mut self, node: &mut Node, id: NodeId, column: u32) {
        let mut misaligned = false;
        while let Some((above, _)) = self.stack.last() {
            if above.saturating_add(1) < column {
                break;
            }
            misaligned = above + 1 == column;
            self.stack.pop();
        }
        if misaligned {
            let line = self.tree.lines.get(node.line as usize - 1);
            let place = line.map_or(node.span, |l| Span { end: l.content, ..l.span });
            let message = "the line is one column deeper than its sibling";
            let mut diagnostic = Diagnostic::at(Code::NC011, place, message)
                .help("indent a child at least two columns deeper than its parent, and siblings alike");
            if let Some(edits) = self.shift_left(node.line as usize - 1, column) {
                diagnostic = diagnostic.fix("move it one column to the left, with what follows it", edits);
            }
            self.diagnostics.push(diagnostic);
        }
        let parent = self.stack.last().map(|(_, p)| *p);
        self.attach(node, id, parent);
        self.stack.push((column, id));
    }

    /// Takes one blank from the line at `first` and from all lines after it that are as deep, up to the next concept
    /// line that is not: nothing changes among them, and the first comes to stand under its sibling. None when one of
    /// them is not indented by blanks at its end, and when there are too many.
    fn shift_left(&mut self, first: usize, column: u32) -> Option<Vec<Edit>> {
        let mut edits = Vec::new();
        for line in self.tree.lines.get(first..)? {
            if line.class == LineClass::Blank {
                continue;
            }
            if line.column < column {
                if line.class == LineClass::Concept {
                    break;
                }
                continue;
            }
            let blanks = self.text.get(line.span.start as usize..line.content as usize)?;
            let last = blanks.chars().next_back().filter(|c| *c != '\t')?;
            let start = line.content.checked_sub(u32::try_from(last.len_utf8()).ok()?)?;
            self.shifts = self.shifts.checked_sub(1)?;
            edits.push(Edit { span: Span { start, end: line.content, ..line.span }, text: String::new() });
        }
        Some(edits)
    }

    /// By index: the parent is the line whose index is the longest proper prefix (section 2.7).
    fn place_flat(&mut self, node: &mut Node, id: NodeId, flat: &FlatHead) {
        let index: Option<FlowIndex> = flat.index.parse().ok();
        let index = index.filter(|i| i.parts().len() <= MAX_FLAT_PARTS);
        let Some(index) = index else {
            let message = format!("`{}` is no flow index that can be read", shorten(&flat.index));
            self.diagnostics.push(
                Diagnostic::at(Code::NC020, flat.index_span, message)
                    .help(format!("write at most {MAX_FLAT_PARTS} numbers joined by dots")),
            );
            return self.attach(node, id, None);
        };
        let parts = index.parts();
        let mut above = (1..parts.len()).rev();
        let parent = above.find_map(|n| self.flat.get(parts.get(..n)?).copied().map(|p| (n, p)));
        let direct = parent.is_some_and(|(n, _)| n + 1 == parts.len());
        if parts.len() > 1 && !direct {
            let missing = index.parent().map(|p| p.to_string()).unwrap_or_default();
            let message = format!("no line `{missing}` above `{index}`");
            self.diagnostics.push(
                Diagnostic::at(Code::NC020, flat.index_span, message)
                    .help(format!("add the line `{missing}`, or correct the index")),
            );
        }
        if let Some(other) = self.flat.get(parts).copied() {
            let message = format!("flow index `{index}` is written twice");
            let first = self.tree.node(other).map_or(flat.index_span, |n| n.span);
            self.diagnostics.push(
                Diagnostic::at(Code::NC030, flat.index_span, message)
                    .severity(Severity::Error)
                    .also(first, "first here")
                    .help("give each line an index of its own"),
            );
        } else {
            self.flat.insert(Box::from(parts), id);
        }
        self.attach(node, id, parent.map(|(_, p)| p));
        node.flow_index = index;
    }

    fn attach(&mut self, node: &mut Node, id: NodeId, parent: Option<NodeId>) {
        node.parent = parent;
        let above = parent.and_then(|p| self.tree.nodes.get_mut(p.index()));
        let Some(above) = above else {
            self.tree.roots.push(id);
            node.flow_index = FlowIndex::root(ordinal(self.tree.roots.len()));
            return;
        };
        above.children.push(id);
        node.depth = above.depth + 1;
        node.flow_index = above.flow_index.child(ordinal(above.children.len()));
    }

    fn finish(mut self, text: &str, hint: Option<Dialect>) -> (Tree, Vec<Diagnostic>) {
        settle_kinds(&mut self.tree);
        self.tree.dialect = hint.unwrap_or_else(|| dialect::detect(&self.tree));
        let sentences = matches!(hint, Some(Dialect::Draft | Dialect::Natural));
        let diagnostics = &mut self.diagnostics;
        for node in &self.tree.nodes {
            // A root in a perceptual sign has been reported as such.
            if !(node.marker == Marker::None && is_wrapped_in_sign(&node.source)) {
                diagnostics.extend(node.concept.problems.iter().map(|p| diagnostic(node, p, sentences)));
            }
        }
        dialect::check(&self.tree, diagnostics);
        declared::check(&mut self.tree, diagnostics);
        checks::check(&mut self.tree, diagnostics);
        if self.tree.nodes.is_empty() {
            let empty = self.tree.lines.iter().all(|l| l.class == LineClass::Blank);
            let message = if empty { "the file is empty" } else { "no plan in the file" };
            let span = Span::new(self.tree.file, 0, 0);
            let span = first_text(&self.tree.lines).unwrap_or(span);
            let help = "a plan starts with its goal: `:<:({goal})`";
            diagnostics.push(Diagnostic::at(Code::NC002, span, message).help(help));
        }
        debug_assert!(self.tree.lines.iter().all(|l| text.is_char_boundary(l.span.start as usize)));
        diagnostics.sort_by_key(|d| (d.primary.as_ref().map_or(0, |p| p.span.start), d.code));
        (self.tree, self.diagnostics)
    }
}

fn first_text(lines: &[Line]) -> Option<Span> {
    let line = lines.iter().find(|l| l.class != LineClass::Blank)?;
    Some(Span { start: line.content, ..line.span })
}

fn ordinal(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// A problem of a text at the place of a line. Where sentences are expected, one may begin with a bracket.
fn diagnostic(node: &Node, problem: &Problem, sentences: bool) -> Diagnostic {
    let span = node.span_of(problem.part);
    let mut diagnostic = Diagnostic::at(problem.code, span, problem.message.clone());
    if problem.error {
        diagnostic = diagnostic.severity(Severity::Error);
    }
    if sentences && problem.code == Code::NC018 {
        diagnostic = diagnostic.severity(Severity::Warning);
    }
    if let Some(help) = &problem.help {
        diagnostic = diagnostic.help(help.clone());
    }
    if let Some((part, text)) = &problem.replacement {
        let place = match part.start == part.end {
            // Behind the last byte before it: the text may go on elsewhere in the file.
            true if part.start > 0 => {
                let end = node.span_of(Part { start: 0, end: part.start }).end;
                Span { start: end, end, ..span }
            }
            _ => node.span_of(*part),
        };
        diagnostic =
            diagnostic.fix(format!("write `{text}`"), vec![Edit { span: place, text: text.clone() }]);
    }
    diagnostic
}

/// The kind a text has by itself; of a semantic operation, judgement only when its text says so.
pub(super) fn expr_kind(expr: &Expr) -> Kind {
    match expr {
        Expr::Value(value) => match value.kind {
            ValueKind::Object => Kind::Object,
            ValueKind::Relation => Kind::Relation,
            ValueKind::Proposition => Kind::Proposition,
            ValueKind::Subject => Kind::Subject,
        },
        Expr::Looping(_) => Kind::LoopingEvery,
        Expr::Assigning(assigning) => match assigning.op {
            AssignOp::Specification => Kind::Specification,
            AssignOp::Continuation => Kind::Continuation,
            AssignOp::Identity => Kind::Identity,
            AssignOp::Abstraction => Kind::Abstraction,
            AssignOp::Selection => Kind::Selection,
            AssignOp::Nominalization => Kind::Nominalization,
        },
        Expr::Grouping(grouping) => match grouping.op {
            GroupOp::In => Kind::GroupingIn,
            GroupOp::Across => Kind::GroupingAcross,
        },
        Expr::Timing(timing) => match timing.op {
            TimingOp::If => Kind::TimingIf,
            TimingOp::IfNot => Kind::TimingIfNot,
            TimingOp::After => Kind::TimingAfter,
            TimingOp::By => Kind::TimingBy,
            TimingOp::Action => Kind::TimingAction,
            TimingOp::Sequence => Kind::TimingSequence,
        },
        Expr::Input(_) => Kind::Input,
        Expr::Method(_) => Kind::Method,
        Expr::Semantic(semantic) if semantic.assertion.is_some() => Kind::Judgement,
        Expr::Semantic(_) => Kind::Imperative,
        Expr::Informal => Kind::Informal,
        Expr::Empty => Kind::Empty,
    }
}

/// Decides between imperative and judgement (section 5.5), then what each line heads.
pub(super) fn settle_kinds(tree: &mut Tree) {
    for at in 0..tree.nodes.len() {
        let Some(node) = tree.nodes.get(at) else { continue };
        if node.kind == Kind::Informal {
            continue;
        }
        if let Expr::Semantic(semantic) = &node.concept.expr {
            let kind = semantic_kind(tree, node, semantic);
            if let Some(node) = tree.nodes.get_mut(at) {
                node.kind = kind;
            }
        }
    }
    for at in 0..tree.nodes.len() {
        let heads = tree.function(NodeId::new(at)).and_then(|(_, f)| f.kind.family());
        if let Some(node) = tree.nodes.get_mut(at) {
            node.heads = heads;
        }
    }
}

fn semantic_kind(tree: &Tree, node: &Node, semantic: &Semantic) -> Kind {
    // The value line an operation belongs to: the parent of a function line, the line itself elsewhere.
    let line = match node.marker {
        Marker::Function => node.parent.and_then(|p| tree.node(p)),
        _ => Some(node),
    };
    let word = line.and_then(|l| l.sequence.as_ref()).map_or("", |s| s.word.as_ref());
    if word.starts_with("judgement") {
        return Kind::Judgement;
    }
    if word.starts_with("imperative") {
        return Kind::Imperative;
    }
    let target = line.is_some_and(|l| l.kind == Kind::Proposition);
    if semantic.assertion.is_some() || (semantic.body.angle && target) {
        return Kind::Judgement;
    }
    // The braces of `<{..}>` are the current form of a judgement, whatever it is for.
    let current = semantic.body.angle && semantic.subject == super::operation::Subject::Unwritten;
    if current { Kind::Judgement } else { Kind::Imperative }
}
