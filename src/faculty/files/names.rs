//! Names of files that a model or a script has chosen: they must be harmless (semantics spec, section 16).

use crate::faculty::failure::shorten;
use crate::faculty::{Failure, FailureKind};

/// How long one part of a name may be, in bytes.
const PART_LIMIT: usize = 255;

/// Checks a name below a folder: parts of a relative path, none of which is hidden, leads elsewhere, or ends in a dot
/// or a blank.
pub(super) fn check_chosen(name: &str) -> Result<(), Failure> {
    let refuse = |kind: FailureKind, why: &str| {
        let message = format!("`{}` is no name for a file: {why}", shorten(name));
        Err(Failure::new(kind, message)
            .with_help("let whoever chooses the name choose one such as `report.txt` or `part/report.txt`")
            .at(name, None))
    };
    let bad = |why: &str| refuse(FailureKind::BadPath, why);
    if name.trim().is_empty() {
        return bad("it is empty");
    }
    if name.chars().any(char::is_control) {
        return bad("it holds control characters");
    }
    if name.contains('\\') {
        return bad("it holds a backslash");
    }
    if name.starts_with('/') {
        return refuse(FailureKind::PathEscapesBase, "it is absolute");
    }
    if name.as_bytes().get(1) == Some(&b':') {
        return refuse(FailureKind::PathEscapesBase, "it names a drive");
    }
    for part in name.split('/') {
        match part {
            "" => return bad("a part of it is empty"),
            ".." => return refuse(FailureKind::PathEscapesBase, "`..` leads out of the folder"),
            "." => return bad("a part of it is `.`"),
            "~" => return refuse(FailureKind::PathEscapesBase, "`~` leads out of the folder"),
            part if part.starts_with('.') => return bad("a part of it is hidden"),
            part if part.ends_with(['.', ' ']) => return bad("a part of it ends in a dot or a blank"),
            part if part.len() > PART_LIMIT => return bad("it is too long"),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_names() {
        for name in ["a.txt", "a b.txt", "part/a.txt", "ü", "a..b", "report-1_2.json"] {
            assert!(check_chosen(name).is_ok(), "{name}");
        }
        use FailureKind::{BadPath, PathEscapesBase};
        let long = "n".repeat(256);
        let cases = [
            ("", BadPath),
            ("  ", BadPath),
            ("a\nb", BadPath),
            ("a\0", BadPath),
            (".env", BadPath),
            ("a/.git/config", BadPath),
            ("./a", BadPath),
            ("a//b", BadPath),
            ("a/", BadPath),
            ("a.", BadPath),
            ("a ", BadPath),
            ("a\\b", BadPath),
            (&long, BadPath),
            ("..", PathEscapesBase),
            ("../a", PathEscapesBase),
            ("a/../../b", PathEscapesBase),
            ("/etc/passwd", PathEscapesBase),
            ("C:x", PathEscapesBase),
            ("~/x", PathEscapesBase),
        ];
        for (name, kind) in cases {
            assert_eq!(check_chosen(name).unwrap_err().kind, kind, "{name}");
        }
    }
}
