//! The time of day.

use crate::base::Clock;

/// The system's clock.
pub(super) struct WallClock;

impl Clock for WallClock {
    fn now_millis(&self) -> u64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
    }
}
