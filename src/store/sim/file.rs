//! An open file of the simulated file system.

use std::io;
use std::sync::MutexGuard;

use rustix::io::Errno;

use super::node::NodeId;
use super::world::World;
use super::{Call, Fault, SimDisk, error_of};
use crate::store::disk::{DiskFile, Info};

/// A handle; its lock ends with it.
#[derive(Debug)]
pub(super) struct SimFile {
    pub(super) disk: SimDisk,
    pub(super) node: NodeId,
    pub(super) handle: u64,
    pub(super) writable: bool,
}

impl SimFile {
    fn sync(&self, call: Call) -> io::Result<()> {
        let mut world = self.disk.world();
        let fault = world.count(call);
        let file = world.node_mut(self.node)?.file_mut()?;
        match fault {
            None => file.save(),
            Some(fault) => {
                file.lose();
                return Err(error_of(fault));
            }
        }
        Ok(())
    }

    fn begin_change(&self, call: Call) -> io::Result<MutexGuard<'_, World>> {
        let world = self.disk.begin_change(call)?;
        if self.writable { Ok(world) } else { Err(Errno::BADF.into()) }
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let world = self.disk.begin(Call::Read)?;
        Ok(world.node(self.node)?.file()?.live.read(offset, bytes))
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let mut world = self.disk.world();
        let fault = world.count(Call::Write);
        if world.read_only || !self.writable {
            return Err(if self.writable { Errno::ROFS } else { Errno::BADF }.into());
        }
        if std::mem::take(&mut world.write_fails) {
            return Err(Errno::IO.into());
        }
        let mut count = bytes.len();
        match fault {
            Some(Fault::Short) => {
                world.write_fails = true;
                count /= 2;
                if count == 0 {
                    return Err(Errno::IO.into());
                }
            }
            Some(fault) => return Err(error_of(fault)),
            None => {}
        }
        let room = world.room();
        let file = world.node_mut(self.node)?.file_mut()?;
        let end = file.live.len().saturating_add(room);
        count = count.min(usize::try_from(end.saturating_sub(offset)).unwrap_or(usize::MAX));
        if count == 0 && !bytes.is_empty() {
            return Err(Errno::NOSPC.into());
        }
        file.write(offset as usize, &bytes[..count]);
        Ok(count)
    }

    fn info(&self) -> io::Result<Info> {
        let world = self.disk.begin(Call::Info)?;
        Ok(world.node(self.node)?.info(self.node))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.begin_change(Call::SetLen)?.node_mut(self.node)?.file_mut()?.set_len(len as usize);
        Ok(())
    }

    fn allocate(&self, offset: u64, len: u64) -> io::Result<()> {
        let mut world = self.begin_change(Call::Allocate)?;
        if world.cannot_allocate {
            return Err(Errno::OPNOTSUPP.into());
        }
        let room = world.room();
        let file = world.node_mut(self.node)?.file_mut()?;
        let (now, wanted) = (file.live.len(), offset + len);
        if wanted.saturating_sub(now) > room {
            return Err(Errno::NOSPC.into());
        }
        if wanted > now {
            file.set_len(wanted as usize);
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.sync(Call::SyncData)
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync(Call::SyncAll)
    }

    fn try_lock(&self, exclusive: bool) -> io::Result<bool> {
        let mut world = self.disk.begin(Call::Lock)?;
        let in_the_way = |(node, handle, held): &(NodeId, u64, bool)| {
            *node == self.node && *handle != self.handle && (exclusive || *held)
        };
        if world.locks.iter().any(in_the_way) {
            return Ok(false);
        }
        world.locks.retain(|(_, handle, _)| *handle != self.handle);
        world.locks.push((self.node, self.handle, exclusive));
        Ok(true)
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        let handle = self.handle;
        self.disk.world().locks.retain(|(_, held, _)| *held != handle);
    }
}
