//! The lists of axes a value can have: a set that only grows, small or unknown. Knows nothing of operations.

use std::sync::Arc;

use crate::plan::model::ConceptId;

use super::known::{AxisOf, Known, Origin, Reason, Unknown};

/// The axis of a value with no plurality (tensor spec, section 1).
pub(super) const NONE: &str = "_none_axis";

/// More lists than this are as good as unknown.
const LISTS: usize = 8;

/// Longer lists than this are as good as unknown; a run could not hold such a value either.
const LENGTH: usize = 48;

/// Axes, outermost first. Two lists are one when the names are.
pub(super) type List = Arc<[AxisOf]>;

/// One list of axes.
#[derive(Debug, Clone)]
pub(super) struct Alternative {
    pub(super) axes: List,
    /// `_none_axis` may have more than one position, so nobody can say whether it is dropped.
    pub(super) wide: bool,
}

impl Alternative {
    pub(super) fn new(axes: impl Into<List>) -> Self {
        Self { axes: axes.into(), wide: false }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.axes.iter().map(|a| &*a.name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.names().any(|n| n == name)
    }

    pub(super) fn is_single(&self) -> bool {
        matches!(&*self.axes, [only] if only.is_none())
    }

    fn same(&self, other: &Self) -> bool {
        self.axes.len() == other.axes.len() && self.names().eq(other.names())
    }
}

/// What a value without any present cell may have for axes. Such a value never shows, but an append to it does.
#[derive(Debug, Clone)]
pub(super) enum Hollow {
    /// These.
    List(List),
    /// Any.
    Any,
}

/// Everything a value can be.
#[derive(Debug, Clone)]
pub(super) enum Possible {
    /// Axes that cannot be known.
    Any(Unknown),
    /// One of these; none means that nothing gives it a value, as far as is known yet.
    Of {
        /// The lists, each once.
        lists: Vec<Alternative>,
        /// It may also be missing altogether, with other axes.
        hollow: Option<Hollow>,
    },
}

impl Default for Possible {
    fn default() -> Self {
        Self::Of { lists: Vec::new(), hollow: None }
    }
}

impl Possible {
    pub(super) fn one(list: Alternative) -> Self {
        Self::Of { lists: vec![list], hollow: None }
    }

    /// A single value.
    pub(super) fn single(origin: Origin) -> Self {
        Self::one(Alternative::new([none(origin)]))
    }

    pub(super) fn lists(&self) -> &[Alternative] {
        match self {
            Self::Any(_) => &[],
            Self::Of { lists, .. } => lists,
        }
    }

    pub(super) fn hollow(&self) -> Option<&Hollow> {
        match self {
            Self::Any(_) => None,
            Self::Of { hollow, .. } => hollow.as_ref(),
        }
    }

    /// Nothing gives it a value.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::Of { lists, hollow: None } if lists.is_empty())
    }

    /// Takes in one more list; `many` says whose value has too many.
    pub(super) fn add(&mut self, list: Alternative, many: Unknown) -> bool {
        let Self::Of { lists, .. } = self else { return false };
        if let Some(known) = lists.iter_mut().find(|l| l.same(&list)) {
            let wider = list.wide && !known.wide;
            known.wide |= list.wide;
            return wider;
        }
        if lists.len() == LISTS || list.axes.len() > LENGTH {
            *self = Self::Any(many);
        } else {
            lists.push(list);
        }
        true
    }

    pub(super) fn add_hollow(&mut self, more: Hollow) -> bool {
        let Self::Of { hollow, .. } = self else { return false };
        match (&*hollow, &more) {
            (Some(Hollow::Any), _) => false,
            (Some(Hollow::List(a)), Hollow::List(b))
                if a.iter().map(|x| &x.name).eq(b.iter().map(|x| &x.name)) =>
            {
                false
            }
            (None, _) => {
                *hollow = Some(more);
                true
            }
            _ => {
                *hollow = Some(Hollow::Any);
                true
            }
        }
    }

    /// Takes in everything another can be; tells whether anything was new.
    pub(super) fn join(&mut self, other: &Self, many: Unknown) -> bool {
        match other {
            Self::Any(why) => {
                let news = !matches!(self, Self::Any(_));
                if news {
                    *self = Self::Any(*why);
                }
                news
            }
            Self::Of { lists, hollow } => {
                let mut news = false;
                for list in lists {
                    news |= self.add(list.clone(), many);
                }
                if let Some(hollow) = hollow {
                    news |= self.add_hollow(hollow.clone());
                }
                news
            }
        }
    }

    /// What is said of it outside.
    pub(super) fn known(&self, nothing: Unknown) -> Known {
        match self {
            Self::Any(why) => Known::Unknown(*why),
            Self::Of { lists, .. } => match lists.as_slice() {
                [] => Known::Unknown(nothing),
                [only] => Known::Axes(Arc::clone(&only.axes)),
                lists => Known::OneOf(lists.iter().map(|l| Arc::clone(&l.axes)).collect()),
            },
        }
    }
}

/// `_none_axis`.
pub(super) fn none(origin: Origin) -> AxisOf {
    AxisOf { name: Arc::from(NONE), origin }
}

/// The list for a value without plurality when no axes are left.
pub(super) fn or_none(axes: Vec<AxisOf>, origin: Origin) -> List {
    if axes.is_empty() { [none(origin)].into() } else { axes.into() }
}

/// A list without `_none_axis` where others stand beside it (tensor spec, section 1, dropping); none when that hangs
/// on its size.
pub(super) fn dropped(list: &Alternative) -> Option<List> {
    if list.axes.len() < 2 || !list.has(NONE) {
        return Some(Arc::clone(&list.axes));
    }
    (!list.wide).then(|| list.axes.iter().filter(|a| !a.is_none()).cloned().collect())
}

/// An origin without a place, for axes that are there because nothing else is.
pub(super) fn of_single(id: ConceptId) -> Origin {
    Origin { reason: Reason::Single(id), place: None }
}
