//! Frames for the tests of the index and of repair.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::book::keys_of;
use super::place::{Backend, Place};
use super::{Indexer, LookUp, Lookup};
use crate::base::{Digest, Reader, Writer};
use crate::run::record::Kind;
use crate::store::segment::{segment_path, segments};
use crate::store::{Durability, Journal, JournalOptions, RealDisk, RunDir, Store, Tail, encode_frame};

/// Frames one after the other.
#[derive(Debug, Default, Clone)]
pub(crate) struct Chain {
    /// All frames.
    pub(crate) bytes: Vec<u8>,
    /// Where each begins.
    pub(crate) starts: Vec<usize>,
    /// The number and the hash of the last.
    pub(crate) head: (u64, Digest),
}

impl Chain {
    /// Adds a frame.
    pub(crate) fn push(&mut self, kind: Kind, body: &[u8]) {
        self.starts.push(self.bytes.len());
        let seq = self.head.0 + 1;
        self.head = (seq, encode_frame(seq, kind, &self.head.1, body, &mut self.bytes));
    }

    /// Adds the result of a step, of about 80 bytes, as a run would write it.
    pub(crate) fn step(&mut self, n: u32) {
        self.push(if n.is_multiple_of(3) { Kind::Intent } else { Kind::Result }, &body(n));
    }

    /// So many steps.
    pub(crate) fn of_steps(count: u32) -> Self {
        let mut chain = Self::default();
        (0..count).for_each(|n| chain.step(n));
        chain
    }
}

/// The body of a step's frame: what it is about, times, a hash in part and a short text.
pub(crate) fn body(n: u32) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.number((n % 5000).into());
    writer.number((n % 3777).into());
    writer.number((n / 1000).into());
    writer.number(1_700_000_000_000 + u64::from(n) * 37);
    writer.bytes.extend_from_slice(&Digest::of(&n.to_le_bytes()).0[..16]);
    writer.text(&format!("the value of step {n} is {}", n.wrapping_mul(2_654_435_761)));
    writer.bytes
}

/// Reads what [`body`] wrote.
pub(crate) fn look_up() -> LookUp {
    Arc::new(|kind, body| {
        let mut reader = Reader::new(body);
        let mut small = || reader.small().ok();
        let lookup = Lookup { item: small()?, concept: small()?, cycle: small()? };
        (kind != Kind::Log).then_some(lookup)
    })
}

/// A run in a folder of its own.
pub(crate) struct Bed {
    pub(crate) _dir: tempfile::TempDir,
    pub(crate) store: Store,
    pub(crate) run: RunDir,
    pub(crate) place: Place,
}

/// What a run is written with in tests: no syncs, short segments.
pub(crate) const SEGMENT: u64 = 8 << 10;

impl Bed {
    /// A new run.
    pub(crate) fn new(backend: Backend) -> Self {
        let dir = folder();
        let store = Store::new(dir.path().join("store"), Arc::new(RealDisk));
        let mut run = store.create("01TEST").unwrap();
        run.set_segment_limit(SEGMENT);
        let place = Place::with(&run, backend);
        Self { _dir: dir, store, run, place }
    }

    /// A run with so many steps, closed cleanly with its index.
    pub(crate) fn with_steps(backend: Backend, count: u32) -> Self {
        let bed = Self::new(backend);
        bed.go_on(0..count).unwrap();
        bed
    }

    /// Where the journal ends.
    pub(crate) fn tail(&self) -> Tail {
        let mut journal = self.run.journal().unwrap();
        while journal.next().unwrap().is_some() {}
        journal.tail()
    }

    fn options(&self) -> JournalOptions {
        JournalOptions {
            durability: Durability::Kill,
            first_prev: Digest::of(b"run and plan"),
            ..JournalOptions::default()
        }
    }

    /// The journal, behind its last frame.
    pub(crate) fn journal(&self, tail: &Tail, indexer: Option<&Indexer>) -> Journal {
        let mut options = self.options();
        options.on_written = indexer.map(Indexer::sink);
        if tail.seq == 0 { self.run.start(options).unwrap() } else { self.run.go_on(tail, options).unwrap() }
    }

    /// The thread that keeps the index.
    pub(crate) fn indexer(&self, tail: Tail) -> Indexer {
        Indexer::start_at(self.place.clone(), self.run.journal(), tail, look_up())
    }

    /// Goes on with the run by some steps, and closes journal and index; what closing the index answered.
    pub(crate) fn go_on(&self, steps: std::ops::Range<u32>) -> Result<(), String> {
        let tail = self.tail();
        let indexer = self.indexer(tail);
        let mut journal = self.journal(&tail, Some(&indexer));
        for n in steps {
            journal.append(if n.is_multiple_of(3) { Kind::Intent } else { Kind::Result }, &body(n));
            if n.is_multiple_of(10) {
                journal.write().unwrap();
            }
        }
        let head = journal.close().unwrap();
        indexer.close(head)
    }

    /// All that is in the index; it is closed cleanly before and after.
    pub(crate) fn keys(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let head = self.place.token().unwrap().head;
        let book = self.place.open(look_up(), head).unwrap();
        let keys = keys_of(book.index());
        self.place.close(book, head).unwrap();
        keys
    }

    /// The bytes of all segments.
    pub(crate) fn segments(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let journal = self.run.path().join("journal");
        let numbers = segments(&RealDisk, &journal).unwrap();
        let paths = numbers.into_iter().map(|number| segment_path(&journal, number));
        paths.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
    }

    /// The bytes of all frames.
    pub(crate) fn frames(&self) -> Vec<Vec<u8>> {
        let mut journal = self.run.journal().unwrap();
        let mut frames = Vec::new();
        while let Some(frame) = journal.next().unwrap() {
            frames.push(frame.bytes.to_vec());
        }
        frames
    }
}

/// A folder that costs nothing to sync, where there is one.
pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Copies a folder.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}
