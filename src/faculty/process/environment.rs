//! What child processes inherit of the environment: an allow list, so that no secret of the caller reaches them
//! (durability spec, sections 7 and 8).

use std::ffi::OsString;

/// The variables; all of `LC_*` besides.
const INHERITED: [&str; 16] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "VIRTUAL_ENV",
    "PYENV_ROOT",
    "PYENV_VERSION",
    "ASDF_DATA_DIR",
];

/// The variables of this process that its children get.
pub(in crate::faculty) fn inherited_variables() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_inherited))
}

fn is_inherited(name: &str) -> bool {
    INHERITED.contains(&name) || name.starts_with("LC_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_stay_here() {
        assert!(is_inherited("PATH") && is_inherited("LC_ALL"));
        assert!(
            !is_inherited("OPENAI_API_KEY") && !is_inherited("AWS_SECRET_ACCESS_KEY") && !is_inherited("")
        );
    }
}
