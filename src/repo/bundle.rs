//! `plan.json` and the two-file form: reading, writing, digests. Entries are carried through untouched; whether
//! they make a plan is decided on loading (repositories spec, section 9).

use indexmap::IndexMap;
use serde_json::{Map as JsonMap, Value as Json};

use crate::diag::{Code, Diagnostic};

use super::entry::{ConceptEntry, InferenceEntry};
use super::header::{
    Generator, InferenceSpans, Place, PlanInfo, Remark, RequiredInput, SourceFileInfo, SourceInfo, Spans,
    Unknown,
};
use super::json;

/// The bundle version this program reads and writes.
pub const BUNDLE_VERSION: u64 = 1;

/// How the files of the two-file form are called in messages.
pub(super) const CONCEPTS: &str = "the concept repository";
/// See [`CONCEPTS`].
pub(super) const INFERENCES: &str = "the inference repository";

/// A plan as repositories: what `plan.json` holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Repositories {
    /// Who wrote it.
    pub generator: Generator,
    /// The plan as a whole.
    pub plan: PlanInfo,
    /// Its sources; none for imported repositories.
    pub source: Option<SourceInfo>,
    /// What must be given before a run.
    pub required_inputs: Vec<RequiredInput>,
    /// The concept repository.
    pub concepts: Vec<ConceptEntry>,
    /// The inference repository.
    pub inferences: Vec<InferenceEntry>,
    /// Where the parts stand.
    pub spans: Spans,
    /// Diagnostics of the compilation.
    pub diagnostics: Vec<Remark>,
    /// Room for other programs.
    pub extra: JsonMap<String, Json>,
    /// Digests of other arrays than the two, by their key.
    pub other_digests: Unknown,
    /// Unknown keys of the bundle itself.
    pub unknown: Unknown,
}

/// The two repositories of the two-file form, as printed text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TwoFiles {
    /// The text of `*.concept.json`.
    pub concepts: String,
    /// The text of `*.inference.json`.
    pub inferences: String,
}

impl Repositories {
    /// Reads `plan.json`.
    ///
    /// # Errors
    /// One diagnostic: the text is no JSON object of this form (`NC100`), of a newer version (`NC109`), or an array
    /// was changed after it was written (`NC110`).
    pub fn read(text: &str) -> Result<Self, Box<Diagnostic>> {
        let mut map = object(json::read(text).map_err(|e| not_json("the bundle", &e))?, "the bundle")?;
        check_version(map.shift_remove("normc_bundle"))?;
        let mut digests = Reader::of(map.shift_remove("digests"), "digests")?;
        let written = [digests.optional_text("concepts")?, digests.optional_text("inferences")?];
        let read = Self {
            generator: generator(map.shift_remove("generator"))?,
            plan: plan_info(map.shift_remove("plan"))?,
            source: source_info(map.shift_remove("source"))?,
            required_inputs: list(map.shift_remove("required_inputs"), "required_inputs", required_input)?,
            concepts: entries(array(&mut map, "concepts")?, "`concepts` of the bundle")?,
            inferences: entries(array(&mut map, "inferences")?, "`inferences` of the bundle")?,
            spans: spans(map.shift_remove("spans"))?,
            diagnostics: list(map.shift_remove("diagnostics"), "diagnostics", remark)?,
            extra: Reader::of(map.shift_remove("extra"), "extra")?.map,
            other_digests: digests.map,
            unknown: map,
        };
        for ((name, now), written) in ["concepts", "inferences"].into_iter().zip(read.digests()).zip(written)
        {
            if written.is_some_and(|written| written != now) {
                let message = format!("the bundle's `{name}` were changed after it was written");
                return Err(Box::new(Diagnostic::new(Code::NC110, message).help(
                    "compile the plan again, or import the changed repositories with `normc import`",
                )));
            }
        }
        Ok(read)
    }

    /// Reads the two-file form. The arrays are kept in their order.
    ///
    /// # Errors
    /// Every file that is not an array of objects (`NC100`).
    pub fn from_two_files(concepts: &str, inferences: &str) -> Result<Self, Vec<Diagnostic>> {
        let (mut concept_list, mut inference_list) = (Vec::new(), Vec::new());
        let read = [
            each_entry(concepts, CONCEPTS, |entry| concept_list.push(entry)),
            each_entry(inferences, INFERENCES, |entry| inference_list.push(entry)),
        ];
        let problems: Vec<Diagnostic> = read.into_iter().filter_map(Result::err).map(|d| *d).collect();
        if problems.is_empty() { Ok(Self::from_entries(concept_list, inference_list)) } else { Err(problems) }
    }

    /// Repositories made elsewhere: no sources, no spans.
    pub fn from_entries(concepts: Vec<ConceptEntry>, inferences: Vec<InferenceEntry>) -> Self {
        let roots = concepts.iter().filter(|c| c.is_final()).map(|c| c.name().to_owned()).collect();
        let newer = inferences
            .iter()
            .any(|i| matches!(i.sequence(), "looping") || i.sequence().ends_with("_in_composition"));
        let plan = PlanInfo {
            base: ".".into(),
            generation: if newer { 2 } else { 1 },
            roots,
            ..PlanInfo::default()
        };
        let mut made = Self { generator: this_program(), plan, concepts, inferences, ..Self::default() };
        made.required_inputs = made.find_required_inputs();
        made
    }

    /// Ground value concepts without data that nothing computes, or that are carried.
    pub fn find_required_inputs(&self) -> Vec<RequiredInput> {
        super::required::required_inputs(&self.concepts, &self.inferences)
    }

    /// The bundle as text. The same repositories always give the same bytes.
    pub fn write(&self) -> String {
        let [concepts, inferences] = self.digests();
        let mut out = Writer::default();
        out.put("normc_bundle", BUNDLE_VERSION);
        out.put("generator", {
            let mut map = Writer::default();
            map.put("name", self.generator.name.as_str());
            map.put("version", self.generator.version.as_str());
            map.end(&self.generator.unknown)
        });
        out.put("plan", {
            let mut map = Writer::default();
            map.put("name", self.plan.name.as_str());
            map.put("generation", self.plan.generation);
            map.put("dialect", self.plan.dialect.as_deref().map_or(Json::Null, Json::from));
            map.put("base", self.plan.base.as_str());
            map.put("roots", self.plan.roots.clone());
            map.end(&self.plan.unknown)
        });
        out.put("source", self.source.as_ref().map_or(Json::Null, write_source));
        out.put("required_inputs", self.required_inputs.iter().map(write_required_input).collect::<Vec<_>>());
        out.put("concepts", self.concept_array());
        out.put("inferences", self.inference_array());
        out.put("spans", write_spans(&self.spans));
        out.put("diagnostics", self.diagnostics.iter().map(write_remark).collect::<Vec<_>>());
        out.put("digests", {
            let mut map = Writer::default();
            map.put("concepts", concepts);
            map.put("inferences", inferences);
            map.end(&self.other_digests)
        });
        out.put("extra", Json::Object(self.extra.clone()));
        json::print(&out.end(&self.unknown))
    }

    /// The two-file form of the same arrays.
    pub fn split(&self) -> TwoFiles {
        TwoFiles {
            concepts: json::print(&self.concept_array()),
            inferences: json::print(&self.inference_array()),
        }
    }

    /// Digests of the concept and the inference array.
    pub fn digests(&self) -> [String; 2] {
        [
            json::digest(self.concepts.iter().map(ConceptEntry::raw)),
            json::digest(self.inferences.iter().map(InferenceEntry::raw)),
        ]
    }

    fn concept_array(&self) -> Json {
        Json::Array(self.concepts.iter().map(|c| Json::Object(c.raw().clone())).collect())
    }

    fn inference_array(&self) -> Json {
        Json::Array(self.inferences.iter().map(|i| Json::Object(i.raw().clone())).collect())
    }
}

/// This program as a bundle's generator.
pub fn this_program() -> Generator {
    Generator { name: "normc".into(), version: env!("CARGO_PKG_VERSION").into(), unknown: Unknown::new() }
}

fn check_version(version: Option<Json>) -> Result<(), Box<Diagnostic>> {
    match version.as_ref().map(|v| (v, v.as_u64())) {
        Some((_, Some(known))) if (1..=BUNDLE_VERSION).contains(&known) => Ok(()),
        Some((Json::Number(number), known))
            if known.is_some_and(|v| v > BUNDLE_VERSION) || is_large(number.as_str()) =>
        {
            let message =
                format!("the bundle has version {number}, this program reads up to {BUNDLE_VERSION}");
            Err(Box::new(
                Diagnostic::new(Code::NC109, message)
                    .help("use the version of normc that wrote it, or a newer one"),
            ))
        }
        Some((other, _)) => Err(form("the bundle", &format!("`normc_bundle` must be 1, not `{other}`"))),
        None => Err(form("the bundle", "`normc_bundle` is missing").help_boxed(
            "a bundle is written by `normc compile`; two repositories are read by `normc import`",
        )),
    }
}

fn is_large(number: &str) -> bool {
    number.len() > 19 && number.bytes().all(|b| b.is_ascii_digit())
}

/// [`Diagnostic::help`] through a box.
trait HelpBoxed {
    fn help_boxed(self, text: &str) -> Self;
}

impl HelpBoxed for Box<Diagnostic> {
    fn help_boxed(self, text: &str) -> Self {
        Box::new((*self).help(text))
    }
}

fn not_json(what: &str, error: &json::JsonError) -> Box<Diagnostic> {
    Box::new(Diagnostic::new(Code::NC100, format!("{what} is not JSON: {error}")))
}

fn form(what: &str, problem: &str) -> Box<Diagnostic> {
    Box::new(Diagnostic::new(Code::NC100, format!("{what} does not have the right form: {problem}")))
}

fn array(map: &mut JsonMap<String, Json>, key: &str) -> Result<Json, Box<Diagnostic>> {
    map.shift_remove(key).ok_or_else(|| form("the bundle", &format!("`{key}` is missing")))
}

fn object(json: Json, what: &str) -> Result<JsonMap<String, Json>, Box<Diagnostic>> {
    match json {
        Json::Object(map) => Ok(map),
        other => Err(form(what, &format!("it must be an object, not {}", kind(&other)))),
    }
}

/// A word for the kind of a JSON value, with its article.
pub(super) fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a truth value",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

fn entries<E: From<JsonMap<String, Json>>>(json: Json, what: &str) -> Result<Vec<E>, Box<Diagnostic>> {
    let Json::Array(items) = json else {
        return Err(form(what, &format!("it must be a list of objects, not {}", kind(&json))));
    };
    items
        .into_iter()
        .enumerate()
        .map(|(i, item)| match item {
            Json::Object(map) => Ok(E::from(map)),
            other => Err(form(what, &format!("entry {} must be an object, not {}", i + 1, kind(&other)))),
        })
        .collect()
}

/// Reads a list of objects entry by entry.
pub(super) fn each_entry<E: From<JsonMap<String, Json>>>(
    text: &str,
    what: &str,
    mut take: impl FnMut(E),
) -> Result<(), Box<Diagnostic>> {
    let mut wrong = None;
    let mut count = 0;
    let read = json::read_items(text, |item| {
        count += 1;
        match item {
            Json::Object(map) => take(E::from(map)),
            other => {
                let problem = || format!("entry {count} must be an object, not {}", kind(&other));
                wrong.get_or_insert_with(|| form(what, &problem()));
            }
        }
    });
    match (read.map_err(|e| not_json(what, &e))?, wrong) {
        (Err(other), _) => Err(form(what, &format!("it must be a list of objects, not {}", kind(&other)))),
        (Ok(()), Some(wrong)) => Err(wrong),
        (Ok(()), None) => Ok(()),
    }
}

/// Takes the known keys out of an object; what is left is unknown.
struct Reader {
    map: JsonMap<String, Json>,
    what: &'static str,
}

impl Reader {
    /// An absent or null object counts as empty.
    fn of(json: Option<Json>, what: &'static str) -> Result<Self, Box<Diagnostic>> {
        match json {
            None | Some(Json::Null) => Ok(Self { map: JsonMap::new(), what }),
            Some(json) => Ok(Self { map: object(json, &format!("`{what}` of the bundle"))?, what }),
        }
    }

    fn wrong(&self, key: &str, expected: &str, found: &Json) -> Box<Diagnostic> {
        form("the bundle", &format!("`{key}` of `{}` must be {expected}, not {}", self.what, kind(found)))
    }

    fn optional_text(&mut self, key: &str) -> Result<Option<String>, Box<Diagnostic>> {
        match self.map.shift_remove(key) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(key, "a text", &other)),
        }
    }

    fn text(&mut self, key: &str) -> Result<String, Box<Diagnostic>> {
        Ok(self.optional_text(key)?.unwrap_or_default())
    }

    fn number(&mut self, key: &str) -> Result<u64, Box<Diagnostic>> {
        match self.map.shift_remove(key) {
            None | Some(Json::Null) => Ok(0),
            Some(other) => other.as_u64().ok_or_else(|| self.wrong(key, "a whole number", &other)),
        }
    }

    fn texts(&mut self, key: &str) -> Result<Option<Vec<String>>, Box<Diagnostic>> {
        match self.map.shift_remove(key) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Array(items)) => items
                .into_iter()
                .map(|item| match item {
                    Json::String(text) => Ok(text),
                    other => Err(self.wrong(key, "a list of texts", &other)),
                })
                .collect::<Result<_, _>>()
                .map(Some),
            Some(other) => Err(self.wrong(key, "a list of texts", &other)),
        }
    }

    fn place(&mut self, key: &str) -> Result<Option<Place>, Box<Diagnostic>> {
        match self.map.shift_remove(key) {
            None | Some(Json::Null) => Ok(None),
            Some(json) => self.to_place(key, &json).map(Some),
        }
    }

    fn to_place(&self, key: &str, json: &Json) -> Result<Place, Box<Diagnostic>> {
        let read = || {
            let numbers = json.as_array()?.iter().map(|n| n.as_u64().and_then(|n| u32::try_from(n).ok()));
            numbers.collect::<Option<Vec<u32>>>()?.try_into().ok()
        };
        read().map(Place).ok_or_else(|| self.wrong(key, "a place (five numbers)", json))
    }

    /// The entries of a map under `key`.
    fn entries(&mut self, key: &'static str) -> Result<JsonMap<String, Json>, Box<Diagnostic>> {
        Ok(Reader::of(self.map.shift_remove(key), key)?.map)
    }
}

fn list<T>(
    json: Option<Json>,
    what: &'static str,
    read: impl Fn(Reader) -> Result<T, Box<Diagnostic>>,
) -> Result<Vec<T>, Box<Diagnostic>> {
    match json {
        None | Some(Json::Null) => Ok(Vec::new()),
        Some(Json::Array(items)) => items
            .into_iter()
            .map(|item| read(Reader { map: object(item, &format!("an entry of `{what}`"))?, what }))
            .collect(),
        Some(other) => Err(form("the bundle", &format!("`{what}` must be a list, not {}", kind(&other)))),
    }
}

fn generator(json: Option<Json>) -> Result<Generator, Box<Diagnostic>> {
    let mut from = Reader::of(json, "generator")?;
    Ok(Generator { name: from.text("name")?, version: from.text("version")?, unknown: from.map })
}

fn plan_info(json: Option<Json>) -> Result<PlanInfo, Box<Diagnostic>> {
    let mut from = Reader::of(json, "plan")?;
    Ok(PlanInfo {
        name: from.text("name")?,
        generation: u32::try_from(from.number("generation")?).unwrap_or(u32::MAX),
        dialect: from.optional_text("dialect")?,
        base: from.optional_text("base")?.unwrap_or_else(|| ".".to_owned()),
        roots: from.texts("roots")?.unwrap_or_default(),
        unknown: from.map,
    })
}

fn source_info(json: Option<Json>) -> Result<Option<SourceInfo>, Box<Diagnostic>> {
    if json.as_ref().is_none_or(Json::is_null) {
        return Ok(None);
    }
    let mut from = Reader::of(json, "source")?;
    let files = list(from.map.shift_remove("files"), "files", |mut file| {
        Ok(SourceFileInfo {
            id: u32::try_from(file.number("id")?).unwrap_or(u32::MAX),
            path: file.text("path")?,
            sha256: file.text("sha256")?,
            bytes: file.number("bytes")?,
            text: file.optional_text("text")?,
            unknown: file.map,
        })
    })?;
    Ok(Some(SourceInfo { files, index_scheme: from.optional_text("index_scheme")?, unknown: from.map }))
}

fn required_input(mut from: Reader) -> Result<RequiredInput, Box<Diagnostic>> {
    Ok(RequiredInput {
        concept: from.text("concept")?,
        axes: from.texts("axes")?,
        why: from.text("why")?,
        unknown: from.map,
    })
}

fn spans(json: Option<Json>) -> Result<Spans, Box<Diagnostic>> {
    let mut from = Reader::of(json, "spans")?;
    let mut concepts = IndexMap::new();
    for (name, places) in from.entries("concepts")? {
        let read: Result<Vec<Place>, _> = match &places {
            Json::Array(items) => items.iter().map(|p| from.to_place(&name, p)).collect(),
            other => Err(from.wrong(&name, "a list of places", other)),
        };
        concepts.insert(name, read?);
    }
    let mut inferences = IndexMap::new();
    for (index, json) in from.entries("inferences")? {
        let mut parts = Reader::of(Some(json), "spans")?;
        let mut values = IndexMap::new();
        for (name, place) in parts.entries("values")? {
            values.insert(name.clone(), parts.to_place(&name, &place)?);
        }
        let read = InferenceSpans {
            target: parts.place("target")?,
            function: parts.place("function")?,
            values,
            declared_index: parts.optional_text("declared_index")?,
            unknown: parts.map,
        };
        inferences.insert(index, read);
    }
    Ok(Spans { concepts, inferences, unknown: from.map })
}

fn remark(mut from: Reader) -> Result<Remark, Box<Diagnostic>> {
    Ok(Remark {
        code: from.text("code")?,
        level: from.text("level")?,
        span: from.place("span")?,
        message: from.text("message")?,
        unknown: from.map,
    })
}

/// Puts known keys in order, then the unknown ones.
#[derive(Default)]
struct Writer(JsonMap<String, Json>);

impl Writer {
    fn put(&mut self, key: &str, value: impl Into<Json>) {
        self.0.insert(key.to_owned(), value.into());
    }

    fn end(mut self, unknown: &Unknown) -> Json {
        for (key, value) in unknown {
            self.0.entry(key.as_str()).or_insert_with(|| value.clone());
        }
        Json::Object(self.0)
    }
}

fn write_place(place: Place) -> Json {
    Json::from(place.0.to_vec())
}

fn write_source(source: &SourceInfo) -> Json {
    let files = source.files.iter().map(|file| {
        let mut map = Writer::default();
        map.put("id", file.id);
        map.put("path", file.path.as_str());
        map.put("sha256", file.sha256.as_str());
        map.put("bytes", file.bytes);
        map.put("text", file.text.as_deref().map_or(Json::Null, Json::from));
        map.end(&file.unknown)
    });
    let mut map = Writer::default();
    map.put("files", files.collect::<Vec<_>>());
    map.put("index_scheme", source.index_scheme.as_deref().map_or(Json::Null, Json::from));
    map.end(&source.unknown)
}

fn write_required_input(input: &RequiredInput) -> Json {
    let mut map = Writer::default();
    map.put("concept", input.concept.as_str());
    map.put("axes", input.axes.clone().map_or(Json::Null, Json::from));
    map.put("why", input.why.as_str());
    map.end(&input.unknown)
}

fn write_spans(spans: &Spans) -> Json {
    let mut concepts = Writer::default();
    for (name, places) in &spans.concepts {
        concepts.put(name, places.iter().copied().map(write_place).collect::<Vec<_>>());
    }
    let mut inferences = Writer::default();
    for (index, parts) in &spans.inferences {
        let mut values = Writer::default();
        for (name, place) in &parts.values {
            values.put(name, write_place(*place));
        }
        let mut map = Writer::default();
        map.put("target", parts.target.map_or(Json::Null, write_place));
        map.put("function", parts.function.map_or(Json::Null, write_place));
        map.put("values", values.end(&Unknown::new()));
        map.put("declared_index", parts.declared_index.as_deref().map_or(Json::Null, Json::from));
        inferences.put(index, map.end(&parts.unknown));
    }
    let mut map = Writer::default();
    map.put("concepts", concepts.end(&Unknown::new()));
    map.put("inferences", inferences.end(&Unknown::new()));
    map.end(&spans.unknown)
}

fn write_remark(remark: &Remark) -> Json {
    let mut map = Writer::default();
    map.put("code", remark.code.as_str());
    map.put("level", remark.level.as_str());
    map.put("span", remark.span.map_or(Json::Null, write_place));
    map.put("message", remark.message.as_str());
    map.end(&remark.unknown)
}
