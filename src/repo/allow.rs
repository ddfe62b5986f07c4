//! What a plan allows: `# normc: allow NC035, NC046` in a comment before its first concept line silences these codes.
//!
//! Errors cannot be allowed: a plan with one does not mean anything that could be run.

use std::collections::BTreeSet;

use crate::base::Span;
use crate::diag::{Code, Diagnostic, Severity};
use crate::syntax::{Annotation, AnnotationKind, Tree};

/// The codes a plan allows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    codes: BTreeSet<Code>,
}

impl Allowed {
    /// Returns whether a diagnostic is not to be shown.
    pub fn silences(&self, diagnostic: &Diagnostic) -> bool {
        !diagnostic.is_error() && self.codes.contains(&diagnostic.code)
    }

    /// Allows one more code.
    pub fn insert(&mut self, code: Code) {
        self.codes.insert(code);
    }
}

/// The words that make a comment speak to the compiler.
const SIGN: &str = "normc:";

/// Reads the comments of a plan; what they say and cannot be followed is reported (NC022).
pub(super) fn read(tree: &Tree, diagnostics: &mut Vec<Diagnostic>) -> Allowed {
    let mut allowed = Allowed::default();
    let first = tree.nodes.first();
    let before = first.map_or(&tree.trailing, |n| &n.leading);
    for comment in before.iter().filter_map(directive) {
        follow(comment, &mut allowed, diagnostics);
    }
    let later = tree.nodes.iter().flat_map(|n| &n.annotations);
    let leading = tree.nodes.iter().skip(1).flat_map(|n| &n.leading);
    let trailing = first.iter().flat_map(|_| &tree.trailing);
    for (_, place) in later.chain(leading).chain(trailing).filter_map(directive) {
        diagnostics.push(
            Diagnostic::at(Code::NC022, place, "the comment allows nothing here")
                .help("write it before the first line of the plan"),
        );
    }
    allowed
}

/// What stands behind `normc:`, with the place of the comment's text.
fn directive(comment: &Annotation) -> Option<(&str, Span)> {
    let plain = comment.kind == AnnotationKind::Comment;
    let words = comment.text().strip_prefix(SIGN).filter(|_| plain)?;
    Some((words, comment.value_span))
}

fn follow((words, place): (&str, Span), allowed: &mut Allowed, diagnostics: &mut Vec<Diagnostic>) {
    let mut rest = SIGN.len();
    let mut pieces = words.split([' ', '\t', ',']).filter_map(|word| {
        let at = rest;
        rest += word.len() + 1;
        let start = place.start + u32::try_from(at).ok()?;
        let span = Span { start, end: start + u32::try_from(word.len()).ok()?, ..place };
        (!word.is_empty()).then_some((word, span))
    });
    let mut not = |span, message: String, help: String| {
        diagnostics.push(Diagnostic::at(Code::NC022, span, message).help(help));
    };
    match pieces.next() {
        Some(("allow", _)) => {}
        Some((word, span)) => {
            return not(
                span,
                format!("`{word}` is nothing to ask for"),
                "write `# normc: allow NC035`".to_owned(),
            );
        }
        None => {
            return not(place, "nothing is asked for".to_owned(), "write `# normc: allow NC035`".to_owned());
        }
    }
    let mut some = false;
    for (word, span) in pieces {
        some = true;
        match Code::parse(word) {
            Some(code) if code.severity() == Severity::Error => {
                not(
                    span,
                    format!("`{code}` is an error and cannot be allowed"),
                    "mend what it reports".to_owned(),
                );
            }
            Some(code) => allowed.insert(code),
            None => {
                let help = match near(word) {
                    Some(code) => format!("did you mean `{code}`?"),
                    None => "`normc check` shows the code of every diagnostic".to_owned(),
                };
                not(span, format!("there is no code `{word}`"), help);
            }
        }
    }
    if !some {
        not(place, "no code is allowed".to_owned(), "write which: `# normc: allow NC035`".to_owned());
    }
}

/// The code whose number is in a word: codes are so alike that any other guess would be arbitrary.
fn near(word: &str) -> Option<Code> {
    let digits: String = word.replace(['O', 'o'], "0").chars().filter(char::is_ascii_digit).collect();
    let number: u32 = digits.parse().ok()?;
    Code::parse(&format!("NC{number:03}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::FileId;
    use crate::syntax;

    fn read_text(text: &str) -> (Allowed, Vec<String>) {
        let (tree, _) = syntax::parse(FileId(0), text, None);
        let mut diagnostics = Vec::new();
        let allowed = read(&tree, &mut diagnostics);
        let shown = diagnostics
            .iter()
            .map(|d| {
                let span = d.primary.as_ref().unwrap().span;
                format!("{}: {}", &text[span.start as usize..span.end as usize], d.message)
            })
            .collect();
        (allowed, shown)
    }

    #[test]
    fn codes_are_allowed_before_the_first_line() {
        let (allowed, problems) =
            read_text("# a plan\n# normc: allow NC035,nc046 NC058\n// normc: allow NC010\n:<:({a})\n");
        assert_eq!(problems, Vec::<String>::new());
        for code in [Code::NC035, Code::NC046, Code::NC058, Code::NC010] {
            assert!(allowed.silences(&Diagnostic::new(code, "x")), "{code}");
            assert!(!allowed.silences(&Diagnostic::new(code, "x").severity(Severity::Error)), "{code}");
        }
        assert!(!allowed.silences(&Diagnostic::new(Code::NC036, "x")));
    }

    #[test]
    fn what_cannot_be_followed_is_reported() {
        for (text, expected) in [
            ("# normc: allow NC081\n{a}\n", "NC081: `NC081` is an error and cannot be allowed"),
            ("# normc: allow NC999\n{a}\n", "NC999: there is no code `NC999`"),
            ("# normc: alow NC035\n{a}\n", "alow: `alow` is nothing to ask for"),
            ("# normc:\n{a}\n", "normc:: nothing is asked for"),
            ("# normc: allow\n{a}\n", "normc: allow: no code is allowed"),
            (
                "{a}\n# normc: allow NC035\n    <= $.({b})\n",
                "normc: allow NC035: the comment allows nothing here",
            ),
            ("# normc: allow  数字\n", "数字: there is no code `数字`"),
        ] {
            assert_eq!(read_text(text).1, [expected], "{text}");
        }
        assert_eq!(near("NC35"), Some(Code::NC035));
        assert_eq!(near("NCO35"), Some(Code::NC035));
        assert_eq!(near("NC35O"), None);
        assert_eq!(near("unused"), None);
    }
}
