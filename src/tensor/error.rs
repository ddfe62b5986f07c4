//! What can be wrong with an operation on tensors. The words of [`Error::kind`] are contract, the messages are not.

use super::{Axis, Coordinates};
use crate::base::listed;

/// Shorthand of this room.
pub type Result<T> = std::result::Result<T, Error>;

/// Why an operation is not possible (tensor spec, section 2).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Two axes of one name.
    #[error("axis `{axis}` occurs twice")]
    DuplicateAxis {
        /// The name.
        axis: Axis,
    },
    /// Axes and shape, or axes and the depth of data, differ in number.
    #[error("{axes} axes do not fit {found} levels")]
    RankMismatch {
        /// How many axes there are.
        axes: usize,
        /// How many levels were found.
        found: usize,
    },
    /// Data that must be a list is none.
    #[error("a list is needed here, not a single value")]
    NotAList,
    /// More names than the data has levels.
    #[error("{names} axis names for data of {levels} levels")]
    TooManyAxes {
        /// How many names were given.
        names: usize,
        /// How many levels the data has.
        levels: usize,
    },
    /// A named axis would cut through a plain value.
    #[error("a plain value stands at level {depth}, above the last of {names} named axes")]
    MixedDepth {
        /// Level of the shallowest plain value.
        depth: usize,
        /// How many names were given.
        names: usize,
    },
    /// An axis that the tensor does not have.
    #[error("there is no axis `{axis}`, only {}", list(.known))]
    UnknownAxis {
        /// The name that was asked for.
        axis: Axis,
        /// The axes there are.
        known: Vec<Axis>,
    },
    /// A negative index before the first position.
    #[error("index {index} is before the first of {size} positions of axis `{axis}`")]
    IndexOutOfRange {
        /// The axis.
        axis: Axis,
        /// The index as given.
        index: i64,
        /// How many positions the axis has.
        size: usize,
    },
    /// Axis sets that must be the same differ.
    #[error("the axes {} are needed, not {}", list(.wanted), list(.found))]
    AxisMismatch {
        /// The axes that are needed.
        wanted: Vec<Axis>,
        /// The axes that were found.
        found: Vec<Axis>,
    },
    /// A shared axis has two sizes.
    #[error("axis `{axis}` has {one} positions in one place and {other} in another")]
    ShapeMismatch {
        /// The axis.
        axis: Axis,
        /// One size.
        one: usize,
        /// The other size.
        other: usize,
    },
    /// Data whose count does not fit the shape.
    #[error("{cells} cells do not divide into blocks of {block} along axis `{axis}`")]
    Indivisible {
        /// The axis that is appended to.
        axis: Axis,
        /// How many cells there are.
        cells: usize,
        /// How many cells one position needs.
        block: usize,
    },
    /// Data appended where one position has no cells.
    #[error("one position of axis `{axis}` has no cells, so nothing can be appended along it")]
    ZeroSlice {
        /// The axis.
        axis: Axis,
    },
    /// There is no axis to append along.
    #[error("a single value has no axis to append along")]
    NoAxes,
    /// Nothing was given to combine.
    #[error("there is nothing to combine")]
    NoReferences,
    /// A present cell that should be an action is none.
    #[error("the action cell at {at} cannot be called")]
    NotCallable {
        /// Where.
        at: Place,
    },
    /// An action failed and the policy is to stop.
    #[error("the action at {at} failed: {message}")]
    Action {
        /// Where.
        at: Place,
        /// What the action said.
        message: String,
    },
    /// An action asks a person first; passes under every policy.
    #[error("the action at {at} waits for input: {question}")]
    InputRequested {
        /// Where.
        at: Place,
        /// What is asked.
        question: String,
    },
    /// Labels and sources of a grouping differ in number.
    #[error("{labels} labels for {sources} grouped values")]
    LabelCount {
        /// How many labels.
        labels: usize,
        /// How many sources.
        sources: usize,
    },
    /// Two sources of a grouping have one label.
    #[error("label `{label}` occurs twice")]
    DuplicateLabel {
        /// The label.
        label: String,
    },
    /// A new axis with some sources stacked and some collapsed.
    #[error("a new axis needs all values stacked or all collapsed, here {stacked} of {sources} are stacked")]
    MixedGrouping {
        /// How many sources keep all their axes.
        stacked: usize,
        /// How many sources there are.
        sources: usize,
    },
    /// The result would pass the limit of cells, see [`super::MAX_CELLS`].
    #[error("a tensor of this shape would have more than {limit} cells")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// JSON that is no tensor.
    #[error("this is no tensor: {problem}")]
    Malformed {
        /// What is wrong with it.
        problem: String,
    },
}

impl Error {
    /// The contract word of this error (tensor spec, section 2).
    pub fn kind(&self) -> &'static str {
        match self {
            Self::DuplicateAxis { .. } => "duplicate_axis",
            Self::RankMismatch { .. } => "rank_mismatch",
            Self::NotAList => "not_a_list",
            Self::TooManyAxes { .. } => "too_many_axes",
            Self::MixedDepth { .. } => "mixed_depth",
            Self::UnknownAxis { .. } => "unknown_axis",
            Self::IndexOutOfRange { .. } => "index_out_of_range",
            Self::AxisMismatch { .. } => "axis_mismatch",
            Self::ShapeMismatch { .. } | Self::Indivisible { .. } => "shape_mismatch",
            Self::ZeroSlice { .. } => "zero_slice",
            Self::NoAxes => "no_axes",
            Self::NoReferences => "no_references",
            Self::NotCallable { .. } => "not_callable",
            Self::Action { .. } => "action_error",
            Self::InputRequested { .. } => "input_requested",
            Self::LabelCount { .. } => "label_count",
            Self::DuplicateLabel { .. } => "duplicate_label",
            Self::MixedGrouping { .. } => "mixed_grouping",
            Self::TooLarge { .. } => "too_large",
            Self::Malformed { .. } => "malformed",
        }
    }

    pub(super) fn unknown(axis: &Axis, known: &[Axis]) -> Self {
        Self::UnknownAxis { axis: axis.clone(), known: known.to_vec() }
    }
}

/// A place in a combination that outlives it: axis by axis, the position.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place(pub Vec<(Axis, usize)>);

impl From<&Coordinates<'_>> for Place {
    fn from(coordinates: &Coordinates<'_>) -> Self {
        Self(coordinates.iter().map(|(axis, position)| (axis.clone(), position)).collect())
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[")?;
        for (i, (axis, position)) in self.0.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{axis}: {position}")?;
        }
        f.write_str("]")
    }
}

fn list(axes: &[Axis]) -> String {
    if axes.is_empty() {
        return "none".to_owned();
    }
    listed(axes)
}
