//! How a command speaks: diagnostics and messages to standard error, results to standard output.

use std::io::{IsTerminal, Write};

use clap::ValueEnum;

use crate::base::SourceMap;
use crate::diag::{self, Diagnostic, Severity, Style};
use crate::repo::Repositories;
use crate::report::{say, say_text};

use super::Exit;

/// How diagnostics are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// With the source and the text underlined.
    #[default]
    Human,
    /// One line each.
    Short,
    /// One JSON object with all of them.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Annotations of a GitHub workflow.
    Github,
}

/// How a command prints what it found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// For people
    #[default]
    Human,
    /// JSON
    Json,
}

/// The style for standard error: colours and line drawing only where somebody looks.
fn style() -> Style {
    let terminal = std::io::stderr().is_terminal();
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|t| t == "dumb");
    let width = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok()).unwrap_or(Style::PLAIN.width);
    Style { width, color: terminal && !no_color && !dumb, unicode: !dumb }
}

/// Prints diagnostics of at least a severity to standard error.
pub(super) fn show(diagnostics: &[Diagnostic], sources: &SourceMap, least: Severity) {
    let style = style();
    let mut err = std::io::stderr().lock();
    for diagnostic in diagnostics.iter().filter(|d| d.severity >= least) {
        let _ = write!(err, "{}", diag::human(diagnostic, sources, &style));
        let _ = writeln!(err);
    }
}

/// Prints diagnostics of at least a severity to standard error, in a format.
pub(super) fn show_as(
    diagnostics: &[Diagnostic],
    sources: &SourceMap,
    format: Format,
    least: Severity,
) -> Result<(), Exit> {
    let told: Vec<Diagnostic> = diagnostics.iter().filter(|d| d.severity >= least).cloned().collect();
    let lines =
        |each: fn(&Diagnostic, &SourceMap) -> String| told.iter().map(|d| each(d, sources) + "\n").collect();
    let text: String = match format {
        Format::Human => {
            show(&told, sources, least);
            return Ok(());
        }
        Format::Short => lines(diag::short),
        Format::Github => lines(diag::github),
        Format::Json => {
            let list: Vec<_> = told.iter().map(|d| diag::json(d, sources)).collect();
            format!("{}\n", serde_json::json!({ "diagnostics": list }))
        }
        Format::Sarif => format!("{}\n", diag::sarif(&told, sources)),
    };
    // Standard output is for the result.
    say_text(&text);
    Ok(())
}

/// An error that is no diagnostic of a plan: a file, an argument.
pub(super) fn complain(message: &str, help: Option<&str>) {
    say!("error: {message}");
    if let Some(help) = help {
        say!("  help: {help}");
    }
}

/// Writes a result to standard output. A reader that closed the pipe has seen enough.
pub(super) fn print(text: &str) -> Result<(), Exit> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => {
            complain(&format!("cannot write to standard output: {error}"), None);
            Err(Exit::InputOutput)
        }
    }
}

/// What a command made, in numbers: `22 inferences, 45 concepts, 1 warning`.
pub(super) fn counted(repositories: &Repositories, diagnostics: &[Diagnostic]) -> String {
    let mut parts = vec![
        count(repositories.inferences.len(), "inference"),
        count(repositories.concepts.len(), "concept"),
    ];
    let warnings = diagnostics.iter().filter(|d| d.severity == Severity::Warning).count();
    if warnings > 0 {
        parts.push(count(warnings, "warning"));
    }
    parts.join(", ")
}

/// `1 warning`, `2 warnings`.
pub(super) fn count(n: usize, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}
