//! A picture in the DOT language, for tools that lay graphs out themselves.

use std::fmt::Write;

use super::layout::Direction;
use super::picture::{Edge, EdgeKind, Node, Picture, Shape};
use super::text::{cut, shown, wrap};

const TEXT: f64 = 12.0;
const WIDEST: f64 = 210.0;

/// Writes a picture as a `digraph`.
pub fn dot(picture: &Picture, direction: Direction) -> String {
    let mut out = String::from("digraph plan {\n");
    let rank = if direction == Direction::Right { "LR" } else { "TB" };
    let _ = writeln!(
        out,
        "  graph [rankdir={rank}, compound=true, fontname=\"Helvetica\", labelloc=t, label={}];",
        quoted(&format!("{}\n{}", shown(&picture.title), picture.subtitle))
    );
    out.push_str("  node [fontname=\"Helvetica\", fontsize=11, shape=box];\n  edge [fontname=\"Helvetica\", fontsize=9];\n");
    nested(picture, &mut out);
    for edge in &picture.edges {
        let (Some(from), Some(to)) = (picture.nodes.get(edge.from), picture.nodes.get(edge.to)) else {
            continue;
        };
        let _ = writeln!(out, "  {} -> {} [{}];", quoted(&from.id), quoted(&to.id), stroke(edge));
    }
    out.push_str("}\n");
    out
}

/// The boxes in each other, with a stack: how deep they are is up to the plan.
fn nested(picture: &Picture, out: &mut String) {
    let members = Members::new(picture);
    let mut open = vec![(None, 0)];
    while let Some((frame, next)) = open.last_mut() {
        let inner = members.frames_in(*frame);
        if *next == 0 {
            for node in members.nodes_in(*frame) {
                out.push_str(&line(node));
            }
        }
        match inner.get(*next) {
            Some(child) => {
                *next += 1;
                if let Some(shown) = picture.frames.get(*child) {
                    let _ = writeln!(out, "  subgraph {} {{", quoted(&format!("cluster_{}", shown.id)));
                    let label = cut(&shown.title, TEXT, 320.0);
                    let _ = writeln!(out, "  label={}; style=rounded; color=\"#7c3aed\";", quoted(&label));
                    let _ = writeln!(out, "  tooltip={};", quoted(&shown.tip));
                }
                open.push((Some(*child), 0));
            }
            None => {
                if frame.is_some() {
                    out.push_str("  }\n");
                }
                open.pop();
            }
        }
    }
}

/// What stands directly in each box, and in none.
pub(super) struct Members<'a> {
    frames: Vec<Vec<usize>>,
    nodes: Vec<Vec<&'a Node>>,
}

impl<'a> Members<'a> {
    pub(super) fn new(picture: &'a Picture) -> Self {
        let count = picture.frames.len() + 1;
        let (mut frames, mut nodes) = (vec![Vec::new(); count], vec![Vec::new(); count]);
        for (at, frame) in picture.frames.iter().enumerate() {
            frames[frame.parent.map_or(0, |p| p + 1)].push(at);
        }
        for node in &picture.nodes {
            nodes[node.frame.map_or(0, |f| f + 1)].push(node);
        }
        Self { frames, nodes }
    }

    pub(super) fn frames_in(&self, frame: Option<usize>) -> &[usize] {
        self.frames.get(frame.map_or(0, |f| f + 1)).map_or(&[], Vec::as_slice)
    }

    pub(super) fn nodes_in(&self, frame: Option<usize>) -> &[&'a Node] {
        self.nodes.get(frame.map_or(0, |f| f + 1)).map_or(&[], Vec::as_slice)
    }
}

fn line(node: &Node) -> String {
    let shape = match node.shape {
        Shape::Gate(_) => "shape=diamond, color=\"#b45309\"",
        Shape::Step(_) => "shape=box",
        Shape::Value { last: true, .. } => "shape=box, style=\"rounded,filled,bold\", fillcolor=\"#dcebff\"",
        Shape::Value { input: true, .. } => "shape=box, style=\"rounded,filled\", fillcolor=\"#fff4d9\"",
        Shape::Value { ground: true, .. } => "shape=box, style=\"rounded,filled\", fillcolor=\"#e4efe6\"",
        Shape::Value { .. } => "shape=box, style=rounded",
    };
    let label = lines(node).join("\n");
    format!("  {} [label={}, tooltip={}, {shape}];\n", quoted(&node.id), quoted(&label), quoted(&node.tip))
}

/// The lines of a node: heading, text, notes. A gate says its word alone.
pub(super) fn lines(node: &Node) -> Vec<String> {
    let mut lines = Vec::new();
    if !node.heading.is_empty() {
        lines.push(cut(&node.heading, TEXT, WIDEST));
    }
    if !matches!(node.shape, Shape::Gate(_)) {
        lines.extend(wrap(&node.text, TEXT, WIDEST, 3));
        lines.extend(node.notes.iter().take(3).map(|n| cut(n, TEXT, WIDEST)));
    }
    lines
}

fn stroke(edge: &Edge) -> String {
    let style = match edge.kind {
        EdgeKind::Data => "color=\"#5b677a\"",
        EdgeKind::Waited => "style=dotted, color=\"#98a2b3\"",
        EdgeKind::Context => "style=dashed, color=\"#0f766e\"",
        EdgeKind::Gate => "color=\"#b45309\"",
        EdgeKind::Loop => "color=\"#7c3aed\"",
        EdgeKind::Carry => "style=dashed, color=\"#7c3aed\", label=\"next round\"",
        EdgeKind::Append => "color=\"#15803d\", label=\"+\"",
    };
    let back = if edge.back { ", constraint=false" } else { "" };
    format!("{style}{back}")
}

/// A text in quotes. DOT knows `\"` and takes every other backslash for itself, so those are doubled.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            out.push_str("\\n");
        }
        for c in shown(line).chars() {
            if matches!(c, '"' | '\\') {
                out.push('\\');
            }
            out.push(c);
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_quotes() {
        assert_eq!(quoted("a\"b\\c\n<d>\u{0}"), "\"a\\\"b\\\\c\\n<d>\u{fffd}\"");
        assert_eq!(quoted("\\"), "\"\\\\\"");
    }
}
