//! Assigning and grouping: pure tensor work on captured inputs (tensor spec, sections 6 and 7).

use std::sync::Arc;

use smallvec::SmallVec;

use crate::base::Value;
use crate::repo::{Assigning, ByAxes, ConceptId, GroupMarker, Grouping, Inference, Model, Work};
use crate::tensor::{self, Axis, Tensor, assign, group};

use super::super::event::{Happening, Produced, StepFailure};

/// Concepts with the values they had when a step started, none where a value was skipped.
pub type Captured = SmallVec<[(ConceptId, Option<Tensor>); 2]>;

/// The inputs of a syntactic step, captured when it starts.
#[derive(Debug, Clone)]
pub struct SyntacticTask {
    /// The step's values.
    pub values: Captured,
    /// The step's contexts.
    pub contexts: Captured,
    /// An append goes to the target's own value, so only what is added is computed.
    pub in_place: bool,
}

impl SyntacticTask {
    /// How many cells the work touches, roughly: small work is not worth another thread.
    pub fn size(&self) -> usize {
        self.values.iter().filter_map(|(_, t)| t.as_ref().map(Tensor::len)).sum()
    }

    /// Does the work of an inference.
    ///
    /// # Errors
    /// What the tensor algebra refuses, as a failure of the step.
    pub fn run(&self, model: &Model, inference: &Inference) -> Result<Happening, StepFailure> {
        let axis = || Axis::new(Arc::clone(&model.concepts[inference.target.0 as usize].axis_name));
        match &inference.work {
            Work::Assigning(work) => self.assign(work, axis),
            Work::Grouping(work) => self.group(model, work),
            _ => {
                let first = self.values.first().and_then(|(_, t)| t.clone());
                Ok(gave(first.unwrap_or_else(|| Tensor::zero(axis()))))
            }
        }
    }

    fn value(&self, concept: ConceptId) -> Option<&Tensor> {
        self.values.iter().find(|(c, _)| *c == concept).and_then(|(_, t)| t.as_ref())
    }

    /// `axis` gives the axis name of the target.
    fn assign(&self, work: &Assigning, axis: impl Fn() -> Axis) -> Result<Happening, StepFailure> {
        match work {
            Assigning::Specification { sources, destination, .. } => {
                let sources: SmallVec<[Option<&Tensor>; 4]> =
                    sources.iter().map(|s| self.value(*s)).collect();
                let destination = destination.and_then(|d| self.value(d));
                Ok(gave(assign::specification(&sources, destination)))
            }
            Assigning::Continuation { source, destination, by_axes } => {
                let Some(item) = source.and_then(|s| self.value(s)) else {
                    return Ok(match self.value(*destination).filter(|_| !self.in_place) {
                        Some(whole) => gave(whole.clone()),
                        None => Happening::Passed,
                    });
                };
                let by: Vec<Axis> = by_axes.iter().map(|a| Axis::from(&**a)).collect();
                if self.in_place {
                    return Ok(Happening::Appended { item: item.clone(), axis: by.into_iter().next() });
                }
                let destination = self.value(*destination).cloned();
                let whole = assign::continuation(Some(item), destination, Some(&by)).map_err(refused)?;
                Ok(gave(whole.tensor))
            }
            Assigning::Abstraction { face, axes } => {
                let axes: Option<Vec<Axis>> =
                    axes.as_ref().map(|a| a.iter().map(|n| Axis::from(&**n)).collect());
                let value =
                    assign::abstraction(&Value::from_plan_json(face), axes.as_deref()).map_err(refused)?;
                Ok(gave(value.map_cells(as_plan_text)))
            }
            Assigning::Selection { source, selector } => {
                let selector = selector_of(selector);
                let Some(source) = self.value(*source) else { return Ok(Happening::Passed) };
                let picked = assign::selection(source, &selector).map_err(refused)?;
                // `axis_0` would be shared by unrelated results: the target's own axis name is (tensor spec, 6).
                let unnamed = Axis::numbered(0);
                let axis = axis();
                let own = !source.axes().contains(&unnamed) && !picked.axes().contains(&axis);
                if own && picked.axes().contains(&unnamed) {
                    return Ok(gave(picked.rename_axis(&unnamed, axis).map_err(refused)?));
                }
                Ok(gave(picked))
            }
            Assigning::Identity { .. } => Ok(Happening::Passed),
        }
    }

    fn group(&self, model: &Model, work: &Grouping) -> Result<Happening, StepFailure> {
        let axes = |names: &[Arc<str>]| names.iter().map(|n| Axis::from(&**n)).collect::<Vec<_>>();
        let by: Vec<_> =
            work.by_axis_concepts.iter().map(|c| model.concepts[c.0 as usize].name.clone()).collect();
        let step = group::GroupStep {
            marker: match work.marker {
                GroupMarker::In => group::Marker::In,
                GroupMarker::Across => group::Marker::Across,
            },
            spec: group::GroupSpec {
                by_axes: match &work.by_axes {
                    ByAxes::Absent => group::ByAxes::Absent,
                    ByAxes::Flat(names) => group::ByAxes::Flat(axes(names)),
                    ByAxes::PerSource(lists) => {
                        group::ByAxes::PerSource(lists.iter().map(|l| axes(l)).collect())
                    }
                },
                create_axis: work.create_axis.as_ref().map(|a| Axis::from(&**a)),
                protect_axes: axes(&work.protect_axes),
            },
            by_axis_concepts: by,
        };
        group::group_step(&named(model, &self.values), &named(model, &self.contexts), &step)
            .map(gave)
            .map_err(refused)
    }
}

/// Reads a selector (repositories spec, section 3.1.1); fields of other kinds were reported on load.
fn selector_of(fields: &serde_json::Map<String, serde_json::Value>) -> assign::Selector {
    let flag = |name: &str| fields.get(name).and_then(serde_json::Value::as_bool).unwrap_or(false);
    assign::Selector {
        index: fields.get("index").and_then(serde_json::Value::as_i64),
        key: fields.get("key").and_then(serde_json::Value::as_str).map(Arc::from),
        unpack: flag("unpack"),
        unpack_before_selection: flag("unpack_before_selection"),
    }
}

fn named<'a>(model: &Model, captured: &'a Captured) -> Vec<group::Named<'a>> {
    let name = |concept: ConceptId| Arc::clone(&model.concepts[concept.0 as usize].name);
    captured.iter().map(|(concept, tensor)| (name(*concept), tensor.as_ref())).collect()
}

/// Texts of a literal are the author's own, so they may be signs.
fn as_plan_text(cell: &Value) -> Value {
    match cell {
        Value::Text(text) => {
            crate::base::Sign::parse(text).map_or_else(|| cell.clone(), |sign| Value::Sign(Arc::new(sign)))
        }
        other => other.clone(),
    }
}

fn gave(value: Tensor) -> Happening {
    Happening::Gave(Produced { value, met: None, mask: None })
}

fn refused(error: tensor::Error) -> StepFailure {
    StepFailure::new(error.kind(), error.to_string())
}
