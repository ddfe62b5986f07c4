//! The arguments of one call, and how they are asked for: counts, texts, lists.

use std::borrow::Cow;
use std::slice;

use crate::base::{Clock, Value, strip, text_of};
use crate::faculty::{Failure, FailureKind};

/// How large a text a built-in may make.
pub(super) const TEXT_LIMIT: usize = 64 << 20;

/// The inputs of one call in value order.
pub(super) struct Args<'a> {
    name: &'static str,
    usage: &'static str,
    values: Cow<'a, [Value]>,
    clock: &'a dyn Clock,
}

impl<'a> Args<'a> {
    /// A sign that was not stripped by the caller counts as its payload.
    pub(super) fn new(
        name: &'static str,
        usage: &'static str,
        values: &'a [Value],
        clock: &'a dyn Clock,
    ) -> Self {
        let values = if values.iter().any(|v| matches!(v, Value::Sign(_))) {
            Cow::Owned(values.iter().map(strip).collect())
        } else {
            Cow::Borrowed(values)
        };
        Self { name, usage, values, clock }
    }

    /// The name the built-in was called by.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// The time of the run.
    pub(super) fn clock(&self) -> &dyn Clock {
        self.clock
    }

    /// All arguments.
    pub(super) fn all(&self) -> &[Value] {
        &self.values
    }

    /// All arguments, at least `least` of them.
    pub(super) fn at_least(&self, least: usize) -> Result<&[Value], Failure> {
        if self.values.len() < least { Err(self.wrong_count()) } else { Ok(&self.values) }
    }

    /// Exactly N arguments.
    pub(super) fn exactly<const N: usize>(&self) -> Result<&[Value; N], Failure> {
        self.values.as_ref().try_into().map_err(|_| self.wrong_count())
    }

    /// A first argument and perhaps a second.
    pub(super) fn one_or_two(&self) -> Result<(&Value, Option<&Value>), Failure> {
        match self.values.as_ref() {
            [first] => Ok((first, None)),
            [first, second] => Ok((first, Some(second))),
            _ => Err(self.wrong_count()),
        }
    }

    /// The items of the only argument when it is a list, else the arguments themselves.
    pub(super) fn items(&self) -> Result<&[Value], Failure> {
        match self.at_least(1)? {
            [Value::List(items)] => Ok(items),
            values => Ok(values),
        }
    }

    /// The failure for a number of arguments that does not fit the usage.
    pub(super) fn wrong_count(&self) -> Failure {
        let given = self.values.len();
        let noun = if given == 1 { "argument" } else { "arguments" };
        let usage = if self.usage.is_empty() { "no arguments" } else { self.usage };
        Failure::new(
            FailureKind::BadArguments,
            format!("`{}` expects {usage}, got {given} {noun}", self.name),
        )
    }

    /// The failure for an argument of the wrong type.
    pub(super) fn wrong(&self, expected: &str, got: &Value) -> Failure {
        Failure::bad_arguments(self.name, expected, got)
    }

    /// The failure for a result that would be too large.
    pub(super) fn too_large(&self, what: &str) -> Failure {
        Failure::new(
            FailureKind::BadArguments,
            format!("the result of `{}` would be larger than {what}", self.name),
        )
    }

    /// An argument that is a text; numbers and truth values count as their text.
    pub(super) fn text<'v>(&self, value: &'v Value, expected: &str) -> Result<Cow<'v, str>, Failure> {
        match value {
            Value::Text(text) => Ok(Cow::Borrowed(text)),
            Value::Number(_) | Value::Bool(_) => Ok(Cow::Owned(text_of(value))),
            _ => Err(self.wrong(expected, value)),
        }
    }

    /// Fails when a text of that many bytes must not be made.
    pub(super) fn check_size(&self, bytes: usize) -> Result<(), Failure> {
        if bytes > TEXT_LIMIT { Err(self.too_large("64 MiB")) } else { Ok(()) }
    }
}

/// The values with all lists opened, in order; missing items are left out. The stack is explicit: depth costs none.
pub(super) struct Flat<'a>(Vec<slice::Iter<'a, Value>>);

impl<'a> Flat<'a> {
    pub(super) fn new(values: &'a [Value]) -> Self {
        Self(vec![values.iter()])
    }
}

impl<'a> Iterator for Flat<'a> {
    type Item = &'a Value;

    fn next(&mut self) -> Option<&'a Value> {
        loop {
            match self.0.last_mut()?.next() {
                None => {
                    self.0.pop();
                }
                Some(Value::List(items)) => self.0.push(items.iter()),
                Some(Value::Skip) => {}
                Some(value) => return Some(value),
            }
        }
    }
}
