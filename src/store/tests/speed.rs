//! What a frame and a commit cost. `cargo test --release --lib store::tests::speed -- --ignored --nocapture`

use std::fs::OpenOptions;
use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Instant;

use super::support::{RUN, options};
use crate::base::Digest;
use crate::run::record::Kind;
use crate::store::{Durability, RealDisk, Store};

#[test]
#[ignore = "measures, asserts nothing"]
fn frames_and_commits() {
    let dir = tempfile::tempdir_in(".").unwrap();
    let store = Store::new(dir.path().join("s"), Arc::new(RealDisk));
    let body = [7_u8; 100];

    let run = store.create(RUN).unwrap();
    let mut journal = run.start(options(Durability::Grouped)).unwrap();
    let (count, group) = (1_000_000_u32, 100);
    // The best of many groups: other programs disturb the rest.
    let (mut append, mut write, mut hash) = (f64::MAX, f64::MAX, f64::MAX);
    for _ in 0..count / group {
        let begun = Instant::now();
        for _ in 0..group {
            black_box(journal.append(Kind::Result, &body));
        }
        append = append.min(begun.elapsed().as_secs_f64());
        let begun = Instant::now();
        journal.write().unwrap();
        write = write.min(begun.elapsed().as_secs_f64());
        let begun = Instant::now();
        for _ in 0..group {
            black_box(Digest::of(black_box(&[9; 156])));
        }
        hash = hash.min(begun.elapsed().as_secs_f64());
    }
    let each = |seconds: f64, of: u32| seconds * 1e6 / f64::from(of);
    println!("hash a frame            {:.3} us", each(hash, group));
    println!("append a frame          {:.3} us", each(append, group));
    println!("write 100 frames        {:.3} us", each(write, 1));
    let begun = Instant::now();
    journal.close().unwrap();
    println!("close                   {:.0} us", begun.elapsed().as_secs_f64() * 1e6);

    let mut reader = run.journal().unwrap();
    let mut read = f64::MAX;
    while reader.tail().seq < u64::from(count) {
        let begun = Instant::now();
        for _ in 0..1_000 {
            black_box(reader.next().unwrap().unwrap().body);
        }
        read = read.min(begun.elapsed().as_secs_f64());
    }
    println!("read a frame            {:.3} us", each(read, 1_000));

    let run = store.create("one").unwrap();
    let mut journal = run.start(options(Durability::Grouped)).unwrap();
    let begun = Instant::now();
    for _ in 0..100_000 {
        journal.append(Kind::Result, &body);
        journal.write().unwrap();
    }
    println!("append and write one    {:.3} us", each(begun.elapsed().as_secs_f64(), 100_000));
    drop(journal);

    let path = dir.path().join("bare");
    let file = OpenOptions::new().write(true).create_new(true).open(path).unwrap();
    rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, 4 << 20).unwrap();
    file.sync_all().unwrap();
    for round in 0..3 {
        let commits = 500;
        let begun = Instant::now();
        for i in 0..commits {
            file.write_all_at(&[1; 156], u64::from(round * commits + i) * 156).unwrap();
            file.sync_data().unwrap();
        }
        println!("bare write, fdatasync   {:.1} us", each(begun.elapsed().as_secs_f64(), commits));
        let run = store.create(&format!("strict{round}")).unwrap();
        let mut journal = run.start(options(Durability::Strict)).unwrap();
        journal.append(Kind::Run, &body);
        journal.sync().unwrap();
        let begun = Instant::now();
        for _ in 0..commits {
            journal.append(Kind::Result, &body);
            journal.sync().unwrap();
        }
        println!("strict commit           {:.1} us", each(begun.elapsed().as_secs_f64(), commits));
    }
    let begun = Instant::now();
    store.create("new").unwrap();
    println!("create a run            {:.0} us", begun.elapsed().as_secs_f64() * 1e6);
}
