//! Truth of cells, truth masks and filters (tensor spec, section 9; semantics spec, section 8.2).

use crate::base::{Sign, Value};

use super::axis::Axis;
use super::cell::{Cell, leaves_into};
use super::error::{Error, Result};
use super::shape::{Axes, Sizes, Walk, row_major};
use super::value::Tensor;

pub use super::gate::{Decision, Detail, Filter, Gate, GateMarker, gate};

/// The truth marker of a cell that holds.
pub const TRUE_MARKER: &str = "%{truth value}(true)";
/// The truth marker of a cell that does not hold.
pub const FALSE_MARKER: &str = "%{truth value}(false)";

/// The truth marker for a truth value.
pub fn marker(truth: bool) -> Cell {
    Value::text(if truth { TRUE_MARKER } else { FALSE_MARKER })
}

/// The truth value of a cell: of a truth value, a truth marker, a sign with such a payload, or a text that is `true` or
/// `false` in any case. Nothing else has one (semantics spec, section 8.2).
pub fn truth(cell: &Cell) -> Option<bool> {
    match cell {
        Value::Bool(truth) => Some(*truth),
        Value::Sign(sign) => truth_of_text(sign.payload()),
        Value::Text(text) => truth_of_text(text).or_else(|| truth_of_text(Sign::parse(text)?.payload())),
        _ => None,
    }
}

fn truth_of_text(text: &str) -> Option<bool> {
    let word = text.trim();
    if text == TRUE_MARKER || word.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text == FALSE_MARKER || word.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Returns whether a cell matches a condition: by truth value when the condition has one, else by being equal to it,
/// as itself or as the payload of a sign; a number also by its text (semantics spec, section 8.2).
pub fn matches(cell: &Cell, condition: &Value) -> bool {
    if let Some(wanted) = truth(condition) {
        return truth(cell) == Some(wanted);
    }
    if cell == condition {
        return true;
    }
    let text_is = |text: &str| match condition {
        Value::Text(wanted) => text == wanted.as_ref(),
        Value::Number(wanted) => text == wanted.as_str(),
        _ => false,
    };
    match cell {
        Value::Sign(sign) => text_is(sign.payload()),
        Value::Text(text) => text_is(text) || Sign::parse(text).is_some_and(|sign| text_is(sign.payload())),
        _ => false,
    }
}

/// What a judgement says of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    /// The axis stays.
    ForEach,
    /// All must match.
    All,
    /// One must match.
    Some,
    /// None may match.
    None,
    /// One must be there.
    Exists,
}

impl Quantifier {
    /// Reads the word a plan uses for it.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "for-each" => Self::ForEach,
            "all" => Self::All,
            "some" => Self::Some,
            "none" => Self::None,
            "exists" => Self::Exists,
            _ => return None,
        })
    }

    fn folds(self) -> bool {
        self != Self::ForEach
    }
}

/// The verdict of a judgement.
#[derive(Debug, Clone, PartialEq)]
pub struct Mask {
    /// Truth markers, over the axes that were not folded.
    pub tensor: Tensor,
    /// Whether any of them is true.
    pub met: bool,
    /// The axis a gate filters along, when the judgement ran for each position of one.
    pub filter_axis: Option<Axis>,
}

/// Judges a tensor: a mask over the axes that are kept, the others folded by their quantifiers, outermost first.
pub fn truth_mask(tensor: &Tensor, quantifiers: &[(Axis, Quantifier)], condition: &Value) -> Mask {
    let known = |axis: &Axis| tensor.position(axis).is_some();
    let listed = |axis: &Axis| quantifiers.iter().find(|(a, _)| a == axis).map(|(_, q)| *q);
    let folding = || quantifiers.iter().filter(|(_, q)| q.folds());
    // Quantifiers that name no axis of the tensor are about all of it.
    let about_all = folding().next().filter(|_| !folding().any(|(a, _)| known(a))).map(|(_, q)| *q);
    let quantifier = |axis: &Axis| listed(axis).or(about_all);
    let each = |axis: &Axis| listed(axis) == Some(Quantifier::ForEach);
    let filter_axis = tensor.axes().iter().find(|a| each(a)).cloned();
    let fold =
        tensor.axes().iter().any(|a| quantifier(a).is_some_and(Quantifier::folds)) || about_all.is_some();
    if !fold {
        let judged = tensor.map_cells(|cell| match cell {
            Cell::Skip => Cell::Skip,
            present => marker(matches(present, condition)),
        });
        return Mask { met: any_true(&judged), tensor: judged, filter_axis };
    }
    let outermost = filter_axis.as_ref().and_then(|a| tensor.position(a)).unwrap_or(0);
    let keeps = |place: usize| {
        let axis = &tensor.axes()[place];
        each(axis) || (filter_axis.is_some() && place < outermost && quantifier(axis).is_none())
    };
    let (kept, folded): (Sizes, Sizes) = (0..tensor.rank()).partition(|place| keeps(*place));
    let own: Vec<Option<Quantifier>> = folded.iter().map(|p| quantifier(&tensor.axes()[*p])).collect();
    let sizes: Vec<usize> = folded.iter().map(|p| tensor.shape()[*p]).collect();
    let blocks = blocks(&own, &sizes, about_all.unwrap_or(Quantifier::All));

    let turned = tensor.pick_axes(&kept.iter().chain(&folded).copied().collect::<Sizes>());
    let view = tensor.pick_axes(&kept);
    let size: usize = sizes.iter().product();
    let mut cells = turned.cells();
    let mut block: Vec<&Cell> = Vec::with_capacity(size);
    let verdicts = (0..view.len()).map(|_| {
        block.clear();
        block.extend(cells.by_ref().take(size));
        marker(fold_blocks(&block, &blocks, condition))
    });
    let verdicts: Vec<Cell> = verdicts.collect();
    let (mut axes, mut shape): (Axes, Sizes) = (view.axes().into(), view.shape().into());
    if filter_axis.is_none() {
        axes.push(Axis::ASSERTION);
        shape.push(1);
    }
    let tensor = Tensor::packed_from(axes, shape, verdicts);
    Mask { met: any_true(&tensor), tensor, filter_axis }
}

/// Neighbouring folded axes of one quantifier as blocks of so many positions. An unlisted axis takes the quantifier of
/// the next listed one inside it, else of the last listed one outside.
fn blocks(own: &[Option<Quantifier>], sizes: &[usize], default: Quantifier) -> Vec<(Quantifier, usize)> {
    let last = own.iter().rev().find_map(|q| *q).unwrap_or(default);
    let mut inside = last;
    let mut blocks: Vec<(Quantifier, usize)> = Vec::new();
    for (quantifier, &size) in own.iter().zip(sizes).rev() {
        inside = quantifier.unwrap_or(inside);
        match blocks.last_mut() {
            Some((outer, count)) if *outer == inside => *count *= size,
            _ => blocks.push((inside, size)),
        }
    }
    if blocks.is_empty() {
        blocks.push((last, 1));
    }
    blocks.reverse();
    blocks
}

fn fold_blocks(cells: &[&Cell], blocks: &[(Quantifier, usize)], condition: &Value) -> bool {
    match blocks {
        [] | [_] => {
            let mut leaves = Vec::with_capacity(cells.len());
            cells.iter().for_each(|cell| leaves_into(cell, &mut leaves));
            let mut verdicts = leaves.iter().map(|leaf| matches(leaf, condition));
            match blocks.first().map(|(quantifier, _)| *quantifier) {
                Some(Quantifier::Some) => verdicts.any(|m| m),
                Some(Quantifier::None) => !verdicts.any(|m| m),
                Some(Quantifier::Exists) => !leaves.is_empty(),
                _ => verdicts.all(|m| m),
            }
        }
        [(quantifier, count), inner @ ..] => {
            let size: usize = inner.iter().map(|(_, count)| count).product();
            let mut verdicts =
                (0..*count).map(|i| fold_blocks(&cells[i * size..(i + 1) * size], inner, condition));
            match quantifier {
                Quantifier::Some | Quantifier::Exists => verdicts.any(|v| v),
                Quantifier::None => !verdicts.any(|v| v),
                Quantifier::All | Quantifier::ForEach => verdicts.all(|v| v),
            }
        }
    }
}

fn any_true(mask: &Tensor) -> bool {
    mask.cells().any(|cell| truth(cell) == Some(true))
}

/// Leaves the cells whose mask value is true (with `negate`: false), the others become missing. A tensor without the
/// filter axis is not touched. Mask axes the tensor lacks are folded: any true cell counts.
///
/// # Errors
/// `shape_mismatch` when an axis of the mask has another size in the tensor.
pub fn apply_filter(tensor: &Tensor, mask: &Tensor, filter_axis: &Axis, negate: bool) -> Result<Tensor> {
    if tensor.position(filter_axis).is_none() {
        return Ok(tensor.clone());
    }
    for (axis, &one) in mask.axes().iter().zip(mask.shape()) {
        if let Some(other) = tensor.extent(axis).filter(|other| *other != one) {
            return Err(Error::ShapeMismatch { axis: axis.clone(), one, other });
        }
    }
    let (shared, lacking): (Sizes, Sizes) =
        (0..mask.rank()).partition(|place| tensor.position(&mask.axes()[*place]).is_some());
    let folded: usize = lacking.iter().map(|p| mask.shape()[*p]).product();
    let turned = mask.pick_axes(&shared.iter().chain(&lacking).copied().collect::<Sizes>());
    let view = mask.pick_axes(&shared);
    let mut cells = turned.cells();
    let any = |_| {
        let mut verdict = None;
        for cell in cells.by_ref().take(folded) {
            verdict = verdict.max(truth(cell));
        }
        verdict
    };
    let verdicts: Vec<Option<bool>> = (0..view.len()).map(any).collect();
    let strides = row_major(view.shape());
    let stride = |axis: &Axis| view.position(axis).map_or(0, |place| strides[place]);
    let head = (tensor.axes().iter().map(stride).collect(), 0);
    let mut walk = Walk::new(tensor.shape(), [head]);
    let filtered = tensor.map_cells(|cell| {
        walk.step();
        if verdicts[walk.offset(0)] == Some(!negate) { cell.clone() } else { Cell::Skip }
    });
    Ok(filtered.drop_none_axis())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn read(json: Json) -> Value {
        Value::from_plan_json(&json)
    }

    #[test]
    fn only_these_have_a_truth_value() {
        let cases = [
            (json!(true), Some(true)),
            (json!("%{truth value}(false)"), Some(false)),
            (json!(" TRUE\n"), Some(true)),
            (json!("%{truth_value}1a2(False)"), Some(false)),
            (json!("%b1a(%{truth value}(true))"), Some(true)),
            (json!("untrue"), None),
            (json!("%x1(not (True))"), None),
            (json!(1), None),
            (json!([true]), None),
        ];
        for (cell, wanted) in cases {
            assert_eq!(truth(&read(cell.clone())), wanted, "{cell}");
            assert_eq!(truth(&Value::from_data_json(&cell)), wanted, "{cell}");
        }
    }

    #[test]
    fn conditions_match_whole_values() {
        let cases = [
            (json!("yes"), json!("yes"), true),
            (json!("eyes"), json!("yes"), false),
            (json!("%a1(yes)"), json!("yes"), true),
            (json!("3"), json!(3), true),
            (json!(3), json!(3.0), true),
            (json!("3"), json!(3.0), false),
            (json!(3), json!("3"), false),
            (json!(false), json!("%{truth value}(false)"), true),
            (json!("false"), json!("true"), false),
            (json!({"a": 1}), json!({"a": 1.0}), true),
        ];
        for (cell, condition, wanted) in cases {
            assert_eq!(matches(&read(cell.clone()), &read(condition.clone())), wanted, "{cell} {condition}");
        }
    }

    fn tensor(axes: Json, shape: Json, data: Json) -> Tensor {
        Tensor::from_json(&json!({"axes": axes, "shape": shape, "data": data})).unwrap()
    }

    fn judge(t: &Tensor, quantifiers: &[(&str, &str)]) -> Json {
        let quantifiers: Vec<(Axis, Quantifier)> =
            quantifiers.iter().map(|(a, q)| (Axis::from(*a), Quantifier::parse(q).unwrap())).collect();
        let mask = truth_mask(t, &quantifiers, &Value::Bool(true));
        let flat: Vec<Option<bool>> = mask.tensor.cells().map(truth).collect();
        json!([mask.tensor.axes().iter().map(Axis::as_str).collect::<Vec<_>>(), flat])
    }

    #[test]
    fn quantifiers_nest_in_axis_order() {
        let t = tensor(json!(["a", "b", "c"]), json!([2, 1, 2]), json!([[[true, false]], [[true, true]]]));
        let all = json!(["assertion_result"]);
        assert_eq!(judge(&t, &[("c", "all"), ("a", "some")]), json!([all, [true]]));
        assert_eq!(judge(&t, &[("c", "some"), ("a", "all")]), json!([all, [true]]));
        assert_eq!(judge(&t, &[("a", "all")]), json!([all, [false]]));
        assert_eq!(judge(&t, &[("a", "none"), ("c", "all")]), json!([all, [false]]));
        assert_eq!(judge(&t, &[("b", "for-each"), ("c", "all")]), json!([["a", "b"], [false, true]]));
        assert_eq!(judge(&t, &[("c", "for-each"), ("zz", "some")]), json!([["c"], [true, true]]));
    }

    #[test]
    fn folding_nothing_still_gives_a_verdict() {
        let t = tensor(json!(["a"]), json!([3]), json!([true, "@#SKIP#@", false]));
        assert_eq!(judge(&t, &[("a", "for-each"), ("zz", "all")]), json!([["a"], [true, true, false]]));
        assert_eq!(judge(&t, &[("a", "for-each")]), json!([["a"], [true, null, false]]));
        let none = tensor(json!(["a", "b"]), json!([2, 0]), json!([[], []]));
        assert_eq!(judge(&none, &[("a", "some"), ("b", "all")]), json!([["assertion_result"], [true]]));
        assert_eq!(judge(&none, &[("b", "all"), ("a", "for-each")]), json!([["a"], [true, true]]));
    }

    #[test]
    fn the_two_branches_of_a_mask_partition_the_cells() {
        let t = tensor(json!(["a", "b"]), json!([3, 2]), json!([[1, 2], [3, 4], [5, 6]]));
        let mask = tensor(json!(["k", "b"]), json!([2, 2]), json!([[true, false], [false, false]]));
        let axis = Axis::from("b");
        let yes = apply_filter(&t, &mask, &axis, false).unwrap();
        let no = apply_filter(&t, &mask, &axis, true).unwrap();
        for ((cell, yes), no) in t.cells().zip(yes.cells()).zip(no.cells()) {
            assert!((cell == yes) != (cell == no));
        }
        let wrong = tensor(json!(["b"]), json!([3]), json!([true, true, true]));
        assert_eq!(apply_filter(&t, &wrong, &axis, false).unwrap_err().kind(), "shape_mismatch");
    }
}
