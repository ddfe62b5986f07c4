//! What can be said of a plan's reading only when all of it is read: indentation, empty lines, unsupported
//! constructs, loop numbers, the direction of appends (language spec, sections 2.2, 5 and 12).

use std::collections::BTreeSet;

use crate::base::Span;
use crate::diag::{Code, Diagnostic, Edit, Severity};

use super::ast::{Annotation, Line, LoopNumber, Node, NodeId, Tree};
use super::data;
use super::expr::{Expr, Part, Value};
use super::identity::base_key;
use super::kind::{Kind, Marker};
use super::operation::{AssignOp, Assigning, InputForm, Spelling, TimingOp};
use super::reader::shorten;

/// Different steps that are counted; a file with more has no usual one.
const MAX_STEPS: usize = 64;
/// Roots after the second that are shown.
const MAX_ROOTS: usize = 3;

/// Runs all checks, and gives the loops their numbers.
pub(super) fn check(tree: &mut Tree, diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.extend(roots(tree));
    indentation(tree, diagnostics);
    loops(tree, diagnostics);
    for (id, node) in tree.iter() {
        diagnostics.extend(empty(node));
        diagnostics.extend(unsupported(node));
        diagnostics.extend(node.annotations.iter().filter(|a| data::holds_data(a)).filter_map(unread_data));
        diagnostics.extend(tree.append(id).filter(|a| a.reversed).map(|append| {
            let item = node.text_of(append.item.part);
            let destination = node.text_of(append.destination.part);
            let message =
                format!("`$+` names item `{destination}` and destination `{item}` the wrong way round");
            let write = match &node.concept.expr {
                Expr::Assigning(a) if a.spelling == Spelling::Current => {
                    format!("$+ %>({destination}) %<({item})")
                }
                _ => format!("$+({item}:{destination})"),
            };
            let diagnostic = Diagnostic::at(Code::NC048, node.span, message).help(format!("write `{write}`"));
            match exchange(node, append.item.part, append.destination.part) {
                Some(edits) => diagnostic.fix("exchange the two", edits),
                None => diagnostic,
            }
        }));
    }
}

/// Several roots: said once, however many there are (NC021).
fn roots(tree: &Tree) -> Option<Diagnostic> {
    let mut roots = tree.roots.iter().filter_map(|root| tree.node(*root));
    let (first, second) = (roots.next()?, roots.next()?);
    let further = tree.roots.len() - 1;
    let message = match further {
        1 => format!("a second root: `{}`", shorten(&second.text)),
        _ => format!("{further} further roots, beginning with `{}`", shorten(&second.text)),
    };
    let mut diagnostic = Diagnostic::at(Code::NC021, second.span, message).also(first.span, "the first root");
    for root in roots.take(MAX_ROOTS) {
        diagnostic = diagnostic.also(root.span, "another");
    }
    Some(diagnostic.help("indent what belongs to the first root below it; every root is a goal of the plan"))
}

/// Two parts of a line put in each other's place; none when one of them goes over several lines.
fn exchange(node: &Node, one: Part, other: Part) -> Option<Vec<Edit>> {
    let put = |at: Part, from: Part| {
        let (span, old) = (node.span_of(at), node.text_of(at));
        (span.len() == old.len()).then(|| Edit { span, text: node.text_of(from).to_owned() })
    };
    Some(vec![put(one, other)?, put(other, one)?])
}

/// Steps that differ from the file's usual one, and tabs beside blanks (NC010).
fn indentation(tree: &Tree, diagnostics: &mut Vec<Diagnostic>) {
    let line = |node: &Node| tree.lines.get(node.line as usize - 1);
    // A line that is off by one has been reported; neither it nor its children say anything about steps.
    let off: BTreeSet<u32> = diagnostics
        .iter()
        .filter(|d| d.code == Code::NC011)
        .filter_map(|d| d.primary.as_ref().map(|p| p.span.start))
        .collect();
    let mut steps = Vec::new();
    // Step, how often, in the order of the file.
    let mut counts: Vec<(u32, usize)> = Vec::new();
    for node in tree.nodes.iter().filter(|n| !n.flat) {
        let Some(parent) = node.parent.and_then(|p| tree.node(p)) else { continue };
        let (Some(own), Some(above)) = (line(node), line(parent)) else { continue };
        if off.contains(&own.span.start) || off.contains(&above.span.start) {
            continue;
        }
        let step = own.column.saturating_sub(above.column);
        if let Some((_, count)) = counts.iter_mut().find(|(known, _)| *known == step) {
            *count += 1;
        } else if counts.len() < MAX_STEPS {
            counts.push((step, 1));
        }
        steps.push((step, Span { end: own.content, ..own.span }));
    }
    // The most frequent step, the first of equals.
    let usual = counts.iter().fold((0, 0), |best, count| if count.1 > best.1 { *count } else { best });
    for (step, span) in steps.into_iter().filter(|(step, _)| *step != usual.0) {
        let message = format!("indented by {step} columns, elsewhere by {}", usual.0);
        diagnostics
            .push(Diagnostic::at(Code::NC010, span, message).help(format!("indent by {} columns", usual.0)));
    }
    let width = |l: &Line| l.content.saturating_sub(l.span.start);
    let indented = || tree.nodes.iter().filter_map(line).filter(|l| l.column > 0);
    // A tab makes the indentation wider than its bytes; a wide blank makes it narrower.
    let tab = indented().find(|l| l.column > width(l));
    let blank = indented().find(|l| l.column <= width(l));
    if let (Some(tab), Some(blank)) = (tab, blank) {
        let (first, later) = if tab.span.start < blank.span.start { (tab, blank) } else { (blank, tab) };
        let place = |l: &Line| Span { end: l.content, ..l.span };
        diagnostics.push(
            Diagnostic::at(Code::NC010, place(later), "indentation mixes tabs and blanks")
                .severity(Severity::Warning)
                .label("a tab goes to the next multiple of 4 columns")
                .also(place(first), "indented the other way here")
                .help("indent with blanks only"),
        );
    }
}

/// Numbers the loops: as written, else the lowest number no loop of the plan writes or has been given (NC046).
pub(super) fn loops(tree: &mut Tree, diagnostics: &mut Vec<Diagnostic>) {
    let numbered = |n: &Node| match &n.concept.expr {
        Expr::Looping(looping) => Some(looping.number),
        _ => None,
    };
    let mut used: BTreeSet<u32> = tree.nodes.iter().filter_map(|n| numbered(n).flatten()).collect();
    let mut next = 1;
    let mut found = Vec::new();
    for (id, node) in tree.iter() {
        let Some(written) = numbered(node) else { continue };
        let number = match written {
            Some(number) => number,
            None => {
                while !used.insert(next) {
                    next += 1;
                }
                let message = format!("loop without a number is taken as loop {next}");
                let write = match &node.concept.expr {
                    Expr::Looping(looping) if looping.spelling == Spelling::Current => format!("%@({next})"),
                    _ => format!("@({next})"),
                };
                let diagnostic =
                    Diagnostic::at(Code::NC046, node.span, message).help(format!("write `{write}`"));
                diagnostics.push(match behind_operation(node) {
                    Some(span) => {
                        let blank = if write.starts_with('%') { " " } else { "" };
                        let insert = Edit { span, text: format!("{blank}{write}") };
                        diagnostic.fix(format!("write `{write}`"), vec![insert])
                    }
                    None => diagnostic,
                });
                next
            }
        };
        found.push(LoopNumber { node: id, number, assigned: written.is_none() });
    }
    tree.loops = found;
}

/// The place behind an operation that was read to its end.
fn behind_operation(node: &Node) -> Option<Span> {
    let concept = &node.concept;
    let whole = concept.tail.is_none() && concept.suffixes.is_empty() && concept.problems.is_empty();
    let end = node.span_of(Part { start: 0, end: u32::try_from(node.source.len()).ok()? }).end;
    (whole && !node.source.is_empty()).then_some(Span { start: end, end, ..node.span })
}

fn empty(node: &Node) -> Option<Diagnostic> {
    let at_line = |message: &str, code| Diagnostic::at(code, node.span, message);
    match &node.concept.expr {
        Expr::Empty if node.marker == Marker::Function => Some(
            at_line("`<=` without an operation", Code::NC061)
                .help("write what is done: `<= ::(do something)`"),
        ),
        Expr::Empty => {
            let message = format!("nothing after `{}`", node.marker);
            Some(at_line(&message, Code::NC019).help("write a concept: `{name}`"))
        }
        Expr::Semantic(s) if s.body.text.is_empty() && node.concept.tail.is_none() => Some(
            at_line("operation without a text", Code::NC061).help("write what is done: `::(do something)`"),
        ),
        _ => None,
    }
}

/// Data that cannot be read (NC019).
fn unread_data(annotation: &Annotation) -> Option<Diagnostic> {
    let error = data::read(annotation.text()).err()?;
    let whole = annotation.value_span;
    let at = |n: usize| whole.start.saturating_add(u32::try_from(n).unwrap_or(u32::MAX)).min(whole.end);
    let span = Span { start: at(error.range.start), end: at(error.range.end), ..whole };
    Some(Diagnostic::at(Code::NC019, span, error.message).help(
        "write `%(axis)=[item, item]`, `[item, item]` or one value; items are JSON, signs `%(x)` or text",
    ))
}

/// Constructs that no program runs (NC060).
fn unsupported(node: &Node) -> Option<Diagnostic> {
    let (what, help) = match (&node.concept.expr, node.kind) {
        (_, Kind::Nominalization) => ("nominalization `$::`", "name the result of the action as a concept"),
        (_, Kind::TimingAction) => ("action timing `@::`", "use `@if`, `@if!` or `@after`"),
        (Expr::Timing(t), _) if t.op == TimingOp::Sequence => {
            ("ordering `@$+`", "use `@after({concept})` on what comes later")
        }
        (_, Kind::TimingBy) => ("method call `@by`", "write the steps of the method under the concept"),
        (_, Kind::Method) => ("method call `:_:`", "write the steps of the method under the concept"),
        (Expr::Input(input), _) => match &input.form {
            InputForm::Argument(_) => ("argument of a method `:<`", "write the value as a `<-` line"),
            InputForm::Port(_) => ("input port `:>@`", "use `:>:({x})`"),
            _ => return None,
        },
        _ => return None,
    };
    Some(Diagnostic::at(Code::NC060, node.span, format!("{what} is not supported")).help(help))
}

/// What a `$+` appends to what.
#[derive(Debug, Clone, Copy)]
pub struct Append<'a> {
    /// The item.
    pub item: &'a Value,
    /// What it is appended to.
    pub destination: &'a Value,
    /// The source names them the other way round (NC048).
    pub reversed: bool,
}

impl Tree {
    /// The item and destination of a `$+` line, put right: if exactly one of the two is the target of the line, that
    /// one is the destination (language spec, section 5.2). None for other lines, and when one of them is not
    /// written.
    pub fn append(&self, id: NodeId) -> Option<Append<'_>> {
        let node = self.node(id)?;
        let Expr::Assigning(assigning) = &node.concept.expr else { return None };
        if assigning.op != AssignOp::Continuation {
            return None;
        }
        let (item, destination) = pair(assigning)?;
        let target = node.parent.and_then(|p| self.node(p)?.concept.value()).map(base_key);
        let is_target = |v: &Value| target.as_ref() == Some(&base_key(v));
        let reversed = is_target(item) && !is_target(destination);
        let (item, destination) = if reversed { (destination, item) } else { (item, destination) };
        Some(Append { item, destination, reversed })
    }
}

fn pair(assigning: &Assigning) -> Option<(&Value, &Value)> {
    Some((assigning.item()?, assigning.destination()?))
}
