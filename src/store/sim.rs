//! A file system in memory, for tests: what was synced and what was not are kept apart, any call can be made to fail,
//! and the power can be taken away at any moment (durability spec, section 9: simfs).
//!
//! It is a harsh one: without a sync of the directory a new name may be lost although a later one is kept, unsynced
//! writes are kept, lost or torn in any combination, and what a failed sync covered is lost for good.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;

use super::disk::{Disk, DiskFile, Entry, Info};
use file::SimFile;
use node::{Change, Node, NodeId};
use world::{Dice, World};

mod file;
mod node;
mod world;

/// The user all files belong to unless a test says otherwise.
const USER: u32 = 1000;

/// The kinds of calls, to count them and to make them fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// `make_dir`.
    MakeDir,
    /// `create_new`.
    Create,
    /// `open_read` and `open_write`.
    Open,
    /// `read_at`.
    Read,
    /// `write_at`.
    Write,
    /// `set_len`.
    SetLen,
    /// `allocate`.
    Allocate,
    /// `sync_data`.
    SyncData,
    /// `sync_all`.
    SyncAll,
    /// `sync_dir`.
    SyncDir,
    /// `sync_tree`.
    SyncTree,
    /// `rename`.
    Rename,
    /// `remove_file` and `remove_tree`.
    Remove,
    /// `list`.
    List,
    /// `info`.
    Info,
    /// `try_lock`.
    Lock,
}

/// What happens instead of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It fails with an input/output error; a sync loses what it should have made safe.
    Io,
    /// It fails because the disk is full.
    Full,
    /// A write takes half of the bytes, and the next write fails with an input/output error. Other calls fail at once.
    Short,
}
/// The file system. Clones are the same one.
#[derive(Debug, Clone)]
pub struct SimDisk(Arc<Mutex<World>>);
impl Default for SimDisk {
    fn default() -> Self {
        Self::new()
    }
}

impl SimDisk {
    /// An empty one, with nothing but `/`.
    pub fn new() -> Self {
        Self::of(World { nodes: vec![Node::dir(USER)], ..World::default() })
    }

    fn of(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the `nth` call from now on fail (0 is the next one).
    pub fn fail(&self, nth: u64, fault: Fault) {
        let mut world = self.world();
        let at = world.total + nth;
        world.faults.push((None, at, fault));
    }

    /// Makes the `nth` call of a kind from now on fail (0 is the next one).
    pub fn fail_at(&self, call: Call, nth: u64, fault: Fault) {
        let mut world = self.world();
        let at = world.counts.get(&call).copied().unwrap_or_default() + nth;
        world.faults.push((Some(call), at, fault));
    }

    /// Limits the space of all files together.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.world().capacity = bytes;
    }

    /// Makes every call that would change something fail.
    pub fn set_read_only(&self, read_only: bool) {
        self.world().read_only = read_only;
    }

    /// Makes `allocate` something this file system cannot do.
    pub fn set_cannot_allocate(&self, cannot: bool) {
        self.world().cannot_allocate = cannot;
    }

    /// How many calls of a kind were made.
    pub fn count(&self, call: Call) -> u64 {
        self.world().counts.get(&call).copied().unwrap_or_default()
    }

    /// How many calls of any kind were made.
    pub fn calls(&self) -> u64 {
        self.world().total
    }

    /// How many syncs were made: of files, directories and trees.
    pub fn syncs(&self) -> u64 {
        [Call::SyncData, Call::SyncAll, Call::SyncDir, Call::SyncTree]
            .into_iter()
            .map(|c| self.count(c))
            .sum()
    }

    /// The disk after the process was killed: everything written is there, locks are gone. This one stays as it is.
    pub fn kill(&self) -> Self {
        let world = self.world();
        Self::of(World {
            nodes: world.nodes.clone(),
            renamings: world.renamings.clone(),
            capacity: world.capacity,
            cannot_allocate: world.cannot_allocate,
            ..World::default()
        })
    }

    /// The disk after a loss of power: what was synced is there; of the rest, the seed decides. The seeds 0 and 1 lose
    /// all of it and none. This one stays as it is.
    pub fn crash(&self, seed: u64) -> Self {
        let after = self.kill();
        let mut dice = Dice::new(seed);
        {
            let mut guard = after.world();
            let world = &mut *guard;
            for renaming in std::mem::take(&mut world.renamings) {
                if dice.keeps() {
                    renaming.save(&mut world.nodes);
                }
            }
            for node in &mut world.nodes {
                node.crash(&mut dice);
            }
        }
        after
    }

    /// The bytes of a file as a reader sees them now.
    pub fn contents(&self, path: &Path) -> Option<Vec<u8>> {
        let world = self.world();
        let node = world.find(path).ok()?;
        Some(world.nodes.get(node)?.file().ok()?.live.all())
    }

    /// Changes the bytes of a file behind everybody's back, as damage does.
    pub fn damage(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut world = self.world();
        let Ok(node) = world.find(path) else { return };
        if let Some(Ok(file)) = world.nodes.get_mut(node).map(Node::file_mut) {
            let mut bytes = file.live.all();
            change(&mut bytes);
            file.live.set_all(bytes);
            file.saved.clone_from(&file.live);
            file.unsaved.clear();
        }
    }

    /// Gives a file or directory another mode and owner.
    pub fn set_rights(&self, path: &Path, mode: u32, owner: u32) {
        let mut world = self.world();
        let Ok(node) = world.find(path) else { return };
        if let Some(node) = world.nodes.get_mut(node) {
            node.mode = mode;
            node.owner = owner;
        }
    }

    /// Makes a symbolic link. The store follows none, so it leads nowhere.
    ///
    /// # Errors
    /// When the name is taken, or its directory does not exist.
    pub fn make_link(&self, path: &Path) -> io::Result<()> {
        self.world().make(path, Node::link(USER)).map(|_| ())
    }

    fn begin(&self, call: Call) -> io::Result<MutexGuard<'_, World>> {
        let mut world = self.world();
        match world.count(call) {
            Some(fault) => Err(error_of(fault)),
            None => Ok(world),
        }
    }

    fn begin_change(&self, call: Call) -> io::Result<MutexGuard<'_, World>> {
        let world = self.begin(call)?;
        if world.read_only { Err(Errno::ROFS.into()) } else { Ok(world) }
    }

    fn open(&self, path: &Path, writable: bool) -> io::Result<Box<dyn DiskFile>> {
        let mut world = self.begin(Call::Open)?;
        if writable && world.read_only {
            return Err(Errno::ROFS.into());
        }
        let id = world.find(path)?;
        world.node(id)?.file()?;
        Ok(self.handle(&mut world, id, writable))
    }

    fn handle(&self, world: &mut World, node: NodeId, writable: bool) -> Box<dyn DiskFile> {
        world.handles += 1;
        Box::new(SimFile { disk: self.clone(), node, handle: world.handles, writable })
    }
}

fn error_of(fault: Fault) -> io::Error {
    match fault {
        Fault::Io | Fault::Short => Errno::IO.into(),
        Fault::Full => Errno::NOSPC.into(),
    }
}
impl Disk for SimDisk {
    fn make_dir(&self, path: &Path) -> io::Result<()> {
        self.begin_change(Call::MakeDir)?.make(path, Node::dir(USER)).map(|_| ())
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut world = self.begin_change(Call::Create)?;
        let node = world.make(path, Node::new_file(USER))?;
        Ok(self.handle(&mut world, node, true))
    }

    fn open_write(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.open(path, true)
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.open(path, false)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut world = self.begin_change(Call::Rename)?;
        let node = world.find(from)?;
        let (from_dir, from_name) = world.place(from)?;
        let (to_dir, to_name) = world.place(to)?;
        if let Ok(names) = world.find(to).and_then(|id| world.node(id)?.dir_names())
            && !names.is_empty()
        {
            return Err(Errno::NOTEMPTY.into());
        }
        world.rename(vec![
            Change { dir: from_dir, name: from_name, node: None },
            Change { dir: to_dir, name: to_name, node: Some(node) },
        ])
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut world = self.begin_change(Call::Remove)?;
        let node = world.find(path)?;
        if world.node(node)?.dir_names().is_ok() {
            return Err(Errno::ISDIR.into());
        }
        let (dir, name) = world.place(path)?;
        world.rename(vec![Change { dir, name, node: None }])
    }

    fn remove_tree(&self, path: &Path) -> io::Result<()> {
        let mut world = self.begin_change(Call::Remove)?;
        world.find(path)?;
        let (dir, name) = world.place(path)?;
        world.rename(vec![Change { dir, name, node: None }])
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut world = self.world();
        let fault = world.count(Call::SyncDir);
        let dir = world.find(path)?;
        world.node(dir)?.dir_names()?;
        match fault {
            None => world.save_names(dir),
            Some(fault) => {
                world.lose_names(dir);
                return Err(error_of(fault));
            }
        }
        Ok(())
    }

    fn sync_tree(&self, path: &Path) -> io::Result<()> {
        let mut world = self.begin(Call::SyncTree)?;
        let top = world.find(path)?;
        let (dir, _) = world.place(path)?;
        world.save_names(dir);
        for id in world.below(top) {
            world.save_names(id);
            if let Ok(file) = world.node_mut(id)?.file_mut() {
                file.save();
            }
        }
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        let world = self.begin(Call::List)?;
        let names = world.node(world.find(path)?)?.dir_names()?;
        names
            .iter()
            .map(|(name, id)| Ok(Entry { name: name.clone(), kind: world.node(*id)?.kind() }))
            .collect()
    }

    fn info(&self, path: &Path) -> io::Result<Info> {
        let world = self.begin(Call::Info)?;
        let id = world.find(path)?;
        Ok(world.node(id)?.info(id))
    }

    fn user(&self) -> u32 {
        USER
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> &Path {
        Path::new(name)
    }

    #[test]
    fn what_is_synced_survives_and_the_rest_may_not() {
        let disk = SimDisk::new();
        disk.make_dir(path("/d")).unwrap();
        let file = disk.create_new(path("/d/f")).unwrap();
        file.write_all_at(b"safe", 0).unwrap();
        file.sync_all().unwrap();
        assert!(disk.crash(0).info(path("/d/f")).is_err(), "no name was synced");
        disk.sync_dir(path("/d")).unwrap();
        assert!(disk.crash(0).info(path("/d/f")).is_err(), "its directory's name was not");
        disk.sync_dir(path("/")).unwrap();
        file.write_all_at(&[7; 4096], 4).unwrap();
        assert_eq!(disk.crash(0).contents(path("/d/f")).unwrap(), b"safe");
        assert_eq!(disk.crash(1).contents(path("/d/f")).unwrap().len(), 4100);
        assert_eq!(disk.kill().contents(path("/d/f")).unwrap().len(), 4100);
        let torn = (2..200).map(|seed| disk.crash(seed).contents(path("/d/f")).unwrap());
        let mut kinds = [false; 3];
        for bytes in torn {
            assert_eq!(bytes[..4], *b"safe");
            kinds[0] |= bytes.len() == 4;
            kinds[1] |= bytes.len() == 4100 && bytes[4..].iter().all(|b| *b == 7);
            kinds[2] |= bytes.len() > 4 && bytes[4..].contains(&0);
        }
        assert_eq!(kinds, [true; 3]);
        assert_eq!(disk.crash(9).contents(path("/d/f")), disk.crash(9).contents(path("/d/f")));
    }

    #[test]
    fn calls_fail_as_they_are_told() {
        let disk = SimDisk::new();
        let file = disk.create_new(path("/f")).unwrap();
        disk.sync_dir(path("/")).unwrap();
        disk.fail_at(Call::Write, 1, Fault::Short);
        file.write_all_at(b"aaaa", 0).unwrap();
        assert_eq!(file.write_all_at(b"bbbb", 4).unwrap_err().raw_os_error(), Some(5));
        assert_eq!(disk.contents(path("/f")).unwrap(), b"aaaabb");
        disk.fail(0, Fault::Io);
        assert!(file.sync_data().is_err());
        file.sync_data().unwrap();
        assert_eq!(disk.crash(1).contents(path("/f")).unwrap(), b"", "a failed sync loses what it covered");
        disk.set_capacity(Some(8));
        assert_eq!(file.write_at(b"cccc", 6).unwrap(), 2);
        assert_eq!(file.write_at(b"cc", 8).unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert!(file.allocate(8, 1).is_err());
        assert_eq!((disk.syncs(), disk.count(Call::SyncData)), (3, 2));
    }

    #[test]
    fn locks_end_with_their_handle_or_the_process() {
        let disk = SimDisk::new();
        let first = disk.create_new(path("/f")).unwrap();
        let second = disk.open_read(path("/f")).unwrap();
        assert!(first.try_lock(true).unwrap() && !second.try_lock(false).unwrap());
        assert!(disk.kill().open_read(path("/f")).unwrap().try_lock(true).unwrap());
        drop(first);
        assert!(second.try_lock(false).unwrap());
    }
}
