//! What the lines of a plan say, as sentences: for readers (`.ncn`, `.ncdn`) and as drafts (`.ncds`) (language spec,
//! sections 1 and 5.9). Knows the words only.

use crate::syntax::{
    AnnotationKind, AssignOp, Assigning, Body, Expr, GroupOp, Grouping, Looping, Marker, Node, NodeId, Pick,
    Semantic, SlotInstance, SlotKey, SuffixKind, Timing, TimingOp, Tree, Value, ValueKind,
};

/// The sentence of a line for a reader, without its marker.
pub(super) fn told(tree: &Tree, id: NodeId, node: &Node) -> String {
    if let Some(sentence) = written(node) {
        return sentence;
    }
    let sentence = match &node.concept.expr {
        Expr::Value(value) => value_told(tree, id, node, value),
        Expr::Looping(l) => loop_told(l),
        Expr::Assigning(a) => assigning_told(tree, id, node, a),
        Expr::Grouping(g) => grouping_told(tree, node, g),
        Expr::Timing(t) => timing_told(t),
        Expr::Semantic(s) => semantic_told(node, s),
        Expr::Input(i) => match &i.asked {
            Some(value) => format!("ask for {}", the(value)),
            None if i.body.text.is_empty() => "ask for it".to_owned(),
            None => format!("ask for {}", filled(node, &i.body)),
        },
        Expr::Method(m) => format!("use the method {}", m.name),
        Expr::Informal | Expr::Empty => return node.source.to_string(),
    };
    full(&sentence)
}

/// What a draft says on a line, without its marker.
pub(super) fn drafted(tree: &Tree, id: NodeId, node: &Node) -> String {
    let lower = |text: String| text.trim_end_matches('.').to_owned();
    match &node.concept.expr {
        Expr::Value(value) => match &value.literal {
            Some(literal) => format!("{}: \"{}\"", literal.key, literal.value),
            None => named(value),
        },
        Expr::Looping(l) => {
            let base = l.bases.first().map(named).unwrap_or_default();
            let element = l.axes.first().map(|a| a.name.to_string()).unwrap_or_else(|| base.clone());
            format!("for each {element} in {base}")
        }
        Expr::Assigning(a) => match a.op {
            AssignOp::Specification if in_loop(tree, node) => format!("return {}", sources(tree, node, a)),
            AssignOp::Specification => format!("select {}", sources(tree, node, a)),
            AssignOp::Continuation => lower(assigning_told(tree, id, node, a)),
            _ => lower(assigning_told(tree, id, node, a)),
        },
        Expr::Grouping(g) => {
            let list = listed(&grouped(tree, node, g));
            match g.op {
                GroupOp::In => format!("bundle {list} together"),
                GroupOp::Across => format!("collect {list} together"),
            }
        }
        Expr::Timing(t) => {
            let condition = t.condition.as_ref().map(named).unwrap_or_else(|| t.argument.to_string());
            match t.op {
                TimingOp::If => format!("if {condition}"),
                TimingOp::IfNot => format!("if NOT {condition}"),
                TimingOp::After => format!("after {condition}"),
                _ => node.source.to_string(),
            }
        }
        Expr::Semantic(s) => {
            let body = filled(node, &s.body);
            match node.kind == crate::syntax::Kind::Judgement && !is_judging(&body) {
                true => format!("judge if {body}"),
                false => body,
            }
        }
        Expr::Input(_) => "read user input".to_owned(),
        Expr::Method(_) | Expr::Informal | Expr::Empty => node.source.to_string(),
    }
}

/// `?{natural language}: ..`, the marker that may stand before it left out.
fn written(node: &Node) -> Option<String> {
    let of = |key| node.annotated(AnnotationKind::Syntactic, key).next();
    let text = of("natural_language").or_else(|| of("natural language"))?.text().trim();
    let markers = [":<:", ":>:", "<=", "<-", "<*", "<^"];
    let text = markers.iter().find_map(|m| text.strip_prefix(m)).unwrap_or(text).trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A name as words: `{number pair}*1` is the current number pair.
fn named(value: &Value) -> String {
    let mut name = match &value.literal {
        Some(literal) => literal.key.to_string(),
        None => plain(&value.name),
    };
    if value.kind == ValueKind::Proposition || value.is_query() {
        name.push('?');
    }
    let current = |k: &SuffixKind| matches!(k, SuffixKind::Version(_) | SuffixKind::CurrentVersion);
    if value.suffixes.iter().any(|s| current(&s.kind)) {
        return format!("current {name}");
    }
    match value.carried() {
        Some(_) => format!("previous {name}"),
        None => name,
    }
}

/// Names without the brackets in them.
fn plain(name: &str) -> String {
    name.replace(['{', '}'], "")
}

fn the(value: &Value) -> String {
    let name = named(value);
    let name = name.trim_end_matches('?');
    match value.kind == ValueKind::Proposition || name.starts_with("all ") || name.starts_with("the ") {
        true => name.to_owned(),
        false => format!("the {name}"),
    }
}

fn listed(names: &[String]) -> String {
    match names {
        [] => "what follows".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A sentence with a capital and a full stop.
fn full(text: &str) -> String {
    let text = text.trim();
    let mut chars = text.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    let end = if text.ends_with(['.', '!', '?', '。', '！', '？']) { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}

fn value_told(tree: &Tree, id: NodeId, node: &Node, value: &Value) -> String {
    let name = the(value);
    if let Some((_, function)) = tree.function(id) {
        return made(&name, value, function);
    }
    if let Some(of) = value.element_of() {
        return match value.carried() {
            Some(back) => format!("{name} is the one of {} {}", plain(of.name()), steps(back)),
            None => format!("{name} is the current one of {}", plain(of.name())),
        };
    }
    if let Some(back) = value.carried() {
        let name = name.replacen("previous ", "", 1);
        return format!("{name} is known from {}", steps(back));
    }
    if matches!(node.marker, Marker::Context | Marker::Carry) {
        return format!("{name} is known here");
    }
    if value.is_query() {
        return format!("what is asked for is {name}");
    }
    if let Some(literal) = &value.literal {
        return format!("{name} is {}", literal.value);
    }
    match value.placement() {
        Some(SlotKey::Number(n) | SlotKey::From(n)) => format!("use {name} as the {} input", ordinal(*n)),
        Some(SlotKey::Name(slot)) => format!("use {name} as the {slot}"),
        _ => match node.annotations.iter().any(crate::syntax::data::holds_data) {
            true => format!("{name} {} given", if is_plural(&name) { "are" } else { "is" }),
            false => format!("use {name}"),
        },
    }
}

/// How a value comes about, by what makes it.
fn made(name: &str, value: &Value, function: &Node) -> String {
    use crate::syntax::Kind;
    if value.kind == ValueKind::Proposition {
        return format!("it is decided whether {name}");
    }
    let how = match function.kind {
        Kind::LoopingEvery => "is made step by step",
        Kind::Specification | Kind::Selection => "is chosen",
        Kind::Continuation => "grows",
        Kind::Identity => "has another name",
        Kind::Abstraction => "is set",
        Kind::GroupingIn => "is put together",
        Kind::GroupingAcross => "is collected",
        Kind::Input => "is asked for",
        Kind::Judgement => "is judged",
        Kind::TimingIf | Kind::TimingIfNot | Kind::TimingAfter => "is taken at its time",
        _ => "is worked out",
    };
    if !is_plural(name) {
        return format!("{name} {how}");
    }
    let how = match how.split_once(' ') {
        Some(("is", rest)) => format!("are {rest}"),
        Some(("has", rest)) => format!("have {rest}"),
        _ => how.trim_end_matches('s').to_owned(),
    };
    format!("{name} {how}")
}

/// A guess that is right for most names of collections.
fn is_plural(name: &str) -> bool {
    let one = ["ss", "us", "is", "'s"];
    name.ends_with('s') && !one.iter().any(|end| name.ends_with(end))
}

fn steps(back: u32) -> String {
    match back {
        0 => "before the first step".to_owned(),
        1 => "the step before".to_owned(),
        n => format!("{n} steps before"),
    }
}

fn ordinal(n: u32) -> String {
    const WORDS: [&str; 10] =
        ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];
    let word = (n as usize).checked_sub(1).and_then(|at| WORDS.get(at));
    word.map_or_else(|| format!("{n}th"), |w| (*w).to_owned())
}

fn loop_told(looping: &Looping) -> String {
    let bases: Vec<String> = looping.bases.iter().map(the).collect();
    let axis = looping.axes.first().map(|a| a.name.to_string());
    let element = axis.unwrap_or_else(|| looping.bases.first().map(|b| plain(&b.name)).unwrap_or_default());
    let carried: Vec<String> = looping.carries.iter().map(|c| plain(&c.value.name)).collect();
    let kept = match carried.is_empty() {
        true => String::new(),
        false => format!(", with {} handed on from step to step", listed(&carried)),
    };
    format!("for each {element} in {}{kept}", listed(&bases))
}

/// The line stands below a loop line: it says what one step gives.
fn in_loop(tree: &Tree, node: &Node) -> bool {
    node.parent.and_then(|p| tree.node(p)).is_some_and(|p| matches!(p.concept.expr, Expr::Looping(_)))
}

fn sources(tree: &Tree, node: &Node, assigning: &Assigning) -> String {
    let mut names: Vec<String> = assigning.sources().into_iter().map(the).collect();
    if names.is_empty() {
        names = beside(tree, node).into_iter().take(1).collect();
    }
    match names.as_slice() {
        [] | [_] => listed(&names),
        many => format!("the first one there of {}", listed(many)),
    }
}

/// How many values a sentence names: more help nobody.
const MOST_NAMED: usize = 50;

/// The values beside a function line.
fn beside(tree: &Tree, node: &Node) -> Vec<String> {
    let Some(parent) = node.parent else { return Vec::new() };
    tree.values(parent).filter_map(|(_, n)| n.concept.value()).take(MOST_NAMED).map(the).collect()
}

fn grouped(tree: &Tree, node: &Node, grouping: &Grouping) -> Vec<String> {
    let named: Vec<String> = grouping.sources().into_iter().map(the).collect();
    if named.is_empty() { beside(tree, node) } else { named }
}

fn assigning_told(tree: &Tree, id: NodeId, node: &Node, assigning: &Assigning) -> String {
    match assigning.op {
        AssignOp::Specification if in_loop(tree, node) => {
            format!("each step gives {}", sources(tree, node, assigning))
        }
        AssignOp::Specification => format!("take {}", sources(tree, node, assigning)),
        AssignOp::Continuation => {
            let pair = tree.append(id);
            let item = pair.map(|a| a.item).or_else(|| assigning.item()).map(the);
            let destination = pair.map(|a| a.destination).or_else(|| assigning.destination()).map(the);
            let or = |name: Option<String>, other: &str| name.unwrap_or_else(|| other.to_owned());
            format!("append {} to {}", or(item, "what follows"), or(destination, "it"))
        }
        AssignOp::Identity => format!(
            "it is the same as {}",
            listed(&assigning.sources().into_iter().map(the).collect::<Vec<_>>())
        ),
        AssignOp::Abstraction => match assigning.literal().map(str::trim) {
            None => "take it as it is written".to_owned(),
            Some("[]") => "start with nothing".to_owned(),
            Some(literal) => format!("start with {literal}"),
        },
        AssignOp::Selection => {
            let from = sources(tree, node, assigning);
            match (assigning.pick(), assigning.pick_key()) {
                (Some(Pick::Index(-1)), _) => format!("pick the last of {from}"),
                (Some(Pick::Index(n)), _) if n >= 0 => {
                    format!(
                        "pick the {} of {from}",
                        ordinal(u32::try_from(n).unwrap_or(u32::MAX).saturating_add(1))
                    )
                }
                (Some(Pick::Index(n)), _) => format!(
                    "pick the {} of {from}, from the end",
                    ordinal(u32::try_from(n.unsigned_abs()).unwrap_or(u32::MAX))
                ),
                (Some(Pick::All), _) => format!("unpack {from}"),
                (None, Some(key)) => format!("pick the {} of {from}", plain(key.name())),
                (None, None) => format!("pick from {from}"),
            }
        }
        AssignOp::Nominalization => "take the action as a thing".to_owned(),
    }
}

fn grouping_told(tree: &Tree, node: &Node, grouping: &Grouping) -> String {
    let list = listed(&grouped(tree, node, grouping));
    match grouping.op {
        GroupOp::In => format!("bundle {list} together, each under its name"),
        GroupOp::Across => format!("collect {list} into one list"),
    }
}

fn timing_told(timing: &Timing) -> String {
    let condition = timing.condition.as_ref().map(the).unwrap_or_else(|| timing.argument.to_string());
    let condition = if condition.is_empty() { "what follows".to_owned() } else { condition };
    match timing.op {
        TimingOp::If => format!("only if {condition}"),
        TimingOp::IfNot => format!("only if it is not true that {condition}"),
        TimingOp::After => format!("only after {condition}"),
        TimingOp::By => "by another method".to_owned(),
        TimingOp::Action | TimingOp::Sequence => format!("at the time of {condition}"),
    }
}

fn is_judging(body: &str) -> bool {
    ["judge ", "check ", "determine ", "decide "].iter().any(|w| body.to_lowercase().starts_with(w))
}

fn semantic_told(node: &Node, semantic: &Semantic) -> String {
    let body = filled(node, &semantic.body);
    match node.kind == crate::syntax::Kind::Judgement && !is_judging(&body) {
        true => format!("judge whether {body}"),
        false => body,
    }
}

/// The text of an operation with its slots named.
fn filled(node: &Node, body: &Body) -> String {
    let mut out = String::new();
    let mut at = body.part.start;
    for slot in &body.slots {
        let between = crate::syntax::Part { start: at, end: slot.part.start };
        out.push_str(node.text_of(between));
        match &slot.instance {
            Some(SlotInstance::Abstraction(of)) => out.push_str(&plain(of.name())),
            Some(SlotInstance::Literal(text)) => out.push_str(&plain(text)),
            _ => out.push_str(&match &slot.key {
                SlotKey::Number(n) | SlotKey::From(n) => format!("the {} input", ordinal(*n)),
                SlotKey::Any => "every input".to_owned(),
                SlotKey::Name(name) => name.to_string(),
            }),
        }
        at = slot.part.end;
    }
    out.push_str(node.text_of(crate::syntax::Part { start: at, end: body.part.end }));
    let words: Vec<&str> = out.split_whitespace().collect();
    plain(&words.join(" ")).replace('|', "/")
}
