//! `normc fmt SRC...`: plans in canonical layout, written in place.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value as Json, json};
use similar::TextDiff;

use crate::base::{SourceFile, SourceMap};
use crate::diag::{self, Diagnostic, Severity};
use crate::report::say;
use crate::syntax::{self, Dialect};

use super::Exit;
use super::files;
use super::open::{is_bundle, read, source_name};
use super::output::{Form, complain, count, print, show};

/// Lay plans out in the canonical way
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  normc fmt plan.nc\n  normc fmt --check plans/*.nc\n  normc fmt --diff \
                        plan.nc\n  normc fmt - < plan.nc\n\nOnly the layout changes: blanks, indentation, line \
                        ends. What the plan means, and which line a comment belongs to, stays. Exit code 1 with \
                        --check or --diff when a file is not in canonical layout.")]
pub(super) struct Arguments {
    /// Plans as source text (.nc, .ncd, .ncds, .ncn, .ncdn), or - for standard input to standard output
    #[arg(required = true)]
    sources: Vec<PathBuf>,
    /// Write nothing; name the files that are not in canonical layout
    #[arg(long)]
    check: bool,
    /// Write nothing; show what would change
    #[arg(long)]
    diff: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Form,
}

/// A shorter difference is looked for this long; a text of which every line changes has none.
const PATIENCE: Duration = Duration::from_secs(1);

/// A source text and what it would be.
struct Formatted {
    name: String,
    before: String,
    after: String,
}

impl Formatted {
    fn differs(&self) -> bool {
        self.before != self.after
    }

    fn diff(&self) -> String {
        let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(&self.before, &self.after);
        let (old, new) = (&self.name, &self.name);
        diff.unified_diff().header(old, new).to_string()
    }
}

/// How many files came to what.
#[derive(Debug, Default)]
struct Counts {
    changed: usize,
    right: usize,
    failed: usize,
}

pub(super) fn run(arguments: &Arguments) -> Exit {
    let mut map = SourceMap::default();
    let mut exit = Exit::Done;
    let mut counts = Counts::default();
    let mut list: Vec<Json> = Vec::new();
    let looking = arguments.check || arguments.diff;
    for source in &arguments.sources {
        let done = formatted(source, &mut map).and_then(|formatted| {
            act(arguments, source, &formatted)?;
            Ok(formatted)
        });
        match done {
            Ok(formatted) => {
                let differs = formatted.differs();
                *(if differs { &mut counts.changed } else { &mut counts.right }) += 1;
                if differs && looking && exit == Exit::Done {
                    exit = Exit::Failed;
                }
                list.push(entry(arguments, source, &formatted));
            }
            Err(failed) => {
                counts.failed += 1;
                exit = failed.exit;
                let diagnostics: Vec<Json> = failed.diagnostics.iter().map(|d| diag::json(d, &map)).collect();
                let name = source_name(source);
                list.push(json!({ "file": name, "status": "failed", "diagnostics": diagnostics }));
                if arguments.format == Form::Human {
                    show(&failed.diagnostics, &map, Severity::Error);
                }
            }
        }
    }
    if arguments.format == Form::Json {
        return print(&format!("{}\n", json!({ "files": list }))).err().unwrap_or(exit);
    }
    let piped = arguments.sources.iter().all(|s| s == Path::new("-"));
    if !piped || looking {
        say!("{}", summary(&counts, looking));
    }
    exit
}

/// A file that is left as it is: why, and how the command ends. What is no diagnostic has been said already.
struct Failed {
    diagnostics: Vec<Diagnostic>,
    exit: Exit,
}

impl From<Exit> for Failed {
    fn from(exit: Exit) -> Self {
        Self { diagnostics: Vec::new(), exit }
    }
}

fn formatted(path: &Path, map: &mut SourceMap) -> Result<Formatted, Failed> {
    let bytes = read(path).map_err(|failed| failed.exit)?;
    let name = source_name(path);
    if is_bundle(path, &bytes) {
        let help = "name the source text the bundle was compiled from";
        complain(&format!("{name} is a plan.json: only source text has a layout"), Some(help));
        return Err(Exit::BadData.into());
    }
    let file = map.add(SourceFile::new(name.as_str(), String::from_utf8_lossy(&bytes).into_owned()));
    let text =
        syntax::decode(file, &bytes).map_err(|d| Failed { diagnostics: vec![*d], exit: Exit::Failed })?;
    let hint = path.extension().and_then(|e| e.to_str()).and_then(Dialect::from_extension);
    let (tree, _) = syntax::parse(file, text, hint);
    let after = syntax::format(&tree, text);
    Ok(Formatted { name, before: text.to_owned(), after })
}

/// Writes, prints or names what was formatted.
fn act(arguments: &Arguments, path: &Path, formatted: &Formatted) -> Result<(), Exit> {
    let human = arguments.format == Form::Human;
    if arguments.diff {
        return if human && formatted.differs() { print(&formatted.diff()) } else { Ok(()) };
    }
    if arguments.check {
        let named = human && formatted.differs();
        return if named { print(&format!("{}\n", formatted.name)) } else { Ok(()) };
    }
    if path == Path::new("-") {
        return if human { print(&formatted.after) } else { Ok(()) };
    }
    if !formatted.differs() {
        return Ok(());
    }
    files::write(path, &formatted.after).map_err(|error| {
        complain(&format!("cannot write {}: {error}", path.display()), None);
        Exit::InputOutput
    })?;
    if human {
        say!("formatted {}", formatted.name);
    }
    Ok(())
}

/// Gives a file a new text, all of it or nothing: the text goes to a file beside it that then takes its name. The file
/// What the list of `--format json` says of a file.
fn entry(arguments: &Arguments, path: &Path, formatted: &Formatted) -> Json {
    let status = match (formatted.differs(), arguments.check || arguments.diff) {
        (false, _) => "right",
        (true, true) => "differs",
        (true, false) => "formatted",
    };
    let mut entry = json!({ "file": formatted.name, "status": status });
    if let Some(entry) = entry.as_object_mut() {
        if arguments.diff {
            entry.insert("diff".to_owned(), formatted.diff().into());
        } else if path == Path::new("-") && !arguments.check {
            entry.insert("text".to_owned(), formatted.after.as_str().into());
        }
    }
    entry
}

fn summary(counts: &Counts, looking: bool) -> String {
    let mut parts = Vec::new();
    if counts.changed > 0 {
        let what = if looking { "not in canonical layout" } else { "formatted" };
        parts.push(format!("{} {what}", count(counts.changed, "file")));
    }
    if counts.right > 0 {
        parts.push(format!("{} right already", count(counts.right, "file")));
    }
    if counts.failed > 0 {
        parts.push(format!("{} failed", count(counts.failed, "file")));
    }
    parts.join(", ")
}
