//! The pages of diagnostic codes as files, so that an editor can open the page of a code it shows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use lsp_types::Uri;

use crate::diag::{Code, page};

/// Where the pages stand; each is written when its code is first shown.
#[derive(Debug, Default)]
pub(super) struct Pages {
    folder: Option<PathBuf>,
    written: BTreeMap<Code, Option<Uri>>,
}

impl Pages {
    /// Pages in a folder of their own; none when there is no folder for caches.
    pub(super) fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, written: BTreeMap::new() }
    }

    /// The address of a code's page; none when it cannot be written.
    pub(super) fn of(&mut self, code: Code) -> Option<Uri> {
        let folder = self.folder.as_deref()?;
        self.written.entry(code).or_insert_with(|| write(folder, code)).clone()
    }
}

fn write(folder: &Path, code: Code) -> Option<Uri> {
    let path = folder.join(format!("{code}.md"));
    if std::fs::read_to_string(&path).ok().as_deref() != Some(page(code)) {
        std::fs::create_dir_all(folder).ok()?;
        std::fs::write(&path, page(code)).ok()?;
    }
    address(&path)
}

/// The address of a file.
pub(super) fn address(path: &Path) -> Option<Uri> {
    let path = std::path::absolute(path).ok()?;
    let text = path.to_str()?.replace('\\', "/");
    let root = if text.starts_with('/') { "" } else { "/" };
    Uri::from_str(&format!("file://{root}{}", encoded(&text))).ok()
}

/// A path with everything escaped that means something in an address.
pub(super) fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_a_file_with_its_address() {
        let folder = tempfile::tempdir().unwrap();
        let mut pages = Pages::new(Some(folder.path().join("with blank 数")));
        let uri = pages.of(Code::NC081).unwrap();
        assert!(
            uri.as_str().starts_with("file:///")
                && uri.as_str().ends_with("with%20blank%20%E6%95%B0/NC081.md")
        );
        let text = std::fs::read_to_string(folder.path().join("with blank 数/NC081.md")).unwrap();
        assert_eq!(text, page(Code::NC081));
        assert_eq!(Pages::new(None).of(Code::NC081), None);
    }
}
