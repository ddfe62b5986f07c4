//! What a run tells whoever shows it. Knows neither who drives the run nor who watches.

use std::time::Duration;

use super::event::{Event, StepKey};
use super::graph::{Graph, ItemId};
use super::state::News;

/// What the calls of one step printed and how long they took.
#[derive(Debug, Clone, Default)]
pub struct CallLog {
    /// Captured output, in the order of cells, silent calls left out.
    pub outputs: Vec<Printed>,
    /// Time spent in calls, summed.
    pub time: Duration,
    /// How many calls were made.
    pub calls: usize,
}

/// What one call printed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Printed {
    /// To its standard output.
    pub stdout: String,
    /// To its standard error.
    pub stderr: String,
}

/// Is told what happens in a run, in order, on the driver's thread. Must not block for long.
pub trait Watch {
    /// The run begins.
    fn begins(&mut self, _graph: &Graph) {}
    /// The calls of a step were handed out.
    fn started(&mut self, _graph: &Graph, _step: &StepKey) {}
    /// An event was applied.
    fn event(&mut self, _graph: &Graph, _event: &Event, _log: Option<&CallLog>) {}
    /// A loop moved.
    fn news(&mut self, _graph: &Graph, _news: &News) {}
    /// Nothing to report, but time passes: items of which calls are in flight.
    fn tick(&mut self, _graph: &Graph, _in_flight: &mut dyn Iterator<Item = ItemId>) {}
}

/// Shows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl Watch for Quiet {}
