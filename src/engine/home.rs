//! What agents have of their own: the folder in which their files stand, and the programs that stand for tools of other
//! kinds (semantics spec, section 12).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::{Value, text_of};
use crate::faculty::files::Root;
use crate::faculty::{Failure, FailureKind};
use crate::repo::agents::Agent;
use crate::run::effect::Arguments;

use super::tool_options::ToolOptions;

/// A folder in which files of steps stand.
pub(super) struct Home {
    pub(super) root: Root,
    pub(super) base: String,
    /// What it is called in messages about files of several folders; empty for that of the plan.
    name: String,
}

impl Home {
    pub(super) fn open(base: &Path, name: String, options: &ToolOptions) -> Result<Self, Failure> {
        let root = Root::open_with(base, &options.allow_read, &options.allow_write)?;
        let root = root.with_absolute_paths(options.absolute_paths);
        Ok(Self { root, base: base.to_string_lossy().into_owned(), name })
    }

    /// The folder an agent has for itself: beneath that of the plan, or beneath one that may be read and written.
    pub(super) fn of_agent(
        base: &Path,
        agent: &Agent,
        folder: &str,
        options: &ToolOptions,
    ) -> Result<Self, Failure> {
        let file = options.agents.shown();
        let bad = |kind: FailureKind, what: &str, help: &str| {
            let message = format!(
                "{file}: `tools.file_system.base_dir` of the agent `{}` is `{folder}`, {what}",
                agent.id
            );
            Failure::new(kind, message).with_help(help)
        };
        let path = base.join(folder);
        let found = path.canonicalize().ok().filter(|found| found.is_dir()).ok_or_else(|| {
            let help = "make the folder, or write the path of one, relative to the base directory of the run";
            bad(FailureKind::FileNotFound, "and there is no such folder", help)
        })?;
        let covers = |allowed: &Path| allowed.canonicalize().is_ok_and(|allowed| found.starts_with(allowed));
        let among = |allowed: &[PathBuf]| allowed.iter().any(|path| covers(path));
        let allowed = among(&options.allow_read) && among(&options.allow_write);
        if !(covers(base) || allowed) {
            let help = "write a folder beneath the base directory of the run, or allow this one with both \
                        --allow-read and --allow-write";
            return Err(bad(FailureKind::PathEscapesBase, "which leads out of the base directory", help));
        }
        let home = base.canonicalize().unwrap_or_else(|_| base.to_path_buf());
        let name = found.strip_prefix(&home).unwrap_or(&found).to_string_lossy().into_owned();
        Self::open(&found, name, options)
    }

    /// What a file of this folder is called among those of all folders.
    pub(super) fn key(&self, path: &str) -> Arc<str> {
        match self.name.as_str() {
            "" => Arc::from(path),
            name => Arc::from(format!("{name}/{path}")),
        }
    }
}

/// What the program of a tool is given: the arguments by name, and the method.
pub(super) fn tool_inputs(method: &Arc<str>, args: &Arguments) -> Arguments {
    let named = args.iter().filter(|(name, _)| &**name != "method").cloned();
    std::iter::once((Arc::from("method"), Value::Text(Arc::clone(method)))).chain(named).collect()
}

/// The words of a tool's program; `{name}` as a whole word is the input of that name.
pub(super) fn filled(words: &[Arc<str>], inputs: &Arguments, tool: &str) -> Result<Vec<Arc<str>>, Failure> {
    let fill = |word: &Arc<str>| {
        let name = word.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let Some(name) = name.filter(|n| n.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')) else {
            return Ok(Arc::clone(word));
        };
        let input =
            inputs.iter().find(|(known, _)| &**known == name).map(|(_, value)| Arc::from(text_of(value)));
        input.ok_or_else(|| {
            let names: Vec<String> = inputs.iter().map(|(name, _)| format!("`{{{name}}}`")).collect();
            let message =
                format!("the program of the tool `{tool}` wants `{word}`, and the call has no such argument");
            Failure::new(FailureKind::BadArguments, message).with_help(format!("it has {}", names.join(", ")))
        })
    };
    words.iter().map(fill).collect()
}
