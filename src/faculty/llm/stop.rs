//! How waiting and running calls are ended at once.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::faculty::{Failure, FailureKind};

/// A request to stop, shared by whoever waits. Once stopped it stays so.
#[derive(Clone, Default)]
pub struct Stop {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    stopped: bool,
    hooks: Vec<Box<dyn Fn() + Send>>,
}

impl Stop {
    /// Ends every wait, and runs what was registered with [`Stop::on_stop`].
    pub fn stop(&self) {
        let hooks = {
            let mut state = self.inner.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.stopped = true;
            std::mem::take(&mut state.hooks)
        };
        self.inner.changed.notify_all();
        hooks.iter().for_each(|hook| hook());
    }

    /// Returns whether it was stopped.
    pub fn stopped(&self) -> bool {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner).stopped
    }

    /// Runs something when it is stopped; at once when it already is.
    pub fn on_stop(&self, hook: impl Fn() + Send + 'static) {
        let mut state = self.inner.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.stopped {
            state.hooks.push(Box::new(hook));
            return;
        }
        drop(state);
        hook();
    }

    /// Waits until then.
    ///
    /// # Errors
    /// [`FailureKind::Interrupted`] when it is stopped before.
    pub(super) fn wait(&self, time: Duration) -> Result<(), Failure> {
        let until = Instant::now() + time;
        let mut state = self.inner.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if state.stopped {
                return Err(interrupted());
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            let waited = self.inner.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// What a call gives that was ended from outside.
pub(super) fn interrupted() -> Failure {
    Failure::new(FailureKind::Interrupted, "the call was ended because the run stops")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn a_stop_ends_waits_now_and_later() {
        let stop = Stop::default();
        assert!(stop.wait(Duration::from_millis(1)).is_ok());
        let heard = Arc::new(AtomicU32::new(0));
        let hook = |heard: &Arc<AtomicU32>| {
            let heard = heard.clone();
            move || {
                heard.fetch_add(1, Ordering::SeqCst);
            }
        };
        stop.on_stop(hook(&heard));
        let waiting = std::thread::spawn({
            let stop = stop.clone();
            move || stop.wait(Duration::from_secs(3600))
        });
        stop.stop();
        assert_eq!(waiting.join().unwrap().unwrap_err().kind, FailureKind::Interrupted);
        assert!(stop.wait(Duration::from_secs(3600)).is_err());
        stop.on_stop(hook(&heard));
        stop.stop();
        assert_eq!(heard.load(Ordering::SeqCst), 2);
    }
}
