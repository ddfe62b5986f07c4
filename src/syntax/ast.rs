//! The tree of a plan as read: nodes in document order, their annotations, the physical lines they came from.
//!
//! Knows spelling, not meaning: which concept a name stands for, what is ground or final, and whether a plan makes
//! sense is decided by the rooms above (language spec, sections 2, 6 and 7).

use std::sync::Arc;

use crate::base::{FileId, FlowIndex, Span};

use super::expr::{Concept, Part};
use super::kind::{Dialect, Family, IndexScheme, Kind, Marker, Sequence};
use super::spanmap::SpanMap;

/// A plan as read; never missing, however bad the text was.
#[derive(Debug, Clone)]
pub struct Tree {
    /// The file it was read from.
    pub file: FileId,
    /// The dialect: given, else detected (language spec, section 1).
    pub dialect: Dialect,
    /// All concept lines in document order.
    pub nodes: Vec<Node>,
    /// The nodes without a parent, in document order.
    pub roots: Vec<NodeId>,
    /// Which numbering explains the declared flow indices.
    pub index_scheme: IndexScheme,
    /// Every physical line, in order; together with their ends they are the whole file.
    pub lines: Vec<Line>,
    /// Comments after the last concept line that belong to none.
    pub trailing: Vec<Annotation>,
    /// The number of each loop line, in document order (language spec, section 5.1).
    pub loops: Vec<LoopNumber>,
}

impl Tree {
    /// The node of an id; none for an id of another tree.
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.index())
    }

    /// The nodes with their ids, in document order.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes.iter().enumerate().map(|(i, n)| (NodeId::new(i), n))
    }

    /// The children of a node with their ids, in document order.
    pub fn children(&self, id: NodeId) -> impl Iterator<Item = (NodeId, &Node)> {
        let children = self.node(id).map_or(&[][..], |n| n.children.as_slice());
        children.iter().filter_map(|c| Some((*c, self.node(*c)?)))
    }

    /// The last line below a node, the node itself when there is none.
    pub fn last_below(&self, id: NodeId) -> Option<&Node> {
        let mut last = self.node(id)?;
        while let Some(child) = last.children.last().and_then(|child| self.node(*child)) {
            last = child;
        }
        Some(last)
    }

    /// The function line of a node: its first `<=` child. A node that has one heads an inference (language spec,
    /// section 6).
    pub fn function(&self, id: NodeId) -> Option<(NodeId, &Node)> {
        self.children(id).find(|(_, n)| n.marker == Marker::Function)
    }

    /// The `<-` children, in document order.
    pub fn values(&self, id: NodeId) -> impl Iterator<Item = (NodeId, &Node)> {
        self.children(id).filter(|(_, n)| matches!(n.marker, Marker::Value | Marker::None | Marker::Input))
    }

    /// The `<*` and `<^` children, in document order.
    pub fn contexts(&self, id: NodeId) -> impl Iterator<Item = (NodeId, &Node)> {
        self.children(id).filter(|(_, n)| matches!(n.marker, Marker::Context | Marker::Carry))
    }

    /// The number of a loop line, written or assigned; none when the node is no loop line.
    pub fn loop_number(&self, id: NodeId) -> Option<LoopNumber> {
        let at = self.loops.binary_search_by_key(&id, |l| l.node).ok()?;
        self.loops.get(at).copied()
    }
}

/// The number of a node: its place in [`Tree::nodes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

impl NodeId {
    pub(super) fn new(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// The place in [`Tree::nodes`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One concept line.
#[derive(Debug, Clone)]
pub struct Node {
    /// Number of the first physical line, from 1.
    pub line: u32,
    /// 0 for roots, the parent's depth + 1 otherwise.
    pub depth: u32,
    /// The marker, also when it was missing and has been supplied.
    pub marker: Marker,
    /// The concept text: after the marker, without annotations, blanks collapsed, wrapped pieces joined by one
    /// blank. The qualifier of a flat line is not put back here, but it is in [`Node::source`].
    pub text: Arc<str>,
    /// The text [`Node::concept`] was read from: `text`, with the qualifier of a flat line put back in front. All
    /// [`Part`]s are ranges of it.
    pub source: Arc<str>,
    /// From [`Node::source`] back to the file.
    pub map: SpanMap,
    /// The whole concept text in the file; for continued lines it includes what stands between the pieces.
    pub span: Span,
    /// What kind of line it is.
    pub kind: Kind,
    /// The typed form of the text.
    pub concept: Arc<Concept>,
    /// Its position: counted by every concept line (scheme A), or as written on a flat line.
    pub flow_index: FlowIndex,
    /// Written as a numbered line of the flat form: the index above is the written one.
    pub flat: bool,
    /// The index the source declares on this line, with its place, also when it equals the derived one.
    pub declared_index: Option<(FlowIndex, Span)>,
    /// The sequence the source declares on this line.
    pub sequence: Option<Sequence>,
    /// The family of the operation of the first `<=` child.
    pub heads: Option<Family>,
    /// Annotations and comments: inline parts first, then the lines that belong to it.
    pub annotations: Vec<Annotation>,
    /// Comments that stand before it.
    pub leading: Vec<Annotation>,
    /// The node it stands under.
    pub parent: Option<NodeId>,
    /// The concept lines under it, in document order.
    pub children: Vec<NodeId>,
}

impl Node {
    /// The place in the file of a part of this line's concept.
    pub fn span_of(&self, part: Part) -> Span {
        self.map.span(part)
    }

    /// The text of a part of this line's concept, empty when the part is of another line.
    pub fn text_of(&self, part: Part) -> &str {
        self.source.get(part.start as usize..part.end as usize).unwrap_or("")
    }

    /// The declared index when it differs from the derived one.
    pub fn deviating_index(&self) -> Option<&FlowIndex> {
        self.declared_index.as_ref().map(|(i, _)| i).filter(|i| **i != self.flow_index)
    }

    /// Annotations of one kind and key, in order; the type hint of a key does not count.
    pub fn annotated<'a>(
        &'a self,
        kind: AnnotationKind,
        key: &'a str,
    ) -> impl Iterator<Item = &'a Annotation> + 'a {
        self.annotations.iter().filter(move |a| a.kind == kind && a.base_key() == key)
    }

    /// The first `%{key}: value` of this line.
    pub fn referential<'a>(&'a self, key: &'a str) -> Option<&'a Annotation> {
        self.annotated(AnnotationKind::Referential, key).next()
    }
}

/// What an annotation is (language spec, section 2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AnnotationKind {
    /// `?{key}: value`.
    Syntactic,
    /// `%{key}: value`.
    Referential,
    /// `1.1.2. imperative`.
    LegacyIndex,
    /// `ref. ..`, `%: ..` and so on.
    Hint,
    /// The qualifier of a flat line that belongs into its text.
    FlatQualifier,
    /// `/: text`.
    Description,
    /// `?: text`.
    Question,
    /// `...: text`.
    SourceText,
    /// `# text`, `// text`.
    Comment,
    /// Anything else.
    Text,
}

impl AnnotationKind {
    /// The name as in the parse vectors.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Syntactic => "syntactic",
            Self::Referential => "referential",
            Self::LegacyIndex => "legacy_index",
            Self::Hint => "hint",
            Self::FlatQualifier => "flat_qualifier",
            Self::Description => "description",
            Self::Question => "question",
            Self::SourceText => "source_text",
            Self::Comment => "comment",
            Self::Text => "text",
        }
    }
}

/// An annotation or comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// What it is.
    pub kind: AnnotationKind,
    /// Its key: the text in the braces, the dotted index, the hint's sign (`ref.`); none for texts.
    pub key: Option<Arc<str>>,
    /// Its value or text; none only for an index without a sequence.
    pub value: Option<Arc<str>>,
    /// Its key in the file, empty for texts.
    pub key_span: Span,
    /// The annotation in the file, without the pipe.
    pub span: Span,
    /// Its value or text in the file.
    pub value_span: Span,
    /// Number of its physical line, from 1.
    pub line: u32,
    /// On the concept's own line, after its text.
    pub inline: bool,
}

impl Annotation {
    /// The value, empty when there is none.
    pub fn text(&self) -> &str {
        self.value.as_deref().unwrap_or("")
    }

    /// The key without a type hint, `literal` for `literal<$% file_path>`; empty without a key.
    pub fn base_key(&self) -> &str {
        let key = self.key.as_deref().unwrap_or("");
        key.split_once('<').map_or(key, |(base, _)| base.trim_end())
    }

    /// The type hint of the key, `file_path` for `literal<$% file_path>`.
    pub fn type_hint(&self) -> Option<&str> {
        let (_, hint) = self.key.as_deref()?.split_once('<')?;
        let hint = hint.strip_suffix('>').unwrap_or(hint);
        Some(hint.trim_start_matches("$%").trim_start_matches('=').trim())
    }
}

/// The number of a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoopNumber {
    /// The loop line.
    pub node: NodeId,
    /// Its number.
    pub number: u32,
    /// The source does not say the number: the lowest free one was taken.
    pub assigned: bool,
}

/// A physical line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// The line without its end.
    pub span: Span,
    /// Where its content starts: after the leading blanks.
    pub content: u32,
    /// How it ends.
    pub ending: LineEnd,
    /// Width of the leading blanks (language spec, section 2.2).
    pub column: u32,
    /// What it is.
    pub class: LineClass,
    /// The node it belongs to: of a concept line, its continuations and annotations.
    pub node: Option<NodeId>,
}

/// How a physical line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LineEnd {
    /// LF.
    Lf,
    /// CRLF.
    CrLf,
    /// A lone CR.
    Cr,
    /// The end of the file.
    Eof,
}

/// What a physical line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LineClass {
    /// Nothing but blanks.
    Blank,
    /// The first line of a concept.
    Concept,
    /// A further line of a concept's text.
    Continuation,
    /// A line that starts with a pipe.
    Annotation,
    /// A comment line.
    Comment,
    /// Stray text, kept as a text annotation.
    Stray,
    /// Prose, ignored.
    Prose,
}
