//! Money: exact sums without floating point, what a try costs, and how amounts are written (semantics spec,
//! section 14.1). Knows no currency: that is a word of the configuration.

use std::fmt;
use std::ops::AddAssign;

use super::request::Price;
use crate::faculty::failure::shorten;
use crate::faculty::{Failure, FailureKind};

/// Digits after the point in what a person writes and reads: millionths.
const DIGITS: usize = 6;

/// Millionths of a unit.
const MICROS: u64 = 1_000_000;

/// An amount of money in 10^-12 units. A price in millionths for a million tokens is a whole number of them a token,
/// so sums are exact and do not depend on their order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(u128);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many millionths of a unit.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros as u128 * MICROS as u128)
    }

    /// Millionths of a unit, a begun one counted whole.
    pub fn micros(self) -> u64 {
        u64::try_from(self.0.div_ceil(u128::from(MICROS))).unwrap_or(u64::MAX)
    }

    /// The exact number of 10^-12 units.
    pub const fn picos(self) -> u128 {
        self.0
    }

    /// So many 10^-12 units.
    pub const fn from_picos(picos: u128) -> Self {
        Self(picos)
    }

    /// The sum; amounts beyond all measure stay at the greatest one.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left; nothing when `other` is more.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        *self = self.plus(other);
    }
}

/// As a person reads it: two to six digits after the point, a begun millionth counted whole.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.div_ceil(u128::from(MICROS));
        let part = format!("{:06}", micros % u128::from(MICROS));
        let digits = part.trim_end_matches('0').len().max(2);
        write!(f, "{}.{}", micros / u128::from(MICROS), part.get(..digits).unwrap_or(&part))
    }
}

impl Price {
    /// What so many tokens cost.
    pub fn cost(&self, prompt_tokens: u64, completion_tokens: u64) -> Money {
        let input = u128::from(self.input) * u128::from(prompt_tokens);
        let output = u128::from(self.output) * u128::from(completion_tokens);
        Money(input.saturating_add(output))
    }
}

/// Reads an amount as it is written on the command line: `0.50`, `3`, `1_000.25`; in millionths.
///
/// # Errors
/// `bad_arguments` for anything that is no such number, with what to write.
pub fn parse_cost(text: &str) -> Result<u64, Failure> {
    let bad = |what: &str, help: &str| {
        let message = format!("`{}` is no amount of money: {what}", shorten(text));
        Err(Failure::new(FailureKind::BadArguments, message).with_help(help))
    };
    let example = "write a number such as `0.50`";
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return bad("it is empty", example);
    }
    if trimmed.starts_with('-') {
        return bad("it is less than nothing", "write `0` to allow only calls that cost nothing");
    }
    if let [whole, part] = trimmed.split(',').collect::<Vec<_>>()[..]
        && part.len() != 3
        && [whole, part].iter().all(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
    {
        return bad("it has a comma", &format!("write `{whole}.{part}`"));
    }
    let wrong = |c: char| !(c.is_ascii_digit() || c == '.' || c == '_');
    if let Some(odd) = trimmed.chars().find(|c| wrong(*c)) {
        // Only a word or sign of a currency may be left out of what was written, nothing that changes its value.
        let number = trimmed.trim_matches(|c: char| !(c.is_ascii_digit() || c == '.'));
        let around = trimmed.replacen(number, "", 1);
        let letters: String = around.chars().filter(|c| c.is_alphabetic()).collect();
        let is_number = number.bytes().any(|b| b.is_ascii_digit())
            && !number.contains(wrong)
            && number.matches('.').count() < 2
            && (letters.is_empty() || letters.len() == 3 && letters.bytes().all(|b| b.is_ascii_uppercase()))
            && !around.contains(|c: char| c.is_numeric() || matches!(c, '-' | ',' | '.' | '%'));
        let help =
            if is_number { format!("write `{number}`, without a currency") } else { example.to_owned() };
        return bad(&format!("`{}` is not part of one", odd.escape_debug()), &help);
    }
    let digits = trimmed.replace('_', "");
    let (whole, part) = digits.split_once('.').unwrap_or((&digits, ""));
    if whole.is_empty() && part.is_empty() || part.contains('.') {
        return bad("one point, with digits", example);
    }
    let part = part.trim_end_matches('0');
    if part.len() > DIGITS {
        return bad("it has more than six digits after the point", "the smallest amount is `0.000001`");
    }
    let number = |digits: &str| if digits.is_empty() { Some(0) } else { digits.parse::<u64>().ok() };
    let micros = || number(whole)?.checked_mul(MICROS)?.checked_add(number(&format!("{part:0<DIGITS$}"))?);
    match micros() {
        Some(micros) => Ok(micros),
        None => bad("it is too large", "leave the limit out when there is none"),
    }
}

/// Reads a number of tokens as it is written on the command line: `200000`, `200_000`, `200k`, `2M`.
///
/// # Errors
/// `bad_arguments` for anything else.
pub fn parse_tokens(text: &str) -> Result<u64, Failure> {
    let trimmed = text.trim();
    let (digits, unit) = match trimmed.strip_suffix(['k', 'K']) {
        Some(digits) => (digits, 1000),
        None => trimmed.strip_suffix(['m', 'M']).map_or((trimmed, 1), |digits| (digits, 1_000_000)),
    };
    let plain = digits.replace('_', "");
    let number = if plain.bytes().all(|b| b.is_ascii_digit()) { plain.parse::<u64>().ok() } else { None };
    number.and_then(|number| number.checked_mul(unit)).ok_or_else(|| {
        let message = format!("`{}` is no number of tokens", shorten(text));
        Failure::new(FailureKind::BadArguments, message)
            .with_help("write a whole number such as `200000`, `200_000` or `200k`")
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_are_read() {
        for (text, micros) in [
            ("0.50", 500_000),
            ("0", 0),
            ("3", 3_000_000),
            (" 1_000.25 ", 1_000_250_000),
            (".5", 500_000),
            ("5.", 5_000_000),
            ("0.000001", 1),
            ("0.1000000000", 100_000),
            ("18446744073709.551615", u64::MAX),
        ] {
            assert_eq!(parse_cost(text), Ok(micros), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_told_so() {
        for (text, help) in [
            ("", "`0.50`"),
            ("  ", "`0.50`"),
            (".", "`0.50`"),
            ("1.2.3", "`0.50`"),
            ("-1", "`0`"),
            ("$0.50", "`0.50`, without a currency"),
            ("0.50 EUR", "`0.50`, without a currency"),
            ("0,50", "`0.50`"),
            ("12,5", "`12.5`"),
            ("1,000", "`0.50`"),
            ("1e3", "`0.50`"),
            ("five", "`0.50`"),
            ("０.5", "`0.50`"),
            ("$.5", "`.5`, without a currency"),
            ("$-5", "`0.50`"),
            ("50%", "`0.50`"),
            ("5k", "`0.50`"),
            ("USD 5", "`5`, without a currency"),
            ("1.2.3 EUR", "`0.50`"),
            ("$", "`0.50`"),
            ("0.50€", "`0.50`, without a currency"),
            ("0.0000001", "`0.000001`"),
            ("18446744073709.551616", "leave the limit out"),
            ("99999999999999999999999", "leave the limit out"),
        ] {
            let failure = parse_cost(text).unwrap_err();
            assert_eq!(failure.kind, FailureKind::BadArguments);
            assert!(failure.help.as_deref().unwrap_or("").contains(help), "{text}: {failure:?}");
        }
        assert!(parse_cost(&"9".repeat(1 << 20)).unwrap_err().message.len() < 1000);
    }

    #[test]
    fn tokens_are_read() {
        for (text, tokens) in [("0", 0), ("200_000", 200_000), ("200k", 200_000), ("2M", 2_000_000)] {
            assert_eq!(parse_tokens(text), Ok(tokens), "{text}");
        }
        for text in ["", "k", "1.5k", "-1", "many", "99999999999999999999", "99999999999999999M"] {
            assert!(parse_tokens(text).unwrap_err().help.is_some(), "{text}");
        }
    }

    #[test]
    fn amounts_are_written_with_two_digits_or_as_many_as_they_need() {
        for (picos, text) in [
            (0, "0.00"),
            (12_300_000_000, "0.0123"),
            (500_000_000_000, "0.50"),
            (1, "0.000001"),
            (1_000_000_000_001, "1.000001"),
            (12_000_000_000_000, "12.00"),
        ] {
            assert_eq!(Money::from_picos(picos).to_string(), text);
        }
    }

    #[test]
    fn a_try_costs_its_tokens() {
        let price = Price { input: 150_000, output: 600_000 };
        assert_eq!(price.cost(1_000_000, 0).micros(), 150_000);
        assert_eq!(price.cost(1, 0).picos(), 150_000);
        assert_eq!(price.cost(3, 2).picos(), 1_650_000);
        assert_eq!(Price { input: u64::MAX, output: u64::MAX }.cost(u64::MAX, u64::MAX).micros(), u64::MAX);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_written_is_read_again(micros in 0..u64::MAX / 2) {
            prop_assert_eq!(parse_cost(&Money::from_micros(micros).to_string()), Ok(micros));
        }
    }
}
