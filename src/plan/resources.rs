//! What a plan names outside of itself: scripts, prompts, files, commands, hosts (language spec, section 2.5). Knows
//! nothing of files on disk.

use std::sync::Arc;

use rustc_hash::FxHashSet;
use serde_json::Value as Json;

use crate::base::{FlowIndex, Sign, Span};
use crate::syntax::{Annotation, AnnotationKind, Node, Tree};

use super::model::Plan;

/// What kind of thing a plan names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceKind {
    /// A Python script.
    Script,
    /// A prompt text.
    Prompt,
    /// A file with data.
    File,
    /// A program.
    Command,
    /// A machine, by its address.
    Host,
    /// A language model, by its name.
    Model,
    /// A paradigm.
    Paradigm,
    /// A person, by the question asked.
    Person,
}

impl ResourceKind {
    /// The word shown to people and machines.
    pub fn word(self) -> &'static str {
        match self {
            Self::Script => "script",
            Self::Prompt => "prompt",
            Self::File => "file",
            Self::Command => "command",
            Self::Host => "host",
            Self::Model => "model",
            Self::Paradigm => "paradigm",
            Self::Person => "person",
        }
    }
}

/// Something a plan names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// What it is.
    pub kind: ResourceKind,
    /// Its path, name or address as written.
    pub name: Arc<str>,
    /// Where it is written.
    pub span: Option<Span>,
    /// The line it is written on.
    pub line: Option<FlowIndex>,
    /// A step reads it, so it must be there; else a step may make it.
    pub needed: bool,
}

/// Everything a plan names, in the order of the text, each place for itself.
pub fn resources(tree: &Tree, plan: &Plan) -> Vec<Resource> {
    let mut found = Vec::new();
    for node in &tree.nodes {
        let put = |resource: Resource, annotation: &Annotation| Resource {
            span: Some(annotation.value_span),
            line: Some(node.flow_index.clone()),
            ..resource
        };
        let of_line = node.annotations.iter().filter(|a| a.kind == AnnotationKind::Referential);
        for annotation in of_line {
            // What a step writes to is named where others name their prompt.
            let written = annotation.base_key() == "v_input_provision" && writes(node);
            // A script that is not there is written by a model, where the step has a prompt for it.
            let made =
                annotation.base_key() == "script_location" && node.referential("prompt_location").is_some();
            let written = |r: Resource| match written {
                true => Resource { kind: ResourceKind::File, needed: false, ..r },
                false => Resource { needed: r.needed && !made, ..r },
            };
            found.extend(of_annotation(annotation).into_iter().map(|r| put(written(r), annotation)));
        }
    }
    let mut known: FxHashSet<(ResourceKind, Arc<str>)> =
        found.iter().map(|r: &Resource| (r.kind, r.name.clone())).collect();
    for concept in plan.concepts.iter().filter(|c| c.kind.is_value()) {
        let Some(data) = &concept.data else { continue };
        for resource in signs(data) {
            let line = concept.first_index().cloned();
            if known.insert((resource.kind, resource.name.clone())) {
                found.push(Resource { span: concept.first_span(), line, ..resource });
            }
        }
    }
    found.sort_by_key(|r| r.span.map(|s| s.start));
    found
}

/// The built-in paradigm that writes to what its function names.
pub const WRITE_FILE: &str = "write-file";

fn writes(node: &Node) -> bool {
    ["paradigm", "norm_input"]
        .iter()
        .any(|k| node.referential(k).is_some_and(|a| a.text().trim() == WRITE_FILE))
}

fn of_annotation(annotation: &Annotation) -> Vec<Resource> {
    let text = annotation.text().trim();
    let text = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(text);
    let (kind, needed) = match annotation.base_key() {
        "script_location" => (ResourceKind::Script, true),
        "prompt_location" => (ResourceKind::Prompt, true),
        "v_input_provision" if text.ends_with(".py") => (ResourceKind::Script, true),
        "v_input_provision" => (ResourceKind::Prompt, true),
        "file_location" => (ResourceKind::File, true),
        "schema" if text.starts_with('{') => return Vec::new(),
        "schema" => (ResourceKind::File, true),
        "command" | "command_location" => {
            // The program is the first word of the command.
            let program = program(text);
            return program.map(|p| bare(ResourceKind::Command, p, false)).into_iter().collect();
        }
        // Where results go, or where an earlier program put something.
        "location_string" => {
            let names = text.split(',').map(str::trim).filter(|n| !n.is_empty());
            return names.map(|n| bare(ResourceKind::File, n, false)).collect();
        }
        "literal" if annotation.type_hint() == Some("file_path") => (ResourceKind::File, false),
        _ => return Vec::new(),
    };
    if text.is_empty() || text.starts_with('(') {
        return Vec::new();
    }
    vec![bare(kind, text, needed)]
}

/// The program of a command: its first word.
fn program(text: &str) -> Option<&str> {
    let program = text.trim_start_matches(['[', '"', ' ']).split([' ', '"', ',', ']']).next();
    program.filter(|p| !p.is_empty())
}

/// The resources that the signs in data name.
pub fn signs(data: &Json) -> Vec<Resource> {
    let mut found = Vec::new();
    let mut open = vec![data];
    while let Some(next) = open.pop() {
        match next {
            Json::Array(items) => open.extend(items.iter().rev()),
            Json::Object(map) => open.extend(map.values()),
            Json::String(text) => {
                let Some(sign) = Sign::parse(text) else { continue };
                let kind = match sign.norm() {
                    Some("script_location") => ResourceKind::Script,
                    Some("prompt_location" | "prompt_template") => ResourceKind::Prompt,
                    // What is no file name is the prompt itself.
                    Some("prompt") if !sign.payload().contains(['$', '\n', ' ']) => ResourceKind::Prompt,
                    Some("command_location") => {
                        found.extend(program(sign.payload()).map(|p| bare(ResourceKind::Command, p, false)));
                        continue;
                    }
                    Some("file_location") => ResourceKind::File,
                    _ => continue,
                };
                if !sign.payload().trim().is_empty() {
                    found.push(bare(kind, sign.payload().trim(), true));
                }
            }
            _ => {}
        }
    }
    found
}

/// A resource without a place; what is an address of a machine is a host, whatever it was named as.
fn bare(kind: ResourceKind, name: &str, needed: bool) -> Resource {
    let host = name.split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#']).next());
    match host.filter(|h| !h.is_empty()) {
        Some(host) => Resource {
            kind: ResourceKind::Host,
            name: Arc::from(host),
            span: None,
            line: None,
            needed: false,
        },
        None => Resource { kind, name: Arc::from(name), span: None, line: None, needed },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::FileId;
    use crate::{plan, syntax};

    #[test]
    fn everything_a_plan_names() {
        let text = "{a}\n    <= ::(do {1})\n        | %{script_location}: scripts/a.py\n        | \
                    %{prompt_location}: p/数.md\n    <- {b}<:{1}>\n        | %{file_location}: data/b.json\n    <- \
                    {c} | ref. [%{file_location}x(c.json), \"no sign\"]\n    <- {d} | \
                    %{literal<$% file_path>}: (runtime provided)\n    <- {e}\n        | %{file_location}: \
                    https://example.org/e.json\n    <- {f} | %{location_string}: f.md, g.md\n";
        let (tree, _) = syntax::parse(FileId(0), text, None);
        let (plan, _) = plan::resolve(&tree);
        let shown: Vec<String> = resources(&tree, &plan)
            .iter()
            .map(|r| format!("{} {} {}", r.kind.word(), r.name, r.needed))
            .collect();
        assert_eq!(
            shown,
            [
                "script scripts/a.py false",
                "prompt p/数.md true",
                "file data/b.json true",
                "file c.json true",
                "host example.org false",
                "file f.md false",
                "file g.md false",
            ]
        );
    }
}
