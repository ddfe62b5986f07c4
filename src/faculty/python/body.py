"""What a script finds as `body`: tools whose methods are normc's (semantics spec, section 11.3).

Knows no rules: a method sends what it was given, what it gives is what came back. Only what would be a function in
Python, and so cannot come over a socket, is made here.
"""


class Text(str):
    """A template as a text that can be filled."""

    def __new__(cls, text, fill):
        self = super().__new__(cls, text)
        self.template = text
        self._fill = fill
        return self

    def safe_substitute(self, *args, **named):
        return self._fill(self.template, variables(args, named))

    substitute = safe_substitute


def variables(args, named):
    """The variables of a template, given as a map or by name."""
    if not args:
        return named
    if len(args) == 1 and isinstance(args[0], dict):
        return dict(args[0], **named)
    raise TypeError("variables are given as one dict, or by name")


class Tool:
    """One tool; a method it does not know here is asked for as it is called."""

    def __init__(self, ask, name):
        self._ask = ask
        self._name = name

    def __getattr__(self, method):
        if method.startswith("_"):
            raise AttributeError(method)
        return lambda *args, **named: self._ask(self._name, method, list(args), named)

    def _fill(self, template, vars):
        return self._ask("formatter_tool", "fill", [template, vars], {})


class Formatter(Tool):
    def create_template_function(self, template):
        return lambda *args, **named: self._fill(template, variables(args, named))

    def create_substitute_function(self, template_key):
        return lambda *args, **named: self._ask(
            self._name, "substitute", [template_key, variables(args, named)], {})

    def create_smart_substitute_function(self, template_key, combine_to_key):
        return lambda *args, **named: self._ask(
            self._name, "smart_substitute", [template_key, combine_to_key, variables(args, named)], {})


class Prompts(Tool):
    def read(self, *args, **named):
        return Text(self._ask(self._name, "read", list(args), named), self._fill)

    def create_template_function(self, template):
        return lambda *args, **named: self._fill(template, variables(args, named))


class Interpreter(Tool):
    def create_function_executor(self, script_code, function_name):
        return lambda *args, **named: self._ask(
            self._name, "function_execute", [script_code, function_name, variables(args, named)], {})


class UserInput(Tool):
    def create_input_function(self, prompt_key="prompt_text"):
        return self._interaction({"interaction_type": "simple_text"}, [prompt_key])

    def create_text_editor_function(self, prompt_key="prompt_text", initial_text_key="initial_text"):
        return self._interaction({"interaction_type": "text_editor"}, [prompt_key, initial_text_key])

    def create_interaction(self, interaction_type, **config):
        keys = [config.pop("prompt_key", "prompt_text"), "initial_text"]
        return self._interaction(dict(config, interaction_type=interaction_type), keys)

    def _interaction(self, config, keys):
        def ask(*args, **named):
            if len(args) == 1 and isinstance(args[0], dict):
                named = dict(args[0], **named)
            elif len(args) > len(keys):
                raise TypeError("expects %s, got %d arguments" % (", ".join(keys), len(args)))
            else:
                named.update(zip(keys, args))
            asked = {own: named.pop(key) for own, key in zip(("prompt_text", "initial_text"), keys) if key in named}
            # Anything else that is given belongs to the question, such as the options of a choice.
            return self._ask(self._name, "interact", [], dict(config, **dict(named, **asked)))

        return ask


class Buffer:
    """Named records, for one call."""

    def __init__(self):
        self._records = {}

    def write(self, record_name, new_record):
        self._records[record_name] = new_record
        return new_record

    def read(self, record_name):
        return self._records.get(record_name)


class Functions:
    """Calls functions."""

    def invoke(self, fn, vars=None):
        return fn(vars or {})


KINDS = {"formatter_tool": Formatter, "prompt_tool": Prompts, "python_interpreter": Interpreter,
         "user_input": UserInput}


class Body:
    def __init__(self, ask, base, error):
        self._ask = ask
        self.base_dir = base
        self.NormcError = error
        self.buffer = Buffer()
        self.fn = Functions()

    def __getattr__(self, tool):
        if tool.startswith("_"):
            raise AttributeError(tool)
        made = KINDS.get(tool, Tool)(self._ask, tool)
        setattr(self, tool, made)
        return made
