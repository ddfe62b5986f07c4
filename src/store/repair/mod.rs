//! The journal of a run before it is gone on with: read and verified whole, and repaired from the index where that is
//! possible (durability spec, sections 5 and 6). Never in place: a repaired segment is a new file, and the damaged one
//! is kept beside it.
//!
//! | the journal | becomes |
//! |---|---|
//! | whole | what it is |
//! | torn at its end | longer, if the index has what follows; else cut there, with a warning |
//! | damaged | whole, if the index has what is missing; else an error |
//! | shorter than the index, which was closed cleanly | what it was |
//! | parted from the index, which was closed cleanly | an error |

mod mend;
mod salvage;

use std::path::PathBuf;

pub use salvage::{Salvage, salvage};

use super::index::Place;
use super::segment::segment_path;
use super::{Damage, Frame, RunDir, StoreError, Tail, Torn};
use mend::{Mended, Mender};

/// What became of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovery {
    /// It was whole.
    Whole,
    /// What is behind its last frame is the rest of a write that was interrupted, and no part of it.
    Cut(Torn),
    /// It was damaged or too short, and was made whole from the index.
    Repaired {
        /// How many frames were missing.
        frames: u64,
        /// What was done, for people.
        note: String,
    },
}

/// Sees every good frame while a journal is verified, so that it need be read only once.
pub trait Visitor {
    /// The next frame.
    fn frame(&mut self, frame: &Frame<'_>);

    /// The journal was repaired: it is read again from its first frame, and what was seen does not count.
    fn restart(&mut self);
}

/// Reads the whole journal of a run that is locked by this process, verifies every frame, and repairs what is damaged
/// if the index has it. Writes nothing when the journal is whole or merely torn.
///
/// # Errors
/// [`StoreError::Damaged`] when the journal cannot be made whole; when it cannot be read or written.
pub fn recover(run: &RunDir, visitor: &mut dyn Visitor) -> Result<(Tail, Recovery), StoreError> {
    recover_at(run, &Place::of(run), visitor)
}

fn recover_at(
    run: &RunDir,
    place: &Place,
    visitor: &mut dyn Visitor,
) -> Result<(Tail, Recovery), StoreError> {
    let closed = place.token().map(|token| token.head);
    let read = read(run, closed.map(|(seq, _)| seq), visitor)?;
    let tail = read.tail;
    if let (Some((seq, digest)), Some(found)) = (closed, read.at_closed)
        && found != digest
    {
        let (file, offset) = (segment(run, tail.segment), 0);
        return Err(damaged(file, offset, parted(seq), seq.saturating_sub(1)));
    }
    // The index was closed after frames that are no longer there.
    let lost = closed.filter(|(seq, _)| *seq > tail.seq);
    // An index without a journal: all of the journal is lost.
    let emptied = tail.seq == 0 && place.exists();
    if matches!(read.end, End::Whole) && lost.is_none() && !emptied {
        return Ok((tail, Recovery::Whole));
    }
    let mended = Mender::new(run, place)?.mend()?;
    let reached = |mended: &Mended| lost.is_none_or(|(seq, digest)| mended.digest_of(seq) == Some(digest));
    let fits = match &read.end {
        End::Damaged(_) => mended.is_whole() && reached(&mended),
        End::Torn(_) | End::Whole => mended.filled() > 0 && mended.conflict().is_none() && reached(&mended),
    };
    if !fits {
        let conflict = mended.conflict();
        mended.discard();
        return match (read.end, lost, conflict) {
            (End::Damaged(damage), _, Some(seq)) => {
                let problem = format!("{}; moreover, two records have the number {seq}", damage.problem);
                Err(StoreError::Damaged(Box::new(Damage { problem, ..*damage })))
            }
            (End::Damaged(damage), ..) => Err(StoreError::Damaged(damage)),
            (_, Some((seq, _)), _) => {
                let problem = format!(
                    "the journal ends with record {}, but when the run was last closed it had {seq}, and the index \
                     does not have those that are missing",
                    tail.seq
                );
                Err(damaged(segment(run, tail.segment), tail.offset, problem, tail.seq))
            }
            (End::Torn(torn), ..) => Ok((tail, Recovery::Cut(torn))),
            (End::Whole, ..) => Ok((tail, Recovery::Whole)),
        };
    }
    let (frames, note) = (mended.filled(), mended.note());
    mended.apply()?;
    visitor.restart();
    let again = self::read(run, None, visitor)?;
    match again.end {
        End::Whole => Ok((again.tail, Recovery::Repaired { frames, note })),
        End::Damaged(damage) => Err(StoreError::Damaged(damage)),
        End::Torn(torn) => Err(damaged(
            torn.file,
            torn.offset,
            "the journal is still torn after it was repaired".to_owned(),
            again.tail.seq,
        )),
    }
}

/// How a journal ends.
enum End {
    /// With its last frame.
    Whole,
    /// With the rest of a write.
    Torn(Torn),
    /// It does not end: something is wrong before.
    Damaged(Box<Damage>),
}

struct Read {
    tail: super::Tail,
    end: End,
    /// The hash of the frame that was asked for.
    at_closed: Option<crate::base::Digest>,
}

fn read(run: &RunDir, closed: Option<u64>, visitor: &mut dyn Visitor) -> Result<Read, StoreError> {
    let mut at_closed = None;
    let mut journal = run.journal()?;
    let end = loop {
        match journal.next() {
            Ok(Some(frame)) => {
                if Some(frame.seq) == closed {
                    at_closed = Some(frame.digest());
                }
                visitor.frame(&frame);
            }
            Ok(None) => break journal.torn().map(|torn| torn.map_or(End::Whole, End::Torn)),
            Err(error) => break Err(error),
        }
    };
    let end = match end {
        Err(StoreError::Damaged(damage)) => End::Damaged(damage),
        other => other?,
    };
    Ok(Read { tail: journal.tail(), end, at_closed })
}

fn parted(seq: u64) -> String {
    format!(
        "record {seq} is another one than when the run was last closed: the journal and the index have parted, as when \
         one of them was put back from an older copy"
    )
}

fn segment(run: &RunDir, number: u32) -> PathBuf {
    segment_path(&run.path().join("journal"), number.max(1))
}

fn damaged(file: PathBuf, offset: u64, problem: String, last_good: u64) -> StoreError {
    StoreError::Damaged(Box::new(Damage { file, offset, problem, last_good, next_good: None }))
}

#[cfg(test)]
mod tests;
