//! The paradigms of the corpus: all are read, and the built-in ones of the same names do the same.

use std::fs;
use std::path::Path;

use normc::run::paradigm::Paradigm;

/// Reads every file, with its name.
fn corpus() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/paradigms");
    let mut found: Vec<(String, String)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .map(|path| {
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap())
        })
        .collect();
    found.sort();
    found
}

#[test]
fn all_of_the_corpus_are_read_and_built_in() {
    let all = corpus();
    assert_eq!(all.len(), 34);
    for (name, text) in &all {
        let read = Paradigm::read(name, text).unwrap_or_else(|problems| panic!("{name}: {problems:#?}"));
        let remarks: Vec<&str> = read.remarks().iter().map(|r| r.message.as_str()).collect();
        assert!(remarks.iter().all(|r| r.contains("`static_params`")), "{remarks:?}");
        let own = Paradigm::builtin(name).unwrap_or_else(|| panic!("{name} is built in"));
        let calls = |paradigm: &Paradigm| -> Vec<_> {
            let calls = paradigm.calls().into_iter();
            calls.map(|c| (c.method, c.touches, c.condition.map(|condition| condition.operator))).collect()
        };
        assert_eq!(calls(&read), calls(&own), "{name}");
        assert_eq!(read.uses(), own.uses(), "{name}");
        assert_eq!(read.reads_function_cell(), own.reads_function_cell(), "{name}");
    }
}

#[test]
fn a_file_with_anything_left_out_or_replaced_is_read_or_refused() {
    let replacements =
        ["null", "5", "\"x\"", "[]", "{}", "{\"__type__\": \"MetaValue\", \"key\": \"nothing\"}"];
    let (mut read, mut refused) = (0, 0);
    for (name, text) in corpus().iter().step_by(5) {
        let whole: serde_json::Value = serde_json::from_str(text).unwrap();
        for path in places(&whole) {
            for replacement in replacements {
                let mut changed = whole.clone();
                *changed.pointer_mut(&path).unwrap() = serde_json::from_str(replacement).unwrap();
                match Paradigm::read(name, &changed.to_string()) {
                    Ok(_) => read += 1,
                    Err(problems) => {
                        assert!(problems.iter().all(|p| p.message.contains(name.as_str())), "{problems:?}");
                        refused += 1;
                    }
                }
            }
        }
    }
    assert!(read > 1000 && refused > 1000, "{read} read, {refused} refused");
}

/// The JSON pointers of all that a document holds.
fn places(json: &serde_json::Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![(String::new(), json)];
    while let Some((path, json)) = open.pop() {
        match json {
            serde_json::Value::Array(items) => {
                open.extend(items.iter().enumerate().map(|(i, item)| (format!("{path}/{i}"), item)));
            }
            serde_json::Value::Object(map) => {
                let key = |key: &String| key.replace('~', "~0").replace('/', "~1");
                open.extend(map.iter().map(|(k, item)| (format!("{path}/{}", key(k)), item)));
            }
            _ => {}
        }
        found.push(path);
    }
    found
}
