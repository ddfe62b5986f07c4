//! The key of a provider: from a variable, or from a file that only its owner can read (durability spec, section 8, S5).
//! No message shows any part of it.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use super::config::{KeySource, ProviderConfig};
use crate::faculty::{Failure, FailureKind};

/// No key is longer.
const LIMIT: u64 = 16 << 10;

/// The key of a provider, none when it takes none.
///
/// # Errors
/// `bad_configuration`: a variable that is not set, a file that is missing, open to others or no key.
pub(super) fn key_of(provider: &ProviderConfig) -> Result<Option<SecretString>, Failure> {
    let key = match (&provider.key, &provider.secret) {
        (None, _) => return Ok(None),
        (Some(KeySource::Given(key)), _) | (Some(KeySource::Variable(_)), Some(key)) => key.clone(),
        (Some(KeySource::Variable(name)), None) => {
            let message =
                format!("the provider `{}` takes its key from `{name}`, which is not set", provider.name);
            let (file, line) = provider.place.clone();
            return Err(Failure::new(FailureKind::BadConfiguration, message)
                .with_help(format!("set it: `export {name}=...`"))
                .at(file, line));
        }
        (Some(KeySource::File(path)), _) => read(path, &provider.name)?,
    };
    let text = key.expose_secret();
    if text.is_empty() || text.bytes().any(|byte| !byte.is_ascii_graphic()) {
        let message = format!("the key of the provider `{}` holds characters that no key has", provider.name);
        return Err(Failure::new(FailureKind::BadConfiguration, message)
            .with_help("a key is one word of ASCII letters, digits and signs"));
    }
    Ok(Some(key))
}

fn read(path: &Path, provider: &str) -> Result<SecretString, Failure> {
    let shown = path.display().to_string();
    let failed = |what: &str, help: &str| {
        let message = format!("the key file of the provider `{provider}` {what}");
        Failure::new(FailureKind::BadConfiguration, message).with_help(help).at(shown.clone(), None)
    };
    let help = "write the key into it and keep it to yourself: `chmod 600`";
    let file = File::open(path).map_err(|error| failed(&format!("cannot be read: {error}"), help))?;
    // The open file is asked, not the path: nobody can change it in between.
    let about = file.metadata().map_err(|error| failed(&format!("cannot be read: {error}"), help))?;
    if !about.is_file() {
        return Err(failed("is no file", help));
    }
    if about.mode() & 0o077 != 0 {
        return Err(failed("can be read by others", &format!("run `chmod 600 {shown}`")));
    }
    let mut bytes = Vec::new();
    let size = file.take(LIMIT + 1).read_to_end(&mut bytes);
    size.map_err(|error| failed(&format!("cannot be read: {error}"), help))?;
    if bytes.len() as u64 > LIMIT {
        return Err(failed("is too long for a key", help));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(SecretString::from(text.trim())),
        Err(_) => Err(failed("is no text", help)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faculty::llm::config::ProviderKind;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Arc;

    #[test]
    fn a_key_file_is_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let mut provider = ProviderConfig::new("p", ProviderKind::OpenAi, "normc.toml");
        provider.key = Some(KeySource::File(path.clone()));
        assert!(key_of(&provider).unwrap_err().message.contains("cannot be read"));
        for (content, mode, wanted) in [
            ("canary\n", 0o600, Ok("canary")),
            ("canary", 0o640, Err("can be read by others")),
            ("ca nary", 0o600, Err("characters that no key has")),
            ("canary\r\nX-Other: 1", 0o600, Err("characters that no key has")),
            ("", 0o400, Err("characters that no key has")),
        ] {
            let _ = fs::remove_file(&path);
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            match (key_of(&provider), wanted) {
                (Ok(key), Ok(text)) => assert_eq!(key.unwrap().expose_secret(), text),
                (Err(failure), Err(words)) => {
                    assert!(failure.message.contains(words), "{failure}");
                    assert!(!format!("{failure:?}").contains("nary"), "{failure:?}");
                    assert!(failure.help.is_some());
                }
                (found, _) => panic!("{content}: {found:?}"),
            }
        }
        provider.key = Some(KeySource::Variable(Arc::from("SOME_KEY")));
        assert!(key_of(&provider).unwrap_err().message.contains("`SOME_KEY`, which is not set"));
        provider.key = None;
        assert!(key_of(&provider).unwrap().is_none());
    }
}
