//! When a gate opens (tensor spec, section 9). Knows what a condition came to, not how.

use super::axis::Axis;
use super::error::Result;
use super::mask::{Mask, apply_filter, truth};
use super::value::Tensor;

/// The three gates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateMarker {
    /// `@after`.
    After,
    /// `@if`.
    If,
    /// `@if!`.
    IfNot,
}

/// How the item that infers a condition completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The condition holds, or there was nothing to judge.
    Success,
    /// The condition does not hold.
    ConditionNotMet,
    /// The item was skipped.
    Skipped,
    /// Anything else.
    Other,
}

impl Detail {
    /// Reads the word for it.
    pub fn parse(word: &str) -> Self {
        match word {
            "success" => Self::Success,
            "condition_not_met" => Self::ConditionNotMet,
            "skipped" => Self::Skipped,
            _ => Self::Other,
        }
    }
}

/// What a gate asks.
#[derive(Debug, Clone, Copy)]
pub struct Gate<'a> {
    /// The kind of gate.
    pub marker: GateMarker,
    /// The condition concept is complete.
    pub complete: bool,
    /// How its item completed; none for a ground condition, which counts as met.
    pub detail: Option<Detail>,
    /// The mask of the judgement, when it ran for each position of an axis.
    pub mask: Option<&'a Mask>,
}

/// What a gate says.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// It cannot be known yet.
    Wait,
    /// The guarded item runs, its inputs seen through the filter.
    Run(Option<Box<Filter>>),
    /// The guarded item is skipped.
    Skip,
}

/// A view of inputs through a mask; see [`apply_filter`].
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    /// The mask.
    pub mask: Tensor,
    /// The axis an input must have to be filtered.
    pub filter_axis: Axis,
    /// Cells pass where the mask is false.
    pub negate: bool,
}

impl Filter {
    /// An input seen through this filter.
    ///
    /// # Errors
    /// As [`apply_filter`].
    pub fn apply(&self, tensor: &Tensor) -> Result<Tensor> {
        apply_filter(tensor, &self.mask, &self.filter_axis, self.negate)
    }
}

/// Decides a gate. A judgement that ran for each position of an axis lets `@if` and `@if!` partition the positions.
pub fn gate(gate: Gate<'_>) -> Decision {
    if !gate.complete {
        return Decision::Wait;
    }
    let masked = gate.mask.and_then(|mask| Some((&mask.tensor, mask.filter_axis.as_ref()?)));
    let filter = |negate: bool| {
        masked.map(|(mask, axis)| Box::new(Filter { mask: mask.clone(), filter_axis: axis.clone(), negate }))
    };
    let detail = gate.detail.unwrap_or(Detail::Success);
    match (gate.marker, detail) {
        (GateMarker::After, _) => Decision::Run(None),
        (_, Detail::Skipped) => Decision::Skip,
        (_, Detail::Other) => Decision::Wait,
        (GateMarker::If, Detail::Success) => Decision::Run(filter(false)),
        (GateMarker::If, Detail::ConditionNotMet) => Decision::Skip,
        (GateMarker::IfNot, _) if masked.is_some() => {
            let any_false = masked.is_some_and(|(mask, _)| mask.cells().any(|c| truth(c) == Some(false)));
            if any_false { Decision::Run(filter(true)) } else { Decision::Skip }
        }
        (GateMarker::IfNot, Detail::Success) => Decision::Skip,
        (GateMarker::IfNot, Detail::ConditionNotMet) => Decision::Run(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_gates() {
        use Detail::{ConditionNotMet, Other, Skipped, Success};
        use GateMarker::{After, If, IfNot};
        let run = || Decision::Run(None);
        let (wait, skip) = (|| Decision::Wait, || Decision::Skip);
        let table = [
            (After, [run(), run(), run(), run(), run()]),
            (If, [run(), run(), skip(), skip(), wait()]),
            (IfNot, [skip(), skip(), run(), skip(), wait()]),
        ];
        let details = [None, Some(Success), Some(ConditionNotMet), Some(Skipped), Some(Other)];
        for (marker, row) in table {
            for (detail, wanted) in details.into_iter().zip(row) {
                let decided = gate(Gate { marker, complete: true, detail, mask: None });
                assert_eq!(decided, wanted, "{marker:?} {detail:?}");
                assert_eq!(gate(Gate { marker, complete: false, detail, mask: None }), Decision::Wait);
            }
        }
    }
}
