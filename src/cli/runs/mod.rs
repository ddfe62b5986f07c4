//! `normc runs`: the stored runs. One file a verb; `status.rs` is what all of them know of a run.

mod export;
mod list;
mod remove;
mod show;
mod status;
mod verify;

use clap::Subcommand;

use super::Exit;
use super::output::Form;
use super::stores::StoreArgument;
pub(super) use show::redone_text;
pub(super) use status::life_text;

/// List, show, check, export and remove stored runs
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  normc runs                          all runs of the store, newest first\n  normc \
                        runs show last                what the latest run did\n  normc runs show 01K2 --format json\n  \
                        normc runs verify --all             is everything whole?\n  normc runs gc --keep 20             \
                        remove all but the newest 20\n  normc runs export last --canonical  results that compare byte by \
                        byte\n\nRUN is an id, the beginning of one, a name given by --run-id, or `last`. Reading never \
                        writes: it works on a read-only disk, and while another process is at work on the run."
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    store: StoreArgument,
    /// How to print
    #[arg(long, value_enum, default_value_t, global = true)]
    format: Form,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the runs, newest first (what `normc runs` does by itself)
    #[command(visible_alias = "ls")]
    List,
    Show(show::Arguments),
    Rm(remove::RemoveArguments),
    Gc(remove::GcArguments),
    Verify(verify::Arguments),
    Repair(verify::RepairArguments),
    Export(export::Arguments),
}

pub(super) fn run(arguments: &Arguments) -> Exit {
    let (store, form) = (&arguments.store, arguments.format);
    let result = match &arguments.verb {
        None | Some(Verb::List) => list::run(store, form),
        Some(Verb::Show(arguments)) => show::run(arguments, store, form),
        Some(Verb::Rm(arguments)) => remove::rm(arguments, store, form),
        Some(Verb::Gc(arguments)) => remove::gc(arguments, store, form),
        Some(Verb::Verify(arguments)) => verify::run(arguments, store, form),
        Some(Verb::Repair(arguments)) => verify::repair(arguments, store),
        Some(Verb::Export(arguments)) => export::run(arguments, store),
    };
    result.unwrap_or_else(|exit| exit)
}
