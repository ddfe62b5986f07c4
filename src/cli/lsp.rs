//! `normc lsp`: the language server, over standard input and output.

use std::path::PathBuf;

use crate::lsp::{Ended, serve};

use super::Exit;
use super::output::complain;

/// Serve an editor: diagnostics while typing, fixes, formatting, hover, jumps
#[derive(Debug, clap::Args)]
#[command(
    after_help = "An editor starts this, and speaks the language server protocol with it over standard input and \
                        output. Set it up as the server of .nc, .ncd, .ncds, .ncn and .ncdn files with the command \
                        `normc lsp`; the folder `editors` of the source has ready setups.\n\nExamples:\n  Helix, \
                        in languages.toml:\n    [language-server.normc]\n    command = \"normc\"\n    args = \
                        [\"lsp\"]\n  Neovim 0.11:\n    vim.lsp.config('normc', { cmd = {'normc', 'lsp'}, filetypes = \
                        {'normcode'} })\n    vim.lsp.enable('normc')"
)]
pub(super) struct Arguments {
    /// Say every message's name on standard error
    #[arg(long)]
    log: bool,
    /// Taken and ignored: there is no other way than standard input and output
    #[arg(long, hide = true)]
    stdio: bool,
}

pub(super) fn run(arguments: &Arguments) -> Exit {
    let (connection, threads) = lsp_server::Connection::stdio();
    let ended = serve(&connection, pages(), arguments.log);
    drop(connection);
    if ended == Ended::Abruptly {
        // The reader may still wait for a client that will say nothing more.
        return Exit::Failed;
    }
    match threads.join() {
        Ok(()) => Exit::Done,
        Err(error) => {
            complain(&format!("the connection to the editor failed: {error}"), None);
            Exit::InputOutput
        }
    }
}

/// The folder for pages of diagnostic codes, in the user's folder for caches.
fn pages() -> Option<PathBuf> {
    let folder = |variable: &str| std::env::var_os(variable).map(PathBuf::from).filter(|p| p.is_absolute());
    let caches = folder("XDG_CACHE_HOME").or_else(|| folder("LOCALAPPDATA"));
    let caches = caches.or_else(|| Some(folder("HOME")?.join(".cache")))?;
    Some(caches.join("normc").join("codes").join(env!("CARGO_PKG_VERSION")))
}
