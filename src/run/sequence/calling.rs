//! What a step calls for each combination of its inputs: a built-in, a program, a script, a person, or the function of
//! a paradigm (semantics spec, sections 5 and 9.1).

use std::sync::Arc;

use crate::base::{Map, Value};
use crate::repo::{Method, Semantic};
use crate::run::effect::{Arguments, Contract, Effect, Question, ScriptCode, ScriptRun};
use crate::run::event::StepFailure;
use crate::run::means::{Means, NoFiles};
use crate::run::paradigm::{Function, Ids};
use crate::tensor::Tensor;

use super::cell::Cell;
use super::format::Style;
use super::functions::{Functions, only_sign, own_text, prepare, states};
use super::inputs::{Inputs, Special, Values, number};
use super::perceive::{input_text, stripped};
use super::prompts::{self, Reply};
use super::site::Site;
use super::writer::{Prompt, Writer};

const SCRIPT: &[&str] = &["script_location", "generated_script_path"];
const PROMPT: &[&str] = &["prompt_location", "prompt", "prompt_template"];

/// What a step calls.
pub(super) enum Calling {
    /// A built-in, by its name.
    Builtin(Arc<str>),
    /// A program, by the paradigm that runs programs.
    Program { function: Arc<Function> },
    /// A script that is there.
    Script { path: Arc<str>, contract: Contract },
    /// A script that a model writes where it is not there.
    Written { location: Arc<str>, prompt: Prompt, code: Arc<Function> },
    /// A person.
    Person,
    /// A model, with the prompt of an old sequence.
    Model { function: Arc<Function>, template: Option<Arc<str>>, special: Special },
    /// The functions of a paradigm.
    Paradigm { functions: Functions, special: Special },
}

/// What all calls of a step have in common.
#[derive(Clone, Copy)]
pub(super) struct Step<'a> {
    pub(super) work: &'a Arc<Semantic>,
    pub(super) site: &'a Site<'a>,
    /// Constants by their own names.
    pub(super) constants: &'a [(Arc<str>, Value)],
    pub(super) style: Style,
    pub(super) means: &'a dyn Means,
}

impl Step<'_> {
    /// What numbers the signs of a cell.
    fn ids(&self, place: usize) -> Ids {
        Ids::of_cell(&(self.site.step)(), place)
    }
}

impl Calling {
    /// Finds what a step calls.
    ///
    /// # Errors
    /// `missing_input`, `missing_template`, `file_not_found` and what preparing a function fails with.
    pub(super) fn choose(
        work: &Arc<Semantic>,
        site: &Site<'_>,
        given: &Values<'_>,
        means: &dyn Means,
    ) -> Result<Self, StepFailure> {
        let of_function = |norms: &[&str]| {
            let sign = only_sign(site)?;
            norms.contains(&sign.norm()?).then(|| sign.payload())
        };
        let named = |norms: &[&str]| given.instruction(norms).or_else(|| of_function(norms)).cloned();
        if let Some(name) = named(&["builtin"]) {
            return Ok(Self::Builtin(checked(name, "builtin")?));
        }
        if let Some(line) = given.instruction(&["command_location"]) {
            let states = states(work, site, &checked(Arc::clone(line), "command_location")?);
            return Ok(Self::Program {
                function: prepare(&NoFiles.paradigm("run-command")?, states, work, means)?,
            });
        }
        match &work.method {
            Method::Composition { paradigm } => {
                let paradigm = means.paradigm(paradigm)?;
                let functions = Functions::new(work, site, &paradigm, means)?;
                let script = given.instruction(SCRIPT);
                // The prompt of a script that is there is not needed.
                let there = || script.is_some_and(|path| means.text(path).is_ok());
                let special = given.special(Style::Composition, means, &|_| !there())?;
                Ok(Self::Paradigm { functions, special })
            }
            Method::Input => Ok(Self::Person),
            Method::Plain => {
                let function = old(reply_paradigm(Reply::of(work)), work, site, means)?;
                Ok(Self::Model { function, template: None, special: Special::new() })
            }
            Method::Direct => Self::direct(work, site, given, means),
            Method::Python | Method::PythonIndirect => {
                let script = constant(given, &work.keys.script).or_else(|| named(SCRIPT));
                let Some(location) = script else { return Err(nothing_to_call()) };
                Self::script(checked(location, "script_location")?, work, site, given, means)
            }
        }
    }

    /// A model, with the prompt that a value or a constant is.
    fn direct(
        work: &Arc<Semantic>,
        site: &Site<'_>,
        given: &Values<'_>,
        means: &dyn Means,
    ) -> Result<Self, StepFailure> {
        let special = given.special(Style::Direct, means, &|_| true)?;
        let own = special.iter().find(|(key, _)| **key == *work.keys.template);
        let own = own.map(|(_, text)| Arc::clone(text));
        let template = constant(given, &work.keys.template).or(own).map(|text| thinking(work, text));
        let name = match Reply::of(work) {
            // Not every prompt of a plan asks for an `answer`: then the whole object is it.
            Reply::Answer => "old_answer_or_all",
            reply => reply_paradigm(reply),
        };
        Ok(Self::Model { function: old(name, work, site, means)?, template, special })
    }

    /// The script at a place, or a model that writes it where it is not there.
    fn script(
        location: Arc<str>,
        work: &Arc<Semantic>,
        site: &Site<'_>,
        given: &Values<'_>,
        means: &dyn Means,
    ) -> Result<Self, StepFailure> {
        let prompt = constant(given, &work.keys.prompt).or_else(|| given.instruction(PROMPT).cloned());
        let there = || Self::Script { path: Arc::clone(&location), contract: Contract::Globals };
        if work.method == Method::Python && prompt.is_none() {
            return Ok(there());
        }
        match means.pinned(&location) {
            Ok(_) => return Ok(there()),
            Err(failure) if failure.kind == "file_not_found" => {}
            Err(failure) => return Err(failure),
        }
        let prompt = match (&work.method, prompt) {
            (Method::Python, Some(place)) => Prompt::Known(thinking(work, means.pinned(&place)?)),
            (_, place) => match place.as_deref().map(|place| means.pinned(place)) {
                Some(Ok(text)) => Prompt::Known(thinking(work, text)),
                Some(Err(failure)) if failure.kind != "file_not_found" => return Err(failure),
                Some(Err(_)) | None => Prompt::Made {
                    function: old("old_text", work, site, means)?,
                    template: Arc::from(""),
                    location: place,
                },
            },
        };
        let name = if work.with_thinking { "old_code_answer" } else { "old_code" };
        Ok(Self::Written { location, prompt, code: old(name, work, site, means)? })
    }

    /// How the values are taken.
    pub(super) fn style(&self, work: &Semantic) -> Style {
        match self {
            Self::Builtin(_) | Self::Program { .. } => Style::Bare,
            _ => Style::of(&work.method),
        }
    }

    /// The function cells that are crossed with the values, where there is not just one.
    pub(super) fn function_cells(&self) -> Option<&Tensor> {
        match self {
            Self::Paradigm { functions, .. } => functions.cells.as_ref(),
            _ => None,
        }
    }

    /// Returns whether answers are data that get a sign around them.
    pub(super) fn is_wrapped(&self) -> bool {
        !matches!(self, Self::Paradigm { .. } | Self::Model { .. } | Self::Program { .. })
    }

    /// The work of one combination, and how many inputs it has.
    ///
    /// # Errors
    /// What perceiving fails with; `missing_template`, `missing_input`.
    pub(super) fn cell(
        &self,
        step: &Step<'_>,
        (place, mut combination): (usize, Vec<Value>),
        at: Vec<(String, usize)>,
    ) -> Result<(Cell, usize), StepFailure> {
        let Step { work, site, constants, style, means } = *step;
        if let Self::Paradigm { functions, special } = self {
            let Some(function) = functions.of(&mut combination) else {
                return Err(StepFailure::new("bad_function_cell", "the step has no function for this cell"));
            };
            let inputs = number(combination, work, style, means)?;
            let count = inputs.numbered.len();
            let machine = function.call(inputs.into_map(special, constants), step.ids(place));
            return Ok((Cell::composed(machine, at), count));
        }
        let inputs = number(combination, work, style, means)?;
        let count = inputs.numbered.len();
        let cell = match self {
            Self::Builtin(name) => {
                Cell::direct(Effect::Builtin { name: Arc::clone(name), inputs: inputs.numbered }, at)
            }
            Self::Program { function } => {
                let inputs = inputs.into_map(&Special::new(), constants);
                Cell::composed(function.call(inputs, step.ids(place)), at)
            }
            Self::Script { path, contract } => {
                let inputs = with_constants(inputs.numbered, constants);
                let code = ScriptCode::File(Arc::clone(path));
                Cell::direct(Effect::Script(ScriptRun { code, contract: contract.clone(), inputs }), at)
            }
            Self::Written { location, prompt, code } => {
                let arguments = with_constants(inputs.numbered.clone(), constants);
                let vars = inputs.into_map(&Special::new(), constants);
                let prompt = match prompt {
                    Prompt::Made { function, location, .. } => Prompt::Made {
                        function: Arc::clone(function),
                        location: location.clone(),
                        template: prompts::prompt_of_script(work, &own_text(site), &site.target.name, &vars),
                    },
                    known => known.clone(),
                };
                let writer = Writer::new(
                    Arc::clone(location),
                    arguments,
                    vars,
                    prompt,
                    Arc::clone(code),
                    step.ids(place),
                );
                Cell::written(writer, at)
            }
            Self::Person => Cell::direct(Effect::Ask(question(step, inputs)), at),
            Self::Model { function, template, special } => {
                let vars = prompt_vars(step, inputs, template.as_ref(), special)?;
                Cell::composed(function.call(vars, step.ids(place)), at)
            }
            Self::Paradigm { .. } => return Err(nothing_to_call()),
        };
        Ok((cell, count))
    }
}

/// The text of a constant of the step.
fn constant(given: &Values<'_>, name: &str) -> Option<Arc<str>> {
    let found = given.constants().iter().find(|(known, _)| &**known == name);
    found.map(|(_, value)| input_text(value))
}

/// What the prompt of an old sequence is filled with, the template among it.
fn prompt_vars(
    &Step { work, site, constants, .. }: &Step<'_>,
    inputs: Inputs,
    template: Option<&Arc<str>>,
    special: &Special,
) -> Result<Map, StepFailure> {
    let mut vars = inputs.into_map(special, constants);
    let template = match (&work.method, template) {
        (Method::Plain, _) => prompts::step(work, &own_text(site), &site.target.name, &vars),
        (_, Some(template)) => Arc::clone(template),
        (_, None) => match vars.get(&*work.keys.template) {
            Some(Value::Text(text)) => thinking(work, Arc::clone(text)),
            _ => {
                let message = "no prompt is among the step's values";
                return Err(StepFailure::new("missing_template", message)
                    .help("name it below the step's function: `| %{prompt_location}: prompts/step.md`"));
            }
        },
    };
    vars.insert(Arc::from("prompt_template"), Value::Text(template));
    // One input alone is called `input`; prompts number it all the same.
    if let Some(only) = vars.get("input").cloned() {
        vars.entry(Arc::from("input_1")).or_insert(only);
    }
    Ok(vars)
}

/// The first input is the question; the others are shown below it. A step without inputs asks what its function says.
fn question(&Step { work, site, constants, .. }: &Step<'_>, inputs: Inputs) -> Question {
    let constant = constants.iter().find(|(name, _)| *name == work.keys.prompt);
    let mut texts = inputs.numbered.iter().map(|(_, value)| input_text(value));
    let asked = constant.map(|(_, value)| input_text(value)).or_else(|| texts.next());
    let mut prompt = asked.unwrap_or_else(|| own_text(site)).to_string();
    for text in texts {
        prompt.push_str("\n\n");
        prompt.push_str(&text);
    }
    Question::text(prompt)
}

fn with_constants(mut inputs: Arguments, constants: &[(Arc<str>, Value)]) -> Arguments {
    inputs.extend(constants.iter().map(|(name, value)| (Arc::clone(name), stripped(value))));
    inputs
}

/// One of the paradigms that old sequences are lowered to, prepared.
fn old(
    name: &str,
    work: &Semantic,
    site: &Site<'_>,
    means: &dyn Means,
) -> Result<Arc<Function>, StepFailure> {
    prepare(&NoFiles.paradigm(name)?, states(work, site, &own_text(site)), work, means)
}

fn reply_paradigm(reply: Reply) -> &'static str {
    match reply {
        Reply::Text => "old_text",
        Reply::Answer => "old_answer",
        Reply::List => "old_list",
        Reply::Truth => "old_truth",
        Reply::TruthAnswer => "old_truth_answer",
    }
}

fn thinking(work: &Semantic, template: Arc<str>) -> Arc<str> {
    if work.with_thinking { prompts::asking_for_json(&template) } else { template }
}

fn checked(payload: Arc<str>, norm: &str) -> Result<Arc<str>, StepFailure> {
    if payload.trim().is_empty() {
        let message = format!("the sign `%{{{norm}}}({payload})` names nothing");
        return Err(StepFailure::new("bad_path", message).help("write the name between the parentheses"));
    }
    Ok(payload)
}

fn nothing_to_call() -> StepFailure {
    let message = "no script and no built-in is among the step's values";
    StepFailure::new("missing_input", message).help(
        "say what does the step below its function: `| %{script_location}: scripts/step.py` or `| %{builtin}: add`",
    )
}
