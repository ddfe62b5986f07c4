//! Mends of what was found on reading, where the mend depends on other lines: loop versions without a number
//! (NC043), remarks in the place of clauses (NC045), two spellings in one file (NC040; language spec, sections 4.4
//! and 11). Knows nothing of how mends are put into a text.

use rustc_hash::FxHashMap;

use crate::base::Span;
use crate::diag::{Code, Diagnostic, Edit, Fix};
use crate::syntax::{
    AssignOp, Assigning, Expr, Node, NodeId, Part, Spelling, SuffixKind, Timing, TimingOp, Tree,
};

use super::scope::Scopes;

/// Adds mends to the diagnostics that reading `tree` gave.
pub fn add_mends(tree: &Tree, diagnostics: &mut [Diagnostic]) {
    let mut lacking: FxHashMap<(Code, u32, u32), Vec<usize>> = FxHashMap::default();
    for (i, diagnostic) in diagnostics.iter().enumerate().filter(|(_, d)| d.fix.is_none()) {
        let Some(span) = diagnostic.primary.as_ref().map(|p| p.span) else { continue };
        if matches!(diagnostic.code, Code::NC040 | Code::NC043 | Code::NC045) {
            lacking.entry((diagnostic.code, span.start, span.end)).or_default().push(i);
        }
    }
    if lacking.is_empty() {
        return;
    }
    let scopes = Scopes::of(tree);
    for (id, node) in tree.iter() {
        for problem in &node.concept.problems {
            let fix = match problem.code {
                Code::NC043 => version(tree, &scopes, id, node, problem.part),
                Code::NC045 => remark(tree, node, problem.part),
                _ => continue,
            };
            let span = node.span_of(problem.part);
            let found = lacking.get_mut(&(problem.code, span.start, span.end)).and_then(Vec::pop);
            if let (Some(fix), Some(diagnostic)) = (fix, found.and_then(|i| diagnostics.get_mut(i))) {
                diagnostic.fix = Some(fix);
            }
        }
    }
    if let Some(mixed) = diagnostics.iter_mut().find(|d| d.code == Code::NC040 && d.fix.is_none()) {
        mixed.fix = one_spelling(tree);
    }
}

/// `*` to `*N`, the innermost loop around the line. What a loop carries is counted in that loop, which `*` there does
/// not say.
fn version(tree: &Tree, scopes: &Scopes, id: NodeId, node: &Node, part: Part) -> Option<Fix> {
    if let Expr::Looping(looping) = &node.concept.expr {
        let within = |p: Part| p.start <= part.start && part.end <= p.end;
        looping.bases.iter().find(|base| within(base.part))?;
    }
    let number = scopes.number(tree, id)?;
    let end = node.span_of(part).end;
    let insert = Edit { span: Span { start: end, end, ..node.span }, text: number.to_string() };
    Some(Fix { title: format!("write `*{number}`"), edits: vec![insert] })
}

/// `{number}<the one from the form>` to `{number} | /: the one from the form`. Within operations a remark has no
/// other place.
fn remark(tree: &Tree, node: &Node, part: Part) -> Option<Fix> {
    let value = node.concept.value()?;
    let suffix = value.suffixes.iter().chain(&node.concept.suffixes).find(|s| s.part == part)?;
    let SuffixKind::Clausal(text) = &suffix.kind else { return None };
    let at = tree.lines.partition_point(|l| l.span.start <= node.span.start).checked_sub(1)?;
    let line = tree.lines.get(at)?;
    if node.span.end > line.span.end {
        return None;
    }
    let end = line.span.end;
    let edits = vec![
        Edit { span: node.span_of(part), text: String::new() },
        Edit { span: Span { start: end, end, ..line.span }, text: format!(" | /: {text}") },
    ];
    Some(Fix { title: "write it behind `| /:`".to_owned(), edits })
}

/// The legacy operators of a plan in the current spelling; none unless all of them have one that means the same.
fn one_spelling(tree: &Tree) -> Option<Fix> {
    let mut edits = Vec::new();
    for node in &tree.nodes {
        let text = match &node.concept.expr {
            Expr::Looping(l) if l.spelling == Spelling::Legacy => return None,
            Expr::Grouping(g) if g.spelling == Spelling::Legacy => return None,
            Expr::Assigning(a) if a.spelling == Spelling::Legacy => assigning(node, a)?,
            Expr::Timing(t) if t.spelling == Spelling::Legacy => timing(node, t)?,
            _ => continue,
        };
        let (span, whole) = (node.span, node.text.len());
        let plain = node.concept.problems.is_empty()
            && node.concept.tail.is_none()
            && node.concept.suffixes.is_empty()
            && node.source == node.text;
        if !plain || span.len() != whole {
            return None;
        }
        edits.push(Edit { span, text });
    }
    (!edits.is_empty())
        .then(|| Fix { title: "write all operators in the current spelling".to_owned(), edits })
}

fn assigning(node: &Node, written: &Assigning) -> Option<String> {
    let text = |part: Part| node.text_of(part);
    match written.op {
        AssignOp::Specification if written.after_colon.is_empty() && written.by_axes.is_empty() => {
            let named: Option<Vec<&str>> =
                written.args.iter().map(|o| o.value().map(|v| text(v.part))).collect();
            match named?.as_slice() {
                [] => None,
                [one] => Some(format!("$. %>({one})")),
                several => Some(format!("$. %>[{}]", several.join(", "))),
            }
        }
        AssignOp::Continuation => {
            let ([item], [destination]) = (written.args.as_slice(), written.after_colon.as_slice()) else {
                return None;
            };
            let (item, destination) = (text(item.value()?.part), text(destination.value()?.part));
            let axis = match (written.by_axes.as_slice(), node.source.split_once("%:")) {
                ([], None) => String::new(),
                ([_], Some((_, axis))) => {
                    let inner = axis.trim().get(1..axis.trim().len().checked_sub(1)?)?;
                    format!(" %:({})", inner.trim())
                }
                _ => return None,
            };
            Some(format!("$+ %>({destination}) %<({item}){axis}"))
        }
        _ => None,
    }
}

fn timing(node: &Node, written: &Timing) -> Option<String> {
    let (head, sign) = match written.op {
        TimingOp::If => ("@if(", "@:'"),
        TimingOp::IfNot => ("@if!(", "@:!"),
        TimingOp::After => ("@after(", "@."),
        _ => return None,
    };
    // A condition written `{x}!` turns the operator round; the current form has no such sign.
    let condition = node.source.strip_prefix(head)?;
    (written.condition.is_some() && !condition.trim_end_matches([')', ' ']).ends_with('!'))
        .then(|| format!("{sign}({condition}"))
}
