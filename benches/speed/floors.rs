//! The barest programs that do the work of a workload: what no runner can be faster than.

use std::collections::VecDeque;

/// W3: the additions themselves, over boxed texts.
pub(crate) fn additions(n: usize) -> impl Fn(Vec<Box<str>>) -> Vec<Box<str>> {
    move |numbers| {
        let mut sum: Box<str> = "0".into();
        let mut totals = Vec::with_capacity(n);
        for number in &numbers {
            let (a, b): (i64, i64) = (number.parse().unwrap_or(0), sum.parse().unwrap_or(0));
            sum = (a + b).to_string().into();
            totals.push(sum.clone());
        }
        totals
    }
}

/// The input of [`additions`].
pub(crate) fn numbers(n: usize) -> Vec<Box<str>> {
    (1..=n).map(|i| i.to_string().into()).collect()
}

/// A graph with who waits for whom turned around.
pub(crate) struct Queue {
    followers: Vec<Vec<usize>>,
    waits: Vec<usize>,
}

impl Queue {
    /// From the inputs of each node.
    pub(crate) fn new(inputs: &[Vec<usize>]) -> Self {
        let mut followers = vec![Vec::new(); inputs.len()];
        for (node, inputs) in inputs.iter().enumerate() {
            inputs.iter().for_each(|input| followers[*input].push(node));
        }
        Self { followers, waits: inputs.iter().map(Vec::len).collect() }
    }

    /// W1, W2, W4: every node in an order that respects its inputs, with one value passed along.
    pub(crate) fn run(&self) -> u64 {
        let mut waits = self.waits.clone();
        let mut values = vec![0_u64; waits.len()];
        let mut ready: VecDeque<usize> = (0..waits.len()).filter(|n| waits[*n] == 0).collect();
        let mut last = 0;
        while let Some(node) = ready.pop_front() {
            last = values[node];
            for follower in &self.followers[node] {
                values[*follower] = values[node] + 1;
                waits[*follower] -= 1;
                if waits[*follower] == 0 {
                    ready.push_back(*follower);
                }
            }
        }
        last
    }
}
