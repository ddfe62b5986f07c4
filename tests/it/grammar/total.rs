//! Reading is total: any text gives a tree whose places lie in the text, in bounded time.

use std::time::Duration;

use normc::base::{FileId, Span};
use normc::diag::Diagnostic;
use normc::syntax::{Body, Expr, Modifier, Operand, Part, Tree, Value, parse};
use proptest::prelude::*;

use crate::corpus;
use crate::measure::of_thread;

/// The places an expression keeps.
fn parts(expr: &Expr) -> Vec<Part> {
    let of_value =
        |v: &Value| [v.part, v.head].into_iter().chain(v.suffixes.iter().map(|s| s.part)).collect();
    let of_operands = |list: &[Operand]| {
        list.iter().flat_map(|o| o.value().map_or(vec![o.part], of_value)).collect::<Vec<Part>>()
    };
    let of_modifiers = |list: &[Modifier]| {
        list.iter().flat_map(|m| [vec![m.part], of_operands(&m.operands)].concat()).collect()
    };
    let of_body = |b: &Body| {
        let mentions = b.mentions.iter().flat_map(of_value);
        b.slots.iter().map(|s| s.part).chain([b.part]).chain(mentions).collect::<Vec<Part>>()
    };
    let groups: Vec<Vec<Part>> = match expr {
        Expr::Value(v) => vec![of_value(v), v.members.iter().flat_map(of_value).collect()],
        Expr::Looping(l) => vec![of_modifiers(&l.modifiers), l.bases.iter().flat_map(of_value).collect()],
        Expr::Assigning(a) => {
            vec![of_operands(&a.args), of_operands(&a.after_colon), of_modifiers(&a.modifiers)]
        }
        Expr::Grouping(g) => {
            vec![of_operands(&g.args), of_operands(&g.after_colon), of_modifiers(&g.modifiers)]
        }
        Expr::Timing(t) => {
            vec![t.argument_part.into_iter().collect(), t.condition.iter().flat_map(of_value).collect()]
        }
        Expr::Input(i) => vec![of_body(&i.body)],
        Expr::Method(m) => vec![of_body(&m.body)],
        Expr::Semantic(s) => vec![of_body(&s.body), s.assertion.iter().map(|a| a.part).collect()],
        Expr::Informal | Expr::Empty => Vec::new(),
    };
    groups.concat()
}

/// Every place of a tree lies on character boundaries inside the text.
fn places(text: &str, tree: &Tree, diagnostics: &[Diagnostic]) -> Result<(), String> {
    let fits = |span: Span, what: &str| match text.get(span.start as usize..span.end as usize) {
        Some(_) => Ok(()),
        None => Err(format!("{what} at {}..{} does not fit the text", span.start, span.end)),
    };
    corpus::check(text, tree)?;
    for d in diagnostics {
        for label in d.primary.iter().chain(&d.secondary) {
            fits(label.span, d.code.as_str())?;
        }
        for edit in d.fix.iter().flat_map(|f| &f.edits) {
            fits(edit.span, "edit")?;
        }
    }
    for node in &tree.nodes {
        fits(node.span, "node")?;
        for a in node.annotations.iter().chain(&node.leading).chain(&tree.trailing) {
            fits(a.span, "annotation")?;
            fits(a.value_span, "annotation value")?;
        }
        for part in parts(&node.concept.expr) {
            fits(node.span_of(part), "part")?;
        }
    }
    Ok(())
}

fn read(text: &str) -> Result<(), TestCaseError> {
    let (tree, diagnostics) = parse(FileId(0), text, None);
    places(text, &tree, &diagnostics).map_err(TestCaseError::fail)
}

/// Pieces of plans: signs that mean something, beside text that does not.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "<",
    ">",
    "<$(",
    ")%>",
    "<$={1}>",
    "<:{1}>",
    "*1",
    "*",
    "?",
    "@",
    "|",
    "| ",
    "/:",
    "%>",
    "%<",
    "%:",
    "%^",
    "$.",
    "$+",
    "&in",
    "&across",
    "*every",
    "@if",
    "@after",
    "::",
    ":%(True):",
    ":>:",
    ":_:",
    "<=",
    "<-",
    "<*",
    ":<:",
    "->",
    "\n",
    "\n    ",
    "\n\t",
    "\n        <- ",
    "\n    <= ",
    "\r",
    "\r\n",
    " ",
    "  ",
    "\u{3000}",
    "\u{a0}",
    "\u{feff}",
    "\u{1}",
    "a",
    "名",
    "é",
    "1.2.",
    "1.object|",
    "<ALL True>",
    "ref. ",
    "%{k}: ",
    "?{flow_index}: 1",
    ",",
    ";",
    ":",
    "\"",
    "#",
    " // ",
];

fn corpus_texts() -> Vec<String> {
    let folder = corpus::own_folder();
    corpus::plans(&folder).iter().filter_map(|p| Some(corpus::read(&p.path).ok()?.0)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read(text in any::<String>()) {
        read(&text)?;
    }

    #[test]
    fn any_pieces_are_read(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..60)) {
        read(&pieces.concat())?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_plans_are_read(
        plan in prop::sample::select(corpus_texts()),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..4u8), 1..6),
    ) {
        let mut chars: Vec<char> = plan.chars().take(4000).collect();
        for (a, b, what) in cuts {
            if chars.is_empty() {
                break;
            }
            let (a, b) = (a.index(chars.len()), b.index(chars.len()));
            let (from, to) = (a.min(b), a.max(b).min(a.min(b) + 80));
            match what {
                0 => drop(chars.drain(from..to)),
                1 => {
                    let copy: Vec<char> = chars[from..to].to_vec();
                    chars.splice(from..from, copy);
                }
                2 => chars.swap(a, b),
                _ => chars.truncate(to),
            }
        }
        read(&chars.into_iter().collect::<String>())?;
    }
}

/// Texts made to be slow or to overflow the stack. The limits are loose: a build without optimisation on a slow
/// machine stays far below them, anything that grows by the square does not.
#[test]
fn hostile_texts_are_read_in_bounded_time() {
    const SIZE: usize = 60_000;
    let many = |piece: &str| piece.repeat(SIZE / piece.len());
    let nested = |open: &str, close: &str, n: usize| format!("{}x{}", open.repeat(n), close.repeat(n));
    let texts = [
        format!("<- {{{}}}", many("a")),
        format!("<= ::({})", many("{1} ")),
        format!("<= ::{}", many("(")),
        format!("<- {}", nested("{", "}", 10_000)),
        format!("<- {}", nested("(", ")", 10_000)),
        format!("<- {}", nested("(", ")", 64)),
        format!("<- {}", nested("[{a}, ", "]", 63)),
        format!("<- {}", nested("<a><$(", ")%>", 63)),
        format!("<- {}", many("<")),
        format!("<- <a{}", many(">")),
        format!("<- <a{}x", many("><b")),
        format!("<- <a{}x", many("><$={1}")),
        format!("<= ::<a{}x", many("><ALL ")),
        format!("<- {{a}}{}x", many("*1")),
        format!("<- {{a}} {}", many("|(")),
        format!("<= $. {}", many("%>({a}) ")),
        format!("<= &in({}!)", many("{a};")),
        format!("<= ::(a\n{}", many("  b {c}\n")),
        format!("<- {{a}}\n{}", many("  (b c\n")),
        format!("{}1.object|<- {{a}}", many("1.")),
        format!("<- {{a}} | ref. {}", nested("[", "]", 10_000)),
        many("/: a\n"),
        many("<- {a}\n"),
        many("\r"),
    ];
    for text in texts {
        let start = of_thread();
        let (tree, diagnostics) = parse(FileId(0), &text, None);
        places(&text, &tree, &diagnostics).unwrap();
        let shown: String = text.chars().take(40).collect();
        let took = of_thread().saturating_sub(start);
        assert!(took < Duration::from_secs(60), "{shown}.. took {took:?}");
    }
}
