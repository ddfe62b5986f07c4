//! What plans name outside of themselves, and whether it is there: `normc check --resources` and NC095.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Value as Json, json as object};

use crate::base::{SourceMap, Span, nearest};
use crate::diag::{Code, Diagnostic};
use crate::plan::{Resource, ResourceKind, WRITE_FILE, signs};
use crate::repo::{ConceptId, Inference, Method, Model, Spans, Work};
use crate::report::plain_line;
use crate::run::paradigm::Paradigm;

use super::super::open::concept_place;

/// Longer texts are not looked into.
const LONGEST_TEXT: u64 = 1 << 20;

/// Places of one resource that a diagnostic points at.
const MOST_PLACES: usize = 4;

/// The resources of one plan.
#[derive(Debug)]
pub(super) struct Listing {
    plan: String,
    base: PathBuf,
    entries: IndexMap<(ResourceKind, String), Entry>,
}

#[derive(Debug)]
struct Entry {
    spans: Vec<Span>,
    lines: Vec<String>,
    needed: bool,
    state: State,
    outside: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    There,
    Missing,
    /// A pattern, a program, a host: nothing one looks for under the base directory.
    Unknown,
}

/// The resources that the data of a bundle's concepts name.
pub(super) fn of_model(model: &Model, spans: &Spans, map: &SourceMap, first_file: u32) -> Vec<Resource> {
    let mut found = Vec::new();
    let written = written(model);
    for (number, concept) in (0..).zip(&model.concepts) {
        let Some(data) = &concept.data else { continue };
        let is_written = written.contains(&ConceptId(number));
        let span = concept_place(spans, &concept.name, map, first_file);
        found.extend(signs(data).into_iter().map(|r| Resource {
            span,
            needed: r.needed && !is_written,
            ..r
        }));
    }
    found
}

/// Function concepts that name the file a step writes.
fn written(model: &Model) -> BTreeSet<ConceptId> {
    let writes = |i: &&Inference| match &i.work {
        Work::Semantic(step) => {
            matches!(&step.method, Method::Composition { paradigm } if &**paradigm == WRITE_FILE)
        }
        _ => false,
    };
    model.inferences.iter().filter(writes).filter_map(|i| i.function).collect()
}

impl Listing {
    /// Looks for what a plan names under its base directory, and in the folders that agents have for their files.
    pub(super) fn of(plan: &Path, base: &Path, folders: &[Arc<str>], named: Vec<Resource>) -> Self {
        let base = if base == Path::new("") { PathBuf::from(".") } else { base.to_path_buf() };
        let own = folders.iter().map(|folder| base.join(&**folder));
        let places: Vec<PathBuf> = std::iter::once(base.clone()).chain(own).collect();
        let mut entries: IndexMap<(ResourceKind, String), Entry> = IndexMap::new();
        for resource in named {
            let key = (resource.kind, resource.name.to_string());
            let entry = entries.entry(key).or_insert_with(|| Entry {
                spans: Vec::new(),
                lines: Vec::new(),
                needed: false,
                state: state(&places, resource.kind, &resource.name),
                outside: leaves(&resource.name) && is_file(resource.kind),
            });
            entry.spans.extend(resource.span);
            entry.needed |= resource.needed;
            let line = resource.line.map(|l| l.to_string());
            entry.lines.extend(line.filter(|l| !entry.lines.contains(l)));
        }
        Self { plan: plan.display().to_string(), base, entries }
    }

    /// The text of a script or prompt that is there.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        let path = self.base.join(path);
        let short = std::fs::metadata(&path).is_ok_and(|m| m.is_file() && m.len() <= LONGEST_TEXT);
        std::fs::read_to_string(path).ok().filter(|_| short)
    }

    /// What is not there (NC095). Unless `all` is asked for, only where something else of the plan is: a plan that was
    /// copied alone has nothing beside it, and that is no mistake of the plan.
    pub(super) fn missing(&self, all: bool) -> Vec<Diagnostic> {
        let beside = |kind: ResourceKind, e: &Entry| is_file(kind) && e.state == State::There && !e.outside;
        let some = self.entries.iter().any(|((kind, _), e)| beside(*kind, e));
        let lacking = self.entries.iter().filter(|(_, e)| e.needed && e.state == State::Missing);
        let said = lacking.filter(|((_, name), _)| all || some || self.has_folder_of(name));
        said.map(|((kind, name), entry)| self.lacks(*kind, name, entry)).collect()
    }

    /// The folder a path names, other than the base directory, is there.
    fn has_folder_of(&self, name: &str) -> bool {
        let folder = Path::new(name).parent().filter(|p| *p != Path::new(""));
        !leaves(name) && folder.is_some_and(|f| self.base.join(f).is_dir())
    }

    fn lacks(&self, kind: ResourceKind, name: &str, entry: &Entry) -> Diagnostic {
        let message = format!("there is no {} `{name}` in `{}`", kind.word(), self.base.display());
        let mut diagnostic = match entry.spans.first() {
            Some(span) => Diagnostic::at(Code::NC095, *span, message),
            None => Diagnostic::new(Code::NC095, message),
        };
        for span in entry.spans.iter().skip(1).take(MOST_PLACES) {
            diagnostic = diagnostic.also(*span, "named here too");
        }
        let help = match self.near(name) {
            Some(near) => format!("did you mean `{near}`?"),
            None if self.base.join(name).is_dir() => "that is a folder: write the path of a file".to_owned(),
            None => "write a path relative to the folder of the plan, or give the folder with --base-dir"
                .to_owned(),
        };
        diagnostic.help(help)
    }

    /// A file in the same folder with nearly that name, or with that name in a folder with nearly that name.
    fn near(&self, name: &str) -> Option<String> {
        let path = Path::new(name);
        let (folder, file) = (path.parent()?, path.file_name()?.to_str()?);
        let files = names(&self.base.join(folder), false);
        if let Some(near) = nearest(file, files.iter().map(String::as_str)) {
            return Some(shown(&folder.join(near)));
        }
        let (above, last) = (folder.parent()?, folder.file_name()?.to_str()?);
        let folders = names(&self.base.join(above), true);
        let beside = above.join(nearest(last, folders.iter().map(String::as_str))?).join(file);
        self.base.join(&beside).is_file().then(|| shown(&beside))
    }
}

fn shown(path: &Path) -> String {
    let parts: Vec<_> = path.components().map(|c| c.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

fn names(folder: &Path, folders: bool) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let wanted = |e: &std::fs::DirEntry| e.path().is_dir() == folders;
    let mut names: Vec<String> =
        entries.flatten().filter(wanted).filter_map(|e| e.file_name().into_string().ok()).collect();
    names.sort();
    names
}

fn is_file(kind: ResourceKind) -> bool {
    matches!(kind, ResourceKind::Script | ResourceKind::Prompt | ResourceKind::File)
}

fn state(places: &[PathBuf], kind: ResourceKind, name: &str) -> State {
    if kind == ResourceKind::Paradigm && Paradigm::builtin(name).is_some() {
        return State::There;
    }
    let pattern = name.contains(['*', '?']) || name.contains("__");
    if !is_file(kind) || pattern || name.contains('\0') {
        return State::Unknown;
    }
    if places.iter().any(|place| place.join(name).is_file()) { State::There } else { State::Missing }
}

/// Returns whether a path leads out of the base directory.
fn leaves(name: &str) -> bool {
    let mut depth = 0i64;
    Path::new(name).components().any(|part| {
        match part {
            Component::ParentDir => depth -= 1,
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return true,
        }
        depth < 0
    })
}

fn word(entry: &Entry) -> &'static str {
    match entry.state {
        State::There => "there",
        State::Missing if entry.needed => "missing",
        State::Missing => "not there yet",
        State::Unknown => "",
    }
}

/// One table a plan.
pub(super) fn table(listings: &[Listing]) -> String {
    let mut out = String::new();
    for listing in listings {
        out.push_str(&format!("{} (in {})\n", plain_line(&listing.plan), listing.base.display()));
        if listing.entries.is_empty() {
            out.push_str("  names no scripts, prompts or files\n");
            continue;
        }
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        for ((kind, name), entry) in &listing.entries {
            let outside = if entry.outside { "outside" } else { "" };
            let state = [word(entry), outside].into_iter().filter(|w| !w.is_empty()).collect::<Vec<_>>();
            let lines = entry.lines.join(" ");
            table.add_row([
                format!(" {}", kind.word()),
                plain_line(name).into_owned(),
                state.join(", "),
                lines,
            ]);
        }
        for line in table.to_string().lines() {
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    out
}

/// All resources as objects.
pub(super) fn json(listings: &[Listing]) -> Json {
    let all = listings.iter().flat_map(|listing| {
        listing.entries.iter().map(|((kind, name), entry)| {
            object!({
                "plan": listing.plan,
                "kind": kind.word(),
                "name": name,
                "there": match entry.state {
                    State::There => Some(true),
                    State::Missing => Some(false),
                    State::Unknown => None,
                },
                "needed": entry.needed,
                "outside": entry.outside,
                "lines": entry.lines,
            })
        })
    });
    Json::Array(all.collect())
}

#[cfg(test)]
mod tests {
    use super::leaves;

    #[test]
    fn ways_out() {
        for (name, out) in [
            ("a/b.py", false),
            ("a/../b.py", false),
            ("../b.py", true),
            ("a/../../b.py", true),
            ("/etc/passwd", true),
            ("./a.py", false),
        ] {
            assert_eq!(leaves(name), out, "{name}");
        }
    }
}
