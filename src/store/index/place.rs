//! An index where it is kept: whether it was closed cleanly, opening it, making it anew (durability spec, section 5).
//! Knows nothing of what an index says but its head.
//!
//! `index.clean` stands beside the folder while the index is closed and whole:
//!
//! ```text
//! normc-index 1 <run id> <seq> <hash> <bytes of the last frame> <fingerprint of the files> <crc32c of all before>
//! ```
//!
//! An index without it, or whose files or journal are not those it speaks of, is made again and never trusted.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::book::Book;
use super::lookups::LookUp;
use super::memory::Memory;
use super::sled::Sled;
use super::table::{Index, IndexError};
use crate::base::Digest;
use crate::store::{Disk, DiskFile, EntryKind, RunDir};

/// What the token begins with.
const WORD: &str = "normc-index 1";
/// More than any token.
const LONGEST_TOKEN: usize = 512;
/// What an index that was given up is called, before its number.
const BAD: &str = "index.bad-";
/// How much of a file is read at once.
const PIECE: usize = 1 << 20;

/// What the token of a clean close says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct Token {
    run: String,
    /// The number and the hash of the journal's last frame.
    pub(in crate::store) head: (u64, Digest),
    /// How many bytes the last frame has.
    pub(in crate::store) last: usize,
    files: Digest,
}

impl Token {
    fn text(&self) -> String {
        let (seq, digest) = self.head;
        let text = format!("{WORD} {} {seq} {digest} {} {}", self.run, self.last, self.files);
        format!("{text} {:08x}\n", crc32c::crc32c(text.as_bytes()))
    }

    fn parse(text: &str) -> Option<Self> {
        let (text, sum) = text.strip_suffix('\n')?.rsplit_once(' ')?;
        if u32::from_str_radix(sum, 16).ok()? != crc32c::crc32c(text.as_bytes()) {
            return None;
        }
        let words: Vec<&str> = text.strip_prefix(WORD)?.split_ascii_whitespace().collect();
        let [run, seq, digest, last, files] = words[..] else { return None };
        let head = (seq.parse().ok()?, digest.parse().ok()?);
        Some(Self { run: run.to_owned(), head, last: last.parse().ok()?, files: files.parse().ok()? })
    }
}

/// What keeps the keys and values of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Backend {
    /// sled, in files of the system.
    Sled,
    /// A map, in one file of any disk.
    Memory,
}

/// The place of a run's index.
#[derive(Debug, Clone)]
pub(in crate::store) struct Place {
    disk: Arc<dyn Disk>,
    run: PathBuf,
    id: String,
    backend: Backend,
}

impl Place {
    /// The place of a run's index, with sled where the disk is one of the system.
    pub(in crate::store) fn of(run: &RunDir) -> Self {
        let backend = if run.disk().is_of_system() { Backend::Sled } else { Backend::Memory };
        Self::with(run, backend)
    }

    /// The place of a run's index, kept in a certain way.
    pub(in crate::store) fn with(run: &RunDir, backend: Backend) -> Self {
        let (path, id) = (run.path().to_owned(), run.id().to_owned());
        Self { disk: Arc::clone(run.disk()), run: path, id, backend }
    }

    /// The folder of the index.
    pub(in crate::store) fn folder(&self) -> PathBuf {
        self.run.join("index")
    }

    fn token_path(&self) -> PathBuf {
        self.run.join("index.clean")
    }

    /// What the token of a clean close of this run's index says, if there is one.
    pub(in crate::store) fn token(&self) -> Option<Token> {
        let file = self.disk.open_read(&self.token_path()).ok()?;
        let mut bytes = [0; LONGEST_TOKEN];
        let len = file.read_full_at(&mut bytes, 0).ok()?;
        let token = Token::parse(std::str::from_utf8(bytes.get(..len)?).ok()?)?;
        (token.run == self.id).then_some(token)
    }

    /// Says whether there is anything of an index.
    pub(in crate::store) fn exists(&self) -> bool {
        self.disk.info(&self.folder()).is_ok()
    }

    /// Opens the index, which must have been closed cleanly with this head. From then on it counts as not closed.
    ///
    /// # Errors
    /// When it was not, or cannot be used.
    pub(super) fn open(&self, look_up: LookUp, head: (u64, Digest)) -> Result<Book, IndexError> {
        let token = self.token().ok_or_else(|| IndexError::new("the index was not closed cleanly"))?;
        if token.head != head {
            return Err(IndexError::new("the index does not end where the journal ends"));
        }
        if self.fingerprint()? != token.files {
            return Err(IndexError::new("the files of the index have changed since it was closed"));
        }
        self.remove_token()?;
        Book::open(self.open_index(&self.folder())?, look_up, head)
    }

    /// Begins an empty index. One that is there is kept under another name, the last of its kind.
    ///
    /// # Errors
    /// When the disk cannot be written.
    pub(super) fn fresh(&self, look_up: LookUp) -> Result<Book, IndexError> {
        let disk = self.disk.as_ref();
        self.remove_token()?;
        if self.exists() {
            let old = self.given_up();
            let next = old.iter().map(|(number, _)| *number).max().unwrap_or(0).saturating_add(1);
            for (_, path) in old {
                disk.remove_tree(&path).map_err(|error| trouble("remove", &path, &error))?;
            }
            let (from, to) = (self.folder(), self.run.join(format!("{BAD}{next}")));
            disk.rename(&from, &to).map_err(|error| trouble("rename", &from, &error))?;
        }
        let folder = self.folder();
        disk.make_dir(&folder)
            .and_then(|()| disk.sync_dir(&self.run))
            .map_err(|error| trouble("make", &folder, &error))?;
        Ok(Book::new(self.open_index(&folder)?, look_up))
    }

    /// Closes an index cleanly, if it ends with this head.
    ///
    /// # Errors
    /// When it does not, or the disk cannot be written: then it counts as not closed.
    pub(super) fn close(&self, book: Book, head: (u64, Digest)) -> Result<(), IndexError> {
        let last = book.last_len();
        let written = book.close()?;
        if written.unwrap_or_default().0 != head.0 || written.is_some_and(|written| written != head) {
            return Err(IndexError::new("the index does not end where the journal ends"));
        }
        let (disk, folder, path) = (self.disk.as_ref(), self.folder(), self.token_path());
        for name in self.files()? {
            let file = folder.join(name);
            disk.open_read(&file)
                .and_then(|handle| handle.sync_all())
                .map_err(|error| trouble("sync", &file, &error))?;
        }
        disk.sync_dir(&folder)
            .and_then(|()| disk.sync_dir(&self.run))
            .map_err(|error| trouble("sync", &folder, &error))?;
        let token = Token { run: self.id.clone(), head, last, files: self.fingerprint()? };
        disk.create_new(&path)
            .and_then(|file| file.write_all_at(token.text().as_bytes(), 0).and_then(|()| file.sync_all()))
            .and_then(|()| disk.sync_dir(&self.run))
            .map_err(|error| trouble("write", &path, &error))
    }

    /// Opens whatever there is, for the copies of frames in it, the present index first. Nothing in it is trusted.
    pub(in crate::store) fn open_for_copies(&self) -> Vec<Box<dyn Index>> {
        let mut folders = vec![self.folder()];
        folders.extend(self.given_up().into_iter().rev().map(|(_, path)| path));
        folders.retain(|folder| self.disk.info(folder).is_ok_and(|info| info.kind == EntryKind::Dir));
        folders.iter().filter_map(|folder| self.open_index(folder).ok()).collect()
    }

    fn open_index(&self, folder: &Path) -> Result<Box<dyn Index>, IndexError> {
        let disk = self.disk.as_ref();
        let entries = disk.list(folder).map_err(|error| trouble("read", folder, &error))?;
        // Left by a kill while sled was opening; sled could not be opened any more.
        let half_made = |name: &str| name.starts_with("snap.") && name.ends_with(".generating");
        for entry in entries.iter().filter(|entry| half_made(&entry.name)) {
            let path = folder.join(&entry.name);
            disk.remove_file(&path).map_err(|error| trouble("remove", &path, &error))?;
        }
        match self.backend {
            Backend::Sled => Ok(Box::new(Sled::open(folder)?)),
            Backend::Memory => Ok(Box::new(Memory::open(Arc::clone(&self.disk), folder)?)),
        }
    }

    fn remove_token(&self) -> Result<(), IndexError> {
        let path = self.token_path();
        match self.disk.remove_file(&path) {
            Ok(()) => self.disk.sync_dir(&self.run).map_err(|error| trouble("sync", &self.run, &error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(trouble("remove", &path, &error)),
        }
    }

    /// The indexes that were given up, by their numbers.
    fn given_up(&self) -> Vec<(u32, PathBuf)> {
        let entries = self.disk.list(&self.run).unwrap_or_default();
        let number = |name: &str| name.strip_prefix(BAD)?.parse().ok();
        let mut found: Vec<(u32, PathBuf)> = entries
            .iter()
            .filter_map(|entry| Some((number(&entry.name)?, self.run.join(&entry.name))))
            .collect();
        found.sort();
        found
    }

    fn files(&self) -> Result<Vec<String>, IndexError> {
        let folder = self.folder();
        let entries = self.disk.list(&folder).map_err(|error| trouble("read", &folder, &error))?;
        Ok(entries.into_iter().filter(|e| e.kind == EntryKind::File).map(|e| e.name).collect())
    }

    /// What tells the files of the index apart from files with other contents. A damaged file is found before sled
    /// opens it.
    fn fingerprint(&self) -> Result<Digest, IndexError> {
        let mut text = String::new();
        for name in self.files()? {
            let path = self.folder().join(&name);
            let (len, sum) = self
                .disk
                .open_read(&path)
                .and_then(|file| checksum(file.as_ref()))
                .map_err(|error| trouble("read", &path, &error))?;
            text.push_str(&format!("{len} {sum:08x} {name}\n"));
        }
        Ok(Digest::of(text.as_bytes()))
    }
}

fn checksum(file: &dyn DiskFile) -> io::Result<(u64, u32)> {
    let (mut len, mut sum) = (0, 0);
    let mut piece = vec![0; PIECE];
    loop {
        let read = file.read_full_at(&mut piece, len)?;
        if read == 0 {
            return Ok((len, sum));
        }
        sum = crc32c::crc32c_append(sum, piece.get(..read).unwrap_or_default());
        len += read as u64;
    }
}

fn trouble(doing: &str, path: &Path, error: &io::Error) -> IndexError {
    IndexError::new(format!("cannot {doing} `{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written_or_not_at_all() {
        let token = Token {
            run: "01ABC".to_owned(),
            head: (7, Digest::of(b"head")),
            last: 80,
            files: Digest::of(b"files"),
        };
        let text = token.text();
        assert!(text.len() < LONGEST_TOKEN);
        assert_eq!(Token::parse(&text), Some(token));
        for cut in 0..text.len() {
            assert_eq!(Token::parse(&text[..cut]), None, "cut at {cut}");
        }
        for at in 0..text.len() {
            let mut other = text.clone().into_bytes();
            other[at] ^= 1;
            assert_eq!(String::from_utf8(other).ok().and_then(|text| Token::parse(&text)), None, "at {at}");
        }
    }
}
