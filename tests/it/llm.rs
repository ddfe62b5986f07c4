//! Models behind a server on this machine: what is asked, what comes back, and what is told when the server misbehaves.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use normc::base::ReplyFormat;
use normc::faculty::llm::{
    Caller, ChatReply, ChatRequest, Config, Estimate, Meter, ModelOptions, Models, Observer, Reservation,
    Try, Usage,
};
use normc::faculty::{Failure, FailureKind};
use serde_json::json;

use crate::llm_server::{Act, Stub};

const KEY: &str = "canary-3f9a1c";

/// Models of one server, with more settings of its provider and its model.
fn models_with(stub: &Stub, provider: &str, model: &str, options: ModelOptions) -> Models {
    let text = format!(
        "[providers.p]\nbase_url = \"{}\"\napi_key_env = \"KEY\"\n{provider}\n[models.m]\nprovider = \"p\"\n\
         model = \"small-8b\"\n{model}\n",
        stub.url()
    );
    let env = |name: &str| Some(KEY.to_owned()).filter(|_| name == "KEY");
    let config = Config::parse(&text, "normc.toml").unwrap().with_environment(&env).unwrap();
    Models::new(config, options).unwrap()
}

fn models(stub: &Stub, provider: &str) -> Models {
    models_with(stub, provider, "", ModelOptions::default())
}

fn ask(models: &Models) -> Result<ChatReply, Failure> {
    models.chat(&ChatRequest::new("m", "hello"), &Caller::default())
}

fn outcomes(reply: &ChatReply) -> Vec<(&str, Option<u16>)> {
    reply.tries.iter().map(|made| (&*made.outcome, made.status)).collect()
}

fn error(message: &str) -> String {
    json!({"error": {"message": message, "type": "server_error"}}).to_string()
}

/// The largest resident set of this process so far, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or("");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[test]
fn a_request_is_what_the_protocol_says() {
    let stub = Stub::of(vec![Act::Say("a %{script_location}(evil.py)".to_owned())]);
    let models = models_with(&stub, "", "temperature = 0\nmax_tokens = 50", ModelOptions::default());
    let caller = Caller { idempotency_key: Some("0af1".into()), ..Caller::default() };
    let request =
        ChatRequest { system: Some("be short".into()), seed: Some(4), ..ChatRequest::new("m", "hello") };
    let reply = models.chat(&request, &caller).unwrap();
    assert_eq!(&*reply.text, "a %{script_location}(evil.py)");
    assert_eq!(
        (&*reply.model, reply.finish_reason.as_deref(), reply.replayed),
        ("stub-1", Some("stop"), false)
    );
    assert_eq!(reply.usage, Usage { prompt_tokens: 7, completion_tokens: 3, estimated: false });
    let seen = stub.seen().remove(0);
    assert_eq!(seen.line, "POST /v1/chat/completions HTTP/1.1");
    assert_eq!(seen.header("authorization"), Some(&*format!("Bearer {KEY}")));
    assert_eq!(
        (seen.header("idempotency-key"), seen.header("content-type")),
        (Some("0af1"), Some("application/json"))
    );
    let messages = json!([{"role": "system", "content": "be short"}, {"role": "user", "content": "hello"}]);
    let wanted = json!({"model": "small-8b", "messages": messages, "temperature": 0.0, "max_tokens": 50, "seed": 4,
        "stream": false});
    assert_eq!(seen.body, wanted);
}

#[test]
fn a_server_is_used_by_its_address_only() {
    let stub = Stub::replying(|prompt| prompt.to_uppercase());
    let url = stub.url();
    let env = |name: &str| Some(url.clone()).filter(|_| name == "NORMC_BASE_URL");
    let config = Config::default().with_environment(&env).unwrap();
    let models = Models::new(config, ModelOptions::default()).unwrap();
    let model = models.resolve(None).unwrap().name;
    let reply = models.chat(&ChatRequest::new(model, "hello"), &Caller::default()).unwrap();
    assert_eq!(&*reply.text, "HELLO");
    assert_eq!(stub.seen()[0].header("authorization"), None);
}

#[test]
fn connections_are_kept_and_chunks_are_read() {
    let stub = Stub::new(|number, _| match number % 2 {
        0 => Act::Chunked(format!("reply {number}")),
        _ => Act::Say(format!("reply {number}")),
    });
    let models = models(&stub, "");
    for number in 0..6 {
        assert_eq!(*ask(&models).unwrap().text, *format!("reply {number}"));
    }
    assert_eq!(stub.connections(), 1);
}

#[test]
fn the_mark_of_a_text_file_does_no_harm() {
    let body = json!({"choices": [{"message": {"content": "yes"}}]});
    let stub = Stub::of(vec![Act::Status(200, "", format!("\u{feff}{body}"))]);
    assert_eq!(&*ask(&models(&stub, "")).unwrap().text, "yes");
}

#[test]
fn a_reply_without_text_is_paid_as_the_server_says() {
    let usage = json!({"prompt_tokens": 7, "completion_tokens": 30});
    let body = json!({"choices": [{"message": {"content": null}, "finish_reason": "stop"}], "usage": usage});
    let stub = Stub::of(vec![Act::Status(200, "", body.to_string())]);
    let seen = Arc::new(Heard { most: Some(1), ..Heard::default() });
    let options = ModelOptions { observer: Some(seen.clone()), ..ModelOptions::default() };
    ask(&models_with(&stub, "", "", options)).unwrap_err();
    let made = seen.tries.lock().unwrap();
    assert_eq!((made[0].1.prompt_tokens, made[0].1.completion_tokens), (7, 30));
}

#[test]
fn calls_that_were_not_sent_are_held_back() {
    let stub = Stub::of(vec![Act::After(Duration::from_millis(400), Box::new(Act::Say("yes".to_owned())))]);
    let models = models(&stub, "concurrency = 1");
    thread::scope(|scope| {
        let calls: Vec<_> = (0..3).map(|_| scope.spawn(|| ask(&models))).collect();
        stub.wait_for(1);
        thread::sleep(Duration::from_millis(50));
        models.hold();
        let ends: Vec<_> = calls.into_iter().map(|call| call.join().unwrap()).collect();
        assert_eq!(ends.iter().filter(|end| end.is_ok()).count(), 1, "what was sent is answered");
        let kinds: Vec<_> = ends.iter().filter_map(|end| end.as_ref().err()).map(|f| f.kind).collect();
        assert_eq!(kinds, [FailureKind::Interrupted; 2]);
    });
    assert_eq!(stub.seen().len(), 1);
}

#[test]
fn what_may_pass_is_tried_again() {
    let good = || Act::Say("yes".to_owned());
    let busy = |status, headers| Act::Status(status, headers, error("busy"));
    let cases = [
        ("500", busy(500, ""), ("model_refused", Some(500))),
        ("503 that says when", busy(503, "Retry-After: 0\r\n"), ("model_refused", Some(503))),
        ("408", busy(408, ""), ("model_refused", Some(408))),
        ("425", busy(425, ""), ("model_refused", Some(425))),
        ("529", busy(529, ""), ("model_refused", Some(529))),
        (
            "502 with a page",
            Act::Status(502, "", "<html>bad gateway</html>".to_owned()),
            ("model_refused", Some(502)),
        ),
        ("429", busy(429, ""), ("model_refused", Some(429))),
        ("half a body", Act::HalfBody, ("model_unreachable", Some(200))),
        ("half of an unannounced body", Act::HalfUnannounced, ("model_unreachable", Some(200))),
        ("closed", Act::Close, ("model_unreachable", None)),
        ("slow", Act::Hang, ("model_unreachable", None)),
        (
            "200 with a status within",
            Act::Status(200, "", json!({"error": {"message": "loading", "code": 503}}).to_string()),
            ("model_refused", Some(503)),
        ),
    ];
    for (name, bad, outcome) in cases {
        let stub = Stub::of(vec![bad, good()]);
        let reply =
            ask(&models(&stub, "timeout = 0.7")).unwrap_or_else(|failure| panic!("{name}: {failure}"));
        assert_eq!(outcomes(&reply), [outcome, ("ok", Some(200))], "{name}");
        assert_eq!(&*reply.text, "yes", "{name}");
    }
}

#[test]
fn who_ran_out_of_time_is_told() {
    for (provider, seconds, words) in [
        ("timeout = 0.3\ntries = 1", 60.0, "set a longer `timeout` in [providers.p]"),
        ("timeout = 60", 0.3, "give the step more time: `| %{timeout}: SECONDS`"),
    ] {
        let stub = Stub::of(vec![Act::Hang]);
        let deadline = Some(Instant::now() + Duration::from_secs_f64(seconds));
        let caller = Caller { deadline, ..Caller::default() };
        let failure = models(&stub, provider).chat(&ChatRequest::new("m", "hello"), &caller).unwrap_err();
        assert_eq!(failure.kind, FailureKind::ModelUnreachable, "{failure}");
        assert_eq!(failure.help.as_deref(), Some(words), "{failure}");
    }
}

#[test]
fn retry_after_is_waited_for() {
    let stub = Stub::of(vec![
        Act::Status(429, "Retry-After: 1\r\n", error("slow down")),
        Act::Say("yes".to_owned()),
    ]);
    let models = models(&stub, "");
    let caller = Caller { idempotency_key: Some("k1".into()), ..Caller::default() };
    let reply = models.chat(&ChatRequest::new("m", "hello"), &caller).unwrap();
    assert!(reply.tries[1].waited_millis >= 1000, "{:?}", reply.tries);
    assert!(reply.millis >= 1000);
    let keys: Vec<_> =
        stub.seen().iter().map(|seen| seen.header("idempotency-key").map(str::to_owned)).collect();
    assert_eq!(keys, [Some("k1".to_owned()), Some("k1".to_owned())], "every try has the same key");

    let late = Stub::of(vec![Act::Status(429, "Retry-After: 3600\r\n", error("slow down"))]);
    let caller = Caller { deadline: Some(Instant::now() + Duration::from_secs(60)), ..Caller::default() };
    let failure = self::models(&late, "").chat(&ChatRequest::new("m", "hello"), &caller).unwrap_err();
    assert_eq!(failure.kind, FailureKind::ModelRefused);
    assert!(
        failure.message.ends_with("(it asks to wait 3600 s, and the deadline of the step is before that)")
    );
    assert_eq!(late.seen().len(), 1);
}

#[test]
fn what_does_not_pass_is_told_at_once() {
    use FailureKind::*;
    let say = |status, body: String| Act::Status(status, "", body);
    let echoed = format!("incorrect key {KEY} \u{1b}[2J\u{202e}");
    let cases = [
        (
            "401",
            say(401, error(&echoed)),
            ModelRefused,
            "answers 401 (unauthorized): incorrect key [redacted]",
        ),
        (
            "another key",
            say(403, error("Incorrect API key provided: sk-other-0123456789abc")),
            ModelRefused,
            "answers 403 (forbidden): Incorrect API key provided: [redacted]",
        ),
        ("400", say(400, error("no")), ModelRefused, "answers 400 (bad request): no"),
        (
            "404",
            say(404, "{\"detail\": \"no model small-8b\"}".to_owned()),
            ModelRefused,
            "no model small-8b",
        ),
        (
            "redirect",
            Act::Status(307, "Location: http://127.0.0.1:1/\r\n", String::new()),
            ModelRefused,
            "answers 307",
        ),
        (
            "packed",
            Act::Status(200, "Content-Encoding: gzip\r\n", "\u{1f}packed".to_owned()),
            ReplyMalformed,
            "is packed as `gzip`, which was not asked for",
        ),
        (
            "no text",
            say(
                200,
                json!({"choices": [{"message": {"content": null}, "finish_reason": "tool_calls"}]})
                    .to_string(),
            ),
            ReplyMalformed,
            "has no text: its `content` is null, and it ended with `tool_calls`",
        ),
        (
            "a status within",
            say(200, json!({"error": {"message": "no such model", "code": 404}}).to_string()),
            ModelRefused,
            "answers 404 (not found): no such model",
        ),
        ("overflow", say(400, error("maximum context length is 9 tokens")), ContextOverflow, "is 9 tokens"),
        ("no JSON", say(200, "<html>hello</html>".to_owned()), ReplyMalformed, "it is no JSON"),
        ("empty", say(200, String::new()), ReplyMalformed, "it is empty"),
        (
            "no choices",
            say(200, "{\"choices\": []}".to_owned()),
            ReplyMalformed,
            "choices[0].message.content",
        ),
        (
            "another shape",
            say(200, "{\"choices\": {\"a\": 1}}".to_owned()),
            ReplyMalformed,
            "it has another shape",
        ),
        ("a list", say(200, "[1, 2]".to_owned()), ReplyMalformed, "no chat completion"),
        ("cut JSON", say(200, "{\"choices\": [".to_owned()), ReplyMalformed, "ends too early"),
        ("error with 200", say(200, error("overloaded")), ModelRefused, "gives no reply: overloaded"),
        ("no HTTP", Act::NoHttp, ModelUnreachable, "does not answer in HTTP"),
    ];
    for (name, act, kind, words) in cases {
        let stub = Stub::of(vec![act]);
        let failure = ask(&models(&stub, "")).unwrap_err();
        assert_eq!(failure.kind, kind, "{name}: {failure}");
        assert!(failure.message.contains(words), "{name}: {failure}");
        assert!(!failure.message.chars().any(char::is_control), "{name}");
        assert!(!format!("{failure:?}").contains(KEY), "{name}");
        assert!(failure.help.is_some(), "{name}: what is to be done?");
        assert_eq!(stub.seen().len(), 1, "{name}: it is not tried again");
    }
    let moved = Stub::of(vec![Act::Status(308, "Location: https://h/v2\r\n", String::new())]);
    let failure = ask(&models(&moved, "")).unwrap_err();
    assert!(failure.help.unwrap().contains("its address moved to `https://h/v2`"));
    let long = "x".repeat(5000);
    let stub = Stub::of(vec![say(200, long)]);
    let failure = ask(&models(&stub, "")).unwrap_err();
    assert!(failure.help.as_deref().unwrap_or("").len() < 500, "{failure:?}");
}

#[test]
fn servers_that_are_not_there_are_told() {
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let plain = Stub::of(vec![Act::Say("no TLS here".to_owned())]);
    let secure = plain.url().replace("http:", "https:");
    let text = format!(
        "[providers.s]\nbase_url = \"{secure}\"\ntries = 1\n[models.s]\nprovider = \"s\"\n\
         [providers.p]\nbase_url = \"http://{gone}/v1\"\ntries = 2\n[models.m]\nprovider = \"p\"\n\
         [providers.q]\nbase_url = \"http://no-such-host.invalid/v1\"\ntries = 1\n[models.n]\nprovider = \"q\"\n"
    );
    let config = Config::parse(&text, "normc.toml").unwrap().with_environment(&|_| None).unwrap();
    let models = Models::new(config, ModelOptions::default()).unwrap();
    let failure = ask(&models).unwrap_err();
    assert_eq!(failure.kind, FailureKind::ModelUnreachable);
    assert_eq!(
        failure.message,
        "the server of the model `m` is not reached: the connection is refused (after 2 tries)"
    );
    assert!(failure.help.as_deref().unwrap().contains(&format!("base_url = \"http://{gone}/v1\"")));
    for model in ["n", "s"] {
        let failure = models.chat(&ChatRequest::new(model, "hello"), &Caller::default()).unwrap_err();
        assert_eq!(failure.kind, FailureKind::ModelUnreachable, "{failure}");
        println!("{failure}");
    }
}

#[test]
fn a_body_beyond_the_limit_is_not_kept() {
    let before = peak();
    for announced in [true, false] {
        let stub = Stub::of(vec![Act::Large(64 << 20, announced)]);
        let failure = ask(&models(&stub, "body_limit = \"4 MiB\"")).unwrap_err();
        assert_eq!(failure.kind, FailureKind::ReplyTooLarge);
        assert_eq!(failure.message, "the reply of the model `m` is larger than 4 MiB");
        assert_eq!(stub.seen().len(), 1);
    }
    println!("peak before {before} KiB, after {} KiB", peak());
    let stub = Stub::of(vec![Act::Large(3 << 20, false)]);
    assert_eq!(ask(&models(&stub, "body_limit = \"4 MiB\"")).unwrap().text.len(), 3 << 20);
}

#[test]
fn json_is_asked_for_in_the_form_that_the_server_knows() {
    let form = |body: &serde_json::Value| body["response_format"]["type"].as_str().unwrap_or("").to_owned();
    let stub = Stub::new(move |_, seen| match form(&seen.body).as_str() {
        "json_schema" => {
            Act::Status(500, "", error("response_format type must be one of \"text\" or \"json_object\""))
        }
        _ => Act::Say("{\"a\": 1}".to_owned()),
    });
    let schema = Arc::new(json!({"type": "object", "required": ["a"]}));
    let request = ChatRequest { format: ReplyFormat::Schema(schema), ..ChatRequest::new("m", "hello") };
    let refusing = models(&stub, "response_format = \"json_schema\"");
    let failure = refusing.chat(&request, &Caller::default()).unwrap_err();
    assert_eq!(failure.kind, FailureKind::UnsupportedResponseFormat, "{failure}");
    assert!(failure.help.as_deref().unwrap().contains("[providers.p]"));
    assert_eq!(stub.seen().len(), 1, "it is not tried again");
    assert!(models(&stub, "response_format = \"schema\"").chat(&request, &Caller::default()).is_ok());
    assert_eq!(
        stub.seen()[1].body["response_format"]["schema"],
        json!({"type": "object", "required": ["a"]})
    );
}

#[test]
fn a_reply_that_was_cut_gets_twice_the_room_once() {
    let stub = Stub::new(|number, _| match number {
        0 => Act::Finish("{\"a\":".to_owned(), "length", 9),
        _ => Act::Say("{\"a\": 1}".to_owned()),
    });
    let models = models_with(&stub, "", "max_tokens = 9", ModelOptions::default());
    let request = ChatRequest { format: ReplyFormat::Json, ..ChatRequest::new("m", "give a") };
    let reply = models.chat(&request, &Caller::default()).unwrap();
    assert_eq!(outcomes(&reply), [("reply_cut", Some(200)), ("ok", Some(200))]);
    let seen = stub.seen();
    assert_eq!((&seen[0].body["max_tokens"], &seen[1].body["max_tokens"]), (&json!(9), &json!(18)));
}

#[derive(Default)]
struct Heard {
    admitted: Mutex<Vec<Estimate>>,
    settled: Mutex<Vec<Option<Usage>>>,
    tries: Mutex<Vec<(String, Try)>>,
    most: Option<usize>,
}

impl Meter for Heard {
    fn admit(&self, _: &ChatRequest, estimate: &Estimate) -> Result<Reservation, Failure> {
        let mut admitted = self.admitted.lock().unwrap();
        if self.most.is_some_and(|most| admitted.len() >= most) {
            return Err(Failure::new(FailureKind::BudgetSpent, "no more"));
        }
        admitted.push(*estimate);
        Ok(Reservation { ticket: admitted.len() as u64, completion_cap: Some(40) })
    }

    fn settle(&self, _: &ChatRequest, reservation: Reservation, usage: Option<Usage>) {
        let mut settled = self.settled.lock().unwrap();
        settled.push(usage);
        assert_eq!(reservation.ticket, settled.len() as u64);
    }
}

impl Observer for Heard {
    fn tried(&self, _: &ChatRequest, caller: &Caller, made: &Try) {
        self.tries.lock().unwrap().push((caller.step.to_string(), made.clone()));
    }
}

#[test]
fn every_try_is_admitted_told_and_counted() {
    let heard = |most| Arc::new(Heard { most, ..Heard::default() });
    let options = |heard: &Arc<Heard>| ModelOptions {
        meter: Some(heard.clone()),
        observer: Some(heard.clone()),
        ..ModelOptions::default()
    };
    let acts = || vec![Act::Status(503, "", String::new()), Act::HalfBody, Act::Say("yes".to_owned())];
    let caller = Caller { step: "1.2.3[4]".into(), ..Caller::default() };
    let request = ChatRequest::new("m", "hello");

    let (all, stub) = (heard(None), Stub::of(acts()));
    let models = models_with(&stub, "", "max_tokens = 100\nprice = { input = 5, output = 6 }", options(&all));
    models.chat(&request, &caller).unwrap();
    let estimate = all.admitted.lock().unwrap()[0];
    assert_eq!((estimate.completion_limit, estimate.price.map(|price| price.output)), (Some(100), Some(6)));
    let settled: Vec<_> = all.settled.lock().unwrap().iter().map(|u| u.map(|u| u.estimated)).collect();
    assert_eq!(settled, [None, Some(true), Some(false)], "what broke off is paid, by estimate");
    let tries = all.tries.lock().unwrap();
    assert!(tries.iter().all(|(step, _)| step == "1.2.3[4]") && tries.len() == 3);
    assert_eq!(stub.seen()[0].body["max_tokens"], json!(40), "the budget caps the reply");

    let (few, stub) = (heard(Some(1)), Stub::of(acts()));
    let failure = models_with(&stub, "", "", options(&few)).chat(&request, &caller).unwrap_err();
    assert_eq!((failure.kind, stub.seen().len()), (FailureKind::BudgetSpent, 1), "the call is not made");
}

#[test]
fn an_interrupt_ends_waiting_and_running_calls() {
    let stub = Stub::of(vec![Act::Hang]);
    let models = models(&stub, "concurrency = 2");
    thread::scope(|scope| {
        let calls: Vec<_> = (0..6).map(|_| scope.spawn(|| ask(&models))).collect();
        stub.wait_for(2);
        let asked = Instant::now();
        models.interrupt();
        for call in calls {
            assert_eq!(call.join().unwrap().unwrap_err().kind, FailureKind::Interrupted);
        }
        assert!(asked.elapsed() < Duration::from_secs(20));
    });
    assert_eq!(stub.most_at_once(), 2, "the gate has two places");
    assert_eq!(ask(&models).unwrap_err().kind, FailureKind::Interrupted);
}

#[test]
fn five_hundred_calls_are_there_at_once() {
    let stub = Stub::new(|_, seen| {
        let reply = Act::Say(format!("{} back", seen.prompt()));
        Act::Together(500, Box::new(Act::After(Duration::from_millis(200), Box::new(reply))))
    });
    let models = models(&stub, "concurrency = 500");
    assert!(models.most_at_once() >= 500);
    let began = Instant::now();
    thread::scope(|scope| {
        let models = &models;
        let call = |number: usize| {
            move || {
                let prompt = format!("call {number} {}", "with some text ".repeat(100));
                let reply = models.chat(&ChatRequest::new("m", prompt.clone()), &Caller::default());
                assert_eq!(*reply.unwrap().text, *format!("{prompt} back"));
            }
        };
        for number in 0..500 {
            thread::Builder::new().stack_size(512 << 10).spawn_scoped(scope, call(number)).unwrap();
        }
    });
    println!("500 calls in {:?}, peak memory {} KiB", began.elapsed(), peak());
    assert_eq!(stub.most_at_once(), 500);
    assert_eq!(stub.seen().len(), 500, "one try each");
}
