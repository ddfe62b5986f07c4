//! Which agent does a step: the one its line names, else the first mapping that fits, else the default one.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::base::{listed, nearest};
use crate::diag::{Code, Diagnostic};
use crate::repo::model::{Inference, Model, Work};

use super::file::{Agent, AgentFile, InputMode, MatchType, Needs};

impl AgentFile {
    /// The agent of an id.
    pub fn agent(&self, id: &str) -> Option<&Arc<Agent>> {
        self.agents.iter().find(|a| &*a.id == id)
    }

    /// The agent that does a step. A step that names an agent the file does not have is reported by
    /// [`AgentFile::check`] and done by the default one.
    pub fn resolve(&self, inference: &Inference, model: &Model) -> Arc<Agent> {
        let named = named(inference).and_then(|id| self.agent(id));
        let mapped = || {
            let fits = self.mappings.iter().find(|m| {
                let (pattern, texts) = (&m.pattern, texts(m.by, inference, model));
                texts.iter().any(|t| pattern.is_match(t))
            })?;
            self.agent(&fits.agent)
        };
        let default = || self.default_agent.as_deref().and_then(|id| self.agent(id));
        // A file with one agent and no word of who does what means that one.
        let only = || match self.agents.as_slice() {
            [only] if self.mappings.is_empty() => Some(only),
            _ => None,
        };
        named.or_else(mapped).or_else(default).or_else(only).map_or_else(Default::default, Arc::clone)
    }

    /// Steps that name an agent the file does not have (NC116).
    pub fn check(&self, model: &Model) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        for inference in &model.inferences {
            let Some(id) = named(inference).filter(|id| self.agent(id).is_none()) else { continue };
            let message = format!(
                "step {} is given to the agent `{id}`, which {} does not have",
                inference.flow,
                self.shown()
            );
            let ids: Vec<&str> = self.agents.iter().map(|a| &*a.id).collect();
            let help = match nearest(id, ids.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if ids.is_empty() => "add it to `agents`, or give the file with --agents".to_owned(),
                None => format!("it has {}", listed(ids)),
            };
            found.push(Diagnostic::new(Code::NC116, message).help(help));
        }
        found
    }

    /// Says so when the agent of a step lacks a tool that the step needs (NC118).
    pub fn lacking(&self, inference: &Inference, model: &Model, needs: Needs) -> Option<Diagnostic> {
        let agent = self.resolve(inference, model);
        let lacks = agent.lacks(needs);
        if lacks.is_empty() {
            return None;
        }
        let tools = lacks.iter().map(|t| format!("`{t}`")).collect::<Vec<_>>().join(" and ");
        let name = model.concepts.get(inference.target.0 as usize).map_or("", |c| &c.name);
        let message = format!(
            "step {} of `{name}` needs {tools}, switched off for its agent `{}`",
            inference.flow, agent.id
        );
        let switch = match agent.user_input.enabled && lacks == ["user_input"] {
            true => "set \"mode\" of `user_input` to \"blocking\" or \"async\"",
            false => "set \"enabled\": true",
        };
        let help =
            format!("{switch} in {}, or give the step to another agent with `%{{agent}}: ID`", self.shown());
        Some(Diagnostic::new(Code::NC118, message).help(help))
    }

    /// Says so when a step uses a tool of another kind and its agent has no program for it (NC118).
    pub fn lacking_tool(&self, inference: &Inference, model: &Model, tool: &str) -> Option<Diagnostic> {
        let agent = self.resolve(inference, model);
        if agent.tool(tool).is_some() {
            return None;
        }
        let name = model.concepts.get(inference.target.0 as usize).map_or("", |c| &c.name);
        let (flow, id) = (&inference.flow, &agent.id);
        let place = format!("`tools.custom.{tool}`");
        let (why, help) = match agent.custom.iter().find(|known| &*known.name == tool) {
            Some(known) if !known.enabled => {
                (format!("{place} is switched off for its agent `{id}`"), "set \"enabled\": true there")
            }
            Some(_) => (
                format!("{place} of its agent `{id}` names no program for it"),
                "write \"settings\": {\"command\": [\"program\", \"{method}\"]} there",
            ),
            None => (
                format!("its agent `{id}` has no {place}"),
                "name a program for it there: {\"settings\": {\"command\": [\"program\", \"{method}\"]}}",
            ),
        };
        let message =
            format!("step {flow} of `{name}` uses the tool `{tool}`, and {why} in {}", self.shown());
        Some(Diagnostic::new(Code::NC118, message).help(help))
    }

    /// The folders that agents have for their files, each once.
    pub fn folders(&self) -> Vec<Arc<str>> {
        let mut folders: Vec<Arc<str>> = Vec::new();
        for folder in self.agents.iter().filter_map(|agent| agent.file_system.base_dir.as_ref()) {
            if !folders.contains(folder) {
                folders.push(Arc::clone(folder));
            }
        }
        folders
    }

    /// The flow indices of steps whose questions are not put at the terminal, since their agent asks `async`.
    pub fn asks_elsewhere(&self, model: &Model) -> BTreeSet<String> {
        let elsewhere = |i: &&Inference| self.resolve(i, model).user_input.mode == InputMode::Async;
        model.inferences.iter().filter(elsewhere).map(|i| i.flow.to_string()).collect()
    }

    /// How messages call the file.
    pub fn shown(&self) -> &str {
        if self.name.is_empty() { "the agents file" } else { &self.name }
    }
}

fn named(inference: &Inference) -> Option<&str> {
    match &inference.work {
        Work::Semantic(step) => step.agent.as_deref(),
        _ => None,
    }
}

/// What a pattern is matched with; a concept has its name with brackets and without.
fn texts(by: MatchType, inference: &Inference, model: &Model) -> Vec<String> {
    match by {
        MatchType::FlowIndex => vec![inference.flow.to_string()],
        MatchType::SequenceType => vec![inference.sequence.to_string()],
        MatchType::ConceptName => {
            let name = model.concepts.get(inference.target.0 as usize).map_or("", |c| &c.name);
            let bare = name.get(1..).filter(|_| name.starts_with(['{', '[', '<']));
            std::iter::once(name).chain(bare).map(str::to_owned).collect()
        }
    }
}
