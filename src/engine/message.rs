//! What the driver and its threads tell each other: calls to be made, what came of them, what scripts ask for.

use std::sync::Arc;

use crossbeam_channel::Sender;

use crate::faculty::CallIdentity;
use crate::run::effect::{CallAnswer, Effect};
use crate::run::record::CallPlace;
use crate::run::{CallLog, Happening, ItemId, StepFailure};

use super::came::{Came, Refused};

/// Which threads make a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lane {
    /// Scripts, programs and files.
    Work,
    /// Models.
    Model,
    /// What scripts ask for while they run: they hold a thread of [`Lane::Work`], and must not wait for another one.
    Side,
}

/// One call on its way to a thread.
pub(super) struct Job {
    pub(super) flight: u64,
    pub(super) step_name: Arc<str>,
    pub(super) item: ItemId,
    pub(super) round: u32,
    pub(super) place: CallPlace,
    pub(super) effect: Effect,
    pub(super) timeout: Option<f64>,
    pub(super) identity: Option<Arc<CallIdentity>>,
    /// Who waits for it: a script that runs; none for the cell itself.
    pub(super) reply: Option<Reply>,
}

/// What came back.
pub(super) struct Done {
    pub(super) lane: Lane,
    pub(super) job: Job,
    pub(super) came: Result<Came, Refused>,
}

/// Something a script asked for.
pub(super) struct Asking {
    pub(super) flight: u64,
    pub(super) cell: u32,
    pub(super) effect: Effect,
    pub(super) reply: Reply,
}

/// Where the answer of something a script asked for goes.
pub(super) type Reply = Sender<Result<CallAnswer, StepFailure>>;

/// What threads send to the driver.
pub(super) enum Message {
    /// A call is done.
    Call(Box<Done>),
    /// A step's work is done as a whole.
    Work(u64, Box<Result<Happening, StepFailure>>, CallLog),
    /// A script asks for something while it runs.
    Asking(Box<Asking>),
}
