//! `normc check --fix`: rounds of mends until none is left, and the file written in one step.

use std::path::Path;

use similar::TextDiff;

use crate::base::{FileId, SourceMap};
use crate::diag::{Code, Diagnostic, mend_all};

use super::super::Exit;
use super::super::files;
use super::super::open::{Opening, compile, source_name};
use super::super::output::print;

/// A text with all mends in it.
#[derive(Debug)]
pub(super) struct Fixed {
    /// The text before.
    before: String,
    /// The text now.
    pub(super) text: String,
    /// Mends put in.
    pub(super) applied: usize,
}

/// Puts in what can be mended with certainty. Diagnostics that are allowed are not touched. None
/// when the bytes are no text.
pub(super) fn fix(path: &Path, bytes: &[u8], allowed: &[Code]) -> Option<Fixed> {
    let before = std::str::from_utf8(bytes).ok()?;
    let found = |text: &str| diagnostics(path, text, allowed);
    let mended = mend_all(before, FileId(0), &found(before), found);
    Some(Fixed { before: before.to_owned(), text: mended.text, applied: mended.applied })
}

fn diagnostics(path: &Path, text: &str, allowed: &[Code]) -> Vec<Diagnostic> {
    let mut map = SourceMap::default();
    let found = match compile(path, text.as_bytes(), &mut map, &Opening::to_look()) {
        Ok(compiled) => compiled.diagnostics,
        Err(failed) => failed.diagnostics,
    };
    found.into_iter().filter(|d| !allowed.contains(&d.code)).collect()
}

/// Writes the text to where it came from, or shows what would change.
pub(super) fn deliver(path: &Path, fixed: &Fixed, dry_run: bool) -> Result<(), Exit> {
    let standard = path == Path::new("-");
    if dry_run {
        let name = source_name(path);
        let changes = TextDiff::from_lines(fixed.before.as_str(), fixed.text.as_str());
        return print(&changes.unified_diff().header(&name, &name).to_string());
    }
    if standard {
        return print(&fixed.text);
    }
    if fixed.text == fixed.before {
        return Ok(());
    }
    files::deliver(path, &fixed.text)
}
