//! Cells and what can be inside them: opening and pruning of list cells (tensor spec, section 1).

use crate::base::Value;

/// One cell of a tensor: a value, or `Value::Skip` where it is missing.
pub type Cell = Value;

/// A value as a whole cell: null counts as missing (tensor spec, section 1).
pub fn hole(value: Value) -> Cell {
    if matches!(value, Value::Null) { Value::Skip } else { value }
}

/// Returns whether a value that fills a whole cell is missing.
pub fn is_missing(cell: &Value) -> bool {
    matches!(cell, Value::Skip | Value::Null)
}

pub(super) fn is_list(cell: &Cell) -> bool {
    matches!(cell, Value::List(_))
}

/// The items of a list cell, each opened again, in order; of any other cell the cell itself.
pub fn open(cell: &Cell) -> Vec<Cell> {
    let mut items = Vec::new();
    open_into(cell, &mut items);
    items
}

/// Appends what [`open`] gives.
pub(super) fn open_into(cell: &Cell, items: &mut Vec<Cell>) {
    match cell {
        Value::List(list) => {
            for item in list.iter() {
                open_into(item, items);
            }
        }
        other => items.push(hole(other.clone())),
    }
}

/// Appends the present ones of what [`open`] gives.
pub(super) fn leaves_into(cell: &Cell, leaves: &mut Vec<Cell>) {
    let from = leaves.len();
    open_into(cell, leaves);
    let mut kept = from;
    for i in from..leaves.len() {
        if !leaves[i].is_skip() {
            leaves.swap(kept, i);
            kept += 1;
        }
    }
    leaves.truncate(kept);
}

/// Removes missing entries, then lists left empty, from the inside out; the outermost list stays. What is inside
/// records stays as it is.
pub fn prune(nested: &Value) -> Value {
    let Value::List(items) = nested else {
        return nested.clone();
    };
    let kept = items.iter().filter(|i| !i.is_skip()).map(prune);
    Value::list(kept.filter(|i| !matches!(i, Value::List(list) if list.is_empty())))
}

/// Returns whether anything of a cell survives [`prune`] of the tensor it stands in.
pub(super) fn survives_prune(cell: &Cell) -> bool {
    match cell {
        Value::Skip => false,
        Value::List(items) => items.iter().any(survives_prune),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: serde_json::Value) -> Value {
        Value::from_data_json(&json)
    }

    #[test]
    fn opening_goes_through_lists_only() {
        let cell = read(serde_json::json!([1, ["@#SKIP#@", [2]], {"k": [3]}, []]));
        let items = open(&cell);
        assert_eq!(Value::list(items), read(serde_json::json!([1, "@#SKIP#@", 2, {"k": [3]}])));
        let mut leaves = vec![read(serde_json::json!("first"))];
        leaves_into(&cell, &mut leaves);
        assert_eq!(Value::list(leaves), read(serde_json::json!(["first", 1, 2, {"k": [3]}])));
    }

    #[test]
    fn pruning_removes_lists_left_empty_but_not_the_outermost() {
        let nested = read(serde_json::json!([[["@#SKIP#@"], []], [null, 1], {"k": []}]));
        assert_eq!(prune(&nested), read(serde_json::json!([[null, 1], {"k": []}])));
        assert_eq!(prune(&read(serde_json::json!([[], ["@#SKIP#@"]]))), read(serde_json::json!([])));
        assert!(!survives_prune(&read(serde_json::json!([[], ["@#SKIP#@"]]))));
        assert!(survives_prune(&read(serde_json::json!([[null]]))));
    }
}
