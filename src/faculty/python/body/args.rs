//! The arguments of one method of the body: bound to the names of its parameters as Python does it, then asked for.

use std::sync::Arc;

use crate::base::{Map, Value, nearest, text_of};
use crate::faculty::failure::shorten;
use crate::faculty::{Failure, FailureKind};

/// What a method was given: by place, and by name.
pub(super) type Given<'a> = (&'a [Value], &'a [(Arc<str>, Value)]);

/// The arguments of a method, one place a parameter.
pub(super) struct Args<'a> {
    /// `file_system.read`, for messages.
    method: String,
    parameters: &'static [&'static str],
    values: Vec<Option<&'a Value>>,
}

impl<'a> Args<'a> {
    /// Binds what was given to the parameters, of which the first `required` must be given.
    ///
    /// # Errors
    /// `bad_arguments` for one too many, one missing, one given twice, and one that is not known.
    pub(super) fn bind(
        tool: &str,
        method: &str,
        parameters: &'static [&'static str],
        required: usize,
        (args, named): Given<'a>,
    ) -> Result<Self, Failure> {
        let method = format!("body.{tool}.{method}");
        let bad = |message: String| Err(Failure::new(FailureKind::BadArguments, message));
        if args.len() > parameters.len() {
            let (most, given) = (parameters.len(), args.len());
            return bad(format!("`{method}` takes {most} arguments at most, got {given}"));
        }
        let mut values: Vec<Option<&Value>> = parameters.iter().map(|_| None).collect();
        for (place, value) in values.iter_mut().zip(args) {
            *place = Some(value);
        }
        for (name, value) in named {
            let at = parameters.iter().position(|parameter| *parameter == name.as_ref());
            match at.and_then(|at| values.get_mut(at)) {
                Some(place @ None) => *place = Some(value),
                Some(Some(_)) => return bad(format!("`{method}` got `{name}` twice")),
                None => {
                    let message = format!("`{method}` has no argument `{}`", shorten(name));
                    let failure = Failure::new(FailureKind::BadArguments, message);
                    return Err(match nearest(name, parameters.iter().copied()) {
                        Some(near) => failure.with_help(format!("did you mean `{near}`?")),
                        None => failure.with_help(format!("its arguments are {}", parameters.join(", "))),
                    });
                }
            }
        }
        if let Some((missing, _)) =
            parameters.iter().zip(&values).take(required).find(|(_, value)| value.is_none())
        {
            return bad(format!("`{method}` lacks the argument `{missing}`"));
        }
        Ok(Self { method, parameters, values })
    }

    /// An argument; none when it was not given.
    pub(super) fn get(&self, parameter: &str) -> Option<&'a Value> {
        let at = self.parameters.iter().position(|p| *p == parameter)?;
        self.values.get(at).copied().flatten()
    }

    /// An argument; nothing when it was not given.
    pub(super) fn value(&self, parameter: &str) -> &'a Value {
        const NOTHING: &Value = &Value::Null;
        self.get(parameter).unwrap_or(NOTHING)
    }

    /// A text; numbers and truth values count as their text.
    pub(super) fn text(&self, parameter: &str) -> Result<Arc<str>, Failure> {
        match self.value(parameter) {
            Value::Text(text) => Ok(Arc::clone(text)),
            value @ (Value::Number(_) | Value::Bool(_)) => Ok(Arc::from(text_of(value))),
            other => Err(self.wrong(parameter, "a text", other)),
        }
    }

    /// A text that may be missing or null.
    pub(super) fn optional_text(&self, parameter: &str) -> Result<Option<Arc<str>>, Failure> {
        match self.value(parameter) {
            Value::Null | Value::Skip => Ok(None),
            _ => self.text(parameter).map(Some),
        }
    }

    /// A map.
    pub(super) fn map(&self, parameter: &str) -> Result<&'a Map, Failure> {
        match self.value(parameter) {
            Value::Map(map) => Ok(map),
            other => Err(self.wrong(parameter, "a map", other)),
        }
    }

    /// A map as arguments of a script; nothing counts as no arguments.
    pub(super) fn inputs(&self, parameter: &str) -> Result<Vec<(Arc<str>, Value)>, Failure> {
        match self.value(parameter) {
            Value::Null | Value::Skip => Ok(Vec::new()),
            _ => Ok(self.map(parameter)?.iter().map(|(k, v)| (Arc::clone(k), v.clone())).collect()),
        }
    }

    /// The failure for an argument of the wrong type.
    pub(super) fn wrong(&self, parameter: &str, expected: &str, got: &Value) -> Failure {
        Failure::bad_arguments(&self.method, &format!("{expected} as `{parameter}`"), got)
    }

    /// The failure for an argument of the wrong type that has a kind of its own.
    pub(super) fn wrong_as(&self, kind: FailureKind, parameter: &str, what: &str, got: &Value) -> Failure {
        Failure { kind, ..self.wrong(parameter, what, got) }
    }

    /// A failure of this method.
    pub(super) fn failure(&self, kind: FailureKind, what: &str) -> Failure {
        Failure::new(kind, format!("`{}` {what}", self.method))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Given by place, given by name, and what comes of it.
    type Case<'a> = (&'a [Value], &'a [(&'a str, i64)], &'a str);

    #[test]
    fn arguments_are_bound_as_python_binds_them() {
        let value = |n: i64| Value::Number(n.into());
        let bind = |args: &[Value], named: &[(&str, i64)]| {
            let named: Vec<_> = named.iter().map(|(k, v)| (Arc::from(*k), value(*v))).collect();
            Args::bind("t", "m", &["a", "b", "c"], 2, (args, &named)).map_or_else(
                |f| f.message + f.help.as_deref().unwrap_or(""),
                |a| ["a", "b", "c"].map(|p| text_of(a.value(p))).join(" "),
            )
        };
        let cases: [Case<'_>; 7] = [
            (&[value(1), value(2)], &[], "1 2 None"),
            (&[value(1)], &[("c", 3), ("b", 2)], "1 2 3"),
            (&[], &[("b", 2)], "`body.t.m` lacks the argument `a`"),
            (&[value(1)], &[("a", 1)], "`body.t.m` got `a` twice"),
            (&[value(1), value(1)], &[("d", 1)], "`body.t.m` has no argument `d`its arguments are a, b, c"),
            (&[value(1), value(1)], &[("cc", 1)], "`body.t.m` has no argument `cc`did you mean `c`?"),
            (&[value(1), value(1), value(1), value(1)], &[], "`body.t.m` takes 3 arguments at most, got 4"),
        ];
        for (args, named, wanted) in cases {
            assert_eq!(bind(args, named), wanted);
        }
    }
}
