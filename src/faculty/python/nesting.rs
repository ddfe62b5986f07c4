//! While a script waits for a tool of its `body`, its place in the pool is free: the tool may need one itself, or take
//! long. Knows neither the tools nor the workers.

use std::cell::Cell;
use std::sync::Arc;

use super::protocol::Body;
use crate::base::Value;
use crate::faculty::{Failure, FailureKind};

/// How deep scripts may run scripts: each level is a process.
const DEPTH_LIMIT: u32 = 8;

thread_local! {
    /// How many tools of scripts are at work on this thread, one within the other.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// What gives up its place for a while.
pub(super) trait Leave: Send + Sync {
    /// Gives the place to others.
    fn leave(&self);

    /// Takes a place again and does not wait for it: whoever waits for a tool holds a worker anyhow.
    fn come_back(&self);
}

/// A body that is used while the place of its call is free.
pub(super) struct Nested<'a> {
    body: &'a dyn Body,
    place: &'a dyn Leave,
}

impl<'a> Nested<'a> {
    pub(super) fn new(body: &'a dyn Body, place: &'a dyn Leave) -> Self {
        Self { body, place }
    }
}

impl Body for Nested<'_> {
    fn call(
        &self,
        tool: &str,
        method: &str,
        args: &[Value],
        named: &[(Arc<str>, Value)],
    ) -> Result<Value, Failure> {
        if DEPTH.get() >= DEPTH_LIMIT {
            let message = format!("scripts run scripts more than {DEPTH_LIMIT} deep");
            return Err(Failure::new(FailureKind::NotAllowed, message).with_help(
                "let one script call the functions of the others: modules beside it can be imported",
            ));
        }
        let _away = Away::new(self.place);
        self.body.call(tool, method, args, named)
    }
}

/// A place that is given up; taken again at the end, however that comes.
struct Away<'a>(&'a dyn Leave);

impl<'a> Away<'a> {
    fn new(place: &'a dyn Leave) -> Self {
        DEPTH.set(DEPTH.get() + 1);
        place.leave();
        Self(place)
    }
}

impl Drop for Away<'_> {
    fn drop(&mut self) {
        self.0.come_back();
        DEPTH.set(DEPTH.get().saturating_sub(1));
    }
}
