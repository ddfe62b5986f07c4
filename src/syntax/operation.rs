//! The typed forms of operations: what each says, with accessors that hide which spelling says it (language spec,
//! section 5).

use std::sync::Arc;

use super::expr::{Part, Pick, Reference, SlotKey, Suffix, SuffixKind, Value, ValueKind};
use super::kind::Variant;

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
