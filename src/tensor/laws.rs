//! Laws of the algebra, checked on made-up tensors and made-up views of them.

use proptest::prelude::*;
use proptest::sample::subsequence;

use crate::base::Value;

use super::assign::{Selector, abstraction, continuation, has_data, selection, specification};
use super::combine::{Alignment, OnError, cross_product, element_action, join};
use super::group::{ByAxes, GroupSpec, group_across, group_in};
use super::looping::{Elements, combine_results};
use super::mask::{Quantifier, apply_filter, marker, truth, truth_mask};
use super::{Axis, Cell, Tensor};

const NAMES: [&str; 6] = ["a", "b", "学", "d e", "_none_axis", "axis_0"];

fn names(list: &[&str]) -> Vec<Axis> {
    list.iter().map(|n| Axis::from(*n)).collect()
}

fn plain() -> BoxedStrategy<Cell> {
    prop_oneof![
        2 => Just(Cell::Skip),
        4 => (0i64..5).prop_map(|n| Value::Number(n.into())),
        2 => prop_oneof![Just("x"), Just(""), Just("true"), Just("%a(no)")].prop_map(Value::text),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => Just(Value::from_data_json(&serde_json::json!({"k": [1, null]}))),
    ]
    .boxed()
}

fn cell() -> BoxedStrategy<Cell> {
    let leaf = prop_oneof![4 => plain(), 1 => Just(Cell::Null)];
    leaf.prop_recursive(
        2,
        6,
        3,
        |inner| prop_oneof![3 => plain(), 1 => prop::collection::vec(inner, 0..3).prop_map(Value::list)],
    )
    .boxed()
}

/// A tensor over some of the names, of this kind of cells, seen through a transposition and perhaps a fixed axis.
fn tensor_of(
    cells: BoxedStrategy<Cell>,
    names: &'static [&'static str],
    sizes: std::ops::Range<usize>,
) -> impl Strategy<Value = Tensor> {
    let axes = subsequence(names, 0..=names.len().min(3)).prop_shuffle();
    let shaped = axes.prop_flat_map(move |axes| {
        let shape = prop::collection::vec(sizes.clone(), axes.len());
        (Just(axes), shape)
    });
    let filled = shaped.prop_flat_map(move |(axes, shape)| {
        let len: usize = shape.iter().product();
        (Just(axes), Just(shape), prop::collection::vec(cells.clone(), len))
    });
    let packed = filled
        .prop_map(|(axes, shape, cells)| Tensor::from_cells(&self::names(&axes), &shape, cells).unwrap());
    (packed, any::<prop::sample::Index>(), any::<bool>(), any::<u8>()).prop_map(|(t, turn, fix, at)| {
        if t.rank() == 0 {
            return t;
        }
        let mut order = t.axes().to_vec();
        order.rotate_left(turn.index(t.rank()));
        let turned = t.transpose(&order).unwrap();
        match turned.shape()[0] {
            size if fix && size > 0 => turned.at(&order[0], usize::from(at) % size).unwrap(),
            _ => turned,
        }
    })
}

fn tensor() -> impl Strategy<Value = Tensor> {
    tensor_of(cell(), &NAMES, 0..4)
}

/// Without list cells, without `_none_axis`, without empty axes.
fn regular() -> impl Strategy<Value = Tensor> {
    tensor_of(plain(), &NAMES[..4], 1..4)
}

fn reversed(t: &Tensor) -> Vec<Axis> {
    t.axes().iter().rev().cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_view_is_as_good_as_a_copy(t in tensor(), other in tensor()) {
        let packed = t.packed();
        prop_assert_eq!(&t, &packed);
        prop_assert_eq!(t.to_json(), packed.to_json());
        prop_assert_eq!(t.has_lists(), packed.has_lists());
        prop_assert_eq!(t.cells().len(), t.len());
        for (i, cell) in t.cells().enumerate() {
            prop_assert_eq!(t.cell_at(i), Some(cell));
        }
        prop_assert_eq!(t.cell_at(t.len()), None);
        prop_assert_eq!(t.clone().append(&other, None), packed.clone().append(&other.packed(), None));
        prop_assert_eq!(
            cross_product(&[t.clone(), other.clone()]),
            cross_product(&[packed, other.packed()])
        );
    }

    #[test]
    fn json_reads_back(t in tensor()) {
        // A text equal to the marker would read back as missing; none is made here.
        let again = Tensor::from_json(&t.to_json()).unwrap();
        prop_assert_eq!(again.to_json(), t.to_json());
    }

    #[test]
    fn nested_data_reads_back(t in regular()) {
        if t.rank() > 0 {
            let mut again = Tensor::from_data(&t.to_nested(), Some(t.axes())).unwrap();
            prop_assert_eq!(&again, &t);
            again.set_tensor(&t.to_nested()).unwrap();
            prop_assert_eq!(&again, &t);
        }
    }

    #[test]
    fn transposing_twice_is_nothing(t in tensor()) {
        let turned = t.transpose(&reversed(&t)).unwrap();
        prop_assert_eq!(turned.transpose(t.axes()).unwrap(), t);
    }

    #[test]
    fn slicing_to_all_axes_is_transposing(t in tensor()) {
        prop_assert_eq!(t.shape_view(&[]).unwrap(), t.clone());
        if t.rank() > 0 {
            prop_assert_eq!(t.slice(t.axes()).unwrap(), t.clone());
            prop_assert_eq!(t.slice(&reversed(&t)).unwrap(), t.transpose(&reversed(&t)).unwrap());
        }
    }

    #[test]
    fn slices_and_collapses_keep_every_leaf(t in tensor(), count in 0usize..4) {
        let keep = &t.axes()[..count.min(t.rank())];
        prop_assert_eq!(t.slice(keep).unwrap().leaves(), t.leaves());
        prop_assert_eq!(t.collapse(keep).unwrap().leaves(), t.leaves());
        prop_assert_eq!(t.collapse(keep).unwrap().axes().len(), keep.len().max(1));
        let spec = GroupSpec { by_axes: ByAxes::Flat(t.axes().to_vec()), ..GroupSpec::default() };
        prop_assert_eq!(group_across(std::slice::from_ref(&t), &spec).unwrap().leaves(), t.leaves());
        let spec = GroupSpec { create_axis: Some("new".into()), ..GroupSpec::default() };
        prop_assert_eq!(group_across(std::slice::from_ref(&t), &spec).unwrap().leaves(), t.leaves());
    }

    #[test]
    fn what_was_set_is_read(t in tensor(), value in cell(), at in prop::collection::vec(-4i64..6, 3)) {
        let index: Vec<(Axis, i64)> = t.axes().iter().cloned().zip(at).collect();
        let before = t.to_json();
        let mut changed = t.clone();
        match changed.set(&index, value.clone()) {
            Ok(()) => {
                let read = changed.get(&index).unwrap();
                prop_assert_eq!(read.rank(), 0);
                prop_assert_eq!(read.cell_at(0), Some(&super::hole(value)));
                for (flat, cell) in t.cells().enumerate() {
                    // Only one cell of the old ones may have changed.
                    let mut rest = flat;
                    let place = t.axes().iter().zip(t.shape()).rev().map(|(a, s)| {
                        let position = rest % s;
                        rest /= s;
                        (a.clone(), position as i64)
                    });
                    let place: Vec<(Axis, i64)> = place.collect();
                    let target = index.iter().all(|(axis, i)| {
                        let size = t.extent(axis).unwrap() as i64;
                        place.contains(&(axis.clone(), if *i < 0 { size + i } else { *i }))
                    });
                    let now = changed.get(&place).unwrap();
                    prop_assert!(target || now.cell_at(0) == Some(cell));
                }
            }
            Err(error) => {
                prop_assert_eq!(error.kind(), "index_out_of_range");
                prop_assert_eq!(&changed, &t);
            }
        }
        prop_assert_eq!(t.to_json(), before);
    }

    #[test]
    fn an_appended_row_is_the_last(t in tensor(), pick in any::<prop::sample::Index>()) {
        let Some(axis) = t.axes().first().cloned() else { return Ok(()) };
        let size = t.shape()[0];
        if size == 0 {
            return Ok(());
        }
        let row = t.at(&axis, pick.index(size)).unwrap();
        if row.is_missing() {
            prop_assert_eq!(t.clone().append(&row, Some(&axis)), Ok(t));
            return Ok(());
        }
        let kept = t.clone();
        let longer = t.clone().append(&row, Some(&axis)).unwrap();
        prop_assert_eq!(longer.shape()[0], size + 1);
        prop_assert_eq!(longer.at(&axis, size).unwrap(), row.clone());
        for position in 0..size {
            prop_assert_eq!(longer.at(&axis, position), kept.at(&axis, position));
        }
        // In place or not makes no difference.
        let shared = longer.clone();
        let in_place = longer.packed().append(&row, Some(&axis));
        prop_assert_eq!(longer.append(&row, Some(&axis)), in_place);
        prop_assert_eq!(shared.shape()[0], size + 1);
    }

    #[test]
    fn appending_changes_one_size_only(t in tensor(), other in tensor(), by in 0usize..4) {
        let before = t.to_json();
        let by = t.axes().get(by).cloned();
        if let Ok(longer) = t.clone().append(&other, by.as_ref()) {
            prop_assert_eq!(longer.axes(), t.axes());
            let changed = longer.shape().iter().zip(t.shape()).filter(|(now, was)| now != was).count();
            prop_assert!(changed <= 1);
            // What was there is there.
            let index: Vec<(Axis, i64)> = Vec::new();
            prop_assert_eq!(longer.get(&index).unwrap(), longer.clone());
            for (axis, (now, was)) in longer.axes().iter().zip(longer.shape().iter().zip(t.shape())) {
                if now != was {
                    for position in 0..*was {
                        prop_assert_eq!(longer.at(axis, position), t.at(axis, position));
                    }
                }
            }
            let kept: usize = other.leaves().len();
            if !longer.is_empty() && !t.has_lists() {
                prop_assert!(longer.leaves().len() >= t.leaves().len() + kept);
            }
        }
        prop_assert_eq!(t.to_json(), before);
        let done = continuation(Some(&other), Some(t), by.as_ref().map(std::slice::from_ref));
        prop_assert!(done.is_ok() || !matches!(done.unwrap_err().kind(), "zero_slice"));
    }

    #[test]
    fn coordinates_of_products_are_associative(a in regular(), b in regular(), c in regular()) {
        let flat = cross_product(&[a.clone(), b.clone(), c.clone()]);
        let left = cross_product(&[a.clone(), b.clone()]).and_then(|ab| cross_product(&[ab, c.clone()]));
        let right = cross_product(&[b, c]).and_then(|bc| cross_product(&[a, bc]));
        match flat {
            Err(error) => {
                prop_assert_eq!(left.unwrap_err().kind(), error.kind());
                prop_assert_eq!(right.unwrap_err().kind(), error.kind());
            }
            Ok(flat) => {
                let (left, right) = (left.unwrap(), right.unwrap());
                prop_assert_eq!(flat.axes(), left.axes());
                prop_assert_eq!(flat.axes(), right.axes());
                for ((flat, left), right) in flat.cells().zip(left.cells()).zip(right.cells()) {
                    prop_assert_eq!(super::open(flat), super::open(left));
                    prop_assert_eq!(super::open(flat), super::open(right));
                }
            }
        }
    }

    #[test]
    fn a_combination_is_found_by_its_number(a in tensor(), b in tensor()) {
        let Ok(alignment) = Alignment::new(&[a.clone(), b.clone()]) else { return Ok(()) };
        prop_assert_eq!(alignment.combinations().len(), alignment.len());
        for (flat, combination) in alignment.combinations().enumerate() {
            let found = alignment.at(flat).unwrap();
            prop_assert_eq!(combination.flat, flat);
            prop_assert_eq!(&found.cells, &combination.cells);
            prop_assert_eq!(found.coordinates.index(), combination.coordinates.index());
            for (input, cell) in [&a, &b].into_iter().zip(&combination.cells) {
                let own = |axis: &Axis| (axis.clone(), combination.coordinates.get(axis).unwrap() as i64);
                let index: Vec<(Axis, i64)> = input.axes().iter().map(own).collect();
                let read = input.get(&index).unwrap();
                prop_assert_eq!(read.cell_at(0), Some(*cell));
            }
        }
        prop_assert!(alignment.at(alignment.len()).is_none());
    }

    #[test]
    fn copying_each_cell_copies_the_tensor(t in tensor()) {
        let acted = element_action(std::slice::from_ref(&t), OnError::Raise, |cells, _| Ok(cells[0].clone()));
        prop_assert_eq!(acted.unwrap().tensor, t.drop_none_axis());
    }

    #[test]
    fn a_join_holds_its_inputs(t in tensor(), count in 1usize..4) {
        let inputs: Vec<Tensor> = (0..count).map(|n| if n == 1 { t.packed() } else { t.clone() }).collect();
        let joined = join(&inputs, &"new".into()).unwrap();
        for (n, input) in inputs.iter().enumerate() {
            prop_assert_eq!(joined.at(&"new".into(), n).unwrap(), input.clone());
        }
    }

    #[test]
    fn a_loop_that_returns_its_elements_returns_its_base(t in regular(), at in 0usize..3) {
        let Some(axis) = t.axes().get(at).cloned() else { return Ok(()) };
        let elements = Elements::new(&t, "{base}", &"unused".into(), Some(axis.as_str()));
        prop_assert_eq!(elements.len(), t.extent(&axis).unwrap());
        let mut results: Vec<Option<Tensor>> = vec![None; elements.len()];
        for position in elements.visits(0) {
            results[position] = elements.element(position);
        }
        let combined = combine_results(elements.axis(), &"{result}".into(), &results).unwrap();
        if t.is_missing() {
            prop_assert_eq!(combined, None);
            return Ok(());
        }
        let combined = combined.unwrap();
        let mut order = vec![axis.clone()];
        order.extend(t.axes().iter().filter(|a| **a != axis).cloned());
        let wanted = t.transpose(&order).unwrap();
        if t.rank() > 1 {
            prop_assert_eq!(combined, wanted);
        } else {
            prop_assert_eq!(combined.at(&Axis::VALUE, 0).unwrap(), wanted);
        }
    }

    #[test]
    fn elements_of_a_grown_base_are_those_of_a_new_one(t in tensor(), more in tensor(), cut in 0usize..3) {
        let Some(axis) = t.axes().first().cloned() else { return Ok(()) };
        let new = |base: &Tensor| Elements::new(base, "{base}", &axis, Some("{base}"));
        let mut elements = new(&t);
        let seen = elements.len().min(cut);
        if cut == 0 {
            elements.release();
        }
        let Ok(grown) = t.append(&more, Some(&axis)) else { return Ok(()) };
        elements.grow(&grown);
        let fresh = new(&grown);
        prop_assert_eq!(elements.len(), fresh.len());
        for position in seen..fresh.len() {
            prop_assert_eq!(elements.element(position), fresh.element(position));
            prop_assert_eq!(elements.is_missing(position), fresh.is_missing(position));
        }
    }

    #[test]
    fn a_filter_and_its_negation_partition(t in regular(), mask in regular()) {
        let Some(axis) = mask.axes().first().cloned() else { return Ok(()) };
        let mask = mask.map_cells(|cell| marker(matches!(cell, Cell::Number(_))));
        let (yes, no) = (apply_filter(&t, &mask, &axis, false), apply_filter(&t, &mask, &axis, true));
        let (Ok(yes), Ok(no)) = (yes, no) else { return Ok(()) };
        if t.extent(&axis).is_none() {
            prop_assert_eq!(&yes, &t);
            prop_assert_eq!(&no, &t);
            return Ok(());
        }
        for ((cell, yes), no) in t.cells().zip(yes.cells()).zip(no.cells()) {
            prop_assert!(cell.is_skip() || yes.is_skip() != no.is_skip());
            prop_assert!(yes.is_skip() || yes == cell);
            prop_assert!(no.is_skip() || no == cell);
        }
    }

    #[test]
    fn none_denies_some_and_keeping_axes_splits_the_verdict(t in tensor()) {
        let condition = Value::Bool(true);
        let all = |quantifier| {
            let quantifiers: Vec<(Axis, Quantifier)> = vec![("unknown".into(), quantifier)];
            truth_mask(&t, &quantifiers, &condition)
        };
        prop_assert_eq!(all(Quantifier::Some).met, !all(Quantifier::None).met);
        if !t.leaves().is_empty() && all(Quantifier::All).met {
            prop_assert!(all(Quantifier::Some).met && all(Quantifier::Exists).met);
        }
        let Some(first) = t.axes().first().cloned() else { return Ok(()) };
        let each: Vec<(Axis, Quantifier)> = vec![(first, Quantifier::ForEach), ("unknown".into(), Quantifier::Some)];
        let mask = truth_mask(&t, &each, &condition);
        prop_assert_eq!(mask.met, all(Quantifier::Some).met);
        prop_assert_eq!(mask.met, mask.tensor.cells().any(|c| truth(c) == Some(true)));
    }

    #[test]
    fn nothing_panics(t in tensor(), other in tensor(), by in subsequence(&NAMES[..], 0..3), i in -3i64..3) {
        let by = names(&by);
        let _ = t.slice(&by);
        let _ = t.collapse(&by);
        let _ = t.transpose(&by);
        let _ = t.clone().core().to_json();
        let _ = abstraction(&t.to_nested(), Some(&by));
        let _ = Tensor::from_data(&t.to_nested(), Some(&by));
        let both = [t.clone(), other.clone()];
        let labels = ["l".into(), "m".into()];
        for by_axes in [ByAxes::Absent, ByAxes::Flat(by.clone()), ByAxes::PerSource(vec![by.clone()])] {
            for create_axis in [None, Some(Axis::from("a"))] {
                let spec = GroupSpec { by_axes: by_axes.clone(), create_axis, protect_axes: vec!["b".into()] };
                let _ = group_in(&both, &labels, &spec);
                let _ = group_across(&both, &spec);
            }
        }
        for unpack in [false, true] {
            let key = Some("k".into());
            let selector = Selector { index: Some(i), key, unpack, unpack_before_selection: i == 0 };
            let _ = selection(&t, &selector);
        }
        let chosen = specification(&[None, Some(&t)], Some(&other));
        prop_assert_eq!(chosen, if has_data(&t) { t.clone() } else { other.clone() });
        let elements = Elements::new(&t, "{b}", &"a".into(), Some("{b}"));
        for position in elements.visits(0) {
            prop_assert!(!elements.element(position).unwrap().is_missing());
        }
    }
}
