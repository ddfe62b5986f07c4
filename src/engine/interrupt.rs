//! How a run is asked to stop: once to let running steps end, twice to end them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

/// A request to stop, shared between whoever hears it and the driver.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    times: AtomicU32,
    signal: AtomicI32,
}

impl Interrupt {
    /// Asks once more; `signal` is the number of the signal that was received. Returns how often it was asked so far.
    pub fn ask(&self, signal: i32) -> u32 {
        let _ = self.0.signal.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst);
        self.0.times.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// How often it was asked.
    pub fn times(&self) -> u32 {
        self.0.times.load(Ordering::SeqCst)
    }

    /// The first signal, none when nobody asked.
    pub fn signal(&self) -> Option<i32> {
        Some(self.0.signal.load(Ordering::SeqCst)).filter(|_| self.times() > 0)
    }
}
