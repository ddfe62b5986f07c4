//! From a tree to a plan: what every line is, then what every inference says. The parts that know one family of
//! operations are in files of their own.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::{FlowIndex, Span};
use crate::diag::{Code, Diagnostic, Severity};
use crate::syntax::{Dialect, Expr, Kind, Marker, Node, NodeId, Part, Spelling, Tree, Value};

use super::check;
use super::gates::Moved;
use super::ground;
use super::identity::{Indices, Key, is_concept};
use super::model::{ConceptId, FunctionKind, Inference, Line, Pick, Plan, Work};
use super::operands::operands;
use super::scope::{Scopes, is_loop_line};
use super::table::Table;

/// Resolves a tree. Total: what cannot be resolved is left out and reported (language spec, sections 5 to 10 and 13).
pub fn resolve(tree: &Tree) -> (Plan, Vec<Diagnostic>) {
    resolve_as(tree, false)
}

/// The same; of a draft whose sentences were read as formal lines, what they only speak of is an input.
pub(super) fn resolve_as(tree: &Tree, drafted: bool) -> (Plan, Vec<Diagnostic>) {
    let mut resolver = Resolver::new(tree);
    resolver.drafted = drafted;
    if !drafted && is_not_formal(tree) {
        resolver.not_formal();
    } else {
        resolver.survey();
        resolver.lines();
        resolver.heads();
        ground::settle(&mut resolver);
    }
    let generation = generation(tree);
    let Resolver { table, mut inferences, mut diagnostics, broken, scopes, .. } = resolver;
    inferences.sort_by(|a, b| a.flow.cmp(&b.flow));
    let roots = table
        .list
        .iter()
        .enumerate()
        .filter(|(_, c)| c.is_final)
        .map(|(i, _)| ConceptId(u32::try_from(i).unwrap_or(u32::MAX)))
        .collect();
    let plan = Plan {
        file: tree.file,
        dialect: tree.dialect,
        generation,
        index_scheme: tree.index_scheme,
        concepts: table.list,
        inferences,
        roots,
    };
    check::check(tree, &scopes, &plan, &broken, &mut diagnostics);
    diagnostics.sort_by_key(|d| d.primary.as_ref().map(|l| (l.span.start, l.span.end)));
    (plan, diagnostics)
}

/// A reader's translation, sentences alone, and a draft that holds any.
fn is_not_formal(tree: &Tree) -> bool {
    let informal = |n: &Node| matches!(n.concept.expr, Expr::Informal);
    match tree.dialect {
        Dialect::Natural => true,
        Dialect::Draft => tree.nodes.iter().any(informal),
        _ => !tree.nodes.is_empty() && tree.nodes.iter().all(informal),
    }
}

/// 1 when the plan uses legacy operators only, else 2 (repositories spec, section 7.2).
fn generation(tree: &Tree) -> u32 {
    let mut legacy = false;
    for node in &tree.nodes {
        let spelling = match &node.concept.expr {
            Expr::Looping(l) => l.spelling,
            Expr::Assigning(a) => a.spelling,
            Expr::Grouping(g) => g.spelling,
            Expr::Timing(t) => t.spelling,
            _ => Spelling::Either,
        };
        match spelling {
            Spelling::Current => return 2,
            Spelling::Legacy => legacy = true,
            Spelling::Either => {}
        }
    }
    if !legacy && matches!(tree.dialect, Dialect::Current | Dialect::Paired) { 2 } else { 1 }
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// An occurrence of a value.
    Value(ConceptId),
    /// An operation.
    Function(ConceptId),
    /// Nothing that compiles; reported.
    Broken,
}

/// Everything known while a tree is resolved.
pub(super) struct Resolver<'t> {
    pub(super) tree: &'t Tree,
    pub(super) scopes: Scopes,
    pub(super) table: Table,
    pub(super) indices: Indices,
    /// Names that are another spelling of a key: elements of current loops.
    aliases: FxHashMap<String, Key>,
    /// Canonical names of all values written anywhere.
    written: FxHashSet<String>,
    /// Keys of inner lines that head an inference.
    inner_heads: FxHashSet<Key>,
    pub(super) roles: Vec<Role>,
    pub(super) inferences: Vec<Inference>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Functions whose kind is settled by their first inference.
    pub(super) settled: FxHashSet<ConceptId>,
    /// Gates with another index than the line they gate.
    pub(super) moved: FxHashMap<NodeId, Moved>,
    /// Concepts whose inference was left out because of an error: nothing more is said about them.
    pub(super) broken: FxHashSet<ConceptId>,
    /// The lines were sentences of a draft.
    pub(super) drafted: bool,
}

/// What makes an inference.
pub(super) struct Parts {
    /// The line it is headed by.
    pub(super) head: NodeId,
    pub(super) flow: FlowIndex,
    pub(super) target: ConceptId,
    /// The line of its function.
    pub(super) function: NodeId,
    pub(super) concept: ConceptId,
    pub(super) work: Work,
    pub(super) values: Vec<ConceptId>,
    pub(super) contexts: Vec<ConceptId>,
}

/// The `<-` and `<*` children of a line that are values.
#[derive(Debug, Default)]
pub(super) struct Children {
    pub(super) values: Vec<(NodeId, ConceptId)>,
    pub(super) contexts: Vec<(NodeId, ConceptId)>,
}

impl<'t> Resolver<'t> {
    fn new(tree: &'t Tree) -> Self {
        Self {
            tree,
            scopes: Scopes::of(tree),
            table: Table::default(),
            indices: Indices::default(),
            aliases: FxHashMap::default(),
            written: FxHashSet::default(),
            inner_heads: FxHashSet::default(),
            roles: Vec::with_capacity(tree.nodes.len()),
            inferences: Vec::new(),
            diagnostics: Vec::new(),
            settled: FxHashSet::default(),
            moved: FxHashMap::default(),
            broken: FxHashSet::default(),
            drafted: false,
        }
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn not_formal(&mut self) {
        let Some(first) = self.tree.nodes.first() else { return };
        let what = match self.tree.dialect {
            Dialect::Draft => "a draft",
            Dialect::Natural => "a reader's translation",
            _ => "this plan",
        };
        let help = match self.tree.dialect {
            Dialect::Natural => "compile the plan it was made from; a translation has no operations",
            _ => {
                "`normc compile --draft` reads every sentence as a step; or write the operations formally, like \
                 `<= $.({result})`"
            }
        };
        let message = format!("{what} cannot be compiled: its lines are sentences");
        self.report(Diagnostic::at(Code::NC060, first.span, message).help(help));
    }

    /// Collects what must be known before any name can be settled: identity indices, written names, loop elements.
    fn survey(&mut self) {
        let mut keys: FxHashSet<Key> = FxHashSet::default();
        let mut heads: Vec<Key> = Vec::new();
        for (id, node) in self.tree.iter() {
            let current = self.scopes.number(self.tree, id);
            if let Some(value) = node.concept.value() {
                let key = Key::of(value, current);
                self.indices.note(&key);
                if node.parent.is_some() && self.scopes.function(id).is_some() {
                    heads.push(key.clone());
                }
                keys.insert(key);
            } else {
                for value in operands(&node.concept) {
                    let key = Key::of(value, current);
                    self.indices.note(&key);
                    keys.insert(key);
                }
            }
        }
        self.inner_heads = heads.into_iter().map(|k| self.indices.settle(k)).collect();
        self.written = keys.into_iter().map(|k| Indices::name(&self.indices.settle(k))).collect();
        self.elements();
    }

    /// In current form `{x}` and `{x}*N` are one element; the spelling the body uses wins (repositories spec,
    /// section 7.5).
    fn elements(&mut self) {
        for (id, node) in self.tree.iter() {
            let Some(value) = node.concept.value() else { continue };
            if !matches!(node.marker, Marker::Context | Marker::Carry)
                || value.element_of().is_none()
                || value.carried().is_some()
            {
                continue;
            }
            let Some(number) = self.scopes.number(self.tree, id) else { continue };
            let key = self.indices.settle(Key::of(value, None));
            let versioned = key.in_loop(number);
            if key.versions.is_empty() && self.written.contains(&Indices::name(&versioned)) {
                self.aliases.insert(Indices::name(&key), versioned);
            }
        }
    }

    /// The settled key of an occurrence.
    pub(super) fn key(&self, value: &Value, current: Option<u32>) -> Key {
        let key = self.indices.settle(Key::of(value, current));
        if self.aliases.is_empty() {
            return key;
        }
        self.aliases.get(&Indices::name(&key)).cloned().unwrap_or(key)
    }

    /// The concept of a value inside the operator on `node`; `current` is the loop number for a bare `*`.
    pub(super) fn mention(&mut self, node: NodeId, value: &Value, current: Option<u32>) -> ConceptId {
        let key = self.key(value, current);
        let id = self.table.value(&key, value);
        self.mention_at(id, node, value.part);
        id
    }

    pub(super) fn mention_at(&mut self, id: ConceptId, node: NodeId, part: Part) {
        if let Some(line) = self.tree.node(node) {
            self.table.mention(id, &line.flow_index, line.span_of(part));
        }
    }

    /// The number of the innermost loop around a line.
    pub(super) fn current(&self, node: NodeId) -> Option<u32> {
        self.scopes.number(self.tree, node)
    }

    pub(super) fn role(&self, node: NodeId) -> Role {
        self.roles.get(node.index()).copied().unwrap_or(Role::Broken)
    }

    /// What every line is, in document order.
    fn lines(&mut self) {
        for (id, node) in self.tree.iter() {
            let role = self.line(id, node);
            self.roles.push(role);
            if let Role::Value(concept) | Role::Function(concept) = role {
                let line = Line { node: id, flow: node.flow_index.clone(), span: node.span };
                self.table.line(concept, line);
            }
            if let Role::Function(concept) = role
                && let Some(natural) = ground::natural_name(node)
            {
                self.table.change(concept, |c| c.natural_name = c.natural_name.take().or(Some(natural)));
            }
            if let Role::Value(concept) = role {
                ground::annotate(self, concept, node);
                if node.parent.is_none() {
                    self.table.change(concept, |c| c.is_final = true);
                }
            }
        }
    }

    fn line(&mut self, id: NodeId, node: &Node) -> Role {
        if node.marker == Marker::Function {
            return match function_kind(node) {
                Some(kind) => Role::Function(self.table.function(&node.source, kind)),
                None => self.no_operation(node),
            };
        }
        match &node.concept.expr {
            Expr::Value(value) if is_concept(value) => Role::Value(self.value_line(id, node, value)),
            Expr::Value(_) => self.no_value(node, Some("a subject")),
            Expr::Informal => self.no_value(node, None),
            // Both are reported on reading.
            Expr::Empty | Expr::Method(_) => Role::Broken,
            _ => self.no_value(node, Some("an operation")),
        }
    }

    fn value_line(&mut self, id: NodeId, node: &Node, value: &Value) -> ConceptId {
        let key = self.key(value, self.current(id));
        if node.parent.is_none() && node.marker == Marker::Output && self.inner_heads.contains(&key) {
            let name = format!(":<:({})", Indices::name(&key));
            return self.table.named(&name, &key, value);
        }
        self.table.value(&key, value)
    }

    /// A value line that holds no value, but an operation or a sentence; what stands below it is read all the same.
    fn no_value(&mut self, node: &Node, what: Option<&str>) -> Role {
        let text = shown(&node.text);
        let reported = has_error(node) || is_unsupported(node.kind) || is_wrapped_in_sign(node);
        if reported {
            return Role::Broken;
        }
        let diagnostic = match what {
            None => Diagnostic::at(
                Code::NC060,
                node.span,
                format!("`{text}` is a sentence where a concept belongs"),
            )
            .help("write a name in brackets, like `{total}`"),
            Some(what) => Diagnostic::at(
                Code::NC060,
                node.span,
                format!("{what} stands where a value belongs: `{text}`"),
            )
            .help("write a value line and put the operation below it, as `<= ..`"),
        };
        self.report(diagnostic);
        Role::Broken
    }

    /// A function line that holds no operation; what no program runs and what is empty is reported on reading.
    fn no_operation(&mut self, node: &Node) -> Role {
        let reported = has_error(node);
        let text = shown(&node.text);
        match &node.concept.expr {
            Expr::Value(_) => self.report(
                Diagnostic::at(Code::NC063, node.span, format!("`{text}` is a value, not an operation"))
                    .help(format!("write `$.({text})` to take its value")),
            ),
            Expr::Informal if !reported => self.report(
                Diagnostic::at(Code::NC063, node.span, format!("`{text}` is no operation"))
                    .help(format!("write `::({text})` to have it done as an instruction")),
            ),
            _ => {}
        }
        Role::Broken
    }

    pub(super) fn children(&self, head: NodeId) -> Children {
        let mut children = Children::default();
        for (id, node) in self.tree.children(head) {
            let Role::Value(concept) = self.role(id) else { continue };
            match node.marker {
                Marker::Context | Marker::Carry => children.contexts.push((id, concept)),
                Marker::Function => {}
                _ => children.values.push((id, concept)),
            }
        }
        children
    }

    /// Every line with a function line heads an inference.
    fn heads(&mut self) {
        for (id, node) in self.tree.iter() {
            let Some(function) = self.scopes.function(id) else {
                if is_loop_line(self.tree, id) && node.marker == Marker::Function {
                    self.no_step(node);
                }
                continue;
            };
            self.second_function(id, function);
            let target = match self.role(id) {
                Role::Value(target) | Role::Function(target) => target,
                Role::Broken => continue,
            };
            let Role::Function(concept) = self.role(function) else {
                self.broken.insert(target);
                continue;
            };
            let before = self.inferences.len();
            self.inference(id, node, target, function, concept);
            if self.inferences.len() == before {
                self.broken.insert(target);
            }
        }
        self.same_index();
        self.record_keys();
    }

    /// What `$-` picks by the name of a concept out of a record of concepts has that concept's whole name there
    /// (repositories spec, section 3.4).
    fn record_keys(&mut self) {
        let mut records: FxHashMap<ConceptId, Vec<ConceptId>> = FxHashMap::default();
        for inference in &self.inferences {
            if let Work::Grouping(grouping) = &inference.work
                && grouping.records
            {
                records.entry(inference.target).or_default().extend(&grouping.sources);
            }
        }
        for inference in &mut self.inferences {
            let Work::Selection { source, pick: Pick::Key(key) } = &mut inference.work else { continue };
            let members = records.get(source).into_iter().flatten().filter_map(|m| self.table.concept(*m));
            if let Some(member) = members.into_iter().find(|m| *m.bare == **key) {
                *key = member.name.clone();
            }
        }
    }

    fn no_step(&mut self, node: &Node) {
        let mut diagnostic = Diagnostic::at(
            Code::NC061,
            node.span,
            "the loop does not say what one step gives",
        )
        .help(
            "write `<= $.({x})` and a line `<- {x}` below the loop line, with what computes `{x}` below that",
        );
        if let Some(first) = node.children.first().and_then(|child| self.tree.node(*child)) {
            diagnostic = diagnostic.also(first.span, "`<= ..` belongs before this line");
        }
        self.report(diagnostic);
    }

    /// A line has one function; only gates may stand side by side, and must then all hold.
    fn second_function(&mut self, head: NodeId, first: NodeId) {
        let gated = self.tree.node(first).is_some_and(|n| is_timing(n.kind));
        let more: Vec<Span> = self
            .tree
            .children(head)
            .filter(|(id, n)| n.marker == Marker::Function && *id != first)
            .filter(|(_, n)| !(gated && is_timing(n.kind)))
            .map(|(_, n)| n.span)
            .collect();
        let Some(first) = self.tree.node(first) else { return };
        for span in more {
            self.report(
                Diagnostic::at(Code::NC062, span, "a second function for one concept")
                    .also(first.span, "the first one")
                    .help("give each operation a value line of its own, and choose between the values with `$.`"),
            );
        }
    }

    fn inference(
        &mut self,
        head: NodeId,
        node: &Node,
        target: ConceptId,
        function: NodeId,
        concept: ConceptId,
    ) {
        let Some(line) = self.tree.node(function) else { return };
        if is_timing(line.kind) {
            if node.marker == Marker::Function && !is_loop_line(self.tree, head) {
                self.gates(head, node, target);
            } else {
                self.gate_alone(head, node, target, function);
            }
            return;
        }
        let work = match &line.concept.expr {
            Expr::Looping(looping) => self.looping(head, target, function, looping),
            Expr::Assigning(assigning) => self.assigning(head, target, function, assigning),
            Expr::Grouping(grouping) => self.grouping(head, target, function, grouping),
            Expr::Semantic(_) | Expr::Input(_) => self.semantic(head, target, function, concept),
            _ => None,
        };
        if let Some((work, values, contexts)) = work {
            let flow = node.flow_index.clone();
            self.push(Parts { head, flow, target, function, concept, work, values, contexts });
        }
    }

    pub(super) fn push(&mut self, parts: Parts) {
        let Parts { head, flow, target, function, concept, work, values, contexts } = parts;
        let (Some(node), Some(line)) = (self.tree.node(head), self.tree.node(function)) else { return };
        let children = self.children(head);
        let places = children.values.iter().chain(&children.contexts);
        let places = places.filter_map(|(id, c)| Some((*c, self.tree.node(*id)?.span))).collect();
        self.inferences.push(Inference {
            declared: node.deviating_index().cloned(),
            flow,
            head,
            target_span: node.span,
            function_span: line.span,
            target,
            function: concept,
            values: unique(values),
            contexts: unique(contexts),
            places,
            work,
        });
    }

    /// Two inferences with one index: possible where the source writes the indices (flat form).
    fn same_index(&mut self) {
        let mut seen: FxHashMap<FlowIndex, Span> = FxHashMap::default();
        let mut found = Vec::new();
        for inference in &self.inferences {
            if let Some(first) = seen.insert(inference.flow.clone(), inference.target_span) {
                found.push(
                    Diagnostic::at(
                        Code::NC102,
                        inference.target_span,
                        format!("flow index {} is on two lines", inference.flow),
                    )
                    .also(first, "the other one")
                    .help("give every line an index of its own"),
                );
            }
        }
        self.diagnostics.extend(found);
    }
}

/// The names in order, each once.
fn unique(mut ids: Vec<ConceptId>) -> Vec<ConceptId> {
    let mut seen = FxHashSet::default();
    ids.retain(|id| seen.insert(*id));
    ids
}

/// A text cut to what fits a headline.
pub(super) fn shown(text: &str) -> Arc<str> {
    const WIDTH: usize = 60;
    if text.chars().count() <= WIDTH {
        return Arc::from(text);
    }
    let cut: String = text.chars().take(WIDTH - 2).collect();
    Arc::from(format!("{}..", cut.trim_end()))
}

pub(super) fn is_timing(kind: Kind) -> bool {
    matches!(kind, Kind::TimingIf | Kind::TimingIfNot | Kind::TimingAfter)
}

/// The kind of an operation that compiles; none for all others.
fn function_kind(node: &Node) -> Option<FunctionKind> {
    if let Expr::Semantic(semantic) = &node.concept.expr {
        // Which of the two it is depends on the line it belongs to; the text alone settles the common case.
        let judgement = node.kind == Kind::Judgement;
        let kind = if judgement { FunctionKind::Judgement } else { FunctionKind::Imperative };
        return (!semantic.body.text.is_empty()).then_some(kind);
    }
    Some(match node.kind {
        Kind::LoopingEvery => FunctionKind::Loop,
        Kind::Specification => FunctionKind::Specification,
        Kind::Continuation => FunctionKind::Continuation,
        Kind::Identity => FunctionKind::Identity,
        Kind::Abstraction => FunctionKind::Abstraction,
        Kind::Selection => FunctionKind::Selection,
        Kind::GroupingIn => FunctionKind::GroupIn,
        Kind::GroupingAcross => FunctionKind::GroupAcross,
        Kind::TimingIf => FunctionKind::If,
        Kind::TimingIfNot => FunctionKind::IfNot,
        Kind::TimingAfter => FunctionKind::After,
        Kind::Input => FunctionKind::Input,
        _ => return None,
    })
}

/// Reading reported an error in the text of the line.
pub(super) fn has_error(node: &Node) -> bool {
    node.concept.problems.iter().any(|p| p.error || p.code.severity() == Severity::Error)
}

/// `%d9f(..`: reported on reading (`NC017`).
fn is_wrapped_in_sign(node: &Node) -> bool {
    node.text.starts_with('%') && node.text.contains('(')
}

/// Kinds that are reported on reading wherever they stand.
fn is_unsupported(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Nominalization | Kind::Method | Kind::TimingBy | Kind::TimingAction | Kind::TimingSequence
    )
}

/// Texts joined by a blank.
pub(super) fn join(before: Option<&Arc<str>>, text: &str) -> Arc<str> {
    match before {
        Some(before) if !before.is_empty() => Arc::from(format!("{before} {text}")),
        _ => Arc::from(text),
    }
}
