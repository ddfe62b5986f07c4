//! The parse vectors: every field of every node, and the diagnostics by line and level. Reads `tests/vectors` and the
//! folders in `NORMC_VECTORS` (colon-separated); the plans stand beside the folder above `vectors/`.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test reads files, and fails by panicking"
)]

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use normc::base::{FileId, SourceFile};
use normc::diag::Diagnostic;
use normc::syntax::{Annotation, AnnotationKind, Dialect, Node, decode, parse};
use serde_json::{Map, Value as Json, json};

/// The vector folders: the project's own and those of the environment.
fn folders() -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")];
    if let Some(more) = std::env::var_os("NORMC_VECTORS") {
        folders.extend(std::env::split_paths(&more).filter(|p| !p.as_os_str().is_empty()));
    }
    folders
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|e| e.ok().map(|e| e.path()))
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
        .collect();
    files.sort();
    files
}

#[test]
fn parse_vectors() {
    let mut failures = Vec::new();
    for folder in folders() {
        let files = files(&folder.join("parse"));
        let mut passed = 0;
        for file in &files {
            match check(&folder, file) {
                Ok(()) => passed += 1,
                Err(error) => failures.push(format!("{}:\n{error}", file.display())),
            }
        }
        // Past the capture of the test harness, so that the counts are always seen.
        writeln!(io::stdout(), "parse vectors {}: {passed}/{}", folder.display(), files.len()).unwrap();
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn check(folder: &Path, file: &Path) -> Result<(), String> {
    let vector: Json = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let source = vector["source"].as_str().ok_or("no source")?;
    // Beside the vectors, as in the project; or among the project's own plans.
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let path = [folder.join(".."), own].map(|base| base.join(source)).into_iter().find(|p| p.is_file());
    let path = path.ok_or_else(|| format!("{source} not found"))?;
    let bytes = std::fs::read(&path).unwrap();
    let text = decode(FileId(0), &bytes).map_err(|d| d.message)?;
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
    let (tree, diagnostics) = parse(FileId(0), text, Dialect::from_extension(extension));

    let mut errors = Vec::new();
    let dialect = vector["dialect"].as_str().unwrap_or("");
    // `edge` is a folder of the corpus, not a dialect.
    if dialect != "edge" && dialect != tree.dialect.as_str() {
        errors.push(format!("dialect: expected {dialect}, found {}", tree.dialect.as_str()));
    }
    let expected = vector["nodes"].as_array().ok_or("no nodes")?;
    let found: Vec<Json> = tree.nodes.iter().map(node_json).collect();
    for at in 0..expected.len().max(found.len()) {
        let (wanted, got) = (expected.get(at), found.get(at));
        if wanted != got {
            errors.push(format!(
                "expected {}\n   found {}",
                wanted.map_or("-".to_owned(), Json::to_string),
                got.map_or("-".to_owned(), Json::to_string)
            ));
        }
    }
    errors.extend(missing_diagnostics(&vector, &diagnostics, text));
    if errors.is_empty() { Ok(()) } else { Err(errors.join("\n")) }
}

/// The listed diagnostics that were not raised, by line and level.
fn missing_diagnostics(vector: &Json, found: &[Diagnostic], text: &str) -> Vec<String> {
    let file = SourceFile::new("plan", text);
    let raised: BTreeSet<(u64, String)> = found
        .iter()
        .filter_map(|d| {
            let line = file.place(d.primary.as_ref()?.span.start).line;
            Some((u64::from(line), d.severity.word().to_owned()))
        })
        .collect();
    let Some(listed) = vector["diagnostics"].as_array() else { return Vec::new() };
    listed
        .iter()
        .filter_map(|d| Some((d["line"].as_u64()?, d["level"].as_str()?.to_owned())))
        .map(|(line, level)| (line, if level == "warn" { "warning".to_owned() } else { level }))
        .filter(|d| !raised.contains(d))
        .map(|(line, level)| format!("no {level} on line {line}"))
        .collect()
}

/// A node as in the vectors.
pub(crate) fn node_json(node: &Node) -> Json {
    let mut map = Map::new();
    map.insert("line".into(), json!(node.line));
    map.insert("depth".into(), json!(node.depth));
    map.insert("marker".into(), json!(node.marker.as_str()));
    map.insert("concept_text".into(), json!(node.text.as_ref()));
    map.insert("kind".into(), json!(node.kind.as_str()));
    map.insert("flow_index".into(), json!(node.flow_index.to_string()));
    if let Some(index) = node.deviating_index() {
        map.insert("declared_flow_index".into(), json!(index.to_string()));
    }
    map.insert("sequence".into(), node.sequence.as_ref().map_or(Json::Null, |s| json!(s.word.as_ref())));
    map.insert("heads".into(), node.heads.map_or(Json::Null, |h| json!(h.as_str())));
    map.insert("annotations".into(), node.annotations.iter().map(annotation_json).collect());
    if !node.leading.is_empty() {
        map.insert("leading".into(), node.leading.iter().map(annotation_json).collect());
    }
    Json::Object(map)
}

fn annotation_json(annotation: &Annotation) -> Json {
    let kind = annotation.kind.as_str();
    let (key, text) = (annotation.key.as_deref(), annotation.text());
    match annotation.kind {
        AnnotationKind::Syntactic | AnnotationKind::Referential | AnnotationKind::Hint => {
            json!({"kind": kind, "key": key, "value": text})
        }
        AnnotationKind::LegacyIndex => match &annotation.value {
            Some(value) => json!({"kind": kind, "key": key, "value": value.as_ref()}),
            None => json!({"kind": kind, "key": key}),
        },
        AnnotationKind::FlatQualifier => json!({"kind": kind, "value": text}),
        _ => json!({"kind": kind, "text": text}),
    }
}
