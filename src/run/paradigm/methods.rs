//! The methods a paradigm can use: one table with their arguments (semantics spec, section 10.4). What they do is
//! elsewhere; here is how they are called, and what kind of thing they touch.

use crate::base::{listed, nearest};

/// A method of a tool.
#[derive(Debug, PartialEq, Eq)]
pub struct Method {
    /// The tool.
    pub tool: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Tool and name, `formatter_tool.get`.
    pub label: &'static str,
    /// Its arguments, in the order in which they may be given without names.
    pub args: &'static [Arg],
    pub(super) op: Op,
    /// What it does, in a few words.
    pub about: &'static str,
}

/// An argument of a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arg {
    /// Its name.
    pub name: &'static str,
    /// Whether it must be given.
    pub need: Need,
}

/// Whether an argument must be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It must, and an entry that was looked up and is not there is an error (semantics spec, section 10.6).
    Value,
    /// It must, and may be nothing.
    Nullable,
    /// It may be left out.
    Optional,
}

/// What a method does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Get,
    Wrap,
    WrapList,
    Parse,
    ReadJson,
    CleanCode,
    ParseBoolean,
    CollectInputs,
    Identity,
    StripSign,
    Perceive,
    PromptText,
    PromptRead,
    Read,
    Exists,
    Save,
    Write,
    SaveMany,
    List,
    Recall,
    Memorize,
    Generate,
    CallFunction,
    Execute,
    WriteMessage,
    Canvas,
    Compose,
    Make(Maker),
}

/// What kind of function a method makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Maker {
    Template,
    Substitute,
    Bundle,
    Prompt,
    Executor,
    Input,
    Editor,
    Interaction,
    Choice,
    Path,
    Command,
    ChatRead,
    ChatClose,
}

/// What a call touches outside of the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Touches {
    /// A language model.
    Model,
    /// A person.
    Person,
    /// A script.
    Script,
    /// Files, reading.
    Reads,
    /// Files, writing.
    Writes,
    /// A program.
    Command,
    /// A tool that only a configuration can provide.
    Tool,
}

/// How something is called: its name for messages, and its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Signature {
    pub(super) label: &'static str,
    pub(super) args: &'static [Arg],
    pub(super) touches: Option<Touches>,
}

const fn must(name: &'static str) -> Arg {
    Arg { name, need: Need::Value }
}

const fn nullable(name: &'static str) -> Arg {
    Arg { name, need: Need::Nullable }
}

const fn may(name: &'static str) -> Arg {
    Arg { name, need: Need::Optional }
}

const VARS: &[Arg] = &[must("vars")];
const PARAMS: &[Arg] = &[must("params")];
const ASKED: &[Arg] = &[must("prompt_text"), may("initial_text"), may("options"), may("default")];

macro_rules! methods {
    ($($tool:literal . $name:literal ($($arg:expr),*) = $op:expr, $about:literal;)*) => {
        &[$(Method {
            tool: $tool,
            name: $name,
            label: concat!($tool, ".", $name),
            args: &[$($arg),*],
            op: $op,
            about: $about,
        }),*]
    };
}

/// Every method.
pub static METHODS: &[Method] = methods! {
    "formatter_tool"."get"(must("dictionary"), must("key"), may("default")) = Op::Get, "an entry of a map";
    "formatter_tool"."wrap"(must("data"), may("type")) = Op::Wrap, "a sign around the text of a value";
    "formatter_tool"."wrap_list"(must("data_list"), may("type")) = Op::WrapList, "a sign around each item of a list";
    "formatter_tool"."parse"(must("raw_response")) = Op::Parse, "the map that a reply is";
    "formatter_tool"."clean_code"(must("raw_code")) = Op::CleanCode, "the first fenced block of a reply, or all of it";
    "formatter_tool"."parse_boolean"(must("raw_response")) = Op::ParseBoolean, "the truth value that a reply says";
    "formatter_tool"."collect_script_inputs"(must("all_inputs")) = Op::CollectInputs,
        "the inputs of a script: numbered ones only, texts that are JSON read";
    "formatter_tool"."create_template_function"(must("template")) = Op::Make(Maker::Template),
        "a function that fills a template";
    "formatter_tool"."create_substitute_function"(must("template_key")) = Op::Make(Maker::Substitute),
        "a function that fills the template among its inputs";
    "formatter_tool"."create_smart_substitute_function"(must("template_key"), may("combine_to_key")) =
        Op::Make(Maker::Bundle), "the same, with the inputs that the template does not name in one bundle";
    "perception_router"."strip_sign"(must("token")) = Op::StripSign, "what a sign says, without the sign";
    "perception_router"."perceive"(must("token"), may("body")) = Op::Perceive, "what a sign stands for";
    "file_system"."read"(must("location")) = Op::Read, "the text of a file, under `content`";
    "file_system"."exists"(must("location")) = Op::Exists, "whether there is such a file";
    "file_system"."save"(nullable("content"), must("location")) = Op::Save, "writes a file";
    "file_system"."write"(must("path"), nullable("content")) = Op::Write, "writes a file";
    "file_system"."save_from_dict"(must("content_dict"), must("directory")) = Op::SaveMany, "writes a file an entry";
    "file_system"."create_path_function"(must("token"), may("key")) = Op::Make(Maker::Path),
        "a function that gives a path: the one in a sign, or one of its inputs";
    "file_system"."list"(must("location")) = Op::List, "the files below a folder";
    "file_system"."read_memorized_value"(must("key"), may("location")) = Op::Recall, "a value of the memory file";
    "file_system"."save_memorized_value"(must("key"), must("value"), may("location")) = Op::Memorize,
        "puts a value into the memory file";
    "prompt_tool"."read"(must("template_name")) = Op::PromptRead, "the text of a prompt file";
    "prompt_tool"."text_of"(must("token")) = Op::PromptText, "the prompt that a sign or a text stands for";
    "prompt_tool"."create_template_function"(must("template")) = Op::Make(Maker::Template),
        "a function that fills a template";
    "prompt_tool"."create_prompt_function"(must("template"), may("reply"), may("schema")) = Op::Make(Maker::Prompt),
        "the same, with the inputs that the template does not name below it";
    "llm"."generate"(must("prompt"), may("system_message"), may("response_format"), may("schema")) = Op::Generate,
        "the reply of a language model";
    "python_interpreter"."create_function_executor"(must("script_code"), must("function_name")) =
        Op::Make(Maker::Executor), "a function that calls a function of a script";
    "python_interpreter"."function_execute"(must("script_code"), must("function_name"), must("function_params")) =
        Op::CallFunction, "calls a function of a script";
    "python_interpreter"."execute"(must("script_code"), must("inputs")) = Op::Execute,
        "runs a script with the inputs as its globals";
    "user_input"."create_input_function"() = Op::Make(Maker::Input), "a function that asks a person for a text";
    "user_input"."create_text_editor_function"() = Op::Make(Maker::Editor),
        "a function that lets a person edit a text";
    "user_input"."create_interaction"(
        must("interaction_type"), may("default"), may("initial_directory"), may("prompt_key"),
        may("initial_text_key"), may("non_interactive_default"), may("validation"), may("options")
    ) = Op::Make(Maker::Interaction), "a function that asks a person";
    "user_input"."create_choice_function"(must("template")) = Op::Make(Maker::Choice),
        "a function that lets a person choose among the inputs";
    "chat"."read_message"() = Op::Make(Maker::ChatRead), "a function that waits for a message";
    "chat"."write_message"(must("message")) = Op::WriteMessage, "shows a message";
    "chat"."close_session"() = Op::Make(Maker::ChatClose), "a function that ends the conversation";
    "canvas"."execute_command"(nullable("command_type"), may("command_params")) = Op::Canvas,
        "a command of a graphical application";
    "command"."create_runner"(must("template"), may("json")) = Op::Make(Maker::Command),
        "a function that runs a program";
    "composition_tool"."compose"(must("plan"), may("return_key")) = Op::Compose, "the function of the paradigm";
};

/// `lambda x: x`, which belongs to no tool.
pub(super) static IDENTITY: Method = Method {
    tool: "",
    name: "identity",
    label: "identity",
    args: &[nullable("x")],
    op: Op::Identity,
    about: "what it is given",
};

/// `json.loads`, which belongs to no tool.
pub(super) static READ_JSON: Method = Method {
    tool: "json",
    name: "loads",
    label: "json.loads",
    args: &[must("s")],
    op: Op::ReadJson,
    about: "the value that a JSON text is",
};

/// A method by tool and name.
pub(super) fn find(tool: &str, name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|m| m.tool == tool && m.name == name)
}

/// The nearest method of a tool, or what its methods are: the end of a help text.
pub(super) fn instead(tool: &str, name: &str) -> String {
    let names: Vec<&str> = METHODS.iter().filter(|m| m.tool == tool).map(|m| m.name).collect();
    if names.is_empty() {
        let mut tools: Vec<&str> = METHODS.iter().map(|m| m.tool).collect();
        tools.dedup();
        return match nearest(tool, tools.iter().copied()) {
            Some(near) => format!("did you mean the tool `{near}`?"),
            None => format!("the tools are {}", listed(&tools)),
        };
    }
    match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{tool}.{near}`?"),
        None => format!("the methods of `{tool}` are {}", listed(&names)),
    }
}

impl Method {
    pub(super) fn signature(&self) -> Signature {
        Signature { label: self.label, args: self.args, touches: self.op.touches() }
    }

    /// Whether it can be called while the function is prepared.
    pub(super) fn in_setup(&self) -> bool {
        match self.op {
            Op::Read | Op::PromptRead | Op::PromptText | Op::Perceive => true,
            op => op.touches().is_none(),
        }
    }

    /// Whether the plan can call it: it answers a value, not a function.
    pub(super) fn in_plan(&self) -> bool {
        !matches!(self.op, Op::Make(_) | Op::Compose | Op::PromptText | Op::Perceive)
    }

    /// Whether it reads what a sign names, a file perhaps.
    pub(super) fn reads_a_sign(&self) -> bool {
        matches!(self.op, Op::PromptText | Op::Perceive)
    }

    /// What the function it makes is called with; none for methods that answer values.
    pub(super) fn made(&self) -> Option<Signature> {
        match self.op {
            Op::Make(maker) => Some(maker.signature()),
            _ => None,
        }
    }
}

impl Op {
    fn touches(self) -> Option<Touches> {
        match self {
            Self::Read | Self::Exists | Self::PromptRead | Self::List | Self::Recall => Some(Touches::Reads),
            Self::Save | Self::Write | Self::SaveMany | Self::Memorize => Some(Touches::Writes),
            Self::Generate => Some(Touches::Model),
            Self::CallFunction | Self::Execute => Some(Touches::Script),
            Self::WriteMessage => Some(Touches::Person),
            Self::Canvas => Some(Touches::Tool),
            _ => None,
        }
    }
}

impl Maker {
    pub(super) fn signature(self) -> Signature {
        let person = Some(Touches::Person);
        let (label, args, touches): (_, &[Arg], _) = match self {
            Self::Template => ("formatter_tool.create_template_function", VARS, None),
            Self::Substitute => ("formatter_tool.create_substitute_function", VARS, None),
            Self::Bundle => ("formatter_tool.create_smart_substitute_function", VARS, None),
            Self::Prompt => ("prompt_tool.create_prompt_function", VARS, None),
            Self::Executor => ("python_interpreter.create_function_executor", PARAMS, Some(Touches::Script)),
            Self::Input => ("user_input.create_input_function", ASKED.split_at(1).0, person),
            Self::Editor => ("user_input.create_text_editor_function", ASKED.split_at(2).0, person),
            Self::Interaction => ("user_input.create_interaction", ASKED, person),
            Self::Choice => ("user_input.create_choice_function", VARS, person),
            Self::Path => ("file_system.create_path_function", VARS, None),
            Self::Command => ("command.create_runner", VARS, Some(Touches::Command)),
            Self::ChatRead => ("chat.read_message", &[], person),
            Self::ChatClose => ("chat.close_session", &[], person),
        };
        Signature { label, args, touches }
    }
}

impl Signature {
    /// Checks how many arguments are given without a name, and which names.
    ///
    /// # Errors
    /// What does not fit, in a few words.
    pub(super) fn fits(&self, positional: usize, names: &[&str]) -> Result<(), String> {
        if positional > self.args.len() {
            let most = self.args.len();
            return Err(format!("`{}` takes {most} arguments at most, got {positional}", self.label));
        }
        for name in names {
            let Some(place) = self.args.iter().position(|a| a.name == *name) else {
                return Err(format!("`{}` has no argument `{name}`", self.label));
            };
            if place < positional {
                return Err(format!("`{}` gets its argument `{name}` twice", self.label));
            }
        }
        let missing = |(place, arg): &(usize, &Arg)| {
            arg.need != Need::Optional && *place >= positional && !names.contains(&arg.name)
        };
        match self.args.iter().enumerate().find(missing) {
            Some((_, arg)) => Err(format!("`{}` needs the argument `{}`", self.label, arg.name)),
            None => Ok(()),
        }
    }

    /// What its arguments are: the end of a help text.
    pub(super) fn arguments(&self) -> String {
        let names: Vec<&str> = self.args.iter().map(|a| a.name).collect();
        match names.as_slice() {
            [] => format!("`{}` takes no arguments", self.label),
            names => format!("the arguments of `{}` are {}", self.label, listed(names)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_required_arguments_come_first() {
        for (place, method) in METHODS.iter().enumerate() {
            assert_eq!(find(method.tool, method.name), METHODS.get(place), "{}", method.label);
            let optional: Vec<bool> = method.args.iter().map(|a| a.need == Need::Optional).collect();
            assert!(optional.is_sorted(), "{}", method.label);
        }
    }

    #[test]
    fn arguments_are_checked_by_name() {
        let wrap = find("formatter_tool", "wrap").unwrap().signature();
        assert_eq!(wrap.fits(1, &["type"]), Ok(()));
        assert_eq!(wrap.fits(0, &["data"]), Ok(()));
        let cases: [(usize, &[&str], &str); 4] = [
            (0, &["nope"], "has no argument `nope`"),
            (1, &["data"], "`data` twice"),
            (0, &[], "needs the argument `data`"),
            (3, &[], "2 arguments at most"),
        ];
        for (positional, names, wanted) in cases {
            let got = wrap.fits(positional, names).unwrap_err();
            assert!(got.contains("formatter_tool.wrap") && got.contains(wanted), "{got}");
        }
        assert!(instead("formatter_tool", "wrp").contains("`formatter_tool.wrap`"));
        assert!(instead("formater_tool", "wrap").contains("`formatter_tool`"));
    }
}
