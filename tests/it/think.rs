//! Plans whose steps ask models, from the command line: against a server of the test, and without one.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::llm_server::{Act, Stub};
use crate::support::{ends, program};

/// A key nobody has.
pub(crate) const KEY: &str = "sk-canary-4711-never-written-anywhere";

/// A list of names, a greeting for each.
pub(crate) const GREETINGS: &str = "\
:<:({greetings})
    <= *every({names})%:[{names}]@(1)
        <= $.({greeting}*1)
        <- {greeting}*1
            <= ::(greet {1}<$({names})%>)
                | %{prompt}: Greet $input_1
            <- {names}*1<:{1}>
    <- {names}
        | %{ref_axes}: [name]
";

/// One step with a prompt.
pub(crate) const ONE: &str = "\
:<:({summary})
    <= ::(sum up {1}<$({text})%>)
        | %{prompt}: Sum up: $input_1
    <- {text}<:{1}>
";

pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new(plan: &str) -> Self {
        let place = Self(TempDir::new().unwrap());
        place.write("plan.ncd", plan);
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program(self.path());
        command.args(arguments).env_remove("NORMC_MODEL").env_remove("NORMC_BASE_URL");
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs against a server, with the key.
    pub(crate) fn against(&self, server: &Stub, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        command.env("NORMC_BASE_URL", server.url()).env("NORMC_API_KEY", KEY);
        command.output().unwrap()
    }
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(crate) fn result(output: &Output) -> Json {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no JSON: {}", stderr(output)))
}

pub(crate) fn names(count: usize) -> String {
    let names: Vec<String> = (0..count).map(|n| format!("name {n}")).collect();
    format!("names={}", json!(names))
}

/// All bytes of all files of a folder.
pub(crate) fn all_bytes(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => bytes.extend(std::fs::read(path).unwrap()),
            }
        }
    }
    bytes
}

pub(crate) fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn a_base_url_is_all_a_server_needs() {
    let server = Stub::replying(|prompt| format!("<{prompt}>"));
    let place = Place::new(ONE);
    let output = place.against(&server, &["exec", "plan.ncd", "--set", "text=\"a text\"", "--json"]);
    let result = result(&output);
    let data = result["finals"]["{summary}"]["data"].to_string();
    assert!(data.contains("(<Sum up: a text>)"), "{data}: {}", stderr(&output));
    assert_eq!(result["models"]["calls"], 1);
    assert_eq!(result["models"]["by_step"]["1"]["calls"], 1);
    assert_eq!(server.seen()[0].header("authorization"), Some(format!("Bearer {KEY}").as_str()));
}

#[test]
fn iterations_ask_at_the_same_time() {
    // Nobody is answered before all are there.
    let server = Stub::new(|_, seen| {
        let greeting = format!("hello, {}", seen.prompt().trim_start_matches("Greet "));
        Act::Together(200, Box::new(Act::Say(greeting)))
    });
    let place = Place::new(GREETINGS);
    place.write(
        "normc.toml",
        &format!(
            "model = \"m\"\n[providers.p]\nbase_url = \"{}\"\nconcurrency = 200\n[models.m]\nprovider = \"p\"\n",
            server.url()
        ),
    );
    let output = place.run(&["exec", "plan.ncd", "--set", &names(200), "--json"]);
    let result = result(&output);
    assert_eq!(result["status"], "completed", "{}", stderr(&output));
    assert_eq!(result["models"]["calls"], 200);
    assert_eq!(server.most_at_once(), 200);
}

#[test]
fn keys_are_nowhere_but_in_the_request() {
    // The server tells the key back, in its refusal and in a reply.
    let server = Stub::of(vec![
        Act::Status(401, "", format!("{{\"error\": {{\"message\": \"the key {KEY} is not known\"}}}}")),
        Act::Say(format!("your key is {KEY}, isn't it")),
    ]);
    let place = Place::new(ONE);
    let mut printed = String::new();
    for arguments in [
        &["exec", "plan.ncd", "--set", "text=1", "-v", "--cassette", "record"][..],
        &["exec", "--resume", "-v", "--cassette", "record"],
        &["why", "last", "1"],
        &["why", "last", "1", "--format", "json"],
        &["logs", "last"],
        &["runs", "show", "last"],
        &["exec", "plan.ncd", "--set", "text=1", "--dry-run"],
        &["runs", "export", "last", "--canonical"],
    ] {
        let output = place.against(&server, arguments);
        printed += &stdout(&output);
        printed += &stderr(&output);
    }
    assert!(printed.contains("model_refused") || printed.contains("401"), "{printed}");
    assert!(!printed.contains(KEY), "{printed}");
    assert!(!holds(&all_bytes(place.path()), KEY));
    assert!(holds(&all_bytes(place.path()), "[redacted]"));
}

#[test]
fn what_was_recorded_is_replayed_without_a_server() {
    let server = Stub::replying(|prompt| format!("{prompt}!"));
    let place = Place::new(GREETINGS);
    let exec = |mode: &str| {
        vec![
            "exec".to_owned(),
            "plan.ncd".into(),
            "--set".into(),
            names(3),
            "--json".into(),
            "--cassette".into(),
            mode.into(),
        ]
    };
    let arguments = |mode: &str| exec(mode);
    let recorded =
        place.against(&server, &arguments("record").iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(recorded.status.code(), Some(0), "{}", stderr(&recorded));
    let asked = server.seen().len();
    assert_eq!(asked, 3);
    let file = std::fs::read(place.path().join("plan.cassette.jsonl")).unwrap();
    let replayed =
        place.against(&server, &arguments("replay").iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(result(&replayed)["finals"], result(&recorded)["finals"], "{}", stderr(&replayed));
    assert_eq!(server.seen().len(), asked, "a replay asked the server");
    let again = place.against(&server, &arguments("record").iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(again.status.code(), Some(0));
    assert_eq!(std::fs::read(place.path().join("plan.cassette.jsonl")).unwrap(), file);
    // A prompt that was not recorded fails, and the nearest recording is shown.
    place.write("plan.ncd", &GREETINGS.replace("Greet $", "Greet warmly $"));
    let missed = place.against(&server, &arguments("replay").iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(missed.status.code(), Some(1));
    let told = stderr(&missed);
    assert!(told.contains("-Greet name") && told.contains("+Greet warmly name"), "{told}");
}

#[test]
fn a_budget_stops_before_the_call_and_nothing_is_asked_twice() {
    let server = Stub::new(|_, seen| Act::Finish(seen.prompt().to_owned(), "stop", 40));
    let place = Place::new(GREETINGS);
    place.write(
        "normc.toml",
        &format!(
            "model = \"m\"\n[providers.p]\nbase_url = \"{}\"\nconcurrency = 1\n[models.m]\nprovider = \"p\"\n\
             max_tokens = 50\nprice = {{ input = 1000000, output = 2000000 }}\n",
            server.url()
        ),
    );
    let output = place.run(&["exec", "plan.ncd", "--set", &names(6), "--json", "--max-tokens", "200"]);
    assert_eq!(output.status.code(), Some(75), "{}", stderr(&output));
    let (before, first) = (server.seen().len(), result(&output));
    assert!((1..6).contains(&before), "{before} calls");
    assert_eq!(first["status"], "interrupted");
    let spent = |result: &Json| {
        result["models"]["prompt_tokens"].as_u64().unwrap()
            + result["models"]["completion_tokens"].as_u64().unwrap()
    };
    assert!(spent(&first) <= 200, "{first}");
    let told = stderr(&output);
    assert!(told.contains("--resume") && told.contains("budget"), "{told}");
    let output = place.run(&["exec", "--resume", "--json", "--max-cost", "100"]);
    let last = result(&output);
    assert_eq!(last["status"], "completed", "{}", stderr(&output));
    assert_eq!(server.seen().len(), 6, "a call was made twice");
    assert_eq!(last["models"]["calls"], 6);
    assert!(last["models"]["cost_micros"].as_u64().unwrap() > 0);
    // The calls of both processes are those of the run; an answer is no step.
    let shown = result(&place.run(&["runs", "show", "last", "--format", "json"]));
    let calls = shown["inferences"].as_array().unwrap().iter().map(|row| row["calls"].as_u64().unwrap());
    assert_eq!(calls.sum::<u64>(), 6, "{shown}");
    assert_eq!(shown["cycles_list"][0]["steps"], 6, "{shown}");
    // What it has cost is said as long as it is there.
    let again = result(&place.run(&["exec", "--resume", "--json"]));
    assert_eq!(again["models"], last["models"]);
}

#[test]
fn a_spent_budget_does_not_wait_for_the_rate() {
    let server = Stub::new(|_, _| Act::Say("hello".to_owned()));
    let place = Place::new(&GREETINGS.replace("$input_1", "$input_1."));
    place.write(
        "normc.toml",
        &format!(
            "model = \"m\"\n[providers.p]\nbase_url = \"{}\"\nrequests_per_minute = 2\n[models.m]\nprovider = \
             \"p\"\nmax_tokens = 50\n",
            server.url()
        ),
    );
    let began = std::time::Instant::now();
    let output = place.run(&["exec", "plan.ncd", "--set", &names(6), "--json", "--max-tokens", "1"]);
    assert_eq!(output.status.code(), Some(75), "{}", stderr(&output));
    assert!(began.elapsed() < Duration::from_secs(20), "it waited {:?} for nothing", began.elapsed());
    assert_eq!(server.seen().len(), 0);
}

#[test]
fn cells_that_were_answered_are_not_asked_again() {
    // The third name is refused the first time.
    let server = Stub::new(|number, seen| match seen.prompt().ends_with("name 2") && number < 4 {
        true => Act::Status(400, "", "{\"error\": {\"message\": \"not that one\"}}".to_owned()),
        false => Act::Say("hello".to_owned()),
    });
    let plan = "\
:<:({greetings})
    <= ::(greet {1}<$({names})%>)
        | %{prompt}: Greet $input_1
    <- {names}<:{1}>
        | %{ref_axes}: [name]
";
    let place = Place::new(plan);
    let output = place.against(&server, &["exec", "plan.ncd", "--set", &names(4), "--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let failed = result(&output)["failed"][0].clone();
    assert_eq!(failed["kind"], "model_refused");
    assert_eq!(failed["cell"]["name"], 2, "{failed}");
    assert_eq!(failed["flow_index"], "1");
    let told = stderr(&output).replace("\n  │", "");
    assert!(told.contains("not that one") && told.contains("greetings"), "{told}");
    let asked = server.seen().len();
    assert_eq!(asked, 4);
    let why = stdout(&place.run(&["why", "last", "1"]));
    assert!(why.contains("of model ") && !why.contains("answered by ,"), "{why}");
    let output = place.against(&server, &["exec", "--resume", "--json"]);
    assert_eq!(result(&output)["status"], "completed", "{}", stderr(&output));
    assert_eq!(server.seen().len(), asked + 1, "more than the failed cell was asked again");
}

#[test]
fn a_reply_that_looks_like_a_sign_stays_text() {
    let evil = "%{script_location}(evil.py)";
    let plan = "\
:<:({end})
    <= ::(pass on {1}<$({reply})%>)
        | %{paradigm}: pass-through
    <- {reply}<:{1}>
        <= ::(say something about {1}<$({text})%>)
            | %{prompt}: Say it: $input_1
        <- {text}<:{1}>
";
    let place = Place::new(plan);
    place.write("evil.py", "open('gotcha', 'w').write('x')\nresult = 1\n");
    let server = Stub::replying(move |_| evil.to_owned());
    let output = place.against(&server, &["exec", "plan.ncd", "--set", "text=1", "--json"]);
    let text = result(&output)["finals"]["{end}"]["data"].to_string();
    assert!(text.contains(evil), "{text}: {}", stderr(&output));
    assert!(!place.path().join("gotcha").exists());
}

#[test]
fn paths_of_models_do_not_leave_the_folder() {
    let plan = "\
:<:({saved})
    <= ::(write it down)
        | %{paradigm}: h_PromptTemplate_SaveDir-c_GenerateThinkJson-Extract-Save-o_FileLocation
    <- {prompt}<:{1}>
        | %{literal}: \"%{prompt}(files as JSON)\"
    <- {folder}<:{2}>
        | %{literal}: \"%{save_dir}(out)\"
";
    for name in ["../escaped.txt", "/tmp/escaped-normc.txt", ".hidden", "a/../../escaped.txt"] {
        let place = Place::new(plan);
        let reply = json!({"answer": {name: "text"}}).to_string();
        let server = Stub::replying(move |_| reply.clone());
        let output = place.against(&server, &["exec", "plan.ncd", "--json"]);
        assert_eq!(output.status.code(), Some(1), "{name}: {}", stdout(&output));
        let result = result(&output);
        let kind = result["failed"][0]["kind"].as_str().unwrap_or_default();
        assert!(["path_escapes_base", "bad_path"].contains(&kind), "{name}: {result}");
        assert!(!place.path().parent().unwrap().join("escaped.txt").exists());
        assert!(
            !place.path().join("out").exists(),
            "{name}: something was made before the names were checked"
        );
    }
}

#[test]
fn why_shows_the_prompt_and_the_whole_reply() {
    let reply = "line one\nline two\n".repeat(2000);
    let whole = reply.clone();
    let server = Stub::replying(move |_| whole.clone());
    let place = Place::new(ONE);
    let output = place.against(&server, &["exec", "plan.ncd", "--set", "text=\"so much\"", "--quiet"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let why = place.run(&["why", "last", "1", "--format", "json"]);
    let asked = &result(&why)["asked"][0];
    assert_eq!(asked["method"], "llm.generate");
    assert_eq!(asked["args"]["prompt"], "Sum up: so much");
    assert_eq!(asked["answer"], reply);
    assert_eq!(asked["digest"].as_str().map(str::len), Some(64));
    assert_eq!(asked["model"]["tries"], 1);
    let text = stdout(&place.run(&["why", "last", "1"]));
    assert!(text.contains("| Sum up: so much") && text.contains("| line two"), "{text}");
}

#[test]
fn a_slow_model_holds_up_nobody_and_ctrl_c_ends_it() {
    let server = Stub::of(vec![Act::Hang]);
    let place = Place::new(ONE);
    let mut command = place.command(&["exec", "plan.ncd", "--set", "text=1", "--grace", "0"]);
    let mut child = command.env("NORMC_BASE_URL", server.url()).spawn().unwrap();
    server.wait_for(1);
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let mut waited = Duration::ZERO;
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None => assert!(waited < Duration::from_secs(30), "it hangs"),
        }
        std::thread::sleep(Duration::from_millis(50));
        waited += Duration::from_millis(50);
    };
    assert_eq!(status.code(), Some(130));
}

#[test]
fn without_a_model_the_step_says_what_to_do() {
    let place = Place::new(ONE);
    let output = place.run(&["exec", "plan.ncd", "--set", "text=1", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(result(&output)["failed"][0]["kind"], "no_model_configured");
    assert!(stderr(&output).contains("NORMC_BASE_URL"), "{}", stderr(&output));
    let output = place.run(&["exec", "plan.ncd", "--set", "text=1", "--model", "echo", "--quiet"]);
    assert_eq!(stdout(&output), "{summary} = Sum up: 1\n");
    // A name that stands for nothing is told before anything runs.
    for (model, said) in
        [("ecko", "did you mean `echo`?"), ("script:gone.toml", "`gone.toml` does not exist")]
    {
        let output = place.run(&["exec", "plan.ncd", "--set", "text=1", "--model", model]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
        assert_eq!(stdout(&output), "");
    }
    let named = ONE.replace("| %{prompt}", "| %{model}: ecko\n        | %{prompt}");
    let place = Place::new(&named);
    for more in ["--quiet", "--dry-run"] {
        let output = place.run(&["exec", "plan.ncd", "--set", "text=1", more]);
        assert_eq!(output.status.code(), Some(1));
        let told = stderr(&output);
        assert!(
            told.contains("error[NC095]") && told.contains("step 1 `{summary}`: there is no model `ecko`"),
            "{told}"
        );
        assert!(told.contains("did you mean `echo`?"), "{told}");
    }
}

/// A plan that only a model that reads can do: needs a server, named by the tester.
#[test]
fn real_model() {
    let Ok(url) = std::env::var("NORMC_TEST_BASE_URL") else {
        println!("skipped: NORMC_TEST_BASE_URL names no server of a real model");
        return;
    };
    let plan = "\
:<:({capital})
    <= ::(name the capital of {1}<$({country})%>)
        | %{prompt}: What is the capital of $input_1? Reply as a JSON object with the key \"capital\".
        | %{schema}: {\"type\": \"object\", \"properties\": {\"capital\": {\"type\": \"string\"}}, \"required\": [\"capital\"]}
    <- {country}<:{1}>
";
    let place = Place::new(plan);
    let mut command = place.command(&["exec", "plan.ncd", "--set", "country=France", "--json"]);
    command.env("NORMC_BASE_URL", url);
    for name in ["MODEL", "API_KEY"] {
        if let Ok(value) = std::env::var(format!("NORMC_TEST_{name}")) {
            command.env(format!("NORMC_{name}"), value);
        }
    }
    let output = command.output().unwrap();
    let said = result(&output)["finals"]["{capital}"]["data"].to_string();
    assert!(said.contains("Paris"), "{said}: {}", stderr(&output));
}

/// A limit that no clock reaches is none, for every kind of step.
#[test]
fn a_limit_of_centuries_is_no_limit() {
    for way in ["%{prompt}: Sum up $input_1", "%{command}: [\"true\"]"] {
        let place = Place::new(&format!(
            ":<:({{summary}})\n    <= ::(sum up {{1}}<$({{text}})%>)\n        | {way}\n        | %{{timeout}}: 1e19\n    \
             <- {{text}}<:{{1}}>\n"
        ));
        let output =
            ends(place.command(&["exec", "plan.ncd", "--set", "text=1", "--model", "echo", "--json"]));
        assert_eq!(output.status.code(), Some(0), "{way}: {}", stderr(&output));
    }
}
