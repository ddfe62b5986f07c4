//! The laws of a drawing: what stands where it should.

use proptest::prelude::*;

use super::*;
use crate::repo::GateMarker;

/// A picture of any boxes in boxes and any edges, circles too.
fn pictures() -> impl Strategy<Value = Picture> {
    let frames = prop::collection::vec(any::<prop::sample::Index>(), 0..6);
    let nodes = prop::collection::vec((any::<prop::sample::Index>(), 0usize..3, ".{0,40}"), 1..24);
    let edges = prop::collection::vec(
        (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0usize..KINDS.len(), any::<bool>()),
        0..50,
    );
    (frames, nodes, edges).prop_map(|(frames, nodes, edges)| {
        let mut picture = Picture { title: "any".to_owned(), ..Picture::default() };
        for (at, parent) in frames.iter().enumerate() {
            let parent = parent.index(at + 1).checked_sub(1);
            picture.frames.push(Frame {
                id: format!("f{at}"),
                title: format!("frame {at}"),
                tip: String::new(),
                parent,
            });
        }
        for (at, (frame, shape, text)) in nodes.iter().enumerate() {
            let frame = frame.index(picture.frames.len() + 1).checked_sub(1);
            let shape = match shape {
                0 => Shape::Step(Family::Imperative),
                1 => Shape::Value { ground: false, input: false, last: false },
                _ => Shape::Gate(GateMarker::If),
            };
            picture.nodes.push(node(at, shape, text, frame));
        }
        let count = picture.nodes.len();
        for (from, to, kind, back) in edges {
            let (from, to) = (from.index(count), to.index(count));
            if from != to {
                picture.edges.push(Edge { from, to, kind: KINDS[kind], back });
            }
        }
        picture
    })
}

fn node(at: usize, shape: Shape, text: &str, frame: Option<usize>) -> Node {
    let text = text.to_owned();
    Node {
        id: format!("n{at}"),
        shape,
        heading: "if".to_owned(),
        text,
        notes: Vec::new(),
        tip: String::new(),
        frame,
    }
}

fn apart(a: &Rect, b: &Rect) -> bool {
    let e = 1e-6;
    a.x + a.w <= b.x + e || b.x + b.w <= a.x + e || a.y + a.h <= b.y + e || b.y + b.h <= a.y + e
}

fn inside(a: &Rect, b: &Rect) -> bool {
    let e = 1e-6;
    a.x >= b.x - e && a.y >= b.y - e && a.x + a.w <= b.x + b.w + e && a.y + a.h <= b.y + b.h + e
}

/// Whether a point is on the border of a rectangle.
fn on_border(p: &Point, r: &Rect) -> bool {
    let near = |a: f64, b: f64| (a - b).abs() < 0.1;
    let (within_x, within_y) =
        (p.x >= r.x - 0.1 && p.x <= r.x + r.w + 0.1, p.y >= r.y - 0.1 && p.y <= r.y + r.h + 0.1);
    (within_x && (near(p.y, r.y) || near(p.y, r.y + r.h)))
        || (within_y && (near(p.x, r.x) || near(p.x, r.x + r.w)))
}

/// The points of a way as it is drawn, curves in small pieces.
fn traced(points: &[Point], direction: Direction) -> Vec<Point> {
    let mut out = Vec::new();
    for pair in points.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        let curved = (a.x - b.x).abs() >= 0.05 && (a.y - b.y).abs() >= 0.05;
        for step in 0..=16 {
            let t = f64::from(step) / 16.0;
            // The sideways part of a cubic whose ends are upright, and its way down.
            let smooth = t * t * (3.0 - 2.0 * t);
            let along = 1.5 * t * (1.0 - t) * (1.0 - t) + 1.5 * t * t * (1.0 - t) + t * t * t;
            let (u, v) = if !curved {
                (t, t)
            } else if direction == Direction::Down {
                (smooth, along)
            } else {
                (along, smooth)
            };
            out.push(Point { x: a.x + (b.x - a.x) * u, y: a.y + (b.y - a.y) * v });
        }
    }
    out
}

fn check(picture: &Picture, direction: Direction) -> Result<(), String> {
    let drawn = drawing(picture, direction);
    let out = &drawn.out;
    let page = Rect { x: 0.0, y: 0.0, w: out.width, h: out.height };
    // Nodes and boxes of one box are apart; all are inside it.
    let nodes = picture.nodes.iter().zip(&out.nodes).map(|(n, r)| (n.frame, *r));
    let boxes = picture.frames.iter().zip(&out.boxes).map(|(f, r)| (f.parent, *r));
    let all: Vec<(Option<usize>, Rect)> = nodes.chain(boxes).collect();
    for (i, (frame, rect)) in all.iter().enumerate() {
        let around = frame.map_or(page, |f| out.boxes[f]);
        if !inside(rect, &around) {
            return Err(format!("{rect:?} is not inside {around:?}"));
        }
        for (other, second) in &all[..i] {
            if frame == other && !apart(rect, second) {
                return Err(format!("{rect:?} and {second:?} overlap"));
            }
        }
    }
    // No box's title is under a node or box inside it.
    for (at, rect) in out.boxes.iter().enumerate() {
        let title =
            Rect { x: rect.x + 14.0, y: rect.y + 8.0, w: width(&drawn.titles[at], SMALL + 1.0), h: 12.0 };
        if !inside(&title, rect) {
            return Err(format!("the title {title:?} leaves its box {rect:?}"));
        }
        for (frame, child) in &all {
            if *frame == Some(at) && !apart(&title, child) {
                return Err(format!("the title {title:?} is under {child:?}"));
            }
        }
        for line in &out.lines {
            if traced(line, direction)
                .iter()
                .any(|p| p.x > title.x && p.x < title.x + title.w && p.y > title.y && p.y < title.y + title.h)
            {
                return Err(format!("an edge runs over the title {title:?}"));
            }
        }
    }
    // Edges go from border to border, and under no node.
    for (edge, line) in picture.edges.iter().zip(&out.lines) {
        let (Some(first), Some(last)) = (line.first(), line.last()) else {
            return Err(format!("{edge:?} has no way"));
        };
        if !on_border(first, &out.nodes[edge.from]) || !on_border(last, &out.nodes[edge.to]) {
            return Err(format!(
                "{edge:?} does not touch: {first:?} {:?}, {last:?} {:?}",
                out.nodes[edge.from], out.nodes[edge.to]
            ));
        }
        for p in traced(line, direction) {
            let under = |r: &Rect| {
                p.x > r.x + 0.5 && p.x < r.x + r.w - 0.5 && p.y > r.y + 0.5 && p.y < r.y + r.h - 0.5
            };
            if let Some(r) = out.nodes.iter().find(|r| under(r)) {
                return Err(format!("{edge:?} runs under {r:?} at {p:?}: {line:?}"));
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn nothing_overlaps_and_every_edge_touches(picture in pictures()) {
        for direction in [Direction::Down, Direction::Right] {
            prop_assert_eq!(check(&picture, direction), Ok(()));
        }
    }

    #[test]
    fn a_drawing_is_the_same_every_time_and_well_formed(picture in pictures()) {
        let text = svg(&picture, Direction::Down);
        prop_assert_eq!(&text, &svg(&picture, Direction::Down));
        prop_assert!(text.matches("<g").count() == text.matches("</g>").count());
        prop_assert!(!text.contains("NaN") && !text.contains("inf"), "{}", text);
    }
}

/// A picture of `n` steps in a chain with loops, inputs read everywhere, and long edges.
fn large(n: usize) -> Picture {
    let mut picture = Picture::default();
    let mut seed = 7u64;
    let mut random = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    for at in 0..n {
        picture.nodes.push(node(at, Shape::Step(Family::Imperative), &format!("step {at}"), None));
        for _ in 0..2 {
            if at > 0 {
                let from = if random(4) == 0 { random(at) } else { at - 1 - random(at.min(6)) };
                picture.edges.push(Edge { from, to: at, kind: EdgeKind::Data, back: false });
            }
        }
    }
    picture
}

#[test]
fn two_thousand_nodes_take_seconds() {
    let start = std::time::Instant::now();
    let text = svg(&large(2_000), Direction::Down);
    println!("2000 nodes: {:?}, {} bytes", start.elapsed(), text.len());
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
    assert_eq!(check(&large(200), Direction::Down), Ok(()));
}

#[test]
fn long_edges_take_lanes_and_still_touch() {
    let mut picture = large(0);
    for at in 0..120 {
        picture.nodes.push(node(at, Shape::Step(Family::Imperative), &format!("step {at}"), None));
        if at > 0 {
            picture.edges.push(Edge { from: at - 1, to: at, kind: EdgeKind::Data, back: false });
            picture.edges.push(Edge { from: at / 3, to: at, kind: EdgeKind::Waited, back: false });
        }
    }
    for direction in [Direction::Down, Direction::Right] {
        assert_eq!(check(&picture, direction), Ok(()));
    }
}

#[test]
fn wide_layers_are_broken_and_keep_the_laws() {
    let mut picture = large(0);
    picture.nodes.push(node(0, Shape::Gate(GateMarker::If), "all", None));
    for at in 1..=120 {
        picture.nodes.push(node(at, Shape::Step(Family::Imperative), "one of many steps side by side", None));
        picture.edges.push(Edge { from: 0, to: at, kind: EdgeKind::Data, back: false });
    }
    for direction in [Direction::Down, Direction::Right] {
        assert_eq!(check(&picture, direction), Ok(()));
        let out = drawing(&picture, direction).out;
        assert!(out.width < 14_000.0 && out.height < 14_000.0, "{} {}", out.width, out.height);
    }
}

/// The plans of the project, and those of the corpus that compile.
#[test]
#[allow(clippy::disallowed_methods, reason = "the plans are files")]
fn every_plan_keeps_the_laws() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut checked = 0;
    for folder in ["plans", "tests/corpus"].iter().flat_map(|f| std::fs::read_dir(root.join(f)).unwrap()) {
        let folder = folder.unwrap().path();
        for file in std::fs::read_dir(&folder).into_iter().flatten().map(|e| e.unwrap().path()) {
            let extension = file.extension().and_then(|e| e.to_str()).unwrap_or("");
            let hint = crate::syntax::Dialect::from_extension(extension);
            let Ok(text) = std::fs::read_to_string(&file) else { continue };
            if !extension.starts_with("nc") {
                continue;
            }
            let mut sources = crate::base::SourceMap::default();
            let id = sources.add(crate::base::SourceFile::new("plan.nc", text.clone()));
            let compiled =
                crate::repo::compile(id, &text, hint, &sources, &crate::repo::LowerOptions::default());
            let Some(model) = compiled.model else { continue };
            let graph = crate::run::Graph::new(std::sync::Arc::new(model));
            for depth in [0, 12] {
                let picture = Picture::new(&graph, "plan", &super::super::View { depth });
                for direction in [Direction::Down, Direction::Right] {
                    assert_eq!(check(&picture, direction), Ok(()), "{}", file.display());
                }
            }
            checked += 1;
        }
    }
    println!("{checked} plans keep the laws");
    assert!(checked > 20, "{checked}");
}

#[test]
fn what_xml_takes_for_itself_is_escaped() {
    assert_eq!(escaped("<a> & \"b\"\u{0}\u{b}\nc"), "&lt;a&gt; &amp; &quot;b&quot;\u{fffd}\u{fffd}\nc");
}

#[test]
fn a_picture_of_nothing_is_a_picture() {
    assert!(svg(&Picture::default(), Direction::Down).ends_with("</svg>\n"));
}
