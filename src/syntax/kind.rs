//! The closed sets a line is classified by: marker, dialect, kind, family of operation, sequence, numbering.

use std::fmt;
use std::sync::Arc;

use crate::base::Span;

/// How a concept line begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Marker {
    /// `:<:`, an output of the plan.
    Output,
    /// `:>:`, an input of the plan.
    Input,
    /// `<=`.
    Function,
    /// `<-`.
    Value,
    /// `<*`.
    Context,
    /// `<^`.
    Carry,
    /// None: a root.
    None,
}

impl Marker {
    /// As written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Output => ":<:",
            Self::Input => ":>:",
            Self::Function => "<=",
            Self::Value => "<-",
            Self::Context => "<*",
            Self::Carry => "<^",
            Self::None => "",
        }
    }
}

/// The dialects (language spec, section 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// English operator words, `| 1.1. sequence`.
    Legacy,
    /// Symbol operators with `%` modifiers.
    Current,
    /// One numbered line a concept.
    Flat,
    /// Sentences with markers.
    Draft,
    /// A reader's translation.
    Natural,
    /// A plan with a sentence under each line.
    Paired,
}

impl Dialect {
    /// The id as in the language spec.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Current => "current",
            Self::Flat => "flat",
            Self::Draft => "draft",
            Self::Natural => "natural",
            Self::Paired => "paired",
        }
    }

    /// The dialect a file extension (without the dot) settles; `nc` and `ncd` settle none, it is then detected.
    pub fn from_extension(extension: &str) -> Option<Self> {
        match extension {
            "ncds" => Some(Self::Draft),
            "ncn" => Some(Self::Natural),
            "ncdn" => Some(Self::Paired),
            _ => None,
        }
    }
}

/// The kind of a concept line, as in the parse vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `{name}`.
    Object,
    /// `[name]`.
    Relation,
    /// `<name>`.
    Proposition,
    /// `:Name:`.
    Subject,
    /// A sentence, or text that fits nothing.
    Informal,
    /// No text.
    Empty,
    /// An operation done by an agent.
    Imperative,
    /// An operation that gives a truth value.
    Judgement,
    /// `:>:(..)`.
    Input,
    /// `:_:{method}(..)`.
    Method,
    /// `*every`, `*.`.
    LoopingEvery,
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
    /// `$::`.
    Nominalization,
    /// `&in`, `&[{}]`.
    GroupingIn,
    /// `&across`, `&[#]`.
    GroupingAcross,
    /// `@if`, `@:'`.
    TimingIf,
    /// `@if!`, `@:!`.
    TimingIfNot,
    /// `@after`, `@.`.
    TimingAfter,
    /// `@by`.
    TimingBy,
    /// `@::`.
    TimingAction,
    /// `@$+`.
    TimingSequence,
}

impl Kind {
    /// The name as in the parse vectors.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Relation => "relation",
            Self::Proposition => "proposition",
            Self::Subject => "subject",
            Self::Informal => "informal",
            Self::Empty => "empty",
            Self::Imperative => "imperative",
            Self::Judgement => "judgement",
            Self::Input => "input",
            Self::Method => "method",
            Self::LoopingEvery => "looping.every",
            Self::Specification => "assigning.specification",
            Self::Continuation => "assigning.continuation",
            Self::Identity => "assigning.identity",
            Self::Abstraction => "assigning.abstraction",
            Self::Selection => "assigning.selection",
            Self::Nominalization => "assigning.nominalization",
            Self::GroupingIn => "grouping.in",
            Self::GroupingAcross => "grouping.across",
            Self::TimingIf => "timing.if",
            Self::TimingIfNot => "timing.if_not",
            Self::TimingAfter => "timing.after",
            Self::TimingBy => "timing.by",
            Self::TimingAction => "timing.action",
            Self::TimingSequence => "timing.sequence",
        }
    }

    /// The family of an operation, none for values, sentences and empty lines.
    pub fn family(self) -> Option<Family> {
        match self {
            Self::Imperative | Self::Input => Some(Family::Imperative),
            Self::Judgement => Some(Family::Judgement),
            Self::Method => Some(Family::Method),
            Self::LoopingEvery => Some(Family::Looping),
            Self::Specification
            | Self::Continuation
            | Self::Identity
            | Self::Abstraction
            | Self::Selection
            | Self::Nominalization => Some(Family::Assigning),
            Self::GroupingIn | Self::GroupingAcross => Some(Family::Grouping),
            Self::TimingIf
            | Self::TimingIfNot
            | Self::TimingAfter
            | Self::TimingBy
            | Self::TimingAction
            | Self::TimingSequence => Some(Family::Timing),
            Self::Object
            | Self::Relation
            | Self::Proposition
            | Self::Subject
            | Self::Informal
            | Self::Empty => None,
        }
    }

    /// Returns whether the line holds a value: object, relation, proposition or subject.
    pub fn is_value(self) -> bool {
        matches!(self, Self::Object | Self::Relation | Self::Proposition | Self::Subject)
    }
}

/// The families of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// `*every`, `*.`; declared as `looping` or `quantifying`.
    Looping,
    /// `$` operators.
    Assigning,
    /// `&` operators.
    Grouping,
    /// `@` operators.
    Timing,
    /// Imperatives and inputs.
    Imperative,
    /// Judgements.
    Judgement,
    /// Method calls.
    Method,
}

impl Family {
    /// The name as in the parse vectors.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Looping => "looping",
            Self::Assigning => "assigning",
            Self::Grouping => "grouping",
            Self::Timing => "timing",
            Self::Imperative => "imperative",
            Self::Judgement => "judgement",
            Self::Method => "method",
        }
    }
}

/// A sequence word written on a line (language spec, section 7.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// As written, with what stands in parentheses.
    pub written: Arc<str>,
    /// Normalised: `assignment` is `assigning`, `io` and `input` are `imperative_input`, no parentheses.
    pub word: Arc<str>,
    /// Its family, none for an unknown word and for sequences that no program runs.
    pub family: Option<Family>,
    /// The working form it asks for.
    pub variant: Option<Variant>,
    /// Where the word stands.
    pub span: Span,
}

/// The working form of an imperative or judgement, as declared (`imperative_python`) or by the norm of its
/// operation (`{%(python)}`; language spec, section 5.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Variant {
    /// A prompt template is filled.
    Direct,
    /// A script is run.
    Python,
    /// The model writes the script first.
    PythonIndirect,
    /// A paradigm.
    Composition,
    /// Somebody is asked.
    Input,
}

/// The numberings declared flow indices follow (language spec, section 7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IndexScheme {
    /// The file declares none.
    Undeclared,
    /// Every concept line counts.
    A,
    /// Only value lines that head an inference count.
    B,
    /// The function line carries the index of the inference it computes.
    C,
    /// Values are numbered under the function line.
    D,
    /// None of them explains what is declared.
    Unknown,
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
