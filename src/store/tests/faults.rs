//! Every call of a whole run fails once, in every way; the power goes at every point (durability spec, section 9).

use super::support::{
    Promised, RUN, append, assert_kept, go_on, open, options, read_all, scenario, segment, store,
};
use crate::store::{Call, Disk, Durability, Fault, SimDisk, StoreError};

const ALL: [Durability; 3] = [Durability::Strict, Durability::Grouped, Durability::Kill];

/// Seeds 0 and 1 lose everything that was not synced, and nothing.
const SEEDS: u64 = 6;

/// What was promised is there after a kill and after a loss of power, and the run can go on from both.
fn assert_survives(disk: &SimDisk, promised: &Promised, durability: Durability, what: &str) {
    let killed = disk.kill();
    assert_kept(&killed, promised, promised.written, &format!("{what}, killed"));
    for seed in 0..SEEDS {
        let what = format!("{what}, seed {seed}");
        let crashed = disk.crash(seed);
        // A journal that is not synced by itself can have holes after a loss of power: they are named, and what was
        // synced is before them.
        if durability == Durability::Kill
            && let Ok(run) = open(&crashed)
            && let Err(error) = read_all(&mut run.journal().unwrap())
        {
            let StoreError::Damaged(damage) = error else { panic!("{what}: {error}") };
            assert!(damage.last_good >= promised.synced, "{what}: {damage}");
            continue;
        }
        assert_kept(&crashed, promised, promised.synced, &what);
        if promised.created && seed % 4 < 2 {
            let mut after = Promised { written: promised.synced, ..*promised };
            match go_on(&crashed, &mut after) {
                Ok(()) => {}
                // Without syncs a loss of power may take an object and leave what refers to it.
                Err(StoreError::Damaged(_)) if durability == Durability::Kill => continue,
                Err(error) => panic!("{what}: {error}"),
            }
            assert!(after.synced > promised.synced);
            assert_kept(&crashed.crash(0), &after, after.synced, &format!("{what}, gone on"));
        }
    }
}

#[test]
fn every_call_may_fail_and_what_was_promised_stays() {
    for durability in ALL {
        let whole = SimDisk::new();
        scenario(&whole, durability, &mut Promised::default()).unwrap();
        let kinds = [
            (None, Fault::Io),
            (Some(Call::Write), Fault::Short),
            (Some(Call::Write), Fault::Full),
            (Some(Call::Allocate), Fault::Full),
            (Some(Call::Create), Fault::Full),
            (Some(Call::SyncData), Fault::Full),
        ];
        for (call, fault) in kinds {
            // Where threads take turns the number of calls differs a little from run to run.
            for nth in 0..call.map_or(whole.calls(), |call| whole.count(call)) {
                let disk = SimDisk::new();
                match call {
                    None => disk.fail(nth, fault),
                    Some(call) => disk.fail_at(call, nth, fault),
                }
                let mut promised = Promised::default();
                let result = scenario(&disk, durability, &mut promised);
                let what = format!("{durability:?}, {fault:?} at {call:?} {nth}: {result:?}");
                assert_survives(&disk, &promised, durability, &what);
            }
        }
    }
}

#[test]
fn a_run_that_goes_on_may_fail_at_every_call_too() {
    let whole = SimDisk::new();
    let mut before = Promised::default();
    scenario(&whole, Durability::Grouped, &mut before).unwrap();
    let first = whole.kill();
    go_on(&first, &mut before.clone()).unwrap();
    for nth in 0..first.calls() {
        let disk = whole.crash(nth);
        disk.fail(nth, Fault::Io);
        let mut promised = before;
        let result = go_on(&disk, &mut promised);
        assert_survives(&disk, &promised, Durability::Grouped, &format!("call {nth}: {result:?}"));
    }
}

#[test]
fn nothing_is_reserved_where_the_file_system_cannot() {
    for seed in 0..60 {
        let disk = SimDisk::new();
        disk.set_cannot_allocate(true);
        let mut promised = Promised::default();
        disk.fail(seed * 3, Fault::Io);
        let _ = scenario(&disk, Durability::Strict, &mut promised);
        assert_survives(&disk, &promised, Durability::Strict, &format!("call {}", seed * 3));
    }
}

#[test]
fn a_full_disk_is_said_and_leaves_room_for_the_end() {
    let disk = SimDisk::new();
    let run = store(&disk).create(RUN).unwrap();
    let mut journal = run.start(options(Durability::Strict)).unwrap();
    append(&mut journal, 5);
    journal.sync().unwrap();
    let reserve = run.path().join("RESERVE");
    assert_eq!(disk.info(&reserve).unwrap().len, 8 << 20);
    disk.set_capacity(Some((8 << 20) + (70 << 10)));
    let error = loop {
        append(&mut journal, 20);
        if let Err(error) = journal.sync() {
            break error;
        }
    };
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    assert!(error.help().unwrap().contains("--resume"), "{error}");
    assert_eq!(disk.info(&reserve).unwrap().len, 0, "the reserve is given back");
    let synced = journal.synced();
    drop(journal);
    drop(run);
    // With some more room a fresh open goes on.
    disk.set_capacity(Some(32 << 20));
    let mut promised = Promised { created: true, synced, ..Promised::default() };
    go_on(&disk, &mut promised).unwrap();
    assert!(promised.synced > synced);
}

#[test]
fn a_full_disk_refuses_a_new_run_at_once() {
    let disk = SimDisk::new();
    disk.set_capacity(Some(1 << 20));
    let error = store(&disk).create(RUN).unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    assert!(store(&disk).ids().unwrap().is_empty());
    disk.set_capacity(None);
    store(&disk).create(RUN).unwrap();
}

#[test]
fn a_failed_sync_in_the_background_stops_the_journal() {
    let disk = SimDisk::new();
    let run = store(&disk).create(RUN).unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    let mut options = options(Durability::Grouped);
    options.on_synced = Some(Box::new(move || tell.send(()).unwrap()));
    let mut journal = run.start(options).unwrap();
    append(&mut journal, 1);
    journal.write().unwrap();
    told.recv().unwrap();
    assert_eq!((journal.synced(), journal.failure().is_some()), (1, false));
    disk.fail_at(Call::SyncData, 0, Fault::Io);
    append(&mut journal, 1);
    journal.write().unwrap();
    told.recv().unwrap();
    assert_eq!(journal.synced(), 1);
    let failure = journal.failure().unwrap();
    assert!(
        matches!(&failure, StoreError::Io { doing: "sync", path, .. } if *path == segment(1)),
        "{failure}"
    );
    append(&mut journal, 1);
    assert_eq!(journal.write().unwrap_err().to_string(), failure.to_string(), "the failure itself, once");
    assert!(matches!(journal.write(), Err(StoreError::Poisoned)));
    assert_eq!(disk.count(Call::SyncData), 1, "no sync is tried again");
}

#[test]
fn a_torn_tail_is_cut_and_its_remains_never_come_back() {
    for seed in 0..200 {
        let disk = SimDisk::new();
        let run = store(&disk).create(RUN).unwrap();
        let mut journal = run.start(options(Durability::Strict)).unwrap();
        append(&mut journal, 3);
        journal.sync().unwrap();
        append(&mut journal, 9);
        journal.write().unwrap();
        drop(journal);
        let crashed = disk.crash(seed);
        let run = open(&crashed).unwrap();
        let (tail, _) = read_all(&mut run.journal().unwrap()).unwrap();
        assert!(tail.seq >= 3);
        let mut journal = run.go_on(&tail, options(Durability::Strict)).unwrap();
        append(&mut journal, 2);
        journal.write().unwrap();
        drop((journal, run));
        for again in 0..4 {
            let twice = crashed.crash(again);
            let run = open(&twice).unwrap();
            let (after, _) = read_all(&mut run.journal().unwrap()).unwrap();
            assert!(after.seq >= tail.seq, "seeds {seed} {again}");
        }
    }
}
