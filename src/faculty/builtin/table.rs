//! The table of built-ins: name, usage, one line of documentation, function.

use super::args::Args;
use super::{compare, list, number, text, time};
use crate::base::nearest;
use crate::base::{Clock, Value};
use crate::faculty::failure::shorten;
use crate::faculty::{Failure, FailureKind};

/// One built-in function.
#[derive(Debug, Clone, Copy)]
pub struct Builtin {
    /// Its name in a plan.
    pub name: &'static str,
    /// Its arguments, optional ones in brackets, `...` for any number.
    pub usage: &'static str,
    /// What it gives, one line.
    pub doc: &'static str,
    run: fn(&Args<'_>) -> Result<Value, Failure>,
}

impl Builtin {
    /// Calls it with the inputs in value order.
    ///
    /// # Errors
    /// [`FailureKind::BadArguments`] with what was expected and what was got.
    pub fn call(&self, args: &[Value], clock: &dyn Clock) -> Result<Value, Failure> {
        (self.run)(&Args::new(self.name, self.usage, args, clock))
    }
}

macro_rules! table {
    ($($name:literal, $usage:literal, $run:path, $doc:literal;)*) => {
        /// All built-ins, in the order of their documentation.
        pub const ALL: &[Builtin] = &[$(Builtin { name: $name, usage: $usage, doc: $doc, run: $run }),*];
    };
}

table! {
    "pass", "VALUE...", list::pass, "the value itself; several values as a list";
    "concat", "VALUE...", text::concat, "the texts of the values, one behind the other; lists only: one list of all items";
    "join", "LIST [SEPARATOR]", text::join, "the texts of the items with the separator (default `, `) between them";
    "split", "TEXT [SEPARATOR]", text::split, "the parts of a text between separators; without one, its words";
    "lines", "TEXT", text::lines, "the lines of a text";
    "length", "VALUE", list::length, "number of characters of a text, items of a list, entries of a map";
    "get", "CONTAINER KEY [DEFAULT]", list::get, "entry of a map by its key, item of a list by its index from 0 (negative: from the end)";
    "merge", "MAP...", list::merge, "one map of all entries; of equal keys the last counts";
    "to_json", "VALUE", text::to_json, "the value as JSON text";
    "from_json", "TEXT", text::from_json, "the value of a JSON text";
    "upper", "TEXT", text::upper, "the text in upper case; of a list, each item";
    "lower", "TEXT", text::lower, "the text in lower case; of a list, each item";
    "trim", "TEXT", text::trim, "the text without blanks at its ends; of a list, each item";
    "replace", "TEXT OLD NEW", text::replace, "the text with every OLD replaced by NEW";
    "match", "TEXT PATTERN", text::matches, "whether the whole text fits the pattern: `*` is any run of characters, `?` any one, `\\*` and `\\?` themselves";
    "add", "NUMBER...", number::add, "the sum; lists are flattened";
    "sub", "NUMBER NUMBER...", number::sub, "the first number less all others";
    "mul", "NUMBER...", number::mul, "the product; lists are flattened";
    "div", "NUMBER NUMBER", number::div, "the exact quotient: an integer when it divides evenly, else a float";
    "quotient", "INTEGER INTEGER", number::quotient, "the quotient rounded down, as Python's `//`";
    "remainder", "INTEGER INTEGER", number::remainder, "the remainder of the quotient rounded down, as Python's `%`";
    "is_zero", "NUMBER...", number::is_zero, "whether every number is zero";
    "sum", "LIST", number::add, "the sum of the numbers of a list; 0 of an empty one";
    "min", "VALUE...", compare::min, "the smallest number, or the first text in order";
    "max", "VALUE...", compare::max, "the largest number, or the last text in order";
    "compare", "LEFT RIGHT [RELATION]", compare::compare, "whether the relation holds: `==` (default), `!=`, `<`, `<=`, `>`, `>=`";
    "sort", "LIST [DIRECTION]", compare::sort, "the items in order, `ascending` (default) or `descending`; equal items keep their order";
    "unique", "LIST", compare::unique, "the items without repetitions, in the order of their first appearance";
    "now", "", time::now, "the time of the run's clock, UTC, as `2026-01-31T23:59:59.999Z`; arguments only say what to wait for";
}

/// The built-in of a name.
pub fn lookup(name: &str) -> Option<Builtin> {
    ALL.iter().find(|b| b.name == name).copied()
}

/// Calls the built-in of a name with the inputs in value order, signs stripped, lists as lists.
///
/// # Errors
/// [`FailureKind::NoSuchFunction`] with the nearest name, or what [`Builtin::call`] fails with.
pub fn call(name: &str, args: &[Value], clock: &dyn Clock) -> Result<Value, Failure> {
    match lookup(name) {
        Some(builtin) => builtin.call(args, clock),
        None => Err(unknown(name)),
    }
}

fn unknown(name: &str) -> Failure {
    let message = format!("there is no built-in `{}`", shorten(name));
    let help = match nearest(name, ALL.iter().map(|b| b.name)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let names: Vec<_> = ALL.iter().map(|b| b.name).collect();
            format!("write one of {}", names.join(", "))
        }
    };
    Failure::new(FailureKind::NoSuchFunction, message).with_help(help)
}

/// Calls a built-in with JSON and gives the text of its answer or its complaint; for the tests of every family.
#[cfg(test)]
pub(super) fn run(name: &str, args: serde_json::Value) -> Result<String, String> {
    let Value::List(args) = Value::from_data_json(&args) else { panic!("a list of arguments") };
    call(name, &args, &crate::base::FixedClock(0)).map(|v| crate::base::text_of(&v)).map_err(|f| f.message)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::FixedClock;

    #[test]
    fn names_are_unique_and_found() {
        for builtin in ALL {
            assert_eq!(lookup(builtin.name).map(|b| b.doc), Some(builtin.doc));
            assert_eq!(ALL.iter().filter(|b| b.name == builtin.name).count(), 1);
            assert!(!builtin.doc.contains('\n') && !builtin.doc.ends_with('.'));
        }
        assert_eq!(ALL.len(), 29);
    }

    #[test]
    fn unknown_names_offer_the_nearest() {
        let failure = call("qoutient", &[], &FixedClock(0)).unwrap_err();
        assert_eq!(failure.kind, FailureKind::NoSuchFunction);
        assert_eq!(failure.help.as_deref(), Some("did you mean `quotient`?"));
        assert!(call("frobnicate", &[], &FixedClock(0)).unwrap_err().help.unwrap().contains("is_zero"));
    }

    #[test]
    fn no_builtin_panics_on_odd_arguments() {
        let odd = [
            Value::Skip,
            Value::Null,
            Value::Bool(true),
            Value::Number((-1).into()),
            Value::Number(serde_json::from_str::<serde_json::Number>("1e999").unwrap().into()),
            Value::text(""),
            Value::text("é"),
            Value::list([]),
            Value::list([Value::Null, Value::list([Value::text("1")])]),
            Value::Map(Arc::default()),
        ];
        for builtin in ALL {
            let _ = builtin.call(&[], &FixedClock(u64::MAX));
            for a in &odd {
                let _ = builtin.call(std::slice::from_ref(a), &FixedClock(0));
                for b in &odd {
                    let _ = builtin.call(&[a.clone(), b.clone()], &FixedClock(0));
                    let _ = builtin.call(&[a.clone(), b.clone(), a.clone()], &FixedClock(0));
                }
            }
        }
    }
}
