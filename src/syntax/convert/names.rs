//! What values are called in the other spelling: loop elements and carried values change their names, consistently
//! wherever they stand (language spec, section 11). Knows nothing of operations beyond loops.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::syntax::{
    Concept, Expr, Marker, Node, NodeId, Operand, Reference, SuffixKind, Tree, Value, data, identity,
};

use super::restyle::Style;

/// The names of a plan in the other spelling, and the lines that come and go with them.
#[derive(Debug)]
pub(super) struct Names<'t> {
    tree: &'t Tree,
    style: Style,
    /// The innermost loop line around each line.
    around: Vec<Option<NodeId>>,
    /// The first `<=` child of each line.
    functions: Vec<Option<NodeId>>,
    renamed: FxHashMap<String, String>,
    /// Every key written on a line or inside an operator, carried values left out.
    written: FxHashSet<String>,
    /// The first and the last line a key is written on.
    places: FxHashMap<String, (usize, usize)>,
    /// One past the last line below each line.
    ends: Vec<usize>,
    /// Names that stand for several concepts, told apart by `<$={N}>`.
    several: FxHashSet<String>,
    /// `<*` lines to add as last children of a line.
    pub(super) added: FxHashMap<NodeId, Vec<String>>,
    /// `<*` lines that are left out.
    pub(super) removed: FxHashSet<NodeId>,
    /// The carried values of a loop line as they are to be written, in their order.
    pub(super) carries: FxHashMap<NodeId, Vec<String>>,
}

impl<'t> Names<'t> {
    pub(super) fn of(tree: &'t Tree, style: Style) -> Self {
        let (around, functions) = around(tree);
        let mut names = Self {
            tree,
            style,
            around,
            functions,
            renamed: FxHashMap::default(),
            written: FxHashSet::default(),
            places: FxHashMap::default(),
            ends: ends(tree),
            several: FxHashSet::default(),
            added: FxHashMap::default(),
            removed: FxHashSet::default(),
            carries: FxHashMap::default(),
        };
        names.survey();
        let mut numbers = FxHashSet::default();
        let twice = tree.loops.iter().any(|l| !numbers.insert(l.number));
        for (id, node) in tree.iter() {
            let Expr::Looping(looping) = &node.concept.expr else { continue };
            if looping.bases.len() != 1 || node.parent.and_then(|p| names.function(p)) != Some(id) {
                continue;
            }
            match style {
                Style::Current if looping.spelling == crate::syntax::Spelling::Legacy => {
                    names.note_current(id, node, !twice)
                }
                Style::Legacy if looping.spelling == crate::syntax::Spelling::Current => {
                    names.note_legacy(id, node, !twice)
                }
                _ => {}
            }
        }
        names
    }

    /// The number of the innermost loop around a line.
    pub(super) fn current(&self, node: NodeId) -> Option<u32> {
        let line = self.around.get(node.index()).copied().flatten()?;
        self.tree.loop_number(line).map(|l| l.number)
    }

    fn survey(&mut self) {
        let mut indices: FxHashMap<String, u32> = FxHashMap::default();
        for (id, node) in self.tree.iter() {
            let current = self.current(id);
            for value in written_values(&node.concept) {
                if let Some(number) = value.identity()
                    && *indices.entry(identity::head(value)).or_insert(number) != number
                {
                    self.several.insert(identity::head(value));
                }
                let key = key(value, current);
                self.places
                    .entry(key.clone())
                    .and_modify(|p| p.1 = id.index())
                    .or_insert((id.index(), id.index()));
                self.written.insert(key);
            }
        }
    }

    /// A key stands on a line or in an operator.
    pub(super) fn is_written(&self, key: &str) -> bool {
        self.written.contains(key)
    }

    /// The axes a plan declares for its concepts, by key; a loop's element has those of its base but the one walked.
    pub(super) fn declared_axes(&self) -> FxHashMap<String, Vec<String>> {
        let mut axes: FxHashMap<String, Vec<String>> = FxHashMap::default();
        for (id, node) in self.tree.iter() {
            if let (Some(value), Some(found)) = (node.concept.value(), declared(node)) {
                axes.entry(key(value, self.current(id))).or_insert(found);
            }
        }
        for (id, node) in self.tree.iter() {
            let (Expr::Looping(looping), Some(number)) = (&node.concept.expr, self.tree.loop_number(id))
            else {
                continue;
            };
            let Some(base) = looping.bases.first() else { continue };
            let old = key(base, self.current(id));
            let Some(of_base) = axes.get(&old) else { continue };
            let walked = looping.axes.first().map_or(&*base.name, |a| &*a.name);
            let walked = of_base.iter().find(|a| *a == walked).or(of_base.first()).cloned();
            let rest = of_base.iter().filter(|a| Some(*a) != walked.as_ref()).cloned().collect();
            let parent = node.parent;
            let marked = parent.into_iter().flat_map(|p| self.tree.contexts(p)).find_map(|(c, n)| {
                n.concept.value().filter(|v| marks(v, base)).map(|v| key(v, self.current(c)))
            });
            let element = marked.unwrap_or_else(|| format!("{old}*{}", number.number));
            axes.entry(element).or_insert(rest);
        }
        axes
    }

    /// The first `<=` child of a line.
    pub(super) fn function(&self, id: NodeId) -> Option<NodeId> {
        self.functions.get(id.index()).copied().flatten()
    }

    fn note_current(&mut self, id: NodeId, node: &Node, rename: bool) {
        let Expr::Looping(looping) = &node.concept.expr else { return };
        let (Some(base), Some(number), Some(parent)) =
            (looping.bases.first(), self.tree.loop_number(id), node.parent)
        else {
            return;
        };
        let outer = self.current(id);
        let old_base = key(base, outer);
        // A loop that is the step of another one, and a base that is one of several of its name, keep their names.
        let in_step = self.tree.node(parent).is_some_and(|p| p.marker == Marker::Function);
        let rename = rename && !in_step && !self.several.contains(&identity::head(base));
        let base_text = match rename {
            true => self.renamed.get(&old_base).cloned().unwrap_or(old_base.clone()),
            false => self.value(id, node, base),
        };
        let old = format!("{old_base}*{}", number.number);
        let axis = looping.axes.first().map(|a| a.name.as_ref()).filter(|a| rename && *a != &*base.name);
        let wanted = axis.map(|a| format!("{{{a}}}*{}", number.number)).filter(|w| !self.written.contains(w));
        let element = wanted.unwrap_or_else(|| format!("{base_text}*{}", number.number));
        if rename && element != old {
            self.written.insert(element.clone());
            self.renamed.insert(old, element.clone());
        }
        let mut lines = Vec::new();
        if !in_step && !self.marked(parent, base) {
            lines.push(format!("{element}<$({base_text})*>"));
        }
        let mut carried = Vec::new();
        for carry in &looping.carries {
            let plain = key(&carry.value, Some(number.number));
            let versioned = format!("{plain}*{}", number.number);
            let named = carry.value.versions().next().is_some() || carry.value.carried().is_some();
            let name = if named {
                self.renamed.get(&plain).cloned().unwrap_or(plain)
            } else if rename && !self.written.contains(&plain) {
                self.written.insert(plain.clone());
                self.renamed.insert(versioned, plain.clone());
                plain
            } else {
                versioned
            };
            let text = format!("{name}*-{}", carry.lag);
            if !in_step {
                lines.push(text.clone());
            }
            carried.push(text);
        }
        self.carries.insert(id, carried);
        self.added.entry(parent).or_default().extend(lines);
    }

    /// A `<*` line beside a loop line marks the element already.
    fn marked(&self, parent: NodeId, base: &Value) -> bool {
        self.tree.contexts(parent).any(|(_, n)| n.concept.value().is_some_and(|v| marks(v, base)))
    }

    fn note_legacy(&mut self, id: NodeId, node: &Node, rename: bool) {
        let Expr::Looping(looping) = &node.concept.expr else { return };
        let (Some(base), Some(number), Some(parent)) =
            (looping.bases.first(), self.tree.loop_number(id), node.parent)
        else {
            return;
        };
        let number = number.number;
        let outer = self.current(id);
        let old_base = key(base, outer);
        let rename = rename && !self.several.contains(&identity::head(base));
        let base_text = self.renamed.get(&old_base).cloned().unwrap_or(old_base);
        // Only last children can go: the indices of the others must stay.
        let children: Vec<(NodeId, &Node)> = self.tree.children(parent).collect();
        let goes = |n: &Node| {
            let value = n.concept.value().filter(|v| marks(v, base) || v.carried().is_some());
            let bare = n.children.is_empty() && n.annotations.is_empty() && n.leading.is_empty();
            rename && bare && matches!(n.marker, Marker::Context | Marker::Carry) && value.is_some()
        };
        let last: Vec<(NodeId, &Node)> =
            children.iter().rev().take_while(|(_, n)| goes(n)).copied().collect();
        for (child, line) in last {
            let Some(value) = line.concept.value() else { continue };
            if value.carried().is_some() {
                self.removed.insert(child);
                continue;
            }
            let target = format!("{base_text}*{number}");
            let plain = key(value, None);
            if self.written.contains(&target) && target != plain {
                continue;
            }
            self.removed.insert(child);
            let versioned = format!("{plain}*{number}");
            if value.versions().next().is_none() {
                self.renamed.insert(versioned, target.clone());
            }
            self.renamed.insert(plain, target);
        }
        self.legacy_carries(id, looping, parent, number, rename);
    }

    fn legacy_carries(
        &mut self,
        id: NodeId,
        looping: &crate::syntax::Looping,
        parent: NodeId,
        number: u32,
        rename: bool,
    ) {
        let beside = self.tree.contexts(parent).filter_map(|(_, n)| {
            let value = n.concept.value()?;
            Some((value, value.carried()?))
        });
        let all: Vec<(&Value, u32)> =
            looping.carries.iter().map(|c| (&c.value, c.lag)).chain(beside).collect();
        let mut seen = FxHashSet::default();
        let mut carried = Vec::new();
        for (value, lag) in all {
            let plain = key(value, None);
            if !seen.insert(plain.clone()) {
                continue;
            }
            let versioned = format!("{plain}*{number}");
            let inside = value.versions().next().is_none() && self.only_below(parent, &plain);
            if rename && inside && !self.written.contains(&versioned) {
                carried.push(format!("{plain}<*{lag}>"));
                self.renamed.insert(plain, versioned);
            } else {
                carried.push(format!("{plain}*-{lag}"));
            }
        }
        self.carries.insert(id, carried);
    }

    /// Every line of a key stands below a line.
    fn only_below(&self, top: NodeId, wanted: &str) -> bool {
        let end = self.ends.get(top.index()).copied().unwrap_or(0);
        self.places.get(wanted).is_none_or(|(first, last)| *first > top.index() && *last < end)
    }

    /// A value as it is to be written: under its new name, its suffixes in the other spelling.
    pub(super) fn value(&self, id: NodeId, node: &Node, value: &Value) -> String {
        let current = self.current(id);
        let renamed = self.renamed.get(&key(value, current));
        let mut out = match renamed {
            Some(name) => name.clone(),
            None => node.text_of(value.head).to_owned(),
        };
        for suffix in &value.suffixes {
            let kind = &suffix.kind;
            if renamed.is_some() && matches!(kind, SuffixKind::Version(_) | SuffixKind::CurrentVersion) {
                continue;
            }
            match self.suffix(id, node, kind, current) {
                Some(text) => out.push_str(&text),
                None => out.push_str(node.text_of(suffix.part)),
            }
        }
        out
    }

    /// A suffix in the other spelling; none when it is written alike.
    pub(super) fn suffix(
        &self,
        id: NodeId,
        node: &Node,
        kind: &SuffixKind,
        current: Option<u32>,
    ) -> Option<String> {
        Some(match (kind, self.style) {
            (SuffixKind::CurrentVersion, _) => format!("*{}", current?),
            (SuffixKind::Identity(n), Style::Current) => format!("<$({{{n}}})=>"),
            (SuffixKind::Identity(n), Style::Legacy) => format!("<$={{{n}}}>"),
            (SuffixKind::Instance(of), style) => {
                format!("<$({}){}>", self.reference(id, node, of), instance_sign(style))
            }
            (SuffixKind::Identification(of), _) => format!("<$({})=>", self.reference(id, node, of)),
            (SuffixKind::LoopElement { of, back, .. }, _) => {
                let back = back.map(|k| format!("-{k}")).unwrap_or_default();
                format!("<$({})*{back}>", self.reference(id, node, of))
            }
            _ => return None,
        })
    }

    /// A name inside a clause.
    pub(super) fn reference(&self, id: NodeId, node: &Node, reference: &Reference) -> String {
        match reference {
            Reference::Value(value) => self.value(id, node, value),
            Reference::Words(words) => words.to_string(),
        }
    }
}

/// What marks an instance: `%_` in the legacy spelling.
pub(super) fn instance_sign(style: Style) -> &'static str {
    match style {
        Style::Current => "%",
        Style::Legacy => "%_",
    }
}

fn marks(value: &Value, base: &Value) -> bool {
    value.carried().is_none() && value.element_of().is_some_and(|of| of.name() == &*base.name)
}

/// The key with the number of `<$={N}>`: what tells lines of one plan apart.
pub(super) fn exact(value: &Value, current: Option<u32>) -> (String, Option<u32>) {
    (key(value, current), value.identity())
}

/// Brackets, name, `?` and loop numbers; a bare `*` has the number of the loop around it.
pub(super) fn key(value: &Value, current: Option<u32>) -> String {
    let mut key = identity::head(value);
    for suffix in &value.suffixes {
        match suffix.kind {
            SuffixKind::Query => key.push('?'),
            SuffixKind::Version(n) => key.push_str(&format!("*{n}")),
            SuffixKind::CurrentVersion => key.push_str(&current.map(|n| format!("*{n}")).unwrap_or_default()),
            _ => {}
        }
    }
    key
}

/// The values a line writes as concepts: its own, and those its operator names; carried values are not among them.
pub(super) fn written_values(concept: &Concept) -> Box<dyn Iterator<Item = &Value> + '_> {
    match &concept.expr {
        Expr::Value(value) if value.carried().is_none() => Box::new(std::iter::once(value)),
        Expr::Looping(l) => Box::new(l.bases.iter().chain(&l.results)),
        Expr::Assigning(a) => {
            let modified = a.modifiers.iter().flat_map(|m| &m.operands);
            Box::new(a.args.iter().chain(&a.after_colon).chain(modified).filter_map(Operand::value))
        }
        Expr::Grouping(g) => {
            let modified = g.modifiers.iter().flat_map(|m| &m.operands);
            Box::new(g.args.iter().chain(&g.after_colon).chain(modified).filter_map(Operand::value))
        }
        Expr::Timing(t) => Box::new(t.condition.iter()),
        _ => Box::new(std::iter::empty()),
    }
}

/// What a line declares: `%{ref_axes}`, or labels in its data.
fn declared(node: &Node) -> Option<Vec<String>> {
    if let Some(annotation) = node.referential("ref_axes") {
        let text = annotation.text().trim();
        let inner = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
        let names = inner.split([',', ';']).map(|n| n.trim().trim_matches(['"', '{', '}', '\'']).trim());
        return Some(names.filter(|n| !n.is_empty()).map(str::to_owned).collect());
    }
    let held = node.annotations.iter().filter(|a| data::holds_data(a));
    let axes = held.filter_map(|a| data::read(a.text()).ok()).map(|d| d.axes).next()?;
    if matches!(axes.as_slice(), [Some(one)] if &**one == data::NONE_AXIS) {
        return None;
    }
    axes.into_iter().map(|a| a.map(|n| n.to_string())).collect()
}

/// One past the last line below each line.
fn ends(tree: &Tree) -> Vec<usize> {
    let mut ends = vec![tree.nodes.len(); tree.nodes.len()];
    let mut open: Vec<(u32, usize)> = Vec::new();
    for (at, node) in tree.nodes.iter().enumerate() {
        while let Some((_, line)) = open.pop_if(|(depth, _)| *depth >= node.depth) {
            if let Some(end) = ends.get_mut(line) {
                *end = at;
            }
        }
        open.push((node.depth, at));
    }
    ends
}

/// The innermost loop line around each line (`<*` lines beside a loop line belong to it), and its first `<=` child.
fn around(tree: &Tree) -> (Vec<Option<NodeId>>, Vec<Option<NodeId>>) {
    let is_loop = |id: NodeId| tree.node(id).is_some_and(|n| matches!(n.concept.expr, Expr::Looping(_)));
    let mut functions: Vec<Option<NodeId>> = vec![None; tree.nodes.len()];
    for (id, node) in tree.iter().filter(|(_, n)| n.marker == Marker::Function) {
        if let Some(slot) = node.parent.and_then(|p| functions.get_mut(p.index())) {
            slot.get_or_insert(id);
        }
    }
    let mut around: Vec<Option<NodeId>> = Vec::with_capacity(tree.nodes.len());
    for node in &tree.nodes {
        let scope = node.parent.and_then(|parent| {
            if is_loop(parent) {
                return Some(parent);
            }
            let beside = matches!(node.marker, Marker::Context | Marker::Carry)
                .then(|| functions.get(parent.index()).copied().flatten())
                .flatten()
                .filter(|f| is_loop(*f));
            beside.or_else(|| around.get(parent.index()).copied().flatten())
        });
        around.push(scope);
    }
    (around, functions)
}
