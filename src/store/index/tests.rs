//! The life of an index: kept while the journal is written, closed, opened, lost, damaged, made again. All of it with
//! both indexes.

use std::fs;

use super::book::{frames_by, frames_of_cycle, keys_of};
use super::lookups::By;
use super::place::Backend;
use super::query::{Find, ask, scan};
use super::table::{Batch, Index};
use super::testing::{Bed, Chain, copy, look_up};
use super::{frames_of_item, sled::Sled};
use crate::store::{Disk, RealDisk, read_frame};

const BOTH: [Backend; 2] = [Backend::Memory, Backend::Sled];

/// Steps of which some blocks are full.
const STEPS: u32 = 2500;

#[test]
fn an_index_is_a_function_of_its_journal() {
    let mut all = Vec::new();
    for backend in BOTH {
        let once = Bed::with_steps(backend, STEPS);
        all.push(once.keys());
        assert!(once.keys().iter().all(|(key, value)| key.len() <= 256 && value.len() <= 3072));
        // In several sittings, cut anywhere.
        let often = Bed::with_steps(backend, 1);
        for (from, to) in [(1, 900), (900, 900), (900, 1024), (1024, 1025), (1025, 2047), (2047, STEPS)] {
            let token = often.place.token().unwrap();
            often.go_on(from..to).unwrap();
            assert!(token.head.0 == u64::from(from));
        }
        assert_eq!(often.frames(), once.frames());
        all.push(often.keys());
        // Made again.
        fs::remove_file(often.run.path().join("index.clean")).unwrap();
        often.go_on(0..0).unwrap();
        assert!(often.run.path().join("index.bad-1").exists());
        all.push(often.keys());
    }
    for other in &all {
        assert!(*other == all[0]);
    }
}

#[test]
fn every_frame_is_in_the_index() {
    for backend in BOTH {
        let bed = Bed::with_steps(backend, STEPS);
        let head = bed.place.token().unwrap().head;
        let book = bed.place.open(look_up(), head).unwrap();
        let mut copies = Vec::new();
        for first in [1, 1025, 2049] {
            let block = super::book::block_of(book.index(), first + 7).unwrap().unwrap();
            assert_eq!(block.first, first);
            block.frames(&mut |bytes, _| {
                copies.push(bytes.to_vec());
                true
            });
        }
        assert_eq!(copies, bed.frames());
    }
}

#[test]
fn the_index_answers_as_the_journal_does() {
    for backend in BOTH {
        let bed = Bed::with_steps(backend, STEPS);
        let (look_up, finds) = (look_up(), |n| [Find::Item(n), Find::Concept(n), Find::Cycle(n)]);
        // The run is locked by this test: then the index is not asked.
        assert_eq!(ask(&bed.run, &bed.place, &look_up, Find::Item(3)), None);
        let unlocked = bed.store.open("01TEST").unwrap();
        let Bed { run, place, store, _dir } = bed;
        drop(run);
        for n in [0, 1, 2, 3, 255, 256, 999, 2499, 2500, 70_000] {
            for find in finds(n) {
                let found = ask(&unlocked, &place, &look_up, find).unwrap();
                assert_eq!(found, scan(&unlocked, &look_up, find).unwrap(), "{find:?}");
                assert!(place.token().is_some(), "closed cleanly again");
            }
        }
        if backend == Backend::Sled {
            assert_eq!(frames_of_item(&unlocked, &look_up, 7).unwrap(), [8]);
            assert!(place.token().is_some());
        }
        // Not closed cleanly, the journal longer than the index, a disk that cannot be written: the journal answers.
        let clean = unlocked.path().join("index.clean");
        fs::rename(&clean, unlocked.path().join("kept")).unwrap();
        assert_eq!(ask(&unlocked, &place, &look_up, Find::Item(3)), None);
        fs::rename(unlocked.path().join("kept"), &clean).unwrap();
        assert!(ask(&unlocked, &place, &look_up, Find::Item(3)).is_some());
        drop(store);
    }
}

#[test]
fn lookups_are_those_of_the_frames() {
    for backend in BOTH {
        let bed = Bed::with_steps(backend, STEPS);
        let book = bed.place.open(look_up(), bed.place.token().unwrap().head).unwrap();
        assert_eq!(frames_by(book.index(), By::Item, 2100).unwrap(), [2101]);
        assert_eq!(frames_by(book.index(), By::Concept, 300).unwrap(), [301]);
        assert_eq!(frames_by(book.index(), By::Item, 4999).unwrap(), Vec::<u64>::new());
        let third: Vec<u64> = (2001..=2500).collect();
        assert_eq!(frames_of_cycle(book.index(), &look_up(), 2).unwrap(), third);
    }
}

#[test]
fn an_index_that_was_killed_is_made_again() {
    for backend in BOTH {
        let bed = Bed::with_steps(backend, 100);
        let indexer = bed.indexer(bed.tail());
        let mut journal = bed.journal(&bed.tail(), Some(&indexer));
        for n in 100..STEPS {
            journal.append(crate::run::record::Kind::Result, &super::testing::body(n));
        }
        journal.write().unwrap();
        // Wait until the index is open, then take the picture a kill would leave.
        while bed.place.token().is_some() {
            std::thread::yield_now();
        }
        let kept = bed.run.path().join("picture");
        copy(&bed.run.path().join("index"), &kept);
        drop(journal);
        drop(indexer);
        assert!(bed.place.token().is_none(), "an index that was left alone is not clean");
        fs::remove_dir_all(bed.run.path().join("index")).unwrap();
        fs::rename(&kept, bed.run.path().join("index")).unwrap();
        bed.go_on(STEPS..STEPS + 10).unwrap();
        assert!(bed.run.path().join("index.bad-1").exists());
        let keys = bed.keys();
        fs::remove_file(bed.run.path().join("index.clean")).unwrap();
        bed.go_on(0..0).unwrap();
        assert!(bed.keys() == keys);
        let bad = |n: u32| bed.run.path().join(format!("index.bad-{n}")).exists();
        assert!(!bad(1) && bad(2), "one is kept");
    }
}

#[test]
fn a_damaged_index_is_never_the_end_of_a_run() {
    for backend in BOTH {
        let bed = Bed::with_steps(backend, STEPS);
        let (keys, run) = (bed.keys(), bed.run.path().to_owned());
        let (index, db, clean) = (run.join("index"), run.join("index/db"), run.join("index.clean"));
        let other = Bed::with_steps(backend, 30);
        let good = fs::read(&db).unwrap();
        let token = fs::read(&clean).unwrap();
        let mut damages: Vec<(String, Box<dyn Fn()>)> = vec![
            (
                "garbage of a half made snapshot".into(),
                Box::new(|| {
                    fs::write(index.join("snap.00000000000000FF.generating"), [0xff; 900]).unwrap();
                }),
            ),
            (
                "an empty folder".into(),
                Box::new(|| {
                    fs::remove_dir_all(&index).unwrap();
                    fs::create_dir(&index).unwrap();
                }),
            ),
            ("no folder".into(), Box::new(|| fs::remove_dir_all(&index).unwrap())),
            (
                "an index of another run".into(),
                Box::new(|| {
                    fs::remove_dir_all(&index).unwrap();
                    copy(&other.run.path().join("index"), &index);
                }),
            ),
            (
                "an index and a token of another run".into(),
                Box::new(|| {
                    fs::remove_dir_all(&index).unwrap();
                    copy(&other.run.path().join("index"), &index);
                    fs::copy(other.run.path().join("index.clean"), &clean).unwrap();
                }),
            ),
            ("a damaged token".into(), Box::new(|| fs::write(&clean, b"normc-index 1 nonsense").unwrap())),
            ("garbage for a database".into(), Box::new(|| fs::write(&db, vec![0x5a; 300_000]).unwrap())),
        ];
        for part in [0, 1, 3, 5, 7] {
            let cut = good.len() * part / 8;
            let (good, db) = (&good, &db);
            damages.push((format!("cut at {cut}"), Box::new(move || fs::write(db, &good[..cut]).unwrap())));
        }
        for part in 0..16 {
            let at = good.len() * part / 16 + 13;
            let (good, db) = (&good, &db);
            damages.push((
                format!("byte {at}"),
                Box::new(move || {
                    let mut bad = good.clone();
                    bad[at] ^= 0x81;
                    fs::write(db, bad).unwrap();
                }),
            ));
        }
        for (name, damage) in damages {
            damage();
            bed.go_on(0..0).unwrap_or_else(|error| panic!("{backend:?}, {name}: {error}"));
            assert!(bed.keys() == keys, "{backend:?}, {name}");
            // And where the token says that all is well, or nothing can be known: no panic, and made again.
            fs::remove_dir_all(&index).unwrap();
            fs::create_dir(&index).unwrap();
            fs::write(&db, &good).unwrap();
            damage();
            let _ = fs::write(&clean, &token);
            if index.exists() {
                for index in bed.place.open_for_copies() {
                    let _ = frames_by(index.as_ref(), By::Item, 5);
                    let _ = index.floor(b"f/\xff");
                    let _ = index.scan(b"", &mut |_, _| true);
                }
            }
            bed.go_on(0..0).unwrap_or_else(|error| panic!("{backend:?}, {name}: {error}"));
            assert!(bed.keys() == keys, "{backend:?}, {name}");
        }
    }
}

#[test]
fn an_index_behind_or_beside_its_journal_is_stale() {
    for backend in BOTH {
        let bed = Bed::with_steps(backend, 50);
        let indexer = bed.indexer(bed.tail());
        let head = bed.journal(&bed.tail(), None).head();
        let mut longer = bed.journal(&bed.tail(), None);
        longer.append(crate::run::record::Kind::Log, b"the index does not see this");
        let unseen = longer.close().unwrap();
        assert_eq!(unseen.0, head.0 + 1);
        let why = indexer.close(unseen).unwrap_err();
        assert!(why.contains("does not end where"), "{why}");
        assert!(bed.place.token().is_none());
        // A gap in what it is given.
        let indexer = bed.indexer(bed.tail());
        let chain = Chain::of_steps(80);
        indexer.sink()(&chain.bytes[chain.starts[70]..]);
        assert!(indexer.close(chain.head).is_err());
        bed.go_on(50..60).unwrap();
    }
}

#[test]
fn a_look_up_that_panics_makes_the_index_stale_and_holds_nobody_up() {
    for backend in BOTH {
        let bed = Bed::new(backend);
        let tail = bed.tail();
        let panics = std::sync::Arc::new(|_, _: &[u8]| panic!("as the test wants it"));
        let indexer = super::Indexer::start_at(bed.place.clone(), bed.run.journal(), tail, panics);
        let chain = Chain::of_steps(2000);
        let mut sink = indexer.sink();
        for _ in 0..200 {
            sink(&chain.bytes);
        }
        assert!(indexer.close(chain.head).is_err());
        assert!(bed.place.token().is_none());
        sink(&chain.bytes);
    }
}

#[test]
fn many_updates_of_large_values_take_little_space() {
    // Values over 32 KiB are objects, so a frame holds their hashes: 4 000 updates of 20 values of 200 KB.
    let mut chain = Chain::default();
    for n in 0..4000_u32 {
        let mut body = n.to_le_bytes().to_vec();
        for value in 0..20_u32 {
            body.extend(crate::base::Digest::of(&(n * 20 + value).to_le_bytes()).0);
            body.extend(200_000_u32.to_le_bytes());
        }
        chain.push(crate::run::record::Kind::Result, &body);
    }
    let dir = super::testing::folder();
    let mut book = super::book::Book::new(Box::new(Sled::open(dir.path()).unwrap()), look_up());
    for start in &chain.starts {
        book.push(&read_frame(&chain.bytes[*start..]).unwrap()).unwrap();
    }
    book.close().unwrap();
    assert_eq!(fs::read_dir(dir.path().join("blobs")).unwrap().count(), 0);
    let bytes = fs::metadata(dir.path().join("db")).unwrap().len();
    assert!(bytes < 6 * chain.bytes.len() as u64, "{bytes} for {}", chain.bytes.len());
    // The same keys again and again: what is replaced is given back. Each value is cut as the wrapper does.
    let dir = super::testing::folder();
    let mut index: Box<dyn Index> = Box::new(Sled::open(dir.path()).unwrap());
    for n in 0..200_u32 {
        let mut batch = Batch::default();
        batch.put(format!("f/{:02}", n % 20).as_bytes(), &vec![n as u8; 200_000]).unwrap();
        index.apply(batch).unwrap();
    }
    index.close().unwrap();
    assert_eq!(fs::read_dir(dir.path().join("blobs")).unwrap().count(), 0);
    let bytes = fs::metadata(dir.path().join("db")).unwrap().len();
    assert!(bytes < 6 * 20 * 200_000, "{bytes}");
}

#[test]
fn what_sled_must_not_hold_is_refused() {
    let dir = super::testing::folder();
    let mut index: Box<dyn Index> = Box::new(Sled::open(dir.path()).unwrap());
    let long = Batch { changes: vec![(b"k".to_vec(), Some(vec![0; 3073]))] };
    assert!(index.apply(long).is_err());
    assert!(keys_of(index.as_ref()).is_empty());
    assert_eq!(RealDisk.info(&dir.path().join("db")).unwrap().mode, 0o600);
    fs::write(dir.path().join("blobs/1"), b"").unwrap();
    assert!(index.close().is_err());
    assert!(Sled::open(dir.path()).is_err());
}

#[test]
fn a_simulated_disk_has_an_index_too() {
    use crate::store::{SimDisk, Store};
    assert!(RealDisk.is_of_system());
    let disk = std::sync::Arc::new(SimDisk::new());
    let store = Store::new("/sim/store", disk.clone());
    let run = store.create("01SIM").unwrap();
    let tail = run.journal().unwrap().tail();
    let indexer = super::Indexer::start(&run, tail, look_up());
    let options = crate::store::JournalOptions { on_written: Some(indexer.sink()), ..Default::default() };
    let mut journal = run.start(options).unwrap();
    for n in 0..40 {
        journal.append(crate::run::record::Kind::Result, &super::testing::body(n));
    }
    let head = journal.close().unwrap();
    indexer.close(head).unwrap();
    assert_eq!(super::Place::of(&run).token().unwrap().head, head);
}
