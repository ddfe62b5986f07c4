//! A plan as it is given to a run that is written down, and what of the world around it counts as a part of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map as JsonMap, Value as Json};

use crate::base::Digest;
use crate::faculty::files::Root;
use crate::repo::Model;
use crate::run::record::Setting;
use crate::run::stale::{Version, files_named, paradigms_named};
use crate::run::{BadData, Graph, initial_values};
use crate::tensor::Tensor;

/// A plan with its start data, ready to be run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The graph.
    pub graph: Arc<Graph>,
    /// The value of every concept before the first step.
    pub data: Vec<Option<Tensor>>,
    /// The text the run keeps of it (see [`crate::repo::read_document`]).
    pub document: Arc<str>,
    /// Its name.
    pub name: String,
    /// The file it came from, as the user named it.
    pub source: String,
    /// Where its scripts and files stand, absolute.
    pub base: PathBuf,
    /// The folder of the paradigms it brings itself, below its base directory.
    pub paradigms: Option<String>,
    /// Folders that agents have for their files, below its base directory or absolute.
    pub folders: Vec<Arc<str>>,
    /// Start data that are not the document's own, as an inputs file would say them.
    pub inputs: Arc<JsonMap<String, Json>>,
}

impl Plan {
    /// A plan from its model, start data applied.
    ///
    /// # Errors
    /// Data that contradict their axes.
    pub fn new(
        model: Model,
        document: Arc<str>,
        inputs: JsonMap<String, Json>,
        name: &str,
        source: &str,
        base: &Path,
    ) -> Result<Self, Vec<BadData>> {
        let data = initial_values(&model)?;
        let base = std::path::absolute(base).unwrap_or_else(|_| base.to_path_buf());
        // The way to a folder may be written in many ways; runs of one plan are told by it.
        let base = base.canonicalize().unwrap_or(base);
        Ok(Self {
            graph: Arc::new(Graph::new(Arc::new(model))),
            data,
            document,
            name: name.to_owned(),
            source: source.to_owned(),
            base,
            paradigms: None,
            folders: Vec::new(),
            inputs: Arc::new(inputs),
        })
    }

    /// The plan with the folder of its own paradigms.
    #[must_use]
    pub fn with_paradigms(self, folder: Option<String>) -> Self {
        Self { paradigms: folder, ..self }
    }

    /// The plan with the folders that agents have for their files.
    #[must_use]
    pub fn with_folders(self, folders: Vec<Arc<str>>) -> Self {
        Self { folders, ..self }
    }

    /// Where a file that steps name may stand.
    pub fn places(&self) -> impl Iterator<Item = PathBuf> {
        std::iter::once(self.base.clone()).chain(self.folders.iter().map(|folder| self.base.join(&**folder)))
    }

    /// The hash of the document.
    pub fn digest(&self) -> Digest {
        Digest::of(self.document.as_bytes())
    }

    /// What it is run with: start data from outside, and the files it names as they are now.
    pub fn setting(&self) -> Setting {
        let root = Root::open(&self.base).ok();
        let hash = |path: &str| root.as_ref()?.read(path).ok().map(|bytes| Digest::of(&bytes).to_string());
        // A name may stand for a file in each of several folders; any of them that changes is a change.
        let roots: Vec<Root> = self.places().filter_map(|place| Root::open(place).ok()).collect();
        let hash_of_all = |path: &str| {
            let mut found = roots.iter().filter_map(|root| root.read(path).ok());
            let first = Digest::of(&found.next()?);
            let all = found
                .fold(first, |all, bytes| Digest::of(format!("{all} {}", Digest::of(&bytes)).as_bytes()));
            Some(all.to_string())
        };
        let files: BTreeMap<String, Option<String>> =
            files_named(&self.data).into_iter().map(|path| (path.to_string(), hash_of_all(&path))).collect();
        let paradigm = |name: &Arc<str>| {
            let path = paradigm_path(self.paradigms.as_deref(), name)?;
            Some((name.to_string(), hash(&path)?))
        };
        let paradigms = paradigms_named(&self.graph).iter().filter_map(paradigm).collect();
        Setting { inputs: Arc::clone(&self.inputs), files, paradigms, moved: None }
    }

    /// The plan with a setting, for a comparison.
    pub fn version<'a>(&'a self, setting: &'a Setting) -> Version<'a> {
        Version { graph: &self.graph, data: &self.data, setting }
    }
}

/// Where the file of a paradigm stands, if the plan brings it itself. A name never leads out of the folder.
pub(super) fn paradigm_path(folder: Option<&str>, name: &str) -> Option<String> {
    let plain = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
    let folder = folder.filter(|_| plain)?;
    Some(format!("{}/{name}.json", folder.trim_end_matches('/')))
}
