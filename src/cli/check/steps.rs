//! The steps of a plan against its paradigms and agents: what `check` says of them, and what they name outside of the
//! plan: models, paradigms, people, hosts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::Sign;
use crate::diag::{Code, Diagnostic};
use crate::plan::{AskKind, Resource, ResourceKind};
use crate::repo::agents::AgentFile;
use crate::repo::{Inference, InferenceEntry, Method, Semantic, Work};
use crate::report::Places;
use crate::run::graph::{Graph, ItemId};
use crate::run::paradigm::Uses;
use crate::run::paradigm_check::{Asked, Found, check_paradigms, check_writes, needs};

use super::super::agents::paradigm;

/// The configuration of a run beside a plan.
const CONFIG: &str = "normc.toml";

/// A plan with what its steps need.
pub(in super::super) struct Steps<'a> {
    graph: &'a Graph,
    entries: &'a [InferenceEntry],
    places: &'a Places,
    base: PathBuf,
    agents: &'a AgentFile,
}

impl<'a> Steps<'a> {
    pub(in super::super) fn new(
        graph: &'a Graph,
        entries: &'a [InferenceEntry],
        places: &'a Places,
        base: &Path,
        agents: &'a AgentFile,
    ) -> Self {
        let base = if base == Path::new("") { PathBuf::from(".") } else { base.to_path_buf() };
        Self { graph, entries, places, base, agents }
    }

    fn found(&self, inference: &Inference, name: &str) -> Found {
        paradigm(&self.base, &self.agents.resolve(inference, &self.graph.model), name)
    }

    fn uses(&self, inference: &Inference, name: &str) -> Option<Uses> {
        match self.found(inference, name) {
            Found::Paradigm(paradigm) => Some(paradigm.uses()),
            _ => None,
        }
    }

    /// Everything that is wrong with what the steps name.
    pub(in super::super) fn check(&self) -> Vec<Diagnostic> {
        let model = &self.graph.model;
        let faculty = |inference: &Inference| {
            let flow = inference.flow.to_string();
            let entry = self.entries.iter().find(|e| e.flow_index() == flow)?;
            entry.interpretation()?.get("body_faculty")?.as_str().map(str::to_owned)
        };
        let place = |item: ItemId| self.places.functions.get(&item).copied();
        let asked = Asked {
            paradigm: &|inference, name| self.found(inference, name),
            faculty: &faculty,
            place: &place,
        };
        let mut said = check_paradigms(model, &asked);
        said.extend(check_writes(self.graph, &|inference, name| self.uses(inference, name), &place));
        said.extend(self.agents.warnings.iter().cloned());
        said.extend(self.agents.check(model));
        for (number, inference) in (0..).zip(&model.inferences) {
            let Work::Semantic(step) = &inference.work else { continue };
            let wanted = needs(step, &|name| self.uses(inference, name));
            let tools = match &step.method {
                Method::Composition { paradigm } => self.uses(inference, paradigm).unwrap_or_default().tools,
                _ => Vec::new(),
            };
            let tools = tools.into_iter().filter_map(|t| self.agents.lacking_tool(inference, model, t));
            let lacking = self.agents.lacking(inference, model, wanted).into_iter().chain(tools);
            said.extend(lacking.map(|d| match place(ItemId(number)) {
                Some(span) => Diagnostic { help: d.help, ..Diagnostic::at(Code::NC118, span, d.message) },
                None => d,
            }));
        }
        said
    }

    /// What the steps name that is no file of the plan.
    pub(super) fn resources(&self) -> Vec<Resource> {
        let mut found = Vec::new();
        let mut asks = false;
        for (number, inference) in (0..).zip(&self.graph.model.inferences) {
            let Work::Semantic(step) = &inference.work else { continue };
            let span = self.places.functions.get(&ItemId(number)).copied();
            let line = Some(inference.flow.clone());
            let mut put = |kind: ResourceKind, name: Arc<str>| {
                found.push(Resource { kind, name, span, line: line.clone(), needed: false });
            };
            if let Method::Composition { paradigm } = &step.method {
                put(ResourceKind::Paradigm, Arc::clone(paradigm));
            }
            if let Some(question) = self.question(inference, step) {
                put(ResourceKind::Person, question);
            }
            if self.asks_a_model(inference, step) {
                asks = true;
                let agent = self.agents.resolve(inference, &self.graph.model);
                if let Some(model) = step.model.as_ref().or(agent.model.as_ref()) {
                    put(ResourceKind::Model, Arc::clone(model));
                }
            }
        }
        if asks {
            found.extend(self.hosts());
        }
        found
    }

    fn asks_a_model(&self, inference: &Inference, step: &Semantic) -> bool {
        match &step.method {
            Method::Composition { paradigm } => self.uses(inference, paradigm).is_some_and(|u| u.model),
            Method::Plain | Method::Direct | Method::PythonIndirect => true,
            Method::Input | Method::Python => false,
        }
    }

    /// What a person is asked: the question of the plan, or that one is asked at all.
    fn question(&self, inference: &Inference, step: &Semantic) -> Option<Arc<str>> {
        let asks = match &step.method {
            Method::Composition { paradigm } => self.uses(inference, paradigm).is_some_and(|u| u.person),
            Method::Input => true,
            _ => false,
        };
        if !asks {
            return None;
        }
        let data =
            inference.function.and_then(|f| self.graph.model.concepts.get(f.0 as usize)?.data.as_ref());
        let sign = data.and_then(|d| d.get(0)?.as_str()).and_then(Sign::parse);
        let of_person = matches!(&step.method, Method::Composition { paradigm } if AskKind::of_paradigm(paradigm).is_some());
        let text = sign.filter(|_| of_person).map(|s| Arc::clone(s.payload()));
        Some(text.unwrap_or_else(|| Arc::clone(self.graph.concept_name(inference.target))))
    }

    /// The addresses that models are asked at: those of the agents file, and of the configuration beside the plan.
    fn hosts(&self) -> Vec<Resource> {
        let text = std::fs::read_to_string(self.base.join(CONFIG)).unwrap_or_default();
        let config: toml::Table = text.parse().unwrap_or_default();
        let providers = config.get("providers").and_then(toml::Value::as_table);
        let written = providers.into_iter().flatten();
        let written = written.filter_map(|(_, p)| p.get("base_url")?.as_str().map(Arc::<str>::from));
        let brought = self.agents.providers.iter().filter_map(|p| p.base_url.clone());
        let host = |url: Arc<str>| {
            let (_, rest) = url.split_once("://")?;
            let host = rest.split(['/', '?', '#']).next().filter(|h| !h.is_empty())?;
            // What stands before an `@` is no part of the address.
            let host = host.rsplit('@').next().unwrap_or(host);
            Some(Resource {
                kind: ResourceKind::Host,
                name: Arc::from(host),
                span: None,
                line: None,
                needed: false,
            })
        };
        written.chain(brought).filter_map(host).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::paradigm::Paradigm;

    #[test]
    fn built_ins_that_ask_are_known() {
        for kind in AskKind::ALL {
            let paradigm = Paradigm::builtin(kind.paradigm());
            assert!(paradigm.is_some_and(|p| p.uses().person), "{}", kind.paradigm());
        }
        for name in ["generate-text", "generate-json", "judge"] {
            assert!(Paradigm::builtin(name).is_some_and(|p| p.uses().model), "{name}");
        }
        for name in ["run-command", "run-command-json"] {
            assert!(Paradigm::builtin(name).is_some_and(|p| p.uses().commands), "{name}");
        }
    }
}
