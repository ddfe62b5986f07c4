//! The time of the run's clock. Asks no clock of its own.

use super::args::Args;
use crate::base::{Value, iso};
use crate::faculty::Failure;

/// Arguments are not looked at: they only say what must be there before.
pub(super) fn now(args: &Args<'_>) -> Result<Value, Failure> {
    Ok(Value::text(iso(args.clock().now_millis())))
}
