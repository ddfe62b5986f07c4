//! Fixes put into a text: rounds of edits that do not touch each other.
//!
//! Knows nothing of how diagnostics are found: whoever asks says how the mended text is compiled again.

use crate::base::FileId;

use super::{Diagnostic, Edit, Fix};

/// A fix may make another one possible; more rounds than this mean that two undo each other.
const MOST_ROUNDS: usize = 64;

/// A text with fixes in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mended {
    /// The text with the fixes in it; nothing else differs, not even the ends of lines.
    pub text: String,
    /// The fixes that were put in.
    pub applied: usize,
    /// The fixes that were not in the last round, because they touch one that was; another round may take them.
    pub left: usize,
}

/// Puts the fixes of diagnostics of one file into its text. Of fixes that touch each other the first in the text is
/// taken, so the outcome does not depend on the order of the diagnostics. A fix is put in whole or not at all; one
/// that also edits another file, or does not fit the text, is not counted.
pub fn mend(text: &str, file: FileId, diagnostics: &[Diagnostic]) -> Mended {
    let mut fixes: Vec<Vec<&Edit>> =
        diagnostics.iter().filter_map(|d| fitting(text, file, d.fix.as_ref()?)).collect();
    fixes.sort_by(|a, b| order(a).cmp(&order(b)));
    // Two diagnostics may ask for the same edits; that is one fix.
    fixes.dedup_by(|a, b| order(a) == order(b));
    let all = fixes.len();
    let mut taken: Vec<&Edit> = Vec::new();
    let mut applied = 0;
    for fix in fixes {
        if fix.iter().all(|edit| is_free(&taken, edit)) {
            applied += 1;
            for edit in fix {
                let at = taken.partition_point(|t| t.span.start < edit.span.start);
                taken.insert(at, edit);
            }
        }
    }
    let mut mended = String::with_capacity(text.len());
    let mut done = 0;
    for edit in taken {
        mended.push_str(text.get(done..edit.span.start as usize).unwrap_or_default());
        mended.push_str(&edit.text);
        done = edit.span.end as usize;
    }
    mended.push_str(text.get(done..).unwrap_or_default());
    Mended { text: mended, applied, left: all - applied }
}

/// Puts fixes in, round after round, until none is left: those of `first`, which are the text's own, then those that
/// `again` finds in the text of the round before.
pub fn mend_all(
    text: &str,
    file: FileId,
    first: &[Diagnostic],
    mut again: impl FnMut(&str) -> Vec<Diagnostic>,
) -> Mended {
    let mut all = mend(text, file, first);
    let mut last = all.applied;
    for _ in 1..MOST_ROUNDS {
        if last == 0 {
            break;
        }
        let round = mend(&all.text, file, &again(&all.text));
        last = round.applied;
        all = Mended { text: round.text, applied: all.applied + last, left: round.left };
    }
    all
}

/// The edits of a fix in the order of the text; none when they are not all of this file, do not fit its text, touch
/// each other or change nothing.
fn fitting<'a>(text: &str, file: FileId, fix: &'a Fix) -> Option<Vec<&'a Edit>> {
    let mut edits: Vec<&Edit> = fix.edits.iter().collect();
    edits.sort_by_key(|e| (e.span.start, e.span.end));
    let mut changes = false;
    for edit in &edits {
        let old = text.get(edit.span.start as usize..edit.span.end as usize)?;
        if edit.span.file != file {
            return None;
        }
        changes |= old != edit.text;
    }
    let apart = edits.windows(2).all(|pair| match pair {
        [a, b] => a.span.end < b.span.start || (a.span.end == b.span.start && a.span.start < b.span.start),
        _ => true,
    });
    (changes && apart).then_some(edits)
}

fn order<'a>(fix: &[&'a Edit]) -> Vec<(u32, u32, &'a str)> {
    fix.iter().map(|e| (e.span.start, e.span.end, e.text.as_str())).collect()
}

/// Returns whether an edit touches none of the taken ones, which stand in the order of the text. Two that only meet
/// are kept apart too when one of them inserts: their order would be a guess.
fn is_free(taken: &[&Edit], edit: &Edit) -> bool {
    let meets = |other: &Edit| {
        let (a, b) = (edit.span, other.span);
        if a.is_empty() || b.is_empty() {
            a.start <= b.end && b.start <= a.end
        } else {
            a.start < b.end && b.start < a.end
        }
    };
    let at = taken.partition_point(|t| t.span.start < edit.span.start);
    // Taken edits do not touch each other, so only the neighbours can be in the way.
    let before = at.checked_sub(1).and_then(|i| taken.get(i));
    let (here, next) = (taken.get(at), taken.get(at + 1));
    ![before, here, next].into_iter().flatten().any(|t| meets(t))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::Span;
    use crate::diag::Code;

    fn diagnostic(edits: &[(usize, usize, &str)]) -> Diagnostic {
        let edit = |(from, to, text): &(usize, usize, &str)| Edit {
            span: Span::new(FileId(0), *from, *to),
            text: (*text).to_owned(),
        };
        Diagnostic::new(Code::NC049, "x").fix("x", edits.iter().map(edit).collect())
    }

    fn mended(text: &str, fixes: &[&[(usize, usize, &str)]]) -> (String, usize, usize) {
        let diagnostics: Vec<Diagnostic> = fixes.iter().map(|edits| diagnostic(edits)).collect();
        let forward = mend(text, FileId(0), &diagnostics);
        let back: Vec<Diagnostic> = diagnostics.into_iter().rev().collect();
        assert_eq!(mend(text, FileId(0), &back), forward, "the order of the diagnostics does not matter");
        (forward.text, forward.applied, forward.left)
    }

    #[test]
    fn fixes_that_do_not_touch_are_put_in_together() {
        for (fixes, expected) in [
            (&[&[(0, 1, "A")][..], &[(1, 2, "B")]][..], ("ABc\r\n", 2, 0)),
            (&[&[(0, 2, "A")], &[(1, 3, "B")]], ("Ac\r\n", 1, 1)),
            (&[&[(1, 1, "x")], &[(1, 1, "y")]], ("axbc\r\n", 1, 1)),
            (&[&[(1, 1, "x")], &[(1, 1, "x")]], ("axbc\r\n", 1, 0)),
            (&[&[(1, 2, "")], &[(2, 2, "x")]], ("ac\r\n", 1, 1)),
            (&[&[(0, 1, "A"), (2, 3, "C")], &[(1, 2, "B")]], ("ABC\r\n", 2, 0)),
            (&[&[(0, 0, "x"), (2, 3, "C")], &[(2, 2, "y")]], ("xabC\r\n", 1, 1)),
            (&[&[(0, 1, "a")]], ("abc\r\n", 0, 0)),
            (&[&[(0, 2, "A"), (1, 3, "B")]], ("abc\r\n", 0, 0)),
            (&[&[(4, 9, "A")]], ("abc\r\n", 0, 0)),
        ] {
            let (text, applied, left) = mended("abc\r\n", fixes);
            assert_eq!((text.as_str(), applied, left), expected, "{fixes:?}");
        }
    }

    #[test]
    fn edits_of_other_files_and_within_characters_are_left_alone() {
        assert_eq!(mended("数a", &[&[(1, 3, "x")]]), ("数a".to_owned(), 0, 0));
        let mut other = diagnostic(&[(0, 3, "x")]);
        other.fix.as_mut().unwrap().edits[0].span.file = FileId(7);
        assert_eq!(mend("数a", FileId(0), &[other]).applied, 0);
    }

    #[test]
    fn rounds_go_on_until_nothing_is_left_and_end_where_fixes_undo_each_other() {
        let first = |text: &str| match text.find('a') {
            Some(at) => vec![diagnostic(&[(at, at + 1, "b")])],
            None => Vec::new(),
        };
        let all = mend_all("aca", FileId(0), &first("aca"), first);
        assert_eq!((all.text.as_str(), all.applied, all.left), ("bcb", 2, 0));
        assert_eq!(mend_all("c", FileId(0), &[], |_| vec![diagnostic(&[(0, 1, "x")])]).applied, 0);
        let turned = |text: &str| vec![diagnostic(&[(0, 1, if text == "a" { "b" } else { "a" })])];
        assert_eq!(mend_all("a", FileId(0), &turned("a"), turned).applied, MOST_ROUNDS);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Every fix is put in or left, and the text outside the edits put in is the old one.
        #[test]
        fn what_no_fix_touches_stays(
            text in "[a-c数]{0,24}",
            spans in proptest::collection::vec((0usize..30, 0usize..5, "[X-Z]{0,2}"), 0..8),
        ) {
            let all: Vec<[(usize, usize, &str); 1]> =
                spans.iter().map(|(from, length, new)| [(*from, from + length, new.as_str())]).collect();
            let fixes: Vec<&[(usize, usize, &str)]> = all.iter().map(|f| f.as_slice()).collect();
            let (out, applied, left) = mended(&text, &fixes);
            prop_assert!(applied + left <= spans.len());
            let touched = |at: usize| spans.iter().any(|(from, length, _)| *from <= at && at < from + length);
            let kept: String = text.char_indices().filter(|(at, _)| !touched(*at)).map(|(_, c)| c).collect();
            // What is kept is found again in order.
            let mut rest = out.chars();
            for c in kept.chars() {
                prop_assert!(rest.any(|o| o == c), "{text} -> {out}");
            }
        }
    }
}
