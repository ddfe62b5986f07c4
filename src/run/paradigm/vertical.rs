//! The steps that prepare a function, run one after the other (semantics spec, section 10.2). They read files of the plan,
//! pinned, and touch nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::code::{Argument, CallCode, Source};
use super::document::{Does, Field, Paradigm, Param, Setup, StatePath};
use super::function::{Facts, Held, States};
use super::ids::Ids;
use super::methods::{Method, Op};
use super::reply::what;
use super::slot::{Slot, Trouble, fails};
use super::tools::{Bound, Callable, Done, Env, bind, call, make};
use crate::base::{Map, Sign, Value};
use crate::run::event::StepFailure;
use crate::run::means::Means;

/// A vertical run, as far as it has come.
pub(super) struct Vertical<'a> {
    paradigm: &'a Paradigm,
    states: &'a States,
    means: &'a dyn Means,
    stored: BTreeMap<Arc<str>, Held>,
    ids: Ids,
}

impl<'a> Vertical<'a> {
    pub(super) fn new(paradigm: &'a Paradigm, states: &'a States, means: &'a dyn Means) -> Self {
        Self { paradigm, states, means, stored: BTreeMap::new(), ids: Ids::default() }
    }

    pub(super) fn run(&mut self, step: &Setup) -> Result<(), StepFailure> {
        let held = self.held_by(step).map_err(|trouble| self.failure(trouble, &step.place))?;
        self.stored.insert(Arc::clone(&step.result), held);
        Ok(())
    }

    /// A failure with its place in the paradigm.
    pub(super) fn failure(&self, trouble: Trouble, place: &str) -> StepFailure {
        let mut failure = match trouble {
            Trouble::Fails(failure) => failure,
            Trouble::Reply(_, complaint) => {
                StepFailure::new(complaint.kind, complaint.message).help(complaint.wanted)
            }
        };
        let place = place.trim_matches('`');
        failure.message = format!("{} (paradigm `{}`, `{place}`)", failure.message, self.paradigm.name);
        failure
    }

    fn held_by(&mut self, step: &Setup) -> Result<Held, Trouble> {
        Ok(match &step.does {
            Does::Handle(method) => Held::Function(Callable::Method(method)),
            Does::Call(method, code) => {
                let CallCode::Call { args, .. } = code else { return Ok(Held::Value(Slot::nothing())) };
                let bound = self.bound(step, method, args)?;
                return self.call(method, bound);
            }
            Does::Take(CallCode::Pick { param, entry }) => {
                let from = self.param(step, param)?;
                Held::Value(super::tools::look_up(&from, Arc::clone(entry), None)?)
            }
            Does::Take(CallCode::Lookup { param, key }) => {
                let (from, key) = (self.param(step, param)?, self.param(step, key)?);
                let Value::Text(key) = &key.value else {
                    let message = format!("a key is a text, got {}", what(&key.value));
                    return fails("bad_arguments", message, "give it the key as a text");
                };
                Held::Value(super::tools::look_up(&from, Arc::clone(key), None)?)
            }
            Does::Take(_) => Held::Value(Slot::nothing()),
        })
    }

    fn bound(&self, step: &Setup, method: &'static Method, args: &[Argument]) -> Result<Bound, Trouble> {
        let (mut positional, mut named) = (Vec::new(), Vec::new());
        for arg in args {
            match &arg.source {
                Source::AllParams => {
                    for (name, param) in &step.params {
                        named.push((Arc::clone(name), self.resolve(param)?));
                    }
                    continue;
                }
                Source::Param { key, required } => {
                    if !required && !step.params.iter().any(|(name, _)| name == key) {
                        continue;
                    }
                }
                Source::Body => {}
            }
            let slot = match &arg.source {
                Source::Param { key, .. } => self.param(step, key)?,
                _ => Slot::nothing(),
            };
            match &arg.name {
                Some(name) => named.push((Arc::clone(name), slot)),
                None => positional.push(slot),
            }
        }
        bind(method.signature(), positional, named)
    }

    fn param(&self, step: &Setup, key: &str) -> Result<Slot, Trouble> {
        match step.params.iter().find(|(name, _)| &**name == key) {
            Some((_, param)) => self.resolve(param),
            None => {
                fails("bad_arguments", format!("the step has no parameter `{key}`"), "add it to `params`")
            }
        }
    }

    fn call(&mut self, method: &'static Method, mut args: Bound) -> Result<Held, Trouble> {
        match method.op {
            Op::Make(maker) => return make(maker, args).map(Held::Function),
            Op::Read => {
                let path = args.path(0)?;
                let text = self.means.pinned(&path)?;
                return Ok(Held::Value(super::tools::read_answer(path, Value::Text(text))));
            }
            Op::PromptRead => {
                let path = args.path(0)?;
                return Ok(Held::Value(Slot::of(Value::Text(self.means.pinned(&path)?))));
            }
            Op::PromptText => return self.prompt(&args.take(0)).map(Held::Value),
            Op::Perceive => return self.perceive(args.take(0)).map(Held::Value),
            _ => {}
        }
        let env = Env { ids: &mut self.ids, model: None };
        match call(&Callable::Method(method), args, env)? {
            Done::Value(slot) => Ok(Held::Value(slot)),
            Done::Asks(..) => {
                let message =
                    format!("`{}` acts on the world, and the step is only being prepared", method.label);
                fails("unsupported_affordance", message, "call it in the plan")
            }
        }
    }

    /// The prompt that a function cell stands for: the file of a `prompt_location`, the file or the text of a `prompt`,
    /// the text of any other sign, and a text as it is (semantics spec, section 2.4).
    fn prompt(&self, token: &Slot) -> Result<Slot, Trouble> {
        let Value::Sign(sign) = &token.value else { return Ok(Slot::of(Value::Text(token.as_text()))) };
        let text = match sign.norm() {
            Some("prompt_location" | "file_location") => self.means.pinned(path_in(sign)?)?,
            Some("prompt") => self.file_or_text(sign, &["file_not_found", "bad_path"])?,
            // A command may be in a file of its own, and may begin with the path of a program.
            Some("command_location") => {
                self.file_or_text(sign, &["file_not_found", "bad_path", "path_escapes_base", "not_text"])?
            }
            _ => Arc::clone(sign.payload()),
        };
        Ok(Slot::of(Value::Text(text)))
    }

    /// A payload that is the name of a file stands for its text; one with a line break or `$` is never tried as a file.
    fn file_or_text(&self, sign: &Sign, no_file: &[&str]) -> Result<Arc<str>, Trouble> {
        let payload = sign.payload();
        if payload.trim().is_empty() || payload.contains(['\n', '$']) {
            return Ok(Arc::clone(payload));
        }
        match self.means.pinned(payload) {
            Ok(text) => Ok(text),
            Err(failure) if no_file.contains(&&*failure.kind) => Ok(Arc::clone(payload)),
            Err(failure) => Err(failure.into()),
        }
    }

    fn perceive(&self, token: Slot) -> Result<Slot, Trouble> {
        let Value::Sign(sign) = &token.value else { return Ok(token) };
        let text = match sign.norm() {
            Some("file_location") => self.means.text(path_in(sign)?)?,
            Some("prompt_location") => self.means.pinned(path_in(sign)?)?,
            Some("prompt") => self.file_or_text(sign, &["file_not_found", "bad_path"])?,
            Some("memorized_parameter") => {
                let help = "pass the parameter as a value of the step";
                return fails(
                    "unsupported_affordance",
                    "a memorized parameter cannot be perceived here",
                    help,
                );
            }
            _ => Arc::clone(sign.payload()),
        };
        Ok(Slot::of(Value::Text(text)))
    }

    /// What a key holds; nothing when no step stored it, which reading the paradigm rules out.
    pub(super) fn held(&self, key: &str) -> Held {
        self.stored.get(key).cloned().unwrap_or_else(|| Held::Value(Slot::nothing()))
    }

    /// A parameter that is a value.
    pub(super) fn value(&self, param: &Param, place: &str) -> Result<Slot, StepFailure> {
        self.resolve(param).map_err(|trouble| self.failure(trouble, place))
    }

    /// Depth is bounded by the reader of the paradigm.
    fn resolve(&self, param: &Param) -> Result<Slot, Trouble> {
        Ok(match param {
            Param::Value(value) => Slot::of(value.clone()),
            Param::Key(key) => match self.held(key) {
                Held::Value(slot) => slot,
                Held::Function(_) => {
                    let message = format!("`{key}` is a function, and a value is wanted");
                    return fails("bad_arguments", message, "functions stand under `function` in the plan");
                }
            },
            Param::State(path) => Slot::of(self.state(*path)),
            Param::List(items) => {
                let items = items.iter().map(|p| self.resolve(p).map(|slot| slot.value));
                Slot::of(Value::List(items.collect::<Result<_, _>>()?))
            }
            Param::Map(entries) => {
                let entry = |(name, p): &(Arc<str>, Param)| Ok((Arc::clone(name), self.resolve(p)?.value));
                Slot::of(Value::Map(Arc::new(entries.iter().map(entry).collect::<Result<Map, Trouble>>()?)))
            }
        })
    }

    fn state(&self, path: StatePath) -> Value {
        let fact = |facts: &Facts, field: Field| {
            let text = match field {
                Field::Id => &facts.id,
                Field::Name => &facts.name,
                Field::Kind => &facts.kind,
                Field::Context => &facts.context,
                Field::AxisName => &facts.axis_name,
                Field::NaturalName => &facts.natural_name,
            };
            Value::Text(Arc::clone(text))
        };
        match path {
            StatePath::Vertical => self.vertical(),
            StatePath::Schema => self.states.schema.as_deref().map_or(Value::Null, Value::from_data_json),
            StatePath::BaseDir => Value::text(self.means.base_dir()),
            StatePath::Concept { function: true, field: Field::Name } if !self.states.vertical.is_empty() => {
                Value::Text(Arc::clone(&self.states.vertical))
            }
            StatePath::Concept { function: true, field } => fact(&self.states.function, field),
            StatePath::Concept { function: false, field } => fact(&self.states.inference, field),
        }
    }

    /// The function cell: a sign where the plan wrote one.
    fn vertical(&self) -> Value {
        let text = &self.states.vertical;
        match Sign::parse(text) {
            Some(sign) => Value::Sign(Arc::new(sign)),
            None => Value::Text(Arc::clone(text)),
        }
    }
}

fn path_in(sign: &Sign) -> Result<&str, Trouble> {
    let path = sign.payload();
    if path.trim().is_empty() {
        let message = format!("the sign `{sign}` names no path");
        return fails("bad_path", message, "write the path between the parentheses");
    }
    Ok(path)
}
