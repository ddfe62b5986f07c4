//! The order within each layer: sweeps up and down put every box near the middle of its neighbours, and the order
//! with the fewest crossings is kept.

use super::layers::Layered;

/// Beyond this many hops fewer sweeps must do.
const MANY: usize = 4_000;
/// Neighbours are exchanged one by one only in levels of up to this many places.
const FINE: usize = 3_000;

/// For every vertex its neighbours in the layer above and below.
pub(super) struct Neighbours {
    pub(super) above: Vec<Vec<(usize, f64)>>,
    pub(super) below: Vec<Vec<(usize, f64)>>,
}

impl Neighbours {
    /// With each neighbour comes where the hop meets it, from its middle.
    pub(super) fn new(layered: &Layered) -> Self {
        let n = layered.vertices.len();
        let (mut above, mut below) = (vec![Vec::new(); n], vec![Vec::new(); n]);
        for hop in &layered.hops {
            above[hop.lower].push((hop.upper, hop.upper_at.unwrap_or(0.0)));
            below[hop.upper].push((hop.lower, hop.lower_at.unwrap_or(0.0)));
        }
        Self { above, below }
    }
}

/// The vertices of each layer from one side to the other. The first `first` stay where they are.
pub(super) fn order(layered: &Layered, near: &Neighbours, fixed: &[bool]) -> Vec<Vec<usize>> {
    let mut rows = first_order(layered, near, fixed);
    let mut best = rows.clone();
    let mut best_crossings = crossings(layered, near, &rows);
    let sweeps = if layered.hops.len() > MANY { 6 } else { 20 };
    let fine = layered.vertices.len() <= FINE;
    let mut position = positions(layered, &rows);
    for sweep in 0..sweeps {
        if best_crossings == 0 {
            break;
        }
        let down = sweep % 2 == 0;
        let count = rows.len();
        for step in 1..count {
            let at = if down { step } else { count - 1 - step };
            let neighbours = if down { &near.above } else { &near.below };
            sort_row(&mut rows[at], neighbours, layered, &mut position, fixed);
        }
        if fine {
            exchange(&mut rows, near, layered, &mut position, fixed);
        }
        let now = crossings(layered, near, &rows);
        if now < best_crossings {
            best_crossings = now;
            best.clone_from(&rows);
        }
    }
    // Once more from the top, now with what passes in the middle of its neighbours.
    let mut centred = best.clone();
    let mut position = positions(layered, &centred);
    for row in &mut centred {
        if row.iter().any(|v| !near.above[*v].is_empty()) {
            sort_row(row, &near.above, layered, &mut position, fixed);
        }
        centre(row, near, layered);
        place(row, &mut position);
    }
    if crossings(layered, near, &centred) <= best_crossings { centred } else { best }
}

/// Puts edges that pass in the middle of those that stand beside them for the same neighbour above, so that what comes
/// below them comes below the others too.
fn centre(row: &mut [usize], near: &Neighbours, layered: &Layered) {
    let only = |v: usize| match near.above[v].as_slice() {
        [(above, _)] => Some(*above),
        _ => None,
    };
    for group in row.chunk_by_mut(|a, b| only(*a).is_some() && only(*a) == only(*b)) {
        let (mut boxes, passing): (Vec<usize>, Vec<usize>) =
            group.iter().partition(|v| layered.vertices[**v].real);
        let middle = boxes.len() / 2;
        boxes.splice(middle..middle, passing);
        group.copy_from_slice(&boxes);
    }
}

/// Depth first from the top, so that what belongs together begins side by side.
fn first_order(layered: &Layered, near: &Neighbours, fixed: &[bool]) -> Vec<Vec<usize>> {
    let mut rows = vec![Vec::new(); layered.layers];
    let mut seen = vec![false; layered.vertices.len()];
    let fixed_first = (0..fixed.len()).filter(|v| fixed[*v]);
    let roots = (0..layered.vertices.len()).filter(|v| near.above[*v].is_empty());
    let mut open: Vec<usize> = fixed_first.chain(roots).collect();
    open.reverse();
    while let Some(v) = open.pop() {
        if std::mem::replace(&mut seen[v], true) {
            continue;
        }
        rows[layered.vertices[v].layer].push(v);
        open.extend(near.below[v].iter().rev().map(|(b, _)| *b));
    }
    rows
}

/// Where each vertex is in its row, and the row's length, for marks within a wide box.
fn positions(layered: &Layered, rows: &[Vec<usize>]) -> Vec<f64> {
    let mut position = vec![0.0; layered.vertices.len()];
    for row in rows {
        place(row, &mut position);
    }
    position
}

fn place(row: &[usize], position: &mut [f64]) {
    for (at, v) in row.iter().enumerate() {
        position[*v] = at as f64;
    }
}

/// A place on a vertex as a position in its row: a fraction of one step to either side.
fn point(layered: &Layered, position: &[f64], v: usize, at: f64) -> f64 {
    let width = layered.vertices[v].width.max(1.0);
    position[v] + (at / width).clamp(-0.49, 0.49)
}

fn sort_row(
    row: &mut [usize],
    neighbours: &[Vec<(usize, f64)>],
    layered: &Layered,
    position: &mut [f64],
    fixed: &[bool],
) {
    let mut keyed: Vec<(f64, usize)> = row
        .iter()
        .map(|v| {
            let near = &neighbours[*v];
            let key = if fixed.get(*v) == Some(&true) {
                f64::NEG_INFINITY
            } else if near.is_empty() {
                position[*v]
            } else {
                near.iter().map(|(u, at)| point(layered, position, *u, *at)).sum::<f64>() / near.len() as f64
            };
            (key, *v)
        })
        .collect();
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (slot, (_, v)) in row.iter_mut().zip(&keyed) {
        *slot = *v;
    }
    place(row, position);
}

/// Exchanges two that stand side by side wherever that has fewer crossings.
fn exchange(
    rows: &mut [Vec<usize>],
    near: &Neighbours,
    layered: &Layered,
    position: &mut [f64],
    fixed: &[bool],
) {
    for row in rows.iter_mut() {
        for at in 1..row.len() {
            let (a, b) = (row[at - 1], row[at]);
            if fixed.get(a) == Some(&true) {
                continue;
            }
            let mut gain = 0i64;
            for side in [&near.above, &near.below] {
                let spots = |v: usize| {
                    let mut all: Vec<f64> =
                        side[v].iter().map(|(u, at)| point(layered, position, *u, *at)).collect();
                    all.sort_by(f64::total_cmp);
                    all
                };
                let (of_a, of_b) = (spots(a), spots(b));
                gain += pairs_over(&of_a, &of_b) - pairs_over(&of_b, &of_a);
            }
            if gain > 0 {
                row.swap(at - 1, at);
                position.swap(a, b);
            }
        }
    }
}

/// How many pairs have the first greater than the second, of sorted lists.
fn pairs_over(first: &[f64], second: &[f64]) -> i64 {
    let mut under = 0;
    let mut count = 0i64;
    for a in first {
        while second.get(under).is_some_and(|b| b < a) {
            under += 1;
        }
        count += under as i64;
    }
    count
}

/// The number of crossings between all layers, counted with a tree of sums.
fn crossings(layered: &Layered, near: &Neighbours, rows: &[Vec<usize>]) -> u64 {
    let position = positions(layered, rows);
    let mut total = 0;
    for row in rows {
        let mut ends: Vec<(f64, f64)> = Vec::new();
        for v in row {
            for (lower, at) in &near.below[*v] {
                ends.push((position[*v], point(layered, &position, *lower, *at)));
            }
        }
        ends.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        total += inversions(&ends.iter().map(|e| e.1).collect::<Vec<_>>());
    }
    total
}

fn inversions(values: &[f64]) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    let mut tree = vec![0u64; sorted.len() + 1];
    let mut count = 0;
    for (seen, value) in (0u64..).zip(values) {
        let rank = sorted.partition_point(|v| v <= value);
        let (mut at, mut not_over) = (rank, 0);
        while at > 0 {
            not_over += tree[at];
            at &= at - 1;
        }
        count += seen - not_over;
        let mut at = rank;
        while at < tree.len() {
            tree[at] += 1;
            at += at & at.wrapping_neg();
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inversions_are_pairs_out_of_order() {
        assert_eq!(inversions(&[1.0, 2.0, 2.0, 3.0]), 0);
        assert_eq!(inversions(&[3.0, 1.0, 2.0, 1.0]), 4);
        assert_eq!(inversions(&[]), 0);
    }

    #[test]
    fn pairs_are_counted_without_equals() {
        assert_eq!(pairs_over(&[1.0, 5.0], &[1.0, 2.0]), 2);
        assert_eq!(pairs_over(&[], &[1.0]), 0);
    }
}
