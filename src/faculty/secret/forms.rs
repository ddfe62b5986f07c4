//! The forms in which a secret can stand in a text, as one regular expression. Knows nothing of what is done with what
//! it finds.
//!
//! Every character may be written in its own way, so that texts inside of texts (a URL in JSON in JSON) are found too.

use std::fmt::Write as _;

/// The characters of base64, in their order; the last two have other forms in URLs.
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The expression that finds all forms of a secret.
pub(super) fn pattern_of(secret: &str) -> String {
    let mut forms = vec![plain(secret), hexadecimal(secret)];
    forms.extend((0..3).map(|before| base64(secret, before)));
    forms.join("|")
}

/// As it is, percent-encoded, with backslashes, as `\u0041` or as `&quot;`, each any number of times.
fn plain(secret: &str) -> String {
    let mut pattern = String::new();
    for byte in secret.bytes() {
        unit(&mut pattern, &[byte]);
    }
    pattern
}

/// As the digits of its bytes, in either case.
fn hexadecimal(secret: &str) -> String {
    let mut pattern = "(?i:".to_owned();
    for byte in secret.bytes() {
        let _ = write!(pattern, "{byte:02x}");
    }
    pattern.push(')');
    pattern
}

/// In base64 of a text that has `before` (modulo 3) bytes before it and any after it, such as `user:key`. The digits
/// at both ends that also depend on those bytes are taken along, whatever they are.
fn base64(secret: &str, before: usize) -> String {
    let bytes = [vec![0; before], secret.as_bytes().to_vec()].concat();
    let (first, end) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
    let mut pattern = String::new();
    let edge = "(?:[A-Za-z0-9+/_-])?";
    if before > 0 {
        pattern.push_str(edge);
    }
    for at in first..end {
        match digit(&bytes, at) {
            b'+' => unit(&mut pattern, b"+-"),
            b'/' => unit(&mut pattern, b"/_"),
            digit => pattern.push(char::from(digit)),
        }
    }
    if bytes.len() % 3 > 0 {
        pattern.push_str(edge);
    }
    pattern
}

/// The base64 digit at a place.
fn digit(bytes: &[u8], at: usize) -> u8 {
    let six = (0..6).fold(0, |six, bit| {
        let bit = at * 6 + bit;
        let byte = bytes.get(bit / 8).copied().unwrap_or(0);
        six << 1 | usize::from(byte >> (7 - bit % 8) & 1)
    });
    BASE64.get(six).copied().unwrap_or(b'=')
}

/// One character, all its forms; any of several.
fn unit(pattern: &mut String, alternatives: &[u8]) {
    pattern.push_str("(?:");
    for (number, byte) in alternatives.iter().enumerate() {
        if number > 0 {
            pattern.push('|');
        }
        let (high, low) = (nibble(byte >> 4), nibble(byte & 15));
        let own = regex::escape(char::from(*byte).encode_utf8(&mut [0; 4]));
        // A backslash is one or more: how many depends on how deep the text stands in others.
        let own = match byte {
            b'\\' => r"\\+".to_owned(),
            b'"' | b'\'' | b'/' => format!(r"\\*{own}"),
            _ => own,
        };
        let _ = write!(pattern, r"{own}|%(?:25)*{high}{low}|\\+u00{high}{low}");
        // As a page has it, or a page in a page.
        let _ = write!(pattern, r"|&(?:amp;)*(?:#0*{byte}|#[xX]0*{high}{low}{});", entity(*byte));
    }
    pattern.push(')');
}

/// The name that a character has in HTML, as one more alternative; nothing for those without.
fn entity(byte: u8) -> &'static str {
    match byte {
        b'"' => "|quot",
        b'\'' => "|apos",
        b'&' => "|amp",
        b'<' => "|lt",
        b'>' => "|gt",
        _ => "",
    }
}

/// A hexadecimal digit in either case.
fn nibble(value: u8) -> String {
    match char::from_digit(u32::from(value), 16) {
        Some(letter @ 'a'..='f') => format!("[{letter}{}]", letter.to_ascii_uppercase()),
        Some(digit) => digit.to_string(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    #[test]
    fn every_form_of_one_character() {
        let mut pattern = "^".to_owned();
        unit(&mut pattern, b"/");
        pattern.push('$');
        let regex = Regex::new(&pattern).unwrap();
        for form in ["/", "\\/", "\\\\/", "%2F", "%2f", "%252F", "%25252f", "\\u002f", "\\u002F", "\\\\u002f"]
        {
            assert!(regex.is_match(form), "{form}");
        }
        for form in ["&#47;", "&#047;", "&#x2f;", "&#X002F;", "&amp;#47;"] {
            assert!(regex.is_match(form), "{form}");
        }
        for other in ["", "\\", "%2", "u002f", "//", "%2F%2F", "&#47", "&#48;", "&quot;"] {
            assert!(!regex.is_match(other), "{other}");
        }
    }

    #[test]
    fn the_digits_of_base64() {
        let encode = |bytes: &[u8]| -> String {
            (0..bytes.len() * 8 / 6).map(|at| char::from(digit(bytes, at))).collect()
        };
        assert_eq!(encode(b"foobar"), "Zm9vYmFy");
        assert_eq!(encode(&[0xfb, 0xff, 0xbf]), "+/+/");
    }
}
