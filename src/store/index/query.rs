//! Questions to a stored run: which frames are about an item, a concept, a cycle (durability spec, section 5). The
//! index answers when it was closed cleanly, the run is not in use and the disk can be written; else the journal is
//! read. Both give the same answer.

use std::sync::Arc;

use super::book::{Book, frames_by, frames_of_cycle as cycle_from};
use super::lookups::{By, LookUp, Lookup};
use super::place::{Place, Token};
use super::table::IndexError;
use crate::base::Digest;
use crate::store::segment::{segment_path, segments};
use crate::store::{HEADER, LONGEST_BODY, RunDir, Store, StoreError, read_frame};

/// What frames are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Find {
    /// Those about an item.
    Item(u32),
    /// Those about a concept.
    Concept(u32),
    /// Those of a cycle.
    Cycle(u32),
}

impl Find {
    fn fits(self, lookup: Lookup) -> bool {
        match self {
            Self::Item(item) => lookup.item == item,
            Self::Concept(concept) => lookup.concept == concept,
            Self::Cycle(cycle) => lookup.cycle == cycle,
        }
    }
}

/// The numbers of the frames about an item, ascending.
///
/// # Errors
/// When the journal is damaged or cannot be read.
pub fn frames_of_item(run: &RunDir, look_up: &LookUp, item: u32) -> Result<Vec<u64>, StoreError> {
    frames_of(run, look_up, Find::Item(item))
}

/// The numbers of the frames about a concept, ascending.
///
/// # Errors
/// When the journal is damaged or cannot be read.
pub fn frames_of_concept(run: &RunDir, look_up: &LookUp, concept: u32) -> Result<Vec<u64>, StoreError> {
    frames_of(run, look_up, Find::Concept(concept))
}

/// The numbers of the frames of a cycle, ascending.
///
/// # Errors
/// When the journal is damaged or cannot be read.
pub fn frames_of_cycle(run: &RunDir, look_up: &LookUp, cycle: u32) -> Result<Vec<u64>, StoreError> {
    frames_of(run, look_up, Find::Cycle(cycle))
}

/// The numbers of the frames that are asked for, ascending.
///
/// # Errors
/// When the journal is damaged or cannot be read.
pub fn frames_of(run: &RunDir, look_up: &LookUp, find: Find) -> Result<Vec<u64>, StoreError> {
    match ask(run, &Place::of(run), look_up, find) {
        Some(found) => Ok(found),
        None => scan(run, look_up, find),
    }
}

/// Reads the whole journal for an answer.
pub(super) fn scan(run: &RunDir, look_up: &LookUp, find: Find) -> Result<Vec<u64>, StoreError> {
    let mut journal = run.journal()?;
    let mut found = Vec::new();
    while let Some(frame) = journal.next()? {
        if look_up(frame.kind, frame.body).is_some_and(|lookup| find.fits(lookup)) {
            found.push(frame.seq);
        }
    }
    Ok(found)
}

/// Asks the index; none when it cannot answer.
pub(super) fn ask(run: &RunDir, place: &Place, look_up: &LookUp, find: Find) -> Option<Vec<u64>> {
    // A journal of one segment is read in less time than sled takes to open.
    if segments(run.disk().as_ref(), &run.path().join("journal")).ok()?.len() < 2 {
        return None;
    }
    place.token()?;
    // The lock is held by a handle of its own and given back after the answer.
    let root = run.path().parent()?.parent()?;
    let mut own = Store::new(root, Arc::clone(run.disk())).open(run.id()).ok()?;
    own.lock_quietly().ok()?;
    let token = place.token()?;
    if !is_head(&own, &token) {
        return None;
    }
    let book = place.open(Arc::clone(look_up), token.head).ok()?;
    let answer = answer(&book, look_up, find);
    // An index that cannot be closed is made again by the next run; the answer is as good.
    if answer.is_ok() {
        let _ = place.close(book, token.head);
    }
    answer.ok()
}

fn answer(book: &Book, look_up: &LookUp, find: Find) -> Result<Vec<u64>, IndexError> {
    match find {
        Find::Item(item) => frames_by(book.index(), By::Item, item),
        Find::Concept(concept) => frames_by(book.index(), By::Concept, concept),
        Find::Cycle(cycle) => cycle_from(book.index(), look_up, cycle),
    }
}

/// Says whether the journal ends with the frame the token speaks of, by its last bytes alone.
fn is_head(run: &RunDir, token: &Token) -> bool {
    let (disk, journal) = (run.disk().as_ref(), run.path().join("journal"));
    let last = || {
        let number = segments(disk, &journal).ok()?.pop()?;
        let file = disk.open_read(&segment_path(&journal, number)).ok()?;
        if token.last > HEADER + LONGEST_BODY {
            return None;
        }
        let start = file.info().ok()?.len.checked_sub(token.last as u64)?;
        let mut bytes = vec![0; token.last];
        (file.read_full_at(&mut bytes, start).ok()? == bytes.len()).then_some(bytes)
    };
    last().is_some_and(|bytes| {
        read_frame(&bytes).is_ok_and(|frame| (frame.seq, Digest::of(&bytes)) == token.head)
    })
}
