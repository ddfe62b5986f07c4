//! The memory of a plan: named values in `memorized.json` of the base directory, or in another file (semantics spec,
//! sections 2.4 and 14.4).

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::failure::shorten;
use super::files::Root;
use super::{Failure, FailureKind};
use crate::base::{JsonLayout, Map, Numbers, Value, json_text};

/// The file that is meant when none is named.
pub const MEMORY_FILE: &str = "memorized.json";

/// How long another process may hold the file.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a payload asks for: a key, or a JSON object with a `key` and perhaps the `location` of another file.
pub fn read_key(payload: &str) -> (Arc<str>, Option<Arc<str>>) {
    let plain = || (Arc::from(payload), None);
    let Ok(serde_json::Value::Object(map)) = serde_json::from_str(payload) else { return plain() };
    let text = |name: &str| map.get(name).and_then(|v| v.as_str()).map(Arc::<str>::from);
    match text("key") {
        Some(key) => (key, text("location")),
        None => plain(),
    }
}

/// The value under a key; a null is none.
///
/// # Errors
/// `no_such_parameter` when there is no such file, no such key, or a null; `bad_parameter_file` when the file is no JSON
/// object; the failures of reading it.
pub fn recall(root: &Root, key: &str, file: Option<&str>) -> Result<Value, Failure> {
    let name = file.unwrap_or(MEMORY_FILE);
    let values = read(root, name)?;
    let found = values.get(key).filter(|value| !matches!(value, Value::Null | Value::Skip));
    found.cloned().ok_or_else(|| {
        let message = format!("`{}` has no value `{}`", shorten(name), shorten(key));
        let failure = Failure::new(FailureKind::NoSuchParameter, message).at(name, None);
        match crate::base::nearest(key, values.keys().map(AsRef::as_ref)) {
            Some(near) => failure.with_help(format!("did you mean `{near}`?")),
            None => failure.with_help(format!("write `\"{}\": VALUE` into the file", shorten(key))),
        }
    })
}

/// Puts a value under a key; the others stay. The file is made when it is not there. Whoever else does the same at the
/// same time, also another process, is waited for, so that no value is lost.
///
/// # Errors
/// `bad_parameter_file` when the file is there and no JSON object: it is left as it is. Those of reading and writing it.
pub fn memorize(root: &Root, key: &str, value: &Value, file: Option<&str>) -> Result<(), Failure> {
    let file = file.unwrap_or(MEMORY_FILE);
    let folder = root.folder_of(file)?;
    let begun = Instant::now();
    // The lock is on the folder: the file is another one after each change.
    while let Err(error) = flock(&folder, FlockOperation::NonBlockingLockExclusive) {
        if !matches!(error, Errno::AGAIN | Errno::INTR) || begun.elapsed() > PATIENCE {
            let message = format!("cannot lock the folder of `{}`: {error}", shorten(file));
            return Err(Failure::new(FailureKind::IoError, message).at(file, None));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let mut values = read(root, file)?;
    values.insert(Arc::from(key), value.clone());
    let text = json_text(
        &Value::Map(Arc::new(values)),
        JsonLayout { indent: 4, ascii: true, numbers: Numbers::AsRead },
    );
    root.save(file, text.as_bytes()).map(|_| ())
}

/// All values of a file; none when there is no file.
fn read(root: &Root, file: &str) -> Result<Map, Failure> {
    let text = match root.read_text(file) {
        Ok(text) => text,
        Err(failure) if failure.kind == FailureKind::FileNotFound => return Ok(Map::new()),
        Err(failure) => return Err(failure),
    };
    let bad = |why: String| {
        let message = format!("the memory file `{}` {why}", shorten(file));
        Failure::new(FailureKind::BadParameterFile, message)
            .with_help("let it hold one JSON object, `{\"name\": value}`")
            .at(file, None)
    };
    match serde_json::from_str(&text) {
        Ok(json @ serde_json::Value::Object(_)) => match Value::from_data_json(&json) {
            Value::Map(map) => Ok(Arc::unwrap_or_clone(map)),
            _ => Ok(Map::new()),
        },
        Ok(_) => Err(bad("is no JSON object".to_owned())),
        Err(error) => Err(bad(format!("is no JSON: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn base(memory: &str) -> (tempfile::TempDir, Root) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(MEMORY_FILE), memory).unwrap();
        let root = Root::open(folder.path()).unwrap();
        (folder, root)
    }

    #[test]
    fn keys_and_other_files() {
        let text = |t: &str| Arc::<str>::from(t);
        let cases = [
            ("k", ("k", None)),
            (r#"{"key": "k", "location": "m.json"}"#, ("k", Some("m.json"))),
            (r#"{"key": "k"}"#, ("k", None)),
            (r#"{"location": "m.json"}"#, (r#"{"location": "m.json"}"#, None)),
            ("5", ("5", None)),
            ("{", ("{", None)),
        ];
        for (payload, (key, file)) in cases {
            assert_eq!(read_key(payload), (text(key), file.map(text)), "{payload}");
        }
    }

    #[test]
    fn values_are_found_and_nulls_are_not() {
        let (folder, root) = base(r#"{"name": "v", "n": 5.0, "z": null, "f": false}"#);
        std::fs::write(folder.path().join("list.json"), "[1]").unwrap();
        for (key, value) in [("name", "\"v\""), ("n", "5.0"), ("f", "false")] {
            assert_eq!(recall(&root, key, None).unwrap().to_json().to_string(), value);
        }
        for (key, file, kind, help) in [
            ("nam", None, FailureKind::NoSuchParameter, "did you mean `name`?"),
            ("z", None, FailureKind::NoSuchParameter, ""),
            ("absent", None, FailureKind::NoSuchParameter, "write `\"absent\": VALUE` into the file"),
            ("k", Some("absent.json"), FailureKind::NoSuchParameter, "write `\"k\": VALUE` into the file"),
            ("k", Some("list.json"), FailureKind::BadParameterFile, ""),
            ("k", Some("../m.json"), FailureKind::PathEscapesBase, ""),
        ] {
            let failure = recall(&root, key, file).unwrap_err();
            assert_eq!(failure.kind, kind, "{key} in {file:?}");
            assert!(failure.help.is_some_and(|said| said.contains(help)), "{key} in {file:?}");
        }
    }

    #[test]
    fn values_are_kept() {
        let (_folder, root) = base("{\"a\": 1.50}");
        memorize(&root, "é", &Value::from_data_json(&json!(["%{sign}(x)"])), None).unwrap();
        let text = root.read_text(MEMORY_FILE).unwrap();
        assert_eq!(
            text.as_ref(),
            "{\n    \"a\": 1.50,\n    \"\\u00e9\": [\n        \"%{sign}(x)\"\n    ]\n}"
        );
        let Value::List(items) = recall(&root, "é", None).unwrap() else { panic!("a list") };
        assert!(matches!(items.first(), Some(Value::Text(_))), "data, whatever it looks like");
        memorize(&root, "k", &Value::text("v"), Some("new/m.json")).unwrap();
        assert_eq!(recall(&root, "k", Some("new/m.json")).unwrap(), Value::text("v"));
        let (_folder, broken) = base("{nope");
        assert_eq!(
            memorize(&broken, "k", &Value::Null, None).unwrap_err().kind,
            FailureKind::BadParameterFile
        );
        assert_eq!(broken.read_text(MEMORY_FILE).unwrap().as_ref(), "{nope");
    }

    #[test]
    fn no_value_is_lost_when_many_write() {
        let (_folder, root) = base("{}");
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let root = &root;
                scope.spawn(move || {
                    for n in 0..10 {
                        memorize(root, &format!("{thread}.{n}"), &Value::Bool(true), None).unwrap();
                    }
                });
            }
        });
        assert_eq!(read(&root, MEMORY_FILE).unwrap().len(), 40);
    }
}
