//! The schema that a reply of a model must fit (semantics spec, section 14.1).

use std::fmt;
use std::sync::Arc;

use jsonschema::{PatternOptions, Validator};
use serde_json::Value as Json;

use super::super::reply::{self, Complaint};
use super::super::slot::{Trouble, fails};

/// How many violations a complaint lists.
const VIOLATIONS: usize = 10;

/// How long one violation may be in a complaint.
const VIOLATION_LENGTH: usize = 200;

/// A schema that replies are checked against.
pub(in super::super) struct Checked(Validator);

impl fmt::Debug for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Checked")
    }
}

/// Reads a schema. Its patterns are run by an engine without backtracking.
///
/// # Errors
/// `bad_arguments` when it is no JSON Schema.
pub(in super::super) fn checked(schema: &Json) -> Result<Arc<Checked>, Trouble> {
    let options = jsonschema::options().with_pattern_options(PatternOptions::regex());
    match options.build(schema) {
        Ok(validator) => Ok(Arc::new(Checked(validator))),
        Err(error) => {
            let place = pointer(&error.instance_path().to_string());
            let message =
                format!("the schema of the reply is no JSON Schema: {place}: {}", short(&error.to_string()));
            fails("bad_arguments", message, "write a JSON Schema without references to other files")
        }
    }
}

impl Checked {
    /// Checks a reply.
    ///
    /// # Errors
    /// `reply_is_not_json`, `reply_breaks_schema`.
    pub(super) fn check(&self, text: &str) -> Result<(), Complaint> {
        let value = reply::read_value(text)?.to_json();
        let mut violations: Vec<String> = Vec::new();
        let mut more = false;
        for error in self.0.iter_errors(&value) {
            if violations.len() == VIOLATIONS {
                more = true;
                break;
            }
            let place = pointer(&error.instance_path().to_string());
            violations.push(format!("{place}: {}", short(&error.to_string())));
        }
        if violations.is_empty() {
            return Ok(());
        }
        if more {
            violations.push("and more".to_owned());
        }
        Err(Complaint {
            kind: "reply_breaks_schema",
            message: format!("the reply does not fit the schema: {}", violations.join("; ")),
            wanted: "reply with JSON that fits the schema and nothing else".to_owned(),
        })
    }
}

fn pointer(path: &str) -> String {
    if path.is_empty() { "the whole reply".to_owned() } else { format!("`{path}`") }
}

fn short(text: &str) -> String {
    let mut shown: String = text.chars().take(VIOLATION_LENGTH).collect();
    if text.chars().nth(VIOLATION_LENGTH).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_name_the_places() {
        let schema = serde_json::json!({
            "type": "object",
            "properties": {"n": {"type": "integer"}, "s": {"type": "string", "pattern": "^(a+)+$"}},
            "required": ["n"]
        });
        let schema = checked(&schema).unwrap();
        assert!(schema.check("Here: {\"n\": 1}").is_ok());
        let complaint = schema.check("{\"n\": \"x\", \"s\": 1}").unwrap_err();
        assert_eq!(complaint.kind, "reply_breaks_schema");
        assert!(
            complaint.message.contains("`/n`") && complaint.message.contains("`/s`"),
            "{}",
            complaint.message
        );
        let missing = schema.check("{}").unwrap_err();
        assert!(missing.message.contains("the whole reply"), "{}", missing.message);
        assert_eq!(schema.check("no").unwrap_err().kind, "reply_is_not_json");
        let hostile = format!("{{\"n\": 1, \"s\": \"{}b\"}}", "a".repeat(5000));
        assert_eq!(schema.check(&hostile).unwrap_err().kind, "reply_breaks_schema");
        assert!(checked(&serde_json::json!({"type": 5})).is_err());
        assert!(checked(&serde_json::json!({"$ref": "file:///etc/passwd"})).is_err());
    }
}
