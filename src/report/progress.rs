//! Progress while a run goes: a live line on a terminal, plain lines elsewhere, or nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use crate::base::plain_line;
use crate::run::effect::{Question, QuestionKind};
use crate::run::state::News;
use crate::run::{CallLog, Event, Graph, Happening, ItemId, StepKey, Watch};

use super::live::Live;
use super::story::{happening_text, step_text};
use super::summary::time;

/// Plain lines about what goes on come at most this often.
const PLAIN_EVERY: Duration = Duration::from_secs(2);
/// Running items that are named.
const MOST_RUNNING: usize = 3;

/// How progress is shown. All of it goes to standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A line that changes, for terminals.
    Live,
    /// A line now and then, for pipes and logs.
    Plain,
    /// Nothing.
    Silent,
}

/// Shows a run as it goes.
pub struct Progress {
    mode: Mode,
    /// Every step gets a line.
    verbose: bool,
    live: Live,
    begun: Instant,
    last: Instant,
    /// Items settled at least once; each counts once, however many iterations it has.
    seen: Vec<bool>,
    done: u64,
    /// Running loops: iterations ended, of how many.
    loops: FxHashMap<StepKey, (usize, usize)>,
    running: Vec<ItemId>,
}

impl Progress {
    /// A watcher in a mode; `verbose` adds a line a step.
    pub fn new(mode: Mode, verbose: bool) -> Self {
        let now = Instant::now();
        Self {
            mode,
            verbose,
            live: Live::new(now),
            begun: now,
            last: now,
            seen: Vec::new(),
            done: 0,
            loops: FxHashMap::default(),
            running: Vec::new(),
        }
    }

    /// Takes the live line away.
    pub fn finish(&mut self) {
        self.live.finish();
    }

    /// Makes room on the terminal while a person is asked something (true), and takes it again (false); from any thread.
    pub fn curtain(&self) -> Arc<dyn Fn(bool) + Send + Sync> {
        let live = self.live.clone();
        Arc::new(move |covered| live.cover(covered))
    }

    /// Says something beside the live line, whatever the mode; from any thread.
    pub fn voice(&self) -> Arc<dyn Fn(&str) + Send + Sync> {
        let live = self.live.clone();
        Arc::new(move |line| live.say(line))
    }

    fn say(&self, line: &str) {
        if self.mode != Mode::Silent {
            self.live.say(line);
        }
    }

    /// What runs now, in a few words: the innermost loops' positions and the items in flight.
    fn doing(&self, graph: &Graph) -> String {
        let mut parts = Vec::new();
        let mut loops: Vec<_> = self.loops.iter().collect();
        loops.sort_by(|a, b| a.0.cmp(b.0));
        for (step, (done, of)) in loops.iter().take(MOST_RUNNING) {
            parts.push(format!("loop {} at {} of {of}", graph.step_name(step), (done + 1).min(*of)));
        }
        let mut running = self.running.clone();
        running.sort_unstable();
        running.dedup();
        for item in running.iter().take(MOST_RUNNING) {
            let inference = graph.inference(*item);
            parts.push(format!("{} {}", inference.flow, plain_line(graph.concept_name(inference.target))));
        }
        if running.len() > MOST_RUNNING {
            parts.push(format!("{} more", running.len() - MOST_RUNNING));
        }
        parts.join(", ")
    }

    fn refresh(&mut self, graph: &Graph) {
        match self.mode {
            Mode::Silent => {}
            Mode::Live => self.live.set(self.done, self.doing(graph)),
            Mode::Plain => {
                if self.last.elapsed() >= PLAIN_EVERY {
                    self.last = Instant::now();
                    let (done, all) = (self.done, graph.items.len());
                    let line = format!(
                        "{done} of {all} inferences, {}: {}",
                        time(self.begun.elapsed()),
                        self.doing(graph)
                    );
                    self.say(&line);
                }
            }
        }
    }

    fn settled(&mut self, item: ItemId) {
        if let Some(seen) = self.seen.get_mut(item.at())
            && !std::mem::replace(seen, true)
        {
            self.done += 1;
        }
    }
}

fn step_line(graph: &Graph, event: &Event) -> String {
    format!("{} {}", step_text(graph, &event.step), happening_text(graph, event))
}

impl Watch for Progress {
    fn begins(&mut self, graph: &Graph) {
        self.seen = vec![false; graph.items.len()];
        if self.mode == Mode::Live {
            self.live.begin(graph.items.len() as u64);
        }
    }

    fn started(&mut self, graph: &Graph, step: &StepKey) {
        self.running.push(step.item);
        self.refresh(graph);
    }

    fn event(&mut self, graph: &Graph, event: &Event, log: Option<&CallLog>) {
        self.settled(event.step.item);
        if let Some(at) = self.running.iter().position(|r| *r == event.step.item) {
            self.running.swap_remove(at);
        }
        if self.verbose {
            self.say(&step_line(graph, event));
            for printed in log.into_iter().flat_map(|l| &l.outputs) {
                for line in printed.stdout.lines().chain(printed.stderr.lines()) {
                    self.say(&format!("  | {}", plain_line(line)));
                }
            }
        } else if matches!(event.what, Happening::Failed(_)) && self.begun.elapsed() >= PLAIN_EVERY {
            // In a short run the report at the end is soon enough.
            self.say(&step_line(graph, event));
        }
    }

    fn asked(&mut self, graph: &Graph, step: &StepKey, question: &Question) {
        if matches!(question.kind, QuestionKind::Say) || self.verbose {
            let text = plain_line(&question.prompt);
            self.say(&format!("{}: {text}", step_text(graph, step)));
        }
    }

    fn news(&mut self, _graph: &Graph, news: &News) {
        match news {
            News::LoopBegan(step, of) => {
                self.loops.insert(step.clone(), (0, *of));
            }
            News::IterationEnded(step, done, of) => {
                self.loops.insert(step.clone(), (*done, *of));
            }
            News::LoopEnded(step, _) => {
                self.loops.remove(step);
                self.settled(step.item);
            }
            News::LoopFailed(step, failure) => {
                self.loops.remove(step);
                self.say(&format!("loop failed: {}", plain_line(&failure.message)));
            }
        }
    }

    fn tick(&mut self, graph: &Graph, in_flight: &mut dyn Iterator<Item = ItemId>) {
        self.running = in_flight.collect();
        self.refresh(graph);
    }
}
