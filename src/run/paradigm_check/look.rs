//! Whether the paradigms of a plan are there, can be run, and do what is said of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::base::{Span, nearest};
use crate::diag::{Code, Diagnostic};
use crate::repo::agents::Needs;
use crate::repo::{Inference, Method, Model, Semantic, Work};
use crate::run::ItemId;
use crate::run::paradigm::{Paradigm, Problem, Uses};

/// What a name of a paradigm leads to.
#[derive(Debug, Clone)]
pub enum Found {
    /// A paradigm.
    Paradigm(Arc<Paradigm>),
    /// A file of that name that is none.
    Broken {
        /// The file.
        file: String,
        /// Everything that is wrong with it.
        problems: Vec<Problem>,
    },
    /// Nothing; with the names there are beside the built-in ones.
    Missing(Vec<String>),
}

/// What the checks ask of their caller.
pub struct Asked<'a> {
    /// What the name of a step's paradigm leads to.
    pub paradigm: &'a dyn Fn(&Inference, &str) -> Found,
    /// The tools that the plan says a step uses, `body_faculty`.
    pub faculty: &'a dyn Fn(&Inference) -> Option<String>,
    /// Where the function of an inference is written.
    pub place: &'a dyn Fn(ItemId) -> Option<Span>,
}

/// Looks at the paradigm of every step: NC112, NC113 and NC114. Each file is spoken of once.
pub fn check_paradigms(model: &Model, asked: &Asked<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut said: BTreeSet<Arc<str>> = BTreeSet::new();
    for (number, inference) in (0..).zip(&model.inferences) {
        let Work::Semantic(step) = &inference.work else { continue };
        let Method::Composition { paradigm: name } = &step.method else { continue };
        let place = (asked.place)(ItemId(number));
        let at = |code: Code, message: String| match place {
            Some(span) => Diagnostic::at(code, span, message),
            None => Diagnostic::new(code, message),
        };
        match (asked.paradigm)(inference, name) {
            Found::Missing(others) => {
                let message = format!("there is no paradigm `{name}`, which step {} names", inference.flow);
                found.push(at(Code::NC112, message).help(near(name, &others)));
            }
            Found::Broken { file, problems } if said.insert(Arc::clone(name)) => {
                for problem in problems {
                    let diagnostic = at(Code::NC113, format!("{file}: {}", problem.message));
                    found.push(match problem.help {
                        Some(help) => diagnostic.help(help),
                        None => diagnostic,
                    });
                }
            }
            Found::Broken { .. } => {}
            Found::Paradigm(paradigm) => {
                if Paradigm::builtin(name).is_none() && said.insert(Arc::clone(name)) {
                    for problem in paradigm.remarks() {
                        let diagnostic =
                            at(Code::NC114, format!("the paradigm `{name}`: {}", problem.message));
                        found.push(match &problem.help {
                            Some(help) => diagnostic.help(help.clone()),
                            None => diagnostic,
                        });
                    }
                }
                let faculty = (asked.faculty)(inference);
                if let Some((message, help)) = faculty.and_then(|f| unfit(&f, name, &paradigm.uses())) {
                    found.push(at(Code::NC114, message).help(help));
                }
            }
        }
    }
    found
}

fn near(name: &str, others: &[String]) -> String {
    let mut names: Vec<&str> = Paradigm::builtin_names().collect();
    names.extend(others.iter().map(String::as_str));
    // Remarks behind a name are a common slip.
    let bare = name.split([' ', '(']).next().unwrap_or(name);
    let same = (bare != name && Paradigm::builtin(bare).is_some()).then_some(bare);
    let spelled = name.replace('_', "-").to_ascii_lowercase();
    match same
        .or_else(|| nearest(&spelled, names.iter().copied()))
        .or_else(|| nearest(name, names.iter().copied()))
    {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            format!("put `{bare}.json` into the paradigm folder of the step's agent, or leave the name out")
        }
    }
}

/// What `body_faculty` says against what a paradigm uses: a tool it does not use.
fn unfit(faculty: &str, name: &str, uses: &Uses) -> Option<(String, String)> {
    let words: Vec<&str> = faculty
        .split('(')
        .next()
        .unwrap_or_default()
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|w| !w.is_empty())
        .collect();
    let used = |word: &str| {
        Some(match word {
            "llm" => uses.model,
            "file_system" => uses.reads || uses.writes || uses.reads_first,
            "python_interpreter" => uses.scripts,
            "user_input" | "chat" => uses.person,
            "command" => uses.commands,
            "canvas" => uses.tools.contains(&"canvas"),
            _ => return None,
        })
    };
    let idle = words.iter().find(|w| used(w) == Some(false))?;
    let acts = [
        (uses.model, "llm"),
        (uses.scripts, "python_interpreter"),
        (uses.person, "user_input"),
        (uses.commands, "command"),
        (uses.reads || uses.writes, "file_system"),
    ];
    let acts: Vec<&str> = acts.into_iter().filter_map(|(used, word)| used.then_some(word)).collect();
    let help = if acts.is_empty() {
        "leave the `body_faculty` out: the paradigm uses no tool".to_owned()
    } else {
        format!("write `%{{body_faculty}}: {}`", acts.join(", "))
    };
    Some((format!("`body_faculty` names `{idle}`, which the paradigm `{name}` does not use"), help))
}

/// The tools a step needs of its agent.
pub fn needs(step: &Semantic, paradigm: &dyn Fn(&str) -> Option<Uses>) -> Needs {
    match &step.method {
        Method::Composition { paradigm: name } => {
            let uses = paradigm(name).unwrap_or_default();
            Needs { files: uses.reads || uses.writes, python: uses.scripts, person: uses.person }
        }
        // Built-ins need nothing; whether it is one, only the values say, so nothing is claimed of either.
        Method::PythonIndirect => Needs { python: true, ..Needs::default() },
        Method::Input => Needs { person: true, ..Needs::default() },
        Method::Python | Method::Plain | Method::Direct => Needs::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{SourceFile, SourceMap};
    use crate::repo::{LowerOptions, compile};

    fn said(notes: &[&str], found: &dyn Fn(&str) -> Found) -> Vec<String> {
        let lines: String = notes.iter().map(|n| format!("        | {n}\n")).collect();
        let text = format!(":<:({{a}})\n    <= ::(do {{1}})\n{lines}    <- {{b}}<:{{1}}>\n");
        let mut sources = SourceMap::default();
        let file = sources.add(SourceFile::new("plan.ncd", text.as_str()));
        let compiled = compile(file, &text, None, &sources, &LowerOptions::default());
        let model = compiled.model.unwrap();
        let work = compiled.repositories.inferences[0].interpretation().cloned().unwrap_or_default();
        let faculty = |_: &Inference| work.get("body_faculty").and_then(|f| f.as_str()).map(str::to_owned);
        let asked = Asked { paradigm: &|_, name| found(name), faculty: &faculty, place: &|_| None };
        check_paradigms(&model, &asked)
            .into_iter()
            .map(|d| format!("{} {}; {}", d.code, d.message, d.help.unwrap_or_default()))
            .collect()
    }

    fn builtin(name: &str) -> Found {
        Paradigm::builtin(name).map_or_else(|| Found::Missing(vec!["my-own".to_owned()]), Found::Paradigm)
    }

    #[test]
    fn names_that_lead_nowhere() {
        assert_eq!(said(&["%{prompt}: p"], &builtin), [""; 0]);
        for (name, help) in [
            ("generate_text", "did you mean `generate-text`?"),
            ("my-ovn", "did you mean `my-own`?"),
            (
                "v_Script-h_Data-c_Execute-o_Normal (script execution)",
                "did you mean `v_Script-h_Data-c_Execute-o_Normal`?",
            ),
            (
                "something-else",
                "put `something-else.json` into the paradigm folder of the step's agent, or leave the name out",
            ),
        ] {
            let wanted = format!("NC112 there is no paradigm `{name}`, which step 1 names; {help}");
            assert_eq!(said(&[&format!("%{{paradigm}}: {name}")], &builtin), [wanted]);
        }
    }

    #[test]
    fn files_that_are_no_paradigm_and_names_that_promise_more() {
        let read = |name: &str, text: &str| match Paradigm::read(name, text) {
            Ok(paradigm) => Found::Paradigm(Arc::new(paradigm)),
            Err(problems) => Found::Broken { file: format!("mine/{name}.json"), problems },
        };
        let broken = said(&["%{paradigm}: mine"], &|name| read(name, "{}"));
        assert!(
            !broken.is_empty() && broken.iter().all(|d| d.starts_with("NC113 mine/mine.json: ")),
            "{broken:?}"
        );
        let pass = r#"{"env_spec": {"tools": [{"tool_name": "formatter_tool", "affordances": [
            {"affordance_name": "get", "call_code": "result = tool.get"}]},
            {"tool_name": "composition_tool", "affordances": [{"affordance_name": "compose",
            "call_code": "result = tool.compose(plan=params['plan'], return_key=params.get('return_key'))"}]}]},
            "metadata": {"description": "", "inputs": {"vertical": {}, "horizontal": {}},
            "outputs": {"type": "Literal", "description": ""}},
            "sequence_spec": {"steps": [
            {"step_index": 1, "affordance": "formatter_tool.get", "params": {}, "result_key": "get"},
            {"step_index": 2, "affordance": "composition_tool.compose", "params": {"plan": [{"output_key": "a",
            "function": {"__type__": "MetaValue", "key": "get"}, "params": {"dictionary": "__initial_input__"},
            "literal_params": {"key": "input_1"}}], "return_key": "a"}, "result_key": "instruction_fn"}]}}"#;
        let promised = said(&["%{paradigm}: v_Prompt-h_Literal-c_Pass-o_Literal"], &|name| read(name, pass));
        assert!(
            promised
                .iter()
                .any(|d| d.starts_with("NC114 the paradigm `v_Prompt-h_Literal-c_Pass-o_Literal`: ")),
            "{promised:?}"
        );
        assert_eq!(said(&["%{paradigm}: h_Literal-c_Pass-o_Literal"], &|name| read(name, pass)), [""; 0]);
    }

    #[test]
    fn tools_that_are_named_and_not_used() {
        let of = |faculty: &str| {
            said(
                &[
                    "%{paradigm}: run-script",
                    &format!("%{{body_faculty}}: {faculty}"),
                    "%{v_input_provision}: a.py",
                ],
                &builtin,
            )
        };
        assert_eq!(of("python_interpreter"), [""; 0]);
        assert_eq!(of("(none, the runner does it)"), [""; 0]);
        assert_eq!(of("my_own_tool"), [""; 0]);
        assert_eq!(
            of("llm"),
            [
                "NC114 `body_faculty` names `llm`, which the paradigm `run-script` does not use; write `%{body_faculty}: \
              python_interpreter`"
            ]
        );
    }
}
