//! What a script asks for while it runs goes back to the driver, so that the journal, the budget and the limits hold
//! there too (semantics spec, section 11.3).

use crossbeam_channel::Sender;

use crate::run::StepFailure;
use crate::run::effect::{CallAnswer, Effect};

use super::driver::Message;

/// Where the answer of something a script asked for goes.
pub(super) type Reply = Sender<Result<CallAnswer, StepFailure>>;

/// Lets the script of one cell ask.
pub(super) struct Callback {
    driver: Sender<Message>,
    flight: u64,
    cell: u32,
}

/// Something a script asked for.
pub(super) struct Asking {
    pub(super) flight: u64,
    pub(super) cell: u32,
    pub(super) effect: Effect,
    pub(super) reply: Reply,
}

impl Callback {
    pub(super) fn new(driver: Sender<Message>, flight: u64, cell: u32) -> Self {
        Self { driver, flight, cell }
    }

    /// Asks for an effect and waits for its answer.
    ///
    /// # Errors
    /// The failure of what was asked; `interrupted` when the run ends before there is an answer.
    pub(super) fn ask(&self, effect: Effect) -> Result<CallAnswer, StepFailure> {
        let over = || StepFailure::new("interrupted", "the run ended before there was an answer");
        let (reply, answer) = crossbeam_channel::bounded(1);
        let asking = Asking { flight: self.flight, cell: self.cell, effect, reply };
        self.driver.send(Message::Asking(Box::new(asking))).map_err(|_| over())?;
        answer.recv().unwrap_or_else(|_| Err(over()))
    }
}
