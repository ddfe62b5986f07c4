//! A new text as few changes of the old one, so that an editor keeps its cursor and marks.

use similar::{DiffOp, TextDiff};

use crate::base::{FileId, Span};
use crate::diag::Edit;

/// The edits that turn `old` into `new`, whole lines each, in the order of the text.
pub fn changes(file: FileId, old: &str, new: &str) -> Vec<Edit> {
    let starts = |text: &str| {
        let mut at = 0;
        let mut starts = vec![0];
        starts.extend(text.split_inclusive('\n').map(|line| {
            at += line.len();
            at
        }));
        starts
    };
    let (old_starts, new_starts) = (starts(old), starts(new));
    let place = |starts: &[usize], line: usize| starts.get(line).or(starts.last()).copied().unwrap_or(0);
    let old_lines: Vec<&str> = old.split_inclusive('\n').collect();
    let new_lines: Vec<&str> = new.split_inclusive('\n').collect();
    let diff = TextDiff::from_slices(&old_lines, &new_lines);
    let changed = |op: &DiffOp| !matches!(op, DiffOp::Equal { .. });
    let edit = |op: &DiffOp| {
        let (before, after) = (op.old_range(), op.new_range());
        let (start, end) = (place(&old_starts, before.start), place(&old_starts, before.end));
        let text =
            new.get(place(&new_starts, after.start)..place(&new_starts, after.end)).unwrap_or_default();
        Edit { span: Span::new(file, start, end), text: text.to_owned() }
    };
    diff.ops().iter().filter(|op| changed(op)).map(edit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn apply(old: &str, edits: &[Edit]) -> String {
        let mut text = old.to_owned();
        for edit in edits.iter().rev() {
            text.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.text);
        }
        text
    }

    #[test]
    fn only_changed_lines_are_touched() {
        let edits = changes(FileId(0), "a\nb\nc\n", "a\nB\nc\n");
        assert_eq!(edits, [Edit { span: Span::new(FileId(0), 2, 4), text: "B\n".to_owned() }]);
        assert_eq!(changes(FileId(0), "a\n", "a\n"), []);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn the_edits_make_the_new_text(old in "[ab\n数]{0,30}", new in "[ab\n数]{0,30}") {
            prop_assert_eq!(apply(&old, &changes(FileId(0), &old, &new)), new);
        }
    }
}
