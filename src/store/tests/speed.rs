//! What a frame and a commit cost. `cargo test --release --lib store::tests::speed -- --ignored --nocapture`

use std::fs::OpenOptions;
use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Instant;

use super::support::{RUN, options};
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
    let (mut append, mut write) = (0.0, 0.0);
    for _ in 0..count / group {
        let begun = Instant::now();
        for _ in 0..group {
            black_box(journal.append(Kind::Result, &body));
        }
        append += begun.elapsed().as_secs_f64();
        let begun = Instant::now();
        journal.write().unwrap();
        write += begun.elapsed().as_secs_f64();
    }
    let each = |seconds: f64, of: u32| seconds * 1e6 / f64::from(of);
    println!("append a frame          {:.3} us", each(append, count));
    println!("write 100 frames        {:.3} us", each(write, count / group));
    let begun = Instant::now();
    journal.close().unwrap();
    println!("close                   {:.0} us", begun.elapsed().as_secs_f64() * 1e6);

    let begun = Instant::now();
    let mut reader = run.journal().unwrap();
    while let Some(frame) = reader.next().unwrap() {
        black_box(frame.body);
    }
    println!(
        "read a frame            {:.3} us",
        each(begun.elapsed().as_secs_f64(), reader.tail().seq as u32)
    );

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
