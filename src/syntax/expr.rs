//! The typed form of one concept text: values with their suffixes, and operations (language spec, sections 3 to 5).
//!
//! It is made of one text alone and shared by all lines with that text, so places in it are ranges of the text; a
//! node's span map turns them into places in the file.

use std::sync::Arc;

use crate::diag::Code;

use super::ast::Variant;

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
        self.tail.is_some() || self.problems.iter().any(|p| p.code == Code::NC019)
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
    /// A replacement of the place that certainly mends it.
    pub replacement: Option<String>,
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

    /// What the value is an instance of, `<$({x})%>`.
    pub fn instance_of(&self) -> Option<&Reference> {
        self.suffixes.iter().find_map(|s| match &s.kind {
            SuffixKind::Instance(of) => Some(of),
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

/// In which of its two spellings an operation is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Spelling {
    /// `*every(..)`, `@if(..)`.
    Legacy,
    /// `*. %>(..)`, `@:'(..)`.
    Current,
    /// Both spell it alike.
    Either,
}

/// An axis by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// The name without brackets.
    pub name: Arc<str>,
    /// The value it is written as; none for bare words.
    pub value: Option<Value>,
    /// Where it stands.
    pub part: Part,
}

/// A loop (language spec, section 5.1).
#[derive(Debug, Clone, PartialEq)]
pub struct Looping {
    /// `*every` or `*.`.
    pub spelling: Spelling,
    /// What is walked.
    pub bases: Vec<Value>,
    /// The dimension walked; empty means the base's own name.
    pub axes: Vec<Axis>,
    /// The concept that collects, where it is said.
    pub results: Vec<Value>,
    /// The loop number as written.
    pub number: Option<u32>,
    /// The carried values.
    pub carries: Vec<Carry>,
    /// All modifiers of the current form.
    pub modifiers: Vec<Modifier>,
}

/// A carried value and how many steps back it looks.
#[derive(Debug, Clone, PartialEq)]
pub struct Carry {
    /// The value.
    pub value: Value,
    /// Steps back, 1 when not said.
    pub lag: u32,
}

/// The `$` operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AssignOp {
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
}

/// An assigning (language spec, section 5.2).
#[derive(Debug, Clone, PartialEq)]
pub struct Assigning {
    /// The operator.
    pub op: AssignOp,
    /// Parentheses (legacy) or modifiers (current); either when it stands alone.
    pub spelling: Spelling,
    /// Legacy arguments before the colon, all of them without one.
    pub args: Vec<Operand>,
    /// Legacy arguments after the colon.
    pub after_colon: Vec<Operand>,
    /// `%:[axes]` of the legacy form.
    pub by_axes: Vec<Axis>,
    /// The modifiers of the current form, in order.
    pub modifiers: Vec<Modifier>,
}

impl Assigning {
    /// Candidates of `$.`, the source of `$-`, the names of `$=`: the legacy arguments, else `%>`, else `%<`
    /// (language spec, sections 5.2 and NC047).
    pub fn sources(&self) -> Vec<&Value> {
        if self.spelling == Spelling::Current {
            let from = self.modifier(ModifierKind::Source).or_else(|| self.modifier(ModifierKind::Result));
            return from.map(Modifier::values).unwrap_or_default();
        }
        self.args.iter().filter_map(Operand::value).collect()
    }

    /// The item a `$+` appends, as written: before the colon, or `%<`.
    pub fn item(&self) -> Option<&Value> {
        match self.spelling {
            Spelling::Current => self.modifier(ModifierKind::Result)?.values().first().copied(),
            _ if self.after_colon.is_empty() => None,
            _ => self.args.first()?.value(),
        }
    }

    /// What a `$+` appends to, as written: after the colon, or `%>`.
    pub fn destination(&self) -> Option<&Value> {
        match self.spelling {
            Spelling::Current => self.modifier(ModifierKind::Source)?.values().first().copied(),
            _ if self.after_colon.is_empty() => self.args.first()?.value(),
            _ => self.after_colon.first()?.value(),
        }
    }

    /// The axes: `%:` in both spellings.
    pub fn axes(&self) -> Vec<Axis> {
        if !self.by_axes.is_empty() {
            return self.by_axes.clone();
        }
        self.modifier(ModifierKind::By).map(Modifier::axes).unwrap_or_default()
    }

    /// The first modifier of a kind.
    pub fn modifier(&self, kind: ModifierKind) -> Option<&Modifier> {
        self.modifiers.iter().find(|m| m.kind == kind)
    }

    /// The literal of `$%` as written, brackets of the modifier left out: `[]` for `%>([])`.
    pub fn literal(&self) -> Option<&str> {
        self.modifier(ModifierKind::Source).map(|m| m.inner.as_ref())
    }

    /// What `%^( )` of a `$-` picks by position.
    pub fn pick(&self) -> Option<Pick> {
        self.modifier(ModifierKind::Carry)?.clauses().find_map(|c| match c.kind {
            SuffixKind::Pick(pick) => Some(pick),
            _ => None,
        })
    }

    /// What `%^(<$({k})%>)` of a `$-` picks by key.
    pub fn pick_key(&self) -> Option<&Reference> {
        self.modifier(ModifierKind::Carry)?.clauses().find_map(|c| match &c.kind {
            SuffixKind::Instance(key) => Some(key),
            _ => None,
        })
    }
}

/// The grouping operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupOp {
    /// `&in`, `&[{}]`, `&and`: a record.
    In,
    /// `&across`, `&[#]`: one flat list.
    Across,
}

/// A grouping (language spec, section 5.3).
#[derive(Debug, Clone, PartialEq)]
pub struct Grouping {
    /// The operator.
    pub op: GroupOp,
    /// `&in` or `&[{}]`.
    pub spelling: Spelling,
    /// Written `&in+`, `&across+`.
    pub plus: bool,
    /// Legacy arguments before the colon, all of them without one.
    pub args: Vec<Operand>,
    /// Legacy arguments after the colon: the concepts whose axes are collapsed.
    pub after_colon: Vec<Operand>,
    /// `%:[axes]` of the legacy form.
    pub by_axes: Vec<Axis>,
    /// The modifiers of the current form, in order.
    pub modifiers: Vec<Modifier>,
}

impl Grouping {
    /// What is grouped, as written; empty means all values.
    pub fn sources(&self) -> Vec<&Value> {
        if self.spelling == Spelling::Current {
            return self.modifier(ModifierKind::Source).map(Modifier::values).unwrap_or_default();
        }
        self.args.iter().filter_map(Operand::value).collect()
    }

    /// The concepts whose axes are collapsed (legacy, after the colon).
    pub fn by(&self) -> Vec<&Value> {
        self.after_colon.iter().filter_map(Operand::value).collect()
    }

    /// The axes to collapse: `%:` in both spellings.
    pub fn axes(&self) -> Vec<Axis> {
        if !self.by_axes.is_empty() {
            return self.by_axes.clone();
        }
        self.modifier(ModifierKind::By).map(Modifier::axes).unwrap_or_default()
    }

    /// The name of the new axis, `%+(axis)`.
    pub fn create_axis(&self) -> Option<Axis> {
        self.modifier(ModifierKind::Create).and_then(|m| m.axes().into_iter().next())
    }

    /// The axes that are not collapsed: `%^<$!={x}>`, `%^(<$!={x}>)`, `%:({x}<$!{x}>)`.
    pub fn protected(&self) -> Vec<Arc<str>> {
        self.modifiers.iter().flat_map(Modifier::protected).collect()
    }

    /// The axes to collapse, one list a source: `%-[[a], [b]]`.
    pub fn axes_per_source(&self) -> Option<Vec<Vec<Arc<str>>>> {
        Some(self.modifier(ModifierKind::PerSource)?.axis_lists())
    }

    /// The first modifier of a kind.
    pub fn modifier(&self, kind: ModifierKind) -> Option<&Modifier> {
        self.modifiers.iter().find(|m| m.kind == kind)
    }
}

/// The timing operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimingOp {
    /// `@if`, `@:'`.
    If,
    /// `@if!`, `@:!`.
    IfNot,
    /// `@after`, `@.`.
    After,
    /// `@by`.
    By,
    /// `@::`.
    Action,
    /// `@$+`.
    Sequence,
}

/// A timing (language spec, section 5.4).
#[derive(Debug, Clone, PartialEq)]
pub struct Timing {
    /// The operator; `@if({x}!)` is [`TimingOp::IfNot`].
    pub op: TimingOp,
    /// `@if` or `@:'`.
    pub spelling: Spelling,
    /// What it waits for or asks; none when nothing is written. For `@by` the value after the colon.
    pub condition: Option<Value>,
    /// The text of the arguments, brackets left out; empty without any.
    pub argument: Arc<str>,
    /// Where the arguments stand, with their brackets.
    pub argument_part: Option<Part>,
    /// The method of `@by(N)`; none for `@by(:_:)`.
    pub call: Option<u32>,
}

/// An input (language spec, section 5.6).
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// Which of its forms.
    pub form: InputForm,
    /// The norm in braces, braces left out.
    pub norm: Option<Arc<str>>,
    /// `{x}` of `:>:{x}?()`.
    pub asked: Option<Value>,
    /// The body.
    pub body: Body,
}

/// The forms of an input.
#[derive(Debug, Clone, PartialEq)]
pub enum InputForm {
    /// `:>:`.
    Plain,
    /// `:>(chat):`.
    Channel(Arc<str>),
    /// `:>@time:`.
    Port(Arc<str>),
    /// `:<@N:`, an argument of a method.
    Argument(Option<u32>),
    /// `:%>(Composition):`.
    Mode(Arc<str>),
}

/// A method call `:_:{method}(args)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Method {
    /// The method, braces left out.
    pub name: Arc<str>,
    /// The arguments.
    pub body: Body,
}

/// Who acts.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    /// Nothing is written: `({..})`, `<{..}>`.
    Unwritten,
    /// `::`.
    Default,
    /// `:Name:`.
    Named(Arc<str>),
    /// `:%(mode):`, `:%(True):`.
    Sign(Arc<str>),
}

/// An imperative or judgement by its text (language spec, section 5.5); which of the two is the node's kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Semantic {
    /// Who acts.
    pub subject: Subject,
    /// The norm in braces, braces left out: `%(direct)`, `paradigm`.
    pub norm: Option<Arc<str>>,
    /// Where the norm stands, braces included.
    pub norm_part: Option<Part>,
    /// What is to be done.
    pub body: Body,
    /// The truth assertion, however it is written; none when there is none.
    pub assertion: Option<Assertion>,
}

impl Semantic {
    /// The working form its norm or subject asks for: `{%(python)}`, `:%(composition):`, `{paradigm}`.
    pub fn variant(&self) -> Option<Variant> {
        let mode = |text: &str| match text {
            "direct" => Some(Variant::Direct),
            "python" => Some(Variant::Python),
            "python_indirect" => Some(Variant::PythonIndirect),
            "composition" | "Composition" => Some(Variant::Composition),
            _ => None,
        };
        let subject = match &self.subject {
            Subject::Sign(s) => mode(s),
            _ => None,
        };
        let norm = self.norm.as_deref().and_then(|n| match n.strip_prefix("%(") {
            Some(rest) => {
                let inner = rest.strip_suffix(')').unwrap_or(rest);
                inner.split_whitespace().find_map(mode)
            }
            None if n == "paradigm" => Some(Variant::Composition),
            None => mode(n),
        });
        norm.or(subject)
    }

    /// Returns whether the norm says the result is a relation: `{%(relation)}`, `{%(direct relation)}`.
    pub fn gives_relation(&self) -> bool {
        self.norm.as_deref().and_then(|n| n.strip_prefix("%(")?.strip_suffix(')')).is_some_and(|inner| {
            inner.split(|c: char| c.is_whitespace() || c == ',').any(|w| w == "relation")
        })
    }
}

/// The body of an operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Body {
    /// The text between the brackets, trimmed.
    pub text: Arc<str>,
    /// Where the text stands, brackets left out.
    pub part: Part,
    /// Written in angle brackets.
    pub angle: bool,
    /// The slots, in text order.
    pub slots: Vec<Slot>,
    /// Concepts named in the text without being slots, in text order.
    pub mentions: Vec<Value>,
}

/// A slot of a body.
#[derive(Debug, Clone, PartialEq)]
pub struct Slot {
    /// Its key.
    pub key: SlotKey,
    /// A `?` follows: an output.
    pub query: bool,
    /// What the slot stands for.
    pub instance: Option<SlotInstance>,
    /// All of it.
    pub part: Part,
}

/// What follows a slot.
#[derive(Debug, Clone, PartialEq)]
pub enum SlotInstance {
    /// `<$({x})%>`.
    Abstraction(Reference),
    /// `<$={text}>`.
    Literal(Arc<str>),
    /// `<$=:Name:..>`.
    Subject(Arc<str>),
    /// `<$%=..>`.
    DataForm(Arc<str>),
    /// `<:{..}>`.
    Placement(SlotKey),
}

/// A truth assertion (language spec, section 5.5).
#[derive(Debug, Clone, PartialEq)]
pub struct Assertion {
    /// Quantifiers, outermost first.
    pub quantifiers: Vec<Quantifier>,
    /// What is asserted.
    pub truth: bool,
    /// The text as written, brackets left out; none when a subject or norm says it.
    pub text: Option<Arc<str>>,
    /// The text was understood.
    pub understood: bool,
    /// Where it stands.
    pub part: Part,
}

/// One quantifier of an assertion.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantifier {
    /// The word.
    pub word: QuantifierWord,
    /// The axis or concept it runs over.
    pub over: Option<Reference>,
}

/// The words of quantifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuantifierWord {
    /// `ALL`.
    All,
    /// `ANY`, `SOME`.
    Some,
    /// `NONE`.
    None,
    /// `EXISTS`.
    Exists,
    /// `FOR EACH`.
    ForEach,
}

impl QuantifierWord {
    /// The word as the runtime knows it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Some => "some",
            Self::None => "none",
            Self::Exists => "exists",
            Self::ForEach => "for-each",
        }
    }
}

/// The modifiers of the current form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ModifierKind {
    /// `%>`: sources, base, destination.
    Source,
    /// `%<`: result, item.
    Result,
    /// `%:`: axes.
    By,
    /// `%^`: carried values, selectors, protected axes.
    Carry,
    /// `%@`: loop number.
    Number,
    /// `%+`: new axis.
    Create,
    /// `%-`: axes, one list a source.
    PerSource,
}

impl ModifierKind {
    /// The sign after `%`.
    pub fn sign(self) -> char {
        match self {
            Self::Source => '>',
            Self::Result => '<',
            Self::By => ':',
            Self::Carry => '^',
            Self::Number => '@',
            Self::Create => '+',
            Self::PerSource => '-',
        }
    }
}

/// A modifier with its operands.
#[derive(Debug, Clone, PartialEq)]
pub struct Modifier {
    /// Which one.
    pub kind: ModifierKind,
    /// The operands.
    pub operands: Vec<Operand>,
    /// Written with square brackets.
    pub square: bool,
    /// The text between the brackets, trimmed.
    pub inner: Arc<str>,
    /// All of it.
    pub part: Part,
}

impl Modifier {
    /// The operands that are values, in order.
    pub fn values(&self) -> Vec<&Value> {
        self.operands.iter().filter_map(Operand::value).collect()
    }

    /// The operands that are clauses, and the suffixes of those that are values.
    pub fn clauses(&self) -> impl Iterator<Item = &Suffix> {
        self.operands.iter().flat_map(|o| match &o.kind {
            OperandKind::Clause(suffix) => std::slice::from_ref(suffix),
            OperandKind::Value(value) => value.suffixes.as_slice(),
            _ => &[],
        })
    }

    /// The operands as axis names: bare words and names of values.
    pub fn axes(&self) -> Vec<Axis> {
        self.operands.iter().filter_map(Operand::axis).collect()
    }

    /// The names of `<$!{x}>`.
    pub fn protected(&self) -> Vec<Arc<str>> {
        let names = self.clauses().filter_map(|c| match &c.kind {
            SuffixKind::Protect(name) => Some(Arc::clone(name)),
            _ => None,
        });
        names.collect()
    }

    /// The operands as lists of names: `[a, b]` is one list, a bare word a list of one.
    pub fn axis_lists(&self) -> Vec<Vec<Arc<str>>> {
        let one = |o: &Operand| match &o.kind {
            OperandKind::Value(v) if v.kind == ValueKind::Relation => {
                let names = v.name.split([',', ';']).map(str::trim).filter(|n| !n.is_empty());
                Some(names.map(|n| Arc::from(n.trim_matches(['{', '}', '[', ']']).trim())).collect())
            }
            _ => Some(vec![o.axis()?.name]),
        };
        self.operands.iter().filter_map(one).collect()
    }

    /// The number of `%@(N)`.
    pub fn number(&self) -> Option<u32> {
        self.operands.iter().find_map(|o| match o.kind {
            OperandKind::Number(n) => u32::try_from(n).ok(),
            _ => None,
        })
    }
}

/// One operand with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Operand {
    /// What it is.
    pub kind: OperandKind,
    /// Where it stands.
    pub part: Part,
}

impl Operand {
    /// The value, also of a member `{a}:_`.
    pub fn value(&self) -> Option<&Value> {
        match &self.kind {
            OperandKind::Value(value) | OperandKind::Member { value, .. } => Some(value),
            _ => None,
        }
    }

    /// The operand as an axis.
    pub fn axis(&self) -> Option<Axis> {
        match &self.kind {
            OperandKind::Value(v) => {
                Some(Axis { name: Arc::clone(&v.name), value: Some(v.clone()), part: self.part })
            }
            OperandKind::Word(w) => Some(Axis { name: Arc::clone(w), value: None, part: self.part }),
            _ => None,
        }
    }
}

/// What an operand is.
#[derive(Debug, Clone, PartialEq)]
pub enum OperandKind {
    /// A value.
    Value(Value),
    /// `{a}:_`, `{a}:word`.
    Member {
        /// The value.
        value: Value,
        /// What follows the colon.
        key: Arc<str>,
    },
    /// A clause that stands alone.
    Clause(Suffix),
    /// An integer.
    Number(i64),
    /// A quoted text or a sign, as written.
    Literal(Arc<str>),
    /// Bare words.
    Word(Arc<str>),
    /// Text that fits nothing.
    Unread(Arc<str>),
}
