//! A picture as a Mermaid flowchart, for documents that draw it themselves.

use std::fmt::Write;

use super::dot::{Members, lines};
use super::layout::Direction;
use super::picture::{Edge, EdgeKind, Node, Picture, Shape};
use super::text::{cut, shown};

/// Writes a picture as a flowchart.
pub fn mermaid(picture: &Picture, direction: Direction) -> String {
    let way = if direction == Direction::Right { "LR" } else { "TD" };
    let mut out = String::new();
    // The title is YAML, where a text in double quotes may hold anything that is escaped as in JSON.
    let title = serde_json::Value::from(shown(&picture.title));
    let _ = write!(out, "---\ntitle: {title}\n---\nflowchart {way}\n");
    let members = Members::new(picture);
    let mut open = vec![(None, 0)];
    while let Some((frame, next)) = open.last_mut() {
        if *next == 0 {
            for node in members.nodes_in(*frame) {
                out.push_str(&line(node));
            }
        }
        match members.frames_in(*frame).get(*next) {
            Some(child) => {
                *next += 1;
                if let Some(shown) = picture.frames.get(*child) {
                    let title = text(&cut(&shown.title, 12.0, 320.0));
                    let _ = writeln!(out, "  subgraph {}[\"{title}\"]", id(&shown.id));
                }
                open.push((Some(*child), 0));
            }
            None => {
                if frame.is_some() {
                    out.push_str("  end\n");
                }
                open.pop();
            }
        }
    }
    let mut styles = String::new();
    for (at, edge) in picture.edges.iter().enumerate() {
        let (Some(from), Some(to)) = (picture.nodes.get(edge.from), picture.nodes.get(edge.to)) else {
            continue;
        };
        let _ = writeln!(out, "  {} {} {}", id(&from.id), arrow(edge), id(&to.id));
        if let Some(color) = color(edge.kind) {
            let _ = writeln!(styles, "  linkStyle {at} stroke:{color}");
        }
    }
    out.push_str(&styles);
    out.push_str(
        "  classDef output fill:#dcebff,stroke:#2563eb,stroke-width:2px,color:#1f2430\n  classDef input \
         fill:#fff4d9,stroke:#d1a545,color:#1f2430\n  classDef ground fill:#e4efe6,stroke:#8fb69a,color:#1f2430\n  \
         classDef gate fill:#fff6ea,stroke:#b45309,color:#1f2430\n",
    );
    out
}

/// Ids of Mermaid have no dashes next to its arrows, and some words are taken, so each begins with a letter of its own.
fn id(id: &str) -> String {
    format!("n_{}", id.replace('-', "__"))
}

fn line(node: &Node) -> String {
    let label = lines(node).iter().map(|l| text(l)).collect::<Vec<_>>().join("<br/>");
    let (open, close, class) = match node.shape {
        Shape::Gate(_) => ("{\"", "\"}", ":::gate"),
        Shape::Step(_) => ("[\"", "\"]", ""),
        Shape::Value { last: true, .. } => ("([\"", "\"])", ":::output"),
        Shape::Value { input: true, .. } => ("([\"", "\"])", ":::input"),
        Shape::Value { ground: true, .. } => ("([\"", "\"])", ":::ground"),
        Shape::Value { .. } => ("([\"", "\"])", ""),
    };
    format!("  {}{open}{label}{close}{class}\n", id(&node.id))
}

fn arrow(edge: &Edge) -> &'static str {
    match edge.kind {
        EdgeKind::Data | EdgeKind::Loop | EdgeKind::Gate => "-->",
        EdgeKind::Waited | EdgeKind::Context => "-.->",
        EdgeKind::Carry => "-. \"next round\" .->",
        EdgeKind::Append => "-- \"append\" -->",
    }
}

fn color(kind: EdgeKind) -> Option<&'static str> {
    match kind {
        EdgeKind::Data => None,
        EdgeKind::Waited => Some("#98a2b3"),
        EdgeKind::Context => Some("#0f766e"),
        EdgeKind::Gate => Some("#b45309"),
        EdgeKind::Loop | EdgeKind::Carry => Some("#7c3aed"),
        EdgeKind::Append => Some("#15803d"),
    }
}

/// A text in the quotes of a label: what could end it, or mean something in it, is written by its number.
fn text(label: &str) -> String {
    let mut out = String::with_capacity(label.len());
    for c in shown(label).chars() {
        match c {
            '"' => out.push_str("#quot;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '&' => out.push_str("#amp;"),
            '#' | ';' | '`' | '\\' | '*' | '_' | '%' => {
                let _ = write!(out, "#{};", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_quotes() {
        assert_eq!(text("a\"]:::x;<b>#1`&\n"), "a#quot;]:::x#59;#lt;b#gt;#35;1#96;#amp;");
    }
}
