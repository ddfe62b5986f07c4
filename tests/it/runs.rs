//! Small plans from source to result: each shows one rule of the runtime. The snapshot has the source beside what
//! came of it.

use std::fmt::Write;

use serde_json::Value as Json;

use crate::plans::normc;
use crate::support::snapshots;

/// Runs a plan and tells what a reader of this test wants to know.
fn outcome(source: &str, settings: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("plan.nc"), source).unwrap();
    let mut arguments = vec!["exec", "plan.nc", "--json", "--quiet"];
    settings.iter().for_each(|s| arguments.extend(["--set", s]));
    let output = normc(folder.path(), &arguments);
    let mut text = String::new();
    match serde_json::from_slice::<Json>(&output.stdout) {
        Ok(result) => {
            let _ = writeln!(text, "{} in {} cycles", result["status"].as_str().unwrap(), result["cycles"]);
            for (name, value) in result["finals"].as_object().unwrap() {
                let shown = match value {
                    Json::Null => "nothing".to_owned(),
                    value => format!("{} along {}", value["data"], value["axes"]),
                };
                let _ = writeln!(text, "{name} = {shown}");
            }
            let _ = writeln!(text, "steps {}", result["steps"]);
            let _ = writeln!(text, "skipped {}", result["skipped"]);
            if let Some(stuck) = result["stuck"].as_array().filter(|s| !s.is_empty()) {
                stuck.iter().for_each(|s| {
                    let _ =
                        writeln!(text, "{} waits for {}", s["flow_index"].as_str().unwrap(), s["waits_for"]);
                });
            }
        }
        Err(_) => text.push_str(&String::from_utf8_lossy(&output.stderr)),
    }
    text
}

fn check(name: &str, source: &str, settings: &[&[&str]]) {
    let mut text = source.trim_start_matches('\n').to_owned();
    for settings in settings {
        let _ = write!(text, "\n--- {}\n{}", settings.join(" "), outcome(source, settings));
    }
    snapshots("run").bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn two_gated_givers_of_one_value_are_alternatives() {
    check(
        "alternatives",
        "
:<:({answer})
    <= $.({x})
    <- {x}
        <= ::(double {1} by {2})
            | %{builtin}: mul
            <= @if(<n is zero>)
        <- {n}<:{1}>
        <- {two: \"2\"}<:{2}>
    <- {x}
        <= ::(take {2} from {1})
            | %{builtin}: sub
            <= @if!(<n is zero>)
        <- {n}<:{1}>
        <- {two: \"2\"}<:{2}>
    <- <n is zero>
        <= :%(True):<{1} is 0>
            | %{builtin}: is_zero
        <- {n}<:{1}>
",
        &[&["n=4"], &["n=0"]],
    );
}

#[test]
fn a_skip_reaches_what_reads_it_and_nothing_else() {
    check(
        "skip",
        "
:<:({answer})
    <= $.({after it};{plain})
    <- {after it}
        <= ::(double {1} by {2})
            | %{builtin}: mul
        <- {guarded}<:{1}>
            <= ::(take {1} as it is)
                | %{builtin}: pass
                <= @if(<n is zero>)
            <- {n}<:{1}>
        <- {two: \"2\"}<:{2}>
    <- {plain}
        <= ::(add {2} to {1})
            | %{builtin}: add
        <- {n}<:{1}>
        <- {two: \"2\"}<:{2}>
    <- <n is zero>
        <= :%(True):<{1} is 0>
            | %{builtin}: is_zero
        <- {n}<:{1}>
",
        &[&["n=4"], &["n=0"]],
    );
}

#[test]
fn a_loop_keeps_the_order_of_its_base_and_its_holes() {
    check(
        "loop",
        "
:<:({results})
    <= *every({number})%:[{number}]@(1)
        <= $.({halved})
        <- {halved}
            <= ::(divide {2} by {1})
                | %{builtin}: quotient
                <= @if!(<it is zero>)
            <- {ten: \"10\"}<:{1}>
            <- {number}*1<:{2}>
        <- <it is zero>
            <= :%(True):<{1} is 0>
                | %{builtin}: is_zero
            <- {number}*1<:{1}>
    <- {number}
",
        &[
            &[r#"number={"data": [5, 0, 2, 5], "axes": ["number"]}"#],
            &[r#"number={"data": [], "axes": ["number"]}"#],
            &[r#"number={"data": [1, "@#SKIP#@", 3], "axes": ["number"]}"#],
        ],
    );
}

#[test]
fn a_failure_in_one_iteration_leaves_the_others_alone() {
    check(
        "failing_iteration",
        "
:<:({results})
    <= *every({number})%:[{number}]@(1)
        <= $.({share})
        <- {share}
            <= ::(divide {1} by {2})
                | %{builtin}: quotient
            <- {ten: \"10\"}<:{1}>
            <- {number}*1<:{2}>
    <- {number}
",
        &[&[r#"number={"data": [5, 0, 2], "axes": ["number"]}"#]],
    );
}

#[test]
fn an_inner_loop_starts_its_carried_value_again_for_every_outer_element() {
    check(
        "nested_carry",
        "
:<:({sums})
    <= *every({rows})%:[{row}]@(1)
        <= $.({row sum})
        <- {row sum}
            <= ::(the greatest of {1})
                | %{builtin}: max
            <- {so far}<:{1}>
                <= *every({rows}*1)%:[{column}]@(2)
                    <= $.({total})
                    <- {total}
                        <= ::(multiply {1} and {2})
                            | %{builtin}: mul
                        <- {rows}*1*2<:{1}>
                        <- {two: \"2\"}<:{2}>
                <- {rows}*1
    <- {rows}
",
        &[&[r#"rows={"data": [[1, 2], [30, 4]], "axes": ["row", "column"]}"#]],
    );
}

#[test]
fn a_list_answer_is_one_cell_that_a_loop_walks() {
    check(
        "list_answer",
        "
:<:({greetings})
    <= *every({names})%:[{name}]@(1)
        <= $.({greeting})
        <- {greeting}
            <= ::(put {1} before {2})
                | %{builtin}: concat
            <- {hello: \"Hello \"}<:{1}>
            <- {names}*1<:{2}>
    <- {names}
        <= ::(split {1} at {2})
            | %{builtin}: split
        <- {text}<:{1}>
        <- {comma: \",\"}<:{2}>
",
        &[&["text=\"Ada,Grace,Joan\""], &["text=\"Ada\""]],
    );
}

#[test]
fn nobody_gives_a_condition() {
    check(
        "never",
        "
:<:({answer})
    <= ::(take {1} as it is)
        | %{builtin}: pass
        <= @after({signal})
    <- {n}<:{1}>
    <- {signal}
        <= ::(take {1} as it is)
            | %{builtin}: pass
            <= @if(<answer is zero>)
        <- {n}<:{1}>
    <- <answer is zero>
        <= :%(True):<{1} is 0>
            | %{builtin}: is_zero
        <- {answer}<:{1}>
",
        &[&["n=1"]],
    );
}
