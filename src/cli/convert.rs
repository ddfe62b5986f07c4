//! `normc convert --to FORM SRC`: a plan in another of its forms.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::base::{SourceFile, SourceMap};
use crate::diag::{Diagnostic, Severity};
use crate::repo::{self, Raised};
use crate::syntax::convert::{self, Converted, Style};
use crate::syntax::{self, Dialect, Outline};

use super::Exit;
use super::compile::write_split;
use super::files::deliver;
use super::open::{Opened, Opening, open, read_plan, refuse_empty, source_name};
use super::output::{Format, complain, show_as};

/// Write a plan in another of its forms
///
/// The forms say the same plan to different readers. Source text: `ncd` (symbol operators), `nc` (English operators),
/// `flat` (one numbered line a concept), `ncds` (a draft in sentences), `ncn` (sentences for readers), `ncdn` (the plan
/// with a sentence under each line). Records: `nci` and `nc-json` for other programs, `repos` for concept.json and
/// inference.json. What the form cannot say is kept as written and reported.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  normc convert --to ncd plan.nc -o plan.ncd\n  normc convert --to ncn plan.nc\n  normc \
                  convert plan.json -o plan.ncd\n  normc convert --to repos plan.nc -o repos/\n  cat plan.nc | normc \
                  convert --to ncds -\n\nWithout --to the form is told by the extension of -o. Without -o the result \
                  goes to standard output.\nA plan.json gives its own source text when that is at hand unchanged, else \
                  source text made from it."
)]
pub(super) struct Arguments {
    /// The plan: source text, plan.json, or - for standard input
    source: PathBuf,
    /// The form to write
    #[arg(long, value_enum, value_name = "FORM", required_unless_present = "output")]
    to: Option<Form>,
    /// Where to write; a folder for `repos`; - is standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How to print what could not be said
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// The forms a plan can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// Source text with symbol operators
    Ncd,
    /// Source text with English operators
    Nc,
    /// One numbered line a concept
    Flat,
    /// A draft: sentences with markers
    Ncds,
    /// Sentences for readers
    Ncn,
    /// The plan with a sentence under each line
    Ncdn,
    /// Inferences as records
    Nci,
    /// Lines as records
    NcJson,
    /// concept.json and inference.json
    Repos,
}

impl Form {
    fn of_path(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        if name.ends_with(".nci.json") {
            return Some(Self::Nci);
        }
        if name.ends_with(".nc.json") {
            return Some(Self::NcJson);
        }
        match path.extension()?.to_str()? {
            "ncd" => Some(Self::Ncd),
            "nc" => Some(Self::Nc),
            "ncds" => Some(Self::Ncds),
            "ncn" => Some(Self::Ncn),
            "ncdn" => Some(Self::Ncdn),
            _ => None,
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> Exit {
    let Some(form) = arguments.to.or_else(|| Form::of_path(arguments.output.as_deref()?)) else {
        complain("the name of the output does not tell the form", Some("add --to, like `--to ncd`"));
        return Exit::Usage;
    };
    let output = arguments.output.as_deref().unwrap_or(Path::new("-"));
    if form == Form::Repos && output == Path::new("-") {
        complain("two repositories need a folder to stand in", Some("add the folder: `-o repos/`"));
        return Exit::Usage;
    }
    if form == Form::Repos {
        return repositories(arguments, output);
    }
    let mut map = SourceMap::default();
    let source = match text_of(&arguments.source, &mut map) {
        Ok(source) => source,
        Err((diagnostics, exit)) => return told(&diagnostics, &map, arguments.format, exit),
    };
    let shown = source.name.clone();
    let file = map.add(SourceFile::new(shown, source.text.clone()));
    let (tree, read) = syntax::parse(file, &source.text, source.hint);
    if tree.nodes.is_empty() {
        return told(&read, &map, arguments.format, Exit::Failed);
    }
    let plain = |outline: Outline| Converted { outline, diagnostics: Vec::new() };
    let (text, found) = match form {
        Form::Ncd | Form::Nc => {
            let style = if form == Form::Nc { Style::Legacy } else { Style::Current };
            printed(convert::restyle(&tree, &source.text, style))
        }
        Form::Ncn => printed(plain(convert::narrative(&tree, &source.text))),
        Form::Ncds => printed(plain(convert::draft(&tree, &source.text))),
        Form::Ncdn => printed(plain(convert::paired(&tree, &source.text))),
        Form::Flat => convert::flat(&tree, &source.text),
        Form::Nci => (json(convert::groups(&tree, &source.text)), Vec::new()),
        Form::NcJson => (json(convert::lines(&tree, &source.text)), Vec::new()),
        // Written above, from the compiled plan.
        Form::Repos => return Exit::Internal,
    };
    // What is wrong with the plan itself is the business of `check`; here it counts only where a line is kept.
    let mut all = source.diagnostics;
    all.extend(found);
    let exit = told(&all, &map, arguments.format, Exit::Done);
    if exit != Exit::Done {
        return exit;
    }
    match deliver(output, &text) {
        Ok(()) => Exit::Done,
        Err(exit) => exit,
    }
}

fn printed(converted: Converted) -> (String, Vec<Diagnostic>) {
    (converted.outline.print(), converted.diagnostics)
}

fn json(value: serde_json::Value) -> String {
    format!("{value:#}\n")
}

fn told(diagnostics: &[Diagnostic], map: &SourceMap, format: Format, exit: Exit) -> Exit {
    match show_as(diagnostics, map, format, Severity::Warning) {
        Ok(()) => exit,
        Err(broken) => broken,
    }
}

/// A plan as source text.
struct Source {
    name: String,
    text: String,
    hint: Option<Dialect>,
    diagnostics: Vec<Diagnostic>,
}

/// The source text of a plan: as it is, or from a plan.json the text it was compiled from, else one made from it.
fn text_of(path: &Path, map: &mut SourceMap) -> Result<Source, (Vec<Diagnostic>, Exit)> {
    let hint = path.extension().and_then(|e| e.to_str()).and_then(Dialect::from_extension);
    let name = source_name(path);
    let (bytes, is_bundle) = read_plan(path).map_err(|f| (f.diagnostics, f.exit))?;
    if !is_bundle {
        // What is no text is shown with marks in place of the bad bytes.
        let file = map.add(SourceFile::new(name.as_str(), String::from_utf8_lossy(&bytes).into_owned()));
        let text = syntax::decode(file, &bytes).map_err(|d| (vec![*d], Exit::Failed))?;
        return Ok(Source { name, text: text.to_owned(), hint, diagnostics: Vec::new() });
    }
    let first_file = map.files().len();
    let opened = super::open::open_bundle(path, bytes, map).map_err(|f| (f.diagnostics, f.exit))?;
    if let Some((name, text)) = own_source(&opened, map, first_file) {
        let hint = Path::new(&name).extension().and_then(|e| e.to_str()).and_then(Dialect::from_extension);
        return Ok(Source { name, text, hint, diagnostics: Vec::new() });
    }
    let Raised { outline, diagnostics, .. } = repo::raise(&opened.repositories);
    Ok(Source { name, text: outline.print(), hint: None, diagnostics })
}

/// The text a bundle was compiled from, embedded or found unchanged.
fn own_source(opened: &Opened, map: &SourceMap, first_file: usize) -> Option<(String, String)> {
    let [file] = opened.repositories.source.as_ref()?.files.as_slice() else { return None };
    let text = map.files().get(first_file)?.text().to_string();
    let same = !text.is_empty() && repo::json::digest_bytes(text.as_bytes()) == file.sha256;
    same.then(|| (file.path.clone(), text))
}

fn repositories(arguments: &Arguments, folder: &Path) -> Exit {
    let mut map = SourceMap::default();
    let opened = match open(&arguments.source, &mut map, &Opening::default()) {
        Ok(opened) => opened,
        Err(failed) => return told(&failed.diagnostics, &map, arguments.format, failed.exit),
    };
    if let Err(exit) = refuse_empty(&opened, &map) {
        return exit;
    }
    let exit = told(&opened.diagnostics, &map, arguments.format, Exit::Done);
    if exit != Exit::Done {
        return exit;
    }
    match write_split(folder, &opened.repositories, None) {
        Ok(()) => Exit::Done,
        Err(exit) => exit,
    }
}
