//! Entries of the two repositories, kept exactly as written: key order, unknown fields, absent versus null, the
//! spelling of numbers. Typed access is by reading; nothing is filled in (repositories spec, sections 1 and 2).

use serde_json::{Map as JsonMap, Value as Json};

/// One concept entry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConceptEntry(JsonMap<String, Json>);

/// One inference entry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InferenceEntry(JsonMap<String, Json>);

macro_rules! entry {
    ($entry:ident) => {
        impl $entry {
            /// The fields as written.
            pub fn raw(&self) -> &JsonMap<String, Json> {
                &self.0
            }

            /// The text of a field; none when it is absent, null or no text.
            pub fn text(&self, field: &str) -> Option<&str> {
                self.0.get(field).and_then(Json::as_str)
            }

            /// A field that is neither absent nor null.
            pub fn present(&self, field: &str) -> Option<&Json> {
                self.0.get(field).filter(|v| !v.is_null())
            }

            /// A flag: only a written `true` is true.
            pub fn flag(&self, field: &str) -> bool {
                self.0.get(field).and_then(Json::as_bool).unwrap_or(false)
            }

            /// The texts of a list field, or the one text of a field that should be a list. What is no text is
            /// left out.
            pub fn texts(&self, field: &str) -> Vec<&str> {
                match self.0.get(field) {
                    Some(Json::Array(items)) => items.iter().filter_map(Json::as_str).collect(),
                    Some(Json::String(text)) => vec![text],
                    _ => Vec::new(),
                }
            }
        }

        impl From<JsonMap<String, Json>> for $entry {
            fn from(fields: JsonMap<String, Json>) -> Self {
                Self(fields)
            }
        }
    };
}

entry!(ConceptEntry);
entry!(InferenceEntry);

impl ConceptEntry {
    /// `concept_name`; empty when it is missing.
    pub fn name(&self) -> &str {
        self.text("concept_name").unwrap_or_default()
    }

    /// `type`; empty when it is missing.
    pub fn type_name(&self) -> &str {
        self.text("type").unwrap_or_default()
    }

    /// `is_ground_concept`.
    pub fn is_ground(&self) -> bool {
        self.flag("is_ground_concept")
    }

    /// `is_final_concept`.
    pub fn is_final(&self) -> bool {
        self.flag("is_final_concept")
    }

    /// `is_invariant`.
    pub fn is_invariant(&self) -> bool {
        self.flag("is_invariant")
    }

    /// `reference_data`, when there is any.
    pub fn data(&self) -> Option<&Json> {
        self.present("reference_data")
    }

    /// `flow_indices`, in the order written.
    pub fn flow_indices(&self) -> Vec<&str> {
        self.texts("flow_indices")
    }
}

impl InferenceEntry {
    /// `flow_info.flow_index`; empty when it is missing.
    pub fn flow_index(&self) -> &str {
        self.0.get("flow_info").and_then(|f| f.get("flow_index")).and_then(Json::as_str).unwrap_or_default()
    }

    /// `inference_sequence`; empty when it is missing.
    pub fn sequence(&self) -> &str {
        self.text("inference_sequence").unwrap_or_default()
    }

    /// `concept_to_infer`; empty when it is missing.
    pub fn target(&self) -> &str {
        self.text("concept_to_infer").unwrap_or_default()
    }

    /// `function_concept`.
    pub fn function(&self) -> Option<&str> {
        self.text("function_concept")
    }

    /// `value_concepts`.
    pub fn values(&self) -> Vec<&str> {
        self.texts("value_concepts")
    }

    /// `context_concepts`.
    pub fn contexts(&self) -> Vec<&str> {
        self.texts("context_concepts")
    }

    /// `working_interpretation`, when it is an object.
    pub fn interpretation(&self) -> Option<&JsonMap<String, Json>> {
        self.0.get("working_interpretation").and_then(Json::as_object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> JsonMap<String, Json> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn an_entry_is_given_back_as_written() {
        let text = r#"{"type":"{}","concept_name":"{a}","is_invariant":null,"odd":[1.0,1.50],"reference_data":null}"#;
        let entry = ConceptEntry::from(fields(text));
        assert_eq!(entry.name(), "{a}");
        assert_eq!(entry.data(), None);
        assert!(!entry.is_invariant());
        assert_eq!(Json::Object(entry.raw().clone()).to_string(), text);
    }

    #[test]
    fn lists_may_be_one_text() {
        let entry = InferenceEntry::from(fields(
            r#"{"value_concepts":"{a}","context_concepts":["{b}",3],"flow_info":{"flow_index":"1.2"}}"#,
        ));
        assert_eq!(entry.values(), ["{a}"]);
        assert_eq!(entry.contexts(), ["{b}"]);
        assert_eq!(entry.flow_index(), "1.2");
        assert_eq!(entry.function(), None);
    }
}
