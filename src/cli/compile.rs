//! `normc compile SRC -o plan.json`: parse, check, lower, write.

use std::path::{Path, PathBuf};

use crate::base::SourceMap;
use crate::diag::Severity;
use crate::repo::{Method, Repositories, Sentences, Work};
use crate::report::say;

use super::Exit;
use super::files::deliver;
use super::open::{Generation, Opened, Opening, open, refuse_empty};
use super::output::{complain, counted, show};

/// Compile a plan to a self-contained plan.json
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  normc compile plan.nc -o plan.json\n  normc compile plan.nc -o -\n  normc \
                        compile plan.json --split repos/"
)]
pub(super) struct Arguments {
    /// The plan: source text (.nc, .ncd, .ncds), plan.json, or - for source text on standard input
    source: PathBuf,
    /// Where to write the bundle; - is standard output
    #[arg(short, long, value_name = "FILE", required_unless_present = "split")]
    output: Option<PathBuf>,
    /// Write the two-file form into this folder: NAME.concept.json and NAME.inference.json
    #[arg(long, value_name = "DIR")]
    split: Option<PathBuf>,
    /// Which form of repositories to write
    #[arg(long, value_enum, default_value_t)]
    generation: Generation,
    /// Keep the source text in the bundle, so that diagnostics can be shown without the file
    #[arg(long)]
    embed_source: bool,
    /// Read the sentences of a draft as steps: a skeleton, to be given its operations
    #[arg(long)]
    draft: bool,
}

pub(super) fn run(arguments: &Arguments) -> Exit {
    let mut map = SourceMap::default();
    let folder = arguments.output.as_deref().filter(|o| *o != Path::new("-")).and_then(Path::parent);
    let opening = Opening {
        generation: arguments.generation,
        embed_source: arguments.embed_source,
        bundle_folder: folder.map(Path::to_path_buf),
        sentences: if arguments.draft { Sentences::Steps } else { Sentences::Refused },
    };
    let opened = match open(&arguments.source, &mut map, &opening) {
        Ok(opened) => opened,
        Err(failed) => {
            show(&failed.diagnostics, &map, Severity::Warning);
            return failed.exit;
        }
    };
    if let Err(exit) = refuse_empty(&opened, &map) {
        return exit;
    }
    show(&opened.diagnostics, &map, Severity::Warning);
    if let Some(output) = &arguments.output
        && let Err(exit) = deliver(output, &opened.repositories.write())
    {
        return exit;
    }
    if let Some(split) = &arguments.split
        && let Err(exit) = write_split(split, &opened.repositories, Some(&opened.repositories.plan.name))
    {
        return exit;
    }
    say!("{}", counted(&opened.repositories, &opened.diagnostics));
    if arguments.draft {
        missing(&opened);
    }
    Exit::Done
}

/// Writes the two-file form into a folder: `NAME.concept.json` and `NAME.inference.json`, without a name
/// `concept.json` and `inference.json`.
pub(super) fn write_split(
    folder: &Path,
    repositories: &Repositories,
    name: Option<&str>,
) -> Result<(), Exit> {
    let files = repositories.split();
    if let Err(error) = std::fs::create_dir_all(folder) {
        complain(&format!("cannot make the folder {}: {error}", folder.display()), None);
        return Err(Exit::InputOutput);
    }
    let stem = name.map(|n| format!("{n}.")).unwrap_or_default();
    for (kind, text) in [("concept", &files.concepts), ("inference", &files.inferences)] {
        deliver(&folder.join(format!("{stem}{kind}.json")), text)?;
    }
    Ok(())
}

/// What a skeleton lacks before it can run.
fn missing(opened: &Opened) {
    let steps: Vec<String> = opened
        .model
        .inferences
        .iter()
        .filter(|i| matches!(&i.work, Work::Semantic(s) if matches!(s.method, Method::Plain)))
        .map(|i| i.flow.to_string())
        .collect();
    let inputs: Vec<&str> =
        opened.repositories.required_inputs.iter().map(|input| input.concept.as_str()).collect();
    if !steps.is_empty() {
        say!("steps without a faculty: {}", steps.join(", "));
    }
    if !inputs.is_empty() {
        say!("inputs required: {}", inputs.join(", "));
    }
}
