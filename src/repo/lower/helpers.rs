//! The values made from resources of functional lines: `nominalized_action_K`, `prompt_location_K` (repositories
//! spec, section 7.6).

use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::{FlowIndex, Sign};
use crate::plan::{Inference, Plan, Semantic, Work};

use super::Generation;

/// A helper concept.
#[derive(Debug, Clone)]
pub(super) struct Helper {
    pub(super) name: String,
    /// Its data, a sign.
    pub(super) sign: String,
    /// The first functional line that names its resource.
    pub(super) first: FlowIndex,
}

/// All helpers of a plan.
#[derive(Debug, Default)]
pub(super) struct Helpers {
    pub(super) list: Vec<Helper>,
    by_sign: FxHashMap<String, usize>,
    generation: u32,
}

impl Helpers {
    /// One path is one helper; another one with the same stem gets a number, in document order.
    pub(super) fn of(plan: &Plan, generation: Generation) -> Self {
        let mut helpers = Self { generation: generation.number(), ..Self::default() };
        let mut taken: FxHashSet<String> = FxHashSet::default();
        let mut inferences: Vec<&Inference> = plan.inferences.iter().collect();
        inferences.sort_by_key(|i| i.function_span.start);
        for inference in inferences {
            let Work::Semantic(semantic) = &inference.work else { continue };
            for (prefix, sign, stem) in signs(semantic, helpers.generation).into_iter().flatten() {
                if helpers.by_sign.contains_key(&sign) {
                    continue;
                }
                let wanted = format!("{prefix}_{stem}");
                let mut name = wanted.clone();
                let mut number = 1;
                while !taken.insert(name.clone()) {
                    number += 1;
                    name = format!("{wanted}_{number}");
                }
                helpers.by_sign.insert(sign.clone(), helpers.list.len());
                helpers.list.push(Helper { name, sign, first: inference.flow.child(1) });
            }
        }
        helpers
    }

    /// The helper values of a step, action before prompt.
    pub(super) fn of_step(&self, semantic: &Semantic) -> Vec<&str> {
        let signs = signs(semantic, self.generation).into_iter().flatten();
        signs
            .filter_map(|(_, sign, _)| self.list.get(*self.by_sign.get(&sign)?))
            .map(|h| h.name.as_str())
            .collect()
    }
}

/// Prefix, sign and stem of the action and the prompt. A step whose paradigm follows from its prompt has the prompt in
/// its function, not as a value.
fn signs(semantic: &Semantic, generation: u32) -> [Option<(&'static str, String, String)>; 2] {
    let resources = &semantic.resources;
    let sign = |norm: &str, payload: &str| Sign::new(Some(norm), payload).ok().map(|s| s.to_string());
    let action = match (&resources.script, &resources.builtin) {
        (Some((path, _)), _) => {
            sign("script_location", path).map(|s| ("nominalized_action", s, super::stem(path).to_owned()))
        }
        (None, Some((name, _))) => {
            sign("builtin", name).map(|s| ("nominalized_action", s, name.as_ref().to_owned()))
        }
        (None, None) => None,
    };
    let as_value = semantic.default_paradigm(generation).is_none();
    let prompt = resources.prompt.as_ref().filter(|_| as_value).and_then(|(path, _)| {
        sign("prompt_location", path).map(|s| ("prompt_location", s, super::stem(path).to_owned()))
    });
    [action, prompt]
}
