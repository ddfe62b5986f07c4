//! How many calls the journal makes, and when (durability spec, section 4).

use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::support::{RUN, append, open, options, read_all, store};
use crate::base::Digest;
use crate::run::record::Kind;
use crate::store::{Call, Disk, Durability, Journal, SimDisk, StoreError};

/// The calls of some work: writes, syncs of data, of whole files, of directories, of trees.
fn calls(disk: &SimDisk, work: impl FnOnce()) -> [u64; 5] {
    let all = [Call::Write, Call::SyncData, Call::SyncAll, Call::SyncDir, Call::SyncTree];
    let before = all.map(|call| disk.count(call));
    work();
    let after = all.map(|call| disk.count(call));
    std::array::from_fn(|i| after[i] - before[i])
}

#[test]
fn one_write_and_one_sync_for_everything() {
    for durability in [Durability::Strict, Durability::Kill] {
        let disk = SimDisk::new();
        let run = store(&disk).create(RUN).unwrap();
        let mut journal = run.start(options(durability)).unwrap();
        assert_eq!(calls(&disk, || journal.sync().unwrap()), [0; 5], "nothing to write, nothing to sync");
        // The first time the file and its name are made safe as well.
        append(&mut journal, 6);
        assert_eq!(calls(&disk, || journal.sync().unwrap()), [1, 0, 1, 1, 0]);
        assert_eq!(calls(&disk, || journal.sync().unwrap()), [0; 5]);
        for _ in 0..100 {
            journal.append(Kind::Result, b"body");
        }
        assert_eq!(calls(&disk, || journal.write().unwrap()), [1, 0, 0, 0, 0]);
        assert_eq!((journal.written(), journal.synced()), (106, 6));
        journal.append(Kind::Result, b"body");
        assert_eq!(calls(&disk, || journal.write().unwrap()), [1, 0, 0, 0, 0]);
        assert_eq!(calls(&disk, || journal.sync().unwrap()), [0, 1, 0, 0, 0]);
        assert_eq!((journal.written(), journal.synced(), journal.unwritten()), (107, 107, 0));
        // An object: its file, its directory, the directory of that. Once only.
        for turn in 0..2 {
            let digest = journal.object(vec![1; 40_000]);
            assert_eq!(digest, Digest::of(&[1; 40_000]));
            assert_eq!(journal.unwritten(), 40_000);
            journal.append(Kind::Result, &digest.0);
            let expected = if turn == 0 { [2, 1, 1, 2, 0] } else { [1, 1, 0, 0, 0] };
            assert_eq!(calls(&disk, || journal.sync().unwrap()), expected);
        }
        journal.append(Kind::End, b"");
        assert_eq!(calls(&disk, || assert_eq!(journal.close().unwrap().0, 110)), [1, 1, 0, 0, 0]);
        assert!(disk.info(&run.path().join("RESERVE")).is_err());
    }
}

#[test]
fn what_an_earlier_process_wrote_is_synced_once() {
    let disk = SimDisk::new();
    let run = store(&disk).create(RUN).unwrap();
    let mut journal = run.start(options(Durability::Kill)).unwrap();
    append(&mut journal, 8);
    journal.write().unwrap();
    let killed = disk.kill();
    let run = open(&killed).unwrap();
    let (tail, _) = read_all(&mut run.journal().unwrap()).unwrap();
    assert_eq!(tail.seq, 8);
    let mut journal = run.go_on(&tail, options(Durability::Strict)).unwrap();
    assert_eq!((journal.written(), journal.synced()), (8, 0));
    assert_eq!(calls(&killed, || journal.sync().unwrap()), [0, 0, 0, 0, 1]);
    assert_eq!(journal.synced(), 8);
    let crashed = killed.crash(0);
    assert_eq!(read_all(&mut open(&crashed).unwrap().journal().unwrap()).unwrap().0.seq, 8);
}

#[test]
fn a_journal_that_was_empty_is_safe_with_its_first_frame() {
    let disk = SimDisk::new();
    let run = store(&disk).create(RUN).unwrap();
    run.start(options(Durability::Grouped)).unwrap().close().unwrap();
    drop(run);
    let run = open(&disk).unwrap();
    let (tail, _) = read_all(&mut run.journal().unwrap()).unwrap();
    let mut journal = run.go_on(&tail, options(Durability::Strict)).unwrap();
    append(&mut journal, 1);
    journal.sync().unwrap();
    let crashed = disk.crash(0);
    let mut reader = open(&crashed).unwrap().journal().unwrap();
    assert_eq!(reader.next().unwrap().unwrap().prev, Digest::of(b"run and plan"));
}

#[test]
fn strict_puts_objects_before_frames_and_syncs_on_request_only() {
    let disk = SimDisk::new();
    let run = store(&disk).create(RUN).unwrap();
    let mut journal = run.start(options(Durability::Strict)).unwrap();
    let digest = journal.object(vec![5; 33_000]);
    journal.append(Kind::Result, &digest.0);
    assert_eq!(calls(&disk, || journal.write().unwrap()), [2, 0, 1, 2, 0]);
    std::thread::sleep(Duration::from_millis(30));
    assert_eq!(journal.synced(), 0);
    assert_eq!(open(&disk.crash(0)).unwrap().get_object(&digest).unwrap(), [5; 33_000]);
}

#[test]
fn grouped_syncs_at_once_when_idle_and_soon_under_load() {
    let disk = SimDisk::new();
    let run = store(&disk).create(RUN).unwrap();
    let (tell, told) = mpsc::channel();
    let mut options = options(Durability::Grouped);
    options.on_synced = Some(Box::new(move || tell.send(()).unwrap()));
    let mut journal = run.start(options).unwrap();
    let begun = Instant::now();
    let mut writes = 0;
    while begun.elapsed() < Duration::from_millis(100) {
        journal.append(Kind::Result, b"body");
        journal.write().unwrap();
        writes += 1;
    }
    // An earlier sync may still be waiting to be told.
    let all_synced = |journal: &Journal| {
        while journal.synced() < journal.written() {
            told.recv_timeout(Duration::from_secs(60)).unwrap();
        }
    };
    all_synced(&journal);
    let most = begun.elapsed().as_millis() as u64 / 10 + 4;
    let syncs = disk.count(Call::SyncData) + disk.count(Call::SyncAll);
    assert!(writes > 20, "{writes} writes");
    // About one in 10 ms; more would be too many, and on a busy machine there may be fewer.
    assert!((2..=most).contains(&syncs), "{syncs} syncs");
    assert_eq!(
        calls(&disk, || std::thread::sleep(Duration::from_millis(25))),
        [0; 5],
        "nothing new, nothing to do"
    );
    let before = disk.count(Call::SyncData);
    journal.append(Kind::Result, b"body");
    journal.write().unwrap();
    all_synced(&journal);
    assert_eq!((disk.count(Call::SyncData) - before, journal.synced()), (1, journal.written()));
}

#[test]
fn kill_and_strict_sync_soon_when_asked() {
    for durability in [Durability::Kill, Durability::Strict] {
        let disk = SimDisk::new();
        let run = store(&disk).create(RUN).unwrap();
        let (tell, told) = mpsc::channel();
        let mut options = options(durability);
        options.on_synced = Some(Box::new(move || tell.send(()).unwrap()));
        let mut journal = run.start(options).unwrap();
        journal.sync_soon();
        append(&mut journal, 3);
        journal.write().unwrap();
        assert!(told.recv_timeout(Duration::from_millis(30)).is_err(), "nobody asked for what was written");
        journal.sync_soon();
        told.recv_timeout(Duration::from_secs(60)).unwrap();
        assert_eq!(journal.synced(), 3);
    }
}

#[test]
fn writing_does_not_wait_for_a_sync() {
    // A disk whose syncs take long would show it; here the lock that a sync holds is asked for directly.
    let disk = SimDisk::new();
    let run = store(&disk).create(RUN).unwrap();
    let mut seen = Vec::new();
    let mut journal = run.start(options(Durability::Grouped)).unwrap();
    for _ in 0..2_000 {
        let begun = Instant::now();
        journal.append(Kind::Log, b"line");
        journal.write().unwrap();
        seen.push(begun.elapsed());
    }
    seen.sort();
    assert!(seen[1_000] < Duration::from_millis(1), "half of the writes take {:?} or more", seen[1_000]);
}

#[test]
fn the_sink_gets_whole_frames_in_order() {
    let disk = SimDisk::new();
    let run = store(&disk).create(RUN).unwrap();
    let (tell, told) = mpsc::channel();
    let mut options = options(Durability::Grouped);
    options.on_written = Some(Box::new(move |bytes| tell.send(bytes.to_vec()).unwrap()));
    let mut journal = run.start(options).unwrap();
    for _ in 0..9 {
        append(&mut journal, 5);
        journal.write().unwrap();
    }
    let head = journal.close().unwrap();
    let all: Vec<u8> = told.iter().flatten().collect();
    let (mut at, mut seq, mut digest) = (0, 0, Digest::default());
    while at < all.len() {
        let frame = crate::store::read_frame(&all[at..]).unwrap();
        (seq, digest) = (frame.seq, frame.digest());
        at += frame.bytes.len();
    }
    assert_eq!((seq, digest), head);
    let mut reader = store(&disk).open(RUN).unwrap().journal().unwrap();
    let (tail, torn) = read_all(&mut reader).unwrap();
    assert_eq!(((tail.seq, tail.digest), torn), (head, None));
}

#[test]
fn a_body_too_long_stops_the_journal() {
    let disk = SimDisk::new();
    let run = store(&disk).create(RUN).unwrap();
    let mut journal = run.start(options(Durability::Kill)).unwrap();
    let body = vec![0; crate::store::LONGEST_BODY];
    journal.append(Kind::Result, &body);
    journal.sync().unwrap();
    let longer = vec![0; crate::store::LONGEST_BODY + 1];
    let appended =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| journal.append(Kind::Result, &longer)));
    if cfg!(debug_assertions) {
        assert!(appended.is_err());
    } else {
        assert!(matches!(journal.write(), Err(StoreError::Io { .. })));
    }
}
