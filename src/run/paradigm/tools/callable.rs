//! Something a plan can call, and calling it.

use std::sync::Arc;

use super::super::ids::Ids;
use super::super::methods::{Maker, Method, Op, Signature};
use super::super::slot::{Slot, Trouble, fails};
use super::answer::{After, Done};
use super::bound::Bound;
use super::command::Words;
use super::people::Interaction;
use super::scripts::Code;
use super::template::Template;
use super::{command, files, format, model, people, scripts};
use crate::base::Value;
use crate::run::effect::{Effect, Question, QuestionKind};

/// Something that can be called.
#[derive(Debug, Clone)]
pub(in super::super) enum Callable {
    /// A method.
    Method(&'static Method),
    /// Fills a template.
    Template(Template),
    /// Fills the template among its inputs.
    Substitute {
        /// The input that is the template.
        key: Arc<str>,
        /// The name of the bundle of inputs that the template does not name.
        bundle: Option<Arc<str>>,
    },
    /// Fills a prompt and puts the inputs it does not name below it.
    Prompt {
        /// The prompt.
        template: Template,
        /// What is said about the form of the reply.
        ending: Arc<str>,
    },
    /// Calls a function of a script.
    Executor {
        /// The script.
        code: Code,
        /// The function.
        function: Arc<str>,
    },
    /// Asks a person.
    Interaction(Arc<Interaction>),
    /// Lets a person choose among the inputs that the question does not name.
    Choice(Template),
    /// Gives the path in a sign, filled with the inputs, or one of the inputs.
    Path {
        /// The path in the sign.
        template: Option<Template>,
        /// The input that is the path where there is no sign.
        key: Arc<str>,
    },
    /// Runs a program.
    Command(Arc<Words>),
    /// Waits for a message.
    ChatRead,
    /// Ends the conversation.
    ChatClose,
}

/// What a call needs besides its arguments.
#[derive(Debug)]
pub(in super::super) struct Env<'a> {
    pub(in super::super) ids: &'a mut Ids,
    pub(in super::super) model: Option<&'a Arc<str>>,
}

impl Callable {
    pub(in super::super) fn signature(&self) -> Signature {
        let maker = match self {
            Self::Method(method) => return method.signature(),
            Self::Template(_) => Maker::Template,
            Self::Substitute { bundle: None, .. } => Maker::Substitute,
            Self::Substitute { bundle: Some(_), .. } => Maker::Bundle,
            Self::Prompt { .. } => Maker::Prompt,
            Self::Executor { .. } => Maker::Executor,
            Self::Interaction(interaction) => interaction.maker,
            Self::Choice(_) => Maker::Choice,
            Self::Path { .. } => Maker::Path,
            Self::Command(_) => Maker::Command,
            Self::ChatRead => Maker::ChatRead,
            Self::ChatClose => Maker::ChatClose,
        };
        maker.signature()
    }
}

/// Calls something.
///
/// # Errors
/// What is wrong with the arguments.
pub(in super::super) fn call(callable: &Callable, mut args: Bound, env: Env<'_>) -> Result<Done, Trouble> {
    match callable {
        Callable::Method(method) => call_method(method, args, env),
        Callable::Template(template) => {
            let vars = args.vars(0)?;
            template.fill(&vars).map(Done::value)
        }
        Callable::Substitute { key, bundle } => {
            format::substitute(args.vars(0)?.as_ref(), key, bundle.as_deref()).map(Done::value)
        }
        Callable::Prompt { template, ending } => {
            format::prompt(args.vars(0)?.as_ref(), template, ending).map(Done::value)
        }
        Callable::Executor { code, function } => {
            let inputs = args.vars(0)?;
            Ok(scripts::call(code.clone(), Some(Arc::clone(function)), &inputs))
        }
        Callable::Interaction(interaction) => people::ask(interaction, args),
        Callable::Choice(template) => people::choose(template, args.vars(0)?.as_ref()),
        Callable::Path { template, key } => {
            format::path(args.vars(0)?.as_ref(), template.as_ref(), key).map(Done::value)
        }
        Callable::Command(words) => command::run(words, args.vars(0)?.as_ref()),
        Callable::ChatRead => Ok(people::chat(QuestionKind::Chat, "", After::Message)),
        Callable::ChatClose => Ok(people::chat(QuestionKind::Close, "", After::Closed)),
    }
}

fn call_method(method: &'static Method, mut args: Bound, env: Env<'_>) -> Result<Done, Trouble> {
    let value = match method.op {
        Op::Get => format::get(args)?,
        Op::Wrap => format::wrap(args, env.ids)?,
        Op::WrapList => format::wrap_list(args, env.ids)?,
        Op::Parse => format::parse(args)?,
        Op::ReadJson => format::read_json(args)?,
        Op::CleanCode => format::clean_code(args),
        Op::ParseBoolean => format::parse_boolean(args)?,
        Op::CollectInputs => Slot::of(collected(&mut args)?),
        Op::Identity => args.take(0),
        Op::StripSign => format::strip_sign(args),
        Op::Read | Op::PromptRead | Op::Exists | Op::List => return files::read(method.op, args),
        Op::Save => return files::save(args, 0, 1),
        Op::Write => return files::save(args, 1, 0),
        Op::SaveMany => return files::save_many(args),
        Op::Recall => return files::recall(args),
        Op::Memorize => return files::memorize(args),
        Op::Generate => return model::generate(args, env.model),
        Op::CallFunction => {
            let code = scripts::code(&mut args, 0)?;
            let function = args.text(1)?;
            return Ok(scripts::call(code, Some(function), args.vars(2)?.as_ref()));
        }
        Op::Execute => {
            let code = scripts::code(&mut args, 0)?;
            return Ok(scripts::call(code, None, args.vars(1)?.as_ref()));
        }
        Op::WriteMessage => {
            let text = args.take(0).as_text();
            return Ok(Done::asks(Effect::Ask(Question::of(QuestionKind::Say, text)), After::Sent));
        }
        Op::Canvas => {
            let (kind, params) = (args.take(0), args.take(1));
            let args =
                vec![(Arc::from("command_type"), kind.value), (Arc::from("command_params"), params.value)];
            let effect = Effect::Tool { tool: Arc::from(method.tool), method: Arc::from(method.name), args };
            return Ok(Done::asks(effect, After::Tool(method.label)));
        }
        Op::Make(_) | Op::Compose | Op::PromptText | Op::Perceive => {
            let message = format!("`{}` cannot be called in the plan", method.label);
            return fails(
                "unsupported_affordance",
                message,
                "call it in a step of the paradigm, before the plan",
            );
        }
    };
    Ok(Done::Value(value))
}

fn collected(args: &mut Bound) -> Result<Value, Trouble> {
    Ok(Value::Map(Arc::new(format::collect_inputs(args.vars(0)?.as_ref()))))
}

/// Makes a function, while the function of the step is prepared.
///
/// # Errors
/// What is wrong with the arguments.
pub(in super::super) fn make(maker: Maker, mut args: Bound) -> Result<Callable, Trouble> {
    Ok(match maker {
        Maker::Template => Callable::Template(Template::read(&args.take(0).as_text())),
        Maker::Substitute => Callable::Substitute { key: args.text(0)?, bundle: None },
        Maker::Bundle => {
            let key = args.text(0)?;
            let bundle = args.optional(1).map_or_else(|| Arc::from("input_other"), |slot| slot.as_text());
            Callable::Substitute { key, bundle: Some(bundle) }
        }
        Maker::Prompt => {
            let template = Template::read(&args.take(0).as_text());
            Callable::Prompt { template, ending: format::ending(args)? }
        }
        Maker::Executor => {
            let code = scripts::code(&mut args, 0)?;
            Callable::Executor { code, function: args.text(1)? }
        }
        Maker::Input | Maker::Editor => Callable::Interaction(Arc::new(Interaction::plain(maker))),
        Maker::Interaction => Callable::Interaction(Arc::new(Interaction::read(args)?)),
        Maker::Choice => Callable::Choice(Template::read(&args.take(0).as_text())),
        Maker::Path => {
            let token = args.take(0);
            let template = match &token.value {
                Value::Sign(sign) => Some(Template::read(sign.payload())),
                _ => None,
            };
            Callable::Path {
                template,
                key: args.optional(1).map_or_else(|| Arc::from("input_1"), |s| s.as_text()),
            }
        }
        Maker::Command => Callable::Command(Arc::new(Words::read(args)?)),
        Maker::ChatRead => Callable::ChatRead,
        Maker::ChatClose => Callable::ChatClose,
    })
}
