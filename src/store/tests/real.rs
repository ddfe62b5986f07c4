//! The store on the file system of the machine: locks, links, modes, readers beside a writer.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::support::{RUN, SEGMENT, append_plain, options, read_all};
use crate::base::Digest;
use crate::run::record::Kind;
use crate::store::{Durability, RealDisk, Store, StoreError};

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::new(dir.path().join("some/.normc"), Arc::new(RealDisk));
    (dir, store)
}

#[test]
fn a_run_is_made_listed_and_removed() {
    let (_dir, store) = store();
    assert!(store.ids().unwrap().is_empty());
    let nothing = store.open("01A").unwrap_err();
    assert_eq!(nothing.to_string(), "there is no run `01A`");
    for id in ["01A", "01C", "01B"] {
        let run = store.create(id).unwrap();
        assert_eq!((run.id(), run.path()), (id, &*store.root().join("runs").join(id)));
        let names: Vec<_> = fs::read_dir(run.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names.len(), 6, "{names:?}");
        for entry in fs::read_dir(run.path()).unwrap() {
            let data = entry.unwrap().metadata().unwrap();
            assert_eq!(data.permissions().mode() & 0o777, if data.is_dir() { 0o700 } else { 0o600 });
        }
        assert_eq!(fs::metadata(run.path()).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(run.bytes().unwrap() >= 8 << 20);
    }
    assert_eq!(fs::metadata(store.root()).unwrap().permissions().mode() & 0o777, 0o700);
    assert!(store.create("01A").unwrap_err().to_string().contains("exists"));
    assert_eq!(store.ids().unwrap(), ["01C", "01B", "01A"]);
    let near = store.open("01Ax").unwrap_err();
    assert_eq!(near.help().unwrap(), "did you mean `01A`?");
    for bad in ["", ".", "..", "../runs/01A", "a/b", ".new-x", "a b", "\u{e9}", "x\0", &"a".repeat(65)] {
        assert!(matches!(store.open(bad), Err(StoreError::NotFound { .. })), "{bad:?}");
        assert!(matches!(store.create(bad), Err(StoreError::Refused { .. })), "{bad:?}");
    }
    store.remove("01C").unwrap();
    assert!(matches!(store.remove("01C"), Err(StoreError::NotFound { .. })));
    assert_eq!(store.ids().unwrap(), ["01B", "01A"]);
    assert_eq!(fs::read_dir(store.root().join("runs")).unwrap().count(), 2);
}

#[test]
fn one_process_at_a_time_and_it_is_named() {
    let (_dir, store) = store();
    let first = store.create(RUN).unwrap();
    assert_eq!(first.holder().unwrap().pid, process::id());
    let mut second = store.open(RUN).unwrap();
    for error in
        [second.lock().unwrap_err(), second.lock_quietly().unwrap_err(), store.remove(RUN).unwrap_err()]
    {
        let StoreError::Locked { run, holder } = &error else { panic!("{error}") };
        assert_eq!((run.as_str(), holder.as_ref().unwrap().pid), (RUN, process::id()));
        assert_eq!(error.to_string(), format!("run `{RUN}` is in use by process {}", process::id()));
    }
    let holder = second.holder().unwrap();
    assert_eq!((holder.pid, holder.is_from_elsewhere()), (process::id(), false));
    assert!(second.start(options(Durability::Strict)).unwrap_err().to_string().contains("has not locked"));
    // The journal keeps the lock even when the directory is dropped before it.
    let journal = first.start(options(Durability::Strict)).unwrap();
    drop(first);
    assert!(second.lock().is_err());
    drop(journal);
    assert_eq!(second.holder(), None);
    second.lock().unwrap();
    second.lock().unwrap();
    let mut third = store.open(RUN).unwrap();
    assert!(third.lock_quietly().is_err());
    drop(second);
    third.lock_quietly().unwrap();
    drop(third);
    // A run that was removed and made anew meanwhile is another one.
    let mut stale = store.open(RUN).unwrap();
    store.remove(RUN).unwrap();
    assert!(matches!(stale.lock_quietly(), Ok(())), "no file, nobody to be kept out");
    assert!(store.open(RUN).is_err());
}

#[test]
fn links_other_modes_and_strange_files_are_refused() {
    let (dir, store) = store();
    drop(store.create(RUN).unwrap());
    let run = store.root().join("runs").join(RUN);
    let refused = |what: &str| {
        let error = store.open(RUN).unwrap_err();
        assert!(matches!(error, StoreError::Refused { .. }), "{what}: {error}");
        assert!(error.help().unwrap().contains("0700"));
        error.to_string()
    };
    for (name, mode) in [("", 0o770), ("", 0o707), ("journal", 0o720), ("objects", 0o777), ("plan", 0o702)] {
        let path = run.join(name);
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        assert!(refused(name).contains(&format!("others can write to it (mode {mode:04o})")));
        fs::set_permissions(&path, Permissions::from_mode(0o700)).unwrap();
    }
    let format = run.join("FORMAT");
    fs::set_permissions(&format, Permissions::from_mode(0o660)).unwrap();
    assert!(refused("FORMAT").contains("mode 0660"));
    fs::set_permissions(&format, Permissions::from_mode(0o600)).unwrap();
    store.open(RUN).unwrap();

    for name in ["journal", "FORMAT"] {
        let (path, aside) = (run.join(name), dir.path().join(name));
        fs::rename(&path, &aside).unwrap();
        symlink(&aside, &path).unwrap();
        assert!(refused(name).contains("it is a link"));
        fs::remove_file(&path).unwrap();
        fs::rename(&aside, &path).unwrap();
    }
    let aside = dir.path().join("run");
    fs::rename(&run, &aside).unwrap();
    symlink(&aside, &run).unwrap();
    assert!(refused("run").contains("it is a link"));
    assert!(matches!(store.remove(RUN), Err(StoreError::Refused { .. })));
    assert!(store.ids().unwrap().is_empty());
    fs::remove_file(&run).unwrap();
    fs::rename(&aside, &run).unwrap();

    // A segment that is a link, a pipe, a directory.
    let path = run.join("journal/00000001.ncj");
    symlink("/dev/zero", &path).unwrap();
    assert!(matches!(store.open(RUN).unwrap().journal(), Err(StoreError::Refused { .. })));
    fs::remove_file(&path).unwrap();
    assert!(process::Command::new("mkfifo").arg("-m600").arg(&path).status().unwrap().success());
    assert!(store.open(RUN).unwrap().journal().unwrap_err().to_string().contains("it is not a file"));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(store.open(RUN).unwrap().journal().unwrap_err().to_string().contains("it is not a file"));
}

#[test]
fn another_owner_is_refused() {
    let (_dir, store) = store();
    drop(store.create(RUN).unwrap());
    let run = store.root().join("runs").join(RUN);
    if let Err(error) = std::os::unix::fs::chown(&run, Some(12345), None) {
        eprintln!("skipped: only root can give a directory away ({error})");
        return;
    }
    let error = store.open(RUN).unwrap_err();
    assert!(error.to_string().contains("it belongs to user 12345, not to 0"), "{error}");
}

#[test]
fn a_directory_that_cannot_be_written_is_said() {
    let (dir, store) = store();
    if rustix::process::geteuid().is_root() {
        eprintln!("skipped: root can write everywhere");
        return;
    }
    fs::set_permissions(dir.path(), Permissions::from_mode(0o500)).unwrap();
    let error = store.create(RUN).unwrap_err();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o700)).unwrap();
    assert!(matches!(error, StoreError::Io { .. }), "{error}");
    assert!(error.help().unwrap().contains("--store"));
}

#[test]
fn space_is_reserved_ahead_and_given_back() {
    let (_dir, store) = store();
    let run = store.create(RUN).unwrap();
    let mut journal = run.start(options(Durability::Grouped)).unwrap();
    append_plain(&mut journal, 1);
    journal.write().unwrap();
    let path = run.path().join("journal/00000001.ncj");
    assert_eq!(fs::metadata(&path).unwrap().len(), 64 << 10);
    while journal.head().0 < 2_000 {
        append_plain(&mut journal, 50);
        journal.write().unwrap();
    }
    let (head, _) = journal.close().unwrap();
    let (tail, torn) = read_all(&mut run.journal().unwrap()).unwrap();
    assert_eq!((tail.seq, torn), (head, None));
    assert_eq!(fs::metadata(&path).unwrap().len(), tail.offset);
    assert!(!run.path().join("RESERVE").exists());
    let bytes = run.bytes().unwrap();
    assert!((tail.offset..tail.offset + (8 << 20)).contains(&bytes), "{bytes}");
    // Going on makes the reserve anew.
    drop(run.go_on(&tail, options(Durability::Grouped)).unwrap());
    assert!(run.path().join("RESERVE").exists());
    assert!(run.start(options(Durability::Grouped)).unwrap_err().to_string().contains("exists"));
}

#[test]
fn a_reader_follows_a_writer() {
    for durability in [Durability::Grouped, Durability::Kill] {
        let (_dir, store) = store();
        let mut run = store.create(RUN).unwrap();
        run.set_segment_limit(40 * SEGMENT);
        let mut journal = run.start(options(durability)).unwrap();
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut reader = store.open(RUN).unwrap().journal().unwrap();
                loop {
                    let last = done.load(Ordering::Acquire);
                    while let Some(frame) = reader.next().unwrap() {
                        assert_eq!(frame.body, super::support::body(frame.seq));
                    }
                    if last {
                        break reader.tail();
                    }
                    thread::yield_now();
                }
            });
            for round in 0..1_500 {
                append_plain(&mut journal, 1 + round % 7);
                journal.write().unwrap();
            }
            let head = journal.close().unwrap();
            done.store(true, Ordering::Release);
            let tail = reader.join().unwrap();
            assert_eq!((tail.seq, tail.digest), head);
            assert!(tail.segment > 2, "{tail:?}");
        });
    }
}

#[test]
fn a_killed_process_leaves_what_it_wrote() {
    let (_dir, store) = store();
    let run = store.create(RUN).unwrap();
    let mut journal = run.start(options(Durability::Grouped)).unwrap();
    let digest = journal.object(vec![3; 50_000]);
    journal.append(Kind::Result, &digest.0);
    journal.write().unwrap();
    let head = journal.head();
    drop((journal, run));
    fs::write(store.root().join("runs").join(RUN).join("objects/tmp-1"), b"half").unwrap();
    let mut run = store.open(RUN).unwrap();
    run.lock().unwrap();
    let mut reader = run.journal().unwrap();
    assert!(reader.next().unwrap().is_some());
    assert!(reader.next().unwrap().is_none() && reader.torn().unwrap().is_none());
    assert_eq!((reader.tail().seq, reader.tail().digest), head);
    assert_eq!(run.get_object(&digest).unwrap(), [3; 50_000]);
    let mut journal = run.go_on(&reader.tail(), options(Durability::Grouped)).unwrap();
    assert!(!run.path().join("objects/tmp-1").exists());
    journal.append(Kind::Resumed, b"");
    journal.sync().unwrap();
    assert_eq!(journal.synced(), 2);
    assert_eq!(reader.next().unwrap().unwrap().kind, Kind::Resumed);
    assert_ne!(digest, Digest::default());
}
