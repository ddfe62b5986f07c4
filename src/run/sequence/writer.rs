//! Scripts that a model writes (semantics spec, section 9.1, python and python_indirect): one call that looks for the
//! script, has it written where there is none, keeps it, and runs it.

use std::sync::Arc;

use crate::base::{Map, Value};
use crate::run::effect::{Arguments, CallAnswer, Contract, Effect, FileAct, ScriptCode, ScriptRun};
use crate::run::event::StepFailure;
use crate::run::paradigm::{Function, Ids, Machine, Turn};

/// One call whose script a model writes.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    /// Where the script is kept.
    location: Arc<str>,
    /// What the script is run with.
    inputs: Arguments,
    /// The inputs of the prompt.
    vars: Map,
    /// Where the prompt comes from.
    prompt: Prompt,
    /// Makes code of `prompt_template` and the inputs.
    code: Arc<Function>,
    ids: Ids,
    stage: Stage,
}

/// Where the prompt of a script comes from.
#[derive(Debug, Clone)]
pub(super) enum Prompt {
    /// The plan has it.
    Known(Arc<str>),
    /// A model makes it, and it is kept where the plan says.
    Made {
        /// Makes the prompt of `prompt_template` and the inputs.
        function: Arc<Function>,
        /// What asks for it.
        template: Arc<str>,
        /// Where it is kept.
        location: Option<Arc<str>>,
    },
}

#[derive(Debug, Clone)]
enum Stage {
    Looking,
    Reading,
    Prompting(Box<Machine>),
    KeepingPrompt(Arc<str>),
    Writing(Box<Machine>),
    Keeping(Arc<str>),
    Running,
}

impl Writer {
    /// A call at its start.
    pub(super) fn new(
        location: Arc<str>,
        inputs: Arguments,
        vars: Map,
        prompt: Prompt,
        code: Arc<Function>,
        ids: Ids,
    ) -> Self {
        Self { location, inputs, vars, prompt, code, ids, stage: Stage::Looking }
    }

    /// Goes on to the next effect or to the end.
    pub(super) fn advance(&mut self, answer: Option<CallAnswer>) -> Result<Turn, StepFailure> {
        let mut answer = answer;
        loop {
            // The start has no answer; every other stage but a new machine needs one.
            let given = answer.take();
            match &mut self.stage {
                Stage::Looking => match given {
                    None => {
                        let path = Arc::clone(&self.location);
                        return Ok(Turn::Effect(Effect::File(FileAct::Exists { path })));
                    }
                    Some(CallAnswer { value: Value::Bool(true), .. }) => {
                        self.stage = Stage::Reading;
                        let path = Arc::clone(&self.location);
                        return Ok(Turn::Effect(Effect::File(FileAct::Read { path })));
                    }
                    Some(_) => self.stage = self.first(),
                },
                Stage::Reading => {
                    let code = self.text(given, "the script")?;
                    return Ok(self.run(code));
                }
                Stage::Prompting(machine) => match machine.advance(given)? {
                    Turn::Effect(effect) => return Ok(Turn::Effect(effect)),
                    Turn::Done(made) => {
                        let prompt = self.text(Some(made), "the prompt")?;
                        match self.prompt_location() {
                            Some(path) => {
                                self.stage = Stage::KeepingPrompt(Arc::clone(&prompt));
                                return Ok(Turn::Effect(Effect::File(FileAct::Save {
                                    path,
                                    content: prompt,
                                })));
                            }
                            None => self.stage = self.writing(&prompt),
                        }
                    }
                },
                Stage::KeepingPrompt(prompt) => {
                    let prompt = Arc::clone(prompt);
                    self.stage = self.writing(&prompt);
                }
                Stage::Writing(machine) => match machine.advance(given)? {
                    Turn::Effect(effect) => return Ok(Turn::Effect(effect)),
                    Turn::Done(written) => {
                        let content = self.text(Some(written), "the script")?;
                        self.stage = Stage::Keeping(Arc::clone(&content));
                        let path = Arc::clone(&self.location);
                        return Ok(Turn::Effect(Effect::File(FileAct::Save { path, content })));
                    }
                },
                Stage::Keeping(code) => {
                    let code = Arc::clone(code);
                    return Ok(self.run(code));
                }
                Stage::Running => {
                    return given.map(Turn::Done).ok_or_else(|| {
                        StepFailure::new(
                            "script_gave_no_result",
                            format!("`{}` gave no answer", self.location),
                        )
                    });
                }
            }
        }
    }

    fn first(&self) -> Stage {
        match &self.prompt {
            Prompt::Known(template) => self.writing(template),
            Prompt::Made { function, template, .. } => {
                Stage::Prompting(Box::new(function.call(self.vars_with(template), self.ids.clone())))
            }
        }
    }

    fn writing(&self, template: &Arc<str>) -> Stage {
        Stage::Writing(Box::new(self.code.call(self.vars_with(template), self.ids.clone())))
    }

    fn vars_with(&self, template: &Arc<str>) -> Map {
        let mut vars = self.vars.clone();
        vars.insert(Arc::from("prompt_template"), Value::Text(Arc::clone(template)));
        vars
    }

    fn prompt_location(&self) -> Option<Arc<str>> {
        match &self.prompt {
            Prompt::Known(_) => None,
            Prompt::Made { location, .. } => location.clone(),
        }
    }

    fn run(&mut self, code: Arc<str>) -> Turn {
        self.stage = Stage::Running;
        Turn::Effect(Effect::Script(ScriptRun {
            code: ScriptCode::Text { path: Some(Arc::clone(&self.location)), code },
            contract: Contract::Globals,
            inputs: self.inputs.clone(),
        }))
    }

    /// The text that was read or written; nothing to run is a failure, not a script.
    fn text(&self, answer: Option<CallAnswer>, what: &str) -> Result<Arc<str>, StepFailure> {
        match answer.map(|a| a.value) {
            Some(Value::Text(text)) if !text.trim().is_empty() => Ok(text),
            Some(Value::Sign(sign)) if !sign.payload().trim().is_empty() => Ok(Arc::clone(sign.payload())),
            other => {
                let found = other.map_or_else(|| "nothing".to_owned(), |v| format!("`{}`", v.to_json()));
                let message = format!("{what} for `{}` is {found}, and no text", self.location);
                Err(StepFailure::new("reply_lacks_key", message)
                    .help("write the script yourself, or change the prompt that asks for it"))
            }
        }
    }
}
