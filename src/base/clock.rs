//! The clock as an argument: pure rooms are given the time, they never ask for it.

/// A source of wall-clock time.
pub trait Clock: Send + Sync {
    /// Milliseconds since the Unix epoch.
    fn now_millis(&self) -> u64;
}

/// A clock that always shows the same time; for tests and replays.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(
    /// Milliseconds since the Unix epoch.
    pub u64,
);

impl Clock for FixedClock {
    fn now_millis(&self) -> u64 {
        self.0
    }
}
