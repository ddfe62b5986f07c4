//! One table of a TOML file, read key by key: every problem is kept with its line, and reading goes on.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::ConfigProblem;
use crate::base::{listed, nearest};

/// At most so many problems of one file are kept.
const SHOWN: usize = 50;

/// The problems of one file.
pub(super) struct Problems {
    file: Arc<str>,
    /// Where each line begins.
    starts: Vec<usize>,
    found: RefCell<Vec<ConfigProblem>>,
}

impl Problems {
    pub(super) fn new(text: &str, file: &str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { file: Arc::from(file), starts, found: RefCell::default() }
    }

    pub(super) fn line(&self, at: usize) -> Option<u32> {
        u32::try_from(self.starts.partition_point(|start| *start <= at)).ok()
    }

    pub(super) fn add(&self, at: Option<usize>, message: String, help: Option<String>) {
        let mut found = self.found.borrow_mut();
        if found.len() < SHOWN {
            let line = at.and_then(|at| self.line(at));
            found.push(ConfigProblem { file: self.file.clone(), message, help, line });
        }
    }

    pub(super) fn into_found(self) -> Vec<ConfigProblem> {
        self.found.into_inner()
    }
}

/// A table and its name in messages, such as `[providers.local]`.
pub(super) struct Table<'t> {
    pub(super) name: String,
    pub(super) table: &'t DeTable<'t>,
    pub(super) at: usize,
    pub(super) problems: &'t Problems,
}

impl<'t> Table<'t> {
    /// Says which keys are unknown.
    pub(super) fn only(&self, known: &[&str]) {
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if known.contains(&name) {
                continue;
            }
            let help = match nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known are {}", listed(known)),
            };
            self.problem(
                key.span(),
                format!("{} has no setting `{}`", self.name, name.escape_debug()),
                &help,
            );
        }
    }

    pub(super) fn problem(&self, span: Range<usize>, message: String, help: &str) {
        self.problems.add(Some(span.start), message, Some(help.to_owned()));
    }

    pub(super) fn value(&self, key: &str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.table.get(key)
    }

    fn wrong(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) {
        let message = format!("`{key}` of {} must be {wanted}, this is {}", self.name, kind(value.get_ref()));
        self.problem(value.span(), message, &format!("write {}", example(key, wanted)));
    }

    pub(super) fn text(&self, key: &str) -> Option<(&'t str, Range<usize>)> {
        let value = self.value(key)?;
        match value.get_ref().as_str() {
            Some(text) if !text.is_empty() && !text.chars().any(char::is_control) => {
                Some((text, value.span()))
            }
            Some(_) => {
                let message = format!("`{key}` of {} is empty or holds control characters", self.name);
                self.problem(value.span(), message, &format!("write {}", example(key, "a text")));
                None
            }
            None => {
                self.wrong(key, value, "a text");
                None
            }
        }
    }

    /// A text that is one of these words.
    pub(super) fn word(&self, key: &str, words: &[&'static str]) -> Option<&'static str> {
        let (text, span) = self.text(key)?;
        let found = words.iter().find(|word| **word == text).copied();
        if found.is_none() {
            let help = match nearest(text, words.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known are {}", listed(words)),
            };
            let message = format!("`{key}` of {} cannot be `{}`", self.name, text.escape_debug());
            self.problem(span, message, &help);
        }
        found
    }

    pub(super) fn whole(&self, key: &str, range: Range<u64>) -> Option<u64> {
        let value = self.value(key)?;
        let Some(number) = value.get_ref().as_integer() else {
            self.wrong(key, value, "a whole number");
            return None;
        };
        let number = i128::from_str_radix(number.as_str(), number.radix()).ok();
        let found = number.and_then(|n| u64::try_from(n).ok()).filter(|n| range.contains(n));
        if found.is_none() {
            let message = format!("`{key}` of {} is out of range", self.name);
            let help = format!("write a whole number from {} to {}", range.start, range.end - 1);
            self.problem(value.span(), message, &help);
        }
        found
    }

    pub(super) fn whole_u32(&self, key: &str, range: Range<u32>) -> Option<u32> {
        let range = u64::from(range.start)..u64::from(range.end);
        self.whole(key, range).and_then(|n| u32::try_from(n).ok())
    }

    pub(super) fn float(&self, key: &str, range: std::ops::RangeInclusive<f64>) -> Option<f64> {
        let value = self.value(key)?;
        let found = match value.get_ref() {
            DeValue::Integer(n) => n.as_str().parse::<f64>().ok().filter(|_| n.radix() == 10),
            DeValue::Float(n) => n.as_str().parse::<f64>().ok(),
            _ => {
                self.wrong(key, value, "a number");
                return None;
            }
        };
        let found = found.filter(|n| range.contains(n));
        if found.is_none() {
            let message = format!("`{key}` of {} is out of range", self.name);
            let help = format!("write a number from {} to {}", range.start(), range.end());
            self.problem(value.span(), message, &help);
        }
        found
    }

    pub(super) fn seconds(&self, key: &str) -> Option<Duration> {
        self.float(key, 0.001..=86_400.0).map(Duration::from_secs_f64)
    }

    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        let value = self.value(key)?;
        let found = value.get_ref().as_bool();
        if found.is_none() {
            self.wrong(key, value, "`true` or `false`");
        }
        found
    }

    /// A number of bytes: a whole number, or a text such as `32 MiB`.
    pub(super) fn bytes(&self, key: &str) -> Option<u64> {
        const RANGE: Range<u64> = 1024..(1 << 30) + 1;
        let value = self.value(key)?;
        let Some(text) = value.get_ref().as_str() else {
            return self.whole(key, RANGE);
        };
        let found = size(text).filter(|n| RANGE.contains(n));
        if found.is_none() {
            let message = format!("`{key}` of {} is no size", self.name);
            self.problem(value.span(), message, "write bytes or a text such as \"32 MiB\", at most 1 GiB");
        }
        found
    }

    pub(super) fn table(&self, key: &str) -> Option<Table<'t>> {
        let value = self.value(key)?;
        let found = value.get_ref().as_table();
        if found.is_none() {
            self.wrong(key, value, "a table");
        }
        let name = match self.name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
            Some(outer) => format!("[{outer}.{key}]"),
            None => format!("[{key}]"),
        };
        Some(Table { name, table: found?, at: value.span().start, problems: self.problems })
    }

    /// The tables of a table, each with its name there.
    pub(super) fn tables(&self, key: &str) -> Vec<(Arc<str>, Table<'t>)> {
        let Some(outer) = self.table(key) else {
            return Vec::new();
        };
        let named = |(name, value): (&'t Spanned<std::borrow::Cow<'t, str>>, &'t Spanned<DeValue<'t>>)| {
            let text = name.get_ref().as_ref();
            if text.is_empty() || text.chars().any(char::is_control) {
                let message = format!("a name in [{key}] is empty or holds control characters");
                outer.problem(name.span(), message, "write a word");
                return None;
            }
            let inner = outer.table(text)?;
            Some((Arc::from(text), Table { at: name.span().start, ..inner }))
                .filter(|_| value.get_ref().is_table())
        };
        outer.table.iter().filter_map(named).collect()
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "a truth value",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn example(key: &str, wanted: &str) -> String {
    match wanted {
        _ if key == "price" => "`price = { input = 150000, output = 600000 }`".to_owned(),
        "a whole number" if matches!(key, "input" | "output") => {
            format!("`{key} = 2500000` for 2.50: millionths of the unit for a million tokens")
        }
        "a text" => format!("`{key} = \"...\"`"),
        "a whole number" => format!("`{key} = 10`"),
        "a number" => format!("`{key} = 0.5`"),
        "a table" => format!("`[{key}]` and its settings below"),
        _ => format!("`{key} = true`"),
    }
}

fn size(text: &str) -> Option<u64> {
    let digits = text.trim().trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = text.trim().strip_prefix(digits)?.trim();
    let factor = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}
