//! What axis inference says of a concept, for people and for checks. Knows nothing of how it is found.

use std::sync::Arc;

use crate::base::Span;
use crate::plan::model::{ConceptId, Plan};

/// The axes of every concept of a plan.
#[derive(Debug, Clone)]
pub struct Axes {
    pub(super) whole: Vec<Known>,
    pub(super) computed: Vec<Known>,
}

impl Axes {
    /// The axes a concept's value has, whoever gives it. It speaks of a run whose inputs keep the axes the plan
    /// declares, and of a value with at least one present cell: of a value that is missing altogether (a loop over
    /// nothing) axes may be lacking.
    pub fn of(&self, id: ConceptId) -> Known {
        self.whole.get(id.index()).cloned().unwrap_or(Known::Unknown(Unknown::NoValue(id)))
    }

    /// As [`Axes::of`], of what the plan computes alone: start data and `%{ref_axes}` left out.
    pub fn computed(&self, id: ConceptId) -> Known {
        self.computed.get(id.index()).cloned().unwrap_or(Known::Unknown(Unknown::NoValue(id)))
    }
}

/// The axes of one concept.
#[derive(Debug, Clone)]
pub enum Known {
    /// They are not to be found in the plan.
    Unknown(Unknown),
    /// These, outermost first. A value without plurality has `_none_axis` (tensor spec, section 1).
    Axes(Arc<[AxisOf]>),
    /// One of these lists, at least two: several inferences give it different axes, or a step adds one when it answers
    /// with a list.
    OneOf(Arc<[Arc<[AxisOf]>]>),
}

impl Known {
    /// All lists the axes can be, none when they are unknown.
    pub fn lists(&self) -> &[Arc<[AxisOf]>] {
        match self {
            Self::Unknown(_) => &[],
            Self::Axes(list) => std::slice::from_ref(list),
            Self::OneOf(lists) => lists,
        }
    }

    /// The names when there is one list only, outermost first.
    pub fn names(&self) -> Option<Vec<&str>> {
        match self {
            Self::Axes(list) => Some(list.iter().map(|a| &*a.name).collect()),
            _ => None,
        }
    }

    /// An axis of this name in any of the lists.
    pub fn find(&self, name: &str) -> Option<&AxisOf> {
        self.lists().iter().flat_map(|l| l.iter()).find(|a| &*a.name == name)
    }

    /// In a few words: `axes item, value`, `no axes`, `axes item or none`, `axes unknown: ..`.
    pub fn describe(&self, plan: &Plan) -> String {
        let one = |list: &Arc<[AxisOf]>| {
            let names: Vec<&str> = list.iter().filter(|a| !a.is_none()).map(|a| &*a.name).collect();
            names.join(", ")
        };
        match self {
            Self::Unknown(why) => format!("axes unknown: {}", why.describe(plan)),
            _ => {
                let lists: Vec<String> = self.lists().iter().map(one).collect();
                match lists.as_slice() {
                    [only] if only.is_empty() => "no axes".to_owned(),
                    [only] if !only.contains(", ") => format!("axis {only}"),
                    lists => {
                        let shown = lists.iter().map(|l| if l.is_empty() { "none" } else { l });
                        format!("axes {}", shown.collect::<Vec<_>>().join(" or "))
                    }
                }
            }
        }
    }
}

/// One axis of a concept.
#[derive(Debug, Clone)]
pub struct AxisOf {
    /// Its name.
    pub name: Arc<str>,
    /// What brought it in.
    pub origin: Origin,
}

impl AxisOf {
    /// Returns whether it is `_none_axis`, the axis of a value without plurality.
    pub fn is_none(&self) -> bool {
        &*self.name == super::possible::NONE
    }

    /// In a few words: "axis `item` from loop 2 over `{items}`".
    pub fn describe(&self, plan: &Plan) -> String {
        format!("axis `{}` {}", self.name, self.origin.describe(plan))
    }
}

/// Where an axis comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// How it came in.
    pub reason: Reason,
    /// The text that brought it in; none in a plan without source.
    pub place: Option<Span>,
}

impl Origin {
    /// In a few words: "from loop 2 over `{items}`".
    pub fn describe(&self, plan: &Plan) -> String {
        match self.reason {
            Reason::Declared(id) => format!("declared for `{}`", plan.name(id)),
            Reason::Data(id) => format!("from the data of `{}`", plan.name(id)),
            Reason::Loop { number, base } => format!("from loop {number} over `{}`", plan.name(base)),
            Reason::Value(number) => format!("for the single values that loop {number} gives"),
            Reason::Created(id) => format!("made by the grouping of `{}`", plan.name(id)),
            Reason::Literal(id) => format!("from the literal of `{}`", plan.name(id)),
            Reason::Answer(id) => format!("from the list that the step of `{}` answers with", plan.name(id)),
            Reason::Judged(id) => format!("from the judgement of `{}`", plan.name(id)),
            Reason::Single(id) => format!("of the single value of `{}`", plan.name(id)),
        }
    }
}

/// How an axis came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// `%{ref_axes}` or labels of a concept.
    Declared(ConceptId),
    /// Start data without names.
    Data(ConceptId),
    /// The results of a loop.
    Loop {
        /// The loop's number.
        number: u32,
        /// What it walks.
        base: ConceptId,
    },
    /// The axis `value`, which the single values a loop of this number gives have in its result.
    Value(u32),
    /// A grouping.
    Created(ConceptId),
    /// A `$%`.
    Literal(ConceptId),
    /// A step that answers with a list.
    Answer(ConceptId),
    /// A judgement that folds axes.
    Judged(ConceptId),
    /// No plurality.
    Single(ConceptId),
}

/// Why axes are unknown; the concept is the one it begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// An input of the run whose axes nobody wrote down.
    Input(ConceptId),
    /// Nothing gives it a value.
    NoValue(ConceptId),
    /// What somebody answers or a list holds decides.
    Content(ConceptId),
    /// There are too many possibilities.
    Many(ConceptId),
}

impl Unknown {
    /// In a few words.
    pub fn describe(&self, plan: &Plan) -> String {
        match self {
            Self::Input(id) => format!("`{}` is an input without declared axes", plan.name(*id)),
            Self::NoValue(id) => format!("nothing gives `{}` a value", plan.name(*id)),
            Self::Content(id) => format!("what `{}` holds decides", plan.name(*id)),
            Self::Many(id) => format!("`{}` can have many", plan.name(*id)),
        }
    }
}
