//! The agents file of a plan: which one it is, and the paradigms its agents bring along.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diag::Diagnostic;
use crate::repo::agents::{Agent, AgentFile};
use crate::run::paradigm::Paradigm;
use crate::run::paradigm_check::Found;

use super::Exit;
use super::open::{Failed, folder, read_text};

/// What follows the stem of a plan in the name of its agents file.
const SUFFIX: &str = ".agent.json";

/// Longer files are no paradigms.
const LONGEST_PARADIGM: u64 = 4 << 20;

/// The agents file of a plan: the one that is named, `<plan>.agent.json` beside it, or the only `*.agent.json` there.
pub(super) fn find(named: Option<&Path>, plan: &Path) -> Option<PathBuf> {
    if let Some(named) = named {
        return Some(named.to_path_buf());
    }
    if plan == Path::new("-") {
        return None;
    }
    let own = plan.file_stem().map(|stem| plan.with_file_name(format!("{}{SUFFIX}", stem.to_string_lossy())));
    if let Some(own) = own.filter(|own| own.is_file()) {
        return Some(own);
    }
    let beside = folder(plan);
    let beside = if beside == Path::new("") { Path::new(".") } else { &beside };
    let entries = std::fs::read_dir(beside).ok()?.flatten().map(|e| e.path());
    let is_one =
        |p: &PathBuf| p.file_name().is_some_and(|n| n.to_string_lossy().ends_with(SUFFIX)) && p.is_file();
    let mut files: Vec<PathBuf> = entries.filter(is_one).collect();
    if files.len() == 1 { files.pop() } else { None }
}

/// Reads the agents file of a plan; an empty one when there is none.
///
/// # Errors
/// When it is not there, or not as the format has it.
pub(super) fn open(named: Option<&Path>, plan: &Path) -> Result<AgentFile, Failed> {
    let Some(path) = find(named, plan) else { return Ok(AgentFile::default()) };
    let text = read_text(&path)?;
    let bad = |diagnostics: Vec<Diagnostic>| Failed { diagnostics, exit: Exit::Failed };
    AgentFile::parse(&text, &path.display().to_string()).map_err(bad)
}

/// The paradigm of a name: the agent's own file first, then the built-in one.
pub(super) fn paradigm(base: &Path, agent: &Agent, name: &str) -> Found {
    let own = agent.paradigm_dir.as_deref().map(|dir| base.join(dir));
    // A name is no path.
    let plain = !name.contains(['/', '\\', '\0']) && !name.starts_with('.');
    if let Some(folder) = own.as_deref().filter(|_| plain) {
        let file = folder.join(format!("{name}.json"));
        let short = std::fs::metadata(&file).is_ok_and(|m| m.is_file() && m.len() <= LONGEST_PARADIGM);
        if let Some(text) = std::fs::read_to_string(&file).ok().filter(|_| short) {
            return match Paradigm::read(name, &text) {
                Ok(paradigm) => Found::Paradigm(Arc::new(paradigm)),
                Err(problems) => Found::Broken { file: file.display().to_string(), problems },
            };
        }
    }
    match Paradigm::builtin(name) {
        Some(paradigm) => Found::Paradigm(paradigm),
        None => Found::Missing(own.map(|folder| names(&folder)).unwrap_or_default()),
    }
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let stem = |path: PathBuf| {
        let json = path.extension().is_some_and(|e| e == "json");
        path.file_stem().filter(|_| json).map(|s| s.to_string_lossy().into_owned())
    };
    let mut names: Vec<String> = entries.flatten().filter_map(|e| stem(e.path())).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_file_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let plan = folder.path().join("plan.ncd");
        let put = |name: &str| std::fs::write(folder.path().join(name), "{}").unwrap();
        let found = || find(None, &plan).map(|p| p.file_name().unwrap().to_string_lossy().into_owned());
        assert_eq!(found(), None);
        put("one.agent.json");
        assert_eq!(found().as_deref(), Some("one.agent.json"));
        put("two.agent.json");
        assert_eq!(found(), None);
        put("plan.agent.json");
        assert_eq!(found().as_deref(), Some("plan.agent.json"));
        assert_eq!(find(Some(Path::new("x.json")), &plan), Some(PathBuf::from("x.json")));
    }

    #[test]
    fn own_paradigms_come_first_and_names_are_no_paths() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("mine")).unwrap();
        std::fs::write(folder.path().join("mine/judge.json"), "{}").unwrap();
        std::fs::write(folder.path().join("out.json"), "{}").unwrap();
        let agent = Agent { paradigm_dir: Some(Arc::from("mine")), ..Agent::default() };
        assert!(matches!(paradigm(folder.path(), &agent, "judge"), Found::Broken { .. }));
        assert!(matches!(paradigm(folder.path(), &Agent::default(), "judge"), Found::Paradigm(_)));
        let Found::Missing(names) = paradigm(folder.path(), &agent, "../out") else { panic!() };
        assert_eq!(names, ["judge"]);
    }
}
