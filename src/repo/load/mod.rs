//! Repositories into a [`Model`]: every check of the format in one pass, and the defaults (repositories spec,
//! sections 1 to 4 and 10).

mod concepts;
mod inferences;
mod problems;
mod semantic;
mod whole;
mod work;

use rustc_hash::FxHashMap;

use crate::base::FlowIndex;
use crate::diag::Diagnostic;

use super::bundle::{self, Repositories, each_entry};
use super::entry::{ConceptEntry, InferenceEntry};
use super::model::Model;
use problems::{Names, Problems};

pub(super) use concepts::{axes_problem, bare_name, wrapped};

/// A plan that passed all checks.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The plan.
    pub model: Model,
    /// What is worth a look.
    pub warnings: Vec<Diagnostic>,
}

/// Checks repositories and makes the model a run is built from.
///
/// # Errors
/// All problems found, warnings among them, when at least one is an error (`NC101` to `NC108`).
pub fn load(repositories: &Repositories) -> Result<Loaded, Vec<Diagnostic>> {
    let mut loader = Loader::default();
    repositories.concepts.iter().for_each(|entry| loader.concept(entry));
    repositories.inferences.iter().for_each(|entry| loader.inference(entry));
    loader.finish()
}

/// [`load`] of the two-file form. Entries are checked as they are read and then dropped: it takes a fraction of the
/// memory of [`Repositories::from_two_files`], for whoever wants only the model.
///
/// # Errors
/// Those of [`Repositories::from_two_files`] (`NC100`), else those of [`load`].
pub fn load_two_files(concepts: &str, inferences: &str) -> Result<Loaded, Vec<Diagnostic>> {
    let mut loader = Loader::default();
    let first = each_entry(concepts, bundle::CONCEPTS, |entry| loader.concept(&entry));
    let second = each_entry(inferences, bundle::INFERENCES, |entry| {
        if first.is_ok() {
            loader.inference(&entry);
        }
    });
    match (first, second) {
        (Ok(()), Ok(())) => loader.finish(),
        (first, second) => Err([first.err(), second.err()].into_iter().flatten().map(|d| *d).collect()),
    }
}

/// Takes entries in, first all concepts, then all inferences.
#[derive(Default)]
struct Loader {
    problems: Problems,
    names: Names,
    model: Model,
    concept_entries: usize,
    inference_entries: usize,
    taken: FxHashMap<FlowIndex, usize>,
}

impl Loader {
    fn concept(&mut self, entry: &ConceptEntry) {
        let read = concepts::read(self.concept_entries, entry, &mut self.names, &mut self.problems);
        self.model.concepts.extend(read);
        self.concept_entries += 1;
    }

    fn inference(&mut self, entry: &InferenceEntry) {
        let Self { problems, names, taken, .. } = self;
        self.model.inferences.extend(inferences::read(self.inference_entries, entry, taken, names, problems));
        self.inference_entries += 1;
    }

    fn finish(self) -> Result<Loaded, Vec<Diagnostic>> {
        let Self { mut problems, mut model, .. } = self;
        model.inferences.sort_by(|a, b| a.flow.cmp(&b.flow));
        whole::check(&model, &mut problems);
        if problems.found.iter().any(Diagnostic::is_error) {
            Err(problems.found)
        } else {
            Ok(Loaded { model, warnings: problems.found })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_entry_by_entry_finds_what_reading_all_finds() {
        let concept =
            r#"[{"concept_name": "{a}", "type": "{}", "reference_data": [1], "is_final_concept": true}]"#;
        let step = r#"[{"inference_sequence": "simple", "concept_to_infer": "{a}", "flow_info": {"flow_index": "1"}}]"#;
        for (concepts, inferences) in [
            (concept, step),
            (concept, "[]"),
            ("[]", step),
            (r#"[{"type": "{}"}, {"concept_name": "{a}", "type": "?"}]"#, step),
            ("[1, {}]", step),
            ("{}", "[1,]"),
            ("[{}", "7"),
        ] {
            let whole = Repositories::from_two_files(concepts, inferences).and_then(|r| load(&r));
            let by_entry = load_two_files(concepts, inferences);
            assert_eq!(format!("{by_entry:?}"), format!("{whole:?}"), "{concepts} {inferences}");
        }
    }
}
