//! What lies behind the first damage of a journal: every gap, with the good frames between them. The reader stops at the
//! first one, and rightly so; who is to decide what to do wants to know all.

use crate::base::Digest;
use crate::store::{FrameError, HEADER, LONGEST_BODY, RunDir, StoreError, Tail, read_frame};

use super::Problem;

/// The first bytes of a frame.
const MAGIC: &[u8] = b"NCJ1";
/// Files beyond this are not looked through; the store makes none.
const LONGEST: u64 = 256 << 20;
/// How many bytes are checked in vain at most; only a file made to look like frames everywhere needs more.
const MOST_CHECKED: usize = 1 << 30;

/// A walk through the frames, good and bad.
struct Walk {
    /// The last good frame.
    seq: u64,
    digest: Digest,
    checked: usize,
    problems: Vec<Problem>,
}

/// The problems from the last good frame on.
pub(super) fn behind(run: &RunDir, tail: &Tail) -> Result<Vec<Problem>, StoreError> {
    let journal = run.path().join("journal");
    let failed = |error| StoreError::io("read", &journal, error);
    let entries = run.disk().list(&journal).map_err(failed)?;
    let mut walk = Walk { seq: tail.seq, digest: tail.digest, checked: 0, problems: Vec::new() };
    let mut wanted = tail.segment;
    let numbers =
        entries.iter().filter_map(|e| Some((e.name.strip_suffix(".ncj")?.parse::<u32>().ok()?, &e.name)));
    for (number, name) in numbers.filter(|(number, _)| *number >= tail.segment) {
        let file = format!("journal/{name}");
        if number > wanted {
            walk.problem(&format!("journal/{wanted:08}.ncj"), None, "the file is missing", walk.seq + 1);
        }
        wanted = number + 1;
        let opened = run.disk().open_read(&journal.join(name)).map_err(failed)?;
        let len = opened.info().map_err(failed)?.len.min(LONGEST);
        let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
        let read = opened.read_full_at(&mut bytes, 0).map_err(failed)?;
        bytes.truncate(read);
        let from =
            if number == tail.segment { usize::try_from(tail.offset).unwrap_or(usize::MAX) } else { 0 };
        walk.file(&file, &bytes, from);
    }
    Ok(walk.problems)
}

impl Walk {
    fn problem(&mut self, file: &str, offset: Option<usize>, what: &str, first: u64) {
        let means = if self.seq == 0 {
            "no record before it is whole".to_owned()
        } else {
            format!(
                "records up to {} are whole, what was written from {first} on is not to be trusted; `normc exec --resume \
                 RUN` mends it if the run's index has copies, else `normc runs repair RUN --to DIR` copies what is \
                 whole to a new place",
                first.saturating_sub(1)
            )
        };
        let offset = offset.map(|offset| offset as u64);
        self.problems.push(Problem { file: file.to_owned(), offset, what: what.to_owned(), means });
    }

    fn file(&mut self, file: &str, bytes: &[u8], mut at: usize) {
        // A bad place, until the next good frame tells how much is gone.
        let mut bad: Option<(usize, String)> = None;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let zeros = rest.iter().take(MAGIC.len()).all(|b| *b == 0);
            match read_frame(rest) {
                Ok(frame) => {
                    let (seq, len) = (frame.seq, frame.bytes.len());
                    let first = self.seq + 1;
                    if let Some((from, what)) = bad.take() {
                        let gone = match seq.saturating_sub(first) {
                            0 => String::new(),
                            1 => format!("; record {first} is gone"),
                            _ => format!("; records {first} to {} are gone", seq - 1),
                        };
                        self.problem(file, Some(from), &format!("{what}{gone}"), first);
                    } else if seq != first {
                        self.problem(
                            file,
                            Some(at),
                            &format!("record {seq} stands where record {first} should"),
                            first,
                        );
                    } else if self.seq > 0 && frame.prev != self.digest {
                        let what = format!(
                            "record {seq} does not belong there: its hash of the one before it is another"
                        );
                        self.problem(file, Some(at), &what, first);
                    }
                    (self.seq, self.digest) = (seq, frame.digest());
                    at += len;
                }
                Err(_) if rest.iter().all(|b| *b == 0) || self.checked > MOST_CHECKED => break,
                Err(error) => {
                    if error == FrameError::Checksum {
                        self.checked += rest.len().min(HEADER + LONGEST_BODY);
                    }
                    bad.get_or_insert_with(|| (at, bad_text(error, zeros, self.seq + 1)));
                    match rest.get(1..).and_then(|rest| rest.windows(MAGIC.len()).position(|w| w == MAGIC)) {
                        Some(next) => at += next + 1,
                        None => break,
                    }
                }
            }
        }
        if let Some((from, what)) = bad {
            self.problem(file, Some(from), &what, self.seq + 1);
        }
    }
}

fn bad_text(error: FrameError, zeros: bool, seq: u64) -> String {
    if zeros {
        return format!("zeros stand where record {seq} should begin");
    }
    match error {
        FrameError::Magic => format!("record {seq} should begin there, and does not"),
        FrameError::Short => format!("record {seq} is cut off"),
        FrameError::TooLong => format!("record {seq} says it is longer than any may be"),
        FrameError::Checksum => format!("the checksum of record {seq} does not fit"),
        FrameError::Unknown => format!("record {seq} is of a kind or version this normc does not know"),
    }
}
