//! `normc runs` and `runs show`, and names of runs that are not there.

use super::*;

#[test]
fn runs_are_listed_with_how_they_stand() {
    let shelf = Shelf::new();
    assert!(shelf.says(&["runs"], 0).starts_with("no runs in the store"));
    assert_eq!(shelf.json(&["runs", "list"]), serde_json::json!([]));
    let (total, circle) = (shelf.plan("running_total/running_total.nc"), shelf.plan("deadlock/circle.nc"));
    shelf.write("failing.nc", FAILING);
    shelf.exec(&total, "whole", &[]);
    shelf.exec(&circle, "stuck", &[]);
    shelf.exec("failing.nc", "bad", &[]);
    shelf.exec(&total, "limited", &["--max-cycles", "4"]);
    shelf.exec(&total, "torn", &[]);
    shelf.exec(&total, "other", &[]);
    // One of another version of the format, one that was killed before its last record.
    let (torn, other) = (shelf.run("torn"), shelf.run("other"));
    cut_last_frame(&torn);
    let format = "normc-run 9";
    std::fs::write(other.join("FORMAT"), format!("{format} {:08x}\n", crc32c::crc32c(format.as_bytes())))
        .unwrap();
    snapshot("list", &shelf.masked(&shelf.says(&["runs"], 0)));
    let listed = shelf.json(&["runs"]);
    let field = |name: &str| {
        let of = |run: &Json| run[name].as_str().unwrap_or_default().to_owned();
        listed.as_array().unwrap().iter().map(of).collect::<Vec<String>>()
    };
    assert_eq!(field("status"), ["newer", "interrupted", "suspended", "failed", "stuck", "completed"]);
    assert_eq!(field("name"), ["", "torn", "limited", "bad", "stuck", "whole"]);
    assert_eq!(field("reason")[2], "limit");
    // Held by this process.
    let mut held = shelf.store().open(torn.file_name().unwrap().to_str().unwrap()).unwrap();
    held.lock().unwrap();
    let listed = shelf.json(&["runs"]);
    assert_eq!(listed[1]["status"], "running");
    assert_eq!(listed[1]["pid"], std::process::id());
    assert!(shelf.says(&["runs", "rm", "torn"], 73).contains("in use by process"));
    assert!(torn.exists());
}

#[test]
fn a_run_is_shown_as_a_whole() {
    let shelf = Shelf::new();
    let plan = shelf.plan("running_total/running_total.nc");
    shelf.exec(&plan, "monthly", &["--max-cycles", "5"]);
    let mut text = shelf.says(&["runs", "show", "monthly"], 0);
    shelf.says(&["exec", "--resume", "monthly", "-q"], 0);
    text.push_str("\n--- after it went on\n");
    text.push_str(&shelf.says(&["runs", "show", "monthly"], 0));
    snapshot("show", &shelf.masked(&text));
    let shown = shelf.json(&["runs", "show", "last"]);
    assert_eq!(shown["status"], "completed");
    assert_eq!(shown["cycles"], 13);
    assert_eq!(shown["resumptions"][0]["after"], "limit");
    assert_eq!(shown["finals"]["{running totals}"]["data"][3][0], "%(24)");
    let flows: Vec<&str> =
        shown["inferences"].as_array().unwrap().iter().map(|i| i["flow_index"].as_str().unwrap()).collect();
    assert_eq!(flows, ["1", "1.1", "1.1.2", "1.1.2.2"]);
    assert_eq!(shown["inferences"][3]["completed"], 4);
    let steps: u64 =
        shown["cycles_list"].as_array().unwrap().iter().map(|c| c["steps"].as_u64().unwrap()).sum();
    assert_eq!(steps, 12);
    shelf.write("failing.nc", FAILING);
    shelf.exec("failing.nc", "bad", &[]);
    snapshot("show-failed", &shelf.masked(&shelf.says(&["runs", "show", "bad"], 0)));
}

#[test]
fn wrong_names_get_a_hint() {
    let shelf = Shelf::new();
    let plan = shelf.plan("running_total/running_total.nc");
    assert!(shelf.says(&["logs", "last"], 66).contains("there is no run"));
    shelf.exec(&plan, "monthly", &[]);
    for verb in [&["logs"][..], &["runs", "show"], &["runs", "verify"], &["runs", "rm"]] {
        let said = shelf.says(&[verb, &["montly"]].concat(), 66);
        assert!(said.contains("did you mean `monthly`?"), "{said}");
    }
    let said = shelf.says(&["why", "monthly", "1.1.3"], 66);
    assert!(said.contains("did you mean `1.1`? the plan has 1, 1.1, 1.1.2, 1.1.2.2"), "{said}");
    assert!(shelf.says(&["why", "monthly", "{new totl}"], 66).contains("did you mean `{new total}`?"));
    assert!(shelf.says(&["logs", "monthly", "--step", "7"], 66).contains("there is no step `7`"));
    assert!(shelf.says(&["logs", "monthly", "--step", "x"], 2).contains("write a flow index"));
    // Names without brackets will do, ids in small letters too.
    shelf.says(&["why", "monthly", "new total"], 0);
    let id = shelf.run("monthly").file_name().unwrap().to_str().unwrap()[..12].to_lowercase();
    shelf.says(&["logs", &id], 0);
}
