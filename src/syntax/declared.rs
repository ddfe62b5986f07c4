//! What a source declares about its lines: flow indices in one of four numberings, and sequence words (language
//! spec, section 7.2).

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::base::{FlowIndex, Span};
use crate::diag::{Code, Diagnostic, Edit};

use super::ast::{AnnotationKind, Node, NodeId, Tree};
use super::kind::{Family, IndexScheme, Kind, Marker, Sequence, Variant};
use super::logical::Draft;
use super::reader::shorten;

/// Takes the declared index and sequence of a line from its annotations and its head.
pub(super) fn read(node: &mut Node, draft: &mut Draft, diagnostics: &mut Vec<Diagnostic>) {
    let flat = draft.flat.as_ref();
    let mut sequence = flat.filter(|f| is_sequence(&f.word)).map(|f| (Arc::clone(&f.word), f.word_span));
    let mut index = draft.index.take();
    for annotation in &node.annotations {
        let value = annotation.value.clone().filter(|v| !v.is_empty()).map(|v| (v, annotation.value_span));
        match (annotation.kind, annotation.base_key()) {
            (AnnotationKind::LegacyIndex, key) => {
                let end = annotation.span.start + u32::try_from(key.len()).unwrap_or(0);
                index = index.or(Some((Arc::from(key), Span { end, ..annotation.span })));
                sequence = sequence.or(value);
            }
            (AnnotationKind::Syntactic, "flow_index") => index = index.or(value),
            (AnnotationKind::Syntactic | AnnotationKind::Referential, "sequence") => {
                sequence = sequence.or(value)
            }
            _ => {}
        }
    }
    if let Some((text, span)) = index {
        match text.trim_end_matches('.').parse::<FlowIndex>() {
            Ok(index) => node.declared_index = Some((index, span)),
            Err(_) => {
                let message = format!("`{}` is no flow index", shorten(&text));
                diagnostics.push(
                    Diagnostic::at(Code::NC030, span, message)
                        .help("write integers joined by dots, like `1.2.3`"),
                );
            }
        }
    }
    node.sequence = sequence.map(|(written, span)| sequence_of(written, span));
}

/// The words of sequences, with their families.
const WORDS: &[(&str, Option<Family>)] = &[
    ("assigning", Some(Family::Assigning)),
    ("quantifying", Some(Family::Looping)),
    ("looping", Some(Family::Looping)),
    ("grouping", Some(Family::Grouping)),
    ("timing", Some(Family::Timing)),
    ("imperative", Some(Family::Imperative)),
    ("judgement", Some(Family::Judgement)),
    ("nominalization", None),
    ("methodology", None),
    ("simple", None),
];

/// Returns whether the word of a flat line is a sequence, not a type.
pub(super) fn is_sequence(word: &str) -> bool {
    let word = normalised(word);
    family(&word).is_some()
}

/// The row of a normalised word; `imperative_python` is in the row of `imperative`.
fn family(word: &str) -> Option<(&'static str, Option<Family>)> {
    let row = WORDS.iter().find(|(known, _)| {
        word.strip_prefix(known).is_some_and(|rest| {
            let variants = matches!(*known, "imperative" | "judgement");
            rest.is_empty() || (variants && rest.starts_with(['_', '/']))
        })
    });
    row.copied()
}

/// The word without parentheses and under its present name.
fn normalised(written: &str) -> String {
    let word = written.split_once('(').map_or(written, |(word, _)| word).trim();
    match word {
        "assignment" => "assigning",
        "io" | "input" => "imperative_input",
        other => other,
    }
    .to_owned()
}

fn sequence_of(written: Arc<str>, span: Span) -> Sequence {
    let word = normalised(&written);
    let inside = written.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).map(str::trim);
    let suffix = word.split_once('_').map(|(_, suffix)| suffix);
    let variant = [suffix, inside].into_iter().flatten().find_map(|text| match text {
        "direct" => Some(Variant::Direct),
        "python" => Some(Variant::Python),
        "python_indirect" => Some(Variant::PythonIndirect),
        "composition" | "in_composition" => Some(Variant::Composition),
        "input" => Some(Variant::Input),
        _ => None,
    });
    let family = family(&word).and_then(|(_, family)| family);
    Sequence { written, word: Arc::from(word), family, variant, span }
}

/// Finds the numbering of the file and reports what deviates from it (NC030, NC031), and sequence words that fit
/// nothing (NC032).
pub(super) fn check(tree: &mut Tree, diagnostics: &mut Vec<Diagnostic>) {
    let declared: Vec<NodeId> =
        tree.iter().filter(|(_, n)| n.declared_index.is_some() && !n.flat).map(|(id, _)| id).collect();
    if !declared.is_empty() {
        tree.index_scheme = scheme(tree, &declared);
        indices(tree, &declared, diagnostics);
    }
    for (id, node) in tree.iter() {
        diagnostics.extend(sequence_fits_nothing(tree, id, node));
    }
}

fn scheme(tree: &Tree, declared: &[NodeId]) -> IndexScheme {
    let b = scheme_b(tree);
    let d = scheme_d(tree);
    let count = |fits: &dyn Fn(NodeId, &Node, &FlowIndex) -> bool| {
        let of = |id: &&NodeId| {
            tree.node(**id).is_some_and(|n| n.declared_index.as_ref().is_some_and(|(i, _)| fits(**id, n, i)))
        };
        declared.iter().filter(of).count()
    };
    let at = |list: &[FlowIndex], id: NodeId, index: &FlowIndex| list.get(id.index()) == Some(index);
    let parent = |n: &Node, index: &FlowIndex| {
        n.parent.and_then(|p| tree.node(p)).is_some_and(|p| p.flow_index == *index)
    };
    let function = |n: &Node| n.marker == Marker::Function;
    let counts = [
        (IndexScheme::A, count(&|_, n, i| n.flow_index == *i)),
        (IndexScheme::B, count(&|id, _, i| at(&b, id, i))),
        (IndexScheme::C, count(&|_, n, i| if function(n) { parent(n, i) } else { n.flow_index == *i })),
        (IndexScheme::D, count(&|id, _, i| at(&d, id, i))),
    ];
    // "All or nearly all": three quarters. The first of equals wins, so A needs no better fit than the others.
    let best =
        counts.into_iter().fold((IndexScheme::Unknown, 0), |best, c| if c.1 > best.1 { c } else { best });
    if best.1 * 4 >= declared.len() * 3 { best.0 } else { IndexScheme::Unknown }
}

/// Scheme B: value lines count that head an inference, or that carry a declared index; a function line is `.1` too.
fn scheme_b(tree: &Tree) -> Vec<FlowIndex> {
    let mut counts = vec![0u32; tree.nodes.len()];
    let mut roots = 0;
    let mut indices: Vec<FlowIndex> = Vec::with_capacity(tree.nodes.len());
    for (id, node) in tree.iter() {
        let counted = tree.function(id).is_some() || node.declared_index.is_some();
        let above = node.parent.and_then(|p| Some((p, indices.get(p.index())?.clone())));
        let index = match above {
            None => {
                roots += 1;
                FlowIndex::root(roots)
            }
            Some((_, above)) if node.marker == Marker::Function => above.child(1),
            Some((parent, above)) => match counts.get_mut(parent.index()) {
                Some(count) if counted => {
                    *count += 1;
                    above.child(*count)
                }
                count => above.child(count.map_or(1, |c| *c + 1)),
            },
        };
        indices.push(index);
    }
    indices
}

/// Scheme D: the lines beside a function line are numbered under it.
fn scheme_d(tree: &Tree) -> Vec<FlowIndex> {
    let mut counts = vec![0u32; tree.nodes.len()];
    let mut functions: Vec<Option<FlowIndex>> = vec![None; tree.nodes.len()];
    let mut indices: Vec<FlowIndex> = Vec::with_capacity(tree.nodes.len());
    for node in &tree.nodes {
        let Some((parent, above)) = node.parent.and_then(|p| Some((p, indices.get(p.index())?.clone())))
        else {
            indices.push(node.flow_index.clone());
            continue;
        };
        let function = functions.get_mut(parent.index());
        let count = counts.get_mut(parent.index());
        let index = match (function, count) {
            (Some(slot @ None), Some(count)) => {
                *count += 1;
                let index = above.child(*count);
                if node.marker == Marker::Function {
                    *count = 0;
                    *slot = Some(index.clone());
                }
                index
            }
            (Some(Some(function)), Some(count)) => {
                *count += 1;
                function.child(*count)
            }
            _ => above,
        };
        indices.push(index);
    }
    indices
}

fn indices(tree: &Tree, declared: &[NodeId], diagnostics: &mut Vec<Diagnostic>) {
    let name = match tree.index_scheme {
        IndexScheme::B => Some(("B", "only value lines that head an inference count")),
        IndexScheme::C => Some(("C", "function lines carry the index of the inference they compute")),
        IndexScheme::D => Some(("D", "values are numbered under their function line")),
        _ => None,
    };
    let mut deviating = declared.iter().filter_map(|id| {
        let node = tree.node(*id)?;
        let (index, span) = node.declared_index.as_ref()?;
        (*index != node.flow_index).then_some((*id, node, index, *span))
    });
    if let Some((scheme, rule)) = name {
        if let Some((.., span)) = deviating.next() {
            let message = format!("the declared flow indices follow scheme {scheme}: {rule}");
            diagnostics.push(
                Diagnostic::at(Code::NC031, span, message)
                    .help("they are labels only; the flow index of a line counts every concept line"),
            );
        }
        return;
    }
    // A line left out or put in moves all that stands after it and below: one mistake.
    let mut groups: Vec<Vec<(&Node, &FlowIndex, Span)>> = Vec::new();
    let mut group_of: FxHashMap<NodeId, usize> = FxHashMap::default();
    // Of each parent its last deviating child.
    let mut last: FxHashMap<Option<NodeId>, (NodeId, &FlowIndex, &FlowIndex)> = FxHashMap::default();
    for (id, node, index, span) in deviating {
        let above = node.parent.and_then(|p| Some((p, tree.node(p)?.declared_index.as_ref()?)));
        let moved_above = above.filter(|(p, (declared, _))| {
            let same = index.parent().as_ref() == Some(declared)
                && index.parts().last() == node.flow_index.parts().last();
            same && group_of.contains_key(p)
        });
        let moved_beside = last.get(&node.parent).filter(|(_, declared, derived)| {
            let shift = |a: &FlowIndex, b: &FlowIndex| {
                Some(i64::from(*a.parts().last()?) - i64::from(*b.parts().last()?))
            };
            declared.parent() == index.parent() && shift(declared, derived) == shift(index, &node.flow_index)
        });
        let cause = moved_above.map(|(p, _)| p).or_else(|| moved_beside.map(|(sibling, ..)| *sibling));
        let group = cause.and_then(|c| group_of.get(&c).copied()).unwrap_or(groups.len());
        match groups.get_mut(group) {
            Some(group) => group.push((node, index, span)),
            None => groups.push(vec![(node, index, span)]),
        }
        group_of.insert(id, group);
        last.insert(node.parent, (id, index, &node.flow_index));
    }
    for group in groups {
        let Some((node, index, span)) = group.first().copied() else { continue };
        if node.parent.is_some_and(|p| lacks_function(tree, p)) {
            continue;
        }
        let derived = &node.flow_index;
        let more = match group.len() - 1 {
            0 => String::new(),
            1 => ", and one line after it is moved likewise".to_owned(),
            n => format!(", and {n} lines after it are moved likewise"),
        };
        let edits =
            group.iter().map(|(node, _, span)| Edit { span: *span, text: node.flow_index.to_string() });
        let title = if group.len() == 1 {
            format!("write `{derived}`")
        } else {
            "write the indices that count".to_owned()
        };
        diagnostics.push(
            Diagnostic::at(
                Code::NC030,
                span,
                format!("declared flow index `{index}`, but the line is `{derived}`{more}"),
            )
            .help(format!("write `{derived}`"))
            .fix(title, edits.collect()),
        );
    }
}

/// Returns whether a line says that something computes it and nothing does: reported as such, and the lines that
/// follow the missing one are moved.
fn lacks_function(tree: &Tree, id: NodeId) -> bool {
    let says = |n: &Node| n.sequence.is_some() || n.kind == Kind::LoopingEvery;
    tree.function(id).is_none() && tree.node(id).is_some_and(says)
}

fn sequence_fits_nothing(tree: &Tree, id: NodeId, node: &Node) -> Option<Diagnostic> {
    let sequence = node.sequence.as_ref()?;
    if node.flat {
        // The word of a flat line may also name the type of what it makes.
        return None;
    }
    if node.kind == Kind::LoopingEvery && tree.function(id).is_none() {
        // A loop line that says nothing of its step is reported as such.
        return None;
    }
    let function = tree.function(id).map(|(_, f)| f.kind);
    let kinds = [Some(node.kind), function];
    let sentence = |kind: &Option<Kind>| matches!(kind, Some(Kind::Informal | Kind::Empty));
    if kinds.iter().any(sentence) {
        return None;
    }
    let fits = |kind: Kind| match sequence.family {
        Some(family) => kind.family() == Some(family),
        None => kind == Kind::Nominalization || matches!(kind, Kind::Method | Kind::TimingBy),
    };
    if kinds.into_iter().flatten().any(fits) {
        return None;
    }
    let word = shorten(&sequence.written);
    let message = match function.or(Some(node.kind)).and_then(Kind::family) {
        Some(family) => {
            format!("declared sequence `{word}` does not fit the operation, which is `{}`", family.as_str())
        }
        None => format!("declared sequence `{word}`, but nothing computes this line"),
    };
    Some(
        Diagnostic::at(Code::NC032, sequence.span, message)
            .help("remove the word or correct it; the sequence follows from the operation"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::FileId;

    #[test]
    fn sequence_words() {
        let span = Span::new(FileId(0), 0, 0);
        for (written, word, family, variant) in [
            ("assignment", "assigning", Some(Family::Assigning), None),
            ("quantifying", "quantifying", Some(Family::Looping), None),
            ("io", "imperative_input", Some(Family::Imperative), Some(Variant::Input)),
            ("imperative (python)", "imperative", Some(Family::Imperative), Some(Variant::Python)),
            ("imperative/simple", "imperative/simple", Some(Family::Imperative), None),
            (
                "judgement_in_composition",
                "judgement_in_composition",
                Some(Family::Judgement),
                Some(Variant::Composition),
            ),
            (
                "imperative_python_indirect",
                "imperative_python_indirect",
                Some(Family::Imperative),
                Some(Variant::PythonIndirect),
            ),
            ("nominalization", "nominalization", None, None),
            ("groupings", "groupings", None, None),
        ] {
            let sequence = sequence_of(Arc::from(written), span);
            assert_eq!((sequence.word.as_ref(), sequence.family, sequence.variant), (word, family, variant));
        }
    }
}
