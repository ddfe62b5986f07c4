//! Where a concept text ends on its line, and what follows: annotations and comments (language spec, section 2.5).

use std::sync::Arc;

use crate::base::{FileId, Span};

use super::ast::{Annotation, AnnotationKind};
use super::brackets::{Brackets, mask};
use super::grammar::{Rule, first, read};
use super::kind::Marker;
use super::layout::trim;

/// How a concept text ended before the end of its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It did not.
    Line,
    /// At a pipe.
    Pipe,
    /// At a pipe inside a bracket that is not closed.
    ForcedPipe,
    /// At ` /:`, ` #` or ` //` without a pipe.
    Comment,
}

/// Finds the end of the concept text in `start..end` of `text`. The brackets go on from earlier pieces of the same
/// logical line. Gives how it ended, and where the trailer's sign stands.
pub(super) fn text_end(text: &str, start: usize, end: usize, brackets: &mut Brackets) -> (End, usize) {
    let bytes = text.as_bytes();
    let mut after_blank = false;
    for at in start..end {
        let Some(byte) = bytes.get(at).copied() else { break };
        if brackets.closed() {
            if byte == b'|' {
                return (End::Pipe, at);
            }
            if after_blank && starts_comment(text.get(at..end).unwrap_or("")) {
                return (End::Comment, at);
            }
        }
        brackets.feed(byte, at, |_| {});
        after_blank = matches!(byte, b' ' | b'\t');
    }
    if !brackets.closed() {
        let pipes = text.get(start..end).unwrap_or("").match_indices('|');
        for (offset, _) in pipes {
            if looks_like_annotation(text.get(start + offset + 1..end).unwrap_or("")) {
                return (End::ForcedPipe, start + offset);
            }
        }
    }
    (End::Line, end)
}

pub(super) fn starts_comment(rest: &str) -> bool {
    let signed =
        |sign: &str| rest.strip_prefix(sign).is_some_and(|r| r.is_empty() || r.starts_with([' ', '\t']));
    rest.starts_with("/:") || signed("#") || signed("//")
}

fn looks_like_annotation(rest: &str) -> bool {
    const SIGNS: [&str; 11] = ["?{", "%{", "/:", "?:", "...:", "ref.", "nl.", "input.", "%:", "%.", "?."];
    let rest = rest.trim_start_matches([' ', '\t']);
    if SIGNS.iter().any(|s| rest.starts_with(s)) {
        return true;
    }
    let number = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    number.len() < rest.len() && number.starts_with('.')
}

/// The place annotations are read from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) file: FileId,
    pub(super) text: &'a str,
    /// Number of the physical line, from 1.
    pub(super) line: u32,
    /// On the concept's own line.
    pub(super) inline: bool,
}

/// The annotations in `start..end`, which begins after a pipe.
pub(super) fn annotations(source: Source<'_>, start: usize, end: usize) -> Vec<Annotation> {
    let mut found = Vec::new();
    let rest = source.text.get(start..end).unwrap_or("");
    // Pipes inside closed brackets divide nothing; brackets without a partner do not count.
    let masked = mask(rest);
    let mut brackets = Brackets::default();
    let mut part = start;
    let mut push = |from: usize, to: usize| {
        let (from, to) = trim(source.text, from, to);
        if from < to {
            found.push(annotation(source, from, to));
        }
    };
    let mut fresh = true;
    let mut quoted = start;
    for (offset, byte) in masked.text.bytes().enumerate() {
        let at = start + offset;
        if fresh && !matches!(byte, b' ' | b'\t') {
            fresh = false;
            let rest = source.text.get(at..end).unwrap_or("");
            if swallows(rest) {
                break;
            }
            quoted = at + quoted_value(rest).unwrap_or(0);
        }
        if byte == b'|' && brackets.closed() && at >= quoted {
            push(part, at);
            part = at + 1;
            fresh = true;
        }
        brackets.feed(byte, at, |_| {});
    }
    push(part, end);
    found
}

/// Returns whether an annotation takes the rest of its line, pipes included.
fn swallows(rest: &str) -> bool {
    ["/:", "?:", "...:"].iter().any(|s| rest.starts_with(s))
}

/// Where the quoted value of an annotation ends, `%{prompt}: "yes | no"`: pipes in it divide nothing. None when its value
/// is not quoted, or more than a quoted text.
fn quoted_value(rest: &str) -> Option<usize> {
    let (_, value) = rest.strip_prefix("%{")?.split_once("}:")?;
    let inner = value.trim_start_matches([' ', '\t']).strip_prefix('"')?;
    let mut escaped = false;
    let closing = inner.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })?;
    let behind = inner.get(closing + 1..)?;
    let ends = behind.trim_start_matches([' ', '\t']);
    (ends.is_empty() || ends.starts_with('|')).then(|| rest.len() - behind.len())
}

/// One annotation; `start..end` is trimmed.
pub(super) fn annotation(source: Source<'_>, start: usize, end: usize) -> Annotation {
    let text = source.text.get(start..end).unwrap_or("");
    let mut annotation = plain(source, AnnotationKind::Text, start, start, end);
    let Some(pair) = read(Rule::annotation, text).and_then(|mut p| p.next()) else { return annotation };
    let rule = pair.as_rule();
    let mut key = None;
    let mut value = None;
    for child in pair.into_inner() {
        let (from, to) = trim(source.text, start + child.as_span().start(), start + child.as_span().end());
        match child.as_rule() {
            Rule::key | Rule::index | Rule::hint_sign => key = Some((from, to)),
            Rule::rest | Rule::sequence => value = Some((from, to)),
            _ => {}
        }
    }
    let (from, to) = value.unwrap_or((end, end));
    annotation.value_span = Span::new(source.file, from, to);
    annotation.value = source.text.get(from..to).map(Arc::from);
    annotation.key = key.and_then(|(from, to)| source.text.get(from..to)).map(Arc::from);
    if let Some((from, to)) = key {
        annotation.key_span = Span::new(source.file, from, to);
    }
    annotation.kind = match rule {
        Rule::syntactic => AnnotationKind::Syntactic,
        Rule::referential => AnnotationKind::Referential,
        Rule::description => AnnotationKind::Description,
        Rule::source_text => AnnotationKind::SourceText,
        Rule::question => AnnotationKind::Question,
        Rule::legacy_index => {
            if value.is_none() {
                annotation.value = None;
            }
            AnnotationKind::LegacyIndex
        }
        Rule::hint => AnnotationKind::Hint,
        Rule::question_hint => {
            annotation.key = Some(Arc::from("?."));
            AnnotationKind::Hint
        }
        _ => AnnotationKind::Text,
    };
    annotation
}

/// A comment without a pipe: `start..end` begins with its sign.
pub(super) fn comment(source: Source<'_>, start: usize, end: usize) -> Option<Annotation> {
    let text = source.text.get(start..end)?;
    let (kind, sign) = comment_sign(text)?;
    Some(plain(source, kind, start, start + sign, end))
}

/// The kind of a comment by its sign, and the length of the sign.
pub(super) fn comment_sign(text: &str) -> Option<(AnnotationKind, usize)> {
    const SIGNS: [(&str, AnnotationKind); 5] = [
        ("/:", AnnotationKind::Description),
        ("?:", AnnotationKind::Question),
        ("...:", AnnotationKind::SourceText),
        ("//", AnnotationKind::Comment),
        ("#", AnnotationKind::Comment),
    ];
    SIGNS.iter().find(|(sign, _)| text.starts_with(sign)).map(|(sign, kind)| (*kind, sign.len()))
}

/// An annotation that is only a text: all of it is `start..end`, its text begins at `text_start`.
pub(super) fn plain(
    source: Source<'_>,
    kind: AnnotationKind,
    start: usize,
    text_start: usize,
    end: usize,
) -> Annotation {
    let (from, to) = trim(source.text, text_start, end);
    Annotation {
        kind,
        key: None,
        key_span: Span::new(source.file, start, start),
        value: source.text.get(from..to).map(Arc::from),
        span: Span::new(source.file, start, end),
        value_span: Span::new(source.file, from, to),
        line: source.line,
        inline: source.inline,
    }
}

/// The head of a line: what stands before its concept text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Head {
    /// No marker.
    None,
    /// A marker; the length of its text.
    Marker(Marker, usize),
    /// A known mistake: the marker that is meant, and the length of what is written.
    Mistaken(Marker, usize),
    /// A role word; the marker it stands for, its length, and where the index before it stands.
    Role(Marker, usize, Option<(usize, usize)>),
    /// The head of a flat line.
    Flat(Flat),
}

/// The head of a flat line; ranges are offsets into the line's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flat {
    /// The index.
    pub(super) index: (usize, usize),
    /// The sequence or type.
    pub(super) word: (usize, usize),
    /// What follows `_`.
    pub(super) qualifier: Option<(usize, usize)>,
    /// The marker; [`Marker::None`] when missing.
    pub(super) marker: Marker,
    /// Length of all of it.
    pub(super) len: usize,
}

/// Reads the head of a line's content.
pub(super) fn head(content: &str) -> Head {
    let mut chars = content.chars();
    let possible = matches!(chars.next(), Some(':' | '<' | '=' | '-' | '[' | '(' | '⇐' | '←' | '0'..='9'));
    if !possible {
        return Head::None;
    }
    let Some(pair) = read(Rule::line_head, content).and_then(|mut p| p.next()) else { return Head::None };
    let len = pair.as_span().end();
    match pair.as_rule() {
        Rule::marker => Head::Marker(known_marker(pair.as_str()), len),
        Rule::mistaken_marker => match first(pair).map(|p| p.as_rule()) {
            Some(Rule::for_output) => Head::Mistaken(Marker::Output, len),
            Some(Rule::for_function) => Head::Mistaken(Marker::Function, len),
            Some(Rule::for_context) => Head::Mistaken(Marker::Context, len),
            _ => Head::Mistaken(Marker::Value, len),
        },
        Rule::role => {
            let mut inner = pair.into_inner();
            let index = inner.clone().find(|p| p.as_rule() == Rule::index);
            let index = index.map(|p| (p.as_span().start(), p.as_span().end()));
            let word = inner.find(|p| p.as_rule() == Rule::role_word).and_then(first);
            match word.map(|p| p.as_rule()) {
                Some(Rule::role_function) => Head::Role(Marker::Function, len, index),
                Some(Rule::role_value) => Head::Role(Marker::Value, len, index),
                _ => Head::Role(Marker::None, len, index),
            }
        }
        Rule::flat_head => {
            let mut flat = Flat { index: (0, 0), word: (0, 0), qualifier: None, marker: Marker::None, len };
            for child in pair.into_inner() {
                let range = (child.as_span().start(), child.as_span().end());
                match child.as_rule() {
                    Rule::index => flat.index = range,
                    Rule::flat_word => flat.word = range,
                    Rule::flat_qualifier => flat.qualifier = Some(range),
                    Rule::marker => flat.marker = known_marker(child.as_str()),
                    _ => {}
                }
            }
            Head::Flat(flat)
        }
        _ => Head::None,
    }
}

fn known_marker(text: &str) -> Marker {
    match text {
        ":<:" => Marker::Output,
        ":>:" => Marker::Input,
        "<=" => Marker::Function,
        "<-" => Marker::Value,
        "<*" => Marker::Context,
        _ => Marker::Carry,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(text: &str) -> (End, &str) {
        let (how, at) = text_end(text, 0, text.len(), &mut Brackets::default());
        (how, &text[..at])
    }

    #[test]
    fn concept_texts_end_outside_brackets() {
        for (text, expected) in [
            ("{a|b}<:{1}> | 1.1", (End::Pipe, "{a|b}<:{1}> ")),
            ("{a}|x", (End::Pipe, "{a}")),
            ("{a} /: b", (End::Comment, "{a} ")),
            ("{a} # b", (End::Comment, "{a} ")),
            ("{a} // b", (End::Comment, "{a} ")),
            ("take #5 of http://x", (End::Line, "take #5 of http://x")),
            ("&[#] %>({a})", (End::Line, "&[#] %>({a})")),
            ("({a | b", (End::Line, "({a | b")),
            ("({a | 1.2. x", (End::ForcedPipe, "({a ")),
            ("({a | ref. x", (End::ForcedPipe, "({a ")),
            ("{a}) | x", (End::Pipe, "{a}) ")),
        ] {
            assert_eq!(end(text), expected, "{text}");
        }
    }

    #[test]
    fn pipes_in_quoted_values_divide_nothing() {
        let texts = |text: &str| {
            let file = crate::base::SourceMap::default().add(crate::base::SourceFile::new("p.nc", text));
            let found = annotations(Source { file, text, line: 1, inline: false }, 0, text.len());
            found.iter().map(|a| a.text().to_owned()).collect::<Vec<_>>()
        };
        for (text, expected) in [
            (r#"%{ask}: "yes | no" | twice"#, &[r#""yes | no""#, "twice"][..]),
            (r#"%{ask}:"say \"a | b\"" | %{ask_kind}: text"#, &[r#""say \"a | b\"""#, "text"]),
            (r#"%{command}: ["sh", "-c", "ls | wc"]"#, &[r#"["sh", "-c", "ls | wc"]"#]),
            (r#"%{ask}: "a" or "b" | c"#, &[r#""a" or "b""#, "c"]),
            (r#"%{ask}: "yes | no"#, &[r#""yes"#, "no"]),
            (r#"%{ask}: yes | no"#, &["yes", "no"]),
            (r#""yes | no""#, &[r#""yes"#, r#"no""#]),
        ] {
            assert_eq!(texts(text), expected, "{text}");
        }
    }

    #[test]
    fn heads_of_lines() {
        for (text, expected) in [
            ("<-{error}", Head::Marker(Marker::Value, 2)),
            (":<:({a})", Head::Marker(Marker::Output, 3)),
            ("<= :%(True):<a>", Head::Marker(Marker::Function, 2)),
            ("<=:%(True):<a>", Head::Marker(Marker::Function, 2)),
            ("<=: $.({a})", Head::Mistaken(Marker::Function, 3)),
            ("-> {a}", Head::Mistaken(Marker::Value, 2)),
            ("=> {a}", Head::Mistaken(Marker::Function, 2)),
            ("<all done>", Head::None),
            ("{a}", Head::None),
            ("(ACTION) is done", Head::Role(Marker::Function, 8, None)),
            ("(action) is done", Head::None),
            ("1.2 apples", Head::None),
        ] {
            assert_eq!(head(text), expected, "{text}");
        }
    }
}
