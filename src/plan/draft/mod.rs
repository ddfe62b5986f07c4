//! Drafts: the sentences of a plan read as the formal lines they stand for, so that a draft becomes a skeleton that
//! compiles (language spec, section 5.9).
//!
//! `acts` says what a sentence asks for, `names` which concept a value line is, `operations` writes the formal text,
//! `comments` finds formal lines in comments, `words` compares words. Knows nothing of what the formal lines mean.

mod acts;
mod comments;
mod names;
mod operations;
mod words;

use rustc_hash::FxHashSet;

use crate::base::Span;
use crate::diag::{Code, Diagnostic, Edit, Severity};
use crate::syntax::{Expr, Marker, Node, Tree, reread};

use super::model::Plan;
use super::resolver::{resolve, resolve_as, shown};
use operations::Writer;

/// Resolves a draft: every sentence is read as the formal line its words suggest, else as an imperative with its text
/// (`NC070` at each). What is only a matter of how a sentence was read is not reported; errors are. A plan without
/// sentences is resolved as it stands (language spec, section 5.9).
pub fn resolve_draft(tree: &Tree) -> (Plan, Vec<Diagnostic>) {
    let texts = Writer::new(tree).write();
    if texts.is_empty() {
        return resolve(tree);
    }
    let formal = reread(tree, texts.iter().map(|(id, text)| (*id, text.clone())));
    let (plan, mut diagnostics) = resolve_as(&formal, true);
    let read: FxHashSet<Span> = texts.iter().filter_map(|(id, _)| Some(tree.node(*id)?.span)).collect();
    diagnostics.retain(|d| d.is_error() || d.primary.as_ref().is_none_or(|p| !read.contains(&p.span)));
    for (id, text) in &texts {
        let (Some(node), Some(now)) = (tree.node(*id), formal.node(*id)) else { continue };
        // What does not read is an error of its own, and words behind a concept are spoken of already.
        let reported = node.concept.problems.iter().any(|p| p.code == Code::NC018);
        if !reported && !matches!(now.concept.expr, Expr::Informal) {
            diagnostics.push(interpreted(node, text));
        }
    }
    diagnostics.sort_by_key(|d| d.primary.as_ref().map(|l| (l.span.start, l.span.end)));
    (plan, diagnostics)
}

/// The note at a sentence: how it was read, and the formal line its comments hold.
fn interpreted(node: &Node, text: &str) -> Diagnostic {
    let what = match node.marker {
        Marker::Function => "operation",
        _ => "concept",
    };
    let mark = if node.marker == Marker::None { "<-" } else { node.marker.as_str() };
    let diagnostic = Diagnostic::at(
        Code::NC070,
        node.span,
        format!("the {what} is a sentence, read as `{}`", shown(text)),
    )
    .severity(Severity::Info);
    match comments::formal(node) {
        Some(formal) => diagnostic
            .help(format!("its comment says `{mark} {}`: write that on the line itself", shown(&formal)))
            .fix("write the formal line of the comment", vec![Edit { span: node.span, text: formal }]),
        None => diagnostic.help("write the formal line that you mean before others depend on the plan"),
    }
}
