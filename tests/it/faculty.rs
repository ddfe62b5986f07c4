//! Python workers with a real interpreter: both contracts, every failure of a script. How workers end is in `ending`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and acts on the world"
)]

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use normc::base::{Value, text_of};
use normc::faculty::python::{Body, Mode, Pool, PoolOptions, ScriptCall};
use normc::faculty::{Answer, CallIdentity, Failure, FailureKind};
use serde_json::{Value as Json, json};

use crate::support::until;

/// A pool in its own folder, and short ways to ask it.
pub(crate) struct Bench {
    pub(crate) pool: Pool,
    pub(crate) folder: tempfile::TempDir,
    /// What scripts reach through `body`.
    pub(crate) body: Option<Box<dyn Body>>,
}

/// None, with a word about it, where there is no Python to test with.
pub(crate) fn bench_with(change: impl FnOnce(&mut PoolOptions)) -> Option<Bench> {
    if Command::new("python3").arg("--version").output().is_err() {
        println!("skipped: no python3 on this machine");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut options = PoolOptions::new(folder.path());
    options.workers = 2;
    change(&mut options);
    Some(Bench { pool: Pool::new(options), folder, body: None })
}

pub(crate) fn bench() -> Option<Bench> {
    bench_with(|_| {})
}

impl Bench {
    /// The same bench with tools for scripts.
    pub(crate) fn with_body(self, body: impl Body + 'static) -> Self {
        Self { body: Some(Box::new(body)), ..self }
    }

    pub(crate) fn run(
        &self,
        mode: Mode<'_>,
        code: &str,
        inputs: Json,
        timeout: Option<Duration>,
    ) -> Result<Answer, Failure> {
        let hash = Arc::from(code);
        let inputs: Vec<_> = inputs
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (Arc::from(name.as_str()), Value::from_data_json(value)))
            .collect();
        self.pool.call(&ScriptCall {
            path: "s.py",
            code,
            hash: &hash,
            mode,
            inputs: &inputs,
            timeout,
            identity: None,
            body: self.body.as_deref(),
        })
    }

    pub(crate) fn execute(&self, code: &str) -> Result<Answer, Failure> {
        self.run(Mode::Execute, code, json!({}), None)
    }

    pub(crate) fn call(&self, code: &str, inputs: Json) -> Result<Answer, Failure> {
        self.run(Mode::MAIN, code, inputs, None)
    }

    pub(crate) fn text(&self, code: &str) -> String {
        self.execute(code).map_or_else(|f| panic!("{f}"), |a| text_of(&a.value))
    }

    pub(crate) fn pid(&self) -> i64 {
        self.text("import os\nresult = os.getpid()").parse().unwrap()
    }
}

#[test]
fn both_contracts() {
    let Some(b) = bench() else { return };
    let inputs = json!({"input_1": [1, "two", null, 3.5, {"k": true}], "input_2": "ü\n\u{2028}"});
    let given = b.run(Mode::Execute, "result = [input_1, input_2]", inputs.clone(), None).unwrap();
    assert_eq!(given.value.to_json(), json!([inputs["input_1"], inputs["input_2"]]));
    let called =
        b.call("def main(input_1, input_2):\n    return {'a': input_1, 'b': input_2}", inputs.clone());
    assert_eq!(called.unwrap().value.to_json(), json!({"a": inputs["input_1"], "b": inputs["input_2"]}));
    // A script of the first contract without a result falls back to the second.
    let both = b.run(Mode::Execute, "def main(x):\n    return x + 1", json!({"x": 41}), None).unwrap();
    assert_eq!(text_of(&both.value), "42");
    assert_eq!(b.execute("result = None").unwrap().value.to_json(), Json::Null);
}

#[test]
fn values_are_exact_and_texts_stay_texts() {
    let Some(b) = bench() else { return };
    let big = "123456789012345678901234567890";
    let given: Json = serde_json::from_str(&format!("{{\"n\": {big}, \"f\": 1.0}}")).unwrap();
    let answer = b.run(Mode::Execute, "result = [n + 1, f, n ** 200]", given, None).unwrap();
    let text = text_of(&answer.value);
    assert!(text.starts_with("[123456789012345678901234567891, 1.0, ") && text.len() > 5800, "{text}");
    let sign = b.execute("result = ['%{file_location}1(secret.txt)']").unwrap();
    let Value::List(items) = &sign.value else { panic!("a list") };
    assert!(matches!(items.first(), Some(Value::Text(_))));
    assert!(b.execute("result = '@#SKIP#@'").unwrap().value.is_skip());
    // Python's own text goes along where JSON cannot say it.
    assert_eq!(b.execute("result = (1, 'a')").unwrap().text.as_deref(), Some("(1, 'a')"));
    assert_eq!(b.execute("result = {1: (2,)}").unwrap().text.as_deref(), Some("{1: (2,)}"));
    assert_eq!(b.execute("result = [1, {'a': 'b'}]").unwrap().text, None);
}

#[test]
fn each_call_has_a_fresh_namespace() {
    let Some(b) = bench_with(|o| o.workers = 1) else { return };
    let code = "import os, sys\nresult = 'left' in globals()\nleft = 1\n\
                sys.path.insert(0, '/nowhere')\nos.chdir('/')\nsys.stdout = None\nsys.argv = []";
    assert_eq!(b.text(code), "False");
    assert_eq!(b.text(code), "False");
    let here = b.folder.path().canonicalize().unwrap().to_string_lossy().into_owned();
    assert_eq!(
        b.text("import os, sys\nresult = [os.getcwd(), sys.path[0]] + sys.argv"),
        format!("['{here}', '{here}', 's.py']")
    );
    assert_eq!(b.text("result = __name__"), "builtins");
    let out = b.execute("print('there'); result = 1").unwrap().output;
    assert_eq!(out.stdout, "there\n");
}

#[test]
fn modules_beside_the_scripts_and_the_standard_library_are_found() {
    let Some(b) = bench() else { return };
    std::fs::write(b.folder.path().join("helper.py"), "def double(x):\n    return 2 * x\n").unwrap();
    // A file of the plan must not shadow what the worker itself imports.
    std::fs::write(b.folder.path().join("json.py"), "raise RuntimeError('shadowed')").unwrap();
    assert_eq!(b.text("from helper import double\nresult = double(4)"), "8");
    assert_eq!(b.text("import fractions\nresult = str(fractions.Fraction(1, 3) * 2)"), "2/3");
    // Site packages come late, but they come.
    let text = b.text("try:\n    import no_such_module\nexcept ModuleNotFoundError:\n    pass\nimport sys\n\
                       result = any(p.endswith(('site-packages', 'dist-packages')) for p in sys.path) and sys.path[0] != ''");
    assert_eq!(text, "True");
    assert_eq!(b.text("from helper import double\nresult = double(5)"), "10");
}

#[test]
fn hashing_is_the_same_in_every_worker() {
    let Some(b) = bench_with(|o| o.calls_per_worker = 1) else { return };
    let code = "import os\nresult = [list({'a', 'b', 'c', 'd', 'e', 'f'}), os.getpid()]";
    let (one, two) = (b.execute(code).unwrap().value.to_json(), b.execute(code).unwrap().value.to_json());
    assert_eq!(one[0], two[0]);
    assert_ne!(one[1], two[1], "a worker is replaced after its last call");
}

#[test]
fn failures_are_typed_and_say_where() {
    let Some(b) = bench() else { return };
    use FailureKind::{
        NoSuchFunction, ResultNotSerialisable, ScriptExited, ScriptFailed, ScriptGaveNoResult,
    };
    let cases = [
        (
            Mode::Execute,
            "x = 1\nraise ValueError('boom')",
            json!({}),
            ScriptFailed,
            Some(2),
            "ValueError: boom",
        ),
        (
            Mode::Execute,
            "x = 1\ndef f():\n    return x.y\nf()",
            json!({}),
            ScriptFailed,
            Some(3),
            "no attribute 'y'",
        ),
        (
            Mode::Execute,
            "import json\n\njson.loads('{')",
            json!({}),
            ScriptFailed,
            Some(3),
            "JSONDecodeError",
        ),
        (
            Mode::Execute,
            "x = 1\ndef f(:\n",
            json!({}),
            ScriptFailed,
            Some(2),
            "invalid syntax (s.py, line 2)",
        ),
        (Mode::Execute, "x = '\0'", json!({}), ScriptFailed, None, "null bytes"),
        (Mode::Execute, "def f():\n    f()\nf()", json!({}), ScriptFailed, Some(2), "RecursionError"),
        (Mode::Execute, "raise KeyboardInterrupt", json!({}), ScriptFailed, Some(1), "KeyboardInterrupt"),
        (Mode::Execute, "raise ValueError('\\ud800')", json!({}), ScriptFailed, Some(1), "ValueError"),
        (
            Mode::Execute,
            "class E(Exception):\n    def __str__(self):\n        raise KeyError\nraise E",
            json!({}),
            ScriptFailed,
            Some(4),
            "raised E",
        ),
        (Mode::Execute, "x = 1", json!({}), ScriptGaveNoResult, None, "without setting `result`"),
        (Mode::Execute, "import sys\nsys.exit(3)", json!({}), ScriptExited, Some(2), "sys.exit(3)"),
        (Mode::Execute, "exit()", json!({}), ScriptExited, Some(1), "sys.exit(0)"),
        (Mode::Execute, "raise SystemExit('bye')", json!({}), ScriptExited, Some(1), "sys.exit(1)"),
        (Mode::MAIN, "main = 5", json!({}), NoSuchFunction, None, "'main' is not a callable function."),
        (Mode::MAIN, "result = 5", json!({}), NoSuchFunction, None, "no function `main`"),
        (
            Mode::MAIN,
            "\ndef main(a):\n    return a",
            json!({"a": 1, "b": 2}),
            ScriptFailed,
            Some(2),
            "unexpected keyword argument 'b'",
        ),
        (
            Mode::MAIN,
            "def main():\n    raise KeyError('k')",
            json!({}),
            ScriptFailed,
            Some(2),
            "KeyError: 'k'",
        ),
        (Mode::MAIN, "async def main():\n    return 1", json!({}), ResultNotSerialisable, None, "coroutine"),
        (Mode::Execute, "result = {1, 2}", json!({}), ResultNotSerialisable, None, "set"),
        (Mode::Execute, "result = [b'x']", json!({}), ResultNotSerialisable, None, "bytes"),
        (Mode::Execute, "result = float('nan')", json!({}), ResultNotSerialisable, None, "NaN"),
        (Mode::Execute, "result = '\\ud800'", json!({}), ResultNotSerialisable, None, "surrogate"),
        (
            Mode::Execute,
            "result = []\nresult.append(result)",
            json!({}),
            ResultNotSerialisable,
            None,
            "contains itself",
        ),
        (
            Mode::Execute,
            "result = []\nfor _ in range(200): result = [result]",
            json!({}),
            ResultNotSerialisable,
            None,
            "nested deeper",
        ),
        (
            Mode::Execute,
            "result = []\nfor _ in range(100000): result = [result]",
            json!({}),
            ResultNotSerialisable,
            None,
            "nested deeper",
        ),
    ];
    for (mode, code, inputs, kind, line, words) in cases {
        let failure = b.run(mode, code, inputs, None).expect_err(code);
        assert_eq!(failure.kind, kind, "{code}: {failure}");
        assert_eq!(failure.line(), line, "{code}: {failure}");
        assert!(failure.message.contains(words), "{code}: {failure}");
        assert_eq!(failure.place.as_ref().map(|p| p.path.as_ref()), Some("s.py"));
        assert!(!failure.message.contains('\n'), "{failure}");
    }
    // None of this cost a worker, nor can a nested value that is allowed.
    assert_eq!(b.text("result = []\nfor _ in range(120): result = [result]").len(), 242);
}

#[test]
fn the_trace_is_the_scripts_own() {
    let Some(b) = bench() else { return };
    let code = "import sys\ndef inner(x):\n    return 1 / x\nprint('before')\nprint('warned', file=sys.stderr)\nresult = inner(0)";
    let failure = b.execute(code).unwrap_err();
    let trace = failure.trace.as_deref().unwrap();
    assert!(trace.contains("line 6, in <module>") && trace.contains("return 1 / x"), "{trace}");
    assert!(!trace.contains("exec(code"), "{trace}");
    assert_eq!(failure.output.as_ref().unwrap().stdout, "before\n");
    assert_eq!(failure.stderr_tail(), "warned\n");
}

#[test]
fn a_forked_child_does_not_answer() {
    let Some(b) = bench_with(|o| o.workers = 1) else { return };
    let code = "import os\nif os.fork() > 0:\n    os.wait()\nresult = os.getpid()";
    let pid = b.pid();
    assert_eq!(b.text(code), pid.to_string());
    assert_eq!(b.pid(), pid);
}

#[test]
fn every_byte_printed_belongs_to_its_call() {
    let Some(b) = bench_with(|o| o.workers = 1) else { return };
    let code = "import os, subprocess, sys\nprint('python', n)\nos.system('echo shell %d' % n)\n\
                subprocess.run(['sh', '-c', 'echo sub %d; echo oops %d >&2' % (n, n)])\n\
                os.write(1, b'raw %d\\n' % n)\nsys.stdout.write('no line end')\nresult = n";
    for n in 0..20 {
        let answer = b.run(Mode::Execute, code, json!({"n": n}), None).unwrap();
        let wanted = format!("python {n}\nshell {n}\nsub {n}\nraw {n}\nno line end");
        assert_eq!(answer.output.stdout, wanted);
        assert_eq!(answer.output.stderr, format!("oops {n}\n"));
    }
    // What comes after the answer belongs to no call.
    b.text("import subprocess\nsubprocess.Popen(['sh', '-c', 'while [ ! -e go ]; do sleep 0.01; done; echo late; echo > done'])\nresult = 1");
    let [go, done] = ["go", "done"].map(|name| b.folder.path().join(name));
    std::fs::write(go, "").unwrap();
    until("what comes late", || done.exists());
    assert!(b.execute("result = 1").unwrap().output.is_empty());
    // A script that closes its streams hurts itself only.
    assert!(b.execute("import sys, os\nsys.stdout.close()\nos.close(1)\nos.close(2)\nresult = 1").is_ok());
    assert_eq!(b.execute("print('again')\nresult = 1").unwrap().output.stdout, "again\n");
}

#[test]
fn long_output_and_large_values() {
    let Some(b) = bench() else { return };
    let answer = b.execute("for i in range(200000): print(i)\nresult = 1").unwrap();
    assert!(answer.output.stdout.ends_with("199998\n199999\n"));
    assert_eq!(answer.output.stdout.lines().count(), 200_000);
    let answer =
        b.execute("import sys\nfor i in range(20): sys.stdout.write('x' * 1000000)\nresult = 1").unwrap();
    assert!(answer.output.stdout.ends_with("more bytes]\n"));
    assert!(answer.output.stdout.len() < 17 << 20);
    // While nobody has asked for the answer yet, another process prints on.
    let answer =
        b.execute("import subprocess\nsubprocess.Popen(['timeout', '5', 'yes'])\nresult = 1").unwrap();
    assert_eq!(text_of(&answer.value), "1");

    let large = "a".repeat(10 << 20);
    let answer = b.run(Mode::Execute, "result = x + 'b'", json!({"x": large}), None).unwrap();
    assert_eq!(text_of(&answer.value).len(), (10 << 20) + 1);
    let answer = b.execute("result = list(range(300000))").unwrap();
    assert!(matches!(&answer.value, Value::List(items) if items.len() == 300_000));
    let Some(small) = bench_with(|o| o.answer_limit = 1000) else { return };
    let failure = small.execute("result = 'x' * 2000").unwrap_err();
    assert_eq!(failure.kind, FailureKind::ResultNotSerialisable);
    assert!(failure.message.contains("2002 bytes"), "{failure}");
}

#[test]
fn inputs_nested_too_deep_are_refused_before_the_call() {
    let Some(b) = bench() else { return };
    let mut value = Value::Null;
    for _ in 0..1000 {
        value = Value::list([value]);
    }
    let hash = Arc::from("h");
    let inputs = [(Arc::from("x"), value)];
    let call = ScriptCall {
        path: "s.py",
        code: "result = x",
        hash: &hash,
        mode: Mode::Execute,
        inputs: &inputs,
        timeout: None,
        identity: None,
        body: None,
    };
    assert_eq!(b.pool.call(&call).unwrap_err().kind, FailureKind::BadArguments);
    assert_eq!(b.text("result = 1"), "1");
}

#[test]
fn a_thousand_calls_over_two_workers_from_many_threads() {
    let Some(b) = bench() else { return };
    let code = "import os\nprint('call', n)\nresult = [n * n, os.getpid()]";
    let answers: Vec<(i64, Json, String)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|t| {
                let b = &b;
                scope.spawn(move || {
                    let calls = (0..125).map(|i| {
                        let n = t * 125 + i;
                        let answer = b.run(Mode::Execute, code, json!({"n": n}), None).unwrap();
                        (n, answer.value.to_json(), answer.output.stdout)
                    });
                    calls.collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|t| t.join().unwrap()).collect()
    });
    let mut pids = BTreeMap::new();
    for (n, value, printed) in &answers {
        assert_eq!(value[0], json!(n * n));
        assert_eq!(*printed, format!("call {n}\n"));
        *pids.entry(value[1].to_string()).or_insert(0) += 1;
    }
    assert_eq!(answers.len(), 1000);
    assert!(pids.len() <= 2, "{pids:?}");
}

#[test]
fn many_scripts_do_not_fill_a_worker() {
    let Some(b) = bench_with(|o| o.workers = 1) else { return };
    let pid = b.pid();
    for n in 0..1200 {
        assert_eq!(b.text(&format!("result = {n}")), n.to_string());
    }
    assert_eq!(b.text("result = 7"), "7");
    assert_eq!(b.pid(), pid);
}

#[test]
fn workers_can_be_started_ahead() {
    let Some(b) = bench() else { return };
    b.pool.prepare(2);
    b.pool.prepare(2);
    let code = "import os\nresult = [os.getppid(), os.getpid()]";
    assert!(text_of(&b.execute(code).unwrap().value).starts_with(&format!("[{}, ", std::process::id())));
}

#[test]
fn no_python_is_a_failure_of_the_call_that_needs_it() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [("/nowhere/python3", "No such file"), ("/bin/false", "ended at once"), ("/bin/cat", "")];
    for (interpreter, words) in cases {
        let mut options = PoolOptions::new(folder.path());
        options.interpreter = Some(interpreter.into());
        let b = Bench { pool: Pool::new(options), folder: tempfile::tempdir().unwrap(), body: None };
        let failure = b.execute("result = 1").unwrap_err();
        assert_eq!(failure.kind, FailureKind::NoPython, "{failure}");
        assert!(failure.message.contains(interpreter) && failure.message.contains(words), "{failure}");
        assert!(failure.help.unwrap().contains("NORMC_PYTHON"));
    }
    let missing = Pool::new(PoolOptions::new("/nowhere/at/all"));
    let b = Bench { pool: missing, folder, body: None };
    assert_eq!(b.execute("result = 1").unwrap_err().kind, FailureKind::BadPath);
}

#[test]
fn the_environment_is_an_allow_list() {
    let Some(b) = bench_with(|o| o.environment.push(("GIVEN".into(), "yes".into()))) else { return };
    let text = b.text("import os\nresult = sorted(k for k in os.environ if k.startswith('CARGO') or 'KEY' in k) + [os.environ['GIVEN'], 'PATH' in os.environ]");
    assert_eq!(text, "['yes', True]");
    assert_eq!(b.text("import sys\nresult = sys.stdin.read()"), "");
}

#[test]
fn a_script_and_what_it_starts_know_which_call_they_are() {
    let Some(b) = bench_with(|o| o.workers = 1) else { return };
    let code = "import os, subprocess\n\
                seen = lambda: sorted('%s=%s' % e for e in os.environ.items() if e[0].startswith('NORMC_'))\n\
                env = subprocess.run(['env'], stdout=-1).stdout.decode().splitlines()\n\
                assert sorted(e for e in env if e.startswith('NORMC_')) == seen()\n\
                result = seen()\nos.environ['NORMC_IDEMPOTENCY_KEY'] = 'changed by the script'";
    let hash: Arc<str> = Arc::from("h");
    let ask = |identity: Option<CallIdentity>| {
        let call = ScriptCall {
            path: "s.py",
            code,
            hash: &hash,
            mode: Mode::Execute,
            inputs: &[],
            timeout: None,
            identity: identity.as_ref(),
            body: None,
        };
        b.pool.call(&call).unwrap().value.to_json()
    };
    let all = CallIdentity { key: Some("0aff".into()), run: Some("01J".into()), step: Some("1.2[3]".into()) };
    let key = CallIdentity { key: Some("0b".into()), ..CallIdentity::default() };
    let seen = json!(["NORMC_IDEMPOTENCY_KEY=0aff", "NORMC_RUN_ID=01J", "NORMC_STEP=1.2[3]"]);
    for _ in 0..2 {
        assert_eq!(ask(Some(all.clone())), seen);
    }
    assert_eq!(ask(Some(key.clone())), json!(["NORMC_IDEMPOTENCY_KEY=0b"]));
    assert_eq!(ask(None), json!([]));
    assert_eq!(ask(Some(all)), seen);
    assert_eq!(ask(Some(CallIdentity::default())), json!([]));
}

#[test]
fn memory_can_be_limited() {
    let Some(b) = bench_with(|o| o.memory_limit = 1 << 30) else { return };
    let failure = b.execute("result = len('x' * (4 << 30))").unwrap_err();
    assert_eq!(failure.kind, FailureKind::ScriptFailed);
    assert!(failure.message.contains("MemoryError"), "{failure}");
}

struct Notes;

impl Body for Notes {
    fn call(
        &self,
        tool: &str,
        method: &str,
        args: &[Value],
        named: &[(Arc<str>, Value)],
    ) -> Result<Value, Failure> {
        if method == "fail" {
            return Err(Failure::new(FailureKind::FileNotFound, "file `x` does not exist"));
        }
        let named: Vec<_> = named.iter().map(|(n, v)| Value::text(format!("{n}={}", text_of(v)))).collect();
        Ok(Value::list([
            Value::text(format!("{tool}.{method}")),
            Value::list(args.to_vec()),
            Value::list(named),
        ]))
    }
}

#[test]
fn scripts_reach_the_tools_of_the_body() {
    let Some(b) = bench() else { return };
    let b = b.with_body(Notes);
    let code = "def main(x, body):\n    return [body.file_system.read('a', y=x), body.base_dir != '']";
    let answer = b.call(code, json!({"x": 5})).unwrap();
    assert_eq!(answer.value.to_json(), json!([["file_system.read", ["a"], ["y=5"]], true]));
    let code = "import functools\ndef wrap(f):\n    @functools.wraps(f)\n    def g(*a, **k): return f(*a, **k)\n    return g\n\
                @wrap\ndef main(x):\n    return x";
    assert_eq!(text_of(&b.call(code, json!({"x": 5})).unwrap().value), "5");
    let all = b.call("def main(**all):\n    return sorted(all)", json!({"x": 5})).unwrap();
    assert_eq!(all.value.to_json(), json!(["body", "x"]));
    let failure = b.call("def main(body):\n    body.file_system.fail()", json!({})).unwrap_err();
    assert!(failure.message.contains("file_not_found: file `x` does not exist"), "{failure}");
    assert_eq!(failure.line(), Some(2));
    let Some(without) = bench() else { return };
    let failure = without.call("def main(body):\n    return body.llm.generate('x')", json!({})).unwrap_err();
    assert!(failure.message.contains("`body.llm.generate`"), "{failure}");
}

/// `cargo test --release --test it -- --ignored --nocapture warm_round_trip`
#[test]
#[ignore = "measures"]
fn warm_round_trip() {
    let Some(b) = bench_with(|o| o.workers = 1) else { return };
    let begun = Instant::now();
    b.text("result = 1");
    println!("first call, start included: {:?}", begun.elapsed());
    let named =
        CallIdentity { key: Some("0a".repeat(32).into()), run: Some("01J".into()), step: Some("1.2".into()) };
    for (name, mode, code, identity) in [
        ("execute", Mode::Execute, "result = a + b", None),
        ("call", Mode::MAIN, "def main(a, b):\n    return a + b", None),
        ("call with an identity", Mode::MAIN, "def main(a, b):\n    return a + b", Some(&named)),
    ] {
        let hash: Arc<str> = Arc::from(code);
        let inputs = [("a".into(), Value::Number(1.into())), ("b".into(), Value::Number(2.into()))];
        let call = ScriptCall {
            path: "s.py",
            code,
            hash: &hash,
            mode,
            inputs: &inputs,
            timeout: None,
            identity,
            body: None,
        };
        let rounds = 20_000;
        let begun = Instant::now();
        for _ in 0..rounds {
            b.pool.call(&call).unwrap();
        }
        println!("{name}: {:?} a call", begun.elapsed() / rounds);
    }
}
