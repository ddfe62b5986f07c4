//! A scripted run on a simulated disk, and what must be left of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::Digest;
use crate::run::record::Kind;
use crate::store::{
    Durability, Journal, JournalOptions, JournalReader, RunDir, SimDisk, Store, StoreError, Tail, Torn,
};

/// The id of the run.
pub(super) const RUN: &str = "01RUN";
/// Segments are this short, so that a scenario has several.
pub(super) const SEGMENT: u64 = 2500;
/// Every so many frames one has an object.
const OBJECTS: u64 = 7;

pub(super) fn store(disk: &SimDisk) -> Store {
    Store::new("/s", Arc::new(disk.clone()))
}

pub(super) fn segment(number: u32) -> PathBuf {
    Path::new("/s/runs").join(RUN).join(format!("journal/{number:08}.ncj"))
}

pub(super) fn options(durability: Durability) -> JournalOptions {
    JournalOptions { durability, first_prev: Digest::of(b"run and plan"), ..JournalOptions::default() }
}

/// What a frame says, by its number: some are short, some long, some refer to an object.
pub(super) fn body(seq: u64) -> Vec<u8> {
    let mut body = format!("record {seq}").into_bytes();
    if has_object(seq) {
        body.extend_from_slice(&Digest::of(&object(seq)).0);
    }
    body.resize(body.len() + (seq * 37 % 400) as usize, seq as u8);
    body
}

pub(super) fn has_object(seq: u64) -> bool {
    seq.is_multiple_of(OBJECTS)
}

pub(super) fn object(seq: u64) -> Vec<u8> {
    (0..600 + seq).map(|byte| (byte * seq) as u8).collect()
}

/// Appends frames.
pub(super) fn append(journal: &mut Journal, count: u64) {
    for _ in 0..count {
        let seq = journal.head().0 + 1;
        if has_object(seq) {
            journal.object(object(seq));
        }
        assert_eq!(journal.append(Kind::Result, &body(seq)), seq);
    }
}

/// Appends frames that refer to nothing.
pub(super) fn append_plain(journal: &mut Journal, count: u64) {
    for _ in 0..count {
        let seq = journal.head().0 + 1;
        assert_eq!(journal.append(Kind::Result, &body(seq)), seq);
    }
}

/// A run opened and locked.
pub(super) fn open(disk: &SimDisk) -> Result<RunDir, StoreError> {
    let mut run = store(disk).open(RUN)?;
    run.lock()?;
    run.set_segment_limit(SEGMENT);
    Ok(run)
}

/// All frames of a journal, checked against what they should say.
pub(super) fn read_all(reader: &mut JournalReader) -> Result<(Tail, Option<Torn>), StoreError> {
    while let Some(frame) = reader.next()? {
        assert_eq!(frame.body, body(frame.seq), "record {}", frame.seq);
    }
    let torn = reader.torn()?;
    Ok((reader.tail(), torn))
}

/// Where a run goes on: a frame that was not safe from a loss of power may have lost its object, and does not count
/// then, nor does what follows.
fn end_of(run: &RunDir) -> Result<Tail, StoreError> {
    let mut reader = run.journal()?;
    let mut before = reader.tail();
    let mut ends = Vec::new();
    while let Some(frame) = reader.next()? {
        if has_object(frame.seq) {
            ends.push((frame.seq, before));
        }
        before = reader.tail();
    }
    for (seq, before) in ends {
        match run.get_object(&Digest::of(&object(seq))) {
            Err(StoreError::Damaged(_)) if seq > reader.safe() => return Ok(before),
            Err(error) => return Err(error),
            Ok(_) => {}
        }
    }
    Ok(reader.tail())
}

/// What is known of a run from outside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Promised {
    pub(super) created: bool,
    pub(super) plan: Option<Digest>,
    /// Frames that survive a kill.
    pub(super) written: u64,
    /// Frames that survive a loss of power.
    pub(super) synced: u64,
}

/// A whole run: made, written, synced, with objects and changes of segments, closed.
pub(super) fn scenario(
    disk: &SimDisk,
    durability: Durability,
    promised: &mut Promised,
) -> Result<(), StoreError> {
    let mut run = store(disk).create(RUN)?;
    promised.created = true;
    run.set_segment_limit(SEGMENT);
    promised.plan = Some(run.put_plan(b"{\"plan\": 1}")?);
    finish(run.start(options(durability))?, promised)
}

/// Goes on with a run after whatever happened, and ends it.
pub(super) fn go_on(disk: &SimDisk, promised: &mut Promised) -> Result<(), StoreError> {
    let run = open(disk)?;
    let tail = end_of(&run)?;
    finish(run.go_on(&tail, options(Durability::Grouped))?, promised)
}

/// Writes to a journal and closes it.
fn finish(mut journal: Journal, promised: &mut Promised) -> Result<(), StoreError> {
    let result = write_some(&mut journal, promised);
    promised.synced = promised.synced.max(journal.synced());
    if let Err(error) = result {
        assert_poisoned(journal, &error);
        return Err(error);
    }
    let (seq, _) = journal.close()?;
    (promised.written, promised.synced) = (seq, seq);
    Ok(())
}

fn write_some(journal: &mut Journal, promised: &mut Promised) -> Result<(), StoreError> {
    for round in 0..12 {
        append(journal, 3);
        journal.write()?;
        promised.written = journal.written();
        if round % 3 == 2 {
            journal.sync()?;
            assert_eq!(journal.synced(), journal.written());
            promised.synced = journal.synced();
        }
    }
    append(journal, 2);
    Ok(())
}

/// After a failure nothing is written any more, and the reason is kept.
fn assert_poisoned(mut journal: Journal, error: &StoreError) {
    assert_eq!(journal.failure().map(|f| f.to_string()), Some(error.to_string()));
    let written = journal.written();
    append(&mut journal, 1);
    assert!(matches!(journal.write(), Err(StoreError::Poisoned)));
    assert!(matches!(journal.sync(), Err(StoreError::Poisoned)));
    assert_eq!(journal.written(), written);
    assert!(matches!(journal.close(), Err(StoreError::Poisoned)));
}

/// Checks that at least so many frames are there, with all that belongs to them.
pub(super) fn assert_kept(disk: &SimDisk, promised: &Promised, frames: u64, what: &str) {
    let run = match open(disk) {
        Ok(run) => run,
        Err(error) => {
            assert!(!promised.created, "{what}: {error}");
            assert!(matches!(error, StoreError::NotFound { .. }), "{what}: {error}");
            return;
        }
    };
    if let Some(plan) = &promised.plan {
        assert_eq!(run.get_plan(plan).unwrap(), b"{\"plan\": 1}", "{what}");
    }
    let (tail, _) = read_all(&mut run.journal().unwrap()).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(tail.seq >= frames, "{what}: {} frames of {frames}", tail.seq);
    for seq in (1..=frames).filter(|seq| has_object(*seq)) {
        let (bytes, digest) = (object(seq), Digest::of(&object(seq)));
        run.check_object(&digest, bytes.len() as u64).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(run.get_object(&digest).unwrap(), bytes, "{what}");
    }
}
