//! Files, directories and links of the simulated file system, each as it is and as a loss of power would leave it.

use std::collections::BTreeMap;
use std::io;

use rustix::io::Errno;

use super::world::Dice;
use crate::store::disk::{EntryKind, Info};

/// What is written at once or not at all.
const SECTOR: usize = 512;

/// The number of a node.
pub(super) type NodeId = usize;

/// A file, a directory or a link.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) mode: u32,
    pub(super) owner: u32,
    content: Content,
}

#[derive(Debug, Clone)]
enum Content {
    File(FileNode),
    Dir { live: BTreeMap<String, NodeId>, saved: BTreeMap<String, NodeId> },
    Link,
}

/// The bytes of a file; zeros at its end need not be kept.
#[derive(Debug, Clone, Default)]
pub(super) struct Bytes {
    kept: Vec<u8>,
    len: usize,
}

impl Bytes {
    pub(super) fn len(&self) -> u64 {
        self.len as u64
    }

    pub(super) fn all(&self) -> Vec<u8> {
        let mut all = self.kept.clone();
        all.resize(self.len, 0);
        all
    }

    pub(super) fn set_all(&mut self, all: Vec<u8>) {
        self.len = all.len();
        self.kept = all;
    }

    pub(super) fn read(&self, offset: u64, to: &mut [u8]) -> usize {
        let count = self.len().saturating_sub(offset).min(to.len() as u64) as usize;
        let kept =
            usize::try_from(offset).ok().and_then(|offset| self.kept.get(offset..)).unwrap_or_default();
        let known = kept.len().min(count);
        to[..known].copy_from_slice(&kept[..known]);
        to[known..count].fill(0);
        count
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) {
        let end = offset + bytes.len();
        if self.kept.len() < end {
            self.kept.resize(end, 0);
        }
        self.kept[offset..end].copy_from_slice(bytes);
        self.len = self.len.max(end);
    }

    fn set_len(&mut self, len: usize) {
        self.kept.truncate(len);
        self.len = len;
    }
}

/// A file, as it is and as it would be.
#[derive(Debug, Clone, Default)]
pub(super) struct FileNode {
    /// What a reader sees.
    pub(super) live: Bytes,
    /// What survives in any case.
    pub(super) saved: Bytes,
    /// What was done since, in order.
    pub(super) unsaved: Vec<Edit>,
}

/// What was done to a file.
#[derive(Debug, Clone)]
pub(super) enum Edit {
    Write { offset: usize, bytes: Vec<u8> },
    SetLen(usize),
}

/// A name that stands for another node from now on, or for none.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) dir: NodeId,
    pub(super) name: String,
    pub(super) node: Option<NodeId>,
}

/// Changes of names that survive together or not at all.
#[derive(Debug, Clone)]
pub(super) struct Renaming(pub(super) Vec<Change>);

impl Renaming {
    pub(super) fn touches(&self, dir: NodeId) -> bool {
        self.0.iter().any(|change| change.dir == dir)
    }

    pub(super) fn save(self, nodes: &mut [Node]) {
        for change in self.0 {
            if let Some(Content::Dir { saved, .. }) = nodes.get_mut(change.dir).map(|node| &mut node.content)
            {
                match change.node {
                    Some(node) => saved.insert(change.name, node),
                    None => saved.remove(&change.name),
                };
            }
        }
    }
}

impl Node {
    pub(super) fn dir(owner: u32) -> Self {
        Self { mode: 0o700, owner, content: Content::Dir { live: BTreeMap::new(), saved: BTreeMap::new() } }
    }

    pub(super) fn new_file(owner: u32) -> Self {
        Self { mode: 0o600, owner, content: Content::File(FileNode::default()) }
    }

    pub(super) fn link(owner: u32) -> Self {
        Self { mode: 0o777, owner, content: Content::Link }
    }

    pub(super) fn kind(&self) -> EntryKind {
        match self.content {
            Content::File(_) => EntryKind::File,
            Content::Dir { .. } => EntryKind::Dir,
            Content::Link => EntryKind::Link,
        }
    }

    pub(super) fn info(&self, id: NodeId) -> Info {
        let len = self.file().map_or(0, |file| file.live.len());
        Info { kind: self.kind(), len, space: len, mode: self.mode, owner: self.owner, id: (0, id as u64) }
    }

    pub(super) fn file(&self) -> io::Result<&FileNode> {
        match &self.content {
            Content::File(file) => Ok(file),
            Content::Dir { .. } => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file")),
            Content::Link => Err(Errno::LOOP.into()),
        }
    }

    pub(super) fn file_mut(&mut self) -> io::Result<&mut FileNode> {
        self.file()?;
        match &mut self.content {
            Content::File(file) => Ok(file),
            Content::Dir { .. } | Content::Link => Err(Errno::INVAL.into()),
        }
    }

    pub(super) fn dir_names(&self) -> io::Result<&BTreeMap<String, NodeId>> {
        match &self.content {
            Content::Dir { live, .. } => Ok(live),
            Content::File(_) => Err(Errno::NOTDIR.into()),
            Content::Link => Err(Errno::LOOP.into()),
        }
    }

    pub(super) fn dir_names_mut(&mut self) -> io::Result<&mut BTreeMap<String, NodeId>> {
        match &mut self.content {
            Content::Dir { live, .. } => Ok(live),
            Content::File(_) | Content::Link => Err(Errno::NOTDIR.into()),
        }
    }

    /// Leaves what a loss of power leaves.
    pub(super) fn crash(&mut self, dice: &mut Dice) {
        match &mut self.content {
            Content::File(file) => file.crash(dice),
            Content::Dir { live, saved } => live.clone_from(saved),
            Content::Link => {}
        }
    }
}

impl FileNode {
    pub(super) fn write(&mut self, offset: usize, bytes: &[u8]) {
        self.live.write(offset, bytes);
        self.unsaved.push(Edit::Write { offset, bytes: bytes.to_owned() });
    }

    pub(super) fn set_len(&mut self, len: usize) {
        self.live.set_len(len);
        self.unsaved.push(Edit::SetLen(len));
    }

    pub(super) fn save(&mut self) {
        for edit in self.unsaved.drain(..) {
            match edit {
                Edit::Write { offset, bytes } => self.saved.write(offset, &bytes),
                Edit::SetLen(len) => self.saved.set_len(len),
            }
        }
    }

    /// What a failed sync leaves: the system holds it for written, the disk never got it.
    pub(super) fn lose(&mut self) {
        self.unsaved.clear();
    }

    fn crash(&mut self, dice: &mut Dice) {
        for edit in self.unsaved.drain(..) {
            match edit {
                Edit::Write { offset, bytes } if dice.tears() => tear(&mut self.saved, offset, &bytes, dice),
                Edit::Write { offset, bytes } if dice.keeps() => self.saved.write(offset, &bytes),
                Edit::SetLen(len) if dice.keeps() => self.saved.set_len(len),
                Edit::Write { .. } | Edit::SetLen(_) => {}
            }
        }
        self.live.clone_from(&self.saved);
    }
}

/// Writes some of the sectors.
fn tear(to: &mut Bytes, offset: usize, bytes: &[u8], dice: &mut Dice) {
    let mut at = 0;
    while at < bytes.len() {
        let upto = ((offset + at) / SECTOR * SECTOR + SECTOR - offset).min(bytes.len());
        if dice.keeps() {
            to.write(offset + at, &bytes[at..upto]);
        }
        at = upto;
    }
}
