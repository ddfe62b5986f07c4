//! Arguments by position: what a call was given, put in the order of its signature (semantics spec, section 10.3).

use std::sync::Arc;

use super::super::methods::{Need, Signature};
use super::super::slot::{Slot, Trouble, fails, shown};
use crate::base::{Map, Value};

/// The arguments of a call, each at its place.
#[derive(Debug)]
pub(in super::super) struct Bound {
    pub(super) signature: Signature,
    given: Vec<Option<Slot>>,
}

/// Puts arguments at their places; those without a name come first.
///
/// # Errors
/// `bad_arguments`, and what is said of a needed argument that was looked up and is not there.
pub(in super::super) fn bind(
    signature: Signature,
    positional: Vec<Slot>,
    named: Vec<(Arc<str>, Slot)>,
) -> Result<Bound, Trouble> {
    let names: Vec<&str> = named.iter().map(|(name, _)| &**name).collect();
    if let Err(what) = signature.fits(positional.len(), &names) {
        return fails("bad_arguments", what, signature.arguments());
    }
    let mut given: Vec<Option<Slot>> = positional.into_iter().map(Some).collect();
    given.resize_with(signature.args.len(), || None);
    for (name, slot) in named {
        let place = signature.args.iter().position(|a| a.name == &*name);
        if let Some(place) = place.and_then(|at| given.get_mut(at)) {
            *place = Some(slot);
        }
    }
    for (arg, slot) in signature.args.iter().zip(&given) {
        if let Some(slot) = slot
            && arg.need == Need::Value
            && slot.origin.absent
        {
            return Err(slot.absence());
        }
    }
    Ok(Bound { signature, given })
}

impl Bound {
    /// An argument that must be there; what is not given is nothing.
    pub(in super::super) fn take(&mut self, place: usize) -> Slot {
        self.given.get_mut(place).and_then(Option::take).unwrap_or_else(Slot::nothing)
    }

    /// An argument that may be left out, or be nothing.
    pub(super) fn optional(&mut self, place: usize) -> Option<Slot> {
        self.given.get_mut(place).and_then(Option::take).filter(|slot| !slot.is_nothing())
    }

    /// An argument that may be left out; given as nothing it is nothing.
    pub(super) fn given(&mut self, place: usize) -> Option<Slot> {
        self.given.get_mut(place).and_then(Option::take)
    }

    /// An argument that is a text.
    pub(in super::super) fn text(&mut self, place: usize) -> Result<Arc<str>, Trouble> {
        let slot = self.take(place);
        match &slot.value {
            Value::Text(text) => Ok(Arc::clone(text)),
            _ => self.wrong(place, "a text", &slot.value),
        }
    }

    /// An argument that is the path of a file, plain or in a sign.
    pub(in super::super) fn path(&mut self, place: usize) -> Result<Arc<str>, Trouble> {
        let slot = self.take(place);
        match &slot.value {
            Value::Text(path) => Ok(Arc::clone(path)),
            Value::Sign(sign) => Ok(Arc::clone(sign.payload())),
            other => self.wrong(place, "the path of a file", other),
        }
    }

    /// An argument that holds the inputs of a function.
    pub(super) fn vars(&mut self, place: usize) -> Result<Arc<Map>, Trouble> {
        let slot = self.take(place);
        match &slot.value {
            Value::Map(map) => Ok(Arc::clone(map)),
            other => self.wrong(place, "the inputs, a map", other),
        }
    }

    /// `bad_arguments`: method, argument, expected, got (semantics spec, section 14.8).
    pub(super) fn wrong<T>(&self, place: usize, expected: &str, got: &Value) -> Result<T, Trouble> {
        let name = self.signature.args.get(place).map_or("?", |a| a.name);
        let message =
            format!("`{}` expects {expected} as `{name}`, got {}", self.signature.label, shown(got));
        fails("bad_arguments", message, format!("give it {expected}"))
    }
}
