//! The barest programs that do the work of a workload: what no runner can be faster than.

use std::collections::VecDeque;

use num_bigint::BigUint;
use pest::Parser;

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

/// W6: the project's grammar, called on each line as often as it must be at least.
#[derive(pest_derive::Parser)]
#[grammar = "../grammar/normcode.pest"]
struct Grammar;

/// Reads the start and the concept of every line and forgets them; gives the number of lines that fit.
pub(crate) fn grammar(lines: &[Line<'_>]) -> usize {
    let fits = |line: &&Line<'_>| {
        let rule = if line.marker == "<=" { Rule::functional } else { Rule::valueline };
        Grammar::parse(Rule::line_head, line.text).is_ok() && Grammar::parse(rule, line.concept).is_ok()
    };
    lines.iter().filter(|l| !l.concept.is_empty()).filter(fits).count()
}

/// A line as cut by hand.
pub(crate) struct Line<'a> {
    text: &'a str,
    marker: &'a str,
    concept: &'a str,
    #[expect(dead_code, reason = "nobody asks for it, but finding it is part of the work")]
    annotation: &'a str,
    #[expect(dead_code, reason = "nobody asks for it, but finding it is part of the work")]
    parent: Option<usize>,
}

/// W6: lines with their indentation, marker, concept, annotation and parent.
pub(crate) fn line_tree(source: &str) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut open: Vec<(usize, usize)> = Vec::new();
    for text in source.lines() {
        let bare = text.trim_start();
        let indent = text.len() - bare.len();
        while open.last().is_some_and(|(other, _)| *other >= indent) {
            open.pop();
        }
        let (left, annotation) =
            bare.split_once(" | ").or_else(|| bare.split_once('|')).unwrap_or((bare, ""));
        let marker = left.get(..2).filter(|m| matches!(*m, "<=" | "<-" | "<*")).unwrap_or_default();
        let concept = left.get(marker.len()..).unwrap_or_default().trim();
        let parent = open.last().map(|(_, line)| *line);
        open.push((indent, lines.len()));
        lines.push(Line { text: bare, marker, concept, annotation, parent });
    }
    lines
}

/// W7: the digits of a sum as on paper, the last one first, with numbers of any size.
pub(crate) fn addition(numbers: &[String; 2]) -> Vec<u8> {
    let mut left: Vec<BigUint> = numbers.iter().map(|n| n.parse().unwrap_or_default()).collect();
    let mut digits = Vec::new();
    let mut carry = 0_u8;
    while carry > 0 || left.iter().any(|n| *n != BigUint::ZERO) {
        let mut sum = carry;
        for number in &mut left {
            sum += u8::try_from(&*number % 10_u8).unwrap_or_default();
            *number /= 10_u8;
        }
        digits.push(sum % 10);
        carry = sum / 10;
    }
    digits
}
