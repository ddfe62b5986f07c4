//! An index in memory: the twin of the one on disk, for tests and for disks that are simulated. Given a folder it is
//! kept there as one file, written when it is closed, so that its life has the same stages.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::table::{Batch, Each, Index, IndexError};
use crate::base::{Reader, Writer};
use crate::store::Disk;

/// The name of its file in the folder.
const FILE: &str = "db";

/// Keys and values in a map.
#[derive(Debug, Default)]
pub(super) struct Memory {
    entries: BTreeMap<Vec<u8>, Vec<u8>>,
    kept: Option<(Arc<dyn Disk>, PathBuf)>,
}

fn trouble(doing: &str, error: &dyn Display) -> IndexError {
    IndexError::new(format!("the index cannot be {doing}: {error}"))
}

impl Memory {
    /// The index of a folder; an empty one if there is none.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub(super) fn open(disk: Arc<dyn Disk>, folder: &Path) -> Result<Self, IndexError> {
        let mut entries = BTreeMap::new();
        let path = folder.join(FILE);
        match disk.open_read(&path) {
            Ok(file) => {
                let len = file.info().map_err(|error| trouble("read", &error))?.len;
                let mut bytes = vec![0; usize::try_from(len).map_err(|error| trouble("read", &error))?];
                let read = file.read_full_at(&mut bytes, 0).map_err(|error| trouble("read", &error))?;
                let mut reader = Reader::new(bytes.get(..read).unwrap_or_default());
                while !reader.rest().is_empty() {
                    let key = reader.slice().map_err(|error| trouble("read", &error))?;
                    let value = reader.slice().map_err(|error| trouble("read", &error))?;
                    entries.insert(key.to_vec(), value.to_vec());
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(trouble("read", &error)),
        }
        Ok(Self { entries, kept: Some((disk, path)) })
    }

    /// All it holds.
    #[cfg(test)]
    pub(super) fn entries(&self) -> &BTreeMap<Vec<u8>, Vec<u8>> {
        &self.entries
    }
}

impl Index for Memory {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        Ok(self.entries.get(key).cloned())
    }

    fn floor(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        let range = (Bound::Unbounded, Bound::Included(key));
        Ok(self.entries.range::<[u8], _>(range).next_back().map(|(key, _)| key.clone()))
    }

    fn scan(&self, prefix: &[u8], each: &mut Each<'_>) -> Result<(), IndexError> {
        let range = (Bound::Included(prefix), Bound::Unbounded);
        for (key, value) in self.entries.range::<[u8], _>(range) {
            if !key.starts_with(prefix) || !each(key, value) {
                break;
            }
        }
        Ok(())
    }

    fn apply(&mut self, batch: Batch) -> Result<(), IndexError> {
        batch.check()?;
        for (key, value) in batch.changes {
            match value {
                Some(value) => self.entries.insert(key, value),
                None => self.entries.remove(&key),
            };
        }
        Ok(())
    }

    fn close(self: Box<Self>) -> Result<(), IndexError> {
        let Some((disk, path)) = self.kept else { return Ok(()) };
        let mut writer = Writer::default();
        for (key, value) in &self.entries {
            writer.slice(key);
            writer.slice(value);
        }
        match disk.remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(trouble("written", &error)),
            _ => {}
        }
        disk.create_new(&path)
            .and_then(|file| file.write_all_at(&writer.bytes, 0))
            .map_err(|error| trouble("written", &error))
    }
}
