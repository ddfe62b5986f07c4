//! The renderers of diagnostics for machines and for one-line lists; the picture for people is in `render_human`.
//!
//! Knows nothing of files on disk: names and texts come from the [`SourceMap`]. Lines and columns shown here count
//! from 1, columns in Unicode scalar values; byte offsets count from 0.

use serde_json::{Value, json as object};

use crate::base::{LineColumn, SourceMap, Span};

use super::{Diagnostic, Fix, Label, Severity};

/// One line: `file:line:column: severity[CODE]: message`; without a place the first part is left out.
pub fn short(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let head = format!(
        "{}[{}]: {}",
        diagnostic.severity.word(),
        diagnostic.code,
        one_line(&diagnostic.message, false)
    );
    match diagnostic.primary.as_ref().and_then(|label| sources.resolve(label.span)) {
        Some((file, start, _)) => format!("{}: {head}", address(file, start)),
        None => head,
    }
}

/// One object with the keys `code`, `level`, `message`, `file`, `span`, `labels`, `help`, `fix`; what is not
/// there is null, `labels` holds the primary label first.
pub fn json(diagnostic: &Diagnostic, sources: &SourceMap) -> Value {
    let primary = diagnostic.primary.as_ref();
    let labels: Vec<Value> = primary
        .map(|label| label_json(label, true, sources))
        .into_iter()
        .chain(diagnostic.secondary.iter().map(|label| label_json(label, false, sources)))
        .collect();
    object!({
        "code": diagnostic.code.as_str(),
        "level": diagnostic.severity.word(),
        "message": diagnostic.message,
        "file": primary.and_then(|label| sources.file(label.span.file)).map(|file| file.name()),
        "span": primary.and_then(|label| span_json(label.span, sources)),
        "labels": labels,
        "help": diagnostic.help,
        "fix": diagnostic.fix.as_ref().map(|fix| fix_json(fix, sources)),
    })
}

/// One workflow command of the kind code hosts show beside the changed lines.
pub fn github(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let kind = match diagnostic.severity {
        Severity::Info => "notice",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    let mut properties = String::new();
    if let Some((file, start, end)) =
        diagnostic.primary.as_ref().and_then(|label| sources.resolve(label.span))
    {
        properties.push_str(&format!("file={},line={}", escape_property(file), start.line));
        // A column range is understood within one line only.
        if start.line == end.line {
            properties.push_str(&format!(",col={},endColumn={}", start.column + 1, end.column + 1));
        } else {
            properties.push_str(&format!(",endLine={}", end.line));
        }
        properties.push(',');
    }
    let mut text = diagnostic.message.clone();
    if let Some(help) = &diagnostic.help {
        text.push_str("\nhelp: ");
        text.push_str(help);
    }
    format!("::{kind} {properties}title={}::{}", diagnostic.code, escape_data(&text))
}

/// `file:line:column` with everything counted from 1.
pub(super) fn address(file: &str, place: LineColumn) -> String {
    format!("{}:{}:{}", one_line(file, false), place.line, place.column + 1)
}

/// A span as `{start: {line, column, byte}, end: {..}}`, none when it does not fit the map.
pub(super) fn span_json(span: Span, sources: &SourceMap) -> Option<Value> {
    let (_, start, end) = sources.resolve(span)?;
    let place = |at: LineColumn, byte: u32| object!({"line": at.line, "column": at.column + 1, "byte": byte});
    Some(object!({"start": place(start, span.start), "end": place(end, span.end)}))
}

/// The text on one line and harmless to a terminal: line ends and tabs become blanks, other control characters
/// and those that turn the direction of writing become a visible sign.
pub(super) fn one_line(text: &str, ascii: bool) -> String {
    text.chars().map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { visible(c, ascii) }).collect()
}

/// A character that a terminal shows as it is, one for one; a tab stays a tab.
pub(super) fn visible(c: char, ascii: bool) -> char {
    let sign = match c {
        '\t' => return c,
        '\0'..='\u{1f}' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        _ => return c,
    };
    if ascii { '?' } else { sign }
}

fn label_json(label: &Label, primary: bool, sources: &SourceMap) -> Value {
    object!({
        "file": sources.file(label.span.file).map(|file| file.name()),
        "span": span_json(label.span, sources),
        "text": label.text,
        "primary": primary,
    })
}

fn fix_json(fix: &Fix, sources: &SourceMap) -> Value {
    let edits: Vec<Value> = fix
        .edits
        .iter()
        .map(|edit| {
            object!({
                "file": sources.file(edit.span.file).map(|file| file.name()),
                "span": span_json(edit.span, sources),
                "text": edit.text,
            })
        })
        .collect();
    object!({"title": fix.title, "edits": edits})
}

fn escape_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn escape_property(text: &str) -> String {
    escape_data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SourceFile;
    use crate::diag::{Code, Edit};

    fn map(text: &str) -> (SourceMap, crate::base::FileId) {
        let mut sources = SourceMap::default();
        let id = sources.add(SourceFile::new("plans/a.nc", text));
        (sources, id)
    }

    #[test]
    fn short_counts_columns_from_one_in_characters() {
        let (sources, id) = map("{数字}\r\n    <= 数 $.({x})\r\n");
        let at = sources.files()[0].text().find("$.").unwrap();
        let diagnostic = Diagnostic::at(Code::NC081, Span::new(id, at, at + 6), "value `{x}` is never given");
        assert_eq!(short(&diagnostic, &sources), "plans/a.nc:2:10: error[NC081]: value `{x}` is never given");
    }

    #[test]
    fn short_without_a_place_has_no_address() {
        let (sources, id) = map("");
        let diagnostic = Diagnostic::new(Code::NC100, "not an array");
        assert_eq!(short(&diagnostic, &sources), "error[NC100]: not an array");
        let elsewhere =
            Diagnostic::at(Code::NC100, Span::new(crate::base::FileId(id.0 + 7), 0, 1), "not an array");
        assert_eq!(short(&elsewhere, &sources), "error[NC100]: not an array");
    }

    #[test]
    fn one_line_stays_one_line() {
        let (sources, _) = map("");
        let diagnostic = Diagnostic::new(Code::NC012, "stray `a\nb\u{1b}[31m\u{202e}`");
        assert_eq!(short(&diagnostic, &sources), "warning[NC012]: stray `a b\u{241b}[31m\u{fffd}`");
    }

    #[test]
    fn json_holds_every_key_and_the_fix() {
        let (sources, id) = map("a\tacross[{数}]\nb");
        let diagnostic = Diagnostic::at(Code::NC049, Span::new(id, 2, 8), "misspelt operator `across`")
            .label("no such operator")
            .also(Span::new(id, 16, 17), "used here")
            .help("write `&across`")
            .fix("write `&across`", vec![Edit { span: Span::new(id, 2, 2), text: "&".into() }]);
        assert_eq!(
            json(&diagnostic, &sources),
            object!({
                "code": "NC049", "level": "warning", "message": "misspelt operator `across`", "file": "plans/a.nc",
                "span": {"start": {"line": 1, "column": 3, "byte": 2}, "end": {"line": 1, "column": 9, "byte": 8}},
                "labels": [
                    {"file": "plans/a.nc", "text": "no such operator", "primary": true, "span": {
                        "start": {"line": 1, "column": 3, "byte": 2}, "end": {"line": 1, "column": 9, "byte": 8}}},
                    {"file": "plans/a.nc", "text": "used here", "primary": false, "span": {
                        "start": {"line": 2, "column": 1, "byte": 16}, "end": {"line": 2, "column": 2, "byte": 17}}},
                ],
                "help": "write `&across`",
                "fix": {"title": "write `&across`", "edits": [{"file": "plans/a.nc", "text": "&", "span": {
                    "start": {"line": 1, "column": 3, "byte": 2}, "end": {"line": 1, "column": 3, "byte": 2}}}]},
            })
        );
        let bare = json(&Diagnostic::new(Code::NC124, "no final concept"), &sources);
        let keys: Vec<&str> = bare.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["code", "level", "message", "file", "span", "labels", "help", "fix"]);
        assert_eq!(bare["labels"], object!([]));
    }

    #[test]
    fn github_escapes_what_would_end_the_command() {
        let (sources, id) = map("ab\ncd");
        let diagnostic = Diagnostic::at(Code::NC012, Span::new(id, 3, 5), "100% `a,b`").help("one\ntwo");
        assert_eq!(
            github(&diagnostic, &sources),
            "::warning file=plans/a.nc,line=2,col=1,endColumn=3,title=NC012::100%25 `a,b`%0Ahelp: one%0Atwo"
        );
        assert_eq!(github(&Diagnostic::new(Code::NC100, "bad"), &sources), "::error title=NC100::bad");
    }
}
