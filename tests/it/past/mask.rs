//! What differs from run to run, taken out of what commands print.

use std::fmt::Write as _;

fn is_all(text: &str, of: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(of)
}

/// A word that differs from run to run, by a name for its kind.
fn kind_of(word: &str) -> Option<&'static str> {
    let shape: String = word.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    match shape.as_str() {
        "9999-99-99" => return Some("DATE"),
        "99:99:99" | "99:99:99.999" => return Some("TIME"),
        _ => {}
    }
    let capital = |c: char| c.is_ascii_digit() || c.is_ascii_uppercase();
    if word.len() >= 10 && word.starts_with("01") && is_all(word, capital) {
        return Some("RUN");
    }
    let hash = matches!(word.len(), 12 | 64) && is_all(word, |c| c.is_ascii_hexdigit());
    hash.then_some("HASH")
}

/// A text without what differs whenever and wherever a command runs.
pub(super) fn mask(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        out.push_str(&line[..indent]);
        let mut words: Vec<String> = Vec::new();
        let mut gap = false;
        for word in line.trim_start().split(' ') {
            if word.is_empty() {
                gap = true;
                continue;
            }
            let core = word.trim_matches(|c| "(),:;`".contains(c));
            let mut word = match kind_of(core) {
                Some(kind) => word.replace(core, kind),
                None => {
                    word.split('/').map(|part| kind_of(part).unwrap_or(part)).collect::<Vec<_>>().join("/")
                }
            };
            let number =
                |w: &str| is_all(w.trim_start_matches([' ', '(']), |c| c.is_ascii_digit() || c == '.');
            let units = ["ms", "µs", "s", "min", "h", "KiB", "MiB", "bytes"];
            if let Some(last) = words.last_mut()
                && (number(last) && units.contains(&core) || last.ends_with("process"))
            {
                let unit = if number(last) { "SPAN" } else { "process PID" };
                let (head, tail) =
                    (if last.starts_with('(') { "(" } else { "" }, &word[core.len().min(word.len())..]);
                let tail = tail.to_owned();
                *last = format!("{head}{unit}{tail}");
                continue;
            }
            if gap && !words.is_empty() {
                // Columns are as wide as what stands in them.
                word = format!(" {word}");
            }
            gap = false;
            words.push(word);
        }
        let _ = writeln!(out, "{}", words.join(" "));
    }
    out
}
