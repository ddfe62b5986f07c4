//! Whatever is done in whatever order, the chain stays whole.

use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::support::{RUN, SEGMENT, append, open, options, read_all, store};
use crate::store::{Durability, SimDisk};

#[derive(Debug, Clone)]
enum Deed {
    Append(u64),
    Write,
    Sync,
    Soon,
    Close,
    Kill,
    Crash(u64),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => (1_u64..9).prop_map(Deed::Append),
        3 => Just(Deed::Write),
        2 => Just(Deed::Sync),
        1 => Just(Deed::Soon),
        1 => Just(Deed::Close),
        1 => Just(Deed::Kill),
        2 => any::<u64>().prop_map(Deed::Crash),
    ]
}

fn durability() -> impl Strategy<Value = Durability> {
    prop_oneof![Just(Durability::Strict), Just(Durability::Grouped)]
}

proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_order_of_deeds_keeps_the_chain(
        deeds in proptest::collection::vec(deed(), 1..60),
        durability in durability(),
        allocates: bool,
    ) {
        let mut disk = SimDisk::new();
        disk.set_cannot_allocate(!allocates);
        let mut run = store(&disk).create(RUN).unwrap();
        run.set_segment_limit(SEGMENT);
        let mut journal = run.start(options(durability)).unwrap();
        // What was said to survive a loss of power.
        let mut acknowledged = 0;
        for deed in deeds {
            let (after, exactly) = match deed {
                Deed::Append(count) => {
                    append(&mut journal, count);
                    continue;
                }
                Deed::Write => {
                    journal.write().unwrap();
                    prop_assert_eq!(journal.written(), journal.head().0);
                    continue;
                }
                Deed::Sync => {
                    journal.sync().unwrap();
                    prop_assert_eq!(journal.synced(), journal.head().0);
                    continue;
                }
                Deed::Soon => {
                    journal.sync_soon();
                    continue;
                }
                Deed::Close => {
                    acknowledged = journal.close().unwrap().0;
                    (disk.kill(), Some(acknowledged))
                }
                Deed::Kill => {
                    acknowledged = acknowledged.max(journal.synced());
                    (disk.kill(), Some(journal.written()))
                }
                Deed::Crash(seed) => {
                    acknowledged = acknowledged.max(journal.synced());
                    (disk.crash(seed), None)
                }
            };
            disk = after;
            run = open(&disk).unwrap();
            let (tail, _) = read_all(&mut run.journal().unwrap()).unwrap();
            prop_assert!(tail.seq >= acknowledged, "{} of {acknowledged}", tail.seq);
            prop_assert!(exactly.is_none_or(|seq| seq == tail.seq), "{} of {exactly:?}", tail.seq);
            journal = run.go_on(&tail, options(durability)).unwrap();
            prop_assert_eq!(journal.head().0, tail.seq);
            if tail.seq > 0 {
                prop_assert_eq!(journal.head().1, tail.digest);
            }
        }
        let head = journal.close().unwrap();
        let (tail, torn) = read_all(&mut run.journal().unwrap()).unwrap();
        prop_assert_eq!((tail.seq, torn), (head.0, None));
        prop_assert!(tail.seq == 0 || tail.digest == head.1);
    }
}
