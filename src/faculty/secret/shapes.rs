//! Shapes in which keys that nobody told us stand in other programs' texts: a header echoed by a server, the name and
//! password of an address. Knows no secrets.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// What stands where a secret stood.
pub const REDACTED: &str = "[redacted]";

/// What follows one of these is a credential when it looks like one; it is the group `key`.
static SHAPES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let word = r#"(?P<key>[^\s"'\\,;<>(){}\[\]]{8,})"#;
    let joint = r#"\\*["']?\s*[:=]\s*\\*["']?"#;
    let token = r"[A-Za-z0-9_*.-]{12,}";
    let pattern = format!(
        "(?i)(?:(?:authorization{joint}(?:(?:bearer|basic|token|apikey|digest)\\s+)?\
         |\\b(?:bearer|basic)\\s+\
         |api[-_ ]?key(?:\\s+provided)?{joint}\
         |\\b(?:access|auth|secret)[-_ ]?(?:token|key){joint}){word}\
         |\\b(?P<token>(?:sk|pk|rk|gsk|xai|hf|ghp|gho|glpat)[-_]{token})\
         |\\b[a-z][a-z0-9+.-]*://[^\\s/:@\"']*:(?P<password>[^\\s/@\"']+)@)"
    );
    Regex::new(&pattern).ok()
});

/// Takes out what looks like a credential.
pub(super) fn without_credentials(text: &str) -> Cow<'_, str> {
    let Some(shapes) = SHAPES.as_ref() else { return Cow::Borrowed(text) };
    let mut clean = String::new();
    let mut done = 0;
    for found in shapes.captures_iter(text) {
        let guessed = found.name("key").or(found.name("token")).filter(|word| is_credential(word.as_str()));
        let Some(word) = guessed.or(found.name("password")) else { continue };
        if word.as_str().contains(REDACTED) {
            continue;
        }
        clean.push_str(text.get(done..word.start()).unwrap_or(""));
        clean.push_str(REDACTED);
        done = word.end();
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    clean.push_str(text.get(done..).unwrap_or(""));
    Cow::Owned(clean)
}

/// A word of a sentence ("bearer authentication failed") has no digit and is short.
fn is_credential(word: &str) -> bool {
    word.len() >= 20 || word.bytes().any(|b| b.is_ascii_digit() || b == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_go_and_sentences_stay() {
        for (text, expected) in [
            ("Authorization: Bearer sk-or-v1-77aa\r\nHost: x", "Authorization: Bearer [redacted]\r\nHost: x"),
            ("authorization: Basic dXNlcjpwYXNz0", "authorization: Basic [redacted]"),
            ("{\"authorization\": \"Bearer abcdef0123\"}", "{\"authorization\": \"Bearer [redacted]\"}"),
            (
                "{\\\"Authorization\\\": \\\"Bearer abcdef0123\\\"}",
                "{\\\"Authorization\\\": \\\"Bearer [redacted]\\\"}",
            ),
            ("x-api-key=abcdef0123&x=1", "x-api-key=[redacted]"),
            ("Incorrect API key provided: sk-12345678***wxyz.", "Incorrect API key provided: [redacted]"),
            ("bad token sk-proj-abcdefgh1234 used", "bad token [redacted] used"),
            ("cannot reach http://me:pass@host:80/v1", "cannot reach http://me:[redacted]@host:80/v1"),
            ("a bearer authentication failed", "a bearer authentication failed"),
            ("authorization: required", "authorization: required"),
            ("the authorization header is missing", "the authorization header is missing"),
            ("http://host:8080/v1/chat", "http://host:8080/v1/chat"),
            ("see sk-learn for risk-averse-people", "see sk-learn for risk-averse-people"),
            ("", ""),
        ] {
            assert_eq!(without_credentials(text), expected, "{text}");
        }
    }
}
