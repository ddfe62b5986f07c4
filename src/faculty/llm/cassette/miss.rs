//! A call that was not recorded: the nearest recording, and how the call differs from it. Knows no file.
//!
//! What is near is found by sketches of the words, so that a miss costs the length of its prompt and not that of all
//! recordings.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use similar::{DiffOp, TextDiff};

use super::record::{Call, Place, Record};
use crate::base::Digest;

/// So many hashes of words stand for a text.
const SKETCH: usize = 256;
/// So many lines are shown around a difference.
const CONTEXT: usize = 2;
/// So many lines of a difference are shown.
const LINES: usize = 40;
/// So many characters of a line are shown.
const WIDTH: usize = 160;
/// Finding the shortest difference of two hostile texts would take long; a longer one serves as well.
const PATIENCE: Duration = Duration::from_secs(1);

/// The smallest hashes of the words of a text, in order: two texts with the same words have the same sketch, and the
/// share of common hashes estimates the share of common words.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sketch(Vec<u64>);

impl Sketch {
    fn of(text: &str) -> Self {
        let mut hashes: Vec<u64> = words(text).map(hash).collect();
        hashes.sort_unstable();
        hashes.dedup();
        hashes.truncate(SKETCH);
        Self(hashes)
    }

    /// Thousandths of the words that both have.
    fn alike(&self, other: &Self) -> usize {
        let (mut left, mut right) = (self.0.iter().peekable(), other.0.iter().peekable());
        let (mut all, mut common) = (0, 0);
        while all < SKETCH {
            let order = match (left.peek(), right.peek()) {
                (None, None) => break,
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some(a), Some(b)) => a.cmp(b),
            };
            if order.is_le() {
                left.next();
            }
            if order.is_ge() {
                right.next();
            }
            common += usize::from(order.is_eq());
            all += 1;
        }
        (common * 1000).checked_div(all).unwrap_or(1000)
    }
}

/// Runs of letters and digits; of scripts without blanks, each character.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || c.is_ascii_punctuation()).flat_map(|word| {
        let (whole, single) = if word.is_ascii() { (Some(word), "") } else { (None, word) };
        let letters = single.char_indices().filter_map(move |(at, c)| single.get(at..at + c.len_utf8()));
        whole.filter(|w| !w.is_empty()).into_iter().chain(letters)
    })
}

/// FNV-1a, then mixed so that the smallest hashes are a fair sample.
fn hash(word: &str) -> u64 {
    let plain = word.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mixed = (plain ^ plain >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed ^ mixed >> 33
}

/// The sketches of all recordings.
#[derive(Debug, Clone)]
pub(super) struct Sketches(Vec<(Digest, Sketch)>);

impl Sketches {
    pub(super) fn of(records: &BTreeMap<Digest, Record>) -> Self {
        let sketch = |record: &Record| Sketch::of(&record.call.asked.request.prompt);
        Self(records.iter().map(|(key, record)| (*key, sketch(record))).collect())
    }

    /// The recording that is most like a call; of equal ones the first.
    pub(super) fn nearest<'r>(
        &self,
        records: &'r BTreeMap<Digest, Record>,
        call: &Call,
        place: &Place,
    ) -> Option<&'r Record> {
        let sketch = Sketch::of(&call.asked.request.prompt);
        let mut best: Option<(usize, &Record)> = None;
        for (key, other) in &self.0 {
            let Some(record) = records.get(key) else { continue };
            let nearness = sketch.alike(other) * 2 + likeness(record, call, place);
            if best.is_none_or(|(most, _)| nearness > most) {
                best = Some((nearness, record));
            }
        }
        best.map(|(_, record)| record)
    }
}

/// What else speaks for a recording: less than other words do, more than chance.
fn likeness(record: &Record, call: &Call, place: &Place) -> usize {
    let (old, new) = (&record.call.asked.request, &call.asked.request);
    let line = |step: &str| step.split('[').next().map(str::to_owned);
    let mut likeness = 0;
    let mut add = |holds: bool, weight: usize| likeness += if holds { weight } else { 0 };
    add(old.prompt == new.prompt, 1000);
    add(old.system == new.system, 60);
    add(line(&record.place.step) == line(&place.step), 300);
    add(record.place.step == place.step, 100);
    add(record.place.cell == place.cell, 20);
    add(record.call.occurrence == call.occurrence, 20);
    let same = record.call.settings().into_iter().zip(call.settings()).filter(|(a, b)| a == b).count();
    likeness + same
}

/// How a call differs from a recording, as a person reads it: both places, settings that differ, and the messages as a
/// unified diff, shortened.
pub(super) fn difference(record: &Record, call: &Call, place: &Place) -> String {
    let mut shown =
        format!("--- recorded: {}\n+++ asked:    {}\n", record.place.described(), place.described());
    for ((name, old), (_, new)) in record.call.settings().into_iter().zip(call.settings()) {
        if old != new {
            let _ = writeln!(shown, "-{name}: {}\n+{name}: {}", cut(&old, 0), cut(&new, 0));
        }
    }
    let (old, new) = (&record.call.asked.request, &call.asked.request);
    if old.system != new.system {
        shown.push_str("@@ system message @@\n");
        let empty = |text: &Option<_>| text.clone().unwrap_or_else(|| "".into());
        unified(&mut shown, &empty(&old.system), &empty(&new.system));
    }
    if old.prompt != new.prompt {
        shown.push_str("@@ prompt @@\n");
        unified(&mut shown, &old.prompt, &new.prompt);
    }
    shown
}

/// The differing lines of two texts with those around them.
fn unified(shown: &mut String, old: &str, new: &str) {
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(old, new);
    let (olds, news): (Vec<&str>, Vec<&str>) =
        (diff.iter_old_slices().collect(), diff.iter_new_slices().collect());
    let mut lines = Vec::new();
    for (number, hunk) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if number > 0 {
            lines.push("…".to_owned());
        }
        for op in hunk {
            let (before, after) =
                (olds.get(op.old_range()).unwrap_or_default(), news.get(op.new_range()).unwrap_or_default());
            if let DiffOp::Equal { .. } = op {
                lines.extend(before.iter().map(|line| format!(" {}", cut(line, 0))));
                continue;
            }
            // Two long lines are cut where they differ.
            let start = |at: usize| match (before.get(at), after.get(at)) {
                (Some(a), Some(b)) => a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count(),
                _ => 0,
            };
            lines.extend(before.iter().enumerate().map(|(at, line)| format!("-{}", cut(line, start(at)))));
            lines.extend(after.iter().enumerate().map(|(at, line)| format!("+{}", cut(line, start(at)))));
        }
        if lines.len() > LINES {
            break;
        }
    }
    let more = lines.len().saturating_sub(LINES);
    for line in lines.iter().take(LINES) {
        shown.push_str(line);
        shown.push('\n');
    }
    if more > 0 {
        shown.push_str("… and more lines\n");
    }
}

/// A line as it can be printed: control characters escaped, and when it is long, the part with the character `place`.
fn cut(line: &str, place: usize) -> String {
    let line = line.strip_suffix('\n').unwrap_or(line);
    let from = if place > WIDTH * 3 / 4 { place - WIDTH / 4 } else { 0 };
    let mut rest = line.chars().skip(from);
    let mut shown = if from > 0 { "…".to_owned() } else { String::new() };
    for c in rest.by_ref().take(WIDTH) {
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    if rest.next().is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::record::tests::record;
    use super::*;

    fn records(prompts: &[(&str, &str)]) -> BTreeMap<Digest, Record> {
        prompts
            .iter()
            .map(|(step, prompt)| {
                let mut record = record(prompt);
                record.place.step = Arc::from(*step);
                (record.call.key(), record)
            })
            .collect()
    }

    fn found(records: &BTreeMap<Digest, Record>, step: &str, prompt: &str) -> String {
        let place = Place { step: step.into(), cell: 0 };
        let nearest = Sketches::of(records).nearest(records, &record(prompt).call, &place);
        nearest.map_or(String::new(), |record| record.call.asked.request.prompt.to_string())
    }

    #[test]
    fn the_nearest_has_most_words_in_common_or_the_same_step() {
        let all = records(&[
            ("1.1", "summarise the report of the board in three words"),
            ("1.2", "translate the letter into French"),
            ("1.3[0]", "is 12 a prime"),
            ("1.3[1]", "is 13 a prime"),
            ("1.4", "日本語の文章を直す"),
        ]);
        for (step, prompt, expected) in [
            (
                "9.9",
                "summarise this report of the board in five words",
                "summarise the report of the board in three words",
            ),
            ("9.9", "translate a letter into French please", "translate the letter into French"),
            ("1.2", "write something new", "translate the letter into French"),
            ("1.3[1]", "is 14 a prime", "is 13 a prime"),
            ("9.9", "日本語の文を直す", "日本語の文章を直す"),
        ] {
            assert_eq!(found(&all, step, prompt), expected, "{prompt}");
        }
        assert_eq!(found(&BTreeMap::new(), "1", "x"), "");
    }

    #[test]
    fn a_difference_shows_places_settings_and_lines() {
        let old = record("first\nsecond\nthird\nfourth\n");
        let mut new = record("first\nsecond\nother\nfourth\n").call;
        new.asked.request.temperature = Some(0.0);
        let place = Place { step: "1.3".into(), cell: 2 };
        assert_eq!(
            difference(&old, &new, &place),
            "--- recorded: step 1.2, cell 1\n+++ asked:    step 1.3, cell 3\n-temperature: 0.5\n+temperature: 0\n\
             @@ prompt @@\n first\n second\n-third\n+other\n fourth\n"
        );
    }

    #[test]
    fn long_differences_are_cut_where_they_differ() {
        let long = "word ".repeat(1000);
        let (old, new) = (format!("{long}old\u{1b}[31m{long}"), format!("{long}new{long}"));
        let shown = difference(&record(&old), &record(&new).call, &record("").place);
        assert!(shown.contains("old\\u{1b}[31m") && shown.contains("new"), "{shown}");
        assert!(shown.lines().all(|line| line.chars().count() < 2 * WIDTH));
        let many: String = (0..5000).map(|n| format!("line {n}\n")).collect();
        let shown = difference(&record(&many), &record(&many.replace("line", "row")).call, &record("").place);
        assert!(shown.lines().count() < LINES + 6 && shown.ends_with("… and more lines\n"), "{shown}");
    }

    #[test]
    fn a_miss_among_many_long_recordings_is_found_fast() {
        let all: BTreeMap<Digest, Record> = (0..300)
            .map(|n| {
                let record = record(&format!("prompt number {n} {}", "some words of it ".repeat(200)));
                (record.call.key(), record)
            })
            .collect();
        let sketches = Sketches::of(&all);
        let call = record("prompt number 17 with some other words").call;
        for _ in 0..100 {
            assert!(sketches.nearest(&all, &call, &record("").place).is_some());
        }
    }
}
