//! A dry run as text and as JSON: what would run, by whom, and how often.

use serde_json::{Map as JsonMap, Value as Json, json};

use crate::base::plain_line;
use crate::run::dryrun::{Bound, CallKind, Count, Doer, DryRun, DryStep};

/// The dry run for people: one line a step, then the totals and what only the run will know.
pub fn dry_run_text(run: &DryRun) -> String {
    if run.steps.is_empty() {
        return "nothing in the plan asks anything of the world\n".to_owned();
    }
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["step", "gives", "by", "runs", "each run asks"]);
    for step in &run.steps {
        let runs = match &step.condition {
            Some(condition) => format!("{} (if {condition})", step.runs),
            None => step.runs.to_string(),
        };
        table.add_row([
            step.flow.clone(),
            plain_line(&step.concept).into_owned(),
            plain_line(&by(step)).into_owned(),
            plain_line(&runs).into_owned(),
            plain_line(&calls(&step.calls)).into_owned(),
        ]);
    }
    let mut out = String::new();
    for line in table.to_string().lines() {
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out.push('\n');
    if run.totals.is_empty() {
        out.push_str("in all: no calls\n");
    }
    for (kind, count) in &run.totals {
        out.push_str(&format!("in all: {}: {}\n", many(*kind), plain_line(&count.to_string())));
    }
    for note in &run.notes {
        out.push_str(&format!("note: {}\n", plain_line(note)));
    }
    out
}

/// The dry run for programs.
pub fn dry_run_json(run: &DryRun) -> Json {
    let steps: Vec<Json> = run
        .steps
        .iter()
        .map(|step| {
            let mut object = JsonMap::new();
            object.insert("flow_index".to_owned(), Json::from(step.flow.as_str()));
            object.insert("concept".to_owned(), Json::from(&*step.concept));
            object.insert("by".to_owned(), doer(&step.by));
            if let Some(model) = &step.model {
                object.insert("model".to_owned(), Json::from(&**model));
            }
            object.insert("runs".to_owned(), count(&step.runs));
            object.insert("calls_per_run".to_owned(), counts(&step.calls));
            object.insert("calls".to_owned(), counts(&step.all));
            if let Some(condition) = &step.condition {
                object.insert("condition".to_owned(), Json::from(&**condition));
            }
            if let Some(retries) = step.retries {
                object.insert("reply_retries".to_owned(), Json::from(retries));
            }
            Json::Object(object)
        })
        .collect();
    json!({"steps": steps, "totals": counts(&run.totals), "notes": run.notes})
}

fn by(step: &DryStep) -> String {
    let model = step.model.as_ref().map(|m| format!(", model {m}")).unwrap_or_default();
    let doer = match &step.by {
        Doer::Paradigm { name, is_builtin, is_missing, with } => {
            let with = with.as_deref().map(|w| format!(" with {}", shortened(w))).unwrap_or_default();
            let kind = match (is_missing, is_builtin) {
                (true, _) => " (not found)",
                (false, true) => "",
                (false, false) => " (of the agent)",
            };
            format!("{name}{kind}{with}")
        }
        Doer::Script(path) => format!("script {path}"),
        Doer::Builtin(name) => format!("built-in {name}"),
        Doer::Plain => "the model, by the words of the step".to_owned(),
        Doer::Direct => "the model, by a prompt among its values".to_owned(),
        Doer::Indirect => "a script that the model writes".to_owned(),
        Doer::Person => "a person".to_owned(),
        Doer::Loop { base, axis: Some(axis) } => format!("loop over {base}, along {axis}"),
        Doer::Loop { base, axis: None } => format!("loop over {base}"),
    };
    let retries = step.retries.map(|n| format!(", {n} more tries for a reply that cannot be read"));
    format!("{doer}{model}{}", retries.unwrap_or_default())
}

fn doer(by: &Doer) -> Json {
    match by {
        Doer::Paradigm { name, is_builtin, is_missing, with } => json!({
            "kind": "paradigm", "name": &**name, "built_in": is_builtin, "found": !is_missing, "with": with.as_deref(),
        }),
        Doer::Script(path) => json!({"kind": "script", "name": &**path}),
        Doer::Builtin(name) => json!({"kind": "builtin", "name": &**name}),
        Doer::Plain => json!({"kind": "plain"}),
        Doer::Direct => json!({"kind": "direct"}),
        Doer::Indirect => json!({"kind": "indirect"}),
        Doer::Person => json!({"kind": "person"}),
        Doer::Loop { base, axis } => json!({"kind": "loop", "over": &**base, "axis": axis.as_deref()}),
    }
}

fn counts(calls: &[(CallKind, Count)]) -> Json {
    Json::Object(calls.iter().map(|(kind, c)| (kind.word().replace([' ', '-'], "_"), count(c))).collect())
}

fn count(count: &Count) -> Json {
    let bound = match count.bound {
        Bound::Exact => "exact",
        Bound::AtMost => "at_most",
        Bound::Open => "open",
    };
    json!({"formula": count.formula(), "value": count.value(), "bound": bound})
}

fn calls(calls: &[(CallKind, Count)]) -> String {
    let parts: Vec<String> = calls.iter().map(|(kind, c)| format!("{}: {c}", kind.word())).collect();
    parts.join("; ")
}

fn many(kind: CallKind) -> &'static str {
    match kind {
        CallKind::Model => "calls of a model",
        CallKind::Person => "questions to a person",
        CallKind::Script => "scripts run",
        CallKind::Builtin => "built-ins called",
        CallKind::Command => "commands run",
        CallKind::Read => "files read",
        CallKind::Write => "files written",
        CallKind::Tool => "calls of other tools",
    }
}

/// A prompt on one line, cut where it is long.
fn shortened(text: &str) -> String {
    const MOST: usize = 48;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= MOST {
        return line;
    }
    line.chars().take(MOST).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::run::ItemId;
    use crate::run::dryrun::Size;

    #[test]
    fn lines_and_objects() {
        let sections = Count::product([Size::of("[sections]", Some(3))]);
        let step = DryStep {
            item: ItemId(0),
            flow: "1.2".to_owned(),
            concept: Arc::from("{finding}"),
            by: Doer::Paradigm {
                name: Arc::from("generate-text"),
                is_builtin: true,
                is_missing: false,
                with: Some(Arc::from("prompts/look.md")),
            },
            model: Some(Arc::from("small")),
            runs: sections.clone().bounded(Bound::AtMost),
            calls: vec![(CallKind::Model, Count::number(1))],
            all: vec![(CallKind::Model, sections.clone())],
            condition: Some(Arc::from("<it matters>")),
            retries: None,
        };
        let run = DryRun {
            steps: vec![step],
            totals: vec![(CallKind::Model, sections)],
            notes: vec!["more is known later".to_owned()],
        };
        let text = dry_run_text(&run);
        for part in [
            "generate-text with prompts/look.md, model small",
            "at most |[sections]| = 3 (if <it matters>)",
            "model: 1",
            "in all: calls of a model: |[sections]| = 3",
            "note: more is known later",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        let json = dry_run_json(&run);
        assert_eq!(json["totals"]["model"]["value"], 3);
        assert_eq!(
            json["steps"][0]["runs"],
            json!({"formula": "|[sections]|", "value": 3, "bound": "at_most"})
        );
        assert_eq!(json["steps"][0]["by"]["name"], "generate-text");
    }
}
