//! Opening a plan for a run: its model, its start data from all sources, and what is missing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustc_hash::FxHashSet;
use serde_json::{Map as JsonMap, Value as Json};

use crate::base::SourceMap;
use crate::diag::{Code, Diagnostic, Severity};
use crate::engine::Plan;
use crate::repo::{Inputs, Model, Spans, missing_inputs};
use crate::report::Places;
use crate::report::say;

use super::super::Exit;
use super::super::open::{
    Failed, Opened, Opening, concept_span, open, open_pair_to_run, places, read_text, refuse_empty,
};
use super::super::output::count;
use super::Arguments;

/// A plan ready to be run, and where its parts stand in the source.
pub(super) struct Prepared {
    pub(super) plan: Plan,
    pub(super) places: Places,
    /// Flow indices of steps whose questions are not put at the terminal, once the agents are known.
    pub(super) elsewhere: BTreeSet<String>,
}

/// A plan before start data from outside are put in.
pub(super) struct OpenPlan {
    pub(super) name: String,
    pub(super) base: PathBuf,
    pub(super) source: String,
    pub(super) document: Arc<str>,
    pub(super) model: Model,
    pub(super) spans: Spans,
    pub(super) noted: Vec<Diagnostic>,
}

/// Opens the plan the arguments name.
pub(super) fn open_plan(arguments: &Arguments, map: &mut SourceMap) -> Result<OpenPlan, Failed> {
    let none = |exit| Failed { diagnostics: Vec::new(), exit };
    let (opened, document, source) = match (&arguments.source, &arguments.concepts, &arguments.inferences) {
        (Some(source), ..) => {
            // The run keeps the source text with its plan, so that it can be shown when the file is gone.
            let opened = open(source, map, &Opening { embed_source: true, ..Opening::default() })?;
            let document = opened.repositories.write();
            (opened, document, source.display().to_string())
        }
        (None, Some(concepts), Some(inferences)) => {
            let (opened, document) = open_pair_to_run(concepts, inferences)?;
            (opened, document, concepts.display().to_string())
        }
        _ => return Err(none(Exit::Usage)),
    };
    refuse_empty(&opened, map).map_err(none)?;
    let Opened { repositories, model, diagnostics, base, .. } = opened;
    let base = arguments.base_dir.clone().unwrap_or(base);
    let base = if base == Path::new("") { PathBuf::from(".") } else { base };
    Ok(OpenPlan {
        name: repositories.plan.name,
        base,
        source,
        document: Arc::from(document),
        model,
        spans: repositories.spans,
        noted: diagnostics,
    })
}

/// Puts the start data in; `recorded` are those an earlier run was given.
pub(super) fn prepare(
    arguments: &Arguments,
    opened: OpenPlan,
    recorded: Option<&JsonMap<String, Json>>,
    map: &SourceMap,
) -> Result<Prepared, Failed> {
    let OpenPlan { name, base, source, document, mut model, spans, mut noted } = opened;
    let mut inputs = Inputs::default();
    let bad = |diagnostics| Failed { diagnostics, exit: Exit::BadData };
    // What an earlier run was given comes first, as far as the plan still has such concepts.
    let names: FxHashSet<&str> = model.concepts.iter().map(|c| &*c.name).collect();
    let known: JsonMap<String, Json> = recorded
        .into_iter()
        .flatten()
        .filter(|(name, _)| names.contains(name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if !known.is_empty() {
        inputs.add_entries(known).map_err(bad)?;
    }
    for file in &arguments.inputs {
        inputs.add_file(&read_text(file)?).map_err(bad)?;
    }
    for setting in &arguments.set {
        inputs.add_setting(setting).map_err(|d| bad(vec![*d]))?;
    }
    noted.extend(inputs.apply(&mut model).map_err(bad)?);
    // That data are missing is only worth a word when they are still missing now; then it is an error.
    noted.retain(|d| !matches!(d.code, Code::NC123 | Code::NC038));
    let warnings = noted.iter().filter(|d| d.severity == Severity::Warning).count();
    if warnings > 0 && !arguments.quiet {
        say!("the plan has {}; `normc check` shows them", count(warnings, "warning"));
    }
    let missing = missing(&model, &spans, map);
    if !missing.is_empty() {
        return Err(Failed { diagnostics: missing, exit: Exit::Failed });
    }
    let places = places(&spans, &model, map, 0);
    let given = inputs.settled(&model);
    let plan = Plan::new(model, document, given, &name, &source, &base).map_err(|problems| {
        bad(problems.iter().map(|b| Diagnostic::new(Code::NC107, b.to_string())).collect())
    })?;
    Ok(Prepared { plan, places, elsewhere: BTreeSet::new() })
}

fn missing(model: &Model, spans: &Spans, map: &SourceMap) -> Vec<Diagnostic> {
    let missing = missing_inputs(model).into_iter();
    missing
        .map(|input| {
            let name = model.concepts.get(input.concept.0 as usize).map_or("", |c| &c.name);
            let what = if input.carried {
                "is carried from iteration to iteration and has no first value"
            } else {
                "has no data and nothing computes it"
            };
            let message = format!("the input `{name}` {what}");
            let span = concept_span(spans, name, map);
            let diagnostic = match span {
                Some(span) => Diagnostic::at(Code::NC202, span, message).label("needed here"),
                None => Diagnostic::new(Code::NC202, message),
            };
            diagnostic
                .help(format!("give it: --set '{name}=...', --inputs FILE, or `| ref. ...` on its line"))
        })
        .collect()
}
