//! What comes of a call: its answer or its failure, with what it printed, took and cost.

use std::time::Duration;

use crate::faculty::{self, Answer, Failure};
use crate::run::effect::CallAnswer;
use crate::run::record::ModelUse;
use crate::run::{ScriptPlace, StepFailure};

/// What came back.
pub(super) struct Came {
    pub(super) answer: CallAnswer,
    pub(super) output: faculty::Output,
    pub(super) duration: Duration,
    pub(super) model: Option<Box<ModelUse>>,
}

/// A call that failed, and what it cost nevertheless.
pub(super) struct Refused {
    pub(super) failure: Box<StepFailure>,
    pub(super) model: Option<Box<ModelUse>>,
}

impl From<StepFailure> for Refused {
    fn from(failure: StepFailure) -> Self {
        Self { failure: Box::new(failure), model: None }
    }
}

impl Came {
    /// An answer that took no time.
    pub(super) fn at_once(answer: CallAnswer) -> Self {
        Self { answer, output: faculty::Output::default(), duration: Duration::ZERO, model: None }
    }
}

impl From<Answer> for Came {
    fn from(answer: Answer) -> Self {
        let Answer { value, text, output, duration } = answer;
        Self { answer: CallAnswer { value, text }, output, duration, model: None }
    }
}

/// The failure of a faculty, as that of a step.
pub(super) fn step_failure(failure: &Failure) -> StepFailure {
    let mut detail = String::new();
    if let Some(trace) = &failure.trace {
        detail.push_str(trace.trim_end());
    }
    let printed = failure.stderr_tail().trim_end();
    if !printed.is_empty() {
        if !detail.is_empty() {
            detail.push_str("\n\n");
        }
        detail.push_str("stderr:\n");
        detail.push_str(printed);
    }
    StepFailure {
        kind: failure.kind.as_str().to_owned(),
        message: failure.message.clone(),
        help: failure.help.clone(),
        cell: Vec::new(),
        script: failure
            .place
            .as_ref()
            .map(|p| Box::new(ScriptPlace { path: p.path.to_string(), line: p.line })),
        detail: (!detail.is_empty()).then(|| detail.into()),
    }
}
