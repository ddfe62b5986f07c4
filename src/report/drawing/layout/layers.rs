//! One level of a drawing in layers: each box gets a layer below all it depends on, and an edge over several layers
//! gets a place of its own in each of them, so that it never runs under a box.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

/// An edge over more layers than this runs in a lane beside the layers.
const LONGEST: usize = 36;
/// So many places for passing edges on one level; longer edges beyond that run in lanes too.
const PLACES: usize = 24_000;

/// Layers up to this width stay whole.
const WIDE: f64 = 3_200.0;

/// Whether a box must stand in the first or last layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pin {
    /// Where the edges lead it.
    Free,
    /// The title of the level: first in the first layer.
    Title,
    /// Where an edge enters the level.
    First,
    /// Where an edge leaves it.
    Last,
}

/// A level: boxes by size (across the layers, along them), and edges between them.
#[derive(Debug, Clone, Default)]
pub(super) struct Level {
    pub(super) size: Vec<(f64, f64)>,
    pub(super) pin: Vec<Pin>,
    pub(super) links: Vec<Link>,
}

/// An edge from an upper to a lower box. INVARIANT: there is no circle of links.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub(super) upper: usize,
    pub(super) lower: usize,
    /// Where it leaves the upper box, from its middle; none where the layout may choose.
    pub(super) upper_at: Option<f64>,
    /// Where it enters the lower one.
    pub(super) lower_at: Option<f64>,
    /// Links of one bundle begin at one point of one box and share their way.
    pub(super) bundle: usize,
}

/// A place in a layer: a box of the level, or where an edge passes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vertex {
    pub(super) layer: usize,
    pub(super) width: f64,
    /// A box of the level: its number is that of the vertex.
    pub(super) real: bool,
}

/// A step of a link from one layer to the next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hop {
    pub(super) upper: usize,
    pub(super) lower: usize,
    /// Known places on the boxes at its ends, from their middles.
    pub(super) upper_at: Option<f64>,
    pub(super) lower_at: Option<f64>,
}

/// How a link goes.
#[derive(Debug, Clone)]
pub(super) enum Way {
    /// Along these hops.
    Hops(Vec<usize>),
    /// Out to the lane of its bundle and back.
    Lane,
}

/// A level with every edge cut into hops.
#[derive(Debug, Clone, Default)]
pub(super) struct Layered {
    pub(super) vertices: Vec<Vertex>,
    pub(super) hops: Vec<Hop>,
    /// One a link.
    pub(super) ways: Vec<Way>,
    pub(super) layers: usize,
}

/// Cuts a level into layers.
pub(super) fn layered(level: &Level) -> Layered {
    let mut layer = assign(level);
    break_rows(level, &mut layer);
    let layers = layer.iter().max().map_or(0, |l| l + 1);
    let mut out = Layered { layers, ..Layered::default() };
    for (size, layer) in level.size.iter().zip(&layer) {
        out.vertices.push(Vertex { layer: *layer, width: size.0, real: true });
    }
    // Short links first: they get their places when not all can have them.
    let mut order: Vec<usize> = (0..level.links.len()).collect();
    let span = |l: &Link| layer[l.lower].saturating_sub(layer[l.upper]);
    order.sort_by_key(|l| span(&level.links[*l]));
    let mut shared: FxHashMap<(usize, usize), usize> = FxHashMap::default();
    let mut known: FxHashMap<(usize, usize, usize), usize> = FxHashMap::default();
    out.ways = vec![Way::Lane; level.links.len()];
    for l in order {
        let link = level.links[l];
        let (from, to) = (layer[link.upper], layer[link.lower]);
        let passing = out.vertices.len() - level.size.len();
        if to <= from || to - from > LONGEST || passing + (to - from - 1) > PLACES {
            continue;
        }
        let mut hops = Vec::with_capacity(to - from);
        let mut at = link.upper;
        for next_layer in from + 1..=to {
            let next = if next_layer == to {
                link.lower
            } else {
                *shared.entry((link.bundle, next_layer)).or_insert_with(|| {
                    out.vertices.push(Vertex { layer: next_layer, width: 0.0, real: false });
                    out.vertices.len() - 1
                })
            };
            // Two links of one bundle into one box stay two, each with its own end.
            let key = (at, next, if next_layer == to { l + 1 } else { 0 });
            let hop = *known.entry(key).or_insert_with(|| {
                out.hops.push(Hop {
                    upper: at,
                    lower: next,
                    upper_at: link.upper_at.filter(|_| next_layer == from + 1),
                    lower_at: link.lower_at.filter(|_| next_layer == to),
                });
                out.hops.len() - 1
            });
            hops.push(hop);
            at = next;
        }
        out.ways[l] = Way::Hops(hops);
    }
    out
}

/// Layers that would be much wider than the whole is high are broken into rows. Neighbours go to different rows, so that
/// the edges of the rows above find their way between them.
fn break_rows(level: &Level, layer: &mut [usize]) {
    let room = |v: usize| (level.size[v].0 + 30.0, level.size[v].1 + 60.0);
    let area: f64 = (0..level.size.len()).map(room).map(|(w, h)| w * h).sum();
    let most = WIDE.max(area.sqrt() * 1.5);
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); layer.iter().max().map_or(0, |l| l + 1)];
    for (v, l) in layer.iter().enumerate() {
        members[*l].push(v);
    }
    let mut added = 0;
    for members in members {
        let wide: f64 = members.iter().map(|v| room(*v).0).sum();
        let free = members.iter().all(|v| level.pin[*v] == Pin::Free);
        let rows = if free { ((wide / most).ceil() as usize).clamp(1, members.len().max(1)) } else { 1 };
        for (at, v) in members.iter().enumerate() {
            layer[*v] += added + at % rows;
        }
        added += rows - 1;
    }
}

/// The layer of each box: below all it depends on, and no further from what it is for than needed.
fn assign(level: &Level) -> Vec<usize> {
    let n = level.size.len();
    let mut below = vec![Vec::new(); n];
    let mut above = vec![Vec::new(); n];
    for link in &level.links {
        below[link.upper].push(link.lower);
        above[link.lower].push(link.upper);
    }
    let pinned = level.pin.iter().any(|p| matches!(p, Pin::Title | Pin::First));
    let floor = |v: usize| match level.pin[v] {
        Pin::Title | Pin::First => 0,
        _ => usize::from(pinned),
    };
    let mut layer: Vec<usize> = (0..n).map(floor).collect();
    let mut waits: Vec<usize> = above.iter().map(Vec::len).collect();
    let mut open: VecDeque<usize> = (0..n).filter(|v| waits[*v] == 0).collect();
    let mut order = Vec::with_capacity(n);
    while let Some(v) = open.pop_front() {
        order.push(v);
        for next in &below[v] {
            layer[*next] = layer[*next].max(layer[v] + 1);
            waits[*next] -= 1;
            if waits[*next] == 0 {
                open.push_back(*next);
            }
        }
    }
    // Down to what it is for, where that makes the edges shorter.
    for v in order.iter().rev().copied() {
        if level.pin[v] != Pin::Free || below[v].is_empty() || above[v].len() >= below[v].len().max(2) {
            continue;
        }
        let lowest = below[v].iter().map(|b| layer[*b]).min().unwrap_or(1).saturating_sub(1);
        layer[v] = layer[v].max(lowest);
    }
    let last = (0..n).filter(|v| level.pin[*v] != Pin::Last).map(|v| layer[v] + 1).max().unwrap_or(0);
    for v in (0..n).filter(|v| level.pin[*v] == Pin::Last) {
        layer[v] = last;
    }
    layer
}
