//! Concepts into concept entries (repositories spec, section 7.1).

use serde_json::{Map as JsonMap, Value as Json, json};

use crate::base::{FlowIndex, Sign};
use crate::plan::{Concept, ConceptId, ConceptKind, FunctionKind, Plan, Semantic, Work};
use crate::repo::entry::ConceptEntry;

use super::Generation;
use super::helpers::{Helper, Helpers};
use super::slug::Ids;
use super::words::type_of;

/// The entry that is to be written next to others, with what it is sorted by.
enum Source<'a> {
    Concept(&'a Concept, Option<&'a Semantic>),
    Helper(&'a Helper),
}

impl Source<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Concept(concept, _) => &concept.name,
            Self::Helper(helper) => &helper.name,
        }
    }

    fn first(&self) -> Option<&FlowIndex> {
        match self {
            Self::Concept(concept, _) => concept.first_index(),
            Self::Helper(helper) => Some(&helper.first),
        }
    }
}

/// All entries, sorted by first index, then name.
pub(super) fn entries(plan: &Plan, generation: Generation, helpers: &Helpers) -> Vec<ConceptEntry> {
    let mut steps: Vec<Option<&Semantic>> = vec![None; plan.concepts.len()];
    for inference in &plan.inferences {
        if let Work::Semantic(semantic) = &inference.work
            && let Some(step) = steps.get_mut(inference.function.index())
        {
            step.get_or_insert(semantic);
        }
    }
    let used = used(plan);
    let concepts = plan.concepts.iter().zip(steps).zip(used).filter(|(_, used)| *used);
    let mut sources: Vec<Source<'_>> = concepts.map(|((c, s), _)| Source::Concept(c, s)).collect();
    sources.extend(helpers.list.iter().map(Source::Helper));
    sources.sort_by(|a, b| a.first().cmp(&b.first()).then_with(|| a.name().cmp(b.name())));
    let mut ids = Ids::default();
    let made = sources.iter().map(|source| match source {
        Source::Concept(concept, step) => entry(concept, *step, generation, &mut ids),
        Source::Helper(helper) => helper_entry(helper, &mut ids),
    });
    made.collect()
}

/// Function texts that no inference uses (a timing whose gate was left out) get no entry; values always do.
fn used(plan: &Plan) -> Vec<bool> {
    let mut used: Vec<bool> = plan.concepts.iter().map(|c| c.kind.is_value()).collect();
    let mut mark = |id: ConceptId| {
        if let Some(mark) = used.get_mut(id.index()) {
            *mark = true;
        }
    };
    for inference in &plan.inferences {
        mark(inference.target);
        mark(inference.function);
        inference.contexts.iter().copied().for_each(&mut mark);
    }
    used
}

fn entry(concept: &Concept, step: Option<&Semantic>, generation: Generation, ids: &mut Ids) -> ConceptEntry {
    match concept.kind {
        ConceptKind::Function(kind) => function_entry(concept, kind, step, generation, ids),
        _ => value_entry(concept, generation, ids),
    }
}

fn value_entry(concept: &Concept, generation: Generation, ids: &mut Ids) -> ConceptEntry {
    let mut fields = common(concept, generation, ids);
    fields.insert("axis_name".into(), Json::from(concept.axis_name()));
    finish(
        &mut fields,
        Flags { ground: concept.ground.is_some(), is_final: concept.is_final, invariant: concept.invariant },
        concept.data.clone(),
        concept.axes.as_ref().map(|a| a.iter().map(|n| Json::from(n.as_ref())).collect::<Vec<_>>().into()),
    );
    if let Some(element) = &concept.element_type {
        fields.insert("reference_element_type".into(), Json::from(element.as_ref()));
    }
    ConceptEntry::from(fields)
}

fn function_entry(
    concept: &Concept,
    kind: FunctionKind,
    step: Option<&Semantic>,
    generation: Generation,
    ids: &mut Ids,
) -> ConceptEntry {
    let mut fields = common(concept, generation, ids);
    fields.insert("axis_name".into(), Json::Null);
    let semantic = matches!(kind, FunctionKind::Imperative | FunctionKind::Judgement | FunctionKind::Input);
    let (flags, data) = match generation {
        Generation::One => (
            Flags { ground: kind != FunctionKind::Loop, is_final: false, invariant: semantic },
            semantic.then(|| {
                let composed =
                    |s: &&Semantic| s.resources.needs_a_paradigm() || s.is_composed(generation.number());
                step.filter(composed).and_then(prompt_sign).unwrap_or_else(|| own_text(concept, kind, step))
            }),
        ),
        Generation::Two => (
            Flags { ground: true, is_final: false, invariant: true },
            Some(step.and_then(prompt_sign).unwrap_or_else(|| concept.name.as_ref().to_owned())),
        ),
    };
    let axes = data.is_some().then(|| json!(["_none_axis"]));
    finish(&mut fields, flags, data.map(|d| json!([d])), axes);
    ConceptEntry::from(fields)
}

/// What the step reads as its instruction; a judgement's condition is not part of it.
fn own_text(concept: &Concept, kind: FunctionKind, step: Option<&Semantic>) -> String {
    match step {
        Some(step) if kind == FunctionKind::Judgement => format!("::<{}>", step.body),
        _ => concept.name.as_ref().to_owned(),
    }
}

/// What the step reads as its instruction: a command, a prompt, or the script of a paradigm, by the file's extension.
fn prompt_sign(step: &Semantic) -> Option<String> {
    let resources = &step.resources;
    let sign = |norm: &str, payload: &str| Sign::new(Some(norm), payload).ok().map(|s| s.to_string());
    if let Some(command) = &resources.command {
        let argv: Vec<Json> = command.argv.iter().map(|a| Json::from(a.as_ref())).collect();
        return sign("command_location", &Json::Array(argv).to_string());
    }
    let asked = resources.ask.as_ref().and_then(|a| a.text.as_ref());
    if let Some((text, _)) = asked.or(resources.prompt_text.as_ref()) {
        return sign("prompt", text);
    }
    let (path, norm) = match (&resources.provision, &resources.prompt) {
        (Some((path, _)), _) => {
            let norm = match path.rsplit_once('.').map(|(_, extension)| extension) {
                Some("md") => "prompt_location",
                Some("py") => "script_location",
                _ => "file_location",
            };
            (path, norm)
        }
        (None, Some((path, _))) => (path, "prompt_location"),
        (None, None) => return None,
    };
    sign(norm, path)
}

fn helper_entry(helper: &Helper, ids: &mut Ids) -> ConceptEntry {
    let mut fields = JsonMap::new();
    fields.insert("id".into(), Json::from(ids.id(&helper.name, false)));
    fields.insert("concept_name".into(), Json::from(helper.name.as_str()));
    fields.insert("type".into(), Json::from("{}"));
    fields.insert("flow_indices".into(), json!([]));
    fields.insert("context".into(), Json::from(""));
    fields.insert("natural_name".into(), Json::Null);
    fields.insert("description".into(), Json::Null);
    fields.insert("axis_name".into(), Json::from(helper.name.as_str()));
    let flags = Flags { ground: true, is_final: false, invariant: false };
    finish(&mut fields, flags, Some(json!([helper.sign])), Some(json!(["_none_axis"])));
    ConceptEntry::from(fields)
}

fn common(concept: &Concept, generation: Generation, ids: &mut Ids) -> JsonMap<String, Json> {
    let mut flows: Vec<&FlowIndex> = concept.lines.iter().map(|l| &l.flow).collect();
    flows.sort();
    flows.dedup();
    let text = |t: &Option<std::sync::Arc<str>>| t.as_deref().map_or(Json::Null, Json::from);
    let mut fields = JsonMap::new();
    fields.insert("id".into(), Json::from(ids.id(&concept.name, !concept.kind.is_value())));
    fields.insert("concept_name".into(), Json::from(concept.name.as_ref()));
    fields.insert("type".into(), Json::from(type_of(concept, generation)));
    fields.insert(
        "flow_indices".into(),
        flows.iter().map(|f| Json::from(f.to_string())).collect::<Vec<_>>().into(),
    );
    fields.insert("context".into(), Json::from(""));
    fields.insert("natural_name".into(), text(&concept.natural_name));
    fields.insert("description".into(), text(&concept.description));
    fields
}

struct Flags {
    ground: bool,
    is_final: bool,
    invariant: bool,
}

fn finish(fields: &mut JsonMap<String, Json>, flags: Flags, data: Option<Json>, axes: Option<Json>) {
    fields.insert("is_ground_concept".into(), Json::from(flags.ground));
    fields.insert("is_final_concept".into(), Json::from(flags.is_final));
    fields.insert("is_invariant".into(), Json::from(flags.invariant));
    fields.insert("reference_data".into(), data.unwrap_or(Json::Null));
    fields.insert("reference_axis_names".into(), axes.unwrap_or(Json::Null));
}
