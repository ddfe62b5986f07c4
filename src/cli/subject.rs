//! The plan a command looks at, one file or two repositories, and the concepts in it that a user names.

use std::path::PathBuf;

use crate::base::SourceMap;
use crate::diag::Severity;
use crate::repo::{self, ConceptId};
use crate::run::Graph;

use super::Exit;
use super::open::{Opened, Opening, open, open_pair};
use super::output::{complain, show};

/// Arguments that say which plan is meant.
#[derive(Debug, clap::Args)]
pub(super) struct PlanArgument {
    /// The plan: source text (.nc, .ncd, .ncds), plan.json, or - for source text on standard input
    #[arg(required_unless_present = "concepts")]
    source: Option<PathBuf>,
    /// In place of a plan, repositories made elsewhere: the concept file
    #[arg(long, value_name = "FILE", requires = "inferences", conflicts_with = "source")]
    concepts: Option<PathBuf>,
    /// The inference file that belongs to it
    #[arg(long, value_name = "FILE", requires = "concepts")]
    inferences: Option<PathBuf>,
}

impl PlanArgument {
    /// Opens it. Why it cannot be opened has been said.
    pub(super) fn open(&self) -> Result<Opened, Exit> {
        let mut map = SourceMap::default();
        let opened = match (&self.source, &self.concepts, &self.inferences) {
            (Some(source), ..) => open(source, &mut map, &Opening::default()),
            (None, Some(concepts), Some(inferences)) => open_pair(concepts, inferences),
            _ => return Err(Exit::Usage),
        };
        opened.map_err(|failed| {
            show(&failed.diagnostics, &map, Severity::Warning);
            failed.exit
        })
    }
}

/// A concept by the name a user gave.
pub(super) fn concept(graph: &Graph, name: &str) -> Result<ConceptId, Exit> {
    repo::find_concept(&graph.model, name).map_err(|unknown| {
        complain(&unknown.message, unknown.help.as_deref());
        Exit::NotFound
    })
}
