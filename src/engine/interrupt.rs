//! How a run is asked to stop: once to let running steps end, twice to end them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded};

/// A request to stop, shared between whoever hears it and the driver.
#[derive(Debug, Clone)]
pub struct Interrupt {
    inner: Arc<Inner>,
    wake: Sender<()>,
    woken: Receiver<()>,
}

#[derive(Debug, Default)]
struct Inner {
    times: AtomicU32,
    signal: AtomicI32,
}

impl Default for Interrupt {
    /// Nobody has asked.
    fn default() -> Self {
        let (wake, woken) = bounded(1);
        Self { inner: Arc::default(), wake, woken }
    }
}

impl Interrupt {
    /// Asks once more; `signal` is the number of the signal that was received. Returns how often it was asked so far.
    pub fn ask(&self, signal: i32) -> u32 {
        let _ = self.inner.signal.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst);
        let times = self.inner.times.fetch_add(1, Ordering::SeqCst) + 1;
        // One waiting call is enough to wake the driver.
        let _ = self.wake.try_send(());
        times
    }

    /// How often it was asked.
    pub fn times(&self) -> u32 {
        self.inner.times.load(Ordering::SeqCst)
    }

    /// The first signal, none when nobody asked.
    pub fn signal(&self) -> Option<i32> {
        Some(self.inner.signal.load(Ordering::SeqCst)).filter(|_| self.times() > 0)
    }

    /// Gets something whenever the run was asked to stop.
    pub(super) fn woken(&self) -> &Receiver<()> {
        &self.woken
    }
}
