//! Names in a message.

use std::fmt::Display;

/// Names as they stand in a message, each in backticks: "`a`, `b`".
pub fn listed<T: Display>(names: impl IntoIterator<Item = T>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
