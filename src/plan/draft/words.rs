//! Words of sentences: which are the same but for number and article, and which begin what. Knows nothing of lines.

/// Words of a sentence that are looked at; a longer one is an imperative anyway.
pub(super) const MAX_WORDS: usize = 64;

/// A sentence in words that can be compared: lower case, without articles, plural nouns as one.
pub(super) fn words(text: &str) -> Vec<String> {
    let split = text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '\'')));
    let words = split.map(|w| w.trim_matches(['.', '-', '/', '\'']).to_lowercase()).filter(|w| !w.is_empty());
    words
        .filter(|w| !matches!(w.as_str(), "the" | "a" | "an"))
        .take(MAX_WORDS)
        .map(|w| singular(&w))
        .collect()
}

/// The words as one key.
pub(super) fn key(text: &str) -> String {
    words(text).join(" ")
}

/// A noun without its plural ending; words that only look like plurals stay.
fn singular(word: &str) -> String {
    if !is_plural_word(word) {
        return word.to_owned();
    }
    for (ending, instead) in
        [("ies", "y"), ("sses", "ss"), ("shes", "sh"), ("ches", "ch"), ("xes", "x"), ("uses", "us")]
    {
        if let Some(stem) = word.strip_suffix(ending).filter(|s| s.len() > 1) {
            return format!("{stem}{instead}");
        }
    }
    word.strip_suffix('s').unwrap_or(word).to_owned()
}

fn is_plural_word(word: &str) -> bool {
    const NOT: [&str; 4] = ["news", "series", "species", "always"];
    word.len() > 3
        && word.ends_with('s')
        && !["ss", "us", "is", "os", "'s"].iter().any(|e| word.ends_with(e))
        && !NOT.contains(&word)
}

/// A noun in the plural, for the collection a loop names by its element.
pub(super) fn plural(noun: &str) -> String {
    if noun.split(' ').next_back().is_none_or(is_plural_word) {
        return noun.to_owned();
    }
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ if ["s", "x", "ch", "sh"].iter().any(|e| noun.ends_with(e)) => format!("{noun}es"),
        _ => format!("{noun}s"),
    }
}

/// Returns whether a name is of many things: its noun stands in the plural, or it begins with `all`.
pub(super) fn is_plural(name: &str) -> bool {
    const AFTER: [&str; 9] = ["of", "to", "for", "from", "in", "with", "per", "by", "on"];
    let lower = name.to_lowercase();
    let mut noun = lower.split_whitespace().take_while(|w| !AFTER.contains(w));
    let first = noun.next();
    first == Some("all") || noun.last().or(first).is_some_and(is_plural_word)
}

/// Where the words of `name` stand in a sentence, all in a row, at places not taken.
pub(super) fn find(sentence: &[String], name: &[String], taken: &[bool]) -> Option<usize> {
    if name.is_empty() {
        return None;
    }
    let free = |at: usize| taken.get(at..at + name.len()).is_some_and(|t| t.iter().all(|t| !t));
    sentence.windows(name.len()).enumerate().find(|(at, words)| *words == name && free(*at)).map(|(at, _)| at)
}

/// What follows the first of these beginnings, in any case.
pub(super) fn after<'a>(text: &'a str, beginnings: &[&str]) -> Option<&'a str> {
    beginnings.iter().find_map(|b| {
        let (head, rest) = text.split_at_checked(b.len())?;
        let ends = rest.is_empty() || rest.starts_with(|c: char| c.is_whitespace() || matches!(c, ',' | ':'));
        (head.eq_ignore_ascii_case(b) && ends).then(|| rest.trim_start_matches([' ', ',', ':']))
    })
}

/// A text without brackets that have no partner; `None` for the brackets themselves would change what is read.
pub(super) fn balanced(text: &str) -> String {
    let mut open = Vec::new();
    let fits = text.chars().all(|c| match c {
        '(' | '[' | '{' => {
            open.push(c);
            true
        }
        ')' => open.pop() == Some('('),
        ']' => open.pop() == Some('['),
        '}' => open.pop() == Some('{'),
        _ => true,
    });
    if fits && open.is_empty() { text.to_owned() } else { bare(text) }
}

/// A text without any bracket.
pub(super) fn bare(text: &str) -> String {
    let kept: String = text.chars().map(|c| if "()[]{}<>".contains(c) { ' ' } else { c }).collect();
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_without_number_and_article() {
        for (a, b) in [
            ("the documents", "document"),
            ("canvas statuses", "a canvas status"),
            ("All Queries", "all query"),
            ("on-going messages", "on-going message"),
            ("boxes", "box"),
        ] {
            assert_eq!(key(a), key(b), "{a}");
        }
        assert_ne!(key("status"), key("statu"));
        assert_ne!(key("analysis"), key("analysi"));
    }

    #[test]
    fn many_things() {
        for name in ["documents", "all input", "items to process", "unit place values of number", "queries"] {
            assert!(is_plural(name), "{name}");
        }
        for name in ["document", "price data", "news", "analysis of items", "canvas status", "class", ""] {
            assert!(!is_plural(name), "{name}");
        }
        for (noun, many) in [("query", "queries"), ("day", "days"), ("box", "boxes"), ("items", "items")] {
            assert_eq!(plural(noun), many);
        }
    }

    #[test]
    fn brackets_without_a_partner_are_dropped() {
        assert_eq!(balanced("read (all) of {x}"), "read (all) of {x}");
        assert_eq!(balanced("read (all of it"), "read all of it");
        assert_eq!(balanced("a) b (c"), "a b c");
    }

    #[test]
    fn beginnings_are_whole_words() {
        assert_eq!(after("If it is so", &["when", "if"]), Some("it is so"));
        assert_eq!(after("ifs and buts", &["if"]), None);
        assert_eq!(after("if", &["if"]), Some(""));
        assert_eq!(after("für x", &["for"]), None);
    }
}
