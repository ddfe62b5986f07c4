//! Journals damaged in every way, with and without an index that has the copies.

use std::fs;
use std::path::Path;

use super::*;
use crate::base::Digest;
use crate::store::index::Backend;
use crate::store::index::testing::{Bed, copy, folder};
use crate::store::{HEADER, Store};

const BOTH: [Backend; 2] = [Backend::Memory, Backend::Sled];

/// Keeps what it is shown.
#[derive(Default)]
struct Seen {
    frames: Vec<Vec<u8>>,
    restarts: u32,
}

impl Visitor for Seen {
    fn frame(&mut self, frame: &Frame<'_>) {
        self.frames.push(frame.bytes.to_vec());
    }

    fn restart(&mut self) {
        self.frames.clear();
        self.restarts += 1;
    }
}

fn recovered(bed: &Bed) -> Result<(Tail, Recovery, Seen), StoreError> {
    let mut seen = Seen::default();
    let (tail, recovery) = recover_at(&bed.run, &bed.place, &mut seen)?;
    assert_eq!(tail.seq, seen.frames.len() as u64);
    Ok((tail, recovery, seen))
}

fn remove_index(bed: &Bed) {
    for name in ["index.clean", "index"] {
        let path = bed.run.path().join(name);
        let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    }
}

/// A run whose directory is brought back after each attempt.
struct Again {
    bed: Bed,
    kept: tempfile::TempDir,
}

impl Again {
    fn new(bed: Bed) -> Self {
        let kept = folder();
        for name in ["journal", "index"] {
            copy(&bed.run.path().join(name), &kept.path().join(name));
        }
        fs::copy(bed.run.path().join("index.clean"), kept.path().join("index.clean")).unwrap();
        Self { bed, kept }
    }

    fn restore(&self) {
        remove_index(&self.bed);
        fs::remove_dir_all(self.bed.run.path().join("journal")).unwrap();
        for name in ["journal", "index"] {
            copy(&self.kept.path().join(name), &self.bed.run.path().join(name));
        }
        fs::copy(self.kept.path().join("index.clean"), self.bed.run.path().join("index.clean")).unwrap();
    }
}

#[test]
fn a_whole_journal_is_read_once_and_left_alone() {
    for backend in BOTH {
        let bed = Bed::with_steps(backend, 200);
        let before = (bed.segments(), bed.place.token());
        let (tail, recovery, seen) = recovered(&bed).unwrap();
        assert_eq!((tail, recovery, seen.restarts), (bed.tail(), Recovery::Whole, 0));
        assert_eq!(seen.frames, bed.frames());
        assert_eq!((bed.segments(), bed.place.token()), before);
        // Nothing is there yet.
        let empty = Bed::new(backend);
        assert_eq!(recovered(&empty).unwrap().1, Recovery::Whole);
    }
}

#[test]
fn every_changed_byte_is_repaired() {
    for (backend, step) in [(Backend::Memory, 1), (Backend::Sled, 17)] {
        let again = Again::new(Bed::with_steps(backend, 6));
        let bed = &again.bed;
        let frames = bed.frames();
        let [(path, bytes)] = &bed.segments()[..] else { panic!("one segment") };
        for at in (0..bytes.len()).step_by(step) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << (at % 8);
            fs::write(path, &damaged).unwrap();
            let (tail, recovery, seen) =
                recovered(bed).unwrap_or_else(|error| panic!("{backend:?}, byte {at}: {error}"));
            assert!(matches!(recovery, Recovery::Repaired { frames: 1, .. }), "byte {at}: {recovery:?}");
            assert_eq!((seen.frames, seen.restarts), (frames.clone(), 1), "byte {at}");
            assert_eq!(tail, bed.tail());
            assert_eq!(fs::read(path.with_extension("ncj.bad-1")).unwrap(), damaged, "byte {at}");
            assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 2);
            again.restore();
        }
    }
}

#[test]
fn every_changed_byte_is_found_without_an_index() {
    let bed = Bed::with_steps(Backend::Memory, 6);
    remove_index(&bed);
    let frames = bed.frames();
    let [(path, bytes)] = &bed.segments()[..] else { panic!("one segment") };
    let last = bytes.len() - frames[5].len();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        fs::write(path, &damaged).unwrap();
        match recovered(&bed) {
            // Of the last frame nobody can say that it was ever whole.
            Ok((tail, Recovery::Cut(torn), seen)) => {
                assert!(at >= last, "byte {at}");
                assert_eq!((tail.seq, torn.offset, seen.frames.len()), (5, last as u64, 5));
            }
            Ok((_, other, _)) => panic!("byte {at}: {other:?}"),
            Err(error) => {
                assert!(at < last, "byte {at}: {error}");
                let StoreError::Damaged(damage) = &error else { panic!("byte {at}: {error}") };
                assert_eq!(damage.next_good, Some(damage.last_good + 2), "byte {at}");
            }
        }
        assert_eq!(fs::read(path).unwrap(), damaged);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left behind");
    }
}

#[test]
fn a_journal_that_lost_its_end_gets_it_back() {
    for backend in BOTH {
        let again = Again::new(Bed::with_steps(backend, 300));
        let bed = &again.bed;
        let (frames, segments) = (bed.frames(), bed.segments());
        assert!(segments.len() > 3);
        let (first, second, last) = (&segments[0], &segments[1], &segments[segments.len() - 1]);
        type Cut<'a> = Box<dyn Fn() + 'a>;
        let remove = |paths: &[(PathBuf, Vec<u8>)]| {
            paths.iter().for_each(|(path, _)| fs::remove_file(path).unwrap());
        };
        let cuts: Vec<(&str, Cut<'_>)> = vec![
            (
                "at a frame",
                Box::new(|| {
                    let len = last.1.len() - frames[299].len() - frames[298].len();
                    fs::write(&last.0, &last.1[..len]).unwrap();
                }),
            ),
            ("within a frame", Box::new(|| fs::write(&last.0, &last.1[..last.1.len() - 3]).unwrap())),
            (
                "within a header",
                Box::new(|| {
                    fs::write(&last.0, &last.1[..last.1.len() - frames[299].len() + 7]).unwrap();
                }),
            ),
            ("to nothing", Box::new(|| fs::write(&last.0, b"").unwrap())),
            ("to zeros", Box::new(|| fs::write(&last.0, vec![0; last.1.len()]).unwrap())),
            ("the last segment is gone", Box::new(|| remove(&segments[segments.len() - 1..]))),
            ("all but the first are gone", Box::new(|| remove(&segments[1..]))),
            (
                "all but some of the first are gone",
                Box::new(|| {
                    remove(&segments[1..]);
                    fs::write(&first.0, &first.1[..first.1.len() / 2]).unwrap();
                }),
            ),
            ("all are gone", Box::new(|| remove(&segments))),
            ("the first is gone", Box::new(|| remove(&segments[..1]))),
            ("the second is gone", Box::new(|| remove(&segments[1..2]))),
            (
                "the second ends early",
                Box::new(|| {
                    fs::write(&second.0, &second.1[..second.1.len() / 3]).unwrap();
                }),
            ),
            (
                "two have changed places",
                Box::new(|| {
                    fs::write(&first.0, &second.1).unwrap();
                    fs::write(&second.0, &first.1).unwrap();
                }),
            ),
            ("one stands twice", Box::new(|| fs::write(&second.0, &first.1).unwrap())),
            (
                "a page of zeros",
                Box::new(|| {
                    let mut bytes = second.1.clone();
                    bytes[100..4196].fill(0);
                    fs::write(&second.0, bytes).unwrap();
                }),
            ),
            (
                "something between",
                Box::new(|| {
                    let mut bytes = second.1.clone();
                    bytes.splice(0..0, *b"NCJ1 and nonsense");
                    fs::write(&second.0, bytes).unwrap();
                }),
            ),
            (
                "holes everywhere",
                Box::new(|| {
                    for (path, bytes) in &segments {
                        let mut bytes = bytes.clone();
                        bytes.iter_mut().step_by(700).for_each(|byte| *byte ^= 0x10);
                        fs::write(path, bytes).unwrap();
                    }
                }),
            ),
        ];
        for (name, cut) in cuts {
            cut();
            let (tail, recovery, seen) =
                recovered(bed).unwrap_or_else(|error| panic!("{backend:?}, {name}: {error}"));
            let Recovery::Repaired { frames: count, note } = recovery else { panic!("{name}: {recovery:?}") };
            assert!(seen.frames == frames, "{backend:?}, {name}");
            assert!(count > 0 || name.contains("between") || name.contains("places"), "{name}: {note}");
            assert!(note.contains("record"), "{name}: {note}");
            // It goes on from there.
            let mut journal = bed.journal(&tail, None);
            journal.append(crate::run::record::Kind::Repaired, note.as_bytes());
            assert_eq!(journal.close().unwrap().0, 301, "{name}");
            assert_eq!(bed.frames().len(), 301, "{name}");
            again.restore();
        }
    }
}

#[test]
fn without_copies_a_torn_end_is_cut_and_a_hole_is_an_error() {
    let again = Again::new(Bed::with_steps(Backend::Memory, 300));
    let bed = &again.bed;
    let (frames, segments) = (bed.frames(), bed.segments());
    let last = &segments[segments.len() - 1];
    fs::write(&last.0, &last.1[..last.1.len() - 3]).unwrap();
    remove_index(bed);
    let (tail, recovery, seen) = recovered(bed).unwrap();
    let Recovery::Cut(torn) = recovery else { panic!("{recovery:?}") };
    assert_eq!((seen.frames.len(), tail.seq, torn.bytes), (299, 299, frames[299].len() as u64 - 3));
    assert_eq!(torn.file, last.0);
    bed.journal(&tail, None).close().unwrap();
    assert_eq!(recovered(bed).unwrap().1, Recovery::Whole);

    again.restore();
    remove_index(bed);
    let mut bytes = segments[1].1.clone();
    bytes[3000..3100].fill(7);
    fs::write(&segments[1].0, bytes).unwrap();
    let before = bed.segments();
    let Err(StoreError::Damaged(damage)) = recovered(bed).map(|_| ()) else { panic!("a hole") };
    assert_eq!(damage.file, segments[1].0);
    assert!(damage.next_good > Some(damage.last_good + 1));
    assert_eq!(bed.segments(), before);
}

#[test]
fn lost_frames_are_named_when_the_index_cannot_give_them() {
    for backend in BOTH {
        let bed = Bed::with_steps(backend, 300);
        let last = bed.segments().pop().unwrap();
        fs::remove_file(&last.0).unwrap();
        fs::remove_dir_all(bed.run.path().join("index")).unwrap();
        let error = recovered(&bed).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("when the run was last closed it had 300"), "{error}");
    }
}

#[test]
fn a_journal_and_an_index_that_have_parted_are_an_error() {
    for backend in BOTH {
        let again = Again::new(Bed::with_steps(backend, 300));
        let bed = &again.bed;
        // The journal is put back from an older copy, and goes on in another way.
        let (frames, segments) = (bed.frames(), bed.segments());
        let last = segments.len() as u32;
        let len: usize = segments[last as usize - 1].1.len() - frames[299].len() - frames[298].len();
        let digest = Digest::of(&frames[297]);
        let tail = Tail { seq: 298, digest, segment: last, offset: len as u64 };
        for more in 1..4 {
            let mut journal = bed.journal(&tail, None);
            for n in 0..more {
                journal.append(crate::run::record::Kind::Log, format!("another way {n}").as_bytes());
            }
            journal.close().unwrap();
            let error = recovered(bed).map(|_| ()).unwrap_err();
            assert!(matches!(error, StoreError::Damaged(_)));
            let words = if more == 1 { "does not have those that are missing" } else { "have parted" };
            assert!(error.to_string().contains(words), "{more}: {error}");
            again.restore();
        }
        // The index of another run says nothing.
        let other = Bed::with_steps(backend, 400);
        remove_index(bed);
        copy(&other.run.path().join("index"), &bed.run.path().join("index"));
        let token = fs::read_to_string(other.run.path().join("index.clean")).unwrap();
        fs::write(bed.run.path().join("index.clean"), token.replace("01TEST", "01OTHER")).unwrap();
        assert_eq!(recovered(bed).unwrap().1, Recovery::Whole);
    }
}

#[test]
fn an_old_index_gives_single_frames() {
    for backend in BOTH {
        let bed = Bed::with_steps(backend, 300);
        // Its newer frames are unknown to it, and it was not closed cleanly.
        fs::remove_file(bed.run.path().join("index.clean")).unwrap();
        let tail = bed.tail();
        let mut journal = bed.journal(&tail, None);
        for n in 0..50_u32 {
            journal.append(crate::run::record::Kind::Log, &n.to_le_bytes());
        }
        journal.close().unwrap();
        let (frames, segments) = (bed.frames(), bed.segments());
        let (path, bytes) = &segments[1];
        let mut damaged = bytes.clone();
        damaged[500] ^= 1;
        fs::write(path, damaged).unwrap();
        let (_, recovery, seen) = recovered(&bed).unwrap();
        assert!(matches!(recovery, Recovery::Repaired { frames: 1, .. }));
        assert!(seen.frames == frames);
        // Damage to what it does not have stays damage.
        let (path, bytes) = segments.last().unwrap();
        let mut damaged = bytes.clone();
        let at = damaged.len() - 10 * (HEADER + 4);
        damaged[at] ^= 1;
        fs::write(path, damaged).unwrap();
        assert!(matches!(recovered(&bed).map(|_| ()), Err(StoreError::Damaged(_))));
    }
}

#[test]
fn text_full_of_beginnings_of_frames_takes_no_time() {
    let bed = Bed::with_steps(Backend::Memory, 24);
    let [(path, bytes)] = &bed.segments()[..] else { panic!("one segment") };
    let mut hostile = bytes[..2000].to_vec();
    for _ in 0..900 {
        hostile.extend(b"NCJ1\xff\xff\x0f\0");
    }
    hostile.extend(&bytes[2000..]);
    fs::write(path, &hostile).unwrap();
    let start = std::time::Instant::now();
    let _ = recovered(&bed);
    assert!(start.elapsed().as_secs() < 10);
}

#[test]
fn what_is_good_of_a_run_is_copied_elsewhere() {
    let bed = Bed::with_steps(Backend::Memory, 200);
    let plan = bed.run.put_plan(b"{}").unwrap();
    let mut journal = bed.journal(&bed.tail(), None);
    let (good, bad) = (journal.object(vec![1; 50_000]), journal.object(vec![2; 50_000]));
    journal.append(crate::run::record::Kind::Log, b"x");
    journal.close().unwrap();
    let bad_path = bed.run.path().join(format!("objects/{}/{bad}", &bad.to_string()[..2]));
    fs::write(bad_path, b"other").unwrap();
    let (frames, segments) = (bed.frames(), bed.segments());
    let (path, bytes) = &segments[1];
    let mut damaged = bytes.clone();
    damaged[4000] ^= 1;
    fs::write(path, damaged).unwrap();

    let to = bed.run.path().parent().unwrap().join("01NEW");
    let result = salvage(&bed.run, &to).unwrap();
    assert!(matches!(result.damage, Some(StoreError::Damaged(_))));
    assert_eq!((result.objects, result.left_out.as_slice()), (1, &[bad.to_string()][..]));
    let run = bed.store.open("01NEW").unwrap();
    assert_eq!(run.get_plan(&plan).unwrap(), b"{}");
    run.check_object(&good, 50_000).unwrap();
    let mut journal = run.journal().unwrap();
    let mut count = 0;
    while let Some(frame) = journal.next().unwrap() {
        assert_eq!(frame.bytes, frames[count]);
        count += 1;
    }
    assert!(journal.torn().unwrap().is_none());
    assert_eq!((journal.tail(), journal.tail().seq), (result.tail, count as u64));
    assert!(count > 50 && count < 200);
    assert!(salvage(&bed.run, &to).is_err(), "never over something that is there");
    let store: &Store = &bed.store;
    assert!(store.ids().unwrap().contains(&"01NEW".to_owned()));
    assert!(Path::exists(&to.join("FORMAT")));
}
