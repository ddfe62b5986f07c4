//! The inputs file and `--set NAME=JSON`: start data for concepts (repositories spec, section 5). Knows nothing of
//! where the text comes from.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde_json::{Map as JsonMap, Value as Json};

use crate::diag::{Code, Diagnostic, Severity};

use super::bundle::kind;
use super::json;
use super::load::{axes_problem, bare_name, wrapped};
use super::model::{Concept, ConceptId, Model, Work};
use super::names::canonical_name;
use crate::base::{listed, nearest};

/// How many `=` of a `--set` argument are tried as the end of the name.
const SPLITS: usize = 64;

/// Start data by the names given, in order; the last of equal names counts.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    entries: Vec<Input>,
}

#[derive(Debug, Clone)]
struct Input {
    name: String,
    data: Json,
    /// The data were written as one value, not as a list.
    single: bool,
    axes: Option<Vec<Arc<str>>>,
}

impl Inputs {
    /// Adds an inputs file.
    ///
    /// # Errors
    /// All problems of its form (`NC111`); entries without one are added nevertheless.
    pub fn add_file(&mut self, text: &str) -> Result<(), Vec<Diagnostic>> {
        let map = match json::read(text) {
            Ok(Json::Object(map)) => map,
            Ok(other) => {
                let message =
                    format!("the inputs must be an object of names and values, not {}", kind(&other));
                return Err(vec![
                    Diagnostic::new(Code::NC111, message)
                        .help("write {\"{name}\": {\"data\": [..], \"axes\": [..]}}"),
                ]);
            }
            Err(error) => {
                return Err(vec![Diagnostic::new(Code::NC111, format!("the inputs are not JSON: {error}"))]);
            }
        };
        self.add_entries(map)
    }

    /// Adds the entries of an inputs file.
    ///
    /// # Errors
    /// All problems of their form (`NC111`); entries without one are added nevertheless.
    pub fn add_entries(&mut self, entries: JsonMap<String, Json>) -> Result<(), Vec<Diagnostic>> {
        let mut problems = Vec::new();
        for (name, value) in entries.into_iter().filter(|(name, _)| !name.starts_with('_')) {
            match input(name, value) {
                Ok(input) => self.entries.push(input),
                Err(problem) => problems.push(*problem),
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// Adds the argument of `--set NAME=JSON`: one entry of an inputs file.
    ///
    /// # Errors
    /// When it has no `=`, or nothing after an `=` is JSON (`NC111`).
    pub fn add_setting(&mut self, argument: &str) -> Result<(), Box<Diagnostic>> {
        let mut first_error = None;
        for (at, _) in argument.match_indices('=').take(SPLITS) {
            let (name, value) =
                (argument.get(..at).unwrap_or_default(), argument.get(at + 1..).unwrap_or_default());
            match json::read(value) {
                Ok(value) => {
                    self.entries.push(input(name.to_owned(), value)?);
                    return Ok(());
                }
                Err(error) => {
                    first_error.get_or_insert((name, value, error));
                }
            }
        }
        let problem = match first_error {
            None => Diagnostic::new(Code::NC111, format!("`{argument}` has no `=` between name and value"))
                .help("write NAME=JSON, like {total}=3"),
            Some((name, value, error)) => {
                let message = format!("the value of `{argument}` is not JSON: {}", error.message);
                let help = if value.trim_start().starts_with(['{', '[', '"']) {
                    "mend the JSON after the `=`".to_owned()
                } else {
                    format!("a text needs quotes: '{name}={}'", Json::String(value.to_owned()))
                };
                Diagnostic::new(Code::NC111, message).help(help)
            }
        };
        Err(Box::new(problem))
    }

    /// What is given, by the names of the concepts, as an inputs file would say it; from a model it was applied to.
    pub fn settled(&self, model: &Model) -> JsonMap<String, Json> {
        let index = Index::of(model);
        let concepts = self.entries.iter().filter_map(|input| index.find(&input.name, model).ok());
        concepts.filter_map(|id| model.concepts.get(id)).filter_map(Concept::as_input).collect()
    }

    /// Returns whether nothing is given.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Puts the data into the model. Texts of the form of a sign are signs here, as in the repositories.
    ///
    /// # Errors
    /// Names the plan does not have, axes that do not fit the data (`NC111`). Warnings come along, and alone when
    /// all is well.
    pub fn apply(&self, model: &mut Model) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
        let index = Index::of(model);
        let mut problems = Vec::new();
        for input in &self.entries {
            match index.find(&input.name, model) {
                Ok(id) => problems.extend(put(input, id, &index, model)),
                Err(problem) => problems.push(*problem),
            }
        }
        if problems.iter().any(Diagnostic::is_error) { Err(problems) } else { Ok(problems) }
    }
}

/// The concept a name means as the inputs of a run mean it: in canonical form (language spec, section 8), a carried
/// value without its loop number, and without brackets where only one concept has the name.
///
/// # Errors
/// When no concept or several have the name (`NC111`), with the one that is nearly it.
pub fn find_concept(model: &Model, written: &str) -> Result<ConceptId, Box<Diagnostic>> {
    Index::of(model).find(written, model).map(|id| ConceptId(id as u32))
}

impl Concept {
    /// Its data as an entry of an inputs file, with its name; none when it has none.
    pub fn as_input(&self) -> Option<(String, Json)> {
        let data = self.data.clone()?;
        let mut entry = JsonMap::new();
        entry.insert("data".to_owned(), data);
        if let Some(axes) = &self.axes {
            entry.insert("axes".to_owned(), axes.iter().map(|a| Json::from(&**a)).collect());
        }
        Some((self.name.to_string(), Json::Object(entry)))
    }
}

fn put(input: &Input, id: usize, index: &Index, model: &mut Model) -> Option<Diagnostic> {
    let concept = model.concepts.get_mut(id)?;
    // A single value has no plurality, so it gets no numbered axis that could meet another one's.
    let single = input.single.then(|| vec![Arc::from("_none_axis")]);
    let axes = input.axes.clone().or_else(|| concept.axes.clone()).or(single);
    if let Some(problem) = axes_problem(axes.as_deref(), Some(&input.data)) {
        let message = format!("input `{}`: {problem}", input.name);
        let help = match (&input.axes, &axes) {
            (None, Some(declared)) => {
                format!(
                    "the plan declares the axes {}; give data of as many levels, or \"axes\" with it",
                    listed(declared)
                )
            }
            _ => "give one axis name a level of lists, outermost first".to_owned(),
        };
        return Some(Diagnostic::new(Code::NC111, message).help(help));
    }
    concept.data = Some(input.data.clone());
    concept.axes = axes;
    (!concept.ground && index.computed.get(id) == Some(&true)).then(|| {
        let message =
            format!("`{}` is computed by the plan, the input is only its first value", concept.name);
        Diagnostic::new(Code::NC111, message).severity(Severity::Warning)
    })
}

fn input(name: String, value: Json) -> Result<Input, Box<Diagnostic>> {
    let (data, axes) = match value {
        Json::Object(mut map) if map.contains_key("data") => {
            let data = map.shift_remove("data").unwrap_or_default();
            let axes = map.shift_remove("axes");
            let axes = axes.map(|axes| axis_names(&name, axes)).transpose()?.flatten();
            unknown_keys(&name, &map)?;
            (data, axes)
        }
        bare => (bare, None),
    };
    let single = !data.is_array();
    Ok(Input { name, data: wrapped(&data), single, axes })
}

fn unknown_keys(name: &str, rest: &JsonMap<String, Json>) -> Result<(), Box<Diagnostic>> {
    match rest.keys().find(|k| !k.starts_with('_')) {
        None => Ok(()),
        Some(key) => {
            let message = format!("input `{name}` has `{key}` beside `data`");
            Err(Box::new(
                Diagnostic::new(Code::NC111, message)
                    .help("known are `data` and `axes`; remarks begin with `_`"),
            ))
        }
    }
}

fn axis_names(name: &str, axes: Json) -> Result<Option<Vec<Arc<str>>>, Box<Diagnostic>> {
    let read = match &axes {
        Json::Null => return Ok(None),
        Json::Array(items) => {
            items.iter().map(|a| a.as_str().map(Arc::from)).collect::<Option<Vec<Arc<str>>>>()
        }
        _ => None,
    };
    match read {
        Some(names) => Ok(Some(names)),
        None => {
            let message = format!("the axes of input `{name}` must be a list of texts, not {}", kind(&axes));
            Err(Box::new(Diagnostic::new(Code::NC111, message)))
        }
    }
}

/// The concepts of a model by the names a user may write.
struct Index {
    by_name: FxHashMap<Arc<str>, usize>,
    /// By name without brackets; none when several have it.
    by_bare: FxHashMap<Arc<str>, Option<usize>>,
    /// Carried concepts by their name without the loop number; none when several have it.
    by_carry: FxHashMap<String, Option<usize>>,
    computed: Vec<bool>,
}

impl Index {
    fn of(model: &Model) -> Self {
        let mut index = Self {
            by_name: FxHashMap::default(),
            by_bare: FxHashMap::default(),
            by_carry: FxHashMap::default(),
            computed: vec![false; model.concepts.len()],
        };
        for (id, concept) in model.concepts.iter().enumerate().filter(|(_, c)| c.kind.is_value()) {
            index.by_name.insert(concept.name.clone(), id);
            if bare_name(&concept.name) != &*concept.name && !concept.name.ends_with('?') {
                let bare = Arc::from(unbracketed(&concept.name));
                index.by_bare.entry(bare).and_modify(|e| *e = None).or_insert(Some(id));
            }
        }
        for (id, concept) in model.concepts.iter().enumerate().filter(|(_, c)| !c.kind.is_value()) {
            index.by_name.entry(concept.name.clone()).or_insert(id);
        }
        for inference in &model.inferences {
            if let Some(mark) = index.computed.get_mut(inference.target.0 as usize) {
                *mark = true;
            }
            let Work::Looping(looping) = &inference.work else { continue };
            for carried in &looping.carried {
                let id = carried.concept.0 as usize;
                let Some(name) = model.concepts.get(id).map(|c: &Concept| without_version(&c.name)) else {
                    continue;
                };
                index
                    .by_carry
                    .entry(name)
                    .and_modify(|e| *e = e.filter(|known| *known == id))
                    .or_insert(Some(id));
            }
        }
        index
    }

    fn find(&self, written: &str, model: &Model) -> Result<usize, Box<Diagnostic>> {
        let exact = |name: &str| self.by_name.get(name).copied();
        let canonical = canonical_name(written);
        if let Some(id) = exact(written).or_else(|| exact(&canonical.name)) {
            return Ok(id);
        }
        if let Some(id) = canonical.without_identity.as_deref().and_then(exact) {
            return Ok(id);
        }
        if let Some(Some(id)) = self.by_carry.get(&canonical.name) {
            return Ok(*id);
        }
        match self.by_bare.get(canonical.name.as_str()) {
            Some(Some(id)) => return Ok(*id),
            Some(None) => {
                let bare = &canonical.name;
                let message = format!("`{written}` is the name of several concepts");
                let help = format!("write it with its brackets: `{{{bare}}}`, `[{bare}]` or `<{bare}>`");
                return Err(Box::new(Diagnostic::new(Code::NC111, message).help(help)));
            }
            None => {}
        }
        let carried = [format!("{{{}}}", canonical.name), format!("[{}]", canonical.name)];
        if let Some(Some(id)) = carried.iter().find_map(|name| self.by_carry.get(name)) {
            return Ok(*id);
        }
        let values = model.concepts.iter().filter(|c| c.kind.is_value()).map(|c| &*c.name);
        let near = nearest(written, values.clone()).or_else(|| {
            let bare = nearest(bare_name(written), values.clone().map(bare_name))?;
            values.clone().filter(|n| bare_name(n) == bare).min_by_key(|n| n.len())
        });
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "name a concept of the plan, with its brackets".to_owned(),
        };
        Err(Box::new(Diagnostic::new(Code::NC111, format!("the plan has no concept `{written}`")).help(help)))
    }
}

/// `{c}*1` without its brackets: `c*1`; the suffixes stay so that versions are told apart.
fn unbracketed(name: &str) -> String {
    let bare = bare_name(name);
    let close = bare.len() + 2;
    format!("{bare}{}", name.get(close..).unwrap_or_default())
}

/// `{c}` for `{c}*1`.
fn without_version(name: &str) -> String {
    let digits = name.trim_end_matches(|c: char| c.is_ascii_digit());
    match digits.strip_suffix('*') {
        Some(base) if digits.len() < name.len() => base.to_owned(),
        _ => name.to_owned(),
    }
}
