//! Which concept stands on which line: from the lines that concept entries name, else from the order of the entries.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::FlowIndex;
use crate::repo::bundle::Repositories;
use crate::repo::entry::InferenceEntry;
use crate::repo::model::ConceptKind;
use crate::repo::types;

/// What stands on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) name: String,
    pub(super) role: Role,
}

/// How it stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Function,
    Value,
    Context,
    /// A line that only keeps the indices of others.
    Helper,
}

/// The lines of a plan by flow index: every index has its parent and all siblings before it.
pub(super) type Lines = BTreeMap<FlowIndex, Placed>;

pub(super) fn lines(repositories: &Repositories) -> Lines {
    let mut lines = exact(repositories).unwrap_or_else(|| guessed(repositories));
    settle_contexts(repositories, &mut lines);
    lines
}

/// Names of function concepts.
pub(super) fn functions(repositories: &Repositories) -> FxHashSet<&str> {
    let function = |t: &str| types::kind_of(t) == Some(ConceptKind::Function);
    let of_type = repositories.concepts.iter().filter(|c| function(c.type_name())).map(|c| c.name());
    of_type.chain(repositories.inferences.iter().filter_map(|i| i.function())).collect()
}

/// Values a step was given for its script or prompt (repositories spec, section 7.6), with the sign they hold.
pub(super) fn helpers(repositories: &Repositories) -> FxHashMap<&str, &str> {
    let named = |n: &str| n.starts_with("nominalized_action_") || n.starts_with("prompt_location_");
    let concepts = repositories.concepts.iter().filter(|c| c.type_name() == "{}" && named(c.name()));
    concepts.filter_map(|c| Some((c.name(), c.data()?.get(0)?.as_str()?))).collect()
}

/// The lines as concept entries list them; none when they do not make a tree that holds every entry.
fn exact(repositories: &Repositories) -> Option<Lines> {
    let functions = functions(repositories);
    let helpers = helpers(repositories);
    let mut lines = Lines::new();
    for concept in &repositories.concepts {
        let name = concept.name();
        if helpers.contains_key(name) {
            continue;
        }
        for index in concept.flow_indices() {
            let index: FlowIndex = index.parse().ok()?;
            let role = if functions.contains(name) { Role::Function } else { Role::Value };
            if lines.insert(index, Placed { name: name.to_owned(), role }).is_some() {
                return None;
            }
        }
    }
    let whole = lines.keys().all(|index| before(index).is_none_or(|b| lines.contains_key(&b)));
    let entries = repositories.inferences.iter().all(|entry| {
        let Ok(index) = entry.flow_index().parse::<FlowIndex>() else { return false };
        functions.contains(entry.target()) || lines.get(&index).is_some_and(|l| l.name == entry.target())
    });
    (whole && entries && !lines.is_empty()).then_some(lines)
}

/// The index that must stand before this one: the sibling above, or the parent.
fn before(index: &FlowIndex) -> Option<FlowIndex> {
    let last = *index.parts().last()?;
    match (index.parent(), last) {
        (Some(parent), 0 | 1) => Some(parent),
        (Some(parent), n) => Some(parent.child(n - 1)),
        (None, 0 | 1) => None,
        (None, n) => Some(FlowIndex::root(n - 1)),
    }
}

/// Children a step needs below its line.
fn needed(
    entry: &InferenceEntry,
    functions: &FxHashSet<&str>,
    helpers: &FxHashMap<&str, &str>,
) -> Vec<Placed> {
    let mut needed: Vec<Placed> = Vec::new();
    let mut seen = FxHashSet::default();
    let mut put = |name: &str, role: Role, needed: &mut Vec<Placed>| {
        let plain = !functions.contains(name) && !helpers.contains_key(name);
        if plain && seen.insert(name.to_owned()) {
            needed.push(Placed { name: name.to_owned(), role });
        }
    };
    if entry.sequence() == "timing" {
        return needed;
    }
    for value in entry.values() {
        put(value, Role::Value, &mut needed);
    }
    let text = entry.function().unwrap_or_default();
    for context in entry.contexts() {
        // What the operation names needs no line; a loop's element has one in the newer form.
        let named = match entry.sequence() {
            "quantifying" => true,
            "grouping" => text.contains(context.trim_end_matches(|c: char| c == '*' || c.is_ascii_digit())),
            _ => false,
        };
        if !named {
            put(context, Role::Context, &mut needed);
        }
    }
    needed
}

/// The lines that entries without a list of lines ask for: targets at their indices, the others in the free places.
fn guessed(repositories: &Repositories) -> Lines {
    let functions = functions(repositories);
    let helpers = helpers(repositories);
    let mut entries: Vec<(FlowIndex, &InferenceEntry)> = Vec::new();
    for entry in &repositories.inferences {
        if let Ok(index) = entry.flow_index().parse::<FlowIndex>() {
            entries.push((index, entry));
        }
    }
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    let mut lines = Lines::new();
    for (index, entry) in &entries {
        let role = if functions.contains(entry.target()) { Role::Function } else { Role::Value };
        lines.insert(index.clone(), Placed { name: entry.target().to_owned(), role });
    }
    let mut children: FxHashMap<FlowIndex, BTreeMap<u32, FlowIndex>> = FxHashMap::default();
    for index in lines.keys() {
        note(&mut children, index);
    }
    for (index, entry) in &entries {
        let there = children.remove(index).unwrap_or_default();
        let mut wanted: Vec<Placed> = Vec::new();
        wanted.extend(entry.function().map(|f| Placed { name: f.to_owned(), role: Role::Function }));
        wanted.extend(needed(entry, &functions, &helpers));
        let present: FxHashSet<&str> =
            there.values().filter_map(|i| lines.get(i)).map(|l| l.name.as_str()).collect();
        wanted.retain(|w| !present.contains(w.name.as_str()));
        let mut free = (1..).filter(|n| !there.contains_key(n));
        let mut last = there.keys().last().copied().unwrap_or(0);
        for placed in wanted {
            let Some(place) = free.next() else { break };
            last = last.max(place);
            lines.insert(index.child(place), placed);
        }
        for hole in free.take_while(|n| *n < last).take(MOST_HELPERS) {
            lines.insert(index.child(hole), helper(&index.child(hole)));
        }
    }
    fill(&mut lines);
    lines
}

fn note(children: &mut FxHashMap<FlowIndex, BTreeMap<u32, FlowIndex>>, index: &FlowIndex) {
    if let (Some(parent), Some(last)) = (index.parent(), index.parts().last()) {
        children.entry(parent).or_default().insert(*last, index.clone());
    }
}

fn helper(index: &FlowIndex) -> Placed {
    Placed { name: format!("{{helper {index}}}"), role: Role::Helper }
}

/// How many helper lines are made at most: an index like 1.4000000000 is nobody's.
const MOST_HELPERS: usize = 100_000;

/// Adds parents and siblings that are missing.
fn fill(lines: &mut Lines) {
    let mut open: Vec<FlowIndex> = lines.keys().cloned().collect();
    let mut made = 0;
    while let Some(index) = open.pop() {
        let Some(above) = before(&index).filter(|b| !lines.contains_key(b)) else { continue };
        made += 1;
        if made > MOST_HELPERS {
            return;
        }
        lines.insert(above.clone(), helper(&above));
        open.push(above);
    }
}

/// A line of a concept that its step has only as a context is a `<*` line.
fn settle_contexts(repositories: &Repositories, lines: &mut Lines) {
    let mut changed: Vec<(FlowIndex, Role)> = Vec::new();
    let by_index: FxHashMap<FlowIndex, &InferenceEntry> =
        repositories.inferences.iter().filter_map(|i| Some((i.flow_index().parse().ok()?, i))).collect();
    let mut taken: FxHashSet<(FlowIndex, &str)> = FxHashSet::default();
    for (index, placed) in lines.iter().filter(|(_, p)| p.role == Role::Value) {
        let Some(parent) = index.parent() else { continue };
        let Some(entry) = by_index.get(&parent).filter(|e| e.sequence() != "timing") else { continue };
        let valued = entry.values().contains(&placed.name.as_str());
        let context = entry.contexts().contains(&placed.name.as_str());
        let again = !taken.insert((parent, placed.name.as_str()));
        if context && (!valued || again) {
            changed.push((index.clone(), Role::Context));
        }
    }
    for (index, role) in changed {
        if let Some(placed) = lines.get_mut(&index) {
            placed.role = role;
        }
    }
}
