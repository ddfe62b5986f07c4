//! The process groups of all living children of one faculty, for whoever has to end them from outside.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// Groups by their id, which is that of the process that was started.
///
/// INVARIANT: a process is awaited only after its group was taken out here, so no id in it can belong to another
/// process.
#[derive(Debug, Default)]
pub(in crate::faculty) struct Groups(Mutex<BTreeSet<i32>>);

impl Groups {
    fn with<T>(&self, act: impl FnOnce(&mut BTreeSet<i32>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes a process in that was just started.
    pub(in crate::faculty) fn add(&self, group: Pid) {
        self.with(|groups| groups.insert(group.as_raw_nonzero().get()));
    }

    /// Kills one group and takes it out; from now on its process may be awaited.
    pub(in crate::faculty) fn end(&self, group: Pid) {
        self.with(|groups| {
            if groups.remove(&group.as_raw_nonzero().get()) {
                send(group, Signal::KILL);
            }
        });
    }

    /// Sends a signal to one group, if it is still here.
    pub(in crate::faculty) fn signal(&self, group: Pid, signal: Signal) {
        self.with(|groups| {
            if groups.contains(&group.as_raw_nonzero().get()) {
                send(group, signal);
            }
        });
    }

    /// Kills every group.
    pub(in crate::faculty) fn kill(&self) {
        self.with(|groups| {
            groups.iter().copied().filter_map(Pid::from_raw).for_each(|group| send(group, Signal::KILL));
        });
    }
}

fn send(group: Pid, signal: Signal) {
    // A group that is gone is as good as one that has the signal. Where there is none yet, its leader is meant: it may
    // just be about to begin a session, or have left its group because a script said so.
    if kill_process_group(group, signal).is_err() || signal == Signal::KILL {
        let _ = kill_process(group, signal);
    }
}
