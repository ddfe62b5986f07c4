//! Events: the only way the state of a run changes. They carry everything a fold needs and nothing a machine-local
//! detail could change, so that they can be written down and read back by another process.

use std::fmt;
use std::sync::Arc;

use crate::base::LoopPath;
use crate::tensor::{Axis, Tensor, mask::Mask};

use super::graph::ItemId;

/// A step: one inference at one loop position. Printed as `1.1.2[3,1]` by [`super::graph::Graph::step_name`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepKey {
    /// The inference.
    pub item: ItemId,
    /// The iteration, outermost loop first; empty outside any loop.
    pub path: LoopPath,
}

/// Something that happened to a step.
#[derive(Debug, Clone)]
pub struct Event {
    /// The step.
    pub step: StepKey,
    /// Its round: one more than the highest round of what it waited for (runtime spec, section 7.1, E4). A skip has
    /// the round of what it waited for.
    pub round: u32,
    /// What happened.
    pub what: Happening,
}

/// What happened to a step.
#[derive(Debug, Clone)]
pub enum Happening {
    /// It gave a value for its concept.
    Gave(Produced),
    /// An append: `item` goes to the end of the concept's value. The whole is not repeated, so that a growing list
    /// costs what is added.
    Appended {
        /// What is appended.
        item: Tensor,
        /// Along which axis; none means the first one.
        axis: Option<Axis>,
    },
    /// It ended without a value of its own (`$=`, an append of nothing).
    Passed,
    /// An invariant step whose inputs are those of its last run: the value is kept.
    Kept,
    /// A gate was asked.
    Gate {
        /// Returns whether what it guards may run.
        open: bool,
    },
    /// It was not run, and counts as settled.
    Skipped(SkipCause),
    /// It failed; what depends on it is stuck.
    Failed(Arc<StepFailure>),
}

/// A step's value with the verdict of a judgement.
#[derive(Debug, Clone)]
pub struct Produced {
    /// The value.
    pub value: Tensor,
    /// Judgements: whether the condition is met; none for other steps and without a condition.
    pub met: Option<bool>,
    /// For-each judgements: the truth of every element.
    pub mask: Option<Arc<Mask>>,
}

/// Why a step was skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkipCause {
    /// A gate above it is closed.
    Gate(ItemId),
    /// A value it needs was skipped.
    Input(crate::repo::ConceptId),
    /// The user said so, for a step that was interrupted and must not run twice.
    Told,
}

/// Why a step failed: an error that can be stored and read by another process.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StepFailure {
    /// Stable word, `script_failed` (semantics spec, section 15).
    pub kind: String,
    /// What went wrong, in a sentence.
    pub message: String,
    /// What to write instead.
    pub help: Option<Box<str>>,
    /// The cell, as axis name and position from 0; empty when the step has one cell only.
    pub cell: Vec<(String, usize)>,
    /// Script and line, where a script failed.
    pub script: Option<Box<ScriptPlace>>,
    /// Trace and captured output, at most a few KiB.
    pub detail: Option<Box<str>>,
}

/// A place in a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptPlace {
    /// Its path, relative to the base directory.
    pub path: String,
    /// The line, from 1.
    pub line: Option<u32>,
}

impl fmt::Display for StepFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StepFailure {
    /// A failure of a kind.
    pub fn new(kind: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind: kind.into(), message: message.into(), ..Self::default() }
    }

    /// With what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<Box<str>>) -> Self {
        self.help = Some(help.into());
        self
    }
}
