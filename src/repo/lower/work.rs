//! The working interpretation of every kind of inference (repositories spec, sections 3 and 7.2).

use std::sync::Arc;

use serde_json::{Map as JsonMap, Value as Json, json};

use crate::diag::{Code, Diagnostic};
use crate::plan::{
    Assertion, Collapsed, ConceptId, FunctionKind, Grouping, Inference, Loop, Pick, Plan, Semantic, Work,
    collapsed,
};

use super::Generation;
use super::words::Form;

pub(super) fn looping(plan: &Plan, inference: &Inference, looping: &Loop, generation: Generation) -> Json {
    let name = |id: ConceptId| Json::from(plan.name(id));
    let mut carried = JsonMap::new();
    for carry in &looping.carries {
        let how = match generation {
            Generation::One => Json::from(carry.lag),
            Generation::Two => json!({"current_name": name(carry.concept), "carry_over": carry.lag}),
        };
        carried.insert(plan.name(carry.concept).to_owned(), how);
    }
    let (number, result) = match generation {
        Generation::One => ("quantifier_index", inference.target),
        Generation::Two => ("loop_index", looping.result),
    };
    json!({"syntax": {
        "marker": "every",
        number: looping.number,
        "LoopBaseConcept": name(looping.base),
        "CurrentLoopBaseConcept": name(looping.element),
        "group_base": looping.axis.as_ref(),
        "InLoopConcept": carried,
        "ConceptToInfer": [name(result)],
    }})
}

pub(super) fn assigning(plan: &Plan, inference: &Inference, generation: Generation) -> Json {
    let name = |id: ConceptId| Json::from(plan.name(id));
    let mut syntax = JsonMap::new();
    let mut put = |field: &str, value: Json| syntax.insert(field.to_owned(), value);
    match &inference.work {
        Work::Specification { sources, in_loop } => {
            put("marker", Json::from("."));
            let source = match sources.as_slice() {
                [one] => name(*one),
                many => many.iter().map(|s| name(*s)).collect::<Vec<_>>().into(),
            };
            put("assign_source", source);
            if *in_loop && generation == Generation::One {
                put("assign_destination", name(inference.target));
            }
        }
        Work::Continuation { item, destination, by_axes } => {
            put("marker", Json::from("+"));
            if let Some(item) = item {
                put("assign_source", name(*item));
            }
            put("assign_destination", name(*destination));
            put("by_axes", texts(by_axes));
        }
        Work::Abstraction { face, axes } => {
            put("marker", Json::from("%"));
            put("face_value", face.clone());
            if let Some(axes) = axes.as_deref().or(if face.is_array() { None } else { Some(&[]) }) {
                put("axis_names", if axes.is_empty() { json!(["_none_axis"]) } else { texts(axes) });
            }
        }
        Work::Selection { source, pick } => {
            put("marker", Json::from("-"));
            put("assign_source", name(*source));
            put(
                "selector",
                match pick {
                    Pick::Index(index) => json!({"index": index}),
                    Pick::Key(key) => json!({"key": key.as_ref()}),
                    Pick::All => json!({"unpack": true}),
                },
            );
        }
        Work::Identity { canonical } => {
            put("marker", Json::from("="));
            put("canonical_concept", name(*canonical));
            put("alias_concept", name(inference.target));
        }
        _ => {}
    }
    json!({"syntax": syntax})
}

fn texts(names: &[Arc<str>]) -> Json {
    names.iter().map(|n| Json::from(n.as_ref())).collect::<Vec<_>>().into()
}

pub(super) fn grouping(plan: &Plan, grouping: &Grouping, generation: Generation) -> Json {
    let mut syntax = JsonMap::new();
    syntax.insert("marker".into(), Json::from(if grouping.records { "in" } else { "across" }));
    if !grouping.by_concepts.is_empty() {
        let names = grouping.by_concepts.iter().map(|c| Json::from(plan.name(*c))).collect::<Vec<_>>();
        syntax.insert("by_axis_concepts".into(), names.into());
    }
    if let Some(by_axes) = by_axes(plan, grouping) {
        syntax.insert("by_axes".into(), by_axes);
    }
    if !grouping.protect.is_empty() {
        syntax.insert("protect_axes".into(), texts(&grouping.protect));
    }
    if let Some(axis) = &grouping.create_axis {
        syntax.insert("create_axis".into(), Json::from(axis.as_ref()));
    }
    if generation == Generation::Two && grouping.current {
        let sources = grouping.sources.iter().map(|c| Json::from(plan.name(*c))).collect::<Vec<_>>();
        syntax.insert("sources".into(), sources.into());
        let found = match (&grouping.per_source, grouping.by_axes.is_empty()) {
            (Some(_), _) => Some("option_b_inline"),
            (None, true) => Some("fallback_ref_axes"),
            (None, false) => None,
        };
        if let Some(found) = found.filter(|_| syntax.contains_key("by_axes")) {
            syntax.insert("by_axes_source".into(), Json::from(found));
        }
    }
    json!({"syntax": syntax})
}

/// The axes that are collapsed, absent where nothing is written.
fn by_axes(plan: &Plan, grouping: &Grouping) -> Option<Json> {
    match collapsed(plan, grouping) {
        Collapsed::Unwritten => None,
        Collapsed::Shared(axes) => Some(texts(&axes)),
        Collapsed::PerSource(lists) => Some(lists.iter().map(|l| texts(l)).collect::<Vec<_>>().into()),
    }
}

/// The name of the constant that holds what a person may choose from.
const OPTIONS: &str = "options";

/// The form a step is written in, and of which generation.
#[derive(Debug, Clone, Copy)]
pub(super) struct How {
    pub(super) form: Form,
    pub(super) generation: Generation,
}

pub(super) fn semantic(
    plan: &Plan,
    inference: &Inference,
    semantic: &Semantic,
    how: How,
    helpers: &[&str],
    problems: &mut Vec<Diagnostic>,
) -> Json {
    let form = how.form;
    let mut fields = JsonMap::new();
    let mut order = JsonMap::new();
    let parts = semantic.selectors.iter().filter_map(|s| Some((s.key.as_ref(), s.number?)));
    let mut numbered: Vec<(&str, u32)> =
        semantic.order.iter().map(|(c, n)| (plan.name(*c), *n)).chain(parts).collect();
    numbered.sort_by_key(|(_, n)| *n);
    for (name, number) in &numbered {
        order.insert((*name).to_owned(), Json::from(*number));
    }
    let last = numbered.last().map_or(0, |(_, n)| *n);
    for (helper, number) in helpers.iter().zip(last.saturating_add(1)..) {
        order.insert((*helper).to_owned(), Json::from(number));
    }
    // What there is to choose from is passed behind the values, as a constant of the step.
    let options = semantic.resources.ask.as_ref().map(|a| a.options.as_slice()).unwrap_or_default();
    if !options.is_empty() {
        let number = last.saturating_add(u32::try_from(helpers.len()).unwrap_or(0)).saturating_add(1);
        order.insert(OPTIONS.to_owned(), Json::from(number));
        fields.insert("values".into(), json!({OPTIONS: texts(options)}));
    }
    let judgement = semantic.kind == FunctionKind::Judgement;
    if form == Form::Composition {
        let named = semantic.resources.paradigm.as_ref().map(|(name, _)| &**name);
        match named.or_else(|| semantic.default_paradigm(how.generation.number())) {
            Some(paradigm) => {
                fields.insert("paradigm".into(), Json::from(paradigm));
            }
            None => problems.push(
                Diagnostic::at(
                    Code::NC106,
                    inference.function_span,
                    "the step asks for a paradigm and names none",
                )
                .help("write `| %{norm_input}: NAME` below the operation, or leave the `%(composition)` out"),
            ),
        }
        if semantic.kind == FunctionKind::Input {
            fields.insert("is_external_input".into(), Json::from(true));
        }
        if let Some((faculty, _)) = &semantic.resources.body_faculty {
            fields.insert("body_faculty".into(), Json::from(faculty.as_ref()));
        }
    } else if form != Form::Input {
        fields.insert("is_relation_output".into(), Json::from(semantic.relation));
        fields.insert("with_thinking".into(), Json::from(false));
    }
    told(semantic, &mut fields);
    fields.insert("value_order".into(), Json::Object(order));
    let reads_none = form == Form::Input || (judgement && form == Form::Plain);
    if !reads_none && !semantic.selectors.is_empty() {
        fields.insert("value_selectors".into(), selectors(plan, semantic));
    }
    if judgement {
        if form == Form::Composition {
            fields.insert("assertion_condition".into(), assertion(plan, &semantic.assertion));
        } else {
            fields.insert(
                "condition".into(),
                Json::from(if semantic.assertion.truth { "True" } else { "False" }),
            );
        }
    }
    if semantic.resources.once {
        fields.insert("effect".into(), Json::from("once"));
    }
    if let Some(timeout) = &semantic.resources.timeout {
        fields.insert("timeout".into(), timeout.clone());
    }
    Json::Object(fields)
}

/// What the step is told beside its paradigm: by whom it is done, and in what form the answer comes.
fn told(semantic: &Semantic, fields: &mut JsonMap<String, Json>) {
    let resources = &semantic.resources;
    for (field, written) in [("model", &resources.model), ("agent", &resources.agent)] {
        if let Some((name, _)) = written {
            fields.insert(field.to_owned(), Json::from(name.as_ref()));
        }
    }
    if let Some((schema, _)) = &resources.schema {
        fields.insert("schema".to_owned(), schema.clone());
    }
    if let Some(number) = resources.reply_retries {
        fields.insert("reply_retries".to_owned(), Json::from(number));
    }
}

/// Selectors by the name they are passed under. One that only packs its own value needs no source.
fn selectors(plan: &Plan, semantic: &Semantic) -> Json {
    let mut all = JsonMap::new();
    for selector in &semantic.selectors {
        let mut fields = JsonMap::new();
        let own = selector.number.is_none();
        if !(own && selector.fields.keys().all(|k| k == "packed")) {
            fields.insert("source_concept".to_owned(), Json::from(plan.name(selector.source)));
        }
        fields.extend(selector.fields.clone());
        all.insert(selector.key.as_ref().to_owned(), Json::Object(fields));
    }
    Json::Object(all)
}

/// Quantifiers by axis name; the word `axis` stands for every axis (repositories spec, sections 3.2 and 7.3).
fn assertion(plan: &Plan, assertion: &Assertion) -> Json {
    let mut quantifiers = JsonMap::new();
    for (over, word) in &assertion.quantifiers {
        let axis = match over {
            None => Arc::from("axis"),
            Some(over) => {
                let declared = over.concept.and_then(|c| plan.concept(c)).filter(|c| c.axes_declared);
                match declared.and_then(|c| c.axes.as_deref()) {
                    Some([single]) => single.clone(),
                    _ => over.name.clone(),
                }
            }
        };
        quantifiers.insert(axis.as_ref().to_owned(), Json::from(*word));
    }
    json!({"quantifiers": quantifiers, "condition": assertion.truth})
}
