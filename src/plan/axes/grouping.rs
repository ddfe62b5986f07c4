//! What groupings give (tensor spec, section 7). Knows which of their inputs may be left out of a run.

use std::sync::Arc;

use crate::plan::model::{ConceptId, Grouping, Plan};

use super::absent::Absent;
use super::known::{AxisOf, Reason, Unknown};
use super::possible::{Alternative, Hollow, List, NONE, Possible, dropped, or_none};
use super::rules::{Asked, COMBINATIONS};

/// Contexts with more axes than this take nobody knows which away.
const NAMES: usize = 256;

/// The axes a grouping collapses, as a run gets them (repositories spec, section 7.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Collapsed {
    /// Nothing is written: in shared mode those of the contexts.
    Unwritten,
    /// These of what the sources share.
    Shared(Vec<Arc<str>>),
    /// One list a source.
    PerSource(Vec<Vec<Arc<str>>>),
}

/// As written, one list a source or one for all; where nothing is written in the current form, the declared axes of
/// each source. Protected axes are taken out. In the legacy form a plain list applies to all sources at once
/// (repositories spec, section 7.2).
pub fn collapsed(plan: &Plan, grouping: &Grouping) -> Collapsed {
    let free = |axes: &[Arc<str>]| -> Vec<Arc<str>> {
        axes.iter().filter(|a| !grouping.protect.contains(a)).cloned().collect()
    };
    if let Some(lists) = &grouping.per_source {
        return Collapsed::PerSource(lists.iter().map(|l| free(l)).collect());
    }
    if !grouping.by_axes.is_empty() {
        return match grouping.current {
            true => {
                let all = free(&grouping.by_axes);
                Collapsed::PerSource(grouping.sources.iter().map(|_| all.clone()).collect())
            }
            false => Collapsed::Shared(free(&grouping.by_axes)),
        };
    }
    if !grouping.current {
        return Collapsed::Unwritten;
    }
    let declared = |id: &ConceptId| plan.concept(*id).filter(|c| c.axes_declared)?.axes.as_deref().map(free);
    let lists: Option<Vec<_>> = grouping.sources.iter().map(declared).collect();
    lists.map_or(Collapsed::Unwritten, Collapsed::PerSource)
}

/// Returns whether each source is stacked or collapsed on its own.
pub(super) fn is_per_source(grouping: &Grouping, by: &Collapsed) -> bool {
    grouping.create_axis.is_some() || matches!(by, Collapsed::PerSource(lists) if !lists.is_empty())
}

/// What a grouping gives.
pub(super) fn grouped(asked: &Asked<'_>, grouping: &Grouping, absent: &Absent, at: usize) -> Possible {
    let by = collapsed(asked.plan, grouping);
    let sources: Vec<&Possible> = asked.inference.values.iter().map(|v| asked.of(*v)).collect();
    if sources.iter().all(|s| s.is_nothing()) {
        return Possible::default();
    }
    match is_per_source(grouping, &by) {
        true => per_source(asked, grouping, &by, &sources, absent, at),
        false => shared(asked, grouping, &by, &sources, absent, at),
    }
}

fn per_source(
    asked: &Asked<'_>,
    grouping: &Grouping,
    by: &Collapsed,
    sources: &[&Possible],
    absent: &Absent,
    at: usize,
) -> Possible {
    let origin = asked.origin(Reason::Created(asked.target()));
    let Some(create) = &grouping.create_axis else { return Possible::single(origin) };
    let created = AxisOf { name: Arc::clone(create), origin };
    let listed = |at: usize| match by {
        Collapsed::Unwritten => None,
        Collapsed::Shared(axes) if axes.is_empty() => None,
        Collapsed::PerSource(lists) if lists.is_empty() => None,
        Collapsed::Shared(axes) => Some(axes.as_slice()),
        Collapsed::PerSource(lists) => lists.get(at).map(Vec::as_slice),
    };
    // Nothing of a source that is collapsed to its leaves keeps an axis.
    let stays = |at: usize, list: &Alternative| {
        let goes = |n: &str| {
            listed(at).is_none_or(|l| l.iter().any(|a| **a == *n))
                && !grouping.protect.iter().any(|p| **p == *n)
        };
        !list.names().any(goes)
    };
    let mut all_go = true;
    let mut hollow = false;
    for (at, source) in sources.iter().enumerate() {
        match source {
            Possible::Any(why) if listed(at).is_some() || !grouping.protect.is_empty() => {
                return Possible::Any(*why);
            }
            Possible::Any(_) => {}
            Possible::Of { lists, .. } => all_go &= !lists.iter().any(|l| stays(at, l)),
        }
        let decided = listed(at).is_none() && grouping.protect.is_empty();
        hollow |= source.hollow().is_some() && !decided;
    }
    if all_go {
        let mut found = Possible::one(Alternative::new([created]));
        if hollow {
            found.add_hollow(Hollow::Any);
        }
        return found;
    }
    if hollow {
        return Possible::Any(Unknown::Content(asked.target()));
    }
    // All must be stacked, and then have the same axes, in the order of the first that a run does not leave out.
    let mut found = Possible::default();
    for ((n, source), id) in sources.iter().enumerate().zip(&asked.inference.values) {
        for list in source.lists() {
            if !stays(n, list) {
                found.add(Alternative::new([created.clone()]), asked.many());
            } else if !list.has(&created.name) {
                let axes: List = std::iter::once(created.clone()).chain(list.axes.iter().cloned()).collect();
                found.add(Alternative { axes, wide: list.wide }, asked.many());
            }
        }
        if !source.is_nothing() && !absent.may_lack(asked.plan, at, *id) {
            break;
        }
    }
    found
}

fn shared(
    asked: &Asked<'_>,
    grouping: &Grouping,
    by: &Collapsed,
    sources: &[&Possible],
    absent: &Absent,
    at: usize,
) -> Possible {
    let known: Vec<(&Possible, bool)> = asked
        .inference
        .values
        .iter()
        .zip(sources)
        .map(|(id, possible)| (*possible, absent.may_lack(asked.plan, at, *id)))
        .collect();
    // One source without plurality leaves no axis to share.
    if known.iter().any(|(p, lacks)| !lacks && is_always_single(p)) {
        return with_hollow(Possible::single(asked.origin(Reason::Single(asked.target()))), sources);
    }
    if let Some(any) = sources.iter().find(|p| matches!(p, Possible::Any(_))) {
        return (*any).clone();
    }
    let gone = match by {
        Collapsed::Shared(axes) if !axes.is_empty() => {
            vec![axes.iter().map(|a| a.to_string()).collect::<Vec<String>>()]
        }
        _ => match context_axes(asked, grouping, absent, at) {
            Ok(gone) => gone,
            Err(why) => return Possible::Any(why),
        },
    };
    let Some(selections) = selections(&known) else { return Possible::Any(asked.many()) };
    let origin = asked.origin(Reason::Single(asked.target()));
    let mut found = Possible::default();
    for selection in selections {
        let [first, rest @ ..] = selection.as_slice() else { continue };
        let keep: Vec<AxisOf> =
            first.axes.iter().filter(|a| rest.iter().all(|l| l.has(&a.name))).cloned().collect();
        let wide = selection.iter().any(|l| l.wide);
        let kept = Alternative { axes: or_none(keep, origin), wide };
        let Some(axes) = dropped(&kept) else { return Possible::Any(Unknown::Content(asked.target())) };
        for gone in &gone {
            let left: Vec<AxisOf> =
                axes.iter().filter(|a| !gone.iter().any(|g| **g == *a.name)).cloned().collect();
            let wide = wide && left.iter().any(AxisOf::is_none);
            found.add(Alternative { axes: or_none(left, origin), wide }, asked.many());
        }
    }
    with_hollow(found, sources)
}

fn with_hollow(mut found: Possible, sources: &[&Possible]) -> Possible {
    if sources.iter().any(|s| s.hollow().is_some() || matches!(s, Possible::Any(_))) {
        found.add_hollow(Hollow::Any);
    }
    found
}

fn is_always_single(possible: &Possible) -> bool {
    let lists = possible.lists();
    !lists.is_empty() && lists.iter().all(|l| l.is_single() && !l.wide)
}

/// The axes of the contexts that are collapsed, protected ones taken out: one list for each way the contexts can be.
fn context_axes(
    asked: &Asked<'_>,
    grouping: &Grouping,
    absent: &Absent,
    at: usize,
) -> Result<Vec<Vec<String>>, Unknown> {
    let contexts = asked.inference.contexts.iter();
    let named = contexts.filter(|c| grouping.by_concepts.is_empty() || grouping.by_concepts.contains(c));
    let mut all: Vec<Vec<String>> = vec![Vec::new()];
    for id in named {
        let possible = asked.of(*id);
        let lists = match possible {
            Possible::Any(why) => return Err(*why),
            Possible::Of { hollow: Some(_), .. } => return Err(Unknown::Content(*id)),
            Possible::Of { lists, .. } => lists,
        };
        // A single value takes no axis away.
        let lists: Vec<&Alternative> = lists.iter().filter(|l| !l.is_single()).collect();
        let single = possible.lists().len() > lists.len();
        let lacks = single || lists.is_empty() || absent.context_may_lack(asked.plan, at, *id);
        let ways = lists.len() + usize::from(lacks);
        if all.len().saturating_mul(ways) > COMBINATIONS {
            return Err(asked.many());
        }
        let mut more = if lacks { all.clone() } else { Vec::new() };
        for list in lists {
            for before in &all {
                let mut axes = before.clone();
                let new = list.names().filter(|n| *n != NONE && !grouping.protect.iter().any(|p| **p == **n));
                for name in new {
                    if !axes.iter().any(|a| a == name) {
                        axes.push(name.to_owned());
                    }
                }
                if axes.len() > NAMES {
                    return Err(asked.many());
                }
                if !more.contains(&axes) {
                    more.push(axes);
                }
            }
        }
        all = more;
    }
    Ok(all)
}

/// The sources that are there in a run, one list of each, in every way; none when there are too many.
fn selections<'a>(sources: &[(&'a Possible, bool)]) -> Option<Vec<Vec<&'a Alternative>>> {
    // Sources that all have one and the same list give one thing, whichever are there.
    let mut lists = sources.iter().flat_map(|(p, _)| p.lists());
    if let Some(first) = lists.next()
        && lists.all(|l| l.names().eq(first.names()) && l.wide == first.wide)
    {
        return Some(vec![vec![first]]);
    }
    let mut all: Vec<Vec<&Alternative>> = vec![Vec::with_capacity(sources.len())];
    for (source, lacks) in sources {
        let lacks = *lacks || source.is_nothing();
        if let ([only], false) = (source.lists(), lacks) {
            all.iter_mut().for_each(|c| c.push(only));
            continue;
        }
        let ways = source.lists().len() + usize::from(lacks);
        if all.len().saturating_mul(ways) > COMBINATIONS {
            return None;
        }
        let without = if lacks { all.clone() } else { Vec::new() };
        let with = |c: &Vec<&'a Alternative>| {
            let c = c.clone();
            source.lists().iter().map(move |l| c.iter().copied().chain([l]).collect::<Vec<_>>())
        };
        all = without.into_iter().chain(all.iter().flat_map(with)).collect();
    }
    Some(all)
}
