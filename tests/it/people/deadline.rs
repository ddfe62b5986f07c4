//! Questions with a deadline: counted from the first time they were asked, kept through restarts, and no longer.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::*;

/// A question with some time for an answer, beside work that needs nobody.
fn plan(limit: &str) -> String {
    format!(
        "\
:<:({{all}})
    <= &in({{name}};{{sum}})
    <- {{name}}
        <= ::(ask for a name)
            | %{{ask}}: \"Who are you?\"
{limit}    <- {{sum}}
        <= ::(add {{1}} and {{2}})
            | %{{builtin}}: add
        <- {{a}}<:{{1}}> | ref. 1
        <- {{b}}<:{{2}}> | ref. 2
"
    )
}

fn limited(seconds: &str) -> String {
    plan(&format!("            | %{{timeout}}: {seconds}\n"))
}

fn write(folder: &Path, plan: &str) {
    fs::write(folder.join("plan.nc"), plan).unwrap();
}

/// Until the deadline of every open question is over.
fn wait_for_deadline(listed: &Json) {
    let deadline = listed["questions"][0]["deadline"].as_u64().unwrap();
    let now = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    while now() <= u128::from(deadline) {
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_question_nobody_answers_in_time_fails_its_step() {
    let folder = folder(&limited("0.4"));
    let folder = folder.path();
    let (code, _, said) = told(&run(folder, "exec plan.nc --run-id r -q --mailbox box"));
    assert_eq!(code, Some(1), "{said}");
    for part in ["1.2 `{name}`", "no_answer_in_time", "nobody answered the question 1.2", "%{timeout}"] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    assert_eq!(fs::read_dir(folder.join("box/requests")).unwrap().count(), 0);
    let (_, shown, _) = told(&run(folder, "why r 1.2"));
    assert!(shown.contains("failed: no_answer_in_time"), "{shown}");
    assert_eq!(told(&run(folder, "answer r")).2.lines().count(), 1, "no question is open");
}

#[test]
fn a_deadline_survives_a_restart_and_is_asked_anew_once_it_has_failed() {
    let folder = folder(&limited("1.5"));
    let folder = folder.path();
    let first = run(folder, "exec plan.nc --run-id r --json");
    assert_eq!(first.status.code(), Some(75), "{first:?}");
    let asked = json(&first);
    let question = &asked["questions"][0];
    let (at, deadline) = (question["asked_at"].as_u64().unwrap(), question["deadline"].as_u64().unwrap());
    assert_eq!(deadline - at, 1500);
    let (_, listed, _) = told(&run(folder, "answer r"));
    assert!(listed.contains("    to be answered until 2"), "{listed}");
    let (_, shown, _) = told(&run(folder, "why r 1.2"));
    assert!(shown.contains(", until 2"), "{shown}");
    wait_for_deadline(&asked);
    let (code, _, said) = told(&run(folder, "answer r 1.2 Ada"));
    assert_eq!(code, Some(66), "{said}");
    assert!(said.contains("it is too late: 1.2"), "{said}");
    let (code, _, said) = told(&run(folder, "exec --resume r -q"));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("no_answer_in_time"), "{said}");
    // The step failed; a new try asks anew, with its own time.
    let again = run(folder, "exec --resume r --json");
    assert_eq!(again.status.code(), Some(75), "{again:?}");
    let asked = json(&again);
    assert!(asked["questions"][0]["asked_at"].as_u64().unwrap() > deadline);
    // An answer given beforehand does not come in time either when the time is over.
    wait_for_deadline(&asked);
    fs::write(folder.join("a.json"), "{\"1.2\": \"Ada\"}").unwrap();
    let (code, _, said) = told(&run(folder, "exec --resume r -q --answers a.json"));
    assert_eq!(code, Some(1), "{said}");
    let (code, out, said) = told(&run(folder, "exec --resume r --json --answers a.json"));
    assert_eq!(code, Some(0), "{said}");
    assert!(out.contains("(Ada)"), "{out}");
}

#[test]
fn more_time_can_be_given_while_a_question_is_open() {
    let folder = folder(&limited("0.2"));
    let folder = folder.path();
    let first = json(&run(folder, "exec plan.nc --run-id r --json"));
    wait_for_deadline(&first);
    write(folder, &limited("86400"));
    let second = json(&run(folder, "exec plan.nc --resume r --json"));
    let of = |all: &Json, field: &str| all["questions"][0][field].as_u64().unwrap();
    assert_eq!(of(&second, "asked_at"), of(&first, "asked_at"));
    assert_eq!(of(&second, "deadline") - of(&second, "asked_at"), 86_400_000);
    // What is listed without the run is what the run would do.
    assert_eq!(json(&run(folder, "answer r --format json"))["questions"], second["questions"]);
    write(folder, &plan(""));
    let third = json(&run(folder, "exec plan.nc --resume r --json"));
    assert_eq!(third["questions"][0].get("deadline"), None);
    assert_eq!(run(folder, "answer r 1.2 Ada").status.code(), Some(0));
    let (code, out, said) = told(&run(folder, "exec --resume r --json"));
    assert_eq!((code, out.contains("(Ada)")), (Some(0), true), "{said}");
}
