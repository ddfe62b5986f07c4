//! How many calls one provider gets at once: so many places, given in the order in which they were asked for.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// So many places.
pub(super) struct Gate {
    state: Mutex<State>,
}

struct State {
    free: usize,
    closed: bool,
    /// INVARIANT: nobody waits while a place is free.
    waiting: VecDeque<Arc<Waiter>>,
}

/// One that waits. Each has its own condition, so that a free place wakes one thread and not all of them.
struct Waiter {
    /// Guarded by the state of the gate; the lock here only belongs to the condition.
    state: Mutex<Turn>,
    turned: Condvar,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Waits,
    Given,
    Closed,
}

/// Why no place was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoPlace {
    /// Not before the deadline.
    TooLate,
    /// The gate was closed.
    Closed,
}

/// A place; it is free again when this is dropped.
pub(super) struct Place<'g> {
    gate: &'g Gate,
}

impl Gate {
    /// A gate of so many places, at least one.
    pub(super) fn new(places: usize) -> Self {
        Self { state: Mutex::new(State { free: places.max(1), closed: false, waiting: VecDeque::new() }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place.
    pub(super) fn enter(&self, deadline: Option<Instant>) -> Result<Place<'_>, NoPlace> {
        let waiter = {
            let mut state = self.state();
            if state.closed {
                return Err(NoPlace::Closed);
            }
            if state.free > 0 {
                state.free -= 1;
                return Ok(Place { gate: self });
            }
            let waiter = Arc::new(Waiter { state: Mutex::new(Turn::Waits), turned: Condvar::new() });
            state.waiting.push_back(waiter.clone());
            waiter
        };
        match waiter.wait(deadline) {
            Turn::Given => Ok(Place { gate: self }),
            Turn::Closed => Err(NoPlace::Closed),
            Turn::Waits => {
                // A place may have been given just now: then it goes on to the next.
                let mut state = self.state();
                let before = state.waiting.len();
                state.waiting.retain(|other| !Arc::ptr_eq(other, &waiter));
                let given = state.waiting.len() == before;
                drop(state);
                if given {
                    self.leave();
                }
                Err(NoPlace::TooLate)
            }
        }
    }

    /// Gives nobody a place any more; whoever waits hears it now.
    pub(super) fn close(&self) {
        let waiting = {
            let mut state = self.state();
            state.closed = true;
            std::mem::take(&mut state.waiting)
        };
        waiting.iter().for_each(|waiter| waiter.turn(Turn::Closed));
    }

    fn leave(&self) {
        let next = {
            let mut state = self.state();
            let next = state.waiting.pop_front();
            if next.is_none() {
                state.free += 1;
            }
            next
        };
        if let Some(next) = next {
            next.turn(Turn::Given);
        }
    }
}

impl Waiter {
    fn wait(&self, deadline: Option<Instant>) -> Turn {
        let mut turn = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while *turn == Turn::Waits {
            turn = match deadline {
                None => self.turned.wait(turn).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Turn::Waits;
                    }
                    self.turned.wait_timeout(turn, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        *turn
    }

    fn turn(&self, turn: Turn) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = turn;
        self.turned.notify_one();
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.gate.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::Duration;

    fn waiting(gate: &Gate) -> usize {
        gate.state().waiting.len()
    }

    #[test]
    fn places_are_given_in_order() {
        let gate = Gate::new(1);
        let order = Mutex::new(Vec::new());
        let place = gate.enter(None).unwrap_or_else(|_| panic!("free"));
        thread::scope(|scope| {
            for number in 0..5 {
                scope.spawn({
                    let (gate, order) = (&gate, &order);
                    move || {
                        let _place = gate.enter(None);
                        order.lock().unwrap().push(number);
                    }
                });
                while waiting(&gate) <= number {
                    thread::yield_now();
                }
            }
            drop(place);
        });
        assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4]);
        assert_eq!(gate.state().free, 1);
    }

    #[test]
    fn never_more_than_there_are_places_whoever_gives_up() {
        let gate = Gate::new(3);
        let (inside, most, done) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for number in 0..24_u64 {
                let (gate, inside, most, done) = (&gate, &inside, &most, &done);
                scope.spawn(move || {
                    for round in 0..20 {
                        let soon = Instant::now() + Duration::from_micros(number * round * 7);
                        let deadline = (number % 2 == 0).then_some(soon);
                        if let Ok(_place) = gate.enter(deadline) {
                            most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                            thread::yield_now();
                            inside.fetch_sub(1, Ordering::SeqCst);
                            done.fetch_add(1, Ordering::SeqCst);
                        }
                    }
                });
            }
        });
        assert!(most.load(Ordering::SeqCst) <= 3);
        assert!(done.load(Ordering::SeqCst) >= 12 * 20);
        assert_eq!(waiting(&gate), 0);
        assert_eq!(gate.state().free, 3, "no place is lost");
    }

    #[test]
    fn closing_ends_all_waiting() {
        let gate = Gate::new(1);
        let place = gate.enter(None);
        thread::scope(|scope| {
            let late = scope.spawn(|| gate.enter(None).err());
            while waiting(&gate) == 0 {
                thread::yield_now();
            }
            gate.close();
            assert_eq!(late.join().unwrap(), Some(NoPlace::Closed));
        });
        assert_eq!(gate.enter(None).err(), Some(NoPlace::Closed));
        drop(place);
    }
}
