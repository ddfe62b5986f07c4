//! The one name that is near enough to a misspelt one to be suggested. Knows nothing of what the names stand for.

/// Names further away than this many edits are no suggestion.
const LIMIT: usize = 2;

/// Returns the candidate with the smallest edit distance to `name`, if that is below 3 and smaller than the name
/// itself; the first of equals.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = name.chars().collect();
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let limit = best.map_or(LIMIT, |(distance, _)| distance.saturating_sub(1));
        if let Some(distance) = distance_within(&wanted, candidate, limit)
            && distance < wanted.len()
        {
            best = Some((distance, candidate));
            if distance == 0 {
                break;
            }
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The edit distance (insert, delete, replace) when it is at most `limit`.
fn distance_within(wanted: &[char], candidate: &str, limit: usize) -> Option<usize> {
    // A character has at most four bytes, so this drops most candidates without decoding them.
    if candidate.len() > (wanted.len() + limit) * 4 || candidate.len() + limit < wanted.len() {
        return None;
    }
    let other: Vec<char> = candidate.chars().collect();
    if wanted.len().abs_diff(other.len()) > limit {
        return None;
    }
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in wanted.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut smallest = left;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (b, cell) in other.iter().zip(row.iter_mut().skip(1)) {
            let replaced = diagonal + usize::from(a != b);
            diagonal = *cell;
            left = replaced.min(left + 1).min(*cell + 1);
            *cell = left;
            smallest = smallest.min(left);
        }
        if smallest > limit {
            return None;
        }
    }
    row.last().copied().filter(|d| *d <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_near_names() {
        let names = ["{total}", "{totals}", "{digit sum}", "{数}"];
        for (name, expected) in [
            ("{totall}", Some("{total}")),
            ("{totals}", Some("{totals}")),
            ("{digitsum}", Some("{digit sum}")),
            ("{tatel}", Some("{total}")),
            ("{sum}", None),
            ("", None),
            ("{字}", Some("{数}")),
        ] {
            assert_eq!(nearest(name, names), expected, "{name}");
        }
    }

    #[test]
    fn short_names_are_not_guessed() {
        assert_eq!(nearest("ab", ["cd"]), None);
        assert_eq!(nearest("a", ["b"]), None);
    }
}
