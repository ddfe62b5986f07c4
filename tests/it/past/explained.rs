//! `normc why`: a step, what it saw and where that came from.

use std::fmt::Write as _;

use super::*;

#[test]
fn a_step_is_explained() {
    let shelf = Shelf::new();
    let (total, fallback) =
        (shelf.plan("running_total/running_total.nc"), shelf.plan("fallback/fallback.nc"));
    let (gate, addition) = (shelf.plan("deadlock/gate.nc"), shelf.plan("addition/addition_builtin.nc"));
    shelf.exec(&total, "totals", &[]);
    shelf.exec(&fallback, "branch", &["--set", "{number}=5"]);
    shelf.exec(&gate, "stuck", &[]);
    shelf.exec(&total, "limited", &["--max-cycles", "4"]);
    shelf.exec(&addition, "sum", &[]);
    shelf.write("failing.nc", FAILING);
    shelf.exec("failing.nc", "bad", &[]);
    let mut text = String::new();
    for (run, step) in [
        ("totals", "{new total}"),
        ("totals", "1.1.2.2[1]"),
        ("totals", "1"),
        ("totals", "{number}"),
        ("totals", "1.1.2[9]"),
        ("branch", "1.3"),
        ("branch", "1"),
        ("stuck", "1.2"),
        ("limited", "1.1.2.2[3]"),
        ("sum", "1.1.3"),
        ("bad", "1"),
    ] {
        let _ = write!(text, "$ normc why {run} {step}\n{}\n", shelf.says(&["why", run, step], 0));
    }
    snapshot("why", &shelf.masked(&text));
}

/// Where a node of the chain of producers came from, in a word or two.
fn source(node: &Json) -> String {
    match node["from"].as_str().unwrap() {
        "start" => "start".to_owned(),
        "element" => {
            let base = node["inputs"].as_array().unwrap().first().map_or("start".to_owned(), source);
            format!("{} of {} from {base}", node["position"], node["base"].as_str().unwrap())
        }
        "loop" => format!("loop {}", node["step"].as_str().unwrap()),
        _ => format!("{} {}", node["step"].as_str().unwrap(), node["outcome"]["what"].as_str().unwrap()),
    }
}

/// A loop over what another loop gave, and a list that grows by two in an iteration.
const CHAINED: &str = ":<:({squares}) | 1. quantifying
    <= *every({doubles})%:[{number}]@(2) | 1.1. assigning
        <= $.({square})
        <- {square} | 1.1.2. imperative
            <= ::(multiply {1}<$({double})%_> by {2}<$({double})%_>)
                | %{builtin}: mul
            <- {doubles}*2<:{1}>
            <- {two: \"2\"}<:{2}>
    <- {doubles} | 1.2. quantifying
        <= *every({number})%:[{number}]@(1) | 1.2.1. assigning
            <= $.({double})
            <- {double} | 1.2.1.2. imperative
                <= ::(multiply {1}<$({number})%_> by {2}<$({two})%_>)
                    | %{builtin}: mul
                <- {number}*1<:{1}>
                <- {two: \"2\"}<:{2}>
        <- {number} | ref. %(number)=[3, 5]
";

/// A concept a step reads, and where it came from.
type Wanted<'a> = (&'a str, String);

#[test]
fn every_value_has_its_giver() {
    let shelf = Shelf::new();
    shelf.write("chained.nc", CHAINED);
    for plan in [
        "running_total/running_total.nc",
        "running_total/every_other.nc",
        "table/table.nc",
        "branches/branches.nc",
        "addition/addition_builtin.nc",
    ] {
        let name = shelf.plan(plan);
        shelf.exec(&name, name.trim_end_matches(".nc"), &[]);
    }
    shelf.exec("chained.nc", "chained", &[]);
    let start = |n: u32, base: &str| format!("{n} of {base} from start");
    let cases: &[(&str, &str, &[Wanted])] = &[
        (
            "running_total",
            "1.1.2.2[1]",
            &[("{number}*1", start(1, "{number}")), ("{total}*1", "start".into())],
        ),
        (
            "running_total",
            "1.1.2.2[3]",
            &[("{number}*1", start(3, "{number}")), ("{total}*1", "1.1.2[2] gave".into())],
        ),
        // What the iteration itself gave wins over what it was handed.
        ("running_total", "1.1[3]", &[("{total}*1", "1.1.2[3] gave".into())]),
        ("every_other", "1.1.2.2[2]", &[("{total}*1", "start".into())]),
        ("every_other", "1.1.2.2[3]", &[("{total}*1", "1.1.2[1] gave".into())]),
        ("table", "1.1.2.1.2[3,4]", &[("{row}*1", start(3, "{row}")), ("{column}*2", start(4, "{column}"))]),
        ("table", "1.1[3]", &[("{line}", "loop 1.1.2[3]".into())]),
        // 3 is odd: one branch was skipped, the other one gave.
        (
            "branches",
            "1.1.2[1]",
            &[("{half}", "1.1.2.3[1] skipped".into()), ("{triple}", "1.1.2.4[1] gave".into())],
        ),
        (
            "branches",
            "1.1.2[2]",
            &[("{half}", "1.1.2.3[2] gave".into()), ("{triple}", "1.1.2.4[2] skipped".into())],
        ),
        ("branches", "1.1.2.3.1[2]", &[("<the number is even>", "1.1.2.2[2] gave".into())]),
        // The base of the loop grows: its elements are from whoever appended them, in inner loops too.
        ("addition_builtin", "1.1.2.4.2[1]", &[("{number pair}*1", start(1, "{number pair}"))]),
        (
            "addition_builtin",
            "1.1.2.4.2.1.2[3,1]",
            &[(
                "{number pair}*1*2",
                "1 of {number pair}*1 from 3 of {number pair} from 1.1.3[2] appended".into(),
            )],
        ),
        (
            "addition_builtin",
            "1.1.3[2]",
            &[
                ("{number pair to append}<$={1}>", "loop 1.1.3.2[2]".into()),
                ("{number pair}", "1.1.3[1] appended".into()),
            ],
        ),
        ("addition_builtin", "1.1.2[1]", &[("{carry-over number}*1", "start".into())]),
        ("addition_builtin", "1.1.2[3]", &[("{carry-over number}*1", "1.1.3.4.2[2] gave".into())]),
        ("chained", "1.1.2[2]", &[("{doubles}*2", "2 of {doubles} from loop 1.2".into())]),
        ("chained", "1.2.1[2]", &[("{double}", "1.2.1.2[2] gave".into())]),
    ];
    let mut wrong = String::new();
    for (run, step, wanted) in cases {
        let told = shelf.json(&["why", run, step]);
        for (concept, from) in *wanted {
            let nodes = told["came_from"].as_array().unwrap().iter();
            let bare = |name: &str| name.trim_end_matches("<$={1}>").to_owned();
            let found = nodes.filter(|n| bare(n["concept"].as_str().unwrap()) == bare(concept)).map(source);
            let found: Vec<String> = found.collect();
            if found.first() != Some(from) {
                let _ = writeln!(wrong, "{run} {step} {concept}: {found:?}, not {from}");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    // What the loop's iterations gave, and the depth of the chain.
    let told = shelf.json(&["why", "table", "1", "--depth", "2"]);
    let sources: Vec<String> = told["came_from"].as_array().unwrap().iter().map(source).collect();
    assert_eq!(sources, ["start", "1.1[1] gave", "1.1[2] gave", "1.1[3] gave"]);
    assert_eq!(told["came_from"][1]["inputs"][0]["more"], true);
    assert_eq!(told["positions"], serde_json::json!([]));
    assert_eq!(told["outcome"]["iterations"], 9);
}

#[test]
fn what_a_gate_let_through_is_what_the_step_saw() {
    if python_missing("the filter of a gate") {
        return;
    }
    let shelf = Shelf::new();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let scenario: Json =
        serde_json::from_str(&std::fs::read_to_string(golden.join("mask_filter_cold.json")).unwrap())
            .unwrap();
    let plan = &scenario["plans"]["main"];
    for part in ["concepts", "inferences"] {
        shelf.write(&format!("{part}.json"), &plan[part].to_string());
    }
    std::fs::create_dir(shelf.path("scripts")).unwrap();
    for script in ["double.py", "is_even.py"] {
        std::fs::copy(golden.join("scripts").join(script), shelf.path("scripts").join(script)).unwrap();
    }
    let numbers = "{numbers}={\"data\": [1, 2, 3, 4], \"axes\": [\"number\"]}";
    let plan =
        ["exec", "--concepts", "concepts.json", "--inferences", "inferences.json", "-q", "--set", numbers];
    shelf.says(&plan, 0);
    let told = shelf.json(&["why", "last", "1"]);
    let seen = |concept: &str| {
        let saw = told["saw"].as_array().unwrap();
        saw.iter().find(|s| s["concept"] == concept).unwrap_or_else(|| panic!("{told}")).clone()
    };
    assert_eq!(seen("{numbers}")["filtered"], true);
    assert_eq!(seen("{numbers}")["value"]["data"].to_string(), "[\"@#SKIP#@\",2,\"@#SKIP#@\",4]");
    assert_eq!(told["calls"].as_array().unwrap().len(), 2, "a filtered cell is not called for");
    assert_eq!(told["calls"][1]["cell"], serde_json::json!({"number": 3}));
    assert_eq!(told["gates"][0]["step"], "1.1");
    assert_eq!(told["gates"][0]["asked"][0]["met"], true);
    let said = shelf.says(&["why", "last", "1"], 0);
    assert!(said.contains("(what its gate let through"), "{said}");
    // The judgement itself saw all of them.
    let told = shelf.json(&["why", "last", "<even>"]);
    let runs = told["asked"].as_array().unwrap().iter().filter(|asked| asked["method"] == "python.call");
    assert_eq!(runs.count(), 4, "{told}");
    assert_eq!(told["outcome"]["mask"]["data"].as_array().unwrap().len(), 4);
}
