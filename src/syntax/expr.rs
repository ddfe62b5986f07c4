//! The typed form of one concept text: values with their suffixes, and operations (language spec, sections 3 to 5).
//!
//! It is made of one text alone and shared by all lines with that text, so places in it are ranges of the text; a
//! node's span map turns them into places in the file.

use std::sync::Arc;

use crate::diag::Code;

use super::operation::{Assigning, Grouping, Input, Looping, Method, Semantic, Timing};

/// A range of bytes of the text a concept was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Part {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Part {
    pub(super) fn new(start: usize, end: usize) -> Self {
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { start: narrow(start), end: narrow(end.max(start)) }
    }
}

/// A concept text, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Concept {
    /// What it says.
    pub expr: Expr,
    /// It stood in parentheses, as after `:<:`.
    pub wrapped: bool,
    /// Suffixes after the closing parenthesis of a wrapped concept, and after an operation.
    pub suffixes: Vec<Suffix>,
    /// The rest of an operation that fits nothing.
    pub tail: Option<Part>,
    /// What is wrong with the text.
    pub problems: Vec<Problem>,
}

impl Concept {
    /// The value, none for operations and sentences.
    pub fn value(&self) -> Option<&Value> {
        match &self.expr {
            Expr::Value(value) => Some(value),
            _ => None,
        }
    }

    /// Returns whether some arguments or a tail were not understood.
    pub fn has_unread(&self) -> bool {
        self.tail.is_some() || self.problems.iter().any(|p| matches!(p.code, Code::NC013 | Code::NC019))
    }
}

/// Something wrong with a concept text.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// The code.
    pub code: Code,
    /// As an error, whatever the code's own severity is.
    pub error: bool,
    /// The place.
    pub part: Part,
    /// The headline.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// What certainly mends it: a part of the text and what is to stand there; an empty part to insert.
    pub replacement: Option<(Part, String)>,
}

/// What a concept text says.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// A value.
    Value(Value),
    /// `*every`, `*.`.
    Looping(Looping),
    /// `$.` and the other `$` operators.
    Assigning(Assigning),
    /// `&in`, `&across` and their current forms.
    Grouping(Grouping),
    /// `@if` and the other `@` operators.
    Timing(Timing),
    /// `:>:(..)` and relatives.
    Input(Input),
    /// `:_:{method}(..)`.
    Method(Method),
    /// `::(..)` and all other imperatives and judgements.
    Semantic(Semantic),
    /// A sentence.
    Informal,
    /// No text.
    Empty,
}

/// The four kinds of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ValueKind {
    /// `{name}`.
    Object,
    /// `[name]`.
    Relation,
    /// `<name>`.
    Proposition,
    /// `:Name:`.
    Subject,
}

impl ValueKind {
    /// The opening and closing bracket.
    pub fn brackets(self) -> (&'static str, &'static str) {
        match self {
            Self::Object => ("{", "}"),
            Self::Relation => ("[", "]"),
            Self::Proposition => ("<", ">"),
            Self::Subject => (":", ":"),
        }
    }
}

/// An occurrence of a value: brackets, name and suffixes.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// The kind, by its brackets.
    pub kind: ValueKind,
    /// The text between the brackets, trimmed.
    pub name: Arc<str>,
    /// The parts of `{key: "text"}`.
    pub literal: Option<Literal>,
    /// Written `+[..]`.
    pub plus: bool,
    /// The bracketed names inside a relation, with their suffixes.
    pub members: Vec<Value>,
    /// The suffixes, in order.
    pub suffixes: Vec<Suffix>,
    /// Brackets and name.
    pub head: Part,
    /// All of it, suffixes included.
    pub part: Part,
}

impl Value {
    /// Returns whether a `?` follows: the question about the concept.
    pub fn is_query(&self) -> bool {
        self.suffixes.iter().any(|s| s.kind == SuffixKind::Query)
    }

    /// The loop numbers of `*N`, in order.
    pub fn versions(&self) -> impl Iterator<Item = u32> + '_ {
        self.suffixes.iter().filter_map(|s| match s.kind {
            SuffixKind::Version(n) => Some(n),
            _ => None,
        })
    }

    /// The slot of `<:{..}>`.
    pub fn placement(&self) -> Option<&SlotKey> {
        self.suffixes.iter().find_map(|s| match &s.kind {
            SuffixKind::Placement(slot) => Some(slot),
            _ => None,
        })
    }

    /// The number of `<$={N}>` and `<$({N})=>`.
    pub fn identity(&self) -> Option<u32> {
        self.suffixes.iter().find_map(|s| match s.kind {
            SuffixKind::Identity(n) => Some(n),
            _ => None,
        })
    }

    /// Returns whether `<$={#}>` follows: all the numbered things of the name.
    pub fn any_identity(&self) -> bool {
        self.suffixes.iter().any(|s| s.kind == SuffixKind::AnyIdentity)
    }

    /// How many steps back a carried version looks (`*-K`, `*0`), with loop element marks included; none when the
    /// value is not a carried version.
    pub fn carried(&self) -> Option<u32> {
        self.suffixes.iter().find_map(|s| match &s.kind {
            SuffixKind::Carried(n) => Some(*n),
            SuffixKind::LoopElement { back: Some(n), .. } => Some(*n),
            _ => None,
        })
    }

    /// The collection this value is marked to be the element of, `<$({coll})*>`.
    pub fn element_of(&self) -> Option<&Reference> {
        self.suffixes.iter().find_map(|s| match &s.kind {
            SuffixKind::LoopElement { of, .. } => Some(of),
            _ => None,
        })
    }
}

/// A literal object `{key: "text"}` (language spec, section 4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal {
    /// Before the colon.
    pub key: Arc<str>,
    /// The text in the quotes.
    pub value: Arc<str>,
}

/// A name in a clause: a value, or words where a value was expected.
#[derive(Debug, Clone, PartialEq)]
pub enum Reference {
    /// A value.
    Value(Box<Value>),
    /// Words.
    Words(Arc<str>),
}

impl Reference {
    /// The name without brackets.
    pub fn name(&self) -> &str {
        match self {
            Self::Value(v) => &v.name,
            Self::Words(w) => w,
        }
    }
}

/// A suffix with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Suffix {
    /// What it says.
    pub kind: SuffixKind,
    /// Where it stands.
    pub part: Part,
}

/// The suffixes (language spec, section 4.4).
#[derive(Debug, Clone, PartialEq)]
pub enum SuffixKind {
    /// `?`.
    Query,
    /// `*N`.
    Version(u32),
    /// `*` without a number.
    CurrentVersion,
    /// `*-K`: K steps back; `*0` is 0.
    Carried(u32),
    /// `@N`.
    PlanInput(u32),
    /// `<$={N}>`, `<$({N})=>`.
    Identity(u32),
    /// `<$={#}>`.
    AnyIdentity,
    /// `<$={words}>`.
    NamedIdentity(Arc<str>),
    /// `<$(value)=>`.
    Identification(Reference),
    /// `<:{..}>`.
    Placement(SlotKey),
    /// `<$(value)%>`, `<$(value)%_>`.
    Instance(Reference),
    /// `<$(value)*>`, `<$(value)*-K>`.
    LoopElement {
        /// The collection.
        of: Reference,
        /// Steps back.
        back: Option<u32>,
        /// The `*` was there.
        complete: bool,
    },
    /// `<$=>`, `<${_}=>`.
    Shared,
    /// `<*N>`: carry distance, or number of an alternative.
    Lag(u32),
    /// `<$%..>`.
    DataForm(Arc<str>),
    /// `<[{a}:{1}, {b}:{2+}]>`.
    Unpack(Vec<(Reference, SlotKey)>),
    /// `<{*2}:{1}>`.
    Member {
        /// Number of the alternative.
        alternative: u32,
        /// The slot it goes to.
        slot: SlotKey,
    },
    /// `<$!{x}>`, `<$!={x}>`.
    Protect(Arc<str>),
    /// `<$*N>`, `<$*#>`.
    Pick(Pick),
    /// `<--<!_>>`.
    DerivedFrom,
    /// A remark.
    Clausal(Arc<str>),
}

/// Which element a `$-` picks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// By index, negative from the end.
    Index(i64),
    /// All of them: unpack.
    All,
}

/// The name of a slot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SlotKey {
    /// `{1}`.
    Number(u32),
    /// `{2+}`: this slot and all following.
    From(u32),
    /// `{#}`.
    Any,
    /// `{prompt}`.
    Name(Arc<str>),
}
