//! Annotation keys that are nearly known ones: NC098, or not closed: NC013 (language spec, sections 2.5 and 13). Keys that resemble none
//! are the writer's own and mean nothing here.

use crate::base::{Span, nearest};
use crate::diag::{Code, Diagnostic, Edit};
use crate::syntax::{Annotation, AnnotationKind};

use super::Facts;

/// Keys of `%{key}: value` that some part of the language reads or that plans are known to carry.
const REFERENTIAL: [&str; 47] = [
    "agent",
    "ask",
    "ask_kind",
    "body_faculty",
    "builtin",
    "command",
    "command_location",
    "command_output",
    "effect",
    "file_location",
    "group_base",
    "h_input_norm",
    "literal",
    "location_string",
    "loop_config",
    "memorized_parameter",
    "model",
    "norm_input",
    "o_shape",
    "options",
    "paradigm",
    "parse",
    "prompt",
    "prompt_location",
    "prompt_name",
    "provision",
    "ref_axes",
    "ref_element",
    "ref_shape",
    "ref_skip",
    "reply_retries",
    "save_dir",
    "save_path",
    "schema",
    "script_location",
    "sequence",
    "serialize",
    "timeout",
    "truth_value",
    "user_input",
    "v_function_name",
    "v_input_norm",
    "v_input_provision",
    "value_order",
    "value_selectors",
    "write_mode",
    "flow_index",
];

/// Keys of `?{key}: value`.
const SYNTACTIC: [&str; 4] = ["flow_index", "sequence", "natural_language", "natural language"];

/// Shorter keys are near too many words to be guessed.
const SHORTEST: usize = 5;

pub(super) fn check(facts: &Facts<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let of_nodes = facts.tree.nodes.iter().flat_map(|n| n.annotations.iter().chain(&n.leading));
    for annotation in of_nodes {
        diagnostics.extend(open_key(annotation));
        let Some(known) = meant(annotation) else { continue };
        let written = annotation.base_key();
        let start = annotation.key_span.start;
        let end = start.saturating_add(u32::try_from(written.len()).unwrap_or(0));
        let span = Span { end, ..annotation.key_span };
        diagnostics.push(
            Diagnostic::at(Code::NC098, span, format!("`{written}` is no known key and has no effect"))
                .help(format!("did you mean `{known}`?"))
                .fix(format!("write `{known}`"), vec![Edit { span, text: known.to_owned() }]),
        );
    }
}

/// `%{builtin: add`: a key whose brace is not closed makes the annotation a text without any effect (NC013).
fn open_key(annotation: &Annotation) -> Option<Diagnostic> {
    let text = annotation.text();
    if annotation.kind != AnnotationKind::Text {
        return None;
    }
    let (known, rest): (&[&str], &str) = match (text.strip_prefix("%{"), text.strip_prefix("?{")) {
        (Some(rest), _) => (&REFERENTIAL, rest),
        (None, Some(rest)) => (&SYNTACTIC, rest),
        (None, None) => return None,
    };
    let (key, _) = rest.split_once(':')?;
    if !known.contains(&key) {
        return None;
    }
    let start = annotation.value_span.start + 1;
    let end = start + 1 + u32::try_from(key.len()).ok()?;
    let insert = Edit { span: Span { start: end, end, ..annotation.span }, text: "}".to_owned() };
    let brace = Span { start, end: start + 1, ..annotation.span };
    Some(
        Diagnostic::at(
            Code::NC013,
            brace,
            format!("the bracket of the key `{key}` is not closed, so it has no effect"),
        )
        .help(format!("write `{}{{{key}}}:`", text.get(..1).unwrap_or("%")))
        .fix("write `}`", vec![insert]),
    )
}

/// The known key that an unknown one is a slip of.
fn meant(annotation: &Annotation) -> Option<&'static str> {
    let known: &'static [&'static str] = match annotation.kind {
        AnnotationKind::Referential => &REFERENTIAL,
        AnnotationKind::Syntactic => &SYNTACTIC,
        _ => return None,
    };
    let written = annotation.base_key();
    if known.contains(&written) {
        return None;
    }
    let plain = simplified(written);
    if let Some(same) = known.iter().find(|k| **k == plain) {
        return Some(same);
    }
    if written.chars().count() < SHORTEST {
        return None;
    }
    let near = nearest(&plain, known.iter().copied())?;
    // Two edits in a short word make another word.
    let close = near.chars().count() >= 8 || differ_by_one(&plain, near);
    close.then_some(near)
}

/// Lower case, with `_` between words.
fn simplified(key: &str) -> String {
    key.trim().chars().map(|c| if matches!(c, ' ' | '-') { '_' } else { c.to_ascii_lowercase() }).collect()
}

/// One letter more, less or other, or two neighbours exchanged.
fn differ_by_one(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (short, long) = if a.len() <= b.len() { (&a, &b) } else { (&b, &a) };
    let head = short.iter().zip(long).take_while(|(x, y)| x == y).count();
    let tail =
        short.iter().skip(head).rev().zip(long.iter().skip(head).rev()).take_while(|(x, y)| x == y).count();
    let (left, right) = (short.len() - head - tail, long.len() - head - tail);
    let exchanged = left == 2
        && right == 2
        && short.get(head) == long.get(head + 1)
        && short.get(head + 1) == long.get(head);
    right <= 1 || exchanged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::FileId;
    use crate::syntax;

    #[test]
    fn keys_that_are_not_closed() {
        for (line, found) in [
            ("%{builtin: add", true),
            ("?{flow_index: 1.2", true),
            ("%{builtin}: add", false),
            ("%{something: add", false),
            ("builtin: add", false),
        ] {
            let text = format!("{{a}}\n    <- {{b}}\n        | {line}\n");
            let (tree, _) = syntax::parse(FileId(0), &text, None);
            let diagnostic = tree.nodes[1].annotations.iter().find_map(open_key);
            assert_eq!(diagnostic.is_some(), found, "{line}");
            if let Some(diagnostic) = diagnostic {
                let mended = crate::diag::mend(&text, FileId(0), &[diagnostic]).text;
                assert_eq!(mended, text.replace(": ", "}: "), "{line}");
            }
        }
    }

    #[test]
    fn near_keys_only() {
        for (line, expected) in [
            ("%{scirpt_location}: a.py", Some("script_location")),
            ("%{Script Location}: a.py", Some("script_location")),
            ("%{scriptlocation}: a.py", Some("script_location")),
            ("%{ref_axis}: [a]", Some("ref_axes")),
            ("%{ref_axes}: [a]", None),
            ("%{literl<$% file_path>}: a", Some("literal")),
            ("%{literal<$% file_path>}: a", None),
            ("%{efect}: once", Some("effect")),
            ("%{effcet}: once", Some("effect")),
            ("%{timeuot}: 3", Some("timeout")),
            ("%{my_own_key}: x", None),
            ("%{title}: x", None),
            ("%{part}: x", None),
            ("%{norm}: x", None),
            ("%{object}: x", None),
            ("?{flow_indx}: 1", Some("flow_index")),
            ("?{natural_langauge}: x", Some("natural_language")),
            ("?{question}: x", None),
        ] {
            let text = format!("{{a}}\n    <- {{b}}\n        | {line}\n");
            let (tree, _) = syntax::parse(FileId(0), &text, None);
            let annotation = tree.nodes[1].annotations.first().unwrap();
            assert_eq!(meant(annotation), expected, "{line}");
            let span = annotation.key_span;
            assert!(text[span.start as usize..].starts_with(annotation.base_key()), "{line}");
        }
    }
}
