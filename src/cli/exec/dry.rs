//! `normc exec --dry-run`: what would run, who would do it, and how many calls that makes. Touches nothing.

use std::sync::Arc;

use crate::engine::{Plan, Tools};
use crate::repo::Inference;
use crate::report::{dry_run_json, dry_run_text};
use crate::run::dryrun::{CallKind, Given, ParadigmCalls, dry_run};
use crate::run::paradigm::{Paradigm, Touches};
use crate::run::stale::files_named;

use super::super::Exit;
use super::super::output::{count, print};

pub(super) fn say(plan: &Plan, tools: &Tools, json: bool) -> Exit {
    let graph = &plan.graph;
    let paradigm = |inference: &Inference, name: &str| {
        let paradigm = tools.paradigm_of(graph, inference, name)?;
        let is_builtin =
            Paradigm::builtin(name).is_some_and(|own| Arc::ptr_eq(&own, &paradigm) || own == paradigm);
        let calls = paradigm.calls().into_iter().map(|site| (kind(site.touches), site.condition.is_some()));
        Some(ParadigmCalls { is_builtin, calls: calls.collect() })
    };
    let model = |inference: &Inference| tools.model_of(graph, inference);
    let run = dry_run(graph, &Given { data: &plan.data, paradigm: &paradigm, model: &model });
    let mut files = files_named(&plan.data).into_iter().map(|file| {
        let there = plan.places().any(|place| place.join(&*file).exists());
        (file, there)
    });
    if json {
        let mut object = dry_run_json(&run);
        object["plan"] = plan.name.as_str().into();
        object["base"] = plan.base.display().to_string().into();
        object["files"] =
            files.map(|(file, there)| serde_json::json!({"path": &*file, "there": there})).collect();
        return print(&format!("{object}\n")).err().unwrap_or(Exit::Done);
    }
    let inferences = count(graph.items.len(), "inference");
    let mut text = format!("{}: {inferences}, base directory {}\n", plan.name, plan.base.display());
    text.push_str(&dry_run_text(&run));
    for (file, there) in files.by_ref() {
        text.push_str(&format!("  {file}{}\n", if there { "" } else { " (not there)" }));
    }
    print(&text).err().unwrap_or(Exit::Done)
}

fn kind(touches: Touches) -> CallKind {
    match touches {
        Touches::Model => CallKind::Model,
        Touches::Person => CallKind::Person,
        Touches::Script => CallKind::Script,
        Touches::Command => CallKind::Command,
        Touches::Reads => CallKind::Read,
        Touches::Writes => CallKind::Write,
        _ => CallKind::Tool,
    }
}
