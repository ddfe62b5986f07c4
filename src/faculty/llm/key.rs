//! The key of a provider: from a variable, or from a file that only its owner can read (durability spec, section 8, S5).
//! No message shows any part of it.

use secrecy::{ExposeSecret, SecretString};

use super::config::{KeySource, ProviderConfig};
use crate::faculty::{Failure, FailureKind, read_key};

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
        (Some(KeySource::File(path)), _) => {
            let key = read_key(path)?;
            SecretString::from(key.expose())
        }
    };
    let text = key.expose_secret();
    if text.is_empty() || text.bytes().any(|byte| !byte.is_ascii_graphic()) {
        let message = format!("the key of the provider `{}` holds characters that no key has", provider.name);
        return Err(Failure::new(FailureKind::BadConfiguration, message)
            .with_help("a key is one word of ASCII letters, digits and signs"));
    }
    Ok(Some(key))
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
        assert!(key_of(&provider).unwrap_err().message.contains("does not exist"));
        for (content, mode, wanted) in [
            ("canary\n", 0o600, Ok("canary")),
            ("canary", 0o640, Err("others")),
            ("ca nary", 0o600, Err("a blank")),
            ("canary\r\nX-Other: 1", 0o600, Err("a line break")),
            ("", 0o400, Err("is empty")),
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
