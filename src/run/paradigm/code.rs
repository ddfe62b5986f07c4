//! The code of an affordance: a line of Python in the file, never run, read by one small grammar (semantics spec,
//! section 10.2). Knows nothing of which tools and methods there are.

use std::sync::Arc;

/// How many arguments a call may have.
const ARGUMENTS: usize = 64;

/// What the code of an affordance does when its step is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallCode {
    /// `result = tool.METHOD`: the plan calls it later.
    Handle(Arc<str>),
    /// `result = tool.METHOD(ARGS)`: it is called now.
    Call {
        /// The method.
        method: Arc<str>,
        /// Its arguments, those without a name first.
        args: Vec<Argument>,
    },
    /// `result = params['a']['b']`: an entry of a parameter.
    Pick {
        /// The parameter.
        param: Arc<str>,
        /// The entry.
        entry: Arc<str>,
    },
    /// `result = params['a'].get(params['b'])`: the entry of a parameter that another one names.
    Lookup {
        /// The parameter.
        param: Arc<str>,
        /// The parameter that holds the key.
        key: Arc<str>,
    },
    /// `result = lambda x: x`.
    Identity,
    /// `import json`, `result = json.loads`.
    ReadJson,
}

/// An argument of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// The name it is given by.
    pub name: Option<Arc<str>>,
    /// Where its value comes from.
    pub source: Source,
}

/// Where the value of an argument comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A parameter of the step.
    Param {
        /// Its name.
        key: Arc<str>,
        /// `params['k']`; with `params.get('k')` it may be left out.
        required: bool,
    },
    /// `states.body`: the tools of the agent.
    Body,
    /// `**params`: every parameter under its own name.
    AllParams,
}

impl CallCode {
    /// Reads the code of an affordance; none when it is anything else than the grammar allows.
    pub fn parse(code: &str) -> Option<Self> {
        if let Some(rest) = code.strip_prefix("import json\n") {
            return (rest == "result = json.loads").then_some(Self::ReadJson);
        }
        let mut text = Text(code.strip_prefix("result = ")?);
        if text.0 == "lambda x: x" {
            return Some(Self::Identity);
        }
        let read = if text.take("tool.") { text.method()? } else { text.entry()? };
        text.0.is_empty().then_some(read)
    }
}

/// What is left of the code.
struct Text<'a>(&'a str);

impl<'a> Text<'a> {
    fn take(&mut self, token: &str) -> bool {
        self.0.strip_prefix(token).map(|rest| self.0 = rest).is_some()
    }

    fn expect(&mut self, token: &str) -> Option<()> {
        self.take(token).then_some(())
    }

    fn name(&mut self) -> Option<&'a str> {
        let starts = self.0.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let end = self.0.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(self.0.len());
        let (name, rest) = self.0.split_at(end);
        self.0 = rest;
        starts.then_some(name)
    }

    /// `'key'`, without escapes.
    fn key(&mut self) -> Option<Arc<str>> {
        self.expect("'")?;
        let (key, rest) = self.0.split_once('\'')?;
        self.0 = rest;
        (!key.contains(['\\', '\n', '\r'])).then(|| Arc::from(key))
    }

    /// `params['key']`.
    fn param(&mut self) -> Option<Arc<str>> {
        self.expect("params[")?;
        let key = self.key()?;
        self.expect("]")?;
        Some(key)
    }

    fn method(&mut self) -> Option<CallCode> {
        let method = Arc::from(self.name()?);
        if !self.take("(") {
            return Some(CallCode::Handle(method));
        }
        let mut args: Vec<Argument> = Vec::new();
        while !self.take(")") {
            if !args.is_empty() {
                self.expect(", ")?;
            }
            let arg = self.argument()?;
            let named_before = args.iter().any(|a| a.name.is_some() || a.source == Source::AllParams);
            let out_of_order = arg.name.is_none() && arg.source != Source::AllParams && named_before;
            let twice = arg.name.is_some() && args.iter().any(|a| a.name == arg.name);
            if out_of_order || twice || args.len() == ARGUMENTS {
                return None;
            }
            args.push(arg);
        }
        Some(CallCode::Call { method, args })
    }

    fn argument(&mut self) -> Option<Argument> {
        if self.take("**params") {
            return Some(Argument { name: None, source: Source::AllParams });
        }
        if let Some(source) = self.source() {
            return Some(Argument { name: None, source });
        }
        let name = Arc::from(self.name()?);
        self.expect("=")?;
        Some(Argument { name: Some(name), source: self.source()? })
    }

    /// A source, when one stands here; nothing is consumed otherwise.
    fn source(&mut self) -> Option<Source> {
        let before = self.0;
        let source = if self.take("states.body") {
            Some(Source::Body)
        } else if self.take("params.get(") {
            self.key().filter(|_| self.take(")")).map(|key| Source::Param { key, required: false })
        } else {
            self.param().map(|key| Source::Param { key, required: true })
        };
        if source.is_none() {
            self.0 = before;
        }
        source
    }

    fn entry(&mut self) -> Option<CallCode> {
        let param = self.param()?;
        if self.take(".get(") {
            let key = self.param()?;
            self.expect(")")?;
            return Some(CallCode::Lookup { param, key });
        }
        self.expect("[")?;
        let entry = self.key()?;
        self.expect("]")?;
        Some(CallCode::Pick { param, entry })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handle(name: &str) -> Option<CallCode> {
        Some(CallCode::Handle(Arc::from(name)))
    }

    #[test]
    fn the_grammar_is_all_there_is() {
        assert_eq!(CallCode::parse("result = tool.read"), handle("read"));
        assert_eq!(CallCode::parse("result = tool._x1"), handle("_x1"));
        assert_eq!(CallCode::parse("import json\nresult = json.loads"), Some(CallCode::ReadJson));
        assert_eq!(CallCode::parse("result = lambda x: x"), Some(CallCode::Identity));
        let args = "result = tool.f(params['a'], b=params.get('c'), d=states.body, **params)";
        let Some(CallCode::Call { args, .. }) = CallCode::parse(args) else { panic!("a call") };
        assert_eq!(args.len(), 4);
        for bad in [
            "",
            "result=tool.read",
            "result = tool.read\n",
            "result = tool.read ",
            "result = tool.",
            "result = tool.1",
            "result = tool.read(params['a'])['content']",
            "result = tool.read(a=params['a'], params['b'])",
            "result = tool.read(a=params['a'], a=params['b'])",
            "result = tool.read(params['a'],params['b'])",
            "result = tool.read(params[\"a\"])",
            "result = tool.read(params['a\\'])",
            "result = tool.read(open('/etc/passwd'))",
            "result = tool.read(1)",
            "result = params['a']",
            "result = params['a']['b']['c']",
            "result = params['a'].get('b')",
            "result = lambda x: x + 1",
            "result = tool.read; import os",
            "import json\nresult = json.dumps",
            "import os\nresult = json.loads",
            "result = __import__('os')",
            "tool.read()",
        ] {
            assert_eq!(CallCode::parse(bad), None, "{bad}");
        }
    }
}
