//! What is kept: exports that do not depend on how a run went, damage, and runs that are removed.

use super::*;

#[test]
fn results_do_not_depend_on_how_often_a_run_was_stopped() {
    let shelf = Shelf::new();
    let plan = shelf.plan("addition/addition_builtin.nc");
    shelf.exec(&plan, "whole", &[]);
    shelf.exec(&plan, "parts", &["--max-cycles", "3"]);
    for limit in ["9", "10", "22", "30"] {
        shelf.says(&["exec", "--resume", "parts", "-q", "--max-cycles", limit], 75);
    }
    shelf.says(&["exec", "--resume", "parts", "-q"], 0);
    shelf.exec(&plan, "again", &["--jobs", "1"]);
    shelf.says(&["exec", "--resume", "again", "-q", "--from-cycle", "7"], 0);
    shelf.exec(&plan, "other", &["--set", "{number pair}={\"data\": [5, 6], \"axes\": [\"number\"]}"]);
    let export = |name: &str| shelf.normc(&["runs", "export", name, "--canonical"]).stdout;
    let whole = export("whole");
    let json: Json = serde_json::from_slice(&whole).unwrap();
    assert!(json["results"].as_array().unwrap().len() > 60);
    assert_eq!(json["finals"]["{new number pair}"]["data"].as_array().unwrap().len(), 3);
    assert_eq!(export("parts"), whole);
    assert_eq!(export("again"), whole);
    assert_ne!(export("other"), whole);
    // The order is by cycle, then loop position, then place in the plan.
    let cycles: Vec<u64> =
        json["results"].as_array().unwrap().iter().map(|r| r["cycle"].as_u64().unwrap()).collect();
    assert!(cycles.is_sorted());
    let text = String::from_utf8(whole).unwrap();
    for secret in [shelf.folder.path().to_str().unwrap(), "01M", "pid", "\"at\""] {
        assert!(!text.contains(secret), "{secret}");
    }
    shelf.says(&["runs", "export", "whole", "--canonical", "-o", "results.json"], 0);
    assert_eq!(std::fs::read_to_string(shelf.path("results.json")).unwrap(), text);
}

/// All files below a directory, with their bytes.
fn contents(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path)
            } else {
                found.push((path.clone(), std::fs::read(path).unwrap()))
            }
        }
    }
    found.sort();
    found
}

#[test]
fn damage_is_found_and_named() {
    let shelf = Shelf::new();
    let plan = shelf.plan("running_total/running_total.nc");
    shelf.write(
        "large.nc",
        ":<:({doubled}) | 1. imperative
    <= ::(multiply {1}<$({number})%_> by {2}<$({two})%_>)
        | %{builtin}: mul
    <- {number}<:{1}>
    <- {two: \"2\"}<:{2}>
",
    );
    let many: Vec<u64> = (0..20_000).collect();
    shelf.write("many.json", &format!("{{\"{{number}}\": {{\"data\": {many:?}, \"axes\": [\"number\"]}}}}"));
    shelf.exec("large.nc", "large", &["--inputs", "many.json"]);
    shelf.exec(&plan, "totals", &[]);
    let (run, large) = (shelf.run("totals"), shelf.run("large"));
    let before = contents(&shelf.path("store"));
    let whole = shelf.json(&["runs", "verify", "--all"]);
    assert_eq!(whole.as_array().unwrap().len(), 2);
    assert!(whole.as_array().unwrap().iter().all(|run| run["whole"] == true), "{whole}");
    assert!(shelf.says(&["runs", "verify", "large"], 0).contains("1 object, whole"));
    for verb in [&["runs"][..], &["runs", "show", "large"], &["logs", "large"], &["why", "large", "1"]] {
        shelf.says(verb, 0);
    }
    assert_eq!(contents(&shelf.path("store")), before, "looking writes nothing");

    let name = |path: &Path| path.strip_prefix(&run).unwrap().display().to_string();
    let problems = |run: &str| {
        let output = shelf.normc(&["runs", "verify", run, "--format", "json"]);
        assert_eq!(output.status.code(), Some(65));
        let verified: Json = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(verified["whole"], false);
        verified["problems"].as_array().unwrap().clone()
    };
    // A bit of every part of the journal, one after the other.
    let path = journal(&run);
    let good = std::fs::read(&path).unwrap();
    let mut frames = vec![0];
    while let Ok(frame) = read_frame(&good[frames[frames.len() - 1]..]) {
        frames.push(frames[frames.len() - 1] + frame.bytes.len());
    }
    for (number, frame) in frames.windows(2).enumerate() {
        for place in [frame[0], frame[0] + 9, frame[0] + 30, frame[1] - 1] {
            let mut bad = good.clone();
            bad[place] ^= 4;
            std::fs::write(&path, &bad).unwrap();
            // A last frame that does not fit is what an interrupted write leaves.
            if frame[1] == good.len() {
                let said = shelf.says(&["runs", "verify", "totals"], 0);
                assert!(said.contains("written only in part"), "{said}");
                continue;
            }
            if number == 0 {
                // Without its first record the run has no name.
                continue;
            }
            let found = problems("totals");
            assert_eq!(found[0]["offset"], frame[0], "{found:?}");
            assert!(found[0]["problem"].as_str().unwrap().contains(&format!("{}", number + 1)), "{found:?}");
            assert!(found[0]["help"].as_str().unwrap().contains("repair"), "{found:?}");
        }
    }
    // Two places at once are two problems.
    let mut bad = good.clone();
    bad[frames[3] + 20] ^= 1;
    bad[frames[7] + 20] ^= 1;
    std::fs::write(&path, &bad).unwrap();
    let found = problems("totals");
    assert_eq!(found.iter().map(|p| p["offset"].clone()).collect::<Vec<_>>(), [frames[3], frames[7]]);
    let said = shelf.says(&["runs", "verify", "totals"], 65);
    assert!(said.contains("record 4 is gone") && said.contains("record 8 is gone"), "{said}");
    for verb in [&["runs", "show", "totals"][..], &["logs", "totals"], &["why", "totals", "1"]] {
        assert!(shelf.says(verb, 65).contains("normc runs verify"));
    }
    assert!(shelf.says(&["runs"], 0).contains("damaged"), "one damaged run does not hide the others");
    // What is before the damage can be saved.
    let to = shelf.path("saved").join("runs").join(run.file_name().unwrap());
    let said = shelf.says(&["runs", "repair", "totals", "--to", to.to_str().unwrap()], 0);
    assert!(said.contains("copied 3 records"), "{said}");
    let saved = shelf.path("saved");
    let said = shelf.says(&["runs", "verify", "last", "--store", saved.to_str().unwrap()], 0);
    assert!(said.contains("3 frames, 0 objects, whole"), "{said}");
    shelf.says(&["exec", "--resume", "last", "-q", "--store", saved.to_str().unwrap()], 0);
    std::fs::write(&path, &good).unwrap();

    // Values and plans.
    let (object, _) = before.iter().find(|(path, _)| path.starts_with(large.join("objects"))).unwrap();
    let bytes = std::fs::read(object).unwrap();
    let mut bad = bytes.clone();
    bad[bytes.len() / 2] ^= 1;
    std::fs::write(object, &bad).unwrap();
    let found = problems("large");
    assert_eq!(found[0]["file"], object.strip_prefix(&large).unwrap().to_str().unwrap());
    std::fs::remove_file(object).unwrap();
    assert!(problems("large")[0]["problem"].as_str().unwrap().contains("missing"));
    std::fs::write(object, &bytes).unwrap();
    for (document, bytes) in before.iter().filter(|(path, _)| path.starts_with(run.join("plan"))) {
        std::fs::remove_file(document).unwrap();
        assert_eq!(problems("totals")[0]["file"], name(document));
        std::fs::write(document, bytes).unwrap();
    }
    shelf.says(&["runs", "verify", "--all"], 0);
    // A journal in another run's directory.
    std::fs::copy(&path, journal(&large)).unwrap();
    let found = problems(large.file_name().unwrap().to_str().unwrap());
    assert!(found[0]["problem"].as_str().unwrap().contains("journal of run"), "{found:?}");
}

#[test]
fn old_runs_are_removed_and_live_ones_kept() {
    let shelf = Shelf::new();
    let plan = shelf.plan("fallback/fallback.nc");
    for name in ["a", "b", "c", "d", "e"] {
        shelf.exec(&plan, name, &[]);
    }
    let names = || {
        let listed = shelf.json(&["runs"]);
        listed
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r["name"].as_str().unwrap_or("?").to_owned())
            .collect::<Vec<_>>()
    };
    assert!(shelf.says(&["runs", "gc"], 2).contains("--keep"));
    assert!(shelf.says(&["runs", "gc", "--older", "soon"], 2).contains("is no time"));
    let said = shelf.says(&["runs", "gc", "--keep", "3", "--dry-run"], 0);
    assert!(said.contains("2 runs, would free"), "{said}");
    assert!(shelf.says(&["runs", "gc", "--older", "1h"], 0).contains("0 runs"));
    assert_eq!(names(), ["e", "d", "c", "b", "a"]);
    let live = shelf.run("b");
    let mut held = shelf.store().open(live.file_name().unwrap().to_str().unwrap()).unwrap();
    held.lock().unwrap();
    // The live one is kept, and does not count.
    shelf.says(&["runs", "gc", "--keep", "3"], 0);
    assert_eq!(names(), ["e", "d", "c", "b"]);
    assert!(shelf.says(&["runs", "rm", "b", "c"], 73).contains("removed "), "the other one goes");
    assert_eq!(names(), ["e", "d", "b"]);
    drop(held);
    let freed = shelf.json(&["runs", "rm", "b"]);
    assert!(freed["bytes"].as_u64().unwrap() > 1000, "{freed}");
    assert!(shelf.says(&["runs", "rm", "d", "nix"], 66).contains("there is no run `nix`"));
    assert_eq!(names(), ["e", "d"], "a wrong name leaves everything as it was");
    shelf.says(&["runs", "gc", "--older", "0s", "--keep", "1"], 0);
    assert_eq!(names(), ["e"]);
    // A damaged one can be removed too.
    let run = shelf.run("e");
    std::fs::remove_file(run.join("FORMAT")).unwrap();
    shelf.says(&["runs", "rm", "last"], 0);
    assert!(!run.exists());
}
