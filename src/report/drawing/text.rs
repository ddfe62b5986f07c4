//! How wide a text is and where it breaks. Widths are those of a wide common typeface, so that a narrower one has
//! room to spare; a letter that takes two columns on a terminal is as wide as it is high.

use unicode_width::UnicodeWidthChar;

/// The widths of the characters from blank to tilde, in thousandths of the size of the type.
const ASCII: [u16; 95] = [
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636, 636,
    636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632, 575, 775, 752, 295,
    295, 656, 557, 863, 748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838,
    500, 500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612, 635, 635, 411, 521,
    392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
];

/// How much wider a text may come out than its letters.
const ROUNDING: f64 = 1.04;

/// The width of a character, for type of size 1.
fn advance(c: char) -> f64 {
    let ascii = u32::from(c).checked_sub(32).and_then(|at| ASCII.get(at as usize));
    match (ascii, c.width()) {
        (Some(width), _) => f64::from(*width) / 1000.0,
        (None, Some(0)) => 0.0,
        (None, Some(1)) => 0.72,
        (None, Some(_)) => 1.04,
        // Shown as a mark (see `shown`).
        (None, None) => 0.72,
    }
}

/// The width of a text in type of a size.
pub(super) fn width(text: &str, size: f64) -> f64 {
    // A little more, since small type is rounded to the dots of a screen.
    text.chars().map(advance).sum::<f64>() * size * ROUNDING
}

/// Blanks for line breaks and tabs, a mark for what cannot be shown.
pub(super) fn shown(text: &str) -> String {
    let clean = text.chars().map(|c| match c {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
        c if c.is_control() || is_direction(c) => '\u{fffd}',
        c => c,
    });
    let clean: String = clean.collect();
    clean.split(' ').filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Marks that turn the direction of the text around them or hide text, so that a name could pass for another.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Breaks a text into at most `most` lines no wider than `limit`. What does not fit ends in an ellipsis.
pub(super) fn wrap(text: &str, size: f64, limit: f64, most: usize) -> Vec<String> {
    let text = shown(text);
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    let mut line_width = 0.0;
    // Where the line may be broken, and how wide it is up to there.
    let mut breaks: Option<(usize, f64)> = None;
    for c in text.chars() {
        let wide = advance(c) * size * ROUNDING;
        while line_width + wide > limit && !line.is_empty() {
            let (at, before) = match breaks.take() {
                Some(place) if c != ' ' => place,
                _ => (line.len(), line_width),
            };
            let rest = line.split_off(at);
            lines.push(line.trim_end().to_owned());
            line = rest.trim_start().to_owned();
            line_width = if line.is_empty() { 0.0 } else { line_width - before };
            if lines.len() == most {
                let last = lines.pop().unwrap_or_default();
                lines.push(ellipsis(last, size, limit));
                return lines;
            }
        }
        if c == ' ' && line.is_empty() {
            continue;
        }
        line.push(c);
        line_width += wide;
        if matches!(c, ' ' | '-' | '_' | '/' | '.' | ',' | ';' | ':') || c.width() == Some(2) {
            breaks = Some((line.len(), line_width));
        }
    }
    if !line.trim().is_empty() {
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// A line that goes on somewhere else.
fn ellipsis(mut line: String, size: f64, limit: f64) -> String {
    while !line.is_empty() && width(&line, size) + width("…", size) > limit {
        line.pop();
    }
    line.truncate(line.trim_end().len());
    line + "…"
}

/// One line no wider than `limit`.
pub(super) fn cut(text: &str, size: f64, limit: f64) -> String {
    wrap(text, size, limit, 1).pop().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn breaks_at_blanks_and_between_wide_letters() {
        assert_eq!(wrap("one two three", 10.0, 50.0, 3), ["one two", "three"]);
        assert_eq!(wrap("数字数字数字", 10.0, 33.0, 3), ["数字数", "字数字"]);
        assert_eq!(wrap("a\nb\u{0}\u{202e}", 10.0, 100.0, 3), ["a b\u{fffd}\u{fffd}"]);
        assert_eq!(wrap("", 10.0, 100.0, 3), Vec::<String>::new());
    }

    #[test]
    fn what_does_not_fit_ends_in_an_ellipsis() {
        let lines = wrap("a name that goes on and on and on", 10.0, 60.0, 2);
        assert_eq!(lines.len(), 2);
        assert!(lines[1].ends_with('…'), "{lines:?}");
        assert!(cut(&"x".repeat(1000), 10.0, 60.0).ends_with('…'));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_line_is_wider_than_asked(text in ".{0,80}", limit in 20.0..200.0f64, most in 1usize..5) {
            let lines = wrap(&text, 12.0, limit, most);
            prop_assert!(lines.len() <= most);
            for line in &lines {
                prop_assert!(width(line, 12.0) <= limit + 1e-6, "{line:?}");
            }
        }
    }
}
