//! Every block of the README's tour is run: files are written, commands run in one folder in order, and what they
//! print is compared. A line `...` stands for any lines, `...` at the end of a line for its rest.

use std::path::Path;

use crate::plans::normc;
use crate::support::python_missing;

#[test]
fn the_tour_does_what_it_says() {
    if python_missing("the README's tour") {
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    copy(&root.join("plans"), &folder.path().join("plans"));
    let (mut files, mut commands) = (0, 0);
    for (kind, body) in blocks(&readme) {
        let mut words = kind.split_whitespace();
        match (words.next(), words.next()) {
            (Some("nc" | "python"), Some(name)) => {
                let path = folder.path().join(name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, body).unwrap();
                files += 1;
            }
            (Some("console"), _) => commands += console(folder.path(), body),
            _ => {}
        }
    }
    assert!(files >= 3 && commands >= 10, "the tour has become short: {files} files, {commands} commands");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(|e| e.unwrap()) {
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// The fenced blocks: info string and body.
fn blocks(text: &str) -> Vec<(&str, &str)> {
    let parts: Vec<&str> = text.split("```").collect();
    parts.iter().skip(1).step_by(2).map(|block| block.split_once('\n').unwrap()).collect()
}

fn console(folder: &Path, body: &str) -> usize {
    let mut count = 0;
    for part in body.split("$ ").filter(|p| !p.is_empty()) {
        let (command, expected) = part.split_once('\n').unwrap();
        let words = words(command);
        assert_eq!(words[0], "normc", "{command}");
        let arguments: Vec<&str> = words[1..].iter().map(String::as_str).collect();
        let output = normc(folder, &arguments);
        let got =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(
            fits(&got.lines().collect::<Vec<_>>(), &expected.lines().collect::<Vec<_>>()),
            "$ {command}\n--- printed\n{got}--- the README says\n{expected}"
        );
        count += 1;
    }
    count
}

/// The words of a command, quoted ones as one.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (i, piece) in command.split('\'').enumerate() {
        if i % 2 == 1 {
            words.push(piece.to_owned());
        } else {
            words.extend(piece.split_whitespace().map(str::to_owned));
        }
    }
    words
}

fn fits(got: &[&str], expected: &[&str]) -> bool {
    match expected.split_first() {
        None => got.is_empty(),
        Some((&"...", rest)) => (0..=got.len()).any(|skip| fits(&got[skip..], rest)),
        Some((line, rest)) => got.split_first().is_some_and(|(first, others)| {
            let same = match line.strip_suffix("...") {
                Some(begin) => first.starts_with(begin),
                None => first.trim_end() == line.trim_end(),
            };
            same && fits(others, rest)
        }),
    }
}

#[test]
fn the_wildcards_are_no_carte_blanche() {
    assert!(fits(&["a", "b", "c"], &["a", "...", "c"]));
    assert!(fits(&["in 3 ms: x"], &["in ..."]));
    assert!(!fits(&["a", "b"], &["a"]));
    assert!(!fits(&["a"], &["a", "b"]));
    assert!(!fits(&["a", "x"], &["a", "...", "c"]));
}
