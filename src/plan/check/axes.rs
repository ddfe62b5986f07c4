//! What the axes of values say against what is written: NC084 loops along no axis of their base, NC091 appends along no
//! axis of their destination, NC092 groupings that do not fit, NC093 axes declared otherwise and judgements for each
//! along an axis that is not there, NC094 records that a paradigm cannot take apart, NC097 judgements that should filter
//! and do not (language spec, section 13).
//!
//! Only what holds whatever a run is given counts: of unknown axes nothing is said, and of several possible lists only
//! what is wrong with all of them.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::{Span, listed, nearest};
use crate::diag::{Code, Diagnostic, Severity};
use crate::plan::axes::{Axes, AxisOf, Known, Reason, axes, is_composed};
use crate::plan::model::{
    Concept, ConceptId, ConceptKind, FunctionKind, Grouping, Inference, Loop, Semantic, Work,
};
use crate::syntax::{Expr, Grouping as Written, Node, Part, Spelling, SuffixKind};

use super::Facts;

pub(super) fn check(facts: &Facts<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let axes = axes(facts.plan);
    let mut bundles = FxHashSet::default();
    for inference in &facts.plan.inferences {
        match &inference.work {
            Work::Loop(looping) => walked(facts, &axes, inference, looping, diagnostics),
            Work::Continuation { destination, by_axes, .. } => {
                if let Some(asked) = by_axes.first() {
                    appended(facts, &axes, inference, *destination, asked, diagnostics);
                }
            }
            Work::Grouping(grouping) => grouped(facts, &axes, inference, grouping, diagnostics),
            Work::Semantic(work) => {
                bundled(facts, inference, work, &mut bundles, diagnostics);
                asserted(facts, &axes, inference, work, diagnostics);
            }
            _ => {}
        }
    }
    for (id, concept) in facts.values() {
        declared(facts, &axes, id, concept, diagnostics);
    }
    filters(facts, &axes, diagnostics);
}

/// A suggestion costs a walk over names, so only so many are looked at.
const NEIGHBOURS: usize = 64;

/// The line of an inference's operation.
fn operation<'a>(facts: &Facts<'a>, inference: &Inference) -> Option<&'a Node> {
    facts.tree.node(facts.scopes.function(inference.head)?)
}

/// An axis somebody gave a name: not one of a literal without names, not what a value without plurality has.
fn is_named(axis: &AxisOf) -> bool {
    let numbered = axis.name.strip_prefix("axis_").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
    !axis.is_none() && !numbered && !is_artefact(axis)
}

/// The axis is written on the concept, whether or not it has it.
fn declares(concept: &Concept, name: &str) -> bool {
    concept.axes_declared && concept.axes.as_deref().is_some_and(|a| a.iter().any(|n| **n == *name))
}

/// An axis of length one that a run adds where nobody asked for it.
fn is_artefact(axis: &AxisOf) -> bool {
    matches!(axis.origin.reason, Reason::Value(_) | Reason::Judged(_) | Reason::Single(_))
}

/// The axes that a name which none of the lists has can be meant for; none when the name is right for one of them, or
/// when no axis has a name that is worth keeping to.
fn instead<'k>(known: &'k Known, name: &str) -> Option<Vec<&'k AxisOf>> {
    let lists = known.lists();
    if lists.is_empty() || known.find(name).is_some() || !lists.iter().all(|l| l.iter().any(is_named)) {
        return None;
    }
    let mut found: Vec<&AxisOf> = Vec::new();
    for axis in lists.iter().flat_map(|l| l.iter()).filter(|a| is_named(a)) {
        if !found.iter().any(|f| f.name == axis.name) {
            found.push(axis);
        }
    }
    Some(found)
}

/// The nearest of the names, else the only one.
fn suggestion<'k>(name: &str, axes: &[&'k AxisOf]) -> Option<&'k str> {
    let only = match axes {
        [only] => Some(&*only.name),
        _ => None,
    };
    nearest(name, axes.iter().map(|a| &*a.name)).or(only)
}

/// The place an axis comes from as a second label, unless it is the first one.
fn from_there(facts: &Facts<'_>, diagnostic: Diagnostic, axis: Option<&AxisOf>) -> Diagnostic {
    let first = diagnostic.primary.as_ref().map(|p| p.span);
    match axis.and_then(|a| Some((a, a.origin.place?))) {
        Some((axis, place)) if first.is_none_or(|f| f.end <= place.start || place.end <= f.start) => {
            diagnostic.also(place, axis.describe(facts.plan))
        }
        _ => diagnostic,
    }
}

/// NC084: a base that is one value, or a written axis that the base turns out not to have. What its declared axes say
/// is reported where the loop is read.
fn walked(
    facts: &Facts<'_>,
    axes: &Axes,
    inference: &Inference,
    looping: &Loop,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let Some(node) = operation(facts, inference) else { return };
    let Expr::Looping(written) = &node.concept.expr else { return };
    let Some(base) = facts.plan.concept(looping.base) else { return };
    if is_one_value(facts, looping.base, base) {
        let span = written.bases.first().map_or(inference.function_span, |b| node.span_of(b.part));
        let mut diagnostic = Diagnostic::at(
            Code::NC084,
            span,
            format!("the loop walks `{}`, which is one value and no collection", base.name),
        )
        .about(&*base.name)
        .help("walk a collection, like `ref. %(item)=[1, 2, 3]`, or leave the loop out");
        if let Some(place) = base.first_span().filter(|p| *p != span) {
            diagnostic = diagnostic.also(place, "one value");
        }
        diagnostics.push(diagnostic);
        return;
    }
    let Some(axis) = written.axes.first() else { return };
    if base.axes_declared || axis.name == base.bare || axis.name != looping.axis {
        return;
    }
    let known = axes.of(looping.base);
    let Some(there) = instead(&known, &axis.name) else { return };
    let Some(first) = there.first() else { return };
    let diagnostic = Diagnostic::at(
        Code::NC084,
        node.span_of(axis.part),
        format!("`{}` is no axis of `{}`; its axis `{}` is walked", axis.name, base.name, first.name),
    )
    .about(&*base.name)
    .help(format!("write `{{{}}}`", first.name));
    diagnostics.push(from_there(facts, diagnostic, Some(first)));
}

/// A truth value, or data that are a single scalar and nothing replaces.
fn is_one_value(facts: &Facts<'_>, id: ConceptId, concept: &Concept) -> bool {
    if concept.kind == ConceptKind::Proposition || concept.query {
        // Old plans write the result as a question where the base belongs.
        return !concept.query;
    }
    let scalar = |json: &serde_json::Value| match json {
        serde_json::Value::Array(_) | serde_json::Value::Object(_) | serde_json::Value::Null => false,
        // What a sign stands for may well be a collection.
        serde_json::Value::String(text) => crate::base::Sign::parse(text).is_none() && !text.starts_with('['),
        _ => true,
    };
    let single = match &concept.data {
        Some(serde_json::Value::Array(items)) => match items.as_slice() {
            [only] => {
                scalar(only)
                    && concept.axes.as_deref().is_some_and(|a| matches!(a, [n] if &**n == "_none_axis"))
            }
            _ => false,
        },
        Some(other) => scalar(other),
        None => false,
    };
    single
        && facts.producers(id).is_empty()
        && !facts.elements.contains_key(&id)
        && !facts.results.contains(&id)
        && !facts.carried.contains(&id)
}

/// NC091: the axis an append names is none of the destination.
fn appended(
    facts: &Facts<'_>,
    axes: &Axes,
    inference: &Inference,
    destination: ConceptId,
    asked: &Arc<str>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let Some(concept) = facts.plan.concept(destination) else { return };
    // Its own name stands for its first axis (repositories spec, section 7.2); what is declared and not there is
    // reported where it is declared.
    if *asked == concept.bare || declares(concept, asked) {
        return;
    }
    let known = axes.of(destination);
    let Some(there) = instead(&known, asked) else { return };
    let node = operation(facts, inference);
    let written = node.and_then(|n| match &n.concept.expr {
        Expr::Assigning(a) => Some((n.span_of(a.axes().first()?.part), a.spelling)),
        _ => None,
    });
    let (span, spelling) = written.unwrap_or((inference.function_span, Spelling::Legacy));
    let name = suggestion(asked, &there);
    let list = listed(there.iter().map(|a| &a.name));
    let noun = if there.len() == 1 { "axis is" } else { "axes are" };
    let help = match (name, spelling) {
        (Some(name), Spelling::Current) => format!("its {noun} {list}: write `%:({name})`"),
        (Some(name), _) => format!("its {noun} {list}: write `%:[{{{name}}}]`"),
        (None, _) => format!("its {noun} {list}: name one of them"),
    };
    let message = format!("`{}` has no axis `{asked}` to append along", concept.name);
    let diagnostic = Diagnostic::at(Code::NC091, span, message).help(help);
    let shown = there.iter().find(|a| Some(&*a.name) == name).or(there.first());
    diagnostics.push(from_there(facts, diagnostic, shown.copied()));
}

/// NC092: what a grouping names and does not get, a new axis that is there already, protection of nothing.
fn grouped(
    facts: &Facts<'_>,
    axes: &Axes,
    inference: &Inference,
    grouping: &Grouping,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let Some(node) = operation(facts, inference) else { return };
    let Expr::Grouping(written) = &node.concept.expr else { return };
    not_beside(facts, inference, node, written, diagnostics);
    let known: Vec<(ConceptId, Known)> = inference.values.iter().map(|v| (*v, axes.of(*v))).collect();
    if let (Some(name), Some(at)) = (&grouping.create_axis, written.create_axis()) {
        created(facts, node.span_of(at.part), name, &known, diagnostics);
    }
    protected(facts, node, written, &known, diagnostics);
}

/// Legacy groupings take what stands beside them, so a name that does not is nobody's.
fn not_beside(
    facts: &Facts<'_>,
    inference: &Inference,
    node: &Node,
    written: &Written,
    diagnostics: &mut Vec<Diagnostic>,
) {
    if written.spelling != Spelling::Legacy {
        return;
    }
    let bare = |id: &ConceptId| facts.plan.concept(*id).map(|c| &*c.bare);
    let there = inference.values.iter().chain(&inference.contexts).chain([&inference.target]);
    let there: FxHashSet<&str> = there.filter_map(bare).collect();
    for value in written.sources() {
        let beside = there.contains(&*value.name);
        // A number stands for a slot.
        let is_slot = value.name.bytes().all(|b| b.is_ascii_digit() || b == b'#');
        if beside || is_slot || !value.members.is_empty() {
            continue;
        }
        let text = node.text_of(value.head);
        let values = inference.values.iter().take(NEIGHBOURS).filter_map(bare);
        let help = match nearest(&value.name, values) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("add a line `<- {text}` beside the grouping, or leave it out"),
        };
        let message = format!("`{text}` is grouped, but is no value beside the grouping");
        diagnostics
            .push(Diagnostic::at(Code::NC092, node.span_of(value.part), message).about(text).help(help));
    }
}

/// A new axis with the name of one that a source has: positions that mean other things would be aligned.
fn created(
    facts: &Facts<'_>,
    span: Span,
    name: &Arc<str>,
    sources: &[(ConceptId, Known)],
    diagnostics: &mut Vec<Diagnostic>,
) {
    let has = |known: &Known| {
        let lists = known.lists();
        let all = !lists.is_empty() && lists.iter().all(|l| l.iter().any(|a| a.name == *name));
        all.then(|| known.find(name).cloned()).flatten()
    };
    // A single list laid out again keeps its positions.
    if let [(_, known)] = sources
        && known.names().is_some_and(|n| n == [&**name])
    {
        return;
    }
    let Some((id, axis)) = sources.iter().find_map(|(id, known)| Some((id, has(known)?))) else { return };
    let message = format!("the new axis `{name}` has the name of an axis of `{}`", facts.plan.name(*id));
    let diagnostic = Diagnostic::at(Code::NC092, span, message)
        .about(facts.plan.name(*id))
        .help("give the new axis a name of its own");
    diagnostics.push(from_there(facts, diagnostic, Some(&axis)));
}

fn protected(
    facts: &Facts<'_>,
    node: &Node,
    written: &Written,
    sources: &[(ConceptId, Known)],
    diagnostics: &mut Vec<Diagnostic>,
) {
    if sources.is_empty() || sources.iter().any(|(_, known)| known.lists().is_empty()) {
        return;
    }
    let clauses = written.modifiers.iter().flat_map(|m| m.clauses());
    let names: Vec<(&Arc<str>, Part)> = clauses
        .filter_map(|c| match &c.kind {
            SuffixKind::Protect(name) => Some((name, c.part)),
            _ => None,
        })
        .collect();
    if names.is_empty() {
        return;
    }
    let mut all: FxHashMap<&str, &AxisOf> = FxHashMap::default();
    let mut there: Vec<&AxisOf> = Vec::new();
    for axis in sources.iter().flat_map(|(_, k)| k.lists()).flat_map(|l| l.iter()) {
        if all.insert(&axis.name, axis).is_none() && is_named(axis) && there.len() < NEIGHBOURS {
            there.push(axis);
        }
    }
    let stated = sources.iter().filter_map(|(id, _)| facts.plan.concept(*id)).filter(|c| c.axes_declared);
    let stated: FxHashSet<&str> = stated.flat_map(|c| c.axes.iter().flatten()).map(|n| &**n).collect();
    for (name, part) in names {
        if all.contains_key(&**name) || stated.contains(&**name) {
            continue;
        }
        let help = match suggestion(name, &there) {
            Some(near) => format!("write `<$!{{{near}}}>`"),
            None => "leave the protection out".to_owned(),
        };
        let message = format!("the protected axis `{name}` is no axis of what is grouped");
        let diagnostic = Diagnostic::at(Code::NC092, node.span_of(part), message).help(help);
        diagnostics.push(from_there(facts, diagnostic, there.first().copied()));
    }
}

/// NC093: `%{ref_axes}` of a concept that the plan computes, against what it computes. Axes of length one that a run
/// adds may be left out, and a single value may be named for the list it holds.
fn declared(
    facts: &Facts<'_>,
    axes: &Axes,
    id: ConceptId,
    concept: &Concept,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let Some(names) = concept.axes.as_deref().filter(|_| concept.axes_declared) else { return };
    let known = axes.computed(id);
    let lists = known.lists();
    if lists.is_empty() {
        return;
    }
    let core = |list: &Arc<[AxisOf]>| -> Vec<AxisOf> {
        list.iter().filter(|a| !a.is_none() && !is_artefact(a)).cloned().collect()
    };
    let wanted: FxHashSet<&str> =
        names.iter().map(|n| &**n).filter(|n| *n != "_none_axis" && *n != "value").collect();
    let fits = |list: &Vec<AxisOf>| {
        let unnamed = list.iter().any(|a| !is_named(a));
        list.is_empty() || unnamed || {
            let found: FxHashSet<&str> = list.iter().map(|a| &*a.name).collect();
            found == wanted
        }
    };
    let cores: Vec<Vec<AxisOf>> = lists.iter().map(core).collect();
    if cores.iter().any(fits) {
        return;
    }
    let Some(first) = cores.first() else { return };
    let nodes = concept.lines.iter().filter_map(|l| facts.tree.node(l.node));
    let Some(annotation) = nodes.filter_map(|n| n.referential("ref_axes")).next() else { return };
    let shown = |names: &[&str]| listed(names);
    let found: Vec<&str> = first.iter().map(|a| &*a.name).collect();
    let stated: Vec<&str> = names.iter().map(|n| &**n).filter(|n| *n != "_none_axis").collect();
    let noun = if found.len() == 1 { "axis" } else { "axes" };
    let message = match stated.as_slice() {
        [] => format!("`{}` is declared without axes, but has the {noun} {}", concept.name, shown(&found)),
        stated => format!("`{}` has the {noun} {}, not {}", concept.name, shown(&found), shown(stated)),
    };
    let diagnostic = Diagnostic::at(Code::NC093, annotation.value_span, message)
        .help(format!("write `%{{ref_axes}}: [{}]`, or leave the line out", found.join(", ")));
    let strange = first.iter().find(|a| !wanted.contains(&*a.name)).or(first.first());
    diagnostics.push(from_there(facts, diagnostic, strange));
}

/// NC094: a record of a grouping as one input of a paradigm; told once a record.
fn bundled(
    facts: &Facts<'_>,
    inference: &Inference,
    work: &Semantic,
    said: &mut FxHashSet<ConceptId>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    if !is_composed(work, facts.plan.generation) {
        return;
    }
    if operation(facts, inference).is_some_and(|n| n.referential("value_selectors").is_some()) {
        return;
    }
    let apart: Vec<bool> = facts
        .tree
        .children(inference.head)
        .filter_map(|(_, n)| n.concept.value())
        .map(|v| v.suffixes.iter().any(|s| matches!(s.kind, SuffixKind::Unpack(_) | SuffixKind::Pick(_))))
        .collect();
    if apart.contains(&true) {
        return;
    }
    for (id, _) in &work.order {
        let Some(grouping) = record_of(facts, *id).filter(|_| !said.contains(id)) else { continue };
        said.insert(*id);
        let name = facts.plan.name(*id);
        let place =
            inference.places.iter().find(|(c, _)| c == id).map_or(inference.function_span, |(_, s)| *s);
        let message = format!("the record `{name}` goes into the paradigm as one input");
        diagnostics.push(
            Diagnostic::at(Code::NC094, place, message).also(grouping.function_span, "bundled here").help(
                "pass the grouped values one by one, or say which entry goes where: `<[{a}:{1}, {b}:{2}]>`",
            ),
        );
    }
}

/// The grouping that makes a record, when nothing else gives the concept.
fn record_of<'a>(facts: &Facts<'a>, id: ConceptId) -> Option<&'a Inference> {
    let [only] = facts.producers(id) else { return None };
    let inference = facts.plan.inferences.get(*only)?;
    matches!(&inference.work, Work::Grouping(g) if g.records).then_some(inference)
}

/// NC097: a gate whose step reads the very axis the judgement ran along, and a judgement that does not say for which
/// positions it holds. It stands for the more general remark that the judgement has no assertion.
fn filters(facts: &Facts<'_>, axes: &Axes, diagnostics: &mut Vec<Diagnostic>) {
    let plan = facts.plan;
    let places: FxHashMap<_, usize> =
        plan.inferences.iter().enumerate().map(|(at, i)| (&i.flow, at)).collect();
    let mut read: FxHashMap<usize, Reads> = FxHashMap::default();
    let mut said: FxHashSet<Span> = FxHashSet::default();
    let mut found: Vec<Diagnostic> = Vec::new();
    for gate in &plan.inferences {
        let Work::Gate { kind: FunctionKind::If | FunctionKind::IfNot, condition } = gate.work else {
            continue;
        };
        let Some(at) = gate.flow.parent().and_then(|p| places.get(&p).copied()) else { continue };
        let Some(guarded) = plan.inferences.get(at) else { continue };
        // Several judgements of one condition are reported as such.
        let [judgement] = facts.producers(condition) else { continue };
        let Some(judgement) = plan.inferences.get(*judgement) else { continue };
        let Work::Semantic(work) = &judgement.work else { continue };
        let Some(node) = operation(facts, judgement) else { continue };
        let silent = matches!(&node.concept.expr, Expr::Semantic(s) if s.assertion.is_none());
        if work.kind != FunctionKind::Judgement || !silent || said.contains(&node.span) {
            continue;
        }
        let reads = read.entry(at).or_insert_with(|| Reads::of(axes, guarded));
        let Some((id, axis)) = shared_axis(facts, axes, work, reads) else { continue };
        said.insert(node.span);
        let message = format!("the judgement does not say for which of `{}` it holds", plan.name(id));
        found.push(
            Diagnostic::at(Code::NC097, node.span, message)
                .about(plan.name(id))
                .also(gate.function_span, "lets all of them through or none")
                .help(format!("write `<For Each {{{axis}}} True>` after it, or `<ALL True>`")),
        );
    }
    if !found.is_empty() {
        let stands_for = |d: &Diagnostic| {
            d.code == Code::NC056 && d.primary.as_ref().is_some_and(|p| said.contains(&p.span))
        };
        diagnostics.retain(|d| !stands_for(d));
        diagnostics.extend(found);
    }
}

/// NC093, an error: a judgement that holds for each element along an axis which nothing it judges has. A run treats such
/// an axis as not named (semantics spec, section 8.1).
fn asserted(
    facts: &Facts<'_>,
    axes: &Axes,
    inference: &Inference,
    work: &Semantic,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let each = work.assertion.quantifiers.iter().filter(|(_, word)| *word == "for-each");
    for over in each.filter_map(|(over, _)| over.as_ref()) {
        let concept = over.concept.and_then(|c| facts.plan.concept(c)).filter(|c| c.axes_declared);
        let axis = match concept.and_then(|c| c.axes.as_deref()) {
            Some([single]) => single,
            _ => &over.name,
        };
        let judged: Vec<Known> = work.order.iter().map(|(id, _)| axes.of(*id)).collect();
        let there: Vec<AxisOf> = judged.iter().flat_map(certain).collect();
        let may = judged.iter().any(|known| known.lists().is_empty() || known.find(axis).is_some());
        let target = facts.plan.concept(inference.target).map(|c| &*c.bare);
        if may || there.is_empty() || target == Some(&**axis) {
            continue;
        }
        let Some(node) = operation(facts, inference) else { continue };
        let message = format!("`For Each` speaks of the axis `{axis}`, which nothing that is judged has");
        let named: Vec<&AxisOf> = there.iter().collect();
        let help = match suggestion(axis, &named) {
            Some(axis) => format!("write `<For Each {{{axis}}} ..>`"),
            None => "name an axis of the judged values".to_owned(),
        };
        diagnostics.push(from_there(
            facts,
            Diagnostic::at(Code::NC093, node.span, message).severity(Severity::Error).help(help),
            there.first(),
        ));
    }
}

/// What a guarded step reads.
struct Reads {
    /// Axes that one of its values has for certain.
    axes: FxHashSet<Arc<str>>,
    values: FxHashSet<ConceptId>,
}

impl Reads {
    fn of(axes: &Axes, guarded: &Inference) -> Self {
        let known = guarded.values.iter().map(|v| axes.of(*v));
        let axes = known.flat_map(|k| certain(&k)).map(|a| a.name).collect();
        Self { axes, values: guarded.values.iter().copied().collect() }
    }
}

/// The named axes that are in every list.
fn certain(known: &Known) -> Vec<AxisOf> {
    let [first, rest @ ..] = known.lists() else { return Vec::new() };
    let everywhere = |a: &&AxisOf| rest.iter().all(|l| l.iter().any(|b| b.name == a.name));
    first.iter().filter(|a| is_named(a)).filter(everywhere).cloned().collect()
}

/// The judged value along whose axis the guarded step reads a value, and that axis.
fn shared_axis(
    facts: &Facts<'_>,
    axes: &Axes,
    judged: &Semantic,
    reads: &Reads,
) -> Option<(ConceptId, Arc<str>)> {
    for (id, _) in &judged.order {
        let known = axes.of(*id);
        if let Some(axis) = certain(&known).into_iter().find(|a| reads.axes.contains(&a.name)) {
            return Some((*id, axis.name));
        }
        let concept = facts.plan.concept(*id)?;
        let collection = concept.kind == ConceptKind::Relation && concept.versions.is_empty();
        if collection && known.lists().is_empty() && reads.values.contains(id) {
            return Some((*id, Arc::clone(&concept.bare)));
        }
    }
    None
}
