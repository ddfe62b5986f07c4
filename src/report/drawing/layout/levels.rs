//! Boxes in boxes: cuts a diagram into levels, has each laid out, and puts them together.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::coordinates::{Placed, place};
use super::layers::{Level, Link, Pin, layered};
use super::order::{Neighbours, order};
use super::{Direction, Point};

/// Between the border of a box and what is inside.
const PADDING: f64 = 14.0;
/// The height of a box's title.
const TITLE: f64 = 18.0;

/// What is to be laid out.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Diagram {
    /// Width and height of each node, the box it stands in, and whether edges meet only the middle of its sides.
    pub(in super::super) nodes: Vec<((f64, f64), Option<usize>, bool)>,
    /// The boxes; one stands before those inside it.
    pub(in super::super) boxes: Vec<Boxed>,
    /// The edges.
    pub(in super::super) lines: Vec<Line>,
}

/// A box around nodes.
#[derive(Debug, Clone)]
pub(in super::super) struct Boxed {
    /// The box around it.
    pub(in super::super) parent: Option<usize>,
    /// How long its title is.
    pub(in super::super) title: f64,
}

/// An edge.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Line {
    pub(in super::super) from: usize,
    pub(in super::super) to: usize,
    /// It runs against the direction of the drawing.
    pub(in super::super) back: bool,
    /// Edges of one source and one style share their way.
    pub(in super::super) style: usize,
}

/// A rectangle.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(in super::super) struct Rect {
    pub(in super::super) x: f64,
    pub(in super::super) y: f64,
    pub(in super::super) w: f64,
    pub(in super::super) h: f64,
}

/// A diagram with all its places.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct LaidOut {
    pub(in super::super) nodes: Vec<Rect>,
    pub(in super::super) boxes: Vec<Rect>,
    /// The way of each line from its source to its target. Between two points it is straight where they differ in
    /// one coordinate, else it swings over to the side.
    pub(in super::super) lines: Vec<Vec<Point>>,
    pub(in super::super) width: f64,
    pub(in super::super) height: f64,
}

/// A link of a level before it is known where the marks of its boxes are.
struct Rough {
    upper: usize,
    lower: usize,
    /// The mark on the border of the upper box where the edge leaves it, as a member of that box's level.
    upper_mark: Option<(usize, usize)>,
    lower_mark: Option<(usize, usize)>,
    bundle: usize,
}

/// What tells links of a level apart: both members, the marks on their borders, the bundle.
type RoughKey = (usize, usize, Option<usize>, Option<usize>, usize);

/// One level while it is put together: the whole drawing or a box.
#[derive(Default)]
struct Container {
    size: Vec<(f64, f64)>,
    pin: Vec<Pin>,
    /// Edges meet these members in the middle only.
    pointed: Vec<bool>,
    rough: Vec<Rough>,
    known: FxHashMap<RoughKey, usize>,
    marks: FxHashMap<(bool, usize), usize>,
}

impl Container {
    fn member(&mut self, size: (f64, f64), pin: Pin, pointed: bool) -> usize {
        self.size.push(size);
        self.pin.push(pin);
        self.pointed.push(pointed);
        self.size.len() - 1
    }

    fn mark(&mut self, enters: bool, bundle: usize) -> usize {
        if let Some(known) = self.marks.get(&(enters, bundle)) {
            return *known;
        }
        let mark = self.member((0.0, 0.0), if enters { Pin::First } else { Pin::Last }, true);
        self.marks.insert((enters, bundle), mark);
        mark
    }

    fn link(&mut self, rough: Rough) -> usize {
        let mark = |m: Option<(usize, usize)>| m.map(|(_, mark)| mark);
        let key = (rough.upper, rough.lower, mark(rough.upper_mark), mark(rough.lower_mark), rough.bundle);
        *self.known.entry(key).or_insert_with(|| {
            self.rough.push(rough);
            self.rough.len() - 1
        })
    }
}

/// An edge on the level of the innermost box around both its ends.
struct Lifted {
    line: usize,
    level: usize,
    from: usize,
    to: usize,
}

struct Levels<'a> {
    diagram: &'a Diagram,
    /// The whole drawing, then one a box.
    containers: Vec<Container>,
    /// Of each level: the level around it, its member there, how deep it is.
    around: Vec<(usize, usize, usize)>,
    /// Of each node: its level, and its member there.
    node: Vec<(usize, usize)>,
    /// Of each line: the links it is made of, from the upper end to the lower.
    pieces: Vec<Vec<(usize, usize)>>,
    /// Of each line: its source is the lower end.
    reversed: Vec<bool>,
}

/// Lays out a diagram.
pub(in super::super) fn lay_out(diagram: &Diagram, direction: Direction) -> LaidOut {
    let mut levels = Levels::new(diagram, direction);
    levels.cut();
    let placed = levels.place(direction);
    levels.put_together(&placed, direction)
}

impl<'a> Levels<'a> {
    fn new(diagram: &'a Diagram, direction: Direction) -> Self {
        let count = diagram.boxes.len() + 1;
        let mut containers: Vec<Container> = Vec::with_capacity(count);
        containers.resize_with(count, Container::default);
        let mut around = vec![(0, 0, 0); count];
        for (b, boxed) in diagram.boxes.iter().enumerate() {
            let parent = boxed.parent.map_or(0, |p| p + 1);
            let member = containers[parent].member((0.0, 0.0), Pin::Free, false);
            around[b + 1] = (parent, member, around[parent].2 + 1);
            if direction == Direction::Down {
                containers[b + 1].member((boxed.title, TITLE), Pin::Title, false);
            }
        }
        let node = diagram
            .nodes
            .iter()
            .map(|(size, parent, pointed)| {
                let level = parent.map_or(0, |p| p + 1);
                let turned = if direction == Direction::Right { (size.1, size.0) } else { *size };
                (level, containers[level].member(turned, Pin::Free, *pointed))
            })
            .collect();
        let lines = diagram.lines.len();
        Self {
            diagram,
            containers,
            around,
            node,
            pieces: vec![Vec::new(); lines],
            reversed: vec![false; lines],
        }
    }

    /// Gives every line its links on every level it crosses.
    fn cut(&mut self) {
        let mut of_level: BTreeMap<usize, Vec<Lifted>> = BTreeMap::new();
        for (line, ends) in self.diagram.lines.iter().enumerate() {
            let (mut a, mut b) = (self.node[ends.from], self.node[ends.to]);
            while a.0 != b.0 {
                let (deep_a, deep_b) = (self.around[a.0].2, self.around[b.0].2);
                let up = |side: (usize, usize)| (self.around[side.0].0, self.around[side.0].1);
                if deep_a >= deep_b {
                    a = up(a);
                }
                if deep_b >= deep_a {
                    b = up(b);
                }
            }
            if a.1 != b.1 {
                of_level.entry(a.0).or_default().push(Lifted { line, level: a.0, from: a.1, to: b.1 });
            }
        }
        let mut bundles: FxHashMap<(usize, usize, bool), usize> = FxHashMap::default();
        for lifted in of_level.into_values() {
            let Some(level) = lifted.first().map(|l| l.level) else { continue };
            let ends: Vec<(usize, usize, bool)> =
                lifted.iter().map(|l| (l.from, l.to, self.diagram.lines[l.line].back)).collect();
            let turned = against(self.containers[level].size.len(), &ends);
            for (lifted, reversed) in lifted.iter().zip(turned) {
                let line = self.diagram.lines[lifted.line];
                self.reversed[lifted.line] = reversed;
                let (upper, lower) = if reversed { (line.to, line.from) } else { (line.from, line.to) };
                let next = bundles.len();
                // Edges that run backwards share their way by where they end, which is their upper end.
                let bundle = *bundles.entry((upper, line.style, reversed)).or_insert(next);
                self.pieces_of(lifted, upper, lower, bundle);
            }
        }
    }

    fn pieces_of(&mut self, lifted: &Lifted, upper: usize, lower: usize, bundle: usize) {
        let mut pieces = Vec::new();
        // Out of the boxes around the upper end.
        let (mut level, mut member) = self.node[upper];
        let mut upper_mark = None;
        while level != lifted.level {
            let mark = self.containers[level].mark(false, bundle);
            let rough = Rough { upper: member, lower: mark, upper_mark, lower_mark: None, bundle };
            pieces.push((level, self.containers[level].link(rough)));
            upper_mark = Some((level, mark));
            (level, member) = (self.around[level].0, self.around[level].1);
        }
        let upper_member = member;
        // And into those around the lower end, from the inside out.
        let (mut level, mut member) = self.node[lower];
        let mut lower_mark = None;
        let mut inward = Vec::new();
        while level != lifted.level {
            let mark = self.containers[level].mark(true, bundle);
            let rough = Rough { upper: mark, lower: member, upper_mark: None, lower_mark, bundle };
            inward.push((level, self.containers[level].link(rough)));
            lower_mark = Some((level, mark));
            (level, member) = (self.around[level].0, self.around[level].1);
        }
        let rough = Rough { upper: upper_member, lower: member, upper_mark, lower_mark, bundle };
        pieces.push((lifted.level, self.containers[lifted.level].link(rough)));
        pieces.extend(inward.into_iter().rev());
        self.pieces[lifted.line] = pieces;
    }

    /// Lays out every level, those inside before those around them.
    fn place(&mut self, direction: Direction) -> Vec<Placed> {
        let mut placed: Vec<Placed> = vec![Placed::default(); self.containers.len()];
        for level in (0..self.containers.len()).rev() {
            let container = &self.containers[level];
            let mut flat =
                Level { size: container.size.clone(), pin: container.pin.clone(), links: Vec::new() };
            let at = |member: usize, mark: Option<(usize, usize)>, size: &[(f64, f64)]| match mark {
                Some((inner, mark)) => {
                    let inside: &Placed = &placed[inner];
                    inside.at.get(mark).map(|p| p.x - size[member].0 / 2.0)
                }
                None => container.pointed[member].then_some(0.0),
            };
            for rough in &container.rough {
                flat.links.push(Link {
                    upper: rough.upper,
                    lower: rough.lower,
                    upper_at: at(rough.upper, rough.upper_mark, &flat.size),
                    lower_at: at(rough.lower, rough.lower_mark, &flat.size),
                    bundle: rough.bundle,
                });
            }
            let layers = layered(&flat);
            let fixed: Vec<bool> = flat.pin.iter().map(|p| *p == Pin::Title).collect();
            let near = Neighbours::new(&layers);
            let rows = order(&layers, &near, &fixed);
            let mut done = place(&flat, &layers, &rows);
            if level > 0 {
                self.pad(&mut done, level, direction);
                let (around, member, _) = self.around[level];
                self.containers[around].size[member] = (done.width, done.height);
            }
            placed[level] = done;
        }
        placed
    }

    /// Adds the room between a box's border and what is inside.
    fn pad(&self, done: &mut Placed, level: usize, direction: Direction) {
        let title = self.diagram.boxes.get(level - 1).map_or(0.0, |b| b.title);
        // Across the layers the title of a drawing to the right stands before all else.
        let (x, y) = match direction {
            Direction::Down => (PADDING, PADDING / 2.0),
            Direction::Right => (PADDING + TITLE, PADDING),
        };
        let moved = |p: &mut Point| (p.x, p.y) = (p.x + x, p.y + y);
        done.at.iter_mut().for_each(moved);
        done.ways.iter_mut().flatten().for_each(moved);
        done.width += x + PADDING;
        done.height += y + PADDING;
        if direction == Direction::Right {
            done.height = done.height.max(title + 2.0 * PADDING);
        }
    }

    fn put_together(&self, placed: &[Placed], direction: Direction) -> LaidOut {
        let mut origin = vec![Point { x: 0.0, y: 0.0 }; placed.len()];
        let mut out = LaidOut { width: placed[0].width, height: placed[0].height, ..LaidOut::default() };
        for level in 1..placed.len() {
            let (around, member, _) = self.around[level];
            let (base, at) = (origin[around], placed[around].at[member]);
            origin[level] = Point { x: base.x + at.x, y: base.y + at.y };
            let (w, h) = self.containers[around].size[member];
            out.boxes.push(Rect { x: origin[level].x, y: origin[level].y, w, h });
        }
        for (level, member) in &self.node {
            let (base, at) = (origin[*level], placed[*level].at[*member]);
            let (w, h) = self.containers[*level].size[*member];
            out.nodes.push(Rect { x: base.x + at.x, y: base.y + at.y, w, h });
        }
        for (line, pieces) in self.pieces.iter().enumerate() {
            let mut points: Vec<Point> = Vec::new();
            for (level, link) in pieces {
                let base = origin[*level];
                let way = placed[*level].ways.get(*link).into_iter().flatten();
                points.extend(way.map(|p| Point { x: base.x + p.x, y: base.y + p.y }));
            }
            simplify(&mut points);
            if self.reversed[line] {
                points.reverse();
            }
            out.lines.push(points);
        }
        if direction == Direction::Right {
            let turn = |r: &mut Rect| *r = Rect { x: r.y, y: r.x, w: r.h, h: r.w };
            out.nodes.iter_mut().chain(&mut out.boxes).for_each(turn);
            out.lines.iter_mut().flatten().for_each(|p| (p.x, p.y) = (p.y, p.x));
            (out.width, out.height) = (out.height, out.width);
        }
        out
    }
}

/// Drops points in the middle of a straight piece.
fn simplify(points: &mut Vec<Point>) {
    let near = |a: f64, b: f64| (a - b).abs() < 0.05;
    let mut kept: Vec<Point> = Vec::with_capacity(points.len());
    for p in points.drain(..) {
        if kept.last().is_some_and(|l| near(l.x, p.x) && near(l.y, p.y)) {
            continue;
        }
        if let [.., a, b] = kept.as_slice()
            && near(a.x, b.x)
            && near(b.x, p.x)
        {
            kept.pop();
        }
        kept.push(p);
    }
    *points = kept;
}

/// Which edges run against the direction of a level, so that without them there is no circle: those that are known to,
/// and as few others as a walk in order finds.
fn against(members: usize, ends: &[(usize, usize, bool)]) -> Vec<bool> {
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); members];
    let mut has_above = vec![false; members];
    for (e, (from, to, back)) in ends.iter().enumerate() {
        if !back {
            next[*from].push(e);
            has_above[*to] = true;
        }
    }
    let mut against = vec![false; ends.len()];
    // 0 not seen, 1 on the way, 2 done.
    let mut state = vec![0u8; members];
    // The reverse of the order in which members are done is an order of the level.
    let mut rank = vec![0; members];
    let mut done = 0;
    let roots = (0..members).filter(|m| !has_above[*m]).chain(0..members);
    for root in roots {
        if state[root] != 0 {
            continue;
        }
        state[root] = 1;
        let mut open = vec![(root, 0)];
        while let Some((at, tried)) = open.last_mut() {
            match next[*at].get(*tried) {
                Some(e) => {
                    *tried += 1;
                    let to = ends[*e].1;
                    match state[to] {
                        0 => {
                            state[to] = 1;
                            open.push((to, 0));
                        }
                        1 => against[*e] = true,
                        _ => {}
                    }
                }
                None => {
                    state[*at] = 2;
                    done += 1;
                    rank[*at] = members - done;
                    open.pop();
                }
            }
        }
    }
    for (e, (from, to, back)) in ends.iter().enumerate() {
        if *back {
            against[e] = rank[*from] > rank[*to];
        }
    }
    against
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_is_opened_once() {
        assert_eq!(against(3, &[(0, 1, false), (1, 2, false), (2, 0, false)]), [false, false, true]);
        // What is known to run back does, and nothing else.
        assert_eq!(against(3, &[(0, 1, false), (1, 2, true), (2, 0, false)]), [false, true, false]);
    }
}
