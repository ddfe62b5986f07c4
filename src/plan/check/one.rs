//! One mistake, one diagnostic: leaves out what only follows from something reported already (language spec, section
//! 12). Runs last, over what reading the names and all checks have found.
//!
//! What ties two of them together are the concepts they are about ([`Diagnostic::about`]).

use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::Span;
use crate::diag::{Code, Diagnostic, Severity};
use crate::plan::model::Concept;
use crate::syntax::{Expr, Marker, NodeId, Tree};

use super::Facts;

/// Lines that could not be read and whose names are searched for; a plan with more is not a plan with one mistake.
const MOST_BROKEN: usize = 32;

/// Longer lines are not searched for names, nor are plans with more concepts than this.
const LONGEST_LINE: usize = 512;
const MOST_CONCEPTS: usize = 20_000;

/// Places named together in one diagnostic.
const MOST_PLACES: usize = 6;

/// Codes about a value that is missing, out of place or never used: what a line that could not be read brings about.
const FOLLOWS: [Code; 12] = [
    Code::NC033,
    Code::NC038,
    Code::NC050,
    Code::NC080,
    Code::NC081,
    Code::NC082,
    Code::NC083,
    Code::NC084,
    Code::NC087,
    Code::NC089,
    Code::NC092,
    Code::NC097,
];

/// Codes about the values of one step.
const OF_STEP: [Code; 4] = [Code::NC057, Code::NC058, Code::NC061, Code::NC090];

pub(super) fn settle(facts: &Facts<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let lines = Lines::of(facts.tree);
    let broken = broken(facts, &lines, diagnostics);
    let doubtful = doubtful(facts, &broken);
    let steps = neighbours(facts.tree, &broken);
    let open: FxHashSet<NodeId> = unclosed(facts.tree).collect();
    let unread_loop = broken.iter().any(|id| is_loop_like(facts.tree, *id));
    diagnostics.retain(|d| {
        let node = d.primary.as_ref().and_then(|p| lines.node(p.span));
        let within = |set: &FxHashSet<NodeId>| node.is_some_and(|n| set.contains(&n));
        let about = FOLLOWS.contains(&d.code) && subjects(d).any(|name| doubtful.contains(name));
        // A candidate that no line gives is a concept only when a line could be read.
        let unread =
            d.code == Code::NC050 && subject(d).is_some_and(|name| is_written(facts.tree, &broken, name));
        let of_step = OF_STEP.contains(&d.code) && within(&steps);
        let of_open = d.severity != Severity::Error && within(&open);
        let of_loop = unread_loop && d.missing_loop.is_some();
        !(about || unread || of_step || of_open || of_loop)
    });
    named_before(&lines, diagnostics);
    loops(facts, &lines, diagnostics);
    near_names(diagnostics);
}

/// The concept a diagnostic is about.
fn subject(diagnostic: &Diagnostic) -> Option<&str> {
    diagnostic.about.first().map(String::as_str)
}

/// The concepts that a diagnostic is about: of a circle all that are in it.
fn subjects(diagnostic: &Diagnostic) -> impl Iterator<Item = &str> {
    let most = if diagnostic.code == Code::NC080 { usize::MAX } else { 1 };
    diagnostic.about.iter().map(String::as_str).take(most)
}

/// From a place to the line it is on.
struct Lines {
    starts: Vec<(u32, u32, NodeId)>,
}

impl Lines {
    fn of(tree: &Tree) -> Self {
        let mut starts: Vec<_> = tree.iter().map(|(id, n)| (n.span.start, n.span.end, id)).collect();
        starts.sort_unstable();
        Self { starts }
    }

    fn node(&self, span: Span) -> Option<NodeId> {
        let at = self.starts.partition_point(|(start, ..)| *start <= span.start).checked_sub(1)?;
        self.starts.get(at).filter(|(_, end, _)| span.start <= *end).map(|(.., id)| *id)
    }
}

/// Lines of which something was reported that leaves them out of the plan.
fn broken(facts: &Facts<'_>, lines: &Lines, diagnostics: &[Diagnostic]) -> Vec<NodeId> {
    let unread = |code: Code| matches!(code, Code::NC013 | Code::NC018 | Code::NC063);
    let mut found: Vec<NodeId> = facts
        .tree
        .iter()
        .filter(|(_, n)| {
            matches!(n.concept.expr, Expr::Informal) && n.concept.problems.iter().any(|p| unread(p.code))
        })
        .map(|(id, _)| id)
        .collect();
    let refused = diagnostics.iter().filter(|d| d.is_error() && matches!(d.code, Code::NC060 | Code::NC063));
    found.extend(refused.filter_map(|d| lines.node(d.primary.as_ref()?.span)));
    found.extend(unclosed(facts.tree));
    found.sort_unstable();
    found.dedup();
    found.truncate(MOST_BROKEN);
    found
}

fn unclosed(tree: &Tree) -> impl Iterator<Item = NodeId> + '_ {
    let open = |n: &&crate::syntax::Node| n.concept.problems.iter().any(|p| p.code == Code::NC013);
    tree.iter().filter(move |(_, n)| open(n)).map(|(id, _)| id)
}

/// The names that may be missing only because of those lines: what is written on them, what they compute, and what a
/// line computes that says that it does but has no operation (`NC032`).
fn doubtful<'a>(facts: &'a Facts<'_>, broken: &[NodeId]) -> FxHashSet<&'a str> {
    let mut found: FxHashSet<&str> = FxHashSet::default();
    let texts: Vec<&str> = broken
        .iter()
        .filter_map(|id| Some(&*facts.tree.node(*id)?.source))
        .filter(|text| text.len() <= LONGEST_LINE && facts.plan.concepts.len() <= MOST_CONCEPTS)
        .collect();
    // What walks a loop that is not made.
    let below = broken.iter().filter_map(|id| facts.tree.loop_number(facts.scopes.function(*id)?));
    let loops: FxHashSet<u32> = below.map(|l| l.number).collect();
    let written = |c: &Concept| c.bare.chars().count() > 1 && texts.iter().any(|t| t.contains(&*c.bare));
    for (id, concept) in facts.values() {
        let declared = concept.lines.iter().any(|line| {
            let computed = facts.scopes.function(line.node).is_some();
            let node = facts.tree.node(line.node);
            !computed && node.is_some_and(|n| n.sequence.is_some() && !n.flat && n.marker != Marker::Function)
        });
        let of_loop = concept.versions.iter().any(|number| loops.contains(number));
        if declared || of_loop || facts.broken.contains(&id) || written(concept) {
            found.insert(&concept.name);
            found.insert(head(&concept.name));
        }
    }
    found.extend(texts);
    found
}

/// Returns whether the words of a name stand on one of the lines.
fn is_written(tree: &Tree, lines: &[NodeId], name: &str) -> bool {
    let bare = head(name).trim_matches(|c| matches!(c, '{' | '}' | '[' | ']' | '<' | '>' | '?'));
    bare.chars().count() > 1
        && lines
            .iter()
            .filter_map(|id| tree.node(*id))
            .any(|n| n.source.len() <= LONGEST_LINE && n.source.contains(bare))
}

/// A name without the numbers of loops behind it.
fn head(name: &str) -> &str {
    let end = name.trim_end_matches(|c: char| c == '*' || c.is_ascii_digit());
    if end.ends_with(['}', ']', '>', '?']) { end } else { name }
}

/// The function lines beside broken lines.
fn neighbours(tree: &Tree, broken: &[NodeId]) -> FxHashSet<NodeId> {
    let parents = broken.iter().filter_map(|id| tree.node(*id)?.parent);
    parents.flat_map(|p| tree.children(p).map(|(id, _)| id)).collect()
}

/// An operation that could not be read and may be a loop.
fn is_loop_like(tree: &Tree, id: NodeId) -> bool {
    tree.node(id).is_some_and(|n| {
        let has_step = tree.children(id).any(|(_, c)| c.marker == Marker::Function);
        n.marker == Marker::Function && (n.source.starts_with('*') || has_step)
    })
}

/// The concepts that speak of loops which the plan does not have, without the numbers.
fn lost(diagnostics: &[Diagnostic]) -> FxHashSet<String> {
    let missing = diagnostics.iter().filter(|d| d.missing_loop.is_some());
    missing.filter_map(|d| subject(d).map(|name| head(name).to_owned())).collect()
}

/// A missing value whose line has an error already, or that was said to be missing where it is named.
fn named_before(lines: &Lines, diagnostics: &mut Vec<Diagnostic>) {
    let nodes: FxHashSet<NodeId> = diagnostics
        .iter()
        .filter(|d| d.is_error() && matches!(d.code, Code::NC060 | Code::NC061 | Code::NC063))
        .filter_map(|d| lines.node(d.primary.as_ref()?.span))
        .collect();
    let named: FxHashSet<String> = diagnostics
        .iter()
        .filter(|d| d.code == Code::NC050)
        .filter_map(|d| subject(d).map(str::to_owned))
        .collect();
    let lost = lost(diagnostics);
    diagnostics.retain(|d| {
        let missing = d.code == Code::NC081;
        let follows = matches!(d.code, Code::NC038 | Code::NC081 | Code::NC084);
        let elsewhere = matches!(d.code, Code::NC050 | Code::NC092);
        if elsewhere && subject(d).is_some_and(|name| lost.contains(head(name))) {
            return false;
        }
        let said = missing
            && d.primary.as_ref().and_then(|p| lines.node(p.span)).is_some_and(|n| nodes.contains(&n));
        let known = follows && subject(d).is_some_and(|name| named.contains(name));
        !(said || known)
    });
}

/// A number that no loop has is one mistake, however often it is written; the loop that was meant then lacks what
/// belongs to it.
fn loops(facts: &Facts<'_>, lines: &Lines, diagnostics: &mut Vec<Diagnostic>) {
    let mut first: FxHashMap<u32, usize> = FxHashMap::default();
    let mut others: Vec<(usize, Span)> = Vec::new();
    let lost: FxHashSet<String> = lost(diagnostics);
    let mut drop = vec![false; diagnostics.len()];
    for (i, diagnostic) in diagnostics.iter().enumerate() {
        let Some(number) = diagnostic.missing_loop else { continue };
        match first.get(&number) {
            Some(at) => {
                others.extend(diagnostic.primary.as_ref().map(|p| (*at, p.span)));
                if let Some(drop) = drop.get_mut(i) {
                    *drop = true;
                }
            }
            None => {
                first.insert(number, i);
            }
        }
    }
    if first.is_empty() {
        return;
    }
    for (at, span) in others {
        if let Some(diagnostic) = diagnostics.get_mut(at).filter(|d| d.secondary.len() < MOST_PLACES) {
            diagnostic.secondary.push(crate::diag::Label { span, text: "and here".to_owned() });
        }
    }
    for (diagnostic, drop) in diagnostics.iter().zip(&mut drop) {
        let node = diagnostic.primary.as_ref().and_then(|p| lines.node(p.span));
        let on_loop = node.and_then(|n| facts.tree.loop_number(n)).is_some();
        let same = subject(diagnostic).is_some_and(|name| lost.contains(head(name)));
        *drop |= on_loop && same && matches!(diagnostic.code, Code::NC038 | Code::NC084);
    }
    let mut drop = drop.into_iter();
    diagnostics.retain(|_| !drop.next().unwrap_or(false));
}

/// Two names that are nearly the same explain what else is wrong with one of them: that diagnostic then says so.
fn near_names(diagnostics: &mut Vec<Diagnostic>) {
    let mut about: FxHashMap<String, usize> = FxHashMap::default();
    for (i, diagnostic) in diagnostics.iter().enumerate() {
        if diagnostic.severity != Severity::Info && FOLLOWS.contains(&diagnostic.code) {
            for name in &diagnostic.about {
                about.entry(name.clone()).or_insert(i);
            }
        }
    }
    let mut drop = vec![false; diagnostics.len()];
    let mut said: Vec<(usize, String)> = Vec::new();
    for (diagnostic, drop) in diagnostics.iter().zip(&mut drop) {
        let (Code::NC036, [one, two]) = (diagnostic.code, &*diagnostic.about) else { continue };
        let explains = [(one, two), (two, one)]
            .into_iter()
            .find_map(|(name, other)| about.get(name).map(|i| (*i, other.clone())));
        *drop = explains.is_some();
        said.extend(explains);
    }
    for (at, other) in said {
        if let Some(diagnostic) = diagnostics.get_mut(at) {
            diagnostic.help = Some(format!("did you mean `{other}`?"));
        }
    }
    let mut drop = drop.into_iter();
    diagnostics.retain(|_| !drop.next().unwrap_or(false));
}
