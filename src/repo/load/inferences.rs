//! Inference entries into inferences: the fields all sequences share (repositories spec, sections 2 and 4).

use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde_json::Map as JsonMap;

use crate::base::FlowIndex;
use crate::base::nearest;
use crate::diag::Code;
use crate::repo::entry::InferenceEntry;
use crate::repo::model::{ConceptId, Inference, StartFlags};
use crate::repo::types;

use super::problems::{Fields, Names, Problems};
use super::{semantic, work};

/// What the work of an inference is read from.
pub(super) struct Entry<'a> {
    pub(super) what: &'a str,
    pub(super) sequence: &'a str,
    pub(super) function: Option<ConceptId>,
    pub(super) values: &'a [ConceptId],
    pub(super) contexts: &'a [ConceptId],
    pub(super) interpretation: Fields<'a>,
}

/// Reads entry `i`; one with a problem is reported and left out. `taken` has the entries before it by flow index.
pub(super) fn read(
    i: usize,
    entry: &InferenceEntry,
    taken: &mut FxHashMap<FlowIndex, usize>,
    names: &mut Names,
    problems: &mut Problems,
) -> Option<Inference> {
    let flow = flow_index(entry, i, problems)?;
    if let Some(first) = taken.insert(flow.clone(), i) {
        let message =
            format!("flow index {flow} has two entries: inference entries {} and {}", first + 1, i + 1);
        problems.add_with_help(Code::NC102, message, "give every inference an index of its own");
        return None;
    }
    inference(entry, flow, names, problems)
}

fn flow_index(entry: &InferenceEntry, i: usize, problems: &mut Problems) -> Option<FlowIndex> {
    let place = format!("inference entry {}", i + 1);
    let fields = Fields::new(entry.raw(), &place, Code::NC101);
    let help = "write \"flow_info\": {\"flow_index\": \"1.1.2\"}";
    if fields.present("flow_info").is_none() {
        fields.missing("flow_info", help, problems);
        return None;
    }
    let info = fields.object("flow_info", problems)?;
    let info = Fields::new(info, &place, Code::NC101);
    if info.present("flow_index").is_none() {
        info.missing("flow_info.flow_index", help, problems);
        return None;
    }
    let text = info.text("flow_index", problems)?;
    match text.parse() {
        Ok(flow) => Some(flow),
        Err(error) => {
            problems.add(Code::NC105, format!("{place}: {error}"));
            None
        }
    }
}

fn inference(
    entry: &InferenceEntry,
    flow: FlowIndex,
    names: &mut Names,
    problems: &mut Problems,
) -> Option<Inference> {
    let what = format!("inference {flow}");
    let fields = Fields::new(entry.raw(), &what, Code::NC101);
    let sequence = sequence(&fields, problems);
    let target = match fields.text("concept_to_infer", problems) {
        Some(name) => names.resolve(name, &what, problems),
        None => {
            if fields.present("concept_to_infer").is_none() {
                fields.missing("concept_to_infer", "name the concept this inference computes", problems);
            }
            None
        }
    };
    let function_name = fields.text("function_concept", problems);
    let function = function_name.map(|name| names.resolve(name, &what, problems));
    let values = concept_list(&fields, "value_concepts", names, problems);
    let contexts = concept_list(&fields, "context_concepts", names, problems);
    let empty = JsonMap::new();
    let interpretation = fields.object("working_interpretation", problems).unwrap_or(&empty);
    let start = start_flags(&fields, sequence.unwrap_or_default(), problems);
    let (sequence, target) = (sequence?, target?);
    let function = match function {
        Some(None) => return None,
        Some(Some(function)) => Some(function),
        None => None,
    };
    let (values, contexts) = (values?, contexts?);
    let parts = Entry {
        what: &what,
        sequence,
        function,
        values: &values,
        contexts: &contexts,
        interpretation: Fields::new(interpretation, &what, Code::NC106),
    };
    let work = match sequence {
        "assigning" => work::assigning(&parts, names, problems),
        "grouping" => work::grouping(&parts, names, problems),
        "timing" => work::timing(&parts, names, problems),
        "quantifying" | "looping" => work::looping(&parts, names, problems),
        "simple" => Some(crate::repo::model::Work::Simple),
        _ => semantic::semantic(&parts, names, problems),
    }?;
    Some(Inference { flow, sequence: Arc::from(sequence), target, function, values, contexts, work, start })
}

fn sequence<'a>(fields: &Fields<'a>, problems: &mut Problems) -> Option<&'a str> {
    let Some(sequence) = fields.text("inference_sequence", problems) else {
        if fields.present("inference_sequence").is_none() {
            fields.missing("inference_sequence", "name how it works, like \"assigning\"", problems);
        }
        return None;
    };
    if types::SEQUENCES.contains(&sequence) {
        return Some(sequence);
    }
    let message = format!("{} has the sequence `{sequence}`, which is not known", fields.what);
    let help = match nearest(sequence, types::SEQUENCES.iter().copied()) {
        _ if sequence == "output" => {
            "a goal is no step: remove this entry and set \"is_final_concept\" on its concept".to_owned()
        }
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known are {}", types::SEQUENCES.join(", ")),
    };
    problems.add_with_help(Code::NC104, message, help);
    None
}

/// The concepts of a list, each once; none when one of them is not known.
fn concept_list(
    fields: &Fields<'_>,
    field: &str,
    names: &mut Names,
    problems: &mut Problems,
) -> Option<Vec<ConceptId>> {
    let mut list = Vec::new();
    let mut seen = rustc_hash::FxHashSet::default();
    let mut complete = true;
    for name in fields.texts(field, problems).unwrap_or_default() {
        match names.resolve(name, fields.what, problems) {
            Some(id) if seen.insert(id) => list.push(id),
            Some(_) => {}
            None => complete = false,
        }
    }
    complete.then_some(list)
}

fn start_flags(fields: &Fields<'_>, sequence: &str, problems: &mut Problems) -> StartFlags {
    let is_loop = matches!(sequence, "quantifying" | "looping");
    let mut flag = |field, default| fields.flag(field, default, problems);
    StartFlags {
        without_value: flag("start_without_value", false),
        without_value_once: flag("start_without_value_only_once", is_loop),
        without_function: flag("start_without_function", false),
        without_function_once: flag("start_without_function_only_once", is_loop),
        with_support_only: flag("start_with_support_reference_only", false),
        without_support_once: flag("start_without_support_reference_only_once", is_loop),
    }
}
