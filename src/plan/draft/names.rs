//! The names of a draft: which concept a value line stands for, and of which kind that is (language spec, section
//! 5.9). One name is of one kind wherever it is written.

use rustc_hash::FxHashMap;

use crate::syntax::{AnnotationKind, Expr, Marker, Node, NodeId, Tree, Value, ValueKind, read_concept};

use super::acts::without_remark;
use super::words;

/// What a value line is.
#[derive(Debug, Clone)]
pub(super) struct Name {
    /// The name without brackets.
    pub(super) bare: String,
    /// Its words, to be found in sentences.
    pub(super) words: Vec<String>,
    /// The line is a sentence.
    pub(super) sentence: bool,
    /// `X from Y` of a context line: what it is an element of.
    pub(super) from: Option<String>,
    /// The concept as a formal line has it, version included; set when the kind is known.
    pub(super) formal: String,
    /// Its kind.
    pub(super) kind: ValueKind,
}

/// Why a name is of a kind; the later wins over the earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    /// Its noun stands in the plural.
    Plural,
    /// A loop walks it or fills it.
    Loop,
    /// A judgement makes it.
    Judged,
    /// It ends in a question mark.
    Asked,
    /// `| relation` stands beside it.
    Declared,
    /// It is written in brackets somewhere.
    Written,
}

/// Names by line, kinds by name.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// By the number of the line.
    lines: Vec<Option<Name>>,
    kinds: FxHashMap<String, (Reason, ValueKind)>,
    /// A line of each key, the first.
    keys: FxHashMap<String, NodeId>,
}

impl Names {
    /// The names of all value lines; kinds as far as the line itself says them.
    pub(super) fn of(tree: &Tree) -> Self {
        let mut names = Self::default();
        for (id, node) in tree.iter() {
            let name = (node.marker != Marker::Function).then(|| names.name(node)).flatten();
            if let Some(name) = &name {
                names.keys.entry(name.words.join(" ")).or_insert(id);
            }
            names.lines.push(name);
        }
        names
    }

    fn name(&mut self, node: &Node) -> Option<Name> {
        if let Some(value) = node.concept.value() {
            return Some(self.written(node, value, false));
        }
        if !matches!(node.concept.expr, Expr::Informal) {
            return None;
        }
        // A concept in brackets with words behind it: the words are a remark.
        let head = node.source.rsplit_once(['}', ']', '>']).map_or(0, |(head, _)| head.len() + 1);
        let head = node.source.get(..head).unwrap_or("");
        if head.starts_with(['{', '[', '<'])
            && let Expr::Value(value) = read_concept(head, node.marker).expr
        {
            return Some(self.written(node, &value, true));
        }
        let mut text = without_remark(&node.source);
        let asked = text.ends_with('?');
        text = text.trim_end_matches('?').trim_end();
        let mut from = None;
        if node.marker == Marker::Context
            && let Some((element, base)) = text.split_once(" from ")
        {
            (text, from) = (element.trim(), Some(base.trim().to_owned()));
        }
        if node.marker == Marker::Carry {
            let end = [" with ", " from "].iter().filter_map(|w| text.find(w)).min();
            text = text.get(..end.unwrap_or(text.len())).unwrap_or(text).trim();
        }
        let bare = words::balanced(text);
        if bare.is_empty() {
            return None;
        }
        if asked {
            self.note(&bare, Reason::Asked, ValueKind::Proposition);
        }
        if let Some(kind) = declared(node) {
            self.note(&bare, Reason::Declared, kind);
        }
        if words::is_plural(&bare) {
            self.note(&bare, Reason::Plural, ValueKind::Relation);
        }
        let words = words::words(&bare);
        Some(Name { bare, words, sentence: true, from, formal: String::new(), kind: ValueKind::Object })
    }

    fn written(&mut self, node: &Node, value: &Value, sentence: bool) -> Name {
        self.note(&value.name, Reason::Written, value.kind);
        let (open, close) = value.kind.brackets();
        let mut formal = format!("{open}{}{close}", value.name);
        if sentence {
            // The suffixes belong to the concept.
            if let Some(all) = node.source.get(..value.part.end as usize) {
                all.clone_into(&mut formal);
            }
        } else {
            formal.push_str(if value.is_query() { "?" } else { "" });
            value.versions().for_each(|v| formal.push_str(&format!("*{v}")));
        }
        Name {
            bare: value.name.as_ref().to_owned(),
            words: words::words(&value.name),
            sentence,
            from: None,
            formal,
            kind: value.kind,
        }
    }

    /// Takes a reason for a kind in; an earlier one of the same rank stays.
    pub(super) fn note(&mut self, bare: &str, reason: Reason, kind: ValueKind) {
        let entry = self.kinds.entry(bare.to_owned()).or_insert((reason, kind));
        if reason > entry.0 {
            *entry = (reason, kind);
        }
    }

    /// The same by line.
    pub(super) fn note_line(&mut self, line: NodeId, reason: Reason, kind: ValueKind) {
        if let Some(bare) = self.get(line).map(|n| n.bare.clone()) {
            self.note(&bare, reason, kind);
        }
    }

    /// Gives every name its brackets.
    pub(super) fn settle(&mut self) {
        for name in self.lines.iter_mut().flatten().filter(|n| n.formal.is_empty()) {
            name.kind = self.kinds.get(&name.bare).map_or(ValueKind::Object, |(_, kind)| *kind);
            name.formal = in_brackets(&name.bare, name.kind);
        }
    }

    pub(super) fn get(&self, line: NodeId) -> Option<&Name> {
        self.lines.get(line.index()).and_then(Option::as_ref)
    }

    pub(super) fn get_mut(&mut self, line: NodeId) -> Option<&mut Name> {
        self.lines.get_mut(line.index()).and_then(Option::as_mut)
    }

    /// A line whose name has these words.
    pub(super) fn find(&self, key: &str) -> Option<(NodeId, &Name)> {
        let id = *self.keys.get(key)?;
        Some((id, self.get(id)?))
    }
}

/// A name in the brackets of its kind, as it reads back; brackets in the name that spoil it are left out.
pub(super) fn in_brackets(bare: &str, kind: ValueKind) -> String {
    let (open, close) = kind.brackets();
    let text = format!("{open}{bare}{close}");
    let reads = |text: &str| {
        let concept = read_concept(text, Marker::Value);
        concept.value().is_some_and(|v| v.suffixes.is_empty() && v.part.end as usize == text.len())
    };
    if reads(&text) { text } else { format!("{open}{}{close}", words::bare(bare)) }
}

/// `| relation`, `| object`, `| proposition` beside a name.
fn declared(node: &Node) -> Option<ValueKind> {
    let texts = node.annotations.iter().filter(|a| a.kind == AnnotationKind::Text);
    texts.map(|a| a.text().trim()).find_map(|text| match text {
        "relation" => Some(ValueKind::Relation),
        "object" => Some(ValueKind::Object),
        "proposition" => Some(ValueKind::Proposition),
        _ => None,
    })
}
