//! The horizontal run: one call of a prepared function, stopped at every effect (semantics spec, section 10.3). A reply
//! that cannot be read is asked for again from where it was asked (section 14.1).

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::Function;
use super::document::{Condition, INPUTS, Operator, POSITIONAL};
use super::function::{Held, Ready};
use super::ids::Ids;
use super::reply::Complaint;
use super::slot::{Slot, Trouble, fails};
use super::tools::{After, Callable, Done, Env, bind, call};
use crate::base::{Digest, Map, text_of};
use crate::run::effect::{CallAnswer, Effect};
use crate::run::event::StepFailure;

/// How many characters of a reply that cannot be read a failure shows (semantics spec, section 9.3).
const SHOWN: usize = 2000;

/// One call of a function, as far as it has come.
#[derive(Debug, Clone)]
pub struct Machine {
    function: Arc<Function>,
    now: Place,
    /// The effect whose answer is waited for.
    waiting: Option<Waiting>,
    /// What was asked so far on this way, in order.
    asked: Vec<Asked>,
    /// Answers from before a reply was asked for again: taken when the same step asks the same again.
    kept: BTreeMap<usize, (Digest, CallAnswer)>,
    /// What was wrong with the replies of a step of the plan, and how often.
    complaints: BTreeMap<usize, (u32, Complaint)>,
}

/// Where a call stands.
#[derive(Debug, Clone)]
struct Place {
    /// The next step of the plan.
    step: usize,
    context: IndexMap<Arc<str>, Slot>,
    /// The value of the last step that ran.
    last: Option<Slot>,
    ids: Ids,
}

#[derive(Debug, Clone)]
struct Waiting {
    effect: Effect,
    after: After,
}

#[derive(Debug, Clone)]
struct Asked {
    step: usize,
    effect: Effect,
    answer: CallAnswer,
    /// Where the call stood, for what can be asked again.
    before: Option<Box<Place>>,
}

/// What a call does next.
#[derive(Debug, Clone)]
pub enum Turn {
    /// It asks for something; go on with the answer.
    Effect(Effect),
    /// It is done.
    Done(CallAnswer),
}

/// What running one step came to.
enum Ran {
    /// The next step can run.
    On,
    /// An answer is waited for.
    Asks(Effect),
}

impl Machine {
    pub(super) fn new(function: Arc<Function>, inputs: Map, ids: Ids) -> Self {
        let context = [(Arc::from(INPUTS), Slot::inputs(inputs))].into_iter().collect();
        Self {
            function,
            now: Place { step: 0, context, last: None, ids },
            waiting: None,
            asked: Vec::new(),
            kept: BTreeMap::new(),
            complaints: BTreeMap::new(),
        }
    }

    /// Goes on to the next effect or to the end. `answer` is that of the effect it stopped at, none at the start.
    ///
    /// # Errors
    /// What the call fails with.
    pub fn advance(&mut self, answer: Option<CallAnswer>) -> Result<Turn, StepFailure> {
        let mut result = match (self.waiting.take(), answer) {
            (Some(waiting), Some(answer)) => self.answered(waiting, answer),
            (None, None) => Ok(()),
            (waiting, answer) => {
                self.waiting = waiting;
                let what = if answer.is_some() { "nothing was asked" } else { "an answer is waited for" };
                return Err(StepFailure::new("internal", format!("a call went on wrongly: {what}")));
            }
        };
        loop {
            match result.and_then(|()| self.run()) {
                Ok(Some(turn)) => return Ok(turn),
                Ok(None) => result = Ok(()),
                Err(Trouble::Fails(failure)) => return Err(self.placed(failure)),
                Err(Trouble::Reply(step, complaint)) => {
                    self.again(step, complaint)?;
                    result = Ok(());
                }
            }
        }
    }

    /// Runs the next step; none when there is more to run.
    fn run(&mut self) -> Result<Option<Turn>, Trouble> {
        let function = Arc::clone(&self.function);
        let Some(step) = function.steps.get(self.now.step) else {
            return self.end(&function).map(|answer| Some(Turn::Done(answer)));
        };
        Ok(match self.step(step, &function)? {
            Ran::On => None,
            Ran::Asks(effect) => Some(Turn::Effect(effect)),
        })
    }

    fn step(&mut self, step: &Ready, function: &Function) -> Result<Ran, Trouble> {
        if let Some(condition) = &step.condition
            && !self.holds(condition)?
        {
            self.now.step += 1;
            return Ok(Ran::On);
        }
        let (positional, named) = self.arguments(step)?;
        let callable = match &step.what {
            Held::Value(slot) => {
                self.store(step, slot.clone());
                return Ok(Ran::On);
            }
            Held::Function(callable) => callable,
        };
        let done = self.call(callable, positional, named, function)?;
        let (mut effect, after) = match done {
            Done::Value(slot) => {
                self.store(step, slot);
                return Ok(Ran::On);
            }
            Done::Asks(effect, after) => (*effect, after),
        };
        if let Effect::Generate(generate) = &mut effect
            && let Some((_, complaint)) = self.complaints.get(&self.now.step)
        {
            generate.prompt = repaired(&generate.prompt, complaint);
        }
        let waiting = Waiting { effect, after };
        if let Some((digest, answer)) = self.kept.remove(&self.now.step)
            && digest == waiting.effect.digest()
        {
            self.answered(waiting, answer)?;
            return Ok(Ran::On);
        }
        let effect = waiting.effect.clone();
        self.waiting = Some(waiting);
        Ok(Ran::Asks(effect))
    }

    fn call(
        &mut self,
        callable: &Callable,
        positional: Vec<Slot>,
        named: Vec<(Arc<str>, Slot)>,
        function: &Function,
    ) -> Result<Done, Trouble> {
        let bound = bind(callable.signature(), positional, named)?;
        call(callable, bound, Env { ids: &mut self.now.ids, model: function.model.as_ref() })
    }

    fn answered(&mut self, waiting: Waiting, answer: CallAnswer) -> Result<(), Trouble> {
        let Waiting { effect, after } = waiting;
        let function = Arc::clone(&self.function);
        let step = self.now.step;
        let of_model = matches!(effect, Effect::Generate(_));
        // Nothing is gone back to before the first call of a model.
        if of_model || !self.asked.is_empty() {
            let before = of_model.then(|| Box::new(self.now.clone()));
            self.asked.push(Asked { step, effect, answer: answer.clone(), before });
        }
        let slot = after.value(answer, step, function.base.as_ref())?;
        if let Some(ready) = function.steps.get(step) {
            self.store(ready, slot);
        }
        Ok(())
    }

    fn store(&mut self, step: &Ready, slot: Slot) {
        self.now.last = Some(slot.clone());
        self.now.context.insert(Arc::clone(&step.output), slot);
        self.now.step += 1;
    }

    fn holds(&self, condition: &Condition) -> Result<bool, Trouble> {
        let Some(slot) = self.now.context.get(&condition.key) else {
            let message = format!("the condition looks at `{}`, which no step has set", condition.key);
            return fails("bad_condition", message, "look at a key that an earlier step sets");
        };
        Ok(match condition.operator {
            Operator::IsTrue => slot.is_true(),
            Operator::IsFalse => !slot.is_true(),
            Operator::Exists => !slot.is_nothing(),
            Operator::NotExists => slot.is_nothing(),
        })
    }

    /// The arguments of a step: values of the file, overridden by keys of the context.
    #[allow(clippy::type_complexity, reason = "the two kinds of arguments a call takes")]
    fn arguments(&self, step: &Ready) -> Result<(Vec<Slot>, Vec<(Arc<str>, Slot)>), Trouble> {
        let mut named: IndexMap<Arc<str>, Slot> = step.literals.iter().cloned().collect();
        for (name, key) in &step.params {
            let Some(slot) = self.now.context.get(key) else {
                let message = format!("the argument `{name}` is the key `{key}`, which no step has set");
                return fails(
                    "missing_context_key",
                    message,
                    "use a key that an earlier step sets on this way",
                );
            };
            named.insert(Arc::clone(name), slot.clone());
        }
        let positional = named.shift_remove(POSITIONAL).into_iter().collect();
        Ok((positional, named.into_iter().collect()))
    }

    fn end(&self, function: &Function) -> Result<CallAnswer, Trouble> {
        let slot = match &function.paradigm.return_key {
            Some(key) => self.now.context.get(key),
            None => self.now.last.as_ref(),
        };
        let Some(slot) = slot else {
            let message = match &function.paradigm.return_key {
                Some(key) => format!("the answer is the key `{key}`, which no step has set on this way"),
                None => "no step of the plan was run".to_owned(),
            };
            return fails("missing_return_key", message, "name a key that is set on every way");
        };
        Ok(CallAnswer { value: slot.value.clone(), text: slot.text.clone() })
    }

    /// Goes back to the call of the model whose reply cannot be used.
    fn again(&mut self, step: usize, complaint: Complaint) -> Result<(), StepFailure> {
        let found = self.asked.iter().rposition(|asked| asked.step == step);
        let tries = self.complaints.get(&step).map_or(0, |(tries, _)| *tries);
        let Some(at) = found.filter(|_| tries < self.function.retries) else {
            let reply = found.and_then(|at| self.asked.get(at)).map(|asked| text_of(&asked.answer.value));
            let again = match tries {
                0 => String::new(),
                1 => ", also when it was asked for again".to_owned(),
                tries => format!(", also when it was asked for again {tries} times"),
            };
            let help = format!(
                "let the prompt say: {}; `| %{{reply_retries}}: {}` on the step lets it be asked for again more often",
                complaint.wanted,
                tries + 2
            );
            let mut failure =
                StepFailure::new(complaint.kind, format!("{}{again}", complaint.message)).help(help);
            failure.detail = reply.map(|reply| {
                let shown: String = reply.chars().take(SHOWN).collect();
                format!("the reply:\n{shown}").into_boxed_str()
            });
            return Err(self.placed(failure));
        };
        let mut later = self.asked.split_off(at).into_iter();
        if let Some(before) = later.next().and_then(|first| first.before) {
            self.now = *before;
        }
        self.kept = later.map(|asked| (asked.step, (asked.effect.digest(), asked.answer))).collect();
        self.complaints.insert(step, (tries + 1, complaint));
        Ok(())
    }

    /// A failure with its place in the paradigm.
    fn placed(&self, mut failure: StepFailure) -> StepFailure {
        let name = &self.function.paradigm.name;
        let place = match self.function.steps.get(self.now.step) {
            Some(step) => format!("paradigm `{name}`, `{}`", step.output),
            None => format!("paradigm `{name}`"),
        };
        failure.message = format!("{} ({place})", failure.message);
        failure
    }
}

/// The prompt with the complaint about the last reply. The reply itself stays out of it.
fn repaired(prompt: &str, complaint: &Complaint) -> Arc<str> {
    let Complaint { message, wanted, .. } = complaint;
    Arc::from(format!(
        "{prompt}\n\nYour last reply could not be used: {message}. Answer again, and {wanted}."
    ))
}
