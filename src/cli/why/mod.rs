//! `normc why RUN STEP`: what a step saw, why it ran, what it gave, and who gave what it saw.
//!
//! | file | holds |
//! |---|---|
//! | `find.rs` | which step is meant, and what the journal has of it |
//! | `gather.rs` | the state just before it, put together again |
//! | `tree.rs` | the chain of producers |
//! | `text.rs`, `json.rs` | how it is told |

mod asked;
mod find;
mod gather;
mod json;
mod text;
mod tree;

use super::Exit;
use super::output::{Form, print};
use super::stores::{StoreArgument, find as find_run, report_error};
use crate::engine::Past;

/// Explain a step: what it saw, why it ran, what it gave, where that came from
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  normc why last 1.2              an inference\n  normc why last '1.2[3]'         one loop \
                        position of it\n  normc why last '{total}' --depth 8\n\nThe step is shown as it was: its values as \
                        they were passed, filters of gates applied; the script by the hash of its bytes. Nothing is \
                        run. Of an inference that ran in several iterations the last one is explained."
)]
pub(super) struct Arguments {
    /// The run: an id, the beginning of one, a name, or `last`
    run: String,
    /// The step: a flow index (1.2), one loop position of it (1.2[3]), or a concept ({total})
    step: String,
    /// How far back the chain of producers is told
    #[arg(long, value_name = "N", default_value_t = 3)]
    depth: usize,
    #[command(flatten)]
    store: StoreArgument,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Form,
}

pub(super) fn run(arguments: &Arguments) -> Exit {
    explain(arguments).unwrap_or_else(|exit| exit)
}

fn explain(arguments: &Arguments) -> Result<Exit, Exit> {
    let run =
        find_run(&arguments.store.open(), &arguments.run).map_err(|error| report_error(&error.into()))?;
    let past = Past::read(run).map_err(|error| report_error(&error))?;
    let epoch = past.epoch().map_err(|error| report_error(&error))?.clone();
    let plan = past.plan(&epoch).map_err(|error| report_error(&error))?;
    let (read, _) = past.document(&epoch).map_err(|error| report_error(&error))?;
    let target = find::target(&plan.graph, &arguments.step)?;
    let found = find::found(&past, &plan.graph, &target).map_err(|error| report_error(&error))?;
    let explained = gather::gather(&past, plan, &read, found, arguments.depth)?;
    match arguments.format {
        Form::Human => print(&text::text(&explained))?,
        Form::Json => print(&format!("{}\n", json::json(&explained)))?,
    }
    Ok(Exit::Done)
}
