//! Frames: what one iteration of a loop body, or the plan outside all loops, holds while it runs.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::base::LoopPath;
use crate::tensor::Tensor;
use crate::tensor::mask::Mask;

use super::graph::{ItemId, Scope, ScopeId};
use super::loops::LoopState;

/// A frame: one iteration of a loop body, or the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FrameId(pub(super) u32);

/// One iteration of a loop body, or the root: its items and the concepts kept in it.
#[derive(Debug, Default)]
pub(super) struct Frame {
    pub(super) scope: ScopeId,
    /// The frame around, and the loop whose iteration this is.
    pub(super) parent: Option<(FrameId, ItemId)>,
    pub(super) path: LoopPath,
    pub(super) items: Vec<ItemState>,
    pub(super) slots: Vec<Slot>,
    pub(super) loops: Vec<Option<Box<LoopState>>>,
    pub(super) unsettled: u32,
    pub(super) round: u32,
    pub(super) failed: bool,
    /// Items of frames further in that wait for an item here.
    pub(super) followers: FxHashMap<u32, Vec<(FrameId, u32)>>,
    /// Items of frames further in that must look again when an item here settles.
    pub(super) listeners: FxHashMap<u32, Vec<(FrameId, u32)>>,
}

impl Frame {
    /// A frame of a scope in which nothing has happened, made from `old` where there is one, so that a loop of any
    /// length needs memory for its open iterations only.
    pub(super) fn fresh(id: ScopeId, scope: &Scope, old: Option<Box<Self>>) -> Box<Self> {
        let mut frame = old.unwrap_or_default();
        let Self { slots, loops, items, followers, listeners, .. } = &mut *frame;
        slots.clear();
        slots.resize_with(scope.slots.len(), Slot::default);
        loops.clear();
        loops.resize_with(scope.loops.len(), || None);
        items.clear();
        followers.clear();
        listeners.clear();
        (frame.scope, frame.parent, frame.failed) = (id, None, false);
        frame.path = LoopPath::default();
        frame
    }
}

/// How far one item is.
#[derive(Debug, Clone, Copy)]
pub(super) struct ItemState {
    pub(super) waits: u32,
    /// The highest round of what it waited for so far.
    pub(super) round: u32,
    pub(super) status: Status,
}

/// How far an item is within its frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Waits for something.
    Waiting,
    /// Can start.
    Ready,
    /// Was given out; for a loop: its iterations run.
    Running,
    /// Ran.
    Done,
    /// A gate that let its target run; for the others as `Done`.
    Open,
    /// A gate that is closed.
    Closed,
    /// Was skipped.
    Skipped,
    /// Failed.
    Failed,
}

impl Status {
    /// Returns whether others need not wait for it any more.
    pub fn is_settled(self) -> bool {
        !matches!(self, Self::Waiting | Self::Ready | Self::Running | Self::Failed)
    }
}

/// One concept's place in a frame.
#[derive(Debug, Clone, Default)]
pub struct Slot {
    /// Its value.
    pub content: Content,
    /// The verdict of the judgement that gave it.
    pub met: Option<bool>,
    /// The truth of every element, for a for-each judgement.
    pub mask: Option<Arc<Mask>>,
    /// The number of the event that gave it, from 1; 0 for what was there before the first step. Goes along wherever
    /// the value goes, so that it can be said who gave it.
    pub given: u64,
}

/// The value of a concept at some moment.
#[derive(Debug, Clone, Default)]
pub enum Content {
    /// Nobody gave one yet.
    #[default]
    Empty,
    /// Its step was skipped.
    Skipped,
    /// The value.
    Value(Tensor),
}

impl Content {
    /// The value, if there is one.
    pub fn value(&self) -> Option<&Tensor> {
        match self {
            Self::Value(t) => Some(t),
            _ => None,
        }
    }
}
