//! At which column each line of a formatted plan stands (language spec, sections 2.2 and 2.5). Knows the lines and the
//! tree, not what the lines say.

use super::super::ast::{Line, LineClass, NodeId, Tree};

/// Columns a level.
const STEP: u32 = 4;

/// The least step that makes a child.
const NARROW: u32 = 2;

/// A deeper plan is indented by the narrow step throughout: the indentation of a line is then never wider than the
/// narrowest one its depth allows, or a fixed width.
const DEEPEST: u32 = 32;

/// A line that later lines relate to: of a concept, or prose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// None for prose.
    pub(super) node: Option<NodeId>,
    /// The column it stands at.
    pub(super) from: u32,
    /// The column it will stand at.
    pub(super) to: u32,
}

/// The columns of all lines that head others, and how far a level is indented.
#[derive(Debug)]
pub(super) struct Places {
    /// In document order, with the number of the physical line.
    pub(super) heads: Vec<(usize, Head)>,
    /// The least column of the continuation lines of each node.
    pub(super) wrapped: Vec<u32>,
    /// Columns a level.
    pub(super) step: u32,
}

/// Finds where the heads of a plan stand.
pub(super) fn places(tree: &Tree) -> Places {
    let deepest = tree.nodes.iter().filter(|n| !n.flat).map(|n| n.depth).max().unwrap_or(0);
    let step = if deepest > DEEPEST { NARROW } else { STEP };
    let mut wrapped = vec![u32::MAX; tree.nodes.len()];
    let mut heads: Vec<(usize, Head)> = Vec::with_capacity(tree.nodes.len());
    // A root, or prose, before a comment that is less indented and does not belong to it cannot stand at column 0.
    let mut shifted = Vec::with_capacity(tree.nodes.len());
    for (at, line) in tree.lines.iter().enumerate() {
        let new = match line.class {
            LineClass::Concept => {
                let flat = line.node.and_then(|id| tree.node(id)).is_some_and(|n| n.flat);
                Some(Head { node: line.node, from: if flat { 0 } else { line.column }, to: 0 })
            }
            LineClass::Prose if !continues_prose(heads.last().map(|(_, h)| h), line) => {
                Some(Head { node: None, from: line.column, to: line.column })
            }
            LineClass::Continuation => {
                let least = line.node.and_then(|id| wrapped.get_mut(id.index()));
                if let Some(least) = least {
                    *least = line.column.min(*least);
                }
                None
            }
            LineClass::Comment if line.node.is_none() => {
                if let (Some(last), Some((_, head))) = (shifted.last_mut(), heads.last()) {
                    *last |= line.column < head.from;
                }
                None
            }
            _ => None,
        };
        if let Some(head) = new {
            heads.push((at, head));
            shifted.push(false);
        }
    }
    // Later roots stand at most as deep as earlier ones, else they would be their children.
    let mut base = 0;
    let mut bases = vec![0; heads.len()];
    for ((head, shifted), slot) in heads.iter().zip(&shifted).zip(&mut bases).rev() {
        let root = head.1.node.is_none_or(|id| tree.node(id).is_some_and(|n| n.parent.is_none() && !n.flat));
        if root && *shifted {
            base = step;
        }
        *slot = base;
    }
    let mut columns = vec![0; tree.nodes.len()];
    let mut first: Option<u32> = None;
    let mut last: Option<Head> = None;
    for ((_, head), base) in heads.iter_mut().zip(bases) {
        let Some(id) = head.node else {
            // Where it was it might be read as a part of a line above that has moved.
            let hidden = last.is_some_and(|b| head.from <= b.from && head.from > b.to);
            // At most one column deeper it is a line of its own, or goes on with one that is open: it stays so.
            let beside = last.filter(|b| b.node.is_none()).and_then(|prose| {
                let deeper = head.from.checked_sub(prose.from).filter(|d| *d < 2)?;
                Some(prose.to.saturating_add(deeper))
            });
            head.to = match (beside, first) {
                (Some(beside), _) => beside,
                _ if base > 0 => base,
                (_, Some(first)) if hidden || head.from > first + 1 => first,
                _ => head.from,
            };
            last = Some(*head);
            first = Some(head.to);
            continue;
        };
        let Some(node) = tree.node(id) else { continue };
        head.to = match node.parent {
            _ if node.flat => 0,
            Some(parent) => columns.get(parent.index()).map_or(0, |c: &u32| c.saturating_add(step)),
            None => base,
        };
        if node.parent.is_none() && !node.flat {
            first = Some(head.to);
        }
        if let Some(column) = columns.get_mut(id.index()) {
            *column = head.to;
        }
        last = Some(*head);
    }
    Places { heads, wrapped, step }
}

/// Returns whether a line of prose goes on with what the prose before it began: its indentation is kept relative to
/// that.
fn continues_prose(last: Option<&Head>, line: &Line) -> bool {
    last.is_some_and(|h| h.node.is_none() && line.column > h.from.saturating_add(1))
}

/// The heads passed so far: what a line without a place of its own relates to.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    tree: &'a Tree,
    places: &'a Places,
    /// How many heads have been passed.
    passed: usize,
    /// Old and new columns from the root to the last indented node.
    above: Vec<(u32, u32)>,
}

/// Where a line goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// To a column.
    At(u32),
    /// It keeps its indentation as it is.
    Kept,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(tree: &'a Tree, places: &'a Places) -> Self {
        Self { tree, places, passed: 0, above: Vec::new() }
    }

    /// The place of a line that is not blank. Lines come in order; `mere_text` says of an annotation line that it
    /// holds nothing but text.
    pub(super) fn place(&mut self, at: usize, line: &Line, mere_text: bool) -> Place {
        if let Some((_, head)) = self.places.heads.get(self.passed).filter(|(of, _)| *of == at) {
            self.passed += 1;
            return self.head(head);
        }
        let last = self.passed.checked_sub(1).and_then(|n| self.places.heads.get(n)).map(|(_, h)| *h);
        let Some(last) = last else {
            return Place::At(self.next().unwrap_or(0));
        };
        if last.node.is_none() {
            let annotation = line.class == LineClass::Annotation && !mere_text;
            return shifted(line, &last, if annotation { last.to } else { 0 });
        }
        let step = self.places.step;
        let deeper = last.to.saturating_add(step);
        match line.class {
            LineClass::Continuation => {
                let least = line.node.and_then(|id| self.places.wrapped.get(id.index())).copied();
                Place::At(deeper.saturating_add(line.column.saturating_sub(least.unwrap_or(line.column))))
            }
            LineClass::Annotation if mere_text && line.column <= last.from => {
                Place::At(self.level(line.column))
            }
            LineClass::Annotation => Place::At(deeper),
            LineClass::Comment if line.node.is_some() => {
                Place::At(if line.column >= last.from.saturating_add(2) { deeper } else { last.to })
            }
            LineClass::Comment => {
                // It leads the next line as long as it is less indented than the last one.
                let next = self.next().filter(|n| *n < last.to);
                Place::At(next.unwrap_or_else(|| self.level(line.column)))
            }
            // Less deep it would be read as a root.
            _ => shifted(line, &last, self.root().saturating_add(2)),
        }
    }

    fn head(&mut self, head: &Head) -> Place {
        let Some(node) = head.node.and_then(|id| self.tree.node(id)) else {
            return if head.from == head.to { Place::Kept } else { Place::At(head.to) };
        };
        if !node.flat {
            while self.above.last().is_some_and(|(from, _)| from.saturating_add(1) >= head.from) {
                self.above.pop();
            }
            self.above.push((head.from, head.to));
        }
        Place::At(head.to)
    }

    /// The new column of the next head.
    fn next(&self) -> Option<u32> {
        self.places.heads.get(self.passed).map(|(_, h)| h.to)
    }

    /// The new column of the innermost line above that stands at a column or before it.
    fn level(&self, column: u32) -> u32 {
        let deeper = self.above.partition_point(|(from, _)| *from <= column);
        deeper.checked_sub(1).and_then(|n| self.above.get(n)).map_or(0, |(_, to)| *to)
    }

    /// The new column of the last root.
    fn root(&self) -> u32 {
        self.above.first().map_or(0, |(_, to)| *to)
    }
}

/// As far from the head as before.
fn shifted(line: &Line, head: &Head, least: u32) -> Place {
    let column = (line.column.saturating_add(head.to)).saturating_sub(head.from).max(least);
    if column == line.column && head.node.is_none() { Place::Kept } else { Place::At(column) }
}
