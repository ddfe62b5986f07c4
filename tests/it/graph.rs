//! `normc graph`: drawings of plans, in every format and from every form of a plan.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::support::{program, snapshots};

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn graph(arguments: &[&str]) -> Output {
    program(folder()).arg("graph").args(arguments).output().unwrap()
}

fn drawn(arguments: &[&str]) -> String {
    let output = graph(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn drawings_are_as_pinned() {
    for (name, arguments) in [
        ("addition_dot", vec!["--format", "dot", "plans/addition/addition.nc"]),
        ("branches_mermaid", vec!["--format", "mermaid", "plans/branches/branches.nc"]),
        ("running_total_dot", vec!["--format", "dot", "plans/running_total/running_total.nc"]),
        ("grouping_svg", vec!["plans/grouping/grouping.nc"]),
        ("addition_folded", vec!["--format", "dot", "--depth", "0", "plans/addition/addition.nc"]),
        (
            "addition_only",
            vec!["--format", "dot", "--depth", "1", "--only", "{digit sum}", "plans/addition/addition.nc"],
        ),
        (
            "branches_from_right",
            vec![
                "--format",
                "mermaid",
                "--direction",
                "right",
                "--from",
                "half",
                "plans/branches/branches.nc",
            ],
        ),
    ] {
        let text = drawn(&arguments);
        snapshots("graph").bind(|| insta::assert_snapshot!(name, text));
    }
}

#[test]
fn the_extension_tells_the_format() {
    let there = tempfile::tempdir().unwrap();
    for (file, begins) in
        [("a.svg", "<svg "), ("a.dot", "digraph "), ("a.GV", "digraph "), ("a.mmd", "---\ntitle: \"chain\"")]
    {
        let path = there.path().join(file);
        let output = graph(&["plans/chain/chain.nc", "-o", path.to_str().unwrap()]);
        assert!(output.status.success() && output.stdout.is_empty(), "{file}");
        assert!(std::fs::read_to_string(&path).unwrap().starts_with(begins), "{file}");
    }
    let unknown = there.path().join("a.xyz");
    let output = graph(&["plans/chain/chain.nc", "-o", unknown.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("end its name in .svg"), "{output:?}");
    assert!(!unknown.exists());
}

#[test]
fn every_form_of_a_plan_is_drawn_alike() {
    let there = tempfile::tempdir().unwrap();
    let (bundle, split) = (there.path().join("plan.json"), there.path().join("two"));
    let (bundle, split) = (bundle.to_str().unwrap(), split.to_str().unwrap());
    let status = program(folder())
        .args(["compile", "plans/addition/addition.nc", "-o", bundle, "--split", split])
        .status()
        .unwrap();
    assert!(status.success());
    let source = drawn(&["plans/addition/addition.nc"]);
    assert_eq!(drawn(&[bundle]), source);
    let (concepts, inferences) =
        (format!("{split}/addition.concept.json"), format!("{split}/addition.inference.json"));
    assert_eq!(drawn(&["--concepts", &concepts, "--inferences", &inferences]), source);
}

#[test]
fn a_broken_plan_and_an_unknown_name_are_told() {
    let output = graph(&["plans/invalid/NC001.nc"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        output.stdout.is_empty() && String::from_utf8_lossy(&output.stderr).contains("NC001"),
        "{output:?}"
    );
    let output = graph(&["plans/chain/chain.nc", "--only", "{nothing like it}"]);
    assert_eq!(output.status.code(), Some(66));
    let output = graph(&["plans/branches/branches.nc", "--only", "number", "--from", "results"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing lies between"), "{output:?}");
}

/// A text names things with every mark that some format takes for itself.
#[test]
fn names_of_any_kind_stay_names() {
    let plan = ":<:({end})\n    <= ::(join {1}<$({a \"quoted\" & <b> #1; `x` \\ 数})%_>)\n        | %{builtin}: join\n    \
                <- {a \"quoted\" & <b> #1; `x` \\ 数}<:{1}>\n";
    let there = tempfile::tempdir().unwrap();
    let path = there.path().join("plan.nc");
    std::fs::write(&path, plan).unwrap();
    for format in ["svg", "dot", "mermaid"] {
        let output = graph(&["--format", format, path.to_str().unwrap()]);
        let text = String::from_utf8(output.stdout).unwrap();
        if !output.status.success() {
            panic!("{}", String::from_utf8_lossy(&output.stderr));
        }
        match format {
            "svg" => assert!(!text.contains("& ") && !text.contains("<b>"), "{text}"),
            "dot" => assert!(text.contains(r#"\"quoted\""#) && text.contains(r"\\ 数"), "{text}"),
            _ => assert!(text.contains("#quot;quoted#quot;") && text.contains("#35;1#59;"), "{text}"),
        }
    }
}

/// All plans of the project, and those of the corpus that compile.
#[test]
fn every_plan_is_drawn() {
    let mut folders: Vec<PathBuf> = Vec::new();
    for root in ["plans", "tests/corpus"] {
        for entry in std::fs::read_dir(folder().join(root)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("invalid") {
                folders.push(path);
            }
        }
    }
    folders.sort();
    let (mut drawn, mut all) = (0, 0);
    for file in folders.iter().flat_map(|f| std::fs::read_dir(f).unwrap()).map(|e| e.unwrap().path()) {
        if !file.extension().is_some_and(|e| e == "nc" || e == "ncd" || e == "ncds") {
            continue;
        }
        all += 1;
        let output = graph(&[file.to_str().unwrap()]);
        match output.status.code() {
            Some(0) => {
                let text = String::from_utf8(output.stdout).unwrap();
                assert!(text.starts_with("<svg ") && text.ends_with("</svg>\n"), "{}", file.display());
                assert!(!text.contains("NaN"), "{}", file.display());
                drawn += 1;
            }
            Some(1) => {}
            other => panic!("{}: {other:?} {}", file.display(), String::from_utf8_lossy(&output.stderr)),
        }
    }
    println!("drawings: {drawn} of {all} plans");
    assert!(drawn > 20, "{drawn} of {all}");
}
