//! Answers that are written beforehand, and answers to a run that nobody works on.

use super::*;
use crate::support::until;

const QUESTIONS: [&str; 5] = ["1.2", "1.3", "1.4", "1.5.1.2[1]", "1.5.1.2[2]"];

/// The cells of a step have a question each. The step's name is the first one's; said once more, it is no other's.
#[test]
fn an_answer_given_twice_reaches_no_other_cell() {
    let plan = "\
:<:({marks})
    <= ::(ask for the mark of {1}<$({letters})%_>)
        | %{ask}: \"What mark has $input_1?\"
    <- {letters}<:{1}> | ref. %(letter)=[\"a\", \"b\", \"c\"]
";
    let folder = folder(plan);
    let folder = folder.path();
    let (code, _, said) = told(&run(folder, "exec plan.nc --run-id r -q"));
    assert_eq!(code, Some(75));
    assert!(said.starts_with("3 questions wait for an answer:\n  1 {marks} at letter 1\n"), "{said}");
    for (words, code, part) in [
        ("answer r marks x", 2, "say which: 1, 1#2, 1#3"),
        ("answer r 1#1 x", 0, "1 is answered"),
        ("answer r 1 y", 66, "no open question `1`"),
        ("answer r 1#2 y", 0, "1#2 is answered"),
        ("answer r 1#1.1 y", 66, "no open question `1#1.1`"),
        ("answer r 1 y", 66, "open are 1#3"),
        ("answer r 1#3 z", 0, "no question is open"),
    ] {
        let (got, _, said) = told(&run(folder, words));
        assert_eq!(got, Some(code), "{words}: {said}");
        assert!(said.contains(part), "{words}: {said}");
    }
    let (code, out, _) = told(&run(folder, "exec --resume r -q"));
    assert_eq!((code, out.as_str()), (Some(0), "{marks}  (letter: 3)\n    x y z\n"));
}

#[test]
fn a_run_without_people_lists_its_questions_and_goes_on_with_the_answers() {
    let folder = folder(PLAN);
    let folder = folder.path();
    let first = run(folder, "exec plan.nc --run-id r --json");
    let (code, _, said) = told(&first);
    assert_eq!(code, Some(75), "{said}");
    let ids_of = |output: &Output| ids(&json(output)).iter().map(|id| id.to_string()).collect::<Vec<_>>();
    assert_eq!(ids_of(&first), QUESTIONS);
    assert!(said.contains("5 questions wait for an answer:\n  1.2 {name}\n    Who are you?\n"), "{said}");
    let lines: Vec<&str> = said.lines().filter(|line| line.contains("normc answer")).map(str::trim).collect();
    let id = said.split("exec --resume ").nth(1).unwrap().trim();
    let wanted = ["1.2 TEXT", "1.3 y|n", "1.4 1..2", "'1.5.1.2[1]' TEXT", "'1.5.1.2[2]' TEXT"];
    assert_eq!(lines, wanted.map(|words| format!("normc answer {id} {words}")));
    assert_eq!(ids_of(&run(folder, "answer r --format json")), QUESTIONS);
    let why = String::from_utf8(run(folder, "why r 1.2").stdout).unwrap();
    assert!(why.contains("waits for an answer: begun ") && !why.contains("\nwas interrupted"), "{why}");

    for (words, code, part) in [
        ("answer r 1.3 perhaps", 65, "neither yes nor no"),
        ("answer r 1.4 3", 65, "a number from 1 to 2"),
        ("answer r 1.2 a b", 2, "one answer is wanted"),
        ("answer r 1.2 --json x", 65, "is not JSON"),
        ("answer r 1.2 --json 5", 65, "A text is wanted, not the number 5"),
        ("answer r 1.2", 2, "no terminal"),
        ("answer r 1.9 x", 66, "did you mean `1.2`?"),
        ("answer r mark x", 2, "say which: 1.5.1.2[1], 1.5.1.2[2]"),
        ("answer r 1.2 --file gone", 66, "there is no file gone"),
        ("answer nobody 1.2 x", 66, "nobody"),
    ] {
        let output = run(folder, words);
        let (got, _, said) = told(&output);
        assert_eq!(got, Some(code), "{words}: {said}");
        assert!(said.contains(part), "{words}: {said}");
    }
    assert_eq!(ids_of(&run(folder, "answer r --format json")), QUESTIONS, "a refused answer changes nothing");

    fs::write(folder.join("mark.txt"), "two\n").unwrap();
    for words in ["answer r 1.2 %{file_location}(plan.nc)", "answer r 1.3 YES", "answer r colour 2"] {
        let output = run(folder, words);
        assert_eq!(output.status.code(), Some(0), "{words}: {output:?}");
    }
    let output = run(folder, "answer r 1.5.1.2[2] --file mark.txt --format json");
    assert_eq!(
        (json(&output)["answered"].as_str(), json(&output)["open"].as_u64()),
        (Some("1.5.1.2[2]"), Some(1))
    );
    // Once more is too late.
    assert_eq!(run(folder, "answer r 1.2 again").status.code(), Some(66));

    let (code, _, said) = told(&run(folder, "exec --resume r"));
    assert_eq!(code, Some(75), "{said}");
    assert!(said.contains("1 question waits for an answer:\n  1.5.1.2[1] {mark}"), "{said}");
    let mut last = normc(folder, "answer r 1.5.1.2[1] -").stdin(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(last.stdin.as_mut().unwrap(), b"one\n").unwrap();
    assert_eq!(last.wait_with_output().unwrap().status.code(), Some(0));
    let output = run(folder, "exec --resume r --json");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let all = json(&output);
    let text = goal(&all);
    // What a person said is text, also when it looks like a sign.
    for part in ["(%{file_location}(plan.nc))", "(dark blue)", "true", "(one)", "(two)"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert_eq!(ids_of(&run(folder, "answer r --format json")), Vec::<String>::new());
}

#[test]
fn answers_from_a_file() {
    let folder = folder(PLAN);
    let folder = folder.path();
    let with = |answers: &str, more: &str| {
        fs::write(folder.join("answers.json"), answers).unwrap();
        run(folder, &format!("exec plan.nc --answers answers.json --json{more}"))
    };
    let all = r#"{"name": "Ada", "1.3": "n", "1.4": 2, "{mark}": ["x", "y"]}"#;
    let output = with(all, "");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let answered = json(&output);
    for part in ["(Ada)", "false", "(dark blue)", "(x)", "(y)"] {
        assert!(goal(&answered).contains(part), "{part} is not in {}", goal(&answered));
    }
    let output = with(r#"{"1.2": "Ada", "1.3": "perhaps", "1.5.1.2[2]": "y"}"#, "");
    let (code, _, said) = told(&output);
    assert_eq!(code, Some(75), "{said}");
    assert_eq!(ids(&json(&output)), ["1.3", "1.4", "1.5.1.2[1]"]);
    let wanted =
        "error: answers.json: the answer at `1.3` does not fit the question 1.3 {sure}: `perhaps` is neither";
    assert!(said.contains(wanted), "{said}");
    let output = with(r#"{"1.3": true, "1.4": "red", "1.5.1.2": "z"}"#, " --resume");
    assert_eq!(output.status.code(), Some(0), "{output:?}");

    let runs = || json(&run(folder, "runs --format json"))["runs"].as_array().map_or(0, Vec::len);
    let before = runs();
    for (answers, part) in [
        (r#"{"1.20": "x"}"#, "`1.20` names no inference of the plan; did you mean `1.2`?"),
        (r#"{"nome": "x"}"#, "`nome` names no inference of the plan; did you mean `name`?"),
        ("[1]", "it is no JSON object of steps and answers"),
        ("{", "it is not JSON"),
    ] {
        let (code, _, said) = told(&with(answers, ""));
        assert_eq!(code, Some(65), "{answers}: {said}");
        assert!(said.contains(part), "{answers}: {said}");
    }
    assert_eq!(told(&run(folder, "exec plan.nc --answers gone.json")).0, Some(66));
    assert_eq!(runs(), before, "nothing has begun");
}

#[test]
fn a_run_at_work_without_a_mailbox_takes_no_answer() {
    // A program keeps the run at work while the question is open.
    let plan = "\
:<:({all})
    <= &in({name};{slept})
    <- {name}
        <= ::(ask for a name)
            | %{ask}: \"Who are you?\"
    <- {slept}
        <= ::(wait)
            | %{command}: [\"sh\", \"-c\", \"while ! test -e done; do sleep 0.02; done\"]
";
    let folder = folder(plan);
    let folder = folder.path();
    let child = normc(folder, "exec plan.nc --run-id r -q").spawn().unwrap();
    let listed = || {
        let output = run(folder, "answer r --format json");
        output.status.success().then(|| ids(&json(&output)).len())
    };
    until("the question is open", || listed() == Some(1));
    let (code, _, said) = told(&run(folder, "answer r 1.2 Ada"));
    assert_eq!(code, Some(73), "{said}");
    assert!(
        said.contains(&format!("process {} is at work", child.id())) && said.contains("--mailbox"),
        "{said}"
    );
    fs::write(folder.join("done"), "").unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(75));
    assert_eq!(run(folder, "answer r 1.2 Ada").status.code(), Some(0));
    assert_eq!(run(folder, "exec --resume r -q").status.code(), Some(0));
}
