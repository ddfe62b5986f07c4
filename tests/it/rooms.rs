//! The rules of the house: the order of the rooms, and what every source file has in common.
//!
//! Imports are read from the text of `src/`, with comments, strings and characters blanked out first.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms, lowest first; a room imports only rooms above it in this list.
const ROOMS: [&str; 15] = [
    "base", "diag", "tensor", "syntax", "plan", "repo", "run", "faculty", "store", "engine", "report", "ide",
    "lsp", "web", "cli",
];

/// The longest source file, in lines.
const LONGEST_FILE: usize = 800;

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// All `.rs` files below a folder, in order.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
    files
}

/// The path below `src/`, with `/`.
fn shown(path: &Path) -> String {
    let parts: Vec<_> = path.strip_prefix(src()).unwrap().iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// The room of a file; none for `lib.rs` and `main.rs`.
fn room_of(path: &Path) -> Option<String> {
    let shown = shown(path);
    let (first, _) = shown.split_once('/')?;
    Some(first.to_owned())
}

/// The program text with comments, strings and character literals replaced by blanks; line ends stay.
fn code_only(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    // Blanks out `upto - at` characters.
    let blank = |code: &mut String, from: usize, upto: usize| {
        code.extend(chars[from..upto].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
    };
    while at < chars.len() {
        let rest = &chars[at..];
        let end = if rest.starts_with(&['/', '/']) {
            at + rest.iter().position(|c| *c == '\n').unwrap_or(rest.len())
        } else if rest.starts_with(&['/', '*']) {
            at + block_comment(rest)
        } else if let Some(length) = raw_string(rest).filter(|_| !ends_in_a_name(&code)) {
            at + length
        } else if rest[0] == '"' {
            at + quoted(rest, '"')
        } else if rest[0] == '\'' && is_character(rest) {
            at + quoted(rest, '\'')
        } else {
            code.push(rest[0]);
            at += 1;
            continue;
        };
        blank(&mut code, at, end);
        at = end;
    }
    code
}

fn ends_in_a_name(code: &str) -> bool {
    code.chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_')
}

/// Length of a block comment, which may nest.
fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with(&['/', '*']) {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(&['*', '/']) {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// Length of a raw string (`r"..."`, `br##"..."##`), none when there is none here.
fn raw_string(rest: &[char]) -> Option<usize> {
    let mut at = rest.iter().take(2).take_while(|c| matches!(**c, 'b' | 'c')).count();
    if rest.get(at) != Some(&'r') {
        return None;
    }
    at += 1;
    let hashes = rest[at..].iter().take_while(|c| **c == '#').count();
    at += hashes;
    if rest.get(at) != Some(&'"') {
        return None;
    }
    at += 1;
    let close: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    while at < rest.len() {
        if rest[at..].starts_with(&close) {
            return Some(at + close.len());
        }
        at += 1;
    }
    Some(rest.len())
}

/// Length of a literal between two equal quotes, with escapes.
fn quoted(rest: &[char], quote: char) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            c if c == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// Whether the quote opens a character literal and not a lifetime.
fn is_character(rest: &[char]) -> bool {
    match rest.get(1) {
        Some('\\') => true,
        Some(_) => rest.get(2) == Some(&'\''),
        None => false,
    }
}

/// The first names after every `crate::` of the text, those of a group `crate::{a::.., b}` included.
fn imported(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut rest = code;
    while let Some(at) = rest.find("crate") {
        let before = rest[..at].chars().next_back();
        rest = &rest[at + "crate".len()..];
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let Some(path) = rest.trim_start().strip_prefix("::") else { continue };
        names.extend(first_names(path.trim_start()));
    }
    names
}

/// The first name of a path, or of each item of a group.
fn first_names(path: &str) -> Vec<String> {
    let Some(group) = path.strip_prefix('{') else {
        let name: String = path.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        return if name.is_empty() { Vec::new() } else { vec![name] };
    };
    let mut names = Vec::new();
    let (mut depth, mut item) = (0usize, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.extend(first_names(group[item..at].trim_start()));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.extend(first_names(group[item..at].trim_start()));
                item = at + 1;
            }
            _ => {}
        }
    }
    names
}

/// What is wrong with one file's imports; `file` stands below `src/`.
fn wrong_imports(file: &str, room: &str, text: &str) -> Vec<String> {
    let Some(place) = ROOMS.iter().position(|name| *name == room) else {
        return vec![format!("{file}: `{room}` is no room of the design")];
    };
    let code = code_only(text);
    let mut wrong = Vec::new();
    for name in imported(&code) {
        match ROOMS.iter().position(|room| *room == name) {
            Some(other) if other > place => {
                wrong.push(format!("{file}: `{room}` imports `{name}`, which stands below it"));
            }
            Some(_) => {}
            None => wrong.push(format!("{file}: `crate::{name}` is no room of the design")),
        }
    }
    // `super` may not climb out of the room, where no one would see the import.
    let depth = file.split('/').count() - usize::from(file.ends_with("/mod.rs"));
    let climbs = "super::".repeat(depth);
    if code.lines().any(|line| line.replace(' ', "").contains(&climbs)) {
        wrong.push(format!("{file}: `{climbs}` leaves the room, write `crate::`"));
    }
    wrong
}

#[test]
fn a_room_imports_only_rooms_above_it() {
    let mut wrong = Vec::new();
    for path in sources(&src()) {
        if let Some(room) = room_of(&path) {
            wrong.extend(wrong_imports(&shown(&path), &room, &fs::read_to_string(&path).unwrap()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_does_and_stays_short() {
    let mut wrong = Vec::new();
    for path in sources(&src()) {
        let text = fs::read_to_string(&path).unwrap();
        if !text.starts_with("//! ") {
            wrong.push(format!("{}: does not begin with `//!`", shown(&path)));
        }
        let lines = text.lines().count();
        if lines > LONGEST_FILE {
            wrong.push(format!("{}: {lines} lines, more than {LONGEST_FILE}", shown(&path)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_folders_are_the_rooms() {
    let mut wrong = Vec::new();
    for entry in fs::read_dir(src()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            if !ROOMS.contains(&name.as_str()) {
                wrong.push(format!("src/{name}: no room of the design"));
            }
            if !entry.path().join("mod.rs").is_file() {
                wrong.push(format!("src/{name}: has no mod.rs"));
            }
        } else if !matches!(name.as_str(), "lib.rs" | "main.rs") {
            wrong.push(format!("src/{name}: stands in no room"));
        }
    }
    let lib = code_only(&fs::read_to_string(src().join("lib.rs")).unwrap());
    for room in ROOMS.iter().filter(|room| src().join(room).is_dir()) {
        if !lib.lines().any(|line| line.trim() == format!("pub mod {room};")) {
            wrong.push(format!("src/lib.rs: does not declare `{room}`"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A folder below `plans/`, in order; its files or folders.
fn plans(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans").join(folder);
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

#[test]
fn every_plan_says_what_it_shows_and_what_it_gives() {
    let mut wrong = Vec::new();
    for folder in plans("").into_iter().filter(|path| path.is_dir() && !path.ends_with("invalid")) {
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let expected: serde_json::Value = match serde_json::from_str(&read("expected.json")) {
            Ok(value) => value,
            Err(error) => {
                wrong.push(format!("{name}/expected.json: {error}"));
                continue;
            }
        };
        let runs = expected["runs"].as_array().cloned().unwrap_or_default();
        let mut used = BTreeSet::new();
        for run in &runs {
            for key in ["plan", "inputs", "answers"] {
                if let Some(file) = run[key].as_str() {
                    used.insert(file.to_owned());
                    // What models replied is replayed too.
                    let recording = Path::new(file).with_extension("cassette.jsonl");
                    if key == "plan" && plans(&name).iter().any(|path| path.ends_with(&recording)) {
                        used.insert(recording.to_string_lossy().into_owned());
                    }
                }
            }
            // Configuration and data that the plan finds by itself.
            let found = run["with"].as_array().into_iter().flatten().filter_map(|file| file.as_str());
            used.extend(found.map(str::to_owned));
            if run["status"].as_str().is_none() || run["exit"].as_u64().is_none() {
                wrong.push(format!("{name}/expected.json: a run without status or exit code"));
            }
        }
        for path in plans(&name).into_iter().filter(|path| path.is_file() && !path.ends_with("expected.json"))
        {
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            if !used.remove(&file) {
                wrong.push(format!("{name}/{file}: no run of expected.json uses it"));
            }
            if file.ends_with(".nc") && !read(&file).starts_with("# ") {
                wrong.push(format!("{name}/{file}: does not begin with what it shows"));
            }
            for script in
                read(&file).lines().filter_map(|line| line.trim().strip_prefix("| %{script_location}: "))
            {
                if read(script).is_empty() {
                    wrong.push(format!("{name}/{file}: no script `{script}`"));
                }
            }
        }
        wrong.extend(used.iter().map(|file| format!("{name}/{file}: named in expected.json, not there")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_bad_plan_is_named_after_its_code() {
    let mut wrong = Vec::new();
    let mut stems = BTreeSet::new();
    for path in plans("invalid") {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let known = normc::diag::Code::ALL.iter().any(|code| code.as_str() == stem);
        let extension = path.extension().unwrap_or_default().to_string_lossy().into_owned();
        if !known || !matches!(extension.as_str(), "nc" | "ncd" | "ncds") {
            wrong.push(format!("{}: is named after no code", path.display()));
        }
        // One of them is not UTF-8, on purpose.
        let bytes = fs::read(&path).unwrap();
        if !bytes.starts_with(b"# ") {
            wrong.push(format!("{}: does not begin with what is wrong", path.display()));
        }
        if !stems.insert(stem) {
            wrong.push(format!("{}: a second plan for one code", path.display()));
        }
    }
    assert!(stems.len() >= 60, "{} bad plans", stems.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn imports_are_found_in_every_spelling() {
    let text = r##"
//! use crate::web;
use crate::diag::{self, Code};
use crate::{base::{Span, Value}, tensor, /* web, */ syntax::Tree as T};
pub(crate) fn f<'a>(x: &'a str) -> char { let _ = "use crate::lsp;"; let _ = r#"crate::cli"#; '"' }
/* use crate::store; /* crate::ide */ crate::ide */
fn g() { crate :: run :: go(); $crate::plan::x!(); mycrate::web::x(); let c = '\''; crate::repo::y() }
pub(in crate::engine) fn h() {}
"##;
    let names: Vec<String> = imported(&code_only(text)).into_iter().collect();
    assert_eq!(names, ["base", "diag", "engine", "plan", "repo", "run", "syntax", "tensor"]);
}

#[test]
fn imports_from_below_are_reported() {
    let wrong = |file: &str, room: &str, text: &str| wrong_imports(file, room, text).len();
    assert_eq!(wrong("tensor/a.rs", "tensor", "use crate::base::Span;\nuse crate::tensor::Cell;"), 0);
    assert_eq!(wrong("tensor/a.rs", "tensor", "use crate::{base::Span, plan::Plan, run};"), 2);
    assert_eq!(wrong("tensor/a.rs", "tensor", "use crate::helpers::x;"), 1);
    assert_eq!(wrong("helpers/a.rs", "helpers", ""), 1);
    assert_eq!(wrong("tensor/a.rs", "tensor", "use super::Cell;\nmod t { use super::x; }"), 0);
    assert_eq!(wrong("tensor/a.rs", "tensor", "use super::super::run::State;"), 1);
    assert_eq!(wrong("tensor/mod.rs", "tensor", "use super::run::State;"), 1);
    assert_eq!(wrong("plan/check/a.rs", "plan", "use super::super::Plan;"), 0);
}
