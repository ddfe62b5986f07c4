//! Fixes: put in to a fixpoint they leave nothing to fix, add no diagnostic and change no inference, over all plans and
//! the corpus; and `normc check --fix` changes what it says and nothing else.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use normc::base::{FileId, SourceFile, SourceMap};
use normc::diag::{Code, Diagnostic, Severity, mend};
use normc::plan::{ConceptKind, Plan};
use normc::repo::{Compiled, LowerOptions, compile};
use normc::syntax::Dialect;

use crate::corpus;
use crate::plans::normc;
use crate::support::program;

/// A mend changes what these say: the line was not read before, or its key had no effect.
const CHANGES: [Code; 2] = [Code::NC013, Code::NC098];

pub(crate) fn compiled(path: &Path, text: &str) -> (Compiled, SourceMap) {
    let mut map = SourceMap::default();
    let file = map.add(SourceFile::new("plan.nc", text));
    let hint = path.extension().and_then(|e| e.to_str()).and_then(Dialect::from_extension);
    let options =
        LowerOptions { name: "plan".to_owned(), path: "plan.nc".to_owned(), ..LowerOptions::default() };
    (compile(file, text, hint, &map, &options), map)
}

/// Every plan of the project and of the corpus, with its text.
pub(crate) fn all_plans() -> Vec<(PathBuf, String)> {
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("plans")];
    let mut files: Vec<PathBuf> = corpus::plans(&corpus::own_folder()).into_iter().map(|p| p.path).collect();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "nc" || e == "ncd" || e == "ncds") {
                files.push(path);
            }
        }
    }
    files.sort();
    let text = |path: PathBuf| String::from_utf8(std::fs::read(&path).unwrap()).ok().map(|text| (path, text));
    files.into_iter().filter_map(text).collect()
}

/// What the inferences are, operations by their kind: their text is their name, and a mend may change it.
fn inferences(plan: &Plan) -> Vec<String> {
    let name = |id| match plan.concept(id).map(|c| c.kind) {
        Some(ConceptKind::Function(kind)) => format!("{kind:?}"),
        _ => plan.name(id).to_owned(),
    };
    let names = |ids: &[_]| ids.iter().map(|id| name(*id)).collect::<Vec<_>>().join(", ");
    let of = |i: &normc::plan::Inference| {
        format!(
            "{} {} <= {} <- {} <* {}",
            i.flow,
            name(i.target),
            name(i.function),
            names(&i.values),
            names(&i.contexts)
        )
    };
    plan.inferences.iter().map(of).collect()
}

fn fixable(diagnostics: &[Diagnostic]) -> Vec<String> {
    diagnostics.iter().filter(|d| d.fix.is_some()).map(|d| format!("{} {}", d.code, d.message)).collect()
}

fn bad(diagnostics: &[Diagnostic]) -> usize {
    diagnostics.iter().filter(|d| d.severity > Severity::Info).count()
}

#[test]
fn fixes_leave_nothing_to_fix_and_the_plan_as_it_was() {
    let mut mended = 0;
    let mut problems = Vec::new();
    for (path, text) in all_plans() {
        let shown = path.display();
        let (before, _) = compiled(&path, &text);
        let mut now = text.clone();
        let mut codes: BTreeSet<Code> = BTreeSet::new();
        let mut rounds = 0;
        let after = loop {
            let (compiled, _) = compiled(&path, &now);
            let round = mend(&now, FileId(0), &compiled.diagnostics);
            if round.applied == 0 {
                break compiled;
            }
            codes.extend(compiled.diagnostics.iter().filter(|d| d.fix.is_some()).map(|d| d.code));
            mended += round.applied;
            now = round.text;
            rounds += 1;
            assert!(rounds < 64, "{shown}: fixes come to no end: {:?}", fixable(&compiled.diagnostics));
        };
        let left = fixable(&after.diagnostics);
        if !left.is_empty() {
            problems.push(format!("{shown}: fixes that change nothing: {left:?}"));
        }
        if bad(&after.diagnostics) > bad(&before.diagnostics) {
            problems.push(format!("{shown}: more to say after {codes:?}"));
        }
        if CHANGES.iter().any(|c| codes.contains(c)) {
            continue;
        }
        let (old, new) = (inferences(&before.plan), inferences(&after.plan));
        if let Some((a, b)) = old.iter().zip(&new).find(|(a, b)| a != b) {
            problems.push(format!("{shown}: {codes:?}\n  {a}\n  {b}"));
        } else if old.len() != new.len() {
            problems.push(format!("{shown}: {codes:?}: {} inferences, then {}", old.len(), new.len()));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(mended > 100, "only {mended} fixes in all plans");
}

/// A plan with what editors of other systems leave in files.
const ODD: &str = "\u{feff}# a plan\r\n:<:({sum})\r\n\t<= ::(add {1} and {2}) # whole\r\n\t<- {first}<:{1}>\r\n\t\t| %{ref_axis}: [n]  \r\n\t<- {second}<:{2}>";

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fix").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn a_file_is_mended_and_nothing_else_of_it_changes() {
    let folder = folder("file");
    let file = folder.join("odd.nc");
    std::fs::write(&file, ODD).unwrap();
    let shown = normc(&folder, &["check", "--fix", "--dry-run", "odd.nc"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), ODD, "a dry run writes nothing");
    let diff = String::from_utf8(shown.stdout).unwrap();
    assert!(diff.starts_with("--- odd.nc\n+++ odd.nc\n@@"), "{diff}");
    assert!(
        diff.contains("\n-\t<= ::(add {1} and {2}) # whole\r\n+\t<= ::(add {1} and {2}) | /: whole\r\n"),
        "{diff}"
    );
    let output = normc(&folder, &["check", "--fix", "odd.nc"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("mended 2 places in odd.nc"), "{said}");
    let expected = ODD.replace("# whole", "| /: whole").replace("ref_axis", "ref_axes");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), expected);
    let again = normc(&folder, &["check", "--fix", "odd.nc"]);
    assert!(!String::from_utf8(again.stderr).unwrap().contains("mended"));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "nothing is left beside the file");
}

#[test]
fn what_is_allowed_is_not_mended() {
    let folder = folder("allowed");
    let file = folder.join("odd.nc");
    std::fs::write(&file, ODD.replace("# a plan", "# normc: allow NC041")).unwrap();
    normc(&folder, &["check", "--fix", "--allow", "NC098", "odd.nc"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), ODD.replace("# a plan", "# normc: allow NC041"));
}

#[test]
fn standard_input_is_mended_to_standard_output() {
    use std::io::Write;
    use std::process::Stdio;
    let mut command = program(&folder("stdin"));
    let command = command.args(["check", "--fix", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(ODD.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let expected = ODD.replace("# whole", "| /: whole").replace("ref_axis", "ref_axes");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}
