//! The live line of a run on a terminal, which makes room when a person is asked something. Knows nothing of runs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::say::say;

/// Lines that are kept while a person is asked; when more come, all of them are shown.
const MOST_HELD: usize = 1000;

/// The line, shared by whoever draws it and whoever covers it.
#[derive(Clone)]
pub(super) struct Live(Arc<Mutex<Shown>>);

struct Shown {
    bar: Option<ProgressBar>,
    /// How much there is, once it has begun; none before and after.
    length: Option<u64>,
    begun: Instant,
    position: u64,
    message: String,
    /// A person is asked something.
    is_covered: bool,
    /// What was to be said meanwhile.
    held: Vec<String>,
}

impl Live {
    pub(super) fn new(begun: Instant) -> Self {
        let message = String::new();
        let shown = Shown {
            bar: None,
            length: None,
            begun,
            position: 0,
            message,
            is_covered: false,
            held: Vec::new(),
        };
        Self(Arc::new(Mutex::new(shown)))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Shown) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Shows the line.
    pub(super) fn begin(&self, length: u64) {
        self.with(|shown| {
            shown.length = Some(length);
            shown.draw();
        });
    }

    /// Takes the line away for good.
    pub(super) fn finish(&self) {
        self.with(|shown| {
            shown.length = None;
            shown.clear();
            shown.say_held();
        });
    }

    /// Says how far things are.
    pub(super) fn set(&self, position: u64, message: String) {
        self.with(|shown| {
            (shown.position, shown.message) = (position, message);
            if let Some(bar) = &shown.bar {
                bar.set_position(shown.position);
                bar.set_message(shown.message.clone());
            }
        });
    }

    /// Says something above the line; while a person is asked, after that.
    pub(super) fn say(&self, text: &str) {
        self.with(|shown| match &shown.bar {
            Some(bar) => bar.suspend(|| say!("{text}")),
            None if shown.is_covered => {
                shown.held.push(text.to_owned());
                if shown.held.len() > MOST_HELD {
                    shown.say_held();
                }
            }
            None => say!("{text}"),
        });
    }

    /// Makes room (true), or goes on (false).
    pub(super) fn cover(&self, covered: bool) {
        self.with(|shown| {
            shown.is_covered = covered;
            if covered {
                shown.clear();
            } else {
                shown.say_held();
                shown.draw();
            }
        });
    }
}

impl Shown {
    fn draw(&mut self) {
        let Some(length) = self.length.filter(|_| !self.is_covered && self.bar.is_none()) else { return };
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr_with_hz(10))
            .with_elapsed(self.begun.elapsed());
        if let Ok(style) =
            ProgressStyle::with_template("{spinner} {pos} of {len} inferences, {elapsed}: {wide_msg}")
        {
            bar.set_style(style);
        }
        bar.set_position(self.position);
        bar.set_message(self.message.clone());
        self.bar = Some(bar);
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn say_held(&mut self) {
        self.held.drain(..).for_each(|line| say!("{line}"));
    }
}
