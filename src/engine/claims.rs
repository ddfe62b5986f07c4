//! Files that a cell has found missing and may be about to write: whoever else asks for such a file waits until it is
//! there, or until that cell is over. So a script that many cells would have written is written once, as it is when they
//! come one after the other (semantics spec, sections 9.1 and 10.7). Knows neither files nor what is written.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::run::effect::Effect;
use crate::run::record::CallPlace;

/// A cell: its step's number among those that were prepared, and its place in the step.
pub(super) type Who = (u64, u32);

/// A cell that waits to look for a file.
pub(super) struct Looker {
    /// Its step, once that is under way.
    pub(super) flight: u64,
    pub(super) place: CallPlace,
    pub(super) effect: Effect,
}

/// Which cells may be about to write which files.
#[derive(Default)]
pub(super) struct Claims {
    holders: FxHashMap<Arc<str>, Who>,
    of: BTreeMap<Who, Vec<Arc<str>>>,
    waiting: FxHashMap<Arc<str>, VecDeque<Looker>>,
    /// Cells that may look now.
    woken: VecDeque<Looker>,
    steps: u64,
}

impl Claims {
    /// A number for a step whose cells will look for files.
    pub(super) fn step(&mut self) -> u64 {
        self.steps += 1;
        self.steps
    }

    /// Returns whether a cell must wait before it looks for a file. One that others wait for never does: so no cells
    /// wait for each other in a circle.
    pub(super) fn must_wait(&self, path: &str, who: Who) -> bool {
        self.holders.get(path).is_some_and(|holder| *holder != who) && !self.of.contains_key(&who)
    }

    /// A cell has looked. One that found nothing may be about to write the file.
    pub(super) fn looked(&mut self, path: &Arc<str>, who: Who, there: bool) {
        if there {
            // Nobody need wait any more.
            let waiting = self.waiting.remove(path).unwrap_or_default();
            self.woken.extend(waiting);
        } else if !self.holders.contains_key(path) {
            self.holders.insert(Arc::clone(path), who);
            self.of.entry(who).or_default().push(Arc::clone(path));
        }
    }

    /// Lets a cell wait.
    pub(super) fn wait(&mut self, path: &Arc<str>, looker: Looker) {
        if self.holders.contains_key(path) {
            self.waiting.entry(Arc::clone(path)).or_default().push_back(looker);
        } else {
            self.woken.push_back(looker);
        }
    }

    /// A cell is over, or has written what it looked for.
    pub(super) fn release(&mut self, who: Who) {
        for path in self.of.remove(&who).unwrap_or_default() {
            self.holders.remove(&path);
            self.wake_one(&path);
        }
    }

    /// All cells of a step are over.
    pub(super) fn release_step(&mut self, step: u64) {
        let holders: Vec<Who> = self.of.range((step, 0)..=(step, u32::MAX)).map(|(who, _)| *who).collect();
        holders.into_iter().for_each(|who| self.release(who));
    }

    /// The next cell that may look now.
    pub(super) fn next(&mut self) -> Option<Looker> {
        self.woken.pop_front()
    }

    /// All cells that wait, when nothing is looked for any more.
    pub(super) fn give_up(&mut self) -> Vec<Looker> {
        let mut all: Vec<Looker> = self.woken.drain(..).collect();
        all.extend(self.waiting.drain().flat_map(|(_, lookers)| lookers));
        all
    }

    /// Returns whether a cell may look that has not yet.
    pub(super) fn has_woken(&self) -> bool {
        !self.woken.is_empty()
    }

    /// A cell that may look cannot: the next one may.
    pub(super) fn pass_on(&mut self, path: &Arc<str>) {
        if !self.holders.contains_key(path) {
            self.wake_one(path);
        }
    }

    /// One cell looks first: if there is still nothing, the others go on waiting, for it.
    fn wake_one(&mut self, path: &Arc<str>) {
        let Some(waiting) = self.waiting.get_mut(path) else { return };
        self.woken.extend(waiting.pop_front());
        if waiting.is_empty() {
            self.waiting.remove(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::effect::FileAct;

    fn looker(flight: u64) -> Looker {
        let effect = Effect::File(FileAct::Exists { path: Arc::from("s.py") });
        Looker { flight, place: CallPlace { cell: 0, number: 0 }, effect }
    }

    fn woken(claims: &mut Claims) -> Vec<u64> {
        std::iter::from_fn(|| claims.next()).map(|l| l.flight).collect()
    }

    #[test]
    fn one_writes_and_the_others_find_it() {
        let (mut claims, path) = (Claims::default(), Arc::from("s.py"));
        claims.looked(&path, (1, 0), false);
        assert!(!claims.must_wait("s.py", (1, 0)));
        assert!(claims.must_wait("s.py", (2, 0)));
        assert!(!claims.must_wait("t.py", (2, 0)));
        for flight in [2, 3, 4] {
            claims.wait(&path, looker(flight));
        }
        claims.release((1, 0));
        assert_eq!(woken(&mut claims), [2]);
        claims.looked(&path, (2, 0), true);
        assert_eq!(woken(&mut claims), [3, 4]);
        assert!(!claims.must_wait("s.py", (5, 0)));
    }

    #[test]
    fn one_that_fails_lets_the_next_try() {
        let (mut claims, path) = (Claims::default(), Arc::from("s.py"));
        claims.looked(&path, (1, 0), false);
        claims.wait(&path, looker(2));
        claims.wait(&path, looker(3));
        claims.release_step(1);
        assert_eq!(woken(&mut claims), [2]);
        claims.looked(&path, (2, 0), false);
        assert!(claims.must_wait("s.py", (3, 0)));
        assert_eq!(woken(&mut claims), [0_u64; 0]);
        assert_eq!(claims.give_up().len(), 1);
    }

    #[test]
    fn one_that_cannot_look_lets_the_next_look() {
        let (mut claims, path) = (Claims::default(), Arc::from("s.py"));
        claims.looked(&path, (1, 0), false);
        claims.wait(&path, looker(2));
        claims.wait(&path, looker(3));
        claims.pass_on(&path);
        assert_eq!(woken(&mut claims), [0_u64; 0], "the first one may still write it");
        claims.release((1, 0));
        assert_eq!(woken(&mut claims), [2]);
        claims.release((2, 0));
        claims.pass_on(&path);
        assert_eq!(woken(&mut claims), [3]);
    }

    #[test]
    fn a_holder_never_waits() {
        let mut claims = Claims::default();
        claims.looked(&Arc::from("a"), (1, 0), false);
        claims.looked(&Arc::from("b"), (2, 0), false);
        assert!(!claims.must_wait("b", (1, 0)));
        assert!(!claims.must_wait("a", (2, 0)));
    }

    #[test]
    fn what_was_released_meanwhile_is_looked_for_at_once() {
        let mut claims = Claims::default();
        claims.wait(&Arc::from("s.py"), looker(2));
        assert_eq!(woken(&mut claims), [2]);
    }
}
