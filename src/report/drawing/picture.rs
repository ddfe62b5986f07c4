//! What a drawing shows: nodes, the boxes around them, the edges between them. Knows nothing of where they stand.

use std::collections::VecDeque;

use crate::repo::GateMarker;

/// Which part of a plan is drawn.
#[derive(Debug, Clone)]
pub struct View {
    /// Loops nested deeper than this are folded into one node each; 0 folds all loops.
    pub depth: usize,
}

impl View {
    /// Boxes in boxes beyond this cannot be read, and are folded unless asked for.
    pub const DEPTH: usize = 12;
}

impl Default for View {
    fn default() -> Self {
        Self { depth: Self::DEPTH }
    }
}

/// A plan as nodes, boxes and edges.
#[derive(Debug, Clone, Default)]
pub struct Picture {
    /// The name of the plan.
    pub title: String,
    /// What it holds, in numbers.
    pub subtitle: String,
    /// Values, steps and gates.
    pub nodes: Vec<Node>,
    /// The loops that are drawn open; one stands before those inside it.
    pub frames: Vec<Frame>,
    /// What goes where, by places in `nodes`.
    pub edges: Vec<Edge>,
}

/// One value, step or gate.
#[derive(Debug, Clone)]
pub struct Node {
    /// Stable and unique: from the flow index or the concept's name, of the characters `A-Za-z0-9_-`.
    pub id: String,
    /// What it is.
    pub shape: Shape,
    /// A short line above the text, like `1.2 imperative`.
    pub heading: String,
    /// What it says; long, the writers cut it.
    pub text: String,
    /// Small lines below the text.
    pub notes: Vec<String>,
    /// All there is to say.
    pub tip: String,
    /// The box it stands in, a place in [`Picture::frames`].
    pub frame: Option<usize>,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A concept that holds a value.
    Value {
        /// It has its value before the run, in the plan.
        ground: bool,
        /// Nothing gives it and the plan has no data: the run must be given it.
        input: bool,
        /// An output of the run.
        last: bool,
    },
    /// An inference.
    Step(Family),
    /// A timing inference.
    Gate(GateMarker),
}

/// The families of sequences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// A model, a script or a built-in does something.
    Imperative,
    /// The same, with a verdict.
    Judgement,
    /// A person is asked.
    Input,
    /// `$.`, `$+`, `$%`, `$-`, `$=`.
    Assigning,
    /// `&in`, `&across`.
    Grouping,
    /// `*every`.
    Looping,
    /// A loop that is not drawn open.
    Folded,
}

impl Family {
    /// Its word, also its class in the picture.
    pub fn word(self) -> &'static str {
        match self {
            Self::Imperative => "imperative",
            Self::Judgement => "judgement",
            Self::Input => "input",
            Self::Assigning => "assigning",
            Self::Grouping => "grouping",
            Self::Looping => "looping",
            Self::Folded => "folded",
        }
    }
}

/// The body of a loop.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Stable and unique.
    pub id: String,
    /// One line.
    pub title: String,
    /// All there is to say.
    pub tip: String,
    /// The box around it, which stands before it.
    pub parent: Option<usize>,
}

/// Something that goes from one node to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// Where it comes from.
    pub from: usize,
    /// Where it goes.
    pub to: usize,
    /// What goes there.
    pub kind: EdgeKind,
    /// It runs against the order of the plan: to the next round of a loop.
    pub back: bool,
}

/// What goes along an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EdgeKind {
    /// A value that is passed, or given.
    Data,
    /// A value that is waited for and not seen.
    Waited,
    /// A context, whose axes count.
    Context,
    /// To a gate and from it to what it guards.
    Gate,
    /// One element after the other; and what the rounds gave, collected.
    Loop,
    /// To the next round.
    Carry,
    /// Appended to what is there.
    Append,
}

impl EdgeKind {
    /// Its word, also its class in the picture.
    pub fn word(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Waited => "waited",
            Self::Context => "context",
            Self::Gate => "gate",
            Self::Loop => "loop",
            Self::Carry => "carry",
            Self::Append => "append",
        }
    }

    /// What the legend says of it.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Self::Data => "passed on",
            Self::Waited => "waited for, not seen",
            Self::Context => "its axes count",
            Self::Gate => "decides whether",
            Self::Loop => "each element; results collected",
            Self::Carry => "to the next round",
            Self::Append => "appended",
        }
    }
}

impl Picture {
    /// The nodes from which one can come to `goals` along the edges, or that can be reached from them.
    fn reached(&self, goals: &[usize], against: bool) -> Vec<bool> {
        let mut next = vec![Vec::new(); self.nodes.len()];
        for edge in &self.edges {
            let (a, b) = if against { (edge.to, edge.from) } else { (edge.from, edge.to) };
            if let Some(list) = next.get_mut(a) {
                list.push(b);
            }
        }
        let mut seen = vec![false; self.nodes.len()];
        let mut open: VecDeque<usize> = goals.iter().copied().collect();
        while let Some(node) = open.pop_front() {
            let Some(mark) = seen.get_mut(node).filter(|m| !**m) else { continue };
            *mark = true;
            open.extend(next.get(node).into_iter().flatten());
        }
        seen
    }

    /// The picture of what leads to some nodes and of what comes from others; none of either asks for nothing.
    #[must_use]
    pub fn keep(&self, to: &[usize], from: &[usize]) -> Picture {
        let mut stays = vec![true; self.nodes.len()];
        for (goals, against) in [(to, true), (from, false)] {
            if !goals.is_empty() {
                let reached = self.reached(goals, against);
                stays.iter_mut().zip(reached).for_each(|(s, r)| *s &= r);
            }
        }
        let mut frame_stays = vec![false; self.frames.len()];
        for (node, _) in self.nodes.iter().zip(&stays).filter(|(_, stays)| **stays) {
            let mut up = node.frame;
            while let Some(mark) = up.and_then(|f| frame_stays.get_mut(f)).filter(|m| !**m) {
                *mark = true;
                up = up.and_then(|f| self.frames.get(f)).and_then(|f| f.parent);
            }
        }
        let (node_at, frame_at) = (numbers(&stays), numbers(&frame_stays));
        let moved = |f: Option<usize>| f.and_then(|f| frame_at.get(f).copied().flatten());
        let nodes = self.nodes.iter().zip(&stays).filter(|(_, s)| **s);
        let frames = self.frames.iter().zip(&frame_stays).filter(|(_, s)| **s);
        let edge = |e: &Edge| {
            let at = |n: usize| node_at.get(n).copied().flatten();
            Some(Edge { from: at(e.from)?, to: at(e.to)?, ..e.clone() })
        };
        Picture {
            title: self.title.clone(),
            subtitle: self.subtitle.clone(),
            nodes: nodes.map(|(n, _)| Node { frame: moved(n.frame), ..n.clone() }).collect(),
            frames: frames.map(|(f, _)| Frame { parent: moved(f.parent), ..f.clone() }).collect(),
            edges: self.edges.iter().filter_map(edge).collect(),
        }
    }
}

/// The new number of each thing that stays.
fn numbers(stays: &[bool]) -> Vec<Option<usize>> {
    let mut next = 0;
    stays
        .iter()
        .map(|stays| {
            stays.then(|| {
                next += 1;
                next - 1
            })
        })
        .collect()
}
