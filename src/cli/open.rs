//! Opening a plan, whatever form it has: source text is compiled, `plan.json` is read.

use std::io::Read;
use std::path::{Component, Path, PathBuf};

use clap::ValueEnum;

use crate::base::{FileId, LineColumn, SourceFile, SourceMap, Span};
use crate::diag::{Diagnostic, Severity};
use crate::repo::{self, Compiled, ConceptId, Loaded, LowerOptions, Model, Place, Repositories, Spans};
use crate::report::Places;
use crate::run::ItemId;
use crate::syntax::{self, Dialect};

use super::Exit;
use super::output::{complain, show};

/// The repository generations (repositories spec, section 7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Generation {
    /// The older form, for legacy operators
    #[value(name = "1")]
    One,
    /// The newer form
    #[value(name = "2")]
    Two,
    /// 1 when the plan has legacy operators only
    #[default]
    Auto,
}

/// How a plan is opened.
#[derive(Debug, Clone, Default)]
pub(super) struct Opening {
    /// The repository generation source text is lowered to.
    pub(super) generation: Generation,
    /// The bundle keeps the source text.
    pub(super) embed_source: bool,
    /// The folder the bundle will be written to; none for standard output.
    pub(super) bundle_folder: Option<PathBuf>,
    /// What becomes of sentences.
    pub(super) sentences: repo::Sentences,
}

impl Opening {
    /// To look at a plan, not to run it: a draft is read as what it would become.
    pub(super) fn to_look() -> Self {
        Self { sentences: repo::Sentences::Noted, ..Self::default() }
    }
}

/// A plan that can be written or run; its diagnostics hold no error that stops it.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) repositories: Repositories,
    /// The same, checked, as a run takes it.
    pub(super) model: Model,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Where its scripts and files stand.
    pub(super) base: PathBuf,
}

/// A plan that cannot be opened: why, and how the command ends. What is no diagnostic has been said already.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) exit: Exit,
}

impl Failed {
    fn with(diagnostics: Vec<Diagnostic>, exit: Exit) -> Self {
        Self { diagnostics, exit }
    }
}

/// Reads a file, or standard input for `-`.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failed> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        return match std::io::stdin().lock().read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(error) => {
                complain(&format!("cannot read standard input: {error}"), None);
                Err(Failed::with(Vec::new(), Exit::InputOutput))
            }
        };
    }
    std::fs::read(path).map_err(|error| {
        let name = path.display();
        let (message, help, exit) = match error.kind() {
            std::io::ErrorKind::NotFound => (format!("there is no file {name}"), near(path), Exit::NotFound),
            _ if path.is_dir() => (format!("{name} is a folder, not a file"), None, Exit::NotFound),
            _ => (format!("cannot read {name}: {error}"), None, Exit::InputOutput),
        };
        complain(&message, help.as_deref());
        Failed::with(Vec::new(), exit)
    })
}

/// A file beside a missing one whose name is nearly the same.
fn near(path: &Path) -> Option<String> {
    let wanted = path.file_name()?.to_str()?;
    let folder = path.parent().filter(|p| *p != Path::new("")).unwrap_or(Path::new("."));
    let names: Vec<String> =
        std::fs::read_dir(folder).ok()?.filter_map(|e| e.ok()?.file_name().into_string().ok()).collect();
    let nearest = crate::base::nearest(wanted, names.iter().map(String::as_str))?;
    Some(format!("did you mean {}?", path.with_file_name(nearest).display()))
}

/// Reads a text file that is no plan.
pub(super) fn read_text(path: &Path) -> Result<String, Failed> {
    String::from_utf8(read(path)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        complain(&format!("{} is not UTF-8: byte {at} fits no character", path.display()), None);
        Failed::with(Vec::new(), Exit::BadData)
    })
}

/// Opens a plan by its path. A text that begins with `{` is a bundle, everything else is source.
pub(super) fn open(path: &Path, map: &mut SourceMap, opening: &Opening) -> Result<Opened, Failed> {
    open_bytes(path, read(path)?, map, opening)
}

/// The same, of a file that has been read.
pub(super) fn open_bytes(
    path: &Path,
    bytes: Vec<u8>,
    map: &mut SourceMap,
    opening: &Opening,
) -> Result<Opened, Failed> {
    if is_bundle(path, &bytes) { open_bundle(path, bytes, map) } else { source(path, &bytes, map, opening) }
}

/// Returns whether a file is a bundle, not source text.
pub(super) fn is_bundle(path: &Path, bytes: &[u8]) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json"))
        || bytes.trim_ascii_start().starts_with(b"{\"")
        || bytes.trim_ascii_start().starts_with(b"{\n")
}

/// The bytes of a plan, and whether they are a bundle.
pub(super) fn read_plan(path: &Path) -> Result<(Vec<u8>, bool), Failed> {
    let bytes = read(path)?;
    let is_bundle = is_bundle(path, &bytes);
    Ok((bytes, is_bundle))
}

/// Opens the bytes of a bundle.
pub(super) fn open_bundle(path: &Path, bytes: Vec<u8>, map: &mut SourceMap) -> Result<Opened, Failed> {
    bundle(path, bytes, folder(path), map)
}

/// The folder of a plan; empty for standard input.
pub(super) fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if path != Path::new("-") => folder.to_path_buf(),
        _ => PathBuf::new(),
    }
}

fn bundle(path: &Path, bytes: Vec<u8>, folder: PathBuf, map: &mut SourceMap) -> Result<Opened, Failed> {
    let Ok(text) = String::from_utf8(bytes) else {
        complain(&format!("{} is not UTF-8, so it is no plan.json", path.display()), None);
        return Err(Failed::with(Vec::new(), Exit::BadData));
    };
    let repositories = Repositories::read(&text).map_err(|d| Failed::with(vec![*d], Exit::BadData))?;
    let loaded = crate::repo::load(&repositories).map_err(|d| Failed::with(d, Exit::BadData))?;
    let base = folder.join(&repositories.plan.base);
    // The source is there for pictures only: it is shown if it still is the text that was compiled.
    for file in repositories.source.iter().flat_map(|s| &s.files) {
        let text = file.text.clone().or_else(|| {
            let bytes = std::fs::read(base.join(&file.path)).ok()?;
            let same = crate::repo::json::digest_bytes(&bytes) == file.sha256;
            same.then(|| String::from_utf8(bytes).ok()).flatten()
        });
        map.add(SourceFile::new(file.path.as_str(), text.unwrap_or_default()));
    }
    let Loaded { model, warnings } = loaded;
    Ok(Opened { repositories, model, diagnostics: warnings, base })
}

/// Where the parts of a plan stand, as far as their source is known.
pub(super) fn places(spans: &Spans, model: &Model, map: &SourceMap, first_file: u32) -> Places {
    let span = |place| span(place, map, first_file);
    let mut places = Places::default();
    let concepts: rustc_hash::FxHashMap<&str, ConceptId> =
        model.concepts.iter().enumerate().map(|(i, c)| (&*c.name, ConceptId(i as u32))).collect();
    for (i, inference) in model.inferences.iter().enumerate() {
        let Some(spans) = spans.inferences.get(&inference.flow.to_string()) else { continue };
        let item = ItemId(i as u32);
        if let Some(span) = spans.target.and_then(span) {
            places.targets.insert(item, span);
        }
        if let Some(span) = spans.function.and_then(span) {
            places.functions.insert(item, span);
        }
        for (name, place) in &spans.values {
            if let (Some(concept), Some(span)) = (concepts.get(name.as_str()), span(*place)) {
                places.values.insert((item, *concept), span);
            }
        }
    }
    places
}

/// The first line that names a concept.
pub(super) fn concept_span(spans: &Spans, name: &str, map: &SourceMap) -> Option<Span> {
    concept_place(spans, name, map, 0)
}

/// The same for a plan whose files are not the first of the map.
pub(super) fn concept_place(spans: &Spans, name: &str, map: &SourceMap, first_file: u32) -> Option<Span> {
    span(*spans.concepts.get(name)?.first()?, map, first_file)
}

/// A place of a bundle in the text it came from; none when that text is not at hand.
fn span(place: Place, map: &SourceMap, first_file: u32) -> Option<Span> {
    let [file, first_line, first_column, last_line, last_column] = place.0;
    let id = FileId(first_file + file);
    let file = map.file(id).filter(|f| !f.text().is_empty())?;
    let at = |line, column| file.offset(LineColumn { line, column }) as usize;
    Some(Span::new(id, at(first_line, first_column), at(last_line, last_column)))
}
/// Opens source text.
fn source(path: &Path, bytes: &[u8], map: &mut SourceMap, opening: &Opening) -> Result<Opened, Failed> {
    let Compiled { repositories, model, diagnostics, .. } = compile(path, bytes, map, opening)?;
    match model {
        Some(model) => Ok(Opened { repositories, model, diagnostics, base: folder(path) }),
        None => Err(Failed::with(diagnostics, Exit::Failed)),
    }
}

/// What people are told a source is called.
pub(super) fn source_name(path: &Path) -> String {
    if path == Path::new("-") { "<stdin>".to_owned() } else { path.display().to_string() }
}

/// Compiles source text: read, resolve, lower. Fails only when it is no text.
pub(super) fn compile(
    path: &Path,
    bytes: &[u8],
    map: &mut SourceMap,
    opening: &Opening,
) -> Result<Compiled, Failed> {
    let shown = source_name(path);
    // What is no text is shown with marks in place of the bad bytes; before the first of them nothing shifts.
    let file = map.add(SourceFile::new(shown, String::from_utf8_lossy(bytes).into_owned()));
    let text = syntax::decode(file, bytes).map_err(|d| Failed::with(vec![*d], Exit::Failed))?;
    let hint = path.extension().and_then(|e| e.to_str()).and_then(Dialect::from_extension);
    let base = match &opening.bundle_folder {
        Some(bundle) => relative(bundle, &folder(path)),
        None => String::new(),
    };
    let options = LowerOptions {
        name: path
            .file_stem()
            .filter(|_| path != Path::new("-"))
            .map_or_else(|| "plan".to_owned(), |s| s.to_string_lossy().into_owned()),
        generation: match opening.generation {
            Generation::One => Some(repo::Generation::One),
            Generation::Two => Some(repo::Generation::Two),
            Generation::Auto => None,
        },
        base,
        path: path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(),
        keep_text: opening.embed_source,
        sentences: opening.sentences,
    };
    Ok(repo::compile(file, text, hint, map, &options))
}

/// Opens a plan whose two repositories are files of their own.
pub(super) fn open_pair(concepts: &Path, inferences: &Path) -> Result<Opened, Failed> {
    let bad = |diagnostics| Failed::with(diagnostics, Exit::BadData);
    let repositories =
        Repositories::from_two_files(&read_text(concepts)?, &read_text(inferences)?).map_err(bad)?;
    let loaded = repo::load(&repositories).map_err(bad)?;
    Ok(opened_pair(concepts, repositories, loaded))
}

/// The same for a run, which needs the model only: the entries are not kept. With the document that the run keeps.
pub(super) fn open_pair_to_run(concepts: &Path, inferences: &Path) -> Result<(Opened, String), Failed> {
    let texts = (read_text(concepts)?, read_text(inferences)?);
    let loaded = repo::load_two_files(&texts.0, &texts.1)
        .map_err(|diagnostics| Failed::with(diagnostics, Exit::BadData))?;
    let opened = opened_pair(concepts, Repositories::default(), loaded);
    Ok((opened, repo::two_file_document(&texts.0, &texts.1)))
}

/// A pair is named after its first file, and stands where that does.
fn opened_pair(concepts: &Path, mut repositories: Repositories, loaded: Loaded) -> Opened {
    let file = concepts.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    file.split('.').next().unwrap_or("plan").clone_into(&mut repositories.plan.name);
    let base = concepts.parent().unwrap_or(Path::new("")).to_path_buf();
    let Loaded { model, warnings } = loaded;
    Opened { repositories, model, diagnostics: warnings, base }
}

/// A file without a plan is nothing to run or to write, though `check` only warns of it.
pub(super) fn refuse_empty(opened: &Opened, map: &SourceMap) -> Result<(), Exit> {
    if !opened.model.inferences.is_empty() {
        return Ok(());
    }
    show(&opened.diagnostics, map, Severity::Warning);
    complain("there is no inference in the plan, so there is nothing to do", None);
    Err(Exit::Failed)
}

/// The way from one folder to another, `/` between names; the other's own path when there is none.
fn relative(from: &Path, to: &Path) -> String {
    let whole = |p: &Path| std::path::absolute(if p == Path::new("") { Path::new(".") } else { p }).ok();
    let (Some(from), Some(to)) = (whole(from), whole(to)) else { return to.display().to_string() };
    let normal = |p: &Path| {
        p.components()
            .filter(|c| *c != Component::CurDir)
            .map(|c| c.as_os_str().to_owned())
            .collect::<Vec<_>>()
    };
    let (from, to) = (normal(&from), normal(&to));
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from.iter().skip(shared).map(|_| "..".to_owned());
    let down = to.iter().skip(shared).map(|n| n.to_string_lossy().into_owned());
    let way: Vec<String> = up.chain(down).collect();
    if way.is_empty() { ".".to_owned() } else { way.join("/") }
}
