//! Stored runs, looked at with the program itself: listed, shown, told, explained, verified, exported, removed.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use normc::store::{RealDisk, Store, read_frame};
use serde_json::Value as Json;

use crate::support::{python_missing, snapshots, until};

/// A folder with plans and a store of its own.
struct Shelf {
    folder: tempfile::TempDir,
}

impl Shelf {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts one of the project's plans into the folder.
    fn plan(&self, place: &str) -> String {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans").join(place);
        let name = from.file_name().unwrap().to_str().unwrap().to_owned();
        std::fs::copy(&from, self.path(&name)).unwrap();
        name
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_normc"));
        command.args(arguments).current_dir(self.folder.path()).env("NORMC_STORE", self.path("store"));
        command
    }

    fn normc(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What a command prints, which must end with an exit code.
    fn says(&self, arguments: &[&str], exit: i32) -> String {
        let output = self.normc(arguments);
        let (stdout, stderr) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(exit), "normc {}\n{stdout}{stderr}", arguments.join(" "));
        format!("{stdout}{stderr}")
    }

    fn json(&self, arguments: &[&str]) -> Json {
        let output = self.normc(&[arguments, &["--format", "json"]].concat());
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!("normc {}: {error}\n{}", arguments.join(" "), String::from_utf8_lossy(&output.stderr))
        })
    }

    /// Runs a plan under a name; however it ends.
    fn exec(&self, plan: &str, name: &str, more: &[&str]) {
        self.normc(&[&["exec", plan, "-q", "--run-id", name], more].concat());
    }

    fn store(&self) -> Store {
        Store::new(self.path("store"), Arc::new(RealDisk))
    }

    /// The directory of a run by its name.
    fn run(&self, name: &str) -> PathBuf {
        let id = self.json(&["runs", "show", name])["run_id"].as_str().unwrap().to_owned();
        self.path("store").join("runs").join(id)
    }

    /// The parts of commands that are the same whenever and wherever they run.
    fn masked(&self, text: &str) -> String {
        mask(&text.replace(self.folder.path().canonicalize().unwrap().to_str().unwrap(), "FOLDER"))
    }
}

fn journal(run: &Path) -> PathBuf {
    run.join("journal").join("00000001.ncj")
}

fn is_all(text: &str, of: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(of)
}

/// A word that differs from run to run, by a name for its kind.
fn kind_of(word: &str) -> Option<&'static str> {
    let shape: String = word.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    match shape.as_str() {
        "9999-99-99" => return Some("DATE"),
        "99:99:99" | "99:99:99.999" => return Some("TIME"),
        _ => {}
    }
    let capital = |c: char| c.is_ascii_digit() || c.is_ascii_uppercase();
    if word.len() >= 10 && word.starts_with("01") && is_all(word, capital) {
        return Some("RUN");
    }
    let hash = matches!(word.len(), 12 | 64) && is_all(word, |c| c.is_ascii_hexdigit());
    hash.then_some("HASH")
}

fn mask(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        out.push_str(&line[..indent]);
        let mut words: Vec<String> = Vec::new();
        let mut gap = false;
        for word in line.trim_start().split(' ') {
            if word.is_empty() {
                gap = true;
                continue;
            }
            let core = word.trim_matches(|c| "(),:;`".contains(c));
            let mut word = match kind_of(core) {
                Some(kind) => word.replace(core, kind),
                None => {
                    word.split('/').map(|part| kind_of(part).unwrap_or(part)).collect::<Vec<_>>().join("/")
                }
            };
            let number =
                |w: &str| is_all(w.trim_start_matches([' ', '(']), |c| c.is_ascii_digit() || c == '.');
            let units = ["ms", "µs", "s", "min", "h", "KiB", "MiB", "bytes"];
            if let Some(last) = words.last_mut()
                && (number(last) && units.contains(&core) || last.ends_with("process"))
            {
                let unit = if number(last) { "SPAN" } else { "process PID" };
                let (head, tail) =
                    (if last.starts_with('(') { "(" } else { "" }, &word[core.len().min(word.len())..]);
                let tail = tail.to_owned();
                *last = format!("{head}{unit}{tail}");
                continue;
            }
            if gap && !words.is_empty() {
                // Columns are as wide as what stands in them.
                word = format!(" {word}");
            }
            gap = false;
            words.push(word);
        }
        let _ = writeln!(out, "{}", words.join(" "));
    }
    out
}

fn snapshot(name: &str, text: &str) {
    snapshots("runs").bind(|| insta::assert_snapshot!(name, text));
}

/// A plan that fails in its second step.
const FAILING: &str = ":<:({answer}) | 1. imperative
    <= ::(what {1}<$({double})%_> leaves when divided by {2}<$({divisor})%_>)
        | %{builtin}: remainder
    <- {double}<:{1}> | 1.2. imperative
        <= ::(multiply {1}<$({number})%_> by {2}<$({two: \"2\"})%_>)
            | %{builtin}: mul
        <- {number}<:{1}>
            | ref. 4
        <- {two: \"2\"}<:{2}>
    <- {divisor}<:{2}>
        | ref. 0
";

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

/// Takes the last frame from a closed journal, and returns its bytes.
fn cut_last_frame(run: &Path) -> Vec<u8> {
    let bytes = std::fs::read(journal(run)).unwrap();
    let mut at = 0;
    let mut last = 0;
    while let Ok(frame) = read_frame(&bytes[at..]) {
        last = at;
        at += frame.bytes.len();
    }
    assert_eq!(at, bytes.len(), "a closed journal ends with a frame");
    let tail = bytes[last..].to_vec();
    std::fs::write(journal(run), &bytes[..last]).unwrap();
    // The file that a journal has as long as it is open.
    std::fs::write(run.join("RESERVE"), "").unwrap();
    tail
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

/// The lines of a log without the column of times, which depend on how fast the machine is.
fn without_times(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", line.get(14..).unwrap_or(line).trim_end())).collect()
}

#[test]
fn what_happened_is_told_in_order() {
    let shelf = Shelf::new();
    let (total, fallback) =
        (shelf.plan("running_total/running_total.nc"), shelf.plan("fallback/fallback.nc"));
    shelf.exec(&total, "totals", &["--max-cycles", "5"]);
    shelf.says(&["exec", "--resume", "totals", "-q"], 0);
    let mut text = without_times(&shelf.says(&["logs", "totals"], 0));
    for step in ["1.1.2", "1.1.2[3]"] {
        let said = shelf.says(&["logs", "totals", "--step", step], 0);
        let _ = write!(text, "\n--- --step {step}\n{}", without_times(&said));
    }
    shelf.exec(&fallback, "branch", &[]);
    let _ = write!(
        text,
        "\n--- a branch that is not taken\n{}",
        without_times(&shelf.says(&["logs", "branch"], 0))
    );
    shelf.write("failing.nc", FAILING);
    shelf.exec("failing.nc", "bad", &[]);
    let _ = write!(text, "\n--- a failure\n{}", without_times(&shelf.says(&["logs", "bad"], 0)));
    snapshot("logs", &shelf.masked(&text));
    let json = shelf.normc(&["logs", "totals", "--step", "1.1.2.2[2]", "--format", "json"]).stdout;
    let lines: Vec<Json> =
        String::from_utf8(json).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let step: Vec<&Json> = lines.iter().filter(|l| l["step"] == "1.1.2.2[2]").collect();
    assert_eq!(step.len(), 1);
    assert_eq!(step[0]["what"], "gave");
    assert_eq!(step[0]["value"]["data"][0], "%(8)");
    let told: Vec<&str> = lines.iter().filter_map(|l| l["what"].as_str()).collect();
    assert_eq!(told, ["begins", "gave", "suspended", "resumed", "ended"]);
}

#[test]
fn a_run_at_work_is_followed_to_its_end() {
    let shelf = Shelf::new();
    let plan = shelf.plan("running_total/running_total.nc");
    for (name, ends) in [("ends", true), ("dies", false)] {
        shelf.exec(&plan, name, &[]);
        let run = shelf.run(name);
        let last = cut_last_frame(&run);
        let mut held = shelf.store().open(run.file_name().unwrap().to_str().unwrap()).unwrap();
        held.lock().unwrap();
        let mut following = shelf
            .command(&["logs", name, "--follow"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("1.1[4]")), "what was there is told at once");
        assert!(following.try_wait().unwrap().is_none(), "somebody works on the run");
        if ends {
            let mut file = std::fs::OpenOptions::new().append(true).open(journal(&run)).unwrap();
            std::io::Write::write_all(&mut file, &last).unwrap();
            assert!(lines.any(|line| line.unwrap().contains("ended: completed")));
        } else {
            drop(held);
        }
        let rest: Vec<String> = lines.map(Result::unwrap).collect();
        assert_eq!(rest, Vec::<String>::new());
        until("the end of the follower", || following.try_wait().unwrap().is_some());
        let mut said = String::new();
        following.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(said.contains("nobody works on the run any more"), !ends, "{said}");
        assert_eq!(following.wait().unwrap().code(), Some(0));
    }
    // One that ended is told and done with.
    assert!(shelf.says(&["logs", "ends", "-f"], 0).contains("ended: completed"));
}

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

#[test]
fn what_scripts_print_is_told_and_moves_no_cursor() {
    if python_missing("a script that prints") {
        return;
    }
    let shelf = Shelf::new();
    shelf.write(
        "plan.nc",
        ":<:({answer}) | 1. imperative
    <= ::(work on {1}<$({number})%_>)
        | %{script_location}: work.py
    <- {number}<:{1}>
        | ref. 4
",
    );
    let script =
        "import sys\nprint('one\\x1b[31m\\rtwo')\nprint('three', file=sys.stderr)\nresult = 'an\\x1bswer'\n";
    shelf.write("work.py", script);
    shelf.exec("plan.nc", "prints", &[]);
    for command in [&["logs", "prints"][..], &["why", "prints", "1"], &["runs", "show", "prints"], &["runs"]]
    {
        let said = shelf.says(command, 0);
        assert!(!said.chars().any(|c| c.is_control() && c != '\n'), "{said:?}");
    }
    let said = shelf.says(&["logs", "prints"], 0);
    let printed: Vec<&str> = said.lines().filter(|line| line.contains(" | ")).map(str::trim).collect();
    assert_eq!(printed, ["stdout | one\\u{1b}[31m\\rtwo", "stderr | three"]);
    assert!(said.contains("cycle 1      1 {answer}: started"), "{said}");
    let told = shelf.json(&["why", "prints", "1"]);
    let hash = normc::base::Digest::of(script.as_bytes()).to_string();
    assert_eq!(told["calls"][0]["script_hash"], hash);
    assert_eq!(told["printed"][0]["stderr"], "three\n");
    assert_eq!(told["tries"].as_array().unwrap().len(), 1);
    // Another script is another step: what it did before is told, and why it was done again.
    shelf.write("work.py", "result = 5\n");
    shelf.says(&["exec", "--resume", "prints", "-q"], 0);
    let told = shelf.json(&["why", "prints", "1"]);
    assert_eq!(told["tries"].as_array().unwrap().len(), 2);
    assert_eq!(told["tries"][0]["counts"], false);
    assert_eq!(told["redone"][0]["reason"], "the file `work.py` changed");
    assert!(told["before"][0]["what"].as_str().unwrap().starts_with("gave an"));
    assert_ne!(told["calls"][0]["script_hash"], hash);
    assert!(shelf.says(&["logs", "prints"], 0).contains("again: 1 {answer}: the file `work.py` changed"));
    let shown = shelf.json(&["runs", "show", "prints"]);
    assert_eq!(shown["resumptions"][0]["after"], "it had ended: completed");
    assert_eq!(shown["inferences"][0]["calls"], 1, "calls of what no longer counts are not counted");
}

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
