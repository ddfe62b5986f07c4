//! Where the boxes and edges of one level stand, once layers and order are known. Every row is placed so that its
//! boxes are as near as they can be to where their neighbours want them, without touching.

use rustc_hash::FxHashMap;

use super::Point;
use super::layers::{Layered, Level, Pin, Way};

/// Between boxes of a layer.
const BETWEEN_BOXES: f64 = 26.0;
/// Between a box and an edge that passes.
const BESIDE_EDGE: f64 = 18.0;
/// Between edges that pass.
const BETWEEN_EDGES: f64 = 10.0;
/// Between layers, for edges that go straight down.
const BETWEEN_LAYERS: f64 = 30.0;
/// The same before and after a layer of marks only.
const BESIDE_MARKS: f64 = 12.0;
/// What edges that go far to the side add to it.
const SLANT: f64 = 0.14;
const MOST_SLANT: f64 = 76.0;
/// Between lanes beside the layers.
const LANE: f64 = 9.0;
/// The nearest two edges come on the border of a box.
const ON_BORDER: f64 = 15.0;
/// The part of a border near the corners that edges leave free.
const CORNER: f64 = 14.0;

/// A level with all its places.
#[derive(Debug, Clone, Default)]
pub(super) struct Placed {
    /// Left and upper side of each box.
    pub(super) at: Vec<Point>,
    /// The way of each link, from its upper to its lower end.
    pub(super) ways: Vec<Vec<Point>>,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// What a vertex is drawn to: a neighbour, how far beside it, how strongly.
type Pull = (usize, f64, f64);

/// Places a level.
pub(super) fn place(level: &Level, layered: &Layered, rows: &[Vec<usize>]) -> Placed {
    let middle = middles(level, layered, rows);
    let ends = Ends::new(level, layered, &middle);
    let heights: Vec<f64> = rows
        .iter()
        .map(|row| row.iter().filter_map(|v| level.size.get(*v)).map(|s| s.1).fold(0.0, f64::max))
        .collect();
    let gaps = gaps(level, layered, &middle, &ends, &heights);
    let mut tops = Vec::with_capacity(rows.len());
    let mut y = 0.0;
    for (height, gap) in heights.iter().zip(&gaps) {
        tops.push(y);
        y += height + gap;
    }
    let right = |v: usize| middle[v] + layered.vertices[v].width / 2.0;
    let mut placed = Placed {
        width: (0..layered.vertices.len()).map(right).fold(0.0, f64::max),
        height: tops.last().zip(heights.last()).map_or(0.0, |(t, h)| t + h),
        ..Placed::default()
    };
    let mut hangs = vec![(false, false); level.size.len()];
    for link in &level.links {
        hangs[link.upper].1 = true;
        hangs[link.lower].0 = true;
    }
    for (v, size) in level.size.iter().enumerate() {
        let layer = layered.vertices[v].layer;
        let room = heights[layer] - size.1;
        let down = match hangs[v] {
            (true, false) => 0.0,
            (false, true) => room,
            _ => room / 2.0,
        };
        placed.at.push(Point { x: middle[v] - size.0 / 2.0, y: tops[layer] + down });
    }
    let frame = Rows { tops: &tops, heights: &heights, gaps: &gaps };
    let lanes = lanes(level, layered);
    if let Some(last) = lanes.values().max() {
        placed.width += BESIDE_EDGE * 2.0 + LANE * (*last as f64);
    }
    let first_lane = placed.width - lanes.values().max().map_or(0.0, |l| LANE * (*l as f64));
    for l in 0..level.links.len() {
        let lane = |bundle| first_lane + LANE * lanes.get(&bundle).copied().unwrap_or_default() as f64;
        placed.ways.push(way(l, level, layered, &middle, &ends, &frame, &placed.at, lane));
    }
    placed
}

struct Rows<'a> {
    tops: &'a [f64],
    heights: &'a [f64],
    gaps: &'a [f64],
}

/// One lane a bundle; lanes whose bundles do not meet are one.
fn lanes(level: &Level, layered: &Layered) -> FxHashMap<usize, usize> {
    let mut spans: FxHashMap<usize, (usize, usize)> = FxHashMap::default();
    for (link, way) in level.links.iter().zip(&layered.ways) {
        if matches!(way, Way::Lane) {
            let (from, to) = (layered.vertices[link.upper].layer, layered.vertices[link.lower].layer);
            let span = spans.entry(link.bundle).or_insert((from, to));
            *span = (span.0.min(from), span.1.max(to));
        }
    }
    let mut spans: Vec<(usize, (usize, usize))> = spans.into_iter().collect();
    spans.sort_unstable_by_key(|(bundle, span)| (span.0, span.1, *bundle));
    // Where each lane is free again, the earliest first.
    let mut free: std::collections::BTreeSet<(usize, usize)> = std::collections::BTreeSet::new();
    let mut lanes = FxHashMap::default();
    let mut count = 0;
    for (bundle, (from, to)) in spans {
        let reused = free.first().copied().filter(|(until, _)| *until < from);
        let lane = match reused {
            Some(entry) => {
                free.remove(&entry);
                entry.1
            }
            None => {
                count += 1;
                count - 1
            }
        };
        free.insert((to, lane));
        lanes.insert(bundle, lane);
    }
    lanes
}

#[expect(clippy::too_many_arguments, reason = "one call, and each is a table of the level")]
fn way(
    l: usize,
    level: &Level,
    layered: &Layered,
    middle: &[f64],
    ends: &Ends,
    rows: &Rows,
    at: &[Point],
    lane: impl Fn(usize) -> f64,
) -> Vec<Point> {
    let link = level.links[l];
    let (from, to) = (layered.vertices[link.upper].layer, layered.vertices[link.lower].layer);
    let start = middle[link.upper] + ends.upper(level, l);
    let end = middle[link.lower] + ends.lower[l];
    let bottom = |layer: usize| rows.tops[layer] + rows.heights[layer];
    let mut points = vec![
        Point { x: start, y: at[link.upper].y + level.size[link.upper].1 },
        Point { x: start, y: bottom(from) },
    ];
    match &layered.ways[l] {
        Way::Hops(hops) => {
            for hop in hops.iter().take(hops.len().saturating_sub(1)) {
                let v = layered.hops[*hop].lower;
                let layer = layered.vertices[v].layer;
                points.push(Point { x: middle[v], y: rows.tops[layer] });
                points.push(Point { x: middle[v], y: bottom(layer) });
            }
        }
        Way::Lane => {
            let x = lane(link.bundle);
            points.push(Point { x, y: bottom(from) + rows.gaps[from] });
            points.push(Point { x, y: rows.tops[to] - rows.gaps[to.saturating_sub(1)] });
        }
    }
    points.push(Point { x: end, y: rows.tops[to] });
    points.push(Point { x: end, y: at[link.lower].y });
    points
}

/// Where edges meet the boxes, from their middles.
struct Ends {
    /// By upper box and bundle.
    upper: FxHashMap<(usize, usize), f64>,
    /// By link.
    lower: Vec<f64>,
}

impl Ends {
    fn upper(&self, level: &Level, l: usize) -> f64 {
        let link = level.links[l];
        link.upper_at.or_else(|| self.upper.get(&(link.upper, link.bundle)).copied()).unwrap_or(0.0)
    }

    fn new(level: &Level, layered: &Layered, middle: &[f64]) -> Self {
        let n = level.size.len();
        // What leaves and enters each box, with where it goes and comes from.
        let mut leaves: Vec<Vec<(f64, usize)>> = vec![Vec::new(); n];
        let mut enters: Vec<Vec<(f64, usize)>> = vec![Vec::new(); n];
        for (l, link) in level.links.iter().enumerate() {
            let (first, last) = match &layered.ways[l] {
                Way::Hops(hops) => (hops.first(), hops.last()),
                Way::Lane => (None, None),
            };
            if link.upper_at.is_none() {
                let x = first.map_or(f64::INFINITY, |h| middle[layered.hops[*h].lower]);
                leaves[link.upper].push((x, link.bundle));
            }
            if link.lower_at.is_none() {
                let x = last.map_or(f64::INFINITY, |h| middle[layered.hops[*h].upper]);
                enters[link.lower].push((x, l));
            }
        }
        let mut upper = FxHashMap::default();
        let mut lower: Vec<f64> = level.links.iter().map(|l| l.lower_at.unwrap_or(0.0)).collect();
        for v in 0..n {
            // A bundle leaves once, where the first of its edges in order wants to.
            let mut list = std::mem::take(&mut leaves[v]);
            list.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let mut bundles: Vec<usize> = Vec::new();
            let mut seen = rustc_hash::FxHashSet::default();
            bundles.extend(list.iter().map(|(_, b)| *b).filter(|b| seen.insert(*b)));
            let spots = spread(bundles.len(), level.size[v].0);
            upper.extend(bundles.into_iter().zip(spots).map(|(b, at)| ((v, b), at)));
            let mut list = std::mem::take(&mut enters[v]);
            list.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let spots = spread(list.len(), level.size[v].0);
            for ((_, l), at) in list.into_iter().zip(spots) {
                lower[l] = at;
            }
        }
        Self { upper, lower }
    }
}

/// Places for `count` edges on a border, from its middle.
fn spread(count: usize, width: f64) -> impl Iterator<Item = f64> {
    let room = (width - 2.0 * CORNER).max(0.0);
    let step = if count > 1 { (room / (count - 1) as f64).min(ON_BORDER) } else { 0.0 };
    (0..count).map(move |i| (i as f64 - (count.max(1) - 1) as f64 / 2.0) * step)
}

/// The room below each layer: more where edges go far to the side.
fn gaps(level: &Level, layered: &Layered, middle: &[f64], ends: &Ends, heights: &[f64]) -> Vec<f64> {
    let mut far = vec![0.0f64; heights.len()];
    for hop in &layered.hops {
        let layer = layered.vertices[hop.upper].layer;
        let (from, to) = (middle[hop.upper], middle[hop.lower]);
        far[layer] =
            far[layer].max((from - to + hop.upper_at.unwrap_or(0.0) - hop.lower_at.unwrap_or(0.0)).abs());
    }
    for (l, link) in level.links.iter().enumerate() {
        if matches!(layered.ways[l], Way::Lane) {
            let (from, to) = (layered.vertices[link.upper].layer, layered.vertices[link.lower].layer);
            far[from] = f64::INFINITY;
            far[to.saturating_sub(1)] = f64::INFINITY;
        } else {
            let layer = layered.vertices[link.upper].layer;
            far[layer] = far[layer].max(ends.upper(level, l).abs());
        }
    }
    let marks = |l: usize| heights.get(l).is_none_or(|h| *h == 0.0);
    (0..heights.len())
        .map(|l| {
            let least = if marks(l) || marks(l + 1) { BESIDE_MARKS } else { BETWEEN_LAYERS };
            least + (far[l] * SLANT).min(MOST_SLANT)
        })
        .collect()
}

/// The middle of every vertex, across the layers.
fn middles(level: &Level, layered: &Layered, rows: &[Vec<usize>]) -> Vec<f64> {
    let n = layered.vertices.len();
    let real = |v: usize| layered.vertices[v].real;
    let (mut above, mut below): (Vec<Vec<Pull>>, Vec<Vec<Pull>>) = (vec![Vec::new(); n], vec![Vec::new(); n]);
    for hop in &layered.hops {
        // Long edges should be straight more than short ones.
        let weight = match (real(hop.upper), real(hop.lower)) {
            (false, false) => 8.0,
            (true, true) => 1.0,
            _ => 2.0,
        };
        let aside = hop.upper_at.unwrap_or(0.0) - hop.lower_at.unwrap_or(0.0);
        above[hop.lower].push((hop.upper, aside, weight));
        below[hop.upper].push((hop.lower, -aside, weight));
    }
    let is_box = |v: usize| layered.vertices[v].width > 0.0;
    let gap = |a: usize, b: usize| {
        let between = match (is_box(a), is_box(b)) {
            (true, true) => BETWEEN_BOXES,
            (false, false) => BETWEEN_EDGES,
            _ => BESIDE_EDGE,
        };
        between + (layered.vertices[a].width + layered.vertices[b].width) / 2.0
    };
    let mut middle = vec![0.0; n];
    for row in rows {
        let mut x = 0.0;
        for (at, v) in row.iter().enumerate() {
            x += if at == 0 { layered.vertices[*v].width / 2.0 } else { gap(row[at - 1], *v) };
            middle[*v] = x;
        }
    }
    let title = (0..level.pin.len()).find(|v| level.pin[*v] == Pin::Title);
    let rounds = if n > 8_000 { 8 } else { 24 };
    for round in 0..rounds {
        let both = round + 6 >= rounds;
        let down = round % 2 == 0;
        for step in 0..rows.len() {
            let row = &rows[if down { step } else { rows.len() - 1 - step }];
            let wanted: Vec<(f64, f64)> = row
                .iter()
                .map(|v| {
                    let (near, far) = if down { (&above[*v], &below[*v]) } else { (&below[*v], &above[*v]) };
                    let mut pulls: Vec<&Pull> = near.iter().collect();
                    if both || pulls.is_empty() {
                        pulls.extend(far);
                    }
                    wish(*v, &pulls, &middle)
                })
                .collect();
            settle(row, &wanted, gap, &mut middle);
        }
        if let Some(title) = title {
            // The title keeps to the left of all there is.
            let left = (0..n).filter(|v| *v != title).map(|v| middle[v] - layered.vertices[v].width / 2.0);
            let left = left.fold(f64::INFINITY, f64::min);
            let row = rows.first().map(Vec::as_slice).unwrap_or_default();
            let next = row.iter().position(|v| *v == title).and_then(|at| row.get(at + 1));
            let room = next.map_or(f64::INFINITY, |next| middle[*next] - gap(title, *next));
            if left.is_finite() {
                middle[title] = (left + layered.vertices[title].width / 2.0).min(room);
            }
        }
    }
    let left = (0..n).map(|v| middle[v] - layered.vertices[v].width / 2.0).fold(f64::INFINITY, f64::min);
    if left.is_finite() {
        middle.iter_mut().for_each(|x| *x -= left);
    }
    middle
}

/// Where a vertex would stand if it were alone, and how much it matters.
fn wish(v: usize, pulls: &[&Pull], middle: &[f64]) -> (f64, f64) {
    let (mut sum, mut weight) = (0.0, 0.0);
    for (other, aside, strength) in pulls {
        sum += (middle[*other] + aside) * strength;
        weight += strength;
    }
    if weight > 0.0 { (sum / weight, weight) } else { (middle[v], 0.1) }
}

/// Puts a row as near to its wishes as the gaps allow: of all orders-keeping rows the one with the least squares.
/// Vertices that push each other become one block that stands at their mean.
fn settle(row: &[usize], wanted: &[(f64, f64)], gap: impl Fn(usize, usize) -> f64, middle: &mut [f64]) {
    let mut offset = 0.0;
    let mut offsets = Vec::with_capacity(row.len());
    // Each block: its place, its weight, how many it holds.
    let mut blocks: Vec<(f64, f64, usize)> = Vec::with_capacity(row.len());
    for (at, v) in row.iter().enumerate() {
        if at > 0 {
            offset += gap(row[at - 1], *v);
        }
        offsets.push(offset);
        let (place, weight) = wanted[at];
        let mut block = (place - offset, weight, 1);
        while let Some(last) = blocks.last().copied().filter(|last| last.0 > block.0) {
            blocks.pop();
            let weight = last.1 + block.1;
            block = ((last.0 * last.1 + block.0 * block.1) / weight, weight, last.2 + block.2);
        }
        blocks.push(block);
    }
    let mut at = 0;
    for (place, _, count) in blocks {
        for _ in 0..count {
            middle[row[at]] = place + offsets[at];
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_border_has_room_for_all() {
        assert_eq!(spread(1, 10.0).collect::<Vec<_>>(), [0.0]);
        assert_eq!(spread(3, 1000.0).collect::<Vec<_>>(), [-15.0, 0.0, 15.0]);
        assert!(spread(100, 80.0).all(|x| x.abs() <= 26.0 + 1e-9));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_settled_row_keeps_its_gaps(wishes in prop::collection::vec((-100.0..100.0f64, 0.1..9.0f64), 0..20)) {
            let row: Vec<usize> = (0..wishes.len()).collect();
            let mut middle = vec![0.0; row.len()];
            settle(&row, &wishes, |_, _| 10.0, &mut middle);
            for pair in middle.windows(2) {
                prop_assert!(pair[1] - pair[0] >= 10.0 - 1e-6, "{middle:?}");
            }
        }
    }
}
