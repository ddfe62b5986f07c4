//! The state of the simulated file system: names, nodes, faults, locks.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::path::{Component, Path};

use rustix::io::Errno;

use super::node::{Change, Node, NodeId, Renaming};
use super::{Call, Fault};

#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) nodes: Vec<Node>,
    pub(super) renamings: Vec<Renaming>,
    pub(super) counts: BTreeMap<Call, u64>,
    pub(super) total: u64,
    /// Which call fails, of all or of its kind.
    pub(super) faults: Vec<(Option<Call>, u64, Fault)>,
    pub(super) write_fails: bool,
    pub(super) capacity: Option<u64>,
    pub(super) cannot_allocate: bool,
    pub(super) read_only: bool,
    pub(super) locks: Vec<(NodeId, u64, bool)>,
    pub(super) handles: u64,
}
/// Chance, the same for the same seed.
#[derive(Debug)]
pub(super) struct Dice {
    seed: u64,
    state: u64,
}

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, state: seed }
    }

    /// Splitmix64.
    fn roll(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Whether something that was not synced survives.
    pub(super) fn keeps(&mut self) -> bool {
        match self.seed {
            0 => false,
            1 => true,
            _ => self.roll() & 1 == 1,
        }
    }

    /// Whether a write survives in part.
    pub(super) fn tears(&mut self) -> bool {
        self.seed > 1 && self.roll().is_multiple_of(3)
    }
}
impl World {
    /// Counts a call, and says whether it shall fail.
    pub(super) fn count(&mut self, call: Call) -> Option<Fault> {
        let (total, count) = (self.total, self.counts.entry(call).or_default());
        let nth = *count;
        *count += 1;
        self.total += 1;
        let hit = |kind: &Option<Call>, at: u64| match kind {
            None => at == total,
            Some(kind) => *kind == call && at == nth,
        };
        self.faults.iter().find(|(kind, at, _)| hit(kind, *at)).map(|(_, _, fault)| *fault)
    }

    pub(super) fn node(&self, id: NodeId) -> io::Result<&Node> {
        self.nodes.get(id).ok_or_else(|| Errno::BADF.into())
    }

    pub(super) fn node_mut(&mut self, id: NodeId) -> io::Result<&mut Node> {
        self.nodes.get_mut(id).ok_or_else(|| Errno::BADF.into())
    }

    /// What a path stands for. Links are never followed.
    pub(super) fn find(&self, path: &Path) -> io::Result<NodeId> {
        let mut at = 0;
        for part in path.components() {
            match part {
                Component::RootDir | Component::CurDir => {}
                Component::Normal(name) => {
                    let name = text(name)?;
                    at = *self.node(at)?.dir_names()?.get(name).ok_or(Errno::NOENT)?;
                }
                Component::ParentDir | Component::Prefix(_) => return Err(Errno::INVAL.into()),
            }
        }
        Ok(at)
    }

    /// The directory of a path, and the name in it.
    pub(super) fn place(&self, path: &Path) -> io::Result<(NodeId, String)> {
        let name = text(path.file_name().ok_or(Errno::INVAL)?)?.to_owned();
        let dir = self.find(path.parent().ok_or(Errno::INVAL)?)?;
        self.node(dir)?.dir_names()?;
        Ok((dir, name))
    }

    pub(super) fn make(&mut self, path: &Path, node: Node) -> io::Result<NodeId> {
        let (dir, name) = self.place(path)?;
        if self.node(dir)?.dir_names()?.contains_key(&name) {
            return Err(Errno::EXIST.into());
        }
        self.nodes.push(node);
        let id = self.nodes.len() - 1;
        self.rename(vec![Change { dir, name, node: Some(id) }])?;
        Ok(id)
    }

    /// Changes names, all at once; they are not safe yet.
    pub(super) fn rename(&mut self, changes: Vec<Change>) -> io::Result<()> {
        for change in &changes {
            let names = self.node_mut(change.dir)?.dir_names_mut()?;
            match change.node {
                Some(node) => names.insert(change.name.clone(), node),
                None => names.remove(&change.name),
            };
        }
        self.renamings.push(Renaming(changes));
        Ok(())
    }

    pub(super) fn save_names(&mut self, dir: NodeId) {
        for renaming in std::mem::take(&mut self.renamings) {
            if renaming.touches(dir) {
                renaming.save(&mut self.nodes);
            } else {
                self.renamings.push(renaming);
            }
        }
    }

    pub(super) fn lose_names(&mut self, dir: NodeId) {
        self.renamings.retain(|renaming| !renaming.touches(dir));
    }

    /// Everything below a directory, itself first.
    pub(super) fn below(&self, top: NodeId) -> Vec<NodeId> {
        let mut all = vec![top];
        let mut at = 0;
        while let Some(&id) = all.get(at) {
            if let Some(Ok(names)) = self.nodes.get(id).map(Node::dir_names) {
                all.extend(names.values());
            }
            at += 1;
        }
        all
    }

    /// How many more bytes fit.
    pub(super) fn room(&self) -> u64 {
        let Some(capacity) = self.capacity else { return u64::MAX };
        let mut files = self.below(0);
        files.sort_unstable();
        files.dedup();
        let len = |id: &NodeId| self.nodes.get(*id).and_then(|n| n.file().ok()).map_or(0, |f| f.live.len());
        capacity.saturating_sub(files.iter().map(len).sum())
    }
}
fn text(name: &OsStr) -> io::Result<&str> {
    name.to_str().ok_or_else(|| Errno::INVAL.into())
}
