//! How questions are called as files: `1.2[3]#2` is `1.2_3-2`. Knows no folders.

use crate::base::Digest;

/// Longer names are cut, and told apart by a hash.
const LONGEST: usize = 120;

/// The name of the files of a question, without ending. Two ids never have the same name: what is more than flow index,
/// loop position and number is told apart by a hash.
pub(super) fn file_name(id: &str) -> String {
    let mut name = String::with_capacity(id.len());
    for c in id.chars() {
        match c {
            '0'..='9' | '.' => name.push(c),
            '[' => name.push('_'),
            ',' => name.push('+'),
            '#' => name.push('-'),
            ']' => {}
            'a'..='z' | 'A'..='Z' => name.push(c),
            _ => name.push('~'),
        }
    }
    if is_plain(id) && name.len() <= LONGEST {
        return name;
    }
    let name: String = name.chars().take(LONGEST / 2).collect();
    let hash: String = Digest::of(id.as_bytes()).to_string().chars().take(16).collect();
    format!("{}~{hash}", name.trim_start_matches('.'))
}

/// Returns whether an id has the usual form: a flow index, perhaps a loop position, perhaps a number.
fn is_plain(id: &str) -> bool {
    let (step, number) = id.split_once('#').unwrap_or((id, "1"));
    let (flow, path) = match step.split_once('[') {
        None => (step, Some("1")),
        Some((flow, path)) => (flow, path.strip_suffix(']')),
    };
    let digits = |text: &str, between: char| {
        text.split(between).all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    };
    digits(flow, '.') && digits(number, '.') && path.is_some_and(|path| digits(path, ','))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_as_names() {
        assert_eq!(file_name("1.2"), "1.2");
        assert_eq!(file_name("1.2[3,4]#2.1"), "1.2_3+4-2.1");
        for odd in ["../x", "..", "", "a/b", "1.2[3", "1#", "1\0", ".hidden", "é"] {
            let name = file_name(odd);
            assert!(
                name.contains('~') && !name.contains(['/', '\0']) && !name.starts_with('.'),
                "{odd}: {name}"
            );
        }
        assert!(file_name(&"1.".repeat(4000)).len() < 200);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_two_ids_have_one_name(a in "[1.\\[\\],#a+_-]{0,6}", b in "[1.\\[\\],#a+_-]{0,6}") {
            prop_assert_eq!(a == b, file_name(&a) == file_name(&b));
        }
    }
}
