//! The journal as it is read.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::Disk;
use super::error::StoreError;
use super::frame::Frame;
use crate::base::Digest;

/// Where the last good frame of a journal ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tail {
    /// Its number; 0 when there is none.
    pub seq: u64,
    /// Its hash.
    pub digest: Digest,
    /// The number of the segment it stands in, from 1.
    pub segment: u32,
    /// Where the next frame begins in that segment.
    pub offset: u64,
}

/// Bytes at the end of a journal that are no frame: what a write leaves that was interrupted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torn {
    /// The segment.
    pub file: PathBuf,
    /// Where the bytes begin.
    pub offset: u64,
    /// How many there are.
    pub bytes: u64,
}

/// Reads a journal.
#[derive(Debug)]
pub struct JournalReader {
    tail: Tail,
}

impl JournalReader {
    pub(super) fn open(_disk: Arc<dyn Disk>, _run: &Path) -> Result<Self, StoreError> {
        Ok(Self { tail: Tail { seq: 0, digest: Digest::default(), segment: 1, offset: 0 } })
    }

    /// The next frame, verified; none at the end.
    ///
    /// # Errors
    /// When the journal is damaged or cannot be read.
    #[allow(clippy::should_implement_trait, reason = "frames are borrowed from the reader")]
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, StoreError> {
        Ok(None)
    }

    /// Where the last good frame ended.
    pub fn tail(&self) -> Tail {
        self.tail
    }

    /// At the end: what lies behind the last frame and is neither a frame nor zeros.
    ///
    /// # Errors
    /// When the journal is damaged or cannot be read.
    pub fn torn(&mut self) -> Result<Option<Torn>, StoreError> {
        Ok(None)
    }
}
