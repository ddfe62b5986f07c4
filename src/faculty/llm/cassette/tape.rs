//! The files of a cassette: reading, the lock, what is added while a run goes on, and putting it in its place. Knows
//! no calls.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags};
use rustix::io::Errno;

use super::error::CassetteError;
use super::record::{Record, Unread};
use crate::base::Digest;

/// A larger file is no cassette.
const LARGEST: u64 = 1 << 30;
/// So often the lock is tried: it can be lost to a run that is just ending.
const TRIES: u32 = 10;

/// All recordings by their key.
pub(super) type Records = BTreeMap<Digest, Record>;

/// The files of a cassette.
#[derive(Debug)]
pub(super) struct Tape {
    path: PathBuf,
    part: PathBuf,
    /// `FILE.part`, locked, while a run records.
    writer: Option<Writer>,
}

#[derive(Debug)]
struct Writer {
    file: File,
    /// Whole lines end here.
    length: u64,
}

impl Tape {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), part: beside(path, ".part"), writer: None }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whether this process has the lock.
    pub(super) fn is_locked(&self) -> bool {
        self.writer.is_some()
    }

    /// Returns whether there is a file, finished or not.
    pub(super) fn exists(&self) -> bool {
        self.path.exists() || self.has_part()
    }

    /// Returns whether there is something that a run has not put in its place.
    pub(super) fn has_part(&self) -> bool {
        fs::metadata(&self.part).is_ok_and(|info| info.len() > 0)
    }

    /// Reads the cassette, and what a run recorded that has not ended or was killed.
    pub(super) fn read(&self) -> Result<Records, CassetteError> {
        let mut records = Records::new();
        // What stands in the cassette was replayed before: where both have a call, its recording is kept.
        read_into(&mut records, &self.part, true)?;
        let mut finished = Records::new();
        read_into(&mut finished, &self.path, false)?;
        records.append(&mut finished);
        Ok(records)
    }

    /// Takes the lock. What a killed run has left is read from then on as part of the cassette.
    pub(super) fn lock(&mut self) -> Result<(), CassetteError> {
        if self.writer.is_some() {
            return Ok(());
        }
        if let Some(folder) = self.path.parent().filter(|f| !f.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(|e| CassetteError::io("make the folder", folder, &e))?;
        }
        let mut file = self.locked_part()?;
        let length = end_of_lines(&mut file).map_err(|e| CassetteError::io("read", &self.part, &e))?;
        file.set_len(length).map_err(|e| CassetteError::io("write", &self.part, &e))?;
        self.writer = Some(Writer { file, length });
        Ok(())
    }

    fn locked_part(&self) -> Result<File, CassetteError> {
        let mut options = OpenOptions::new();
        // A link in its place would lead elsewhere, a pipe would make it wait.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        options.read(true).write(true).create(true).truncate(false).custom_flags(flags.bits() as i32);
        for _ in 0..TRIES {
            let file = options.open(&self.part).map_err(|e| CassetteError::io("write", &self.part, &e))?;
            match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => return Err(CassetteError::Locked { path: self.path.clone() }),
                Err(error) => return Err(CassetteError::io("lock", &self.part, &error.into())),
            }
            // A run that has just ended may have removed the file between the two.
            let held = file.metadata().map_err(|e| CassetteError::io("read", &self.part, &e))?;
            if !held.is_file() {
                return Err(CassetteError::Unfit { path: self.part.clone(), what: "is no file" });
            }
            if fs::metadata(&self.part).is_ok_and(|now| (now.dev(), now.ino()) == (held.dev(), held.ino())) {
                return Ok(file);
            }
        }
        Err(CassetteError::Locked { path: self.path.clone() })
    }

    /// Adds a line. It is in the hands of the system then: it survives the end of the process. When it cannot be
    /// written, the file is as it was before.
    pub(super) fn append(&mut self, line: &str) -> Result<(), CassetteError> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let mut write = || {
            writer.file.seek(SeekFrom::Start(writer.length))?;
            writer.file.write_all(line.as_bytes())
        };
        match write() {
            Ok(()) => {
                writer.length += line.len() as u64;
                Ok(())
            }
            Err(error) => {
                let _ = writer.file.set_len(writer.length);
                Err(CassetteError::io("write", &self.part, &error))
            }
        }
    }

    /// Puts the recordings in place of the cassette, all at once, and gives the lock back.
    pub(super) fn finish(&mut self, records: Option<&Records>) -> Result<(), CassetteError> {
        if self.writer.is_none() {
            return Ok(());
        }
        if let Some(records) = records {
            self.replace(records)?;
        }
        // While the lock is held, nobody else uses the file.
        fs::remove_file(&self.part).map_err(|e| CassetteError::io("remove", &self.part, &e))?;
        self.writer = None;
        Ok(())
    }

    fn replace(&self, records: &Records) -> Result<(), CassetteError> {
        // A link stays a link: what it leads to is replaced.
        let target = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let fresh = beside(&target, ".new");
        let failed = |e: io::Error| CassetteError::io("write", &fresh, &e);
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let file = OpenOptions::new().write(true).create_new(true).open(&fresh).map_err(failed)?;
        let written = write_all(&file, records, &target);
        if let Err(error) = written.and_then(|()| fs::rename(&fresh, &target)) {
            let _ = fs::remove_file(&fresh);
            return Err(failed(error));
        }
        let folder = target.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|e| CassetteError::io("write", folder, &e))
    }
}

/// A run that ends without having recorded anything leaves nothing behind; what it has recorded stays.
impl Drop for Tape {
    fn drop(&mut self) {
        if self.writer.as_ref().is_some_and(|writer| writer.length == 0) {
            let _ = fs::remove_file(&self.part);
        }
    }
}

fn write_all(file: &File, records: &Records, target: &Path) -> io::Result<()> {
    if let Ok(old) = fs::metadata(target) {
        file.set_permissions(old.permissions())?;
    }
    let mut writer = BufWriter::new(file);
    for (key, record) in records {
        writer.write_all(record.line(*key).as_bytes())?;
    }
    writer.flush()?;
    file.sync_all()
}

/// The path with an ending added.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}

/// Where the last whole line ends: a killed process may have left a begun one.
fn end_of_lines(file: &mut File) -> io::Result<u64> {
    let (mut end, mut at) = (0, 0);
    let mut reader = BufReader::new(file);
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Ok(end);
        }
        if let Some(last) = bytes.iter().rposition(|b| *b == b'\n') {
            end = at + last as u64 + 1;
        }
        let length = bytes.len();
        at += length as u64;
        reader.consume(length);
    }
}

fn read_into(records: &mut Records, path: &Path, growing: bool) -> Result<(), CassetteError> {
    let failed = |e: io::Error| CassetteError::io("read", path, &e);
    let flags = OFlags::NONBLOCK.bits() as i32;
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    let info = file.metadata().map_err(failed)?;
    let unfit = |what| CassetteError::Unfit { path: path.to_owned(), what };
    if !info.is_file() {
        return Err(unfit("is no file"));
    }
    if info.len() > LARGEST {
        return Err(unfit("is larger than 1 GiB"));
    }
    let mut reader = BufReader::new(file);
    let mut lines: BTreeMap<Digest, u32> = BTreeMap::new();
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        if reader.read_until(b'\n', &mut bytes).map_err(failed)? == 0 {
            break;
        }
        let damaged =
            |what: String, help: String| CassetteError::Damaged { path: path.to_owned(), line, what, help };
        if growing && !bytes.ends_with(b"\n") {
            // Just being written, or never finished.
            break;
        }
        let Ok(text) = std::str::from_utf8(&bytes) else {
            return Err(damaged("it is no UTF-8 text".to_owned(), "delete the line".to_owned()));
        };
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            continue;
        }
        let (key, record) = Record::read(text).map_err(|unread| match unread {
            Unread::Newer(version) => CassetteError::Newer { path: path.to_owned(), line, version },
            Unread::Bad { what, help } => damaged(what, help),
        })?;
        if let Some(first) = lines.insert(key, line)
            && records.get(&key).is_some_and(|other| other.reply != record.reply)
        {
            let what = format!("line {first} records the same call with another reply");
            return Err(damaged(what, format!("delete line {first} or line {line}")));
        }
        match records.get_mut(&key) {
            Some(known) => known.place = known.place.clone().min(record.place),
            None => drop(records.insert(key, record)),
        }
    }
    Ok(())
}
