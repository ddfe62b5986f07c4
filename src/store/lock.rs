//! The lock of a run: one process at a time (durability spec, sections 3 and 6). The file also says who has it, for
//! messages only; what counts is the lock of the system, which ends with the process.

use std::fs;
use std::io;
use std::path::Path;
use std::process;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::disk::{Disk, DiskFile};
use super::error::StoreError;

/// The file that is locked.
const NAME: &str = "LOCK";
/// More than any content of the file.
const LONGEST: usize = 512;
/// Whoever asks who has the lock holds it for a moment; that is waited for.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(3);

/// The process that has the lock of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its process id; 0 where the file does not say.
    pub pid: u32,
    /// When it took the lock, in milliseconds since 1970.
    pub started: u64,
    /// Which start of which machine it belongs to.
    pub boot: String,
}

impl Holder {
    /// This process, now.
    fn this() -> Self {
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { pid: process::id(), started: started.as_millis() as u64, boot: boot_id() }
    }

    fn text(&self) -> String {
        format!("pid {}\nboot {}\nstarted {}\n", self.pid, self.boot, self.started)
    }

    fn parse(text: &str) -> Self {
        let field = |name: &str| {
            text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap_or_default()
        };
        Self {
            pid: field("pid").parse().unwrap_or_default(),
            started: field("started").parse().unwrap_or_default(),
            boot: field("boot").to_owned(),
        }
    }

    /// Says whether its process id means nothing here: another machine, or this one before it was started anew.
    pub fn is_from_elsewhere(&self) -> bool {
        self.boot != boot_id()
    }
}

/// The id the system got when it was started; empty where there is none.
pub(super) fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// The lock, held until it is dropped.
#[derive(Debug)]
pub(super) struct RunLock {
    /// None where there is no file to lock: a copy on a disk that cannot be written.
    _file: Option<Box<dyn DiskFile>>,
    holder: Holder,
}

impl RunLock {
    /// Makes the file in a fresh directory, and locks it.
    pub(super) fn create(disk: &dyn Disk, run: &Path, id: &str) -> Result<Self, StoreError> {
        let path = run.join(NAME);
        let file = disk.create_new(&path).map_err(|e| StoreError::io("make", &path, e))?;
        Self::take(file, &path, id)?.announced()
    }

    /// Locks the run.
    pub(super) fn acquire(disk: &dyn Disk, run: &Path, id: &str) -> Result<Self, StoreError> {
        let path = run.join(NAME);
        let file = match disk.open_write(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                disk.create_new(&path).map_err(|e| StoreError::io("make", &path, e))?
            }
            Err(error) => return Err(StoreError::io("open", &path, error)),
        };
        let lock = Self::take(file, &path, id)?;
        lock.still_there(disk, &path, id)?;
        lock.announced()
    }

    /// Locks the run and writes nothing.
    pub(super) fn acquire_quietly(disk: &dyn Disk, run: &Path, id: &str) -> Result<Self, StoreError> {
        let path = run.join(NAME);
        match disk.open_read(&path) {
            Ok(file) => {
                let lock = Self::take(file, &path, id)?;
                lock.still_there(disk, &path, id)?;
                Ok(lock)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(Self { _file: None, holder: Holder::this() })
            }
            Err(error) => Err(StoreError::io("open", &path, error)),
        }
    }

    fn take(file: Box<dyn DiskFile>, path: &Path, id: &str) -> Result<Self, StoreError> {
        for _ in 0..TRIES {
            if file.try_lock(true).map_err(|e| StoreError::io("lock", path, e))? {
                return Ok(Self { _file: Some(file), holder: Holder::this() });
            }
            thread::sleep(PAUSE);
        }
        Err(StoreError::Locked { run: id.to_owned(), holder: read_holder(file.as_ref()) })
    }

    /// A run that was removed while its lock was waited for is gone, whatever its file says.
    fn still_there(&self, disk: &dyn Disk, path: &Path, id: &str) -> Result<(), StoreError> {
        let Some(file) = &self._file else { return Ok(()) };
        let held = file.info().map_err(|e| StoreError::io("read", path, e))?;
        match disk.info(path) {
            Ok(info) if info.id == held.id => Ok(()),
            Ok(_) => Err(StoreError::not_found(id, None)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(StoreError::not_found(id, None)),
            Err(error) => Err(StoreError::io("read", path, error)),
        }
    }

    /// Writes down who has it. It serves messages only, so a full disk does not matter.
    fn announced(self) -> Result<Self, StoreError> {
        if let Some(file) = &self._file {
            let text = self.holder.text();
            if file.set_len(0).is_ok() {
                let _ = file.write_all_at(text.as_bytes(), 0);
            }
        }
        Ok(self)
    }

    /// Who has it: this process.
    pub(super) fn holder(&self) -> &Holder {
        &self.holder
    }
}

/// Who has the lock of a run now, if anyone; none also when that cannot be found out.
pub(super) fn holder(disk: &dyn Disk, run: &Path) -> Option<Holder> {
    let file = disk.open_read(&run.join(NAME)).ok()?;
    if file.try_lock(false).ok()? { None } else { read_holder(file.as_ref()) }
}

fn read_holder(file: &dyn DiskFile) -> Option<Holder> {
    let mut bytes = [0; LONGEST];
    let len = file.read_full_at(&mut bytes, 0).ok()?;
    Some(Holder::parse(&String::from_utf8_lossy(bytes.get(..len)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_is_read_as_it_is_written() {
        let holder = Holder::this();
        assert_eq!(Holder::parse(&holder.text()), holder);
        assert_eq!(holder.pid, process::id());
        assert!(!holder.is_from_elsewhere());
        let nobody = Holder { pid: 0, started: 0, boot: String::new() };
        assert_eq!(Holder::parse("nonsense"), nobody);
        assert_eq!(Holder::parse("pid x\nboot"), nobody);
    }
}
