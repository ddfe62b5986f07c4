//! Damage is seen and named, and a torn tail is not mistaken for it (durability spec, sections 6 and 9: corrupt).

use std::path::Path;
use std::sync::Arc;

use super::support::{RUN, SEGMENT, append, object, open, options, read_all, segment, store};
use crate::base::Digest;
use crate::run::record::Kind;
use crate::store::{Damage, Disk, Durability, HEADER, RealDisk, SimDisk, Store, StoreError, encode_frame};

const FRAMES: u64 = 40;

/// A run of several segments, closed.
fn closed() -> SimDisk {
    let disk = SimDisk::new();
    let mut run = store(&disk).create(RUN).unwrap();
    run.set_segment_limit(SEGMENT);
    let mut journal = run.start(options(Durability::Strict)).unwrap();
    for _ in 0..FRAMES / 4 {
        append(&mut journal, 4);
        journal.sync().unwrap();
    }
    journal.close().unwrap();
    disk
}

fn damage_of(disk: &SimDisk) -> Damage {
    let error = read_all(&mut store(disk).open(RUN).unwrap().journal().unwrap()).unwrap_err();
    match error {
        StoreError::Damaged(damage) => *damage,
        other => panic!("{other}"),
    }
}

/// Where the frames of a segment begin.
fn starts(bytes: &[u8]) -> Vec<usize> {
    let mut starts = vec![0];
    while let Ok(frame) = crate::store::read_frame(&bytes[starts[starts.len() - 1]..]) {
        starts.push(starts[starts.len() - 1] + frame.bytes.len());
    }
    starts
}

#[test]
fn every_changed_bit_is_seen() {
    let disk = closed();
    let whole = read_all(&mut store(&disk).open(RUN).unwrap().journal().unwrap()).unwrap();
    assert_eq!((whole.0.seq, whole.1), (FRAMES, None));
    let last = whole.0.segment;
    assert!(last >= 3, "{last} segments");
    for number in 1..=last {
        let path = segment(number);
        let bytes = disk.contents(&path).unwrap();
        let starts = starts(&bytes);
        for at in (number as usize % 3..bytes.len()).step_by(3) {
            let bit = (at * 7 + number as usize) % 8;
            disk.damage(&path, |bytes| bytes[at] ^= 1 << bit);
            let mut reader = store(&disk).open(RUN).unwrap().journal().unwrap();
            let index = starts.partition_point(|start| *start <= at) - 1;
            match read_all(&mut reader) {
                // The very last frame has none behind it.
                Ok((tail, torn)) => {
                    assert_eq!((tail.seq, number), (FRAMES - 1, last), "byte {at}");
                    assert_eq!(torn.unwrap().offset, starts[index] as u64);
                }
                Err(StoreError::Damaged(damage)) => {
                    assert_eq!(
                        (&damage.file, damage.offset),
                        (&path, starts[index] as u64),
                        "byte {at}: {damage}"
                    );
                    assert_eq!(damage.next_good, Some(damage.last_good + 2), "{damage}");
                }
                Err(other) => panic!("{other}"),
            }
            disk.damage(&path, |bytes| bytes[at] ^= 1 << bit);
        }
    }
}

#[test]
fn a_closed_journal_cut_anywhere_is_seen() {
    let disk = closed();
    let last = read_all(&mut store(&disk).open(RUN).unwrap().journal().unwrap()).unwrap().0.segment;
    for number in 1..=last {
        let path = segment(number);
        let bytes = disk.contents(&path).unwrap();
        let starts = starts(&bytes);
        for cut in (0..bytes.len()).step_by(13).chain(starts.iter().copied().filter(|s| *s < bytes.len())) {
            let disk = disk.kill();
            disk.damage(&path, |bytes| bytes.truncate(cut));
            let mut reader = store(&disk).open(RUN).unwrap().journal().unwrap();
            match read_all(&mut reader) {
                // A last segment that is shorter is a torn tail, or the journal of an earlier time.
                Ok((tail, torn)) => {
                    assert_eq!(number, last);
                    assert!(tail.seq < FRAMES);
                    assert_eq!(torn.is_none(), starts.contains(&cut), "cut at {cut}");
                }
                Err(StoreError::Damaged(damage)) => {
                    assert!(number < last);
                    let start = starts.iter().rev().find(|start| **start <= cut).unwrap();
                    assert_eq!((damage.file, damage.offset), (path.clone(), *start as u64), "cut at {cut}");
                }
                Err(other) => panic!("{other}"),
            }
        }
    }
}

#[test]
fn zeroed_pages_are_damage() {
    let disk = closed();
    disk.damage(&segment(1), |bytes| bytes[512..1024].fill(0));
    let damage = damage_of(&disk);
    assert_eq!(damage.file, segment(1));
    assert!(damage.next_good.unwrap() > damage.last_good + 1, "{damage}");
    disk.damage(&segment(1), |bytes| bytes.fill(0));
    assert!(
        damage_of(&disk).to_string().contains("zeros stand where record 1 should begin"),
        "{}",
        damage_of(&disk)
    );
}

#[test]
fn segments_that_are_missing_swapped_or_doubled_are_damage() {
    let whole = closed();
    let read = |number| whole.contents(&segment(number)).unwrap();
    let (first, second, third) = (read(1), read(2), read(3));

    let disk = whole.kill();
    disk.remove_file(&segment(2)).unwrap();
    let missing = damage_of(&disk);
    assert!(missing.to_string().contains("the file is missing, and with it record"), "{missing}");
    assert_eq!(missing.file, segment(2));
    assert!(missing.next_good.unwrap() > missing.last_good + 1);

    let disk = whole.kill();
    disk.remove_file(&segment(1)).unwrap();
    let missing = damage_of(&disk);
    assert_eq!((missing.file.clone(), missing.last_good), (segment(1), 0));
    assert!(missing.to_string().contains("the file is missing"), "{missing}");

    let disk = whole.kill();
    disk.damage(&segment(2), |bytes| bytes.clone_from(&third));
    disk.damage(&segment(3), |bytes| bytes.clone_from(&second));
    let swapped = damage_of(&disk);
    assert_eq!((swapped.file.clone(), swapped.offset), (segment(1), first.len() as u64), "{swapped}");

    let disk = whole.kill();
    disk.damage(&segment(2), |bytes| bytes.clone_from(&first));
    let doubled = damage_of(&disk);
    assert!(doubled.to_string().contains("record 1 stands where record"), "{doubled}");
    assert_eq!((doubled.file.clone(), doubled.offset), (segment(2), 0));

    // Frames once more behind themselves.
    let disk = whole.kill();
    disk.damage(&segment(1), |bytes| bytes.extend_from_slice(&first));
    assert!(damage_of(&disk).to_string().contains("record 1 stands where record"));
}

#[test]
fn frames_of_another_run_are_damage() {
    let (disk, other) = (closed(), SimDisk::new());
    let mut run = store(&other).create(RUN).unwrap();
    run.set_segment_limit(SEGMENT);
    let mut journal = run.start(options_of_another()).unwrap();
    append(&mut journal, FRAMES);
    journal.close().unwrap();
    let foreign = other.contents(&segment(2)).unwrap();
    let ours = disk.contents(&segment(2)).unwrap();
    assert_eq!(starts(&foreign).len(), starts(&ours).len());
    disk.damage(&segment(2), |bytes| bytes.clone_from(&foreign));
    let damage = damage_of(&disk);
    assert!(damage.to_string().contains("does not belong there"), "{damage}");
    // In the middle of a segment as well.
    let start = starts(&ours)[2];
    disk.damage(&segment(2), |bytes| bytes[..start].copy_from_slice(&ours[..start]));
    assert_eq!(damage_of(&disk).offset, start as u64);
}

fn options_of_another() -> crate::store::JournalOptions {
    crate::store::JournalOptions { first_prev: Digest::of(b"another"), ..options(Durability::Strict) }
}

#[test]
fn a_gap_in_the_numbers_is_damage() {
    let disk = closed();
    let bytes = disk.contents(&segment(1)).unwrap();
    let starts = starts(&bytes);
    disk.damage(&segment(1), |bytes| drop(bytes.drain(starts[2]..starts[3])));
    let damage = damage_of(&disk);
    assert_eq!((damage.last_good, damage.next_good, damage.offset), (2, Some(4), starts[2] as u64));
    assert!(damage.to_string().contains("record 4 stands where record 3 should"), "{damage}");
}

#[test]
fn a_record_of_a_newer_version_is_no_damage() {
    for (at, value) in [(20, 200), (21, 2)] {
        let disk = closed();
        let mut frame = Vec::new();
        encode_frame(3, Kind::Result, &Digest::default(), b"new", &mut frame);
        frame[at] = value;
        let crc = crc32c::crc32c_append(crc32c::crc32c(&frame[4..8]), &frame[12..]);
        frame[8..12].copy_from_slice(&crc.to_le_bytes());
        let start = starts(&disk.contents(&segment(1)).unwrap())[2];
        disk.damage(&segment(1), |bytes| bytes[start..start + frame.len()].copy_from_slice(&frame));
        let error = read_all(&mut store(&disk).open(RUN).unwrap().journal().unwrap()).unwrap_err();
        assert!(matches!(error, StoreError::Newer { .. }), "{error}");
        assert!(error.help().unwrap().contains("newer"));
    }
}

#[test]
fn a_journal_that_was_killed_is_damaged_where_it_was_safe_and_torn_where_not() {
    let disk = SimDisk::new();
    let run = store(&disk).create(RUN).unwrap();
    let mut journal = run.start(options(Durability::Strict)).unwrap();
    append(&mut journal, 3);
    journal.sync().unwrap();
    append(&mut journal, 3);
    journal.write().unwrap();
    drop(journal);
    let bytes = disk.contents(&segment(1)).unwrap();
    let starts = starts(&bytes);
    for (index, start) in starts.iter().enumerate().take(6) {
        let disk = disk.kill();
        disk.damage(&segment(1), |bytes| bytes[start + HEADER] ^= 1);
        let mut reader = store(&disk).open(RUN).unwrap().journal().unwrap();
        match read_all(&mut reader) {
            Ok((tail, torn)) => {
                assert!(index >= 3, "record {}", index + 1);
                assert_eq!(tail.seq, index as u64);
                let torn = torn.unwrap();
                assert_eq!((torn.offset, torn.bytes), (*start as u64, (starts[6] - start) as u64));
            }
            Err(error) => assert!(index < 3 && matches!(error, StoreError::Damaged(_)), "{error}"),
        }
    }
}

#[test]
fn remains_behind_the_end_are_found_and_cut() {
    let disk = closed();
    let before = read_all(&mut store(&disk).open(RUN).unwrap().journal().unwrap()).unwrap().0;
    disk.damage(&segment(before.segment), |bytes| bytes.extend_from_slice(&[0, 0, 5, 0, 0, 0]));
    let run = open(&disk).unwrap();
    let (tail, torn) = read_all(&mut run.journal().unwrap()).unwrap();
    assert_eq!((tail, torn.unwrap().bytes), (before, 3));
    let mut journal = run.go_on(&tail, options(Durability::Strict)).unwrap();
    append(&mut journal, 1);
    journal.close().unwrap();
    let (tail, torn) = read_all(&mut run.journal().unwrap()).unwrap();
    assert_eq!((tail.seq, torn), (FRAMES + 1, None));
}

#[test]
fn damage_to_objects_and_plans_is_seen() {
    let disk = closed();
    let run = open(&disk).unwrap();
    let digest = Digest::of(&object(7));
    let name = digest.to_string();
    let path = run.path().join("objects").join(&name[..2]).join(&name);
    assert_eq!(run.get_object(&digest).unwrap(), object(7));
    let error = run.check_object(&digest, 3).unwrap_err();
    assert!(error.to_string().contains("it should have 3 bytes and has 607"), "{error}");
    disk.damage(&path, |bytes| bytes[17] ^= 1);
    run.check_object(&digest, 607).unwrap();
    assert!(matches!(run.get_object(&digest), Err(StoreError::Damaged(_))));
    // Written once more it is whole again.
    let tail = read_all(&mut run.journal().unwrap()).unwrap().0;
    let mut journal = run.go_on(&tail, options(Durability::Grouped)).unwrap();
    journal.object(object(7));
    journal.close().unwrap();
    assert_eq!(run.get_object(&digest).unwrap(), object(7));
    disk.remove_file(&path).unwrap();
    assert!(run.get_object(&digest).unwrap_err().to_string().contains("missing"));
    assert!(run.check_object(&digest, 607).unwrap_err().to_string().contains("missing"));

    let plan = run.put_plan(b"plan").unwrap();
    assert_eq!(run.put_plan(b"plan").unwrap(), plan);
    let path = run.path().join(format!("plan/{plan}.json"));
    disk.damage(&path, |bytes| bytes[0] = b'P');
    assert!(matches!(run.get_plan(&plan), Err(StoreError::Damaged(_))));
    run.put_plan(b"plan").unwrap();
    assert_eq!(run.get_plan(&plan).unwrap(), b"plan");
}

#[test]
fn another_format_is_refused_by_name() {
    let disk = SimDisk::new();
    drop(store(&disk).create(RUN).unwrap());
    let format = Path::new("/s/runs").join(RUN).join("FORMAT");
    let text = "normc-run 2";
    let with_crc = format!("{text} {:08x}\n", crc32c::crc32c(text.as_bytes()));
    disk.damage(&format, |bytes| *bytes = with_crc.into_bytes());
    let error = store(&disk).open(RUN).unwrap_err();
    assert!(matches!(&error, StoreError::Newer { found, .. } if found == "`normc-run 2`"), "{error}");
    for bad in ["", "normc-run 1", "normc-run 1 00000000\n", "\u{0}\u{ff}"] {
        disk.damage(&format, |bytes| *bytes = bad.into());
        assert!(matches!(store(&disk).open(RUN), Err(StoreError::Damaged(_))), "{bad:?}");
    }
    disk.remove_file(&format).unwrap();
    assert!(
        store(&disk).open(RUN).unwrap_err().to_string().contains("FORMAT` is damaged: the file is missing")
    );
    store(&disk).remove(RUN).unwrap();
    assert!(store(&disk).ids().unwrap().is_empty());
}

#[test]
fn bytes_that_look_like_frames_take_no_time() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::new(dir.path(), Arc::new(RealDisk));
    let run = store.create(RUN).unwrap();
    let mut journal = run.start(options(Durability::Kill)).unwrap();
    append(&mut journal, 3);
    journal.close().unwrap();
    let path = run.path().join("journal/00000001.ncj");
    let file = RealDisk.open_write(&path).unwrap();
    let mut frame = Vec::new();
    encode_frame(4, Kind::Result, &Digest::default(), b"", &mut frame);
    frame[4..8].copy_from_slice(&(1_u32 << 20).to_le_bytes());
    let many = frame.repeat(400_000);
    file.write_all_at(&many, file.info().unwrap().len).unwrap();
    let begun = std::time::Instant::now();
    let mut reader = run.journal().unwrap();
    let result = read_all(&mut reader);
    assert!(matches!(result, Err(StoreError::Damaged(_))), "{result:?}");
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
}

#[test]
fn the_journal_is_read_on_a_disk_that_cannot_be_written() {
    let disk = closed();
    disk.set_read_only(true);
    let mut run = store(&disk).open(RUN).unwrap();
    assert!(run.lock().unwrap_err().help().unwrap().contains("read-only"));
    run.lock_quietly().unwrap();
    assert_eq!(read_all(&mut run.journal().unwrap()).unwrap().0.seq, FRAMES);
    assert!(run.bytes().unwrap() > 0);
    assert!(store(&disk).create("other").is_err());
}
