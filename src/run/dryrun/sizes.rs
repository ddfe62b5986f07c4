//! The sizes of values before the run: their axes with how many positions each has, as far as the plan and its data
//! tell (tensor spec, sections 6 to 8). Found by going over the plan until nothing new comes.

use std::sync::Arc;

use crate::base::Value;
use crate::repo::{
    Assigning, ByAxes, Concept, ConceptId, ConceptKind, GroupMarker, Grouping, Inference, Looping, Semantic,
    Work,
};
use crate::run::graph::{Graph, Role};
use crate::tensor::{Axis, Tensor, assign};

use super::count::Size;

/// Chains of steps against the order of the plan that are longer than this end in sizes without a number.
const MOST_PASSES: usize = 64;

/// A value's axes; none of it is one cell.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Shape {
    pub(super) axes: Vec<(Arc<str>, Size)>,
    /// Each cell is a list with so many items.
    pub(super) list: Option<Size>,
    /// Some cells may be missing.
    pub(super) holes: bool,
}

impl Shape {
    pub(super) fn size(&self, axis: &str) -> Option<&Size> {
        self.axes.iter().find(|(name, _)| &**name == axis).map(|(_, size)| size)
    }

    fn without(&self, axis: &str) -> Self {
        let axes = self.axes.iter().filter(|(name, _)| &**name != axis).cloned().collect();
        Self { axes, list: None, holes: self.holes }
    }
}

/// The sizes of all concepts, by their number.
pub(super) struct Sizes<'a> {
    graph: &'a Graph,
    shapes: Vec<Option<Shape>>,
}

impl<'a> Sizes<'a> {
    /// `data` are the initial values by concept.
    pub(super) fn of(graph: &'a Graph, data: &[Option<Tensor>]) -> Self {
        let model = &graph.model;
        let mut sizes = Self { graph, shapes: vec![None; model.concepts.len()] };
        let growing: Vec<(ConceptId, &[Arc<str>])> = model.inferences.iter().filter_map(appended).collect();
        for (i, concept) in model.concepts.iter().enumerate().filter(|(_, c)| c.kind.is_value()) {
            let shape = match data.get(i).and_then(Option::as_ref) {
                Some(tensor) => {
                    let mut shape = of_tensor(concept, tensor);
                    for (_, by_axes) in growing.iter().filter(|(c, _)| c.0 as usize == i) {
                        grow(&mut shape, by_axes);
                    }
                    Some(shape)
                }
                None if concept.ground => Some(unknown(concept)),
                None => None,
            };
            if let Some(place) = sizes.shapes.get_mut(i) {
                *place = shape;
            }
        }
        // Steps stand above what they need, so going backwards settles nearly all plans in one pass.
        for _ in 0..MOST_PASSES {
            let mut changed = false;
            for (i, inference) in model.inferences.iter().enumerate().rev() {
                changed |= sizes.infer(i, inference);
            }
            if !changed {
                break;
            }
        }
        sizes
    }

    pub(super) fn get(&self, concept: ConceptId) -> Option<&Shape> {
        self.shapes.get(self.graph.canonical(concept).0 as usize)?.as_ref()
    }

    fn put(&mut self, concept: ConceptId, shape: Shape) -> bool {
        let at = self.graph.canonical(concept).0 as usize;
        match self.shapes.get_mut(at) {
            Some(place @ None) => {
                *place = Some(shape);
                true
            }
            _ => false,
        }
    }

    fn concept(&self, id: ConceptId) -> Option<&'a Concept> {
        self.graph.model.concepts.get(id.0 as usize)
    }

    fn infer(&mut self, item: usize, inference: &Inference) -> bool {
        match &inference.work {
            Work::Looping(looping) => self.looping(item, inference, looping),
            Work::Assigning(work) => {
                let shape = self.assigning(inference, work);
                shape.is_some_and(|s| self.put(inference.target, s))
            }
            Work::Grouping(grouping) => {
                let shape = self.grouping(inference, grouping);
                shape.is_some_and(|s| self.put(inference.target, s))
            }
            Work::Semantic(step) => {
                let shape = self.semantic(inference, step);
                shape.is_some_and(|s| self.put(inference.target, s))
            }
            Work::Simple => {
                let first = inference.values.first().and_then(|v| self.get(*v)).cloned();
                first.is_some_and(|s| self.put(inference.target, s))
            }
            Work::Timing(_) => false,
        }
    }

    /// The axis a loop walks and how many rounds it makes.
    pub(super) fn rounds(&self, item: usize, looping: &Looping) -> (Option<Arc<str>>, Size) {
        let name = self.concept(looping.base).map_or("", |c| &c.name);
        let grows = self.grows(item);
        let open = || {
            let flow = self.graph.model.inferences.get(item).map_or_else(String::new, |i| i.flow.to_string());
            Size { name: Arc::from(format!("rounds of {flow}")), known: None }
        };
        let Some(base) = self.get(looping.base) else {
            return (None, if grows { open() } else { Size::of(name, None) });
        };
        let own = self.concept(looping.base).map(|c| Arc::clone(&c.axis_name));
        let axis = match &looping.group_base {
            Some(axis) if base.size(axis).is_some() => Some(Arc::clone(axis)),
            Some(asked) if **asked == *name => own.filter(|o| base.size(o).is_some()),
            _ => base.axes.first().map(|(axis, _)| Arc::clone(axis)),
        };
        let along = axis.as_deref().and_then(|a| base.size(a)).cloned();
        let size = match (along, &base.list) {
            _ if grows => open(),
            (Some(size), None) => size,
            (None, Some(list)) => list.clone(),
            (Some(size), Some(list)) => {
                let known = size.known.zip(list.known).and_then(|(a, b)| a.checked_mul(b));
                Size::of(name, known)
            }
            (None, None) => Size::of(name, Some(1)),
        };
        (axis, size)
    }

    /// The body appends to what the loop walks.
    pub(super) fn grows(&self, item: usize) -> bool {
        let Some(Role::Loop(body)) = self.graph.items.get(item).map(|i| i.role) else { return false };
        self.graph.scope(body).machine.as_ref().is_some_and(|m| m.grows)
    }

    fn looping(&mut self, item: usize, inference: &Inference, looping: &Looping) -> bool {
        let Some(base) = self.get(looping.base).cloned() else { return false };
        let (axis, size) = self.rounds(item, looping);
        let element = axis.as_deref().map_or_else(Shape::default, |a| base.without(a));
        let mut changed = self.put(looping.element, element);
        // One round gives what the loop's function is.
        let given = inference.function.and_then(|f| self.get(f)).cloned();
        if let Some(round) = given {
            let name = axis
                .or_else(|| base.axes.first().map(|(a, _)| Arc::clone(a)))
                .or_else(|| self.concept(inference.target).map(|c| Arc::clone(&c.axis_name)))
                .unwrap_or_else(|| Arc::from("axis_0"));
            let mut axes = vec![(name, size)];
            axes.extend(round.axes);
            let shape = Shape { axes, list: round.list, holes: round.holes };
            changed |= self.put(inference.target, shape.clone());
            changed |= self.put(looping.result, shape);
        }
        changed
    }

    fn assigning(&self, inference: &Inference, work: &Assigning) -> Option<Shape> {
        match work {
            Assigning::Specification { sources, destination, .. } => {
                let mut shapes = sources.iter().chain(destination.as_ref()).filter_map(|s| self.get(*s));
                let first = shapes.next()?.clone();
                // Candidates of other sizes: which one it is, only the run knows.
                Some(if shapes.all(|s| *s == first) { first } else { self.unsure(inference, &first) })
            }
            Assigning::Continuation { source, destination, by_axes } => {
                let whole = self.get(*destination).or_else(|| self.get((*source)?))?;
                let name = self.concept(*destination).map_or("", |c| &c.name);
                let along = by_axes.first().filter(|a| whole.size(a).is_some());
                let along = along.cloned().or_else(|| whole.axes.first().map(|(a, _)| Arc::clone(a)));
                let mut grown = whole.clone();
                for (axis, size) in &mut grown.axes {
                    if Some(&*axis) == along.as_ref() {
                        *size = Size::of(name, None);
                    }
                }
                Some(grown)
            }
            Assigning::Abstraction { face, axes } => {
                let axes: Option<Vec<Axis>> =
                    axes.as_ref().map(|a| a.iter().map(|n| Axis::from(&**n)).collect());
                let tensor = assign::abstraction(&Value::from_plan_json(face), axes.as_deref()).ok()?;
                Some(of_tensor(self.concept(inference.target)?, &tensor))
            }
            Assigning::Selection { source, selector } => {
                let mut shape = self.get(*source)?.clone();
                if selector.contains_key("unpack") || shape.list.is_some() {
                    return Some(self.unsure(inference, &shape));
                }
                if selector.contains_key("index") && !shape.axes.is_empty() {
                    shape.axes.remove(0);
                }
                Some(shape)
            }
            Assigning::Identity { canonical, .. } => self.get(*canonical).cloned(),
        }
    }

    /// The same axes, their sizes only known to the run.
    fn unsure(&self, inference: &Inference, like: &Shape) -> Shape {
        let name = self.concept(inference.target).map_or("", |c| &c.name);
        let mut shape = like.clone();
        let several = shape.axes.len() > 1;
        for (axis, size) in &mut shape.axes {
            *size = if several { Size::along(name, axis, None) } else { Size::of(name, None) };
        }
        shape.list = shape.list.map(|_| Size::of(name, None));
        shape
    }

    fn grouping(&self, inference: &Inference, grouping: &Grouping) -> Option<Shape> {
        let sources: Vec<&Shape> = inference.values.iter().filter_map(|v| self.get(*v)).collect();
        let first = sources.first()?;
        let name = self.concept(inference.target).map_or("", |c| &c.name);
        let per_source = grouping.create_axis.is_some()
            || matches!(&grouping.by_axes, ByAxes::PerSource(lists) if !lists.is_empty());
        let contexts = || {
            let by = &grouping.by_axis_concepts;
            let named = inference.contexts.iter().filter(|c| by.is_empty() || by.contains(c));
            named.filter_map(|c| self.get(*c)).flat_map(|s| s.axes.iter().map(|(a, _)| Arc::clone(a)))
        };
        let flat: Option<Vec<Arc<str>>> = match &grouping.by_axes {
            ByAxes::Flat(axes) if !axes.is_empty() => Some(axes.clone()),
            _ if per_source => None,
            _ => Some(contexts().collect()),
        };
        let gone = |number: usize, axis: &Arc<str>| {
            let listed = match (&grouping.by_axes, &flat) {
                (ByAxes::PerSource(lists), _) if !lists.is_empty() => lists.get(number),
                (_, flat) => flat.as_ref(),
            };
            listed.is_none_or(|l| l.contains(axis)) && !grouping.protect_axes.contains(axis)
        };
        // In shared mode only the axes that all sources have stay.
        let shared = |axis: &str| per_source || sources.iter().all(|s| s.size(axis).is_some());
        let mut kept: Vec<(Arc<str>, Size)> = Vec::new();
        let mut items: Option<u64> = Some(0);
        for (number, source) in sources.iter().enumerate() {
            let mut inside = source.list.as_ref().map_or(Some(1), |l| l.known);
            for (axis, size) in &source.axes {
                if gone(number, axis) || !shared(axis) {
                    inside = inside.zip(size.known).and_then(|(a, b)| a.checked_mul(b));
                } else if !kept.iter().any(|(a, _)| a == axis) {
                    kept.push((Arc::clone(axis), size.clone()));
                }
            }
            items = items.zip(inside).and_then(|(a, b)| a.checked_add(b));
        }
        let records = grouping.marker == GroupMarker::In;
        let holes = sources.iter().any(|s| s.holes);
        match &grouping.create_axis {
            Some(axis) => {
                let count = if records { None } else { items };
                let one = records && first.axes.is_empty();
                let mut axes = vec![(Arc::clone(axis), Size::of(name, if one { Some(1) } else { count }))];
                axes.extend(kept);
                Some(Shape { axes, list: None, holes })
            }
            None => {
                let list = (!records).then(|| Size::of(name, items));
                Some(Shape { axes: kept, list, holes })
            }
        }
    }

    /// The axes of the cross product of what a step is given.
    pub(super) fn crossed(&self, step: &Semantic) -> Shape {
        let mut crossed = Shape::default();
        for concept in &step.order {
            let Some(shape) = self.get(*concept) else { continue };
            crossed.holes |= shape.holes;
            for (axis, size) in &shape.axes {
                if crossed.size(axis).is_none() {
                    crossed.axes.push((Arc::clone(axis), size.clone()));
                }
            }
        }
        crossed
    }

    fn semantic(&self, inference: &Inference, step: &Semantic) -> Option<Shape> {
        if step.order.iter().any(|c| self.get(*c).is_none()) {
            return None;
        }
        let mut shape = self.crossed(step);
        let target = self.concept(inference.target)?;
        if let Some(assertion) = step.assertion.as_ref().filter(|_| step.judgement) {
            // Folded axes are gone, those judged one by one stay.
            let each =
                |axis: &str| assertion.quantifiers.iter().any(|(a, q)| &**a == axis && &**q == "for-each");
            if !assertion.quantifiers.is_empty() {
                shape.axes.retain(|(axis, _)| each(axis));
            }
        } else if step.condition.is_some() {
            shape.axes.clear();
        } else if step.relation_output
            || (target.kind == ConceptKind::Relation && step.create_axis_on_list_output)
        {
            let axis = step.output_axis_name.as_ref().unwrap_or(&target.axis_name);
            shape.axes.push((Arc::clone(axis), Size::of(&target.name, None)));
        }
        Some(shape)
    }
}

/// What an inference appends to, and along which axes.
fn appended(inference: &Inference) -> Option<(ConceptId, &[Arc<str>])> {
    match &inference.work {
        Work::Assigning(Assigning::Continuation { by_axes, .. }) => Some((inference.target, by_axes)),
        _ => None,
    }
}

/// Forgets how many positions there are along the axis that the run appends to.
fn grow(shape: &mut Shape, by_axes: &[Arc<str>]) {
    let named = by_axes.first().and_then(|axis| shape.axes.iter().position(|(a, _)| a == axis));
    if let Some((_, size)) = shape.axes.get_mut(named.unwrap_or_default()) {
        size.known = None;
    }
}

fn of_tensor(concept: &Concept, tensor: &Tensor) -> Shape {
    let tensor = tensor.clone().drop_none_axis();
    let named = tensor.axes().iter().zip(tensor.shape()).filter(|(a, _)| !a.is_none());
    let sizes: Vec<(Arc<str>, u64)> = named.map(|(a, size)| (a.to_shared(), *size as u64)).collect();
    let several = sizes.len() > 1;
    let axes = sizes
        .into_iter()
        .map(|(axis, size)| {
            let of = if several {
                Size::along(&concept.name, &axis, Some(size))
            } else {
                Size::of(&concept.name, Some(size))
            };
            (axis, of)
        })
        .collect();
    // A lone cell that is a list is opened by who walks it.
    let list = match tensor.cells().next() {
        Some(Value::List(items)) if tensor.len() == 1 => {
            Some(Size::of(&concept.name, Some(items.len() as u64)))
        }
        Some(Value::List(_)) => Some(Size::of(&concept.name, None)),
        _ => None,
    };
    Shape { axes, list, holes: tensor.cells().any(Value::is_skip) }
}

/// An input whose data are not given yet: its declared axes, or one axis for a relation.
fn unknown(concept: &Concept) -> Shape {
    let declared: Vec<Arc<str>> = match &concept.axes {
        Some(axes) => axes.iter().filter(|a| &***a != "_none_axis").cloned().collect(),
        None if concept.kind == ConceptKind::Relation => vec![Arc::clone(&concept.axis_name)],
        None => Vec::new(),
    };
    let several = declared.len() > 1;
    let of = |axis: Arc<str>| {
        let size =
            if several { Size::along(&concept.name, &axis, None) } else { Size::of(&concept.name, None) };
        (axis, size)
    };
    Shape { axes: declared.into_iter().map(of).collect(), list: None, holes: false }
}
