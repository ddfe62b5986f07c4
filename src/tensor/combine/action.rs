//! Actions over combinations, one after the other (tensor spec, section 5). Knows of an action only the closure it is
//! given.

use crate::tensor::axis::Axis;
use crate::tensor::cell::Cell;
use crate::tensor::error::{Error, Place, Result};
use crate::tensor::value::Tensor;

use super::align::row_of;
use super::{Alignment, Combination, Coordinates, Row};

/// What a failing call means (tensor spec, section 5, error policy).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// A missing cell; the failure is reported beside the result.
    #[default]
    Skip,
    /// The first failure in row-major order is the error of the whole.
    Raise,
}

/// What an action answers instead of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionError {
    /// The action cell cannot be called at all: an error under every policy.
    NotCallable,
    /// The call failed.
    Failed(String),
    /// A person must be asked first: passes under every policy.
    InputRequested(String),
}

/// A failed call that left a missing cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The place of its combination in row-major order.
    pub flat: usize,
    /// Where.
    pub at: Place,
    /// What the action said.
    pub message: String,
}

/// The result of running an action, and what went wrong on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct Acted {
    /// The result.
    pub tensor: Tensor,
    /// The failed calls in row-major order; empty under [`OnError::Raise`].
    pub failures: Vec<Failure>,
}

/// Each cell is what the action makes of the inputs' cells; missing, and not called, if any of them is. A null result
/// is missing, a list result is a list cell.
///
/// # Errors
/// `no_references`, `shape_mismatch`, `too_large`; `not_callable`, `input_requested`; `action_error` under
/// [`OnError::Raise`].
pub fn element_action(
    inputs: &[Tensor],
    on_error: OnError,
    mut action: impl FnMut(&[Cell], &Coordinates<'_>) -> std::result::Result<Cell, ActionError>,
) -> Result<Acted> {
    let alignment = Alignment::new(inputs)?;
    let mut calls = Calls { on_error, failures: Vec::new() };
    let mut cells = Vec::with_capacity(alignment.len());
    for combination in alignment.combinations() {
        cells.push(if combination.is_missing() {
            Cell::Skip
        } else {
            let answer = action(&combination.owned(), &combination.coordinates);
            calls.settle(&combination, answer)?.unwrap_or(Cell::Skip)
        });
    }
    Ok(Acted { tensor: alignment.build(cells)?, failures: calls.failures })
}

/// Calls each action cell with each value cell; the lists they give lie along a new last axis. The closure gets the
/// action cell and the value cell.
///
/// # Errors
/// As [`element_action`]; a result that is no list counts as a failure; `duplicate_axis` when the axis exists already.
pub fn cross_action(
    actions: &Tensor,
    values: &Tensor,
    axis: &Axis,
    on_error: OnError,
    mut call: impl FnMut(&[Cell], &Coordinates<'_>) -> std::result::Result<Cell, ActionError>,
) -> Result<Acted> {
    let alignment = Alignment::new(&[actions.clone(), values.clone()])?;
    alignment.check_new_axis(axis)?;
    let mut calls = Calls { on_error, failures: Vec::new() };
    let mut rows: Vec<Row> = Vec::with_capacity(alignment.len());
    for combination in alignment.combinations() {
        rows.push(if combination.is_missing() {
            None
        } else {
            let answer = call(&combination.owned(), &combination.coordinates).and_then(|result| {
                row_of(result).ok_or_else(|| ActionError::Failed("the result is no list".to_owned()))
            });
            calls.settle(&combination, answer)?.flatten()
        });
    }
    Ok(Acted { tensor: alignment.build_rows(rows, axis)?, failures: calls.failures })
}

struct Calls {
    on_error: OnError,
    failures: Vec<Failure>,
}

impl Calls {
    /// What a call gave; none when it failed and the policy is to go on.
    fn settle<T>(
        &mut self,
        combination: &Combination<'_>,
        answer: std::result::Result<T, ActionError>,
    ) -> Result<Option<T>> {
        let at = || Place::from(&combination.coordinates);
        match (answer, self.on_error) {
            (Ok(value), _) => Ok(Some(value)),
            (Err(ActionError::NotCallable), _) => Err(Error::NotCallable { at: at() }),
            (Err(ActionError::InputRequested(question)), _) => {
                Err(Error::InputRequested { at: at(), question })
            }
            (Err(ActionError::Failed(message)), OnError::Raise) => Err(Error::Action { at: at(), message }),
            (Err(ActionError::Failed(message)), OnError::Skip) => {
                self.failures.push(Failure { flat: combination.flat, at: at(), message });
                Ok(None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn numbers() -> Tensor {
        Tensor::from_json(&json!({"axes": ["x"], "shape": [3], "data": [1, "@#SKIP#@", 3]})).unwrap()
    }

    fn fail(error: ActionError, on_error: OnError) -> Result<Acted> {
        element_action(&[numbers()], on_error, |_, _| Err(error.clone()))
    }

    #[test]
    fn failures_are_reported_with_their_place() {
        let failed = ActionError::Failed("no".to_owned());
        let acted = fail(failed.clone(), OnError::Skip).unwrap();
        assert!(acted.tensor.is_missing());
        let places: Vec<(usize, String)> =
            acted.failures.iter().map(|f| (f.flat, f.at.to_string())).collect();
        assert_eq!(places, [(0, "[x: 0]".to_owned()), (2, "[x: 2]".to_owned())]);
        let error = fail(failed, OnError::Raise).unwrap_err();
        assert_eq!(error.to_string(), "the action at [x: 0] failed: no");
    }

    #[test]
    fn no_policy_hides_a_question_or_a_bad_action() {
        for on_error in [OnError::Skip, OnError::Raise] {
            assert_eq!(fail(ActionError::NotCallable, on_error).unwrap_err().kind(), "not_callable");
            let asked = fail(ActionError::InputRequested("why?".to_owned()), on_error).unwrap_err();
            assert_eq!(asked.kind(), "input_requested");
        }
    }

    #[test]
    fn an_explicit_skip_is_no_failure() {
        let action = Tensor::singleton(Cell::text("act"));
        let call = |_: &[Cell], _: &Coordinates<'_>| Ok(Cell::Skip);
        let acted = cross_action(&action, &numbers(), &"r".into(), OnError::Raise, call).unwrap();
        assert_eq!(acted.tensor.shape(), [3, 1]);
        assert!(acted.tensor.is_missing() && acted.failures.is_empty());
    }
}
