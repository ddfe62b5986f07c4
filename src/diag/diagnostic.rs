//! The one diagnostic type: a headline, one primary label, more labels, a help, perhaps a fix.

use crate::base::Span;

use super::{Code, Severity};

/// What is wrong, where, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its code; the page of the code explains it at length.
    pub code: Code,
    /// How bad it is; starts as the code's own severity.
    pub severity: Severity,
    /// The headline: lower case, no full stop, what the user wrote in backticks.
    pub message: String,
    /// The exact text it is about; none only where there is no source text (a loaded repository, a run).
    pub primary: Option<Label>,
    /// Other places that matter.
    pub secondary: Vec<Label>,
    /// What to write instead.
    pub help: Option<String>,
    /// An edit that certainly mends it.
    pub fix: Option<Fix>,
    /// The concepts it is about, the one that matters most first. Not shown: it tells which diagnostics speak of one
    /// mistake.
    pub about: Vec<String>,
    /// The number of a loop that it misses.
    pub missing_loop: Option<u32>,
}

/// A place with a short text about the spot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// A few words about it, may be empty.
    pub text: String,
}

/// A machine-applicable mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What it does, as an order: "write `&across`".
    pub title: String,
    /// The edits, which do not overlap.
    pub edits: Vec<Edit>,
}

/// The replacement of a piece of source text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; empty to insert.
    pub span: Span,
    /// The new text.
    pub text: String,
}

impl Diagnostic {
    /// A diagnostic at a place of source text.
    pub fn at(code: Code, span: Span, message: impl Into<String>) -> Self {
        let mut diagnostic = Self::new(code, message);
        diagnostic.primary = Some(Label { span, text: String::new() });
        diagnostic
    }

    /// A diagnostic without a place.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            message: message.into(),
            primary: None,
            secondary: Vec::new(),
            help: None,
            fix: None,
            about: Vec::new(),
            missing_loop: None,
        }
    }

    /// With another severity than the code's own.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// With a text under the primary label.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        if let Some(primary) = &mut self.primary {
            primary.text = text.into();
        }
        self
    }

    /// With one more place.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.secondary.push(Label { span, text: text.into() });
        self
    }

    /// About one more concept, by its name.
    #[must_use]
    pub fn about(mut self, concept: impl Into<String>) -> Self {
        self.about.push(concept.into());
        self
    }

    /// About a loop that is not there.
    #[must_use]
    pub fn missing_loop(mut self, number: u32) -> Self {
        self.missing_loop = Some(number);
        self
    }

    /// With what to write instead.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// With a mend that is certain.
    #[must_use]
    pub fn fix(mut self, title: impl Into<String>, edits: Vec<Edit>) -> Self {
        self.fix = Some(Fix { title: title.into(), edits });
        self
    }

    /// Returns whether it is an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
