//! A picture as SVG: one file that needs nothing else, for light and dark pages, with the whole text of everything in
//! its tip.

use std::fmt::Write;

use super::layout::{Boxed, Diagram, Direction, LaidOut, Line, Point, Rect, lay_out};
use super::picture::{Edge, EdgeKind, Family, Frame, Node, Picture, Shape};
use super::svg_style::{FAMILIES, KINDS, icon, sheet};
use super::text::{cut, shown, width, wrap};

const TEXT: f64 = 12.0;
const SMALL: f64 = 10.0;
const TITLE: f64 = 17.0;
const LINE: f64 = 15.5;
const SMALL_LINE: f64 = 13.5;
/// The widest text in a node.
const WIDEST: f64 = 196.0;
const MOST_LINES: usize = 3;
const MOST_NOTES: usize = 3;
/// Beside and above the text of a node.
const SIDE: f64 = 11.0;
const EDGE: f64 = 7.0;
/// The bar at the left of a step.
const BAR: f64 = 4.0;
const MARGIN: f64 = 24.0;
/// The room for a loop's title.
const FRAME_TITLE: f64 = 320.0;
const HEAD: f64 = 7.0;

/// The text of a node, cut to lines, and its size.
struct Block {
    heading: String,
    lines: Vec<String>,
    notes: Vec<String>,
    size: (f64, f64),
}

impl Block {
    fn new(node: &Node) -> Self {
        if let Shape::Gate(_) = node.shape {
            let heading = cut(&node.heading, TEXT, WIDEST);
            let size = (width(&heading, TEXT) + 46.0, 40.0);
            return Self { heading, lines: Vec::new(), notes: Vec::new(), size };
        }
        let icon = if matches!(node.shape, Shape::Step(_)) { 13.0 } else { 0.0 };
        let heading = cut(&node.heading, SMALL, WIDEST - icon);
        let lines = wrap(&node.text, TEXT, WIDEST, MOST_LINES);
        let mut notes: Vec<String> =
            node.notes.iter().take(MOST_NOTES).map(|n| cut(n, SMALL, WIDEST)).collect();
        if node.notes.len() > MOST_NOTES {
            notes.push(format!("and {} more", node.notes.len() - MOST_NOTES));
        }
        let widest = |texts: &[String], size: f64| texts.iter().map(|t| width(t, size)).fold(0.0, f64::max);
        let text =
            widest(&lines, TEXT).max(widest(&notes, SMALL)).max(width(&heading, SMALL) + icon).max(34.0);
        let bar = if matches!(node.shape, Shape::Step(_)) { BAR } else { 0.0 };
        let head = if heading.is_empty() { 0.0 } else { SMALL_LINE };
        let height = 2.0 * EDGE + head + LINE * lines.len() as f64 + SMALL_LINE * notes.len() as f64;
        Self { heading, lines, notes, size: (text + 2.0 * SIDE + bar, height.max(30.0)) }
    }
}

/// A picture with the size of everything, and where it stands.
struct Drawing<'a> {
    picture: &'a Picture,
    blocks: Vec<Block>,
    titles: Vec<String>,
    out: LaidOut,
}

fn drawing(picture: &Picture, direction: Direction) -> Drawing<'_> {
    let blocks: Vec<Block> = picture.nodes.iter().map(Block::new).collect();
    let titles: Vec<String> =
        picture.frames.iter().map(|f| cut(&f.title, SMALL + 1.0, FRAME_TITLE)).collect();
    let boxed = |(frame, title): (&Frame, &String)| Boxed {
        parent: frame.parent,
        title: width(title, SMALL + 1.0) + 6.0,
    };
    let line = |e: &Edge| Line { from: e.from, to: e.to, back: e.back, style: e.kind as usize };
    let pointed = |n: &Node| matches!(n.shape, Shape::Gate(_));
    let diagram = Diagram {
        nodes: picture.nodes.iter().zip(&blocks).map(|(n, b)| (b.size, n.frame, pointed(n))).collect(),
        boxes: picture.frames.iter().zip(&titles).map(boxed).collect(),
        lines: picture.edges.iter().map(line).collect(),
    };
    Drawing { picture, blocks, titles, out: lay_out(&diagram, direction) }
}

/// Writes a picture as SVG.
pub fn svg(picture: &Picture, direction: Direction) -> String {
    let drawing = drawing(picture, direction);
    let title = cut(&picture.title, TITLE, drawing.out.width.max(420.0));
    let head = 52.0;
    let legend = Legend::new(picture, drawing.out.width.max(460.0));
    let wide =
        drawing.out.width.max(legend.width).max(width(&title, TITLE)).max(width(&picture.subtitle, SMALL));
    let (w, h) = (wide + 2.0 * MARGIN, head + drawing.out.height + legend.height + 3.0 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" \
         role=\"img\">\n<title>{}</title>\n<desc>{}</desc>\n<style>\n{}</style>\n\
         <rect class=\"page\" width=\"{w}\" height=\"{h}\"/>\n",
        escaped(&picture.title),
        escaped(&picture.subtitle),
        sheet(),
        w = number(w),
        h = number(h),
    );
    let mut out = Writer { svg: &mut svg, direction };
    out.text("title", MARGIN, MARGIN + 14.0, &title);
    out.text("small", MARGIN, MARGIN + 31.0, &picture.subtitle);
    let _ =
        writeln!(out.svg, "<g transform=\"translate({} {})\">", number(MARGIN), number(head + MARGIN / 2.0));
    for ((frame, rect), title) in picture.frames.iter().zip(&drawing.out.boxes).zip(&drawing.titles) {
        out.frame(frame, rect, title);
    }
    for (edge, points) in picture.edges.iter().zip(&drawing.out.lines) {
        out.edge(drawing.picture, edge, points);
    }
    for ((node, rect), block) in picture.nodes.iter().zip(&drawing.out.nodes).zip(&drawing.blocks) {
        out.node(node, rect, block);
    }
    out.svg.push_str("</g>\n");
    let below = head + drawing.out.height + 2.0 * MARGIN;
    let _ = writeln!(out.svg, "<g transform=\"translate({} {})\">", number(MARGIN), number(below));
    legend.write(&mut out);
    svg.push_str("</g>\n</svg>\n");
    svg
}

struct Writer<'a> {
    svg: &'a mut String,
    /// Edges leave and enter along it.
    direction: Direction,
}

impl Writer<'_> {
    fn text(&mut self, class: &str, x: f64, y: f64, text: &str) {
        let (x, y) = (number(x), number(y));
        let _ = writeln!(self.svg, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{}</text>", escaped(text));
    }

    fn rect(&mut self, class: &str, r: &Rect, round: f64) {
        let (x, y, w, h) = (number(r.x), number(r.y), number(r.w), number(r.h));
        let _ = writeln!(
            self.svg,
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"{}\"/>",
            number(round)
        );
    }

    fn open(&mut self, class: &str, id: &str, tip: &str) {
        let _ = writeln!(self.svg, "<g class=\"{class}\" id=\"{id}\"><title>{}</title>", escaped(tip));
    }

    fn close(&mut self) {
        self.svg.push_str("</g>\n");
    }

    fn frame(&mut self, frame: &Frame, rect: &Rect, title: &str) {
        self.open("loop", &frame.id, &frame.tip);
        self.rect("frame", rect, 8.0);
        let (x, y) = (number(rect.x + 14.0), number(rect.y + 19.0));
        let _ = writeln!(
            self.svg,
            "<text class=\"name\" font-size=\"11\" x=\"{x}\" y=\"{y}\">{}</text>",
            escaped(title)
        );
        self.close();
    }

    fn edge(&mut self, picture: &Picture, edge: &Edge, points: &[Point]) {
        let [first, rest @ ..] = points else { return };
        let text = |n: usize| picture.nodes.get(n).map_or("", |n| n.text.as_str());
        let tip = format!("{} → {}\n{}", text(edge.from), text(edge.to), edge.kind.meaning());
        let _ = writeln!(
            self.svg,
            "<g class=\"{}{}\"><title>{}</title>",
            edge.kind.word(),
            if edge.back { " back" } else { "" },
            escaped(&tip)
        );
        let mut path = format!("M{} {}", number(first.x), number(first.y));
        let mut at = *first;
        for p in rest {
            let (x, y) = (number(p.x), number(p.y));
            if (p.x - at.x).abs() < 0.05 || (p.y - at.y).abs() < 0.05 {
                let _ = write!(path, "L{x} {y}");
            } else if self.direction == Direction::Down {
                let middle = number(f64::midpoint(at.y, p.y));
                let _ = write!(path, "C{} {middle} {x} {middle} {x} {y}", number(at.x));
            } else {
                let middle = number(f64::midpoint(at.x, p.x));
                let _ = write!(path, "C{middle} {} {middle} {y} {x} {y}", number(at.y));
            }
            at = *p;
        }
        let _ = writeln!(self.svg, "<path class=\"line\" d=\"{path}\"/>");
        if let [.., before, end] = points {
            let toward = match self.direction {
                Direction::Down => (0.0, (end.y - before.y).signum()),
                Direction::Right => ((end.x - before.x).signum(), 0.0),
            };
            self.head(edge.kind, *end, toward);
        }
        self.close();
    }

    /// The head of an arrow, its point on the border; an append has a cross too.
    fn head(&mut self, kind: EdgeKind, end: Point, (dx, dy): (f64, f64)) {
        let corner = |back: f64, side: f64| {
            format!("{} {}", number(end.x - dx * back - dy * side), number(end.y - dy * back + dx * side))
        };
        let _ = writeln!(
            self.svg,
            "<path class=\"head\" d=\"M{} {}L{}L{}Z\"/>",
            number(end.x),
            number(end.y),
            corner(HEAD, HEAD * 0.48),
            corner(HEAD, -HEAD * 0.48)
        );
        if kind == EdgeKind::Append {
            let _ = writeln!(
                self.svg,
                "<path class=\"line\" d=\"M{}L{}M{}L{}\"/>",
                corner(HEAD + 4.0, 4.0),
                corner(HEAD + 4.0, -4.0),
                corner(HEAD + 7.0, 4.0),
                corner(HEAD + 7.0, -4.0)
            );
        }
    }

    fn node(&mut self, node: &Node, rect: &Rect, block: &Block) {
        self.open(&class(node.shape), &node.id, &node.tip);
        let mut left = rect.x + SIDE;
        match node.shape {
            Shape::Gate(_) => {
                let (x, y) = (rect.x + rect.w / 2.0, rect.y + rect.h / 2.0);
                let _ = writeln!(
                    self.svg,
                    "<path class=\"body\" d=\"M{x} {top}L{right} {y}L{x} {bottom}L{l} {y}Z\"/>",
                    x = number(x),
                    y = number(y),
                    top = number(rect.y),
                    bottom = number(rect.y + rect.h),
                    l = number(rect.x),
                    right = number(rect.x + rect.w),
                );
                self.text("text", x - width(&block.heading, TEXT) / 2.0, y + 4.0, &block.heading);
                self.close();
                return;
            }
            Shape::Step(family) => {
                self.rect("body", rect, 3.0);
                self.rect("bar", &Rect { w: BAR, ..*rect }, 1.5);
                left += BAR;
                self.text("icon", left, rect.y + EDGE + 9.5, icon(family));
            }
            Shape::Value { .. } => self.rect("body", rect, 13.0),
        }
        let mut y = rect.y + EDGE;
        if block.heading.is_empty() && block.notes.is_empty() {
            // One or few lines stand in the middle of a node that is higher than they need.
            y += (rect.h - 2.0 * EDGE - LINE * block.lines.len() as f64).max(0.0) / 2.0;
        }
        if !block.heading.is_empty() {
            let icon = if matches!(node.shape, Shape::Step(_)) { 13.0 } else { 0.0 };
            self.text("small", left + icon, y + 9.5, &block.heading);
            y += SMALL_LINE;
        }
        for line in &block.lines {
            self.text("text", left, y + 12.0, line);
            y += LINE;
        }
        for note in &block.notes {
            self.text("small", left, y + 10.0, note);
            y += SMALL_LINE;
        }
        self.close();
    }
}

fn class(shape: Shape) -> String {
    match shape {
        Shape::Step(family) => format!("step {}", family.word()),
        Shape::Gate(_) => "gate".to_owned(),
        Shape::Value { ground, input, last } => {
            let mut class = "value".to_owned();
            for (word, applies) in [("ground", ground), ("input", input), ("output", last)] {
                if applies {
                    class.push(' ');
                    class.push_str(word);
                }
            }
            class
        }
    }
}

/// The legend: a sample of everything that occurs, in rows.
struct Legend {
    entries: Vec<(f64, f64, Sample, &'static str)>,
    width: f64,
    height: f64,
}

#[derive(Clone, Copy)]
enum Sample {
    Edge(EdgeKind),
    Step(Family),
    Value(Shape),
    Gate,
}

impl Legend {
    const SAMPLE: f64 = 30.0;
    const ROW: f64 = 22.0;

    fn new(picture: &Picture, wide: f64) -> Self {
        let mut samples: Vec<(Sample, &'static str)> = Vec::new();
        let has = |f: &dyn Fn(&Shape) -> bool| picture.nodes.iter().any(|n| f(&n.shape));
        for (ground, input, last, text) in [
            (false, true, false, "must be given to the run"),
            (true, false, false, "given in the plan"),
            (false, false, false, "value"),
            (false, false, true, "output"),
        ] {
            let shape = Shape::Value { ground, input, last };
            if has(&|s| *s == shape) {
                samples.push((Sample::Value(shape), text));
            }
        }
        for family in FAMILIES {
            if has(&|s| *s == Shape::Step(family)) {
                let word = if family == Family::Folded { "a loop, folded" } else { family.word() };
                samples.push((Sample::Step(family), word));
            }
        }
        if has(&|s| matches!(s, Shape::Gate(_))) {
            samples.push((Sample::Gate, "gate"));
        }
        for kind in KINDS {
            if picture.edges.iter().any(|e| e.kind == kind) {
                samples.push((Sample::Edge(kind), kind.meaning()));
            }
        }
        let (mut x, mut y, mut right) = (0.0, 0.0, 0.0f64);
        let mut entries = Vec::new();
        for (sample, text) in samples {
            let room = Self::SAMPLE + 7.0 + width(text, SMALL);
            if x > 0.0 && x + room > wide {
                (x, y) = (0.0, y + Self::ROW);
            }
            entries.push((x, y, sample, text));
            right = right.max(x + room);
            x += room + 20.0;
        }
        let height = if entries.is_empty() { 0.0 } else { y + Self::ROW };
        Self { entries, width: right, height }
    }

    fn write(&self, out: &mut Writer) {
        for (x, y, sample, text) in &self.entries {
            let rect = Rect { x: *x, y: *y + 1.0, w: Self::SAMPLE, h: 14.0 };
            let middle = y + 8.0;
            match sample {
                Sample::Edge(kind) => {
                    let _ = writeln!(out.svg, "<g class=\"{}\">", kind.word());
                    let _ = writeln!(
                        out.svg,
                        "<path class=\"line\" d=\"M{} {m}L{} {m}\"/>",
                        number(*x),
                        number(x + Self::SAMPLE - HEAD),
                        m = number(middle)
                    );
                    out.head(*kind, Point { x: x + Self::SAMPLE, y: middle }, (1.0, 0.0));
                }
                Sample::Step(family) => {
                    let _ = writeln!(out.svg, "<g class=\"{}\">", class(Shape::Step(*family)));
                    out.rect("body", &rect, 3.0);
                    out.rect("bar", &Rect { w: BAR, ..rect }, 1.5);
                    out.text("icon", x + 12.0, y + 11.5, icon(*family));
                }
                Sample::Value(shape) => {
                    let _ = writeln!(out.svg, "<g class=\"{}\">", class(*shape));
                    out.rect("body", &rect, 7.0);
                }
                Sample::Gate => {
                    out.svg.push_str("<g class=\"gate\">\n");
                    let _ = writeln!(
                        out.svg,
                        "<path class=\"body\" d=\"M{} {}l11 -8l11 8l-11 8Z\"/>",
                        number(x + 4.0),
                        number(middle)
                    );
                }
            }
            out.close();
            out.text("small", x + Self::SAMPLE + 7.0, y + 11.5, text);
        }
    }
}

/// A number with at most one digit after the point.
fn number(x: f64) -> String {
    let tenths = (x * 10.0).round() / 10.0;
    // No minus before a zero.
    format!("{}", tenths + 0.0)
}

/// Text as XML. What XML has no place for is shown as a mark.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            out.push('\n');
        }
        for c in shown(line).chars() {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
                c => out.push(c),
            }
        }
    }
    out
}

#[cfg(test)]
#[path = "svg_tests.rs"]
mod tests;
