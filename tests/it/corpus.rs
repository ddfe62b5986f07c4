//! Every plan of the corpus reads without a crash and as well formed as its manifest says. Reads `tests/corpus` and
//! the folders in `NORMC_CORPUS` (colon-separated), each with a `MANIFEST.tsv`.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test reads files, and fails by panicking"
)]

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use normc::base::FileId;
use normc::diag::{Code, Diagnostic, Severity};
use normc::syntax::{Dialect, LineClass, Tree, decode, parse};

/// The dialects that are plans; other rows of a manifest are repositories and inputs.
const PLANS: [&str; 7] = ["legacy", "flat", "current", "draft", "natural", "paired", "edge"];

pub(crate) struct Plan {
    pub(crate) file: String,
    pub(crate) dialect: String,
    pub(crate) well_formed: String,
    pub(crate) path: PathBuf,
}

pub(crate) fn own_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

fn folders() -> Vec<PathBuf> {
    let mut folders = vec![own_folder()];
    if let Some(more) = std::env::var_os("NORMC_CORPUS") {
        folders.extend(std::env::split_paths(&more).filter(|p| !p.as_os_str().is_empty()));
    }
    folders
}

/// The plans of a folder, by its manifest.
pub(crate) fn plans(folder: &Path) -> Vec<Plan> {
    let manifest = std::fs::read_to_string(folder.join("MANIFEST.tsv")).unwrap_or_default();
    let mut rows = manifest.lines();
    let header: Vec<&str> = rows.next().unwrap_or("").split('\t').collect();
    let column = |name: &str| header.iter().position(|h| *h == name);
    let (Some(file), Some(dialect), Some(well_formed)) =
        (column("file"), column("dialect"), column("well_formed"))
    else {
        return Vec::new();
    };
    rows.filter_map(|row| {
        let cells: Vec<&str> = row.split('\t').collect();
        let plan = Plan {
            file: (*cells.get(file)?).to_owned(),
            dialect: (*cells.get(dialect)?).to_owned(),
            well_formed: (*cells.get(well_formed)?).to_owned(),
            path: folder.join(cells.get(file)?),
        };
        PLANS.contains(&plan.dialect.as_str()).then_some(plan)
    })
    .collect()
}

pub(crate) fn read(path: &Path) -> Result<(String, Tree, Vec<Diagnostic>), String> {
    let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
    let text = decode(FileId(0), &bytes).map_err(|d| d.message)?;
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
    let (tree, diagnostics) = parse(FileId(0), text, Dialect::from_extension(extension));
    Ok((text.to_owned(), tree, diagnostics))
}

#[test]
fn corpus_reads_as_its_manifest_says() {
    let mut failures = Vec::new();
    for folder in folders() {
        let plans = plans(&folder);
        let mut passed = 0;
        for plan in &plans {
            let verdict = read(&plan.path).and_then(|(text, tree, diagnostics)| {
                check(&text, &tree)?;
                well_formed(&plan.well_formed, &diagnostics)
            });
            match verdict {
                Ok(()) => passed += 1,
                Err(error) => failures.push(format!("{} ({}): {error}", plan.file, plan.dialect)),
            }
        }
        // Past the capture of the test harness, so that the counts are always seen.
        writeln!(io::stdout(), "corpus {}: {passed}/{}", folder.display(), plans.len()).unwrap();
        assert!(!plans.is_empty(), "no plans in {}", folder.display());
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// What `well_formed` promises about the codes of reading.
fn well_formed(word: &str, diagnostics: &[Diagnostic]) -> Result<(), String> {
    let reading = diagnostics.iter().filter(|d| d.code <= Code::NC049);
    let shown = |list: Vec<&Diagnostic>| {
        list.iter().map(|d| format!("{} {}", d.code, d.message)).collect::<Vec<_>>().join("; ")
    };
    match word {
        "yes" => {
            let errors: Vec<_> = reading.filter(|d| d.is_error()).collect();
            if errors.is_empty() { Ok(()) } else { Err(format!("well formed, but: {}", shown(errors))) }
        }
        "no" => {
            let found = diagnostics.iter().any(|d| d.severity >= Severity::Warning);
            if found { Ok(()) } else { Err("not well formed, but nothing was found".to_owned()) }
        }
        _ => Ok(()),
    }
}

/// What holds for every tree: lines tile the text, parents come before children, depths fit.
pub(crate) fn check(text: &str, tree: &Tree) -> Result<(), String> {
    let mut end = if text.starts_with('\u{feff}') { 3 } else { 0 };
    for line in &tree.lines {
        if line.span.start != end {
            return Err(format!("line at {} should begin at {end}", line.span.start));
        }
        let rest = text.get(line.span.end as usize..).ok_or("a line ends inside a character")?;
        let width = if rest.starts_with("\r\n") { 2 } else { u32::from(rest.starts_with(['\r', '\n'])) };
        end = line.span.end + width;
        if line.class != LineClass::Blank && line.content > line.span.end {
            return Err("content after the end".to_owned());
        }
    }
    if end as usize != text.len() {
        return Err(format!("the lines end at {end}, the text at {}", text.len()));
    }
    for (id, node) in tree.iter() {
        let depth = match node.parent {
            Some(parent) if parent < id => tree.node(parent).map(|p| p.depth + 1),
            Some(_) => None,
            None => tree.roots.contains(&id).then_some(0),
        };
        if depth != Some(node.depth) {
            return Err(format!("depth of {} is {}", node.flow_index, node.depth));
        }
    }
    Ok(())
}
