//! The colours and strokes of a drawing, for light and dark pages, as a style sheet inside it.

use std::fmt::Write;

use super::picture::{EdgeKind, Family};

/// A line's colour on a light and on a dark page, and its dashes.
type Stroke = (&'static str, &'static str, &'static str);

fn stroke(kind: EdgeKind) -> Stroke {
    match kind {
        EdgeKind::Data => ("#5b677a", "#9aa7ba", ""),
        EdgeKind::Waited => ("#98a2b3", "#6b7688", "1.5 4"),
        EdgeKind::Context => ("#0f766e", "#4fb8ae", "6 3"),
        EdgeKind::Gate => ("#b45309", "#e8a04a", ""),
        EdgeKind::Loop => ("#7c3aed", "#b394f5", ""),
        EdgeKind::Carry => ("#7c3aed", "#b394f5", "7 4"),
        EdgeKind::Append => ("#15803d", "#5fc482", ""),
    }
}

fn color(family: Family) -> (&'static str, &'static str) {
    match family {
        Family::Imperative => ("#2563eb", "#7aa5f8"),
        Family::Judgement => ("#b45309", "#e8a04a"),
        Family::Input => ("#be185d", "#f27fb0"),
        Family::Assigning => ("#475569", "#a3afc0"),
        Family::Grouping => ("#0f766e", "#4fb8ae"),
        Family::Looping | Family::Folded => ("#7c3aed", "#b394f5"),
    }
}

/// All kinds of edges, in the order of the legend.
pub(super) const KINDS: [EdgeKind; 7] = [
    EdgeKind::Data,
    EdgeKind::Waited,
    EdgeKind::Context,
    EdgeKind::Gate,
    EdgeKind::Loop,
    EdgeKind::Carry,
    EdgeKind::Append,
];

/// All families, in the order of the legend.
pub(super) const FAMILIES: [Family; 7] = [
    Family::Imperative,
    Family::Judgement,
    Family::Input,
    Family::Assigning,
    Family::Grouping,
    Family::Looping,
    Family::Folded,
];

/// The little picture of a family.
pub(super) fn icon(family: Family) -> &'static str {
    match family {
        Family::Imperative => "▸",
        Family::Judgement => "?",
        Family::Input => "✎",
        Family::Assigning => "←",
        Family::Grouping => "⊕",
        Family::Looping => "↻",
        Family::Folded => "⊞",
    }
}

/// The style sheet. Every colour stands twice, plainly and for dark pages, since not every reader of the picture
/// knows variables.
pub(super) fn sheet() -> String {
    let mut css = String::from(
        "text{font-family:Inter,'Segoe UI','Helvetica Neue',Arial,'Noto Sans','Noto Sans CJK SC','DejaVu Sans',sans-serif}\n\
         .line{fill:none;stroke-width:1.4}\n\
         .title{font-size:17px;font-weight:600}\n\
         .text{font-size:12px}\n\
         .small{font-size:10px}\n\
         .icon{font-size:10px}\n",
    );
    for kind in KINDS {
        let dashes = stroke(kind).2;
        if !dashes.is_empty() {
            let _ = writeln!(css, ".{}>.line{{stroke-dasharray:{dashes}}}", kind.word());
        }
    }
    css.push_str(&colors(false));
    let _ = write!(css, "@media(prefers-color-scheme:dark){{\n{}}}\n", colors(true));
    css
}

fn colors(dark: bool) -> String {
    let pick = |light: &'static str, dark_one: &'static str| if dark { dark_one } else { light };
    let mut css = String::new();
    let mut rule = |selector: &str, body: String| {
        let _ = writeln!(css, "{selector}{{{body}}}");
    };
    let fill = |light, dark| format!("fill:{}", pick(light, dark));
    let both = |fill: (&'static str, &'static str), line: (&'static str, &'static str), width: &str| {
        format!("fill:{};stroke:{};stroke-width:{width}", pick(fill.0, fill.1), pick(line.0, line.1))
    };
    rule(".page", fill("#ffffff", "#14171c"));
    rule("text", fill("#1f2430", "#e4e8ee"));
    rule(".small", fill("#667085", "#97a2b3"));
    rule(".step>.body", both(("#ffffff", "#1f242c"), ("#c3cad5", "#475160"), "1"));
    rule(".value>.body", both(("#eef1f5", "#262c36"), ("#c3cad5", "#475160"), "1"));
    rule(".ground>.body", both(("#e4efe6", "#22352a"), ("#8fb69a", "#4f7a5d"), "1"));
    rule(".input>.body", both(("#fff4d9", "#3b3219"), ("#d1a545", "#a98532"), "1.4"));
    rule(".output>.body", both(("#dcebff", "#1c3150"), ("#2563eb", "#7aa5f8"), "2"));
    rule(".gate>.body", both(("#fff6ea", "#36291a"), ("#b45309", "#e8a04a"), "1.2"));
    rule(".folded>.body", both(("#f4f0fe", "#2a2440"), ("#7c3aed", "#b394f5"), "1.2"));
    rule(
        ".loop>.frame",
        format!(
            "fill:{};fill-opacity:.05;stroke:{};stroke-opacity:.55;stroke-width:1.2",
            pick("#7c3aed", "#b394f5"),
            pick("#7c3aed", "#b394f5")
        ),
    );
    rule(".loop>.name", fill("#6d28d9", "#c4b0f7"));
    for family in FAMILIES {
        let (light, dark) = color(family);
        rule(&format!(".{0}>.bar,.{0}>.icon", family.word()), fill(light, dark));
    }
    for kind in KINDS {
        let (light, dark, _) = stroke(kind);
        let color = pick(light, dark);
        rule(&format!(".{}>.line", kind.word()), format!("stroke:{color}"));
        rule(&format!(".{}>.head", kind.word()), format!("fill:{color}"));
    }
    css
}
