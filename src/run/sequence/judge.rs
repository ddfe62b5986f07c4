//! The verdict of a judgement: the assertion of a composition, the condition of the old sequences (semantics spec,
//! section 8).

use std::sync::Arc;

use serde_json::Value as Json;

use crate::base::Value;
use crate::repo::{Assertion, Semantic};
use crate::run::event::{Produced, StepFailure};
use crate::tensor::{Axis, Tensor, mask};

/// The value of a step with its verdict. An imperative, and a judgement that asserts nothing, gives it as it is.
///
/// # Errors
/// `unknown_quantifier`.
pub(super) fn judge(work: &Semantic, value: Tensor) -> Result<Produced, StepFailure> {
    match (&work.assertion, &work.condition) {
        _ if !work.judgement => Ok(Produced { value, met: None, mask: None }),
        (Some(assertion), _) => assert(value, assertion),
        (None, Some(condition)) => Ok(compare(&value, condition)),
        (None, None) => Ok(Produced { value, met: None, mask: None }),
    }
}

/// The truth of an assertion (section 8.1): over each element, or folded by its quantifiers.
///
/// # Errors
/// `unknown_quantifier`.
pub fn assert(value: Tensor, assertion: &Assertion) -> Result<Produced, StepFailure> {
    let mut quantifiers = Vec::with_capacity(assertion.quantifiers.len());
    // Plans name a concept under this key; it is no axis.
    for (axis, word) in assertion.quantifiers.iter().filter(|(axis, _)| &**axis != "concept") {
        let quantifier = mask::Quantifier::parse(word).ok_or_else(|| unknown(axis, word))?;
        quantifiers.push((Axis::from(&**axis), quantifier));
    }
    let condition = Value::from_data_json(&assertion.condition);
    let judged = mask::truth_mask(&value, &quantifiers, &condition);
    let produced = Produced { value: judged.tensor.clone(), met: Some(judged.met), mask: None };
    let filters = judged.filter_axis.is_some();
    Ok(Produced { mask: filters.then(|| Arc::new(judged)), ..produced })
}

/// Whether every cell that is there fulfils an old condition (section 8.3), as one truth marker.
pub fn compare(value: &Tensor, condition: &Json) -> Produced {
    let condition = Value::from_data_json(condition);
    let met = value.cells().filter(|cell| !cell.is_skip()).all(|cell| mask::matches(cell, &condition));
    Produced { value: Tensor::singleton(mask::marker(met)), met: Some(met), mask: None }
}

fn unknown(axis: &str, word: &str) -> StepFailure {
    let known = ["all", "some", "none", "exists", "for-each"];
    let near = match word.to_lowercase().as_str() {
        "any" => Some("some"),
        "every" => Some("all"),
        lower => crate::base::nearest(lower, known),
    };
    let help = near.map_or_else(
        || "write `all`, `some`, `none`, `exists` or `for-each`".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    StepFailure::new("unknown_quantifier", format!("`{word}` for the axis `{axis}` is no quantifier"))
        .help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assertion(axis: &str, word: &str) -> Assertion {
        Assertion { quantifiers: vec![(Arc::from(axis), Arc::from(word))], condition: Json::Bool(true) }
    }

    #[test]
    fn unknown_words_fail_and_concepts_are_no_axes() {
        let value = || Tensor::singleton(Value::Bool(true));
        for word in ["most", "ALL", "any", ""] {
            let failure = assert(value(), &assertion("i", word)).unwrap_err();
            assert_eq!(failure.kind, "unknown_quantifier");
            assert!(failure.message.contains(&format!("`{word}`")));
        }
        let judged = assert(value(), &assertion("concept", "{current message}")).unwrap();
        assert_eq!(judged.met, Some(true));
        assert!(judged.mask.is_none());
    }

    #[test]
    fn only_for_each_gives_a_filter() {
        let value =
            Tensor::from_json(&serde_json::json!({"axes": ["i"], "shape": [2], "data": [true, false]}));
        let value = value.unwrap();
        assert!(assert(value.clone(), &assertion("i", "for-each")).unwrap().mask.is_some());
        assert!(assert(value, &assertion("i", "all")).unwrap().mask.is_none());
    }

    #[test]
    fn a_condition_looks_only_at_what_is_there() {
        let value = Tensor::from_json(
            &serde_json::json!({"axes": ["i"], "shape": [2], "data": ["true", "@#SKIP#@"]}),
        );
        assert_eq!(compare(&value.unwrap(), &Json::from("True")).met, Some(true));
    }
}
