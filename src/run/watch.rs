//! What a run tells whoever shows it. Knows neither who drives the run nor who watches.

use std::time::Duration;

use super::effect::Question;
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
    /// What models cost.
    pub spent: Spent,
    /// What is odd about what the step was given, though it failed nothing.
    pub warnings: Vec<String>,
}

/// What calls of models cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// How many calls were made.
    pub calls: u64,
    /// How many requests that took: a call may be tried several times.
    pub tries: u64,
    /// Tokens of the prompts, over all tries.
    pub prompt_tokens: u64,
    /// Tokens of the replies, over all tries.
    pub completion_tokens: u64,
    /// Some of the tokens were estimated, since the server did not count them.
    pub estimated: bool,
    /// Money, in millionths of the unit prices are given in.
    pub micros: u64,
}

impl Spent {
    /// Adds what other calls cost.
    pub fn add(&mut self, other: &Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.tries = self.tries.saturating_add(other.tries);
        self.prompt_tokens = self.prompt_tokens.saturating_add(other.prompt_tokens);
        self.completion_tokens = self.completion_tokens.saturating_add(other.completion_tokens);
        self.estimated |= other.estimated;
        self.micros = self.micros.saturating_add(other.micros);
    }

    /// Tokens of prompts and replies.
    pub fn tokens(&self) -> u64 {
        self.prompt_tokens.saturating_add(self.completion_tokens)
    }

    /// Returns whether no model was called.
    pub fn is_nothing(&self) -> bool {
        self.calls == 0 && self.tries == 0
    }
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
    /// A person is asked something by a step.
    fn asked(&mut self, _graph: &Graph, _step: &StepKey, _question: &Question) {}
    /// A loop moved.
    fn news(&mut self, _graph: &Graph, _news: &News) {}
    /// Nothing to report, but time passes: items of which calls are in flight.
    fn tick(&mut self, _graph: &Graph, _in_flight: &mut dyn Iterator<Item = ItemId>) {}
}

/// Shows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl Watch for Quiet {}
