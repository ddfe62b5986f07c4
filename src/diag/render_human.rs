//! The picture of a diagnostic for people: headline, source with underlines, help; drawn by miette.
//!
//! Knows nothing of terminals: width, colour and character set are arguments.

use std::fmt;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode, ThemeCharacters, ThemeStyles};

use crate::base::{FileId, SourceMap};

use super::render::{address, one_line};
use super::render_excerpt::Excerpt;
use super::{Diagnostic, Label, Severity};

/// Texts longer than this are cut: a headline quotes, it does not reprint a file.
const LONGEST_TEXT: usize = 2_000;
/// More places than this do not help; the rest is counted.
const MOST_LABELS: usize = 12;

/// How the picture is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Columns to wrap texts at; less than 40 counts as 40.
    pub width: usize,
    /// With terminal colours.
    pub color: bool,
    /// With box-drawing characters; else everything but the user's own text is ASCII.
    pub unicode: bool,
}

impl Style {
    /// What files, pipes and tests get: 100 columns, no colour, box-drawing characters.
    pub const PLAIN: Style = Style { width: 100, color: false, unicode: true };
}

impl Default for Style {
    fn default() -> Self {
        Self::PLAIN
    }
}

/// For people: code and severity, headline, the source lines with the exact text underlined, help. Ends with a
/// line end. A diagnostic without a place gives headline and help only.
pub fn human(diagnostic: &Diagnostic, sources: &SourceMap, style: &Style) -> String {
    let report = Report::new(diagnostic, sources, style);
    let characters = if style.unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() };
    let styles = if style.color { ThemeStyles::ansi() } else { ThemeStyles::none() };
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme { characters, styles })
        .with_width(style.width.max(40))
        .with_context_lines(1)
        .with_links(false)
        .without_syntax_highlighting();
    let mut text = String::new();
    if handler.render_report(&mut text, &report).is_err() {
        // Drawing fails only on spans that do not fit the excerpt, which are cut to fit; the line form is never wrong.
        return format!("{}\n", super::short(diagnostic, sources));
    }
    let mut lines = String::with_capacity(text.len());
    for line in text.trim_end().lines() {
        lines.push_str(line.trim_end());
        lines.push('\n');
    }
    lines
}

/// The diagnostic in the form miette draws.
struct Report {
    head: String,
    severity: miette::Severity,
    message: String,
    help: Option<String>,
    excerpt: Option<Excerpt>,
    labels: Vec<LabeledSpan>,
}

impl Report {
    fn new(diagnostic: &Diagnostic, sources: &SourceMap, style: &Style) -> Self {
        let ascii = !style.unicode;
        let mut help: Vec<String> = Vec::new();
        match (&diagnostic.help, &diagnostic.fix) {
            (Some(text), _) => help.extend(text.lines().map(|line| shown(line, ascii))),
            (None, Some(fix)) => help.push(shown(&fix.title, ascii)),
            (None, None) => {}
        }
        let all: Vec<&Label> = diagnostic
            .primary
            .iter()
            .chain(&diagnostic.secondary)
            .filter(|label| sources.file(label.span.file).is_some())
            .collect();
        // One picture shows one file; places in other files become addresses under the help.
        let file: Option<FileId> = all.first().map(|label| label.span.file);
        let (here, elsewhere): (Vec<&Label>, Vec<&Label>) =
            all.into_iter().partition(|label| Some(label.span.file) == file);
        let hidden = here.len().saturating_sub(MOST_LABELS) + elsewhere.len().saturating_sub(MOST_LABELS);
        for label in elsewhere.iter().take(MOST_LABELS) {
            if let Some((name, start, _)) = sources.resolve(label.span) {
                help.push(format!("see {}: {}", address(name, start), shown(&label.text, ascii)));
            }
        }
        if hidden > 0 {
            help.push(format!("and {hidden} more {}", if hidden == 1 { "place" } else { "places" }));
        }
        let spans: Vec<_> = here.iter().take(MOST_LABELS).map(|label| label.span).collect();
        let excerpt = file.and_then(|id| sources.file(id)).map(|file| Excerpt::new(file, &spans, ascii));
        let labels = excerpt.as_ref().map_or_else(Vec::new, |excerpt| {
            here.iter()
                .zip(&excerpt.spans)
                .enumerate()
                .map(|(nth, (label, (start, end)))| {
                    let text = (!label.text.is_empty()).then(|| shown(&label.text, ascii));
                    let span = (*start, end - start);
                    // The first of `here` is the primary label whenever there is one.
                    if nth == 0 {
                        LabeledSpan::new_primary_with_span(text, span)
                    } else {
                        LabeledSpan::new_with_span(text, span)
                    }
                })
                .collect()
        });
        Self {
            head: format!("{}[{}]", diagnostic.severity.word(), diagnostic.code),
            severity: match diagnostic.severity {
                Severity::Info => miette::Severity::Advice,
                Severity::Warning => miette::Severity::Warning,
                Severity::Error => miette::Severity::Error,
            },
            message: shown(&diagnostic.message, ascii),
            help: (!help.is_empty()).then(|| help.join("\n")),
            excerpt,
            labels,
        }
    }
}

/// A text on one line, harmless and not too long.
fn shown(text: &str, ascii: bool) -> String {
    let mut line = one_line(text, ascii);
    if let Some((cut, _)) = line.char_indices().nth(LONGEST_TEXT) {
        line.truncate(cut);
        line.push_str(if ascii { "..." } else { "…" });
    }
    line
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Report {}

impl miette::Diagnostic for Report {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.head))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.excerpt.as_ref().map(|excerpt| excerpt as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        (!self.labels.is_empty())
            .then(|| Box::new(self.labels.iter().cloned()) as Box<dyn Iterator<Item = LabeledSpan>>)
    }
}
