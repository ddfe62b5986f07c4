//! Questions at a terminal: a pseudo-terminal that Python opens, with what a person types.

use super::*;
use crate::support::python_missing;

/// Runs a program in a terminal of its own. For each pair it waits for the first text and then types the second; in the
/// end it prints what was shown, and the exit code.
const PERSON: &str = r#"
import json, os, pty, select, signal, sys, time
steps = json.loads(sys.argv[1])
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
shown, at, end = b"", 0, time.monotonic() + 90
while time.monotonic() < end:
    if steps and steps[0][0].encode() in shown[at:]:
        at += shown[at:].index(steps[0][0].encode()) + len(steps[0][0].encode())
        os.write(fd, steps.pop(0)[1].encode())
    if not select.select([fd], [], [], 0.05)[0]:
        continue
    try:
        more = os.read(fd, 65536)
    except OSError:
        break
    if not more:
        break
    shown += more
else:
    os.kill(pid, signal.SIGKILL)
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(json.dumps({"shown": shown.decode("utf-8", "replace"), "status": status, "left": steps}))
"#;

/// What a person sees and does: the exit code, and all that was shown.
fn typed(folder: &Path, arguments: &str, editor: &str, steps: &[(&str, &str)]) -> (i64, String) {
    let python = std::env::var("NORMC_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut words: Vec<String> = vec!["-c".into(), PERSON.into(), serde_json::to_string(steps).unwrap()];
    words.push(env!("CARGO_BIN_EXE_normc").to_owned());
    words.extend(arguments.split(' ').map(str::to_owned));
    let output = Command::new(python)
        .args(words)
        .current_dir(folder)
        .env_remove("NORMC_STORE")
        .env_remove("VISUAL")
        .env("EDITOR", editor)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let all = json(&output);
    let shown = all["shown"].as_str().unwrap().to_owned();
    assert_eq!(all["left"], serde_json::json!([]), "not asked: {shown}");
    (all["status"].as_i64().unwrap(), shown)
}

#[test]
fn a_person_answers_one_question_after_the_other() {
    if python_missing("a terminal") {
        return;
    }
    let folder = folder(PLAN);
    let steps = [
        ("? 1.2 {name} (", ""),
        ("4 more questions wait)\r\n  Who are you?", ""),
        ("> ", "Ada \u{e9}\n"),
        ("? 1.3 {sure} (3 more", ""),
        ("> ", "perhaps\n"),
        ("neither yes nor no", ""),
        ("> ", "y\n"),
        ("2) dark blue", ""),
        ("> ", "2\n"),
        ("? 1.5.1.2[1] {mark} (1 more question waits)", ""),
        ("> ", "<<\nx\n.\n"),
        ("? 1.5.1.2[2] {mark}\r\n", ""),
        ("> ", "y\n"),
    ];
    let (code, shown) = typed(folder.path(), "exec plan.nc", "", &steps);
    assert_eq!(code, 0, "{shown}");
    for part in ["[Ada \u{e9}]", "[True]", "[dark blue]", "[[x], [y]]", "completed in"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn ctrl_d_leaves_a_question_open() {
    if python_missing("a terminal") {
        return;
    }
    let folder = folder(PLAN);
    let end = "\u{4}";
    let steps = [
        ("Who are you?", ""),
        ("> ", end),
        ("(1.2 stays open)", ""),
        ("> ", "n\n"),
        ("Which colour?", ""),
        ("> ", end),
        ("? 1.5.1.2[1]", ""),
        ("> ", end),
        ("? 1.5.1.2[2]", ""),
        ("> ", "y\n"),
    ];
    let (code, shown) = typed(folder.path(), "exec plan.nc --run-id r", "", &steps);
    assert_eq!(code, 75, "{shown}");
    assert!(shown.contains("3 questions wait for an answer:"), "{shown}");
    let open = run(folder.path(), "answer r --format json");
    assert_eq!(ids(&json(&open)), ["1.2", "1.4", "1.5.1.2[1]"]);
    // `normc answer` without an answer asks for it.
    let (code, shown) = typed(folder.path(), "answer r 1.4", "", &[("Which colour?", ""), ("> ", "1\n")]);
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("1.4 is answered; 2 questions are still open"), "{shown}");
    let (code, shown) = typed(folder.path(), "answer r 1.2", "", &[("> ", end)]);
    assert_eq!(code, 75, "{shown}");
}

#[test]
fn ctrl_c_is_not_held_up_by_a_question() {
    if python_missing("a terminal") {
        return;
    }
    let folder = folder(PLAN);
    let (code, shown) = typed(folder.path(), "exec plan.nc --grace 60", "", &[("> ", "Ad\u{3}")]);
    assert_eq!(code, 130, "{shown}");
    assert!(shown.contains("5 questions wait for an answer:"), "{shown}");
}

#[test]
fn texts_are_changed_in_the_editor() {
    if python_missing("a terminal") {
        return;
    }
    let plan = "\
:<:({better})
    <= ::(let a person change {1}<$({text})%_>)
        | %{ask}: \"Make it better.\"
        | %{ask_kind}: edit
    <- {text}<:{1}> | ref. \"an old text\"
";
    let folder = folder(plan);
    let (code, shown) = typed(folder.path(), "exec plan.nc", "sed -i s/old/new/", &[("Make it better.", "")]);
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("an new text"), "{shown}");
    // An editor that fails is no answer; lines are.
    let steps =
        [("did not end well", ""), ("an old text", ""), ("ended by a line .", ""), (")", "typed\n.\n")];
    let (code, shown) = typed(folder.path(), "exec plan.nc", "false", &steps);
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("{better} = typed"), "{shown}");
    // Ctrl-C belongs to the editor while it is at work; a signal to the run ends both.
    let script = "f() { trap 'echo caught' INT; echo editing; sleep 1; echo text > \"$1\"; }; f";
    let (code, shown) = typed(folder.path(), "exec plan.nc", script, &[("editing", "\u{3}"), ("caught", "")]);
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("{better} = text"), "{shown}");
}

#[test]
fn an_agent_that_asks_elsewhere_does_not_ask_here() {
    if python_missing("a terminal") {
        return;
    }
    let folder = folder(PLAN);
    let agents = r#"{"default_agent": "here", "agents": [{"id": "here"},
        {"id": "away", "tools": {"user_input": {"mode": "async"}}}],
        "mappings": [{"match_type": "flow_index", "pattern": "1\\.[245]", "agent_id": "away"}]}"#;
    fs::write(folder.path().join("plan.agent.json"), agents).unwrap();
    // Only 1.3 is asked here; the others are left open, and nobody waits for them.
    let (status, shown) =
        typed(folder.path(), "exec plan.nc --run-id apart", "", &[("? 1.3 {sure}", ""), ("> ", "y\n")]);
    assert_eq!(status, 75, "{shown}");
    let open = run(folder.path(), "answer apart --format json");
    assert_eq!(ids(&json(&open)), ["1.2", "1.4", "1.5.1.2[1]", "1.5.1.2[2]"], "{shown}");
}
