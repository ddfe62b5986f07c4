//! What a plan may do: programs and hosts the user has narrowed it to, and scripts that nobody wrote beforehand
//! (semantics spec, section 16; durability spec, section 8, S3).
//!
//! This is no sandbox: a script does what the user may do. It says which scripts and programs are started at all.

use std::collections::BTreeSet;
use std::path::{Component, Path};
use std::sync::{Mutex, PoisonError};

use super::failure::shorten;
use super::{Failure, FailureKind};
use crate::base::Digest;

/// What a plan may do; everything unless it was narrowed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions {
    /// `--deny-run`: no script and no program.
    pub deny_run: bool,
    /// `--deny-net`: no host.
    pub deny_net: bool,
    /// `--allow-run LIST`: these scripts and programs alone. A name means a program of that name or that path; a path
    /// that ends in `/` everything beneath.
    pub allow_run: Option<Vec<String>>,
    /// `--allow-generated-scripts`: scripts that were written during the run.
    pub allow_generated: bool,
}

impl Permissions {
    /// Whether a script, by its path, or a program, by its first argument, may be run.
    ///
    /// # Errors
    /// `not_allowed`, with the option that stands against it.
    pub fn may_run(&self, what: &str) -> Result<(), Failure> {
        let refuse = |why: &str, help: String| {
            let message = format!("`{}` may not be run: {why}", shorten(what));
            Err(Failure::new(FailureKind::NotAllowed, message).with_help(help))
        };
        if self.deny_run {
            return refuse("the run was started with --deny-run", "start it without --deny-run".to_owned());
        }
        match &self.allow_run {
            Some(list) if !list.iter().any(|entry| covers(entry, what)) => {
                let why = "it is not in the list of --allow-run";
                refuse(why, format!("start the run with --allow-run {}", shorten(what)))
            }
            _ => Ok(()),
        }
    }

    /// Whether a host may be connected to.
    ///
    /// # Errors
    /// `not_allowed`.
    pub fn may_connect(&self, host: &str) -> Result<(), Failure> {
        if !self.deny_net {
            return Ok(());
        }
        let message =
            format!("`{}` may not be connected to: the run was started with --deny-net", shorten(host));
        Err(Failure::new(FailureKind::NotAllowed, message)
            .with_help("start it without --deny-net, or with a cassette that holds the replies"))
    }
}

/// Whether an entry of the list means this script or program. Paths are compared part by part, so that `scripts/` does
/// not cover `scripts/../other.py`.
fn covers(entry: &str, what: &str) -> bool {
    let (Some(entry_parts), Some(parts)) = (parts(entry), parts(what)) else { return false };
    if Path::new(entry).is_absolute() != Path::new(what).is_absolute() {
        return false;
    }
    if entry.ends_with('/') { parts.starts_with(&entry_parts) } else { parts == entry_parts }
}

/// The parts of a path without `.` and `..`; none when it leads out at its beginning.
fn parts(path: &str) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::ParentDir => drop(parts.pop()?),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    Some(parts)
}

/// What was written during this run: such a file is no script of the plan, whoever wrote it.
#[derive(Debug, Default)]
pub struct ScriptTrust(Mutex<BTreeSet<Digest>>);

impl ScriptTrust {
    /// Nothing was written yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes the content of a file that a step writes, before it does.
    pub fn written(&self, content: &[u8]) {
        self.written_digest(Digest::of(content));
    }

    /// Notes the hash of such a content, as the journal of an earlier try has it.
    pub fn written_digest(&self, digest: Digest) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(digest);
    }

    /// Whether a script may be run: its code, and the path of the plan's file it was read from, none when a step has
    /// it from elsewhere.
    ///
    /// # Errors
    /// `not_allowed` for code that was written during the run or is no file's, unless that is allowed; and what
    /// [`Permissions::may_run`] says.
    pub fn check(&self, path: Option<&str>, code: &str, permissions: &Permissions) -> Result<(), Failure> {
        if let Some(path) = path {
            permissions.may_run(path)?;
        } else if permissions.deny_run {
            permissions.may_run("a script of a step")?;
        }
        if permissions.allow_generated {
            return Ok(());
        }
        let written =
            || self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&Digest::of(code.as_bytes()));
        let message = match path {
            Some(path) if written() => {
                format!("script `{}` was written during this run, so it is not run", shorten(path))
            }
            Some(_) => return Ok(()),
            None => "a script that is no file of the plan is not run".to_owned(),
        };
        let failure = Failure::new(FailureKind::NotAllowed, message).with_help(
            "look at it, then start the run with --allow-generated-scripts, or make it a script of the plan",
        );
        Err(match path {
            Some(path) => failure.at(path, None),
            None => failure,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_run() {
        let free = Permissions::default();
        assert!(free.may_run("rm").is_ok() && free.may_connect("example.org").is_ok());
        let denied = Permissions { deny_run: true, deny_net: true, ..Permissions::default() };
        assert!(denied.may_run("a.py").unwrap_err().message.contains("--deny-run"));
        assert!(denied.may_connect("example.org").unwrap_err().message.contains("--deny-net"));
        let list = ["jq", "scripts/", "/opt/tools/", "one.py"].map(str::to_owned).to_vec();
        let narrowed = Permissions { allow_run: Some(list), ..Permissions::default() };
        for fine in
            ["jq", "scripts/a.py", "./scripts/b/c.py", "/opt/tools/x", "./one.py", "x/../scripts/a.py"]
        {
            assert!(narrowed.may_run(fine).is_ok(), "{fine}");
        }
        for bad in [
            "sh",
            "/usr/bin/jq",
            "scripts2/a.py",
            "scripts/../b.py",
            "../scripts/a.py",
            "/opt/tools2/x",
            "opt/tools/x",
            "two.py",
            "",
        ] {
            let failure = narrowed.may_run(bad).unwrap_err();
            assert_eq!(failure.kind, FailureKind::NotAllowed);
            assert!(failure.help.unwrap().contains("--allow-run"), "{bad}");
        }
    }

    #[test]
    fn scripts_of_the_run_itself_are_not_trusted() {
        let (trust, permissions) = (ScriptTrust::new(), Permissions::default());
        trust.written(b"result = 1");
        trust.written_digest(Digest::of(b"result = 2"));
        for code in ["result = 1", "result = 2"] {
            let failure = trust.check(Some("s.py"), code, &permissions).unwrap_err();
            assert_eq!(failure.kind, FailureKind::NotAllowed);
            assert!(failure.help.unwrap().contains("--allow-generated-scripts"));
        }
        assert!(trust.check(Some("s.py"), "result = 3", &permissions).is_ok());
        assert!(trust.check(None, "result = 3", &permissions).is_err());
        let allowed = Permissions { allow_generated: true, ..permissions };
        assert!(trust.check(Some("s.py"), "result = 1", &allowed).is_ok());
        assert!(trust.check(None, "result = 3", &allowed).is_ok());
        let denied = Permissions { deny_run: true, ..allowed };
        assert!(trust.check(None, "result = 3", &denied).unwrap_err().message.contains("--deny-run"));
    }
}
