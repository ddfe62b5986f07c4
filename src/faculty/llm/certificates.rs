//! The certificates that a server is trusted by, where they are not the well-known ones: those of a company, or of a
//! server of one's own (semantics spec, section 14.1).

use std::path::Path;

use ureq::tls::{Certificate, PemItem, parse_pem};

use crate::faculty::failure::shorten;
use crate::faculty::{Failure, FailureKind};

/// Reads the certificates of a PEM file.
///
/// # Errors
/// `bad_configuration` when it cannot be read or holds none.
pub(super) fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, Failure> {
    let shown = path.display().to_string();
    let bad = |what: String, help: &str| {
        let message = format!("the file of certificates `{}` {what}", shorten(&shown));
        Failure::new(FailureKind::BadConfiguration, message).with_help(help).at(shown.clone(), None)
    };
    let text = std::fs::read(path)
        .map_err(|error| bad(format!("cannot be read: {error}"), "name a file that you can read"))?;
    let mut found = Vec::new();
    for item in parse_pem(&text) {
        let item =
            item.map_err(|error| bad(format!("is damaged: {error}"), "export the certificates anew"))?;
        if let PemItem::Certificate(certificate) = item {
            found.push(certificate);
        }
    }
    if found.is_empty() {
        let help = "name a PEM file: its certificates begin with `-----BEGIN CERTIFICATE-----`";
        return Err(bad("holds no certificate".to_owned(), help));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_come_from_pem_files() {
        let folder = tempfile::tempdir().unwrap();
        let file = |text: &str| {
            let path = folder.path().join("ca.pem");
            std::fs::write(&path, text).unwrap();
            path
        };
        let ca = include_str!("../../../tests/tls/ca.pem");
        assert_eq!(certificates(&file(&format!("a remark\n{ca}\n{ca}"))).unwrap().len(), 2);
        for (path, what) in [
            (file(include_str!("../../../tests/tls/server.key")), "holds no certificate"),
            (folder.path().join("gone.pem"), "cannot be read"),
            (folder.path().to_owned(), "cannot be read"),
        ] {
            let failure = certificates(&path).unwrap_err();
            assert_eq!(failure.kind, FailureKind::BadConfiguration);
            assert!(failure.message.contains(what) && failure.help.is_some(), "{failure}");
        }
        let damaged = ca.replace("-----END", "=!-----END");
        assert!(certificates(&file(&damaged)).unwrap_err().message.contains("is damaged"));
    }
}
