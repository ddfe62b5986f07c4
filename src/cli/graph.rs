//! `normc graph PLAN`: the plan as a picture.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;

use crate::report::drawing::{self, Picture, View};
use crate::report::say;
use crate::run::Graph;

use super::Exit;
use super::files::deliver;
use super::output::{complain, count};
use super::subject::{PlanArgument, concept};

/// Draw a plan: what is inferred from what, loops as boxes around what runs inside them
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  normc graph plan.nc -o plan.svg\n  normc graph plan.nc --only '{total}' -o \
                        total.svg\n  normc graph plan.nc --format mermaid\n  normc graph plan.json --depth 0 \
                        --direction right -o plan.dot"
)]
pub(super) struct Arguments {
    #[command(flatten)]
    plan: PlanArgument,
    /// Where to write; - or nothing is standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What to write; without it the extension of the output tells (.svg, .dot, .gv, .mmd), else svg
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Which way the drawing goes
    #[arg(long, value_enum, default_value_t)]
    direction: Direction,
    /// Fold loops nested deeper than this; 0 folds all
    #[arg(long, value_name = "N", default_value_t = View::DEPTH)]
    depth: usize,
    /// Only this concept and what leads to it; may be given several times
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Only this concept and what comes from it; may be given several times
    #[arg(long, value_name = "NAME")]
    from: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A picture for browsers and documents
    Svg,
    /// The DOT language of Graphviz
    Dot,
    /// A Mermaid flowchart
    Mermaid,
}

impl Format {
    fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "svg" => Some(Self::Svg),
            "dot" | "gv" => Some(Self::Dot),
            "mmd" | "mermaid" => Some(Self::Mermaid),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Direction {
    /// Inputs at the top
    #[default]
    Down,
    /// Inputs on the left
    Right,
}

impl From<Direction> for drawing::Direction {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Down => Self::Down,
            Direction::Right => Self::Right,
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> Exit {
    match draw(arguments) {
        Ok(()) => Exit::Done,
        Err(exit) => exit,
    }
}

fn draw(arguments: &Arguments) -> Result<(), Exit> {
    let output = arguments.output.as_deref().unwrap_or(Path::new("-"));
    let named = arguments.format.or_else(|| Format::of(output));
    if named.is_none() && output != Path::new("-") {
        let help = "end its name in .svg, .dot or .mmd, or say --format";
        complain(&format!("{} does not tell what to write", output.display()), Some(help));
        return Err(Exit::Usage);
    }
    if named.is_none() && std::io::stdout().is_terminal() {
        let help =
            "write it to a file with -o plan.svg, or say --format dot or --format mermaid to read it here";
        complain("a picture is nothing to read in a terminal", Some(help));
        return Err(Exit::Usage);
    }
    let opened = arguments.plan.open()?;
    let name = opened.repositories.plan.name;
    let graph = Graph::new(Arc::new(opened.model));
    let view = View { depth: arguments.depth };
    let whole = Picture::new(&graph, &name, &view);
    let nodes = |names: &[String]| {
        let find = |name: &String| {
            let concept = concept(&graph, name)?;
            whole.node_of(&graph, concept).ok_or_else(|| {
                complain(
                    &format!("`{}` is not in the picture", graph.concept_name(concept)),
                    Some("it is a script, a function or folded into a loop; --depth unfolds loops"),
                );
                Exit::NotFound
            })
        };
        names.iter().map(find).collect::<Result<Vec<_>, Exit>>()
    };
    let (to, from) = (nodes(&arguments.only)?, nodes(&arguments.from)?);
    let picture = if to.is_empty() && from.is_empty() { whole } else { whole.keep(&to, &from) };
    if picture.nodes.is_empty() {
        complain("nothing lies between what --from and --only name", Some("`normc flow` says why"));
        return Err(Exit::Failed);
    }
    let direction = arguments.direction.into();
    let text = match named.unwrap_or(Format::Svg) {
        Format::Svg => drawing::svg(&picture, direction),
        Format::Dot => drawing::dot(&picture, direction),
        Format::Mermaid => drawing::mermaid(&picture, direction),
    };
    deliver(output, &text)?;
    if output != Path::new("-") {
        let parts = [count(picture.nodes.len(), "node"), count(picture.edges.len(), "edge")];
        say!("{}: {}", output.display(), parts.join(", "));
    }
    Ok(())
}
