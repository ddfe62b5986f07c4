//! Scripts and their body: whose call it is, whose time it is, and how it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use normc::base::{FileAct, Value, text_of};
use normc::faculty::files::Root;
use normc::faculty::python::{Body, Deed, Mode, Pool, PureBody, Reading, ScriptCall, World};
use normc::faculty::{Answer, Failure, FailureKind, memory};
use serde_json::{Value as Json, json};

use crate::faculty::{Bench, bench, bench_with};
use crate::support::until;

/// A body that is a function.
struct Tools<F>(F);

impl<F: Fn(&str, &str, &[Value]) -> Result<Value, Failure> + Send + Sync> Body for Tools<F> {
    fn call(
        &self,
        tool: &str,
        method: &str,
        args: &[Value],
        _: &[(Arc<str>, Value)],
    ) -> Result<Value, Failure> {
        (self.0)(tool, method, args)
    }
}

fn call_with(pool: &Pool, code: &str, body: &dyn Body, timeout: Option<Duration>) -> Result<Answer, Failure> {
    let hash = Arc::from(code);
    pool.call(&ScriptCall {
        path: "s.py",
        code,
        hash: &hash,
        mode: Mode::MAIN,
        inputs: &[],
        timeout,
        identity: None,
        body: Some(body),
    })
}

fn text_with(b: &Bench, code: &str, body: &dyn Body) -> String {
    call_with(&b.pool, code, body, None).map_or_else(|f| panic!("{f}"), |a| text_of(&a.value))
}

#[test]
fn each_call_has_its_own_body() {
    let Some(b) = bench() else { return };
    let code = "def main(body):\n    return [body.a.b() for _ in range(20)]";
    std::thread::scope(|scope| {
        for name in ["one", "two", "three", "four"] {
            let b = &b;
            scope.spawn(move || {
                let body = Tools(|_: &str, _: &str, _: &[Value]| Ok(Value::text(name)));
                let wanted = text_of(&Value::list(vec![Value::text(name); 20]));
                assert_eq!(text_with(b, code, &body), wanted);
            });
        }
    });
}

#[test]
fn any_function_can_be_called() {
    let Some(b) = bench() else { return };
    let code = "def double(x):\n    return 2 * x\nmain = 5";
    let run = |name: &str| b.run(Mode::Call(name), code, json!({"x": 4}), None);
    assert_eq!(text_of(&run("double").unwrap().value), "8");
    let failure = run("triple").unwrap_err();
    assert_eq!(failure.kind, FailureKind::NoSuchFunction);
    assert!(failure.message.contains("defines no function `triple`"), "{failure}");
    assert!(run("main").unwrap_err().message.contains("'main' is not a callable function."));
}

#[test]
fn a_tool_that_fails_is_an_exception() {
    let Some(b) = bench() else { return };
    let body = Tools(|_: &str, _: &str, _: &[Value]| {
        Err(Failure::new(FailureKind::FileNotFound, "file `x` does not exist").with_help("did you mean `y`?"))
    });
    let code = "def main(body):\n    try:\n        body.a.b()\n    except NormcError as e:\n        \
                return [e.kind, e.message, e.help, str(e), isinstance(e, RuntimeError), body.NormcError is NormcError]";
    let answer = call_with(&b.pool, code, &body, None).unwrap().value.to_json();
    let (message, both) = ("file `x` does not exist", "file_not_found: file `x` does not exist");
    assert_eq!(answer, json!(["file_not_found", message, "did you mean `y`?", both, true, true]));
    let failure = call_with(&b.pool, "def main(body):\n    body.a.b()", &body, None).unwrap_err();
    assert_eq!((failure.kind, failure.line()), (FailureKind::ScriptFailed, Some(2)));
    assert!(failure.message.contains("NormcError: file_not_found"), "{failure}");
}

#[test]
fn a_question_without_an_answer_ends_the_script_whatever_it_catches() {
    let Some(b) = bench_with(|o| o.workers = 1) else { return };
    let asked = AtomicUsize::new(0);
    let body = Tools(|_: &str, _: &str, _: &[Value]| {
        asked.fetch_add(1, Ordering::SeqCst);
        Err(Failure::new(FailureKind::Suspended, "waits for an answer"))
    });
    let pid = b.pid();
    let cases = [
        "def main(body):\n    print('before')\n    body.a.b()\n    return 1",
        "def main(body):\n    print('before')\n    try:\n        body.a.b()\n    except BaseException:\n        pass\n    return 1",
        "import threading\ndef main(body):\n    print('before')\n    t = threading.Thread(target=body.a.b)\n    \
         threading.excepthook = lambda a: None\n    t.start()\n    t.join()\n    return 1",
        "def main(body):\n    print('before')\n    for _ in range(3):\n        try:\n            body.a.b()\n        \
         except BaseException:\n            pass\n    raise ValueError('mine')",
    ];
    for code in cases {
        let failure = call_with(&b.pool, code, &body, None).expect_err(code);
        assert_eq!(failure.kind, FailureKind::Suspended, "{failure}");
        assert_eq!(failure.message, "waits for an answer");
        assert_eq!(failure.output.unwrap().stdout, "before\n");
    }
    assert_eq!(asked.load(Ordering::SeqCst), cases.len(), "once it has ended, nothing more is asked");
    assert_eq!(b.pid(), pid, "the worker is as good as before");
    // One that goes on for ever is not waited for.
    let code = "def main(body):\n    while True:\n        try:\n            body.a.b()\n        except BaseException:\n            pass";
    let failure = call_with(&b.pool, code, &body, None).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Suspended, "{failure}");
    assert_ne!(b.pid(), pid);
}

#[test]
fn the_time_of_a_tool_is_not_the_scripts() {
    let Some(b) = bench() else { return };
    let body = Tools(|_: &str, _: &str, _: &[Value]| {
        std::thread::sleep(Duration::from_millis(1500));
        Ok(Value::Null)
    });
    // The limit is long enough for the script on a busy machine, and shorter than the tools.
    let limit = Some(Duration::from_millis(1400));
    b.text("result = 1");
    let code = "def main(body):\n    body.a.b()\n    body.a.b()\n    return 'done'";
    assert_eq!(call_with(&b.pool, code, &body, limit).map(|a| text_of(&a.value)).as_deref(), Ok("done"));
    let code = "import time\ndef main(body):\n    body.a.b()\n    time.sleep(1000)";
    let failure = call_with(&b.pool, code, &body, limit).unwrap_err();
    assert_eq!(failure.kind, FailureKind::ScriptTimeout, "{failure}");
}

/// Runs what scripts ask to be run, on the same pool.
struct Runner<'p>(&'p Pool);

impl World for Runner<'_> {
    fn act(&self, deed: Deed) -> Result<Value, Failure> {
        let (code, mode, inputs) = match &deed {
            Deed::Execute { code, inputs } => (code, Mode::Execute, inputs),
            Deed::Call { code, function, inputs } => (code, Mode::Call(function), inputs),
            other => panic!("{other:?}"),
        };
        let body = PureBody::new(self);
        let call = ScriptCall {
            path: "inner.py",
            code,
            hash: code,
            mode,
            inputs,
            timeout: None,
            identity: None,
            body: Some(&body),
        };
        self.0.call(&call).map(|answer| answer.value)
    }

    fn read_reply(&self, _: Reading, reply: &Value) -> Result<Value, Failure> {
        Ok(reply.clone())
    }
}

#[test]
fn scripts_run_scripts_though_all_places_are_taken() {
    let Some(b) = bench_with(|o| o.workers = 1) else { return };
    let runner = Runner(&b.pool);
    let code = "def main(body):\n    run = body.python_interpreter.execute\n    \
                one = run('result = x + 1', {'x': 1})\n    \
                two = body.python_interpreter.function_execute('def f(x): return x * 2', 'f', {'x': 4})\n    \
                f = body.python_interpreter.create_function_executor('def f(x): return x * 3', 'f')\n    \
                return [one, two, f({'x': 5}), f(x=6)]";
    assert_eq!(text_with(&b, code, &PureBody::new(&runner)), "[2, 8, 15, 18]");
    // Scripts that run themselves are stopped.
    let code = "CODE = '''def main(body, code, n):\n    try:\n        \
                return body.python_interpreter.function_execute(code, 'main', {'code': code, 'n': n + 1})\n    \
                except NormcError as e:\n        return [e.kind, n]'''\n\
                def main(body):\n    return body.python_interpreter.function_execute(CODE, 'main', {'code': CODE, 'n': 1})";
    assert_eq!(text_with(&b, code, &PureBody::new(&runner)), "['not_allowed', 8]");
}

#[test]
fn other_scripts_go_on_while_one_waits_for_a_tool() {
    let Some(b) = bench_with(|o| o.workers = 1) else { return };
    let (go, may_go) = std::sync::mpsc::channel::<()>();
    let may_go = std::sync::Mutex::new(may_go);
    let waiting = AtomicUsize::new(0);
    let body = Tools(|_: &str, _: &str, _: &[Value]| {
        waiting.store(1, Ordering::SeqCst);
        may_go.lock().unwrap().recv().unwrap();
        Ok(Value::text("answer"))
    });
    std::thread::scope(|scope| {
        let call = scope.spawn(|| text_with(&b, "def main(body):\n    return body.a.b()", &body));
        until("the tool", || waiting.load(Ordering::SeqCst) == 1);
        assert_eq!(b.text("result = 'meanwhile'"), "meanwhile");
        go.send(()).unwrap();
        assert_eq!(call.join().unwrap(), "answer");
    });
}

#[test]
fn threads_of_a_script_take_turns() {
    let Some(b) = bench() else { return };
    let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let body = Tools(|_: &str, _: &str, args: &[Value]| {
        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(1));
        now.fetch_sub(1, Ordering::SeqCst);
        Ok(args[0].clone())
    });
    let code = "import threading\ndef main(body):\n    given = {}\n    \
                def one(n):\n        for i in range(10): given[n, i] = body.a.b([n, i])\n    \
                threads = [threading.Thread(target=one, args=(n,)) for n in range(8)]\n    \
                for t in threads: t.start()\n    for t in threads: t.join()\n    \
                return len(given) == 80 and all(given[k] == list(k) for k in given)";
    assert_eq!(text_with(&b, code, &body), "True");
    assert_eq!(most.load(Ordering::SeqCst), 1);
}

#[test]
fn a_body_ends_with_its_script() {
    let Some(b) = bench_with(|o| o.workers = 1) else { return };
    let one = Tools(|_: &str, _: &str, _: &[Value]| Ok(Value::text("one")));
    let two = Tools(|_: &str, _: &str, _: &[Value]| Ok(Value::text("two")));
    let code = "import os, threading, time\ndef main(body):\n    def late():\n        \
                while not os.path.exists('go'): time.sleep(0.005)\n        \
                try: said = body.a.b()\n        except NormcError as e: said = e.message\n        \
                with open('said.new', 'w') as f: f.write(said)\n        os.rename('said.new', 'said')\n    \
                threading.Thread(target=late).start()\n    return body.a.b()";
    assert_eq!(text_with(&b, code, &one), "one");
    let [go, said] = ["go", "said"].map(|name| b.folder.path().join(name));
    let code = "import os, time\ndef main(body):\n    open('go', 'w').close()\n    \
                while not os.path.exists('said'): time.sleep(0.005)\n    return body.a.b()";
    assert_eq!(text_with(&b, code, &two), "two");
    assert!(go.exists());
    assert!(std::fs::read_to_string(said).unwrap().contains("has ended"));
    // Nor does it belong to a process the script has forked.
    let code = "import os\ndef main(body):\n    read, write = os.pipe()\n    if os.fork() == 0:\n        \
                try: said = body.a.b()\n        except NormcError as e: said = e.message\n        \
                os.write(write, said.encode())\n        os._exit(0)\n    os.wait()\n    return os.read(read, 1000).decode()";
    assert!(text_with(&b, code, &one).contains("only the process of the script itself"));
}

#[test]
fn what_cannot_be_sent_is_refused_in_the_script() {
    let Some(b) = bench_with(|o| o.answer_limit = 100_000) else { return };
    let body = Tools(|_: &str, method: &str, args: &[Value]| match method {
        "deep" => Ok((0..200).fold(Value::Null, |value, _| Value::list([value]))),
        "large" => Ok(Value::text("x".repeat(200_000))),
        _ => Ok(args.first().cloned().unwrap_or(Value::Null)),
    });
    let cases = [
        ("float('nan')", "b", "no JSON"),
        ("{1, 2}", "b", "no JSON"),
        ("'\\ud800'", "b", "surrogate"),
        ("'x' * 200000", "b", "more than 100000"),
        ("deep", "b", "nested"),
        ("1", "deep", "nested deeper"),
        ("1", "large", "more than 100000"),
    ];
    for (value, method, words) in cases {
        let code = format!(
            "deep = None\nfor _ in range(150): deep = [deep]\ndef main(body):\n    \
             try:\n        body.a.{method}({value})\n    except NormcError as e:\n        return [e.kind, e.message]"
        );
        let answer = call_with(&b.pool, &code, &body, None).unwrap().value.to_json();
        assert_eq!(answer[0], json!("bad_arguments"), "{answer}");
        assert!(answer[1].as_str().unwrap().contains(words), "{answer}");
    }
    // As deep as a value may be, it goes there and back.
    let code = "def main(body):\n    deep = None\n    for _ in range(120): deep = [deep]\n    return body.a.b(deep) == deep";
    assert_eq!(text_with(&b, code, &body), "True");
    for depth in 124..130 {
        let code = format!("result = None\nfor _ in range({depth}): result = [result]");
        let kind = b.execute(&code).map_err(|f| f.kind).err();
        assert_eq!(kind, (depth > 126).then_some(FailureKind::ResultNotSerialisable), "{depth}");
    }
}

/// Real files, a model that repeats its prompt, a person who says yes.
struct Desk(Root);

impl World for Desk {
    fn act(&self, deed: Deed) -> Result<Value, Failure> {
        match deed {
            Deed::File(FileAct::Read { path }) | Deed::ReadPrompt { path } => {
                self.0.read_text(&path).map(Value::Text)
            }
            Deed::File(FileAct::Exists { path }) => self.0.exists(&path).map(Value::Bool),
            Deed::File(FileAct::Save { path, content }) => {
                self.0.save(&path, content.as_bytes()).map(Value::Text)
            }
            Deed::File(FileAct::SaveMany { folder, files }) => {
                self.0.save_many(&folder, &files).map(|paths| Value::list(paths.into_iter().map(Value::Text)))
            }
            Deed::File(FileAct::Recall { key, file }) => memory::recall(&self.0, &key, file.as_deref()),
            Deed::File(FileAct::Memorize { key, value, file }) => {
                memory::memorize(&self.0, &key, &value, file.as_deref()).map(|()| Value::Null)
            }
            Deed::Generate { prompt, .. } => Ok(Value::text(format!("%{{script_location}}({prompt})"))),
            Deed::Ask(asking) => Ok(Value::text(format!("{} {}: yes", asking.kind.word(), asking.prompt))),
            other => Err(Failure::new(FailureKind::UnsupportedAffordance, format!("{other:?}"))),
        }
    }

    fn read_reply(&self, how: Reading, reply: &Value) -> Result<Value, Failure> {
        Ok(Value::text(format!("{how:?} {}", text_of(reply))))
    }
}

#[test]
fn the_whole_body() {
    let Some(b) = bench() else { return };
    std::fs::write(b.folder.path().join("p.md"), "Dear $name").unwrap();
    let desk = Desk(Root::open(b.folder.path()).unwrap());
    let body = PureBody::new(&desk);
    let cases = [
        ("body.base_dir == __import__('os').getcwd()", json!(true)),
        ("body.file_system.save({'a': 1}, 'o/x.json')", json!({"status": "success", "location": "o/x.json"})),
        ("body.file_system.write('o/y.txt', 5)", json!({"status": "success", "location": "o/y.txt"})),
        ("body.file_system.read(location='o/y.txt')['content']", json!("5")),
        ("[body.file_system.exists(p) for p in ('o/y.txt', 'o/z.txt')]", json!([true, false])),
        (
            "body.file_system.save_from_dict({'1.txt': 'a', '2.json': [1]}, 'd')['saved_locations']",
            json!(["d/1.txt", "d/2.json"]),
        ),
        (
            "body.file_system.save_memorized_value('{\"key\": \"k\", \"value\": [1]}')['status']",
            json!("success"),
        ),
        ("body.file_system.read_memorized_value('k')", json!({"status": "success", "content": [1]})),
        ("body.llm.generate('evil.py', system_message=None)", json!("%{script_location}(evil.py)")),
        ("body.prompt_tool.read('p.md')", json!("Dear $name")),
        ("body.prompt_tool.read('p.md').safe_substitute(name='A')", json!("Dear A")),
        ("body.prompt_tool.render('p.md', {'name': '$name'})", json!("Dear $name")),
        (
            "body.prompt_tool.create_template_function(body.prompt_tool.read('p.md'))({'name': 1})",
            json!("Dear 1"),
        ),
        ("body.formatter_tool.create_template_function('$a $b')(a=1, b=2)", json!("1 2")),
        ("body.formatter_tool.create_substitute_function('t')({'t': '$a', 'a': [1]})", json!("[1]")),
        (
            "body.formatter_tool.create_smart_substitute_function('t', 'rest')({'t': '$rest', 'input_1': 'x'})",
            json!("<file_1>\nx\n</file_1>"),
        ),
        ("body.formatter_tool.parse_boolean('yes')", json!("Truth yes")),
        ("body.formatter_tool.wrap('x', type='save_path')", json!("%{save_path}(x)")),
        ("body.perception_router.strip_sign('%{a}1([1])')", json!([1])),
        ("body.user_input.create_input_function()('Who?')", json!("text Who?: yes")),
        ("body.user_input.create_input_function()(prompt_text='Who?')", json!("text Who?: yes")),
        ("body.user_input.create_text_editor_function()('Edit', 'old')", json!("edit Edit: yes")),
        (
            "body.user_input.create_interaction(interaction_type='select', options=['a', 'b'])('Which?')",
            json!("choose Which?: yes"),
        ),
        ("(body.buffer.write('r', 1), body.buffer.read('r'), body.buffer.read('s'))", json!([1, 1, null])),
        ("body.fn.invoke(lambda vars: sorted(vars), {'b': 1, 'a': 2})", json!(["a", "b"])),
        ("hasattr(body, '__len__')", json!(false)),
    ];
    for (expression, wanted) in cases {
        let code = format!("def main(body):\n    return {expression}");
        let answer = call_with(&b.pool, &code, &body, None);
        let answer = answer.unwrap_or_else(|failure| panic!("{expression}: {failure}"));
        // Whatever it looks like, it is data.
        assert!(!matches!(answer.value, Value::Sign(_)), "{expression}");
        assert_eq!(answer.value.to_json(), wanted, "{expression}");
    }
    let failures = [
        ("body.file_system.read('../x')", "path_escapes_base"),
        ("body.file_system.read('none')", "file_not_found"),
        ("body.file_system.save(None, 'x')", "nothing_to_save"),
        ("body.file_system.save_from_dict({'../x': ''}, 'd')", "path_escapes_base"),
        ("body.file_system.read_memorized_value('none')", "no_such_parameter"),
        ("body.file_system.raed('x')", "unsupported_affordance"),
        ("body.canvas.draw()", "unsupported_affordance"),
        ("body.llm.generate()", "bad_arguments"),
    ];
    for (expression, kind) in failures {
        let code =
            format!("def main(body):\n    try: {expression}\n    except NormcError as e: return e.kind");
        let answer = call_with(&b.pool, &code, &body, None).unwrap().value.to_json();
        assert_eq!(answer, Json::from(kind), "{expression}");
    }
}
