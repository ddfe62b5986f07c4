//! Pairs the brackets of a text, in one pass and bounded memory, before any grammar sees it.
//!
//! Only `()`, `[]` and `{}` count; angle brackets appear in names (language spec, sections 2.4 and 3.1).

use std::borrow::Cow;

/// Deeper nesting is not read: no plan comes near it, and rules over brackets are recursive.
pub(super) const MAX_DEPTH: usize = 64;

/// What stands in a masked text for the ordinary characters that the mask itself uses.
const PLAIN: u8 = 7;

/// A running count of open brackets. A closer takes the nearest opener of its type; openers between them have no
/// partner, and neither has a closer without an opener.
#[derive(Debug, Clone, Default)]
pub(super) struct Brackets {
    stack: Vec<(u8, usize)>,
    counts: [usize; 3],
    deepest: usize,
}

fn class(byte: u8) -> Option<(usize, bool)> {
    match byte {
        b'(' => Some((0, true)),
        b'[' => Some((1, true)),
        b'{' => Some((2, true)),
        b')' => Some((0, false)),
        b']' => Some((1, false)),
        b'}' => Some((2, false)),
        _ => None,
    }
}

impl Brackets {
    /// Takes the byte at `at` in; `alone` is told of the brackets that turn out to have no partner.
    pub(super) fn feed(&mut self, byte: u8, at: usize, mut alone: impl FnMut(usize)) {
        let Some((which, opens)) = class(byte) else { return };
        let Some(count) = self.counts.get_mut(which) else { return };
        if opens {
            *count += 1;
            self.stack.push((byte, at));
            self.deepest = self.deepest.max(self.stack.len());
            return;
        }
        if *count == 0 {
            return alone(at);
        }
        while let Some((opener, place)) = self.stack.pop() {
            let open = class(opener).map_or(0, |c| c.0);
            if let Some(count) = self.counts.get_mut(open) {
                *count -= 1;
            }
            if open == which {
                return;
            }
            alone(place);
        }
    }

    /// Returns whether nothing is open.
    pub(super) fn closed(&self) -> bool {
        self.stack.is_empty()
    }
}

/// A text in which every bracket has a partner, of the same length.
#[derive(Debug)]
pub(super) struct Masked<'a> {
    /// The text; brackets without a partner are control characters.
    pub(super) text: Cow<'a, str>,
    /// Places of openers without a partner, ascending.
    pub(super) unclosed: Vec<usize>,
    /// Nested deeper than [`MAX_DEPTH`].
    pub(super) too_deep: bool,
}

/// Masks the brackets of a text that have no partner.
pub(super) fn mask(text: &str) -> Masked<'_> {
    let mut brackets = Brackets::default();
    let mut lonely = Vec::new();
    let mut clash = false;
    for (at, byte) in text.bytes().enumerate() {
        clash |= (1..=6).contains(&byte);
        brackets.feed(byte, at, |place| lonely.push(place));
    }
    lonely.extend(brackets.stack.iter().map(|(_, at)| *at));
    if lonely.is_empty() && !clash {
        let too_deep = brackets.deepest > MAX_DEPTH;
        return Masked { text: Cow::Borrowed(text), unclosed: Vec::new(), too_deep };
    }
    let mut bytes = text.as_bytes().to_vec();
    for byte in &mut bytes {
        if (1..=6).contains(byte) {
            *byte = PLAIN;
        }
    }
    let mut unclosed = Vec::new();
    for at in lonely {
        let Some(byte) = bytes.get_mut(at) else { continue };
        let sign = match *byte {
            b'(' => 1,
            b'[' => 2,
            b'{' => 3,
            b')' => 4,
            b']' => 5,
            _ => 6,
        };
        if sign <= 3 {
            unclosed.push(at);
        }
        *byte = sign;
    }
    unclosed.sort_unstable();
    // Only ASCII bytes were exchanged for ASCII bytes, so the text stays UTF-8.
    let text = String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned);
    // Only pairs nest: brackets without a partner are gone now.
    let mut pairs = Brackets::default();
    text.bytes().enumerate().for_each(|(at, byte)| pairs.feed(byte, at, |_| {}));
    let too_deep = pairs.deepest > MAX_DEPTH;
    Masked { text, unclosed, too_deep }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_without_partner_are_masked() {
        for (text, masked, unclosed) in [
            ("({a})", "({a})", vec![]),
            ("({a}))", "({a})\u{4}", vec![]),
            ("([{a})", "(\u{2}{a})", vec![1]),
            ("({a", "\u{1}\u{3}a", vec![0, 1]),
            (")(", "\u{4}\u{1}", vec![1]),
            ("\u{1}", "\u{7}", vec![]),
        ] {
            let result = mask(text);
            assert_eq!((result.text.as_ref(), result.unclosed), (masked, unclosed), "{text}");
        }
    }

    #[test]
    fn hostile_brackets_take_linear_time() {
        let text = "([{".repeat(200_000) + &"]".repeat(400_000);
        assert!(mask(&text).too_deep);
        let open = "(".repeat(1_000_000);
        let masked = mask(&open);
        assert_eq!((masked.unclosed.len(), masked.too_deep), (1_000_000, false));
    }
}
