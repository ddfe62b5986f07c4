//! What is done with files, as data: asked by paradigms and by scripts alike.

use std::sync::Arc;

use serde_json::{Map as JsonMap, Value as Json};

use super::Value;

/// What is done with files (semantics spec, section 10.4); all paths as the step gives them.
#[derive(Debug, Clone, PartialEq)]
pub enum FileAct {
    /// The text of a file. The answer is the text.
    Read {
        /// Its path.
        path: Arc<str>,
    },
    /// Whether there is such a file. The answer is a truth value.
    Exists {
        /// Its path.
        path: Arc<str>,
    },
    /// Writes a file; folders are made. The answer is the path, relative to the base directory.
    Save {
        /// Its path.
        path: Arc<str>,
        /// The whole content.
        content: Arc<str>,
    },
    /// Writes several files below a folder, all names checked first. The answer is the list of paths.
    SaveMany {
        /// The folder.
        folder: Arc<str>,
        /// Names and contents.
        files: Vec<(Arc<str>, Arc<str>)>,
    },
    /// The files below a folder. The answer is the list of their paths.
    List {
        /// The folder.
        path: Arc<str>,
    },
    /// A value of the memory file. The answer is the value; `no_such_parameter` when there is none.
    Recall {
        /// The key.
        key: Arc<str>,
        /// Another file than `memorized.json`.
        file: Option<Arc<str>>,
    },
    /// Puts a value into the memory file. The answer is not looked at.
    Memorize {
        /// The key.
        key: Arc<str>,
        /// The value.
        value: Value,
        /// Another file than `memorized.json`.
        file: Option<Arc<str>>,
    },
}

impl FileAct {
    /// Its stable name and its arguments by name, as they are written down.
    pub fn described(&self) -> (&'static str, JsonMap<String, Json>) {
        let one = |name: &str, text: &str| vec![(name.to_owned(), Json::from(text))];
        let other =
            |file: &Option<Arc<str>>| ("file".to_owned(), file.as_deref().map_or(Json::Null, Json::from));
        let (method, fields) = match self {
            Self::Read { path } => ("files.read", one("path", path)),
            Self::Exists { path } => ("files.exists", one("path", path)),
            Self::Save { path, content } => {
                ("files.save", [one("path", path), one("content", content)].concat())
            }
            Self::SaveMany { folder, files } => {
                let entries = files.iter().map(|(n, c)| (n.to_string(), Json::from(&**c))).collect();
                let mut fields = one("folder", folder);
                fields.push(("files".to_owned(), Json::Object(entries)));
                ("files.save_many", fields)
            }
            Self::List { path } => ("files.list", one("path", path)),
            Self::Recall { key, file } => {
                let mut fields = one("key", key);
                fields.push(other(file));
                ("memory.get", fields)
            }
            Self::Memorize { key, value, file } => {
                let mut fields = one("key", key);
                fields.extend([("value".to_owned(), value.to_json()), other(file)]);
                ("memory.set", fields)
            }
        };
        (method, fields.into_iter().collect())
    }
}
