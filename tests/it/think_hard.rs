//! Plans whose steps ask models, when somebody gets in the way: servers that tell the key back, Ctrl-C, replies that
//! would move the cursor; and what all of it has cost in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::llm_server::{Act, Seen, Stub};
use crate::support::until;
use crate::think::{GREETINGS, KEY, ONE, Place, all_bytes, holds, names, result, stderr, stdout};

/// A greeting for each of a list of names, in one step.
const CELLS: &str = "\
:<:({greetings})
    <= ::(greet {1}<$({names})%>)
        | %{prompt}: Greet $input_1
    <- {names}<:{1}>
        | %{ref_axes}: [name]
";

/// What a model says goes into another prompt; beside it stands a reply in JSON.
const TWO: &str = "\
:<:({all})
    <= &[{}] %>[{second}, {facts}]
    <- {second}
        <= ::(say {1}<$({first})%> again)
            | %{prompt}: Again: $input_1
        <- {first}<:{1}>
            <= ::(say it)
                | %{prompt}: Say it
    <- {facts}
        <= ::(say it as JSON)
            | %{prompt}: As JSON
            | %{schema}: {\"type\": \"object\"}
";

fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for part in text.as_bytes().chunks(3) {
        let bits =
            part.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - part.len()));
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at) & 63) as usize];
            out.push(if at > part.len() { '=' } else { char::from(digit) });
        }
    }
    out
}

fn hexadecimal() -> String {
    KEY.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn percent() -> String {
    KEY.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Pieces of the key in its forms, without the letters that depend on what stands beside it.
fn pieces() -> Vec<String> {
    let cut = |text: String, from: usize| text[from..from + 20].to_owned();
    let header = base64(&format!("Bearer {KEY}"));
    vec![
        cut(KEY.to_owned(), 0),
        cut(hexadecimal(), 0),
        cut(percent(), 0),
        cut(header, 12),
        cut(base64(KEY), 0),
    ]
}

#[test]
fn keys_that_are_told_back_are_nowhere_in_any_form() {
    let told = |seen: &Seen| {
        let header = seen.header("authorization").unwrap_or_default().to_owned();
        format!("{header} {} {} {} {}", base64(&header), base64(KEY), hexadecimal(), percent())
    };
    let server = Stub::new(move |_, seen| match seen.prompt() {
        "Fail" => Act::Status(400, "", json!({"error": {"message": told(seen)}}).to_string()),
        // What is shown of a message ends within the key.
        "Fail late" => {
            let message = format!("{}{}", "x".repeat(170), base64(KEY));
            Act::Status(400, "", json!({"error": {"message": message}}).to_string())
        }
        prompt if prompt.starts_with("As JSON") => Act::Say(json!({KEY: 1, "b": told(seen)}).to_string()),
        _ => Act::Say(told(seen)),
    });
    let place = Place::new(TWO);
    place.write("fail.ncd", &CELLS.replace("Greet $input_1", "$input_1"));
    let mut printed = String::new();
    for (arguments, code) in [
        (&["exec", "plan.ncd", "-v", "--run-id", "good"][..], 0),
        (&["exec", "plan.ncd", "--json"], 0),
        (&["exec", "plan.ncd", "--cassette", "record"], 0),
        (&["exec", "plan.ncd", "--cassette", "replay"], 0),
        (&["exec", "fail.ncd", "-v", "--json", "--set", "names=[\"Fail\"]"], 1),
        (&["exec", "fail.ncd", "-v", "--set", "names=[\"Fail late\"]", "--run-id", "late"], 1),
        (&["why", "good", "1.2"], 0),
        (&["why", "good", "1.3", "--format", "json"], 0),
        (&["why", "late", "1"], 0),
        (&["logs", "good"], 0),
        (&["runs", "show", "good"], 0),
        (&["runs", "export", "good", "--canonical"], 0),
    ] {
        let output = place.against(&server, arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
        printed += &stdout(&output);
        printed += &stderr(&output);
    }
    assert!(printed.contains("[redacted]"), "{printed}");
    let prompts: String = server.seen().iter().map(|seen| seen.body.to_string()).collect();
    let kept = all_bytes(place.path());
    let printed = printed.replace("\n  │ ", "");
    for piece in pieces() {
        assert!(!printed.contains(&piece), "{piece} was printed: {printed}");
        assert!(!holds(&kept, &piece), "{piece} was kept");
        assert!(!prompts.contains(&piece), "{piece} was sent in a prompt");
    }
}

#[test]
fn words_that_are_no_keys_stay_in_replies() {
    let server = Stub::replying(|_| "I run under ollama".to_owned());
    let place = Place::new(ONE);
    let mut command = place.command(&["exec", "plan.ncd", "--set", "text=1", "--quiet"]);
    let output = command.env("NORMC_BASE_URL", server.url()).env("NORMC_API_KEY", "ollama").output().unwrap();
    assert_eq!(stdout(&output), "{summary} = I run under ollama\n");
    assert_eq!(server.seen()[0].header("authorization"), Some("Bearer ollama"));
}

/// A run in the background, of a provider with four calls at once.
fn started(place: &Place, server: &Stub, grace: &str) -> Child {
    place.write(
        "normc.toml",
        &format!(
            "model = \"m\"\n[providers.p]\nbase_url = \"{}\"\nconcurrency = 4\n[models.m]\nprovider = \"p\"\n",
            server.url()
        ),
    );
    let mut command = place.command(&["exec", "plan.ncd", "--set", &names(20), "--grace", grace]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn interrupt(mut child: Child) -> Option<i32> {
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let begun = Instant::now();
    loop {
        match child.try_wait().unwrap() {
            Some(status) => return status.code(),
            None => assert!(begun.elapsed() < Duration::from_secs(30), "it hangs"),
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn after_ctrl_c_nothing_more_is_sent() {
    for plan in [CELLS, GREETINGS] {
        let server = Stub::new(|number, seen| {
            let act = Act::Say(seen.prompt().to_owned());
            if number < 4 { Act::After(Duration::from_millis(1500), Box::new(act)) } else { act }
        });
        let place = Place::new(plan);
        let child = started(&place, &server, "20");
        server.wait_for(4);
        assert_eq!(interrupt(child), Some(130));
        assert_eq!(server.seen().len(), 4, "calls that waited for their turn were sent");
        let output = place.run(&["exec", "--resume", "--json"]);
        assert_eq!(result(&output)["status"], "completed", "{}", stderr(&output));
        assert!(!stderr(&output).contains("re-run"), "nothing is in doubt: {}", stderr(&output));
        assert_eq!(server.seen().len(), 20, "what was sent was answered, and is kept");
    }
}

#[test]
fn calls_that_are_made_again_have_the_keys_they_had() {
    for plan in [CELLS, GREETINGS] {
        let hung = AtomicBool::new(false);
        let server = Stub::new(move |_, seen| {
            match seen.prompt().ends_with(" 2") && !hung.swap(true, Ordering::SeqCst) {
                true => Act::Hang,
                false => Act::Say(seen.prompt().to_owned()),
            }
        });
        let place = Place::new(plan);
        let child = started(&place, &server, "0");
        let begun = Instant::now();
        while server.seen().len() < 20 {
            assert!(begun.elapsed() < Duration::from_secs(30), "{} requests", server.seen().len());
            std::thread::sleep(Duration::from_millis(10));
        }
        // The answers are written down.
        std::thread::sleep(Duration::from_millis(300));
        interrupt(child);
        let output = place.run(&["exec", "--resume", "--json"]);
        assert_eq!(result(&output)["status"], "completed", "{}", stderr(&output));
        let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for seen in server.seen() {
            let key = seen.header("idempotency-key").unwrap_or_default().to_owned();
            keys.entry(seen.prompt().to_owned()).or_default().insert(key);
        }
        assert_eq!(keys.len(), 20);
        assert_eq!(server.seen().len(), 21, "one call was interrupted");
        for (prompt, keys) in &keys {
            assert_eq!(keys.len(), 1, "{prompt}");
        }
        let all: BTreeSet<_> = keys.values().flatten().collect();
        assert_eq!(all.len(), 20, "no two calls have the same key");
    }
}

/// Its server may have worked on it: it counts, also in the next process of the run.
#[test]
fn a_call_that_was_ended_under_way_is_paid_for() {
    let hung = AtomicBool::new(false);
    let server = Stub::new(move |_, seen| match hung.swap(true, Ordering::SeqCst) {
        false => Act::Hang,
        true => Act::Say(seen.prompt().to_owned()),
    });
    let place = Place::new(CELLS);
    let child = started(&place, &server, "0");
    until("all requests", || server.seen().len() == 20);
    // The answers are written down.
    std::thread::sleep(Duration::from_millis(300));
    interrupt(child);
    let output = place.run(&["exec", "--resume", "--json"]);
    let result = result(&output);
    assert_eq!(result["status"], "completed", "{}", stderr(&output));
    assert_eq!(
        (&result["models"]["calls"], &result["models"]["tries"]),
        (&json!(21), &json!(21)),
        "{result}"
    );
    assert_eq!(server.seen().len(), 21);
    let shown = place.run(&["why", "last", "1"]);
    assert_eq!(shown.status.code(), Some(0), "{}", stderr(&shown));
}

#[test]
fn what_models_cost_is_told_for_the_whole_run() {
    for plan in [CELLS, GREETINGS] {
        let server = Stub::new(|_, seen| Act::Finish(seen.prompt().to_owned(), "stop", 40));
        let place = Place::new(plan);
        place.write(
            "normc.toml",
            &format!(
                "model = \"m\"\n[providers.p]\nbase_url = \"{}\"\n[models.m]\nprovider = \"p\"\nmax_tokens = 50\n\
                 price = {{ input = 1000000, output = 2000000 }}\n",
                server.url()
            ),
        );
        let output = place.run(&["exec", "plan.ncd", "--set", &names(6), "--json", "--max-tokens", "200"]);
        assert_eq!(output.status.code(), Some(75), "{}", stderr(&output));
        let sums = |models: &Json, steps: &Json| {
            assert_eq!(models["calls"], steps["calls"], "{models}");
            assert_eq!(models["completion_tokens"], steps["completion_tokens"], "{models}");
            assert_eq!(models["cost_micros"], steps["cost_micros"], "{models}");
            models["calls"].as_u64().unwrap()
        };
        let only = |models: &Json| models["by_step"].as_object().unwrap().values().next().unwrap().clone();
        let models = &result(&output)["models"];
        let first = sums(models, &only(models));
        assert!((1..6).contains(&first));
        let output = place.run(&["exec", "--resume", "--json", "--max-tokens", "1M"]);
        let models = &result(&output)["models"];
        assert_eq!(sums(models, &only(models)), 6, "{}", stderr(&output));
        let shown = result(&place.run(&["runs", "show", "last", "--format", "json"]));
        let inferences = shown["inferences"].as_array().unwrap();
        let step = inferences.iter().find(|inference| !inference["models"].is_null()).unwrap();
        assert_eq!(sums(&shown["models"], &step["models"]), 6);
        let text = stdout(&place.run(&["runs", "show", "last"]));
        assert!(
            text.contains("models   6 calls, ") && text.contains("tokens") && text.contains("cost"),
            "{text}"
        );
    }
}

#[test]
fn failures_say_in_json_what_to_do() {
    let server = Stub::of(vec![Act::Status(400, "", "{\"error\": \"no\"}".to_owned())]);
    let place = Place::new(CELLS);
    let output = place.against(&server, &["exec", "plan.ncd", "--set", &names(2), "--json"]);
    let failed = &result(&output)["failed"][0];
    assert!(failed["help"].as_str().unwrap().contains("max_tokens"), "{failed}");
    let told = stderr(&output).replace("\n  │ ", " ");
    assert!(told.contains("step 1 `{greetings}` failed at name "), "{told}");
}

#[test]
fn a_reply_that_was_cut_is_shown_as_cut() {
    let server = Stub::of(vec![Act::Finish("half a".to_owned(), "length", 5)]);
    let place = Place::new(ONE);
    let output = place.against(&server, &["exec", "plan.ncd", "--set", "text=1", "--json"]);
    let warning = "a reply ended at the limit of tokens of the model `env`";
    assert!(
        stderr(&output).contains(&format!("warning: step 1 {{summary}}: {warning}")),
        "{}",
        stderr(&output)
    );
    assert!(result(&output)["warnings"][0].to_string().contains(warning));
    let text = stdout(&place.run(&["why", "last", "1"]));
    assert!(text.contains("cut at its limit of tokens") && text.contains(warning), "{text}");
    let asked = &result(&place.run(&["why", "last", "1", "--format", "json"]))["asked"][0];
    assert_eq!(asked["model"]["cut"], true);
}

#[test]
fn a_reply_does_not_move_the_cursor() {
    let server = Stub::replying(|_| "a\u{1b}[2Jb\u{0}c\u{202e}d\u{9b}e".to_owned());
    let place = Place::new(ONE);
    for arguments in [&["exec", "plan.ncd", "--set", "text=1", "-v"][..], &["exec", "--resume"]] {
        let output = place.against(&server, arguments);
        let printed = stdout(&output) + &stderr(&output);
        assert!(printed.contains("a\\u{1b}[2Jb\\u{0}c\\u{202e}d\\u{9b}e"), "{printed}");
        assert!(!printed.chars().any(|c| c.is_control() && c != '\n' || c == '\u{202e}'), "{printed:?}");
    }
}
