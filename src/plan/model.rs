//! The resolved plan: concepts by identity, inferences with everything their operation says, in the terms of the
//! language. Knows nothing of repositories, JSON files or runs.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::base::{FileId, FlowIndex, Span};
use crate::syntax::{Dialect, IndexScheme, NodeId, Variant};

use super::doers::Resources;

/// A plan with every name resolved.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The file it was read from.
    pub file: FileId,
    /// The dialect of its source.
    pub dialect: Dialect,
    /// The repository generation it asks for: 1 when it uses legacy operators only, else 2 (repositories spec,
    /// section 7.2).
    pub generation: u32,
    /// The numbering its declared flow indices follow.
    pub index_scheme: IndexScheme,
    /// The concepts in document order of their first mention.
    pub concepts: Vec<Concept>,
    /// The inferences, sorted by flow index.
    pub inferences: Vec<Inference>,
    /// The final concepts, in document order.
    pub roots: Vec<ConceptId>,
}

impl Plan {
    /// The concept of an id of this plan.
    pub fn concept(&self, id: ConceptId) -> Option<&Concept> {
        self.concepts.get(id.index())
    }

    /// The name of a concept, empty for an id of another plan.
    pub fn name(&self, id: ConceptId) -> &str {
        self.concept(id).map_or("", |c| &c.name)
    }
}

/// The number of a concept: its place in [`Plan::concepts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConceptId(pub u32);

impl ConceptId {
    /// The place in [`Plan::concepts`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A concept: one identity, however often it is written (language spec, section 8).
#[derive(Debug, Clone)]
pub struct Concept {
    /// Its canonical name; the operation text for functions.
    pub name: Arc<str>,
    /// What kind of thing it is.
    pub kind: ConceptKind,
    /// Name without brackets and suffixes; the text itself for functions.
    pub bare: Arc<str>,
    /// The loop numbers of its version, `*1*2`.
    pub versions: Vec<u32>,
    /// The question about a concept, `{x}?`.
    pub query: bool,
    /// The lines that are this concept, in document order.
    pub lines: Vec<Line>,
    /// Where it is named inside operators.
    pub mentions: Vec<(FlowIndex, Span)>,
    /// An output of the plan.
    pub is_final: bool,
    /// Why its data exist before the run; none when they do not (language spec, section 10).
    pub ground: Option<Ground>,
    /// Kept by a loop's reset.
    pub invariant: bool,
    /// Its initial data, with where they are written.
    pub data: Option<Json>,
    /// Axis names that go with the data, outermost first.
    pub axes: Option<Vec<Arc<str>>>,
    /// The axes were written down: by `%{ref_axes}` or labels in the data.
    pub axes_declared: bool,
    /// `%{ref_element}`.
    pub element_type: Option<Arc<str>>,
    /// A readable name, from `?{natural_language}`.
    pub natural_name: Option<Arc<str>>,
    /// What it is, from `/:` comments.
    pub description: Option<Arc<str>>,
}

impl Concept {
    /// The first place where it is written.
    pub fn first_span(&self) -> Option<Span> {
        self.lines.first().map(|l| l.span).or_else(|| self.mentions.first().map(|m| m.1))
    }

    /// The name of the axis the concept's own result makes (repositories spec, section 7.1): `{x}` is `x`, `{x}?` is
    /// `x?`, `{x}*1` is `current x`, `{x}*1*2` is `current x *2`; functions have their text.
    pub fn axis_name(&self) -> String {
        if !self.kind.is_value() {
            return self.name.as_ref().to_owned();
        }
        let mut name = self.bare.as_ref().to_owned();
        if self.query {
            name.push('?');
        }
        if let [_, inner @ ..] = self.versions.as_slice() {
            name = format!("current {name}");
            for (i, version) in inner.iter().enumerate() {
                let gap = if i == 0 { " " } else { "" };
                name.push_str(&format!("{gap}*{version}"));
            }
        }
        name
    }

    /// The flow index of the first line that is it or names it.
    pub fn first_index(&self) -> Option<&FlowIndex> {
        self.lines.first().map(|l| &l.flow).or_else(|| self.mentions.first().map(|m| &m.0))
    }
}

/// A line that is a concept.
#[derive(Debug, Clone)]
pub struct Line {
    /// The line.
    pub node: NodeId,
    /// Its flow index.
    pub flow: FlowIndex,
    /// The concept text on it.
    pub span: Span,
}

/// The kinds of concepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConceptKind {
    /// `{}`.
    Object,
    /// `[]`.
    Relation,
    /// `<>`.
    Proposition,
    /// An operation.
    Function(FunctionKind),
}

impl ConceptKind {
    /// Returns whether it holds a value of the plan.
    pub fn is_value(self) -> bool {
        !matches!(self, Self::Function(_))
    }
}

/// The kinds of operations that compile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FunctionKind {
    /// `*every`.
    Loop,
    /// `$.`.
    Specification,
    /// `$+`.
    Continuation,
    /// `$=`.
    Identity,
    /// `$%`.
    Abstraction,
    /// `$-`.
    Selection,
    /// `&in`.
    GroupIn,
    /// `&across`.
    GroupAcross,
    /// `@if`.
    If,
    /// `@if!`.
    IfNot,
    /// `@after`.
    After,
    /// An imperative.
    Imperative,
    /// A judgement.
    Judgement,
    /// `:>:`.
    Input,
}

/// Why a concept's data exist before a run (language spec, section 10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ground {
    /// Said so, or its data are written in the plan.
    Given,
    /// A `?` concept or a literal: it is its own data.
    Itself,
    /// A leaf that nothing computes: an input from outside.
    Leaf,
    /// The initial value of a carried concept.
    Carry,
    /// An operation.
    Function,
}

/// An inference: a line with a `<=` child (language spec, section 6).
#[derive(Debug, Clone)]
pub struct Inference {
    /// Its flow index: that of the line.
    pub flow: FlowIndex,
    /// The line.
    pub head: NodeId,
    /// Where the concept to infer is written.
    pub target_span: Span,
    /// Where the function is written.
    pub function_span: Span,
    /// The flow index the source declares instead.
    pub declared: Option<FlowIndex>,
    /// The concept to infer.
    pub target: ConceptId,
    /// The function concept.
    pub function: ConceptId,
    /// The value concepts, in the order of the entry.
    pub values: Vec<ConceptId>,
    /// The context concepts.
    pub contexts: Vec<ConceptId>,
    /// Where values and contexts are written below the head.
    pub places: Vec<(ConceptId, Span)>,
    /// What it does.
    pub work: Work,
}

impl Inference {
    /// Returns whether it appends to the concept it infers.
    pub fn appends_to_itself(&self) -> bool {
        matches!(self.work, Work::Continuation { destination, .. } if destination == self.target)
    }
}

/// What an inference does.
#[derive(Debug, Clone)]
pub enum Work {
    /// `*every`.
    Loop(Loop),
    /// `$.`: the first candidate that has data.
    Specification {
        /// The candidates, in order.
        sources: Vec<ConceptId>,
        /// The loop line whose step this is.
        in_loop: bool,
    },
    /// `$+`: append.
    Continuation {
        /// What is appended.
        item: Option<ConceptId>,
        /// To what.
        destination: ConceptId,
        /// Along which axes, by name.
        by_axes: Vec<Arc<str>>,
    },
    /// `$%`: a literal becomes data.
    Abstraction {
        /// The literal.
        face: Json,
        /// Its axes.
        axes: Option<Vec<Arc<str>>>,
    },
    /// `$-`: pick.
    Selection {
        /// From what.
        source: ConceptId,
        /// What.
        pick: Pick,
    },
    /// `$=`: two names, one concept.
    Identity {
        /// The other name.
        canonical: ConceptId,
    },
    /// `&in`, `&across`.
    Grouping(Grouping),
    /// `@if`, `@if!`, `@after`.
    Gate {
        /// When it opens.
        kind: FunctionKind,
        /// What it asks.
        condition: ConceptId,
    },
    /// An imperative, a judgement or an input.
    Semantic(Box<Semantic>),
}

/// A loop (language spec, section 5.1).
#[derive(Debug, Clone)]
pub struct Loop {
    /// Its number.
    pub number: u32,
    /// The loop line.
    pub line: NodeId,
    /// What is walked.
    pub base: ConceptId,
    /// The element of the present iteration.
    pub element: ConceptId,
    /// The dimension walked, by name; one of the base's declared axes when it has any.
    pub axis: Arc<str>,
    /// Carried concepts, how many steps back they look, and where that is written.
    pub carries: Vec<Carry>,
    /// The concept that collects: the target, or the one named.
    pub result: ConceptId,
}

/// A carried concept of a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carry {
    /// The concept.
    pub concept: ConceptId,
    /// Steps back; 0 means not carried at all.
    pub lag: u32,
    /// Where it is written.
    pub span: Span,
}

/// What a `$-` picks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pick {
    /// By position, negative from the end.
    Index(i64),
    /// By key.
    Key(Arc<str>),
    /// Everything, unpacked.
    All,
}

/// A grouping (language spec, section 5.3).
#[derive(Debug, Clone)]
pub struct Grouping {
    /// Records; else lists.
    pub records: bool,
    /// What is grouped, in order.
    pub sources: Vec<ConceptId>,
    /// Concepts whose axes are collapsed (legacy).
    pub by_concepts: Vec<ConceptId>,
    /// Axes to collapse, by name; one list for all sources.
    pub by_axes: Vec<Arc<str>>,
    /// Axes to collapse, one list a source.
    pub per_source: Option<Vec<Vec<Arc<str>>>>,
    /// Axes that are not collapsed.
    pub protect: Vec<Arc<str>>,
    /// Name of the new axis.
    pub create_axis: Option<Arc<str>>,
    /// Written in the current form: without axes of its own it collapses the declared axes of each source.
    pub current: bool,
}

/// An imperative, a judgement or an input (language spec, section 5.5).
#[derive(Debug, Clone)]
pub struct Semantic {
    /// Which of the three.
    pub kind: FunctionKind,
    /// The working form it asks for.
    pub variant: Option<Variant>,
    /// Values with their numbers, in the order of the numbers (language spec, section 9).
    pub order: Vec<(ConceptId, u32)>,
    /// Values of which only a part is passed, or in another form (repositories spec, section 3.1.1).
    pub selectors: Vec<Selector>,
    /// The body's text, brackets left out.
    pub body: Arc<str>,
    /// The truth assertion of a judgement.
    pub assertion: Assertion,
    /// The result is a relation.
    pub relation: bool,
    /// What configures the step.
    pub resources: Resources,
}

/// How a value is passed to a step: `<[{a}:{1}]>`, `<{*2}:{1}>`, `<$%={norm}>` on its line, or `%{value_selectors}`
/// (language spec, section 4.4; repositories spec, section 3.1.1).
#[derive(Debug, Clone, PartialEq)]
pub struct Selector {
    /// The name it is passed under: the value's own, or that of a part.
    pub key: Arc<str>,
    /// The value.
    pub source: ConceptId,
    /// The number of a part; none when the value itself is among [`Semantic::order`].
    pub number: Option<u32>,
    /// What is done with it, in the words of the format.
    pub fields: serde_json::Map<String, Json>,
}

/// A truth assertion: which cells must be what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// Quantifier words with the name of what they run over, outermost first; no name means every axis.
    pub quantifiers: Vec<(Option<ConceptOrWords>, &'static str)>,
    /// What is asserted.
    pub truth: bool,
}

/// What a quantifier runs over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConceptOrWords {
    /// The concept of that name, when the plan has one.
    pub concept: Option<ConceptId>,
    /// The name without brackets.
    pub name: Arc<str>,
}
