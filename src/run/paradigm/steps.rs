//! Reads one step of the vertical run: what its code does with its parameters (semantics spec, section 10.2).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::code::{Argument, CallCode, Source};
use super::document::{Does, Paradigm, Setup};
use super::methods::{self, IDENTITY, Method, Op, READ_JSON};
use super::plan;
use super::read::{Affordance, FUNCTION, Reader, Step, Stored};

impl Reader<'_> {
    pub(super) fn step(
        &mut self,
        step: &Step<'_>,
        affordances: &BTreeMap<String, Affordance>,
        paradigm: &mut Paradigm,
    ) {
        let place = format!("step {} (`{}`)", step.index, step.affordance);
        let result: Arc<str> = Arc::from(step.result);
        let stored = self.stored_by(step, &place, affordances, paradigm);
        self.stored.insert(result, stored.unwrap_or(Stored::Value));
    }

    /// Reads one step of the vertical run; none when it cannot be run.
    fn stored_by(
        &mut self,
        step: &Step<'_>,
        place: &str,
        affordances: &BTreeMap<String, Affordance>,
        paradigm: &mut Paradigm,
    ) -> Option<Stored> {
        let Some(affordance) = affordances.get(step.affordance) else {
            let help = match self.near(step.affordance, affordances.keys().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "declare it below `env_spec`".to_owned(),
            };
            let what = format!("the affordance `{}` is not declared", step.affordance);
            self.problem("unsupported_affordance", place, what, help);
            return None;
        };
        let code = affordance.code.clone()?;
        let does = match code {
            CallCode::Identity => Does::Handle(&IDENTITY),
            CallCode::ReadJson => Does::Handle(&READ_JSON),
            CallCode::Handle(ref name) => Does::Handle(self.method(place, &affordance.tool, name)?),
            CallCode::Call { ref method, .. } => {
                let method = self.method(place, &affordance.tool, method)?;
                Does::Call(method, code)
            }
            CallCode::Pick { .. } | CallCode::Lookup { .. } => Does::Take(code),
        };
        let stored = match &does {
            Does::Call(method, CallCode::Call { args, .. }) if method.op == Op::Compose => {
                self.arguments(step, place, method, args)?;
                return self.compose(step, place, args, paradigm);
            }
            Does::Handle(method) => self.handle(place, method)?,
            Does::Call(method, CallCode::Call { args, .. }) => {
                self.arguments(step, place, method, args)?;
                self.called(step, place, method)?
            }
            Does::Call(..) => Stored::Value,
            Does::Take(code) => {
                let keys = match code {
                    CallCode::Pick { param, .. } => vec![param],
                    CallCode::Lookup { param, key } => vec![param, key],
                    _ => Vec::new(),
                };
                for key in keys {
                    self.has_param(step, place, key)?;
                }
                Stored::Value
            }
        };
        let mut params = Vec::with_capacity(step.params.len());
        for (name, json) in step.params {
            params.push((Arc::from(name.as_str()), self.param(place, json)));
        }
        let (place, result) = (Arc::from(place), Arc::from(step.result));
        paradigm.setup.push(Setup { place, does, params, result });
        Some(stored)
    }

    fn method(&mut self, place: &str, tool: &str, name: &str) -> Option<&'static Method> {
        let found = methods::find(tool, name);
        if found.is_none() {
            let what = format!("there is no method `{tool}.{name}`");
            self.problem("unsupported_affordance", place, what, methods::instead(tool, name));
        }
        found
    }

    fn handle(&mut self, place: &str, method: &'static Method) -> Option<Stored> {
        if !method.in_plan() {
            let what = format!("`{}` must be called here, not in the plan", method.label);
            let help = format!("write `result = tool.{}(...)` as its code", method.name);
            self.problem("unsupported_affordance", place, what, help);
            return None;
        }
        Some(Stored::Function(method.signature(), Vec::new()))
    }

    /// A call while the function is prepared: only what reads files of the plan, and what touches nothing.
    fn called(&mut self, step: &Step<'_>, place: &str, method: &'static Method) -> Option<Stored> {
        if !method.in_setup() {
            let what = format!(
                "`{}` acts on the world, and cannot be called while the step is prepared",
                method.label
            );
            let help = format!("write `result = tool.{}` as its code, and call it in the plan", method.name);
            self.problem("unsupported_affordance", place, what, help);
            return None;
        }
        let Some(made) = method.made() else { return Some(Stored::Value) };
        let alias = |key: &str, name: &'static str| {
            step.params.get(key).and_then(Json::as_str).map(|given| (Arc::from(given), name))
        };
        let aliases = [alias("prompt_key", "prompt_text"), alias("initial_text_key", "initial_text")];
        Some(Stored::Function(made, aliases.into_iter().flatten().collect()))
    }

    fn has_param(&mut self, step: &Step<'_>, place: &str, key: &str) -> Option<()> {
        if step.params.contains_key(key) {
            return Some(());
        }
        let what = format!("its code reads the parameter `{key}`, which the step does not have");
        self.problem("bad_arguments", place, what, format!("write `\"params\": {{\"{key}\": ...}}`"));
        None
    }

    /// Checks the arguments that the code of an affordance gives.
    fn arguments(&mut self, step: &Step<'_>, place: &str, method: &Method, args: &[Argument]) -> Option<()> {
        let (mut positional, mut names) = (0, Vec::new());
        for arg in args {
            if let Source::Param { key, required } = &arg.source {
                if *required {
                    self.has_param(step, place, key)?;
                } else if !step.params.contains_key(&**key) {
                    continue;
                }
            }
            match (&arg.name, &arg.source) {
                (Some(name), _) => names.push(&**name),
                (None, Source::AllParams) => names.extend(step.params.keys().map(String::as_str)),
                (None, _) => positional += 1,
            }
        }
        let signature = method.signature();
        if let Err(what) = signature.fits(positional, &names) {
            self.problem("bad_arguments", place, what, signature.arguments());
            return None;
        }
        Some(())
    }

    fn compose(
        &mut self,
        step: &Step<'_>,
        place: &str,
        args: &[Argument],
        paradigm: &mut Paradigm,
    ) -> Option<Stored> {
        if step.result != FUNCTION {
            let what = format!("the plan is stored under `{}`", step.result);
            self.problem(
                "paradigm_gives_no_function",
                place,
                what,
                format!("write `\"result_key\": \"{FUNCTION}\"`"),
            );
            return None;
        }
        let param = |name: &str, at: usize| {
            let named = args.iter().find(|a| a.name.as_deref() == Some(name)).or_else(|| args.get(at));
            match named.map(|a| &a.source) {
                Some(Source::Param { key, .. }) => step.params.get(&**key),
                _ => step.params.get(name),
            }
        };
        paradigm.return_key = match param("return_key", 1) {
            None | Some(Json::Null) => None,
            Some(Json::String(key)) => Some(Arc::from(key.as_str())),
            Some(_) => {
                self.malformed(
                    place,
                    "`return_key` is not a text",
                    "write the key of the context that is the answer",
                );
                None
            }
        };
        paradigm.plan = plan::read(self, place, param("plan", 0));
        Some(Stored::Plan)
    }
}
